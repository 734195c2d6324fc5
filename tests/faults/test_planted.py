"""Every checker is fed a planted fault and must catch it, and passes the same case without the fault."""

import dataclasses

import equinox as eqx
import numpy as np
import pytest

import steadyflux as sf
from steadyflux.audit.curie import check_curie
from steadyflux.audit.derivative import check_law_derivatives, check_solution_derivative
from steadyflux.audit.detailed_balance import check_detailed_balance
from steadyflux.audit.findings import failures
from steadyflux.audit.ledger import check_boundary_form, check_ledger, size_of_entropy
from steadyflux.audit.local_equilibrium import check_local_equilibrium
from steadyflux.audit.order import check_order
from steadyflux.audit.probe import examine
from steadyflux.audit.reciprocity import check_model_reciprocity, check_reciprocity
from steadyflux.audit.second_law import check_second_law
from steadyflux.model.solution import Solution

from ..audit.cases import coupled, own_law, pore, pumped, rod
from . import laws


def film(*acting, right=0.8, species=(), **options):
    return sf.Model(
        space=sf.interval(1.3e-3, cells=17),
        quantities=[sf.Species("c"), *species],
        laws=acting,
        boundaries=[sf.Hold("left", {"c": 5.3}), sf.Hold("right", {"c": right})],
        **options,
    )


def titles(findings):
    return {f.title for f in failures(findings)}


# ---- balances and entropy --------------------------------------------------------------------------------------------


def test_a_state_that_does_not_balance_is_caught():
    solution = sf.steady(rod())
    assert titles(check_ledger(solution)) == set()
    spoilt = solution.state.u.at[7, 0].multiply(1.0 + 1e-7)
    found = failures(check_ledger(eqx.tree_at(lambda s: s.state.u, solution, spoilt)))
    assert {f.title for f in found} == {"balance closed in every cell"}
    assert (
        "the cell 7 at" in found[0].detail or "the cell 6 at" in found[0].detail or "the cell 8 at" in found[0].detail
    )
    beside = solution.state.u.at[1, 0].multiply(1.0 + 1e-7)  # next to a held cell it shows in the sum too
    found = titles(check_ledger(eqx.tree_at(lambda s: s.state.u, solution, beside)))
    assert found == {"balance closed in every cell", "balance closed"}


@pytest.mark.parametrize("hidden", [True, False])
def test_mass_destroyed_without_a_declaration_is_caught(hidden):
    leak = laws.HiddenLeak() if hidden else sf.Decay({"c": -1, "B": 1}, 1.1e-4)
    model = sf.Model(
        space=sf.interval(1.3e-3, cells=17),
        quantities=[sf.Species("c"), sf.Species("B")],
        laws=[sf.Fick("c", 1.3e-9), sf.Fick("B", 1.1e-9), leak],
        boundaries=[sf.Hold("left", {"c": 5.3, "B": 0.2}), sf.Hold("right", {"c": 0.8, "B": 0.1})],
    )
    caught = failures(check_ledger(sf.steady(model)))
    assert [(f.subject, f.title) for f in caught] == ([("c", "balance closed")] if hidden else [])


@pytest.mark.parametrize("sign", [1.0, -1.0, 1.0 + 1e-8])
def test_an_entropy_of_wrong_sign_or_size_is_caught(sign):
    solution = sf.steady(rod())
    entropy = dataclasses.replace(solution.entropy, exported=sign * solution.entropy.exported)
    assert check_boundary_form(entropy, size_of_entropy(examine(solution))).passed == (sign == 1.0)


def test_entropy_that_is_not_a_number_fails():
    entropy = dataclasses.replace(sf.steady(rod()).entropy, production=np.nan)
    assert not check_boundary_form(entropy, 1.0).passed


@pytest.mark.parametrize("law", [laws.Uphill(), laws.Backward()])
def test_a_law_that_runs_uphill_without_a_supply_is_caught(law):
    model = film(sf.Fick("c", 2.9e-9), law, right=5.9)
    found = failures(check_second_law(sf.steady(model)))
    assert [f.subject for f in found] == [type(law).__name__]
    assert "on the edge from" in found[0].detail and "without a supply" in found[0].detail and found[0].measured < 0
    assert titles(check_second_law(sf.steady(film(sf.Fick("c", 2.9e-9), right=5.9)))) == set()


@pytest.mark.parametrize(("energy", "enough"), [(52e3, True), (3e3, False)])
def test_a_supply_too_small_for_its_work_is_caught(energy, enough):
    found = failures(check_second_law(sf.steady(pumped(energy))))
    assert ([f.subject for f in found] == []) == enough
    assert enough or "its supply is too small" in found[0].detail


