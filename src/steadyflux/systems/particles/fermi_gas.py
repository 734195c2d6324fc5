"""A quantum gas that streams out of a vessel through a hole, down to absolute zero.

Seeds: D

At absolute zero the atoms of a classical gas rest. Fermions do not: each state holds one of them, so that they fill all
momenta up to the Fermi momentum, and stream out of an open vessel even there. Through the hole goes what the gas sends
one way; between two gases, what one sends less what the other sends.

## Equations

    J = (g / 8 pi^2 hbar^3) int p^2 f(E) dE,     J_E = (g / 8 pi^2 hbar^3) int E p^2 f(E) dE
    f = 1 / (e^((E - mu) / k T) + 1)  (fermi),   1 / (e^((E - mu) / k T) - 1)  (bose),   e^((mu - E) / k T)  (maxwell)
    n = (g / 2 pi^2 hbar^3) int (p^2 / v) f dE   fixes mu;    V dn/dt = -A (J - J_second)

with E = p^2 / 2m, or relativistic. `flux`, `energy_flux` and `momentum_flux` are what the vessel's gas sends one way,
per area; `net_flow` and `net_power` what passes the hole towards the second vessel. `emptying_time` is how long the
vessel, its walls at its temperature, takes to run out into a vacuum down to `fraction` of its density;
`emptying_time_at_zero` the same for fermions at absolute zero. `film_flux` (per length) and `wire_flux` are what
fermions filled up to the same momentum send one way in two dimensions and in one at absolute zero.

## What to look for

At T = 0 the flux is 3/16 n v_F, and who escapes has 2/3 of the Fermi energy on average, more than the 3/5 of those
inside: the gas that stays gets colder at first sight, yet it is cold already. The flux goes as n^(4/3), so that the
vessel empties as (1 + t / t_0)^-3 and not as an exponential. Warm the gas: it leaves absolute zero only as T^2, and far
above the Fermi temperature `classical_ratio` becomes one. A Bose gas that condenses sends no more, however dense.

## Limits

Ideal gases; a hole small against the mean free path; no potential step at the hole. A condensate rests. In time the
walls keep each gas at its temperature; the second vessel stays as it is.

## Sources

Knudsen 1909 (effusion); Fermi 1926; Dirac 1926; Bose 1924; Einstein 1925; Sommerfeld 1928 (low temperatures); Landauer
1957 (the wire); Juettner 1911. Copper: 8.49e28 conduction electrons per m^3 (Ashcroft and Mermin, Solid State Physics,
1976, table 1.1).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.ground.constants import H_PLANCK, K_B, M_ELECTRON, N_A
from steadyflux.ground.errors import InputError
from steadyflux.physics.quantum_gas import BoseEinstein, FermiDirac, Isotropic, Juettner, QuantumGas
from steadyflux.systems.particles._fermi_claims import CLAIMS
from steadyflux.systems.system import Choice, Parameter, Result, System, Values

PARAMETERS = (
    Choice("statistics", "fermi", ("fermi", "bose", "maxwell"), "conduction electrons are fermions"),
    Choice("relativistic", "no", ("no", "yes"), "electrons of a metal are slow"),
    Parameter("mass", M_ELECTRON, "kg", "electron, CODATA 2022", 1e-33, 1e-20),
    Parameter("states", 2.0, "", "spin up and down", 1.0, 1e3),
    Parameter("density", 8.49e28, "1/m^3", "copper, Ashcroft and Mermin 1976, table 1.1", 1e-3, 1e50),
    Parameter("temperature", 0.0, "K", "absolute zero", 0.0, 1e13),
    Parameter("second_density", 0.0, "1/m^3", "a vacuum behind the hole", 0.0, 1e50),
    Parameter("second_temperature", None, "K", "as the first vessel", 0.0, 1e13),
    Parameter("volume", 1e-6, "m^3", "a cubic centimetre (chosen)", 1e-30, 1e9),
    Parameter("opening", 1e-12, "m^2", "a square micrometre (chosen)", 1e-24, 1e6),
    Parameter("fraction", 0.5, "", "of the density is left: half empty", 1e-6, 0.999),
)


def gas_of(p: Values) -> Isotropic:
    """The gas by its statistics."""
    fast = p.relativistic == "yes"
    if p.statistics == "fermi":
        return FermiDirac(p.mass, p.states, fast)
    return (BoseEinstein if p.statistics == "bose" else Juettner)(p.mass, p.states, fast)


def temperatures(p: Values) -> tuple[float, float]:
    """Temperature of the vessel and of the second one, K."""
    return p.temperature, p.temperature if p.second_temperature is None else p.second_temperature


def hole(p: Values) -> sf.Space:
    """The two vessels and the hole between them."""
    return sf.network({"vessel": p.volume, "second": p.volume}, {"hole": [("vessel", "second")]}, area=p.opening)


def kept(p: Values, density: float, second: float) -> sf.Model:
    """Both gases kept at their density and temperature.

    Above absolute zero the gas is a species with the potential of its phase; at absolute zero, where that potential
    over T has no bound, its particles are counted and no entropy.
    """
    _check(p)
    warm, other = temperatures(p)
    above, gas = min(warm, other) > 0.0, gas_of(p)
    per = N_A if above else 1.0
    return sf.Model(
        hole(p),
        [sf.Species("gas") if above else sf.Population("gas"), sf.Heat()],
        [sf.Effusion("gas", gas, "T", on="hole")],
        [sf.Hold("vessel", {"gas": density / per, "T": warm}), sf.Hold("second", {"gas": second / per, "T": other})],
        phase=QuantumGas(gas) if above else None,
    )


def _check(p: Values) -> None:
    if p.statistics == "maxwell" and min(temperatures(p)) == 0.0:
        raise InputError("A classical gas at absolute zero has no velocities; give it a temperature, or take 'fermi'.")


def model(p: Values) -> sf.Model:
    """The vessel as it runs out, its walls at their temperature."""
    _check(p)
    return sf.Model(
        hole(p),
        [sf.Population("gas")],
        [sf.Effusion("gas", gas_of(p), temperature="warmth", on="hole")],
        [sf.Hold("second", {"gas": p.second_density})],
        given={"warmth": np.array(temperatures(p))},
        start={"gas": np.array([p.density, p.second_density])},
    )


def solve(p: Values, emptying: sf.Model) -> sf.Solution:
    """The flows while the vessel is kept full."""
    return sf.steady(kept(p, p.density, p.second_density))


def counted(solution: sf.Solution) -> float:
    """Particles in a unit of the gas."""
    return N_A if solution.model.quantity("gas").kind == "species" else 1.0


def alone(p: Values) -> Values:
    """The vessel before a vacuum."""
    return Values({**p.items, "second_density": 0.0, "second_temperature": None})


def sent(p: Values, density: float) -> tuple[float, float]:
    """Particles and energy that the vessel's gas sends through the hole, 1/s and W."""
    found = sf.steady(kept(alone(p), density, 0.0))
    return float(found.along("gas", "hole")[0]) * counted(found), float(found.along("T", "hole")[0])


