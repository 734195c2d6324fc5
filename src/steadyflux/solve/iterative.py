"""Krylov solution of large systems under multigrid: one cycle for each field, kept as long as it serves.

A matrix of one quantity is preconditioned by one V-cycle; one of several by block Gauss-Seidel over the quantities with
one V-cycle each. Shared unknowns border the matrix: they are eliminated by approximate solutions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp

from steadyflux.solve.fields import Sweep, sweep_of
from steadyflux.solve.krylov import Iterated, conjugate_gradients, gmres
from steadyflux.solve.multigrid import Hierarchy, Unsuited
from steadyflux.solve.parts import Parts

ITERATIONS = 120
GROWTH = 1.5  # a kept hierarchy is set up anew when an order of magnitude takes this much longer than at first
PATIENCE = 3.0  # times as many iterations as a new one would take, after which it is set up anew at once
FEW = 6  # iterations that are no reason to set it up anew
FIRST = 1e-8  # tolerance at which the level of rounding is looked at
ROUNDING = 2.0 * float(np.finfo(float).eps)
NEAR_ROUNDING = 100.0  # a residual that stalls below this many roundings is solved
BORDER_TOLERANCE = 1e-2  # to which the border's columns are solved for, in the preconditioner
SAME = 1e-12  # difference of a matrix from its transpose that is rounding


class NotReached(Exception):
    """The iteration ended above its tolerance; the argument says where."""


@dataclass
class Kept:
    """What outlives one matrix: the preconditioner, and how fast it was when it was new."""

    hierarchies: dict[int, Hierarchy] = field(default_factory=dict)
    stale: bool = True
    pace: float = 0.0  # iterations for each order of magnitude, just after the set-up; zero before the first
    setups: int = 0
    iterations: int = 0

    def forget(self) -> None:
        """Let go of the hierarchies, which take several times the memory of the matrix."""
        self.hierarchies, self.stale = {}, True


class System:
    """The couplings of fields (0, 1, ...) and, last, a border: a square matrix by blocks."""

    def __init__(
        self,
        blocks: Mapping[tuple[int, int], sp.csr_array],
        nodes: list[np.ndarray],
        border: int,
        kept: Kept,
        sweep: Sweep | None = None,
    ) -> None:
        """``nodes`` are the cells of the unknowns of each field, ``border`` the number of unknowns behind them."""
        sizes = [own.size for own in nodes] + ([border] if border else [])
        ends = np.cumsum([0, *sizes])
        self._slices = [slice(ends[k], ends[k + 1]) for k in range(len(sizes))]
        self._nodes, self._border, self.size = nodes, border, int(ends[-1])
        self._last = len(nodes)  # number of the border, where there is one
        self._blocks = {pair: m for pair, m in blocks.items() if pair[0] == pair[1] or m.data.any()}
        self._complex = any(np.iscomplexobj(m.data) for m in self._blocks.values())
        self._kept = kept
        self._weight = self._row_weights() if len(sizes) > 1 else None
        inner = {pair: m for pair, m in self._blocks.items() if self._last not in pair}
        self._sweep = sweep_of(inner, nodes, self._slices[: self._last]) if sweep is None else sweep
        self._columns: tuple[np.ndarray, np.ndarray] | None = None
        self._symmetric = not self._complex and len(sizes) == 1 and self._is_symmetric()

    def transposed(self) -> System:
        """The transposed matrix, with cycles of its own unless it is the same."""
        blocks = {(column, row): sp.csr_array(m.T.tocsr()) for (row, column), m in self._blocks.items()}
        kept = self._kept if self._symmetric else Kept()
        return System(blocks, self._nodes, self._border, kept, self._sweep.transposed())

    def multiply(self, x: np.ndarray, *, absolute: bool = False, inner: bool = False) -> np.ndarray:
        """The matrix times a vector; with ``absolute`` of the magnitudes, with ``inner`` without the border."""
        y = np.zeros(x.size, dtype=float if absolute else np.result_type(x, complex if self._complex else float))
        for (row, column), matrix in self._blocks.items():
            if not inner or self._last not in (row, column):
                part = _magnitudes(matrix) if absolute else matrix
                y[self._slices[row]] += part @ x[self._slices[column]]
        return y

    def _row_weights(self) -> np.ndarray:
        """Rows of several quantities have several units: each is measured by its largest entry."""
        largest = np.zeros(self.size)
        for (row, _), matrix in self._blocks.items():
            here = np.zeros(matrix.indptr.size - 1)
            filled = np.flatnonzero(np.diff(matrix.indptr))
            if filled.size:
                here[filled] = np.maximum.reduceat(np.abs(matrix.data), matrix.indptr[filled])
            np.maximum(largest[self._slices[row]], here, out=largest[self._slices[row]])
        return 1.0 / np.where(largest > 0.0, largest, 1.0)

    def _is_symmetric(self) -> bool:
        one, other = np.random.default_rng(5).uniform(0.5, 1.5, (2, self.size)) * [[1.0], [-1.0]]
        one[::2] *= -1.0
        image = self.multiply(other)
        off = abs(one @ image - other @ self.multiply(one))
        return bool(off <= SAME * float(np.linalg.norm(one) * np.linalg.norm(image)))

    # ---- the preconditioner ----------------------------------------------------------------------------------------

    def set_up(self) -> None:
        """Make new hierarchies from these blocks; raises `Unsuited`."""
        self._kept.forget()
        self._columns = None
        self._kept.hierarchies = self._sweep.hierarchies()
        self._kept.stale, self._kept.pace = False, 0.0
        self._kept.setups += 1

    def _cycle(self, r: np.ndarray) -> np.ndarray:
        return self._sweep(r, self._kept.hierarchies)

    def _precondition(self, r: np.ndarray) -> np.ndarray:
        if self._weight is not None:
            r = r / self._weight
        if not self._border:
            return self._cycle(r)
        columns, inverse = self._elimination()
        edge = self._slices[-1]
        first = self._cycle(r[: edge.start])
        rest = r[edge].copy()
        for k in range(self._last):
            if (self._last, k) in self._blocks:
                rest -= self._blocks[self._last, k] @ first[self._slices[k]]
        shared = inverse @ rest
        return np.concatenate([first - columns @ shared, shared])

    def _elimination(self) -> tuple[np.ndarray, np.ndarray]:
        """The border's columns solved for, nearly, and the inverse of what is left for the border."""
        if self._columns is None:
            last = self._last
            kind = complex if self._complex else float
            columns = np.zeros((self._slices[-1].start, self._border), dtype=kind)
            corner = np.zeros((self._border, self._border), dtype=kind)
            if (last, last) in self._blocks:
                corner += self._blocks[last, last].toarray()
            for k in range(last):
                if (k, last) in self._blocks:
                    columns[self._slices[k]] = self._blocks[k, last].toarray()
            for number in range(self._border):
                b = columns[:, number].copy()
                if b.any():
                    target = BORDER_TOLERANCE * float(np.linalg.norm(b))
                    columns[:, number] = gmres(lambda x: self.multiply(x, inner=True), self._cycle, b, target, 20).x
            for k in range(last):
                if (last, k) in self._blocks:
                    corner -= self._blocks[last, k] @ columns[self._slices[k]]
            try:
                self._columns = columns, np.linalg.inv(corner)
            except np.linalg.LinAlgError:
                raise Unsuited("the shared unknowns are not determined") from None
        return self._columns

    # ---- solving ---------------------------------------------------------------------------------------------------

    def solve(self, b: np.ndarray, tolerance: float, level: np.ndarray | None) -> np.ndarray:
        """x to a residual of ``tolerance`` times b, or to the level of rounding; raises `NotReached`."""
        if self._kept.stale:
            self.set_up()
        if self._weight is not None:
            b = b * self._weight
        whole = float(np.linalg.norm(b))
        if whole == 0.0:
            return np.zeros_like(b)
        known = 0.0 if level is None else float(np.linalg.norm(self._weighted(level)))
        x, size = self._approach(np.zeros_like(b), b, whole, max(tolerance * whole, known or FIRST * whole))
        if size > max(tolerance * whole, known):
            rounding = ROUNDING * float(np.linalg.norm(self._weighted(self.multiply(np.abs(x), absolute=True))))
            floor = max(rounding, known)
            target = max(tolerance * whole, floor)
            if size > target:
                x, size = self._approach(x, b, size, target, floor)
            if not size <= max(target, NEAR_ROUNDING * floor):
                raise NotReached(f"a residual of {size / whole:.1e} is left after {ITERATIONS} iterations at most")
        return x

    def _approach(
        self, x: np.ndarray, b: np.ndarray, size: float, target: float, floor: float = 0.0
    ) -> tuple[np.ndarray, float]:
        """Go on from x, whose residual has the size given, with the cycles at hand and then, if need be, new ones."""
        fresh = self._kept.pace == 0.0
        while True:
            rest = b - self._weighted(self.multiply(x)) if x.any() else b
            more = self._iterate(rest, target, ITERATIONS if fresh else self._patience(size / target))
            if more.end < size:
                x, size = x + more.x, more.end
            if size <= max(target, NEAR_ROUNDING * floor) or fresh:
                return x, size
            self.set_up()
            fresh = True

    def _patience(self, ratio: float) -> int:
        """Iterations after which kept cycles are given up: a good deal more than new ones would take."""
        return int(min(ITERATIONS, 2 * FEW + PATIENCE * self._kept.pace * np.log10(max(ratio, 1.0))))

    def _weighted(self, r: np.ndarray) -> np.ndarray:
        return r if self._weight is None else r * self._weight

    def _iterate(self, b: np.ndarray, target: float, limit: int) -> Iterated:
        def times(x: np.ndarray) -> np.ndarray:
            return self._weighted(self.multiply(x))

        solver = conjugate_gradients if self._symmetric else gmres
        found = solver(times, self._precondition, b, target, limit)
        if self._symmetric and found.end > target and found.iterations < limit:
            # A matrix that is not definite, or a cycle that single precision has bent: GMRES asks for neither.
            rest = gmres(times, self._precondition, b - times(found.x), target, limit)
            found = Iterated(found.x + rest.x, found.iterations + rest.iterations, found.start, rest.end)
        self._judge(found)
        return found

    def _judge(self, found: Iterated) -> None:
        """Whether the hierarchies still serve as they did at first."""
        kept = self._kept
        kept.iterations += found.iterations
        digits = np.log10(found.start / found.end) if 0.0 < found.end < found.start else 0.0
        if digits < 0.5 and found.end > 0.0:
            return
        pace = found.iterations / digits if digits else 0.0
        if kept.pace == 0.0:
            kept.pace = pace
        elif found.iterations > FEW and pace > GROWTH * kept.pace:
            kept.stale = True


