"""Dimerization: its claims, late and early times, a given constant, and bad input."""

import numpy as np
import pytest

from steadyflux.ground.constants import R
from steadyflux.ground.errors import InputError
from steadyflux.systems.reaction.dimerization import SYSTEM


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


def exact(temperature: float, k_f: float, k_c: float, c1: float, c2: float, times: np.ndarray) -> np.ndarray:
    """Distance of N2O4 from equilibrium at times, without cancellation (logistic solution)."""
    units, k_r = c1 + 2 * c2, k_f / k_c
    low, high = sorted(np.roots([4 * k_f, -(4 * k_f * units + k_r), k_f * units**2]).real)
    ratio = (low - c2) / (high - c2) * np.exp(-4 * k_f * (high - low) * times)
    return -ratio * (high - low) / (1 - ratio)


@pytest.mark.parametrize(
    "given",
    [
        {"no2": 3e-3, "n2o4": 0.0, "temperature": 600.0, "rate_constant": 40.0},
        {"no2": 2e4, "n2o4": 10.0, "temperature": 220.0, "rate_constant": 1e7},
        {"no2": 0.0, "n2o4": 55.0, "equilibrium_constant": 2e3, "rate_constant": 1.0},
    ],
    ids=["thin and hot", "dense and cold", "a constant of its own"],
)
def test_distance_and_affinity_keep_their_digits_from_the_beginning_to_the_last(given):
    tau = SYSTEM.run(**given).answers["relaxation_time"]
    times = tau * np.array([0.01, 0.3, 2.0, 8.0, 16.0, 30.0])
    a = SYSTEM.run(**given, times=tuple(times)).answers
    start = (given["no2"], given["n2o4"])
    x = exact(given.get("temperature", 298.15), given["rate_constant"], a["constant"], *start, times)
    one, two = -2 * x / a["no2_equilibrium"], x / a["n2o4_equilibrium"]
    force = 2 * np.log1p(one) - np.log1p(two)
    rate = -given["rate_constant"] * (a["no2_equilibrium"] * (1 + one)) ** 2 * np.expm1(-force)
    thermal = R * given.get("temperature", 298.15)
    np.testing.assert_allclose(a["affinity"], thermal * force, rtol=1e-4)
    np.testing.assert_allclose(a["rate"], rate, rtol=1e-4)
    np.testing.assert_allclose(a["path"], a["n2o4_equilibrium"] + x, rtol=1e-8)
    if "equilibrium_constant" in given:
        assert a["constant"] == pytest.approx(2e3, rel=1e-10)


def test_at_equilibrium_nothing_happens():
    rest = SYSTEM.run().answers
    a = SYSTEM.run(no2=rest["no2_equilibrium"], n2o4=rest["n2o4_equilibrium"]).answers
    assert np.allclose(a["path"], rest["n2o4_equilibrium"], rtol=1e-9)
    assert abs(a["affinity_start"]) < 1e-6 and abs(a["entropy_total"]) < 1e-9


def test_a_short_run_tells_what_it_has_reached():
    a = SYSTEM.run(until="2e-8 s").answers
    assert a["times_told"] == [1e-9, 1e-8] and len(a["path"]) == 2


def test_sampled_numbers_scatter_less_than_poisson_numbers_do():
    a = SYSTEM.run(sampled_molecules=400, sampled_runs=400, times=(1e-6,)).answers
    # In equilibrium the variance of the pairs is 1 / (4 / n1 + 1 / n2), by expansion of the canonical distribution.
    one, two = (400 * a[name] / 40.34 for name in ("no2_equilibrium", "n2o4_equilibrium"))
    assert a["sampled_variance"][0] == pytest.approx(1 / (4 / one + 1 / two), rel=4 * np.sqrt(2 / 400))


def test_bad_input():
    with pytest.raises(InputError, match="empty"):
        SYSTEM.run(no2=0.0)
    with pytest.raises(InputError, match="increase"):
        SYSTEM.run(times=(2e-9, 1e-9))


def test_the_figure_draws():
    assert len(SYSTEM.figure(SYSTEM.run(sampled_molecules=100, sampled_runs=20)).axes) == 2
