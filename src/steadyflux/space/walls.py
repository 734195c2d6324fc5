"""Boundaries of a grid with their named pieces, and interfaces that split: the faces where regions end."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from steadyflux.ground.errors import ModelError, NameUnknown
from steadyflux.space.lattice import OUTSIDE, VOID, Lattice, sum_by
from steadyflux.space.rules import holds
from steadyflux.space.space import Edges, Place

HOLE = "hole"
_TINY = 1e-300  # area of a centre or an axis: none, yet a valid place


class Wall(NamedTuple):
    """Half faces across one axis between boxes of different regions, (half face,)."""

    axis: int
    point: np.ndarray
    area: Any
    below: np.ndarray
    above: np.ndarray
    index: tuple[np.ndarray, ...]
    """Number of the step along each axis; along the wall's own the number of the node."""


def walls_of(grid: Lattice) -> list[Wall]:
    """All half faces where two boxes of different regions meet, or a box and a hole or the outside."""
    found: list[Wall] = []
    for axis in grid.axes:
        area = grid.plan.metric.areas(grid.halves, axis)
        below, above = _beside(grid, axis)
        index = np.nonzero(below != above)
        if not len(index[0]):
            continue
        for sides in product((0, 1), repeat=len(grid.steps) - 1):
            half, node = list(index), list(index)
            for k, side in zip(grid.across(axis), sides, strict=True):
                half[k] = 2 * index[k] + side
                node[k] = (index[k] + side) % grid.points[k]
            node[axis] = index[axis] % grid.points[axis]
            point = grid.cells.point[tuple(node)]
            found.append(Wall(axis, point, area[tuple(half)], below[index], above[index], index))
    return found


