"""Tensor-product grids made into spaces: volumes, positions and the record, from the lattice, its links and walls."""

from __future__ import annotations

from typing import Any

import numpy as np

from steadyflux.ground.arithmetic import array_module
from steadyflux.space.lattice import Lattice, Plan, lattice, sum_by
from steadyflux.space.links import edge_sets
from steadyflux.space.space import Elements, Place, Space
from steadyflux.space.walls import boundary_places, interfaces, walls_of


def build(plan: Plan) -> Space:
    """The space of a plan."""
    grid = lattice(plan)
    volume, parts = _volumes(grid)
    walls = walls_of(grid)
    places = boundary_places(grid, walls)
    if plan.far is not None:
        volume = _finite(volume, np.asarray(places[plan.far].cells))
    for name, (members, part) in parts.items():
        # At infinity parts of a volume mean as little as the volume itself.
        share = grid.xp.minimum(part / volume[members], 1.0)
        places[name] = Place(members, np.ones(len(members)), "region", share)
    across, films, volume, position = interfaces(grid, walls, volume, _positions(grid))
    whole = grid.cells.count == int(np.prod(grid.points)) == int(np.shape(volume)[0])
    return Space(
        volume=volume,
        position=position,
        edges={**edge_sets(grid), **across},
        places={**places, **films},
        kind="grid",
        coordinate=plan.coordinate,
        shape=grid.points if whole else None,
        elements=None if whole and not (len(grid.steps) == 2 and any(plan.periodic)) else _elements(grid),
        depth=plan.metric.extent if plan.coordinate in ("x y", "r theta") else None,
    )


def _volumes(grid: Lattice) -> tuple[Any, dict[str, tuple[np.ndarray, Any]]]:
    """Volume of each cell and, for each region, its cells with their volume in it."""
    halves = grid.plan.metric.volumes(grid.halves)
    point = grid.cells.point.reshape(-1)
    total: Any = 0.0
    parts: dict[str, tuple[np.ndarray, Any]] = {}
    for number, name in enumerate(grid.names):
        part = grid.xp.where(grid.in_region(number, grid.axes), halves, 0.0)
        for axis in grid.axes:
            part = grid.to_nodes(part, axis)
        present = np.flatnonzero(grid.cells.present(point, number))
        cell = grid.cells.seen(point[present], number)
        here = sum_by(cell, part.reshape(-1)[present], grid.cells.count)
        total = total + here
        if grid.plan.regions:
            members = np.unique(cell)
            parts[name] = (members, here[members])
    return total, parts


def _positions(grid: Lattice) -> Any:
    """Position of each cell, (cell, axis)."""
    rows = [x[:m] for x, m in zip(grid.halves.nodes, grid.points, strict=True)]
    coordinates = [c.reshape(-1) for c in grid.xp.meshgrid(*rows, indexing="ij")]
    first = np.unique(grid.cells.point.reshape(-1), return_index=True)[1]
    counts = np.diff(np.append(grid.cells.offset, grid.cells.count))
    chosen = np.repeat(first, counts)
    return grid.xp.stack([c[chosen] for c in grid.plan.frame.placed(coordinates)], axis=1)


def _elements(grid: Lattice) -> Elements:
    """The cells at the corners of each box that is no hole."""
    boxes = np.nonzero(grid.region >= 0)
    region = grid.region[boxes]
    flat = [(0, 0), (1, 0), (1, 1), (0, 1)]
    turns = flat if len(grid.steps) == 2 else [(*turn, end) for end in (0, 1) for turn in flat]
    corners = []
    for turn in turns:
        at = tuple((i + c) % m for i, c, m in zip(boxes, turn, grid.points, strict=True))
        corners.append(grid.cells.seen(grid.cells.point[at], region))
    return Elements(np.stack(corners, axis=1), len(grid.steps) == 2)


def _finite(volume: Any, cells: np.ndarray) -> Any:
    """Volumes with those of cells at infinity replaced by the largest of the others: any positive number would do."""
    xp = array_module(volume)
    near = np.ones(int(np.shape(volume)[0]), dtype=bool)
    near[np.asarray(cells)] = False
    return xp.where(near, volume, xp.max(xp.where(near, volume, 0.0)))
