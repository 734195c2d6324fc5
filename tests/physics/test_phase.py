"""Phases: activity coefficients against slopes, published closed forms and Gibbs-Duhem; local potentials."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import steadyflux as sf
from steadyflux.ground.constants import FARADAY, K_B, R
from steadyflux.ground.errors import NameUnknown
from steadyflux.physics.local import Frame, Local

CHARGES = {"Ca2+": 2, "Cl-": -1, "A": 0}
PHASES = {
    "ideal": sf.Ideal(),
    "debye-huckel": sf.DebyeHuckel(A=1.17, B=1.3),
    "davies": sf.Davies(),
    "regular": sf.RegularSolution(sites="9 M", interaction=-2.5),
    "finite size": sf.FiniteSize(diameter="0.4 nm"),
}


class Margules(sf.Phase):
    """A user's own phase: excess b (c1 c2) / scale, in a few lines."""

    b: float = 0.7

    def excess(self, c, charges, T):
        """One cross term that falls with the temperature."""
        return self.b * c["Ca2+"] * c["A"] / 500.0 * (300.0 / T)


PHASES["own"] = Margules()
STATES = [{"Ca2+": 41.0, "Cl-": 93.0, "A": 17.0}, {"Ca2+": 0.3, "Cl-": 0.6, "A": 410.0}]


def of(c):
    return {name: jnp.asarray(value, dtype=float) for name, value in c.items()}


@pytest.mark.parametrize("c", STATES)
@pytest.mark.parametrize("name", PHASES)
def test_activity_coefficients_are_the_slopes_of_the_free_energy(name, c):
    phase, T = PHASES[name], 310.0
    found = phase.ln_gamma(of(c), CHARGES, jnp.asarray(T))
    for species in c:
        h = 1e-4 * c[species]
        up, down = ({**c, species: c[species] + s * h} for s in (1, -1))
        slope = (phase.free_energy(of(up), CHARGES, T) - phase.free_energy(of(down), CHARGES, T)) / (2 * h)
        np.testing.assert_allclose(slope / (R * T), np.log(c[species]) + found[species], rtol=1e-6, atol=1e-6)


@given(st.floats(1e-6, 800.0), st.floats(1e-6, 800.0))
@settings(max_examples=50)
def test_debye_huckel_and_davies_are_their_published_formulas(ca, cl):
    c = of({"Ca2+": ca, "Cl-": cl, "A": 5.0})
    root = np.sqrt(0.5 * (4 * ca + cl) / 1000.0)
    extended = sf.DebyeHuckel(A=1.17, B=1.3).ln_gamma(c, CHARGES, 298.15)
    davies = sf.Davies().ln_gamma(c, CHARGES, 298.15)
    for name, z in CHARGES.items():
        np.testing.assert_allclose(extended[name], -1.17 * z**2 * root / (1 + 1.3 * root), rtol=1e-12, atol=1e-15)
        exact = -1.1758 * z**2 * (root / (1 + root) - 0.3 * root**2)
        np.testing.assert_allclose(davies[name], exact, rtol=1e-12, atol=1e-14)


def test_the_limiting_law_of_debye_and_huckel_holds_at_high_dilution():
    c = of({"Ca2+": 1e-6, "Cl-": 2e-6, "A": 0.0})
    found = sf.DebyeHuckel().ln_gamma(c, CHARGES, 298.15)["Ca2+"]
    np.testing.assert_allclose(found, -1.1758 * 4 * np.sqrt(3e-9), rtol=1e-4)


def test_nothing_dissolved_has_activity_coefficients_of_one():
    for name in ("debye-huckel", "davies", "finite size", "ideal"):
        found = PHASES[name].ln_gamma(of({"Ca2+": 0.0, "Cl-": 0.0, "A": 0.0}), CHARGES, jnp.asarray(298.15))
        assert all(float(value) == 0.0 for value in found.values()), name


@given(st.floats(1.0, 3000.0), st.floats(1.0, 3000.0))
@settings(max_examples=50)
def test_lattice_phases_are_their_published_formulas(a, b):
    c = of({"Ca2+": a, "Cl-": b, "A": 0.0})
    theta = (a + b) / 9000.0
    regular = PHASES["regular"].ln_gamma(c, CHARGES, 298.15)["Cl-"]
    np.testing.assert_allclose(regular, -np.log(1 - theta) - 2.5 * theta, rtol=1e-12)
    fill = 6.02214076e23 * 0.4e-9**3 * (a + b)
    np.testing.assert_allclose(PHASES["finite size"].ln_gamma(c, CHARGES, 298.15)["A"], -np.log(1 - fill), rtol=1e-11)


