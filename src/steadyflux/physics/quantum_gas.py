"""Gases whose particles share out states: Fermi-Dirac, Bose-Einstein and the relativistic Maxwell-Juettner gas.

All moments are integrals of the occupation of states over energy, done by double-exponential quadrature (Takahasi and
Mori 1974) with points that move with the chemical potential and the temperature: one panel over the states below the
Fermi level, one for the thermal layer just below it, one above. They hold from absolute zero to the classical gas.
"""

from __future__ import annotations

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from steadyflux.ground.constants import C_LIGHT, H_PLANCK, K_B
from steadyflux.ground.errors import ModelError
from steadyflux.ground.units import si
from steadyflux.physics.distributions import Distribution, Stream, mass_field

DEEP = 80.0  # e^-80 of the states so many k T below the Fermi level are free
SPARSE = 1e-30  # 1/m^3: below this density a gas at absolute zero counts as this thin
SPHERE = {1: 2.0, 2: 2.0 * np.pi, 3: 4.0 * np.pi}
"""Surface of the unit sphere in one, two and three dimensions."""
SLANT = {1: 0.5, 2: 1.0 / np.pi, 3: 0.25}
"""Mean of the cosine to the normal over all directions, counted where it is positive."""


def _half_line() -> tuple[np.ndarray, np.ndarray]:
    """Points t > 0 and weights for integrands that fall as e^-t and may be any power of t at zero."""
    u = np.arange(-4.2, 4.7, 0.05)
    t = np.exp(u - np.exp(-u))
    return t, 0.05 * t * (1.0 + np.exp(-u))


