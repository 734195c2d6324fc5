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
from steadyflux.model.layout import held_at
from steadyflux.model.mapping import (
    State,
    edge_fluxes,
    ends,
    in_cells,
    placed,
    productions,
    scatter,
    shared_values,
    volumes,
)
from steadyflux.model.model import Model
from steadyflux.model.shared import Shared
from steadyflux.physics.law import CellLaw
from steadyflux.space.space import INTERIOR, Edges


class Stage(NamedTuple):
    """How far the search has come, and how the storage term is written.

    A search for a steady state scales the forces by ``force`` and takes pseudo-time steps: what is stored has grown
    since the state ``before`` at the rate (S(u) - S(before)) * ``inverse_step`` (zero: no storage term). In time
    ``rate`` is given: then the unknowns change at the rate y' = rate + (y - before) * inverse_step, which is how every
    implicit method of integration writes it.
    """

    force: Any
    inverse_step: Any
    before: State
    pins: Any
    """Cell that keeps each conserved total, (total,); -1 while pseudo-time keeps the totals by itself."""
    rate: State | None = None
    time: Any = 0.0


# ---- the equation ----------------------------------------------------------------------------------------------------


def balance(
    model: Model, state: State, force: Any = 1.0, motion: Float[Array, " shared"] | None = None
) -> Float[Array, "cell quantity"]:
    """Outflow along the edges less production and inflow, for each cell (and, below, each reservoir) and quantity.

    ``motion`` is the rate of the shared unknowns; where they move the space, its faces take up what they sweep over.
    """
    resting, model = model, placed(model, state)
    total = jnp.zeros((model.cells + len(model.reservoirs), len(model.names)))
    for name, edges in model.edges.items():
        flux = edge_fluxes(model, state, name)
        total = scatter(edges, total, flux, -flux)
    if resting.space.form is not None and motion is not None:
        edges, flux = swept(resting, state, motion)
        total = scatter(edges, total, flux, -flux)
    for number, law in enumerate(model.laws):
        if isinstance(law, CellLaw) and law.makes:
            made, cells, measure = in_cells(model, number, lambda one, h, s, c: productions(model, one, h, s, c), state)
            total = total.at[: model.cells].set(total[: model.cells].at[cells].add(-measure[:, None] * made))
    for cells, k, flow in inflows(model, state):
        total = total.at[cells, k].add(-force * flow)
    return total


def swept(model: Model, state: State, motion: Float[Array, " shared"]) -> tuple[Edges, Float[Array, "edge quantity"]]:
    """What flows through faces that move while everything else stands still: less what they sweep over."""
    edges = model.space.edge_set(INTERIOR)
    tail, head = ends(edges, densities(model, state))
    return edges, -0.5 * sweeping(model, state, motion)[:, None] * (tail + head)


def sweeping(model: Model, state: State, motion: Float[Array, " shared"]) -> Float[Array, " edge"]:
    """Volume that each interior face sweeps over per time, towards its head, m^3/s."""
    return jax.jvp(lambda s: placed(model, State(state.u, s)).space.edges[INTERIOR].enclosed, (state.s,), (motion,))[1]


def inflows(model: Model, state: State) -> list[tuple[Any, int, Array]]:
    """Cells, column and flow (per cell of the place) of each given influx."""
    shared = shared_values(model, state)
    found = []
    for b in model.influxes:
        place = model.space.place(b.place)
        measure = model.space.measure(b.place)
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
        for number, b in enumerate(model.holds):
            if b.quantity != name:
                continue
            value = mean + force * (b.value - mean) if b.shared is None else b.value + b.factor * shared[b.shared]
            cells = model.space.place(b.place).cells
            own = jnp.asarray(model.layout.owner)[cells, k] == number
            target = target.at[cells, k].add(jnp.where(own, value, 0.0))
    return target


