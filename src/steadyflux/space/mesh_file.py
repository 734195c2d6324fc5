"""Meshes from files of mesh programs (Gmsh and all that meshio reads), with their named regions and boundaries."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from steadyflux.ground.errors import InputError
from steadyflux.space.space import Space
from steadyflux.space.voronoi import BOUNDARY, mesh

_SOLID = {2: "triangle", 3: "tetra"}
_FACET = {2: "line", 3: "triangle"}
_TAGS = ("gmsh:physical", "medit:ref", "cell_tags", "CellEntityIds")


def read_mesh(
    path: str | os.PathLike[str],
    *,
    unit: str = "m",
    coordinate: str | None = None,
    depth: Any = 1.0,
    split: Sequence[str] = (),
    film: Sequence[str] = (),
    surplus: float = 1e-3,
) -> Space:
    """A mesh of triangles or tetrahedra from a file (.msh, .vtu, .mesh, .inp, ... : whatever meshio reads).

    The physical groups of the mesh program become regions (of the elements) and pieces of the boundary (of the facets),
    with their names; groups without a name are called ``region 3`` or ``boundary 7`` by their number. Facets inside
    the mesh belong to no boundary. A mesh all of whose points have z = 0 is one in a plane.

    Args:
        unit: unit of the coordinates in the file.
        others: as in `mesh`.

    Raises InputError where the file cannot be read or holds neither triangles nor tetrahedra. Needs meshio
    (``pip install 'steadyflux[mesh]'``).
    """
    try:
        import meshio  # an extra, asked for only here
    except ImportError as error:
        raise InputError("reading a mesh file needs meshio", "install it: pip install 'steadyflux[mesh]'") from error
    if not os.path.isfile(path):
        raise InputError(f"there is no mesh file '{os.fspath(path)}'", "check the path")
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):  # meshio prints its complaints
            found = meshio.read(path)
    except (Exception, SystemExit) as error:  # its readers raise anything, and leave the program on an unknown suffix
        reason = " ".join(f"{error} {said.getvalue()}".split())[:160] or type(error).__name__
        raise InputError(f"the mesh file '{os.fspath(path)}' cannot be read: {reason}", "export it anew") from error
    kinds = {block.type for block in found.cells}
    axes = 3 if "tetra" in kinds else 2
    if _SOLID[axes] not in kinds:
        raise InputError(
            f"the mesh file '{os.fspath(path)}' holds {', '.join(sorted(kinds)) or 'nothing'}, but no triangles or "
            "tetrahedra of first order",
            "export a mesh of simplices",
        )
    points = np.asarray(found.points, dtype=float)
    if axes == 2 and points.shape[1] == 3:
        if np.ptp(points[:, 2]) > 1e-9 * np.ptp(points, axis=0).max():
            raise InputError(
                f"the mesh file '{os.fspath(path)}' is a surface in space",
                "give a plane mesh with z = 0, or tetrahedra",
            )
        points = points[:, :2]
    elements, tags = _blocks(found, _SOLID[axes])
    names = {(int(tag), int(dimension)): name for name, (tag, dimension) in _field_data(found).items()}
    regions = {}
    if len(np.unique(tags)) > 1 or any(d == axes for _, d in names):
        regions = {names.get((tag, axes), f"region {tag}"): tags == tag for tag in np.unique(tags).tolist()}
    facets, marks = _blocks(found, _FACET[axes])
    facets, marks = _on_surface(elements, facets, marks)
    pieces = {
        names.get((mark, axes - 1), f"boundary {mark}"): facets[marks == mark] for mark in np.unique(marks).tolist()
    }
    pieces.pop(BOUNDARY, None)  # what no piece claims has that name anyway
    pieces = {name: rows for name, rows in pieces.items() if not (name == "boundary 0" and len(pieces) > 1)}
    used, numbers = np.unique(elements, return_inverse=True)  # not the centres of arcs and the like
    anew = np.full(len(points), -1)
    anew[used] = np.arange(len(used))
    return mesh(
        points[used],
        numbers.reshape(elements.shape),
        regions=regions,
        boundaries={name: anew[rows] for name, rows in pieces.items()},
        split=split,
        film=film,
        coordinate=coordinate,
        depth=depth,
        unit=unit,
        surplus=surplus,
    )


def _field_data(found: Any) -> dict[str, Any]:
    return {name: value for name, value in found.field_data.items() if np.size(value) == 2}


def _blocks(found: Any, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """All elements of a kind with their group numbers, 0 where the file has none."""
    size = {"line": 2, "triangle": 3, "tetra": 4}[kind]
    rows, tags = [np.zeros((0, size), dtype=int)], [np.zeros(0, dtype=int)]
    key = next((k for k in _TAGS if k in found.cell_data), None)
    for number, block in enumerate(found.cells):
        if block.type == kind:
            rows.append(np.asarray(block.data, dtype=int))
            tags.append(np.asarray(found.cell_data[key][number], int) if key else np.zeros(len(block.data), int))
    return np.concatenate(rows), np.concatenate(tags)


def _on_surface(elements: np.ndarray, facets: np.ndarray, marks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The facets that belong to one element only."""
    if not len(facets):
        return facets, marks
    count = elements.shape[1]
    every = np.concatenate([np.sort(np.delete(elements, k, axis=1), axis=1) for k in range(count)])
    unique, times = np.unique(every, axis=0, return_counts=True)
    surface = {row.tobytes() for row in unique[times == 1]}
    kept = np.array([row.tobytes() in surface for row in np.sort(facets, axis=1)])
    return facets[kept], marks[kept]
