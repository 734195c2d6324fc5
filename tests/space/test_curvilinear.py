"""Curvilinear grids: measures, the disk's exact flow, spheres, conformal maps, far ends, refusals."""

import jax
import numpy as np
import pytest
import scipy.special

import steadyflux as sf


def conduct(space, holds, *more, source=None):
    laws = [sf.Fick("c", 1.0)] if source is None else [sf.Fick("c", 1.0), sf.Source("c", source)]
    held = [sf.Hold(place, {"c": value}) for place, value in holds.items()]
    return sf.steady(sf.Model(space, [sf.Species("c")], laws, [*held, *more]))


@pytest.mark.parametrize("nodes", [(3, 3), (9, 6)])
def test_a_disk_in_a_plane_takes_exactly_4_D_c_a(nodes):
    a = 5e-6
    space = sf.oblate(a, *nodes)
    np.testing.assert_allclose(space.places["disk"].area.sum(), np.pi * a**2, rtol=1e-12)
    found = conduct(space, {"disk": 0.0, "far": 1.0})
    np.testing.assert_allclose(found.flow("c", "far"), 4.0 * a, rtol=1e-13)
    # c = 2/pi arctan(zeta), with zeta from the positions by the sum of distances to the focal ring
    r, z = space.position.T
    near = r < 100 * a
    half = 0.5 * (np.hypot(r + a, z) + np.hypot(r - a, z))[near] / a
    np.testing.assert_allclose(found["c"][near], 2 / np.pi * np.arctan(np.sqrt(half**2 - 1)), atol=1e-7)


def test_a_row_next_to_infinity_keeps_all_its_cells():
    space = sf.oblate(1.0, np.tan(np.linspace(0, np.pi / 2, 61)[:-1]), 7)
    assert space.shape == (61, 7)


def test_a_finite_half_spheroid_has_its_volume_and_conductance():
    a, zeta = 2.0, 3.0
    space = sf.oblate(a, np.linspace(0.0, zeta, 9), 8, infinite=False)
    np.testing.assert_allclose(space.volume.sum(), 2 / 3 * np.pi * a**3 * zeta * (1 + zeta**2), rtol=1e-9)
    found = conduct(space, {"disk": 0.0, "far": 1.0})
    np.testing.assert_allclose(found.flow("c", "far"), 2 * np.pi * a / np.arctan(zeta), rtol=1e-12)


def test_a_slow_reaction_on_the_disk_takes_second_order():
    flows = []
    for n in (9, 17, 33):
        found = conduct(sf.oblate(1.0, n, n), {"far": 1.0}, sf.Film("disk", "c", 1.5, 0.0))
        flows.append(float(found.flow("c", "far")))
    errors = np.abs(np.array(flows) / disk_with_film(1.5) - 1.0)
    assert errors[-1] < 2e-4
    assert np.all(np.log2(errors[:-1] / errors[1:]) > 1.8), errors


def disk_with_film(rate, terms=24):
    """Flow to a disk of radius 1 with k = rate, D = c = 1: c = 1 - sum a_n P_2n(eta) q_n(zeta), tested by P_2m."""
    x, w = np.polynomial.legendre.leggauss(200)
    x, w = 0.5 * (x + 1), 0.5 * w
    n = 2 * np.arange(terms)
    p = np.array([scipy.special.eval_legendre(k, x) for k in n])
    # -q_n'(0) / q_n(0) of Legendre functions of the second kind of imaginary argument
    slope = 2 * (scipy.special.gamma(n / 2 + 1) / scipy.special.gamma(n / 2 + 0.5)) ** 2
    # d c / d zeta = rate * eta * c on zeta = 0, tested with every P_2m
    system = np.diag(slope / (2 * n + 1)) + rate * np.einsum("ik,jk,k,k->ij", p, p, x, w)
    return 2 * np.pi * np.linalg.solve(system, rate * (p @ (x * w)))[0] * slope[0]


def test_a_ball_has_exact_measures_and_a_parabola():
    space = sf.spherical(sf.nodes(2.0, 7, grading="right", ratio=2), 8)
    assert space.cells == 1 + 6 * 8
    np.testing.assert_allclose(space.volume.sum(), 4 / 3 * np.pi * 8, rtol=1e-13)
    np.testing.assert_allclose(space.places["outer"].area.sum(), 16 * np.pi, rtol=1e-13)
    found = conduct(space, {"outer": 0.0}, source=3.0)
    np.testing.assert_allclose(found["c"], 3.0 * (4.0 - (space.position**2).sum(axis=1)) / 6.0, atol=1e-12)


