"""A model as elementary events: what each does to the numbers of particles, and how often it happens.

The rates are the laws' own one-way fluxes. Numbers of particles are amounts times Avogadro's number for species and
the numbers themselves for populations; a *walker* stands for one particle, or for several (its weight).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from steadyflux.ground.constants import N_A
from steadyflux.ground.errors import ModelError
from steadyflux.model.accounts import label
from steadyflux.model.mapping import State, in_cells, local, on_edges
from steadyflux.model.model import Model
from steadyflux.model.system import inflows
from steadyflux.physics.law import CellLaw, EdgeLaw, Law, Reaction
from steadyflux.physics.reaction import MassAction, Source

COUNTED = ("species", "population")
SAME = 1e-10  # relative difference up to which two rates per walker are the same


class Table(NamedTuple):
    """The arrays that the rates need, by event and taking part: (event, part) unless said otherwise.

    A *node* is a quantity in a cell or reservoir, numbered row by row.
    """

    node: Any
    change: Any
    need: Any
    """How many walkers must be there before the event can happen (free nodes only)."""
    orders: Any
    """How many of them mass action picks one after the other: n (n - 1) in place of n^2."""
    amount: Any
    """Particles per unit of the state, (node of a cell,); one where nothing is counted."""
    free: Any
    """Whether the number at a node changes, (node,)."""
    held: Any
    """States where it does not, (node of a cell,)."""
    weight: Any
    """Particles that one walker stands for."""


@dataclass(frozen=True)
class Group:
    """Events of one kind: ``start`` to ``stop`` in the list, one per edge or cell. ``sign`` 1 forward, -1 reverse."""

    law: int | None
    what: str
    on: str | None
    sign: int
    moves: Mapping[str, Any]
    start: int
    stop: int


@dataclass(frozen=True)
class Events:
    """All events of a model."""

    model: Model
    table: Table
    groups: tuple[Group, ...]

    @property
    def count(self) -> int:
        """Number of events."""
        return self.groups[-1].stop if self.groups else 0

    @property
    def nodes(self) -> int:
        """Number of nodes in the cells, reservoirs left out."""
        return self.model.cells * len(self.model.names)

    def rates(self, numbers: Any) -> np.ndarray:
        """Events per second at numbers of walkers (run, node of a cell): (run, event)."""
        return np.asarray(rates_of_runs(self.model, self.table, jnp.asarray(numbers, dtype=float)))

    def changes(self) -> Any:
        """What one event does to each node, reservoirs included: sparse (event, node)."""
        from scipy.sparse import csr_array

        rows = np.repeat(np.arange(self.count), self.table.node.shape[1])
        width = (self.model.cells + len(self.model.reservoirs)) * len(self.model.names)
        entries = (self.table.change.ravel(), (rows, self.table.node.ravel()))
        found = csr_array(entries, shape=(self.count, width), dtype=np.int64)
        found.sum_duplicates()
        found.eliminate_zeros()
        return found


def events_of(model: Model, state: State, weight: float = 1.0) -> Events:
    """The events of a model. ``state`` gives the values of what is not counted and of turnovers' proportions.

    Raises ModelError for a model that has no elementary events, with the reason.
    """
    _check(model)
    layout = model.layout
    free = np.asarray(layout.active) & ~np.asarray(layout.held)
    for k, q in enumerate(model.quantities):
        if q.kind not in COUNTED:
            if free[:, k].any():
                raise ModelError(
                    f"{q.name} is of kind {q.kind}, which does not come in particles; hold it everywhere or hand it "
                    "to the model as a given field, then sample the rest."
                )
            free[:, k] = False
    groups: list[Group] = []
    parts: list[tuple[np.ndarray, np.ndarray, bool]] = []

    def add(law: int | None, what: str, on: str | None, sign: int, moves: Mapping[str, Any], entry: Any) -> None:
        start = groups[-1].stop if groups else 0
        parts.append(entry)
        groups.append(Group(law, what, on, sign, moves, start, start + entry[0].shape[0]))

    for number, law in enumerate(model.laws):
        for group in _of_law(model, number, law, state):
            add(*group)
    for bound, (cells, k, flow) in zip(model.influxes, inflows(model, state), strict=True):
        if model.quantities[k].kind in COUNTED:
            if np.any(np.asarray(flow) < 0):
                raise ModelError(
                    f"The influx of {bound.quantity} at '{bound.place}' is negative: it would take walkers that may "
                    "not be there; say by a law how fast they leave."
                )
            at = np.asarray(cells)[:, None] * len(model.names) + k
            add(None, "influx", bound.place, 1, {bound.quantity: 1}, (at, np.ones_like(at), False))
    if not groups:
        raise ModelError("No law of this model moves or makes anything that is counted, so nothing would happen.")
    wide = np.zeros((model.cells + len(model.reservoirs), len(model.names)), dtype=bool)
    wide[: model.cells] = free
    held = np.where(free, 0.0, np.asarray(state.u))
    return Events(model, _table(model, parts, wide.ravel(), held.ravel(), weight), tuple(groups))


def _check(model: Model) -> None:
    if model.shared:
        raise ModelError(
            f"The shared unknown '{model.shared[0].name}' follows from all cells at once and is no event of single "
            "particles; hold or give its value, then sample."
        )
    if model.space.form is not None:
        raise ModelError("A space that moves cannot be sampled; sample it at rest, at the size it has reached.")
    if model.varies:
        raise ModelError(
            "A number of this model changes with time; sample model.at(t) stretch by stretch, each from the end of "
            "the one before."
        )
    for q, storage in zip(model.quantities, model.storage, strict=True):
        if q.kind in COUNTED and storage.coefficient is not None:
            raise ModelError(
                f"What is stored of {q.name} is not in proportion to its state; give it a constant capacity to sample "
                "it."
            )


def _of_law(model: Model, number: int, law: Law, state: State) -> list[tuple[Any, ...]]:
    """The groups of one law's events: (law, what, edge set or place, sign, moves, (nodes, changes, mass action))."""
    names = model.names
    name, on = label(model, number), model.acting[number]
    if isinstance(law, EdgeLaw) and law.moves:
        if not any(_counted(model, n) for n in law.moves):
            return []
        edges = model.edges[on or ""]
        tail, head = np.asarray(edges.tail), np.asarray(edges.head)
        found = []
        for moves in _moved(model, number, law, state, name):
            columns = np.array([names.index(n) for n in moves])
            each = np.array(list(moves.values()))
            nodes = np.concatenate([tail[:, None] * len(names) + columns, head[:, None] * len(names) + columns], axis=1)
            changes = np.broadcast_to(np.concatenate([-each, each]), nodes.shape)
            found += [(number, name, on, sign, moves, (nodes, sign * changes, False)) for sign in (1, -1)]
        return found
    assert isinstance(law, CellLaw)
    cells = np.arange(model.cells)
    if law.acts_in is not None:
        cells = np.asarray(model.space.place(law.acts_in).cells)
    if isinstance(law, Reaction):
        moves = {n: _whole(nu, name) for n, nu in law.stoichiometry if nu and _counted(model, n)}
        if not moves:
            return []
        columns = np.array([names.index(n) for n in moves])
        nodes = cells[:, None] * len(names) + columns
        changes = np.broadcast_to(np.array(list(moves.values())), nodes.shape)
        action = isinstance(law, MassAction)
        return [(number, name, law.acts_in, sign, moves, (nodes, sign * changes, action)) for sign in (1, -1)]
    if isinstance(law, Source) and _counted(model, law.quantity):
        if np.any(np.asarray(law.strength) < 0):
            raise ModelError(
                f"The source of {law.quantity} is negative: it would take walkers that may not be there; say by a "
                "reaction how fast they are used up."
            )
        nodes = cells[:, None] * len(names) + names.index(law.quantity)
        return [(number, name, law.acts_in, 1, {law.quantity: 1}, (nodes, np.ones_like(nodes), False))]
    if not any(_counted(model, n) for n in law.makes):
        return []
    raise ModelError(
        f"The law {name} gives only what it makes on balance; write it as a Reaction with one_way, its forward and its "
        "reverse rate, to sample it."
    )


