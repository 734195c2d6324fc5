"""Ternary diffusion with a full matrix: one solute drives another up its own gradient.

Seeds: B

Two bars of an alloy with solutes A and B in a solvent are welded together and heated. Each flux feels both gradients.
Darken joined two steels of nearly the same carbon content, one of them with silicon: carbon left the silicon steel and
piled up beyond the weld, up its own gradient, because silicon raises its activity.

Equations

    matrix    J_A = -d_aa dc_A/dx - d_ab dc_B/dx,    J_B = -d_ba dc_A/dx - d_bb dc_B/dx
    mobility  J_i = -M_i dmu_i/dx, M_i = d_ii c_i / RT,   mu_i / RT = ln c_i + sum_j e_ij c_j / total_concentration
              (Wagner's interaction coefficients; the cross terms d_ab, d_ba are not used, they come out)
    dc_i/dt = -dJ_i/dx in two sealed bars of half_length each, or as good as infinite ones

The second law asks that D = L R G, with L (mobility) and G (thermodynamic factor, the second derivative of the free
energy) both symmetric and positive. Such a D has real positive eigenvalues and independent eigenvectors, whatever the
sign of d_ab: a matrix without them is refused with the reason. A constant matrix agrees with a quadratic free energy;
of those that make it reciprocal the one is taken whose diagonal is that of a dilute solution of the mean composition,
where there is one. It only serves to count the entropy.

What to look for

- `uphill`: somewhere A flows towards more A. The profile of A has a trough and a peak beside the weld though both bars
  begin flat; they move apart as the square root of time. The entropy produced is positive all the same.
- A step of A that B drives backwards has planes without a flux of A beside the weld (`zero_flux_plane`, the one to its
  right), which also move as the square root of time.

`peak_a` and `trough_a` with their positions, and `zero_flux_plane`, are nan where there is none inside. Fluxes count to
the right. Concentrations may be in any one unit; where they are mol/m^3 the entropy is in W/K for 1 m^2. The defaults
are Darken's mass percent.

Sources: L. S. Darken, Trans. AIME 180 (1949) 430 (1050 C, 13 d; values from memory, diffusivities typical); L. Onsager,
Ann. N.Y. Acad. Sci. 46 (1945) 241; J. S. Kirkaldy, D. Weichert and Zia-ul-Haq, Can. J. Phys. 41 (1963) 2166; M. A.
Dayananda and C. W. Kim, Metall. Trans. A 10 (1979) 1333 (zero-flux planes); C. Wagner, Thermodynamics of Alloys (1952).
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from scipy.interpolate import CubicSpline

import steadyflux as sf
from steadyflux.ground.constants import R
from steadyflux.ground.errors import InputError, ModelError
from steadyflux.physics.multicomponent import check_diffusivity
from steadyflux.systems.diffusion._joint import joined_nodes
from steadyflux.systems.diffusion._uphill_claims import CLAIMS
from steadyflux.systems.diffusion.radioactive_daughter import Thickness
from steadyflux.systems.system import Choice, Parameter, Result, System, Values

REACH = 6.0  # spreads 2 sqrt(D t) within which anything happens
EVEN, FINEST = 2.5, 2e-2  # of the larger spread: steps nearly even; of the smaller one: scale of the finest steps
RTOL = 2e-8
LEAST = 1e-9  # of the largest flux or step, below which a number is rounding

PARAMETERS = (
    Choice("mode", "matrix", ("matrix", "mobility")),
    Parameter("d_aa", 4.8e-11, "m^2/s", "carbon in austenite, typical value", low=-1.0, high=1.0),
    Parameter("d_ab", 3.4e-12, "m^2/s", "carbon by silicon, typical value", low=-1.0, high=1.0),
    Parameter("d_ba", 0.0, "m^2/s", "silicon hardly feels carbon", low=-1.0, high=1.0),
    Parameter("d_bb", 2.3e-13, "m^2/s", "silicon in austenite, typical value", low=-1.0, high=1.0),
    Parameter("left_a", 0.478, "mol/m^3", "Darken 1949, mass percent", low=0.0, high=1e6),
    Parameter("right_a", 0.441, "mol/m^3", "Darken 1949, mass percent", low=0.0, high=1e6),
    Parameter("left_b", 3.80, "mol/m^3", "Darken 1949, mass percent", low=0.0, high=1e6),
    Parameter("right_b", 0.0, "mol/m^3", "Darken 1949", low=0.0, high=1e6),
    Thickness("half_length", float("inf"), "m", "as good as infinite", low=1e-9, high=float("inf")),
    Parameter("time", 1123200.0, "s", "13 d, Darken 1949", low=1e-9, high=1e18),
    Parameter("total_concentration", 100.0, "mol/m^3", "mass percent", low=1e-6, high=1e6),
    Parameter("interaction_aa", 0.0, "", "mode mobility: none", low=-1e3, high=1e3),
    Parameter("interaction_ab", 15.4, "", "mode mobility: gives d_ab at the mean composition", low=-1e3, high=1e3),
    Parameter("interaction_bb", 0.0, "", "mode mobility: none", low=-1e3, high=1e3),
    Parameter("temperature", 1323.15, "K", "1050 C, Darken 1949", low=1.0, high=5000.0),
    Parameter("cells", 2400, "", "profile good to 1e-5 of the step", low=20, high=100000, whole=True),
)


class Quadratic(sf.Phase):
    """Free energy R T c.G.c / 2, about any composition: mu_i / R T = sum_j G_ij c_j."""

    factor: Any

    @property
    def whole(self) -> bool:
        """It is told whole."""
        return True

    def excess(self, c: Any, charges: Any, T: Any) -> Any:
        """The quadratic form."""
        x = jnp.stack([c["A"], c["B"]])
        return 0.5 * jnp.dot(x, self.factor @ x)


class Wagner(sf.Phase):
    """Dilute solution with interactions: ln gamma_i = sum_j e_ij c_j / total, e symmetric."""

    interactions: Any
    total: Any

    def excess(self, c: Any, charges: Any, T: Any) -> Any:
        """The quadratic form of the interactions."""
        x = jnp.stack([c["A"], c["B"]])
        return 0.5 * jnp.dot(x, self.interactions @ x) / self.total


def matrix(p: Values) -> np.ndarray:
    """Diffusivities as given, (2, 2), m^2/s."""
    return np.array([[p.d_aa, p.d_ab], [p.d_ba, p.d_bb]])


def interactions(p: Values) -> np.ndarray:
    """Wagner's coefficients, (2, 2)."""
    return np.array([[p.interaction_aa, p.interaction_ab], [p.interaction_ab, p.interaction_bb]])


