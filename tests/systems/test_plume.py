"""The plume: independent values, the product against three dimensions, and odd parameters."""

import numpy as np
import pytest

import steadyflux as sf
from steadyflux.systems.flow.plume import LAYER, NIGHT, SYSTEM, _huang, _peak_distance, _roberts


def test_independent_values_over_a_ground_that_takes_up():
    found = SYSTEM.run(distances=(500.0, 2000.0, 8000.0)).answers
    np.testing.assert_allclose(
        found["ground_integrated_at"], [1.3778202920665618e-05, 6.902781764361013e-05, 5.616719855434676e-05], rtol=1e-4
    )
    np.testing.assert_allclose(
        found["deposited_fraction"],
        [0.00019745694209150066, 0.009708721733778458, 0.058721300310988656],
        rtol=1e-4,
    )
    np.testing.assert_allclose(found["integrated_maximum_distance"], 2810.3825052443844, rtol=1e-4)
    np.testing.assert_allclose(found["integrated_maximum"], 7.170972593155306e-05, rtol=1e-4)
    night = SYSTEM.run(NIGHT).answers
    np.testing.assert_allclose(
        night["ground_integrated_at"], [2.3372502753858995e-06, 5.271758001290249e-06, 1.064666579315994e-06], rtol=1e-4
    )
    np.testing.assert_allclose(
        night["deposited_fraction"], [0.002977798769861817, 0.0946353344305173, 0.4562298861118491], rtol=1e-4
    )


def test_independent_values_under_power_laws():
    found = SYSTEM.run({**LAYER, "distances": (500.0, 2000.0)}).answers
    np.testing.assert_allclose(found["ground_integrated_at"], [8.923947747793057e-07, 4.579614231296754e-05], rtol=1e-4)
    np.testing.assert_allclose(found["integrated_maximum_distance"], 3987.121319856478, rtol=1e-4)
    np.testing.assert_allclose(found["integrated_maximum"], 5.940992476812661e-05, rtol=1e-4)
    result = SYSTEM.run({**LAYER, "distances": (8000.0,), "crosswind": (0.0,)})
    z = np.asarray(result.history.model.space.position)
    row = int(np.argmin(np.abs(z - 60.0)))
    values = result.history.values("smoke", [8000.0 / 4.0])[0, row] * 0.0641
    np.testing.assert_allclose(values, _huang(result.parameters.items, 8000.0, float(z[row])), rtol=1e-4)


def test_three_dimensions_give_the_product():
    """The same plume on a grid across the wind, with both diffusions at once."""
    wind, eddy_y, eddy_z, height, x = 5.0, 25.0, 8.0, 100.0, 2000.0
    grid = sf.grid(
        x=sf.nodes(800.0, 41), y=np.concatenate([np.linspace(0, 200, 61), np.linspace(215, 700, 25)]), depth=1.0
    )
    y, z = grid.coordinates()
    source = int(np.argmin(np.hypot(np.asarray(y), np.asarray(z) - height)))
    start = np.zeros(grid.cells)
    start[source] = 0.5 / np.asarray(grid.volume)[source]
    model = sf.Model(
        grid,
        [sf.Species("smoke")],
        [sf.Fick("smoke", np.where(np.abs(np.asarray(grid.edges["interior"].direction)[:, 0]) > 0.5, eddy_y, eddy_z))],
        [sf.Film("bottom", "smoke", 0.01, 0.0)],
        start={"smoke": start},
    )
    found = sf.evolve(model, x / wind, times=[x / wind], rtol=1e-6)["smoke"][0]
    ground = int(np.argmin(np.hypot(np.asarray(y), np.asarray(z))))
    flat = SYSTEM.run(source=1.0, distances=(x,), crosswind=(0.0,), deposition=0.01).answers
    np.testing.assert_allclose(found[ground] / wind, flat["ground_concentration_at"][0], rtol=5e-3)


@pytest.mark.parametrize(
    "given",
    [
        {"height": 0.5, "distances": (3.0, 1000.0), "crosswind": (0.0,), "eddy_z": 0.05},
        {"height": 800.0, "distances": (5e4,), "crosswind": (1e3,), "wind": 20.0, "deposition": 1.0},
        {"eddy_z": 500.0, "wind": 0.3, "distances": (100.0,), "crosswind": (0.0,), "eddy_y": 0.1},
    ],
)
def test_odd_plumes_are_right_too(given):
    result = SYSTEM.run(given)
    p = result.parameters
    x = np.array(p.distances)
    exact = _roberts(x, 0.0, p.source, p.wind, p.height, p.eddy_z, p.deposition)
    np.testing.assert_allclose(result.answers["ground_integrated_at"], exact, rtol=1e-4)
    assert _peak_distance(p) > result.answers["maximum_distance"]
    assert SYSTEM.figure(result).axes


def test_offsets_must_match_the_distances():
    with pytest.raises(sf.InputError, match="one for each"):
        SYSTEM.run(distances=(1.0, 2.0), crosswind=(0.0, 0.0, 1.0))
