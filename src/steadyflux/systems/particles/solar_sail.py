"""A metal sail in the solar wind: the potential to which it charges, the current in its tether, the push of the wind.

Seeds: A, D

Protons of the wind strike the sail and each takes up an electron; it may knock out others. It looks as if the tether
carried e n v A (1 + yield). Yet protons are the smallest of the currents: the electrons of the wind, far faster than
the wind itself, strike both faces, and sunlight frees sixty times as many electrons as there are protons. The sail
charges until all currents and that of the tether cancel: this potential is the unknown.

## Equations

    protons         e n v A cos a sqrt(1 - e phi / E)       repelled by a positive sail, E = m v^2 / 2
    secondaries     yield times the protons, kept back by h(phi)
    photoelectrons  j_ph A cos a h(phi),   h = (1 + e phi / k T_s) exp(-e phi / k T_s) for phi > 0, else 1
    electrons       -e n sqrt(k T_e / 2 pi m_e) 2 A times exp(e phi / k T_e) for phi < 0, (1 + e phi / k T_e)^k else
    tether          sum of these = (phi - phi_craft) / R
    motion          M dv/dt = n m (u - v)^2 A cos a - G M_sun M / r^2,   dr/dt = v

h is that of emission by the cosine law with a thermal energy k T_s. The exponent k is 0 for a plane, 1/2 for a long
cylinder, 1 for a sphere that collects what its attraction bends in. Density and photoemission are those at
`reference_distance` and fall as 1/r^2. `floating_potential` is that of a sail without a tether. `normal_force` counts
the thermal motion of the protons. The way from `distance` to `end_distance` starts at 42 km/s (r / AU)^(-1/2), about
the speed of escape, and `excess_speed`.

## What to look for

A sunlit sail is positive, and electrons come up the tether from the craft. Switch `photoelectrons` off: the same sail
is negative, and the tether's current turns round. Switch the electrons of the wind off too, and it is the simple
product. The push hardly depends on any of this: it is a few nPa.

## Limits

A sail much smaller than the Debye length is a probe with k = 1, a wide one is a plane; both faces are hot plasma (no
wake behind the sail). The potential does not bend protons in. The force is that of absorbed protons.

## Sources

Mott-Smith and Langmuir 1926 (orbit-limited collection); Grard 1973 (photoelectrons; typical 2e-5 A/m^2 at 1 AU);
Hastings and Garrett, Spacecraft-Environment Interactions, 1996. Wind at 1 AU: 3 to 10 protons per cm^3, 250 to 750 km/s
(typical). Yield of protons of 1 keV on metals: 0.1 to 0.3 (typical).
"""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.ground.constants import (
    ASTRONOMICAL_UNIT,
    E_CHARGE,
    EPSILON_0,
    G_NEWTON,
    K_B,
    M_ELECTRON,
    M_PROTON,
    SOLAR_MASS,
)
from steadyflux.physics.distributions import Drifting, Maxwell
from steadyflux.physics.local import Geometry, Local
from steadyflux.systems.particles._sail_claims import CLAIMS
from steadyflux.systems.system import Choice, Parameter, Result, System, Values

ESCAPE = 42e3  # m/s at 1 AU
ONOFF = ("yes", "no")

