"""Tensor-product grids in two and three dimensions: Cartesian, axisymmetric, polar and cylindrical."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from steadyflux.ground.arithmetic import is_traced
from steadyflux.ground.errors import ModelError, NameUnknown
from steadyflux.ground.units import si
from steadyflux.space.lattice import Plan
from steadyflux.space.metric import separable
from steadyflux.space.rows import as_row
from steadyflux.space.rules import Frame
from steadyflux.space.space import Space
from steadyflux.space.tensor import build

_SIDES = {"x": ("left", "right"), "y": ("bottom", "top"), "theta": ("start", "end")}


def grid(
    *,
    x: Any = None,
    y: Any = None,
    z: Any = None,
    r: Any = None,
    theta: Any = None,
    depth: Any = 1.0,
    regions: Mapping[str, Any] | None = None,
    void: bool = False,
    rest: str = "rest",
    boundaries: Mapping[str, Sequence[Any]] | None = None,
    split: Sequence[str] = (),
    film: Sequence[str] = (),
    periodic: Sequence[str] = (),
    names: Mapping[str, tuple[str, str]] | None = None,
    faces: bool | None = None,
) -> Space:
    """A grid from one row of nodes for each axis: x y, x y z, r z (axisymmetric), r theta (polar) or r theta z.

    Nodes stand on the boundaries, as in `interval`; volumes, faces and conductors are exact integrals, those of r z
    over the full turn.

    Args:
        x, y, z, r, theta: rows made by `nodes`, or arrays of coordinates, m (theta in radians).
        depth: extent of a plane grid (x y, r theta) across its plane, m.
        regions: rules by name: a function of the position that is true inside, at the middles of the boxes between
            nodes, or a table: limits or a named stretch of a row ``{"x": ("1 mm", "2 mm"), "y": "gel"}``, a ball
            ``{"center": (0, 0), "radius": "1 mm"}``. The first rule that holds counts. Every box belongs wholly to one
            region; each region is an edge set (with that part of each face that lies in it) and a place.
        void: leave out what no region covers; its wall is the boundary ``hole``. Else it is the region ``rest``.
        boundaries: named pieces ``{"disk": ("bottom", rule)}`` of a side, decided at the middles of the faces between
            nodes; what no piece claims keeps the side's name.
        split: interfaces ``"a|b"`` of two regions where the state may jump: two cells at each node, joined by an edge
            set of that name with its area and the length 1 m.
        film: interfaces ``"a|b"`` with a layer of cells of their own between the two regions, the place ``"a|b"``,
            whose volume is area times 1 m, joined by the edge sets ``"a|b.a"`` and ``"a|b.b"`` (length 1 m).
        periodic: axes whose last node is the first one again.
        names: other names for the ends of axes, ``{"r": ("inside", "outside")}``.
        faces: keep the corners of faces and the directions of edges, which `throughflow` needs; by default in two
            dimensions only, because in space they take as much memory as all the rest.

    Boundaries are left and right (x), bottom and top (y; z in r z and r theta z), front and back (z in three
    dimensions), axis or inner and outer (r; center where a polar grid starts at 0, a point), start and end (theta).
    A corner cell stands in both its sides, each with its own part of the faces, and so does a cell at the joint of two
    pieces: the areas of places are exact and add up. Where two such places hold the same state, the condition that is
    declared first holds their common cells.
    """
    given = {"x": x, "y": y, "r": r, "theta": theta, "z": z}
    axes = tuple(name for name, row in given.items() if row is not None)
    metric = separable(axes, positive_depth(depth))
    rows = tuple(as_row(given[name], "" if name == "theta" else "m", f"nodes of {name}") for name in axes)
    around = periodic_axes(axes, rows, periodic)
    for name, row in zip(axes, rows, strict=True):
        if name == "r" and not is_traced(row.nodes) and row.nodes[0] < 0:
            raise ModelError("A radius cannot be negative; let the row r start at 0 or above.")
        if name == "theta" and not is_traced(row.nodes):
            turn = row.nodes[-1] - row.nodes[0]
            if turn > 2.0 * np.pi * (1.0 + 1e-12):
                raise ModelError("The row theta covers more than one turn (2 pi radians).")
            if "theta" in periodic and abs(turn - 2.0 * np.pi) > 1e-9:
                raise ModelError("A periodic theta covers one full turn, 2 pi radians.")
    return build(
        Plan(
            frame=Frame(axes, rows, None),
            metric=metric,
            sides=_sides(axes, rows, names or {}),
            periodic=around,
            regions=regions or {},
            rest=None if void else rest,
            boundaries=boundaries or {},
            split=listed(split),
            film=listed(film),
            coordinate=" ".join(axes),
            faces=len(axes) == 2 if faces is None else faces,
        )
    )


def listed(names: Sequence[str]) -> tuple[str, ...]:
    """A tuple of names, of which a single one may be written without a list."""
    return (names,) if isinstance(names, str) else tuple(names)


def positive_depth(depth: Any) -> Any:
    """The extent of a plane grid across its plane, m."""
    value = si(depth, "m", "depth of the grid", allow_array=False)
    if not is_traced(value) and not value > 0:
        raise ModelError(f"The depth of a grid must be positive; it is {value:g}.")
    return value


def periodic_axes(axes: Sequence[str], rows: Sequence[Any], periodic: Sequence[str]) -> tuple[bool, ...]:
    """Which axes come back to their start; a row too short for that is refused."""
    for name in listed(periodic):
        if name not in axes:
            raise NameUnknown("axis", name, axes)
        if name == "r":
            raise ModelError("A radius does not come back to its start; only x, y, z and theta can be periodic.")
        if len(rows[axes.index(name)]) < 4:
            raise ModelError(f"A periodic axis needs at least four nodes; {name} has fewer.")
    return tuple(name in listed(periodic) for name in axes)


def _sides(axes: tuple[str, ...], rows: Sequence[Any], names: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    for axis, pair in names.items():
        if axis not in axes:
            raise NameUnknown("axis", axis, axes)
        if isinstance(pair, str) or len(pair) != 2:
            raise ModelError(f"The ends of {axis} are named by two names.")
    found = []
    for axis, row in zip(axes, rows, strict=True):
        if axis == "r":
            low = ("axis" if "z" in axes else "center") if row.from_zero else "inner"
            pair = (low, "outer")
        elif axis == "z":
            pair = ("front", "back") if "x" in axes else ("bottom", "top")
        else:
            pair = _SIDES[axis]
        found.append(tuple(names.get(axis, pair)))
    flat = [name for pair in found for name in pair]
    if len(set(flat)) != len(flat):
        raise ModelError("The ends of the axes need different names.")
    return tuple(found)
