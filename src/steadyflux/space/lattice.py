"""The lattice under a grid: boxes in regions, the points at their corners, and the cells that regions see at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from steadyflux.ground.arithmetic import array_module, is_traced
from steadyflux.ground.errors import ModelError, NameUnknown
from steadyflux.space.metric import Halves, Metric
from steadyflux.space.rows import Row
from steadyflux.space.rules import Frame, holds
from steadyflux.space.space import INTERIOR

VOID = -1
OUTSIDE = -2


class Plan(NamedTuple):
    """What a grid is made of, before any cell is numbered."""

    frame: Frame
    metric: Metric
    sides: tuple[tuple[str, str], ...]
    """Names of the boundaries at the low and the high end of each axis."""
    coordinate: str
    """Names of the axes of positions."""
    periodic: tuple[bool, ...] = (False, False, False)
    regions: Mapping[str, Any] = {}
    rest: str | None = "rest"
    """Name of the region that no rule covers; None leaves it empty."""
    boundaries: Mapping[str, Sequence[Any]] = {}
    split: tuple[str, ...] = ()
    film: tuple[str, ...] = ()
    far: str | None = None
    """Name of a boundary at infinity, whose cells' volumes mean nothing."""
    faces: bool = True
    """Whether edges keep the corners of their faces and their direction."""

    @property
    def rows(self) -> tuple[Row, ...]:
        """The row of nodes of each axis."""
        return self.frame.rows


class Cells(NamedTuple):
    """Which cell each point of the grid is, seen from each region."""

    point: np.ndarray
    """Number of the point at each node, (node, node, ...): fewer than nodes where some coincide."""
    combination: np.ndarray
    """For each point the row of ``member`` that belongs to the regions around it."""
    member: np.ndarray
    """(combination of regions, region): which of a point's cells a region sees; -1 where it is absent."""
    offset: np.ndarray
    """First cell of each point."""
    count: int

    def seen(self, point: np.ndarray, region: Any) -> np.ndarray:
        """Cells at points, seen from a region."""
        return self.offset[point] + self.member[self.combination[point], region]

    def present(self, point: np.ndarray, region: int) -> np.ndarray:
        """Whether a region touches points."""
        return self.member[self.combination[point], region] >= 0


class Lattice(NamedTuple):
    """A plan with its boxes sorted into regions and its cells numbered."""

    plan: Plan
    halves: Halves
    steps: tuple[int, ...]
    """Number of steps (boxes) along each axis."""
    points: tuple[int, ...]
    """Number of points along each axis: one less than nodes on a periodic one."""
    names: tuple[str, ...]
    """Names of the regions."""
    region: np.ndarray
    """Number of the region that each box lies in, or VOID."""
    cells: Cells
    xp: ModuleType

    @property
    def axes(self) -> range:
        """Numbers of the axes."""
        return range(len(self.steps))

    def across(self, axis: int) -> list[int]:
        """All axes but one."""
        return [k for k in self.axes if k != axis]

    def to_nodes(self, values: Any, axis: int) -> Any:
        """Sum the half steps of an axis at its points."""
        xp = array_module(values)
        values = xp.moveaxis(values, axis, 0)
        low, high = values[0::2], values[1::2]  # just above a node, just below the next
        if self.plan.periodic[axis]:
            total = low + xp.roll(high, 1, axis=0)
        else:
            none = xp.zeros_like(low[:1])
            total = xp.concatenate([low, none]) + xp.concatenate([none, high])
        return xp.moveaxis(total, 0, axis)

    def in_region(self, number: int, across: Sequence[int]) -> np.ndarray:
        """Whether each box lies in a region, each step of the axes ``across`` cut into its halves."""
        inside = self.region == number
        for axis in across:
            inside = np.repeat(inside, 2, axis=axis)
        return inside

    def pair(self, name: str) -> tuple[int, int]:
        """Numbers of the two regions of an interface "one|other"."""
        return pair_of(self.names, name)


