"""Steady states: all lanes agree, closed totals are kept, positive states stay positive, failures say where."""

import jax.numpy as jnp
import numpy as np
import pytest

import steadyflux as sf
from steadyflux.ground.constants import FARADAY, R
from steadyflux.ground.errors import NotConverged

LANES = ("dense", "chain", "sparse")
COARSE = 9


def pore(cells=COARSE, volts=0.05, fixed=0.0):
    """Salt between two baths, with Poisson's equation and a charged wall."""
    return sf.Model(
        sf.interval("10 nm", cells, area="1 nm^2"),
        [sf.Ion("K+", 1.96e-9), sf.Ion("Cl-", 2.03e-9), sf.Potential()],
        [sf.NernstPlanck(), sf.Poisson(fixed_charge=fixed)],
        [
            sf.Hold("left", {"K+": "100 mM", "Cl-": "100 mM", "phi": volts}),
            sf.Hold("right", {"K+": "10 mM", "Cl-": "10 mM", "phi": 0.0}),
        ],
    )


def vessel():
    """A closed vessel with a reaction 2 A <-> B, diffusion, and a sealed slab: one conserved total, A + 2 B."""
    return sf.Model(
        sf.interval(1.0, COARSE, shape="sphere", start=0.5),
        [sf.Species("A"), sf.Species("B")],
        [sf.Fick("A", 1.0), sf.Fick("B", 0.3), sf.MassAction({"A": -2, "B": 1}, 0.7, 0.2)],
        start={"A": lambda x: 1.0 + x, "B": 0.5},
    )


def floating():
    """A membrane potential that floats at zero current, with an exchange of heat at the other end."""
    return sf.Model(
        sf.interval("10 nm", COARSE, area="1 nm^2"),
        [sf.Ion("K+", 1.96e-9), sf.Ion("Cl-", 1e-9), sf.Heat(), sf.Potential()],
        [sf.NernstPlanck(), sf.Poisson(), sf.Fourier(0.6)],
        [
            sf.Hold("left", {"K+": 100.0, "Cl-": 100.0, "T": 298.15, "phi": 0.0}),
            sf.Hold("right", {"K+": 10.0, "Cl-": 10.0}),
            sf.Float("right"),
            sf.Exchange("right", sf.Transfer("T", 1e7), {"T": 298.15}),
        ],
    )


MODELS = {"pore": pore, "vessel": vessel, "floating": floating}


@pytest.fixture(scope="module", params=MODELS)
def solved(request, in_lane):
    model = MODELS[request.param]()
    return {lane: sf.steady(in_lane(model, lane)) for lane in LANES}


def test_all_lanes_find_the_same_state(solved):
    dense = solved["dense"]
    assert dense.model.layout.lane == "dense"
    for lane in LANES[1:]:
        assert solved[lane].model.layout.lane == lane
        for k, q in enumerate(dense.model.quantities):
            size = np.abs(dense.state.u[:, k]).max()
            np.testing.assert_allclose(
                solved[lane].state.u[:, k], dense.state.u[:, k], atol=1e-11 * size, err_msg=q.name
            )
        np.testing.assert_allclose(solved[lane].state.s, dense.state.s, rtol=1e-9, atol=1e-13)


def test_every_ledger_closes_and_both_forms_of_the_entropy_agree(solved):
    for solution in solved.values():
        assert all(entry.relative < 1e-10 for entry in solution.ledger.values())
        entropy, books = solution.entropy, solution.books
        # What the entropy would be if nothing flowed back: the size by which a rounded zero is measured.
        size = sum(float(np.max(np.abs(b.traffic) @ np.abs(books.conjugate).max(axis=0))) for b in books.laws)
        assert entropy.least_local > -1e-13 * size
        np.testing.assert_allclose(entropy.exported, entropy.production, rtol=1e-8, atol=1e-12 * size)


def test_the_lane_is_chosen_by_size_and_shape():
    assert pore(COARSE).layout.lane == "dense"
    assert pore(60).layout.lane == "chain"
    wheel = [("hub", f"r{i}") for i in range(170)]
    spokes = sf.network({"hub": 1.0, **{f"r{i}": 1.0 for i in range(170)}}, {"spoke": wheel})
    star = sf.Model(spokes, [sf.Species("A")], [sf.Fick("A", 1.0, on="spoke")], [sf.Hold("r0", {"A": 2.0})])
    assert star.layout.lane == "sparse"
    np.testing.assert_allclose(sf.steady(star)["A"], 2.0, rtol=1e-10)


# ---- closed models -----------------------------------------------------------------------------------------------


