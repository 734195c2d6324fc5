"""Reversible reactions: claims, random networks against independent algebra, one-way steps, and refusals."""

import numpy as np
import pytest

from steadyflux import InputError
from steadyflux.systems.reaction.reversible_reaction import SYSTEM


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for one in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(one.measured, one.expected, rtol=one.rtol, atol=one.atol)


def test_pathways_over_wide_ranges():
    rng = np.random.default_rng(8)
    for _ in range(15):
        k = 10 ** rng.uniform(-3, 3, (4, 2))
        ends = 10 ** rng.uniform(-3, 2, 2)
        a = SYSTEM.run(forward=tuple(k[:, 0]), reverse=tuple(k[:, 1]), ends=tuple(ends)).answers
        # Resistances in series: J = (X0 - X4 / K) / sum of (1 / k_i) prod over the steps before of k_r / k_f.
        before = np.cumprod([1.0, *(k[:, 1] / k[:, 0])])
        resistance = before[:4] / k[:, 0]
        flux = (ends[0] - ends[1] * before[4]) / resistance.sum()
        np.testing.assert_allclose(a["net"], flux, rtol=1e-7, atol=1e-9 * max(a["forward"]))
        np.testing.assert_allclose(a["control_coefficients"], resistance / resistance.sum(), rtol=1e-6, atol=1e-7)


def test_a_pathway_can_run_backwards_out_of_nothing():
    answers = SYSTEM.run(ends=(0.0, 2.0)).answers
    assert all(rate < 0 for rate in answers["net"])
    assert answers["gamma"][0] == np.inf


def test_books_of_a_driven_cycle():
    solution = SYSTEM.run(network="cycle").solution
    entropy = solution.entropy
    np.testing.assert_allclose(entropy.production, entropy.exported, rtol=1e-10)
    np.testing.assert_allclose(entropy.supply, entropy.production * 298.15, rtol=1e-10)
    assert entropy.least_local >= 0.0
    assert solution.regime == "steady nonequilibrium"


def test_a_cycle_in_detailed_balance_rests():
    weights = np.array([0.3, 1.1, 2.0, 0.7])
    symmetric = np.array([[0, 2, 0.5, 1], [2, 0, 3, 0.2], [0.5, 3, 0, 4], [1, 0.2, 4, 0]])
    result = SYSTEM.run(network="cycle", rate_matrix=tuple((symmetric / weights[:, None]).ravel()))
    np.testing.assert_allclose(result.answers["concentrations"], weights / weights.sum(), rtol=1e-10)
    assert result.solution.regime == "equilibrium"
    assert "control_coefficients" not in result.answers


def test_cycles_through_chemostats():
    reactions = [("A <-> X", 1.0, 0.5), ("X <-> 2 B", 3.0, 0.2), ("A <-> 2 B", 0.1, 0.3)]
    species = [("A", 2.0, "yes"), ("B", 0.4, "yes"), ("X", 0.0, "no")]
    answers = SYSTEM.run(network="reactions", reactions=reactions, species=species).answers
    assert answers["cycles"] == [[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    x = (1.0 * 2.0 + 0.2 * 0.4**2) / 3.5
    np.testing.assert_allclose(answers["cycle_fluxes"], [2.0 - 0.5 * x, 0.2 - 0.3 * 0.16], rtol=1e-10)


@pytest.mark.parametrize(
    "given",
    [
        {"forward": (1.0,)},
        {"network": "cycle", "rate_matrix": (1.0, 2.0, 3.0)},
        {"network": "reactions", "reactions": [("A = Q", 1.0, 1.0)]},
        {"network": "reactions", "reactions": [("A B", 1.0, 1.0)]},
        {"network": "reactions", "reactions": [("A <-> A", 1.0, 1.0)]},
        {"observed": 7},
        {"network": "pathways"},
    ],
)
def test_bad_input_is_refused(given):
    with pytest.raises(InputError):
        SYSTEM.run(**given)


def test_figure_has_axes_with_units():
    axes = SYSTEM.figure(SYSTEM.run(network="enzyme")).axes
    assert "mol" in axes[0].get_ylabel()


def test_sampling_follows_a_reaction_that_runs_backwards_only_and_one_between_held_species():
    a = SYSTEM.run(
        forward=(0.0, 0.05), reverse=(0.12, 0.4), ends=(0.0, 1.0), sampled_molecules=400, sampled_runs=100
    ).answers
    assert a["sampled_net"][0] < 0 and a["sampled_affinity"][0] == -np.inf
    off = (np.array(a["sampled_net"]) - np.array(a["net"])) / np.array(a["sampled_net_error"])
    assert np.all(np.abs(off) < 4)
    b = SYSTEM.run(network="reactions", sampled_molecules=1000, sampled_runs=400).answers
    assert abs(b["sampled_net"][0] - b["net"][0]) < 4 * b["sampled_net_error"][0]
