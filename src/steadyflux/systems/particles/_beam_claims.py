"""What must hold of a beam and of its scattering in a foil."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp
from scipy.stats import ncx2

from steadyflux.ground.constants import C_LIGHT, E_CHARGE, EPSILON_0, M_U, N_A
from steadyflux.systems.system import Claim, Comparison, Result

CARBON: dict[str, Any] = {
    "current": 1e-7,
    "charge_number": 1,
    "energy": 1e6 * E_CHARGE,
    "mass": 1.00728 * M_U,
    "radius": 1e-3,
    "sigma": 4e-4,
    "aperture_radius": 2e-4,
    "aperture_offset": 0.0,
    "target_charge": 6,
    "target_mass": 12.0 * M_U,
    "areal_density": 1e23,
    "angle": np.radians(150.0),
    "solid_angle": 0.02,
}
GOLD: dict[str, Any] = {
    "recoil": "no",
    "current": 1e-12,
    "energy": 8.811971486999999e-13,
    "mass": 6.6446573357e-27,
    "radius": np.sqrt(1e-5 / np.pi),
    "target_mass": 0.19696657 / N_A,
    "areal_density": 19300.0 * 4e-7 * N_A / 0.19696657,
    "solid_angle": 1e-4 / 0.1**2,
}
SILICON: dict[str, Any] = {
    "recoil": "no",
    "current": 1e-8,
    "energy": 3.2043532679999997e-13,
    "mass": 6.6446573357e-27,
    "radius": np.sqrt(1e-6 / np.pi),
    "target_charge": 14,
    "target_mass": 0.0280855 / N_A,
    "areal_density": 2329.0 * 1e-7 * N_A / 0.0280855,
    "angle": 2.8797932657906435,
    "solid_angle": 5e-5 / 0.08**2,
    "ring_inner": 2.792526803190927,
    "ring_outer": 3.0543261909900767,
}
# Independent reference computations.
REFERENCE: tuple[tuple[dict[str, Any], dict[str, float]], ...] = (
    (
        {},
        {
            "particles_per_second": 9986.41451913722,
            "flux": 794693617.2426809,
            "peak_flux": 1589387234.4853618,
            "aperture_rate": 407.80209345315217,
            "speed": 19223910.92233665,
            "density": 41.33881084099856,
            "force": 1.2782564140209379e-15,
            "power": 1.22992e-08,
            "cross_section": 8.759546159461774e-28,
            "rutherford_rate": 0.0002064444431170481,
            "backward_cross_section": 6.877246926836039e-28,
            "backward_share": 1.6230302747333054e-05,
            "closest_approach": 3.0198571153829554e-14,
        },
    ),
    (
        CARBON,
        {
            "particles_per_second": 624150907446.0763,
            "flux": 1.9867340431067024e17,
            "peak_flux": 6.208543884708444e17,
            "aperture_rate": 73339664879.54948,
            "speed": 13830045.461264715,
            "density": 14365347161.5199,
            "force": 1.445357034509625e-08,
            "power": 0.1,
            "cross_section": 5.29373759630154e-30,
            "rutherford_rate": 6608.182249026033,
            "backward_cross_section": 5.821369214608408e-29,
            "backward_share": 5.821369214608407e-06,
            "closest_approach": 9.365011031930833e-15,
        },
    ),
    (
        GOLD,
        {
            "particles_per_second": 3120754.5372303813,
            "flux": 312075453723.0381,
            "speed": 16268032.63315891,
            "density": 19183.355526773346,
            "energy_flux": 0.275,
            "momentum_flux": 3.378372967398376e-08,
            "closest_approach": 4.136625428347738e-14,
            "cross_section": 1.7111669934453113e-27,
            "impact_parameter": 3.582422706889826e-14,
            "rutherford_rate": 1.2604559879666748,
            "backward_share": 3.172180977972447e-05,
            "ring_rate": 6.349850106958311,
        },
    ),
    (
        {**GOLD, "recoil": "yes"},
        {
            "closest_approach": 4.22066371061357e-14,
            "cross_section": 1.7110787107573598e-27,
            "rutherford_rate": 1.2603909584031732,
        },
    ),
    (
        SILICON,
        {
            "speed": 9816895.78276513,
            "density": 3178962684.6291704,
            "momentum_flux": 0.002036757608504537,
            "closest_approach": 2.015950366979594e-14,
            "cross_section": 2.6288476835056354e-29,
            "impact_parameter": 1.3270245041254552e-15,
            "rutherford_rate": 32.00761360268117,
            "backward_share": 1.5939980411747991e-06,
            "ring_rate": 1451.7973296961513,
        },
    ),
    (
        {**SILICON, "recoil": "yes"},
        {
            "closest_approach": 2.3031746587855684e-14,
            "cross_section": 2.526668236284215e-29,
            "rutherford_rate": 30.7635246867203,
        },
    ),
)


def _reference(run: Callable[..., Result]) -> list[Comparison]:
    found = []
    for given, expected in REFERENCE:
        a = run(**given).answers
        # The reference takes masses and epsilon_0 of CODATA 2018.
        found += [Comparison(a[name], value, 1e-8) for name, value in expected.items()]
    return found


def _counting(run: Callable[..., Result]) -> list[Comparison]:
    p = run(charge_number=3).parameters
    a = run(charge_number=3).answers
    rest = p.mass * C_LIGHT**2
    momentum = np.sqrt(p.energy * (p.energy + 2.0 * rest)) / C_LIGHT
    return [
        Comparison(a["particles_per_second"] * 3.0 * E_CHARGE, 3.2e-15, 1e-13),
        Comparison(a["density"] * a["speed"], a["flux"], 1e-13),
        Comparison(a["force"], a["particles_per_second"] * momentum, 1e-12),
    ]


def _aperture(run: Callable[..., Result]) -> list[Comparison]:
    found = []
    for hole, off in ((0.3, 0.0), (2.0, 0.7), (1.0, 6.0), (9.0, 1.0), (40.0, 30.0)):
        a = run(sigma=1e-3, aperture_radius=hole * 1e-3, aperture_offset=off * 1e-3).answers
        share = ncx2.cdf(hole**2, 2, off**2)
        found.append(Comparison(a["aperture_rate"] / a["particles_per_second"], share, 1e-8))
    return found


def deflection(run: Result, b: float) -> float:
    """Angle at which a particle that aims b beside a free nucleus leaves the laboratory, by integrating both ways."""
    p = run.parameters
    strength = p.charge_number * p.target_charge * E_CHARGE**2 / (4.0 * np.pi * EPSILON_0)
    size = strength / p.energy
    pace = np.sqrt(2.0 * p.energy / p.mass)
    kick, ratio = strength / (p.mass * pace**2 * size), p.mass / p.target_mass
    far = 2e4

    def right(t: float, y: np.ndarray) -> np.ndarray:
        gap = y[:2] - y[2:4]
        pull = kick * gap / np.hypot(*gap) ** 3
        return np.concatenate([y[4:8], pull, -ratio * pull])

    # Far out the potential still takes its share of the energy: start with what is left there.
    slower = np.sqrt(1.0 - 2.0 * kick * (1.0 + ratio) / far)
    start = np.array([-far, b / size / slower, 0.0, 0.0, slower, 0.0, 0.0, 0.0])
    end = solve_ivp(right, (0.0, 2.2 * far), start, method="DOP853", rtol=1e-11, atol=1e-12).y[:, -1]
    return float(np.arctan2(end[5], end[4]))


def _trajectories(run: Callable[..., Result]) -> list[Comparison]:
    found = []
    for given in ({}, {**CARBON, "angle": 1.2}):
        result = run(**given)
        b = result.answers["impact_parameter"]
        angles = [deflection(result, b * k) for k in (0.99, 1.0, 1.01)]
        slope = (angles[0] - angles[2]) / (0.02 * b)
        found += [
            Comparison(angles[1], result.parameters.angle, 3e-4),
            Comparison(b / np.sin(angles[1]) / slope, result.answers["cross_section"], 1e-3),
        ]
    return found


def _fourth_power(run: Callable[..., Result]) -> list[Comparison]:
    # Geiger and Marsden 1913: from 15 to 150 degrees the counts fall as 1 / sin^4 over more than three decades.
    small, large = (run(recoil="no", angle=np.radians(a)).answers["rutherford_rate"] for a in (15.0, 150.0))
    return [Comparison(small / large, (np.sin(np.radians(75.0)) / np.sin(np.radians(7.5))) ** 4, 1e-10)]


def _head_on(run: Callable[..., Result]) -> list[Comparison]:
    a = run(recoil="no").answers
    d = 2.0 * 79.0 * E_CHARGE / (4.0 * np.pi * EPSILON_0 * 7.687e6)
    return [
        Comparison(a["closest_approach"], d, 1e-12),
        Comparison(a["closest_approach"], 29.6e-15, 2e-3),
        Comparison(run().answers["closest_approach"], 30.20e-15, 2e-3),
        Comparison(a["backward_cross_section"], np.pi * d**2 / 4.0, 1e-12),
    ]


CLAIMS = (
    Claim("alphas on gold, protons on carbon, helium on silicon", "independent reference computations", _reference),
    Claim("every particle carries z e", "counting; relativistic momentum", _counting),
    Claim("a hole off the axis of a Gaussian beam", "non-central chi-square distribution", _aperture),
    Claim("ways of particle and nucleus give angle and cross-section", "integration in the laboratory", _trajectories),
    Claim("counts fall as the fourth power of the sine", "Geiger and Marsden 1913", _fourth_power),
    Claim("head on: 29.6 fm to a fixed gold nucleus, 30.2 fm with recoil", "energy; Rutherford 1911", _head_on),
)