def _moved(model: Model, number: int, law: EdgeLaw, state: State, name: str) -> list[dict[str, int]]:
    """What each kind of event of a law on edges moves: one quantity, or several in a turnover."""
    seen: dict[str, Any] = {}

    def look(laws: Any, tail: Any, head: Any, shared: Any, edge: Any) -> Any:
        at_tail, at_head = local(model, tail[0], tail[1], shared), local(model, head[0], head[1], shared)
        turns = laws[0].turnover(at_tail, at_head, edge)
        ways = laws[0].one_way(at_tail, at_head, edge) or {}
        seen["ways"] = tuple(n for n in law.moves if n in ways)
        return None if turns is None else {n: jnp.asarray(x, dtype=float) for n, x in turns[2].items()}

    numbers = jax.jit(lambda s: on_edges(model, (number,), look, s))(state)
    if numbers is not None:
        moved = {n: np.asarray(x) for n, x in numbers.items() if _counted(model, n)}
        if any(np.ptp(x) for x in moved.values()):
            raise ModelError(f"A turnover of {name} moves other numbers on other edges; write one law for each kind.")
        return [{n: _whole(float(x[0]), name) for n, x in moved.items() if x[0]}]
    missing = [n for n in law.moves if _counted(model, n) and n not in seen["ways"]]
    if missing:
        raise ModelError(
            f"The law {name} gives only the net flux of {missing[0]}, and chance needs both ways; give the law one_way "
            "(or turnover), or use one that has it, such as Fick with a number, NernstPlanck or Advection."
        )
    return [{n: 1} for n in seen["ways"] if _counted(model, n)]


