"""What must hold of a sail in the solar wind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from steadyflux.ground.constants import ASTRONOMICAL_UNIT, E_CHARGE, G_NEWTON, K_B, M_ELECTRON, M_PROTON, SOLAR_MASS
from steadyflux.systems.system import Claim, Comparison, Result

DARK: dict[str, Any] = {"photoemission": 0.0}
SUNLIT: dict[str, Any] = {
    "density": 3e6,
    "wind_speed": 7e5,
    "tilt": 0.4,
    "secondary_yield": 0.3,
    "tether_resistance": 200.0,
    "collection_exponent": 0.5,
}
# Independent reference computation (bisection of the current balance; integration of the way out).
REFERENCE: tuple[tuple[dict[str, Any], dict[str, float]], ...] = (
    (
        DARK,
        {
            "floating_potential": -12.426886288567088,
            "sail_potential": -9.470374618685362,
            "tether_current": -0.0009470374618685362,
            "protons_current": 0.003204353268,
            "secondaries_current": 0.00048065299019999994,
            "ambient_electrons_current": -0.0046320437200685315,
            "power": 0.008968799541823991,
            "pressure": 1.338097538952e-09,
            "force": 1.338097538952e-05,
            "specular_force": 2.676195077904e-05,
            "acceleration": 2.676195077904e-07,
            "normal_force": 1.345000783952e-05,
            "particle_rate": 2e16,
            "end_speed": 34243.29499142016,
            "flight_time": 1989278.8085727892,
        },
    ),
    (
        SUNLIT,
        {
            "floating_potential": 16.05794593374917,
            "sail_potential": 8.177142919081538,
            "tether_current": 0.04088571459540769,
            "protons_current": 0.003094017306693695,
            "secondaries_current": 0.00022651181515592379,
            "photoelectrons_current": 0.04495368037525273,
            "ambient_electrons_current": -0.007388494901694651,
            "power": 0.3343283315954267,
            "force": 2.264662613088646e-05,
            "specular_force": 4.171784794985199e-05,
            "normal_force": 2.0900343444925995e-05,
            "particle_rate": 1.9342280874060588e16,
            "end_speed": 34243.56569900356,
            "flight_time": 1989270.688490265,
        },
    ),
)


def _reference(run: Callable[..., Result]) -> list[Comparison]:
    found = []
    for given, expected in REFERENCE:
        a = run(**given).answers
        # The reference rounds the astronomical unit, the Sun's mass and the particles' masses.
        loose = ("end_speed", "flight_time")
        found += [Comparison(a[name], value, 2e-6 if name in loose else 2e-8) for name, value in expected.items()]
    return found


def _simple(run: Callable[..., Result]) -> list[Comparison]:
    a = run(ambient_electrons="no", photoelectrons="no", tether_resistance=1e-3).answers
    return [Comparison(a["tether_current"], E_CHARGE * 5e6 * 4e5 * 1e4 * 1.15, 1e-7)]


def _ram(run: Callable[..., Result]) -> list[Comparison]:
    # The usual wind is dense when it is slow and thin when it is fast.
    usual = ((10e6, 2.5e5), (5e6, 4e5), (10e6, 5e5), (3e6, 7.5e5), (6e6, 7.5e5))
    found = []
    for n, v in usual:
        a = run(density=n, wind_speed=v).answers
        found.append(Comparison(a["pressure"], 3.5e-9, 0.0, 2.5e-9))
        found.append(Comparison(a["force"], a["pressure"] * 1e4, 1e-12))
    return found


def _net(run: Callable[..., Result]) -> list[Comparison]:
    found = []
    for given in ({}, DARK, SUNLIT, {"craft_potential": 40.0}, {"tether_resistance": 1e9}):
        result = run(**given)
        size = max(abs(v) for k, v in result.answers.items() if k.endswith("_current"))
        parts = ("protons", "secondaries", "photoelectrons", "ambient_electrons")
        total = sum(result.answers[f"{name}_current"] for name in parts)
        found += [
            Comparison(result.answers["net_current"], 0.0, 0.0, 1e-13 * size),
            Comparison(total, result.answers["tether_current"], 0.0, 1e-13 * size),
            Comparison(result.solution.ledger["phi"].relative, 0.0, 0.0, 1e-10),
        ]
    return found


def _dark(run: Callable[..., Result]) -> list[Comparison]:
    a = run(**DARK, tether_resistance=1e15).answers
    thermal = 2.0 * np.sqrt(K_B * 1.5e5 / (2.0 * np.pi * M_ELECTRON))
    expected = K_B * 1.5e5 / E_CHARGE * np.log(4e5 * 1.15 / thermal)
    return [
        Comparison(a["floating_potential"], expected, 1e-12),
        Comparison(a["sail_potential"], expected, 1e-8),
    ]


def _coast(run: Callable[..., Result]) -> list[Comparison]:
    a = run(density=1.0, excess_speed=500.0).answers
    start, unit = 42.5e3, ASTRONOMICAL_UNIT
    pull = 2.0 * G_NEWTON * SOLAR_MASS / unit
    speed = lambda x: np.sqrt(start**2 - pull * (1.0 - 1.0 / x))  # noqa: E731
    x = np.linspace(1.0, 1.5, 20_001)
    return [
        Comparison(a["end_speed"], speed(1.5), 1e-7),
        Comparison(a["flight_time"], unit * np.trapezoid(1.0 / speed(x), x), 1e-7),
    ]


def _pushed(run: Callable[..., Result]) -> list[Comparison]:
    # A light craft far out, where gravity is little: M dv/dt = k (u - v)^2 in r, by its own quadrature.
    given = {"craft_mass": 1e-3, "area": 1e4, "wind_speed": 4e5, "distance": ASTRONOMICAL_UNIT}
    a = run(**given).answers
    strength, sun = 5e6 * M_PROTON * 1e4 * ASTRONOMICAL_UNIT**2 / 1e-3, G_NEWTON * SOLAR_MASS
    r, v = ASTRONOMICAL_UNIT, 42e3
    step = 0.5 * ASTRONOMICAL_UNIT / 4000

    def slope(r: float, v: float) -> float:
        return (strength * (4e5 - v) ** 2 - sun) / (r * r * v)

    for _ in range(4000):
        a1 = slope(r, v)
        a2 = slope(r + 0.5 * step, v + 0.5 * step * a1)
        a3 = slope(r + 0.5 * step, v + 0.5 * step * a2)
        a4 = slope(r + step, v + step * a3)
        r, v = r + step, v + step * (a1 + 2 * a2 + 2 * a3 + a4) / 6
    return [Comparison(a["end_speed"], v, 1e-6)]


CLAIMS = (
    Claim("a dark and a sunlit sail at 1 AU", "independent reference computation", _reference),
    Claim("e n v A (1 + yield) without ambient and photoelectrons", "limit", _simple),
    Claim("ram pressure 1 to 6 nPa over the usual wind", "observed range (typical)", _ram),
    Claim("all currents cancel to rounding", "conservation of charge", _net),
    Claim("a dark sail floats at k T ln(v (1 + yield) / thermal)", "closed form", _dark),
    Claim("without wind the way out is Kepler's", "energy", _coast),
    Claim("a light sail is carried off", "integration along the radius", _pushed),
)
