"""Thermoelectric and thermodiffusion laws: reciprocity and positivity from their fluxes, exact states, refusals."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import steadyflux as sf
from steadyflux.audit.findings import failures
from steadyflux.audit.reciprocity import check_model_reciprocity, check_reciprocity
from steadyflux.audit.second_law import check_second_law
from steadyflux.ground.constants import R
from steadyflux.ground.errors import ModelError
from steadyflux.physics.local import Geometry, Local

BISMUTH = {
    "seebeck": (2.2224e-05, 9.306e-07, -9.905e-10),
    "resistivity": (5.112e-07, 1.634e-08, 6.279e-11),
    "conductivity": (6.2605, -0.02777, 4.131e-05),
}
EDGE = Geometry(jnp.asarray(2.3e-6), jnp.asarray(1.7e-4), jnp.asarray(0.0))


def leg(cells=41, **boundaries):
    cold = {"T": 268.0, "phi": 0.0} | boundaries.get("cold", {})
    hot = {"T": 303.0, "phi": -0.04} | boundaries.get("hot", {})
    return sf.Model(
        sf.interval(1.6e-3, cells=cells, area=1.96e-6, names=("cold", "hot")),
        quantities=[sf.Heat(capacity=1.2e6), sf.Potential()],
        laws=[sf.Thermoelectric(**BISMUTH)],
        boundaries=[sf.Hold("cold", cold), sf.Hold("hot", hot)],
    )


def cell(soret=4.4e-3, cells=31, masses=(0.046, 0.018), **more):
    mixture = sf.BinaryMixture("ethanol", 950.0, masses)
    law = sf.Thermodiffusion("ethanol", 4.1e-10, soret, 0.4, pure=mixture.pure, **more)
    return sf.Model(
        sf.interval(1e-3, cells=cells, names=("cold", "hot")),
        quantities=[sf.Species("ethanol"), sf.Heat(capacity=3.5e6)],
        phase=mixture,
        laws=[law],
        boundaries=[
            sf.Hold("cold", {"T": 285.0, "ethanol": 0.5 * 950 / 0.046}),
            sf.Hold("hot", {"T": 311.0, "ethanol": 0.3 * 950 / 0.046}),
        ],
    )


def by_fluxes(model, at, step=0.0):
    """L from the derivatives of a law's flux about equal ends: J = L (y_head - y_tail) area / length."""
    law = model.laws[0]
    frame = model.frame
    low = {n: jnp.asarray(x) for n, x in at.items()}

    def state(x):
        return Local(low | dict(zip(law.moves, x, strict=True)), frame)

    x0 = jnp.asarray([at[n] for n in law.moves])

    def flux(x):
        found = law.flux(state(x0), state(x), EDGE)
        return jnp.stack([found[n] for n in law.moves])

    def potentials(x):
        return jnp.stack([state(x).conjugate(n) for n in law.moves])

    found = jax.jacfwd(flux)(x0) @ jnp.linalg.inv(jax.jacfwd(potentials)(x0)) / EDGE.conductor
    return np.asarray(found), np.asarray(law.coefficients(state(x0), EDGE))


@pytest.mark.parametrize("at", [{"T": 287.0, "phi": 0.013}, {"T": 341.0, "phi": -12.7}])
def test_the_thermoelectric_matrix_is_found_from_the_fluxes(at):
    model = leg()
    found, stated = by_fluxes(model, at)
    np.testing.assert_allclose(found, stated, rtol=1e-10)
    np.testing.assert_allclose(found[0, 1], found[1, 0], rtol=1e-10)
    assert np.all(np.linalg.eigvalsh(found / np.sqrt(np.outer(np.diag(found), np.diag(found)))) > 0)


@pytest.mark.parametrize("at", [{"ethanol": 7300.0, "T": 297.0}, {"ethanol": 20300.0, "T": 351.0}])
def test_the_thermodiffusion_matrix_is_found_from_the_fluxes(at):
    model = cell()
    found, stated = by_fluxes(model, at)
    np.testing.assert_allclose(found, stated, rtol=1e-8)
    np.testing.assert_allclose(found[0, 1], found[1, 0], rtol=1e-8)
    assert np.linalg.det(found) > 0
    # de Groot and Mazur's form with masses: mu_11 = R T / (w (w M_2 + (1 - w) M_1)).
    (m1, m2), w, T = (0.046, 0.018), at["ethanol"] * 0.046 / 950.0, at["T"]
    curvature = R * T / (w * (w * m2 + (1 - w) * m1))
    L11 = 950.0 * 4.1e-10 * (1 - w) * T / curvature
    L1q = 4.4e-3 * 4.1e-10 * 950.0 * w * (1 - w) * T**2
    np.testing.assert_allclose(found[0, 0] * m1**2, L11, rtol=1e-10)
    np.testing.assert_allclose(found[0, 1] * m1, L1q, rtol=1e-10)
    np.testing.assert_allclose(found[1, 1], 0.4 * T**2 + L1q**2 / L11, rtol=1e-10)


