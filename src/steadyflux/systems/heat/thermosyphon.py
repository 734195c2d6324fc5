"""A thermosyphon: a closed loop of water that carries heat by itself, driven by buoyancy against friction.

Seeds: A

Water that is heated low in a loop and cooled high up is lighter in one leg than in the other; it begins to run round
and runs faster until friction balances the difference in weight. No pump, no moving part.

## Equations

    energy     rho c_p A (dT/dt + u dT/ds) = k A d2T/ds2 + heater - cooler
    momentum   rho L du/dt = rho g beta (integral of T dz round the loop) - (f L / d + K) rho u |u| / 2
    friction   laminar f = 64 / Re, turbulent f = 0.316 Re^(-1/4); `auto` changes from one to the other at Re = 2300
    cooler     U (T - T_c) along its length; the heater a given power, or a wall of given temperature

The velocity u is one number, shared by the whole loop. `arrangement` says where heater and cooler sit: the heater along
the bottom and the cooler along the top (`horizontal`), the heater on the rising and the cooler on the falling leg
(`vertical`, at heights of your choice), or a `torus` whose diameter is the height and whose wall has the temperature
T_c + wall_amplitude cos(angle - tilt), counted from the lowest point; `cooler_conductance` is then that of its wall.

With h_t = U / (rho c_p A L), sigma = 32 nu / (d^2 h_t) and r = g beta wall_amplitude / (D sigma h_t^2), D the torus's
diameter, its velocity and the first harmonic of its temperature obey exactly the Lorenz system with b = 1:

    X' = sigma (r B - X),   B' = X A - B + sin(tilt),   A' = -X B - A + cos(tilt)         (time in units of 1 / h_t)

`stable` says whether small disturbances of the circulation die away. `critical_heating` is the heat carried where, with
ever more heating, the circulation first loses its stability: searched between a thousandth and a thousand times the
heating (or the temperature difference of the walls) given; left out where it stays stable.

## What to look for

What counts is the height between the thermal centres. Heat both legs evenly over the same height, one as much as the
other is cooled, and nothing moves: at each level both are equally warm. A strong cooler cools near its entrance, high
on the falling leg, and so drives a flow. A loop heated and cooled on its horizontal limbs runs either way round, and
beyond the critical heating it swings: a warm slug speeds it up, and the water then passes the heater too fast.

## Limits

One dimension; Boussinesq, with constant properties; friction of developed flow in round pipes; the heat capacity of the
walls and the heat of friction are left out.

## Sources

Keller 1966 and Welander 1967 (oscillations); Malkus 1972, Ehrhard and Mueller 1990 (the torus as a Lorenz system);
Vijayan 2002, Swapnalee and Vijayan 2011 (Re = 0.1768 (Gr_m / N_G)^(1/2) and 1.96 (Gr_m / N_G)^(1/2.75)); Blasius 1913.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from scipy.integrate import solve_ivp

import steadyflux as sf
from steadyflux.ground.arithmetic import is_traced
from steadyflux.ground.constants import G_STANDARD
from steadyflux.model.system import State
from steadyflux.systems.heat._loop import (
    COARSE,
    VELOCITY,
    WALLS,
    Friction,
    Momentum,
    expected_speed,
    first_unstable,
    rectangle,
    stream,
    stronger,
    torus,
    torus_rates,
)
from steadyflux.systems.system import Choice, Claim, Comparison, Parameter, Result, System, Values

PUSH = 1e-3  # share of the expected speed with which the water starts: heated from below it could stay at rest

PARAMETERS = (
    Choice("arrangement", "horizontal", ("horizontal", "vertical", "torus"), "where heater and cooler sit"),
    Choice("heating", "power", ("power", "wall"), "a given power, or a wall of given temperature"),
    Choice("friction", "auto", ("auto", "laminar", "turbulent"), "law of the pipe's friction"),
    Choice("stability", "yes", ("yes", "state", "no"), "also the critical heating, of this state only, or none"),
    Parameter("height", 1.2, "m", "of the loop, laboratory rig (typical)", 1e-3, 1e4),
    Parameter("width", 1.8, "m", "of the loop, laboratory rig (typical)", 1e-3, 1e4),
    Parameter("pipe_radius", 0.01, "m", "typical", 1e-5, 10.0),
    Parameter("heater", 1000.0, "W", "typical", 1e-6, 1e9),
    Parameter("heater_height", None, "m", "of the heater's middle on its leg; None: half-way", 0.0, 1e4),
    Parameter("heater_length", None, "m", "of the heater on its leg; None: all of it", 1e-6, 1e4),
    Parameter("heater_conductance", 50.0, "W/K", "of a heating wall (typical)", 1e-6, 1e9),
    Parameter("heater_temperature", 330.0, "K", "of a heating wall (typical)", 1.0, 5000.0),
    Parameter("cooler_conductance", 50.0, "W/K", "of the whole cooler (typical)", 1e-6, 1e9),
    Parameter("cooler_temperature", 300.0, "K", "typical", 1.0, 5000.0),
    Parameter("cooler_height", None, "m", "of the cooler's middle on its leg; None: half-way", 0.0, 1e4),
    Parameter("cooler_length", None, "m", "of the cooler on its leg; None: all of it", 1e-6, 1e4),
    Parameter("wall_amplitude", 2.0, "K", "of the torus's wall temperature (typical)", 1e-6, 1e3),
    Parameter("tilt", 0.0, "rad", "of the torus's warmest point from its lowest; heated from below", -np.pi, np.pi),
    Parameter("loss_coefficient", 0.0, "", "sum of the losses of bends and valves; none", 0.0, 1e6),
    Parameter("density", 988.0, "kg/m^3", "water at 50 degC", 1e-2, 3e4),
    Parameter("expansion", 4.5e-4, "1/K", "water at 50 degC", 1e-7, 1e-1),
    Parameter("viscosity", 5.5e-4, "Pa*s", "water at 50 degC", 1e-7, 1e3),
    Parameter("heat_capacity", 4181.0, "J/(kg*K)", "water at 50 degC", 1.0, 1e5),
    Parameter("conductivity", 0.64, "W/(m*K)", "water at 50 degC", 0.0, 1e3),
    Parameter(
        "steps",
        400,
        "",
        "edges in each of the four limbs; half as many in a quarter of the torus",
        4,
        100_000,
        whole=True,
    ),
)


def _walls(p: Values, guess: Any) -> tuple[sf.Space, Any, list[sf.EdgeLaw], list[Any]]:
    """Space, heights, and what exchanges heat with the stream: laws and conditions."""
    if p.arrangement == "torus":
        space, z = torus(2 * p.steps, 0.5 * p.height, p.pipe_radius)
        film = p.cooler_conductance / space.edge_set("film").area.sum()
        around = p.cooler_temperature + p.wall_amplitude * np.cos(np.arange(2 * p.steps) * np.pi / p.steps - p.tilt)
        return space, z, [sf.Transfer("T", film, on="film")], [sf.Hold("wall", {"T": around})]
    space, z = rectangle(p, guess)
    walls = {name: space.place(name).area.sum() for name in WALLS}
    heating = sf.Influx("heater", {"T": p.heater / walls["heater"]})
    if p.heating == "wall":
        film = sf.Transfer("T", p.heater_conductance / walls["heater"])
        heating = sf.Exchange("heater", film, {"T": p.heater_temperature})
    cooling = sf.Transfer("T", p.cooler_conductance / walls["cooler"])
    return space, z, [], [heating, sf.Exchange("cooler", cooling, {"T": p.cooler_temperature})]


def model(p: Values) -> sf.Model:
    """The loop with its heater, its cooler and the velocity of its stream."""
    guess = expected_speed(p)
    space, z, laws, conditions = _walls(p, guess)
    length = np.pi * p.height if p.arrangement == "torus" else 2.0 * (p.width + p.height)
    capacity = p.density * p.heat_capacity
    resistance = Friction(length, 2.0 * p.pipe_radius, p.density, p.viscosity, p.loss_coefficient, p.friction)
    momentum = Momentum(z, p.density, p.expansion, resistance)
    return sf.Model(
        space,
        quantities=[sf.Heat("T", capacity=capacity)],
        laws=[*stream(space, capacity), sf.Fourier(p.conductivity), *laws],
        boundaries=conditions,
        start={"T": p.cooler_temperature},
        shared=[sf.Shared(VELOCITY, start=PUSH * guess, unit="m/s", rate=momentum)],
    )


def circulation(p: Values, model: sf.Model) -> sf.Solution:
    """The steady circulation, searched from about its speed: the model itself starts at rest, with a push."""
    warm = p.cooler_temperature
    if p.arrangement != "torus":
        wall = p.heater_temperature if p.heating == "wall" else warm + 2.0 * p.heater / p.cooler_conductance
        warm = 0.5 * (warm + wall)
    guess = State(warm * jnp.ones((model.cells, 1)), jnp.reshape(jnp.asarray(expected_speed(p)), (1,)))
    return sf.steady(model, jax.lax.stop_gradient(guess))


def temperatures(p: Values, solution: sf.Solution) -> Any:
    """Temperature of the stream in the middle of each edge, (edge,), K."""
    T = solution["T"][: 2 * p.steps] if p.arrangement == "torus" else solution["T"]
    return 0.5 * (T + jnp.roll(T, -1))


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """Flow, temperatures, heat carried, entropy produced, and the stability of the circulation."""
    u, T = solution[VELOCITY], temperatures(p, solution)
    flow = p.density * np.pi * p.pipe_radius**2 * u
    hot, cold = jnp.max(T), jnp.min(T)
    found = {
        "mass_flow": flow,
        "velocity": u,
        "hot_temperature": hot,
        "cold_temperature": cold,
        "reynolds": p.density * jnp.abs(u) * 2.0 * p.pipe_radius / p.viscosity,
        "heat_carried": jnp.abs(flow) * p.heat_capacity * (hot - cold),
        "entropy_production": sum(jnp.sum(book.entropy) for book in solution.books.laws),
    }
    if p.stability == "no" or solution.rate is not None or is_traced(p.items):
        return found  # on its way, the loop has no stability to speak of
    leading = sf.spectrum(solution).rates[0]
    found |= {
        "stable": bool(leading.real < 0.0),
        "growth_rate": float(leading.real),
        "frequency": float(abs(leading.imag)),
    }
    times = critical(p) if p.stability == "yes" else None
    if times is not None:
        there = stronger(p, times)
        found["critical_heating"] = float(answers(there, circulation(there, model(there)))["heat_carried"])
        found["critical_ratio"] = times
    return found


def _growth(p: Values, times: float, steps: int) -> float:
    there = stronger(p, times, steps)
    return float(sf.spectrum(circulation(there, model(there))).rates[0].real)


def critical(p: Values) -> float | None:
    """How many times the heating first makes the circulation unstable; None where it stays stable."""
    most = np.inf
    if p.arrangement == "torus" or p.heating == "wall":  # no wall is colder than absolute zero
        coldest = -p.wall_amplitude if p.arrangement == "torus" else p.heater_temperature - p.cooler_temperature
        most = -p.cooler_temperature / coldest if coldest < 0.0 else most
    return first_unstable(lambda x, steps: _growth(p, x, steps), p.steps, most)


UNITS = {
    "mass_flow": "kg/s",
    "velocity": "m/s",
    **dict.fromkeys(("hot_temperature", "cold_temperature"), "K"),
    **dict.fromkeys(("reynolds", "stable", "critical_ratio"), ""),
    **dict.fromkeys(("heat_carried", "critical_heating"), "W"),
    "entropy_production": "W/K",
    **dict.fromkeys(("growth_rate", "frequency"), "1/s"),
}

Run = Callable[..., Result]
SOLAR = {
    "heater": 120.0,
    "height": 0.6,
    "width": 1.65,
    "pipe_radius": 0.005,
    "density": 995.0,
    "viscosity": 7.8e-4,
    "expansion": 3.1e-4,
    "heat_capacity": 4179.0,
    "conductivity": 0.61,
}
# Independent reference computations (roots of one equation; eigenvalues of the Lorenz system), relative accuracy 1e-9.
RIG = {"turbulent": (0.023359421081770543, 10.239005045990814), "laminar": (0.027226202322659824, 8.784817929917843)}
SOLAR_FLOW = (0.0019041919348608053, 15.079889303004789)
LEGS = (0.03956294329193897, 602.3064445957426, 5.865593149316912)  # velocity, heat, rise of the top above the mean
# Velocity; growth rate and frequency in units of the exchange rate; r.
FROM_BELOW = (0.03099682205272705, -0.25256892428740757, 3.047763239282466, 9.096243043937635)
FROM_THE_SIDE = (0.008483824851629844, -2.687673355187357, 2.2268949077576115, 5.726294092748494)


def _quick(run: Run, **given: Any) -> Any:
    return run(stability="no", **given).answers


def _powers(run: Run) -> list[Comparison]:
    found = []
    cases = [({"loss_coefficient": 6.0, "friction": name}, flow) for name, flow in RIG.items()]
    cases += [({"loss_coefficient": 6.0}, RIG["turbulent"]), (SOLAR, SOLAR_FLOW)]
    for case, (flow, rise) in cases:
        a = _quick(run, **case)
        found.append(Comparison(a["mass_flow"], flow, 1e-6))
        found.append(Comparison(a["hot_temperature"] - a["cold_temperature"], rise, 1e-5))
    return found


WALL = 450.0 * np.pi * 0.02 * 1.5  # conductance of a leg, W/K
LEGS_CASE: dict[str, Any] = {
    "arrangement": "vertical",
    "heating": "wall",
    "friction": "laminar",
    "height": 1.5,
    "width": 1.5,
}
LEGS_CASE |= {"conductivity": 0.0, "heater_conductance": WALL, "cooler_conductance": WALL}


def _legs(run: Run) -> list[Comparison]:
    a = _quick(run, **LEGS_CASE)
    return [Comparison((a["velocity"], a["heat_carried"], a["hot_temperature"] - 315.0), LEGS, 1e-5)]


def _torus(diameter: float, film: float, **given: Any) -> dict[str, Any]:
    """A torus without conduction, its wall's conductance from its film coefficient."""
    wall = film * 2.0 * np.pi * given.get("pipe_radius", 0.01) * np.pi * diameter
    laminar = {"arrangement": "torus", "friction": "laminar", "conductivity": 0.0}
    return {**laminar, "height": diameter, "cooler_conductance": wall, **given}


