"""The declaration of a problem: space, quantities, laws and boundaries, refused by name and place when ill-posed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import equinox as eqx
import numpy as np

from steadyflux.ground.arithmetic import is_traced
from steadyflux.ground.errors import ModelError, NameUnknown
from steadyflux.ground.signal import Spread, at_time, extremes, is_signal, signals_of
from steadyflux.ground.units import si
from steadyflux.model.conditions import (
    Bound,
    Condition,
    Exchange,
    Float,
    Hold,
    Influx,
    SharedRef,
    bind_hold,
    bind_influx,
    check_single,
)
from steadyflux.model.layout import Layout, lay_out
from steadyflux.model.shared import FlowBalance, Shared
from steadyflux.model.storage import Storage, storage_of
from steadyflux.physics.law import CellLaw, EdgeLaw, Law, replace
from steadyflux.physics.local import TEMPERATURE, Frame
from steadyflux.physics.phase import Ideal, Phase
from steadyflux.physics.quantity import KINDS, Quantity
from steadyflux.physics.symmetry import check_symmetry
from steadyflux.space.space import INTERIOR, Edges, Space, evaluate

AMBIENT = 298.15  # K, 25 C: where most tabulated diffusivities were measured


class Reservoir(eqx.Module):
    """The held outside of an exchange: its name and the states that were given for it."""

    name: str = eqx.field(static=True)
    place: str = eqx.field(static=True)
    states: tuple[Bound, ...]


class Model(eqx.Module):
    """A well-posed problem; a frozen record and a JAX pytree whose leaves are its numbers.

    Args:
        space: where (`interval`, `network`, `axis`, `join`).
        quantities: what is carried.
        laws: what moves and makes it.
        boundaries: conditions; a place without one is sealed.
        phase: the mixture's free energy (default ideal).
        temperature: K; used where no `Heat` quantity is solved for.
        given: known fields by name: a number, one value per cell, or a function of the coordinate. A field called "phi"
            is the electric potential, "T" the temperature.
        start: first guess by quantity; for what no boundary feeds, also the total that is kept; in time, where the way
            begins.
        shared: shared unknowns with their balances.
    """

    space: Space
    quantities: tuple[Quantity, ...]
    laws: tuple[Law, ...]
    acting: tuple[str | None, ...] = eqx.field(static=True)  # the edge set each law acts on; None for laws in cells
    edges: dict[str, Edges]
    holds: tuple[Bound, ...]
    influxes: tuple[Bound, ...]
    reservoirs: tuple[Reservoir, ...]
    phase: Phase
    given: dict[str, Any]
    start: dict[str, Any]
    shared: tuple[Shared, ...]
    layout: Layout
    storage: tuple[Storage, ...]
    varies: bool = eqx.field(static=True)  # whether a number of it changes with time

    def __init__(
        self,
        space: Space,
        quantities: Sequence[Quantity],
        laws: Sequence[Law],
        boundaries: Sequence[Condition] = (),
        *,
        phase: Phase | None = None,
        temperature: Any = AMBIENT,
        given: Mapping[str, Any] | None = None,
        start: Mapping[str, Any] | None = None,
        shared: Sequence[Shared] = (),
    ) -> None:
        self.space = space
        quantities, laws = _listed("quantities", quantities, Quantity), _listed("laws", laws, Law)
        boundaries = _listed("boundaries", boundaries, Condition)
        self.quantities = _by_name(quantities)
        known = {q.name: q for q in self.quantities}
        self.phase = Ideal() if phase is None else phase
        self.given = _given_fields(space, known, given or {}, temperature)
        for q in self.quantities:
            if q.external is not None and q.external not in self.given:
                raise NameUnknown("given field", q.external, self.given)
            if q.motion is not None and q.motion not in [m.name for m in self.quantities if m.kind == "momentum"]:
                raise NameUnknown("momentum", q.motion, [m.name for m in self.quantities if m.kind == "momentum"])
        conditions = tuple(boundaries)
        _check_conditions(space, known, conditions)
        floats = [c for c in conditions if isinstance(c, Float)]
        self.shared = (*shared, *(_floating(c, known) for c in floats))
        self._check_shared_names(known)
        self.holds, self.influxes = self._bind(conditions, known)
        exchanges = [c for c in conditions if isinstance(c, Exchange)]
        bound_laws = [_bound_law(law, known, space) for law in laws]
        acting = [law.on if isinstance(law, EdgeLaw) and law.moves else None for law in bound_laws]
        self.edges = {name: space.edge_set(name) for name in acting if name is not None}
        if space.form is not None:  # its faces move even where no law acts
            self.edges.setdefault(INTERIOR, space.edge_set(INTERIOR))
            self._check_moving(space)
        for number, condition in enumerate(exchanges):
            edges = _exchange_edges(condition, space, number)
            bound_laws.append(condition.law.bound(known, edges.position))
            acting.append(f"{condition.place} - outside {number}")
            self.edges[acting[-1] or ""] = edges
        self.laws, self.acting = tuple(bound_laws), tuple(acting)
        # A compiled program rebuilds a table with its names sorted; patterns made outside must see the same order.
        self.edges = dict(sorted(self.edges.items()))
        self._check_laws(known)
        self.storage = tuple(storage_of(q, space) for q in self.quantities)
        # Diffusivities and capacities that are functions have been evaluated; a function is no leaf of a compiled
        # program.
        self.quantities = tuple(_plain(q) for q in self.quantities)
        self.reservoirs = tuple(
            self._reservoir(condition, law, known)
            for condition, law in zip(exchanges, self.laws[len(self.laws) - len(exchanges) :], strict=True)
        )
        self.start = {name: self._start_value(known, name, value) for name, value in (start or {}).items()}
        self.varies = False
        self.layout = lay_out(self.at(0.0) if signals_of(self._numbers()) else self)
        self.varies = bool(signals_of(self._numbers()))

    def _numbers(self) -> Any:
        return self.laws, self.holds, self.influxes, self.reservoirs, self.given, self.phase, self.shared, self.storage

    def at(self, time: Any) -> Model:
        """The model as it is at a time, s: every signal replaced by its value."""
        changing = ("laws", "holds", "influxes", "reservoirs", "given", "phase", "shared", "storage")
        return replace(self, **{name: at_time(getattr(self, name), time) for name in changing})

    # ---- what it is made of -------------------------------------------------------------------------------------

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the quantities, in the order of the state's columns."""
        return tuple(q.name for q in self.quantities)

    @property
    def cells(self) -> int:
        """Number of cells of the space (reservoirs of exchanges not counted)."""
        return self.space.cells

    def index(self, name: str) -> int:
        """Column of a quantity; an unknown name is refused with the nearest known one."""
        if name not in self.names:
            raise NameUnknown("quantity", name, self.names)
        return self.names.index(name)

    def quantity(self, name: str) -> Quantity:
        """The quantity called ``name``."""
        return self.quantities[self.index(name)]

    @property
    def frame(self) -> Frame:
        """What all local states share."""
        heats = [q.name for q in self.quantities if q.kind in ("heat", "energy")]
        charges = [q.name for q in self.quantities if q.kind == "charge"]
        potential = charges[0] if charges else ("phi" if "phi" in self.given else None)
        return Frame(
            quantities={q.name: q for q in self.quantities},
            phase=self.phase,
            temperature=heats[0] if heats else TEMPERATURE,
            potential=potential,
        )

    def on_mesh(self, number: int) -> bool:
        """Whether a law acts inside a mesh, as against on links, joins or exchanges, which are membranes."""
        acting = self.acting[number] or ""
        return self.space.kind != "network" and (acting == INTERIOR or acting.endswith("." + INTERIOR))

    def laws_on(self, edge_set: str) -> tuple[int, ...]:
        """Numbers of the laws that act on an edge set."""
        return tuple(number for number, name in enumerate(self.acting) if name == edge_set)

    @property
    def cell_laws(self) -> tuple[CellLaw, ...]:
        """The laws that make something."""
        return tuple(law for law in self.laws if isinstance(law, CellLaw) and law.makes)

    def flux_unit(self, name: str) -> str:
        """Unit of the quantity's flux in this model."""
        for law in self.laws:
            if name in law.flux_unit and name in (*law.moves, *law.makes):
                return law.flux_unit[name]
        return KINDS[self.quantity(name).kind].flux

    # ---- building -----------------------------------------------------------------------------------------------

    def _check_shared_names(self, known: Mapping[str, Quantity]) -> None:
        names = [s.name for s in self.shared]
        for name in names:
            if names.count(name) > 1 or name in known or name in self.given:
                raise ModelError(f"The name '{name}' of a shared unknown is used twice; choose another one.")

    def _shared_ref(self, value: Any) -> Any:
        if isinstance(value, SharedRef) and value.name not in [s.name for s in self.shared]:
            raise NameUnknown("shared unknown", value.name, [s.name for s in self.shared])
        return value

    def _bind(
        self, conditions: Sequence[Condition], known: Mapping[str, Quantity]
    ) -> tuple[tuple[Bound, ...], tuple[Bound, ...]]:
        holds: list[Bound] = []
        influxes: list[Bound] = []
        for condition in conditions:
            if isinstance(condition, Float):
                holds.append(Bound(condition.place, condition.quantity, 0.0, condition.name, 1.0))
            if not isinstance(condition, Hold | Influx):
                continue
            for name, value in condition.values.items():
                value = self._shared_ref(value)
                if isinstance(condition, Hold):
                    holds.append(bind_hold(condition.place, known[name], value))
                    _check_positive(known[name], holds[-1].value, f"held at '{condition.place}'")
                else:
                    place = self.space.place(condition.place)
                    measure = self.space.measure(condition.place).sum()
                    influxes.append(bind_influx(condition.place, place, measure, known[name], value))
        return tuple(holds), tuple(influxes)

    def _reservoir(self, condition: Exchange, law: Law, known: Mapping[str, Quantity]) -> Reservoir:
        states: list[Bound] = []
        for name, value in condition.outside.items():
            if name in known:
                states.append(bind_hold(condition.place, known[name], self._shared_ref(value)))
                _check_positive(known[name], states[-1].value, f"outside '{condition.place}'")
            elif name in self.given:
                states.append(Bound(condition.place, name, si(value, "", f"{name} outside '{condition.place}'")))
            else:
                raise NameUnknown("quantity", name, [*known, *self.given])
        for name in dict.fromkeys((*law.moves, *law.sees)):
            if name in known and name not in condition.outside:
                raise ModelError(
                    f"The exchange at '{condition.place}' needs {name} outside; add it to outside={{...}} of "
                    f"{type(law).__name__}."
                )
        return Reservoir(f"outside {condition.place}", condition.place, tuple(states))

    def _check_moving(self, space: Space) -> None:
        names = [s.name for s in self.shared]
        for name in space.form.names:
            if name not in names:
                raise NameUnknown("shared unknown that moves the space", name, names)

    def _check_laws(self, known: Mapping[str, Quantity]) -> None:
        for number, law in enumerate(self.laws):
            for name in (*law.moves, *law.makes, *law.sees):
                if name not in known and not (name in law.sees and name in self.given):
                    raise NameUnknown("quantity", name, known)
            if not law.moves and not law.makes:
                raise ModelError(
                    f"The law {type(law).__name__} neither moves nor makes any quantity of this model; "
                    "a law of your own names them in its property moves (or makes)."
                )
            if isinstance(law, EdgeLaw) and law.symmetry is not None and self.on_mesh(number):
                check_symmetry({n: KINDS[known[n].kind].rank for n in law.moves}, law.symmetry)

    def _start_value(self, known: Mapping[str, Quantity], name: str, value: Any) -> Any:
        if name not in known:
            raise NameUnknown("quantity", name, known)
        if is_signal(value):
            raise ModelError(f"The start of {name} is a state at one time; give numbers instead of a signal.")
        value = _field(self.space, value, KINDS[known[name].kind].state, f"start of {name}")
        _check_positive(known[name], value, "at the start")
        return value


