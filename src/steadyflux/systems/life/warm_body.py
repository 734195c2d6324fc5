"""A warm body in cool air: heat from core to skin to air, the skin as a tissue fed with blood, and a cooling cup.

Seeds: A, C

You are not in equilibrium with your surroundings, and the difference costs you a hundred watts. A cup of coffee beside
you is on its way to equilibrium and shows how it would end: by convection, radiation and, most of all, evaporation.

## Equations

Body, held at its core temperature or (`core = free`) as warm as its metabolism makes it:

    core to skin        A K (T_core - T_skin) = E + dry heat                (E: sweat and breath)
    through clothing    dry heat = A (T_skin - T_clothing) / R_cl
    to the air          dry heat = A (h_c (T_clothing - T_air) + emissivity sigma (T_clothing^4 - T_air^4))
    storage_rate        metabolic heat - what reaches the skin: negative for a body that cools

Tissue between core and surface (Pennes 1948), warmed by its own metabolism and by blood that comes at T_core:

    k T'' + w (rho c)_blood (T_core - T) + q = 0,     T = T_core at depth, -k T' = h (T - T_air) at the surface
    h: `tissue_film`, unless given h_c + 4 emissivity sigma T_air^3, radiation linear in the small difference

Cup: m c dT/dt = - convection - radiation - evaporation, with h = h_0 (|T - T_air| / dT_0)^n and by Lewis's analogy

    evaporation = L A_top h / (rho c_p)_air (rho_s(T) - phi rho_s(T_air)),   rho_s = M p_s / (R T)

p_s after Antoine. `newton_time` is m c (T - T_air) over the loss at the start: the time constant of Newton's law of
cooling if that were true. `cup_entropy` is what the heat makes on its way from the cup to air at T_air;
`cup_entropy_total` also counts the water vapour that spreads into air that is not saturated.

## What to look for

Undressed the body loses half as much again. In the tissue the temperature falls over sqrt(k / (w rho c)), less than a
centimetre: blood, not conduction, warms the skin. The cup follows Newton's law only at first: its loss falls faster
than its excess temperature, and in the end it stays below the temperature of the air, for it goes on evaporating.

## Limits

Two nodes and given sweat: no control by shivering or by the vessels. The cup is stirred, keeps its mass, and gives off
heat at the same film coefficient at its wall and its surface.

## Sources

Gagge, Stolwijk and Nishi 1971 (two-node body; resting adult 100 W, 1.8 m^2, 25 W of evaporation: typical values);
Pennes 1948; Lewis 1922 (heat and mass transfer alike); Antoine's constants of water, 1 to 100 C, in any handbook.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.ground.arithmetic import array_module, is_traced
from steadyflux.ground.constants import SIGMA_SB
from steadyflux.space.space import Place
from steadyflux.systems.life._cup import WATER, cup, cup_model
from steadyflux.systems.system import Choice, Claim, Comparison, Parameter, Result, System, Values

FLESH = 3490.0  # J/(kg K), Gagge et al. 1971
SKIN = 0.1  # share of the body's mass in the shell, Gagge et al. 1971

PARAMETERS = (
    Choice("core", "held", ("held", "free"), "the core at its temperature, or as warm as its metabolism makes it"),
    Parameter("metabolic_heat", 100.0, "W", "resting adult (typical)", 0.0, 1e5),
    Parameter("body_area", 1.8, "m^2", "adult (typical)", 1e-8, 1e4),
    Parameter("body_mass", 70.0, "kg", "adult (typical)", 1e-9, 1e6),
    Parameter("core_temperature", 310.0, "K", "37 degC", 200.0, 400.0),
    Parameter("air_temperature", 293.15, "K", "20 degC", 150.0, 400.0),
    Parameter("film", 3.5, "W/(m^2*K)", "still air about a person (typical)", 1e-3, 1e5),
    Parameter("emissivity", 0.95, "", "skin and cloth (typical)", 0.0, 1.0),
    Parameter("clothing_resistance", 0.08, "m^2*K/W", "light clothing, 0.5 clo (typical)", 1e-9, 1e3),
    Parameter("tissue_conductance", 18.0, "W/(m^2*K)", "core to skin at rest, blood included (typical)", 1e-6, 1e6),
    Parameter("evaporation", 25.0, "W", "sweat and breath at rest (typical)", 0.0, 1e5),
    Parameter("tissue_depth", 0.02, "m", "typical", 1e-6, 10.0),
    Parameter("tissue_conductivity", 0.42, "W/(m*K)", "typical", 1e-3, 1e3),
    Parameter("perfusion", 0.002, "1/s", "blood per tissue, at rest (typical)", 0.0, 10.0),
    Parameter("blood_heat_capacity", 3.9e6, "J/(m^3*K)", "typical", 1.0, 1e8),
    Parameter("tissue_heat", 450.0, "W/m^3", "metabolism at rest (typical)", 0.0, 1e7),
    Parameter("tissue_film", None, "W/(m^2*K)", "at the surface; None: film and linear radiation", 1e-6, 1e7),
    Parameter("cup_mass", 0.25, "kg", "a mug of coffee (typical)", 1e-9, 1e6),
    Parameter("cup_heat_capacity", 4186.0, "J/(kg*K)", "water", 1.0, 1e5),
    Parameter("cup_area", 0.02, "m^2", "outside of the mug (typical)", 1e-9, 1e6),
    Parameter("cup_top", 0.005, "m^2", "surface of the coffee (typical)", 0.0, 1e6),
    Parameter("cup_film", 6.0, "W/(m^2*K)", "at the reference difference (typical)", 1e-3, 1e5),
    Parameter("cup_difference", 30.0, "K", "reference difference of cup_film", 1e-3, 1e3),
    Parameter("cup_exponent", 0.25, "", "free convection; 0 for Newton's cooling", 0.0, 1.0),
    Parameter("cup_emissivity", 0.93, "", "glazed china (typical)", 0.0, 1.0),
    Parameter("cup_start", 358.15, "K", "85 degC", 274.0, 373.15),
    Parameter("cup_target", 333.15, "K", "60 degC, fit to drink", 255.0, 373.15),
    Parameter("cup_time", 600.0, "s", "ten minutes", 1e-3, 1e9),
    Parameter("humidity", 0.5, "", "relative humidity of the air (typical)", 1e-3, 1.0),
    Parameter("latent_heat", 2.4e6, "J/kg", "water near 40 degC", 1e3, 1e7),
    Parameter("molar_mass", 0.018, "kg/mol", "water", 1e-3, 1.0),
    Parameter("air_heat_capacity", 1200.0, "J/(m^3*K)", "air at 20 degC, at constant pressure", 1.0, 1e5),
)


def model(p: Values) -> sf.Model:
    """The body: core, skin and clothing in a row, and the air."""
    space = sf.network(
        {"core": (1.0 - SKIN) * p.body_mass / WATER, "skin": SKIN * p.body_mass / WATER, "clothing": 1.0, "air": 1.0},
        {"tissue": [("core", "skin")], "cloth": [("skin", "clothing")], "surface": [("clothing", "air")]},
        area=p.body_area,
    )
    core = sf.Influx("core", {"T": p.metabolic_heat})
    if p.core == "held":
        core = sf.Hold("core", {"T": p.core_temperature})
    return sf.Model(
        space,
        quantities=[sf.Heat("T", capacity={"core": FLESH * WATER, "skin": FLESH * WATER})],
        laws=[
            sf.Transfer("T", p.tissue_conductance, on="tissue"),
            sf.Transfer("T", 1.0 / p.clothing_resistance, on="cloth"),
            sf.Transfer("T", p.film, on="surface"),
            sf.Radiation(p.emissivity, on="surface"),
        ],
        boundaries=[core, sf.Influx("skin", {"T": -p.evaporation}), sf.Hold("air", {"T": p.air_temperature})],
        start={"T": p.core_temperature},
    )


def tissue_model(p: Values, steps: int = 800) -> sf.Model:
    """The perfused tissue between core and surface, per square metre."""
    xp = array_module(p.items)
    # Blood keeps the tissue at one temperature but for a layer at either end.
    stretch = xp.log1p(p.tissue_depth * xp.sqrt(p.perfusion * p.blood_heat_capacity / p.tissue_conductivity))
    even = np.linspace(0.0, 1.0, steps // 2 + 1)
    near = even if not is_traced(stretch) and stretch == 0.0 else xp.expm1(stretch * even) / xp.expm1(stretch)
    x = p.tissue_depth * 0.5 * xp.concatenate([near, 2.0 - near[::-1][1:]])
    layer = sf.interval(nodes=x, names=("core", "surface"))
    cells = np.arange(layer.cells)
    places = {
        **layer.places,
        "blood": Place(cells, layer.volume),
        "tissue": Place(cells, np.ones(len(cells)), "region"),
    }
    space = sf.Space(layer.volume, layer.position, layer.edges, places, layer.kind)
    surface = p.tissue_film
    if surface is None:
        surface = p.film + 4.0 * p.emissivity * SIGMA_SB * p.air_temperature**3
    perfused = sf.Transfer("T", p.perfusion * p.blood_heat_capacity)  # per volume: the place's area is its volume
    return sf.Model(
        space,
        quantities=[sf.Heat("T", capacity=FLESH * WATER)],
        laws=[sf.Fourier(p.tissue_conductivity)],
        boundaries=[
            sf.Hold("core", {"T": p.core_temperature}),
            sf.Influx("tissue", {"T": p.tissue_heat}),
            sf.Exchange("blood", perfused, {"T": p.core_temperature}),
            sf.Exchange("surface", sf.Transfer("T", surface), {"T": p.air_temperature}),
        ],
        start={"T": p.core_temperature},
    )


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """Temperatures, heat by route and entropy of the body; the tissue's surface; the cup's losses and times."""
    T = {name: solution.value("T", name) for name in ("core", "skin", "clothing")}
    inner, cloth, film, radiation = (book.flux[0, 0] for book in solution.books.laws)
    tissue = sf.steady(tissue_model(p))
    found = {
        **{f"{name}_temperature": value for name, value in T.items()},
        "core_to_skin": inner,
        "dry_loss": cloth,
        "convection_loss": film,
        "radiation_loss": radiation,
        "evaporation_loss": p.evaporation,
        "storage_rate": p.metabolic_heat - inner,
        "entropy_production": sum(jnp.sum(book.entropy) for book in solution.books.laws),
        "entropy_production_tissue": jnp.sum(solution.books.laws[0].entropy),
        "entropy_export": inner / T["skin"],
        "tissue_surface_temperature": tissue.value("T", "surface"),
        "tissue_middle_temperature": tissue.interpolate("T", 0.5 * p.tissue_depth),
        "tissue_surface_flux": -tissue.raw[-1, 0],
        "tissue_core_flux": tissue.flow("T", "core"),
    }
    return found if is_traced(p.items) else found | cup(tuple(p.items.items()))


UNITS = {
    **dict.fromkeys(("core_temperature", "skin_temperature", "clothing_temperature"), "K"),
    **dict.fromkeys(("core_to_skin", "dry_loss", "convection_loss", "radiation_loss", "evaporation_loss"), "W"),
    **dict.fromkeys(("storage_rate", "cup_convection", "cup_radiation", "cup_evaporation"), "W"),
    **dict.fromkeys(("entropy_production", "entropy_production_tissue", "entropy_export"), "W/K"),
    **dict.fromkeys(("tissue_surface_temperature", "tissue_middle_temperature"), "K"),
    **dict.fromkeys(("tissue_surface_flux", "tissue_core_flux"), "W/m^2"),
    **dict.fromkeys(("cup_equilibrium_temperature", "cup_temperature_at"), "K"),
    **dict.fromkeys(("cooling_time", "newton_time"), "s"),
    "evaporation_share": "",
    **dict.fromkeys(("cup_entropy", "cup_entropy_total"), "J/K"),
}

Run = Callable[..., Result]
# Independent reference computations (closed forms, quadrature over the temperature), relative accuracy 1e-8.
REST = {
    "skin_temperature": 305.58355106188856,
    "clothing_temperature": 300.3349757021192,
    "dry_loss": 118.09294559481032,
    "core_to_skin": 143.09294559481077,
    "storage_rate": -43.09294559481077,
    "entropy_export": 0.46826128270834283,
    "entropy_production_tissue": 0.006671135628309588,
    "tissue_surface_temperature": 307.78652352503,
    "tissue_surface_flux": 130.67949023119522,
    "tissue_middle_temperature": 309.49826698494974,
    "tissue_core_flux": 13.77478808408628,
    "cooling_time": 943.170930590831,
    "cup_temperature_at": 339.9126571816143,
    "cup_entropy": 10.411045379414402,
    "cup_convection": 9.463300438249036,
    "cup_radiation": 9.564350904617628,
    "cup_evaporation": 24.767911893673666,
    "cup_equilibrium_temperature": 291.89819864236097,
    "newton_time": 1553.1824452766984,
}
EXERCISE_CASE = {
    **{"metabolic_heat": 350.0, "body_area": 1.9, "core_temperature": 310.6, "air_temperature": 273.15, "film": 12.0},
    **{"emissivity": 0.9, "clothing_resistance": 0.25, "tissue_conductance": 60.0, "evaporation": 60.0},
    **{"tissue_depth": 0.01, "perfusion": 0.006, "tissue_conductivity": 0.5, "tissue_heat": 2000.0},
    **{"blood_heat_capacity": 3.8e6, "cup_mass": 0.03, "cup_area": 0.006, "cup_top": 0.0015, "cup_film": 7.0},
    **{"cup_start": 353.15, "cup_target": 320.0, "humidity": 0.3, "cup_time": 120.0},
}
EXERCISE = {
    "skin_temperature": 308.1971331169514,
    "clothing_temperature": 280.04886671332736,
    "dry_loss": 213.92682466754286,
    "core_to_skin": 273.9268246675407,
    "storage_rate": 76.0731753324593,
    "entropy_export": 0.8888039349918156,
    "entropy_production_tissue": 0.006875974053171574,
    "tissue_surface_temperature": 305.8537983923778,
    "tissue_surface_flux": 528.5010638299617,
    "tissue_middle_temperature": 309.1745325715583,
    "tissue_core_flux": 114.10378027010344,
    "cooling_time": 473.40716522619044,
    "cup_temperature_at": 341.06077580091653,
    "cup_entropy": 1.1837608245330993,
    "cup_convection": 4.293697660534951,
    "cup_radiation": 3.1599626408790535,
    "cup_evaporation": 7.73721505984686,
    "cup_equilibrium_temperature": 272.5478851327732,
    "newton_time": 661.3443768763918,
}


def _against(reference: dict[str, float], case: dict[str, Any]) -> Callable[[Run], list[Comparison]]:
    def compare(run: Run) -> list[Comparison]:
        found = run(**case).answers
        return [Comparison(found[name], value, 2e-5) for name, value in reference.items()]

    return compare


def _pennes(run: Run) -> list[Comparison]:
    """T = T_core + q / (w c) + A cosh(m x) + B sinh(m x)."""
    found = []
    for k, w, q, L, h in ((0.3, 5e-4, 900.0, 0.035, 14.0), (0.6, 0.02, 0.0, 0.05, 300.0)):
        case = {"tissue_conductivity": k, "perfusion": w, "tissue_heat": q, "tissue_depth": L, "tissue_film": h}
        a = run(**case).answers
        blood = w * 3.9e6
        m, above = np.sqrt(blood / k), q / blood
        # T = T_core at x = 0; at L the flux -k T' is h (T - T_air)
        cosh, sinh = np.cosh(m * L), np.sinh(m * L)
        drive = 310.0 + above - 293.15
        B = (above * (k * m * sinh + h * cosh) - h * drive) / (k * m * cosh + h * sinh)
        surface = 310.0 + above - above * cosh + B * sinh
        found.append(Comparison(a["tissue_surface_temperature"] - 293.15, surface - 293.15, 2e-5))
        found.append(Comparison(a["tissue_surface_flux"], h * (surface - 293.15), 2e-5))
        found.append(Comparison(a["tissue_core_flux"], -k * m * B, 0.0, 2e-5 * h * drive))
    return found


def _newton(run: Run) -> list[Comparison]:
    """Newton's law holds for a constant film alone; with convection, radiation and evaporation it is out."""
    a = run(cup_exponent=0.0, cup_emissivity=0.0, cup_top=0.0, cup_film=9.0).answers
    time = 0.25 * 4186.0 / (9.0 * 0.02)
    coffee = run().answers
    return [
        Comparison(a["newton_time"], time, 1e-9),
        Comparison(a["cooling_time"], time * np.log(65.0 / 40.0), 1e-6),
        Comparison(a["cup_temperature_at"] - 293.15, 65.0 * np.exp(-600.0 / time), 1e-6),
        Comparison(coffee["cooling_time"] / (coffee["newton_time"] * np.log(65.0 / 40.0)), 1.25, 0.01),
    ]


