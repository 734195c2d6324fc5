"""Distributions of particles over velocities: what streams one way through an area, and what a volume holds."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp

from steadyflux.ground.constants import K_B
from steadyflux.ground.units import si


class Stream(NamedTuple):
    """What crosses a plane from one side, per area: ``particles`` 1/(m^2 s), ``momentum`` Pa (the component along the
    normal, counted positive the way the stream goes), ``energy`` W/m^2 (without rest energy)."""

    particles: Any
    momentum: Any
    energy: Any

    def scaled(self, factor: Any) -> Stream:
        """The stream through an area, or that part of it which gets through."""
        return Stream(*(factor * one for one in self))


class Distribution(eqx.Module):
    """A gas of one kind of particle; its state is the number density n (1/m^3) and the temperature T (K).

    ``mass`` of a particle in kg. Arrays of n and T broadcast; everything can be differentiated by both.
    """

    classical: ClassVar[bool] = False
    """Whether streams are in proportion to the density, so that a pair of opposed ones obeys Ussing's ratio."""

    def stream(self, density: Any, temperature: Any) -> Stream:
        """What crosses a plane at rest towards its positive side."""
        raise TypeError(f"The distribution {type(self).__name__} must define stream(density, temperature).")

    def mean_energy(self, density: Any, temperature: Any) -> Any:
        """Mean energy of the particles in a volume, J (without rest energy)."""
        raise TypeError(f"The distribution {type(self).__name__} must define mean_energy(density, temperature).")

    def escaping_energy(self, density: Any, temperature: Any) -> Any:
        """Mean energy of the particles that cross the plane, J."""
        stream = self.stream(density, temperature)
        return stream.energy / stream.particles


def mass_field(default: Any = ...) -> Any:
    """A field for the mass of a particle, kg (or text: "39.948 dalton")."""
    options = {} if default is ... else {"default": default}
    return eqx.field(converter=lambda value: si(value, "kg", "mass of a particle"), **options)


class Maxwell(Distribution):
    """Ideal gas at rest (Maxwell 1860): n sqrt(k T / 2 pi m) particles a side, n k T / 2 momentum, 2 k T each.

    ``internal`` is the number of internal degrees of freedom (2 for a linear molecule, 3 for a bent one), of which each
    carries k T / 2 along.
    """

    classical: ClassVar[bool] = True

    mass: Any = mass_field()
    internal: Any = eqx.field(default=0.0, converter=lambda value: si(value, "", "internal degrees of freedom"))

    def stream(self, density: Any, temperature: Any) -> Stream:
        """What crosses a plane at rest towards its positive side."""
        heat = K_B * temperature
        particles = density * jnp.sqrt(heat / (2.0 * jnp.pi * self.mass))
        return Stream(particles, 0.5 * density * heat, particles * (2.0 + 0.5 * self.internal) * heat)

    def mean_energy(self, density: Any, temperature: Any) -> Any:
        """3/2 k T and that of the internal degrees of freedom, J."""
        return (1.5 + 0.5 * self.internal) * K_B * temperature * jnp.ones_like(density)


def as_distribution(value: Any) -> Distribution:
    """A distribution as it is; a mass (kg, or text with its unit) as an ideal gas of that mass."""
    return value if isinstance(value, Distribution) else Maxwell(value)
