"""A tiny disk electrode in an insulating plane: its current settles, because the solution reaches it from all around.

Seeds: A

O + n e- -> R at a disk of radius a set flush into an insulator. After about a^2 / D the zone emptied of O is larger
than the disk and its outside grows as fast as it spreads: the current becomes steady, where that of a large electrode
falls for ever. It is proportional to the radius, not to the area, and most of it enters near the edge, where the flux
density of a disk at its limit grows without bound.

## Equations

    dc/dt = D (c_rr + c_r / r + c_zz),   c = bulk at the start and far away, no flux through the plane outside the disk
    on the disk   c = 0 (without kf: limited), or   D c_z = kf c - kb c_R
    equal diffusivities: c + c_R = bulk + product_bulk everywhere, hence  D c_z = (kf + kb) (c - c_eq)
    limited, steady   i = 4 n F D c a,   c = bulk (2 / pi) arctan(zeta),   r^2/(1+zeta^2) + z^2/zeta^2 = a^2
    hemisphere of the same radius  i = 2 pi n F D c a

The steady state is found on a grid of oblate spheroidal coordinates, which reaches to infinity and on which the limited
current is exact (`spheroidal`), or on a grid of r and z whose steps grow as the cube of a count from the edge
(`cylindrical`). The latter ends at r = 1.6 a and z = a, matched to the decay of the spheroidal monopole,
dc/dn = -(bulk - c) d ln(arccot zeta)/dn, to which the field of every disk tends. Currents after a step are found on the
spheroidal grid, its steps in zeta growing from mesh_growth diffusion lengths of the shortest time asked for.

## What to look for

The current falls as 1 / sqrt(t) at first and settles at t = a^2 / D within 37 %, at 10 a^2 / D within 11.4 %. The flux
density goes as one over the square root of the distance from the edge; with slow kinetics it is nearly even. A band
(`contrast`) has only two dimensions around it: its current keeps falling, as one over the logarithm of time.

## Limits

Diffusion alone, equal diffusivities, disk flush with an insulator that has no end.

## Sources

Saito 1968; Aoki and Osteryoung 1981; Shoup and Szabo 1982; Szabo, Cope, Tallman, Kovach and Wightman 1987 (band).
Ferrocenemethanol in water: D 7.8e-10 m^2/s (typical).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.ground.arithmetic import array_module, is_traced
from steadyflux.ground.constants import FARADAY
from steadyflux.ground.errors import InputError
from steadyflux.systems.system import Choice, Claim, Comparison, Numbers, Parameter, Result, System, Values

ZETA, ETA = 61, 51  # nodes of the steady grid
AROUND = 51  # nodes from the edge to the axis in time
WIDTH = 6.0  # diffusion lengths of a run in time
ROUND = 32  # the number of steps in zeta is a multiple of this
INSIDE, OUTSIDE, UP = 84, 90, 113  # steps of the grid of r and z: below 20,000 unknowns
REACH, HEIGHT = 1.6, 1.0  # where it ends, in radii
SPREAD = 10.0  # of its map: the steps grow as a cube up to about the cube of this
POINTS = (0.0, 0.5, 1.0, 2.0, 5.0)  # radii: coordinates of the concentration map
DRIVES = (6.0, 3.0, 0.0, -3.0, -6.0, -12.0)  # n F (E - E0) / R T of the voltammogram's answers

PARAMETERS = (
    Choice("grid", "spheroidal", ("spheroidal", "cylindrical"), "on which the steady state is found"),
    Choice("contrast", "no", ("no", "yes"), "also the current of a band, which never becomes steady"),
    Parameter("electrons", 1.0, "", "ferrocenemethanol", 0.1, 20.0),
    Parameter("radius", 5e-6, "m", "usual platinum microdisk", 1e-10, 1.0),
    Parameter("diffusivity", 7.8e-10, "m^2/s", "ferrocenemethanol in water (typical)", 1e-16, 1e-3),
    Parameter("bulk", 1.0, "mol/m^3", "1 mM", 0.0, 1e5),
    Parameter("product_bulk", 0.0, "mol/m^3", "none", 0.0, 1e5),
    Parameter("kf", None, "m/s", "rate constant of the reaction; left out: limited by diffusion", 0.0, 1e6),
    Parameter("kb", 0.0, "m/s", "rate constant of the way back", 0.0, 1e6),
    Numbers("times", (1e-4, 3e-3, 0.03, 1.0), "s", "after a step, at which the current is wanted", 1e-15),
    Parameter("mesh_growth", 0.028, "", "of the grid in time; keeps its error below 1e-4", 5e-3, 0.3),
    Parameter("k0", 0.01, "m/s", "standard rate constant, of the voltammogram alone (typical)", 1e-12, 1e6),
    Parameter("alpha", 0.5, "", "symmetry factor, of the voltammogram alone", 0.01, 0.99),
    Parameter("band_length", 1e-3, "m", "of a band as wide as the disk, for contrast (typical)", 1e-9, 1.0),
)


def _reaction(p: Values, place: str) -> sf.Hold | sf.Exchange:
    """What happens at the electrode: O held at zero, or a rate towards its equilibrium with the product."""
    if p.kf is None:
        return sf.Hold(place, {"O": 0.0})
    rate = p.kf + p.kb
    if not is_traced(p.items) and rate == 0.0:
        raise InputError("kf and kb are both zero, so nothing reacts; give one of them.")
    return sf.Film(place, "O", rate, p.kb * (p.bulk + p.product_bulk) / rate)


def _declared(p: Values, space: sf.Space, place: str, far: list[Any]) -> sf.Model:
    return sf.Model(
        space,
        [sf.Species("O")],
        [sf.Fick("O", p.diffusivity)],
        [_reaction(p, place), *far],
        start={"O": p.bulk},
    )


def spheroid(r: Any, z: Any) -> tuple[Any, Any]:
    """Coordinates zeta and eta of points, (point,), lengths in radii of the disk."""
    xp = array_module(r, z)
    b = r**2 + z**2 - 1.0
    root = xp.sqrt(b**2 + 4.0 * z**2)
    # Each of the two roots of the quadratic equation from the side on which nothing cancels.
    far, near = xp.where(b > 0, root + b, 1.0), xp.where(b < 0, root - b, 1.0)
    zeta = xp.sqrt(xp.where(b > 0, 0.5 * far, xp.where(b < 0, 2.0 * z**2 / near, z)))
    eta = xp.sqrt(xp.where(b > 0, 2.0 * z**2 / far, xp.where(b < 0, 0.5 * near, z)))
    return zeta, eta


def decay(r: Any, z: Any, axis: int) -> Any:
    """-d ln(arccot zeta) / dr or dz: how fast the field of a disk decays there, lengths in radii."""
    xp = array_module(r, z)
    zeta, eta = spheroid(r, z)
    both = zeta**2 + eta**2
    slope = (zeta * r / both, eta * (1.0 + zeta**2) / both)[axis]
    return slope / ((1.0 + zeta**2) * xp.arctan2(1.0, zeta))


def _graded(steps: int, reach: float) -> np.ndarray:
    """Nodes from 0 to ``reach`` whose steps grow as the square of the way's cube root."""
    root = np.cbrt(reach)
    s = np.linspace(0.0, root / (SPREAD + root), steps + 1)
    x = (SPREAD * s / (1.0 - s)) ** 3
    x[-1] = reach
    return x


