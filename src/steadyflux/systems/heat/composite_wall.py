"""Heat through a composite wall: layers, contacts and films as resistances in series, and what they waste.

Seeds: A

A wall of several layers separates two rooms. The same heat passes through every layer; each takes its share of the
temperature fall in proportion to its resistance. Conductivities may vary with temperature, faces of layers may touch
badly, and the outer face may radiate, so that the resistances depend on the answer.

Equations

    q = -k_i(T) dT/dx = constant,       k_i(T) = k_i (1 + beta_i (T - 300 K))
    contact          q = (T - T') / R_c
    inner film       q = h_in (T_in - T_first face)
    outer face       q = h_out (T_last face - T_out) + emissivity sigma (T_last face^4 - T_out^4)
    constant k, no radiation:  1/U = 1/h_in + sum of L_i/k_i + sum of R_c + 1/h_out
    entropy production         total q (1/T_out - 1/T_in), of the wall q (1/T_last face - 1/T_first face)
    in time          C_i dT/dt = d/dx (k_i(T) dT/dx)         (C_i is the heat capacity per volume)

In time the wall starts at the temperature outside, when the room inside is heated at once. `inner_flux_at` and
`outer_flux_at` are the heat that at `time` enters it and that leaves it; the difference is what the wall takes up.
Layers without a heat capacity follow at once.

`transmittance` is the U-value of the building trade, which belongs to the wall and not to the weather: conductivities
at 300 K, no radiation beyond what the films contain. `effective_transmittance` is the heat flux over the temperature
difference of the two sides as they are.

What to look for: the layer with the largest resistance takes the largest fall; doubling a layer that is not the largest
resistance changes little. A wall of the same transmittance with its heavy layer inside takes up heat for hours
before the outside notices.

Limits: one dimension; a film coefficient that does not depend on the temperature; conductivities positive between the
two temperatures.

Sources: resistances in series, ISO 6946; layers in time by their transfer matrices, Carslaw and Jaeger, Conduction of
Heat in Solids (1959), section 3.7, inverted on Talbot's contour, J. Inst. Maths Applics 23 (1979) 97; films 8.3 and
34 W/(m^2 K), ASHRAE winter conditions (typical values); brick 0.72, mineral wool 0.038, plasterboard 0.25 W/(m K)
(typical values).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

import steadyflux as sf
from steadyflux.ground.arithmetic import array_module, is_traced
from steadyflux.ground.constants import SIGMA_SB
from steadyflux.ground.errors import InputError
from steadyflux.physics.law import parameter
from steadyflux.physics.local import Geometry, Local
from steadyflux.systems.system import Claim, Comparison, Numbers, Parameter, Result, System, Table, Values

REFERENCE = 300.0  # K, where a layer has its plain conductivity
STEPS = 320  # in every layer; at rest any number gives the exact temperatures
FINE = 0.01  # widths sqrt(k t / C) of the finest step in a layer

PARAMETERS = (
    Table(
        "layers",
        (
            {"thickness": 0.012, "conductivity": 0.25, "heat_capacity": 8e5},
            {"thickness": 0.1, "conductivity": 0.038, "heat_capacity": 3e4},
            {"thickness": 0.11, "conductivity": 0.72, "heat_capacity": 1.6e6},
        ),
        {
            "thickness": ("m", ...),
            "conductivity": ("W/(m*K)", ...),
            "temperature_coefficient": ("1/K", 0.0),
            "heat_capacity": ("J/(m^3*K)", 0.0),
        },
        "plasterboard, mineral wool, brick, from inside out; typical values",
    ),
    Numbers(
        "contact_resistances", (), "m^2*K/W", "perfect contacts; else one between each layer and the next", low=0.0
    ),
    Parameter("inner_film", 8.3, "W/(m^2*K)", "still air, ASHRAE winter", low=1e-9, high=1e9),
    Parameter("outer_film", 34.0, "W/(m^2*K)", "wind, ASHRAE winter", low=0.0, high=1e9),
    Parameter("inner_temperature", 293.15, "K", "20 degC", low=1.0, high=5000.0),
    Parameter("outer_temperature", 268.15, "K", "-5 degC", low=1.0, high=5000.0),
    Parameter("emissivity", 0.0, "", "radiation counted in the film", low=0.0, high=1.0),
    Parameter("time", 7200.0, "s", "two hours, chosen", low=1e-9, high=1e15),
)


class LayeredConduction(sf.EdgeLaw):
    """Fourier's law with k = k0 (1 + beta (T - 300 K)), k0 and beta per edge; exact between two temperatures."""

    conductivity: Any = parameter("W/(m*K)", "thermal conductivity")
    slope: Any = parameter("1/K", "temperature coefficient of the conductivity")

    @property
    def moves(self) -> tuple[str, ...]:
        """Heat."""
        return ("T",)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Heat from tail to head, W: the mean of a straight line is its value half-way."""
        k = self.conductivity * (1.0 + self.slope * (0.5 * (tail["T"] + head["T"]) - REFERENCE))
        return {"T": k * edge.conductor * (tail["T"] - head["T"])}


class RadiatingFilm(sf.EdgeLaw):
    """A film and grey radiation side by side: h A (T - T') + emissivity sigma A (T^4 - T'^4), W."""

    coefficient: Any = parameter("W/(m^2*K)", "film coefficient")
    emissivity: Any = parameter("", "emissivity")
    label: str = eqx.field(static=True, default="film and radiation")

    @property
    def moves(self) -> tuple[str, ...]:
        """Heat."""
        return ("T",)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Heat from tail to head, W."""
        a, b = tail["T"], head["T"]
        return {"T": edge.area * (self.coefficient * (a - b) + self.emissivity * SIGMA_SB * (a**4 - b**4))}