def lattice(plan: Plan) -> Lattice:
    """Sort the boxes of a plan into regions and number its cells."""
    nodes = tuple(row.nodes for row in plan.rows)
    steps = tuple(len(row) - 1 for row in plan.rows)
    points = tuple(n + (0 if p else 1) for n, p in zip(steps, plan.periodic, strict=False))
    names, region = _regions(plan, nodes, steps)
    cells = _number(plan, steps, points, names, region)
    halves = Halves(nodes, plan.metric.faces(nodes))
    spot = plan.frame.placed([x[:1] for x in nodes])
    xp = array_module(nodes, plan.metric.extent, plan.metric.lengths(halves, 0), spot)
    return Lattice(plan, halves, steps, points, names, region, cells, xp)


def _regions(plan: Plan, nodes: Sequence[Any], steps: tuple[int, ...]) -> tuple[tuple[str, ...], np.ndarray]:
    if not plan.regions:
        return (INTERIOR,), np.zeros(steps, dtype=int)
    region = np.full(steps, VOID)
    names = list(plan.regions)
    xp = array_module(*nodes)
    centres = xp.meshgrid(*[0.5 * (x[1:] + x[:-1]) for x in nodes], indexing="ij")
    for number, (name, rule) in enumerate(plan.regions.items()):
        inside = holds(plan.frame, rule, centres, tuple(np.indices(steps)), f"region '{name}'")
        region[(region == VOID) & inside] = number
        if not np.any(region == number):
            raise ModelError(f"The region '{name}' holds no box of the grid; check its rule or refine the grid.")
    if plan.rest is not None and np.any(region == VOID):
        if plan.rest in names:
            raise ModelError(f"A region is called '{plan.rest}' already; name the rest otherwise (rest=...).")
        names.append(plan.rest)
        region[region == VOID] = len(names) - 1
    if len(names) > 62:
        raise ModelError(f"A grid takes at most 62 regions, not {len(names)}.")
    if INTERIOR in names:
        raise ModelError(f"'{INTERIOR}' is the name of all edges together; call the region otherwise.")
    return tuple(names), region


def pair_of(names: Sequence[str], name: str) -> tuple[int, int]:
    """Numbers of the two regions of an interface "one|other"."""
    one, bar, other = name.partition("|")
    if not bar or names == (INTERIOR,):
        raise ModelError(f"'{name}' names no interface; write 'one|other' with the names of two regions.")
    for region in (one, other):
        if region not in names:
            raise NameUnknown("region", region, names)
    if one == other:
        raise ModelError(f"The interface '{name}' needs two different regions.")
    return names.index(one), names.index(other)


def _number(
    plan: Plan, steps: tuple[int, ...], points: tuple[int, ...], names: tuple[str, ...], region: np.ndarray
) -> Cells:
    point = _coinciding(plan, points)
    corners = [
        point[np.ix_(*[(np.arange(n) + c) % m for n, c, m in zip(steps, corner, points, strict=True)])]
        for corner in product((0, 1), repeat=len(steps))
    ]
    return number_cells(point, corners, region, names, (*plan.split, *plan.film))


def number_cells(
    point: np.ndarray,
    corners: Sequence[np.ndarray],
    region: np.ndarray,
    names: tuple[str, ...],
    interfaces: Sequence[str],
) -> Cells:
    """Number the cells that stand at points: one for each group of regions that hang together there.

    ``corners`` are the points at each corner of the elements, whose regions are ``region``.
    """
    present = np.zeros(int(point.max()) + 1, dtype=np.int64)
    bit = np.where(region == VOID, 0, np.int64(1) << np.maximum(region, 0))
    for corner in corners:
        np.bitwise_or.at(present, corner, bit)
    combinations, row = np.unique(present, return_inverse=True)
    separate = {frozenset(pair_of(names, name)) for name in interfaces}
    if len(separate) != len(interfaces):
        raise ModelError("An interface is named twice in split and film; name it once.")
    member = np.full((len(combinations), len(names)), -1)
    for number, combination in enumerate(combinations):
        here = [r for r in range(len(names)) if combination >> r & 1]
        member[number, here] = _parts(here, separate)
    offset = np.concatenate([[0], np.cumsum((member.max(axis=1) + 1)[row])])
    return Cells(point, row, member, offset[:-1], int(offset[-1]))


