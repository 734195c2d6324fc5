"""How fast one quantity in a chain of cells comes to rest: decay rates by a symmetric matrix, however strong the drift.

Drift makes the matrix of the linearised equation so far from symmetric that its eigenvalues cannot be computed as it
stands: in a column 60 scale heights high rounding makes some of them grow. A chain's matrix has three diagonals, and
where the couplings there and back have the same sign a diagonal scaling makes it symmetric. That needs only their
product. `spectrum` measures unknowns of any model alike; a chain of 200,000 cells takes half a second this way.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.linalg import eigh_tridiagonal

from steadyflux.ground.errors import ModelError
from steadyflux.model.jacobian import blocks, tridiagonal
from steadyflux.model.mapping import State
from steadyflux.model.model import Model
from steadyflux.model.system import Stage


def decay_rates(model: Model, states: Any, count: int = 2) -> np.ndarray:
    """The ``count`` slowest rates, 1/s, at which disturbances of a steady state die away, slowest first, (count,).

    ``states`` (cell,) is that steady state, SI. A closed chain keeps its total: its first rate is zero.

    Raises `ModelError` for a model of several quantities, of shared unknowns or of edges that do not join neighbours,
    and where something stores nothing.
    """
    joined = all(np.array_equal(np.asarray(e.head), np.asarray(e.tail) + 1) for e in model.edges.values())
    if len(model.names) != 1 or model.shared or not joined:
        raise ModelError("Decay rates of a chain are those of one quantity in cells that each join the next.")
    lower, diagonal, upper, store = (np.asarray(x) for x in _matrix(model, jnp.asarray(states)))
    free = np.asarray(~np.asarray(model.layout.held)[:, 0])
    if np.any(store[free] <= 0):
        raise ModelError("A cell of the chain stores nothing, so that it has no rate; give the quantity a capacity.")
    product = lower[1:] * upper[:-1]
    if np.any(product < 0):
        raise ModelError("The couplings of two cells differ in sign: disturbances of this chain may oscillate.")
    join = -np.sqrt(product) / np.sqrt(np.where(free, store, 1.0)[1:] * np.where(free, store, 1.0)[:-1])
    own = diagonal / np.where(free, store, 1.0)
    # A held cell does not change: it is taken out, which parts the chain there.
    inner, between = own[free], join[free[1:] & free[:-1]]
    if inner.size != between.size + 1:
        raise ModelError("The chain is held inside; ask for the rates of its parts.")
    found: Any = eigh_tridiagonal
    return found(inner, between, eigvals_only=True, select="i", select_range=(0, min(count, inner.size) - 1))


@jax.jit
def _matrix(model: Model, states: Any) -> Any:
    """Lower diagonal, diagonal and upper diagonal of the balances, and what the cells store per change of state."""
    state = State(states[:, None], jnp.zeros(0))
    pins, kept = jnp.full(model.layout.totals, -1), jnp.zeros(model.layout.totals)
    stages = [Stage(jnp.ones(()), jnp.asarray(x), state, pins) for x in (0.0, 1.0)]
    still, moving = (tridiagonal(model, blocks(model, state, stage, kept)) for stage in stages)
    return (*(x[:, 0, 0] for x in still), (moving[1] - still[1])[:, 0, 0])
