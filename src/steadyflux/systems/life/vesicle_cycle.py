"""The synaptic vesicle cycle: five pools joined by release, two ways of retrieval, storage and priming.

Seeds: A

A nerve terminal reuses a fixed number of vesicles. Ready ones fuse with the membrane when a stimulus comes; their
membrane is taken back directly or in bulk through an endosome; from the recycling pool vesicles go to the reserve and
back, or are primed and are ready again. Under a steady train of stimuli the pools settle so that as much arrives at
each as leaves it.

## Equations

    dN_i/dt = sum of the fluxes into i - sum of the fluxes out of i,   flux of a step = k N / (1 + N / K)

with N the pool that the step leaves. K is infinite for linear kinetics; with `kinetics = saturable` both ways of
retrieval have a capacity, k K. Steps: release (ready to fused, release probability times stimulus frequency), direct
(fused to recycling), bulk (fused to endosome), budding (endosome to recycling), sorting (endosome to reserve),
storing (recycling to reserve), mobilising (reserve to recycling), priming (recycling to ready).

The flux control coefficient of a step is d ln J / d ln k, the share of the control over the release rate J that the
step has; all of them together make 1 (Kacser and Burns 1973; Heinrich and Rapoport 1974). They are exact derivatives
of the steady state. The bottleneck is the step with the largest.

With `sampled_runs` single vesicles are followed by chance: from the steady state over `sampled_time` (by default ten
relaxation times) to forget where they began, then as long again to count. `sampled_pools` and `sampled_release_rate`
come with standard errors over the runs. With linear steps each vesicle goes its own way, and a pool's variance is
binomial, N_i (1 - N_i / N); where retrieval is saturable the mean of few vesicles is not quite the deterministic one.

## What to look for

Which step limits release is not the slowest step but the one with the largest control, and it changes with the
stimulus. Block one way of retrieval and the other takes over, with the vesicles piling up before it. A step into
storage has negative control: it robs the cycle.

## Limits

Rates that do not depend on calcium; the terminal makes no new
vesicles.

## Sources

Pools: Rizzoli and Betz 2005; Denker and Rizzoli 2010. Rates are typical of a hippocampal bouton at 20 Hz (time
constant of retrieval 15 s: Granseth et al. 2006). Saturating retrieval: Heinemann et al. 1993 (pool models).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.ground.errors import InputError
from steadyflux.model.model import Model
from steadyflux.model.solution import Solution
from steadyflux.physics.law import EdgeLaw, parameter
from steadyflux.physics.local import Geometry, Local
from steadyflux.systems.system import Choice, Claim, Comparison, Parameter, Result, System, Values

POOLS = ("ready", "fused", "endosome", "recycling", "reserve")
STEPS = {
    "release": ("ready", "fused"),
    "direct": ("fused", "recycling"),
    "bulk": ("fused", "endosome"),
    "budding": ("endosome", "recycling"),
    "sorting": ("endosome", "reserve"),
    "storing": ("recycling", "reserve"),
    "mobilising": ("reserve", "recycling"),
    "priming": ("recycling", "ready"),
}
TYPICAL = "hippocampal bouton (typical)"

PARAMETERS = (
    Parameter("total_vesicles", 200.0, "", "Rizzoli and Betz 2005 (typical)", 1e-3, 1e9),
    Parameter("stimulus_frequency", 20.0, "1/s", "moderate train", 1e-6, 1e4),
    Parameter("release_probability", 0.045, "", "per ready vesicle and stimulus (typical)", 1e-9, 1.0),
    Parameter("direct_rate", 0.065, "1/s", "time constant 15 s: Granseth et al. 2006", 1e-9, 1e6),
    Parameter("bulk_rate", 0.02, "1/s", TYPICAL, 1e-9, 1e6),
    Parameter("budding_rate", 0.03, "1/s", TYPICAL, 1e-9, 1e6),
    Parameter("sorting_rate", 0.002, "1/s", TYPICAL, 1e-9, 1e6),
    Parameter("storing_rate", 0.01, "1/s", TYPICAL, 1e-9, 1e6),
    Parameter("mobilising_rate", 0.004, "1/s", TYPICAL, 1e-9, 1e6),
    Parameter("priming_rate", 0.12, "1/s", TYPICAL, 1e-9, 1e6),
    Choice("kinetics", "linear", ("linear", "saturable"), "kinetics of retrieval"),
    Parameter("direct_half", 25.0, "", "fused vesicles at half the capacity of direct retrieval (typical)", 1e-3, 1e9),
    Parameter("bulk_half", 150.0, "", "fused vesicles at half the capacity of bulk retrieval (typical)", 1e-3, 1e9),
    Choice("blocks", "none", ("none", *STEPS), "step that is blocked in this run"),
    Parameter("block_factor", 0.1, "", "rate that a block leaves, as a share", 1e-6, 1.0),
    Parameter("sampled_runs", 0, "", "no sampling", 0, 100_000, whole=True),
    Parameter("sampled_time", None, "s", "ten relaxation times", 1e-9, 1e12),
    Parameter("seed", 1, "", "of the random numbers", 0, 2**31, whole=True),
)


class Passage(EdgeLaw):
    """One-way steps between pools: k N / (1 + N / K) with N in the pool that is left; ``crowding`` is 1 / K."""

    rate: Any = parameter("1/s", "rate of the step")
    crowding: Any = parameter("", "inverse half-saturation", default=0.0)
    quantity: str = eqx.field(static=True, default="N")

    @property
    def moves(self) -> tuple[str, ...]:
        """The vesicles."""
        return (self.quantity,)

    def one_way(self, tail: Local, head: Local, edge: Geometry) -> dict[str, tuple[Any, Any]]:
        """What passes, 1/s; nothing comes back the same way."""
        left = tail[self.quantity]
        return {self.quantity: (self.rate * left / (1.0 + left * self.crowding), jnp.zeros_like(left))}


def rates(p: Values) -> np.ndarray:
    """Rate constants of the steps, (step,), 1/s, with the block of the run."""
    release = p.stimulus_frequency * p.release_probability
    found = np.array([release, *(p.items[f"{step}_rate"] for step in list(STEPS)[1:])])
    if p.blocks != "none":
        found[list(STEPS).index(p.blocks)] *= p.block_factor
    return found


def cycle(p: Values, of_steps: Any) -> Model:
    """The five pools with these rate constants."""
    crowding = np.zeros(len(STEPS))
    if p.kinetics == "saturable":
        crowding[1], crowding[2] = 1.0 / p.direct_half, 1.0 / p.bulk_half
    return sf.Model(
        sf.network(dict.fromkeys(POOLS, 1.0), {"steps": list(STEPS.values())}),
        [sf.Population("N")],
        [Passage(of_steps, crowding, on="steps")],
        start={"N": p.total_vesicles / len(POOLS)},
    )


def model(p: Values) -> Model:
    """The cycle with the parameters' rates."""
    return cycle(p, rates(p))


