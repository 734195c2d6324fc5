"""SUNDIALS IDA behind two calls: one step further, and the unknowns at a time within the last step."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from sksundae.ida import IDA, IDAJacTimes, IDAPrecond

from steadyflux.ground.errors import NotConverged
from steadyflux.solve.linear import analyse
from steadyflux.solve.onset import Onset
from steadyflux.solve.program import Program

DIRECT = 6_000  # unknowns up to which IDA's own sparse factorisation is used

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
        scale, row = onset.scale, onset.row
        pattern = program.pattern
        columns = np.repeat(np.arange(pattern.size), np.diff(pattern.indptr))
        self._weight = scale[columns] / row[pattern.indices]
        self._now = onset.time

        def residual(t: float, y: np.ndarray, rate: np.ndarray, out: np.ndarray) -> None:
            out[:] = program.residual(t, y * scale, rate * scale) / row

        def entries(t: float, y: np.ndarray, rate: np.ndarray, step: float) -> np.ndarray:
            return program.matrix(t, y * scale, rate * scale, step) * self._weight

        options: dict[str, Any] = {"rtol": tolerances[0], "atol": tolerances[1], "max_step": longest}
        if events:

            def watch(t: float, y: np.ndarray, rate: np.ndarray, out: np.ndarray) -> None:
                out[:] = program.watched(t, y * scale, rate * scale)

            watch.terminal = [True] * len(events)  # type: ignore[attr-defined]
            watch.direction = [event.direction for event in events]  # type: ignore[attr-defined]
            options |= {"eventsfn": watch, "num_events": len(events)}
        if pattern.size <= DIRECT:
            sparsity = sp.csc_matrix(
                (np.ones(len(pattern.indices)), pattern.indices, pattern.indptr), shape=(pattern.size, pattern.size)
            )

            def jacobian(
                t: float, y: np.ndarray, rate: np.ndarray, off: np.ndarray, step: float, out: np.ndarray
            ) -> None:
                out[:] = entries(t, y, rate, step)

            options |= {"linsolver": "sparse", "sparsity": sparsity, "jacfn": jacobian}
        else:
            options |= self._iterative(entries)
        with warnings.catch_warnings():
            # It says that our exact Jacobian is used instead of its own approximation, which is what is meant.
            warnings.simplefilter("ignore", UserWarning)
            self._ida = IDA(residual, **options)
        self._ida.init_step(onset.time, onset.y / scale, onset.rate / scale)

    def _iterative(self, entries: Any) -> dict[str, Any]:
        """Krylov iterations preconditioned by our own factors, which are kept as long as IDA finds them good enough."""
        pattern = self._program.pattern
        plan = analyse(pattern.indptr, pattern.indices, pattern.size, pattern.nodes)
        kept: dict[str, Any] = {}

        def prepare(t: float, y: np.ndarray, rate: np.ndarray, off: np.ndarray, step: float) -> None:
            data = entries(t, y, rate, step)
            kept["step"], kept["matrix"] = step, plan.matrix(data)
            kept["factor"] = plan.factor(data)

        def precondition(
            t: float,
            y: np.ndarray,
            rate: np.ndarray,
            off: np.ndarray,
            rhs: np.ndarray,
            out: np.ndarray,
            step: float,
            delta: float,
        ) -> None:
            out[:] = kept["factor"].solve(np.array(rhs))

        def times(
            t: float, y: np.ndarray, rate: np.ndarray, off: np.ndarray, v: np.ndarray, out: np.ndarray, step: float
        ) -> None:
            if kept.get("at") != (t, step):
                kept["at"], kept["now"] = (t, step), plan.matrix(entries(t, y, rate, step))
            out[:] = kept["now"] @ v

        return {
            "linsolver": "gmres",
            "krylov_dim": 10,
            "precond": IDAPrecond(prepare, precondition),
            "jactimes": IDAJacTimes(None, times),
        }

    def step(self, end: float) -> tuple[float, np.ndarray, np.ndarray, list[int]]:
        """One step towards ``end`` (never beyond): time, unknowns, rates, and the numbers of the events met."""
        found = self._ida.step(end, method="onestep", tstop=end)
        if found.status >= 0 and found.t <= self._now < end:
            # After a look back IDA first returns to where it stood.
            found = self._ida.step(end, method="onestep", tstop=end)
        if found.status < 0:
            raise NotConverged(
                f"The integration in time stopped ({_CAUSES.get(found.status, f'IDA flag {found.status}')})",
                "start from another state, smooth what jumps, or give a larger rtol",
            )
        hit = [int(i) for i in np.flatnonzero(np.atleast_2d(found.i_events)[-1])] if found.status == 2 else []
        self._now = float(found.t)
        return self._now, self._si(found.y), self._si(found.yp), hit

    def at(self, time: float, before: float, now: float) -> tuple[np.ndarray, np.ndarray]:
        """Unknowns and rates at a time within the last step, by the integrator's own polynomial."""
        found = self._ida.step(time, method="normal")
        return self._si(found.y), self._si(found.yp)

    def _si(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(x, dtype=float).ravel() * self._onset.scale
