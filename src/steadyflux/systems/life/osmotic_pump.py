"""An osmotic pump: a tablet that drinks through its skin and gives its drug at a constant rate through a hole.

Seeds: A

A drug in solid form sits in a rigid shell that lets water in but not the drug out. As long as solid is left its
solution is saturated, the osmotic pressure stays the same, and so does the water that comes in; as the shell is rigid,
just as much solution leaves through the hole. The release is constant: zero order. When the solid is gone the water
that comes in dilutes what is left; the weaker solution draws less, and the release fades.

## Equations

    wall       Q = (A k_w / h) [reflection (pi(C) - pi_outside) - p],    pi = (R T C / M)(nu + B C)
    orifice    Q = p n pi r^4 / (8 mu L)                      (Poiseuille; the pressure p follows from the balance)
    release    F = Q C + (n pi r^2 D / L) C                   (stream and diffusion, Theeuwes 1975), or
               F = Q C / (1 - e^-Pe),  Pe = Q L / (n pi r^2 D)    with `orifice_transport = coupled`
    core       V dm/dt = -F,   C = m while that is below the solubility S, else S       (m: drug per volume of the core)

`release_rate`, `pressure` and the water are those of the zero-order time. `release_at`, `rate_at` and
`concentration_at` belong to the `times`. Stream and diffusion do not simply add up, because the stream flattens the
profile in the hole: the sum is too large wherever both count, and `coupled` is right.

## What to look for

A share 1 - S / rho of the drug is given at a constant rate, whatever the wall and the hole. A thinner wall gives it
sooner. The hole hardly matters over a wide range: only when it is very narrow does its pressure hold back the water,
and only when it is very wide does the drug diffuse out by itself. A core of an ideal solution fades as
F1 / (1 + F1 (t - t_z) / (S V))^2.

## Limits

A rigid shell, a core well stirred, dissolution fast beside the release, a drug that does not pass the wall; the volume
that the solid leaves is filled with solution at once.

## Sources

Theeuwes, J. Pharm. Sci. 64 (1975) 1987. Potassium chloride: solubility 330 kg/m^3 at 37 C, solid 2000 kg/m^3, osmotic
factor nu 1.88 (typical); wall of cellulose acetate, water permeability typical.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.ground.arithmetic import is_traced
from steadyflux.ground.constants import R
from steadyflux.ground.errors import InputError
from steadyflux.physics.charge import fitted
from steadyflux.physics.law import parameter
from steadyflux.physics.local import Geometry, Local
from steadyflux.systems.system import Choice, Claim, Comparison, Numbers, Parameter, Result, System, Values

LONG = 1e4  # times the zero-order time after which what is left counts as kept for good
TOLERANCE, SMALLEST = 1e-8, 1e-15  # of the integration in time: relative, and of the first amount

PARAMETERS = (
    Parameter("wall_area", 2.2e-4, "m^2", "tablet of Theeuwes 1975", 1e-9, 1e2),
    Parameter("wall_thickness", 2.5e-4, "m", "tablet of Theeuwes 1975", 1e-7, 1e-1),
    Parameter("water_permeability", 3.62e-18, "m^2/(s*Pa)", "cellulose acetate (typical)", 1e-24, 1e-12),
    Parameter("reflection", 1.0, "", "the wall keeps the drug back", 1e-3, 1.0),
    Parameter("volume", 2.5e-7, "m^3", "of the core, 0.5 g of drug", 1e-15, 1.0),
    Parameter("solubility", 330.0, "kg/m^3", "potassium chloride at 37 C (typical)", 1e-6, 5e3),
    Parameter("solid_density", 2000.0, "kg/m^3", "potassium chloride (typical)", 1e-3, 2e4),
    Parameter("molar_mass", 0.07455, "kg/mol", "potassium chloride", 1e-3, 1e3),
    Parameter("osmotic_factor", 1.88, "", "ions of a formula times osmotic coefficient (typical)", 1e-3, 20.0),
    Parameter("osmotic_slope", 0.0, "m^3/kg", "B, ideal solution", 0.0, 1.0),
    Parameter("temperature", 310.15, "K", "body temperature", 250.0, 400.0),
    Parameter("outside_pressure", 0.0, "Pa", "osmotic pressure outside: water; body fluid 7.5e5", 0.0, 1e9),
    Parameter("viscosity", 0.89e-3, "Pa*s", "of the solution (typical)", 1e-6, 1e6),
    Parameter("orifice_radius", 1.2e-4, "m", "drilled by laser (typical)", 1e-8, 1e-2),
    Parameter("orifice_length", 2.5e-4, "m", "the wall's thickness", 1e-8, 1e-1),
    Parameter("orifice_count", 1, "", "one hole", 1, 1_000_000, whole=True),
    Parameter("diffusivity", 0.0, "m^2/s", "of the drug in the hole; not counted", 0.0, 1e-6),
    Choice("orifice_transport", "sum", ("sum", "coupled"), "Theeuwes 1975 adds stream and diffusion"),
    Numbers("times", (3600.0, 14400.0, 21600.0, 86400.0), "s", "one, four, six hours, a day", 0.0, 1e12),
)


class SemipermeableWall(sf.EdgeLaw):
    """Water through a wall that keeps a solute back: L A [reflection (pi(c_head) - pi_tail) - (p_head - p_tail)].

    pi(c) = R T c (factor + slope c) with c in mol/m^3, ``limit`` at most (the solubility). The free energy of dilution
    feeds in the osmotic part of the work.
    """

    permeability: Any = parameter("m/(Pa*s)", "hydraulic permeability")
    reflection: Any = parameter("", "reflection coefficient")
    outside: Any = parameter("Pa", "osmotic pressure at the tail")
    factor: Any = parameter("", "osmotic factor")
    slope: Any = parameter("m^3/mol", "second coefficient of the osmotic pressure")
    limit: Any = parameter("mol/m^3", "solubility")

    @property
    def moves(self) -> tuple[str, ...]:
        """The water's volume."""
        return ("p",)

    @property
    def sees(self) -> tuple[str, ...]:
        """The drug, which draws the water."""
        return ("drug",)

    def pull(self, head: Local) -> Any:
        """Osmotic pressure that pulls the water in, Pa."""
        c = jnp.minimum(head["drug"], self.limit)
        return self.reflection * (R * head.T * c * (self.factor + self.slope * c) - self.outside)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Water from tail to head, m^3/s."""
        return {"p": self.permeability * edge.area * (self.pull(head) + tail["p"] - head["p"])}

    def supply(self, tail: Local, head: Local, edge: Geometry) -> Any:
        """Power that dilution feeds in, W."""
        return self.flux(tail, head, edge)["p"] * self.pull(head)


class Outflow(sf.EdgeLaw):
    """A solute leaving through an orifice with the stream and by diffusion into a place that takes it all up.

    ``conductance`` (m^3/(s Pa)) gives the stream, ``spread`` = D A / L (m^3/s) the diffusion; ``limit`` is the
    solubility. With ``coupled`` both act on one profile along the orifice, else they are added.
    """

    conductance: Any = parameter("", "hydraulic conductance (a bare number in SI)")
    spread: Any = parameter("m^3/s", "diffusive conductance")
    limit: Any = parameter("mol/m^3", "solubility")
    coupled: bool = sf.static(default=False)
    dissipative = False  # what becomes of it in the body is not followed, nor the affinity of a place without it

    @property
    def moves(self) -> tuple[str, ...]:
        """The drug."""
        return ("drug",)

    @property
    def sees(self) -> tuple[str, ...]:
        """The pressure, which drives the stream."""
        return ("p",)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Drug from tail to head, mol/s."""
        c, stream = jnp.minimum(tail["drug"], self.limit), self.conductance * (tail["p"] - head["p"])
        if not self.coupled:
            return {"drug": (jnp.maximum(stream, 0.0) + self.spread) * c}
        forward, _ = fitted(self.spread, c, 0.0 * c, -stream / self.spread)
        return {"drug": forward}