def test_the_critical_interaction_of_the_lattice_is_minus_four():
    def slope(theta, g):
        phase = sf.RegularSolution(sites=1.0, interaction=g)
        return jax.grad(lambda t: jnp.log(t) + phase.ln_gamma({"A": t}, {"A": 0}, 300.0)["A"])(theta)

    np.testing.assert_allclose(slope(0.5, -4.0), 0.0, atol=1e-12)
    assert slope(0.5, -3.9) > 0 > slope(0.5, -4.1)


@pytest.mark.parametrize("name", PHASES)
def test_gibbs_and_duhem_sum_of_c_d_mu_is_the_differential_of_the_osmotic_pressure(name):
    phase, T, direction = PHASES[name], jnp.asarray(295.0), {"Ca2+": 0.3, "Cl-": -1.1, "A": 0.7}

    def mu(c):
        ln_gamma = phase.ln_gamma(c, CHARGES, T)
        return {n: R * T * (jnp.log(c[n]) + ln_gamma[n]) for n in c}

    def pressure(c):  # sum c mu - f
        return sum(c[n] * m for n, m in mu(c).items()) - phase.free_energy(c, CHARGES, T)

    c, d = of(STATES[0]), of(direction)
    moved = jax.jvp(mu, (c,), (d,))[1]
    np.testing.assert_allclose(sum(c[n] * moved[n] for n in c), jax.jvp(pressure, (c,), (d,))[1], rtol=1e-11)


def test_a_phase_past_full_occupancy_stays_finite():
    c = of({"Ca2+": 9500.0, "Cl-": 10.0, "A": 0.0})
    assert np.isfinite(PHASES["regular"].ln_gamma(c, CHARGES, 298.15)["Ca2+"])
    assert np.isfinite(sf.FiniteSize("1 nm").ln_gamma(c, CHARGES, 298.15)["Ca2+"])


def test_a_phase_without_an_excess_says_so():
    with pytest.raises(TypeError, match=r"Phase must define excess\(c, charges, T\)"):
        sf.Phase().ln_gamma({"A": jnp.ones(())}, {"A": 0}, 300.0)


# ---- local states ------------------------------------------------------------------------------------------------

QUANTITIES = (
    sf.Ion("Ca2+", standard=-1200.0, reference=3.0, external="lift"),
    sf.Heat(),
    sf.Potential(),
    sf.Volume("p", external="weight"),
    sf.Momentum("v"),
    sf.Population("N", reference=20.0),
    sf.Population("stars"),
    sf.Size("swelling"),
)
VALUES = {"Ca2+": 41.0, "T": 305.0, "phi": -0.03, "p": 2e5, "v": 1.7, "N": 55.0, "stars": 4.0, "swelling": 1e-15}
GIVEN = {"lift": 250.0, "weight": 9e3}


def local(phase=None, potential: str | None = "phi") -> Local:
    frame = Frame({q.name: q for q in QUANTITIES}, sf.Ideal() if phase is None else phase, "T", potential)
    return Local({n: jnp.asarray(v) for n, v in {**VALUES, **GIVEN}.items()}, frame)


def test_each_kind_has_the_conjugate_potential_of_the_table():
    here = local()
    mu = -1200.0 + R * 305.0 * np.log(41.0 / 3.0) + 2 * FARADAY * -0.03 + 250.0
    expected = {
        "Ca2+": -mu / 305.0,
        "T": 1 / 305.0,
        "phi": 0.03 / 305.0,
        "p": -(2e5 + 9e3) / 305.0,
        "v": -1.7 / 305.0,
        "N": -K_B * np.log(55.0 / 20.0),
        "stars": 0.0,
        "swelling": 0.0,
    }
    for name, value in expected.items():
        np.testing.assert_allclose(here.conjugate(name), value, rtol=1e-13, err_msg=name)


def test_the_electrochemical_potential_contains_the_activity_coefficient():
    rise = local(sf.DebyeHuckel()).chemical_potential("Ca2+") - local().chemical_potential("Ca2+")
    root = np.sqrt(0.5 * 4 * 0.041)
    np.testing.assert_allclose(rise, -R * 305.0 * 1.1758 * 4 * root / (1 + root), rtol=1e-10)


def test_charges_and_missing_names():
    here = local()
    np.testing.assert_allclose(here.charge_density(), 82.0)
    assert float(local(potential=None).phi) == 0.0
    with pytest.raises(NameUnknown, match=r"did you mean 'phi'"):
        here["pih"]


def test_phases_are_records_whose_numbers_can_be_changed():
    changed = eqx.tree_at(lambda p: p.A, sf.Davies(), 1.2)
    assert changed.A == 1.2
    with pytest.raises(AttributeError):
        changed.A = 1.3
