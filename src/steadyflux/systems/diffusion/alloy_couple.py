"""Two alloys joined face to face: they interdiffuse, and markers in the joint drift towards the faster metal.

Seeds: D

Two bars of an alloy of A and B, of different composition, are pressed together and heated. A flows down its gradient
and as much B comes back. If the two metals do not jump equally often, more atoms leave one side than arrive, and inert
wires laid into the joint move with the lattice: Smigelskas and Kirkendall's proof that atoms change places with
vacancies and not with each other.

Equations (constant molar volume, x = c / total_concentration the mole fraction of A)

    dc/dt = d/dz (D dc/dz),   D = (1 - x) D_A + x D_B,   D_A = intrinsic_a exp(intrinsic_a_exponent x), D_B alike
    markers   dZ/dt = (D_A - D_B) dx/dz at Z,   Z = 0 at the start                                (Darken 1948)
    recovered_diffusivity(c) = -(1 / 2t) (dz/dc) integral from right_concentration to c of z dc   (Boltzmann, Matano)

A number for `diffusivity` replaces Darken's D by a law of c in mol/m^3 (constant unless `coefficient` says otherwise,
as in the system `variable_diffusivity`; the law `table` needs no number); the intrinsic ones then tell only how the
markers move. Positions and fluxes count from the joint to the right; the frame is that of the bars' ends.

What to look for

- Everything spreads as the square root of time as long as the ends of the bars do not feel it. The concentration at the
  joint is then constant, and not the mean of both sides where D depends on c.
- Matano's construction recovers from one profile the D(c) that made it, without being told the law.
- The markers move to the side of the faster metal, also as the square root of time, whichever way the gradient points.

`penetration_depth` is the distance from the joint at which the change in the right bar is erfc(1) / 2 = 7.9 % of the
step: 2 sqrt(D t) for a constant D; `penetration_depth_left` likewise. `half_length` may be "infinite": the bars are
then cut where nothing arrives in that time.

Limits: one phase, one molar volume, ideal mixing in the entropy, D between the two sides within a factor 100. Matano's
integral holds while the ends are untouched; after that recovered_diffusivity is left out.

Sources: A. D. Smigelskas and E. O. Kirkendall, Trans. AIME 171 (1947) 130 (copper and brass, 785 C, 56 days; the
diffusivities here are typical values); L. S. Darken, Trans. AIME 175 (1948) 184; L. Boltzmann, Ann. Phys. 289 (1894)
959; C. Matano, Jpn. J. Phys. 8 (1933) 109.
"""

from __future__ import annotations

from collections.abc import Callable
from math import erfc
from typing import Any

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from scipy.integrate import solve_bvp
from scipy.interpolate import CubicSpline
from scipy.special import erf

import steadyflux as sf
from steadyflux.ground.errors import InputError
from steadyflux.systems.diffusion.radioactive_daughter import Thickness
from steadyflux.systems.diffusion.variable_diffusivity import LAWS, diffusivity_law
from steadyflux.systems.diffusion.variable_diffusivity import PARAMETERS as PERMEATION
from steadyflux.systems.system import Choice, Claim, Comparison, Numbers, Parameter, Result, System, Values

REACH = 6.0  # spreads 2 sqrt(D t) within which anything happens: erfc(6) is 2e-17
EVEN = 2.5  # spreads within which the steps are nearly even
FINEST = 2e-3  # scale of the finest steps at the joint over the smaller spread: the markers' way begins there
STEEPEST = 100.0001  # ratio of diffusivities up to which the mesh resolves the front
TOUCHED = 1e-7  # change at an end over the step, from which on a bar counts as finite
RTOL = 1e-6

