"""The equation linearised about a solution, M dx/dt + J x = drive, with both matrices exact and sparse."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy.sparse as sp

from steadyflux.ground.errors import ModelError
from steadyflux.model.model import Model
from steadyflux.model.solution import Solution
from steadyflux.model.system import Stage, State, choose_pins
from steadyflux.solve.host import assemble, flat, measure, pinned, split
from steadyflux.solve.linear import Plan
from steadyflux.solve.pattern import pattern_of


class Linearised(NamedTuple):
    """M dx/dt + J x = 0 about a solution, in unknowns measured by ``scale`` and rows measured by ``row``.

    ``balance`` (J) and ``storage`` (M) have the pattern of ``plan``; shape (unknown, unknown). Conserved totals stay
    what they are: each takes the place of the balance of one cell, so that a closed model has no eigenvalue zero.
    """

    balance: sp.csc_array
    storage: sp.csc_array
    scale: np.ndarray
    row: np.ndarray
    plan: Plan
    like: State

    def state(self, x: np.ndarray) -> State:
        """A vector of measured unknowns, (unknown,) or (unknown, r), as states: u (cell, quantity) or with r before."""
        columns: Any = (self.scale * x.T).reshape(-1, self.scale.size)
        size = int(np.prod(self.like.u.shape))
        u, s = columns[:, :size].reshape(-1, *self.like.u.shape), columns[:, size:]
        return State(u[0], s[0]) if x.ndim == 1 else State(u, s)

    def rows(self, state: State) -> np.ndarray:
        """A right side, one number for each equation, as a vector in the measure of the rows."""
        return flat(state) / self.row


def linearise_about(solution: Solution, purpose: str) -> Linearised:
    """Both matrices at a steady state; refuses a state that is none, and a model that stores nothing."""
    solution.check_converged()
    model, state = jax.device_put((at_rest(solution.model), solution.state))
    pins = solution.pins
    if model.layout.totals and (pins is None or np.min(np.asarray(pins)) < 0):
        pins = choose_pins(model, state)
    pins = jnp.zeros(0, dtype=jnp.int64) if pins is None else jnp.asarray(pins)
    kept = jnp.zeros(model.layout.totals) if solution.kept is None else jnp.asarray(solution.kept)
    pattern = pattern_of(model)
    balance, storage, scale = _values(model, state, pins, kept)
    column, plan = flat(scale), pattern.plan
    j, m = (plan.matrix(pattern.collect(values, pinned(model, pins))) for values in (balance, storage))
    for matrix in (j, m):
        measure(plan, matrix.data, column)
    if not m.data.any():
        raise ModelError(
            f"Nothing in this model is stored, so it has no rates and no {purpose}; give a quantity a capacity."
        )
    row = np.zeros(column.size)
    np.maximum.at(row, j.indices, np.abs(j.data))
    row = np.where(row > 0, row, 1.0)
    j.data, m.data = j.data / row[j.indices], m.data / row[m.indices]
    return Linearised(j, m, column, row, plan, split(np.zeros(column.size), state))


def at_rest(model: Model) -> Model:
    """The model as it stands at the time zero, where its numbers change with time."""
    return model.at(0.0) if model.varies else model


@jax.jit
def _values(model: Model, state: State, pins: Any, kept: Any) -> tuple[Any, Any, State]:
    """Values of J and of M. The storage terms are linear in the inverse of the time step: M is the derivative by it."""

    def at(inverse_step: Any) -> Any:
        values, _, scale, _ = assemble(model, state, Stage(jnp.ones(()), inverse_step, state, pins), kept)
        return values, scale

    (balance, scale), (storage, _) = jax.jvp(at, (jnp.zeros(()),), (jnp.ones(()),))
    return balance, storage, scale
