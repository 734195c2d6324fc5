"""Viscous flow between plates and in pipes: momentum handed from layer to layer, and the heat that this makes.

Seeds: D

A plate that moves drags the fluid along. Each layer pulls the next one: momentum flows from the fast layers to the slow
ones, down the gradient of velocity, as heat flows down a gradient of temperature. That flux of momentum is the shear
stress. It is felt at the plate at rest, far from the one that moves, and on its way it costs work, which warms the
fluid; a warm fluid is less viscous, so that flow and temperature depend on each other.

## Equations

    momentum    d tau / dx = -G,   tau = K |dv/dx|^(n-1) dv/dx,   K(T) = K exp(-b (T - T0))     (x from the still wall)
    energy      d/dx (-k dT/dx - v tau) = v G             (work of one layer on the next, and of the pressure)
    gas         eta = (5/16) sqrt(pi m k T) / (pi sigma^2 Omega22(k T / epsilon)),   v - v_wall = l dv/dx (slip)

tau is the force per area on the fluid below by that above; the momentum itself flows the other way, from the moving to
the still wall. G is the fall of pressure along the flow, l the mean free path. In a pipe the same holds with the
radius. The collision integral Omega22 is computed from the collisions of Lennard-Jones molecules.

`momentum_flux` is what the still wall (the wall of the pipe) takes up, `moving_momentum_flux` what the moving one
gives; `heating` and `entropy_production` are per area of the still wall. `reynolds` is that of the mean speed,
rho v^(2-n) gap^n / K; `nahme` is b eta U^2 / k, the warming by friction as the viscosity feels it.

## What to look for

Without a push the momentum flux is the same at every height, whatever the layers; the velocity falls most where the
fluid is thin. With `pressure_gradient` the profile is a parabola; for n < 1 it is blunt, for n > 1 pointed. Raise
`wall_speed` of an oil: beyond a Nahme number of about 18 more speed needs less force. Change the pressure of a gas: its
viscosity stays. With a `time` the flow starts from rest: the moving wall feels the fluid at once, the still one late.

## Limits

Laminar, fully developed flow of constant density; the layers differ in viscosity alone. With slip a Knudsen number
below about 0.1. Under a push that heats strongly (b G^2 gap^4 / (k eta) of some hundred) no steady state may exist: the
search then says so. A Nahme number up to about 1e6. A rise of temperature below 1e-8 K is lost in rounding. A fluid
with n near 3 resists a sudden start so much that the start may not be found.

## Sources

Newton 1687; Poiseuille 1840; Maxwell 1879 (slip); Nahme 1940 and Brinkman 1951 (viscous heating); Ostwald 1925 and de
Waele 1923 (power law); Chapman and Cowling, The Mathematical Theory of Non-Uniform Gases; Hirschfelder, Curtiss and
Bird 1954; Eucken 1913. Water at 20 C: IAPWS (viscosity 1.002 mPa s, conductivity 0.598 W/(m K)).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.ground.arithmetic import array_module, is_traced
from steadyflux.ground.errors import InputError
from steadyflux.model.mapping import State
from steadyflux.physics.collision import collision_integral
from steadyflux.physics.law import replace
from steadyflux.systems.flow._channel import CREEPING, flow, fluid_of, gas_of, shear_rate, walls_of
from steadyflux.systems.system import Choice, Claim, Comparison, Numbers, Parameter, Result, System, Values

PARAMETERS = (
    Choice("geometry", "plane", ("plane", "pipe"), "plates, one of them moving, or a round pipe at rest"),
    Choice("fluid", "liquid", ("liquid", "gas"), "viscosity given, or computed by kinetic theory"),
    Choice("heated", "yes", ("yes", "no"), "no: the temperature is held, friction does not warm the fluid"),
    Choice("slip", "no", ("no", "yes"), "of a gas at the walls, Maxwell 1879"),
    Parameter("gap", 1e-3, "m", "a water film (chosen); of a pipe the diameter", 1e-9, 1e3),
    Parameter("wall_speed", 0.5, "m/s", "of the moving plate (chosen)", -1e4, 1e4),
    Parameter("pressure_gradient", 0.0, "Pa/m", "fall of pressure along the flow (chosen)", -1e12, 1e12),
    Parameter("width", 1.0, "m", "of the plates (chosen)", 1e-9, 1e6),
    Parameter("viscosity", 1.002e-3, "Pa*s", "water at 20 C; of a power law K, Pa s^n", 1e-9, 1e12),
    Parameter("exponent", 1.0, "", "Newtonian; stress = K (shear rate)^n", 0.1, 3.0),
    Parameter("second_viscosity", None, "Pa*s", "of the layer at the moving wall; one layer", 1e-9, 1e12),
    Parameter("layer_share", 0.4, "", "of the gap, the layer at the still wall (chosen)", 1e-3, 0.999),
    Parameter("viscosity_slope", 0.024, "1/K", "water at 20 C: eta = eta0 exp(-b (T - T0))", 0.0, 1.0),
    Parameter("wall_temperature", 293.15, "K", "20 C", 20.0, 5000.0),
    Parameter("moving_wall_temperature", None, "K", "as the other wall", 20.0, 5000.0),
    Parameter("conductivity", 0.598, "W/(m*K)", "water at 20 C", 1e-6, 1e5),
    Parameter("density", 998.0, "kg/m^3", "water at 20 C", 1e-6, 3e4),
    Parameter("heat_capacity", 4182.0, "J/(kg*K)", "water at 20 C", 1.0, 1e5),
    Parameter("molar_mass", 39.948e-3, "kg/mol", "argon", 1e-3, 1.0),
    Parameter("collision_diameter", 3.432e-10, "m", "argon, Lennard-Jones fit to its viscosity", 1e-10, 1e-8),
    Parameter("well_depth", 122.4, "K", "argon, Lennard-Jones fit to its viscosity", 1.0, 2000.0),
    Parameter("degrees_of_freedom", 3.0, "", "of a molecule that take up heat: a single atom", 3.0, 30.0),
    Parameter("pressure", 101325.0, "Pa", "one atmosphere", 1e-3, 1e8),
    Parameter("time", None, "s", "after the start from rest; only the steady flow", 1e-12, 1e12),
    Numbers("positions", (0.1, 0.25, 0.5, 0.75, 0.9), "", "shares of the gap, or of the radius", 0.0, 1.0),
    Parameter("cells", 801, "", "800 steps", 11, 200_001, whole=True),
)


def _is_one(exponent: Any) -> bool:
    return not is_traced(exponent) and np.ndim(exponent) == 0 and float(exponent) == 1.0


def _newtonian(p: Values) -> bool:
    return not is_traced(p.exponent) and p.exponent == 1.0


def _check(p: Values) -> None:
    layered, gas = p.second_viscosity is not None, p.fluid == "gas"
    for refused, reason in (
        (gas and (layered or not _newtonian(p)), "A gas is Newtonian, in one layer; no exponent or second_viscosity."),
        (not gas and p.slip == "yes", "Only a gas slips here; set fluid = gas, or slip = no."),
        (layered and p.geometry == "pipe", "Layers are for plates; leave out second_viscosity in a pipe."),
        (
            p.heated == "no" and p.moving_wall_temperature is not None,
            "Two wall temperatures need heat to be solved for; set heated = yes.",
        ),
    ):
        if refused:
            raise InputError(reason)


def model(p: Values) -> sf.Model:
    """The flow on an even mesh."""
    if not is_traced(p.items):
        _check(p)
    return flow(p)


def _guess(p: Values, model: sf.Model) -> State:
    """Some shear everywhere but in the middle, a straight line and a parabola, and the walls' temperature."""
    xp, pipe = array_module(p.items), p.geometry == "pipe"
    y = xp.asarray(model.space.position) / p.gap
    push = 0.25 * xp.sign(p.pressure_gradient) * shear_rate(Values({**p.items, "wall_speed": 0.0})) * p.gap
    v = push * (1.0 - 4.0 * y * y) if pipe else p.wall_speed * y + push * y * (1.0 - y)
    columns = [v, p.wall_temperature + 0.0 * v] if p.heated == "yes" else [v]
    return State(jnp.stack(columns, axis=1), jnp.zeros(0))


