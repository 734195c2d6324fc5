"""Where the unknowns are: which states are held, which parts are closed and what total they keep; refusals by place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import equinox as eqx
import numpy as np
from jaxtyping import Bool, Float, Int

from steadyflux.ground.arithmetic import array_module, is_traced
from steadyflux.ground.errors import ModelError
from steadyflux.ground.typing import AnyArray
from steadyflux.physics.law import CellLaw, Reaction

if TYPE_CHECKING:
    from steadyflux.model.model import Model

DENSE_LIMIT = 160  # unknowns up to which one dense matrix is the fastest way
BLOCK_LIMIT = 8  # quantities up to which the compiled block-tridiagonal solver unrolls its blocks


class Layout(eqx.Module):
    """The unknowns of a model: state (cell, quantity), then the shared unknowns, then one for each conserved total.

    A *pool* is a connected part in which a quantity can move. A total is a weighted sum over pools that no law changes
    and no boundary feeds; it is kept by holding one cell of its pivot pool at a shared unknown whose balance is the
    total.
    """

    held: Bool[AnyArray, "cell quantity"]
    owner: Int[AnyArray, "cell quantity"]
    """Number of the hold that a held state obeys; -1 where none does."""
    active: Bool[AnyArray, "cell quantity"]
    pool: Int[AnyArray, "cell quantity"]
    weights: Float[AnyArray, "total pool"]
    pivot: Int[AnyArray, " total"]
    lane: str = eqx.field(static=True)
    conserved: tuple[str, ...] = eqx.field(static=True)

    @property
    def totals(self) -> int:
        """Number of conserved totals."""
        return len(self.conserved)


def lay_out(model: Model) -> Layout:
    """Find held states, pools and conserved totals, and choose the lane; refuse what has no unique answer."""
    active = _active(model)
    held = ~active
    owner = np.full(active.shape, -1)
    for number, bound in enumerate(model.holds):
        cells, k = np.asarray(model.space.place(bound.place).cells), model.index(bound.quantity)
        if not active[cells, k].all():
            raise ModelError(f"{bound.quantity} does not live at '{bound.place}', so it cannot be held there.")
        free = cells[~held[cells, k]]
        if len(free) < len(cells):
            _check_shared_cells(model, number, cells, owner[:, k])
        held[free, k], owner[free, k] = True, number
    _check_determined(model)
    pool, closed, labels = _pools(model, active, held)
    weights, pivot, conserved = _totals(model, pool, closed, labels)
    _check_potential(model, active, held)
    _check_neutral_baths(model)
    return Layout(
        held=held,
        owner=owner,
        active=active,
        pool=pool,
        weights=weights,
        pivot=pivot,
        lane=_lane(model, len(conserved)),
        conserved=conserved,
    )


def _check_shared_cells(model: Model, number: int, cells: np.ndarray, owner: np.ndarray) -> None:
    """Pieces of a boundary may share the cells at their joint, which the hold declared first keeps; refuse the rest."""
    bound = model.holds[number]
    others = [model.space.place(model.holds[n].place) for n in np.unique(owner[cells]) if n >= 0]
    pieces = all(place.kind == "boundary" for place in (model.space.place(bound.place), *others))
    if not pieces or (owner[cells] >= 0).all():
        taken = model.space.name_of(int(cells[owner[cells] >= 0][0]))
        raise ModelError(
            f"{bound.quantity} is held twice in the cell {taken}, once by '{bound.place}'; keep one of the two."
        )


def held_at(model: Model, name: str, through: str) -> Any:
    """Which cells of a place get a quantity from what holds it there, (cell of the place,).

    A cell at the joint of two pieces of the boundary is supplied through the one that holds it.
    """
    k, place = model.index(name), model.space.place(through)
    xp = array_module(model.layout)
    owner = xp.asarray(model.layout.owner)[place.cells, k]
    held = owner >= 0
    for number, bound in enumerate(model.holds):
        other = model.space.place(bound.place)
        if bound.quantity == name and bound.place != through and place.kind == other.kind == "boundary":
            held = held & (owner != number)
    return held


def _active(model: Model) -> np.ndarray:
    active = np.ones((model.cells, len(model.quantities)), dtype=bool)
    for k, q in enumerate(model.quantities):
        if q.where is not None:
            active[:, k] = False
            for place in q.where:
                active[np.asarray(model.space.place(place).cells), k] = True
    return active


def _check_determined(model: Model) -> None:
    governed = {name for law in model.laws for name in (*law.moves, *law.makes)}
    for q in model.quantities:
        everywhere_held = any(b.quantity == q.name for b in model.holds)
        kept = q.name in model.start and q.kind != "charge"
        if q.name not in governed and not everywhere_held and not kept:
            raise ModelError(
                f"No law moves or makes {q.name}, so nothing determines it; add a law for it, give "
                f"start={{'{q.name}': ...}} if its amount stays as it is, or leave the quantity out."
            )


def _components(model: Model, touching: list[str], cells: np.ndarray) -> np.ndarray:
    """Label of the connected part of each cell, joined by the edge sets named; -1 where the quantity does not live."""
    tails = [np.asarray(model.edges[name].tail) for name in touching]
    heads = [np.asarray(model.edges[name].head) for name in touching]
    tail = np.concatenate(tails) if tails else np.zeros(0, int)
    head = np.concatenate(heads) if heads else np.zeros(0, int)
    inside = (tail < model.cells) & (head < model.cells)
    tail, head = tail[inside], head[inside]
    keep = cells[tail] & cells[head]
    return np.where(cells, _labels(tail[keep], head[keep], model.cells), -1)


def _labels(tail: np.ndarray, head: np.ndarray, count: int) -> np.ndarray:
    """Number of the connected part that each of ``count`` cells belongs to."""
    if np.all(head - tail == 1):  # a chain breaks where no edge reaches the next cell
        joined = np.zeros(count, dtype=bool)
        joined[head] = True
        return np.cumsum(~joined) - 1
    # Imported here because it takes as long as JAX, and models on one line never need it.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(tail.size), (tail, head)), shape=(count, count))
    return connected_components(links, directed=False)[1]


def _edge_sets_of(model: Model, name: str, *, seeing: bool = False) -> list[str]:
    return list(
        dict.fromkeys(
            acting
            for law, acting in zip(model.laws, model.acting, strict=True)
            if acting is not None and (name in law.moves or (seeing and name in law.sees))
        )
    )


def _pools(model: Model, active: np.ndarray, held: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[tuple[str, int]]]:
    """Number of the pool of each (cell, quantity), whether each pool is closed, and its (quantity, first cell)."""
    pool = np.full(active.shape, -1)
    closed: list[np.ndarray] = []
    labels: list[tuple[str, int]] = []
    offset = 0
    for k, q in enumerate(model.quantities):
        part = _components(model, _edge_sets_of(model, q.name), active[:, k])
        found, first, number = np.unique(part[active[:, k]], return_index=True, return_inverse=True)
        pool[active[:, k], k] = number + offset
        still = np.ones(len(found), dtype=bool)
        for cells in _opened(model, q.name, held[:, k] & active[:, k], active[:, k]):
            still[pool[cells[active[cells, k]], k] - offset] = False
        closed.append(still)
        labels += [(q.name, int(cell)) for cell in np.flatnonzero(active[:, k])[first]]
        offset += len(found)
    return pool, np.concatenate(closed), labels


def _opened(model: Model, name: str, held: np.ndarray, active: np.ndarray) -> list[np.ndarray]:
    """Cells where the quantity enters, leaves or is determined by something other than its own movement."""
    cells = [np.flatnonzero(held)]
    cells += [np.asarray(model.space.place(b.place).cells) for b in model.influxes if b.quantity == name]
    for law, acting in zip(model.laws, model.acting, strict=True):
        if acting is not None and name in law.moves:
            edges = model.edges[acting]
            tail, head = np.asarray(edges.tail), np.asarray(edges.head)
            cells.append(tail[head >= model.cells])
            # The other end may lie where the quantity does not live (a bath beside a swelling cell): what leaves is
            # gone.
            tail, head = tail[head < model.cells], head[head < model.cells]
            cells += [tail[~active[head]], head[~active[tail]]]
        if isinstance(law, CellLaw) and not isinstance(law, Reaction) and name in law.makes:
            place = None if law.acts_in is None else model.space.place(law.acts_in).cells
            cells.append(np.arange(model.cells) if place is None else np.asarray(place))
    return cells


def _totals(
    model: Model, pool: np.ndarray, closed: np.ndarray, labels: list[tuple[str, int]]
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Weights of the conserved totals: the left null space of the reactions' stoichiometry over the closed pools."""
    columns: list[np.ndarray] = []
    for law in model.laws:
        if isinstance(law, Reaction):
            columns += _stoichiometric_columns(model, law, pool, len(closed))
    free = np.flatnonzero(closed)
    if not len(free):
        return np.zeros((0, len(closed))), np.zeros(0, int), ()
    if len(free) > 2000:
        raise ModelError(
            f"The space falls into {len(free)} closed parts; join them by laws, hold some, or solve them one by one."
        )
    matrix = np.array(columns).reshape(-1, len(closed))[:, free]
    null = _null_space_echelon(matrix)
    # Only what takes part in a conserved total needs one: an intermediate that reactions make and use up does not.
    for number in free[np.any(null != 0.0, axis=0)]:
        _check_total(model, *labels[number])
    weights = np.zeros((len(null), len(closed)))
    weights[:, free] = null
    pivot = np.array([free[np.flatnonzero(row)[0]] for row in null], dtype=int)
    names = tuple(_total_name(row, [labels[i] for i in free], model) for row in null)
    return weights, pivot, names


