"""How the engine's cost grows with a network: warm seconds, growth exponent, peak memory, each size in its own process.

python benchmarks/growth_network.py [tree|lattice] [largest]
"""

from __future__ import annotations

import json
import math
import resource
import subprocess
import sys

import one_thread  # noqa: F401  (must come before NumPy)

# isort: split
from engine_network import inflow
from timing import median_seconds

SIZES = (1_000, 10_000, 100_000, 1_000_000)


def measure(kind: str, nodes: int) -> dict[str, float]:
    """One size in this process: median seconds of a warm solve, peak resident memory in GiB (imports included)."""
    solve = inflow(kind, nodes)
    solve()  # compiles
    seconds = median_seconds(solve, 6.0 if nodes < 1_000_000 else 1.0)
    return {"seconds": seconds, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}


def main() -> int:
    """Print a line for each size; exit status 1 if a size fails."""
    if len(sys.argv) == 4 and sys.argv[1] == "--one":
        print(json.dumps(measure(sys.argv[2], int(sys.argv[3]))))
        return 0
    kind = sys.argv[1] if len(sys.argv) > 1 else "tree"
    largest = int(sys.argv[2]) if len(sys.argv) > 2 else SIZES[-1]
    before: tuple[int, float] | None = None
    for nodes in (size for size in SIZES if size <= largest):
        told = subprocess.run(
            [sys.executable, __file__, "--one", kind, str(nodes)],
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        if told.returncode:
            print(f"{kind} {nodes}: {told.stderr.strip().splitlines()[-1]}")
            return 1
        found = json.loads(told.stdout)
        growth = (
            "" if before is None else f"n^{math.log(found['seconds'] / before[1]) / math.log(nodes / before[0]):.2f}"
        )
        print(f"{kind:8s} {nodes:8d} {found['seconds']:9.4f} s {growth:7s} {found['peak']:5.2f} GiB", flush=True)
        before = (nodes, found["seconds"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