def _parts(members: Sequence[int], separate: set[frozenset[int]]) -> np.ndarray:
    """Number the groups of regions that hang together at a point; regions in ``separate`` pairs do not touch."""
    group = {r: r for r in members}
    for one in members:
        for other in members:
            if one < other and frozenset((one, other)) not in separate:
                old, new = group[other], group[one]
                group = {r: new if g == old else g for r, g in group.items()}
    found = list(dict.fromkeys(group[r] for r in members))
    return np.array([found.index(group[r]) for r in members], dtype=int)


def ends(axis: int, shape: Sequence[int], points: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Flat numbers of the points at both ends of the steps of an axis, for an array of the steps' shape."""
    index = [i % m for i, m in zip(np.indices(shape), points, strict=True)]
    ahead = list(index)
    ahead[axis] = (index[axis] + 1) % points[axis]
    tail, head = (np.asarray(np.ravel_multi_index(tuple(one), tuple(points))) for one in (index, ahead))
    return tail, head


def _coinciding(plan: Plan, points: tuple[int, ...]) -> np.ndarray:
    """A number for each node; nodes that are one point in space, where steps have no length, share it."""
    point = np.arange(int(np.prod(points))).reshape(points)
    nodes = tuple(row.outline() for row in plan.rows)
    halves = Halves(nodes, tuple(0.5 * (x[1:] + x[:-1]) for x in nodes))
    tails: list[np.ndarray] = []
    heads: list[np.ndarray] = []
    for axis in range(len(points)):
        length = plan.metric.lengths(halves, axis)
        if is_traced(length):  # coordinates of the user's own, whose scale is being differentiated
            continue
        zero = _vanishes(np.asarray(length), [k for k in range(len(points)) if k != axis])
        if zero.any():
            tail, head = ends(axis, zero.shape, points)
            tails.append(tail[zero])
            heads.append(head[zero])
    if not tails:
        return point
    from scipy.sparse import coo_array  # takes as long as JAX, and few grids need it
    from scipy.sparse.csgraph import connected_components

    tail, head = np.concatenate(tails), np.concatenate(heads)
    graph = coo_array((np.ones(len(tail)), (tail, head)), shape=(point.size, point.size))
    labels = connected_components(graph, directed=False)[1]
    first = np.unique(labels, return_index=True)[1]
    return np.argsort(np.argsort(first))[labels].reshape(points)


def _vanishes(length: np.ndarray, across: Sequence[int]) -> np.ndarray:
    """Whether lengths are nothing beside the same step's at the next nodes across it.

    Of two neighbours the smaller counts: the row before one at infinity is not nothing.
    """
    found = np.zeros(length.shape, dtype=bool)
    for k in across:
        row = np.moveaxis(length, k, 0)
        beside = np.full(row.shape, np.inf)
        beside[1:] = row[:-1]
        beside[:-1] = np.minimum(beside[:-1], row[1:])
        found |= np.moveaxis(row <= 1e-9 * beside, 0, k)
    return found


def sum_by(member: np.ndarray, values: Any, count: int) -> Any:
    """Sum of the values of each of ``count`` groups."""
    if is_traced(values):
        import jax.numpy as jnp

        return jnp.zeros(count).at[member].add(values)
    return np.bincount(member, np.asarray(values), count)


def extreme_by(member: np.ndarray, values: Any, first: np.ndarray, *, least: bool) -> Any:
    """Least or largest value of each group, column by column; ``first`` is one member of each group."""
    found = values[first]
    if is_traced(values):
        return found.at[member].min(values) if least else found.at[member].max(values)
    (np.minimum if least else np.maximum).at(found, member, values)
    return found
