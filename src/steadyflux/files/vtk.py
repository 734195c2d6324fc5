"""Fields for ParaView and its like: states and fluxes of a space as one VTK file (.vtu), whole or not at all."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np

import steadyflux as sf
from steadyflux.ground.errors import InputError
from steadyflux.ground.files import write_atomic
from steadyflux.model.solution import Solution
from steadyflux.space.interpolate import simplices
from steadyflux.space.space import INTERIOR, Edges, Space

_TYPES = {1: 1, 2: 3, 3: 5, 4: 10}  # corners -> VTK's number of vertex, line, triangle, tetrahedron
_FORMATS = {"d": "Float64", "q": "Int64", "B": "UInt8"}


def write_vtk(path: str | os.PathLike[str], solution: Solution, result: Mapping[str, Any] | None = None) -> None:
    """Write a steady state as a VTK file of points (the cells) and the elements between them.

    At the points: every state, the volume, the entropy produced there, and as vectors the flux per area of each
    quantity that moves on ``interior``. Units stand in the arrays' attribute ``Unit`` and in the field ``units``;
    the version, and of a run (``result``) its name and parameters, are further fields. These are texts, kept as
    numbers of bytes: ``bytes(field).decode()`` gives them back, the units and parameters as JSON.

    Raises InputError where the file cannot be written, and for a network, whose nodes have no place.
    """
    write_atomic(path, document(solution, result).encode())


def document(solution: Solution, result: Mapping[str, Any] | None = None) -> str:
    """The text of the VTK file."""
    model, space = solution.model, solution.model.space
    if space.kind == "network":
        raise InputError("a network has no places in space to draw", "use the NetCDF file")
    points, elements = _drawn(space)
    arrays: list[tuple[str, np.ndarray, str]] = []
    for quantity in model.quantities:
        arrays.append((quantity.name, np.asarray(solution[quantity.name], float), quantity.units.state))
    arrays.append(("cell_volume", np.asarray(space.volume, float), "m^3"))
    arrays.append(("entropy_production", np.asarray(solution.entropy.by_cell, float), "W/K"))
    if INTERIOR in model.edges:
        moved = {name for number in model.laws_on(INTERIOR) for name in model.laws[number].moves}
        for name in [one for one in model.names if one in moved]:
            flux = cell_fluxes(space, np.asarray(solution.along(name), float))
            arrays.append((f"{name}_flux", _in_space(space, flux), f"{model.flux_unit(name)}/m^2"))
    texts = {"version": f"steadyflux {sf.__version__}", "units": json.dumps({n: u for n, _, u in arrays})}
    if result is not None:
        texts |= {"system": str(result["system"]), "parameters": json.dumps(result["parameters"])}
    return _xml(points, elements, arrays, texts)


def cell_fluxes(space: Space, along: np.ndarray) -> np.ndarray:
    """Flux per area in each cell, (cell, axis), that fits those along its edges best, weighted by area and length."""
    edges, axes = space.edges[INTERIOR], len(space.axes)
    way = _directions(space, edges)
    area, weight = np.asarray(edges.area), np.asarray(edges.area) * np.asarray(edges.length)
    matrix, right = np.zeros((space.cells, axes, axes)), np.zeros((space.cells, axes))
    for end in (np.asarray(edges.tail), np.asarray(edges.head)):
        np.add.at(matrix, end, weight[:, None, None] * way[:, :, None] * way[:, None, :])
        np.add.at(right, end, (weight * along / area)[:, None] * way)
    return np.einsum("cij,cj->ci", np.linalg.pinv(matrix, rcond=1e-9, hermitian=True), right)


def _directions(space: Space, edges: Edges) -> np.ndarray:
    if edges.direction is not None:
        return np.asarray(edges.direction)
    position = np.asarray(space.position).reshape(space.cells, -1)
    way = position[np.asarray(edges.head)] - position[np.asarray(edges.tail)]
    return way / np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-300)


def _in_space(space: Space, vectors: np.ndarray) -> np.ndarray:
    """Vectors with three Cartesian components."""
    if space.axes[:2] == ("r", "theta"):
        theta = np.asarray(space.position)[:, 1]
        out, around = vectors[:, 0], vectors[:, 1]
        flat = [out * np.cos(theta) - around * np.sin(theta), out * np.sin(theta) + around * np.cos(theta)]
        vectors = np.concatenate([np.stack(flat, axis=1), vectors[:, 2:]], axis=1)
    return np.concatenate([vectors, np.zeros((len(vectors), 3 - vectors.shape[1]))], axis=1)


def _drawn(space: Space) -> tuple[np.ndarray, np.ndarray]:
    """Points with three coordinates and the elements between them; cells at infinity stand at the rim of the others."""
    position = np.asarray(space.position, float).reshape(space.cells, -1)
    if space.axes[:2] == ("r", "theta"):
        r, theta = position[:, 0], position[:, 1]
        position = np.concatenate([np.stack([r * np.cos(theta), r * np.sin(theta)], axis=1), position[:, 2:]], axis=1)
    far = np.abs(position) > 1e9 * np.quantile(np.abs(position), 0.5, axis=0).max()
    elements = np.zeros((0, 2), dtype=int)
    if len(space.axes) == 1:
        elements = np.stack([np.asarray(space.edges[INTERIOR].tail), np.asarray(space.edges[INTERIOR].head)], axis=1)
    elif space.elements is not None or space.shape is not None:
        elements = simplices(space)
    if far.any():
        elements = elements[~far.any(axis=1)[elements].any(axis=1)]
        position = np.where(far, np.where(far, 0.0, position).max(axis=0), position)
    if not len(elements):
        elements = np.arange(space.cells)[:, None]
    return np.concatenate([position, np.zeros((space.cells, 3 - position.shape[1]))], axis=1), elements


def _xml(
    points: np.ndarray, elements: np.ndarray, arrays: list[tuple[str, np.ndarray, str]], texts: Mapping[str, str]
) -> str:
    count = elements.shape[1]
    offsets = np.arange(1, len(elements) + 1) * count
    lines = [
        '<?xml version="1.0"?>',
        '<VTKFile type="UnstructuredGrid" version="1.0" byte_order="LittleEndian" header_type="UInt64">',
        "<UnstructuredGrid>",
        "<FieldData>",
        *(_text(name, text) for name, text in texts.items()),
        "</FieldData>",
        f'<Piece NumberOfPoints="{len(points)}" NumberOfCells="{len(elements)}">',
        "<Points>",
        _array("position", points, "m"),
        "</Points>",
        "<Cells>",
        _array("connectivity", elements.reshape(-1).astype("<i8")),
        _array("offsets", offsets.astype("<i8")),
        _array("types", np.full(len(elements), _TYPES[count], dtype="u1")),
        "</Cells>",
        "<PointData>",
        *(_array(name, values, unit) for name, values, unit in arrays),
        "</PointData>",
        "</Piece>",
        "</UnstructuredGrid>",
        "</VTKFile>",
    ]
    return "\n".join(lines) + "\n"


def _array(name: str, values: np.ndarray, unit: str = "") -> str:
    """One array: its length in bytes, then its bytes, both as base64."""
    values = np.ascontiguousarray(values)
    data = values.astype(values.dtype.newbyteorder("<")).tobytes()
    packed = base64.b64encode(np.array([len(data)], dtype="<u8").tobytes()) + base64.b64encode(data)
    components = f' NumberOfComponents="{values.shape[1]}"' if values.ndim == 2 else ""
    told = f" Unit={quoteattr(unit)}" if unit else ""
    kind = _FORMATS[values.dtype.newbyteorder("=").char.replace("l", "q")]
    head = f'<DataArray type="{kind}" Name={quoteattr(name)}{components}{told} format="binary">'
    return head + packed.decode() + "</DataArray>"


def _text(name: str, text: str) -> str:
    """A text as the numbers of its bytes (UTF-8): arrays of VTK's own kind for texts stop some readers."""
    numbers = " ".join(map(str, text.encode()))
    size = len(text.encode())
    return (
        f'<DataArray type="UInt8" Name={quoteattr(name)} NumberOfTuples="{size}" format="ascii">{numbers}</DataArray>'
    )
