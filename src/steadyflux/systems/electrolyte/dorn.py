"""Charged particles that settle leave their ions behind and make a voltage: the Dorn effect.

Seeds: D

A sphere with a double layer falls through an electrolyte. The flow drags the cloud of counter-ions back, every particle
becomes a small dipole, and a suspension of them makes an electric field (Dorn 1880). The field in turn moves the
particles, by electrophoresis. Onsager's relation says that the two are one coefficient: the current that a falling
particle carries for each newton is its velocity in a field of one volt per metre.

Equations, of the suspension, with the forces on particles and charge and downwards positive:

    n v = L_11 F + L_12 E           F = (4/3) pi a^3 density_difference g,    n = volume_fraction / ((4/3) pi a^3)
    i   = L_21 F + L_22 E           L_12 = n mobility,    L_22 = conductivity,    L_11 = n / drag
    no field:    i = n mobility F = volume_fraction density_difference g mobility;    no current:    E = -i/conductivity

The coefficients come from the sphere and its double layer: Poisson's and Boltzmann's equation around it at rest, then
the linear equations of ions, flow and field around it (O'Brien and White 1978), solved twice: in a field, which gives
the mobility and so L_12, and under its weight, which gives the drag and, by the dipoles left in the ions, L_21. The two
runs have nothing in common but the sphere; `reciprocity_defect` is the relative difference of L_21 from L_12.
`double_layer = linear` keeps the first order in zeta only (Henry 1931).

`sedimentation_field` is that of the column without current, `current_at_zero_field` of the column whose ends are
short-circuited, where the particles also fall at `settling_velocity`; without current they fall more slowly, at
`settling_velocity_open`. `sedimentation_field_direct` is the field as the dipoles of the falling spheres give it.

What to look for: at a thick double layer Smoluchowski's formula is too large by up to 3/2. At high zeta the ions lag
behind, and the mobility has a maximum. The suspension produces least entropy where no current may flow.

Limits: dilute, spheres of one size, no conduction behind the slipping plane; zeta and charge of the particles the same
everywhere. The conductivity is that of the electrolyte unless given.

Sources: E. Dorn, Ann. Phys. 10 (1880) 46; D. C. Henry, Proc. R. Soc. A 133 (1931) 106; R. W. O'Brien and L. R. White,
J. Chem. Soc. Faraday Trans. 2, 74 (1978) 1607; H. Ohshima, T. W. Healy and L. R. White, same journal 79 (1983) 1613;
H. Ohshima, T. W. Healy, L. R. White and R. W. O'Brien, same journal 80 (1984) 1299; diffusivities of K+ 1.957e-9 and
Cl- 2.032e-9 m^2/s, CRC Handbook; quartz in 0.1 mM KCl, zeta -30 mV, typical value; water at 25 degC, 0.89 mPa s, 78.5.
"""

from __future__ import annotations

from math import gcd
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.ground.constants import FARADAY, G_STANDARD, N_A, R
from steadyflux.ground.errors import InputError
from steadyflux.systems.electrolyte._dorn_claims import CLAIMS
from steadyflux.systems.electrolyte._double_layer import Motion, Sphere, layer_model, motion
from steadyflux.systems.system import Choice, Numbers, Parameter, Result, System, Values

CELLS = 2  # of the column: its two ends, since nothing but the potential changes along the height
FIRST_ORDER = 1e-4  # of k T/e: the zeta at which a first-order answer is computed

PARAMETERS = (
    Parameter("radius", 5e-7, "m", "chosen", low=1e-9, high=1e-4),
    Parameter("zeta", -0.03, "V", "quartz in 0.1 mM KCl, typical value", low=-0.25, high=0.25),
    Parameter("volume_fraction", 0.01, "", "dilute, chosen", low=1e-9, high=0.1),
    Parameter("density_difference", 1650.0, "kg/m^3", "quartz in water", low=-1e4, high=3e4),
    Parameter("salt", 0.1, "mol/m^3", "chosen", low=1e-5, high=3e3),
    Parameter("temperature", 298.15, "K", "25 degC", low=200.0, high=600.0),
    Parameter("viscosity", 8.9e-4, "Pa*s", "water at 25 degC", low=1e-6, high=1e3),
    Parameter("relative_permittivity", 78.5, "", "water at 25 degC", low=1.0, high=1e3),
    Numbers("charges", (1.0, -1.0), "", "of the ions; KCl", low=-8.0, high=8.0),
    Numbers("diffusivities", (1.957e-9, 2.032e-9), "m^2/s", "of the ions; KCl, CRC Handbook", low=1e-14, high=1e-6),
    Numbers("concentrations", (), "mol/m^3", "of the ions; without them one salt of two ions at `salt`", low=0.0),
    Parameter("conductivity", None, "S/m", "of the suspension; without it that of the ions", low=1e-12, high=1e4),
    Parameter("gravity", G_STANDARD, "m/s^2", "standard", low=0.0, high=1e8),
    Parameter("height", 0.1, "m", "of the column, chosen", low=1e-6, high=1e3),
    Choice("double_layer", "full", ("full", "linear"), "full equations, or the first order in zeta"),
)


