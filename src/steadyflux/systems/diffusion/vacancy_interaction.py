"""Vacancies that repel or attract each other: diffusion through a film down the gradient of the activity.

Seeds: B

Atoms or vacancies on the sites of a solid, or ions in water, feel each other. What drives them is the gradient of their
chemical potential, R T ln(gamma c), and not that of their concentration.

Equations (theta = c / site_density the occupancy)

    J = -D m(theta) c d(ln a)/dx = -D_chem dc/dx,    D_chem = D m(theta) Gamma,    Gamma = d(ln a)/d(ln theta)
    bragg_williams  ln a = ln(theta / (1 - theta)) + g theta,   m = 1 - theta: a jump needs an empty site
    lattice_1d      a chain of sites, neighbours cost g R T a pair, solved exactly; m = 1 - theta
                    Gamma = 1 / ((1 - theta) sqrt(1 - 4 theta (1 - theta) (1 - exp(-g))))
    regular         ln a = ln theta + g (1 - theta)^2 (Margules),   m = 1 (Darken)
    debye_huckel    a salt of two monovalent ions: ln gamma = -1.1758 sqrt(I) / (1 + g sqrt(I)), I in mol/L;   m = 1

g is `interaction`. The factor Gamma is the derivative of the phase's free energy, taken by the machine, and so is the
potential with which the entropy is counted. The sides are held at activities, or where they are given, at occupancies.

What to look for

- Repulsion (g > 0) evens out faster than Fick's law says, attraction more slowly.
- With g < -4 (lattice), g > 2 (regular) Gamma is negative over some compositions: there a mixture falls apart and
  matter runs up its own gradient. Diffusion alone has no steady profile through this gap, it needs the energy of the
  interface (Cahn and Hilliard); such a film is refused. So is an activity that two phases have in common.
- The chain never falls apart: one dimension has no phase transition. Mean field says otherwise.

`flux` counts from the left to the right; `thermodynamic_factor_mean` and `diffusivity_mean` are those at the mean of
the occupancies of both sides, `fick_flux` what the film would carry without interaction, at the same occupancies.

Limits: one kind of mover, sites all alike, D without the interaction's own effect on jumps.

Sources: W. L. Bragg and E. J. Williams, Proc. R. Soc. A 145 (1934) 699; L. S. Darken, Trans. AIME 175 (1948) 184; the
chain by transfer matrix, E. Ising 1925. Oxygen vacancies in oxides: g and site density typical values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import root_scalar

import steadyflux as sf
from steadyflux.ground.constants import R
from steadyflux.ground.errors import InputError
from steadyflux.physics.phase import debye_integral
from steadyflux.systems.system import Choice, Claim, Comparison, Numbers, Parameter, Result, System, Values

MODELS = ("bragg_williams", "lattice_1d", "regular", "debye_huckel")
DEBYE = 1.1758  # (L/mol)^1/2, water at 25 C

PARAMETERS = (
    Choice("model", "bragg_williams", MODELS),
    Parameter("interaction", 6.0, "", "oxygen vacancies, typical value", low=-60.0, high=60.0),
    Parameter("diffusivity", 1e-12, "m^2/s", "of a lone vacancy, typical value", low=1e-30, high=1.0),
    Parameter("left_activity", 0.05 / 0.95 * np.exp(0.3), "", "an occupancy of 0.05", low=1e-12, high=1e40),
    Parameter("right_activity", 0.3 / 0.7 * np.exp(1.8), "", "an occupancy of 0.3", low=1e-12, high=1e40),
    Parameter("left_occupancy", None, "", "none: follows from the activity", low=1e-12, high=1.0 - 1e-12),
    Parameter("right_occupancy", None, "", "none: follows from the activity", low=1e-12, high=1.0 - 1e-12),
    Parameter("thickness", 1e-4, "m", "a thin membrane, chosen", low=1e-9, high=10.0),
    Parameter("temperature", 1073.15, "K", "800 C, chosen", low=1.0, high=5000.0),
    Parameter("site_density", 4e4, "mol/m^3", "oxygen sites of an oxide, typical value", low=1e-6, high=1e6),
    Numbers("positions", (0.25, 0.5, 0.75), "", "shares of the thickness, chosen", low=0.0, high=1.0),
    Parameter("cells", 401, "", "400 steps", low=3, high=100001, whole=True),
)


class Chain(sf.Phase):
    """Lattice gas on a line, exact: neighbours on adjacent sites cost ``interaction`` R T a pair; ``sites`` mol/m^3."""

    sites: Any
    interaction: Any

    def excess(self, c: Any, charges: Any, T: Any) -> Any:
        """From the pairs full-full, full-empty (x) and empty-empty of the chain (quasi-chemical, exact on a line)."""
        theta = sum(c.values()) / self.sites
        mixed = 2.0 * theta * (1.0 - theta) / (1.0 + self._beta(theta))
        full, empty = theta - mixed, 1.0 - theta - mixed
        pairs = _xlogx(full) + 2.0 * _xlogx(mixed) + _xlogx(empty) - 2.0 * _xlogx(theta) - _xlogx(1.0 - theta)
        return self.sites * (self.interaction * full + pairs + theta)

    def ln_gamma(self, c: Any, charges: Any, T: Any) -> dict[str, Any]:
        """ln a - ln theta, a = 4 theta (1 - theta) / (beta + 1 - 2 theta)^2, in the form that does not cancel."""
        theta = sum(c.values()) / self.sites
        beta, free = self._beta(theta), 1.0 - theta
        low = jnp.log(4.0 * free) - 2.0 * jnp.log(jnp.where(theta < 0.5, beta + 1.0 - 2.0 * theta, 1.0))
        high = 2.0 * self.interaction + 2.0 * jnp.log(jnp.where(theta < 0.5, 1.0, beta - 1.0 + 2.0 * theta))
        high = high - jnp.log(4.0 * free) - 2.0 * jnp.log(theta)
        return dict.fromkeys(c, jnp.where(theta < 0.5, low, high))

    def _beta(self, theta: Any) -> Any:
        return jnp.sqrt(1.0 + 4.0 * theta * (1.0 - theta) * jnp.expm1(-self.interaction))


class Margules(sf.Phase):
    """Regular binary solution: ln gamma = interaction (1 - x)^2 of the component with x = c / sites."""

    sites: Any
    interaction: Any

    def excess(self, c: Any, charges: Any, T: Any) -> Any:
        """Its integral."""
        x = sum(c.values()) / self.sites
        return self.sites * self.interaction * (x - x**2 + x**3 / 3.0)


class Salt(sf.Phase):
    """Monovalent salt, both ions as one: ln gamma = -A sqrt(I) / (1 + size sqrt(I)), I = c in mol/L."""

    size: Any

    def excess(self, c: Any, charges: Any, T: Any) -> Any:
        """Its integral."""
        return -1000.0 * DEBYE * debye_integral(sum(c.values()) / 1000.0, self.size)


class Driven(sf.Coefficient):
    """D_chem = D m Gamma, m^2/s, of a concentration, Gamma from the derivative of the phase's activity."""

    phase: sf.Phase
    diffusivity: Any
    blocked: Any
    """Sites per volume that a jump must find empty, mol/m^3; infinite where jumps are free."""

    def factor(self, c: Any) -> Any:
        """Gamma = d(ln a)/d(ln c)."""
        slope = jnp.vectorize(jax.grad(lambda x: self.phase.ln_gamma({"v": x}, {"v": 0.0}, 300.0)["v"]))
        return 1.0 + c * slope(jnp.asarray(c, dtype=float))

    def __call__(self, x: Any) -> Any:
        """The coefficient at the concentration ``x``."""
        return self.diffusivity * (1.0 - x / self.blocked) * self.factor(x)