def solve(p: Values, model: sf.Model) -> sf.Solution:
    """The steady flow; of a power-law fluid by way of ones that are Newtonian up to an ever smaller shear rate."""
    solution: Any = _guess(p, model)
    for share in (CREEPING,) if _newtonian(p) else np.geomspace(1.0, CREEPING, 7):
        law = replace(model.laws[0], creeping=jnp.asarray(share * shear_rate(p)))
        solution = sf.steady(eqx.tree_at(lambda m: m.laws[0], model, law), solution)
    return solution


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """Momentum flux, velocities, flow, heat and entropy; of a gas what kinetic theory says of it."""
    walls, (eta, density, _), n = walls_of(p), fluid_of(p), p.exponent
    still, turn = ("wall", 0.25 * np.pi * p.gap) if p.geometry == "pipe" else ("still", p.width)
    area = solution.model.space.place(still).area[0]
    x, v = jnp.asarray(solution.position()), solution["v"]
    carried = jnp.sum(jnp.asarray(solution.model.space.volume) * v)
    carried = carried if p.geometry == "pipe" else carried * p.width
    # Friction on every edge and at walls that slip; the heat that leaves is the same, but a small difference.
    friction = jnp.sum(solution.along("v") * (v[:-1] - v[1:]))
    for place, (speed, _) in walls.items():
        friction = friction - solution.flow("v", place) * (solution.value("v", place) - speed)
    found = {
        "momentum_flux": -solution.flow("v", still) / area,
        "velocity_at": solution.interpolate("v", jnp.asarray(p.positions) * x[-1]),
        "flow": carried,
        "heating": friction / area,
        "entropy_production": sum(jnp.sum(book.entropy) for book in solution.books.laws) / area,
        "temperature_rise": jnp.max(solution["T"]) - p.wall_temperature,
        "reynolds": density * jnp.abs(carried / (p.gap * turn)) ** (2.0 - n) * p.gap**n / eta,
    }
    if p.geometry == "plane":
        found["moving_momentum_flux"] = solution.flow("v", "moving") / area
        found["nahme"] = p.viscosity_slope * eta * p.wall_speed**2 / p.conductivity
    if p.second_viscosity is not None:
        found["interface_velocity"] = v[solution.model.space.place("first").cells[-1]]
    if p.time is not None and not is_traced(p.items):
        history = start_up(p)
        found["momentum_flux_at"] = -history.flow("v", still)[-1] / float(area)
        if p.geometry == "plane":
            found["moving_momentum_flux_at"] = history.flow("v", "moving")[-1] / float(area)
    return found | (_kinetic(p) if p.fluid == "gas" else {})


