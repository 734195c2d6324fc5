"""What a law sees of one end of an edge, or of a cell: the state there, and the potentials that follow from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp

from steadyflux.ground.constants import FARADAY, K_B, R
from steadyflux.ground.errors import NameUnknown
from steadyflux.physics.phase import Phase
from steadyflux.physics.quantity import Quantity

TEMPERATURE = "T"


class Frame(NamedTuple):
    """What all local states of a model share: quantities, phase, and which names mean temperature and potential."""

    quantities: Mapping[str, Quantity]
    phase: Phase
    temperature: str
    potential: str | None

    @property
    def species(self) -> tuple[str, ...]:
        """Names of the quantities that are chemical species."""
        return tuple(name for name, q in self.quantities.items() if q.kind == "species")


class Geometry(NamedTuple):
    """One edge as a law sees it: area (m^2), length (m), position of its middle; ``conductor`` = area / length, m."""

    area: Any
    length: Any
    position: Any

    @property
    def conductor(self) -> Any:
        """area / length, m."""
        return self.area / self.length


class Cell(NamedTuple):
    """One cell as a law sees it: its measure (volume, m^3; on a boundary place the area, m^2) and position."""

    measure: Any
    position: Any


class Local:
    """The state at one end of an edge. ``here["K+"]`` is a state variable, a given field or a shared unknown."""

    def __init__(self, values: Mapping[str, Any], frame: Frame) -> None:
        self._values = values
        self._frame = frame
        self._ln_gamma: dict[str, Any] | None = None
        self._warmth: Any = None

    def __getitem__(self, name: str) -> Any:
        if name not in self._values:
            raise NameUnknown("quantity, given field or shared unknown", name, self._values)
        return self._values[name]

    def with_values(self, values: Mapping[str, Any]) -> Local:
        """Another state of the same phase and quantities."""
        return Local(values, self._frame)

    @property
    def known(self) -> tuple[str, ...]:
        """Names of everything that can be read here: states, given fields, shared unknowns."""
        return tuple(self._values)

    @property
    def quantities(self) -> Mapping[str, Quantity]:
        """The quantities by name."""
        return self._frame.quantities

    @property
    def phase(self) -> Phase:
        """The mixture that all this is in."""
        return self._frame.phase

    @property
    def temperature(self) -> str:
        """Name of the state or field that is the temperature."""
        return self._frame.temperature

    @property
    def T(self) -> Any:
        """Temperature, K; where the energy of a fluid in motion is the state, as the phase tells it from that."""
        name = self._frame.temperature
        if name not in self._frame.quantities or self._frame.quantities[name].kind != "energy":
            return self._values[name]
        if self._warmth is None:
            moving = sum((self._values[m] * self.velocity(m) for m in self._moving), jnp.zeros(()))
            c = {n: self._values[n] for n in self._frame.species}
            self._warmth = self._frame.phase.temperature(c, self._values[name] - 0.5 * moving)
        return self._warmth

    @property
    def mass(self) -> Any:
        """Mass density of the phase, kg/m^3."""
        return sum(self._frame.phase.molar_mass(n) * self._values[n] for n in self._frame.species)

    def velocity(self, name: str) -> Any:
        """Velocity of a momentum, m/s."""
        return self._values[name] / self.mass if self._frame.quantities[name].kind == "impulse" else self._values[name]

    @property
    def _moving(self) -> list[str]:
        """The momenta that are those of the phase."""
        found = self._frame.quantities.values()
        return [q.name for q in found if q.kind == "impulse" or (q.kind == "momentum" and q.by_phase)]

    @property
    def phi(self) -> Any:
        """Electric potential, V; zero in a model without one."""
        return self._values[self._frame.potential] if self._frame.potential else jnp.zeros_like(self.T)

    def quantity(self, name: str) -> Quantity:
        """The quantity called ``name``."""
        return self._frame.quantities[name]

    @property
    def species(self) -> tuple[str, ...]:
        """Names of the chemical species."""
        return self._frame.species

    def charge_density(self) -> Any:
        """Sum of z c over the species, mol/m^3."""
        species = [q for q in self._frame.quantities.values() if q.kind == "species" and q.charge]
        return sum(q.charge * self._values[q.name] for q in species) + jnp.zeros_like(self.T)

    def ln_gamma(self, name: str) -> Any:
        """Logarithm of the species' activity coefficient."""
        if self._ln_gamma is None:
            c = {n: self._values[n] for n in self._frame.species}
            charges = {n: self._frame.quantities[n].charge for n in c}
            self._ln_gamma = self._frame.phase.ln_gamma(c, charges, self.T)
        return self._ln_gamma[name]

    def energy(self, name: str) -> Any:
        """Electric and external energy of a species, J/mol (of a volume: external, Pa)."""
        q = self._frame.quantities[name]
        energy = q.charge * FARADAY * self.phi if q.kind == "species" and q.charge else jnp.zeros_like(self.T)
        return energy if q.external is None else energy + self._values[q.external]

    def exponent(self, name: str) -> Any:
        """Everything in the species' electrochemical potential but ln c, over R T; its difference drives the drift."""
        excess = 0.0 if self._frame.phase.is_ideal else self.ln_gamma(name)
        return excess + self.energy(name) / (R * self.T)

    def chemical_potential(self, name: str) -> Any:
        """Electrochemical potential of a species, J/mol: mu0 + R T ln(gamma c / c0) + z F phi + external."""
        q = self._frame.quantities[name]
        mixing = 0.0 if self.whole else jnp.log(self._values[name] / q.reference)
        return self.standard(name) + R * self.T * (mixing + self.exponent(name))

    @property
    def whole(self) -> bool:
        """Whether the phase tells the species' potentials whole, mixing included."""
        return self._frame.phase.whole

    def standard(self, name: str) -> Any:
        """Standard chemical potential of a species, J/mol: its own, as the phase says it changes with T."""
        return self._frame.phase.standard(name, self.T, self._frame.quantities[name].standard)

    def kinetic(self, name: str) -> Any:
        """Kinetic energy of a species in a phase that moves as a whole, M v^2 / 2, J/mol."""
        moving = self._moving
        mass = self._frame.phase.molar_mass(name) if moving else None
        return 0.0 if mass is None else 0.5 * mass * sum(self.velocity(v) ** 2 for v in moving)

    def rest(self, name: str) -> Any:
        """The species' electrochemical potential over R T, without ln c."""
        return (
            self.standard(name) / (R * self.T) - jnp.log(self._frame.quantities[name].reference) + self.exponent(name)
        )

    def conjugate(self, name: str) -> Any:
        """The entropic potential y whose difference drives the quantity's flux (design: the table of quantities)."""
        q = self._frame.quantities[name]
        if q.kind == "species":
            return -(self.chemical_potential(name) - self.kinetic(name)) / self.T
        if q.kind in ("heat", "energy"):
            return 1.0 / (self._values[name] if q.kind == "heat" else self.T)
        if q.kind == "impulse":
            return -self.velocity(name) / self.T
        if q.kind == "population":
            if q.reference is None:
                return jnp.zeros_like(self._values[name])
            return -K_B * jnp.log(self._values[name] / q.reference)
        if q.kind == "size":
            return jnp.zeros_like(self._values[name])
        return -(self._values[name] + (self._values[q.external] if q.external else 0.0)) / self.T
