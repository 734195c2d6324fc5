"""The ink drop: its claims, scaling with size and diffusivity, a drop on a plane grid, grains, and bad input."""

import numpy as np
import pytest

import steadyflux as sf
from steadyflux.ground.constants import R
from steadyflux.ground.errors import InputError
from steadyflux.systems.diffusion._grain import dissolving, whole
from steadyflux.systems.diffusion._joint import joined_nodes
from steadyflux.systems.diffusion.ink_drop import SYSTEM


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


def test_time_goes_with_the_square_of_the_size_over_the_diffusivity():
    one = SYSTEM.run(cells=201, times=(7200.0,)).answers
    small = {"layer_thickness": 5e-6, "height": 8e-5, "diffusivity": 2e-9, "times": (7200.0e-6 / 4.0,)}
    two = SYSTEM.run(cells=201, **small).answers
    assert two["mixing_time"] == pytest.approx(one["mixing_time"] * 1e-6 / 4.0, rel=1e-6)
    assert two["entropy_produced_at"][0] == pytest.approx(one["entropy_produced_at"][0] * 1e-3, rel=1e-5)
    np.testing.assert_allclose(two["concentration_at"], one["concentration_at"], rtol=1e-5, atol=1e-5)


def test_a_round_drop_on_a_square_grid_spreads_like_the_disc():
    # A quarter of a dish so wide that its wall is not felt: the square walls then do not matter.
    row = sf.nodes("4 mm", 41) + sf.nodes("16 mm", 41, grading="left", ratio=6.0)
    space = sf.grid(x=row, y=row)
    x, y = space.coordinates()
    share = np.clip(0.5 + (2e-3 - np.hypot(x, y)) / 1e-4, 0.0, 1.0)
    share *= np.pi * 1e-6 / float(np.asarray(space.volume) @ share)
    start = {"ink": 50.0 * share}
    dish = sf.Model(space, [sf.Species("ink")], [sf.Fick("ink", 5e-10)], start=start)
    plane = sf.evolve(dish, until=7200.0, times=[7200.0]).end
    disc = SYSTEM.run(shape="disc", drop_radius=2e-3, cells=401, times=(7200.0,), positions=(0.0, 2e-3, 5e-3)).answers
    at = [int(np.argmin(np.hypot(x - r, y))) for r in (0.0, 2e-3, 5e-3)]
    np.testing.assert_allclose(np.asarray(plane["ink"])[at], disc["concentration_at"][0], atol=5e-3 * 50.0)


def test_nothing_to_mix_produces_nothing():
    found = SYSTEM.run(cells=101, water_concentration=50.0)
    assert found.answers["mixing_time"] == 0.0
    assert found.answers["entropy_produced"] == pytest.approx(0.0, abs=1e-9)
    assert found.answers["regime"] == "equilibrium"


def test_a_run_cut_short_knows_no_mixing_time():
    found = SYSTEM.run(cells=201, until="1 h")
    assert "mixing_time" not in found.answers
    assert found.answers["regime"] == "transient"
    assert len(found.answers["concentration_at"]) == 1


def test_what_the_grain_loses_the_water_gains():
    history = dissolving(2e-4, 3e-10, 90.0, 12.0, 2100.0)
    start = whole(2e-4, 3e-10, 90.0, 12.0, 2100.0).start["dissolved"]
    volume = np.asarray(history.model.space.volume)
    gained = volume @ (np.asarray(history.end["dissolved"]) - np.asarray(start))
    assert gained == pytest.approx(4.0 / 3.0 * np.pi * 2e-4**3 * 2100.0, rel=1e-5)
    assert history.entered("dissolved", "face")[-1] == pytest.approx(gained, rel=1e-9)
    assert history.ledger["dissolved"].relative < 1e-10


def test_water_that_is_saturated_dissolves_nothing():
    assert "dissolution_time" not in SYSTEM.run(cells=51, grain_concentration=6000.0).answers


def test_joined_nodes_have_a_face_at_the_joint():
    z = joined_nodes(3e-3, 0.5, 0.01, 1e-6, 300)
    joint = int(np.searchsorted(z, 0.0))
    assert len(z) == 300
    assert z[joint - 1] == -z[joint]
    assert (z[0], z[-1]) == (-3e-3, 0.5)
    assert np.all(np.diff(z) > 0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"layer_thickness": 0.1}, "must be smaller than its vessel"),
        ({"shape": "ball", "vessel_radius": 1e-4}, "must be smaller than its vessel"),
        ({"positions": (0.09,)}, "lies outside the vessel"),
        ({"diffusivity": -1.0}, "diffusivity is -1"),
        ({"times": (-3.0,)}, "times is -3"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(given, message):
    with pytest.raises(InputError, match=message):
        SYSTEM.run(given)


@pytest.mark.parametrize("shape", ["layer", "ball"])
def test_the_figure_shows_profiles_and_entropy(shape):
    drawing = SYSTEM.figure(SYSTEM.run(shape=shape, cells=101))
    assert [axes.get_ylabel() for axes in drawing.axes] == ["ink, mol/m$^3$", "entropy produced, J/K"]


def test_the_entropy_of_a_tinted_glass():
    found = SYSTEM.run(cells=201, drop_concentration=9.0, water_concentration=2.0, height=0.02, layer_thickness=0.015)
    mean = (9.0 * 0.015 + 2.0 * 0.005) / 0.02
    expected = R * (0.015 * 9.0 * np.log(9.0 / mean) + 0.005 * 2.0 * np.log(2.0 / mean))
    assert found.answers["entropy_produced"] == pytest.approx(expected, rel=1e-9)