def test_entropy_produced_at_equilibrium_is_caught(monkeypatch):
    model = film(sf.Fick("c", 2.9e-9), right=5.3)
    solution = sf.steady(model)
    assert solution.regime == "equilibrium" and titles(check_second_law(solution)) == set()
    true = Solution.entropy.fget
    wrong = property(lambda self: dataclasses.replace(true(self), production=1e-13))
    monkeypatch.setattr(Solution, "entropy", wrong)
    assert titles(check_second_law(solution)) == {"no entropy produced"}


def test_a_state_that_is_not_a_number_is_caught():
    solution = sf.steady(own_law())
    broken = eqx.tree_at(lambda s: s.state.u, solution, solution.state.u.at[3, 0].set(np.nan))
    assert "entropy production nowhere negative" in titles(check_second_law(broken))
    assert "balance closed in every cell" in titles(check_ledger(broken))


# ---- reciprocity -----------------------------------------------------------------------------------------------------


def with_matrix(matrix):
    """The coupled model with a matrix put in behind the back of the law's own refusal."""
    return eqx.tree_at(lambda m: m.laws[0].matrix, coupled(), sf_array(matrix))


def sf_array(matrix):
    return eqx.filter_jit(lambda x: x)(np.asarray(matrix, dtype=float))


def test_an_asymmetric_matrix_is_caught_in_the_law_and_in_the_computed_fluxes():
    model = with_matrix([[3.1e4, 2.3e-6], [2.2e-6, 1.3e-9]])
    solution = sf.steady(model)
    assert titles(check_second_law(solution)) == set()  # its symmetric part is positive: only reciprocity sees it
    found = failures(check_reciprocity(solution))
    assert [f.title for f in found] == ["response to the conjugate forces symmetric at equilibrium"]
    assert "L[T,c] = " in found[0].detail
    assert not check_model_reciprocity(model).passed
    assert check_model_reciprocity(coupled()).passed


def test_a_matrix_that_is_not_positive_is_caught():
    model = with_matrix([[3.1e4, 8.1e-3], [8.1e-3, 1.3e-9]])
    assert titles(check_reciprocity(sf.steady(model))) == {
        "response to the conjugate forces positive semidefinite at equilibrium"
    }
    assert check_model_reciprocity(model).passed


def test_a_passive_law_that_moves_between_equal_states_is_caught():
    solution = sf.steady(film(sf.Fick("c", 2.9e-9), laws.Uphill()))
    assert "no flux between two equal states" in titles(check_reciprocity(solution))


def test_velocities_take_casimirs_sign():
    space = sf.network({"a": 1.1, "b": 1.3}, {"interior": [("a", "b")]})
    model = sf.Model(
        space=space,
        quantities=[sf.Heat(), sf.Momentum()],
        laws=[laws.HeatAndMomentum()],
        boundaries=[sf.Hold("a", {"T": 310.0, "v": 0.3}), sf.Hold("b", {"T": 290.0, "v": 0.1})],
    )
    assert titles(check_reciprocity(sf.steady(model))) == set()


@pytest.mark.parametrize("share", [1.0, 0.9])
def test_work_done_by_friction_is_judged_with_velocities_turned_round(share):
    model = sf.Model(
        space=sf.interval(0.1, cells=9),
        quantities=[sf.Heat(), sf.Momentum()],
        laws=[laws.Friction(share=share)],
        boundaries=[sf.Hold("left", {"T": 310.0, "v": 0.3}), sf.Hold("right", {"T": 290.0, "v": 1.1})],
    )
    found = titles(check_reciprocity(sf.steady(model)))
    assert found == (set() if share == 1.0 else {"response to the conjugate forces symmetric at equilibrium"})


# ---- detailed balance ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [1.0, 0.9])
def test_a_wrong_pair_is_caught(share):
    slope = sf.Species("c", external="energy")
    model = sf.Model(
        space=sf.interval(1.3e-3, cells=17),
        quantities=[slope],
        laws=[laws.WrongRatio(share=share)],
        boundaries=[sf.Hold("left", {"c": 5.3}), sf.Hold("right", {"c": 0.8})],
        given={"energy": lambda x: 2.3e6 * x},
    )
    found = titles(check_detailed_balance(sf.steady(model)))
    assert found == (set() if share == 1.0 else {"R ln(forward/reverse) is the rise of the conjugate potential"})


def test_a_flux_that_is_not_the_difference_of_its_pair_is_caught():
    found = titles(check_detailed_balance(sf.steady(film(laws.Contradicting()))))
    assert found == {"net flux is forward less reverse"}


@pytest.mark.parametrize("error", [0.0, 25.0])
def test_a_reaction_against_its_standard_potentials_is_caught(error):
    model = sf.Model(
        space=sf.interval(1.3e-3, cells=17),
        quantities=[sf.Species("A", 1e-9, standard=900.0), sf.Species("c", 1.3e-9)],
        laws=[sf.NernstPlanck(), laws.LeakyReaction({"A": -1, "c": 1}, error=error)],
        boundaries=[sf.Hold("left", {"c": 5.3, "A": 2.1}), sf.Hold("right", {"c": 0.8})],
        start={"A": 1.0},
    )
    found = failures(check_detailed_balance(sf.steady(model)))
    assert [f.subject for f in found] == ([] if error == 0.0 else ["LeakyReaction"])
    assert error == 0.0 or "in the cell" in found[0].detail


