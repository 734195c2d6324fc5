"""Walkers that hop on cells and do not see each other, counted by cell: exact in law, and no slower for millions.

Walkers of one cell are exchangeable, so that the numbers that take each way out of it are multinomial. In steps
(``step`` given) every walker hops at most once a step. In continuous time the chain is made uniform (Jensen, Skand.
Aktuarietidskr. 36 (1953) 87): each walker has a Poisson number of turns, in each of which it hops or stays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.special import gammainc
from scipy.stats import poisson

from steadyflux.ground.errors import InputError
from steadyflux.solve.events import Events, Hops

STRETCH = 64.0  # turns that a walker takes on average before the times at which others enter are drawn anew
NODES_TOGETHER = 32768  # numbers that fit a cache: runs are taken together up to these


class Lattice:
    """Hops sorted by the node that they leave: ``chance`` (way out, node) given that no way before was taken."""

    def __init__(self, hops: Hops, nodes: int, per_turn: float) -> None:
        leaving = np.flatnonzero((hops.source >= 0) & (hops.rate > 0))
        order = leaving[np.argsort(hops.source[leaving], kind="stable")]
        at = hops.source[order]
        slot = np.arange(order.size) - np.searchsorted(at, at, side="left")
        ways = int(slot.max(initial=-1)) + 1
        self.nodes, self.events = nodes, hops.rate.size
        self.event = np.full((ways, nodes), self.events)
        self.event[slot, at] = order
        rate = np.append(hops.rate, 0.0)[self.event] * per_turn
        before = np.cumsum(rate, axis=0) - rate
        left = np.maximum(1.0 - before, 0.0)
        self.chance = np.clip(np.divide(rate, left, out=np.zeros_like(rate), where=left > 0), 0.0, 1.0)
        # The sum of the chances may pass one by rounding only: who has not left by the last way then stays.
        entering = np.flatnonzero((hops.source < 0) & (hops.rate > 0))
        self.entering, self.entry_rate = entering, hops.rate[entering]
        self.into = _incidence(np.where(hops.target >= 0, hops.target, -1), nodes)

    def turn(self, rng: np.random.Generator, n: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """One turn of all walkers (row, node); ``counts`` (row, event and one more) is added to."""
        staying = n.copy()
        moved = np.zeros((n.shape[0], self.events + 1), np.int64)
        for event, chance in zip(self.event, self.chance, strict=True):
            gone = rng.binomial(staying, chance)
            staying -= gone
            moved[:, event] = gone  # the last column collects what is no event, always zero
        moved[:, -1] = 0
        counts += moved
        return staying + self.arrived(moved)

    def arrived(self, moved: np.ndarray) -> np.ndarray:
        """Where the walkers of these events have come to, (row, node)."""
        return (self.into @ moved[:, :-1].T).T


def _incidence(target: np.ndarray, nodes: int) -> Any:
    at = np.flatnonzero(target >= 0)
    return csr_array((np.ones(at.size, np.int64), (target[at], at)), shape=(nodes, target.size))


def leaving_rate(hops: Hops, nodes: int) -> float:
    """The largest rate at which one walker leaves its node, 1/s."""
    out = hops.source >= 0
    return float(np.max(np.bincount(hops.source[out], hops.rate[out], nodes), initial=0.0))


def in_steps(
    events: Events,
    hops: Hops,
    numbers: np.ndarray,
    times: np.ndarray,
    step: float,
    rng: np.random.Generator,
    told: Callable[[float], None],
) -> tuple[np.ndarray, np.ndarray]:
    """Numbers (run, time, node) and events since the start (run, time, event); one hop at most in each step.

    Who enters during a step arrives at its end.
    """
    fastest = leaving_rate(hops, events.nodes)
    if fastest * step > 1.0 + 1e-12:
        raise InputError(
            f"In a step of {step:g} s a walker would hop {fastest * step:.3g} times; give a step of at most "
            f"{1.0 / fastest:.6g} s, or none for continuous time."
        )
    due = np.rint(times / step).astype(np.int64)
    if np.any(np.abs(due * step - times) > 1e-6 * step * np.maximum(1.0, due)) or np.any(np.diff(due) < 1):
        raise InputError("The asked times must be whole numbers of steps, each later than the one before.")
    lattice = Lattice(hops, events.nodes, step)
    n, counts = numbers.astype(np.int64), np.zeros((numbers.shape[0], events.count + 1), np.int64)
    kept, passed = _room(numbers, times, events)
    done = 0
    for i, number in enumerate(due):
        for _ in range(int(number) - done):
            n = lattice.turn(rng, n, counts)
            if lattice.entering.size:
                n += _entries(lattice, rng, step, counts)[0]
        done = int(number)
        kept[:, i], passed[:, i] = n, counts[:, :-1]
        told(1.0 / times.size)
    return kept, passed


def in_time(
    events: Events,
    hops: Hops,
    numbers: np.ndarray,
    times: np.ndarray,
    rng: np.random.Generator,
    told: Callable[[float], None],
) -> tuple[np.ndarray, np.ndarray]:
    """The same in continuous time, exact at the asked times."""
    fastest = leaving_rate(hops, events.nodes)
    lattice = Lattice(hops, events.nodes, 1.0 / fastest if fastest > 0 else 0.0)
    n, counts = numbers.astype(np.int64), np.zeros((numbers.shape[0], events.count + 1), np.int64)
    kept, passed = _room(numbers, times, events)
    now = 0.0
    for i, t in enumerate(times):
        pieces = max(1, int(np.ceil((t - now) * fastest / STRETCH)))
        for _ in range(pieces):
            n = _stretch(lattice, rng, n, counts, (t - now) / pieces, fastest)
        now = float(t)
        kept[:, i], passed[:, i] = n, counts[:, :-1]
        told(1.0 / times.size)
    return kept, passed


def _stretch(
    lattice: Lattice, rng: np.random.Generator, n: np.ndarray, counts: np.ndarray, duration: float, fastest: float
) -> np.ndarray:
    """All walkers over a stretch of time, and those who enter in it at times spread evenly."""
    mean = fastest * duration
    going_on = _going_on(mean, late=False)
    resting, active = n, np.zeros_like(n)
    if going_on.size:
        active = rng.binomial(n, going_on[0])
        resting = n - active
    rows, chances = active, going_on[:, None]
    if lattice.entering.size:
        came, _ = _entries(lattice, rng, duration, counts)
        late = _going_on(mean, late=True)
        starting = rng.binomial(came, late[0]) if late.size else np.zeros_like(came)
        resting = resting + came - starting
        rows = np.concatenate([active, starting])
        length = max(going_on.size, late.size)
        pair = np.stack([np.pad(going_on, (0, length - going_on.size)), np.pad(late, (0, length - late.size))], axis=1)
        chances = np.repeat(pair, n.shape[0], axis=1)
    here = np.zeros((rows.shape[0], counts.shape[1]), np.int64)
    number = 1
    while rows.any():
        rows = lattice.turn(rng, rows, here)
        if number < len(chances) and np.all(chances[number] >= 1.0):
            number += 1
            continue
        again = rng.binomial(rows, chances[number][:, None]) if number < len(chances) else np.zeros_like(rows)
        stopping = rows - again
        resting = resting + stopping.reshape(-1, *n.shape).sum(axis=0)
        rows, number = again, number + 1
    counts += here.reshape(-1, *counts.shape).sum(axis=0)
    return resting


def _going_on(mean: float, *, late: bool) -> np.ndarray:
    """Chance of a turn number k + 1 given k turns, (turn,): their number is Poisson, for late comers over what is left
    of the stretch from a moment anywhere in it."""
    if mean == 0.0:
        return np.zeros(0)
    most = int(mean + 12.0 * np.sqrt(mean) + 40.0)
    k = np.arange(most + 1)
    if late:
        # P(K = k) = integral of Poisson(k; mean u) du from 0 to 1.
        chance = gammainc(k + 1.0, mean) / mean
        beyond = np.cumsum(chance[::-1])[::-1]
        beyond[0] = 1.0
    else:
        beyond = poisson.sf(k - 1, mean)
    possible = beyond[:-1] > 0
    found = np.divide(beyond[1:], beyond[:-1], out=np.zeros(most), where=possible)
    return np.clip(found, 0.0, 1.0)


def _entries(
    lattice: Lattice, rng: np.random.Generator, duration: float, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Walkers that have entered in a while, (run, node)."""
    runs = counts.shape[0]
    came = rng.poisson(lattice.entry_rate * duration, (runs, lattice.entering.size))
    moved = np.zeros((runs, lattice.events + 1), np.int64)
    moved[:, lattice.entering] = came
    counts += moved
    return lattice.arrived(moved), came


def _room(numbers: np.ndarray, times: np.ndarray, events: Events) -> tuple[np.ndarray, np.ndarray]:
    shape = (numbers.shape[0], times.size)
    return np.zeros((*shape, numbers.shape[1]), np.int64), np.zeros((*shape, events.count), np.int64)
