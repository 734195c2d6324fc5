"""Claims of the galactic cusp: fluxes, slopes, an independent reference, and the encounters summed anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from steadyflux.systems.system import Claim, Comparison, Result

Run = Callable[..., Result]

M15 = {
    "hole_mass": 1.98841e33,
    "star_mass": 1.3918869999999998e30,
    "velocity_dispersion": 1e4,
    "star_density": 1.7018385954982685e-45,
    "coulomb_logarithm": 7.0,
    "sink_energy": 1e4,
}
M15_FOUND = {
    "reach": (1327124486299999.8, 1e-12),
    "reference_time": (1455142483522199.2, 1e-12),
    "star_flux": (0.0008911474789249132, 1e-6),
    "consumption_rate": (6.782537932628814e-18, 1e-6),
    "profile": ([1.2501677642083362, 2.054699570032242, 3.794596625370789, 7.892578672991822, 18.97993249723505], 1e-6),
    "slope": (
        [0.15914668100701035, 0.25010368998517046, 0.2845082276469447, 0.36317724980587923, 0.24533937646948648],
        1e-5,
    ),
    "density": ([2.5254342315055225, 53.704595537186165, 2940.2134010793434, 197490.04769889053], 1e-6),
    "density_slope": ([-0.8071176841177713, -1.6572745551413035, -1.785718984937739, -1.8748258375248334], 1e-6),
}
CENTRE = {
    "hole_mass": 7.95364e36,
    "star_mass": 1.98841e30,
    "velocity_dispersion": 75000.0,
    "star_density": 1.3614708763986148e-45,
    "coulomb_logarithm": 15.0,
    "sink_energy": 100.0,
    "energies": (0.1, 1.0, 10.0, 70.0),
    "radii": (3.0, 0.3, 0.03),
}
CENTRE_FOUND = {
    "star_flux": (0.0751236566315223, 1e-6),
    "consumption_rate": (1.3640336489861553e-12, 1e-6),
    "profile": ([1.0973232394111736, 1.6540419433986528, 3.6794157303077135, 4.274727993498461], 1e-6),
    "slope": ([0.0842334783134233, 0.2727937141697094, 0.4056535683585142, -1.625042688113354], 2e-5),
    "density": ([1.3922069173070108, 10.27124102674448, 563.4696891288202], 1e-6),
    "density_slope": ([-0.32518973889667185, -1.4640539252234621, -1.8394548079298656], 1e-6),
}


def _against(case: dict[str, Any], expected: dict[str, tuple[Any, float]]) -> Callable[[Run], list[Comparison]]:
    def compare(run: Run) -> list[Comparison]:
        found = run(**case).answers
        return [Comparison(found[name], np.asarray(value), rtol) for name, (value, rtol) in expected.items()]

    return compare


def _fluxes(run: Run) -> list[Comparison]:
    known = {1e2: 7.512, 1e3: 8.597, 1e4: 8.911, 1e5: 8.995, 1e6: 9.016}
    # Four digits are printed: half a unit of the last one is allowed.
    return [
        Comparison(run(sink_energy=x, energies=(1.0,)).answers["scaled_flux"], value, 0.0, 5.1e-4)
        for x, value in known.items()
    ]


def _constant(run: Run) -> list[Comparison]:
    found = run(sink_energy=1e6)
    flow = np.asarray(found.solution.along("stars"))
    g = np.asarray(found.solution["stars"])
    imbalance = np.asarray(found.solution.along("flow"))
    return [
        Comparison(flow, np.full_like(flow, flow.mean()), 1e-8),
        Comparison(imbalance, np.zeros_like(imbalance), 0.0, 1e-12),
        Comparison(float(np.min(g[:-1]) > 0.0), 1.0, 0.0),
    ]


def _power_law(run: Run) -> list[Comparison]:
    far = run(sink_energy=1e12, energies=(1e5,), radii=(1e-5,)).answers
    return [
        Comparison(far["slope"][0], 0.25, 1e-3),
        Comparison(far["density_slope"][0], -1.75, 1e-3),
        Comparison(far["scaled_flux"], 9.0235, 1e-3),
    ]


def _light(run: Run) -> list[Comparison]:
    # Heavy stars that dominate keep the 7/4 law; light ones follow g = x^(m / 4 m_heavy).
    case = {"sink_energy": 1e10, "energies": (1e3,), "radii": (1e-4,)}
    found = []
    for light in (0.5, 0.01):
        a = run(masses=(light, 1.0), abundances=(1e-6, 1.0), **case).answers
        found += [
            Comparison(a["slope"][0], light / 4.0, 2e-3),
            # Less steeply bound stars at the same radius die out slowly for a flat g.
            Comparison(a["density_slope"][0], -1.5 - light / 4.0, 1e-2),
            Comparison(a["density_slope_2"][0], -1.75, 1e-3),
        ]
    return found


def _scaling(run: Run) -> list[Comparison]:
    # Encounters are in pairs: C times the stars, C squared times the flux, in a time shorter by C.
    one, other = run(), run(abundances=(2.7,))
    a, b = one.answers, other.answers
    return [
        Comparison(b["star_flux"], 2.7**2 * a["star_flux"], 1e-9),
        Comparison(np.asarray(b["profile"]), 2.7 * np.asarray(a["profile"]), 1e-9),
        Comparison(b["relaxation_time"], a["relaxation_time"] / 2.7, 1e-6),
    ]


def _same_mass(run: Run) -> list[Comparison]:
    # Two kinds of one mass are one kind.
    one, two = run().answers, run(masses=(1.0, 1.0), abundances=(0.3, 0.7)).answers
    return [
        Comparison(two["star_flux"] + two["star_flux_2"], one["star_flux"], 1e-9),
        Comparison(np.asarray(two["profile"]) / 0.3, np.asarray(one["profile"]), 1e-9),
        # Beside the swing of the whole there is now a slower one of the mixture.
        Comparison(float(two["relaxation_time"] > one["relaxation_time"]), 1.0, 0.0),
    ]


def _order(run: Run) -> Comparison:
    off = [abs(float(run(cells=n).answers["star_flux"]) / 0.0008911474789249132 - 1.0) for n in (201, 401)]
    return Comparison(np.log2(off[0] / off[1]), 4.0, 0.0, 0.3)


CLAIMS = (
    Claim("Q x_D at five sinks", "independent reference computation of Bahcall and Wolf's equation", _fluxes),
    Claim("a cusp as in M15", "independent reference computation", _against(M15, M15_FOUND)),
    Claim(
        "a wide sink, as in the Galactic centre", "independent reference computation", _against(CENTRE, CENTRE_FOUND)
    ),
    Claim("the flux is the same through 14 decades of energy, and g positive", "conservation", _constant),
    Claim("far from the sink g ~ x^(1/4), n ~ r^(-7/4)", "Bahcall and Wolf 1976", _power_law),
    Claim("light stars among heavy ones: n ~ r^(-3/2 - m/4m')", "Bahcall and Wolf 1977; Keshet et al. 2009", _light),
    Claim("flux and time follow the square and the inverse of the density", "encounters in pairs", _scaling),
    Claim("two kinds of one mass are one kind", "limit", _same_mass),
    Claim("fourth order in the step of the energy axis", "order of the discretisation", _order),
)
