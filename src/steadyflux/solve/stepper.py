"""A compiled implicit method for the equations in time: one step, its error, and the corrector of its stages.

A step of length h from y has six stages, y_i = y + h * sum over j of A[i, j] y'_j, each solved for the equations
F(t_i, y_i, y'_i) = 0 as they stand: what is stored may depend on the state in any way, and what is not stored (held
values, potentials) is found by each stage exactly. The last stage is the new state, so conditions hold there too.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from steadyflux.model.mapping import State
from steadyflux.model.model import Model
from steadyflux.model.system import Stage, residual
from steadyflux.solve.assembly import Counter, counted_rates
from steadyflux.solve.lanes import Linear, linearise
from steadyflux.solve.steady import is_number

# ESDIRK part of ARK4(3)6L[2]SA: order 4 with an embedded method of order 3, stage order 2, L-stable, stiffly accurate
# (Kennedy and Carpenter 2003, Applied Numerical Mathematics 44, 139, appendix C).
GAMMA = 0.25
A = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [1 / 4, GAMMA, 0, 0, 0, 0],
        [8611 / 62500, -1743 / 31250, GAMMA, 0, 0, 0],
        [5012029 / 34652500, -654441 / 2922500, 174375 / 388108, GAMMA, 0, 0],
        [15267082809 / 155376265600, -71443401 / 120774400, 730878875 / 902184768, 2285395 / 8070912, GAMMA, 0],
        [82889 / 524892, 0, 15625 / 83664, 69875 / 102672, -2260 / 8211, GAMMA],
    ]
)
C = A.sum(axis=1)
EMBEDDED = np.array(
    [
        4586570599 / 29645900160,
        0,
        178811875 / 945068544,
        814220225 / 1159782912,
        -3700637 / 11593932,
        61727 / 225920,
    ]
)
STAGES = len(C)
ORDER = 4

CORRECTIONS = 10  # of one stage
CLOSE = 0.01  # error of a stage over the tolerance
EXACT = 1e-14  # a correction below this, relative to the size of its unknown, is made of roundings


def _forecast() -> np.ndarray:
    """Weights of the slopes of earlier stages in the first guess of a stage's slope: parabolas through the last three.

    Row i is the Lagrange polynomial through the times of up to three stages before i, at the time of i.
    """
    table = np.zeros((STAGES, STAGES))
    for i in range(1, STAGES):
        nodes = [0, *range(max(1, i - 2), i)]
        for j in nodes:
            others = [C[k] for k in nodes if k != j]
            table[i, j] = np.prod([(C[i] - c) / (C[j] - c) for c in others])
    return table


FORECAST = _forecast()


class Moment(NamedTuple):
    """The unknowns at a time with their rates, and what has been counted since the start with its rate."""

    state: State
    slope: State
    counts: Float[Array, " counter"]
    flows: Float[Array, " counter"]


class Weights(NamedTuple):
    """How errors are measured: relative to each unknown by ``relative`` and to its ``scale`` by ``absolute``."""

    relative: Any
    absolute: Any
    scale: State

    def measure(self, change: State, at: State) -> Any:
        """The largest change over its tolerance."""
        allowed = jax.tree.map(lambda y, size: self.relative * jnp.abs(y) + self.absolute * size, at, self.scale)
        return largest(change, allowed)


class Attempt(NamedTuple):
    """A step that was tried: where it leads, its error over the tolerance, whether its stages were solved, and the rate
    of the corrector, theta / (1 - theta) with theta the ratio of its last two corrections."""

    end: Moment
    error: Any
    solved: Any
    pace: Any


def largest(change: State, size: State) -> Any:
    """The largest change over its size."""
    top = jnp.max(jnp.abs(change.u) / size.u)
    return jnp.maximum(top, jnp.max(jnp.abs(change.s) / size.s)) if change.s.shape[0] else top


def plus(state: State, factor: Any, slope: State) -> State:
    """state + factor * slope."""
    return jax.tree.map(lambda y, k: y + factor * k, state, slope)


def stage_of(model: Model, inverse_step: Any, state: State, rate: State, time: Any) -> Stage:
    """The stage at which the unknowns change at a rate that moves with them by ``inverse_step``.

    The rate is given as it is, not as the difference of two states, which would lose its digits in a short step.
    """
    pins = jnp.full(model.layout.totals, -1)
    return Stage(jnp.ones(()), jnp.asarray(inverse_step, dtype=float), state, pins, rate, jnp.asarray(time))


def equations(model: Model, state: State, stage: Stage, counters: tuple[Counter, ...]) -> tuple[State, Array]:
    """What the equations are off at a stage, and the flows that are counted there, (counter,)."""
    off = residual(model, state, stage, jnp.zeros(model.layout.totals))
    return off, counted_rates(model, state, stage, counters)


def linear_of(model: Model, state: State, stage: Stage, scale: State, *, transpose: bool = False) -> Linear:
    """The factored Jacobian of a stage."""
    return linearise(model, state, stage, jnp.zeros(model.layout.totals), scale, transpose=transpose, repeated=True)


# ---- derivatives of a solved stage -----------------------------------------------------------------------------------


class Solved(NamedTuple):
    """A solved stage: the unknowns, their rates, and the flows that are counted."""

    state: State
    rate: State
    flows: Float[Array, " counter"]


def implicit(
    model: Model, found: Solved, before: State, stage: Stage, scale: State, counters: tuple[Counter, ...]
) -> Solved:
    """A solved stage with its derivatives by the numbers of the model and by the state ``before``.

    The stage was found by a search that nobody differentiates; at its solution F = 0, hence dF/dy dy = - dF, one linear
    solve with the Jacobian there.
    """
    numbers, rest = eqx.partition(model, is_number)
    return _solved(counters, jax.lax.stop_gradient(found), numbers, before, jax.lax.stop_gradient((rest, stage, scale)))


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _solved(counters: tuple[Counter, ...], found: Solved, numbers: Any, before: State, fixed: Any) -> Solved:
    return found


@_solved.defjvp
def _solved_jvp(counters: tuple[Counter, ...], primals: Any, tangents: Any) -> tuple[Solved, Solved]:
    found, numbers, _, (rest, stage, scale) = primals
    at = stage._replace(before=found.state, rate=found.rate)
    off, counted = jax.jvp(
        lambda n: equations(eqx.combine(n, rest), found.state, at, counters), (numbers,), (tangents[1],)
    )[1]
    inverse_step, earlier = stage.inverse_step, tangents[2]
    model, here = jax.lax.stop_gradient((eqx.combine(numbers, rest), found.state))

    def along(change: State, rate: State) -> tuple[State, Array]:
        def moved(state: State, slope: State) -> tuple[State, Array]:
            # The rate of the stage moves with the state by itself, hence it is taken away here.
            return equations(model, state, at._replace(rate=slope, inverse_step=jnp.zeros(())), counters)

        return jax.jvp(moved, (here, at.rate), (change, rate))[1]

    # The rate is (state - before) * inverse_step.
    drift = jax.tree.map(lambda x: -inverse_step * x, earlier)
    pushed = along(jax.tree.map(jnp.zeros_like, here), drift)[0]
    # One flat vector: JAX's transposition wants every part of the right side to depend on what is differentiated.
    flat, build = ravel_pytree(jax.tree.map(lambda a, b: -(a + b), off, pushed))

    def times(x: Array) -> Array:
        change = build(x)
        return ravel_pytree(along(change, jax.tree.map(lambda one: inverse_step * one, change))[0])[0]

    def solve(b: Array, transpose: bool) -> Array:
        return ravel_pytree(linear_of(model, here, at, scale, transpose=transpose).solve(build(b)))[0]

    change = build(
        jax.lax.custom_linear_solve(
            times, flat, solve=lambda _, b: solve(b, False), transpose_solve=lambda _, b: solve(b, True)
        )
    )
    rate = jax.tree.map(lambda x, d: inverse_step * x + d, change, drift)
    return found, Solved(change, rate, counted + along(change, rate)[1])


# ---- one step --------------------------------------------------------------------------------------------------------


class _Corrector(NamedTuple):
    """Newton's method on one stage with the Jacobian of the whole step, as it goes."""

    solved: Solved
    size: Any
    pace: Any
    count: Any
    verdict: Any  # 0 running, 1 solved, 2 failed


