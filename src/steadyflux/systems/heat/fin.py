"""A fin that spreads heat into air: how much it carries, how cool its tip is, and what it is worth.

Seeds: C

A thin plate stands on a hot base. Heat runs along it by conduction and leaves through its faces, so each stretch of it
is cooler than the one before and gives off less. A longer fin gives off more heat, but ever less for its length.

## Equations

    d/dx (k(T) A dT/dx) = P (h (T - T_a) + emissivity sigma (T^4 - T_a^4)),      A = w t,  P = 2 (w + t)
    k = k0 (1 + a (T - T_a)),     h = h0 (|T - T_a| / |T_b - T_a|)^n
    base held at T_b; the tip gives off heat through its end face by the same law as the sides

`film` h0 is thus the coefficient at the base's temperature difference, and `film_exponent` n says how it changes along
the fin: 0 for a fan, 1/4 or 1/3 for air that rises by itself, about 2 for boiling, -1/4 for a condensing film.

`heat` and `tip_temperature` are those of this fin. The other figures belong, as the trade has it, to the fin with its
constants (k0, h0, no radiation), so that they do not depend on the weather:

    efficiency         heat over that of a fin which is everywhere as hot as its base
    heat_2d            without the assumption that the fin is thin: T(x, y) in a plate cooled on its two broad faces,
                       insulated at its edges and its tip
    annular_heat       a round fin of the same thickness on a tube: from inner_radius (the length, unless given) to
                       outer_radius (2.5 inner radii, unless given), rim insulated
    sink_resistance    (T_b - T_a) over the heat of `count` fins and the bare base between them (`base_area`)

With `effective_` before their names they hold for k(T), h(T) and radiation.

## What to look for

With m = sqrt(h P / (k A)), a fin much longer than 1/m has a cold tip that is of no use: its efficiency falls as
1 / (m L). A stainless fin that radiates at 600 K gives off three quarters more than its film alone.

## Limits

Straight and annular fin: one dimension, good while h t / k is small (`biot`); `heat_2d` shows how good. Steady. Black
surroundings at the fluid's temperature; fins do not see each other. In `heat_2d` the heat flux grows without bound
where the base meets a face; the heat does not.

## Sources

Harper and Brown 1922 (straight and annular fin); Gardner 1945 (efficiency); Incropera and DeWitt, Fundamentals of Heat
and Mass Transfer, ch. 3 (aluminium alloy 200 W/(m K), forced air 30 W/(m^2 K): typical values).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from matplotlib.figure import Figure
from scipy.special import iv, kv

import steadyflux as sf
from steadyflux.audit.order import extrapolated
from steadyflux.ground.arithmetic import array_module, is_traced
from steadyflux.ground.constants import SIGMA_SB
from steadyflux.ground.errors import InputError
from steadyflux.space.space import Place
from steadyflux.systems.system import Claim, Comparison, Parameter, Result, System, Values

RISE = 1000.0  # K, of the base in the fin with constants, whose heat is in proportion to it

ALONG, ACROSS = 100, 40  # steps of the coarser of two grids

PARAMETERS = (
    Parameter("conductivity", 200.0, "W/(m*K)", "aluminium alloy, typical value", 1e-3, 1e5),
    Parameter("conductivity_slope", 0.0, "1/K", "relative change of the conductivity per kelvin; none", -0.1, 0.1),
    Parameter("film", 30.0, "W/(m^2*K)", "forced air, typical value", 1e-6, 1e7),
    Parameter("film_exponent", 0.0, "", "power of the temperature difference; forced air", -0.5, 4.0),
    Parameter("emissivity", 0.0, "", "bright metal in a fan's wind", 0.0, 1.0),
    Parameter("base_temperature", 350.0, "K", "a processor's lid, typical value", 1.0, 5000.0),
    Parameter("ambient", 300.0, "K", "27 degC", 1.0, 5000.0),
    Parameter("length", 0.04, "m", "from base to tip, typical value", 1e-7, 1e3),
    Parameter("thickness", 0.001, "m", "typical value", 1e-8, 10.0),
    Parameter("width", 0.06, "m", "along the base, typical value", 1e-7, 1e3),
    Parameter("heat_capacity", 2.4e6, "J/(m^3*K)", "aluminium, typical value", 1.0, 1e8),
    Parameter("count", 18, "", "fins on the base, typical value", 0, 1_000_000, whole=True),
    Parameter("base_area", 0.0036, "m^2", "bare base between the fins, typical value", 0.0, 1e6),
    Parameter("inner_radius", None, "m", "of the annular fin; None: equal to the length", 1e-7, 1e3),
    Parameter("outer_radius", None, "m", "of the annular fin; None: 2.5 inner radii", 1e-7, 1e3),
    Parameter("cells", 801, "", "800 steps, finest at the base", 11, 100_001, whole=True),
)


def _check(p: Values) -> None:
    if is_traced(p.items):
        return
    at_base = 1.0 + p.conductivity_slope * (p.base_temperature - p.ambient)
    if at_base <= 0.0:
        raise InputError(
            f"The conductivity falls to {at_base * p.conductivity:g} W/(m K) at the base; choose a conductivity_slope "
            "that keeps it positive there."
        )
    inner, outer = _radii(p)
    if outer <= inner:
        raise InputError(f"The outer_radius ({outer:g} m) must be larger than the inner_radius ({inner:g} m).")


def _radii(p: Values) -> tuple[Any, Any]:
    inner = p.length if p.inner_radius is None else p.inner_radius
    return inner, 2.5 * inner if p.outer_radius is None else p.outer_radius


def _loss(p: Values) -> sf.Convection:
    """What a face gives off: film and radiation; the film's reference is the temperature difference of the base."""
    xp = array_module(p.items)
    rise = xp.abs(p.base_temperature - p.ambient)
    return sf.Convection(p.film, p.film_exponent, xp.where(rise > 0.0, rise, 1.0), p.emissivity)