def _free(run: Run) -> list[Comparison]:
    """A body left to its metabolism gives off what it makes; without any it is as warm as the air."""
    alive, dead = run(core="free"), run(core="free", metabolic_heat=0.0, evaporation=0.0)
    a = alive.answers
    skin = 100.0 / (18.0 * 1.8)
    return [
        Comparison(a["dry_loss"] + 25.0, 100.0, 1e-10),
        Comparison(a["core_temperature"] - a["skin_temperature"], skin, 1e-9),
        Comparison(dead.answers["core_temperature"], 293.15, 1e-9),
        Comparison(float(dead.solution.regime == "equilibrium"), 1.0, 0.0),
    ]


def _entropy(run: Run) -> list[Comparison]:
    """What is made between core and air, from what crosses the boundaries; moist air only adds to the cup's."""
    a, still = run().answers, run(humidity=1.0).answers
    crossing = a["dry_loss"] / 293.15 + 25.0 / a["skin_temperature"] - a["core_to_skin"] / 310.0
    return [
        Comparison(a["entropy_production"], crossing, 1e-9),
        Comparison(still["cup_entropy_total"], still["cup_entropy"], 1e-3),  # as Antoine's law is Clapeyron's
        Comparison(float(a["cup_entropy_total"] > a["cup_entropy"]), 1.0, 0.0),
    ]


