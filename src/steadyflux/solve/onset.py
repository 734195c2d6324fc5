"""Consistent conditions at the start of a stretch of time: what is not stored follows from what is, with its rate."""

from __future__ import annotations

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from steadyflux.ground.errors import ModelError, NotConverged
from steadyflux.model.layout import held_at
from steadyflux.model.mapping import State
from steadyflux.model.model import Model
from steadyflux.model.system import densities
from steadyflux.solve.direct import SingularMatrix
from steadyflux.solve.program import Program

SMALL = 3_000  # unknowns of a matrix for which no order of elimination is worth looking for
NEWTON_LIMIT = 40
LEAP = 0.5  # longest stride of an electric potential in the search for the start, V
CLOSE = 1e-10  # of the last step, relative to the size of each unknown
FIRST = 1e-5  # length of the first step over the time of the fastest process
CHANGE = 1e-4  # of its size that a state may change in a first step: Euler's error is half the square of that
SHORTER = 6  # times that the first steps are made shorter


@dataclass
class Onset:
    """The consistent start of a stretch: time, unknowns and their rates (SI), and the sizes of unknowns and rows."""

    time: float
    y: np.ndarray
    rate: np.ndarray
    scale: np.ndarray
    row: np.ndarray


class Scaled:
    """One factorisation with scaled rows and columns."""

    def __init__(self, program: Program, data: np.ndarray, scale: np.ndarray, row: np.ndarray) -> None:
        pattern = program.pattern
        columns = np.repeat(np.arange(pattern.size), np.diff(pattern.indptr))
        scaled = data * scale[columns] / row[pattern.indices]
        matrix = sp.csc_array((scaled, pattern.indices, pattern.indptr), shape=(pattern.size, pattern.size))
        self._scale, self._row = scale, row
        self._factors = splu(matrix)

    def solve(self, rhs: np.ndarray) -> np.ndarray:
        """x with A x = rhs."""
        return self._factors.solve(rhs / self._row) * self._scale


class Laddered:
    """The same by the ladder of solvers, for large matrices; its rows it scales itself."""

    def __init__(self, program: Program, data: np.ndarray, scale: np.ndarray) -> None:
        columns = np.repeat(scale, np.diff(program.pattern.indptr))
        self._scale = scale
        self._factor = program.plan.factor(data * columns)

    def solve(self, rhs: np.ndarray) -> np.ndarray:
        """x with A x = rhs."""
        return self._factor.solve(rhs) * self._scale


