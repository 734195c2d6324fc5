"""Compare the engine with the hand-written floors: one table of ratios in one run, each pair timed in turns, medians.

python benchmarks/run.py [pnp|batch|network|gradient|all]
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass

import one_thread  # noqa: F401  (must come before NumPy)

# isort: split
import numpy as np

import floor_network
import floor_pnp_numpy
from problems import Array, PnpPore, batch_voltages, network
from timing import median_seconds, paired_medians

GROUPS = ("pnp", "batch", "network", "gradient")
Call = Callable[[], Array]


@dataclass(frozen=True)
class Benchmark:
    """One line of the table: the same problem solved by a floor and by the engine.

    ``key`` names the engine's side: the entry of that name in the dictionary ``ENGINES`` of the module
    ``engine_<group>``, a callable without arguments that sets the problem up once and returns the callable to be
    timed. Both timed callables return the same answer as an array; ``tolerance`` is the largest relative difference
    between the two that still counts as agreement. ``solves`` divides the seconds, for a batch.
    """

    group: str
    title: str
    key: str
    floor_name: str
    floor: Call
    tolerance: float
    solves: int = 1


def pnp_benchmarks() -> list[Benchmark]:
    """The pore solved from cold at one voltage."""
    pore = PnpPore()
    found = [
        Benchmark("pnp", "pore, 800 nodes", "pore", "NumPy, banded LAPACK", lambda: floor_pnp_numpy.fluxes(pore), 1e-8)
    ]
    if numba_floor is not None:
        compiled = numba_floor.fluxes
        found.append(Benchmark("pnp", "pore, 800 nodes", "pore", "Numba loop", lambda: compiled(pore), 1e-8))
    return found


def batch_benchmarks() -> list[Benchmark]:
    """The pore at 256 voltages, each from cold."""
    volts = batch_voltages()
    title, count = "pore at 256 voltages", volts.size
    found = [
        Benchmark("batch", title, "batch", "NumPy, one by one", lambda: floor_pnp_numpy.batch(volts), 1e-8, count),
    ]
    if numba_floor is not None:
        run = numba_floor.batch
        found += [
            Benchmark("batch", title, "batch", "Numba, one core", lambda: run(volts), 1e-8, count),
            Benchmark("batch", title, "batch", "Numba, all cores", lambda: run(volts, parallel=True), 1e-8, count),
        ]
    return found


def network_benchmarks() -> list[Benchmark]:
    """Inflow of a tree and of a square lattice, the better linear solver of the floor at each size."""
    cases = (
        ("tree", 1_000, "direct"),
        ("tree", 10_000, "direct"),
        ("tree", 100_000, "direct"),
        ("lattice", 1_000, "direct"),
        ("lattice", 10_000, "multigrid"),
        ("lattice", 100_000, "multigrid"),
    )
    found = []
    for kind, nodes, linear in cases:
        net = network(kind, nodes)

        def floor(net: floor_network.FlowNetwork = net, linear: str = linear) -> Array:
            return floor_network.inflow(net, linear)

        found.append(Benchmark("network", f"{kind}, {nodes} nodes", f"{kind}_{nodes}", f"SciPy, {linear}", floor, 1e-8))
    return found


def gradient_benchmarks() -> list[Benchmark]:
    """Flux of ion 1 by the fixed charge at every node and by six other parameters, its own cold solve included."""
    pore = PnpPore()
    return [
        Benchmark(
            "gradient",
            "flux by 806 parameters",
            "pore",
            "NumPy, adjoint by hand",
            lambda: floor_pnp_numpy.flux_gradient(pore)[1],
            1e-6,
        )
    ]


MAKERS: dict[str, Callable[[], list[Benchmark]]] = {
    "pnp": pnp_benchmarks,
    "batch": batch_benchmarks,
    "network": network_benchmarks,
    "gradient": gradient_benchmarks,
}
# Numba is an optional dependency: its floors are in the table where it is installed.
numba_floor = importlib.import_module("floor_pnp_numba") if importlib.util.find_spec("numba") else None


def engine_for(bench: Benchmark) -> Call | None:
    """The engine's callable for this line, or None where no module ``engine_<group>`` has one of that key."""
    name = f"engine_{bench.group}"
    if importlib.util.find_spec(name) is None:
        return None
    make = importlib.import_module(name).ENGINES.get(bench.key)
    return None if make is None else make()


def difference(engine: Array, floor: Array) -> float:
    """Largest difference between two answers, relative to the floor's largest entry; infinite if the shapes differ."""
    if np.shape(engine) != np.shape(floor):
        return float("inf")
    return float(np.abs(np.asarray(engine) - floor).max() / np.abs(floor).max())


def show(seconds: float) -> str:
    """Seconds in the unit that reads best."""
    return f"{1e3 * seconds:9.4f} ms" if seconds < 1.0 else f"{seconds:9.4f} s "


def main() -> int:
    """Print the table; exit status 1 if an engine's answer differs from a floor's by more than its tolerance."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("group", nargs="?", choices=(*GROUPS, "all"), default="all")
    parser.add_argument("--budget", type=float, default=6.0, help="seconds of repeats a line (default 6)")
    options = parser.parse_args()
    wanted = GROUPS if options.group == "all" else (options.group,)
    if numba_floor is None:
        print("Numba is not installed, so its floors are left out: pip install numba")
    times = f"{'floor takes':>12s} {'engine takes':>12s} {'engine/floor':>12s}"
    print(f"{'problem':24s} {'floor':24s} {times} {'difference':>10s}")
    wrong = 0
    for bench in (line for group in wanted for line in MAKERS[group]()):
        engine = engine_for(bench)
        head = f"{bench.title:24s} {bench.floor_name:24s}"
        if engine is None:
            alone = median_seconds(bench.floor, options.budget / 2) / bench.solves
            print(f"{head} {show(alone)}   no engine side (engine_{bench.group}.py, key {bench.key!r})", flush=True)
            continue
        apart = difference(engine(), bench.floor())
        floor_s, engine_s, ratio = paired_medians(bench.floor, engine, options.budget)
        agrees = apart <= bench.tolerance
        wrong += not agrees
        print(
            f"{head} {show(floor_s / bench.solves)} {show(engine_s / bench.solves)} {ratio:12.2f} {apart:10.1e}"
            f"{'' if agrees else '  DISAGREES'}",
            flush=True,
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
