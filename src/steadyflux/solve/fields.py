"""One sweep over the fields of a coupled system: block Gauss-Seidel in variables that uncouple the fields in each cell.

Where a flux follows a potential that several states make up together (ions and their electric potential), the matrix by
the second state is nearly that by the first times a number in each cell: A_cp = A_cc r. In the variable c + r p instead
of c the couplings A_cp vanish but for what the cells differ, and A_pp becomes what it is with the first state adjusted
(Poisson's operator becomes the screened one), so that one pass over the fields is a good preconditioner. The numbers r
are those of an elimination within each cell, A = (lower) (unit upper) U.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import scipy.sparse as sp

from steadyflux.solve.multigrid import Hierarchy, Unsuited

Blocks = Mapping[tuple[int, int], sp.csr_array]

TINY = 1e-13  # a pivot below this share of its cell's largest entry is none


class Sweep:
    """Approximate solution with the fields' matrix, one V-cycle each; with its transpose when ``turned``."""

    def __init__(self, lower: Blocks, share: Blocks, slices: list[slice], turned: bool = False) -> None:
        """``lower`` holds the couplings (row, column <= row) in the new variables, ``share`` the numbers of U."""
        self._lower, self._share, self._slices, self._turned = lower, share, slices, turned

    def transposed(self) -> Sweep:
        """The sweep of the transposed matrix: the other way round."""
        lower = {(column, row): sp.csr_array(m.T.tocsr()) for (row, column), m in self._lower.items()}
        share = {(column, row): sp.csr_array(m.T.tocsr()) for (row, column), m in self._share.items()}
        return Sweep(lower, share, self._slices, not self._turned)

    def hierarchies(self) -> dict[int, Hierarchy]:
        """New hierarchies for the diagonal blocks; raises `Unsuited`."""
        found = {}
        for k in range(len(self._slices)):
            block = self._lower.get((k, k))
            if block is None:
                raise Unsuited("a quantity's balance does not depend on its own state")
            if np.iscomplexobj(block.data):  # J + i omega M is near J + omega M, wherever it is large
                data = np.real(block.data) + np.imag(block.data)
                block = sp.csr_array((data, block.indices, block.indptr), block.shape)
            found[k] = Hierarchy(block)
        return found

    def __call__(self, r: np.ndarray, hierarchies: Mapping[int, Hierarchy]) -> np.ndarray:
        """x with (nearly) A x = r."""
        count = len(self._slices)
        x = r.copy()
        if self._turned:
            self._substitute(x, range(count))
        order = range(count - 1, -1, -1) if self._turned else range(count)
        for k in order:
            rest = x[self._slices[k]]
            for other in order:
                if other == k:
                    break
                if (k, other) in self._lower:
                    rest = rest - self._lower[k, other] @ x[self._slices[other]]
            x[self._slices[k]] = hierarchies[k](rest)
        if not self._turned:
            self._substitute(x, range(count - 1, -1, -1))
        return x

    def _substitute(self, x: np.ndarray, order: range) -> None:
        """Solve with U, or its transpose, in place."""
        for k in order:
            for other in order:
                if (k, other) in self._share:
                    x[self._slices[k]] -= self._share[k, other] @ x[self._slices[other]]


def sweep_of(blocks: Blocks, nodes: list[np.ndarray], slices: list[slice]) -> Sweep:
    """The sweep of a system of fields; ``nodes`` are the cells of each field's unknowns."""
    count = len(nodes)
    if count < 2:
        return Sweep(blocks, {}, slices)
    share = shares(blocks, nodes)
    lower: dict[tuple[int, int], sp.csr_array] = {}
    for column in range(count):
        for row in range(column, count):
            block = blocks.get((row, column))
            for before in range(column):
                if (row, before) in lower and (before, column) in share:
                    less = sp.csr_array(lower[row, before] @ share[before, column])
                    block = sp.csr_array(-less) if block is None else sp.csr_array(block - less)
            if block is not None:
                lower[row, column] = block
    return Sweep(lower, share, slices)


def shares(blocks: Blocks, nodes: list[np.ndarray]) -> dict[tuple[int, int], sp.csr_array]:
    """U without its diagonal: the elimination within each cell, as matrices from one field to another."""
    count, cells = len(nodes), 1 + max(int(n.max(initial=-1)) for n in nodes)
    place = np.full((count, cells), -1, dtype=np.int32)
    for k, own in enumerate(nodes):
        place[k, own] = np.arange(own.size, dtype=np.int32)
    kind = complex if any(np.iscomplexobj(m.data) for m in blocks.values()) else float
    d = np.zeros((count, count, cells), dtype=kind)
    for (row, column), matrix in blocks.items():
        at = np.repeat(nodes[row], np.diff(matrix.indptr))
        same = at == nodes[column][matrix.indices]
        d[row, column, at[same]] = matrix.data[same]
    largest = np.abs(d).max(axis=(0, 1))
    share: dict[tuple[int, int], sp.csr_array] = {}
    for k in range(count):  # Crout: the lower factor takes the place of d, the unit upper one that of its rows
        pivot = d[k, k]
        usable = (np.abs(pivot) > TINY * largest) & (place[k] >= 0)
        for column in range(k + 1, count):
            ratio = np.where(usable, d[k, column], 0.0) / np.where(usable, pivot, 1.0)
            for row in range(k + 1, count):
                d[row, column] -= d[row, k] * ratio
            here = np.flatnonzero((ratio != 0.0) & (place[column] >= 0))
            if here.size:
                listed = (ratio[here], (place[k, here], place[column, here]))
                share[k, column] = sp.csr_array(listed, shape=(nodes[k].size, nodes[column].size))
    return share
