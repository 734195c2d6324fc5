"""The sparse matrix of the equations in time: where the derivative of each edge, cell and boundary flow goes.

The unknowns are the states cell by cell, the shared unknowns, then one counter for each flow through a boundary and for
each quantity that laws make: what has entered since the start. The counters obey the same formula of integration as
the states, so what they say and what the cells store agree to rounding.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from steadyflux.model.jacobian import blocks
from steadyflux.model.layout import held_at
from steadyflux.model.mapping import State, in_cells, productions
from steadyflux.model.model import Model
from steadyflux.model.system import Stage, accumulation, balance, place_flow, rates, residual
from steadyflux.physics.law import CellLaw


class Counter(NamedTuple):
    """Something counted over time: a quantity that enters through a place, or (place None) that laws make."""

    quantity: str
    place: str | None


class Pattern(NamedTuple):
    """The matrix in compressed columns, and which derivative (with which sign) is added to which entry.

    ``slot``, ``source`` and ``sign`` are (term,): entry slot of the matrix receives sign * values[source].
    """

    indptr: np.ndarray
    indices: np.ndarray
    slot: np.ndarray
    source: np.ndarray
    sign: np.ndarray
    nodes: np.ndarray

    @property
    def size(self) -> int:
        """Number of unknowns."""
        return len(self.indptr) - 1

    def data(self, values: np.ndarray) -> np.ndarray:
        """Entries of the matrix from the values of `derivatives`."""
        return np.bincount(self.slot, self.sign * values[self.source], minlength=len(self.indices))


def counters_of(model: Model) -> tuple[Counter, ...]:
    """All that is counted: every quantity at every place where a condition on it stands, and what laws make of it."""
    found: list[Counter] = []
    for bound in (*model.holds, *model.influxes):
        found.append(Counter(bound.quantity, bound.place))
    for number, reservoir in enumerate(model.reservoirs):
        law = model.laws[len(model.laws) - len(model.reservoirs) + number]
        found += [Counter(name, reservoir.place) for name in law.moves]
    for law in model.laws:
        if isinstance(law, CellLaw):
            found += [Counter(name, None) for name in law.makes]
    stores = dict(zip(model.names, model.storage, strict=True))
    electric = {q.name for q in model.quantities if q.kind == "charge" and not stores[q.name].stores}
    # Where charge is only a constraint its rows hold no flow that could be counted.
    ions = any(q.kind == "species" and q.charge for q in model.quantities)
    kept = [c for c in dict.fromkeys(found) if not (ions and c.quantity in electric)]
    return tuple(kept)


def counted_rates(model: Model, state: State, stage: Stage, counters: tuple[Counter, ...]) -> Float[Array, " counter"]:
    """Rate of each counter, in the flux unit of its quantity."""
    if not counters:
        return jnp.zeros(0)
    rate = rates(state, stage)
    raw = balance(model, state, stage.force, rate.s)
    raw = raw.at[: model.cells].add(accumulation(model, state, stage))
    made = _made(model, state)
    return jnp.stack(
        [
            made[model.index(c.quantity)] if c.place is None else place_flow(model, state, raw, c.quantity, c.place)
            for c in counters
        ]
    )


def _made(model: Model, state: State) -> Float[Array, " quantity"]:
    total = jnp.zeros(len(model.names))
    for number, law in enumerate(model.laws):
        if isinstance(law, CellLaw) and law.makes:
            made, _, measure = in_cells(model, number, lambda one, h, s, c: productions(model, one, h, s, c), state)
            total = total + jnp.sum(measure[:, None] * made, axis=0)
    return total


def equations(
    model: Model, state: State, stage: Stage, count_rates: Array, counters: tuple[Counter, ...]
) -> Float[Array, " unknown"]:
    """All equations in time: the residual of states and shared unknowns, and rate less flow of every counter."""
    off = residual(model, state, stage, jnp.zeros(model.layout.totals))
    return jnp.concatenate([off.u.ravel(), off.s, count_rates - counted_rates(model, state, stage, counters)])


def derivatives(model: Model, state: State, stage: Stage, counters: tuple[Counter, ...]) -> Float[Array, " value"]:
    """Values of all derivatives in the order that `pattern_of` expects; ``stage.inverse_step`` is d rate / d state."""
    b = blocks(model, state, stage, jnp.zeros(model.layout.totals))
    parts = [b.cell.ravel()]
    for name in model.edges:
        if name in b.edges:
            parts += [b.edges[name][0].ravel(), b.edges[name][1].ravel()]
    parts += [b.border.columns.ravel(), b.border.rows.ravel(), b.border.corner.ravel()]
    if any(c.place is None for c in counters):
        parts.append(b.made.ravel())
    if counters and state.s.shape[0]:
        by_shared = jax.jacfwd(lambda s: counted_rates(model, State(state.u, s), stage, counters))(state.s)
        parts.append(by_shared.ravel())
    parts.append(jnp.stack([jnp.ones(()), jnp.asarray(stage.inverse_step, dtype=float)]))
    return jnp.concatenate(parts)


def pattern_of(model: Model, counters: tuple[Counter, ...]) -> Pattern:
    """The pattern of a model, computed once for each structure."""
    acting = [name for name in model.edges if model.laws_on(name) or _moves(model, name)]
    ends = tuple(
        (np.asarray(model.edges[name].tail, np.int64).tobytes(), np.asarray(model.edges[name].head, np.int64).tobytes())
        for name in acting
    )
    feeds = tuple(_fed_by(model, c, acting) for c in counters)
    held = np.asarray(model.layout.held)
    return _pattern(model.cells, len(model.names), len(model.shared), ends, held.tobytes(), feeds)


def _moves(model: Model, name: str) -> bool:
    return model.space.form is not None and name == "interior"


def _fed_by(model: Model, counter: Counter, acting: list[str]) -> tuple[int, bytes, tuple[int, ...]]:
    """Column of the quantity; cells whose held rows feed the counter; numbers of the edge sets to its reservoirs."""
    k = model.index(counter.quantity)
    if counter.place is None:
        return k, b"", (-1,)
    place = np.asarray(model.space.place(counter.place).cells)
    held = np.asarray(held_at(model, counter.quantity, counter.place))
    first = len(model.laws) - len(model.reservoirs)
    sets = tuple(
        acting.index(model.acting[first + number] or "")
        for number, reservoir in enumerate(model.reservoirs)
        if reservoir.place == counter.place and counter.quantity in model.laws[first + number].moves
    )
    return k, place[held].astype(np.int64).tobytes(), sets


class _Terms:
    """Rows, columns, sources and signs as they are collected."""

    def __init__(self) -> None:
        self.parts: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []

    def add(self, row: Any, column: Any, source: Any, sign: float) -> None:
        arrays = np.broadcast_arrays(row, column, source)
        flat = [np.ascontiguousarray(a).ravel().astype(np.int64) for a in arrays]
        self.parts.append((flat[0], flat[1], flat[2], np.full(flat[0].size, sign)))

    def joined(self) -> tuple[np.ndarray, ...]:
        return tuple(np.concatenate(one) for one in zip(*self.parts, strict=True))


@lru_cache(maxsize=16)
def _pattern(
    n: int, k: int, s: int, ends: tuple[tuple[bytes, bytes], ...], held_bytes: bytes, feeds: tuple[Any, ...]
) -> Pattern:
    held = np.frombuffer(held_bytes, bool).reshape(n, k)
    terms = _Terms()
    states, shared, counters = n * k, n * k + np.arange(s), n * k + s + np.arange(len(feeds))
    local = np.arange(k)
    unit = np.arange(k * k).reshape(k, k)

    def number(cells: np.ndarray) -> np.ndarray:
        return cells[:, None] * k + local

    # Every derivative of a row of states: (rows (m, k), columns (m, k), sources (m, k, k), sign).
    rows: list[tuple[np.ndarray, np.ndarray, np.ndarray, float]] = []
    cells = np.arange(n)
    rows.append((number(cells), number(cells), cells[:, None, None] * k * k + unit, 1.0))
    offset = n * k * k
    reservoirs: list[tuple[np.ndarray, np.ndarray]] = []
    for tail_bytes, head_bytes in ends:
        tail, head = np.frombuffer(tail_bytes, np.int64), np.frombuffer(head_bytes, np.int64)
        m = len(tail)
        by_tail = offset + np.arange(m)[:, None, None] * k * k + unit
        by_head = by_tail + m * k * k
        offset += 2 * m * k * k
        inside = head < n
        rows.append((number(tail), number(tail), by_tail, 1.0))
        if inside.any():
            t, h = tail[inside], head[inside]
            rows.append((number(t), number(h), by_head[inside], 1.0))
            rows.append((number(h), number(t), by_tail[inside], -1.0))
            rows.append((number(h), number(h), by_head[inside], -1.0))
        reservoirs.append((number(tail), by_tail))
    free = ~held.ravel()
    for row, column, source, sign in rows:
        wanted = free[row]
        at, line = np.nonzero(wanted)
        terms.add(row[at, line][:, None], column[at], source[at, line], sign)
    if s:
        everywhere = np.arange(states)
        terms.add(everywhere[:, None], shared[None, :], offset + np.arange(states * s).reshape(states, s), 1.0)
        offset += states * s
        terms.add(shared[:, None], everywhere[None, :], offset + np.arange(s * states).reshape(s, states), 1.0)
        offset += s * states
        terms.add(shared[:, None], shared[None, :], offset + np.arange(s * s).reshape(s, s), 1.0)
        offset += s * s
    made = offset
    if any(-1 in sets for _, _, sets in feeds):
        offset += n * k * k
    by_shared = offset
    if s and feeds:
        offset += len(feeds) * s
    one, step = offset, offset + 1
    fixed = np.flatnonzero(held.ravel())
    terms.add(fixed, fixed, one, 1.0)
    for line, (a, cell_bytes, sets) in enumerate(feeds):
        counter = counters[line]
        terms.add(counter, counter, step, 1.0)
        if s:
            terms.add(counter, shared, by_shared + line * s + np.arange(s), -1.0)
        if -1 in sets:
            terms.add(counter, number(cells), made + cells[:, None] * k * k + unit[a][None, :], -1.0)
            continue
        fed = np.zeros(n, bool)
        fed[np.frombuffer(cell_bytes, np.int64)] = True
        for row, column, source, sign in rows:
            at = np.flatnonzero(fed[row[:, 0] // k])
            terms.add(counter, column[at], source[at, a], -sign)
        for number_of_set in sets:
            column, source = reservoirs[number_of_set]
            terms.add(counter, column, source[:, a], 1.0)
    row, column, source, sign = terms.joined()
    total = states + s + len(feeds)
    distinct, slot = np.unique(column * total + row, return_inverse=True)
    indptr = np.searchsorted(distinct // total, np.arange(total + 1)).astype(np.int32)
    nodes = np.concatenate([np.repeat(cells, k), n + np.arange(s + len(feeds))])
    return Pattern(indptr, (distinct % total).astype(np.int32), slot, source, sign, nodes)
