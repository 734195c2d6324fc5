"""What the audit asks of every law of a solved model, in one compiled program: responses, pairs, derivatives."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from steadyflux.model.accounts import Accounts, labels
from steadyflux.model.mapping import State, ends, extended, in_cells, local, on_edges, shared_values
from steadyflux.model.model import Model
from steadyflux.model.solution import Solution
from steadyflux.physics.law import CellLaw, EdgeLaw, Reaction, per_edge_axes
from steadyflux.physics.local import Geometry, Local
from steadyflux.physics.quantity import KINDS

SAMPLE = 7  # edges (or cells) of each law that are probed one by one
# What runs once or a few times is compiled quickly rather than well.
QUICKLY = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
STEPS = tuple(2e-3 / 2**level for level in range(4))
"""Relative changes of the states for finite differences."""


class EdgeProbe(NamedTuple):
    """Responses of an edge law on its sampled edges; m quantities are moved, p edges sampled.

    ``still`` is the flux between two equal states, (p, m); ``slope`` its derivative by the head's states, (p, m, m);
    ``busy`` the size of the flux without the opposing one, (p, m); ``potentials`` dy/du there, (p, m, m); ``there`` and
    ``back`` the flux with the ends as they are and swapped, (p, m); ``tangent`` the directional derivative by automatic
    differentiation, (p, m), and ``changes`` the flux at +- each step along that direction, (p, steps, 2, m).
    ``reversed_slope`` and ``reversed_potentials`` are those two with all velocities turned round; None in a model
    without momentum.
    """

    still: Any
    slope: Any
    busy: Any
    potentials: Any
    there: Any
    back: Any
    tangent: Any
    changes: Any
    reversed_slope: Any
    reversed_potentials: Any


class CellProbe(NamedTuple):
    """Responses of a cell law in its sampled cells: ``tangent`` (p, m) and ``changes`` (p, steps, 2, m), as above."""

    tangent: Any
    changes: Any


class Pairs(NamedTuple):
    """One-way pairs of a law on all its edges or in all its cells: forward, reverse and net flux (e, m), rise of the
    conjugate potentials (e, m) (of a reaction or a turnover: their sum, (e, 1)), temperature at both ends (e, 2), and
    what a supply adds to the affinity per amount, J/mol (e, 1); ``driven`` is None without a supply."""

    forward: Any
    reverse: Any
    net: Any
    rise: Any
    temperature: Any
    driven: Any


@dataclass(frozen=True)
class Examination:
    """A solved model with everything that the checks read of it. Made by `examine`."""

    solution: Solution
    books: Accounts
    labels: tuple[str, ...]
    samples: dict[int, np.ndarray]
    edge: dict[int, EdgeProbe]
    cell: dict[int, CellProbe]
    pairs: dict[int, Pairs]
    driven: dict[int, bool]

    @property
    def model(self) -> Model:
        """The model that was solved."""
        return self.solution.model

    def not_passive(self, number: int) -> str:
        """Why a law is no dissipation down potentials of this model alone, in words; empty where it is."""
        law = self.model.laws[number]
        if not law.dissipative:
            return "not dissipative"
        if self.driven.get(number):
            return "driven by a supply"
        if self.carries(number):
            return "it carries along what it moves"
        kinds = [self.model.quantity(n) for n in (*law.moves, *law.makes)]
        if all(q.kind == "size" or (q.kind == "population" and q.reference is None) for q in kinds):
            return "its quantities have no conjugate potential"
        return ""

    def carries(self, number: int) -> bool:
        """Whether a law carries a moving medium along: then it moves what it moves without a force, too."""
        law = self.model.laws[number]
        return isinstance(law, EdgeLaw) and type(law).carried is not EdgeLaw.carried

    def place(self, number: int, row: int) -> str:
        """Where the row (edge or cell) of a law is, in words."""
        acting = self.model.acting[number]
        if acting is None:
            law = self.model.laws[number]
            place = law.acts_in if isinstance(law, CellLaw) else None
            cells = None if place is None else self.model.space.place(place).cells
            return f"in the cell {self.model.space.name_of(int(row if cells is None else np.asarray(cells)[row]))}"
        edges = self.model.edges[acting]
        tail, head = int(np.asarray(edges.tail)[row]), int(np.asarray(edges.head)[row])
        far = self.model.space.name_of(head) if head < self.model.cells else "its reservoir"
        return f"on the edge from {self.model.space.name_of(tail)} to {far}"


def examine(solution: Solution | Examination) -> Examination:
    """Probe every law of a solved model (an examination is handed back as it is)."""
    if isinstance(solution, Examination):
        return solution
    model, state = solution.model, solution.state
    books = solution.books
    samples = {n: _sample(model, n, books) for n in range(len(model.laws))}
    edge, cell, pairs, supplies = _probe(model, state, {str(n): rows for n, rows in samples.items()})
    numbers = lambda found: {int(n): jax.tree.map(np.asarray, value) for n, value in found.items()}  # noqa: E731
    return Examination(
        solution=solution,
        books=books,
        labels=labels(model),
        samples=samples,
        edge=numbers(edge),
        cell=numbers(cell),
        pairs=numbers(pairs),
        driven={int(n): found is not None for n, found in supplies.items()},
    )


def _sample(model: Model, number: int, books: Accounts) -> np.ndarray:
    """Rows of a law that are probed: always `SAMPLE`, spread evenly over those where the potentials are finite."""
    law, acting = model.laws[number], model.acting[number]
    y = np.asarray(books.conjugate)
    columns = [model.index(n) for n in (*law.moves, *law.makes)]
    fine = np.all(np.isfinite(y[:, columns]), axis=1)
    if acting is not None:
        edges = model.edges[acting]
        rows = np.flatnonzero(fine[np.asarray(edges.tail)] & fine[np.asarray(edges.head)])
        count = len(edges)
    else:
        place = law.acts_in if isinstance(law, CellLaw) else None
        cells = np.arange(model.cells) if place is None else np.asarray(model.space.place(place).cells)
        rows = np.flatnonzero(fine[cells])
        count = len(cells)
    rows = rows if len(rows) else np.arange(count)
    # Of one size for every model, so that its length does not ask for another program.
    return rows[np.linspace(0, len(rows) - 1, SAMPLE).round().astype(int)]


@partial(jax.jit, compiler_options=QUICKLY)
def _probe(model: Model, state: State, samples: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
    edge, cell, pairs, supplies = {}, {}, {}, {}
    for number, law in enumerate(model.laws):
        key = str(number)
        if isinstance(law, EdgeLaw) and law.moves:
            edge[key] = _edge_probes(model, number, samples[key], state)
            supplies[key] = on_edges(
                model,
                (number,),
                lambda ls, t, h, s, g: ls[0].supply(_seen(model, t, s), _seen(model, h, s), g),
                state,
            )
            found = on_edges(model, (number,), lambda ls, *a: _edge_pair(model, ls[0], *a), state)
        else:
            cell[key] = _cell_probes(model, number, samples[key], state)
            supplies[key] = in_cells(model, number, lambda one, h, s, c: one.supply(_seen(model, h, s), c), state)[0]
            found = None
            if isinstance(law, Reaction):
                found = in_cells(model, number, lambda one, *a: _cell_pair(model, one, *a), state)[0]
        if found is not None:
            pairs[key] = found
    return edge, cell, pairs, supplies


def _seen(model: Model, end: tuple[Any, Any], shared: Any) -> Local:
    """The local state of a pair (states, given fields)."""
    return local(model, end[0], end[1], shared)


def _rows(law: Any, rows: Any) -> tuple[Any, Any]:
    """A law with its per-edge numbers at some rows, and the vmap axes of it."""
    axes = per_edge_axes(law)
    taken = jax.tree.map(
        lambda leaf, axis: leaf if axis is None else jnp.asarray(leaf)[rows], law, axes, is_leaf=lambda x: x is None
    )
    return taken, axes


def _direction(model: Model, values: Any, key: Any) -> Any:
    """A random change of each state of a row: about its own size, and the size of its kind where it may be zero."""
    least = jnp.array([0.0 if KINDS[q.kind].positive else KINDS[q.kind].scale for q in model.quantities])
    signs = jax.random.uniform(key, values.shape, dtype=values.dtype, minval=0.3, maxval=1.0)
    return signs * jnp.maximum(jnp.abs(values), least)


def _edge_probes(model: Model, number: int, rows: Any, state: State) -> EdgeProbe:
    edges = model.edges[model.acting[number] or ""]
    law, axes = _rows(model.laws[number], rows)
    moved = [model.index(n) for n in law.moves]
    values, given = extended(model, state)
    shared = shared_values(model, state)
    tail, head = ends(edges, values)
    fields = {name: ends(edges, field) for name, field in given.items()}
    geometry = Geometry(*(jnp.asarray(x)[rows] for x in (edges.area, edges.length, edges.position)))
    along = (
        _direction(model, tail[rows], jax.random.key(2 * number)),
        -_direction(model, head[rows], jax.random.key(2 * number + 1)),
    )

    at = jnp.array(moved)
    odd = jnp.array([-1.0 if q.kind in ("momentum", "impulse") else 1.0 for q in model.quantities])
    has_momentum = any(q.kind in ("momentum", "impulse") for q in model.quantities)
    steps = jnp.array([h for step in STEPS for h in (step, -step)])

    def one(law: Any, u: Any, v: Any, near: Any, far: Any, du: Any, dv: Any, edge: Any) -> EdgeProbe:
        def flux(ends: Any) -> Any:
            tail, head, tail_fields, head_fields = ends
            found = law.flux(local(model, tail, tail_fields, shared), local(model, head, head_fields, shared), edge)
            return jnp.stack([jnp.asarray(found[n], dtype=float) for n in law.moves])

        def potentials(state: Any) -> Any:
            here = local(model, state, near, shared)
            return jnp.stack([here.conjugate(n) for n in law.moves])

        # Two traces of the law serve all questions, whatever it costs to compile: one of its values, one of its slopes.
        cases = [(u, u, near, near), (u, v, near, far), (v, u, far, near)]
        cases += [(u + h * du, v + h * dv, near, far) for h in steps]
        values = jax.vmap(flux)(jax.tree.map(lambda *x: jnp.stack(x), *cases))
        still = jax.tree.map(jnp.zeros_like, (u, near))
        turns = [(still[0], still[0].at[k].set(1.0), still[1], still[1]) for k in moved]
        points = [cases[0]] * len(moved)
        if has_momentum:
            turns, points = 2 * turns, points + [(odd * u, odd * u, near, near)] * len(moved)
        turns.append((du, dv, still[1], still[1]))
        points.append(cases[1])
        slopes = jax.vmap(lambda p, d: jax.jvp(flux, (p,), (d,))[1])(
            jax.tree.map(lambda *x: jnp.stack(x), *points), jax.tree.map(lambda *x: jnp.stack(x), *turns)
        )
        slope = slopes[: len(moved)].T
        return EdgeProbe(
            still=values[0],
            slope=slope,
            busy=jnp.sum(jnp.abs(slope) * jnp.abs(u[at])[None, :], axis=1),
            potentials=jax.jacfwd(potentials)(u)[:, at],
            there=values[1],
            back=values[2],
            tangent=slopes[-1],
            changes=values[3:].reshape(len(STEPS), 2, -1),
            reversed_slope=slopes[len(moved) : -1].T if has_momentum else None,
            reversed_potentials=jax.jacfwd(potentials)(odd * u)[:, at] if has_momentum else None,
        )

    near = {name: pair[0][rows] for name, pair in fields.items()}
    far = {name: pair[1][rows] for name, pair in fields.items()}
    return jax.vmap(one, in_axes=(axes, 0, 0, 0, 0, 0, 0, 0))(law, tail[rows], head[rows], near, far, *along, geometry)


def _cell_probes(model: Model, number: int, rows: Any, state: State) -> CellProbe:
    def one(law: Any, here: Any, shared: Any, cell: Any) -> CellProbe:
        du = _direction(model, here[0], jax.random.key(number))

        def run(h: Any) -> Any:
            made = law.production(local(model, here[0] + h * du, here[1], shared), cell)
            return jnp.stack([jnp.asarray(made[n], dtype=float) for n in law.makes])

        steps = jnp.array([[h, -h] for h in STEPS])
        return CellProbe(jax.jvp(run, (jnp.zeros(()),), (jnp.ones(()),))[1], jax.vmap(jax.vmap(run))(steps))

    found = in_cells(model, number, one, state)[0]
    return jax.tree.map(lambda x: x[rows], found)


def _edge_pair(model: Model, law: Any, tail: Any, head: Any, shared: Any, edge: Any) -> Pairs | None:
    at_tail, at_head = _seen(model, tail, shared), _seen(model, head, shared)
    ways, turns = law.one_way(at_tail, at_head, edge), law.turnover(at_tail, at_head, edge)
    if not ways and not turns:
        return None
    flux, supply = law.flux(at_tail, at_head, edge), law.supply(at_tail, at_head, edge)
    stack = lambda values: jnp.stack([jnp.asarray(x, dtype=float) for x in values])  # noqa: E731
    if turns:
        forward, reverse, numbers = turns
        first = next(iter(numbers))
        net = stack([flux[first] / numbers[first]])
        return Pairs(
            forward=stack([forward]),
            reverse=stack([reverse]),
            net=net,
            rise=stack([sum(k * (at_head.conjugate(n) - at_tail.conjugate(n)) for n, k in numbers.items())]),
            temperature=stack([at_tail.T, at_head.T]),
            driven=None if supply is None else _per_amount(supply, net),
        )
    names = [n for n in law.moves if n in ways]
    net = stack([flux[n] for n in names])
    return Pairs(
        forward=stack([ways[n][0] for n in names]),
        reverse=stack([ways[n][1] for n in names]),
        net=net,
        rise=stack([at_head.conjugate(n) - at_tail.conjugate(n) for n in names]),
        temperature=stack([at_tail.T, at_head.T]),
        driven=None if supply is None else _per_amount(supply, net[:1]),
    )


def _cell_pair(model: Model, law: Any, here: Any, shared: Any, cell: Any) -> Pairs:
    at = _seen(model, here, shared)
    forward, reverse = (jnp.asarray(x, dtype=float)[None] for x in law.one_way(at, cell))
    made, supply = law.production(at, cell), law.supply(at, cell)
    first, number = next((name, nu) for name, nu in law.stoichiometry if nu)
    rate = jnp.asarray(made[first], dtype=float)[None] / number
    return Pairs(
        forward=forward,
        reverse=reverse,
        net=rate,
        rise=jnp.stack([nu * at.conjugate(name) for name, nu in law.stoichiometry]).sum()[None],
        temperature=jnp.stack([at.T, at.T]),
        driven=None if supply is None else _per_amount(supply, rate),
    )


def _per_amount(supply: Any, rate: Any) -> Any:
    return jnp.where(rate == 0.0, 0.0, supply / jnp.where(rate == 0.0, 1.0, rate))
