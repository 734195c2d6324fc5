"""Uphill diffusion: claims, bars turned round, the square root of time, bad input, the figure."""

import numpy as np
import pytest

from steadyflux.ground.errors import InputError
from steadyflux.systems.diffusion.uphill_alloy import SYSTEM


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


def test_bars_turned_round_and_four_times_the_time():
    one = SYSTEM.run(cells=300).answers
    turned = SYSTEM.run(cells=300, left_a=0.441, right_a=0.478, left_b=0.0, right_b=3.8, time=4 * 1123200.0).answers
    assert turned["peak_a"] == pytest.approx(one["peak_a"], rel=1e-5)
    assert turned["peak_position_a"] == pytest.approx(-2.0 * one["peak_position_a"], rel=1e-3)
    assert turned["flux_a_at_joint"] == pytest.approx(-0.5 * one["flux_a_at_joint"], rel=1e-4)


def test_bars_of_one_alloy_rest():
    found = SYSTEM.run(right_a=0.478, right_b=3.8, cells=60).answers
    assert found["flux_a_at_joint"] == 0.0
    assert not found["uphill"]
    assert np.isnan(found["peak_a"])


@pytest.mark.parametrize("mode", ["matrix", "mobility"])
def test_entropy_only_grows(mode):
    found = SYSTEM.run(mode=mode, cells=60).history
    assert np.all(np.diff(found.entropy_produced) >= 0.0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"d_bb": -1e-13}, "second law"),
        ({"mode": "mobility", "d_bb": -1e-13}, "both must be positive"),
        ({"left_a": -1.0}, "must lie between"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(given, message):
    with pytest.raises(InputError, match=message):
        SYSTEM.run(given)


def test_the_figure_draws(tmp_path):
    drawing = SYSTEM.figure(SYSTEM.run(cells=60))
    drawing.savefig(tmp_path / "figure.png")
    assert len(drawing.axes) == 3
