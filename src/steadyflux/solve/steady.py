"""Steady states: `steady(model)`, with exact derivatives by the implicit function theorem."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_batching import custom_vmap
from jax.flatten_util import ravel_pytree

from steadyflux.ground.arithmetic import is_traced
from steadyflux.ground.errors import InputError
from steadyflux.model.layout import in_lane, is_chain
from steadyflux.model.model import Model
from steadyflux.model.solution import Outcome, Solution
from steadyflux.model.system import Stage, State, residual
from steadyflux.physics.law import replace
from steadyflux.solve.lanes import linearise, newton_step
from steadyflux.solve.newton import (
    CONVERGED,
    RUNNING,
    Search,
    advance,
    begin,
    first_state,
    scales,
    stage_of,
)

LANES = {"dense": "dense", "block-tridiagonal": "chain"}
DENSE_AT_MOST = 4_000  # unknowns of a full matrix, which takes a gigabyte with its derivatives at this size


def steady(
    model: Model, start: Solution | State | None = None, *, solver: str = "auto", throw: bool = True
) -> Solution:
    """The steady state of a model.

    Args:
        model: what is to be solved; numbers that change with time are taken as they are at time zero.
        start: a solution (of the same model with other numbers) or a state to start from.
        solver: the linear solver, by default chosen by the model's size and structure: "dense" and "block-tridiagonal"
            (for small models and chains), "direct", "superlu", "amg" (multigrid under a Krylov iteration), and where
            they are installed "pardiso", "klu", and "petsc", "petsc-mumps", "petsc-hypre" over the processes of an MPI
            program (docs/solvers.md). What really solved stands in ``outcome.solver``.
        throw: raise `NotConverged` when no steady state is found; else the outcome says so.

    Works inside `jax.jit`, `jax.vmap` and `jax.grad`; there a search that fails gives nan instead of raising.
    """
    model = model.at(0.0) if model.varies else model
    guess = start.state if isinstance(start, Solution) else start
    led = _led(model, solver)
    search = _differentiable(led, guess, solver) if is_traced(model, guess) else _found_here(led, guess, solver)
    solution = Solution(model, search.state, outcome_of(search), pins=search.pins, kept=search.kept)
    if throw and not is_traced(search.outcome):
        solution.check_converged()
    return solution


def _led(model: Model, solver: str) -> Model:
    """The model in the lane of the solver that is asked for."""
    if solver == "auto":
        return model
    if solver not in LANES:
        host_lane().check_solver(solver)
    lane, unknowns = LANES.get(solver, "sparse"), model.cells * len(model.names)
    if lane == model.layout.lane:
        return model
    if lane == "dense" and unknowns > DENSE_AT_MOST:
        raise InputError(f"A dense matrix of {unknowns} unknowns is too large; choose another solver, or 'auto'.")
    if lane == "chain" and not is_chain(model):
        raise InputError("Only a chain of cells has a block-tridiagonal matrix; choose another solver, or 'auto'.")
    return replace(model, layout=in_lane(model.layout, lane))


def _found_here(model: Model, guess: State | None, solver: str) -> Search:
    """The search outside any tracing, by the model's lane."""
    if model.layout.lane != "sparse":
        search = _search(model, guess)
        # The chain pivots within its blocks only. Where that was too little, the sparse solver, which pivots across
        # them, goes through the whole ladder once more before the search counts as failed.
        if model.layout.lane == "dense" or int(search.outcome) == CONVERGED:
            return search
        solver = "auto"
    return host_lane().search_on_host(model, guess, solver)


def host_lane() -> Any:
    """The host lane, imported when a model needs it: its sparse solvers take as long to import as JAX."""
    from steadyflux.solve import host

    return host


def is_number(leaf: Any) -> bool:
    """Whether a leaf of a model is a real number that an answer can be differentiated by."""
    return isinstance(leaf, float) or jnp.issubdtype(getattr(leaf, "dtype", int), jnp.inexact)


def outcome_of(search: Search) -> Outcome:
    """The record of how a search ended."""
    return Outcome(
        search.outcome, search.iterations, search.residual, search.force, search.phase, search.solver, search.note
    )


@jax.jit
def _search(model: Model, guess: State | None) -> Search:
    """The whole search in one compiled program."""
    start, kept = first_state(model, guess)

    def body(search: Search) -> Search:
        stage, scale = stage_of(search), scales(model, search.state)
        step, size, signs = newton_step(model, search.state, stage, search.kept, scale)
        return advance(model, search, step, size, signs)

    return jax.lax.while_loop(lambda s: s.outcome == RUNNING, body, begin(model, start, kept))


@custom_vmap
def _search_in_batches(model: Model, guess: State | None) -> Search:
    """The compiled search; under `vmap` it takes a batch in portions that stay in a processor's cache."""
    return _search(model, guess)


