"""The way there: against closed forms, its books, its start, its events, and where it arrives."""

import math

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import erfc

import steadyflux as sf
from steadyflux.solve.assembly import counters_of
from steadyflux.solve.program import Program

D = 1.3e-9


def slab(cells=101, **more):
    return sf.Model(
        sf.interval("10 um", cells=cells, area=0.7),
        [sf.Species("c")],
        [sf.Fick("c", D)],
        [sf.Hold("left", {"c": 0.4}), sf.Hold("right", {"c": 2.0})],
        start={"c": 2.0},
        **more,
    )


def series(x, t, length=1e-5, left=0.4, right=2.0, terms=400):
    """Slab at `right`, from t = 0 on held at `left` on its left face (Carslaw and Jaeger 1959, section 3.4)."""
    total = left + (right - left) * x / length
    for n in range(1, terms):
        decay = math.exp(-D * (n * math.pi / length) ** 2 * t)
        if decay < 1e-18:
            break
        total = total + (right - left) * 2 / (n * math.pi) * np.sin(n * math.pi * x / length) * decay
    return total


@pytest.fixture(scope="module")
def run():
    return sf.evolve(slab(), 0.05, times=[0.0, 1e-3, 4e-3, 0.02, 0.05], rtol=1e-8)


def test_diffusion_into_a_slab(run):
    x = np.asarray(run.model.space.position)
    for number in (2, 3, 4):
        expected = series(x, run.times[number])
        np.testing.assert_allclose(run["c"][number], expected, rtol=2e-4)


def test_the_profile_converges_in_space_at_second_order():
    errors = []
    for cells in (21, 41, 81):
        model = slab(cells)
        found = sf.evolve(model, 0.02, times=[0.02], rtol=1e-9)
        errors.append(np.max(np.abs(found["c"][0] - series(np.asarray(model.space.position), 0.02))))
    assert 3.7 < errors[0] / errors[1] < 4.3
    assert 3.7 < errors[1] / errors[2] < 4.3


def test_a_smaller_tolerance_gives_a_smaller_error():
    def end(rtol):
        model = sf.Model(sf.network({"a": "2 L"}, {}), [sf.Species("x")], [sf.Decay({"x": -1}, 0.3)], start={"x": 5.0})
        return float(sf.evolve(model, 7.0, times=[7.0], rtol=rtol)["x"][0, 0])

    exact = 5.0 * math.exp(-2.1)
    errors = [abs(end(rtol) / exact - 1) for rtol in (1e-4, 1e-6, 1e-8)]
    assert errors[0] < 3e-3 and errors[1] < 3e-5 and errors[2] < 3e-7
    assert errors[2] < errors[0]


def test_the_ledger_of_a_run_closes_to_rounding(run):
    entry = run.ledger["c"]
    assert entry.relative < 1e-13
    assert entry.unit == "mol"
    assert entry.out > 0 and entry.into > 0
    stored = run.end.total("c") - 2.0 * 0.7 * 1e-5
    np.testing.assert_allclose(entry.stored, stored, rtol=1e-12)
    np.testing.assert_allclose(entry.into - entry.out, stored, rtol=1e-12)


def test_what_a_jump_releases_is_counted_at_once(run):
    # The held half-cell on the left gives up 1.6 mol/m^3 the moment that it is held.
    half_cell = 0.7 * 0.5e-7
    np.testing.assert_allclose(run.entered("c", "left")[0], -1.6 * half_cell, rtol=1e-2)


def test_what_has_left_follows_the_square_root_of_time():
    model = sf.Model(
        sf.interval("1 mm", cells=301, grading="left", ratio=1e4),
        [sf.Species("c")],
        [sf.Fick("c", D)],
        [sf.Hold("left", {"c": 0.0})],
        start={"c": 3.0},
    )
    found = sf.evolve(model, 1.0, times=[0.01, 0.1, 1.0], rtol=1e-7)
    expected = -2.0 * 3.0 * np.sqrt(D * found.times / np.pi)  # Cottrell (1903), integrated
    np.testing.assert_allclose(found.entered("c", "left"), expected, rtol=2e-4)
    np.testing.assert_allclose(found.flow("c", "left"), expected / (2 * found.times), rtol=5e-4)
    x = np.asarray(model.space.position)
    np.testing.assert_allclose(found["c"][2], 3.0 * (1 - erfc(x / np.sqrt(4 * D))), atol=1e-3)
    assert not found.steady
    assert "still changes" in found.reason
    assert found.regime == "transient"


