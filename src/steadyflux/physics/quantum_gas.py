"""Gases whose particles share out states: Fermi-Dirac, Bose-Einstein and the relativistic Maxwell-Juettner gas.

All moments are integrals of the occupation of states over energy, done by double-exponential quadrature (Takahasi and
Mori 1974) with points that move with the chemical potential and the temperature: one panel over the states below the
Fermi level, one for the thermal layer just below it, one above. They hold from absolute zero to the classical gas.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from steadyflux.ground.constants import C_LIGHT, H_PLANCK, K_B, N_A, R
from steadyflux.ground.errors import ModelError
from steadyflux.ground.units import si
from steadyflux.physics.distributions import Distribution, Stream, mass_field
from steadyflux.physics.phase import Concentrations, Phase

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

# The three panels of a Fermi gas end to end: which panel, place along it, distance that its occupation counts.
_SEGMENT = np.repeat([0, 1, 2], [_LOW.size, _LOW.size, _RAY.size])
_ALONG = np.concatenate([_LOW, _LOW, _RAY])
_BELOW = np.concatenate([_HIGH, _HIGH, _RAY])
_ALL_WEIGHTS = np.concatenate([_UNIT_WEIGHT, _UNIT_WEIGHT, _RAY_WEIGHT])
_SIGN = np.array([1.0, -1.0, 1.0])[_SEGMENT]


def _ray(heat: Any) -> tuple[Any, Any]:
    """Energies from zero up at a k T, and their weights, both (point,); no weight at absolute zero."""
    warm = jnp.where(heat > 0, heat, 1.0)
    return warm * jnp.asarray(_RAY), heat * jnp.asarray(_RAY_WEIGHT)


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

    def many(self, energy: Any) -> Any:
        """How many states there are at an energy, per dE, but for the constant `_phase_space`."""
        return self.momentum(energy) ** (self.dimensions - 1) / self.velocity(energy)

    def _weights(self, energy: Any) -> Any:
        """At an energy: how many states, their mean one-way speed, momentum flux, energy flux, energy; (5, ...)."""
        p, d, many = self.momentum(energy), self.dimensions, self.many(energy)
        level = p ** (d - 1)
        return jnp.stack([many, SLANT[d] * level, level * p / (2.0 * d), SLANT[d] * energy * level, energy * many])

    def filled(self, level: Any, heat: Any) -> tuple[Any, Any, Any]:
        """Energies (point,), their weights, and the occupation there, over e^(level / heat) where that is below one;
        ``level`` is the chemical potential, ``heat`` k T, both J and scalars."""
        raise TypeError(f"The distribution {type(self).__name__} must define filled(level, heat).")

    def _level(self, density: Any, heat: Any) -> Any:
        """The chemical potential (J) of a density, both scalars."""
        raise TypeError(f"The distribution {type(self).__name__} must define _level(density, heat).")

    def _occupied(self, level: Any, heat: Any) -> Any:
        """Integral of `_weights` times the occupation of `filled`, (5,)."""
        energy, weight, occupation = self.filled(level, heat)
        return self._weights(energy) @ (weight * occupation)

    @property
    def _phase_space(self) -> Any:
        return self.states * SPHERE[self.dimensions] / H_PLANCK**self.dimensions

    def _log_density(self, level: Any, heat: Any) -> Any:
        """ln of the density at a chemical potential."""
        energy, weight, occupation = self.filled(level, heat)
        low = jnp.where(heat > 0, jnp.minimum(level, 0.0) / jnp.where(heat > 0, heat, 1.0), 0.0)
        return low + jnp.log(self._phase_space * jnp.sum(self.many(energy) * weight * occupation))

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
    def free_energy(self, density: Any, temperature: Any) -> Any:
        """Free-energy density n mu - p, J/m^3, above absolute zero."""

        def one(n: Any, T: Any) -> Any:
            heat = K_B * T
            level = self._level(jnp.maximum(n, SPARSE), heat)
            few = jnp.exp(jnp.minimum(level, 0.0) / heat)
            return n * level - 2.0 * self._phase_space * few * self._occupied(level, heat)[2]

        return jnp.vectorize(one)(jnp.asarray(density, dtype=float), jnp.asarray(temperature, dtype=float))

    @eqx.filter_jit
    def chemical_potential(self, density: Any, temperature: Any) -> Any:
        """Chemical potential, J a particle, counted from a particle at rest."""
        level = jnp.vectorize(lambda n, T: self._level(jnp.maximum(n, SPARSE), K_B * T))
        return level(jnp.asarray(density, dtype=float), jnp.asarray(temperature, dtype=float))


class QuantumGas(Phase):
    """The phase of a gas of one species whose particles share out states; its chemical potential and its energy follow
    from the free energy n mu - p of the ``gas``, so that `Effusion` between two such gases is reciprocal."""

    gas: Isotropic

    def excess(self, c: Concentrations, charges: Mapping[str, float], T: Any) -> Any:
        """Free-energy density over R T less that of mixing, mol/m^3."""
        if len(c) != 1:
            raise ModelError(f"A quantum gas is a phase of one species, not of {len(c)}.")
        amount = jnp.maximum(next(iter(c.values())), SPARSE / N_A)
        return self.gas.free_energy(amount * N_A, T) / (R * T) - amount * (jnp.log(amount) - 1.0)


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

    def filled(self, level: Any, heat: Any) -> tuple[Any, Any, Any]:
        """Energies, weights and e^-t."""
        energy, weight = _ray(heat)
        return energy, weight, jnp.exp(-jnp.asarray(_RAY))

    def _level(self, density: Any, heat: Any) -> Any:
        return heat * (jnp.log(density) - self._log_density(jnp.zeros_like(heat), heat))

    @eqx.filter_jit
    def _means(self, density: Any, temperature: Any) -> Any:
        def one(n: Any, T: Any) -> Any:
            return _shared_out(self._occupied(jnp.zeros_like(T), K_B * T))

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

    def filled(self, level: Any, heat: Any) -> tuple[Any, Any, Any]:
        """Energies, weights and occupation of the three panels."""
        warm = jnp.where(heat > 0, heat, 1.0)
        sea = jnp.maximum(level, 0.0)
        layer = jnp.minimum(sea, DEEP * heat)
        few = jnp.where(heat > 0, jnp.exp(jnp.minimum(level, 0.0) / warm), 1.0)
        # The sea is full but for the holes in its uppermost layer; above it the occupation falls as e^-t.
        start = jnp.stack([jnp.zeros_like(sea), jnp.where(layer < sea, sea - layer, 0.0), sea])[_SEGMENT]
        width = jnp.stack([sea, layer, heat + 0.0 * sea])[_SEGMENT]
        steep = jnp.stack([jnp.zeros_like(sea), jnp.where(heat > 0, layer / warm, DEEP), jnp.ones_like(sea)])[_SEGMENT]
        added = jnp.stack([jnp.zeros_like(sea), jnp.ones_like(sea), few])[_SEGMENT]
        energy = start + width * jnp.asarray(_ALONG)
        occupation = jnp.asarray(_SIGN) / (jnp.exp(steep * jnp.asarray(_BELOW)) + added)
        # Of an empty panel only the slope by its width counts; where that starts at no energy it has none.
        return jnp.where(energy > 0, energy, 1.0), width * jnp.asarray(_ALL_WEIGHTS), occupation

    def _level(self, density: Any, heat: Any) -> Any:
        target, zero = jnp.log(density), self.fermi_energy(density)
        warm = jnp.where(heat > 0, heat, 1.0)

        def residual(level: Any) -> Any:
            return self._log_density(level, heat) - target

        # ln n is concave in the level, so that Newton's method never passes the root twice.
        thin = -50.0 * warm
        classical = thin - warm * residual(thin)
        guess = jnp.where(heat > 0.3 * zero, classical, zero)
        fixed = jax.lax.stop_gradient((guess, warm, target, self))
        found = jax.lax.fori_loop(0, 9, lambda _, x: _newton(x, *fixed[1:]), fixed[0])
        return jnp.where(heat > 0, _polished(residual, jnp.where(heat > 0, found, zero)), zero)


def _newton(level: Any, warm: Any, target: Any, gas: FermiDirac) -> Any:
    """A step of the search for the level; the slope of an occupation f by the level is f (1 - f) / k T."""
    energy, weight, occupation = gas.filled(level, warm)
    many = gas.many(energy) * weight
    scale = jnp.minimum(level, 0.0) / warm
    part = 1.0 / (1.0 + jnp.exp((energy - level) / warm))
    inside = jnp.sum(many * occupation)
    steep = jnp.sum(jnp.where(jnp.asarray(_SEGMENT) == 0, 0.0, many * part * (1.0 - part))) * jnp.exp(-scale)
    miss = scale + jnp.log(gas._phase_space * inside) - target
    return level - miss * warm * inside / steep


class BoseEinstein(Isotropic):
    """Ideal Bose gas (Bose 1924, Einstein 1925): occupation 1 / (e^((E - mu) / k T) - 1), mu <= 0.

    Below the condensation temperature the surplus rests in the lowest state and does not stream. ``states`` defaults to
    one, for spin 0; 3 dimensions only.
    """

    states: Any = eqx.field(default=1.0, converter=lambda value: si(value, "", "number of spin states"))

    def __check_init__(self) -> None:
        if self.dimensions != 3:
            raise ModelError("A Bose gas is offered in 3 dimensions only; in fewer it does not condense.")

    def filled(self, level: Any, heat: Any) -> tuple[Any, Any, Any]:
        """Energies, weights and occupation."""
        depth = jnp.where(heat > 0, -level / jnp.where(heat > 0, heat, 1.0), 0.0)
        energy, weight = _ray(heat)
        # e^-depth is taken out: 1 / (e^(t + depth) - 1) = e^-depth / (e^t - e^-depth).
        return energy, weight, 1.0 / (jnp.expm1(jnp.asarray(_RAY)) - jnp.expm1(-depth))

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
