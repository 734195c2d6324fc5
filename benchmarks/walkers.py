"""A million walkers for a thousand steps: `sf.sample` beside Numba loops that follow each walker, on the same cores.

python benchmarks/walkers.py [--walkers 1000000] [--steps 1000] [--budget 60]

Two walks between sealed ends, from an even start: hops on a lattice of 201 sites (one in five steps each way at most),
and Brownian motion in an interval. The Numba loops are compiled for all cores, one walker after the other in each; they
draw from Numba's own generator. The engine counts the lattice's walkers by site, and follows the Brownian ones each by
itself in NumPy, in as many threads as there are cores. Times are warm; the last column is how far the two variances of
the place are apart, in standard errors.
"""

from __future__ import annotations

import argparse
import math
import os

import one_thread  # noqa: F401  (must come before NumPy)

# isort: split
import numba
import numpy as np

import steadyflux as sf
from timing import paired_medians

SITES = 201
CHANCE = 0.4  # of a hop in one step, either way
LENGTH, SPREAD = 1.0, 0.004  # m; of one Brownian step, m
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@numba.njit(parallel=True)
def hops(walkers: int, steps: int, sites: int, chance: float) -> np.ndarray:
    """Place of each walker on the lattice after all steps, (walker,)."""
    places = np.empty(walkers, np.int64)
    for w in numba.prange(walkers):
        at = w % sites
        for _ in range(steps):
            u = np.random.random()
            if u < 0.5 * chance:
                if at > 0:
                    at -= 1
            elif u < chance and at < sites - 1:
                at += 1
        places[w] = at
    return places


@numba.njit(parallel=True)
def paths(walkers: int, steps: int, length: float, spread: float) -> np.ndarray:
    """Place of each Brownian walker after all steps, (walker,), m; one deviate a step, folded at the ends."""
    places = np.empty(walkers)
    for w in numba.prange(walkers):
        x = np.random.random() * length
        for _ in range(steps):
            x = abs(x + spread * np.random.normal())
            x = length - abs(length - x)
        places[w] = x
    return places


def lattice() -> sf.Model:
    """The lattice: a walker at an end stays there when its hop would lead out."""
    tail = np.arange(SITES - 1)
    return sf.Model(
        sf.graph(SITES, (tail, tail + 1)), [sf.Population("N")], [sf.Fick("N", 0.5 * CHANCE)], start={"N": 1.0}
    )


def interval() -> sf.Model:
    """The interval with the diffusivity that spreads as much in a step of one second."""
    return sf.Model(
        sf.interval(LENGTH, cells=51), [sf.Population("N")], [sf.Fick("N", 0.5 * SPREAD**2)], start={"N": 1.0}
    )


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """Difference of two samples' variances over its standard error."""
    error = [np.var((x - x.mean()) ** 2) / x.size for x in (one, other)]
    return float((np.var(one) - np.var(other)) / math.sqrt(sum(error)))


def main() -> None:
    """Print the table."""
    given = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    given.add_argument("--walkers", type=int, default=1_000_000)
    given.add_argument("--steps", type=int, default=1000)
    given.add_argument("--budget", type=float, default=60.0, help="seconds for each row")
    a = given.parse_args()
    numba.set_num_threads(min(CORES, numba.config.NUMBA_NUM_THREADS))
    each = a.walkers // CORES
    on_sites, between = lattice(), interval()

    def counted() -> np.ndarray:
        found = sf.sample(
            on_sites, float(a.steps), method="lattice", step=1.0, walkers=each, runs=CORES, seed=1, workers=CORES
        )
        return np.repeat(np.arange(SITES), found.trajectories("N")[:, -1].sum(axis=0))

    def followed() -> np.ndarray:
        found = sf.sample(
            between, float(a.steps), method="brownian", step=1.0, walkers=each, runs=CORES, seed=1, workers=CORES
        )
        return np.concatenate(found.places)

    print(f"{a.walkers} walkers, {a.steps} steps, {CORES} cores")
    print(f"{'walk':10} {'Numba / s':>10} {'engine / s':>10} {'ratio':>7} {'apart':>6}")
    for name, loop, engine in (
        ("lattice", lambda: hops(a.walkers, a.steps, SITES, CHANCE), counted),
        ("Brownian", lambda: paths(a.walkers, a.steps, LENGTH, SPREAD), followed),
    ):
        floor, ours, ratio = paired_medians(loop, engine, a.budget)
        print(f"{name:10} {floor:10.3f} {ours:10.3f} {ratio:7.3f} {apart(loop(), engine()):6.2f}", flush=True)


if __name__ == "__main__":
    main()