def phase(p: Values) -> sf.Phase:
    """The free energy."""
    if p.model == "bragg_williams":
        return sf.RegularSolution(p.site_density, p.interaction)
    if p.model == "lattice_1d":
        return Chain(p.site_density, p.interaction)
    if p.model == "regular":
        return Margules(p.site_density, p.interaction)
    if p.interaction < 0:
        raise InputError("The interaction of debye_huckel is the size of the ions, (L/mol)^1/2; it cannot be negative.")
    return Salt(p.interaction)


def driven(p: Values) -> Driven:
    """The coefficient of diffusion."""
    lattice = p.model in ("bragg_williams", "lattice_1d")
    return Driven(phase(p), p.diffusivity, p.site_density if lattice else np.inf)


def ln_activity(p: Values, theta: Any) -> np.ndarray:
    """ln a at occupancies."""
    theta, one = jnp.asarray(theta, dtype=float), phase(p)
    found = jnp.vectorize(lambda x: one.ln_gamma({"v": x}, {"v": 0.0}, p.temperature)["v"])(theta * p.site_density)
    return np.asarray(jnp.log(theta) + found)


def occupancy(p: Values, side: str) -> float:
    """Occupancy of a side: as given, or where the activity is the given one."""
    given = p.items[f"{side}_occupancy"]
    if given is not None:
        return given
    wanted = np.log(p.items[f"{side}_activity"])
    logit = np.linspace(-90.0, 36.0, 20001)
    above = ln_activity(p, 1.0 / (1.0 + np.exp(-logit))) - wanted
    turns = np.flatnonzero(np.sign(above[1:]) != np.sign(above[:-1]))
    if len(turns) > 1:
        raise InputError(
            f"{len(turns)} compositions have the activity of the {side} side, {np.exp(wanted):g}: the attraction "
            f"splits the material into two phases; say which by {side}_occupancy."
        )
    if len(turns) == 0:
        raise InputError(f"No occupancy below one has the activity of the {side} side, {np.exp(wanted):g}.")

    def miss(x: float) -> float:
        return float(ln_activity(p, 1.0 / (1.0 + np.exp(-x)))) - float(wanted)

    found = root_scalar(miss, bracket=(logit[turns[0]], logit[turns[0] + 1]), xtol=1e-13, rtol=1e-14).root
    return float(1.0 / (1.0 + np.exp(-found)))


