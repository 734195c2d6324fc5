"""Edges of a grid: for each region the links along each axis with that part of each face that lies in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from steadyflux.ground.errors import ModelError
from steadyflux.space.lattice import Lattice, ends, extreme_by, sum_by
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
    low: Any
    """Lower end of each link's face along every axis as far as it lies in the region, (link, axis), in coordinates."""
    high: Any


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
    low, high = _spans(grid, axis, number, index) if grid.plan.faces else (None, None)
    return Links(
        axis=axis,
        tail=grid.cells.seen(point[tail[present]], number),
        head=grid.cells.seen(point[head[present]], number),
        conductor=conductor[index],
        length=length[index],
        position=grid.xp.stack(grid.plan.frame.placed(middle), axis=1),
        direction=_direction(grid, axis, middle, before, ahead) if grid.plan.faces else None,
        low=low,
        high=high,
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


def _spans(grid: Lattice, axis: int, number: int, index: Sequence[np.ndarray]) -> tuple[Any, Any]:
    """From where to where along every axis each face lies in the region; along its own it stands at one coordinate."""
    face = grid.halves.faces[axis][index[axis]]
    low, high = [face] * len(grid.steps), [face] * len(grid.steps)
    for k in grid.across(axis):
        low[k], high[k] = _span(grid, axis, k, number, index)
    return grid.xp.stack(low, axis=1), grid.xp.stack(high, axis=1)


def _span(grid: Lattice, axis: int, k: int, number: int, index: Sequence[np.ndarray]) -> tuple[Any, Any]:
    x, f, n = grid.halves.nodes[k], grid.halves.faces[k], grid.steps[k]
    inside = (grid.region == number).astype(int)
    for other in grid.across(axis):
        if other != k:  # a face in space reaches as far as any part of it
            inside = grid.to_nodes(np.repeat(inside, 2, axis=other), other)
    at, j = list(index), index[k]
    around = grid.plan.periodic[k]
    at[k] = (j - 1) % n
    below = (inside[tuple(at)] > 0) & (around | (j > 0))
    at[k] = j % n
    above = (inside[tuple(at)] > 0) & (around | (j < n))
    before = grid.xp.where(j > 0, f[(j - 1) % n], f[(j - 1) % n] - (x[-1] - x[0]))
    return grid.xp.where(below, before, x[j]), grid.xp.where(above, f[j % n], x[j])


def _corners(grid: Lattice, axis: np.ndarray, low: Any, high: Any) -> Any:
    """Corners of faces: in a plane the right end, then the left one; in space the four in turn.

    Seen along x, what lies lower in y is to the right; seen along y, what lies lower in x is to the left.
    """
    xp = grid.xp
    first = (axis == 0)[:, None]
    if len(grid.steps) == 2:
        turns = [xp.where(first, low, high), xp.where(first, high, low)]
    else:
        one = np.stack([np.where(axis == 0, 1, 0) == k for k in range(3)], axis=1)  # the first axis across
        turns = [low, xp.where(one, high, low), high, xp.where(one, low, high)]
    placed = [grid.xp.stack(grid.plan.frame.placed([x[:, k] for k in grid.axes]), axis=1) for x in turns]
    return xp.stack(placed, axis=1)


def _merged(grid: Lattice, links: Sequence[Links], name: str) -> Edges:
    """One edge set of several groups of links; parallel parts of one link between the same cells are added up."""
    xp = grid.xp
    tail, head = (np.concatenate([getattr(one, end) for one in links]) for end in ("tail", "head"))
    axis = np.concatenate([np.full(len(one.tail), one.axis) for one in links])
    if not len(tail):
        raise ModelError(f"The region '{name}' of this grid has no edge.")
    conductor, length, position = (
        xp.concatenate([getattr(one, field) for one in links]) for field in ("conductor", "length", "position")
    )
    low = high = direction = None
    if grid.plan.faces:
        low, high, direction = (
            xp.concatenate([getattr(one, field) for one in links]) for field in ("low", "high", "direction")
        )
    key = (axis.astype(np.int64) * grid.cells.count + tail) * grid.cells.count + head
    # Only regions side by side, and nodes that coincide, make parallel parts.
    single = len(grid.names) == 1 and grid.cells.count == int(np.prod(grid.points))
    unique, first, member = (key, key, key) if single else np.unique(key, return_index=True, return_inverse=True)
    if len(unique) < len(key):
        conductor = sum_by(member, conductor, len(unique))
        tail, head, length, position, axis = tail[first], head[first], length[first], position[first], axis[first]
        if low is not None and high is not None and direction is not None:
            low, high = extreme_by(member, low, first, least=True), extreme_by(member, high, first, least=False)
            direction = direction[first]
    return Edges(
        tail=tail,
        head=head,
        area=conductor * length,
        length=length,
        position=position,
        first=path_start(tail, head),
        corners=_corners(grid, axis, low, high) if grid.plan.faces else None,
        direction=direction,
    )
