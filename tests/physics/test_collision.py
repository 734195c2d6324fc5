"""Collision integrals: against an independent quadrature, published values, limits, and measured viscosities."""

import jax
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

from steadyflux import InputError
from steadyflux.physics.collision import DiluteGas, collision_integral, cross_sections


def angle(b: float, energy: float) -> float:
    """Deflection by adaptive quadrature in 1/r, with the closest approach found by scanning from outside."""

    def radicand(u):
        return 1.0 - (b * u) ** 2 - 4.0 / energy * (u**12 - u**6)

    grid = np.linspace(0.0, 3.0, 300_001)[1:]
    first = int(np.argmax(radicand(grid) < 0.0))
    nearest = brentq(radicand, grid[first - 1] if first else 1e-9, grid[first], xtol=1e-15)
    # u = u0 (1 - t^2) takes away the root at the end.
    turn = quad(
        lambda t: 2.0 * t * nearest * b / np.sqrt(max(radicand(nearest * (1.0 - t * t)), 1e-300)),
        0.0,
        1.0,
        limit=400,
        epsabs=1e-9,
        epsrel=1e-9,
    )[0]
    return float(np.pi - 2.0 * turn)


@pytest.mark.parametrize("energy", [1.7, 12.0])
def test_cross_sections_by_brute_force(energy):
    points, weights = np.polynomial.legendre.leggauss(60)
    turned = []
    for low, high in ((0.0, 1.0), (1.0, 2.0), (2.0, 6.0)):
        b = 0.5 * (low + high) + 0.5 * (high - low) * points
        c = np.cos([angle(float(one), energy) for one in b])
        area = 0.5 * (high - low) * weights * b
        turned.append([2.0 * np.sum(area * (1.0 - c)), 3.0 * np.sum(area * (1.0 - c**2))])
    found = [float(q[0]) for q in cross_sections(energy)]
    np.testing.assert_allclose(found, np.sum(turned, axis=0), rtol=2e-4)


@pytest.mark.parametrize(
    ("temperature", "expected"), [(1.0, 1.593), (2.5, 1.0933), (10.0, 0.8244), (0.5, 2.284), (4.0, 0.9700)]
)
def test_published_integrals_of_viscosity(temperature, expected):
    # Monchick and Mason 1961, as tabled by Bird, Stewart and Lightfoot.
    np.testing.assert_allclose(collision_integral(2, temperature), expected, rtol=1e-3)


@pytest.mark.parametrize("temperature", [0.3, 3.0, 30.0, 100.0])
def test_published_fit(temperature):
    # Neufeld, Janzen and Aziz 1972, good to 0.16 %.
    t = temperature
    fit = 1.16145 * t**-0.14874 + 0.52487 * np.exp(-0.77320 * t) + 2.16178 * np.exp(-2.43787 * t)
    np.testing.assert_allclose(collision_integral(2, t), fit, rtol=2e-3)
    fit = 1.06036 * t**-0.15610 + 0.19300 * np.exp(-0.47635 * t)
    fit += 1.03587 * np.exp(-1.52996 * t) + 1.76474 * np.exp(-3.89411 * t)
    np.testing.assert_allclose(collision_integral(1, t), fit, rtol=2e-3)


def test_hot_gas_feels_the_twelfth_power_alone():
    # For a repulsion a / r^12 the integrals go as T^(-1/6).
    found = float(collision_integral(2, 450.0) / collision_integral(2, 300.0))
    np.testing.assert_allclose(found, 1.5 ** (-1.0 / 6.0), rtol=1.5e-2)


def test_slope_agrees_with_differences():
    for order in (1, 2):
        slope = jax.grad(lambda t, n=order: collision_integral(n, t))(1.37)
        step = 1e-5
        change = float(collision_integral(order, 1.37 + step) - collision_integral(order, 1.37 - step))
        np.testing.assert_allclose(slope, change / (2.0 * step), rtol=1e-8)


def test_argon():
    # Measured at 300 K: 22.72 uPa s; self-diffusion at 273 K and one atmosphere about 1.56e-5 m^2/s.
    argon = DiluteGas("39.948 g/mol", 3.432e-10, 122.4)
    np.testing.assert_allclose(argon.viscosity(300.0), 22.72e-6, rtol=0.01)
    np.testing.assert_allclose(argon.self_diffusivity(273.15, 101325.0), 1.56e-5, rtol=0.04)


def test_other_orders_are_refused():
    with pytest.raises(InputError, match="order 1"):
        collision_integral(3, 1.0)
