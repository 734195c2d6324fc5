"""A hydrogel film on an electrode: solution, gel and reaction as resistances in series; an enzyme in the gel.

Seeds: A

A reactant crosses a still layer of solution, dissolves in a gel and reacts at the electrode behind it. The gel takes up
`partition` times the concentration of the solution it touches. In a biosensor an enzyme (glucose oxidase) sits in the
gel and turns its substrate into a product, and only the product reacts at the electrode.

Equations

    dc/dt = D c'' in the layer and in the film;   c_film = partition c_solution where they touch
    D_film c' = rate_constant c                    at the electrode;   c = bulk outside the layer
    current = electrons F area bulk / (layer / D_layer + film / (partition D_film) + 1 / (partition rate_constant))

    with enzyme   D_film s'' = enzyme_rate s / (michaelis + s) = - D_product p''    in the film
                  s' = 0, p = 0 at the electrode (no substrate reacts there, all product does);
                  s = partition bulk, p = 0 at the outside

The state that is solved for in the film is the concentration of the solution that would be in equilibrium with it: it
has no jump, conducts with partition D_film and stores partition. The answer of the enzyme holds for a stirred
solution; with `enzyme_bath` "still" substrate and product also cross the layer (the product with its diffusivity).

What to look for: the largest of the three `resistances` rules; `current_at` after a step of the bulk (layer and film
empty at the start) begins with a delay. Where the enzyme is slow (small `thiele`) all of the film works and half of the
product reaches the electrode; where it is fast, the reaction stays at the outside and most of the product is lost.

Limits: still layer of given thickness; dilute species; oxygen for the enzyme in excess; constant partition.

Sources: J. Newman and K. E. Thomas-Alyea, Electrochemical Systems, 3rd ed. (2004), ch. 1; L. D. Mell and J. T. Maloy,
Anal. Chem. 47 (1975) 299; P. N. Bartlett and R. G. Whitaker, J. Electroanal. Chem. 224 (1987) 27; E. W. Thiele, Ind.
Eng. Chem. 31 (1939) 916. Glucose oxidase: Michaelis constant about 20 mM (typical); glucose in a gel 3e-10, in water
7e-10 m^2/s (typical).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.ground.arithmetic import array_module, is_traced
from steadyflux.ground.constants import FARADAY
from steadyflux.systems.system import Choice, Claim, Comparison, Numbers, Parameter, Result, System, Values

REACTANT, SUBSTRATE, PRODUCT = "reactant", "substrate", "product"
STEPS = 1200  # of the film, and of the layer: the first trace of current that comes through is right to 1e-4
ENZYME_STEPS, GRADING = 1600, 100.0  # of the film with enzyme, whose reaction may stay at its outside

PARAMETERS = (
    Parameter("electrons", 2.0, "", "hydrogen peroxide to oxygen", 0.1, 20.0),
    Parameter("area", 7e-6, "m^2", "disk of 3 mm diameter (typical)", 1e-14, 100.0),
    Parameter("film_thickness", 2e-5, "m", "dip-coated gel (typical)", 1e-9, 0.1),
    Parameter("film_diffusivity", 3e-10, "m^2/s", "glucose in a gel (typical)", 1e-18, 1e-4),
    Parameter("partition", 0.8, "", "gel over solution (typical)", 1e-6, 1e6),
    Parameter("layer_thickness", 5e-5, "m", "stirred solution (typical); 0: none", 0.0, 0.1),
    Parameter("layer_diffusivity", 7e-10, "m^2/s", "glucose in water (typical)", 1e-18, 1e-4),
    Parameter("rate_constant", 1e-3, "m/s", "a fast electrode; counts concentrations in the gel", 1e-15, 1e6),
    Parameter("bulk", 5.0, "mol/m^3", "glucose in blood (typical)", 1e-12, 1e5),
    Parameter("enzyme_rate", 0.5, "mol/(m^3*s)", "largest rate of the enzyme in the gel (typical)", 1e-15, 1e9),
    Parameter("michaelis", 20.0, "mol/m^3", "glucose oxidase (typical)", 1e-9, 1e6),
    Parameter("product_diffusivity", 8e-10, "m^2/s", "hydrogen peroxide in a gel (typical)", 1e-18, 1e-4),
    Choice("enzyme_bath", "stirred", ("stirred", "still"), "whether the layer stands before the enzyme's film too"),
    Numbers("times", (0.3, 2.0, 10.0), "s", "for current_at, after a step of the bulk", 1e-12, 1e15),
)


def film_and_layer(p: Values, steps: int, grading: float = 1.0) -> sf.Space:
    """The film, and the layer before it if it has one, from the electrode to the bulk."""
    regions = [sf.Region("film", p.film_thickness, steps, grading)]
    if p.layer_thickness > 0:
        regions.append(sf.Region("layer", p.layer_thickness, steps))
    return sf.interval(regions=regions, area=p.area, names=("electrode", "bulk"))


def film_alone(p: Values, steps: int) -> sf.Space:
    """The film, finest at its outside as far as the enzyme's substrate gets."""
    xp = array_module(p.items)
    shell = 1.0 / (1.0 + thiele(p))
    depth = shell * xp.sinh(np.linspace(1.0, 0.0, steps + 1) * xp.arcsinh(1.0 / shell))
    nodes = p.film_thickness * (1.0 - depth / depth[0])
    return sf.interval(nodes=nodes, area=p.area, names=("electrode", "bulk"))


