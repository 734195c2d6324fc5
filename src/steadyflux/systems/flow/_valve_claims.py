"""What the gas valve must give: transpiration, Onsager's relations, entropy between two equilibria, references."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from steadyflux.ground.constants import K_B, N_A, R
from steadyflux.systems.system import Claim, Comparison, Result

Run = Callable[..., Result]

HELIUM = {
    "mass": 6.64647366797316e-27,
    "left_temperature": 400.0,
    "left_pressure": 1.0,
    "right_pressure": 1.0,
    "left_volume": 5e-4,
    "right_volume": 5e-4,
    "diameter": 5e-5,
    "times": (10.0, 100.0, 1000.0),
}
# Independent reference computations (closed forms and integration of the two balances), relative accuracy 1e-9.
ARGON_VALUES = {
    "particle_flux": 60488886156415.68,
    "energy_flux": 5.010835210978149e-07,
    "entropy_production": 1.3441046935846601e-09,
    "coefficient_particles": 3.285894142342604e36,
    "coefficient_cross": 2.7219998770387044e16,
    "coefficient_energy": 0.0003382313767410249,
    "heat_of_transport": -2.070973500000001e-21,
    "final_pressures": (4.666666666666667, 4.666666666666667),
}
ARGON_COURSE = {
    "pressures_at": (9.979998965826399, 9.803740407357015, 8.362074575660264),
    "temperatures_at": (299.8499784555623, 298.52696813236776, 287.83466973583836),
    "particles_at": (2.4107001318428344e18, 2.3786193643286124e18, 2.104203071159541e18),
}
ARGON_ISOTHERMAL = (9.984988659748003, 9.85177370602192, 8.690024970947405)
HELIUM_VALUES = {
    "particle_flux": -20001589033270.688,
    "energy_flux": 1.913235369991744e-07,
    "entropy_production": 3.580460422791879e-10,
    "coefficient_particles": 1.0011182199140785e37,
    "coefficient_cross": 9.675350084443069e16,
    "coefficient_energy": 0.0014026175539673053,
    "heat_of_transport": -2.4161357499999996e-21,
    "final_pressures": (1.0, 1.0),
}
HELIUM_COURSE = {
    "pressures_at": (0.9975328555926032, 0.9816851638508245, 0.9881038787510881),
    "temperatures_at": (398.13181017587834, 384.14945648130447, 346.8879911811769),
    "particles_at": (9.073755069516523e16, 9.25462287898796e16, 1.0315732228448448e17),
}
HELIUM_ISOTHERMAL = (1.0046928586383348, 1.0414075975515695, 1.1570847353862785)
VOLUMES = np.array([1e-3, 2e-3])
ISENTROPIC = 9.129911650567699e-12  # kg/s


def _against(case: dict[str, Any], values: dict[str, Any], course: dict[str, Any]) -> Callable[[Run], list[Comparison]]:
    def compare(run: Run) -> list[Comparison]:
        found = run(**case).answers
        flows = [Comparison(found[name], np.asarray(value), 1e-9) for name, value in values.items()]
        return flows + [Comparison(found[name][:, 0], np.asarray(value), 1e-7) for name, value in course.items()]

    return compare


def _isothermal(run: Run) -> list[Comparison]:
    """Held at two temperatures the vessels reach p1 / p2 = sqrt(T1 / T2), which is no equilibrium."""
    helium, argon = run(**HELIUM, walls="isothermal"), run(walls="isothermal")
    one = run(**{**HELIUM, "right_temperature": 400.0, "right_pressure": 4.0 / 3.0}, walls="isothermal").answers
    return [
        Comparison(helium.answers["pressure_ratio"], np.sqrt(4.0 / 3.0), 1e-9),
        Comparison(float(helium.answers["equilibrium"]), 0.0, 0.0),
        Comparison(one["pressures_at"][:, 0], np.asarray(HELIUM_ISOTHERMAL), 1e-7),
        Comparison(one["relaxation_time"], 350.12575639383954, 1e-6),
        Comparison(argon.answers["pressures_at"][:, 0], np.asarray(ARGON_ISOTHERMAL), 1e-7),
        Comparison(float(argon.answers["equilibrium"]), 1.0, 0.0),
    ]


def _onsager(run: Run) -> list[Comparison]:
    """L_NE = 2 k T L_NN and L_EE = 6 (k T)^2 L_NN for monatomic effusion, with no defect of reciprocity."""
    found = run(left_temperature=350.0, right_temperature=250.0).answers
    thermal = K_B * 300.0
    return [
        Comparison(found["reciprocity_defect"], 0.0, 0.0, 1e-12),
        Comparison(found["coefficient_cross"] / found["coefficient_particles"], 2.0 * thermal, 1e-10),
        Comparison(found["coefficient_energy"] / found["coefficient_particles"], 6.0 * thermal**2, 1e-10),
    ]


def _entropy(run: Run) -> list[Comparison]:
    """A gas that spreads into an empty vessel produces n R ln(V / V1); two unlike states what the last has more."""
    checks = []
    for valve, rise in (("effusive", 2.0), ("viscous", 2e4), ("nozzle", 2e4)):
        opening = {"valve": valve, "diameter": 1e-3, "length": 0.1, "times": (3e5,) if rise == 2.0 else (1e4,)}
        empty = run(**opening, left_pressure=rise, right_pressure=1e-3 * rise, walls="isothermal").answers
        amount = rise * 1e-3 / (R * 300.0)
        last = 1.002 / 3.0
        spread = -np.log(last) - 2e-3 * np.log(last / 1e-3)
        checks.append(Comparison(empty["entropy_produced"], amount * R * spread, 1e-5))
        warm = run(**opening, left_pressure=rise, right_pressure=0.4 * rise, left_temperature=420.0).answers
        first = np.array([rise, 0.4 * rise]), np.array([420.0, 300.0])
        last = warm["final_pressures"], warm["final_temperatures"]
        # Sackur's entropy of a monatomic gas, up to a constant times the amount.
        held = [p * VOLUMES / (R * T) for p, T in (first, last)]
        entropy = [
            float(n @ (1.5 * np.log(T) - np.log(n / VOLUMES))) * R
            for n, (_, T) in zip(held, (first, last), strict=True)
        ]
        checks.append(Comparison(warm["entropy_produced"], entropy[1] - entropy[0], 1e-5))
        checks.append(Comparison(float(held[1].sum()), float(held[0].sum()), 1e-9))
        checks.append(Comparison(float(VOLUMES @ last[0]), float(VOLUMES @ first[0]), 1e-7))
    return checks


def _nozzle(run: Run) -> list[Comparison]:
    """Choked flow against the closed form, and the flow below choking against the reference's formula."""
    found = run(valve="nozzle").answers
    mass = found["particle_flux"] * 6.63352146325368e-26
    g, x = 1.4, 0.8
    air = run(valve="nozzle", heat_capacity_ratio=g, left_pressure=1e5, right_pressure=x * 1e5, mass=4.81e-26)
    density, speed = 1e5 / (R * 300.0), np.sqrt(2.0 * g / (g - 1.0) * R * 300.0 / (4.81e-26 * N_A))
    flow = 0.25 * np.pi * 4e-10 * density * speed * np.sqrt(x ** (2.0 / g) - x ** ((g + 1.0) / g))
    return [
        Comparison(mass, ISENTROPIC, 1e-9),
        Comparison(air.answers["particle_flux"] / N_A, flow, 1e-9),
    ]


