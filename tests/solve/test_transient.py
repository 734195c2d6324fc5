"""The way there: starts, signals, events and the ledger of a run."""

import numpy as np
import pytest

import steadyflux as sf
from steadyflux.ground.errors import NameUnknown


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


def _tank(law: sf.Law, *boundaries: object, **more: object) -> sf.Model:
    space = sf.network({"tank": 2.0, "sea": 1.0}, {"pipe": [("tank", "sea")]}, area=1.5)
    hold = boundaries or [sf.Hold("sea", {"c": 0.0})]
    return sf.Model(space, [sf.Species("c")], [law], hold, start={"c": np.array([3.0, 0.0])}, **more)


# The rate constant k(t) of dc/dt = - k c and its integral to the time T, by hand.
SIGNALS = {
    "ramp": (sf.ramp(0.1, 0.5, "4 s", begin=1.0), lambda T: 0.1 * 1 + 0.3 * 4 + 0.5 * (T - 5)),
    "pulse": (sf.pulse(0.1, 0.9, begin=2.0, duration=1.5), lambda T: 0.1 * (T - 1.5) + 0.9 * 1.5),
    "repeated": (sf.pulse(0.1, 0.9, begin=1.0, duration=0.5, repeat=2.0), lambda T: 0.1 * (T - 2.0) + 0.9 * 2.0),
    "sine": (
        sf.sine(0.3, 0.2, "0.25 Hz", phase=0.4),
        lambda T: 0.3 * T + 0.2 * (np.cos(0.4) - np.cos(np.pi * T / 2 + 0.4)) / (np.pi / 2),
    ),
    "steps": (sf.schedule([0, 2, 3], [0.1, 0.7, 0.2], steps=True), lambda T: 0.2 + 0.7 + 0.2 * (T - 3)),
    "triangle": (sf.triangle(0.1, 0.6, 0.25), lambda T: 4 * 0.35 + 0.1 * (T - 4)),
}


@pytest.mark.parametrize("name", SIGNALS)
def test_a_parameter_of_a_law_may_change_with_time(name):
    value, integral = SIGNALS[name]
    for law, scale in ((sf.Transfer("c", value, on="pipe"), 1.5 / 2.0), (sf.Fick("c", value, on="pipe"), 1.5 / 2.0)):
        end = sf.evolve(_tank(law), "8 s", rtol=1e-8).end
        assert end.value("c", "tank") == pytest.approx(3.0 * np.exp(-scale * integral(8.0)), rel=1e-6)


def test_what_stands_outside_and_a_total_influx_may_change_with_time():
    law = sf.Transfer("c", 0.0, on="pipe")
    film = _tank(law, sf.Film("tank", "c", sf.ramp("0 m/s", "1 m/s", 8.0), sf.ramp(3.0, 3.0 + 1e-9, 1.0)))
    assert sf.evolve(film, "8 s").end.value("c", "tank") == pytest.approx(3.0, rel=1e-6)
    fed = _tank(law, sf.Influx("tank", {"c": sf.ramp("0 mol/s", "200 mmol/s", 4.0)}))
    assert sf.evolve(fed, "5 s").end.total("c") == pytest.approx(6.0 + 0.4 + 0.2, rel=1e-6)
    slab = sf.Model(
        sf.interval("1 mm", cells=5, area="2 cm^2"),
        [sf.Species("c")],
        [sf.Fick("c", 1e-9)],
        [sf.Influx("left", {"c": sf.ramp("0 mol/s", "200 mmol/s", 4.0)})],
        start={"c": 0.0},
    )
    assert sf.evolve(slab, "4 s").end.total("c") == pytest.approx(0.4, rel=1e-6)


def test_a_signal_that_goes_below_zero_is_refused_and_a_start_is_no_signal():
    falls = sf.ramp(1.0, -0.1, "1 s", begin="1 s")
    with pytest.raises(sf.ModelError, match="negative"):
        _tank(sf.Transfer("c", falls, on="pipe"))
    with pytest.raises(sf.ModelError, match="negative"):
        _tank(sf.Transfer("c", 0.1, on="pipe"), sf.Hold("sea", {"c": sf.sine(1.0, 1.1, 3.0)}))
    with pytest.raises(sf.ModelError, match="absolute zero"):
        _tank(sf.Transfer("c", 0.1, on="pipe"), temperature=falls)
    with pytest.raises(sf.ModelError, match="one time"):
        sf.Model(sf.network({"tank": 1.0}, {}), [sf.Species("c")], [], start={"c": falls})


def _cube(nodes):
    row = np.linspace(0.0, 1.0, nodes)
    return sf.Model(
        sf.grid(x=row, y=row, z=row),
        [sf.Heat(capacity=1.3)],
        [sf.Fourier(sf.Polynomial((1.0, 0.5))), sf.Source("T", 1.7)],
        [sf.Hold("left", {"T": 0.2})],
        start={"T": 0.4},
    )


@pytest.mark.parametrize("solver", ["dense", "band", "superlu", "amg"])
def test_a_body_evolves_alike_by_every_solver(solver):
    model = _cube(6)
    found = sf.evolve(model, 0.4, times=[0.1, 0.4], rtol=1e-8, solver=solver)
    other = sf.evolve(model, 0.4, times=[0.1, 0.4], rtol=1e-8)
    assert found.solver == solver
    np.testing.assert_allclose(found["T"], other["T"], rtol=1e-6)
    entry = found.ledger["T"]
    assert abs(entry.imbalance) < (1e-7 if solver == "amg" else 1e-12)


def test_a_large_body_goes_by_multigrid_and_arrives_at_its_steady_state():
    model = _cube(17)
    history = sf.evolve(model, 8.0, times=[8.0], rtol=1e-4)
    assert history.solver == "amg"
    np.testing.assert_allclose(history["T"][-1], sf.steady(model)["T"], rtol=1e-5)


def test_an_unknown_solver_is_refused_before_anything_is_done():
    with pytest.raises(NameUnknown, match="superlu"):
        sf.evolve(_cube(3), 1.0, solver="superlou")