def _correct(
    model: Model,
    stage: Stage,
    linear: Linear,
    feeds: State | None,
    weights: Weights,
    pace: Any,
    usable: Any,
    counters: tuple[Counter, ...],
) -> _Corrector:
    """Solve one stage; ``pace`` is what the corrector last did, ``usable`` whether it is worth trying.

    Flows are corrected along with the unknowns, so that what they count is what the cells store, to rounding, however
    far the corrector went (where the storage is linear).
    """

    def body(at: _Corrector) -> _Corrector:
        (state, rate, _), last = at.solved, at.size
        off, flows = equations(model, state, stage._replace(before=state, rate=rate), counters)
        step = linear.solve(jax.tree.map(jnp.negative, off))
        size = weights.measure(step, state)
        ratio = jnp.where(at.count > 0, size / jnp.where(last > 0, last, 1.0), 0.0)
        pace = jnp.where(at.count > 0, ratio / jnp.maximum(1.0 - ratio, 1e-3), at.pace)
        exact = largest(step, weights.scale) < EXACT
        done = jnp.isfinite(size) & ((pace * size < CLOSE) | exact)
        lost = ~jnp.isfinite(size) | (ratio > 0.95) | (at.count + 1 >= CORRECTIONS)
        if feeds is not None:
            flows = flows + jnp.einsum("cnk,nk->c", feeds.u, step.u) + feeds.s @ step.s
        found = Solved(plus(state, 1.0, step), plus(rate, stage.inverse_step, step), flows)
        return _Corrector(found, size, pace, at.count + 1, jnp.where(done, 1, jnp.where(lost, 2, 0)))

    start = _Corrector(
        Solved(stage.before, jax.tree.map(jnp.asarray, stage.rate), jnp.zeros(len(counters))),
        jnp.full((), jnp.inf),
        jnp.maximum(pace, 1e-16) ** 0.8,
        jnp.zeros((), dtype=int),
        jnp.where(usable, 0, 2),
    )
    return jax.lax.while_loop(lambda at: at.verdict == 0, body, start)


