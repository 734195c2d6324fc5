"""The books: ledgers by hand, entropy by edges and cells against what crosses the boundaries, regimes, labels."""

import jax.numpy as jnp
import numpy as np
import pytest

import steadyflux as sf
from steadyflux.ground.constants import FARADAY, R
from steadyflux.model.accounts import labels
from steadyflux.model.system import State


def rod(hot=350.0):
    """A rod between two temperatures."""
    return sf.Model(
        sf.interval(0.5, 9, area=0.02),
        [sf.Heat()],
        [sf.Fourier(40.0)],
        [sf.Hold("left", {"T": hot}), sf.Hold("right", {"T": 300.0})],
    )


@pytest.fixture(scope="module")
def everything():
    """Hold, influx, film, source, reaction and decay at once."""
    model = sf.Model(
        sf.interval(1.0, 9, area=0.5),
        [sf.Species("A", 0.3), sf.Species("B", standard=-800.0), sf.Heat()],
        [
            sf.NernstPlanck(),
            sf.Fick("B", 0.2),
            sf.MassAction({"A": -1, "B": 1}, 0.6),
            sf.Decay({"B": -1}, 0.1),
            sf.Fourier(2.0),
            sf.Source("T", 7.0),
        ],
        [
            sf.Hold("left", {"A": 2.0, "T": 310.0}),
            sf.Influx("right", {"A": 0.4}),
            sf.Exchange("right", sf.Transfer("B", 0.7), {"B": 0.3}),
            sf.Exchange("right", sf.Transfer("T", 5.0), {"T": 290.0}),
        ],
    )
    return sf.steady(model)


def test_the_entropy_of_a_rod_is_the_textbook_one():
    solution = sf.steady(rod())
    heat = 40.0 * 0.02 * 50.0 / 0.5
    exact = heat * (1 / 300.0 - 1 / 350.0)
    entry, entropy = solution.ledger["T"], solution.entropy
    np.testing.assert_allclose([entry.into, entry.out, entry.produced], [heat, heat, 0.0], rtol=1e-12)
    np.testing.assert_allclose(list(entry.places.values()), [heat, -heat], rtol=1e-12)
    assert (entry.unit, set(entry.places)) == ("W", {"left", "right"})
    np.testing.assert_allclose([entropy.production, entropy.exported], exact, rtol=1e-12)
    np.testing.assert_allclose(entropy.by_cell.sum(), exact, rtol=1e-12)
    np.testing.assert_allclose(entropy.by_law["Conduction(T)"], exact, rtol=1e-12)
    assert entropy.least_local > 0 and entropy.supply == 0.0
    assert solution.regime == "steady nonequilibrium"
    assert f"{solution.flux('T', 'left'):~}".startswith("80.0") and "W" in f"{solution.flux('T', 'left'):~}"


def test_without_a_difference_there_is_equilibrium():
    solution = sf.steady(rod(300.0))
    assert solution.regime == "equilibrium"
    assert abs(solution.entropy.production) < 1e-25


def test_all_that_enters_leaves_or_is_produced(everything):
    ledger = everything.ledger
    for name, entry in ledger.items():
        assert entry.relative < 1e-11, name
        np.testing.assert_allclose(entry.into - entry.out + entry.produced, 0.0, atol=1e-11 * (entry.into + entry.out))
    np.testing.assert_allclose(ledger["T"].produced, 7.0 * 0.5, rtol=1e-12)
    np.testing.assert_allclose(ledger["A"].places["right"], 0.4 * 0.5, rtol=1e-12)
    u, volume = np.asarray(everything.state.u), np.asarray(everything.model.space.volume)
    np.testing.assert_allclose(ledger["A"].produced + ledger["B"].produced, -0.1 * np.sum(volume * u[:, 1]), rtol=1e-11)
    film = 0.7 * 0.5 * (u[-1, 1] - 0.3)
    np.testing.assert_allclose(ledger["B"].places["right"], -film, rtol=1e-10)
    np.testing.assert_allclose(everything.flow("B", "right"), -film, rtol=1e-10)


