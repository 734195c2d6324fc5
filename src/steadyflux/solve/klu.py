"""KLU of SuiteSparse as direct solver for networks, through klujax: blocks of a triangular form, analysed once."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

import jax
import numpy as np
import scipy.sparse as sp

from steadyflux.solve.direct import DirectFactor, row_scale
from steadyflux.solve.extras import missing


@cache
def _library() -> Any:
    platform = jax.config.read("jax_platform_name")
    try:
        return import_module("klujax")
    except (ImportError, OSError) as error:
        raise missing("klu", str(error)) from None
    finally:  # klujax turns all of JAX to the processor; it works there without
        jax.config.update("jax_platform_name", platform)


class _Ways:
    """The factors of one matrix, there and back."""

    def __init__(self, matrix: sp.csc_array, store: dict[str, Any]) -> None:
        library, listed = _library(), sp.coo_array(matrix)
        rows, columns = listed.row.astype(np.int32), listed.col.astype(np.int32)
        with jax.numpy_dtype_promotion("standard"):
            if "klu" not in store:
                store["klu"] = library.analyze(rows, columns, matrix.indptr.size - 1)
            self._symbolic = store["klu"]
            self._numeric = library.factor(rows, columns, listed.data, self._symbolic)

    def forward(self, rhs: np.ndarray) -> np.ndarray:
        return self._solve(_library().solve_with_numeric, rhs)

    def backward(self, rhs: np.ndarray) -> np.ndarray:
        return self._solve(_library().tsolve_with_numeric, rhs)

    def _solve(self, way: Any, rhs: np.ndarray) -> np.ndarray:
        if np.iscomplexobj(rhs):
            return self._solve(way, np.real(rhs)) + 1j * self._solve(way, np.imag(rhs))
        columns = np.asarray(rhs, dtype=float).reshape(rhs.shape[0], -1)
        with jax.numpy_dtype_promotion("standard"):
            return np.array(way(self._numeric, columns, self._symbolic)).reshape(rhs.shape)


def klu(matrix: sp.csc_array, store: dict[str, Any]) -> DirectFactor | None:
    """Factors of a real matrix; None where KLU does not solve it. ``store`` keeps what serves the next one."""
    scale = row_scale(matrix)
    data = matrix.data * scale[matrix.indices]
    try:
        ways = _Ways(sp.csc_array((data, matrix.indices, matrix.indptr), shape=matrix.shape), store)
    except RuntimeError:  # KLU: the matrix is singular
        return None
    factor = DirectFactor("klu", matrix, np.arange(scale.size), scale, ways.forward, ways.backward)
    return factor if factor.check()[0] else None
