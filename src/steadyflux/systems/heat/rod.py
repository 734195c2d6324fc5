"""A metal rod between fire and ice: heat flows steadily and entropy is produced all along it.

Seeds: C

A rod joins a hot body to a cold one. Nothing changes in time, yet the rod is not in equilibrium: heat passes through
it, and each piece of it produces entropy. What the rod produces, the cold body receives in excess of what the hot one
gives.

Equations

    q = -k(T) dT/dx = constant,    k(T) = k0 + k1 (T - 300 K) + k2 (T - 300 K)^2
    local entropy production       sigma = q d(1/T)/dx = k (T'/T)^2
    its volume integral            S = Q (1/T_cold - 1/T_hot)           (what leaves less what enters)
    constant k                     S = (k A / L) (T_hot - T_cold)^2 / (T_hot T_cold)

The profile of least entropy production between the same two temperatures is another one: the integral of k (T'/T)^2 is
least where sqrt(k) T'/T is constant. That is Fourier's profile only for a conductivity that falls as 1/T^2.

In time

    heat_capacity dT/dt = d/dx (k(T) dT/dx),    T = cold at the start, when the hot body is put to its end

The answers named `at_time` belong to the moment `time`; `entropy_produced_by_time` counts from the start. It is what
the rod stores of entropy and gives to the cold body, less what the hot body gives. At first the flow falls as one over
the square root of time, as into a rod without end; then the cold end feels it, and the flow settles to `heat`.

Local thermodynamic equilibrium, without which T(x) would mean nothing, holds where the temperature changes little over
a mean free path. The local-equilibrium number is the largest mean_free_path |T'|/T on the rod: it must be far below
one.

What to look for: most entropy is made at the cold end, where the same heat flows at a lower temperature. On the way
there the rod makes more of it than at rest.

Limits: one dimension, sides insulated, the conductivity positive between the two temperatures.

Sources: de Groot and Mazur, Non-Equilibrium Thermodynamics (1962), ch. III and V (least entropy production);
Carslaw and Jaeger, Conduction of Heat in Solids (1959), sections 2.5 and 3.4 (the rod in time); copper 401 W/(m K) at
300 K and 3.45 MJ/(m^3 K), CRC Handbook (typical values); mean free path of electrons in copper 40 nm (typical value).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from scipy.integrate import quad, simpson, solve_bvp
from scipy.special import erfc

from steadyflux.ground.arithmetic import is_traced
from steadyflux.ground.errors import InputError
from steadyflux.model.conditions import Hold
from steadyflux.model.history import History
from steadyflux.model.model import Model
from steadyflux.model.solution import Solution
from steadyflux.physics.diffusion import Coefficient, Fourier, Polynomial
from steadyflux.physics.quantity import Heat
from steadyflux.solve.steady import steady
from steadyflux.solve.transient import evolve
from steadyflux.space.interval import interval
from steadyflux.systems.system import Claim, Comparison, Numbers, Parameter, Result, System, Values

REFERENCE = 300.0  # K, where k0 is the conductivity
FRACTIONS = (0.1, 0.25, 0.5, 0.75, 0.9)
REACH = 8.0  # widths sqrt(D t) beyond which nothing is warmer: erfc(4) is 1.5e-8
CRUDE, BEYOND, FITTED = 200, 60, 1000  # steps: within reach and beyond it at first; then where they are needed

PARAMETERS = (
    Numbers(
        "conductivity", (401.0, 0.0, 0.0), "W/(m*K)", "k0, k1 (per K), k2 (per K^2) about 300 K; copper, typical value"
    ),
    Parameter("hot", 1300.0, "K", "a wood fire, typical value", low=1.0, high=5000.0),
    Parameter("cold", 273.15, "K", "melting ice", low=1.0, high=5000.0),
    Parameter("length", 0.5, "m", "chosen", low=1e-9, high=1e4),
    Parameter("area", 1e-4, "m^2", "chosen", low=1e-18, high=1e4),
    Parameter("heat_capacity", 3.45e6, "J/(m^3*K)", "copper, typical value", low=1e-3, high=1e9),
    Parameter("mean_free_path", 4e-8, "m", "electrons in copper at room temperature, typical value", low=0.0, high=1.0),
    Parameter("time", 120.0, "s", "two minutes, chosen", low=1e-12, high=1e15),
    Parameter("cells", 401.0, "", "400 steps", low=3.0, high=100001.0, whole=True),
)


class LeastProduction(Coefficient):
    """sqrt(k(T)) / T: the coefficient whose conserved flux belongs to the profile of least entropy production."""

    conductivity: Polynomial

    def __call__(self, x: Any) -> Any:
        """The coefficient at the temperature ``x``."""
        return jnp.sqrt(self.conductivity(x)) / x


def _conductivity(p: Values) -> Polynomial:
    if not 1 <= len(p.conductivity) <= 3:
        raise InputError(f"conductivity takes one to three numbers (k0, k1, k2), not {len(p.conductivity)}.")
    return Polynomial((*p.conductivity, 0.0, 0.0)[:3], at=REFERENCE)


def _refuse_negative(k: Polynomial, p: Values) -> None:
    if is_traced(p.items):
        return
    k0, k1, k2 = (float(c) for c in k.coefficients)
    bottom = REFERENCE - k1 / (2.0 * k2) if k2 else p.hot
    places = (p.hot, p.cold, float(np.clip(bottom, min(p.hot, p.cold), max(p.hot, p.cold))))
    value, at = min((k0 + k1 * (T - REFERENCE) + k2 * (T - REFERENCE) ** 2, T) for T in places)
    if value <= 0:
        raise InputError(
            f"The conductivity falls to {value:g} W/(m K) at {at:.5g} K, between hot and cold; "
            "choose coefficients that keep it positive there."
        )


def _model(p: Values, law: Callable[[Polynomial], Coefficient], nodes: Any = None) -> Model:
    k = _conductivity(p)
    _refuse_negative(k, p)
    line = {"length": p.length, "cells": p.cells} if nodes is None else {"nodes": nodes}
    return Model(
        space=interval(**line, area=p.area, names=("hot", "cold")),
        quantities=[Heat("T", capacity=p.heat_capacity)],
        laws=[Fourier(law(k))],
        boundaries=[Hold("hot", {"T": p.hot}), Hold("cold", {"T": p.cold})],
        start={"T": p.cold},
    )


def model(p: Values) -> Model:
    """The rod with Fourier's law."""
    return _model(p, lambda k: k)


