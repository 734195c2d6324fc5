"""The cross-section of a charged bore: its mesh, its charged wall, means over it and profiles across it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.ground.constants import EPSILON_0, FARADAY, R
from steadyflux.ground.errors import InputError
from steadyflux.systems.system import Result, Values

LEFT, RIGHT = "left", "right"
MOST = 10.0  # C/m^2, many times what any wall bears


def fixed_charge(p: Values) -> float:
    """Charge of the wall over the volume of the bore, mol/m^3 of elementary charges."""
    return p.fixed_charge if p.surface_charge is None else 2.0 * p.surface_charge / (FARADAY * p.radius)


def debye_length(p: Values, extra: float = 0.0) -> float:
    """Debye length of the more concentrated bath, m; ``extra`` mol/m^3 of counter-ions are added to it."""
    strength = max(sum(i["charge"] ** 2 * i[side] for i in p.ions) for side in (LEFT, RIGHT)) + extra
    return math.sqrt(EPSILON_0 * p.permittivity * R * p.temperature / (FARADAY**2 * max(strength, 1e-12)))


def layer_thickness(p: Values) -> float:
    """Thickness of the layer of ions at the wall, m: Debye's, or Gouy and Chapman's 2 eps R T / (F sigma) if less."""
    charge = 0.5 * FARADAY * p.radius * abs(fixed_charge(p))
    gouy = 2.0 * EPSILON_0 * p.permittivity * R * p.temperature / (FARADAY * max(charge, 1e-30))
    return min(debye_length(p), gouy)


def stretch(distance: float, count: int, scale: float) -> np.ndarray:
    """Distances of ``count + 1`` nodes from a point, half of them even, half at s sinh(k t) with s the smaller."""
    s = min(scale, distance)
    k = math.asinh(distance / s)
    share = np.linspace(0.0, 1.0, count + 1)
    u = np.full(count + 1, k)
    # Newton's method for share = u / 2k + s sinh(u) / 2 distance, convex: from the right always down
    for _ in range(80):
        u = u - (u / k + s * np.sinh(u) / distance - 2.0 * share) / (1.0 / k + s * np.cosh(u) / distance)
    d = s * np.sinh(u)
    d[0], d[-1] = 0.0, distance
    return d


def space(p: Values, x: np.ndarray) -> sf.Space:
    """The bore and the columns before its mouths, nodes at ``x`` along it, finest at the wall across it."""
    r = p.radius - stretch(p.radius, p.radial_cells - 1, 0.5 * layer_thickness(p))[::-1]
    r[0] = 0.0
    return sf.grid(r=r, z=x, names={"r": ("axis", "wall"), "z": (LEFT, RIGHT)})


def charged_wall(p: Values, space: sf.Space, fixed: Callable[[Any], Any]) -> sf.Influx:
    """The charge on the wall, C/m^2, which over the cross-section makes the fixed charge ``fixed(x)``, mol/m^3."""
    wall = 0.5 * FARADAY * p.radius * fixed_charge(p)
    if abs(wall) > MOST:
        raise InputError(
            f"A fixed charge of {fixed_charge(p):g} mol/m^3 in a bore of radius {p.radius:g} m is {wall:.3g} C/m^2 on "
            f"its wall; stay within {MOST:g} C/m^2, or take the mode mean."
        )
    x = np.asarray(space.position)[space.place("wall").cells, 1]
    return sf.Influx("wall", {"phi": 0.5 * FARADAY * p.radius * fixed(x)})


def means(p: Values, solution: sf.Solution) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Positions along the channel, m, and each quantity's mean over the cross-section there."""
    names = solution.model.names
    if p.mode == "mean":
        return np.asarray(solution.position()), {n: np.asarray(solution[n]) for n in names}
    x, row = np.unique(np.asarray(solution.position())[:, 1], return_inverse=True)
    volume = np.asarray(solution.model.space.volume)
    whole = np.bincount(row, volume)
    return x, {n: np.bincount(row, volume * np.asarray(solution[n])) / whole for n in names}


def across(solution: sf.Solution, name: str, x: float) -> tuple[np.ndarray, np.ndarray]:
    """Radii, m, and a quantity from the axis to the wall, in the cross-section of nodes nearest to ``x``."""
    at = np.asarray(solution.position())
    nearest = at[np.argmin(np.abs(at[:, 1] - x)), 1]
    cells = np.flatnonzero(at[:, 1] == nearest)
    cells = cells[np.argsort(at[cells, 0])]
    return at[cells, 0], np.asarray(solution[name])[cells]


def table(solution: sf.Solution, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Radii, positions along the channel, both in m, and a quantity, (radius, position)."""
    at = np.asarray(solution.position())
    r, x = np.unique(at[:, 0]), np.unique(at[:, 1])
    order = np.lexsort((at[:, 1], at[:, 0]))
    return r, x, np.asarray(solution[name])[order].reshape(len(r), len(x))


def draw(result: Result, names: tuple[str, ...], volts: np.ndarray, currents: np.ndarray) -> Figure:
    """Map of the potential, profiles across the middle, and a current-voltage curve."""
    p, solution = result.parameters, result.solution
    drawing = Figure(figsize=(12.0, 3.8), layout="constrained")
    field, section, curve = drawing.subplots(1, 3)
    r, x, phi = table(solution, "phi")
    both = np.concatenate([-r[:0:-1], r])
    shown = field.contourf(1e9 * x, 1e9 * both, 1e3 * np.concatenate([phi[:0:-1], phi]), 20)
    drawing.colorbar(shown, ax=field, label="potential / mV")
    for side in (-1, 1):
        field.plot([0.0, 1e9 * p.length], [side * 1e9 * p.radius] * 2, "k", lw=3)
    field.set(xlabel="position / nm", ylabel="radius / nm", title="Potential; charged wall in black")
    for name in names:
        radii, c = across(solution, name, 0.5 * p.length)
        section.plot(1e9 * radii, c, label=name)
    section.set(xlabel="radius / nm", ylabel="concentration / (mol/m$^3$)", title="Across the middle")
    section.legend(fontsize=8, loc="center left")
    potential = section.twinx()
    radii, phi = across(solution, "phi", 0.5 * p.length)
    potential.plot(1e9 * radii, 1e3 * phi, "k--")
    potential.set_ylabel("potential / mV (dashed)")
    curve.plot(1e3 * volts, 1e12 * currents, "ko-", ms=3)
    curve.axhline(0.0, color="grey", lw=0.6)
    curve.axvline(1e3 * result.answers["zero_current_potential"], color="grey", ls=":", label="no current")
    curve.set(xlabel="voltage, left against right bath / mV", ylabel="current / pA", title="Current and voltage")
    curve.legend(fontsize=8)
    return drawing