def _measured(run: Run) -> Comparison:
    """A resting person's skin has about 33 degC (Gagge et al. 1971: 34 degC)."""
    return Comparison(run().answers["skin_temperature"] - 273.15, 33.0, 0.0, 1.5)


def _order(run: Run) -> Comparison:
    p = run().parameters
    found = [float(sf.steady(tissue_model(p, n)).value("T", "surface")) for n in (20, 40)]
    errors = [one - REST["tissue_surface_temperature"] for one in found]
    return Comparison(np.log2(errors[0] / errors[1]), 2.0, 0.0, 0.05)


CLAIMS = (
    Claim("a resting adult and a mug of coffee", "independent reference computation", _against(REST, {})),
    Claim(
        "exercise in the cold and an espresso",
        "independent reference computation",
        _against(EXERCISE, EXERCISE_CASE),
    ),
    Claim("the perfused tissue in closed form", "Pennes 1948", _pennes),
    Claim("Newton's law of cooling is a limit", "Newton 1701, closed form", _newton),
    Claim("a body left to itself balances what it makes", "conservation; limit", _free),
    Claim("entropy as it crosses the boundaries", "second law", _entropy),
    Claim("the temperature of the skin", "Gagge, Stolwijk and Nishi 1971", _measured),
    Claim("the tissue's steps converge at second order", "observed order", _order),
)