def _decay(p: Values, thickness: Any) -> Any:
    """1 / (length over which the temperature falls), 1/m, at the base: it sets where steps must be small."""
    xp = array_module(p.items)
    hot, cold = p.base_temperature, p.ambient
    h = p.film + p.emissivity * SIGMA_SB * (hot + cold) * (hot**2 + cold**2)
    k = p.conductivity * xp.minimum(1.0, 1.0 + p.conductivity_slope * (hot - cold))
    return xp.sqrt(2.0 * h / (k * thickness))


def _nodes(start: Any, length: Any, decay: Any, cells: int, xp: Any) -> Any:
    """Nodes from ``start`` on, close where the temperature falls and in geometric steps beyond."""
    stretch = xp.log1p(decay * length)
    return start + length * xp.expm1(stretch * np.linspace(0.0, 1.0, cells)) / xp.expm1(stretch)


def _with_faces(space: sf.Space, area: Any) -> sf.Space:
    """The same space with the boundary ``faces``, ``area`` (m^2) of it in each cell."""
    places = {**space.places, "faces": Place(np.arange(space.cells), area, "boundary")}
    return sf.Space(space.volume, space.position, space.edges, places, space.kind, space.labels, space.coordinate)


def _model(p: Values, space: sf.Space, *, open_tip: bool) -> sf.Model:
    loss, outside = _loss(p), {"T": p.ambient}
    k = sf.Polynomial((p.conductivity, p.conductivity * p.conductivity_slope), at=p.ambient)
    tip = [sf.Exchange("tip", loss, outside)] if open_tip else []
    return sf.Model(
        space,
        quantities=[sf.Heat("T", capacity=p.heat_capacity)],
        laws=[sf.Fourier(k)],
        boundaries=[sf.Hold("base", {"T": p.base_temperature}), sf.Exchange("faces", loss, outside), *tip],
        start={"T": p.ambient},
    )


def model(p: Values) -> sf.Model:
    """The straight fin."""
    _check(p)
    section, around = p.width * p.thickness, 2.0 * (p.width + p.thickness)
    x = _nodes(0.0, p.length, _decay(p, 2.0 * section / around), p.cells, array_module(p.items))
    space = sf.interval(nodes=x, area=section, names=("base", "tip"))
    return _model(p, _with_faces(space, space.volume * (around / section)), open_tip=True)


def annular_model(p: Values) -> sf.Model:
    """The round fin on its tube, rim insulated."""
    inner, outer = _radii(p)
    r = _nodes(inner, outer - inner, _decay(p, p.thickness), p.cells, array_module(p.items))
    space = sf.interval(nodes=r, area=p.thickness, shape="cylinder", names=("base", "tip"))
    return _model(p, _with_faces(space, space.volume * (2.0 / p.thickness)), open_tip=False)