def sides(p: Values) -> tuple[float, float]:
    """Occupancies of both sides; refused where a composition between them is not stable."""
    left, right = occupancy(p, "left"), occupancy(p, "right")
    between = np.linspace(left, right, 4001)
    factor = np.asarray(driven(p).factor(between * p.site_density))
    if np.any(factor <= 0):
        gap = between[factor <= 0]
        raise InputError(
            f"Between occupancies {gap.min():.4g} and {gap.max():.4g} the thermodynamic factor is not positive "
            f"(spinodal): the mixture falls apart there and no diffusion profile passes through; put both sides on "
            "one side of this gap, or choose a weaker attraction."
        )
    return left, right


def model(p: Values) -> sf.Model:
    """The film between two held compositions."""
    left, right = sides(p)
    return sf.Model(
        sf.interval(p.thickness, cells=p.cells),
        quantities=[sf.Species("v", reference=p.site_density)],
        laws=[sf.Fick("v", driven(p))],
        boundaries=[sf.Hold("left", {"v": left * p.site_density}), sf.Hold("right", {"v": right * p.site_density})],
        phase=phase(p),
        temperature=p.temperature,
        start={"v": np.linspace(left, right, p.cells) * p.site_density},
    )


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """Flux, factor, profile and the drop of the chemical potential."""
    c = np.asarray(solution["v"])
    theta = c / p.site_density
    middle = 0.5 * (c[0] + c[-1])
    potential = R * p.temperature * ln_activity(p, theta[[0, -1]])
    return {
        "flux": float(solution.flow("v", "left")),
        "thermodynamic_factor_mean": float(driven(p).factor(middle)),
        "diffusivity_mean": float(driven(p)(middle)),
        "profile": _at(p, theta).tolist(),
        "chemical_potential_drop": float(potential[0] - potential[1]),
        "fick_flux": p.diffusivity * float(c[0] - c[-1]) / p.thickness,
        "left_concentration": float(c[0]),
        "right_concentration": float(c[-1]),
        "entropy_production": float(solution.entropy.production),
    }


