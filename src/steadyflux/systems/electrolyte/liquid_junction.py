"""The potential of a liquid junction: a field that arises by itself to keep two meeting solutions neutral.

Seeds: B

Two solutions meet, either in a film of thickness L (`mode` film: a frit, a gel, a membrane without charge) or along a
plane from which they spread without end (`mode` free). Each ion diffuses at its own pace; the faster one runs ahead by
less than a Debye length, and the field of that charge slows it and hurries the others, so that together they carry no
current. Both are far wider than the Debye length: every slice is neutral.

Equations

    J_i = -D_i (dc_i/dx + z_i (F / R T) c_i dphi/dx),   sum z_i c_i = 0,   sum z_i J_i = 0
    film    J_i = const,   concentrations given at both faces
    free    dc_i/dt = -dJ_i/dx,   a step at t = 0:   -(xi / 2) dc_i/dxi = -d(J_i sqrt(t))/dxi,   xi = x / sqrt(t)

In the free junction concentrations and potential depend on xi alone, so that they widen as sqrt(t) and the junction
potential does not change in time. It is solved as a steady state in xi.

Fluxes count as positive from left to right, the junction potential is phi(right) - phi(left); the field is -dphi/dx.

What to look for

- Henderson (1907) assumed that every solution between is a mixture of the two; Planck (1890) solved the film for ions
  of one charge number. They agree when the total concentration is the same on both sides (0.1 M HCl | 0.1 M KCl:
  26.85 mV).
- A salt bridge of concentrated KCl works because K+ and Cl- diffuse alike: the junction potential nearly vanishes.
- A single salt diffuses as one substance with D = (z+ - z-) D+ D- / (z+ D+ - z- D-). `ambipolar_diffusivity` measures
  it from the computed flux of the salt made of the first cation and the first anion of the list.
- Ions of equal concentration on both sides flow nonetheless: the field of the others drives them.
- The free junction's profiles differ from the film's, and so does its potential, by a little: 26.69 mV for the case
  above. A film that starts as a step (`--until`) has the free potential until the ions feel its faces, passes 27.1 mV
  and settles at Planck's.

Limits

Ideal solutions, no current, no convection. Of a free junction `fluxes`, `field`, `middle_concentrations` and
`dissipation` are those at the plane of contact (per area of it) at the moment `time`, `potential_profile` and
`mean_field` belong to the window of width `thickness` around it; `time` has no effect on the junction potential.
Followed in time, a free junction counts ln(t / s). `dissipation` is left out where an ion is altogether absent on one
side: there it has no bound.

Sources: M. Planck, Ann. Phys. 275 (1890) 561; P. Henderson, Z. phys. Chem. 59 (1907) 118 and 63 (1908) 325; W.
Nernst, Z. phys. Chem. 2 (1888) 613 (ambipolar diffusion); H. J. Hickman, Chem. Eng. Sci. 25 (1970) 381 and E. J. F.
Dickinson, L. Freitag and R. G. Compton, J. Phys. Chem. B 114 (2010) 187 (the free junction).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.special import erf

import steadyflux as sf
from steadyflux.ground.constants import FARADAY, R
from steadyflux.ground.errors import InputError
from steadyflux.systems.electrolyte._ions import BATH_COLUMNS, check_neutral, check_positive, ion_names
from steadyflux.systems.electrolyte._spreading import spreading, strength
from steadyflux.systems.system import Choice, Claim, Comparison, Parameter, Result, System, Table, Values

LEFT, RIGHT = "left", "right"
FRACTIONS = np.linspace(0.0, 1.0, 11)
EDGE = 0.003  # width of the step that a film starts from, in thicknesses

IONS = Table(
    "ions",
    (
        {"name": "H+", "charge": 1, "diffusivity": 9.311e-9, "left": 100.0, "right": 1e-4},
        {"name": "K+", "charge": 1, "diffusivity": 1.957e-9, "left": 1e-4, "right": 100.0},
        {"name": "Cl-", "charge": -1, "diffusivity": 2.032e-9, "left": 100.0001, "right": 100.0001},
    ),
    BATH_COLUMNS,
    "0.1 M HCl | 0.1 M KCl at pH 7, a trace of K+ in the acid; limiting diffusivities at 25 C (CRC Handbook values)",
)

PARAMETERS = (
    IONS,
    Choice("mode", "film", ("film", "free"), "a film between two solutions, or two half spaces that spread freely"),
    Parameter("thickness", 1e-3, "m", "a glass frit, typical; of a free junction the window shown", 1e-9, 10.0),
    Parameter("time", 10.0, "s", "since the two half spaces met; a film has none", 1e-9, 1e9),
    Parameter("temperature", 298.15, "K", "25 C", 50.0, 2000.0),
    Parameter(
        "cells",
        801,
        "",
        "error below 1e-5 at a thousandfold difference; each half space has as many",
        3,
        100_000,
        whole=True,
    ),
)


def mesh(p: Values) -> np.ndarray:
    """Nodes in two halves, finer towards the more dilute face, where the potential varies as a logarithm."""
    one, two = (strength(p.ions, side) for side in (LEFT, RIGHT))
    scale = min(0.5, max(min(one, two) / max(one, two), 1e-9))
    t = np.linspace(0.0, 1.0, p.cells)
    x = scale * np.sinh(t * math.asinh(1.0 / scale))
    x[-1] = 1.0
    return p.thickness * (x if one <= two else 1.0 - x[::-1])


def film(p: Values) -> sf.Model:
    """The film between its two solutions; the right one floats to the potential at which no current flows.

    In time it starts as a step in its middle.
    """
    names = ion_names(p.ions)
    left, right = ({n: ion[side] for n, ion in zip(names, p.ions, strict=True)} for side in (LEFT, RIGHT))
    nodes = mesh(p)
    step = 0.5 * (1.0 + erf((nodes / p.thickness - 0.5) / EDGE))
    return sf.Model(
        space=sf.interval(nodes=nodes),
        quantities=[
            *(sf.Ion(n, i["diffusivity"], charge=i["charge"]) for n, i in zip(names, p.ions, strict=True)),
            sf.Potential(),
        ],
        laws=[sf.NernstPlanck(), sf.Electroneutrality()],
        boundaries=[sf.Hold(LEFT, {**left, "phi": 0.0}), sf.Hold(RIGHT, right), sf.Float(RIGHT)],
        temperature=p.temperature,
        start={n: left[n] + (right[n] - left[n]) * step for n in names},
    )


def model(p: Values) -> sf.Model:
    """The film or the two half spaces, their solutions checked."""
    check_positive(p.ions, "diffusivity", LEFT, RIGHT)
    for side in (LEFT, RIGHT):
        check_neutral(p.ions, side, f"The {side} solution")
        if not any(ion["charge"] and ion[side] > 0 for ion in p.ions):
            raise InputError(f"The {side} solution holds no ion, so that it has no potential; add a trace of salt.")
    if p.mode == "film":
        return film(p)
    if min(ion["diffusivity"] for ion in p.ions) == 0.0:
        raise InputError("An ion of diffusivity zero cannot spread; give it a small one, or choose the mode film.")
    return spreading(p, ion_names(p.ions))


def salt_diffusivity(p: Values) -> float:
    """Diffusivity of the salt of the first cation and anion, m^2/s, measured: flux times thickness over difference."""
    cation = next(ion for ion in p.ions if ion["charge"] > 0)
    anion = next(ion for ion in p.ions if ion["charge"] < 0)
    pair = [
        {**ion, LEFT: 1.1 / abs(ion["charge"]), RIGHT: 1.0 / abs(ion["charge"]), "name": ""} for ion in (cation, anion)
    ]
    flow = sf.steady(film(Values({**p.items, "ions": pair}))).flow("ion 1", LEFT)
    return float(flow) * p.thickness * cation["charge"] / 0.1


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """Junction potential, fluxes, field, profiles, salt diffusivity, free energy lost."""
    names = ion_names(p.ions)
    width = math.sqrt(p.time) if p.mode == "free" else 1.0  # of one unit of the solution's coordinate, m
    x, phi = width * np.asarray(solution.position()), np.asarray(solution["phi"])
    middle = 0.0 if p.mode == "free" else 0.5 * p.thickness
    edge = min(int(np.searchsorted(x, middle)), len(x) - 2)
    around = slice(edge - 2, edge + 2) if p.mode == "free" else slice(edge - 1, edge + 2)
    slope = np.polynomial.polynomial.Polynomial.fit(x[around], phi[around], 2).deriv()(middle)
    window = middle + p.thickness * (FRACTIONS - 0.5)
    profile = np.interp(window, x, phi)
    if p.mode == "free":
        through = [float(solution.along(n)[edge - 1]) / width for n in names]
    else:
        through = [float(solution.flow(n, LEFT)) for n in names]
    found = {
        "junction_potential": float(phi[-1] - phi[0]),
        "fluxes": through,
        "current": float(solution.current(LEFT)) / width,
        "field": -float(slope),
        "mean_field": -float(profile[-1] - profile[0]) / p.thickness,
        "ambipolar_diffusivity": salt_diffusivity(p),
        "middle_concentrations": [float(np.interp(middle, x, np.asarray(solution[n]))) for n in names],
        "potential_profile": profile.tolist(),
    }
    if all(ion[LEFT] > 0 and ion[RIGHT] > 0 for ion in p.ions):  # else the free energy lost has no bound
        found["dissipation"] = p.temperature * solution.entropy.production / width
    return found


UNITS = {
    "junction_potential": "V",
    "fluxes": "mol/(m^2*s)",
    "current": "A/m^2",
    "field": "V/m",
    "mean_field": "V/m",
    "ambipolar_diffusivity": "m^2/s",
    "middle_concentrations": "mol/m^3",
    "potential_profile": "V",
    "dissipation": "W/m^2",
}

Run = Callable[..., Result]


def _ions(
    z: Sequence[float], D: Sequence[float], left: Sequence[float], right: Sequence[float]
) -> list[dict[str, float]]:
    keys = ("charge", "diffusivity", LEFT, RIGHT)
    return [dict(zip(keys, row, strict=True)) for row in zip(z, D, left, right, strict=True)]


SALTS = (9.311e-9, 1.957e-9, 2.032e-9)  # H+, K+, Cl- (and Na+ below): limiting diffusivities, m^2/s
ACID = _ions((1, 1, -1), SALTS, (100.0, 0.0, 100.0), (0.0, 100.0, 100.0))
BRIDGE = _ions((1, 1, -1), (1.334e-9, 1.957e-9, 2.032e-9), (10.0, 0.0, 10.0), (0.0, 1000.0, 1000.0))


def henderson(ions: Sequence[Mapping[str, float]], T: float) -> float:
    """Henderson's junction potential, V, right minus left (Henderson 1907)."""
    up = sum(abs(i["charge"]) / i["charge"] * abs(i["charge"]) * i["diffusivity"] * (i[RIGHT] - i[LEFT]) for i in ions)
    one, two = (sum(i["charge"] ** 2 * i["diffusivity"] * i[side] for i in ions) for side in (LEFT, RIGHT))
    mean = one if one == two else (two - one) / math.log(two / one)
    return -R * T / FARADAY * up / mean


