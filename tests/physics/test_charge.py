"""Ions and electricity: exponential fitting against big floats, Ussing, Poisson, electroneutrality, constant field."""

import jax
import jax.numpy as jnp
import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import steadyflux as sf
from steadyflux.ground.constants import EPSILON_0, FARADAY, R
from steadyflux.ground.errors import ModelError, NameUnknown, UnitError
from steadyflux.physics.charge import fitted
from steadyflux.physics.local import Cell, Frame, Geometry, Local

EDGE = Geometry(jnp.asarray(3e-4), jnp.asarray(2e-3), jnp.asarray(0.1))
CELL = Cell(jnp.asarray(1.0), jnp.asarray(0.0))
CLIMBS = [0.0, 1e-300, 1e-12, -1e-12, 1e-6, 0.3, -0.3, 1.0, -1.0, 7.0, -7.0, 40.0, -40.0, 700.0, -700.0]


def local(phase=None, quantities=None, **values) -> Local:
    quantities = quantities or (sf.Ion("K+", 2e-9), sf.Ion("SO4--", 1e-9), sf.Potential())
    frame = Frame({q.name: q for q in quantities}, phase or sf.Ideal(), "T", "phi")
    return Local({n: jnp.asarray(v, dtype=float) for n, v in {"T": 298.15, "phi": 0.0, **values}.items()}, frame)


def bernoulli(x):
    return mp.mpf(1) if x == 0 else mp.mpf(x) / mp.expm1(mp.mpf(x))


@pytest.mark.parametrize("climb", CLIMBS)
def test_both_ways_are_exact_for_any_climb(climb):
    with mp.workdps(60):
        exact = [float(2.5 * 11.0 * bernoulli(climb)), float(2.5 * 0.7 * bernoulli(-climb))]
    found = [float(x) for x in fitted(jnp.asarray(2.5), 11.0, 0.7, jnp.asarray(climb))]
    np.testing.assert_allclose(found, exact, rtol=4e-15, atol=1e-300)


@pytest.mark.parametrize("climb", CLIMBS)
def test_the_slopes_of_both_ways_are_exact_too(climb):
    with mp.workdps(60):
        slope = [
            mp.diff(bernoulli, mp.mpf(x)) if abs(x) > 1e-3 else mp.mpf(-0.5) + mp.mpf(x) / 6 for x in (climb, -climb)
        ]
        exact = [float(2.5 * 11.0 * slope[0]), float(-2.5 * 0.7 * slope[1])]
    found = jax.jacfwd(lambda w: jnp.stack(fitted(jnp.asarray(2.5), 11.0, 0.7, w)))(jnp.asarray(climb))
    np.testing.assert_allclose(found, exact, rtol=1e-13, atol=1e-300)