def _contacts(p: Values) -> tuple[Any, ...]:
    count = len(p.layers) - 1
    if not p.contact_resistances:
        return (0.0,) * count
    if len(p.contact_resistances) != count:
        raise InputError(
            f"{len(p.layers)} layers have {count} contacts, but contact_resistances has {len(p.contact_resistances)}."
        )
    return tuple(p.contact_resistances)


def _grading(p: Values, layer: Mapping[str, Any]) -> float:
    """Largest step over smallest in a layer: at its faces fine enough for what has happened by `time`."""
    if is_traced(p.items) or layer["heat_capacity"] <= 0:
        return 1.0
    smallest = FINE * np.sqrt(layer["conductivity"] / layer["heat_capacity"] * p.time) * STEPS / layer["thickness"]
    if smallest >= 1.0:
        return 1.0
    # Steps that grow by the factor e^(2 g / STEPS) up to the middle: the first is 2 g / (e^g - 1) times the mean.
    root: Any = brentq  # SciPy's annotations allow it to return more than the root
    return float(np.exp(root(lambda g: g / np.expm1(g) - smallest, 1e-12, 700.0)))


def _check(p: Values) -> None:
    if is_traced(p.items):
        return
    if p.outer_film == 0 and p.emissivity == 0:
        raise InputError("Without outer_film and emissivity no heat leaves the wall; give one of them.")
    for number, layer in enumerate(p.layers, 1):
        if layer["heat_capacity"] < 0:
            raise InputError(f"The heat capacity of layer {number} must not be negative.")
        if layer["thickness"] <= 0:
            raise InputError(f"The thickness of layer {number} must be positive; it is {layer['thickness']:g} m.")
        for T in (p.inner_temperature, p.outer_temperature):
            k = layer["conductivity"] * (1.0 + layer["temperature_coefficient"] * (T - REFERENCE))
            if k <= 0:
                raise InputError(
                    f"The conductivity of layer {number} is {k:g} W/(m K) at {T:g} K; it must be positive."
                )


