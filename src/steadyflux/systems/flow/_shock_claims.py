"""What the shock tube must give: Sod's and Toro's star states, conservation, entropy at shocks only, the order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from steadyflux.ground.constants import R
from steadyflux.systems.system import Claim, Comparison, Result

Run = Callable[..., Result]

BLAST = {
    "left_pressure": 1000.0,
    "right_density": 1.0,
    "right_pressure": 0.01,
    "speeds": (-20.0, 0.0, 21.0, 30.0),
}
# Independent reference computations (bracketed root of the pressure function), relative accuracy 1e-10.
SOD_VALUES = {
    "star_pressure": 0.3031301780506468,
    "star_velocity": 0.9274526200489499,
    "left_star_density": 0.42631942817849516,
    "right_star_density": 0.265573711705307,
    "mass_flux": 0.3953910706419155,
    "momentum_flux": 0.6698366624614507,
    "energy_flux": 1.1540375173492896,
    "density_at": (0.8158249540987448, 0.42631942817849516, 0.42631942817849516, 0.265573711705307),
    "velocity_at": (0.2360132971832693, 0.9274526200489499, 0.9274526200489499, 0.9274526200489499),
    "pressure_at": (0.752031062257167, 0.3031301780506468, 0.3031301780506468, 0.3031301780506468),
}
SOD_PRODUCTION = 0.02955776117464508  # over the gas's own R / M
BLAST_VALUES = {
    "star_pressure": 460.89378749138353,
    "star_velocity": 19.59745138872305,
    "left_star_density": 0.5750622984765554,
    "right_star_density": 5.999240704796235,
    "mass_flux": 11.26975543988164,
    "momentum_flux": 681.7522718872611,
    "energy_flux": 33777.33429091158,
    "density_at": (0.6677970997076357, 0.5750622984765554, 5.999240704796235, 1.0),
    "velocity_at": (14.513811556449514, 19.59745138872305, 19.59745138872305, 0.0),
    "pressure_at": (568.2014530084301, 460.89378749138353, 460.89378749138353, 0.01),
}
BLAST_PRODUCTION = 483.87636448275504
AIR = R / 0.028965


def _against(case: dict[str, Any], values: dict[str, Any], production: float) -> Callable[[Run], list[Comparison]]:
    def compare(run: Run) -> list[Comparison]:
        found = run(**case, cells=100).answers
        checks = [Comparison(found[name], np.asarray(value), 1e-9) for name, value in values.items()]
        return [*checks, Comparison(found["entropy_production"], production * AIR, 1e-9)]

    return compare


def _kept(run: Run) -> list[Comparison]:
    """Mass, momentum and energy: what entered at the ends and what is there differ by rounding."""
    checks = []
    for case in ({}, BLAST):
        history = run(**case, cells=100).history
        for name, entry in history.ledger.items():
            size = np.max(np.abs(history[name]))
            checks.append(Comparison(entry.imbalance / size, 0.0, 0.0, 1e-13))
    return checks


def _entropy(run: Run) -> list[Comparison]:
    """No edge destroys entropy; gases that part make none; on the mesh the excess falls as the cells shrink."""
    coarse, fine = run(cells=100).answers, run(cells=400).answers
    parting = run(left_velocity=-1.0, right_velocity=1.0, right_density=1.0, right_pressure=1.0, cells=100).answers
    excess = [a["profile_production"] / a["entropy_production"] - 1.0 for a in (coarse, fine)]
    rounding = 1e-9 * coarse["entropy_production"]
    return [
        Comparison(min(0.0, coarse["least_production"], fine["least_production"]), 0.0, 0.0, rounding),
        Comparison(parting["entropy_production"], 0.0, 0.0, 1e-20),
        Comparison(float(0.0 < excess[1] < 0.6 * excess[0]), 1.0, 0.0),
    ]


def _order(run: Run) -> list[Comparison]:
    """The mean error falls by nearly half with half the cells' length: Godunov's is between 0.5 (contact) and 1."""
    errors = [run(cells=n).answers["profile_error"] for n in (50, 200)]
    order = 0.5 * np.log2(errors[0] / errors[1])
    return [Comparison(order, 0.7, 0.0, 0.15), Comparison(errors[-1], 0.0, 0.0, 0.015)]


def _moving(run: Run) -> list[Comparison]:
    """Seen from a moving frame nothing changes but the velocities (Galilei)."""
    at_rest = run(cells=60).answers
    moving = run(cells=60, left_velocity=3.7, right_velocity=3.7).answers
    return [
        Comparison(moving["star_pressure"], at_rest["star_pressure"], 1e-12),
        Comparison(moving["star_velocity"] - 3.7, at_rest["star_velocity"], 1e-12),
        Comparison(np.array(moving["wave_speeds"]) - 3.7, np.array(at_rest["wave_speeds"]), 1e-11),
        Comparison(moving["entropy_production"], at_rest["entropy_production"], 1e-9),
    ]


def _weak(run: Run) -> list[Comparison]:
    """Weak waves are sound: equal gases meet at the mean pressure, and the entropy goes as the third power."""
    found = [run(left_pressure=1.0 + j, right_pressure=1.0, right_density=1.0, cells=20).answers for j in (1e-2, 2e-2)]
    # A shock of strength z makes (g + 1) / (12 g^2) z^3 of entropy over R, on what it sweeps, rho c.
    strength = found[0]["star_pressure"] - 1.0
    swept = AIR * np.sqrt(1.4) * 2.4 / (12.0 * 1.4**2) * strength**3
    return [
        Comparison(found[0]["star_pressure"], 1.005, 2e-5),
        Comparison(found[0]["entropy_production"], swept, 1e-2),
        Comparison(found[1]["entropy_production"] / found[0]["entropy_production"], 8.0, 1e-2),
    ]


CLAIMS = (
    Claim("Sod's tube", "Sod 1978; independent reference computation", _against({}, SOD_VALUES, SOD_PRODUCTION)),
    Claim(
        "strong blast (Toro's test 3)",
        "Toro 2009, sec. 4.3.3; independent reference computation",
        _against(BLAST, BLAST_VALUES, BLAST_PRODUCTION),
    ),
    Claim("mass, momentum and energy are kept", "conservation", _kept),
    Claim("entropy is made at shocks and nowhere destroyed", "Lax 1971, Tadmor 1987", _entropy),
    Claim("order of the profile", "Godunov 1959", _order),
    Claim("Galilean invariance", "mechanics", _moving),
    Claim("weak shocks", "Landau and Lifshitz, Fluid Mechanics, sec. 86", _weak),
)
