"""A valve is opened between two vessels of gas: from high to low pressure, until nothing drives the gas any more.

Seeds: D

Two vessels hold the same ideal gas at pressures p1, p2 and temperatures T1, T2. What happens when they are joined
depends on the opening.

## Equations

    d(c V)/dt = - J,      d(U)/dt = - J_E,      U = c_v T a mole,     p = c R T

`effusive`: a hole small against the mean free path. Each side sends what hits it (Knudsen), an energy of 2 k T a
particle (and its internal energy) with it:

    J = A (p1 / sqrt(2 pi m k T1) - p2 / sqrt(2 pi m k T2)),     J_E = sum of (2 k T + internal) J one way

`viscous`: a capillary of length l, laminar, compressible (Poiseuille): N = pi r^4 (p1^2 - p2^2) / (16 eta l R T), with
the enthalpy of the side that it comes from. `nozzle`: an orifice wide against the mean free path, isentropic, choked
where p2 / p1 is below (2 / (gamma + 1))^(gamma / (gamma - 1)); the jet's energy is spent in the vessel it enters.

The walls are `adiabatic` (each vessel keeps its energy but for what comes through the valve) or `isothermal` (each is
held at its temperature; the heat for that enters the books).

## What to look for

The chemical potential, not the pressure alone, says when the flow ends. Held at two temperatures, an effusive hole
brings the pressures to p1 / p2 = sqrt(T1 / T2), not to equality: energy still flows, and this steady state is none of
equilibrium. Equal pressures at unequal temperatures drive gas from the cold vessel to the warm one. The particle flow
and the energy flow obey Onsager's relations: `reciprocity_defect` compares the two cross coefficients of the computed
flows about equilibrium. When all is over in adiabatic vessels, the entropy that was produced is what the final state
has more than the first.

## Limits

Well-stirred vessels; no transition between effusive and viscous flow; a gas of constant heat capacity.

## Sources

M. Knudsen, Ann. Phys. 333 (1909) 75 (effusion, thermal transpiration); S. R. de Groot and P. Mazur, Non-Equilibrium
Thermodynamics (1962), ch. XV (two vessels with a small opening: L_NE = 2 k T L_NN, L_EE = 6 (k T)^2 L_NN); G. N.
Patterson and any gas dynamics text for the choked nozzle. From memory, pages not looked up again.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.audit.probe import examine
from steadyflux.audit.reciprocity import coefficients
from steadyflux.ground.constants import K_B, N_A, R
from steadyflux.model.model import Model
from steadyflux.model.solution import Solution
from steadyflux.physics.distributions import Maxwell
from steadyflux.physics.local import Geometry, Local
from steadyflux.systems.flow._valve_claims import CLAIMS
from steadyflux.systems.system import Choice, Numbers, Parameter, Result, System, Values

RESTS = 100.0  # times in which the first flow would empty the fuller vessel, after which it has ended
CREEPING = 1e-6  # share of the pressure below which the jet of a nozzle turns laminar: its slope at rest is finite

PARAMETERS = (
    Choice("valve", "effusive", ("effusive", "viscous", "nozzle"), "how the gas passes"),
    Choice("walls", "adiabatic", ("adiabatic", "isothermal"), "whether the vessels are held at their temperatures"),
    Parameter("mass", 6.63352146325368e-26, "kg", "argon, 39.948 dalton (CIAAW 2021)", 1e-27, 1e-24),
    Parameter("heat_capacity_ratio", 5.0 / 3.0, "", "monatomic gas", 1.02, 5.0 / 3.0),
    Parameter("left_pressure", 10.0, "Pa", "chosen: mean free path 0.7 mm", 0.0, 1e8),
    Parameter("right_pressure", 2.0, "Pa", "chosen", 0.0, 1e8),
    Parameter("left_temperature", 300.0, "K", "room", 1.0, 1e5),
    Parameter("right_temperature", 300.0, "K", "room", 1.0, 1e5),
    Parameter("left_volume", 1e-3, "m^3", "one litre", 1e-18, 1e6),
    Parameter("right_volume", 2e-3, "m^3", "two litres", 1e-18, 1e6),
    Parameter("diameter", 20e-6, "m", "laser-drilled hole (typical)", 1e-10, 10.0),
    Parameter("length", 10e-3, "m", "capillary of the viscous valve (typical)", 1e-9, 1e4),
    Parameter("viscosity", 22.7e-6, "Pa*s", "argon at 300 K (typical)", 1e-7, 1e-2),
    Numbers("times", (60.0, 600.0, 6000.0), "s", "a minute, ten, a hundred", 0.0, 1e15),
)


class Capillary(sf.EdgeLaw):
    """Laminar flow of a gas through a tube: N = pi r^4 (p_t^2 - p_h^2) / (16 eta l R T), with its enthalpy upstream.

    R T is the mean of both ends. ``enthalpy`` is c_p over R. Nothing of the gas's viscosity depends on the pressure.
    """

    strength: Any = sf.parameter("", "pi r^4 / (16 eta l)")
    enthalpy: Any = sf.parameter("", "heat capacity at constant pressure over R")

    @property
    def moves(self) -> tuple[str, ...]:
        """The gas and its energy."""
        return ("gas", "T")

    def one_way(self, tail: Local, head: Local, edge: Geometry) -> dict[str, tuple[Any, Any]]:
        """mol/s and W, as if each side pressed alone."""
        warmth = 0.5 * R * (tail.T + head.T)
        ways = [self.strength * (side["gas"] * R * side.T) ** 2 / warmth for side in (tail, head)]
        flow = ways[0] - ways[1]
        carried = self.enthalpy * R * flow
        energy = (jnp.maximum(carried, 0.0) * tail.T, jnp.maximum(-carried, 0.0) * head.T)
        return {"gas": (ways[0], ways[1]), "T": energy}


class Nozzle(sf.EdgeLaw):
    """Isentropic jet from the higher to the lower pressure, choked at the speed of sound, with its enthalpy.

    N = A c sqrt(2 gamma / (gamma - 1) R T / M) sqrt(x^(2/gamma) - x^((gamma+1)/gamma)), x = p_down / p_up, but no less
    than the critical ratio (Saint-Venant and Wantzel 1839). Below ``CREEPING`` of the pressure the flow is in
    proportion to the difference.
    """

    ratio: Any = sf.parameter("", "heat capacity ratio")
    molar_mass: Any = sf.parameter("kg/mol", "molar mass")
    opening: Any = sf.parameter("m^2", "opening of the nozzle")

    @property
    def moves(self) -> tuple[str, ...]:
        """The gas and its energy."""
        return ("gas", "T")

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Flow from tail to head, mol/s and W."""
        pressures = [side["gas"] * R * side.T for side in (tail, head)]
        out = pressures[0] >= pressures[1]
        high, low = jnp.maximum(*pressures), jnp.minimum(*pressures)
        warm = jnp.where(out, tail.T, head.T)
        g = self.ratio
        critical = (2.0 / (g + 1.0)) ** (g / (g - 1.0))
        x = jnp.maximum(low / jnp.where(high > 0, high, 1.0), critical)
        # With w = 1 - x^((g-1)/g), the head over the enthalpy, the flow goes as x^(1/g) sqrt(w), and near rest as w.
        w = -jnp.expm1((g - 1.0) / g * jnp.log(x))
        root = w / (w**2 + CREEPING**2) ** 0.25
        speed = jnp.sqrt(2.0 * g / (g - 1.0) * R * warm / self.molar_mass)
        flow = self.opening * high / (R * warm) * speed * x ** (1.0 / g) * root
        flow = jnp.where(out, flow, -flow)
        return {"gas": flow, "T": flow * g / (g - 1.0) * R * warm}