@given(st.floats(-500, 500), st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
def test_the_flux_vanishes_exactly_where_boltzmann_holds_and_changes_sign_with_the_direction(climb, a, b):
    forward, reverse = fitted(1.0, a, b, jnp.asarray(climb))
    back, forth = fitted(1.0, b, a, jnp.asarray(-climb))
    np.testing.assert_allclose([forward, reverse], [forth, back], rtol=1e-14)
    # Ussing: forward over reverse is exp of the drop of the electrochemical potential.
    np.testing.assert_allclose(np.log(forward) - np.log(reverse), np.log(a / b) - climb, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("phase", [sf.Ideal(), sf.DebyeHuckel(), sf.FiniteSize("0.6 nm")])
def test_between_close_states_nernst_planck_is_the_mobility_times_the_gradient_of_mu(phase):
    law = sf.NernstPlanck(species=("K+", "SO4--"), diffusivity={"K+": 2e-9, "SO4--": 1e-9})
    middle, rise = {"K+": 80.0, "SO4--": 45.0, "phi": 0.02}, {"K+": 3.0, "SO4--": -2.0, "phi": 0.004}

    def ends(h):
        return [local(phase, **{n: middle[n] + s * 0.5 * h * rise[n] for n in middle}) for s in (-1, 1)]

    slopes = {
        n: jax.jvp(
            lambda h, name=n: local(phase, **{k: middle[k] + h * rise[k] for k in middle}).chemical_potential(name),
            (0.0,),
            (1.0,),
        )[1]
        for n in ("K+", "SO4--")
    }
    for h in (1e-2, 1e-3):
        flux = law.flux(*ends(h), EDGE)
        for name, d in (("K+", 2e-9), ("SO4--", 1e-9)):
            exact = -d * middle[name] / (R * 298.15) * slopes[name] * h * EDGE.conductor
            np.testing.assert_allclose(flux[name], exact, rtol=10 * h**2 + 1e-9)


def test_nernst_planck_is_exact_for_the_profile_of_a_constant_force():
    # c(x) = a + b exp(w x / L) has the flux J = -D a w / L when dc/dx - w/L c is the driving gradient (climb -w).
    a, b, w, d = 3.0, 2.0, 1.9, 2e-9
    volts = -w * R * 298.15 / FARADAY
    tail, head = (local(**{"K+": a + b * np.exp(w * x), "phi": volts * x, "SO4--": 1.0}) for x in (0.0, 1.0))
    law = sf.NernstPlanck(species="K+", diffusivity={"K+": d})
    np.testing.assert_allclose(law.flux(tail, head, EDGE)["K+"], d * a * w * EDGE.conductor, rtol=1e-13)


def test_a_neutral_species_drifts_in_an_external_field():
    gas = (sf.Species("gas", 2e-5, external="weight"),)
    frame = Frame({"gas": gas[0]}, sf.Ideal(), "T", None)
    low, high = (
        Local({"gas": jnp.asarray(c), "weight": jnp.asarray(w), "T": jnp.asarray(280.0)}, frame)
        for c, w in ((4.0, 0.0), (4.0 * np.exp(-900.0 / (R * 280.0)), 900.0))
    )
    flux = sf.NernstPlanck("gas", {"gas": 2e-5}).one_way(low, high, EDGE)["gas"]
    np.testing.assert_allclose(flux[0], flux[1], rtol=1e-13)


def test_charges_feel_the_potential_and_neutral_species_do_not():
    known = {q.name: q for q in (sf.Ion("K+", 2e-9), sf.Species("sugar", 5e-10), sf.Species("rock"), sf.Potential())}
    law = sf.NernstPlanck().bound(known, np.array([0.5, 1.5]))
    assert law.moves == ("K+", "sugar")
    assert law.sees == ("phi",)
    assert sf.NernstPlanck("sugar").bound(known, np.array([0.5])).sees == ()
    with pytest.raises(ModelError, match="rock has no diffusivity"):
        sf.NernstPlanck(("rock",)).bound(known, np.array([0.5]))
    varying = sf.NernstPlanck("sugar", {"sugar": lambda x: 1e-9 * x}).bound(known, np.array([0.5, 1.5]))
    np.testing.assert_allclose(varying.diffusivity["sugar"], [5e-10, 1.5e-9])


def test_diffusivities_given_to_the_law_come_first_and_are_never_lost():
    known = {q.name: q for q in (sf.Ion("K+", 2e-9), sf.Species("rock"), sf.Potential())}
    one = sf.NernstPlanck(diffusivity="3e-9 m^2/s").bound(known, np.zeros(1))
    assert {n: float(d) for n, d in one.diffusivity.items()} == {"K+": 3e-9, "rock": 3e-9}
    named = sf.NernstPlanck(diffusivity={"rock": 1e-12}).bound(known, np.zeros(1))
    assert {n: float(d) for n, d in named.diffusivity.items()} == {"K+": 2e-9, "rock": 1e-12}
    with pytest.raises(NameUnknown, match="did you mean 'rock'"):
        sf.NernstPlanck(diffusivity={"rok": 1e-12}).bound(known, np.zeros(1))


def test_poisson_moves_displacement_and_makes_charge():
    law = sf.Poisson(relative_permittivity=80.0, fixed_charge="-3 mM")
    tail, head = local(phi=0.3, **{"K+": 5.0, "SO4--": 1.5}), local(phi=0.1, **{"K+": 1.0, "SO4--": 1.0})
    np.testing.assert_allclose(law.flux(tail, head, EDGE)["phi"], EPSILON_0 * 80.0 * 0.15 * 0.2, rtol=1e-13)
    np.testing.assert_allclose(law.production(tail, CELL)["phi"], FARADAY * (5.0 - 3.0 - 3.0), rtol=1e-13)
    assert not law.dissipative


def test_a_fixed_charge_may_be_a_named_field():
    here = local(phi=0.0, doping=7.0, **{"K+": 5.0, "SO4--": 1.0})
    for law in (sf.Poisson(fixed_charge="doping"), sf.Electroneutrality(fixed_charge="doping")):
        np.testing.assert_allclose(law.production(here, CELL)["phi"], FARADAY * 10.0, rtol=1e-13)
    assert sf.Poisson(fixed_charge="-2 mM").fixed_charge == -2.0
    with pytest.raises(UnitError, match="fixed charge: the ndarray is an array where one number is expected"):
        sf.Poisson(fixed_charge=np.ones(4))


def test_a_constant_field_does_not_know_the_bore():
    flux = sf.ConstantField().flux(local(phi=0.3), local(phi=0.1), EDGE)["phi"]
    np.testing.assert_allclose(flux, 0.2 / 2e-3, rtol=1e-13)


@pytest.mark.parametrize(
    ("name", "charge"),
    [
        ("Na+", 1),
        ("Ca2+", 2),
        ("SO4--", -2),
        ("SO4^2-", -2),
        ("PO4---", -3),
        ("NH4^+", 1),
        ("Ru(bpy)3 2+", 2),
        ("OH-", -1),
    ],
)
def test_charges_are_read_off_names(name, charge):
    assert sf.Ion(name).charge == charge


@pytest.mark.parametrize("name", ["water", "A^10-", "X+-", "NO3-", "NH4+", "ATP4-", "HPO42-"])
def test_a_name_that_leaves_its_charge_in_doubt_is_refused(name):
    with pytest.raises(
        ModelError, match=f"charge of '{name.translate({94: '.', 43: '.'})}' (cannot be read|is in doubt)"
    ):
        sf.Ion(name)
    assert sf.Ion(name, charge=-1).charge == -1


def test_a_charge_number_may_be_a_mean():
    assert sf.Ion("protein", charge=-1.2).charge == -1.2