PARAMETERS = (
    Parameter("left_concentration", 42000.0, "mol/m^3", "A is zinc: brass with 30 %", low=0.0, high=1e6),
    Parameter("right_concentration", 0.0, "mol/m^3", "copper", low=0.0, high=1e6),
    Parameter("total_concentration", 140000.0, "mol/m^3", "copper, 7.1 cm^3/mol", low=1e-3, high=1e6),
    Parameter("intrinsic_a", 1e-13, "m^2/s", "zinc in copper at 785 C, typical value", low=1e-30, high=1.0),
    Parameter("intrinsic_a_exponent", 6.0, "", "typical value", low=-20.0, high=20.0),
    Parameter("intrinsic_b", 5e-14, "m^2/s", "copper in copper at 785 C, typical value", low=1e-30, high=1.0),
    Parameter("intrinsic_b_exponent", 5.0, "", "typical value", low=-20.0, high=20.0),
    Choice("law", "exponential", LAWS, "for `diffusivity`"),
    Parameter("diffusivity", None, "m^2/s", "none: Darken's, from the intrinsic ones", low=1e-30, high=1.0),
    Parameter("coefficient", 0.0, "", "constant"),
    Numbers("coefficients", (), "", "none: `coefficient` is used"),
    *(p for p in PERMEATION if p.name == "table"),
    Thickness("half_length", 0.02, "m", "the brass bar was 19 mm thick", low=1e-9, high=float("inf")),
    Parameter("time", 4838400.0, "s", "56 days, Smigelskas and Kirkendall 1947", low=1e-9, high=1e18),
    Numbers("positions", (-0.004, -0.001, 0.0, 0.0003, 0.003), "m", "chosen"),
    Numbers("recovery_concentrations", (), "mol/m^3", "none: 1/6, 1/2 and 5/6 of the step", low=0.0),
    Parameter(
        "cells",
        3000.0,
        "",
        "profile good to 1e-6 of the step, 3e-5 for a steep law",
        low=8.0,
        high=100000.0,
        whole=True,
    ),
)


class Darken(sf.Coefficient):
    """Interdiffusion coefficient of two metals from their intrinsic ones (Darken 1948); concentrations in mol/m^3."""

    a: Any
    a_exponent: Any
    b: Any
    b_exponent: Any
    total: Any

    def intrinsic(self, c: Any) -> tuple[Any, Any]:
        """Intrinsic diffusivities of A and of B, m^2/s."""
        x = c / self.total
        return self.a * jnp.exp(self.a_exponent * x), self.b * jnp.exp(self.b_exponent * x)

    def __call__(self, x: Any) -> Any:
        """The interdiffusion coefficient at the concentration ``x``."""
        of_a, of_b = self.intrinsic(x)
        return (1.0 - x / self.total) * of_a + x / self.total * of_b


class Drift(sf.Rate):
    """Velocity of the lattice where the markers are, m/s: (D_A - D_B) dx/dz."""

    pair: Darken

    def __call__(self, view: Any) -> Any:
        """The velocity, linear between the middles of the edges."""
        z, c = view.position, view["A"]
        of_a, of_b = self.pair.intrinsic(0.5 * (c[1:] + c[:-1]))
        speed = (of_a - of_b) * (c[1:] - c[:-1]) / (z[1:] - z[:-1]) / self.pair.total
        return jnp.interp(view["markers"], 0.5 * (z[1:] + z[:-1]), speed)


def pair(p: Values) -> Darken:
    """The two intrinsic diffusivities."""
    return Darken(p.intrinsic_a, p.intrinsic_a_exponent, p.intrinsic_b, p.intrinsic_b_exponent, p.total_concentration)


def interdiffusion(p: Values) -> Any:
    """D(c): Darken's, or the law given for it."""
    if p.law != "table" and p.diffusivity is None:
        if p.law != "exponential":
            raise InputError(f"The law '{p.law}' needs a number for diffusivity.")
        return pair(p)
    return diffusivity_law(p)


