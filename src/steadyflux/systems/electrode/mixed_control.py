"""Mixed control: transport and kinetics in series, at a rotating disk electrode and in a porous catalyst sphere.

Seeds: A

A highway with a narrow bridge and a slow toll booth: what reacts must first arrive. A disk that rotates in a solution
draws liquid towards itself; near it the reactant crosses a thin layer by diffusion, and then reacts. In a porous
catalyst grain arrival and reaction happen side by side, and only the outer shell works where the reaction is fast.

Equations

    D c'' = v c',   v = sqrt(nu omega) H(z sqrt(omega / nu)),   c = bulk far away   (H: von Karman's flow)
    D c' = k c^order                                                         at the disk, kinetics "rate"
    n F D c' = i0 [c / bulk exp(-alpha n f eta) - exp((1 - alpha) n f eta)]  or "butler_volmer", f = F / R T
    eta = potential - phi,   phi = - resistance * current,   current = n F area D c'
    sphere, in units of its radius and of the concentration outside:  c'' + 2 c' / r = thiele^2 c^pellet_order,
    c = 1 or, behind a film, c' = biot (1 - c) at the surface;   effectiveness = 3 c'(1) / thiele^2

The stream is solved once, by itself, with the disk's swirl (three velocities); it then carries the reactant to the disk
and away sideways. The product of the electrode reaction counts as constant, the potential as overpotential against the
equilibrium at bulk concentrations.

What to look for: `current` lies below both `limiting_current` (transport alone) and `kinetic_current` (reaction
alone). For a first-order rate 1 / current = 1 / kinetic + 1 / limiting: plotted against rpm^-1/2 a straight line, whose
intercept is the kinetics (Koutecky and Levich). Levich's formula holds for a thin layer only: at Sc = 518 (oxygen in
water) it is 3.9 % high.

Limits: laminar flow (below Re = 2e5), a wide disk with even current; supporting electrolyte in excess; one product of
constant activity; an isothermal sphere.

Sources: T. von Karman, Z. angew. Math. Mech. 1 (1921) 233; W. G. Cochran, Proc. Camb. Phil. Soc. 30 (1934) 365; M. H.
Rogers and G. N. Lance, J. Fluid Mech. 7 (1960) 617; V. G. Levich, Acta Physicochim. URSS 17 (1942) 257; J. Newman, J.
Phys. Chem. 70 (1966) 1327; J. Koutecky and V. G. Levich, Zh. Fiz. Khim. 32 (1958) 1565; E. W. Thiele, Ind. Eng. Chem.
31 (1939) 916; R. Aris, Chem. Eng. Sci. 6 (1957) 262.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.ground.arithmetic import array_module, is_traced
from steadyflux.ground.constants import FARADAY, R
from steadyflux.physics.law import parameter
from steadyflux.physics.local import Cell, Local
from steadyflux.systems.electrode._rotating_disk import axial_flow, flow_model
from steadyflux.systems.system import Choice, Claim, Comparison, Parameter, Result, System, Values

REACTANT = "reactant"
CELLS = 1001  # of the layer before the disk, and of the sphere
DEPTH = 30.0  # e^-30 of the gradient at the disk is left where the layer ends

PARAMETERS = (
    Choice("kinetics", "rate", ("rate", "butler_volmer"), "which electrode law the principal model has"),
    Parameter("electrons", 4.0, "", "oxygen to water", 0.1, 8.0),
    Parameter("area", 1.96e-5, "m^2", "disk of 5 mm diameter (typical)", 1e-14, 100.0),
    Parameter("diffusivity", 1.93e-9, "m^2/s", "oxygen in dilute potassium hydroxide at 25 C (typical)", 1e-15, 1e-3),
    Parameter("viscosity", 1e-6, "m^2/s", "kinematic, water at 20 C", 1e-9, 1.0),
    Parameter("bulk", 1.2, "mol/m^3", "water under pure oxygen at 25 C (typical)", 1e-9, 1e5),
    Parameter("rpm", 1600.0, "rpm", "the usual middle speed", 1e-3, 1e6),
    Parameter("rate_constant", 2e-4, "", "m/s at first order, SI at any other; a moderate catalyst", 0.0, 1e9),
    Parameter("order", 1.0, "", "order of the electrode reaction", 0.2, 4.0),
    Parameter("exchange_current", 1e-3, "A/m^2", "oxygen on smooth platinum, order of magnitude", 1e-20, 1e8),
    Parameter("alpha", 0.5, "", "symmetric barrier", 0.0, 1.0),
    Parameter("potential", -0.25, "V", "overpotential applied, resistance included", -2.0, 2.0),
    Parameter("resistance", 5.0, "ohm", "of the solution up to the reference (typical)", 0.0, 1e9),
    Parameter("temperature", 298.15, "K", "25 C", 100.0, 2000.0),
    Parameter("double_layer", 0.2, "F/m^2", "charge of the disk's surface, for changes in time (typical)", 1e-6, 1e3),
    Parameter(
        "thiele", 3.0, "", "radius sqrt(k c^(m - 1) / D) of the sphere (typical of a strong limitation)", 1e-3, 1e4
    ),
    Parameter("pellet_order", 1.0, "", "order m of the reaction in the sphere", 0.2, 4.0),
    Parameter("biot", 20.0, "", "film coefficient times radius over diffusivity in the sphere (typical)", 1e-6, 1e9),
)


class SidewaysOutflow(sf.CellLaw):
    """What the stream carries away along the disk: the axial stream's convergence times the concentration."""

    convergence: Any = parameter("1/s", "convergence of the axial stream")
    dissipative: ClassVar[bool] = False

    @property
    def makes(self) -> tuple[str, ...]:
        """The reactant."""
        return (REACTANT,)

    def production(self, here: Local, cell: Cell) -> dict[str, Any]:
        """Loss, mol/(m^3 s)."""
        return {REACTANT: -self.convergence * here[REACTANT]}


