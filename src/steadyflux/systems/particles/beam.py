"""A beam of charged particles counted: amperes as particles per second, what it pushes, and Rutherford's scattering.

Seeds: D

A current of charged particles is a stream of them, I / z e a second. Over the spot that they cover this is a particle
flux; each carries momentum and energy along. In a foil a few meet a nucleus closely enough to be thrown aside, even
backwards: how many tells that the charge of an atom sits in a point.

## Equations

    rate        I / z e,     flux = rate / pi r^2,     density = flux / v,     force = rate p,     power = rate E
    aperture    share of a Gaussian beam (sigma) in a hole off its axis
    foil        dN/dt = rate n_t (dsigma/dOmega) dOmega,     d = z Z e^2 / (4 pi epsilon_0 E_c)
    nucleus     dsigma/dOmega = (d / 4)^2 / sin^4(theta_c / 2),     b = (d / 2) cot(theta_c / 2)
    recoil      E_c = E M / (m + M),  theta_c = theta + asin(rho sin theta),  rho = m / M,  and the solid angle follows

Speed and momentum are relativistic, the scattering is not. With `recoil` = no the nucleus stands fast.
`rutherford_rate` is what a small detector of `solid_angle` at `angle` counts, `ring_rate` a ring of detectors between
two angles, `backward_rate` all that is thrown back beyond 90 degrees; each device is alone in the beam.

## What to look for

One particle in some ten thousand comes back from gold: with the charge spread over the whole atom not one would. The
rate falls as 1 / sin^4(theta / 2), over five decades in Geiger and Marsden's experiment. A particle heavier than the
nucleus is never thrown back: beyond asin(M / m) nothing is counted.

## Limits

A thin foil (one scattering a particle, no loss of energy); bare nuclei (no screening by the electrons, no nuclear
force): `closest_approach` well below the atom's size and above the nucleus's. At the largest angle of a particle
heavier than the nucleus the differential cross-section has no bound.

## Sources

Geiger and Marsden 1909, 1913; Rutherford 1911; Darwin 1914 (recoil). Alpha particles of RaC' 7.687 MeV (Geiger and
Marsden's source; typical). Gold: 5.9e28 atoms per m^3, foil of 0.4 micrometres.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np
from jax.scipy.special import i0e
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.ground.constants import E_CHARGE, EPSILON_0, M_U
from steadyflux.ground.errors import InputError
from steadyflux.physics.distributions import Beam, speed_of
from steadyflux.physics.local import Geometry, Local
from steadyflux.systems.particles._beam_claims import CLAIMS as STATED
from steadyflux.systems.system import Choice, Claim, Comparison, Parameter, Result, System, Values

PARAMETERS = (
    Choice("recoil", "yes", ("yes", "no"), "no: a nucleus that stands fast"),
    Parameter("current", 3.2e-15, "A", "ten thousand alpha particles a second (chosen)", 1e-25, 1e3),
    Parameter("charge_number", 2.0, "", "alpha particle", 1.0, 120.0, whole=True),
    Parameter("energy", 7.687e6 * E_CHARGE, "J", "alpha particle of RaC', 7.687 MeV", 1e-22, 1e-6),
    Parameter("mass", 4.0015 * M_U, "kg", "alpha particle", 1e-31, 1e-23),
    Parameter("radius", 2e-3, "m", "spot (chosen)", 1e-9, 1e3),
    Parameter("sigma", 1e-3, "m", "of a Gaussian beam (chosen)", 1e-9, 1e3),
    Parameter("aperture_radius", 0.5e-3, "m", "chosen", 1e-12, 1e3),
    Parameter("aperture_offset", 1.5e-3, "m", "from the axis (chosen)", 0.0, 1e3),
    Parameter("target_charge", 79.0, "", "gold", 1.0, 120.0, whole=True),
    Parameter("target_mass", 196.97 * M_U, "kg", "gold", 1e-28, 1e-23),
    Parameter("areal_density", 2.36e22, "1/m^2", "gold foil of 0.4 um", 1e10, 1e26),
    Parameter("angle", np.pi / 3.0, "rad", "60 degrees (chosen)", 1e-4, np.pi),
    Parameter("solid_angle", 1e-3, "", "steradian, of the detector (chosen)", 1e-15, 12.6),
    Parameter("ring_inner", 2.6179938779914944, "rad", "150 degrees (chosen)", 1e-4, np.pi),
    Parameter("ring_outer", 2.9670597283903604, "rad", "170 degrees (chosen)", 1e-4, np.pi),
)


class Push(sf.EdgeLaw):
    """Momentum that a beam brings to what stops it, N."""

    beam: Beam
    gas: str = sf.static(default="N")
    dissipative: ClassVar[bool] = False

    @property
    def moves(self) -> tuple[str, ...]:
        """Momentum along the beam."""
        return ("v",)

    @property
    def sees(self) -> tuple[str, ...]:
        """The density of the beam."""
        return (self.gas,)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Momentum from the source to the stopper."""
        return {"v": edge.area * self.beam.stream(tail[self.gas], tail.T).momentum}


_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(64)


