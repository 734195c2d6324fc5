"""A large flat electrode: the current falls for ever, in a step as one over the square root of time; voltammetry.

Seeds: A

O + n e- -> R at an electrode in still solution with plenty of supporting salt. At a flat electrode the zone emptied of
O grows as the square root of time and nothing ever stops it: no steady state. Around a sphere the zone's outside grows
with it and the current settles; in a thin layer the reactant runs out. Sweeping the potential instead of stepping it
gives voltammograms, whose peaks are the race between the rising drive and the growing zone.

## Equations

    dc/dt = D c'' (flat, layer) or D (r^2 c')' / r^2 (sphere),   c = bulk at the start and far away (layer: sealed)
    at the electrode   -D_O c_O' = D_R c_R' = i / (n F A),   one of
        limited           c_O = 0                                          (neither rates nor a potential are given)
        rates             i / (n F A) = kf c_O - kb c_R                    (kf, kb)
        Butler-Volmer     kf = k0 exp(-alpha u), kb = k0 exp((1 - alpha) u),  u = n F (E - E0) / R T
    step               E = potential from t = 0 on
    linear, cyclic     E from start_potential to switch_potential (and back) at scan_rate

Without k0 the couple is reversible: a k0 a million times what the fastest diffusion asked for can follow. Reduction is
positive. The diffusion layer is D (bulk - surface) / flux, sqrt(pi D t) in a limited step.

The bath is as wide as six diffusion lengths sqrt(D t) of the whole run, beyond which a front has lost all but 2e-17 of
its height. The steps begin at mesh_growth diffusion lengths of the shortest time asked for (in a sweep of the time for
R T / n F) and grow by the factor 1 + mesh_growth, so that every moment finds steps of the same share of its own
diffusion length; the error of the current is a tenth of mesh_growth squared.

## What to look for

In the step i sqrt(t) stays the same over all decades; rates delay the fall at short times; a sphere bends off to a
plateau and a layer plunges. The forward peak of a reversible sweep is 0.4463 n F A c sqrt(n F v D / R T), 28.5 mV / n
past the half-wave potential; slower kinetics push the two peaks apart.

## Limits

Diffusion alone: no convection (which ends the fall after a minute or so), no migration, no edges, no ohmic drop, no
double layer; concentrations low enough for ideal solutions.

## Sources

Cottrell 1903; Randles 1948; Sevcik 1948; Nicholson and Shain 1964; Nicholson 1965; Bard and Faulkner 2001.
Ferri/ferricyanide in 1 M KCl: D 7.2e-10 and 6.7e-10 m^2/s, E0' 0.36 V (typical values).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.special import erfcx

import steadyflux as sf
from steadyflux.ground.constants import FARADAY
from steadyflux.ground.errors import InputError
from steadyflux.systems.electrode._planar_claims import CLAIMS
from steadyflux.systems.electrode._waves import ends, peak, potentials, thermal
from steadyflux.systems.system import Choice, Numbers, Parameter, Result, System, Values

ROUND = 64  # the number of steps is a multiple of this
WIDTH = 6.0  # diffusion lengths of the run
FAST = 1e6  # k0 of a reversible couple over what diffusion can follow
SPACING = 0.1  # R T / n F between recorded points of a sweep

PARAMETERS = (
    Choice("waveform", "step", ("step", "linear", "cyclic"), "of the electrode potential"),
    Choice("geometry", "plane", ("plane", "sphere", "layer"), "of the solution at the electrode"),
    Parameter("electrons", 1.0, "", "ferricyanide", 0.1, 20.0),
    Parameter("area", 7.07e-6, "m^2", "disk of 3 mm; of a sphere the area follows from its radius", 1e-16, 1e4),
    Parameter("diffusivity_o", 7.2e-10, "m^2/s", "ferricyanide, 1 M KCl (typical)", 1e-16, 1e-3),
    Parameter("diffusivity_r", 6.7e-10, "m^2/s", "ferrocyanide, 1 M KCl (typical)", 1e-16, 1e-3),
    Parameter("bulk_o", 1.0, "mol/m^3", "1 mM", 0.0, 1e5),
    Parameter("bulk_r", 0.0, "mol/m^3", "none at the start", 0.0, 1e5),
    Parameter("kf", None, "m/s", "rate constant of the reduction; of a step", 0.0, 1e6),
    Parameter("kb", None, "m/s", "rate constant of the oxidation; of a step", 0.0, 1e6),
    Parameter("k0", None, "m/s", "standard rate constant; left out: reversible", 1e-30, 1e6),
    Parameter("alpha", 0.5, "", "symmetry factor", 0.01, 0.99),
    Parameter("E0", 0.36, "V", "formal potential of the couple (typical)", -20.0, 20.0),
    Parameter("potential", None, "V", "to which the electrode is stepped; left out: limited by diffusion", -20.0, 20.0),
    Parameter("start_potential", None, "V", "of a sweep; left out: where hardly any current flows", -20.0, 20.0),
    Parameter("switch_potential", None, "V", "of a sweep; left out: well past the peak", -20.0, 20.0),
    Parameter("scan_rate", 0.1, "V/s", "usual", 1e-9, 1e9),
    Parameter("temperature", 298.15, "K", "25 degC", 100.0, 2000.0),
    Parameter("radius", 1.5e-3, "m", "of the spherical electrode", 1e-9, 10.0),
    Parameter("layer_thickness", 5e-5, "m", "of the thin layer", 1e-9, 10.0),
    Numbers("times", (0.01, 1.0, 20.0), "s", "at which the answers of a step are wanted", 1e-15),
    Parameter("mesh_growth", 0.01, "", "keeps the error of the current below 2e-5", 1e-3, 0.2),
)


COUPLE = (
    *("electrons", "area", "diffusivity_o", "diffusivity_r", "bulk_o", "bulk_r", "k0", "alpha", "E0"),
    *("start_potential", "switch_potential", "scan_rate", "temperature", "mesh_growth"),
)


def surface(p: Values) -> float:
    """Area of the electrode, m^2."""
    return 4.0 * np.pi * p.radius**2 if p.geometry == "sphere" else p.area


def _shortest(p: Values) -> float:
    """The shortest time that must be resolved, s."""
    return min(p.times) if p.waveform == "step" else thermal(p) / p.scan_rate


def duration(p: Values) -> float:
    """Time that the run takes, s."""
    if p.waveform == "step":
        return max(p.times)
    start, switch = ends(p)
    return abs(start - switch) / p.scan_rate * (2.0 if p.waveform == "cyclic" else 1.0)


def _space(p: Values) -> sf.Space:
    # What is left in a layer falls exponentially, and an error of its rate grows with the time.
    growth = 0.5 * p.mesh_growth if p.geometry == "layer" else p.mesh_growth
    diffusivities = (p.diffusivity_o, p.diffusivity_r)
    first = growth * np.sqrt(min(diffusivities) * _shortest(p))
    width = WIDTH * np.sqrt(max(diffusivities) * duration(p))
    if p.geometry == "sphere":
        first = min(first, growth * p.radius)
    if p.geometry == "layer":
        width = p.layer_thickness
        first = min(first, growth * width)
    # Steps first + growth * x: the integral of dx / step says how many there are. Their number is rounded up, so that
    # runs alike share their compiled programs; a bath gets wider by that, a layer is cut finer.
    span = np.log1p(growth * width / first) / growth
    count = ROUND * int(np.ceil(span / ROUND))
    x = first / growth * np.expm1(growth * np.arange(count + 1) * (span / count if p.geometry == "layer" else 1.0))
    if p.geometry == "sphere":
        return sf.interval(nodes=p.radius + x, shape="sphere", names=("electrode", "bulk"))
    return sf.interval(nodes=x, area=p.area, names=("electrode", "bulk"))


def _limited(p: Values) -> bool:
    return p.waveform == "step" and p.kf is None and p.kb is None and p.potential is None


def _electrode(p: Values) -> sf.Exchange:
    """The electrode reaction, its potential counted from the formal one."""
    n, k0 = p.electrons, p.k0
    if k0 is None:
        k0 = FAST * np.sqrt(max(p.diffusivity_o, p.diffusivity_r) / _shortest(p))
    E: Any = 0.0
    if p.waveform != "step":
        start, switch = ends(p)
        E = sf.triangle(start - p.E0, switch - p.E0, p.scan_rate, cycles=1.0 if p.waveform == "cyclic" else 0.5)
    elif p.potential is not None:
        E = p.potential - p.E0
    else:
        kf, kb = p.kf or 0.0, p.kb or 0.0
        if kf == 0.0 and kb == 0.0:
            raise InputError("kf and kb are both zero, so nothing reacts; give one of them.")
        if kb == 0.0 or kf == 0.0:
            one_way = sf.SurfaceRate({"O": -1, "R": 1}, kf) if kf else sf.SurfaceRate({"R": -1, "O": 1}, kb)
            return sf.Exchange("electrode", one_way, {"O": 1.0, "R": 1.0})
        k0, E = kf ** (1.0 - p.alpha) * kb**p.alpha, thermal(p) * np.log(kb / kf)
    law = sf.ButlerVolmer({"O": -1, "R": 1}, n, n * FARADAY * k0, alpha=p.alpha)
    return sf.Exchange("electrode", law, {"O": 1.0, "R": 1.0, "phi": E})


def _check(p: Values) -> None:
    if p.bulk_o == 0.0 and p.bulk_r == 0.0:
        raise InputError("bulk_o and bulk_r are both zero, so there is nothing to react; give one of them.")
    if (p.kf is not None or p.kb is not None) and p.potential is not None:
        raise InputError("kf and kb already say how fast a step drives the reaction; leave out potential, or give k0.")
    if not p.times:
        raise InputError("times is empty; give at least one time.")


def model(p: Values) -> sf.Model:
    """The solution at its electrode; in a limited step only what reacts matters."""
    _check(p)
    space, far = _space(p), ["bulk"] if p.geometry != "layer" else []
    if _limited(p):
        name = "O" if p.bulk_o > 0 else "R"
        bulk, D = (p.bulk_o, p.diffusivity_o) if name == "O" else (p.bulk_r, p.diffusivity_r)
        return sf.Model(
            space,
            [sf.Species(name)],
            [sf.Fick(name, D)],
            [sf.Hold("electrode", {name: 0.0}), *(sf.Hold(place, {name: bulk}) for place in far)],
            start={name: bulk},
            temperature=p.temperature,
        )
    bulk = {"O": p.bulk_o, "R": p.bulk_r}
    return sf.Model(
        space,
        [sf.Species("O"), sf.Species("R")],
        [sf.Fick("O", p.diffusivity_o), sf.Fick("R", p.diffusivity_r)],
        [_electrode(p), *(sf.Hold(place, bulk) for place in far)],
        start=bulk,
        given={"phi": 0.0},
        temperature=p.temperature,
    )


def solve(p: Values, model: sf.Model) -> sf.History:
    """The run, recorded at the asked times and evenly in between: by decades in a step, by potential in a sweep."""
    end = duration(p)
    if p.waveform == "step":
        first = min(p.times)
        even = np.geomspace(first, end, 1 + int(np.ceil(20 * np.log10(end / first)))) if end > first else []
        asked = np.unique([*p.times, *even])
    else:
        even = np.linspace(0.0, end, 1 + int(np.ceil(end * p.scan_rate / (SPACING * thermal(p)))))[1:]
        asked = np.unique([*even, *(t for t in p.times if t < end)])
    # In a layer that is being emptied even the last trace has its say; elsewhere a front's foot has none.
    traces = 1e-30 if p.geometry == "layer" and _limited(p) else 1e-12
    return sf.evolve(model, end, times=asked[asked <= end], rtol=1e-8, atol=traces)


def current(p: Values, history: sf.History) -> np.ndarray:
    """Current at every recorded time, A, (time,); reduction is positive."""
    name = history.model.names[0]
    sign = -1.0 if name == "O" else 1.0
    return sign * p.electrons * FARADAY * history.flow(name, "electrode")


def peaks(p: Values, history: sf.History) -> list[tuple[float, float] | None]:
    """The peak of each leg of a sweep: potential, V, and current, A; None where a leg has none."""
    start, switch = ends(p)
    leg, way = abs(switch - start) / p.scan_rate, np.sign(start - switch)
    E, i = potentials(p, history.times), current(p, history)
    found = []
    for number, sign in enumerate((way, -way)):
        inside = (history.times > number * leg) & (history.times <= (number + 1) * leg)
        top = peak(E[inside], sign * i[inside])
        found.append(None if top is None else (top[0], sign * top[1]))
    return found


def _swept(p: Values, history: sf.History) -> dict[str, float]:
    forth, back = peaks(p, history)
    found = {}
    if forth is not None:
        found = {"peak_current": forth[1], "peak_potential": forth[0]}
    if back is not None:
        found |= {"reverse_peak_current": back[1], "reverse_peak_potential": back[0]}
    if forth is not None and back is not None:
        found["peak_separation"] = abs(back[0] - forth[0])
    return found


def answers(p: Values, history: sf.History) -> dict[str, Any]:
    """Currents, charges and diffusion layers at the asked times; peaks of the sweep.

    Beside a step stand the peaks of the same couple's cyclic voltammogram at a flat electrode.
    """
    end = float(history.times[-1])
    if end > duration(p) * (1.0 + 1e-9):
        raise InputError(
            f"The bath is wide enough for {duration(p):g} s, the run took {end:g} s; "
            + ("give a later last one in times." if p.waveform == "step" else "the sweep is over then.")
        )
    times = [t for t in p.times if t <= end] or [end]
    name = history.model.names[0]
    bulk, D = (p.bulk_o, p.diffusivity_o) if name == "O" else (p.bulk_r, p.diffusivity_r)
    sign = (-1.0 if name == "O" else 1.0) * p.electrons * FARADAY
    moments = [history.at(t) for t in times]
    flow = np.array([float(one.flow(name, "electrode")) for one in moments])
    at_surface = np.array([float(one[name][0]) for one in moments])
    found: dict[str, Any] = {
        "current_at": sign * flow,
        "charge_at": sign * history.entered_at(name, "electrode", times),
        "steady": history.steady,
        "reason": history.reason,
    }
    if np.all(flow != 0.0):
        found["diffusion_layer"] = D * surface(p) * (at_surface - bulk) / flow
    if p.waveform != "step":
        return found | _swept(p, history)
    if len(times) > 1 and np.all(flow[-2:] * flow[-1] > 0):
        found["current_exponent"] = float(np.log(flow[-1] / flow[-2]) / np.log(times[-1] / times[-2]))
    return found | _companion(tuple((name, p.items[name]) for name in COUPLE))


@lru_cache(maxsize=8)
def _companion(couple: tuple[tuple[str, Any], ...]) -> dict[str, float]:
    """Peaks of the couple's cyclic voltammogram at a flat electrode, the same for many steps."""
    p = SYSTEM.values({**dict(couple), "waveform": "cyclic"})
    return _swept(p, solve(p, model(p)))


