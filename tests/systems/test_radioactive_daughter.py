"""The radioactive daughter: its claims, extreme blocks against closed forms, and bad input."""

import numpy as np
import pytest

from steadyflux.ground.errors import InputError, UnitError
from steadyflux.systems.diffusion.radioactive_daughter import SYSTEM

DECAY = 2.0974e-6


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


@pytest.mark.parametrize(("diffusivity", "thickness"), [(1e-25, 3.0), (1e-25, 2e-5), (0.01, 1e-3), (300.0, 0.4)])
def test_the_inventory_forgets_the_diffusivity(diffusivity, thickness):
    found = SYSTEM.run(diffusivity=diffusivity, thickness=thickness, production=2e5, positions=())
    np.testing.assert_allclose(found.answers["inventory"] * DECAY / 2e5, 1.0, rtol=1e-10)
    assert found.solution.ledger["N"].relative < 1e-10


@pytest.mark.parametrize("lengths", [1e-5, 0.3, 6.0, 18.0])
def test_the_release_is_one_over_cosh(lengths):
    thickness = lengths * np.sqrt(2e-8 / DECAY)
    found = SYSTEM.run(thickness=thickness, back="absorbing", positions=()).answers
    np.testing.assert_allclose(found["transit_fraction"], 1.0 / np.cosh(lengths), rtol=3e-5)
    np.testing.assert_allclose(found["release"], 0.01 / np.cosh(lengths), rtol=3e-5)


def test_a_leaky_face_of_a_half_space():
    # c(0) = P / (D/l + k_s), so the share k_s / (D/l + k_s) is lost.
    D, k = 4e-9, 3e-7
    found = SYSTEM.run(diffusivity=D, surface_loss_velocity=k, thickness="infinite").answers
    speed = np.sqrt(D * DECAY)
    np.testing.assert_allclose(found["surface_loss"], 0.01 * k / (speed + k), rtol=2e-6)
    np.testing.assert_allclose(found["surface_concentration"], 0.01 / (speed + k), rtol=2e-6)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"positions": (0.2,)}, "outside the block"),
        ({"diffusivity": 900.0, "thickness": 1e-3}, "lost in rounding"),
        ({"production": -1.0}, "production is"),
        ({"thickness": 0.0}, "thickness is"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(given, message):
    with pytest.raises(InputError, match=message):
        SYSTEM.run(given)


def test_a_thickness_in_seconds_is_refused():
    with pytest.raises(UnitError, match="thickness"):
        SYSTEM.run(thickness="3 s")


def test_the_figure_compares_three_diffusivities():
    (axes,) = SYSTEM.figure(SYSTEM.run()).axes
    assert len(axes.lines) == 3
    assert axes.get_xlabel() == "depth, m"


@pytest.mark.parametrize(("diffusivity", "loss"), [(1e-13, 0.0), (5e-3, 2e-2)])
def test_the_inventory_comes_near_in_the_time_given(diffusivity, loss):
    case = {"diffusivity": diffusivity, "surface_loss_velocity": loss, "approach": 0.9, "positions": ()}
    time = SYSTEM.run(**case).answers["approach_time"]
    found = SYSTEM.run(**case, times=(time,)).answers
    assert found["inventory_at"][0] == pytest.approx(0.9 * float(found["inventory"]), rel=1e-5)


def test_a_run_from_a_clean_block_arrives():
    found = SYSTEM.run(cells=201, positions=(), until="60 d")
    assert float(found.answers["inventory"]) == pytest.approx(0.01 / 2.0974e-6, rel=1e-4)
