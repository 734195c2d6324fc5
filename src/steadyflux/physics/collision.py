"""Dilute gases from kinetic theory: viscosity and self-diffusion by collision integrals computed from the scattering.

Two molecules with the Lennard-Jones potential 4 epsilon ((sigma/r)^12 - (sigma/r)^6) are followed through a collision;
the angle by which they turn is averaged over impact parameters (the cross-section) and over energies (the collision
integral). Inside this file everything is reduced: distances by sigma, energies by epsilon, T* = k T / epsilon,
cross-sections and integrals by those of hard spheres of diameter sigma (Hirschfelder, Curtiss and Bird 1954, ch. 8).
"""

from __future__ import annotations

from functools import lru_cache
from math import factorial
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from numpy.polynomial.chebyshev import Chebyshev
from numpy.polynomial.legendre import leggauss

from steadyflux.ground.constants import K_B, N_A, R
from steadyflux.ground.errors import InputError
from steadyflux.physics.diffusion import Coefficient
from steadyflux.physics.law import parameter

LOWEST, HIGHEST = 0.1, 500.0
"""The reduced temperatures between which the collision integrals are computed."""

_ORBITING = 0.8  # below this energy one molecule can circle the other
_DEPTH = 36.0  # e-folds that are followed towards an orbit: e^-36 is below rounding
_ANGLES = 80  # impact parameters on each side of an orbit
_DEGREE = 32  # of the Chebyshev series of ln Omega by ln T*, which it meets to 3e-8
# Energies in panels of eight Gauss points, close about the orbiting energy, where the cross-section has its kink.
_PANELS = (
    *(1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.2, 0.4, 0.6, 0.7, 0.76, 0.79, 0.799, 0.8, 0.801, 0.81, 0.84, 0.9, 1.0, 1.2, 1.6),
    *(2.5, 5.0, 10.0, 30.0, 100.0, 300.0, 1e3, 3e3, 1e4, 4e4),
)

Column = np.ndarray


def _impact(w: Column, energy: Column) -> Column:
    """Square of the impact parameter of a collision whose closest approach is w^-1/2."""
    return 1.0 / w - 4.0 * (w**5 - w**2) / energy


def _impact_slope(w: Column, energy: Column) -> Column:
    return -1.0 / w**2 - 4.0 * (5.0 * w**4 - 2.0 * w) / energy


def _limits(energy: Column) -> tuple[Column, Column, Column]:
    """Limits of w = 1 / (closest approach)^2: at the orbit from outside, from inside, and in a head-on collision.

    b^2 falls with w from infinity to zero. At energies below the orbiting one it grows again on a stretch that no
    collision from far away reaches: its ends are the orbit and the closest approach of those that just pass it. Above
    that energy both are where the fall is least steep: there the angle changes fastest.
    """
    head_on = np.cbrt(0.5 * (1.0 + np.sqrt(1.0 + energy)))
    least_steep = np.cbrt((1.0 + np.sqrt(1.0 + 10.0 * energy)) / 20.0)
    orbit = np.cbrt(0.1 * (2.0 - np.sqrt(np.maximum(4.0 - 5.0 * energy, 0.0))))
    outer = np.where(energy < _ORBITING, orbit, least_steep)
    # Newton's method from the head-on side, where b^2 falls ever more steeply, comes down on the root from above.
    inner, level = head_on, _impact(outer, energy)
    for _ in range(60):
        inner = inner - (_impact(inner, energy) - level) / _impact_slope(inner, energy)
    return outer, np.where(energy < _ORBITING, inner, least_steep), head_on


def _double_exponential(count: int = 60, step: float = 0.055) -> tuple[Column, Column, Column]:
    """Points of (0, 1), their distances from 1, and weights, crowded at both ends (Takahasi and Mori 1974)."""
    t = step * np.arange(-count, count + 1)
    s = 0.5 * np.pi * np.sinh(t)
    x, rest = 1.0 / (1.0 + np.exp(-2.0 * s)), 1.0 / (1.0 + np.exp(2.0 * s))
    return x, rest, step * np.pi * np.cosh(t) * x * rest


