"""The observed order is judged from both sides, on errors and on values."""

import math

import numpy as np
import pytest

from steadyflux.audit.order import check_order, order_of_errors, order_of_values

STEPS = [0.1, 0.05, 0.025, 0.0125]


def errors_of(order, tail=0.3):
    return [1.7 * h**order * (1.0 + tail * h) for h in STEPS]


def test_the_order_of_a_power_is_found():
    np.testing.assert_allclose(order_of_errors([3.0 * h**1.7 for h in STEPS], STEPS), 1.7, rtol=1e-12)
    np.testing.assert_allclose(order_of_values([0.4 + 3.0 * h**1.7 for h in STEPS], 2.0), 1.7, rtol=1e-9)


@pytest.mark.parametrize("observed", [0.1, 1.0, 1.8, 2.0, 2.2, 3.0, 4.0])
@pytest.mark.parametrize("form", ["errors", "values"])
def test_only_the_declared_order_passes(observed, form):
    data = errors_of(observed) if form == "errors" else [0.7 - e for e in errors_of(observed)]
    finding = check_order("scheme", 2.0, steps=STEPS, **{form: data})
    assert finding.passed == (observed == 2.0)
    if not finding.passed:
        assert f"where {2:g} is declared" in finding.detail


def test_a_suspiciously_exact_scheme_fails_unless_it_is_declared_exact():
    rounding = [3e-14, 1e-14, 2e-14, 3e-14]
    assert not check_order("scheme", 2.0, errors=rounding, steps=STEPS).passed
    assert check_order("scheme", math.inf, errors=rounding, steps=STEPS).passed
    assert not check_order("scheme", math.inf, errors=errors_of(2.0), steps=STEPS).passed


@pytest.mark.parametrize(
    "data",
    [
        {"errors": [0.1, math.nan], "steps": [0.1, 0.05]},
        {"errors": [0.1], "steps": [0.1]},
        {"errors": [0.01, 0.04], "steps": [0.05, 0.1]},
        {"values": [1.0, 1.1], "steps": [0.1, 0.05]},
        {"values": [1.0, 1.1, 1.05], "steps": [0.1, 0.05, 0.025]},
        {"values": [1.0, 1.1, 1.12], "steps": [0.1, 0.05, 0.02]},
        {"steps": [0.1, 0.05]},
    ],
)
def test_what_cannot_be_judged_fails(data):
    finding = check_order("scheme", 2.0, **data)
    assert not finding.passed and finding.detail
