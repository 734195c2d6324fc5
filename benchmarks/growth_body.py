"""Conduction in a cube: the engine over the hand-written multigrid Newton, growth and memory, each in a process.

python benchmarks/growth_body.py [nodes per edge ...]      (default 41 61 101)
"""

from __future__ import annotations

import json
import math
import resource
import subprocess
import sys
import time
from typing import Any

import one_thread  # noqa: F401  (must come before NumPy)

# isort: split
import numpy as np

WARM = 3  # timed solves after the first


def engine(nodes: int) -> dict[str, Any]:
    """First and warm seconds of the engine, the largest temperature, what solved, peak memory in GiB."""
    import steadyflux as sf

    row = np.linspace(0.0, 1.0, nodes)
    space = sf.grid(x=row, y=row, z=row)
    position = np.asarray(space.position)
    space = space.with_region("walls", ((position < 1e-12) | (position > 1 - 1e-12)).any(axis=1))
    model = sf.Model(
        space,
        [sf.Heat()],
        [sf.Fourier(sf.Polynomial((1.0, 0.5))), sf.Source("T", 1.0)],
        [sf.Hold("walls", {"T": 0.0})],
    )
    times = []
    for _ in range(1 + WARM):
        begin = time.perf_counter()
        solution = sf.steady(model)
        times.append(time.perf_counter() - begin)
    return _told(times, float(np.max(np.asarray(solution["T"]))), str(solution.outcome.solver))


def floor(nodes: int) -> dict[str, Any]:
    """The same for the hand-written solver; its pattern is not counted, as the engine's is not when warm."""
    from floor_body import Cube, solved

    cube, times = Cube(nodes), []
    for _ in range(1 + WARM):
        begin = time.perf_counter()
        T = solved(cube)
        times.append(time.perf_counter() - begin)
    return _told(times, float(T.max()), "pyamg, BiCGStab")


def _told(times: list[float], top: float, solver: str) -> dict[str, Any]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"first": times[0], "warm": float(np.median(times[1:])), "top": top, "solver": solver, "peak": peak}


def measured(side: str, nodes: int) -> dict[str, Any]:
    """One side in a process of its own."""
    told = subprocess.run(
        [sys.executable, __file__, "--one", side, str(nodes)], capture_output=True, text=True, timeout=1800, check=False
    )
    if told.returncode:
        raise SystemExit(f"{side} {nodes}: {told.stderr.strip().splitlines()[-1]}")
    return json.loads(told.stdout)


def main() -> int:
    """A line for each size; exit status 1 where the two sides disagree."""
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps({"engine": engine, "floor": floor}[sys.argv[2]](int(sys.argv[3]))))
        return 0
    before: tuple[int, float] | None = None
    for nodes in [int(n) for n in sys.argv[1:]] or [41, 61, 101]:
        bare, ours = measured("floor", nodes), measured("engine", nodes)
        if not math.isclose(bare["top"], ours["top"], rel_tol=1e-8):
            print(f"{nodes}^3: the largest temperatures differ, {bare['top']} and {ours['top']}")
            return 1
        growth = ""
        if before is not None:
            growth = f", n^{math.log(ours['warm'] / before[1]) / (3 * math.log(nodes / before[0])):.2f}"
        print(
            f"{nodes}^3: engine {ours['warm']:.3g} s (first {ours['first']:.3g} s, {ours['solver']}), floor "
            f"{bare['warm']:.3g} s, ratio {ours['warm'] / bare['warm']:.2f}{growth}, peak {ours['peak']:.2f} GiB"
        )
        before = (nodes, ours["warm"])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
