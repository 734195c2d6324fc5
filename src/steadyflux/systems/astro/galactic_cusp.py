"""A cusp of stars around a massive black hole: relaxation feeds stars to the hole, and their density settles.

Seeds: A

Stars pass each other near a black hole that binds them and change each other's energies a little each time. They
diffuse in energy, some of them down to orbits so tight that the hole (or a collision) takes them. New ones come from
the unbound stars of the galaxy. What settles is a cusp of density, and a steady stream of stars into the hole.

Equations (Bahcall and Wolf 1976; several masses 1977), in x = binding energy over sigma^2, with f = n (2 pi
sigma^2)^(-3/2) g(x) the stars per volume of phase space and t in units of t_ref:

    dg/dt = -x^(5/2) dQ/dx,     Q_M = A_M g_M - D dg_M/dx,     D = sum m'^2 (I' / x^(3/2) + J'),  A_M = 3/2 m sum m' K'
    I' = integral of g' up to x,  J' = integral of y^(-3/2) g' beyond x,  K' = integral of y^(-5/2) g' beyond x
    unbound stars (x < 0)       g_M = C_M exp(m x) in equipartition, else C_M exp(x)
    sink                        g_M(x_D) = 0
    t_ref = 3 (2 pi sigma^2)^(3/2) / (32 pi^2 (G m)^2 n lnLambda),      r_h = G M / sigma^2
    stars taken per time        dN/dt = Q pi^(3/2) / 2 n r_h^3 / t_ref
    density                     n(r) = 2 / sqrt(pi) n integral of g sqrt(r_h / r - x) dx

The three integrals are the pull and the kicks that a star gets from all others; they make the equation nonlinear and
of integrals over the whole axis.

What to look for: g rises as x^(1/4), so the density as r^(-7/4), over decades between the hole's reach r_h and the
sink. This power law is often called the one of constant flux of stars. It is not: the 7/4 law is the zero-particle-flux
power law (drift and diffusion cancel for g = x^p where 1/(1+p) = p / ((3/2 - p)(1/2 - p)), p = 1/4), at which a flux of
energy outward remains. The real flux of stars is what the sink leaves over, Q of about 9 / x_D, far below each of the
two flows that it is the difference of; a constant flux of stars alone would give the power 3/4, where the integrals
diverge. Light stars among heavier ones that dominate follow g = x^(m / 4 m_heavy): their cusp is flatter, down to
r^(-3/2).

In time (from bound orbits filled as the unbound ones are, g = C): the orbits at the sink empty, the cusp grows inwards,
and the flux overshoots and settles within a few t_ref. `relaxation_time` is the time in which the slowest disturbance
of the steady cusp falls by e (of one mass it swings while it falls).

Answers that end in `_2` belong to the second mass. `profile`, `slope` are g and d ln g / d ln x at the `energies`;
`density` (over n) and `density_slope` at the `radii` (over r_h).

Limits: isotropic orbits (no loss cone in angular momentum, Cohn and Kulsrud 1978), the hole's potential alone, unbound
stars that never run out.

Sources: Bahcall and Wolf, ApJ 209, 214 (1976) and 216, 883 (1977); Keshet, Hopman and Alexander, ApJ 698, L64 (2009)
for light stars; Rom, Linial and Sari (2023, arXiv 2306.01091) for the zero flux; defaults of the globular cluster M15
with a hole of 1000 solar masses as those papers had it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from steadyflux.ground.arithmetic import is_traced
from steadyflux.ground.constants import G_NEWTON, PARSEC, SOLAR_MASS
from steadyflux.ground.errors import InputError
from steadyflux.model.conditions import Exchange, Hold, Influx
from steadyflux.model.model import Model
from steadyflux.model.solution import Solution
from steadyflux.physics.kinetic import FokkerPlanck, Leaves, RunningIntegral
from steadyflux.physics.quantity import Population, Quantity
from steadyflux.space.interval import axis
from steadyflux.systems.astro._cusp_claims import CLAIMS as STATED
from steadyflux.systems.astro._energy import EnergyAxis, Profile, Size, States, Weighted
from steadyflux.systems.astro._relaxation import slowest_rate
from steadyflux.systems.system import Choice, Claim, Comparison, Numbers, Parameter, Result, System, Values

LOWEST = 1e-8  # energy where the axis begins: g differs from the unbound stars' by less than its square there
MOST = 2  # masses

PARAMETERS = (
    Numbers("masses", (1.0,), "", "stellar masses over `star_mass`; one kind", low=1e-3, high=1e3),
    Numbers("abundances", (1.0,), "", "C of each mass: its unbound stars over `star_density`", low=0.0, high=1e6),
    Choice("equipartition", "yes", ("yes", "no"), "unbound stars of all masses: equal energies, or equal speeds"),
    Parameter("sink_energy", 1e4, "", "x_D, typical of disruption by the hole", low=10.0, high=1e12),
    Parameter("hole_mass", 1000.0 * SOLAR_MASS, "kg", "a hole in M15 as Bahcall and Wolf had it", low=1e20, high=1e45),
    Parameter("star_mass", 0.7 * SOLAR_MASS, "kg", "typical of an old cluster", low=1e20, high=1e40),
    Parameter("velocity_dispersion", 1e4, "m/s", "one-dimensional, 10 km/s, typical of M15", low=1.0, high=1e7),
    Parameter("star_density", 5e4 / PARSEC**3, "1/m^3", "5e4 per cubic parsec, typical", low=1e-70, high=1e-20),
    Parameter("coulomb_logarithm", 7.0, "", "ln of 0.4 times the number of stars, typical", low=0.1, high=100.0),
    Numbers("energies", (0.3, 3.0, 30.0, 300.0, 3000.0), "", "chosen, x below `sink_energy`", low=1e-6, high=1e12),
    Numbers("radii", (1.0, 0.1, 0.01, 0.001), "", "chosen, over r_h", low=1e-12, high=1e3),
    Parameter("cells", 801.0, "", "800 steps of the energy axis", low=21.0, high=20001.0, whole=True),
)


class Encounters(FokkerPlanck):
    """Drift and diffusion in energy by encounters with the stars of all masses: Q = A g - D dg/dx, in steps of u."""

    energy: EnergyAxis = eqx.field(kw_only=True)
    mass: Any = eqx.field(kw_only=True)

    def coefficients(self, here: Any, x: Any) -> tuple[Any, Any]:
        """Drift A and diffusion D du/dx at the coordinate."""
        at, rate = self.energy.x(x), self.energy.rate(x)
        return 1.5 * self.mass * here["drag"], (here["inside"] * at**-1.5 + here["outside"]) / (at * rate)


class Kinds:
    """The kinds of stars: names, masses, abundances, and how g rises with x among the unbound and the first bound."""

    def __init__(self, p: Values) -> None:
        self.masses, self.abundances = tuple(p.masses), tuple(p.abundances)
        if not 1 <= len(self.masses) <= MOST or len(self.masses) != len(self.abundances):
            raise InputError("Give one or two masses and as many abundances.")
        if not is_traced(*self.abundances) and not all(c > 0 for c in self.abundances):
            raise InputError("Each kind of star needs an abundance above zero; leave out a mass that is absent.")
        count = len(self.masses)
        self.stars = tuple("stars" if k == 0 else f"stars_{k + 1}" for k in range(count))
        self.flows = tuple("flow" if k == 0 else f"flow_{k + 1}" for k in range(count))
        self.unbound = self.masses if p.equipartition == "yes" else (1.0,) * count
        self.squares = tuple(m * m for m in self.masses)
        self.weight = sum(s * c for s, c in zip(self.squares, self.abundances, strict=True))
        self.pull = sum(m * c for m, c in zip(self.masses, self.abundances, strict=True))
        self.inside = sum(s * c / a for s, c, a in zip(self.squares, self.abundances, self.unbound, strict=True))

    def at(self, x: Any) -> tuple[Any, ...]:
        """g of each kind just inside x = 0, where D g' = A g with the integrals of the unbound stars alone."""
        return tuple(
            c * jnp.exp(m * self.pull / self.inside * x) for m, c in zip(self.masses, self.abundances, strict=True)
        )


