"""What laws see: the local states at the ends of the edges and in the cells, and how their answers are mapped back."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from steadyflux.model.model import Model
from steadyflux.physics.law import CellLaw, EdgeLaw, per_edge_axes, replace
from steadyflux.physics.local import Cell, Geometry, Local
from steadyflux.space.space import Edges


class State(NamedTuple):
    """The unknowns: ``u`` (cell, quantity) and ``s`` (shared unknown, then conserved total's pinned value)."""

    u: Float[Array, "cell quantity"]
    s: Float[Array, " shared"]


def placed(model: Model, state: State) -> Model:
    """The model with its space where the shared unknowns have moved it."""
    form = model.space.form
    if form is None:
        return model
    shared = shared_values(model, state)
    space = form.at(**{name: shared[name] for name in form.names})
    edges = {name: space.edges.get(name, e) for name, e in model.edges.items()}
    for number, reservoir in enumerate(model.reservoirs):
        name = model.acting[len(model.laws) - len(model.reservoirs) + number] or ""
        edges[name] = replace(edges[name], area=jnp.asarray(space.place(reservoir.place).area))
    return replace(model, space=space, edges=edges)


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
    if not model.laws_on(name):
        return jnp.zeros((len(model.edges[name]), len(model.names)))
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
    cells, measure = cells_of(model, law, state)
    values, given = state.u[cells], {name: jnp.asarray(f)[cells] for name, f in model.given.items()}
    cell = Cell(measure, jnp.asarray(model.space.position)[cells])
    # A law that acts on edges too (Gauss's) has its values by edge, which mean nothing here.
    axes = None if isinstance(law, EdgeLaw) else per_edge_axes(law)
    mapped = jax.vmap(lambda one, h, c: function(one, h, shared_values(model, state), c), in_axes=(axes, 0, 0))
    return mapped(law, (values, given), cell), cells, measure


def cells_of(model: Model, law: CellLaw, state: State) -> tuple[Any, Array]:
    """The cells of a law and their measure: volumes (their share in a region), or the areas of a boundary place."""
    if law.acts_in is None:
        return slice(None), volumes(model, state)
    place = model.space.place(law.acts_in)
    if place.kind == "boundary":
        return place.cells, jnp.asarray(place.area)
    measure = volumes(model, state)[place.cells]
    return place.cells, measure if place.share is None else measure * place.share


def volumes(model: Model, state: State) -> Float[Array, " cell"]:
    """Volume of each cell: the space's, or where a quantity of kind ``size`` lives the state of that."""
    volume = jnp.asarray(placed(model, state).space.volume)
    for k, q in enumerate(model.quantities):
        if q.kind == "size":
            volume = jnp.where(model.layout.active[:, k], state.u[:, k], volume)
    return volume
