"""The nanochannel: its claims, a divalent mixture at 0.2 V, symmetry, ions of finite size, and bad input."""

import math

import numpy as np
import pytest

from steadyflux.ground.constants import FARADAY, R
from steadyflux.ground.errors import InputError
from steadyflux.systems.electrolyte.nanochannel import IONS, SYSTEM, mesh


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


def test_a_divalent_mixture_at_a_fifth_of_a_volt_obeys_the_integral_of_each_flux():
    # J int e^(z f) dx = D (c e^(z f)) left less right, with f from the solved potential and the trapezium rule.
    z, D = (2, 1, -1), (7.9e-10, 1.33e-9, 2.03e-9)
    left, right = (30.0, 4.0, 64.0), (0.7, 90.0, 91.4)
    keys = ("charge", "diffusivity", "left", "right")
    ions = [dict(zip(keys, row, strict=True)) for row in zip(z, D, left, right, strict=True)]
    found = SYSTEM.run(ions=ions, voltage=0.2, fixed_charge=-230.0, length=3.7e-8, edge_width=1.3e-9)
    x, phi = np.asarray(found.solution.position()), np.asarray(found.solution["phi"])
    for k, flux in enumerate(found.answers["fluxes"]):
        climb = z[k] * FARADAY * phi / (R * 298.15)
        across = np.trapezoid(np.exp(climb), x)
        expected = D[k] * (left[k] * math.exp(climb[0]) - right[k]) / across
        assert flux == pytest.approx(expected, rel=1e-4)
    assert all(entry.relative < 1e-10 for entry in found.solution.ledger.values())
    assert found.solution.entropy.least_local >= 0.0


def test_turned_round_the_channel_carries_the_opposite_current():
    one = SYSTEM.run(voltage=0.13).answers
    turned = [{**ion, "left": ion["right"], "right": ion["left"]} for ion in IONS.default]
    two = SYSTEM.run(ions=turned, voltage=-0.13).answers
    np.testing.assert_allclose(two["fluxes"], -np.array(one["fluxes"]), rtol=1e-9)
    assert two["rectification"] == pytest.approx(one["rectification"], rel=1e-9)


def test_equal_baths_do_not_rectify_and_the_slope_is_the_conductance():
    ions = [{**ion, "left": 25.0, "right": 25.0} for ion in IONS.default]
    found = SYSTEM.run(ions=ions, voltage=1e-4).answers
    assert found["rectification"] == pytest.approx(1.0, rel=1e-9)
    assert found["conductance"] == pytest.approx(found["current"] / 1e-4, rel=1e-4)
    assert found["zero_current_potential"] == pytest.approx(0.0, abs=1e-12)


def test_the_mesh_is_finest_at_both_mouths_and_ends_where_it_must():
    p = SYSTEM.values({"cells": 402, "length": 1e-6})
    x = mesh(p)
    assert len(x) == 402
    assert (x[0], x[-1]) == pytest.approx((-4e-8, 1.04e-6), rel=1e-14)
    assert np.all(np.diff(x) > 0)
    step = np.diff(x)
    assert abs(x[np.argmin(step)]) < 1e-9 or abs(x[np.argmin(step)] - 1e-6) < 1e-9


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"ions": [(0, 1e-9, 3.0, 4.0)]}, "None of the ions carries a charge"),
        ({"ions": [(1, -1e-9, 3.0, 4.0), (-1, 1e-9, 3.0, 4.0)]}, "diffusivity of ion 1"),
        ({"length": 0.0}, "length is 0"),
        ({"ion_diameter": 1e-8}, "ion_diameter"),
    ],
)
def test_bad_input_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        SYSTEM.run(**given)


def test_the_figure_shows_profile_and_current_voltage_curve():
    drawing = SYSTEM.figure(SYSTEM.run())
    assert drawing.axes[1].get_xlabel() == "voltage, left against right bath / mV"
    assert len(drawing.axes[1].lines) == 5