def scales(p: Values) -> tuple[Any, Any, Any]:
    """Schmidt number, thickness sqrt(nu / omega) (m) and velocity sqrt(nu omega) (m/s) of the swirling layer."""
    xp = array_module(p.items)
    omega = 2.0 * np.pi / 60.0 * p.rpm
    return p.viscosity / p.diffusivity, xp.sqrt(p.viscosity / omega), xp.sqrt(p.viscosity * omega)


def disk(p: Values, *at_disk: Any, potential: bool = False, cells: int = CELLS) -> sf.Model:
    """The layer before the disk with a condition on it."""
    Sc, thickness, speed = scales(p)
    stream = axial_flow()
    xp = array_module(p.items)
    reach = stream.reach(Sc, DEPTH)
    even = xp.minimum(10.0, 3.0 / reach)  # far out in a thick layer the stream is constant: any step is exact there
    zeta = reach * even * xp.sinh(np.linspace(0.0, 1.0, cells) * xp.arcsinh(1.0 / even))
    depth = stream.integral(zeta)
    velocity = speed * (depth[1:] - depth[:-1]) / (zeta[1:] - zeta[:-1])
    space = sf.interval(nodes=thickness * zeta, area=p.area, names=("disk", "bulk")).with_region("lead", [0])
    stored = p.double_layer * p.area / space.volume[0]
    charge = [sf.Potential("phi", where="disk", capacity=stored)] if potential else []
    faces = xp.concatenate([xp.zeros(1), p.area * velocity, p.area * velocity[-1:]])
    return sf.Model(
        space,
        quantities=[sf.Species(REACTANT), *charge],
        laws=[
            sf.Advection(REACTANT, velocity, p.diffusivity),
            SidewaysOutflow((faces[:-1] - faces[1:]) / xp.asarray(space.volume)),
        ],
        boundaries=[*at_disk, sf.Hold("bulk", {REACTANT: p.bulk})],
        temperature=p.temperature,
        start={REACTANT: p.bulk, **({"phi": 0.9 * p.potential} if potential else {})},
    )