def least_model(p: Values) -> Model:
    """The problem whose solution is the profile of least entropy production between the same temperatures."""
    return _model(p, LeastProduction)


def _crude(p: Values) -> Any:
    """Nodes as fine as the front of a rod whose conductivity is the best one everywhere."""
    best = float(np.max(np.asarray(_conductivity(p)(np.linspace(p.hot, p.cold, 101)))))
    reach = REACH * np.sqrt(best / p.heat_capacity * p.time)
    if reach > 0.5 * p.length:
        return np.linspace(0.0, p.length, CRUDE + 1)
    return np.concatenate([np.linspace(0.0, reach, CRUDE + 1)[:-1], np.geomspace(reach, p.length, BEYOND + 1)])


def _fitted(p: Values) -> Any:
    """Nodes that share out evenly the fall of T, that of ln T and the way the heat has come by `time`.

    The temperatures come from a run on the crude nodes. A node stands at mid-length.
    """
    history = evolve(_model(p, lambda k: k, _crude(p)), until=p.time, rtol=1e-4)
    x, T = np.asarray(history.model.space.position), np.asarray(history.end["T"])
    touched = np.abs(T - p.cold) > 1e-7 * abs(p.hot - p.cold)
    touched[0] = touched[1] = True
    share = np.minimum(x / x[touched][-1], 1.0) + 0.02 * x / p.length
    for y in (T, np.log(T)):
        fallen = np.append(0.0, np.cumsum(np.abs(np.diff(y))))
        share += fallen / max(fallen[-1], 1e-300)
    nodes = np.interp(np.linspace(0.0, share[-1], FITTED + 1), share, x)
    nodes[[0, 1 + np.argmin(np.abs(nodes[1:-1] - 0.5 * p.length)), -1]] = 0.0, 0.5 * p.length, p.length
    return nodes


