"""What the rod between fire and ice must give: closed forms, series, similarity, and independent references."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import quad, simpson, solve_bvp
from scipy.special import erfc

from steadyflux.systems.system import Claim, Comparison, Result

Run = Callable[..., Result]

# Independent reference computations (integrals of k by quadrature, the profile by inversion), relative accuracy 1e-10.
COPPER = {
    "heat": 82.35337,
    "temperature_at": (1197.315, 1043.2875, 786.575, 529.8625, 375.835),
    "entropy_production_at": (
        1179.781364927976,
        1553.8545752389098,
        2733.619733714157,
        6024.097750245641,
        11973.577659753926,
    ),
    "entropy_production_total": 0.23814629320181926,
    "local_equilibrium_number": 3.0074318140216e-07,
    "minimum_entropy_profile_production": 0.19519935498177227,
}
IRON_CASE = {
    "conductivity": (80.0, -0.075, 2.2e-5),
    "hot": 1100.0,
    "length": 0.3,
    "area": 5e-5,
    "mean_free_path": 5e-9,
}
IRON = {
    "heat": 7.654973868342821,
    "temperature_at": (974.803977690579, 815.3490818397627, 599.4410678587338, 423.29502274208363, 330.6606144402923),
    "entropy_production_at": (
        625.9397136496533,
        747.12761530254,
        1096.0523153281986,
        1840.2168913811317,
        2758.3117046448256,
    ),
    "entropy_production_total": 0.021065731925646123,
    "local_equilibrium_number": 3.41642474929486e-08,
    "minimum_entropy_profile_production": 0.019481704867350187,
}


# The eigenfunction series of a constant conductivity (Carslaw and Jaeger 1959, 3.4), relative accuracy 1e-10.
COPPER_LATER = {
    "middle_temperature_at_time": 411.1905201495616,
    "hot_flow_at_time": 196.70853148167814,
    "entropy_production_at_time": 0.2526576420889825,
}
IRON_LATER_CASE = IRON_CASE | {"conductivity": (80.0,), "heat_capacity": 3.5e6, "time": 400.0}
IRON_LATER = {
    "middle_temperature_at_time": 493.4563794895229,
    "hot_flow_at_time": 19.517173334284262,
    "entropy_production_at_time": 0.026931500608142863,
}


def _against(reference: dict[str, Any], case: dict[str, Any], rtol: float) -> Callable[[Run], list[Comparison]]:
    def compare(run: Run) -> list[Comparison]:
        found = run(**case).answers
        return [Comparison(found[name], np.asarray(value), rtol) for name, value in reference.items()]

    return compare


def _seed_formula(run: Run) -> Comparison:
    k, hot, cold, length, area = 237.0, 410.0, 290.0, 0.21, 3.4e-4
    found = run(conductivity=(k,), hot=hot, cold=cold, length=length, area=area).answers
    return Comparison(found["entropy_production_total"], k * area / length * (hot - cold) ** 2 / (hot * cold), 1e-10)


def _boundary_form(run: Run) -> list[Comparison]:
    found = run(**IRON_CASE)
    heat = float(found.answers["heat"])
    boundary = heat * (1.0 / found.parameters.cold - 1.0 / found.parameters.hot)
    return [
        Comparison(found.answers["entropy_production_total"], boundary, 1e-10),
        Comparison(found.answers["entropy_exported"], boundary, 1e-10),
    ]


def _volume_integral(run: Run, cells: int) -> float:
    """Trapezoidal sum of k (T'/T)^2 with the slopes taken from the profile alone."""
    found = run(**IRON_CASE, cells=cells)
    x, T = np.asarray(found.solution.position()), np.asarray(found.solution["T"])
    k0, k1, k2 = found.parameters.conductivity
    middle = 0.5 * (T[1:] + T[:-1])
    k = k0 + k1 * (middle - 300.0) + k2 * (middle - 300.0) ** 2
    return float(np.sum(k * np.diff(T) ** 2 / np.diff(x) / middle**2) * found.parameters.area)


def _order(run: Run) -> Comparison:
    errors = [abs(_volume_integral(run, cells) - IRON["entropy_production_total"]) for cells in (201, 401)]
    return Comparison(np.log2(errors[0] / errors[1]), 2.0, 0.0, 0.05)


def _inverse_square(run: Run) -> list[Comparison]:
    """Between near temperatures k0 (300/T)^2 is this parabola; then Fourier's profile makes the least entropy."""
    k = (50.0, -2.0 * 50.0 / 300.0, 3.0 * 50.0 / 300.0**2)
    falling = run(conductivity=k, hot=303.0, cold=297.0).answers
    constant = run(conductivity=(50.0,), hot=303.0, cold=297.0).answers
    excess = [
        a["entropy_production_total"] / a["minimum_entropy_profile_production"] - 1.0 for a in (falling, constant)
    ]
    # For constant k: (hot - cold)^2 / (hot cold ln(hot / cold)^2) - 1.
    expected = 36.0 / (303.0 * 297.0 * np.log(303.0 / 297.0) ** 2) - 1.0
    return [Comparison(excess[0], 0.0, 0.0, 1e-9), Comparison(excess[1], expected, 1e-6)]


def _equilibrium(run: Run) -> list[Comparison]:
    found = run(hot=300.0, cold=300.0)
    return [
        Comparison(found.answers["heat"], 0.0, 0.0, 1e-12),
        Comparison(float(found.solution.regime == "equilibrium"), 1.0, 0.0),
    ]


def _endless(run: Run) -> list[Comparison]:
    """Before the cold end feels it: T = cold + (hot - cold) erfc(x / 2 sqrt(D t)), its production by quadrature."""
    found = []
    for time in (1e-6, 2.0):
        a = run(time=time).answers
        k, fall, cold, width = 401.0, 1300.0 - 273.15, 273.15, np.sqrt(401.0 / 3.45e6 * time)

        def square(e: float, ratio: float = cold / fall) -> float:
            return 4.0 / np.pi * np.exp(-2.0 * e * e) / (ratio + erfc(e)) ** 2

        rate = k * 1e-4 / (2.0 * width) * quad(square, 0.0, 12.0, epsrel=1e-10, limit=200)[0]
        found += [
            Comparison(a["hot_flow_at_time"], k * 1e-4 * fall / (np.sqrt(np.pi) * width), 1e-5),
            Comparison(a["entropy_production_at_time"], rate, 1e-5),
            Comparison(a["entropy_produced_by_time"], 2.0 * rate * time, 1e-5),
        ]
    return found


def _similar(run: Run) -> list[Comparison]:
    """With k(T), before the cold end feels it: (k T')' = -2 e T' in e = x / 2 sqrt(t / C), solved as a boundary-value
    problem by collocation (Boltzmann 1894)."""
    hot, cold, c, time = 1100.0, 273.15, 3.5e6, 1.0
    width = 2.0 * np.sqrt(time / c)

    def k(T: Any) -> Any:
        return 80.0 - 0.075 * (T - 300.0) + 2.2e-5 * (T - 300.0) ** 2

    def slopes(e: Any, y: Any) -> Any:
        fall = y[1] / k(y[0])  # the second unknown is k dT/de
        return np.stack([fall, -2.0 * e * fall])

    e = np.linspace(0.0, 40.0, 801)
    guess = np.stack([cold + (hot - cold) * np.exp(-e / 8.0), -60.0 * (hot - cold) / 8.0 * np.exp(-e / 8.0)])
    profile = solve_bvp(slopes, lambda a, b: np.array([a[0] - hot, b[0] - cold]), e, guess, tol=1e-8, max_nodes=50_000)
    T, flux = profile.sol(e)
    rate = 5e-5 / width * simpson(flux**2 / (k(T) * T**2), x=e)
    found = run(**IRON_CASE, heat_capacity=c, time=time).answers
    return [
        Comparison(found["hot_flow_at_time"], -5e-5 / width * flux[0], 1e-5),
        Comparison(found["entropy_production_at_time"], rate, 1e-5),
        Comparison(found["entropy_produced_by_time"], 2.0 * rate * time, 1e-5),
    ]


def _arrives(run: Run) -> list[Comparison]:
    """In time the rod comes to its steady state, from where each second makes as much entropy as the next."""
    late = [run(**IRON_CASE, time=time).answers for time in (1e5, 2e5)]
    gained = late[1]["entropy_produced_by_time"] - late[0]["entropy_produced_by_time"]
    return [
        Comparison(late[0]["hot_flow_at_time"], late[0]["heat"], 1e-9),
        Comparison(late[0]["entropy_production_at_time"], late[0]["entropy_production_total"], 1e-9),
        Comparison(gained, 1e5 * late[0]["entropy_production_total"], 1e-6),
    ]


CLAIMS = (
    Claim(
        "copper between 1300 K and ice agrees with the reference",
        "independent reference computation",
        _against(COPPER, {}, 1e-9),
    ),
    Claim(
        "iron with falling conductivity agrees with the reference",
        "independent reference computation",
        _against(IRON, IRON_CASE, 1e-9),
    ),
    Claim("constant conductivity: S = (k A/L) (TH - TC)^2 / (TH TC)", "closed form", _seed_formula),
    Claim("the volume integral equals Q (1/TC - 1/TH)", "second law, boundary form", _boundary_form),
    Claim("a volume integral from the profile alone converges with order 2", "observed order", _order),
    Claim(
        "Fourier's profile is that of least production only where k goes as 1/T^2",
        "calculus of variations; de Groot and Mazur 1962, ch. V",
        _inverse_square,
    ),
    Claim(
        "copper after two minutes agrees with the series",
        "Carslaw and Jaeger 1959, 3.4; independent reference computation",
        _against(COPPER_LATER, {}, 1e-5),
    ),
    Claim(
        "iron of constant conductivity after 400 s agrees with the series",
        "Carslaw and Jaeger 1959, 3.4; independent reference computation",
        _against(IRON_LATER, IRON_LATER_CASE, 1e-5),
    ),
    Claim("at first the rod is one without end", "Carslaw and Jaeger 1959, 2.5", _endless),
    Claim("with k(T) too", "Boltzmann 1894, by collocation", _similar),
    Claim("in time the rod arrives at its steady state", "two routes: steady and in time", _arrives),
    Claim("equal temperatures: no heat, equilibrium", "limit", _equilibrium),
)