def _lorenz(run: Run) -> list[Comparison]:
    side = {name: value for name, value in SOLAR.items() if name not in ("height", "width", "heater", "conductivity")}
    found = []
    for case, expected in (
        (_torus(1.0, 450.0), FROM_BELOW),
        (_torus(0.5, 220.0, **side, wall_amplitude=5.0, tilt=np.pi / 2.0), FROM_THE_SIDE),
    ):
        result = run(stability="state", **case)
        a, (_, exchange) = result.answers, torus_rates(result.parameters)
        found.append(Comparison(a["velocity"], expected[0], 1e-4))
        # The higher harmonics, which the Lorenz system leaves out, decay with the exchange rate itself.
        found.append(Comparison(a["growth_rate"] / exchange, max(expected[1], -1.0), 1e-4))
        if expected[1] > -1.0:
            found.append(Comparison(a["frequency"] / exchange, expected[2], 1e-4))
    return found


def _malkus(run: Run) -> list[Comparison]:
    result = run(**_torus(1.0, 450.0))
    friction, exchange = torus_rates(result.parameters)
    sigma = friction / exchange
    expected = sigma * (sigma + 4.0) / (sigma - 2.0)
    return [
        Comparison(result.answers["critical_ratio"] * FROM_BELOW[3], expected, 1e-4),
        Comparison(float(result.answers["stable"]), 1.0, 0.0),
    ]