def start_up(p: Values) -> sf.History:
    """From rest to `time`, on a mesh that is fine at the walls as long as momentum has not come far from them."""
    consistency, density, _ = fluid_of(p)
    speed = shear_rate(p) * p.gap
    depth = p.gap
    if speed > 0:
        depth = (consistency / density * speed ** (p.exponent - 1.0) * p.time) ** (1.0 / (1.0 + p.exponent))
    wanted, grading = 60.0 * p.gap / ((p.cells - 1) * depth), 1.0
    if wanted > 1.0:  # largest over smallest step so that sixty of the smallest reach as far as the momentum
        grading = wanted**2
        for _ in range(60):
            grading = 1.0 + wanted * np.log(grading)
    return sf.evolve(flow(p, float(grading)), until=p.time, rtol=1e-7)


def _kinetic(p: Values) -> dict[str, Any]:
    """What kinetic theory says of the gas at the still wall's temperature."""
    gas, T = gas_of(p), p.wall_temperature
    path = gas.mean_free_path(T, p.pressure)
    return {
        "gas_viscosity": gas.viscosity(T),
        "hard_sphere_viscosity": gas.hard_sphere_viscosity(T),
        "self_diffusivity": gas.self_diffusivity(T, p.pressure),
        "mean_free_path": path,
        "knudsen": path / p.gap,
        "collision_integral_viscosity": collision_integral(2, T / p.well_depth),
        "collision_integral_diffusion": collision_integral(1, T / p.well_depth),
    }


FLUXES = ("momentum_flux", "moving_momentum_flux", "momentum_flux_at", "moving_momentum_flux_at")
NUMBERS = ("reynolds", "nahme", "knudsen", "collision_integral_viscosity", "collision_integral_diffusion")
UNITS = {
    **dict.fromkeys(FLUXES, "Pa"),
    **dict.fromkeys(("velocity_at", "interface_velocity"), "m/s"),
    "flow": "m^3/s",
    "heating": "W/m^2",
    "entropy_production": "W/(K*m^2)",
    "temperature_rise": "K",
    **dict.fromkeys(NUMBERS, ""),
    **dict.fromkeys(("gas_viscosity", "hard_sphere_viscosity"), "Pa*s"),
    "self_diffusivity": "m^2/s",
    "mean_free_path": "m",
}

Run = Callable[..., Result]

