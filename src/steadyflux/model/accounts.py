"""The books of a state: every flux by law, the ledger of each quantity, entropy produced by law and place, the regime.

Entropy needs no code in any law: on an edge it is the sum of J_k (y_k,head - y_k,tail), in a cell the sum of what is
made times y_k, with y the potentials conjugate to the fluxes. What an unmodelled supply feeds in is added over T.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from steadyflux.model.layout import held_at
from steadyflux.model.mapping import State, extended, in_cells, local, on_edges, placed, shared_values
from steadyflux.model.model import Model
from steadyflux.model.system import balance, inflows, stored
from steadyflux.physics.law import CellLaw, EdgeLaw, Law
from steadyflux.physics.quantity import KINDS

QUIET = 1e-9  # a net flux below this share of what moves both ways counts as none


class LawAccount(NamedTuple):
    """What one law does: flux (edge or cell, quantity), entropy produced there (W/K), the same without
    its supply, power supplied (W), rise of what it carries without a loss (W/K), traffic.

    ``traffic`` is what the flux would be without the opposing one, (edge or cell, quantity): the measure of "no net
    flux".
    """

    flux: Float[Array, "edge quantity"]
    entropy: Float[Array, " edge"]
    passive: Float[Array, " edge"]
    supply: Float[Array, " edge"]
    carried: Float[Array, " edge"]
    traffic: Float[Array, "edge quantity"]


@dataclass(frozen=True)
class Entry:
    """One quantity's books, in its flux unit: what enters, leaves and is produced; ``imbalance`` is what is left over.

    ``relative`` is the imbalance over the largest of the terms (or, where nothing crosses, over the traffic inside).
    """

    into: float
    out: float
    produced: float
    stored: float
    imbalance: float
    relative: float
    unit: str
    places: Mapping[str, float]


@dataclass(frozen=True)
class Entropy:
    """Entropy produced, W/K: total, least on any edge or in any cell, by law, by cell; power supplied, W; and the
    same total from what crosses the boundaries (``exported``) and, in time, from what the cells' own entropy grows by
    (``stored``): exported and stored together must agree with the production."""

    production: float
    least_local: float
    by_law: Mapping[str, float]
    by_cell: np.ndarray
    supply: float
    exported: float
    unaccounted: tuple[str, ...]
    unit: str = "W/K"
    stored: float = 0.0


class Accounts(NamedTuple):
    """All books of a state, as arrays (see `account`)."""

    laws: tuple[LawAccount, ...]
    conjugate: Float[Array, "cell quantity"]
    raw: Float[Array, "cell quantity"]
    """What every cell lacks and every reservoir gives: zero but where a boundary supplies."""
    growth: Float[Array, "cell quantity"]
    """Rate at which each cell's store grows; zero in a steady state."""


def label(model: Model, number: int) -> str:
    """A law's name in tables: its kind, and where it acts when that is not everywhere."""
    law, acting = model.laws[number], model.acting[number]
    kind = type(law).__name__
    kind = f"{kind}({law.quantity})" if kind == "Conduction" else kind  # type: ignore[attr-defined]
    place = acting if acting is not None else (law.acts_in if isinstance(law, CellLaw) else None)
    own = getattr(law, "label", None) or kind
    return own if place in (None, "interior") else f"{own} [{place}]"


def labels(model: Model) -> tuple[str, ...]:
    """Labels of all laws, numbered where two would be the same."""
    plain = [label(model, n) for n in range(len(model.laws))]
    return tuple(
        name if plain.count(name) == 1 else f"{name} #{plain[:n].count(name) + 1}" for n, name in enumerate(plain)
    )


@jax.jit
def account(model: Model, state: State, rate: State | None = None) -> Accounts:
    """Fluxes, entropies and potentials of a state, and in time (with the rates of its unknowns) what is stored."""
    raw, growth = _supply(model, state, rate)
    here = placed(model, state)
    laws = tuple(_law_account(here, number, law, state) for number, law in enumerate(here.laws))
    return Accounts(laws, conjugates(here, state), raw, growth)


@jax.jit
def supplied(model: Model, state: State, rate: State | None = None) -> Float[Array, "cell quantity"]:
    """What every cell lacks and every reservoir gives, stored amounts counted: what the boundaries supply."""
    return _supply(model, state, rate)[0]


def _supply(model: Model, state: State, rate: State | None) -> tuple[Array, Array]:
    if rate is None:
        return balance(model, state), jnp.zeros_like(state.u)
    growth = jax.jvp(lambda y: stored(model, y), (state,), (rate,))[1]
    return balance(model, state, 1.0, rate.s).at[: model.cells].add(growth), growth


