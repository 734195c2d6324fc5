"""The water stream of a tall tree: soil, roots, xylem that cavitates under tension, leaves, and what the air demands.

Seeds: A

Water is pulled up a redwood by evaporation from its leaves. Each part of the way has a conductance; the flow is that
conductance times the drop of potential, less gravity. But under tension the xylem cavitates and conducts less, so
that beyond a critical flow no steady state exists: more pull brings less water, and cavitation runs away.

## Equations

Potentials psi are those of the water's pressure. With the flow E (kg/s) from the soil to the leaves:

    root      E = K_root (psi_soil - psi_collar)
    segment   dpsi/dz = -E / (K_i dz w_i(psi)) - rho g,   w_i = exp(-(-psi / b_i)^c),   K_i, b_i linear in height
    leaf      E = K_leaf (psi_top - psi_leaf)
    in time   C_i dpsi_i/dt = inflow - outflow,   C_i = capacitance * volume of sapwood, and of the leaves

Each of the `segments` is divided into `substeps` edges; on each the loss of conductivity is averaged exactly along
the way between its two potentials, and gravity acts with the same mean. That is exact without gravity, exact without
flow, and of second order in between.

The critical flow is found by continuation: the steady state is followed by its arc length as the flow grows, to where
the flow stops growing while the potential at a segment's end runs away to minus infinity.

`mode` branched lets the trunk fork: `orders` times each branch goes over into `daughters` of conductance
K n^-e each, e = `branch_exponent`. Conductances given are those of all branches of a height together, were e = 1. The
first main branch stands in the sun; a twig of the others draws `shade` times as much as one of the first.

The demand follows the sun, half a sine from sunrise to sunset; t = 0 is midnight. The steady answers are those of a
noon that lasts. `course` day adds those of the day that repeats itself; `--until 48h --every 1h` shows the way there
from a tree at rest.

## What to look for

At rest the potential falls by rho g = 0.0098 MPa per metre whatever the tree. At midday friction about doubles that.
The margin between flow and critical flow is the tree's safety from embolism. A branched tree of the pipe model, all in
the sun, is the unbranched one in everything but its numbers of branches. Stored water feeds the leaves in the morning
and is put back at night: the flow at the base lags behind and its peak is lower, and so is the pull at noon.

## Limits

No refilling of cavitated xylem; a constant capacitance; stomata close at the critical flow of the steady tree alone.

## Sources

Koch, Sillett, Jennings and Davis 2004 (112 m, 0.0096 MPa/m measured); Sperry et al. 1998 (supply limit); Neufeld et
al. 1992 (Weibull curve); Burgess et al. 2006 (safety rises with height). Conductances are typical values that give
measured potentials of about -1.2 MPa before dawn and -1.9 MPa at midday at the top. Shinozaki et al. 1964 (pipe model),
Murray 1926 (branching of tubes). Williams et al. 2021 (2.6 to 4.1 kg/(m3 MPa) in the tops of giant sequoias), Cermak et
al. 2007 (a fifth of the daily flow of old Douglas-firs comes from storage): the capacitance here lies so that a fifth
is met.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.ground.constants import G_STANDARD
from steadyflux.ground.errors import NotConverged
from steadyflux.model.model import Model
from steadyflux.model.solution import Solution
from steadyflux.solve.continuation import Branch
from steadyflux.systems.life._day import NOON, Course, Daylight, course
from steadyflux.systems.life._tree import (
    conductance,
    firsts,
    forks,
    ohmic,
    segment_values,
    tree,
    way_up,
)
from steadyflux.systems.system import Choice, Claim, Comparison, Parameter, Result, System, Values

WATER = 0.01801528  # molar mass of water, kg/mol, CIAAW 2021

PARAMETERS = (
    Parameter("soil_potential", -1e5, "Pa", "moist soil (typical)", -1e7, 0.0),
    Parameter("height", 112.0, "m", "Koch et al. 2004", 0.1, 200.0),
    Parameter("segments", 8, "", "number of xylem segments", 1, 1_000_000, whole=True),
    Parameter("substeps", 32, "", "edges in a segment", 1, 1000, whole=True),
    Parameter("root_conductance", 1.4e-7, "kg/(s*Pa)", "typical", 1e-15, 1.0),
    Parameter("bottom_conductance", 5.5e-7, "kg/(s*Pa)", "lowest segment, typical", 1e-15, 1.0),
    Parameter("top_conductance", 4.2e-7, "kg/(s*Pa)", "highest segment, typical", 1e-15, 1.0),
    Parameter("leaf_conductance", 2.5e-7, "kg/(s*Pa)", "typical", 1e-15, 1.0),
    Parameter("bottom_vulnerability", 4.0e6, "Pa", "scale b, Burgess et al. 2006 (typical)", 1e5, 1e8),
    Parameter("top_vulnerability", 5.5e6, "Pa", "scale b, Burgess et al. 2006 (typical)", 1e5, 1e8),
    Parameter("vulnerability_shape", 3.2, "", "shape c (typical)", 1.0, 20.0),
    Parameter("density", 998.2, "kg/m^3", "water at 20 C", 500.0, 2000.0),
    Parameter("stomatal_conductance", 0.05, "mol/(m^2*s)", "typical of redwood", 0.0, 10.0),
    Parameter("leaf_area", 2600.0, "m^2", "typical", 1e-6, 1e6),
    Parameter("vapour_deficit", 1000.0, "Pa", "midday, typical", 0.0, 2e4),
    Parameter("air_pressure", 101325.0, "Pa", "standard atmosphere", 1e4, 2e5),
    Parameter("cap", 0.95, "", "largest share of the critical flow that stomata allow", 0.0, 0.999),
    Choice("mode", "single", ("single", "branched"), "one stem, or a trunk with branches"),
    Parameter("orders", 3, "", "how often the trunk forks, typical", 1, 20, whole=True),
    Parameter("daughters", 2, "", "branches at a fork", 2, 100, whole=True),
    Parameter("branch_exponent", 1.0, "", "pipe model, Shinozaki et al. 1964; 4/3: Murray 1926", 0.0, 4.0),
    Parameter("shade", 0.5, "", "demand of a shaded twig over that of one in the sun, typical", 0.0, 1.0),
    Choice("course", "midday", ("midday", "day"), "a noon that lasts, or also the day that repeats itself"),
    Parameter("daylight", 50400.0, "s", "14 h, a day in August", 3600.0, 86400.0),
    Parameter("sapwood_volume", 40.0, "m^3", "typical of a tree of that height", 0.0, 1e4),
    Parameter("sapwood_capacitance", 1e-5, "kg/(m^3*Pa)", "Williams 2021 to Cermak 2007 (typical)", 0.0, 1e-3),
    Parameter("leaf_capacitance", 1e-8, "kg/(m^2*Pa)", "about 0.5 mol/(m2 MPa), typical of conifers", 0.0, 1e-5),
)


@lru_cache(maxsize=64)
def branch(items: tuple[tuple[str, Any], ...]) -> tuple[float, Branch]:
    """Critical flow (kg/s) and the branch of steady states that leads there from no flow."""
    p = Values(dict(items))
    conductance, scale = segment_values(p)
    ample = 2.0 * float(np.min(conductance * scale))  # more than any segment can carry: w integrates to less than b
    found = sf.trace(tree(p, 0.0), tree(p, ample), still=1e-9)
    last = found.points[-1]
    # Far out next to nothing conducts any more, and the arc may end in rounding before its limit counts as reached.
    runaway = float(np.min(np.asarray(last.state.u))) < -100.0 * float(np.max(scale))
    if found.end not in ("limit", "fold") and not runaway:
        raise NotConverged("The branch of steady states was lost before the critical flow", "use other substeps")
    return ample * (last.value if found.critical is None else found.critical), found


def critical(p: Values) -> float:
    """Critical flow of the tree whatever the air demands, kg/s."""
    return branch(_wood(p))[0]


AIR = ("stomatal_conductance", "vapour_deficit", "air_pressure", "cap", "course", "daylight")
STORING = ("leaf_area", "sapwood_volume", "sapwood_capacitance", "leaf_capacitance")


def _wood(p: Values) -> tuple[tuple[str, Any], ...]:
    """What the critical flow depends on; what stores is set to nothing."""
    return tuple((name, 0.0 if name in STORING else value) for name, value in p.items.items() if name not in AIR)


def demand(p: Values) -> float:
    """What the air would draw at noon through the open stomata, kg/s."""
    return WATER * p.stomatal_conductance * p.leaf_area * p.vapour_deficit / p.air_pressure


def model(p: Values) -> Model:
    """The tree at what it transpires through the day: the demand, or the capped share of the critical flow."""
    return tree(p, Daylight(demand(p), p.cap * critical(p), p.daylight))


def noon(p: Values, through_the_day: Model) -> Solution:
    """The steady state at the demand of noon."""
    return sf.steady(through_the_day.at(NOON))


@lru_cache(maxsize=16)
def _day(items: tuple[tuple[str, Any], ...]) -> Course:
    p = Values(dict(items))
    return course(model(p), leaves(p), p.density)


def day(p: Values) -> Course:
    """The day that repeats itself."""
    return _day(tuple(p.items.items()))


def leaves(p: Values) -> tuple[str, ...]:
    """The places where the tree transpires."""
    return ("leaf",) if p.mode == "single" else ("sun", "shade")


def answers(p: Values, solution: Solution) -> dict[str, Any]:
    """Flow, potentials, what cavitation costs, how far the tree is from runaway; branches; the course of the day."""
    psi = np.asarray(solution["p"])
    ends = psi[way_up(p)]
    loss = 1.0 - np.exp(-((np.maximum(-ends[1:], 0.0) / segment_values(p)[1]) ** p.vulnerability_shape))
    flow = float(solution.flow("p", "soil")) * p.density
    twigs = psi[firsts(p)[-1] :]
    conducts = conductance(p, psi)
    still = np.asarray(sf.steady(tree(p, 0.0))["p"])
    limit = critical(p)
    found = {
        "flow": flow,
        "transpiration": 0.0 - p.density * sum(float(solution.flow("p", place)) for place in leaves(p)),
        "demand": demand(p),
        "collar_potential": float(psi[1]),
        "segment_potentials": ends[1:].tolist(),
        "leaf_potential": float(np.min(twigs)),
        "loss_of_conductivity": loss.tolist(),
        "tree_conductance": conducts,
        "tree_loss_of_conductivity": 1.0 - conducts / ohmic(p),
        "critical_transpiration": limit,
        "safety": limit / flow if flow > 0 else float("inf"),
        "gravity_gradient": float(still[1] - still[firsts(p)[-1] - 1]) / p.height,
        "dissipation": float(solution.entropy.production) * float(solution["T"][0]),
    }
    if p.mode == "branched":
        found["branch_flows"] = (p.density * np.asarray(solution.along("p", "xylem"))[forks(p)]).tolist()
        found["leaf_potentials"] = twigs.tolist()
    if p.course == "day":
        found |= day(p).answers()
        found["predawn_deficit"] = float(still[-1]) - found["predawn_leaf_potential"]
    return found


REDWOOD: dict[str, Any] = {}
BROADLEAF = {
    "soil_potential": -6e5,
    "height": 18.0,
    "segments": 5,
    "root_conductance": 3e-8,
    "bottom_conductance": 1.5e-7,
    "top_conductance": 8e-8,
    "leaf_conductance": 3.2e-8,
    "bottom_vulnerability": 2.6e6,
    "top_vulnerability": 2.2e6,
    "vulnerability_shape": 2.4,
    "stomatal_conductance": 0.18,
    "leaf_area": 120.0,
    "vapour_deficit": 1500.0,
    "air_pressure": 98000.0,
}
# Independent reference computation (the segment law by quadrature and root finding, 1e-9).
REFERENCE: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    (
        REDWOOD,
        {
            "flow": 0.02311360868492475,
            "collar_potential": -265097.2048923196,
            "segment_potentials": [
                -444816.38735599874,
                -625894.6081654115,
                -808449.748050725,
                -992615.1966883811,
                -1178539.8700437048,
                -1366389.0968942235,
                -1556346.3001193742,
                -1748615.4510259237,
            ],
            "leaf_potential": -1841069.8857656228,
            "critical_transpiration": 0.1586157079881475,
            "safety": 6.862438061937099,
            "tree_loss_of_conductivity": 0.005621930560659738,
        },
    ),
    (
        BROADLEAF,
        {
            "flow": 0.0059560721632653055,
            "leaf_potential": -1471440.6533368358,
            "critical_transpiration": 0.018076852684776802,
            "tree_loss_of_conductivity": 0.06261187178105809,
        },
    ),
)


def _reference(run: Callable[..., Result]) -> list[Comparison]:
    found = []
    for given, expected in REFERENCE:
        a = run(**given).answers
        found += [
            Comparison(a[name], value, 5e-5 if name in ("critical_transpiration", "safety") else 1e-6)
            for name, value in expected.items()
        ]
    return found


def _ohm(run: Callable[..., Result]) -> list[Comparison]:
    # Xylem that hardly cavitates: resistances in series and gravity.
    a = run(bottom_vulnerability=1e8, top_vulnerability=1e8).answers
    at = (np.arange(8) + 0.5) / 8
    resistance = 1 / 1.4e-7 + 1 / 2.5e-7 + np.sum(1 / (5.5e-7 - at * 1.3e-7))
    expected = -1e5 - 998.2 * G_STANDARD * 112.0 - a["demand"] * resistance
    return [Comparison(a["leaf_potential"], expected, 1e-6)]


def _rest(run: Callable[..., Result]) -> list[Comparison]:
    a = run(vapour_deficit=0.0).answers
    return [
        Comparison(a["gravity_gradient"], 998.2 * G_STANDARD, 1e-10),
        Comparison(a["gravity_gradient"], 9800.0, 2e-3),
        Comparison(a["leaf_potential"], -1e5 - 998.2 * G_STANDARD * 112.0, 1e-10),
        Comparison(a["flow"], 0.0, 0.0, 1e-12),
    ]


def _supply(run: Callable[..., Result]) -> list[Comparison]:
    # One segment without gravity to speak of, wet soil, ample root: the critical flow is K b Gamma(1 + 1/c).
    given = {"height": 0.1, "segments": 1, "soil_potential": 0.0, "root_conductance": 1.0}
    b = 2e6
    a = run(**given, bottom_vulnerability=b, top_vulnerability=b, vulnerability_shape=2.0).answers
    return [Comparison(a["critical_transpiration"], 4.85e-7 * b * np.sqrt(np.pi) / 2.0, 1e-3)]


def _measured(run: Callable[..., Result]) -> list[Comparison]:
    # Koch et al. 2004: about -1.2 MPa before dawn and -1.9 MPa at midday near the top.
    return [
        Comparison(run(vapour_deficit=0.0).answers["leaf_potential"], -1.2e6, 0.05),
        Comparison(run().answers["leaf_potential"], -1.9e6, 0.05),
    ]


def _order(run: Callable[..., Result]) -> list[Comparison]:
    leaf = [float(sf.steady(tree(SYSTEM.values({**BROADLEAF, "substeps": n}), 0.0139))["p"][-1]) for n in (2, 4, 64)]
    errors = [one - leaf[2] for one in leaf[:2]]
    return [Comparison(np.log2(errors[0] / errors[1]), 2.0, 0.05)]


def _runaway(run: Callable[..., Result]) -> list[Comparison]:
    a = run(vapour_deficit=2e4).answers
    return [
        Comparison(a["flow"], 0.95 * a["critical_transpiration"], 1e-9),
        Comparison(min(a["demand"] / a["critical_transpiration"], 1.0), 1.0, 0.0),
    ]


def _pipes(run: Callable[..., Result]) -> list[Comparison]:
    # All twigs alike: branches side by side are the stem they come from, and every fork halves the flow.
    one, forked = run(**BROADLEAF).answers, run(**BROADLEAF, mode="branched", orders=3, shade=1.0).answers
    flows = np.concatenate([np.full(2**order, one["flow"] / 2**order) for order in range(4)])
    names = (
        "flow",
        "leaf_potential",
        "segment_potentials",
        "critical_transpiration",
        "tree_conductance",
        "dissipation",
    )
    return [
        *(Comparison(forked[name], one[name], 1e-8) for name in names),
        Comparison(forked["branch_flows"], flows, 1e-9),
    ]


def _murray(run: Callable[..., Result]) -> list[Comparison]:
    # Ohm's law: the mean of the leaves meets all resistances in series, those of an order side by side, shaded or not.
    given = {"daughters": 3, "orders": 2, "segments": 3, "branch_exponent": 4 / 3, "shade": 0.2, "mode": "branched"}
    a = run(**given, bottom_vulnerability=1e8, top_vulnerability=1e8).answers
    xylem = 5.5e-7 - (np.arange(3) + 0.5) / 3 * 1.3e-7
    resistance = 1 / 1.4e-7 + 1 / 2.5e-7 + np.sum(3.0 ** (np.arange(3) / 3.0) / xylem)
    expected = -1e5 - 998.2 * G_STANDARD * 112.0 - a["demand"] * resistance
    sun, shade = (a["branch_flows"][number] / a["flow"] for number in (1, 2))
    return [
        Comparison(np.mean(a["leaf_potentials"]), expected, 1e-6),
        Comparison([sun, shade], [1.0 / 1.4, 0.2 / 1.4], 1e-9),
    ]


def _one_store(run: Callable[..., Result]) -> list[Comparison]:
    # All storage in the leaves, no cavitation: one resistance and one capacity, whose wave lags by its phase.
    given = {"bottom_vulnerability": 1e8, "top_vulnerability": 1e8, "sapwood_volume": 0.0, "leaf_capacitance": 1e-7}
    a = run(**given, course="day", segments=2, substeps=1).answers
    resistance = 1 / 1.4e-7 + 1 / 2.5e-7 + 1 / 5.175e-7 + 1 / 4.525e-7
    turn = 2.0 * np.pi / 86400.0
    return [
        Comparison(a["lag"], np.arctan(turn * resistance * 2600.0 * 1e-7) / turn, 1e-4),
        Comparison(a["daily_transpiration"], a["demand"] * 50400.0 * 2.0 / np.pi, 1e-5),
        Comparison(a["daily_uptake"], a["daily_transpiration"], 2e-6),
    ]


def _storage(run: Callable[..., Result]) -> list[Comparison]:
    day, dry = run(course="day").answers, run(course="day", sapwood_volume=0.0, leaf_capacitance=1e-12).answers
    stated = ("flow", "leaf_potential", "critical_transpiration")
    return [
        Comparison(day["storage_share"], 0.2, 0.2),
        *(Comparison(day[name], dry[name], 1e-10) for name in stated),
        # Without storage every moment of the day is steady, and noon is the steady noon.
        Comparison(dry["minimum_leaf_potential"], dry["leaf_potential"], 1e-5),
        Comparison(dry["peak_flow"], dry["flow"], 1e-5),
    ]


CLAIMS = (
    Claim("a redwood at midday and a broadleaf in dry soil", "independent reference computation", _reference),
    Claim("without cavitation Ohm's law: resistances in series", "limit", _ohm),
    Claim("at rest 0.0098 MPa per metre", "hydrostatics", _rest),
    Claim("one segment carries at most K b Gamma(1 + 1/c)", "Sperry et al. 1998, closed form", _supply),
    Claim("measured potentials at the top of a redwood", "Koch et al. 2004", _measured),
    Claim("the substeps converge at second order", "observed order", _order),
    Claim("beyond the critical flow the stomata close to 95 % of it", "definition", _runaway),
    Claim("a branched tree of the pipe model is the stem it comes from", "Shinozaki et al. 1964", _pipes),
    Claim("forks in Ohm's law: resistances of an order side by side", "Murray 1926; limit", _murray),
    Claim("one store behind one resistance lags by its phase", "closed form of an RC link", _one_store),
    Claim("storage serves a fifth of the day and no steady state", "Cermak et al. 2007; limit", _storage),
)


def figure(result: Result) -> Figure:
    """Potential along the way, the branch of steady states up to runaway cavitation, and the course of the day."""
    p, a = result.parameters, result.answers
    daily = p.course == "day"
    fig = Figure(figsize=(15.0 if daily else 10.0, 4.4), layout="constrained")
    left, right, *more = fig.subplots(1, 3 if daily else 2)
    height, psi = np.asarray(result.solution.position()), np.asarray(result.solution["p"]) / 1e6
    if p.mode == "branched":
        left.plot(psi, height, ".", color="0.7", ms=2, label="all branches")
    path = np.concatenate([[0], way_up(p), [firsts(p)[-1]]])
    shown = np.arange(len(psi)) if p.mode == "single" else path
    left.plot(psi[shown], height[shown], label=f"flow {a['flow']:.3g} kg/s")
    left.plot((p.soil_potential - p.density * G_STANDARD * height) / 1e6, height, "k:", label="at rest (gravity alone)")
    left.set_xlabel("water potential (MPa)")
    left.set_ylabel("height (m)")
    left.legend(fontsize="small")
    limit, found = branch(_wood(p))
    flows = np.array([point.value for point in found.points]) * limit / found.points[-1].value
    lowest = np.array([float(np.min(np.asarray(point.state.u[:, 0]))) for point in found.points]) / 1e6
    near = lowest > -4.0 * p.top_vulnerability / 1e6
    right.plot(flows[near], lowest[near], ".-", label="steady states, by continuation")
    right.axvline(limit, color="C3", label="critical flow")
    right.plot(a["flow"], a["leaf_potential"] / 1e6, "o", color="C1", label="this run")
    right.set_xlabel("flow (kg/s)")
    right.set_ylabel("leaf potential (MPa)")
    right.legend(fontsize="small")
    if daily:
        day(p).draw(more[0])
    return fig


SYSTEM = System(
    name="redwood",
    parameters=PARAMETERS,
    model=model,
    solve=noon,
    answers=answers,
    units={
        **dict.fromkeys(("flow", "transpiration", "demand", "critical_transpiration", "branch_flows"), "kg/s"),
        **dict.fromkeys(("collar_potential", "segment_potentials", "leaf_potential", "leaf_potentials"), "Pa"),
        **dict.fromkeys(("minimum_leaf_potential", "predawn_leaf_potential", "predawn_deficit"), "Pa"),
        **dict.fromkeys(("loss_of_conductivity", "tree_loss_of_conductivity", "safety", "storage_share"), ""),
        **dict.fromkeys(("daily_transpiration", "daily_uptake", "storage_use"), "kg"),
        "peak_flow": "kg/s",
        "lag": "s",
        "tree_conductance": "kg/(s*Pa)",
        "gravity_gradient": "Pa/m",
        "dissipation": "W",
    },
    claims=CLAIMS,
    figure=figure,
)