def _onset(run: Run) -> list[Comparison]:
    """Heated from below the water stays at rest below r = 1; beyond, X = sqrt(r - 1)."""
    one = 2.0 / FROM_BELOW[3]  # wall amplitude at r = 1
    below, above = (_quick(run, **_torus(1.0, 450.0, wall_amplitude=r * one)) for r in (0.9, 1.3))
    _, exchange = torus_rates(run(stability="no", **_torus(1.0, 450.0)).parameters)
    return [
        Comparison(below["velocity"], 0.0, 0.0, 1e-10),
        Comparison(above["velocity"], 0.5 * exchange * np.sqrt(0.3), 1e-4),
    ]


def _correlation(run: Run) -> list[Comparison]:
    found = []
    for regime, factor, power in (("laminar", 0.1768, 0.5), ("turbulent", 1.96, 1.0 / 2.75)):
        for Q in (30.0, 7000.0):
            p = run(stability="no", heater=Q, friction=regime, conductivity=0.0)
            v, d = p.parameters, 0.02
            area, length = np.pi * d**2 / 4.0, 6.0
            grashof = (
                d**3 * v.density**2 * G_STANDARD * v.expansion * Q * 1.2 / (area * v.viscosity**3 * v.heat_capacity)
            )
            found.append(Comparison(p.answers["reynolds"], factor * (grashof * d / length) ** power, 3e-3))
    return found