def saturated(p: Values) -> Any:
    """Osmotic pressure of the saturated solution, Pa."""
    return R * p.temperature * p.solubility / p.molar_mass * (p.osmotic_factor + p.osmotic_slope * p.solubility)


def _check(p: Values) -> None:
    if p.solubility >= p.solid_density:
        raise InputError("The solubility must be below the density of the solid; else the core holds no solid at all.")
    if saturated(p) <= p.outside_pressure:
        raise InputError(
            f"The saturated core draws with {saturated(p):.4g} Pa, no more than the outside; lower outside_pressure."
        )
    if p.orifice_transport == "coupled" and p.diffusivity == 0:
        raise InputError("orifice_transport = coupled needs a diffusivity; give one, or leave it at sum.")


def pump(p: Values, held: bool) -> sf.Model:
    """The pump, its core ``held`` full of solid (the zero-order time), or running empty from there."""
    if not is_traced(p.items):
        _check(p)
    hole = p.orifice_count * np.pi * p.orifice_radius**2
    conductance = hole * p.orifice_radius**2 / (8.0 * p.viscosity * p.orifice_length)
    limit, full = p.solubility / p.molar_mass, p.solid_density / p.molar_mass
    wall = SemipermeableWall(
        p.water_permeability / p.wall_thickness,
        p.reflection,
        p.outside_pressure,
        p.osmotic_factor,
        p.osmotic_slope * p.molar_mass,
        limit,
        on="wall",
    )
    spread = p.diffusivity * hole / p.orifice_length
    return sf.Model(
        sf.network(
            {"core": p.volume, "outside": 1.0},
            {"wall": [("outside", "core")], "orifice": [("core", "outside")]},
            area=p.wall_area,
        ),
        [sf.Volume("p"), sf.Species("drug")],
        [
            wall,
            sf.HydraulicConductance("p", conductance, on="orifice"),
            Outflow(conductance, spread, limit, p.orifice_transport == "coupled", on="orifice"),
        ],
        [sf.Hold("outside", {"p": 0.0, "drug": 0.0}), *([sf.Hold("core", {"drug": full})] if held else [])],
        temperature=p.temperature,
        start={"drug": full},
    )