@jax.jit
def production_rate(model: Model, state: State) -> Any:
    """Entropy production of a state, W/K."""
    here = placed(model, state)
    floor = jnp.array([1e-300 if KINDS[q.kind].positive else -jnp.inf for q in model.quantities])
    state = State(jnp.maximum(state.u, floor), state.s)  # an integrator may leave a vanished state below zero
    made = [_law_account(here, number, law, state).entropy for number, law in enumerate(here.laws)]
    return sum((jnp.sum(one) for one in made), jnp.zeros(()))


def conjugates(model: Model, state: State) -> Float[Array, "cell quantity"]:
    """The potential conjugate to each flux in every cell and reservoir, (cell + reservoir, quantity)."""
    values, given = extended(model, state)
    shared = shared_values(model, state)

    def one(row: Array, fields: dict[str, Any]) -> Array:
        here = local(model, row, fields, shared)
        return jnp.stack([here.conjugate(name) for name in model.names])

    return jax.vmap(one)(values, given)


def _law_account(model: Model, number: int, law: Law, state: State) -> LawAccount:
    # A law with both (Gauss's) is booked by its edges; what it makes stands in the ledger.
    if isinstance(law, EdgeLaw) and law.moves:
        return LawAccount(*on_edges(model, (number,), lambda ls, *a: _edge_account(model, ls[0], *a), state))
    found, _, measure = in_cells(model, number, lambda *a: _cell_account(model, *a), state)
    flux, entropy, passive, supply, traffic = found
    wide, none = measure[:, None], jnp.zeros_like(measure)
    return LawAccount(flux * wide, entropy * measure, passive * measure, supply * measure, none, traffic * wide)


def _vector(model: Model, values: Mapping[str, Any]) -> Array:
    return jnp.stack([jnp.asarray(values.get(name, 0.0), dtype=float) for name in model.names])


def _edge_account(model: Model, law: EdgeLaw, tail: Any, head: Any, shared: Any, edge: Any) -> tuple[Any, ...]:
    at_tail, at_head = local(model, tail[0], tail[1], shared), local(model, head[0], head[1], shared)
    flux = law.flux(at_tail, at_head, edge)
    ways = law.one_way(at_tail, at_head, edge) or {}
    slope = jax.jvp(
        lambda u, v: _vector(model, law.flux(local(model, u, tail[1], shared), local(model, v, head[1], shared), edge)),
        (tail[0], head[0]),
        (tail[0], jnp.zeros_like(head[0])),
    )[1]
    traffic = {n: jnp.maximum(jnp.abs(ways[n][0]), jnp.abs(ways[n][1])) for n in ways}
    busy = jnp.maximum(_vector(model, traffic), jnp.abs(slope))
    supply = law.supply(at_tail, at_head, edge)
    supply = jnp.zeros(()) if supply is None else jnp.asarray(supply)
    passive = jnp.zeros(())
    for name in (n for n in flux if n in counted(model)):
        # Nothing flows where nothing is: an infinite force times no flux costs nothing.
        rise, j = at_head.conjugate(name) - at_tail.conjugate(name), flux[name]
        passive = passive + jnp.where(j == 0.0, 0.0, j * jnp.where(j == 0.0, 0.0, rise))
    ends = law.carried(at_tail, edge), law.carried(at_head, edge)
    carried = jnp.zeros(()) if ends[0] is None else ends[1] - ends[0]
    passive = passive - carried
    entropy = passive + supply / at_tail.T if law.dissipative else jnp.zeros(())
    return _vector(model, flux), entropy, passive, supply, carried, busy


def _cell_account(model: Model, law: CellLaw, here: Any, shared: Any, cell: Any) -> tuple[Any, ...]:
    at = local(model, here[0], here[1], shared)
    made = law.production(at, cell)
    ways = getattr(law, "one_way", None)
    pair = ways(at, cell) if ways is not None and not isinstance(law, EdgeLaw) else None
    traffic = jnp.abs(_vector(model, made))
    if pair is not None:
        # Who takes part is told by the stoichiometry: at equilibrium nothing is made of anything.
        numbers = dict(getattr(law, "stoichiometry", ((name, 1.0) for name in law.makes)))
        part = _vector(model, {name: jnp.asarray(float(number != 0)) for name, number in numbers.items()})
        traffic = jnp.where(part > 0, jnp.maximum(jnp.abs(pair[0]), jnp.abs(pair[1])), traffic)
    supply = law.supply(at, cell) if not isinstance(law, EdgeLaw) else None
    supply = jnp.zeros(()) if supply is None else jnp.asarray(supply)
    passive = jnp.zeros(())
    for name in (n for n in made if n in counted(model)):
        y, rate = at.conjugate(name), made[name]
        passive = passive + jnp.where(rate == 0.0, 0.0, rate * jnp.where(rate == 0.0, 0.0, y))
    entropy = passive + supply / at.T if law.dissipative else jnp.zeros(())
    return _vector(model, made), entropy, passive, supply, traffic


