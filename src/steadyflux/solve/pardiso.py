"""Pardiso of Intel's MKL as direct solver, through pypardiso: its analysis of a pattern is kept for the next matrix."""

from __future__ import annotations

import weakref
from importlib import import_module
from typing import Any

import numpy as np
import scipy.sparse as sp

from steadyflux.solve.direct import DirectFactor, row_scale
from steadyflux.solve.extras import missing

_INPUTS = {1: 1, 2: 2, 10: 13, 11: 1, 13: 1}
"""Of Pardiso's own list: take these, order by nested dissection, replace pivots below 1e-13, scale, match."""
_ANALYSE, _FACTOR, _SOLVE = 11, 22, 33
_TRANSPOSED = 12  # in the list of inputs; pypardiso hands columns over as rows


class Session:
    """Pardiso's memory for one pattern, and which matrix it holds the factors of."""

    def __init__(self) -> None:
        try:
            library = import_module("pypardiso")
            self._solver = library.PyPardisoSolver(mtype=11)
        except (ImportError, OSError) as error:
            raise missing("pardiso", str(error)) from None
        self.failure: type[Exception] = library.pardiso_wrapper.PyPardisoError
        for number, value in _INPUTS.items():
            self._solver.set_iparm(number, value)
        self._held: sp.csc_matrix | None = None
        self._analysed = False
        weakref.finalize(self, self._solver.free_memory, everything=True)

    def hold(self, matrix: sp.csc_matrix, anew: bool = False) -> None:
        """Factor a matrix, unless its factors are at hand; with an analysis by its own values where asked for."""
        if self._held is matrix and not anew:
            return
        nothing = np.zeros(matrix.indptr.size - 1)
        self._held = None
        if anew or not self._analysed:
            self._call(_ANALYSE, matrix, nothing)
            self._analysed = True
        self._call(_FACTOR, matrix, nothing)
        self._held = matrix

    def solve(self, matrix: sp.csc_matrix, rhs: np.ndarray, transposed: bool) -> np.ndarray:
        """x with A x = rhs or A^T x = rhs, (n,) or (n, r)."""
        self.hold(matrix)
        return self._call(_SOLVE, matrix, np.asfortranarray(rhs), transposed)

    def _call(self, phase: int, matrix: sp.csc_matrix, rhs: np.ndarray, transposed: bool = False) -> np.ndarray:
        self._solver.set_phase(phase)
        self._solver.set_iparm(_TRANSPOSED, 0 if transposed else 2)
        return self._solver._call_pardiso(matrix, rhs)


class _Ways:
    """The factors of one matrix, there and back; made again where another matrix has taken their place."""

    def __init__(self, session: Session, matrix: sp.csc_matrix) -> None:
        self._session, self.matrix = session, matrix

    def forward(self, rhs: np.ndarray) -> np.ndarray:
        return self._either(rhs, False)

    def backward(self, rhs: np.ndarray) -> np.ndarray:
        return self._either(rhs, True)

    def _either(self, rhs: np.ndarray, transposed: bool) -> np.ndarray:
        if np.iscomplexobj(rhs):
            return self._either(np.real(rhs), transposed) + 1j * self._either(np.imag(rhs), transposed)
        return self._session.solve(self.matrix, np.asarray(rhs, dtype=float), transposed)


def pardiso(matrix: sp.csc_array, store: dict[str, Any]) -> DirectFactor | None:
    """Factors of a real matrix; None where Pardiso does not solve it. ``store`` keeps what serves the next one."""
    scale = row_scale(matrix)
    data = matrix.data * scale[matrix.indices]
    session = store.get("pardiso") or store.setdefault("pardiso", Session())
    ways = _Ways(session, sp.csc_matrix((data, matrix.indices, matrix.indptr), shape=matrix.shape))
    factor = DirectFactor("pardiso", matrix, np.arange(scale.size), scale, ways.forward, ways.backward)
    for anew in (False, True):  # the kept analysis matched rows and columns by the values of another matrix
        try:
            session.hold(ways.matrix, anew)
            if factor.check()[0]:
                return factor
        except session.failure:
            continue
    return None
