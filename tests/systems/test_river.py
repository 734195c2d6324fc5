"""The river: its claims, normal depths over a wide range, the way of a flood, books and refusals."""

import numpy as np
import pytest

import steadyflux as sf
from steadyflux.systems.flow._river_claims import CANAL, WEIGHT, normal_depth
from steadyflux.systems.flow.river import SYSTEM, flood_course


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for one in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(one.measured, one.expected, rtol=one.rtol, atol=one.atol)


@pytest.mark.parametrize("wave", ["kinematic", "diffusive"])
def test_normal_depths_over_wide_ranges(wave):
    rng = np.random.default_rng(51)
    for _ in range(4):
        reach = {
            "name": "one",
            "length": 10 ** rng.uniform(2, 5),
            "width": 10 ** rng.uniform(-1, 3),
            "slope": 10 ** rng.uniform(-5, -1),
            "roughness": 10 ** rng.uniform(-2, -1),
            "inflow": 10 ** rng.uniform(-3, 4),
        }
        found = SYSTEM.run(reaches=(reach,), flood=0.0, segments=5, wave=wave).answers
        expected = normal_depth(reach["inflow"], reach["width"], reach["slope"], reach["roughness"])
        np.testing.assert_allclose(found["depth"], expected, rtol=1e-7)
        fall = reach["slope"] * reach["length"] + expected
        np.testing.assert_allclose(found["dissipation"], WEIGHT * reach["inflow"] * fall, rtol=1e-7)


def test_the_books_of_a_flood_close_and_no_law_makes_water_run_uphill():
    result = SYSTEM.run(segments=4)
    history = flood_course(result.parameters, result.solution)
    assert history.ledger["p"].relative < 1e-10
    assert np.all(history.entropy_production > 0)
    assert history.end.entropy.least_local >= 0


def test_two_reaches_in_a_row_are_one_reach_twice_as_long():
    half = {**CANAL[0], "length": 15e3}
    two = ({**half, "to": "lower"}, {**half, "name": "lower", "inflow": 0.0})
    one = SYSTEM.run(reaches=CANAL, segments=10, wave="kinematic").answers
    found = SYSTEM.run(reaches=two, segments=5, wave="kinematic").answers
    for name in ("depth", "discharge", "dissipation", "stored_water"):
        np.testing.assert_allclose(found[name], one[name], rtol=1e-6)
    np.testing.assert_allclose(found["flood_peak"], one["flood_peak"], rtol=1e-5)
    np.testing.assert_allclose(found["flood_water"], one["flood_water"], rtol=1e-5)


def test_refusals():
    circle = ({**CANAL[0], "to": "b"}, {**CANAL[0], "name": "b", "to": "canal"})
    with pytest.raises(sf.InputError, match="flow in a circle"):
        SYSTEM.run(reaches=circle)
    with pytest.raises(sf.NameUnknown, match="mian"):
        SYSTEM.run(reaches=({**CANAL[0], "to": "mian"},))
    with pytest.raises(sf.InputError, match="No water flows in"):
        SYSTEM.run(reaches=({**CANAL[0], "inflow": 0.0},))
    with pytest.raises(sf.InputError, match="same name"):
        SYSTEM.run(reaches=(CANAL[0], CANAL[0]))


def test_figures():
    assert len(SYSTEM.figure(SYSTEM.run(segments=3)).axes) == 2
    assert len(SYSTEM.figure(SYSTEM.run(segments=4, flood=0.0)).axes) == 2
    assert len(SYSTEM.figure(SYSTEM.run(mode="film")).axes) == 1