def densities(model: Model, state: State) -> Float[Array, "cell quantity"]:
    """Amount stored per volume of each cell."""
    columns = [
        storage.factor * _by_phase(model, state, k) if storage.by_phase else storage.density(state.u[:, k])
        for k, storage in enumerate(model.storage)
    ]
    for k, q in enumerate(model.quantities):
        if q.motion is not None:
            moving = model.index(q.motion)
            columns[k] = columns[k] + 0.5 * state.u[:, moving] * columns[moving]
    return jnp.stack(columns, axis=1)


def _by_phase(model: Model, state: State, k: int) -> Float[Array, " cell"]:
    """Internal energy, J/m^3, or momentum, kg/(m^2 s), of the phase in each cell."""
    species = [q for q in model.quantities if q.kind == "species"]
    c = {q.name: state.u[:, model.index(q.name)] for q in species}
    if model.quantities[k].kind == "momentum":
        return state.u[:, k] * sum((model.phase.molar_mass(name) * x for name, x in c.items()), jnp.zeros(()))
    charges, standards = {q.name: q.charge for q in species}, {q.name: q.standard for q in species}
    return jax.vmap(lambda c, T: model.phase.energy(c, charges, standards, T))(c, state.u[:, k])


def capacities(model: Model, state: State) -> Float[Array, "cell quantity"]:
    """Derivative of what is stored per volume of each quantity by its own state."""
    columns = jnp.eye(len(model.names))
    slopes = [
        jax.jvp(lambda u: densities(model, State(u, state.s)), (state.u,), (jnp.broadcast_to(e, state.u.shape),))[1]
        for e in columns
    ]
    return jnp.stack([slopes[k][:, k] for k in range(len(model.names))], axis=1)


def stored(model: Model, state: State) -> Float[Array, "cell quantity"]:
    """Amount stored in each cell. A quantity of kind ``size`` is the cell's volume where it lives."""
    amounts = volumes(model, state)[:, None] * densities(model, state)
    for k, q in enumerate(model.quantities):
        if q.kind == "size":
            amounts = amounts.at[:, k].set(state.u[:, k])
    return amounts


def totals(model: Model, state: State) -> Float[Array, " total"]:
    """The conserved totals of a state."""
    layout = model.layout
    if not layout.totals:
        return jnp.zeros(0)
    weights = jnp.where(layout.pool >= 0, jnp.asarray(layout.weights)[:, layout.pool], 0.0)
    return jnp.sum(weights * stored(model, state), axis=(1, 2))


def rates(state: State, stage: Stage) -> State:
    """Rates of the unknowns at a stage."""
    rate = State(
        (state.u - stage.before.u) * stage.inverse_step,
        (state.s - stage.before.s) * stage.inverse_step,
    )
    return rate if stage.rate is None else State(rate.u + stage.rate.u, rate.s + stage.rate.s)


def accumulation(model: Model, state: State, stage: Stage) -> Float[Array, "cell quantity"]:
    """Rate at which each cell's store grows: the storage term of the equation."""
    if stage.rate is None:
        return (stored(model, state) - stored(model, stage.before)) * stage.inverse_step
    return jax.jvp(lambda y: stored(model, y), (state,), (rates(state, stage),))[1]


def residual(model: Model, state: State, stage: Stage, kept: Float[Array, " total"]) -> State:
    """The equations: zero at the solution. ``kept`` are the totals that closed parts must have."""
    rate = rates(state, stage)
    growth = accumulation(model, state, stage)
    raw = balance(model, state, stage.force, rate.s)
    held, target = model.layout.held, held_values(model, state, stage.force)
    rows = jnp.where(held, state.u - target, constrained(model, state, stage, raw)[: model.cells] + growth)
    supplied = raw.at[: model.cells].add(growth)
    view = View(model, state, supplied, stage.time)
    own = [_shared_row(unknown, rate.s[i], view) for i, unknown in enumerate(model.shared)]
    rows_shared = jnp.stack(own) if own else jnp.zeros(0)
    if model.layout.totals and stage.rate is None:
        pinned = stage.pins >= 0
        pins, columns = jnp.maximum(stage.pins, 0), pivot_columns(model)
        value = state.s[len(model.shared) :]
        now = rows[pins, columns]
        rows = rows.at[pins, columns].set(jnp.where(pinned, state.u[pins, columns] - value, now))
        off = totals(model, state) - kept
        rows_shared = jnp.concatenate([rows_shared, jnp.where(pinned, off, value - state.u[pins, columns])])
    return State(rows, rows_shared)


