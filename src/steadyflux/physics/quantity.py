"""What is carried: each quantity pairs a state variable, the density stored and the potential conjugate to its flux."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import equinox as eqx

from steadyflux.ground.errors import ModelError
from steadyflux.ground.units import si


class Kind(NamedTuple):
    """Units of a kind of quantity, and the size below which a change of its state means nothing."""

    state: str
    stored: str
    flux: str
    scale: float
    positive: bool
    rank: str  # tensor kind of the quantity itself; its flux through space is one rank higher


KINDS: dict[str, Kind] = {
    "species": Kind("mol/m^3", "mol", "mol/s", 1.0, True, "scalar"),
    "heat": Kind("K", "J", "W", 300.0, True, "scalar"),
    "charge": Kind("V", "C", "A", 0.025, False, "scalar"),
    "volume": Kind("Pa", "m^3", "m^3/s", 1.0, False, "scalar"),
    "size": Kind("m^3", "m^3", "m^3/s", 1e-15, True, "scalar"),
    "energy": Kind("J/m^3", "J", "W", 1e5, True, "scalar"),
    "impulse": Kind("kg/(m^2*s)", "kg*m/s", "N", 1.0, False, "vector"),
    "momentum": Kind("m/s", "kg*m/s", "N", 1.0, False, "vector"),
    "population": Kind("1", "1", "1/s", 1.0, True, "scalar"),
    "number": Kind("1", "1", "1/s", 1.0, False, "scalar"),
}


CAPACITY_UNITS: dict[str, str] = {
    "species": "",
    "heat": "J/(m^3*K)",
    "charge": "F/m^3",
    "volume": "1/Pa",
    "size": "",
    "energy": "",
    "impulse": "",
    "momentum": "kg/m^3",
    "population": "",
    "number": "",
}
"""Unit of what each kind stores per volume and unit of its state."""

PHASE = "phase"
"""Capacity of a heat whose store is the phase's internal energy, of a momentum whose mass is that of the species."""


class Quantity(eqx.Module):
    """One thing that is carried. Made by `Species`, `Ion`, `Heat`, `Potential`, `Volume`, `Size`, `Momentum`,
    `Population`.

    ``stored per volume = capacity * state``: the capacity is a number, one per cell, a function of the position, a
    table by region, or a `Coefficient` of the state (then the store is its integral). ``external`` names a given field:
    its energy per unit of amount (J/mol for a species, Pa for a volume) is part of the conjugate potential. ``where``
    limits the quantity to named places.
    """

    name: str = eqx.field(static=True)
    kind: str = eqx.field(static=True)
    charge: float = eqx.field(static=True, default=0)
    external: str | None = eqx.field(static=True, default=None)
    where: tuple[str, ...] | None = eqx.field(static=True, default=None)
    diffusivity: Any = None
    capacity: Any = 1.0
    standard: Any = 0.0
    reference: Any = None
    motion: str | None = eqx.field(static=True, default=None)
    by_phase: bool = eqx.field(static=True, default=False)
    """Whether what it stores is told by the phase: the energy or the momentum of all species together."""

    def __check_init__(self) -> None:
        if self.kind not in KINDS:
            raise ModelError(f"'{self.kind}' is no kind of quantity; choose one of {', '.join(KINDS)}.")
        if not isinstance(self.name, str) or not self.name:
            raise ModelError("A quantity needs a name.")

    @property
    def units(self) -> Kind:
        """Units and habits of the quantity's kind."""
        return KINDS[self.kind]


def _capacity(value: Any, kind: str, name: str) -> Any:
    """A capacity that is a number in SI; a function, a table by region or a coefficient waits for the space."""
    if callable(value) or isinstance(value, Mapping):
        return value
    return si(value, CAPACITY_UNITS[kind], f"capacity of {name}")


Where = str | tuple[str, ...] | None


def _where(where: Where) -> tuple[str, ...] | None:
    return (where,) if isinstance(where, str) else where


def Species(
    name: str,
    diffusivity: Any = None,
    *,
    charge: float = 0,
    external: str | None = None,
    where: Where = None,
    capacity: Any = 1.0,
    standard: Any = 0.0,
    reference: Any = 1.0,
) -> Quantity:
    """A dissolved, gaseous or mobile species; its state is the concentration, mol/m^3.

    Args:
        diffusivity: m^2/s; a number, text with a unit, one value per edge, or a function of the coordinate.
        charge: charge number z.
        external: name of a given field with its potential energy, J/mol (gravity, a potential of mean force).
        capacity: amount stored per volume over the concentration: a porosity, a retardation factor.
        standard: standard chemical potential, J/mol, at the concentration ``reference`` (mol/m^3).
    """
    return Quantity(
        name=name,
        kind="species",
        charge=_charge_number(charge),
        external=external,
        where=_where(where),
        diffusivity=diffusivity
        if diffusivity is None or callable(diffusivity)
        else si(diffusivity, "m^2/s", f"diffusivity of {name}"),
        capacity=_capacity(capacity, "species", name),
        standard=si(standard, "J/mol", f"standard potential of {name}"),
        reference=si(reference, "mol/m^3", f"reference concentration of {name}"),
    )


def _charge_number(charge: float) -> float:
    """A charge number; a mean over a mixture (impermeant proteins, -1.2) need not be whole."""
    number = float(si(charge, "", "charge number"))
    return int(number) if number.is_integer() else number


