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

In time: `level_at` is the level at `time` when the tap is opened at `initial_level`; `filling_time` the time until the
level has gone 99 % of the way; `emptying_time` how long the steady level (at most the rim's) takes to run out when the
tap is shut; `levelling_time` how long the closed pair takes to level out. Through a linear drain those two never end.

A dye in the tap water (`tracer_inflow`), in the vessel at the start (`tracer_initial`), conserved or lost at the rate
`tracer_decay`, is carried with the water and well stirred, V = B h being the water in the vessel:

    d(V c)/dt = Q c_in - c (all outflow) - k V c

`tracer` is its steady concentration and `tracer_at` that at `time`. `share_older_at` is the share of the water in the
vessel at its steady level that entered longer than `time` ago: it is what is left of a conserved dye when the tap
runs clear, and its integral over time is the residence time (Danckwerts 1953).

## What to look for

Twice the inflow quadruples the level of an orifice but doubles that of a linear drain. The closed pair ends in the
regime "equilibrium" with the total volume kept; the open vessel, quite as steady, never does. An orifice empties a
vessel in a finite time, twice as long as the outflow of the beginning would take.

## Limits

Quasi-steady outflow (the vessel is wide compared with the drain); one level, no waves.

## Sources

Torricelli 1644 (the level falls as the square of the time left); discharge coefficient of a sharp-edged hole 0.62 and
weir coefficient 1.84 m^0.5/s: Francis 1883, in any handbook of hydraulics (typical); P. V. Danckwerts, Chem. Eng. Sci.
2 (1953) 1 (ages in a stirred vessel).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from scipy.integrate import simpson

import steadyflux as sf
from steadyflux.ground.arithmetic import array_module
from steadyflux.ground.constants import G_STANDARD
from steadyflux.model.model import Model
from steadyflux.model.solution import Solution
from steadyflux.physics.local import Geometry, Local
from steadyflux.systems.flow._sink_claims import STEADY_AND_DYED, TANK
from steadyflux.systems.system import Choice, Claim, Comparison, Parameter, Result, System, Values

EMPTY = 1e-9  # Pa, below which a vessel holds too little water to speak of a concentration
CREEPING = 1e-12  # Pa, below which the flow through the hole is laminar
LEVEL = 1e-6  # share of the level below which the closed pair of a run in time levels out slowly
LAST = 1e-12  # share of the level at which a vessel counts as empty: the last millionth of the time

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
    Parameter("initial_level", 0.0, "m", "empty when the tap is opened", 0.0, 1e4),
    Parameter("time", 600.0, "s", "ten minutes after that", 1e-9, 1e12),
    Parameter("tracer_inflow", 1.0, "mol/m^3", "dye in the tap water, chosen", 0.0, 1e6),
    Parameter("tracer_initial", 0.0, "mol/m^3", "clear water in the beginning", 0.0, 1e6),
    Parameter("tracer_decay", 0.0, "1/s", "a dye that lasts", 0.0, 1e9),
    Parameter("first_level", 0.15, "m", "start of the closed pair", 0.0, 1e4),
    Parameter("second_level", 0.02, "m", "start of the closed pair", 0.0, 1e4),
)