# Independent reference computations (roots, quadratures, closed forms), accuracy 1e-9; of collision integrals 1e-5.
OIL: dict[str, Any] = {"gap": 1e-4, "wall_speed": 20.0, "viscosity": 0.1, "viscosity_slope": 0.05}
OIL |= {"wall_temperature": 313.15, "conductivity": 0.14, "density": 870.0}
ARGON = {"fluid": "gas", "wall_temperature": 300.0, "slip": "yes", "heated": "no"}
NITROGEN = ARGON | {"gap": 1e-4, "wall_speed": 20.0, "wall_temperature": 500.0, "pressure": 1e5}
NITROGEN |= {"molar_mass": 28.0134e-3, "collision_diameter": 3.681e-10, "well_depth": 91.5, "degrees_of_freedom": 5.0}
POLYMER = OIL | {"viscosity": 2.0, "exponent": 0.6, "pressure_gradient": 3e6, "heated": "no"}
LAYERS = {"heated": "no", "second_viscosity": 0.002}
OIL_LAYERS = OIL | {"heated": "no", "second_viscosity": 0.02, "layer_share": 0.3}
HEATED = ("momentum_flux", "heating", "entropy_production", "temperature_rise", "nahme")
STARTING = ("moving_momentum_flux_at", "momentum_flux_at")
KINETIC = ("momentum_flux", "gas_viscosity", "hard_sphere_viscosity", "self_diffusivity", "knudsen")
KINETIC += ("collision_integral_viscosity", "collision_integral_diffusion")
WATER_HEATED = (0.5009995802663083, 0.25049979013315415, 0.000854510626413625, 5.236200723240786e-05)
OIL_HEATED = (9867.434001043557, 197348.68002087114, 630.2049497712635, 20.490086330287756)
REFERENCE: tuple[tuple[dict[str, Any], tuple[str, ...], tuple[float, ...]], ...] = (
    ({}, HEATED, (*WATER_HEATED, 1.005351170568562e-05)),
    ({"heated": "no"}, ("momentum_flux", "flow"), (0.501, 0.00025)),
    (LAYERS, ("momentum_flux", "interface_velocity"), (0.7151013417071083, 0.28546959748786754)),
    ({"geometry": "pipe", "heated": "no", "pressure_gradient": 1.0}, ("flow",), (2.449470319977072e-11,)),
    (OIL, HEATED, (*OIL_HEATED, 14.285714285714288)),
    (OIL_LAYERS, ("momentum_flux", "interface_velocity"), (5263.1578947368425, 1.5789473684210527)),
    (POLYMER, ("momentum_flux", "flow"), (3180.6082460177745, 0.0010274832644174073)),
    ({"heated": "no", "time": 0.2}, STARTING, (0.639453593624904, 0.36326934634839303)),
    (OIL | {"heated": "no", "time": 2e-5}, STARTING, (24141.718104290816, 15867.436744064076)),
)
ARGON_VALUES = (0.011276731658807975, 2.255698679698977e-05, 2.4811605366792475e-05, 1.8225807714088446e-05)
NITROGEN_VALUES = (5.104756469118804, 2.558231952735908e-05, 2.3317262072820622e-05, 5.016100421746808e-05)
GASES = (
    (ARGON, KINETIC, (*ARGON_VALUES, 7.811393142159494e-05, 1.0999521163927615, 1.0066838776489566)),
    (NITROGEN, KINETIC, (*NITROGEN_VALUES, 0.0011467184011455926, 0.9114600436400583, 0.8278105263918617)),
)


def _against(cases: Any, rtol: float) -> Callable[[Run], list[Comparison]]:
    def compare(run: Run) -> list[Comparison]:
        found = [(run(**given).answers, names, expected) for given, names, expected in cases]
        return [Comparison([float(a[name]) for name in names], expected, rtol) for a, names, expected in found]

    return compare


def _newton(run: Run) -> list[Comparison]:
    given = {"heated": "no", "gap": 2.3e-4, "wall_speed": -1.7, "viscosity": 0.011}
    found = run(**given, positions=(0.2, 0.7)).answers
    straight = [-1.7 * 0.2, -1.7 * 0.7]
    return [
        Comparison(found["velocity_at"], straight, 1e-12),
        Comparison(found["momentum_flux"], -0.011 * 1.7 / 2.3e-4, 1e-12),
        Comparison(found["moving_momentum_flux"], found["momentum_flux"], 1e-12),
    ]


