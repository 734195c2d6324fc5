"""Means of two end states for edge coefficients: logarithmic, harmonic, and the mean of a function along the path."""

from collections.abc import Callable
from math import factorial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

__all__ = ["harmonic_mean", "log_mean", "path_mean"]

_RATIO = 1e-300  # smallest ratio of two ends in a derivative: the exact one is infinite at zero, this leaves it finite
_TERMS = 18
_EXPONENTIAL = [1.0 / factorial(n + 2) for n in range(_TERMS)]


def _phi2(u: Array, expm1_u: Array) -> Array:
    """(exp(u) - 1 - u) / u^2, by its series where the difference cancels."""
    small = jnp.clip(u, -1.0, 1.0)
    near = jnp.full_like(u, _EXPONENTIAL[-1])
    for coefficient in reversed(_EXPONENTIAL[:-1]):
        near = near * small + coefficient
    far = jnp.where(jnp.abs(u) < 1.0, 1.0, u)
    return jnp.where(jnp.abs(u) < 1.0, near, (expm1_u / far - 1.0) / far)


@jax.custom_jvp
def _log_mean(a: Array, b: Array) -> Array:
    larger, smaller = jnp.maximum(a, b), jnp.minimum(a, b)
    # 1 - ratio is exact and the mean a smooth function of the ratio: the rounding of the ratio does no harm near a = b.
    ratio = jnp.where(larger > 0, smaller, 1.0) / jnp.where(larger > 0, larger, 1.0)
    inside = (ratio > 0) & (ratio < 1)
    between = jnp.where(inside, ratio, 0.5)
    factor = jnp.where(inside, (1.0 - between) / -jnp.log(between), jnp.where(ratio > 0, 1.0, 0.0))
    return jnp.where(smaller >= 0, larger * factor, jnp.nan)


@_log_mean.defjvp
def _log_mean_jvp(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
    a, b = primals
    tiny = jnp.finfo(a.dtype).tiny
    at_zero = (a <= 0) & (b <= 0)
    p = jnp.where(at_zero, 1.0, jnp.maximum(jnp.maximum(a, _RATIO * b), tiny))
    q = jnp.where(at_zero, 1.0, jnp.maximum(jnp.maximum(b, _RATIO * a), tiny))
    # With u = ln(a/b): dL/da = (u - 1 + exp(-u)) / u^2 = phi2(-u), dL/db = phi2(u).
    u = jnp.log(p / q)
    by_a, by_b = _phi2(-u, q / p - 1.0), _phi2(u, p / q - 1.0)
    return _log_mean(a, b), by_a * tangents[0] + by_b * tangents[1]


def log_mean(a: ArrayLike, b: ArrayLike) -> Array:
    """(a - b) / ln(a / b) for a, b >= 0 (broadcast together): a where a = b, and 0 where one of them is 0; NaN below 0.

    The mean under which a flux linear in potential differences and one linear in concentration differences agree:
    L (ln a - ln b) = a - b. Value and first derivative have a relative error of a few roundings. By the smaller
    argument the derivative is infinite at zero; there it is taken at 1e-300 times the larger one, so that it stays a
    number. At a = b = 0 both derivatives are 1/2, the limit along a = b.
    """
    a, b = jnp.broadcast_arrays(jnp.asarray(a, dtype=float), jnp.asarray(b, dtype=float))
    return _log_mean(a, b)


def harmonic_mean(a: ArrayLike, b: ArrayLike) -> Array:
    """2 a b / (a + b) for a, b >= 0 (broadcast together), and 0, with derivatives 0, where both are 0.

    The coefficient of two equal halves in series.
    """
    a, b = jnp.broadcast_arrays(jnp.asarray(a, dtype=float), jnp.asarray(b, dtype=float))
    half_sum = 0.5 * a + 0.5 * b
    return a * (b / jnp.where(half_sum == 0, 1.0, half_sum))


def path_mean(function: Callable[[Array], Array], a: ArrayLike, b: ArrayLike, points: int = 8) -> Array:
    """Mean of `function` over the straight path from a to b: the integral of f(a + s (b - a)) ds for s from 0 to 1.

    Gauss-Legendre with `points` points: exact for polynomials up to degree 2 points - 1, and equal to f(a) where
    a = b. `a` and `b` are broadcast together; the function maps an array of their shape to an array of any one shape.
    It is differentiable by a, b and whatever the function holds, as far as the function is.
    """
    a, b = jnp.broadcast_arrays(jnp.asarray(a, dtype=float), jnp.asarray(b, dtype=float))
    nodes, weights = np.polynomial.legendre.leggauss(points)
    values = jax.vmap(lambda s: function(a + s * (b - a)))(jnp.asarray(0.5 * (1.0 + nodes)))
    return jnp.tensordot(jnp.asarray(weights / weights.sum()), values, axes=1)