def _cylindrical(p: Values) -> sf.Model:
    """The disk on a grid of r and z."""
    a = p.radius
    inside = 1.0 - (1.0 - np.linspace(0.0, 1.0, INSIDE + 1)) ** 3
    r = sf.Row(a * inside, {"disk": (0, INSIDE)}) + sf.Row(a * (1.0 + _graded(OUTSIDE, REACH - 1.0)))
    space = sf.grid(r=r, z=sf.Row(a * _graded(UP, HEIGHT)), boundaries={"disk": ("bottom", {"r": "disk"})})
    far = [
        sf.Exchange(
            place, sf.Transfer("O", lambda r, z, k=k: p.diffusivity / a * decay(r / a, z / a, k)), {"O": p.bulk}
        )
        for k, place in enumerate(("outer", "top"))
    ]
    return _declared(p, space, "disk", far)


def model(p: Values) -> sf.Model:
    """The disk and the half-space above it."""
    if p.grid == "cylindrical":
        return _cylindrical(p)
    return _declared(p, sf.oblate(p.radius, ZETA, ETA), "disk", [sf.Hold("far", {"O": p.bulk})])


def _rows(p: Values) -> np.ndarray:
    """Nodes of zeta for a run in time: steps first + growth * zeta, at least as far as the front gets."""
    if not p.times:
        raise InputError("times is empty; give at least one time.")
    growth, length = p.mesh_growth, np.sqrt(p.diffusivity * np.array([min(p.times), max(p.times)])) / p.radius
    first = growth * min(float(length[0]), 1.0)
    last = max(WIDTH * float(length[1]), 2.0)
    count = ROUND * int(np.ceil(np.log1p(growth * last / first) / growth / ROUND))
    return first / growth * np.expm1(growth * np.arange(count + 1))


