"""The compiled stepper: against the integrator of single runs, its order, batches, derivatives, books and failures."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import steadyflux as sf
from steadyflux.model.system import State
from steadyflux.solve.assembly import counters_of
from steadyflux.solve.lanes import linearise
from steadyflux.solve.march import ENDINGS
from steadyflux.solve.pacing import ARRIVED, CHARGED, LONG, SHORT
from steadyflux.solve.program import sizes
from steadyflux.solve.stepper import Moment, Weights, stage_of, step

D = 1.3e-9


def slab(left=0.4, diffusivity=D, cells=21, **more):
    return sf.Model(
        sf.interval("10 um", cells=cells, area=0.7),
        [sf.Species("c")],
        [sf.Fick("c", diffusivity)],
        [sf.Hold("left", {"c": left}), sf.Hold("right", {"c": 2.0})],
        start={"c": 2.0},
        **more,
    )


def vesicle(leak=3e-7, outside=220.0):
    """A compartment that swells: what it stores is the product of two unknowns."""
    return sf.Model(
        sf.network({"cell": "1 pL", "bath": "1 L"}, {"membrane": [("cell", "bath")]}, area="600 um^2"),
        [sf.Species("S"), sf.Species("X", where="cell"), sf.Size("w", where="cell")],
        [sf.Transfer("S", leak, on="membrane"), sf.WaterFlow("w", 3e-13, on="membrane")],
        [sf.Hold("bath", {"S": outside})],
        start={"S": 40.0, "X": 100.0, "w": 1e-15},
    )


def double_layer():
    return sf.Model(
        sf.interval("20 nm", cells=15, grading="both", ratio=10),
        [sf.Ion("K+", "1.96e-9 m^2/s"), sf.Ion("Cl-", "2.03e-9 m^2/s"), sf.Potential()],
        [sf.NernstPlanck(), sf.Poisson(78.5)],
        [
            sf.Hold("left", {"K+": "100 mM", "Cl-": "100 mM", "phi": "50 mV"}),
            sf.Hold("right", {"K+": "10 mM", "Cl-": "10 mM", "phi": 0.0}),
        ],
        start={"K+": 50.0, "Cl-": 50.0},
    )


def junction(high=110.0, excess=0.0):
    """Electroneutral and closed: every amount is kept, and the potential stands in no row of its own."""
    share = 0.5 - 0.5 * np.tanh((np.linspace(0, 1e-6, 15) - 5e-7) / 1e-7)
    return sf.Model(
        sf.interval("1 um", cells=15),
        [sf.Ion("H+", 9.3e-9), sf.Ion("K+", 1.96e-9), sf.Ion("Cl-", 2.03e-9), sf.Potential()],
        [sf.NernstPlanck(), sf.Electroneutrality()],
        [sf.Hold("left", {"phi": 0.0})],
        start={"H+": 10 + 0.8 * high * share, "K+": 60 + excess + 0.2 * high * share, "Cl-": 70 + high * share},
    )


def driven():
    """Held values that bend, jump and swing."""
    return sf.Model(
        sf.interval("10 um", cells=15),
        [sf.Species("c")],
        [sf.Fick("c", D)],
        [sf.Hold("left", {"c": sf.triangle(1.0, 3.0, 100.0)}), sf.Hold("right", {"c": sf.sine(2.0, 0.5, 30.0)})],
        start={"c": 1.0},
    )


def pulsed():
    """A ring of compartments fed in pulses; a sluggish reading, which has a rate of its own, follows one of them."""
    return sf.Model(
        sf.network({"a": 1.0, "b": 2.0, "c": 0.5}, {"links": [("a", "b"), ("b", "c"), ("a", "c")]}),
        [sf.Species("x")],
        [sf.Transfer("x", 0.8, on="links"), sf.MichaelisMenten({"x": -1}, 0.7, 0.3)],
        [sf.Influx("a", {"x": sf.pulse(0.2, 2.0, begin=1.0, duration=0.5, repeat=2.0)})],
        start={"x": np.array([1.0, 0.2, 0.5])},
        shared=[sf.Shared("reading", rate=lambda view: 4.0 * (view.value("x", "b") - view["reading"]), start=0.1)],
    )


def ring(count, largest=0.3):
    """Cells in a ring, which is no chain."""
    tail = np.arange(count)
    return sf.Model(
        sf.graph(count, {"links": (tail, (tail + 1) % count)}),
        [sf.Species("c")],
        [sf.Transfer("c", np.linspace(1.0, 2.0, count), on="links"), sf.MichaelisMenten({"c": -1}, largest, 0.7)],
        start={"c": np.linspace(0.5, 2.0, count)},
    )


FRACTIONS = np.linspace(0.0, 1.0, 12)


def film(thickness):
    return sf.interval(nodes=thickness * FRACTIONS, names=("gas", "metal"))


def reaches(view):
    return -view.flow("oxidant", "metal") / 20.0


def growing():
    """A film that grows by what reaches its far side."""
    return sf.Model(
        sf.moving(film, {"thickness": 1e-6}),
        [sf.Species("oxidant")],
        [sf.Fick("oxidant", 2e-12)],
        [sf.Hold("gas", {"oxidant": 3.0}), sf.Exchange("metal", sf.Transfer("oxidant", 5e-6), {"oxidant": 0.0})],
        start={"oxidant": 3.0 - 2.0 * FRACTIONS},
        shared=[sf.Shared("thickness", rate=reaches, start=1e-6, unit="m")],
    )


# Model, asked times, and how well the books close: to rounding where what is stored is linear in the unknowns.
CASES = {
    "slab": (slab, [0.0, 1e-3, 4e-3, 0.02, 0.05], 1e-13),
    "vesicle": (vesicle, [0.0, 1.0, 10.0, 60.0], 1e-6),
    "double layer": (double_layer, [0.0, 1e-9, 1e-8, 1e-7], 1e-13),
    "junction": (junction, [0.0, 1e-6, 1e-5, 1e-4], 1e-13),
    "driven": (driven, [0.0, 5e-3, 0.02, 0.03, 0.05], 1e-13),
    "pulsed": (pulsed, [0.0, 0.5, 1.0, 1.25, 4.0], 1e-13),
    "growing": (growing, [0.0, 0.3, 1.0, 5.0], 1e-6),
}


@pytest.fixture(scope="module", params=CASES)
def case(request):
    make, times, closing = CASES[request.param]
    model = make()
    runs = {rtol: sf.march(model, times[-1], times=times, rtol=rtol) for rtol in (1e-4, 1e-6, 1e-8)}
    return model, runs, sf.evolve(model, times[-1], times=times, rtol=1e-10, atol=1e-11), closing


def _apart(found, expected):
    return np.max(np.abs(np.asarray(found) - expected)) / np.max(np.abs(expected))


def test_it_meets_the_integrator_of_single_runs(case):
    model, runs, expected, _ = case
    found = runs[1e-8]
    for name in (*model.names, *(one.name for one in model.shared)):
        assert _apart(found[name], expected[name]) < 2e-7, name
        assert _apart(found.rate(name)[1:], expected.rate(name)[1:]) < 1e-4, name
    for counter in found.counters:
        if counter.place is None:
            assert _apart(found.made(counter.quantity), expected.made(counter.quantity)) < 2e-7
            continue
        assert _apart(found.entered(*counter), expected.entered(*counter)) < 2e-7, counter
        assert _apart(found.flow(*counter)[1:], expected.flow(*counter)[1:]) < 2e-5, counter


def test_a_smaller_tolerance_gives_a_smaller_error(case):
    model, runs, expected, _ = case
    errors = [max(_apart(found[name], expected[name]) for name in model.names) for found in runs.values()]
    assert errors[0] < 1e-3 and errors[1] < 1e-5 and errors[2] < 2e-7
    assert errors[2] < 0.2 * errors[1] and errors[1] < 0.2 * errors[0]


def test_the_books_close(case):
    model, runs, _, closing = case
    found = runs[1e-6]
    for q in model.quantities:
        if q.kind in ("charge", "size"):  # neither is counted where it crosses here
            continue
        totals = [float(found.solution(model, number).total(q.name)) for number in (0, -1)]
        counted = [float(found.counts[-1, i] - found.counts[0, i]) for i in _crossing(found, q.name)]
        assert abs(totals[1] - totals[0] - sum(counted)) < closing * max(*totals, *np.abs(counted)), q.name


def _crossing(run, name):
    return [number for number, counter in enumerate(run.counters) if counter.quantity == name]


# ---- the method ------------------------------------------------------------------------------------------------------


def test_equal_steps_converge_at_fourth_order():
    model = double_layer()
    counters = counters_of(model)
    begun = sf.march(model, 2e-9, rtol=1e-11)

    @jax.jit
    def end(count):
        parts = jax.tree.map(lambda x: x[-1], (begun.states, begun.rates, begun.counts, begun.flows))
        length = 4e-8 / count

        def one(number, carry):
            moment, fine = carry
            weights = Weights(1e-12, 1e-13, sizes(model, moment.state))
            tried = step(lambda t: model, moment, jnp.zeros(()), length, weights, jnp.ones(()), counters)
            return tried.end, fine & tried.solved

        moment, fine = jax.lax.fori_loop(0, count, one, (Moment(*parts), jnp.ones((), dtype=bool)))
        return moment.state.u, fine

    exact, fine = end(512)
    errors = []
    for count in (16, 32, 64):
        state, solved = end(count)
        assert fine and solved
        errors.append(np.max(np.abs(state - exact) / np.max(np.abs(exact), axis=0), axis=0))
    errors = np.array(errors)
    order = np.log2(errors[:-1] / errors[1:])
    assert np.all(order > 3.7) and np.all(order < 4.6), order


def test_a_run_goes_on_from_another():
    model = driven()
    whole = sf.march(model, 0.05, times=[0.03, 0.05], rtol=1e-9)
    first = sf.march(model, "30 ms", rtol=1e-9).solution(model)
    rest = sf.march(model, 0.05, times=["40 ms", 0.05], start=first, begin_at=0.03, rtol=1e-9)
    np.testing.assert_allclose(rest["c"][-1], whole["c"][-1], rtol=1e-8)


def test_it_arrives_at_the_steady_state():
    model = double_layer()
    found, steady = sf.march(model, 1e-4), sf.steady(model)
    for name in model.names:
        np.testing.assert_allclose(found[name][-1], steady[name], rtol=1e-6, atol=1e-9)
    moment = found.solution(model)
    np.testing.assert_allclose(moment.flow("K+", "left"), steady.flow("K+", "left"), rtol=1e-5)
    assert moment.regime == "steady nonequilibrium"


@pytest.mark.parametrize("unknowns", [5, 12])
@pytest.mark.parametrize("transpose", [False, True])
def test_a_matrix_that_is_kept_solves_again_and_again(unknowns, transpose):
    model = ring(unknowns)
    rng = np.random.default_rng(3)
    state, rate = (State(jnp.asarray(rng.uniform(0.5, 1.5, (unknowns, 1))), jnp.zeros(0)) for _ in range(2))
    stage = stage_of(model, 2.0, state, rate, 0.0)
    kept = jnp.zeros(model.layout.totals)
    size = State(jnp.asarray(rng.uniform(0.5, 2.0, (unknowns, 1))), jnp.zeros(0))
    once = linearise(model, state, stage, kept, size, transpose=transpose)
    often = linearise(model, state, stage, kept, size, transpose=transpose, repeated=True)
    for _ in range(2):
        rhs = State(jnp.asarray(rng.normal(size=(unknowns, 1))), jnp.zeros(0))
        np.testing.assert_allclose(often.solve(rhs).u, once.solve(rhs).u, rtol=1e-12)


# ---- batches and derivatives -----------------------------------------------------------------------------------------


def test_a_batch_is_what_its_members_are():
    leaks, baths = np.geomspace(1e-8, 1e-5, 256), np.linspace(100.0, 400.0, 256)

    def run(leak, bath):
        return sf.march(vesicle(leak, bath), 60.0, times=[1.0, 60.0])

    found = jax.jit(jax.vmap(run))(leaks, baths)
    assert found["w"].shape == (256, 2, 2) and found.flow("S", "bath").shape == (256, 2)
    assert np.all(found.arrived) and set(found.outcome) == {"arrived"}
    assert "256 of 256" in repr(found)
    for number in (0, 77, 131, 255):
        alone = run(leaks[number], baths[number])
        assert int(alone.steps) == int(found.steps[number])
        for name in ("S", "w"):
            np.testing.assert_allclose(found[name][number], alone[name], rtol=1e-9)
        np.testing.assert_allclose(found.entered("S", "bath")[number], alone.entered("S", "bath"), rtol=1e-9)


def test_a_batch_of_full_matrices_is_what_its_members_are():
    rates = np.geomspace(0.01, 3.0, 70)  # more than run side by side, and no multiple of that
    found = jax.jit(jax.vmap(lambda rate: sf.march(ring(12, rate), 5.0)))(rates)
    assert found["c"].shape == (70, 1, 12) and np.all(found.arrived)
    for number in (0, 63, 64, 69):
        np.testing.assert_allclose(found["c"][number], sf.march(ring(12, rates[number]), 5.0)["c"], rtol=1e-9)


def test_models_made_beforehand_can_be_mapped():
    lefts = jnp.array([0.3, 0.5, 1.1])
    models = jax.vmap(lambda left: slab(left))(lefts)
    found = jax.vmap(lambda model: sf.march(model, 0.01))(models)
    for number, left in enumerate(lefts):
        np.testing.assert_allclose(found["c"][number], sf.march(slab(float(left)), 0.01)["c"], rtol=1e-10)


def test_a_model_may_be_an_argument_of_a_compiled_function():
    alone = sf.march(driven(), 0.05, times=[0.02, 0.05])
    found = jax.jit(lambda model: sf.march(model, 0.05, times=[0.02, 0.05]))(driven())
    assert "2 times: arrived" in repr(found)
    np.testing.assert_allclose(found["c"], alone["c"], rtol=1e-12)
    np.testing.assert_allclose(found.flow("c", "left"), alone.flow("c", "left"), rtol=1e-9)


@pytest.mark.parametrize(
    ("run", "at"),
    [
        (lambda p: sf.march(vesicle(p), 20.0, times=[3.0, 20.0], rtol=1e-9), 3e-7),
        (lambda p: sf.march(slab(p), 4e-3, times=[1e-3, 4e-3], rtol=1e-9), 0.4),
        pytest.param(lambda p: sf.march(junction(p), 1e-5, rtol=1e-9), 110.0, marks=pytest.mark.slow),
    ],
    ids=["leak", "held", "start"],
)
def test_derivatives_meet_differences(run, at):
    def answers(p):
        found = run(p)
        return found.states.u, found.counts, found.flows

    values, slopes = jax.jvp(answers, (at,), (1.0,))
    small = 3e-4 * at
    ahead, behind = answers(at + small), answers(at - small)
    for value, slope, a, b in zip(values, slopes, ahead, behind, strict=True):
        expected = (np.asarray(a) - np.asarray(b)) / (2 * small)
        # by quantity (last axis): they differ in size
        for k in range(value.shape[-1]):
            size = max(np.max(np.abs(expected[..., k])), 1e-6 * np.max(np.abs(value[..., k])) / at)
            assert np.max(np.abs(slope[..., k] - expected[..., k])) < 3e-5 * size


def test_a_derivative_is_exact_where_it_is_known():
    def end(rate):
        model = sf.Model(sf.network({"a": "2 L"}, {}), [sf.Species("x")], [sf.Decay({"x": -1}, rate)], start={"x": 5.0})
        return sf.march(model, 7.0, rtol=1e-9)["x"][0, 0]

    value, slope = jax.jvp(end, (0.3,), (1.0,))
    np.testing.assert_allclose(value, 5 * np.exp(-2.1), rtol=1e-7)
    np.testing.assert_allclose(slope, -35 * np.exp(-2.1), rtol=1e-6)


@pytest.mark.slow
def test_derivatives_backwards_are_those_forwards():
    def end(numbers, **more):
        return sf.march(vesicle(*numbers), 60.0, times=[1.0, 60.0], **more).solution(vesicle(*numbers))["w"][0] * 1e15

    at = jnp.array([3e-7, 220.0])
    forward, backward = jax.jacfwd(end)(at), jax.grad(lambda numbers: end(numbers, reverse=80))(at)
    np.testing.assert_allclose(backward, forward, rtol=1e-10)
    assert int(sf.march(vesicle(), 60.0, times=[1.0, 60.0], reverse=9, throw=False).code) == LONG


def test_a_derivative_by_the_end_of_the_run_is_the_rate():
    def end(until):
        return sf.march(slab(), until, rtol=1e-9)["c"][0, 5]

    _, slope = jax.jvp(end, (0.01,), (1.0,))
    np.testing.assert_allclose(slope, (end(0.01001) - end(0.00999)) / 2e-5, rtol=1e-4)


# ---- what goes wrong -------------------------------------------------------------------------------------------------


def test_a_run_that_takes_too_long_says_so():
    found = sf.march(slab(), 0.05, times=[1e-6, 0.05], steps=12, throw=False)
    assert int(found.code) == LONG and found.outcome == ENDINGS[LONG][0]
    assert np.isfinite(found["c"][0]).all() and np.isnan(found["c"][1]).all()
    with pytest.raises(sf.NotConverged, match="as many steps as it may"):
        sf.march(slab(), 0.05, steps=12)


def test_a_member_that_blows_up_leaves_the_others_alone():
    class Autocatalysis(sf.CellLaw):
        """dx/dt = x^2, which is infinite at t = 1/x(0)."""

        @property
        def makes(self):
            return ("x",)

        def production(self, here, cell):
            return {"x": here["x"] ** 2}

    def run(begin):
        model = sf.Model(sf.network({"a": 1.0}, {}), [sf.Species("x")], [Autocatalysis()], start={"x": begin})
        return sf.march(model, 2.0, times=[0.5, 2.0], rtol=1e-7)

    found = jax.vmap(run)(jnp.array([0.25, 1.0, 0.1]))
    assert list(np.asarray(found.code)) == [ARRIVED, SHORT, ARRIVED]
    np.testing.assert_allclose(found["x"][:, 0, 0], [0.25 / 0.875, 2.0, 0.1 / 0.95], rtol=1e-5)
    np.testing.assert_allclose(found["x"][[0, 2], 1, 0], [0.5, 0.125], rtol=1e-5)
    assert np.isnan(found["x"][1, 1, 0])


@pytest.mark.slow
def test_a_start_that_is_not_neutral_is_told():
    charged = sf.march(junction(excess=1e-3), 1e-4, throw=False)
    assert int(charged.code) == CHARGED and np.isnan(charged["H+"]).all()
    with pytest.raises(sf.NotConverged, match="do not add up to zero"):
        sf.march(junction(excess=1e-3), 1e-4)


def test_a_start_that_nothing_fits_is_told():
    model = sf.Model(
        sf.network({"a": 1.0}, {}),
        [sf.Species("x")],
        [sf.Decay({"x": -1}, 0.5)],
        start={"x": 1.0},
        shared=[sf.Shared("y", lambda view: view["y"] ** 2 + view.value("x", "a"), start=0.3)],
    )
    with pytest.raises(sf.NotConverged, match="could not be made to fit"):
        sf.march(model, 1.0)


def big_net():
    tail = np.arange(700)
    ring = sf.graph(700, {"links": (tail, (tail + 1) % 700)})
    return sf.Model(ring, [sf.Species("c")], [sf.Transfer("c", 1.0, on="links")], start={"c": 1.0})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sf.march(slab(), -1.0), "must end after it begins"),
        (lambda: sf.march(slab(), 1.0, times=[0.5, 0.2]), "must increase"),
        (lambda: sf.march(slab(), 1.0, rtol=1.0), "rtol must lie"),
        (lambda: sf.march(big_net(), 1.0), "Use evolve"),
        (lambda: sf.march(slab(), 1e-3)["d"], "d"),
        (lambda: sf.march(slab(), 1e-3).flow("c", "top"), "counted flow"),
        (lambda: sf.march(slab(), 1e-3).made("c"), "No law makes c"),
    ],
)
def test_bad_requests_are_refused(call, message):
    with pytest.raises(sf.SteadyfluxError, match=message):
        call()
