"""A cell that pumps out the sodium that leaks in, alone or in an epithelium that carries salt across.

Seeds: A

Sodium leaks into a cell and potassium leaks out; the pump, fed by ATP, throws three sodium ions out and takes two
potassium ions in. The steady state of the two is the living cell: neither at rest nor in equilibrium. Impermeant
anions inside draw water; only because sodium is kept out does the cell not burst. In the mode `cell` one membrane
faces one bath. In the mode `epithelium` sodium enters from the apical bath, is pumped out into the basolateral one,
and so is carried through.

## Equations

In the cell, for Na+, K+ and Cl-: sum of the membrane fluxes = 0; the amount of impermeant ions X is given, their
concentration follows from the volume; the charges add up to zero (or, with a `membrane_capacitance`, to C_m A V);
water flows until the osmolarities agree.

    leak      P c-weighted constant field (Goldman 1943), and  g (V - E) / (z F)
    KCC       g_KCC (E_K - E_Cl) / F of K+ and Cl- together
    pump      p [Na / (Na + K_Na)]^3 [K_o / (K_o + K_K)]^2 cycles,  3 Na+ out, 2 K+ in, 1 ATP

In open circuit the potential of the apical bath floats at zero current; in short circuit both baths are at the same
potential and the current that flows is the short-circuit current (Ussing and Zerahn 1951). Voltages are cell minus
bath; the transepithelial one is apical minus basolateral bath. Fluxes are per area of one membrane.

## What to look for

At the steady state all the free energy that ATP gives is dissipated: entropy production = ATP power / T (less what
salt carried to a bath of other potential takes along). Halve the pump and sodium rises, the voltage falls, the cell
swells. With no pump and no impermeant solute outside there is no steady volume, and the search says so. Give `times`
and the pump is stopped at the steady state: sodium and potassium change places within the hour, the voltage goes, and
slowly chloride and water come in (`sodium_at`, `voltage_at` against the basolateral bath, `volume_at`).

## Limits

One well-stirred cell, constant permeabilities, ATP of constant free energy; equal osmolarity in both baths.

## Sources

Goldman 1943; Hodgkin and Katz 1949; Mori 2012; Keener and Sneyd, Mathematical Physiology, ch. 2; Kay 2017;
Duesterwald et al. 2018. Permeabilities and pump constants are typical of a mammalian cell and of a tight sodium-
absorbing epithelium.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

import steadyflux as sf
from steadyflux.ground.constants import FARADAY, R
from steadyflux.ground.errors import InputError, NotConverged
from steadyflux.model.model import Model
from steadyflux.model.solution import Solution
from steadyflux.systems.life._epithelia import FROG, NEURON, NEURONS, REFERENCE
from steadyflux.systems.system import Choice, Claim, Comparison, Numbers, Parameter, Result, System, Values

IONS = ("Na+", "K+", "Cl-")
RINGER = "mammalian Ringer (typical)"


def _three(name: str, default: tuple[float, float, float], unit: str) -> Numbers:
    return Numbers(name, default, unit, "Na+, K+, Cl- (typical)", 0.0, 1e6 if unit == "S/m^2" else 1.0)


PARAMETERS = (
    Choice(
        "preparation", "epithelium", ("epithelium", "cell"), "a cell between two baths, or in one (the basolateral)"
    ),
    Choice("circuit", "open", ("open", "short"), "of the epithelium"),
    Parameter("temperature", 310.15, "K", "body temperature", 250.0, 350.0),
    Parameter("apical_sodium", 120.0, "mol/m^3", RINGER, 1e-3, 5e3),
    Parameter("apical_potassium", 5.0, "mol/m^3", RINGER, 1e-3, 5e3),
    Parameter("apical_chloride", 125.0, "mol/m^3", RINGER, 1e-3, 5e3),
    Parameter("basolateral_sodium", 140.0, "mol/m^3", RINGER, 1e-3, 5e3),
    Parameter("basolateral_potassium", 5.0, "mol/m^3", RINGER, 1e-3, 5e3),
    Parameter("basolateral_chloride", 145.0, "mol/m^3", RINGER, 1e-3, 5e3),
    Parameter("osmolarity", 300.0, "mol/m^3", RINGER, 1.0, 1e4),
    _three("cell_permeabilities", (3e-10, 6e-9, 4e-9), "m/s"),
    _three("cell_conductances", (0.0, 0.0, 0.0), "S/m^2"),
    _three("apical_permeabilities", (2e-9, 1e-10, 2e-10), "m/s"),
    _three("apical_conductances", (0.0, 0.0, 0.0), "S/m^2"),
    _three("basolateral_permeabilities", (1e-10, 3e-8, 1.5e-8), "m/s"),
    _three("basolateral_conductances", (0.0, 0.0, 0.0), "S/m^2"),
    _three("paracellular_permeabilities", (2e-10, 2e-10, 2e-10), "m/s"),
    _three("paracellular_conductances", (0.0, 0.0, 0.0), "S/m^2"),
    Parameter("cotransport_conductance", 0.0, "S/m^2", "K-Cl cotransport g_KCC; none", 0.0, 1e4),
    Parameter("pump_capacity", 4e-7, "mol/(m^2*s)", "cycles (typical)", 0.0, 1.0),
    Parameter("pump_sodium_half", 10.0, "mol/m^3", "K_Na (typical)", 0.0, 1e3),
    Parameter("pump_potassium_half", 1.0, "mol/m^3", "K_K (typical)", 0.0, 1e3),
    Parameter("atp_energy", 55000.0, "J/mol", "free energy of ATP in cells (typical)", 0.0, 1e6),
    Parameter("impermeant_charge", -1.2, "", "mean charge number of X (typical)", -10.0, 10.0),
    Parameter("impermeant_amount", 1.1e-13, "mol", "110 mmol/L in 1 pL (typical)", 1e-20, 1e-3),
    Parameter("area", 6e-10, "m^2", "of each membrane (typical)", 1e-16, 1.0),
    Parameter("membrane_capacitance", 0.0, "F/m^2", "electroneutral; a real membrane has 0.01", 0.0, 1.0),
    Parameter("hydraulic_permeability", 1e-12, "m/(Pa*s)", "does not matter at the steady state", 1e-18, 1e-6),
    Numbers("times", (), "s", "after the pump is stopped; only the steady state", 1e-6, 1e12),
)


def _bath(p: Values, side: str) -> dict[str, float]:
    return dict(zip(IONS, (p.items[f"{side}_{n}"] for n in ("sodium", "potassium", "chloride")), strict=True))


def membrane(p: Values, name: str, edges: str) -> list[Any]:
    """Goldman and ohmic channels of one membrane for the three ions."""
    laws: list[Any] = []
    for kind, law in (("permeabilities", sf.GoldmanChannel), ("conductances", sf.LinearChannel)):
        values = p.items[f"{name}_{kind}"]
        if len(values) != len(IONS):
            raise InputError(f"{name}_{kind} needs three values, for {', '.join(IONS)}; it has {len(values)}.")
        if any(values):  # a membrane without ohmic channels is spared their compilation
            laws += [law(ion, value, on=edges) for ion, value in zip(IONS, values, strict=True)]
    return laws


def _water(p: Values, side: str, edges: str) -> list[Any]:
    other = p.osmolarity - sum(_bath(p, side).values())
    laws: list[Any] = [sf.WaterFlow("w", p.hydraulic_permeability, extra_head=other, on=edges)]
    if p.membrane_capacitance:
        laws.append(sf.MembraneCapacitance(p.membrane_capacitance, on=edges))
    return laws


def model(p: Values) -> Model:
    """The cell with its membranes and baths."""
    saturation = {"Na+": p.pump_sodium_half, "K+": p.pump_potassium_half}
    kcc = p.cotransport_conductance * R * p.temperature / FARADAY**2
    laws: list[Any] = [
        sf.Pump({"Na+": 3, "K+": -2}, p.pump_capacity, p.atp_energy, saturation, on="basolateral"),
        *([sf.Cotransport({"K+": 1, "Cl-": 1}, kcc, on="basolateral")] if kcc else []),
        sf.Electroneutrality(on="cell"),
        *_water(p, "basolateral", "basolateral"),
    ]
    links = {"basolateral": [("cell", "basolateral bath")]}
    volume = p.impermeant_amount / (0.4 * p.osmolarity)
    compartments = {
        "cell": volume,
        "basolateral bath": 1e-6 * volume,
    }  # held, and small so that it stores nothing to speak of
    boundaries: list[Any] = [sf.Hold("basolateral bath", {**_bath(p, "basolateral"), "phi": 0.0})]
    if p.preparation == "cell":
        laws += membrane(p, "cell", "basolateral")
    else:
        links |= {"apical": [("cell", "apical bath")], "paracellular": [("apical bath", "basolateral bath")]}
        compartments["apical bath"] = 1e-6 * volume
        laws += [*membrane(p, "apical", "apical"), *membrane(p, "basolateral", "basolateral")]
        laws += [*membrane(p, "paracellular", "paracellular"), *_water(p, "apical", "apical")]
        boundaries.append(sf.Hold("apical bath", _bath(p, "apical")))
        boundaries.append(sf.Float("apical bath") if p.circuit == "open" else sf.Hold("apical bath", {"phi": 0.0}))
    outside = sum(_bath(p, "basolateral").values())
    return sf.Model(
        sf.network(compartments, links, area=p.area),
        [
            *(sf.Ion(ion) for ion in IONS),
            sf.Species("X", charge=p.impermeant_charge, where="cell"),
            sf.Size("w", where="cell"),
            sf.Potential(),
        ],
        laws,
        boundaries,
        temperature=p.temperature,
        start={
            "Na+": 0.05 * outside,
            "K+": 0.5 * outside,
            "Cl-": 0.05 * outside,
            "X": 0.4 * p.osmolarity,
            "w": volume,
            "phi": -0.05,
        },
    )


def flux_of(solution: Solution, kinds: tuple[type, ...], ion: str, edges: str) -> float:
    """Flow of an ion out of the cell through the laws of these kinds on one membrane, mol/s."""
    k, total = solution.model.index(ion), 0.0
    for law, book, acting in zip(solution.model.laws, solution.books.laws, solution.model.acting, strict=True):
        if isinstance(law, kinds) and acting == edges:
            total += float(book.flux[0, k])
    return total


def stopped(p: Values, solution: Solution) -> sf.History:
    """From the steady state, with the pump stopped: its gradients run down and the cell swells."""
    still = model(Values({**p.items, "pump_capacity": 0.0}))
    return sf.evolve(still, until=max(p.times), start=solution, rtol=1e-7)


def answers(p: Values, solution: Solution) -> dict[str, Any]:
    """State of the cell, its fluxes and what they cost."""
    leaks = (sf.GoldmanChannel, sf.LinearChannel)
    pumped = flux_of(solution, (sf.Pump,), "Na+", "basolateral") / p.area
    membranes = ["basolateral"] if p.preparation == "cell" else ["apical", "basolateral"]
    leak = -sum(flux_of(solution, leaks, "Na+", one) for one in membranes) / p.area
    found: dict[str, Any] = dict(
        zip(
            ("sodium", "potassium", "chloride", "impermeant"),
            (float(solution[n][0]) for n in (*IONS, "X")),
            strict=True,
        )
    )
    voltage = float(solution["phi"][0])
    found |= {
        "volume": float(solution["w"][0]),
        "basolateral_voltage": voltage,
        "pump_rate": pumped / 3.0,
        "pump_flux": pumped,
        "leak_flux": leak,
        "atp_power": float(solution.entropy.supply),
        "entropy_production": float(solution.entropy.production),
    }
    if p.times:
        history = stopped(p, solution)
        for name, quantity in (("sodium", "Na+"), ("potassium", "K+"), ("chloride", "Cl-"), ("volume", "w")):
            found[f"{name}_at"] = history.values(quantity, p.times)[:, 0]
        found["voltage_at"] = history.values("phi", p.times)[:, 0]
    if p.preparation == "cell":
        return found | {"membrane_voltage": voltage}
    lumen = float(solution["phi"][2])
    through = {ion: float(solution.flow(ion, "apical bath")) / p.area for ion in IONS}
    return found | {
        "apical_voltage": voltage - lumen,
        "transepithelial_voltage": lumen,
        "apical_sodium_flux": -float(solution.along("Na+", "apical")[0]) / p.area,
        "transepithelial_sodium": through["Na+"],
        "transepithelial_potassium": through["K+"],
        "transepithelial_chloride": through["Cl-"],
        "short_circuit_current": float(solution.current("apical bath")) / p.area,
        "sodium_per_atp": 3.0 * through["Na+"] / pumped if pumped > 0 else float("inf"),
    }


def _compare(run: Callable[..., Result], cases: Any) -> list[Comparison]:
    found = []
    for given, expected in cases:
        a = run(**given).answers
        found.append(Comparison([a[name] for name in expected], list(expected.values()), 1e-9))
    return found


def _constant_pump(run: Callable[..., Result]) -> list[Comparison]:
    # Keener and Sneyd, ch. 2: with a constant pump and ohmic leaks exp(-V F / R T) solves a quadratic.
    p, g_na, g_k, z, osm, na, k, cl = 5.18e-8, 0.1, 3.0, -0.85, 296.5, 145.0, 3.0, 119.0
    thermal = R * 298.15 / FARADAY
    drained = na * np.exp(-3 * p * FARADAY / (g_na * thermal)) + k * np.exp(2 * p * FARADAY / (g_k * thermal))
    y = max(np.roots([drained * (1 - z), z * osm, -cl * (1 + z)]).real)
    a = run(**NEURON | {"membrane_capacitance": 1e-12}).answers
    measured = [a["membrane_voltage"], a["sodium"] + a["potassium"], a["chloride"]]
    return [Comparison(measured, [-thermal * np.log(y), drained * y, cl / y], 1e-10)]


def _pump_is_leak(run: Callable[..., Result]) -> list[Comparison]:
    found = []
    for given in ({}, {"preparation": "cell", "pump_capacity": 3e-7}, FROG):
        a = run(**given).answers
        found.append(Comparison(a["pump_flux"], a["leak_flux"], 1e-10))
    return found


def _work(run: Callable[..., Result]) -> list[Comparison]:
    found = []
    for given, energy, t in (({"preparation": "cell"}, 55e3 * 6e-10, 310.15), (FROG, 57e3 * 1e-10, 300.0)):
        a = run(**given).answers
        found.append(Comparison(a["entropy_production"], a["pump_rate"] * energy / t, 1e-10))
    return found


def _donnan(run: Callable[..., Result]) -> list[Comparison]:
    # Without a pump, and 10 mol/m^3 of neutral impermeant solute outside: 290 sinh u = 1.2 X, 290 cosh u + X = 300.
    u = 0.0
    for _ in range(60):
        x = 290.0 * np.sinh(u) / 1.2
        u -= (290.0 * np.cosh(u) + x - 300.0) / (290.0 * np.sinh(u) + 290.0 * np.cosh(u) / 1.2)
    result = run(preparation="cell", pump_capacity=0.0)
    expected = [145.0 * np.exp(-u), 290.0 * np.sinh(u) / 1.2, -u * R * 310.15 / FARADAY]
    a = result.answers
    return [
        Comparison([a["chloride"], a["impermeant"], a["membrane_voltage"]], expected, 1e-9),
        Comparison(float(result.solution.regime == "equilibrium"), 1.0, 0.0),
    ]


def _swelling(run: Callable[..., Result]) -> list[Comparison]:
    """The pump stopped: with 10 mol/m^3 of impermeant solute outside the cell swells to the state without a pump."""
    a = run(preparation="cell", times=(60.0, 1e3, 1e4, 2e7)).answers
    end = run(preparation="cell", pump_capacity=0.0).answers
    pairs = (("sodium", "sodium"), ("potassium", "potassium"), ("chloride", "chloride"), ("volume", "volume"))
    volumes = np.diff([a["volume"], *a["volume_at"]])
    return [
        *(Comparison(a[f"{name}_at"][-1], end[other], 1e-5) for name, other in pairs),
        Comparison(a["voltage_at"][-1], end["membrane_voltage"], 1e-5),
        Comparison(float(np.all(volumes > 0.0)), 1.0, 0.0),
    ]


def _no_steady_volume(run: Callable[..., Result]) -> list[Comparison]:
    try:
        run(preparation="cell", pump_capacity=0.0, osmolarity=290.0)
    except NotConverged:
        return [Comparison(1.0, 1.0, 0.0)]
    return [Comparison(0.0, 1.0, 0.0)]


CLAIMS = (
    Claim("two epithelia and a cell alone", "independent reference computation", lambda r: _compare(r, REFERENCE)),
    Claim("two neurons with charged membranes", "second reference computation", lambda r: _compare(r, NEURONS)),
    Claim("a constant pump's pump-leak steady state", "Keener and Sneyd; Mori 2012; closed form", _constant_pump),
    Claim("sodium pumped out equals sodium leaking in", "steady state", _pump_is_leak),
    Claim("between equal baths entropy is produced at ATP power / T", "second law", _work),
    Claim("a cell without pump swells to Donnan's equilibrium", "Donnan 1911, closed form", _donnan),
    Claim("the pump stopped, the cell swells to Donnan's equilibrium", "two routes: in time and steady", _swelling),
    Claim("without pump and impermeant solute outside there is no steady volume", "osmotic balance", _no_steady_volume),
)


def figure(result: Result) -> Figure:
    """What is inside and outside, and how sodium, voltage and volume answer to the pump's capacity."""
    p, a = result.parameters, result.answers
    fig = Figure(figsize=(10.0, 4.2), layout="constrained")
    left, right = fig.subplots(1, 2)
    at = np.arange(4)
    inside = [a[name] for name in ("sodium", "potassium", "chloride", "impermeant")]
    sides = ["basolateral"] if p.preparation == "cell" else ["apical", "basolateral"]
    left.bar(at, inside, 0.25, label="cell")
    for shift, side in enumerate(sides, 1):
        left.bar(at[:3] + 0.25 * shift, list(_bath(p, side).values()), 0.25, label=f"{side} bath")
    left.set_xticks(at + 0.2, ["Na$^+$", "K$^+$", "Cl$^-$", "X"])
    left.set_ylabel("concentration (mol/m$^3$)")
    left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=3, fontsize="small")
    capacities = max(p.pump_capacity, 1e-9) * np.geomspace(0.3, 10.0, 15)
    runs = [sf.steady(model(Values({**p.items, "pump_capacity": c})), throw=False) for c in capacities]
    good = [i for i, s in enumerate(runs) if s.outcome.name == "converged"]
    curves = {
        "Na$^+$ inside (mol/m$^3$)": ("Na+", 1.0),
        "voltage (mV)": ("phi", 1e3),
        "volume (% of the run's)": ("w", 0),
    }
    for name, (quantity, factor) in curves.items():
        scale = factor or 100.0 / a["volume"]
        right.plot(capacities[good], [scale * float(runs[i][quantity][0]) for i in good], label=name)
    right.axvline(p.pump_capacity, color="k", linewidth=0.8, linestyle=":")
    right.set_xscale("log")
    right.set_xlabel("pump capacity (mol m$^{-2}$ s$^{-1}$)")
    right.set_ylabel("Na$^+$ (mol/m$^3$), voltage (mV), volume (%)")
    right.xaxis.set_minor_formatter(NullFormatter())
    right.legend(loc="center right", fontsize="small")
    return fig


SYSTEM = System(
    name="epithelial_cell",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units={
        **dict.fromkeys(("sodium", "potassium", "chloride", "impermeant"), "mol/m^3"),
        "volume": "m^3",
        **dict.fromkeys(("membrane_voltage", "apical_voltage", "basolateral_voltage", "transepithelial_voltage"), "V"),
        **dict.fromkeys(("pump_rate", "pump_flux", "leak_flux", "apical_sodium_flux"), "mol/(m^2*s)"),
        **{f"transepithelial_{ion}": "mol/(m^2*s)" for ion in ("sodium", "potassium", "chloride")},
        "short_circuit_current": "A/m^2",
        "sodium_per_atp": "",
        **{f"{ion}_at": "mol/m^3" for ion in ("sodium", "potassium", "chloride")},
        "volume_at": "m^3",
        "voltage_at": "V",
        "atp_power": "W",
        "entropy_production": "W/K",
    },
    claims=CLAIMS,
    figure=figure,
)