def model(p: Values) -> sf.Model:
    """The pump in its zero-order time."""
    return pump(p, held=True)


def emptying(p: Values, solution: sf.Solution) -> tuple[sf.History, sf.History]:
    """The pump running empty from its zero-order state: until nine tenths are out, and through the times asked for."""
    model, full = pump(p, held=False), p.solid_density / p.molar_mass
    # Of a drug that hardly dissolves nine tenths are out before the solid is gone.
    levels = {"solid gone": p.solubility / p.molar_mass, "nine tenths": 0.1 * full}
    last = min(levels, key=lambda name: levels[name])
    watched = [
        sf.Event(name, lambda view, c=level: view.value("drug", "core") - c, "stop" if name == last else "note")
        for name, level in levels.items()
    ]
    until = LONG * full * p.volume / float(solution.flow("drug", "core"))
    whole = sf.evolve(model, until=until, events=watched, start=solution, rtol=TOLERANCE, atol=SMALLEST)
    until = max((*p.times, 1.0))
    return whole, sf.evolve(model, until=until, start=solution, rtol=TOLERANCE, atol=SMALLEST)


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """Zero-order release with its water and pressure; then how the pump runs empty."""
    release, water = solution.flow("drug", "core") * p.molar_mass, solution.along("p", "wall")[0]
    found = {
        "release_rate": release,
        "diffusive_release": release - water * p.solubility,
        "water_flow": water,
        "water_flux": water / p.wall_area,
        "pressure": solution.value("p", "core"),
        "osmotic_pressure": saturated(p),
        "drug": p.solid_density * p.volume,
    }
    if is_traced(p.items):
        return found
    whole, history = emptying(p, solution)
    met = {event.name: event.time for event in whole.events}
    ends = met.get("solid gone", float("inf"))
    out = float("nan") if np.isinf(ends) else -float(whole.entered_at("drug", "outside", [ends])[0]) * p.molar_mass
    times = np.array(p.times)
    core = history.values("drug", times)[:, 0] * p.molar_mass
    return found | {
        "zero_order_time": ends,
        "fraction_zero_order": out / float(found["drug"]),
        "time_for_nine_tenths": met.get("nine tenths", float("inf")),
        "release_at": -history.entered_at("drug", "outside", times) * p.molar_mass,
        "rate_at": -history.flow_at("drug", "outside", times) * p.molar_mass,
        "concentration_at": np.minimum(core, p.solubility),
    }