def test_a_run_arrives_at_the_steady_state():
    found = sf.evolve(slab(), 5.0)
    solution = sf.steady(slab())
    np.testing.assert_allclose(found["c"][-1], solution["c"], rtol=1e-7)
    np.testing.assert_allclose(found.flow("c", "left")[-1], solution.flow("c", "left"), rtol=1e-6)
    assert found.steady
    assert found.regime == solution.regime == "steady nonequilibrium"


def test_entropy_exported_and_stored_add_up_to_what_is_produced(run):
    moment = run.at(0.02)
    book = moment.entropy
    assert moment.regime == "transient"
    np.testing.assert_allclose(book.exported + book.stored, book.production, rtol=1e-6)
    assert abs(book.stored) > 0.01 * book.production


def test_the_entropy_of_mixing_is_produced():
    x = np.linspace(0, 1e-5, 101)
    model = sf.Model(
        sf.interval("10 um", cells=101),
        [sf.Species("c")],
        [sf.Fick("c", D)],
        start={"c": 2.0 + 1.5 * np.cos(np.pi * x / 1e-5)},
    )
    found = sf.evolve(model, 1.0, rtol=1e-8)
    volume = np.asarray(model.space.volume)

    def entropy(c):
        return -8.31446261815324 * np.sum(volume * c * (np.log(c) - 1))

    gained = entropy(found["c"][-1]) - entropy(np.asarray(model.start["c"]))
    np.testing.assert_allclose(found.entropy_produced[-1], gained, rtol=1e-4)
    assert found.ledger["c"].relative < 1e-14
    assert found.regime == "equilibrium"


def ions(**more):
    x = np.linspace(0, 1e-6, 81)
    left = 0.5 - 0.5 * np.tanh((x - 5e-7) / 5e-8)
    return sf.Model(
        sf.interval("1 um", cells=81),
        [sf.Ion("H+", 9.3e-9), sf.Ion("K+", 1.96e-9), sf.Ion("Cl-", 2.03e-9), sf.Potential()],
        [sf.NernstPlanck(), sf.Electroneutrality()],
        [
            sf.Hold("left", {"H+": 80.0, "K+": 0.0, "Cl-": 80.0, "phi": 0.0}),
            sf.Hold("right", {"H+": 0.0, "K+": 120.0, "Cl-": 120.0}),
            sf.Float("right"),
        ],
        start={"H+": 80 * left, "K+": 120 * (1 - left), "Cl-": 80 * left + 120 * (1 - left), **more},
    )


def test_electroneutrality_is_kept_and_the_junction_arrives():
    found = sf.evolve(ions(), 1e-3)
    charge = found["H+"] + found["K+"] - found["Cl-"]
    assert np.max(np.abs(charge)) < 1e-9  # of 120 mol/m^3: rounding of some hundred steps
    for name in ("H+", "K+", "Cl-"):
        assert found.ledger[name].relative < 1e-12
    np.testing.assert_allclose(found.current("right"), 0.0, atol=1e-7 * abs(found.flow("H+", "left")[-1]) * 96485)
    np.testing.assert_allclose(found["phi"][-1][-1], sf.steady(ions())["phi"][-1], rtol=1e-7)


def test_a_start_that_is_not_neutral_is_refused():
    with pytest.raises(sf.ModelError, match="not electroneutral"):
        sf.evolve(ions(**{"Cl-": 90.0}), 1e-3)


def test_a_double_layer_charges():
    model = sf.Model(
        sf.interval("0.2 um", cells=81, grading="both", ratio=50),
        [sf.Ion("K+", 1.9e-9), sf.Ion("Cl-", 2.1e-9), sf.Potential()],
        [sf.NernstPlanck(), sf.Poisson(relative_permittivity=78.5)],
        [sf.Hold("left", {"phi": sf.ramp(0.0, "60 mV", "1 us")}), sf.Hold("right", {"phi": 0.0})],
        start={"K+": 5.0, "Cl-": 5.0},
    )
    found = sf.evolve(model, "0.1 ms")
    assert found.steady, found.reason
    assert found.ledger["K+"].relative < 1e-13
    resting = sf.steady(model.at(1.0))
    np.testing.assert_allclose(found["K+"][-1], resting["K+"], rtol=1e-6)
    np.testing.assert_allclose(found["phi"][-1], resting["phi"], atol=1e-8)