def logarithms(p: Values, log_k: Any) -> Any:
    """Logarithms of the steady release rate and of the ready pool for these rate constants (differentiable)."""
    found = sf.steady(cycle(p, jnp.exp(log_k)))
    return jnp.log(jnp.stack([found.along("N", "steps")[0], found["N"][0]]))


def answers(p: Values, solution: Solution) -> dict[str, Any]:
    """Pools, fluxes, control, and what a block of each step would do."""
    pools, fluxes, k = np.asarray(solution["N"]), np.asarray(solution.along("N", "steps")), rates(p)
    flux = float(fluxes[0])
    control, ready_control = np.asarray(jax.jacrev(lambda log_k: logarithms(p, log_k))(jnp.log(k)))
    blocked = [
        float(sf.steady(cycle(p, np.where(np.arange(k.size) == i, p.block_factor * k, k))).along("N", "steps")[0])
        for i in range(k.size)
    ]
    return {
        "pools": pools.tolist(),
        **{name: float(pools[i]) for i, name in enumerate(POOLS)},
        "release_rate": flux,
        "route_fluxes": fluxes.tolist(),
        "bulk_share": float(fluxes[2]) / flux,
        "cycle_time": p.total_vesicles / flux,
        "control_coefficients": control.tolist(),
        "ready_control": ready_control.tolist(),
        "bottleneck": list(STEPS)[int(np.argmax(control))],
        "flux_after_block": blocked,
        **(sampled(p, solution) if p.sampled_runs else {}),
    }


def sampled(p: Values, solution: Solution) -> dict[str, Any]:
    """Pools and release as single vesicles show them, from the steady state."""
    if p.sampled_runs < 2 or p.total_vesicles != round(p.total_vesicles):
        raise InputError("Sampling takes at least two runs and a whole number of vesicles.")
    rest = sf.steady(solution.model)
    time = 10.0 * sf.spectrum(rest, 1).time if p.sampled_time is None else p.sampled_time
    found = sf.sample(solution.model, 2.0 * time, times=[time], start=rest, runs=p.sampled_runs, seed=p.seed)
    numbers, passed = found.number("N"), found.along("N", "steps", since=time)
    return {
        "sampled_pools": numbers.mean[-1].tolist(),
        "sampled_errors": numbers.error[-1].tolist(),
        "sampled_variances": numbers.variance[-1].tolist(),
        "sampled_release_rate": float(passed.mean[0]),
        "sampled_release_error": float(passed.error[0]),
    }


