"""What reversible reactions must fulfil: rate laws, detailed balance, spanning trees, and chance within its errors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from steadyflux.ground.constants import R
from steadyflux.systems.system import Claim, Comparison, Result

TWO_STEPS = {"forward": (1.0, 0.12), "reverse": (0.15, 0.05), "ends": (1.0, 0.0)}
FOUR_STEPS = {"forward": (5.0, 80.0, 0.3, 2.0), "reverse": (4.0, 200.0, 0.01, 1.0), "ends": (2.0, 0.3)}
SLOW_ENZYME = {"binding": 4e3, "unbinding": 50.0, "turnover": 9.0, "product_binding": 1e3, "enzyme_total": 2e-5}
SLOW_ENZYME |= {"substrate": 0.01, "product": 0.04}
SQUARE = (0, 1.0, 0, 4.0, 2.0, 0, 3.0, 0, 0, 0.5, 0, 1.0, 0.1, 0, 6.0, 0)


def _reference(run: Callable[..., Result]) -> list[Comparison]:
    # Independent reference computation in exact rational arithmetic: pathways, enzymes (in mol/m^3), driven cycles.
    a, b = run(**TWO_STEPS).answers, run(**FOUR_STEPS, temperature=310.15).answers
    c = run(network="enzyme").answers
    d = run(network="enzyme", temperature=310.15, **SLOW_ENZYME).answers
    e, f = run(network="cycle").answers, run(network="cycle", rate_matrix=SQUARE, temperature=310.15).answers
    return [
        Comparison([*a["net"], a["entropy_production"]], [4 / 9, 4 / 9, 2.1720578901233925], 1e-10),
        Comparison([*a["control_coefficients"], b["net"][0]], [4 / 9, 5 / 9, 0.28798842257597684], 1e-10),
        Comparison(b["concentrations"][1:4], [2.428002894356006, 0.9697612156295224, 0.2939942112879884], 1e-10),
        Comparison(b["control_coefficients"][1:3], [0.001447178002894356, 0.964785335262904], 1e-9),
        Comparison(b["entropy_production"], 12.686656548439764, 1e-10),
        Comparison([c["net"][0], c["overall_forward"]], [0.08287292817679558, 0.0994475138121547], 1e-10),
        Comparison(c["entropy_production"], 1.2346008669297309, 1e-10),
        Comparison([d["net"][0], d["overall_gamma"]], [-2.3597122302158275e-4, 5.555555555555555], 1e-10),
        Comparison(e["concentrations"], [0.2490842490842491, 0.3636839351125065, 0.3872318158032444], 1e-10),
        Comparison(e["entropy_production"], 1.5834672426719107 * R, 1e-10),
        Comparison(e["cycle_affinities"][0], 3.470190253149107 * R * 298.15, 1e-10),
        Comparison(f["cycle_fluxes"][0], -0.1267040898155574, 1e-10),
        Comparison(f["entropy_production"], 0.5552206962938838 * R, 1e-10),
    ]


def _published(run: Callable[..., Result]) -> list[Comparison]:
    a = run(forward=(0.15, 0.05), reverse=(0.12, 0.0), ends=(1.0, 0.0)).answers
    return [
        Comparison(a["net"], [3 / 68, 3 / 68], 1e-11),
        Comparison(a["control_coefficients"], [5 / 17, 12 / 17], 1e-10),
    ]


def _affinity(run: Callable[..., Result]) -> list[Comparison]:
    # The engine's entropy production, from chemical potentials and drives, against the rates alone.
    found = []
    for given in (FOUR_STEPS, {"network": "enzyme"}, {"network": "cycle"}, {"network": "reactions"}):
        a = run(**given).answers
        f, r, affinity = (np.array(a[name]) for name in ("forward", "reverse", "affinity"))
        found.append(Comparison(affinity, R * 298.15 * np.log(f / r), 1e-10, 1e-8))
        found.append(Comparison(a["entropy_production"], float(R * (f - r) @ np.log(f / r)), 1e-9))
        schnakenberg = float(np.dot(a["cycle_fluxes"], a["cycle_affinities"])) / 298.15
        found.append(Comparison(a["entropy_production"], schnakenberg, 1e-9))
    return found


def _closed(run: Callable[..., Result]) -> list[Comparison]:
    k_f, k_r = (3.0, 0.5, 2.0), (0.7, 0.2, 9.0)
    a = run(vessel="closed", forward=k_f, reverse=k_r, ends=(1.0, 0.4))
    share = np.cumprod([1.0, *np.divide(k_f, k_r)])
    b = run(vessel="closed", network="reactions").answers["concentrations"]
    return [
        Comparison(a.answers["concentrations"], 1.4 * share / share.sum(), 1e-10),
        Comparison(a.answers["gamma"], [1.0, 1.0, 1.0], 1e-10),
        Comparison(float(a.solution.regime == "equilibrium"), 1.0, 0.0),
        Comparison([b[1] / b[0] ** 2, b[0] + 2 * b[1]], [5.0, 5.0], 1e-10),
    ]


def _haldane(run: Callable[..., Result]) -> list[Comparison]:
    # v = (V_f S/K_s - V_r P/K_p) E/(1 + S/K_s + P/K_p), with V_f K_p / (V_r K_s) the equilibrium constant.
    found = []
    for s, p in ((0.02, 0.0), (0.4, 3.0), (1e-4, 7.0)):
        k_s, k_p = (300.0 + 120.0) / 1e4, (300.0 + 120.0) / 200.0
        v = 1e-3 * (120.0 * s / k_s - 300.0 * p / k_p) / (1.0 + s / k_s + p / k_p)
        a = run(network="enzyme", substrate=s, product=p).answers
        found.append(Comparison(a["net"], [v, v], 1e-10))
    balanced = run(network="enzyme", substrate=0.1, product=0.1 * 20.0).answers
    return [*found, Comparison(balanced["overall_gamma"], 1.0, 1e-10)]


def _trees(run: Callable[..., Result]) -> list[Comparison]:
    # King and Altman 1956: populations in proportion to sums over spanning trees, here the minors of the rate matrix.
    w = np.random.default_rng(4).uniform(0.1, 5.0, (4, 4))
    np.fill_diagonal(w, 0.0)
    laplacian = np.diag(w.sum(axis=1)) - w
    trees = [np.linalg.det(np.delete(np.delete(laplacian, i, 0), i, 1)) for i in range(4)]
    a = run(network="cycle", rate_matrix=tuple(w.ravel())).answers
    return [Comparison(a["concentrations"], np.array(trees) / np.sum(trees), 1e-10)]


def _sampled(run: Callable[..., Result]) -> list[Comparison]:
    found = []
    for given in (
        {"forward": (1.0, 0.12), "reverse": (0.15, 0.05), "sampled_molecules": 300},
        FOUR_STEPS | {"sampled_molecules": 2000, "sampled_runs": 100, "seed": 3},
        {"network": "cycle", "sampled_molecules": 60},
        {
            "network": "enzyme",
            "sampled_molecules": 400_000,
            "enzyme_total": 0.02,
            "sampled_time": 0.05,
            "sampled_runs": 50,
        },
    ):
        a = run(**given).answers
        error = np.array(a["sampled_net_error"])
        found.append(Comparison((np.array(a["sampled_net"]) - np.array(a["net"])) / error, 0.0 * error, 0.0, 4.0))
        error = np.array(a["sampled_errors"])
        off = (np.array(a["sampled_concentrations"]) - np.array(a["concentrations"])) / np.where(error > 0, error, 1.0)
        found.append(Comparison(off, 0.0 * error, 0.0, 4.0))
        counts = np.array(a["sampled_counts"])
        # Counts of walkers that wander to and fro may scatter by more than Poisson numbers do.
        spread = 4.0 * R * 298.15 * np.sqrt((2.0 / counts).sum(axis=1))
        temperature = given.get("temperature", 298.15)
        off = np.array(a["sampled_affinity"]) - np.array(a["affinity"])
        found.append(Comparison(off / (spread * temperature / 298.15), 0.0 * off, 0.0, 1.0))
    return found


CLAIMS = (
    Claim("pathways, enzymes and driven cycles", "independent reference computation", _reference),
    Claim("a two-step pathway: J = .0441176, control .294118 and .705882", "published example", _published),
    Claim("affinity is -RT ln Gamma; entropy adds up over steps and over cycles", "De Donder; Schnakenberg", _affinity),
    Claim("closed, every step is in detailed balance", "thermodynamics", _closed),
    Claim("the enzyme's rate law and Haldane's relation", "Haldane 1930", _haldane),
    Claim("sampled rates, affinities and concentrations within 4 standard errors", "law of large numbers", _sampled),
    Claim("populations follow from spanning trees", "King and Altman 1956", _trees),
)