class CarriedOut(sf.EdgeLaw):
    """What is dissolved in a stirred vessel leaves with its water: amount times outflow over the water there, mol/s.

    ``outlets`` are the laws of the water; ``capacity`` is the water in the vessel over its pressure, m^3/Pa.
    """

    outlets: tuple[sf.EdgeLaw, ...]
    capacity: Any
    tracer: str = eqx.field(static=True, default="tracer")
    dissipative: ClassVar[bool] = False

    @property
    def moves(self) -> tuple[str, ...]:
        """The tracer."""
        return (self.tracer,)

    @property
    def sees(self) -> tuple[str, ...]:
        """The pressure that drives the water."""
        return ("p",)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Tracer from tail to head, mol/s."""
        water = sum(law.flux(tail, head, edge)["p"] for law in self.outlets)
        return {self.tracer: tail[self.tracer] * water / (self.capacity * jnp.maximum(tail["p"], EMPTY))}


def open_model(p: Values, inflow: Any, level: Any) -> Model:
    """The fed vessel with its three ways out, filled to ``level`` in the beginning."""
    weight, xp = p.density * G_STANDARD, array_module(p.items, level)
    orifice = sf.Orifice(p.orifice_area, p.discharge_coefficient, p.density, creeping=CREEPING, on="out")
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
        start={"p": weight * xp.stack([xp.asarray(level, dtype=float), xp.zeros(())])},
    )


def tracer_model(p: Values, level: Any, inflow: float, initial: float, decay: float) -> Model:
    """The fed vessel with a dye, whose state is the amount in the vessel, mol (its cell has the volume 1 m^3)."""
    water = open_model(p, p.inflow, level)
    content = p.base_area / (p.density * G_STANDARD)
    laws = [*water.laws, CarriedOut(tuple(law for law in water.laws if isinstance(law, sf.EdgeLaw)), content, on="out")]
    if decay > 0:
        laws.append(sf.Decay({"tracer": -1}, decay, on="vessel"))
    return sf.Model(
        water.space,
        [*water.quantities, sf.Species("tracer")],
        laws,
        [
            sf.Influx("vessel", {"p": p.inflow, "tracer": p.inflow * inflow}),
            sf.Hold("outside", {"p": 0.0, "tracer": 0.0}),
        ],
        start={**water.start, "tracer": np.array([initial * p.base_area * level, 0.0])},
    )


def closed_model(p: Values, creeping: float = CREEPING) -> Model:
    """Two vessels, given by their volumes per pressure, joined by the orifice."""
    weight = p.density * G_STANDARD
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
    if p.mode == "open":
        return open_model(p, p.inflow, p.initial_level)
    # The last millionth creeps, so that a run in time comes to rest.
    return closed_model(p, LEVEL * p.density * G_STANDARD * max(p.first_level, p.second_level, 1e-6))


def solve(p: Values, model: Model) -> Solution:
    """The steady level."""
    if p.mode == "open":
        return sf.steady(model)
    # Where the last creeping flow begins changes nothing at rest, and a slope that is finite there is easier to search.
    return sf.steady(closed_model(p, 0.01 * p.density * G_STANDARD * max(p.first_level, p.second_level, 1e-6)))


def course(
    model: Model, until: float, event: tuple[str, Callable[[Any], Any]] | None = None, rtol: float = 1e-8
) -> sf.History:
    """The levels in time, stopped by the event."""
    events = [] if event is None else [sf.Event(*event)]
    return sf.evolve(model, until=until, events=events, rtol=rtol, atol=1e-15)


def _met(history: sf.History) -> float:
    """Time of the event, infinite where it did not come."""
    return history.events[0].time if history.events else float("inf")


def times(p: Values, level: float, throughput: float) -> dict[str, float]:
    """What the open vessel's answers say of time: filling from the initial level, emptying from the steady one."""
    weight = p.density * G_STANDARD
    way, brim = p.initial_level - level, min(level, p.overflow_height)
    filling = open_model(p, p.inflow, p.initial_level)
    longest = 1e6 * p.base_area * max(level, p.initial_level) / throughput
    found = {
        "level_at": float(course(filling, p.time)["p"][-1, 0]) / weight,
        "filling_time": 0.0,
        "emptying_time": float("inf") if brim > 0 else 0.0,
    }
    if abs(way) > 1e-9 * level:
        goal = weight * (level + 0.01 * way)
        found["filling_time"] = _met(
            course(filling, longest, ("filled", lambda view: view.value("p", "vessel") - goal))
        )
    if p.drain == "orifice" and brim > 0:
        last = weight * brim * LAST
        shut = open_model(p, 0.0, brim)
        found["emptying_time"] = _met(course(shut, longest, ("empty", lambda view: view.value("p", "vessel") - last)))
    return found


def tracer(p: Values, level: float) -> dict[str, float]:
    """What the open vessel's answers say of the dye."""
    dyed = (p.tracer_inflow, p.tracer_initial, p.tracer_decay)

    def concentration(found: Solution) -> float:
        held = found.value("p", "vessel") / (p.density * G_STANDARD) * p.base_area
        return float(found.value("tracer", "vessel") / held)

    filling, clearing = tracer_model(p, p.initial_level, *dyed), tracer_model(p, level, 0.0, 1.0, 0.0)
    return {
        "tracer": concentration(sf.steady(tracer_model(p, level, *dyed))),
        "tracer_at": concentration(course(filling, p.time).end),
        "share_older_at": concentration(course(clearing, p.time).end),
    }