def after_step(p: Values) -> sf.History:
    """The step from a solution at rest, recorded at the asked times."""
    space = sf.oblate(p.radius, _rows(p), AROUND)
    moving = _declared(p, space, "disk", [sf.Hold("far", {"O": p.bulk})])
    return sf.evolve(moving, max(p.times), times=np.unique(p.times), rtol=1e-7)


def band(p: Values) -> sf.History:
    """A band as wide as the disk, of which a half is solved, in elliptic coordinates x + i y = a cosh(u + i v)."""
    zeta = _rows(p)  # sinh u, the height over the middle of the band
    space = sf.conformal(
        np.arcsinh(zeta),
        np.linspace(0.0, 0.5 * np.pi, AROUND),
        lambda w: p.radius * array_module(w).cosh(w),
        depth=p.band_length,
        names={"u": ("band", "far"), "v": ("plane", "middle")},
    )
    moving = _declared(p, space, "band", [sf.Hold("far", {"O": p.bulk})])
    return sf.evolve(moving, max(p.times), times=np.unique(p.times), rtol=1e-7)


def _at(p: Values, history: sf.History, place: str) -> np.ndarray:
    return np.array([-p.electrons * FARADAY * float(history.at(t).flow("O", place)) for t in p.times])


def flux_density(solution: sf.Solution) -> tuple[np.ndarray, np.ndarray]:
    """Distance from the edge, m, and flux density into the disk, mol/(m^2 s), in its cells from the edge inwards."""
    space = solution.model.space
    disk, edges = space.place("disk"), space.edge_set("interior")
    cells = np.asarray(disk.cells)
    tail, head = np.asarray(edges.tail), np.asarray(edges.head)
    flux = np.asarray(solution.along("O"))
    into = np.zeros(space.cells)
    np.add.at(into, tail, -flux)
    np.add.at(into, head, flux)
    r = np.asarray(space.position)[cells, 0]
    order = np.argsort(-r)
    radius = r.max()
    return (radius - r)[order], (into[cells] / np.asarray(disk.area))[order]


def edge_exponent(solution: sf.Solution) -> float:
    """Exponent of the flux density in the distance from the edge, about 0.001 and 0.004 radii away."""
    d, j = flux_density(solution)
    one, other = (int(np.argmin(np.abs(np.log(np.maximum(d, 1e-300) / (share * d.max()))))) for share in (1e-3, 4e-3))
    return float(np.log(j[other] / j[one]) / np.log(d[other] / d[one]))


