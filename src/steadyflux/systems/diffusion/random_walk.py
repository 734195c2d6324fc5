"""A random walk on a lattice: blind hops to the left and to the right add up to Fick's law, D = p l^2 / (2 tau).

Seeds: D

In each time step a walker hops with probability p, to the left or to the right with equal chance, over one spacing. No
walker knows of a gradient; yet where there are more walkers, more of them hop away, and on balance they spread. The
lattice has sites 0 to M. Its ends are held (reservoirs with that many walkers on a site: at the left and right number),
absorbing, reflecting, or fed by a source. The same lattice is solved for its mean numbers and sampled walker by
walker.

Equations

    in each step    N_i -> N_i + (p/2) (N_i-1 - 2 N_i + N_i+1)                        the mean numbers, exactly
    between reservoirs    flux = p (n_0 - n_M) / (2 tau M) = D (c_0 - c_M) / L,  c = N / l,  L = M l: Fick's law exactly
    one bond, one step    net crossings: mean (p/2) (N_i - N_i+1), variance (p/2) (N_i + N_i+1)
    long counts    variance of what is carried over in each step: (p / 2M) (n_0 + n_M)
    a free walker    <x^2> = p k l^2 after k steps, kurtosis excess (1/p - 3) / k, tends to a Gaussian
    absorbing ends    chance to leave at the right s / M; mean time s (M - s) tau / p
    decay    rate -ln(1 - p (1 - cos(pi / M))) / tau, tends to pi^2 D / L^2

With a `bias` b the hops go right with p (1 + b) / 2 and left with p (1 - b) / 2: a drift p b l / tau.

Walkers do not see each other, so that numbers between Poisson reservoirs are Poisson, with variance equal to the mean.
`walkers` is how many are followed altogether, in `groups` independent runs over `sampled_steps` from the steady state;
each stands for so many as make up the lattice's numbers. The flux is the mean over all bonds and steps, its standard
error comes from the spread of the groups. `diffusivity_measured` is the spread of as many free walkers after `steps`
steps.

What to look for: the flux depends on the difference of the numbers alone, the noise on their sum: equal reservoirs have
no mean flux and all the noise. The error falls as one over the square root of the walkers, so each further digit takes
a hundred times as many. After some ten steps nobody can tell the walk from diffusion but in its far tails.

Limits: independent walkers in one dimension; in a run in time (`--until`) hops come at any moment instead of once a
step, which is the same where a walker hops seldom in a step.

Sources: A. Einstein, Ann. Phys. 322 (1905) 549; M. von Smoluchowski, Ann. Phys. 326 (1906) 756; W. Feller, An
Introduction to Probability Theory I (1968) ch. XIV (ruin); C. W. Gardiner, Stochastic Methods (2009) ch. 7 (Poisson).
Defaults: vacancies hopping between lattice planes 0.25 nm apart (typical).
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from scipy.stats import norm

import steadyflux as sf
from steadyflux.ground.errors import InputError
from steadyflux.model.mapping import State
from steadyflux.model.model import Model
from steadyflux.model.solution import Solution
from steadyflux.model.system import balance
from steadyflux.physics.law import EdgeLaw, parameter
from steadyflux.physics.local import Geometry, Local
from steadyflux.systems.diffusion._walk_claims import CLAIMS
from steadyflux.systems.system import Choice, Parameter, Result, System, Values

TYPICAL = "vacancies between lattice planes (typical)"
WIDE = 12.0  # standard deviations of a free walk that its lattice holds

PARAMETERS = (
    Parameter("hop_probability", 0.2, "", "chance of a hop in one step (typical)", 1e-9, 1.0),
    Parameter("spacing", 0.25e-9, "m", TYPICAL, 1e-15, 1e6),
    Parameter("time_step", 1e-9, "s", TYPICAL, 1e-18, 1e12),
    Parameter("sites", 100, "", "steps of the lattice from end to end, chosen", 2, 2000, whole=True),
    Choice("left", "held", ("held", "source", "reflecting"), "left end, at site 0"),
    Choice("right", "held", ("held", "absorbing", "reflecting"), "right end, at site M"),
    Parameter("left_number", 500.0, "", "walkers on site 0 (and, to begin with, in the left half), chosen", 0.0, 1e12),
    Parameter("right_number", 50.0, "", "walkers on site M (and, to begin with, in the right half), chosen", 0.0, 1e12),
    Parameter("source", 4.5e8, "1/s", "walkers fed to site 0 where the left end is a source, chosen", 0.0, 1e30),
    Parameter("bias", 0.0, "", "unbiased", -1.0, 1.0),
    Parameter("steps", 400, "", "steps of free walkers and of the survival, chosen", 1, 20_000, whole=True),
    Parameter("start_site", None, "", "where a walker starts that ends at either end (0.3 sites)", 1, 1999, whole=True),
    Parameter("bond", None, "", "bond whose crossings are told (the middle one)", 0, 1999, whole=True),
    Parameter("walkers", 100_000.0, "", "walkers that are followed, chosen", 100.0, 1e12),
    Parameter("groups", 32, "", "independent runs that they are shared between, chosen", 4, 1000, whole=True),
    Parameter("sampled_steps", 1000, "", "steps over which they are counted, chosen", 1, 100_000, whole=True),
    Parameter("seed", 1, "", "of the random numbers", 0, 2**31, whole=True),
)


class Hop(EdgeLaw):
    """Blind hops: each walker at the tail goes on at one rate, each at the head goes back at another, 1/s."""

    onward: Any = parameter("1/s", "rate of hops to the right")
    back: Any = parameter("1/s", "rate of hops to the left")
    quantity: str = eqx.field(static=True, default="N")
    dissipative: ClassVar[bool] = False
    """Bare numbers have no chemical potential."""

    @property
    def moves(self) -> tuple[str, ...]:
        """The walkers."""
        return (self.quantity,)

    def one_way(self, tail: Local, head: Local, edge: Geometry) -> dict[str, tuple[Any, Any]]:
        """Hops each way, 1/s."""
        return {self.quantity: (self.onward * tail[self.quantity], self.back * head[self.quantity])}


def start_site(p: Values) -> int:
    """Where a walker starts that leaves at either end."""
    return max(1, 3 * p.sites // 10) if p.start_site is None else p.start_site


def bond(p: Values) -> int:
    """The bond whose crossings are told."""
    return p.sites // 2 if p.bond is None else p.bond


def lattice(p: Values, sites: int, boundaries: list[Any], start: Any) -> Model:
    """Sites 0 to ``sites`` with these conditions at the places left, right and start."""
    tail = np.arange(sites)
    rate = p.hop_probability / p.time_step
    places = {"left": 0, "right": sites, "start": min(start_site(p), sites - 1)}
    return sf.Model(
        sf.graph(sites + 1, (tail, tail + 1), places=places, position=np.arange(sites + 1.0) * p.spacing),
        [sf.Population("N")],
        [Hop(0.5 * rate * (1.0 + p.bias), 0.5 * rate * (1.0 - p.bias))],
        boundaries,
        start={"N": start},
    )


def model(p: Values) -> Model:
    """The lattice between its ends, at the start half filled from each."""
    if start_site(p) >= p.sites or bond(p) >= p.sites:
        raise InputError(f"start_site and bond must be smaller than sites, {p.sites}.")
    if p.left == "source" and p.right == "reflecting":
        raise InputError("What the source feeds could leave nowhere; let the right end be held or absorbing.")
    if abs(p.bias) == 1.0 and (p.left == "reflecting" or p.right == "reflecting"):
        raise InputError("All walkers would end at one reflecting end; give a bias between -1 and 1.")
    boundaries: list[Any] = []
    if p.left == "held":
        boundaries.append(sf.Hold("left", {"N": p.left_number}))
    elif p.left == "source":
        boundaries.append(sf.Influx("left", {"N": p.source}))
    if p.right != "reflecting":
        boundaries.append(sf.Hold("right", {"N": p.right_number if p.right == "held" else 0.0}))
    half = np.arange(p.sites + 1) <= p.sites // 2
    start = np.where(half, p.left_number, 0.0 if p.right == "absorbing" else p.right_number)
    if p.left == p.right == "reflecting" and not start.any():
        raise InputError("There is nobody on this closed lattice; give a left_number or a right_number above zero.")
    return lattice(p, p.sites, boundaries, start)


@partial(jax.jit, static_argnums=2)
def propagated(model: Model, numbers: Any, held: bool, step: Any, count: Any) -> Any:
    """Mean numbers, (site,), after so many steps: the explicit steps of the engine's own equation; with ``held`` the
    ends absorb."""

    def once(_: Any, n: Any) -> Any:
        n = n - step * balance(model, State(n[:, None], jnp.zeros(0)))[:, 0]
        return n.at[0].set(0.0).at[-1].set(0.0) if held else n

    return jax.lax.fori_loop(0, count, once, numbers)


def free_walk(p: Values) -> tuple[np.ndarray, np.ndarray, Model]:
    """Where a free walker is after the steps: displacements in spacings, their chances, and the lattice."""
    drift = abs(p.hop_probability * p.bias) * p.steps
    width = min(p.steps + 1, int(drift + WIDE * np.sqrt(p.hop_probability * p.steps) + 40.0))
    start = np.zeros(2 * width + 1)
    start[width] = 1.0
    room = lattice(p, 2 * width, [], start)
    chances = np.asarray(propagated(room, jnp.asarray(start), False, p.time_step, p.steps))
    return np.arange(-width, width + 1.0), chances, room


def free_numbers(p: Values) -> dict[str, Any]:
    """Moments of a free walk, by the lattice and by the walkers themselves."""
    x, chances, room = free_walk(p)
    mean = float(chances @ x)
    variance = float(chances @ (x - mean) ** 2)
    fourth = float(chances @ (x - mean) ** 4)
    duration = p.steps * p.time_step
    walkers = max(1, round(p.walkers / p.groups))
    found = sf.sample(
        room,
        duration,
        start=State(jnp.asarray(np.where(x == 0.0, float(walkers), 0.0))[:, None], jnp.zeros(0)),
        runs=p.groups,
        seed=p.seed,
        method="lattice",
        step=p.time_step,
        more=10**9,
    )
    drawn = found.trajectories("N")[:, -1, :]
    centre = drawn.sum(axis=0) @ x / drawn.sum()
    squares = (drawn @ (x - centre) ** 2) / drawn.sum(axis=1)
    scale = p.spacing**2 / (2.0 * duration)
    return {
        "variance": variance * p.spacing**2,
        "kurtosis_excess": fourth / variance**2 - 3.0 if variance > 0 else float("nan"),
        "return_probability": float(chances[x == 0.0][0]),
        "return_gaussian": 1.0 / np.sqrt(2.0 * np.pi * p.hop_probability * p.steps),
        "drift_velocity": mean * p.spacing / duration,
        "diffusivity": variance * scale,
        "diffusivity_measured": float(squares.mean()) * scale,
        "diffusivity_error": float(squares.std(ddof=1) / np.sqrt(p.groups)) * scale,
        "displacement": (x * p.spacing).tolist(),
        "displaced_share": chances.tolist(),
        "displaced_share_sampled": (drawn.sum(axis=0) / drawn.sum()).tolist(),
    }


def leaving(p: Values) -> dict[str, float]:
    """Where and when a walker leaves a lattice with two absorbing ends, from a steady supply at its start."""
    empty = [sf.Hold("left", {"N": 0.0}), sf.Hold("right", {"N": 0.0})]
    supply = 1.0 / p.time_step
    found = sf.steady(lattice(p, p.sites, [*empty, sf.Influx("start", {"N": supply})], 0.0))
    first = np.zeros(p.sites + 1)
    first[start_site(p)] = 1.0
    left = propagated(lattice(p, p.sites, empty, 0.0), jnp.asarray(first), True, p.time_step, p.steps)
    return {
        "exit_right": -float(found.flow("N", "right")) / supply,
        "exit_time": float(jnp.sum(found["N"])) / supply,
        "survival": float(jnp.sum(left)),
    }


def crossings(p: Values, solution: Solution) -> dict[str, float]:
    """Means and variances of counts: walkers are independent, so that both ways add up in the variance."""
    n = np.asarray(solution["N"])
    rate = 0.5 * p.hop_probability
    at = bond(p)
    there, back = rate * (1 + p.bias) * n[at], rate * (1 - p.bias) * n[at + 1]
    found = {"bond_mean": float(there - back), "bond_variance": float(there + back)}
    if p.left != "held" or p.right == "reflecting":
        return found
    # Who goes all the way from one end to the other: the flux with the other end empty.
    far = p.right_number if p.right == "held" else 0.0
    ways = []
    for a, b, out in ((p.left_number, 0.0, "right"), (0.0, far, "left")):
        ends = [sf.Hold("left", {"N": a}), sf.Hold("right", {"N": b})]
        ways.append(float(sf.steady(lattice(p, p.sites, ends, 0.0)).flow("N", out)))
    mean, variance = (ways[1] - ways[0]) * p.time_step, -(ways[0] + ways[1]) * p.time_step
    found["transfer_variance_per_step"] = variance
    if mean != 0.0:
        found["relative_error"] = float(np.sqrt(variance / p.sampled_steps)) / abs(mean)
    return found


def counted(p: Values, solution: Solution) -> dict[str, Any]:
    """The flux and the numbers as the walkers show them."""
    mean = np.asarray(solution["N"])
    free = ~np.asarray(solution.model.layout.held)[:, 0]
    if mean[free].sum() == 0.0:
        return {}
    found = sf.sample(
        solution.model,
        p.sampled_steps * p.time_step,
        start=solution,
        poisson_start=bool(p.left != "reflecting" or p.right != "reflecting"),
        walkers=p.walkers / p.groups,
        runs=p.groups,
        seed=p.seed,
        method="lattice",
        step=p.time_step,
        more=10**9,
    )
    bonds = found.crossings("N")[:, -1] / (p.sampled_steps * p.time_step)
    flux = bonds.mean(axis=1)
    numbers = found.number("N")
    return {
        "flux_sampled": float(flux.mean()),
        "flux_error": float(flux.std(ddof=1) / np.sqrt(p.groups)),
        "bond_fluxes_sampled": bonds.mean(axis=0).tolist(),
        "profile_sampled": np.where(free, numbers.mean[-1], mean).tolist(),
        "profile_error": np.where(free, numbers.error[-1], 0.0).tolist(),
        "walker_weight": found.weight,
    }


@lru_cache(maxsize=8)
def of_the_walk(given: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    """What does not depend on the numbers on the lattice; kept, as a run in time asks for it at each of its times."""
    p = Values(dict(given))
    slowest = -float(sf.spectrum(sf.steady(model(p)), 1).rates[0].real)
    free = free_numbers(p)
    with np.errstate(divide="ignore"):  # on three sites a walker that always hops is gone at once
        decay = -float(np.log1p(-min(slowest * p.time_step, 1.0))) / p.time_step
    limit = free["diffusivity"] * (np.pi / (p.sites * p.spacing)) ** 2
    if free["drift_velocity"]:
        limit += free["drift_velocity"] ** 2 / (4.0 * free["diffusivity"])
    return {**free, **leaving(p), "decay_rate": decay, "decay_rate_continuum": limit}


def answers(p: Values, solution: Solution) -> dict[str, Any]:
    """The deterministic numbers of the lattice, and the same as sampled (from the steady state only)."""
    profile = np.asarray(solution["N"])
    return {
        "flux_exact": float(jnp.mean(solution.along("N", "interior"))),
        "profile": profile.tolist(),
        "position": (np.arange(p.sites + 1.0) * p.spacing).tolist(),
        "occupation_mid": float(profile[p.sites // 2]),
        **crossings(p, solution),
        **of_the_walk(tuple(p.items.items())),
        **(counted(p, solution) if solution.rate is None else {}),
    }


def figure(result: Result) -> Figure:
    """Numbers along the lattice and a free walk, each sampled, exact and in the limit of diffusion."""
    a, p = result.answers, result.parameters
    fig = Figure(figsize=(11.0, 4.0), layout="constrained")
    left, right = fig.subplots(1, 2)
    x = np.array(a["position"]) * 1e9
    if "profile_sampled" in a:
        left.errorbar(x, a["profile_sampled"], a["profile_error"], fmt=".", color="C7", label="sampled, 1 std. error")
    left.plot(x, a["profile"], color="C0", label="mean numbers (Fick)")
    left.set_xlabel("position / nm")
    left.set_ylabel("walkers on a site")
    title = f"flux {a['flux_exact']:.4g}"
    if "flux_sampled" in a:
        title += f", sampled {a['flux_sampled']:.4g} ± {a['flux_error']:.2g}"
    left.set_title(f"{title} per s")
    left.legend()
    x, share = np.array(a["displacement"]), np.array(a["displaced_share"])
    spread, shift = np.sqrt(a["variance"]), a["drift_velocity"] * p.steps * p.time_step
    near = np.abs(x - shift) <= 5.0 * spread + p.spacing
    right.bar(x[near] * 1e9, np.array(a["displaced_share_sampled"])[near], 0.8 * p.spacing * 1e9, color="C7")
    right.plot(x[near] * 1e9, share[near], "C0.", label="lattice, exactly")
    fine = np.linspace(x[near][0], x[near][-1], 400)
    right.plot(fine * 1e9, norm.pdf(fine, shift, spread) * p.spacing, "C3", label="diffusion")
    right.set_yscale("log")
    right.set_ylim(1e-6, 3.0 * share.max())
    right.set_xlabel("displacement / nm")
    right.set_ylabel(f"share after {p.steps} steps (bars: sampled)")
    right.set_title(f"D {a['diffusivity']:.4g}, sampled {a['diffusivity_measured']:.4g} m²/s")
    right.legend()
    return fig


SYSTEM = System(
    name="random_walk",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units={
        **dict.fromkeys(("diffusivity", "diffusivity_measured", "diffusivity_error"), "m^2/s"),
        **dict.fromkeys(("flux_exact", "flux_sampled", "flux_error", "bond_fluxes_sampled"), "1/s"),
        **dict.fromkeys(("profile", "profile_sampled", "profile_error", "occupation_mid", "walker_weight"), ""),
        **dict.fromkeys(("position", "displacement"), "m"),
        **dict.fromkeys(("bond_mean", "bond_variance", "transfer_variance_per_step", "relative_error"), ""),
        **dict.fromkeys(("kurtosis_excess", "return_probability", "return_gaussian", "exit_right", "survival"), ""),
        **dict.fromkeys(("displaced_share", "displaced_share_sampled"), ""),
        **dict.fromkeys(("decay_rate", "decay_rate_continuum"), "1/s"),
        "variance": "m^2",
        "drift_velocity": "m/s",
        "exit_time": "s",
    },
    claims=CLAIMS,
    figure=figure,
)