def figure(result: Result) -> Figure:
    """Temperature through the tissue, and the cup on its way, with Newton's law for contrast."""
    p, a = result.parameters, result.answers
    drawing = Figure(figsize=(10.0, 4.4), layout="constrained")
    left, right = drawing.subplots(1, 2)
    tissue = sf.steady(tissue_model(p))
    left.plot(1e3 * np.asarray(tissue.position()), np.asarray(tissue["T"]) - 273.15, label="tissue, fed with blood")
    bare = sf.steady(tissue_model(Values({**p.items, "perfusion": 0.0})))
    left.plot(1e3 * np.asarray(bare.position()), np.asarray(bare["T"]) - 273.15, "--", label="without blood")
    left.set_xlabel("distance from the core, mm")
    left.set_ylabel("temperature, degC")
    left.legend()
    course = sf.evolve(cup_model(p), 2.0 * a.get("cooling_time", 0.0) + p.cup_time)
    times = course.times
    right.plot(times / 60.0, course["T"][:, 0] - 273.15, label="cup")
    if "newton_time" in a:
        law = p.air_temperature + (p.cup_start - p.air_temperature) * np.exp(-times / a["newton_time"])
        right.plot(times / 60.0, law - 273.15, "--", color="0.4", label="Newton's law from the first loss")
    right.axhline(p.air_temperature - 273.15, ls=":", color="0.4")
    if "cooling_time" in a:
        right.plot(a["cooling_time"] / 60.0, p.cup_target - 273.15, "o", color="C3", label="target")
    right.set_xlabel("time, min")
    right.set_ylabel("temperature, degC")
    right.legend()
    return drawing


SYSTEM = System(
    name="warm_body",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
)
