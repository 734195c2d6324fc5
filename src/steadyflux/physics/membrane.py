"""Membranes: channels, pumps, cotransporters and water, as laws between the two sides that a link joins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import equinox as eqx

from steadyflux.ground.constants import FARADAY, R
from steadyflux.ground.units import si
from steadyflux.physics.charge import fitted
from steadyflux.physics.law import EdgeLaw, Law, names, parameter
from steadyflux.physics.local import Geometry, Local
from steadyflux.physics.quantity import Quantity


def _potentials(quantities: Mapping[str, Quantity], species: tuple[str, ...]) -> tuple[str, ...]:
    charged = any(quantities[n].charge for n in species if n in quantities)
    return tuple(q.name for q in quantities.values() if q.kind == "charge") if charged else ()


class _Across(EdgeLaw):
    """Common part of the laws that carry species across a membrane and so see its voltage."""

    potential: tuple[str, ...] = eqx.field(static=True, default=(), kw_only=True)

    def bound(self, quantities: Mapping[str, Quantity], positions: Any) -> Law:
        """Note which potential the species feel."""
        law = super().bound(quantities, positions)
        return _with_potential(law, _potentials(quantities, self.moves))

    @property
    def sees(self) -> tuple[str, ...]:
        """The electric potential, where a charged species is carried."""
        return self.potential


def _with_potential(law: Any, potential: tuple[str, ...]) -> Any:
    copy = object.__new__(type(law))
    for field in law.__dataclass_fields__:
        object.__setattr__(copy, field, potential if field == "potential" else getattr(law, field))
    return copy


class LinearChannel(_Across):
    """Ohmic channel: the ion's current is g A (V - E), with V - E from its electrochemical potentials.

    J = g A (mu_tail - mu_head) / (z F)^2, mol/s; ``conductance`` g in S/m^2 of membrane.
    """

    ion: str = eqx.field(static=True)
    conductance: Any = parameter("S/m^2", "channel conductance")

    @property
    def moves(self) -> tuple[str, ...]:
        """The ion."""
        return (self.ion,)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Flux from tail to head, mol/s."""
        z = tail.quantity(self.ion).charge
        drop = tail.chemical_potential(self.ion) - head.chemical_potential(self.ion)
        return {self.ion: self.conductance * edge.area * drop / (z * FARADAY) ** 2}


class GoldmanChannel(_Across):
    """Constant-field channel: J = P A [c_t B(w) - c_h B(-w)], w = z F (V_h - V_t) / R T plus the activity step.

    Goldman (1943), Hodgkin and Katz (1949); ``permeability`` P in m/s. The one-way fluxes obey Ussing's ratio.
    """

    species: str = eqx.field(static=True)
    permeability: Any = parameter("m/s", "permeability")

    @property
    def moves(self) -> tuple[str, ...]:
        """The species."""
        return (self.species,)

    def one_way(self, tail: Local, head: Local, edge: Geometry) -> dict[str, tuple[Any, Any]]:
        """Forward and reverse flux, mol/s."""
        climb = head.exponent(self.species) - tail.exponent(self.species)
        return {self.species: fitted(self.permeability * edge.area, tail[self.species], head[self.species], climb)}


class Cotransport(_Across):
    """Tightly coupled carrier of several species (KCC: K+ and Cl-), driven by the sum of their potential differences.

    ``conductance`` k in mol/(m^2 s) for each R T of driving force: rate = k A sum n_i (mu_tail - mu_head) / R T.
    """

    stoichiometry: tuple[tuple[str, float], ...] = eqx.field(static=True, converter=lambda s: tuple(dict(s).items()))
    conductance: Any = parameter("mol/(m^2*s)", "cotransport conductance")

    @property
    def moves(self) -> tuple[str, ...]:
        """The species carried."""
        return tuple(name for name, _ in self.stoichiometry)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Flux of each species from tail to head, mol/s."""
        force = sum(
            n * (tail.chemical_potential(name) - head.chemical_potential(name)) for name, n in self.stoichiometry
        ) / (R * tail.T)
        return {name: n * self.conductance * edge.area * force for name, n in self.stoichiometry}


class Pump(_Across):
    """An active carrier: it moves species in fixed proportion and spends the free energy of a supply (ATP) on each
    cycle.

    Rate (mol of cycles per s, tail to head) = capacity A prod [c / (K + c)]^n over the species that bind: those with a
    positive number bind at the tail, those with a negative number at the head. ``saturation`` gives their K (mol/m^3);
    a species left out does not limit the rate.
    """

    stoichiometry: tuple[tuple[str, float], ...] = eqx.field(static=True, converter=lambda s: tuple(dict(s).items()))
    capacity: Any = parameter("mol/(m^2*s)", "pump capacity")
    energy: Any = parameter("J/mol", "free energy of a pump cycle")
    saturation: Mapping[str, Any] = eqx.field(
        default_factory=dict,
        converter=lambda m: {k: si(v, "mol/m^3", f"saturation of {k}") for k, v in dict(m).items()},
    )

    @property
    def moves(self) -> tuple[str, ...]:
        """The species pumped."""
        return tuple(name for name, _ in self.stoichiometry)

    def rate(self, tail: Local, head: Local, edge: Geometry) -> Any:
        """Cycles, mol/s."""
        speed = self.capacity * edge.area
        for name, number in self.stoichiometry:
            if name in self.saturation:
                c = tail[name] if number > 0 else head[name]
                speed = speed * (c / (c + self.saturation[name])) ** abs(number)
        return speed

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Number times rate for each species, mol/s from tail to head."""
        rate = self.rate(tail, head, edge)
        return {name: number * rate for name, number in self.stoichiometry}

    def supply(self, tail: Local, head: Local, edge: Geometry) -> Any:
        """Power that the supply feeds in, W."""
        return self.rate(tail, head, edge) * self.energy


