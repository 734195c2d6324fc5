"""Reactions and coupled flows: detailed balance, Haldane, refusals; and laws of one's own in a few lines."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import steadyflux as sf
from steadyflux.ground.constants import R
from steadyflux.ground.errors import ModelError
from steadyflux.physics.local import Cell, Frame, Geometry, Local
from steadyflux.physics.means import log_mean

CELL = Cell(jnp.asarray(2e-3), jnp.asarray(0.4))
EDGE = Geometry(jnp.asarray(3e-2), jnp.asarray(4e-1), jnp.asarray(0.1))
SPECIES = {
    q.name: q
    for q in (
        sf.Species("A", standard="3 kJ/mol", reference=2.0),
        sf.Species("B", standard=-1500.0, reference=5.0),
        sf.Species("C", standard=700.0),
        sf.Heat(),
        sf.Potential(),
    )
}
CONCENTRATION = st.floats(1e-3, 1e3)


def local(**values) -> Local:
    frame = Frame(SPECIES, sf.Ideal(), "T", "phi")
    base = {"A": 1.0, "B": 1.0, "C": 1.0, "T": 310.0, "phi": 0.0}
    return Local({n: jnp.asarray(v, dtype=float) for n, v in {**base, **values}.items()}, frame)


@given(CONCENTRATION, CONCENTRATION, CONCENTRATION, st.floats(-3e4, 3e4))
def test_forward_over_reverse_is_exp_of_the_affinity(a, b, c, drive):
    here = local(A=a, B=b, C=c)
    for law, bonus in (
        (sf.MassAction({"A": -2, "B": 1, "C": 1}, 0.3), 0.0),
        (sf.MassAction({"A": -2, "B": 1, "C": 1}, 0.3, drive=drive), drive),
    ):
        forward, reverse = law.one_way(here, CELL)
        affinity = bonus - sum(n * here.chemical_potential(name) for name, n in law.stoichiometry)
        np.testing.assert_allclose(jnp.log(forward / reverse), affinity / (R * 310.0), rtol=1e-11, atol=1e-11)


def test_rates_and_productions_follow_the_stoichiometry():
    law = sf.MassAction({"A": -2, "B": 1}, 0.3, 0.07, catalysed_by="C")
    here = local(A=3.0, B=4.0, C=2.5)
    np.testing.assert_allclose(law.one_way(here, CELL), [0.3 * 9.0 * 2.5, 0.07 * 4.0 * 2.5])
    made = law.production(here, CELL)
    np.testing.assert_allclose([made["A"], made["B"]], [-2 * 6.05, 6.05])
    assert (law.makes, law.sees) == (("A", "B"), ("C",))


def test_a_drive_is_booked_as_a_supply():
    law = sf.MassAction({"A": -1, "B": 1}, 0.3, drive="20 kJ/mol")
    here = local(A=3.0, B=4.0)
    forward, reverse = law.one_way(here, CELL)
    np.testing.assert_allclose(law.supply(here, CELL), 2e4 * (forward - reverse), rtol=1e-13)
    assert sf.MassAction({"A": -1, "B": 1}, 0.3).supply(here, CELL) is None


def test_michaelis_and_menten_balance_at_haldanes_ratio():
    law = sf.MichaelisMenten({"A": -1, "B": 1}, 5.0, 0.4, 1.3, 2.2)
    forward, reverse = law.one_way(local(A=3.0, B=3.0 * 5.0 * 2.2 / (1.3 * 0.4)), CELL)
    np.testing.assert_allclose(forward, reverse, rtol=1e-13)
    one_way = sf.MichaelisMenten({"A": -1}, 5.0, 0.4)
    np.testing.assert_allclose(one_way.production(local(A=0.4), CELL)["A"], -2.5)
    np.testing.assert_allclose(one_way.production(local(A=4e9), CELL)["A"], -5.0, rtol=1e-9)


def test_decay_and_source():
    made = sf.Decay({"A": -1, "B": 1}, "0.2 1/s").production(local(A=7.0), CELL)
    np.testing.assert_allclose([made["A"], made["B"]], [-1.4, 1.4])
    assert float(sf.Source("T", 12.5).production(local(), CELL)["T"]) == 12.5


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: sf.MassAction({}, 1.0), "needs a stoichiometry"),
        (lambda: sf.MassAction({"A": 0}, 1.0), "needs a stoichiometry"),
        (lambda: sf.MassAction({"A": -1, "B": 1}, 1.0, 2.0, drive=3.0), "leave out one of the two"),
    ],
)
def test_a_reaction_that_says_too_little_or_too_much_is_refused(build, words):
    with pytest.raises(ModelError, match=words):
        build().bound(SPECIES, np.zeros(2))


# ---- coupled flows -----------------------------------------------------------------------------------------------


def test_coupled_flows_are_the_matrix_times_the_forces():
    matrix = np.array([[4.0, 1.5], [1.5, 2.0]])
    tail, head = local(A=3.0, T=320.0), local(A=5.0, T=300.0)
    force = [head.conjugate(n) - tail.conjugate(n) for n in ("T", "A")]
    for given_matrix in (matrix, lambda means: jnp.asarray(matrix) * means["A"] / log_mean(3.0, 5.0)):
        flux = sf.Onsager(("T", "A"), given_matrix).flux(tail, head, EDGE)
        np.testing.assert_allclose([flux["T"], flux["A"]], matrix @ np.array(force) * 0.075, rtol=1e-12)


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        ([[1.0, 0.2], [0.3, 1.0]], r"not symmetric: L\[T,A\] = 0.2 but L\[A,T\] = 0.3"),
        ([[1.0, 2.0], [2.0, 1.0]], "not positive: it would destroy entropy"),
        ([[-1.0, 0.0], [0.0, 1.0]], "not positive"),
        ([[1.0]], "must be 2 x 2"),
    ],
)
def test_a_matrix_that_breaks_the_second_law_or_reciprocity_is_refused(matrix, words):
    with pytest.raises(ModelError, match=words):
        sf.Onsager(("T", "A"), matrix).bound(SPECIES, np.zeros(2))


@given(st.floats(1e-12, 1e12), st.floats(1e-12, 1e12), st.floats(-0.999, 0.999))
def test_every_positive_symmetric_matrix_is_accepted_whatever_its_units(a, b, share):
    off = share * np.sqrt(a * b)
    law = sf.Onsager(("T", "A"), [[a, off], [off, b]])
    assert law.bound(SPECIES, np.zeros(2)) is law


def test_curie_forbids_momentum_with_heat_unless_the_medium_has_a_direction():
    known = {**SPECIES, "v": sf.Momentum("v")}
    with pytest.raises(ModelError, match="Curie's principle"):
        sf.Onsager(("T", "v"), np.eye(2)).bound(known, np.zeros(2))
    sf.Onsager(("T", "v"), np.eye(2), symmetry="membrane").bound(known, np.zeros(2))


# ---- laws of one's own -------------------------------------------------------------------------------------------


class QuadraticDrag(sf.EdgeLaw):
    """A user's edge law: flow goes with the root of the pressure drop."""

    k: float = 2.0

    @property
    def moves(self):
        """The fluid."""
        return ("p",)

    def flux(self, tail, head, edge):
        """Smooth root."""
        drop = tail["p"] - head["p"]
        return {"p": self.k * drop / jnp.sqrt(jnp.abs(drop) + 1e-9)}


