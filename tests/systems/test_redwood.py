"""The redwood: its claims, trees against an integrated equation, a million segments, and refusals."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import steadyflux as sf
from steadyflux import InputError
from steadyflux.ground.constants import G_STANDARD
from steadyflux.systems.life.redwood import BROADLEAF, SYSTEM, segment_values, tree


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for one in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(one.measured, one.expected, rtol=one.rtol, atol=one.atol)


def integrated_leaf_potential(p, flow):
    """The segment law integrated as an initial value problem from the collar up."""
    psi = p.soil_potential - flow / p.root_conductance
    step = p.height / p.segments
    for conductance, scale in zip(*segment_values(p), strict=True):

        def slope(_, y, k=conductance, b=scale):
            share = np.exp(-((max(-y[0], 0.0) / b) ** p.vulnerability_shape))
            return [-flow / (k * step * share) - p.density * G_STANDARD]

        psi = solve_ivp(slope, (0.0, step), [psi], rtol=1e-11, atol=1e-3).y[0, -1]
    return psi - flow / p.leaf_conductance


def test_leaf_potentials_over_wide_ranges():
    rng = np.random.default_rng(2)
    for _ in range(8):
        p = SYSTEM.values(
            {
                "soil_potential": -(10 ** rng.uniform(4, 6)),
                "height": rng.uniform(5.0, 120.0),
                "bottom_vulnerability": rng.uniform(2e6, 7e6),
                "top_vulnerability": rng.uniform(3e6, 7e6),
                "vulnerability_shape": rng.uniform(1.5, 6.0),
                "root_conductance": 10 ** rng.uniform(-7.5, -6),
            }
        )
        flow = 0.02 * rng.uniform(0.2, 1.0)
        leaf = float(sf.steady(tree(p, flow))["p"][-1])
        np.testing.assert_allclose(leaf, integrated_leaf_potential(p, flow), rtol=1e-5)


def test_the_books_and_the_end_of_the_branch():
    result = SYSTEM.run(vapour_deficit=2e4)
    entropy = result.solution.entropy
    np.testing.assert_allclose(entropy.production, entropy.exported, rtol=1e-10)
    assert entropy.least_local >= 0.0
    assert result.solution.ledger["p"].relative < 1e-10
    # Beyond the critical flow there is no steady state.
    beyond = sf.steady(tree(result.parameters, 1.01 * result.answers["critical_transpiration"]), throw=False)
    assert beyond.outcome.name == "not converged"


def test_every_branch_meets_the_equation_integrated_along_its_way():
    p = SYSTEM.values({**BROADLEAF, "segments": 3, "mode": "branched", "orders": 2, "daughters": 3, "shade": 0.3})
    flow = 0.006
    found = np.asarray(sf.steady(tree(p, flow))["p"])[-9:]
    sunny = flow / (3 + 0.3 * 6)  # of one twig, of which a main branch bears three
    for twig, own in ((0, sunny), (8, 0.3 * sunny)):
        psi = p.soil_potential - flow / p.root_conductance
        for order, (conductance, scale) in enumerate(zip(*segment_values(p), strict=True)):
            through = flow if order == 0 else own * 3.0 ** (2 - order)

            def slope(_, y, k=conductance * 3.0**-order * p.height / 3, b=scale, e=through):
                share = np.exp(-((max(-y[0], 0.0) / b) ** p.vulnerability_shape))
                return [-e / (k * share) - p.density * G_STANDARD]

            psi = solve_ivp(slope, (0.0, p.height / 3), [psi], rtol=1e-11, atol=1e-3).y[0, -1]
        np.testing.assert_allclose(found[twig], psi - own * 9 / p.leaf_conductance, rtol=1e-5)


def test_two_days_close_the_ledger_and_start_from_rest():
    result = SYSTEM.run(until="48h")
    history, p = result.history, result.parameters
    rest = p.soil_potential - p.density * G_STANDARD * p.height
    np.testing.assert_allclose(history["p"][0, -1], rest, rtol=1e-12)
    assert history.ledger["p"].relative < 1e-9
    transpired = -p.density * history.entered("p", "leaf")[-1]
    np.testing.assert_allclose(transpired, 2.0 * result.answers["demand"] * p.daylight * 2.0 / np.pi, rtol=1e-5)
    assert result.answers["transpiration"] == 0.0
    assert 0.0 < result.answers["flow"] < 0.1 * result.answers["demand"]


@pytest.mark.parametrize("mode", ["single", "branched"])
def test_a_dry_day_is_cut_at_the_capped_flow(mode):
    given = {"vapour_deficit": 1.5e4, "segments": 4, "substeps": 8, "orders": 1, "mode": mode, "cap": 0.5}
    a = SYSTEM.run(**given, course="day").answers
    top = 0.5 * a["critical_transpiration"]
    angle = np.arcsin(top / a["demand"])
    expected = 50400.0 * (top * (1.0 - 2.0 * angle / np.pi) + a["demand"] * 2.0 / np.pi * (1.0 - np.cos(angle)))
    np.testing.assert_allclose(a["daily_transpiration"], expected, rtol=1e-5)
    np.testing.assert_allclose(a["daily_uptake"], a["daily_transpiration"], rtol=2e-6)
    assert a["peak_flow"] < top
    assert a["minimum_leaf_potential"] > a["leaf_potential"]


@pytest.mark.slow
def test_a_tree_of_a_million_segments():
    p = SYSTEM.values({"segments": 1_000_000, "substeps": 1})
    # Conductances of segments in series: a million of them conduct a million times as much each.
    p.items.update({name: p.items[name] * 125_000.0 for name in ("bottom_conductance", "top_conductance")})
    fine = float(sf.steady(tree(p, 0.02))["p"][-1])
    coarse = SYSTEM.values({"segments": 1000, "substeps": 1})
    coarse.items.update({name: coarse.items[name] * 125.0 for name in ("bottom_conductance", "top_conductance")})
    np.testing.assert_allclose(fine, integrated_leaf_potential(coarse, 0.02), rtol=1e-6)


@pytest.mark.parametrize("given", [{"height": -1.0}, {"segments": 2.5}, {"soil_potential": 1e5}, {"cap": 1.0}])
def test_bad_input_is_refused(given):
    with pytest.raises(InputError):
        SYSTEM.run(**given)


@pytest.mark.parametrize(
    ("given", "message"),
    [({"orders": 8}, "more than 8 segments"), ({"daughters": 90, "orders": 4}, "too many branches")],
)
def test_trees_that_cannot_be_branched_are_refused(given, message):
    with pytest.raises(InputError, match=message):
        SYSTEM.run(mode="branched", **given)


def test_figure_of_a_branched_day():
    axes = SYSTEM.figure(SYSTEM.run(mode="branched", course="day", orders=2, segments=3, substeps=8)).axes
    assert "time of day" in axes[2].get_xlabel()


def test_figure_has_axes_with_units():
    axes = SYSTEM.figure(SYSTEM.run()).axes
    assert "MPa" in axes[0].get_xlabel()
    assert "kg/s" in axes[1].get_xlabel()
