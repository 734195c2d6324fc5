"""SUNDIALS IDA behind two calls: one step further, and the unknowns at a time within the last step."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import reverse_cuthill_mckee
from sksundae.ida import IDA, IDAJacTimes, IDAPrecond

from steadyflux.ground.errors import NotConverged
from steadyflux.solve.onset import Onset
from steadyflux.solve.program import Frame, Program

OWN = ("dense", "band")  # linear solvers of the integrator itself
STEPS = 200_000  # internal steps of one run
FULL = 120  # unknowns up to which a full matrix is the fastest
BANDED = 3_000  # unknowns up to which a matrix in a band is handed over as a whole array
NEARLY = 1e-3  # to which an iterative solver solves as a preconditioner: so well that it is as good as linear
WIDTH = 80  # half the width of a band that still pays

_CAUSES = {
    -1: "too many steps were needed to the next time",
    -2: "the accuracy asked for is more than the machine can give",
    -3: "the error test failed again and again",
    -4: "the corrector did not converge even with the smallest steps",
    -5: "the linear solver could not be set up",
    -6: "the linear solver could not be set up",
    -8: "the residual could not be computed",
    -9: "the residual failed again and again",
    -10: "the equations of an event could not be computed",
}


class Reached(NamedTuple):
    """Where a step has led: time, unknowns, rates, and the numbers of the events met."""

    time: float
    y: np.ndarray
    rate: np.ndarray
    hit: list[int]


class Integrator:
    """One stretch of integration; unknowns scaled by their sizes, rows by theirs."""

    def __init__(
        self,
        program: Program,
        onset: Onset,
        tolerances: tuple[float, float],
        longest: float,
        events: Sequence[Any],
    ) -> None:
        self._program, self._onset = program, onset
        self._tolerances, self._longest, self._events = tolerances, longest, events
        self._now = onset.time
        self._seen = np.zeros(len(program.pattern.indices), dtype=bool)
        self._stale = False
        self.steps, self._tried = 0, onset.time  # steps tried: times at which the equations were looked at
        self._latest = (onset.time, onset.y, onset.rate)
        self._build(onset.time, onset.y, onset.rate)

    def _build(self, time: float, y0: np.ndarray, rate0: np.ndarray) -> None:
        """Set IDA up at a state."""
        program, events = self._program, self._events
        scale, row = self._onset.scale, self._onset.row
        pattern = program.pattern
        columns = np.repeat(np.arange(pattern.size), np.diff(pattern.indptr))
        weight = scale[columns] / row[pattern.indices]

        # IDA works on scaled unknowns in an order of its own, in which the matrix may be a narrow band.
        def unknowns(x: np.ndarray) -> np.ndarray:
            return x[self._back] * scale

        def residual(t: float, y: np.ndarray, rate: np.ndarray, out: np.ndarray) -> None:
            self.steps += t != self._tried
            self._tried = t
            out[:] = program.measured(self._frame, t, y, rate)

        def entries(t: float, y: np.ndarray, rate: np.ndarray, step: float) -> np.ndarray:
            return program.matrix(t, unknowns(y), unknowns(rate), step) * weight

        options: dict[str, Any] = {"rtol": self._tolerances[0], "atol": self._tolerances[1], "max_step": self._longest}
        options["max_num_steps"] = STEPS
        if events:

            def watch(t: float, y: np.ndarray, rate: np.ndarray, out: np.ndarray) -> None:
                out[:] = program.watched(t, unknowns(y), unknowns(rate))

            watch.terminal = [True] * len(events)  # type: ignore[attr-defined]
            watch.direction = [event.direction for event in events]  # type: ignore[attr-defined]
            options |= {"eventsfn": watch, "num_events": len(events)}
        order, self._kind, more = self._linear(entries)
        options["linsolver"] = self._kind
        options |= more
        self._order, self._back = order, np.argsort(order)
        self._frame = jax.device_put(Frame(self._order, self._back, scale, row))
        with warnings.catch_warnings():
            # It says that our exact Jacobian is used instead of its own approximation, which is what is meant.
            warnings.simplefilter("ignore", UserWarning)
            self._ida = IDA(residual, **options)
        self._ida.init_step(time, (y0 / scale)[order], (rate0 / scale)[order])
        self._stale = False

    def _linear(self, entries: Callable[..., np.ndarray]) -> tuple[np.ndarray, str, dict[str, Any]]:
        """Order of the unknowns, name of IDA's linear solver and its options, by the structure of the matrix."""
        pattern = self._program.pattern
        size = pattern.size
        wanted = self._program.solver
        if wanted not in ("auto", *OWN):
            return np.arange(size), "gmres", self._iterative()
        columns = np.repeat(np.arange(size), np.diff(pattern.indptr))
        plain = np.arange(size)
        if wanted == "dense" or (wanted == "auto" and size <= FULL):

            def full(t: float, y: Any, rate: Any, off: Any, step: float, out: np.ndarray) -> None:
                out[pattern.indices, columns] = entries(t, y, rate, step)

            return plain, "dense", {"jacfn": full}
        diagonal = pattern.indices == columns
        long = np.isin(pattern.indices, self._long_rows()) & ~diagonal
        self._seen |= diagonal | self._present()
        kept = self._seen & ~long
        order, back, width = banded(pattern.indices[kept], columns[kept], size)
        if wanted == "band" or (size <= BANDED and width <= WIDTH):
            others = ~(kept | long)
            at, across = back[pattern.indices[kept]], back[columns[kept]]

            def band(t: float, y: Any, rate: Any, off: Any, step: float, out: np.ndarray) -> None:
                found = entries(t, y, rate, step)
                out[at, across] = found[kept]
                if found[others].any():  # a derivative that was zero until now: the band is made anew after the step
                    self._seen |= found != 0.0
                    self._stale = True

            return order, "band", {"jacfn": band, "lband": width, "uband": width}
        return plain, "gmres", self._iterative()

    @property
    def solver(self) -> str:
        """What solves the linear systems."""
        return self._program.plan.log.solver if self._kind == "gmres" else self._kind

    def _long_rows(self) -> np.ndarray:
        """Rows of what laws make: they touch every cell, and nothing depends on them.

        Left out of the matrix they cost an iteration of the corrector at times, never accuracy.
        """
        counted = np.array([counter.place is None for counter in self._program.counters], dtype=bool)
        return self._program.pattern.size - len(counted) + np.flatnonzero(counted)

    def _present(self) -> np.ndarray:
        """Entries of the matrix that do not vanish at two states drawn at random."""
        program, onset = self._program, self._onset
        draw = np.random.default_rng(11)
        present = np.zeros(len(program.pattern.indices), dtype=bool)
        for _ in range(2):
            y = onset.y * draw.uniform(0.8, 1.2, onset.y.size) + onset.scale * draw.uniform(0.1, 0.4, onset.y.size)
            rate = onset.scale * draw.normal(size=onset.y.size)
            present |= program.matrix(onset.time, y, rate, float(draw.uniform(0.5, 2.0))) != 0.0
        return present

    def _iterative(self) -> dict[str, Any]:
        """Krylov iterations under the solver of the ladder, kept as long as IDA finds it good enough.

        It works on the matrix as it is: multigrid would not know one whose rows are measured one by one.
        """
        program, scale, row = self._program, self._onset.scale, self._onset.row
        plan = program.plan
        plan.begin()
        kept: dict[str, Any] = {}

        def unknowns(x: np.ndarray) -> np.ndarray:
            return x * scale

        def prepare(t: float, y: Any, rate: Any, off: Any, step: float) -> None:
            kept["factor"] = plan.factor(program.matrix(t, unknowns(y), unknowns(rate), step))

        def precondition(
            t: float, y: Any, rate: Any, off: Any, rhs: np.ndarray, out: np.ndarray, step: float, delta: float
        ) -> None:
            out[:] = kept["factor"].solve(rhs * row, NEARLY) / scale

        def times(t: float, y: Any, rate: Any, off: Any, v: np.ndarray, out: np.ndarray, step: float) -> None:
            out[:] = program.along(self._frame, t, y, rate, step, v)

        return {
            "krylov_dim": 10,
            "precond": IDAPrecond(prepare, precondition),
            "jactimes": IDAJacTimes(None, times),
        }

    def step(self, end: float) -> Reached:
        """One step towards ``end`` (never beyond)."""
        if self._stale:
            self._build(*self._latest)
        found = self._ida.step(end, method="onestep", tstop=end)
        if found.status >= 0 and found.t <= self._now < end:
            # After a look back IDA first returns to where it stood.
            found = self._ida.step(end, method="onestep", tstop=end)
        reached = self._read(found)
        self._now, self._latest = reached.time, reached[:3]
        return reached

    def straight(self, time: float, end: float) -> Reached:
        """On to a time, in as many steps as it takes, none of them beyond ``end``."""
        if self._stale:
            self._build(*self._latest)
        reached = self._read(self._ida.step(time, method="normal", tstop=end))
        self._now, self._latest = reached.time, reached[:3]
        return reached

    def _read(self, found: Any) -> Reached:
        if found.status < 0:
            raise NotConverged(
                f"The integration in time stopped ({_CAUSES.get(found.status, f'IDA flag {found.status}')})",
                "start from another state, smooth what jumps, or give a larger rtol",
            )
        hit = [int(i) for i in np.flatnonzero(np.atleast_2d(found.i_events)[-1])] if found.status == 2 else []
        return Reached(float(found.t), self._si(found.y), self._si(found.yp), hit)

    def at(self, time: float, before: float, now: float) -> tuple[np.ndarray, np.ndarray]:
        """Unknowns and rates at a time within the last step, by the integrator's own polynomial."""
        found = self._ida.step(time, method="normal")
        return self._si(found.y), self._si(found.yp)

    def _si(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(x, dtype=float).ravel()[self._back] * self._onset.scale


class Band(NamedTuple):
    """An order of unknowns in which a matrix is narrow, its inverse, and the distance of the farthest entry from the
    diagonal."""

    order: np.ndarray
    back: np.ndarray
    width: int


def banded(rows: np.ndarray, columns: np.ndarray, size: int) -> Band:
    """The order of Cuthill and McKee (1969), turned round, for a pattern of entries."""
    graph = sp.csr_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(size, size))
    order = np.asarray(reverse_cuthill_mckee(sp.csr_matrix(graph + graph.T), symmetric_mode=True))
    back = np.argsort(order)
    return Band(order, back, int(np.max(np.abs(back[rows] - back[columns]), initial=0)))