def _counted(model: Model, name: str) -> bool:
    return name in model.names and model.quantity(name).kind in COUNTED


def _whole(number: float, name: str) -> int:
    if number != int(number):
        raise ModelError(f"{name} moves {number:g} of a quantity at once; particles come in whole numbers.")
    return int(number)


def _table(model: Model, parts: list[Any], free: np.ndarray, held: np.ndarray, weight: float) -> Table:
    width = max(nodes.shape[1] for nodes, _, _ in parts)

    def wide(x: np.ndarray) -> np.ndarray:
        return np.pad(x, ((0, 0), (0, width - x.shape[1])))

    node = np.concatenate([wide(n) for n, _, _ in parts])
    change = np.concatenate([wide(np.asarray(c)) for _, c, _ in parts])
    action = np.concatenate([np.full(n.shape[0], a) for n, _, a in parts])
    need = np.where(free[node] & (change < 0), -change, 0)
    per = np.array([N_A if q.kind == "species" else 1.0 for q in model.quantities])
    factors = np.stack([np.broadcast_to(np.asarray(s.factor), (model.cells,)) for s in model.storage], axis=1)
    amount = (np.asarray(model.space.volume)[:, None] * factors * per).ravel()
    if np.any(free[: amount.size] & (amount <= 0)):
        raise ModelError("A quantity that is counted stores nothing in some cell; give it a positive capacity.")
    return Table(
        node=node,
        change=change,
        need=need,
        orders=np.where(action[:, None], need, 0),
        amount=np.where(amount > 0, amount, 1.0),
        free=free,
        held=held,
        weight=float(weight),
    )


# ---- rates -----------------------------------------------------------------------------------------------------------


def rates_at(model: Model, table: Table, numbers: Any) -> Any:
    """Events per second at the numbers of walkers (node of a cell,): (event,). Compiled and mapped by its callers."""
    cells, width = model.cells, len(model.names)
    free = table.free[: cells * width]
    u = jnp.where(free, numbers * (table.weight / table.amount), table.held)
    state = State(u.reshape(cells, width), jnp.zeros(0))
    found = jnp.concatenate(_all_rates(model, state)) / table.weight
    # Walkers of reservoirs are never missing.
    here = jnp.where(table.need > 0, jnp.pad(numbers, (0, table.free.shape[0] - numbers.shape[0]))[table.node], 1.0)
    enough = jnp.all(here >= jnp.asarray(table.need, dtype=float), axis=1)
    share = jnp.ones_like(here)
    for taken in range(1, MOST):
        share = share * jnp.where(table.orders > taken, (here - float(taken)) / jnp.where(here > 0, here, 1.0), 1.0)
    return jnp.where(enough, jnp.maximum(found, 0.0) * jnp.prod(share, axis=1), 0.0)


MOST = 4  # partners of one kind in one event of mass action


@jax.jit
def rates_of_runs(model: Model, table: Table, numbers: Any) -> Any:
    """The rates of many runs, (run, event)."""
    return jax.vmap(partial(rates_at, model, table))(numbers)


def _all_rates(model: Model, state: State) -> list[Any]:
    """Rates of all events in particles per second, in the order of the groups."""
    found: list[Any] = []
    for number, law in enumerate(model.laws):
        if isinstance(law, EdgeLaw) and law.moves:
            found += _edge_rates(model, number, law, state)
        elif isinstance(law, Reaction):
            counted = [n for n, nu in law.stoichiometry if nu and _counted(model, n)]
            if counted:
                pair, _, measure = in_cells(model, number, lambda one, h, s, c: _pair(model, one, h, s, c), state)
                per = _per(model, counted[0])
                found += [per * measure * pair[0], per * measure * pair[1]]
        elif isinstance(law, Source) and _counted(model, law.quantity):
            made, _, measure = in_cells(
                model, number, lambda one, h, s, c: jnp.asarray(one.strength, dtype=float) + 0.0 * c.volume, state
            )
            found.append(_per(model, law.quantity) * measure * made)
    for _, k, flow in inflows(model, state):
        if model.quantities[k].kind in COUNTED:
            found.append(_per(model, model.names[k]) * flow)
    return found


