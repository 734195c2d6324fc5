"""Grids: exact measures, exact profiles, regions, holes, interfaces, pieces of boundary, periodic axes, refusals."""

import numpy as np

import steadyflux as sf


def solve(space, holds, *, source=None, diffusivity=2.0, **more):
    laws = [sf.Fick("c", diffusivity)]
    if source is not None:
        laws.append(sf.Source("c", source))
    return sf.steady(sf.Model(space, [sf.Species("c")], laws, [sf.Hold(p, {"c": v}) for p, v in holds.items()], **more))


def graded():
    return sf.grid(x=sf.nodes("1 cm", 9), y=sf.nodes("2 mm", 7, grading="left", ratio=20), depth="3 m")


def test_a_plane_grid_has_the_measures_of_a_box():
    space = graded()
    assert space.shape == (9, 7)
    np.testing.assert_allclose(space.volume.sum(), 0.01 * 0.002 * 3, rtol=1e-14)
    for side, area in {"left": 0.006, "right": 0.006, "bottom": 0.03, "top": 0.03}.items():
        np.testing.assert_allclose(space.places[side].area.sum(), area, rtol=1e-14)


def test_a_linear_profile_is_exact_along_each_axis_of_a_graded_grid():
    space = graded()
    for (low, high), k in ((("left", "right"), 0), (("bottom", "top"), 1)):
        found = solve(space, {low: 1.0, high: 3.0})
        x = space.position[:, k]
        np.testing.assert_allclose(found["c"], 1.0 + 2.0 * x / x.max(), rtol=1e-12)


def test_a_cylinder_has_its_exact_logarithmic_profile_and_parabola():
    row = sf.nodes(1.5, 12, start=0.5, grading="left", ratio=4)
    space = sf.grid(r=row, z=sf.nodes(2.0, 5))
    r = space.position[:, 0]
    found = solve(space, {"inner": 1.0, "outer": 0.0})
    np.testing.assert_allclose(found["c"], np.log(2.0 / r) / np.log(4.0), rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(found.flow("c", "inner"), 2.0 * 2 * np.pi * 2.0 / np.log(4.0), rtol=1e-11)
    full = sf.grid(r=sf.nodes(2.0, 12, grading="left", ratio=4), z=sf.nodes(2.0, 5))
    found = solve(full, {"outer": 0.0}, source=3.0)
    np.testing.assert_allclose(found["c"], 3.0 / 2.0 * (4.0 - full.position[:, 0] ** 2) / 4.0, rtol=1e-11, atol=1e-13)
