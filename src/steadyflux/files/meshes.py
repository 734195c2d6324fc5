"""Grids and meshes of model files: rows of nodes, shapes of regions and pieces of boundaries as data."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np

import steadyflux as sf
from steadyflux.files.schema import Flag, KeyPath, Maker, Mistake, Names, Number, Table, Text, Value
from steadyflux.ground.units import si

AXES = ("x", "y", "z", "r", "theta")
_TABLES = {
    "regions": (dict[str, Table], False),
    "boundaries": (dict[str, Table], False),
    "void": (Flag, False),
    "rest": (Text, False),
    "split": (Names, False),
    "film": (Names, False),
    "depth": (Number, False),
}
GRID = Maker(
    "grid",
    sf.grid,
    {axis: (Value | list[Table] | Table, False) for axis in AXES}
    | _TABLES
    | {"periodic": (Names, False), "names": (dict[str, list[Text]], False)},
)
MESH = Maker(
    "mesh",
    sf.read_mesh,
    {
        "file": (Text, True),
        "unit": (Text, False),
        "coordinate": (Text, False),
        "depth": (Number, False),
        "split": (Names, False),
        "film": (Names, False),
        "surplus": (Number, False),
    },
)
DELAUNAY = Maker(
    "delaunay",
    sf.delaunay,
    {
        "shape": (Value, True),
        "spacing": (Number, True),
        "holes": (list[Value], False),
        "lines": (list[Value], False),
        "coordinate": (Text, False),
        "surplus": (Number, False),
    }
    | _TABLES,
)
ROW = Maker(
    "row",
    sf.nodes,
    {
        "length": (Number, True),
        "count": (int, False),
        "start": (Number, False),
        "grading": (Text, False),
        "ratio": (Number, False),
        "toward": (dict[str, Number], False),
        "growth": (Number, False),
        "largest": (Number, False),
        "name": (Text, False),
    },
)


def make_grid(fields: Mapping[str, Any], path: KeyPath, most: int) -> sf.Space:
    """The grid that a checked table describes; one of more than ``most`` cells is refused before it is made."""
    fields = dict(fields)
    for axis in AXES:
        if axis in fields:
            fields[axis] = _row(fields[axis], axis, (*path, axis))
    cells = prod(len(fields[axis]) for axis in AXES if axis in fields)
    if cells > most:
        raise Mistake(path, f"asks for {cells:,} cells where at most {most:,} fit", "ask for fewer")
    if "regions" in fields:
        fields["regions"] = {name: _rule(table) for name, table in fields["regions"].items()}
    if "boundaries" in fields:
        fields["boundaries"] = {
            name: _piece(table, (*path, "boundaries", name)) for name, table in fields["boundaries"].items()
        }
    if "names" in fields:
        fields["names"] = {axis: tuple(pair) for axis, pair in fields["names"].items()}
    return sf.grid(**fields)


def make_delaunay(fields: Mapping[str, Any], path: KeyPath) -> sf.Space:
    """The mesh that a checked table describes."""
    fields = dict(fields)
    axes = str(fields.get("coordinate", "x y")).split()
    for key in ("regions", "boundaries"):
        if key in fields:
            fields[key] = {name: _within(table, axes, (*path, key, name)) for name, table in fields[key].items()}
    if "surplus" in fields:
        fields["surplus"] = si(fields["surplus"], "", "surplus of the mesh")
    return sf.delaunay(fields.pop("shape"), fields.pop("spacing"), **fields)


def make_mesh(fields: Mapping[str, Any]) -> sf.Space:
    """The mesh in a file; its path is taken from the folder in which the program runs."""
    fields = dict(fields)
    if "surplus" in fields:
        fields["surplus"] = si(fields["surplus"], "", "surplus of the mesh")
    return sf.read_mesh(fields.pop("file"), **fields)


def _row(given: Any, axis: str, path: KeyPath) -> sf.Row:
    """A row: a table as `nodes` takes it, a list of such tables end to end, or a list of coordinates."""
    unit = "" if axis == "theta" else "m"
    if isinstance(given, Mapping):
        given = [given]
    if not isinstance(given, list) or not given:
        raise Mistake(path, "is no row of nodes", "write { length = ..., count = ... } or a list of coordinates")
    if not isinstance(given[0], Mapping):
        return sf.Row(si(given, unit, f"nodes of {axis}"))
    row: sf.Row | None = None
    for number, table in enumerate(given):
        if not isinstance(table, Mapping):
            raise Mistake(
                (*path, number), "is no table as the first of the row is", "write { length = ..., count = ... }"
            )
        keys = ROW.check(table, (*path, number), "a row of nodes")
        for key in ("ratio", "growth"):
            if key in keys:
                keys[key] = si(keys[key], "", f"{key} of {axis}")
        piece = sf.nodes(**keys, unit=unit)
        row = piece if row is None else row + piece
    assert row is not None
    return row


def _rule(table: Mapping[str, Any]) -> dict[str, Any]:
    """A shape as grids take it: limits or stretches along axes, or a ball."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


def _piece(table: Mapping[str, Any], path: KeyPath) -> tuple[str, dict[str, Any]]:
    if not isinstance(table.get("side"), str):
        raise Mistake(path, "names no side of the grid", 'write { side = "bottom", r = "disk" }')
    return table["side"], _rule({key: value for key, value in table.items() if key != "side"})


def _within(table: Mapping[str, Any], axes: list[str], path: KeyPath) -> Any:
    """A shape as a function of the position: inside limits along axes, with a little slack, or inside a ball."""
    if "radius" in table:
        middle = si(table.get("center", [0.0] * len(axes)), "m", "center")
        radius = si(table["radius"], "m", "radius")
        return lambda *x: sum((one - m) ** 2 for one, m in zip(x, middle, strict=True)) <= radius**2 * (1 + 1e-9)
    limits = {}
    for axis, pair in table.items():
        if axis not in axes:
            raise Mistake((*path, axis), "is no axis of the mesh", f"use {' or '.join(axes)}")
        if not isinstance(pair, list) or len(pair) != 2:
            raise Mistake((*path, axis), "needs two limits", f'write {axis} = ["0 mm", "1 mm"]')
        low, high = si(pair, "m", f"limits along {axis}")
        limits[axes.index(axis)] = (low, high)

    def inside(*x: Any) -> Any:
        found = np.ones(np.shape(x[0]), dtype=bool)
        for k, (low, high) in limits.items():
            slack = 1e-9 * max(abs(low), abs(high), float(np.ptp(x[k])))
            found &= (x[k] >= low - slack) & (x[k] <= high + slack)
        return found

    return inside
