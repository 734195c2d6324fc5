"""Laws with one deliberate defect each, as a user might write them by mistake."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp

import steadyflux as sf
from steadyflux.ground.constants import R


class Carrier(sf.EdgeLaw):
    """Common part: one species moved with one strength."""

    species: str = eqx.field(static=True, default="c")
    strength: float = sf.parameter("m^2/s", "strength", default=1.3e-9)

    @property
    def moves(self):
        return (self.species,)


class Uphill(Carrier):
    """Carries towards the head at a fixed rate, whatever the concentrations there, and declares no supply."""

    def flux(self, tail, head, edge):
        return {self.species: 3.1 * self.strength * edge.area * jnp.ones_like(tail[self.species])}


class Backward(Carrier):
    """Fick's law with the wrong sign."""

    def flux(self, tail, head, edge):
        return {self.species: self.strength * edge.conductor * (head[self.species] - tail[self.species])}


class WrongRatio(Carrier):
    """Drift and diffusion whose reverse rate feels nine tenths of the field only."""

    share: float = eqx.field(static=True, default=0.9)

    def one_way(self, tail, head, edge):
        climb = head.exponent(self.species) - tail.exponent(self.species)
        g = self.strength * edge.conductor
        return {
            self.species: (
                g * tail[self.species] * jnp.exp(-0.5 * climb),
                g * head[self.species] * jnp.exp(0.5 * self.share * climb),
            )
        }


class Contradicting(Carrier):
    """Its flux is not the difference of its one-way fluxes."""

    def one_way(self, tail, head, edge):
        g = self.strength * edge.conductor
        return {self.species: (g * tail[self.species], g * head[self.species])}

    def flux(self, tail, head, edge):
        return {self.species: 1.0001 * self.strength * edge.conductor * (tail[self.species] - head[self.species])}


def bent(factor):
    """A square root whose derivative rule is off by a factor."""

    @jax.custom_jvp
    def root(x):
        return jnp.sqrt(x)

    @root.defjvp
    def rule(primals, tangents):
        y = root(primals[0])
        return y, factor * 0.5 / y * tangents[0]

    return root


ROOTS = {factor: bent(factor) for factor in (1.0, 1.0001)}


class Bent(Carrier):
    """J = k (sqrt(c_t) - sqrt(c_h)) with a derivative rule of its own."""

    factor: float = eqx.field(static=True, default=1.0)

    def flux(self, tail, head, edge):
        root = ROOTS[self.factor]
        return {self.species: self.strength * edge.conductor * (root(tail[self.species]) - root(head[self.species]))}


class AffinityDriven(Carrier):
    """A flux along a mesh driven by the affinity of A -> c in the cells: a scalar driving a vector."""

    def flux(self, tail, head, edge):
        mean = 0.5 * (tail["A"] + head["A"]) / (0.5 * (tail[self.species] + head[self.species]))
        gradient = self.strength * edge.conductor * (tail[self.species] - head[self.species])
        return {self.species: gradient + 0.07 * self.strength * edge.conductor * jnp.log(mean)}

    @property
    def sees(self):
        return ("A",)


class HeatAndMomentum(sf.EdgeLaw):
    """Heat (a vector flux) coupled to momentum (a tensor flux) by a symmetric, positive matrix."""

    @property
    def moves(self):
        return ("T", "v")

    def flux(self, tail, head, edge):
        heat = head.conjugate("T") - tail.conjugate("T")
        shear = head.conjugate("v") - tail.conjugate("v")
        return {
            "T": edge.conductor * (2.1e4 * heat + 0.3 * shear),
            "v": edge.conductor * (-0.3 * heat + 0.4 * shear),
        }


class Friction(sf.EdgeLaw):
    """Momentum and the work that goes with it: v times the force, in the frame at rest. ``share`` of it is booked."""

    share: float = sf.static(default=1.0)
    symmetry: ClassVar[str | None] = None

    @property
    def moves(self):
        return ("v", "T")

    def flux(self, tail, head, edge):
        force = 1.3 * edge.conductor * (tail["v"] - head["v"])
        heat = 0.6 * edge.conductor * (tail["T"] - head["T"])
        return {"v": force, "T": heat + self.share * 0.5 * (tail["v"] + head["v"]) * force}


class HiddenLeak(sf.CellLaw):
    """Makes B as it says, and destroys c without saying so."""

    @property
    def makes(self):
        return ("B",)

    def production(self, here, cell):
        rate = 1.1e-4 * here["c"]
        return {"B": rate, "c": -rate}

    dissipative = False


class Rarefied(sf.EdgeLaw):
    """Fourier's law with a mean free path."""

    mean_free_path: float = sf.parameter("m", "mean free path")

    @property
    def moves(self):
        return ("T",)

    def flux(self, tail, head, edge):
        return {"T": 0.026 * edge.conductor * (tail["T"] - head["T"])}


class LeakyReaction(sf.Reaction):
    """A <-> c whose reverse rate ignores the standard potentials by ``error`` (J/mol)."""

    error: float = eqx.field(static=True, default=0.0)

    def one_way(self, here, cell):
        rise = here.quantity("c").standard - here.quantity("A").standard + self.error
        return 1.7e-4 * here["A"], 1.7e-4 * here["c"] * jnp.exp(rise / (R * here.T))
