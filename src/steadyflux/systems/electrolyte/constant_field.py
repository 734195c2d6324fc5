"""Ions that cross a membrane in a constant electric field: fluxes, currents, reversal potential.

Seeds: A, B

A membrane of thickness L separates an inside (x = 0) from an outside (x = L). Each ion diffuses down its
concentration and drifts in the field E = V / L, where V is the potential inside minus outside. Goldman (1943) assumed
that the field is constant; Hodgkin and Katz (1949) made of it the equation by which physiologists read a resting
potential.

Equations

    J = -D (dc/dx - (z F E / R T) c),   dJ/dx = 0,   c(0) = inside, c(L) = outside
    J = P v (c_in e^v - c_out) / (e^v - 1),   v = z F V / R T,   P = D / L         (Goldman, Hodgkin and Katz)

Fluxes and currents count as positive from the inside to the outside. Concentrations are those just inside the
membrane, so that a permeability includes the partition. The current density is F sum z J. The reversal potential is
found by letting the potential inside float until no net current flows: with monovalent ions this is the Goldman
equation, with divalent ones there is no closed form.

What to look for

- The flux of a charged ion is not proportional to the concentration difference: outward current is easier than inward
  current when the ion is concentrated inside (rectification).
- Drift and diffusion at the mid-plane are often both much larger than the net flux (`drift_share`, `diffusion_share`,
  both in mol/m^2/s; their sum is the flux).
- The two one-way fluxes, as tracers would measure them, have the ratio (c_in / c_out) e^v of Ussing (1949), whatever
  the membrane is made of.
- `dissipation` is the free energy lost, sum of J times the drop of the electrochemical potential. It is infinite
  where an ion is altogether absent on one side.

Limits

The field is given, not computed: the membrane holds too few charges to bend it. The system `nanochannel` computes the
field. `reversal_potential` and `reversal_conductance` are left out where no potential stops the current (no charged
ion, or ions that can only leave).

Sources: D. E. Goldman, J. Gen. Physiol. 27 (1943) 37; A. L. Hodgkin and B. Katz, J. Physiol. 108 (1949) 37; H. H.
Ussing, Acta Physiol. Scand. 19 (1949) 43; D. L. Scharfetter and H. K. Gummel, IEEE Trans. Electron Devices 16 (1969)
64 (the edge flux, exact here on any mesh).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.ground.constants import FARADAY, R
from steadyflux.ground.errors import InputError
from steadyflux.systems.electrolyte._ions import check_positive, ion_names
from steadyflux.systems.system import Claim, Comparison, Numbers, Parameter, Result, System, Table, Values

FRACTIONS = np.linspace(0.0, 1.0, 11)

IONS = Table(
    "ions",
    (
        {"name": "K+", "charge": 1, "permeability": 1e-8, "inside": 400.0, "outside": 20.0},
        {"name": "Na+", "charge": 1, "permeability": 4e-10, "inside": 50.0, "outside": 440.0},
        {"name": "Cl-", "charge": -1, "permeability": 4.5e-9, "inside": 40.0, "outside": 560.0},
    ),
    {
        "charge": ("", ...),
        "permeability": ("m/s", None),
        "inside": ("mol/m^3", ...),
        "outside": ("mol/m^3", ...),
        "diffusivity": ("m^2/s", None),
        "name": ("text", ""),
    },
    "squid giant axon at rest, P_K : P_Na : P_Cl = 1 : 0.04 : 0.45 (Hodgkin and Katz 1949); P_K typical",
)

PARAMETERS = (
    IONS,
    Parameter("thickness", 8e-9, "m", "lipid bilayer with its proteins, typical", 1e-12, 1.0),
    Parameter("voltage", -0.06, "V", "inside minus outside; resting squid axon (Hodgkin and Katz 1949)", -100.0, 100.0),
    Numbers("field", (), "V/m", "none: the voltage over the thickness; a number given here replaces the voltage"),
    Parameter(
        "temperature",
        279.45,
        "K",
        "6.3 C, as in the squid axon's voltage clamps (Hodgkin and Huxley 1952)",
        1.0,
        5000.0,
    ),
    Parameter("cells", 41, "", "enough to draw the profile; the fluxes are exact on any mesh", 2, 100_000, whole=True),
)


def voltage_of(p: Values) -> float:
    """Potential inside minus outside, V: the one given, or field times thickness."""
    if len(p.field) > 1:
        raise InputError(f"field is one number, not {len(p.field)}.")
    return p.field[0] * p.thickness if p.field else p.voltage


def diffusivities(p: Values) -> list[float]:
    """Diffusivity of each ion in the membrane, m^2/s; a permeability P stands for D = P times thickness."""
    found = []
    for name, ion in zip(ion_names(p.ions), p.ions, strict=True):
        given = [key for key in ("permeability", "diffusivity") if ion[key] is not None]
        if len(given) != 1:
            raise InputError(f"{name} needs either a permeability or a diffusivity, and not both.")
        found.append(ion["diffusivity"] if given[0] == "diffusivity" else ion["permeability"] * p.thickness)
        if not found[-1] > 0:
            raise InputError(f"The {given[0]} of {name} must be positive; leave out an ion that cannot cross.")
    check_positive(p.ions, "inside", "outside")
    return found


def membrane(p: Values, potential: float | None, sides: Sequence[str] = ("inside", "outside")) -> sf.Model:
    """The membrane with the inside held at ``potential`` (floating where None); a side not named is empty of ions."""
    names = ion_names(p.ions)
    ions = [sf.Ion(name, D, charge=ion["charge"]) for name, ion, D in zip(names, p.ions, diffusivities(p), strict=True)]
    left, right = (
        {n: ion[side] if side in sides else 0.0 for n, ion in zip(names, p.ions, strict=True)}
        for side in ("inside", "outside")
    )
    inside = (
        [sf.Hold("left", left), sf.Float("left")]
        if potential is None
        else [sf.Hold("left", {**left, "phi": potential})]
    )
    return sf.Model(
        space=sf.interval(p.thickness, p.cells),
        quantities=[*ions, sf.Potential()],
        laws=[sf.NernstPlanck(), sf.ConstantField()],
        boundaries=[*inside, sf.Hold("right", {**right, "phi": 0.0})],
        temperature=p.temperature,
    )


def model(p: Values) -> sf.Model:
    """The membrane at the voltage asked for."""
    return membrane(p, voltage_of(p))


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """Fluxes, currents, reversal potential, profiles and the free energy lost."""
    names, V = ion_names(p.ions), voltage_of(p)
    charge = np.array([ion["charge"] for ion in p.ions], dtype=float)
    flux = np.array([float(solution.flow(n, "left")) for n in names])
    profile = [np.asarray(solution.interpolate(n, FRACTIONS * p.thickness)) for n in names]
    middle = np.array([c[len(FRACTIONS) // 2] for c in profile])
    drift = np.array(diffusivities(p)) * charge * FARADAY / (R * p.temperature) * middle * V / p.thickness
    out = sf.steady(membrane(p, V, ["inside"]))
    into = sf.steady(membrane(p, V, ["outside"]))
    found = {
        "flux": flux.tolist(),
        "current": FARADAY * float(charge @ flux),
        "ion_currents": (FARADAY * charge * flux).tolist(),
        "profile": [c.tolist() for c in profile],
        "drift_share": drift.tolist(),
        "diffusion_share": (flux - drift).tolist(),
        "one_way_out": [float(out.flow(n, "left")) for n in names],
        "one_way_in": [float(into.flow(n, "right")) for n in names],
    }
    if all(ion["inside"] > 0 and ion["outside"] > 0 for ion in p.ions):  # else it has no bound
        found["dissipation"] = p.temperature * solution.entropy.production
    return found | reversal(p, charge)


def reversal(p: Values, charge: np.ndarray) -> dict[str, float]:
    """Where no net current flows and the slope conductance there; empty where no potential can stop the current."""
    # A potential that stops the current exists when charge can be carried both ways.
    out = any((z > 0 and i["inside"] > 0) or (z < 0 and i["outside"] > 0) for z, i in zip(charge, p.ions, strict=True))
    into = any((z > 0 and i["outside"] > 0) or (z < 0 and i["inside"] > 0) for z, i in zip(charge, p.ions, strict=True))
    if not (out and into):
        return {}
    at = float(sf.steady(membrane(p, None))["phi at left"])
    # Central difference of fourth order; the step is small against R T / z F, so its error is below 1e-9.
    step = 4e-3 * R * p.temperature / (FARADAY * np.max(np.abs(charge)))
    current = [float(sf.steady(membrane(p, at + k * step)).current("left")) for k in (-2, -1, 1, 2)]
    slope = (8.0 * (current[2] - current[1]) - (current[3] - current[0])) / (12.0 * step)
    return {"reversal_potential": at, "reversal_conductance": slope}


UNITS = {
    "flux": "mol/(m^2*s)",
    "current": "A/m^2",
    "ion_currents": "A/m^2",
    "reversal_potential": "V",
    "reversal_conductance": "S/m^2",
    "profile": "mol/m^3",
    "drift_share": "mol/(m^2*s)",
    "diffusion_share": "mol/(m^2*s)",
    "dissipation": "W/m^2",
    "one_way_out": "mol/(m^2*s)",
    "one_way_in": "mol/(m^2*s)",
}

Run = Callable[..., Result]


def goldman_flux(P: float, z: float, inside: float, outside: float, V: float, T: float) -> float:
    """Goldman's flux, mol/m^2/s, inside to outside (Hodgkin and Katz 1949)."""
    v = z * FARADAY * V / (R * T)
    if v == 0.0:
        return P * (inside - outside)
    if v < 0.0:
        return P * v * (inside * math.exp(v) - outside) / math.expm1(v)
    return P * v * (inside - outside * math.exp(-v)) / -math.expm1(-v)