def _pair(model: Model, law: Reaction, here: Any, shared: Any, cell: Any) -> tuple[Any, Any]:
    forward, reverse = law.one_way(local(model, here[0], here[1], shared), cell)
    return jnp.asarray(forward, dtype=float), jnp.asarray(reverse, dtype=float)


def _per(model: Model, name: str) -> float:
    return N_A if model.quantity(name).kind == "species" else 1.0


def _edge_rates(model: Model, number: int, law: EdgeLaw, state: State) -> list[Any]:
    if not any(_counted(model, n) for n in law.moves):
        return []

    def ways(laws: Any, tail: Any, head: Any, shared: Any, edge: Any) -> tuple[Any, ...]:
        at_tail, at_head = local(model, tail[0], tail[1], shared), local(model, head[0], head[1], shared)
        turns = laws[0].turnover(at_tail, at_head, edge)
        if turns is not None:
            name = next(n for n in turns[2] if _counted(model, n))
            return tuple(_per(model, name) * jnp.asarray(x, dtype=float) for x in turns[:2])
        pairs = laws[0].one_way(at_tail, at_head, edge)
        return tuple(
            _per(model, n) * jnp.asarray(x, dtype=float)
            for n in law.moves
            if n in pairs and _counted(model, n)
            for x in pairs[n]
        )

    return list(on_edges(model, (number,), ways, state))


# ---- events of single walkers ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hops:
    """Events of walkers that do not see each other: each event takes one walker from ``source`` (or, where that is
    -1, from outside, at a constant rate) to ``target`` (-1: out of the system). Shapes (event,); ``rate`` 1/s, of each
    walker at the source, or of the event."""

    source: np.ndarray
    target: np.ndarray
    rate: np.ndarray


def hops_of(events: Events) -> Hops | None:
    """The events as hops of independent walkers, where that is what they are; else None.

    Found from the rates themselves: each must be in proportion to the number at its one source, at any numbers.
    """
    table = events.table
    inside = table.free[table.node] & (table.change != 0)
    taken, given = inside & (table.change < 0), inside & (table.change > 0)
    if (taken.sum(axis=1) > 1).any() or (given.sum(axis=1) > 1).any() or (np.abs(table.change[inside]) > 1).any():
        return None
    source, target = _one_of(table.node, taken), _one_of(table.node, given)
    rng = np.random.default_rng(12345)
    level = np.exp(rng.uniform(np.log(10.0), np.log(1e4), (3, events.nodes)))
    found = events.rates(np.where(table.free[: events.nodes], level, 0.0))
    each = np.where(source >= 0, found / np.where(source >= 0, level[:, source], 1.0), found)
    top, low = each.max(axis=0), each.min(axis=0)
    if not np.all(np.isfinite(each)) or np.any(top - low > SAME * top):
        return None
    return Hops(source, target, each.mean(axis=0))


def _one_of(node: np.ndarray, which: np.ndarray) -> np.ndarray:
    """The node of each event that is marked, (event,); -1 where none is."""
    found = node[np.arange(node.shape[0]), which.argmax(axis=1)]
    return np.where(which.any(axis=1), found, -1)


def initial_numbers(events: Events, state: State) -> np.ndarray:
    """Mean numbers of walkers at a state, (node of a cell,), not rounded; zero where nothing is counted."""
    table = events.table
    mean = np.asarray(state.u, dtype=float).ravel() * table.amount / table.weight
    mean = np.where(table.free[: events.nodes], mean, 0.0)
    if np.any(mean < 0):
        raise ModelError("The start has negative numbers of particles; give a start that is nowhere negative.")
    return mean


def rounded(events: Events, mean: np.ndarray) -> np.ndarray:
    """Whole numbers nearest to the mean ones that keep each quantity's (rounded) total."""
    width = len(events.model.names)
    whole = np.floor(mean).astype(np.int64)
    for k in range(width):
        part = mean[k::width]
        missing = round(float(part.sum())) - int(whole[k::width].sum())
        if missing > 0:
            first = np.argsort(-(part - np.floor(part)), kind="stable")[:missing]
            whole[k::width][first] += 1
    return whole
