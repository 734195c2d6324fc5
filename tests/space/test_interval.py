"""Intervals and axes: measures that add up exactly, exact conductors, grading, regions, interfaces, refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyflux.ground.errors import ModelError, UnitError
from steadyflux.space.interval import Region, axis, interval

LENGTHS = st.floats(1e-9, 1e3)
CELLS = st.integers(2, 40)


@given(LENGTHS, CELLS, st.floats(1e-12, 1e2))
def test_a_slab_has_equal_steps_and_the_volume_of_a_box(length, cells, area):
    space = interval(length, cells, area=area)
    assert space.cells == cells
    np.testing.assert_allclose(np.diff(space.position), length / (cells - 1), rtol=1e-9)
    np.testing.assert_allclose(space.volume.sum(), length * area, rtol=1e-13)
    np.testing.assert_allclose(space.volume[[0, -1]], 0.5 * length * area / (cells - 1), rtol=1e-12)
    assert space.position[0] == 0.0
    assert space.edges["interior"].first == 0


# Thin far shells lose digits in their coordinates themselves, so the inner radius is at most a thousand thicknesses.
@given(st.floats(0.0, 1e3), LENGTHS, CELLS, st.floats(1e-3, 10))
def test_a_cylinder_shell_has_the_volume_of_the_textbook(ratio, thick, cells, height):
    inner = ratio * thick
    space = interval(thick, cells, shape="cylinder", start=inner, area=height)
    outer = inner + thick
    np.testing.assert_allclose(space.volume.sum(), np.pi * height * thick * (outer + inner), rtol=1e-12)
    np.testing.assert_allclose(space.places["right"].area, 2 * np.pi * outer * height, rtol=1e-12)


@given(st.floats(0.0, 1e3), LENGTHS, CELLS, st.floats(0.01, 1.0))
def test_a_sphere_shell_has_the_volume_of_the_textbook(ratio, thick, cells, share):
    inner = ratio * thick
    space = interval(thick, cells, shape="sphere", start=inner, area=share)
    outer = inner + thick
    exact = 4 / 3 * np.pi * share * thick * (outer**2 + outer * inner + inner**2)
    np.testing.assert_allclose(space.volume.sum(), exact, rtol=1e-12)
    np.testing.assert_allclose(space.places["right"].area, 4 * np.pi * outer**2 * share, rtol=1e-12)


@pytest.mark.parametrize(
    ("shape", "resistance"),
    [
        ("cylinder", lambda a, b, h: np.log(b / a) / (2 * np.pi * h)),
        ("sphere", lambda a, b, h: (1 / a - 1 / b) / (4 * np.pi * h)),
    ],
)
def test_resistances_in_series_add_up_to_that_of_the_whole_shell(shape, resistance):
    space = interval(0.7, 60, shape=shape, start=0.4, area=0.9)
    edges = space.edges["interior"]
    np.testing.assert_allclose((edges.length / edges.area).sum(), resistance(0.4, 1.1, 0.9), rtol=1e-12)


@pytest.mark.parametrize("shape", ["cylinder", "sphere"])
def test_a_centre_has_no_area_yet_conducts(shape):
    space = interval(2.0, 21, shape=shape)
    edges = space.edges["interior"]
    assert np.all(edges.area > 0)
    assert 0 < space.places["left"].area[0] < 1e-200
    np.testing.assert_allclose(edges.area[0], {"cylinder": 2 * np.pi, "sphere": 0.2 * np.pi}[shape] * 0.05, rtol=1e-12)


def test_a_bore_given_as_a_function_has_its_exact_volume_and_resistance():
    def bore(x):
        return 2.0 + 3.0 * x

    space = interval(1.5, 33, area=bore)
    edges = space.edges["interior"]
    np.testing.assert_allclose(space.volume.sum(), 2 * 1.5 + 1.5 * 1.5**2, rtol=1e-14)
    np.testing.assert_allclose((edges.length / edges.area).sum(), np.log(bore(1.5) / 2.0) / 3.0, rtol=1e-12)
    np.testing.assert_allclose([space.places[p].area[0] for p in ("left", "right")], [2.0, 6.5])


def test_lengths_and_areas_are_read_with_their_units():
    space = interval("10 nm", 5, area="1 nm^2", start="2 nm", names=("cis", "trans"))
    np.testing.assert_allclose(space.position[[0, -1]], [2e-9, 12e-9], rtol=1e-14)
    np.testing.assert_allclose(space.volume.sum(), 1e-26, rtol=1e-13)
    assert set(space.places) == {"cis", "trans"}


@given(st.sampled_from(["left", "right", "both"]), st.floats(1.01, 1e4), st.integers(3, 60))
def test_grading_puts_the_finest_cells_where_asked_and_keeps_the_length(grading, ratio, cells):
    steps = np.diff(interval(3.0, cells, grading=grading, ratio=ratio).position)
    np.testing.assert_allclose(steps.sum(), 3.0, rtol=1e-13)
    finest = {"left": [0], "right": [cells - 2], "both": [0, cells - 2]}[grading]
    np.testing.assert_allclose(steps[finest], steps.min(), rtol=1e-6)
    if grading == "both":
        np.testing.assert_allclose(steps, steps[::-1], rtol=1e-6)
    if cells > 3:  # two steps cannot be fine at both ends and coarse between
        np.testing.assert_allclose(steps.max() / steps.min(), ratio, rtol=1e-6)


def test_nodes_of_ones_own_are_kept():
    nodes = np.array([0.0, 0.1, 0.4, 1.3])
    space = interval(nodes=nodes, area=2.0)
    np.testing.assert_array_equal(space.position, nodes)
    np.testing.assert_allclose(space.volume, [0.1, 0.4, 1.2, 0.9])


def test_regions_share_a_node_and_become_edge_sets_and_places():
    space = interval(regions=[("skin", "1 mm", 4), Region("fat", 0.003, 6, 5.0), ("muscle", 0.01, 3)], area=0.5)
    assert space.cells == 14
    np.testing.assert_allclose(space.volume.sum(), 0.5 * 0.014, rtol=1e-13)
    assert [len(space.edges[n]) for n in ("interior", "skin", "fat", "muscle")] == [13, 4, 6, 3]
    np.testing.assert_array_equal(space.places["fat"].cells, np.arange(4, 11))
    np.testing.assert_allclose(space.position[[4, 10]], [1e-3, 4e-3], rtol=1e-13)
    assert [space.edges[n].first for n in ("interior", "skin", "fat", "muscle")] == [0, 0, 4, 10]
    steps = np.diff(space.position)[4:10]
    np.testing.assert_allclose(steps.max() / steps.min(), 5.0, rtol=1e-9)


def test_a_split_interface_has_two_nodes_at_one_position_joined_by_a_conductance_per_area():
    space = interval(regions=[("a", 1.0, 4), ("b", 2.0, 5), ("c", 0.5, 2)], split=["a|b"], area=3.0)
    assert space.cells == 13
    np.testing.assert_allclose(space.volume.sum(), 10.5, rtol=1e-13)
    contact = space.edges["a|b"]
    assert (int(contact.tail[0]), int(contact.head[0])) == (4, 5)
    assert space.position[4] == space.position[5] == 1.0
    np.testing.assert_allclose([contact.area[0], contact.length[0]], [3.0, 1.0])
    assert space.edges["interior"].first is None  # the contact is no part of the mesh
    np.testing.assert_array_equal(space.places["b"].cells, np.arange(5, 11))
    np.testing.assert_array_equal(space.places["c"].cells, np.arange(10, 13))


@given(st.floats(1e-3, 10.0), st.floats(0.1, 100.0), st.integers(2, 50))
def test_a_logarithmic_axis_has_equal_ratios(low, span, cells):
    space = axis(low, low + span, cells, spacing="log", coordinate="E")
    ratios = space.position[1:] / space.position[:-1]
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-9)
    np.testing.assert_allclose(space.volume.sum(), span, rtol=1e-10)
    assert space.coordinate == "E"


def test_an_axis_weighs_its_cells_and_crossings():
    space = axis(1.0, 3.0, 9, measure=lambda e: e**2, crossing=lambda e: 1.0 / e)
    np.testing.assert_allclose(space.volume.sum(), 26 / 3, rtol=1e-14)
    edges = space.edges["interior"]
    np.testing.assert_allclose((edges.length / edges.area).sum(), 4.0, rtol=1e-13)
    np.testing.assert_allclose([space.places["low"].area[0], space.places["high"].area[0]], [1.0, 1 / 3])


def test_derivatives_by_length_and_area_pass_through():
    def volume(length, area):
        return jnp.sum(interval(length, 6, area=area, shape="cylinder", start=0.3).volume)

    by_length, by_area = jax.grad(volume, argnums=(0, 1))(0.5, 2.0)
    np.testing.assert_allclose(by_length, 2 * np.pi * 0.8 * 2.0, rtol=1e-12)
    np.testing.assert_allclose(by_area, np.pi * (0.8**2 - 0.3**2), rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"length": 1.0, "shape": "torus"}, "slab, a cylinder or a sphere, not 'torus'"),
        ({"length": 0.0}, "length of the interval must be positive"),
        ({"length": -1.0}, "must be positive; it is -1"),
        ({}, "needs a length, regions or nodes"),
        ({"length": 1.0, "cells": 1}, "whole number from 2"),
        ({"length": 1.0, "cells": True}, "whole number from 2"),
        ({"length": 1.0, "area": 0.0}, "area of the slab must be positive"),
        ({"length": 1.0, "area": lambda x: x, "shape": "sphere"}, "goes with the shape 'slab'"),
        ({"length": 1.0, "area": lambda x: x - 0.5}, "must be positive"),
        ({"length": 1.0, "start": -0.1, "shape": "sphere"}, "inner radius"),
        ({"length": 1.0, "grading": "middle", "ratio": 3.0}, "'left', 'right' or 'both', not 'middle'"),
        ({"length": 1.0, "grading": "left", "ratio": -3.0}, "grading ratio"),
        ({"length": 1.0, "split": ["a|b"]}, "give 'regions' too"),
        ({"length": 1.0, "nodes": np.array([0.0, 1.0])}, "only one of them"),
        ({"length": 1.0, "regions": [("a", 1.0, 2)]}, "only one of them"),
        ({"nodes": np.array([0.0, 1.0, 0.5])}, "increase from left to right"),
        ({"nodes": np.array([0.0, np.nan])}, "finite"),
        ({"nodes": np.array([0.0])}, "at least two nodes"),
        ({"regions": [("a", 1.0, 2), ("a", 1.0, 2)]}, "different names"),
        ({"regions": [("left", 1.0, 2)]}, "different names"),
        ({"regions": [("a", 1.0, 2), ("b", 1.0, 2)], "split": ["b|a"]}, "'b|a' is no interface here"),
        ({"regions": [("a", -1.0, 2)]}, "length of 'a' must be positive"),
    ],
)
def test_an_impossible_interval_is_refused(arguments, words):
    with pytest.raises(ModelError) as refusal:
        interval(**arguments)
    assert words in str(refusal.value)


def test_a_length_in_volts_is_refused():
    with pytest.raises(UnitError, match="length of the interval"):
        interval("3 V")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"low": 1.0, "high": 1.0}, "above its low end"),
        ({"low": 0.0, "high": np.inf}, "above its low end"),
        ({"low": 0.0, "high": 1.0, "spacing": "log"}, "positive low end"),
        ({"low": 0.1, "high": 1.0, "spacing": "square"}, "'linear' or 'log', not 'square'"),
    ],
)
def test_an_impossible_axis_is_refused(arguments, words):
    with pytest.raises(ModelError, match=words):
        axis(**arguments)
