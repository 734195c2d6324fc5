"""The host lane: Newton over the compiled residual and derivatives, with sparse factorisations outside JAX between."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from steadyflux.model.jacobian import blocks
from steadyflux.model.model import Model
from steadyflux.model.system import Stage, State, residual
from steadyflux.solve.linear import Factor, Plan, SingularMatrix, analyse
from steadyflux.solve.newton import RUNNING, Search, advance, begin, fastest_rate, first_state, scales, stage_of


class Pattern(NamedTuple):
    """Where the entries of one model structure go: slot of each value in the sparse matrix, its row, and the plan."""

    slots: np.ndarray
    rows: np.ndarray
    count: int
    plan: Plan

    def collect(self, values: np.ndarray) -> np.ndarray:
        """The matrix's entries, in the order of the plan's pattern, from the values that `assemble` gives."""
        return np.bincount(self.slots, values, minlength=self.count)


class Structure(NamedTuple):
    """What the pattern depends on; compared by content, so that models of one shape share one analysis."""

    cells: int
    quantities: int
    shared: int
    ends: tuple[tuple[bytes, bytes], ...]
    solver: str


def search_on_host(model: Model, guess: State | None, solver: str = "superlu") -> Search:
    """The whole search, one factorisation a step."""
    model = jax.device_put(model)
    pattern = pattern_of(model, solver)
    search = _start(model, guess)
    while int(search.outcome) == RUNNING:
        values, off, scale, rate = assemble(model, search.state, stage_of(search), search.kept)
        step, size = _step(model, pattern, np.asarray(values), off, scale)
        search = _judge(model, search, step, size, rate)
    return search


def solve_on_host(model: Model, state: State, pins: Any, kept: Any, rhs: State, *, transpose: bool) -> State:
    """J x = rhs, or its transpose, at a solution."""
    model = jax.device_put(model)
    pattern = pattern_of(model)
    stage = Stage(jnp.ones(()), jnp.zeros(()), state, pins)
    values, _, scale, _ = assemble(model, state, stage, kept)
    factor = _factor(pattern, np.asarray(values))
    column = flat(scale)
    b = flat(rhs)
    x = factor.solve_transposed(b * column) if transpose else factor.solve(b) * column
    return split(x, state)


def _step(model: Model, pattern: Pattern, values: np.ndarray, off: State, scale: State) -> tuple[State, Any]:
    b = -flat(off)
    rows = np.bincount(pattern.rows, np.abs(values), minlength=b.size)
    size = np.max(np.abs(b) / np.where(rows > 0, rows, 1.0))
    try:
        x = _factor(pattern, values).solve(b) * flat(scale)
    except SingularMatrix:
        # Newton's judge takes an unusable step as a failed stage and goes on to the next remedy.
        x = np.full(b.size, np.nan)
    return split(x, off), size


def _factor(pattern: Pattern, values: np.ndarray) -> Factor:
    return pattern.plan.factor(pattern.collect(values))


def flat(x: State) -> np.ndarray:
    """A state as one vector, (unknown,): states cell by cell, then shared unknowns."""
    return np.concatenate([np.asarray(x.u).ravel(), np.asarray(x.s)])


def split(x: np.ndarray, like: State) -> State:
    """The state that a vector stands for, in the shapes of another one."""
    size = int(np.prod(like.u.shape))
    return State(jnp.asarray(x[:size].reshape(like.u.shape)), jnp.asarray(x[size:]))


@jax.jit
def _start(model: Model, guess: State | None) -> Search:
    return begin(model, *first_state(model, guess))


_judge = jax.jit(advance)


@jax.jit
def assemble(model: Model, state: State, stage: Stage, kept: Any) -> tuple[Any, State, State, Any]:
    """Values of the Jacobian in the order of `_entries`, columns scaled; the residual; the scales; the fastest rate."""
    scale = scales(model, state)
    b = blocks(model, state, stage, kept)
    unit = jnp.eye(len(model.names))
    free = b.free[:, :, None]
    diagonal = jnp.where(free > 0, b.cell, unit)
    values = [(diagonal * scale.u[:, None, :]).ravel()]
    entries = jnp.diagonal(b.cell, axis1=1, axis2=2)
    for name, (d_tail, d_head) in b.edges.items():
        tail, head = model.edges[name].tail, model.edges[name].head
        inside = jnp.asarray(head) < model.cells
        at_head = jnp.where(inside, jnp.asarray(head), 0)
        gate = jnp.where(inside, 1.0, 0.0)[:, None, None]
        free_tail, free_head = free[tail], free[at_head] * gate
        by_tail, by_head = d_tail * scale.u[tail][:, None, :], d_head * scale.u[at_head][:, None, :] * gate
        values += [
            (by_tail * free_tail).ravel(),
            (by_head * free_tail).ravel(),
            (-by_tail * free_head).ravel(),
            (-by_head * free_head).ravel(),
        ]
        own = jnp.diagonal(d_tail, axis1=1, axis2=2), -jnp.diagonal(d_head, axis1=1, axis2=2) * gate[:, :, 0]
        entries = entries.at[tail].add(own[0]).at[at_head].add(own[1])
    values += [
        (b.border.columns * scale.s).ravel(),
        (b.border.rows * scale.u).ravel(),
        (b.border.corner * scale.s).ravel(),
    ]
    off = residual(model, state, stage, kept)
    return jnp.concatenate(values), off, scale, fastest_rate(model, state, entries)


def pattern_of(model: Model, solver: str = "superlu") -> Pattern:
    """The sparse pattern of a model's Jacobian, computed once for all models of one shape."""
    return _pattern(_structure(model, solver))


