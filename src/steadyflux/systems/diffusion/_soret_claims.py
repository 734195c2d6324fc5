"""What thermodiffusion must give: closed forms, references, the course of a Soret cell in time, and the second law."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import steadyflux as sf
from steadyflux.systems.system import Claim, Comparison, Result, Values

Run = Callable[..., Result]

# Independent reference computations with de Groot and Mazur's coefficients, relative accuracy 1e-10.
LIQUID = {
    "fraction_at_cold": 0.4052875391384039,
    "fraction_at_hot": 0.3947279480020787,
    "separation": -0.010559591136325153,
    "heat_flux": 4000.0,
    "effective_conductivity_closed": 0.4,
    "effective_conductivity_open": 0.400038383980593,
    "heat_of_transport": 93320.83817878182,
    "dufour_flux": -3.634846647063551,
    "entropy_production": 0.45010363495537503,
}
GAS_CASE = {
    "density": 0.94,
    "diffusivity": 6.3e-05,
    "soret_coefficient": -0.001,
    "conductivity": 0.075,
    "molar_mass": 0.002016,
    "other_molar_mass": 0.04401,
    "mean_fraction": 0.05,
    "cold": 280.0,
    "hot": 400.0,
    "thickness": 0.02,
    "fraction_gradient": -3.0,
    "heat_capacity": 1400.0,
}
GAS = {
    "fraction_at_cold": 0.04720144834571256,
    "fraction_at_hot": 0.05290112353106695,
    "separation": 0.005699675185354386,
    "heat_flux": 450.0,
    "effective_conductivity_closed": 0.075,
    "effective_conductivity_open": 0.07565691672791322,
    "heat_of_transport": -233533.0268626272,
    "dufour_flux": -41.48947755241434,
    "entropy_production": 0.4821428571428571,
}


def _against(reference: dict[str, float], case: dict[str, Any], rtol: float) -> Callable[[Run], list[Comparison]]:
    def compare(run: Run) -> list[Comparison]:
        found = run(**case).answers
        return [Comparison(found[name], value, rtol) for name, value in reference.items()]

    return compare


def _small(run: Run) -> list[Comparison]:
    """For a small difference of temperature the separation is -S_T w (1 - w) dT, wherever and whichever way."""
    cases = ((3e-3, 0.17, 290.0, 290.2), (-8e-4, 0.62, 350.0, 349.0), (0.1, 1e-6, 300.0, 300.001))
    found = []
    for soret, w, cold, hot in cases:
        a = run(soret_coefficient=soret, mean_fraction=w, cold=cold, hot=hot).answers
        found.append(Comparison(a["separation"], -soret * w * (1.0 - w) * (hot - cold), 1e-4))
    return found


def _strong(run: Run) -> list[Comparison]:
    """Nearly complete separation: w / (1 - w) = K exp(-S_T T), its constant from the mean by hand."""
    soret, cold, hot, mean = 0.31, 283.0, 333.0, 0.37
    a = run(soret_coefficient=soret, cold=cold, hot=hot, mean_fraction=mean).answers
    # The mean of 1 / (1 + e^(s T - b)) over T is 1 - ln((1 + e^(s hot - b)) / (1 + e^(s cold - b))) / (s (hot - cold)).
    size = soret * (hot - cold)
    target = np.exp(size * (1.0 - mean))
    x = (target - 1.0) / (np.exp(size) - target)  # e^(s cold - b)
    return [
        Comparison(a["fraction_at_cold"], 1.0 / (1.0 + x), 1e-4),
        Comparison(a["fraction_at_hot"], 1.0 / (1.0 + x * np.exp(size)), 1e-4),
    ]


def _symmetric(run: Run) -> list[Comparison]:
    found = (run(), run(**GAS_CASE), run(soret_coefficient=0.4, mean_fraction=0.999), run(soret_coefficient=0.0))
    return [Comparison(r.answers["reciprocity_defect"], 0.0, 0.0, 1e-9) for r in found]


def _fick(run: Run) -> list[Comparison]:
    """No difference of temperature: Fick's flux of matter (Dufour's heat, which changes with the composition, warms the
    middle of the layer by little); and no coupling: Fourier's law."""
    same = run(hot=300.0, cold=300.0, cold_fraction=0.43, hot_fraction=0.37).answers
    plain = run(soret_coefficient=0.0, cold_fraction=0.3, hot_fraction=0.5).answers
    return [
        Comparison(same["mass_flux"], 950.0 * 4.1e-10 * 0.06 / 1e-3, 1e-6),
        Comparison(plain["heat_flux"], 0.4 * 10.0 / 1e-3, 1e-10),
        Comparison(plain["mass_flux"], -950.0 * 4.1e-10 * 0.2 / 1e-3, 1e-10),
    ]


