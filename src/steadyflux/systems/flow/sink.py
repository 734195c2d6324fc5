"""A kitchen sink: a stirred vessel between tap and drain, and two closed vessels that level out for contrast.

Seeds: A

A vessel with vertical walls (base area B) is fed at a constant rate. Water leaves through a drain, through a leak
and, above its rim, over an overflow. The level rises until as much leaves as enters: a steady state held up by the
flow through it. Shut off from tap and drain, two joined vessels come to rest instead: nothing flows, and the water is
where it was.

## Equations

    B dh/dt = Q - C_d a sqrt(2 g h) - k h - C_w w (h - h_o)^1.5

with p = rho g h as the state and B / (rho g) as capacity. The drain is an orifice (Torricelli) or linear, K h. The
relaxation time of a small disturbance is B over the derivative of the outflow by the level, here got from the exact
derivative of the steady level by the inflow. For an orifice alone the level is (Q / (C_d a))^2 / (2 g) and relaxation
takes twice the residence time. In the mode `closed` two vessels (base areas B and B_2) are joined by the orifice.

## What to look for

Twice the inflow quadruples the level of an orifice but doubles that of a linear drain. The closed pair ends in the
regime "equilibrium" with the total volume kept; the open vessel, quite as steady, never does.

## Limits

Quasi-steady outflow (the vessel is wide compared with the drain); one level, no waves.

## Sources

Torricelli 1644; discharge coefficient of a sharp-edged hole 0.62 and weir coefficient 1.84 m^0.5/s: Francis 1883, in
any handbook of hydraulics (typical).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.ground.constants import G_STANDARD
from steadyflux.model.model import Model
from steadyflux.model.solution import Solution
from steadyflux.systems.system import Choice, Claim, Comparison, Parameter, Result, System, Values

PARAMETERS = (
    Choice("mode", "open", ("open", "closed"), "open: tap and drain; closed: two joined vessels"),
    Parameter("inflow", 1e-4, "m^3/s", "kitchen tap, 6 L/min (typical)", 1e-9, 1e3),
    Parameter("base_area", 0.16, "m^2", "kitchen sink 40 cm x 40 cm (typical)", 1e-8, 1e9),
    Choice("drain", "orifice", ("orifice", "linear"), "law of the drain"),
    Parameter("discharge_coefficient", 0.62, "", "sharp-edged hole (typical)", 1e-3, 1.0),
    Parameter("orifice_area", 1.2e-4, "m^2", "partly closed strainer (typical)", 1e-10, 10.0),
    Parameter("drain_conductance", 1e-3, "m^2/s", "linear drain, flow per level (typical)", 1e-12, 1e6),
    Parameter("leak", 0.0, "m^2/s", "leak flow per level; none", 0.0, 1e6),
    Parameter("overflow_height", 10.0, "m", "rim far above the level: no overflow", 0.0, 1e4),
    Parameter("weir_coefficient", 1.84, "m^0.5/s", "sharp-crested weir, Francis 1883", 1e-3, 10.0),
    Parameter("weir_width", 0.1, "m", "overflow slot (typical)", 0.0, 1e3),
    Parameter("density", 998.0, "kg/m^3", "water at 21 C", 1.0, 3e4),
    Parameter("second_area", 0.1, "m^2", "second vessel of the closed pair (typical)", 1e-8, 1e9),
    Parameter("first_level", 0.15, "m", "start of the closed pair", 0.0, 1e4),
    Parameter("second_level", 0.02, "m", "start of the closed pair", 0.0, 1e4),
)


def open_model(p: Values, inflow: Any) -> Model:
    """The fed vessel with its three ways out."""
    weight = p.density * G_STANDARD
    orifice = sf.Orifice(p.orifice_area, p.discharge_coefficient, p.density, creeping=1e-12, on="out")
    drain = orifice if p.drain == "orifice" else sf.Transfer("p", p.drain_conductance / weight, on="out")
    return sf.Model(
        sf.network({"vessel": 1.0, "outside": 1.0}, {"out": [("vessel", "outside")]}),
        [sf.Volume("p", capacity=p.base_area / weight)],
        [
            drain,
            sf.Transfer("p", p.leak / weight, on="out"),
            sf.Weir(p.overflow_height, p.weir_width, p.weir_coefficient, p.density, on="out"),
        ],
        [sf.Influx("vessel", {"p": inflow}), sf.Hold("outside", {"p": 0.0})],
    )


def closed_model(p: Values) -> Model:
    """Two vessels, given by their volumes per pressure, joined by the orifice."""
    weight = p.density * G_STANDARD
    # Where the last creeping flow begins changes nothing at rest, and a slope that is finite there is easier to search.
    creeping = 0.01 * weight * max(p.first_level, p.second_level, 1e-6)
    drain = sf.Orifice(p.orifice_area, p.discharge_coefficient, p.density, creeping=creeping, on="pipe")
    if p.drain == "linear":
        drain = sf.Transfer("p", p.drain_conductance / weight, on="pipe")
    return sf.Model(
        sf.network({"vessel": p.base_area, "second": p.second_area}, {"pipe": [("vessel", "second")]}),
        [sf.Volume("p", capacity=1.0 / weight)],
        [drain],
        start={"p": weight * np.array([p.first_level, p.second_level])},
    )


def model(p: Values) -> Model:
    """The vessel, open or closed."""
    return open_model(p, p.inflow) if p.mode == "open" else closed_model(p)


def answers(p: Values, solution: Solution) -> dict[str, Any]:
    """Level, what flows through, and the times that belong to it."""
    weight = p.density * G_STANDARD
    level = float(solution.value("p", "vessel")) / weight
    if p.mode == "closed":
        levels = np.asarray(solution["p"]) / weight
        areas = np.array([p.base_area, p.second_area])
        energy = [0.5 * weight * float(areas @ np.square(h)) for h in ((p.first_level, p.second_level), levels)]
        return {
            "level": level,
            "second_level": float(levels[1]),
            "throughput": abs(float(solution.along("p", "pipe")[0])),
            "total_volume": float(solution.total("p")),
            "dissipated_energy": energy[0] - energy[1],
            "regime": solution.regime,
        }
    rise = jax.grad(lambda inflow: sf.steady(open_model(p, inflow)).value("p", "vessel"))(p.inflow) / weight
    throughput = -float(solution.flow("p", "outside"))
    return {
        "level": level,
        "throughput": throughput,
        "residence_time": p.base_area * level / throughput,
        "relaxation_time": p.base_area * float(rise),
        "power_dissipated": float(solution.entropy.production) * float(solution["T"][0]),
        "regime": solution.regime,
    }


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
}
# Independent reference computation (root by bisection, closed forms): level, residence and relaxation time, power;
# level and energy of the closed pair.
REFERENCE = (
    (SINK, (0.0921092948767495, 147.3748718027992, 294.74974360559844, 0.09014770493698693, 0.1, 5.089259084000001)),
    (
        TANK,
        (0.2758342918815455, 229.86190990128796, 22.049800373879116, 1.6197602026579185, 0.21875, 2.2938367265624984),
    ),
)


def _reference(run: Callable[..., Result]) -> list[Comparison]:
    found = []
    for given, expected in REFERENCE:
        a, b = run(**given).answers, run(**given, mode="closed").answers
        names = ("level", "residence_time", "relaxation_time", "power_dissipated")
        measured = [*(a[name] for name in names), b["level"], b["dissipated_energy"]]
        found.append(Comparison(measured, list(expected), 1e-9))
    return found


def _torricelli(run: Callable[..., Result]) -> list[Comparison]:
    found = []
    for inflow in (3e-6, 7e-4):
        a = run(inflow=inflow).answers
        level = (inflow / (0.62 * 1.2e-4)) ** 2 / (2.0 * G_STANDARD)
        found.append(Comparison(a["level"], level, 1e-10))
        found.append(Comparison(a["relaxation_time"], 2.0 * level * 0.16 / inflow, 1e-9))
        found.append(Comparison(a["throughput"], inflow, 1e-11))
    return found


def _linear(run: Callable[..., Result]) -> list[Comparison]:
    a = run(drain="linear", drain_conductance=2e-3, leak=5e-4, inflow=3e-4).answers
    return [
        Comparison(a["level"], 0.12, 1e-11),
        Comparison(a["relaxation_time"], 64.0, 1e-10),
        Comparison(a["residence_time"], 64.0, 1e-10),
    ]


def _closed(run: Callable[..., Result]) -> list[Comparison]:
    a = run(mode="closed").answers
    return [
        Comparison(a["level"], (0.16 * 0.15 + 0.1 * 0.02) / 0.26, 1e-11),
        Comparison(a["total_volume"], 0.16 * 0.15 + 0.1 * 0.02, 1e-12),
        Comparison(a["throughput"], 0.0, 0.0, 1e-12),
        Comparison(float(a["regime"] == "equilibrium"), 1.0, 0.0),
        Comparison(float(run().answers["regime"] == "steady nonequilibrium"), 1.0, 0.0),
    ]


CLAIMS = (
    Claim(
        "levels, times and power of a sink and an overflowing tank",
        "independent reference computation",
        _reference,
    ),
    Claim(
        "an orifice holds the level (Q / C_d a)^2 / 2 g and relaxes in two residence times",
        "Torricelli 1644",
        _torricelli,
    ),
    Claim("a linear drain holds Q / K and forgets in B / K", "closed form", _linear),
    Claim("closed, the pair levels out: no flow, equilibrium, all water kept", "conservation", _closed),
)


def figure(result: Result) -> Figure:
    """Level against inflow for this drain, with the steady state of the run."""
    p = result.parameters
    weight = p.density * G_STANDARD
    fig = Figure(figsize=(6.4, 4.2), layout="constrained")
    ax = fig.add_subplot()
    if p.mode == "closed":
        before, after = (p.first_level, p.second_level), (result.answers["level"], result.answers["second_level"])
        at = np.arange(2)
        ax.bar(at - 0.2, before, 0.4, label="at the start", color="C7")
        ax.bar(at + 0.2, after, 0.4, label="at rest (equilibrium)", color="C0")
        ax.set_xticks(at, ["vessel", "second vessel"])
        ax.set_ylabel("level (m)")
    else:
        flows = p.inflow * np.linspace(0.05, 2.0, 40)
        solve = jax.vmap(lambda q: sf.steady(open_model(p, q)).value("p", "vessel"))
        ax.plot(6e4 * flows, np.asarray(solve(flows)) / weight, label=f"steady level, {p.drain} drain")
        ax.plot(6e4 * p.inflow, result.answers["level"], "o", color="C3", label="this run")
        ax.set_xlabel("inflow (L/min)")
        ax.set_ylabel("level (m)")
    ax.legend()
    return fig


SYSTEM = System(
    name="sink",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units={
        "level": "m",
        "second_level": "m",
        "throughput": "m^3/s",
        "residence_time": "s",
        "relaxation_time": "s",
        "power_dissipated": "W",
        "total_volume": "m^3",
        "dissipated_energy": "J",
        "regime": "",
    },
    claims=CLAIMS,
    figure=figure,
)
