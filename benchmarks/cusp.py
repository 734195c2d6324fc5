"""Bahcall and Wolf's cusp: time of a steady state with integral coefficients at 400 energies, first and again."""

import time

import numpy as np

from steadyflux.solve.steady import steady
from steadyflux.systems.astro.galactic_cusp import SYSTEM

LIMIT = 2.0  # s, warm


def timed(cells: int, **given: object) -> tuple[float, float, int, float]:
    """Seconds of the first solve and (best of five, each with another sink) of a warm one, iterations, Q x_D."""
    model = SYSTEM.model(SYSTEM.values({"cells": cells, **given}))
    begun = time.perf_counter()
    solution = steady(model)
    first = time.perf_counter() - begun
    again = []
    for share in (1.1, 1.2, 1.3, 1.4, 1.5):
        other = SYSTEM.model(SYSTEM.values({"cells": cells, **given, "sink_energy": 1e4 * share}))
        begun = time.perf_counter()
        np.asarray(steady(other).state.u)
        again.append(time.perf_counter() - begun)
    return first, min(again), int(solution.outcome.iterations), -float(solution.flow("stars", "high")) * 1e4


def main() -> None:
    """Print one line for one mass and one for two."""
    for name, given in (("one mass", {}), ("two masses", {"masses": (1.0, 10.0), "abundances": (1.0, 1.0)})):
        first, warm, iterations, flux = timed(401, **given)
        print(
            f"{name}: first {first:.2f} s, warm {1e3 * warm:.1f} ms ({iterations} Newton steps, Q x_D = {flux:.6f}), "
            f"limit {LIMIT:g} s: {'kept' if warm < LIMIT else 'MISSED'}"
        )


if __name__ == "__main__":
    main()