def _beside(grid: Lattice, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Regions of the boxes below and above each plane of nodes of an axis."""
    region = np.moveaxis(grid.region, axis, 0)
    if grid.plan.periodic[axis]:
        below, above = np.roll(region, 1, axis=0), region
    else:
        outside = np.full_like(region[:1], OUTSIDE)
        below, above = np.concatenate([outside, region]), np.concatenate([region, outside])
    return np.moveaxis(below, 0, axis), np.moveaxis(above, 0, axis)


# ---- boundaries ------------------------------------------------------------------------------------------------------


def boundary_places(grid: Lattice, walls: Sequence[Wall]) -> dict[str, Place]:
    """Each side, each hole and each named piece with its cells and exact areas."""
    plan = grid.plan
    sides = [name for k in grid.axes if not plan.periodic[k] for name in plan.sides[k]]
    for name, piece in plan.boundaries.items():
        if isinstance(piece, str) or len(piece) != 2:
            raise ModelError(f"The piece '{name}' of the boundary needs its side and its rule: ('left', rule).")
        if piece[0] not in (*sides, HOLE):
            raise NameUnknown("side of the grid", piece[0], [*sides, HOLE])
        if name in sides or name == HOLE or name in grid.names:
            raise ModelError(f"A piece of the boundary needs a name of its own; '{name}' is taken.")
    for name in sides:
        if name in grid.names:
            raise ModelError(f"A region cannot be called '{name}' as a side is; choose another name.")
    found: dict[str, list[tuple[np.ndarray, Any]]] = {name: [] for name in (*plan.boundaries, *sides, HOLE)}
    for wall in walls:
        for inner, outer, end in ((wall.above, wall.below, 0), (wall.below, wall.above, 1)):
            for side, code in ((plan.sides[wall.axis][end], OUTSIDE), (HOLE, VOID)):
                here = (inner >= 0) & (outer == code)
                if here.any():
                    _sort(grid, wall, here, inner, side, found)
    places: dict[str, Place] = {}
    for name, parts in found.items():
        if not parts:
            if name in plan.boundaries:
                side = plan.boundaries[name][0]
                raise ModelError(f"The piece '{name}' of the boundary '{side}' holds no face; check its rule.")
            continue
        members, inverse = np.unique(np.concatenate([cell for cell, _ in parts]), return_inverse=True)
        area = sum_by(inverse, grid.xp.concatenate([a for _, a in parts]), len(members))
        places[name] = Place(members, grid.xp.maximum(area, _TINY))
    return places


def _sort(grid: Lattice, wall: Wall, here: np.ndarray, inner: np.ndarray, side: str, found: dict[str, Any]) -> None:
    """Share the faces of one side among its pieces; what no piece claims stays with the side."""
    cell, area = grid.cells.seen(wall.point[here], inner[here]), wall.area[here]
    steps = [i[here] for i in wall.index]
    nodes = grid.halves.nodes
    middle = [nodes[k][i] if k == wall.axis else 0.5 * (nodes[k][i] + nodes[k][i + 1]) for k, i in enumerate(steps)]
    left = np.ones(len(cell), dtype=bool)
    for name, (whose, rule) in grid.plan.boundaries.items():
        if whose == side:
            claimed = left & holds(grid.plan.frame, rule, middle, steps, f"boundary '{name}'")
            if claimed.any():
                found[name].append((cell[claimed], area[claimed]))
            left &= ~claimed
    if left.any():
        found[side].append((cell[left], area[left]))


# ---- interfaces ------------------------------------------------------------------------------------------------------


def interfaces(
    grid: Lattice, walls: Sequence[Wall], volume: Any, position: Any
) -> tuple[dict[str, Edges], dict[str, Place], Any, Any]:
    """Edge sets across interfaces that split, for films also their cells, and volumes and positions with these."""
    xp = grid.xp
    edges: dict[str, Edges] = {}
    places: dict[str, Place] = {}
    for name in (*grid.plan.split, *grid.plan.film):
        one, other = grid.pair(name)
        tail, head, area, normal = _across(grid, walls, one, other, name)
        wide = np.ones(len(tail))
        if name in grid.plan.split:
            edges[name] = Edges(tail, head, area, wide, position[tail], direction=normal)
            continue
        cells = np.arange(len(tail)) + int(np.shape(volume)[0])
        for region, first, second in ((one, tail, cells), (other, cells, head)):
            half = Edges(first, second, area, wide, position[tail], direction=normal)
            edges[f"{name}.{grid.names[region]}"] = half
        places[name] = Place(cells, wide, "region")
        volume = xp.concatenate([volume, area])
        position = xp.concatenate([position, position[tail]])
    return edges, places, volume, position


def _across(grid: Lattice, walls: Sequence[Wall], one: int, other: int, name: str) -> tuple[Any, Any, Any, Any]:
    """Pairs of cells on both sides of an interface with its area between them and its normal."""
    tails, heads, areas, normals = [], [], [], []
    for wall in walls:
        for first, second, sign in ((wall.below, wall.above, 1.0), (wall.above, wall.below, -1.0)):
            here = (first == one) & (second == other)
            tails.append(grid.cells.seen(wall.point[here], one))
            heads.append(grid.cells.seen(wall.point[here], other))
            areas.append(wall.area[here])
            unit = np.zeros((int(here.sum()), len(grid.steps)))
            unit[:, wall.axis] = sign
            normals.append(unit)
    tail, head, normal = np.concatenate(tails), np.concatenate(heads), np.concatenate(normals)
    apart = tail != head  # where a third region holds the two together there is nothing between them
    if not apart.any():
        raise ModelError(f"The regions of '{name}' do not touch, so there is no interface to split.")
    pairs, inverse = np.unique(np.stack([tail[apart], head[apart]]), axis=1, return_inverse=True)
    inverse = inverse.reshape(-1)
    area = sum_by(inverse, grid.xp.concatenate(areas)[apart], pairs.shape[1])
    way = np.stack([np.bincount(inverse, n, pairs.shape[1]) for n in normal[apart].T], axis=1)
    way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), _TINY)
    return pairs[0], pairs[1], area, way
