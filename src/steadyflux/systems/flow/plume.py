"""Smoke from a chimney: carried by the wind, spread by eddies, laid down on the ground.

Seeds: B

A steady source at a height lets out a plume. Far downwind compared with its thickness, spreading along the wind is
nothing beside being carried, so the distance downwind plays the part of time: an air column that travels at the
reference wind speed meets each distance x at t = x / u_r and keeps what it holds in proportion to the wind there.

Equations

    u(z) dC/dx = d/dz [ K(z) dC/dz ],    K dC/dz = v_d C  at the ground,    integral of u C dz = Q  at the source
    u(z) = u_r (z / z_r)^m,   K(z) = K_r (z / z_r)^n    (m = n = 0: constant wind and eddies)
    c(x, y, z) = C(x, z) G(x, y),    dG/dt = K_y d2G/dy2

C (kg/m^2) is the concentration integrated across the wind, c (kg/m^3) the concentration itself: where the eddies across
the wind go with the wind, K_y(z) = K_y u(z) / u_r, the plume widens alike at all heights and the product is exact.

What to look for: no smoke at the ground near the stack, a maximum further on, then a slow decline; a source twice as
high moves the maximum four times as far (constant eddies). What the ground takes up and what the air still carries
make up the source to rounding.

Limits: flat ground, steady wind, no rise by heat, no streamwise diffusion (it matters within a distance K/u of the
stack).

Sources: O. F. T. Roberts, Proc. R. Soc. A 104 (1923) 640 (constant K); F. B. Smith, J. Fluid Mech. 2 (1957) 49 and
C. H. Huang, Atmos. Environ. 13 (1979) 453 (power laws); A. C. Chamberlain, AERE HP/R 1261 (1953) (deposition velocity).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import minimize_scalar
from scipy.special import erfcx, gamma, ive

import steadyflux as sf
from steadyflux.ground.errors import InputError
from steadyflux.systems.system import Claim, Comparison, Numbers, Parameter, Result, System, Values

CELLS = 2000  # nodes upwards
ACROSS = 500  # nodes across the wind
TAIL = 30.0  # the air ends where the plume has fallen to e^-30
TOLERANCE = 1e-8

PARAMETERS = (
    Parameter("source", 0.08, "kg/s", "sulphur dioxide of a power station, chosen", low=1e-20, high=1e6),
    Parameter("height", 100.0, "m", "tall stack, typical", low=0.1, high=1e3),
    Parameter("wind", 5.0, "m/s", "at the reference height, typical", low=0.05, high=100.0),
    Parameter("wind_exponent", 0.0, "", "0 is a constant wind; 1/7 is usual over flat land", low=0.0, high=1.0),
    Parameter("eddy_z", 8.0, "m^2/s", "upward eddies at the reference height, neutral", low=1e-4, high=1e4),
    Parameter("eddy_exponent", 0.0, "", "0 is constant; near the ground 0.8 to 1", low=0.0, high=0.95),
    Parameter("eddy_y", 25.0, "m^2/s", "crosswind eddy diffusivity, neutral air", low=1e-4, high=1e5),
    Parameter("reference_height", 10.0, "m", "where wind and eddies are given, usual", low=0.1, high=500.0),
    Parameter("deposition", 0.01, "m/s", "deposition velocity of sulphur dioxide, typical", low=0.0, high=10.0),
    Parameter("molar_mass", 0.0641, "kg/mol", "sulphur dioxide", low=1e-3, high=1.0),
    Numbers("distances", (500.0, 2000.0, 8000.0), "m", "chosen", low=1e-2, high=1e6),
    Numbers("crosswind", (0.0,), "m", "offset from the axis, one or one at each distance", low=-1e6, high=1e6),
)


def _spread(p: Values) -> tuple[float, float]:
    """Exponent alpha and coefficient b of the tail: the plume falls as exp(-z^alpha / (b x)) (Huang 1979)."""
    alpha = 2.0 + p.wind_exponent - p.eddy_exponent
    z = p.reference_height
    return alpha, alpha**2 * p.eddy_z / z**p.eddy_exponent * z**p.wind_exponent / p.wind


def _peak_distance(p: Values) -> float:
    """Where the ground maximum stands when nothing is laid down, m; deposition brings it nearer."""
    alpha, b = _spread(p)
    nu = (1.0 - p.eddy_exponent) / alpha
    return p.height**alpha / (b * (1.0 - nu))


def _reach(p: Values) -> float:
    return max(max(p.distances), 1.6 * _peak_distance(p))


def _nodes(p: Values) -> np.ndarray:
    """Nodes from the ground up, close together at the stack's mouth and near the ground."""
    alpha, b = _spread(p)
    top = p.height + (TAIL * b * _reach(p)) ** (1.0 / alpha)
    nearest = min(*p.distances, 0.3 * _peak_distance(p))
    mouth = min(0.05 * _width(p, nearest), 0.02 * p.height)
    z = np.unique(np.concatenate([np.geomspace(1e-6 * top, top, 4000), p.height + np.linspace(-1, 1, 4001) * p.height]))
    z = np.concatenate([[0.0], z[(z > 0) & (z <= top)]])
    middle = 0.5 * (z[1:] + z[:-1])
    # Below the mouth the plume's tail falls steeply; its error goes with the square of the step over that.
    below = np.where(middle < 1.2 * p.height, 12.0 / p.height, 0.0)
    dense = 0.5 / (np.abs(middle - p.height) + 10 * mouth) + below + 2.0 / top
    dense = dense + 3.0 * p.eddy_exponent / (middle + 2e-4 * p.height)  # eddies that die out towards the ground
    passed = np.concatenate([[0.0], np.cumsum(dense * np.diff(z))])
    nodes = np.interp(np.linspace(0.0, passed[-1], CELLS), passed, z)
    nodes[np.argmin(np.abs(nodes - p.height))] = p.height
    return nodes