def _shared_row(unknown: Shared, rate: Any, view: View) -> Any:
    return unknown.balance.residual(view) if unknown.rate is None else rate - unknown.rate(view)


def constraints(model: Model) -> tuple[int, ...]:
    """Columns whose balance holds no flux of their own but binds other states together (electroneutrality)."""
    made = {n for law in model.laws if getattr(law, "enforces_neutrality", False) for n in law.makes}
    return tuple(k for k, name in enumerate(model.names) if name in made)


def constrained(model: Model, state: State, stage: Stage, raw: Array) -> Array:
    """The balance as an integration in time needs it: a constraint between states is replaced by its rate.

    The potential of an electroneutral model stands in no row of its own: the rate of that row, which the balances of
    the ions turn into the divergence of the current, determines it (the equations' index falls from two to one).
    """
    columns = constraints(model)
    if stage.rate is None or not columns:
        return raw
    rate = rates(state, stage)
    along = jax.jvp(lambda y: balance(model, y, stage.force)[:, jnp.array(columns)], (state,), (rate,))[1]
    return raw.at[:, jnp.array(columns)].set(along)


def pivot_columns(model: Model) -> Array:
    """Column of the quantity in whose pool each conserved total is pinned."""
    in_pivot = jnp.asarray(model.layout.pool)[None] == jnp.asarray(model.layout.pivot)[:, None, None]
    return jnp.argmax(jnp.any(in_pivot, axis=1), axis=1)


def choose_pins(model: Model, state: State) -> Array:
    """For each conserved total the cell of its pivot pool that stores most: an empty cell would be divided by."""
    in_pivot = jnp.asarray(model.layout.pool)[None] == jnp.asarray(model.layout.pivot)[:, None, None]
    amount = jnp.where(in_pivot, jnp.abs(stored(model, state)), -1.0)
    return jnp.argmax(jnp.max(amount, axis=2), axis=1)


class View:
    """What the balance (or rate) of a shared unknown, and an event in time, sees of the whole model."""

    def __init__(self, model: Model, state: State, raw: Array, time: Any = 0.0) -> None:
        self._model, self._state, self._raw = model, state, raw
        self.time = time

    def __getitem__(self, name: str) -> Any:
        """A quantity's state in every cell, (cell,), or a shared unknown."""
        shared = shared_values(self._model, self._state)
        return shared[name] if name in shared else self._state.u[:, self._model.index(name)]

    @property
    def position(self) -> Any:
        """Coordinates of the cells, (cell,)."""
        return placed(self._model, self._state).space.position

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
        return jnp.sum(stored(self._model, self._state)[:, self._model.index(name)])


def place_flow(model: Model, state: State, raw: Array, name: str, through: str) -> Any:
    """Flow of a quantity into the system through a place, in its flux unit.

    In a held cell the balance lacks what the boundary supplies; a reservoir loses what its exchange carries in; a given
    influx enters as it is.
    """
    model = placed(model, state)
    k, place = model.index(name), model.space.place(through)
    xp = array_module(model, state, raw)
    raw = xp.asarray(raw)
    flow = xp.sum(xp.where(held_at(model, name, through), raw[place.cells, k], 0.0))
    for number, reservoir in enumerate(model.reservoirs):
        if reservoir.place == through:
            flow = flow + raw[model.cells + number, k]
    for (_, column, entering), bound in zip(inflows(model, state), model.influxes, strict=True):
        if bound.place == through and column == k:
            flow = flow + xp.sum(xp.asarray(entering))
    return flow
