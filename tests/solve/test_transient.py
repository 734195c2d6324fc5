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


@pytest.mark.parametrize("times", [None, [1000.0, 2000.0], [1.0, 1000.0]])
def test_an_event_that_stops_the_run_is_its_last_moment_whatever_times_are_asked(times):
    half = sf.Event("half", lambda view: view.total("c") - 2e-4)
    history = sf.evolve(_slab(0.0, 1.0), "2000 s", times=times, events=[half])
    assert [one.name for one in history.events] == ["half"]
    assert history.times[-1] == history.events[0].time < 100.0
    assert history.total("c")[-1] == pytest.approx(2e-4, rel=1e-6)
    assert history.ledger["c"].relative < 1e-12


def test_two_events_of_one_name_are_refused():
    event = sf.Event("half", lambda view: view.total("c") - 2e-4)
    with pytest.raises(sf.InputError, match="same name"):
        sf.evolve(_slab(0.0, 1.0), "1 s", events=[event, event])


def test_an_event_that_changes_where_conditions_stand_is_refused():
    def opened(model: sf.Model) -> sf.Model:
        fewer = [sf.Hold("left", {"c": 1.0})]
        return sf.Model(model.space, model.quantities, [sf.Fick("c", 1.3e-9)], fewer, start={"c": 0.0})

    event = sf.Event("half", lambda view: view.total("c") - 2e-4, then=opened)
    with pytest.raises(sf.ModelError, match="keep the places"):
        sf.evolve(_slab(0.0, 1.0), "2000 s", events=[event])
