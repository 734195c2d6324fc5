"""Direct solution of sparse systems on the host: scaled rows, an order that is kept, factors that are checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from steadyflux.ground.errors import SteadyfluxError
from steadyflux.solve.ordering import Permutation

__all__ = ["DirectFactor", "SingularMatrix", "row_scale", "superlu"]

_PIVOT_THRESHOLD = 1e-3  # a diagonal pivot is kept when it is at least this times the largest of its column
_RESIDUAL = 1e-10  # largest residual, relative to |A| |x| + |b| row by row, that a factorisation is trusted with
_OFF = 0.1  # a known solution of numbers near 1 comes back wrong by this or more when the matrix is singular


class SingularMatrix(SteadyfluxError):
    """The matrix of a linear system is singular or nearly so; `unknown` is the index of the suspect, -1 if none."""

    def __init__(self, problem: str, remedy: str = "", unknown: int = -1) -> None:
        super().__init__(problem, remedy)
        self.args = (problem, remedy, unknown)
        self.unknown = unknown


@dataclass(frozen=True)
class DirectFactor:
    """Factors of a matrix with scaled rows behind the caller's order, with one step of refinement.

    ``forward`` and ``backward`` solve with the scaled matrix, and its transpose, of rows and columns in ``order``.
    """

    name: str
    matrix: sp.csc_array
    order: np.ndarray
    scale: np.ndarray
    forward: Callable[[np.ndarray], np.ndarray] = field(repr=False)
    backward: Callable[[np.ndarray], np.ndarray] = field(repr=False)

    def _once(self, rhs: np.ndarray) -> np.ndarray:
        x = np.empty_like(rhs)
        x[self.order] = self.forward((rhs.T * self.scale).T[self.order])
        return x

    def _once_transposed(self, rhs: np.ndarray) -> np.ndarray:
        x = np.empty_like(rhs)
        x[self.order] = self.backward(rhs[self.order])
        return (x.T * self.scale).T

    @property
    def loose(self) -> bool:
        """Never: an answer is as good as rounding leaves it."""
        return False

    def solve(self, rhs: np.ndarray, tolerance: float = 0.0, level: np.ndarray | None = None) -> np.ndarray:
        """x with A x = rhs: (n,) or (n, r), refined once unless some tolerance would do."""
        rhs = np.asarray(rhs, dtype=np.result_type(rhs, self.matrix.dtype))
        x = self._once(rhs)
        return x if tolerance > 0.0 else x + self._once(rhs - self.matrix @ x)

    def solve_transposed(self, rhs: np.ndarray, tolerance: float = 0.0) -> np.ndarray:
        """x with A^T x = rhs: (n,) or (n, r)."""
        rhs = np.asarray(rhs, dtype=np.result_type(rhs, self.matrix.dtype))
        x = self._once_transposed(rhs)
        return x + self._once_transposed(rhs - self.matrix.T @ x)

    def check(self) -> tuple[bool, int]:
        """Whether a known solution is found again, and the unknown where it is farthest off.

        The residual must be at rounding level row by row. A matrix that is singular to working precision passes that,
        but adds a multiple of its null vector: the solution, in the units of the matrix's columns, must be near too.
        """
        a = self.matrix
        scaled = sp.csc_array((np.abs(a.data) * self.scale[a.indices], a.indices, a.indptr), shape=a.shape)
        filled = np.flatnonzero(np.diff(a.indptr))
        column = np.zeros(a.indptr.size - 1)
        column[filled] = np.maximum.reduceat(scaled.data, a.indptr[filled])
        if not column.all():
            return False, int(np.flatnonzero(column == 0)[0])
        wanted = np.random.default_rng(1).uniform(0.5, 1.5, column.size) / column
        rhs = a @ wanted
        x, off, good = np.zeros_like(rhs), np.abs(wanted), False
        for _ in range(2):  # a refinement may mend what the first answer lacks
            x = x + self._once(rhs - a @ x)
            if not np.isfinite(x).all():
                return False, int(np.flatnonzero(~np.isfinite(x))[0])
            residual = np.abs(a @ x - rhs) * self.scale
            off = np.abs(x - wanted) * column
            level = _RESIDUAL * (scaled @ np.abs(x) + np.abs(rhs) * self.scale)
            good = bool((residual <= level).all() and off.max() < _OFF)
            if good:
                break
        return good, int(np.argmax(off))


_SUPERLU: dict[str, dict[str, Any]] = {
    "superlu": {
        "permc_spec": "NATURAL",
        "diag_pivot_thresh": _PIVOT_THRESHOLD,
        "options": {"SymmetricMode": True, "Equil": False},
    },
    "superlu, COLAMD": {"permc_spec": "COLAMD", "diag_pivot_thresh": 1.0},
}


def superlu(matrix: sp.csc_array, permutation: Permutation) -> DirectFactor:
    """SuperLU on rows scaled by their largest entry: in the order given, else COLAMD with partial pivoting."""
    scale = row_scale(matrix)
    order, gather, indptr, indices = permutation
    scaled = matrix.data * scale[matrix.indices]
    permuted = sp.csc_array((scaled[gather], indices, indptr), shape=matrix.shape)
    suspect = -1
    for name, options in _SUPERLU.items():
        try:
            lu = splu(permuted, **options)
        except RuntimeError:  # SuperLU: "Factor is exactly singular"
            continue
        factor = DirectFactor(name, matrix, order, scale, lu.solve, partial(lu.solve, trans="T"))
        good, suspect = factor.check()
        if good:
            return factor
    if suspect < 0:
        suspect = _suspect(permuted, order)
    raise singular(suspect)


def row_scale(matrix: sp.csc_array) -> np.ndarray:
    """One over the largest magnitude of each row; refuses an empty one."""
    largest = np.zeros(matrix.indptr.size - 1)
    np.maximum.at(largest, matrix.indices, np.abs(matrix.data))
    if not largest.all():
        unknown = int(np.flatnonzero(largest == 0)[0])
        raise SingularMatrix(
            f"the row of unknown {unknown} is zero", "no equation determines it: hold it or couple it", unknown
        )
    return 1.0 / largest


def singular(suspect: int) -> SingularMatrix:
    """The error for a matrix whose null vector weighs most on one unknown."""
    return SingularMatrix(
        f"the matrix is singular or nearly so, most likely by unknown {suspect}",
        "look for a quantity that nothing holds: a closed system needs its total, a potential its reference",
        suspect,
    )


def _suspect(permuted: sp.csc_array, order: np.ndarray) -> int:
    """The unknown that weighs most in the null vector, by two inverse iterations on a slightly shifted matrix."""
    n = order.size
    try:
        lu = splu(sp.csc_array(permuted + 1e-9 * sp.eye_array(n)), permc_spec="COLAMD")
    except RuntimeError:
        return -1
    x = lu.solve(np.random.default_rng(2).uniform(0.5, 1.5, n))
    x = lu.solve(x / np.abs(x).max())
    return int(order[np.argmax(np.abs(x))]) if np.isfinite(x).all() else -1