UNITS = {
    "current_at": "A",
    "charge_at": "C",
    "diffusion_layer": "m",
    "current_exponent": "",
    "peak_current": "A",
    "peak_potential": "V",
    "peak_separation": "V",
    "reverse_peak_current": "A",
    "reverse_peak_potential": "V",
    "steady": "",
    "reason": "",
}


def _draw_step(p: Values, history: sf.History, axes: Any) -> None:
    t, i = history.times, current(p, history)
    name = history.model.names[0]
    D, bulk = (p.diffusivity_o, p.bulk_o) if name == "O" else (p.diffusivity_r, p.bulk_r)
    cottrell = p.electrons * FARADAY * surface(p) * bulk * np.sqrt(D / (np.pi * t))
    axes.loglog(t, np.abs(i), label="this electrode")
    axes.loglog(t, cottrell, "--", color="0.4", label="Cottrell, slope -1/2")
    if p.kf and not p.kb:
        rate = p.kf / np.sqrt(D)
        kinetic = p.electrons * FARADAY * surface(p) * bulk * p.kf * erfcx(rate * np.sqrt(t))
        axes.loglog(t, kinetic, ":", color="C3", label="flat electrode with kf")
    axes.set_xlabel("time, s")
    axes.set_ylabel("current, A")
    axes.legend()


