"""The nanochannel: its claims, a divalent mixture at 0.2 V, symmetry, ions of finite size, and bad input."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_bvp

import steadyflux as sf
from steadyflux.ground.constants import EPSILON_0, FARADAY, R
from steadyflux.ground.errors import InputError
from steadyflux.systems.electrolyte import _bore
from steadyflux.systems.electrolyte.nanochannel import IONS, KCL, SYSTEM, channel, mesh


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
        ({"surface_charge": 20.0}, "surface_charge is 20"),
        ({"mode": "axisymmetric", "fixed_charge": -1e4, "radius": 1e-6}, "on its wall; stay within"),
    ],
)
def test_bad_input_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        SYSTEM.run(**given)


def test_the_figure_shows_profile_and_current_voltage_curve():
    drawing = SYSTEM.figure(SYSTEM.run())
    assert drawing.axes[1].get_xlabel() == "voltage, left against right bath / mV"
    assert len(drawing.axes[1].lines) == 5


SMALL = {"mode": "axisymmetric", "axial_cells": 61, "radial_cells": 25}


def steady(**given):
    p = SYSTEM.values(given)
    return p, sf.steady(channel(p, p.voltage))


@pytest.mark.parametrize(("radius", "sigma"), [(5e-9, -0.06), (2e-9, 0.01), (3e-8, -0.02)])
def test_at_rest_the_cross_section_obeys_poisson_and_boltzmann(radius, sigma):
    ions = [{**ion, "left": 10.0, "right": 10.0} for ion in IONS.default]
    fine = {"mode": "axisymmetric", "axial_cells": 31, "radial_cells": 65}
    p, found = steady(**fine, ions=ions, voltage=0.0, radius=radius, surface_charge=sigma, length=2e-7)
    size = radius / _bore.debye_length(p)  # psi'' + psi' / x = size^2 sinh(psi), x = r / radius
    slope = FARADAY * sigma * radius / (EPSILON_0 * p.permittivity * R * p.temperature)
    x = 1.0 - np.geomspace(1e-5, 1.0, 200)[::-1]
    x = np.append(x, 1.0)
    inside = solve_bvp(
        lambda x, y: np.array([y[1], size**2 * np.sinh(y[0])]),
        lambda a, b: np.array([a[1], b[1] - slope]),
        x,
        np.array([np.sign(sigma) * np.ones_like(x), 0.0 * x]),
        S=np.array([[0.0, 0.0], [0.0, -1.0]]),
        tol=1e-8,
        max_nodes=100_000,
    )
    assert inside.success
    r, phi = _bore.across(found, "phi", 0.5 * p.length)
    psi = inside.sol(r / radius)[0]
    np.testing.assert_allclose(FARADAY * phi / (R * p.temperature), psi, rtol=2e-3, atol=1e-3 * np.abs(psi).max())
    _, c = _bore.across(found, "K+", 0.5 * p.length)
    np.testing.assert_allclose(c, 10.0 * np.exp(-psi), rtol=5e-3)
    assert found.regime == "equilibrium"


def test_the_books_of_a_resolved_bore_close():
    p, found = steady(**SMALL, surface_charge=-0.05, voltage=-0.3)
    assert all(entry.relative < 1e-10 for entry in found.ledger.values())
    assert found.entropy.least_local > -1e-12 * found.entropy.production
    assert found.entropy.exported == pytest.approx(found.entropy.production, rel=1e-9)
    x, mean = _bore.means(p, found)
    assert x == pytest.approx(mesh(p), abs=1e-18)
    # Gauss: the field at the wall of the middle is the charge there
    r, phi = _bore.across(found, "phi", 0.5 * p.length)
    assert mean["K+"][30] - mean["Cl-"][30] == pytest.approx(2 * 0.05 / (FARADAY * p.radius), rel=1e-2)
    assert (phi[-1] - phi[-2]) / (r[-1] - r[-2]) == pytest.approx(-0.05 / (EPSILON_0 * 78.5), rel=0.2)


@pytest.mark.parametrize("cells", [("radial_cells", (17, 33, 65), 21), ("axial_cells", (41, 81, 161), 5)])
def test_second_order_along_and_across_the_bore(cells):
    name, counts, other = cells
    rest = {"axial_cells": other} if name == "radial_cells" else {"radial_cells": other}
    one, two, three = (
        float(steady(**KCL, mode="axisymmetric", **rest, **{name: n})[1].current("left")) for n in counts
    )
    assert math.log2(abs((one - two) / (two - three))) == pytest.approx(2.0, abs=0.25)


def test_surface_charge_and_fixed_charge_are_the_same_wall():
    sigma = 0.5 * FARADAY * 5e-9 * -50.0
    for mode in ("mean", "axisymmetric"):
        given = {"mode": mode, "cells": 101, "axial_cells": 61, "radial_cells": 25}
        one, two = (float(steady(**given, **wall)[1].current("left")) for wall in ({}, {"surface_charge": sigma}))
        assert one == pytest.approx(two, rel=1e-9)


def test_a_wide_bore_selects_less_than_its_mean():
    wide = {"radius": 2e-8, "surface_charge": -0.02, "cells": 401}
    resolved, mean = (SYSTEM.run(**wide, **mode).answers for mode in (SMALL, {}))
    assert resolved["wall_charge"] == pytest.approx(-0.02)
    assert resolved["wall_potential"] < resolved["axis_potential"]
    assert resolved["conductance"] > 0.0 and len(resolved["potential_profile"]) == 41
    assert resolved["selectivity"] < mean["selectivity"]


def test_the_figure_of_a_resolved_bore_shows_map_and_section():
    drawing = SYSTEM.figure(SYSTEM.run(**SMALL))
    assert drawing.axes[0].get_ylabel() == "radius / nm"
