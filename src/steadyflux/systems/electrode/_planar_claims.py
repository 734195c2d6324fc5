"""What the planar electrode is held against: steps, sweeps and limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from steadyflux.ground.constants import FARADAY
from steadyflux.systems.electrode._waves import thermal
from steadyflux.systems.system import Claim, Comparison, Result, Values

Run = Callable[..., Result]

# The numbers of the system's default couple that scale a voltammogram.
COUPLE = {"electrons": 1.0, "area": 7.07e-6, "diffusivity_o": 7.2e-10, "E0": 0.36, "scan_rate": 0.1}
COUPLE["temperature"] = 298.15

# Independent reference computations: closed forms, and for the sweeps the integral equation of Nicholson and Shain.
FERRICYANIDE: dict[str, Any] = {}
SLOW: dict[str, Any] = {
    "electrons": 2,
    "area": 1e-4,
    "diffusivity_o": 1.1e-9,
    "diffusivity_r": 6e-10,
    "bulk_o": 5.0,
    "bulk_r": 2.0,
    "radius": 2e-4,
    "layer_thickness": 2e-4,
    "times": (0.1, 10.0, 600.0),
    "temperature": 310.0,
    "scan_rate": 0.02,
}
STEPS = (
    (
        FERRICYANIDE,
        {"kf": 2e-5, "kb": 1e-6},
        {
            "limited": (1.0326948751224939e-04, 1.032694875122494e-05, 2.3091759407895527e-06),
            "rates": (1.2515269059876082e-05, 6.749099931982457e-06, 2.1152377850209906e-06),
            "sphere": (4.143046547504244e-04, 4.2608986744968784e-05, 1.0544321195500292e-05),
            "layer": (1.0326948751224939e-04, 9.685706591749718e-06, 1.321234746702421e-11),
            "charge": (2.0653897502449874e-06, 2.065389750244988e-05, 9.236703763158211e-05),
            "diffusion_layer": (4.755992757127213e-06, 4.755992757127213e-05, 2.1269446210866192e-04),
        },
    ),
    (
        SLOW,
        {"kf": 4e-7, "kb": 3e-6},
        {
            "limited": (5.709297875251572e-03, 5.709297875251573e-04, 7.370671863128911e-05),
            "rates": (-7.361817179702094e-05, -5.0636421728061016e-05, -1.2675698150177972e-05),
            "sphere": (3.1365496192358145e-05, 5.53724109501169e-06, 3.0379253503199337e-06),
            "layer": (5.709297875251572e-03, 5.408446436521476e-04, 2.212104912394695e-21),
            "charge": (1.1418595750503145e-03, 1.1418595750503144e-02, 8.844806235754692e-02),
            "diffusion_layer": (1.858965281802964e-05, 1.8589652818029640e-04, 1.4399483155201312e-03),
        },
    ),
)


def _steps(run: Run) -> list[Comparison]:
    found = []
    for case, rates, expected in STEPS:
        limited = run(**case).answers
        found += [
            Comparison(limited["current_at"], np.array(expected["limited"]), 1e-4),
            Comparison(limited["charge_at"], np.array(expected["charge"]), 1e-4),
            Comparison(limited["diffusion_layer"], np.array(expected["diffusion_layer"]), 1e-4),
            Comparison(run(**case, **rates).answers["current_at"], np.array(expected["rates"]), 1e-4),
        ]
        for geometry in ("sphere", "layer"):
            measured = run(**case, geometry=geometry).answers["current_at"]
            found.append(Comparison(measured, np.array(expected[geometry]), 1e-4))
    return found


def sweep(p: Values, rate: float, alpha: float, switch: float, **more: Any) -> dict[str, Any]:
    """A cyclic sweep of two equally fast species stated in the measures of Nicholson and Shain.

    ``rate`` is k0 / sqrt(D n F v / R T); ``switch`` the switching potential in R T / n F from E0.
    """
    k0 = rate * np.sqrt(p.diffusivity_o * p.scan_rate / thermal(p))
    turn = {"switch_potential": p.E0 - switch * thermal(p), "start_potential": p.E0 + 15.0 * thermal(p)}
    return (
        {"waveform": "cyclic", "k0": k0, "alpha": alpha, "diffusivity_r": p.diffusivity_o, "bulk_r": 0.0} | turn | more
    )


def scaled(result: Result) -> dict[str, float]:
    """Peaks of a sweep in the measures of Nicholson and Shain: i / (n F A c sqrt(D n F v / R T)) and R T / n F."""
    p, a = result.parameters, result.answers
    unit = p.electrons * FARADAY * p.area * p.bulk_o * np.sqrt(p.diffusivity_o * p.scan_rate / thermal(p))
    return {
        "forth": a["peak_current"] / unit,
        "at": (a["peak_potential"] - p.E0) / thermal(p),
        "back": -a["reverse_peak_current"] / unit,
        "separation": a["peak_separation"] / thermal(p),
    }


SWEEPS = (
    (
        FERRICYANIDE,
        (0.88622692545, 0.5, 5.49),
        (0.4035822460455859, -2.0964404412103654, 0.23762521539755274, 4.058573096617226),
    ),
    (SLOW, (0.05, 0.35, 14.0), (0.29547211728970624, -9.27733087615527, 0.209893404311482, 14.515274955939905)),
)


def _sweeps(run: Run) -> list[Comparison]:
    found = []
    for case, measures, expected in SWEEPS:
        p = Values({**COUPLE, **case})
        measured = scaled(run(**{**case, **sweep(p, *measures)}))
        found.append(Comparison(np.array(list(measured.values())), np.array(expected), 1e-4))
    return found


def _reversible(run: Run) -> list[Comparison]:
    """The forward peak does not know how fast the product leaves; the half-wave potential does."""
    found = []
    for D in (6.7e-10, 7.2e-9):
        result = run(waveform="linear", diffusivity_r=D)
        p, a = result.parameters, result.answers
        unit = FARADAY * p.area * np.sqrt(p.diffusivity_o * p.scan_rate / thermal(p))
        shift = 0.5 * np.log(D / p.diffusivity_o)
        found += [
            Comparison(a["peak_current"], 0.4462946948449911 * unit, 1e-4),
            Comparison((a["peak_potential"] - p.E0) / thermal(p) - shift, -1.1089492273920334, 3e-4),
        ]
    return found


# psi = rate / sqrt(pi): separation as printed in 1965 (mV) and as computed anew from the same integral equation.
NICHOLSON = ((20.0, 61, 60.2), (7.0, 63, 62.6), (4.0, 66, 65.3), (1.0, 84, 83.1))
NICHOLSON += ((0.5, 105, 104.3), (0.25, 141, 139.7), (0.1, 212, 210.7))


def _nicholson(run: Run) -> list[Comparison]:
    p, found = Values(COUPLE), []
    for psi, printed, anew in NICHOLSON:
        millivolts = 1e3 * run(**sweep(p, psi * np.sqrt(np.pi), 0.5, 5.49)).answers["peak_separation"]
        found += [Comparison(millivolts, printed, 0.0, 1.6), Comparison(millivolts, anew, 0.0, 0.06)]
    return found


def _irreversible(run: Run) -> Comparison:
    p = Values(COUPLE)
    given = {**sweep(p, 1e-5, 0.4, 5.0), "waveform": "linear", "switch_potential": p.E0 - 45.0 * thermal(p)}
    unit = FARADAY * p.area * np.sqrt(p.diffusivity_o * p.scan_rate / thermal(p))
    return Comparison(run(**given).answers["peak_current"], 0.4958 * np.sqrt(0.4) * unit, 1.5e-4)


def _constant(run: Run) -> list[Comparison]:
    times = np.geomspace(1e-4, 1e4, 9)
    a = run(times=tuple(times), diffusivity_o=2.3e-9, bulk_o=0.4).answers
    product = a["current_at"] * np.sqrt(times)
    expected = FARADAY * 7.07e-6 * 0.4 * np.sqrt(2.3e-9 / np.pi)
    return [
        Comparison(product, np.full(9, expected), 1e-4),
        Comparison(a["current_exponent"], -0.5, 1e-4),
        Comparison(float(a["steady"]), 0.0, 0.0),
    ]


def _contrast(run: Run) -> list[Comparison]:
    """A sphere ends in a steady state, a layer in rest with all its reactant spent."""
    ball = run(geometry="sphere", radius=1e-6, times=(1e-3, 1.0, 1e7))
    layer = run(geometry="layer", layer_thickness=2e-6, times=(1e-4, 1e-2, 0.2))
    p = ball.parameters
    return [
        Comparison(ball.answers["current_at"][-1], 4.0 * np.pi * FARADAY * p.diffusivity_o * 1e-6, 2e-5),
        Comparison(float(ball.answers["steady"]), 1.0, 0.0),
        Comparison(layer.answers["charge_at"][-1], FARADAY * p.area * 2e-6, 1e-4),
    ]


def _closed(run: Run) -> list[Comparison]:
    """What is reduced is there as product, and the run's ledger closes."""
    ledger = run(waveform="cyclic", k0=3e-5).history.ledger
    return [
        Comparison(ledger["O"].places["electrode"], -ledger["R"].places["electrode"], 1e-9),
        Comparison(max(entry.relative for entry in ledger.values()), 0.0, 0.0, 1e-10),
    ]


def _order(run: Run) -> Comparison:
    exact = STEPS[0][2]["limited"][1]
    coarse, fine = (abs(run(mesh_growth=g).answers["current_at"][1] / exact - 1.0) for g in (0.08, 0.04))
    return Comparison(np.log2(coarse / fine), 2.0, 0.0, 0.1)


CLAIMS = (
    Claim("steps: limited, with rates, at a sphere and in a layer", "independent reference computation", _steps),
    Claim("i sqrt(t) is the same over eight decades", "Cottrell 1903", _constant),
    Claim("sweeps agree with the integral equation", "independent reference computation", _sweeps),
    Claim(
        "reversible peak 0.4463 at 28.5 mV / n past the half-wave potential", "Randles 1948; Sevcik 1948", _reversible
    ),
    Claim("the peaks of slower couples lie further apart", "Nicholson 1965", _nicholson),
    Claim("irreversible peak 0.4958 sqrt(alpha)", "Nicholson and Shain 1964", _irreversible),
    Claim("a sphere ends in a steady current, a layer in none", "limits", _contrast),
    Claim("what is used up is made, and the ledger closes", "conservation", _closed),
    Claim("the mesh converges at second order", "observed order", _order),
)
