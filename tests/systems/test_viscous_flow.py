"""Viscous flow: its claims, power-law fluids over wide ranges, heating against a shooting solution, books, refusals."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq
from scipy.special import jn_zeros

from steadyflux import InputError
from steadyflux.systems.flow.viscous_flow import OIL, SYSTEM, start_up


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for one in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(one.measured, one.expected, rtol=one.rtol, atol=one.atol)


def power_law(h, U, K, n, G):
    """Stress at the still wall and flow, from the straight line of the stress: integrals of powers."""

    def once(s):
        return K * (abs(s) / K) ** (1.0 + 1.0 / n) / (1.0 + 1.0 / n)

    def twice(s):
        return np.sign(s) * K * K * (abs(s) / K) ** (2.0 + 1.0 / n) / (1.0 + 1.0 / n) / (2.0 + 1.0 / n)

    size = K * (abs(U) / h) ** n + G * h
    tau = brentq(lambda t: (once(t) - once(t - G * h)) / G - U, -3 * size, 3 * size, xtol=1e-300, rtol=1e-14)
    return tau, (once(tau) * h - (twice(tau) - twice(tau - G * h)) / G) / G


def test_power_law_fluids_over_wide_ranges():
    rng = np.random.default_rng(5)
    for n in (0.1, 0.1, 0.2, 0.35, 0.35, 0.6, 1.5, 2.2, 3.0, 3.0):
        h, K = 10 ** rng.uniform(-5, -1), 10 ** rng.uniform(-3, 3)
        U = rng.choice([0.0, 10 ** rng.uniform(-3, 1)])
        G = K * (max(U, 0.01) / h * 10 ** rng.uniform(-1, 2)) ** n / h
        given = {"gap": h, "wall_speed": U, "viscosity": K, "exponent": n, "pressure_gradient": G, "heated": "no"}
        a = SYSTEM.run(given).answers
        tau, flow = power_law(h, U, K, n, G)
        np.testing.assert_allclose(a["momentum_flux"], tau, rtol=5e-5, atol=1e-4 * G * h)
        np.testing.assert_allclose(a["flow"], flow, rtol=5e-5)


def test_a_pushed_and_heated_oil_against_a_shooting_solution():
    h, U, G, eta, b, k = 1e-4, 20.0, 2e8, 0.1, 0.05, 0.14

    def right(y, state):
        _, tau, T, q = state
        rate = tau / (eta * np.exp(-b * T))
        return [rate, -G, -q / k, tau * rate]

    def end(guess):
        sol = solve_ivp(right, (0.0, h), [0.0, guess[0], 0.0, guess[1]], rtol=1e-11, atol=1e-12, method="LSODA")
        return sol.y[:, -1]

    given = {"gap": h, "wall_speed": U, "pressure_gradient": G, "viscosity": eta, "viscosity_slope": b}
    result = SYSTEM.run(given, conductivity=k)
    a, solution = result.answers, result.solution
    # The engine's stress and heat at the still wall must lead the other route to the other wall.
    last = end((float(a["momentum_flux"]), float(solution.flow("T", "still"))))
    np.testing.assert_allclose(last[0], U, rtol=2e-4)
    np.testing.assert_allclose(last[1], a["moving_momentum_flux"], rtol=1e-6)
    np.testing.assert_allclose(last[2], 0.0, atol=2e-2)


def test_books():
    hot = {"wall_speed": 30.0, "viscosity": 0.2, "moving_wall_temperature": 350.0, "pressure_gradient": 1e5}
    for given in (hot, {"heated": "no", "pressure_gradient": 7.0}, {"fluid": "gas", "slip": "yes", "wall_speed": 90.0}):
        solution = SYSTEM.run(given).solution
        assert all(entry.relative < 1e-10 for entry in solution.ledger.values())
        np.testing.assert_allclose(solution.entropy.production, solution.entropy.exported, rtol=1e-9)
        assert solution.entropy.least_local >= -1e-15 * solution.entropy.production  # the push costs nothing: rounding


def test_a_start_with_heating_ends_in_the_steady_flow_with_its_energy_counted():
    oil = OIL | {"pressure_gradient": 3e6, "cells": 201}
    p = SYSTEM.values(oil | {"time": 0.5})
    history = start_up(p)
    assert all(entry.relative < 1e-6 for entry in history.ledger.values())
    steady = SYSTEM.run(oil).solution
    np.testing.assert_allclose(history["T"][-1], steady["T"], rtol=1e-6)
    np.testing.assert_allclose(history["v"][-1], steady["v"], rtol=1e-5, atol=1e-5)


def test_a_pipe_starts_by_bessel_functions():
    # 1 - u / (2 (1 - r^2)) ... : wall stress G R / 2 (1 - sum 4 / z^2 exp(-z^2 nu t / R^2)) with J0(z) = 0.
    R, rho, eta, G, share = 2e-3, 950.0, 0.04, 310.0, 0.07
    z = jn_zeros(0, 60)
    stress = 0.5 * G * R * (1.0 - np.sum(4.0 / z**2 * np.exp(-(z**2) * share)))
    given = {"geometry": "pipe", "heated": "no", "gap": 2 * R, "density": rho, "viscosity": eta}
    found = SYSTEM.run(given, pressure_gradient=G, time=share * R * R * rho / eta).answers["momentum_flux_at"]
    np.testing.assert_allclose(found, stress, rtol=2e-5)


def test_at_rest_nothing_happens():
    result = SYSTEM.run(wall_speed=0.0)
    assert result.solution.regime == "equilibrium"
    assert result.answers["flow"] == 0.0 and result.answers["entropy_production"] == 0.0


@pytest.mark.parametrize(
    "given",
    [
        {"gap": 0.0},
        {"exponent": 5.0},
        {"slip": "yes"},
        {"fluid": "gas", "exponent": 0.5},
        {"geometry": "pipe", "second_viscosity": 1.0},
        {"heated": "no", "moving_wall_temperature": 300.0},
        {"positions": (0.5, 1.2)},
        {"viscosity": "3 kg"},
    ],
)
def test_bad_input_is_refused(given):
    with pytest.raises(InputError):
        SYSTEM.run(given)


def test_figure_has_axes_with_units():
    for given in ({}, {"heated": "no", "second_viscosity": 0.01}, {"geometry": "pipe", "pressure_gradient": 1.0}):
        axes = SYSTEM.figure(SYSTEM.run(given)).axes
        assert "(m/s)" in axes[0].get_xlabel() and "(mm)" in axes[0].get_ylabel()