def plate_model(p: Values, along: int, across: int) -> sf.Model:
    """Half the thickness of the fin in two dimensions, ``along`` by ``across`` steps: insulated tip, no side edges.

    Where the base meets the face the heat flux grows without bound; steps shrink towards that corner.
    """
    half = 0.5 * p.thickness
    xp = array_module(p.items)
    # Lengths over which the temperature falls along the fin and about the corner, for the film at its strongest.
    decay = _decay(p, p.thickness)
    finest = 0.3 * xp.minimum(xp.minimum(1.0 / decay, 1.0 / (half * decay**2)), p.length)
    x = _nodes(0.0, p.length, 1.0 / finest, along + 1, xp)
    y = half - _nodes(0.0, half, 1.0 / finest, across + 1, xp)[::-1]
    space = sf.grid(x=x, y=y - y[0], depth=p.width, names={"x": ("base", "tip"), "y": ("middle", "face")})
    k = sf.Polynomial((p.conductivity, p.conductivity * p.conductivity_slope), at=p.ambient)
    return sf.Model(
        space,
        quantities=[sf.Heat("T", capacity=p.heat_capacity)],
        laws=[sf.Fourier(k)],
        boundaries=[sf.Hold("base", {"T": p.base_temperature}), sf.Exchange("face", _loss(p), {"T": p.ambient})],
        start={"T": p.ambient},
    )


def plate_heat(p: Values) -> Any:
    """Heat of the plate in two dimensions, W: the error of two grids, of second order, extrapolated to none."""
    coarse, fine = (2.0 * given_off(sf.steady(plate_model(p, n * ALONG, n * ACROSS))) for n in (1, 2))
    return extrapolated(coarse, fine)


def plain(p: Values) -> Values:
    """The same fin with constant conductivity and film and without radiation, ``RISE`` warmer than the air."""
    changes = {"conductivity_slope": 0.0, "film_exponent": 0.0, "emissivity": 0.0}
    return Values({**p.items, **changes, "base_temperature": 1.0 + RISE, "ambient": 1.0})


def given_off(solution: sf.Solution) -> Any:
    """Heat that a fin gives off, W: what its base takes in, but free of the rounding of nearly equal temperatures."""
    surroundings = solution.raw[solution.model.cells :, 0]
    return -surroundings.sum()


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """What the fin does, and its figures of merit with constants and as it is."""
    rise = p.base_temperature - p.ambient
    faces = 2.0 * (p.width + p.thickness) * p.length + p.width * p.thickness
    bare = p.film + p.emissivity * SIGMA_SB * (p.base_temperature + p.ambient) * (
        p.base_temperature**2 + p.ambient**2
    )  # what a surface as hot as the base gives off, per area and kelvin
    heat = given_off(solution)
    unit = plain(p)
    one = given_off(sf.steady(model(unit))) / RISE
    ring = given_off(sf.steady(annular_model(unit))) / RISE
    sink = p.count * one + p.film * p.base_area
    whole = p.count * heat + bare * p.base_area * rise
    found = {
        "heat": heat,
        "tip_temperature": solution.value("T", "tip"),
        "efficiency": one / (p.film * faces),
        "biot": p.film * p.thickness / (2.0 * p.conductivity),
        "heat_2d": rise * plate_heat(unit) / RISE,
        "effective_heat_2d": plate_heat(p),
        "annular_heat": rise * ring,
        "effective_annular_heat": given_off(sf.steady(annular_model(p))),
        "sink_heat": rise * sink,
        "effective_sink_heat": whole,
    }
    if is_traced(p.items) or p.count > 0 or p.base_area > 0.0:
        found["sink_resistance"] = 1.0 / sink
    if is_traced(p.items) or rise != 0.0:
        found["effective_efficiency"] = heat / (bare * faces * rise)
        if is_traced(p.items) or whole != 0.0:
            found["effective_sink_resistance"] = rise / whole
    return found


UNITS = {
    **dict.fromkeys(("heat", "heat_2d", "annular_heat", "sink_heat"), "W"),
    **dict.fromkeys(("effective_heat_2d", "effective_annular_heat", "effective_sink_heat"), "W"),
    **dict.fromkeys(("efficiency", "effective_efficiency", "biot"), ""),
    **dict.fromkeys(("sink_resistance", "effective_sink_resistance"), "K/W"),
    "tip_temperature": "K",
}

Run = Callable[..., Result]

# Independent reference computations (closed forms; the fin with k(T), h(T) and radiation by collocation), 1e-7.
PROCESSOR = {
    "heat": 6.380308344265174,
    "tip_temperature": 339.6641073284267,
    "efficiency": 0.8610402623839641,
    "biot": 7.5e-05,
    "heat_2d": 6.233073514065058,
    "annular_heat": 51.50224760318,
    "sink_heat": 120.24555019677314,
    "sink_resistance": 0.4158158028981415,
}
STEEL_CASE = {
    "conductivity": 16.0,
    "conductivity_slope": 0.0008,
    "film": 9.0,
    "film_exponent": 0.25,
    "emissivity": 0.8,
    "base_temperature": 600.0,
    "ambient": 295.0,
    "length": 0.08,
    "thickness": 0.003,
    "width": 0.2,
    "count": 1,
    "base_area": 0.0,
}
STEEL = {
    "heat": 91.4968533128665,
    "tip_temperature": 379.80504826142015,
    "efficiency": 0.578817808448288,
    "biot": 0.00084375,
    "heat_2d": 51.79530234275716,
    "annular_heat": 179.90422106836718,
    "sink_heat": 52.55931956902342,
    "sink_resistance": 5.802967057049879,
}


