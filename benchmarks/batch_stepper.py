"""Batches in time: many small problems in one compiled program, beside loops over `evolve` and over bare SUNDIALS.

python benchmarks/batch_stepper.py [--members 256] [--budget 20]

Two problems, each at many values of one number: a slab that takes up and consumes what diffuses in (41 nodes), and a
vesicle that swells (3 unknowns). Bare SUNDIALS is CVODE with the right side and its Jacobian written by hand in NumPy,
called once a member. Times are warm, the loops over `evolve` are timed on some members and multiplied.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import one_thread  # noqa: F401  (must come before NumPy)

# isort: split
import jax
import numpy as np
from sksundae.cvode import CVODE

import steadyflux as sf
from problems import Array
from steadyflux.ground.constants import R
from timing import paired_medians, seconds

RTOL = 1e-6
SAMPLE = 16  # members on which `evolve` is timed

# ---- a slab that consumes ----

NODES, THICKNESS, DIFFUSIVITY, HALF = 41, 1e-4, 1e-9, 0.5


def slab_model(consumption: float) -> sf.Model:
    """Empty at first, held at 1 mol/m^3 on the left, sealed on the right; consumes by Michaelis and Menten's law."""
    return sf.Model(
        sf.interval(THICKNESS, cells=NODES),
        [sf.Species("c")],
        [sf.Fick("c", DIFFUSIVITY), sf.MichaelisMenten({"c": -1}, consumption, HALF)],
        [sf.Hold("left", {"c": 1.0})],
        start={"c": 0.0},
    )


def slab_floor(consumption: float, times: Array) -> Array:
    """The same by hand: the free nodes' concentrations, (time, node)."""
    step = THICKNESS / (NODES - 1)
    n = NODES - 1
    exchange = np.full(n, DIFFUSIVITY / step**2)
    exchange[-1] *= 2.0  # the last cell is half as wide

    def rates(t: float, c: Array, out: Array) -> None:
        left = np.concatenate([[1.0], c[:-1]])
        right = np.concatenate([c[1:], [c[-1]]])
        flow = left - c + (right - c)
        out[:] = exchange * flow - consumption * c / (HALF + c)

    def matrix(t: float, c: Array, rate: Array, out: Array) -> None:
        d = np.arange(n)
        out[d, d] = -2.0 * exchange - consumption * HALF / (HALF + c) ** 2
        out[-1, -1] += exchange[-1]
        out[d[1:], d[:-1]] = exchange[1:]
        out[d[:-1], d[1:]] = exchange[:-1]

    solver = CVODE(rates, rtol=RTOL, atol=1e-2 * RTOL, linsolver="band", lband=1, uband=1, jacfn=matrix)
    return solver.solve(np.concatenate([[0.0], times]), np.zeros(n)).y[1:]


# ---- a vesicle that swells ----

AREA, WATER, OUTSIDE, IMPERMEANT, VOLUME, TEMPERATURE = 6e-10, 3e-13, 220.0, 100.0, 1e-15, 298.15


def vesicle_model(leak: float) -> sf.Model:
    """A cell in a bath of 220 mol/m^3 that leaks through its membrane; water follows."""
    return sf.Model(
        sf.network({"cell": VOLUME, "bath": 1e-3}, {"membrane": [("cell", "bath")]}, area=AREA),
        [sf.Species("S"), sf.Species("X", where="cell"), sf.Size("w", where="cell")],
        [sf.Transfer("S", leak, on="membrane"), sf.WaterFlow("w", WATER, on="membrane")],
        [sf.Hold("bath", {"S": OUTSIDE})],
        start={"S": 40.0, "X": IMPERMEANT, "w": VOLUME},
    )


def vesicle_floor(leak: float, times: Array) -> Array:
    """The same by hand in amount of S and volume, both over their start: concentration and volume, (time, 2)."""
    full = 40.0 * VOLUME
    water = WATER * AREA * R * TEMPERATURE

    def rates(t: float, y: Array, out: Array) -> None:
        inside, fixed = y[0] * full / (y[1] * VOLUME), IMPERMEANT / y[1]
        out[0] = leak * AREA * (OUTSIDE - inside) / full
        out[1] = water * (inside + fixed - OUTSIDE) / VOLUME

    def matrix(t: float, y: Array, rate: Array, out: Array) -> None:
        inside, fixed = y[0] * full / (y[1] * VOLUME), IMPERMEANT / y[1]
        out[0, 0] = -leak * AREA / full * inside / y[0]
        out[0, 1] = leak * AREA / full * inside / y[1]
        out[1, 0] = water / VOLUME * inside / y[0]
        out[1, 1] = -water / VOLUME * (inside + fixed) / y[1]

    solver = CVODE(rates, rtol=RTOL, atol=1e-2 * RTOL, linsolver="dense", jacfn=matrix)
    y = solver.solve(np.concatenate([[0.0], times]), np.ones(2)).y[1:]
    return np.stack([y[:, 0] * full / (y[:, 1] * VOLUME), y[:, 1] * VOLUME], axis=1)


