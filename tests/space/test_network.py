"""Networks, graphs and joined spaces: numbering, areas, names, and refusals by name."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyflux.ground.errors import ModelError, NameUnknown
from steadyflux.space.interval import interval
from steadyflux.space.network import graph, network
from steadyflux.space.space import Edges, Place, Space, join, path_start

LINKS = {"wall": [("cell", "bath"), ("cell", "blood")], "valve": [("blood", "bath")]}
VOLUMES = {"bath": "1 L", "cell": 2e-15, "blood": 0.005}


def test_compartments_are_places_and_links_join_them_by_name():
    space = network(VOLUMES, LINKS, area={"wall": [2e-9, 3e-9], "valve": "4 mm^2"})
    assert space.labels == ("bath", "cell", "blood")
    np.testing.assert_allclose(space.volume, [1e-3, 2e-15, 5e-3])
    np.testing.assert_array_equal(space.edges["wall"].tail, [1, 1])
    np.testing.assert_array_equal(space.edges["wall"].head, [0, 2])
    np.testing.assert_allclose(space.edges["wall"].area, [2e-9, 3e-9])
    np.testing.assert_allclose(space.edges["valve"].area, [4e-6])
    np.testing.assert_array_equal(space.place("blood").cells, [2])
    assert space.place("blood").kind == "compartment"
    assert space.name_of(1) == "'cell'"


@given(st.integers(2, 30), st.integers(1, 60), st.integers(0, 2**31))
def test_a_graph_keeps_what_it_is_given(nodes, edges, seed):
    rng = np.random.default_rng(seed)
    tail = rng.integers(0, nodes, edges)
    head = (tail + rng.integers(1, nodes, edges)) % nodes
    space = graph(nodes, (tail, head), volume=0.5, places={"rim": [0, nodes - 1]})
    assert space.cells == nodes
    np.testing.assert_allclose(space.volume, 0.5)
    np.testing.assert_array_equal(space.edges["interior"].head, head)
    np.testing.assert_array_equal(space.place("rim").cells, [0, nodes - 1])


def test_a_path_is_known_as_one_and_anything_else_is_not():
    assert path_start(np.array([3, 4, 5]), np.array([4, 5, 6])) == 3
    assert path_start(np.array([3, 5]), np.array([4, 6])) is None
    assert path_start(np.array([0, 1]), np.array([1, 0])) is None


def test_derivatives_by_a_compartments_volume_pass_through():
    grad = jax.grad(lambda v: jnp.sum(network({"a": v, "b": 3.0}, {"l": [("a", "b")]}).volume ** 2))(2.0)
    np.testing.assert_allclose(grad, 4.0)


def test_joined_spaces_keep_their_places_under_a_longer_name():
    gel = interval(1.0, 5, area=2.0)
    bath = graph(2, (np.array([0]), np.array([1])), places={"in": 0})
    space = join({"gel": gel, "bath": bath}, [("gel.right", "bath.in", "skin"), ("gel.left", "bath.in")], length=0.1)
    assert space.cells == 7
    np.testing.assert_allclose(space.volume.sum(), 4.0)
    skin = space.edges["skin"]
    assert (int(skin.tail[0]), int(skin.head[0]), float(skin.area[0]), float(skin.length[0])) == (4, 5, 2.0, 0.1)
    assert "gel.left|bath.in" in space.edges
    np.testing.assert_array_equal(space.place("bath").cells, [5, 6])
    assert len(space.edges["interior"]) == 5
    assert space.edges["bath.interior"].first == 5
    assert space.name_of(5) == "'bath.0'"


def test_one_compartment_may_lie_beside_a_whole_surface():
    sheet = graph(3, (np.array([0, 1]), np.array([1, 2])), places={"face": [0, 1, 2]})
    room = graph(2, (np.array([0]), np.array([1])), places={"air": 0})
    space = join({"sheet": sheet, "room": room}, [("sheet.face", "room.air")])
    np.testing.assert_array_equal(space.edges["sheet.face|room.air"].head, [3, 3, 3])


def test_a_region_of_ones_own_is_added():
    space = interval(1.0, 11)
    warm = space.with_region("warm", space.position > 0.75)
    np.testing.assert_array_equal(warm.place("warm").cells, [8, 9, 10])
    np.testing.assert_array_equal(space.with_region("two", [1, 3]).place("two").cells, [1, 3])
    with pytest.raises(ModelError, match="'left' exists already"):
        space.with_region("left", [0])


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: network({}, {}), "at least one compartment"),
        (lambda: network({"a": 0.0, "b": 1.0}, {"l": [("a", "b")]}), "Cell 'a' has the volume 0"),
        (lambda: network({"a": -2.0, "b": 1.0}, {"l": [("a", "b")]}), "Cell 'a' has the volume -2"),
        (lambda: network({"a": 1.0}, {"l": [("a", "a")]}), "joins the cell 'a' to itself"),
        (lambda: network(VOLUMES, LINKS, area={"wall": 1.0}), "'valve' have no area"),
        (lambda: network(VOLUMES, LINKS, area={"wall": [1.0, 2.0, 3.0], "valve": 1.0}), "2 members but 3 areas"),
        (lambda: network(VOLUMES, {"wall": []}), "at least one"),
        (lambda: network(VOLUMES, LINKS, area=-1.0), "Each area in the edge set 'wall' must be positive"),
        (lambda: graph(0, ([0], [1])), "positive whole number, not 0"),
        (lambda: graph(2, (np.array([0.5]), np.array([1.0]))), "whole numbers"),
        (lambda: graph(2, (np.array([0]), np.array([2]))), "outside 0 ... 1"),
        (lambda: graph(2, (np.array([0, 1]), np.array([1]))), "as many tails as heads"),
        (lambda: graph(2, ([0], [1]), places={"p": [5]}), "must name cells between 0 and 1"),
        (lambda: join({}, []), "at least one space"),
        (lambda: join({"a": interval(1.0, 3)}, [("a.left", "a.right", "a.interior")]), "exists already"),
    ],
)
def test_an_impossible_network_is_refused(build, words):
    with pytest.raises(ModelError) as refusal:
        build()
    assert words in str(refusal.value)


def test_places_of_unlike_size_are_not_joined():
    sheet = graph(3, ([0, 1], [1, 2]), places={"two": [0, 1], "three": [0, 1, 2]})
    with pytest.raises(ModelError, match="joins 2 cells to 3"):
        join({"a": sheet, "b": sheet}, [("a.two", "b.three")])


@pytest.mark.parametrize(
    ("build", "name", "near"),
    [
        (lambda: network(VOLUMES, {"l": [("cel", "bath")]}), "cel", "cell"),
        (lambda: network(VOLUMES, LINKS, area={"wall": 1.0, "valve": 1.0, "wal": 2.0}), "wal", "wall"),
        (lambda: interval(1.0).place("lfet"), "lfet", "left"),
        (lambda: interval(1.0).edge_set("interor"), "interor", "interior"),
        (lambda: join({"gel": interval(1.0, 3)}, [("gel.rigth", "gel.left")]), "gel.rigth", "gel.right"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(build, name, near):
    with pytest.raises(NameUnknown) as refusal:
        build()
    assert refusal.value.name == name
    assert near in refusal.value.nearest


def test_a_hand_made_space_is_checked_too():
    ones = np.ones(1)
    edges = Edges(np.array([0]), np.array([1]), ones, -ones, ones)
    with pytest.raises(ModelError, match="Each length in the edge set 'e' must be positive"):
        Space(np.ones(2), np.arange(2.0), {"e": edges}, {}, "own")
    with pytest.raises(ModelError, match="Cell 1 at x = 3 has the volume -1"):
        Space(np.array([1.0, -1.0]), np.array([0.0, 3.0]), {}, {}, "own")
    with pytest.raises(ModelError, match="no cells"):
        Space(np.zeros(0), np.zeros(0), {}, {}, "own")
    with pytest.raises(ModelError, match="The place 'p'"):
        Space(np.ones(2), np.arange(2.0), {}, {"p": Place(np.zeros(0, int), np.zeros(0))}, "own")
