"""A radioactive daughter made at a surface, diffusing inwards and decaying: its inventory does not depend on D.

Seeds: A

A parent fixed on the face of a block makes a daughter nuclide at a constant rate. The daughter diffuses into the block
and decays there. In the steady state as many atoms decay as are made, so that the inventory is N = P / lambda, whatever
the diffusivity: a large D spreads the same atoms over a greater depth. Only what leaves the block changes that.

Equations

    D c'' = lambda c,    -D c'(0) + k_s c(0) = P,    c'(L) = 0 (sealed back) or c(L) = 0 (absorbing back)
    penetration length   l = sqrt(D / lambda)
    half-space           c = (P l / D) e^(-x/l),  N = P / lambda
    absorbing back       release = P / cosh(L/l),  N = (P / lambda) (1 - 1 / cosh(L/l))         (both for k_s = 0)

P is `production`, per area; k_s is `surface_loss_velocity`, by which the daughter leaves through the face where it is
made. All numbers count atoms: P in 1/(m^2 s), c in 1/m^3, N in 1/m^2.

In time, from a clean block: `approach_time` is when the inventory has come to `approach` of its steady value (sealed,
without losses: -ln(1 - approach) / lambda whatever D); inventory_at and surface_at belong to `times`.

What to look for: change the diffusivity; the profile changes, the inventory does not. Let the back absorb: now N
depends on D, because the atoms that cross the block before they decay (`transit_fraction`) are lost to it.

Limits: one dimension, a constant diffusivity, a parent that lasts. `thickness` may be "infinite"; the half-space is cut
40 penetration lengths deep, where e^-40 is below rounding. `penetration_length` is the mean depth of the atoms in a
half-space of the same substance. The release through a back more than about 25 penetration lengths away, e^-25 of the
production, is no longer resolved to four digits.

Sources: H. Bateman, Proc. Cambridge Philos. Soc. 15 (1910) 423 (decay); radon-222 lambda = 2.0974e-6 1/s (half-life
3.825 d); diffusivity of radon in dry concrete, typical value.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.ground.arithmetic import array_module, is_traced
from steadyflux.ground.errors import InputError
from steadyflux.systems.system import Choice, Claim, Comparison, Numbers, Parameter, Result, System, Values

DEEP = 16.0  # penetration lengths that are always resolved with three quarters of the steps
THIN, THINNEST = 0.03, 1e-5  # penetration lengths: below the first a block is even, below the second not computed
TRANSIENT = 801  # cells in time
HALF_SPACE = 40.0  # penetration lengths that stand for an infinite thickness


@dataclass(frozen=True)
class Thickness(Parameter):
    """A thickness that may also be "infinite"."""

    def read(self, value: Any) -> Any:
        """The thickness in SI, infinity for a half-space."""
        if (
            value == float("inf")
            if isinstance(value, float)
            else isinstance(value, str) and value in ("infinite", "inf")
        ):
            return float("inf")
        return super().read(value)


PARAMETERS = (
    Parameter("production", 0.01, "1/(m^2*s)", "a faint radium paint, chosen", low=0.0, high=1e30),
    Parameter("decay_constant", 2.0974e-6, "1/s", "radon-222", low=1e-20, high=1e9),
    Parameter("diffusivity", 2e-8, "m^2/s", "radon in dry concrete, typical value", low=1e-25, high=1e3),
    Thickness("thickness", 0.15, "m", "a wall, chosen; may be infinite", low=1e-12, high=float("inf")),
    Choice("back", "sealed", ("sealed", "absorbing"), "chosen"),
    Parameter("surface_loss_velocity", 0.0, "m/s", "nothing leaves through the face", low=0.0, high=1e6),
    Numbers("positions", (0.0, 0.03, 0.12), "m", "chosen", low=0.0),
    Parameter("approach", 0.99, "", "within 1 %", low=1e-3, high=0.999999),
    Numbers("times", (), "s", "none", low=0.0),
    Parameter("cells", 4001.0, "", "4000 steps", low=5.0, high=400001.0, whole=True),
)


def _depth(p: Values) -> Any:
    """The depth that is computed: the thickness, or for a half-space 40 penetration lengths."""
    if not is_traced(p.thickness) and np.isposinf(p.thickness):
        return HALF_SPACE * (p.diffusivity / p.decay_constant) ** 0.5
    return p.thickness


def _steps(p: Values) -> int:
    """Number of steps; few in a block so thin that all is even, where many would drown the decay in rounding."""
    if is_traced(p.items):
        return p.cells - 1
    share = _depth(p) / (p.diffusivity / p.decay_constant) ** 0.5
    if share < THINNEST and p.back == "sealed" and p.surface_loss_velocity == 0:
        raise InputError(
            f"The block is only {share:.1g} penetration lengths thick: beside diffusion the decay is lost in rounding; "
            "take a thicker block or a smaller diffusivity (N = P / lambda holds all the same)."
        )
    return min(p.cells - 1, 40) if share < THIN else p.cells - 1


def _nodes(p: Values) -> Any:
    """Three quarters of the steps in the first 16 penetration lengths (equal steps throughout a thinner block)."""
    xp = array_module(p.items)
    depth = _depth(p)
    near = xp.minimum(0.75 * depth, DEEP * (p.diffusivity / p.decay_constant) ** 0.5)
    steps = _steps(p)
    first = (3 * steps) // 4
    far = np.arange(1, steps - first + 1) / (steps - first)
    return xp.concatenate([near * (np.arange(first + 1) / first), near + (depth - near) * far])


def model(p: Values) -> sf.Model:
    """The block: made at the face, decaying inside, lost through the face and through an absorbing back."""
    back = [sf.Hold("back", {"N": 0.0})] if p.back == "absorbing" else []
    return sf.Model(
        space=sf.interval(nodes=_nodes(p), names=("face", "back")),
        quantities=[sf.Population("N")],
        laws=[
            sf.Fick("N", p.diffusivity),
            sf.Decay({"N": -1}, p.decay_constant),
            sf.Source("N", p.production, on="face"),
        ],
        boundaries=[sf.Exchange("face", sf.Transfer("N", p.surface_loss_velocity), {"N": 0.0}), *back],
        start={"N": 0.0},
    )


def in_time(p: Values) -> dict[str, Any]:
    """When the inventory is there, and what a block that was clean holds at the times asked for."""
    coarse = model(Values({**p.items, "cells": min(p.cells, TRANSIENT)}))
    wanted = p.approach * float(sf.steady(coarse).total("N"))
    there = sf.Event("there", lambda view: view.total("N") / wanted - 1.0, then="note", direction=1)
    longest = max(-2.0 * float(np.log1p(-p.approach)) / p.decay_constant, *p.times, 0.0)
    history = sf.evolve(coarse, until=longest, rtol=1e-7, events=[there])
    found: dict[str, Any] = {"approach_time": history.events[0].time}
    if p.times:
        profiles = history.values("N", p.times)
        found["inventory_at"] = profiles @ np.asarray(coarse.space.volume)
        found["surface_at"] = profiles[:, 0]
    return found


def _half_space(p: Values) -> Values:
    changes = {"thickness": float("inf"), "back": "sealed", "surface_loss_velocity": 0.0}
    return Values({**p.items, **changes})


def _mean_depth(solution: sf.Solution) -> Any:
    c, volume = jnp.asarray(solution["N"]), jnp.asarray(solution.model.space.volume)
    return jnp.sum(volume * c * jnp.asarray(solution.position())) / jnp.sum(volume * c)


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """Inventory, profile at the positions, depths, and what leaves at the back and at the face."""
    depth = _depth(p)
    if not is_traced(p.items) and max(p.positions, default=0.0) > depth:
        raise InputError(f"The position {max(p.positions):g} m lies outside the block, which is {depth:g} m thick.")
    release = -solution.flow("N", "back") if p.back == "absorbing" else jnp.zeros(())
    later = {} if is_traced(p.items) or p.production == 0 else in_time(p)
    return later | {
        "inventory": solution.total("N"),
        "profile": solution.interpolate("N", jnp.asarray(p.positions)),
        "surface_concentration": solution["N"][0],
        "penetration_length": _mean_depth(sf.steady(model(_half_space(p)))),
        "mean_depth": _mean_depth(solution),
        "release": release,
        "surface_loss": -solution.flow("N", "face"),
        "transit_fraction": release / p.production if p.production else 0.0,
    }


UNITS = {
    "inventory": "1/m^2",
    "profile": "1/m^3",
    "surface_concentration": "1/m^3",
    "penetration_length": "m",
    "mean_depth": "m",
    "release": "1/(m^2*s)",
    "surface_loss": "1/(m^2*s)",
    "transit_fraction": "",
    "approach_time": "s",
    "inventory_at": "1/m^2",
    "surface_at": "1/m^3",
}

Run = Callable[..., Result]

# Independent reference computations (closed forms in big floats), relative accuracy 1e-11: name -> (sealed, absorbing).
RADON = {
    "inventory": (4767.807761991036, 2806.39750046062),
    "profile": (
        (53568.096519264545, 40878.92750941673, 23085.347765339367),
        (44502.307080077066, 31381.934287729862, 6268.32159735379),
    ),
    "penetration_length": (0.0976504763121106, 0.0976504763121106),
    "mean_depth": (0.06306184296042928, 0.04637452498973388),
    "release": (0.0, 0.004113861882533896),
}
RADON_HALF_SPACE = (48825.2381560553, 35910.48057724796, 14287.352429117693)  # 1/m^3 at the same positions
TRACER_CASE = {
    "production": 3e6,
    "diffusivity": 1.3e-11,
    "decay_constant": 1.782e-9,
    "surface_loss_velocity": 4e-8,
    "thickness": 0.08,
    "positions": (0.001, 0.02, 0.07),
}
TRACER = {
    "inventory": (4686747729370.228, 2783910934262.2285),
    "profile": (
        (74153871885889.53, 63884380416630.44, 51169449075774.45),
        (73427440895983.55, 52636200670454.86, 8109158194733.903),
    ),
    "mean_depth": (0.03731132382892138, 0.025910589128823054),
    "surface_loss": (2991648.2155462625, 2984521.210801228),
    "release": (0.0, 10517.859913917095),
}
TRACER_HALF_SPACE = {
    "inventory": 6381601687497.161,
    "profile": (73846030293526.14, 59117709373727.22, 32921675100484.56),
    "surface_loss": 2988627.9857928804,
}


def _against(reference: dict[str, Any], case: dict[str, Any]) -> Callable[[Run], list[Comparison]]:
    def compare(run: Run) -> list[Comparison]:
        found = [run(**case, back=back).answers for back in ("sealed", "absorbing")]
        return [
            Comparison(one[name], np.asarray(value), 5e-6 if name == "penetration_length" else 1e-6)
            for name, pair in reference.items()
            for one, value in zip(found, pair, strict=True)
        ]

    return compare


def _half_spaces(run: Run) -> list[Comparison]:
    radon, tracer = run(thickness="infinite").answers, run(**{**TRACER_CASE, "thickness": "infinite"}).answers
    others = [Comparison(tracer[n], np.asarray(value), 5e-6) for n, value in TRACER_HALF_SPACE.items()]
    return [Comparison(radon["profile"], np.array(RADON_HALF_SPACE), 5e-6), *others]


def _inventory(run: Run) -> list[Comparison]:
    """N lambda / P = 1 for any diffusivity, sealed and infinite, while the depth goes as its square root."""
    comparisons = []
    for D in (1e-14, 3e-8, 0.2):
        for thickness in (0.07, "infinite"):
            found = run(diffusivity=D, thickness=thickness, production=7.3, positions=()).answers
            comparisons.append(Comparison(found["inventory"] * 2.0974e-6 / 7.3, 1.0, 1e-10))
        comparisons.append(Comparison(found["penetration_length"], np.sqrt(D / 2.0974e-6), 5e-6))
    return comparisons


def _balance(run: Run) -> Comparison:
    """What is made decays or leaves."""
    found = run(**TRACER_CASE, back="absorbing").answers
    gone = 1.782e-9 * found["inventory"] + found["release"] + found["surface_loss"]
    return Comparison(gone, 3e6, 1e-10)


def _order(run: Run) -> Comparison:
    errors = [
        abs(float(run(back="absorbing", cells=cells).answers["release"]) - RADON["release"][1])
        for cells in (1001, 4001)
    ]
    return Comparison(np.log2(errors[0] / errors[1]) / 2.0, 2.0, 0.0, 0.05)


# Inventories and surface concentrations at four times, radon and tracer, (sealed, absorbing): Laplace inversions.
RADON_TIMES = (3600.0, 86400.0, 500000.0, 3000000.0)
RADON_IN_TIME = {
    "sealed": (
        (35.864429908242855, 790.2370837890799, 3097.201468434371, 4758.984056640595),
        (4775.2855311368085, 22110.054875013673, 42377.237608757554, 53509.271816928194),
    ),
    "absorbing": (
        (35.864429908242855, 787.2510457626679, 2459.11630150803, 2806.389876570994),
        (4775.2855311368085, 22110.04880350741, 40865.43932101473, 44502.227242891604),
    ),
}
TRACER_TIMES = (1e7, 4e8, 3e9)
TRACER_IN_TIME = {
    "sealed": (
        (935235034796.9149, 4445507303452.155, 4686747723659.333),
        (73773978280122.95, 74761222612486.69, 74791205387946.81),
    ),
    "absorbing": (
        (935234752571.552, 2783525211378.9966, 2783910934262.23),
        (73773978280122.95, 74612934394077.56, 74613030270030.72),
    ),
}


def _transient(run: Run) -> list[Comparison]:
    comparisons = []
    for case, times, reference in (({}, RADON_TIMES, RADON_IN_TIME), (TRACER_CASE, TRACER_TIMES, TRACER_IN_TIME)):
        for back, (inventory, surface) in reference.items():
            found = run(**case, times=times, back=back).answers
            comparisons += [
                Comparison(found["inventory_at"], np.array(inventory), 5e-5),
                Comparison(found["surface_at"], np.array(surface), 5e-5),
            ]
    return comparisons


def _approach(run: Run) -> list[Comparison]:
    """Without losses the inventory comes as 1 - exp(-lambda t), whatever the diffusivity."""
    one, two = (run(diffusivity=D, positions=()).answers["approach_time"] for D in (2e-8, 3e-6))
    half = run(approach=0.5, thickness="infinite", positions=()).answers["approach_time"]
    return [
        Comparison(np.array((one, two)), np.full(2, 2195656.615804373), 1e-5),
        Comparison(half, np.log(2.0) / 2.0974e-6, 1e-5),
    ]


CLAIMS = (
    Claim("radon in concrete agrees with the reference", "independent reference computation", _against(RADON, {})),
    Claim("a tracer that also escapes agrees", "independent reference computation", _against(TRACER, TRACER_CASE)),
    Claim("half-spaces agree with the reference", "independent reference computation", _half_spaces),
    Claim("N lambda / P = 1 for any diffusivity; penetration as sqrt(D / lambda)", "balance; closed form", _inventory),
    Claim("the way from a clean block agrees with the reference", "independent Laplace inversions", _transient),
    Claim("a sealed block fills as 1 - exp(-lambda t)", "closed form", _approach),
    Claim("what is made decays or leaves", "conservation", _balance),
    Claim("the release converges with order 2", "observed order against P / cosh(L/l)", _order),
)


def figure(result: Result) -> Figure:
    """Profiles for three diffusivities: different depths, equal areas (as long as nothing leaves)."""
    p = result.parameters
    drawing = Figure(figsize=(7.0, 4.5), layout="constrained")
    axes = drawing.subplots()
    for factor, colour in ((0.1, "C0"), (1.0, "C3"), (10.0, "C2")):
        changed = Values({**p.items, "diffusivity": factor * p.diffusivity})
        solution = result.solution if factor == 1.0 else sf.steady(model(changed))
        share = float(solution.total("N")) * p.decay_constant / max(p.production, 1e-300)
        text = f"D = {changed.diffusivity:.2g} m$^2$/s: N λ/P = {share:.6g}"
        axes.plot(np.asarray(solution.position()), np.asarray(solution["N"]), color=colour, label=text)
    limit = min(float(_depth(p)), 5.0 * float(result.answers["penetration_length"]))
    axes.set_xlim(0.0, limit)
    axes.set_ylim(0.0, None)
    axes.set_xlabel("depth, m")
    axes.set_ylabel("daughter atoms, 1/m$^3$")
    axes.legend()
    return drawing


SYSTEM = System(
    name="radioactive_daughter",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
)