def _ions(*rows: Sequence[float]) -> list[Mapping[str, float]]:
    """Records of (charge, permeability, inside, outside)."""
    return [dict(zip(("charge", "permeability", "inside", "outside"), row, strict=True)) for row in rows]


# A mixture with divalent, trivalent and neutral members, away from every round number.
MIXED = (
    (1, 2.3e-8, 141.0, 4.7),
    (2, 3.1e-9, 1.3e-4, 1.9),
    (-1, 7.7e-9, 9.2, 113.0),
    (-3, 4e-10, 0.8, 0.05),
    (0, 6e-8, 5.5, 3.1),
)
AXON = ((1, 1.0, 400.0, 20.0), (1, 0.04, 50.0, 440.0), (-1, 0.45, 40.0, 560.0))
CALCIUM = ((1, 1.0, 140.0, 5.0), (1, 0.05, 12.0, 145.0), (-1, 0.1, 10.0, 110.0), (2, 0.5, 1e-4, 1.8))


def _fluxes_of_goldman(run: Run) -> list[Comparison]:
    found = []
    for cells, V in ((2, -0.083), (3, 0.41), (3, 1.7e-4)):
        result = run(ions=_ions(*MIXED), voltage=V, temperature=303.7, thickness=5.3e-9, cells=cells)
        expected = [goldman_flux(P, z, a, b, V, 303.7) for z, P, a, b in MIXED]
        found.append(Comparison(result.answers["flux"], expected, 1e-10))
    return found


