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

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import brentq

import steadyflux as sf
from steadyflux.ground.arithmetic import array_module, is_traced
from steadyflux.ground.constants import SIGMA_SB
from steadyflux.ground.errors import InputError
from steadyflux.physics.law import parameter
from steadyflux.physics.local import Geometry, Local
from steadyflux.systems.heat._wall_claims import CLAIMS
from steadyflux.systems.system import Numbers, Parameter, Result, System, Table, Values

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