def model(p: Values) -> sf.Model:
    """The wall between its two films. Where a contact has a resistance the temperature may jump."""
    _check(p)
    names = [f"layer {number}" for number in range(1, len(p.layers) + 1)]
    contacts = dict(zip([f"{a}|{b}" for a, b in pairwise(names)], _contacts(p), strict=True))
    split = {name: R for name, R in contacts.items() if is_traced(R) or R > 0}
    regions = [sf.Region(n, x["thickness"], STEPS, _grading(p, x)) for n, x in zip(names, p.layers, strict=True)]
    xp = array_module(p.items)

    def spread(key: str, count: int) -> Any:
        return xp.concatenate([xp.ones(count) * layer[key] for layer in p.layers])

    space = sf.interval(regions=regions, split=list(split), names=("inner", "outer"))
    conduction = LayeredConduction(spread("conductivity", STEPS), spread("temperature_coefficient", STEPS))
    inside, outside = {"T": p.inner_temperature}, {"T": p.outer_temperature}
    return sf.Model(
        space=space,
        quantities=[sf.Heat("T", capacity={n: x["heat_capacity"] for n, x in zip(names, p.layers, strict=True)})],
        laws=[conduction, *(sf.Transfer("T", 1.0 / R, on=name) for name, R in split.items())],
        boundaries=[
            sf.Exchange("inner", sf.Transfer("T", p.inner_film), inside),
            sf.Exchange("outer", RadiatingFilm(p.outer_film, p.emissivity), outside),
        ],
        start=outside,
    )


def course(p: Values) -> sf.History:
    """The wall from the moment when the room inside is heated until `time`."""
    return sf.evolve(model(p), until=p.time, rtol=1e-9)


def _plain(p: Values) -> Values:
    """The same wall with the conductivities of 300 K, without radiation, one kelvin between its sides."""
    layers = tuple({**layer, "temperature_coefficient": 0.0} for layer in p.layers)
    changes = {"layers": layers, "emissivity": 0.0, "inner_temperature": 300.5, "outer_temperature": 299.5}
    return Values({**p.items, **changes})


def _faces(p: Values, solution: sf.Solution) -> Any:
    """Temperature of the inner and the outer face of every layer, from inside out."""
    places = [solution.model.space.place(f"layer {n}").cells for n in range(1, len(p.layers) + 1)]
    return jnp.stack([solution["T"][cells[end]] for cells in places for end in (0, -1)])


def _at_time(p: Values, still: sf.Solution) -> dict[str, Any]:
    """Heat into the wall and out of it at `time`; a wall that stores nothing is at rest at once."""
    stores = any(layer["heat_capacity"] > 0 for layer in p.layers)
    moment = course(p).end if stores else still
    return {
        "inner_flux_at": float(moment.flow("T", "inner")),
        "outer_flux_at": -float(moment.flow("T", "outer")),
    }


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """Heat flux, temperatures of the faces, transmittances and entropy production per area."""
    flux, faces = solution.flow("T", "inner"), _faces(p, solution)
    books = solution.books.laws
    films = 2  # the last two laws are the films, the first ones the wall
    found = {
        "heat_flux": flux,
        "face_temperatures": faces,
        "entropy_production_wall": sum(jnp.sum(book.entropy) for book in books[:-films]),
        "entropy_production_total": sum(jnp.sum(book.entropy) for book in books),
    }
    if is_traced(p.items) or p.inner_temperature != p.outer_temperature:
        found["effective_transmittance"] = flux / (p.inner_temperature - p.outer_temperature)
    if is_traced(p.items) or p.outer_film > 0:
        found["transmittance"] = sf.steady(model(_plain(p))).flow("T", "inner")
    if solution.rate is None and not is_traced(p.items):
        found |= _at_time(p, solution)
    return found


UNITS = {
    "heat_flux": "W/m^2",
    "face_temperatures": "K",
    "transmittance": "W/(m^2*K)",
    "effective_transmittance": "W/(m^2*K)",
    "entropy_production_wall": "W/(K*m^2)",
    "entropy_production_total": "W/(K*m^2)",
    "inner_flux_at": "W/m^2",
    "outer_flux_at": "W/m^2",
}