def _spreads(p: Values) -> tuple[float, float]:
    """Smallest and largest 2 sqrt(D t) between the two concentrations, the law checked on the way."""
    for side in ("left", "right"):
        if getattr(p, f"{side}_concentration") > p.total_concentration:
            raise InputError(f"The {side}_concentration exceeds the total_concentration: it is that of A alone.")
    low, high = sorted((p.left_concentration, p.right_concentration))
    values = np.asarray(interdiffusion(p)(jnp.linspace(low, high, 2001)))
    if not (np.all(np.isfinite(values)) and np.all(values > 0)):
        raise InputError("The diffusivity must be a positive number at every concentration between the two sides.")
    if values.max() > STEEPEST * values.min():
        raise InputError(
            f"The diffusivity varies by a factor {values.max() / values.min():.3g} between the two sides; the profile "
            "then has a front that this mesh does not resolve: bring the two concentrations closer together."
        )
    return 2.0 * (values.min() * p.time) ** 0.5, 2.0 * (values.max() * p.time) ** 0.5


def _half_length(p: Values) -> float:
    return REACH * _spreads(p)[1] if np.isposinf(p.half_length) else p.half_length


def mesh(p: Values) -> np.ndarray:
    """Nodes of both bars, a face between cells at the joint: equal steps where things happen, finer towards it."""
    small, large = _spreads(p)
    length = _half_length(p)
    near, scale = min(length, EVEN * large), min(FINEST * small, length)
    z = scale * np.sinh(np.linspace(0.0, np.arcsinh(length / scale), 20001))
    share = 0.6 * np.minimum(z / near, 1.0) + 0.4 * np.arcsinh(z / scale) / np.arcsinh(length / scale)
    half = p.cells // 2
    z = np.interp((np.arange(half) + 0.5) / (half - 0.5), share, z)
    z[-1] = length
    return np.concatenate([-z[::-1], z])


def model(p: Values) -> sf.Model:
    """Two sealed bars, A on a lattice that B fills up; the markers are a shared unknown with a velocity."""
    z = mesh(p)
    return sf.Model(
        space=sf.interval(nodes=z),
        quantities=[sf.Species("A")],
        laws=[sf.Fick("A", interdiffusion(p))],
        phase=sf.RegularSolution(p.total_concentration),
        start={"A": np.where(z < 0, p.left_concentration, p.right_concentration)},
        shared=[sf.Shared("markers", rate=Drift(pair(p)), unit="m", scale=1e-3 * _spreads(p)[0])],
    )


def solve(p: Values, model: sf.Model) -> sf.History:
    """The bars from the moment they are joined until `time`."""
    return sf.evolve(model, until=p.time, rtol=RTOL)


def _where(z: np.ndarray, c: np.ndarray, level: float) -> float:
    """Position at which a monotonic profile passes a level: Newton's method on its spline, from the linear guess."""
    order = slice(None) if c[-1] > c[0] else slice(None, None, -1)
    profile = CubicSpline(z, c)
    at = float(np.interp(level, c[order], z[order]))
    for _ in range(5):
        slope = float(profile(at, 1))
        at = float(np.clip(at - (float(profile(at)) - level) / slope, z[0], z[-1])) if slope else at
    return at


def matano(z: np.ndarray, c: np.ndarray, time: float, level: float) -> float:
    """D at a concentration from a profile (Matano 1933), m^2/s; z is counted from the plane of equal amounts."""
    profile = CubicSpline(z, c)
    at = _where(z, c, level)
    beyond = profile.antiderivative()(z[-1]) - profile.antiderivative()(at) - c[-1] * (z[-1] - at)
    return float(-(beyond + at * (level - c[-1])) / (2.0 * time * profile(at, 1)))


