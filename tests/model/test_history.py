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
    # What is left decays at 1/s: after 14 s little enough is left to be steady, and more than rounding.
    space = sf.network({"one": 1.0, "other": 1.0}, {"wall": [("one", "other")]}, area=1.0)
    model = sf.Model(
        space, [sf.Species("c")], [sf.Fick("c", 1.0, on="wall")], [sf.Hold("one", {"c": 3.0})], start={"c": 1.0}
    )
    history = sf.evolve(model, 14.0)
    assert history.steady
    assert "nothing changes" in history.reason
    assert history.end.regime == "transient"  # which the run may not say of itself in one breath with steady
    assert history.regime == "steady nonequilibrium"


def test_rounding_of_a_large_store_is_no_imbalance():
    model = sf.Model(
        sf.interval(1.3, cells=9),
        [sf.Species("c")],
        [sf.Fick("c", 0.7)],
        [sf.Influx("left", {"c": 1e-13}), sf.Influx("right", {"c": -1e-13})],
        start={"c": lambda x: 5e3 + 1e3 * x**2},
    )
    entry = sf.evolve(model, 3.0).ledger["c"]
    # What crossed is as small as the rounding of what is there: a share of it would say nothing.
    assert abs(entry.imbalance) > 1e-4 * entry.into
    assert entry.relative < 1e-8
