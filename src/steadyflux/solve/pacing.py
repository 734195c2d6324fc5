"""The compiled run in time: a consistent start after each break of a signal, then steps as their errors allow."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from steadyflux.ground.constants import FARADAY
from steadyflux.ground.signal import at_time
from steadyflux.model.layout import held_at
from steadyflux.model.mapping import State, volumes
from steadyflux.model.model import Model
from steadyflux.model.system import balance, constraints, stored
from steadyflux.solve.assembly import Counter, counted_rates
from steadyflux.solve.newton import fastest_rate
from steadyflux.solve.program import sizes
from steadyflux.solve.stepper import (
    ORDER,
    Moment,
    Solved,
    Weights,
    equations,
    implicit,
    largest,
    linear_of,
    plus,
    stage_of,
    step,
)

RUNNING, ARRIVED, SHORT, LONG, UNFIT, CHARGED = range(6)

NEUTRAL = 1e-8  # share of its ions by which a cell's charges may miss each other at the start
FIRST = 1e-5  # length of the starting steps over the time of the fastest process
LEAP = 0.5  # longest stride of an electric potential in the search for the start, V
SETTLED = 1e-10  # of the last correction of the start, relative to the size of each unknown
SEARCHES = 40  # corrections of the start
CAUTION = 0.01  # share of its size by which the first step may change an unknown
SAFETY, SHRINK, GROW, HALT = 0.9, 0.1, 8.0, 0.25  # of the step length after a step
SAME = 1e-12  # times that differ by less than this share of the run are one
SMALLEST = 4e-15  # step over the largest time below which the clock no longer moves

AtTime = Callable[[Any], Model]


class Walk(NamedTuple):
    """A run as it goes: where it stands, what it has recorded and how it has been doing."""

    time: Any
    moment: Moment
    scale: State
    length: Any  # of the next step
    error: Any  # of the last accepted step, over the tolerance
    pace: Any  # of the corrector
    refused: Any  # whether the last step was
    next: Any  # number of the next asked time
    record: Moment  # at the asked times, nan where not reached
    steps: Any
    refusals: Any
    code: Any


@partial(jax.jit, static_argnames=("counters", "bounded"))
def walk(
    model: Model,
    first: State,
    times: Float[Array, " time"],
    bounds: Float[Array, " bound"],
    tolerances: tuple[Any, Any],
    most: Any,
    counters: tuple[Counter, ...],
    bounded: int | None = None,
) -> Walk:
    """The run from ``bounds[0]`` to ``bounds[-1]``; at the bounds in between signals jump or bend.

    ``bounded`` is a number of steps, tried in vain or not, that is gone through in any case, so that derivatives can go
    backwards.
    """
    begun = at_time(model, bounds[0])
    start = Moment(first, jax.tree.map(jnp.zeros_like, first), jnp.zeros(len(counters)), jnp.zeros(len(counters)))
    zero = jnp.zeros((), dtype=int)
    whole = Walk(
        time=bounds[0],
        moment=start,
        scale=jax.lax.stop_gradient(sizes(begun, first)),
        length=jnp.zeros(()),
        error=jnp.ones(()),
        pace=jnp.ones(()),
        refused=jnp.zeros((), dtype=bool),
        next=zero,
        record=jax.tree.map(lambda x: jnp.full((len(times), *x.shape), jnp.nan), start),
        steps=zero,
        refusals=zero,
        code=jnp.where(_neutral(begun, first), RUNNING, CHARGED),
    )

    def segment(at: Walk, ends: tuple[Any, Any]) -> tuple[Walk, None]:
        return _segment(model, at, times, *ends, tolerances, most, counters, bounded), None

    found = jax.lax.scan(segment, whole, (bounds[:-1], bounds[1:]))[0]
    there = found.time >= bounds[-1] - SAME * jnp.maximum(jnp.abs(bounds[0]), jnp.abs(bounds[-1]))
    return found._replace(code=jnp.where(found.code == RUNNING, jnp.where(there, ARRIVED, LONG), found.code))


def _segment(
    model: Model,
    at: Walk,
    times: Array,
    low: Any,
    high: Any,
    tolerances: tuple[Any, Any],
    most: Any,
    counters: tuple[Counter, ...],
    bounded: int | None,
) -> Walk:
    """From one break of the signals to the next."""
    margin = 1e-10 * (high - low)
    usable = (at.code == RUNNING) & (high - low > SAME * jnp.maximum(jnp.abs(low), jnp.abs(high)))

    def now(time: Any) -> Model:
        # A signal that jumps at either end has the value that belongs to the stretch in between.
        return at_time(model, jnp.clip(time, low + margin, high - margin)) if model.varies else model

    time, moment, scale, fit = onset(now, low, at.moment, high - low, at.scale, usable, counters)
    change = jax.lax.stop_gradient(largest(moment.slope, scale))
    length = jnp.clip(CAUTION / jnp.where(change > 0, change, 1e-300), time - low, 0.1 * (high - low))
    begun = at._replace(
        time=time,
        moment=moment,
        scale=scale,
        length=length,
        error=jnp.ones(()),
        pace=jnp.ones(()),
        code=jnp.where(fit, at.code, UNFIT),
    )
    passed = (jnp.arange(len(times)) >= at.next) & (times <= time) & fit
    begun = begun._replace(
        next=at.next + jnp.sum(passed),
        record=jax.tree.map(
            lambda all, one: jnp.where(passed.reshape(-1, *(1,) * one.ndim), one, all), at.record, moment
        ),
    )
    begun = jax.tree.map(lambda new, old: jnp.where(usable, new, old), begun, at)

    def goes_on(one: Walk) -> Any:
        return usable & (one.code == RUNNING) & (one.time < high)

    def further(one: Walk) -> Walk:
        return _further(now, one, times, high, tolerances, most, counters)

    if bounded is None:
        return jax.lax.while_loop(goes_on, further, begun)
    kept = jax.checkpoint(lambda one: jax.lax.cond(goes_on(one), further, lambda same: same, one))
    return jax.lax.scan(lambda one, _: (kept(one), None), begun, length=bounded)[0]


def _further(
    now: AtTime,
    at: Walk,
    times: Array,
    high: Any,
    tolerances: tuple[Any, Any],
    most: Any,
    counters: tuple[Counter, ...],
) -> Walk:
    """One step tried: taken if its error is small enough, and the length of the next one."""
    number = jnp.minimum(at.next, len(times) - 1)
    asked = jnp.where(at.next < len(times), times[number], jnp.inf)
    target = jnp.minimum(asked, high)
    gap = target - at.time
    arrives = at.length > gap * (1 - 1e-9)
    # Two equal steps to the target rather than a long one and a crumb.
    length = jnp.where(arrives, gap, jnp.where(2 * at.length > gap, 0.5 * gap, at.length))
    tried = step(now, at.moment, at.time, length, Weights(*tolerances, at.scale), at.pace, counters)
    fit = tried.solved & jnp.isfinite(tried.error)
    taken = fit & (tried.error <= 1.0)
    error = jnp.maximum(tried.error, 1e-8)
    # Gustafsson (1991): the change of the error from step to step damps what its size asks for.
    grown = SAFETY * error ** (-0.7 / ORDER) * at.error ** (0.4 / ORDER)
    grown = jnp.clip(grown, 0.2, jnp.where(at.refused, 1.0, GROW))
    shrunk = jnp.where(fit, jnp.clip(SAFETY * error ** (-1 / ORDER), SHRINK, SAFETY), HALT)
    # A step cut short by a target says nothing against the length that was meant.
    following = jnp.where(
        taken, jnp.maximum(length * grown, jnp.where(length < at.length, at.length, 0.0)), length * shrunk
    )
    moment = jax.tree.map(lambda new, old: jnp.where(taken, new, old), tried.end, at.moment)
    time = jnp.where(taken, jnp.where(arrives, target, at.time + length), at.time)
    hit = taken & arrives & (target == asked)
    record = jax.tree.map(lambda all, one: all.at[number].set(jnp.where(hit, one, all[number])), at.record, moment)
    size = jax.lax.stop_gradient(sizes(now(time), moment.state))
    steps = at.steps + taken.astype(int)
    crawling = ~taken & (following < SMALLEST * jnp.maximum(jnp.abs(at.time), jnp.abs(high)))
    code = jnp.where(crawling, SHORT, jnp.where((steps >= most) & (time < high), LONG, at.code))
    return Walk(
        time=time,
        moment=moment,
        scale=jax.tree.map(lambda new, old: jnp.where(taken, jnp.maximum(new, old), old), size, at.scale),
        length=following,
        error=jnp.where(taken, error, at.error),
        pace=jnp.where(fit, tried.pace, 1.0),
        refused=~taken,
        next=at.next + hit.astype(int),
        record=record,
        steps=steps,
        refusals=at.refusals + (~taken).astype(int),
        code=code,
    )


# ---- where a stretch begins ------------------------------------------------------------------------------------------


def onset(
    now: AtTime,
    time: Any,
    moment: Moment,
    horizon: Any,
    scale: State,
    usable: Any,
    counters: tuple[Counter, ...],
) -> tuple[Any, Moment, State, Any]:
    """Time, consistent moment and scales just after ``time``, and whether they were found, from what is stored.

    Two implicit Euler steps, so short that what is stored hardly changes: the first finds everything that is not
    stored, the second its rate. What a held value that jumps demands enters through its place and is counted there.
    """
    model = now(time)
    begun, before = jax.lax.stop_gradient((model, moment.state))
    own = sizes(begun, before)
    scale = jax.tree.map(jnp.maximum, scale, own)
    still = jax.tree.map(jnp.zeros_like, before)
    resting = linear_of(begun, before, stage_of(begun, 0.0, before, still, time), scale)
    fast = fastest_rate(begun, before, resting.diagonal)
    fast = jnp.where(jnp.isfinite(fast) & (fast > 0), fast, 0.0)
    length = jnp.minimum(jnp.where(fast > 0, FIRST / jnp.where(fast > 0, fast, 1.0), jnp.inf), 1e-6 * horizon)

    def euler(carry: Any, number: Any) -> Any:
        here, found = carry
        then = time + number * length
        solved, fit = _euler(now(then), here.state, then, length, scale, found, counters)
        there = Moment(solved.state, solved.rate, here.counts + length * solved.flows, solved.flows)
        return (there, found & fit), there.state

    (end, found), passed = jax.lax.scan(euler, (moment, jnp.asarray(usable)), jnp.array([1.0, 2.0]))
    jumped = _jumped(model, moment.state, jax.tree.map(lambda x: x[0], passed), counters)
    end = end._replace(counts=end.counts + jumped)
    scale = jax.tree.map(jnp.maximum, scale, jax.lax.stop_gradient(sizes(model, end.state)))
    shared = jnp.maximum(scale.s, 1e-3 * horizon * jnp.abs(jax.lax.stop_gradient(end.slope.s)))
    return time + 2 * length, end, State(scale.u, shared), found


class _Search(NamedTuple):
    """Newton's method on a starting step, as it goes."""

    state: State
    rate: State
    scale: State
    size: Any
    count: Any