def rate_model(p: Values) -> sf.Model:
    """The disk with a reaction of any order."""
    law = sf.SurfaceRate({REACTANT: -1}, p.rate_constant, {REACTANT: p.order})
    return disk(p, sf.Exchange("disk", law, {REACTANT: p.bulk}))


def butler_volmer_model(p: Values) -> sf.Model:
    """The disk with an electrode reaction that goes both ways, and the solution's resistance."""
    law = sf.ButlerVolmer({REACTANT: -1}, p.electrons, p.exchange_current, p.alpha)
    metal = sf.Exchange("disk", law, {REACTANT: p.bulk, "phi": p.potential})
    lead = sf.Hold("lead", {"phi": 0.0})
    if is_traced(p.resistance) or p.resistance > 0:
        lead = sf.Exchange("lead", sf.Transfer("phi", 1.0 / p.resistance), {"phi": 0.0})
    return disk(p, metal, lead, potential=True)


def model(p: Values) -> sf.Model:
    """The disk with the kinetics asked for."""
    return rate_model(p) if p.kinetics == "rate" else butler_volmer_model(p)


class Consumption(sf.CellLaw):
    """Loss thiele^2 c^order in the sphere."""

    thiele: Any = parameter("", "Thiele modulus")
    order: Any = parameter("", "order of the reaction")
    dissipative: ClassVar[bool] = False

    @property
    def makes(self) -> tuple[str, ...]:
        """The reactant."""
        return (REACTANT,)

    def production(self, here: Local, cell: Cell) -> dict[str, Any]:
        """Loss, mol/(m^3 s)."""
        xp = array_module(here[REACTANT])
        return {REACTANT: -(self.thiele**2) * xp.maximum(here[REACTANT], 1e-300) ** self.order}


def sphere(p: Values, film: bool, cells: int = CELLS) -> sf.Model:
    """The porous sphere of unit radius, diffusivity and concentration outside, finest where the reaction goes on."""
    xp = array_module(p.items)
    layer = 1.0 / (1.0 + p.thiele)
    depth = layer * xp.sinh(np.linspace(1.0, 0.0, cells) * xp.arcsinh(1.0 / layer))
    nodes = 1.0 - depth / depth[0]
    outside = sf.Exchange("surface", sf.Transfer(REACTANT, p.biot), {REACTANT: 1.0})
    return sf.Model(
        sf.interval(nodes=nodes, shape="sphere", names=("centre", "surface")),
        quantities=[sf.Species(REACTANT)],
        laws=[sf.Fick(REACTANT, 1.0), Consumption(p.thiele, p.pellet_order)],
        boundaries=[outside if film else sf.Hold("surface", {REACTANT: 1.0})],
        start={REACTANT: 1.0},
    )


