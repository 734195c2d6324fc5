"""The equations in time as plain functions of flat arrays, compiled once for each structure of model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from steadyflux.ground.packing import Packing, as_one, pack, unpack
from steadyflux.ground.signal import at_time, largest
from steadyflux.model.mapping import State
from steadyflux.model.model import Model
from steadyflux.model.system import Stage, View, accumulation, balance, held_values, rates, stored
from steadyflux.solve.assembly import Counter, Pattern, counters_of, derivatives, equations, pattern_of
from steadyflux.solve.linear import BORDER, Plan, analyse
from steadyflux.solve.newton import scales
from steadyflux.solve.pattern import fields_of


class Frame(NamedTuple):
    """Measured unknowns in an order of their own: x = (y / scale)[order], equations likewise over row."""

    order: Any
    back: Any
    scale: Any
    row: Any


class Compiled(NamedTuple):
    """Programs of (one, packed leaves of the model, ...); see `Program` for what they compute."""

    residual: Any
    derivatives: Any
    measured: Any
    along: Any
    sizes: Any
    curvature: Any


def _parts(structure: Any, leaves: Any, t: Any, y: Any, rate: Any, step: Any) -> tuple[Model, State, Stage, Any]:
    """The model at a time, its state and stage, and the rates of the counters, from flat arrays."""
    model = at_time(jax.tree.unflatten(structure, leaves), t)
    n, k, s = model.cells, len(model.names), len(model.shared)
    state = State(y[: n * k].reshape(n, k), y[n * k : n * k + s])
    changing = State(rate[: n * k].reshape(n, k), rate[n * k : n * k + s])
    # Numerically y' is `rate` itself; that it moves with y at the rate `step` is what differentiation sees.
    before = jax.lax.stop_gradient(state)
    stage = Stage(jnp.ones(()), step, before, jnp.full(model.layout.totals, -1), changing, t)
    return model, state, stage, rate[n * k + s :]


@lru_cache(maxsize=32)
def _compiled(structure: Any, packing: Packing, counters: tuple[Counter, ...]) -> Compiled:
    """The programs of one structure: the model is rebuilt from its leaves, so that its numbers stay arguments."""
    run = as_one if packing.small else (lambda function, once, *arguments: function(*arguments))

    def residual(held: Any, t: Any, y: Any, rate: Any) -> Any:
        parts = _parts(structure, unpack(packing, held), t, y, rate, jnp.zeros(()))
        return equations(*parts, counters)

    def slopes(held: Any, t: Any, y: Any, rate: Any, step: Any) -> Any:
        model, state, stage, _ = _parts(structure, unpack(packing, held), t, y, rate, step)
        return derivatives(model, state, stage, counters)

    def measured(held: Any, frame: Frame, t: Any, x: Any, rate: Any) -> Any:
        y, moves = x[frame.back] * frame.scale, rate[frame.back] * frame.scale
        return (residual(held, t, y, moves) / frame.row)[frame.order]

    def along(held: Any, frame: Frame, t: Any, x: Any, rate: Any, step: Any, v: Any) -> Any:
        return jax.jvp(lambda x, rate: measured(held, frame, t, x, rate), (x, rate), (v, step * v))[1]

    def scale(held: Any, t: Any, state: State) -> State:
        return sizes(at_time(jax.tree.unflatten(structure, unpack(packing, held)), t), state)

    def bend(held: Any, t: Any, before: State, after: State) -> Any:
        return _curvature(at_time(jax.tree.unflatten(structure, unpack(packing, held)), t), before, after)

    return Compiled(
        residual=jax.jit(lambda once, *arguments: run(residual, once, *arguments)),
        derivatives=jax.jit(lambda once, *arguments: run(slopes, once, *arguments)),
        measured=jax.jit(lambda once, *arguments: run(measured, once, *arguments)),
        along=jax.jit(along),
        sizes=jax.jit(scale),
        curvature=jax.jit(bend),
    )


@lru_cache(maxsize=32)
def _watching(structure: Any, packing: Packing, watch: tuple[Callable[..., Any], ...]) -> Any:
    """The program of the watched functions."""

    def watched(held: Any, t: Any, y: Any, rate: Any) -> Any:
        model, state, stage, _ = _parts(structure, unpack(packing, held), t, y, rate, jnp.zeros(()))
        raw = balance(model, state, 1.0, rates(state, stage).s)
        view = View(model, state, raw.at[: model.cells].add(accumulation(model, state, stage)), t)
        return jnp.stack([jnp.asarray(one(view), dtype=float) for one in watch])

    return jax.jit(watched)


class Program:
    """The equations 0 = F(t, y, y') of one model, with y = states, shared unknowns and counters in SI.

    Times are kept strictly between ``low`` and ``high``, so that a signal that jumps at either end has the value that
    belongs to the stretch in between.
    """

    def __init__(self, model: Model, watch: Mapping[str, Callable[[View], Any]], solver: str = "auto") -> None:
        """``watch`` are the functions of the events; ``solver`` names the linear solver for large matrices."""
        self.model, self.solver = model, solver
        self.counters = counters_of(model)
        self.pattern: Pattern = pattern_of(model, self.counters)
        self.shape = (model.cells, len(model.names), len(model.shared))
        leaves, structure = jax.tree.flatten(model)
        packing, self._held = pack(leaves)
        self._run = _compiled(structure, packing, self.counters)
        self._watch = _watching(structure, packing, tuple(watch.values()))
        self._once = jax.device_put(np.int64(1))
        self.low, self.high = -np.inf, np.inf

    @cached_property
    def plan(self) -> Plan:
        """The linear solver of the ladder for the matrix; what stands behind the states is its border."""
        cells, quantities, _ = self.shape
        fields = np.full(self.pattern.size, BORDER, dtype=np.int32)
        fields[: cells * quantities] = np.tile(np.array(fields_of(self.model), dtype=np.int32), cells)
        pattern = self.pattern
        return analyse(pattern.indptr, pattern.indices, pattern.size, pattern.nodes, self.solver, fields)

    def within(self, low: float, high: float) -> None:
        """Set the stretch of time."""
        margin = 1e-10 * (high - low)
        self.low, self.high = low + margin, high - margin

    def _time(self, t: float) -> float:
        return min(max(t, self.low), self.high)

    def residual(self, t: float, y: np.ndarray, rate: np.ndarray) -> np.ndarray:
        """F(t, y, y')."""
        return np.asarray(self._run.residual(self._once, self._held, self._time(t), y, rate))

    def measured(self, frame: Frame, t: float, x: np.ndarray, rate: np.ndarray) -> np.ndarray:
        """F in the order and measure of a frame, from unknowns and rates that are in it too."""
        return np.asarray(self._run.measured(self._once, self._held, frame, self._time(t), x, rate))

    def along(self, frame: Frame, t: float, x: np.ndarray, rate: np.ndarray, step: float, v: np.ndarray) -> np.ndarray:
        """(dF/dy + step dF/dy') v, all in the order and measure of a frame."""
        return np.asarray(self._run.along(self._held, frame, self._time(t), x, rate, step, v))

    def matrix(self, t: float, y: np.ndarray, rate: np.ndarray, step: float) -> np.ndarray:
        """Entries of dF/dy + step dF/dy' in the order of the pattern."""
        return self.pattern.data(
            np.asarray(self._run.derivatives(self._once, self._held, self._time(t), y, rate, step))
        )

    def watched(self, t: float, y: np.ndarray, rate: np.ndarray) -> np.ndarray:
        """Values of the watched functions."""
        return np.asarray(self._watch(self._held, self._time(t), y, rate))

    def state(self, y: np.ndarray) -> State:
        """States and shared unknowns of a flat array."""
        n, k, s = self.shape
        return State(jnp.asarray(y[: n * k].reshape(n, k)), jnp.asarray(y[n * k : n * k + s]))

    def _known(self, name: str) -> float:
        """Largest value of a quantity that the model itself names: held, outside or at the start."""
        model = self.model
        given = [b.value for b in model.holds if b.quantity == name and b.shared is None]
        given += [b.value for r in model.reservoirs for b in r.states if b.quantity == name and b.shared is None]
        given += [model.start[name]] if name in model.start else []
        return max((largest(value) for value in given), default=0.0)

    def curvature(self, t: float, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Growth of the stores between two states less capacity after times change of state, (cell, quantity)."""
        return np.asarray(self._run.curvature(self._held, self._time(t), self.state(before), self.state(after)))

    def scales(self, t: float, y: np.ndarray) -> np.ndarray:
        """Size of each unknown; a counter's is what the cells together would store at those sizes."""
        size = self._run.sizes(self._held, self._time(t), self.state(y))
        known = np.array([self._known(name) for name in self.model.names])
        shared = self.shape[2]
        own = np.concatenate([np.maximum(np.asarray(size.u), known).ravel(), np.asarray(size.s)[:shared]])
        return np.concatenate([own, np.ones(len(self.counters))])


def _curvature(model: Model, before: State, after: State) -> Any:
    change = jax.tree.map(jnp.subtract, after, before)
    slope = jax.jvp(lambda y: stored(model, y), (after,), (change,))[1]
    return stored(model, after) - stored(model, before) - slope


@jax.jit
def sizes(model: Model, state: State) -> State:
    """The size of each unknown, with what is held and what stands outside already in its place.

    A state that begins at zero and is held at one has the size one.
    """
    size = scales(model, State(jnp.where(model.layout.held, held_values(model, state), state.u), state.s))
    u = size.u
    for bound in (bound for reservoir in model.reservoirs for bound in reservoir.states):
        if bound.shared is None and bound.quantity in model.names:
            k = model.index(bound.quantity)
            u = u.at[:, k].set(jnp.maximum(u[:, k], jnp.max(jnp.abs(jnp.asarray(bound.value)))))
    return State(u, size.s)