def _capillary(run: Run) -> Comparison:
    """Isothermal Poiseuille flow of a gas: p_mean dp pi r^4 / (8 eta l R T)."""
    found = run(valve="viscous", left_pressure=3e5, right_pressure=1e5, diameter=1e-4)
    return Comparison(
        found.answers["particle_flux"] / N_A,
        np.pi * 5e-5**4 * 2e5 * 2e5 / (8.0 * 22.7e-6 * 10e-3 * R * 300.0),
        1e-12,
    )


CLAIMS = (
    Claim("argon, 10 Pa to 2 Pa", "independent reference computation", _against({}, ARGON_VALUES, ARGON_COURSE)),
    Claim(
        "helium at equal pressures, 400 K and 300 K",
        "independent reference computation",
        _against(HELIUM, HELIUM_VALUES, HELIUM_COURSE),
    ),
    Claim("thermal transpiration: p1/p2 = sqrt(T1/T2)", "Knudsen 1909, Ann. Phys. 333, 205", _isothermal),
    Claim("reciprocity of effusion", "de Groot and Mazur 1962, ch. XV", _onsager),
    Claim("entropy produced is that between two equilibria", "Clausius 1865", _entropy),
    Claim("choked and subsonic nozzle", "Saint-Venant and Wantzel 1839; reference computation", _nozzle),
    Claim("capillary", "Hagen 1839, Poiseuille 1846", _capillary),
)
