"""The fin: its claims, heat over wide ranges against closed forms, and bad input."""

import jax
import numpy as np
import pytest
from scipy.special import ive, kve

from steadyflux.ground.errors import InputError
from steadyflux.systems.heat.fin import SYSTEM, plain, plate_heat
from steadyflux.systems.system import Values


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


def annular_heat(k, h, t, inner, outer):
    """Heat per kelvin of an annular fin with insulated rim, by scaled Bessel functions that do not overflow."""
    m = np.sqrt(2.0 * h / (k * t))
    a, b = m * inner, m * outer
    less = np.exp(2.0 * (a - b))
    above = ive(1, b) * kve(1, a) - ive(1, a) * kve(1, b) * less
    below = ive(1, b) * kve(0, a) + ive(0, a) * kve(1, b) * less
    return 2.0 * np.pi * inner * t * k * m * above / below


def test_linear_fins_over_wide_ranges_meet_the_closed_forms():
    rng = np.random.default_rng(5)
    for _ in range(15):
        k, h, L = 10 ** rng.uniform(-2, 4), 10 ** rng.uniform(-2, 5.5), 10 ** rng.uniform(-4, 1)
        t, w = 10 ** rng.uniform(-5, -1), 10 ** rng.uniform(-3, 1)
        base, ambient = rng.uniform(4, 1500, 2)
        inner = 10 ** rng.uniform(-3, 0)
        outer = inner * (1.0 + 10 ** rng.uniform(-2, 1))
        found = SYSTEM.run(
            conductivity=k,
            film=h,
            length=L,
            thickness=t,
            width=w,
            base_temperature=base,
            ambient=ambient,
            inner_radius=inner,
            outer_radius=outer,
        )
        around, section = 2.0 * (w + t), w * t
        m = np.sqrt(h * around / (k * section))
        tip, tanh = h / (m * k), np.tanh(m * L)
        heat = (base - ambient) * k * section * m * (tanh + tip) / (1.0 + tip * tanh)
        np.testing.assert_allclose(found.answers["heat"], heat, rtol=1e-4)
        expected = (base - ambient) * annular_heat(k, h, t, inner, outer)
        np.testing.assert_allclose(found.answers["annular_heat"], expected, rtol=1e-4)
        assert (
            found.solution.ledger["T"].relative < 1e-8
        )  # the base conducts far more per kelvin than the fin gives off


@pytest.mark.parametrize("exponent", [-0.5, -0.25, 1.0 / 3.0, 2.0, 4.0])
def test_a_fin_in_any_fluid_gives_off_what_its_base_supplies(exponent):
    found = SYSTEM.run(
        conductivity=15.0,
        conductivity_slope=-0.0006,
        film=900.0,
        film_exponent=exponent,
        emissivity=0.3,
        base_temperature=700.0,
        ambient=430.0,
        length=0.05,
    )
    solution, answers = found.solution, found.answers
    np.testing.assert_allclose(answers["heat"], solution.flow("T", "base"), rtol=1e-9)
    assert 0.0 < answers["effective_efficiency"] < 1.0
    assert solution.entropy.least_local >= 0.0
    # What the base gives at its temperature the surroundings receive at theirs.
    np.testing.assert_allclose(solution.entropy.production, answers["heat"] * (1 / 430.0 - 1 / 700.0), rtol=1e-9)


def test_two_dimensions_meet_one_where_the_fin_is_thin_and_exceed_the_film_nowhere():
    case = {"conductivity": 16.0, "film": 40.0, "film_exponent": 0.25, "emissivity": 0.5, "length": 0.03}
    answers = SYSTEM.run(**case, thickness=2e-4, width=40.0, base_temperature=480.0).answers
    np.testing.assert_allclose(answers["effective_heat_2d"], answers["heat"], rtol=5e-3)  # the tip's own 0.2 %
    thick = SYSTEM.run(conductivity=1e-2, film=100.0, thickness=0.1, length=0.01).answers
    assert 0.0 < thick["heat_2d"] < 100.0 * 50.0 * 2.0 * 0.06 * 0.01


def test_the_heat_in_two_dimensions_is_differentiable():
    p = plain(SYSTEM.values({"film": 300.0, "conductivity": 5.0}))

    def heat(film):
        return plate_heat(Values({**p.items, "film": film}))

    step = (heat(300.3) - heat(299.7)) / 0.6
    np.testing.assert_allclose(jax.grad(heat)(300.0), step, rtol=1e-5)


def test_a_run_in_time_warms_the_fin_from_the_ambient_temperature():
    result = SYSTEM.run(until="3 s")
    steady = SYSTEM.run().answers
    assert 300.0 < result.answers["tip_temperature"] < steady["tip_temperature"]
    assert result.history.ledger["T"].relative < 1e-9


def test_a_base_colder_than_the_air_takes_heat_in():
    warm, cold = SYSTEM.run().answers, SYSTEM.run(base_temperature=250.0).answers
    np.testing.assert_allclose(cold["heat"], -warm["heat"], rtol=1e-9)
    np.testing.assert_allclose(cold["sink_resistance"], warm["sink_resistance"], rtol=1e-12)


def test_nothing_divides_by_a_difference_of_zero():
    answers = SYSTEM.run(base_temperature=300.0, count=0, base_area=0.0).answers
    assert "effective_efficiency" not in answers
    assert "sink_resistance" not in answers
    assert answers["sink_heat"] == 0.0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"conductivity_slope": -0.03}, "conductivity falls to"),
        ({"inner_radius": 0.1, "outer_radius": 0.05}, "outer_radius"),
        ({"length": 0.0}, "length is"),
        ({"film_exponent": -1.0}, "film_exponent is"),
        ({"count": 2.5}, "whole number"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(given, message):
    with pytest.raises(InputError, match=message):
        SYSTEM.run(given)


def test_the_figure_draws_the_profile_and_the_heat():
    left, right = SYSTEM.figure(SYSTEM.run(emissivity=0.9)).axes
    assert left.get_ylabel() == "temperature, K"
    assert right.get_ylabel() == "heat, W"
