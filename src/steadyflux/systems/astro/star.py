"""A shining star: energy diffuses out of a radiative star, and its mass sets how much.

Seeds: A, C

A star in radiative equilibrium shines at the rate at which light diffuses through it. Its structure says how hot and
how opaque it is inside, and the structure follows from its mass: in Eddington's standard model gas and radiation share
the pressure everywhere in the same proportion beta, which makes the star a polytrope of index three.

Equations

    structure        (1 / xi^2) d/dxi (xi^2 dtheta/dxi) = - theta^3,  theta(0) = 1,  theta(xi_1) = 0   (Lane and Emden)
    mass constant    - xi_1^2 theta'(xi_1);     T = T_c theta,  density = rho_c theta^3,  pressure = P_c theta^4
    Eddington        (1 - beta) / beta^4 = pi a mu^4 G^3 M^2 / (48 (k / m_u)^4 (mass constant)^2)
    energy           L(r) = - 4 pi r^2 (16 sigma T^3 / 3 kappa rho) dT/dr,     dL/dm = heating, the same in all the mass
    surface          L = 4 pi R^2 sigma T_eff^4
    together         L = 4 pi G c M (1 - beta) / kappa

The structure is solved as a boundary-value problem of its own whose end xi_1 is unknown. In it the flow of energy is
solved: how strong the heating must be for the centre to be as hot as hydrostatic balance demands. That the luminosity
then comes out as Eddington's is a result, not an input.

What to look for: the luminosity does not depend on where the energy comes from, nor on the radius. It goes as mu^4 M^3
for light stars (gas holds them up) and bends to L ~ M for heavy ones (light holds them up); `mass_exponent` says which.
A power law L ~ M^3.5 is the fit to both and to the change of opacity.

In time (`--until`): gas and light store heat while the structure stands still and the centre is kept at its
temperature. The run begins with outer layers that are too warm, which shine their excess away.

Limits: constant opacity, no convection, one composition, no change of structure (a star evolves by slow change of mu
and of the sources: a sequence of such states over the Kelvin-Helmholtz time and longer).

Sources: Eddington, The Internal Constitution of the Stars (1926), ch. IV and VI; Chandrasekhar, An Introduction to the
Study of Stellar Structure (1939), ch. IV (constants of the polytropes) and VI.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from steadyflux.ground.arithmetic import is_traced
from steadyflux.ground.constants import C_LIGHT, G_NEWTON, SIGMA_SB, SOLAR_LUMINOSITY, SOLAR_MASS, SOLAR_RADIUS
from steadyflux.model.conditions import Exchange
from steadyflux.model.model import Model
from steadyflux.model.shared import Shared, ValueBalance
from steadyflux.model.solution import Solution
from steadyflux.physics.flow import Radiation
from steadyflux.physics.law import CellLaw, EdgeLaw, parameter
from steadyflux.physics.local import Cell, Geometry, Local
from steadyflux.physics.quantity import Heat
from steadyflux.space.interval import interval
from steadyflux.systems.astro._polytrope import GAS, RADIATION, Structure, structure, weight_of
from steadyflux.systems.astro._star_claims import CLAIMS
from steadyflux.systems.system import Numbers, Parameter, Result, System, Values

PARAMETERS = (
    Parameter("mass", SOLAR_MASS, "kg", "the Sun", low=1e27, high=1e36),
    Parameter("radius", SOLAR_RADIUS, "m", "the Sun", low=1e5, high=1e13),
    Parameter("molecular_weight", 0.61, "", "ionised gas of solar composition, typical", low=0.4, high=4.0),
    Parameter("opacity", 0.14, "m^2/kg", "typical of the Sun's inside; electron scattering 0.035", low=1e-4, high=1e4),
    Numbers("mass_fractions", (0.1, 0.25, 0.5, 0.75, 0.9), "", "chosen: mass within over the whole", low=0.0, high=1.0),
    Parameter("cells", 1201.0, "", "1200 shells", low=51.0, high=20001.0, whole=True),
)


class RadiativeDiffusion(EdgeLaw):
    """Light diffuses down its own pressure: L = - 4 pi r^2 (16 sigma T^3 / 3 kappa rho) dT/dr, between two shells
    L = 4 sigma (T_t^4 - T_h^4) / (3 kappa depth) with depth the integral of rho L(r) / (4 pi r^2 L) dr.

    ``depth`` (kg/m^4) is one per edge; with it a flow that grows along the edge as the mass does is exact.
    """

    opacity: Any = parameter("m^2/kg", "opacity")
    depth: Any = parameter("kg/m^4", "column between two shells")

    @property
    def moves(self) -> tuple[str, ...]:
        """Heat."""
        return ("T",)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Luminosity through the edge, W. The difference of fourth powers in factors, so that it loses no digits."""
        t, h = tail["T"], head["T"]
        fall = (t - h) * (t + h) * (t * t + h * h)
        return {"T": 4.0 * SIGMA_SB / (3.0 * self.opacity * self.depth) * fall}