def _magnitudes(matrix: sp.csr_array) -> sp.csr_array:
    return sp.csr_array((np.abs(matrix.data), matrix.indices, matrix.indptr), shape=matrix.shape)


class Iterative:
    """A matrix of certain values, ready for right sides; ``kept`` is taken over from the matrix before."""

    loose = True

    def __init__(self, name: str, parts: Parts, values: np.ndarray, kept: Kept) -> None:
        """Cut the matrix into its blocks; raises `Unsuited` where multigrid is not made for it."""
        self.name = name
        fields = [k for k in parts.fields if parts.groups[k].size]
        border = parts.groups[parts.border].size
        used = [*fields, *([parts.border] if border else [])]
        number = {group: at for at, group in enumerate(used)}
        blocks = {
            (number[row], number[column]): coupling.matrix(values)
            for (row, column), coupling in parts.couplings.items()
            if row in number and column in number
        }
        self._held = parts.groups[parts.held]
        self._order = np.concatenate([parts.groups[k] for k in used]) if used else np.zeros(0, np.int32)
        ends = np.cumsum([0, *(parts.groups[k].size for k in used)])
        self._beside = [
            (slice(ends[number[row]], ends[number[row] + 1]), coupling.matrix(values))
            for (row, column), coupling in parts.couplings.items()
            if column == parts.held and row in number
        ]
        conditions = parts.couplings.get((parts.held, parts.held))
        self._diagonal = np.ones(0) if conditions is None else values[conditions.take]
        if not self._diagonal.all():
            raise Unsuited("the coefficient of a condition is zero")
        self._system = System(blocks, [parts.nodes[k] for k in fields], border, kept)
        self._adjoint: System | None = None
        if kept.stale:
            self._system.set_up()

    def solve(self, rhs: np.ndarray, tolerance: float = 0.0, level: np.ndarray | None = None) -> np.ndarray:
        """x with A x = rhs, (n,) or (n, r), to a residual of ``tolerance`` times the right side, or to rounding."""
        rhs = self._read(rhs)
        if rhs.ndim == 2:
            return np.stack([self.solve(column, tolerance, level) for column in rhs.T], axis=1)
        x = np.zeros_like(rhs)
        x[self._held] = rhs[self._held] / self._diagonal
        b = rhs[self._order]
        if x[self._held].any():
            for rows, matrix in self._beside:
                b[rows] -= matrix @ x[self._held]
        x[self._order] = self._system.solve(b, tolerance, None if level is None else level[self._order])
        return x

    def solve_transposed(self, rhs: np.ndarray, tolerance: float = 0.0) -> np.ndarray:
        """x with A^T x = rhs."""
        rhs = self._read(rhs)
        if rhs.ndim == 2:
            return np.stack([self.solve_transposed(column, tolerance) for column in rhs.T], axis=1)
        if self._adjoint is None:
            self._adjoint = self._system.transposed()
        x = np.zeros_like(rhs)
        y = self._adjoint.solve(rhs[self._order], tolerance, None)
        x[self._order] = y
        rest = rhs[self._held]
        for rows, matrix in self._beside:
            rest = rest - matrix.T @ y[rows]
        x[self._held] = rest / self._diagonal
        return x

    def _read(self, rhs: Any) -> np.ndarray:
        return np.asarray(rhs, dtype=np.result_type(rhs, self._diagonal, float))
