"""Grids: exact measures, exact profiles, regions, holes, interfaces, pieces of boundary, periodic axes, refusals."""

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import steadyflux as sf

STEPS = st.lists(st.floats(0.01, 10.0), min_size=3, max_size=7)


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


def test_a_polar_sector_conducts_around_as_the_textbook_says():
    space = sf.grid(r=sf.nodes(1.0, 9, start=1.0), theta=sf.nodes(1.2, 8, unit=""), depth=0.5)
    found = solve(space, {"start": 1.0, "end": 0.0})
    np.testing.assert_allclose(found["c"], 1.0 - space.position[:, 1] / 1.2, atol=1e-13)
    # Per layer dr / r: in sum the logarithm, as far as faces lie where they do.
    np.testing.assert_allclose(found.flow("c", "start"), 2.0 * 0.5 * np.log(2.0) / 1.2, rtol=1e-12)


def test_the_nodes_at_the_centre_of_a_full_circle_are_one_cell():
    space = sf.grid(r=sf.nodes(1.5, 7), theta=sf.nodes(2 * np.pi, 9, unit=""), periodic="theta")
    assert space.cells == 1 + 6 * 8 and space.shape is None
    np.testing.assert_allclose(space.volume.sum(), np.pi * 1.5**2, rtol=1e-14)
    assert list(space.places) == ["center", "outer"]
    found = solve(space, {"outer": 0.0}, source=3.0)
    np.testing.assert_allclose(found["c"], 3.0 / 2.0 * (1.5**2 - space.position[:, 0] ** 2) / 4.0, atol=1e-13)


def test_a_box_in_space_has_exact_measures_and_linear_profiles_along_all_axes():
    space = sf.grid(x=sf.nodes(1.0, 5), y=sf.nodes(2.0, 4, grading="both", ratio=3), z=sf.nodes(3.0, 6))
    assert space.shape == (5, 4, 6)
    np.testing.assert_allclose(space.volume.sum(), 6.0, rtol=1e-14)
    for (low, high), area, k in (("left", "right"), 6.0, 0), (("bottom", "top"), 3.0, 1), (("front", "back"), 2.0, 2):
        np.testing.assert_allclose(space.places[low].area.sum(), area, rtol=1e-14)
        found = solve(space, {low: 0.0, high: 1.0})
        x = space.position[:, k]
        np.testing.assert_allclose(found["c"], x / x.max(), atol=1e-13)
        np.testing.assert_allclose(found.flow("c", high), 2.0 * area / x.max(), rtol=1e-12)


def test_a_cylinder_cut_into_angles_agrees_with_the_axisymmetric_one():
    r, z = sf.nodes(1.0, 6, start=0.5), sf.nodes(2.0, 4)
    whole = sf.grid(r=r, z=z)
    cut = sf.grid(r=r, theta=sf.nodes(2 * np.pi, 7, unit=""), z=z, periodic="theta")
    np.testing.assert_allclose(cut.volume.sum(), whole.volume.sum(), rtol=1e-14)
    found, same = (solve(s, {"inner": 1.0, "top": 0.0}) for s in (whole, cut))
    np.testing.assert_allclose(same.flow("c", "inner"), found.flow("c", "inner"), rtol=1e-10)


# ---- order, inside and at boundaries ---------------------------------------------------------------------------------


def errors(space, exact, source, holds, influx=None):
    """Largest error, and largest error of the flow through places, of -div grad c = source."""
    x = space.coordinates()
    conditions = []
    for place in holds:
        cells = space.place(place).cells
        conditions.append(sf.Hold(place, {"c": exact(*(one[cells] for one in x))}))
    for place, function in (influx or {}).items():
        cells = space.place(place).cells
        conditions.append(sf.Influx(place, {"c": function(*(one[cells] for one in x))}))
    model = sf.Model(space, [sf.Species("c")], [sf.Fick("c", 1.0), sf.Source("c", source)], conditions)
    found = sf.steady(model)
    return float(np.max(np.abs(found["c"] - exact(*x)))), found