def _width(p: Values, distance: float) -> float:
    """Standard deviation of the plume about its axis, roughly, m."""
    z = p.height / p.reference_height
    return float(np.sqrt(2 * p.eddy_z * z**p.eddy_exponent * distance / (p.wind * z**p.wind_exponent)))


def _mean_power(z: np.ndarray, exponent: float, unit: float) -> np.ndarray:
    """Mean of (z / unit)^exponent over the cell of each node."""
    faces = np.concatenate([z[:1], 0.5 * (z[1:] + z[:-1]), z[-1:]])
    whole = (faces / unit) ** (exponent + 1.0) * unit / (exponent + 1.0)
    return np.diff(whole) / np.diff(faces)


def _eddies(p: Values, z: np.ndarray) -> np.ndarray:
    """Eddy diffusivity of each step: that of a constant flux through it, dz / integral of dz / K."""
    n, unit = p.eddy_exponent, p.reference_height
    passed = (z / unit) ** (1.0 - n) * unit / (1.0 - n)
    return p.eddy_z * np.diff(z) / np.diff(passed)


def model(p: Values) -> sf.Model:
    """The air column as it goes downwind; what it holds of the plume goes with the wind at each height."""
    z = _nodes(p)
    share = _mean_power(z, p.wind_exponent, p.reference_height)
    space = sf.interval(nodes=z, names=("ground", "top"))
    start = np.zeros(CELLS)
    mouth = int(np.argmin(np.abs(z - p.height)))
    start[mouth] = p.source / p.molar_mass / (p.wind * share[mouth] * np.asarray(space.volume)[mouth])
    return sf.Model(
        space,
        [sf.Species("smoke", capacity=share)],
        [sf.Fick("smoke", _eddies(p, z))],
        [sf.Film("ground", "smoke", p.deposition, 0.0)] if p.deposition > 0 else [],
        start={"smoke": start},
    )


