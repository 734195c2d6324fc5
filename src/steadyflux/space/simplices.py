"""Triangles and tetrahedra with the parts of Voronoi cells in them: faces, conductors, volumes, boundary areas."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np


class Parts(NamedTuple):
    """What each edge of each element contributes, (element, edge): all may be negative in obtuse elements."""

    ends: np.ndarray
    """Points at both ends, (element, edge, 2)."""
    conductor: np.ndarray
    """Part of the face between the two cells, over the length, m."""
    volume: np.ndarray
    """Part of the volume that each of the two cells has there, (element, edge, 2), m^3."""
    centre: np.ndarray
    """Circumcentre of each element, (element, axis)."""


def oriented(points: np.ndarray, elements: np.ndarray) -> np.ndarray:
    """The elements with their corners turned so that areas and volumes are positive."""
    elements = elements.copy()
    sides = points[elements[:, 1:]] - points[elements[:, :1]]
    wrong = np.linalg.det(sides) < 0
    elements[wrong, :2] = elements[wrong, 1::-1]
    return elements


def circumcentres(points: np.ndarray, elements: np.ndarray) -> np.ndarray:
    """Centres of the circles or spheres through the corners of the elements, (element, axis)."""
    origin = points[elements[:, 0]]
    sides = points[elements[:, 1:]] - origin[:, None, :]
    right = 0.5 * (sides**2).sum(axis=2)
    return origin + np.linalg.solve(sides, right[..., None])[..., 0]


def triangle_parts(points: np.ndarray, triangles: np.ndarray, depth: float | None) -> Parts:
    """Parts of triangles in a plane of a depth, or (None) of rings about the axis r = 0.

    The face between two corners runs from the middle of their edge to the circumcentre (the cotangent weights). About
    an axis it is the ring that it sweeps: with the resistance of the way instead, edges askew to the axis would no
    longer carry a uniform field along it exactly.
    """
    centre = circumcentres(points, triangles)
    ends, conductors, volumes = [], [], []
    for a, b in ((0, 1), (1, 2), (2, 0)):
        one, two = points[triangles[:, a]], points[triangles[:, b]]
        middle, way = 0.5 * (one + two), two - one
        length = np.linalg.norm(way, axis=1)
        normal = np.stack([-way[:, 1], way[:, 0]], axis=1) / length[:, None]  # to the left, where the third corner is
        face = ((centre - middle) * normal).sum(axis=1)
        ends.append(triangles[:, [a, b]])
        if depth is not None:
            conductors.append(depth * face / length)
            volumes.append(np.stack([0.25 * depth * length * face] * 2, axis=1))
            continue
        radius = middle[:, 0] + 0.5 * face * normal[:, 0]
        conductors.append(2.0 * np.pi * radius * face / length)
        turn = [2.0 * np.pi * (end[:, 0] + middle[:, 0] + centre[:, 0]) / 3.0 for end in (one, two)]
        volumes.append(np.stack([0.25 * length * face * t for t in turn], axis=1))
    return Parts(np.stack(ends, axis=1), np.stack(conductors, axis=1), np.stack(volumes, axis=1), centre)


def tetrahedron_parts(points: np.ndarray, tetrahedra: np.ndarray) -> Parts:
    """Parts of tetrahedra: the face between two corners is the kite of the middle of their edge, the circumcentres of
    the two triangles at it and that of the tetrahedron."""
    centre = circumcentres(points, tetrahedra)
    ends, conductors, volumes = [], [], []
    for a, b in combinations(range(4), 2):
        c, d = (k for k in range(4) if k not in (a, b))
        if _parity((a, b, c, d)):
            c, d = d, c
        one, two = points[tetrahedra[:, a]], points[tetrahedra[:, b]]
        middle, way = 0.5 * (one + two), two - one
        length = np.linalg.norm(way, axis=1)
        at = [_triangle_centre(one, two, points[tetrahedra[:, k]]) - middle for k in (c, d)]
        top = centre - middle
        kite = np.cross(at[0], top) + np.cross(top, at[1])
        face = 0.5 * (kite * way).sum(axis=1) / length
        ends.append(tetrahedra[:, [a, b]])
        conductors.append(face / length)
        volumes.append(np.stack([face * length / 6.0] * 2, axis=1))
    return Parts(np.stack(ends, axis=1), np.stack(conductors, axis=1), np.stack(volumes, axis=1), centre)


def _parity(order: tuple[int, ...]) -> bool:
    """Whether a permutation is odd."""
    return sum(order[i] > order[j] for i, j in combinations(range(len(order)), 2)) % 2 == 1


def _triangle_centre(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Circumcentre of a triangle in space."""
    u, v = b - a, c - a
    normal = np.cross(u, v)
    square = (normal**2).sum(axis=1, keepdims=True)
    return a + (np.cross(normal, u) * (v**2).sum(axis=1, keepdims=True)
                - np.cross(normal, v) * (u**2).sum(axis=1, keepdims=True)) / (2.0 * square)  # fmt: skip


def facet_areas(points: np.ndarray, facets: np.ndarray, depth: float | None) -> np.ndarray:
    """Part of each boundary facet (segment, triangle) that belongs to each of its corners, (facet, corner), m^2."""
    if facets.shape[1] == 2:
        one, two = points[facets[:, 0]], points[facets[:, 1]]
        half = 0.5 * np.linalg.norm(two - one, axis=1)
        if depth is not None:
            return depth * np.stack([half, half], axis=1)
        near, far = one[:, 0], two[:, 0]
        return 0.5 * np.pi * half[:, None] * np.stack([3 * near + far, near + 3 * far], axis=1)
    areas = np.zeros(facets.shape)
    centre = _triangle_centre(*(points[facets[:, k]] for k in range(3)))
    for a, b, c in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        one, two, opposite = (points[facets[:, k]] for k in (a, b, c))
        way, middle = two - one, 0.5 * (one + two)
        length = np.linalg.norm(way, axis=1)
        inward = opposite - middle
        inward = inward - way * ((inward * way).sum(axis=1) / length**2)[:, None]
        height = ((centre - middle) * inward).sum(axis=1) / np.linalg.norm(inward, axis=1)
        areas[:, [a, b]] += (0.25 * length * height)[:, None]
    return areas
