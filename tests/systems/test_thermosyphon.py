"""The thermosyphon: its claims, flows over wide ranges against the root of one equation, stability, and bad input."""

import jax
import numpy as np
import pytest
from scipy.optimize import brentq

from steadyflux.ground.constants import G_STANDARD
from steadyflux.ground.errors import InputError
from steadyflux.systems.heat.thermosyphon import SYSTEM, circulation, model
from steadyflux.systems.system import Values


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


def friction(u, p, length):
    d = 2.0 * p["pipe_radius"]
    reynolds = p["density"] * u * d / p["viscosity"]
    laminar = 32.0 * p["viscosity"] * length * u / d**2
    turbulent = 0.158 * reynolds**-0.25 * length / d * p["density"] * u**2
    step = min(max((reynolds - 2300.0) / 100.0, 0.0), 1.0)
    pipe = laminar + step**2 * (3.0 - 2.0 * step) * (turbulent - laminar)
    return pipe + 0.5 * p["loss_coefficient"] * p["density"] * u**2


def head(u, p, arrangement, heating):
    """Integral of T dz of a stream without conduction, by the exponential law in each wall."""
    height = p["height"]
    stream = p["density"] * p["heat_capacity"] * np.pi * p["pipe_radius"] ** 2 * u
    ntu = p["cooler_conductance"] / stream
    left = np.exp(-ntu)
    if heating == "power":
        rise = p["heater"] / stream
        hot = rise / -np.expm1(-ntu)
        cold = hot * left
        mean = 0.5 * (hot + cold)
    else:
        wall = p["heater_temperature"] - p["cooler_temperature"]
        hot = wall / (1.0 + left)
        cold = hot * left
        mean = wall + (cold - wall) * -np.expm1(-ntu) / ntu
    if arrangement == "horizontal":
        return height * (hot - cold)
    return height * (mean - hot * -np.expm1(-ntu) / ntu)


def test_flows_over_wide_ranges_meet_the_root_of_one_equation():
    rng = np.random.default_rng(8)
    for _ in range(20):
        p = {
            "height": 10 ** rng.uniform(-1, 1.5),
            "width": 10 ** rng.uniform(-1, 1.5),
            "pipe_radius": 10 ** rng.uniform(-2.5, -1),
            "loss_coefficient": rng.choice([0.0, 10 ** rng.uniform(-1, 2)]),
            "density": rng.uniform(600, 1500),
            "expansion": 10 ** rng.uniform(-4, -2.5),
            "viscosity": 10 ** rng.uniform(-4, -2),
            "heat_capacity": 10 ** rng.uniform(3, 3.7),
            "cooler_temperature": rng.uniform(250, 400),
            "cooler_conductance": 10 ** rng.uniform(0, 2.5),
        }
        arrangement, heating = rng.choice(["horizontal", "vertical"]), rng.choice(["power", "wall"])
        if heating == "power":
            p["heater"] = p["cooler_conductance"] * 10 ** rng.uniform(0, 2)
        else:
            p["heater_conductance"] = p["cooler_conductance"]
            p["heater_temperature"] = p["cooler_temperature"] + 10 ** rng.uniform(0, 2)
        given = {"arrangement": str(arrangement), "heating": str(heating), "stability": "no", "conductivity": 0.0}
        found = SYSTEM.run(**given, **p)

        def surplus(u, p=p, arrangement=arrangement, heating=heating):
            push = p["density"] * G_STANDARD * p["expansion"] * head(u, p, arrangement, heating)
            return push / friction(u, p, 2.0 * (p["height"] + p["width"])) - 1.0

        u = brentq(surplus, 1e-6, 1e2, xtol=1e-300, rtol=1e-13)
        np.testing.assert_allclose(found.answers["velocity"], u, rtol=1e-4)
        assert found.solution.ledger["T"].relative < 1e-10


def test_a_cold_wall_on_the_rising_leg_drives_the_stream_the_other_way():
    case = {"arrangement": "vertical", "heating": "wall", "stability": "no", "cooler_temperature": 310.0}
    warm = SYSTEM.run(**case, heater_temperature=330.0).answers
    cold = SYSTEM.run(**case, heater_temperature=290.0).answers
    np.testing.assert_allclose(cold["mass_flow"], -warm["mass_flow"], rtol=1e-6)
    assert cold["heat_carried"] > 0.0


def test_water_heated_from_above_stays_at_rest():
    case = {"heating": "wall", "heater_temperature": 290.0, "cooler_temperature": 310.0, "friction": "laminar"}
    answers = SYSTEM.run(**case, stability="no", steps=50).answers
    np.testing.assert_allclose(answers["velocity"], 0.0, atol=1e-9)


def test_the_critical_heating_is_where_the_growth_rate_changes_sign():
    case = {"friction": "laminar", "steps": 60}
    at = SYSTEM.run(**case).answers["critical_heating"]
    below, above = (SYSTEM.run(**case, stability="state", heater=x * at).answers for x in (0.98, 1.02))
    assert below["stable"]
    assert not above["stable"]
    assert "critical_heating" not in below


def test_a_loop_on_its_legs_is_stable_at_any_heating():
    answers = SYSTEM.run(arrangement="vertical", friction="laminar", steps=15).answers
    assert answers["stable"]
    assert "critical_heating" not in answers


def test_the_flow_is_differentiable_in_the_heating():
    p = SYSTEM.values({"stability": "no", "friction": "laminar", "steps": 20, "conductivity": 0.0})

    def flow(heater):
        values = Values({**p.items, "heater": heater})
        return circulation(values, model(values))["velocity"]

    # Laminar: the velocity goes as the root of the heating.
    np.testing.assert_allclose(jax.grad(flow)(800.0), 0.5 * flow(800.0) / 800.0, rtol=1e-8)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"arrangement": "vertical", "heater_height": 1.1, "heater_length": 0.4}, "heater would reach from 0.9 m"),
        ({"arrangement": "vertical", "cooler_height": 1.0}, "cooler_length"),
        ({"pipe_radius": 0.0}, "pipe_radius is"),
        ({"arrangement": "ring"}, "ring"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(given, message):
    with pytest.raises(InputError, match=message):
        SYSTEM.run(stability="no", **given)


@pytest.mark.parametrize("arrangement", ["horizontal", "vertical", "torus"])
def test_the_figure_draws_temperature_and_velocity(arrangement):
    result = SYSTEM.run(arrangement=arrangement, stability="no", steps=20, cooler_conductance=90.0)
    left, right = SYSTEM.figure(result).axes
    assert left.get_ylabel() == "temperature, K"
    assert right.get_ylabel() == "velocity, mm/s"


def test_a_run_in_time_shows_the_velocity_against_time():
    result = SYSTEM.run(arrangement="vertical", steps=20, until="10 s")
    assert "stable" not in result.answers  # on its way it has no stability
    assert result.answers["velocity"] > 0.0
    assert SYSTEM.figure(result).axes[1].get_xlabel() == "time, s"
