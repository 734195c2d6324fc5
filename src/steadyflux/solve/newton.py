"""Newton's method that looks after itself: scaled, kept within bounds, damped, then embedding, then pseudo-time.

One pure function `advance` takes the search one linear solve further. The compiled lane runs it inside `lax.while_loop`
(so that a search can be batched and put on a GPU), the host lane calls it between factorisations of a sparse matrix.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from steadyflux.model.model import Model
from steadyflux.model.solution import code_of
from steadyflux.model.system import (
    Stage,
    State,
    capacities,
    choose_pins,
    held_values,
    pivot_columns,
    stored,
    totals,
    volumes,
)
from steadyflux.physics.quantity import KINDS

TOLERANCE = 1e-8  # of the last step, relative to the size of each quantity; Newton squares it once more
ROUNDING = 1e-11  # a residual below this share of its row's size is made of roundings
FLOOR = 1e-5  # a step below this that no longer shrinks is at the floor of rounding
CLOSED = 1e-9  # of the traffic: how far a balance may be open at a point from which one more step is taken
SHRINK_LIMIT = 0.1  # a positive state loses at most nine tenths in one step
NEAR = 1e-3  # a step this small no longer needs care
LEVEL_LIMIT = 40  # linear solves at one stage before it counts as failed
TRACE_LIMIT = 150  # the same while only the balance of a trace is left to be closed
TOTAL_LIMIT = 600
SMALLEST_DAMPING = 1e-3
SMALLEST_ADVANCE = 1e-3

RUNNING, CONVERGED, FAILED, SINGULAR = 0, 1, 2, 3


class Search(NamedTuple):
    """Where the search stands."""

    state: State  # the point to be judged next
    base: State  # the last accepted point of this stage
    step: State  # the undamped Newton step from there
    size: Any  # and its size
    damping: Any
    tries: Any  # linear solves at this stage
    anchor: State  # solution of the last stage that was reached
    origin: State  # where everything began
    kept: Any  # totals of closed parts
    pins: Any
    force: Any  # forces at this stage
    reached: Any  # forces at the last stage that was reached
    advance: Any  # how much more force the next stage asks
    inverse_step: Any  # 1 / pseudo-time step; zero when seeking the steady state itself
    rate: Any  # the fastest rate of the system, which sets the scale of pseudo-time
    phase: Any  # 0 direct and embedding, 1 pseudo-time
    iterations: Any
    outcome: Any
    residual: Any
    solver: Any  # number of the linear solver (`steadyflux.model.solution.LINEAR_SOLVERS`)
    note: Any  # number of what is to be said about it


class Signs(NamedTuple):
    """What the Jacobian's diagonal says of a state: the system's fastest rate, 1/s, and how open its balance is."""

    rate: Any
    imbalance: Any


def begin(model: Model, start: State, kept: Float[Array, " total"]) -> Search:
    """The search at its first point. A closed model starts in pseudo-time, which keeps its totals without pins."""
    closed = model.layout.totals > 0
    zero, one = jnp.zeros(()), jnp.ones(())
    count = jnp.zeros((), dtype=jnp.int64)
    return Search(
        state=start,
        base=start,
        step=jax.tree.map(jnp.zeros_like, start),
        size=jnp.full((), jnp.inf),
        damping=one,
        tries=count,
        anchor=start,
        origin=start,
        kept=kept,
        pins=jnp.full(model.layout.totals, -1),
        force=one,
        reached=zero,
        advance=one,
        inverse_step=one * (1e-2 if closed else 0.0),
        rate=zero,
        phase=count + (1 if closed else 0),
        iterations=count,
        outcome=count + RUNNING,
        residual=jnp.full((), jnp.inf),
        solver=count + code_of({"dense": "dense", "chain": "block-tridiagonal"}.get(model.layout.lane, "")),
        note=count,
    )


def stage_of(search: Search) -> Stage:
    """What the residual and the Jacobian need to know of the search."""
    return Stage(search.force, search.inverse_step * search.rate, search.anchor, search.pins)


def scales(model: Model, state: State) -> State:
    """The size of each quantity, by which steps are measured: its largest value, or what its kind counts as nothing."""
    columns = []
    for k, q in enumerate(model.quantities):
        kind = KINDS[q.kind]
        least = kind.scale if q.kind in ("charge", "heat") else 1e-6 * kind.scale
        held = [jnp.max(jnp.abs(jnp.asarray(b.value))) for b in model.holds if b.quantity == q.name]
        started = [jnp.max(jnp.abs(jnp.asarray(model.start[q.name])))] if q.name in model.start else []
        known = jnp.asarray(held + started).max() if held or started else jnp.zeros(())
        # A quantity whose held and start values are all far below the kind's own size is measured by those.
        floor = jnp.where((known > 0) & (known < least), known, least) if q.kind not in ("charge", "heat") else least
        columns.append(jnp.maximum(jnp.max(jnp.abs(state.u[:, k])), floor))
    sizes = jnp.stack(columns) * jnp.ones_like(state.u)
    own = [
        jnp.maximum(
            jnp.abs(state.s[i]), unknown.scale if unknown.scale > 0 else jnp.maximum(jnp.abs(unknown.start), 1e-12)
        )
        for i, unknown in enumerate(model.shared)
    ]
    if model.layout.totals and state.s.shape[0] > len(model.shared):  # in time totals are kept by themselves
        own += [jnp.maximum(jnp.abs(state.s[len(model.shared) + t]), 1e-30) for t in range(model.layout.totals)]
    return State(sizes, jnp.stack(own) if own else jnp.zeros(0))


def within_bounds(model: Model, base: State, step: State, damping: Any, size: Any) -> State:
    """The damped step, cut so that a positive state stays positive and loses no more than nine tenths.

    Close to the solution (a small step) only the sign is kept: there a state that vanishes must be free to do so.
    """
    positive = jnp.array([KINDS[q.kind].positive for q in model.quantities])[None, :] & ~jnp.asarray(model.layout.held)
    free = base.u + damping * step.u
    lowest = jnp.where(size < NEAR, 1e-14, SHRINK_LIMIT) * base.u
    return State(jnp.where(positive & (free < lowest), lowest, free), base.s + damping * step.s)


def advance(model: Model, search: Search, step: State, residual_size: Any, signs: Signs) -> Search:
    """Judge the point at hand by its undamped Newton ``step`` and choose the next one.

    ``residual_size`` is the largest residual over the scale of its row. A step that is small on the scale of its
    quantity does not close the balance of a state that is smaller still and reacts steeply (a trace left at an
    electrode): such a search goes on until the balance is closed, as long as it has steps left.
    """
    s, rate = search, signs.rate
    size = _largest(step, scales(model, s.state))
    usable = jnp.isfinite(size) & jnp.isfinite(residual_size)
    first = s.tries == 0
    at_floor = usable & (size < FLOOR) & (size > 0.3 * s.size) & (residual_size < ROUNDING)
    closed = (signs.imbalance < CLOSED) | (s.tries >= TRACE_LIMIT)
    solved = usable & closed & ((size < TOLERANCE) | at_floor)
    # Steps are compared in one measure too: a state that shrinks makes equal steps look longer.
    shrinks = (size <= s.size) | (_largest(step, scales(model, s.base)) <= s.size)
    accepted = usable & (first | shrinks | (size < NEAR))
    polished = within_bounds(model, s.state, step, 1.0, size)

    damping = jnp.where(first, 1.0, jnp.minimum(1.0, 2.0 * s.damping))
    onward = s._replace(
        base=s.state,
        step=step,
        size=size,
        damping=damping,
        state=within_bounds(model, s.state, step, damping, size),
        tries=s.tries + 1,
    )
    less = 0.25 * s.damping
    back = s._replace(damping=less, state=within_bounds(model, s.base, s.step, less, s.size), tries=s.tries + 1)
    stuck = ~solved & (
        (~accepted & (first | (less < SMALLEST_DAMPING)))
        | ((s.tries >= LEVEL_LIMIT) & ~(size < TOLERANCE))
        | (first & ~usable)
    )

    done = _reached(model, s._replace(state=polished))
    failed = _failed(model, s)
    chosen = _choose(solved, done, _choose(stuck, failed, _choose(accepted, onward, back)))
    outcome = jnp.where(
        (chosen.outcome == RUNNING) & (s.iterations + 1 >= TOTAL_LIMIT), jnp.asarray(FAILED), chosen.outcome
    )
    return chosen._replace(
        iterations=s.iterations + 1,
        outcome=outcome,
        residual=residual_size,
        rate=jnp.where(s.rate > 0, s.rate, jnp.where(jnp.isfinite(rate), rate, 0.0)),
    )


def _fresh(s: Search, start: State) -> Search:
    """Begin a stage at a point."""
    return s._replace(
        state=start, base=start, size=jnp.full((), jnp.inf), damping=jnp.ones(()), tries=jnp.zeros_like(s.tries)
    )


def _reached(model: Model, s: Search) -> Search:
    """The stage is solved: finish, ask for more force, or lengthen the pseudo-time step."""
    final = (s.inverse_step == 0.0) & (s.force >= 1.0)
    finished = s._replace(outcome=jnp.full_like(s.outcome, CONVERGED))

    more = jnp.minimum(1.0, s.force + 2.0 * s.advance)
    embedded = _fresh(s._replace(anchor=s.state, reached=s.force, advance=more - s.force, force=more), s.state)

    longer = jnp.where(s.inverse_step < 1e-6, 0.0, 0.1 * s.inverse_step)
    pins = choose_pins(model, s.state) if model.layout.totals else s.pins
    pinned = s.state.s
    if model.layout.totals:
        pinned = pinned.at[len(model.shared) :].set(s.state.u[pins, pivot_columns(model)])
    timed = _fresh(
        s._replace(
            anchor=s.state, inverse_step=longer, pins=jnp.where(longer == 0.0, pins, s.pins), reached=jnp.ones(())
        ),
        State(s.state.u, jnp.where(longer == 0.0, pinned, s.state.s)),
    )
    return _choose(final, finished, _choose(s.inverse_step > 0.0, timed, embedded))


def _failed(model: Model, s: Search) -> Search:
    """The stage failed: ask for less force and in the end take pseudo-time, then shorter steps; then give up."""
    smaller = 0.25 * s.advance
    force = jnp.minimum(1.0, s.reached + smaller)
    # Before any stage is reached the anchor is the first guess, which belongs to the full forces.
    start = _choose(s.reached > 0.0, s.anchor, _drawn(model, s.origin, force))
    less = _fresh(s._replace(advance=smaller, force=force), start)
    # Pseudo-time starts over from the beginning, with all forces on.
    relaxed = _fresh(
        s._replace(
            phase=jnp.ones_like(s.phase),
            force=jnp.ones(()),
            inverse_step=jnp.ones(()) * 1e-2,
            anchor=s.origin,
            pins=jnp.full_like(s.pins, -1),
        ),
        s.origin,
    )
    shorter = _fresh(
        s._replace(
            inverse_step=jnp.where(s.inverse_step == 0.0, 1e-4, 10.0 * s.inverse_step), pins=jnp.full_like(s.pins, -1)
        ),
        s.anchor,
    )
    lost = s._replace(outcome=jnp.full_like(s.outcome, FAILED))
    in_time = _choose(s.inverse_step > 1e6, lost, shorter)
    embedding = _choose(smaller < SMALLEST_ADVANCE, relaxed, less)
    return _choose(s.phase == 0, embedding, in_time)


def _drawn(model: Model, state: State, force: Any) -> State:
    """A state drawn, like the held values of each quantity, towards their mean by a ``force`` below one."""
    columns = []
    for k, name in enumerate(model.names):
        fixed = [jnp.mean(jnp.asarray(b.value)) for b in model.holds if b.quantity == name and b.shared is None]
        mean = sum(fixed) / len(fixed) if fixed else state.u[:, k]
        columns.append(mean + force * (state.u[:, k] - mean))
    return State(jnp.stack(columns, axis=1), state.s)


def _choose(condition: Any, one: Any, other: Any) -> Any:
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), one, other)


def _largest(step: State, scale: State) -> Any:
    size = jnp.max(jnp.abs(step.u) / scale.u)
    return jnp.maximum(size, jnp.max(jnp.abs(step.s) / scale.s)) if step.s.shape[0] else size


def first_state(model: Model, start: State | None = None) -> tuple[State, Array]:
    """Where the search starts, and the totals that closed parts keep.

    Held values stand where they belong; free cells take the start given, else for each quantity the mean of what is
    held (on a line between two held ends: the straight line).
    """
    n, count = model.cells, len(model.names)
    if start is None:
        shared = jnp.array([jnp.asarray(u.start, dtype=float) for u in model.shared] + [0.0] * model.layout.totals)
        columns = []
        for k, q in enumerate(model.quantities):
            if q.name in model.start:
                columns.append(jnp.asarray(model.start[q.name]) * jnp.ones(n))
                continue
            columns.append(_guess(model, k))
        start = State(jnp.stack(columns, axis=1), shared.reshape(-1))
    target = held_values(model, start)
    kept = totals(model, start)
    u = jnp.where(model.layout.held, target, start.u)
    if model.layout.totals:
        kept = totals(model, State(u, start.s))
    return State(u.reshape(n, count), start.s), kept


def _guess(model: Model, k: int) -> Array:
    """Interpolation along the coordinate between held places; one value where there is no line."""
    q = model.quantities[k]
    position = jnp.asarray(model.space.position)
    points = [
        (jnp.mean(position[model.space.place(b.place).cells], axis=0), jnp.mean(jnp.asarray(b.value, dtype=float)))
        for b in model.holds
        if b.quantity == q.name and b.shared is None
    ]
    outside = [
        (jnp.mean(position[model.space.place(r.place).cells], axis=0), jnp.asarray(b.value, dtype=float))
        for r in model.reservoirs
        for b in r.states
        if b.quantity == q.name and b.shared is None
    ]
    points += outside
    if not points:
        default = {"heat": 298.15, "size": 1e-15, "species": 1.0, "population": 1.0}.get(q.kind, 0.0)
        return jnp.full(model.cells, default)
    if model.space.kind == "network" or len(points) == 1 or position.ndim == 2:
        return jnp.full(model.cells, 1.0) * (sum(v for _, v in points) / len(points))
    at = jnp.stack([p for p, _ in points])
    order = jnp.argsort(at)
    return jnp.interp(position, at[order], jnp.stack([v for _, v in points])[order])


def signs_of(model: Model, state: State, off: State, diagonal: Float[Array, "cell quantity"]) -> Signs:
    """The signs of a state with its residual ``off`` and the diagonal of the Jacobian (cells alone)."""
    return Signs(fastest_rate(model, state, diagonal), _imbalance(model, state, off, diagonal))


def _imbalance(model: Model, state: State, off: State, diagonal: Float[Array, "cell quantity"]) -> Any:
    """Largest open balance of a quantity that cannot be negative, over its largest traffic (slope times state)."""
    free = ~jnp.asarray(model.layout.held)
    traffic = jnp.max(jnp.where(free, jnp.abs(diagonal * state.u), 0.0), axis=0)
    left = jnp.max(jnp.where(free, jnp.abs(off.u), 0.0), axis=0)
    judged = jnp.array([KINDS[q.kind].positive for q in model.quantities]) & (traffic > 0)
    return jnp.max(jnp.where(judged, left / jnp.where(traffic > 0, traffic, 1.0), 0.0))


def fastest_rate(model: Model, state: State, diagonal: Float[Array, "cell quantity"]) -> Any:
    """Largest diagonal entry over stored amount per unit of state: 1 / s. One where nothing is stored."""
    unit = jax.jvp(lambda u: stored(model, State(u, state.s)), (state.u,), (jnp.ones_like(state.u),))[1]
    own = volumes(model, state)[:, None] * capacities(model, state)
    # What all others store swells with the compartment; that is no capacity.
    unit = jnp.where(jnp.array([q.kind == "size" for q in model.quantities]), unit, own)
    rates = jnp.where(
        (unit > 0) & ~jnp.asarray(model.layout.held), jnp.abs(diagonal) / jnp.where(unit > 0, unit, 1.0), 0.0
    )
    top = jnp.max(rates)
    return jnp.where(top > 0, top, 1.0)
