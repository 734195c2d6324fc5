"""A pore between two reservoirs: diffusion down a concentration difference, the Ohm's law of diffusion.

Seeds: A, D

A straight cylindrical channel joins two well-stirred solutions. In the steady state the concentration falls along a
straight line and the flow is the difference over a resistance, as for a wire. While it flows, Gibbs energy is lost.

Modes

    ideal       the concentrations at both ends are held
    entrance    they are held far away: solute also has to reach the mouths through the half-spaces before them
    diaphragm   both reservoirs are finite, stirred and closed: from the start on their concentrations draw together, to
                equilibrium with all that was there in the end

Equations

    flux = D (C1 - C2) / L,   flow Q = pi r^2 flux,   resistance = (C1 - C2) / Q = L / (pi r^2 D)
    dissipation = R T Q ln(C1 / C2) = T times the entropy production
    entrance    entrance_flow = (C1 - C2) / (resistance + access_resistance), no flux through walls and flanges
                access_resistance = 2 end_correction / (pi r D); end_correction is 0.821674 for long pores, pi/4 for
                L -> 0, where the flow becomes 2 D r (C1 - C2)
    closed      C = (C1 V1 + C2 V2 + what the pore held) / (V1 + V2 + pi r^2 L) in the end
                slowest decay D q^2 / L^2 with tan q = q (l1 + l2) / (q^2 - l1 l2), l = pi r^2 L / V     (decay_rate)

A solute of radius a in a pore of radius r is kept from the walls and slowed by them; the flow is then H(a / r) times
that of a point. Renkin (1954): H = (1-x)^2 (1 - 2.104 x + 2.09 x^3 - 0.95 x^5). Dechadilok and Deen (2006), averaged
over the cross-section: H = 1 + (9/8) x ln x - 1.56034 x + 0.528155 x^2 + 1.91521 x^3 - 2.81903 x^4 + 0.270788 x^5
+ 1.10115 x^6 - 0.435933 x^7.

What to look for: doubling the difference doubles the flow, doubling the length halves it, doubling the radius makes it
four times as large. The dissipation does not: it counts the logarithm of the ratio, and is infinite where one side
holds nothing, because an ideal solute at zero concentration has no finite chemical potential. The way through the
solution to its mouths acts as if the pore were longer by 0.82 radii at each side; a pore shorter than its radius is
mostly entrance. Near the rim of a mouth the flux density grows as the distance to the power -1/3.

Limits: in the modes ideal and diaphragm the pore is long compared with its radius. In the mode entrance both sides
mirror each other, so that half of the pore is solved (its middle has the mean concentration, from which a run in time
starts, without what the pore stores deeper than 2.5 radii); flux, flow and resistance are those of the pore alone;
hindrance acts inside the pore. In the closed mode the pore starts with the straight profile between the two solutions,
and left_concentration_at, right_concentration_at, flux, flow and dissipation are those at `time` (which may be
"infinite").

Sources: J. J. Barnes, Physics 5 (1934) 4 (the diaphragm cell); E. M. Renkin, J. Gen. Physiol. 38 (1954) 225; P.
Dechadilok and W. M. Deen, Ind. Eng. Chem. Res. 45 (2006) 6953; J. E. Hall, J. Gen. Physiol. 66 (1975) 531 (access
resistance, pi/4); Y. Nomura, I. Yamamura and S. Inawashiro, J. Phys. Soc. Jpn. 15 (1960) 510 (0.8217); glucose in water
at 25 degC, 6.7e-10 m^2/s (typical value).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import brentq

import steadyflux as sf
from steadyflux.ground.arithmetic import array_module, is_traced
from steadyflux.ground.constants import R
from steadyflux.ground.errors import InputError
from steadyflux.systems.diffusion import _mouth
from steadyflux.systems.diffusion.radioactive_daughter import Thickness
from steadyflux.systems.system import Choice, Claim, Comparison, Parameter, Result, System, Values

DECHADILOK_DEEN = (
    1.0,
    -1.56034,
    0.528155,
    1.91521,
    -2.81903,
    0.270788,
    1.10115,
    -0.435933,
)  # x^0 ... x^7, beside x ln x

PARAMETERS = (
    Choice("mode", "ideal", ("ideal", "entrance", "diaphragm")),
    Parameter("diffusivity", 6.7e-10, "m^2/s", "glucose in water at 25 degC, typical value", low=1e-25, high=1e3),
    Parameter("radius", 50e-9, "m", "chosen", low=1e-10, high=1e2),
    Parameter("length", 10e-6, "m", "chosen", low=1e-10, high=1e4),
    Parameter("left_concentration", 5.0, "mol/m^3", "chosen", low=0.0, high=1e9),
    Parameter("right_concentration", 1.0, "mol/m^3", "chosen", low=0.0, high=1e9),
    Parameter("solute_radius", 0.0, "m", "a point; glucose 0.36 nm", low=0.0, high=1e2),
    Choice("hindrance", "dechadilok-deen", ("dechadilok-deen", "renkin"), "Dechadilok and Deen 2006"),
    Parameter("left_volume", 1e-15, "m^3", "chosen", low=1e-30, high=1e12),
    Parameter("right_volume", 2e-15, "m^3", "chosen", low=1e-30, high=1e12),
    Thickness("time", 3.0, "s", "chosen; for the mode diaphragm, may be infinite", low=1e-12, high=float("inf")),
    Parameter("temperature", 298.15, "K", "25 degC", low=1.0, high=5000.0),
    Parameter("cells", 201.0, "", "200 steps", low=3.0, high=100001.0, whole=True),
)


def hindrance_factor(p: Values) -> Any:
    """Share of the flow of a point that a solute of finite size has: partition and drag together."""
    x = p.solute_radius / p.radius
    if not is_traced(p.items):
        if x >= 1:
            raise InputError(f"A solute of radius {p.solute_radius:g} m does not fit into a pore of {p.radius:g} m.")
        if p.hindrance == "dechadilok-deen" and x > 0.95:
            raise InputError(f"Dechadilok and Deen's formula holds up to a size ratio of 0.95; this one is {x:.3g}.")
    xp = array_module(p.items)
    if p.hindrance == "renkin":
        return (1.0 - x) ** 2 * (1.0 - 2.104 * x + 2.09 * x**3 - 0.95 * x**5)
    tiny = xp.where(x > 0, x, 1.0)  # x ln x vanishes with x
    return 9.0 / 8.0 * x * xp.log(tiny) + sum(c * x**n for n, c in enumerate(DECHADILOK_DEEN))


def _area(p: Values) -> Any:
    return np.pi * p.radius**2


def _ideal(p: Values) -> sf.Model:
    return sf.Model(
        space=sf.interval(p.length, p.cells, area=_area(p)),
        quantities=[sf.Species("solute")],
        laws=[sf.Fick("solute", p.diffusivity * hindrance_factor(p))],
        boundaries=[
            sf.Hold("left", {"solute": p.left_concentration}),
            sf.Hold("right", {"solute": p.right_concentration}),
        ],
        temperature=p.temperature,
        start={"solute": p.right_concentration},
    )


def _closed(p: Values) -> sf.Model:
    """The same pore, whose first and last cells are the stirred reservoirs."""
    pore = sf.interval(p.length, p.cells, area=_area(p))
    xp = array_module(p.items)
    volume = xp.concatenate([pore.volume[:1] + p.left_volume, pore.volume[1:-1], pore.volume[-1:] + p.right_volume])
    start = p.left_concentration + (p.right_concentration - p.left_concentration) * np.linspace(0.0, 1.0, p.cells)
    return sf.Model(
        space=dataclasses.replace(pore, volume=volume),
        quantities=[sf.Species("solute")],
        laws=[sf.Fick("solute", p.diffusivity * hindrance_factor(p))],
        temperature=p.temperature,
        start={"solute": start},
    )


def _entrance(p: Values, far: Any) -> sf.Model:
    """The half of the pore on the side of one bath."""
    mean = 0.5 * (p.left_concentration + p.right_concentration)
    return _mouth.half(p.radius, p.length, p.diffusivity, hindrance_factor(p), far, mean, p.temperature)


def model(p: Values) -> sf.Model:
    """The pore between held ends, with its left entrance up to the middle, or between two closed reservoirs."""
    if p.mode == "entrance":
        return _entrance(p, p.left_concentration)
    return _ideal(p) if p.mode == "ideal" else _closed(p)


def solve(p: Values, model: sf.Model) -> sf.Solution | sf.History:
    """The steady state; of closed reservoirs the way to `time`."""
    if p.mode != "diaphragm" or np.isposinf(p.time):
        return sf.steady(model)
    return sf.evolve(model, until=p.time, rtol=1e-8)


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """Flux and flow from left to right, resistance, Gibbs energy lost; what entrances change; closed reservoirs."""
    # A property of the pore: the flow that one mol/m^3 drives, whatever the concentrations at hand.
    unit = sf.steady(_ideal(Values({**p.items, "left_concentration": 1.0, "right_concentration": 0.0})))
    resistance = 1.0 / jnp.mean(unit.along("solute"))
    if p.mode == "entrance":
        flow, lost = (p.left_concentration - p.right_concentration) / resistance, _lost(p, solution)
    else:
        flow, lost = jnp.mean(solution.along("solute")), p.temperature * jnp.sum(solution.books.laws[0].entropy)
    found = {
        "flux": flow / _area(p),
        "flow": flow,
        "resistance": resistance,
        "hindrance_factor": hindrance_factor(p),
        "dissipation": lost,
    }
    if p.mode == "entrance":
        access = _mouth.access(p.radius, p.length, p.diffusivity, hindrance_factor(p))
        found["entrance_flow"] = -solution.flow("solute", "pore.middle")
        found["access_resistance"] = access
        found["end_correction"] = 0.5 * np.pi * p.radius * p.diffusivity * access
    if p.mode == "diaphragm":
        found["left_concentration_at"] = solution.value("solute", "left")
        found["right_concentration_at"] = solution.value("solute", "right")
        found["decay_rate"] = -float(np.real(sf.spectrum(sf.steady(_closed(p)), 1).rates[0]))
    return found


def _lost(p: Values, solution: sf.Solution) -> Any:
    """Gibbs energy lost in this half of the pore and in its mirror image, W."""
    total = p.left_concentration + p.right_concentration
    mirrored = solution.state._replace(u=total - solution.state.u)
    other = dataclasses.replace(solution, model=_entrance(p, p.right_concentration), state=mirrored)
    return p.temperature * sum(jnp.sum(law.entropy) for one in (solution, other) for law in one.books.laws)


UNITS = {
    "flux": "mol/(m^2*s)",
    "flow": "mol/s",
    "resistance": "s/m^3",
    "hindrance_factor": "",
    "dissipation": "W",
    "entrance_flow": "mol/s",
    "access_resistance": "s/m^3",
    "end_correction": "",
    "left_concentration_at": "mol/m^3",
    "right_concentration_at": "mol/m^3",
    "decay_rate": "1/s",
}

Run = Callable[..., Result]

# Independent reference computations, relative accuracy 1e-9.
GLUCOSE = {
    "flux": 0.000268,
    "flow": 2.104867077905161e-18,
    "resistance": 1.9003575294554673e18,
    "dissipation": 8.397845910354209e-15,
}
WIDE_CASE = {
    "diffusivity": 2e-9,
    "radius": 5e-6,
    "length": 2e-6,
    "left_concentration": 10.0,
    "right_concentration": 0.0,
}
WIDE = {"flux": 0.01, "flow": 7.853981633974485e-13, "resistance": 12732395447351.623}
# Solute radius, pore radius, and the factors after Renkin and after Dechadilok and Deen.
HINDRANCES = (
    (3.6e-10, 5e-8, 0.9707211662835781, 0.948830877384097),
    (1e-10, 5e-6, 0.9999179220831999, 0.999725348399878),
)


def _reference(run: Run) -> list[Comparison]:
    glucose, wide = run(), run(**WIDE_CASE)
    return [
        *(Comparison(glucose.answers[name], value, 1e-9) for name, value in GLUCOSE.items()),
        *(Comparison(wide.answers[name], value, 1e-9) for name, value in WIDE.items()),
        Comparison(glucose.solution.interpolate("solute", 2.5e-6), 4.0, 1e-12),
        Comparison(wide.solution.interpolate("solute", 0.5e-6), 7.5, 1e-12),
    ]


def _hindered(run: Run) -> list[Comparison]:
    comparisons = []
    for solute, radius, renkin, dechadilok_deen in HINDRANCES:
        free = run(radius=radius).answers["flow"]
        for formula, factor in (("renkin", renkin), ("dechadilok-deen", dechadilok_deen)):
            found = run(radius=radius, solute_radius=solute, hindrance=formula).answers
            comparisons += [
                Comparison(found["hindrance_factor"], factor, 1e-9),
                Comparison(found["flow"] / free, factor, 1e-9),
            ]
    return comparisons


def _linear(run: Run) -> Comparison:
    found = run(left_concentration=0.3, right_concentration=88.0, length=3.1e-5)
    x = np.asarray(found.solution.position())
    return Comparison(np.asarray(found.solution["solute"]), 0.3 + 87.7 * x / 3.1e-5, 1e-10)


def _series(run: Run) -> list[Comparison]:
    """Half the length has half the resistance, twice the radius a quarter."""
    plain, half, wide = (run(**c).answers["resistance"] for c in ({}, {"length": 5e-6}, {"radius": 1e-7}))
    return [Comparison(half / plain, 0.5, 1e-10), Comparison(wide / plain, 0.25, 1e-10)]


def _gibbs(run: Run) -> Comparison:
    found = run(left_concentration=2.0, right_concentration=700.0, temperature=310.0)
    flow = float(found.answers["flow"])
    return Comparison(found.answers["dissipation"], R * 310.0 * flow * np.log(2.0 / 700.0), 1e-10)


def _equilibrium(run: Run) -> list[Comparison]:
    case = {"left_volume": 3e-18, "right_volume": 4e-19, "left_concentration": 0.0, "right_concentration": 21.0}
    found = run(mode="diaphragm", time="infinite", **case)
    inside = np.pi * 50e-9**2 * 10e-6
    even = (21.0 * 4e-19 + 10.5 * inside) / (3e-18 + 4e-19 + inside)
    return [
        Comparison(found.answers["left_concentration_at"], even, 1e-10),
        Comparison(found.answers["right_concentration_at"], even, 1e-10),
        Comparison(found.solution.total("solute"), 21.0 * 4e-19 + 10.5 * inside, 1e-12),
        Comparison(found.answers["flow"] * float(found.answers["resistance"]) / 21.0, 0.0, 0.0, 1e-12),
        Comparison(float(found.solution.regime == "equilibrium"), 1.0, 0.0),
    ]


# Rate and concentrations at `time` of closed reservoirs, the glucose case and the wide one, independent references.
DIAPHRAGM = (
    ({}, (0.0007893148221346236, 4.993692992710761, 1.0031535653059012)),
    (
        {**WIDE_CASE, "left_volume": 1e-12, "right_volume": 1e-12, "time": 0.05},
        (0.15707552043044984, 9.960884920802414, 0.039115079197586944),
    ),
)


def _diaphragm(run: Run) -> list[Comparison]:
    comparisons = []
    for case, (rate, left, right) in DIAPHRAGM:
        found = run(**case, mode="diaphragm").answers
        comparisons += [
            Comparison(found["decay_rate"], rate, 1e-6),
            Comparison(found["left_concentration_at"], left, 1e-7),
            Comparison(found["right_concentration_at"], right, 1e-6),
        ]
    return comparisons


def _decay(run: Run) -> list[Comparison]:
    """A pore that holds as much as its reservoirs: the rate of the slowest mode, and that of the run late in time."""
    case = {
        "radius": 1e-6,
        "left_volume": 4e-17,
        "right_volume": 9e-17,
        "right_concentration": 0.2,
        "mode": "diaphragm",
    }
    one, two = np.pi * 1e-12 * 10e-6 / 4e-17, np.pi * 1e-12 * 10e-6 / 9e-17
    q: Any = brentq(lambda q: (q * q - one * two) * np.sin(q) - q * (one + two) * np.cos(q), 0.1, 2.0)
    rate = 6.7e-10 * q * q / 1e-10
    found = [run(**case, time=t).answers for t in (2.0 / rate, 3.0 / rate)]
    gone = [float(a["left_concentration_at"] - a["right_concentration_at"]) for a in found]
    return [Comparison(found[0]["decay_rate"], rate, 2e-5), Comparison(np.log(gone[0] / gone[1]) * rate, rate, 2e-5)]


def _entrance_reference(run: Run) -> list[Comparison]:
    """Two pores of the exact mixed boundary-value problem, independent reference computation."""
    glucose, wide = run(mode="entrance").answers, run(**WIDE_CASE, mode="entrance").answers
    return [
        Comparison(glucose["entrance_flow"], 2.0877128786444717e-18, 1e-6),
        Comparison(glucose["end_correction"], 0.8216742558884533, 4e-5),
        Comparison(wide["entrance_flow"], 1.54395286110386e-13, 4e-5),
        Comparison(wide["end_correction"], 0.8173861951146908, 4e-5),
    ]


def _hall(run: Run) -> list[Comparison]:
    """Hall's disk, pi/4 of a radius a side: exact for no length (Q = 2 D r dC), 4.4 % low for a long pore."""
    none = run(mode="entrance", length=1e-10, radius=1e-3).answers
    long = run(mode="entrance", length=1e-3).answers
    return [
        Comparison(none["entrance_flow"], 2.0 * 6.7e-10 * 1e-3 * 4.0, 1e-6),
        Comparison(none["end_correction"], np.pi / 4.0, 1e-6),
        Comparison(long["end_correction"], np.pi / 4.0 * 1.046, 1e-3),
        Comparison(long["end_correction"], 0.821674, 4e-5),
    ]