def _at(p: Values, theta: np.ndarray) -> np.ndarray:
    """Occupancies at shares of the thickness, along the curve on which the flux is constant between two nodes."""
    coefficient, way = driven(p), np.linspace(0.0, 1.0, len(theta))
    found = []
    for share in p.positions:
        k = min(int(share * (len(theta) - 1)), len(theta) - 2)
        a, b = theta[k], theta[k + 1]
        part = float((share - way[k]) / (way[k + 1] - way[k]))
        da, db = (float(coefficient(x * p.site_density)) for x in (a, b))
        # D varies linearly over one small step: (da + db) / 2 part = da u + (db - da) u^2 / 2, u the share of b - a.
        u = part if abs(db - da) < 1e-9 * da else (np.sqrt(da**2 + (db**2 - da**2) * part) - da) / (db - da)
        found.append(a + u * (b - a))
    return np.array(found)


Run = Callable[..., Result]
SALT: dict[str, Any] = {
    "model": "debye_huckel",
    "diffusivity": 1.61e-9,
    "interaction": 1.17,
    "site_density": 1000.0,
    "left_occupancy": 0.001,
    "right_occupancy": 0.5,
    "thickness": 5e-5,
    "temperature": 298.15,
}
SALT_FOUND = {
    "flux": -0.014310167559010283,
    "fick_flux": -0.0160678,
    "profile": (0.12199336226261938, 0.24701147819145144, 0.3732440561585371),
    "thermodynamic_factor_mean": 0.8829615859710075,
    "diffusivity_mean": 1.421568153413322e-09,
    "chemical_potential_drop": -5.795470200214049 * R * 298.15,
}
OXIDE_FOUND = {
    "flux": -0.0001835,
    "fick_flux": -1e-4,
    "profile": (0.12738849281922038, 0.19106109398844418, 0.24767263522204827),
    "thermodynamic_factor_mean": 2.262121212121212,
    "diffusivity_mean": 1.86625e-12,
    "chemical_potential_drop": -3.597141118779237 * R * 1073.15,
}


def _reference(run: Run) -> list[Comparison]:
    comparisons = []
    for given, expected in (({}, OXIDE_FOUND), (SALT, SALT_FOUND)):
        found = run(**given).answers
        comparisons += [Comparison(found[name], value, 1e-7) for name, value in expected.items()]
    return comparisons


def _closed(run: Run) -> list[Comparison]:
    comparisons = []
    for g, a, b in ((-3.9, 0.1, 0.9), (0.0, 0.2, 0.7), (20.0, 0.999, 0.3)):
        found = run(interaction=g, left_occupancy=a, right_occupancy=b).answers
        theta = np.array((a, b))
        way = theta + g * (theta**2 / 2.0 - theta**3 / 3.0)
        comparisons.append(Comparison(found["flux"], 1e-12 * 4e4 * (way[0] - way[1]) / 1e-4, 1e-10))
    return comparisons


def _ideal(run: Run) -> list[Comparison]:
    found = run(interaction=0.0, left_activity=0.25, right_activity=4.0).answers
    return [
        Comparison(found["flux"], 1e-12 * 4e4 * (0.2 - 0.8) / 1e-4, 1e-12),
        Comparison(found["profile"], (0.35, 0.5, 0.65), 1e-12),
        Comparison(found["chemical_potential_drop"], R * 1073.15 * np.log(0.25 / 4.0), 1e-12),
    ]


def _activities(run: Run) -> list[Comparison]:
    """Sides given by activities: those of the solved end states are the given ones, in every model."""
    comparisons = []
    for name, g in (("bragg_williams", -3.0), ("lattice_1d", -6.0), ("regular", 1.5), ("debye_huckel", 1.0)):
        found = run(model=name, interaction=g, left_activity=0.31, right_activity=0.002, site_density=1000.0).answers
        comparisons.append(Comparison(found["chemical_potential_drop"], R * 1073.15 * np.log(0.31 / 0.002), 1e-10))
    return comparisons


def chain_activity(theta: float, g: float) -> float:
    """Activity of the chain, from the largest eigenvalue of its transfer matrix by differences in the activity."""

    def filled(ln_a: float) -> float:
        def ln_largest(x: float) -> float:
            half = np.exp(0.5 * x)
            return float(np.log(np.linalg.eigvalsh(np.array([[1.0, half], [half, np.exp(x - g)]])).max()))

        return (ln_largest(ln_a + 1e-5) - ln_largest(ln_a - 1e-5)) / 2e-5 - theta

    return float(root_scalar(filled, bracket=(-40.0, 40.0), xtol=1e-12).root)