PARAMETERS = (
    Choice("protons", "yes", ONOFF, "absorbed protons"),
    Choice("secondaries", "yes", ONOFF, "electrons that protons knock out"),
    Choice("photoelectrons", "yes", ONOFF, "electrons freed by sunlight"),
    Choice("ambient_electrons", "yes", ONOFF, "electrons of the wind"),
    Parameter("density", 5e6, "1/m^3", "solar wind at 1 AU (typical)", 1.0, 1e12),
    Parameter("wind_speed", 4e5, "m/s", "solar wind (typical)", 1e3, 1e7),
    Parameter("proton_temperature", 1e5, "K", "solar wind at 1 AU (typical)", 0.0, 1e9),
    Parameter("electron_temperature", 1.5e5, "K", "solar wind at 1 AU (typical)", 1.0, 1e9),
    Parameter("area", 1e4, "m^2", "100 m x 100 m (chosen)", 1e-12, 1e12),
    Parameter("tilt", 0.0, "rad", "the sail faces the wind", 0.0, 1.57),
    Parameter("secondary_yield", 0.15, "", "electrons a proton of 1 keV (typical)", 0.0, 10.0),
    Parameter("photoemission", 2e-5, "A/m^2", "metal at 1 AU, Grard 1973 (typical)", 0.0, 1.0),
    Parameter(
        "emission_energy", 3.0 * E_CHARGE, "J", "thermal energy of emitted electrons, 3 eV (typical)", 1e-22, 1e-14
    ),
    Parameter("collection_exponent", 0.0, "", "a plane; 0.5 a cylinder, 1 a sphere", 0.0, 1.0),
    Parameter("tether_resistance", 1e4, "ohm", "thin wire (chosen)", 1e-6, 1e15),
    Parameter("craft_potential", 0.0, "V", "the craft is at the potential of the plasma", -1e5, 1e5),
    Parameter("craft_mass", 50.0, "kg", "sail and craft (chosen)", 1e-9, 1e9),
    Parameter("distance", ASTRONOMICAL_UNIT, "m", "1 AU", 1e9, 1e14),
    Parameter("reference_distance", ASTRONOMICAL_UNIT, "m", "where density and photoemission are given", 1e9, 1e14),
    Parameter("end_distance", 1.5 * ASTRONOMICAL_UNIT, "m", "about the orbit of Mars", 1e9, 1e14),
    Parameter("excess_speed", 0.0, "m/s", "beyond the speed of escape", 0.0, 1e6),
)


def _kept_back(phi: Any, energy: Any) -> Any:
    """Share of emitted electrons that get away from a positive sail."""
    climb = jnp.maximum(E_CHARGE * phi / energy, 0.0)
    return (1.0 + climb) * jnp.exp(-climb)


class WindProtons(sf.EdgeLaw):
    """Charge that protons bring, and secondaries take, from the wind (tail) to the sail (head), A."""

    current: Any = sf.parameter("A", "current of all protons that meet the sail")
    stop: Any = sf.parameter("V", "potential that stops the protons")
    per_proton: Any = sf.parameter("", "secondaries a proton", default=0.0)
    energy: Any = sf.parameter("J", "thermal energy of secondaries", default=1.0)
    label: str = sf.static(default="protons")
    dissipative: ClassVar[bool] = False

    @property
    def moves(self) -> tuple[str, ...]:
        """Charge."""
        return ("phi",)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Current to the sail: of the protons themselves, or of the secondaries where their number is given."""
        phi = head["phi"] - tail["phi"]
        left = 1.0 - jnp.maximum(phi, 0.0) / self.stop
        arriving = self.current * jnp.where(left > 0, jnp.sqrt(jnp.where(left > 0, left, 1.0)), 0.0)
        if self.label == "protons":
            return {"phi": arriving}
        return {"phi": arriving * self.per_proton * _kept_back(phi, self.energy)}


class Photoelectrons(sf.EdgeLaw):
    """Charge that the sail gains by the electrons that light frees, A."""

    current: Any = sf.parameter("A", "current of all freed electrons")
    energy: Any = sf.parameter("J", "thermal energy of photoelectrons")
    label: str = sf.static(default="photoelectrons")
    dissipative: ClassVar[bool] = False

    @property
    def moves(self) -> tuple[str, ...]:
        """Charge."""
        return ("phi",)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Current to the sail."""
        return {"phi": self.current * _kept_back(head["phi"] - tail["phi"], self.energy)}