def course(p: Values) -> History:
    """The rod from the moment when the hot body is put to its end until `time`."""
    return evolve(_model(p, lambda k: k, _fitted(p)), until=p.time, rtol=1e-7)


def _at_time(p: Values) -> dict[str, Any]:
    """What the answers say of the moment `time`."""
    history = course(p)
    end = history.end
    stored = p.heat_capacity * np.asarray(end.model.space.volume) @ np.log(np.asarray(end["T"]) / p.cold)
    hot, cold = (float(history.entered("T", place)[-1]) for place in ("hot", "cold"))
    return {
        "middle_temperature_at_time": float(end.interpolate("T", 0.5 * p.length)),
        "hot_flow_at_time": float(end.flow("T", "hot")),
        "entropy_production_at_time": float(end.entropy.production),
        "entropy_produced_by_time": float(stored - hot / p.hot - cold / p.cold),
    }


def _flux(p: Values, solution: Solution) -> Any:
    """Heat flux at every node: that of the edges half-way between, that of the bodies at the ends."""
    x, inside = jnp.asarray(solution.position()), solution.along("T")
    ends = solution.flow("T", "hot")[None], -solution.flow("T", "cold")[None]
    middle = jnp.concatenate([x[:1], 0.5 * (x[1:] + x[:-1]), x[-1:]])
    return jnp.interp(x, middle, jnp.concatenate([ends[0], inside, ends[1]])) / p.area


def answers(p: Values, solution: Solution) -> dict[str, Any]:
    """Heat, temperatures and entropy production at fractions of the length, totals, and the least production."""
    k, T = _conductivity(p), solution["T"]
    heat = solution.flow("T", "hot")
    points = jnp.asarray(FRACTIONS) * p.length
    at = solution.interpolate("T", points)
    # Flux times force: sigma = q d(1/T)/dx with dT/dx = -q/k.
    flux = _flux(p, solution)
    flux_at = jnp.interp(points, jnp.asarray(solution.position()), flux)
    least = steady(least_model(p))
    # There J = sqrt(k) (T'/T) A is the same everywhere, and the production, the integral of k (T'/T)^2 A, is J^2 L / A.
    conserved = least.flow("T", "hot")
    alone = solution.rate is None and not is_traced(p.items)
    return (_at_time(p) if alone else {}) | {
        "heat": heat,
        "temperature_at": at,
        "entropy_production_total": jnp.sum(solution.books.laws[0].entropy),
        "entropy_production_at": flux_at**2 / (k(at) * at**2),
        "entropy_exported": -heat / p.hot - solution.flow("T", "cold") / p.cold,
        "local_equilibrium_number": jnp.max(p.mean_free_path * jnp.abs(flux) / (k(T) * T)),
        "minimum_entropy_profile_production": conserved**2 * p.length / p.area,
    }


UNITS = {
    "heat": "W",
    "temperature_at": "K",
    "entropy_production_total": "W/K",
    "entropy_production_at": "W/(K*m^3)",
    "entropy_exported": "W/K",
    "local_equilibrium_number": "",
    "minimum_entropy_profile_production": "W/K",
    "middle_temperature_at_time": "K",
    "hot_flow_at_time": "W",
    "entropy_production_at_time": "W/K",
    "entropy_produced_by_time": "J/K",
}

Run = Callable[..., Result]