Run = Callable[..., Result]

# Independent reference computations (root of one equation for the flux), relative accuracy 1e-9.
HOUSE = {
    "heat_flux": 8.382931175990864,
    "face_temperatures": (
        292.1400082920493,
        291.73762759560174,
        291.73762759560174,
        269.67728239562575,
        269.67728239562575,
        268.3965567992938,
    ),
    "transmittance": 0.3353172470396344,
    "entropy_production_total": 0.002666049505218703,
    "entropy_production_wall": 0.0025384684742703486,
}
FURNACE_CASE = {
    "layers": ((0.23, 1.1, 0.0003, 2.2e6), (0.12, 0.16, 0.0011, 5e5), (0.006, 45.0, -0.0004, 3.7e6)),
    "contact_resistances": (2e-4, 5e-4),
    "inner_film": 60.0,
    "outer_film": 6.0,
    "inner_temperature": 1500.0,
    "outer_temperature": 300.0,
    "emissivity": 0.85,
}
FURNACE = {
    "heat_flux": 1656.4770875033619,
    "face_temperatures": (
        1472.3920485416106,
        1208.427215005432,
        1208.0959195879311,
        412.34708622443134,
        411.51884768067964,
        411.2876830721193,
    ),
    "transmittance": 0.874693525942615,
    "entropy_production_total": 4.417272233342299,
    "entropy_production_wall": 2.9025142935331463,
}


def _against(reference: dict[str, Any], case: dict[str, Any], rtol: float = 1e-9) -> Callable[[Run], list[Comparison]]:
    def compare(run: Run) -> list[Comparison]:
        found = run(**case).answers
        return [Comparison(found[name], np.asarray(value), rtol) for name, value in reference.items()]

    return compare


def _series(run: Run) -> list[Comparison]:
    """Constant conductivities: resistances add up."""
    layers = ((0.02, 0.9), (3e-4, 0.021), (0.31, 1.7), (0.004, 52.0))
    contacts, films = (1.2e-3, 0.0, 4e-5), (11.0, 23.0)
    case = {"layers": layers, "contact_resistances": contacts, "inner_film": films[0], "outer_film": films[1]}
    found = run(**case, inner_temperature=310.0, outer_temperature=251.0).answers
    U = 1.0 / (sum(x / k for x, k in layers) + sum(contacts) + sum(1.0 / h for h in films))
    return [
        Comparison(found["heat_flux"], U * 59.0, 1e-10),
        Comparison(found["transmittance"], U, 1e-10),
        Comparison(found["effective_transmittance"], U, 1e-10),
        Comparison(found["entropy_production_total"], U * 59.0 * (1.0 / 251.0 - 1.0 / 310.0), 1e-10),
    ]


def _radiation(run: Run) -> Comparison:
    """A black plate of negligible resistance in a vacuum: q = sigma (T_face^4 - T_out^4) with T_face the inner one."""
    case = {"layers": ((1e-6, 400.0),), "inner_film": 1e9, "outer_film": 0.0, "emissivity": 1.0}
    found = run(**case, inner_temperature=600.0, outer_temperature=4.0).answers
    return Comparison(found["heat_flux"], SIGMA_SB * (600.0**4 - 4.0**4), 1e-6)


def _conservation(run: Run) -> Comparison:
    """The same heat passes every edge of every layer."""
    found = run(**FURNACE_CASE)
    return Comparison(np.asarray(found.solution.along("T")), FURNACE["heat_flux"], 1e-9)


# Transfer matrices inverted with 40 digits: constant conductivities, no radiation.
HOUSE_LATER = {"inner_flux_at": 9.992880483038537, "outer_flux_at": 0.8798367610262844}
FURNACE_LATER_CASE = FURNACE_CASE | {
    "layers": ((0.23, 1.1, 0.0, 2.2e6), (0.12, 0.16, 0.0, 5e5), (0.006, 45.0, 0.0, 3.7e6)),
    "emissivity": 0.0,
    "time": 36000.0,
}
FURNACE_LATER = {"inner_flux_at": 5238.572787118222, "outer_flux_at": 233.60575982861707}


