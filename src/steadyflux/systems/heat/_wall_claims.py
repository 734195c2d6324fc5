"""What the composite wall must give: resistances in series, radiation, Laplace inversion, independent references."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from steadyflux.ground.constants import SIGMA_SB
from steadyflux.systems.system import Claim, Comparison, Result, Values

Run = Callable[..., Result]

# Independent reference computations (root of one equation for the flux), relative accuracy 1e-9.
HOUSE = {
    "heat_flux": 8.382931175990864,
    "face_temperatures": (
        292.1400082920493,
        291.73762759560174,
        291.73762759560174,
        269.67728239562575,
        269.67728239562575,
        268.3965567992938,
    ),
    "transmittance": 0.3353172470396344,
    "entropy_production_total": 0.002666049505218703,
    "entropy_production_wall": 0.0025384684742703486,
}
FURNACE_CASE = {
    "layers": ((0.23, 1.1, 0.0003, 2.2e6), (0.12, 0.16, 0.0011, 5e5), (0.006, 45.0, -0.0004, 3.7e6)),
    "contact_resistances": (2e-4, 5e-4),
    "inner_film": 60.0,
    "outer_film": 6.0,
    "inner_temperature": 1500.0,
    "outer_temperature": 300.0,
    "emissivity": 0.85,
}
FURNACE = {
    "heat_flux": 1656.4770875033619,
    "face_temperatures": (
        1472.3920485416106,
        1208.427215005432,
        1208.0959195879311,
        412.34708622443134,
        411.51884768067964,
        411.2876830721193,
    ),
    "transmittance": 0.874693525942615,
    "entropy_production_total": 4.417272233342299,
    "entropy_production_wall": 2.9025142935331463,
}


def _against(reference: dict[str, Any], case: dict[str, Any], rtol: float = 1e-9) -> Callable[[Run], list[Comparison]]:
    def compare(run: Run) -> list[Comparison]:
        found = run(**case).answers
        return [Comparison(found[name], np.asarray(value), rtol) for name, value in reference.items()]

    return compare


def _series(run: Run) -> list[Comparison]:
    """Constant conductivities: resistances add up."""
    layers = ((0.02, 0.9), (3e-4, 0.021), (0.31, 1.7), (0.004, 52.0))
    contacts, films = (1.2e-3, 0.0, 4e-5), (11.0, 23.0)
    case = {"layers": layers, "contact_resistances": contacts, "inner_film": films[0], "outer_film": films[1]}
    found = run(**case, inner_temperature=310.0, outer_temperature=251.0).answers
    U = 1.0 / (sum(x / k for x, k in layers) + sum(contacts) + sum(1.0 / h for h in films))
    return [
        Comparison(found["heat_flux"], U * 59.0, 1e-10),
        Comparison(found["transmittance"], U, 1e-10),
        Comparison(found["effective_transmittance"], U, 1e-10),
        Comparison(found["entropy_production_total"], U * 59.0 * (1.0 / 251.0 - 1.0 / 310.0), 1e-10),
    ]


def _radiation(run: Run) -> Comparison:
    """A black plate of negligible resistance in a vacuum: q = sigma (T_face^4 - T_out^4) with T_face the inner one."""
    case = {"layers": ((1e-6, 400.0),), "inner_film": 1e9, "outer_film": 0.0, "emissivity": 1.0}
    found = run(**case, inner_temperature=600.0, outer_temperature=4.0).answers
    return Comparison(found["heat_flux"], SIGMA_SB * (600.0**4 - 4.0**4), 1e-6)


def _conservation(run: Run) -> Comparison:
    """The same heat passes every edge of every layer."""
    found = run(**FURNACE_CASE)
    return Comparison(np.asarray(found.solution.along("T")), FURNACE["heat_flux"], 1e-9)


# Transfer matrices inverted with 40 digits: constant conductivities, no radiation.
HOUSE_LATER = {"inner_flux_at": 9.992880483038537, "outer_flux_at": 0.8798367610262844}
FURNACE_LATER_CASE = FURNACE_CASE | {
    "layers": ((0.23, 1.1, 0.0, 2.2e6), (0.12, 0.16, 0.0, 5e5), (0.006, 45.0, 0.0, 3.7e6)),
    "emissivity": 0.0,
    "time": 36000.0,
}
FURNACE_LATER = {"inner_flux_at": 5238.572787118222, "outer_flux_at": 233.60575982861707}


def _transformed(p: Values, s: Any) -> Any:
    """Laplace transforms of the flux into the wall and out of it, (2, s), by the layers' transfer matrices.

    A layer's matrix is divided by e^x, x = L sqrt(s C / k), which would overflow.
    """
    whole, ones = np.broadcast_to(np.eye(2, dtype=complex), (len(s), 2, 2)), np.ones_like(s)
    damping = np.zeros_like(s)

    def times(m: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
        return m @ np.moveaxis(np.array([[a * ones, b * ones], [c * ones, d * ones]]), -1, 0)

    whole = times(whole, 1.0, 1.0 / p.inner_film, 0.0, 1.0)
    contacts = p.contact_resistances or (0.0,) * (len(p.layers) - 1)
    for layer, contact in zip(p.layers, (*contacts, 0.0), strict=True):
        k = layer["conductivity"]
        a = np.sqrt(s * layer["heat_capacity"] / k)
        x = a * layer["thickness"]
        cosh, sinh = 0.5 * (1.0 + np.exp(-2.0 * x)), 0.5 * (1.0 - np.exp(-2.0 * x))
        whole = times(times(whole, cosh, sinh / (k * a), k * a * sinh, cosh), 1.0, contact, 0.0, 1.0)
        damping = damping + x
    whole = times(whole, 1.0, 1.0 / p.outer_film, 0.0, 1.0)
    leaving = (p.inner_temperature - p.outer_temperature) / s / whole[:, 0, 1]
    return np.stack([whole[:, 1, 1] * leaving, leaving * np.exp(-damping)])


def _inverted(p: Values, points: int = 24) -> Any:
    """Flux into the wall and out of it at `time`: Talbot's contour with the numbers of Abate and Valko (2004)."""
    angle = np.arange(1, points) * np.pi / points
    cotangent, r = 1.0 / np.tan(angle), 0.4 * points / p.time
    s = np.append(r + 0.0j, r * angle * (cotangent + 1.0j))
    weight = np.append(0.5, 1.0 + 1.0j * (angle + (angle * cotangent - 1.0) * cotangent))
    return 0.4 / p.time * np.real(_transformed(p, s) @ (weight * np.exp(s * p.time)))


