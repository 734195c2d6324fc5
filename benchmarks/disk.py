"""The microdisk: the engine over one bare factorisation and solution of its matrix, and the error of both grids.

python benchmarks/disk.py [unknowns ...]      (default 15000 60000 135000)

The floor is SuperLU by itself on the engine's own matrix of the first step, in the same order of elimination. The
engine assembles, factors, checks its factors against a known solution, solves, and looks at the equations once more.
"""

from __future__ import annotations

import sys

import one_thread  # noqa: F401  (must come before NumPy)

# isort: split
import jax
import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

import steadyflux as sf
from steadyflux.ground.constants import FARADAY
from steadyflux.solve import host
from steadyflux.solve.pattern import pattern_of
from steadyflux.systems.electrode import microdisk
from timing import paired_medians


def disk(unknowns: int, grid: str = "cylindrical") -> sf.Model:
    """The limited disk on a grid of about so many unknowns."""
    steps = {"INSIDE": 84, "OUTSIDE": 90, "UP": 113}
    finer = np.sqrt(unknowns / ((84 + 90 + 1) * (113 + 1)))
    for name, count in steps.items():
        setattr(microdisk, name, round(finer * count))
    return microdisk.SYSTEM.model(microdisk.SYSTEM.values({"grid": grid}))


def error(solution: sf.Solution) -> float:
    """Of the current, against 4 n F D c a."""
    p = microdisk.SYSTEM.values({})
    exact = 4.0 * p.electrons * FARADAY * p.diffusivity * p.bulk * p.radius
    return abs(-p.electrons * FARADAY * float(solution.flow("O", "disk")) / exact - 1.0)


def bare(model: sf.Model) -> tuple[sp.csc_array, np.ndarray]:
    """The matrix with scaled rows in the order of elimination, and a right side."""
    model = jax.device_put(model)
    pattern = pattern_of(model)
    search = host._start(model, None)
    here = host.entries_at(model, pattern, search.state, host.stage_of(search), search.kept)
    matrix = pattern.plan.matrix(here.matrix)
    scale = 1.0 / np.abs(matrix).max(axis=1).toarray().ravel()
    order, gather, indptr, indices = pattern.plan.permutation
    data = (matrix.data * scale[matrix.indices])[gather]
    return sp.csc_array((data, indices, indptr), shape=matrix.shape), (-here.residual * scale)[order]


def main() -> int:
    """A line for each size."""
    spheroidal = disk(20_000, "spheroidal")
    told = error(sf.steady(spheroidal))
    print(f"spheroidal grid, {spheroidal.cells} unknowns: error of the current {told:.1e}")
    for unknowns in [int(n) for n in sys.argv[1:]] or [15_000, 60_000, 135_000]:
        model = disk(unknowns)
        matrix, rhs = bare(model)
        options = {"diag_pivot_thresh": 1e-3, "options": {"SymmetricMode": True, "Equil": False}}

        def floor(matrix: sp.csc_array = matrix, rhs: np.ndarray = rhs, options: dict = options) -> np.ndarray:
            return splu(matrix, permc_spec="NATURAL", **options).solve(rhs)

        def engine(model: sf.Model = model) -> sf.Solution:
            return sf.steady(model)

        one, other, ratio = paired_medians(floor, engine, 15.0)
        solution = engine()
        print(
            f"(r, z) grid, {model.cells} unknowns: SuperLU alone {one:.3f} s, engine {other:.3f} s, ratio {ratio:.2f}, "
            f"{int(solution.outcome.iterations)} steps, error of the current {error(solution):.1e}"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
