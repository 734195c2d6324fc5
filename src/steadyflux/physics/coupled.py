"""Coupled flows: any set of conjugate quantities joined by a symmetric positive matrix of Onsager coefficients."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from steadyflux.ground.arithmetic import is_traced
from steadyflux.ground.errors import ModelError
from steadyflux.physics.law import EdgeLaw, Law
from steadyflux.physics.local import Geometry, Local
from steadyflux.physics.quantity import KINDS, Quantity


class Onsager(EdgeLaw):
    """J = L (y_head - y_tail) area / length: fluxes from differences of the conjugate potentials (Onsager 1931).

    ``matrix`` L is (n, n) for the n ``quantities``, a constant or a function of the mean of the two end states (a
    mapping from names to values). It must be symmetric and positive semidefinite: the second law and microscopic
    reversibility. On a mesh (an isotropic medium) scalars and vectors may not be coupled (Curie); on a membrane they
    may: say ``isotropic=False``.
    """

    quantities: tuple[str, ...] = eqx.field(static=True, converter=tuple)
    matrix: Any
    function: Callable[[Mapping[str, Any]], Any] | None = eqx.field(static=True)
    isotropic: bool = eqx.field(static=True)

    def __init__(
        self, quantities: tuple[str, ...], matrix: Any, *, on: str = "interior", isotropic: bool = True
    ) -> None:
        self.quantities = tuple(quantities)
        self.function = matrix if callable(matrix) else None
        self.matrix = None if callable(matrix) else jnp.asarray(matrix, dtype=float)
        self.on = on
        self.isotropic = isotropic

    def bound(self, quantities: Mapping[str, Quantity], positions: Any) -> Law:
        """Refuse a matrix that is not symmetric or not positive, and couplings across tensor ranks."""
        count = len(self.quantities)
        if self.matrix is not None and np.shape(self.matrix) != (count, count):
            raise ModelError(f"The Onsager matrix of {', '.join(self.quantities)} must be {count} x {count}.")
        if self.matrix is not None and not is_traced(self.matrix):
            check_onsager(np.asarray(self.matrix), self.quantities)
        kinds = {KINDS[quantities[n].kind].rank for n in self.quantities if n in quantities}
        if self.isotropic and len(kinds) > 1:
            raise ModelError(
                f"Curie's principle: in an isotropic medium {', '.join(self.quantities)} cannot be coupled, their "
                "fluxes have different tensor ranks; uncouple them, or say isotropic=False for a membrane or a polar "
                "crystal."
            )
        return self

    @property
    def moves(self) -> tuple[str, ...]:
        """The coupled quantities."""
        return self.quantities

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Flux of each quantity from tail to head."""
        force = jnp.stack([head.conjugate(n) - tail.conjugate(n) for n in self.quantities])
        if self.function is not None:
            names = dict.fromkeys((*self.quantities,))
            matrix = self.function({n: 0.5 * (tail[n] + head[n]) for n in names} | {"T": 0.5 * (tail.T + head.T)})
        else:
            matrix = self.matrix
        fluxes = edge.conductor * (jnp.asarray(matrix) @ force)
        return {n: fluxes[i] for i, n in enumerate(self.quantities)}


def check_onsager(matrix: np.ndarray, names: tuple[str, ...]) -> None:
    """Refuse a matrix of coefficients that breaks reciprocity or the second law."""
    scale = np.sqrt(np.abs(np.outer(np.diag(matrix), np.diag(matrix))))
    off = np.abs(matrix - matrix.T)
    if np.any(off > 1e-9 * np.maximum(scale, np.abs(matrix).max() * 1e-12)):
        i, j = np.unravel_index(int(np.argmax(off)), off.shape)
        raise ModelError(
            f"The Onsager matrix is not symmetric: L[{names[i]},{names[j]}] = {matrix[i, j]:g} but "
            f"L[{names[j]},{names[i]}] = {matrix[j, i]:g}; reciprocity asks for equal ones."
        )
    size = np.sqrt(np.maximum(np.diag(matrix), 0.0))
    safe = np.where(size > 0, size, 1.0)
    if np.min(np.linalg.eigvalsh(0.5 * (matrix + matrix.T) / np.outer(safe, safe))) < -1e-10:
        raise ModelError(
            f"The Onsager matrix of {', '.join(names)} is not positive: it would destroy entropy; lower its "
            "off-diagonal coefficients (L_ij^2 <= L_ii L_jj)."
        )
