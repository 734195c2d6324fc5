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

`transmittance` is the U-value of the building trade, which belongs to the wall and not to the weather: conductivities
at 300 K, no radiation beyond what the films contain. `effective_transmittance` is the heat flux over the temperature
difference of the two sides as they are.

What to look for: the layer with the largest resistance takes the largest fall; doubling a layer that is not the largest
resistance changes little.

Limits: one dimension; a film coefficient that does not depend on the temperature; conductivities positive between the
two temperatures.

Sources: resistances in series, ISO 6946; films 8.3 and 34 W/(m^2 K), ASHRAE winter conditions (typical values); brick
0.72, mineral wool 0.038, plasterboard 0.25 W/(m K) (typical values).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.ground.arithmetic import array_module, is_traced
from steadyflux.ground.constants import SIGMA_SB
from steadyflux.ground.errors import InputError
from steadyflux.physics.law import parameter
from steadyflux.physics.local import Geometry, Local
from steadyflux.systems.system import Claim, Comparison, Numbers, Parameter, Result, System, Table, Values

REFERENCE = 300.0  # K, where a layer has its plain conductivity
STEPS = 40  # in every layer; any number gives the exact temperatures, these draw the curves

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


def _check(p: Values) -> None:
    if is_traced(p.items):
        return
    if p.outer_film == 0 and p.emissivity == 0:
        raise InputError("Without outer_film and emissivity no heat leaves the wall; give one of them.")
    for number, layer in enumerate(p.layers, 1):
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
    regions = [sf.Region(n, layer["thickness"], STEPS) for n, layer in zip(names, p.layers, strict=True)]
    xp = array_module(p.items)

    def spread(key: str, count: int) -> Any:
        return xp.concatenate([xp.ones(count) * layer[key] for layer in p.layers])

    space = sf.interval(regions=regions, split=list(split), names=("inner", "outer"))
    conduction = LayeredConduction(spread("conductivity", STEPS), spread("temperature_coefficient", STEPS))
    inside, outside = {"T": p.inner_temperature}, {"T": p.outer_temperature}
    return sf.Model(
        space=space,
        quantities=[sf.Heat("T")],
        laws=[conduction, *(sf.Transfer("T", 1.0 / R, on=name) for name, R in split.items())],
        boundaries=[
            sf.Exchange("inner", sf.Transfer("T", p.inner_film), inside),
            sf.Exchange("outer", RadiatingFilm(p.outer_film, p.emissivity), outside),
        ],
    )


def _plain(p: Values) -> Values:
    """The same wall with the conductivities of 300 K, without radiation, one kelvin between its sides."""
    layers = tuple({**layer, "temperature_coefficient": 0.0} for layer in p.layers)
    changes = {"layers": layers, "emissivity": 0.0, "inner_temperature": 300.5, "outer_temperature": 299.5}
    return Values({**p.items, **changes})


def _faces(p: Values, solution: sf.Solution) -> Any:
    """Temperature of the inner and the outer face of every layer, from inside out."""
    places = [solution.model.space.place(f"layer {n}").cells for n in range(1, len(p.layers) + 1)]
    return jnp.stack([solution["T"][cells[end]] for cells in places for end in (0, -1)])


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
    return found


UNITS = {
    "heat_flux": "W/m^2",
    "face_temperatures": "K",
    "transmittance": "W/(m^2*K)",
    "effective_transmittance": "W/(m^2*K)",
    "entropy_production_wall": "W/(K*m^2)",
    "entropy_production_total": "W/(K*m^2)",
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


def _against(reference: dict[str, Any], case: dict[str, Any]) -> Callable[[Run], list[Comparison]]:
    def compare(run: Run) -> list[Comparison]:
        found = run(**case).answers
        return [Comparison(found[name], np.asarray(value), 1e-9) for name, value in reference.items()]

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
