"""Steady diffusion where the diffusivity depends on the concentration: the flux is constant, the profile curved.

Seeds: A

A substance permeates a slab, a pipe's wall or a spherical shell (a polymer swollen by it, an alloy) whose diffusivity
depends on its own concentration. In the steady state the flow through every cross-section is the same; the gradient is
steep where the diffusivity is low.

Equations

    A(x) D(C) dC/dx = -flow = constant,     A = 1 m^2 (slab), 2 pi x per metre (cylinder), 4 pi x^2 (sphere)
    exponential  D = D0 exp(b C)            linear      D = D0 (1 + b C)
    power        D = D0 C^b (C in mol/m^3)  limited     D = D0 / (1 - C/b)
    polynomial   D = D0 (b0 + b1 C + b2 C^2 + ...)      table   linear between the entries, constant beyond
    Kirchhoff    K(C) = integral of D dC,   flow = (K_inner - K_outer) / integral of dx/A

D0 is `diffusivity`, b is `coefficient`; `coefficients` gives several at once and then takes its place.

Time lag: a wall that is first in equilibrium with its lower side lets the substance out there, after a long time, as
flow (t - time_lag). Weighting the balance of the substance with the share h(x) of the wall's resistance between the
higher side and x gives time_lag = integral of h (C - C_low) A dx / flow, which is taken from the solved profile; Frisch
(1957) gave it as a double integral of D(C). It is L^2 / 6D for a constant diffusivity.

What to look for: with a plasticised polymer (D rising with C) the profile bulges: nearly all of the fall is at the
outer, dry side. Where D vanishes with C at an end (power law) the gradient there is infinite and the flow finite. Where
nothing drives a flow the time lag is infinite.

Limits: local equilibrium at both faces, no swelling. At a concentration of zero the chemical potential of an ideal
substance is minus infinity, so the entropy production then is infinite too.

Sources: J. Crank, The Mathematics of Diffusion (1975), ch. 9 (exponential law; the numbers are typical of plasticising
vapours in polymers); H. L. Frisch, J. Phys. Chem. 61 (1957) 93.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.ground.arithmetic import is_traced
from steadyflux.ground.errors import InputError
from steadyflux.physics.means import path_mean
from steadyflux.systems.system import Choice, Claim, Comparison, Numbers, Parameter, Result, System, Table, Values

FRACTIONS = (0.1, 0.25, 0.5, 0.75, 0.9)
LAWS = ("exponential", "linear", "power", "limited", "polynomial", "table")

PARAMETERS = (
    Choice("law", "exponential", LAWS, "plasticised polymer, Crank 1975"),
    Parameter("diffusivity", 1e-12, "m^2/s", "vapours in polymers, typical value", low=1e-40, high=1e10),
    Parameter("coefficient", 0.02, "", "1/(mol/m^3) for the exponential law, typical value"),
    Numbers("coefficients", (), "", "none: `coefficient` is used"),
    Table(
        "table",
        (
            {"concentration": 0.0, "diffusivity": 1e-12},
            {"concentration": 50.0, "diffusivity": 2e-12},
            {"concentration": 100.0, "diffusivity": 6e-12},
            {"concentration": 150.0, "diffusivity": 2e-11},
        ),
        {"concentration": ("mol/m^3", ...), "diffusivity": ("m^2/s", ...)},
        "near the default exponential law",
    ),
    Parameter("inner_concentration", 150.0, "mol/m^3", "typical value", low=0.0),
    Parameter("outer_concentration", 0.0, "mol/m^3", "swept clean", low=0.0),
    Parameter("inner_position", 0.0, "m", "chosen"),
    Parameter("outer_position", 50e-6, "m", "a packaging film, typical value"),
    Choice("geometry", "slab", ("slab", "cylinder", "sphere"), "chosen"),
    Parameter("cells", 401.0, "", "400 steps", low=3.0, high=100001.0, whole=True),
)


def _single(p: Values, b: tuple[Any, ...]) -> Any:
    if len(b) != 1:
        raise InputError(f"The law '{p.law}' takes one coefficient, not {len(b)}; give `coefficient`.")
    return b[0]


def diffusivity_law(p: Values) -> Any:
    """D(C) as the parameters give it, a `Coefficient`."""
    b = p.coefficients or (p.coefficient,)
    match p.law:
        case "exponential":
            return sf.Exponential(p.diffusivity, _single(p, b))
        case "linear":
            return sf.Polynomial((p.diffusivity, p.diffusivity * _single(p, b)))
        case "power":
            return sf.Power(p.diffusivity, _single(p, b))
        case "limited":
            return sf.Limited(p.diffusivity, _single(p, b))
        case "polynomial":
            return sf.Polynomial(tuple(p.diffusivity * one for one in b))
    states = jnp.array([row["concentration"] for row in p.table])
    return sf.Table(states, jnp.array([row["diffusivity"] for row in p.table]))


def _check(p: Values) -> None:
    """Refuse what has no steady flow: an impossible shell, a diffusivity that is not positive between the two sides."""
    if is_traced(p.items):
        return
    if not p.outer_position > p.inner_position:
        raise InputError("outer_position must be larger than inner_position.")
    if p.geometry != "slab" and p.inner_position <= 0:
        raise InputError(f"A {p.geometry} needs an inner_position above zero: at the centre nothing can be held.")
    low, high = sorted((p.inner_concentration, p.outer_concentration))
    if p.law == "table":
        known = np.array([row["concentration"] for row in p.table])
        if len(known) < 2 or np.any(np.diff(known) <= 0):
            raise InputError("The table needs at least two entries with increasing concentrations.")
        if any(row["diffusivity"] <= 0 for row in p.table):
            raise InputError("Every diffusivity in the table must be positive.")
    b = (p.coefficients or (p.coefficient,))[0]
    if p.law == "power" and b < -0.5 and low == 0:
        raise InputError(
            f"With the exponent {b:g} the concentration vanishes too steeply to be resolved at a face that is at zero; "
            "use an exponent from -0.5 up, or a small concentration there."
        )
    if p.law == "limited" and (b == 0 or (b > 0 and high >= b)):
        raise InputError(f"The concentration {high:g} must stay below the limit {b:g} mol/m^3 (`coefficient`).")
    inside = low + (high - low) * np.linspace(0.0, 1.0, 2001)[1:-1]
    values = np.asarray(diffusivity_law(p)(jnp.asarray(inside if high > low else np.array([max(low, 1e-300)]))))
    if not np.all(values > 0) or not np.all(np.isfinite(values)):
        worst = float(inside[np.argmin(np.where(np.isfinite(values), values, -np.inf))]) if high > low else low
        raise InputError(f"The diffusivity is not a positive number at {worst:.5g} mol/m^3, between the two sides.")


def _resistance_share(space: sf.Space) -> Any:
    """Share of the resistance, the integral of dx/A, between the inner face and each node."""
    passed = jnp.cumsum(jnp.asarray(space.edge_set("interior").length / space.edge_set("interior").area))
    return jnp.concatenate([jnp.zeros(1), passed]) / passed[-1]


def _start(p: Values, space: sf.Space) -> Any:
    """A first guess near the solution, since D may span decades: Kirchhoff's K, tabulated coarsely, read backwards."""
    t = jnp.linspace(0.0, 1.0, 2001)
    steps = t**3 * (10.0 - 15.0 * t + 6.0 * t**2)  # finest at both ends, where D may vanish or be infinite
    states = p.inner_concentration + (p.outer_concentration - p.inner_concentration) * steps
    K = jnp.cumsum(diffusivity_law(p).mean(states[:-1], states[1:]) * (steps[1:] - steps[:-1]))
    return jnp.interp(_resistance_share(space), jnp.concatenate([jnp.zeros(1), K]) / K[-1], states)