def reference_time(p: Values) -> Any:
    """t_ref, s."""
    spread = (2.0 * np.pi * p.velocity_dispersion**2) ** 1.5
    kick = (G_NEWTON * p.star_mass) ** 2 * p.star_density * p.coulomb_logarithm
    return 3.0 * spread / (32.0 * np.pi**2 * kick)


def reach(p: Values) -> Any:
    """r_h, m."""
    return G_NEWTON * p.hole_mass / p.velocity_dispersion**2


def energy_axis(p: Values) -> EnergyAxis:
    """The axis that ends at the sink."""
    return EnergyAxis(jnp.log(p.sink_energy) if is_traced(p.sink_energy) else float(np.log(p.sink_energy)))


def model(p: Values) -> Model:
    """Stars of each mass on the energy axis, their net flows, and the three integrals that couple all energies."""
    return _model(p, Kinds(p).flows)


def in_time(p: Values) -> Model:
    """The same with the flows computed from the stars: of a steady cusp they would be lost in rounding at low energies,
    on the way there they are what the equation in time is integrated from."""
    return _model(p, ())


def _model(p: Values, flows: tuple[str, ...]) -> Model:
    kinds, energy = Kinds(p), energy_axis(p)
    low = energy.u(LOWEST)
    low = low if is_traced(low) else float(low)
    first = kinds.at(LOWEST)

    integrals = _integrals(kinds, energy)
    time = reference_time(p)
    quantities = [Population(name, capacity=States(energy, time)) for name in kinds.stars]
    quantities += [Quantity(name, "number", capacity=0.0) for name in flows]
    quantities += [Population(one.name, capacity=0.0) for one in integrals]
    laws = [
        Encounters(star, integrals=integrals, current=flow, energy=energy, mass=mass)
        for star, flow, mass in zip(kinds.stars, flows or (None,) * len(kinds.stars), kinds.masses, strict=True)
    ]
    space = axis(low, energy.end, p.cells, coordinate="u")
    return Model(
        space,
        quantities=quantities,
        laws=[*laws, *integrals],
        boundaries=[
            Hold("low", dict(zip(kinds.stars, first, strict=True)) | dict.fromkeys(flows, 0.0)),
            Hold("high", dict.fromkeys(kinds.stars, 0.0)),
            Influx("low", {"inside": kinds.inside + kinds.weight * LOWEST}),
            *(_outlet(one, low, energy.end) for one in integrals),
        ],
        start={n: v for n, v in _start(p, kinds, energy, space).items() if n not in kinds.flows or n in flows},
    )