def ledger_of(model: Model, state: State, books: Accounts) -> dict[str, Entry]:
    """The ledger of every quantity. Produced is what laws make in the cells; in and out cross at places."""
    raw = np.asarray(books.raw)
    entries: dict[str, Entry] = {}
    for k, name in enumerate(model.names):
        places = boundary_flows(model, state, raw, name)
        produced = _produced(model, state, books, k)
        into = sum((flow for flow in places.values() if flow > 0), 0.0)
        out = sum((-flow for flow in places.values() if flow < 0), 0.0)
        grown = float(np.sum(np.asarray(books.growth)[:, k]))
        left_over = into - out + produced[0] - grown
        crossing, traffic = max(into, out, produced[1], abs(grown)), _traffic(model, books, k)
        # Where next to nothing crosses, a share of it would compare rounding with rounding: there the traffic is the
        # scale.
        size = crossing if crossing > 1e-9 * traffic else traffic
        entries[name] = Entry(
            into=into,
            out=out,
            produced=produced[0],
            stored=grown,
            imbalance=left_over,
            relative=abs(left_over) / size if size > 0 else 0.0,
            unit=model.flux_unit(name),
            places=places,
        )
    return entries


def boundary_flows(model: Model, state: State, raw: np.ndarray, name: str) -> dict[str, float]:
    """Flow of a quantity into the system through every place where a condition stands."""
    k = model.index(name)
    flows: dict[str, float] = {}
    for bound in model.holds:
        if bound.quantity == name:
            cells = np.asarray(model.space.place(bound.place).cells)
            own = np.asarray(held_at(model, name, bound.place))
            flows[bound.place] = flows.get(bound.place, 0.0) + float(np.sum(raw[cells[own], k]))
    for number, reservoir in enumerate(model.reservoirs):
        if name in model.laws[len(model.laws) - len(model.reservoirs) + number].moves:
            flows[reservoir.place] = flows.get(reservoir.place, 0.0) + float(raw[model.cells + number, k])
    for (_, column, entering), bound in zip(inflows(model, state), model.influxes, strict=True):
        if column == k:
            flows[bound.place] = flows.get(bound.place, 0.0) + float(jnp.sum(entering))
    return flows


def _produced(model: Model, state: State, books: Accounts, k: int) -> tuple[float, float]:
    """Net production by laws in the cells, and the sum of its absolute parts."""
    net, gross = 0.0, 0.0
    for number, law in enumerate(model.laws):
        if isinstance(law, CellLaw) and model.names[k] in law.makes:
            if isinstance(law, EdgeLaw):
                made, _, measure = in_cells(
                    model,
                    number,
                    lambda one, h, s, c: _vector(model, one.production(local(model, h[0], h[1], s), c)),
                    state,
                )
                values = np.asarray(made * measure[:, None])[:, k]
            else:
                values = np.asarray(books.laws[number].flux)[:, k]
            net += float(values.sum())
            gross += float(np.abs(values).sum())
    return net, gross


def _traffic(model: Model, books: Accounts, k: int) -> float:
    sizes = [float(np.max(np.abs(np.asarray(b.traffic)[:, k]), initial=0.0)) for b in books.laws]
    return max(sizes, default=0.0)


def entropy_of(model: Model, state: State, books: Accounts) -> Entropy:
    """Entropy production of a state by law and place, and the same from what its boundaries exchange."""
    by_cell = np.zeros(model.cells + len(model.reservoirs))
    by_law: dict[str, float] = {}
    least, supply = np.inf, 0.0
    unaccounted: list[str] = []
    for number, (law, name) in enumerate(zip(model.laws, labels(model), strict=True)):
        produced = np.asarray(books.laws[number].entropy)
        supply += float(np.sum(np.asarray(books.laws[number].supply)))
        if not law.dissipative:
            unaccounted.append(name)
            continue
        by_law[name] = float(produced.sum())
        least = min(least, float(produced.min()))
        acting = model.acting[number]
        if acting is not None:
            edges = model.edges[acting]
            np.add.at(by_cell, np.asarray(edges.tail), 0.5 * produced)
            np.add.at(by_cell, np.asarray(edges.head), 0.5 * produced)
        elif isinstance(law, CellLaw):
            cells = slice(None) if law.acts_in is None else np.asarray(model.space.place(law.acts_in).cells)
            by_cell[: model.cells][cells] += produced
    return Entropy(
        production=float(sum(by_law.values())),
        least_local=0.0 if least == np.inf else least,
        by_law=by_law,
        by_cell=by_cell[: model.cells],
        supply=supply,
        exported=_exported(model, state, books),
        unaccounted=tuple(unaccounted),
        stored=_entropy_stored(model, books),
    )


