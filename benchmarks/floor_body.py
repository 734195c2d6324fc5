"""Conduction in a cube written by hand: k = 1 + T/2, source 1, walls at zero; Newton over a multigrid cycle.

The bare cost of the problem: a seven-point matrix filled by slices, one Ruge-Stuben hierarchy kept through all Newton
steps, BiCGStab. Nothing of the engine is used.
"""

from __future__ import annotations

import numpy as np
import pyamg
import scipy.sparse as sp
from scipy.sparse.linalg import bicgstab

CLOSE = 1e-10  # of the last Newton step, relative to the largest temperature


class Cube:
    """The pattern of the inner nodes of a cube of ``nodes`` per edge, computed once."""

    def __init__(self, nodes: int) -> None:
        self.nodes, inner = nodes, nodes - 2
        number = np.full((nodes,) * 3, -1, np.int32)
        number[1:-1, 1:-1, 1:-1] = np.arange(inner**3, dtype=np.int32).reshape((inner,) * 3)
        middle = slice(1, -1)
        low, high = slice(0, -2), slice(2, None)
        # Neighbours in the order of their numbers, the node itself in the middle: columns come out sorted.
        self.sides = [(low, middle, middle), (middle, low, middle), (middle, middle, low)]
        self.sides += [(middle, middle, high), (middle, high, middle), (high, middle, middle)]
        around = [number[s] for s in self.sides]
        columns = np.stack([c.ravel() for c in (*around[:3], number[middle, middle, middle], *around[3:])], axis=1)
        self.kept = columns >= 0
        self.indptr = np.concatenate([[0], np.cumsum(self.kept.sum(axis=1))]).astype(np.int32)
        self.indices = columns[self.kept]

    def equations(self, T: np.ndarray) -> tuple[np.ndarray, sp.csr_matrix]:
        """Residual of the inner nodes and its matrix; fluxes (1 + mean/2) * difference are exact along each edge."""
        inner = (slice(1, -1),) * 3
        step = 1.0 / (self.nodes - 1)
        here, slope = T[inner], (1.0 + 0.5 * T) * step
        count = here.size
        values = np.empty((count, 7))
        off = np.full(here.shape, -(step**3))
        for place, side in enumerate(self.sides):
            there = T[side]
            off += (1.0 + 0.25 * (here + there)) * (here - there) * step
            values[:, place + (place > 2)] = -slope[side].ravel()
        values[:, 3] = 6.0 * slope[inner].ravel()
        return off.ravel(), sp.csr_matrix((values[self.kept], self.indices, self.indptr), shape=(count, count))


def solved(cube: Cube) -> np.ndarray:
    """Temperatures of all nodes, from zero."""
    T = np.zeros((cube.nodes,) * 3)
    cycle = None
    for _ in range(20):
        off, matrix = cube.equations(T)
        if cycle is None:
            cycle = pyamg.ruge_stuben_solver(matrix, max_coarse=500, interpolation="direct").aspreconditioner(cycle="V")
        step, _ = bicgstab(matrix, -off, rtol=1e-4, M=cycle)
        T[1:-1, 1:-1, 1:-1] += step.reshape((cube.nodes - 2,) * 3)
        if np.abs(step).max() < CLOSE * np.abs(T).max():
            return T
    raise RuntimeError("the floor did not converge")
