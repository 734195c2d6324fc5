"""Electrode laws against their formulas, their affinity, the three ways to keep charge, and one- and two-way limits."""

from typing import Any

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest

import steadyflux as sf
from steadyflux.audit.detailed_balance import check_detailed_balance
from steadyflux.audit.findings import failures
from steadyflux.audit.reciprocity import check_reciprocity
from steadyflux.audit.second_law import check_second_law
from steadyflux.ground.constants import FARADAY, R
from steadyflux.ground.errors import ModelError, NameUnknown
from steadyflux.model.mapping import State
from steadyflux.model.system import Stage, residual
from steadyflux.physics.local import Frame, Geometry, Local

EDGE = Geometry(jnp.asarray(3e-4), jnp.asarray(1.0), jnp.asarray(0.1))
NEUTRAL = {q.name: q for q in (sf.Species("O", 1e-9), sf.Species("R", 1e-9), sf.Potential())}
IONS = {q.name: q for q in (sf.Ion("Fe3+"), sf.Ion("Fe2+"), sf.Ion("Cl-"), sf.Potential())}


class Crowd(sf.Phase):
    """A phase in which each species has an activity coefficient of its own."""

    def excess(self, c, charges, T):
        return sum((3e-4 + 2e-4 * k) * x**2 for k, x in enumerate(c.values())) + 1e-4 * sum(c.values()) ** 2


def local(quantities, phase=None, **values) -> Local:
    given = {"T": 310.0, **dict.fromkeys(quantities, 1.0), "phi": 0.0, **values}
    frame = Frame(quantities, phase or sf.Ideal(), "T", "phi")
    return Local({n: jnp.asarray(v, dtype=float) for n, v in given.items()}, frame)


def bound(law, quantities=NEUTRAL) -> Any:
    return law.bound(quantities, np.zeros(1))


@pytest.mark.parametrize("E", [-0.3, -0.01, 0.0, 0.07, 0.4])
def test_butler_volmer_is_its_formula(E):
    law = bound(sf.ButlerVolmer({"O": -1, "R": 1}, 2, 3.7, alpha=0.3, limit=1e300))
    tail, head = local(NEUTRAL, O=0.4, R=2.3, phi=0.05), local(NEUTRAL, O=1.7, R=0.6, phi=0.05 + E)
    u = 2 * FARADAY * E / (R * 310.0)
    i = 3.7 * (0.4 / 1.7 * np.exp(-0.3 * u) - 2.3 / 0.6 * np.exp(0.7 * u))
    flux = law.flux(tail, head, EDGE)
    np.testing.assert_allclose(float(flux["phi"]), i * 3e-4, rtol=1e-10)
    np.testing.assert_allclose(float(flux["O"]), i * 3e-4 / (2 * FARADAY), rtol=1e-10)
    np.testing.assert_allclose(float(flux["R"]), -float(flux["O"]), rtol=0)


@pytest.mark.parametrize("quantities", [NEUTRAL, IONS])
@pytest.mark.parametrize("phase", [sf.Ideal(), Crowd()])
def test_forward_over_reverse_is_the_affinity_whatever_alpha_and_orders(quantities, phase):
    o, r = list(quantities)[:2]
    n = 1 if quantities is IONS else 3
    law = bound(sf.ButlerVolmer({o: -1, r: 1}, n, 0.9, alpha=0.21, orders={o: 0.6, r: 0.25}), quantities)
    tail = local(quantities, phase, **{o: 300.0, r: 900.0, "phi": 0.02})
    head = local(quantities, phase, **{o: 1100.0, r: 200.0, "phi": -0.09})
    forward, reverse, numbers = law.turnover(tail, head, EDGE)
    affinity = sum(k * (head.conjugate(name) - tail.conjugate(name)) for name, k in numbers.items()) / R
    np.testing.assert_allclose(np.log(forward / reverse), affinity, rtol=1e-12)
    assert law.moves == ((o, r, "phi") if quantities is NEUTRAL else (o, r))
    assert law.sees == ("phi",)