def planck(ions: Sequence[Mapping[str, float]], T: float) -> float:
    """Planck's junction potential, V, right minus left, of ions of charge +1 and -1 (Planck 1890).

    The total concentration is linear and the field in inverse proportion to it, which makes every flux a closed form;
    the potential is the root of "no current", found by bisection.
    """
    a, b = (sum(i[side] for i in ions) for side in (LEFT, RIGHT))

    def current(v: float) -> float:
        # With C the total and phi' = v C' R T / (F C ln(b / a)), c' + (z v / ln(b / a)) c C' / C = -J / D is linear.
        total = 0.0
        for i in ions:
            z, D = i["charge"], i["diffusivity"]
            power = z * v / math.log(b / a)
            integral = (b * (b / a) ** power - a) / (power + 1.0)
            total += z * D * (i[LEFT] - i[RIGHT] * (b / a) ** power) * (b - a) / integral
        return total

    low, high = -40.0, 40.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if current(low) * current(middle) > 0 else (low, middle)
    return R * T / FARADAY * 0.5 * (low + high)


def _one_strength(run: Run) -> Comparison:
    # Equal total concentrations: the field is constant, and Planck's potential takes Goldman's form.
    ions = _ions((1, 1, -1), (9.3e-9, 1.96e-9, 1.07e-9), (80.0, 10.0, 90.0), (5.0, 85.0, 90.0))
    a = run(ions=ions, temperature=311.0).answers
    left = sum(i["diffusivity"] * i[LEFT if i["charge"] > 0 else RIGHT] for i in ions)
    right = sum(i["diffusivity"] * i[RIGHT if i["charge"] > 0 else LEFT] for i in ions)
    return Comparison(a["junction_potential"], R * 311.0 / FARADAY * math.log(left / right), 1e-10)


