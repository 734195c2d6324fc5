"""Phases: one excess free-energy density each; activity coefficients and chemical potentials are its derivatives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from steadyflux.ground.constants import R
from steadyflux.ground.errors import NameUnknown
from steadyflux.ground.units import si

Concentrations = Mapping[str, Any]


class Phase(eqx.Module):
    """A mixture. The free-energy density is that of the ideal solution plus ``excess``, which a phase of your own
    defines.

    ``excess(c, charges, T)`` gets the concentrations (mol/m^3) and charge numbers by name and the temperature (K), and
    returns the excess free-energy density over R T, mol/m^3. Its derivative by c_i is ln gamma_i.
    """

    def excess(self, c: Concentrations, charges: Mapping[str, float], T: Any) -> Any:
        """Excess free-energy density divided by R T, mol/m^3."""
        raise TypeError(f"The phase {type(self).__name__} must define excess(c, charges, T).")

    @property
    def is_ideal(self) -> bool:
        """True when every activity coefficient is one, so that none needs to be computed."""
        return False

    @property
    def whole(self) -> bool:
        """True when ``excess`` tells the free energy whole, mixing included; `ln_gamma` then is mu / R T."""
        return False

    def ln_gamma(self, c: Concentrations, charges: Mapping[str, float], T: Any) -> dict[str, Any]:
        """Logarithm of each activity coefficient: the derivative of the excess free energy by the concentration."""
        if self.is_ideal:
            return {name: jnp.zeros_like(value) for name, value in c.items()}
        return jax.grad(lambda x: self.excess(x, charges, T))(dict(c))

    def standard(self, name: str, T: Any, own: Any) -> Any:
        """Standard chemical potential of a species at T, J/mol; ``own`` is what the species says of itself."""
        return own

    def energy(self, c: Concentrations, charges: Mapping[str, float], standards: Mapping[str, Any], T: Any) -> Any:
        """Internal energy density, J/m^3: f - T df/dT of the free energy (Gibbs and Helmholtz)."""

        def free(T: Any) -> Any:
            own = sum(x * self.standard(name, T, standards[name]) for name, x in c.items())
            return own if self.is_ideal else own + R * T * self.excess(c, charges, T)  # ideal mixing has no energy

        value, slope = jax.value_and_grad(free)(T)
        return value - T * slope

    def temperature(self, c: Concentrations, energy: Any) -> Any:
        """Temperature, K, at which the phase holds an internal energy, J/m^3: the inverse of `energy`."""
        raise TypeError(
            f"The phase {type(self).__name__} must define temperature(c, energy) to carry energy in motion."
        )

    def molar_mass(self, name: str) -> Any:
        """Molar mass of a species, kg/mol, where the phase moves as a whole; None where it is not known."""
        return None

    def free_energy(self, c: Concentrations, charges: Mapping[str, float], T: Any) -> Any:
        """Free-energy density of mixing, J/m^3: ideal part (reference 1 mol/m^3) plus excess."""
        ideal = 0.0 if self.whole else sum(x * (jnp.log(x) - 1.0) for x in c.values())
        return R * T * (ideal + (0.0 if self.is_ideal else self.excess(c, charges, T)))


class Ideal(Phase):
    """Ideal solution or ideal gas: every activity coefficient is one."""

    def excess(self, c: Concentrations, charges: Mapping[str, float], T: Any) -> Any:
        """Zero."""
        return 0.0 * sum(c.values())

    @property
    def is_ideal(self) -> bool:
        """True."""
        return True


class IdealGas(Ideal):
    """Ideal gas of constant heat capacities: mu = h + s terms of the temperature + R T ln(c / c0), u = c_v T a mole.

    ``heat_capacity`` c_v at constant volume, J/(mol K), and ``molar_mass``, kg/mol, are one number or a table by
    species; ``energy`` (J/mol at ``temperature``, by species) where reactions release heat, c_v T by default. The
    species' own standard potential holds at ``temperature``:
    mu0(T) = u0 + c_v (T - T0) - c_v T ln(T / T0) - T (u0 - mu0(T0)) / T0   (Callen 1985, sec. 3-4).
    """

    heat_capacity: Any
    mass: Any
    own_energy: Any
    temperature_0: Any

    def __init__(
        self,
        heat_capacity: Any = 1.5 * R,
        *,
        molar_mass: Any = None,
        energy: Mapping[str, Any] | None = None,
        temperature: Any = 298.15,
    ) -> None:
        self.heat_capacity = _by_species(heat_capacity, "J/(mol*K)", "heat capacity")
        self.mass = None if molar_mass is None else _by_species(molar_mass, "kg/mol", "molar mass")
        self.own_energy = {} if energy is None else _by_species(energy, "J/mol", "energy")
        self.temperature_0 = si(temperature, "K", "reference temperature")

    def standard(self, name: str, T: Any, own: Any) -> Any:
        """Standard chemical potential at T, J/mol."""
        c_v, at, energy = _of(self.heat_capacity, name), self.temperature_0, self._zero(name)
        return energy + c_v * (T - at) - c_v * T * jnp.log(T / at) - T * (energy - own) / at

    def _zero(self, name: str) -> Any:
        """Energy of a species at the reference temperature, J/mol."""
        return self.own_energy.get(name, _of(self.heat_capacity, name) * self.temperature_0)

    def temperature(self, c: Concentrations, energy: Any) -> Any:
        """(u - sum c (u0 - c_v T0)) / sum c c_v, K."""
        held = sum(x * _of(self.heat_capacity, name) for name, x in c.items())
        rest = sum(x * (self._zero(name) - _of(self.heat_capacity, name) * self.temperature_0) for name, x in c.items())
        return (energy - rest) / held

    def molar_mass(self, name: str) -> Any:
        """Molar mass, kg/mol."""
        return None if self.mass is None else _of(self.mass, name)


def _by_species(value: Any, unit: str, what: str) -> Any:
    if isinstance(value, Mapping):
        return {name: si(one, unit, f"{what} of {name}") for name, one in value.items()}
    return si(value, unit, what)


def _of(table: Any, name: str) -> Any:
    if not isinstance(table, Mapping):
        return table
    if name not in table:
        raise NameUnknown("species of the gas", name, table)
    return table[name]


@jax.custom_jvp
def _root(x: Any) -> Any:
    """Square root whose slope at zero is taken as zero: every use multiplies it by something that vanishes there."""
    return jnp.sqrt(jnp.maximum(x, 0.0))


@_root.defjvp
def _root_jvp(primals: tuple[Any], tangents: tuple[Any]) -> tuple[Any, Any]:
    (x,), (dx,) = primals, tangents
    y = _root(x)
    return y, jnp.where(x > 0, 0.5 / jnp.where(x > 0, y, 1.0), 0.0) * dx


def ionic_strength(c: Concentrations, charges: Mapping[str, float]) -> Any:
    """Ionic strength, mol/m^3."""
    return 0.5 * sum(charges[name] ** 2 * value for name, value in c.items())


class DebyeHuckel(Phase):
    """Extended Debye-Hueckel: ln gamma_i = -A z_i^2 sqrt(I) / (1 + B sqrt(I)), I in mol/L.

    ``A`` is 1.1758 (L/mol)^1/2 for water at 25 C (log10 form 0.5107); ``B`` (L/mol)^1/2 is the ion size times 3.29 /nm.
    Debye and Hueckel, Phys. Z. 24 (1923) 185.
    """

    A: Any = 1.1758
    B: Any = 1.0

    def excess(self, c: Concentrations, charges: Mapping[str, float], T: Any) -> Any:
        """-2 A times the integral of sqrt(I) / (1 + B sqrt(I)); the 1000 turns mol/L into mol/m^3."""
        strength = ionic_strength(c, charges) / 1000.0
        return -2.0 * 1000.0 * self.A * debye_integral(strength, self.B)


class Davies(Phase):
    """Davies (1962): ln gamma_i = -A z_i^2 (sqrt(I) / (1 + sqrt(I)) - slope I), I in mol/L, up to 0.5; slope 0.3."""

    A: Any = 1.1758
    slope: Any = 0.3

    def excess(self, c: Concentrations, charges: Mapping[str, float], T: Any) -> Any:
        """The integral of the Davies expression over the ionic strength."""
        strength = ionic_strength(c, charges) / 1000.0
        return -2.0 * 1000.0 * self.A * (debye_integral(strength, 1.0) - 0.5 * self.slope * strength**2)


def debye_integral(strength: Any, size: Any) -> Any:
    """Integral of sqrt(I) / (1 + B sqrt(I)) from 0 to I: 2 I^(3/2) times the integral of t^2 / (1 + B sqrt(I) t).

    The closed form with a logarithm cancels at small I; twenty Gauss points on [0, 1] are exact to rounding for
    B sqrt(I) < 3 and do not cancel.
    """
    root = _root(strength)
    return 2.0 * strength * root * jnp.sum(_SQUARES / (1.0 + size * jnp.asarray(root)[..., None] * _POINTS), axis=-1)


_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(20)
_POINTS = 0.5 + 0.5 * _POINTS
_SQUARES = 0.5 * _WEIGHTS * _POINTS**2


class RegularSolution(Phase):
    """Lattice of sites with pair interactions (Bragg-Williams, Frumkin): mu/RT = ln(theta/(1 - theta)) + g theta.

    ``sites`` is the site density, mol/m^3; ``interaction`` g in units of R T, negative for attraction (a miscibility
    gap opens at g = -4). All species of the phase share the sites.
    """

    sites: Any
    interaction: Any = 0.0

    def __init__(self, sites: Any, interaction: Any = 0.0) -> None:
        self.sites = si(sites, "mol/m^3", "site density")
        self.interaction = si(interaction, "", "interaction")

    def excess(self, c: Concentrations, charges: Mapping[str, float], T: Any) -> Any:
        """Entropy of the empty sites plus the mean-field energy."""
        theta = sum(c.values()) / self.sites
        free = 1.0 - theta
        return self.sites * (_x_log_x(free) + theta + 0.5 * self.interaction * theta**2)


class FiniteSize(Phase):
    """Ions of one finite size on a lattice (Bikerman 1942; Borukhov, Andelman and Orland 1997): gamma = 1 / (1 - Phi).

    ``diameter`` (m) is the edge of the cube that one ion fills; Phi = N_A diameter^3 sum c.
    """

    largest: Any

    def __init__(self, diameter: Any) -> None:
        self.largest = 1.0 / (6.02214076e23 * si(diameter, "m", "ion diameter") ** 3)

    def excess(self, c: Concentrations, charges: Mapping[str, float], T: Any) -> Any:
        """Entropy of the empty cells of the lattice."""
        fill = sum(c.values()) / self.largest
        return self.largest * (_x_log_x(1.0 - fill) + fill)


def _x_log_x(x: Any) -> Any:
    """x ln x, continued linearly below a tiny x so that a Newton step past full occupancy stays finite."""
    safe = jnp.maximum(x, 1e-12)
    return jnp.where(x > 1e-12, safe * jnp.log(safe), x * jnp.log(1e-12))