def heat_capacity(p: Values) -> float:
    """Molar heat capacity at constant volume, J/(mol K)."""
    return R / (p.heat_capacity_ratio - 1.0)


def valve(p: Values) -> sf.EdgeLaw:
    """The law of the opening."""
    if p.valve == "effusive":
        return sf.Effusion("gas", Maxwell(p.mass, 2.0 / (p.heat_capacity_ratio - 1.0) - 3.0), heat="T", on="valve")
    if p.valve == "viscous":
        strength = np.pi * (0.5 * p.diameter) ** 4 / (16.0 * p.viscosity * p.length)
        return Capillary(strength, heat_capacity(p) / R + 1.0, on="valve")
    return Nozzle(p.heat_capacity_ratio, p.mass * N_A, _area(p), on="valve")


def _area(p: Values) -> float:
    return 0.25 * np.pi * p.diameter**2


def vessels(p: Values, pressures: Any, temperatures: Any, held: tuple[str, ...]) -> Model:
    """Two vessels joined by the valve; both are ``held`` at the states named."""
    pressures, temperatures = np.asarray(pressures, dtype=float), np.asarray(temperatures, dtype=float)
    states = {"gas": pressures / (R * temperatures), "T": temperatures}
    return sf.Model(
        sf.network({"left": p.left_volume, "right": p.right_volume}, {"valve": [("left", "right")]}, area=_area(p)),
        [sf.Species("gas"), sf.Heat(capacity="phase")],
        [valve(p)],
        [sf.Hold(side, {n: states[n][i] for n in held}) for i, side in enumerate(("left", "right")) if held],
        phase=sf.IdealGas(heat_capacity(p)),
        start=states,
    )