def _parabola(run: Run) -> list[Comparison]:
    h, eta, G, U = 7e-4, 0.031, 430.0, 0.12
    found = run(heated="no", gap=h, viscosity=eta, pressure_gradient=G, wall_speed=U, width=0.3).answers
    y = h * np.array((0.1, 0.25, 0.5, 0.75, 0.9))
    pipe = run(geometry="pipe", heated="no", gap=h, viscosity=eta, pressure_gradient=G).answers
    return [
        Comparison(found["velocity_at"], U * y / h + G * y * (h - y) / (2.0 * eta), 1e-5),
        Comparison(found["flow"], 0.3 * (U * h / 2.0 + G * h**3 / (12.0 * eta)), 1e-5),
        Comparison(found["momentum_flux"] - found["moving_momentum_flux"], G * h, 1e-10),
        Comparison(pipe["flow"], np.pi * (h / 2.0) ** 4 * G / (8.0 * eta), 1e-5),
        Comparison(pipe["momentum_flux"], G * h / 4.0, 1e-12),
    ]


def _power_law(run: Run) -> list[Comparison]:
    """A pipe: Q = pi r^3 / (3 + 1/n) (G r / 2 K)^(1/n)."""
    found = []
    for n in (0.1, 0.4, 1.8, 3.0):
        K, G, r = 0.7, 5.2e4, 3e-3
        flow = np.pi * r**3 / (3.0 + 1.0 / n) * (G * r / (2.0 * K)) ** (1.0 / n)
        answers = run(geometry="pipe", heated="no", gap=2.0 * r, viscosity=K, exponent=n, pressure_gradient=G).answers
        found.append(Comparison(answers["flow"], flow, 1e-5))
    return found


def _brinkman(run: Run) -> list[Comparison]:
    """tau = (eta U / h) asinh(s) / (s sqrt(1 + s^2)), s^2 = Na/8, and a rise of ln(1 + s^2) / b."""
    found = []
    for nahme in (1e-4, 18.0, 1e3, 1e5):
        b, k, eta, h = 0.037, 0.19, 0.6, 2e-4
        U, s = np.sqrt(nahme * k / (b * eta)), np.sqrt(nahme / 8.0)
        given = {"viscosity_slope": b, "conductivity": k, "viscosity": eta, "gap": h, "wall_speed": U}
        answers = run(**given).answers
        stress = eta * U / h * np.arcsinh(s) / (s * np.sqrt(1.0 + s * s))
        found += [
            Comparison(answers["momentum_flux"], stress, 2e-5),
            Comparison(answers["heating"], stress * U, 2e-5),
            Comparison(answers["temperature_rise"], np.log1p(s * s) / b, 1e-7),
        ]
    return found


def _work_is_heat(run: Run) -> list[Comparison]:
    """The heat that leaves through both walls is the work of the moving wall and of the pressure."""
    given = {**OIL, "pressure_gradient": 4e6, "moving_wall_temperature": 330.0}
    result = run(**given)
    solution, a = result.solution, result.answers
    flow = {place: float(solution.flow("T", place)) for place in ("still", "moving")}
    work = 20.0 * float(solution.flow("v", "moving")) + 4e6 * a["flow"]
    heat = -flow["still"] - (flow["moving"] - 20.0 * float(solution.flow("v", "moving")))
    exported = -flow["still"] / 313.15 - (flow["moving"] - 20.0 * float(solution.flow("v", "moving"))) / 330.0
    return [
        Comparison(heat, work, 1e-9),
        Comparison(a["heating"], work, 1e-9),
        Comparison(a["entropy_production"], exported, 1e-9),
    ]


def _gas_laws(run: Run) -> list[Comparison]:
    """Pressure does not matter; argon measured 22.72 uPa s at 300 K; in 1/9 mean free path both walls slip by 9/19."""
    plain = {"fluid": "gas", "wall_temperature": 300.0}
    thin, dense = (run(**plain, pressure=p).answers for p in (2e3, 3e5))
    narrow = run(**{**ARGON, "gap": 7.811393142159494e-08 / 9.0}).answers["velocity_at"]
    return [
        Comparison(thin["momentum_flux"], dense["momentum_flux"], 1e-12),
        Comparison(thin["gas_viscosity"], 22.72e-6, 0.01),
        Comparison(run(**plain, well_depth=300.0).answers["collision_integral_viscosity"], 1.593, 5e-4),
        Comparison(run(**plain, well_depth=30.0).answers["collision_integral_viscosity"], 0.8244, 5e-4),
        Comparison(narrow[-1] - narrow[0], 0.8 * 0.5 / 19.0, 1e-7),
    ]


