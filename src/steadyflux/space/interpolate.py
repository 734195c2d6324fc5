"""Interpolation between cells: linear on lines and boxes, on triangles and tetrahedra by their corners' shares."""

from __future__ import annotations

from typing import Any

import numpy as np

from steadyflux.ground.arithmetic import is_traced
from steadyflux.ground.errors import ModelError
from steadyflux.space.space import Space

_NEAR = 24  # elements whose middles lie nearest that are tried first


def interpolation(space: Space, points: Any) -> tuple[np.ndarray, np.ndarray]:
    """Cells and their weights at points, (point, corner) each: the value there is the weighted sum over the cells.

    ``points`` is (point, axis) in the coordinates of the space. Raises ModelError for a point outside the space.
    """
    if is_traced(space.position, points):
        raise ModelError("Positions cannot be differentiated where values are interpolated in several dimensions.")
    points = np.atleast_2d(np.asarray(points, dtype=float))
    if points.shape[1] != len(space.axes):
        raise ModelError(f"Positions in this space have {len(space.axes)} coordinates ({', '.join(space.axes)}).")
    rows = _rows(space)
    return _in_boxes(space, rows, points) if rows is not None else _in_simplices(space, points)


def simplices(space: Space) -> np.ndarray:
    """The triangles or tetrahedra of a space, (element, corner), boxes cut into them. Refused where there are none."""
    corners = None if space.elements is None else space.elements.corners
    if corners is None and space.shape is not None and len(space.shape) > 1:
        corners = _boxes(space.shape)
    if corners is None:
        raise ModelError(f"This {space.kind} has no elements between its cells; ask for values at cells or places.")
    if len(space.axes) == 2 and corners.shape[1] == 4:
        corners = np.concatenate([corners[:, [0, 1, 2]], corners[:, [0, 2, 3]]])
    elif corners.shape[1] == 8:  # six about the diagonal from the first corner to the opposite one
        around = [(0, 1, 2, 6), (0, 2, 3, 6), (0, 3, 7, 6), (0, 7, 4, 6), (0, 4, 5, 6), (0, 5, 1, 6)]
        corners = np.concatenate([corners[:, list(four)] for four in around])
    distinct = np.all(np.diff(np.sort(corners, axis=1), axis=1) > 0, axis=1)  # boxes at a centre have corners in common
    return corners[distinct]


def _boxes(shape: tuple[int, ...]) -> np.ndarray:
    """Corners of all boxes of a full grid."""
    number = np.arange(int(np.prod(shape))).reshape(shape)
    flat = [(0, 0), (1, 0), (1, 1), (0, 1)]
    turns = flat if len(shape) == 2 else [(*turn, end) for end in (0, 1) for turn in flat]
    parts = [number[tuple(slice(c, n - 1 + c) for c, n in zip(turn, shape, strict=True))] for turn in turns]
    return np.stack([part.reshape(-1) for part in parts], axis=1)


def _rows(space: Space) -> list[np.ndarray] | None:
    """The rows of nodes of a full grid in its own coordinates; None where positions do not stand in rows."""
    if space.shape is None or len(space.shape) != len(space.axes) or space.elements is not None:
        return None
    position = np.asarray(space.position).reshape(*space.shape, len(space.axes))
    rows = []
    for k in range(len(space.shape)):
        row = np.moveaxis(position[..., k], k, 0).reshape(space.shape[k], -1)
        if np.any(np.ptp(row, axis=1) > 0) or np.any(np.diff(row[:, 0]) <= 0):
            return None
        rows.append(row[:, 0])
    return rows


def _in_boxes(space: Space, rows: list[np.ndarray], points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    assert space.shape is not None
    cells, weights = np.zeros((len(points), 1), dtype=int), np.ones((len(points), 1))
    for k, row in enumerate(rows):
        x, slack = points[:, k], 1e-9 * (row[-1] - row[0])
        _check_inside(space, points, (x < row[0] - slack) | (x > row[-1] + slack))
        step = np.clip(np.searchsorted(row, x, side="right") - 1, 0, len(row) - 2)
        share = np.clip((x - row[step]) / (row[step + 1] - row[step]), 0.0, 1.0)
        stride = int(np.prod(space.shape[k + 1 :]))
        cells = np.concatenate([cells + stride * step[:, None], cells + stride * (step[:, None] + 1)], axis=1)
        weights = np.concatenate([weights * (1 - share)[:, None], weights * share[:, None]], axis=1)
    return cells, weights


def _in_simplices(space: Space, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy.spatial import KDTree  # takes as long as JAX to load

    elements, position = simplices(space), np.asarray(space.position)
    polar = space.axes[:2] == ("r", "theta")
    if polar:  # what lies between two angles lies on a circle
        position, points = _unrolled(position), _unrolled(points)
    corner = position[elements]
    sides = corner[:, 1:] - corner[:, :1]
    solid = np.abs(np.linalg.det(sides)) > 0
    elements, corner, sides = elements[solid], corner[solid], sides[solid]
    tree = KDTree(corner.mean(axis=1))
    chosen, weights = np.full(len(points), -1), np.zeros((len(points), elements.shape[1]))
    best = np.full(len(points), -np.inf)
    for count in (min(_NEAR, len(elements)), min(20 * _NEAR, len(elements))):
        left = np.flatnonzero(best < -1e-9)
        if not len(left):
            break
        near = tree.query(points[left], k=count)[1].reshape(len(left), -1)
        for column in near.T:
            inner = np.linalg.solve(np.swapaxes(sides[column], 1, 2), (points[left] - corner[column, 0])[..., None])[
                ..., 0
            ]
            share = np.concatenate([1.0 - inner.sum(axis=1, keepdims=True), inner], axis=1)
            better = share.min(axis=1) > best[left]
            at = left[better]
            best[at], chosen[at], weights[at] = share.min(axis=1)[better], column[better], share[better]
    # On a polar grid the chord between two nodes of the rim passes inside it: what lies beyond belongs to its element.
    _check_inside(space, points, best < (-0.5 if polar else -1e-6))
    weights = np.clip(weights, 0.0, None)
    return elements[chosen], weights / weights.sum(axis=1, keepdims=True)


def _unrolled(position: np.ndarray) -> np.ndarray:
    r, theta = position[:, 0], position[:, 1]
    return np.concatenate([np.stack([r * np.cos(theta), r * np.sin(theta)], axis=1), position[:, 2:]], axis=1)


def _check_inside(space: Space, points: np.ndarray, outside: np.ndarray) -> None:
    if outside.any():
        where = ", ".join(f"{x:.4g}" for x in points[int(np.argmax(outside))])
        raise ModelError(f"The position ({where}) lies outside the {space.kind}; give one inside it.")