def test_a_closed_vessel_comes_to_chemical_equilibrium_with_its_atoms_kept():
    model = vessel()
    assert model.layout.conserved == ("A from cell 0 at r = 0.5 + 2 B from cell 0 at r = 0.5",)
    solution = sf.steady(model)
    a, b = np.asarray(solution["A"]), np.asarray(solution["B"])
    np.testing.assert_allclose(a, a[0], rtol=1e-9)
    np.testing.assert_allclose(0.7 * a**2, 0.2 * b, rtol=1e-9)
    volume = np.asarray(model.space.volume)
    atoms = np.sum(volume * (1.0 + np.asarray(model.space.position))) + 2 * 0.5 * volume.sum()
    np.testing.assert_allclose(solution.total("A") + 2 * solution.total("B"), atoms, rtol=1e-12)
    assert solution.regime == "equilibrium"


def test_two_disconnected_closed_parts_each_keep_their_own():
    space = sf.network({"a": 1.0, "b": 3.0, "c": 2.0, "d": 2.0}, {"one": [("a", "b")], "two": [("c", "d")]})
    model = sf.Model(
        space,
        [sf.Species("A")],
        [sf.Fick("A", 1.0, on="one"), sf.Fick("A", 2.0, on="two")],
        start={"A": np.array([8.0, 0.0, 1.0, 4.0])},
    )
    assert model.layout.totals == 2
    np.testing.assert_allclose(sf.steady(model)["A"], [2.0, 2.0, 2.5, 2.5], rtol=1e-10)


def test_a_closed_column_in_gravity_settles_by_boltzmann_even_at_a_peclet_number_of_a_thousand():
    weight = 1000.0 * R * 300.0
    model = sf.Model(
        sf.interval(1.0, 80),
        [sf.Species("A", 1e-9, external="lift")],
        [sf.NernstPlanck()],
        given={"lift": lambda x: weight * x},
        temperature=300.0,
        start={"A": 2.0},
    )
    found = np.asarray(sf.steady(model)["A"])
    exact = np.exp(-1000.0 * np.asarray(model.space.position))
    exact *= 2.0 / np.sum(np.asarray(model.space.volume) * exact)
    top = exact > 1e-12 * exact.max()
    np.testing.assert_allclose(found[top], exact[top], rtol=1e-8)
    assert np.all(found >= 0)


def test_a_closed_salt_cell_with_a_charged_wall_keeps_both_ions_and_has_no_current():
    model = sf.Model(
        sf.interval("5 nm", 21),
        [sf.Ion("Na+", 1e-9), sf.Ion("Cl-", 2e-9), sf.Potential()],
        [sf.NernstPlanck(), sf.Poisson()],
        [sf.Hold("left", {"phi": 0.0}), sf.Hold("right", {"phi": 0.1})],
        start={"Na+": 50.0, "Cl-": 50.0},
    )
    solution = sf.steady(model)
    for ion, z in (("Na+", 1), ("Cl-", -1)):
        np.testing.assert_allclose(solution.total(ion), 50.0 * 5e-9, rtol=1e-12)
        mu = np.log(np.asarray(solution[ion])) + z * FARADAY * np.asarray(solution["phi"]) / (R * 298.15)
        np.testing.assert_allclose(mu, mu[0], atol=1e-8)
    assert solution.regime == "equilibrium"


# ---- shared unknowns ---------------------------------------------------------------------------------------------


def test_a_floating_end_carries_no_current_and_takes_the_junctions_voltage():
    solution = sf.steady(floating())
    assert abs(float(solution.current("right"))) < 1e-12 * abs(float(solution.flow("K+", "right"))) * FARADAY
    volts = float(solution["phi at right"])
    assert 0.0 < volts < 0.0593  # between no selectivity and a perfectly cation-selective junction
    np.testing.assert_allclose(solution.value("phi", "right"), volts)


def test_a_shared_unknown_finds_the_feed_that_gives_the_wanted_total():
    model = sf.Model(
        sf.interval(2.0, 7),
        [sf.Species("A")],
        [sf.Fick("A", 3.0)],
        [sf.Influx("left", {"A": sf.shared("feed")}), sf.Hold("right", {"A": 1.0})],
        shared=[sf.Shared("feed", sf.TotalBalance("A", 5.0), start=1.0)],
    )
    solution = sf.steady(model)
    np.testing.assert_allclose(solution["feed"], 4.5, rtol=1e-10)  # total 2 (1 + feed 2/3 / 2)
    np.testing.assert_allclose(solution.flow("A", "left"), 4.5, rtol=1e-10)


# ---- hard problems -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("volts", "fixed"), [(1.0, "-2 M"), (2.0, "5 M"), (-2.0, "-5 M")])
def test_a_strongly_charged_pore_at_volts_is_solved(volts, fixed):
    solution = sf.steady(pore(60, volts, fixed))
    assert solution.outcome.name == "converged"
    for ion in ("K+", "Cl-"):
        flux = np.asarray(solution.along(ion))
        np.testing.assert_allclose(flux, flux[0], rtol=1e-7)
        assert np.all(np.asarray(solution[ion]) > 0)