def _planck(run: Run) -> list[Comparison]:
    ions = _ions((1, 1, -1), (1.334e-9, 9.31e-9, 1.185e-9), (10.0, 3.0, 13.0), (220.0, 500.0, 720.0))
    a = run(ions=ions, temperature=333.15).answers
    expected = planck(ions, 333.15)
    coarse = run(ions=ions, temperature=333.15, cells=401).answers["junction_potential"]
    limit = a["junction_potential"] + (a["junction_potential"] - coarse) / 3.0
    return [Comparison(a["junction_potential"], expected, 2e-5), Comparison(limit, expected, 1e-8)]


def _one_salt(run: Run) -> list[Comparison]:
    found = []
    for z, D in (((2, -1), (7.9e-10, 2.03e-9)), ((3, -2), (6.1e-10, 1.07e-9))):
        c = (40.0 / z[0], -40.0 / z[1]), (7.0 / z[0], -7.0 / z[1])
        a = run(ions=_ions(z, D, *c), temperature=288.0).answers
        spread = z[0] * D[0] - z[1] * D[1]
        found.append(Comparison(a["ambipolar_diffusivity"], (z[0] - z[1]) * D[0] * D[1] / spread, 1e-8))
        expected = -R * 288.0 / FARADAY * (D[0] - D[1]) / spread * math.log(7.0 / 40.0)
        found.append(Comparison(a["junction_potential"], expected, 1e-5))
    return found


