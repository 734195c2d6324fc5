"""Streams: effusion against Knudsen's formulas, its reciprocity, its momentum, and what it refuses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import steadyflux as sf
from steadyflux.ground.constants import K_B, N_A, R
from steadyflux.ground.errors import ModelError
from steadyflux.physics.distributions import Maxwell
from steadyflux.physics.local import Frame, Geometry, Local

ARGON = 6.63352146325368e-26
HOLE = Geometry(jnp.asarray(np.pi * 1e-10), jnp.asarray(1.0), jnp.asarray(0.0))


def side(c, T, quantity=None) -> Local:
    gas = sf.Species("gas") if quantity is None else quantity
    frame = Frame({"gas": gas, "T": sf.Heat()}, sf.Ideal(), "T", None)
    return Local({"gas": jnp.asarray(c, dtype=float), "T": jnp.asarray(T, dtype=float)}, frame)


def bound(law, gas=None):
    return law.bound({"gas": gas or sf.Species("gas"), "T": sf.Heat()}, np.zeros(1))


@pytest.mark.parametrize(
    ("first", "second", "mass", "opening", "particles", "energy"),
    [
        # Independent reference computation of two vessels joined by an orifice.
        ((10.0, 300.0), (2.0, 300.0), ARGON, np.pi * 1e-10, 60488886156415.68, 5.010835210978149e-07),
        ((1.0, 400.0), (1.0, 300.0), 6.64647366797316e-27, np.pi * 6.25e-10, -20001589033270.688, 1.913235369991744e-7),
    ],
)
def test_effusion_between_two_vessels(first, second, mass, opening, particles, energy):
    model = sf.Model(
        sf.network({"a": "1 L", "b": "2 L"}, {"hole": [("a", "b")]}, area=opening),
        [sf.Species("gas"), sf.Heat()],
        [sf.Effusion("gas", mass, "T", on="hole")],
        [
            sf.Hold("a", {"gas": first[0] / (R * first[1]), "T": first[1]}),
            sf.Hold("b", {"gas": second[0] / (R * second[1]), "T": second[1]}),
        ],
    )
    solution = sf.steady(model)
    np.testing.assert_allclose(solution.flow("gas", "a") * N_A, particles, rtol=1e-13)
    np.testing.assert_allclose(solution.flow("T", "a"), energy, rtol=1e-13)


def test_effusion_is_reciprocal_in_the_ideal_gas_potentials():
    """L_NE = 2 R T L_NN, L_EE = 6 (R T)^2 L_NN against -mu/T and 1/T of a monatomic gas; 3.5 and 16.25 with 3 internal
    degrees of freedom: those of the mean energy squared and its variance."""
    c, T = 3.7, 412.0
    for internal, first, second in ((0.0, 2.0, 6.0), (3.0, 3.5, 3.5**2 + 2.0 + 1.5)):
        law = bound(sf.Effusion("gas", Maxwell(ARGON, internal), "T"))

        def flux(x, law=law):
            out = law.flux(side(c, T), side(x[0], x[1]), HOLE)
            return jnp.stack([out["gas"], out["T"]])

        def conjugates(x, power=1.5 + 0.5 * internal):
            return jnp.stack([-R * jnp.log(x[0] / x[1] ** power), 1.0 / x[1]])

        at = jnp.array([c, T])
        matrix = np.asarray(jax.jacfwd(flux)(at) @ jnp.linalg.inv(jax.jacfwd(conjugates)(at)))
        np.testing.assert_allclose(matrix[0, 1], matrix[1, 0], rtol=1e-12)
        np.testing.assert_allclose(matrix[0, 1], first * R * T * matrix[0, 0], rtol=1e-12)
        np.testing.assert_allclose(matrix[1, 1], second * (R * T) ** 2 * matrix[0, 0], rtol=1e-12)


def test_two_equal_gases_press_on_each_other_with_their_pressure():
    law = bound(sf.Effusion("gas", ARGON, "T", transmission=0.25))
    push = law.thrust(side(2.0, 300.0), side(2.0, 300.0), HOLE)
    np.testing.assert_allclose(push, 0.25 * HOLE.area * 2.0 * R * 300.0, rtol=1e-14)
    assert all(float(v) == 0.0 for v in law.flux(side(2.0, 300.0), side(2.0, 300.0), HOLE).values())


def test_a_population_is_counted_by_its_members():
    members = sf.Population("gas")
    law = bound(sf.Effusion("gas", ARGON), members)
    assert law.sees == ("T",)
    sent, back = law.one_way(side(1e20, 300.0, members), side(0.0, 300.0, members), HOLE)["gas"]
    np.testing.assert_allclose(sent, HOLE.area * 1e20 * np.sqrt(K_B * 300.0 / (2 * np.pi * ARGON)), rtol=1e-14)
    assert back == 0.0


def test_a_vessel_empties_as_an_exponential_at_constant_temperature():
    V, area, T = 1e-3, 1e-9, 300.0
    model = sf.Model(
        sf.network({"vessel": V, "vacuum": 1.0}, {"hole": [("vessel", "vacuum")]}, area=area),
        [sf.Species("gas")],
        [sf.Effusion("gas", f"{ARGON} kg", on="hole")],
        [sf.Hold("vacuum", {"gas": 0.0})],
        temperature=T,
        start={"gas": np.array([0.01, 0.0])},
    )
    tau = V / (area * np.sqrt(K_B * T / (2 * np.pi * ARGON)))
    history = sf.evolve(model, until=2.0 * tau, times=[tau, 2.0 * tau], rtol=1e-9)
    np.testing.assert_allclose(history["gas"][:, 0], 0.01 * np.exp([-1.0, -2.0]), rtol=1e-7)


def test_what_cannot_effuse_is_refused():
    with pytest.raises(ModelError, match="heat"):
        bound(sf.Effusion("T", ARGON))
    with pytest.raises(sf.UnitError):
        sf.Effusion("gas", "3 m")
