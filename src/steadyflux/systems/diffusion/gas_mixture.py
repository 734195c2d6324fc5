"""Gases that drag each other along: vapours leaving a tube of stagnant air, and three gases between two bulbs.

Seeds: C

In a mixture of gases each species is driven by its own gradient and dragged by all others. With three or more, a gas
may flow up its own gradient.

    stefan_tube   vapours rise from a liquid through a tube to a stream that sweeps its top; a gas that does not
                  dissolve stands still in between. Steady.
    two_bulb      two closed bulbs of different mixtures at one pressure, joined by a capillary. In time.

Equations (Maxwell and Stefan; x = c_i / c the mole fractions, c = p / RT)

    dx_i/dz = sum_j (x_i N_j - x_j N_i) / (c D_ij)
    stefan_tube   N_n = 0 at the liquid for the last gas, the others held there; all held at the top
    two_bulb      sum_i N_i = 0;  c V_A dx_i/dt = -A N_i,  c V_B dx_i/dt = A N_i,  A = pi diameter^2 / 4

The tube between the bulbs stores `tube_storage` of its volume: 0 is the usual analysis, 1 what a tube really holds.
Mixtures of any number n of gases may be given: `left_fractions` (at the liquid, in bulb A) and `right_fractions` are
those of gases 1 to n - 1, the last one makes up the rest; `diffusivities` are those of the pairs 12, 13, ... 1n, 23
and so on.

What to look for

- The air of the Stefan tube stands still although its gradient is the steepest: the vapours drag it up as fast as it
  diffuses down.
- In the two bulbs nitrogen (gas 2) has hardly any gradient at the start but flows at once: osmotic diffusion, at
  `osmotic_time` with exactly none. Carbon dioxide drags it along, up its own gradient: reverse diffusion. At
  `extremum_time` it does not flow although its gradient is there: a diffusion barrier. Then it goes the ordinary way.
- Entropy is produced all the same; the friction matrix is symmetric.

`fluxes` are counted from the liquid, or from bulb A, into the tube; in the two bulbs they are those of the start. The
answers of an extremum are left out where gas number `gas` has none.

Limits: ideal gas, one temperature, tubes much wider than the free path and long compared with their width.

Sources: J. C. Maxwell 1867, J. Stefan 1871. R. Carty and T. Schrodt, Ind. Eng. Chem. Fundam. 14 (1975) 276 (acetone,
methanol, air). J. B. Duncan and H. L. Toor, AIChE J. 8 (1962) 38 (hydrogen, nitrogen, carbon dioxide). R. Taylor and R.
Krishna, Multicomponent Mass Transfer (1993), examples 2.1.1 and 5.4.1. Defaults after the latter, from memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import root_scalar

import steadyflux as sf
from steadyflux.ground.errors import InputError
from steadyflux.systems.diffusion._gas_claims import CLAIMS
from steadyflux.systems.diffusion._gases import (
    MODES,
    bulbs,
    composition,
    fluxes,
    fractions,
    gases,
    labels,
    section,
    setting,
    total,
    tube,
)
from steadyflux.systems.system import Choice, Numbers, Parameter, Result, System, Values

LASTS = 12.0  # slowest times of the two bulbs that a run lasts
LEAST = 1e-6  # mole fraction of the gas that stands still
RTOL = 1e-8

BOTH = "by mode: Carty and Schrodt 1975, Duncan and Toor 1962"

PARAMETERS = (
    Choice("mode", "stefan_tube", MODES),
    Parameter("temperature", None, "K", f"{BOTH}: 55.35 C, 35.2 C", low=1.0, high=5000.0),
    Parameter("pressure", None, "Pa", f"{BOTH}: 99.4 kPa, one atmosphere", low=1.0, high=1e7),
    Parameter("length", None, "m", f"{BOTH}: 238 mm, 85.9 mm", low=1e-4, high=100.0),
    Parameter("diameter", None, "m", "by mode: chosen (it does not matter), 2.08 mm", low=1e-5, high=1.0),
    Numbers("diffusivities", (), "m^2/s", BOTH, low=1e-9, high=1.0),
    Numbers("left_fractions", (), "", f"{BOTH}: at the liquid, in bulb A", low=0.0, high=1.0),
    Numbers("right_fractions", (), "", f"{BOTH}: at the top, in bulb B", low=0.0, high=1.0),
    Parameter("left_volume", 7.799e-5, "m^3", "bulb A, Duncan and Toor 1962", low=1e-12, high=1e3),
    Parameter("right_volume", 7.863e-5, "m^3", "bulb B, Duncan and Toor 1962", low=1e-12, high=1e3),
    Parameter("tube_storage", 0.0, "", "the usual analysis", low=0.0, high=1.0),
    Numbers("times", (3600.0, 18000.0, 36000.0, 72000.0), "s", "chosen: 1, 5, 10 and 20 h", low=1e-9),
    Parameter("gas", 2, "", "nitrogen", low=1, high=20, whole=True),
    Parameter("cells", 400, "", "fluxes good to 1e-5", low=8, high=20000, whole=True),
)


def model(p: Values) -> sf.Model:
    """The Stefan tube, or the two bulbs."""
    if p.mode == "two_bulb":
        return bulbs(p)
    if min(fractions(p, side)[-1] for side in ("left", "right")) < LEAST:
        raise InputError("The last gas, which stands still, limits the flow; leave at least a millionth of it.")
    return tube(p)


def duration(p: Values) -> float:
    """How long the two bulbs are followed, s: the asked times, and until all is even."""
    slowest = setting(p, "length") / (section(p) * min(setting(p, "diffusivities")))
    return max(*p.times, LASTS * slowest / (1.0 / p.left_volume + 1.0 / p.right_volume))


def solve(p: Values, model: sf.Model) -> sf.Solution | sf.History:
    """The steady tube, or the bulbs from the moment when they are joined."""
    return sf.steady(model) if p.mode == "stefan_tube" else sf.evolve(model, until=duration(p), rtol=RTOL)


def answers(p: Values, found: sf.Solution | sf.History) -> dict[str, Any]:
    """Fluxes and compositions of the tube; of the bulbs their histories and what the gas `gas` does."""
    if p.mode == "two_bulb" and isinstance(found, sf.History):
        return _bulb_answers(p, found)
    end = found if isinstance(found, sf.Solution) else found.end
    way = np.asarray(end.position()) / setting(p, "length")
    return {
        "fluxes": [*fluxes(end)[0].tolist(), 0.0],
        "mid_fractions": [float(np.interp(0.5, way, x)) for x in composition(p, end).T],
        "entropy_production": float(end.entropy.production),  # without bound where a gas is kept at nothing
    }


def _bulb_answers(p: Values, history: sf.History) -> dict[str, Any]:
    names, end = gases(p), float(history.times[-1])
    times = [t for t in p.times if t <= end]
    first = fluxes(history.start)
    found: dict[str, Any] = {
        "fluxes": first[0].tolist(),
        "sum_of_fluxes": float(np.abs(first.sum(axis=1)).max() / max(np.abs(first).max(), 1e-300)),
        "total_concentration": total(p),
        "equilibrium_fractions": [float(history.total(n)[-1]) for n in names],
        "entropy_production": float(history.start.entropy.production),
    }
    amounts = np.array(found["equilibrium_fractions"])
    found["equilibrium_fractions"] = (amounts / amounts.sum()).tolist()
    for side, cell in (("left", 0), ("right", -1)):
        c = np.stack([history.values(n, times)[:, cell] for n in names], axis=1) if times else np.empty((0, len(names)))
        found[f"{side}_fractions_at"] = (c / total(p)).tolist()
    return found | _gas_answers(p, history)


def _gas_answers(p: Values, history: sf.History) -> dict[str, float]:
    """When one gas turns round, how much of it there is then, and when it flows without a gradient."""
    if p.gas > len(gases(p)):
        raise InputError(f"There are {len(gases(p))} gases; gas is {p.gas}.")
    name = gases(p)[p.gas - 1]
    times, c = history.times, history[name]
    found: dict[str, float] = {}

    def turning(t: float) -> float:
        rate = history.at(t).rate
        assert rate is not None
        return float(rate.u[0, p.gas - 1])

    turn = _crossing(times, history.rate(name)[:, 0], turning, 1e-9)
    if turn is not None:
        both = history.values(name, [turn])[0] / total(p)
        found |= {
            "extremum_time": turn,
            "extremum_fraction": float(both[0]),
            "barrier_difference": float(both[0] - both[-1]),
        }

    def apart(t: float) -> float:
        at = history.values(name, [t])[0]
        return float(at[0] - at[-1])

    even = _crossing(times, c[:, 0] - c[:, -1], apart, 1e-9)
    if even is not None:
        found["osmotic_time"] = even
    return found


def _crossing(times: np.ndarray, values: np.ndarray, function: Callable[[float], float], least: float) -> float | None:
    """The first time at which a recorded function passes through zero; what lies within rounding of it is none."""
    size = least * np.abs(values).max()
    end = float(times[-1])
    sign = np.where(np.abs(values) > size, np.sign(values), 0.0)
    for k in range(1, len(times) - 1):
        if sign[k] * sign[k + 1] < 0:
            return float(root_scalar(function, bracket=(times[k], times[k + 1]), xtol=1e-12 * end, rtol=1e-13).root)
    return None


def figure(result: Result) -> Figure:
    """Compositions along the tube; of the bulbs in time, with the flux that goes its own way."""
    p, drawing = result.parameters, Figure(figsize=(9.5, 4.0), layout="constrained")
    left, right = drawing.subplots(1, 2)
    names = labels(p)
    if p.mode == "stefan_tube":
        end = result.solution
        left.plot(1e3 * np.asarray(end.position()), composition(p, end), label=names)
        left.set(xlabel="height above the liquid, mm", ylabel="mole fraction")
        right.bar(names, 1e3 * np.array(result.answers["fluxes"]), color=["C0", "C1", "C2"])
        right.set(ylabel="flux, mmol/(m$^2$ s)")
        left.legend(fontsize=8)
        return drawing
    history = result.history
    hours = history.times / 3600.0
    for i, (name, label) in enumerate(zip(gases(p), names, strict=True)):
        left.plot(hours, history[name][:, 0] / total(p), f"C{i}", label=label)
        left.plot(hours, history[name][:, -1] / total(p), f"C{i}--")
        right.plot(hours, -history.rate(name)[:, 0] * p.left_volume / section(p) * 1e3, f"C{i}", label=label)
    shown = 3600.0 * hours[-1]
    if "extremum_time" in result.answers:
        shown = min(4.0 * result.answers["extremum_time"], shown)
        left.plot(result.answers["extremum_time"] / 3600.0, result.answers["extremum_fraction"], "k.")
        right.axvline(result.answers["extremum_time"] / 3600.0, color="grey", lw=0.6)
    left.set(xlim=(0, shown / 3600.0), xlabel="time, h", ylabel="mole fraction in bulb A (dashed: B)")
    right.set(xlim=(0, shown / 3600.0), xlabel="time, h", ylabel="flux from A to B, mmol/(m$^2$ s)")
    right.axhline(0.0, color="k", lw=0.6)
    left.legend(fontsize=8)
    return drawing


UNITS = {
    "fluxes": "mol/m^2/s",
    "mid_fractions": "",
    "entropy_production": "W/K",
    "sum_of_fluxes": "",
    "total_concentration": "mol/m^3",
    "equilibrium_fractions": "",
    "left_fractions_at": "",
    "right_fractions_at": "",
    "extremum_time": "s",
    "extremum_fraction": "",
    "barrier_difference": "",
    "osmotic_time": "s",
}

SYSTEM = System(
    name="gas_mixture",
    parameters=PARAMETERS,
    model=model,
    solve=solve,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
)
