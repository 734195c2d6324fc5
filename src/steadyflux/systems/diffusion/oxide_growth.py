"""Growth of an oxide film: linear while the surface reaction limits, parabolic when diffusion through the film does.

Seeds: A

Oxygen arrives at a hot surface, diffuses through the oxide that is there already and makes more of it at the far side.
While the film is thin the reaction is the bottleneck, the flux is constant and the film grows linearly; the thicker it
is, the longer the way, and in the end the thickness goes as the square root of time.

Equations, on coordinates that follow the film 0 < z < x(t)

    oxidant in the film      d/dz(D dc/dz) = 0,   or dc/dt in its place with `dissolved = counted`
    at the gas               c = surface_concentration, or flux = gas_transfer (surface_concentration - c)
    at the metal             flux = reaction_rate c,   atoms_per_volume dx/dt = flux
    Deal and Grove (1965)    x^2 + A x = B (t + tau),   A = 2 D (1/k + 1/h),   B = 2 D C* / N_1

`transition_thickness` is A / 2, at which the film resists as much as gas and reaction together; it is measured on the
solved profile. The regime is "linear" below a tenth of it, "parabolic" beyond ten times, else "mixed".

What to look for

- "A constant flux of oxygen makes the film grow linearly" holds for silicon at 1100 C only up to some 45 nm.
- Doubling the reaction rate speeds a thin film up and a thick one not at all.
- Deal and Grove neglect the oxidant dissolved in the film. For silicon it is a millionth part of the oxide; where it is
  more, `dissolved = counted` solves the moving boundary in full.

Limits: one dimension, constant D. Oxide thinner than 30 nm grows faster in dry oxygen than this law says (Massoud
1985). A bare surface begins with a millionth of D / k, or of what the reaction alone would make.

Sources: B. E. Deal and A. S. Grove, J. Appl. Phys. 36 (1965) 3770 (dry oxygen, 1100 C: A = 0.090 um, B = 0.027 um^2/h,
tau = 0.076 h; 5.2e16 molecules/cm^3 dissolve, 2.2e22 make a cm^3 of oxide); H. Z. Massoud, J. D. Plummer and E. A.
Irene, J. Electrochem. Soc. 132 (1985) 2685; J. Stefan, Ann. Phys. 278 (1891) 269 (the moving boundary).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import brentq
from scipy.special import erf

import steadyflux as sf
from steadyflux.ground.constants import N_A
from steadyflux.systems.diffusion.radioactive_daughter import Thickness
from steadyflux.systems.system import Choice, Claim, Comparison, Numbers, Parameter, Result, System, Values

NONE = 1e-6  # of D / k and of what the reaction alone would make: the thickness with which a bare surface begins
FRACTIONS = np.linspace(0.0, 1.0, 101)
RTOL = 1e-8

PARAMETERS = (
    Parameter("diffusivity", 7.5e-18 * 2.2e28 / (2 * 5.2e22), "m^2/s", "oxygen in silica, from B", low=1e-30, high=1.0),
    Parameter("reaction_rate", 7.5e-18 * 2.2e28 / (5.2e22 * 9e-8), "m/s", "from B / A", low=1e-20, high=1e6),
    Parameter("surface_concentration", 5.2e22, "1/m^3", "dry oxygen, Deal and Grove 1965", low=1e-3, high=1e30),
    Parameter("atoms_per_volume", 2.2e28, "1/m^3", "oxidant molecules in silica", low=1e3, high=1e31),
    Parameter("initial_thickness", 2e-8, "m", "native oxide, near tau = 0.076 h", low=0.0, high=1.0),
    Thickness("gas_transfer", float("inf"), "m/s", "the gas is no resistance", low=1e-20, high=float("inf")),
    Choice("dissolved", "neglected", ("neglected", "counted"), "Deal and Grove 1965"),
    Parameter("time", 36000.0, "s", "10 h, chosen", low=1e-12, high=1e18),
    Numbers("times", (), "s", "none", low=0.0),
)


def film(thickness: Any) -> sf.Space:
    """The film of that thickness."""
    return sf.interval(nodes=thickness * FRACTIONS, names=("gas", "metal"))


class Growth(sf.Rate):
    """What reaches the metal becomes oxide, ``density`` mol/m^3."""

    density: Any

    def __call__(self, view: Any) -> Any:
        """The rate of the thickness, m/s."""
        return -view.flow("oxidant", "metal") / self.density


def model(p: Values) -> sf.Model:
    """The growing film, its thickness a shared unknown; amounts in mol."""
    outside, k = p.surface_concentration / N_A, p.reaction_rate
    soon = min([p.time, *(t for t in p.times if t > 0)])
    grown = k * p.surface_concentration / p.atoms_per_volume * soon
    begin = max(p.initial_thickness, NONE * min(p.diffusivity / k, grown))
    if np.isposinf(p.gas_transfer):
        gas: Any = sf.Hold("gas", {"oxidant": outside})
        level, half = outside, p.diffusivity / k
    else:
        gas = sf.Exchange("gas", sf.Transfer("oxidant", p.gas_transfer), {"oxidant": outside})
        half = p.diffusivity * (1.0 / k + 1.0 / p.gas_transfer)
        level = outside * (1.0 - p.diffusivity / p.gas_transfer / (begin + half))
    return sf.Model(
        sf.moving(film, {"thickness": begin}),
        quantities=[sf.Species("oxidant", capacity=1.0 if p.dissolved == "counted" else 0.0)],
        laws=[sf.Fick("oxidant", p.diffusivity)],
        boundaries=[gas, sf.Exchange("metal", sf.Transfer("oxidant", k), {"oxidant": 0.0})],
        start={"oxidant": level - outside * FRACTIONS * begin / (begin + half)},
        shared=[sf.Shared("thickness", rate=Growth(p.atoms_per_volume / N_A), start=begin, unit="m")],
    )


def solve(p: Values, model: sf.Model) -> sf.History:
    """The film as it grows until `time`, or the last of `times`."""
    return sf.evolve(model, until=max(p.time, *p.times, 0.0), rtol=RTOL)


def answers(p: Values, history: sf.History) -> dict[str, Any]:
    """Thickness, rate and flux at `time`, what limits them, the oxidant at both faces, and the way there."""
    time = min(p.time, float(history.times[-1]))
    moment = history.at(time)
    outer, inner = float(moment["oxidant"][0]), float(moment["oxidant"][-1])
    outside, flux = p.surface_concentration / N_A, float(-moment.flow("oxidant", "metal"))
    thickness = float(moment["thickness"])
    transition = thickness * (outside - (outer - inner)) / (outer - inner)
    ratio = thickness / transition
    return {
        "thickness": thickness,
        "rate": flux * N_A / p.atoms_per_volume,
        "flux": flux * N_A,
        "regime": "linear" if ratio < 0.1 else "parabolic" if ratio > 10.0 else "mixed",
        "transition_thickness": transition,
        "outer_concentration": outer * N_A,
        "inner_concentration": inner * N_A,
        "thickness_at": [float(x) for t in p.times if t <= history.times[-1] for x in history.values("thickness", [t])],
        "oxidant_taken_up": float(history.entered_at("oxidant", "gas", [time])[0]) * N_A,
    }


UNITS = {
    "thickness": "m",
    "rate": "m/s",
    "flux": "1/(m^2*s)",
    "regime": "",
    "transition_thickness": "m",
    "outer_concentration": "1/m^3",
    "inner_concentration": "1/m^3",
    "thickness_at": "m",
    "oxidant_taken_up": "1/m^2",
}

Run = Callable[..., Result]

# Independent reference computations (Deal and Grove's law in closed form), relative accuracy 1e-11.
DRY_CASE = {
    "surface_concentration": 5.2e22, "diffusivity": 1.5865384615384615e-12, "reaction_rate": 3.538115149565777e-05,
    "gas_transfer": 0.01, "atoms_per_volume": 2.2e28, "initial_thickness": 2e-8, "times": (3600.0, 36000.0, 360000.0),
}  # fmt: skip
DRY = (1.3170597047072294e-07, 4.786649692312825e-07, 1.5994527965253366e-06)
DRY_END = {
    "rate": 7.1610671332566655e-12, "transition_thickness": 4.5e-8, "outer_concentration": 5.198424565230684e22,
    "inner_concentration": 4.4527515434589943e21,
}  # fmt: skip
WET_CASE = {
    "surface_concentration": 3e25, "diffusivity": 1.0388888888888888e-13, "reaction_rate": 1.8892457464187678e-06,
    "gas_transfer": 0.01, "atoms_per_volume": 4.4e28, "initial_thickness": 0.0, "time": 7200.0,
    "times": (60.0, 1800.0, 7200.0, 86400.0),
}  # fmt: skip
WET = (5.235455276791944e-08, 4.529616127228513e-07, 9.564469832868157e-07, 3.4440034495296194e-06)
WET_END = {
    "rate": 7.00316818417433e-11, "transition_thickness": 5.5e-8, "outer_concentration": 2.999969186059990e25,
    "inner_concentration": 1.6310180964428582e24,
}  # fmt: skip


def _reference(run: Run) -> list[Comparison]:
    dry, wet = run(**DRY_CASE).answers, run(**WET_CASE).answers
    return [
        Comparison(dry["thickness_at"], np.array(DRY), 1e-6),
        *(Comparison(dry[name], value, 1e-6) for name, value in DRY_END.items()),
        Comparison(wet["thickness_at"], np.array(WET), 1e-5),
        *(Comparison(wet[name], value, 1e-5) for name, value in WET_END.items()),
    ]


def deal_grove(p: Values, time: float) -> float:
    """Thickness after Deal and Grove's law (1965, equation 12), m."""
    A = 2.0 * p.diffusivity * (1.0 / p.reaction_rate + 1.0 / p.gas_transfer)
    B = 2.0 * p.diffusivity * p.surface_concentration / p.atoms_per_volume
    x0 = p.initial_thickness
    return 0.5 * A * (np.sqrt(1.0 + 4.0 * (x0 * x0 + A * x0 + B * time) / A**2) - 1.0)


