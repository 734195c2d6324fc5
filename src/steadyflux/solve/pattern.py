"""The sparse pattern of a model's Jacobian: where the derivative of each cell, edge and shared unknown goes."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp

from steadyflux.model.model import Model
from steadyflux.solve.linear import BORDER, Plan, analyse
from steadyflux.solve.multigrid import LARGE
from steadyflux.space.space import INTERIOR


class Values(NamedTuple):
    """Derivatives of the rows: of each cell by itself, of each edge's tail row by both ends, and of the border.

    ``cell`` (cell, quantity, quantity) holds all that stands on the diagonal blocks, edges included. ``joints`` are
    pairs (edge, quantity, quantity) by tail and by head; the row of the head has them with the sign turned.
    """

    cell: Any
    joints: tuple[tuple[Any, Any], ...]
    columns: Any
    rows: Any
    corner: Any


class Pattern(NamedTuple):
    """Slots of all values in the entries of the plan's matrix; what a held row does not have goes into one more."""

    cell: np.ndarray
    joints: tuple[tuple[np.ndarray, np.ndarray], ...]
    border: tuple[np.ndarray, np.ndarray, np.ndarray]
    single: bool
    states: int
    plan: Plan

    def collect(self, values: Values, pinned: np.ndarray | None = None) -> np.ndarray:
        """Entries of the matrix, in the order of the plan's pattern; ``pinned`` unknowns hold their row alone."""
        data = np.zeros(self.plan.indices.size + 1)
        for (below, above), (by_tail, by_head) in zip(self.joints, values.joints, strict=True):
            # Row of the head by the tail, then row of the tail by the head.
            one, other = np.asarray(by_tail).reshape(-1), np.asarray(by_head).reshape(-1)
            if self.single:
                data[above], data[below] = other, -one
            else:
                np.add.at(data, above, other)
                np.subtract.at(data, below, one)
        if pinned is not None and pinned.size:
            inside = self.plan.indptr[self.states]
            data[:inside][np.isin(self.plan.indices[:inside], pinned)] = 0.0
        data[self.cell] = np.asarray(values.cell).reshape(-1)
        for slots, block in zip(self.border, (values.columns, values.rows, values.corner), strict=True):
            data[slots] = np.asarray(block).reshape(-1)
        return data[:-1]


class _Structure(NamedTuple):
    """What a pattern depends on, by content: models of one shape share one analysis."""

    cells: int
    quantities: int
    shared: int
    ends: tuple[str, ...]
    held: str
    fields: tuple[int, ...]
    solver: str


_PATTERNS: dict[_Structure, Pattern] = {}
_MOST_KEPT = 8


def pattern_of(model: Model, solver: str = "auto") -> Pattern:
    """The pattern of a model's Jacobian, computed once for all models of one shape that were met of late."""
    held = np.asarray(model.layout.held)
    edges = [model.edges[name] for name in joined(model)]
    ends = [(np.asarray(e.tail, dtype=np.int32), np.asarray(e.head, dtype=np.int32)) for e in edges]
    shared = len(model.shared) + model.layout.totals
    digests = tuple(_digest(*pair) for pair in ends)
    key = _Structure(model.cells, len(model.names), shared, digests, _digest(held), fields_of(model), solver)
    found = _PATTERNS.pop(key, None) or _build(key, ends, held.ravel())
    _PATTERNS[key] = found  # the last one met stands last
    large = [other for other in list(_PATTERNS)[:-1] if _PATTERNS[other].plan.n > LARGE]
    for other in [*large, *list(_PATTERNS)[: len(_PATTERNS) - _MOST_KEPT]]:
        _PATTERNS.pop(other, None)
    return found


def joined(model: Model) -> tuple[str, ...]:
    """The edge sets whose derivatives are in the matrix, in its order: those that carry anything."""
    moving, laws_on = model.space.form is not None, model.laws_on
    return tuple(name for name in model.edges if laws_on(name) or (moving and name == INTERIOR))


def _digest(*arrays: np.ndarray) -> str:
    found = hashlib.blake2b(digest_size=16)
    for array in arrays:
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def fields_of(model: Model) -> tuple[int, ...]:
    """Number of each quantity's field: what drives others first (a pressure), what the others determine last.

    A sweep over the fields goes in this order. An electric potential follows the charges that it moves.
    """
    rank = {"volume": 0, "momentum": 0, "heat": 1, "charge": 3}
    order = sorted(range(len(model.quantities)), key=lambda k: rank.get(model.quantities[k].kind, 2))
    return tuple(order.index(k) for k in range(len(order)))


