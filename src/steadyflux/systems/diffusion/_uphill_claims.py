"""Claims of the system uphill_alloy: matrix error functions, Darken's steels, the second law, limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import erf

from steadyflux.ground.constants import R
from steadyflux.ground.errors import InputError
from steadyflux.systems.system import Claim, Comparison, Result

Run = Callable[..., Result]

DARKEN = {
    "flux_a_at_joint": 5.32470010179315e-10,
    "flux_b_at_joint": 4.850807442428388e-10,
    "peak_a": 0.5723988441807872,
    "peak_position_a": 0.00162469531743213,
    "trough_a": 0.3466011558192128,
    "trough_position_a": -0.00162469531743213,
}
COPPER: dict[str, Any] = {
    "d_aa": 3e-14,
    "d_ab": 1.3e-14,
    "d_ba": 5e-15,
    "d_bb": 1e-14,
    "left_a": 0.2,
    "left_b": 0.45,
    "right_a": 0.35,
    "right_b": 0.05,
    "time": 172800.0,
}
COPPER_FOUND = {
    "flux_a_at_joint": -4.083293413580834e-12,
    "flux_b_at_joint": 2.395125200288946e-11,
    "peak_a": 0.3574653125467547,
    "peak_position_a": 0.00011008633715219832,
    "trough_a": 0.19253468745324537,
    "zero_flux_plane": 4.9830685121419635e-05,
}


def erf_profiles(d: np.ndarray, left: np.ndarray, right: np.ndarray, x: np.ndarray, t: float) -> np.ndarray:
    """Concentrations of a step couple of constant D by its eigenvectors, (solute, place)."""
    values, vectors = np.linalg.eig(d)
    half = np.linalg.solve(vectors, 0.5 * (right - left))
    parts = half[:, None] * erf(x / (2.0 * np.sqrt(values[:, None] * t)))
    return 0.5 * (left + right)[:, None] + vectors @ parts


def _reference(run: Run) -> list[Comparison]:
    comparisons = []
    for given, expected in (({}, DARKEN), (COPPER, COPPER_FOUND)):
        found = run(**given).answers
        comparisons.append(Comparison(float(found["uphill"]), 1.0, 0.0))
        comparisons += [Comparison(found[name], value, 5e-5) for name, value in expected.items()]
    return comparisons


def _profile(run: Run) -> list[Comparison]:
    comparisons = []
    for given in ({}, COPPER):
        found = run(**given)
        p, end = found.parameters, found.history.end
        d = np.array([[p.d_aa, p.d_ab], [p.d_ba, p.d_bb]])
        z = np.asarray(end.position())
        ends = (np.array([p.left_a, p.left_b]), np.array([p.right_a, p.right_b]))
        exact = erf_profiles(d, *ends, z, p.time)
        for i, name in enumerate(("A", "B")):
            comparisons.append(Comparison(np.asarray(end[name]), exact[i], 0.0, 2e-5 * np.ptp(exact[i])))
    return comparisons


def _darken(run: Run) -> list[Comparison]:
    """Darken 1949, from memory: carbon at the weld about 0.32 and 0.59 mass percent; here typical diffusivities."""
    found = run().answers
    return [Comparison(found["trough_a"], 0.32, 0.0, 0.04), Comparison(found["peak_a"], 0.59, 0.0, 0.04)]


def _finite(run: Run) -> list[Comparison]:
    """Short bars: along each eigenvector the cosine series of two sealed bars."""
    length, t = 4e-5, 3e4
    found = run(**{**COPPER, "half_length": length, "time": t})
    z = np.asarray(found.history.end.position())
    d = np.array([[3e-14, 1.3e-14], [5e-15, 1e-14]])
    left, right = np.array([0.2, 0.45]), np.array([0.35, 0.05])
    values, vectors = np.linalg.eig(d)
    half = np.linalg.solve(vectors, 0.5 * (left - right))
    n = np.arange(1, 400, 2)[:, None, None]
    decay = np.exp(-((n * np.pi / (2.0 * length)) ** 2) * values[:, None] * t)
    waves = 4.0 / (n * np.pi) * np.sin(n * np.pi / 2.0) * decay * np.cos(n * np.pi * (z + length) / (2.0 * length))
    exact = 0.5 * (left + right)[:, None] + vectors @ (half[:, None] * waves.sum(axis=0))
    return [Comparison(np.asarray(found.history.end[name]), exact[i], 0.0, 3e-5) for i, name in enumerate(("A", "B"))]


def _entropy(run: Run) -> Comparison:
    """R times the integral of dc/dx . G D . dc/dx over the exact profile, by quadrature."""
    found = run(**COPPER)
    d = np.array([[3e-14, 1.3e-14], [5e-15, 1e-14]])
    g = np.asarray(found.solution.model.phase.factor)  # type: ignore[attr-defined]
    x = np.linspace(-1.2e-3, 1.2e-3, 200001)
    c = erf_profiles(d, np.array([0.2, 0.45]), np.array([0.35, 0.05]), x, 172800.0)
    slope = np.gradient(c, x, axis=1)
    return Comparison(
        found.answers["entropy_production"], R * np.trapezoid(np.sum(slope * (g @ d @ slope), axis=0), x), 1e-4
    )


def _reciprocal(run: Run) -> list[Comparison]:
    """G D is symmetric, and so is D G^-1, for the factor that counts the entropy; both are positive."""
    comparisons = []
    for given in ({}, COPPER, {**COPPER, "d_ab": -2e-15}):
        p = run(**given, cells=40)
        d = np.array([[getattr(p.parameters, f"d_{i}{j}") for j in "ab"] for i in "ab"])
        g = np.asarray(p.solution.model.phase.factor)  # type: ignore[attr-defined]
        product = g @ d
        size = np.sqrt(product[0, 0] * product[1, 1])
        comparisons += [
            Comparison(product[0, 1] / size, product[1, 0] / size, 0.0, 1e-9),
            Comparison(float(min(np.linalg.eigvalsh(one)[0] for one in (g, product + product.T)) > 0), 1.0, 0.0),
        ]
    return comparisons


def _refused(run: Run) -> list[Comparison]:
    comparisons = []
    for given, reason in (
        ({"d_ab": 2e-11, "d_ba": 2e-12}, "second law"),
        ({"d_aa": 1e-13, "d_bb": 1e-13, "d_ab": 1e-13, "d_ba": -1e-13}, "complex"),
        ({"d_aa": 1e-13, "d_bb": 1e-13, "d_ab": 1e-13}, "one eigenvector"),
        ({"mode": "mobility", "interaction_bb": -60.0}, "spinodal"),
    ):
        try:
            run(**given, cells=40)
            said = ""
        except InputError as error:
            said = str(error)
        comparisons.append(Comparison(float(reason in said), 1.0, 0.0))
    return comparisons


def _alone(run: Run) -> list[Comparison]:
    """Without cross terms each solute obeys Fick, and nothing goes uphill."""
    found = run(d_ab=0.0)
    a = found.answers
    return [
        Comparison(a["flux_a_at_joint"], np.sqrt(4.8e-11 / (np.pi * 1123200.0)) * 0.5 * (0.478 - 0.441), 2e-5),
        Comparison(float(a["uphill"]), 0.0, 0.0),
        Comparison(float(np.isnan(a["peak_a"])), 1.0, 0.0),
    ]


def _mobility(run: Run) -> list[Comparison]:
    """Mobility times factor: weak steps obey the matrix of their mean; without interactions Fick."""
    a, b, e = 0.46, 1.9, 15.4
    step = {"left_a": a, "right_a": a, "left_b": b + 5e-3, "right_b": b - 5e-3}
    found = run(mode="mobility", **step).answers
    d = {"d_ab": 4.8e-11 * a * e / 100.0, "d_ba": 2.3e-13 * b * e / 100.0}
    linear = run(**step, **d).answers
    free = run(mode="mobility", interaction_ab=0.0).answers
    return [
        Comparison(found["flux_a_at_joint"], linear["flux_a_at_joint"], 1e-4),
        Comparison(found["flux_b_at_joint"], linear["flux_b_at_joint"], 1e-4),
        Comparison(found["peak_a"] - a, linear["peak_a"] - a, 1e-3),
        Comparison(free["flux_b_at_joint"], np.sqrt(2.3e-13 / (np.pi * 1123200.0)) * 0.5 * 3.8, 5e-5),
    ]


def _kept(run: Run) -> list[Comparison]:
    found = run(half_length=5e-3, cells=200)
    return [Comparison(float(found.history.ledger[name].relative), 0.0, 0.0, 1e-12) for name in ("A", "B")]


def _order(run: Run) -> Comparison:
    off = [run(**COPPER, cells=n).answers["peak_a"] - COPPER_FOUND["peak_a"] for n in (100, 200)]
    return Comparison(np.log2(off[0] / off[1]), 2.0, 0.0, 0.25)


CLAIMS = (
    Claim("Fe-C-Si and Cu-Ni-Zn", "independent reference computation", _reference),
    Claim("profiles of a step couple", "error functions along the eigenvectors", _profile),
    Claim("carbon beside Darken's weld", "Darken 1949", _darken),
    Claim("short bars", "closed form, cosine series along the eigenvectors", _finite),
    Claim("entropy produced", "quadrature over the closed profile", _entropy),
    Claim("reciprocal and positive, whatever the sign of d_ab", "Onsager 1945", _reciprocal),
    Claim("what the second law forbids is refused, and why", "Kirkaldy et al. 1963", _refused),
    Claim("no cross term, nothing uphill", "closed form, Fick", _alone),
    Claim("mobility times thermodynamic factor", "Darken 1949; limit of weak steps", _mobility),
    Claim("nothing is lost", "conservation", _kept),
    Claim("second order in the step", "observed on two meshes against the reference", _order),
)