def emptying(p: Values, fraction: float) -> float:
    """Time until the vessel has run out into a vacuum down to a fraction of its density, s."""
    start = model(alone(p))
    outflow = sent(p, p.density)[0]
    if not outflow > 0.0:
        return float("inf")
    # A gas thins out no slower than one whose flow falls as n^(4/3).
    longest = 3.3 * p.density * p.volume / outflow * (fraction ** (-1.0 / 3.0) - 1.0)
    left = sf.Event("left", lambda view: view.value("gas", "vessel") / p.density - fraction)
    history = sf.evolve(start, until=longest, events=[left], rtol=1e-9, atol=1e-12)
    return history.events[0].time


@lru_cache(maxsize=32)
def emptying_times(items: tuple[tuple[str, Any], ...]) -> tuple[float, float]:
    """How long the vessel takes to run out, at its temperature and filled with fermions at absolute zero, s."""
    p = Values(dict(items))
    cold = Values({**p.items, "temperature": 0.0, "statistics": "fermi"})
    return emptying(p, p.fraction), emptying(cold, p.fraction)


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """What the vessel's gas sends one way, what passes the hole, energies, and the time to run out."""
    per, gas = counted(solution), gas_of(p)
    n, warm = float(solution.value("gas", "vessel")) * per, p.temperature
    particles, power = sent(p, n)
    flux, energy_flux = particles / p.opening, power / p.opening
    fermions = FermiDirac(p.mass, p.states, p.relativistic == "yes")
    reach = float(fermions.fermi_momentum(n))
    level = float(fermions.fermi_energy(n))
    film, wire = (FermiDirac(p.mass, p.states, p.relativistic == "yes", d) for d in (2, 1))
    spread = p.states * np.array([np.pi, 2.0]) * (reach / H_PLANCK) ** np.array([2.0, 1.0])
    classical = float(Juettner(p.mass, relativistic=p.relativistic == "yes").stream(n, warm).particles)
    times = emptying_times(tuple(p.items.items()))
    found = {
        "flux": flux,
        "energy_flux": energy_flux,
        "momentum_flux": float(gas.stream(n, warm).momentum),
        "fermi_energy": level,
        "fermi_momentum": reach,
        "fermi_speed": float(fermions.velocity(level)),
        "fermi_temperature": level / K_B,
        "chemical_potential": float(gas.chemical_potential(n, warm)),
        "mean_energy": float(gas.mean_energy(n, warm)),
        "escaping_energy": energy_flux / flux if flux > 0 else 0.0,
        "pressure": float(gas.pressure(n, warm)),
        "flux_at_zero": float(fermions.stream(n, 0.0).particles),
        "film_flux": float(film.stream(spread[0], 0.0).particles),
        "wire_flux": float(wire.stream(spread[1], 0.0).particles),
        "classical_ratio": flux / classical if classical > 0 else float("inf"),
        "net_flow": float(solution.along("gas", "hole")[0]) * per,
        "net_power": float(sf.steady(kept(p, n, p.second_density)).along("T", "hole")[0]),
        "density": n,
        "emptying_time": times[0],
        "emptying_time_at_zero": times[1],
        "regime": solution.regime,
    }
    found["net_flux"] = found["net_flow"] / p.opening
    return found


