"""The gas mixture: its claims, mirrored bulbs, many gases, bad input, figures."""

from typing import Any

import numpy as np
import pytest

from steadyflux.ground.errors import InputError
from steadyflux.systems.diffusion.gas_mixture import SYSTEM


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


def test_bulbs_exchanged_mirror_the_run():
    one = SYSTEM.run(mode="two_bulb", left_volume=5e-5).answers
    sides: dict[str, Any] = {"left_fractions": (0.50121, 0.49879), "right_fractions": (0.0, 0.50086)}
    two = SYSTEM.run(mode="two_bulb", left_volume=7.863e-5, right_volume=5e-5, **sides).answers
    np.testing.assert_allclose(two["right_fractions_at"], one["left_fractions_at"], rtol=1e-6)
    np.testing.assert_allclose(two["fluxes"], -np.array(one["fluxes"]), rtol=1e-6)
    assert two["osmotic_time"] == pytest.approx(one["osmotic_time"], rel=1e-4)


def test_bulbs_of_one_mixture_rest():
    found = SYSTEM.run(mode="two_bulb", left_fractions=(0.2, 0.3), right_fractions=(0.2, 0.3)).answers
    np.testing.assert_allclose(found["fluxes"], 0.0, atol=1e-12)
    assert "extremum_time" not in found


def test_a_gas_without_an_extremum_has_none():
    found = SYSTEM.run(mode="two_bulb", gas=1).answers
    assert "extremum_time" not in found
    assert "osmotic_time" not in found


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"left_fractions": (0.8, 0.3)}, "add up to 1.1"),
        ({"left_fractions": (0.5, 0.5)}, "leave at least"),
        ({"left_fractions": (0.5,)}, "the same gases"),
        ({"left_fractions": (0.5,), "right_fractions": (0.1,)}, "2 gases have 1 diffusivities"),
        ({"mode": "two_bulb", "gas": 4}, "There are 3 gases"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(given, message):
    with pytest.raises(InputError, match=message):
        SYSTEM.run(given)


@pytest.mark.parametrize("mode", ["stefan_tube", "two_bulb"])
def test_the_figure_draws(mode, tmp_path):
    drawing = SYSTEM.figure(SYSTEM.run(mode=mode))
    drawing.savefig(tmp_path / "figure.png")
    assert len(drawing.axes) == 2
