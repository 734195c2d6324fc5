"""Particles that settle and diffuse in a closed column: two large fluxes that cancel, hence equilibrium.

Seeds: A

Gravity drags suspended particles down, diffusion drives them back up. In a closed column they come to rest in a profile
where at every height both fluxes are equal and opposite. Nothing flows, no entropy is produced: a steady state that is
equilibrium. Perrin counted such particles under the microscope and so found Avogadro's number.

Equations

    J = -D dc/dz - v c = 0,    D = k T / (6 pi eta a),    v = D m g / k T,    m g = (4/3) pi a^3 drho g
    c(z) = c(0) e^(-z/l),      l = k T / (m g)                      (the barometric law; l is the scale height)
    c / c_mean at the bottom = Pe / (1 - e^-Pe),    Pe = H / l

With `crowding` the chemical potential of the particles is that of hard spheres (Carnahan and Starling 1969): at volume
fraction phi, ln gamma = (8 phi - 9 phi^2 + 3 phi^3) / (1 - phi)^3. Crowded particles push each other up; the profile is
then flatter. Both fluxes at mid-height are given per mean concentration, in m/s; upwards is positive.

From an even suspension the column settles into that profile (Mason and Weaver 1924); profile_at gives it at `times`.
`approach` is the rate at which the last disturbance of the equilibrium dies away, D [(pi / H)^2 + (1 / 2 l)^2] where
the particles are dilute: diffusion over the whole height in a low column, in a high one the fall through two scale
heights, whatever the height.

What to look for: `drift_flux` and `diffusion_flux` are large, their sum, the net flux, is zero to rounding on every
edge of the mesh, and the regime is "equilibrium", not "steady nonequilibrium".

Limits: equal spheres, a dilute viscosity in D (it does not matter at equilibrium); crowding up to freezing, a volume
fraction of about 0.49. A particle lighter than the liquid has a negative density difference and gathers at the top; its
scale height and Peclet number are negative. Concentrations below 1e-30 of the largest count as nothing.

Sources: J. Perrin, Ann. Chim. Phys. 18 (1909) 5: gamboge of radius 0.212 um, counts 100, 47, 22.6, 12 at the heights 5,
35, 65, 95 um, Avogadro's number 7.05e23; density difference 207 kg/m^3 (typical of his emulsions); M. Mason and
W. Weaver, Phys. Rev. 23 (1924) 412; N. F. Carnahan and K. E. Starling, J. Chem. Phys. 51 (1969) 635.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

import steadyflux as sf
from steadyflux.ground.arithmetic import array_module, is_traced
from steadyflux.ground.constants import K_B, N_A, R
from steadyflux.ground.errors import InputError
from steadyflux.solve.chain import decay_rates
from steadyflux.systems.system import Choice, Claim, Comparison, Numbers, Parameter, Result, System, Values

FRACTIONS = (0.0, 0.25, 0.5, 0.75, 1.0)
NEAR = 36.0  # scale heights within which the particles are resolved: e^-36 is below rounding
EVEN = (400, 2000, 20_000, 200_000)  # steps of the even mesh for the rates, at most a twentieth of a scale height
STEPS = (600, 100, 200)  # from the crowded end: graded, up to mid-height, beyond
BOTTOM_MESH = 3.0  # steps grow as e^(z / 3 l): that spreads the error of the total evenly

PARAMETERS = (
    Parameter("radius", 0.212e-6, "m", "gamboge, Perrin 1909", low=1e-10, high=1e-3),
    Parameter("density_difference", 207.0, "kg/m^3", "gamboge in water, typical of Perrin 1909", low=-3e4, high=3e4),
    Parameter("temperature", 293.0, "K", "20 degC", low=1.0, high=5000.0),
    Parameter("viscosity", 1e-3, "Pa*s", "water at 20 degC", low=1e-7, high=1e7),
    Parameter("height", 1e-4, "m", "Perrin's trough, 0.1 mm", low=1e-9, high=1e3),
    Parameter("gravity", 9.81, "m/s^2", "chosen; a centrifuge has more", low=0.0, high=1e8),
    Parameter("volume_fraction", 1e-3, "", "dilute, chosen", low=1e-15, high=0.49),
    Numbers("times", (), "s", "none", low=0.0),
    Choice("crowding", "no", ("no", "yes"), "dilute"),
)


class HardSpheres(sf.Phase):
    """Hard spheres: excess free energy phi (4 - 3 phi) / (1 - phi)^2 per particle (Carnahan and Starling 1969).

    ``volume`` is that of a mole of particles, m^3/mol.
    """

    volume: Any

    def excess(self, c: Mapping[str, Any], charges: Mapping[str, int], T: Any) -> Any:
        """Excess free-energy density over R T, mol/m^3."""
        total = sum(c.values())
        phi = total * self.volume
        return total * phi * (4.0 - 3.0 * phi) / (1.0 - phi) ** 2


def _weight(p: Values) -> Any:
    """Weight less buoyancy of a mole of particles, N/mol."""
    return _molar_volume(p) * p.density_difference * p.gravity


def _molar_volume(p: Values) -> Any:
    return N_A * 4.0 / 3.0 * np.pi * p.radius**3


def _diffusivity(p: Values) -> Any:
    return K_B * p.temperature / (6.0 * np.pi * p.viscosity * p.radius)


def _nodes(p: Values) -> Any:
    """Nodes from the end where the particles gather, finest there, with one at mid-height; counted from the bottom."""
    xp = array_module(p.items)
    peclet = xp.maximum(xp.abs(_weight(p) * p.height / (R * p.temperature)), 1e-3)
    near = xp.minimum(0.4, NEAR / peclet)  # share of the height
    middle, last = (np.arange(1, n + 1) / n for n in STEPS[1:])
    rise = near * peclet / BOTTOM_MESH
    graded = -BOTTOM_MESH / peclet * xp.log1p(xp.expm1(-rise) * np.arange(STEPS[0] + 1) / STEPS[0])
    up = xp.concatenate([graded[:-1], near + 0.0 * graded[-1:], near + (0.5 - near) * middle, 0.5 + 0.5 * last])
    sinking = p.density_difference >= 0
    return p.height * xp.where(sinking, up, (1.0 - up)[::-1])


def model(p: Values) -> sf.Model:
    """The closed column: nothing enters or leaves, so that the mean concentration stays what it was."""
    if not is_traced(p.items):
        peclet = abs(_weight(p) * p.height / (R * p.temperature))
        if peclet > 1e4:
            raise InputError(
                f"The column is {peclet:.3g} scale heights high: all particles lie at one end; choose a lower column."
            )
    return _column(p, _nodes(p))


def _column(p: Values, nodes: Any) -> sf.Model:
    weight = _weight(p)
    return sf.Model(
        space=sf.interval(nodes=nodes, names=("bottom", "top")),
        quantities=[sf.Species("particles", _diffusivity(p), external="potential energy")],
        laws=[sf.NernstPlanck()],
        phase=HardSpheres(_molar_volume(p)) if p.crowding == "yes" else None,
        temperature=p.temperature,
        given={"potential energy": lambda z: weight * z},
        start={"particles": p.volume_fraction / _molar_volume(p)},
    )


def _log_activity(p: Values, solution: sf.Solution) -> Any:
    """ln(gamma c) in every cell, from the potential conjugate to the particles' flux."""
    y = solution.books.conjugate[: solution.model.cells, 0]
    return -y / R - jnp.asarray(solution["potential energy"]) / (R * p.temperature)