def _structure(model: Model, solver: str) -> Structure:
    ends = tuple(
        (np.asarray(e.tail, dtype=np.int64).tobytes(), np.asarray(e.head, dtype=np.int64).tobytes())
        for e in model.edges.values()
    )
    shared = len(model.shared) + model.layout.totals
    return Structure(model.cells, len(model.names), shared, ends, solver)


@lru_cache(maxsize=8)
def _pattern(structure: Structure) -> Pattern:
    """The sparse pattern of a structure; the entries stand in the order in which `assemble` computes their values."""
    n, k, s = structure.cells, structure.quantities, structure.shared
    local = np.arange(k)
    size = n * k
    rows: list[np.ndarray] = []
    columns: list[np.ndarray] = []

    def block(of: np.ndarray, by: np.ndarray) -> None:
        shape = (of.size, k, k)
        rows.append(np.broadcast_to((of[:, None] * k + local)[:, :, None], shape).ravel())
        columns.append(np.broadcast_to((by[:, None] * k + local)[:, None, :], shape).ravel())

    block(np.arange(n), np.arange(n))
    for tail_bytes, head_bytes in structure.ends:
        tail, head = np.frombuffer(tail_bytes, np.int64), np.frombuffer(head_bytes, np.int64)
        head = np.where(head < n, head, tail)  # entries of reservoirs are zero; any valid place will do
        for of, by in ((tail, tail), (tail, head), (head, tail), (head, head)):
            block(of, by)
    if s:
        states, shared = np.arange(size), size + np.arange(s)
        rows += [np.repeat(states, s), np.repeat(shared, size), np.repeat(shared, s)]
        columns += [np.tile(shared, size), np.tile(states, s), np.tile(shared, s)]
    row, column = np.concatenate(rows), np.concatenate(columns)
    total = size + s
    key = column * total + row
    distinct, slots = np.unique(key, return_inverse=True)
    indptr = np.searchsorted(distinct // total, np.arange(total + 1))
    nodes = np.concatenate([np.repeat(np.arange(n), k), n + np.arange(s)])
    plan = analyse(indptr, distinct % total, total, nodes, structure.solver)
    return Pattern(slots, row, distinct.size, plan)