UNITS = {
    **dict.fromkeys(("release_rate", "diffusive_release", "rate_at"), "kg/s"),
    "water_flow": "m^3/s",
    "water_flux": "m/s",
    **dict.fromkeys(("pressure", "osmotic_pressure"), "Pa"),
    **dict.fromkeys(("drug", "release_at"), "kg"),
    **dict.fromkeys(("zero_order_time", "time_for_nine_tenths"), "s"),
    "fraction_zero_order": "",
    "concentration_at": "kg/m^3",
}

Run = Callable[..., Result]

# Independent reference computations (closed forms; a stiff integration with 1e-12), relative accuracy 1e-9.
TABLET = {
    "release_rate": 2.2559802365199272e-08,
    "diffusive_release": 0.0,
    "water_flow": 6.836303747030083e-11,
    "water_flux": 3.107410794104583e-07,
    "pressure": 0.18679553724875778,
    "osmotic_pressure": 21460019.483097903,
    "drug": 0.0005,
    "fraction_zero_order": 0.835,
    "zero_order_time": 18506.36779708829,
    "time_for_nine_tenths": 20883.3833015646,
    "release_at": (8.121528851471738e-05, 0.0003248611540588695, 0.0004553078164430774, 0.0004957834286545506),
    "rate_at": (2.2559802365199272e-08, 2.2559802365199272e-08, 6.620496208876666e-09, 5.893133775505721e-11),
    "concentration_at": (330.0, 330.0, 178.7687342276906, 16.866285381797688),
}
IMPLANT_CASE = {
    "wall_area": 0.00055,
    "wall_thickness": 0.0004,
    "water_permeability": 1.6e-20,
    "reflection": 0.98,
    "volume": 2e-7,
    "solubility": 360.0,
    "solid_density": 2165.0,
    "molar_mass": 0.05844,
    "osmotic_factor": 1.86,
    "osmotic_slope": 0.002,
    "outside_pressure": 750000.0,
    "viscosity": 0.0014,
    "orifice_length": 0.0003,
    "orifice_radius": 8e-5,
    "diffusivity": 1.5e-9,
    "times": (86400.0, 1200000.0, 3000000.0, 10000000.0),
}
IMPLANT = {
    "release_rate": 3.4847401833777596e-10,
    "diffusive_release": 3.619114736935443e-11,
    "water_flow": 8.674524193567265e-13,
    "water_flux": 1.5771862170122298e-09,
    "pressure": 0.022650360540551407,
    "osmotic_pressure": 40984342.293832764,
    "fraction_zero_order": 0.8337182448036953,
    "zero_order_time": 1035945.2383910085,
    "time_for_nine_tenths": 1177213.5823957925,
    "release_at": (3.0108155184383844e-05, 0.00039228215102381355, 0.00042750172925490944, 0.00043285646784623806),
    "rate_at": (3.4847401833777596e-10, 1.0657547432709823e-10, 3.696094679455166e-12, 7.214712956999186e-14),
    "concentration_at": (360.0, 203.5892448809322, 27.49135372545288, 0.7176607688097282),
}
# A made-up tablet with an ideal solution, for the closed forms.
PLAIN = {"solubility": 210.0, "solid_density": 1500.0, "osmotic_factor": 1.3, "volume": 1.1e-7, "wall_area": 3.1e-4}


def _against(reference: dict[str, Any], case: dict[str, Any]) -> Callable[[Run], list[Comparison]]:
    def compare(run: Run) -> list[Comparison]:
        found = run(**case).answers
        return [Comparison(found[name], np.asarray(value), 2e-6, 1e-20) for name, value in reference.items()]

    return compare


def _theeuwes(run: Run) -> list[Comparison]:
    """Zero order at (A / h) k_w pi S for the time (rho - S) V over that, through any hole that is not too narrow."""
    pressure = R * 310.15 * 210.0 / 0.07455 * 1.3
    release = 3.1e-4 / 2.5e-4 * 3.62e-18 * pressure * 210.0
    found = []
    for radius in (5e-5, 6e-4):
        a = run(**PLAIN, orifice_radius=radius).answers
        found += [
            Comparison(a["release_rate"], release, 1e-6),
            Comparison(a["zero_order_time"], (1500.0 - 210.0) * 1.1e-7 / release, 1e-6),
            Comparison(a["fraction_zero_order"], 1.0 - 210.0 / 1500.0, 1e-7),
        ]
    return found