def _no_current(run: Run) -> list[Comparison]:
    found = []
    for ions in (ACID, BRIDGE):
        a = run(ions=ions).answers
        largest = FARADAY * max(abs(z) for z in a["fluxes"])
        found.append(Comparison(a["current"], 0.0, 0.0, 1e-12 * largest))
    return found


def _acid(run: Run) -> list[Comparison]:
    a = run(ions=ACID, temperature=298.15, thickness=1e-3).answers
    fluxes = np.array([5.27810545118256e-07, -3.154543042174275e-07, 2.123562409008285e-07])
    return [
        Comparison(a["junction_potential"], 0.026850292919295356, 1e-9),
        Comparison(a["junction_potential"], henderson(ACID, 298.15), 1e-9),
        Comparison(a["fluxes"], fluxes / 1e-3, 1e-9),
        Comparison(a["middle_concentrations"], [37.2260797513223, 62.77392024867774, 100.0], 1e-6),
    ]


def _bridge(run: Run) -> list[Comparison]:
    a = run(ions=BRIDGE, temperature=298.15, thickness=1e-3).answers
    coarse = run(ions=BRIDGE, temperature=298.15, thickness=1e-3, cells=401).answers["junction_potential"]
    fluxes = np.array([1.2520902769861428e-08, -1.9893565947099494e-06, -1.9768356919400882e-06])
    fine = a["junction_potential"]
    return [
        Comparison(fine, 0.0020493981200187627, 1e-5),
        Comparison(fine + (fine - coarse) / 3.0, 0.0020493981200187627, 1e-8),
        Comparison(a["fluxes"], fluxes / 1e-3, 1e-6),
        Comparison(a["potential_profile"][5], 0.001745361074080269, 1e-5),
    ]


def _order(run: Run) -> Comparison:
    found = [run(ions=BRIDGE, cells=cells).answers["junction_potential"] for cells in (201, 401, 801)]
    return Comparison(math.log2((found[0] - found[1]) / (found[1] - found[2])), 2.0, 0.02)


def _free(run: Run) -> list[Comparison]:
    found = []
    for ions, expected in ((ACID, 0.026693470631122016), (BRIDGE, 0.002183833517585237)):
        a, b = (run(ions=ions, mode="free", temperature=298.15, cells=n).answers for n in (801, 1602))
        one, two = a["junction_potential"], b["junction_potential"]
        found += [Comparison(one, expected, 1e-5), Comparison(two + (two - one) / 3.0, expected, 1e-8)]
        # What the ions carry through the plane adds up to nothing.
        carried = [ion["charge"] * flux for ion, flux in zip(ions, a["fluxes"], strict=True)]
        found.append(Comparison(sum(carried), 0.0, 0.0, 1e-12 * max(map(abs, carried))))
    return found


