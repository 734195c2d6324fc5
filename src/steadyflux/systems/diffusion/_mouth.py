"""The mouth of a pore: half of a cylindrical pore and the half-space before it, meeting at the open disk."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.tri import Triangulation

import steadyflux as sf
from steadyflux.ground.arithmetic import array_module, is_traced
from steadyflux.ground.errors import InputError
from steadyflux.systems.system import Result

STUB = 2.5  # radii: deeper inside the concentration depends on z alone, to exp(-2 * 3.83 * 2.5) = 5e-9
ACROSS, OUT, DEEP = 72, 60, 80  # steps from the axis to the rim, from the mouth to infinity, along the stub
GATHERED = 1.5  # power by which steps in the angle shrink towards the rim; its square does so for lengths
SHORTEST = 1e-8  # radii: half of a pore shorter than this counts as that long, which changes the flow by as little
TOUCHING = 1e-10  # radii: distance over which the cells of pore and bath are joined at the mouth


def depth(length: Any, radius: Any) -> Any:
    """How much of half a pore is resolved, m: all of it, or so much that the rest is straight."""
    if is_traced(length, radius):
        raise InputError("A pore with entrances cannot be differentiated by its length or radius; take differences.")
    return min(max(0.5 * length, SHORTEST * radius), STUB * radius)


def bath(radius: Any) -> sf.Space:
    """The half-space on oblate spheroidal coordinates up to infinity; ``a`` is the angle from the axis.

    r = radius sin(a) / cos(s), z = radius tan(s) cos(a), steps gathered towards the rim s = 0, a = pi / 2.
    """

    def place(s: Any, a: Any) -> tuple[Any, Any]:
        xp = array_module(s, a)
        return radius * xp.sqrt(1.0 + xp.tan(s) ** 2) * xp.sin(a), radius * xp.tan(s) * xp.cos(a)

    def scale(s: Any, a: Any) -> tuple[Any, Any]:
        xp = array_module(s, a)
        both = radius * xp.sqrt(xp.tan(s) ** 2 + xp.cos(a) ** 2)
        return both * xp.sqrt(1.0 + xp.tan(s) ** 2), both

    out = 0.5 * np.pi * np.linspace(0.0, 1.0, OUT + 1) ** GATHERED
    names = {"s": ("mouth", "far"), "a": ("axis", "flange")}
    return sf.curvilinear({"s": out, "a": _angles()}, scale, place, coordinate="r z", names=names, far="far")


def stub(radius: Any, deep: Any) -> sf.Space:
    """The pore from ``deep`` below its mouth up to it, its nodes and faces at the radii where those of the bath are."""
    share = deep / (STUB * radius)
    steps = max(6, int(np.ceil(DEEP * np.cbrt(share))))
    z = -deep * np.linspace(1.0, 0.0, steps + 1) ** (2.0 * GATHERED)

    def place(a: Any, z: Any) -> tuple[Any, Any]:
        return radius * array_module(a).sin(a) + 0.0 * z, z + 0.0 * a

    def scale(a: Any, z: Any) -> tuple[Any, Any]:
        return radius * array_module(a).cos(a) + 0.0 * z, 1.0 + 0.0 * (a + z)

    names = {"a": ("axis", "wall"), "z": ("middle", "mouth")}
    return sf.curvilinear({"a": _angles(), "z": z}, scale, place, coordinate="r z", names=names)


def _angles() -> np.ndarray:
    return 0.5 * np.pi * (1.0 - np.linspace(1.0, 0.0, ACROSS + 1) ** GATHERED)


def half(
    radius: Any, length: Any, diffusivity: Any, hindrance: Any, far: Any, middle: Any, temperature: Any = 298.15
) -> sf.Model:
    """Half of a pore: ``far`` from its mouth and in its ``middle`` the concentration is held, mol/m^3.

    Args:
        radius, length: of the whole pore, m.
        diffusivity: in free solution, m^2/s.
        hindrance: share of it that is left inside the pore.

    The antisymmetric field of a pore between two baths is this half and its mirror image. The pore's straight rest is
    a film as thick as itself.
    """
    deep = depth(length, radius)
    rest = 0.5 * length - deep
    inside = diffusivity * hindrance
    pore_end: sf.Hold | sf.Exchange = sf.Hold("pore.middle", {"solute": middle})
    if rest > 0.0:
        pore_end = sf.Film("pore.middle", "solute", inside / rest, middle)
    space = sf.join(
        {"pore": stub(radius, deep), "bath": bath(radius)},
        [("pore.mouth", "bath.mouth", "mouth")],
        length=TOUCHING * radius,
    )
    return sf.Model(
        space=space,
        quantities=[sf.Species("solute")],
        laws=[
            sf.Fick("solute", inside, on="pore.interior"),
            sf.Fick("solute", diffusivity, on="mouth"),
            sf.Fick("solute", diffusivity, on="bath.interior"),
        ],
        boundaries=[sf.Hold("bath.far", {"solute": far}), pore_end],
        temperature=temperature,
        start={"solute": middle},
    )


def access(radius: Any, length: Any, diffusivity: Any, hindrance: Any) -> float:
    """Resistance that both baths add to that of the pore, s/m^3.

    Beyond the stub a pore is straight and adds no more, so that of a longer one only a part is solved.
    """
    solved = min(max(length, 2.0 * SHORTEST * radius), 4.0 * STUB * radius)
    solution = sf.steady(half(radius, solved, diffusivity, hindrance, 1.0, 0.0))
    straight = solved / (np.pi * radius**2 * diffusivity * hindrance)
    return -2.0 / float(solution.flow("solute", "pore.middle")) - straight


def mouth_flux(solution: sf.Solution) -> tuple[np.ndarray, np.ndarray]:
    """Distance of each cell of the mouth from the rim, m, and the flux density into the pore, mol/(m^2 s)."""
    edges = solution.model.space.edges["mouth"]
    r = np.asarray(solution.position())[edges.tail, 0]
    flow = -np.asarray(solution.along("solute", "mouth"))
    order = np.argsort(-r)
    return (r.max() - r)[order], (flow / np.asarray(edges.area))[order]


def draw(result: Result) -> Figure:
    """Concentration around the left mouth, along the axis, and the flux density over the mouth."""
    p, solution = result.parameters, result.solution
    deep = min(1.2, depth(p.length, p.radius) / p.radius)
    drawing = Figure(figsize=(11.0, 3.8), layout="constrained")
    field, along, over = drawing.subplots(1, 3)
    at, c = np.asarray(solution.position()) / p.radius, np.asarray(solution["solute"])
    near = np.flatnonzero((np.hypot(at[:, 0], at[:, 1]) < 3.0) & (at[:, 1] > -1.5))
    mirrored = near[at[near, 0] > 0.0]
    r = np.concatenate([at[near, 0], -at[mirrored, 0]])
    z, shown = (np.concatenate([one[near], one[mirrored]]) for one in (at[:, 1], c))
    mesh = Triangulation(r, z)
    middle = np.abs(r[mesh.triangles].mean(axis=1)), z[mesh.triangles].mean(axis=1)
    mesh.set_mask((middle[0] > 1.0) & (middle[1] < 0.0))
    levels = field.tricontourf(mesh, shown, 16)
    drawing.colorbar(levels, ax=field, label="concentration, mol/m$^3$")
    for side in (-1, 1):
        field.fill_betweenx([-deep, 0.0], side, 2.0 * side, color="0.7")
    field.set(xlabel="r / radius", ylabel="z / radius", xlim=(-2, 2), ylim=(-deep, 2), aspect="equal")
    centre = np.flatnonzero((at[:, 0] < 1e-9) & (at[:, 1] < 6.0))
    centre = centre[np.argsort(at[centre, 1])]
    height = at[centre, 1]
    along.plot(height, c[centre], label="with entrances")
    inside = np.clip(-height * p.radius / p.length, 0.0, 0.5)
    along.plot(
        height, p.left_concentration + (p.right_concentration - p.left_concentration) * inside, "--", label="ideal"
    )
    along.axvline(0.0, color="0.8", lw=0.8)
    along.set(xlabel="z / radius on the axis, pore to bath", ylabel="concentration, mol/m$^3$")
    along.set_title(f"flow {float(result.answers['entrance_flow']):.4g} mol/s", fontsize="medium")
    along.legend()
    distance, flux = mouth_flux(solution)
    if np.any(flux):
        over.loglog(distance[1:] / p.radius, np.abs(flux[1:]), ".-")
    over.set(xlabel="distance from the rim / radius", ylabel="flux density in the mouth, mol/(m$^2$ s)")
    return drawing
