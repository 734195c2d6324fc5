"""Models that keep all laws pass every check, and each check that can judge them does."""

import numpy as np
import pytest

import steadyflux as sf
from steadyflux.audit.check import check_model
from steadyflux.audit.findings import failures
from steadyflux.audit.local_equilibrium import number
from steadyflux.audit.probe import examine
from steadyflux.audit.reciprocity import coefficients

from .cases import CLEAN, coupled, own_law, rod

JUDGED = {
    "rod": {"balance closed", "entropy production nowhere negative", "no direction of its own"},
    "own_law": {
        "balance closed",
        "response to the conjugate forces symmetric at equilibrium",
        "no direction of its own",
    },
    "pore": {"R ln(forward/reverse) is the rise of the conjugate potential", "derivative of the law by the states"},
    "reacting": {"R ln(forward/reverse) is the rise of the conjugate potential", "balance closed"},
    "closed": {"no entropy produced"},
    "coupled": {"cross coefficients of the computed flows equal about equilibrium"},
    "pumped": {"entropy production nowhere negative"},
}


@pytest.mark.parametrize("name", CLEAN)
def test_clean_models_pass_every_check(name):
    findings = check_model(CLEAN[name]())
    assert [f.sentence() for f in failures(findings)] == []
    judged = {f.title for f in findings if f.judged}
    always = {"balance closed", "entropy produced equals entropy exported"}
    assert judged >= JUDGED[name] | always | {"derivative of the steady state by the model's numbers"}


def test_what_is_left_out_is_named_with_its_reason():
    findings = check_model(CLEAN["pumped"]())
    reasons = " ".join(f.detail for f in findings if not f.judged)
    assert "Pump [membrane] (driven by a supply)" in reasons
    assert "Electroneutrality [in] (not dissipative)" in reasons


def test_coefficients_found_are_those_of_the_matrix_given():
    given = np.array([[3.1e4, 2.3e-6], [2.3e-6, 1.3e-9]])
    solution = sf.steady(coupled(given))
    found = coefficients(examine(solution), 0)
    edges = solution.model.edges["interior"]
    rows = examine(solution).samples[0]
    conductor = (np.asarray(edges.area) / np.asarray(edges.length))[rows]
    np.testing.assert_allclose(found, conductor[:, None, None] * given, rtol=1e-9)


def test_a_channel_conducts_as_its_permeability_says():
    """L of Fickian diffusion is D c A / (R dx): the Nernst-Einstein mobility, an independent route."""
    solution = sf.steady(CLEAN["reacting"]())
    found = coefficients(examine(solution), 0)
    edges, rows = solution.model.edges["interior"], examine(solution).samples[0]
    a = np.asarray(solution["A"])[np.asarray(edges.tail)[rows]]
    expected = 1.1e-9 * a / 8.31446261815324 * (np.asarray(edges.area) / np.asarray(edges.length))[rows]
    np.testing.assert_allclose(found[:, 0, 0], expected, rtol=1e-9)


def test_local_equilibrium_number_is_mean_free_path_times_relative_gradient():
    solution = sf.steady(own_law())
    c, x = np.asarray(solution["c"]), np.asarray(solution.position())
    middle = 0.5 * (c[1:] + c[:-1])
    expected = np.max(3.7e-6 * np.abs(np.diff(c)) / np.diff(x) / middle)
    assert number(solution, 3.7e-6, "c") == pytest.approx(expected, rel=1e-12)
    assert number(sf.steady(rod()), 3.7e-6) < 1e-4