def _heights(run: Run) -> list[Comparison]:
    """A weak cooler cools evenly: what drives is the height between the middles."""
    even = {"arrangement": "vertical", "friction": "laminar", "cooler_temperature": 3.0, "heater": 20.0}
    even |= {"conductivity": 0.0, "cooler_conductance": 0.02, "heater_length": 0.2, "heater_height": 0.3}
    flow = [_quick(run, **even, cooler_length=0.2, cooler_height=z)["mass_flow"] for z in (1.1, 0.8)]
    level = _quick(run, **{**even, "heater_length": None, "heater_height": None})["mass_flow"]
    # Over whole legs a twelfth of the height is left, times the share of its heat that the stream loses in a passage.
    left = 1.2 / 12.0 * 0.02 / (level * 4181.0)
    return [
        Comparison(flow[1] / flow[0], np.sqrt(0.5 / 0.8), 1e-4),
        Comparison(level / flow[0], np.sqrt(left / 0.8), 1e-3),
    ]


def _books(run: Run) -> list[Comparison]:
    result = run(stability="no")
    a, solution, p = result.answers, result.solution, result.parameters
    lost = -float(solution.flow("T", "cooler"))
    stream = a["mass_flow"] * p.heat_capacity * np.log(a["hot_temperature"] / a["cold_temperature"])
    return [
        Comparison(lost, 1000.0, 1e-10),
        Comparison(solution.flow("T", "heater"), 1000.0, 1e-12),
        Comparison(a["entropy_production"], 1000.0 / p.cooler_temperature - stream, 1e-5),
    ]