class AmbientElectrons(sf.EdgeLaw):
    """Charge that electrons of the plasma bring to both faces: repelled by a negative sail, attracted by a positive."""

    current: Any = sf.parameter("A", "current of the electrons to a sail at the plasma's potential")
    temperature: Any = sf.parameter("K", "temperature of the electrons")
    exponent: Any = sf.parameter("", "exponent of collection")
    label: str = sf.static(default="ambient_electrons")
    dissipative: ClassVar[bool] = False

    @property
    def moves(self) -> tuple[str, ...]:
        """Charge."""
        return ("phi",)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Current to the sail, negative."""
        pull = E_CHARGE * (head["phi"] - tail["phi"]) / (K_B * self.temperature)
        share = jnp.where(pull < 0, jnp.exp(jnp.minimum(pull, 0.0)), (1.0 + jnp.maximum(pull, 0.0)) ** self.exponent)
        return {"phi": -self.current * share}


def nearby(p: Values) -> tuple[float, float]:
    """Density and photoemission where the sail is."""
    nearer = (p.reference_distance / p.distance) ** 2
    return p.density * nearer, p.photoemission * nearer


def currents(p: Values) -> list[sf.EdgeLaw]:
    """The laws of the currents that are switched on."""
    n, light = nearby(p)
    facing = p.area * np.cos(p.tilt)
    protons, stop = E_CHARGE * n * p.wind_speed * facing, 0.5 * M_PROTON * p.wind_speed**2 / E_CHARGE
    thermal = float(Maxwell(M_ELECTRON).stream(n, p.electron_temperature).particles)
    laws: list[sf.EdgeLaw] = []
    if p.protons == "yes":
        laws.append(WindProtons(protons, stop, on="plasma"))
        if p.secondaries == "yes":
            laws.append(
                WindProtons(protons, stop, p.secondary_yield, p.emission_energy, label="secondaries", on="plasma")
            )
    if p.photoelectrons == "yes":
        laws.append(Photoelectrons(light * facing, p.emission_energy, on="plasma"))
    if p.ambient_electrons == "yes":
        laws.append(
            AmbientElectrons(
                2.0 * p.area * E_CHARGE * thermal, p.electron_temperature, p.collection_exponent, on="plasma"
            )
        )
    return laws


def circuit(p: Values, *, tethered: bool = True, found: bool = True) -> sf.Model:
    """Plasma, sail and craft; the sail's capacitance is that of a disk. It starts near its potential, or uncharged."""
    capacitance = 8.0 * EPSILON_0 * np.sqrt(p.area / np.pi)
    conductance = 1.0 / p.tether_resistance if tethered else 0.0
    return sf.Model(
        sf.network(
            {"wind": 1.0, "sail": 1.0, "craft": 1.0},
            {"plasma": [("wind", "sail")], "tether": [("sail", "craft")]},
        ),
        [sf.Potential(capacity=capacitance)],
        [*currents(p), sf.Transfer("phi", conductance, on="tether")],
        [sf.Hold("wind", {"phi": 0.0}), sf.Hold("craft", {"phi": p.craft_potential})],
        start={"phi": np.array([0.0, near(p, conductance) if found else 0.0, p.craft_potential])},
    )


def model(p: Values) -> sf.Model:
    """The sail with its tether, uncharged in the beginning."""
    return circuit(p, found=False)


def solve(p: Values, uncharged: sf.Model) -> sf.Solution:
    """The charged sail."""
    return sf.steady(circuit(p))


NAMES = ("protons", "secondaries", "photoelectrons", "ambient_electrons")


def characteristic(p: Values, potentials: Any) -> dict[str, np.ndarray]:
    """Each current to the sail, A, at given potentials (V): the same laws with as many sails held there."""
    phi = np.atleast_1d(np.asarray(potentials, dtype=float))
    laws = currents(p)
    found = {name: np.zeros(phi.shape) for name in NAMES}
    if laws:
        count = len(phi)
        links = (np.zeros(count, dtype=int), np.arange(1, count + 1))
        held = sf.Model(
            sf.graph(count + 1, {"plasma": links}, places={"all": np.arange(count + 1)}),
            [sf.Potential()],
            laws,
            [sf.Hold("all", {"phi": np.concatenate([[0.0], phi])})],
        )
        for law, book in zip(held.laws, sf.steady(held).books.laws, strict=True):
            found[law.label] = np.asarray(book.flux)[:, 0]  # type: ignore[attr-defined]
    return found


GRID = np.sinh(np.linspace(-21.0, 21.0, 601)) * 1e-3  # V, to 660 kV either way


