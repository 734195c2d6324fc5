"""A river: a film down an incline, and the reaches of a catchment with the wave of a flood.

Seeds: A, D

Water that flows downhill steadily is a steady state in plain sight: its momentum flux to the bed equals what gravity
feeds in, and the height it loses becomes heat.

## Equations

`film`: a laminar sheet of depth h on an incline; the shear stress carries the momentum rho g sin(a) of every layer to
the bed, where the water sticks; the surface is free:

    d/dz (eta du/dz) + rho g sin(a) = 0,      q = rho g sin(a) h^3 / (3 eta),      tau_bed = rho g sin(a) h

`reach`: rectangular channels (width b, slope S, Manning's n) in a tree of reaches; water is stored in each of its
segments and leaves it downstream:

    b dx dh/dt = Q_in - Q,      Q = (1/n) b h (b h / (b + 2 h))^(2/3) sqrt(S_f)

In the `kinematic` wave the friction slope S_f is that of the bed, in the `diffusive` one that of the water's surface.
A `flood` adds a triangular pulse to the inflow of every reach without another above it.

## What to look for

The same balance holds from a film of a tenth of a millimetre to a river: weight downhill against drag of the bed. A
wave of a flood travels faster than the water, 5/3 of its speed in a wide channel, since deeper water runs faster. The
power that the water loses is Q rho g times the height it falls, whatever the bed.

## Limits

Film: laminar, no waves (Reynolds number 4 q / nu below a few hundred). Reaches: no inertia of the water and no
backwater of the junctions. The kinematic wave has no width of its own: on a mesh it is smeared by half a segment (first
order), where the diffusive one is of second order (the peak of the default flood 5e-4 low). No hydraulic jumps.

## Sources

W. Nusselt, Z. VDI 60 (1916) 541 (film); R. Manning, Trans. Inst. Civ. Eng. Ireland 20 (1891) 161; M. J. Lighthill and
G. B. Whitham, Proc. R. Soc. A 229 (1955) 281 (kinematic waves; 5/3: Kleitz and Seddon); roughness of natural streams
0.03 to 0.05: V. T. Chow, Open-Channel Hydraulics (1959), table 5-6. From memory, pages not looked up again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.ground.constants import G_STANDARD
from steadyflux.model.model import Model
from steadyflux.model.solution import Solution
from steadyflux.physics.local import Geometry, Local
from steadyflux.systems.flow._river_claims import CLAIMS
from steadyflux.systems.system import Choice, Numbers, Parameter, Result, System, Table, Values

LEVEL = 1e-6  # slope of the surface below which the diffusive wave creeps, over that of the bed

COLUMNS = {
    "name": ("text", ...),
    "to": ("text", ""),
    "length": ("m", ...),
    "width": ("m", ...),
    "slope": ("", ...),
    "roughness": ("s/m^(1/3)", 0.035),
    "inflow": ("m^3/s", 0.0),
}
CATCHMENT = (
    {"name": "north", "to": "main", "length": 6e3, "width": 8.0, "slope": 4e-3, "inflow": 6.0},
    {"name": "south", "to": "main", "length": 9e3, "width": 10.0, "slope": 3e-3, "inflow": 9.0},
    {"name": "main", "length": 2e4, "width": 25.0, "slope": 1e-3, "roughness": 0.03, "inflow": 2.0},
)
PARAMETERS = (
    Choice("mode", "reach", ("reach", "film"), "a catchment of reaches, or a laminar film on an incline"),
    Table("reaches", CATCHMENT, COLUMNS, "two streams and a river (typical)"),
    Choice("wave", "diffusive", ("diffusive", "kinematic"), "friction slope of the bed or of the surface"),
    Parameter("segments", 200, "", "of each reach, chosen", 1, 2000, whole=True),
    Parameter("flood", 20.0, "m^3/s", "peak of the pulse above the inflow (typical)", 0.0, 1e6),
    Parameter("flood_duration", 14400.0, "s", "four hours of rain (typical)", 1.0, 1e9),
    Parameter("depth", 2e-4, "m", "of the film: rain on a pane (typical)", 1e-9, 1.0),
    Parameter("incline", 0.1, "", "sine of the film's angle", 1e-9, 1.0),
    Parameter("viscosity", 1.002e-3, "Pa*s", "water at 20 C", 1e-6, 1e6),
    Parameter("density", 998.2, "kg/m^3", "water at 20 C", 1.0, 3e4),
    Numbers(
        "heights", (0.1, 0.25, 0.5, 0.75, 0.9, 1.0), "", "shares of the depth at which the film's speed is told", 0, 1
    ),
)


class Manning(sf.EdgeLaw):
    """Water that runs down a rectangular channel from segment to segment, m^3/s (Manning 1891).

    Q = (1/n) b h (b h / (b + 2 h))^(2/3) sqrt(S_f), with the depth h of the upper segment, S_f the bed's slope.
    ``diffusive``: S_f is the fall of the surface from one segment to the next, h between the two depths.
    ``weight`` is rho g, Pa/m.
    """

    width: Any = sf.parameter("m", "width")
    roughness: Any = sf.parameter("s/m^(1/3)", "Manning's roughness")
    slope: Any = sf.parameter("", "slope of the bed")
    spacing: Any = sf.parameter("m", "length of a segment")
    weight: Any = sf.parameter("Pa/m", "weight per volume")
    diffusive: bool = sf.static(default=False)

    @property
    def moves(self) -> tuple[str, ...]:
        """The water."""
        return ("p",)

    @property
    def sees(self) -> tuple[str, ...]:
        """The height of the bed, as energy per volume."""
        return ("bed",)

    def conveyance(self, depth: Any) -> Any:
        """Flow over the root of the slope, m^3/s."""
        safe = jnp.maximum(depth, 1e-12)
        radius = self.width * safe / (self.width + 2.0 * safe)
        return self.width * safe * radius ** (2.0 / 3.0) / self.roughness

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Flow from tail to head."""
        depths = tail["p"] / self.weight, head["p"] / self.weight
        fall = (tail["bed"] - head["bed"]) / (self.weight * self.spacing)
        if not self.diffusive:
            return {"p": self.conveyance(depths[0]) * self._root(fall)}
        fall = fall + (depths[0] - depths[1]) / self.spacing
        # Between the mean depth and the upper one as exponential fitting would weigh them: a wave of 5/3 v is spread by
        # Q / (2 b S), so that the number of a segment is 10/3 S dx / h.
        mean = jnp.maximum(0.5 * (depths[0] + depths[1]), 1e-12)
        half = jnp.minimum(5.0 / 3.0 * self.slope * self.spacing / mean, 1e8)
        safe = jnp.maximum(half, 1e-3)
        share = jnp.where(half < 1e-3, half / 3.0, 1.0 / jnp.tanh(safe) - 1.0 / safe)
        between = mean + 0.5 * share * (depths[0] - depths[1])
        return {"p": self.conveyance(between) * self._root(fall)}

    def _root(self, fall: Any) -> Any:
        """Root of a slope with its sign; in proportion to it far below that of the bed."""
        return fall / (fall**2 + (LEVEL * self.slope) ** 2) ** 0.25