def _order(run: Run) -> Comparison:
    errors = [_quick(run, steps=n, **LEGS_CASE)["velocity"] - LEGS[0] for n in (20, 40)]
    return Comparison(np.log2(errors[0] / errors[1]), 2.0, 0.0, 0.05)


def _lorenz_course(run: Run) -> Comparison:
    """From near rest to the steady circulation: the torus against the Lorenz system integrated by itself."""
    case = _torus(1.0, 450.0, steps=200)
    p = run(stability="no", **case).parameters
    friction, exchange = torus_rates(p)
    sigma, r, times = friction / exchange, FROM_BELOW[3], np.array([2.0, 3.0, 4.0, 6.0, 9.0])
    course = sf.evolve(model(p), float(times[-1] / exchange), rtol=1e-8)
    unit = 0.5 * p.height * exchange

    def rates(_: float, y: np.ndarray) -> list[float]:
        X, B, A = y
        return [sigma * (r * B - X), X * A - B, 1.0 - X * B - A]

    start = [float(course["velocity"][0]) / unit, 0.0, 0.0]
    found = solve_ivp(rates, (0.0, times[-1]), start, t_eval=times, method="DOP853", rtol=1e-11, atol=1e-13)
    return Comparison(course.values(VELOCITY, times / exchange) / unit, found.y[0], 5e-4)