def test_a_conductivity_of_twenty_decades_is_met_exactly():
    # Kirchhoff: with k = exp(x) the transform exp(x) is linear between the ends.
    model = sf.Model(
        sf.interval(1.0, 40),
        [sf.Volume("p")],
        [sf.Darcy(sf.Exponential(1.0, 1.0))],
        [sf.Hold("left", {"p": 0.0}), sf.Hold("right", {"p": 46.0})],
    )
    solution = sf.steady(model)
    exact = np.log1p(np.asarray(model.space.position) * np.expm1(46.0))
    np.testing.assert_allclose(solution["p"], exact, rtol=1e-7, atol=1e-9)


class Heating(sf.CellLaw):
    """A source that grows exponentially with the temperature (Frank-Kamenetskii)."""

    strength: float = sf.parameter("", "strength")

    @property
    def makes(self):
        """Heat, on a scale where it is small."""
        return ("p",)

    def production(self, here, cell):
        """strength exp(p)."""
        return {"p": self.strength * jnp.exp(here["p"])}


def bratu(strength, cells=40, capacity=0.0):
    """-u'' = strength exp(u) between walls at zero."""
    return sf.Model(
        sf.interval(1.0, cells),
        [sf.Volume("p", capacity=capacity)],
        [sf.Darcy(1.0), Heating(strength)],
        [sf.Hold("left", {"p": 0.0}), sf.Hold("right", {"p": 0.0})],
    )


def test_a_source_just_below_the_critical_one_is_solved():
    top = float(jnp.max(sf.steady(bratu(3.5, 41))["p"]))
    # Closed form: u(1/2) = 2 ln cosh(theta / 4) with theta = sqrt(2 lambda) cosh(theta / 4), lower branch.
    theta = 2.0
    for _ in range(2000):
        theta = np.sqrt(7.0) * np.cosh(theta / 4)
    np.testing.assert_allclose(top, 2 * np.log(np.cosh(theta / 4)), rtol=2e-2)


def test_a_source_beyond_the_critical_one_is_refused_with_the_place():
    with pytest.raises(NotConverged) as failure:
        sf.steady(bratu(20.0))
    sentence = str(failure.value)
    assert "the residual is largest for p in the cell" in sentence
    assert "at x = " in sentence and "start from a solution nearby" in sentence
    assert failure.value.exit_code == 3
    solution = sf.steady(bratu(20.0), throw=False)
    assert solution.outcome.name == "not converged"
    assert int(solution.outcome.phase) == 1  # embedding was tried, then pseudo-time
    assert int(solution.outcome.iterations) > 20


def test_a_good_start_saves_work():
    first = sf.steady(pore(60, 1.0, "-2 M"))
    again = sf.steady(pore(60, 1.01, "-2 M"), first)
    assert int(again.outcome.iterations) < int(first.outcome.iterations)
    np.testing.assert_allclose(again["K+"], sf.steady(pore(60, 1.01, "-2 M"))["K+"], rtol=1e-8)


def test_a_species_that_dies_out_vanishes_without_going_negative():
    model = sf.Model(
        sf.interval(1.0, 50),
        [sf.Species("A")],
        [sf.Fick("A", 1e-3), sf.Decay({"A": -1}, 400.0)],
        [sf.Hold("left", {"A": 1.0}), sf.Hold("right", {"A": 0.0})],
    )
    found = np.asarray(sf.steady(model)["A"])
    assert np.all(found >= 0)
    assert found[5] < 1e-6


def test_a_solution_says_in_one_line_what_it_is():
    model = sf.Model(
        sf.interval(0.3, 7),
        [sf.Species("c")],
        [sf.Fick("c", 2.1)],
        [sf.Hold("left", {"c": 1.7}), sf.Hold("right", {"c": 0.4})],
    )
    assert repr(sf.steady(model)) == "Solution(c in 7 cells: converged after 1 linear solves)"


@pytest.mark.parametrize("order", [0.2, 0.5, 0.9, 1.5, 3.0])
@pytest.mark.parametrize("lane", LANES)
def test_the_balance_of_a_trace_is_closed_too(order, lane, in_lane):
    # At the transport limit k c^order = D bulk / L, with c far below the 1e-8 of the bulk that a step is measured by.
    length, bulk, diffusivity = 1.3e-5, 1.7, 1.1e-9
    flux, trace = diffusivity * bulk / length, 1e-12 * bulk
    law = sf.SurfaceRate({"c": -1}, flux / trace**order, {"c": order})
    model = sf.Model(
        sf.interval(length, 41),
        [sf.Species("c")],
        [sf.Fick("c", diffusivity)],
        [sf.Exchange("left", law, {"c": bulk}), sf.Hold("right", {"c": bulk})],
    )
    solution = sf.steady(in_lane(model, lane))
    np.testing.assert_allclose(-float(solution.flow("c", "left")), flux, rtol=1e-8)
    np.testing.assert_allclose(float(solution["c"][0]), trace, rtol=1e-7)
    assert solution.ledger["c"].relative < 1e-10