def orders(numbers):
    return np.log2(np.array(numbers[:-1]) / np.array(numbers[1:]))


def test_second_order_inside_and_at_held_and_fed_boundaries_of_a_graded_plane():
    def exact(x, y):
        return 2.0 + np.sin(2 * x + 1) * np.cosh(y)

    def source(x, y):
        return 3.0 * np.sin(2 * x + 1) * np.cosh(y)

    fed = {
        "right": lambda x, y: 2 * np.cos(2 * x + 1) * np.cosh(y),
        "top": lambda x, y: np.sin(2 * x + 1) * np.sinh(y),
    }
    inside, flows = [], []
    for n in (9, 17, 33):
        space = sf.grid(x=sf.nodes(1.0, n, grading="both", ratio=2), y=sf.nodes(0.8, n, grading="left", ratio=3))
        error, found = errors(space, exact, source, ["left", "bottom"], fed)
        inside.append(error)
        flow = 2 * np.cos(1) * np.sinh(0.8)
        flows.append(abs(float(found.flow("c", "left")) + flow))
    assert np.all(orders(inside) > 1.8), inside
    assert np.all(orders(flows) > 1.5), flows


def test_second_order_about_an_axis_and_in_space():
    def exact(r, z):
        return np.cos(r) * np.exp(z)

    def source(r, z):
        # -(c'' + c'/r) in r, and the limit 2 on the axis
        ratio = np.where(r > 0, np.sin(np.maximum(r, 1e-9)) / np.maximum(r, 1e-9), 1.0)
        return (np.cos(r) + ratio - np.cos(r)) * np.exp(z)

    found = []
    for n in (13, 25, 49):
        space = sf.grid(r=sf.nodes(1.2, n, grading="left", ratio=2), z=sf.nodes(0.9, n))
        found.append(errors(space, exact, source, ["outer", "bottom", "top"])[0])
    assert np.all(orders(found) > 1.8), found

    def wave(x, y, z):
        return np.sin(x) * np.sin(y + 0.3) * np.cos(z)

    found = []
    for n in (5, 9, 17):
        space = sf.grid(x=sf.nodes(1.0, n), y=sf.nodes(1.1, n), z=sf.nodes(0.9, n, grading="right", ratio=2))
        found.append(
            errors(space, wave, lambda *p: 3 * wave(*p), ["left", "right", "bottom", "top", "front", "back"])[0]
        )
    assert orders(found)[-1] > 1.85, found


# ---- periodic axes, regions, holes, interfaces, pieces ---------------------------------------------------------------


def test_a_periodic_wave_and_its_smooth_corners():
    found = []
    for n in (9, 17, 33):
        space = sf.grid(x=sf.nodes(1.0, n), y=sf.nodes(2 * np.pi, n), periodic="y")
        assert space.shape == (n, n - 1)
        assert set(space.places) == {"left", "right"}
        wave = lambda x, y: 3.0 + np.exp(x) * np.sin(y)  # noqa: E731 - harmonic
        found.append(errors(space, wave, lambda x, y: 0.0 * x, ["left", "right"])[0])
        e = space.edges["interior"]
        width = np.linalg.norm(e.corners[:, 1] - e.corners[:, 0], axis=1)
        np.testing.assert_allclose(width, e.area, rtol=1e-12)
    assert np.all(orders(found) > 1.9), found


def halves(**more):
    rules = {"gel": {"x": (0.0, 1.0)}, "water": {"x": "water"}}
    return sf.grid(
        x=sf.nodes(1.0, 5) + sf.nodes(3.0, 7, grading="left", ratio=2, name="water"),
        y=sf.nodes(2.0, 4),
        regions=rules,
        **more,
    )


