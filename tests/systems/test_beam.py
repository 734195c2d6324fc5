"""The beam: its claims, heavy particles on light nuclei, books, refusals, its figure."""

import numpy as np
import pytest
from scipy.optimize import brentq

from steadyflux import InputError
from steadyflux.ground.constants import M_U
from steadyflux.systems.particles.beam import SYSTEM, Scattering


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    for one in claim.compare(SYSTEM.run):
        np.testing.assert_allclose(one.measured, one.expected, rtol=one.rtol, atol=one.atol)


@pytest.mark.parametrize("ratio", [0.02, 0.7, 1.0, 3.9])
def test_cross_sections_follow_from_the_impact_parameter(ratio):
    """Every impact parameter gives one angle about the centre of mass; the laboratory's angle follows from adding the
    centre's velocity. The area of the impact parameters that lead beyond an angle is the cross-section."""
    foil = Scattering(SYSTEM.values({"mass": ratio * 10 * M_U, "target_mass": 10 * M_U}))
    d = foil.closest

    def lab(b):
        centre = 2 * np.arctan(0.5 * d / b)
        return np.arctan2(np.sin(centre), np.cos(centre) + ratio)

    goal = 0.2 if ratio > 1 else 0.9
    b = np.geomspace(1e-7, 1e5, 4001) * d
    beyond = np.array([lab(x) > goal for x in b])
    turns = np.flatnonzero(np.diff(beyond.astype(int)))
    edges = [brentq(lambda x: lab(x) - goal, b[k], b[k + 1], xtol=1e-30, rtol=1e-14) for k in turns]
    area = np.pi * (edges[-1] ** 2 - (edges[0] ** 2 if len(edges) > 1 else 0.0))
    np.testing.assert_allclose(foil.beyond(goal), area, rtol=1e-9)
    step = 1e-5
    slope = -(foil.beyond(goal + step) - foil.beyond(goal - step)) / (2 * step)
    np.testing.assert_allclose(foil.differential(goal), slope / (2 * np.pi * np.sin(goal)), rtol=1e-6)


def test_books():
    solution = SYSTEM.run().solution
    assert all(entry.relative < 1e-12 for entry in solution.ledger.values())


@pytest.mark.parametrize(
    "given",
    [
        {"charge_number": 1.5},
        {"current": 0.0},
        {"ring_inner": 3.0, "ring_outer": 2.0},
        {"angle": 1e-4, "solid_angle": 1.0},
        {"energy": "3 V"},
    ],
)
def test_bad_input_is_refused(given):
    with pytest.raises(InputError):
        SYSTEM.run(**given)


def test_figure_has_axes_with_units():
    for mass in (196.97 * M_U, 1.0 * M_U):
        axes = SYSTEM.figure(SYSTEM.run(target_mass=mass)).axes
        assert "(degrees)" in axes[0].get_xlabel() and "(fm)" in axes[1].get_xlabel()
