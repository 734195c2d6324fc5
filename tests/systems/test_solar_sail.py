"""The sail in the solar wind: its claims, potentials over wide ranges against bisection, switches, charging, figure."""

import numpy as np
import pytest
from scipy.optimize import brentq

import steadyflux as sf
from steadyflux import InputError
from steadyflux.ground.constants import E_CHARGE, K_B, M_ELECTRON, M_PROTON
from steadyflux.systems.particles.solar_sail import SYSTEM, circuit, floating


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    for one in claim.compare(SYSTEM.run):
        np.testing.assert_allclose(one.measured, one.expected, rtol=one.rtol, atol=one.atol)


def balance(phi, p, tethered):
    """The sum of the currents as the page writes it."""
    facing, stop = p.area * np.cos(p.tilt), 0.5 * M_PROTON * p.wind_speed**2 / E_CHARGE
    x, y = E_CHARGE * phi / p.emission_energy, E_CHARGE * phi / (K_B * p.electron_temperature)
    protons = E_CHARGE * p.density * p.wind_speed * facing
    protons *= 1.0 if phi < 0 else np.sqrt(max(1 - phi / stop, 0.0))
    away = 1.0 if phi < 0 else (1 + x) * np.exp(-x)
    thermal = np.sqrt(K_B * p.electron_temperature / (2 * np.pi * M_ELECTRON))
    electrons = 2 * p.area * E_CHARGE * p.density * thermal
    electrons *= np.exp(y) if phi < 0 else (1 + y) ** p.collection_exponent
    total = protons * (1 + p.secondary_yield * away) + p.photoemission * facing * away - electrons
    return total - ((phi - p.craft_potential) / p.tether_resistance if tethered else 0.0)


def test_potentials_over_wide_ranges():
    rng = np.random.default_rng(8)
    for _ in range(12):
        given = {
            "density": 10 ** rng.uniform(3, 9),
            "wind_speed": 10 ** rng.uniform(5, 6.5),
            "electron_temperature": 10 ** rng.uniform(4, 6.5),
            "area": 10 ** rng.uniform(-2, 6),
            "tilt": rng.uniform(0, 1.5),
            "secondary_yield": rng.uniform(0, 2),
            "photoemission": rng.choice([0.0, 10 ** rng.uniform(-8, -3)]),
            "collection_exponent": rng.choice([0.0, 0.5, 1.0]),
            "tether_resistance": 10 ** rng.uniform(0, 9),
            "craft_potential": rng.choice([0.0, rng.uniform(-1e3, 1e3)]),
        }
        p = SYSTEM.values(given)
        phi = float(sf.steady(circuit(p)).value("phi", "sail"))
        expected = brentq(balance, -1e6, 1e6, args=(p, True), xtol=1e-12, rtol=1e-14)
        np.testing.assert_allclose(phi, expected, rtol=1e-8, atol=1e-9)
        expected = brentq(balance, -1e6, 1e6, args=(p, False), xtol=1e-12, rtol=1e-14)
        np.testing.assert_allclose(floating(p), expected, rtol=1e-8, atol=1e-9)


def test_each_current_can_be_switched_off():
    dark = SYSTEM.values({"ambient_electrons": "no", "photoelectrons": "no"})
    np.testing.assert_allclose(floating(dark), 0.5 * M_PROTON * 4e5**2 / E_CHARGE, rtol=1e-12)
    assert floating(SYSTEM.values({"ambient_electrons": "no"})) == float("inf")
    assert floating(SYSTEM.values({"protons": "no", "photoelectrons": "no"})) == float("-inf")
    off = dict.fromkeys(("protons", "photoelectrons", "ambient_electrons"), "no")
    a = SYSTEM.run(off, craft_potential=5.0).answers
    np.testing.assert_allclose([a["sail_potential"], a["tether_current"]], [5.0, 0.0], atol=1e-12)


def test_the_uncharged_sail_charges_to_its_steady_potential():
    result = SYSTEM.run(until=10.0)
    np.testing.assert_allclose(result.answers["sail_potential"], SYSTEM.run().answers["sail_potential"], rtol=1e-6)
    assert result.history.ledger["phi"].relative < 1e-10


def test_a_craft_that_falls_back_does_not_arrive():
    a = SYSTEM.run(end_distance="400 au").answers
    assert a["flight_time"] == float("inf")


@pytest.mark.parametrize("given", [{"density": -1.0}, {"photoelectrons": "maybe"}, {"tilt": 2.0}, {"area": "3 kg"}])
def test_bad_input_is_refused(given):
    with pytest.raises(InputError):
        SYSTEM.run(**given)


def test_figure_has_axes_with_units():
    axes = SYSTEM.figure(SYSTEM.run()).axes
    assert "(V)" in axes[0].get_xlabel() and "(AU)" in axes[1].get_xlabel()