def concentrations(p: Values, solution: sf.Solution, points: tuple[np.ndarray, np.ndarray] | None = None) -> np.ndarray:
    """Concentrations at points in radii (left out: r and z = 0, 0.5, 1, 2, 5), interpolated along the spheroids."""
    from scipy.interpolate import RectBivariateSpline

    s, eta = np.linspace(0.0, 0.5 * np.pi, ZETA), np.linspace(0.0, 1.0, ETA)
    at, c = np.asarray(solution.model.space.position) / p.radius, np.asarray(solution["O"])
    own_zeta, own_eta = spheroid(at[:, 0], at[:, 1])
    table = np.full((ZETA, ETA), np.nan)
    row, column = np.arctan(own_zeta) / s[1], own_eta / eta[1]
    table[np.rint(row).astype(int), np.rint(column).astype(int)] = c
    # Where several nodes are one cell, as at infinity, all have its value.
    table = np.where(np.isnan(table), np.nanmean(table, axis=1, keepdims=True), table)
    field = RectBivariateSpline(s, eta, table)
    r, z = np.meshgrid(POINTS, POINTS, indexing="ij") if points is None else points
    zeta, across = spheroid(r, z)
    return field(np.arctan(zeta), across, grid=False)


def steady_voltammogram(p: Values, drives: Any) -> np.ndarray:
    """Steady currents, A, at potentials n F (E - E0) / R T by the Butler-Volmer rates of k0 and alpha."""
    found = []
    for u in drives:
        rates = {"kf": p.k0 * np.exp(-p.alpha * u), "kb": p.k0 * np.exp((1.0 - p.alpha) * u), "grid": "spheroidal"}
        solution = sf.steady(model(Values({**p.items, **rates})))
        found.append(-p.electrons * FARADAY * float(solution.flow("O", "disk")))
    return np.array(found)


def hemisphere(p: Values) -> Any:
    """Steady current of a hemisphere of the same radius, A."""
    reach = 1e3 * p.radius
    x = array_module(p.items).asarray(p.radius) + p.radius * np.expm1(np.linspace(0.0, np.log(1e3), 101))
    space = sf.interval(nodes=x, shape="sphere", area=0.5, names=("electrode", "bulk"))
    # The field beyond the last node is that of a sphere: a film of its own distance from the centre.
    far = sf.Film("bulk", "O", p.diffusivity / reach, p.bulk)
    return -p.electrons * FARADAY * sf.steady(_declared(p, space, "electrode", [far])).flow("O", "electrode")


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """Steady current and map; currents after a step; the exponent of the flux at the edge."""
    found: dict[str, Any] = {
        "steady_current": -p.electrons * FARADAY * solution.flow("O", "disk"),
        "hemisphere_current": hemisphere(p),
        "steady": True,
    }
    if is_traced(p.items, solution.state):
        return found
    found["edge_flux_exponent"] = edge_exponent(solution)
    if p.grid == "spheroidal":
        found["concentration_map"] = concentrations(p, solution)
    found["voltammogram"] = steady_voltammogram(p, DRIVES)
    found["current_at"] = _at(p, after_step(p), "disk")
    if p.contrast == "yes":
        found["band_current_at"] = 2.0 * _at(p, band(p), "band")
    return found


UNITS = {
    "steady_current": "A",
    "hemisphere_current": "A",
    "current_at": "A",
    "band_current_at": "A",
    "concentration_map": "mol/m^3",
    "voltammogram": "A",
    "edge_flux_exponent": "",
    "steady": "",
}

Run = Callable[..., Result]