def _integrals(kinds: Kinds, energy: EnergyAxis) -> tuple[RunningIntegral, ...]:
    def integral(name: str, weights: tuple[Any, ...], power: float, since: str) -> RunningIntegral:
        size = Size(energy, min(power + 1.0, 0.0), power + 1.25)
        integrand = Weighted(energy, weights, power, kinds.stars)
        return RunningIntegral(name=name, integrand=integrand, of=kinds.stars, since=since, size=size)

    return (
        integral("inside", kinds.squares, 0.0, "low"),
        integral("outside", kinds.squares, -1.5, "high"),
        integral("drag", kinds.masses, -2.5, "high"),
    )


def _outlet(one: RunningIntegral, low: Any, high: Any) -> Exchange:
    place, at = ("high", high) if one.since == "low" else ("low", low)
    size = one.size(at)
    return Exchange(place, Leaves(one.name, size if is_traced(size) else float(size)), {one.name: 0.0})


def _start(p: Values, kinds: Kinds, energy: EnergyAxis, space: Any) -> dict[str, Any]:
    """Bound orbits as full as the unbound ones, with the integrals that belong to that."""
    u = jnp.asarray(space.position)
    x, step = energy.x(u), u[1] - u[0]
    full = jnp.ones_like(x).at[-1].set(0.0)
    start: dict[str, Any] = {name: c * full for name, c in zip(kinds.stars, kinds.abundances, strict=True)}
    start |= {name: 9.0 * c / p.sink_energy for name, c in zip(kinds.flows, kinds.abundances, strict=True)}
    share = step * energy.rate(u) * full
    start["inside"] = kinds.inside + kinds.weight * jnp.cumsum(share * x)
    start["outside"] = kinds.weight * jnp.cumsum((share * x**-0.5)[::-1])[::-1]
    start["drag"] = kinds.pull * jnp.cumsum((share * x**-1.5)[::-1])[::-1]
    start |= {one.name: start[one.name] / one.size(u) for one in _integrals(kinds, energy)}
    return start if is_traced(*start.values()) else {name: np.asarray(value) for name, value in start.items()}