def answers(p: Values, history: sf.History) -> dict[str, Any]:
    """Flux and amount through the joint, profile, depths, markers, and the diffusivity read off the profile."""
    end = history.end
    z, c = np.asarray(end.position()), np.asarray(end["A"])
    profile = CubicSpline(z, c)
    if p.positions and max(map(abs, p.positions)) > _half_length(p) and not np.isposinf(p.half_length):
        raise InputError(f"A position lies outside the bars, which end {_half_length(p):g} m from the joint.")
    joint = len(z) // 2 - 1  # the edge across the joint
    left, right = p.left_concentration, p.right_concentration
    step, share, time = left - right, 0.5 * erfc(1.0), float(history.times[-1])
    markers = float(history["markers"][-1])
    volume = np.asarray(end.model.space.volume)
    found: dict[str, Any] = {
        "flux_at_joint": float(end.along("A")[joint]),
        "exchanged": float(volume[joint + 1 :] @ (c[joint + 1 :] - right)),
        "joint_concentration": float(profile(0.0)),
        "profile": profile(np.clip(np.array(p.positions), z[0], z[-1])),
        "penetration_depth": _where(z, c, right + share * step) if step else 0.0,
        "penetration_depth_left": -_where(z, c, left - share * step) if step else 0.0,
        "marker_shift": markers,
        "marker_concentration": float(profile(markers)),
    }
    if step and max(abs(c[0] - left), abs(c[-1] - right)) < TOUCHED * abs(step):
        levels = p.recovery_concentrations or tuple(right + share * step for share in (1 / 6, 0.5, 5 / 6))
        if not all(min(left, right) < level < max(left, right) for level in levels):
            raise InputError("Each of the recovery_concentrations must lie between the two sides.")
        found["recovered_diffusivity"] = [matano(z, c, time, level) for level in levels]
        found["recovery_positions"] = [_where(z, c, level) for level in levels]
    return found


UNITS = {
    "flux_at_joint": "mol/(m^2*s)",
    "exchanged": "mol/m^2",
    "joint_concentration": "mol/m^3",
    "profile": "mol/m^3",
    "penetration_depth": "m",
    "penetration_depth_left": "m",
    "marker_shift": "m",
    "marker_concentration": "mol/m^3",
    "recovered_diffusivity": "m^2/s",
    "recovery_positions": "m",
}

Run = Callable[..., Result]

# Independent reference computations (Boltzmann's equation solved by collocation), relative accuracy 1e-8.
BRASS = {
    "flux_at_joint": 2.6389638869986516e-06,
    "exchanged": 25.53672574170855,
    "joint_concentration": 0.17113434961786886 * 140000.0,
    "marker_shift": -0.0001182990753734136,
    "marker_concentration": 0.17978965347994033 * 140000.0,
}
BRASS_PROFILE = (
    0.29453617840691015,
    0.23134651103599851,
    0.17113434961786886,
    0.1473689686811153,
    0.0010012003095417445,
)
BRASS_DIFFUSIVITY = (1.3144665026143966e-13, 2.2494376457293577e-13, 3.7975596724362785e-13)  # at 5, 15, 25 %
BRASS_POSITIONS = (0.0014196011892347307, 0.0002682557922440752, -0.0014551656527294764)
IDEAL_CASE = {
    "left_concentration": 1e4, "right_concentration": 8e4, "total_concentration": 1e5, "time": 1e6,
    "intrinsic_a": 2e-14, "intrinsic_b": 2e-14, "intrinsic_a_exponent": 0.0, "intrinsic_b_exponent": 0.0,
    "half_length": "infinite", "positions": (-0.0003, 0.0, 0.0001), "recovery_concentrations": (2e4, 4e4),
}  # fmt: skip
IDEAL = {"flux_at_joint": -2.7925959628098805e-06, "exchanged": -5.585191925619761, "joint_concentration": 4.5e4}
IDEAL_PROFILE = (0.14676504088820064, 0.45, 0.5840237228918093)


def _brass(run: Run) -> list[Comparison]:
    found = run().answers
    return [
        *(Comparison(found[name], value, 1e-5 if "flux" not in name else 2e-5) for name, value in BRASS.items()),
        Comparison(found["profile"], 140000.0 * np.array(BRASS_PROFILE), 0.0, 1e-6 * 42000.0),
        Comparison(found["recovered_diffusivity"], np.array(BRASS_DIFFUSIVITY), 2e-5),
        Comparison(found["recovery_positions"], np.array(BRASS_POSITIONS), 1e-5),
    ]


def _ideal(run: Run) -> list[Comparison]:
    found = run(**IDEAL_CASE).answers
    spread = 2.0 * (2e-14 * 1e6) ** 0.5
    return [
        *(Comparison(found[name], value, 1e-5) for name, value in IDEAL.items()),
        Comparison(found["profile"], 1e5 * np.array(IDEAL_PROFILE), 1e-5),
        Comparison(found["penetration_depth"], spread, 1e-5),
        Comparison(found["penetration_depth_left"], spread, 1e-5),
        Comparison(found["marker_shift"], 0.0, 0.0, 1e-9 * spread),
    ]


