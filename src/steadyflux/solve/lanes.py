"""One scaled solve with the equation's Jacobian, compiled: dense for small models, block-tridiagonal for chains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.linalg import lu_factor, lu_solve
from jaxtyping import Array, Float

from steadyflux.model.jacobian import Blocks, blocks, dense, tridiagonal
from steadyflux.model.layout import BLOCK_LIMIT
from steadyflux.model.model import Model
from steadyflux.model.system import Stage, State, residual
from steadyflux.solve.blocks import factor, solve, solve_blocks
from steadyflux.solve.newton import Signs, signs_of

Solver = Callable[[State], State]


class Linear(NamedTuple):
    """A factored Jacobian: solves with it or with its transpose, and what Newton's judge wants to know of it."""

    solve: Solver
    rows: State
    """Size of each row, the largest |entry| times the scale of its unknown: the residual is measured by it."""
    diagonal: Float[Array, "cell quantity"]


def linearise(
    model: Model,
    state: State,
    stage: Stage,
    kept: Any,
    scale: State,
    *,
    transpose: bool = False,
    repeated: bool = False,
) -> Linear:
    """Factor the Jacobian at a state, with columns scaled by ``scale`` and rows by their size.

    ``repeated`` keeps the factors for many right sides; else each solve may factor anew, which is faster for one.
    """
    lane = _dense if model.layout.lane == "dense" else _chain
    return lane(model, state, stage, kept, scale, transpose, repeated)


def _dense(
    model: Model, state: State, stage: Stage, kept: Any, scale: State, transpose: bool, repeated: bool
) -> Linear:
    matrix = dense(model, state, stage, kept)
    column = jnp.concatenate([scale.u.ravel(), scale.s])
    scaled = matrix * column[None, :]
    row = jnp.max(jnp.abs(scaled), axis=1)
    row = jnp.where((row > 0) & jnp.isfinite(row), row, 1.0)
    scaled = scaled / row[:, None]
    size = state.u.size
    solve_again = _factored(scaled.T if transpose else scaled) if repeated else None

    def solve_dense(rhs: State) -> State:
        b = jnp.concatenate([rhs.u.ravel(), rhs.s])
        if solve_again is not None:
            x = solve_again(b * column) / row if transpose else solve_again(b / row) * column
            return State(x[:size].reshape(state.u.shape), x[size:])
        x = jnp.linalg.solve(scaled.T, b * column) / row if transpose else jnp.linalg.solve(scaled, b / row) * column
        return State(x[:size].reshape(state.u.shape), x[size:])

    rows = State(row[:size].reshape(state.u.shape), row[size:])
    return Linear(solve_dense, rows, jnp.diag(matrix)[:size].reshape(state.u.shape))


def _factored(matrix: Array) -> Callable[[Array], Array]:
    """Solves with one matrix again and again; a small one is eliminated as a block, without a call to LAPACK."""
    if matrix.shape[0] <= BLOCK_LIMIT:
        none = jnp.zeros((1, *matrix.shape))
        block = factor(none, matrix[None], none)
        return lambda b: solve(block, b[None])[0]
    factors = lu_factor(matrix)
    return lambda b: lu_solve(factors, b)


def _chain(
    model: Model, state: State, stage: Stage, kept: Any, scale: State, transpose: bool, repeated: bool
) -> Linear:
    b: Blocks = blocks(model, state, stage, kept)
    lower, diagonal, upper = tridiagonal(model, b)
    entries = jnp.diagonal(diagonal, axis1=1, axis2=2)
    # Columns first: the block below couples to the cell before, the block above to the cell behind.
    before = jnp.roll(scale.u, 1, axis=0)
    behind = jnp.roll(scale.u, -1, axis=0)
    lower, diagonal, upper = lower * before[:, None, :], diagonal * scale.u[:, None, :], upper * behind[:, None, :]
    columns = b.border.columns * scale.s
    row = jnp.max(jnp.abs(jnp.concatenate([lower, diagonal, upper, columns], axis=2)), axis=2)
    row = jnp.where((row > 0) & jnp.isfinite(row), row, 1.0)
    lower, diagonal, upper = (m / row[:, :, None] for m in (lower, diagonal, upper))
    columns = columns / row[:, :, None]
    shared = state.s.shape[0]
    rows, corner = b.border.rows * scale.u, b.border.corner * scale.s
    row_shared = jnp.zeros(0)
    if shared:
        row_shared = jnp.maximum(jnp.max(jnp.abs(rows), axis=(1, 2)), jnp.max(jnp.abs(corner), axis=1))
        row_shared = jnp.where((row_shared > 0) & jnp.isfinite(row_shared), row_shared, 1.0)
        rows, corner = rows / row_shared[:, None, None], corner / row_shared[:, None]
    if transpose:
        turned = jnp.swapaxes
        none = jnp.zeros_like(lower[:1])
        lower, diagonal, upper = (
            jnp.concatenate([none, turned(upper, 1, 2)[:-1]]),
            turned(diagonal, 1, 2),
            jnp.concatenate([turned(lower, 1, 2)[1:], none]),
        )
        columns, rows, corner = jnp.moveaxis(rows, 0, 2), jnp.moveaxis(columns, 2, 0), corner.T
    factors = factor(lower, diagonal, upper) if shared or repeated else None
    bordered = solve(factors, columns) if factors is not None and shared else columns

    def solve_chain(rhs: State) -> State:
        u, s = (rhs.u * scale.u, rhs.s * scale.s) if transpose else (rhs.u / row, rhs.s / row_shared)
        # One right side alone: factorisation and substitution in one pass take half the time.
        x = solve_blocks(lower, diagonal, upper, u) if factors is None else solve(factors, u)
        if shared:
            # Block elimination: the chain with one right side more for each shared unknown, then their own small
            # system.
            schur = corner - jnp.einsum("tnk,nks->ts", rows, bordered)
            s = jnp.linalg.solve(schur, s - jnp.einsum("tnk,nk->t", rows, x))
            x = x - jnp.einsum("nks,s->nk", bordered, s)
        return State(x / row, s / row_shared) if transpose else State(x * scale.u, s * scale.s)

    return Linear(solve_chain, State(row, row_shared), entries)


def newton_step(model: Model, state: State, stage: Stage, kept: Any, scale: State) -> tuple[State, Any, Signs]:
    """The undamped Newton step, the largest residual over the size of its row, and the signs of the state."""
    off = residual(model, state, stage, kept)
    linear = linearise(model, state, stage, kept, scale)
    step = linear.solve(jax.tree.map(jnp.negative, off))
    size = jnp.max(jnp.abs(off.u) / linear.rows.u)
    if off.s.shape[0]:
        size = jnp.maximum(size, jnp.max(jnp.abs(off.s) / linear.rows.s))
    return step, size, signs_of(model, state, off, linear.diagonal)
