"""Claims of the star: Lane and Emden's constants, Eddington's luminosity and its limits, an independent reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import brentq

from steadyflux.ground.constants import C_LIGHT, G_NEWTON, K_B, M_U, SIGMA_SB
from steadyflux.systems.system import Claim, Comparison, Result

Run = Callable[..., Result]

XI, CONSTANT = 6.8968486193758025, 2.018235950977152
SUN = {"mass": 1.98841e30, "radius": 6.957e8, "molecular_weight": 0.61, "opacity": 0.14}
SUN_FOUND = {
    "xi_1": XI,
    "mass_constant": CONSTANT,
    "density_ratio": 54.182481107020216,
    "pressure_constant": 11.050681023336104,
    "central_density": 76385.37366277441,
    "central_pressure": 1.2448546063226732e16,
    "binding_energy": 5.689667097463955e41,
    "one_minus_beta": 0.0004133417137227493,
    "central_temperature": 11951558.01653837,
    "luminosity": 1.476125998098036e27,
    "effective_temperature": 8088.434174774046,
    "entropy_production": 1.8223356283024772e23,
    "kelvin_helmholtz_time": 256963931479878.1,
    "photon_diffusion_time": 96855473368.3086,
    "mass_exponent": 2.9966973616515515,
}
HEAVY = {"mass": 15 * 1.98841e30, "radius": 5.5 * 6.957e8, "molecular_weight": 0.62, "opacity": 0.0348}
HEAVY_FOUND = {
    "one_minus_beta": 0.0733141103875956,
    "central_density": 6886.735416628796,
    "central_pressure": 3060908805929665.0,
    "central_temperature": 30713339.994940605,
    "luminosity": 1.5799444345585887e31,
    "effective_temperature": 35080.252185063124,
    "entropy_production": 4.4927711459360405e26,
    "kelvin_helmholtz_time": 982140483092.9832,
    "photon_diffusion_time": 65660463763.97024,
    "mass_exponent": 2.519229011751241,
}


def _against(case: dict[str, float], expected: dict[str, float]) -> Callable[[Run], list[Comparison]]:
    def compare(run: Run) -> list[Comparison]:
        found = run(**case).answers
        return [Comparison(found[name], value, 2e-8) for name, value in expected.items()]

    return compare


def _constants(run: Run) -> list[Comparison]:
    found = run().answers
    return [Comparison(found["xi_1"], 6.89684862, 0.0, 1e-8), Comparison(found["mass_constant"], 2.01823595, 0.0, 1e-8)]


def _order(run: Run) -> list[Comparison]:
    off = np.array(
        [
            [float(run(cells=n).answers["xi_1"]) - XI, float(run(cells=n).answers["mass_constant"]) - CONSTANT]
            for n in (101, 201)
        ]
    )
    return [Comparison(np.log2(off[0] / off[1]), np.full(2, 4.0), 0.0, 0.2)]


def _light_share(mass: float, molecular_weight: float) -> float:
    """1 - beta by bisection of Eddington's quartic."""
    radiation, gas = 4.0 * SIGMA_SB / C_LIGHT, K_B / M_U
    side = np.pi * radiation * (molecular_weight / gas) ** 4 * G_NEWTON**3 * mass**2 / (48.0 * CONSTANT**2)
    find: Any = brentq
    return find(lambda y: y - side * (1.0 - y) ** 4, 0.0, 1.0, xtol=1e-300, rtol=1e-14)


def _eddington(run: Run) -> list[Comparison]:
    found = []
    for suns, mu, opacity, radius in (
        (0.08, 1.3, 3.0, 7e7),
        (2.0, 0.6, 0.1, 1.2e9),
        (60.0, 0.62, 0.034, 8e9),
        (1e4, 0.6, 0.03, 1e11),
    ):
        mass = suns * 1.98841e30
        expected = 4.0 * np.pi * G_NEWTON * C_LIGHT * mass / opacity * _light_share(mass, mu)
        a = run(mass=mass, molecular_weight=mu, opacity=opacity, radius=radius).answers
        found.append(Comparison(a["luminosity"], expected, 2e-8))
    return found


def _limits(run: Run) -> list[Comparison]:
    few, many = run(mass=1e28).answers, run(mass=1e36, radius=1e13).answers
    double = run(mass=2e28).answers
    return [
        Comparison(few["mass_exponent"], 3.0, 1e-6),
        Comparison(np.log2(double["luminosity"] / few["luminosity"]), 3.0, 1e-6),
        Comparison(many["luminosity"], 4.0 * np.pi * G_NEWTON * C_LIGHT * 1e36 / 0.14, 1e-2),
    ]


def _mass_carries(run: Run) -> list[Comparison]:
    """Energy flows in proportion to the mass within, and T = T_c theta by shooting from the centre."""
    found = run()
    p, a = found.parameters, found.answers
    shares = np.asarray(a["energy_flux_at"]) / float(a["luminosity"])
    from scipy.integrate import solve_ivp

    def slope(x: float, y: np.ndarray) -> list[float]:
        return [y[1], -2.0 * y[1] / x - y[0] ** 3]

    x = np.linspace(1e-4, 6.85, 4000)
    course = solve_ivp(slope, (1e-4, 6.85), [1.0 - 1e-8 / 6.0, -1e-4 / 3.0], t_eval=x, rtol=1e-11, atol=1e-13)
    theta = np.interp(np.asarray(p.mass_fractions), -(x**2) * course.y[1] / CONSTANT, course.y[0])
    temperature = float(a["central_temperature"]) * theta
    return [
        Comparison(shares, np.asarray(p.mass_fractions), 1e-8),
        Comparison(np.asarray(a["temperature_at"]), temperature, 2e-5),
    ]


def _entropy(run: Run) -> list[Comparison]:
    found = run(mass=6e30, radius=2e9)
    a, s = found.answers, found.solution
    burning: Any = s.model.laws[1]
    burnt = float(s["heating"]) * np.asarray(burning.mass)
    out = float(a["luminosity"]) / float(a["effective_temperature"]) - float(np.sum(burnt / np.asarray(s["T"])))
    surface = 4.0 * np.pi * 4e18 * SIGMA_SB * float(a["effective_temperature"]) ** 4
    return [
        Comparison(a["entropy_production"], out, 1e-10),
        Comparison(a["luminosity"], surface, 1e-10),
        Comparison(float(burnt.sum()), float(a["luminosity"]), 1e-10),
    ]


CLAIMS = (
    Claim("Lane and Emden's first zero and mass constant, n = 3", "Chandrasekhar 1939, table 4", _constants),
    Claim("a star like the Sun", "independent reference computation", _against(SUN, SUN_FOUND)),
    Claim(
        "fifteen solar masses, electron scattering", "independent reference computation", _against(HEAVY, HEAVY_FOUND)
    ),
    Claim("the luminosity is Eddington's, 4 pi G c M (1 - beta) / kappa", "Eddington 1926, ch. VI", _eddington),
    Claim("L goes as M^3 for light stars and as M for heavy ones", "limits of the quartic", _limits),
    Claim("energy flows as the mass within; T = T_c theta", "shooting from the centre", _mass_carries),
    Claim("what is burnt is shone away, and the entropy with it", "balance", _entropy),
    Claim("the structure is of fourth order in the step", "order of the discretisation", _order),
)