# ---- the table ----


@dataclass(frozen=True)
class Problem:
    """One problem: model and floor as functions of its number, the numbers, the end, and what is compared."""

    title: str
    model: Callable[..., sf.Model]
    floor: Callable[[float, Array], Array]
    low: float
    high: float
    until: float
    answer: Callable[..., Any]


PROBLEMS = (
    Problem("slab, 41 nodes", slab_model, slab_floor, 0.01, 1.0, 20.0, lambda run: run["c"][:, 1:]),
    Problem(
        "vesicle, 3 unknowns",
        vesicle_model,
        vesicle_floor,
        1e-8,
        1e-5,
        60.0,
        lambda run: jax.numpy.stack([run["S"][:, 0], run["w"][:, 0]], axis=1),
    ),
)


def _apart(found: Array, expected: Array) -> float:
    """Largest difference over the largest value of each column's quantity."""
    size = np.abs(expected).max(axis=(0, 1)) if expected.shape[-1] == 2 else np.abs(expected).max()
    return float(np.max(np.abs(found - expected) / size))


def compare(problem: Problem, members: int, budget: float) -> bool:
    """Print one problem's lines; whether all answers agree to a hundred tolerances."""
    numbers = np.geomspace(problem.low, problem.high, members)
    times = np.linspace(problem.until / 10, problem.until, 10)
    run = jax.jit(jax.vmap(lambda p: problem.answer(sf.march(problem.model(p), problem.until, times=times, rtol=RTOL))))

    def engine() -> Array:
        return np.asarray(run(numbers))

    def floor() -> Array:
        return np.stack([problem.floor(float(p), times) for p in numbers])

    some = numbers[:: max(1, members // SAMPLE)]

    def one_by_one() -> Array:
        runs = [sf.evolve(problem.model(float(p)), problem.until, times=times, rtol=RTOL) for p in some]
        return np.stack([np.asarray(problem.answer(one)) for one in runs])

    exact = np.stack([np.asarray(problem.answer(_tight(problem, float(p), times))) for p in some])
    begun = time.perf_counter()
    found = engine()
    first = time.perf_counter() - begun
    every = max(1, members // SAMPLE)
    errors = [_apart(answers, exact) for answers in (found[::every], floor()[::every], one_by_one())]
    floor_s, engine_s, ratio = paired_medians(floor, engine, budget)
    evolve_s = min(seconds(one_by_one) for _ in range(2)) / len(some) * members
    print(f"{problem.title}, {members} members, rtol {RTOL:g}; first call of march {first:.1f} s")
    print(f"  {'':22s}{'ms a member':>12s}{'error':>10s}{'march takes':>13s}")
    lines = (
        ("march, one call", engine_s, 1.0),
        ("bare CVODE, one by one", floor_s, ratio),
        ("evolve, one by one", evolve_s, engine_s / evolve_s),
    )
    for (name, taken, share), error in zip(lines, errors, strict=True):
        print(f"  {name:22s}{1e3 * taken / members:12.3f}{error:10.1e}{share:13.4f}", flush=True)
    return max(errors) < 100 * RTOL


def _tight(problem: Problem, number: float, times: Array) -> sf.History:
    return sf.evolve(problem.model(number), problem.until, times=times, rtol=1e-10, atol=1e-11)


def main() -> int:
    """Print both problems; exit status 1 if an answer is further than a hundred tolerances from the exact one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=256)
    parser.add_argument("--budget", type=float, default=20.0, help="seconds of repeats a problem (default 20)")
    options = parser.parse_args()
    return 0 if all([compare(problem, options.members, options.budget) for problem in PROBLEMS]) else 1


if __name__ == "__main__":
    raise SystemExit(main())
