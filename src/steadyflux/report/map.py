"""Maps of a state over a space in two dimensions: filled contours on the triangles between the cells."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.tri import Triangulation

from steadyflux.space.interpolate import simplices
from steadyflux.space.space import Space

_LEVELS = 21


def has_map(space: Space) -> bool:
    """Whether a space lies in a plane (or is one about an axis) with elements between its cells."""
    return len(space.axes) == 2 and (space.elements is not None or space.shape is not None)


def plane_of(space: Space) -> np.ndarray:
    """Where the cells are drawn, (cell, 2): on r theta grids unrolled into the plane."""
    position = np.asarray(space.position)
    if space.axes == ("r", "theta"):
        r, theta = position.T
        return np.stack([r * np.cos(theta), r * np.sin(theta)], axis=1)
    return position


def paint(axes: Axes, space: Space, values: Any, scale: float, unit: str) -> Any:
    """Draw the values of all cells; ``scale`` turns meters into ``unit``. Returns what a colour bar needs.

    Cells at infinity are left out, and the view keeps to where most of them stand; so are elements that close a
    periodic axis from the last row of cells to the first.
    """
    xy, field = plane_of(space) * scale, np.asarray(values, dtype=float)
    triangles = simplices(space)
    reach = np.abs(xy - np.median(xy, axis=0)).max(axis=1)
    near = reach <= 8.0 * max(float(np.quantile(reach, 0.75)), 1e-300)
    triangles = triangles[near[triangles].all(axis=1)]
    extent = np.ptp(xy[near], axis=0)
    span = np.ptp(xy[triangles], axis=1)
    if _wraps(space) and space.axes != ("r", "theta"):
        triangles = triangles[~(span > 0.6 * extent).any(axis=1)]
    used = field[np.unique(triangles)]
    low, high = float(used.min()), float(used.max())
    if high - low <= 1e-12 * max(abs(low), abs(high)):  # a uniform state has no contours
        low, high = low - max(abs(low), 1.0) * 1e-3, high + max(abs(high), 1.0) * 1e-3
    shown = axes.tricontourf(
        Triangulation(xy[:, 0], xy[:, 1], triangles), np.where(near, field, low), levels=np.linspace(low, high, _LEVELS)
    )
    low_corner, high_corner = xy[near].min(axis=0), xy[near].max(axis=0)
    axes.set(xlim=(low_corner[0], high_corner[0]), ylim=(low_corner[1], high_corner[1]))
    names = ("x", "y") if space.axes == ("r", "theta") else space.axes
    axes.set_xlabel(f"{names[0]} ({unit})" if unit else names[0])
    axes.set_ylabel(f"{names[1]} ({unit})" if unit else names[1])
    if 0.2 < extent[0] / max(extent[1], 1e-300) < 5.0:
        axes.set_aspect("equal")
    return shown


def _wraps(space: Space) -> bool:
    """Whether a full grid keeps elements of its own, which it does for a periodic axis only."""
    return space.shape is not None and space.elements is not None
