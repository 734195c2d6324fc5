"""Mixed control: its claims, electrode reactions over wide ranges against roots found by bisection, refusals."""

import jax
import numpy as np
import pytest
from scipy.optimize import brentq

import steadyflux as sf
from steadyflux import InputError
from steadyflux.ground.constants import FARADAY, R
from steadyflux.systems.electrode.mixed_control import REACTANT, SYSTEM, butler_volmer_model, rate_model
from steadyflux.systems.system import Values


@pytest.mark.parametrize("claim", SYSTEM.claims, ids=lambda c: c.title)
def test_claim(claim):
    found = claim.compare(SYSTEM.run)
    for one in found if isinstance(found, list) else [found]:
        np.testing.assert_allclose(one.measured, one.expected, rtol=one.rtol, atol=one.atol)


def transfer():
    """Mass-transfer coefficient times area at the default disk, m^3/s."""
    a = SYSTEM.run().answers
    return float(a["limiting_current"]) / (4.0 * FARADAY * 1.2)


def test_butler_volmer_with_resistance_over_wide_ranges():
    rng, mA = np.random.default_rng(7), transfer()
    for _ in range(40):
        given = {
            "electrons": float(rng.integers(1, 9)),
            "alpha": rng.choice([0.0, 0.2, 0.5, 1.0]),
            "exchange_current": 10 ** rng.uniform(-12, 4),
            "potential": rng.choice([-1.0, 1.0]) * 10 ** rng.uniform(-3, 0.2),
            "resistance": 10 ** rng.uniform(0, 6),
            "bulk": 10 ** rng.uniform(-3, 3),
        }
        p = SYSTEM.values(given)
        solution = sf.steady(butler_volmer_model(p))
        f, limiting = p.electrons * FARADAY / (R * p.temperature), mA * p.bulk * FARADAY * p.electrons

        def current(eta, p=p, f=f, limiting=limiting):
            ahead, behind = -p.alpha * f * eta, (1.0 - p.alpha) * f * eta
            top = max(ahead, behind, 0.0)
            i0 = p.exchange_current * p.area
            one, other = i0 * np.exp(ahead - top), i0 * np.exp(behind - top)
            return (one - other) / (np.exp(-top) + one / limiting)

        low, high = sorted((0.0, p.potential))
        eta = brentq(lambda e, p=p, i=current: e - p.potential - p.resistance * i(e), low, high, xtol=1e-17, rtol=1e-14)
        found = -p.electrons * FARADAY * float(solution.flow(REACTANT, "disk"))
        np.testing.assert_allclose(found, current(eta), rtol=2e-5, err_msg=str(given))


def test_rates_of_any_order_over_wide_ranges():
    mA = transfer()
    for order in (0.2, 0.7, 1.0, 1.7, 4.0):
        for constant in (1e-8, 1e-5, 3e-4, 1.0, 1e5):
            p = SYSTEM.values({"rate_constant": constant, "order": order})
            solution = sf.steady(rate_model(p))

            def surplus(ln_c, k=constant * p.area, order=order):
                return k * np.exp(order * ln_c) - mA * (1.2 - np.exp(ln_c))

            left = np.exp(brentq(surplus, -160.0, np.log(1.2), xtol=1e-14))
            np.testing.assert_allclose(-float(solution.flow(REACTANT, "disk")), mA * (1.2 - left), rtol=1e-7)
            assert solution.ledger[REACTANT].relative < 1e-9


def test_the_books_close_and_entropy_is_the_power_spent():
    result = SYSTEM.run(kinetics="butler_volmer", exchange_current=3.0, potential=-0.05)
    solution = result.solution
    assert all(entry.relative < 1e-10 for entry in solution.ledger.values())
    assert solution.entropy.least_local >= 0.0
    spent = sum(solution.entropy.by_law[n] for n in solution.entropy.by_law if "Transfer" in n) * 298.15
    np.testing.assert_allclose(spent, float(result.answers["current"]) ** 2 * 5.0, rtol=1e-9)


def test_derivatives_pass_through_the_whole_system():
    p = SYSTEM.values()

    def current(rpm):
        there = Values({**p.items, "rpm": rpm})
        return sf.steady(rate_model(there)).flow(REACTANT, "disk")

    slope = (float(current(1601.0)) - float(current(1599.0))) / 2.0
    np.testing.assert_allclose(float(jax.grad(current)(1600.0)), slope, rtol=1e-5)


def test_a_dead_core_leaves_the_reaction_in_a_shell():
    # Half order: in a slab c = ((x - x0) / (1 - x0))^4 outside the core, and a thin shell is nearly a slab.
    a = SYSTEM.run(pellet_order=0.5, thiele=200.0).answers
    np.testing.assert_allclose(a["effectiveness"], 3.0 / 200.0 * np.sqrt(2.0 / 1.5), rtol=0.02)
    assert "centre_concentration" not in a


@pytest.mark.parametrize("given", [{"rpm": 0.0}, {"bulk": -1.0}, {"kinetics": "tafel"}, {"resistance": "3 V"}])
def test_bad_input_is_refused(given):
    with pytest.raises(InputError):
        SYSTEM.run(**given)


@pytest.mark.parametrize("given", [{}, {"kinetics": "butler_volmer"}, {"rate_constant": 0.0}])
def test_the_figure_draws(given):
    axes = SYSTEM.figure(SYSTEM.run(**given)).axes
    assert "mol/m" in axes[0].get_ylabel() and "rpm" in axes[1].get_xlabel()