def _listed(key: str, given: Any, kind: type) -> tuple[Any, ...]:
    """The entries of a list, each of the kind that belongs there."""
    if isinstance(given, kind | str | Mapping) or not isinstance(given, Iterable):
        raise ModelError(f"The {key} of a model are a list; write {key}=[...].")
    wanted = {
        Quantity: "a quantity; use Species, Ion, Heat, Potential or the like",
        Law: "a law; use one such as Fick, or subclass EdgeLaw, CellLaw or Reaction",
        Condition: "a condition; use Hold, Influx, Exchange, Film, Float or Sealed",
    }[kind]
    entries = tuple(given)
    for one in entries:
        if not isinstance(one, kind):
            raise ModelError(f"Among the {key} is {repr(one)[:80]}, which is not {wanted}.")
    for one in entries:
        for field in fields(one) if kind is Law else ():
            if isinstance(getattr(one, field.name), str) and not field.metadata:
                raise ModelError(
                    f"The field '{field.name}' of {type(one).__name__} is a text; "
                    "declare a name with sf.static() and a number with sf.parameter()."
                )
    return entries


def _by_name(quantities: Sequence[Quantity]) -> tuple[Quantity, ...]:
    names = [q.name for q in quantities]
    if not names:
        raise ModelError("A model needs at least one quantity.")
    for name in names:
        if names.count(name) > 1:
            raise ModelError(f"Two quantities are called '{name}'; give each its own name.")
    for what, kinds in {"heat or energy": ("heat", "energy"), "charge": ("charge",)}.items():
        if sum(q.kind in kinds for q in quantities) > 1:
            raise ModelError(f"A model can have one quantity of kind {what}; this one has several.")
    return tuple(quantities)