def aperture_share(p: Values) -> float:
    """Share of a Gaussian beam that passes a round hole off its axis, by quadrature over the hole's radius."""
    hole, off = p.aperture_radius / p.sigma, p.aperture_offset / p.sigma
    low, high = max(0.0, off - 12.0), min(hole, off + 12.0)  # beyond twelve sigma is nothing
    if not high > low:
        low = 0.0
        high = hole
    edges = np.linspace(low, high, 9)
    middle, half = 0.5 * (edges[1:] + edges[:-1])[:, None], 0.5 * (edges[1:] - edges[:-1])[:, None]
    x = jnp.asarray(middle + half * _POINTS)
    return float(jnp.sum(half * _WEIGHTS * x * jnp.exp(-0.5 * (x - off) ** 2) * i0e(off * x)))


class Scattering:
    """Rutherford's cross-sections in the laboratory; angles in rad."""

    def __init__(self, p: Values) -> None:
        self.fixed = p.recoil == "no"
        self.ratio = 0.0 if self.fixed else p.mass / p.target_mass
        energy = p.energy / (1.0 + self.ratio)
        self.closest = p.charge_number * p.target_charge * E_CHARGE**2 / (4.0 * np.pi * EPSILON_0 * energy)

    def centre_angles(self, angle: float) -> list[float]:
        """Angles about the centre of mass that show as ``angle``: two for a heavy particle, none where it cannot go."""
        sine = self.ratio * np.sin(angle)
        if self.ratio < 1.0:
            return [angle + float(np.arcsin(sine))]
        if angle >= 0.5 * np.pi or sine > 1.0:
            return []
        turn = float(np.arcsin(sine))
        return [2.0 * angle] if self.ratio == 1.0 else [angle + turn, angle + np.pi - turn]

    def differential(self, angle: float) -> float:
        """dsigma/dOmega, m^2 (per steradian)."""
        total = 0.0
        for centre in self.centre_angles(angle):
            cosine = np.cos(centre)
            wider = (1.0 + self.ratio**2 + 2.0 * self.ratio * cosine) ** 1.5 / abs(1.0 + self.ratio * cosine)
            total += (0.25 * self.closest) ** 2 / np.sin(0.5 * centre) ** 4 * wider
        return float(total)

    def beyond(self, angle: float) -> float:
        """Cross-section for a deflection by more than an angle, m^2."""
        centre = self.centre_angles(angle)
        if not centre:
            return 0.0
        reach = lambda one: (0.5 * self.closest / np.tan(0.5 * one)) ** 2  # noqa: E731
        return float(np.pi * (reach(centre[0]) - (reach(centre[1]) if len(centre) > 1 else 0.0)))

    def impact(self, angle: float) -> float:
        """Distance from the nucleus at which the particle aims, m; the larger one where there are two."""
        centre = self.centre_angles(angle)
        return 0.5 * self.closest / float(np.tan(0.5 * centre[0])) if centre else float("nan")


DEVICES = ("stopper", "aperture", "detector", "ring", "back")


def shares(p: Values) -> np.ndarray:
    """Part of the beam that each device counts, (device,)."""
    if p.ring_outer < p.ring_inner:
        raise InputError("The ring's outer angle must be the larger one; exchange ring_inner and ring_outer.")
    foil = Scattering(p)
    scattered = [
        foil.differential(p.angle) * p.solid_angle,
        foil.beyond(p.ring_inner) - foil.beyond(p.ring_outer),
        foil.beyond(0.5 * np.pi),
    ]
    found = np.array([1.0, aperture_share(p), *(p.areal_density * one for one in scattered)])
    if np.any(found > 1.0 + 1e-12):
        thick = DEVICES[int(np.argmax(found))]
        raise InputError(
            f"More particles would reach the {thick} than there are: the foil is too thick, the angle too small or the "
            "detector too large for single scattering; lower areal_density or solid_angle."
        )
    return found


def model(p: Values) -> sf.Model:
    """The source and the devices, each of which gets its share of the beam."""
    beam, spot = Beam(p.mass, float(speed_of(p.mass, p.energy))), np.pi * p.radius**2
    density = p.current / (p.charge_number * E_CHARGE * spot * beam.speed)
    names = ("source", *DEVICES)
    return sf.Model(
        sf.network(
            dict.fromkeys(names, 1.0),
            {"beam": [("source", device) for device in DEVICES], "push": [("source", "stopper")]},
            area=spot,
        ),
        [sf.Population("N"), sf.Momentum("v", where=("source", "stopper"))],
        [sf.Effusion("N", beam, transmission=shares(p), on="beam"), Push(beam, on="push")],
        [
            sf.Hold("source", {"N": density, "v": float(beam.speed)}),
            *(sf.Hold(device, {"N": 0.0}) for device in DEVICES),
            sf.Hold("stopper", {"v": 0.0}),
        ],
    )


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """Rates at the devices, what the beam carries, and what the foil does."""
    spot, foil = np.pi * p.radius**2, Scattering(p)
    counts = dict(zip(DEVICES, np.asarray(solution.along("N", "beam")).tolist(), strict=True))
    rate, force = counts["stopper"], float(solution.along("v", "push")[0])
    return {
        "particles_per_second": rate,
        "flux": rate / spot,
        "peak_flux": rate / (2.0 * np.pi * p.sigma**2),
        "aperture_rate": counts["aperture"],
        "speed": float(speed_of(p.mass, p.energy)),
        "density": float(solution.value("N", "source")),
        "force": force,
        "momentum_flux": force / spot,
        "power": rate * p.energy,
        "energy_flux": rate * p.energy / spot,
        "cross_section": foil.differential(p.angle),
        "rutherford_rate": counts["detector"],
        "ring_rate": counts["ring"],
        "backward_rate": counts["back"],
        "backward_cross_section": foil.beyond(0.5 * np.pi),
        "backward_share": counts["back"] / rate,
        "closest_approach": foil.closest,
        "impact_parameter": foil.impact(p.angle),
    }