def _angle(w: Column, energy: Column, split: Column) -> Column:
    """Angle of deflection: pi - 2 b * integral of du / sqrt(1 - b^2 u^2 - potential / E) up to the closest approach.

    With u = 1/r the radicand is a polynomial in u^2. Its factor (w - u^2) is taken out exactly, so that nothing cancels
    beside the closest approach; ``split`` is the u at which a second root may come near.
    """
    nearest, b2 = np.sqrt(w), np.maximum(_impact(w, energy), 0.0)
    c5 = -4.0 / energy
    c2 = c5 * w**3 - c5
    c0 = c2 * w**2 - b2
    coefficients = [c[..., None] for c in (c5, c5 * w, c5 * w**2, c2, c2 * w, c0)]
    points, rests, weights = _double_exponential()
    total = np.zeros_like(w)
    for low, high in ((np.zeros_like(split), split), (split, nearest)):
        width = high - low
        u = low[..., None] + width[..., None] * points
        to_end = (nearest - high)[..., None] + width[..., None] * rests
        quotient = np.zeros_like(u)
        for c in coefficients:
            quotient = quotient * u**2 + c
        radicand = -to_end * (nearest[..., None] + u) * quotient
        total += width * np.sum(weights / np.sqrt(np.maximum(radicand, 1e-300)), axis=-1)
    return np.pi - 2.0 * np.sqrt(b2) * total


def cross_sections(energy: Any) -> tuple[np.ndarray, np.ndarray]:
    """Reduced cross-sections Q(1)* for diffusion and Q(2)* for viscosity at reduced relative energies, (energy,)."""
    E = np.atleast_1d(np.asarray(energy, dtype=float))[:, None]
    outer, inner, head_on = _limits(E)
    points, weights = leggauss(_ANGLES)
    far = np.exp(-0.5 * _DEPTH * (1.0 + points))  # how near to the orbit: the angle grows with -ln of it
    weights = 0.5 * _DEPTH * weights * far
    first, second = np.zeros(len(E)), np.zeros(len(E))
    for w, dw, split in (
        (outer * (1.0 - far), outer * weights, None),
        (inner + (head_on - inner) * far, (head_on - inner) * weights, outer),
    ):
        middle = 0.5 * np.sqrt(w) if split is None else np.sqrt(split + 0.0 * w)
        turn = np.cos(_angle(w, E + 0.0 * w, middle))
        area = 0.5 * np.abs(_impact_slope(w, E)) * dw  # b db
        first += 2.0 * np.sum((1.0 - turn) * area, axis=1)
        second += 3.0 * np.sum((1.0 - turn**2) * area, axis=1)
    return first, second