def vessel(influx, **more):
    return sf.Model(
        sf.network({"a": "2 L"}, {}), [sf.Species("x")], [], [sf.Influx("a", {"x": influx})], start={"x": 0.0}, **more
    )


@pytest.mark.parametrize(
    ("influx", "until", "amount"),
    [
        (sf.ramp(0.0, "2 mol/s", "3 s", begin="1 s"), 10.0, 3.0 + 2 * 6),
        (sf.pulse(0.5, 3.0, begin=2.0, duration=1.5), 8.0, 0.5 * 8 + 2.5 * 1.5),
        (sf.pulse(0.0, 1.0, begin=0.25, duration=0.5, repeat=2.0), 9.0, 2.5),
        (sf.schedule([1, 2, 4, 5], [0.0, 3.0, 1.0, 1.0]), 6.0, 1.5 + 4 + 1 + 1),
        (sf.triangle(0.0, 2.0, 1.0, cycles=2), 8.0, 8.0),
        (sf.sine(1.0, 0.5, 0.25), 4.0, 4.0),
        (sf.signal(lambda t: 3 * t**2), 2.0, 8.0),
    ],
)
def test_signals_let_in_their_integral(influx, until, amount):
    found = sf.evolve(vessel(influx), until, rtol=1e-9)
    np.testing.assert_allclose(found.entered("x", "a")[-1], amount, rtol=1e-7)
    np.testing.assert_allclose(found.total("x")[-1], amount, rtol=1e-7)
    assert found.ledger["x"].relative < 1e-14


def test_no_step_crosses_a_jump():
    found = sf.evolve(vessel(sf.pulse(0.0, 1e3, begin=5.0, duration=1e-6)), 1e3)
    np.testing.assert_allclose(found.total("x")[-1], 1e-3, rtol=1e-6)


def decay(**more):
    return sf.Model(
        sf.network({"a": "2 L"}, {}), [sf.Species("x")], [sf.Decay({"x": -1}, 0.3)], start={"x": 5.0}, **more
    )


def test_a_run_that_ends_within_rounding_of_a_bend_ends_there():
    speed = 0.1
    vessel = sf.Model(
        sf.network({"vessel": "1 L"}, {}),
        [sf.Species("salt")],
        [],
        [sf.Influx("vessel", {"salt": sf.triangle(0.0, 0.3, speed)})],
        start={"salt": 0.0},
    )
    end = float(np.nextafter(0.3 / speed + 0.3 / speed, np.inf))
    run = sf.evolve(vessel, end, times=[1.0, end])
    np.testing.assert_allclose(run.ledger["salt"].stored, 0.9, rtol=1e-6)


def test_an_event_stops_the_run():
    found = sf.evolve(decay(), 100.0, events=[sf.Event("half", lambda view: view.value("x", "a") - 2.5)], rtol=1e-9)
    assert [e.name for e in found.events] == ["half"]
    np.testing.assert_allclose(found.times[-1], math.log(2) / 0.3, rtol=1e-7)
    np.testing.assert_allclose(found["x"][-1, 0], 2.5, rtol=1e-7)


def test_an_event_may_only_be_noted_or_counted_one_way():
    events = [
        sf.Event("half", lambda view: view.value("x", "a") - 2.5, then="note"),
        sf.Event("rise", lambda view: view.value("x", "a") - 2.0, direction=1),
        sf.Event("time", lambda view: view.time - 3.0, then="note"),
    ]
    found = sf.evolve(decay(), 10.0, events=events)
    assert [e.name for e in found.events] == ["half", "time"]
    assert found.times[-1] == 10.0


def test_an_event_switches_the_model():
    faster = sf.Model(sf.network({"a": "2 L"}, {}), [sf.Species("x")], [sf.Decay({"x": -1}, 1.2)], start={"x": 5.0})
    event = sf.Event("half", lambda view: view.value("x", "a") - 2.5, then=lambda model: faster, direction=-1)
    found = sf.evolve(decay(), 5.0, events=[event], rtol=1e-9)
    switched = math.log(2) / 0.3
    np.testing.assert_allclose(found["x"][-1, 0], 2.5 * math.exp(-1.2 * (5 - switched)), rtol=1e-6)
    assert found.ledger["x"].relative < 1e-13