def ends(p: Values) -> np.ndarray:
    """Compositions of both bars, (bar, solute)."""
    return np.array([[p.left_a, p.left_b], [p.right_a, p.right_b]])


def factor(p: Values) -> np.ndarray:
    """A thermodynamic factor that makes the given matrix reciprocal: G = sum_k g_k w_k w_k, w left eigenvectors."""
    w = np.linalg.inv(np.linalg.eig(matrix(p))[1])
    mean = ends(p).mean(axis=0)
    mean = np.maximum(mean, 1e-6 * mean.max() if mean.max() > 0 else 1.0)
    weights = np.full(2, -1.0)
    if abs(np.linalg.det(w.T**2)) > 1e-9 * np.abs(w**2).max() ** 2:
        weights = np.linalg.solve(w.T**2, 1.0 / mean)
    if np.any(weights <= 0):  # no diagonal of a dilute solution will do; any positive weights are reciprocal
        weights = 1.0 / (w**2 @ mean)
    return w.T @ (weights[:, None] * w)


def extremes(p: Values) -> np.ndarray:
    """Diffusivities along the eigenvectors, least and largest over the compositions, refused where they are no such."""
    if p.mode == "matrix":
        try:
            check_diffusivity(matrix(p))
        except ModelError as error:
            raise InputError(str(error)) from None
        values = np.real(np.linalg.eigvals(matrix(p)))
        return np.array([values.min(), values.max()])
    if min(p.d_aa, p.d_bb) <= 0:
        raise InputError("In the mode mobility d_aa and d_bb are those of each solute alone; both must be positive.")
    found = []
    low, high = ends(p).min(axis=0), 1.5 * ends(p).max(axis=0)
    for a in np.linspace(low[0], high[0], 13):
        for b in np.linspace(low[1], high[1], 13):
            c = np.array([a, b])
            d = np.diag([p.d_aa, p.d_bb]) @ (np.eye(2) + c[:, None] * interactions(p) / p.total_concentration)
            values = np.linalg.eigvals(d)
            if np.real(values).min() <= 0:
                raise InputError(
                    f"At c_A = {a:.4g}, c_B = {b:.4g} the free energy is not convex (spinodal): the alloy falls apart "
                    "into two phases there; take smaller interactions or concentrations."
                )
            found += list(np.real(values))
    return np.array([min(found), max(found)])


def mesh(p: Values) -> np.ndarray:
    """Nodes of both bars, a face between cells at the weld."""
    small, large = 2.0 * np.sqrt(extremes(p) * p.time)
    length = REACH * large if np.isposinf(p.half_length) else p.half_length
    return joined_nodes(length, length, min(length, EVEN * large), min(FINEST * small, length), p.cells)


def model(p: Values) -> sf.Model:
    """Two sealed bars welded together."""
    z = mesh(p)
    bars = ends(p)
    if p.mode == "matrix":
        law = sf.Interdiffusion(("A", "B"), diffusivity=matrix(p))
        phase: sf.Phase = Quadratic(jnp.asarray(factor(p)))
    else:
        law = sf.Interdiffusion(("A", "B"), np.array([p.d_aa, p.d_bb]) / (R * p.temperature))
        phase = Wagner(jnp.asarray(interactions(p)), p.total_concentration)
    return sf.Model(
        space=sf.interval(nodes=z),
        quantities=[sf.Species("A"), sf.Species("B")],
        laws=[law],
        phase=phase,
        temperature=p.temperature,
        start={name: np.where(z < 0, bars[0, i], bars[1, i]) for i, name in enumerate(("A", "B"))},
    )


