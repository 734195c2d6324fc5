"""The node of an embryo: cilia drive a leftward flow, and what it carries tells left from right.

Seeds: D

In a small pit on the surface of the embryo some hundred tilted cilia turn, and fluid flows to the left. A signalling
protein secreted there is carried along, diffuses and decays. More of it on one side than on the other: that decides on
which side the heart will be. The mode `through_flow` is the picture of the textbooks, a uniform stream that passes
through the walls. But the node is a closed pit: what flows left over the cilia must come back above them. The mode
`cavity` has both, and there hardly any difference is left.

## Equations

    through flow   D c'' + v c' - c / lifetime + s = 0      (v to the left),   D c' + v c = +- h c at the walls
    cavity         div(u c - D grad c) + c / lifetime = 0,  D dc/dy = h_f c - s_f on the floor, other walls sealed
                   u = curl of psi = -U H 16 X^2 (1 - X)^2 Y (1 - Y)^2,   X = x / width, Y = y / height

The source s is spread evenly (source / width) or stands at one point. psi makes the fluid stick to the walls and the
ceiling and move to the left over the floor, fastest (U) in the middle; every bit of it returns above.

`left_right_ratio` compares the two walls; in the cavity the two ends of the floor. `peclet` is speed times width over
diffusivity. `profile` gives the concentrations at the `positions` (shares of the width, from the left), in the cavity
on the floor.

## What to look for

Without decay or uptake a through flow would hold a ratio of e^Pe. Decay limits it: over a lifetime the stream carries
the protein only so far. Make the particles larger (`diffusivity` 1e-12 for vesicles): the cavity mixes them just as
well. What makes a difference in a closed pit must be something else than plain carriage: release or uptake on one side,
or vesicles that burst on arrival.

## Limits

A given flow; one protein in small concentration; two dimensions at most. In the cavity a Peclet number up to 2000.

## Sources

Nonaka et al. 2005 and Smith, Blake and Gaffney 2008 (tilted cilia drive the flow); width 50 um, speeds of 15 to 50 um/s
over the cilia, diffusivity of a protein of 30 kDa 7e-11 m^2/s, lifetimes: typical. Source strengths are chosen: ratios
do not depend on them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.ground.arithmetic import array_module, is_traced
from steadyflux.ground.errors import InputError
from steadyflux.systems.system import Choice, Claim, Comparison, Numbers, Parameter, Result, System, Values

STEPS = 4000  # on each side of the point source of the through flow

PARAMETERS = (
    Choice(
        "mode", "through_flow", ("through_flow", "cavity"), "a uniform stream, or a closed pit with its return flow"
    ),
    Parameter("flow_speed", 3e-6, "m/s", "through flow to the left, slow (typical)", -1.0, 1.0),
    Parameter("diffusivity", 7e-11, "m^2/s", "protein of 30 kDa (typical)", 1e-14, 1e-7),
    Parameter("lifetime", 50.0, "s", "of the protein (typical)", 1e-3, 1e30),
    Parameter("width", 5e-5, "m", "mouse node", 1e-6, 1e-2),
    Parameter("source", 1e-12, "mol/(m^2*s)", "in all, per cross-section (chosen)", 1e-30, 1e3),
    Choice("source_shape", "uniform", ("uniform", "point"), "cells all over the node"),
    Parameter("source_position", 0.5, "", "of a point source, share of the width (chosen)", 0.01, 0.99),
    Parameter("wall_uptake", 0.0, "m/s", "of both walls; none", 0.0, 1.0),
    Parameter("height", 4e-5, "m", "of the cavity (typical)", 1e-6, 1e-2),
    Parameter("floor_speed", 1.5e-5, "m/s", "over the cilia (typical)", -1.0, 1.0),
    Parameter("floor_source", 2e-8, "mol/(m^2*s)", "of the cavity's floor (chosen)", 1e-30, 1e3),
    Parameter("floor_uptake", 6e-6, "m/s", "of the cavity's floor (typical)", 0.0, 1.0),
    Parameter("steps", None, "", "of the cavity in each direction; chosen by its Peclet number", 8, 1000, whole=True),
    Numbers("positions", (0.1, 0.45, 0.9), "", "shares of the width, from the left", 0.0, 1.0),
)


def _graded(xp: Any, length: Any, steps: int, smallest: Any, *, both: bool = True) -> Any:
    """Nodes from 0 to ``length``: half of them even, half in steps that grow from ``smallest`` at the ends (or one)."""
    wanted = xp.maximum(length / (steps * smallest), 1.0)
    ratio = 1.0 + wanted * (wanted - 1.0)
    for _ in range(60):  # the mean of a geometric row is (ratio - 1) / ln(ratio) of its smallest
        ratio = 1.0 + wanted * xp.log(xp.maximum(ratio, 1.0 + 1e-9))
    place = np.linspace(0.0, 1.0, steps)
    widths = xp.maximum(ratio, 1.0) ** (1.0 - abs(2.0 * place - 1.0) if both else place)
    x = xp.concatenate([xp.zeros(1), xp.cumsum(widths)])
    share, even = x / x[-1], np.arange(steps + 1) / steps
    return length * xp.interp(even, 0.5 * (share + even), share)


def _through_flow(p: Values) -> sf.Model:
    xp = array_module(p.items)
    v, D, at = p.flow_speed, p.diffusivity, p.source_position * p.width
    rate = xp.sqrt(v**2 + 4.0 * D / p.lifetime)
    finest = 2.0 * D / (xp.abs(v) + rate) / 80.0  # of the shortest length of decay
    first = _graded(xp, at, STEPS, finest)
    space = sf.interval(nodes=xp.concatenate([first, at + _graded(xp, p.width - at, STEPS, finest)[1:]]))
    # Exponential fitting is exact for a constant flux, but decay eats up the flux between two nodes: the diffusion that
    # the fitting adds is taken off again, so that the stream is carried by the mean of both sides.
    local = xp.abs(v) * xp.asarray(space.edges["interior"].length) / D
    small = xp.clip(0.5 * local, 1e-4, 0.9)
    spread = D * xp.where((local > 2e-4) & (local < 1.8), small / xp.arctanh(small), 1.0)
    source: Any = sf.Source("c", p.source / p.width)
    if p.source_shape == "point":
        space = space.with_region("point", [STEPS])
        source = sf.Source("c", p.source / space.volume[STEPS], on="point")
    uptake = sf.Transfer("c", p.wall_uptake)
    return sf.Model(
        space,
        [sf.Species("c")],
        [sf.Advection("c", -v, spread), sf.Decay({"c": -1}, 1.0 / p.lifetime), source],
        [sf.Exchange(wall, uptake, {"c": 0.0}) for wall in ("left", "right")],
        start={"c": p.source / D * p.width},
    )


def _steps(p: Values) -> int:
    """Steps of the cavity in each direction: more for narrow layers at large Peclet numbers."""
    if p.steps is not None:
        return p.steps
    if is_traced(p.items):
        return 120
    peclet = abs(p.floor_speed) * p.width / p.diffusivity
    return 2 * round(48.0 * max(1.0, peclet / 15.0) ** 0.3)


def stream_function(p: Values, x: Any, y: Any) -> Any:
    """The flow between any two points, m^2/s: leftward over the floor, back above."""
    X, Y = x / p.width, y / p.height
    return -p.floor_speed * p.height * 16.0 * (X * (1.0 - X)) ** 2 * Y * (1.0 - Y) ** 2


def _cavity(p: Values) -> sf.Model:
    xp, steps = array_module(p.items), _steps(p)
    finest = xp.sqrt(p.diffusivity * p.lifetime) / steps  # of the depth that the protein reaches by diffusion
    x = p.width * (np.arange(steps + 1) / steps)
    y = _graded(xp, p.height, steps, finest, both=False)
    space = sf.grid(x=x, y=y)
    edges = space.edges["interior"]
    # Through each face flows the difference of the stream function between its ends: what enters a cell leaves it.
    across, up = np.divmod(np.asarray(edges.tail), steps + 1)
    sideways = np.asarray(edges.head) - np.asarray(edges.tail) == steps + 1
    corner_x = xp.concatenate([x[:1], 0.5 * (x[1:] + x[:-1]), x[-1:]])
    corner_y = xp.concatenate([y[:1], 0.5 * (y[1:] + y[:-1]), y[-1:]])
    middle_x, middle_y = corner_x[1:-1], corner_y[1:-1]
    i, j = np.minimum(across, steps - 1), np.minimum(up, steps - 1)
    right = stream_function(p, middle_x[i], corner_y[up + 1]) - stream_function(p, middle_x[i], corner_y[up])
    rise = stream_function(p, corner_x[across], middle_y[j]) - stream_function(p, corner_x[across + 1], middle_y[j])
    velocity = xp.where(sideways, right, rise) / xp.asarray(edges.area)
    return sf.Model(
        space,
        [sf.Species("c")],
        [
            sf.Advection("c", velocity, p.diffusivity),
            sf.Decay({"c": -1}, 1.0 / p.lifetime),
            sf.Source("c", p.floor_source, on="bottom"),
        ],
        [sf.Exchange("bottom", sf.Transfer("c", p.floor_uptake), {"c": 0.0})],
        start={"c": p.floor_source / p.diffusivity * p.height},
    )


def model(p: Values) -> sf.Model:
    """The node with a stream through it, or closed."""
    if not is_traced(p.items):
        peclet = abs(p.floor_speed) * p.width / p.diffusivity
        if p.mode == "cavity" and peclet > 2000.0:
            raise InputError(f"The cavity's Peclet number is {peclet:.4g}; its mesh resolves up to 2000.")
        uptake = p.wall_uptake if p.mode == "through_flow" else p.floor_uptake
        if uptake == 0.0 and p.width**2 < 1e-9 * p.diffusivity * p.lifetime:
            raise InputError(
                "Next to nothing removes the protein; give it a shorter lifetime or an uptake at the walls."
            )
    return _through_flow(p) if p.mode == "through_flow" else _cavity(p)


def _halves(x: Any, c: Any, middle: Any) -> tuple[Any, Any]:
    """Integral of a profile over the left and the right half, by trapezes."""
    sums = jnp.concatenate([jnp.zeros(1), jnp.cumsum(0.5 * (c[1:] + c[:-1]) * (x[1:] - x[:-1]))])
    at = jnp.interp(middle, x, c)
    left_of = jnp.searchsorted(x, middle, side="right") - 1
    left = sums[left_of] + 0.5 * (c[left_of] + at) * (middle - x[left_of])
    return left, sums[-1] - left


def _at(p: Values, x: Any, c: Any) -> Any:
    """A profile at the positions: between two nodes it falls exponentially."""
    return jnp.exp(jnp.interp(jnp.asarray(p.positions) * p.width, x, jnp.log(c)))


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """What tells left from right, and where the protein ends."""
    c = solution["c"]
    damkohler = p.width**2 / (p.diffusivity * p.lifetime)
    if p.mode == "through_flow":
        x = jnp.asarray(solution.position())
        left, right = _halves(x, c, 0.5 * p.width)
        return {
            "left_right_ratio": c[0] / c[-1],
            "peclet": jnp.abs(p.flow_speed) * p.width / p.diffusivity,
            "damkohler": damkohler,
            "profile": _at(p, x, c),
            "left_concentration": c[0],
            "right_concentration": c[-1],
            "half_ratio": left / right,
            "asymmetry": (left - right) / (left + right),
            "inventory": solution.total("c"),
            "captured_left": p.wall_uptake * c[0],
            "captured_right": p.wall_uptake * c[-1],
        }
    space = solution.model.space
    count = _steps(p) + 1
    x, c = jnp.asarray(space.position)[::count, 0], c.reshape(count, count)
    left, right = _halves(x, c[:, 0], 0.5 * p.width)
    return {
        "left_right_ratio": c[0, 0] / c[-1, 0],
        "peclet": jnp.abs(p.floor_speed) * p.width / p.diffusivity,
        "damkohler": damkohler,
        "profile": _at(p, x, c[:, 0]),
        "left_concentration": c[0, 0],
        "right_concentration": c[-1, 0],
        "half_ratio": left / right,
        "asymmetry": (left - right) / (left + right),
        "ceiling_ratio": c[0, -1] / c[-1, -1],
        "inventory": solution.total("c") / p.width,
        "floor_uptake_left": p.floor_uptake * left,
        "floor_uptake_right": p.floor_uptake * right,
    }


UNITS = {
    **dict.fromkeys(("left_right_ratio", "peclet", "damkohler", "half_ratio", "asymmetry", "ceiling_ratio"), ""),
    **dict.fromkeys(("profile", "left_concentration", "right_concentration"), "mol/m^3"),
    "inventory": "mol/m^2",
    **dict.fromkeys(("captured_left", "captured_right"), "mol/(m^2*s)"),
    **dict.fromkeys(("floor_uptake_left", "floor_uptake_right"), "mol/(m*s)"),
}

Run = Callable[..., Result]

# Independent reference computations (closed forms; in the cavity a Legendre-Galerkin solution), accuracy 1e-8.
MOUSE = {
    "left_right_ratio": 7.445426996294547,
    "peclet": 2.142857142857143,
    "damkohler": 0.7142857142857144,
    "profile": (1.8978340557019644e-06, 9.330816769110042e-07, 3.8793037550202e-07),
    "left_concentration": 2.3464816665351767e-06,
    "right_concentration": 3.151574339125181e-07,
    "asymmetry": 0.4589225411215646,
    "inventory": 4.9999999999999995e-11,
}
FISH_CASE: dict[str, Any] = {"width": 7e-5, "diffusivity": 8e-11, "lifetime": 200.0, "height": 5e-5}
FISH_THROUGH = FISH_CASE | {"flow_speed": 4e-6, "wall_uptake": 2e-6, "source": 3e-12, "source_shape": "point"}
FISH_THROUGH |= {"positions": (0.02, 0.3, 0.77)}
FISH = {
    "left_right_ratio": 13.708388539858056,
    "profile": (1.2483306097977616e-06, 8.830570123220927e-07, 2.705551052404686e-07),
    "asymmetry": 0.4763059703145861,
    "inventory": 4.5532536827620615e-11,
    "captured_left": 2.5838505004402633e-12,
    "captured_right": 1.8848681542163364e-13,
}
MOUSE_CAVITY = {
    "left_right_ratio": 1.0449986712448869,
    "half_ratio": 1.0318245685722989,
    "ceiling_ratio": 1.052618424892168,
    "peclet": 10.714285714285715,
    "inventory": 5.285378916334546e-12 / 5e-5,
    "floor_uptake_left": 4.5414988402218654e-13,
    "floor_uptake_right": 4.401425376511227e-13,
}
FISH_CLOSED = FISH_CASE | {"mode": "cavity", "floor_speed": 1e-5, "floor_uptake": 0.0, "floor_source": 3e-12 / 7e-5}
FISH_CAVITY = {
    "left_right_ratio": 1.0344915143539877,
    "half_ratio": 1.0230443805506049,
    "ceiling_ratio": 1.0210633816732337,
    "inventory": 6.000000000000003e-10 / 7e-5,
}


def _against(cases: Any, rtol: float) -> Callable[[Run], list[Comparison]]:
    def compare(run: Run) -> list[Comparison]:
        found = [(run(**case).answers, reference) for case, reference in cases]
        return [Comparison(a[name], np.asarray(value), rtol) for a, ref in found for name, value in ref.items()]

    return compare


def _symmetric(run: Run) -> list[Comparison]:
    """No flow, no difference; the flow turned round, left and right exchanged."""
    still = [run(flow_speed=0.0, wall_uptake=1e-6).answers, run(mode="cavity", floor_speed=0.0).answers]
    left = [run(), run(mode="cavity")]
    right = [run(flow_speed=-3e-6), run(mode="cavity", floor_speed=-1.5e-5)]
    return [
        *(Comparison(a["left_right_ratio"], 1.0, 1e-9) for a in still),
        *(
            Comparison(a.answers["left_right_ratio"] * b.answers["left_right_ratio"], 1.0, 1e-9)
            for a, b in zip(left, right, strict=True)
        ),
    ]


def _lasting(run: Run) -> list[Comparison]:
    """What lasts for ever comes to rest between stream and diffusion: c falls as e^(-v x / D)."""
    found = []
    for speed in (3e-6, 2e-5):
        a = run(flow_speed=speed, lifetime=5e9).answers
        found.append(Comparison(a["left_right_ratio"], np.exp(speed * 5e-5 / 7e-11), 1e-5))
    return found


def _balance(run: Run) -> list[Comparison]:
    """What is made decays or is taken up."""
    a = run(**FISH_THROUGH).answers
    gone = a["inventory"] / 200.0 + a["captured_left"] + a["captured_right"]
    b = run(mode="cavity").answers
    left = b["inventory"] * 5e-5 / 50.0 + b["floor_uptake_left"] + b["floor_uptake_right"]
    return [Comparison(gone, 3e-12, 1e-10), Comparison(left, 2e-8 * 5e-5, 1e-6)]


def _cancelled(run: Run) -> list[Comparison]:
    """Five times the speed over the floor, and the return flow leaves less than a hundredth of the difference."""
    through, closed = run().answers["left_right_ratio"] - 1.0, run(mode="cavity").answers["left_right_ratio"] - 1.0
    return [Comparison(closed, 0.045, 1e-3), Comparison(min(float(through / closed), 100.0), 100.0, 0.0)]


def _order(run: Run) -> Comparison:
    exact = MOUSE_CAVITY["half_ratio"]
    errors = [float(run(mode="cavity", steps=n).answers["half_ratio"]) - exact for n in (20, 40)]
    return Comparison(np.log2(errors[0] / errors[1]), 2.0, 0.0, 0.05)


CLAIMS = (
    Claim(
        "through flow in a mouse and in a fish",
        "independent reference computation",
        _against((({}, MOUSE), (FISH_THROUGH, FISH)), 2e-6),
    ),
    Claim(
        "closed cavities of a mouse and of a fish",
        "independent reference computation",
        _against((({"mode": "cavity"}, MOUSE_CAVITY), (FISH_CLOSED, FISH_CAVITY)), 2e-5),
    ),
    Claim("the return flow all but cancels the difference", "closed against open, reference 1.045", _cancelled),
    Claim("left and right are alike without flow, and exchanged with it turned", "symmetry", _symmetric),
    Claim("a protein that lasts is held apart by e^Pe", "closed form", _lasting),
    Claim("what is made decays or is taken up", "conservation", _balance),
    Claim("the cavity converges at second order", "observed order", _order),
)


def figure(result: Result) -> Figure:
    """The profile across the node; in the cavity the concentration with the lines of flow, and along the floor."""
    p, a, solution = result.parameters, result.answers, result.solution
    if p.mode == "through_flow":
        drawing = Figure(figsize=(6.4, 4.2), layout="constrained")
        axes = drawing.subplots()
        c = np.asarray(solution["c"]) * p.width / float(a["inventory"])
        axes.plot(1e6 * np.asarray(solution.position()), c, color="C0")
    else:
        drawing = Figure(figsize=(10.0, 4.0), layout="constrained")
        map_axes, axes = drawing.subplots(1, 2)
        count = _steps(p) + 1
        where = 1e6 * np.asarray(solution.model.space.position).reshape(count, count, 2)
        x, y = where[:, 0, 0], where[0, :, 1]
        c = np.asarray(solution["c"]).reshape(count, count) * p.height / float(a["inventory"])
        shown = map_axes.pcolormesh(x, y, c.T, shading="gouraud", cmap="viridis")
        drawing.colorbar(shown, ax=map_axes, label="concentration / mean")
        psi = np.asarray(stream_function(p, 1e-6 * x[:, None], 1e-6 * y[None, :]))
        map_axes.contour(x, y, psi.T, 7, colors="w", linewidths=0.7, linestyles="solid")
        map_axes.set_xlabel("from the left wall (µm)")
        map_axes.set_ylabel("above the floor (µm)")
        map_axes.set_aspect("equal")
        axes.plot(x, c[:, 0], color="C0", label="on the floor")
        axes.plot(x, c[:, -1], color="C1", label="under the ceiling")
        axes.legend()
    axes.set_ylim(0.0, None)
    axes.set_xlabel("from the left wall (µm)")
    axes.set_ylabel("concentration / mean")
    axes.set_title(f"left over right {float(a['left_right_ratio']):.4g}", fontsize="medium")
    return drawing


SYSTEM = System(
    name="nodal_flow",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
)