def _stoichiometric_columns(model: Model, law: Reaction, pool: np.ndarray, count: int) -> list[np.ndarray]:
    cells = np.arange(model.cells) if law.acts_in is None else np.asarray(model.space.place(law.acts_in).cells)
    numbers = [model.index(name) for name, _ in law.stoichiometry]
    columns: list[np.ndarray] = []
    for pools in np.unique(pool[cells[:, None], np.array(numbers)[None, :]], axis=0):
        column = np.zeros(count)
        for number, (_, nu) in zip(pools, law.stoichiometry, strict=True):
            if number >= 0:
                column[number] += float(nu)
        columns.append(column)
    return columns


def _null_space_echelon(matrix: np.ndarray) -> np.ndarray:
    """Vectors w with matrix @ w = 0 in reduced echelon form: each has a leading entry where all others are zero."""
    if matrix.size == 0 or not np.any(matrix):
        return np.eye(matrix.shape[1])
    _, size, rows = np.linalg.svd(matrix)
    rank = int(np.sum(size > 1e-12 * size[0]))
    null = rows[rank:]
    row = 0
    for column in range(null.shape[1]):
        if row == len(null):
            break
        best = row + int(np.argmax(np.abs(null[row:, column])))
        if abs(null[best, column]) < 1e-10:
            continue
        null[[row, best]] = null[[best, row]]
        null[row] /= null[row, column]
        others = np.arange(len(null)) != row
        null[others] -= np.outer(null[others, column], null[row])
        row += 1
    null[np.abs(null) < 1e-12] = 0.0
    return null