# Independent reference computation: dual integral equation in Laplace's domain, relative accuracy 1e-7 to 1e-5.
SLOW: dict[str, Any] = {
    "electrons": 4,
    "radius": 1.25e-5,
    "diffusivity": 1.9e-9,
    "bulk": 0.25,
    "times": (0.005, 0.05, 0.5, 5.0),
}
REFERENCE = (
    (
        {},
        {"kf": 0.002, "kb": 1e-5},
        (1.5051711811236361e-09, 1.3231566244713015e-09, 2.3643173625065436e-09),
        (1.3140862299402047e-08, 3.451550987976736e-09, 2.0750347674402937e-09, 1.602018139771403e-09),
        (8.025967587968335e-09, 2.8479543047717556e-09, 1.7666826744347269e-09, 1.398375883511992e-09),
    ),
    (
        SLOW,
        {"kf": 0.00011, "kb": 0.0},
        (9.166106551714452e-09, 3.2362556661463534e-09, 1.4398086502443697e-08),
        (2.412109337313025e-08, 1.3511717595644123e-08, 1.0505558520040885e-08, 9.588461967940703e-09),
        (4.422302588749884e-09, 3.749325385072906e-09, 3.402453238533882e-09, 3.288881216224769e-09),
    ),
)
# Exact currents over 4 n F D c a: after a step at D t / a^2, and steady at (kf + kb) a / D.
STEPPED = ((0.01, 0.1, 1.0, 10.0), (5.23773998, 2.24773719, 1.36586368, 1.11380257))
KINETIC = ((0.3, 0.187920953), (3.0, 0.674883597), (30.0, 0.940414046))


def _reference(run: Run) -> list[Comparison]:
    found = []
    for case, rates, (limited, kinetic, ball), after, after_kinetic in REFERENCE:
        one, other = run(**case).answers, run(**case, **rates).answers
        found += [
            Comparison(one["steady_current"], limited, 1e-10),
            Comparison(one["hemisphere_current"], ball, 1e-8),
            Comparison(other["steady_current"], kinetic, 1e-4),
            Comparison(one["current_at"], np.array(after), 1e-4),
            Comparison(other["current_at"], np.array(after_kinetic), 1e-4),
        ]
    return found


def _unit(p: Values) -> float:
    return 4.0 * p.electrons * FARADAY * p.diffusivity * p.bulk * p.radius


def _steady(p: Values) -> float:
    return -p.electrons * FARADAY * float(sf.steady(model(p)).flow("O", "disk")) / _unit(p)


def _saito(run: Run) -> list[Comparison]:
    given = {"radius": 3.3e-7, "diffusivity": 2.1e-9, "bulk": 0.7, "electrons": 2}
    found = []
    for grid, rtol in (("spheroidal", 1e-10), ("cylindrical", 1e-4)):
        found.append(Comparison(_steady(SYSTEM.values({**given, "grid": grid})), 1.0, rtol))
        for kappa, exact in KINETIC:
            p = SYSTEM.values({**given, "grid": grid, "kf": kappa * 2.1e-9 / 3.3e-7})
            found.append(Comparison(_steady(p), exact, 1e-4))
    return found


def _stepped(run: Run) -> list[Comparison]:
    """The exact transient, and the expansion for short times: Cottrell's term, the edge's, and the edge's bend."""
    p = SYSTEM.values({"radius": 2e-6, "diffusivity": 1.3e-9})
    scale = 2e-6**2 / 1.3e-9
    shares = (0.001, *STEPPED[0])
    p = Values({**p.items, "times": tuple(scale * T for T in shares)})
    i = _at(p, after_step(p), "disk") / _unit(p)
    early = 0.5 * np.sqrt(np.pi / 0.004) + 0.25 * np.pi + 0.094 * np.sqrt(0.004)
    return [Comparison(i[1:], np.array(STEPPED[1]), 1e-4), Comparison(i[0], early, 2e-4)]


def _edge(run: Run) -> list[Comparison]:
    found = []
    for grid in ("spheroidal", "cylindrical"):
        limited = sf.steady(model(SYSTEM.values({"grid": grid})))
        slow = sf.steady(model(SYSTEM.values({"grid": grid, "kf": 1e-8})))
        found += [Comparison(edge_exponent(limited), -0.5, 0.0, 0.01), Comparison(edge_exponent(slow), 0.0, 0.0, 1e-3)]
    return found