def test_kelvins_relation_from_computed_fluxes():
    # Peltier: heat carried a current at one temperature; Seebeck: voltage of an open leg between two temperatures.
    T, step = 291.0, 1e-4
    same = {"T": T, "phi": 0.0}

    def peltier(current):
        held = [sf.Hold("cold", same), sf.Hold("hot", {"T": T}), sf.Influx("hot", {"phi": -current / 1.96e-6})]
        model = leg(cells=21)
        new = sf.Model(model.space, model.quantities, [sf.Thermoelectric(**BISMUTH)], held)
        return sf.steady(new).flow("T", "cold")

    def voltage(rise):
        model = leg(cells=21)
        held = [sf.Hold("cold", same), sf.Hold("hot", {"T": T + rise})]
        new = sf.Model(model.space, model.quantities, [sf.Thermoelectric(**BISMUTH)], held)
        return -sf.steady(new).value("phi", "hot")

    pi, seebeck = jax.grad(peltier)(0.0), jax.grad(voltage)(0.0)
    np.testing.assert_allclose(pi, T * seebeck, rtol=1e-9)
    S = np.polyval(BISMUTH["seebeck"][::-1], T)
    np.testing.assert_allclose(pi, S * T, rtol=1e-9)
    np.testing.assert_allclose((voltage(step) - voltage(-step)) / (2 * step), S, rtol=1e-7)


def test_the_seebeck_voltage_of_an_open_leg_is_the_integral_on_any_mesh():
    for cells in (2, 5):
        model = leg(cells)
        held = [sf.Hold("cold", {"T": 230.0, "phi": 0.0}), sf.Hold("hot", {"T": 390.0})]
        found = sf.steady(sf.Model(model.space, model.quantities, [sf.Thermoelectric(**BISMUTH)], held))
        S = np.polyint(BISMUTH["seebeck"][::-1])
        np.testing.assert_allclose(-found.value("phi", "hot"), np.polyval(S, 390.0) - np.polyval(S, 230.0), rtol=1e-12)


def test_constant_properties_give_the_closed_form_on_a_coarse_mesh():
    S, rho, k, length, area, current = 2.1e-4, 9.8e-6, 1.5, 2e-3, 1e-6, 1.3
    model = sf.Model(
        sf.interval(length, cells=4, area=area, names=("cold", "hot")),
        [sf.Heat(), sf.Potential()],
        [sf.Thermoelectric(S, rho, k)],
        [
            sf.Hold("cold", {"T": 285.0, "phi": 0.0}),
            sf.Hold("hot", {"T": 310.0}),
            sf.Influx("hot", {"phi": -current / area}),
        ],
    )
    cooling = S * current * 285.0 - 0.5 * current**2 * rho * length / area - k * area / length * 25.0
    np.testing.assert_allclose(sf.steady(model).flow("T", "cold"), cooling, rtol=1e-11)


def test_a_shift_of_the_potential_changes_no_heat():
    one = sf.steady(leg())
    two = sf.steady(leg(cold={"phi": 37.0}, hot={"phi": 36.96}))
    np.testing.assert_allclose(two["T"], one["T"], rtol=1e-10)
    np.testing.assert_allclose(two.entropy.production, one.entropy.production, rtol=1e-9)


@pytest.mark.parametrize("make", [leg, cell])
def test_reciprocity_and_second_law_hold_in_a_model(make):
    model = make()
    solution = sf.steady(model)
    assert not failures([*check_reciprocity(solution), check_model_reciprocity(model), *check_second_law(solution)])
    assert all(np.asarray(solution.books.laws[0].entropy) > 0)


class Lopsided(sf.Thermoelectric):
    """Peltier heat 2 % off what the Seebeck coefficient asks for."""

    def flux(self, tail, head, edge):
        found = sf.Thermoelectric.flux(self, tail, head, edge)
        extra = 0.02 * self.seebeck(tail.T) * tail.T * found["phi"]
        return {"T": found["T"] + extra, "phi": found["phi"]}


class NoDufour(sf.Thermodiffusion):
    """Soret's effect without Dufour's."""

    def flux(self, tail, head, edge):
        found = sf.Thermodiffusion.flux(self, tail, head, edge)
        return found | {"T": edge.conductor * self.conductivity(tail.T) * (tail.T - head.T)}


def test_a_planted_asymmetry_is_caught():
    wrong = sf.Model(
        leg().space,
        [sf.Heat(), sf.Potential()],
        [Lopsided(**BISMUTH)],
        [sf.Hold("cold", {"T": 268.0, "phi": 0.0}), sf.Hold("hot", {"T": 303.0, "phi": -0.04})],
    )
    assert failures(check_reciprocity(sf.steady(wrong)))
    assert failures([check_model_reciprocity(wrong)])
    mixture = sf.BinaryMixture("ethanol", 950.0, (0.046, 0.018))
    wrong = sf.Model(
        sf.interval(1e-3, cells=21),
        [sf.Species("ethanol"), sf.Heat()],
        [NoDufour("ethanol", 4.1e-10, 4.4e-3, 0.4, pure=mixture.pure)],
        [sf.Hold("left", {"T": 285.0, "ethanol": 9000.0}), sf.Hold("right", {"T": 311.0, "ethanol": 7000.0})],
        phase=mixture,
    )
    assert failures(check_reciprocity(sf.steady(wrong)))
    assert failures([check_model_reciprocity(wrong)])


