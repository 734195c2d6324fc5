"""The engine's side of the group gradient: the flux of ion 1 by 806 parameters, through `jax.grad`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from engine_common import pore_fluxes, pore_model
from problems import Array, PnpPore


def pore() -> Callable[[], Array]:
    """Derivatives by the fixed charge at every node, then by the six numbers in the floor's order."""
    still = PnpPore()
    numbers = jnp.array(
        [still.voltage, *still.diffusivity, still.permittivity, still.concentration_left, still.concentration_right]
    )

    def flux(charge: jax.Array, values: jax.Array) -> jax.Array:
        voltage, one, other, permittivity, left, right = values
        traced = replace(
            still,
            diffusivity=(one, other),
            permittivity=permittivity,
            concentration_left=left,
            concentration_right=right,
        )
        return pore_fluxes(pore_model(traced, voltage, charge))[0]

    slopes = jax.jit(jax.grad(flux, argnums=(0, 1)))
    charge = jnp.asarray(still.fixed_charge)
    return lambda: np.concatenate([np.asarray(part) for part in slopes(charge, numbers)])


ENGINES = {"pore": pore}
