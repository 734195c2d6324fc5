"""The rod between fire and ice: its claims, extreme rods against closed forms, and bad input."""

import numpy as np
import pytest

from steadyflux.ground.errors import InputError, NameUnknown
from steadyflux.systems.heat.rod import SYSTEM


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


def test_the_figure_has_both_profiles_and_names_its_axes():
    drawing = SYSTEM.figure(SYSTEM.run())
    assert [axes.get_ylabel() for axes in drawing.axes] == ["temperature, K", "entropy production, W/(K m$^3$)"]
    assert len(drawing.axes[0].lines) == 2