def _entropy_stored(model: Model, books: Accounts) -> float:
    """Rate at which the entropy of the cells grows: sum of what is stored times the conjugate potential, W/K."""
    columns = [k for k, n in enumerate(model.names) if n in counted(model)]
    growth, y = np.asarray(books.growth)[:, columns], np.asarray(books.conjugate)[: model.cells, columns]
    return float(np.sum(np.where(growth == 0.0, 0.0, growth * np.where(growth == 0.0, 0.0, y))))


def counted(model: Model) -> set[str]:
    """The quantities in whose movement or making entropy is booked."""
    return {n for law in model.laws if law.dissipative for n in (*law.moves, *law.makes)}


def _exported(model: Model, state: State, books: Accounts) -> float:
    """Entropy that leaves with what crosses the boundaries, plus what supplies bring over T: - sum of (flow in) y.

    Summing the balance times y by parts turns the production into this boundary form, which the audit compares with the
    sum over the edges and cells. What laws without a cost (a decay, a source) carry away is exported too; quantities
    that only such laws move are left out of both.
    """
    raw, y = np.array(books.raw), np.asarray(books.conjugate)
    for cells, k, entering in inflows(model, state):
        np.add.at(raw[:, k], np.asarray(cells), np.asarray(entering))
    columns = [k for k, n in enumerate(model.names) if n in counted(model)]
    flow, potential = raw[:, columns], y[:, columns]
    product = np.where(flow == 0.0, 0.0, flow * np.where(flow == 0.0, 0.0, potential))
    fed = sum(
        _fed(np.asarray(b.entropy if law.dissipative else np.zeros_like(b.passive)), np.asarray(b.passive))
        for law, b in zip(model.laws, books.laws, strict=True)
    )
    carried = sum(
        float(np.sum(np.asarray(b.carried))) for law, b in zip(model.laws, books.laws, strict=True) if law.dissipative
    )
    return fed - float(product.sum()) - carried


def _fed(entropy: np.ndarray, passive: np.ndarray) -> float:
    """What a supply adds to the entropy of a law, W/K; both are infinite beside a state of exactly zero."""
    return float(np.sum(np.subtract(entropy, passive, out=np.zeros_like(passive), where=entropy != passive)))


def regime_of(model: Model, books: Accounts) -> str:
    """equilibrium (no net flux anywhere, by its share of the traffic), steady nonequilibrium, or transient (a store
    grows by more than that share)."""
    busy = np.max([np.max(np.abs(np.asarray(b.traffic)), axis=0, initial=0.0) for b in books.laws], axis=0)
    if np.any(np.max(np.abs(np.asarray(books.growth)), axis=0) > QUIET * busy):
        return "transient"
    for law, book in zip(model.laws, books.laws, strict=True):
        flux, traffic = np.abs(np.asarray(book.flux)), np.abs(np.asarray(book.traffic))
        if not law.dissipative:
            # A constraint on the potential (Gauss's law, electroneutrality) has charge and displacement at rest too.
            flows = np.array([q.kind != "charge" for q in model.quantities])
            flux, traffic = flux[:, flows], traffic[:, flows]
        if np.any(np.asarray(book.supply) != 0.0):
            return "steady nonequilibrium"
        if np.any(flux > QUIET * np.max(traffic, axis=0, initial=0.0)):
            return "steady nonequilibrium"
    # Charge that enters under Gauss's law stays where it is, on a wall; under Ohm's law it is a current.
    carried = {name for law in model.laws if law.dissipative for name in law.moves}
    if any(
        np.any(np.asarray(b.value) != 0.0)
        for b in model.influxes
        if b.quantity in carried or model.quantity(b.quantity).kind != "charge"
    ):
        return "steady nonequilibrium"
    return "equilibrium"


def stored_of(model: Model, state: State) -> dict[str, float]:
    """Stored total of every quantity."""
    amounts = np.asarray(stored(model, state)).sum(axis=0)
    return dict(zip(model.names, map(float, amounts), strict=True))