def _slope(x: Any, y: Any, at: int) -> Any:
    """Derivative at a node of the parabola through it and its two neighbours."""
    left, right = x[at] - x[at - 1], x[at + 1] - x[at]
    below, above = (y[at] - y[at - 1]) / left, (y[at + 1] - y[at]) / right
    return (below * right + above * left) / (left + right)


def _settling(p: Values) -> list[list[float]]:
    """Profiles over the mean at `times`, from an even suspension, (time, fraction of the height)."""
    column = model(p)
    last = max(p.times)
    if last == 0.0:
        return [[1.0] * len(FRACTIONS)] * len(p.times)
    history = sf.evolve(column, until=last, rtol=1e-7)
    z, mean = np.asarray(column.space.position), p.volume_fraction / float(_molar_volume(p))
    at = np.array(FRACTIONS) * p.height
    return [np.interp(at, z, history.values("particles", [t])[0] / mean).tolist() for t in p.times]


def _approach(p: Values, solution: sf.Solution) -> float:
    """Slowest rate about the equilibrium, 1/s. The shape of what decays reaches up to where next to nothing is left."""
    peclet = abs(float(_weight(p) * p.height / (R * p.temperature)))
    steps = next(n for n in EVEN if n >= 20.0 * peclet or n == EVEN[-1])
    z = np.linspace(0.0, p.height, steps + 1)
    log_c = np.log(np.maximum(np.asarray(solution["particles"]), 1e-300))
    c = np.exp(np.interp(z, np.asarray(solution.position()), log_c))
    return float(decay_rates(_column(p, z), c, 2)[1])  # the first is that of the total, zero


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """Profile over the mean, scale height, the two fluxes at mid-height and what is left of them."""
    z, c, log_activity = jnp.asarray(solution.position()), solution["particles"], _log_activity(p, solution)
    mean = p.volume_fraction / _molar_volume(p)
    sinking = is_traced(p.items) or p.density_difference >= 0
    # The graded part, where next to all particles are; the node at mid-height.
    ends = (0, STEPS[0]) if sinking else (sum(STEPS) - STEPS[0], sum(STEPS))
    half = STEPS[0] + STEPS[1] if sinking else STEPS[2]
    fall = log_activity[ends[0]] - log_activity[ends[1]]
    scale_height = jnp.where(fall == 0.0, jnp.inf, (z[ends[1]] - z[ends[0]]) / jnp.where(fall == 0.0, 1.0, fall))
    D = _diffusivity(p)
    drift = -D * _weight(p) / (R * p.temperature) * c[half]
    # Where nothing is left at mid-height nothing diffuses either.
    slope = jnp.where(c[half] > 0.0, _slope(z, jnp.where(c > 0.0, log_activity, 0.0), half), 0.0)
    net = jnp.max(jnp.abs(solution.along("particles")))
    log_profile = jnp.log(jnp.maximum(c / mean, 1e-300))
    profile = jnp.exp(jnp.interp(jnp.asarray(FRACTIONS) * p.height, z, log_profile))
    later: dict[str, Any] = {"profile_at": _settling(p)} if p.times and not is_traced(p.items) else {}
    if solution.rate is None and not is_traced(p.items):
        later["approach"] = _approach(p, solution)
    return later | {
        "profile": profile,
        "scale_height": scale_height,
        "peclet": p.height / scale_height,
        "halving_height": jnp.log(2.0) * scale_height,
        "net_flux": net / mean,
        "drift_flux": drift / mean,
        "diffusion_flux": -D * c[half] * slope / mean,
        "mean_height": jnp.sum(jnp.asarray(solution.model.space.volume) * c * z) / solution.total("particles"),
        "regime": solution.regime,
    }