def _decline(run: Run) -> list[Comparison]:
    """Afterwards F1 / (1 + F1 (t - t_z) / (S V))^2, and all comes out in the end."""
    rate = float(run(**PLAIN).answers["release_rate"])
    ends = (1500.0 - 210.0) * 1.1e-7 / rate
    times = ends * np.array((1.01, 1.5, 4.0, 30.0, 3e4))
    a = run(**PLAIN, times=tuple(times)).answers
    fading = 1.0 + rate * (times - ends) / (210.0 * 1.1e-7)
    return [
        Comparison(a["rate_at"], rate / fading**2, 1e-5),
        Comparison(a["concentration_at"], 210.0 / fading, 1e-5),
        Comparison(a["release_at"], 1500.0 * 1.1e-7 - 210.0 * 1.1e-7 / fading, 1e-6),
    ]


def _in_is_out(run: Run) -> list[Comparison]:
    """The rigid core: what enters through the wall leaves through the hole, also where the hole throttles it."""
    found = []
    for radius in (1e-6, 2e-6, 1e-4):
        result = run(**PLAIN, orifice_radius=radius)
        a, solution = result.answers, result.solution
        resistance = 8.0 * 0.89e-3 * 2.5e-4 / (np.pi * radius**4)
        conductance = 3.1e-4 / 2.5e-4 * 3.62e-18
        water = conductance * float(a["osmotic_pressure"]) / (1.0 + conductance * resistance)
        found += [
            Comparison(solution.along("p", "orifice")[0], solution.along("p", "wall")[0], 1e-12),
            Comparison(a["water_flow"], water, 1e-10),
            Comparison(a["pressure"], water * resistance, 1e-10),
        ]
    return found


def _one_profile(run: Run) -> list[Comparison]:
    """Stream and diffusion on one profile: Q S / (1 - e^-Pe), which tends to either alone."""
    found = []
    for D in (1e-11, 1.5e-9, 3e-7):
        given = {**IMPLANT_CASE, "diffusivity": D, "times": ()}
        a = run(**given, orifice_transport="coupled").answers
        peclet = 8.674524193567265e-13 * 3e-4 / (np.pi * 8e-5**2 * D)
        found.append(Comparison(a["release_rate"], 8.674524193567265e-13 * 360.0 / -np.expm1(-peclet), 1e-9))
    return found


CLAIMS = (
    Claim("a tablet of potassium chloride", "independent reference computation", _against(TABLET, {})),
    Claim("an implant in body fluid", "independent reference computation", _against(IMPLANT, IMPLANT_CASE)),
    Claim("zero order until the solid is gone", "Theeuwes 1975, closed form", _theeuwes),
    Claim("the decline of an ideal solution", "Theeuwes 1975, closed form", _decline),
    Claim("as much water leaves as enters, whatever the hole", "balance, resistances in series", _in_is_out),
    Claim("stream and diffusion on one profile along the hole", "closed form", _one_profile),
)


def figure(result: Result) -> Figure:
    """Rate of release and what is out, in the course of time."""
    p, a = result.parameters, result.answers
    until = min(2.0 * a["zero_order_time"], LONG * float(a["drug"]) / float(a["release_rate"]))
    whole = sf.evolve(pump(p, held=False), until=until, start=result.solution)
    hours, drug = whole.times / 3600.0, 1e6 * float(a["drug"])
    fig = Figure(figsize=(8.4, 4.0), layout="constrained")
    left, right = fig.subplots(1, 2)
    left.plot(hours, -3.6e9 * whole.flow("drug", "outside") * p.molar_mass, color="C0")
    left.set_ylabel("release (mg/h)")
    left.set_ylim(0.0, None)
    right.plot(hours, -1e6 * whole.entered("drug", "outside") * p.molar_mass, color="C2", label="released")
    right.axhline(drug, color="0.5", linestyle=":", label="all of it")
    right.set_ylabel("released (mg)")
    for axes in (left, right):
        axes.axvline(a["zero_order_time"] / 3600.0, color="C3", linewidth=0.8, label="solid gone")
        axes.set_xlabel("time (h)")
    right.legend(loc="lower right")
    return fig


SYSTEM = System(
    name="osmotic_pump",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
)
