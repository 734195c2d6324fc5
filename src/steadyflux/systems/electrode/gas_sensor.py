"""An amperometric gas sensor: hydrogen sulfide crosses a membrane, reacts at an electrode and is read as a current.

Seeds: A

Gas crosses a barrier (still air, a capillary), dissolves in a membrane, diffuses through it and reacts at the electrode
behind. When as much arrives as reacts the current is steady, and it is proportional to the concentration outside.

Equations

    c_gas = ppm 1e-6 pressure / R T
    dc/dt = D c'',   -D c' = gas_transfer (c_gas - c / solubility) at the outside,   -D c' = rate_constant c within
    current = electrons F area c_gas / (1 / gas_transfer + thickness / (solubility D) + 1 / (solubility rate_constant))
    exposure   c_gas from t = 0 on, the membrane empty before;   time lag = integral of (1 - current / steady current)
    D(T) = membrane_diffusivity exp(-activation_energy / R (1 / T - 1 / reference_temperature)), rate_constant alike

The state that is solved for in the membrane is the concentration of the gas that would be in equilibrium with it: it
has no jump at the face, conducts with solubility D and stores solubility. Diffusivity and rate constant are those at
`temperature`, unless `reference_temperature` says where they were measured.

What to look for: with a tight membrane the current does not depend on the electrode any more, which is what makes a
sensor stable; the price is time: t90 and lag grow as the square of the thickness (lag thickness^2 / 6 D). The current
rises with temperature by the Arrhenius factor of the membrane, less the thinning of the gas (`q10`: ten kelvin more).

Limits: a gas that dissolves by Henry's law; dilute (the barrier's transfer does not depend on it); a first-order
electrode without background; one gas.

Sources: H. A. Daynes, Proc. R. Soc. A 97 (1920) 286 (time lag); J. Crank, The Mathematics of Diffusion, 2nd ed. (1975),
sec. 4.3; H. S. Carslaw and J. C. Jaeger, Conduction of Heat in Solids (1959), sec. 3.11. PTFE/FEP membranes of 25 um
with D about 1e-11 m^2/s and solubility about 0.5 (typical); H2S + 4 H2O -> H2SO4 + 8 H+ + 8 e-.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import brentq

import steadyflux as sf
from steadyflux.ground.arithmetic import array_module, is_traced
from steadyflux.ground.constants import FARADAY, R
from steadyflux.systems.system import Claim, Comparison, Numbers, Parameter, Result, System, Values

GAS = "gas"
CELLS = 1001  # the first trace of current that comes through is right to 1e-4
LONG = 16.0  # slowest decay times after which the current is steady to 1e-7

PARAMETERS = (
    Parameter("electrons", 8.0, "", "hydrogen sulfide to sulfuric acid", 0.1, 20.0),
    Parameter("area", 2e-4, "m^2", "2 cm^2 (typical)", 1e-12, 10.0),
    Parameter("gas_transfer", 5e-3, "m/s", "still air of some mm (typical)", 1e-12, 1e6),
    Parameter("solubility", 0.5, "", "concentration in the membrane over that in the gas (typical)", 1e-6, 1e6),
    Parameter("membrane_diffusivity", 1e-11, "m^2/s", "PTFE/FEP (typical)", 1e-18, 1e-4),
    Parameter("membrane_thickness", 2.5e-5, "m", "PTFE/FEP membrane (typical)", 1e-9, 0.1),
    Parameter("rate_constant", 1e3, "m/s", "at once; counts concentrations in the membrane", 1e-15, 1e9),
    Parameter("ppm", 10.0, "ppm", "the exposure limit at work in many countries", 0.0, 1e6),
    Parameter("pressure", 101325.0, "Pa", "1 atm", 1.0, 1e9),
    Parameter("temperature", 298.15, "K", "25 C", 100.0, 1500.0),
    Parameter("activation_energy", 25e3, "J/mol", "of diffusion and reaction (typical)", 0.0, 5e5),
    Parameter("reference_temperature", None, "K", "where diffusivity and rate were measured", 100.0, 1500.0),
    Numbers("times", (5.0, 20.0, 60.0), "s", "for current_at, after the exposure begins", 1e-12, 1e15),
)


def activated(p: Values) -> tuple[Any, Any]:
    """Diffusivity in the membrane, m^2/s, and rate constant, m/s, at the temperature."""
    if p.reference_temperature is None:
        return p.membrane_diffusivity, p.rate_constant
    exponent = p.activation_energy / R * (1.0 / p.reference_temperature - 1.0 / p.temperature)
    factor = array_module(p.items).exp(exponent)
    return p.membrane_diffusivity * factor, p.rate_constant * factor


def model(p: Values, cells: int = CELLS) -> sf.Model:
    """The membrane between gas and electrode, empty at the start."""
    outside = 1e-6 * p.ppm * p.pressure / (R * p.temperature)
    D, k = activated(p)
    reaction = sf.SurfaceRate({GAS: -1}, p.solubility * k)
    return sf.Model(
        sf.interval(p.membrane_thickness, cells, area=p.area, names=("face", "electrode")),
        quantities=[sf.Species(GAS, capacity=p.solubility)],
        laws=[sf.Fick(GAS, p.solubility * D)],
        boundaries=[
            sf.Exchange("face", sf.Transfer(GAS, p.gas_transfer), {GAS: outside}),
            sf.Exchange("electrode", reaction, {GAS: outside}),
        ],
        temperature=p.temperature,
        start={GAS: 0.0},
    )


def current(p: Values, solution: sf.Solution) -> Any:
    """Current of a solved membrane, A."""
    return -p.electrons * FARADAY * solution.flow(GAS, "electrode")


def duration(p: Values) -> float:
    """A time by which the slowest decay is over: it is never slower than crossing and emptying one after the other."""
    D, k = activated(p)
    crossing = 4.0 / np.pi**2 * p.membrane_thickness**2 / D
    return LONG * float(crossing + p.membrane_thickness / (k + p.gas_transfer / p.solubility))


@lru_cache(maxsize=16)
def exposure(items: tuple[tuple[str, Any], ...]) -> sf.History:
    """The way from an empty membrane to the steady current (or to the last time asked for)."""
    p = Values(dict(items))
    return sf.evolve(model(p), max(duration(p), *p.times), rtol=1e-8)


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """Steady current and what it says per ppm and per kelvin; how long it takes."""

    def changed(**values: Any) -> Any:
        there = Values({**p.items, **values})
        return current(there, sf.steady(model(there)))

    # Asked on the way there, sensitivity and times are those of the steady state that it leads to.
    steady = changed()
    reference = p.temperature if p.reference_temperature is None else p.reference_temperature
    found = {
        "current": current(p, solution),
        "sensitivity": jax.grad(lambda ppm: changed(ppm=ppm))(p.ppm),
        "electrode_concentration": p.solubility * solution[GAS][-1],
    }
    if is_traced(p.items) or p.ppm == 0.0:
        return found
    found["q10"] = changed(temperature=p.temperature + 10.0, reference_temperature=reference) / steady
    history = exposure(tuple(p.items.items()))
    end, flow = float(history.times[-1]), -float(steady) / (p.electrons * FARADAY)

    def share(time: float) -> float:
        return float(history.flow_at(GAS, "electrode", [time])[0]) / flow

    return found | {
        "t90": brentq(lambda t: share(t) - 0.9, 0.0, end, xtol=1e-12 * end),
        "time_lag": end - float(history.entered(GAS, "electrode")[-1]) / flow,
        "current_at": [float(steady) * share(t) for t in p.times],
    }


UNITS = {
    "current": "A",
    "sensitivity": "A/ppm",
    "electrode_concentration": "mol/m^3",
    "q10": "",
    "t90": "s",
    "time_lag": "s",
    "current_at": "A",
}

Run = Callable[..., Result]

SILICONE = {
    "electrons": 8, "area": 1e-5, "gas_transfer": 2e-3, "solubility": 3.0, "membrane_diffusivity": 1.5e-9,
    "membrane_thickness": 1.2e-4, "rate_constant": 4e-5, "ppm": 1.0, "temperature": 293.15,
    "activation_energy": 12e3, "times": (1.0, 5.0, 30.0),
}  # fmt: skip
# Independent reference computation (resistances, eigenfunctions), rtol 1e-9.
REFERENCE: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    (
        {},
        {
            "current": 1.2619481651142804e-08,
            "sensitivity": 1.2619481651142803e-9,
            "current_at": [2.211516237985563e-09, 1.1546660922745321e-08, 1.2617542826457852e-08],
            "t90": 18.971421909333717,
            "time_lag": 10.417499975001668,
            "q10": 1.3421415933941714,
        },
    ),
    (
        SILICONE,
        {
            "current": 9.038897444060506e-09,
            "sensitivity": 9.038897444060506e-09,
            "current_at": [1.2995027954749188e-09, 8.33821270086478e-09, 9.038897320444078e-09],
            "t90": 4.590572939584023,
            "time_lag": 2.4384976525821593,
            "q10": 1.1347146706083375,
        },
    ),
)


def _reference(run: Run) -> list[Comparison]:
    found = []
    for given, expected in REFERENCE:
        a = run(**given).answers
        loose = {"current_at": 2e-5, "t90": 1e-6, "time_lag": 5e-6}
        found += [Comparison(a[name], value, loose.get(name, 1e-8)) for name, value in expected.items()]
    return found


def _series(run: Run) -> list[Comparison]:
    found = []
    for kg, S, D, k in ((1e-5, 2.0, 3e-10, 4e-6), (1e-2, 0.1, 1e-12, 1e5), (3e-7, 9.0, 1e-9, 1e-3)):
        given = {"gas_transfer": kg, "solubility": S, "membrane_diffusivity": D, "rate_constant": k, "times": (1.0,)}
        gas = 1e-5 * 101325.0 / (R * 298.15)
        closed = 8.0 * FARADAY * 2e-4 * gas / (1.0 / kg + 2.5e-5 / (S * D) + 1.0 / (S * k))
        found.append(Comparison(run(**given).answers["current"], closed, 1e-10))
    return found


def _linear(run: Run) -> list[Comparison]:
    traces = [0.1, 3.0, 200.0]
    runs = [run(ppm=ppm, times=(30.0,)).answers for ppm in traces]
    return [
        Comparison(
            [float(a["current"]) / ppm for a, ppm in zip(runs, traces, strict=True)], 1.2619481651142803e-9, 1e-9
        ),
        Comparison([a["t90"] for a in runs], runs[0]["t90"], 1e-6),  # as well as a run in time is solved
        Comparison(run(ppm=0.0).answers["sensitivity"], 1.2619481651142803e-9, 1e-8),
    ]


def _tight(run: Run) -> list[Comparison]:
    # Membrane alone: lag L^2 / 6 D; current / steady = 1 + 2 sum (-1)^n exp(-n^2 pi^2 D t / L^2).
    a = run(gas_transfer=1e6, membrane_thickness=1e-4, times=(300.0, 700.0)).answers
    n = np.arange(1, 40)[:, None]
    shares = 1.0 + 2.0 * np.sum((-1.0) ** n * np.exp(-(n**2) * np.pi**2 * np.array([0.3, 0.7])), axis=0)
    return [
        Comparison(a["time_lag"], 1e-8 / 6e-11, 1e-5),
        Comparison(np.array(a["current_at"]) / float(a["current"]), shares, 1e-5),
    ]


def _order(run: Run) -> list[Comparison]:
    p = SYSTEM.values(SILICONE)
    early = [
        float(sf.evolve(model(p, cells), 0.6, times=[0.6], rtol=1e-10).flow(GAS, "electrode")[0])
        for cells in (21, 41, 81)
    ]
    return [Comparison(np.log2((early[0] - early[1]) / (early[1] - early[2])), 2.0, 0.05)]


CLAIMS = (
    Claim("a PTFE/FEP membrane and a silicone one", "independent reference computation", _reference),
    Claim("three resistances in series", "closed form", _series),
    Claim("linear in ppm, and as fast at any of them", "definition", _linear),
    Claim("a tight membrane: lag L^2 / 6 D and Crank's series", "Daynes 1920; Crank 1975, eq. 4.26", _tight),
    Claim("second order in the step", "observed order of the early current", _order),
)


def figure(result: Result) -> Figure:
    """What the gas does in the membrane during an exposure, and the current with its lag and t90."""
    p = result.parameters
    drawing = Figure(figsize=(10.0, 4.2), layout="constrained")
    left, right = drawing.subplots(1, 2)
    history = exposure(tuple(p.items.items()))
    end = 4.0 * result.answers.get("t90", duration(p) / 20.0)
    x = np.asarray(history.model.space.position) * 1e6
    for share in (0.02, 0.06, 0.2, 1.0):
        c = p.solubility * history.values(GAS, share * end)[0]
        left.plot(x, 1e3 * c, label=f"{share * end:.3g} s")
    left.set(xlabel="depth in the membrane / um", ylabel="concentration / (mmol/m$^3$)")
    left.legend(title="after the exposure began")
    shown = history.times <= end
    flow = -1e9 * p.electrons * FARADAY * history.flow(GAS, "electrode")
    right.plot(history.times[shown], flow[shown])
    right.axhline(1e9 * float(result.answers["current"]), color="k", ls=":", label="steady")
    if "t90" in result.answers:
        right.axvline(result.answers["t90"], color="C1", lw=0.8, label="90 %")
        right.axvline(result.answers["time_lag"], color="C2", lw=0.8, label="time lag")
    right.set(xlabel="time / s", ylabel="current / nA", xlim=(0.0, end))
    right.legend()
    return drawing


SYSTEM = System(
    name="gas_sensor",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
)
