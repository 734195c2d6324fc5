"""Chance: `sample(model, until)` draws particles from the laws' one-way fluxes, in many runs with standard errors."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Lock
from typing import Any

import jax.numpy as jnp
import numpy as np

from steadyflux.ground.errors import InputError, ModelError, NameUnknown, NotConverged
from steadyflux.ground.units import si
from steadyflux.model.mapping import State
from steadyflux.model.model import Model
from steadyflux.model.solution import Solution
from steadyflux.solve import brownian, gillespie, leaping
from steadyflux.solve import walkers as hopping
from steadyflux.solve.estimates import Sample
from steadyflux.solve.events import Events, Hops, events_of, hops_of, initial_numbers, rounded
from steadyflux.solve.newton import first_state
from steadyflux.solve.steady import steady

METHODS = ("auto", "exact", "leap", "lattice", "brownian")
MANY = 3e5  # events of one run above which leaps are taken by themselves
MEMORY = 4e9  # bytes of results
Observer = Callable[[float, float, float], None]


def sample(
    model: Model,
    until: Any,
    *,
    times: Any = None,
    walkers: float | None = None,
    runs: int = 100,
    seed: int = 0,
    method: str = "auto",
    step: Any = None,
    start: Solution | State | None = None,
    poisson_start: bool = False,
    tolerance: float = 0.03,
    more: int = 10_000_000,
    workers: int | None = None,
    progress: Observer | None = None,
) -> Sample:
    """Follow particles by chance from the model's start to the time ``until``, in independent runs.

    Args:
        until: end of the runs, s or a text ("1 ms").
        times: asked times, s (default: the end).
        walkers: number of walkers that stand for all particles at the start (of a model that starts empty: in its
            steady state). By default each stands for one. Only for walkers that do not see each other: where they
            react, how many there are is part of the physics.
        runs: independent runs; they give the standard errors.
        seed: whole number; the same seed gives the same runs whatever the number of workers.
        method: "exact" takes one event after the other (Gillespie 1977). "leap" takes many at a time (Cao, Gillespie
            and Petzold 2006). "lattice" counts independent walkers by cell, exactly. "brownian" follows each walker's
            place in an interval (see `Sample.places`). "auto" takes "lattice" where walkers are independent, else
            "exact", or "leap" for more than 3e5 events a run.
        step: of "lattice": walkers hop at most once in each step, s (default: at any time). Of "brownian": the time
            step, s (default: a twentieth of the interval is walked in it).
        start: where to begin instead of the model's own start.
        poisson_start: draw each number at the start from a Poisson distribution about its mean, as in an open system,
            instead of taking the nearest whole number.
        tolerance: relative change of the rates that one leap may make.
        more: the largest number of events, leaps or turns of a run.
        workers: threads (default: one for each core).
        progress: called with (time, end, step) now and then.

    Raises ModelError where the model has no elementary events (a law that gives only its net flux, shared unknowns,
    a moving space), InputError for arguments that do not fit, NotConverged after more than ``more`` events.
    """
    end, asked = _asked_times(until, times)
    if method not in METHODS:
        raise NameUnknown("method of sampling", str(method), METHODS)
    runs, seed = _count(runs, "runs", 1), _count(seed, "seed", 0)
    dt = None if step is None else float(si(step, "s", "step"))
    if dt is not None and not 0 < dt <= end:
        raise InputError(f"The step must lie between zero and the end of the run, {end:g} s; it is {dt:g} s.")
    if dt is not None and method in ("exact", "leap"):
        raise InputError('Only "lattice" and "brownian" take a step; leave step out.')
    beginning = _initial(model, start)
    events = events_of(model, beginning)
    hops = hops_of(events) if method in ("auto", "lattice", "brownian") or walkers is not None else None
    if walkers is not None:
        if hops is None:
            raise ModelError(
                "Walkers of this model react with each other or are limited in number, so that how many there are is "
                "part of the physics; leave walkers out and set the amounts (or the volume) instead."
            )
        events = events_of(model, beginning, _weight(model, beginning, events, float(walkers)))
        hops = hops_of(events)
    if method == "lattice" and hops is None:
        raise ModelError('These walkers are not independent of each other; take method="exact" or "leap".')
    mean = initial_numbers(events, beginning)
    if method == "auto":
        method = _chosen(events, hops, mean, end)
    room = 8.0 * runs * asked.size * (events.nodes + events.count)
    if room > MEMORY:
        raise InputError(f"The results would take {room / 1e9:.3g} GB; ask for fewer times or runs.")
    if method == "brownian":
        return _followed(events, hops, mean, asked, dt, runs, seed, poisson_start, workers, progress)
    whole = None if poisson_start else rounded(events, mean)

    def begin(rng: np.random.Generator, count: int) -> np.ndarray:
        return rng.poisson(mean, (count, mean.size)) if whole is None else np.tile(whole, (count, 1))

    task, together = _task(method, events, hops, begin, asked, dt, seed, float(tolerance), int(more))
    kept, passed = _in_blocks(task, runs, together, seed, workers, progress, end)
    return Sample(events, method, asked, kept, passed, seed)


def _followed(
    events: Events,
    hops: Hops | None,
    mean: np.ndarray,
    times: np.ndarray,
    step: float | None,
    runs: int,
    seed: int,
    poisson_start: bool,
    workers: int | None,
    progress: Observer | None,
) -> Sample:
    """Walkers with a place of their own. What crosses an edge is known on balance: it is counted as forward events."""
    track = brownian.track_of(events, hops)
    gap = float(np.min(np.diff(times, prepend=0.0)))
    dt = float(gap / np.ceil(gap / brownian.shortest_step(track))) if step is None else step
    brownian.check_step(track, dt)
    half = 0.5 * np.diff(track.nodes)[[0, -1]]
    mean = mean.copy()
    for end in (0, -1):
        if track.held[end]:
            mean[end] = track.supply[end] * half[end]
    whole = np.rint(mean).astype(np.int64) if any(track.held) else rounded(events, mean)
    first = next(g for g in events.groups if g.sign == 1)
    places: list[np.ndarray | None] = [None] * runs

    def draw(which: np.ndarray, rng: np.random.Generator, told: Any) -> tuple[np.ndarray, np.ndarray]:
        numbers = rng.poisson(mean) if poisson_start else whole
        kept, crossed, x = brownian.brownian_run(track, numbers, times, dt, rng, told)
        passed = np.zeros((1, times.size, events.count), np.int64)
        passed[0, :, first.start : first.stop] = crossed
        places[int(which[0])] = x
        return kept[None], passed

    kept, passed = _in_blocks(draw, runs, 1, seed, workers, progress, float(times[-1]))
    return Sample(events, "brownian", times, kept, passed, seed, tuple(x for x in places if x is not None))


Block = Callable[[np.ndarray, np.random.Generator, Callable[[float], None]], tuple[np.ndarray, np.ndarray]]


def _task(
    method: str,
    events: Events,
    hops: Hops | None,
    begin: Callable[[np.random.Generator, int], np.ndarray],
    times: np.ndarray,
    step: float | None,
    seed: int,
    tolerance: float,
    more: int,
) -> tuple[Block, int]:
    """How one block of runs is drawn, given their numbers and a generator of their own, and how many make a block."""
    if method == "exact":
        return (
            lambda which, rng, told: gillespie.exact_runs(
                events, begin(rng, which.size), times, which, seed, more, told
            ),
            gillespie.TOGETHER,
        )
    if method == "leap":
        leaper = leaping.Leaper(events, tolerance)
        return (
            lambda which, rng, told: leaping.leaping_runs(leaper, begin(rng, which.size), times, rng, more, told),
            leaping.TOGETHER,
        )
    assert hops is not None
    turns = hopping.leaving_rate(hops, events.nodes) * float(times[-1]) if step is None else float(times[-1]) / step
    if turns > more:
        raise NotConverged(
            f"A walker would take {turns:.3g} turns until {times[-1]:g} s, more than {more:g}.",
            "ask for a shorter run, coarser cells or a larger step, or give more=... turns",
        )
    follow = hopping.in_time if step is None else partial(_stepped, step)
    return (
        lambda which, rng, told: follow(events, hops, begin(rng, which.size), times, rng, told),
        max(1, hopping.NODES_TOGETHER // max(events.nodes, events.count)),
    )


def _stepped(step: float, events: Events, hops: Hops, numbers: Any, times: Any, rng: Any, told: Any) -> Any:
    return hopping.in_steps(events, hops, numbers, times, step, rng, told)


def _in_blocks(
    task: Block, runs: int, together: int, seed: int, workers: int | None, progress: Observer | None, end: float
) -> tuple[np.ndarray, np.ndarray]:
    """All runs in blocks of a fixed number, each block with a stream of its own, in threads."""
    blocks = [np.arange(first, min(first + together, runs)) for first in range(0, runs, together)]
    lock, done = Lock(), [0.0]

    def told(share: float) -> None:
        if progress is not None:
            with lock:
                done[0] += share / len(blocks)
                progress(min(done[0], 1.0) * end, end, share * end)

    def draw(number: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))
        return task(blocks[number], rng, told)

    count = min(len(blocks), _cores() if workers is None else _count(workers, "workers", 1))
    if count == 1:
        found = [draw(number) for number in range(len(blocks))]
    else:
        with ThreadPoolExecutor(count) as pool:
            found = list(pool.map(draw, range(len(blocks))))
    return np.concatenate([kept for kept, _ in found]), np.concatenate([passed for _, passed in found])


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _asked_times(until: Any, times: Any) -> tuple[float, np.ndarray]:
    end = float(si(until, "s", "until"))
    if not end > 0:
        raise InputError(f"The runs must end after they begin; until is {end:g} s.")
    if times is None:
        return end, np.array([end])
    asked = np.atleast_1d(np.asarray(si(list(np.atleast_1d(times)), "s", "times"), dtype=float))
    if asked.size == 0 or np.any(np.diff(asked) <= 0) or asked[0] <= 0 or asked[-1] > end:
        raise InputError(f"The asked times must increase and lie between zero and {end:g} s.")
    return end, asked if asked[-1] == end else np.append(asked, end)


def _count(value: Any, what: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(f"{what} must be a whole number of at least {least}, not {value!r}.")
    return int(value)


def _initial(model: Model, start: Solution | State | None) -> State:
    """The state at the start: the one given, or the model's own with held values put in."""
    given = start.state if isinstance(start, Solution) else start
    if given is None:
        for k, (q, storage) in enumerate(zip(model.quantities, model.storage, strict=True)):
            free = np.any(np.asarray(model.layout.active)[:, k] & ~np.asarray(model.layout.held)[:, k])
            if free and q.name not in model.start and storage.stores:
                raise ModelError(f"The runs need to know where {q.name} begins; give start={{'{q.name}': ...}}.")
        given = first_state(model, None)[0]
    if np.shape(given.u) != (model.cells, len(model.names)):
        raise ModelError("The start belongs to another space or other quantities than the model's.")
    return State(given.u, jnp.zeros(0))


def _weight(model: Model, beginning: State, events: Events, number: float) -> float:
    if not number >= 1:
        raise InputError(f"walkers must be at least 1, not {number:g}.")
    there = float(initial_numbers(events, beginning).sum())
    if there == 0.0:
        settled = steady(model)
        there = float(initial_numbers(events, settled.state).sum())
    if there == 0.0:
        raise ModelError("Nothing is there at the start or in the steady state for walkers to stand for.")
    return there / number


def _chosen(events: Events, hops: Hops | None, mean: np.ndarray, end: float) -> str:
    if hops is not None:
        return "lattice"
    total = float(events.rates(mean[None])[0].sum()) * end
    return "leap" if total > MANY else "exact"