UNITS = {
    "profile": "",
    "profile_at": "",
    "scale_height": "m",
    "peclet": "",
    "halving_height": "m",
    "net_flux": "m/s",
    "drift_flux": "m/s",
    "diffusion_flux": "m/s",
    "mean_height": "m",
    "approach": "1/s",
    "regime": "",
}

Run = Callable[..., Result]

# Independent reference computations (closed forms; the crowded column by the balance of pressure), accuracy 1e-9.
GAMBOGE = {
    "scale_height": 4.991319358297423e-05,
    "peclet": 2.0034782954483354,
    "drift_flux": -1.7248435919801763e-08,
    "diffusion_flux": 1.724843591980176e-08,
    "mean_height": 3.432424830307352e-05,
    "approach": 0.0011006943341988313,
}
GAMBOGE_PROFILE = (2.315799430620464, 0.8504546472342615, 0.3123211351721284)  # bottom, middle, top
GAMBOGE_CROWDED = (2.2974668701404083, 0.8535830818893476, 0.3148269861553033)
SILICA_CASE = {
    "radius": 1e-7,
    "density_difference": 1000.0,
    "temperature": 298.15,
    "viscosity": 0.00089,
    "height": 3e-4,
    "gravity": 9.80665,
    "volume_fraction": 0.25,
}
SILICA = {
    "scale_height": 0.00010020948068153036,
    "drift_flux": -1.7273204191075748e-08,
    "diffusion_flux": 1.7273204191075748e-08,
    "mean_height": 8.438666998253848e-05,
    "approach": 0.0003301688027200176,
}
SILICA_PROFILE = (3.1516260592417304, 0.7054313428669154, 0.15789734256060453)
SILICA_CROWDED = (0.3003333571814652 / 0.25, 0.25180060036383195 / 0.25, 0.19254530887348367 / 0.25)