class Ageing(sf.Reaction):
    """A user's reaction: A turns into B faster when it is warm."""

    rate: float = sf.parameter("1/s", "rate of ageing")

    def one_way(self, here, cell):
        """No way back."""
        return self.rate * here["A"] * here.T / 300.0, jnp.zeros(())


class Breathing(sf.CellLaw):
    """A user's cell law: loss in proportion to the square."""

    @property
    def makes(self):
        """The gas."""
        return ("A",)

    def production(self, here, cell):
        """Per volume and time."""
        return {"A": -0.5 * here["A"] ** 2}


class Nothing(sf.EdgeLaw):
    """A law without a flux."""

    @property
    def moves(self):
        """Says that it moves A."""
        return ("A",)


def test_laws_of_ones_own_run_in_a_model():
    pipe = sf.Model(
        sf.network({"up": 1.0, "mid": 1.0, "down": 1.0}, {"pipe": [("up", "mid"), ("mid", "down")]}),
        [sf.Volume("p")],
        [QuadraticDrag(on="pipe")],
        [sf.Hold("up", {"p": 9.0}), sf.Hold("down", {"p": 1.0})],
    )
    solution = sf.steady(pipe)
    np.testing.assert_allclose(solution["p"], [9.0, 5.0, 1.0], rtol=1e-9)
    np.testing.assert_allclose(solution.flow("p", "up"), 4.0, rtol=1e-9)
    vat = sf.Model(
        sf.network({"vat": 2.0}, {}),
        [sf.Species("A"), sf.Species("B")],
        [Ageing({"A": -1, "B": 1}, 0.1), Breathing(), sf.Decay({"B": -1}, 0.3)],
        [sf.Influx("vat", {"A": 1.4})],
        temperature=360.0,
    )
    solution = sf.steady(vat)
    a = (-0.12 + np.sqrt(0.12**2 + 4 * 0.5 * 0.7)) / 1.0
    np.testing.assert_allclose([solution["A"][0], solution["B"][0]], [a, 0.12 * a / 0.3], rtol=1e-9)


def test_laws_that_lack_their_formula_say_which():
    with pytest.raises(TypeError, match="Nothing must define flux, one_way or turnover"):
        Nothing().flux(local(), local(), EDGE)
    with pytest.raises(TypeError, match="CellLaw must define production"):
        sf.CellLaw().production(local(), CELL)
    with pytest.raises(TypeError, match="Reaction must define one_way"):
        sf.Reaction({"A": -1}).one_way(local(), CELL)
