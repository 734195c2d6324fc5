"""The equation: what flows along the edges and is made in the cells must balance in every cell, for every quantity.

    d/dt S_k(u_i) V_i  +  sum over edges e of cell i ( +- J_k,e(u_tail, u_head) )  =  V_i R_k(u_i)

`balance` is the left side without the storage term, less the right side. In a held cell it is not zero: what is missing
there is what the boundary supplies. `residual` puts the conditions in its place.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from steadyflux.ground.arithmetic import array_module
from steadyflux.model.model import Model
from steadyflux.physics.law import CellLaw, EdgeLaw, per_edge_axes
from steadyflux.physics.local import Cell, Geometry, Local
from steadyflux.space.space import Edges


class State(NamedTuple):
    """The unknowns: ``u`` (cell, quantity) and ``s`` (shared unknown, then conserved total's pinned value)."""

    u: Float[Array, "cell quantity"]
    s: Float[Array, " shared"]


class Stage(NamedTuple):
    """How far the search has come: forces scaled by ``force``, pseudo-time 1 / step from the state ``before``, pins."""

    force: Any
    inverse_step: Any
    before: Float[Array, "cell quantity"]
    pins: Any
    """Cell that keeps each conserved total, (total,); -1 while pseudo-time keeps the totals by itself."""


# ---- what a law sees -------------------------------------------------------------------------------------------------


def extended(model: Model, state: State) -> tuple[Array, dict[str, Array]]:
    """States and given fields of the cells, with those of the reservoirs below: (cell + reservoir, quantity)."""
    if not model.reservoirs:
        return state.u, {name: jnp.asarray(field) for name, field in model.given.items()}
    rows, given = [], {name: [] for name in model.given}
    shared = shared_values(model, state)
    for reservoir in model.reservoirs:
        here = model.space.place(reservoir.place).cells[0]
        values = {b.quantity: b.value + (b.factor * shared[b.shared] if b.shared else 0.0) for b in reservoir.states}
        # A state that was not given is one that the law does not read; the neighbour's keeps the arithmetic finite.
        rows.append(jnp.stack([jnp.asarray(values.get(n, state.u[here, k])) for k, n in enumerate(model.names)]))
        for name, field in model.given.items():
            given[name].append(jnp.asarray(values.get(name, field[here])))
    fields = {name: jnp.concatenate([jnp.asarray(f), jnp.stack(given[name])]) for name, f in model.given.items()}
    return jnp.concatenate([state.u, jnp.stack(rows)]), fields


def shared_values(model: Model, state: State) -> dict[str, Any]:
    """The shared unknowns by name."""
    return {unknown.name: state.s[i] for i, unknown in enumerate(model.shared)}


def local(model: Model, values: Array, given: dict[str, Any], shared: dict[str, Any]) -> Local:
    """One local state from a row of states, the given fields there and the shared unknowns."""
    return Local({**{n: values[k] for k, n in enumerate(model.names)}, **given, **shared}, model.frame)


def ends(edges: Edges, values: Array) -> tuple[Array, Array]:
    """Rows of the tails and of the heads of an edge set; a path needs no gathering."""
    if edges.first is not None and edges.first + len(edges) < values.shape[0]:
        at, count = edges.first, len(edges)
        return values[at : at + count], values[at + 1 : at + count + 1]
    return values[edges.tail], values[edges.head]


def scatter(edges: Edges, total: Array, at_tail: Array, at_head: Array) -> Array:
    """Add values of edges to the rows of their tails and heads."""
    if edges.first is not None and edges.first + len(edges) < total.shape[0]:
        at, count = edges.first, len(edges)
        return total.at[at : at + count].add(at_tail).at[at + 1 : at + count + 1].add(at_head)
    return total.at[edges.tail].add(at_tail).at[edges.head].add(at_head)


def _fluxes(model: Model, laws: tuple[EdgeLaw, ...], tail: Any, head: Any, shared: Any, edge: Geometry) -> Array:
    """Sum of the fluxes of several laws on one edge: (quantity,)."""
    at_tail, at_head = local(model, tail[0], tail[1], shared), local(model, head[0], head[1], shared)
    total = [jnp.zeros(())] * len(model.names)
    for law in laws:
        for name, flux in law.flux(at_tail, at_head, edge).items():
            total[model.index(name)] = total[model.index(name)] + flux
    return jnp.stack(total)


def on_edges(model: Model, numbers: tuple[int, ...], function: Any, state: State) -> Any:
    """Map ``function(laws, tail, head, shared, edge)`` over the edges that the laws with these numbers act on.

    ``tail`` and ``head`` are pairs (states (quantity,), given fields) of one edge.
    """
    edges = model.edges[model.acting[numbers[0]] or ""]
    laws = tuple(model.laws[n] for n in numbers)
    values, given = extended(model, state)
    tail, head = ends(edges, values)
    fields = {name: ends(edges, field) for name, field in given.items()}
    geometry = Geometry(jnp.asarray(edges.area), jnp.asarray(edges.length), jnp.asarray(edges.position))
    mapped = jax.vmap(
        lambda ls, t, h, g: function(ls, t, h, shared_values(model, state), g),
        in_axes=(tuple(per_edge_axes(law) for law in laws), 0, 0, 0),
    )
    at_tail = (tail, {name: pair[0] for name, pair in fields.items()})
    at_head = (head, {name: pair[1] for name, pair in fields.items()})
    return mapped(laws, at_tail, at_head, geometry)


def edge_fluxes(model: Model, state: State, name: str) -> Float[Array, "edge quantity"]:
    """Flux of every quantity through every edge of a set, tail to head, summed over its laws."""
    return on_edges(model, model.laws_on(name), lambda laws, t, h, s, g: _fluxes(model, laws, t, h, s, g), state)


def productions(model: Model, law: CellLaw, here: Any, shared: Any, cell: Cell) -> Array:
    """What one law makes of every quantity in one cell, per measure: (quantity,)."""
    total = [jnp.zeros(())] * len(model.names)
    for name, value in law.production(local(model, here[0], here[1], shared), cell).items():
        total[model.index(name)] = total[model.index(name)] + value
    return jnp.stack(total)


def in_cells(model: Model, number: int, function: Any, state: State) -> tuple[Any, Any, Array]:
    """Map ``function(law, here, shared, cell)`` over the cells of one law; returns (values, cells, measures).

    ``cells`` is a slice when the law acts everywhere.
    """
    law = model.laws[number]
    assert isinstance(law, CellLaw)
    cells, measure = cells_of(model, law, state.u)
    values, given = state.u[cells], {name: jnp.asarray(f)[cells] for name, f in model.given.items()}
    cell = Cell(measure, jnp.asarray(model.space.position)[cells])
    # A law that acts on edges too (Gauss's) has its values by edge, which mean nothing here.
    axes = None if isinstance(law, EdgeLaw) else per_edge_axes(law)
    mapped = jax.vmap(lambda one, h, c: function(one, h, shared_values(model, state), c), in_axes=(axes, 0, 0))
    return mapped(law, (values, given), cell), cells, measure


def cells_of(model: Model, law: CellLaw, u: Float[Array, "cell quantity"]) -> tuple[Any, Array]:
    """The cells of a law and their measure: volumes, or the areas of a boundary place."""
    if law.acts_in is None:
        return slice(None), volumes(model, u)
    place = model.space.place(law.acts_in)
    measure = place.area if place.kind == "boundary" else volumes(model, u)[place.cells]
    return place.cells, jnp.asarray(measure)


# ---- the equation ----------------------------------------------------------------------------------------------------


def balance(model: Model, state: State, force: Any = 1.0) -> Float[Array, "cell quantity"]:
    """Outflow along the edges less production and inflow, for each cell (and, below, each reservoir) and quantity."""
    total = jnp.zeros((model.cells + len(model.reservoirs), len(model.names)))
    for name, edges in model.edges.items():
        flux = edge_fluxes(model, state, name)
        total = scatter(edges, total, flux, -flux)
    for number, law in enumerate(model.laws):
        if isinstance(law, CellLaw) and law.makes:
            made, cells, measure = in_cells(model, number, lambda one, h, s, c: productions(model, one, h, s, c), state)
            total = total.at[: model.cells].set(total[: model.cells].at[cells].add(-measure[:, None] * made))
    for cells, k, flow in inflows(model, state):
        total = total.at[cells, k].add(-force * flow)
    return total


def inflows(model: Model, state: State) -> list[tuple[Any, int, Array]]:
    """Cells, column and flow (per cell of the place) of each given influx."""
    shared = shared_values(model, state)
    found = []
    for b in model.influxes:
        place = model.space.place(b.place)
        measure = {"boundary": place.area, "compartment": 1.0}.get(place.kind)
        measure = model.space.volume[place.cells] if measure is None else measure
        value = b.value + (b.factor * shared[b.shared] if b.shared else 0.0)
        found.append((place.cells, model.index(b.quantity), measure * value * jnp.ones(len(place.cells))))
    return found


def held_values(model: Model, state: State, force: Any = 1.0) -> Float[Array, "cell quantity"]:
    """What each held state must be. ``force`` below one draws the values of a quantity towards their mean."""
    target = jnp.zeros((model.cells, len(model.names)))
    shared = shared_values(model, state)
    for k, name in enumerate(model.names):
        fixed = [b for b in model.holds if b.quantity == name and b.shared is None]
        mean = sum(jnp.mean(jnp.asarray(b.value)) for b in fixed) / max(len(fixed), 1)
        for b in model.holds:
            if b.quantity != name:
                continue
            value = mean + force * (b.value - mean) if b.shared is None else b.value + b.factor * shared[b.shared]
            target = target.at[model.space.place(b.place).cells, k].set(value)
    return target


def volumes(model: Model, u: Float[Array, "cell quantity"]) -> Float[Array, " cell"]:
    """Volume of each cell: the space's, or where a quantity of kind ``size`` lives the state of that."""
    volume = jnp.asarray(model.space.volume)
    for k, q in enumerate(model.quantities):
        if q.kind == "size":
            volume = jnp.where(model.layout.active[:, k], u[:, k], volume)
    return volume


def stored(model: Model, u: Float[Array, "cell quantity"]) -> Float[Array, "cell quantity"]:
    """Amount stored in each cell. A quantity of kind ``size`` is the cell's volume where it lives."""
    volume = volumes(model, u)
    amounts = []
    for k, q in enumerate(model.quantities):
        amounts.append(u[:, k] if q.kind == "size" else volume * q.capacity * u[:, k])
    return jnp.stack(amounts, axis=1)


def totals(model: Model, u: Float[Array, "cell quantity"]) -> Float[Array, " total"]:
    """The conserved totals of a state."""
    layout = model.layout
    if not layout.totals:
        return jnp.zeros(0)
    weights = jnp.where(layout.pool >= 0, jnp.asarray(layout.weights)[:, layout.pool], 0.0)
    return jnp.sum(weights * stored(model, u), axis=(1, 2))


def residual(model: Model, state: State, stage: Stage, kept: Float[Array, " total"]) -> State:
    """The equations: zero at the solution. ``kept`` are the totals that closed parts must have."""
    raw = balance(model, state, stage.force)
    held, target = model.layout.held, held_values(model, state, stage.force)
    storage = (stored(model, state.u) - stored(model, stage.before)) * stage.inverse_step
    rows = jnp.where(held, state.u - target, raw[: model.cells] + storage)
    own = [s.balance.residual(View(model, state, raw)) for s in model.shared]
    rows_shared = jnp.stack(own) if own else jnp.zeros(0)
    if model.layout.totals:
        pinned = stage.pins >= 0
        pins, columns = jnp.maximum(stage.pins, 0), pivot_columns(model)
        value = state.s[len(model.shared) :]
        now = rows[pins, columns]
        rows = rows.at[pins, columns].set(jnp.where(pinned, state.u[pins, columns] - value, now))
        off = totals(model, state.u) - kept
        rows_shared = jnp.concatenate([rows_shared, jnp.where(pinned, off, value - state.u[pins, columns])])
    return State(rows, rows_shared)


def pivot_columns(model: Model) -> Array:
    """Column of the quantity in whose pool each conserved total is pinned."""
    in_pivot = jnp.asarray(model.layout.pool)[None] == jnp.asarray(model.layout.pivot)[:, None, None]
    return jnp.argmax(jnp.any(in_pivot, axis=1), axis=1)


def choose_pins(model: Model, u: Float[Array, "cell quantity"]) -> Array:
    """For each conserved total the cell of its pivot pool that stores most: an empty cell would be divided by."""
    in_pivot = jnp.asarray(model.layout.pool)[None] == jnp.asarray(model.layout.pivot)[:, None, None]
    amount = jnp.where(in_pivot, jnp.abs(stored(model, u)), -1.0)
    return jnp.argmax(jnp.max(amount, axis=2), axis=1)


class View:
    """What the balance of a shared unknown sees of the whole model."""

    def __init__(self, model: Model, state: State, raw: Array) -> None:
        self._model, self._state, self._raw = model, state, raw

    def __getitem__(self, name: str) -> Any:
        """A quantity's state in every cell, (cell,), or a shared unknown."""
        shared = shared_values(self._model, self._state)
        return shared[name] if name in shared else self._state.u[:, self._model.index(name)]

    @property
    def position(self) -> Any:
        """Coordinates of the cells, (cell,)."""
        return self._model.space.position

    def given(self, name: str) -> Any:
        """A given field, (cell,)."""
        return self._model.given[name]

    def flow(self, name: str, through: str) -> Any:
        """Flow of a quantity into the system through a place: reaction of held cells, influx and exchange."""
        return place_flow(self._model, self._state, self._raw, name, through)

    def value(self, name: str, at: str) -> Any:
        """Mean state of a quantity over a place."""
        return jnp.mean(self._state.u[self._model.space.place(at).cells, self._model.index(name)])

    def total(self, name: str) -> Any:
        """Stored total of a quantity."""
        return jnp.sum(stored(self._model, self._state.u)[:, self._model.index(name)])


def place_flow(model: Model, state: State, raw: Array, name: str, through: str) -> Any:
    """Flow of a quantity into the system through a place, in its flux unit.

    In a held cell the balance lacks what the boundary supplies; a reservoir loses what its exchange carries in; a given
    influx enters as it is.
    """
    k, place = model.index(name), model.space.place(through)
    xp = array_module(model, state, raw)
    raw = xp.asarray(raw)
    held = xp.asarray(model.layout.held)[place.cells, k] & xp.asarray(model.layout.active)[place.cells, k]
    flow = xp.sum(xp.where(held, raw[place.cells, k], 0.0))
    for number, reservoir in enumerate(model.reservoirs):
        if reservoir.place == through:
            flow = flow + raw[model.cells + number, k]
    for (_, column, entering), bound in zip(inflows(model, state), model.influxes, strict=True):
        if bound.place == through and column == k:
            flow = flow + xp.sum(xp.asarray(entering))
    return flow