def _deal_grove(run: Run) -> list[Comparison]:
    comparisons = []
    for given in (
        {},
        {"diffusivity": 3e-10, "reaction_rate": 2e-3, "gas_transfer": 7e-3, "initial_thickness": 4e-6, "time": 9e7},
        {"diffusivity": 8e-15, "reaction_rate": 6e-9, "surface_concentration": 4e25, "time": 3e4},
    ):
        found = run(**given)
        expected = deal_grove(found.parameters, found.parameters.time)
        comparisons.append(Comparison(found.answers["thickness"], expected, 1e-6))
    return comparisons


def _limits(run: Run) -> list[Comparison]:
    thin = run(reaction_rate=1e-12, initial_thickness=0.0, time=3e6).answers
    thick = run(reaction_rate=30.0, initial_thickness=0.0).answers
    B = 7.5e-18
    return [
        Comparison(thin["thickness"], 1e-12 * 5.2e22 / 2.2e28 * 3e6, 1e-5),
        Comparison(thin["flux"], 1e-12 * 5.2e22, 1e-5),
        Comparison(thick["thickness"], (B * 36000.0) ** 0.5, 1e-5),
        Comparison(float(thin["regime"] == "linear") + 2.0 * float(thick["regime"] == "parabolic"), 3.0, 0.0),
    ]