def _chain(run: Run) -> list[Comparison]:
    comparisons = []
    for g in (-4.5, 3.0):
        found = run(model="lattice_1d", interaction=g, left_occupancy=0.15, right_occupancy=0.85).answers
        drop = R * 1073.15 * (chain_activity(0.15, g) - chain_activity(0.85, g))
        factor = 1.0 / (0.5 * np.sqrt(1.0 - (1.0 - np.exp(-g))))
        comparisons += [
            Comparison(found["chemical_potential_drop"], drop, 1e-7),
            Comparison(found["thermodynamic_factor_mean"], factor, 1e-10),
        ]
    return comparisons


def refused(run: Run, **given: Any) -> str:
    """What the refusal says, or nothing."""
    try:
        run(**given)
    except InputError as error:
        return str(error)
    return ""


def _spinodal(run: Run) -> list[Comparison]:
    gap = {"interaction": -4.5, "left_occupancy": 0.1, "right_occupancy": 0.9}
    edge = 0.5 * (1.0 - np.sqrt(1.0 - 4.0 / 4.5))
    just = {"interaction": -4.5, "left_occupancy": 0.1, "right_occupancy": 0.999 * edge}
    return [
        Comparison(float("spinodal" in refused(run, **gap)), 1.0, 0.0),
        Comparison(float("two phases" in refused(run, interaction=-4.5, left_activity=np.exp(-2.25))), 1.0, 0.0),
        Comparison(float(refused(run, **just) == ""), 1.0, 0.0),
        Comparison(float(refused(run, **gap, model="lattice_1d") == ""), 1.0, 0.0),
    ]


CLAIMS = (
    Claim("oxygen vacancies and salt in water", "independent reference computation", _reference),
    Claim("flux between two occupancies", "closed form, Kirchhoff's transform", _closed),
    Claim("without interaction Fick's law", "Fick 1855", _ideal),
    Claim("sides given by activities", "inversion", _activities),
    Claim("the chain", "transfer matrix, Ising 1925", _chain),
    Claim("the spinodal is refused, and nothing else", "Bragg and Williams 1934: g < -4; none in 1-D", _spinodal),
)


def figure(result: Result) -> Figure:
    """The profile beside Fick's straight line, and the factor with its gap."""
    p = result.parameters
    drawing = Figure(figsize=(9.5, 4.0), layout="constrained")
    left, right = drawing.subplots(1, 2)
    theta = np.asarray(result.solution["v"]) / p.site_density
    x = np.asarray(result.solution.position()) * 1e6
    left.plot(x, theta, label=f"interaction {p.interaction:g}")
    left.plot(x[[0, -1]], theta[[0, -1]], "k:", lw=0.8, label="Fick")
    left.set(xlabel="position, µm", ylabel="occupancy")
    left.legend(fontsize=8)
    top = max(0.999 if p.model != "debye_huckel" else 1.0, *theta)
    at = np.linspace(1e-3, top, 400)
    right.plot(at, np.asarray(driven(p)(at * p.site_density)) / p.diffusivity, label="D$_{chem}$ / D")
    right.axvspan(*sorted((theta[0], theta[-1])), color="C0", alpha=0.15, label="this film")
    right.axhline(0.0, color="k", lw=0.6)
    right.axhline(1.0, color="k", lw=0.6, ls=":")
    right.set(xlabel="occupancy", ylabel="chemical diffusivity over that of a lone vacancy")
    right.legend(fontsize=8)
    return drawing


SYSTEM = System(
    name="vacancy_interaction",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units={
        "flux": "mol/m^2/s",
        "thermodynamic_factor_mean": "",
        "diffusivity_mean": "m^2/s",
        "profile": "",
        "chemical_potential_drop": "J/mol",
        "fick_flux": "mol/m^2/s",
        "left_concentration": "mol/m^3",
        "right_concentration": "mol/m^3",
        "entropy_production": "W/K",
    },
    claims=CLAIMS,
    figure=figure,
)


def _xlogx(x: Any) -> Any:
    return jnp.where(x > 0, x * jnp.log(jnp.where(x > 0, x, 1.0)), 0.0)