def in_gel(p: Values, space: sf.Space, name: str, film: Any, layer: Any) -> tuple[Any, list[Any]]:
    """A species stated by the solution in equilibrium with it, and its diffusion in film and layer."""
    if "layer" not in space.edges:
        return sf.Species(name, capacity=p.partition), [sf.Fick(name, p.partition * film)]
    laws = [sf.Fick(name, p.partition * film, on="film"), sf.Fick(name, layer, on="layer")]
    return sf.Species(name, capacity={"film": p.partition, "layer": 1.0}), laws


def model(p: Values) -> sf.Model:
    """Film and layer with the electrode reaction; the bulk is there at once, the rest is empty at the start."""
    space = film_and_layer(p, STEPS)
    reactant, laws = in_gel(p, space, REACTANT, p.film_diffusivity, p.layer_diffusivity)
    reaction = sf.SurfaceRate({REACTANT: -1}, p.partition * p.rate_constant)
    return sf.Model(
        space,
        quantities=[reactant],
        laws=laws,
        boundaries=[sf.Exchange("electrode", reaction, {REACTANT: p.bulk}), sf.Hold("bulk", {REACTANT: p.bulk})],
        start={REACTANT: 0.0},
    )


def first_guess(p: Values, space: sf.Space) -> Any:
    """The substrate if the enzyme worked at its largest rate wherever there is any: a parabola down to nothing."""
    xp = array_module(p.items)
    rate = p.enzyme_rate * p.partition * p.bulk / (p.michaelis + p.partition * p.bulk)
    pull = 2.0 * p.partition * p.film_diffusivity * rate  # squared flux into the film per concentration before it
    outside = p.bulk
    if "layer" in space.edges:
        slope = p.layer_diffusivity / p.layer_thickness
        through = p.bulk - rate * p.film_thickness / slope
        root = 2.0 * slope * p.bulk / (xp.sqrt(pull) + xp.sqrt(pull + 4.0 * slope**2 * p.bulk))
        outside = xp.where(pull * through > (rate * p.film_thickness) ** 2, through, root**2)
    reach = xp.sqrt(pull * outside) / rate
    depth = xp.clip(p.film_thickness - xp.asarray(space.position), 0.0, p.film_thickness)
    gone = xp.clip(1.0 - depth / reach, 0.0, 1.0) ** 2
    whole = 1.0 - depth * (2.0 * p.film_thickness - depth) / reach**2
    inside = outside * xp.where(reach < p.film_thickness, gone, whole)
    beyond = xp.clip((xp.asarray(space.position) - p.film_thickness) / xp.maximum(p.layer_thickness, 1e-300), 0.0, 1.0)
    return xp.maximum(inside + beyond * (p.bulk - outside), 1e-9 * p.bulk)


