"""Density and flux of particles as one four-vector: what an observer who moves through a wind of dust or gas counts.

Seeds: D

Who flies through dust at rest meets a wind, and counts more grains in a litre than the dust has: lengths along the
motion are shortened. Density and flux are the parts of one four-vector, and each observer splits it in his own way.
What all agree on is the density in the frame of the dust itself.

## Equations

    N = n0 gamma (1, v / c),   N' = L(observer) N,   n' = N'^0,   j' = c (N'^1, N'^2, N'^3),   n0^2 = n'^2 - j'^2 / c^2
    gas         f ~ exp(-E / k T) at rest (Maxwell, Juettner),    theta = k T / m c^2
    wall        per own time of a wall that moves towards the gas with b c:
                n gamma_b c [ max(b, 0) + int over beta > |b| of (beta - |b|)^2 / 4 beta f ]

The gas (or dust) drifts with `drift`, the observer moves with `observer`, both in parts of the speed of light and seen
from the same frame. `flux` is what passes three plates that rest with the observer, `plate_flux` what passes the plate
with the direction `normal`. `wall_flux` is what strikes one side of a wall that rests in the gas, `moving_wall_flux` of
one that moves with `wall_speed`.

## What to look for

At 0.6 c there are 1.25 times as many grains in a litre, and 0.75 n0 c come through an area. `proper_density` stays,
whatever the observer does. Let the observer move along with the drift: nothing streams. A wall that flees faster than
the particles is hit by few, and one that comes on meets n gamma b c at least.

## Limits

Free particles, flat space. Plates let everything through and count both ways; a wall is struck from one side.

## Sources

Misner, Thorne and Wheeler, Gravitation, 1973, sec. 5.4 (the number-flux four-vector); Juettner 1911. Dust: grains of
1e-17 kg, one in 1e6 m^3 (typical of the local interstellar cloud).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.ground.constants import C_LIGHT, K_B
from steadyflux.ground.errors import InputError
from steadyflux.physics.local import Geometry, Local
from steadyflux.physics.quantum_gas import Juettner
from steadyflux.physics.streams import boost_matrix, boosted, proper_density
from steadyflux.systems.system import Claim, Comparison, Numbers, Parameter, Result, System, Values

PARAMETERS = (
    Parameter("proper_density", 1e-6, "1/m^3", "interstellar grains (typical)", 1e-30, 1e50),
    Parameter("mass", 1e-17, "kg", "a grain of a tenth of a micrometre (typical)", 1e-33, 1e6),
    Numbers("drift", (0.0, 0.0, 0.0), "", "dust at rest; velocity over that of light", -0.999999, 0.999999),
    Numbers("observer", (0.6, 0.0, 0.0), "", "velocity of the observer (chosen)", -0.999999, 0.999999),
    Numbers("normal", (-1.0, 0.0, 0.0), "", "direction in which the plate counts: against the motion", -1e9, 1e9),
    Parameter("theta", 1e-5, "", "k T / m c^2 of the gas (chosen)", 1e-12, 1e6),
    Parameter("wall_speed", 1e-3, "", "of the moving wall towards the gas, over that of light", -0.999999, 0.999999),
)


class Wind(sf.EdgeLaw):
    """What passes plates that rest with an observer, from a gas (tail) that drifts, 1/s: A N' . normal c.

    ``drift`` and ``observer`` are velocities (m/s, (3,)); the direction of each plate is one number per edge and axis.
    """

    drift: Any
    observer: Any
    x: Any = sf.parameter("", "normal of the plate along x")
    y: Any = sf.parameter("", "normal of the plate along y")
    z: Any = sf.parameter("", "normal of the plate along z")
    dissipative: ClassVar[bool] = False

    @property
    def moves(self) -> tuple[str, ...]:
        """The particles."""
        return ("N",)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Particles through the plate."""
        _, seen = seen_by(tail["N"], self.drift, self.observer)
        return {"N": edge.area * (seen[0] * self.x + seen[1] * self.y + seen[2] * self.z)}


def seen_by(own: Any, drift: Any, observer: Any) -> tuple[Any, Any]:
    """Density and flux that the observer counts of a gas of a proper density that drifts."""
    return boosted(*boosted(own, jnp.zeros(3), -drift), observer)