def _against(reference: dict[str, float], case: dict[str, Any]) -> Callable[[Run], list[Comparison]]:
    def compare(run: Run) -> list[Comparison]:
        found = run(**case).answers
        return [Comparison(found[name], value, 1e-6) for name, value in reference.items()]

    return compare


def _straight(run: Run) -> list[Comparison]:
    found = []
    for k, h, L, t, w in ((14.0, 55.0, 0.031, 0.0017, 0.23), (380.0, 2100.0, 0.26, 0.004, 0.011)):
        case = {"conductivity": k, "film": h, "length": L, "thickness": t, "width": w}
        a = run(**case, base_temperature=281.0, ambient=337.0).answers
        around, section = 2.0 * (w + t), w * t
        m = np.sqrt(h * around / (k * section))
        tip, tanh = h / (m * k), np.tanh(m * L)
        heat = -56.0 * np.sqrt(h * around * k * section) * (tanh + tip) / (1.0 + tip * tanh)
        cold = -56.0 / (np.cosh(m * L) + tip * np.sinh(m * L))
        found += [Comparison(a["heat"], heat, 1e-5), Comparison(a["tip_temperature"], 337.0 + cold, 1e-6)]
    return found


def _annular(run: Run) -> Comparison:
    k, h, t, inner, outer = 45.0, 130.0, 0.0012, 0.0125, 0.041
    given = {"conductivity": k, "film": h, "thickness": t, "inner_radius": inner, "outer_radius": outer}
    m = np.sqrt(2.0 * h / (k * t))
    a, b = m * inner, m * outer
    ratio = (iv(1, b) * kv(1, a) - iv(1, a) * kv(1, b)) / (iv(1, b) * kv(0, a) + iv(0, a) * kv(1, b))
    return Comparison(run(**given).answers["annular_heat"], 50.0 * 2.0 * np.pi * inner * t * k * m * ratio, 1e-5)


def _series(run: Run) -> list[Comparison]:
    """T = sum of A_i cos(z_i y / H) cosh(z_i (L - x) / H) with z tan z = Bi."""
    found = []
    for k, h, L, t in ((0.9, 30.0, 0.05, 0.02), (14.0, 90.0, 0.08, 0.003), (0.2, 800.0, 0.004, 0.03)):
        answers = run(conductivity=k, film=h, length=L, thickness=t).answers
        biot, count = h * t / (2.0 * k), np.arange(100_000)
        z = (count + 0.25) * np.pi
        for _ in range(60):  # z = i pi + arctan(Bi / z)
            z -= (z - count * np.pi - np.arctan2(biot, z)) / (1.0 + biot / (z**2 + biot**2))
        sine, cosine = np.sin(z), np.cos(z)
        terms = 2.0 * sine**2 / (z + sine * cosine) * np.tanh(z * 2.0 * L / t)
        rest = biot**2 / (np.pi * z[-1] ** 2)  # of the terms beyond, which fall as 2 Bi^2 / z^3
        found.append(Comparison(answers["heat_2d"], 50.0 * 2.0 * k * 0.06 * (np.sum(terms) + rest), 5e-5))
    return found


def _first_integral(run: Run) -> list[Comparison]:
    """Multiplied by k T' the equation integrates once: (k T')^2 at the base follows from the tip's temperature."""
    found = []
    for case in (STEEL_CASE, {**STEEL_CASE, "film_exponent": 2.0, "film": 400.0, "ambient": 900.0}):
        result = run(**case)
        p, tip = result.parameters, float(result.answers["tip_temperature"])
        rise = p.base_temperature - p.ambient
        around, section = 2.0 * (p.width + p.thickness), p.width * p.thickness

        def loss(T: Any, p: Values = p, rise: float = rise) -> Any:
            film = p.film * (np.abs(T - p.ambient) / abs(rise)) ** p.film_exponent * (T - p.ambient)
            return film + p.emissivity * SIGMA_SB * (T**4 - p.ambient**4)

        point, weight = np.polynomial.legendre.leggauss(60)
        T = tip + 0.5 * (point + 1.0) * (p.base_temperature - tip)
        k = p.conductivity * (1.0 + p.conductivity_slope * (T - p.ambient))
        integral = 0.5 * (p.base_temperature - tip) * np.sum(weight * k * loss(T))
        squared = loss(tip) ** 2 + 2.0 * around / section * integral
        found.append(Comparison(result.answers["heat"], np.sign(rise) * section * np.sqrt(squared), 1e-5))
    return found


