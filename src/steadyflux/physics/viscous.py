"""Momentum carried across a flow: shear in Newtonian and power-law fluids with the heat of friction, pushes, slip.

The quantities are momentum "v" (its state is the velocity along the walls) and, where the energy is followed, "T". What
these laws move of "T" is energy: heat conduction is a law of its own (`Fourier`), the work of one layer on the next is
here.
"""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp

from steadyflux.physics.collision import DiluteGas
from steadyflux.physics.diffusion import Coefficient
from steadyflux.physics.law import CellLaw, EdgeLaw, parameter, static
from steadyflux.physics.local import Cell, Geometry, Local


class Shear(EdgeLaw):
    """Momentum down the gradient of velocity, and the work that goes with it: tau = K |g|^(n-1) g, g = dv/dx.

    Moves momentum, tau A (N), and with ``heated`` energy: the work v tau A that one layer does on the next, so that
    what the flow loses by friction is found as heat. ``thinning`` is the share (K(T0) / K(T))^(1/n), averaged along the
    way between two temperatures, which is exact for one stress. Below the shear rate ``creeping`` (1/s) the fluid is
    Newtonian: a power law alone would be rigid, or without friction, where nothing is sheared.
    """

    consistency: Any = parameter("", "consistency K (a bare number in SI)")
    exponent: Any = parameter("", "exponent of the power law", default=1.0)
    creeping: Any = parameter("1/s", "shear rate of creeping flow", default=0.0)
    thinning: Coefficient | None = None
    mean_free_path: Any = None
    heated: bool = static(default=True)
    symmetry: ClassVar[str | None] = None
    """The work v tau is that of a frame at rest: in the fluid's own frame nothing is coupled, whatever the rank."""

    @property
    def moves(self) -> tuple[str, ...]:
        """Momentum, and energy where the temperature is solved for."""
        return ("v", "T") if self.heated else ("v",)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Momentum (N) and energy (W) from tail to head."""
        rate = (tail["v"] - head["v"]) / edge.length
        share = 1.0 if self.thinning is None else self.thinning.mean(tail.T, head.T)
        size = rate**2 + self.creeping**2 + 1e-300  # a fluid at rest must not be divided by
        friction = self.consistency * share**-self.exponent * size ** (0.5 * (self.exponent - 1.0))
        force = friction * rate * edge.area
        return {"v": force, "T": 0.5 * (tail["v"] + head["v"]) * force} if self.heated else {"v": force}


class PressureGradient(CellLaw):
    """A fall of pressure along the flow: the force G per volume, and its work G v where energy is solved for."""

    gradient: Any = parameter("Pa/m", "fall of pressure along the flow")
    heated: bool = static(default=True)

    @property
    def makes(self) -> tuple[str, ...]:
        """Momentum, and energy where the temperature is solved for."""
        return ("v", "T") if self.heated else ("v",)

    def production(self, here: Local, cell: Cell) -> dict[str, Any]:
        """Force per volume, N/m^3, and work per volume, W/m^3."""
        force = jnp.asarray(self.gradient)
        return {"v": force, "T": force * here["v"]} if self.heated else {"v": force}

    def supply(self, here: Local, cell: Cell) -> Any:
        """The work, W/m^3, where no energy is solved for."""
        return None if self.heated else self.gradient * here["v"]


class SlipWall(EdgeLaw):
    """A gas at a wall: it slips by one slip length of its shear and its temperature jumps by one jump length.

    Maxwell (1879), Smoluchowski (1898), all molecules thrown back diffusely: tau = (eta / slip length) (v - v_wall).
    """

    friction: Any = parameter("Pa*s/m", "viscosity over slip length")
    transfer: Any = parameter("W/(m^2*K)", "conductivity over jump length")
    heated: bool = static(default=True)

    @property
    def moves(self) -> tuple[str, ...]:
        """Momentum, and energy where the temperature is solved for."""
        return ("v", "T") if self.heated else ("v",)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Momentum (N) and energy (W) into the wall."""
        force = self.friction * edge.area * (tail["v"] - head["v"])
        if not self.heated:
            return {"v": force}
        heat = self.transfer * edge.area * (tail["T"] - head["T"])
        return {"v": force, "T": heat + 0.5 * (tail["v"] + head["v"]) * force}


def diffuse_wall(gas: DiluteGas, T: Any, pressure: Any, heated: bool) -> SlipWall:
    """The wall of a gas that throws all molecules back diffusely: it slips by one mean free path at T and pressure."""
    friction = gas.viscosity(T) / gas.mean_free_path(T, pressure)
    return SlipWall(friction, gas.conductivity(T) / gas.jump_length(T, pressure), heated)