def Ion(name: str, diffusivity: Any = None, *, charge: float | None = None, **options: Any) -> Quantity:
    """A charged species. The charge is read off the name ("K+", "Ca2+", "SO4--", "SO4^2-") unless given."""
    return Species(name, diffusivity, charge=charge_of(name) if charge is None else charge, **options)


def charge_of(name: str) -> int:
    """The charge number written at the end of an ion's name: "Na+" 1, "Ca2+" 2, "SO4--" -2, "SO4^2-" -2.

    A digit after more than one capital letter may count atoms ("NO3-") or charges ("ATP4-"): such a name is refused.
    """
    signs = re.search(r"(\^?)(\d*)([+-]+)$", name)
    if signs is None:
        raise ModelError(
            f"The charge of '{name}' cannot be read from its name; write charge=... or a name such as 'K+'."
        )
    counted = signs[2] and not signs[1] and len(signs[3]) == 1 and name[signs.start() - 1] != " "
    if counted and len(re.findall("[A-Z]", name)) > 1:
        stem, sign = name[: signs.start()], signs[3][0]
        raise ModelError(
            f"The charge of '{name}' is in doubt, its {signs[2]} may count atoms or charges; write charge=..., or "
            f"'{stem}{signs[2]}^{sign}' or '{stem}^{signs[2]}{sign}'."
        )
    size = int(signs[2]) if signs[2] and (signs[1] or len(signs[3]) == 1) else len(signs[3])
    if len(set(signs[3])) > 1 or not 1 <= size <= 8:
        raise ModelError(f"The charge of '{name}' cannot be read from its name; write charge=... .")
    return size if signs[3][0] == "+" else -size


def Heat(name: str = "T", *, capacity: Any = 0.0, where: Where = None, motion: str | None = None) -> Quantity:
    """Internal energy; its state is the temperature, K. ``capacity`` is the heat capacity per volume, J/(m^3 K), or
    "phase": then the internal energy of the model's phase is stored, that of all species at their temperature.

    ``motion`` names a momentum whose kinetic energy, density v^2 / 2, is stored with it: then the laws move the whole
    energy, the work of forces (v times the force) included, and friction turns motion into heat.
    """
    return Quantity(
        name=name,
        kind="heat",
        where=_where(where),
        capacity=1.0 if _by_phase(capacity) else _capacity(capacity, "heat", name),
        motion=motion,
        by_phase=_by_phase(capacity),
    )


def Potential(name: str = "phi", *, capacity: Any = 0.0, where: Where = None) -> Quantity:
    """Electric charge; its state is the electric potential, V. ``capacity`` is the charge stored per volume, F/m^3."""
    return Quantity(name=name, kind="charge", where=_where(where), capacity=_capacity(capacity, "charge", name))


def Volume(name: str = "p", *, capacity: Any = 0.0, external: str | None = None, where: Where = None) -> Quantity:
    """Volume of a fluid; its state is the pressure (or water potential), Pa.

    ``capacity`` is the volume stored per volume and pressure, 1/Pa; ``external`` a field of potential energy density,
    Pa (rho g z).
    """
    return Quantity(
        name=name,
        kind="volume",
        external=external,
        where=_where(where),
        capacity=_capacity(capacity, "volume", name),
    )


def Size(name: str = "volume", *, where: Where = None) -> Quantity:
    """Volume of a compartment that swells and shrinks; its state is that volume, m^3, and stores itself.

    In the cells where it lives it replaces the space's fixed volume for everything else that is stored there.
    """
    return Quantity(name=name, kind="size", where=_where(where))


def Momentum(name: str = "v", *, density: Any = 1000.0, where: Where = None) -> Quantity:
    """Momentum along one direction; its state is the velocity, m/s; ``density`` in kg/m^3, or "phase" for
    the mass of the species by the phase's molar masses."""
    return Quantity(
        name=name,
        kind="momentum",
        where=_where(where),
        capacity=1.0 if _by_phase(density) else _capacity(density, "momentum", name),
        by_phase=_by_phase(density),
    )


def Energy(name: str = "E", *, where: Where = None) -> Quantity:
    """Energy of a fluid in motion, internal and kinetic; its state is its density, J/m^3, which is conserved itself.

    The temperature follows from it, the species and the `Impulse` by the model's phase. For heat at rest, whose state
    is the temperature, take `Heat`.
    """
    return Quantity(name=name, kind="energy", where=_where(where))


def Impulse(name: str = "m", *, where: Where = None) -> Quantity:
    """Momentum of a fluid along one direction; its state is the momentum density, kg/(m^2 s), conserved itself.

    The velocity follows from it and the mass of the species. Where the density is given, take `Momentum`.
    """
    return Quantity(name=name, kind="impulse", where=_where(where))


def _by_phase(capacity: Any) -> bool:
    return isinstance(capacity, str) and capacity == PHASE


def Population(name: str = "N", *, where: Where = None, reference: Any = None, capacity: Any = 1.0) -> Quantity:
    """Countable members (particles, vesicles, stars); its state is their number per unit of the space's measure, or
    where a ``capacity`` is given (places per measure) the share of places that they fill.

    Without ``reference`` (the equilibrium density) it has no conjugate potential and costs no entropy.
    """
    return Quantity(
        name=name,
        kind="population",
        where=_where(where),
        reference=None if reference is None else si(reference, "1", f"reference of {name}"),
        capacity=_capacity(capacity, "population", name),
    )