class MembraneCapacitance(EdgeLaw):
    """The charge that a membrane's voltage binds: C_m A (phi_tail - phi_head), C, the displacement of Gauss's law.

    With `Electroneutrality` in a compartment the ions' charges there add up to this instead of to zero.
    ``capacitance`` in F/m^2.
    """

    capacitance: Any = parameter("F/m^2", "membrane capacitance")
    quantity: str = eqx.field(static=True, default="phi")

    dissipative: ClassVar[bool] = False
    flux_unit: ClassVar[Mapping[str, str]] = {"phi": "C"}

    @property
    def moves(self) -> tuple[str, ...]:
        """The potential (its flux here is electric displacement)."""
        return (self.quantity,)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Displacement from tail to head, C."""
        return {self.quantity: self.capacitance * edge.area * (tail[self.quantity] - head[self.quantity])}


class WaterFlow(EdgeLaw):
    """Osmotic flow of water into compartments that swell: J_V = L_p A [R T (sum c_head - sum c_tail)], m^3/s.

    Acts on a `Size` quantity. ``impermeant`` names species that count although no law moves them; every species of the
    model counts. ``extra_tail`` and ``extra_head`` (mol/m^3) stand for solutes that are not quantities of the model.
    """

    quantity: str = eqx.field(static=True)
    permeability: Any = parameter("m/(Pa*s)", "hydraulic permeability")
    extra_tail: Any = parameter("mol/m^3", "osmolarity at the tails", default=0.0)
    extra_head: Any = parameter("mol/m^3", "osmolarity at the heads", default=0.0)
    solutes: tuple[str, ...] | None = names(None)
    dissipative: ClassVar[bool] = False

    def bound(self, quantities: Mapping[str, Quantity], positions: Any) -> Law:
        """Take every species of the model as a solute unless told otherwise."""
        law: Any = super().bound(quantities, positions)
        solutes = self.solutes or tuple(q.name for q in quantities.values() if q.kind == "species")
        return WaterFlow(law.quantity, law.permeability, law.extra_tail, law.extra_head, solutes, on=self.on)

    @property
    def moves(self) -> tuple[str, ...]:
        """The compartment's size."""
        return (self.quantity,)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Volume flow from tail to head, m^3/s: towards the more concentrated side."""
        rise = sum(head[n] - tail[n] for n in self.solutes or ()) + self.extra_head - self.extra_tail
        return {self.quantity: self.permeability * edge.area * R * tail.T * rise}


class Filtration(EdgeLaw):
    """Volume through a semipermeable wall: J_V = L_p A (dp - reflection R T dc), tail minus head, m^3/s.

    Kedem and Katchalsky (1958). ``species`` names the solute that pulls, if any.
    """

    quantity: str = eqx.field(static=True)
    permeability: Any = parameter("m/(Pa*s)", "hydraulic permeability")
    species: str | None = eqx.field(static=True, default=None)
    reflection: Any = 1.0

    @property
    def dissipative(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """False where a solute pulls: the solute's share of the work is not booked with the volume."""
        return self.species is None

    @property
    def moves(self) -> tuple[str, ...]:
        """The fluid's volume."""
        return (self.quantity,)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Volume flow from tail to head, m^3/s."""
        drop = tail[self.quantity] - head[self.quantity]
        if self.species is not None:
            drop = drop - self.reflection * R * tail.T * (tail[self.species] - head[self.species])
        return {self.quantity: self.permeability * edge.area * drop}