def _euler(
    model: Model,
    before: State,
    time: Any,
    length: Any,
    scale: State,
    usable: Any,
    counters: tuple[Counter, ...],
) -> tuple[Solved, Any]:
    """One implicit Euler step by Newton's method, and whether it was found."""
    fixed, start = jax.lax.stop_gradient((model, before))
    still = jax.tree.map(jnp.zeros_like, start)
    own = stage_of(fixed, 1.0 / length, start, still, time)
    electric = np.array([q.kind == "charge" for q in model.quantities])
    volts = np.array([unknown.unit == "V" for unknown in model.shared], dtype=bool)

    def body(s: _Search) -> _Search:
        stage = own._replace(before=s.state, rate=s.rate)
        off, _ = equations(fixed, s.state, stage, ())
        move = linear_of(fixed, s.state, stage, s.scale).solve(jax.tree.map(jnp.negative, off))
        jump = jnp.max(jnp.where(electric, jnp.abs(move.u), 0.0), initial=0.0)
        jump = jnp.maximum(jump, jnp.max(jnp.where(volts, jnp.abs(move.s), 0.0), initial=0.0))
        # What is not stored is free to jump as far as it must, but potentials, on which rates depend exponentially, go
        # there in strides.
        share = jnp.minimum(1.0, LEAP / jnp.where(jump > 0, jump, 1e-300))
        state = plus(s.state, share, move)
        wider = jax.tree.map(lambda size, x: jnp.maximum(size, 1e-3 * jnp.abs(x)), s.scale, state)
        return _Search(state, plus(s.rate, share / length, move), wider, largest(move, s.scale), s.count + 1)

    found = jax.lax.while_loop(
        lambda s: usable & ~(s.size < SETTLED) & ~jnp.isnan(s.size) & (s.count < SEARCHES),
        body,
        _Search(start, still, scale, jnp.full((), jnp.inf), jnp.zeros((), dtype=int)),
    )
    stage = own._replace(before=found.state, rate=found.rate)
    flows = counted_rates(fixed, found.state, stage, counters)
    solved = implicit(model, Solved(found.state, found.rate, flows), before, stage, scale, counters)
    return solved, usable & (found.size < 1e3 * SETTLED)