def test_regions_share_volumes_and_faces_exactly():
    space = halves()
    for name, size in {"gel": 2.0, "water": 6.0}.items():
        place = space.places[name]
        np.testing.assert_allclose((space.volume[place.cells] * place.share).sum(), size, rtol=1e-14)
    parts = sum(e.area.sum() for n, e in space.edges.items() if n != "interior")
    np.testing.assert_allclose(parts, space.edges["interior"].area.sum(), rtol=1e-14)
    e = space.edges["interior"]
    np.testing.assert_allclose(np.linalg.norm(e.corners[:, 1] - e.corners[:, 0], axis=1), e.area, rtol=1e-12)


def test_two_layers_conduct_in_series_and_in_parallel():
    space = halves()
    laws = [sf.Fick("c", 2.0, on="gel"), sf.Fick("c", 5.0, on="water")]
    for (low, high), conductance in (
        (("left", "right"), 2.0 / (1 / 2 + 3 / 5)),
        (("bottom", "top"), (2 * 1 + 5 * 3) / 2.0),
    ):
        holds = [sf.Hold(low, {"c": 3.0}), sf.Hold(high, {"c": 1.0})]
        found = sf.steady(sf.Model(space, [sf.Species("c")], laws, holds))
        np.testing.assert_allclose(found.flow("c", low), 2.0 * conductance, rtol=1e-12)


def test_a_split_interface_is_a_contact_of_exact_area():
    space = halves(split="gel|water")
    contact = space.edges["gel|water"]
    np.testing.assert_allclose(contact.area.sum(), 2.0, rtol=1e-14)
    np.testing.assert_array_equal(contact.direction, np.broadcast_to([1.0, 0.0], (4, 2)))
    assert space.cells == halves().cells + 4
    assert space.places["gel"].share == pytest.approx(np.ones(20))
    laws = [sf.Fick("c", 2.0), sf.Transfer("c", 0.7, on="gel|water")]
    holds = [sf.Hold("left", {"c": 3.0}), sf.Hold("right", {"c": 1.0})]
    found = sf.steady(sf.Model(space, [sf.Species("c")], laws, holds))
    np.testing.assert_allclose(found.flow("c", "left"), 2.0 * 2.0 / (4.0 / 2.0 + 1 / 0.7), rtol=1e-12)


def test_a_film_holds_a_surface_species_of_its_own():
    space = halves(film="gel|water")
    film = space.places["gel|water"]
    np.testing.assert_allclose(space.volume[film.cells].sum(), 2.0, rtol=1e-14)  # area times 1 m
    laws = [
        sf.Fick("c", 2.0),
        sf.Transfer("c", 0.7, on="gel|water.gel"),
        sf.Transfer("c", 0.5, on="gel|water.water"),
        sf.Decay({"c": -1}, 0.3, on="gel|water"),
    ]
    holds = [sf.Hold("left", {"c": 3.0}), sf.Hold("right", {"c": 1.0})]
    found = sf.steady(sf.Model(space, [sf.Species("c")], laws, holds))
    one, other = 1 / (1 / 2.0 + 1 / 0.7), 1 / (3 / 2.0 + 1 / 0.5)
    surface = (one * 3 + other * 1) / (one + other + 0.3)
    np.testing.assert_allclose(found["c"][film.cells], surface, rtol=1e-12)


def test_where_an_interface_ends_inside_the_grid_its_tip_is_one_cell():
    rows = dict(x=sf.nodes(4.0, 5), y=sf.nodes(4.0, 5))
    regions = {"a": {"x": (0, 2), "y": (0, 2)}, "b": {"x": (2, 4), "y": (0, 2)}}
    space = sf.grid(**rows, regions=regions, split="a|b", rest="above")
    # Nodes at x = 2, y = 0 and 1 are doubled; at y = 2 the region above holds both sides together.
    assert space.cells == 25 + 2
    np.testing.assert_allclose(space.edges["a|b"].area.sum(), 1.5, rtol=1e-14)