def enzyme_model(p: Values, steps: int = ENZYME_STEPS) -> sf.Model:
    """The film with the enzyme, and the layer if it stands there too; all product that arrives reacts."""
    still = p.enzyme_bath == "still" and p.layer_thickness > 0
    space = film_and_layer(p, steps, GRADING) if still else film_alone(p, steps)
    substrate, first = in_gel(p, space, SUBSTRATE, p.film_diffusivity, p.layer_diffusivity)
    product, second = in_gel(p, space, PRODUCT, p.product_diffusivity, p.product_diffusivity)
    enzyme = sf.MichaelisMenten(
        {SUBSTRATE: -1, PRODUCT: 1},
        limit=p.enzyme_rate,
        half=p.michaelis / p.partition,
        on="film" if still else None,
    )
    return sf.Model(
        space,
        quantities=[substrate, product],
        laws=[*first, *second, enzyme],
        boundaries=[
            sf.Hold("electrode", {PRODUCT: 0.0}),
            sf.Hold("bulk", {SUBSTRATE: p.bulk, PRODUCT: 0.0}),
        ],
        start={SUBSTRATE: first_guess(p, space)},
    )


def thiele(p: Values) -> Any:
    """Thickness of the film over the distance that substrate gets before the enzyme has it, at low concentration."""
    return p.film_thickness * array_module(p.items).sqrt(p.enzyme_rate / (p.michaelis * p.film_diffusivity))


@lru_cache(maxsize=16)
def currents(items: tuple[tuple[str, Any], ...]) -> list[float]:
    """The current at the times asked for, after a step of the bulk, A."""
    p = Values(dict(items))
    history = sf.evolve(model(p), max(p.times), times=sorted(set(p.times)), rtol=1e-8)
    return [float(-p.electrons * FARADAY * x) for x in history.flow_at(REACTANT, "electrode", p.times)]


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """Steady current and its resistances (s/m), the current after a step, and what the enzyme gives."""
    charge = p.electrons * FARADAY
    # Asked on the way there, the resistances are those of the steady state that it leads to.
    rest = sf.steady(model(p))
    c, flux = rest[REACTANT], -rest.flow(REACTANT, "electrode") / p.area
    edge = c[STEPS]  # where film and layer touch
    resistances = [(p.bulk - edge) / flux, (edge - c[0]) / flux, c[0] / flux]
    enzyme = sf.steady(enzyme_model(p))
    made = enzyme.flow(SUBSTRATE, "bulk")
    collected = -enzyme.flow(PRODUCT, "electrode")
    found = {
        "current": -charge * solution.flow(REACTANT, "electrode"),
        "resistances": resistances,
        "film_limited_current": charge * p.area * p.bulk / resistances[1],
        "fraction_film": resistances[1] * flux / p.bulk,
        "electrode_concentration": p.partition * solution[REACTANT][0],
        "enzyme_current": charge * collected,
        "enzyme_conversion": made,
        "collection": collected / made,
        "thiele": thiele(p),
    }
    left = enzyme[SUBSTRATE][0]
    if is_traced(p.items) or float(left) > 1e-3 * p.bulk:  # a smaller trace is no longer resolved
        found["enzyme_substrate_at_electrode"] = p.partition * left
    if not is_traced(p.items):
        found["current_at"] = currents(tuple(p.items.items()))
    return found


UNITS = {
    **dict.fromkeys(("current", "film_limited_current", "enzyme_current", "current_at"), "A"),
    "resistances": "s/m",
    **dict.fromkeys(("fraction_film", "collection", "thiele"), ""),
    **dict.fromkeys(("electrode_concentration", "enzyme_substrate_at_electrode"), "mol/m^3"),
    "enzyme_conversion": "mol/s",
}

Run = Callable[..., Result]

