"""The flow that a rotating disk draws towards itself (von Karman 1921), solved once as a model of three velocities.

In units of the disk's speed r omega (radial F, swirling G) and of sqrt(nu omega) (axial H), with zeta = z sqrt(omega /
nu) as the distance from the disk, the Navier-Stokes equations reduce to

    F'' = F^2 - G^2 + H F',   G'' = 2 F G + H G',   H' = -2 F;     F = H = 0, G = 1 at the disk, F = G = 0 far away

or, as balances of what flows along zeta, (H F - F')' = G^2 - 3 F^2, (H G - G')' = -4 F G, (H)' = -2 F. There is no
parameter in them: one solution serves every disk.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import numpy as np

import steadyflux as sf
from steadyflux.ground.arithmetic import array_module
from steadyflux.ground.typing import AnyArray
from steadyflux.physics.charge import fitted
from steadyflux.physics.local import Cell, Geometry, Local

FAR = 25.0  # zeta where the swirl has decayed to 3e-10
CELLS = 2001
FINE = 0.01  # share of the way over which the steps are equal


class Swirl(sf.EdgeLaw):
    """Radial and azimuthal momentum carried by the axial stream and by viscosity; the axial stream feeds on F."""

    dissipative: ClassVar[bool] = False  # velocities over the disk's own speed have no energy to lose

    @property
    def moves(self) -> tuple[str, ...]:
        """The three velocities."""
        return ("F", "G", "H")

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """H F - F' and H G - G' by exponential fitting; for H what vanishes where H' = -2 F (nothing flows in at the
        far end, so that it vanishes on every edge)."""
        climb = -0.5 * (tail["H"] + head["H"]) * edge.length
        ways = {name: fitted(edge.conductor, tail[name], head[name], climb) for name in ("F", "G")}
        slack = edge.conductor * (tail["H"] - head["H"]) - edge.area * (tail["F"] + head["F"])
        return {**{name: forward - reverse for name, (forward, reverse) in ways.items()}, "H": slack}


class Turning(sf.CellLaw):
    """Centrifugal and Coriolis terms, with what the axial stream's divergence leaves."""

    dissipative: ClassVar[bool] = False

    @property
    def makes(self) -> tuple[str, ...]:
        """Radial and azimuthal momentum."""
        return ("F", "G")

    def production(self, here: Local, cell: Cell) -> dict[str, Any]:
        """G^2 - 3 F^2 and -4 F G."""
        F, G = here["F"], here["G"]
        return {"F": G * G - 3.0 * F * F, "G": -4.0 * F * G}


def flow_model(cells: int = CELLS) -> sf.Model:
    """The flow beside the disk, from the disk to zeta = FAR."""
    zeta = FAR * FINE * np.sinh(np.linspace(0.0, np.arcsinh(1.0 / FINE), cells))
    zeta[-1] = FAR
    return sf.Model(
        sf.interval(nodes=zeta, names=("disk", "far")),
        quantities=[sf.Momentum(name, density=1.0) for name in ("F", "G", "H")],
        laws=[Swirl(), Turning()],
        boundaries=[sf.Hold("disk", {"F": 0.0, "G": 1.0, "H": 0.0}), sf.Hold("far", {"F": 0.0, "G": 0.0})],
        start={
            "F": 0.5 * zeta * np.exp(-zeta),
            "G": np.exp(-0.62 * zeta),
            "H": -0.88 * (1.0 - np.exp(-zeta)) ** 2,
        },
    )


class AxialFlow(NamedTuple):
    """Integral of H from the disk as a piecewise polynomial: break points, coefficients, H far away."""

    breaks: np.ndarray
    coefficients: np.ndarray
    far: float

    def integral(self, zeta: AnyArray) -> Any:
        """Integral of H from 0 to zeta, (point,): negative, - 0.170 zeta^3 near the disk, -0.884 zeta + c far away."""
        xp = array_module(zeta)
        near = xp.minimum(zeta, self.breaks[-1])
        piece = xp.clip(xp.searchsorted(self.breaks, near, side="right") - 1, 0, len(self.breaks) - 2)
        x, c = near - xp.asarray(self.breaks)[piece], xp.asarray(self.coefficients)[:, piece]
        value = c[0]
        for k in range(1, len(self.coefficients)):
            value = value * x + c[k]
        return value + self.far * (zeta - near)

    def reach(self, Sc: Any, exponent: float) -> Any:
        """zeta where Sc times the integral of H is minus ``exponent``: what diffuses against the stream ends there."""
        xp = array_module(Sc)
        near, far = self.breaks[1] * np.geomspace(1e-9, 0.99, 200), FAR * np.geomspace(1.01, 1e12, 600)
        table = np.concatenate([near, self.breaks[1:], far])
        depth = -np.asarray(self.integral(table))
        # Between the table's points the integral behaves as a power of zeta, so that its logarithm is a straight line.
        return xp.exp(xp.interp(xp.log(exponent / Sc), np.log(depth), np.log(table)))


@lru_cache(maxsize=1)
def axial_flow() -> AxialFlow:
    """The axial stream, from the solved flow: H = -2 integral of F, with F joined by a cubic spline."""
    from scipy.interpolate import CubicSpline

    solution = sf.steady(flow_model())
    zeta, F = np.asarray(solution.position()), np.asarray(solution["F"])
    stream = CubicSpline(zeta, -2.0 * F).antiderivative()
    depth = stream.antiderivative()
    return AxialFlow(depth.x, depth.c, float(stream(zeta[-1])))
