"""The energy axis of a stellar cusp: its coordinate, the integrals along it, and the density of stars in space."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erfc

_POINT, _WEIGHT = np.polynomial.legendre.leggauss(40)
_POINT, _WEIGHT = 0.5 * (_POINT + 1.0), 0.5 * _WEIGHT
_PANELS = 6  # of 40 points each, over all decades below half the energy at hand
_FAR = 25.0  # beyond this the asymptotic series of erfc has eight digits


class EnergyAxis(eqx.Module):
    """Binding energy x = exp(s), s = ln(sink) - ln cosh(end - u): ln x runs as u far below the sink and stands still at
    it.

    Equal steps of u are equal ratios of x, with the last ones drawn together so that the axis ends as if mirrored
    there: sums over its cells then stay accurate although the integrands end abruptly at the sink.
    """

    end: Any

    def s(self, u: Any) -> Any:
        """ln x at the coordinate u."""
        t = jnp.maximum(self.end - u, 0.0)
        return self.end - t - jnp.log1p(jnp.exp(-2.0 * t)) + np.log(2.0)

    def x(self, u: Any) -> Any:
        """Energy at the coordinate u."""
        return jnp.exp(self.s(u))

    def rate(self, u: Any) -> Any:
        """d ln x / du."""
        return jnp.tanh(jnp.maximum(self.end - u, 0.0))

    def u(self, x: Any) -> Any:
        """Coordinate of the energy x."""
        ratio = jnp.maximum(jnp.exp(self.end) / jnp.asarray(x), 1.0)
        return self.end - jnp.arccosh(ratio)


class Weighted(eqx.Module):
    """x^power sum(weight g) dx / du: the integrand of a running integral over the energy of several masses."""

    axis: EnergyAxis
    weights: tuple[Any, ...]
    power: float = eqx.field(static=True)
    of: tuple[str, ...] = eqx.field(static=True)

    def __call__(self, here: Any, u: Any) -> Any:
        """The integrand at the coordinate u."""
        total = sum(w * here[name] for w, name in zip(self.weights, self.of, strict=True))
        return self.axis.x(u) ** (1.0 + self.power) * self.axis.rate(u) * total


class Size(eqx.Module):
    """x^low where x is small, turning into x^high: how large an integral over a cusp is, about."""

    axis: EnergyAxis
    low: float = eqx.field(static=True)
    high: float = eqx.field(static=True)

    def __call__(self, u: Any) -> Any:
        """The size at the coordinate u."""
        x = self.axis.x(u)
        return x**self.low * (1.0 + x) ** (self.high - self.low)


class States(eqx.Module):
    """Orbits per unit of u and of g, times the time unit: x^(-5/2) dx / du."""

    axis: EnergyAxis
    time: Any

    def __call__(self, u: Any) -> Any:
        """What a cell at u stores per g and step of u."""
        return self.time * self.axis.x(u) ** -1.5 * self.axis.rate(u)


class Profile:
    """g between the cells, by cubics with slopes of fourth order; below the axis the unbound stars, exp(steepness x)
    joined to the first cell."""

    def __init__(self, axis: EnergyAxis, u: Any, g: Any) -> None:
        self.axis, self.low, self.step = axis, u[0], u[1] - u[0]
        self.g, self.slopes = jnp.asarray(g), _slopes(jnp.asarray(g), self.step)

    def _at(self, x: Any) -> tuple[Any, Any]:
        u = self.axis.u(x)
        place = jnp.clip((u - self.low) / self.step, 0.0, self.g.shape[0] - 1.0)
        i = jnp.minimum(place.astype(int), self.g.shape[0] - 2)
        t = place - i.astype(float)
        a, b = self.g[i], self.g[i + 1]
        da, db = self.step * self.slopes[i], self.step * self.slopes[i + 1]
        value = a + t * (da + t * (3.0 * (b - a) - 2.0 * da - db + t * (2.0 * (a - b) + da + db)))
        slope = da + t * (6.0 * (b - a) - 4.0 * da - 2.0 * db + t * (6.0 * (a - b) + 3.0 * (da + db)))
        return value, slope / self.step / self.axis.rate(u)

    def __call__(self, x: Any) -> Any:
        """g at energies x."""
        return self._at(x)[0]

    def slope(self, x: Any) -> Any:
        """d ln g / d ln x at energies x."""
        value, slope = self._at(x)
        return slope / value

    def density(self, radius: Any, abundance: Any, steepness: Any) -> tuple[Any, Any]:
        """Stars per volume at a radius over those far away of the unit kind, and d ln n / d ln r, (radius,).

        n = (2 / sqrt pi) integral of g sqrt(psi - x) dx with psi = 1 / r, the unbound stars (x < 0) included.
        """
        psi = 1.0 / jnp.asarray(radius)[:, None]
        top = jnp.minimum(psi, jnp.exp(self.axis.end))
        half, lowest = 0.5 * top, self.axis.x(self.low)
        # Above half the highest energy x = psi - psi t^2, which takes the root away; below it in equal ratios.
        first, last = jnp.sqrt(1.0 - top / psi), jnp.sqrt(1.0 - half / psi)
        t = first + (last - first) * jnp.asarray(_POINT)
        near = self(psi * (1.0 - t * t)) * (last - first) * jnp.asarray(_WEIGHT)
        count, slope = 2.0 * psi**1.5 * jnp.sum(near * t * t, axis=1, keepdims=True), 0.0
        slope = jnp.sqrt(psi) * jnp.sum(near, axis=1, keepdims=True)
        shares = (np.arange(_PANELS)[:, None] + _POINT).ravel() / _PANELS
        span = jnp.log(half / lowest)
        x = lowest * jnp.exp(span * jnp.asarray(shares))
        far = self(x) * x * span * jnp.asarray(np.tile(_WEIGHT, _PANELS) / _PANELS)
        count = count + jnp.sum(far * jnp.sqrt(psi - x), axis=1, keepdims=True) + lowest * self.g[0] * jnp.sqrt(psi)
        slope = slope + jnp.sum(0.5 * far / jnp.sqrt(psi - x), axis=1, keepdims=True)
        y = steepness * psi
        tail = _scaled_erfc(jnp.sqrt(y))
        count = count + abundance * steepness**-1.5 * (jnp.sqrt(y) + 0.5 * np.sqrt(np.pi) * tail)
        slope = slope + 0.5 * abundance * jnp.sqrt(np.pi / steepness) * tail + 0.5 * lowest * self.g[0] / jnp.sqrt(psi)
        return 2.0 / np.sqrt(np.pi) * count[:, 0], -(psi * slope / count)[:, 0]


def _slopes(g: Any, step: Any) -> Any:
    """dg/du by five points, (cell,): centred inside, one-sided at the ends."""
    inner = (g[:-4] - 8.0 * g[1:-3] + 8.0 * g[3:-1] - g[4:]) / 12.0
    weights = np.array([[-25.0, 48.0, -36.0, 16.0, -3.0], [-3.0, -10.0, 18.0, -6.0, 1.0]]) / 12.0
    low, high = jnp.asarray(weights) @ g[:5], -(jnp.asarray(weights) @ g[:-6:-1])
    return jnp.concatenate([low, inner, high[::-1]]) / step


def _scaled_erfc(z: Any) -> Any:
    """exp(z^2) erfc(z) for z >= 0."""
    y = z * z
    near = jnp.minimum(y, _FAR)
    far = jnp.maximum(y, _FAR)
    term, total = jnp.ones_like(far), jnp.ones_like(far)
    for k in range(1, 11):
        term = -term * (2 * k - 1) / (2.0 * far)
        total = total + term
    return jnp.where(y < _FAR, jnp.exp(near) * erfc(jnp.sqrt(near)), total / jnp.sqrt(np.pi * far))
