"""Continuation: a published fold, a limit with a closed form, a value reached, and refusals."""

import jax.numpy as jnp
import numpy as np
import pytest

import steadyflux as sf
from steadyflux.ground.errors import ModelError

BRATU = 3.513830719  # critical strength in one dimension (Bratu 1914; e.g. Boyd, Appl. Math. Comput. 143 (2003) 189)


class Heating(sf.CellLaw):
    """A source that grows exponentially with the state."""

    strength: float = sf.parameter("", "strength")

    @property
    def makes(self):
        """The state."""
        return ("p",)

    def production(self, here, cell):
        """strength exp(p)."""
        return {"p": self.strength * jnp.exp(here["p"])}


def bratu(strength, cells):
    """-u'' = strength exp(u) between walls at zero."""
    return sf.Model(
        sf.interval(1.0, cells),
        [sf.Volume("p")],
        [sf.Darcy(1.0), Heating(strength)],
        [sf.Hold("left", {"p": 0.0}), sf.Hold("right", {"p": 0.0})],
    )


def uptake(feed):
    """A compartment fed at a given rate whose only way out saturates at 3 mol/s."""
    return sf.Model(
        sf.network({"cell": 2.0}, {}),
        [sf.Species("A")],
        [sf.MichaelisMenten({"A": -1}, 1.5, 0.4)],
        [sf.Influx("cell", {"A": feed})],
    )


@pytest.fixture(scope="module")
def folds():
    return {cells: sf.trace(bratu(0.5, cells), bratu(2.5, cells), until=2.0) for cells in (11, 21)}


def test_the_fold_of_bratus_problem_is_found_at_its_published_strength(folds):
    critical = {}
    for cells, branch in folds.items():
        assert branch.end == "fold"
        critical[cells] = 0.5 + 2.0 * branch.critical
    coarse, fine = critical[11], critical[21]
    assert abs(fine - BRATU) < 0.3 * abs(coarse - BRATU) < 0.02
    np.testing.assert_allclose((4 * fine - coarse) / 3, BRATU, rtol=2e-5)


def test_every_point_of_a_branch_is_a_steady_state(folds):
    branch = folds[11]
    values = [point.value for point in branch.points]
    assert values[0] == 0.0 and values == sorted(values)
    for number in (1, len(values) // 2, -2):
        solution = branch.solution(number)
        assert solution.outcome.name == "converged"
        np.testing.assert_allclose(solution["p"], branch.points[number].state.u[:, 0], rtol=1e-7, atol=1e-12)


def test_at_the_fold_the_middle_has_its_published_height(folds):
    # u_max at the fold is 1.18684 (the same sources); the mesh error is of second order.
    tops = [float(branch.points[-1].state.u.max()) for branch in folds.values()]
    np.testing.assert_allclose((4 * tops[1] - tops[0]) / 3, 1.18684, rtol=2e-3)


def test_a_saturating_way_out_limits_the_feed():
    branch = sf.trace(uptake(0.1), uptake(6.0))
    assert branch.end == "limit"
    np.testing.assert_allclose(0.1 + 5.9 * branch.critical, 3.0, rtol=1e-6)
    a = [float(point.state.u[0, 0]) for point in branch.points]
    feed = np.array([0.1 + 5.9 * point.value for point in branch.points])
    near = feed < 2.9
    np.testing.assert_allclose(np.array(a)[near], (0.4 * feed / (3.0 - feed))[near], rtol=1e-7)


def test_a_value_within_reach_is_reached():
    branch = sf.trace(uptake(0.1), uptake(1.5))
    assert (branch.end, branch.critical) == ("reached", None)
    assert branch.points[-1].value == 1.0
    np.testing.assert_allclose(branch.solution()["A"], [0.4], rtol=1e-9)


def test_models_of_different_structure_and_closed_ones_are_refused():
    with pytest.raises(ModelError, match="two models of one structure"):
        sf.trace(bratu(0.5, 11), uptake(1.0))
    closed = sf.Model(sf.interval(1.0, 4), [sf.Species("A")], [sf.Fick("A", 1.0)], start={"A": 1.0})
    with pytest.raises(ModelError, match="Continuation of closed models is not offered"):
        sf.trace(closed, closed)