def model(p: Values) -> Model:
    """The vessels as they are when the valve is opened."""
    if p.left_pressure + p.right_pressure <= 0.0:
        raise sf.InputError("Both vessels are empty; give left_pressure or right_pressure a value above zero.")
    pressures, temperatures = _first(p)
    return vessels(p, pressures, temperatures, ("T",) if p.walls == "isothermal" else ())


def _first(p: Values) -> tuple[np.ndarray, np.ndarray]:
    return np.array([p.left_pressure, p.right_pressure]), np.array([p.left_temperature, p.right_temperature])


def solve(p: Values, model: Model) -> sf.History:
    """From the opening of the valve to the last of the times, with every step that was taken."""
    return sf.evolve(model, until=max(*p.times, 1e-9), rtol=1e-9)


def opened(p: Values) -> Solution:
    """The flows at the moment when the valve is opened: both vessels held as they are."""
    return sf.steady(vessels(p, *_first(p), ("gas", "T")))


def settled(p: Values) -> Solution:
    """The state in which the flow ends.

    An effusive hole has one, whatever the way there. Through the others no heat passes where no gas does, so vessels
    that are not held end at temperatures which depend on the way.
    """
    start = model(p)
    if p.valve == "effusive" or p.walls == "isothermal":
        return sf.steady(start)
    flow = abs(float(opened(p).along("gas", "valve")[0]))
    amounts = np.asarray(start.start["gas"]) * np.array([p.left_volume, p.right_volume])
    return sf.evolve(start, until=RESTS * float(amounts.max()) / flow, rtol=1e-9).end if flow > 0 else opened(p)


def onsager(p: Values) -> np.ndarray:
    """Coefficients of the flows of particles and energy, (2, 2), in 1/s, W and potentials per particle, from the flows
    that the model computes about equilibrium at the mean pressure and temperature."""
    pressures, temperatures = _first(p)
    level = vessels(p, np.full(2, pressures.mean()), np.full(2, temperatures.mean()), ("gas", "T"))
    matrix = coefficients(examine(sf.steady(level)), 0)[0]
    units = np.array([N_A, 1.0])
    return matrix * np.outer(units, units)


