"""Conduction down a gradient: Fick, Fourier, Ohm and Darcy are one two-point law under four names."""

from __future__ import annotations

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp

from steadyflux.ground.units import si
from steadyflux.physics.bernoulli import bernoulli
from steadyflux.physics.law import EdgeLaw, parameter
from steadyflux.physics.local import Geometry, Local
from steadyflux.physics.means import log_mean, path_mean


class Coefficient(eqx.Module):
    """A coefficient that depends on the state: call it with the state variable's value.

    Its numbers may be given one per edge, (edge,), unless `varies_by_edge` is False (a table's columns are no edges).
    """

    varies_by_edge: ClassVar[bool] = True

    def __call__(self, x: Any) -> Any:
        """The coefficient at the state ``x``."""
        raise TypeError(f"{type(self).__name__} must define __call__(x).")

    def mean(self, a: Any, b: Any) -> Any:
        """Mean of the coefficient between two states; a coefficient that knows its integral may say it exactly."""
        return path_mean(self, a, b)


class Exponential(Coefficient):
    """value * exp(rate * (x - at))."""

    value: Any
    rate: Any
    at: Any = 0.0

    def __call__(self, x: Any) -> Any:
        """The coefficient at the state ``x``."""
        return self.value * jnp.exp(self.rate * (x - self.at))

    def mean(self, a: Any, b: Any) -> Any:
        """The exact mean, from the larger end: f(top) (1 - e^-u) / u with u the difference of the exponents."""
        rise = self.rate * (a - b)
        fall = jnp.where(rise >= 0, -rise, rise)
        return self(jnp.where(rise >= 0, a, b)) / bernoulli(fall)


class Polynomial(Coefficient):
    """Sum of coefficients[i] * (x - at)^i."""

    coefficients: tuple[Any, ...] = eqx.field(converter=tuple)
    at: Any = 0.0

    def __call__(self, x: Any) -> Any:
        """The coefficient at the state ``x``."""
        total = jnp.zeros_like(x)
        for c in reversed(self.coefficients):
            total = total * (x - self.at) + c
        return total

    def mean(self, a: Any, b: Any) -> Any:
        """The exact mean: that of x^n is the sum of a^j b^(n-j), j from 0 to n, over n + 1."""
        a, b = a - self.at, b - self.at
        total, terms, power = jnp.zeros_like(a), jnp.ones_like(a), jnp.ones_like(a)
        for n, c in enumerate(self.coefficients):
            if n:
                power = power * b
                terms = terms * a + power
            total = total + c * terms / (n + 1)
        return total


class Power(Coefficient):
    """value * (x / unit)^exponent, zero at x = 0 for a positive exponent."""

    value: Any
    exponent: Any
    unit: Any = 1.0

    def __call__(self, x: Any) -> Any:
        """The coefficient at the state ``x``."""
        safe = jnp.where(x > 0, x, 1.0)
        return self.value * jnp.where(
            x > 0, (safe / self.unit) ** self.exponent, jnp.where(self.exponent == 0, 1.0, 0.0)
        )

    def mean(self, a: Any, b: Any) -> Any:
        """The exact mean: with r the ratio of the ends and p the exponent, f(top) (1 - r^(p+1)) / ((p+1) (1 - r))."""
        top, low = jnp.maximum(a, b), jnp.minimum(a, b)
        some = top > 1e-100  # the square of less is no number any more
        ratio = jnp.where(some, low, 1.0) / jnp.where(some, top, 1.0)
        ratio = jnp.maximum(ratio, 1e-300)  # an end at zero: the exact limit 1 / (p+1) to rounding
        rise = self.exponent + 1.0
        # Far apart the formula as it stands, near each other (or at p = -1) without its cancelling differences.
        plain = (ratio < 0.5) & (jnp.abs(rise) > 1e-3)
        far = jnp.where(plain, ratio, 0.25)
        apart = (1.0 - far**rise) / (jnp.where(plain, rise, 1.0) * (1.0 - far))
        w = jnp.log(jnp.where(plain, 0.5, ratio))
        mean = jnp.where(plain, apart, bernoulli(w) / bernoulli(rise * w))
        # Below zero nothing is conducted: a step of a search may pass there, and must find a smooth flux.
        below = (low <= 0) & some
        share = jnp.where(below, top / jnp.where(below, top - low, 1.0), 1.0)
        return share * self(top) * mean