def solve(p: Values, model: sf.Model) -> sf.History:
    """The bars from the moment when they are welded until `time`."""
    return sf.evolve(model, until=p.time, rtol=RTOL)


def answers(p: Values, history: sf.History) -> dict[str, Any]:
    """Whether and where A goes uphill, its extrema, its flux at the weld, planes without a flux, entropy."""
    end = history.end
    z, c = np.asarray(end.position()), np.asarray(end["A"])
    flux, middle = np.asarray(end.along("A")), 0.5 * (z[1:] + z[:-1])
    slope = np.diff(c) / np.diff(z)
    power = flux * slope
    nowhere = ("peak_a", "peak_position_a", "trough_a", "trough_position_a", "zero_flux_plane")
    found: dict[str, Any] = {
        **dict.fromkeys(nowhere, np.nan),
        "uphill": bool(power.max() > 1e-7 * max(np.abs(flux).max() * np.abs(slope).max(), 1e-300)),
        "flux_a_at_joint": float(flux[np.argmin(np.abs(middle))]),
        "flux_b_at_joint": float(np.asarray(end.along("B"))[np.argmin(np.abs(middle))]),
        "entropy_production": float(end.entropy.production),
        "entropy_produced": float(history.entropy_produced[-1]),
    }
    step = max(np.ptp(c), abs(p.left_a - p.right_a), 1e-300)
    for name, sign in (("peak", 1.0), ("trough", -1.0)):
        k = int(np.argmax(sign * c))
        if sign * (c[k] - (c[0] if abs(c[k] - c[0]) < abs(c[k] - c[-1]) else c[-1])) > 1e-6 * step:
            curve = CubicSpline(z[max(k - 4, 0) : k + 5], c[max(k - 4, 0) : k + 5])
            inside = [x for x in curve.derivative().roots(extrapolate=False) if abs(x - z[k]) < 2.0 * np.diff(z).max()]
            at = min(inside, key=lambda x: abs(x - z[k])) if inside else z[k]
            found |= {f"{name}_a": float(curve(at)), f"{name}_position_a": float(at)}
    plane = _plane(middle, flux)
    return found if plane is None else {**found, "zero_flux_plane": plane}


def _plane(x: np.ndarray, flux: np.ndarray) -> float | None:
    """The first place to the right of the weld where the flux of A passes through zero."""
    right = x > 0
    x, flux = x[right], np.where(np.abs(flux[right]) > 1e-6 * np.abs(flux).max(), flux[right], 0.0)
    turns = np.flatnonzero(flux[1:] * flux[:-1] < 0)
    if not len(turns):
        return None
    k = int(turns[0])
    roots = CubicSpline(x[max(k - 3, 0) : k + 5], flux[max(k - 3, 0) : k + 5]).roots(extrapolate=False)
    return float(min(roots, key=lambda one: abs(one - x[k])))


def figure(result: Result) -> Figure:
    """Both profiles, and the flux of A where it goes up its own gradient."""
    end = result.history.end
    z = 1e3 * np.asarray(end.position())
    drawing = Figure(figsize=(9.5, 4.0), layout="constrained")
    left, right = drawing.subplots(1, 2)
    c = np.asarray(end["A"])
    left.plot(z, c, "C0", label="A")
    left.plot(z[[0, -1]], c[[0, -1]], "C0.")
    left.set(xlabel="distance from the weld, mm", ylabel="A")
    twin = left.twinx()
    twin.plot(z, np.asarray(end["B"]), "C1--", label="B")
    twin.set_ylabel("B")
    left.legend(loc="upper left", fontsize=8)
    twin.legend(loc="upper right", fontsize=8)
    flux, middle = np.asarray(end.along("A")), 0.5 * (z[1:] + z[:-1])
    right.plot(middle, flux, "C0", label="flux of A")
    up = flux * np.diff(c) > 0
    right.fill_between(middle, flux, 0.0, where=up, color="C3", alpha=0.3, label="uphill")
    right.axhline(0.0, color="k", lw=0.6)
    right.set(xlabel="distance from the weld, mm", ylabel="flux of A to the right")
    right.legend(fontsize=8)
    return drawing


SYSTEM = System(
    name="uphill_alloy",
    parameters=PARAMETERS,
    model=model,
    solve=solve,
    answers=answers,
    units={
        "uphill": "",
        **dict.fromkeys(("peak_a", "trough_a"), "mol/m^3"),
        **dict.fromkeys(("peak_position_a", "trough_position_a", "zero_flux_plane"), "m"),
        **dict.fromkeys(("flux_a_at_joint", "flux_b_at_joint"), "mol/m^2/s"),
        "entropy_production": "W/K",
        "entropy_produced": "J/K",
    },
    claims=CLAIMS,
    figure=figure,
)