# ---- Curie -----------------------------------------------------------------------------------------------------------


def test_an_affinity_that_drives_a_flux_along_a_mesh_is_caught():
    model = film(laws.AffinityDriven(), sf.Fick("A", 1e-9), species=[sf.Species("A")], start={"A": 7.1})
    assert titles(check_curie(sf.steady(model))) == {"no vector flux without a gradient", "no direction of its own"}
    clean = film(sf.Fick("c", 1e-9), sf.Fick("A", 1e-9), species=[sf.Species("A")], start={"A": 7.1})
    assert titles(check_curie(sf.steady(clean))) == set()


def heat_and_momentum(space, left, right):
    return sf.Model(
        space=space,
        quantities=[sf.Heat(), sf.Momentum()],
        laws=[laws.HeatAndMomentum()],
        boundaries=[sf.Hold(left, {"T": 310.0, "v": 0.3}), sf.Hold(right, {"T": 290.0, "v": 0.1})],
    )


def test_ranks_coupled_on_a_mesh_are_refused_and_on_a_membrane_allowed():
    with pytest.raises(sf.ModelError, match="Curie's principle: in an isotropic medium T and v cannot be coupled"):
        heat_and_momentum(sf.interval(0.1, cells=9), "left", "right")
    membrane = sf.network({"a": 1.1, "b": 1.3}, {"interior": [("a", "b")]})
    assert titles(check_curie(sf.steady(heat_and_momentum(membrane, "a", "b")))) == set()


# ---- derivatives -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [1.0, 1.0001])
def test_a_wrong_derivative_rule_is_caught(factor):
    solution = sf.steady(film(laws.Bent(factor=factor)))
    assert (titles(check_law_derivatives(solution)) == set()) == (factor == 1.0)
    assert check_solution_derivative(solution).passed == (factor == 1.0)


def test_the_derivative_checks_see_small_defects():
    """What the checks let pass on a clean model lies far below the planted fault."""
    for build in (own_law, pore, rod):
        solution = sf.steady(build())
        whole = check_solution_derivative(solution)
        assert whole.judged and whole.measured < 1e-7
        assert all(f.judged and f.measured < 1e-7 for f in check_law_derivatives(solution))


# ---- order and local equilibrium -------------------------------------------------------------------------------------


def decaying(cells, upwind):
    """Advected and diffusing, c = 1 at the left and 0.1 at the right: the flow that leaves on the right."""
    speed, spread = 1.7e-3, 1.1e-4
    stream = (
        [sf.Advection("c", speed), sf.Fick("c", spread)]
        if upwind
        else [sf.Fick("c", spread), sf.Decay({"c": -1}, 1e-2)]
    )
    model = sf.Model(
        space=sf.interval(0.3, cells=cells),
        quantities=[sf.Species("c")],
        laws=stream,
        boundaries=[sf.Hold("left", {"c": 1.0}), sf.Hold("right", {"c": 0.1})],
    )
    exact_stream = speed * (1.0 - 0.1 * np.exp(-speed * 0.3 / spread)) / (1.0 - np.exp(-speed * 0.3 / spread))
    root = np.sqrt(1e-2 / spread)
    exact_decay = spread * root * (1.0 * np.cosh(root * 0.3) - 0.1) / np.sinh(root * 0.3)
    return sf.steady(model).flow("c", "left") - (exact_stream if upwind else exact_decay)


@pytest.mark.parametrize("upwind", [True, False])
def test_a_first_order_scheme_declared_second_order_is_caught(upwind):
    cells = [41, 81, 161]
    errors = [float(decaying(n, upwind)) for n in cells]
    steps = [0.3 / (n - 1) for n in cells]
    finding = check_order("flow", 2.0, errors=errors, steps=steps, size=1e-3)
    assert finding.passed == (not upwind)
    assert check_order("flow", 1.0, errors=errors, steps=steps, size=1e-3).passed == upwind


@pytest.mark.parametrize(("path", "holds"), [(1e-7, True), (3e-2, False)])
def test_a_mean_free_path_longer_than_the_gradient_is_caught(path, holds):
    model = sf.Model(
        space=sf.interval(0.01, cells=9),
        quantities=[sf.Heat()],
        laws=[laws.Rarefied(path)],
        boundaries=[sf.Hold("left", {"T": 310.0}), sf.Hold("right", {"T": 290.0})],
    )
    [finding] = check_local_equilibrium(sf.steady(model))
    assert finding.passed == holds