class Burning(CellLaw):
    """Heat per mass, the same in all the star: the shared unknown `heating`, W/kg."""

    mass: Any = parameter("kg", "mass of a shell")

    dissipative = False

    @property
    def makes(self) -> tuple[str, ...]:
        """Heat."""
        return ("T",)

    def production(self, here: Local, cell: Cell) -> dict[str, Any]:
        """Heat per volume, W/m^3."""
        return {"T": here["heating"] * self.mass / cell.measure}


class Star:
    """The structure in SI: radii (node,), central values, mass of the shells (node,), and what it was made from."""

    def __init__(self, p: Values) -> None:
        self.scaled: Structure = structure(weight_of(p.mass, p.molecular_weight), p.cells)
        s = self.scaled
        self.beta, self.radii = s.beta, p.radius * s.x
        self.density_ratio = s.xi**3 / (3.0 * s.constant)
        self.pressure_constant = s.xi**4 / (16.0 * np.pi * s.constant**2)
        self.density = self.density_ratio * 3.0 * p.mass / (4.0 * np.pi * p.radius**3)
        self.pressure = self.pressure_constant * G_NEWTON * p.mass**2 / p.radius**4
        self.temperature = self.beta * self.pressure * p.molecular_weight / (GAS * self.density)
        self.within = p.mass * s.within
        faces = jnp.concatenate([jnp.zeros(1), self.within, p.mass * jnp.ones(1)])
        self.shells = faces[1:] - faces[:-1]


def model(p: Values) -> Model:
    """Diffusion of light through the structure, heated so that the centre has its temperature."""
    star = Star(p)
    theta = jnp.maximum(star.scaled.theta, 0.0)
    # Hydrostatic balance: the integral of G m rho / r^2 along an edge is the fall of the pressure.
    fall = star.pressure * (theta[:-1] ** 4 - theta[1:] ** 4)
    depth = fall / (4.0 * np.pi * G_NEWTON * star.within)
    r = star.radii
    warm = jnp.maximum(
        star.temperature * theta, 1e-3 * star.temperature * (1.0 - star.scaled.x) + 1e-4 * star.temperature
    )
    volume = 4.0 * np.pi / 3.0 * (_faces(r)[1:] ** 3 - _faces(r)[:-1] ** 3)
    stored = star.shells / volume * 1.5 * GAS / p.molecular_weight + 4.0 * RADIATION * (star.temperature * theta) ** 3
    burnt = 4.0 * SIGMA_SB * star.temperature**4 / (3.0 * p.opacity * jnp.sum(depth * star.within))
    plain = (lambda x: x) if is_traced(p.items) else np.asarray
    return Model(
        interval(nodes=plain(r), shape="sphere", names=("centre", "surface")),
        quantities=[Heat("T", capacity=plain(stored))],
        laws=[RadiativeDiffusion(p.opacity, plain(depth)), Burning(plain(star.shells))],
        boundaries=[Exchange("surface", Radiation(1.0), {"T": 0.0})],
        start={"T": plain(warm)},
        shared=[Shared("heating", ValueBalance("T", "centre", star.temperature), start=burnt, unit="W/kg")],
    )


def _faces(r: Any) -> Any:
    return jnp.concatenate([r[:1], 0.5 * (r[1:] + r[:-1]), r[-1:]])


