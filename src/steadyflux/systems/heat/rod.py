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
from steadyflux.systems.heat._rod_claims import CLAIMS
from steadyflux.systems.system import Numbers, Parameter, Result, System, Values

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