def figure(result: Result) -> Figure:
    """One-way flux against temperature, of fermions, bosons and a classical gas; and the vessel running out."""
    p = result.parameters
    n, a = p.density, result.answers
    fig = Figure(figsize=(10.0, 4.2), layout="constrained")
    left, right = fig.subplots(1, 2)
    scale, unit = a["fermi_temperature"], a["flux_at_zero"]
    warm = np.concatenate([[0.0], np.geomspace(3e-3, 4.0, 60)])
    for name in ("fermi", "bose", "maxwell"):
        gas = gas_of(Values({**p.items, "statistics": name}))
        left.plot(warm, np.asarray(gas.stream(n + 0.0 * warm, warm * scale).particles) / unit, label=name)
    if p.temperature <= 4.0 * scale:
        left.plot(p.temperature / scale, a["flux"] / unit, "o", color="C3", label="this run")
    left.set_xlabel("temperature / Fermi temperature")
    left.set_ylabel("one-way flux / that of fermions at T = 0")
    left.legend()
    cold = Values({**p.items, "temperature": 0.0, "statistics": "fermi"})
    runs = {"fermions at T = 0": cold, f"{p.statistics}, {p.temperature:g} K": p}
    for label, one in list(runs.items())[: 1 if p.temperature == 0.0 else 2]:
        time = emptying(one, 0.05)
        if np.isfinite(time):
            history = sf.evolve(model(alone(one)), until=time)
            right.plot(history.times, history["gas"][:, 0] / n, label=label)
    right.axhline(p.fraction, color="0.5", linestyle=":", label="fraction")
    right.set_xlabel("time (s)")
    right.set_ylabel("share left in the vessel")
    right.legend()
    return fig


SYSTEM = System(
    name="fermi_gas",
    parameters=PARAMETERS,
    model=model,
    solve=solve,
    answers=answers,
    units={
        **dict.fromkeys(("flux", "net_flux", "flux_at_zero"), "1/(m^2*s)"),
        "film_flux": "1/(m*s)",
        **dict.fromkeys(("wire_flux", "net_flow"), "1/s"),
        "energy_flux": "W/m^2",
        "net_power": "W",
        **dict.fromkeys(("momentum_flux", "pressure"), "Pa"),
        **dict.fromkeys(("fermi_energy", "chemical_potential", "mean_energy", "escaping_energy"), "J"),
        "fermi_momentum": "kg*m/s",
        "fermi_speed": "m/s",
        "fermi_temperature": "K",
        "classical_ratio": "",
        "density": "1/m^3",
        **dict.fromkeys(("emptying_time", "emptying_time_at_zero"), "s"),
        "regime": "",
    },
    claims=CLAIMS,
    figure=figure,
)
