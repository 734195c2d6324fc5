"""How long the slowest disturbance of a steady state on a chain takes to fall by e, by inverse iteration."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from steadyflux.ground.errors import NotConverged
from steadyflux.model.model import Model
from steadyflux.model.system import Stage, State, stored
from steadyflux.solve.lanes import linearise
from steadyflux.solve.newton import scales

STEPS = 120


def slowest_rate(model: Model, state: State) -> complex:
    """Rate (1/s, complex where the disturbance swings) of the disturbance that decays slowest; its real part is > 0.

    A disturbance v exp(-rate t) obeys J v = rate M v with J the Jacobian and M what the cells store. Solving with J
    over and over, by the block elimination that the steady state was found with, leaves the two slowest (which may be a
    conjugate pair); three iterates in a row tell both. That stands 12 decades of energy, where J is so far from even
    that a general eigenvalue solver does not.

    Raises NotConverged where the iteration does not settle.
    """
    vectors, unit = (np.asarray(x) for x in _iterate(model, state))
    found = [_pair(*vectors[k : k + 3]) / float(unit) for k in (0, 1)]
    change = abs(found[1] / found[0] - 1.0)
    if not change < 1e-6:
        raise NotConverged(
            f"The slowest disturbance was not isolated (its rate still changed by {change:.2g} of itself)",
            "use more cells, or follow the run in time",
        )
    return found[1]


def _pair(first: Any, second: Any, third: Any) -> complex:
    """The slower of the two rates that three iterates tell, third = a second + b first."""
    (a, b), *_ = np.linalg.lstsq(np.stack([second, first], axis=1), third, rcond=None)
    rates = 1.0 / np.roots([1.0, -a, -b]).astype(complex)
    rate = rates[int(np.argmin(np.where(rates.real > 0, rates.real, np.inf)))]
    return complex(rate.real, abs(rate.imag))


@jax.jit
def _iterate(model: Model, state: State) -> Any:
    """The last four iterates, (4, stored unknown), each the one before over its rates, and their unit of time, s."""
    stage = Stage(jnp.ones(()), jnp.zeros(()), state, jnp.full(model.layout.totals, -1))
    scale = scales(model, state)
    linear = linearise(model, state, stage, jnp.zeros(model.layout.totals), scale, repeated=True)
    free = ~jnp.asarray(model.layout.held)

    def kept(v: Any) -> Any:
        return jax.jvp(lambda y: stored(model, y), (state,), (State(v, jnp.zeros_like(state.s)),))[1]

    stores = free & (kept(jnp.ones_like(state.u)) != 0.0)

    def onward(v: Any, _: Any) -> tuple[Any, Any]:
        w = linear.solve(State(jnp.where(free, kept(v), 0.0), jnp.zeros_like(state.s))).u
        size = jnp.max(jnp.abs(jnp.where(stores, w / scale.u, 0.0)))
        return w / size, (jnp.where(stores, w / scale.u, 0.0), size)

    first = jnp.where(free, scale.u * jnp.linspace(0.5, 1.0, model.cells)[:, None], 0.0)
    _, (vectors, sizes) = jax.lax.scan(onward, first, None, length=STEPS)
    # Each was brought to size one before the next step: undone for the last four.
    grown = jnp.concatenate([jnp.ones(1), jnp.cumprod(sizes[-4:-1] / sizes[-1])])
    return vectors[-4:].reshape(4, -1) / sizes[-1] * grown[:, None], sizes[-1]
