"""A charged nanochannel between two baths: Poisson-Nernst-Planck in full.

Seeds: B

A channel (0 < x < L) whose walls carry charge joins two baths through layers of still solution of thickness
`bath_length`. Beyond those the concentrations and the potential are given: the voltage is that of the left bath, the
right bath is earthed. The field is not assumed but follows from the charges. The mode `mean` spreads the wall's charge
over the cross-section as a fixed charge X(x); the mode `axisymmetric` resolves the cross-section and puts the same
charge on the wall, sigma(x) = F X(x) radius / 2 (`surface_charge`, where given, sets both).

Equations

    div(-eps grad phi) = F (sum z_i c_i + X),   X(x) = fixed_charge [tanh(x / w) - tanh((x - L) / w)] / 2
    J_i = -D_i (grad c_i + c_i grad [z_i F phi / R T + ln gamma_i]),   div J_i = 0
    axisymmetric: no X inside, eps dphi/dr = sigma at r = radius, through which no ion passes
    ln gamma = -ln(1 - N_A a^3 sum c) for ions of diameter a (Bikerman 1942); zero diameter: ideal solution

Fluxes and currents count as positive from left to right. `selectivity` is (|I+| - |I-|) / (|I+| + |I-|), with the
currents that cations and anions carry: 1 for a channel that passes cations alone. `rectification` is |I(V) / I(-V)|
at the voltage given. `conductance` is the slope dI/dV there.

What to look for

- Ions of the sign of X are driven out, the others drawn in, and at either end the potential jumps by about Donnan's
  (R T / F) asinh(X / 2 c) over a few Debye lengths.
- For a Debye length far above the channel the field becomes constant (Goldman, the system `constant_field`), far
  below it every slice is neutral (Teorell, Meyer and Sievers).
- Unlike baths rectify: the channel fills with salt for one sign of the voltage and is emptied for the other.
- In a bore wider than the Debye length the counter-ions gather at the wall: it conducts better along its wall and
  selects less than its mean charge says.
- The entropy produced is sum of J times drop of the electrochemical potential over T, though most of the drop of each
  single term stands across the double layers, where the two terms cancel.

Limits

In the mode `mean` quantities are means over the cross-section, good for a bore narrower than the Debye length; in the
mode `axisymmetric` middle_concentrations and profiles are such means, too, and the still solution before each mouth is
a column as wide as the bore. Flow of the water (electroosmosis) is left out. The mesh is graded towards both ends of
the channel; with default `cells` the mean answers are good to about 1e-6 (1e-4 at two volts or in molar solutions), and
a quarter of the error remains with twice the cells; with `axial_cells` and `radial_cells` currents are good to about
1e-4, the potential at the wall to 5e-3; channels of many hundred Debye lengths at volts need more.

Sources: W. Nernst (1889), M. Planck (1890); T. Teorell, Proc. Soc. Exp. Biol. Med. 33 (1935) 282; K. H. Meyer and
J.-F. Sievers, Helv. Chim. Acta 19 (1936) 649; J. J. Bikerman, Phil. Mag. 33 (1942) 384; F. G. Donnan, Z. Elektrochem.
17 (1911) 572; C. L. Rice and R. Whitehead, J. Phys. Chem. 69 (1965) 4017 (charged capillary).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.special import iv

import steadyflux as sf
from steadyflux.ground.constants import EPSILON_0, FARADAY, N_A, R
from steadyflux.ground.errors import InputError
from steadyflux.systems.electrolyte import _bore
from steadyflux.systems.electrolyte._bore import LEFT, RIGHT, debye_length, fixed_charge, stretch
from steadyflux.systems.electrolyte._ions import BATH_COLUMNS, check_positive, ion_names
from steadyflux.systems.system import Choice, Claim, Comparison, Parameter, Result, System, Table, Values

IONS = Table(
    "ions",
    (
        {"name": "K+", "charge": 1, "diffusivity": 1.96e-9, "left": 10.0, "right": 100.0},
        {"name": "Cl-", "charge": -1, "diffusivity": 2.03e-9, "left": 10.0, "right": 100.0},
    ),
    BATH_COLUMNS,
    "KCl; limiting diffusivities in water at 25 C, typical",
)

PARAMETERS = (
    Choice("mode", "mean", ("mean", "axisymmetric"), "mean over the cross-section, or resolved"),
    IONS,
    Parameter("fixed_charge", -50.0, "mol/m^3", "silica-like wall in a bore of some 10 nm, typical", -1e4, 1e4),
    Parameter(
        "surface_charge",
        None,
        "C/m^2",
        "of the wall; left out: fixed_charge brought to the wall",
        -_bore.MOST,
        _bore.MOST,
    ),
    Parameter("length", 6e-8, "m", "typical nanopore", 1e-9, 1e-3),
    Parameter("bath_length", 4e-8, "m", "a few Debye lengths", 1e-9, 1e-3),
    Parameter("edge_width", 3e-9, "m", "the charge fades over a few molecules at the mouths, typical", 1e-10, 1e-4),
    Parameter("radius", 5e-9, "m", "typical", 1e-10, 1e-3),
    Parameter("voltage", 0.05, "V", "left bath against right bath, typical", -5.0, 5.0),
    Parameter("permittivity", 78.5, "", "relative, water at 25 C", 1e-6, 1e6),
    Parameter("ion_diameter", 0.0, "m", "0: ideal solution; hydrated ions about 0.7 nm", 0.0, 2e-9),
    Parameter("temperature", 298.15, "K", "25 C", 50.0, 2000.0),
    Parameter("cells", 4001, "", "discretisation error about 1e-6", 9, 100_000, whole=True),
    Parameter("axial_cells", 201, "", "along, in the mode axisymmetric", 9, 2000, whole=True),
    Parameter("radial_cells", 33, "", "from axis to wall, in the mode axisymmetric", 4, 400, whole=True),
)


def mesh(p: Values) -> np.ndarray:
    """Nodes in four stretches (bath, two half channels, bath), fine where the channel's charge begins and ends.

    Half of the nodes of a stretch stand at equal distances, half at the distances d = s sinh(k t) from the mouth, where
    s is the smaller of Debye length and edge width: the double layers and the smooth profiles are resolved alike.
    """
    count = p.cells if p.mode == "mean" else p.axial_cells
    scale = min(debye_length(p, abs(fixed_charge(p))), p.edge_width)
    steps = [(count - 1 + extra) // 4 for extra in range(4)]
    a, b = stretch(p.bath_length, steps[0], scale), stretch(0.5 * p.length, steps[1], scale)
    c, d = stretch(0.5 * p.length, steps[2], scale), stretch(p.bath_length, steps[3], scale)
    return np.concatenate([-a[::-1], b[1:], (p.length - c[::-1])[1:], p.length + d[1:]])


def channel(p: Values, voltage: float | None) -> sf.Model:
    """The channel at a voltage; without one the left bath floats to where no current flows."""
    names = ion_names(p.ions)
    check_positive(p.ions, "diffusivity", LEFT, RIGHT)
    if not any(ion["charge"] for ion in p.ions):
        raise InputError("None of the ions carries a charge; give at least one a charge number.")

    def fixed(x: Any) -> Any:
        return 0.5 * fixed_charge(p) * (np.tanh(x / p.edge_width) - np.tanh((x - p.length) / p.edge_width))

    left, right = ({n: ion[side] for n, ion in zip(names, p.ions, strict=True)} for side in (LEFT, RIGHT))
    near = [sf.Hold(LEFT, left), sf.Float(LEFT)] if voltage is None else [sf.Hold(LEFT, {**left, "phi": voltage})]
    conditions = [*near, sf.Hold(RIGHT, {**right, "phi": 0.0})]
    poisson, given = sf.Poisson(p.permittivity, "X"), {"X": fixed}
    if p.mode == "mean":
        space = sf.interval(nodes=mesh(p), area=math.pi * p.radius**2)
    else:
        space = _bore.space(p, mesh(p))
        conditions.append(_bore.charged_wall(p, space, fixed))
        poisson, given = sf.Poisson(p.permittivity), {}
    return sf.Model(
        space=space,
        quantities=[
            *(sf.Ion(n, i["diffusivity"], charge=i["charge"]) for n, i in zip(names, p.ions, strict=True)),
            sf.Potential(),
        ],
        laws=[sf.NernstPlanck(), poisson],
        boundaries=conditions,
        phase=sf.FiniteSize(p.ion_diameter) if p.ion_diameter > 0 else None,
        temperature=p.temperature,
        given=given,
    )


def model(p: Values) -> sf.Model:
    """The channel at the voltage asked for."""
    return channel(p, p.voltage)


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """Fluxes, current, slope, selectivity, rectification, zero-current potential, profiles, entropy produced."""
    names, area = ion_names(p.ions), math.pi * p.radius**2
    charge = np.array([ion["charge"] for ion in p.ions], dtype=float)
    flux = np.array([float(solution.flow(n, LEFT)) for n in names]) / area
    parts = FARADAY * charge * flux
    cations, anions = abs(float(parts[charge > 0].sum())), abs(float(parts[charge < 0].sum()))
    step = 0.02 * R * p.temperature / (FARADAY * float(np.max(np.abs(charge))))
    # Two points nearer by serve where four are dear: the slope is then good to some 1e-6 instead of 1e-8.
    step, around = (step, (-2, -1, 1, 2)) if p.mode == "mean" else (0.2 * step, (-1, 1))
    curve = {k: float(sf.steady(channel(p, p.voltage + k * step), solution).current(LEFT)) for k in around}
    slope = (curve[1] - curve[-1]) / (2.0 * step)
    if p.mode == "mean":
        slope += (slope - (curve[2] - curve[-2]) / (4.0 * step)) / 3.0
    reversed_ = float(sf.steady(channel(p, -p.voltage), solution).current(LEFT))
    current = float(solution.current(LEFT))
    x, mean = _bore.means(p, solution)
    phi = mean["phi"]
    middle = int(np.argmin(np.abs(x - 0.5 * p.length)))
    around = slice(middle - 1, middle + 2)
    places = np.linspace(-p.bath_length, p.length + p.bath_length, 41)
    found: dict[str, Any] = {
        "fluxes": flux.tolist(),
        "current": current,
        "current_density": current / area,
        "conductance": slope,
        "potential_profile": np.interp(places, x, phi).tolist(),
        "profile_positions": places.tolist(),
        "middle_concentrations": [float(mean[n][middle]) for n in names],
        "middle_potential": float(phi[middle]),
        "middle_field": float(-np.gradient(phi[around], x[around])[1]),
        "debye_length": debye_length(p),
        "wall_charge": 0.5 * FARADAY * p.radius * fixed_charge(p),
    }
    if all(ion[LEFT] > 0 and ion[RIGHT] > 0 for ion in p.ions):  # else the free energy lost has no bound
        found["entropy_production"] = solution.entropy.production
        found["dissipation"] = solution.entropy.production * p.temperature / area
    if p.mode == "axisymmetric":
        found["axis_potential"], found["wall_potential"] = _bore.across(solution, "phi", 0.5 * p.length)[1][[0, -1]]
    if cations + anions > 0:
        found["selectivity"] = (cations - anions) / (cations + anions)
    found["rectification"] = 1.0 if p.voltage == 0 else abs(current / reversed_) if reversed_ else float("inf")
    return found | at_zero_current(p)


def at_zero_current(p: Values) -> dict[str, Any]:
    """The potential of the left bath where no current flows, and the fluxes there."""
    names, area = ion_names(p.ions), math.pi * p.radius**2
    solution = sf.steady(channel(p, None))
    return {
        "zero_current_potential": float(solution["phi at left"]),
        "zero_current_fluxes": [float(solution.flow(n, LEFT)) / area for n in names],
    }


UNITS = {
    "fluxes": "mol/(m^2*s)",
    "current": "A",
    "current_density": "A/m^2",
    "conductance": "S",
    "selectivity": "",
    "rectification": "",
    "potential_profile": "V",
    "profile_positions": "m",
    "middle_concentrations": "mol/m^3",
    "middle_potential": "V",
    "middle_field": "V/m",
    "debye_length": "m",
    "wall_charge": "C/m^2",
    "axis_potential": "V",
    "wall_potential": "V",
    "zero_current_potential": "V",
    "zero_current_fluxes": "mol/(m^2*s)",
    "entropy_production": "W/K",
    "dissipation": "W/m^2",
}

Run = Callable[..., Result]


def _kcl(left: float, right: float) -> list[dict[str, Any]]:
    """Potassium chloride at two concentrations."""
    return [{**ion, LEFT: left, RIGHT: right} for ion in IONS.default]


KCL = {
    "ions": _kcl(10.0, 100.0), "fixed_charge": -50.0, "length": 6e-8, "bath_length": 4e-8, "edge_width": 3e-9,
    "voltage": 0.05, "permittivity": 78.5, "temperature": 298.15,
}  # fmt: skip
MIXTURE = {
    "ions": [
        {"charge": 2, "diffusivity": 7.9e-10, "left": 1.0, "right": 5.0},
        {"charge": 1, "diffusivity": 1.33e-9, "left": 20.0, "right": 5.0},
        {"charge": -1, "diffusivity": 2.03e-9, "left": 22.0, "right": 15.0},
    ],
    "fixed_charge": -10.0, "length": 4e-8, "bath_length": 4e-8, "edge_width": 5e-9,
    "voltage": -0.08, "permittivity": 78.5, "temperature": 298.15,
}  # fmt: skip
KCL_CURRENT = 167115.86208313805  # A/m^2, collocation on 1e-8, independent reference computation


def _reference(run: Run) -> list[Comparison]:
    a = run(**KCL).answers
    coarse = run(**KCL, cells=2001).answers
    limit = a["current_density"] + (a["current_density"] - coarse["current_density"]) / 3.0
    return [
        Comparison(a["fluxes"], [-0.21258812582128087, -1.944621984289643], 1e-6),
        Comparison(a["current_density"], KCL_CURRENT, 1e-6),
        Comparison(limit, KCL_CURRENT, 2e-8),
        Comparison(a["middle_concentrations"], [87.16879808271314, 37.18314291957428], 1e-6),
        Comparison(a["middle_potential"], 0.0014157979147029676, 1e-5),
        Comparison(a["middle_field"], 175587.81923826426, 1e-4),
        Comparison(a["zero_current_potential"], 0.008014814730509443, 1e-6),
        Comparison(a["zero_current_fluxes"], [-1.2322326027001465, -1.2322326027001465], 1e-6),
        Comparison(a["dissipation"], 20669.168911635188, 1e-6),
    ]


def _reference_mixture(run: Run) -> list[Comparison]:
    a = run(**MIXTURE).answers
    return [
        Comparison(a["fluxes"], [-0.2489454026140592, -0.17117746483240326, 1.050256604563804], 1e-6),
        Comparison(a["current_density"], -165889.63155599643, 1e-6),
        Comparison(a["middle_concentrations"], [7.8774676113622935, 10.758752078916466, 16.55213693806445], 1e-6),
        Comparison(a["middle_potential"], -0.04918284559892244, 1e-6),
        Comparison(a["middle_field"], -557944.3399852987, 1e-5),
        Comparison(a["zero_current_potential"], -0.0004208909931919332, 1e-6),
        Comparison(a["zero_current_fluxes"], [-0.03077943902580164, 0.1758260634023567, 0.11426718535075342], 1e-6),
        Comparison(a["dissipation"], 14673.268514506955, 1e-6),
    ]


def _donnan(run: Run) -> list[Comparison]:
    a = run(ions=_kcl(7.3, 7.3), voltage=0.0, fixed_charge=-61.0, length=2e-7, temperature=305.0).answers
    y = math.asinh(-61.0 / 14.6)
    return [
        Comparison(a["middle_potential"], R * 305.0 / FARADAY * y, 1e-7),
        Comparison(a["middle_concentrations"], [7.3 * math.exp(-y), 7.3 * math.exp(y)], 1e-7),
        Comparison(a["current_density"], 0.0, 0.0, 1e-9 * KCL_CURRENT),
    ]


def _steric_donnan(run: Run) -> list[Comparison]:
    # Bikerman: c = c0 e^(-z y) / (1 + fill (cosh y - 1)) with fill = 2 N_A a^3 c0; y from neutrality, by bisection.
    c0, X, size = 300.0, -1900.0, 7e-10
    fill = 2.0 * N_A * size**3 * c0

    def excess(y: float) -> float:
        return 2.0 * c0 * math.sinh(y) / (1.0 + fill * (math.cosh(y) - 1.0)) - X

    low, high = -12.0, 0.0
    for _ in range(100):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if excess(middle) < 0 else (low, middle)
    a = run(ions=_kcl(c0, c0), voltage=0.0, fixed_charge=X, length=5e-8, ion_diameter=size).answers
    return [Comparison(a["middle_potential"], R * 298.15 / FARADAY * low, 1e-6)]


def _debye(run: Run) -> Comparison:
    # So weak a charge that the potential obeys phi'' = phi / lambda^2: sinh of the distance from the outer end.
    result = run(ions=_kcl(3.1, 3.1), voltage=0.0, fixed_charge=1e-5, edge_width=1e-9, bath_length=6e-8)
    x, phi = np.asarray(result.solution.position()), np.asarray(result.solution["phi"])
    one, two = np.searchsorted(x, [-4e-8, -1.5e-8])
    length = math.sqrt(EPSILON_0 * 78.5 * R * 298.15 / (2.0 * FARADAY**2 * 3.1))
    expected = math.sinh((x[two] + 6e-8) / length) / math.sinh((x[one] + 6e-8) / length)
    return Comparison(phi[two] / phi[one], expected, 1e-4)


def _constant_field(run: Run) -> Comparison:
    # Debye length a thousand times the whole way: Goldman's flux.
    given = {"permittivity": 1e6, "fixed_charge": 0.0, "length": 1e-8, "bath_length": 5e-9, "voltage": 0.07}
    a = run(ions=_kcl(1e-3, 4e-3), **given).answers
    v = FARADAY * 0.07 / (R * 298.15)
    expected = [
        D / 2e-8 * z * v * (1e-3 * math.exp(z * v) - 4e-3) / math.expm1(z * v) for z, D in ((1, 1.96e-9), (-1, 2.03e-9))
    ]
    return Comparison(a["fluxes"], expected, 1e-6)


def _thin_layers(run: Run) -> Comparison:
    # Neutral membrane, long against baths and double layers: Donnan steps and diffusion potential add up.
    X, left, right = -80.0, 20.0, 150.0
    given = {"fixed_charge": X, "length": 1e-4, "bath_length": 1e-8, "edge_width": 1e-9, "voltage": 0.0}
    a = run(ions=_kcl(left, right), **given).answers
    U = (1.96e-9 - 2.03e-9) / (1.96e-9 + 2.03e-9)
    one, two = (math.sqrt(4.0 * c * c + X * X) for c in (left, right))
    steps = math.log(right / left * (one - X) / (two - X))
    across = U * math.log((two - U * X) / (one - U * X))
    return Comparison(a["zero_current_potential"], R * 298.15 / FARADAY * (steps + across), 1e-3)


def _entropy(run: Run) -> Comparison:
    a = run(**KCL).answers
    drops = [R * 298.15 * math.log(10.0 / 100.0) + z * FARADAY * 0.05 for z in (1, -1)]
    return Comparison(a["dissipation"], sum(J * d for J, d in zip(a["fluxes"], drops, strict=True)), 1e-9)


def _order(run: Run) -> Comparison:
    off = [run(**KCL, cells=cells).answers["current_density"] - KCL_CURRENT for cells in (1001, 2001)]
    return Comparison(math.log2(off[0] / off[1]), 2.0, 0.02)


COARSE = {"mode": "axisymmetric", "axial_cells": 101, "radial_cells": 17}


def _narrow(run: Run) -> list[Comparison]:
    """Against the mode of means on the same nodes: what differs goes as (radius / Debye length)^2."""
    resolved, mean = run(**KCL, **COARSE, radius=1e-10).answers, run(**KCL, cells=101, radius=1e-10).answers
    return [
        Comparison(resolved["fluxes"], mean["fluxes"], 1e-5),
        Comparison(resolved["conductance"], mean["conductance"], 1e-5),
        Comparison(resolved["zero_current_potential"], mean["zero_current_potential"], 1e-5),
    ]


def _weak_wall(run: Run) -> list[Comparison]:
    # phi = sigma lambda / eps I0(r / lambda) / I1(a / lambda) in the middle of a long bore.
    given = {"ions": _kcl(10.0, 10.0), "voltage": 0.0, "length": 1e-7, "surface_charge": -1e-6, **COARSE}
    a = run(**given).answers
    length = a["debye_length"]
    scale = -1e-6 * length / (EPSILON_0 * 78.5 * iv(1, 5e-9 / length))
    return [
        Comparison(a["axis_potential"], scale, 2e-3),
        Comparison(a["wall_potential"], scale * iv(0, 5e-9 / length), 2e-3),
    ]


def _entropy_resolved(run: Run) -> Comparison:
    a = run(**KCL, **COARSE).answers
    drops = [R * 298.15 * math.log(10.0 / 100.0) + z * FARADAY * 0.05 for z in (1, -1)]
    return Comparison(a["dissipation"], sum(J * d for J, d in zip(a["fluxes"], drops, strict=True)), 1e-9)


CLAIMS = (
    Claim("KCl 10|100 mM through a negative channel", "independent reference computation (collocation)", _reference),
    Claim("mixture with a divalent ion", "independent reference computation (collocation)", _reference_mixture),
    Claim("Donnan's potential inside a long channel at equilibrium", "Donnan 1911", _donnan),
    Claim("Donnan's potential of ions of finite size", "Bikerman 1942, closed form", _steric_donnan),
    Claim("the potential decays over the Debye length", "Debye and Hueckel 1923, linear limit", _debye),
    Claim("constant field for a Debye length beyond the channel's", "Goldman 1943", _constant_field),
    Claim("membrane potential for thin double layers", "Teorell 1935; Meyer and Sievers 1936", _thin_layers),
    Claim("entropy produced is sum of J dmu / T", "closed form", _entropy),
    Claim("a bore far narrower than the Debye length is its mean", "limit; the mode mean", _narrow),
    Claim("potential of a weakly charged bore", "Rice and Whitehead 1965, closed form", _weak_wall),
    Claim("entropy produced in the resolved bore is sum of J dmu / T", "closed form", _entropy_resolved),
    Claim("second order in the step", "observed on two meshes against the reference", _order),
)


def figure(result: Result) -> Figure:
    """Potential and concentrations along the channel, and its current-voltage curve."""
    p, names = result.parameters, ion_names(result.parameters.ions)
    reach = max(0.2, 1.2 * abs(p.voltage))
    if p.mode == "axisymmetric":
        volts = np.linspace(-reach, reach, 7)
        currents = [float(sf.steady(channel(p, float(V)), result.solution).current(LEFT)) for V in volts]
        return _bore.draw(result, names, volts, np.array(currents))
    drawing = Figure(figsize=(9.5, 3.8), layout="constrained")
    left, right = drawing.subplots(1, 2)
    x = 1e9 * np.asarray(result.solution.position())
    for name in names:
        left.plot(x, np.asarray(result.solution[name]), label=name)
    left.axvspan(0.0, 1e9 * p.length, color="0.92", label="channel")
    left.set(xlabel="position / nm", ylabel="concentration / (mol/m$^3$)", title="Along the channel")
    left.legend(fontsize=8, loc="center right")
    potential = left.twinx()
    potential.plot(x, 1e3 * np.asarray(result.solution["phi"]), "k--")
    potential.set_ylabel("potential / mV (dashed)")
    volts = np.linspace(-reach, reach, 21)
    solved = [sf.steady(channel(p, float(V))) for V in volts]
    right.plot(1e3 * volts, [1e12 * float(s.current(LEFT)) for s in solved], "k", label="current")
    for name, ion in zip(names, p.ions, strict=True):
        part = [1e12 * FARADAY * ion["charge"] * float(s.flow(name, LEFT)) for s in solved]
        right.plot(1e3 * volts, part, "--", label=f"carried by {name}")
    right.axhline(0.0, color="grey", lw=0.6)
    right.axvline(1e3 * result.answers["zero_current_potential"], color="grey", ls=":", label="no current")
    right.set(xlabel="voltage, left against right bath / mV", ylabel="current / pA", title="Current and voltage")
    right.legend(fontsize=8)
    return drawing


SYSTEM = System(
    name="nanochannel",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
)