def _error_function(run: Run) -> list[Comparison]:
    """A given constant D; the markers' equation has the fixed point Z = 2 (D_A - D_B) t dx/dz."""
    D, a, b, t = 3.1e-15, 4.4e-15, 1.3e-15, 7.2e7
    at = np.array((-1.3e-3, -2e-4, 7e-4, 1.9e-3))
    constant = {"intrinsic_a": a, "intrinsic_b": b, "intrinsic_a_exponent": 0.0, "intrinsic_b_exponent": 0.0}
    given = {"left_concentration": 900.0, "right_concentration": 61000.0, "diffusivity": D, "time": t, **constant}
    found = run(**given, positions=tuple(at), recovery_concentrations=(5e3, 2e4, 4.1e4)).answers
    shift = 0.0
    for _ in range(200):
        slope = (61000.0 - 900.0) / 140000.0 * np.exp(-(shift**2) / (4.0 * D * t)) / (4.0 * np.pi * D * t) ** 0.5
        shift = 2.0 * (a - b) * t * slope
    return [
        Comparison(found["profile"], 900.0 + 30050.0 * (1.0 + erf(at / (4.0 * D * t) ** 0.5)), 1e-5),
        Comparison(found["flux_at_joint"], -60100.0 * (D / (4.0 * np.pi * t)) ** 0.5, 1e-5),
        Comparison(found["recovered_diffusivity"], np.full(3, D), 1e-5),
        Comparison(found["marker_shift"], shift, 3e-5),
    ]


