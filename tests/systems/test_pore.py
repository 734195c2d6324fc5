"""The pore: its claims, extreme pores against Ohm's law of diffusion, and bad input."""

import numpy as np
import pytest

from steadyflux.ground.constants import R
from steadyflux.ground.errors import InputError, NameUnknown
from steadyflux.systems.diffusion.pore import SYSTEM


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


@pytest.mark.parametrize(
    ("diffusivity", "radius", "length", "left", "right"),
    [(3e-25, 2e-10, 4e3, 1e-9, 3e-9), (7e2, 80.0, 2e-10, 9e8, 1e3), (2e-9, 1e-6, 1e-4, 5.0, 4.9999999)],
)
def test_extreme_pores_obey_ohms_law(diffusivity, radius, length, left, right):
    case = {"diffusivity": diffusivity, "radius": radius, "length": length}
    found = SYSTEM.run(**case, left_concentration=left, right_concentration=right)
    resistance = length / (np.pi * radius**2 * diffusivity)
    flow = (left - right) / resistance
    np.testing.assert_allclose(found.answers["resistance"], resistance, rtol=1e-10)
    np.testing.assert_allclose(found.answers["flow"], flow, rtol=1e-6 if abs(left - right) < 1e-6 * left else 1e-10)
    np.testing.assert_allclose(found.answers["dissipation"], R * 298.15 * flow * np.log(left / right), rtol=1e-5)
    assert found.solution.ledger["solute"].relative < 1e-10


def test_an_empty_side_dissipates_without_bound():
    assert SYSTEM.run(right_concentration=0.0).answers["dissipation"] == np.inf


def test_equal_sides_rest():
    found = SYSTEM.run(left_concentration=2.0, right_concentration=2.0)
    assert found.solution.regime == "equilibrium"
    assert float(found.answers["dissipation"]) == 0.0
    assert float(found.answers["resistance"]) > 0.0


@pytest.mark.parametrize(("left", "right"), [(1e-30, 1e12), (4e-9, 7e-20), (2e-15, 2e-15)])
def test_closed_reservoirs_of_any_size_keep_the_total(left, right):
    found = SYSTEM.run(mode="diaphragm", time="infinite", left_volume=left, right_volume=right, solute_radius="5 nm")
    inside = np.pi * 50e-9**2 * 10e-6
    even = (5.0 * left + 1.0 * right + 3.0 * inside) / (left + right + inside)
    np.testing.assert_allclose(found.answers["left_concentration_at"], even, rtol=1e-10)
    np.testing.assert_allclose(found.answers["right_concentration_at"], even, rtol=1e-10)
    assert found.solution.regime == "equilibrium"


def test_hindrance_falls_from_one_to_nothing():
    for formula, least in (("renkin", 0.95), ("dechadilok-deen", 0.9)):
        ratios = np.linspace(0.0, least, 12)
        factors = [
            float(SYSTEM.run(solute_radius=x * 50e-9, hindrance=formula).answers["hindrance_factor"]) for x in ratios
        ]
        assert factors[0] == 1.0
        assert np.all(np.diff(factors) < 0.0) and 0.0 < factors[-1] < 0.01


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"solute_radius": 6e-8}, "does not fit"),
        ({"solute_radius": 4.9e-8}, "size ratio of 0.95"),
        ({"left_concentration": -1.0}, "left_concentration is"),
        ({"cells": 10.5}, "whole number"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(given, message):
    with pytest.raises(InputError, match=message):
        SYSTEM.run(given)


def test_an_unknown_mode_is_refused():
    with pytest.raises(NameUnknown, match="diaphragm"):
        SYSTEM.run(mode="diafragm")


def test_a_run_from_the_right_solution_comes_to_the_straight_line():
    found = SYSTEM.run(until="1 s")
    assert found.history.steady
    assert float(found.answers["flow"]) == pytest.approx(float(SYSTEM.run().answers["flow"]), rel=1e-6)


def test_the_difference_between_closed_reservoirs_falls_by_their_rate():
    first, later = (SYSTEM.run(mode="diaphragm", time=t).answers for t in (100.0, 1100.0))
    fall = [float(a["left_concentration_at"] - a["right_concentration_at"]) for a in (first, later)]
    assert np.log(fall[0] / fall[1]) / 1000.0 == pytest.approx(first["decay_rate"], rel=1e-5)
    assert later["flow"] / first["flow"] == pytest.approx(fall[1] / fall[0], rel=1e-5)


@pytest.mark.parametrize("mode", ["ideal", "diaphragm"])
def test_the_figure_shows_profile_flow_and_dissipation(mode):
    drawing = SYSTEM.figure(SYSTEM.run(mode=mode))
    assert [a.get_ylabel() for a in drawing.axes] == ["concentration, mol/m$^3$", "flow, mol/s", "dissipation, W"]
