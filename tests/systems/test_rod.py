"""The rod between fire and ice: its claims, extreme rods against closed forms, and bad input."""

import jax
import numpy as np
import pytest

import steadyflux as sf
from steadyflux.ground.errors import InputError, NameUnknown
from steadyflux.systems.heat.rod import SYSTEM, course


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


def test_a_rod_from_near_absolute_zero_to_the_melting_point_of_tungsten():
    # k = k0 + k2 (T - 300)^2 with its integral by hand; the production is heat times the difference of 1/T.
    k0, k2, hot, cold = 12.0, 3e-4, 3600.0, 2.0
    found = SYSTEM.run(conductivity=(k0, 0.0, k2), hot=hot, cold=cold, length=2e-6, area=7e-9, mean_free_path=1e-9)
    integral = k0 * (hot - cold) + k2 / 3.0 * ((hot - 300.0) ** 3 - (cold - 300.0) ** 3)
    heat = integral * 7e-9 / 2e-6
    np.testing.assert_allclose(found.answers["heat"], heat, rtol=1e-10)
    np.testing.assert_allclose(found.answers["entropy_production_total"], heat * (1 / cold - 1 / hot), rtol=1e-10)
    k_cold = k0 + k2 * (cold - 300.0) ** 2
    np.testing.assert_allclose(
        found.answers["local_equilibrium_number"], 1e-9 * heat / 7e-9 / (k_cold * cold), rtol=1e-10
    )


def test_turned_round_the_heat_turns_and_the_entropy_stays():
    one = SYSTEM.run(conductivity="310 W/(m*K), -0.04, 1e-5", hot="700 K", cold="20 degC")
    two = SYSTEM.run(conductivity=(310.0, -0.04, 1e-5), hot=293.15, cold=700.0)
    np.testing.assert_allclose(two.answers["heat"], -one.answers["heat"], rtol=1e-12)
    for name in ("entropy_production_total", "entropy_exported", "minimum_entropy_profile_production"):
        np.testing.assert_allclose(two.answers[name], one.answers[name], rtol=1e-10)
    assert one.answers["minimum_entropy_profile_production"] < one.answers["entropy_production_total"]


def test_a_conductivity_that_vanishes_between_the_ends_is_refused():
    with pytest.raises(InputError, match=r"falls to -.* between hot and cold"):
        SYSTEM.run(conductivity=(100.0, -0.2))
    with pytest.raises(InputError, match="one to three numbers"):
        SYSTEM.run(conductivity=(1.0, 2.0, 3.0, 4.0))
    with pytest.raises(InputError, match="hot is"):
        SYSTEM.run(hot=-4.0)
    with pytest.raises(NameUnknown, match="length"):
        SYSTEM.run(lenght=1.0)


def test_a_run_in_time_says_what_holds_at_its_end():
    # By the flow at the two ends alone: what is made is what leaves less what enters, and what the rod stores more.
    found = SYSTEM.run(until="100 s")
    p, end = found.parameters, found.solution
    x, T, rate = (np.asarray(y) for y in (end.position(), end["T"], found.history.rate("T")[-1]))
    stored = p.heat_capacity * p.area * np.trapezoid(rate / T, x)
    np.testing.assert_allclose(
        found.answers["entropy_production_total"], found.answers["entropy_exported"] + stored, rtol=1e-5
    )
    np.testing.assert_allclose(
        found.answers["heat"], 401.0 * 1e-4 * 1026.85 / np.sqrt(np.pi * 401 / 3.45e6 * 100), 1e-3
    )
    slope = np.interp(0.1 * p.length, x, np.gradient(T, x))
    sigma = 401.0 * (slope / found.answers["temperature_at"][0]) ** 2
    np.testing.assert_allclose(found.answers["entropy_production_at"][0], sigma, rtol=1e-4)
    assert "hot_flow_at_time" not in found.answers
    assert found.history.regime == "transient"
    assert found.history.ledger["T"].relative < 1e-10


def test_the_entropy_by_balance_is_the_sum_over_time_of_what_is_made():
    p = SYSTEM.values({"time": 50.0, "hot": 320.0})
    history = course(p)
    late = SYSTEM.run(time=50.0, hot=320.0).answers["entropy_produced_by_time"]
    early = SYSTEM.run(time=5.0, hot=320.0).answers["entropy_produced_by_time"]
    produced = np.interp([5.0, 50.0], history.times, history.entropy_produced)
    np.testing.assert_allclose(late - early, produced[1] - produced[0], rtol=1e-4)


def test_until_long_after_the_rod_is_at_its_steady_state():
    still, later = SYSTEM.run(), SYSTEM.run(until=1e5)
    for name in ("heat", "temperature_at", "entropy_production_total", "entropy_production_at"):
        np.testing.assert_allclose(later.answers[name], still.answers[name], rtol=1e-8)
    assert later.history.regime == "steady nonequilibrium"


def test_hotter_and_colder_change_places_and_the_front_stays_as_fine():
    # From 5000 K down: the flow into a rod without end, which the temperature does not change.
    found = SYSTEM.run(hot=1.0, cold=5000.0, time=1e-3).answers
    flow = 401.0 * 1e-4 * 4999.0 / np.sqrt(np.pi * 401.0 / 3.45e6 * 1e-3)
    np.testing.assert_allclose(found["hot_flow_at_time"], -flow, rtol=1e-5)
    even = SYSTEM.run(hot=300.0, cold=300.0).answers
    assert even["hot_flow_at_time"] == pytest.approx(0.0, abs=1e-9)
    assert even["entropy_produced_by_time"] == pytest.approx(0.0, abs=1e-9)


def test_a_derivative_passes_through_the_steady_answers():
    def heat(hot):
        values = SYSTEM.values({})
        p = type(values)({**values.items, "hot": hot})
        return SYSTEM.answers(p, sf.steady(SYSTEM.model(p)))["heat"]

    np.testing.assert_allclose(jax.grad(heat)(1300.0), 401.0 * 1e-4 / 0.5, rtol=1e-10)


def test_the_figure_has_both_profiles_and_names_its_axes():
    drawing = SYSTEM.figure(SYSTEM.run())
    assert [axes.get_ylabel() for axes in drawing.axes] == ["temperature, K", "entropy production, W/(K m$^3$)"]
    assert len(drawing.axes[0].lines) == 4
