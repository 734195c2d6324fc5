"""The way there: starts, signals, events and the ledger of a run."""

import numpy as np
import pytest

import steadyflux as sf


def _slab(start: float, left: object, cells: int = 21) -> sf.Model:
    return sf.Model(
        sf.interval("1 mm", cells=cells),
        [sf.Species("c")],
        [sf.Fick("c", 1.3e-9)],
        [sf.Hold("left", {"c": left}), sf.Hold("right", {"c": 0.5})],
        start={"c": start},
    )


@pytest.mark.parametrize("left", [1.0, 1e4, sf.sine(0.5, 0.2, 0.01)])
def test_a_run_that_begins_at_zero_is_measured_by_what_is_held(left):
    history = sf.evolve(_slab(0.0, left), "2000 s")
    assert history.ledger["c"].relative < 1e-12
    assert history["c"].max() == pytest.approx(1e4 if left == 1e4 else 1.0 if left == 1.0 else 0.7, rel=1e-3)


def test_a_run_that_begins_at_zero_is_measured_by_what_stands_outside():
    model = sf.Model(
        sf.interval("1 mm", cells=11),
        [sf.Heat("T", capacity=4e6)],
        [sf.Fourier(0.6)],
        [sf.Film("left", "T", 25.0, 900.0)],
        start={"T": 0.0},
    )
    end = sf.evolve(model, "5000 s").end
    lumped = 900.0 * (1.0 - np.exp(-25.0 * 5000.0 / (4e6 * 1e-3)))
    assert np.mean(end["T"]) == pytest.approx(lumped, rel=0.03)  # the Biot number is 0.04