def _starting(run: Run) -> list[Comparison]:
    """Images of the wall at the times h^2/nu 0.01 and 0.3: eta U / sqrt(pi nu t) (1 + 2 sum exp(-n^2 h^2 / nu t))."""
    found = []
    for share in (0.01, 0.3):
        h, eta, U, rho = 4e-3, 0.2, 0.7, 900.0
        t = share * h * h * rho / eta
        given = {"heated": "no", "gap": h, "viscosity": eta, "wall_speed": U, "density": rho, "time": t}
        images, n = eta * U / np.sqrt(np.pi * eta / rho * t), np.arange(1, 30)
        moving = images * (1.0 + 2.0 * np.sum(np.exp(-(n**2) / share)))
        still = images * 2.0 * np.sum(np.exp(-((n - 0.5) ** 2) / share))
        a = run(**given).answers
        found += [
            Comparison(a["moving_momentum_flux_at"], moving, 3e-5),
            Comparison(a["momentum_flux_at"], still, 3e-5, 1e-9 * moving),
        ]
    return found


def _order(run: Run) -> Comparison:
    given = {"geometry": "pipe", "heated": "no", "pressure_gradient": 1.0}
    errors = [2.449470319977072e-11 - float(run(**given, cells=n).answers["flow"]) for n in (101, 401)]
    return Comparison(0.5 * np.log2(errors[0] / errors[1]), 2.0, 0.0, 0.02)


CLAIMS = (
    Claim(
        "water, layers, pipes, an oil that heats itself, a polymer",
        "independent reference computation",
        _against(REFERENCE, 1e-5),
    ),
    Claim("argon and nitrogen with slip", "independent reference computation", _against(GASES, 1.2e-5)),
    Claim("one plate drags the other: a straight line, the same flux everywhere", "Newton 1687", _newton),
    Claim("pushed fluids flow in parabolas; a pipe as the fourth power of its width", "Poiseuille 1840", _parabola),
    Claim("power-law fluids in a pipe", "closed form (Ostwald 1925)", _power_law),
    Claim("friction that heats and thins the fluid", "closed form (Nahme 1940, Brinkman 1951)", _brinkman),
    Claim("all work becomes heat, and entropy where the heat leaves", "energy balance", _work_is_heat),
    Claim("gases: any pressure, computed collisions, slip", "Maxwell 1860, 1879; Monchick and Mason 1961", _gas_laws),
    Claim("a plate that starts suddenly", "closed form (Stokes 1851)", _starting),
    Claim("the flow converges at second order", "observed order", _order),
)


def figure(result: Result) -> Figure:
    """Velocity across the fluid, and its temperature; where that is held, the flux of momentum."""
    p, a, solution = result.parameters, result.answers, result.solution
    x = 1e3 * np.asarray(solution.position())
    drawing = Figure(figsize=(8.4, 4.2), layout="constrained")
    left, right = drawing.subplots(1, 2, sharey=True)
    left.plot(np.asarray(solution["v"]), x, color="C0")
    if p.second_viscosity is not None:
        left.axhline(1e3 * p.layer_share * p.gap, color="0.5", linestyle=":", label="interface")
        left.legend()
    left.set_xlabel("velocity (m/s)")
    left.set_ylabel("distance from the axis (mm)" if p.geometry == "pipe" else "distance from the still wall (mm)")
    left.set_title(f"momentum flux into the still wall {float(a['momentum_flux']):.4g} Pa", fontsize="medium")
    if p.heated == "yes":
        right.plot(np.asarray(solution["T"]) - p.wall_temperature, x, color="C3")
        right.set_xlabel("temperature above the still wall's (K)")
        right.set_title(f"heated by friction with {float(a['heating']):.4g} W/m$^2$", fontsize="medium")
    else:
        edges = solution.model.edges["interior"]
        stress = np.asarray(solution.along("v")) / np.asarray(edges.area) * (1.0 if p.geometry == "pipe" else -1.0)
        right.plot(stress, 1e3 * np.asarray(edges.position), color="C1")
        right.axvline(0.0, color="0.7", linewidth=0.8)
        right.set_xlabel("momentum flux towards the still wall (Pa)")
    return drawing


SYSTEM = System(
    name="viscous_flow",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
    solve=solve,
)