def _against(
    numbers: dict[str, float], profile: tuple[float, ...], crowded: tuple[float, ...], case: dict[str, Any]
) -> Callable[[Run], list[Comparison]]:
    def compare(run: Run) -> list[Comparison]:
        found = run(**case).answers
        dense = run(**case, crowding="yes").answers
        return [
            *(Comparison(found[name], value, 2e-5) for name, value in numbers.items()),
            Comparison(found["profile"][::2], np.array(profile), 2e-5),
            Comparison(dense["profile"][::2], np.array(crowded), 2e-5),
        ]

    return compare


def _case(peclet: float) -> dict[str, float]:
    """A column of that many scale heights (negative: buoyant), by its gravity."""
    weight = 4.0 / 3.0 * np.pi * 0.212e-6**3 * 207.0
    gravity = abs(peclet) * K_B * 293.0 / (weight * 1e-4)
    return {"density_difference": float(np.copysign(207.0, peclet)), "gravity": gravity}


def _barometric(run: Run) -> list[Comparison]:
    comparisons = []
    D = K_B * 293.0 / (6.0 * np.pi * 1e-3 * 0.212e-6)
    for peclet in (1e-6, 0.3, 40.0, 1e3, -7.0, -1e3):
        found = run(**_case(peclet)).answers
        top = -np.expm1(-abs(peclet))
        profile = abs(peclet) / top * np.exp(-abs(peclet) * np.array((0.0, 0.25, 0.5)))
        measured = found["profile"] if peclet > 0 else found["profile"][::-1]
        comparisons += [
            Comparison(measured[:3], profile, 1e-5, 1e-30),
            Comparison(found["scale_height"], 1e-4 / peclet, 1e-6),
            Comparison(found["approach"], D * ((np.pi / 1e-4) ** 2 + (0.5 * peclet / 1e-4) ** 2), 1e-4),
        ]
    return comparisons


def _no_net_flux(run: Run) -> list[Comparison]:
    """On every edge both ways are equal to rounding: the largest net flux over the largest one-way flux."""
    comparisons = []
    for case in (_case(1e-6), _case(2.0), _case(-300.0), _case(1e3), {**SILICA_CASE, "crowding": "yes"}):
        found = run(**case)
        traffic = float(np.max(np.asarray(found.solution.books.laws[0].traffic)))
        net = float(np.max(np.abs(np.asarray(found.solution.along("particles")))))
        comparisons.append(Comparison(net / traffic, 0.0, 0.0, 1e-13))
        comparisons.append(Comparison(float(found.answers["regime"] == "equilibrium"), 1.0, 0.0))
    return comparisons


def _perrin(run: Run) -> Comparison:
    """His counts and our scale height give the Avogadro number that he printed: l is k T / (m g) with k = R / N_A."""
    heights, counts = np.array((5e-6, 35e-6, 65e-6, 95e-6)), np.array((100.0, 47.0, 22.6, 12.0))
    measured = -1.0 / np.polyfit(heights, np.log(counts), 1)[0]
    return Comparison(N_A * run().answers["scale_height"] / measured, 7.05e23, 0.03)


