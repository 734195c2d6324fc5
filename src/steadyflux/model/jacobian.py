"""The exact Jacobian of the equation, from derivatives of each law on its own edge or cell, in block or sparse form."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from steadyflux.model.mapping import State, ends, in_cells, local, on_edges, placed, productions
from steadyflux.model.model import Model
from steadyflux.model.system import (
    Stage,
    accumulation,
    constraints,
    densities,
    pivot_columns,
    rates,
    residual,
    sweeping,
)
from steadyflux.physics.law import CellLaw
from steadyflux.space.space import INTERIOR


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
    made: Float[Array, "cell quantity quantity"]
    """Of what the laws make in each cell alone: without what is stored, and with the sign of a production."""


def blocks(model: Model, state: State, stage: Stage, kept: Float[Array, " total"]) -> Blocks:
    """All derivatives of `steadyflux.model.system.residual`."""
    model, resting = placed(model, state), model
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
    made = -cell
    edges = {
        name: on_edges(model, model.laws_on(name), _flux_jacobian(model), state)
        for name in model.edges
        if model.laws_on(name)
    }
    if resting.space.form is not None:
        edges[INTERIOR] = _with_swept(resting, state, rates(state, stage).s, edges.get(INTERIOR))
    if stage.rate is not None:
        for k in constraints(model):  # the row is the rate of a constraint: the same by the rates of its states
            cell = cell.at[:, k].multiply(stage.inverse_step)
            edges = {
                name: (d_tail.at[:, k].multiply(stage.inverse_step), d_head.at[:, k].multiply(stage.inverse_step))
                for name, (d_tail, d_head) in edges.items()
            }
    cell = cell + _growth_jacobian(resting, state, stage)
    free = jnp.where(model.layout.held, 0.0, 1.0)
    if model.layout.totals and stage.rate is None:
        columns = pivot_columns(model)
        pins = jnp.maximum(stage.pins, 0)
        free = free.at[pins, columns].multiply(jnp.where(stage.pins >= 0, 0.0, 1.0))
    return Blocks(cell, edges, free, border(resting, state, stage, kept), made)


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


def _growth_jacobian(model: Model, state: State, stage: Stage) -> Array:
    """d (storage term)_k / d u_l in each cell; a compartment's size takes part in what all others store."""
    directions = jnp.eye(len(model.names))
    along = jax.vmap(
        lambda d: jax.jvp(
            lambda u: accumulation(model, State(u, state.s), stage), (state.u,), (jnp.broadcast_to(d, state.u.shape),)
        )[1],
        out_axes=2,
    )
    return along(directions)


def _with_swept(model: Model, state: State, motion: Array, edges: Any) -> tuple[Array, Array]:
    """Derivatives on the interior edges with those of what moving faces sweep over."""
    here = placed(model, state)
    interior = here.space.edges[INTERIOR]

    def by_ends(directions: Array) -> tuple[Array, Array]:
        moved = jax.jvp(
            lambda u: densities(here, State(u, state.s)), (state.u,), (jnp.broadcast_to(directions, state.u.shape),)
        )[1]
        return ends(interior, moved)

    tail, head = jax.vmap(by_ends, out_axes=2)(jnp.eye(len(model.names)))
    volume = sweeping(model, state, motion)[:, None, None]
    d_tail, d_head = -0.5 * volume * tail, -0.5 * volume * head
    return (d_tail, d_head) if edges is None else (edges[0] + d_tail, edges[1] + d_head)


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
