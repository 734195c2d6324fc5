"""Small models of every kind that keep all laws: the clean counterparts of the planted faults."""

import equinox as eqx
import numpy as np

import steadyflux as sf


class Slippery(sf.EdgeLaw):
    """A law of a user's own: J = k (sqrt(c_tail) - sqrt(c_head)) area / length, passive and without a name here."""

    species: str = eqx.field(static=True)
    strength: float = sf.parameter("mol^0.5*m^0.5/s", "strength")

    @property
    def moves(self):
        return (self.species,)

    def flux(self, tail, head, edge):
        drop = tail[self.species] ** 0.5 - head[self.species] ** 0.5
        return {self.species: self.strength * edge.conductor * drop}


def rod():
    return sf.Model(
        space=sf.interval(0.31, cells=21, area=2.3e-3),
        quantities=[sf.Heat()],
        laws=[sf.Fourier(sf.Polynomial((61.0, 0.13), at=300.0))],
        boundaries=[sf.Hold("left", {"T": 447.0}), sf.Exchange("right", sf.Transfer("T", 25.3), {"T": 291.0})],
    )


def own_law():
    return sf.Model(
        space=sf.interval(1.7e-3, cells=21, area=0.6),
        quantities=[sf.Species("c")],
        laws=[Slippery("c", 2.3e-7)],
        boundaries=[sf.Hold("left", {"c": 7.1}), sf.Hold("right", {"c": 0.9})],
    )


def pore():
    return sf.Model(
        space=sf.interval(1.1e-8, cells=31, area=1.3e-18),
        quantities=[sf.Ion("K+", 1.96e-9), sf.Ion("Cl-", 2.03e-9), sf.Potential()],
        phase=sf.FiniteSize(5e-10),
        laws=[sf.NernstPlanck(), sf.Poisson(78.5, fixed_charge=-130.0)],
        boundaries=[
            sf.Hold("left", {"K+": 95.0, "Cl-": 95.0, "phi": 0.047}),
            sf.Hold("right", {"K+": 31.0, "Cl-": 31.0, "phi": 0.0}),
        ],
    )


def reacting():
    return sf.Model(
        space=sf.interval(1.3e-3, cells=21),
        quantities=[sf.Species("A", 1.1e-9, standard=930.0), sf.Species("B", 2.3e-9, reference=1.7)],
        laws=[sf.NernstPlanck(), sf.MassAction({"A": -1, "B": 2}, forward=2.9e-3)],
        boundaries=[sf.Hold("left", {"A": 5.3, "B": 1.1}), sf.Hold("right", {"B": 0.37})],
        start={"A": 2.1},
    )


def closed():
    return sf.Model(
        space=sf.interval(1.3e-3, cells=21),
        quantities=[sf.Species("A", 1.1e-9, standard=930.0), sf.Species("B", 2.3e-9)],
        laws=[sf.NernstPlanck(), sf.MassAction({"A": -1, "B": 2}, forward=2.9e-3)],
        start={"A": lambda x: 2.1 + 1.1e3 * x, "B": 0.9},
    )


def coupled(matrix=((3.1e4, 2.3e-6), (2.3e-6, 1.3e-9))):
    return sf.Model(
        space=sf.interval(1.3e-3, cells=17),
        quantities=[sf.Heat(), sf.Species("c")],
        laws=[sf.Onsager(("T", "c"), matrix)],
        boundaries=[sf.Hold("left", {"T": 310.0, "c": 9.7}), sf.Hold("right", {"T": 293.0, "c": 11.3})],
    )


def pumped(energy=52e3):
    return sf.Model(
        space=sf.network({"in": 1.1e-15, "out": 1e-12}, {"membrane": [("in", "out")]}, area=1.3e-9),
        quantities=[sf.Ion("Na+"), sf.Ion("K+"), sf.Ion("Cl-"), sf.Potential()],
        laws=[
            sf.GoldmanChannel("Na+", 1.1e-9, on="membrane"),
            sf.GoldmanChannel("K+", 3.1e-8, on="membrane"),
            sf.GoldmanChannel("Cl-", 2.3e-8, on="membrane"),
            sf.Pump({"Na+": 3, "K+": -2}, 2.1e-7, energy, saturation={"Na+": 10.3, "K+": 1.1}, on="membrane"),
            sf.Electroneutrality(fixed_charge="fixed", on="in"),
        ],
        given={"fixed": np.array([-121.0, 0.0])},
        boundaries=[sf.Hold("out", {"Na+": 145.0, "K+": 5.1, "Cl-": 150.1, "phi": 0.0})],
        start={"Na+": 15.0, "K+": 131.0, "Cl-": 25.0},
    )


CLEAN = {f.__name__: f for f in (rod, own_law, pore, reacting, closed, coupled, pumped)}
