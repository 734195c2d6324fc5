"""The Bernoulli function x / (exp(x) - 1) of exponential fitting, and its derivatives, exact for every double."""

from fractions import Fraction
from math import comb, factorial

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

__all__ = ["bernoulli", "bernoulli_derivative", "bernoulli_second_derivative"]

_TERMS = 14
_LARGEST = 2000.0  # stands for any larger x where infinity times zero would arise: exp(-x / 2) is zero long before


def _series_coefficients() -> list[Fraction]:
    """Coefficients b_2n / (2n)! of x/2 coth(x/2) in powers of x^2, b the Bernoulli numbers by their recurrence."""
    numbers = [Fraction(1)]
    for m in range(1, 2 * _TERMS):
        numbers.append(-sum((comb(m + 1, j) * numbers[j] for j in range(m)), Fraction(0)) / (m + 1))
    return [numbers[2 * n] / factorial(2 * n) for n in range(_TERMS)]


# For |x| <= 1 the first neglected term is below 1e-17 of the sum: each differentiation needs one or two terms more.
_COEFFICIENTS = _series_coefficients()
_VALUE = [float(c) for c in _COEFFICIENTS[:11]]
_FIRST = [float(2 * n * c) for n, c in enumerate(_COEFFICIENTS) if 0 < n < 13]
_SECOND = [float(2 * n * (2 * n - 1) * c) for n, c in enumerate(_COEFFICIENTS) if n > 0]


def _polynomial(coefficients: list[float], x: Array) -> Array:
    total = jnp.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = total * x + coefficient
    return total


def _parts(x: Array) -> tuple[Array, Array, Array, Array]:
    """|x| (at least 1), exp(-|x|/2), 1/(1 - exp(-|x|)), and min(|x|, 1) with the sign of x.

    One exponential serves the value and all derivatives. Its half argument keeps results normal that exp(-|x|) alone
    would already lose to underflow.
    """
    t = jnp.maximum(jnp.abs(x), 1.0)
    half = jnp.exp(-0.5 * t)
    return t, half, 1.0 / (1.0 - half * half), jnp.clip(x, -1.0, 1.0)


@jax.custom_jvp
def _value(x: Array) -> Array:
    t, half, r, small = _parts(x)
    far = jnp.where(x > 0, jnp.minimum(t, _LARGEST) * r * half * half, t * r)
    return jnp.where(jnp.abs(x) < 1.0, _polynomial(_VALUE, small * small) - 0.5 * small, far)


@jax.custom_jvp
def _first(x: Array) -> Array:
    t, half, r, small = _parts(x)
    # B'(t) = (1 - B(-t)) / (exp(t) - 1), and B'(-t) = -1 - B'(t) because B(-t) = B(t) + t.
    falling = (1.0 - jnp.minimum(t, _LARGEST) * r) * r * half * half
    far = jnp.where(x > 0, falling, -1.0 - falling)
    return jnp.where(jnp.abs(x) < 1.0, small * _polynomial(_FIRST, small * small) - 0.5, far)


def _second(x: Array) -> Array:
    t, half, r, small = _parts(x)
    t = jnp.minimum(t, _LARGEST)
    e = half * half
    far = (t * (1.0 + e) - 2.0 * (1.0 - e)) * r * r * r * half * half
    return jnp.where(jnp.abs(x) < 1.0, _polynomial(_SECOND, small * small), far)


@_value.defjvp
def _value_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    # The barrier keeps XLA from computing the slope anew for every tangent of a Jacobian: half the time of an assembly.
    return _value(*primals), jax.lax.optimization_barrier(_first(*primals)) * tangents[0]


@_first.defjvp
def _first_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    return _first(*primals), _second(*primals) * tangents[0]


# Every law of drift and diffusion calls this, in the residual, the Jacobian and the adjoint: compiled as a unit it is
# traced once instead of each time, which is most of what the start of a new model costs. XLA inlines it.
_traced_once = jax.jit(_value)


def bernoulli(x: ArrayLike) -> Array:
    """B(x) = x / (exp(x) - 1), with B(0) = 1, for any real x of any shape.

    Weight of the exponential-fitting flux (Scharfetter and Gummel, 1969; Chang and Cooper, 1970):
    B(-x) = B(x) + x, B -> -x for x -> -inf, and B decays as x exp(-x) for x -> inf without overflow. The relative error
    is a few roundings wherever the result is a normal number; so is that of the first two derivatives, which
    `jax.grad`, `jax.jvp` and their compositions use. Any higher derivative is taken of the closed second one.
    """
    return _traced_once(jnp.asarray(x, dtype=float))


def bernoulli_derivative(x: ArrayLike) -> Array:
    """B'(x), the first derivative of `bernoulli`: from -1 (x -> -inf) through -1/2 (x = 0) to 0 (x -> inf)."""
    return _first(jnp.asarray(x, dtype=float))


def bernoulli_second_derivative(x: ArrayLike) -> Array:
    """B''(x), the second derivative of `bernoulli`: even in x, 1/6 at x = 0, and 0 at both ends."""
    return _second(jnp.asarray(x, dtype=float))
