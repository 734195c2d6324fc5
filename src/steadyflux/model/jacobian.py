"""The exact Jacobian of the equation, from derivatives of each law on its own edge or cell, in block or sparse form."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from steadyflux.model.model import Model
from steadyflux.model.system import (
    Stage,
    State,
    in_cells,
    local,
    on_edges,
    pivot_columns,
    productions,
    residual,
    stored,
)
from steadyflux.physics.law import CellLaw


class Border(NamedTuple):
    """Derivatives that involve shared unknowns: of the cells' rows, of the shared rows, and among themselves."""

    columns: Float[Array, "cell quantity shared"]
    rows: Float[Array, "shared cell quantity"]
    corner: Float[Array, "shared shared"]


class Blocks(NamedTuple):
    """Derivatives of the cells' rows: one block for each cell, and two for each edge (of the tail's row).

    Row of the tail: + d_tail and + d_head; row of the head: the same with the sign turned.
    """

    cell: Float[Array, "cell quantity quantity"]
    edges: dict[str, tuple[Float[Array, "edge quantity quantity"], Float[Array, "edge quantity quantity"]]]
    free: Float[Array, "cell quantity"]
    """One where a row is a balance, zero where a condition stands instead."""
    border: Border


def blocks(model: Model, state: State, stage: Stage, kept: Float[Array, " total"]) -> Blocks:
    """All derivatives of `steadyflux.model.system.residual`."""
    count = len(model.names)
    cell = jnp.zeros((model.cells, count, count))
    for number, law in enumerate(model.laws):
        if isinstance(law, CellLaw) and law.makes:
            (made, where, measure) = in_cells(model, number, _production_jacobian(model), state)
            cell = cell.at[where].add(-measure[:, None, None] * made)
            for k, q in enumerate(model.quantities):
                by_volume = law.acts_in is None or model.space.place(law.acts_in).kind != "boundary"
                if q.kind == "size" and by_volume:  # what is made grows with the compartment
                    rate = in_cells(model, number, lambda one, h, s, c: productions(model, one, h, s, c), state)[0]
                    swells = jnp.where(jnp.asarray(model.layout.active)[where, k], 1.0, 0.0)
                    cell = cell.at[where, :, k].add(-swells[:, None] * rate)
    cell = cell + stage.inverse_step * _storage_jacobian(model, state)
    edges = {name: on_edges(model, model.laws_on(name), _flux_jacobian(model), state) for name in model.edges}
    free = jnp.where(model.layout.held, 0.0, 1.0)
    if model.layout.totals:
        columns = pivot_columns(model)
        pins = jnp.maximum(stage.pins, 0)
        free = free.at[pins, columns].multiply(jnp.where(stage.pins >= 0, 0.0, 1.0))
    return Blocks(cell, edges, free, border(model, state, stage, kept))


def _flux_jacobian(model: Model) -> Any:
    def function(laws: Any, tail: Any, head: Any, shared: Any, edge: Any) -> Any:
        def flux(at_tail: Array, at_head: Array) -> Array:
            one, other = local(model, at_tail, tail[1], shared), local(model, at_head, head[1], shared)
            total = [jnp.zeros(())] * len(model.names)
            for law in laws:
                for name, value in law.flux(one, other, edge).items():
                    total[model.index(name)] = total[model.index(name)] + value
            return jnp.stack(total)

        return jax.jacfwd(flux, argnums=(0, 1))(tail[0], head[0])

    return function


def _production_jacobian(model: Model) -> Any:
    def function(law: Any, here: Any, shared: Any, cell: Any) -> Any:
        def made(values: Array) -> Array:
            total = [jnp.zeros(())] * len(model.names)
            for name, value in law.production(local(model, values, here[1], shared), cell).items():
                total[model.index(name)] = total[model.index(name)] + value
            return jnp.stack(total)

        return jax.jacfwd(made)(here[0])

    return function


def _storage_jacobian(model: Model, state: State) -> Array:
    """d stored_k / d u_l in each cell; a compartment's size takes part in what all others store."""
    directions = jnp.eye(len(model.names))
    along = jax.vmap(
        lambda d: jax.jvp(lambda u: stored(model, u), (state.u,), (jnp.broadcast_to(d, state.u.shape),))[1], out_axes=2
    )
    return along(directions)


def border(model: Model, state: State, stage: Stage, kept: Float[Array, " total"]) -> Border:
    """Derivatives by and of the shared unknowns (few: one forward pass and one backward pass each)."""
    if state.s.shape[0] == 0:
        n, k = state.u.shape
        return Border(jnp.zeros((n, k, 0)), jnp.zeros((0, n, k)), jnp.zeros((0, 0)))
    by_shared = jax.jacfwd(lambda s: residual(model, State(state.u, s), stage, kept))(state.s)
    rows = jax.jacrev(lambda u: residual(model, State(u, state.s), stage, kept).s)(state.u)
    return Border(by_shared.u, rows, by_shared.s)


def tridiagonal(model: Model, b: Blocks) -> tuple[Array, Array, Array]:
    """Lower, diagonal and upper blocks (cell, quantity, quantity) of a model whose edges all join neighbours."""
    lower, diagonal, upper = jnp.zeros_like(b.cell), b.cell, jnp.zeros_like(b.cell)
    for name, (d_tail, d_head) in b.edges.items():
        edges = model.edges[name]
        if edges.first is not None and edges.first + len(edges) < model.cells:
            tail, head = (
                slice(edges.first, edges.first + len(edges)),
                slice(edges.first + 1, edges.first + len(edges) + 1),
            )
            diagonal = diagonal.at[tail].add(d_tail).at[head].add(-d_head)
            upper, lower = upper.at[tail].add(d_head), lower.at[head].add(-d_tail)
            continue
        # Heads in a reservoir lie beyond the last cell; JAX drops what is scattered there.
        diagonal = diagonal.at[edges.tail].add(d_tail).at[edges.head].add(-d_head, mode="drop")
        inside = jnp.where(jnp.asarray(edges.head) < model.cells, 1.0, 0.0)[:, None, None]
        upper = upper.at[edges.tail].add(inside * d_head)
        lower = lower.at[edges.head].add(-d_tail, mode="drop")
    unit = jnp.eye(b.cell.shape[1])
    free = b.free[:, :, None]
    return lower * free, jnp.where(free > 0, diagonal, unit), upper * free


def dense(model: Model, state: State, stage: Stage, kept: Float[Array, " total"]) -> Float[Array, "n n"]:
    """The whole Jacobian of a small model, (unknown, unknown): states cell by cell, then shared unknowns."""

    def flat(x: Array) -> Array:
        size = state.u.size
        r = residual(model, State(x[:size].reshape(state.u.shape), x[size:]), stage, kept)
        return jnp.concatenate([r.u.ravel(), r.s])

    return jax.jacfwd(flat)(jnp.concatenate([state.u.ravel(), state.s]))