def _laplace(run: Run) -> list[Comparison]:
    """Early, on the way and late, with and without contacts; errors count as shares of the larger flux."""
    thin = ((1e-3, 400.0, 0.0, 3.4e6), (0.05, 0.03, 0.0, 2e4), (0.2, 1.6, 0.0, 2e6), (4e-3, 15.0, 0.0, 3.9e6))
    thin_case = {"layers": thin, "contact_resistances": (1e-3, 0.02, 0.0), "inner_film": 900.0, "outer_film": 3.0}
    found = []
    for case in ({}, thin_case, FURNACE_LATER_CASE):
        for time in (30.0, 4e3, 2e5):
            result = run(case, time=time)
            measured = [result.answers[name] for name in ("inner_flux_at", "outer_flux_at")]
            expected = _inverted(result.parameters)
            found.append(Comparison(measured, expected, 0.0, 3e-5 * float(np.abs(expected).max())))
    return found


def _plate(run: Run) -> list[Comparison]:
    """A plate too thin to have a profile, warmed by air and cooled by radiation: one equation for its temperature."""
    h, emissivity, store, hot, cold = 25.0, 0.9, 2e-3 * 3.4e6, 900.0, 280.0

    def warming(t: float, T: Any) -> Any:
        return (h * (hot - T) - emissivity * SIGMA_SB * (T**4 - cold**4)) / store

    found = []
    for time in (60.0, 400.0):
        T = solve_ivp(warming, (0.0, time), [cold], rtol=1e-10, atol=1e-8).y[0, -1]
        case = {"layers": ((2e-3, 5e4, 0.0, 3.4e6),), "inner_film": h, "outer_film": 0.0, "emissivity": emissivity}
        a = run(**case, inner_temperature=hot, outer_temperature=cold, time=time).answers
        found += [
            Comparison(a["inner_flux_at"], h * (hot - T), 1e-5),
            Comparison(a["outer_flux_at"], emissivity * SIGMA_SB * (T**4 - cold**4), 1e-5),
        ]
    return found


def _arrives(run: Run) -> list[Comparison]:
    """With k(T), contacts and radiation the wall comes to its steady state."""
    a = run(**FURNACE_CASE, time=1e8).answers
    return [Comparison(a[name], FURNACE["heat_flux"], 1e-8) for name in ("inner_flux_at", "outer_flux_at")]


CLAIMS = (
    Claim("a house wall agrees with the reference", "independent reference computation", _against(HOUSE, {})),
    Claim(
        "a furnace wall with k(T), contacts and a radiating shell agrees",
        "independent reference computation",
        _against(FURNACE, FURNACE_CASE),
    ),
    Claim("resistances in series", "closed form; ISO 6946", _series),
    Claim("a thin black plate in a vacuum radiates sigma T^4", "limit (Stefan 1879, Boltzmann 1884)", _radiation),
    Claim("the heat flux is the same everywhere", "independent reference computation", _conservation),
    Claim(
        "the house wall two hours after the room was heated",
        "independent reference computation",
        _against(HOUSE_LATER, {}, 5e-5),
    ),
    Claim(
        "the furnace wall after ten hours, its conductivities those of 300 K",
        "independent reference computation",
        _against(FURNACE_LATER, FURNACE_LATER_CASE, 5e-5),
    ),
    Claim("heat in and out from 30 s to two days", "Laplace inversion of transfer matrices", _laplace),
    Claim("a thin plate between warm air and a cold sky", "one ordinary differential equation", _plate),
    Claim("in time the furnace wall arrives at its steady state", "two routes: steady and in time", _arrives),
)