# Independent reference computations (integrals of k by quadrature, the profile by inversion), relative accuracy 1e-10.
COPPER = {
    "heat": 82.35337,
    "temperature_at": (1197.315, 1043.2875, 786.575, 529.8625, 375.835),
    "entropy_production_at": (
        1179.781364927976,
        1553.8545752389098,
        2733.619733714157,
        6024.097750245641,
        11973.577659753926,
    ),
    "entropy_production_total": 0.23814629320181926,
    "local_equilibrium_number": 3.0074318140216e-07,
    "minimum_entropy_profile_production": 0.19519935498177227,
}
IRON_CASE = {
    "conductivity": (80.0, -0.075, 2.2e-5),
    "hot": 1100.0,
    "length": 0.3,
    "area": 5e-5,
    "mean_free_path": 5e-9,
}
IRON = {
    "heat": 7.654973868342821,
    "temperature_at": (974.803977690579, 815.3490818397627, 599.4410678587338, 423.29502274208363, 330.6606144402923),
    "entropy_production_at": (
        625.9397136496533,
        747.12761530254,
        1096.0523153281986,
        1840.2168913811317,
        2758.3117046448256,
    ),
    "entropy_production_total": 0.021065731925646123,
    "local_equilibrium_number": 3.41642474929486e-08,
    "minimum_entropy_profile_production": 0.019481704867350187,
}


# The eigenfunction series of a constant conductivity (Carslaw and Jaeger 1959, 3.4), relative accuracy 1e-10.
COPPER_LATER = {
    "middle_temperature_at_time": 411.1905201495616,
    "hot_flow_at_time": 196.70853148167814,
    "entropy_production_at_time": 0.2526576420889825,
}
IRON_LATER_CASE = IRON_CASE | {"conductivity": (80.0,), "heat_capacity": 3.5e6, "time": 400.0}
IRON_LATER = {
    "middle_temperature_at_time": 493.4563794895229,
    "hot_flow_at_time": 19.517173334284262,
    "entropy_production_at_time": 0.026931500608142863,
}


def _against(reference: dict[str, Any], case: dict[str, Any], rtol: float) -> Callable[[Run], list[Comparison]]:
    def compare(run: Run) -> list[Comparison]:
        found = run(**case).answers
        return [Comparison(found[name], np.asarray(value), rtol) for name, value in reference.items()]

    return compare


def _seed_formula(run: Run) -> Comparison:
    k, hot, cold, length, area = 237.0, 410.0, 290.0, 0.21, 3.4e-4
    found = run(conductivity=(k,), hot=hot, cold=cold, length=length, area=area).answers
    return Comparison(found["entropy_production_total"], k * area / length * (hot - cold) ** 2 / (hot * cold), 1e-10)


def _boundary_form(run: Run) -> list[Comparison]:
    found = run(**IRON_CASE)
    heat = float(found.answers["heat"])
    boundary = heat * (1.0 / found.parameters.cold - 1.0 / found.parameters.hot)
    return [
        Comparison(found.answers["entropy_production_total"], boundary, 1e-10),
        Comparison(found.answers["entropy_exported"], boundary, 1e-10),
    ]


def _volume_integral(run: Run, cells: int) -> float:
    """Trapezoidal sum of k (T'/T)^2 with the slopes taken from the profile alone."""
    found = run(**IRON_CASE, cells=cells)
    x, T = np.asarray(found.solution.position()), np.asarray(found.solution["T"])
    k0, k1, k2 = found.parameters.conductivity
    middle = 0.5 * (T[1:] + T[:-1])
    k = k0 + k1 * (middle - 300.0) + k2 * (middle - 300.0) ** 2
    return float(np.sum(k * np.diff(T) ** 2 / np.diff(x) / middle**2) * found.parameters.area)


def _order(run: Run) -> Comparison:
    errors = [abs(_volume_integral(run, cells) - IRON["entropy_production_total"]) for cells in (201, 401)]
    return Comparison(np.log2(errors[0] / errors[1]), 2.0, 0.0, 0.05)