def effectiveness(p: Values, solution: sf.Solution) -> Any:
    """What reacts in a sphere over what would react if it were as outside everywhere: the mean of c^order."""
    xp, space = array_module(p.items), solution.model.space
    rate = xp.maximum(xp.asarray(solution[REACTANT]), 1e-300) ** p.pellet_order
    return xp.sum(xp.asarray(space.volume) * rate) / xp.sum(xp.asarray(space.volume))


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """Currents (positive when the reactant is used up), the disk's mass transfer, and the sphere's effectiveness."""
    Sc, thickness, _ = scales(p)
    charge = p.electrons * FARADAY
    other = sf.steady(butler_volmer_model(p) if p.kinetics == "rate" else rate_model(p))
    by_rate, by_potential = (solution, other) if p.kinetics == "rate" else (other, solution)
    transport = sf.steady(disk(p, sf.Hold("disk", {REACTANT: 0.0})))
    arriving = -transport.flow(REACTANT, "disk")
    layer = p.diffusivity * p.area * p.bulk / arriving
    u = p.electrons * FARADAY * (p.potential - by_potential["phi"][0]) / (R * p.temperature)
    xp = array_module(p.items)
    kinetic = {
        "rate": charge * p.area * p.rate_constant * p.bulk**p.order,
        "butler_volmer": p.exchange_current * p.area * (xp.exp(-p.alpha * u) - xp.exp((1.0 - p.alpha) * u)),
    }
    current = {
        name: -charge * s.flow(REACTANT, "disk") for name, s in zip(kinetic, (by_rate, by_potential), strict=True)
    }
    bare, covered = sf.steady(sphere(p, film=False)), sf.steady(sphere(p, film=True))
    levich = 0.620 * charge * p.area * p.bulk * p.diffusivity * Sc ** (1.0 / 3.0) / thickness
    found = {
        "current": current[p.kinetics],
        "limiting_current": charge * arriving,
        "kinetic_current": kinetic[p.kinetics],
        "rate_current": current["rate"],
        "butler_volmer_current": current["butler_volmer"],
        "levich_current": levich,
        "surface_concentration": solution[REACTANT][0],
        "overpotential": u * R * p.temperature / charge,
        "schmidt": Sc,
        "sherwood": thickness / layer,
        "diffusion_layer": layer,
        "effectiveness": effectiveness(p, bare),
        "effectiveness_with_film": effectiveness(p, covered),
    }
    # Far below the surface's value the mesh, which is made for the shell, no longer resolves the centre's.
    if is_traced(p.items) or float(bare[REACTANT][0]) > 1e-3:
        found["centre_concentration"] = bare[REACTANT][0]
    return found


UNITS = {
    **dict.fromkeys(
        ("current", "limiting_current", "kinetic_current", "rate_current", "butler_volmer_current", "levich_current"),
        "A",
    ),
    "surface_concentration": "mol/m^3",
    "overpotential": "V",
    "diffusion_layer": "m",
    **dict.fromkeys(("schmidt", "sherwood", "effectiveness", "effectiveness_with_film", "centre_concentration"), ""),
}

Run = Callable[..., Result]

OXYGEN = {"electrons": 4, "rpm": 1600.0, "rate_constant": 2e-4, "order": 1.0}
SLOW = {
    "electrons": 2, "area": 1e-4, "diffusivity": 5e-8, "viscosity": 4e-7, "bulk": 10.0, "rpm": 300.0,
    "rate_constant": 3e-4, "order": 0.5, "exchange_current": 20.0, "alpha": 0.3, "temperature": 350.0,
    "potential": -0.08, "resistance": 0.4, "thiele": 1.2, "pellet_order": 2.0, "biot": 3.0,
}  # fmt: skip
# Independent reference computation (flow and transport by quadrature to round-off, roots by bisection).
REFERENCE: tuple[tuple[dict[str, Any], dict[str, float]], ...] = (
    (
        OXYGEN,
        {
            "schmidt": 518.1347150259066,
            "sherwood": 4.794002572264937,
            "limiting_current": 0.0010871475135304702,
            "levich_current": 0.0011292656916848946,
            "current": 0.0006799665738204198,
            "surface_concentration": 0.4494487836938476,
            "butler_volmer_current": 0.001086822312047009,
            "effectiveness": 0.6716364899803562,
            "effectiveness_with_film": 0.6101651164156741,
            "diffusion_layer": 1.611489339859463e-05,
        },
    ),
    (
        SLOW,
        {
            "schmidt": 8.0,
            "sherwood": 1.0368133320457456,
            "limiting_current": 0.0886557299261461,
            "levich_current": 0.10602979505627233,
            "current": 0.016514004690837625,
            "surface_concentration": 8.137288508639603,
            "butler_volmer_current": 0.008279983364020162,
            "effectiveness": 0.8551040836863425,
            "effectiveness_with_film": 0.6872839674087091,
            "diffusion_layer": 0.00010883146775023598,
        },
    ),
)


