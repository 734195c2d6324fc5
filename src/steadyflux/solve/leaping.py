"""Tau-leaping: many events at once over times so short that the rates hardly change.

Steps are chosen as in Cao, Gillespie and Petzold, J. Chem. Phys. 124 (2006) 044109: events that a few more of which
would use up a reactant are critical and happen one at a time; the numbers of all others are Poisson; a leap that would
make a number negative is drawn anew over half the time; where leaps pay no more, single events are taken. The rates of
a leap are those half-way (the midpoint rule of Gillespie, J. Chem. Phys. 115 (2001) 1716), so that its mean is of
second order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from steadyflux.ground.errors import NotConverged
from steadyflux.solve.events import Events, rates_at

CRITICAL = 10  # times that an event must be able to happen to be no critical one
SINGLE = 100  # single events taken in a row where leaps do not pay
WORTH = 10.0  # mean number of events that a leap must hold to be worth it
DENSE = 2_000_000  # largest matrix of derivatives that tells on which numbers the rates depend
TOGETHER = 256  # runs side by side


class Leaper:
    """What the choice of a step needs to know of the events."""

    def __init__(self, events: Events, tolerance: float) -> None:
        self.events, self.tolerance = events, tolerance
        self.nodes = events.nodes
        self.change = events.changes()[:, : self.nodes].tocsr()
        free = events.table.free[: self.nodes]
        self.change = (self.change @ _diagonal(free)).tocsr()
        self.change.eliminate_zeros()
        self.squared = self.change.multiply(self.change).tocsr()
        self.felt = self._felt() & free
        self.base, self.single, self.double = self._orders()

    def _felt(self) -> np.ndarray:
        """Whether any rate depends on the number at a node, (node,)."""
        if self.nodes * self.events.count > DENSE:
            return np.ones(self.nodes, dtype=bool)
        table = self.events.table
        level = jnp.asarray(np.random.default_rng(7).uniform(50.0, 150.0, self.nodes))
        slopes = jax.jacfwd(lambda n: rates_at(self.events.model, table, n))(level)
        return np.any(np.asarray(slopes) != 0.0, axis=0)

    def _orders(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Parts of g(n) = base + single / (n - 1) + double / (n - 2), (node,), from the highest order of the events in
        which a node takes part (Cao et al. 2006, sec. IV)."""
        base, single, double = np.ones(self.nodes), np.zeros(self.nodes), np.zeros(self.nodes)
        table = self.events.table
        for nodes, need, orders in zip(table.node, table.need, table.orders, strict=True):
            order = max(int(need.sum()), 1) if orders.any() else max(int(need.sum()), 2)
            for node, own in zip(nodes[need > 0], need[need > 0], strict=True):
                one, two = (0.0, 0.0)
                if own == 2:
                    one = 0.5 * order
                elif own >= 3:
                    one, two = 1.0, 2.0
                if (float(order), one, two) > (float(base[node]), float(single[node]), float(double[node])):
                    base[node], single[node], double[node] = order, one, two
        # What a rate depends on without using it up (a catalyst, an inhibitor) counts as of second order.
        base[self._felt() & (base < 2.0) & ~_used(table, self.nodes)] = 2.0
        return base, single, double

    def longest(self, n: np.ndarray, rates: np.ndarray) -> np.ndarray:
        """The longest leap of each run, s, from these numbers (run, node) and rates of what is not critical."""
        drift, spread = rates @ self.change, rates @ self.squared
        g = self.base + self.single / np.maximum(n - 1.0, 1.0) + self.double / np.maximum(n - 2.0, 1.0)
        bound = np.maximum(self.tolerance * n / g, 1.0)
        with np.errstate(divide="ignore"):
            found = np.minimum(bound / np.abs(drift), bound**2 / spread)
        return np.min(np.where(self.felt, found, np.inf), axis=1, initial=np.inf)

    def critical(self, n: np.ndarray, rates: np.ndarray) -> np.ndarray:
        """Which events could use up a reactant soon, (run, event)."""
        table = self.events.table
        node = np.minimum(table.node, self.nodes - 1)
        left = np.where(table.need > 0, n[:, node] // np.maximum(table.need, 1), CRITICAL)
        return (rates > 0) & (left.min(axis=2) < CRITICAL)


def _used(table: Any, nodes: int) -> np.ndarray:
    found = np.zeros(nodes, dtype=bool)
    found[table.node[table.need > 0]] = True
    return found


def _diagonal(mask: np.ndarray) -> Any:
    from scipy.sparse import diags_array

    return diags_array(mask.astype(np.int64), dtype=np.int64)


def leaping_runs(
    leaper: Leaper,
    numbers: np.ndarray,
    times: np.ndarray,
    rng: np.random.Generator,
    most: int,
    told: Callable[[float], None],
) -> tuple[np.ndarray, np.ndarray]:
    """Numbers (run, time, node of a cell) and events since the start (run, time, event) of some runs at the times.

    ``most`` is the largest number of leaps and single events of one run.
    """
    events = leaper.events
    n, runs = numbers.astype(np.int64), numbers.shape[0]
    counts = np.zeros((runs, events.count), np.int64)
    kept = np.zeros((runs, times.size, n.shape[1]), np.int64)
    passed = np.zeros((runs, times.size, events.count), np.int64)
    clock, singles, met = np.zeros(runs), np.zeros(runs, int), 0
    for i, end in enumerate(times):
        while np.any(going := clock < end):
            _advance(leaper, rng, n, counts, clock, singles, float(end), going)
            met += 1
            if met > most:
                raise NotConverged(
                    f"The leaps came to {most:g} before {end:g} s.",
                    "ask for a shorter run, or give more=... leaps or a larger tolerance=...",
                )
        kept[:, i], passed[:, i] = n, counts
        told(1.0 / times.size)
    return kept, passed


def _advance(
    leaper: Leaper,
    rng: np.random.Generator,
    n: np.ndarray,
    counts: np.ndarray,
    clock: np.ndarray,
    singles: np.ndarray,
    end: float,
    going: np.ndarray,
) -> None:
    """One leap or one single event of each run that is going on, written into the arrays."""
    rates = np.where(going[:, None], leaper.events.rates(n), 0.0)
    total = rates.sum(axis=1)
    critical = leaper.critical(n, rates)
    calm = np.where(critical, 0.0, rates)
    longest = leaper.longest(n, calm)
    with np.errstate(divide="ignore"):
        singles[going & (singles == 0) & (longest < WORTH / total)] = SINGLE
    one = going & (singles > 0)
    # Single events: everything counts as critical.
    risky = np.where(one[:, None], rates, np.where(critical, rates, 0.0))
    risk = risky.sum(axis=1)
    with np.errstate(divide="ignore"):
        wait = np.where(risk > 0, rng.standard_exponential(n.shape[0]) / risk, np.inf)
    longest = np.where(one, np.inf, longest)
    left = end - clock
    duration = np.minimum(np.minimum(longest, wait), left)
    chosen = _pick(rng, risky)
    happens = going & (wait <= longest) & (wait < left)
    calm = np.where(one[:, None], 0.0, calm)
    half_way = n + 0.5 * np.where(going & ~one, duration, 0.0)[:, None] * (calm @ leaper.change)
    if np.any(calm):
        calm = np.where(calm > 0, leaper.events.rates(np.maximum(half_way, 0.0)), 0.0)
    pending = going.copy()
    while pending.any():
        made = rng.poisson(calm * np.where(pending, duration, 0.0)[:, None])
        once = pending & happens
        made[once, chosen[once]] += 1
        after = n + made @ leaper.change
        good = pending & np.all(after >= 0, axis=1)
        n[good], counts[good] = after[good], counts[good] + made[good]
        clock[good] = np.where(duration[good] >= left[good], end, clock[good] + duration[good])
        pending &= ~good
        duration = np.where(pending, 0.5 * duration, duration)
        happens = happens & ~pending
    singles[one] -= 1


def _pick(rng: np.random.Generator, weights: np.ndarray) -> np.ndarray:
    """One event of each run, in proportion to its weight, (run,)."""
    sums = np.cumsum(weights, axis=1)
    at = rng.random(weights.shape[0]) * sums[:, -1]
    return np.minimum((sums <= at[:, None]).sum(axis=1), weights.shape[1] - 1)
