"""What must hold of a quantum gas that streams out of a vessel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import quad
from scipy.special import zeta

from steadyflux.ground.constants import C_LIGHT, H_BAR, H_PLANCK, K_B, M_ELECTRON
from steadyflux.systems.system import Claim, Comparison, Result

COPPER: dict[str, Any] = {}
VAPOUR: dict[str, Any] = {
    "mass": 5.0081858248656e-27,
    "density": 1e27,
    "temperature": 4.0,
    "volume": 1e-3,
    "opening": 1e-10,
    "fraction": 0.1,
    "second_density": 2e26,
}
# Independent reference computation (polylogarithms and quadrature, 1e-9).
REFERENCE: tuple[tuple[dict[str, Any], dict[str, float]], ...] = (
    (
        COPPER,
        {
            "fermi_momentum": 1.433900637591441e-24,
            "fermi_energy": 1.1285456326461344e-18,
            "fermi_speed": 1574091.8206742427,
            "chemical_potential": 1.1285456326461344e-18,
            "flux": 2.5057574170357995e34,
            "energy_flux": 1.8852410596442732e16,
            "mean_energy": 6.7712737958768065e-19,
            "escaping_energy": 7.523637550974228e-19,
            "film_flux": 9.828672306713278e24,
            "wire_flux": 3406379972135171.0,
            "emptying_time_at_zero": 2.641991238183696,
        },
    ),
    (
        VAPOUR,
        {
            "chemical_potential": -1.5100882524196107e-22,
            "flux": 4.216709049701322e28,
            "energy_flux": 4694425.7943027625,
            "mean_energy": 8.37676460960489e-23,
            "escaping_energy": 1.1132913698741626e-22,
            "flux_at_zero": 1.2214358569842123e28,
            "classical_ratio": 1.0065425773008363,
            "film_flux": 2.105696263126286e19,
            "wire_flux": 32074743457.74331,
            "emptying_time_at_zero": 2835436.71187672,
            "net_flux": 3.377748309303185e28,
        },
    ),
)


def _reference(run: Callable[..., Result]) -> list[Comparison]:
    found = []
    for given, expected in REFERENCE:
        a = run(**given).answers
        # The reference takes the electron's mass of CODATA 2018.
        found += [Comparison(a[name], value, 1e-6 if "time" in name else 2e-8) for name, value in expected.items()]
    return found


def _absolute_zero(run: Callable[..., Result]) -> list[Comparison]:
    n = 1.4e28
    a = run(density=n, temperature=0.0).answers
    speed = H_BAR * (3.0 * np.pi**2 * n) ** (1.0 / 3.0) / M_ELECTRON
    level = 0.5 * M_ELECTRON * speed**2
    return [
        Comparison(a["flux"], 3.0 * n * speed / 16.0, 1e-12),
        Comparison(a["energy_flux"], 3.0 * n * speed / 16.0 * 2.0 * level / 3.0, 1e-12),
        Comparison(a["mean_energy"], 0.6 * level, 1e-12),
        Comparison(a["pressure"], 0.4 * n * level, 1e-12),
        Comparison(a["wire_flux"], 2.0 * level / H_PLANCK, 1e-9),
    ]


def _emptying(run: Callable[..., Result]) -> list[Comparison]:
    found = []
    for fraction in (0.5, 0.01):
        p = run(fraction=fraction).parameters
        a = run(fraction=fraction).answers
        scale = 3.0 * p.density * p.volume / (a["flux"] * p.opening)
        found.append(Comparison(a["emptying_time"], scale * (fraction ** (-1.0 / 3.0) - 1.0), 1e-7))
    later = run(until=3.0).answers
    left = (1.0 + 3.0 / scale) ** -3
    return [
        *found,
        Comparison(later["density"], p.density * left, 1e-5),
        Comparison(later["flux"], a["flux"] * left ** (4.0 / 3.0), 2e-5),
    ]


def _classical(run: Callable[..., Result]) -> list[Comparison]:
    found = []
    for statistics, sign in (("fermi", 1.0), ("bose", -1.0), ("maxwell", 0.0)):
        given = {**VAPOUR, "statistics": statistics, "temperature": 400.0, "density": 1e25, "second_density": 0.0}
        result = run(**given)
        p, a = result.parameters, result.answers
        speed = np.sqrt(8.0 * K_B * 400.0 / (np.pi * p.mass))
        wave = H_PLANCK / np.sqrt(2.0 * np.pi * p.mass * K_B * 400.0)
        filled = p.density * wave**3 / p.states
        # First virial correction: n lambda^3 / g (2^-3/2 - 2^-2), repelled fermions up, bosons down.
        ratio = 1.0 + sign * filled * (2.0**-1.5 - 0.25)
        found += [
            Comparison(a["flux"], 0.25 * p.density * speed * ratio, 1e-9),
            Comparison(a["escaping_energy"], 2.0 * K_B * 400.0, 1e-4),
            # An ideal gas at constant temperature leaves as an exponential.
            Comparison(a["emptying_time"], np.log(10.0) * p.volume / (0.25 * speed * p.opening), 1e-4),
        ]
    return found


def _sommerfeld(run: Callable[..., Result]) -> list[Comparison]:
    a = run(temperature=300.0).answers
    small = (300.0 / a["fermi_temperature"]) ** 2
    level = 1.0 - np.pi**2 / 12.0 * small - np.pi**4 / 80.0 * small**2
    # The flux is mu^2 / 2 + (pi k T)^2 / 6 but for terms of the order of e^(-mu / k T).
    rise = (level - 1.0) * (level + 1.0) + np.pi**2 / 3.0 * small
    return [
        Comparison(rise, np.pi**2 / 6.0 * small, 2.0 * small),
        Comparison(a["flux"] / a["flux_at_zero"] - 1.0, rise, 1e-6, 1e-13),
        Comparison(a["chemical_potential"] / a["fermi_energy"] - 1.0, level - 1.0, 1e-6, 1e-13),
    ]


def _two_gases(run: Callable[..., Result]) -> list[Comparison]:
    given = {**VAPOUR, "second_density": 1e27}
    rest = run(**given)
    warm = run(**{**given, "second_temperature": 5.0})
    there = run(**{**VAPOUR, "temperature": 5.0}).answers
    return [
        Comparison(rest.answers["net_flux"], 0.0, 0.0, 1e-12 * rest.answers["flux"]),
        Comparison(float(rest.answers["regime"] == "equilibrium"), 1.0, 0.0),
        Comparison(warm.answers["net_flux"], rest.answers["flux"] - there["flux"], 1e-11),
        Comparison(warm.answers["net_power"], 1e-10 * (rest.answers["energy_flux"] - there["energy_flux"]), 1e-11),
        Comparison(warm.solution.entropy.production, warm.solution.entropy.exported, 1e-9),
        Comparison(float(warm.solution.entropy.production > 0.0), 1.0, 0.0),
    ]


def _condensed(run: Callable[..., Result]) -> list[Comparison]:
    given = {"statistics": "bose", "states": 1.0, "mass": 6.6464731e-27, "temperature": 1.0}
    wave = H_PLANCK / np.sqrt(2.0 * np.pi * 6.6464731e-27 * K_B)
    critical = zeta(1.5) / wave**3
    dense, denser = (run(**given, density=k * critical).answers for k in (2.0, 6.0))
    speed = np.sqrt(8.0 * K_B / (np.pi * 6.6464731e-27))
    flux = 0.25 * speed * zeta(2.0) / wave**3
    return [
        Comparison(dense["flux"], flux, 1e-8),
        Comparison(denser["flux"], flux, 1e-8),
        Comparison(denser["chemical_potential"], 0.0, 0.0, 1e-40),
    ]


def _fast(run: Callable[..., Result]) -> list[Comparison]:
    # Far beyond m c every electron has the speed of light: n c / 4, and 3/4 p_F c each.
    a = run(relativistic="yes", density=1e48).answers
    p = a["fermi_momentum"]
    rest = M_ELECTRON * C_LIGHT
    between = run(relativistic="yes", density=1e36).answers
    edge = between["fermi_momentum"]
    speed = quad(lambda x: x**3 * edge / np.hypot(rest, x * edge), 0.0, 1.0, epsrel=1e-12)[0]
    return [
        Comparison(a["flux"], 0.25 * 1e48 * C_LIGHT, 2e-8),
        Comparison(a["escaping_energy"], 0.75 * p * C_LIGHT, 2e-3),
        Comparison(between["flux"], 0.75 * 1e36 * C_LIGHT * speed, 1e-11),
    ]


def _counted(run: Callable[..., Result]) -> list[Comparison]:
    course = run(**VAPOUR, until=1e4).history
    ledger = course.ledger
    return [
        Comparison(max(entry.relative for entry in ledger.values()), 0.0, 0.0, 1e-8),
        Comparison(-ledger["gas"].stored, 1e-3 * (1e27 - course["gas"][-1, 0]), 1e-9),
    ]


CLAIMS = (
    Claim("electrons of copper and the vapour of helium-3", "independent reference computation", _reference),
    Claim("3/16 n v_F at absolute zero, 2/3 of the Fermi energy each", "closed form", _absolute_zero),
    Claim("a cold vessel empties as (1 + t / t0)^-3", "closed form of V dn/dt = -A J, J ~ n^(4/3)", _emptying),
    Claim("n v / 4 far above the Fermi temperature", "Maxwell 1860; first virial correction", _classical),
    Claim("1 + (pi^2 / 6) (k T / E_F)^2 close to absolute zero", "Sommerfeld 1928", _sommerfeld),
    Claim("two gases: each sends its own, and nothing flows between equal ones", "definition", _two_gases),
    Claim("a condensed Bose gas sends no more, however dense", "Einstein 1925", _condensed),
    Claim("relativistic electrons: n c / 4 in the end", "limit; quadrature", _fast),
    Claim("the books of a run close", "conservation", _counted),
)