def _total_name(weights: np.ndarray, labels: list[tuple[str, int]], model: Model) -> str:
    terms = [
        (f"{w:g} " if w != 1 else "") + name + ("" if model.cells == 1 else f" from cell {model.space.name_of(cell)}")
        for w, (name, cell) in zip(weights, labels, strict=True)
        if w
    ]
    return " + ".join(terms)


def _check_total(model: Model, name: str, cell: int) -> None:
    q = model.quantity(name)
    stores = q.kind != "charge" and model.storage[model.index(name)].stores
    if not stores:
        raise ModelError(
            f"{name} is fixed nowhere in the part that contains the cell {model.space.name_of(cell)}, and it stores "
            f"nothing whose total could be kept; hold {name} somewhere there"
            + (" or give it a capacity." if q.kind != "charge" else ".")
        )
    if name not in model.start:
        raise ModelError(
            f"{name} is sealed in the part that contains the cell {model.space.name_of(cell)}, so its total must be "
            f"known; give start={{'{name}': ...}} or a condition that holds it."
        )


def _check_potential(model: Model, active: np.ndarray, held: np.ndarray) -> None:
    """Each connected part needs the electric potential held (or floating) somewhere: only differences act."""
    for k, q in enumerate(model.quantities):
        if q.kind != "charge":
            continue
        part = _components(model, _edge_sets_of(model, q.name, seeing=True), active[:, k])
        grounded = {int(p) for p in part[held[:, k] & active[:, k]]}
        for edges in model.edges.values():
            tail, head = np.asarray(edges.tail), np.asarray(edges.head)
            grounded |= {int(p) for p in part[tail[head >= model.cells]]}
        for number in np.unique(part[active[:, k]]):
            if int(number) not in grounded:
                cell = int(np.flatnonzero(part == number)[0])
                raise ModelError(
                    f"The potential {q.name} has no reference in the part that contains the cell "
                    f"{model.space.name_of(cell)}; hold it at one place there."
                )