def _map(run: Run) -> Comparison:
    """c = (2 / pi) arccos(2 a / (sqrt((r + a)^2 + z^2) + sqrt((r - a)^2 + z^2))) (Saito 1968)."""
    p = SYSTEM.values({"bulk": 2.0})
    r, z = np.meshgrid(POINTS, POINTS, indexing="ij")
    way = np.hypot(r + 1.0, z) + np.hypot(r - 1.0, z)
    return Comparison(concentrations(p, sf.steady(model(p))), 4.0 / np.pi * np.arccos(2.0 / way), 0.0, 1e-7)


def _band(run: Run) -> Comparison:
    """Before its two edges know of each other: i / (n F D c length) = width / sqrt(pi D t) + 1 (half for each edge)."""
    p = SYSTEM.values({"times": (1e-4, 1e-3)})
    expected = 2.0 * p.radius / np.sqrt(np.pi * p.diffusivity * np.array(p.times)) + 1.0
    unit = FARADAY * p.diffusivity * p.bulk * p.band_length
    return Comparison(2.0 * _at(p, band(p), "band") / unit, expected, 1e-4)


def _wave(run: Run) -> Comparison:
    """A fast couple follows Nernst: i / i_limited = 1 / (1 + exp(u))."""
    p = SYSTEM.values({"k0": 1e3})
    return Comparison(steady_voltammogram(p, DRIVES) / _unit(p), 1.0 / (1.0 + np.exp(DRIVES)), 1e-4)


CLAIMS = (
    Claim("steady and after a step, limited and with rates", "independent reference computation", _reference),
    Claim("4 n F D c a on both grids, and less with rates", "Saito 1968; independent reference computation", _saito),
    Claim("the exact current after a step", "Aoki and Osteryoung 1981; independent reference computation", _stepped),
    Claim("the concentration around the disk", "Saito 1968", _map),
    Claim("at the limit the flux grows as distance^-1/2 to the edge", "Saito 1968; limit", _edge),
    Claim("a band begins with width / sqrt(pi D t) + 1", "Szabo et al. 1987", _band),
    Claim("a fast couple's steady wave is Nernst's", "limit", _wave),
)


def figure(result: Result) -> Figure:
    """Current after a step, map of the concentration, flux density along the disk, steady voltammogram."""
    p, solution = result.parameters, result.solution
    drawing = Figure(figsize=(10.0, 7.6), layout="constrained")
    (after, field), (edge, wave) = drawing.subplots(2, 2)
    times = p.radius**2 / p.diffusivity * np.geomspace(1e-2, 1e2, 33)
    t = Values({**p.items, "times": tuple(times)})
    after.loglog(times, _at(t, after_step(t), "disk"), label="disk")
    cottrell = p.electrons * FARADAY * np.pi * p.radius**2 * p.bulk * np.sqrt(p.diffusivity / (np.pi * times))
    after.loglog(times, cottrell, "--", color="0.4", label="Cottrell")
    after.axhline(float(result.answers["steady_current"]), ls=":", color="C3", label="steady")
    after.set(xlabel="time, s", ylabel="current, A")
    after.legend()
    c = sf.steady(model(Values({**p.items, "grid": "spheroidal"})))
    x = np.linspace(0.0, 2.5, 81)
    r, z = np.meshgrid(x, x, indexing="ij")
    shown = field.contourf(r, z, concentrations(p, c, (r, z)), 16)
    drawing.colorbar(shown, ax=field, label="concentration, mol/m$^3$")
    field.set(xlabel="r / a", ylabel="z / a")
    d, j = flux_density(solution)
    edge.loglog(d[1:] / p.radius, j[1:], "o-", ms=3)
    edge.set(xlabel="distance from the edge, radii", ylabel="flux density, mol/(m$^2$ s)")
    u = np.linspace(10.0, -20.0, 31)
    wave.plot(u, steady_voltammogram(p, u))
    wave.set(xlabel="n F (E - E0) / R T", ylabel="steady current, A")
    return drawing


SYSTEM = System(
    name="microdisk",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
)
