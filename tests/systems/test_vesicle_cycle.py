"""The vesicle cycle: its claims, linear pools against linear algebra over wide ranges, and refusals."""

import numpy as np
import pytest

from steadyflux import InputError
from steadyflux.systems.life.vesicle_cycle import POOLS, STEPS, SYSTEM, rates


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for one in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(one.measured, one.expected, rtol=one.rtol, atol=one.atol)


def pools_by_linear_algebra(k, total):
    matrix = np.zeros((len(POOLS), len(POOLS)))
    for (tail, head), rate in zip(STEPS.values(), k, strict=True):
        i, j = POOLS.index(tail), POOLS.index(head)
        matrix[i, i] -= rate
        matrix[j, i] += rate
    matrix[0] = 1.0
    return np.linalg.solve(matrix, np.array([total, 0.0, 0.0, 0.0, 0.0]))


def test_linear_pools_over_wide_ranges():
    rng = np.random.default_rng(3)
    for _ in range(12):
        given = {f"{step}_rate": 10 ** rng.uniform(-4, 2) for step in list(STEPS)[1:]}
        given |= {"stimulus_frequency": 10 ** rng.uniform(-2, 3), "total_vesicles": 10 ** rng.uniform(0, 5)}
        result = SYSTEM.run(**given)
        expected = pools_by_linear_algebra(rates(result.parameters), given["total_vesicles"])
        np.testing.assert_allclose(result.answers["pools"], expected, rtol=1e-6)
        np.testing.assert_allclose(sum(result.answers["control_coefficients"]), 1.0, rtol=1e-7)


def test_saturable_retrieval_meets_its_capacity():
    given = {"kinetics": "saturable", "stimulus_frequency": 1e3, "total_vesicles": 1e5, "priming_rate": 50.0}
    given |= {"storing_rate": 1e-6, "sorting_rate": 1e-6, "budding_rate": 10.0}
    answers = SYSTEM.run(**given).answers
    np.testing.assert_allclose(answers["release_rate"], 25 * 0.065 + 150 * 0.02, rtol=2e-3)
    assert answers["bottleneck"] in ("direct", "bulk")


def test_the_books():
    solution = SYSTEM.run().solution
    assert solution.ledger["N"].relative < 1e-10
    assert solution.regime == "steady nonequilibrium"


@pytest.mark.parametrize("given", [{"direct_rate": -1.0}, {"blocks": "relase"}, {"release_probability": 1.5}])
def test_bad_input_is_refused(given):
    with pytest.raises(InputError):
        SYSTEM.run(**given)


def test_figure_shows_pools_and_control():
    axes = SYSTEM.figure(SYSTEM.run()).axes
    assert axes[0].get_ylabel() == "vesicles"
    assert len(axes[1].patches) == 2 * len(STEPS)


def test_sampling_wants_whole_vesicles_and_runs():
    with pytest.raises(InputError, match="whole number of vesicles"):
        SYSTEM.run(sampled_runs=20, total_vesicles=20.5)
    with pytest.raises(InputError, match="at least two runs"):
        SYSTEM.run(sampled_runs=1)


def test_few_vesicles_with_saturable_retrieval_are_all_there():
    a = SYSTEM.run(kinetics="saturable", total_vesicles=30.0, sampled_runs=100, sampled_time=60.0).answers
    assert sum(a["sampled_pools"]) == pytest.approx(30.0, rel=1e-12)
    assert a["sampled_release_rate"] == pytest.approx(a["release_rate"], rel=0.1)
    assert len(SYSTEM.figure(SYSTEM.run(sampled_runs=10, sampled_time=5.0)).axes) == 2