def _transformed(p: Values, s: Any) -> Any:
    """Laplace transforms of the flux into the wall and out of it, (2, s), by the layers' transfer matrices.

    A layer's matrix is divided by e^x, x = L sqrt(s C / k), which would overflow.
    """
    whole, ones = np.broadcast_to(np.eye(2, dtype=complex), (len(s), 2, 2)), np.ones_like(s)
    damping = np.zeros_like(s)

    def times(m: Any, a: Any, b: Any, c: Any, d: Any) -> Any:
        return m @ np.moveaxis(np.array([[a * ones, b * ones], [c * ones, d * ones]]), -1, 0)

    whole = times(whole, 1.0, 1.0 / p.inner_film, 0.0, 1.0)
    for layer, contact in zip(p.layers, (*_contacts(p), 0.0), strict=True):
        k = layer["conductivity"]
        a = np.sqrt(s * layer["heat_capacity"] / k)
        x = a * layer["thickness"]
        cosh, sinh = 0.5 * (1.0 + np.exp(-2.0 * x)), 0.5 * (1.0 - np.exp(-2.0 * x))
        whole = times(times(whole, cosh, sinh / (k * a), k * a * sinh, cosh), 1.0, contact, 0.0, 1.0)
        damping = damping + x
    whole = times(whole, 1.0, 1.0 / p.outer_film, 0.0, 1.0)
    leaving = (p.inner_temperature - p.outer_temperature) / s / whole[:, 0, 1]
    return np.stack([whole[:, 1, 1] * leaving, leaving * np.exp(-damping)])


def _inverted(p: Values, points: int = 24) -> Any:
    """Flux into the wall and out of it at `time`: Talbot's contour with the numbers of Abate and Valko (2004)."""
    angle = np.arange(1, points) * np.pi / points
    cotangent, r = 1.0 / np.tan(angle), 0.4 * points / p.time
    s = np.append(r + 0.0j, r * angle * (cotangent + 1.0j))
    weight = np.append(0.5, 1.0 + 1.0j * (angle + (angle * cotangent - 1.0) * cotangent))
    return 0.4 / p.time * np.real(_transformed(p, s) @ (weight * np.exp(s * p.time)))


def _laplace(run: Run) -> list[Comparison]:
    """Early, on the way and late, with and without contacts; errors count as shares of the larger flux."""
    thin = ((1e-3, 400.0, 0.0, 3.4e6), (0.05, 0.03, 0.0, 2e4), (0.2, 1.6, 0.0, 2e6), (4e-3, 15.0, 0.0, 3.9e6))
    thin_case = {"layers": thin, "contact_resistances": (1e-3, 0.02, 0.0), "inner_film": 900.0, "outer_film": 3.0}
    found = []
    for case in ({}, thin_case, FURNACE_LATER_CASE):
        for time in (30.0, 4e3, 2e5):
            result = run(case, time=time)
            measured = [result.answers[name] for name in ("inner_flux_at", "outer_flux_at")]
            expected = _inverted(result.parameters)
            found.append(Comparison(measured, expected, 0.0, 3e-5 * float(np.abs(expected).max())))
    return found


