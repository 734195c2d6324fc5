"""The warm body: its claims, the body's balance and the cup over wide ranges, condensation, and bad input."""

import jax
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq

import steadyflux as sf
from steadyflux.ground.constants import SIGMA_SB, R
from steadyflux.ground.errors import InputError
from steadyflux.systems.life._cup import vapour_pressure
from steadyflux.systems.life.warm_body import SYSTEM, model
from steadyflux.systems.system import Values


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


def test_the_skin_over_wide_ranges_meets_the_root_of_one_equation():
    rng = np.random.default_rng(2)
    for _ in range(20):
        area, film, resistance = 10 ** rng.uniform(-3, 1), 10 ** rng.uniform(-1, 2), 10 ** rng.uniform(-3, 0)
        inner, emissivity, sweat = 10 ** rng.uniform(0, 2), rng.uniform(), rng.uniform(0, 30) * 0.1
        core, air = rng.uniform(280, 320), rng.uniform(220, 330)
        found = SYSTEM.run(
            body_area=area,
            film=film,
            clothing_resistance=resistance,
            tissue_conductance=inner,
            emissivity=emissivity,
            evaporation=sweat * area,
            core_temperature=core,
            air_temperature=air,
        )

        def skin_of(cloth, inner=inner, core=core, sweat=sweat, R=resistance):
            return (cloth / R + inner * core - sweat) / (1.0 / R + inner)

        def surplus(cloth, skin_of=skin_of, R=resistance, h=film, e=emissivity, air=air):
            return (skin_of(cloth) - cloth) / R - h * (cloth - air) - e * SIGMA_SB * (cloth**4 - air**4)

        skin = skin_of(brentq(surplus, 1.0, 2000.0, xtol=1e-12, rtol=1e-14))
        np.testing.assert_allclose(found.answers["skin_temperature"], skin, rtol=1e-9)
        assert found.solution.ledger["T"].relative < 1e-10


def test_cups_of_many_sizes_cool_in_the_time_that_quadrature_gives():
    rng = np.random.default_rng(4)
    for _ in range(6):
        mass, area = 10 ** rng.uniform(-3, 1), 10 ** rng.uniform(-3, 0)
        top, film = area * rng.uniform(0.05, 0.5), 10 ** rng.uniform(0, 2)
        air, start, humidity = rng.uniform(265, 310), rng.uniform(340, 372), rng.uniform(0.05, 1.0)
        target = air + rng.uniform(0.1, 0.8) * (start - air)

        def loss(T, area=area, top=top, film=film, air=air, humidity=humidity):
            h = film * (abs(T - air) / 30.0) ** 0.25
            dense = 0.018 / R * (vapour_pressure(T) / T - humidity * vapour_pressure(air) / air)
            dry = area * (h * (T - air) + 0.93 * SIGMA_SB * (T**4 - air**4))
            return dry + 2.4e6 * top * h / 1200.0 * dense

        time = quad(lambda T, mass=mass, loss=loss: mass * 4186.0 / loss(T), target, start, epsrel=1e-10)[0]
        found = SYSTEM.run(
            cup_mass=mass,
            cup_area=area,
            cup_top=top,
            cup_film=film,
            air_temperature=air,
            cup_start=start,
            cup_target=target,
            humidity=humidity,
        )
        np.testing.assert_allclose(found.answers["cooling_time"], time, rtol=1e-6)


def test_a_cold_drink_warms_and_collects_water_from_damp_air():
    answers = SYSTEM.run(cup_start=277.0, cup_target=285.0, humidity=0.9).answers
    assert answers["cup_evaporation"] < 0.0  # condenses, and so warms the drink
    assert answers["cup_convection"] < 0.0
    assert answers["cooling_time"] > 0.0
    assert answers["cup_entropy_total"] > 0.0


def test_a_target_below_the_cup_s_equilibrium_is_never_reached():
    answers = SYSTEM.run(cup_target=291.5).answers
    assert "cooling_time" not in answers
    assert 291.5 < answers["cup_equilibrium_temperature"] < 293.15  # evaporation keeps it below the air


def test_the_books_of_the_body_in_time():
    result = SYSTEM.run(core="free", until="5 h")
    ledger = result.history.ledger["T"]
    assert ledger.relative < 1e-9
    assert 290.0 < result.answers["core_temperature"] < 310.0  # 143 W leave where 100 W are made
    np.testing.assert_allclose(
        ledger.stored,
        3490.0
        * (63.0 * (result.answers["core_temperature"] - 310.0) + 7.0 * (result.answers["skin_temperature"] - 310.0)),
        rtol=1e-6,
    )


def test_the_skin_s_temperature_is_differentiable():
    p = SYSTEM.values()

    def skin(film):
        values = Values({**p.items, "film": film})
        return sf.steady(model(values)).value("T", "skin")

    np.testing.assert_allclose(jax.grad(skin)(3.5), (skin(3.501) - skin(3.499)) / 0.002, rtol=1e-5)


@pytest.mark.parametrize(
    "given", [{"humidity": 1.2}, {"cup_start": "120 degC"}, {"core": "dead"}, {"film": "3 W"}, {"body_area": 0.0}]
)
def test_bad_input_is_refused(given):
    with pytest.raises(InputError):
        SYSTEM.run(**given)


def test_the_figure_draws_the_tissue_and_the_cup():
    left, right = SYSTEM.figure(SYSTEM.run()).axes
    assert left.get_xlabel() == "distance from the core, mm"
    assert right.get_xlabel() == "time, min"