def test_an_oxidation_is_the_reduction_turned_round():
    forwards = bound(sf.ButlerVolmer({"O": -1, "R": 1}, 2, 3.7, alpha=0.3))
    backwards = bound(sf.ButlerVolmer({"R": -1, "O": 1}, -2, 3.7, alpha=0.7))
    tail, head = local(NEUTRAL, O=0.4, R=2.3), local(NEUTRAL, O=1.7, R=0.6, phi=-0.11)
    one, other = forwards.flux(tail, head, EDGE), backwards.flux(tail, head, EDGE)
    np.testing.assert_allclose([one[n] for n in one], [other[n] for n in one], rtol=1e-12)


def test_tafel_is_the_far_branch_and_a_limit_is_a_resistance_in_series():
    n, alpha, E = 2, 0.3, -0.25
    two = bound(sf.ButlerVolmer({"O": -1}, n, 3.7, alpha=alpha))
    k = 3.7 / (n * FARADAY * 1.7)
    one = bound(sf.Tafel({"O": -1}, n, k, alpha=n * alpha))
    tail, head = local(NEUTRAL, O=0.4), local(NEUTRAL, O=1.7, phi=E)
    kinetic = one.flux(tail, head, EDGE)
    np.testing.assert_allclose(kinetic["phi"], two.flux(tail, head, EDGE)["phi"], rtol=1e-7)
    film = 2e-6
    series = bound(sf.Tafel({"O": -1}, n, k, alpha=n * alpha, limit=film)).flux(tail, head, EDGE)
    rate = float(kinetic["O"]) / (3e-4 * 0.4)
    np.testing.assert_allclose(series["O"], 3e-4 * 0.4 / (1 / rate + 1 / film), rtol=1e-12)
    opposite = bound(sf.Tafel({"R": -1}, -n, k, alpha=n * alpha))
    mirrored = opposite.flux(local(NEUTRAL, R=0.4), local(NEUTRAL, phi=-E), EDGE)
    np.testing.assert_allclose(mirrored["phi"], -kinetic["phi"], rtol=1e-12)


def test_a_surface_rate_of_any_order_makes_its_products():
    law = bound(sf.SurfaceRate({"O": -2, "R": 1}, 0.07, orders={"O": 0.5, "R": -0.2}))
    flux = law.flux(local(NEUTRAL, O=0.4, R=2.3), local(NEUTRAL), EDGE)
    rate = 0.07 * 3e-4 * 0.4**0.5 * 2.3**-0.2
    np.testing.assert_allclose([flux["O"], flux["R"]], [2 * rate, -rate], rtol=1e-14)
    assert not law.dissipative and set(flux) == {"O", "R"}
    value, slope = jax.value_and_grad(lambda c: law.flux(local(NEUTRAL, O=c), local(NEUTRAL), EDGE)["O"])(0.0)
    assert value == 0.0 and np.isfinite(slope)


@pytest.mark.parametrize("E", [-40.0, 40.0])
def test_far_potentials_reach_the_limit_without_overflow(E):
    law = bound(sf.ButlerVolmer({"O": -1}, 4, 1e-3, alpha=0.4, limit=5e7))
    run = lambda c, e: law.flux(local(NEUTRAL, O=c), local(NEUTRAL, O=2.0, phi=e), EDGE)["phi"]  # noqa: E731
    expected = 5e7 * 3e-4 * (0.3 / 2.0 if E < 0 else -1.0)
    np.testing.assert_allclose(float(run(0.3, E)), expected, rtol=1e-12)
    assert np.all(np.isfinite(jax.grad(run, argnums=(0, 1))(0.3, E)))


def test_rates_and_slopes_are_exact_where_nothing_limits():
    law = bound(sf.ButlerVolmer({"O": -1, "R": 1}, 1, 2.1, alpha=0.45))

    def current(c, E):
        return law.flux(local(NEUTRAL, O=c, R=0.8), local(NEUTRAL, phi=E), EDGE)["phi"]

    for E in (-0.2, 0.0, 0.15):
        with mp.workdps(40):
            f = mp.mpf(FARADAY) / (mp.mpf(R) * 310)
            exact = lambda c, e: (  # noqa: E731
                mp.mpf("2.1") * mp.mpf("3e-4") * (c * mp.exp(-0.45 * f * e) - mp.mpf("0.8") * mp.exp(0.55 * f * e))  # noqa: B023
            )
            slopes = [float(mp.diff(lambda c: exact(c, mp.mpf(E)), 0.4)), float(mp.diff(lambda e: exact(0.4, e), E))]  # noqa: B023
        np.testing.assert_allclose(jax.grad(current, argnums=(0, 1))(0.4, E), slopes, rtol=1e-7)


