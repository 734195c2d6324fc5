"""The engine's side of the group pnp: the pore from a cold start, warm."""

from __future__ import annotations

from collections.abc import Callable

import jax
import numpy as np

from engine_common import pore_fluxes, pore_model
from problems import Array, PnpPore


def pore() -> Callable[[], Array]:
    """One solve and both fluxes; the model is declared once, the search starts cold each time."""
    model = jax.device_put(pore_model(PnpPore(), PnpPore().voltage))
    solve = jax.jit(pore_fluxes)
    return lambda: np.asarray(solve(model))


ENGINES = {"pore": pore}
