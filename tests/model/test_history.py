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


def test_a_run_that_has_nearly_arrived_names_its_rest():
    # The slowest disturbance decays at 2 D / L / volume; after 12 of its times little enough is left, but not nothing.
    space = sf.network({"one": 1.0, "other": 1.0}, {"wall": [("one", "other")]}, area=1.0)
    model = sf.Model(
        space, [sf.Species("c")], [sf.Fick("c", 1.0, on="wall")], [sf.Hold("one", {"c": 3.0})], start={"c": 1.0}
    )
    history = sf.evolve(model, 14.0)
    assert history.steady
    assert "nothing changes" in history.reason
    assert history.regime in ("equilibrium", "steady nonequilibrium")


def test_rounding_of_a_large_store_is_no_imbalance():
    model = sf.Model(
        sf.interval(1.3, cells=9),
        [sf.Species("c")],
        [sf.Fick("c", 0.7)],
        [sf.Influx("left", {"c": 1e-13}), sf.Influx("right", {"c": -1e-13})],
        start={"c": 5e3},
    )
    assert sf.evolve(model, 3.0).ledger["c"].relative < 1e-8
