"""Claims off by twice their tolerance, answers that are nan, runs that fail: each is a failed finding, no traceback."""

import numpy as np
import pytest

import steadyflux as sf
from steadyflux.audit.check import check_model, check_system
from steadyflux.audit.claims import check_claims
from steadyflux.audit.findings import failures
from steadyflux.systems.system import Claim, Comparison, Parameter, System

from ..audit.cases import own_law
from . import laws

EXACT = 2.3e-7 * 0.6 / 1.7e-3 * (7.1**0.5 - 0.9**0.5)


def comparing(share, rtol=1e-6, spoil=lambda x: x):
    """A claim whose expected value lies ``share`` times its tolerance beside the exact one."""

    def compare(run):
        return Comparison(spoil(run().answers["flow"]), EXACT * (1.0 + share * rtol), rtol)

    return Claim("the flow is that of the closed form", "integration by hand", compare)


def system(*claims, build=own_law, answers=None):
    return System(
        name="slippery",
        parameters=(Parameter("unused", 1.0, "m", "typical"),),
        model=lambda p: build(),
        answers=answers or (lambda p, solution: {"flow": float(solution.flow("c", "left"))}),
        units={"flow": "mol/s"},
        claims=claims,
        figure=lambda result: None,
    )


@pytest.mark.parametrize(("share", "holds"), [(0.0, True), (0.5, True), (-0.5, True), (2.0, False), (-2.0, False)])
def test_a_claim_off_by_twice_its_tolerance_is_caught(share, holds):
    [finding] = check_claims(system(comparing(share)))
    assert finding.passed == holds
    assert holds or "is allowed" in finding.detail


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_answers_that_are_no_numbers_are_caught(bad):
    [finding] = check_claims(system(comparing(0.0, spoil=lambda x: bad * x)))
    assert not finding.passed


def test_a_clean_system_passes_and_a_bad_claim_alone_fails():
    findings = check_system(system(comparing(0.0), comparing(2.0)))
    assert [f.title for f in failures(findings)] == ["the flow is that of the closed form"]
    assert len(findings) > 8


def test_a_claim_that_breaks_is_reported_with_its_text():
    def wrong_type(run):
        return run().answers["flow"] + "one"

    def wrong_key(run):
        return run().answers["flaw"]

    found = check_claims(
        system(Claim("a", "b", wrong_type), Claim("c", "d", wrong_key), Claim("e", "f", lambda run: []))
    )
    assert not any(f.passed for f in found)
    assert "TypeError" in found[0].detail and "wrong_type" in found[0].detail
    assert "KeyError" in found[1].detail and "flaw" in found[1].detail
    assert "compares nothing" in found[2].detail


def test_a_run_that_raises_is_a_failed_finding():
    def unsolvable():
        return sf.Model(
            space=sf.interval(1.0, cells=9),
            quantities=[sf.Species("c")],
            laws=[sf.Fick("c", 1e-9), sf.Source("c", strength=-1.0)],
            boundaries=[sf.Hold("left", {"c": 1.0})],
        )

    [finding] = check_system(system(build=unsolvable))
    assert not finding.passed and "No steady state was found" in finding.detail
    findings = check_model(unsolvable())
    assert len(findings) == 1 and "No steady state was found" in findings[0].detail


def test_a_mistake_in_code_is_told_with_its_kind():
    [finding] = check_system(system(answers=lambda p, solution: {"flow": len(3)}))
    assert not finding.passed and "TypeError" in finding.detail and "len" in finding.detail


class Mistyped(laws.Carrier):
    """Reads a state that does not exist."""

    def flux(self, tail, head, edge):
        return {self.species: self.strength * (tail["d"] - head["c"])}


def test_a_law_that_breaks_is_told_with_its_text():
    broken = sf.Model(
        space=own_law().space,
        quantities=[sf.Species("c")],
        laws=[Mistyped()],
        boundaries=[sf.Hold("left", {"c": 1.1}), sf.Hold("right", {"c": 0.4})],
    )
    [finding] = check_model(broken)
    assert not finding.passed and "'d'" in finding.detail