def _build(key: _Structure, ends: list[tuple[np.ndarray, np.ndarray]], held: np.ndarray) -> Pattern:
    """Sort all entries by column and row, and number the distinct ones."""
    n, k, s = key.cells, key.quantities, key.shared
    size, total = n * k, n * k + s
    local = np.arange(k, dtype=np.int32)
    entries = _Entries(total)

    def block(of: np.ndarray, by: np.ndarray, here: np.ndarray | None = None) -> int:
        row = np.broadcast_to((of[:, None] * k + local)[:, :, None], (of.size, k, k)).ravel()
        column = np.broadcast_to((by[:, None] * k + local)[:, None, :], (of.size, k, k)).ravel()
        wanted = ~held[row] | (row == column)
        return entries.add(row, column, wanted if here is None else wanted & np.repeat(here, k * k))

    cells = np.arange(n, dtype=np.int32)
    cell = block(cells, cells)
    joints = []
    for tail, head in ends:
        inside = head < n  # a reservoir's state is no unknown
        other = np.where(inside, head, 0).astype(np.int32)
        joints.append((block(other, tail, inside), block(tail, other, inside)))
    states, shared = np.arange(size, dtype=np.int32), size + np.arange(s, dtype=np.int32)
    border = (
        entries.add(np.repeat(states, s), np.tile(shared, size)),
        entries.add(np.repeat(shared, size), np.tile(states, s)),
        entries.add(np.repeat(shared, s), np.tile(shared, s)),
    )
    indptr, indices, slots, single = entries.sorted()
    nodes = np.concatenate([np.repeat(cells, k), n + np.arange(s, dtype=np.int32)])
    fields = np.concatenate([np.tile(np.array(key.fields, dtype=np.int32), n), np.full(s, BORDER, dtype=np.int32)])
    plan = analyse(indptr, indices, total, nodes, key.solver, fields)
    return Pattern(
        cell=slots[cell],
        joints=tuple((slots[below], slots[above]) for below, above in joints),
        border=(slots[border[0]], slots[border[1]], slots[border[2]]),
        single=single,
        states=size,
        plan=plan,
    )


class _Entries:
    """Entries of a matrix as they are listed, and where each stands once they are sorted."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._parts: list[tuple[np.ndarray, np.ndarray, np.ndarray | None]] = []

    def add(self, row: np.ndarray, column: np.ndarray, wanted: np.ndarray | None = None) -> int:
        """One more list; the number under which `sorted` gives its slots."""
        self._parts.append((row, column, wanted))
        return len(self._parts) - 1

    def sorted(self) -> tuple[np.ndarray, np.ndarray, list[np.ndarray], bool]:
        """The pattern in compressed columns, the slots of each list, and whether no two entries share one."""
        rows = np.concatenate([r if w is None else r[w] for r, _, w in self._parts])
        columns = np.concatenate([c if w is None else c[w] for _, c, w in self._parts])
        wanted = [w for _, _, w in self._parts]
        counts = [r.size for r, _, _ in self._parts]
        self._parts = []
        order = _counted(rows, self._size)
        order = order[_counted(columns[order], self._size)]
        rows, columns = rows[order], columns[order]
        first = np.ones(rows.size, dtype=bool)
        first[1:] = (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1])
        indices = rows[first]
        indptr = np.zeros(self._size + 1, dtype=np.int32)
        np.cumsum(np.bincount(columns[first], minlength=self._size), out=indptr[1:])
        slot = np.empty(rows.size, dtype=np.int32)
        slot[order] = np.cumsum(first, dtype=np.int32) - 1
        found, at = [], 0
        for mask, count in zip(wanted, counts, strict=True):
            used = count if mask is None else int(np.count_nonzero(mask))
            here = slot[at : at + used]
            if mask is not None:
                here, given = np.full(count, indices.size, dtype=np.int32), here
                here[mask] = given
            found.append(here)
            at += used
        return indptr, indices, found, indices.size == rows.size


def _counted(keys: np.ndarray, most: int) -> np.ndarray:
    """The order that sorts whole numbers below ``most`` by counting them, equal ones as they come."""
    count = keys.size
    listed = sp.csr_array(
        (np.arange(count, dtype=np.int32), keys.astype(np.int32, copy=False), np.arange(count + 1, dtype=np.int32)),
        shape=(count, most),
    )
    return listed.tocsc().data
