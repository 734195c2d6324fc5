"""The books of a run: what goes to and fro through one place is the measure of what is left over."""

import numpy as np

import steadyflux as sf


def test_a_wave_that_brings_and_takes_the_same_is_measured_by_what_it_moved():
    model = sf.Model(
        sf.interval(1.3, cells=9),
        [sf.Species("c")],
        [sf.Fick("c", 0.7)],
        [sf.Influx("left", {"c": sf.sine(0.0, 2.3, 1.0)})],
        start={"c": 5.0},
    )
    history = sf.evolve(model, 3.0)
    entry = history.ledger["c"]
    # Over whole periods nothing is left; during each about 2 * 2.3 / pi moved in, and out again.
    assert abs(entry.into - entry.out) < 1e-5
    moved = np.abs(np.diff(history.entered("c", "left"))).sum()
    np.testing.assert_allclose(moved, 3 * 2 * 2.3 / np.pi, rtol=0.02)
    assert entry.relative < 1e-12