def figure(result: Result) -> Figure:
    """Counts of a detector against its angle, and ways past the nucleus."""
    p, foil = result.parameters, Scattering(result.parameters)
    fig = Figure(figsize=(10.0, 4.2), layout="constrained")
    left, right = fig.subplots(1, 2)
    angles = np.linspace(np.radians(5.0), np.radians(179.0), 300)
    rate = result.answers["particles_per_second"] * p.areal_density * p.solid_angle
    left.semilogy(
        np.degrees(angles), [rate * foil.differential(a) or np.nan for a in angles], label="recoil: " + p.recoil
    )
    still = Scattering(Values({**p.items, "recoil": "no"}))
    left.semilogy(np.degrees(angles), [rate * still.differential(a) for a in angles], "k:", label="nucleus stands fast")
    left.semilogy(np.degrees(p.angle), result.answers["rutherford_rate"] or np.nan, "o", color="C3", label="this run")
    left.set_xlabel("angle (degrees)")
    left.set_ylabel("rate of the detector (1/s)")
    left.legend()
    d = foil.closest
    for b in np.array([0.1, 0.3, 0.6, 1.0, 1.6, 2.5]) * d:
        # The hyperbola about a repelling centre: 1/r = (d / 2 b^2) (e cos(phi) - 1), e^2 = 1 + (2 b / d)^2.
        e = np.hypot(1.0, 2.0 * b / d)
        phi = np.linspace(-1.0, 1.0, 400)[1:-1] * np.arccos(1.0 / e)
        r = 2.0 * b**2 / d / (e * np.cos(phi) - 1.0)
        turn = np.pi - np.arccos(1.0 / e)
        x, y = r * np.cos(turn - phi), r * np.sin(turn - phi)
        near = np.hypot(x, y) < 6.0 * d
        right.plot(x[near] * 1e15, y[near] * 1e15, color="C0")
    right.plot(0.0, 0.0, "o", color="C3")
    right.set_xlabel("along the beam (fm)")
    right.set_ylabel("aside (fm), seen from the nucleus")
    return fig


def _sphere(run: Callable[..., Result]) -> list[Comparison]:
    # The differential cross-section summed over a ring is the ring's; also for a particle heavier than the nucleus.
    x, w = np.polynomial.legendre.leggauss(200)
    found = []
    for mass in (4.0, 100.0):
        foil = Scattering(SYSTEM.values({"target_mass": mass * M_U, "mass": 4.0015 * M_U}))
        low, high = (0.3, 1.2) if mass > 5.0 else (0.3, 1.5)
        angles = 0.5 * (low + high) + 0.5 * (high - low) * x
        summed = (
            0.5
            * (high - low)
            * sum(weight * foil.differential(a) * 2.0 * np.pi * np.sin(a) for weight, a in zip(w, angles, strict=True))
        )
        found.append(Comparison(foil.beyond(low) - foil.beyond(high), summed, 1e-4 if mass < 5.0 else 1e-10))
    heavy = Scattering(SYSTEM.values({"target_mass": 1.00728 * M_U}))
    edge = np.arcsin(1.00728 / 4.0015)
    found += [
        Comparison(heavy.differential(1.01 * edge), 0.0, 0.0),
        Comparison(heavy.beyond(0.9 * edge) > 0.0, 1.0, 0.0),
        Comparison(heavy.beyond(1.01 * edge), 0.0, 0.0),
    ]
    return found


CLAIMS = (*STATED, Claim("the differential cross-section sums up to the ring's", "quadrature", _sphere))

SYSTEM = System(
    name="beam",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units={
        **dict.fromkeys(
            ("particles_per_second", "aperture_rate", "rutherford_rate", "ring_rate", "backward_rate"), "1/s"
        ),
        **dict.fromkeys(("flux", "peak_flux"), "1/(m^2*s)"),
        "speed": "m/s",
        "density": "1/m^3",
        "force": "N",
        "momentum_flux": "Pa",
        "power": "W",
        "energy_flux": "W/m^2",
        **dict.fromkeys(("cross_section", "backward_cross_section"), "m^2"),
        "backward_share": "",
        **dict.fromkeys(("closest_approach", "impact_parameter"), "m"),
    },
    claims=CLAIMS,
    figure=figure,
)