def _reference(run: Run) -> list[Comparison]:
    found = []
    for given, expected in REFERENCE:
        a = run(**given).answers
        found += [Comparison(a[name], value, 1e-5) for name, value in expected.items()]
    return found


def _swirl(run: Run) -> list[Comparison]:
    flow = sf.steady(flow_model())
    return [
        Comparison(-float(flow.flow("F", "disk")), 0.5102326189, 1e-6),
        Comparison(float(flow.flow("G", "disk")), 0.6159220144, 1e-6),
        Comparison(float(flow["H"][-1]), -0.8844741102, 1e-6),
    ]


def _levich(run: Run) -> list[Comparison]:
    thin = run(diffusivity=1e-15).answers
    found = [
        Comparison(thin["sherwood"] / 1e3, 0.620, 1e-3),
        Comparison(thin["limiting_current"], thin["levich_current"], 1e-3),
    ]
    for Sc in (100.0, 1000.0, 1e5):
        q = Sc ** (-1.0 / 3.0)
        newman = 0.62048 / q / (1.0 + 0.2980 * q + 0.14514 * q * q)
        found.append(Comparison(run(diffusivity=1e-6 / Sc).answers["sherwood"], newman, 1e-3))
    return [*found, Comparison(run(diffusivity=1e-6).answers["sherwood"], 0.3963, 2e-4)]


def _koutecky_levich(run: Run) -> list[Comparison]:
    speeds = np.array([400.0, 900.0, 1600.0, 3600.0])
    runs = [run(rpm=rpm).answers for rpm in speeds]
    slope, intercept = np.polyfit(speeds**-0.5, [1.0 / float(a["current"]) for a in runs], 1)
    kinetic = 4.0 * FARADAY * 1.96e-5 * 2e-4 * 1.2
    return [
        Comparison(1.0 / intercept, kinetic, 1e-8),
        Comparison(1.0 / slope, float(runs[0]["limiting_current"]) / 20.0, 1e-8),
    ]


def _two_ways(run: Run) -> list[Comparison]:
    given = {"kinetics": "butler_volmer", "electrons": 1.0, "exchange_current": 10.0, "resistance": 0.0, "alpha": 0.4}
    rest, far, small = (run(**given, potential=E).answers for E in (0.0, -1.2, -1e-5))
    # Near equilibrium: charge-transfer and transport resistance in series.
    ohms = R * 298.15 / FARADAY * (1.0 / (10.0 * 1.96e-5) + 1.0 / float(small["limiting_current"]))
    return [
        Comparison(rest["current"], 0.0, 0.0, 1e-12 * float(rest["limiting_current"])),
        Comparison(far["current"], far["limiting_current"], 1e-6),
        Comparison(small["current"], 1e-5 / ohms, 3e-4),
    ]


def _ohmic(run: Run) -> list[Comparison]:
    given = {"kinetics": "butler_volmer", "exchange_current": 50.0, "resistance": 5e4}
    a = run(**given, potential=-0.3).answers
    return [
        Comparison(a["overpotential"] - a["current"] * 5e4, -0.3, 1e-9),
        Comparison(a["current"], 0.3 / 5e4, 2e-2),
    ]


def _thiele(run: Run) -> list[Comparison]:
    found = []
    for thiele, biot in ((0.3, 4.0), (5.0, 200.0), (60.0, 11.0)):
        a = run(thiele=thiele, biot=biot).answers
        closed = 3.0 / thiele**2 * (thiele / np.tanh(thiele) - 1.0)
        found.append(Comparison(a["effectiveness"], closed, 1e-5))
        found.append(Comparison(a["effectiveness_with_film"], 1.0 / (1.0 / closed + thiele**2 / (3.0 * biot)), 1e-5))
    # Any order, thin shell: effectiveness 3 / thiele sqrt(2 / (order + 1)).
    second = run(thiele=5e3, pellet_order=2.0).answers["effectiveness"]
    return [*found, Comparison(second, 3.0 / 5e3 * np.sqrt(2.0 / 3.0), 1e-3)]