# ---- the film --------------------------------------------------------------------------------------------------------


def film_model(p: Values) -> Model:
    """Layers of a film from the bed to the surface."""
    pull = p.density * G_STANDARD * p.incline
    return sf.Model(
        sf.interval(p.depth, cells=101, names=("bed", "surface")),
        [sf.Momentum("v", density=p.density)],
        [sf.Shear(p.viscosity, heated=False), sf.PressureGradient(pull, heated=False)],
        [sf.Hold("bed", {"v": 0.0})],
        start={"v": 0.0},
    )


def film_answers(p: Values, solution: Solution) -> dict[str, Any]:
    """Flow, speeds, stress and power of the film, per metre of width."""
    z, v = np.asarray(solution.position()), np.asarray(solution["v"])
    return {
        "discharge": _simpson(z, v),
        "depth": p.depth,
        "mean_velocity": _simpson(z, v) / p.depth,
        "velocity_at": np.interp(np.asarray(p.heights) * p.depth, z, v),
        "momentum_flux": abs(float(solution.flow("v", "bed"))),
        "dissipation": float(solution.entropy.production) * float(np.asarray(solution["T"])[0]),
        "reynolds": 4.0 * p.density * _simpson(z, v) / p.viscosity,
        "regime": solution.regime,
    }


