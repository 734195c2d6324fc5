"""A cyclic voltammogram to 1e-4 of its peak current: the engine over SUNDIALS called by hand, warm, in turns.

The engine twice: `march`, its own compiled stepper for small problems, and `evolve`, which calls SUNDIALS too.

python benchmarks/voltammetry.py
"""

from __future__ import annotations

from collections.abc import Callable

import one_thread  # noqa: F401  (must come before NumPy)

# isort: split
import numpy as np

import floor_voltammetry as bare
import steadyflux as sf
from timing import paired_medians

GROWTH, RTOL = 0.02, 1e-6  # of the grid and the run that both sides take
MARCH = 1e-5  # tolerance of the compiled stepper, whose errors stay further below it
FINE = 0.0025, 1e-10  # of the run that tells the error
ASKED = np.linspace(0.0, bare.END, 121)[1:]


def model(growth: float) -> sf.Model:
    """The electrode and its bath in the engine's words."""
    bulk = {"O": bare.BULK, "R": 0.0}
    law = sf.ButlerVolmer({"O": -1, "R": 1}, 1, bare.FARADAY * bare.K0, alpha=bare.ALPHA)
    potential = sf.triangle(bare.START, bare.SWITCH, bare.SCAN, cycles=1.0)
    return sf.Model(
        sf.interval(nodes=bare.nodes(growth), area=bare.AREA, names=("electrode", "bulk")),
        [sf.Species("O"), sf.Species("R")],
        [sf.Fick("O", bare.D[0]), sf.Fick("R", bare.D[1])],
        [sf.Exchange("electrode", law, {"O": 1.0, "R": 1.0, "phi": potential}), sf.Hold("bulk", bulk)],
        start=bulk,
        given={"phi": 0.0},
        temperature=bare.TEMPERATURE,
    )


def main() -> int:
    """One line; exit status 1 where either side misses 1e-4 of the peak."""
    declared, x = model(GROWTH), bare.nodes(GROWTH)

    def marched() -> np.ndarray:
        found = sf.march(declared, bare.END, times=ASKED, rtol=MARCH)
        return -bare.FARADAY * np.asarray(found.flow("O", "electrode"))

    def evolved() -> np.ndarray:
        history = sf.evolve(declared, bare.END, times=ASKED, rtol=RTOL)
        return -bare.FARADAY * np.asarray(history.flow("O", "electrode"))

    def floor() -> np.ndarray:
        return bare.sweep(x, ASKED, RTOL, 1e-2 * RTOL * bare.BULK)

    exact = bare.sweep(bare.nodes(FINE[0]), ASKED, FINE[1], 1e-2 * FINE[1] * bare.BULK)

    def error(side: Callable[[], np.ndarray]) -> float:
        return float(np.max(np.abs(side() - exact)) / exact.max())

    print(f"cyclic voltammogram, {x.size} nodes; SUNDIALS by hand: error {error(floor):.1e} of the peak")
    for name, side in (("march", marched), ("evolve", evolved)):
        one, other, ratio = paired_medians(floor, side, 10.0)
        print(f"  {name}: {other:.4f} s, by hand {one:.4f} s, ratio {ratio:.2f}, error {error(side):.1e} of the peak")
    return int(max(error(side) for side in (floor, marched, evolved)) > 1e-4)


if __name__ == "__main__":
    raise SystemExit(main())