def model(p: Values) -> sf.Model:
    """The wall between its two held faces."""
    _check(p)
    length = p.outer_position - p.inner_position
    space = sf.interval(length, p.cells, start=p.inner_position, shape=p.geometry, names=("inner", "outer"))
    return sf.Model(
        space=space,
        quantities=[sf.Species("C")],
        laws=[sf.Fick("C", diffusivity_law(p))],
        boundaries=[sf.Hold("inner", {"C": p.inner_concentration}), sf.Hold("outer", {"C": p.outer_concentration})],
        start={"C": _start(p, space)},
    )


def _gradient(flow: Any, area: Any, D: Any) -> Any:
    """dC/dx from the flow; infinite where the diffusivity vanishes."""
    return jnp.where(flow == 0.0, 0.0, -flow / jnp.where(flow == 0.0, 1.0, area * D))


def _edge_volumes(p: Values, x: Any) -> Any:
    """Volume between neighbouring nodes, m^3; Simpson's rule is exact for areas up to the second degree."""
    area = {
        "slab": lambda r: 1.0 + 0.0 * r,
        "cylinder": lambda r: 2.0 * np.pi * r,
        "sphere": lambda r: 4.0 * np.pi * r * r,
    }
    at = area[p.geometry]
    return (at(x[:-1]) + 4.0 * at(0.5 * (x[1:] + x[:-1])) + at(x[1:])) * (x[1:] - x[:-1]) / 6.0