def test_a_shared_unknown_with_a_rate_of_its_own():
    lag = sf.Shared("reading", rate=lambda view: 4.0 * (view.value("x", "a") - view["reading"]), start=0.0)
    found = sf.evolve(decay(shared=[lag]), 3.0, rtol=1e-9)
    exact = 4 * 5 / (4 - 0.3) * (math.exp(-0.9) - math.exp(-12.0))
    np.testing.assert_allclose(found["reading"][-1], exact, rtol=1e-7)
    with pytest.raises(sf.ModelError, match="either a balance"):
        sf.Shared("nothing")


def test_a_rate_may_depend_on_the_time():
    clock = sf.Shared("angle", rate=lambda view: 3.0 * view.time**2, start=1.0)
    found = sf.evolve(decay(shared=[clock]), 2.0, rtol=1e-9)
    np.testing.assert_allclose(found["angle"][-1], 9.0, rtol=1e-7)


def test_times_between_steps_are_found():
    found = sf.evolve(decay(), 10.0, rtol=1e-9)
    for t in (0.1, 3.3, 9.99):
        np.testing.assert_allclose(found.at(t)["x"][0], 5 * math.exp(-0.3 * t), rtol=1e-6)
        np.testing.assert_allclose(found.values("x", [t])[0, 0], 5 * math.exp(-0.3 * t), rtol=1e-6)
    with pytest.raises(sf.InputError, match="between"):
        found.at(11.0)


def test_a_run_goes_on_from_another():
    first = sf.evolve(decay(), 2.0, rtol=1e-9)
    second = sf.evolve(decay(), 5.0, start=first.end, begin_at=2.0, rtol=1e-9)
    np.testing.assert_allclose(second["x"][-1, 0], 5 * math.exp(-1.5), rtol=1e-7)


def test_capacities_by_state_and_region():
    wall = sf.interval(regions=[("brick", 0.1, 20), ("wool", 0.05, 20)])
    model = sf.Model(
        wall,
        [sf.Heat(capacity={"brick": 1.4e6, "wool": 3e4})],
        [sf.Fourier(0.7, on="brick"), sf.Fourier(0.04, on="wool")],
        [sf.Influx("left", {"T": 20.0})],
        start={"T": 290.0},
    )
    found = sf.evolve(model, "1 h")
    np.testing.assert_allclose(found.ledger["T"].stored, 20.0 * 3600, rtol=1e-9)
    stored = found.end.total("T") - (1.4e6 * 0.1 + 3e4 * 0.05) * 290.0
    np.testing.assert_allclose(stored, 72000.0, rtol=1e-9)
    steel = sf.Model(
        sf.network({"block": "1 L"}, {}),
        [sf.Heat(capacity=sf.Polynomial((2e6, 1.5e3)))],
        [],
        [sf.Influx("block", {"T": 500.0})],
        start={"T": 300.0},
    )
    warmed = sf.evolve(steel, 3000.0, rtol=1e-9)
    T = warmed["T"][-1, 0]
    np.testing.assert_allclose((2e6 * (T - 300) + 0.75e3 * (T**2 - 300.0**2)) * 1e-3, 1.5e6, rtol=1e-7)


def electrode():
    """Two species that turn into each other at a place whose name stands before "interior" in the alphabet."""
    kinetics = sf.ButlerVolmer({"O": -1, "R": 1}, 1, 9.0, alpha=0.4)
    return sf.Model(
        sf.interval("10 um", cells=9, names=("disk", "bulk")),
        [sf.Species("O"), sf.Species("R")],
        [sf.Fick("O", D), sf.Fick("R", 0.4 * D)],
        [sf.Exchange("disk", kinetics, {"O": 1.0, "R": 1.0, "phi": -0.02}), sf.Hold("bulk", {"O": 1.0, "R": 0.3})],
        start={"O": 1.0, "R": 0.3},
        given={"phi": 0.0},
    )