def test_entropy_by_edges_and_cells_is_what_the_boundaries_export(everything):
    entropy = everything.entropy
    assert entropy.production > 0 and entropy.least_local > -1e-15
    np.testing.assert_allclose(entropy.exported, entropy.production, rtol=1e-9)
    np.testing.assert_allclose(sum(entropy.by_law.values()), entropy.production, rtol=1e-12)
    assert set(entropy.unaccounted) == {"Decay", "Source"}


def test_a_wrong_state_does_not_close_its_ledger(everything):
    u = np.asarray(everything.state.u).copy()
    u[4, 0] *= 1.001
    wrong = sf.Solution(everything.model, State(jnp.asarray(u), everything.state.s), everything.outcome)
    assert wrong.ledger["A"].relative > 1e-6
    assert abs(wrong.ledger["A"].imbalance) > 1e-6 * wrong.ledger["A"].into


def test_a_pump_is_paid_by_its_supply_and_keeps_a_steady_nonequilibrium():
    model = sf.Model(
        sf.network({"cell": 1e-15, "bath": 1e-3}, {"wall": [("cell", "bath")]}, area=1e-10),
        [sf.Ion("Na+"), sf.Potential()],
        [
            sf.Pump({"Na+": 1}, 1e-7, 4e4, saturation={"Na+": 15.0}, on="wall"),
            sf.GoldmanChannel("Na+", 1e-8, on="wall"),
        ],
        [sf.Hold("bath", {"Na+": 140.0, "phi": 0.0}), sf.Hold("cell", {"phi": -0.02})],
    )
    solution = sf.steady(model)
    rate = float(solution.along("Na+", "wall")[0])
    entropy = solution.entropy
    c = float(solution["Na+"][0])
    cycles = 1e-7 * 1e-10 * c / (c + 15.0)
    assert abs(rate) < 1e-9 * cycles  # the leak undoes the pump
    np.testing.assert_allclose(entropy.supply, 4e4 * cycles, rtol=1e-10)
    np.testing.assert_allclose(entropy.production, 4e4 * cycles / 298.15, rtol=1e-8)
    np.testing.assert_allclose(entropy.exported, entropy.production, rtol=1e-8)
    mu = R * 298.15 * np.log(140.0 / c) + FARADAY * 0.02
    np.testing.assert_allclose(entropy.by_law["GoldmanChannel [wall]"], mu * cycles / 298.15, rtol=1e-8)
    assert solution.regime == "steady nonequilibrium"


def test_laws_of_one_kind_are_told_apart_by_place_and_number():
    model = sf.Model(
        sf.network({"a": 1.0, "b": 1.0, "c": 1.0}, {"l": [("a", "b")], "m": [("b", "c")]}),
        [sf.Species("A")],
        [
            sf.Fick("A", 1.0, on="l"),
            sf.Fick("A", 1.0, on="m"),
            sf.Fick("A", 2.0, on="m"),
            sf.Decay({"A": -1}, 1.0, on="c"),
        ],
        [sf.Hold("a", {"A": 1.0})],
    )
    assert labels(model) == ("Conduction(A) [l]", "Conduction(A) [m] #1", "Conduction(A) [m] #2", "Decay [c]")


def test_states_between_cells_are_interpolated_and_units_are_told():
    solution = sf.steady(rod())
    np.testing.assert_allclose(solution.interpolate("T", [0.1, 0.33]), [340.0, 317.0], rtol=1e-12)
    assert solution.unit("T") == "K"
    np.testing.assert_allclose(solution.value("T", "left"), 350.0)
    assert solution.total("T") == 0.0  # no heat capacity was given


def test_a_reaction_at_its_exact_equilibrium_still_runs_both_ways():
    model = sf.Model(
        sf.network({"vessel": 2.0}, {}),
        quantities=[sf.Species("A"), sf.Species("B"), sf.Species("C")],
        laws=[sf.MassAction({"A": -1, "B": 1, "C": 0}, 0.25, 0.25)],
        start={"A": 3.0, "B": 3.0, "C": 1.0},
    )
    end = sf.evolve(model, until="10 s").end
    (book,) = end.books.laws
    np.testing.assert_array_equal(book.flux, 0.0)
    np.testing.assert_allclose(book.traffic[0] / model.space.volume[0], [0.75, 0.75, 0.0])
    assert end.regime == "equilibrium"
