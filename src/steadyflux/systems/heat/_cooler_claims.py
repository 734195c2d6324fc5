"""What the solid-state refrigerator must give: closed forms of constant properties, references, and the second law."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import solve_bvp

from steadyflux.systems.system import Claim, Comparison, Result

Run = Callable[..., Result]

# Independent reference computations: Chebyshev collocation of the boundary-value problem, relative accuracy 1e-9.
MODULE = {
    "cooling_power": 13.165710075280185,
    "rejected_heat": 30.53007403792904,
    "power": 17.364363962648856,
    "cop": 0.758202840230712,
    "entropy_production": 0.053005024292059076,
    "middle_temperature": 287.4312906267011,
    "cop_current": 2.4342743263291493,
    "maximum_cop": 0.7588856439417591,
    "optimum_current": 6.401657053610352,
    "maximum_cooling_power": 31.72818022911513,
    "maximum_temperature_difference": 67.84113354441268,
}
CONSTANT_CASE = {
    "seebeck": (2.1e-4,),
    "resistivity": (9.8e-6,),
    "conductivity": (1.5,),
    "length": 2e-3,
    "area": 1e-6,
    "pairs": 1.0,
    "hot": 310.0,
    "cold": 285.0,
    "current": 1.2,
}
CONSTANT = {
    "cooling_power": 0.077916,
    "rejected_heat": 0.146964,
    "power": 0.069048,
    "entropy_production": 0.0002006879456706282,
    "middle_temperature": 302.204,
    "cop_current": 0.7129896906421849,
    "maximum_cop": 1.3818226874730553,
    "optimum_current": 3.053571428571429,
    "maximum_cooling_power": 0.14525625,
    "maximum_temperature_difference": 79.61551582374125,
}


def _against(reference: dict[str, float], case: dict[str, Any], rtol: float) -> Callable[[Run], list[Comparison]]:
    def compare(run: Run) -> list[Comparison]:
        found = run(**case).answers
        return [Comparison(found[name], value, rtol) for name, value in reference.items()]

    return compare


def _closed_forms(run: Run) -> list[Comparison]:
    """Constant properties of an n-type leg: cooling turns round with the current."""
    S, rho, k, length, area, hot, cold, current = -1.7e-4, 2.3e-5, 0.9, 3e-4, 4e-7, 287.0, 281.0, -0.31
    case = {"seebeck": (S,), "resistivity": (rho,), "conductivity": (k,), "length": length, "area": area}
    found = run(**case, hot=hot, cold=cold, current=current, pairs=3.0).answers
    R, K, Z = rho * length / area, k * area / length, S * S / (rho * k)
    root = np.sqrt(1.0 + 0.5 * Z * (hot + cold))
    unloaded = (np.sqrt(1.0 + 2.0 * Z * hot) - 1.0) / Z
    return [
        Comparison(found["cooling_power"], 6 * (S * current * cold - 0.5 * current**2 * R - K * (hot - cold)), 1e-10),
        Comparison(found["power"], 6 * (current**2 * R + S * current * (hot - cold)), 1e-10),
        Comparison(found["optimum_current"], S * cold / R, 1e-9),
        Comparison(found["cop_current"], S * (hot - cold) / (R * (root - 1.0)), 1e-8),
        Comparison(found["maximum_cop"], cold / (hot - cold) * (root - hot / cold) / (root + 1.0), 1e-9),
        Comparison(found["maximum_temperature_difference"], 0.5 * Z * unloaded**2, 1e-9),
        Comparison(found["figure_of_merit"], 0.5 * Z * (hot + cold), 1e-12),
    ]


def _merit_alone(run: Run) -> list[Comparison]:
    """Materials of one Z reach one difference and one cop, whatever S, rho and k and the shape of the leg."""
    one = run(**CONSTANT_CASE).answers
    changed = {"seebeck": (4.2e-4,), "resistivity": (9.8e-6 * 8.0,), "conductivity": (0.75,), "length": 1e-4}
    other = run(**{**CONSTANT_CASE, **changed, "area": 3e-7}).answers
    return [
        Comparison(other[name], one[name], 1e-8)
        for name in ("maximum_temperature_difference", "maximum_cop", "figure_of_merit")
    ]


def _second_law(run: Run) -> list[Comparison]:
    """At any current, strong, none or reversed: the edges produce entropy, and as much as leaves with the heats."""
    found = []
    for current in (-3.0, 0.0, 1e-3, 0.7, 9.0):
        r = run(current=current, contact_resistivity=2e-10, contact_resistance=3e-6)
        a = r.answers
        outside = a["rejected_heat"] / 300.0 - a["cooling_power"] / 270.0
        least = min(float(np.min(np.asarray(book.entropy))) for book in r.solution.books.laws)
        found += [Comparison(a["entropy_production"], outside, 1e-9), Comparison(float(least >= 0.0), 1.0, 0.0)]
        if "cop" in a and a["cooling_power"] > 0:
            found.append(Comparison(float(a["cop"] < 270.0 / 30.0), 1.0, 0.0))  # Carnot
    return found


def _first_law(run: Run) -> list[Comparison]:
    a = run(current=4.1, contact_resistivity=1e-9, contact_resistance=1e-5).answers
    return [Comparison(a["rejected_heat"], a["cooling_power"] + a["power"], 1e-10)]


def _kelvin(run: Run) -> list[Comparison]:
    found = (run(), run(**CONSTANT_CASE), run(contact_resistivity=3e-10, contact_resistance=1e-5))
    return [Comparison(r.answers["reciprocity_defect"], 0.0, 0.0, 1e-9) for r in found]


def _loaded(run: Run) -> list[Comparison]:
    """What a module pumps at 270 K is the load at which it comes to 270 K; without current it comes to `hot`."""
    pumped = run().answers["cooling_power"]
    return [
        Comparison(run(load=pumped).answers["cold_temperature"], 270.0, 1e-9),
        Comparison(run(load=0.0, current=0.0).answers["cold_temperature"], 300.0, 1e-12),
    ]


def _contacts(run: Run) -> list[Comparison]:
    """Constant properties between contacts, by hand: unknown are the two temperatures of the leg's ends."""
    r, resistance = 4e-9, 2e-4
    found = run(**CONSTANT_CASE, contact_resistivity=r, contact_resistance=resistance).answers
    S, R, K, current, area = 2.1e-4, 0.0196, 7.5e-4, 1.2, 1e-6
    touch, G = r / area, area / resistance
    # G (cold - a) + i^2 t / 2 = S i a - i^2 R / 2 - K (b - a);  G (b - hot) - i^2 t / 2 = S i b + i^2 R / 2 - K (b - a)
    half = 0.5 * current**2
    matrix = np.array([[-G - S * current - K, K], [-K, G - S * current + K]])
    a, b = np.linalg.solve(matrix, [-G * 285.0 - half * touch - half * R, G * 310.0 + half * touch + half * R])
    return [
        Comparison(found["cooling_power"], 2 * (G * (285.0 - a) - half * touch), 1e-7),
        Comparison(found["power"], 2 * (current**2 * (R + 2 * touch) + S * current * (b - a)), 1e-7),
    ]


