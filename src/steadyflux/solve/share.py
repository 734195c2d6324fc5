"""Which rows of a matrix each process of an MPI program owns: connected shares of equal size, and their entries."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pymetis
import scipy.sparse as sp

from steadyflux.ground.errors import InputError
from steadyflux.solve.multigrid import LARGE, return_memory
from steadyflux.solve.ordering import node_graph

SAME = 1e-6  # relative difference between processes that rounding cannot make


class Share(NamedTuple):
    """The rows of one process, in an order common to all: the unknowns of the first process come first.

    ``order`` (unknown,) holds the caller's numbers of the unknowns in the common order; ``first`` and ``last`` bound
    the own rows in it. ``indptr`` and ``indices`` are their pattern in compressed rows, ``take`` finds their values
    among those of the caller's pattern.
    """

    order: np.ndarray
    first: int
    last: int
    indptr: np.ndarray
    indices: np.ndarray
    take: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """Own rows, and unknowns of all processes."""
        return self.last - self.first, self.order.size

    def matrix(self, values: np.ndarray) -> sp.csr_array:
        """The own rows of the matrix whose entries have these values, (own, unknown)."""
        return sp.csr_array((values[self.take], self.indices, self.indptr), shape=self.shape)

    def turned(self, pattern: sp.csc_array) -> Share:
        """The same rows of the transposed matrix; ``pattern`` as for `share_of`."""
        lines = _rows(pattern, self.order[self.first : self.last], _places(self.order, pattern.indptr.size - 1))
        return self._replace(indptr=lines[0], indices=lines[1], take=lines[2])

    def mine(self, x: np.ndarray) -> np.ndarray:
        """Own part of a vector in the caller's order."""
        return x[self.order[self.first : self.last]]


def share_of(pattern: sp.csc_array, unknowns: np.ndarray, nodes: np.ndarray, fields: np.ndarray, comm: Any) -> Share:
    """Own rows of a matrix cut down to some ``unknowns`` of it.

    ``pattern`` holds the number of each entry as its value; ``nodes`` and ``fields`` (all unknowns,) keep the unknowns
    of a node in one process, there sorted by field. ``comm`` is a communicator of mpi4py.
    """
    parts = comm.bcast(_parts(pattern, nodes, comm.size) if comm.rank == 0 else None)
    order = unknowns[np.lexsort((unknowns, fields[unknowns], parts[nodes[unknowns]]))]
    bounds = np.concatenate([[0], np.cumsum(np.bincount(parts[nodes[unknowns]], minlength=comm.size))])
    first, last = int(bounds[comm.rank]), int(bounds[comm.rank + 1])
    lines = _rows(pattern.tocsr(), order[first:last], _places(order, nodes.size))
    if nodes.size > LARGE:
        return_memory()
    return Share(order, first, last, *lines)


def _places(order: np.ndarray, size: int) -> np.ndarray:
    """Place of each unknown in the common order, -1 where it has none."""
    place = np.full(size, -1, dtype=np.int32)
    place[order] = np.arange(order.size, dtype=np.int32)
    return place


def _parts(pattern: sp.csc_array, nodes: np.ndarray, count: int) -> np.ndarray:
    """Number of the process of each node."""
    graph = node_graph(pattern.indptr, pattern.indices, nodes)
    size = graph.indptr.size - 1
    if count == 1:
        return np.zeros(size, dtype=np.int32)
    if size < 4 * count:
        return (np.arange(size) * count // max(size, 1)).astype(np.int32)
    adjacency = pymetis.CSRAdjacency(graph.indptr, graph.indices)  # pyright: ignore[reportArgumentType]
    return np.asarray(pymetis.part_graph(count, adjacency)[1], dtype=np.int32)


def _rows(lines: Any, wanted: np.ndarray, place: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pattern, in the common order, of some rows (or columns) of a compressed pattern, and where their values are."""
    length = lines.indptr[wanted + 1] - lines.indptr[wanted]
    ends = np.cumsum(length)
    at = np.arange(ends[-1] if ends.size else 0) + np.repeat(lines.indptr[wanted] - ends + length, length)
    row, column = np.repeat(np.arange(wanted.size), length), place[lines.indices[at]]
    kept = np.flatnonzero(column >= 0)
    kept = kept[np.lexsort((column[kept], row[kept]))]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row[kept], minlength=wanted.size))])
    return indptr.astype(np.int32), column[kept].astype(np.int32), lines.data[at[kept]]


def check_agreement(comm: Any, values: np.ndarray) -> None:
    """Refuse matrices that differ between processes, which would wait for each other for ever."""
    if comm.size == 1:
        return
    size = np.abs(values)
    mine = np.array([values.size, size.sum(), size @ np.linspace(0.0, 1.0, values.size)])
    all_of = np.array(comm.allgather(mine))
    scale = np.array([1.0, all_of[0, 1], all_of[0, 1]])
    off = np.abs(all_of - all_of[0]) > SAME * np.where(scale > 0.0, scale, 1.0)
    if off.any():
        other = int(np.flatnonzero(off.any(axis=1))[0])
        raise InputError(
            f"Process {other} of {comm.size} solves another model than process 0",
            "PETSc solves one model over all processes: build the same one, with the same numbers, on each",
        )