def _concentrations(p: Values) -> tuple[float, ...]:
    """Concentration of every ion far from the particles, mol/m^3; neutral together."""
    z = p.charges
    if len(z) != len(p.diffusivities):
        raise InputError(f"There are {len(z)} charges but {len(p.diffusivities)} diffusivities; give one for each ion.")
    if not all(x != 0 and float(x).is_integer() for x in z):
        raise InputError("The charges of the ions must be whole numbers other than zero.")
    if p.concentrations:
        if len(p.concentrations) != len(z):
            raise InputError(f"There are {len(z)} charges but {len(p.concentrations)} concentrations.")
        total = sum(a * c for a, c in zip(z, p.concentrations, strict=True))
        size = sum(abs(a) * c for a, c in zip(z, p.concentrations, strict=True))
        if not abs(total) < 1e-9 * size:
            raise InputError(
                f"The ions carry a net charge of {total:g} mol/m^3; choose concentrations that are neutral."
            )
        return tuple(p.concentrations)
    if len(z) != 2 or z[0] * z[1] > 0:
        raise InputError("A salt has one cation and one anion; for a mixture of ions give their concentrations.")
    a, b = (round(abs(x)) for x in z)
    return (p.salt * b / gcd(a, b), p.salt * a / gcd(a, b))


def sphere_of(p: Values) -> Sphere:
    """The particle and its electrolyte; to first order with a zeta so small that the second makes no difference."""
    zeta = p.zeta
    if p.double_layer == "linear":
        zeta = FIRST_ORDER * R * p.temperature / FARADAY
    c = _concentrations(p)
    return Sphere(
        p.radius, zeta, p.relative_permittivity, p.viscosity, p.temperature, p.charges, c, tuple(p.diffusivities)
    )


def _conductivity(p: Values) -> float:
    ions = zip(p.charges, _concentrations(p), p.diffusivities, strict=True)
    return sum(_of_ion(p, *ion) for ion in ions) if p.conductivity is None else p.conductivity


def _of_ion(p: Values, z: float, c: float, D: float) -> float:
    return z * z * FARADAY**2 * c * D / (R * p.temperature)


class Particle:
    """What the two disturbed layers say of one particle, SI."""

    def __init__(self, p: Values) -> None:
        sphere = sphere_of(p)
        self.sphere = sphere
        self.layer = sf.steady(layer_model(sphere))
        self.in_field: Motion = motion(sphere, self.layer, 1.0, 0.0)
        self.falling: Motion = motion(sphere, self.layer, 0.0, 1.0)
        linear = p.double_layer == "linear"
        scale = p.zeta / sphere.zeta if linear else 1.0
        self.mobility = scale * self.in_field.speed * sphere.unit_mobility
        self.stokes = 2.0 * p.radius**2 * p.density_difference * p.gravity / (9.0 * p.viscosity)
        self.hindrance = 1.0 if linear else self.falling.speed
        own = [_of_ion(p, *i) for i in zip(p.charges, sphere.concentrations, p.diffusivities, strict=True)]
        # n (-4 pi) sum of K_i d_i, d_i in radii cubed times the field stokes / unit_mobility.
        carried = -3.0 * p.volume_fraction * float(np.dot(own, self.falling.dipoles)) / sphere.unit_mobility
        self.current_for_velocity = scale * carried
        self.charge = scale * float(self.layer.flow("phi", "wall"))


def column(p: Values, particle: Particle, shorted: bool) -> sf.Model:
    """The falling suspension between two electrodes, particles fed at the top as they leave at the bottom."""
    volume = 4.0 / 3.0 * np.pi * p.radius**3
    c = p.volume_fraction / (volume * N_A)
    weight = volume * p.density_difference * p.gravity * N_A
    diffusivity = R * p.temperature / (N_A * 6.0 * np.pi * p.viscosity * p.radius) * particle.hindrance
    bottom = {"particles": c} | ({"phi": 0.0} if shorted else {})
    return sf.Model(
        sf.interval(p.height, cells=CELLS, names=("top", "bottom")),
        quantities=[sf.Species("particles", external="energy"), sf.Potential()],
        laws=[sf.Electrokinetic("particles", diffusivity, particle.mobility, _conductivity(p))],
        boundaries=[sf.Hold("top", {"particles": c, "phi": 0.0}), sf.Hold("bottom", bottom)],
        given={"energy": lambda z: -weight * z, "T": p.temperature},
        start={"particles": c, "phi": 0.0},
    )