def near(p: Values, conductance: float) -> float:
    """Where the currents about cancel that of the tether, V: where the search for the potential starts."""
    surplus = np.sum(list(characteristic(p, GRID).values()), axis=0) - conductance * (GRID - p.craft_potential)
    last = int(np.clip(np.searchsorted(-surplus, 0.0), 1, len(GRID) - 1))
    rise = surplus[last] - surplus[last - 1]
    share = -surplus[last - 1] / rise if rise else 0.5
    return float(GRID[last - 1] + np.clip(share, 0.0, 1.0) * (GRID[last] - GRID[last - 1]))


def floating(p: Values) -> float:
    """Potential of a sail without a tether, V. Without electrons from outside nothing but the stopping of the protons
    ends the charging, and where light frees electrons nothing at all."""
    if p.ambient_electrons == "yes" and (p.protons == "yes" or (p.photoelectrons == "yes" and p.photoemission > 0)):
        return float(sf.steady(circuit(p, tethered=False)).value("phi", "sail"))
    if p.ambient_electrons == "yes":
        return float("-inf")
    if p.photoelectrons == "yes" and p.photoemission > 0:
        return float("inf")
    return 0.5 * M_PROTON * p.wind_speed**2 / E_CHARGE if p.protons == "yes" else 0.0


class Wind(sf.EdgeLaw):
    """Momentum of protons that the sail absorbs, n m (u - v)^2 A cos a, from the wind to the sail, N."""

    density: Any = sf.parameter("1/m^3", "density of protons at the reference distance")
    reference: Any = sf.parameter("m", "reference distance")
    facing: Any = sf.parameter("m^2", "area seen by the wind")
    dissipative: ClassVar[bool] = False

    @property
    def moves(self) -> tuple[str, ...]:
        """Momentum along the radius."""
        return ("v",)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Momentum from the wind to the sail, N."""
        n = self.density * (self.reference / head["r"]) ** 2
        gain = jnp.maximum(tail["v"] - head["v"], 0.0)
        return {"v": n * M_PROTON * gain**2 * self.facing}


class Gravity(sf.CellLaw):
    """The Sun's pull on the craft, N."""

    mass: Any = sf.parameter("kg", "mass of the craft")
    dissipative: ClassVar[bool] = False

    @property
    def makes(self) -> tuple[str, ...]:
        """Momentum along the radius."""
        return ("v",)

    def production(self, here: Local, cell: Any) -> dict[str, Any]:
        """Momentum lost, N (the cell has the volume 1 m^3)."""
        return {"v": -G_NEWTON * SOLAR_MASS * self.mass / here["r"] ** 2}


def flight(p: Values) -> sf.Model:
    """The craft on its way out: its momentum, fed by the wind, and its distance."""
    start = p.excess_speed + ESCAPE / np.sqrt(p.distance / ASTRONOMICAL_UNIT)
    wind = Wind(p.density, p.reference_distance, p.area * np.cos(p.tilt), on="push")
    return sf.Model(
        sf.network({"wind": 1.0, "craft": 1.0}, {"push": [("wind", "craft")]}),
        [sf.Momentum("v", density=p.craft_mass)],
        [wind, Gravity(p.craft_mass, on="craft")],
        [sf.Hold("wind", {"v": p.wind_speed})],
        start={"v": np.array([p.wind_speed, start])},
        shared=[sf.Shared("r", rate=lambda view: view.value("v", "craft"), start=p.distance, unit="m")],
    )


def way_out(p: Values) -> sf.History:
    """From `distance` to `end_distance`, or until the craft stands still."""
    arrived = sf.Event("arrived", lambda view: view["r"] / p.end_distance - 1.0)
    turned = sf.Event("turned", lambda view: view.value("v", "craft") / ESCAPE)
    # At the speed of escape it takes a third of this.
    longest = 2.0 * p.end_distance**1.5 / np.sqrt(2.0 * G_NEWTON * SOLAR_MASS)
    return sf.evolve(flight(p), until=longest, events=[arrived, turned], rtol=1e-9, atol=1e-12)


