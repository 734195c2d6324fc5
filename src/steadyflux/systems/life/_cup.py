"""A cup that cools in moist air: convection, radiation, evaporation, and how long it takes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jax.numpy as jnp
import numpy as np

import steadyflux as sf
from steadyflux.ground.constants import R
from steadyflux.physics.heat import power_of_difference
from steadyflux.physics.local import Geometry, Local
from steadyflux.systems.system import Values

WATER = 1000.0  # kg/m^3, to give bodies and cups a volume; only masses count
LONG = 1e4  # times of the film alone after which a cup that has not reached its target never will


def vapour_pressure(T: Any) -> Any:
    """Saturation pressure of water at T, K, in Pa (Antoine's equation, constants for mmHg and degC)."""
    return 133.322 * 10.0 ** (8.07131 - 1730.63 / (T - 273.15 + 233.426))


class Evaporation(sf.EdgeLaw):
    """Latent heat of the water that evaporates from the tail into moist air at the head, W.

    Its driving force, that the air is not saturated, is no temperature: the entropy per mole is R ln(p_s / p), of which
    heat alone makes L (1 / T_air - 1 / T).
    """

    film: Any = sf.parameter("W/(m^2*K)", "film coefficient")
    at: Any = sf.parameter("K", "temperature difference of the film coefficient")
    exponent: Any = sf.parameter("", "exponent of the film coefficient")
    humidity: Any = sf.parameter("", "relative humidity")
    latent_heat: Any = sf.parameter("J/kg", "latent heat")
    molar_mass: Any = sf.parameter("kg/mol", "molar mass")
    air_heat_capacity: Any = sf.parameter("J/(m^3*K)", "heat capacity of air")

    @property
    def moves(self) -> tuple[str, ...]:
        """Heat."""
        return ("T",)

    def one_way(self, tail: Local, head: Local, edge: Geometry) -> dict[str, tuple[Any, Any]]:
        """What evaporates, and what condenses, W."""
        T, air = tail["T"], head["T"]
        film = self.film * power_of_difference(T - air, self.at, self.exponent)
        strength = self.latent_heat * edge.area * film / self.air_heat_capacity * self.molar_mass / R
        return {
            "T": (strength * vapour_pressure(T) / T, strength * self.humidity * vapour_pressure(air) / air),
        }

    def supply(self, tail: Local, head: Local, edge: Geometry) -> Any:
        """Free energy of air that is not saturated, W."""
        T, air = tail["T"], head["T"]
        heat = self.flux(tail, head, edge)["T"]
        moles = heat / (self.latent_heat * self.molar_mass)
        whole = moles * R * (jnp.log(vapour_pressure(T) / vapour_pressure(air)) - jnp.log(self.humidity))
        return T * (whole - heat * (1.0 / air - 1.0 / T))


def cup_model(p: Values, held: Any = None) -> sf.Model:
    """The cup in the room; with ``held`` at that temperature (K), to see its losses there."""
    volume = p.cup_mass / WATER
    space = sf.network(
        {"cup": volume, "air": 1.0},
        {"wall": [("cup", "air")], "top": [("cup", "air")]},
        area={"wall": p.cup_area, "top": 1.0},  # the law below has the top's area in it, which may be zero
    )
    vapour = Evaporation(
        p.cup_film * p.cup_top,
        p.cup_difference,
        p.cup_exponent,
        p.humidity,
        p.latent_heat,
        p.molar_mass,
        p.air_heat_capacity,
        on="top",
    )
    fixed = [] if held is None else [sf.Hold("cup", {"T": held})]
    return sf.Model(
        space,
        quantities=[sf.Heat("T", capacity={"cup": p.cup_heat_capacity * WATER})],
        laws=[
            sf.Convection(p.cup_film, p.cup_exponent, p.cup_difference, on="wall"),
            sf.Radiation(p.cup_emissivity, on="wall"),
            vapour,
        ],
        boundaries=[sf.Hold("air", {"T": p.air_temperature}), *fixed],
        start={"T": jnp.stack([p.cup_start, p.air_temperature])},
    )


@lru_cache(maxsize=64)
def cup(items: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    """What the cup with these values does: losses at the start, times, temperatures and entropy."""
    p = Values(dict(items))
    begin = sf.steady(cup_model(p, held=p.cup_start)).books.laws
    losses = [float(jnp.sum(book.flux)) for book in begin]
    loss, store = sum(losses), p.cup_mass * p.cup_heat_capacity
    newton = store * (p.cup_start - p.air_temperature) / loss if loss != 0.0 else np.inf
    found: dict[str, Any] = dict(zip(("cup_convection", "cup_radiation", "cup_evaporation"), losses, strict=True))
    found["cup_equilibrium_temperature"] = float(sf.steady(cup_model(p))["T"][0])
    target = sf.Event("target", lambda view: view["T"][0] - p.cup_target)
    slow = store / (p.cup_area * p.cup_film)
    run = sf.evolve(cup_model(p), LONG * slow, rtol=1e-8, events=[target])
    reached = [event.time for event in run.events]
    if p.cup_target == p.cup_start:
        reached = [0.0]
    if reached:
        found["cooling_time"] = reached[0]
    if np.isfinite(newton) and newton > 0.0:
        found["newton_time"] = newton
        found["evaporation_share"] = losses[2] / loss
    course = sf.evolve(cup_model(p), p.cup_time, rtol=1e-8)
    end = float(course["T"][-1, 0])
    found["cup_temperature_at"] = end
    given = -float(course.entered("T", "air")[-1])
    found["cup_entropy"] = store * np.log(end / p.cup_start) + given / p.air_temperature
    found["cup_entropy_total"] = float(course.entropy_produced[-1])
    return found
