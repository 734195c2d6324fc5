"""What the kitchen sink must give: Torricelli's levels and times, the closed pair at rest, dye, references."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from steadyflux.ground.constants import G_STANDARD
from steadyflux.systems.system import Claim, Comparison, Result

SINK = {"inflow": 1e-4, "base_area": 0.16, "orifice_area": 1.2e-4}
TANK = {
    "inflow": 6e-4,
    "base_area": 0.5,
    "discharge_coefficient": 0.7,
    "orifice_area": 1e-4,
    "leak": 2e-4,
    "overflow_height": 0.25,
    "weir_width": 0.05,
    "second_area": 0.3,
    "first_level": 0.2,
    "second_level": 0.25,
    "initial_level": 0.4,
    "time": 900.0,
}
# Independent reference computations (root by bisection, Lambert's function, quadratures), relative accuracy 1e-9.
OPEN = ("level", "residence_time", "relaxation_time", "power_dissipated", "level_at", "filling_time", "emptying_time")
CLOSED = ("level", "dissipated_energy", "levelling_time")
SINK_STEADY = (0.0921092948767495, 147.3748718027992, 294.74974360559844, 0.09014770493698693)
TANK_STEADY = (0.2758342918815455, 229.86190990128796, 22.049800373879116, 1.6197602026579185)
REFERENCE = (
    (SINK, (*SINK_STEADY, 0.083035045875248, 1267.665740262269, 294.74974360559844)),
    (TANK, (*TANK_STEADY, 0.27583429188154557, 86.87618538656514, 1397.8915085757874)),
)
REFERENCE_CLOSED = (
    (SINK, (0.1, 5.089259084000001, 134.6790472209561)),
    (TANK, (0.21875, 2.2938367265624984, 270.48481836194895)),
)


def _reference(run: Callable[..., Result]) -> list[Comparison]:
    found = []
    for (given, expected), (_, closed) in zip(REFERENCE, REFERENCE_CLOSED, strict=True):
        a, b = run(**given).answers, run(**given, mode="closed").answers
        found.append(Comparison([a[name] for name in OPEN[:4]], expected[:4], 1e-9))
        found.append(Comparison([a[name] for name in OPEN[4:]], expected[4:], 3e-6))
        found.append(Comparison([b[name] for name in CLOSED], closed, 1e-5))
        found.append(Comparison([b[name] for name in CLOSED[:2]], closed[:2], 1e-9))
    return found


def _torricelli(run: Callable[..., Result]) -> list[Comparison]:
    found = []
    for inflow in (3e-6, 7e-4):
        a = run(inflow=inflow, initial_level=0.05).answers
        level = (inflow / (0.62 * 1.2e-4)) ** 2 / (2.0 * G_STANDARD)
        found.append(Comparison(a["level"], level, 1e-10))
        found.append(Comparison(a["relaxation_time"], 2.0 * level * 0.16 / inflow, 1e-9))
        found.append(Comparison(a["emptying_time"], 2.0 * level * 0.16 / inflow, 3e-6))
        found.append(Comparison(a["throughput"], inflow, 1e-11))
    return found


def _linear(run: Callable[..., Result]) -> list[Comparison]:
    given = {"drain": "linear", "drain_conductance": 2e-3, "leak": 5e-4, "inflow": 3e-4}
    a = run(**given, initial_level=0.3, time=77.0).answers
    return [
        Comparison(a["level"], 0.12, 1e-11),
        Comparison(a["relaxation_time"], 64.0, 1e-10),
        Comparison(a["residence_time"], 64.0, 1e-10),
        Comparison(a["level_at"], 0.12 + 0.18 * np.exp(-77.0 / 64.0), 1e-6),
        Comparison(a["filling_time"], 64.0 * np.log(100.0), 1e-6),
    ]


def _relaxing(run: Callable[..., Result]) -> list[Comparison]:
    """A small disturbance fades in the relaxation time: the slope of the exact derivative against the run in time."""
    level, fades = (run(**TANK).answers[name] for name in ("level", "relaxation_time"))
    a = run(**{**TANK, "initial_level": level * (1.0 + 1e-6), "time": 2.0 * fades}).answers
    return [Comparison((a["level_at"] / level - 1.0) / 1e-6, np.exp(-2.0), 1e-3)]


def _closed(run: Callable[..., Result]) -> list[Comparison]:
    a = run(mode="closed").answers
    return [
        Comparison(a["level"], (0.16 * 0.15 + 0.1 * 0.02) / 0.26, 1e-11),
        Comparison(a["total_volume"], 0.16 * 0.15 + 0.1 * 0.02, 1e-12),
        Comparison(a["throughput"], 0.0, 0.0, 1e-12),
        Comparison(float(a["regime"] == "equilibrium"), 1.0, 0.0),
        Comparison(float(run().answers["regime"] == "steady nonequilibrium"), 1.0, 0.0),
    ]


def _dyed(run: Callable[..., Result]) -> list[Comparison]:
    """Dye of concentration one in the tap water of a clear sink and of a clear tank that starts too full."""
    expected = (0.999999999969238, 0.9795431220286966)
    return [
        Comparison(run(**case).answers["tracer_at"], value, 1e-6)
        for case, value in zip((SINK, TANK), expected, strict=True)
    ]


def _lost(run: Callable[..., Result]) -> list[Comparison]:
    """A dye lost in proportion, with as much water out as in: c_in / (1 + k T), reached as exp(-(k + 1/T) t)."""
    for_good = run(tracer_decay=0.02, tracer_inflow=5.0).answers
    given = {"initial_level": for_good["level"], "tracer_decay": 0.02, "tracer_inflow": 5.0, "tracer_initial": 7.0}
    a = run(**given, time=30.0).answers
    rate = 0.02 + 1.0 / a["residence_time"]
    steady = 5.0 / (1.0 + 0.02 * a["residence_time"])
    return [
        Comparison(for_good["tracer"], steady, 1e-10),
        Comparison(a["tracer_at"], steady + (7.0 - steady) * np.exp(-30.0 * rate), 1e-6),
    ]


STEADY_AND_DYED = (
    Claim(
        "levels, times and power of a sink, an overflowing tank and their closed pairs",
        "independent reference computation",
        _reference,
    ),
    Claim(
        "an orifice holds the level (Q / C_d a)^2 / 2 g and relaxes in two residence times",
        "Torricelli 1644",
        _torricelli,
    ),
    Claim("a linear drain holds Q / K and forgets in B / K", "closed form", _linear),
    Claim("a small disturbance fades in the relaxation time", "two routes: derivative and run in time", _relaxing),
    Claim("dye in the tap of a clear sink and tank", "independent reference computation", _dyed),
    Claim("a dye that is lost in proportion", "closed form", _lost),
    Claim("closed, the pair levels out: no flow, equilibrium, all water kept", "conservation", _closed),
)
