"""Continuation: follow the steady state from one model towards another, to folds and to where none exists any more."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from steadyflux.ground.errors import ModelError
from steadyflux.model.model import Model
from steadyflux.model.solution import Solution
from steadyflux.model.system import Stage, State, residual
from steadyflux.solve.direct import SingularMatrix
from steadyflux.solve.lanes import linearise
from steadyflux.solve.newton import first_state, scales
from steadyflux.solve.steady import host_lane, is_number, steady

CORRECTIONS = 12
TOLERANCE = 1e-10
STILL = 1e-13  # share by which the parameter must still grow; less means that it has come to its limit


class Point(NamedTuple):
    """A point of a branch: the parameter (0 at the first model, 1 at the second) and the state."""

    value: float
    state: State


class Branch(NamedTuple):
    """A branch of steady states.

    ``end`` says why it stops: ``reached`` (the value asked for), ``fold`` (the branch turns back: two steady states
    meet), ``limit`` (the parameter comes to a value that no steady state exceeds while the state runs away), or
    ``lost``. ``critical`` is the parameter's largest value, for a fold or a limit.
    """

    points: tuple[Point, ...]
    end: str
    critical: float | None
    model: Model
    towards: Model

    def solution(self, number: int = -1) -> Solution:
        """The solution at a point of the branch."""
        point = self.points[number]
        return steady(between(self.model, self.towards, point.value), point.state, throw=False)


def between(model: Model, towards: Model, value: Any) -> Model:
    """The model whose numbers lie at ``value`` on the straight line from one model (0) to the other (1)."""
    if jax.tree.structure(model) != jax.tree.structure(towards):
        raise ModelError("Continuation needs two models of one structure that differ in their numbers only.")
    return jax.tree.map(lambda a, b: a + value * (b - a) if is_number(a) else a, model, towards)


def trace(
    model: Model,
    towards: Model,
    *,
    until: float = 1.0,
    step: float = 0.05,
    most: int = 400,
    largest: float = 0.5,
    still: float = STILL,
) -> Branch:
    """Follow the steady state of ``model`` as its numbers move in a straight line to ``towards`` and on to ``until``.

    Pseudo-arclength (Keller 1977): parameter and state advance together along the branch, so that the end of the steady
    states is found as a turning point or a limit, and never as a failure of the solver. ``step`` is the first step
    along the arc and ``largest`` the longest, in units of the state's own size. A step that brings less than the share
    ``still`` of the parameter counts as having come to a limit.
    """
    start = steady(model)
    points = [Point(0.0, start.state)]
    direction: tuple[State, float] | None = None
    length = step
    while len(points) < most:
        here = points[-1]
        try:
            tangent = _tangent(model, towards, here, direction)
        except SingularMatrix:  # so far out that rounding decides; what was found until here stands
            return Branch(tuple(points), "lost", None, model, towards)
        if direction is not None and tangent[1] <= 0.0:
            return _fold(model, towards, points, direction)
        found = _correct(model, towards, here, tangent, length)
        if found is None:
            length *= 0.25
            if length < 1e-8:
                return Branch(tuple(points), "lost", None, model, towards)
            continue
        if found.value >= until:
            last = steady(between(model, towards, until), found.state, throw=False)
            if int(last.outcome.code) == 1:
                return Branch((*points, Point(until, last.state)), "reached", None, model, towards)
        points.append(found)
        direction = tangent
        grown = found.value - here.value
        if 0.0 <= grown <= still * abs(found.value):
            return Branch(tuple(points), "limit", found.value, model, towards)
        length = min(1.6 * length, largest)
    return Branch(tuple(points), "lost", None, model, towards)


def _inner(one: State, other: State, scale: State) -> Any:
    count = one.u.size + one.s.size
    total = jnp.sum(one.u * other.u / scale.u**2)
    return (total + jnp.sum(one.s * other.s / scale.s**2)) / count


@jax.jit
def _scale(model: Model, state: State) -> State:
    return scales(model, state)


@jax.jit
def _equations(model: Model, towards: Model, value: Any, state: State) -> tuple[State, State]:
    """The residual at a point, and its derivative by the parameter."""

    def equations(value: Any) -> State:
        mixed = between(model, towards, value)
        stage = Stage(jnp.ones(()), jnp.zeros(()), state, _pins(mixed))
        return residual(mixed, state, stage, first_state(mixed)[1])

    return jax.jvp(equations, (value,), (jnp.ones(()),))


def _pins(model: Model) -> Any:
    if model.layout.totals:
        raise ModelError("Continuation of closed models is not offered; hold the quantity at one place.")
    return jnp.full(0, -1)


@jax.jit
def _solve_compiled(model: Model, towards: Model, value: Any, state: State, rhs: tuple[State, ...]) -> Any:
    mixed = between(model, towards, value)
    stage = Stage(jnp.ones(()), jnp.zeros(()), state, _pins(mixed))
    linear = linearise(mixed, state, stage, jnp.zeros(0), scales(mixed, state))
    return tuple(linear.solve(b) for b in rhs)


def _solve(model: Model, towards: Model, value: float, state: State, rhs: tuple[State, ...]) -> Any:
    if model.layout.lane != "sparse":
        return _solve_compiled(model, towards, jnp.asarray(value), state, rhs)
    mixed = between(model, towards, value)
    return tuple(host_lane().solve_on_host(mixed, state, _pins(mixed), jnp.zeros(0), b, transpose=False) for b in rhs)


def _minus(x: State) -> State:
    return State(-x.u, -x.s)


def _tangent(model: Model, towards: Model, at: Point, before: tuple[State, float] | None) -> tuple[State, float]:
    """Unit tangent of the branch, pointing onwards."""
    by_value = _equations(model, towards, jnp.asarray(at.value), at.state)[1]
    (slope,) = _solve(model, towards, at.value, at.state, (_minus(by_value),))
    scale = _scale(model, at.state)
    size = float(jnp.sqrt(_inner(slope, slope, scale) + 1.0 / _parameter_scale(at.value) ** 2))
    sign = 1.0
    if before is not None:
        ahead = _inner(slope, before[0], scale) + before[1] / _parameter_scale(at.value) ** 2
        sign = 1.0 if float(ahead) >= 0 else -1.0
    return State(sign * slope.u / size, sign * slope.s / size), sign / size


def _parameter_scale(value: float) -> float:
    return max(abs(value), 1e-3)


def _correct(model: Model, towards: Model, at: Point, tangent: tuple[State, float], length: float) -> Point | None:
    """Newton's method for the equations together with the distance along the tangent."""
    scale, width = _scale(model, at.state), _parameter_scale(at.value)
    value = at.value + length * tangent[1]
    state = State(at.state.u + length * tangent[0].u, at.state.s + length * tangent[0].s)
    for _ in range(CORRECTIONS):
        off, by_value = _equations(model, towards, jnp.asarray(value), state)
        try:
            a, b = _solve(model, towards, value, state, (_minus(off), _minus(by_value)))
        except SingularMatrix:
            return None
        moved = State(state.u - at.state.u, state.s - at.state.s)
        gap = _inner(moved, tangent[0], scale) + (value - at.value) * tangent[1] / width**2 - length
        below = tangent[1] / width**2 + _inner(tangent[0], b, scale)
        change = float(-(gap + _inner(tangent[0], a, scale)) / below)
        step = State(a.u + change * b.u, a.s + change * b.s)
        size = float(jnp.sqrt(_inner(step, step, scale))) + abs(change) / width
        if not np.isfinite(size) or size > 10.0:
            return None
        state, value = State(state.u + step.u, state.s + step.s), value + change
        if size < TOLERANCE:
            return Point(value, state)
    return None


def _fold(model: Model, towards: Model, points: list[Point], direction: tuple[State, float]) -> Branch:
    """Find the turning point between the last two points: where the parameter's share of the tangent vanishes."""
    base = points[-2]
    scale = _scale(model, base.state)
    gap = State(points[-1].state.u - base.state.u, points[-1].state.s - base.state.s)
    along = float(_inner(gap, direction[0], scale))
    along += (points[-1].value - base.value) * direction[1] / _parameter_scale(base.value) ** 2
    low, high = 0.0, along
    best = max(points[-2:], key=lambda p: p.value)
    for _ in range(60):
        middle = 0.5 * (low + high)
        found = _correct(model, towards, base, direction, middle) if middle > 0 else base
        if found is None:
            break
        best = max(best, found, key=lambda p: p.value)
        if _tangent(model, towards, found, direction)[1] > 0:
            low = middle
        else:
            high = middle
        if high - low < 1e-9 * along:
            break
    kept = [p for p in points if p.value < best.value]
    return Branch((*kept, best), "fold", best.value, model, towards)