def _field(space: Space, value: Any, unit: str, what: str) -> Any:
    if callable(value):
        value = evaluate(value, space.position)
    value = si(value, unit, what)
    if np.ndim(value) > 0 and np.shape(value) != (space.cells,):
        raise ModelError(
            f"The {what} has the shape {np.shape(value)}; give one number or {space.cells} values, one a cell."
        )
    return value


def _spread(value: Any, cells: int) -> Any:
    return Spread(value, cells) if is_signal(value) else value + np.zeros(cells)


def _plain(q: Quantity) -> Quantity:
    q = replace(q, diffusivity=None) if callable(q.diffusivity) else q
    return replace(q, capacity=1.0) if callable(q.capacity) or isinstance(q.capacity, Mapping) else q


def _given_fields(
    space: Space, known: Mapping[str, Quantity], given: Mapping[str, Any], temperature: Any
) -> dict[str, Any]:
    units = {"T": "K", "phi": "V"}
    fields: dict[str, Any] = {}
    for name, value in given.items():
        if name in known:
            raise ModelError(f"'{name}' is a quantity to solve for; it cannot be given as well.")
        fields[name] = _spread(_field(space, value, units.get(name, ""), f"given field {name}"), space.cells)
    if TEMPERATURE not in fields and not any(q.kind in ("heat", "energy") for q in known.values()):
        fields[TEMPERATURE] = _spread(si(temperature, "K", "temperature"), space.cells)
    warm = extremes(fields.get(TEMPERATURE, 1.0))
    if not is_traced(warm) and not np.all(np.asarray(warm) > 0):
        raise ModelError("The temperature must be above absolute zero everywhere; give it in K or with its unit.")
    return fields


