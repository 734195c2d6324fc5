"""Onsager's coefficients of a system, found from its computed fluxes as an experiment would find them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp


def response(fluxes: Callable[[Any], Any], potentials: Callable[[Any], Any], at: Sequence[Any]) -> Any:
    """L of J = L dy from the exact derivatives of computed fluxes, (n, n).

    ``fluxes`` maps the n states of one side (the other side stays at ``at``) to the n fluxes towards that side, and
    ``potentials`` to the rises of the conjugate potentials that drive them.
    """
    point = jnp.asarray([jnp.asarray(x, dtype=float) for x in at])
    slopes, rises = jax.jacfwd(fluxes)(point), jax.jacfwd(potentials)(point)
    return jnp.linalg.solve(rises.T, slopes.T).T


def defect(L: Any) -> Any:
    """Largest difference of a cross coefficient from its mirror image, over the root of the two diagonal ones."""
    size = jnp.sqrt(jnp.abs(jnp.diag(L)))
    return jnp.max(jnp.abs(L - L.T) / (size[:, None] * size[None, :]))
