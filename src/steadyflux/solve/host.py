"""The host lane: Newton over the compiled residual and derivatives, with sparse solvers outside JAX between."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from steadyflux.model.jacobian import blocks
from steadyflux.model.mapping import scatter
from steadyflux.model.model import Model
from steadyflux.model.solution import code_of
from steadyflux.model.system import Stage, State, pivot_columns, residual
from steadyflux.physics.quantity import KINDS
from steadyflux.solve import newton
from steadyflux.solve.linear import Factor, Plan, SingularMatrix
from steadyflux.solve.linear import check_solver as check_solver
from steadyflux.solve.multigrid import LARGE, return_memory
from steadyflux.solve.newton import (
    RUNNING,
    TOLERANCE,
    Search,
    advance,
    begin,
    first_state,
    scales,
    signs_of,
    stage_of,
)
from steadyflux.solve.pattern import Pattern, Values, joined, pattern_of

LOOSE = 1e-3  # residual of a linear solve, by the right side, while Newton is still far
CLOSE = 1e-4  # a tolerance that may lie below the level of rounding, and a step that may be the last
TIGHT = 1e-7  # the least that is asked before the last step
SOLVED = 1e-9  # a residual below this share of its row's size is all but none
NEAR = 10.0  # times as large or as small a size may have become and still serve
ROUNDING = 4.0 * float(np.finfo(float).eps)


class Entries(NamedTuple):
    """The equation at a state: entries of its matrix in measured unknowns, the residual, the measure, the signs."""

    matrix: np.ndarray
    residual: np.ndarray
    column: np.ndarray
    signs: Any


def search_on_host(model: Model, guess: State | None, solver: str = "auto") -> Search:
    """The whole search, one linear system a step; the solver is chosen by structure or named."""
    pattern = pattern_of(model, solver)
    plan = pattern.plan
    # A compiled program takes NumPy's arrays as they are, but large ones are better handed over once.
    model = jax.device_put(model) if plan.n > LARGE else model
    plan.begin()
    search = _start(model, guess)
    before, factors = np.inf, _Latest(plan)
    here: Entries | None = None
    while int(search.outcome) == RUNNING:
        if plan.n > LARGE:
            return_memory()
        factors.enter(float(search.force), float(search.inverse_step))
        if here is None:
            here = entries_at(model, pattern, search.state, stage_of(search), search.kept, factors.column)
        step, size = _step(factors, here, flat(search.state), before)
        judged = _judge(model, search, split(step, search.state), size, here.signs)
        del here
        here, whole = None, _whole(model, search, step, judged)
        if whole is not None:
            there = entries_at(model, pattern, whole, stage_of(judged), judged.kept, factors.column)
            if _size(plan, there) < newton.ROUNDING:
                judged, here = judged._replace(state=whole), there
            del there
        search, before = judged, size
    return search._replace(solver=jnp.asarray(code_of(plan.log.solver)), note=jnp.asarray(plan.log.note))


def solve_on_host(
    model: Model, state: State, pins: Any, kept: Any, rhs: State, *, transpose: bool, solver: str = "auto"
) -> State:
    """J x = rhs, or its transpose, at a solution."""
    model = jax.device_put(model)
    pattern = pattern_of(model, solver)
    stage = Stage(jnp.ones(()), jnp.zeros(()), state, pins)
    here = entries_at(model, pattern, state, stage, kept)
    factor = pattern.plan.factor(here.matrix)
    b = flat(rhs)
    x = factor.solve_transposed(b * here.column) if transpose else factor.solve(b) * here.column
    return split(x, state)


def entries_at(
    model: Model, pattern: Pattern, state: State, stage: Stage, kept: Any, before: np.ndarray | None = None
) -> Entries:
    """The matrix in the order of the pattern, with columns in the size of their unknowns, and the residual.

    The sizes of the step ``before`` stay while they are about right: so the matrix of linear equations stays the same.
    """
    values, off, scale, signs = assemble(model, state, stage, kept)
    column = flat(scale)
    if before is not None and (column < NEAR * before).all() and (before < NEAR * column).all():
        column = before
    matrix = pattern.collect(values, pinned(model, stage.pins))
    measure(pattern.plan, matrix, column)
    return Entries(matrix, flat(off), column, signs)


def measure(plan: Plan, matrix: np.ndarray, column: np.ndarray) -> None:
    """Multiply the columns of a matrix, in place, by the sizes of their unknowns."""
    if np.ptp(column) == 0.0:
        matrix *= column[0]
    else:
        matrix *= np.repeat(column, np.diff(plan.indptr))


def pinned(model: Model, pins: Any) -> np.ndarray:
    """Numbers of the unknowns that keep conserved totals."""
    if not model.layout.totals:
        return np.zeros(0, dtype=np.int64)
    cells = np.asarray(pins)
    return (cells * len(model.names) + np.asarray(pivot_columns(model)))[cells >= 0]


class _Latest:
    """The last factors of a search: a matrix that has not changed, as that of linear equations, is not factored again.

    Nor is one, once, where the equations are all but solved: there the change of the matrix is as small as the step,
    which is then off by its square. Factors of another matrix are let go before new ones are made, so that only one
    set is ever in memory.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.column: np.ndarray | None = None  # the sizes of its unknowns
        self._matrix: np.ndarray | None = None
        self._factor: Factor | None = None
        self._late = True  # whether factors of the matrix before may not serve (again)
        self._stage: tuple[float, ...] = ()

    def enter(self, *stage: float) -> None:
        """Say at which stage of the search the next step is: the matrix of another one is no near one."""
        self._late |= stage != self._stage
        self._stage = stage

    def of(self, here: Entries, size: float) -> Factor:
        """Factors for the matrix at hand, where the largest residual over the size of its row is ``size``."""
        if self._factor is not None and self._matrix is not None and self.column is here.column:
            if np.array_equal(self._matrix, here.matrix):
                return self._factor
            if size < SOLVED and not self._late:
                self._late = True
                return self._factor
        self._matrix = self._factor = None
        self._factor, self._matrix, self.column = self.plan.factor(here.matrix), here.matrix, here.column
        self._late = False
        return self._factor