ALGINATE = {
    "electrons": 1, "area": 1e-4, "film_thickness": 3e-4, "film_diffusivity": 1.2e-10, "partition": 0.5,
    "layer_thickness": 1e-5, "layer_diffusivity": 1e-9, "rate_constant": 2e-7, "bulk": 0.3, "enzyme_rate": 0.02,
    "michaelis": 0.05, "product_diffusivity": 4e-10, "times": (60.0, 300.0, 1500.0),
}  # fmt: skip
# Independent reference computation (resistances; Laplace transform inverted; collocation), rtol 1e-9 and 1e-7 in time.
REFERENCE: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    (
        {},
        {
            "current": 4.329139663373237e-05,
            "film_limited_current": 8.10476789835804e-05,
            "fraction_film": 0.5341472720335749,
            "electrode_concentration": 0.03204883632201449,
            "current_at": [1.0276724233710695e-07, 3.107755367248591e-05, 4.328379792907046e-05],
            "enzyme_current": 1.1148848318970357e-06,
            "enzyme_substrate_at_electrode": 3.944976347459807,
            "enzyme_conversion": 1.1577309547889314e-11,
            "thiele": 0.18257418583505539,
        },
    ),
    (
        ALGINATE,
        {
            "current": 1.9284210284472354e-07,
            "film_limited_current": 5.789119927398602e-07,
            "fraction_film": 0.3331112591605596,
            "electrode_concentration": 0.09993337774816789,
            "current_at": [6.639136876354501e-09, 1.2320894424978193e-07, 1.925205584678626e-07],
            "enzyme_current": 5.78911915751141e-07,
            "enzyme_conversion": 6.223257614233939e-11,
            "thiele": 17.32050807568877,
        },
    ),
)


def _reference(run: Run) -> list[Comparison]:
    found = []
    for given, expected in REFERENCE:
        a = run(**given).answers
        loose = {"current_at": 5e-5, "enzyme_conversion": 1e-5, "enzyme_current": 1e-6}
        found += [Comparison(a[name], value, loose.get(name, 1e-9)) for name, value in expected.items()]
    return found


def _series(run: Run) -> list[Comparison]:
    found = []
    for k, layer in ((1e-3, 5e-5), (3e-6, 2e-4), (1e2, 0.0)):
        a = run(rate_constant=k, layer_thickness=layer, times=(5.0,)).answers
        parts = [layer / 7e-10, 2e-5 / (0.8 * 3e-10), 1.0 / (0.8 * k)]
        found.append(Comparison(a["resistances"], parts, 1e-8, 1e-9 * sum(parts)))
        found.append(Comparison(a["current"], 2.0 * FARADAY * 7e-6 * 5.0 / sum(parts), 1e-10))
    return found


def _enzyme_limits(run: Run) -> list[Comparison]:
    scarce = run(bulk=1e-4, enzyme_rate=400.0).answers  # first order, s0 = sL / cosh(thiele)
    left = 0.8e-4 / np.cosh(float(scarce["thiele"]))
    first = 2.0 * FARADAY * 7e-6 * 3e-10 / 2e-5 * (0.8e-4 - left)
    plenty = run(bulk=5e3, michaelis=1e-3).answers  # zero order: half of what is made reaches the electrode
    slow = run(enzyme_rate=1e-4).answers
    made = 7e-6 * 2e-5 * 1e-4 * 4.0 / 24.0
    return [
        Comparison(scarce["enzyme_current"], first, 2e-5),
        Comparison(plenty["enzyme_current"], FARADAY * 7e-6 * 2e-5 * 0.5, 1e-5),
        Comparison(plenty["collection"], 0.5, 1e-5),
        Comparison(slow["enzyme_current"], FARADAY * made, 1e-4),
    ]


def _enzyme_sum(run: Run) -> list[Comparison]:
    # D_film s + D_product p is a straight line, whatever the kinetics: its slope is the product's flux.
    found = []
    for given in ({}, {"enzyme_rate": 30.0, "michaelis": 0.7}, {"partition": 3.0, "product_diffusivity": 2e-11}):
        a = run(**given).answers
        p = SYSTEM.values(given)
        outside = p.partition * p.bulk
        slope = p.film_diffusivity * (outside - float(a["enzyme_substrate_at_electrode"])) / p.film_thickness
        found.append(Comparison(a["enzyme_current"], 2.0 * FARADAY * 7e-6 * slope, 1e-8))
    return found


