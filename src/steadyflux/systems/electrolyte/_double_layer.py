"""A charged sphere and the double layer around it: at rest, in an electric field, and falling.

The field of the sphere at rest is Poisson's and Boltzmann's. A weak field or a weak force disturbs it in proportion to
cos(theta), and what is left of the equations of O'Brien and White (1978), in the form of Ohshima, Healy and White
(1983), are ordinary ones in r. With x = r/a, y = e psi/(k T), c_i = exp(-z_i y),
m_i = 2 eps k T lambda_i / (3 eta z_i^2 e^2):

    ions: what they gain by the flow they lose by diffusion    (x^2 c_i f_i')' - 2 c_i f_i = -3 m_i z_i^2 c_i y' x H
    flow and its vorticity                                     (x^2 H')' - 2 H = x^2 W
    force of the ions on the fluid       (x^2 W')' - 2 W = -(kappa a)^2 x y' sum_i nu_i z_i^2 c_i f_i
    wall:  f_i' = 0, H = H' = 0
    far:   f_i = field x + d_i/x^2,    W = 1.5 force/x^2,    H = A x - 0.75 force + B/x^2

The radial velocity is -2 H cos(theta)/x, the potential of ion i is -z_i e f_i cos(theta), nu_i is the share
n_i / sum n_j z_j^2. 2 A is the velocity at which the sphere passes: its electrophoretic mobility over eps k T/(eta e)
(field 1, force 0), or its velocity over that of Stokes (field 0, force 1). The two problems are solved apart; the d_i
of the second are the current that settling carries. Both are linear, the sources stand at the nodes, and the matrix is
symmetric but for the scale of each equation, so that reciprocity must come out to rounding if each is solved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp
import numpy as np

import steadyflux as sf
from steadyflux.ground.constants import EPSILON_0, FARADAY, R
from steadyflux.physics.law import parameter, static
from steadyflux.physics.local import Cell, Geometry, Local

NODES = 6000
REACH = 25.0  # Debye lengths from the wall beyond which nothing is charged


class Sphere(NamedTuple):
    """A charged sphere in an electrolyte, SI: radius, zeta, permittivity, viscosity, temperature; of the ions their
    charge numbers, concentrations and diffusivities."""

    radius: float
    zeta: float
    permittivity: float
    viscosity: float
    temperature: float
    charges: Sequence[float]
    concentrations: Sequence[float]
    diffusivities: Sequence[float]

    @property
    def thermal(self) -> float:
        """k T/e, V."""
        return R * self.temperature / FARADAY

    @property
    def strength(self) -> float:
        """Sum of z^2 c, mol/m^3."""
        return sum(z * z * c for z, c in zip(self.charges, self.concentrations, strict=True))

    @property
    def kappa(self) -> float:
        """Inverse Debye length, 1/m."""
        return float(np.sqrt(FARADAY * self.strength / (self.permittivity * EPSILON_0 * self.thermal)))

    @property
    def unit_mobility(self) -> float:
        """eps k T/(eta e), m^2/(V s)."""
        return self.permittivity * EPSILON_0 * self.thermal / self.viscosity

    @property
    def drag(self) -> np.ndarray:
        """3 m_i z_i^2 of each ion: 2 eps (k T/e)^2 / (eta D_i)."""
        return 2.0 * self.unit_mobility * self.thermal / np.asarray(self.diffusivities, dtype=float)

    @property
    def nodes(self) -> np.ndarray:
        """r/a of the nodes: fine at the wall, where a strong charge presses the layer together."""
        far = REACH / (self.kappa * self.radius)
        steep = np.cosh(min(abs(self.zeta) / self.thermal * max(abs(z) for z in self.charges) / 4.0, 20.0))
        finest = min(1.0, 1.0 / (self.kappa * self.radius)) / steep
        t = np.linspace(0.0, 1.0, NODES)
        return 1.0 + finest * np.expm1(t * np.log1p(far / finest))


class BoltzmannCharge(sf.CellLaw):
    """Charge of ions that are in equilibrium with a far solution, C/m^3: F sum z c exp(-z F phi/(R T))."""

    charges: tuple[float, ...] = static(default=())
    concentrations: Any = 0.0
    dissipative: ClassVar[bool] = False
    flux_unit: ClassVar[Mapping[str, str]] = {"phi": "C"}

    @property
    def makes(self) -> tuple[str, ...]:
        """The potential's row."""
        return ("phi",)

    def production(self, here: Local, cell: Cell) -> dict[str, Any]:
        """Charge density."""
        y = here["phi"] * FARADAY / (R * here.T)
        ions = zip(self.charges, self.concentrations, strict=True)
        return {"phi": FARADAY * sum(z * c * jnp.exp(-z * y) for z, c in ions)}