@pytest.mark.parametrize("model", [slab(11), ions(), electrode()], ids=["slab", "ions", "electrode"])
def test_the_matrix_in_time_is_the_exact_derivative(model):
    program = Program(model, {})
    n = program.pattern.size
    rng = np.random.default_rng(7)
    y = rng.uniform(0.5, 1.5, n)
    rate = rng.normal(size=n)
    step, small = 0.7, 1e-6
    matrix = np.zeros((n, n))
    columns = np.repeat(np.arange(n), np.diff(program.pattern.indptr))
    matrix[program.pattern.indices, columns] = program.matrix(0.3, y, rate, step)
    found = np.zeros((n, n))
    for j in range(n):
        e = np.zeros(n)
        e[j] = small
        found[:, j] = (
            program.residual(0.3, y + e, rate + step * e) - program.residual(0.3, y - e, rate - step * e)
        ) / (2 * small)
    size = np.max(np.abs(found), axis=1, keepdims=True)
    np.testing.assert_allclose(matrix / size, found / size, atol=2e-8)
    assert len(counters_of(model)) >= 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sf.evolve(decay(), -1.0), "end after it begins"),
        (lambda: sf.evolve(decay(), 1.0, times=[0.5, 0.2]), "must increase"),
        (lambda: sf.evolve(decay(), 1.0, times=[0.5, 2.0]), "between 0 and 1 s"),
        (lambda: sf.evolve(decay(), 1.0, rtol=-1.0), "rtol"),
        (
            lambda: sf.evolve(
                sf.Model(
                    sf.interval(1.0, cells=5),
                    [sf.Species("c")],
                    [sf.Fick("c", 1.0)],
                    [sf.Influx("left", {"c": 1.0}), sf.Film("right", "c", 1.0, 0.0)],
                ),
                1.0,
            ),
            "needs to know where c begins",
        ),
        (lambda: sf.schedule([0, 0], [1, 2]), "increase"),
        (lambda: sf.schedule([0, 1], [1]), "as many values"),
        (lambda: sf.triangle(1.0, 1.0, 1.0), "different ends"),
        (lambda: sf.ramp(0, 1, 0), "positive"),
    ],
)
def test_bad_requests_are_refused(call, message):
    with pytest.raises(sf.SteadyfluxError, match=message):
        call()


def test_signals_read_units_and_refuse_wrong_ones():
    hold = sf.Model(
        sf.interval(1.0, cells=5),
        [sf.Heat(capacity=1.0)],
        [sf.Fourier(1.0)],
        [sf.Hold("left", {"T": sf.ramp("20 degC", "30 degC", "1 min")}), sf.Hold("right", {"T": 300.0})],
        start={"T": 300.0},
    )
    assert hold.varies
    np.testing.assert_allclose(float(jnp.asarray(hold.at(30.0).holds[0].value)), 298.15)
    np.testing.assert_allclose(sf.steady(hold)["T"][0], 293.15)
    with pytest.raises(sf.UnitError):
        sf.Model(
            sf.interval(1.0, cells=5),
            [sf.Heat(capacity=1.0)],
            [sf.Fourier(1.0)],
            [sf.Hold("left", {"T": sf.ramp("1 m", "2 m", 1.0)}), sf.Hold("right", {"T": 300.0})],
        )


def test_a_derivative_that_wakes_up_late_is_taken_up():
    class Crest(sf.EdgeLaw):
        """Nothing crosses until a level is reached."""

        @property
        def moves(self):
            return ("c",)

        def flux(self, tail, head, edge):
            over = jnp.maximum(tail["c"] - 1.0, 0.0)
            return {"c": 3.0 * over**2}

    space = sf.join(
        {"gel": sf.interval(1.0, cells=140), "bath": sf.network({"cell": 1.0}, {})},
        [("gel.right", "bath.cell", "crest")],
    )
    model = sf.Model(
        space,
        [sf.Species("c")],
        [sf.Fick("c", 1.0, on="gel.interior"), Crest(on="crest")],
        [sf.Influx("gel.left", {"c": 1.0})],
        start={"c": 0.0},
    )
    found = sf.evolve(model, 5.0)
    bath = found["c"][:, -1]
    assert bath[len(bath) // 4] == 0.0
    assert bath[-1] > 0.5
    assert found.ledger["c"].relative < 1e-12
