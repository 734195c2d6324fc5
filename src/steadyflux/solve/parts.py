"""A sparse matrix cut into the couplings of its fields, what is held, and its border: where each entry goes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

BORDER = -1  # the field of unknowns that everything may depend on: shared ones, totals, counters


class Coupling(NamedTuple):
    """The entries of one group of rows and one of columns, in compressed rows; ``take`` finds their values."""

    take: np.ndarray
    indices: np.ndarray
    indptr: np.ndarray
    shape: tuple[int, int]

    def matrix(self, values: np.ndarray) -> sp.csr_array:
        """The coupling with the values of the whole matrix."""
        return sp.csr_array((values[self.take], self.indices, self.indptr), shape=self.shape)


class Parts(NamedTuple):
    """The groups of a pattern's unknowns, and the couplings between them by (row group, column group).

    ``nodes`` are the nodes (cells) of each group's unknowns. Groups 0, 1, ... are the fields, then come ``held`` (rows
    with their diagonal entry alone) and ``border``.
    """

    groups: tuple[np.ndarray, ...]
    nodes: tuple[np.ndarray, ...]
    couplings: dict[tuple[int, int], Coupling]
    held: int
    border: int

    @property
    def fields(self) -> range:
        """Numbers of the fields."""
        return range(self.held)


def cut(indptr: np.ndarray, indices: np.ndarray, nodes: np.ndarray, field: np.ndarray) -> Parts:
    """Parts of a pattern in compressed columns; ``field`` (unknown,) names each unknown's field, or `BORDER`."""
    n = field.size
    by_columns = sp.csc_array((np.arange(indices.size, dtype=np.int32), indices, indptr), shape=(n, n))
    by_rows = by_columns.tocsr()
    length = np.diff(by_rows.indptr)
    count = int(field.max(initial=-1)) + 1
    group = np.where(field == BORDER, count + 1, field).astype(np.int8 if count < 120 else np.int32)
    alone = np.flatnonzero((length == 1) & (field != BORDER))
    group[alone[by_rows.indices[by_rows.indptr[alone]] == alone]] = count
    groups = tuple(np.flatnonzero(group == number).astype(np.int32) for number in range(count + 2))
    place = np.empty(n, dtype=np.int32)
    for unknowns in groups:
        place[unknowns] = np.arange(unknowns.size, dtype=np.int32)
    row_group, column_group = np.repeat(group, length), group[by_rows.indices]
    couplings: dict[tuple[int, int], Coupling] = {}
    for rows in range(count + 2):
        of_row = row_group == rows
        for columns in range(count + 2):
            chosen = of_row & (column_group == columns)
            if not chosen.any():
                continue
            before = np.zeros(chosen.size + 1, dtype=np.int32)
            np.cumsum(chosen, out=before[1:])
            ends = before[by_rows.indptr[groups[rows] + 1]]
            couplings[rows, columns] = Coupling(
                take=by_rows.data[chosen],
                indices=place[by_rows.indices[chosen]],
                indptr=np.concatenate([np.zeros(1, np.int32), ends]),
                shape=(groups[rows].size, groups[columns].size),
            )
    return Parts(groups, tuple(nodes[unknowns] for unknowns in groups), couplings, count, count + 1)