def _start_up(run: Run) -> list[Comparison]:
    """From rest the stable loop comes to the steady circulation; what was not carried off is stored."""
    case = {"arrangement": "vertical", "stability": "no", "steps": 40, "heater": 300.0}
    steady = run(**case)
    course = run(**case, until="2 h").history
    books = course.ledger["T"]
    return [
        Comparison(course["velocity"][-1], steady.answers["velocity"], 1e-4),
        Comparison(books.into, 300.0 * 7200.0, 1e-9),
        Comparison(books.imbalance / books.into, 0.0, 0.0, 1e-9),
    ]


CLAIMS = (
    Claim("a laboratory rig and a solar collector", "independent reference computation", _powers),
    Claim("two legs between walls of given temperature", "independent reference computation", _legs),
    Claim("a torus runs, sways and calms down as the Lorenz system", "Malkus 1972; reference computation", _lorenz),
    Claim("the torus is unstable beyond r = sigma (sigma + 4) / (sigma - 2)", "Malkus 1972", _malkus),
    Claim("heated from below the torus moves beyond r = 1", "Malkus 1972", _onset),
    Claim("Re = 0.1768 (Gr_m / N_G)^0.5 and 1.96 (Gr_m / N_G)^(1/2.75)", "Vijayan 2002", _correlation),
    Claim("what drives is the height between the thermal centres", "limit", _heights),
    Claim("from rest the torus follows the Lorenz system", "Lorenz 1963, integrated apart", _lorenz_course),
    Claim("a loop on its legs starts by itself", "conservation; limit", _start_up),
    Claim("heat in is heat out; entropy as the stream's temperatures say", "conservation", _books),
    Claim("the steps converge at second order", "observed order", _order),
)


def figure(result: Result) -> Figure:
    """Temperature round the loop, and the velocity against the heating, or against time."""
    p, solution, a = result.parameters, result.solution, result.answers
    drawing = Figure(figsize=(10.0, 4.4), layout="constrained")
    left, right = drawing.subplots(1, 2)
    s = np.asarray(solution.model.edges["interior"].position)
    left.plot(s, np.asarray(temperatures(p, solution)))
    for name in (x for x in WALLS if x in solution.model.space.places):
        at = np.asarray(solution.position())[np.asarray(solution.model.space.place(name).cells)]
        left.axvspan(at.min(), at.max() if at[-1] > 0.0 else s[-1], alpha=0.15, color={"heater": "C3"}.get(name, "C0"))
        left.text(at.min(), 1.0, f" {name}", transform=left.get_xaxis_transform(), va="bottom", fontsize="small")
    left.set_xlabel("way round the loop, m")
    left.set_ylabel("temperature, K")
    if result.course is not None:
        right.plot(result.course.times, 1e3 * result.course["velocity"], label="on the way")
        right.set_xlabel("time, s")
    else:
        times = 10.0 ** np.linspace(-1.5, 1.0, 26)
        loops = [stronger(p, x, min(p.steps, COARSE)) for x in times]
        speed = [float(circulation(one, model(one))[VELOCITY]) for one in loops]
        right.semilogx(times, 1e3 * np.asarray(speed))
        right.plot(1.0, 1e3 * float(a["velocity"]), "o", color="C1", label="this loop")
        if "critical_ratio" in a:
            right.axvline(a["critical_ratio"], color="C3", ls="--", label="stability is lost")
        right.set_xlabel("heating over that of this loop")
    right.set_ylabel("velocity, mm/s")
    right.legend()
    return drawing


SYSTEM = System(
    name="thermosyphon",
    parameters=PARAMETERS,
    model=model,
    solve=circulation,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
)