def test_holes_are_left_out_and_have_walls():
    rows = dict(x=sf.nodes(3.0, 7), y=sf.nodes(2.0, 5))
    ring = {"frame": lambda x, y: (np.abs(x - 1.5) > 0.5) | (np.abs(y - 1.0) > 0.5)}
    space = sf.grid(**rows, regions=ring, void=True)
    assert space.cells == 35 - 1 and space.shape is None
    np.testing.assert_allclose(space.volume.sum(), 5.0, rtol=1e-14)
    np.testing.assert_allclose(space.places["hole"].area.sum(), 4.0, rtol=1e-14)
    piece = sf.grid(**rows, regions=ring, void=True, boundaries={"plate": ("hole", {"x": (0.9, 1.1)})})
    np.testing.assert_allclose(piece.places["plate"].area.sum(), 1.0, rtol=1e-14)
    found = solve(piece, {"plate": 1.0, "left": 0.0, "right": 0.0})
    np.testing.assert_allclose(sum(found.flow("c", p) for p in ("plate", "left", "right")), 0.0, atol=1e-12)


def test_pieces_of_a_boundary_have_exact_areas_and_share_the_cell_at_their_joint():
    a = 2e-6
    r = sf.nodes(a, 6, grading="right", ratio=5, name="disk") + sf.nodes("8 um", 7, grading="left", ratio=20)
    named = sf.grid(r=r, z=sf.nodes(1e-5, 4), boundaries={"disk": ("bottom", {"r": "disk"})})
    ruled = sf.grid(r=r, z=sf.nodes(1e-5, 4), boundaries={"disk": ("bottom", lambda r, z: r < a)})
    for space in (named, ruled):
        np.testing.assert_allclose(space.places["disk"].area.sum(), np.pi * a**2, rtol=1e-14)
        np.testing.assert_allclose(space.places["bottom"].area.sum(), np.pi * (1e-10 - a**2), rtol=1e-13)
        assert len(np.intersect1d(space.places["disk"].cells, space.places["bottom"].cells)) == 1


# ---- directions, derivatives, refusals -------------------------------------------------------------------------------


def test_corners_stand_right_then_left_of_each_edge():
    e = graded().edges["interior"]
    across = e.corners[:, 1] - e.corners[:, 0]
    turned = e.direction[:, 0] * across[:, 1] - e.direction[:, 1] * across[:, 0]
    np.testing.assert_allclose(turned * 3.0, e.area, rtol=1e-12)  # left lies counterclockwise; the depth is 3 m


@given(STEPS, STEPS)
def test_measures_add_up_and_linear_fields_balance_on_any_rows(a, b):
    space = sf.grid(r=np.cumsum(a) - a[0], z=np.cumsum(b))
    height, radius = sum(b[1:]), sum(a[1:])
    np.testing.assert_allclose(space.volume.sum(), np.pi * radius**2 * height, rtol=1e-12)
    np.testing.assert_allclose(space.places["outer"].area.sum(), 2 * np.pi * radius * height, rtol=1e-12)
    e, z = space.edges["interior"], space.position[:, 1]
    flux = e.area / e.length * (z[e.tail] - z[e.head])
    net = np.bincount(e.tail, flux, space.cells) - np.bincount(e.head, flux, space.cells)
    for place, sign in (("bottom", 1.0), ("top", -1.0)):
        net[space.places[place].cells] += sign * space.places[place].area  # a unit field enters and leaves there
    assert np.abs(net).max() <= 1e-12 * np.abs(flux).max()