def _simpson(z: np.ndarray, v: np.ndarray) -> float:
    return float((z[1] - z[0]) / 3.0 * (v[0] + v[-1] + 4.0 * v[1:-1:2].sum() + 2.0 * v[2:-1:2].sum()))


# ---- the reaches -----------------------------------------------------------------------------------------------------


def order(p: Values) -> list[dict[str, Any]]:
    """The reaches, each after all that flow into it; a river that runs in a circle is refused."""
    by_name = {r["name"]: dict(r) for r in p.reaches}
    if len(by_name) != len(p.reaches):
        raise sf.InputError("Two reaches have the same name; give each its own.")
    for r in p.reaches:
        if r["to"] and r["to"] not in by_name:
            raise sf.NameUnknown("reach", r["to"], by_name)
        if min(r["length"], r["width"], r["slope"], r["roughness"]) <= 0 or r["inflow"] < 0:
            raise sf.InputError(
                f"The reach {r['name']} needs a length, a width, a slope and a roughness above zero, and an inflow of "
                "zero or more."
            )
    found: list[dict[str, Any]] = []
    while len(found) < len(by_name):
        done = {r["name"] for r in found}
        waiting = [r for r in by_name.values() if r["name"] not in done]
        following = [r for r in waiting if not any(o["to"] == r["name"] for o in waiting)]
        if not following:
            raise sf.InputError(f"The reaches {', '.join(r['name'] for r in waiting)} flow in a circle; let one end.")
        found += following
    if sum(r["inflow"] for r in found) <= 0:
        raise sf.InputError("No water flows in; give a reach an inflow.")
    return found


def river_model(p: Values, flood: float = 0.0) -> Model:
    """The catchment at its inflows, with a triangular pulse at its springs where ``flood`` is above zero."""
    reaches, count, weight = order(p), p.segments, p.density * G_STANDARD
    numbers, links, of = {}, [], []
    for r in reaches:
        for i in range(count):
            numbers[f"{r['name']} {i + 1}"] = len(numbers)
    for r in reaches:
        for i in range(count):
            below = f"{r['name']} {i + 2}" if i + 1 < count else (f"{r['to']} 1" if r["to"] else "sea")
            links.append((f"{r['name']} {i + 1}", below))
            of.append(r)
    spacing = np.array([r["length"] / count for r in of])
    column = {key: np.array([r[key] for r in of]) for key in ("width", "roughness", "slope")}
    ends = [n for n, (_, below) in enumerate(links) if below == "sea"]
    inside = [n for n in range(len(links)) if n not in ends]
    bed = _bed(links, spacing * column["slope"])
    # A cell's volume is the water it holds per pascal, so that the capacity is one number.
    volumes = dict(zip(numbers, column["width"] * spacing / weight, strict=True)) | {"sea": 1.0}

    def manning(where: list[int], name: str, diffusive: bool) -> sf.EdgeLaw:
        chosen = {key: values[where] for key, values in column.items()}
        return Manning(**chosen, spacing=spacing[where], weight=weight, diffusive=diffusive, on=name)

    sets = {"bed": [links[n] for n in inside], "mouth": [links[n] for n in ends]}
    laws = [manning(ends, "mouth", False)]
    if inside:
        laws.append(manning(inside, "bed", p.wave == "diffusive"))
    fed = {r["name"] for r in reaches} - {r["to"] for r in reaches}
    inflows = []
    for r in reaches:
        flow = r["inflow"]
        if flood > 0 and r["name"] in fed:
            flow = sf.schedule(
                [0.0, 0.5 * p.flood_duration, p.flood_duration], [r["inflow"], r["inflow"] + flood, r["inflow"]]
            )
        if flood > 0 or r["inflow"] > 0:
            inflows.append(sf.Influx(f"{r['name']} 1", {"p": flow}))
    return sf.Model(
        sf.network(volumes, {name: pairs for name, pairs in sets.items() if pairs}),
        [sf.Volume("p", capacity=1.0, external="bed")],
        laws,
        [*inflows, sf.Hold("sea", {"p": 0.0})],
        given={"bed": weight * np.array([bed[name] for name in volumes])},
        start={"p": np.where(np.array(list(volumes)) == "sea", 0.0, weight)},
    )


