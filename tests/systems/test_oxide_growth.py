"""Oxide growth: its claims, Deal and Grove over the range, a film that hardly begins, dissolved oxidant, bad input."""

import numpy as np
import pytest

from steadyflux.ground.errors import InputError, NameUnknown
from steadyflux.systems.diffusion.oxide_growth import SYSTEM, deal_grove


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


@pytest.mark.parametrize(
    ("diffusivity", "reaction_rate", "surface_concentration", "initial_thickness", "time"),
    [(1e-20, 1e-9, 1e24, 0.0, 1e9), (1e-6, 1e-2, 1e20, 1e-9, 10.0), (1e-12, 1e-5, 5e22, 1e-3, 1e5)],
)
def test_deal_and_grove_over_the_range(diffusivity, reaction_rate, surface_concentration, initial_thickness, time):
    found = SYSTEM.run(
        diffusivity=diffusivity,
        reaction_rate=reaction_rate,
        surface_concentration=surface_concentration,
        initial_thickness=initial_thickness,
        time=time,
    )
    assert found.answers["thickness"] == pytest.approx(deal_grove(found.parameters, time), rel=1e-5)
    assert found.answers["transition_thickness"] == pytest.approx(diffusivity / reaction_rate, rel=1e-6)


def test_the_regimes_follow_each_other():
    regimes = [SYSTEM.run(initial_thickness=0.0, time=t).answers["regime"] for t in (3.0, 600.0, 3e5)]
    assert regimes == ["linear", "mixed", "parabolic"]


def test_dissolved_oxidant_slows_growth_by_stefans_share():
    quick = {"reaction_rate": 1e3, "initial_thickness": 0.0, "surface_concentration": 2.2e26}
    one, two = (SYSTEM.run(**quick, dissolved=d).answers["thickness"] for d in ("neglected", "counted"))
    assert two / one == pytest.approx(1.0 - 0.01 / 6.0, abs=1e-5)  # the first term of the similarity solution


def test_a_run_cut_short_answers_for_its_end():
    found = SYSTEM.run(times=(60.0, 3600.0, 7200.0), until="1 h")
    assert found.answers["thickness"] == pytest.approx(deal_grove(found.parameters, 3600.0), rel=1e-4)
    assert len(found.answers["thickness_at"]) == 2


def test_bad_input_is_refused_in_a_sentence():
    with pytest.raises(InputError, match="reaction_rate is 0"):
        SYSTEM.run(reaction_rate=0.0)
    with pytest.raises(NameUnknown, match="counted"):
        SYSTEM.run(dissolved="count")


def test_the_figure_shows_growth_and_the_film():
    drawing = SYSTEM.figure(SYSTEM.run())
    assert [len(axes.lines) for axes in drawing.axes] == [4, 3]