# Independent reference computation (exact linear algebra and roots by bisection) for two terminals: rates, total,
# halves, blocked step; then release rate, pools, control, share through bulk; rate, pools and bulk share after the
# block; the same saturable.
NAMES = ("direct_rate", "bulk_rate", "budding_rate", "sorting_rate", "storing_rate", "mobilising_rate", "priming_rate")
BOUTON = {"total_vesicles": 200.0, "stimulus_frequency": 20.0, "release_probability": 0.045} | dict(
    zip(NAMES, (0.065, 0.02, 0.03, 0.002, 0.01, 0.004, 0.12), strict=True)
)
CALYX = {"total_vesicles": 3000.0, "stimulus_frequency": 50.0, "release_probability": 0.05} | dict(
    zip(NAMES, (0.05, 0.3, 0.08, 0.03, 0.05, 0.01, 0.4), strict=True), direct_half=80.0, bulk_half=400.0
)
REFERENCE: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    (
        BOUTON,
        {
            "release_rate": 3.7684729064039413,
            "pools": [4.187192118226601, 44.33497536945813, 27.709359605911338, 31.403940886699512, 92.36453201970446],
            "cycle_time": 53.0718954248366,
            "control_coefficients": [
                0.020935960591133007,
                0.3284374094465372,
                -0.10676253259924659,
                0.19483143472906408,
                -0.056284636699507395,
                -0.39254926108374394,
                0.4618226600985223,
                0.5495689655172415,
            ],
        },
    ),
    (
        BOUTON | {"blocks": "direct"},
        {
            "release_rate": 1.9344046231053884,
            "pools": [2.1493384701170983, 72.99640087190144, 45.622750544938405, 16.120038525878236, 63.1114715871648],
            "bulk_share": 0.7547169811320754,
        },
    ),
    (
        BOUTON | {"kinetics": "saturable"},
        {
            "release_rate": 2.2953490807467145,
            "pools": [2.5503878674963496, 81.13753146044068, 32.90959943352252, 19.127909006222623, 64.27457223231782],
            "bulk_share": 0.4588004459566245,
            "control_coefficients": [
                0.007598363312251515,
                0.42914126376101125,
                0.21673212214038642,
                0.1378792629747643,
                -0.039831787081598576,
                -0.14246931210471586,
                0.19149305005129874,
                0.19945703694660225,
            ],
        },
    ),
    (
        CALYX,
        {
            "release_rate": 60.69683115245153,
            "pools": [
                24.278732460980613,
                173.41951757843296,
                472.96232066845346,
                151.74207788112884,
                2177.597351411004,
            ],
            "control_coefficients": [
                0.00809291082032687,
                0.0983461333453451,
                -0.040539627485867445,
                0.4586301291330458,
                -0.30097602224356124,
                -0.2529034631352147,
                0.7258657838036681,
                0.3034841557622576,
            ],
        },
    ),
    (
        CALYX | {"blocks": "budding", "block_factor": 0.2},
        {"release_rate": 32.33061568737701, "bulk_share": 0.8571428571428572},
    ),
    (
        CALYX | {"kinetics": "saturable"},
        {"release_rate": 54.409801299514726, "bulk_share": 0.9420328989411727},
    ),
)


def _reference(run: Callable[..., Result]) -> list[Comparison]:
    found = []
    for given, expected in REFERENCE:
        measured = run(**given).answers
        found += [Comparison(measured[name], value, 1e-9, 1e-12) for name, value in expected.items()]
    return found


def _sums(run: Callable[..., Result]) -> list[Comparison]:
    found = []
    for kinetics in ("linear", "saturable"):
        a = run(kinetics=kinetics, stimulus_frequency=7.0, total_vesicles=431.0).answers
        found.append(Comparison(sum(a["control_coefficients"]), 1.0, 1e-9))
        found.append(Comparison(sum(a["ready_control"]), 0.0, 0.0, 1e-9))
        found.append(Comparison(sum(a["pools"]), 431.0, 1e-12))
    return found


def _release_limited(run: Callable[..., Result]) -> list[Comparison]:
    # When stimuli are rare nearly every vesicle waits in the ready pool, and release alone has control.
    a = run(stimulus_frequency=1e-6).answers
    return [
        Comparison(a["control_coefficients"][0], 1.0, 1e-4),
        Comparison(a["release_rate"], 200.0 * 0.045e-6, 1e-4),
    ]