def _total(run: Run) -> Comparison:
    found = run(**SILICA_CASE, crowding="yes")
    return Comparison(found.solution.total("particles"), 0.25 / float(_molar_volume(found.parameters)) * 3e-4, 1e-12)


def _mason_weaver(run: Run) -> list[Comparison]:
    """Bottom, middle and top after 20 s and 400 s: the eigenfunction series."""
    gamboge = run(times=(20.0,)).answers["profile_at"][0]
    silica = run(**SILICA_CASE, times=(400.0,)).answers["profile_at"][0]
    return [
        Comparison(gamboge[::2], np.array((1.1058534574017949, 1.0, 0.9022732233349466)), 5e-5),
        Comparison(silica[::2], np.array((1.4045043870031904, 0.9998806512896115, 0.6932349378988276)), 5e-5),
    ]


def _fading(run: Run) -> list[Comparison]:
    """The crowded column late in its run: what is missing at the top fades at the rate `approach`."""
    found = run(**SILICA_CASE, crowding="yes")
    rate, rest = found.answers["approach"], np.asarray(found.solution["particles"])
    moments = np.array((8.0, 9.0)) / rate
    history = sf.evolve(model(found.parameters), until=moments[1], times=moments, rtol=1e-9)
    missing = (history["particles"] - rest)[:, -1]
    return [Comparison(np.log(missing[0] / missing[1]), 1.0, 1e-3)]


CLAIMS = (
    Claim(
        "Perrin's gamboge, dilute and with crowding, agrees",
        "independent reference computation",
        _against(GAMBOGE, GAMBOGE_PROFILE, GAMBOGE_CROWDED, {}),
    ),
    Claim(
        "100 nm silica, dilute and crowded, agrees",
        "independent reference computation",
        _against(SILICA, SILICA_PROFILE, SILICA_CROWDED, SILICA_CASE),
    ),
    Claim("the way there", "Mason and Weaver 1924; independent reference computation", _mason_weaver),
    Claim("barometric law and approach from Pe 1e-6 to 1000, sinking and rising", "closed form", _barometric),
    Claim("a crowded column comes to rest at the rate `approach`", "two routes: rates and a run in time", _fading),
    Claim("no net flux on any edge; the regime is equilibrium", "detailed balance", _no_net_flux),
    Claim("Perrin's counts give Perrin's Avogadro number", "Perrin 1909", _perrin),
    Claim("the particles of the start are all still there", "conservation", _total),
)


def figure(result: Result) -> Figure:
    """The profile on a logarithmic scale, and at each height the two fluxes that cancel."""
    p, solution = result.parameters, result.solution
    mean = float(p.volume_fraction / _molar_volume(p))
    z, c = 1e6 * np.asarray(solution.position()), np.asarray(solution["particles"]) / mean
    drawing = Figure(figsize=(8.0, 4.5), layout="constrained")
    left, right = drawing.subplots(1, 2, sharey=True)
    shown = c > 1e-12 * c.max()
    left.semilogx(c[shown], z[shown], color="C0", label="this column")
    if p.crowding == "no" and p.density_difference > 0 and p.radius == PARAMETERS[0].default:
        counts = np.array((100.0, 47.0, 22.6, 12.0))
        at = np.array((5.0, 35.0, 65.0, 95.0))
        left.semilogx(counts / 100.0 * np.interp(5.0, z, c), at, "o", color="C3", label="Perrin's counts (scaled)")
    left.xaxis.set_minor_formatter(NullFormatter())
    left.set_xlabel("concentration / mean")
    left.set_ylabel("height, µm")
    left.legend()
    speed = float(_diffusivity(p) * _weight(p) / (R * p.temperature))
    right.plot(-speed * c[shown], z[shown], color="C1", label="drift")
    right.plot(speed * c[shown], z[shown], color="C2", label="diffusion")
    right.axvline(0.0, color="0.3", label=f"net, below {float(result.answers['net_flux']):.1g} m/s")
    right.set_xlabel("flux / mean concentration, m/s")
    right.legend()
    return drawing


SYSTEM = System(
    name="sedimentation",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units=UNITS,
    claims=CLAIMS,
    figure=figure,
)
