"""The sink: its claims, levels over a wide range against a root found by bisection, and refusals."""

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp
from scipy.optimize import brentq

from steadyflux import InputError
from steadyflux.ground.constants import G_STANDARD
from steadyflux.solve.steady import steady
from steadyflux.systems.flow.sink import SYSTEM, course, model, tracer_model


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for one in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(one.measured, one.expected, rtol=one.rtol, atol=one.atol)


def test_levels_over_wide_ranges():
    rng = np.random.default_rng(11)
    for _ in range(25):
        given = {
            "inflow": 10 ** rng.uniform(-6, 1),
            "orifice_area": 10 ** rng.uniform(-7, -1),
            "leak": 10 ** rng.uniform(-8, 0),
            "overflow_height": 10 ** rng.uniform(-2, 2),
            "weir_width": 10 ** rng.uniform(-2, 1),
        }

        def surplus(h, p=given):
            over = 1.84 * p["weir_width"] * max(h - p["overflow_height"], 0.0) ** 1.5
            return 0.62 * p["orifice_area"] * np.sqrt(2 * G_STANDARD * h) + p["leak"] * h + over - p["inflow"]

        expected = brentq(surplus, 0.0, 1e12, xtol=1e-300, rtol=1e-13)
        p = SYSTEM.values(given)
        solution = steady(model(p))
        np.testing.assert_allclose(solution.value("p", "vessel") / (p.density * G_STANDARD), expected, rtol=1e-5)
        np.testing.assert_allclose(-solution.flow("p", "outside"), given["inflow"], rtol=1e-10)


def test_times_over_wide_ranges():
    rng = np.random.default_rng(12)
    for _ in range(4):
        given = {
            "inflow": 10 ** rng.uniform(-5, -3),
            "base_area": 10 ** rng.uniform(-2, 2),
            "orifice_area": 10 ** rng.uniform(-4, -3),
            "overflow_height": 1e3,
            "leak": 10 ** rng.uniform(-6, -4),
            "initial_level": rng.choice([0.0, 10 ** rng.uniform(-2, 1)]),
        }
        p = SYSTEM.values(given)
        hole = 0.62 * p.orifice_area * np.sqrt(2 * G_STANDARD)
        level = brentq(lambda h, p=p, hole=hole: hole * np.sqrt(h) + p.leak * h - p.inflow, 0.0, 1e9, rtol=1e-14)
        # Times are integrals of B dh over the surplus; with h = s^2 nothing is singular at an empty vessel.
        shut = quad(lambda s, p=p, hole=hole: 2.0 * p.base_area / (hole + p.leak * s), 0.0, np.sqrt(level))[0]
        begin, end = np.sqrt(p.initial_level), np.sqrt(level + 0.01 * (p.initial_level - level))

        def pace(s, p=p, hole=hole):
            return 2.0 * p.base_area * s / (p.inflow - hole * s - p.leak * s * s)

        filled = quad(pace, begin, end, epsrel=1e-10)[0]
        a = SYSTEM.run(given, time=0.5 * filled).answers
        np.testing.assert_allclose(a["filling_time"], filled, rtol=1e-5)
        np.testing.assert_allclose(a["emptying_time"], shut, rtol=1e-5)
        reached = np.sqrt(a["level_at"])
        np.testing.assert_allclose(quad(pace, begin, reached, epsrel=1e-10)[0], 0.5 * filled, rtol=1e-5)


def test_the_open_vessel_never_empties_through_a_linear_drain_and_the_pair_never_levels():
    assert SYSTEM.run(drain="linear").answers["emptying_time"] == float("inf")
    assert SYSTEM.run(drain="linear", mode="closed").answers["levelling_time"] == float("inf")


def test_until_gives_the_way_there():
    result = SYSTEM.run(until=600.0)
    np.testing.assert_allclose(result.answers["level"], 0.083035045875248, rtol=1e-5)
    assert result.history.ledger["p"].relative < 1e-10