class Limited(Coefficient):
    """value / (1 - x / limit): growing without bound as the state nears its limit."""

    value: Any
    limit: Any

    def __call__(self, x: Any) -> Any:
        """The coefficient at the state ``x``."""
        return self.value / (1.0 - x / self.limit)

    def mean(self, a: Any, b: Any) -> Any:
        """The exact mean: the value over the logarithmic mean of what is left to the limit."""
        return self.value / log_mean(1.0 - a / self.limit, 1.0 - b / self.limit)


class Table(Coefficient):
    """Linear interpolation in a table of states (increasing) and coefficients; constant beyond its ends."""

    states: Any
    values: Any
    varies_by_edge: ClassVar[bool] = False

    def __call__(self, x: Any) -> Any:
        """The coefficient at the state ``x``."""
        return jnp.interp(x, jnp.asarray(self.states), jnp.asarray(self.values))


def wander_freely(here: Local, quantity: str) -> bool:
    """Whether a quantity comes in particles that feel no force: neutral (or without a potential), in an ideal phase."""
    q = here.quantity(quantity)
    charged = q.charge and ("phi" in here.known or any(o.kind == "charge" for o in here.quantities.values()))
    ideal = q.kind == "species" and here.phase.is_ideal and not charged
    return (ideal or q.kind == "population") and q.external is None


class Conduction(EdgeLaw):
    """Flux = coefficient * area / length * difference of the state, with the coefficient's mean along the way.

    The mean is the integral of the coefficient between the two states (exact where `Coefficient.mean` is, else by
    Gauss-Legendre), which makes the steady flux in one dimension exact for any coefficient: Kirchhoff's transform on
    each edge.
    """

    quantity: str = eqx.field(static=True)
    coefficient: Any = parameter("", "coefficient")

    @property
    def moves(self) -> tuple[str, ...]:
        """The quantity conducted."""
        return (self.quantity,)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Flux from tail to head in the quantity's flux unit."""
        a, b = tail[self.quantity], head[self.quantity]
        drop = a - b
        external = tail.quantity(self.quantity).external
        if external is not None:
            drop = drop + tail[external] - head[external]
        mean = self.coefficient if self.function is None else self.function.mean(a, b)
        return {self.quantity: mean * edge.conductor * drop}

    def one_way(self, tail: Local, head: Local, edge: Geometry) -> dict[str, tuple[Any, Any]] | None:
        """What each end sends to the other, for particles that diffuse freely with a coefficient of their own.

        Independent particles leave each end in proportion to what is there, so the split is the only one. There is
        none for a coefficient of the state, for heat, charge or volume, and under forces, which would bend it.
        """
        if not wander_freely(tail, self.quantity) or self.function is not None:
            return None
        strength = self.coefficient * edge.conductor
        return {self.quantity: (strength * tail[self.quantity], strength * head[self.quantity])}

    function: Coefficient | None = None


def _conduction(quantity: str, coefficient: Any, unit: str, what: str, on: str | None) -> Conduction:
    place: dict[str, Any] = {} if on is None else {"on": on}
    if isinstance(coefficient, Coefficient):
        return Conduction(quantity, 0.0, function=coefficient, **place)
    value = coefficient if callable(coefficient) else si(coefficient, unit, what)
    return Conduction(quantity, value, **place)


def Fick(species: str, diffusivity: Any, *, on: str | None = None) -> Conduction:
    """Diffusion, m^2/s: a number, one per edge, a function of the position, or a `Coefficient` of the concentration."""
    return _conduction(species, diffusivity, "m^2/s", f"diffusivity of {species}", on)


def Fourier(conductivity: Any, *, quantity: str = "T", on: str | None = None) -> Conduction:
    """Heat conduction, W/(m K): a number, one per edge, a function of the position, or a `Coefficient` of T."""
    return _conduction(quantity, conductivity, "W/(m*K)", "thermal conductivity", on)


def Ohm(conductivity: Any, *, quantity: str = "phi", on: str | None = None) -> Conduction:
    """Electric conduction, S/m: a number, one per edge, a function of the position, or a `Coefficient` of phi."""
    return _conduction(quantity, conductivity, "S/m", "electric conductivity", on)


def Darcy(mobility: Any, *, quantity: str = "p", on: str | None = None) -> Conduction:
    """Flow through a porous medium, permeability over viscosity, m^2/(Pa s), down pressure plus external potential."""
    return _conduction(quantity, mobility, "m^2/(Pa*s)", "mobility of the fluid", on)