def _still(run: Run) -> list[Comparison]:
    # First order behind a layer: the film takes up partition D_film thiele tanh(thiele) / L times its outside.
    a = run(enzyme_bath="still", bulk=1e-4, enzyme_rate=400.0).answers
    m = float(a["thiele"])
    uptake = 0.8 * 3e-10 * m * np.tanh(m) / 2e-5
    return [Comparison(a["enzyme_conversion"], 7e-6 * 1e-4 / (5e-5 / 7e-10 + 1.0 / uptake), 2e-5)]


def _order(run: Run) -> list[Comparison]:
    p = SYSTEM.values({"enzyme_rate": 300.0, "michaelis": 0.7})
    made = [float(sf.steady(enzyme_model(p, steps)).flow(SUBSTRATE, "bulk")) for steps in (20, 40, 80)]
    return [Comparison(np.log2((made[0] - made[1]) / (made[1] - made[2])), 2.0, 0.05)]


CLAIMS = (
    Claim("a glucose sensor and a thick alginate film", "independent reference computation", _reference),
    Claim("three resistances in series", "closed form", _series),
    Claim("first and zero order in the gel, slow enzyme", "Thiele 1939; limits", _enzyme_limits),
    Claim("substrate and product together: a straight line", "first integral; Mell and Maloy 1975", _enzyme_sum),
    Claim("a still layer before the enzyme adds its resistance", "closed form at first order", _still),
    Claim("second order in the step", "observed order", _order),
)


def figure(result: Result) -> Figure:
    """Concentrations in gel and layer, with and without enzyme, and the current after a step of the bulk."""
    p, solution = result.parameters, result.solution
    drawing = Figure(figsize=(12.0, 4.0), layout="constrained")
    left, middle, right = drawing.subplots(1, 3)
    x, c = np.asarray(solution.position()) * 1e6, np.asarray(solution[REACTANT])
    left.plot(x[: STEPS + 1], p.partition * c[: STEPS + 1], label="film")
    if p.layer_thickness > 0:
        left.plot(x[STEPS:], c[STEPS:], label="layer")
    left.axvline(1e6 * p.film_thickness, color="grey", lw=0.8)
    left.set(xlabel="distance from the electrode / um", ylabel="concentration / (mol/m$^3$)", title="Reactant")
    left.legend()
    enzyme = sf.steady(enzyme_model(p))
    at = np.asarray(enzyme.position()) * 1e6
    inside = at <= 1e6 * p.film_thickness * (1.0 + 1e-9)
    gel = {name: p.partition * np.asarray(enzyme[name])[inside] for name in (SUBSTRATE, PRODUCT)}
    middle.plot(at[inside], gel[SUBSTRATE])
    middle.set(xlabel="distance from the electrode / um", ylabel="substrate in the gel / (mol/m$^3$)")
    middle.set(title=f"With enzyme (Thiele modulus {float(result.answers['thiele']):.3g})", ylim=(0.0, None))
    beside = middle.twinx()
    beside.plot(at[inside], gel[PRODUCT], "C1--")
    beside.set(ylabel="product in the gel / (mol/m$^3$) (dashed)", ylim=(0.0, None))
    slowest = (p.film_thickness + p.layer_thickness * p.layer_diffusivity**-0.5 * p.film_diffusivity**0.5) ** 2
    end = max(*p.times, slowest / p.film_diffusivity)
    history = sf.evolve(model(p), end)
    current = -1e6 * p.electrons * FARADAY * history.flow(REACTANT, "electrode")
    right.plot(history.times, current)
    right.plot(p.times, 1e6 * np.asarray(result.answers["current_at"]), "o")
    right.axhline(1e6 * float(result.answers["current"]), color="k", ls=":", label="steady")
    right.set(xlabel="time after the step / s", ylabel="current / uA", title="Step of the bulk", xlim=(0.0, end))
    right.legend(loc="lower right")
    return drawing


SYSTEM = System(
    name="hydrogel_film",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
)