def _across(p: Values, distances: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Share of the plume per metre across the wind at offsets from its axis, 1/m, each at its distance."""
    times = distances / p.wind
    narrow, wide = np.sqrt(2 * p.eddy_y * times.min()), np.sqrt(2 * p.eddy_y * times.max())
    rise = np.arcsinh(12 * wide / (0.4 * narrow))
    y = 0.4 * narrow * np.sinh(rise * np.linspace(0.0, 1.0, ACROSS))
    space = sf.interval(nodes=y, names=("axis", "side"))
    start = np.zeros(ACROSS)
    start[0] = 0.5 / np.asarray(space.volume)[0]
    across = sf.Model(space, [sf.Species("share")], [sf.Fick("share", p.eddy_y)], start={"share": start})
    order = np.unique(times)
    found = sf.evolve(across, order[-1], times=order, rtol=TOLERANCE)["share"]
    rows = np.searchsorted(order, times)
    return np.array([np.interp(abs(o), y, found[row]) for o, row in zip(offsets, rows, strict=True)])


def solve(p: Values, model: sf.Model) -> sf.History:
    """The way downwind, in travel time at the reference wind."""
    if len(p.crosswind) not in (1, len(p.distances)):
        raise InputError(
            f"There are {len(p.distances)} distances and {len(p.crosswind)} crosswind offsets; give one for each."
        )
    return sf.evolve(model, _reach(p) / p.wind, rtol=TOLERANCE)


def _ground(p: Values, history: sf.History, distances: np.ndarray) -> np.ndarray:
    """Crosswind-integrated concentration at the ground, kg/m^2."""
    return history.values("smoke", distances / p.wind)[:, 0] * p.molar_mass


def answers(p: Values, history: sf.History) -> dict[str, Any]:
    """Concentrations at the ground, their maximum, what the ground has taken up."""
    distances = np.array(p.distances)
    offsets = np.broadcast_to(np.array(p.crosswind), distances.shape)
    integrated = _ground(p, history, distances)
    x = history.times * p.wind
    top = int(np.argmax(history["smoke"][:, 0]))
    low, high = x[max(top - 2, 0)], x[min(top + 2, len(x) - 1)]
    peak = minimize_scalar(
        lambda s: -float(_ground(p, history, np.array([s]))[0]), bounds=(low, high), options={"xatol": 1e-9 * high}
    )
    # On the axis the plume also thins sideways, as x^-1/2: its maximum stands nearer.
    axis = x[(x > 0.02 * _peak_distance(p)) & (x < peak.x)]
    thin = _across(p, axis, np.zeros(axis.size)) if axis.size else np.zeros(0)
    near = int(np.argmax(history.values("smoke", axis / p.wind)[:, 0] * thin)) if axis.size else 0
    around = np.linspace(axis[max(near - 2, 0)], axis[min(near + 2, axis.size - 1)], 41)
    on_axis = _ground(p, history, around) * _across(p, around, np.zeros(around.size))
    best, distance = _parabola(around, on_axis)
    counted = (
        history.entered_at("smoke", "ground", distances / p.wind) if p.deposition > 0 else np.zeros(len(distances))
    )
    return {
        "ground_concentration_at": tuple(integrated * _across(p, distances, offsets)),
        "ground_integrated_at": tuple(integrated),
        "maximum": best,
        "maximum_distance": distance,
        "integrated_maximum": -float(peak.fun),
        "integrated_maximum_distance": float(peak.x),
        "deposited_fraction": tuple(-counted * p.wind * p.molar_mass / p.source),
        "airborne_fraction": float(history.end.total("smoke") * p.wind * p.molar_mass / p.source),
    }


def _parabola(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Height and place of the maximum of samples, by a fourth-degree fit about it."""
    centre, half = 0.5 * (x[0] + x[-1]), 0.5 * (x[-1] - x[0])
    fit = np.polynomial.Polynomial.fit(x, y / y.max(), 6)
    found = minimize_scalar(lambda s: -fit(s), bounds=(centre - half, centre + half), options={"xatol": 1e-10 * centre})
    return float(-found.fun * y.max()), float(found.x)


def figure(result: Result) -> Figure:
    """The plume in the plane of its axis, and what arrives at the ground."""
    p, history = result.parameters, result.history
    drawing = Figure(figsize=(7, 6), layout="constrained")
    above, below = drawing.subplots(2, 1, sharex=True)
    x, z = history.times * p.wind, np.asarray(history.model.space.position)
    shown = (x > 0.01 * _peak_distance(p)) & (x <= _reach(p))
    values = history["smoke"][shown] * p.molar_mass
    upper = z < 4 * p.height + 3 * _width(p, _peak_distance(p))
    levels = np.linspace(0.0, 4 * float(values[:, 0].max()), 25)
    drawn = above.contourf(x[shown] / 1e3, z[upper], values[:, upper].T, levels=levels, extend="max", cmap="magma_r")
    drawing.colorbar(drawn, ax=above, label="kg m⁻², across the wind")
    above.plot([0.0], [p.height], "k^", clip_on=False)
    above.set(ylabel="height / m")
    below.plot(x[shown] / 1e3, values[:, 0], label="at the ground")
    below.plot(np.array(p.distances) / 1e3, result.answers["ground_integrated_at"], "o")
    below.axvline(result.answers["integrated_maximum_distance"] / 1e3, color="0.6", lw=0.8)
    below.set(xlabel="distance downwind / km", ylabel="across the wind / kg m⁻²", ylim=(0.0, None))
    return drawing


def _roberts(x: Any, z: float, q: float, u: float, h: float, k: float, v: float) -> Any:
    """Crosswind-integrated plume with constant eddies over a ground that takes up (Roberts 1923; image and erfc)."""
    s = np.sqrt(4 * k * x / u)
    a = (z + h) / s
    b = v * np.sqrt(x / (u * k))
    direct = np.exp(-(((z - h) / s) ** 2)) + np.exp(-(a**2))
    sink = 2 * np.sqrt(np.pi) * b * np.exp(-(a**2)) * erfcx(a + b)
    return q / (u * s * np.sqrt(np.pi)) * (direct - sink)


def _huang(p: dict[str, float], x: Any, z: float) -> Any:
    """Crosswind-integrated plume under power laws over a tight ground (Smith 1957, Huang 1979)."""
    m, n, zr, h = p["wind_exponent"], p["eddy_exponent"], p["reference_height"], p["height"]
    alpha, u, k = 2 + m - n, p["wind"] / zr**m, p["eddy_z"] / zr**n
    nu = (1 - n) / alpha
    s = u / (alpha**2 * k * x)
    if z == 0.0:
        return p["source"] * alpha / (u * gamma(1 - nu)) * s ** (1 - nu) * np.exp(-s * h**alpha)
    r = 2 * s * (h * z) ** (alpha / 2)
    near = np.exp(-s * (h ** (alpha / 2) - z ** (alpha / 2)) ** 2)
    return p["source"] * alpha * s / u * (z * h) ** ((1 - n) / 2) * near * ive(-nu, r)


NIGHT = {
    "source": 2e-4, "height": 6.0, "wind": 2.0, "eddy_y": 0.9, "eddy_z": 0.25, "deposition": 0.03,
    "distances": (30.0, 150.0, 1200.0), "crosswind": (0.0, 5.0, -30.0),
}  # fmt: skip
LAYER = {
    "wind": 4.0, "wind_exponent": 0.2, "eddy_z": 1.5, "eddy_exponent": 0.8, "reference_height": 10.0, "deposition": 0.0,
}  # fmt: skip


def _with_deposition(run: Any) -> list[Comparison]:
    found = []
    for given in ({}, NIGHT):
        result = run(**given)
        p = result.parameters
        x = np.array(p.distances)
        exact = _roberts(x, 0.0, p.source, p.wind, p.height, p.eddy_z, p.deposition)
        found.append(Comparison(result.answers["ground_integrated_at"], exact, rtol=1e-4))
        wide = np.sqrt(4 * np.pi * p.eddy_y * x / p.wind)
        share = np.exp(-(np.array(p.crosswind) ** 2) * p.wind / (4 * p.eddy_y * x)) / wide
        found.append(Comparison(result.answers["ground_concentration_at"], exact * share, rtol=2e-4))
    return found


def _power_laws(run: Any) -> list[Comparison]:
    result = run(**LAYER)
    p = result.parameters.items
    exact = _huang(dict(p), np.array(p["distances"]), 0.0)
    peak = _peak_distance(result.parameters)
    return [
        Comparison(result.answers["ground_integrated_at"], exact, rtol=1e-4),
        Comparison(result.answers["integrated_maximum_distance"], peak, rtol=1e-4),
        Comparison(result.answers["integrated_maximum"], _huang(dict(p), peak, 0.0), rtol=1e-4),
    ]


def _image(run: Any) -> list[Comparison]:
    """Without deposition and with constant eddies the maxima stand where differentiation puts them."""
    found = run(deposition=0.0)
    p = found.parameters
    far = p.wind * p.height**2 / (2 * p.eddy_z)
    return [
        Comparison(found.answers["integrated_maximum_distance"], far, rtol=1e-4),
        Comparison(found.answers["maximum_distance"], far / 2, rtol=1e-3),
        Comparison(
            found.answers["maximum"],
            2 * p.source / (np.e * np.pi * p.wind * p.height**2) * np.sqrt(p.eddy_z / p.eddy_y),
            rtol=2e-4,
        ),
    ]


def _accounted(run: Any) -> list[Comparison]:
    """What the ground has taken up and what the air still carries make up the source."""
    result = run(**{**NIGHT, "distances": (1200.0,), "crosswind": (0.0,)})
    return [
        Comparison(result.answers["deposited_fraction"][0] + result.answers["airborne_fraction"], 1.0, rtol=1e-9),
        Comparison(result.history.ledger["smoke"].relative, 0.0, rtol=0.0, atol=1e-10),
    ]


SYSTEM = System(
    name="plume",
    parameters=PARAMETERS,
    model=model,
    solve=solve,
    answers=answers,
    units={
        "ground_concentration_at": "kg/m^3",
        "ground_integrated_at": "kg/m^2",
        "maximum": "kg/m^3",
        "maximum_distance": "m",
        "integrated_maximum": "kg/m^2",
        "integrated_maximum_distance": "m",
        "deposited_fraction": "",
        "airborne_fraction": "",
    },
    claims=(
        Claim("constant eddies over a ground that takes up", "Roberts (1923), image and erfc", _with_deposition),
        Claim("power laws of wind and eddies", "Smith (1957), Huang (1979)", _power_laws),
        Claim("where the maxima stand", "Gaussian plume with its image, differentiated", _image),
        Claim("the source is accounted for", "conservation", _accounted),
    ),
    figure=figure,
)