def levelling_time(p: Values) -> float:
    """Time until the closed pair has levelled out, s; a linear drain never quite does."""
    gap = p.density * G_STANDARD * (p.first_level - p.second_level)
    if gap == 0.0 or p.drain == "linear":
        return 0.0 if gap == 0.0 else float("inf")
    outflow = p.discharge_coefficient * p.orifice_area * (2.0 * abs(gap) / p.density) ** 0.5
    longest = 1e3 * p.base_area * abs(p.first_level - p.second_level) / outflow

    def apart(view: Any) -> Any:
        return (view.value("p", "vessel") - view.value("p", "second")) / gap - LAST

    # The small difference of two levels asks for more digits than a level.
    return _met(course(closed_model(p), longest, ("level", apart), rtol=1e-12))


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
            "levelling_time": levelling_time(p),
            "total_volume": float(solution.total("p")),
            "dissipated_energy": energy[0] - energy[1],
            "regime": solution.regime,
        }
    rise = jax.grad(lambda q: sf.steady(open_model(p, q, level)).value("p", "vessel"))(p.inflow) / weight
    throughput = -float(solution.flow("p", "outside"))
    return {
        "level": level,
        "throughput": throughput,
        "residence_time": p.base_area * level / throughput,
        "relaxation_time": p.base_area * float(rise),
        "power_dissipated": float(solution.entropy.production) * float(solution["T"][0]),
        "regime": solution.regime,
        **times(p, level, throughput),
        **tracer(p, level),
    }


def _ages(run: Callable[..., Result]) -> list[Comparison]:
    """In a stirred vessel the shares older than t fall as exp(-t / residence time); their integral is that time."""
    a = run(**TANK).answers
    p = SYSTEM.values(TANK)
    clearing = course(tracer_model(p, a["level"], 0.0, 1.0, 0.0), 40.0 * a["residence_time"])
    left = clearing["tracer"][:, 0]
    return [
        Comparison(a["share_older_at"], np.exp(-900.0 / a["residence_time"]), 1e-6),
        Comparison(simpson(left / left[0], x=clearing.times), a["residence_time"], 1e-5),
        Comparison(-clearing.entered("tracer", "outside")[-1], p.base_area * a["level"], 1e-9),
    ]


CLAIMS = (*STEADY_AND_DYED, Claim("ages of the water in a stirred vessel", "Danckwerts 1953", _ages))


def figure(result: Result) -> Figure:
    """Levels in the course of time, and for an open vessel the steady level against the inflow."""
    p, a = result.parameters, result.answers
    weight = p.density * G_STANDARD
    fig = Figure(figsize=(9.6, 4.2) if p.mode == "open" else (6.4, 4.2), layout="constrained")
    axes = np.atleast_1d(fig.subplots(1, 2 if p.mode == "open" else 1))
    if p.mode == "closed":
        until = a["levelling_time"] if 0.0 < a["levelling_time"] < float("inf") else p.time
        history = course(closed_model(p), 0.9999 * until)
        for number, name in enumerate(("vessel", "second vessel")):
            at = np.linspace(0.0, float(history.times[-1]), 200)
            axes[0].plot(at, history.values("p", at)[:, number] / weight, label=name)
    else:
        dyed = tracer_model(p, p.initial_level, p.tracer_inflow, p.tracer_initial, p.tracer_decay)
        history = course(dyed, max(p.time, 4.0 * a["relaxation_time"]))
        levels = history["p"][:, 0] / weight
        axes[0].plot(history.times, levels, label="level")
        right = axes[0].twinx()
        wet = levels > 1e-6 * a["level"]
        dye = history["tracer"][wet, 0] / (p.base_area * levels[wet])
        right.plot(history.times[wet], dye, color="C2", linestyle="--")
        right.set_ylabel("dye (mol/m$^3$), dashed", color="C2")
        right.set_ylim(0.0, 1.1 * max(float(dye.max()), 1e-300))
        axes[0].axhline(a["level"], color="0.5", linestyle=":", label="steady")
        flows = p.inflow * np.linspace(0.05, 2.0, 40)
        solve = jax.vmap(lambda q: sf.steady(open_model(p, q, a["level"])).value("p", "vessel"))
        axes[1].plot(6e4 * flows, np.asarray(solve(flows)) / weight, label=f"steady level, {p.drain} drain")
        axes[1].plot(6e4 * p.inflow, a["level"], "o", color="C3", label="this run")
        axes[1].set_xlabel("inflow (L/min)")
    axes[0].set_xlabel("time (s)")
    for one in axes:
        one.set_ylabel("level (m)")
        one.legend()
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
        "level_at": "m",
        **dict.fromkeys(("tracer", "tracer_at"), "mol/m^3"),
        "share_older_at": "",
        **dict.fromkeys(("filling_time", "emptying_time", "levelling_time"), "s"),
        "regime": "",
    },
    claims=CLAIMS,
    figure=figure,
    solve=solve,
)
