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
from steadyflux.solve.direct import superlu
from steadyflux.solve.host import assemble, flat, measure, pinned, split
from steadyflux.solve.linear import Plan
from steadyflux.solve.ordering import permutation_of
from steadyflux.solve.pattern import pattern_of

EVEN = 0.05  # logarithm of the ratio of two couplings below which all is well


class Linearised(NamedTuple):
    """M dx/dt + J x = 0 about a solution, in unknowns measured by ``scale`` and rows measured by ``row``.

    ``size`` is the size of each unknown; ``scale`` differs from it where drift is strong (`_evened`).
    ``balance`` (J) and ``storage`` (M) have the pattern of ``plan``; shape (unknown, unknown). Conserved totals stay
    what they are: each takes the place of the balance of one cell, so that a closed model has no eigenvalue zero.
    """

    balance: sp.csc_array
    storage: sp.csc_array
    scale: np.ndarray
    size: np.ndarray
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
    # Where a total takes the place of a balance it must be that of a cell that stores much of it in this very state.
    pins = choose_pins(model, state) if model.layout.totals else jnp.zeros(0, dtype=jnp.int64)
    kept = jnp.zeros(model.layout.totals) if solution.kept is None else jnp.asarray(solution.kept)
    pattern = pattern_of(model)
    balance, storage, scale = _values(model, state, pins, kept)
    column, plan = flat(scale), pattern.plan
    j, m = (plan.matrix(pattern.collect(values, pinned(model, pins))) for values in (balance, storage))
    measure(plan, j.data, column)
    measure(plan, m.data, column)
    if not m.data.any():
        raise ModelError(
            f"Nothing in this model is stored, so it has no rates and no {purpose}; give a quantity a capacity."
        )
    whole = plan.matrix(pattern.collect(balance))  # where a total is kept, the row that it replaces counts too
    measure(plan, whole.data, column)
    evened = _evened(whole)
    for matrix in (j, m):
        measure(plan, matrix.data, evened)
    row = np.zeros(column.size)
    np.maximum.at(row, j.indices, np.abs(j.data))
    row = np.where(row > 0, row, 1.0)
    j.data, m.data = j.data / row[j.indices], m.data / row[m.indices]
    return Linearised(j, m, column * evened, column, row, plan, split(np.zeros(column.size), state))


def _evened(matrix: sp.csc_array) -> np.ndarray:
    """Sizes of unknowns in which couplings there and back are as equal as can be, (unknown,).

    Drift towards one side makes a matrix so far from symmetric that rounding moves its eigenvalues: in a column 60
    scale heights high some then grow. What of the drift comes from a potential disappears in unknowns that follow it:
    d_i / d_j = sqrt(|A_ij / A_ji|), in the sense of least squares of the logarithms where loops do not allow all.
    """
    n = matrix.indptr.size - 1
    there: Any = sp.coo_array(sp.triu(abs(matrix), 1))
    rows: Any = sp.csr_array(matrix)
    back = np.abs(np.asarray(rows[there.col, there.row]).ravel())
    both = (there.data > 0) & (back > 0)
    rise = 0.5 * np.log(there.data[both] / back[both])
    if not np.abs(rise).max(initial=0.0) > EVEN:
        return np.ones(n)
    tail, head, each = there.row[both], there.col[both], np.arange(rise.size)
    step = sp.csr_array(
        (np.repeat([1.0, -1.0], rise.size), (np.tile(each, 2), np.concatenate([tail, head]))), shape=(rise.size, n)
    )
    normal = sp.csc_array(step.T @ step)
    free = sp.csc_array(normal + 1e-12 * sp.eye_array(n))  # each connected part is free to be measured as a whole
    order = permutation_of(free.indptr, free.indices, np.arange(n))
    return np.exp(superlu(free, order).solve(step.T @ rise))


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