class Wall(sf.EdgeLaw):
    """What strikes a wall that moves towards a relativistic gas (tail), per own time of the wall, 1/s.

    The part beyond max(b, 0) comes from particles faster than the wall: its lower end is where their speed is b c.
    """

    gas: Juettner
    temperature: Any = sf.parameter("K", "temperature of the gas")
    speed: Any = sf.parameter("", "speed of the wall over that of light")
    dissipative: ClassVar[bool] = False

    @property
    def moves(self) -> tuple[str, ...]:
        """The particles."""
        return ("N",)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Particles that strike the wall."""
        b, heat, rest = self.speed, K_B * self.temperature, self.gas.mass * C_LIGHT**2
        part = 1.0 / jnp.sqrt(1.0 - b**2)
        start = rest * b**2 * part**2 / (1.0 + part)
        energy, weight, occupation = self.gas.filled(jnp.zeros_like(heat), heat)
        faster = energy + start
        beta = self.gas.velocity(faster) / C_LIGHT
        ahead = jnp.maximum(beta - jnp.abs(b), 0.0)
        filled = weight * occupation
        over = jnp.sum(self.gas.many(faster) * ahead**2 / (4.0 * beta) * filled) * jnp.exp(-start / heat)
        mean = jnp.maximum(b, 0.0) + over / jnp.sum(self.gas.many(energy) * filled)
        return {"N": edge.area * tail["N"] * part * C_LIGHT * mean}


def _vectors(p: Values) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    found = []
    for name in ("drift", "observer", "normal"):
        value = np.asarray(getattr(p, name), dtype=float)
        if value.shape != (3,):
            raise InputError(f"{name} has three components, not {value.size}.")
        if name != "normal" and not value @ value < 1.0:
            raise InputError(f"{name} must be slower than light; its length is {np.sqrt(value @ value):g}.")
        found.append(value)
    length = np.linalg.norm(found[2])
    if not length > 0.0:
        raise InputError("normal needs a direction; give at least one component.")
    return found[0] * C_LIGHT, found[1] * C_LIGHT, found[2] / length


def model(p: Values) -> sf.Model:
    """The gas, four plates that rest with the observer, and two walls, each one square metre."""
    drift, observer, normal = _vectors(p)
    x, y, z = np.vstack([np.eye(3), normal]).T
    gas = Juettner(p.mass)
    warm = p.theta * p.mass * C_LIGHT**2 / K_B
    return sf.Model(
        sf.network(
            {"gas": 1.0, "behind": 1.0},
            {"plates": [("gas", "behind")] * 4, "still": [("gas", "behind")], "moving": [("gas", "behind")]},
        ),
        [sf.Population("N")],
        [
            Wind(drift, observer, x, y, z, on="plates"),
            Wall(gas, warm, 0.0, on="still"),
            Wall(gas, warm, p.wall_speed, on="moving"),
        ],
        [sf.Hold("gas", {"N": p.proper_density}), sf.Hold("behind", {"N": 0.0})],
    )


def answers(p: Values, solution: sf.Solution) -> dict[str, Any]:
    """What the observer counts, what all agree on, and what strikes walls."""
    drift, observer, _ = _vectors(p)
    own = float(solution.value("N", "gas"))
    plates = np.asarray(solution.along("N", "plates"))
    density = float(seen_by(own, drift, observer)[0])
    lab = boosted(own, np.zeros(3), -drift)
    still = float(solution.along("N", "still")[0])
    gas, rest = Juettner(p.mass), p.mass * C_LIGHT**2
    warm = p.theta * rest / K_B
    energy = own * (rest + float(gas.mean_energy(own, warm)))
    pressure = float(gas.pressure(own, warm))
    tensor = np.diag([energy, pressure, pressure, pressure])
    for velocity in (-drift, observer):
        turn = np.asarray(boost_matrix(velocity))
        tensor = turn @ tensor @ turn.T
    return {
        "density": density,
        "flux": plates[:3].tolist(),
        "proper_density": float(proper_density(density, plates[:3])),
        "plate_flux": float(plates[3]),
        "lab_density": float(lab[0]),
        "lab_flux": np.asarray(lab[1]).tolist(),
        "lorentz_factor": density / own,
        "speed": float(np.linalg.norm(plates[:3])) / density,
        "mean_speed": 4.0 * still / own,
        "energy_density": energy,
        "pressure": pressure,
        "seen_energy_density": float(tensor[0, 0]),
        "dust_energy_density": own * rest * (density / own) ** 2,
        "wall_flux": still,
        "moving_wall_flux": float(solution.along("N", "moving")[0]),
    }


ELECTRONS: dict[str, Any] = {
    "proper_density": 1e12,
    "mass": 9.1093837015e-31,
    "drift": [0.5, 0.1, 0.0],
    "observer": [0.0, 0.0, 0.6],
    "normal": [0.6, 0.0, -0.8],
    "theta": 0.7,
    "wall_speed": 0.3,
}
# Independent reference computation (Bessel functions and quadrature).
REFERENCE: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    (
        {"observer": [0.2, 0.0, 0.0]},
        {
            "density": 1.0206207261596575e-06,
            "flux": [-61.194879236229724, 0.0, 0.0],
            "proper_density": 1e-06,
            "lorentz_factor": 1.0206207261596576,
            "plate_flux": 61.194879236229724,
            "speed": 59958491.6,
            "mean_speed": 1512818.9641146634,
            "energy_density": 8.987686602330135e-07,
            "pressure": 8.987551787368176e-12,
            "seen_energy_density": 9.362177288907136e-07,
            "dust_energy_density": 9.362033111841851e-07,
            "wall_flux": 0.37820474102866586,
            "moving_wall_flux": 0.5468556476798858,
        },
    ),
    (
        ELECTRONS,
        {
            "lab_density": 1162476387438.1929,
            "lab_flux": [1.742508267785281e20, 3.485016535570562e19, 0.0],
            "density": 1453095484297.7412,
            "flux": [1.742508267785281e20, 3.485016535570562e19, -2.613762401677921e20],
            "proper_density": 1e12,
            "plate_flux": 3.136514882013506e20,
            "speed": 217509706.92984274,
            "mean_speed": 256978550.26356676,
            "energy_density": 0.20978350123025322,
            "pressure": 0.057309740437767195,
            "seen_energy_density": 0.5066540299761275,
            "dust_energy_density": 0.1728696321119909,
            "wall_flux": 6.42446375658917e19,
            "moving_wall_flux": 1.2306658524732324e20,
        },
    ),
)


def _reference(run: Callable[..., Result]) -> list[Comparison]:
    found = []
    for given, expected in REFERENCE:
        a = run(**given).answers
        for name, value in expected.items():
            size = float(np.max(np.abs(value)))
            found.append(Comparison(a[name], value, 1e-10, 1e-14 * size))
    return found


def _dust(run: Callable[..., Result]) -> list[Comparison]:
    a = run().answers
    return [
        Comparison(a["density"], 1.25e-6, 1e-14),
        Comparison(a["plate_flux"], 0.75e-6 * C_LIGHT, 1e-14),
        Comparison(run(drift=[0.6, 0.0, 0.0]).answers["flux"], np.zeros(3), 0.0, 1e-12),
    ]


def _invariant(run: Callable[..., Result]) -> list[Comparison]:
    rng = np.random.default_rng(17)
    found = []
    for _ in range(6):
        drift, observer = (0.97 * rng.uniform(-1, 1, 3) / np.sqrt(3.0) for _ in range(2))
        found.append(Comparison(run(drift=drift, observer=observer).answers["proper_density"], 1e-6, 1e-12))
    return found


def _slow(run: Callable[..., Result]) -> list[Comparison]:
    # Galileo: the density stays and the flux is n times the difference of the velocities.
    a = run(drift=[2e-6, 0.0, 0.0], observer=[0.0, 5e-6, 0.0]).answers
    return [
        Comparison(a["density"], 1e-6, 1e-10),
        Comparison(a["flux"], 1e-6 * C_LIGHT * np.array([2e-6, -5e-6, 0.0]), 1e-9),
    ]


def counted(theta: float, speed: float) -> tuple[float, float]:
    """Density and flux (over c) of a Maxwell-Juettner gas of unit proper density that drifts with ``speed`` (over c),
    summed over its momenta (in m c) in the frame in which it drifts."""
    gamma = 1.0 / np.sqrt(1.0 - speed**2)
    x, w = np.polynomial.legendre.leggauss(400)
    y, v = np.polynomial.legendre.leggauss(60)
    top = 1.0 + 60.0 * theta * gamma * (1.0 + speed) * max(1.0, 1.0 / np.sqrt(theta)) + 3.0 * gamma
    p, dp = 0.5 * top * (x + 1.0), 0.5 * top * w
    energy = np.sqrt(1.0 + p * p)
    # Measured from the least energy, so that no exponential vanishes.
    f = np.exp(-(gamma * (energy[:, None] - speed * p[:, None] * y) - 1.0) / theta)
    own = np.sum(dp * p**2 * np.exp(-(energy - 1.0) / theta)) * 2.0
    cells = (dp * p**2)[:, None] * v * f / own
    return float(cells.sum()), float((cells * (p / energy)[:, None] * y).sum())


def _distribution(run: Callable[..., Result]) -> list[Comparison]:
    found = []
    for theta, drift, observer in ((0.7, 0.0, 0.5), (0.3, 0.2, -0.4), (2.0, 0.6, 0.1)):
        given = {**ELECTRONS, "theta": theta, "drift": [drift, 0.0, 0.0], "observer": [observer, 0.0, 0.0]}
        a = run(**given).answers
        density, flux = counted(theta, (drift - observer) / (1.0 - drift * observer))
        found.append(Comparison(a["density"], 1e12 * density, 1e-9))
        found.append(Comparison(a["flux"][0], 1e12 * C_LIGHT * flux, 1e-9))
    return found


def _walls(run: Callable[..., Result]) -> list[Comparison]:
    still = run(**{**ELECTRONS, "wall_speed": 0.0}).answers
    # Both sides of a moving wall together pass what a plate passes: gamma n b c.
    there, back = (run(**{**ELECTRONS, "wall_speed": b}).answers["moving_wall_flux"] for b in (0.4, -0.4))
    cold = run(theta=1e-9, wall_speed=0.5).answers
    return [
        Comparison(still["moving_wall_flux"], still["wall_flux"], 1e-14),
        Comparison(there - back, 1e12 * C_LIGHT * 0.4 / np.sqrt(1.0 - 0.16), 1e-11),
        Comparison(cold["moving_wall_flux"], 1e-6 * C_LIGHT * 0.5 / np.sqrt(0.75), 1e-12),
        Comparison(run(theta=1e5).answers["mean_speed"], C_LIGHT, 1e-8),
        Comparison(run(theta=1e-9).answers["mean_speed"], C_LIGHT * np.sqrt(8e-9 / np.pi), 1e-8),
    ]


CLAIMS = (
    Claim("dust met at 0.2 c and a hot gas that drifts", "independent reference computation", _reference),
    Claim("dust at 0.6 c: 1.25 n0 and 0.75 n0 c", "Lorentz contraction", _dust),
    Claim("all observers find the same proper density", "invariant", _invariant),
    Claim("slow observers find Galileo's", "limit", _slow),
    Claim("the boosted Maxwell-Juettner distribution sums up to the boosted vector", "Juettner 1911", _distribution),
    Claim("walls: both sides together, a cold and a hot gas", "balance; limits", _walls),
)


def figure(result: Result) -> Figure:
    """Density and flux against the observer's speed; what strikes a moving wall."""
    p, own = result.parameters, result.parameters.proper_density
    drift, observer, _ = _vectors(p)
    size = np.linalg.norm(observer)
    along = observer / size if size > 0 else np.array([1.0, 0.0, 0.0])
    fig = Figure(figsize=(10.0, 4.2), layout="constrained")
    left, right = fig.subplots(1, 2)
    speeds = np.linspace(-0.95, 0.95, 96)
    seen = [seen_by(own, drift, beta * C_LIGHT * along) for beta in speeds]
    left.plot(speeds, [float(n) / own for n, _ in seen], label="density / n0")
    left.plot(speeds, [float(j @ along) / (own * C_LIGHT) for _, j in seen], label="flux along the motion / n0 c")
    left.plot(speeds, [float(proper_density(n, j)) / own for n, j in seen], "k:", label="proper density / n0")
    left.plot(size / C_LIGHT, result.answers["density"] / own, "o", color="C3", label="this run")
    left.set_xlabel("speed of the observer / c")
    left.set_ylabel("counted by the observer")
    left.legend(fontsize="small")
    law = Wall(Juettner(p.mass), p.theta * p.mass * C_LIGHT**2 / K_B, 0.0, on="moving")
    walls = sf.Model(
        sf.network({"gas": 1.0, "behind": 1.0}, {"moving": [("gas", "behind")] * len(speeds)}),
        [sf.Population("N")],
        [Wall(law.gas, law.temperature, speeds, on="moving")],
        [sf.Hold("gas", {"N": own}), sf.Hold("behind", {"N": 0.0})],
    )
    right.plot(speeds, np.asarray(sf.steady(walls).along("N", "moving")) / (own * C_LIGHT), label="gas")
    right.plot(speeds, np.maximum(speeds, 0.0) / np.sqrt(1 - speeds**2), "k:", label="dust")
    right.set_xlabel("speed of the wall towards the gas / c")
    right.set_ylabel("strikes per own time / n0 c")
    right.legend()
    return fig


SYSTEM = System(
    name="four_flux",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units={
        **dict.fromkeys(("density", "proper_density", "lab_density"), "1/m^3"),
        **dict.fromkeys(("flux", "plate_flux", "lab_flux", "wall_flux", "moving_wall_flux"), "1/(m^2*s)"),
        "lorentz_factor": "",
        **dict.fromkeys(("speed", "mean_speed"), "m/s"),
        **dict.fromkeys(("energy_density", "seen_energy_density", "dust_energy_density"), "J/m^3"),
        "pressure": "Pa",
    },
    claims=CLAIMS,
    figure=figure,
)
