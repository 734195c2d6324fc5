"""The osmotic pump: its claims, wide ranges against direct formulas, conservation in time, refusals."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from steadyflux import InputError
from steadyflux.ground.constants import R
from steadyflux.systems.life.osmotic_pump import SYSTEM, emptying


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for one in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(one.measured, one.expected, rtol=one.rtol, atol=one.atol)


def direct(p):
    """Flow of water and release as functions of the drug per volume of the core, by the formulas of the page."""
    hole = p.orifice_count * np.pi * p.orifice_radius**2
    resistance = 8.0 * p.viscosity * p.orifice_length / (hole * p.orifice_radius**2)
    wall = p.wall_area * p.water_permeability / p.wall_thickness

    def water(C):
        pressure = R * p.temperature * C / p.molar_mass * (p.osmotic_factor + p.osmotic_slope * C)
        return wall * p.reflection * (pressure - p.outside_pressure) / (1.0 + wall * resistance)

    def release(m):
        C = min(m, p.solubility)
        return max(water(C), 0.0) * C + hole * p.diffusivity / p.orifice_length * C

    return water, release


def test_wide_ranges():
    rng = np.random.default_rng(3)
    for _ in range(6):
        given = {
            "wall_area": 10 ** rng.uniform(-5, -2),
            "water_permeability": 10 ** rng.uniform(-20, -16),
            "solubility": 10 ** rng.uniform(1, 3),
            "orifice_radius": 10 ** rng.uniform(-6, -3),
            "diffusivity": 10 ** rng.uniform(-12, -8),
            "osmotic_slope": 10 ** rng.uniform(-5, -2),
            "outside_pressure": 10 ** rng.uniform(3, 6),
            "molar_mass": 10 ** rng.uniform(-1.5, 0),
            "times": (),
        }
        p = SYSTEM.values(given)
        water, release = direct(p)
        if water(p.solubility) <= 0:
            continue
        full, ends = p.solid_density, (p.solid_density - p.solubility) * p.volume / release(p.solubility)
        times = ends * np.array([0.3, 1.3, 2.5])
        a = SYSTEM.run(given, times=tuple(times)).answers
        np.testing.assert_allclose(a["release_rate"], release(p.solubility), rtol=1e-9)
        np.testing.assert_allclose(a["zero_order_time"], ends, rtol=1e-6)
        after = solve_ivp(
            lambda t, y, release=release, p=p: [-release(y[0]) / p.volume],
            (ends, times[-1]),
            [p.solubility],
            t_eval=times[1:],
            rtol=1e-10,
            atol=1e-12,
            method="LSODA",
        )
        expected = np.concatenate([[full - release(p.solubility) * times[0] / p.volume], after.y[0]])
        np.testing.assert_allclose(a["concentration_at"], np.minimum(expected, p.solubility), rtol=1e-5)


def test_what_leaves_was_in_the_core():
    result = SYSTEM.run(diffusivity=1e-9)
    whole, history = emptying(result.parameters, result.solution)
    for run in (whole, history):
        assert run.ledger["drug"].relative < 1e-12
    entropy = result.solution.entropy
    np.testing.assert_allclose(entropy.production, entropy.exported, rtol=1e-12)
    assert entropy.least_local >= 0.0


def test_a_pump_that_stops_before_nine_tenths_says_so():
    a = SYSTEM.run(outside_pressure=1.5e7, times=()).answers
    assert a["time_for_nine_tenths"] == float("inf")
    assert np.isfinite(a["zero_order_time"])


@pytest.mark.parametrize(
    "given",
    [
        {"solubility": 2500.0},
        {"orifice_transport": "coupled"},
        {"times": (-1.0,)},
        {"orifice_count": 1.5},
        {"orifice_radius": 0.0},
        {"temperature": "5 kg"},
        {"outside_pressure": 1e8},
    ],
)
def test_bad_input_is_refused(given):
    with pytest.raises(InputError):
        SYSTEM.run(given)


def test_figure_has_axes_with_units():
    axes = SYSTEM.figure(SYSTEM.run()).axes
    assert "(mg/h)" in axes[0].get_ylabel() and "(h)" in axes[1].get_xlabel()
