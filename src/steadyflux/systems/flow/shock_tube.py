"""A membrane between two gases bursts: shock, contact and rarefaction, by the same equation with a Riemann flux.

Seeds: B, D

Computational astrophysics moves mass, momentum and energy with one discipline: what crosses the plane between two cells
is what crosses it in the exact solution for two gases that meet there (Godunov). That flux is an edge law like any
other, and the balance of cells and edges is the same as that of an ion channel.

## Equations

    d/dt (rho, rho u, E) + d/dx (rho u, rho u^2 + p, u (E + p)) = 0,      E = p / (gamma - 1) + rho u^2 / 2

The star state between the outer waves has one pressure p* and one velocity u*: f_L(p*) + f_R(p*) + u_R - u_L = 0, with
f the change of velocity across a shock (p* above the side's pressure) or a rarefaction. It follows from the law at the
membrane, as do the speeds of the waves and the states at x / t. The profile comes from the mesh, integrated implicitly
in time; the two ends are held at the first states, so the run ends before a wave arrives there.

Entropy: an edge produces the sum of J (y_head - y_tail) less the rise of what is carried without a loss, psi = -p u / T
(Tadmor). `entropy_production` is that of the shocks, found by the same books in a frame that moves with each shock,
where the two states stand still on both sides of one edge.

## What to look for

A shock and a contact both are jumps, but only the shock makes entropy. On the mesh a contact is smeared over ever more
cells, which mixes unlike gases and costs entropy too; `profile_production` falls to `entropy_production` as the cells
shrink. No edge ever destroys entropy. Mass, momentum and energy are kept to rounding, because the states are the
conserved densities themselves.

## Limits

First order in the cells: errors at jumps stay, smeared over a few cells (`profile_error` is the mean error of the
density). One dimension, constant heat capacities, no vacuum.

## Sources

S. K. Godunov, Mat. Sb. 47 (1959) 271; G. A. Sod, J. Comput. Phys. 27 (1978) 1; E. F. Toro, Riemann Solvers and
Numerical Methods for Fluid Dynamics (2009), ch. 4 (tests 1 and 3); E. Tadmor, Math. Comp. 49 (1987) 91 (entropy
stability). From memory, pages not looked up again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.ground.constants import R
from steadyflux.model.model import Model
from steadyflux.physics.riemann import Gas, Riemann, sample, star, wave_speeds
from steadyflux.systems.flow._shock_claims import CLAIMS
from steadyflux.systems.system import Numbers, Parameter, Result, System, Values

REACH = 0.8  # share of the way to an end that the fastest wave goes unless a time is given

PARAMETERS = (
    Parameter("left_density", 1.0, "kg/m^3", "Sod 1978", 1e-12, 1e12),
    Parameter("left_velocity", 0.0, "m/s", "Sod 1978", -1e8, 1e8),
    Parameter("left_pressure", 1.0, "Pa", "Sod 1978", 1e-12, 1e15),
    Parameter("right_density", 0.125, "kg/m^3", "Sod 1978", 1e-12, 1e12),
    Parameter("right_velocity", 0.0, "m/s", "Sod 1978", -1e8, 1e8),
    Parameter("right_pressure", 0.1, "Pa", "Sod 1978", 1e-12, 1e15),
    Parameter("heat_capacity_ratio", 1.4, "", "diatomic gas, Sod 1978", 1.02, 5.0),
    Parameter("molar_mass", 0.028965, "kg/mol", "air", 1e-4, 1.0),
    Parameter("length", 1.0, "m", "Sod 1978", 1e-9, 1e20),
    Parameter("time", None, "s", "when the fastest wave has gone 80 % of its way", 0.0, 1e30),
    Parameter("cells", 400, "", "chosen", 10, 20000, whole=True),
    Numbers("speeds", (-0.9, 0.0, 0.5, 1.5), "m/s", "x/t at which states are told, chosen", -1e9, 1e9),
)
NAMES = ("gas", "m", "E")


def sides(p: Values) -> tuple[Gas, Gas]:
    """The gas left and right of the membrane."""
    return (
        Gas(p.left_density, p.left_velocity, p.left_pressure),
        Gas(p.right_density, p.right_velocity, p.right_pressure),
    )


def conserved(p: Values, density: Any, velocity: Any, pressure: Any) -> dict[str, Any]:
    """Amount, momentum and energy per volume of a gas."""
    energy = pressure / (p.heat_capacity_ratio - 1.0) + 0.5 * density * velocity**2
    return dict(zip(NAMES, (density / p.molar_mass, density * velocity, energy), strict=True))


def tube(p: Values, space: sf.Space, states: dict[str, Any]) -> Model:
    """A tube of gas, both ends held."""
    ends = [sf.Hold(end, {n: float(v[i]) for n, v in states.items()}) for end, i in (("left", 0), ("right", -1))]
    return sf.Model(
        space,
        [sf.Species("gas"), sf.Impulse("m"), sf.Energy("E")],
        [Riemann(p.heat_capacity_ratio)],
        ends,
        phase=sf.IdealGas(R / (p.heat_capacity_ratio - 1.0), molar_mass=p.molar_mass),
        start=states,
    )


def model(p: Values) -> Model:
    """The tube with the membrane in its middle."""
    left, right = sides(p)
    g = p.heat_capacity_ratio
    gap = right.velocity - left.velocity
    if gap >= 2.0 / (g - 1.0) * float(left.sound(g) + right.sound(g)):
        raise sf.InputError(
            f"The gases part at {gap:g} m/s, faster than they can expand, and leave a vacuum between them; lower "
            "right_velocity or raise left_velocity."
        )
    # An even number of cells beside the membrane: it lies on the face in the middle.
    space = sf.interval(p.length, cells=2 * ((p.cells + 1) // 2))
    x = np.asarray(space.position)
    is_left = x < 0.5 * p.length
    values = [np.where(is_left, a, b) for a, b in zip(left, right, strict=True)]
    return tube(p, space, conserved(p, *values))


def duration(p: Values) -> float:
    """The time of the profile, s."""
    speeds = [abs(float(s)) for s in wave_speeds(*sides(p), p.heat_capacity_ratio)]
    longest = 0.5 * p.length / max(speeds)
    if p.time is None:
        return REACH * longest
    if p.time > longest:
        raise sf.InputError(
            f"After {longest:g} s a wave reaches an end of the tube; give a shorter time or a longer tube."
        )
    return p.time


def solve(p: Values, model: Model) -> sf.History:
    """From the bursting of the membrane to the time of the profile."""
    until = duration(p)
    return sf.evolve(model, until=until, times=until * np.linspace(0.0, 1.0, 41), rtol=1e-6)


def shock_production(p: Values) -> list[float]:
    """Entropy that the left and the right wave make, W/(K m^2): each shock at rest between two held cells."""
    g, (left, right) = p.heat_capacity_ratio, sides(p)
    middle, speeds = star(left, right, g), wave_speeds(left, right, g)
    found = []
    for side, density, speed in ((left, middle.left_density, speeds[0]), (right, middle.right_density, speeds[-1])):
        if middle.pressure <= side.pressure * (1.0 + 1e-12):
            found.append(0.0)  # a rarefaction
            continue
        behind = Gas(density, middle.velocity, middle.pressure)
        pair = (side, behind) if side is left else (behind, side)
        states = [conserved(p, float(x.density), float(x.velocity - speed), float(x.pressure)) for x in pair]
        joined = {n: np.array([one[n] for one in states]) for n in NAMES}
        found.append(float(sf.steady(tube(p, sf.interval(p.length, cells=2), joined)).entropy.production))
    return found


def profile(p: Values, history: sf.History, time: float) -> Gas:
    """Density, velocity and pressure on the mesh at a time, each (cell,)."""
    gas, impulse, energy = (history.values(name, [time])[0] for name in NAMES)
    density = gas * p.molar_mass
    velocity = impulse / density
    return Gas(density, velocity, (p.heat_capacity_ratio - 1.0) * (energy - 0.5 * density * velocity**2))


def answers(p: Values, history: sf.History) -> dict[str, Any]:
    """Star state, waves, states at the speeds asked for, the profile at the end, and the entropy."""
    g, (left, right) = p.heat_capacity_ratio, sides(p)
    middle, time = star(left, right, g), float(history.times[-1])
    at = sample(left, right, g, np.asarray(p.speeds))
    still = sample(left, right, g, 0.0)
    enthalpy = g / (g - 1.0) * still.pressure / still.density + 0.5 * still.velocity**2
    mass = float(still.density * still.velocity)
    x = np.asarray(history.model.space.position)
    found = profile(p, history, time)
    exact = sample(left, right, g, (x - 0.5 * p.length) / time)
    shocks = shock_production(p)
    return {
        "star_pressure": float(middle.pressure),
        "star_velocity": float(middle.velocity),
        "left_star_density": float(middle.left_density),
        "right_star_density": float(middle.right_density),
        "wave_speeds": tuple(float(s) for s in wave_speeds(left, right, g)),
        "mass_flux": mass,
        "momentum_flux": mass * float(still.velocity) + float(still.pressure),
        "energy_flux": mass * float(enthalpy),
        "density_at": np.asarray(at.density),
        "velocity_at": np.asarray(at.velocity),
        "pressure_at": np.asarray(at.pressure),
        "entropy_production": sum(shocks),
        "profile_time": time,
        "profile_position": x,
        "profile_density": found.density,
        "profile_velocity": found.velocity,
        "profile_pressure": found.pressure,
        "profile_error": float(np.mean(np.abs(found.density - exact.density)) / max(left.density, right.density)),
        "profile_production": float(history.entropy_production[-1]),
        "least_production": float(history.end.entropy.least_local),
    }


def figure(result: Result) -> Figure:
    """Density, velocity, pressure and the entropy made around each cell, against the exact solution."""
    p, a = result.parameters, result.answers
    x, time = a["profile_position"], a["profile_time"]
    exact = sample(*sides(p), p.heat_capacity_ratio, (x - 0.5 * p.length) / time)
    fig = Figure(figsize=(9.0, 6.0), layout="constrained")
    axes = fig.subplots(2, 2, sharex=True).ravel()
    for ax, name, unit in zip(axes, ("density", "velocity", "pressure"), ("kg/m³", "m/s", "Pa"), strict=False):
        ax.plot(x, np.asarray(getattr(exact, name)), color="0.4", linewidth=1, label="exact")
        ax.plot(x, a[f"profile_{name}"], ".", markersize=2.5, color="C0", label=f"{len(x)} cells")
        ax.set_ylabel(f"{name} ({unit})")
    axes[0].legend()
    axes[3].semilogy(x, np.maximum(result.solution.entropy.by_cell, 1e-12 * max(a["entropy_production"], 1e-300)))
    axes[3].set_ylabel("entropy made in a cell (W/K)")
    for ax in axes[2:]:
        ax.set_xlabel("position (m)")
    fig.suptitle(f"t = {time:.3g} s")
    return fig


SYSTEM = System(
    name="shock_tube",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units={
        "star_pressure": "Pa",
        "star_velocity": "m/s",
        "left_star_density": "kg/m^3",
        "right_star_density": "kg/m^3",
        "wave_speeds": "m/s",
        "mass_flux": "kg/(m^2*s)",
        "momentum_flux": "Pa",
        "energy_flux": "W/m^2",
        "density_at": "kg/m^3",
        "velocity_at": "m/s",
        "pressure_at": "Pa",
        "entropy_production": "W/(m^2*K)",
        "profile_time": "s",
        "profile_position": "m",
        "profile_density": "kg/m^3",
        "profile_velocity": "m/s",
        "profile_pressure": "Pa",
        "profile_error": "",
        "profile_production": "W/K",
        "least_production": "W/K",
    },
    claims=CLAIMS,
    figure=figure,
    solve=solve,
)