def row_sizes(program: Program, data: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Largest entry of each row, each times the size of its unknown; one where a row is empty."""
    pattern = program.pattern
    columns = np.repeat(np.arange(pattern.size), np.diff(pattern.indptr))
    largest = np.zeros(pattern.size)
    np.maximum.at(largest, pattern.indices, np.abs(data) * scale[columns])
    return np.where((largest > 0) & np.isfinite(largest), largest, 1.0)


def begin(program: Program, time: float, y: np.ndarray, horizon: float) -> Onset:
    """Consistent unknowns and rates just after ``time``, from the stored amounts of ``y`` (SI, flat).

    Two implicit Euler steps, so short that what is stored hardly changes: the first finds everything that is not stored
    (held values, potentials, floating unknowns), the second its rate. What a held value that jumps demands enters
    through its place, and is counted there.
    """
    scale = program.scales(time, y)
    scale[len(scale) - len(program.counters) :] = _amounts(program, scale)
    n, k, s = program.shape
    fast = _fastest(program, time, y, scale)
    step = min(FIRST / fast, 1e-6 * horizon) if fast > 0 else 1e-6 * horizon
    first = second = y
    for _ in range(SHORTER):
        first = _counted_exactly(program, time, y, _euler(program, time, y, step, scale))
        second = _euler(program, time + step, first, step, scale)
        # What is driven from outside may change faster than anything decays.
        change = float(np.max(np.abs(second - first)[: n * k] / scale[: n * k], initial=0.0))
        if not change > CHANGE or step < 1e-9 * abs(time):  # a shorter one would be lost in the rounding of the time
            break
        step *= 0.1 * CHANGE / change
    rate = (second - first) / step
    shared = slice(n * k, n * k + s)
    scale[shared] = np.maximum(scale[shared], 1e-3 * horizon * np.abs(rate[shared]))
    data = program.matrix(time + 2 * step, second, rate, 10.0 / horizon)
    return Onset(time + 2 * step, second, rate, scale, row_sizes(program, data, scale))


def _counted_exactly(program: Program, time: float, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The state after a jump with what the jump demanded counted as a difference of stores.

    Euler's formula counts the capacity after the jump times the change of the state, which is not the same where the
    capacity depends on the state.
    """
    model, (n, k, s) = program.model, program.shape
    excess = np.asarray(program.curvature(time, before, after))
    counted = after.copy()
    for number, counter in enumerate(program.counters):
        if counter.place is not None:
            column, cells = model.index(counter.quantity), np.asarray(model.space.place(counter.place).cells)
            own = np.asarray(held_at(model, counter.quantity, counter.place))
            counted[n * k + s + number] += float(np.sum(excess[cells[own], column]))
    return counted


def _amounts(program: Program, scale: np.ndarray) -> np.ndarray:
    """Size of each counter: what all cells store at the sizes of the states, or one where nothing is stored."""
    model = program.model
    n, k, _ = program.shape
    volume = np.asarray(model.space.volume)
    sizes = []
    for counter in program.counters:
        column = model.index(counter.quantity)
        factor = np.broadcast_to(np.asarray(model.storage[column].factor, dtype=float), (n,))
        typical = scale[: n * k].reshape(n, k)
        if model.storage[column].by_phase:
            factor = densities(model, State(jnp.asarray(typical), jnp.zeros(len(model.shared))))[:, column]
        else:
            factor = factor * float(typical[:, column].max())
        amount = float(np.sum(np.where(np.isfinite(volume), volume, 0.0) * np.abs(factor)))
        sizes.append(amount if amount > 0 else 1.0)
    return np.array(sizes)


def _fastest(program: Program, time: float, y: np.ndarray, scale: np.ndarray) -> float:
    """Fastest rate of what is stored, 1/s: largest derivative of a row over its stored amount."""
    zero = np.zeros_like(y)
    steady, more = program.matrix(time, y, zero, 0.0), program.matrix(time, y, zero, 1.0)
    pattern = program.pattern
    columns = np.repeat(np.arange(pattern.size), np.diff(pattern.indptr))
    diagonal = pattern.indices == columns
    stores = np.abs((more - steady)[diagonal])
    moves = np.abs(steady[diagonal])
    where = columns[diagonal]
    counted = where < pattern.size - len(program.counters)
    used = counted & (stores > 1e-300) & (stores > 1e-14 * np.abs(more[diagonal]))
    return float(np.max(moves[used] / stores[used], initial=0.0))


def _euler(program: Program, time: float, y: np.ndarray, step: float, scale: np.ndarray) -> np.ndarray:
    """One implicit Euler step by Newton's method."""
    x = y.copy()
    electric = _electric(program)
    # What is not stored is free to jump as far as it must, but potentials, on which rates depend exponentially, go
    # there in strides.
    for _ in range(NEWTON_LIMIT):
        rate = (x - y) / step
        off = program.residual(time + step, x, rate)
        data = program.matrix(time + step, x, rate, 1.0 / step)
        row = row_sizes(program, data, scale)
        try:
            small = program.pattern.size <= SMALL
            solver = Scaled(program, data, scale, row) if small else Laddered(program, data, scale)
            move = -solver.solve(off)
        except (RuntimeError, SingularMatrix):
            raise _undetermined(program.model) from None
        size = float(np.max(np.abs(move) / scale, initial=0.0))
        if not np.isfinite(size):
            break
        jump = float(np.max(np.abs(move[electric]), initial=0.0))
        x = x + move * min(1.0, LEAP / jump if jump > 0 else 1.0)
        if size < CLOSE:
            return x
        scale = np.maximum(scale, np.abs(x) * 1e-3)
    if np.isfinite(size) and size < 1e3 * CLOSE:
        return x
    raise NotConverged(
        "No consistent state was found at the start of the run: what is not stored (potentials, held values) could not "
        f"be made to fit what is stored at t = {time:g} s",
        "check the start values: concentrations positive, baths and cells electroneutral where that is asked",
    )


def _electric(program: Program) -> np.ndarray:
    """Numbers of the unknowns that are electric potentials."""
    n, _, s = program.shape
    charge = np.array([q.kind == "charge" for q in program.model.quantities])
    shared = np.array([unknown.unit == "V" for unknown in program.model.shared], dtype=bool)
    counters = np.zeros(len(program.counters), dtype=bool)
    return np.flatnonzero(np.concatenate([np.tile(charge, n), shared[:s], counters]))


def _undetermined(model: Model) -> ModelError:
    idle = [q.name for q, s in zip(model.quantities, model.storage, strict=True) if not s.stores]
    more = f"; {', '.join(idle)} {'store' if len(idle) > 1 else 'stores'} nothing here" if idle else ""
    return ModelError(
        f"The equations in time are singular{more}: give what changes in time a capacity, or hold it somewhere."
    )
