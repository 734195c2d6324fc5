"""Comparisons are two-sided, go through every entry, and never pass a nan."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyflux.audit.findings import at_most, compared, failed, failures, left_out


@given(
    expected=st.floats(-1e6, 1e6),
    rtol=st.floats(1e-12, 0.3),
    atol=st.floats(1e-12, 1.0),
    share=st.floats(-3.0, 3.0).filter(lambda x: abs(abs(x) - 1.0) > 1e-3),
)
def test_a_comparison_passes_within_its_tolerance_only(expected, rtol, atol, share):
    allowed = rtol * abs(expected) + atol
    measured = expected + share * allowed
    if abs(measured - expected) < 1e-9 * abs(expected) or allowed < 1e-8 * abs(expected):
        return  # the shift itself is lost in rounding
    finding = compared("x", "t", measured, expected, rtol, atol, "s")
    assert finding.passed == (abs(share) < 1.0)


def test_arrays_are_judged_entry_by_entry_and_the_worst_is_shown():
    expected = np.array([1.3, 2.7, 3.1])
    finding = compared("x", "t", expected + np.array([0.0, 2e-3, 1e-4]), expected, 0.0, 1e-3, "s")
    assert not finding.passed and finding.measured == pytest.approx(2.702) and "place 1 of 3" in finding.detail
    assert compared("x", "t", expected + 9e-4, expected, 0.0, 1e-3, "s").passed


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_nan_and_infinity_fail(bad):
    assert not compared("x", "t", bad, 1.7, 0.1, 0.0, "s").passed
    assert not compared("x", "t", [1.7, bad], [1.7, 1.7], 0.1, 10.0, "s").passed
    assert not compared("x", "t", 1.7, bad, 0.1, 0.0, "s").passed
    assert not at_most("x", "t", math.nan, 1.0, "s").passed


def test_words_booleans_and_shapes():
    assert compared("x", "t", "equilibrium", "equilibrium", 0.0, 0.0, "s").passed
    assert not compared("x", "t", "equilibrium", "steady", 1.0, 1.0, "s").passed
    assert compared("x", "t", True, True, 0.0, 0.0, "s").passed
    assert not compared("x", "t", True, False, 0.0, 0.0, "s").passed
    assert not compared("x", "t", [1.0, 2.0], [1.0, 2.0, 3.0], 0.0, 0.0, "s").passed
    assert not compared("x", "t", [], [], 0.0, 0.0, "s").passed
    assert compared("x", "t", [1.7, 1.7], 1.7, 1e-12, 0.0, "s").passed


def test_sentences_say_what_where_and_how_much():
    assert at_most("law", "law holds", 2.0, 1.0, "s", "mend it.").sentence() == (
        "FAILED: law: law holds: 2, expected 0 within 1; mend it."
    )
    assert left_out("law", "title", "s", "no reference.").sentence() == "left out: law: title; no reference."
    found = [left_out("a", "t", "s", "r"), failed("b", "t", "s", "d")]
    assert [f.subject for f in failures(found)] == ["b"]
