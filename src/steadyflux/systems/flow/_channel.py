"""The model of `viscous_flow`: a fluid between its walls, on an even mesh or, for its start, on one fine at the walls.

The parameters are those of the system; its page has the equations.
"""

from __future__ import annotations

from typing import Any

import steadyflux as sf
from steadyflux.ground.arithmetic import array_module
from steadyflux.physics.collision import DiluteGas, GasConductivity, GasThinning
from steadyflux.physics.viscous import diffuse_wall
from steadyflux.systems.system import Values

CREEPING = 1e-6  # of the flow's own shear rate: below it a power-law fluid is Newtonian


def gas_of(p: Values) -> DiluteGas:
    """The gas of the parameters."""
    return DiluteGas(p.molar_mass, p.collision_diameter, p.well_depth, p.degrees_of_freedom)


def fluid_of(p: Values) -> tuple[Any, Any, Any]:
    """Viscosity (or consistency) at the temperature of the still wall, density, and heat capacity per mass."""
    if p.fluid == "liquid":
        return p.viscosity, p.density, p.heat_capacity
    gas, T = gas_of(p), p.wall_temperature
    return gas.viscosity(T), gas.density(T, p.pressure), gas.heat_capacity


def walls_of(p: Values) -> dict[str, tuple[Any, Any]]:
    """Speed and temperature of each wall, by its place."""
    T0 = p.wall_temperature
    if p.geometry == "pipe":
        return {"wall": (0.0, T0)}
    T1 = T0 if p.moving_wall_temperature is None else p.moving_wall_temperature
    return {"still": (0.0, T0), "moving": (p.wall_speed, T1)}


def _space(p: Values, grading: float) -> sf.Space:
    """The fluid from wall to wall (of a pipe from the axis), finest at the walls where ``grading`` is above one."""
    if p.geometry == "pipe":
        whole = sf.Region("fluid", 0.5 * p.gap, p.cells - 1, grading)
        return sf.interval(regions=[whole], shape="cylinder", names=("axis", "wall"))
    layered = p.second_viscosity is not None
    parts = {"first": p.layer_share, "second": 1.0 - p.layer_share} if layered else {"fluid": 1.0}
    steps = (p.cells - 1) // len(parts)
    layers = [sf.Region(name, share * p.gap, steps, grading) for name, share in parts.items()]
    return sf.interval(regions=layers, names=("still", "moving"))


def shear_rate(p: Values) -> Any:
    """A shear rate of the flow's own size, 1/s: of the moving wall, and of the push at the walls."""
    xp, pipe = array_module(p.items), p.geometry == "pipe"
    stress = xp.abs(p.pressure_gradient) * p.gap / (4.0 if pipe else 2.0)
    return (0.0 if pipe else xp.abs(p.wall_speed) / p.gap) + (stress / fluid_of(p)[0]) ** (1.0 / p.exponent)


def flow(p: Values, grading: float = 1.0) -> sf.Model:
    """The fluid between its walls, at rest in the beginning: momentum and, where it is heated, energy."""
    xp, heated, gas = array_module(p.items), p.heated == "yes", gas_of(p)
    consistency, density, heat_capacity = fluid_of(p)
    thinning: Any = sf.Exponential(1.0, p.viscosity_slope / p.exponent, p.wall_temperature)
    conductivity, path = p.conductivity, None
    if p.fluid == "gas":
        thinning, conductivity = GasThinning(gas, p.wall_temperature), GasConductivity(gas)
        path = gas.mean_free_path(p.wall_temperature, p.pressure)
    if p.second_viscosity is not None:
        consistency = lambda x: xp.where(x < p.layer_share * p.gap, p.viscosity, p.second_viscosity)  # noqa: E731
    creeping = CREEPING * shear_rate(p)
    laws: list[Any] = [
        sf.Shear(consistency, p.exponent, creeping, thinning if heated else None, path, heated),
        sf.PressureGradient(p.pressure_gradient, heated),
    ]
    quantities, space = [sf.Momentum("v", density=density)], _space(p, grading)
    if heated:
        laws.append(sf.Fourier(conductivity))
        quantities.append(sf.Heat("T", capacity=density * heat_capacity, motion="v"))
    walls, at_rest = [], 0.0 * xp.asarray(space.position)
    for place, (speed, T) in walls_of(p).items():
        states = {"v": speed, "T": T} if heated else {"v": speed}
        if p.slip == "yes":
            walls.append(sf.Exchange(place, diffuse_wall(gas, T, p.pressure, heated), states))
            continue
        walls.append(sf.Hold(place, states))
        at_rest = xp.where(xp.arange(space.cells) == space.place(place).cells[0], speed, at_rest)
    start = {"v": at_rest, "T": p.wall_temperature} if heated else {"v": at_rest}
    return sf.Model(space, quantities, laws, walls, temperature=p.wall_temperature, start=start)