class IonTransport(sf.EdgeLaw, sf.CellLaw):
    """One ion's disturbance: diffusion weighted by its density at rest, and what the flow brings."""

    name: str = static(default="f1")
    charge: float = static(default=1.0)
    drag: Any = 0.0
    on: str = static(default="interior", kw_only=True)
    dissipative: ClassVar[bool] = False
    symmetry: ClassVar[str | None] = None

    @property
    def moves(self) -> tuple[str, ...]:
        """The disturbance."""
        return (self.name,)

    @property
    def makes(self) -> tuple[str, ...]:
        """The disturbance."""
        return (self.name,)

    @property
    def sees(self) -> tuple[str, ...]:
        """The flow."""
        return ("H",)

    @property
    def acts_in(self) -> str | None:
        """Everywhere."""
        return None

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """-x^2 c f', with the mean of the two densities."""
        c = 0.5 * (jnp.exp(-self.charge * tail["y"]) + jnp.exp(-self.charge * head["y"]))
        return {self.name: c * edge.conductor * (tail[self.name] - head[self.name])}

    def production(self, here: Local, cell: Cell) -> dict[str, Any]:
        """-2 c f/x^2 + 3 m z^2 c y' H/x."""
        c, x = jnp.exp(-self.charge * here["y"]), cell.position
        return {self.name: c * (-2.0 * here[self.name] / x**2 + self.drag * here["slope"] * here["H"] / x)}


class CreepingFlow(sf.EdgeLaw, sf.CellLaw):
    """The flow H and its vorticity W. H's row is the balance of forces and W's row says what W is, as one symmetric
    operator has it; both conditions at a wall, H = 0 and H' = 0, are then plain ones."""

    ions: tuple[str, ...] = static(default=())
    charges: tuple[float, ...] = static(default=())
    shares: Any = 0.0
    kappa_a: Any = 1.0
    on: str = static(default="interior", kw_only=True)
    dissipative: ClassVar[bool] = False
    symmetry: ClassVar[str | None] = None

    @property
    def moves(self) -> tuple[str, ...]:
        """Flow and vorticity."""
        return ("H", "W")

    @property
    def makes(self) -> tuple[str, ...]:
        """Flow and vorticity."""
        return ("H", "W")

    @property
    def sees(self) -> tuple[str, ...]:
        """The ions."""
        return self.ions

    @property
    def acts_in(self) -> str | None:
        """Everywhere."""
        return None

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """-x^2 W' in H's row and -x^2 H' in W's."""
        return {"H": edge.conductor * (tail["W"] - head["W"]), "W": edge.conductor * (tail["H"] - head["H"])}

    def production(self, here: Local, cell: Cell) -> dict[str, Any]:
        """What is left of the two operators, and the force of the ions on the fluid."""
        x = cell.position
        ions = zip(self.ions, self.charges, self.shares, strict=True)
        pull = sum(nu * z * z * jnp.exp(-z * here["y"]) * here[f] for f, z, nu in ions)
        force = -(self.kappa_a**2) * here["slope"] / x * pull
        return {"H": -2.0 * here["W"] / x**2 - force, "W": -2.0 * here["H"] / x**2 - here["W"]}


