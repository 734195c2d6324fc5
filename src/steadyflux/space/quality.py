"""The quality of meshes: negative faces of obtuse or non-Delaunay elements, what they would cost, shapes of cells."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from steadyflux.ground.errors import ModelError
from steadyflux.space.space import INTERIOR, Space


class Fault(NamedTuple):
    """Negative faces in one region: how many edges have one, where the worst stands, and the surplus if left out."""

    region: str
    edges: int
    where: np.ndarray
    surplus: float
    """By how much the region would conduct too well, as the mean over all directions: part of one."""

    def sentence(self) -> str:
        """The fault in words."""
        at = ", ".join(f"{x:.4g}" for x in self.where)
        return (
            f"{self.edges} edges of '{self.region}' have a negative face (worst near ({at})); without them it conducts "
            f"about {100 * self.surplus:.2g} % too well"
        )


class Quality(NamedTuple):
    """What `mesh_quality` finds."""

    cells: int
    edges: int
    surplus: Mapping[str, float]
    """For each edge set of a region the sum of area times length over dimensions times volume, less one. Zero in a
    mesh of true Voronoi cells: what is above is conducted too much in the mean over all directions."""
    aspect: float
    """Longest edge over shortest edge around one cell, the largest found."""
    jump: float
    """Volume of a cell over that of its neighbour, the largest found away from boundaries."""
    smallest_angle: float | None
    """Smallest angle of a triangle, or between two faces of a tetrahedron, degrees; None without such elements."""


def fault(region: str, conductor: np.ndarray, length: np.ndarray, middle: np.ndarray, measure: float) -> Fault | None:
    """The negative edges of a region; ``measure`` is its dimensions times its volume."""
    negative = conductor < 0
    if not negative.any():
        return None
    lost = -conductor * length**2
    return Fault(region, int(negative.sum()), middle[int(np.argmax(lost))], float(lost[negative].sum() / measure))


def judge(faults: list[Fault], limit: float) -> None:
    """Refuse a mesh whose negative faces would cost more than ``limit`` of the conductance; warn of less."""
    if not faults:
        return
    text = "; ".join(one.sentence() for one in faults)
    if max(one.surplus for one in faults) > limit:
        raise ModelError(
            f"In this mesh {text}. It is not Delaunay, or obtuse at a boundary or an interface: refine or smooth it "
            f"there, or accept the error by surplus=... (now {limit:g})."
        )
    warnings.warn(f"In this mesh {text}.", stacklevel=3)


def mesh_quality(space: Space) -> Quality:
    """Quality of a mesh in two or three dimensions: surplus of its edge factors, shapes and jumps of its cells."""
    if len(space.axes) < 2 or np.ndim(space.position) != 2:
        raise ModelError(f"The quality of a mesh is asked of one in two or three dimensions; this is a {space.kind}.")
    surplus: dict[str, float] = {}
    for name, edges in space.edges.items():
        volume = _volume(space, name)
        if volume is not None:
            size = np.asarray(edges.area) * np.asarray(edges.length)
            surplus[name] = float(size.sum() / (len(space.axes) * volume) - 1.0)
    e = space.edges[INTERIOR]
    tail, head, length = np.asarray(e.tail), np.asarray(e.head), np.asarray(e.length)
    longest, shortest = np.zeros(space.cells), np.full(space.cells, np.inf)
    for end in (tail, head):
        np.maximum.at(longest, end, length)
        np.minimum.at(shortest, end, length)
    inner = np.ones(space.cells, dtype=bool)
    for place in space.places.values():
        if place.kind == "boundary":
            inner[np.asarray(place.cells)] = False
    both = inner[tail] & inner[head]
    volume = np.asarray(space.volume)
    ratio = volume[tail] / volume[head]
    jump = float(np.maximum(ratio, 1 / ratio)[both].max()) if both.any() else 1.0
    return Quality(
        cells=space.cells,
        edges=len(e),
        surplus=surplus,
        aspect=float((longest / shortest)[np.isfinite(shortest)].max()),
        jump=jump,
        smallest_angle=_smallest_angle(space),
    )


def _volume(space: Space, name: str) -> float | None:
    """Volume that belongs to an edge set: a region's, or all of it for the interior."""
    volume = np.asarray(space.volume)
    if name == INTERIOR:
        return float(volume.sum())
    place = space.places.get(name)
    if place is None or place.kind != "region":
        return None
    return float((volume[np.asarray(place.cells)] * (1.0 if place.share is None else np.asarray(place.share))).sum())


def _smallest_angle(space: Space) -> float | None:
    if space.elements is None:
        return None
    corners = np.asarray(space.position)[space.elements.corners]
    if space.elements.flat and corners.shape[1] == 3:
        angles = []
        for a, b, c in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
            u, v = corners[:, b] - corners[:, a], corners[:, c] - corners[:, a]
            angles.append(_angle(u, v))
        return float(np.min(angles))
    if not space.elements.flat and corners.shape[1] == 4:
        normals = []
        for a, b, c, d in ((0, 1, 2, 3), (0, 1, 3, 2), (0, 2, 3, 1), (1, 2, 3, 0)):
            u, v, inward = (corners[:, k] - corners[:, a] for k in (b, c, d))
            normal = np.cross(u, v)
            normals.append(normal * np.sign((normal * inward).sum(axis=1))[:, None])
        return float(min(np.min(_angle(normals[i], -normals[j])) for i in range(4) for j in range(i)))
    return None


def _angle(u: np.ndarray, v: np.ndarray) -> Any:
    cosine = (u * v).sum(axis=1) / np.sqrt((u**2).sum(axis=1) * (v**2).sum(axis=1))
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