def _one_free_salt(run: Run) -> list[Comparison]:
    # A single salt spreads as an error function; its potential depends on the two concentrations alone.
    D, t = (7.9e-10, 2.03e-9), 47.0
    a = run(ions=_ions((2, -1), D, (20.0, 40.0), (0.7, 1.4)), mode="free", time=t, temperature=288.0).answers
    salt = 3.0 * D[0] * D[1] / (2.0 * D[0] + D[1])
    flux = math.sqrt(salt / (4.0 * math.pi * t)) * 19.3
    expected = -R * 288.0 / FARADAY * (D[0] - D[1]) / (2.0 * D[0] + D[1]) * math.log(0.7 / 20.0)
    return [
        Comparison(a["junction_potential"], expected, 2e-5),
        Comparison(a["fluxes"], [flux, 2.0 * flux], 1e-5),
        Comparison(a["middle_concentrations"], [10.35, 20.7], 1e-5),
    ]


def _settling(run: Run) -> list[Comparison]:
    # A film that starts as a step does not feel its faces at first: it has the potential of the free junction.
    p = SYSTEM.values({"ions": ACID, "temperature": 298.15, "thickness": 1e-3})
    potential = sf.evolve(model(p), until=1000.0, times=[2.0, 1000.0])["phi"][:, -1]
    free = run(ions=ACID, temperature=298.15, mode="free").answers["junction_potential"]
    return [
        Comparison(potential[0], free, 1e-5),
        Comparison(potential[-1], henderson(ACID, 298.15), 1e-6),
    ]


CLAIMS = (
    Claim("Planck's potential where both sides have one strength", "Planck 1890; Goldman 1943", _one_strength),
    Claim("Planck's potential of monovalent ions", "Planck 1890, his closed form solved for zero current", _planck),
    Claim("diffusivity and potential of a single salt", "Nernst 1888", _one_salt),
    Claim("no current to 1e-12 of what the ions carry", "the condition of the junction", _no_current),
    Claim("0.1 M HCl | 0.1 M KCl", "Henderson 1907; independent reference computation", _acid),
    Claim("0.01 M NaCl | 1 M KCl salt bridge", "independent reference computation", _bridge),
    Claim("free junctions of HCl | KCl and NaCl | KCl", "independent reference computation", _free),
    Claim("a single salt that spreads freely", "Nernst 1888; Fick's second law, error function", _one_free_salt),
    Claim("a film passes from the free potential to Planck's", "two routes to the free junction; limit", _settling),
    Claim("second order in the step", "observed on three meshes", _order),
)


def figure(result: Result) -> Figure:
    """Concentrations and potential across the junction, and the flux of each ion with and without the field."""
    p = result.parameters
    free = p.mode == "free"
    drawing = Figure(figsize=(9.5, 3.8), layout="constrained")
    left, right = drawing.subplots(1, 2)
    x = np.asarray(result.solution.position())
    names = ion_names(p.ions)
    for name in names:
        left.plot(x * 1e3 if free else x / p.thickness, np.asarray(result.solution[name]), label=name)
    left.set(ylabel="concentration / (mol/m$^3$)")
    if free:
        left.set(xlabel="$x / \\sqrt{t}$ / (mm/s$^{1/2}$)", title="Two half spaces at any time")
    else:
        left.set(xlabel="position / thickness", title="The film")
    left.legend(loc="center left", fontsize=8)
    potential = left.twinx()
    potential.plot(x * 1e3 if free else x / p.thickness, 1e3 * np.asarray(result.solution["phi"]), "k--")
    potential.set_ylabel("potential / mV (dashed)")
    at = np.arange(len(names))
    speeds = [
        math.sqrt(i["diffusivity"] / (4.0 * math.pi * p.time)) if free else i["diffusivity"] / p.thickness
        for i in p.ions
    ]
    alone = [speed * (i[LEFT] - i[RIGHT]) for speed, i in zip(speeds, p.ions, strict=True)]
    right.bar(at - 0.2, np.array(alone) * 1e6, 0.4, label="diffusion alone")
    right.bar(at + 0.2, np.array(result.answers["fluxes"]) * 1e6, 0.4, label="with the field")
    right.axhline(0.0, color="grey", lw=0.6)
    right.set_xticks(at, names)
    right.set(ylabel="flux to the right / ($10^{-6}$ mol/m$^2$/s)", title="The field makes the charges keep pace")
    right.legend(fontsize=8)
    return drawing


SYSTEM = System(
    name="liquid_junction",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
)