def _plate(run: Run) -> list[Comparison]:
    """A plate too thin to have a profile, warmed by air and cooled by radiation: one equation for its temperature."""
    h, emissivity, store, hot, cold = 25.0, 0.9, 2e-3 * 3.4e6, 900.0, 280.0

    def warming(t: float, T: Any) -> Any:
        return (h * (hot - T) - emissivity * SIGMA_SB * (T**4 - cold**4)) / store

    found = []
    for time in (60.0, 400.0):
        T = solve_ivp(warming, (0.0, time), [cold], rtol=1e-10, atol=1e-8).y[0, -1]
        case = {"layers": ((2e-3, 5e4, 0.0, 3.4e6),), "inner_film": h, "outer_film": 0.0, "emissivity": emissivity}
        a = run(**case, inner_temperature=hot, outer_temperature=cold, time=time).answers
        found += [
            Comparison(a["inner_flux_at"], h * (hot - T), 1e-5),
            Comparison(a["outer_flux_at"], emissivity * SIGMA_SB * (T**4 - cold**4), 1e-5),
        ]
    return found


def _arrives(run: Run) -> list[Comparison]:
    """With k(T), contacts and radiation the wall comes to its steady state."""
    a = run(**FURNACE_CASE, time=1e8).answers
    return [Comparison(a[name], FURNACE["heat_flux"], 1e-8) for name in ("inner_flux_at", "outer_flux_at")]


CLAIMS = (
    Claim("a house wall agrees with the reference", "independent reference computation", _against(HOUSE, {})),
    Claim(
        "a furnace wall with k(T), contacts and a radiating shell agrees",
        "independent reference computation",
        _against(FURNACE, FURNACE_CASE),
    ),
    Claim("resistances in series", "closed form; ISO 6946", _series),
    Claim("a thin black plate in a vacuum radiates sigma T^4", "limit (Stefan 1879, Boltzmann 1884)", _radiation),
    Claim("the heat flux is the same everywhere", "independent reference computation", _conservation),
    Claim(
        "the house wall two hours after the room was heated",
        "independent reference computation",
        _against(HOUSE_LATER, {}, 5e-5),
    ),
    Claim(
        "the furnace wall after ten hours, its conductivities those of 300 K",
        "independent reference computation",
        _against(FURNACE_LATER, FURNACE_LATER_CASE, 5e-5),
    ),
    Claim("heat in and out from 30 s to two days", "Laplace inversion of transfer matrices", _laplace),
    Claim("a thin plate between warm air and a cold sky", "one ordinary differential equation", _plate),
    Claim("in time the furnace wall arrives at its steady state", "two routes: steady and in time", _arrives),
)


def figure(result: Result) -> Figure:
    """Temperature through the wall, layer by layer, with the jumps at films and contacts."""
    p, solution = result.parameters, result.solution
    x, T = 1e3 * np.asarray(solution.position()), np.asarray(solution["T"])
    drawing = Figure(figsize=(7.0, 4.5), layout="constrained")
    axes = drawing.subplots()
    total = float(x[-1])
    for number, layer in enumerate(p.layers, 1):
        cells = np.asarray(solution.model.space.place(f"layer {number}").cells)
        axes.axvspan(float(x[cells[0]]), float(x[cells[-1]]), color=f"C{number % 10}", alpha=0.15)
        text = f"{number}: {1e3 * layer['thickness']:g} mm, {layer['conductivity']:g} W/(m K)"
        axes.plot(x[cells], T[cells], color=f"C{number % 10}", label=text)
    if solution.rate is None and any(layer["heat_capacity"] > 0 for layer in p.layers):
        history = course(p)
        for share, colour in ((0.1, "0.7"), (1.0, "0.4")):
            on_the_way = history.values("T", share * p.time)[0]
            axes.plot(x, on_the_way, "--", linewidth=1.0, color=colour, label=f"after {share * p.time:g} s")
    for face, side, outside in ((0.0, -1.0, p.inner_temperature), (total, 1.0, p.outer_temperature)):
        at = T[0] if side < 0 else T[-1]
        axes.plot([face, face, face + 0.12 * side * total], [at, outside, outside], ":", color="0.3")
    axes.set_title(f"heat flux {float(result.answers['heat_flux']):.4g} W/m$^2$", fontsize="medium")
    axes.set_xlabel("distance from the inner face, mm")
    axes.set_ylabel("temperature, K")
    axes.legend()
    return drawing


SYSTEM = System(
    name="composite_wall",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
)