# ---- in models -----------------------------------------------------------------------------------------------------


def cell(keeps, E=-0.06, i0=3.0):
    """A film of solution before an electrode, with the charge kept in one of three ways."""
    space = sf.interval(2e-5, 21, area=1.3e-4, names=("electrode", "bulk"))
    law = sf.ButlerVolmer({"O": -1, "R": 1}, 1, i0, alpha=0.4)
    if keeps == "species":
        ions = {"Fe3+": 2.0, "Fe2+": 3.0, "Cl-": 12.0}
        law = sf.ButlerVolmer({"Fe3+": -1, "Fe2+": 1}, 1, i0, alpha=0.4)
        return sf.Model(
            space,
            [sf.Ion("Fe3+", 6e-10), sf.Ion("Fe2+", 7e-10), sf.Ion("Cl-", 2e-9), sf.Potential()],
            [sf.NernstPlanck(), sf.Electroneutrality()],
            [sf.Exchange("electrode", law, {**ions, "phi": E}), sf.Hold("bulk", {**ions, "phi": 0.0})],
        )
    bulk = {"O": 2.0, "R": 3.0}
    fick = [sf.Fick("O", 6e-10), sf.Fick("R", 7e-10)]
    species = [sf.Species("O"), sf.Species("R")]
    if keeps == "potential":
        return sf.Model(
            space,
            [*species, sf.Potential()],
            [*fick, sf.Ohm(0.4)],
            [sf.Exchange("electrode", law, {**bulk, "phi": E}), sf.Hold("bulk", {**bulk, "phi": 0.0})],
        )
    return sf.Model(
        space,
        species,
        fick,
        [sf.Exchange("electrode", law, {**bulk, "phi": E}), sf.Hold("bulk", bulk)],
        given={"phi": 0.0},
    )


@pytest.mark.parametrize("keeps", ["species", "potential", "supply"])
@pytest.mark.parametrize("E", [-0.06, 0.15])
def test_the_books_close_and_the_audit_sees_the_reaction(keeps, E):
    solution = sf.steady(cell(keeps, E))
    assert all(entry.relative < 1e-10 for entry in solution.ledger.values())
    entropy = solution.entropy
    assert entropy.least_local >= 0.0 and entropy.production > 0.0
    np.testing.assert_allclose(entropy.exported, entropy.production, rtol=1e-9)
    for check in (check_second_law, check_detailed_balance, check_reciprocity):
        assert failures(check(solution)) == []
    titles = [f.subject for f in check_detailed_balance(solution)]
    assert any("ButlerVolmer" in t for t in titles)


def test_the_power_spent_is_the_same_however_the_charge_is_kept():
    one = sf.steady(cell("supply"))
    current = FARADAY * float(one.flow("O", "bulk"))
    np.testing.assert_allclose(one.entropy.supply, current * 0.06, rtol=1e-9)
    other = sf.steady(cell("potential"))
    i = -float(other.flow("phi", "electrode"))
    np.testing.assert_allclose(i, FARADAY * float(other.flow("O", "bulk")), rtol=1e-9)
    np.testing.assert_allclose(other.entropy.production * 298.15, i * 0.06, rtol=1e-9)


class Hurried(sf.ButlerVolmer):
    """A reverse rate a little too fast for its potentials."""

    def rates(self, tail, head, edge):
        forward, reverse = super().rates(tail, head, edge)
        return forward, 1.0001 * reverse


@pytest.mark.parametrize(("law", "faults"), [(sf.ButlerVolmer, 0), (Hurried, 1)])
def test_a_reverse_rate_that_its_potentials_do_not_give_is_caught(law, faults):
    model = sf.Model(
        sf.interval(2e-5, 5, names=("electrode", "bulk")),
        [sf.Species("O"), sf.Species("R"), sf.Potential()],
        [sf.Fick("O", 6e-10), sf.Fick("R", 7e-10), sf.Ohm(0.4)],
        [
            sf.Exchange("electrode", law({"O": -1, "R": 1}, 1, 2.0), {"O": 2.0, "R": 3.0, "phi": -0.1}),
            sf.Hold("bulk", {"O": 2.0, "R": 3.0, "phi": 0.0}),
        ],
    )
    found = failures(check_detailed_balance(sf.steady(model)))
    assert len(found) == faults and all("affinity" in f.source for f in found)