def _inverse_square(run: Run) -> list[Comparison]:
    """Between near temperatures k0 (300/T)^2 is this parabola; then Fourier's profile makes the least entropy."""
    k = (50.0, -2.0 * 50.0 / 300.0, 3.0 * 50.0 / 300.0**2)
    falling = run(conductivity=k, hot=303.0, cold=297.0).answers
    constant = run(conductivity=(50.0,), hot=303.0, cold=297.0).answers
    excess = [
        a["entropy_production_total"] / a["minimum_entropy_profile_production"] - 1.0 for a in (falling, constant)
    ]
    # For constant k: (hot - cold)^2 / (hot cold ln(hot / cold)^2) - 1.
    expected = 36.0 / (303.0 * 297.0 * np.log(303.0 / 297.0) ** 2) - 1.0
    return [Comparison(excess[0], 0.0, 0.0, 1e-9), Comparison(excess[1], expected, 1e-6)]


def _equilibrium(run: Run) -> list[Comparison]:
    found = run(hot=300.0, cold=300.0)
    return [
        Comparison(found.answers["heat"], 0.0, 0.0, 1e-12),
        Comparison(float(found.solution.regime == "equilibrium"), 1.0, 0.0),
    ]


def _endless(run: Run) -> list[Comparison]:
    """Before the cold end feels it: T = cold + (hot - cold) erfc(x / 2 sqrt(D t)), its production by quadrature."""
    found = []
    for time in (1e-6, 2.0):
        a = run(time=time).answers
        k, fall, cold, width = 401.0, 1300.0 - 273.15, 273.15, np.sqrt(401.0 / 3.45e6 * time)

        def square(e: float, ratio: float = cold / fall) -> float:
            return 4.0 / np.pi * np.exp(-2.0 * e * e) / (ratio + erfc(e)) ** 2

        rate = k * 1e-4 / (2.0 * width) * quad(square, 0.0, 12.0, epsrel=1e-10, limit=200)[0]
        found += [
            Comparison(a["hot_flow_at_time"], k * 1e-4 * fall / (np.sqrt(np.pi) * width), 1e-5),
            Comparison(a["entropy_production_at_time"], rate, 1e-5),
            Comparison(a["entropy_produced_by_time"], 2.0 * rate * time, 1e-5),
        ]
    return found


def _similar(run: Run) -> list[Comparison]:
    """With k(T), before the cold end feels it: (k T')' = -2 e T' in e = x / 2 sqrt(t / C), solved as a boundary-value
    problem by collocation (Boltzmann 1894)."""
    hot, cold, c, time = 1100.0, 273.15, 3.5e6, 1.0
    width = 2.0 * np.sqrt(time / c)

    def k(T: Any) -> Any:
        return 80.0 - 0.075 * (T - 300.0) + 2.2e-5 * (T - 300.0) ** 2

    def slopes(e: Any, y: Any) -> Any:
        fall = y[1] / k(y[0])  # the second unknown is k dT/de
        return np.stack([fall, -2.0 * e * fall])

    e = np.linspace(0.0, 40.0, 801)
    guess = np.stack([cold + (hot - cold) * np.exp(-e / 8.0), -60.0 * (hot - cold) / 8.0 * np.exp(-e / 8.0)])
    profile = solve_bvp(slopes, lambda a, b: np.array([a[0] - hot, b[0] - cold]), e, guess, tol=1e-8, max_nodes=50_000)
    T, flux = profile.sol(e)
    rate = 5e-5 / width * simpson(flux**2 / (k(T) * T**2), x=e)
    found = run(**IRON_CASE, heat_capacity=c, time=time).answers
    return [
        Comparison(found["hot_flow_at_time"], -5e-5 / width * flux[0], 1e-5),
        Comparison(found["entropy_production_at_time"], rate, 1e-5),
        Comparison(found["entropy_produced_by_time"], 2.0 * rate * time, 1e-5),
    ]


