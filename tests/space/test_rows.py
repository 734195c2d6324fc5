"""Rows of nodes: gradings, refinement toward points, pieces end to end, refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import steadyflux as sf


def test_rows_are_uniform_or_graded_toward_their_ends():
    np.testing.assert_allclose(np.diff(sf.nodes("1 cm", 6).nodes), 0.002, rtol=1e-12)
    for side, first in (("left", 0), ("right", -1), ("both", 0)):
        steps = np.diff(sf.nodes(3.0, 8, grading=side, ratio=5).nodes)
        np.testing.assert_allclose(steps.max() / steps.min(), 5.0, rtol=1e-12)
        np.testing.assert_allclose(steps[first], steps.min(), rtol=1e-12)
        np.testing.assert_allclose(steps.sum(), 3.0, rtol=1e-14)


@given(
    st.floats(1e-6, 1e3),
    st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(1e-5, 0.5)), min_size=1, max_size=3, unique_by=lambda p: p[0]),
    st.floats(1.05, 2.0),
    st.none() | st.floats(0.05, 1.0),
)
def test_refined_rows_meet_their_points_with_small_steps_and_grow_slowly(length, points, growth, largest):
    toward = {length * at: length * step for at, step in points}
    row = sf.nodes(length, toward=toward, growth=growth, largest=None if largest is None else length * largest).nodes
    steps = np.diff(row)
    assert np.all(steps > 0) and row[0] == 0.0
    np.testing.assert_allclose(row[-1], length, rtol=1e-12)
    for at, step in toward.items():
        near = int(np.argmin(np.abs(row - at)))
        assert abs(row[near] - at) <= 1e-12 * length
        assert steps[max(near - 1, 0) : near + 1].max() <= step * (1 + 1e-6)
    if largest is not None:
        assert steps.max() <= length * largest * (1 + 1e-9)
    pieces = np.searchsorted(row, sorted(toward))
    for a, b in zip([0, *pieces], [*pieces, len(steps)], strict=True):
        inside = steps[a:b]
        if len(inside) > 1:  # a piece cut into more steps than needed has each of them a little shorter
            assert (inside[1:] / inside[:-1]).max() <= growth * (1 + 1e-9)


def test_rows_end_to_end_have_nodes_on_their_joints_and_named_stretches():
    row = sf.nodes("5 um", 6, grading="right", ratio=4, name="disk") + sf.nodes("1 mm", 9, start=3.0, name="glass")
    assert len(row) == 14
    assert row.nodes[5] == 5e-6
    np.testing.assert_allclose(row.nodes[-1], 1.005e-3, rtol=1e-12)
    assert row.stretches == {"disk": (0, 5), "glass": (5, 13)}
    assert repr(row) == "Row(14 nodes from 0 to 0.001005)"


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: sf.nodes(-1.0, 5), "length of a row must be positive"),
        (lambda: sf.nodes(1.0), "needs their number"),
        (lambda: sf.nodes(1.0, 5, toward={0.0: 0.1}), "leave out count"),
        (lambda: sf.nodes(1.0, toward={2.0: 0.1}), "lies outside the row"),
        (lambda: sf.nodes(1.0, toward={0.5: 0.0}), "must be positive"),
        (lambda: sf.nodes(1.0, toward={0.5: 0.1}, growth=1.0), "must lie above 1"),
        (lambda: sf.nodes(1.0, toward={0.0: 1e-7}, largest=1e-7), "ask for larger steps"),
        (lambda: sf.nodes(1.0, 1), "whole number from 2"),
        (lambda: sf.nodes(1.0, 3, name="a") + sf.nodes(1.0, 3, name="a"), "each its own name"),
        (lambda: sf.Row([[1.0, 2.0]]), "at least two"),
    ],
)
def test_refusals(make, sentence):
    with pytest.raises(sf.ModelError, match=sentence):
        make()