def _weighted_means(law: sf.Coefficient, C: Any, weight: Any) -> Any:
    """Mean of weight times (C - C_low) between neighbouring nodes.

    There K and the weight go linearly with the resistance passed, not C, so that each state counts by its diffusivity.
    """
    low, a, b = jnp.minimum(C[0], C[-1]), C[:-1], C[1:]
    whole = jnp.where(a == b, 1.0, law.mean(a, b) * (b - a))

    def integrand(c: Any) -> Any:
        passed = jnp.where(a == b, 0.5, law.mean(a, c) * (c - a) / whole)
        return (weight[:-1] + (weight[1:] - weight[:-1]) * passed) * (c - low) * law(c)

    return path_mean(integrand, a, b, points=32) / law.mean(a, b)


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """Flow (per m^2 of a slab, per m of a cylinder), mean diffusivity, profile, gradients at both faces, time lag."""
    space, law, C = solution.model.space, diffusivity_law(p), jnp.asarray(solution["C"])
    flow = jnp.asarray(solution.flow("C", "inner"))
    share = _resistance_share(space)
    resistance = jnp.sum(jnp.asarray(space.edge_set("interior").length / space.edge_set("interior").area))
    drop = jnp.asarray(p.inner_concentration - p.outer_concentration)
    level = drop == 0.0
    mean = jnp.where(level, law(C[0]), flow * resistance / jnp.where(level, 1.0, drop))
    # The share of the resistance already passed, counted from the side of the higher concentration.
    passed = jnp.where(drop >= 0.0, share, 1.0 - share)
    held = jnp.sum(_edge_volumes(p, jnp.asarray(space.position)) * _weighted_means(law, C, passed))
    lag = held / jnp.abs(jnp.where(level, 1.0, flow))
    # A power law with a negative exponent is infinite, not zero, at zero concentration.
    ends = jnp.stack([C[0], C[-1]])
    D = law(ends)
    if p.law == "power":
        D = jnp.where((ends <= 0.0) & (law.exponent < 0.0), jnp.inf, D)
    faces = [jnp.asarray(space.place(name).area)[0] for name in ("inner", "outer")]
    points = p.inner_position + (p.outer_position - p.inner_position) * jnp.asarray(FRACTIONS)
    return {
        "flow": flow,
        "mean_diffusivity": mean,
        "concentration_at": solution.interpolate("C", points),
        "gradient_inner": _gradient(flow, faces[0], D[0]),
        "gradient_outer": _gradient(flow, faces[1], D[1]),
        "time_lag": jnp.where(level, jnp.inf, lag),
    }


UNITS = {
    "flow": "mol/s",
    "mean_diffusivity": "m^2/s",
    "concentration_at": "mol/m^3",
    "gradient_inner": "mol/m^4",
    "gradient_outer": "mol/m^4",
    "time_lag": "s",
}

Run = Callable[..., Result]

# Independent reference computations (Kirchhoff's potential, profile by its inversion), relative accuracy 1e-10.
POLYMER = {
    "flow": 1.9085536923187668e-05,
    "mean_diffusivity": 6.361845641062556e-12,
    "concentration_at": (
        145.00780680419254,
        136.43887067062315,
        117.77200855068983,
        87.6455976549783,
        53.38279723413242,
    ),
    "gradient_inner": -950212.931632136,
    "gradient_outer": -19085536.92318767,
}
POLYMER_LAG = 115.9395211550217  # s
FOIL_CASE = {
    "law": "linear",
    "diffusivity": 2e-13,
    "coefficient": -0.0004,
    "inner_concentration": 2000.0,
    "outer_concentration": 300.0,
    "outer_position": 1e-4,
}
FOIL = {
    "flow": 1.836e-06,
    "mean_diffusivity": 1.08e-13,
    "concentration_at": (
        1657.9786225991645,
        1317.8409582463112,
        904.6943866456182,
        578.4121149424365,
        406.916150747897,
    ),
    "gradient_inner": -45900000.0,
    "gradient_outer": -10431818.181818182,
}


def _polymer(run: Run) -> list[Comparison]:
    found = run().answers
    return [
        *(Comparison(found[name], np.asarray(value), 1e-9) for name, value in POLYMER.items()),
        Comparison(found["time_lag"], POLYMER_LAG, 1e-9),
    ]


def _foil(run: Run) -> list[Comparison]:
    found = run(**FOIL_CASE).answers
    return [Comparison(found[name], np.asarray(value), 1e-9) for name, value in FOIL.items()]