@lru_cache(maxsize=1)
def _sections() -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Energies, their weights, and both cross-sections there."""
    points, weights = leggauss(8)
    ends = np.log(np.array(_PANELS))
    middle, half = 0.5 * (ends[1:] + ends[:-1]), 0.5 * np.diff(ends)
    energy = np.exp(middle[:, None] + half[:, None] * points).ravel()
    found = [cross_sections(part) for part in np.array_split(energy, 8)]
    both = (np.concatenate([one for one, _ in found]), np.concatenate([two for _, two in found]))
    return energy, (half[:, None] * weights).ravel() * energy, both


def _average(order: int, log_temperature: np.ndarray) -> np.ndarray:
    """ln Omega(l, l)*: the cross-section averaged over the energies of collisions at a temperature."""
    energy, weights, both = _sections()
    x = energy / np.exp(np.atleast_1d(log_temperature))[:, None]
    kernel = x ** (order + 2) * np.exp(-x) / factorial(order + 1)
    return np.log(kernel @ (weights * both[order - 1] / energy))


@lru_cache(maxsize=2)
def _series(order: int) -> tuple[float, ...]:
    domain = [float(np.log(LOWEST)), float(np.log(HIGHEST))]
    return tuple(Chebyshev.interpolate(lambda y: _average(order, y), _DEGREE, domain=domain).coef.tolist())


def collision_integral(order: int, temperature: Any) -> Any:
    """Omega(l, l)* of the Lennard-Jones potential at the reduced temperature T*: order 1 diffusion, 2 viscosity.

    Accurate to 1e-6 for T* from 0.1 to 500 and constant beyond; differentiable. Check: 1.5932 for order 2 at T* = 1
    (Monchick and Mason 1961).
    """
    if order not in (1, 2):
        raise InputError(f"There are collision integrals of order 1 (diffusion) and 2 (viscosity), not {order}.")
    span = np.log(HIGHEST / LOWEST)
    y = jnp.clip(2.0 * jnp.log(jnp.asarray(temperature) / LOWEST) / span - 1.0, -1.0, 1.0)
    ahead, here = jnp.zeros_like(y), jnp.zeros_like(y)
    for c in reversed(_series(order)[1:]):
        ahead, here = here, 2.0 * y * here - ahead + c
    return jnp.exp(y * here - ahead + _series(order)[0])


class DiluteGas(eqx.Module):
    """A dilute gas of Lennard-Jones molecules in the first approximation of Chapman and Enskog.

    ``molar_mass`` kg/mol, ``diameter`` sigma in m, ``well_depth`` epsilon / k in K; ``freedom`` counts the degrees of
    freedom of a molecule that take up heat (three for single atoms).
    """

    molar_mass: Any = parameter("kg/mol", "molar mass")
    diameter: Any = parameter("m", "collision diameter")
    well_depth: Any = parameter("K", "well depth over Boltzmann's constant")
    freedom: Any = parameter("", "degrees of freedom", default=3.0)

    def density(self, T: Any, pressure: Any) -> Any:
        """Density of the ideal gas, kg/m^3."""
        return pressure * self.molar_mass / (R * T)

    @property
    def heat_capacity(self) -> Any:
        """Heat capacity at constant pressure, J/(kg K)."""
        return (0.5 * self.freedom + 1.0) * R / self.molar_mass

    def hard_sphere_viscosity(self, T: Any) -> Any:
        """(5/16) sqrt(pi m k T) / (pi sigma^2), Pa s: what molecules without attraction would have."""
        return 5.0 / 16.0 * jnp.sqrt(self.molar_mass / N_A * K_B * T / jnp.pi) / self.diameter**2

    def viscosity(self, T: Any) -> Any:
        """Viscosity at the temperature T, Pa s."""
        return self.hard_sphere_viscosity(T) / collision_integral(2, T / self.well_depth)

    def self_diffusivity(self, T: Any, pressure: Any) -> Any:
        """Coefficient of self-diffusion, m^2/s: (6/5) of the hard-sphere viscosity over density and Omega(1,1)*."""
        spread = collision_integral(1, T / self.well_depth)
        return 1.2 * self.hard_sphere_viscosity(T) / (self.density(T, pressure) * spread)

    def conductivity(self, T: Any) -> Any:
        """Eucken (1913): eta (R/M) (f/2 + 9/4), W/(m K); for single atoms the first approximation itself."""
        return self.viscosity(T) * R / self.molar_mass * (0.5 * self.freedom + 2.25)

    def mean_free_path(self, T: Any, pressure: Any) -> Any:
        """k T / (sqrt(2) pi sigma^2 p), m, of hard spheres of the collision diameter."""
        return K_B * T / (jnp.sqrt(2.0) * jnp.pi * self.diameter**2 * pressure)

    def jump_length(self, T: Any, pressure: Any) -> Any:
        """Length by which the temperature jumps at a wall that throws all molecules back diffusely, m.

        2 gamma / (gamma + 1) / Pr mean free paths (Smoluchowski 1898; Kennard 1938).
        """
        gamma = 1.0 + 2.0 / self.freedom
        prandtl = self.heat_capacity * self.viscosity(T) / self.conductivity(T)
        return 2.0 * gamma / (gamma + 1.0) / prandtl * self.mean_free_path(T, pressure)


class GasThinning(Coefficient):
    """Viscosity of a gas at a reference temperature over that at T."""

    gas: DiluteGas
    at: Any

    def __call__(self, x: Any) -> Any:
        """The share at the temperature ``x``."""
        return self.gas.viscosity(self.at) / self.gas.viscosity(x)


class GasConductivity(Coefficient):
    """Thermal conductivity of a gas, W/(m K)."""

    gas: DiluteGas

    def __call__(self, x: Any) -> Any:
        """The conductivity at the temperature ``x``."""
        return self.gas.conductivity(x)
