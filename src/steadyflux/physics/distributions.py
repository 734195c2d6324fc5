"""Distributions of particles over velocities: what streams one way through an area, and what a volume holds."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erfc

from steadyflux.ground.constants import C_LIGHT, K_B
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


def mass_field() -> Any:
    """A field for the mass of a particle, kg (or text: "39.948 dalton")."""
    return eqx.field(converter=lambda value: si(value, "kg", "mass of a particle"))


def speed_field(what: str) -> Any:
    """A field for a velocity along the normal, m/s (or text with its unit)."""
    return eqx.field(converter=lambda value: si(value, "m/s", what))


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


class Drifting(Distribution):
    """Ideal gas that moves as a whole with the velocity ``speed`` (m/s) along the normal, to either side.

    With s = speed / sqrt(2 k T / m) the stream is n sqrt(k T / 2 pi m) [e^(-s^2) + sqrt(pi) s (1 + erf s)] (Bird 1994,
    eq. 4.22). At T = 0 it is that of a beam, and nothing against the drift.
    """

    classical: ClassVar[bool] = True

    mass: Any = mass_field()
    speed: Any = speed_field("drift speed")

    def stream(self, density: Any, temperature: Any) -> Stream:
        """What crosses a plane at rest towards its positive side."""
        spread = jnp.asarray(K_B * temperature / self.mass)  # variance of one component of the velocity
        first, second, third = (density * one for one in _half_moments(jnp.asarray(self.speed), spread))
        return Stream(first, self.mass * second, 0.5 * self.mass * third + K_B * temperature * first)

    def mean_energy(self, density: Any, temperature: Any) -> Any:
        """3/2 k T and that of the drift, J."""
        return (1.5 * K_B * temperature + 0.5 * self.mass * self.speed**2) * jnp.ones_like(density)


def _half_moments(u: Any, spread: Any) -> tuple[Any, Any, Any]:
    """Mean of v, v^2 and v^3 over v > 0 (zero elsewhere) of a normal distribution of mean u and variance ``spread``.

    With i_k = (2 / sqrt(pi)) int_0^inf x^k exp(-(x - s)^2) dx they are width^k i_k / 2. The recurrence from
    i_0 = erfc(-s) cancels far against the drift; there e^(-s^2) is taken out and Gauss's points give the rest.
    """
    warm = spread > 0
    width = jnp.sqrt(2.0 * jnp.where(warm, spread, 1.0))
    s = jnp.where(warm, u / width, 0.0)
    near = jnp.maximum(s, _FAR)
    i0 = erfc(-near)
    i1 = near * i0 + jnp.exp(-(near**2)) / jnp.sqrt(jnp.pi)
    i2 = near * i1 + 0.5 * i0
    i3 = near * i2 + i1
    a = jnp.maximum(-s, -_FAR)
    x = jnp.asarray(_POINTS) / (2.0 * a[..., None])
    bell = jnp.asarray(_WEIGHTS) * jnp.exp(-(x**2)) / a[..., None]
    outer = jnp.exp(-(a**2)) / jnp.sqrt(jnp.pi)
    found = []
    for k, inner in ((1, i1), (2, i2), (3, i3)):
        whole = jnp.where(s > _FAR, inner, outer * jnp.sum(x**k * bell, axis=-1))
        found.append(jnp.where(warm, 0.5 * width**k * whole, jnp.maximum(u, 0.0) ** k))
    return found[0], found[1], found[2]


_FAR = -2.0
_POINTS, _WEIGHTS = np.polynomial.laguerre.laggauss(24)


class Beam(Distribution):
    """Particles that all have one velocity, ``speed`` (m/s) along the normal; cold, whatever the temperature.

    Momentum and energy are relativistic: m v / sqrt(1 - v^2/c^2) and the energy above the rest energy.
    """

    classical: ClassVar[bool] = True

    mass: Any = mass_field()
    speed: Any = speed_field("speed of a beam")

    def stream(self, density: Any, temperature: Any) -> Stream:
        """What crosses a plane at rest towards its positive side; nothing where the beam goes the other way."""
        particles = density * jnp.maximum(self.speed, 0.0)
        stretch = 1.0 / jnp.sqrt(1.0 - (self.speed / C_LIGHT) ** 2)
        return Stream(particles, particles * stretch * self.mass * self.speed, particles * self._energy)

    @property
    def _energy(self) -> Any:
        part = (self.speed / C_LIGHT) ** 2
        root = jnp.sqrt(1.0 - part)
        return self.mass * self.speed**2 / (root * (1.0 + root))  # m c^2 (1 / root - 1) without the difference

    def mean_energy(self, density: Any, temperature: Any) -> Any:
        """The energy of every particle, J."""
        return self._energy * jnp.ones_like(density)


def speed_of(mass: Any, energy: Any) -> Any:
    """Speed (m/s) of a particle of a mass (kg) with an energy above its rest energy (J), at any speed below light's."""
    rest = mass * C_LIGHT**2
    return C_LIGHT * jnp.sqrt(energy * (energy + 2.0 * rest)) / (energy + rest)


def as_distribution(value: Any) -> Distribution:
    """A distribution as it is; a mass (kg, or text with its unit) as an ideal gas of that mass."""
    return value if isinstance(value, Distribution) else Maxwell(value)
