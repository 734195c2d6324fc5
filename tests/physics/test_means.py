"""Means of two end states against 60-digit arithmetic, at equal and at zero arguments, and their derivatives."""

from itertools import pairwise

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyflux.physics.means import harmonic_mean, log_mean, path_mean


def pairs() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    a = 10.0 ** rng.uniform(-12, 12, 400)
    closeness = 10.0 ** rng.uniform(-16, 0, 400) * rng.choice([-0.9, 0.9], 400)
    b = np.where(rng.random(400) < 0.6, a * (1 + closeness), 10.0 ** rng.uniform(-12, 12, 400))
    return a, b


def exact_log_mean(a: float, b: float) -> tuple[mpmath.mpf, mpmath.mpf, mpmath.mpf]:
    with mpmath.workdps(80):
        p, q = mpmath.mpf(a), mpmath.mpf(b)
        if p == q:
            return p, mpmath.mpf(1) / 2, mpmath.mpf(1) / 2
        u = mpmath.log(p / q)
        mean = (p - q) / u
        return mean, (1 - mean / p) / u, (mean / q - 1) / u


def test_log_mean_and_its_gradient_against_big_floats():
    a, b = pairs()
    b[:5] = a[:5]
    value = log_mean(a, b)
    by_a, by_b = jax.vmap(jax.grad(log_mean, argnums=(0, 1)))(a, b)
    for p, q, *got in zip(a, b, value, by_a, by_b, strict=True):
        for g, w in zip(got, exact_log_mean(float(p), float(q)), strict=True):
            assert abs(mpmath.mpf(float(g)) - w) < 2e-15 * abs(w)


def test_log_mean_at_zero():
    np.testing.assert_array_equal(log_mean(np.array([0.0, 2.0, 0.0, 5e-324]), np.array([0.0, 0.0, 3.0, 0.0])), 0.0)
    assert jax.grad(log_mean, argnums=(0, 1))(0.0, 0.0) == (0.5, 0.5)
    by_a, by_b = jax.grad(log_mean, argnums=(0, 1))(2.0, 0.0)
    assert 0 < by_a < 2e-3 and 1e290 < by_b < np.inf
    assert np.isnan(log_mean(-1.0, 2.0))


def test_log_mean_second_derivative():
    # L is homogeneous of degree one: its Hessian maps (a, b) to zero; at a = b = c it is [[-1, 1], [1, -1]] / (6 c).
    hessian = jax.hessian(lambda s: log_mean(s[0], s[1]))
    np.testing.assert_allclose(hessian(jnp.array([3.0, 3.0])), np.array([[-1, 1], [1, -1]]) / 18.0, rtol=1e-14)
    for state in ([3.0, 3.1], [0.2, 7.0], [40.0, 3e-3]):
        matrix = np.asarray(hessian(jnp.array(state)))
        assert abs(matrix @ state).max() < 1e-13 * abs(matrix).max() * max(state)
        step = 1e-5 * state[0]
        ends = [float(jax.grad(log_mean)(state[0] + sign * step, state[1])) for sign in (1, -1)]
        assert matrix[0, 0] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-6)


NORMAL = st.floats(0, 1e307, allow_subnormal=False)  # XLA flushes subnormal numbers to zero


@given(NORMAL, NORMAL)
def test_means_lie_in_order_between_their_arguments(a, b):
    low, high = min(a, b), max(a, b)
    harmonic, logarithmic = float(harmonic_mean(a, b)), float(log_mean(a, b))
    slack = 1e-15 * high + 1e-307
    assert low - slack <= harmonic <= np.sqrt(low) * np.sqrt(high) + slack
    assert np.sqrt(low) * np.sqrt(high) - slack <= logarithmic <= 0.5 * low + 0.5 * high + slack
    assert logarithmic == float(log_mean(b, a))
    assert all(np.isfinite(jax.grad(log_mean, argnums=(0, 1))(a, b)))


def test_harmonic_mean():
    assert harmonic_mean(2.0, 6.0) == pytest.approx(3.0, rel=1e-15)
    assert harmonic_mean(0.0, 6.0) == 0.0
    assert jax.grad(harmonic_mean, argnums=(0, 1))(0.0, 0.0) == (0.0, 0.0)
    by_a, by_b = jax.grad(harmonic_mean, argnums=(0, 1))(2.0, 6.0)
    assert (by_a, by_b) == (pytest.approx(2 * (6 / 8) ** 2), pytest.approx(2 * (2 / 8) ** 2))


def test_path_mean_is_exact_for_polynomials_and_converges_for_others():
    assert path_mean(lambda c: c**15, 0.3, 1.7) == pytest.approx((1.7**16 - 0.3**16) / (16 * 1.4), rel=1e-14)
    wanted = (np.exp(2.0) - np.exp(-0.5)) / 2.5
    errors = [abs(float(path_mean(jnp.exp, -0.5, 2.0, points)) - wanted) for points in (1, 2, 3, 4)]
    assert all(later < 0.05 * earlier for earlier, later in pairwise(errors))
    assert path_mean(jnp.exp, -0.5, 2.0) == pytest.approx(wanted, rel=1e-15)


def test_path_mean_at_equal_ends_and_its_derivatives():
    assert path_mean(jnp.exp, 1.3, 1.3) == pytest.approx(np.exp(1.3), rel=1e-15)
    by_a, by_b = jax.grad(lambda a, b: path_mean(jnp.exp, a, b), argnums=(0, 1))(1.3, 1.3)
    assert (by_a, by_b) == (pytest.approx(np.exp(1.3) / 2, rel=1e-14), pytest.approx(np.exp(1.3) / 2, rel=1e-14))
    by_parameter = jax.grad(lambda k: path_mean(lambda c: jnp.exp(k * c), 0.2, 0.9))(1.5)
    exact = mpmath.diff(lambda k: (mpmath.exp(0.9 * k) - mpmath.exp(0.2 * k)) / (0.7 * k), 1.5)
    assert by_parameter == pytest.approx(float(exact), rel=1e-12)


def test_path_mean_broadcasts():
    a, b = np.array([0.1, 0.4, 2.0]), np.float64(0.4)
    np.testing.assert_allclose(path_mean(lambda c: c**2, a, b), (a**2 + a * b + b**2) / 3, rtol=1e-15)