def _second_law(run: Run) -> list[Comparison]:
    """Closed and open: every edge produces, and in all what leaves with heat and matter."""
    found = []
    for case in ({}, GAS_CASE, {**GAS_CASE, "cold_fraction": 0.02, "hot_fraction": 0.3}):
        r = run(**case)
        p = r.parameters
        edges = np.asarray(r.solution.books.laws[0].entropy)
        outside = r.answers["heat_flux"] * (1.0 / p.cold - 1.0 / p.hot)
        # Matter from one plate to the other: its flux times the fall of (mu_1 - mu_2) / T, per mass and ideal.
        m, n = p.molar_mass, p.other_molar_mass

        def per_mass(w: float, m: float = m, n: float = n) -> float:
            x = w / m / (w / m + (1.0 - w) / n)
            return 8.314462618 * (np.log(x) / m - np.log(1.0 - x) / n)

        fall = per_mass(float(r.answers["fraction_at_cold"])) - per_mass(float(r.answers["fraction_at_hot"]))
        outside += r.answers["mass_flux"] * fall
        found += [
            Comparison(r.answers["entropy_production"], outside, 1e-8),
            Comparison(float(edges.min() > 0.0), 1.0, 0.0),
        ]
    return found


def _conserved(run: Run) -> Comparison:
    r = run(**GAS_CASE)
    return Comparison(r.solution.total("solute"), 0.05 * 0.94 / 0.002016 * 0.02, 1e-12)


def _time(run: Run) -> list[Comparison]:
    """Course of a weak Soret cell whose temperatures are there at once: the series of de Groot and of Bierlein."""
    r = run(soret_coefficient=1e-5, heat_capacity=0.0)
    D, d, p = 4.1e-10, 1e-3, r.parameters
    tau = d * d / (np.pi**2 * D)
    times = np.array([0.1, 0.4, 1.0, 2.5]) * tau
    history = sf.evolve(_model_of(r, p), until=times[-1], times=times, rtol=1e-9)
    n = np.arange(1, 400, 2)
    series = [1.0 - 8.0 / np.pi**2 * np.sum(np.exp(-(n**2) * t / tau) / n**2) for t in times]
    c = history["solute"]
    separation = (c[:, -1] - c[:, 0]) * p.molar_mass / p.density
    return [
        Comparison(separation / r.answers["separation"], np.asarray(series), 2e-4),
        Comparison(r.answers["relaxation_time"], tau, 1e-4),
    ]


def _model_of(r: Result, p: Values) -> Any:
    return r.system.model(p)


def _times(run: Run) -> list[Comparison]:
    """d^2 / (pi^2 D), nearly, for the two mixtures: the drift changes the rate by its square only."""
    return [
        Comparison(run().answers["relaxation_time"], 247.12483815204337, 1e-3),
        Comparison(run(**GAS_CASE).answers["relaxation_time"], 0.6433091024910336, 2e-3),
    ]


CLAIMS = (
    Claim("ethanol and water agree", "independent reference computation", _against(LIQUID, {}, 1e-5)),
    Claim("hydrogen and carbon dioxide agree", "independent reference computation", _against(GAS, GAS_CASE, 1e-5)),
    Claim("separation -S_T w (1 - w) dT for small differences", "limiting case", _small),
    Claim("nearly complete separation", "closed form", _strong),
    Claim("L_12 = L_21 from the computed flows", "Onsager 1931", _symmetric),
    Claim("Fick's and Fourier's laws alone", "limiting cases", _fick),
    Claim("second law, closed and open", "balance of entropy", _second_law),
    Claim("the closed layer keeps its matter", "conservation", _conserved),
    Claim("the course in time", "de Groot 1945; Bierlein 1955", _time),
    Claim("relaxation time", "independent reference computation", _times),
)
