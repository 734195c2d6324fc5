"""A drop of ink in still water, sugar in tea: diffusion to uniformity, and the entropy that mixing makes.

Seeds: B, C, D

Nobody stirs. A layer of ink at the bottom of a glass, a drop in a flat dish (two dimensions) or in the middle of a bowl
(three) spreads until it is the same everywhere. Nothing enters and nothing leaves: the steady state that it comes to is
equilibrium, and on the way the entropy of mixing is produced, no more and no less, whatever the shape.

Equations

    dc/dt = D lap c, sealed walls;   slowest decay in a layer of height H   exp(-pi^2 D t / H^2)
    entropy_produced = R integral of (c ln c at the start - c ln c now) dV,   in the end R n ln(V / V_drop) for n mol
    mixing_time: when no place differs from the mean by more than `uniformity` of it

A grain of sugar of radius R dissolves into the water around it, c_s at its face, c_0 far away, rho mol/m^3 of sugar:

    dissolution_time               dR/dt = -(D (c_s - c_0) / rho) (1 / R + 1 / sqrt(pi D t))   (Epstein, Plesset 1950)
    dissolution_time_quasi_steady  the same without the second term: rho R^2 / (2 D (c_s - c_0))
    dissolution_time_moving        the field around the receding surface solved in full

What to look for

- Glass of 8 cm: eighty days. The time goes with the square of the height; that is why one stirs.
- The entropy produced does not depend on D, only how soon it comes.
- The three dissolution times agree for a substance of low solubility. For sugar they do not: the quasi-steady field
  forgets how steep it was at the start, and Epstein and Plesset's gradient, that of a sphere which always had its
  present radius, forgets the sugar that a larger grain has left around it.

Limits: still water, constant D, dilute and ideal; a grain whose water closes in on it as it goes. `shape` chooses the
layer (per `cross_section`), the disc in a flat dish (`depth`) or the ball in a round bowl. Concentrations are good to
1e-6 of the drop's.

Sources: J. Fourier, Théorie analytique de la chaleur (1822) and A. Fick, Ann. Phys. 170 (1855) 59 (the series);
P. S. Epstein and M. S. Plesset, J. Chem. Phys. 18 (1950) 1505; sugar: typical values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq
from scipy.special import erf, j0, j1, jn_zeros

import steadyflux as sf
from steadyflux.ground.constants import R
from steadyflux.ground.errors import InputError
from steadyflux.systems.diffusion._grain import dissolving, epstein_plesset
from steadyflux.systems.diffusion._joint import joined_nodes
from steadyflux.systems.system import Choice, Claim, Comparison, Numbers, Parameter, Result, System, Values

RESTED = 30.0  # slowest decay times after which the run ends: e^-30 of the difference is left
RTOL = 1e-7

PARAMETERS = (
    Choice("shape", "layer", ("layer", "disc", "ball"), "chosen"),
    Parameter("diffusivity", 5e-10, "m^2/s", "sugar or a dye in water, typical value", low=1e-20, high=1.0),
    Parameter("drop_concentration", 50.0, "mol/m^3", "chosen", low=0.0, high=1e5),
    Parameter("water_concentration", 0.0, "mol/m^3", "clear water", low=0.0, high=1e5),
    Parameter("layer_thickness", 5e-3, "m", "chosen", low=1e-9, high=1e3),
    Parameter("height", 0.08, "m", "a glass", low=1e-9, high=1e3),
    Parameter("cross_section", 1.0, "m^2", "per square metre of the layer", low=1e-15, high=1e6),
    Parameter("drop_radius", 1e-3, "m", "a drop, chosen", low=1e-9, high=1e3),
    Parameter("vessel_radius", 0.05, "m", "a bowl", low=1e-9, high=1e3),
    Parameter("depth", 1.0, "m", "per metre of depth of the dish", low=1e-9, high=1e3),
    Numbers("times", (600.0, 7200.0, 86400.0), "s", "chosen", low=0.0),
    Numbers("positions", (), "m", "none: bottom and top; drops: middle, rim and 4 radii", low=0.0),
    Parameter("uniformity", 0.01, "", "within 1 %", low=1e-6, high=0.5),
    Parameter("grain_radius", 3e-4, "m", "sugar grain, typical value", low=1e-9, high=1.0),
    Parameter("solubility", 5900.0, "mol/m^3", "sugar, typical value per volume of water", low=1e-12, high=1e5),
    Parameter("grain_concentration", 0.0, "mol/m^3", "far from the grain: clear water", low=0.0, high=1e5),
    Parameter("grain_density", 4640.0, "mol/m^3", "sugar, 1588 kg/m^3 and 342 g/mol", low=1e-6, high=1e6),
    Parameter("cells", 1201.0, "", "good to 1e-5 of the drop's concentration", low=16.0, high=100000.0, whole=True),
)


def _sizes(p: Values) -> tuple[float, float]:
    """Extent of the drop and of the vessel, m."""
    drop, vessel = (p.layer_thickness, p.height) if p.shape == "layer" else (p.drop_radius, p.vessel_radius)
    if not drop < vessel:
        raise InputError(f"The drop ({drop:g} m) must be smaller than its vessel ({vessel:g} m).")
    return drop, vessel


def _rest(p: Values) -> float:
    """Time after which all is even, s: many decay times of the slowest mode."""
    wave = {"layer": np.pi, "disc": float(jn_zeros(1, 1)[0]), "ball": 4.493409457909064}[p.shape]
    return RESTED * (_sizes(p)[1] / wave) ** 2 / p.diffusivity


def model(p: Values) -> sf.Model:
    """The sealed vessel; at the start a face between two cells parts ink from water."""
    drop, vessel = _sizes(p)
    first = min((t for t in p.times if t > 0), default=_rest(p))
    spread = 2.0 * (p.diffusivity * first) ** 0.5
    near = max(min(2.0 * drop, 0.5 * vessel), min(3.0 * spread, vessel))
    nodes = drop + joined_nodes(drop, vessel - drop, near, min(0.1 * spread, drop), p.cells)
    nodes[0], nodes[-1] = 0.0, vessel
    shape = {"layer": "slab", "disc": "cylinder", "ball": "sphere"}[p.shape]
    area = {"layer": p.cross_section, "disc": p.depth, "ball": 1.0}[p.shape]
    return sf.Model(
        space=sf.interval(nodes=nodes, shape=shape, area=area, names=("bottom", "top")),
        quantities=[sf.Species("ink")],
        laws=[sf.Fick("ink", p.diffusivity)],
        start={"ink": np.where(nodes < drop, p.drop_concentration, p.water_concentration)},
    )


def solve(p: Values, model: sf.Model) -> sf.History:
    """From the moment the drop is there until all is even."""
    # What is left of a small drop in a large vessel is little beside what it was, and must be resolved all the same.
    mean, start = _mean(model), np.asarray(model.start["ink"])
    dilution = mean / max(float(start.max()), 1e-300) if mean > 0 else 1.0
    atol = RTOL * max(1e-2 * dilution, 1e-9)
    return sf.evolve(model, until=max(_rest(p), *p.times, 0.0), rtol=RTOL, atol=atol)


def _mean(model: sf.Model) -> float:
    volume = np.asarray(model.space.volume)
    return float(volume @ np.asarray(model.start["ink"])) / float(volume.sum())


def _x_log_x(c: np.ndarray) -> np.ndarray:
    return np.where(c > 0.0, c * np.log(np.maximum(c, 1e-300)), 0.0)


def _entropy(history: sf.History, c: np.ndarray) -> np.ndarray:
    """Entropy of the ideal solution above that of the start, J/K, of profiles (time, cell)."""
    volume = np.asarray(history.model.space.volume)
    begin = np.asarray(history.model.start["ink"])
    return R * (volume @ _x_log_x(begin) - _x_log_x(c) @ volume)


def answers(p: Values, history: sf.History) -> dict[str, Any]:
    """Concentrations, mixing time and entropy on the way to equilibrium; how long a grain takes to dissolve."""
    drop, vessel = _sizes(p)
    x = np.asarray(history.end.position())
    default = (0.0, vessel) if p.shape == "layer" else (0.0, drop, 4.0 * drop)
    at = np.array(p.positions or [z for z in default if z <= vessel])
    if np.any(at > vessel):
        raise InputError(f"The position {at.max():g} m lies outside the vessel, which ends at {vessel:g} m.")
    times = [t for t in p.times if t <= history.times[-1]]
    profiles = history.values("ink", times) if times else np.zeros((0, len(x)))
    mean = _mean(history.model)
    found: dict[str, Any] = {
        "concentration_at": [CubicSpline(x, c)(at).tolist() for c in profiles],
        "final_concentration": float(np.asarray(history.end["ink"]).mean()),
        "entropy_produced": float(_entropy(history, history["ink"][-1:])[0]),
        "entropy_produced_at": _entropy(history, profiles).tolist(),
        "regime": history.regime,
    }
    mixed = _mixing_time(history, mean, p.uniformity)
    if mixed is not None:
        found["mixing_time"] = mixed
    excess = p.solubility - p.grain_concentration
    if excess > 0:
        given = (p.grain_radius, p.diffusivity)
        found["dissolution_time"] = epstein_plesset(*given, excess / p.grain_density)
        found["dissolution_time_quasi_steady"] = epstein_plesset(*given, excess / p.grain_density, memory=0.0)
        grain = dissolving(*given, p.solubility, p.grain_concentration, p.grain_density)
        found["dissolution_time_moving"] = grain.events[0].time
    return found


def _mixing_time(history: sf.History, mean: float, uniformity: float) -> float | None:
    """Last time at which some place differs from the mean by that share of it; None if the run ends before."""

    def excess(time: float) -> float:
        return float(np.max(np.abs(history.values("ink", [time])[0] - mean))) - uniformity * mean

    off = np.max(np.abs(history["ink"] - mean), axis=1) - uniformity * mean
    last = np.flatnonzero(off > 0.0)
    if len(last) == 0:
        return 0.0
    if last[-1] == len(off) - 1:
        return None
    mixed: Any = brentq(excess, history.times[last[-1]], history.times[last[-1] + 1])
    return float(mixed)


UNITS = {
    "concentration_at": "mol/m^3",
    "final_concentration": "mol/m^3",
    "mixing_time": "s",
    "entropy_produced": "J/K",
    "entropy_produced_at": "J/K",
    "regime": "",
    "dissolution_time": "s",
    "dissolution_time_quasi_steady": "s",
    "dissolution_time_moving": "s",
}

Run = Callable[..., Result]

# Independent reference computations (series and error functions), relative accuracy 1e-9.
GLASS_BOTTOM, GLASS_TOP = (49.999999994588066, 46.87962907156471, 20.46819107630946), (0.0, 0.0, 3.3306690738754696e-14)
GLASS = {"mixing_time": 6863102.965477779, "entropy_produced": 5.763146321643979, "final_concentration": 3.125}
GLASS_ENTROPY = (0.29084555998794137, 1.0064015699766964, 2.8931930766805865)
BALL = (
    (17.781509718148737, 9.854647788912054, 0.0005513579351070158),
    (0.6603381928381113, 0.6172170906939574, 0.22410797160942497),
    (0.016501017663469314, 0.016406021065202836, 0.015044968996317909),
)
SUGAR = {"dissolution_time": 23.270785723665036, "dissolution_time_quasi_steady": 70.77966101694913}
CAPILLARY_CASE = {
    "diffusivity": 9e-11, "drop_concentration": 1.0, "layer_thickness": 2e-4, "height": 1e-3,
    "times": (1.0, 10.0, 200.0), "grain_radius": 2e-5, "solubility": 2.0, "grain_concentration": 0.5,
    "grain_density": 30.0, "drop_radius": 5e-5, "vessel_radius": 4e-3,
}  # fmt: skip
CAPILLARY = {
    "mixing_time": 5889.723740652975, "entropy_produced": 0.0026763222718343828, "final_concentration": 0.2,
    "dissolution_time": 34.085398689115735, "dissolution_time_quasi_steady": 44.44444444444446,
}  # fmt: skip
CAPILLARY_BOTTOM, CAPILLARY_TOP = (1.0, 0.999997571532527, 0.7081594548562115), (0.0, 0.0, 2.4826352375995064e-05)
CAPILLARY_ENTROPY = (0.00010075185741098765, 0.0003186053479107665, 0.0013809721109178726)
DROPLET = (
    (0.9969396378047827, 0.6706158446838257, 0.0),
    (0.29185870792747626, 0.20926958763740355, 4.0105231755764776e-05),
    (0.004767000936594629, 0.004663669349600386, 0.0027561611363624006),
)


def _layers(run: Run) -> list[Comparison]:
    glass, capillary = run().answers, run(**CAPILLARY_CASE).answers
    return [
        *(Comparison(glass[name], value, 2e-5) for name, value in (GLASS | SUGAR).items()),
        Comparison(np.array(glass["concentration_at"]).T, np.array((GLASS_BOTTOM, GLASS_TOP)), 1e-5, 5e-6),
        Comparison(glass["entropy_produced_at"], np.array(GLASS_ENTROPY), 5e-5),
        *(Comparison(capillary[name], value, 2e-5) for name, value in CAPILLARY.items()),
        Comparison(np.array(capillary["concentration_at"]).T, np.array((CAPILLARY_BOTTOM, CAPILLARY_TOP)), 1e-5, 1e-7),
        Comparison(capillary["entropy_produced_at"], np.array(CAPILLARY_ENTROPY), 5e-5),
    ]


def _balls(run: Run) -> list[Comparison]:
    """In a vessel so wide that its wall is not felt in the times asked for."""
    ink = run(shape="ball").answers["concentration_at"]
    droplet = run(**CAPILLARY_CASE, shape="ball", positions=(0.0, 4e-5, 2e-4)).answers["concentration_at"]
    return [
        Comparison(np.array(ink), np.array(BALL), 2e-5, 5e-5),
        Comparison(np.array(droplet), np.array(DROPLET), 2e-5, 1e-6),
    ]


def _ball_in_a_bowl(run: Run) -> list[Comparison]:
    """The error functions of a ball in open water, and in a small bowl the series of its closed modes."""
    D, a, wall, t = 1.3e-9, 7e-4, 2e-3, 400.0
    case = {"shape": "ball", "diffusivity": D, "drop_radius": a, "drop_concentration": 3.0, "water_concentration": 0.4}
    at = np.array((1e-4, 6e-4, 1.7e-3))
    closed = run(**case, vessel_radius=wall, times=(t,), positions=tuple(at)).answers["concentration_at"][0]
    q = np.array(
        [brentq(lambda q: np.tan(q) - q, (n + 0.5) * np.pi - 0.5, (n + 0.5) * np.pi - 1e-9) for n in range(1, 60)]
    )
    amount = (np.sin(q * a / wall) - q * a / wall * np.cos(q * a / wall)) / q**2
    modes = 2.0 * amount / (q * np.sin(q) ** 2) * q * np.exp(-(q**2) * D * t / wall**2)
    series = (modes * np.sin(q * at[:, None] / wall) / (at[:, None] / wall)).sum(axis=1)
    early = run(**case, vessel_radius=0.03, times=(t,), positions=tuple(at)).answers["concentration_at"][0]
    root = (4.0 * D * t) ** 0.5
    spread = 0.5 * (erf((at + a) / root) - erf((at - a) / root)) - root / (2.0 * at * np.pi**0.5) * (
        np.exp(-(((at - a) / root) ** 2)) - np.exp(-(((at + a) / root) ** 2))
    )
    return [
        Comparison(closed, 0.4 + 2.6 * ((a / wall) ** 3 + series), 1e-5),
        Comparison(early, 0.4 + 2.6 * spread, 1e-5),
    ]


def _disc(run: Run) -> Comparison:
    """A drop in a dish: the Bessel series of the sealed disc."""
    D, a, wall = 8e-10, 2e-3, 9e-3
    at, times = np.array((0.0, 1.5e-3, 8e-3)), np.array((1500.0, 9000.0))
    case = {"shape": "disc", "diffusivity": D, "drop_radius": a, "vessel_radius": wall}
    found = run(**case, times=tuple(times), positions=tuple(at)).answers["concentration_at"]
    q = jn_zeros(1, 80)
    modes = 2.0 * a / wall * j1(q * a / wall) / (q * j0(q) ** 2) * np.exp(-(q**2) * D * times[:, None] / wall**2)
    return Comparison(np.array(found), 50.0 * ((a / wall) ** 2 + modes @ j0(q[:, None] * at / wall)), 1e-5, 1e-4)


def _mixing(run: Run) -> list[Comparison]:
    """R n ln(V / V_drop) in the end; on the way what the edges produce, integrated over time."""
    comparisons = []
    for shape, n, ratio in (
        ("layer", 50.0 * 5e-3, 16.0),
        ("disc", 50.0 * np.pi * 1e-6, 2500.0),
        ("ball", 50.0 * 4.0 / 3.0 * np.pi * 1e-9, 125000.0),
    ):
        found = run(shape=shape, cells=301)
        comparisons += [
            Comparison(found.answers["entropy_produced"], R * n * np.log(ratio), 1e-8),
            Comparison(float(found.answers["regime"] == "equilibrium"), 1.0, 0.0),
        ]
    tinted = run(water_concentration=8.0, cells=301)
    produced = float(tinted.history.entropy_produced[-1])
    return [*comparisons, Comparison(produced, tinted.answers["entropy_produced"], 2e-3)]


def _slow_dissolving(run: Run) -> list[Comparison]:
    """For a substance of low solubility all three times agree; Epstein and Plesset's is between the other two."""
    a = run(solubility=4640e-6).answers
    whole, simple, quasi = (a[f"dissolution_time{n}"] for n in ("_moving", "", "_quasi_steady"))
    return [Comparison(simple / quasi, 1.0, 3e-3), Comparison(whole / quasi, 1.0, 3e-3)]


