"""The engine's side of the group batch: 256 voltages in one call."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from engine_common import pore_fluxes, pore_model
from problems import Array, PnpPore, batch_voltages


def batch() -> Callable[[], Array]:
    """`jax.vmap` over the voltage, model built inside."""
    pore = PnpPore()
    solve = jax.jit(jax.vmap(lambda voltage: pore_fluxes(pore_model(pore, voltage))))
    volts = jnp.asarray(batch_voltages())
    return lambda: np.asarray(solve(volts))


ENGINES = {"batch": batch}