def step(
    at_time: Any,
    start: Moment,
    time: Any,
    length: Any,
    weights: Weights,
    pace: Any,
    counters: tuple[Counter, ...],
) -> Attempt:
    """One step of a ``length`` from a moment. ``at_time(t)`` is the model at a time."""
    inverse_step, reach = 1.0 / (GAMMA * length), GAMMA * length
    stop = jax.lax.stop_gradient
    whole, here, slope = stop((at_time(time + 0.5 * length), start.state, start.slope))
    base = stage_of(whole, inverse_step, here, slope, time)
    linear = linear_of(whole, here, base, weights.scale)
    feeds = jax.jacrev(lambda y: counted_rates(whole, y, base, counters))(here) if counters else None
    a, c, forecast = jnp.asarray(A), jnp.asarray(C), jnp.asarray(FORECAST)

    def weighted(table: Any, slopes: State) -> State:
        return jax.tree.map(lambda k: jnp.tensordot(table, k, axes=1), slopes)

    def stage(i: Any, carry: Any) -> Any:
        slopes, flows, _, pace, fine = carry
        now = time + c[i] * length
        model = at_time(now)
        before = plus(start.state, length, weighted(a[i] - GAMMA * jnp.eye(STAGES)[i], slopes))
        rate = weighted(forecast[i], slopes)
        own = stage_of(model, inverse_step, *stop((plus(before, reach, rate), rate)), now)
        found = _correct(stop(model), own, linear, feeds, weights, pace, fine, counters)
        fit = found.verdict == 1
        # A search that failed hands on its first guess: what is no number would spoil derivatives that go backwards.
        at = Solved(own.before, jax.tree.map(jnp.asarray, own.rate), jnp.zeros(len(counters)))
        at = jax.tree.map(lambda a, b: jnp.where(fit, a, b), found.solved, at)
        solved = implicit(model, at, before, own, weights.scale, counters)
        slopes = jax.tree.map(lambda all, one: all.at[i].set(one), slopes, solved.rate)
        return slopes, flows.at[i].set(solved.flows), solved.state, found.pace, fine & fit

    slopes = jax.tree.map(lambda k: jnp.zeros((STAGES, *k.shape)).at[0].set(k), start.slope)
    flows = jnp.zeros((STAGES, len(counters))).at[0].set(start.flows)
    begun = (slopes, flows, start.state, pace, jnp.ones((), dtype=bool))
    slopes, flows, state, pace, fine = jax.lax.fori_loop(1, STAGES, stage, begun)
    last = jax.tree.map(lambda k: k[-1], slopes)
    end = Moment(state, last, start.counts + length * (a[-1] @ flows), flows[-1])
    # The difference of the two methods is first a difference of what is stored; the Jacobian turns it into one of the
    # unknowns, which tames it in fast processes and gives what is not stored its share (Shampine 1980).
    zero = jax.tree.map(jnp.zeros_like, here)
    apart = plus(zero, length * inverse_step, weighted(jnp.asarray(A[-1] - EMBEDDED), stop(slopes)))
    model, new, rate = stop((at_time(time + length), state, last))
    own = stage_of(model, inverse_step, new, rate, time + length)
    lacking = jax.jvp(lambda r: equations(model, new, own._replace(rate=r), ())[0], (rate,), (apart,))[1]
    larger = jax.tree.map(lambda x, y: jnp.maximum(jnp.abs(x), jnp.abs(y)), here, new)
    return Attempt(end, weights.measure(linear.solve(lacking), larger), fine, pace)