@_search_in_batches.def_vmap
def _portions(size: int, batched: Any, model: Model, guess: State | None) -> tuple[Search, Any]:
    leaves, build = jax.tree.flatten((model, guess))
    mapped = [number for number, flag in enumerate(jax.tree.leaves(batched)) if flag]

    def one(values: list[Any]) -> Search:
        whole = list(leaves)
        for number, value in zip(mapped, values, strict=True):
            whole[number] = value
        return _search(*jax.tree.unflatten(build, whole))

    # On a GPU everything at once is best; on a CPU a portion of sixteen keeps the vector units busy and the data near,
    # and each portion stops as soon as its own members have converged.
    portion = min(16 if jax.default_backend() == "cpu" else size, size)
    count = -(-size // portion)
    filled = jnp.minimum(jnp.arange(count * portion), size - 1).reshape(count, portion)
    found = jax.lax.map(jax.vmap(one), [leaves[number][filled] for number in mapped])
    found = jax.tree.map(lambda x: x.reshape((count * portion, *x.shape[2:]))[:size], found)
    return found, jax.tree.map(lambda _: True, found)


def _differentiable(model: Model, guess: State | None, solver: str) -> Search:
    """The search, with derivatives of the solved state by every number of the model.

    At the solution r(state, numbers) = 0, so d state = -J^-1 (dr/d numbers) d numbers: one linear solve with the
    Jacobian forwards, one with its transpose backwards, whatever the search went through.
    """
    numbers, rest = eqx.partition(model, is_number)

    @jax.custom_jvp
    def root(numbers: Any) -> Search:
        found = _found(eqx.combine(numbers, rest), guess, solver)
        good = found.outcome == CONVERGED
        return found._replace(state=jax.tree.map(lambda x: jnp.where(good, x, jnp.nan), found.state))

    @root.defjvp
    def root_jvp(primals: tuple[Any], tangents: tuple[Any]) -> tuple[Search, Search]:
        found = root(primals[0])
        if model.layout.lane == "sparse":
            moved = _moved_on_host(primals[0], tangents[0], rest, guess, found, solver)
        else:
            moved = _moved(primals[0], tangents[0], rest, guess, found)
        change = jax.tree.map(_no_tangent, found)
        return found, change._replace(state=moved)

    return root(numbers)


def _found(model: Model, guess: State | None, solver: str) -> Search:
    """The search inside a traced program: compiled, or by a callback to the host for sparse models."""
    if model.layout.lane != "sparse":
        return _search_in_batches(model, guess)
    leaves, build = jax.tree.flatten((model, guess))
    shapes = jax.eval_shape(_search, model, guess)
    return jax.pure_callback(
        lambda *values: jax.tree.map(
            np.asarray, host_lane().search_on_host(*jax.tree.unflatten(build, values), solver)
        ),
        shapes,
        *leaves,
        vmap_method="sequential",
    )


# Compiled by itself, so that a derivative taken outside any jit shares the program of the search and runs this one.
@jax.jit
def _moved(numbers: Any, tangents: Any, rest: Any, guess: State | None, found: Search) -> State:
    """Change of the solved state along a change of the numbers."""
    return solve_linear(eqx.combine(numbers, rest), found, _push(numbers, tangents, rest, guess, found))


# A callback is left outside: XLA does not always find it again in a program that is compiled by itself.
def _moved_on_host(numbers: Any, tangents: Any, rest: Any, guess: State | None, found: Search, solver: str) -> State:
    push = _push(numbers, tangents, rest, guess, found)
    return solve_linear(eqx.combine(numbers, rest), found, push, solver)


@jax.jit
def _push(numbers: Any, tangents: Any, rest: Any, guess: State | None, found: Search) -> State:
    """Less the change of the equations along a change of the numbers."""

    def equations(numbers: Any) -> State:
        model = eqx.combine(numbers, rest)
        return residual(model, found.state, _final(found), first_state(model, guess)[1])

    return jax.tree.map(jnp.negative, jax.jvp(equations, (numbers,), (tangents,))[1])


def _no_tangent(x: Any) -> Any:
    return (
        jnp.zeros_like(x) if jnp.issubdtype(jnp.result_type(x), jnp.inexact) else jnp.zeros(x.shape, jax.dtypes.float0)
    )


def _final(search: Search) -> Stage:
    return Stage(jnp.ones(()), jnp.zeros(()), search.state, search.pins)


def solve_linear(model: Model, found: Search, rhs: State, solver: str = "auto") -> State:
    """J x = rhs at a solution, in a form that JAX can transpose."""
    stage, scale = _final(found), scales(model, found.state)
    fixed = jax.lax.stop_gradient((model, found.state, stage, found.kept, scale))

    # One flat vector: JAX's transposition wants every part of the right side to depend on what is differentiated.
    flat, build = ravel_pytree(rhs)

    def times(x: Any) -> Any:
        moved = jax.jvp(lambda state: residual(fixed[0], state, fixed[2], fixed[3]), (fixed[1],), (build(x),))[1]
        return ravel_pytree(moved)[0]

    return build(
        jax.lax.custom_linear_solve(
            times,
            flat,
            solve=lambda _, b: ravel_pytree(_solve(*fixed, build(b), False, solver))[0],
            transpose_solve=lambda _, b: ravel_pytree(_solve(*fixed, build(b), True, solver))[0],
        )
    )


def _solve(
    model: Model, state: State, stage: Stage, kept: Any, scale: State, rhs: State, transpose: bool, solver: str
) -> State:
    if model.layout.lane != "sparse":
        return linearise(model, state, stage, kept, scale, transpose=transpose).solve(rhs)
    leaves, build = jax.tree.flatten((model, state, stage.pins, kept, rhs))
    return jax.pure_callback(
        lambda *values: jax.tree.map(
            np.asarray,
            host_lane().solve_on_host(*jax.tree.unflatten(build, values), transpose=transpose, solver=solver),
        ),
        jax.eval_shape(lambda x: x, rhs),
        *leaves,
        vmap_method="sequential",
    )
