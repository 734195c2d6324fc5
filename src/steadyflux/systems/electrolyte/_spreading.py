"""Ions that spread freely from a plane where two solutions met, as a steady balance in the variable xi = x / sqrt(t).

Nothing in the problem has a length or a time, so every profile is a function of xi alone. With x = xi sqrt(t) the
balance dc/dt = -dJ/dx of an ion becomes, with N = J sqrt(t) the flux down its electrochemical potential in xi,

    0 = -d/dxi (N - xi c / 2) - c / 2

a steady state in which each ion drifts towards the plane with the speed xi / 2 and fades at the rate 1 / 2. Both hold
for all ions alike, so what drifts and what fades is neutral. In time the same equations count ln(t / s).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import erf

import steadyflux as sf
from steadyflux.physics.local import Cell, Geometry, Local
from steadyflux.systems.system import Values


class Receding(sf.EdgeLaw):
    """Drift towards the plane of contact in xi, since marks of constant x move there: F = -xi A c / 2."""

    species: tuple[str, ...] = sf.static()
    speed: Any = sf.parameter("", "speed in the similarity variable", default=lambda xi: -0.5 * xi)

    dissipative = False

    @property
    def moves(self) -> tuple[str, ...]:
        """The ions."""
        return self.species

    def one_way(self, tail: Local, head: Local, edge: Geometry) -> dict[str, tuple[Any, Any]]:
        """Half of each end's share. The plain mean of two neutral cells is neutral, so that no current drifts."""
        half = 0.5 * self.speed * edge.area
        return {name: (half * tail[name], -half * head[name]) for name in self.species}


class Thinning(sf.CellLaw):
    """What a growing stretch of constant xi takes from each concentration: -c / 2."""

    species: tuple[str, ...] = sf.static()

    dissipative = False

    @property
    def makes(self) -> tuple[str, ...]:
        """The ions."""
        return self.species

    def production(self, here: Local, cell: Cell) -> dict[str, Any]:
        """Rate of change of each concentration at a constant flux of x."""
        return {name: -0.5 * here[name] for name in self.species}


def strength(ions: Sequence[Mapping[str, Any]], side: str) -> float:
    """Sum of z^2 c over the ions of one side, mol/m^3."""
    return sum(ion["charge"] ** 2 * ion[side] for ion in ions)


def nodes(ions: Sequence[Mapping[str, Any]], cells: int) -> np.ndarray:
    """Values of xi, ``cells`` on either side of the plane and none on it, finest there, m/s^0.5.

    They reach to where the fastest ion's spread, erfc(xi / 2 sqrt(D)), is 1e-10 of the weaker solution. Beyond a
    thousandfold difference there are more of them, in proportion to its logarithm.
    """
    weak, strong = sorted(strength(ions, side) for side in ("left", "right"))
    decades = math.log10(strong / weak)
    far = 2.0 * math.sqrt(max(ion["diffusivity"] for ion in ions) * math.log(10.0) * (10.0 + decades))
    fine = 4.0 * math.sqrt(min(ion["diffusivity"] for ion in ions))
    t = np.linspace(-1.0, 1.0, 2 * math.ceil(cells * max(1.0, decades / 3.0)))
    return fine * np.sinh(t * math.asinh(far / fine))


def spreading(p: Values, names: tuple[str, ...]) -> sf.Model:
    """Two half spaces in xi; far from the plane each is as it was, and the right one floats to where no current flows.

    The start is what all ions would be if they spread alike.
    """
    xi = nodes(p.ions, p.cells)
    one = math.sqrt(math.prod(ion["diffusivity"] for ion in p.ions) ** (1.0 / len(p.ions)))
    mixed = 0.5 * (1.0 + erf(xi / (2.0 * one)))
    return sf.Model(
        space=sf.interval(nodes=xi),
        quantities=[
            *(sf.Ion(n, i["diffusivity"], charge=i["charge"]) for n, i in zip(names, p.ions, strict=True)),
            sf.Potential(),
        ],
        laws=[sf.NernstPlanck(), Receding(species=names), Thinning(species=names), sf.Electroneutrality()],
        boundaries=[
            sf.Hold("left", {**{n: i["left"] for n, i in zip(names, p.ions, strict=True)}, "phi": 0.0}),
            sf.Hold("right", {n: i["right"] for n, i in zip(names, p.ions, strict=True)}),
            sf.Float("right"),
        ],
        temperature=p.temperature,
        start={n: i["left"] + (i["right"] - i["left"]) * mixed for n, i in zip(names, p.ions, strict=True)},
    )