def _order(run: Run) -> Comparison:
    off = [run(cells=n, times=(86400.0,)).answers["concentration_at"][0][0] - GLASS_BOTTOM[2] for n in (51, 101)]
    return Comparison(np.log2(off[0] / off[1]), 2.0, 0.0, 0.15)


CLAIMS = (
    Claim("ink in a glass and in a capillary, dissolving grains", "independent reference computation", _layers),
    Claim("a drop and a droplet in open water", "independent reference computation", _balls),
    Claim("a ball in a small bowl and in open water", "closed forms: series, error functions", _ball_in_a_bowl),
    Claim("a drop in a flat dish", "closed form: Bessel series", _disc),
    Claim("the entropy of mixing is produced, and then equilibrium", "Gibbs 1875; second route in time", _mixing),
    Claim("a grain of low solubility dissolves quasi-steadily", "limit", _slow_dissolving),
    Claim("second order in the step", "observed on two meshes against the reference", _order),
)


def figure(result: Result) -> Figure:
    """Profiles as the ink spreads, and the entropy it produces on the way to equilibrium."""
    p, history = result.parameters, result.history
    x, end = 1e3 * np.asarray(history.end.position()), float(history.times[-1])
    drawing = Figure(figsize=(9.5, 4.0), layout="constrained")
    left, right = drawing.subplots(1, 2)
    shown = [t for t in p.times if t <= end] + [10.0**n * end / RESTED for n in (-1, 0, 1) if 10.0**n < RESTED]
    left.plot(x, np.asarray(history.model.start["ink"]), color="0.7", label="at the start")
    for number, t in enumerate(sorted(shown)):
        label = f"{t / 86400.0:.3g} d" if t >= 86400.0 else f"{t / 3600.0:.3g} h"
        left.plot(x, history.values("ink", [t])[0], color=f"C{number % 10}", label=label)
    left.set(xlabel="height, mm" if p.shape == "layer" else "distance from the middle, mm", ylabel="ink, mol/m$^3$")
    left.set_xlim(0.0, min(float(x[-1]), 8e3 * _sizes(p)[0]))
    left.legend(fontsize=8)
    later = history.times > 0
    right.semilogx(history.times[later], _entropy(history, history["ink"])[later], color="C3")
    if "mixing_time" in result.answers and result.answers["mixing_time"] > 0:
        mixed = result.answers["mixing_time"]
        right.axvline(
            mixed, color="grey", ls=":", label=f"even within {100 * p.uniformity:.3g} %: {mixed / 86400:.3g} d"
        )
        right.legend(fontsize=8)
    right.set_xlim(1e-8 * end, end)
    right.set(xlabel="time, s", ylabel="entropy produced, J/K")
    return drawing


SYSTEM = System(
    name="ink_drop",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
    solve=solve,
)