def _check_conditions(space: Space, known: Mapping[str, Quantity], conditions: Sequence[Condition]) -> None:
    for condition in conditions:
        space.place(condition.place)
        for key in ("values", "outside"):
            if not isinstance(getattr(condition, key, {}), Mapping):
                kind = type(condition).__name__
                raise ModelError(
                    f"The {kind} at '{condition.place}' needs a table of values such as {{'Na+': '1 mM'}}."
                )
        for name in condition.quantities():
            if name not in known:
                raise NameUnknown("quantity", name, known)
    check_single(tuple(conditions))


def _floating(condition: Float, known: Mapping[str, Quantity]) -> Shared:
    from_ions = {q.name: q.charge * 96485.33212331 for q in known.values() if q.kind == "species" and q.charge}
    if known[condition.quantity].kind != "charge":
        raise ModelError(f"Only an electric potential can float; {condition.quantity} at '{condition.place}' is none.")
    weights = from_ions or {condition.quantity: 1.0}
    current = si(condition.current, "A", f"current through '{condition.place}'")
    return Shared(condition.name, FlowBalance(condition.place, weights, current), unit="V", scale=0.025)


def _check_positive(quantity: Quantity, value: Any, place: str) -> None:
    value = extremes(value)
    if KINDS[quantity.kind].positive and not is_traced(value) and np.any(np.asarray(value) < 0):
        raise ModelError(f"{quantity.name} {place} is {np.min(value):g}; a {quantity.kind} state cannot be negative.")


def _bound_law(law: Law, known: Mapping[str, Quantity], space: Space) -> Law:
    if isinstance(law, EdgeLaw) and law.on is not None:
        return law.bound(known, space.edge_set(law.on).position)
    if isinstance(law, CellLaw):
        return law.bound(
            known, space.position if law.acts_in is None else space.position[space.place(law.acts_in).cells]
        )
    raise ModelError(f"{law!r} is not a law; subclass EdgeLaw, CellLaw or Reaction.")


def _exchange_edges(condition: Exchange, space: Space, number: int) -> Edges:
    """Edges from the cells of the place (tails) to the reservoir (head), numbered after the cells of the space."""
    place = space.place(condition.place)
    count = len(np.asarray(place.cells))
    return Edges(
        tail=np.asarray(place.cells),
        head=np.full(count, space.cells + number),
        area=place.area,
        length=np.ones(count),
        position=space.position[place.cells],
    )