def test_a_radius_is_differentiated_through_the_whole_grid():
    def conductance(radius, height):
        disk = sf.nodes(radius, 5, grading="right", ratio=3, name="disk")
        rest = sf.nodes(4.0 * radius, 5, grading="left", ratio=9)
        space = sf.grid(
            r=disk + rest,
            z=sf.nodes(height, 5, grading="left", ratio=9),
            boundaries={"disk": ("bottom", {"r": "disk"})},
            regions={"core": {"r": "disk"}},
        )
        model = sf.Model(
            space, [sf.Species("c")], [sf.Fick("c", 1.0)], [sf.Hold("disk", {"c": 1.0}), sf.Hold("top", {"c": 0.0})]
        )
        return sf.steady(model).flow("c", "disk")

    slope = jax.grad(conductance, argnums=(0, 1))(1.0, 3.0)
    step = 1e-5
    by_radius = (conductance(1.0 + step, 3.0) - conductance(1.0 - step, 3.0)) / (2 * step)
    by_height = (conductance(1.0, 3.0 + step) - conductance(1.0, 3.0 - step)) / (2 * step)
    np.testing.assert_allclose(slope, [by_radius, by_height], rtol=1e-8)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (dict(x=sf.nodes(1.0, 3)), "no grid with the axes x"),
        (dict(x=[0.0, 1.0], r=[0.0, 1.0]), "no grid with the axes x, r"),
        (dict(x=[0.0, 1.0], y=[1.0, 0.5]), "must be finite and increase"),
        (dict(x=[0.0, 1.0], y=[1.0]), "at least two"),
        (dict(r=[-1.0, 1.0], z=[0.0, 1.0]), "radius cannot be negative"),
        (dict(r=[0.0, 1.0], theta=[0.0, 7.0]), "more than one turn"),
        (dict(r=[0.0, 1.0], theta=[0.0, 1.0, 2.0, 3.0], periodic="theta"), "one full turn"),
        (dict(x=[0.0, 1.0], y=[0.0, 1.0], periodic="y"), "at least four nodes"),
        (dict(x=[0.0, 1.0], y=[0.0, 1.0], periodic="z"), "axis"),
        (dict(r=[0.0, 1.0, 2.0, 3.0], z=[0.0, 1.0], periodic="r"), "does not come back"),
        (dict(x=[0.0, 1.0], y=[0.0, 1.0], depth=0.0), "depth of a grid must be positive"),
        (dict(x=[0.0, 1.0], y=[0.0, 1.0], boundaries={"a": ("lefd", {})}), "left"),
        (dict(x=[0.0, 1.0], y=[0.0, 1.0], boundaries={"a": ("left", lambda x, y: x > 3)}), "holds no face"),
        (dict(x=[0.0, 1.0], y=[0.0, 1.0], boundaries={"top": ("left", {})}), "name of its own"),
        (dict(x=[0.0, 1.0], y=[0.0, 1.0], boundaries={"a": ("left",)}), "its side and its rule"),
        (dict(x=[0.0, 1.0], y=[0.0, 1.0], regions={"a": lambda x, y: x > 3}), "holds no box"),
        (dict(x=[0.0, 1.0], y=[0.0, 1.0], regions={"a": lambda x, y: x}), "not true or false"),
        (dict(x=[0.0, 1.0], y=[0.0, 1.0], regions={"a": 3.0}), "neither a function"),
        (dict(x=[0.0, 1.0], y=[0.0, 1.0], regions={"a": {"q": (0, 1)}}), "axis in the rule"),
        (dict(x=[0.0, 1.0], y=[0.0, 1.0], regions={"a": {"x": "gel"}}), "stretch of the row x"),
        (dict(x=[0.0, 1.0], y=[0.0, 1.0], split="a|b"), "names no interface"),
        (dict(x=[0.0, 1.0, 2.0], y=[0.0, 1.0], regions={"a": {"x": (0, 1)}}, split="a|b"), "region"),
        (dict(x=[0.0, 1.0, 2.0], y=[0.0, 1.0], regions={"left": {"x": (0, 1)}}), "cannot be called 'left'"),
        (dict(x=[0.0, 1.0], y=[0.0, 1.0], names={"x": ("top", "b")}), "need different names"),
    ],
)
def test_refusals(wrong, sentence):
    with pytest.raises((sf.ModelError, sf.NameUnknown), match=sentence):
        sf.grid(**wrong)