def _draw_sweep(p: Values, history: sf.History, axes: Any) -> None:
    axes.plot(potentials(p, history.times), 1e6 * current(p, history))
    for one in peaks(p, history):
        if one is not None:
            axes.plot(one[0], 1e6 * one[1], "o", color="C3")
    axes.axhline(0.0, lw=0.8, color="0.6")
    axes.set_xlabel("potential, V")
    axes.set_ylabel("current, µA (reduction up)")


def figure(result: Result) -> Figure:
    """Current of the step beside Cottrell's, or the voltammogram; profiles at several times."""
    p, history = result.parameters, result.history
    drawing = Figure(figsize=(10.0, 4.4), layout="constrained")
    left, right = drawing.subplots(1, 2)
    (_draw_step if p.waveform == "step" else _draw_sweep)(p, history, left)
    x = 1e6 * np.asarray(history.model.space.position)
    x = x - x[0]
    name = history.model.names[0]
    shown = history.times[np.linspace(0, len(history.times) - 1, 6).round().astype(int)]
    for t, c in zip(shown, history.values(name, shown), strict=True):
        right.plot(x, c, label=f"{t:.3g} s")
    shares = {"plane": 0.6 * x[-1], "sphere": min(x[-1], 2e7 * p.radius), "layer": x[-1]}
    right.set_xlim(0.0, shares[p.geometry])
    right.set_xlabel("distance from the electrode, µm")
    right.set_ylabel(f"concentration of {name}, mol/m$^3$")
    right.legend()
    return drawing


SYSTEM = System(
    name="planar_electrode",
    parameters=PARAMETERS,
    model=model,
    solve=solve,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
)