def model(p: Values) -> sf.Model:
    """The column without current."""
    return column(p, Particle(p), shorted=False)


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """Field, current and velocities of the column, and what the particle's double layer says."""
    particle = Particle(p)
    shorted = sf.steady(column(p, particle, shorted=True))
    c = float(shorted["particles"][0])
    sphere, conductivity = particle.sphere, _conductivity(p)
    direct = particle.current_for_velocity * particle.stokes
    mirrored = p.volume_fraction * p.density_difference * p.gravity * particle.mobility
    size = max(abs(direct), abs(mirrored))
    return {
        "sedimentation_field": (solution.value("phi", "top") - solution.value("phi", "bottom")) / p.height,
        "sedimentation_field_direct": -direct / conductivity,
        "voltage": solution.value("phi", "top") - solution.value("phi", "bottom"),
        "current_at_zero_field": shorted.flow("phi", "top"),
        "settling_velocity": shorted.flow("particles", "top") / c,
        "settling_velocity_open": solution.flow("particles", "top") / c,
        "stokes_velocity": particle.stokes,
        "mobility": particle.mobility,
        "mobility_over_smoluchowski": particle.in_field.speed / (sphere.zeta / sphere.thermal) if p.zeta else 0.0,
        "kappa_a": sphere.kappa * p.radius,
        "conductivity": conductivity,
        "particle_charge": particle.charge,
        "entropy_production": solution.entropy.production / p.height,
        "entropy_production_shorted": shorted.entropy.production / p.height,
        "reciprocity_defect": abs(direct - mirrored) / size if size else 0.0,
    }


UNITS = {
    **dict.fromkeys(("sedimentation_field", "sedimentation_field_direct"), "V/m"),
    **dict.fromkeys(("settling_velocity", "settling_velocity_open", "stokes_velocity"), "m/s"),
    **dict.fromkeys(("mobility_over_smoluchowski", "kappa_a", "reciprocity_defect"), ""),
    **dict.fromkeys(("entropy_production", "entropy_production_shorted"), "W/(K*m^3)"),
    "voltage": "V",
    "current_at_zero_field": "A/m^2",
    "mobility": "m^2/(V*s)",
    "conductivity": "S/m",
    "particle_charge": "C",
}


def figure(result: Result) -> Figure:
    """The double layer and the ions that the falling particle displaces; the mobility against zeta."""
    p = result.parameters
    particle = Particle(p)
    sphere = particle.sphere
    drawing = Figure(figsize=(9.6, 4.2), layout="constrained")
    left, right = drawing.subplots(1, 2)
    x = (sphere.nodes - 1.0) * p.radius * sphere.kappa
    near = x < 12.0
    scale = p.zeta / sphere.zeta if sphere.zeta else 1.0
    left.plot(x[near], 1e3 * scale * np.asarray(particle.layer["phi"])[near], color="C0", label="potential at rest, mV")
    for number, z in enumerate(p.charges, 1):
        f = np.asarray(particle.falling.solution[f"f{number}"])
        top = max(float(np.max(np.abs(f))), 1e-300)
        label = f"ions of charge {z:+g}, falling (scaled)"
        left.plot(x[near], 1e3 * abs(p.zeta) * f[near] / top, ("--", ":", "-.")[number % 3], linewidth=2, label=label)
    left.set(xlabel="distance from the surface, Debye lengths", ylabel="potential, mV")
    left.legend(fontsize="small")
    zetas = np.sign(p.zeta or 1.0) * np.linspace(2e-3, max(0.15, abs(p.zeta)), 25)
    found = []
    for zeta in zetas:
        one = sphere._replace(zeta=float(zeta))
        found.append(motion(one, sf.steady(layer_model(one)), 1.0, 0.0).speed * one.unit_mobility)
    right.plot(1e3 * zetas, 1e8 * np.asarray(found), color="C0", label="full equations")
    first = found[0] / zetas[0]
    right.plot(1e3 * zetas, 1e8 * first * zetas, "--", color="0.5", label="first order (Henry)")
    plain = 1e8 * zetas * sphere.unit_mobility / sphere.thermal
    right.plot(1e3 * zetas, plain, ":", color="C3", label="Smoluchowski")
    right.plot(1e3 * p.zeta, 1e8 * particle.mobility, "o", color="C0", label="this run")
    right.set(xlabel="zeta, mV", ylabel="mobility, $10^{-8}$ m$^2$/(V s)")
    right.set_title(f"$\\kappa a$ = {sphere.kappa * p.radius:.3g}", fontsize="medium")
    right.legend(fontsize="small")
    return drawing


SYSTEM = System(
    name="dorn",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
)