def _bed(links: list[tuple[str, str]], falls: np.ndarray) -> dict[str, float]:
    """Height of the bed at each segment, counted from below the mouth, m."""
    height = {"sea": 0.0}
    below = dict(links)
    fall = {name: float(drop) for (name, _), drop in zip(links, falls, strict=True)}
    for name in reversed([a for a, _ in links]):
        height[name] = height[below[name]] + fall[name]
    return height


def flows(solution: Solution) -> np.ndarray:
    """Flow out of each segment, (segment,), m^3/s."""
    found = np.zeros(solution.model.cells)
    for name, edges in solution.model.edges.items():
        found[np.asarray(edges.tail)] = np.asarray(solution.along("p", name))
    return found[:-1]


def river_answers(p: Values, solution: Solution) -> dict[str, Any]:
    """Flow, depth, speed, drag and power of every reach in the steady state, and the flood's way to the mouth."""
    reaches, weight = order(p), p.density * G_STANDARD
    last = np.arange(1, len(reaches) + 1) * p.segments - 1
    depths, discharge = np.asarray(solution["p"])[:-1] / weight, flows(solution)
    width = np.array([r["width"] for r in reaches])
    slope = np.array([r["slope"] for r in reaches])
    depth, flow = depths[last], discharge[last]
    radius = width * depth / (width + 2.0 * depth)
    mouths = np.array([not r["to"] for r in reaches])
    found = {
        "discharge": -float(solution.flow("p", "sea")),
        "depth": float(depth[mouths][-1]),
        "mean_velocity": float((flow / (width * depth))[mouths][-1]),
        "velocity_at": flow / (width * depth),
        "depth_at": depth,
        "discharge_at": flow,
        "momentum_flux": float((weight * radius * slope)[mouths][-1]),
        "dissipation": float(solution.entropy.production) * float(np.asarray(solution["T"])[0]),
        "wave_speed": wave_speed(p, solution, int(np.flatnonzero(mouths)[-1])),
        "stored_water": float(np.sum(solution["p"][:-1] * np.asarray(solution.model.space.volume)[:-1])),
        "regime": solution.regime,
    }
    return found | (flood_answers(p, solution) if p.flood > 0 else {})


def wave_speed(p: Values, solution: Solution, reach: int) -> float:
    """Speed of a small wave in a reach, dQ/dA, by the derivative of its law, m/s."""
    r, weight = order(p)[reach], p.density * G_STANDARD
    law = Manning(r["width"], r["roughness"], r["slope"], r["length"], weight)
    depth = float(solution["p"][(reach + 1) * p.segments - 1]) / weight
    return float(jax.grad(law.conveyance)(depth)) * r["slope"] ** 0.5 / r["width"]


def flood_course(p: Values, solution: Solution, flood: float | None = None) -> sf.History:
    """The flood from its first drop until the river is back at its flow."""
    flow = flows(solution)
    content = np.asarray(solution["p"])[:-1] * np.asarray(solution.model.space.volume)[:-1]
    # The water of a reach passes slower than a wave on it.
    until = p.flood_duration + float(np.sum(content / flow))
    return sf.evolve(river_model(p, p.flood if flood is None else flood), until=until, start=solution, rtol=1e-7)