def _whole(model: Model, search: Search, step: np.ndarray, judged: Search) -> State | None:
    """Where the whole first step of a stage leads, if it was shortened and no state need be negative there.

    Of linear equations that is the solution, however little of a state is left.
    """
    if int(search.tries) or int(judged.outcome) != RUNNING or int(judged.tries) != 1:
        return None
    whole = flat(search.state) + step
    if np.array_equal(whole, flat(judged.state)):
        return None
    found = split(whole, search.state)
    positive = np.array([KINDS[q.kind].positive for q in model.quantities])
    return found if np.isfinite(whole).all() and (np.asarray(found.u)[:, positive] >= 0.0).all() else None


def _size(plan: Plan, here: Entries) -> float:
    """The largest residual over the size of its row."""
    rows = np.bincount(plan.indices, np.abs(here.matrix), minlength=plan.n)
    return float(np.max(np.abs(here.residual) / np.where(rows > 0, rows, 1.0)))


def _step(factors: _Latest, here: Entries, state: np.ndarray, before: float) -> tuple[np.ndarray, float]:
    """The undamped Newton step, and the largest residual over the size of its row.

    An iterative solver is asked for no more digits than Newton's next step can use (Eisenstat and Walker 1996, choice
    2), and in the last step, which is taken without another look, for all that rounding leaves.
    """
    b, plan = -here.residual, factors.plan
    size = _size(plan, here)
    shrunk = size / before if 0.0 < before < np.inf else 1.0
    tolerance = float(np.clip(0.5 * shrunk**2, TIGHT, LOOSE))
    try:
        factor = factors.of(here, size)
        level = _level(plan, here, state) if factor.loose and tolerance < CLOSE else None
        x = factor.solve(b, tolerance, level)
        if factor.loose and np.max(np.abs(x)) < TOLERANCE:
            level = _level(plan, here, state) if level is None else level
            rest = b - plan.matrix(here.matrix) @ x
            if np.linalg.norm(rest) > np.linalg.norm(level):
                x = x + factor.solve(rest, 0.0, level)
    except SingularMatrix:
        # Newton's judge takes an unusable step as a failed stage and goes on to the next remedy.
        x = np.full(b.size, np.nan)
    return x * here.column, size


def _level(plan: Plan, here: Entries, state: np.ndarray) -> Any:
    """What rounding leaves of the residual of each row, (unknown,)."""
    return ROUNDING * (plan.matrix(np.abs(here.matrix)) @ np.abs(state / here.column))


def flat(x: State) -> np.ndarray:
    """A state as one vector, (unknown,): states cell by cell, then shared unknowns."""
    u, s = np.asarray(x.u).reshape(-1), np.asarray(x.s)
    return np.concatenate([u, s]) if s.size else u


def split(x: np.ndarray, like: State) -> State:
    """The state that a vector stands for, in the shapes of another one."""
    size = int(np.prod(like.u.shape))
    return State(jnp.asarray(x[:size].reshape(like.u.shape)), jnp.asarray(x[size:]))


@jax.jit
def _start(model: Model, guess: State | None) -> Search:
    return begin(model, *first_state(model, guess))


_judge = jax.jit(advance)


@jax.jit
def assemble(model: Model, state: State, stage: Stage, kept: Any) -> tuple[Values, State, State, Any]:
    """Derivatives for `Pattern.collect`, the residual, the size of each unknown, and the signs."""
    b = blocks(model, state, stage, kept)
    diagonal = jnp.concatenate([b.cell, jnp.zeros((len(model.reservoirs), *b.cell.shape[1:]))])
    for name in joined(model):
        by_tail, by_head = b.edges[name]
        diagonal = scatter(model.edges[name], diagonal, by_tail, -by_head)
    diagonal = diagonal[: model.cells]
    own = jnp.diagonal(diagonal, axis1=1, axis2=2)
    values = Values(
        cell=jnp.where(b.free[:, :, None] > 0, diagonal, jnp.eye(len(model.names))),
        joints=tuple(b.edges[name] for name in joined(model)),
        columns=b.border.columns,
        rows=b.border.rows,
        corner=b.border.corner,
    )
    off = residual(model, state, stage, kept)
    return values, off, scales(model, state), signs_of(model, state, off, own)