def profile(p: Values, solution: Solution, kind: int = 0) -> Profile:
    """g of one kind between the cells."""
    kinds = Kinds(p)
    return Profile(energy_axis(p), jnp.asarray(solution.position()), solution[kinds.stars[kind]])


def answers(p: Values, solution: Solution) -> dict[str, Any]:
    """Profile, slopes and density of each kind, and its flux into the sink, bare and in stars per time."""
    kinds = Kinds(p)
    energies, radii = jnp.asarray(p.energies), jnp.asarray(p.radii)
    if not is_traced(p.items) and max(p.energies) >= p.sink_energy:
        raise InputError(f"The energy {max(p.energies):g} lies beyond the sink at {p.sink_energy:g}, where no star is.")
    time, size = reference_time(p), reach(p)
    rate = 0.5 * np.pi**1.5 * p.star_density * size**3 / time
    found: dict[str, Any] = {}
    for k, name in enumerate(kinds.stars):
        end = "" if k == 0 else f"_{k + 1}"
        g = profile(p, solution, k)
        density, slope = g.density(radii, kinds.abundances[k], kinds.unbound[k])
        flux = -solution.flow(name, "high")
        found |= {
            "profile" + end: g(energies),
            "slope" + end: g.slope(energies),
            "density" + end: density,
            "density_slope" + end: slope,
            "star_flux" + end: flux,
            "scaled_flux" + end: flux * p.sink_energy,
            "consumption_rate" + end: rate * flux,
        }
    if solution.rate is None and not is_traced(p.items) and not solution.traced:
        found["relaxation_time"] = 1.0 / slowest_rate(solution.model, solution.state).real
    return found | {"reference_time": time, "reach": size}


def figure(result: Result) -> Figure:
    """g over the energy with its slope, and the density over the radius."""
    p, solution = result.parameters, result.solution
    kinds, energy = Kinds(p), energy_axis(p)
    x = np.asarray(energy.x(jnp.asarray(solution.position())))
    drawing = Figure(figsize=(10.0, 4.4), layout="constrained")
    left, right = drawing.subplots(1, 2)
    radii = np.geomspace(3.0 / p.sink_energy, 30.0, 200)
    shown = (x > 1e-3) & (x < p.sink_energy)
    for k, name in enumerate(kinds.stars):
        label = f"mass {p.masses[k]:g}"
        left.loglog(x[shown], np.asarray(solution[name])[shown], color=f"C{k}", label=label)
        density = profile(p, solution, k).density(radii, kinds.abundances[k], kinds.unbound[k])[0]
        right.loglog(radii, np.asarray(density), color=f"C{k}", label=label)
    heaviest = int(np.argmax(p.masses))
    inner = np.geomspace(10.0, 0.03 * p.sink_energy, 2) if p.sink_energy > 1e3 else np.array([1.0, 10.0])
    level = float(profile(p, solution, heaviest)(jnp.asarray(inner[:1]))[0])
    left.loglog(inner, 1.25 * level * (inner / inner[0]) ** 0.25, "--", color="0.5", label="$x^{1/4}$")
    left.set_xlabel("binding energy over $\\sigma^2$, $x$")
    left.set_ylabel("stars per volume of phase space, $g$")
    flux = float(np.asarray(result.answers["scaled_flux"]))
    left.set_title(f"flux into the sink: $Q\\,x_D$ = {flux:.5g}", fontsize="medium")
    left.legend()
    some = np.geomspace(10.0 / p.sink_energy, 0.1, 2)
    count = profile(p, solution, heaviest).density(some, kinds.abundances[heaviest], kinds.unbound[heaviest])[0]
    right.loglog(some, 1.6 * float(count[1]) * (some / some[1]) ** -1.75, "--", color="0.5", label="$r^{-7/4}$")
    right.set_xlabel("radius over $G M / \\sigma^2$")
    right.set_ylabel("density over that of the unbound stars")
    rate = float(np.asarray(result.answers["consumption_rate"])) * 365.25 * 86400.0
    right.set_title(f"the hole takes {rate:.3g} stars a year", fontsize="medium")
    right.legend()
    return drawing