def _goldman_voltage(run: Run) -> list[Comparison]:
    cations, anions = AXON[:2], AXON[2:]
    outer = sum(P * b for _, P, _, b in cations) + sum(P * a for _, P, a, _ in anions)
    inner = sum(P * a for _, P, a, _ in cations) + sum(P * b for _, P, _, b in anions)
    expected = R * 279.45 / FARADAY * math.log(outer / inner)
    found = [run(ions=_ions(*AXON), cells=n).answers["reversal_potential"] for n in (2, 41)]
    return [Comparison(value, expected, 1e-10) for value in found]


def _ussing(run: Run) -> Comparison:
    V, T = 0.047, 288.6
    result = run(ions=_ions(*MIXED), voltage=V, temperature=T, cells=3)
    ratio = np.array(result.answers["one_way_out"]) / np.array(result.answers["one_way_in"])
    return Comparison(ratio, [a / b * math.exp(z * FARADAY * V / (R * T)) for z, _, a, b in MIXED], 1e-10)


def _ohmic(run: Run) -> Comparison:
    # Equal concentrations: Ohm's law at any voltage, G = z^2 F^2 P c / R T.
    a = run(ions=_ions((1, 4e-9, 33.0, 33.0)), voltage=0.37, temperature=291.0).answers
    return Comparison(a["current"], FARADAY**2 * 4e-9 * 33.0 / (R * 291.0) * 0.37, 1e-10)


def _lost(run: Run) -> Comparison:
    V, T = -0.021, 296.0
    a = run(ions=_ions(*MIXED), voltage=V, temperature=T, cells=3).answers
    drops = [R * T * math.log(i / o) + z * FARADAY * V for z, _, i, o in MIXED]
    return Comparison(
        a["dissipation"],
        sum(goldman_flux(P, z, i, o, V, T) * drop for (z, P, i, o), drop in zip(MIXED, drops, strict=True)),
        1e-10,
    )