def _check_neutral_baths(model: Model) -> None:
    """Under electroneutrality a bath whose ions are all held must be neutral."""
    neutral: list[Any] = [law for law in model.laws if getattr(law, "enforces_neutrality", False)]
    if not neutral:
        return
    charged = [q for q in model.quantities if q.kind == "species" and q.charge]
    for place in {b.place for b in model.holds}:
        values = {b.quantity: b.value for b in model.holds if b.place == place and b.shared is None}
        ions = [q for q in charged if q.where is None or place in q.where]
        if not ions or not all(q.name in values for q in ions) or is_traced(*values.values()):
            continue
        here = [law for law in neutral if _reaches(model, law, place)]
        if not here:
            continue
        fixed = sum(np.asarray(law.fixed_at(model.space.place(place), model.given)) for law in here)
        total = sum(q.charge * np.asarray(values[q.name]) for q in ions) + fixed
        size = sum(abs(q.charge) * np.abs(np.asarray(values[q.name])) for q in ions) + np.abs(fixed)
        if np.any(np.abs(total) > 1e-9 * size):
            raise ModelError(
                f"The bath at '{place}' is not electroneutral: its charges add up to "
                f"{float(np.max(np.abs(total))):.6g} mol/m^3; "
                "change one of its concentrations or let the potential come from Poisson's equation."
            )


def _reaches(model: Model, law: CellLaw, place: str) -> bool:
    cells = np.asarray(model.space.place(place).cells)
    return law.acts_in is None or bool(np.isin(cells, np.asarray(model.space.place(law.acts_in).cells)).any())


def _lane(model: Model, totals: int) -> str:
    unknowns = model.cells * len(model.quantities) + len(model.shared) + totals
    if unknowns <= DENSE_LIMIT:
        return "dense"
    return "chain" if is_chain(model) and len(model.quantities) <= BLOCK_LIMIT else "sparse"


def is_chain(model: Model) -> bool:
    """Whether every edge joins neighbours in the numbering of the cells (or leads out of the system)."""
    return all(
        bool(np.all((np.asarray(e.head) - np.asarray(e.tail) == 1) | (np.asarray(e.head) >= model.cells)))
        for e in model.edges.values()
    )


def in_lane(layout: Layout, lane: str) -> Layout:
    """The same layout, solved another way."""
    return Layout(**{name: getattr(layout, name) for name in layout.__dataclass_fields__ if name != "lane"}, lane=lane)