def _corrected_length(run: Run) -> Comparison:
    """Harper and Brown's rule: an open tip is worth half a thickness more of a fin that is closed there."""
    p = run().parameters
    m, L = np.sqrt(2.0 * p.film / (p.conductivity * p.thickness)), p.length + 0.5 * p.thickness
    wide = run(width=60.0).answers  # without the side edges
    return Comparison(wide["efficiency"], np.tanh(m * L) / (m * L), 1e-4)


def _limits(run: Run) -> list[Comparison]:
    """A stub is as hot as its base; of a very long fin only the first sqrt(k A / (h P)) counts, and its tip is cold."""
    stub = run(length=1e-6, conductivity=400.0).answers
    long = run(length=3.0, width=0.2, thickness=0.0015).answers
    around, section = 2.0 * 0.2015, 0.2 * 0.0015
    return [
        Comparison(stub["efficiency"], 1.0, 1e-6),
        Comparison(stub["heat"], 30.0 * 50.0 * (2.0 * 0.061 * 1e-6 + 6e-5), 1e-6),
        Comparison(long["heat"], 50.0 * np.sqrt(30.0 * around * 200.0 * section), 1e-5),
        Comparison(long["tip_temperature"], 300.0, 1e-9),
    ]


def _order(run: Run) -> Comparison:
    errors = [abs(float(run(**STEEL_CASE, cells=n).answers["heat"]) - STEEL["heat"]) for n in (41, 81)]
    return Comparison(np.log2(errors[0] / errors[1]), 2.0, 0.0, 0.05)


def _equilibrium(run: Run) -> list[Comparison]:
    found = run(base_temperature=300.0, emissivity=0.9, film_exponent=0.25)
    return [
        Comparison(found.answers["heat"], 0.0, 0.0, 1e-10),
        Comparison(float(found.solution.regime == "equilibrium"), 1.0, 0.0),
    ]


CLAIMS = (
    Claim("a processor's fin and heat sink agree", "independent reference computation", _against(PROCESSOR, {})),
    Claim(
        "a steel fin with k(T), h(T) and radiation agrees",
        "independent reference computation",
        _against(STEEL, STEEL_CASE),
    ),
    Claim("constants: tanh(m L), heat and tip temperature", "Harper and Brown 1922", _straight),
    Claim("an annular fin: Bessel functions", "Harper and Brown 1922; Gardner 1945", _annular),
    Claim("two dimensions: the series over z tan z = Bi", "closed form; Carslaw and Jaeger 1959", _series),
    Claim("heat and tip temperature obey the first integral", "closed form", _first_integral),
    Claim("the tip is worth half a thickness", "Harper and Brown 1922", _corrected_length),
    Claim("a stub, and a fin without end", "limits", _limits),
    Claim("the steps converge at second order", "observed order", _order),
    Claim("a base at the ambient temperature: equilibrium", "limit", _equilibrium),
)


def figure(result: Result) -> Figure:
    """Temperature along the fin, with its laws and with constants; heat against the fin's length."""
    p, solution = result.parameters, result.solution
    drawing = Figure(figsize=(10.0, 4.4), layout="constrained")
    left, right = drawing.subplots(1, 2)
    left.plot(1e3 * np.asarray(solution.position()), np.asarray(solution["T"]), label="this fin")
    unit = plain(p)
    one = sf.steady(model(unit))
    T = p.ambient + (np.asarray(one["T"]) - unit.ambient) * (p.base_temperature - p.ambient) / RISE
    left.plot(1e3 * np.asarray(one.position()), T, "--", color="0.4", label="constant k and h, no radiation")
    left.axhline(p.ambient, ls=":", color="0.4")
    left.set_xlabel("distance from the base, mm")
    left.set_ylabel("temperature, K")
    left.legend()
    lengths = p.length * np.linspace(0.05, 2.5, 40)
    heat = jax.jit(jax.vmap(lambda x: given_off(sf.steady(model(Values({**p.items, "length": x}))))))(lengths)
    right.plot(1e3 * lengths, np.asarray(heat))
    right.plot(1e3 * p.length, float(result.answers["heat"]), "o", color="C3", label="this fin")
    right.set_xlabel("length of the fin, mm")
    right.set_ylabel("heat, W")
    right.legend()
    return drawing


SYSTEM = System(
    name="fin",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
)
