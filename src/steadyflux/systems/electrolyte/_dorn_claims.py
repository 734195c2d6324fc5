"""What the Dorn effect must give: references of settling and electrophoresis, Henry's function, limits, reciprocity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import expn

from steadyflux.systems.system import Claim, Comparison, Result

Run = Callable[..., Result]

# Independent reference computations (O'Brien and White's equations by collocation, settling and electrophoresis apart),
# relative accuracy 1e-7.
QUARTZ = {
    "kappa_a": 16.436244974768165,
    "mobility": -2.0094539711598213e-08,
    "sedimentation_field": 0.0021705263005862762,
    "sedimentation_field_direct": 0.0021705263005858152,
    "conductivity": 0.00149802006262584,
    "stokes_velocity": 1.0100482209737826e-06,
    "settling_velocity": 1.0093864175251829e-06,
    "current_at_zero_field": -3.251491944735286e-06,
}
SILICA_CASE = {
    "radius": 3e-8,
    "zeta": -0.1,
    "volume_fraction": 0.005,
    "density_difference": 1100.0,
    "salt": 10.0,
    "diffusivities": (1.334e-9, 2.032e-9),
}
SILICA = {
    "kappa_a": 9.861746984860899,
    "mobility": -4.392735402008253e-08,
    "sedimentation_field": 1.874350058544181e-05,
    "sedimentation_field_direct": 1.874350058543141e-05,
    "conductivity": 0.126406004783118,
    "stokes_velocity": 2.4241157303370785e-09,
    "settling_velocity": 2.3887784491522363e-09,
    "current_at_zero_field": -2.3692910246557326e-06,
}

# The same to first order in zeta by Henry's function; there upwards is positive.
FAINT_CASE = {
    "double_layer": "linear",
    "radius": 2.5e-7,
    "volume_fraction": 0.02,
    "density_difference": 1000.0,
    "zeta": -0.02,
    "conductivity": 0.0015,
    "relative_permittivity": 78.4,
}
FAINT = {
    "kappa_a": 8.2233619667097,
    "mobility_over_smoluchowski": 0.8173431004481844,
    "mobility": -1.2749970575257872e-08,
    "sedimentation_field": 0.0016671266525580348,
    "voltage": 0.0001667126652558035,
    "current_at_zero_field": -2.5006899788370523e-06,
    "settling_velocity": 1.5303760923845193e-07,
    "settling_velocity_open": 1.5301635342268658e-07,
    "entropy_production_shorted": 1.0067323633327284e-07,
    "entropy_production": 1.006592535497293e-07,
    "particle_charge": -4.022850687840728e-16,
}
GOLD_CASE = {
    "double_layer": "linear",
    "radius": 3e-8,
    "volume_fraction": 0.001,
    "density_difference": 18300.0,
    "zeta": -0.024,
    "salt": 0.01,
    "conductivity": 0.00016,
    "relative_permittivity": 78.4,
    "height": 0.05,
}
GOLD = {
    "kappa_a": 0.31205464606565264,
    "mobility_over_smoluchowski": 0.6695073299074366,
    "mobility": -1.253260534268928e-08,
    "sedimentation_field": 0.014057016234781713,
    "voltage": 0.0007028508117390858,
    "current_at_zero_field": -2.2491225975650742e-06,
    "settling_velocity": 4.0328470786516844e-08,
    "settling_velocity_open": 4.015229974975055e-08,
    "entropy_production_shorted": 2.4274411283267807e-08,
    "entropy_production": 2.4168370857750492e-08,
    "particle_charge": -8.240604602121633e-18,
}


def _against(reference: dict[str, float], case: dict[str, Any], rtol: float) -> Callable[[Run], list[Comparison]]:
    def compare(run: Run) -> list[Comparison]:
        found = run(**case).answers
        return [Comparison(found[name], value, rtol) for name, value in reference.items()]

    return compare


def _salt_for(kappa_a: float, radius: float = 1e-7) -> dict[str, Any]:
    """A radius and a 1:1 salt of water at 25 degC that give kappa a."""
    thermal = 8.314462618 * 298.15 / 96485.33212
    salt = 0.5 * 78.5 * 8.8541878128e-12 * thermal / 96485.33212 * (kappa_a / radius) ** 2
    return {"radius": radius, "salt": salt}


def _henry(run: Run) -> list[Comparison]:
    """Henry's function from a thick to a thin layer, exact by exponential integrals (Ohshima et al. 1984); f(10)."""
    found = []
    for x in (0.03, 1.0, 10.0, 100.0):
        a = run(**_salt_for(x, 1e-8 if x < 1.0 else 1e-7), double_layer="linear").answers
        exact = 1.0 - np.exp(x) * (5.0 * expn(7, x) - 2.0 * expn(5, x))
        found.append(Comparison(a["mobility_over_smoluchowski"], exact, 3e-5))
        if x == 10.0:
            found.append(Comparison(a["mobility_over_smoluchowski"], 0.83518, 3e-5))
    return found