_PER_KIND = {
    "profile": "",
    "slope": "",
    "density": "",
    "density_slope": "",
    "star_flux": "",
    "scaled_flux": "",
    "consumption_rate": "1/s",
}


def _encounters(run: Callable[..., Result]) -> list[Comparison]:
    """The flux of each mass at energies over four decades by Bahcall and Wolf's double form, which has no integral over
    parts: m sum m' integral of max(x, y)^(-3/2) [g(x) g'_M'(y) - (m'/m) g_M'(y) g'(x)] dy."""
    masses, abundances = (1.0, 3.0), (1.0, 0.02)
    found = run(masses=masses, abundances=abundances, sink_energy=1e4, equipartition="no")
    kinds = [profile(found.parameters, found.solution, k) for k in (0, 1)]
    point, weight = np.polynomial.legendre.leggauss(24)
    comparisons = []
    for x in (0.5, 5.0, 50.0, 500.0, 5000.0):
        below, above = np.linspace(np.log(LOWEST), np.log(x), 81), np.linspace(0.0, 1.0, 81)
        ends = np.concatenate([np.exp(below), (x + (1e4 - x) * above**2)[1:]])
        middle, half = 0.5 * (ends[1:] + ends[:-1]), 0.5 * (ends[1:] - ends[:-1])
        y = jnp.asarray((middle[:, None] + half[:, None] * point).ravel())
        dy = (half[:, None] * weight).ravel() * np.maximum(np.asarray(y), x) ** -1.5
        for k, m in enumerate(masses):
            here = float(kinds[k](jnp.asarray(x)))
            rise = here * float(kinds[k].slope(jnp.asarray(x))) / x
            flux = 0.0
            for j, other in enumerate(masses):
                g = np.asarray(kinds[j](y))
                dg = g * np.asarray(kinds[j].slope(y)) / np.asarray(y)
                # The unbound ones of that kind: integral of C exp(y) and of its slope over y < 0, both C.
                count = float(dy @ g) + abundances[j] * x**-1.5
                gain = float(dy @ dg) + abundances[j] * x**-1.5
                flux += m * other * (here * gain - other / m * count * rise)
            expected = float(found.answers["star_flux" if k == 0 else "star_flux_2"])
            scale = here * abundances[0] * x**-1.5
            comparisons.append(Comparison(flux, expected, 1e-4, 2e-6 * scale))
    return comparisons


CLAIMS = (
    *STATED,
    Claim("the sum over encounters of two masses is the same flux at every energy", "double form of 1977", _encounters),
)

SYSTEM = System(
    name="galactic_cusp",
    parameters=PARAMETERS,
    model=model,
    in_time=in_time,
    answers=answers,
    units={
        **_PER_KIND,
        **{f"{name}_2": unit for name, unit in _PER_KIND.items()},
        "relaxation_time": "s",
        "reference_time": "s",
        "reach": "m",
    },
    claims=CLAIMS,
    figure=figure,
)
