"""Edges of a grid: for each region the links along each axis with that part of each face that lies in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from steadyflux.ground.errors import ModelError
from steadyflux.space.lattice import Lattice, ends, sum_by
from steadyflux.space.space import INTERIOR, Edges, path_start


class Links(NamedTuple):
    """Links along one axis in one region."""

    axis: int
    tail: np.ndarray
    head: np.ndarray
    conductor: Any
    length: Any
    position: Any
    direction: Any
    corners: Any
    lower: np.ndarray
    """In two dimensions: whether the lower half of the face lies in the region."""


def edge_sets(grid: Lattice) -> dict[str, Edges]:
    """The edge set of each region, and of all together."""
    parts: dict[int, list[Links]] = {number: [] for number in range(len(grid.names))}
    for axis in grid.axes:
        across = grid.across(axis)
        halves = grid.plan.metric.conductors(grid.halves, axis)
        length = grid.plan.metric.lengths(grid.halves, axis)
        for k in across:
            if grid.plan.periodic[k]:  # the last node is the first again
                length = grid.xp.moveaxis(grid.xp.moveaxis(length, k, 0)[:-1], 0, k)
        for number in range(len(grid.names)):
            inside = grid.in_region(number, across)
            conductor, present = grid.xp.where(inside, halves, 0.0), inside.astype(int)
            for k in across:
                conductor, present = grid.to_nodes(conductor, k), grid.to_nodes(present, k)
            parts[number].append(_links(grid, axis, number, conductor, length, present > 0))
    sets = {name: _merged(grid, parts[number], name) for number, name in enumerate(grid.names)}
    if not grid.plan.regions:
        return sets
    return {INTERIOR: _merged(grid, [one for links in parts.values() for one in links], INTERIOR), **sets}


def _links(grid: Lattice, axis: int, number: int, conductor: Any, length: Any, present: np.ndarray) -> Links:
    tail, head = ends(axis, present.shape, grid.points)
    point = grid.cells.point.reshape(-1)
    present = present & (point[tail] != point[head])
    index = np.nonzero(present)
    nodes = grid.halves.nodes
    before = [nodes[k][i] for k, i in enumerate(index)]
    ahead, middle = list(before), list(before)
    ahead[axis] = nodes[axis][index[axis] + 1]
    middle[axis] = 0.5 * (before[axis] + ahead[axis])
    corners, lower = _corners(grid, axis, number, index)
    return Links(
        axis=axis,
        tail=grid.cells.seen(point[tail[present]], number),
        head=grid.cells.seen(point[head[present]], number),
        conductor=conductor[index],
        length=length[index],
        position=grid.xp.stack(grid.plan.frame.placed(middle), axis=1),
        direction=_direction(grid, axis, middle, before, ahead),
        corners=corners,
        lower=lower,
    )


def _direction(grid: Lattice, axis: int, middle: Sequence[Any], before: Sequence[Any], ahead: Sequence[Any]) -> Any:
    """Unit vector along each link; in coordinates that are placed elsewhere, the tangent at its middle."""
    if grid.plan.frame.place is None:
        unit = np.zeros((int(np.shape(middle[0])[0]), len(grid.steps)))
        unit[:, axis] = 1.0
        return unit
    small = [1e-4 * (a - b) for a, b in zip(ahead, before, strict=True)]
    there = grid.plan.frame.placed([m + s for m, s in zip(middle, small, strict=True)])
    here = grid.plan.frame.placed([m - s for m, s in zip(middle, small, strict=True)])
    way = grid.xp.stack([a - b for a, b in zip(there, here, strict=True)], axis=1)
    size = grid.xp.sqrt((way**2).sum(axis=1, keepdims=True))
    return way / grid.xp.where(size > 0, size, 1.0)


def _corners(grid: Lattice, axis: int, number: int, index: Sequence[np.ndarray]) -> tuple[Any, np.ndarray]:
    """In two dimensions both ends of each link's face as far as it lies in the region, right end first.

    Seen along x, what lies lower in y is to the right; seen along y, what lies lower in x is to the left.
    """
    if len(grid.steps) != 2:
        return None, np.zeros(len(index[0]), dtype=bool)
    k = 1 - axis
    x, f, n = grid.halves.nodes[k], grid.halves.faces[k], grid.steps[k]
    inside = np.moveaxis(grid.region == number, k, 1)[index[axis]]
    j, row = index[k], np.arange(len(index[k]))
    around = grid.plan.periodic[k]
    below = inside[row, (j - 1) % n] & (around | (j > 0))
    above = inside[row, j % n] & (around | (j < n))
    before = grid.xp.where(j > 0, f[(j - 1) % n], f[(j - 1) % n] - (x[-1] - x[0]))
    low = grid.xp.where(below, before, x[j])
    high = grid.xp.where(above, f[j % n], x[j])
    face = grid.halves.faces[axis][index[axis]]
    placed = []
    for end in (low, high) if axis == 0 else (high, low):
        placed.append(grid.xp.stack(grid.plan.frame.placed((face, end) if axis == 0 else (end, face)), axis=1))
    return grid.xp.stack(placed, axis=1), below


def _merged(grid: Lattice, links: Sequence[Links], name: str) -> Edges:
    """One edge set of several groups of links; parallel parts of one link between the same cells are added up."""
    xp = grid.xp
    tail, head, lower = (np.concatenate([getattr(one, end) for one in links]) for end in ("tail", "head", "lower"))
    axis = np.concatenate([np.full(len(one.tail), one.axis) for one in links])
    if not len(tail):
        raise ModelError(f"The region '{name}' of this grid has no edge.")
    conductor, length, position, direction = (
        xp.concatenate([getattr(one, name) for one in links])
        for name in ("conductor", "length", "position", "direction")
    )
    corners = None if links[0].corners is None else xp.concatenate([one.corners for one in links])
    key = (axis.astype(np.int64) * grid.cells.count + tail) * grid.cells.count + head
    unique, first, member = np.unique(key, return_index=True, return_inverse=True)
    if len(unique) < len(key):
        conductor = sum_by(member, conductor, len(unique))
        tail, head, length = tail[first], head[first], length[first]
        position, direction = position[first], direction[first]
        if corners is not None:
            # A face that two regions share falls into a lower and an upper part; together they have the outer ends.
            other = first.copy()
            later = np.setdiff1d(np.arange(len(key)), first)
            other[member[later]] = later
            own_right = lower[first] == (axis[first] == 0)
            right = xp.where(own_right[:, None], corners[first, 0], corners[other, 0])
            left = xp.where(own_right[:, None], corners[other, 1], corners[first, 1])
            whole = xp.stack([right, left], axis=1)
            corners = xp.where((other == first)[:, None, None], corners[first], whole)
    return Edges(
        tail=tail,
        head=head,
        area=conductor * length,
        length=length,
        position=position,
        first=path_start(tail, head),
        corners=corners,
        direction=direction,
    )