def test_a_soret_cell_at_rest_is_exact_on_a_coarse_mesh():
    for masses in ((0.046, 0.018), (0.002, 0.044)):
        mixture = sf.BinaryMixture("one", 950.0, masses)
        model = sf.Model(
            sf.interval(1e-3, cells=4),
            [sf.Species("one"), sf.Heat()],
            [sf.Thermodiffusion("one", 4.1e-10, 0.11, 0.4, pure=mixture.pure)],
            [sf.Hold("left", {"T": 280.0, "one": 0.6 * mixture.pure}), sf.Hold("right", {"T": 320.0})],
            phase=mixture,
        )
        found = sf.steady(model)
        w = np.asarray(found["one"]) / mixture.pure
        np.testing.assert_allclose(np.log(w / (1 - w)), np.log(1.5) - 0.11 * (found["T"] - 280.0), rtol=1e-9)
        np.testing.assert_allclose(found.flow("T", "right"), 0.4 * 40.0 / 1e-3, rtol=1e-10)


def test_dilute_solutions_follow_the_exponential_and_functions_of_the_state():
    # S_T(T) = s (1 - exp((T* - T) / w)) changes its sign at T* (Iacopini and Piazza 2003).
    T0, width, most = 294.0, 13.0, 0.02

    def soret(state):
        return {"soret": most * (1.0 - jnp.exp((T0 - state["T"]) / width))}

    law = sf.Thermodiffusion("lysozyme", 1.1e-10, 0.0, 0.6, function=soret)
    model = sf.Model(
        sf.interval(1e-3, cells=61),
        [sf.Species("lysozyme"), sf.Heat()],
        [law],
        [sf.Hold("left", {"T": 280.0, "lysozyme": 0.5}), sf.Hold("right", {"T": 310.0})],
    )
    found = sf.steady(model)
    T = np.asarray(found["T"])
    exponent = most * (T - 280.0 + width * (np.exp((T0 - T) / width) - np.exp((T0 - 280.0) / width)))
    np.testing.assert_allclose(found["lysozyme"], 0.5 * np.exp(-exponent), rtol=1e-6)


def test_refusals():
    with pytest.raises(ModelError, match="neutral"):
        sf.Model(
            sf.interval(1e-3, cells=5),
            [sf.Ion("K+"), sf.Heat(), sf.Potential()],
            [sf.Thermodiffusion("K+", 1e-9, 1e-3, 0.6), sf.Electroneutrality()],
            [],
        )
    with pytest.raises(ModelError, match="one for each edge"):
        sf.Model(
            sf.interval(1e-3, cells=5),
            [sf.Heat(), sf.Potential()],
            [sf.Thermoelectric(np.full(3, 2e-4), 1e-5, 1.5)],
            [sf.Hold("left", {"T": 300.0, "phi": 0.0})],
        )


def test_properties_may_differ_from_edge_to_edge_and_along_the_space():
    space = sf.interval(1e-3, cells=5)
    held = [sf.Hold("left", {"T": 300.0, "phi": 0.0}), sf.Hold("right", {"T": 320.0})]
    quantities = [sf.Heat(), sf.Potential()]
    by_edge = sf.Thermoelectric(np.array([1e-4, 2e-4, 3e-4, 4e-4]), 1e-5, "1.5 W/(m*K)")
    along = sf.Thermoelectric(lambda x: 1e-4 * (0.5 + 4e3 * x), 1e-5, 1.5)
    for law in (by_edge, along):
        found = sf.steady(sf.Model(space, quantities, [law], held))
        np.testing.assert_allclose(-found.value("phi", "right"), 20.0 * 2.5e-4, rtol=1e-10)
    assert eqx.tree_equal(by_edge.conductivity, sf.Polynomial((1.5,)))


def test_a_potential_held_where_no_current_can_leave_is_no_port():
    # The current is fed at the other end: what the held potential answers is rounding and must not be judged.
    held = [sf.Hold("cold", {"T": 270.0, "phi": 0.0}), sf.Hold("hot", {"T": 300.0}), sf.Influx("hot", {"phi": -1.3e6})]
    for law, good in ((sf.Thermoelectric(**BISMUTH), True), (Lopsided(**BISMUTH), False)):
        model = sf.Model(leg(201).space, [sf.Heat(), sf.Potential()], [law], held)
        found = check_model_reciprocity(model)
        assert not good or (not failures([found]) and found.measured is not None)