def _collocation(run: Run) -> Comparison:
    """A leg from 250 K to 350 K at 3 A by collocation of (T, q = k T') with Thomson's heat written out."""
    found = run(cold=250.0, hot=350.0, current=3.0)
    p, j = found.parameters, 3.0 / 1.96e-6
    S, rho, k = (np.poly1d(x[::-1]) for x in (p.seebeck, p.resistivity, p.conductivity))

    def right(x: Any, y: Any) -> Any:
        T, q = y
        return np.vstack([q / k(T), j * T * S.deriv()(T) * q / k(T) - rho(T) * j * j])

    x = np.linspace(0.0, p.length, 60)
    guess = np.vstack([np.linspace(250.0, 350.0, 60), np.full(60, 1.5 * 100.0 / p.length)])
    solved = solve_bvp(right, lambda a, b: np.array([a[0] - 250.0, b[0] - 350.0]), x, guess, tol=1e-10, max_nodes=20000)
    pumped = 254 * p.area * (S(250.0) * 250.0 * j - solved.y[1, 0])
    return Comparison(found.answers["cooling_power"], pumped, 1e-5)


def _start_up(run: Run) -> list[Comparison]:
    """Long after the current is switched on the run in time has come to rest at the steady state."""
    system = run().system
    late = system.run(until=200.0, load=5.0)
    still = run(load=5.0).answers
    return [Comparison(late.answers[n], still[n], 1e-6) for n in ("cold_temperature", "power", "entropy_production")]


CLAIMS = (
    Claim("a bismuth telluride module agrees", "independent reference computation", _against(MODULE, {}, 1e-5)),
    Claim(
        "a pair of constant properties agrees",
        "independent reference computation",
        _against(CONSTANT, CONSTANT_CASE, 1e-8),
    ),
    Claim("constant properties: heats, optima, limits", "closed forms, Ioffe 1957", _closed_forms),
    Claim("zT alone decides the limit and the best performance", "Ioffe 1957", _merit_alone),
    Claim("second law at any current, and below Carnot", "Clausius 1854", _second_law),
    Claim("heat rejected is heat pumped plus power", "conservation of energy", _first_law),
    Claim("Kelvin's relation from the computed fluxes", "Thomson 1854; Onsager 1931", _kelvin),
    Claim("a load and a held temperature agree", "two routes", _loaded),
    Claim("contacts in series", "closed form", _contacts),
    Claim("Thomson's heat over a wide span", "collocation", _collocation),
    Claim("the start-up ends in the steady state", "two routes: time and rest", _start_up),
)
