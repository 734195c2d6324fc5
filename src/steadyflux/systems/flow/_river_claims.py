"""What the river must give: Nusselt's film, Manning's normal depth, the speed of its waves, water counted, power."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import brentq

from steadyflux.ground.constants import G_STANDARD
from steadyflux.systems.system import Claim, Comparison, Result

Run = Callable[..., Result]
WEIGHT = 998.2 * G_STANDARD
CANAL = ({"name": "canal", "length": 3e4, "width": 400.0, "slope": 5e-4, "roughness": 0.028, "inflow": 300.0},)


def _film(run: Run) -> list[Comparison]:
    """q = rho g sin(a) h^3 / (3 eta), a parabola of speeds, and all the weight downhill dragged by the bed."""
    checks = []
    for case in ({}, {"depth": 1.3e-3, "incline": 0.37, "viscosity": 1.4, "density": 1410.0}):
        a = run(mode="film", **case).answers
        h, sine = case.get("depth", 2e-4), case.get("incline", 0.1)
        eta, pull = case.get("viscosity", 1.002e-3), case.get("density", 998.2) * G_STANDARD * sine
        z = np.array([0.1, 0.25, 0.5, 0.75, 0.9, 1.0])
        checks += [
            Comparison(a["discharge"], pull * h**3 / (3.0 * eta), 1e-10),
            Comparison(a["velocity_at"], pull * h**2 / eta * (z - 0.5 * z**2), 1e-10),
            Comparison(a["momentum_flux"], pull * h, 1e-10),
            Comparison(a["dissipation"], pull * a["discharge"], 5e-5),
        ]
    return checks


def normal_depth(flow: float, width: float, slope: float, roughness: float) -> float:
    """Depth at which a reach carries its flow, by bisection."""

    def excess(h: float) -> float:
        return width * h * (width * h / (width + 2.0 * h)) ** (2.0 / 3.0) * slope**0.5 / roughness - flow

    found: Any = brentq(excess, 1e-9, 1e3, xtol=1e-14)
    return found


def _normal(run: Run) -> list[Comparison]:
    """Every reach runs at its normal depth, and the mouth passes all that came in."""
    a = run(flood=0.0, wave="kinematic", segments=6).answers
    reaches = ((6.0, 8.0, 4e-3, 0.035), (9.0, 10.0, 3e-3, 0.035), (17.0, 25.0, 1e-3, 0.03))
    depths = [normal_depth(*r) for r in reaches]
    falls = 6.0 * 24.0 + 9.0 * 27.0 + 17.0 * 20.0  # m^4/s: each flow times the height of its reach
    # At a junction the water also falls by the difference of the depths, and at the mouth by its own.
    falls += 6.0 * depths[0] + 9.0 * depths[1] + 2.0 * depths[2]
    return [
        Comparison(a["depth_at"], np.array(depths), 1e-9),
        Comparison(a["discharge"], 17.0, 1e-12),
        Comparison(a["dissipation"], WEIGHT * falls, 1e-9),
    ]


def _waves(run: Run) -> list[Comparison]:
    """In a wide channel small waves run at 5/3 of the water's speed; the middle of a small flood arrives by that."""
    small = 0.3  # a thousandth of the flow
    found = run(reaches=CANAL, flood=small, flood_duration=7200.0, segments=30, wave="kinematic")
    a = found.answers
    wide = run(reaches=({**CANAL[0], "width": 4e6, "inflow": 3e6},), flood=0.0, segments=6).answers
    return [
        Comparison(wide["wave_speed"] / wide["mean_velocity"], 5.0 / 3.0, 1e-5),
        Comparison(a["flood_centre"] - 3600.0, 3e4 / a["wave_speed"], 2e-3),
    ]


def _counted(run: Run) -> list[Comparison]:
    """All the water of the flood passes the mouth; a short wave is lowered on its way, a long one is not."""
    short, long = (run(segments=24, flood_duration=t) for t in (14400.0, 5e5))
    return [
        Comparison(short.answers["flood_water"], 2.0 * 0.5 * 20.0 * 14400.0, 1e-3),
        Comparison(long.answers["flood_attenuation"], 1.0, 2e-2),
        Comparison(float(short.answers["flood_attenuation"] < 0.95), 1.0, 0.0),
    ]


def _diffusive(run: Run) -> list[Comparison]:
    """Where nothing changes along a reach the surface falls with the bed: both waves have one depth."""
    kinematic, diffusive = (
        run(reaches=CANAL, flood=0.0, segments=9, wave=w).answers for w in ("kinematic", "diffusive")
    )
    return [Comparison(diffusive["depth"], kinematic["depth"], 1e-10)]


def _order(run: Run) -> Comparison:
    """The peak of a diffusive wave converges with the second power of the segments' length."""
    peaks = [run(reaches=CANAL, flood=100.0, segments=n).answers["flood_peak"] for n in (30, 60, 120)]
    return Comparison(np.log2((peaks[1] - peaks[0]) / (peaks[2] - peaks[1])), 2.0, 0.0, 0.35)


CLAIMS = (
    Claim("film on an incline", "Nusselt 1916", _film),
    Claim("normal depths and the power of the fall", "Manning 1891, bisection", _normal),
    Claim("waves run at dQ/dA", "Kleitz 1877, Seddon 1900; Lighthill and Whitham 1955", _waves),
    Claim("water of a flood is counted", "conservation", _counted),
    Claim("order of the flood's peak", "finite volumes, fitted", _order),
    Claim("surface parallel to the bed", "uniform flow (Chow 1959)", _diffusive),
)