def _arrives(run: Run) -> list[Comparison]:
    """In time the rod comes to its steady state, from where each second makes as much entropy as the next."""
    late = [run(**IRON_CASE, time=time).answers for time in (1e5, 2e5)]
    gained = late[1]["entropy_produced_by_time"] - late[0]["entropy_produced_by_time"]
    return [
        Comparison(late[0]["hot_flow_at_time"], late[0]["heat"], 1e-9),
        Comparison(late[0]["entropy_production_at_time"], late[0]["entropy_production_total"], 1e-9),
        Comparison(gained, 1e5 * late[0]["entropy_production_total"], 1e-6),
    ]


CLAIMS = (
    Claim(
        "copper between 1300 K and ice agrees with the reference",
        "independent reference computation",
        _against(COPPER, {}, 1e-9),
    ),
    Claim(
        "iron with falling conductivity agrees with the reference",
        "independent reference computation",
        _against(IRON, IRON_CASE, 1e-9),
    ),
    Claim("constant conductivity: S = (k A/L) (TH - TC)^2 / (TH TC)", "closed form", _seed_formula),
    Claim("the volume integral equals Q (1/TC - 1/TH)", "second law, boundary form", _boundary_form),
    Claim("a volume integral from the profile alone converges with order 2", "observed order", _order),
    Claim(
        "Fourier's profile is that of least production only where k goes as 1/T^2",
        "calculus of variations; de Groot and Mazur 1962, ch. V",
        _inverse_square,
    ),
    Claim(
        "copper after two minutes agrees with the series",
        "Carslaw and Jaeger 1959, 3.4; independent reference computation",
        _against(COPPER_LATER, {}, 1e-5),
    ),
    Claim(
        "iron of constant conductivity after 400 s agrees with the series",
        "Carslaw and Jaeger 1959, 3.4; independent reference computation",
        _against(IRON_LATER, IRON_LATER_CASE, 1e-5),
    ),
    Claim("at first the rod is one without end", "Carslaw and Jaeger 1959, 2.5", _endless),
    Claim("with k(T) too", "Boltzmann 1894, by collocation", _similar),
    Claim("in time the rod arrives at its steady state", "two routes: steady and in time", _arrives),
    Claim("equal temperatures: no heat, equilibrium", "limit", _equilibrium),
)


def figure(result: Result) -> Figure:
    """Temperature along the rod with the profile of least production, and where the entropy is made."""
    p, solution = result.parameters, result.solution
    x, T = np.asarray(solution.position()), np.asarray(solution["T"])
    least = np.asarray(steady(least_model(p))["T"])
    k = np.asarray(_conductivity(p)(jnp.asarray(T)))
    sigma = np.asarray(_flux(p, solution)) ** 2 / (k * T**2)
    drawing = Figure(figsize=(7.0, 6.0), layout="constrained")
    above, below = drawing.subplots(2, 1, sharex=True)
    above.plot(x, T, color="C3", label="Fourier's profile")
    above.plot(x, least, "--", color="C0", label="least entropy production")
    if solution.rate is None:
        history = course(p)
        for share, colour in ((0.1, "0.7"), (1.0, "0.4")):
            on_the_way = history.values("T", share * p.time)[0]
            above.plot(history.model.space.position, on_the_way, ":", color=colour, label=f"after {share * p.time:g} s")
    above.set_ylabel("temperature, K")
    above.legend()
    below.plot(x, sigma, color="C2")
    below.fill_between(x, 0.0, sigma, color="C2", alpha=0.2)
    total = float(result.answers["entropy_production_total"])
    below.set_title(f"heat {float(result.answers['heat']):.4g} W makes {total:.4g} W/K of entropy", fontsize="medium")
    below.set_ylabel("entropy production, W/(K m$^3$)")
    below.set_xlabel("distance from the hot end, m")
    below.set_ylim(0.0, None)
    return drawing


SYSTEM = System(
    name="rod",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
)