def _jumped(model: Model, before: State, after: State, counters: tuple[Counter, ...]) -> Float[Array, " counter"]:
    """What a jump demanded beyond the capacity after it times the change of the state, for each counter."""
    change = jax.tree.map(jnp.subtract, after, before)
    slope = jax.jvp(lambda y: stored(model, y), (after,), (change,))[1]
    excess = stored(model, after) - stored(model, before) - slope
    more = []
    for counter in counters:
        if counter.place is None:
            more.append(jnp.zeros(()))
            continue
        cells = model.space.place(counter.place).cells
        own = held_at(model, counter.quantity, counter.place)
        more.append(jnp.sum(jnp.where(own, excess[cells, model.index(counter.quantity)], 0.0)))
    return jnp.stack(more) if more else jnp.zeros(0)


def _neutral(model: Model, state: State) -> Any:
    """Whether a constraint between states that is integrated by its rate holds at the start: ions must be neutral."""
    columns = constraints(model)
    if not columns:
        return jnp.ones((), dtype=bool)
    off = jnp.abs(balance(model, state))[: model.cells, jnp.array(columns)]
    ions = np.array([k for k, q in enumerate(model.quantities) if q.kind == "species" and q.charge])
    held = jnp.asarray(model.layout.held)
    loose = ~held[:, jnp.array(columns)] & ~jnp.all(held[:, ions], axis=1)[:, None]
    size = FARADAY * volumes(model, state) * jnp.max(jnp.abs(state.u[:, ions]), axis=1)
    return jnp.all(~loose | (off <= NEUTRAL * jnp.maximum(size, 1e-300)[:, None]))