def _stefan(run: Run) -> list[Comparison]:
    """Much oxidant dissolved, a fast reaction: x = 2 g sqrt(D t) with sqrt(pi) g exp(g^2) erf(g) = C* / N_1."""
    comparisons = []
    for share in (0.05, 0.7):
        g: Any = brentq(lambda g, share=share: np.sqrt(np.pi) * g * np.exp(g * g) * erf(g) - share, 1e-6, 3.0)
        case = {"surface_concentration": share * 2.2e28, "reaction_rate": 1e3, "initial_thickness": 0.0}
        found = run(**case, dissolved="counted").answers
        D = 7.5e-18 * 2.2e28 / (2 * 5.2e22)
        comparisons.append(Comparison(found["thickness"], 2.0 * g * (D * 36000.0) ** 0.5, 5e-5))
    return comparisons


def _counted(run: Run) -> list[Comparison]:
    """What entered from the gas is in the oxide, or still dissolved in it."""
    plain = run(initial_thickness=5e-8)
    grown = (plain.answers["thickness"] - 5e-8) * 2.2e28
    full = run(surface_concentration=4e27, dissolved="counted", initial_thickness=5e-8, time=3.0)
    gained = (full.answers["thickness"] - 5e-8) * 2.2e28
    held = full.solution.total("oxidant") - full.history.start.total("oxidant")
    return [
        Comparison(plain.answers["oxidant_taken_up"], grown, 1e-7),
        Comparison(full.answers["oxidant_taken_up"], gained + float(held) * N_A, 1e-6),
    ]


CLAIMS = (
    Claim("silicon at 1100 C in dry and in wet oxygen", "independent reference computation", _reference),
    Claim("Deal and Grove's law", "Deal and Grove 1965", _deal_grove),
    Claim("linear when thin, parabolic when thick", "limits", _limits),
    Claim("the moving boundary with dissolved oxidant", "Stefan 1891, similarity solution", _stefan),
    Claim("oxygen that entered is in the oxide", "conservation", _counted),
)


def figure(result: Result) -> Figure:
    """Thickness in time between its two limits, and the oxidant across the film at three moments."""
    p, history = result.parameters, result.history
    drawing = Figure(figsize=(9.5, 4.0), layout="constrained")
    left, right = drawing.subplots(1, 2)
    end = float(history.times[-1])
    t = np.geomspace(1e-4 * end, end, 200)
    x = history.values("thickness", t)
    left.loglog(t, 1e9 * x, color="C0", label="film")
    grown = p.initial_thickness + p.reaction_rate * p.surface_concentration / p.atoms_per_volume * t
    root = (2.0 * p.diffusivity * p.surface_concentration / p.atoms_per_volume * t) ** 0.5
    left.loglog(t, 1e9 * grown, "--", color="C2", label="reaction alone")
    left.loglog(t, 1e9 * root, ":", color="C3", label="diffusion alone")
    left.axhline(1e9 * result.answers["transition_thickness"], color="grey", lw=0.6, label="transition")
    left.set(xlabel="time, s", ylabel="thickness, nm")
    left.set_ylim(0.3e9 * float(x[0]), 3e9 * float(x[-1]))
    left.legend(fontsize=8)
    for share in (0.01, 0.1, 1.0):
        moment = history.at(share * end)
        z, c = np.asarray(moment.position()), np.asarray(moment["oxidant"]) * N_A
        right.plot(1e9 * z, c, label=f"{share * end / 3600.0:.3g} h")
    right.set(xlabel="depth in the film, nm", ylabel="oxidant, 1/m$^3$")
    right.set_ylim(0.0, None)
    right.legend(fontsize=8)
    return drawing


SYSTEM = System(
    name="oxide_growth",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
    solve=solve,
)
