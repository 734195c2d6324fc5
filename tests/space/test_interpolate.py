"""Interpolation: linear fields are met everywhere, on grids, maps, polar grids, meshes; points outside are refused."""

import numpy as np
import pytest

import steadyflux as sf


def linear(space, holds):
    return sf.steady(
        sf.Model(space, [sf.Species("c")], [sf.Fick("c", 1.0)], [sf.Hold(p, {"c": v}) for p, v in holds.items()])
    )


def at(space, values, points):
    from steadyflux.space.interpolate import interpolation

    cells, weights = interpolation(space, points)
    return (weights * values[cells]).sum(axis=1)


@pytest.mark.parametrize(
    "space",
    [
        sf.grid(x=sf.nodes(1.0, 5, grading="left", ratio=3), y=sf.nodes(2.0, 4)),
        sf.grid(x=sf.nodes(1.0, 5), y=sf.nodes(2.0, 4), z=sf.nodes(1.0, 3)),
        sf.grid(x=sf.nodes(1.0, 5), y=sf.nodes(2.0, 5), regions={"a": {"x": (0, 0.6)}}, split="a|rest"),
        sf.grid(
            x=sf.nodes(1.0, 5), y=sf.nodes(2.0, 5), z=sf.nodes(1.0, 3), regions={"a": {"x": (0, 0.6)}}, split="a|rest"
        ),
        sf.delaunay({"x": (0, 1), "y": (0, 2)}, 0.3),
        sf.conformal(np.linspace(0, 1, 6), np.linspace(0, 2, 5), lambda w: w * np.exp(0.0 * w)),
    ],
)
def test_linear_fields_are_met_everywhere(space):
    rng = np.random.default_rng(3)
    points = rng.uniform(0.05, 0.95, (40, len(space.axes)))
    field = lambda p: 1.0 + p @ np.arange(1, len(space.axes) + 1)  # noqa: E731
    np.testing.assert_allclose(at(space, field(np.asarray(space.position)), points), field(points), rtol=1e-12)


def test_around_a_polar_grid():
    space = sf.grid(r=sf.nodes(1.0, 9), theta=sf.nodes(2 * np.pi, 25, unit=""), periodic="theta")
    r, theta = space.position.T
    points = np.array([[0.4, 0.1], [0.99, 6.2], [0.01, 3.0], [1.0, 6.27]])
    found = at(space, r * np.cos(theta), points)
    np.testing.assert_allclose(found, points[:, 0] * np.cos(points[:, 1]), atol=0.01)


def test_a_solution_is_asked_at_one_point_or_many():
    found = linear(sf.grid(x=sf.nodes(1.0, 4), y=sf.nodes(1.0, 3)), {"left": 1.0, "right": 3.0})
    assert float(found.interpolate("c", (0.3, 0.7))) == pytest.approx(1.6, rel=1e-12)
    np.testing.assert_allclose(found.interpolate("c", [(0.3, 0.7), (1.0, 1.0)]), [1.6, 3.0], rtol=1e-12)
    line = linear(sf.interval(2.0, 5), {"left": 1.0, "right": 3.0})
    assert float(line.interpolate("c", 0.3)) == pytest.approx(1.3, rel=1e-12)


def test_refusals():
    found = linear(sf.grid(x=sf.nodes(1.0, 4), y=sf.nodes(1.0, 3)), {"left": 1.0, "right": 3.0})
    with pytest.raises(sf.ModelError, match="lies outside the grid"):
        found.interpolate("c", (1.3, 0.5))
    with pytest.raises(sf.ModelError, match="2 coordinates"):
        found.interpolate("c", (1.3, 0.5, 0.0))
    mesh = sf.delaunay({"center": (0, 0), "radius": 1.0}, 0.3)
    with pytest.raises(sf.ModelError, match="lies outside the mesh"):
        at(mesh, np.zeros(mesh.cells), [[0.9, 0.9]])