def _kirchhoff(run: Run) -> list[Comparison]:
    """Spherical shell, D = D0 (b0 + b1 C + b2 C^2) with a minimum inside: K and the integral of dx/A by hand."""
    b, D0, low, high, r1, r2 = (3.0, -0.05, 4e-4), 7e-11, 12.0, 130.0, 2e-4, 9e-4
    case = {"coefficients": b, "diffusivity": D0, "inner_concentration": low, "outer_concentration": high}
    found = run(law="polynomial", geometry="sphere", inner_position=r1, outer_position=r2, **case).answers
    K = [D0 * (b[0] * c + b[1] * c**2 / 2 + b[2] * c**3 / 3) for c in (low, high)]
    flow = (K[0] - K[1]) * 4.0 * np.pi / (1.0 / r1 - 1.0 / r2)
    D = D0 * (b[0] + b[1] * high + b[2] * high**2)
    return [
        Comparison(found["flow"], flow, 1e-9),
        Comparison(found["gradient_outer"], -flow / (4.0 * np.pi * r2**2 * D), 1e-9),
    ]


def _degenerate(run: Run) -> list[Comparison]:
    """D = D0 C^b vanishing at a face: C^(b+1) is linear, the flow finite, the gradient there infinite."""
    comparisons = []
    for b in (0.5, 2.0, 7.3):
        D0, C1, L = 3e-15, 40.0, 2e-5
        found = run(law="power", coefficient=b, diffusivity=D0, inner_concentration=C1, outer_position=L).answers
        # Frisch's double integral for this law.
        lag = (b + 1.0) ** 2 * L**2 / (D0 * C1**b) * (1.0 / (b + 2.0) - 1.0 / (2.0 * b + 3.0))
        profile = C1 * (1.0 - np.array(FRACTIONS)) ** (1.0 / (b + 1.0))
        comparisons += [
            Comparison(found["flow"], D0 * C1 ** (b + 1.0) / ((b + 1.0) * L), 1e-9),
            Comparison(found["concentration_at"], profile, 1e-9),
            Comparison(float(found["gradient_outer"] == -np.inf), 1.0, 0.0),
            Comparison(found["time_lag"], lag, 1e-9),
        ]
    return comparisons


def _constant(run: Run) -> Comparison:
    found = run(coefficient=0.0, diffusivity=3.7e-11, outer_position=1.3e-4).answers
    return Comparison(found["time_lag"], 1.3e-4**2 / (6.0 * 3.7e-11), 1e-5)


def _shell(run: Run, cells: float) -> float:
    """Relative error of a hollow sphere's time lag, (r2 - r1)^2 / 6D (Crank 1975, section 6.3)."""
    case = {"coefficient": 0.0, "diffusivity": 3e-11, "inner_position": 2e-4, "outer_position": 9e-4}
    lag = float(run(geometry="sphere", cells=cells, **case).answers["time_lag"])
    return lag * 6.0 * 3e-11 / 7e-4**2 - 1.0


def _order(run: Run) -> list[Comparison]:
    coarse, fine = _shell(run, 201.0), _shell(run, 401.0)
    return [Comparison(np.log2(coarse / fine), 2.0, 0.0, 0.05), Comparison(fine, 0.0, 0.0, 1e-5)]


CLAIMS = (
    Claim("a plasticised polymer film agrees with the reference", "independent reference computation", _polymer),
    Claim("an alloy foil with linear D agrees with the reference", "independent reference computation", _foil),
    Claim("Kirchhoff's transform in a spherical shell", "closed form (Kirchhoff 1894)", _kirchhoff),
    Claim("a power law converges where it degenerates, Frisch's lag too", "closed form; Frisch 1957", _degenerate),
    Claim("constant diffusivity: time lag L^2 / 6D", "limit (Daynes 1920, Barrer 1939)", _constant),
    Claim("the time lag of a hollow sphere is met with order 2", "Crank 1975; observed order", _order),
)


def figure(result: Result) -> Figure:
    """The curved profile beside the straight one of the mean diffusivity, and D along the wall."""
    p, solution = result.parameters, result.solution
    x, C = np.asarray(solution.position()) * 1e6, np.asarray(solution["C"])
    drawing = Figure(figsize=(7.0, 6.0), layout="constrained")
    above, below = drawing.subplots(2, 1, sharex=True)
    above.plot(x, C, color="C0", label=f"{p.law} law")
    share = np.asarray(_resistance_share(solution.model.space))
    even = p.inner_concentration + (p.outer_concentration - p.inner_concentration) * share
    above.plot(x, even, "--", color="0.5", label="constant diffusivity")
    above.set_ylabel("concentration, mol/m$^3$")
    lag = float(result.answers["time_lag"])
    above.set_title(f"flow {float(result.answers['flow']):.4g} mol/s, time lag {lag:.4g} s", fontsize="medium")
    above.legend()
    D = np.asarray(diffusivity_law(p)(jnp.asarray(C)))
    below.plot(x[D > 0], D[D > 0], color="C1")
    below.set_yscale("log")
    below.set_ylabel("diffusivity, m$^2$/s")
    below.set_xlabel("position, µm")
    return drawing


SYSTEM = System(
    name="variable_diffusivity",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
)
