"""The alloy couple: its claims, similarity in time, mirrored bars, a run cut short or long, and bad input."""

import numpy as np
import pytest

from steadyflux.ground.errors import InputError
from steadyflux.systems.diffusion.alloy_couple import SYSTEM


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


def test_everything_spreads_as_the_square_root_of_time():
    one, four = (SYSTEM.run(time=t, half_length="infinite", cells=800).answers for t in (3e5, 1.2e6))
    for name, ratio in {"penetration_depth": 2.0, "marker_shift": 2.0, "exchanged": 2.0, "flux_at_joint": 0.5}.items():
        assert four[name] / one[name] == pytest.approx(ratio, rel=3e-5)
    assert four["joint_concentration"] == pytest.approx(one["joint_concentration"], rel=1e-6)


def test_a_run_that_is_continued_meets_the_run_asked_for():
    asked = SYSTEM.run(time=1e6, cells=800)
    longer = SYSTEM.run(time=3e5, cells=800, until=1e6)
    for name in ("penetration_depth", "exchanged", "marker_shift"):
        assert longer.answers[name] == pytest.approx(asked.answers[name], rel=2e-4)
    np.testing.assert_allclose(
        longer.answers["recovered_diffusivity"], asked.answers["recovered_diffusivity"], rtol=5e-4
    )


def test_bars_of_one_alloy_rest():
    found = SYSTEM.run(left_concentration=700.0, right_concentration=700.0)
    assert found.answers["flux_at_joint"] == 0.0
    assert found.answers["marker_shift"] == 0.0
    assert found.answers["penetration_depth"] == 0.0
    assert "recovered_diffusivity" not in found.answers


def test_bars_turned_round_give_the_mirror_image():
    at = (-2e-3, 1e-4, 9e-4)
    one = SYSTEM.run(positions=at, cells=800).answers
    turned = {"left_concentration": 0.0, "right_concentration": 42000.0, "positions": tuple(-x for x in at)}
    two = SYSTEM.run(**turned, cells=800).answers
    np.testing.assert_allclose(two["profile"], one["profile"], atol=0.02)
    assert two["marker_shift"] == pytest.approx(-one["marker_shift"], rel=1e-6)
    assert two["flux_at_joint"] == pytest.approx(-one["flux_at_joint"], rel=1e-6)


def test_short_bars_come_to_equilibrium_and_matano_no_longer_holds():
    found = SYSTEM.run(half_length=1e-4, time=3e7, positions=(), cells=800)
    assert found.history.steady
    np.testing.assert_allclose(np.asarray(found.solution["A"]), 21000.0, rtol=1e-6)
    assert "recovered_diffusivity" not in found.answers


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"law": "linear"}, "needs a number for diffusivity"),
        ({"intrinsic_a_exponent": 19.0}, "bring the two concentrations closer"),
        ({"left_concentration": 2e5}, "exceeds the total_concentration"),
        ({"positions": (0.05,)}, "outside the bars"),
        ({"recovery_concentrations": (5e4,)}, "between the two sides"),
        ({"diffusivity": 1e-13, "law": "linear", "coefficient": -3e-5}, "must be a positive number"),
        ({"cells": 3.0}, "cells is 3"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(given, message):
    with pytest.raises(InputError, match=message):
        SYSTEM.run(given)


def test_the_figure_shows_the_profile_and_the_law_found_again():
    drawing = SYSTEM.figure(SYSTEM.run(cells=200))
    assert [len(axes.lines) for axes in drawing.axes] == [5, 2]