def _limits(run: Run) -> list[Comparison]:
    """Smoluchowski at a layer much thinner than the particle, at any low zeta; Hueckel at a thick one."""
    thin = run(**_salt_for(2e4, 1e-5), zeta=0.02).answers
    thick = run(**_salt_for(1e-2, 1e-8), double_layer="linear").answers
    unit = 78.5 * 8.8541878128e-12 / 8.9e-4
    return [
        Comparison(thin["mobility"], 0.02 * unit, 1e-3),
        Comparison(thin["sedimentation_field"], -0.02 * unit * 16.5 * 9.80665 / thin["conductivity"], 1e-3),
        Comparison(thick["mobility"], -0.03 * unit / 1.5, 1e-4),
    ]


def _mirror(run: Run) -> list[Comparison]:
    """Settling and electrophoresis, solved apart, give one coefficient: thick and thin layers, weak and strong charge,
    ions of unlike charge, mixtures."""
    mixed = {"charges": (2.0, 1.0, -1.0), "diffusivities": (0.7e-9, 1.3e-9, 2e-9), "concentrations": (0.3, 0.5, 1.1)}
    cases: tuple[dict[str, Any], ...] = (
        {},
        SILICA_CASE,
        {**_salt_for(0.2), "zeta": 0.2},
        {**_salt_for(60.0), "zeta": -0.15, "charges": (2.0, -1.0), "diffusivities": (0.8e-9, 2e-9)},
        {"zeta": 0.07, "density_difference": -300.0, **mixed},
    )
    return [Comparison(run(**case).answers["reciprocity_defect"], 0.0, 0.0, 1e-8) for case in cases]


def _no_charge(run: Run) -> list[Comparison]:
    a = run(zeta=0.0).answers
    return [
        Comparison(a["settling_velocity"], 2 * 25e-14 * 1650.0 * 9.80665 / (9 * 8.9e-4), 1e-5),
        Comparison(a["sedimentation_field"], 0.0, 0.0, 1e-12),
        Comparison(a["current_at_zero_field"], 0.0, 0.0, 1e-15),
    ]


def _entropy(run: Run) -> list[Comparison]:
    """Without current the column produces the work of the falling weight over T; with its ends joined, more."""
    r = run(**SILICA_CASE)
    a, p = r.answers, r.parameters
    work = p.volume_fraction * p.density_difference * p.gravity / p.temperature
    return [
        Comparison(a["entropy_production"], work * a["settling_velocity_open"], 1e-9),
        Comparison(a["entropy_production_shorted"], work * a["settling_velocity"], 1e-9),
        Comparison(float(a["entropy_production_shorted"] > a["entropy_production"] > 0.0), 1.0, 0.0),
    ]


CLAIMS = (
    Claim("quartz in dilute KCl agrees", "independent reference computation", _against(QUARTZ, {}, 2e-5)),
    Claim(
        "silica with a strongly relaxing layer agrees",
        "independent reference computation; O'Brien and White 1978",
        _against(SILICA, SILICA_CASE, 2e-5),
    ),
    Claim(
        "first order in zeta: a 0.5 um sphere agrees",
        "independent reference computation; Henry 1931",
        _against(FAINT, FAINT_CASE, 3e-5),
    ),
    Claim(
        "first order in zeta: gold agrees",
        "independent reference computation; Henry 1931",
        _against(GOLD, GOLD_CASE, 3e-5),
    ),
    Claim("Henry's function", "Henry 1931; Ohshima et al. 1984", _henry),
    Claim("Smoluchowski's and Hueckel's limits", "Smoluchowski 1903; Hueckel 1924", _limits),
    Claim("the field of settling is the mobility's mirror", "Onsager 1931; Ohshima et al. 1984", _mirror),
    Claim("no charge: Stokes's velocity, no field", "Stokes 1851", _no_charge),
    Claim("entropy of the falling column", "balance of energy", _entropy),
)