def test_a_shell_has_its_exact_conductance_and_dipoles_their_order():
    shell = sf.spherical(sf.nodes(1.0, 5, start=0.5), 6)
    found = conduct(shell, {"inner": 1.0, "outer": 0.0})
    np.testing.assert_allclose(found.flow("c", "inner"), 4 * np.pi / (1 / 0.5 - 1 / 1.5), rtol=1e-10)
    errors = []
    for n in (9, 17, 33):
        space = sf.spherical(sf.nodes(1.0, n, start=1.0), n)
        exact = 3.0 + space.position[:, 1] / (space.position**2).sum(axis=1) ** 1.5
        found = conduct(space, {p: exact[space.places[p].cells] for p in ("inner", "outer")})
        errors.append(np.abs(found["c"] - exact).max())
    assert np.all(np.log2(np.array(errors[:-1]) / errors[1:]) > 1.8), errors


def test_confocal_cylinders_conduct_as_their_conformal_image():
    space = sf.conformal(
        np.linspace(0.3, 1.1, 5),
        np.linspace(0.0, 2 * np.pi, 10),
        lambda w: 2.0 * np.cosh(w),
        depth=0.5,
        periodic="v",
        names={"u": ("core", "shell")},
    )
    ellipse = lambda u: np.pi * 4.0 * np.cosh(u) * np.sinh(u)  # noqa: E731 - an area
    np.testing.assert_allclose(space.volume.sum(), 0.5 * (ellipse(1.1) - ellipse(0.3)), rtol=1e-8)
    found = conduct(space, {"core": 1.0, "shell": 0.0})
    np.testing.assert_allclose(found.flow("c", "core"), 0.5 * 2 * np.pi / 0.8, rtol=1e-12)
    e = space.edges["interior"]
    np.testing.assert_allclose(np.linalg.norm(e.direction, axis=1), 1.0, rtol=1e-12)


def test_coordinates_of_ones_own_agree_with_the_ready_ones():
    rows = {"r": np.linspace(1, 2, 4), "turn": np.linspace(0, 1, 5), "h": np.linspace(0, 2, 3)}
    space = sf.curvilinear(
        rows,
        lambda r, turn, h: (1.0, r, 1.0),
        lambda r, turn, h: (r * np.cos(turn), r * np.sin(turn), h),
        coordinate="x y z",
    )
    same = sf.grid(r=rows["r"], theta=rows["turn"], z=rows["h"])
    np.testing.assert_allclose(space.volume.sum(), same.volume.sum(), rtol=1e-13)
    for one, other in (("r_low", "inner"), ("turn_high", "end"), ("h_low", "bottom")):
        np.testing.assert_allclose(space.places[one].area.sum(), same.places[other].area.sum(), rtol=1e-13)
    flows = [
        conduct(s, {p: 1.0, q: 0.0}).flow("c", p) for s, p, q in ((space, "r_low", "r_high"), (same, "inner", "outer"))
    ]
    np.testing.assert_allclose(*flows, rtol=1e-9)


def test_a_disks_radius_can_be_differentiated():
    slope = jax.grad(lambda a: conduct(sf.oblate(a, 4, 4), {"disk": 0.0, "far": 1.0}).flow("c", "far"))(2.0)
    np.testing.assert_allclose(slope, 4.0, rtol=1e-10)


def test_refusals():
    rows = {"p": np.linspace(1, 2, 4), "q": np.linspace(0, 1, 5)}
    polar = lambda p, q: (p * np.cos(q), p * np.sin(q))  # noqa: E731 - a map
    with pytest.raises(sf.ModelError, match="scale factor of q is not that of the map"):
        sf.curvilinear(rows, lambda p, q: (1.0, 2 * p), polar)
    with pytest.raises(sf.ModelError, match="right angles"):
        sf.curvilinear(rows, lambda p, q: (1.0, np.sqrt(2.0)), lambda p, q: (p + q, q))
    with pytest.raises(sf.ModelError, match="needs 2 rows"):
        sf.curvilinear({"p": [0.0, 1.0]}, lambda p: (1.0,), lambda p: (p,))
    with pytest.raises(sf.ModelError, match="not 'r theta'"):
        sf.curvilinear(rows, lambda p, q: (1.0, p), polar, coordinate="r theta")
    with pytest.raises(sf.NameUnknown, match="end of a coordinate"):
        sf.curvilinear(rows, lambda p, q: (1.0, p), polar, far="p_hihg")
    with pytest.raises(sf.ModelError, match="needs a row zeta"):
        sf.oblate(1.0, infinite=False)
    with pytest.raises(sf.ModelError, match="radius of the disk must be positive"):
        sf.oblate(-1.0)
    with pytest.raises(sf.ModelError, match="polar angle runs from 0 to pi"):
        sf.spherical([1.0, 2.0], [0.0, 4.0])