def _unit() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points s in (0, 1), 1 - s without rounding, and weights; both ends may be singular."""
    u = np.arange(-3.4, 3.41, 0.05)
    reach = np.pi * np.sinh(u)
    s, rest = 1.0 / (1.0 + np.exp(-reach)), 1.0 / (1.0 + np.exp(reach))
    return s, rest, 0.05 * np.pi * np.cosh(u) * s * rest


_RAY, _RAY_WEIGHT = _half_line()
_LOW, _HIGH, _UNIT_WEIGHT = _unit()


class Isotropic(Distribution):
    """A gas at rest of particles with energy E(p), spread evenly over directions.

    Args:
        mass: of a particle, kg.
        states: number of spin states of one momentum.
        relativistic: whether E is sqrt((m c^2)^2 + (p c)^2) - m c^2 instead of p^2 / 2m.
        dimensions: 3; in 2 a density is per m^2 and a stream per m, in 1 (a wire) 1/m and 1/s.
    """

    mass: Any = mass_field()
    states: Any = eqx.field(default=2.0, converter=lambda value: si(value, "", "number of spin states"))
    relativistic: bool = eqx.field(static=True, default=False)
    dimensions: int = eqx.field(static=True, default=3)

    def __check_init__(self) -> None:
        if self.dimensions not in SPHERE:
            raise ModelError(f"A gas has 1, 2 or 3 dimensions, not {self.dimensions!r}.")

    # ---- moments ------------------------------------------------------------------------------------------------

    def momentum(self, energy: Any) -> Any:
        """Momentum of a particle, kg m/s, at a kinetic energy, J."""
        linear = energy / C_LIGHT**2 if self.relativistic else 0.0
        return jnp.sqrt(energy * (2.0 * self.mass + linear))

    def velocity(self, energy: Any) -> Any:
        """Speed of a particle, m/s, at a kinetic energy, J."""
        heavy = self.mass + (energy / C_LIGHT**2 if self.relativistic else 0.0)
        return self.momentum(energy) / heavy

    def _weights(self, energy: Any) -> Any:
        """Of the states at an energy (per dE): how many, their mean one-way speed, momentum flux, energy flux, energy;
        (5, ...)."""
        p, d = self.momentum(energy), self.dimensions
        level = p ** (d - 1)
        many = level / self.velocity(energy)
        return jnp.stack([many, SLANT[d] * level, level * p / (2.0 * d), SLANT[d] * energy * level, energy * many])

    def _occupied(self, level: Any, heat: Any) -> Any:
        """Integral of `_weights` times the occupation, over max(1, e^(level / heat)) where that is below one, (5,);
        ``level`` is the chemical potential, ``heat`` k T, both J and scalars."""
        raise TypeError(f"The distribution {type(self).__name__} must define _occupied(level, heat).")

    def _level(self, density: Any, heat: Any) -> Any:
        """The chemical potential (J) of a density, both scalars."""
        raise TypeError(f"The distribution {type(self).__name__} must define _level(density, heat).")

    @property
    def _phase_space(self) -> Any:
        return self.states * SPHERE[self.dimensions] / H_PLANCK**self.dimensions

    def _ray(self, start: Any, heat: Any, occupation: Any) -> Any:
        """Integral over energies above ``start``; the occupation is a function of the energy above it over k T."""
        t, weight = jnp.asarray(_RAY), jnp.asarray(_RAY_WEIGHT)
        warm = jnp.where(heat > 0, heat, 1.0)
        inside = self._weights(start + warm * t) @ (weight * occupation(t))
        return jnp.where(heat > 0, heat * inside, 0.0)

    def _log_density(self, level: Any, heat: Any) -> Any:
        """ln of the density at a chemical potential."""
        safe = jnp.where(heat > 0, heat, 1.0)
        low = jnp.where(heat > 0, jnp.minimum(level, 0.0) / safe, 0.0)
        return low + jnp.log(self._phase_space * self._occupied(level, heat)[0])

    @eqx.filter_jit
    def _means(self, density: Any, temperature: Any) -> Any:
        """What streams one way (particles, momentum, energy) and the energy inside, each per particle, (4, ...)."""

        def one(n: Any, T: Any) -> Any:
            heat = K_B * T
            return _shared_out(self._occupied(self._level(jnp.maximum(n, SPARSE), heat), heat))

        return jnp.moveaxis(jnp.vectorize(one, signature="(),()->(k)")(density, temperature), -1, 0)

    # ---- what it offers -----------------------------------------------------------------------------------------

    def flowing(self, density: Any, temperature: Any) -> Any:
        """Density of the particles that move at all, 1/m^3."""
        return density

    def stream(self, density: Any, temperature: Any) -> Stream:
        """What crosses a plane at rest towards its positive side."""
        n = self.flowing(density, temperature)
        particles, momentum, energy, _ = self._means(n, temperature)
        return Stream(n * particles, n * momentum, n * energy)

    def mean_energy(self, density: Any, temperature: Any) -> Any:
        """Mean kinetic energy of the particles in a volume, J."""
        n = self.flowing(density, temperature)
        return n / density * self._means(n, temperature)[3]

    def pressure(self, density: Any, temperature: Any) -> Any:
        """Pressure, Pa: twice the momentum of one stream."""
        return 2.0 * self.stream(density, temperature).momentum

    @eqx.filter_jit
    def chemical_potential(self, density: Any, temperature: Any) -> Any:
        """Chemical potential, J a particle, counted from a particle at rest."""
        level = jnp.vectorize(lambda n, T: self._level(jnp.maximum(n, SPARSE), K_B * T))
        return level(jnp.asarray(density, dtype=float), jnp.asarray(temperature, dtype=float))


def _shared_out(found: Any) -> Any:
    """Moments per particle; zero where nothing moves."""
    return found[1:] / jnp.where(found[0] > 0, found[0], 1.0)


def _polished(residual: Any, value: Any) -> Any:
    """One more Newton step, of which derivatives are taken; those of the search before it are not."""
    fixed = jax.lax.stop_gradient(value)
    miss, slope = jax.jvp(residual, (fixed,), (jnp.ones_like(fixed),))
    return fixed - miss / slope


class Juettner(Isotropic):
    """Ideal gas at any temperature up to relativistic ones (Juettner 1911): occupation e^(-E / k T)."""

    classical: ClassVar[bool] = True

    relativistic: bool = eqx.field(static=True, default=True)

    def _occupied(self, level: Any, heat: Any) -> Any:
        return self._ray(0.0, heat, lambda t: jnp.exp(-t)) * jnp.exp(jnp.maximum(level, 0.0) / heat)

    def _level(self, density: Any, heat: Any) -> Any:
        return heat * (jnp.log(density) - self._log_density(jnp.zeros_like(heat), heat))

    @eqx.filter_jit
    def _means(self, density: Any, temperature: Any) -> Any:
        def one(n: Any, T: Any) -> Any:
            return _shared_out(self._ray(0.0, K_B * T, lambda t: jnp.exp(-t)))

        return jnp.moveaxis(jnp.vectorize(one, signature="(),()->(k)")(density, temperature), -1, 0)


class FermiDirac(Isotropic):
    """Ideal Fermi gas (Fermi 1926, Dirac 1926): occupation 1 / (e^((E - mu) / k T) + 1).

    At absolute zero 3 n v_F / 16 a side stream out, with 2/3 of the Fermi energy each.
    """

    def fermi_momentum(self, density: Any) -> Any:
        """Momentum up to which the states are filled at absolute zero, kg m/s."""
        d = self.dimensions
        return (d * density / self._phase_space) ** (1.0 / d)

    def fermi_energy(self, density: Any) -> Any:
        """Energy up to which the states are filled at absolute zero, J."""
        square = self.fermi_momentum(density) ** 2
        if not self.relativistic:
            return square / (2.0 * self.mass)
        rest = self.mass * C_LIGHT**2
        return square * C_LIGHT**2 / (jnp.sqrt(rest**2 + square * C_LIGHT**2) + rest)

    def _panel(self, start: Any, width: Any, occupation: Any) -> Any:
        """Integral over ``width`` of energies above ``start``; occupation by the distance to the upper end."""
        wide = jnp.where(width > 0, width, 1.0)
        energy = start + wide * jnp.asarray(_LOW)
        inside = self._weights(energy) @ (jnp.asarray(_UNIT_WEIGHT) * occupation(jnp.asarray(_HIGH)))
        return jnp.where(width > 0, width * inside, 0.0)

    def _occupied(self, level: Any, heat: Any) -> Any:
        warm = jnp.where(heat > 0, heat, 1.0)
        eta = jnp.where(heat > 0, level / warm, 0.0)
        sea = jnp.maximum(level, 0.0)
        layer = jnp.minimum(sea, DEEP * heat)
        depth = jnp.where(heat > 0, layer / warm, 0.0)
        start = jnp.where(layer < sea, sea - layer, 0.0)
        full = self._panel(0.0, sea, jnp.ones_like)
        holes = self._panel(start, layer, lambda rest: 1.0 / (jnp.exp(depth * rest) + 1.0))
        few = jnp.exp(jnp.minimum(eta, 0.0))  # taken out of the occupation of a thin gas
        return full - holes + self._ray(sea, heat, lambda t: 1.0 / (jnp.exp(t) + few))

    def _level(self, density: Any, heat: Any) -> Any:
        target, zero = jnp.log(density), self.fermi_energy(density)
        warm = jnp.where(heat > 0, heat, 1.0)

        def residual(level: Any) -> Any:
            return self._log_density(level, heat) - target

        # ln n is concave in the level, so that Newton's method never passes the root twice.
        thin = -50.0 * warm
        classical = thin - warm * residual(thin)
        guess = jnp.where(heat > 0.3 * zero, classical, zero)
        for_search = jax.lax.stop_gradient((guess, heat, target, self))
        found = jax.lax.fori_loop(0, 9, lambda _, x: _newton(x, *for_search[1:]), for_search[0])
        return jnp.where(heat > 0, _polished(residual, jnp.where(heat > 0, found, zero)), zero)


def _newton(level: Any, heat: Any, target: Any, gas: Isotropic) -> Any:
    miss, slope = jax.jvp(lambda x: gas._log_density(x, heat) - target, (level,), (jnp.ones_like(level),))
    return level - miss / slope


class BoseEinstein(Isotropic):
    """Ideal Bose gas (Bose 1924, Einstein 1925): occupation 1 / (e^((E - mu) / k T) - 1), mu <= 0.

    Below the condensation temperature the surplus rests in the lowest state and does not stream. ``states`` defaults to
    one, for spin 0; 3 dimensions only.
    """

    states: Any = eqx.field(default=1.0, converter=lambda value: si(value, "", "number of spin states"))

    def __check_init__(self) -> None:
        if self.dimensions != 3:
            raise ModelError("A Bose gas is offered in 3 dimensions only; in fewer it does not condense.")

    def _occupied(self, level: Any, heat: Any) -> Any:
        warm = jnp.where(heat > 0, heat, 1.0)
        depth = jnp.where(heat > 0, -level / warm, 0.0)
        # e^-depth is taken out: 1 / (e^(t + depth) - 1) = e^-depth / (e^t - e^-depth).
        return self._ray(0.0, heat, lambda t: 1.0 / (jnp.expm1(t) - jnp.expm1(-depth)))

    @eqx.filter_jit
    def critical_density(self, temperature: Any) -> Any:
        """Density above which the gas condenses, 1/m^3."""
        return jnp.vectorize(lambda T: self._phase_space * self._occupied(0.0 * T, K_B * T)[0])(
            jnp.asarray(temperature, dtype=float)
        )

    def flowing(self, density: Any, temperature: Any) -> Any:
        """Density of the particles outside the condensate, 1/m^3."""
        return jnp.minimum(density, self.critical_density(temperature))

    def _level(self, density: Any, heat: Any) -> Any:
        target = jnp.log(density)
        warm = jnp.where(heat > 0, heat, 1.0)
        most = self._log_density(0.0 * warm, warm)
        thin = -50.0 * warm
        # In w = sqrt(-mu / k T) ln n falls, concave, with a finite slope from the critical density on.
        start = jnp.sqrt(jnp.maximum((self._log_density(thin, warm) + 50.0) - target, 1e-6))

        def step(w: Any, warm: Any, target: Any, gas: BoseEinstein) -> Any:
            miss, slope = jax.jvp(lambda w: gas._log_density(-warm * w**2, warm) - target, (w,), (jnp.ones_like(w),))
            return jnp.maximum(w - miss / slope, 1e-12)

        fixed = jax.lax.stop_gradient((start, warm, target, self))
        w = jax.lax.fori_loop(0, 12, lambda _, w: step(w, *fixed[1:]), fixed[0])
        condensed = (target >= most) | (heat <= 0)
        safe = jnp.where(condensed, -warm, -warm * w**2)
        aim = jnp.where(condensed, self._log_density(-warm, warm), target)
        polished = _polished(lambda level: self._log_density(level, warm) - aim, safe)
        return jnp.where(condensed, 0.0, polished)