def flood_answers(p: Values, solution: Solution) -> dict[str, Any]:
    """When and how high the flood passes the mouth."""
    history = flood_course(p, solution)
    passing = -history.flow("p", "sea")
    top = int(np.argmax(passing))
    extra = passing - passing[0]
    at = 0.5 * (history.times[1:] + history.times[:-1])
    weight = 0.5 * np.diff(history.times) * (extra[1:] + extra[:-1])
    return {
        "flood_peak": float(passing[top]),
        "flood_arrival": float(history.times[top]),
        "flood_water": float(-history.entered("p", "sea")[-1] - passing[0] * history.times[-1]),
        "flood_centre": float(np.sum(weight * at) / np.sum(weight)),
        "flood_attenuation": float(extra[top] / (p.flood * len(springs(p)))),
    }


def springs(p: Values) -> list[str]:
    """Reaches without another above them."""
    fed = {r["to"] for r in p.reaches}
    return [r["name"] for r in p.reaches if r["name"] not in fed]


def model(p: Values) -> Model:
    """The film, or the catchment at its steady inflow."""
    return film_model(p) if p.mode == "film" else river_model(p)


def answers(p: Values, solution: Solution) -> Mapping[str, Any]:
    """What flows, how deep and fast, what it drags and what it costs."""
    return film_answers(p, solution) if p.mode == "film" else river_answers(p, solution)


def figure(result: Result) -> Figure:
    """The film's profile; or the depths along the river and the flood at its mouth."""
    p, solution = result.parameters, result.solution
    if p.mode == "film":
        fig = Figure(figsize=(5.6, 4.2), layout="constrained")
        ax = fig.subplots()
        ax.plot(np.asarray(solution["v"]), np.asarray(solution.position()) * 1e3)
        ax.set(xlabel="speed (m/s)", ylabel="height above the bed (mm)")
        return fig
    fig = Figure(figsize=(10.0, 4.0), layout="constrained")
    left, right = fig.subplots(1, 2)
    weight = p.density * G_STANDARD
    depths = np.asarray(solution["p"])[:-1] / weight
    for n, r in enumerate(order(p)):
        own = slice(n * p.segments, (n + 1) * p.segments)
        at = (np.arange(p.segments) + 0.5) / p.segments * r["length"] / 1e3
        left.plot(at, depths[own], marker=".", label=r["name"])
    left.set(xlabel="way down the reach (km)", ylabel="depth (m)", ylim=(0.0, None))
    left.legend()
    if p.flood > 0:
        history = flood_course(p, sf.steady(river_model(p)))
        right.plot(history.times / 3600.0, -history.flow("p", "sea"), label="mouth")
        rain = np.interp(history.times, [0.0, 0.5 * p.flood_duration, p.flood_duration], [0.0, p.flood, 0.0])
        right.plot(history.times / 3600.0, rain, color="0.6", label="rain on each spring")
        right.set(xlabel="time (h)", ylabel="flow (m³/s)")
        right.legend()
    else:
        right.bar([r["name"] for r in order(p)], result.answers["discharge_at"])
        right.set_ylabel("flow (m³/s)")
    return fig


SYSTEM = System(
    name="river",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units={
        "discharge": "m^3/s",
        "depth": "m",
        "mean_velocity": "m/s",
        "velocity_at": "m/s",
        "depth_at": "m",
        "discharge_at": "m^3/s",
        "momentum_flux": "Pa",
        "dissipation": "W",
        "reynolds": "",
        "wave_speed": "m/s",
        "stored_water": "m^3",
        "flood_peak": "m^3/s",
        "flood_arrival": "s",
        "flood_water": "m^3",
        "flood_centre": "s",
        "flood_attenuation": "",
        "regime": "",
    },
    claims=CLAIMS,
    figure=figure,
)