def _reference_axon(run: Run) -> list[Comparison]:
    a = run(ions=_ions(*AXON), voltage=-0.06, temperature=279.45, thickness=8e-9).answers
    one = [{"charge": 1, "diffusivity": 1.33e-9, "inside": 400.0, "outside": 20.0}]
    b = run(ions=one, field=-7.5e6, temperature=279.45, thickness=8e-9).answers
    return [
        Comparison(a["ion_currents"], [3436545.3030970544, -4569511.296272695, 749700.8139193626], 1e-10),
        Comparison(a["current"], -383265.1792562781, 1e-9),
        Comparison(a["reversal_potential"], -0.05935817813015443, 1e-10),
        Comparison(a["reversal_conductance"], 600134796.1511321, 1e-8),
        Comparison(b["flux"], [5.921373166956819], 1e-10),
        Comparison(b["drift_share"], [-43.453578773100936], 1e-10),
        Comparison(b["diffusion_share"], [49.374951940057755], 1e-10),
        Comparison(b["profile"][0][5], 104.90342038941989, 1e-10),
        Comparison(b["dissipation"], 6936.260088168622, 1e-10),
    ]


def _reference_calcium(run: Run) -> list[Comparison]:
    a = run(ions=_ions(*CALCIUM), voltage=-0.045, temperature=310.15, thickness=8e-9).answers
    one = [{"charge": 2, "diffusivity": 7.9e-10, "inside": 1.5, "outside": 1e-4}]
    b = run(ions=one, field=1.25e7, temperature=310.15, thickness=8e-9).answers
    currents = [4188569.842159107, -1424125.5946876195, 207978.88088779218, -605715.6282659279]
    return [
        Comparison(a["ion_currents"], currents, 1e-10),
        Comparison(a["current"], 2366707.500093351, 1e-10),
        Comparison(a["reversal_potential"], -0.059282003874655986, 1e-10),
        Comparison(a["reversal_conductance"], 151089214.19862318, 1e-8),
        Comparison(b["flux"], [1.1090675959416862], 1e-10),
        Comparison(b["profile"][0][5], 1.4652516688965058, 1e-10),
        Comparison(b["drift_share"], [1.0827661002764302], 1e-10),
        Comparison(b["diffusion_share"], [0.02630149566525608], 1e-8),
        Comparison(b["dissipation"], 48902.82517871102, 1e-10),
    ]


CLAIMS = (
    Claim("Goldman's flux on meshes of two and three cells", "Goldman 1943; Hodgkin and Katz 1949", _fluxes_of_goldman),
    Claim("Goldman's voltage on meshes of 2 and 41 cells", "Hodgkin and Katz 1949", _goldman_voltage),
    Claim("one-way fluxes in Ussing's ratio", "Ussing 1949", _ussing),
    Claim("Ohm's law between equal concentrations", "closed form, limit of Goldman's flux", _ohmic),
    Claim("free energy lost is flux times drop of the electrochemical potential", "closed form", _lost),
    Claim("squid axon at rest", "independent reference computation", _reference_axon),
    Claim("cell with calcium permeability", "independent reference computation", _reference_calcium),
)


def figure(result: Result) -> Figure:
    """Concentration profiles, and the current of each ion against the voltage with the reversal potential."""
    p = result.parameters
    drawing = Figure(figsize=(9.0, 3.8), layout="constrained")
    left, right = drawing.subplots(1, 2)
    names = ion_names(p.ions)
    x = np.asarray(result.solution.position()) * 1e9
    for name in names:
        left.plot(x, np.asarray(result.solution[name]), label=name)
    left.set(
        xlabel="position from the inside / nm", ylabel="concentration / (mol/m$^3$)", title="Profiles", ylim=(0, None)
    )
    left.legend()
    reach = 1.6 * max(0.05, abs(voltage_of(p)), abs(result.answers.get("reversal_potential", 0.0)))
    volts = np.linspace(-reach, reach, 25)
    solved = [sf.steady(membrane(p, float(V))) for V in volts]
    for name, ion in zip(names, p.ions, strict=True):
        right.plot(1e3 * volts, [FARADAY * ion["charge"] * float(s.flow(name, "left")) for s in solved], label=name)
    right.plot(1e3 * volts, [float(s.current("left")) for s in solved], "k", label="sum")
    right.axhline(0.0, color="grey", lw=0.6)
    if "reversal_potential" in result.answers:
        at = 1e3 * result.answers["reversal_potential"]
        right.axvline(at, color="k", ls=":", label=f"reversal {at:.2f} mV")
    right.set(xlabel="voltage inside minus outside / mV", ylabel="outward current / (A/m$^2$)", title="Currents")
    right.legend()
    return drawing


SYSTEM = System(
    name="constant_field",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
)
