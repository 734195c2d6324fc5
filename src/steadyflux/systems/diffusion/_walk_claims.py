"""What the random walk must fulfil: an independent computation, chance within its errors, the limit of diffusion."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import steadyflux as sf
from steadyflux.systems.system import Claim, Comparison, Result

# Independent reference computation (master equation, ruin formulas), SI: parameters, then what must come out.
FIRST = (
    {
        "hop_probability": 0.2,
        "spacing": 2.5e-10,
        "time_step": 1e-9,
        "sites": 100,
        "left_number": 500.0,
        "right_number": 50.0,
        "bond": 37,
        "sampled_steps": 1000,
        "steps": 400,
        "start_site": 30,
    },
    {
        "diffusivity": 6.250000000000001e-12,
        "occupation_mid": 275.0,
        "flux_exact": 449999999.99999994,
        "bond_mean": 0.45,
        "bond_variance": 66.25,
        "transfer_variance_per_step": 0.55,
        "relative_error": 0.0016480441082434808 * np.sqrt(1000.0),
        "variance": 5e-18,
        "kurtosis_excess": 0.004999999999999998,
        "return_probability": 0.0446311999262615,
        "return_gaussian": 0.044603102903819275,
        "exit_right": 0.3,
        "exit_time": 1.0500000000000001e-05,
        "survival": 0.9991771642360788,
        "decay_rate": 98692.79682749664,
        "decay_rate_continuum": 98696.04401089357,
    },
)
SECOND = (
    {
        "hop_probability": 0.9,
        "spacing": 1e-6,
        "time_step": 1e-3,
        "sites": 12,
        "left_number": 10.0,
        "right_number": 0.0,
        "bond": 0,
        "sampled_steps": 1000,
        "steps": 60,
        "start_site": 5,
        "walkers": 2000.0,
    },
    {
        "diffusivity": 4.4999999999999995e-10,
        "occupation_mid": 5.0,
        "flux_exact": 375.0,
        "bond_mean": 0.3750000000000003,
        "bond_variance": 8.625,
        "transfer_variance_per_step": 0.375,
        "relative_error": 0.011547005383792514 * np.sqrt(20.0),
        "variance": 5.3999999999999994e-11,
        "kurtosis_excess": -0.031481481481481485,
        "return_probability": 0.054075940433827796,
        "return_gaussian": 0.05428916798921333,
        "exit_right": 0.4166666666666667,
        "exit_time": 0.03888888888888889,
        "survival": 0.1886904250620568,
        "decay_rate": 31.146821506990804,
        "decay_rate_continuum": 30.842513753404237,
    },
)


def _reference(run: Callable[..., Result]) -> list[Comparison]:
    found = []
    for given, expected in (FIRST, SECOND):
        measured = run(**given).answers
        found += [Comparison(measured[name], value, 1e-8) for name, value in expected.items()]
    return found


def _sampled(run: Callable[..., Result]) -> list[Comparison]:
    found = []
    for given in (
        {},
        {"left": "source", "right": "absorbing", "seed": 5},
        {"left": "reflecting", "right": "held", "sites": 30, "seed": 2},
        {"sites": 20, "hop_probability": 1.0, "bias": 0.1, "seed": 3},
    ):
        a = run(**given).answers
        found.append(Comparison(a["flux_sampled"], a["flux_exact"], 0.0, 4.0 * a["flux_error"]))
        error = np.array(a["profile_error"])
        off = (np.array(a["profile_sampled"]) - np.array(a["profile"])) / np.where(error > 0, error, 1.0)
        found.append(Comparison(float(np.sqrt(np.mean(off[error > 0] ** 2))), 1.0, 0.0, 0.5))
        found.append(Comparison(a["diffusivity_measured"], a["diffusivity"], 0.0, 4.0 * a["diffusivity_error"]))
    return found


def _einstein(run: Callable[..., Result]) -> list[Comparison]:
    a = run(hop_probability=0.37, spacing=3e-7, time_step=2e-4).answers
    return [Comparison(a["diffusivity"], 0.37 * 3e-7**2 / (2.0 * 2e-4), 1e-12)]


def _fick(run: Callable[..., Result]) -> list[Comparison]:
    # The continuum on its own mesh: c = N / l per length (of area 1 m^2), held at both ends.
    a = run(sites=24, left_number=310.0, right_number=85.0).answers
    length, D = 24 * 0.25e-9, 6.25e-12
    medium = sf.Model(
        sf.interval(length, cells=7),
        [sf.Species("c")],
        [sf.Fick("c", D)],
        [sf.Hold("left", {"c": 310.0 / 0.25e-9}), sf.Hold("right", {"c": 85.0 / 0.25e-9})],
    )
    there = sf.steady(medium)
    coarse = np.interp(np.array(a["position"]), np.asarray(there.position()), np.asarray(there["c"]))
    return [
        Comparison(a["flux_exact"], float(there.flow("c", "left")), 1e-11),
        Comparison(np.array(a["profile"]) / 0.25e-9, coarse, 1e-11),
    ]


def _square_root(run: Callable[..., Result]) -> list[Comparison]:
    few, many = (run(walkers=n, groups=400, sampled_steps=200, sites=20).answers for n in (2e4, 2e6))
    return [
        Comparison(few["flux_error"] / many["flux_error"], 10.0, 0.2),
        Comparison(few["diffusivity_error"] / many["diffusivity_error"], 10.0, 0.2),
    ]


def _continuum(run: Callable[..., Result]) -> list[Comparison]:
    off = []
    for sites in (16, 32):
        a = run(sites=sites, spacing=1e-6 / sites, walkers=100).answers
        off.append(a["decay_rate"] / a["decay_rate_continuum"] - 1.0)
    near = []
    for steps in (200, 400):
        a = run(steps=steps, walkers=100, sites=10).answers
        near.append(a["return_probability"] / a["return_gaussian"] - 1.0)
    p = 0.2
    return [
        Comparison(off[0] / off[1], 4.0, 0.02),
        Comparison(off[1], (p / 4.0 - 1.0 / 12.0) * np.pi**2 / 32**2, 0.02),
        Comparison(near[0] / near[1], 2.0, 0.02),
    ]


def _noise_alone(run: Callable[..., Result]) -> list[Comparison]:
    a = run(left_number=200.0, right_number=200.0).answers
    return [
        Comparison(a["flux_exact"], 0.0, 0.0, 1.0),
        Comparison(a["bond_variance"], 0.2 * 200.0, 1e-10),
        Comparison(a["transfer_variance_per_step"], 0.2 * 400.0 / 200.0, 1e-10),
        Comparison(a["flux_sampled"], 0.0, 0.0, 4.0 * a["flux_error"]),
    ]


CLAIMS = (
    Claim("flux, noise, free walk, exits and decay", "independent reference computation", _reference),
    Claim("sampled within 4 standard errors of the deterministic answer", "law of large numbers", _sampled),
    Claim("D = p l^2 / (2 tau)", "Einstein 1905", _einstein),
    Claim("the lattice's flux and profile are Fick's exactly", "Fick 1855, on a mesh of its own", _fick),
    Claim("the error falls as one over the square root of the walkers", "central limit", _square_root),
    Claim("as the spacing shrinks, decay tends to diffusion's at second order", "expansion of the cosine", _continuum),
    Claim("equal reservoirs carry noise and nothing else", "Poisson numbers", _noise_alone),
)