def _rim(run: Run) -> Comparison:
    """At a reflecting corner of 270 degrees c goes as d^(2/3) (cos of 2/3 of the angle meets both walls)."""
    d, j = _mouth.mouth_flux(run(mode="entrance").solution)
    one, other = (int(np.argmin(np.abs(np.log(np.maximum(d, 1e-99) / x)))) for x in (5e-12, 5e-11))
    return Comparison(np.log(j[other] / j[one]) / np.log(d[other] / d[one]), -1.0 / 3.0, 0.0, 0.01)


CLAIMS = (
    Claim("a long and a wide pore agree with the reference", "independent reference computation", _reference),
    Claim(
        "hindrance after Renkin and after Dechadilok and Deen",
        "independent reference computation; Renkin 1954, Dechadilok and Deen 2006",
        _hindered,
    ),
    Claim("the profile is a straight line", "closed form (Fick 1855)", _linear),
    Claim("the resistance goes with length over cross-section", "Ohm's law of diffusion", _series),
    Claim("the dissipation is R T Q ln(C1/C2)", "closed form, Gibbs energy", _gibbs),
    Claim("diaphragm cells agree with the reference in time", "independent reference computation", _diaphragm),
    Claim("exact decay rate with storage in the pore", "closed form, tan q = q(l1 + l2)/(q^2 - l1 l2)", _decay),
    Claim("pores with entrances agree with the reference", "independent reference computation", _entrance_reference),
    Claim("entrances of a disk and of a long pore", "Hall 1975; Nomura et al. 1960, closed form and limit", _hall),
    Claim("the flux at the rim goes as distance^-1/3", "closed form of the corner", _rim),
    Claim("closed reservoirs come to equilibrium with all they held", "limit, conservation", _equilibrium),
)