def push(p: Values) -> float:
    """Momentum that the sail at rest takes from the wind, N."""
    at_rest = sf.Model(
        sf.network({"wind": 1.0, "craft": 1.0}, {"push": [("wind", "craft")]}),
        [sf.Momentum("v", density=p.craft_mass)],
        [Wind(p.density, p.reference_distance, p.area * np.cos(p.tilt), on="push")],
        [sf.Hold("wind", {"v": p.wind_speed}), sf.Hold("craft", {"v": 0.0})],
        given={"r": p.distance},
    )
    return float(sf.steady(at_rest).along("v", "push")[0])


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """Currents, potentials, the tether's power, the push of the wind and the way out."""
    phi = float(solution.value("phi", "sail"))
    current = float(solution.along("phi", "tether")[0])
    n, _ = nearby(p)
    facing, force = p.area * np.cos(p.tilt), push(p)
    normal = Drifting(M_PROTON, p.wind_speed * np.cos(p.tilt)).stream(n, p.proton_temperature)
    found = {
        "tether_current": current,
        "sail_potential": phi,
        "floating_potential": floating(p),
        "net_current": (float(solution.along("phi", "plasma")[0]) if currents(p) else 0.0) - current,
        "power": current * (phi - p.craft_potential),
        "pressure": n * M_PROTON * p.wind_speed**2,
        "force": force,
        "specular_force": 2.0 * force * np.cos(p.tilt),
        "normal_force": float(normal.momentum) * p.area,
        "acceleration": force / p.craft_mass,
        "particle_rate": n * p.wind_speed * facing,
        **{f"{name}_current": float(value[0]) for name, value in characteristic(p, phi).items()},
    }
    if p.end_distance > p.distance:
        course = way_out(p)
        there = bool(course.events) and course.events[-1].name == "arrived"
        found["end_speed"] = float(course["v"][-1, 1]) if there else 0.0
        found["flight_time"] = float(course.times[-1]) if there else float("inf")
    return found


def figure(result: Result) -> Figure:
    """The currents to the sail against its potential, and the speed on the way out."""
    p, a = result.parameters, result.answers
    fig = Figure(figsize=(10.0, 4.2), layout="constrained")
    left, right = fig.subplots(1, 2)
    span = 1.5 * max(
        abs(a["sail_potential"]), abs(a["floating_potential"]) if np.isfinite(a["floating_potential"]) else 0, 5
    )
    phi = np.linspace(-span, span, 301)
    each = characteristic(p, phi)
    for name, values in each.items():
        left.plot(phi, 1e3 * values, label=name.replace("_", " "))
    total = 1e3 * np.sum(list(each.values()), axis=0)
    left.plot(phi, total, "k", label="all of them")
    left.plot(phi, 1e3 * (phi - p.craft_potential) / p.tether_resistance, "k:", label="tether")
    left.plot(a["sail_potential"], 1e3 * a["tether_current"], "o", color="C3", label="this run")
    least = min(float(total.min()), 1e3 * float(each["ambient_electrons"].min()), 0.0)
    left.set_ylim(1.2 * least, 1.2 * max(float(total.max()), 1e-9))
    left.set_xlabel("potential of the sail (V)")
    left.set_ylabel("current to the sail (mA)")
    left.legend(fontsize="small")
    if "end_speed" in a:
        course = way_out(p)
        calm = way_out(Values({**p.items, "density": 1.0}))
        for run, style, label in ((course, "-", "with the wind"), (calm, ":", "without")):
            right.plot(run["r"] / ASTRONOMICAL_UNIT, run["v"][:, 1] / 1e3, style, label=label)
        right.legend()
    right.set_xlabel("distance (AU)")
    right.set_ylabel("speed (km/s)")
    return fig


SYSTEM = System(
    name="solar_sail",
    parameters=PARAMETERS,
    model=model,
    solve=solve,
    answers=answers,
    units={
        **dict.fromkeys(
            ("tether_current", "net_current", "protons_current", "secondaries_current", "photoelectrons_current"), "A"
        ),
        "ambient_electrons_current": "A",
        **dict.fromkeys(("sail_potential", "floating_potential"), "V"),
        "power": "W",
        "pressure": "Pa",
        **dict.fromkeys(("force", "specular_force", "normal_force"), "N"),
        "acceleration": "m/s^2",
        "particle_rate": "1/s",
        "end_speed": "m/s",
        "flight_time": "s",
    },
    claims=CLAIMS,
    figure=figure,
)