def _order(run: Run) -> list[Comparison]:
    p = SYSTEM.values(OXYGEN)

    def arriving(cells: int) -> float:
        return -float(sf.steady(disk(p, sf.Hold("disk", {REACTANT: 0.0}), cells=cells)).flow(REACTANT, "disk"))

    def reacting(cells: int) -> float:
        return float(effectiveness(p, sf.steady(sphere(p, film=False, cells=cells))))

    steps = [[f(cells) for cells in (31, 61, 121)] for f in (arriving, reacting)]
    orders = [np.log2((a - b) / (b - c)) for a, b, c in steps]
    swirl = [float(sf.steady(flow_model(cells)).flow("G", "disk")) - 0.6159220144 for cells in (101, 201)]
    return [*(Comparison(one, 2.0, 0.05) for one in orders), Comparison(np.log2(swirl[0] / swirl[1]), 2.0, 0.05)]


CLAIMS = (
    Claim("currents, transport and spheres of two cases", "independent reference computation", _reference),
    Claim("the swirling flow: F'(0), -G'(0), H far away", "Cochran 1934; Rogers and Lance 1960", _swirl),
    Claim("thin layers: Levich's 0.620 Sc^(1/3), and its correction", "Levich 1942; Newman 1966", _levich),
    Claim(
        "1 / current against rpm^-1/2 gives kinetics and transport back", "Koutecky and Levich 1958", _koutecky_levich
    ),
    Claim("at rest no current, far away the limiting one, in between resistances", "limits", _two_ways),
    Claim("the resistance takes its share of the potential", "Ohm's law", _ohmic),
    Claim("spheres of first order, with and without film; thin shells", "Thiele 1939; Aris 1957", _thiele),
    Claim("second order in the step: transport, sphere and flow", "observed order", _order),
)


def figure(result: Result) -> Figure:
    """The reactant before the disk, and the line of Koutecky and Levich through currents at several speeds."""
    p, solution = result.parameters, result.solution
    drawing = Figure(figsize=(10.0, 4.2), layout="constrained")
    left, right = drawing.subplots(1, 2)
    layer = float(result.answers["diffusion_layer"])
    depth, c = np.asarray(solution.position()) * 1e6, np.asarray(solution[REACTANT])
    left.plot(depth, c, label="reactant")
    left.plot([0.0, layer * 1e6], [c[0], p.bulk], "k:", label="equivalent still layer")
    left.set(xlim=(0.0, 3e6 * layer), ylim=(0.0, 1.05 * p.bulk))
    left.set(xlabel="distance from the disk / um", ylabel="concentration / (mol/m$^3$)")
    left.legend()
    speeds = p.rpm * np.array([0.25, 0.5, 1.0, 2.0, 4.0])
    currents = []
    for rpm in speeds:
        there = Values({**p.items, "rpm": float(rpm)})
        found = sf.steady(model(there), start=solution)
        currents.append(-p.electrons * FARADAY * float(found.flow(REACTANT, "disk")))
    at = speeds**-0.5
    far = np.array([0.0, 1.05 * at.max()])
    if min(map(abs, currents)) > 0.0:
        inverse = 1e-3 / np.array(currents)
        right.plot(at, inverse, "o", label=f"computed, {p.kinetics.replace('_', ' ')}")
        right.plot(far, np.polyval(np.polyfit(at[2:], inverse[2:], 1), far), "-", lw=0.8, label="straight line")
        right.plot(0.0, 1e-3 / float(result.answers["kinetic_current"]), "s", color="C3", label="1 / kinetic current")
        right.legend()
    right.set(xlabel="rpm$^{-1/2}$", ylabel="1 / current, 1 / mA", xlim=(-0.02 * far[1], far[1]))
    return drawing


SYSTEM = System(
    name="mixed_control",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
)
