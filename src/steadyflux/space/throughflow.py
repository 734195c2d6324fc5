"""Streams on a mesh: the flow of a given velocity field, or of a stream function, through the face of every edge."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from steadyflux.ground.arithmetic import array_module
from steadyflux.ground.errors import ModelError
from steadyflux.space.lattice import sum_by
from steadyflux.space.space import INTERIOR, Edges, Space, columns, evaluate

_POINT, _WEIGHT = np.polynomial.legendre.leggauss(3)
_POINT, _WEIGHT = 0.5 * (_POINT + 1.0), 0.5 * _WEIGHT


def throughflow(
    space: Space,
    velocity: Callable[..., Any] | None = None,
    *,
    stream: Callable[..., Any] | None = None,
    on: str = INTERIOR,
) -> Any:
    """Flow through the face of each edge of a set, tail to head, (edge,), m^3/s: for ``Advection(flow=...)``.

    Args:
        velocity: components along the axes of the space as a function of the position, m/s (on r theta: along the
            radius and around).
        stream: in two dimensions the stream function psi, m^2/s; the flow between two points is the difference of
            psi, so that no cell gains or loses anything. In the plane u = d psi/dy, v = -d psi/dx (on r theta:
            v_r = d psi/d theta / r). About an axis (r z) the Stokes stream function, m^3/s: v_z = d psi/dr / r,
            v_r = -d psi/dz / r.

    Velocities are integrated over each face by Gauss-Legendre, so that a field without sources has small ones of
    third order in each cell; a stream function has none.
    """
    if (velocity is None) == (stream is None):
        raise ModelError("A flow through faces needs a velocity or a stream function, one of the two.")
    edges = space.edge_set(on)
    if edges.direction is None or len(space.axes) < 2:
        raise ModelError(
            f"The edge set '{on}' of this {space.kind} keeps no faces; build a grid with faces=True, "
            "or give Advection a velocity instead."
        )
    return _of_velocity(space, edges, velocity) if stream is None else _of_stream(space, edges, stream)


def outflow(space: Space, flow: Any, place: str) -> Any:
    """Flow out through each cell of a boundary place, (cell of the place,), m^3/s, that balances a `throughflow`.

    What the stream brings into a cell along the edges of ``interior`` and does not carry on leaves here. Where two open
    boundaries meet in one cell both get the whole of it: let streams enter and leave through one of them. For
    ``Exchange(place, Advection("c", flow=sf.outflow(...)), outside={"c": ...})``.
    """
    edges = space.edge_set(INTERIOR)
    net = sum_by(np.asarray(edges.head), flow, space.cells) - sum_by(np.asarray(edges.tail), flow, space.cells)
    return net[np.asarray(space.place(place).cells)]


def _depth(space: Space) -> Any:
    return 1.0 if space.depth is None else space.depth


def _of_stream(space: Space, edges: Edges, stream: Callable[..., Any]) -> Any:
    if len(space.axes) != 2 or edges.corners is None:
        raise ModelError("A stream function belongs to a mesh in two dimensions; give the velocity instead.")
    right, left = (evaluate(stream, edges.corners[:, end]) for end in (0, 1))
    if space.axes == ("r", "z"):
        return 2.0 * np.pi * (right - left)
    return _depth(space) * (left - right)


def _of_velocity(space: Space, edges: Edges, velocity: Callable[..., Any] | None) -> Any:
    assert velocity is not None
    if edges.corners is None:  # a flat face of any shape: its area times the velocity at its middle
        return edges.area * _normal(velocity(*columns(edges.position)), edges)
    if len(space.axes) == 2:
        right, left = edges.corners[:, 0], edges.corners[:, 1]
        way = left - right
        total = 0.0
        for point, weight in zip(_POINT, _WEIGHT, strict=True):
            here = right + point * way
            u, v = _checked(evaluate(velocity, here), 2)
            turn = here[:, 0] if space.axes == ("r", "theta") else 1.0
            around = 2.0 * np.pi * here[:, 0] if space.axes == ("r", "z") else _depth(space)
            total = total + weight * around * (u * turn * way[:, 1] - v * way[:, 0])
        return total
    total = 0.0
    for (s, a), (t, b) in product(zip(_POINT, _WEIGHT, strict=True), repeat=2):
        weights = ((1 - s) * (1 - t), s * (1 - t), s * t, (1 - s) * t)
        here = sum(w * edges.corners[:, k] for k, w in enumerate(weights))
        total = total + a * b * _size(space, edges.corners, s, t) * _normal(evaluate(velocity, here), edges)
    return total


def _size(space: Space, corners: Any, s: float, t: float) -> Any:
    """Area of a face per unit of its two parameters at one point of it."""
    xp = array_module(corners)
    along = (1 - t) * (corners[:, 1] - corners[:, 0]) + t * (corners[:, 2] - corners[:, 3])
    up = (1 - s) * (corners[:, 3] - corners[:, 0]) + s * (corners[:, 2] - corners[:, 1])
    if space.axes[:2] == ("r", "theta"):
        weights = ((1 - s) * (1 - t), s * (1 - t), s * t, (1 - s) * t)
        radius = sum(w * corners[:, k, 0] for k, w in enumerate(weights))
        scale = xp.stack([xp.ones_like(radius), radius, xp.ones_like(radius)], axis=1)
        along, up = along * scale, up * scale
    return xp.sqrt((xp.cross(along, up) ** 2).sum(axis=1))


def _normal(components: Any, edges: Edges) -> Any:
    """Component of a velocity along the edges."""
    assert edges.direction is not None
    found = _checked(components, edges.direction.shape[1])
    return sum(c * edges.direction[:, k] for k, c in enumerate(found))


def _checked(components: Any, axes: int) -> Any:
    if not isinstance(components, tuple | list) or len(components) != axes:
        raise ModelError(f"The velocity needs {axes} components, one for each axis of the space.")
    return components