class Dipole(sf.EdgeLaw):
    """The far field of an ion's disturbance, field x + d/x^2: its slope there is 3 field - 2 f/X."""

    name: str = static(default="f1")
    distance: Any = parameter("", "distance of the far boundary over the radius", default=1.0)
    dissipative: ClassVar[bool] = False
    symmetry: ClassVar[str | None] = None

    @property
    def moves(self) -> tuple[str, ...]:
        """The disturbance."""
        return (self.name,)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """-X^2 f' with 1.5 field X outside."""
        return {self.name: 2.0 / self.distance * edge.area * (tail[self.name] - head[self.name])}


def layer_model(sphere: Sphere) -> sf.Model:
    """Poisson's and Boltzmann's equation around the sphere at rest, in SI.

    The first guess is Gouy's and Chapman's profile of a flat wall with the counter-ions' charge number.
    """
    z = max([abs(z) for z in sphere.charges if z * sphere.zeta < 0] or [1.0])
    decay = np.exp(-sphere.kappa * sphere.radius * (sphere.nodes - 1.0)) / sphere.nodes
    y = 4.0 / z * np.arctanh(np.tanh(0.25 * z * sphere.zeta / sphere.thermal) * decay)
    law = BoltzmannCharge(charges=tuple(sphere.charges), concentrations=tuple(map(float, sphere.concentrations)))
    return sf.Model(
        sf.interval(nodes=sphere.radius * sphere.nodes, shape="sphere", names=("wall", "far")),
        quantities=[sf.Potential()],
        laws=[sf.Poisson(sphere.permittivity), law],
        boundaries=[sf.Hold("wall", {"phi": sphere.zeta}), sf.Hold("far", {"phi": 0.0})],
        given={"T": sphere.temperature},
        start={"phi": sphere.thermal * y},
    )


def disturbed_model(sphere: Sphere, layer: sf.Solution, field: float, force: float) -> sf.Model:
    """The linear equations around the sphere in a field (1 or 0) or under a force (1 or 0)."""
    x = sphere.nodes
    y = np.asarray(layer["phi"]) / sphere.thermal
    names = tuple(f"f{n}" for n in range(1, len(sphere.charges) + 1))
    charges = tuple(float(z) for z in sphere.charges)
    shares = tuple(float(c) / sphere.strength for c in sphere.concentrations)
    kappa_a = sphere.kappa * sphere.radius
    far = float(x[-1])
    ions = [IonTransport(name=n, charge=z, drag=float(d)) for n, z, d in zip(names, charges, sphere.drag, strict=True)]
    return sf.Model(
        sf.interval(nodes=x, shape="sphere", names=("wall", "far")),
        quantities=[*(sf.Volume(n) for n in names), sf.Volume("H"), sf.Volume("W")],
        laws=[*ions, CreepingFlow(ions=names, charges=charges, shares=shares, kappa_a=kappa_a)],
        boundaries=[
            sf.Hold("wall", {"H": 0.0}),
            sf.Hold("far", {"W": 1.5 * force / far**2}),
            sf.Influx("far", {"H": -3.0 * force / far**3}),
            *(sf.Exchange("far", Dipole(name=n, distance=far), {n: 1.5 * field * far}) for n in names),
        ],
        given={"y": y, "slope": np.gradient(y, x, edge_order=2)},
        start=dict.fromkeys((*names, "H", "W"), 0.0),
    )


class Motion(NamedTuple):
    """What the far field of a disturbed layer tells: twice A, and the dipole d_i of every ion."""

    speed: float
    dipoles: np.ndarray
    solution: sf.Solution


def motion(sphere: Sphere, layer: sf.Solution, field: float, force: float) -> Motion:
    """Solve the sphere in a field or under a force."""
    found = sf.steady(disturbed_model(sphere, layer, field, force))
    far = float(sphere.nodes[-1])
    flow = float(found["H"][-1]) + 0.75 * force
    slope = float(found.flow("W", "far")) / (4.0 * np.pi * far**2)
    names = [f"f{n}" for n in range(1, len(sphere.charges) + 1)]
    dipoles = np.array([(float(found[n][-1]) - field * far) * far**2 for n in names])
    return Motion(2.0 * (2.0 * flow / far + slope) / 3.0, dipoles, found)
