"""The pore: its claims, extreme pores against Ohm's law of diffusion, and bad input."""

import numpy as np
import pytest
from scipy.special import gamma, jn_zeros, jv

from steadyflux.ground.constants import R
from steadyflux.ground.errors import InputError, NameUnknown
from steadyflux.systems.diffusion import _mouth
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


def end_correction(length, terms=8, hindrance=1.0):
    """The mixed boundary-value problem of a pore of radius one: both sides meet in the flux over the mouth.

    The flux is a sum of (1 - r^2)^(m - 1/3); the bath answers by its Hankel transform (Sonine's integral), the pore,
    held in its middle, by its Bessel series; what is left over is orthogonal to every term.
    """
    power = np.arange(terms) - 1.0 / 3.0

    def transform(k):
        return 2.0**power * gamma(power + 1.0) * jv(power + 1.0, k) / k ** (power + 1.0)

    upper = 2000.0
    spots, weights = np.polynomial.legendre.leggauss(20)
    edges = np.concatenate([np.linspace(1e-12, 20.0, 40), np.arange(21.0, upper + 1.0)])
    k = (0.5 * (edges[1:] + edges[:-1])[:, None] + 0.5 * np.diff(edges)[:, None] * spots).reshape(-1)
    w = (0.5 * np.diff(edges)[:, None] * weights).reshape(-1)
    f = np.array([transform(x) for x in k])
    matrix = (f * w[:, None]).T @ f
    # Beyond: the products of Bessel functions oscillate about cos(difference of phases) / (pi k).
    scale = 2.0**power * gamma(power + 1.0)
    phase = 0.5 * np.pi * (power[:, None] - power)
    sums = power[:, None] + power + 3.0
    matrix += scale[:, None] * scale * np.cos(phase) / np.pi * upper ** (1.0 - sums) / (sums - 1.0)
    roots = jn_zeros(1, 20000)
    g = np.array([transform(j) for j in roots])
    matrix += 2.0 / hindrance * (g * (np.tanh(0.5 * roots * length) / roots / jv(0, roots) ** 2)[:, None]).T @ g
    mean = 0.5 / (power + 1.0)
    matrix += length / hindrance * np.outer(mean, mean)  # 2 * mean flux * half a length,
    flux = np.linalg.solve(matrix, mean)
    return 0.5 / (flux @ mean) - 0.5 * length / hindrance


@pytest.mark.parametrize("length", [0.02, 0.1, 0.4, 1.3, 4.0, 50.0])
def test_entrances_of_pores_of_any_length(length):
    expected = end_correction(length)
    found = SYSTEM.run(mode="entrance", radius=1e-6, length=length * 1e-6).answers
    assert found["end_correction"] == pytest.approx(expected, rel=1e-4)
    flow = np.pi * 6.7e-10 * 4.0 * 1e-6 / (length + 2.0 * expected)
    assert float(found["entrance_flow"]) == pytest.approx(flow, rel=1e-4)


@pytest.mark.parametrize("length", [0.1, 2.0])
def test_a_hindered_solute_meets_the_entrances_at_its_own_pace(length):
    found = SYSTEM.run(mode="entrance", radius=1e-6, length=length * 1e-6, solute_radius=2e-7).answers
    share = float(found["hindrance_factor"])
    expected = end_correction(length, 12, share)
    assert found["end_correction"] == pytest.approx(expected, rel=1e-4)
    flow = np.pi * 6.7e-10 * 4.0 * 1e-6 / (length / share + 2.0 * expected)
    assert float(found["entrance_flow"]) == pytest.approx(flow, rel=1e-4)


@pytest.mark.parametrize(("radius", "length"), [(1e2, 1e-10), (1e-10, 1e4), (1e-4, 1e-10), (1e-7, 1e-3)])
def test_extreme_pores_with_entrances(radius, length):
    found = SYSTEM.run(mode="entrance", radius=radius, length=length).answers
    correction = 0.821674 if length > radius else np.pi / 4.0
    flow = np.pi * radius**2 * 6.7e-10 * 4.0 / (length + 2.0 * correction * radius)
    assert float(found["entrance_flow"]) == pytest.approx(flow, rel=5e-5)
    assert found["end_correction"] == pytest.approx(correction, rel=5e-5)


def test_the_books_of_a_pore_with_entrances_close():
    found = SYSTEM.run(mode="entrance", left_concentration=0.4, right_concentration=30.0, solute_radius="8 nm")
    assert found.solution.ledger["solute"].relative < 1e-10
    flow = float(found.answers["entrance_flow"])
    assert flow < 0.0
    assert float(found.answers["dissipation"]) == pytest.approx(R * 298.15 * flow * np.log(0.4 / 30.0), rel=1e-8)
    total = float(found.answers["resistance"] + found.answers["access_resistance"])
    assert flow * total == pytest.approx(0.4 - 30.0, rel=1e-8)


def test_second_order_in_the_steps_at_the_mouth(monkeypatch):
    exact, off = end_correction(0.4), []
    for share in (3, 2):
        for name, steps in (("ACROSS", 72), ("OUT", 60), ("DEEP", 80)):
            monkeypatch.setattr(_mouth, name, steps // share)
        off.append(_mouth.access(1.0, 0.4, 1.0, 1.0) * 0.5 * np.pi - exact)
    assert np.log(off[0] / off[1]) / np.log(1.5) == pytest.approx(2.0, abs=0.4)


def test_an_empty_or_equal_side_with_entrances():
    assert SYSTEM.run(mode="entrance", right_concentration=0.0).answers["dissipation"] == np.inf
    rest = SYSTEM.run(mode="entrance", left_concentration=2.0, right_concentration=2.0)
    assert rest.solution.regime == "equilibrium"
    assert rest.answers["end_correction"] == pytest.approx(0.8216742, rel=1e-4)


def test_the_entrance_figure_shows_field_axis_and_mouth():
    drawing = SYSTEM.figure(SYSTEM.run(mode="entrance"))
    assert drawing.axes[2].get_xlabel() == "distance from the rim / radius"


@pytest.mark.parametrize("mode", ["ideal", "diaphragm"])
def test_the_figure_shows_profile_flow_and_dissipation(mode):
    drawing = SYSTEM.figure(SYSTEM.run(mode=mode))
    assert [a.get_ylabel() for a in drawing.axes] == ["concentration, mol/m$^3$", "flow, mol/s", "dissipation, W"]
