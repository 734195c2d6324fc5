"""Algebraic multigrid for one quantity: Ruge and Stüben's coarsening, one V-cycle an application, pyamg's kernels.

A hierarchy is set up for matrices like those of diffusion (positive diagonal, mostly negative couplings, symmetric or
not) and used as a preconditioner only, so that it may be kept while the matrix changes, and held in single precision.
"""

from __future__ import annotations

import ctypes
import sys
from typing import NamedTuple

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from pyamg import amg_core
from scipy.sparse.linalg import splu

COARSEST = 300  # unknowns that are solved for directly
STRONG = 0.25  # a coupling is strong from this share of the strongest of its row
SINGLE_RANGE = 1e-24  # smallest share of the largest diagonal entry that single precision may have to hold
MOST_LEVELS = 25
SINGULAR = 1e11  # an inverse, of a matrix with a unit diagonal, that is larger than this is none


LARGE = 100_000  # unknowns from which memory that was freed is given back to the system before more is asked for


def return_memory() -> None:
    """Give back to the system what freed arrays of up to 32 MB leave behind in the heap of Linux's C library."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


class Unsuited(Exception):
    """The matrix is none that multigrid is made for; the argument says why."""


class Level(NamedTuple):
    """One level: its matrix, and the way to and from the next coarser one."""

    matrix: sp.csr_array
    prolong: sp.csr_array
    restrict: sp.csr_array


class Hierarchy:
    """Levels of coarser and coarser matrices; calling it applies one V-cycle to a right side, (unknown,)."""

    def __init__(self, matrix: sp.csr_array) -> None:
        """Set up for a matrix in compressed rows; raises `Unsuited`."""
        diagonal = np.asarray(matrix.diagonal(), dtype=float)
        if not np.isfinite(matrix.data).all() or not ((diagonal > 0.0).all() or (diagonal < 0.0).all()):
            raise Unsuited("its diagonal entries are not of one sign")
        if diagonal.size > LARGE:
            return_memory()
        size = np.abs(diagonal)
        self.precision = np.float32 if size.min(initial=1e300) > SINGLE_RANGE * size.max(initial=1.0) else np.float64
        # Only ratios matter to a preconditioner; near one, single precision neither over- nor underflows.
        self._unit = float(diagonal[np.argmax(size)]) if size.size else 1.0
        indices, indptr = (x.astype(np.int32, copy=False) for x in (matrix.indices, matrix.indptr))
        coarse = sp.csr_array((np.divide(matrix.data, self._unit), indices, indptr), shape=matrix.shape)
        self.levels: list[Level] = []
        while coarse.indptr.size > COARSEST + 1 and len(self.levels) < MOST_LEVELS:
            prolong = _interpolation(coarse)
            if prolong is None:
                break
            restrict = sp.csr_array(prolong.T.tocsr())
            self.levels.append(Level(*(self._kept(m) for m in (coarse, prolong, restrict))))
            coarse = sp.csr_array(restrict @ sp.csr_array(coarse @ prolong))
            if not (coarse.diagonal() > 0.0).all():
                raise Unsuited("a coarser level has lost its positive diagonal")
        self._bottom = _Bottom(coarse, self.precision)

    @property
    def complexity(self) -> float:
        """Entries of all levels over those of the finest."""
        counts = [level.matrix.nnz for level in self.levels]
        return sum(counts) / counts[0] if counts else 1.0

    def _kept(self, matrix: sp.csr_array) -> sp.csr_array:
        return sp.csr_array((matrix.data.astype(self.precision), matrix.indices, matrix.indptr), shape=matrix.shape)

    def __call__(self, rhs: np.ndarray) -> np.ndarray:
        """Approximate solution for a right side; complex ones by their two parts."""
        if np.iscomplexobj(rhs):
            return self(np.real(rhs)) + 1j * self(np.imag(rhs))
        size = float(np.max(np.abs(rhs), initial=0.0))
        if size == 0.0 or not np.isfinite(size):
            return np.zeros(rhs.size)
        below, found = [np.asarray(rhs / size, dtype=self.precision)], []
        for matrix, _, restrict in self.levels:
            b = below[-1]
            x = np.zeros_like(b)
            _sweep(matrix, x, b, 1)
            found.append(x)
            below.append(restrict @ (b - matrix @ x))
        x = self._bottom(below[-1])
        for level in range(len(self.levels) - 1, -1, -1):
            matrix, prolong, _ = self.levels[level]
            found[level] += prolong @ x
            x = found[level]
            _sweep(matrix, x, below[level], -1)
        return np.asarray(x, dtype=float) * (size / self._unit)


class _Bottom:
    """The coarsest level, solved exactly; in the sense of least squares where it is singular."""

    def __init__(self, matrix: sp.csr_array, precision: type) -> None:
        self._inverse, self._factors, self._precision = None, None, precision
        if matrix.indptr.size <= 4 * COARSEST + 1:
            unit = 1.0 / np.sqrt(np.asarray(matrix.diagonal()))
            dense = matrix.toarray() * unit * unit[:, None]
            try:
                inverse = np.linalg.inv(dense)
                good = np.abs(inverse).max(initial=0.0) < SINGULAR
            except np.linalg.LinAlgError:
                inverse, good = dense, False
            inverse = inverse if good else scipy.linalg.pinv(dense, rtol=1.0 / SINGULAR)
            self._inverse = np.asarray(inverse * unit * unit[:, None], dtype=precision)
        else:
            try:
                self._factors = splu(sp.csc_array(matrix))
            except RuntimeError:
                raise Unsuited("the coarsest level is singular") from None

    def __call__(self, rhs: np.ndarray) -> np.ndarray:
        if self._factors is None:
            return self._inverse @ rhs
        return self._factors.solve(rhs.astype(float)).astype(self._precision)


def _sweep(matrix: sp.csr_array, x: np.ndarray, b: np.ndarray, direction: int) -> None:
    """One Gauss-Seidel sweep in place, forwards (1) or backwards (-1)."""
    first, last = (0, b.size) if direction > 0 else (b.size - 1, -1)
    amg_core.gauss_seidel(matrix.indptr, matrix.indices, matrix.data, x, b, first, last, direction)


def _interpolation(matrix: sp.csr_array) -> sp.csr_array | None:
    """Direct interpolation from the coarse unknowns (Ruge and Stüben 1987); None where coarsening ends."""
    n = matrix.indptr.size - 1
    strong = _strong(matrix)
    influenced = strong.T.tocsr()
    coarse = np.empty(n, dtype=np.int32)
    weight = np.zeros(n, dtype=np.int32)
    amg_core.rs_cf_splitting(n, strong.indptr, strong.indices, influenced.indptr, influenced.indices, weight, coarse)
    count = int(coarse.sum())
    if count == 0 or count > 0.9 * n:
        return None
    indptr = np.empty(n + 1, dtype=np.int32)
    amg_core.rs_direct_interpolation_pass1(n, strong.indptr, strong.indices, coarse, indptr)
    indices = np.empty(indptr[-1], dtype=np.int32)
    data = np.empty(indptr[-1])
    amg_core.rs_direct_interpolation_pass2(
        n,
        matrix.indptr,
        matrix.indices,
        matrix.data,
        strong.indptr,
        strong.indices,
        strong.data,
        coarse,
        indptr,
        indices,
        data,
    )
    return sp.csr_array((data, indices, indptr), shape=(n, count))


def _strong(matrix: sp.csr_array) -> sp.csr_array:
    """The strong negative couplings of each row, and the diagonal, which the kernels pass over."""
    n = matrix.indptr.size - 1
    indptr, indices, data = np.empty_like(matrix.indptr), np.empty_like(matrix.indices), np.empty_like(matrix.data)
    amg_core.classical_strength_of_connection_min(
        n, STRONG, matrix.indptr, matrix.indices, matrix.data, indptr, indices, data
    )
    return sp.csr_array((data[: indptr[-1]], indices[: indptr[-1]], indptr), shape=(n, n))
