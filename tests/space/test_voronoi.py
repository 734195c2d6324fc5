"""Unstructured meshes: exact faces, order, the one-ampere cube, regions and interfaces, refusals of bad meshes."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import Delaunay

import steadyflux as sf
from steadyflux.space.simplices import facet_areas, oriented, tetrahedron_parts, triangle_parts

LEFT, RIGHT = (lambda x, *_: x < 1e-9), (lambda x, *_: x > 1 - 1e-9)


def solve(space, holds, laws=None, *more):
    held = [sf.Hold(place, {"c": value}) for place, value in holds.items()]
    return sf.steady(sf.Model(space, [sf.Species("c")], laws or [sf.Fick("c", 1.0)], [*held, *more]))


def cube(steps, jitter=0.0, seed=0):
    """Points and tetrahedra of the unit cube: every small cube cut into six about its diagonal."""
    n = steps + 1
    number = np.arange(n**3).reshape((n,) * 3)
    points = np.stack(np.meshgrid(*[np.linspace(0, 1, n)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    tetrahedra = []
    for order in permutations(range(3)):
        at = np.cumsum([np.zeros(3, int), *(np.eye(3, dtype=int)[k] for k in order)], axis=0)
        tetrahedra.append(np.stack([number[i : steps + i, j : steps + j, k : steps + k].ravel() for i, j, k in at], 1))
    inside = np.all((points > 0) & (points < 1), axis=1)
    points[inside] += np.random.default_rng(seed).uniform(-jitter, jitter, (inside.sum(), 3))
    return points, np.concatenate(tetrahedra)


def ends(**more):
    return {"boundaries": {"left": LEFT, "right": RIGHT}, **more}


# ---- exactness -------------------------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 3))
def test_signed_parts_of_any_elements_fill_the_volume_and_carry_linear_fields(seed, axes):
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 1, (14, axes))
    elements = oriented(points, Delaunay(points).simplices)
    parts = triangle_parts(points, elements, 1.0) if axes == 2 else tetrahedron_parts(points, elements)
    sides = points[elements[:, 1:]] - points[elements[:, :1]]
    size = np.linalg.det(sides) / (2 if axes == 2 else 6)
    np.testing.assert_allclose(parts.volume.sum(axis=(1, 2)), size, rtol=1e-6, atol=1e-12)
    # In a triangle every uniform field is carried exactly; in a tetrahedron their mean over all directions is.
    way = points[parts.ends[..., 1]] - points[parts.ends[..., 0]]
    tensor = np.einsum("te,tei,tej->tij", parts.conductor, way, way)
    if axes == 2:
        np.testing.assert_allclose(tensor, size[:, None, None] * np.eye(axes), atol=1e-7 * np.abs(tensor).max())
    np.testing.assert_allclose(np.trace(tensor, axis1=1, axis2=2), axes * size, rtol=1e-6, atol=1e-12)


def test_a_ring_has_the_volume_and_faces_of_pappus():
    points = np.array([[0.5, 0.0], [1.5, 0.2], [0.9, 1.0]])
    triangle = oriented(points, np.array([[0, 1, 2]]))
    area, radius = 0.5 * np.linalg.det(points[triangle[0, 1:]] - points[triangle[0, 0]]), points[:, 0].mean()
    np.testing.assert_allclose(
        triangle_parts(points, triangle, None).volume.sum(), 2 * np.pi * radius * area, rtol=1e-13
    )
    side = np.array([[0, 1]])
    length = np.hypot(1.0, 0.2)
    np.testing.assert_allclose(facet_areas(points, side, None).sum(), 2 * np.pi * 1.0 * length, rtol=1e-13)
    np.testing.assert_allclose(facet_areas(points, side, None)[0, 0], np.pi * 0.75 * length, rtol=1e-13)


def test_one_ohm_cube_carries_exactly_one_ampere():
    space = sf.mesh(*cube(3), **ends())
    assert sf.mesh_quality(space).surplus["interior"] == pytest.approx(0.0, abs=1e-14)
    for place, area in {"left": 1.0, "right": 1.0, "boundary": 4.0}.items():
        np.testing.assert_allclose(space.places[place].area.sum(), area, rtol=1e-13)
    held = [sf.Hold("left", {"phi": 0.0}), sf.Hold("right", {"phi": 1.0})]
    found = sf.steady(sf.Model(space, [sf.Potential()], [sf.Ohm(1.0)], held))
    np.testing.assert_allclose(found.current("right"), 1.0, rtol=1e-13)


def test_a_cube_that_is_not_delaunay_is_refused_with_its_surplus_and_conducts_by_that_too_well():
    with pytest.raises(sf.ModelError, match=r"49 edges of 'interior' have a negative face .* about 9 % too well"):
        sf.mesh(*cube(3, 0.08, 1), **ends())
    with pytest.warns(UserWarning, match="9 % too well"):
        space = sf.mesh(*cube(3, 0.08, 1), **ends(surplus=0.2))
    assert sf.mesh_quality(space).surplus["interior"] == pytest.approx(0.09, abs=1e-3)
    flow = solve(space, {"left": 0.0, "right": 1.0}).flow("c", "right")
    assert 1.05 < flow < 1.12


def test_a_plane_of_any_points_keeps_linear_profiles_and_feeds_no_cell_by_a_stream():
    space = sf.delaunay({"x": (0, 1), "y": (0, 0.7)}, 0.12, depth=0.5, **ends())
    assert all(np.all(e.area > 0) for e in space.edges.values())
    np.testing.assert_allclose(space.volume.sum(), 0.35, rtol=1e-13)
    found = solve(space, {"left": 1.0, "right": 3.0})
    np.testing.assert_allclose(found["c"], 1.0 + 2.0 * space.position[:, 0], rtol=1e-12)
    np.testing.assert_allclose(found.flow("c", "right"), 2.0 * 0.35, rtol=1e-12)
    flow, e = sf.throughflow(space, stream=lambda x, y: np.sin(x) * y), space.edges["interior"]
    net = np.bincount(e.head, flow, space.cells) - np.bincount(e.tail, flow, space.cells)
    rim = np.concatenate([p.cells for p in space.places.values()])
    assert np.abs(np.delete(net, rim)).max() < 1e-14
    velocity = sf.throughflow(space, lambda x, y: (np.sin(x), -np.cos(x) * y))
    np.testing.assert_allclose(velocity, flow, atol=1e-8)


# ---- order -----------------------------------------------------------------------------------------------------------


def test_a_disk_with_a_uniform_source_is_exact_on_any_delaunay_mesh():
    """-laplace u = 1 on a disk: u = (R^2 - r^2) / 4 at all nodes."""
    space = sf.delaunay({"center": (0, 0), "radius": 5.0}, lambda x, y: 0.3 + 0.2 * np.hypot(x - 2, y))
    found = solve(space, {"boundary": 0.0}, [sf.Fick("c", 1.0), sf.Source("c", 1.0)])
    np.testing.assert_allclose(found["c"], (25 - (space.position**2).sum(axis=1)) / 4, atol=1e-13)


def test_second_order_about_an_axis_and_of_the_flow_through_a_boundary():
    """A point charge below the plane: c = 1 / distance, in a ring-shaped piece of the half-space."""
    errors, flows = [], []
    for h in (0.2, 0.1, 0.05):
        space = sf.delaunay(
            {"r": (0, 1), "z": (0, 1)},
            h,
            coordinate="r z",
            boundaries={
                "axis": lambda r, z: r < 1e-9,
                "bottom": lambda r, z: z < 1e-9,
                "top": lambda r, z: z > 1 - 1e-9,
            },
        )
        np.testing.assert_allclose(space.volume.sum(), np.pi, rtol=1e-12)
        r, z = space.position.T
        exact, cube_of = 1 / np.hypot(r, z + 0.5), np.hypot(r, z + 0.5) ** 3
        side, top = space.places["boundary"].cells, space.places["top"].cells
        fed = [
            sf.Influx("boundary", {"c": -(1 / cube_of)[side]}),
            sf.Influx("top", {"c": -(1.5 / cube_of)[top]}),
        ]
        found = solve(space, {"bottom": exact[space.places["bottom"].cells]}, None, *fed)
        errors.append(np.abs(found["c"] - exact).max())
        flows.append(abs(float(found.flow("c", "bottom")) - 2 * np.pi * (1 - 0.5 / np.hypot(1, 0.5))))
    assert np.all(np.log2(np.array(errors[:-1]) / errors[1:]) > 1.6), errors
    assert np.log2(flows[0] / flows[-1]) > 2.0, flows


def test_second_order_in_space():
    errors = []
    for n in (3, 6, 12):
        space = sf.mesh(*cube(n))
        exact = 2.0 + np.sin(space.position @ [1.0, 0.7, 0.4])
        source = lambda x, y, z: 1.65 * np.sin(x + 0.7 * y + 0.4 * z)  # noqa: E731
        found = solve(
            space, {"boundary": exact[space.places["boundary"].cells]}, [sf.Fick("c", 1.0), sf.Source("c", source)]
        )
        errors.append(np.abs(found["c"] - exact).max())
    assert np.log2(errors[-2] / errors[-1]) > 1.9, errors


# ---- regions, interfaces, boundaries ---------------------------------------------------------------------------------


def layered(**more):
    return sf.delaunay(
        {"x": (0, 1), "y": (0, 0.6)},
        0.1,
        lines=[[(0.4, 0.0), (0.4, 0.6)]],
        regions={"gel": lambda x, y: x < 0.4},
        rest="water",
        **ends(**more),
    )


def test_layers_conduct_in_series_with_exact_shares():
    space = layered()
    for name, size in {"gel": 0.24, "water": 0.36}.items():
        place = space.places[name]
        np.testing.assert_allclose((space.volume[place.cells] * place.share).sum(), size, rtol=1e-13)
    laws = [sf.Fick("c", 2.0, on="gel"), sf.Fick("c", 5.0, on="water")]
    found = solve(space, {"left": 1.0, "right": 0.0}, laws)
    np.testing.assert_allclose(found.flow("c", "left"), 0.6 / (0.4 / 2 + 0.6 / 5), rtol=1e-12)


def test_interfaces_split_with_their_exact_area_and_films_hold_their_own():
    space = layered(split="gel|water")
    contact = space.edges["gel|water"]
    np.testing.assert_allclose(contact.area.sum(), 0.6, rtol=1e-13)
    np.testing.assert_allclose(contact.direction, np.broadcast_to([1.0, 0.0], contact.direction.shape), atol=1e-12)
    laws = [sf.Fick("c", 2.0), sf.Transfer("c", 0.7, on="gel|water")]
    found = solve(space, {"left": 1.0, "right": 0.0}, laws)
    np.testing.assert_allclose(found.flow("c", "left"), 0.6 / (1.0 / 2 + 1 / 0.7), rtol=1e-12)
    film = layered(film="gel|water")
    np.testing.assert_allclose(film.volume[film.places["gel|water"].cells].sum(), 0.6, rtol=1e-13)
    laws = [sf.Fick("c", 2.0), *(sf.Transfer("c", 1.4, on=f"gel|water.{side}") for side in ("gel", "water"))]
    again = solve(film, {"left": 1.0, "right": 0.0}, laws)
    np.testing.assert_allclose(again.flow("c", "left"), found.flow("c", "left"), rtol=1e-12)


def test_two_halves_of_a_cube_split_in_space():
    space = sf.mesh(*cube(4), regions={"a": lambda x, y, z: x < 0.5}, rest="b", split="a|b", **ends())
    np.testing.assert_allclose(space.edges["a|b"].area.sum(), 1.0, rtol=1e-13)
    np.testing.assert_allclose(space.edges["a|b"].direction, np.broadcast_to([1.0, 0.0, 0.0], (25, 3)), atol=1e-14)
    found = solve(space, {"left": 1.0, "right": 0.0}, [sf.Fick("c", 2.0), sf.Transfer("c", 0.7, on="a|b")])
    np.testing.assert_allclose(found.flow("c", "left"), 1 / (1 / 2 + 1 / 0.7), rtol=1e-12)


def test_holes_and_lists_of_facets_and_masks():
    points, tetrahedra = cube(3)
    middle = points[tetrahedra].mean(axis=1)
    shell = np.abs(middle - 0.5).max(axis=1) > 1 / 6
    space = sf.mesh(points, tetrahedra, regions={"shell": shell}, void=True, **ends())
    np.testing.assert_allclose(space.volume.sum(), 26 / 27, rtol=1e-13)
    np.testing.assert_allclose(space.places["boundary"].area.sum(), 4 + 6 / 9, rtol=1e-13)
    x, y = np.meshgrid([0.0, 1.0, 2.0], [0.0, 1.0])
    square = np.stack([x.ravel(), y.ravel()], axis=1)
    triangles = [[0, 1, 4], [0, 4, 3], [1, 2, 5], [1, 5, 4]]
    plane = sf.mesh(square, triangles, boundaries={"floor": [[0, 1], [2, 1]]}, regions={"one": [0, 1]}, unit="mm")
    np.testing.assert_allclose(plane.places["floor"].area, [5e-4, 1e-3, 5e-4], rtol=1e-13)
    assert len(plane.edges["interior"]) == 7  # the two diagonals have faces of no width
    assert plane.elements.corners.shape == (4, 3)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: sf.mesh([[0.0, 1.0]], [[0, 0, 0, 0]]), "rows of 3 point numbers"),
        (lambda: sf.mesh([[0.0], [1.0]], [[0, 1]]), "two or three columns"),
        (lambda: sf.mesh(np.eye(3)[:, :2], [[0, 1, 3]]), "between 0 and 2"),
        (lambda: sf.mesh([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]], [[0, 1, 2]]), "1 elements of the mesh are flat"),
        (lambda: sf.mesh([[0.0, 0.0], [4.0, 0.0], [2.0, 0.1]], [[0, 1, 2]]), "have no volume"),
        (lambda: sf.mesh([[-1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [[0, 1, 2]], coordinate="r z"), "negative radii"),
        (lambda: sf.mesh(np.eye(3)[:, :2], [[0, 1, 2]], coordinate="x y z"), "cannot have the axes"),
        (lambda: sf.mesh(np.eye(3)[:, :2], [[0, 1, 2]], boundaries={"a": [[0, 4]]}), "no facets of the mesh's surface"),
        (lambda: sf.mesh(np.eye(3)[:, :2], [[0, 1, 2]], boundaries={"a": LEFT, "b": LEFT}), "holds no free facet"),
        (lambda: sf.mesh(np.eye(3)[:, :2], [[0, 1, 2]], regions={"a": lambda x, y: x > 5}), "holds no element"),
        (lambda: sf.mesh(np.eye(3)[:, :2], [[0, 1, 2]] * 3), "more than two elements"),
        (lambda: sf.delaunay([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]), "lie on one line"),
        (lambda: sf.delaunay({"x": (0, 1), "y": (1, 0)}, 0.1), "lower one first"),
        (lambda: sf.delaunay({"x": (0, 1), "y": (0, 1)}, -0.1), "spacing of a mesh must be positive"),
        (lambda: sf.delaunay({"x": (0, 1), "y": (0, 1)}, 1e-6), "ask for a larger one"),
        (lambda: sf.delaunay([(0, 0), (1, 0)], 0.1), "at least 3 corners"),
        (lambda: sf.mesh_quality(sf.interval(1.0, 5)), "two or three dimensions"),
    ],
)
def test_refusals(make, sentence):
    with pytest.raises(sf.ModelError, match=sentence):
        make()


def test_the_quality_of_good_meshes():
    found = sf.mesh_quality(sf.delaunay({"center": (0, 0), "radius": 1.0}, 0.2))
    assert found.surplus["interior"] == pytest.approx(0.0, abs=1e-13)
    assert found.smallest_angle > 25 and found.aspect < 2.5
    grid = sf.mesh_quality(sf.grid(x=sf.nodes(1.0, 5), y=sf.nodes(2.0, 5)))
    assert grid.aspect == pytest.approx(2.0) and grid.smallest_angle is None
    assert grid.surplus["interior"] == pytest.approx(0.0, abs=1e-14)
    assert sf.mesh_quality(sf.mesh(*cube(2))).smallest_angle == pytest.approx(45.0)