def answers(p: Values, solution: Solution) -> dict[str, Any]:
    """Luminosity, temperatures, the flow of energy within, entropy, times, and the structure's constants."""
    star = Star(p)
    s, one = star.scaled, 1.0 - star.beta
    luminosity = -solution.flow("T", "surface")
    fractions = jnp.asarray(p.mass_fractions)
    faces = 0.5 * (s.x[1:] + s.x[:-1])
    # At the centre the mass goes as the cube of the radius.
    roots = jnp.concatenate([jnp.zeros(1), s.within ** (1.0 / 3.0), jnp.ones(1)])
    radius = jnp.interp(fractions ** (1.0 / 3.0), roots, jnp.concatenate([s.x[:1], faces, s.x[-1:]]))
    binding = 1.5 * G_NEWTON * p.mass**2 / p.radius
    return {
        "luminosity": luminosity,
        "solar_luminosities": luminosity / SOLAR_LUMINOSITY,
        "temperature_at": jnp.interp(radius, s.x, solution["T"]),
        "energy_flux_at": jnp.interp(fractions, s.within, solution.along("T")),
        "entropy_production": jnp.sum(solution.books.laws[0].entropy),
        "central_temperature": solution.value("T", "centre"),
        "effective_temperature": solution.value("T", "surface"),
        "central_density": star.density,
        "central_pressure": star.pressure,
        "beta": star.beta,
        "one_minus_beta": one,
        "xi_1": s.xi,
        "mass_constant": s.constant,
        "density_ratio": star.density_ratio,
        "pressure_constant": star.pressure_constant,
        "mass_exponent": 1.0 + 2.0 * star.beta / (4.0 - 3.0 * star.beta),
        "binding_energy": binding,
        "kelvin_helmholtz_time": binding / (1.5 * luminosity),
        "photon_diffusion_time": 3.0
        * p.opacity
        * star.density
        / star.density_ratio
        * (p.radius / np.pi) ** 2
        / C_LIGHT,
    }


def figure(result: Result) -> Figure:
    """Temperature and flow of energy through the star, and the luminosity of stars of other masses."""
    p, solution = result.parameters, result.solution
    drawing = Figure(figsize=(10.0, 4.2), layout="constrained")
    left, right = drawing.subplots(1, 2)
    r = np.asarray(solution.position()) / p.radius
    left.plot(r, np.asarray(solution["T"]) / float(solution.value("T", "centre")), color="C3", label="temperature")
    flow = np.asarray(solution.along("T")) / float(result.answers["luminosity"])
    left.plot(0.5 * (r[1:] + r[:-1]), flow, color="C1", label="flow of energy")
    left.set_xlabel("radius over that of the star")
    left.set_ylabel("over that of the centre, of the surface")
    left.legend()
    masses = np.geomspace(0.1, 100.0, 13)
    shown = [result.system.run({**p.items, "mass": m * SOLAR_MASS, "cells": 101}).answers for m in masses]
    right.loglog(masses, [float(a["luminosity"]) / SOLAR_LUMINOSITY for a in shown], color="C0")
    own = p.mass / SOLAR_MASS
    right.plot([own], [float(result.answers["solar_luminosities"])], "o", color="C3")
    right.set_title(f"here L ~ M$^{{{float(result.answers['mass_exponent']):.3g}}}$", fontsize="medium")
    right.set_xlabel("mass over that of the Sun")
    right.set_ylabel("luminosity over that of the Sun")
    return drawing


SYSTEM = System(
    name="star",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units={
        "luminosity": "W",
        "solar_luminosities": "",
        "temperature_at": "K",
        "energy_flux_at": "W",
        "entropy_production": "W/K",
        "central_temperature": "K",
        "effective_temperature": "K",
        "central_density": "kg/m^3",
        "central_pressure": "Pa",
        "beta": "",
        "one_minus_beta": "",
        "xi_1": "",
        "mass_constant": "",
        "density_ratio": "",
        "pressure_constant": "",
        "mass_exponent": "",
        "binding_energy": "J",
        "kelvin_helmholtz_time": "s",
        "photon_diffusion_time": "s",
    },
    claims=CLAIMS,
    figure=figure,
)
