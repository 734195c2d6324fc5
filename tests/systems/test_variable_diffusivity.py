"""Diffusion with D(C): its claims, extreme laws against quadrature, and bad input."""

import numpy as np
import pytest
from scipy.integrate import quad

from steadyflux.ground.errors import InputError, NameUnknown
from steadyflux.systems.diffusion.variable_diffusivity import SYSTEM


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for c in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(c.measured, c.expected, rtol=c.rtol, atol=c.atol)


TABLE = ((0.0, 1e-12), (49.0, 1e-12), (50.0, 1e-15), (51.0, 1e-12))
CASES = {
    "exp(90) across": ({"coefficient": 0.6}, lambda c: np.exp(0.6 * c), 1e-9),
    "exp(-30) across": ({"coefficient": -0.2}, lambda c: np.exp(-0.2 * c), 1e-9),
    "close to the limit": ({"law": "limited", "coefficient": 150.01}, lambda c: 1 / (1 - c / 150.01), 1e-9),
    "linear, zero at the inner face": ({"law": "linear", "coefficient": -1 / 150}, lambda c: 1 - c / 150, 1e-9),
    "infinite at the outer face": ({"law": "power", "coefficient": -0.5}, lambda c: c**-0.5, 1e-8),
    "a deep minimum inside": (
        {"law": "polynomial", "coefficients": (1.0, -0.0399, 0.0004)},
        lambda c: 1 - 0.0399 * c + 0.0004 * c * c,
        1e-9,
    ),
    "a table with a sharp dip": (
        {"law": "table", "table": TABLE},
        lambda c: 1e12 * np.interp(c, *np.array(TABLE).T),
        2e-5,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_flow_and_time_lag_meet_the_integrals_of_D(case):
    given, D, rtol = case
    found = SYSTEM.run(given)
    kinks = {"points": (49.0, 50.0, 51.0)} if "table" in given else {}

    def K(a, b):
        inside = {"points": [x for x in kinks["points"] if a < x < b]} if kinks else {}
        return 1e-12 * quad(D, a, b, limit=500, epsabs=0, epsrel=1e-11, **inside)[0]

    total = K(0.0, 150.0)
    np.testing.assert_allclose(found.answers["flow"], total / 5e-5, rtol=rtol)
    moment = quad(lambda w: w * 1e-12 * D(w) * K(w, 150.0), 0.0, 150.0, limit=500, epsabs=0, epsrel=1e-9, **kinks)[0]
    np.testing.assert_allclose(found.answers["time_lag"], moment * 5e-5**2 / total**3, rtol=rtol)
    assert found.solution.ledger["C"].relative < 1e-10


def test_turned_round_the_flow_turns_and_the_lag_stays():
    one = SYSTEM.run(inner_concentration=120.0, outer_concentration=7.0)
    two = SYSTEM.run(inner_concentration=7.0, outer_concentration=120.0)
    np.testing.assert_allclose(two.answers["flow"], -one.answers["flow"], rtol=1e-12)
    np.testing.assert_allclose(two.answers["time_lag"], one.answers["time_lag"], rtol=1e-10)
    np.testing.assert_allclose(two.answers["gradient_inner"], -one.answers["gradient_outer"], rtol=1e-12)


def test_level_faces_mean_equilibrium():
    found = SYSTEM.run(inner_concentration=30.0, outer_concentration=30.0)
    assert found.solution.regime == "equilibrium"
    assert (found.answers["flow"], found.answers["gradient_inner"], found.answers["time_lag"]) == (0.0, 0.0, np.inf)
    np.testing.assert_allclose(found.answers["mean_diffusivity"], 1e-12 * np.exp(0.6), rtol=1e-14)


def test_one_coefficient_may_stand_in_the_list():
    one = SYSTEM.run(law="power", coefficient=1.7).answers["flow"]
    assert float(SYSTEM.run(law="power", coefficients="1.7").answers["flow"]) == float(one)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"geometry": "sphere"}, "above zero"),
        ({"outer_position": -1e-6}, "larger than inner_position"),
        ({"law": "linear", "coefficient": -0.01}, "not a positive number"),
        ({"law": "limited", "coefficient": 150.0}, "below the limit"),
        ({"law": "power", "coefficient": -0.7}, "-0.5 up"),
        ({"law": "exponential", "coefficients": (1.0, 2.0)}, "takes one coefficient"),
        ({"law": "table", "table": [(1.0, 1e-12)]}, "two entries"),
        ({"law": "table", "table": [(1.0, 1e-12), (2.0, 0.0)]}, "must be positive"),
        ({"inner_concentration": -1.0}, "inner_concentration is"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(given, message):
    with pytest.raises(InputError, match=message):
        SYSTEM.run(given)


def test_an_unknown_law_is_refused():
    with pytest.raises(NameUnknown, match="exponential"):
        SYSTEM.run(law="exponentiel")


def test_the_figure_shows_profile_and_diffusivity():
    drawing = SYSTEM.figure(SYSTEM.run())
    assert [a.get_ylabel() for a in drawing.axes] == ["concentration, mol/m$^3$", "diffusivity, m$^2$/s"]
