"""The sink: its claims, levels over a wide range against a root found by bisection, and refusals."""

import numpy as np
import pytest
from scipy.optimize import brentq

from steadyflux import InputError
from steadyflux.ground.constants import G_STANDARD
from steadyflux.systems.flow.sink import SYSTEM


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for one in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(one.measured, one.expected, rtol=one.rtol, atol=one.atol)


def test_levels_over_wide_ranges():
    rng = np.random.default_rng(11)
    for _ in range(25):
        given = {
            "inflow": 10 ** rng.uniform(-6, 1),
            "orifice_area": 10 ** rng.uniform(-7, -1),
            "leak": 10 ** rng.uniform(-8, 0),
            "overflow_height": 10 ** rng.uniform(-2, 2),
            "weir_width": 10 ** rng.uniform(-2, 1),
        }

        def surplus(h, p=given):
            over = 1.84 * p["weir_width"] * max(h - p["overflow_height"], 0.0) ** 1.5
            return 0.62 * p["orifice_area"] * np.sqrt(2 * G_STANDARD * h) + p["leak"] * h + over - p["inflow"]

        expected = brentq(surplus, 0.0, 1e12, xtol=1e-300, rtol=1e-13)
        result = SYSTEM.run(**given)
        np.testing.assert_allclose(result.answers["level"], expected, rtol=1e-5)
        np.testing.assert_allclose(result.answers["throughput"], given["inflow"], rtol=1e-10)


def test_books_of_the_open_vessel():
    solution = SYSTEM.run(leak=1e-4).solution
    assert solution.ledger["p"].relative < 1e-10
    np.testing.assert_allclose(solution.entropy.production, solution.entropy.exported, rtol=1e-12)
    assert solution.entropy.least_local >= 0.0


def test_a_closed_pair_that_starts_level_stays_so():
    answers = SYSTEM.run(mode="closed", first_level=0.07, second_level=0.07).answers
    np.testing.assert_allclose([answers["level"], answers["second_level"]], 0.07, rtol=1e-12)
    assert answers["regime"] == "equilibrium"


@pytest.mark.parametrize("given", [{"inflow": -1.0}, {"base_area": 0.0}, {"mode": "shut"}, {"inflow": "3 kg"}])
def test_bad_input_is_refused(given):
    with pytest.raises(InputError):
        SYSTEM.run(**given)


def test_figure_has_axes_with_units():
    for mode in ("open", "closed"):
        axes = SYSTEM.figure(SYSTEM.run(mode=mode)).axes
        assert "(m)" in axes[0].get_ylabel()