def test_at_rest_the_electrode_takes_nernsts_potential():
    nernst, unit = R * 298.15 / FARADAY * np.log(0.7 / 3.0), {"O": 1.0, "R": 1.0}
    model = sf.Model(
        sf.interval(1e-5, 3, names=("electrode", "bulk")),
        [sf.Species("O"), sf.Species("R"), sf.Potential()],
        [sf.Fick("O", 1e-9), sf.Fick("R", 1e-9), sf.Ohm(2.0)],
        [
            sf.Exchange("electrode", sf.ButlerVolmer({"O": -1, "R": 1}, 1, 5.0), {**unit, "phi": 0.1 + nernst}),
            sf.Hold("bulk", {"O": 0.7, "R": 3.0, "phi": 0.1}),
        ],
    )
    solution = sf.steady(model)
    assert abs(float(solution.flow("O", "electrode"))) < 1e-12 * 5.0 / FARADAY
    assert solution.regime == "equilibrium"


def test_two_reactions_share_one_electrode():
    space = sf.interval(2e-5, 21, area=1.3e-4, names=("electrode", "bulk"))
    model = sf.Model(
        space,
        [sf.Species("O"), sf.Potential()],
        [sf.Fick("O", 6e-10), sf.Ohm(0.4)],
        [
            sf.Exchange("electrode", sf.Tafel({"O": -1}, 2, 1e-6), {"O": 0.0, "phi": -0.3}),
            sf.Exchange("electrode", sf.Tafel({}, 1, 4e-8, alpha=0.4), {"phi": -0.3}),
            sf.Hold("bulk", {"O": 2.0, "phi": 0.0}),
        ],
    )
    solution = sf.steady(model)
    current, wanted = -float(solution.flow("phi", "electrode")), 2 * FARADAY * float(solution.flow("O", "bulk"))
    phi = float(solution["phi"][0])
    other = FARADAY * 1.3e-4 * 4e-8 * np.exp(0.4 * FARADAY * (0.3 + phi) / (R * 298.15))
    np.testing.assert_allclose(current - wanted, other, rtol=1e-7)
    assert solution.ledger["phi"].relative < 1e-10


def test_ions_that_do_not_balance_the_electrons_are_refused():
    with pytest.raises(ModelError, match="names all ions that react"):
        bound(sf.ButlerVolmer({"Fe3+": -1}, 1, 1.0), IONS)
    with pytest.raises(NameUnknown, match="there are O"):
        bound(sf.Tafel({"O": -1}, 1, 1.0, orders={"Q": 1.0}))


def test_a_concentration_that_rounding_made_negative_has_finite_slopes():
    law = sf.ButlerVolmer({"O": -1, "R": 1}, 1, 1e3)
    model = sf.Model(
        sf.interval(1e-4, cells=4, names=("electrode", "bulk")),
        [sf.Species("O"), sf.Species("R")],
        [sf.Fick("O", 1e-9), sf.Fick("R", 1e-9)],
        [sf.Exchange("electrode", law, {"O": 1.0, "R": 1.0, "phi": 0.01}), sf.Hold("bulk", {"O": 1.3, "R": 0.0})],
        given={"phi": 0.0},
    )

    def balance(u):
        state = State(u, jnp.zeros(0))
        return residual(model, state, Stage(jnp.ones(()), jnp.zeros(()), state, jnp.zeros(0, int)), jnp.zeros(0)).u

    for trace in (1e-9, 0.0, -1e-9):
        at = jnp.stack([jnp.full(4, 1.3), jnp.full(4, trace)], axis=1)
        slopes = jax.jacfwd(balance)(at)[0]
        assert np.isfinite(slopes).all()
        # The rate of a first-order reaction is a straight line through zero.
        np.testing.assert_allclose(slopes, jax.jacfwd(balance)(at + 0.1)[0], rtol=1e-9)