def _reroute(run: Callable[..., Result]) -> list[Comparison]:
    free, blocked = run().answers, run(blocks="direct", block_factor=1e-6).answers
    sharing = free["route_fluxes"][1] / free["route_fluxes"][2]
    return [
        Comparison(sharing, 0.065 / 0.02, 1e-10),
        Comparison(blocked["bulk_share"], 1.0, 1e-5),
        Comparison(blocked["route_fluxes"][2], blocked["release_rate"], 1e-5),
    ]


def _doubled(run: Callable[..., Result]) -> list[Comparison]:
    # Linear steps: twice the vesicles, twice the flux, the same control.
    one, two = run().answers, run(total_vesicles=400.0).answers
    return [
        Comparison(two["release_rate"], 2.0 * one["release_rate"], 1e-11),
        Comparison(two["control_coefficients"], one["control_coefficients"], 1e-9),
    ]


def _sampled(run: Callable[..., Result]) -> list[Comparison]:
    found = []
    for given in (BOUTON, BOUTON | {"blocks": "direct"}, CALYX):
        a = run(**given, sampled_runs=400).answers
        off = (np.array(a["sampled_pools"]) - np.array(a["pools"])) / np.array(a["sampled_errors"])
        found.append(Comparison(off, np.zeros(5), 0.0, 4.0))
        found.append(Comparison(a["sampled_release_rate"], a["release_rate"], 0.0, 4.0 * a["sampled_release_error"]))
        total = float(given["total_vesicles"])
        share = np.array(a["pools"]) / total
        binomial = total * share * (1.0 - share)
        found.append(Comparison(np.array(a["sampled_variances"]) / binomial, np.ones(5), 4.0 * np.sqrt(2.0 / 400)))
    return found


CLAIMS = (
    Claim("pools, fluxes and control of a bouton and a calyx", "independent reference computation", _reference),
    Claim("control over the flux adds up to 1, over the ready pool to 0", "Kacser and Burns 1973", _sums),
    Claim("at rare stimuli release alone has control", "limit", _release_limited),
    Claim("a block of direct retrieval sends the vesicles through the endosome", "limit", _reroute),
    Claim("single vesicles: mean within 4 standard errors, binomial variance", "law of large numbers", _sampled),
    Claim("with linear steps the flux is in proportion to the number of vesicles", "homogeneity", _doubled),
)


def figure(result: Result) -> Figure:
    """Pools, and for each step its control over release and the release that is left when it is blocked."""
    p, a = result.parameters, result.answers
    fig = Figure(figsize=(10.0, 4.0), layout="constrained")
    left, right = fig.subplots(1, 2, width_ratios=(1, 1.6))
    left.bar(POOLS, a["pools"], color="C0")
    if "sampled_pools" in a:
        scatter = np.sqrt(a["sampled_variances"])
        left.errorbar(POOLS, a["sampled_pools"], scatter, fmt="k.", capsize=3, label="sampled, with scatter of one run")
        left.legend(fontsize="small")
    left.set_ylabel("vesicles")
    left.set_title(f"release rate {a['release_rate']:.3g} per s")
    left.tick_params(axis="x", rotation=45)
    at = np.arange(len(STEPS))
    right.bar(at - 0.2, a["control_coefficients"], 0.4, label="flux control coefficient")
    share = np.array(a["flux_after_block"]) / a["release_rate"]
    right.bar(at + 0.2, share, 0.4, color="C1", label=f"release left at {p.block_factor:g} of the rate (share)")
    right.axhline(0.0, color="k", linewidth=0.8)
    right.set_xticks(at, list(STEPS), rotation=45)
    right.set_title(f"bottleneck: {a['bottleneck']}")
    right.legend(loc="upper center", fontsize="small", bbox_to_anchor=(0.5, -0.3), ncols=2)
    return fig


SYSTEM = System(
    name="vesicle_cycle",
    parameters=PARAMETERS,
    model=model,
    answers=answers,
    units={
        "pools": "",
        **dict.fromkeys(POOLS, ""),
        "release_rate": "1/s",
        "route_fluxes": "1/s",
        "bulk_share": "",
        "cycle_time": "s",
        "control_coefficients": "",
        "ready_control": "",
        "bottleneck": "",
        "flux_after_block": "1/s",
        **dict.fromkeys(("sampled_pools", "sampled_errors", "sampled_variances"), ""),
        **dict.fromkeys(("sampled_release_rate", "sampled_release_error"), "1/s"),
    },
    claims=CLAIMS,
    figure=figure,
)