def boltzmann(p: Values, at: np.ndarray) -> np.ndarray:
    """Concentrations of the spreading couple at positions, by collocation of -(y/2) dc/dy = d/dy(D dc/dy)."""
    law = interdiffusion(p)
    left, right = p.left_concentration, p.right_concentration
    top, reach = left - right, 0.5 * REACH * _spreads(p)[1] / p.time**0.5
    size = 0.5 * _spreads(p)[1] / p.time**0.5

    def slope(y: np.ndarray, s: np.ndarray) -> np.ndarray:
        D = np.asarray(law(jnp.asarray(right + top * np.clip(s[0], 0.0, 1.0)))) / size**2
        return np.vstack([s[1] / D, -0.5 * y * s[1] / D])

    def ends(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.array([a[0] - 1.0, b[0]])

    y = np.linspace(-reach, reach, 401) / size
    guess = 0.5 * (1.0 - erf(0.5 * y))
    found = solve_bvp(slope, ends, y, np.vstack([guess, np.gradient(guess, y)]), tol=1e-8, max_nodes=100000)
    if not found.success:
        raise RuntimeError(found.message)
    return right + top * found.sol(np.clip(at / (size * p.time**0.5), y[0], y[-1]))[0]


def _similar(run: Run) -> list[Comparison]:
    """Steep laws against Boltzmann's equation; Matano's construction finds each law again."""
    comparisons = []
    for law in (
        {"law": "exponential", "diffusivity": 2e-16, "coefficient": 1.5e-4},
        {"law": "linear", "diffusivity": 7e-15, "coefficient": 6e-5},
        {"law": "limited", "diffusivity": 3e-15, "coefficient": 9e4},
    ):
        found = run(**law, left_concentration=3e4, right_concentration=500.0, positions=(-6e-4, -1e-4, 0.0, 1e-4, 2e-4))
        p, answers = found.parameters, found.answers
        levels = 500.0 + 29500.0 * np.array((1 / 6, 0.5, 5 / 6))
        comparisons += [
            Comparison(answers["profile"], boltzmann(p, np.array(p.positions)), 0.0, 2e-5 * 29500.0),
            Comparison(answers["recovered_diffusivity"], np.asarray(interdiffusion(p)(jnp.asarray(levels))), 1e-4),
        ]
    return comparisons


def _finite(run: Run) -> list[Comparison]:
    """Short bars after a while: the cosine series of two sealed bars of constant D."""
    L, D, t = 3e-3, 1.7e-13, 2.1e7
    at = np.array((-2.9e-3, -1e-3, 4e-4, 2.2e-3))
    found = run(diffusivity=D, half_length=L, time=t, right_concentration=2000.0, positions=tuple(at)).answers
    n = np.arange(1, 400, 2)
    decay = np.exp(-((n * np.pi / (2.0 * L)) ** 2) * D * t) * 2.0 / (n * np.pi) * np.sin(n * np.pi / 2.0)
    series = (decay * np.cos(n * np.pi * (at[:, None] + L) / (2.0 * L))).sum(axis=1)
    return [Comparison(found["profile"], 2000.0 + 40000.0 * (0.5 + series), 2e-5)]


def _mass(run: Run) -> list[Comparison]:
    found = run(left_concentration=9e4, right_concentration=3e3, half_length=4e-3)
    begin = 4e-3 * (9e4 + 3e3)
    return [
        Comparison(found.solution.total("A"), begin, 1e-12),
        Comparison(float(found.history.ledger["A"].relative), 0.0, 0.0, 1e-12),
    ]


def _order(run: Run) -> Comparison:
    off = [run(cells=n).answers["joint_concentration"] - BRASS["joint_concentration"] for n in (100, 200)]
    return Comparison(np.log2(off[0] / off[1]), 2.0, 0.0, 0.15)


CLAIMS = (
    Claim("copper and brass, 56 days", "independent reference computation", _brass),
    Claim("an ideal pair", "independent reference computation", _ideal),
    Claim("error function and markers for a constant D", "closed form", _error_function),
    Claim("steep laws; Matano recovers each", "Boltzmann 1894 by collocation", _similar),
    Claim("short sealed bars", "closed form, cosine series", _finite),
    Claim("no atom is lost", "conservation", _mass),
    Claim("second order in the step", "observed on two meshes against the reference", _order),
)


def figure(result: Result) -> Figure:
    """The profile as it spreads with its markers, and the diffusivity read off it beside the one that made it."""
    p, history = result.parameters, result.history
    z, c = np.asarray(history.end.position()), np.asarray(history["A"][-1])
    depths = (result.answers["penetration_depth"], result.answers["penetration_depth_left"])
    reach = 1e3 * min(float(z[-1]), 2.5 * max(*depths, 0.01 * float(z[-1])))
    time = float(history.times[-1])
    drawing = Figure(figsize=(9.5, 4.0), layout="constrained")
    left, right = drawing.subplots(1, 2)
    for share in (0.01, 0.1, 1.0):
        shade = {"color": "C0", "alpha": 0.25 + 0.75 * share**0.5}
        left.plot(1e3 * z, history.values("A", [share * time])[0], label=f"{share * time / 86400.0:.3g} d", **shade)
    shift = 1e3 * result.answers["marker_shift"]
    left.axvline(0.0, color="grey", lw=0.6)
    left.axvline(shift, color="C3", ls=":", label=f"markers, {shift:.3g} mm")
    left.set(xlim=(-reach, reach), xlabel="distance from the joint, mm", ylabel="A, mol/m$^3$")
    left.legend(fontsize=8)
    low, high = sorted((p.left_concentration, p.right_concentration))
    levels = np.linspace(low, high, 201)
    right.semilogy(levels, np.asarray(interdiffusion(p)(jnp.asarray(levels))), color="0.6", lw=4, label="law")
    if "recovered_diffusivity" in result.answers:
        inner = levels[4:-4:4]
        right.semilogy(inner, [matano(z, c, time, level) for level in inner], "C3.", label="Matano, from the profile")
    right.set(xlabel="A, mol/m$^3$", ylabel="interdiffusion coefficient, m$^2$/s")
    right.legend(fontsize=8)
    return drawing


SYSTEM = System(
    name="alloy_couple",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
    solve=solve,
)
