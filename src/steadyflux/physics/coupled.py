"""Coupled flows: quantities joined by a symmetric positive matrix of coefficients between conjugate forces.

    J_i = (area / length) sum_j L_ij(mean state) (y_j,head - y_j,tail),     L = L^T, L >= 0

with y the potentials of the quantities' entropy, so that a law here is one function: its matrix. The mean state of an
edge is chosen so that each diagonal term is the plain law that everybody knows, whatever the step: the logarithmic mean
of a concentration turns L = D c / R into Fick's D (c_tail - c_head), the geometric mean of a temperature L = k T^2 into
Fourier's k (T_tail - T_head).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from steadyflux.ground.arithmetic import is_traced
from steadyflux.ground.constants import R
from steadyflux.ground.errors import ModelError
from steadyflux.physics.law import EdgeLaw, Law, names, static
from steadyflux.physics.local import Geometry, Local
from steadyflux.physics.means import log_mean
from steadyflux.physics.quantity import KINDS, Quantity
from steadyflux.physics.symmetry import check_symmetry

VANISHING = 1e-30  # mol/m^3; below it a concentration counts as this in coefficients, so that empty cells can be filled


class Coupled(EdgeLaw):
    """Base of the coupled laws. Subclass it with `coefficients`, the matrix L at the mean state of an edge.

    ``symmetry`` of the medium says what may couple (Curie): "isotropic", "chiral", "membrane", or a crystal class.
    """

    quantities: tuple[str, ...] | None = names()
    symmetry: str = static(default="isotropic", kw_only=True)

    @property
    def moves(self) -> tuple[str, ...]:
        """The coupled quantities."""
        return self.quantities or ()

    def bound(self, quantities: Mapping[str, Quantity], positions: Any) -> Law:
        """The law in one model; refuses what its medium may not couple."""
        ranks = {n: KINDS[quantities[n].kind].rank for n in self.moves if n in quantities}
        check_symmetry(ranks, self.symmetry)
        return super().bound(quantities, positions)

    def coefficients(self, mean: Local, edge: Geometry) -> Any:
        """Onsager coefficients L, (n, n), of J = L dy/dx at a state, in the units of flux per area, length and y."""
        raise TypeError(f"The coupled law {type(self).__name__} must define coefficients(mean, edge).")

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Flux of each quantity from tail to head."""
        mean = mean_state(tail, head, self.moves)
        force = jnp.stack([rise(tail, head, mean, name) for name in self.moves])
        weight = jnp.stack([_weight(mean, name) for name in self.moves])
        fluxes = edge.conductor * ((jnp.asarray(self.coefficients(mean, edge)) / weight) @ force)
        return {n: fluxes[i] for i, n in enumerate(self.moves)}


def mean_state(tail: Local, head: Local, names: tuple[str, ...]) -> Local:
    """The state between two: logarithmic means of concentrations, geometric of temperatures, else arithmetic."""

    def mean(name: str) -> Any:
        kind = tail.quantity(name).kind if name in tail.quantities else None
        a, b = tail[name], head[name]
        if kind == "species" and name in names and not tail.whole:
            return log_mean(jnp.maximum(a, VANISHING), jnp.maximum(b, VANISHING))
        if kind == "heat" or name == tail.temperature:
            return jnp.sqrt(a * b)
        return 0.5 * (a + b)

    return tail.with_values({name: mean(name) for name in tail.known})


def rise(tail: Local, head: Local, mean: Local, name: str) -> Any:
    """Rise of a conjugate potential along an edge; of a species times its mean concentration.

    c (y_head - y_tail) = -R (c_head - c_tail + c (rest_head - rest_tail)), finite where a concentration is zero.
    """
    if tail.quantity(name).kind != "species" or tail.whole:
        return head.conjugate(name) - tail.conjugate(name)
    return -R * (head[name] - tail[name] + mean[name] * (head.rest(name) - tail.rest(name)))


def _weight(mean: Local, name: str) -> Any:
    return mean[name] if mean.quantity(name).kind == "species" and not mean.whole else jnp.ones_like(mean.T)


class Onsager(Coupled):
    """J = L (y_head - y_tail) area / length: fluxes from differences of the conjugate potentials (Onsager 1931).

    ``matrix`` L is (n, n) for the n ``quantities``, a constant or a function of the mean of the two end states (a
    mapping from names to values, "T" among them). It must be symmetric and positive semidefinite: the second law and
    microscopic reversibility. In an isotropic medium scalars and vectors may not be coupled (Curie); in a membrane or a
    polar crystal they may: say ``symmetry="membrane"`` or name the crystal class.
    """

    matrix: Any = None
    function: Callable[[Mapping[str, Any]], Any] | None = static(default=None)

    def __init__(
        self, quantities: tuple[str, ...], matrix: Any, *, on: str = "interior", symmetry: str = "isotropic"
    ) -> None:
        self.quantities = tuple(quantities)
        self.function = matrix if callable(matrix) else None
        self.matrix = None if callable(matrix) else jnp.asarray(matrix, dtype=float)
        self.on = on
        self.symmetry = symmetry

    def bound(self, quantities: Mapping[str, Quantity], positions: Any) -> Law:
        """Refuse a matrix that is not symmetric or not positive, and couplings across tensor ranks."""
        count = len(self.moves)
        if self.matrix is not None and np.shape(self.matrix) != (count, count):
            raise ModelError(f"The Onsager matrix of {', '.join(self.moves)} must be {count} x {count}.")
        if self.matrix is not None and not is_traced(self.matrix):
            check_onsager(np.asarray(self.matrix), self.moves)
        return super().bound(quantities, positions)

    def coefficients(self, mean: Local, edge: Geometry) -> Any:
        """The matrix, or the function's at the mean state."""
        if self.function is None:
            return self.matrix
        return self.function({n: mean[n] for n in self.moves} | {"T": mean.T})


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