def test_the_closed_pair_comes_to_rest_in_time():
    result = SYSTEM.run(mode="closed", until=500.0)
    assert result.history.regime == "equilibrium"
    assert result.history.steps < 200
    np.testing.assert_allclose(result.answers["level"], 0.1, rtol=1e-10)
    half_way = SYSTEM.run(mode="closed", until=67.33952361047805).answers  # half of the time to level out
    np.testing.assert_allclose(half_way["level"] - half_way["second_level"], 0.13 / 4.0, rtol=1e-4)


def test_dye_over_wide_ranges_meets_an_integration_of_level_and_dye():
    rng = np.random.default_rng(21)
    for _ in range(4):
        given = {
            "inflow": 10 ** rng.uniform(-6, -2),
            "base_area": 10 ** rng.uniform(-2, 2),
            "orifice_area": 10 ** rng.uniform(-6, -3),
            "leak": 10 ** rng.uniform(-7, -3),
            "initial_level": 10 ** rng.uniform(-2, 1),
            "overflow_height": 10 ** rng.uniform(-1, 1),
            "tracer_inflow": rng.uniform(0.0, 5.0),
            "tracer_initial": rng.uniform(0.0, 5.0),
            "tracer_decay": 10 ** rng.uniform(-5, -2),
            "time": 10 ** rng.uniform(1, 4),
        }
        p = SYSTEM.values(given)

        def change(t, y, p=p):
            h, c = max(y[0], 0.0), y[1]
            over = 1.84 * p.weir_width * max(h - p.overflow_height, 0.0) ** 1.5
            out = 0.62 * p.orifice_area * np.sqrt(2 * G_STANDARD * h) + p.leak * h + over
            return [
                (p.inflow - out) / p.base_area,
                p.inflow * (p.tracer_inflow - c) / (p.base_area * h) - p.tracer_decay * c,
            ]

        start = [p.initial_level, p.tracer_initial]
        expected = solve_ivp(change, (0.0, p.time), start, method="LSODA", rtol=1e-10, atol=1e-13).y[:, -1]
        a = SYSTEM.run(given).answers
        np.testing.assert_allclose([a["level_at"], a["tracer_at"]], expected, rtol=1e-5)


def test_the_ledger_of_the_dye_closes():
    p = SYSTEM.values({"leak": 1e-4})
    run = course(tracer_model(p, 0.05, 2.0, 1.0, 0.003), 500.0)
    assert run.ledger["tracer"].relative < 1e-10
    assert run.ledger["tracer"].produced < 0.0
    np.testing.assert_allclose(run.entered("tracer", "vessel")[-1], 2.0 * 1e-4 * 500.0, rtol=1e-10)


def test_clear_water_stays_clear():
    a = SYSTEM.run(tracer_inflow=0.0).answers
    assert a["tracer"] == 0.0
    assert a["tracer_at"] == 0.0


def test_books_of_the_open_vessel():
    solution = SYSTEM.run(leak=1e-4).solution
    assert solution.ledger["p"].relative < 1e-10
    np.testing.assert_allclose(solution.entropy.production, solution.entropy.exported, rtol=1e-12)
    assert solution.entropy.least_local >= 0.0


def test_a_closed_pair_that_starts_level_stays_so():
    answers = SYSTEM.run(mode="closed", first_level=0.07, second_level=0.07).answers
    np.testing.assert_allclose([answers["level"], answers["second_level"]], 0.07, rtol=1e-12)
    assert answers["regime"] == "equilibrium"


@pytest.mark.parametrize("given", [{"inflow": -1.0}, {"base_area": 0.0}, {"mode": "shut"}, {"inflow": "3 kg"}])
def test_bad_input_is_refused(given):
    with pytest.raises(InputError):
        SYSTEM.run(**given)


def test_figure_has_axes_with_units():
    for mode in ("open", "closed"):
        axes = SYSTEM.figure(SYSTEM.run(mode=mode)).axes
        assert "(m)" in axes[0].get_ylabel()
