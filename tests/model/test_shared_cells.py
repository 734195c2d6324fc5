"""Pieces of a boundary that share a cell at their joint: who holds it, whom its flow belongs to, what is refused."""

import numpy as np
import pytest

import steadyflux as sf


def square(*conditions):
    space = sf.grid(x=sf.nodes(1.0, 6), y=sf.nodes(2.0, 5, grading="left", ratio=3), depth=0.7)
    return sf.steady(sf.Model(space, [sf.Species("c")], [sf.Fick("c", 1.3)], list(conditions)))


def test_the_condition_declared_first_holds_the_corner():
    left, bottom = sf.Hold("left", {"c": 5.0}), sf.Hold("bottom", {"c": 2.0})
    corner = 0
    assert square(left, bottom)["c"][corner] == pytest.approx(5.0, rel=1e-15)
    assert square(bottom, left)["c"][corner] == pytest.approx(2.0, rel=1e-15)


def test_flows_through_all_sides_add_up_and_belong_to_the_holder():
    found = square(*[sf.Hold(side, {"c": v}) for side, v in dict(left=5.0, bottom=2.0, right=1.0, top=4.0).items()])
    flows = [float(found.flow("c", side)) for side in ("left", "bottom", "right", "top")]
    np.testing.assert_allclose(sum(flows), 0.0, atol=1e-12 * max(flows))
    assert found.ledger["c"].places == pytest.approx(dict(zip(("left", "bottom", "right", "top"), flows, strict=True)))


def test_an_influx_into_a_held_corner_enters_at_its_side_and_leaves_at_the_holder():
    found = square(sf.Hold("left", {"c": 5.0}), sf.Influx("bottom", {"c": 3.0}))
    np.testing.assert_allclose(found.flow("c", "bottom"), 3.0 * 0.7, rtol=1e-13)
    np.testing.assert_allclose(found.flow("c", "left"), -3.0 * 0.7, rtol=1e-10)
    assert float(found.flow("c", "top")) == 0.0


def test_a_place_with_no_cell_of_its_own_is_refused():
    with pytest.raises(sf.ModelError, match="held twice in the cell"):
        space = sf.interval(1.0, 5)
        space = sf.join({"a": space}, [])
        sf.Model(
            space,
            [sf.Species("c")],
            [sf.Fick("c", 1.0)],
            [sf.Hold("a.left", {"c": 1.0}), sf.Hold("a", {"c": 2.0})],
        )
