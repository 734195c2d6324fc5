"""The Bernoulli function and its derivatives against 60-digit arithmetic, over the whole range of doubles."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyflux.physics.bernoulli import bernoulli, bernoulli_derivative, bernoulli_second_derivative

NORMAL = 1e-307  # results below are subnormal or zero: rounding is absolute there


def dense() -> np.ndarray:
    rng = np.random.default_rng(11)
    magnitudes = 10.0 ** rng.uniform(-300, 2.84, 300)
    near_one = 1 + rng.uniform(-1, 1, 60) * 10.0 ** rng.uniform(-16, 0, 60)
    edge = np.array([1.0, np.nextafter(1.0, 0), np.nextafter(1.0, 2), 1e-8, 1e-4, 36.0, 38.0, 690.0, 705.0, 709.0])
    x = np.concatenate([magnitudes, np.abs(near_one), edge, rng.uniform(0, 40, 300), rng.uniform(0, 700, 100)])
    return np.concatenate([x, -x, -(10.0 ** rng.uniform(3, 308, 40)), [0.0]])


def exact(x: float) -> tuple[mpmath.mpf, mpmath.mpf, mpmath.mpf]:
    """Value and two derivatives, with as many digits as their cancellation eats."""
    if x == 0:
        return mpmath.mpf(1), mpmath.mpf(-1) / 2, mpmath.mpf(1) / 6
    lost = -np.log10(abs(x)) if abs(x) < 1 else 0
    with mpmath.workdps(int(60 + 4 * lost)):
        y = mpmath.mpf(x)
        if y < -1e5:
            return -y, mpmath.mpf(-1), mpmath.mpf(0)  # exp(y) is below 1e-43000
        e, m = mpmath.exp(y), mpmath.expm1(y)
        return y / m, (m - y * e) / m**2, e * (y * (e + 1) - 2 * m) / m**3


def relative_errors(got: np.ndarray, wanted: list[mpmath.mpf]) -> np.ndarray:
    errors = []
    for g, w in zip(got, wanted, strict=True):
        assert np.isfinite(g)
        errors.append(float(abs(mpmath.mpf(float(g)) - w) / max(abs(w), mpmath.mpf(NORMAL))))
    return np.array(errors)


def test_value_and_derivatives_against_big_floats():
    x = dense()
    wanted = [exact(float(y)) for y in x]
    assert relative_errors(np.asarray(bernoulli(x)), [w[0] for w in wanted]).max() < 1.2e-15
    first = np.asarray(jax.vmap(jax.grad(bernoulli))(x))
    assert relative_errors(first, [w[1] for w in wanted]).max() < 4e-15
    second = np.asarray(jax.jit(jax.vmap(jax.grad(jax.grad(bernoulli))))(x))
    assert relative_errors(second, [w[2] for w in wanted]).max() < 1.2e-14


def test_derivative_functions_are_those_of_autodiff():
    # One side is compiled as a whole, the other operation by operation: they differ by roundings.
    x = dense()
    np.testing.assert_allclose(bernoulli_derivative(x), jax.vmap(jax.grad(bernoulli))(x), rtol=8e-15, atol=1e-300)
    second = jax.vmap(jax.grad(jax.grad(bernoulli)))(x)
    np.testing.assert_allclose(bernoulli_second_derivative(x), second, rtol=2.4e-14, atol=1e-300)


def test_third_derivative_is_finite_and_true():
    x = np.array([-1e308, -800.0, -30.0, -3.3, -1.2, -0.4, -1e-9, 1e-9, 0.7, 2.1, 17.0, 720.0, 1e308])
    third = jax.vmap(jax.grad(jax.grad(jax.grad(bernoulli))))(x)
    for y, got in zip(x, third, strict=True):
        wanted = float(mpmath.diff(lambda s: s / mpmath.expm1(s), y, 3)) if 1e-3 < abs(y) < 50 else 0.0
        series = -float(y) / 30  # x/2 coth(x/2) = ... - x^4/720
        assert got == pytest.approx(series if abs(y) < 1e-3 else wanted, rel=1e-9, abs=1e-12)


@given(st.floats(-1.7e308, 1.7e308))
def test_extreme_input_gives_finite_results_that_obey_the_reflection(x):
    value, slope = jax.jvp(bernoulli, (jnp.float64(x),), (jnp.float64(1.0),))
    assert value >= 0 and -1 <= slope <= 0
    reflected = bernoulli(-x)
    assert abs(float(reflected - value) - x) <= 4e-16 * max(float(value), float(reflected))
    assert float(slope + bernoulli_derivative(-x)) == pytest.approx(-1.0, rel=1e-15)


def test_infinities_and_nan():
    np.testing.assert_array_equal(bernoulli(np.array([np.inf, -np.inf])), [0.0, np.inf])
    np.testing.assert_array_equal(bernoulli_derivative(np.array([np.inf, -np.inf])), [0.0, -1.0])
    assert np.isnan(bernoulli(np.nan))


def test_scalars_integers_and_shapes():
    assert bernoulli(0) == 1.0
    assert bernoulli(np.full((2, 3), 0.3)).shape == (2, 3)
    assert jax.jit(bernoulli)(2.0) == pytest.approx(2 / np.expm1(2), rel=1e-15)


def test_gradient_against_finite_differences():
    x = np.random.default_rng(3).uniform(-8, 8, 50)
    h = 1e-5
    central = (bernoulli(x + h) - bernoulli(x - h)) / (2 * h)
    np.testing.assert_allclose(bernoulli_derivative(x), central, rtol=1e-7, atol=1e-10)