def figure(result: Result) -> Figure:
    """The straight profile, and how flow and dissipation grow with the difference; or the field at a mouth."""
    p, solution = result.parameters, result.solution
    if p.mode == "entrance":
        return _mouth.draw(result)
    drawing = Figure(figsize=(8.0, 4.0), layout="constrained")
    left, right = drawing.subplots(1, 2)
    left.plot(1e6 * np.asarray(solution.position()), np.asarray(solution["solute"]), color="C0")
    left.set_xlabel("position, µm")
    left.set_ylabel("concentration, mol/m$^3$")
    left.set_title(f"{p.mode}: flow {float(result.answers['flow']):.4g} mol/s", fontsize="medium")
    top = max(p.left_concentration, p.right_concentration, 1e-300)
    low = np.linspace(0.0, 1.0, 101)[1:] * top
    flow = (top - low) / float(result.answers["resistance"])
    right.plot(top - low, flow, color="C0", label="flow, mol/s")
    lost = R * p.temperature * flow * np.log(top / low)
    right.set_xlabel("difference, mol/m$^3$ (higher side as it is)")
    right.set_ylabel("flow, mol/s")
    twin = right.twinx()
    twin.plot(top - low, lost, "--", color="C3", label="dissipation, W")
    twin.set_ylabel("dissipation, W")
    right.legend(handles=[right.lines[0], twin.lines[0]], loc="upper left")
    return drawing


SYSTEM = System(
    name="pore",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
    solve=solve,
)