def answers(p: Values, history: sf.History) -> dict[str, Any]:
    """The flows at the opening, the way, the end, and the books."""
    begin, at_rest, times = opened(p), settled(p), np.asarray(p.times)
    gas, warmth = history.values("gas", times), history.values("T", times)
    matrix = onsager(p)
    final = np.asarray(at_rest["gas"]) * R * np.asarray(at_rest["T"])
    level = bool(np.ptp(final) <= 1e-6 * final.max() and np.ptp(at_rest["T"]) <= 1e-6 * np.max(at_rest["T"]))
    found = {
        "particle_flux": N_A * float(begin.along("gas", "valve")[0]),
        "energy_flux": float(begin.along("T", "valve")[0]),
        "particle_flux_density": N_A * float(begin.along("gas", "valve")[0]) / _area(p),
        "entropy_production": float(begin.entropy.production),
        "pressures_at": gas * R * warmth,
        "temperatures_at": warmth,
        "particles_at": gas * N_A * np.array([p.left_volume, p.right_volume]),
        "final_pressures": final,
        "final_temperatures": np.asarray(at_rest["T"]),
        "pressure_ratio": float(final[0] / final[1]),
        # Without a passage for heat alone, unequal temperatures at one pressure are at rest but in no equilibrium.
        "equilibrium": at_rest.regime == "equilibrium" if p.valve == "effusive" else level,
        "entropy_produced": float(history.entropy_produced[-1]),
        "knudsen_number": _mean_free_path(p) / p.diameter,
    }
    if p.valve == "effusive":
        found["relaxation_time"] = relaxation(p)
    if p.valve != "nozzle":  # whose flow is no linear one about equilibrium
        size = np.sqrt(matrix[0, 0] * matrix[1, 1])
        found |= {
            "coefficient_particles": matrix[0, 0],
            "coefficient_cross": matrix[0, 1],
            "coefficient_energy": matrix[1, 1],
            "heat_of_transport": matrix[1, 0] / matrix[0, 0] - (heat_capacity(p) / R + 1.0) * K_B * _first(p)[1].mean(),
            "reciprocity_defect": abs(matrix[0, 1] - matrix[1, 0]) / size,
        }
    return found


def relaxation(p: Values) -> float:
    """Slowest time in which the vessels come to rest, s: of small disturbances of the state at rest."""
    return sf.spectrum(sf.steady(model(p))).time


def _mean_free_path(p: Values) -> float:
    """k T / (sqrt(2) pi d^2 p) of molecules 0.36 nm wide in the fuller vessel, m."""
    pressures, temperatures = _first(p)
    fuller = int(np.argmax(pressures))
    return K_B * temperatures[fuller] / (np.sqrt(2.0) * np.pi * 0.36e-9**2 * pressures[fuller])


def figure(result: Result) -> Figure:
    """Pressures, temperatures and the entropy produced in the course of time."""
    p, history = result.parameters, result.history
    fig = Figure(figsize=(10.5, 3.8), layout="constrained")
    left, middle, right = fig.subplots(1, 3)
    at = np.linspace(0.0, float(history.times[-1]), 200)
    warmth = history.values("T", at)
    pressures = history.values("gas", at) * R * warmth
    for number, name in enumerate(("left vessel", "right vessel")):
        left.plot(at, pressures[:, number], color=f"C{number}", label=name)
        left.axhline(result.answers["final_pressures"][number], color=f"C{number}", linestyle=":", linewidth=1)
        middle.plot(at, warmth[:, number], color=f"C{number}", label=name)
    right.plot(history.times, history.entropy_produced, color="C3")
    left.set(xlabel="time (s)", ylabel="pressure (Pa)", title=f"{p.valve} valve, {p.walls} walls")
    left.legend()
    middle.set(xlabel="time (s)", ylabel="temperature (K)")
    right.set(xlabel="time (s)", ylabel="entropy produced (J/K)")
    return fig


SYSTEM = System(
    name="gas_valve",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units={
        "particle_flux": "1/s",
        "energy_flux": "W",
        "particle_flux_density": "1/(m^2*s)",
        "entropy_production": "W/K",
        "pressures_at": "Pa",
        "temperatures_at": "K",
        "particles_at": "",
        "final_pressures": "Pa",
        "final_temperatures": "K",
        "pressure_ratio": "",
        "equilibrium": "",
        "entropy_produced": "J/K",
        "relaxation_time": "s",
        "knudsen_number": "",
        "coefficient_particles": "K/(J*s)",
        "coefficient_cross": "K/s",
        "coefficient_energy": "W*K",
        "heat_of_transport": "J",
        "reciprocity_defect": "",
    },
    claims=CLAIMS,
    figure=figure,
    solve=solve,
)
