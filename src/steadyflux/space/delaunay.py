"""Delaunay meshes without a mesh program: of given points, or of simple shapes in a plane with a wanted spacing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from steadyflux.ground.errors import ModelError
from steadyflux.ground.units import si
from steadyflux.space.space import Space
from steadyflux.space.voronoi import mesh

_MOST = 200_000  # points that the built-in mesher sets
_ROUNDS = 40


def delaunay(
    shape: Any,
    spacing: Any = None,
    *,
    holes: Sequence[Any] = (),
    lines: Sequence[Any] = (),
    **options: Any,
) -> Space:
    """A mesh of triangles (or, of points in space, tetrahedra) found by Delaunay's rule.

    Args:
        shape: without ``spacing`` the points, (point, axis), whose hull is filled. With it an outline in the plane: the
            corners of a polygon, (corner, 2), a box ``{"x": (0, "1 mm"), "y": (0, "2 mm")}`` or a disk
            ``{"center": (0, 0), "radius": "1 mm"}``.
        spacing: wanted distance between points, m, or a function of the position.
        holes: outlines left out.
        lines: polylines, (corner, 2), on which points stand and which no triangle crosses, such as the interfaces of
            regions. They may touch the outline and each other at their ends, and cross nothing.
        options: regions, boundaries, split, film, coordinate, depth, surplus of `mesh`.

    Points near outlines and lines keep so far away that no triangle is obtuse there: all faces are positive.
    """
    from scipy.spatial import Delaunay, QhullError  # scipy.spatial takes as long as JAX to load

    try:
        if spacing is None:
            points = np.asarray(shape, dtype=float)
            if points.ndim != 2 or points.shape[1] not in (2, 3) or len(points) <= points.shape[1]:
                raise ModelError("A Delaunay mesh needs at least three points in a plane or four in space.")
            elements = Delaunay(points).simplices
            return mesh(points, _solid(points, elements), **options)
        return mesh(*_filled(shape, spacing, holes, lines, Delaunay), **options)
    except QhullError as error:
        raise ModelError("No Delaunay mesh was found: the points lie on one line or in one plane.") from error


def _solid(points: np.ndarray, elements: np.ndarray) -> np.ndarray:
    """The elements without flat ones, which lie in the hull's faces."""
    sides = points[elements[:, 1:]] - points[elements[:, :1]]
    size = np.linalg.norm(sides, axis=2).max(axis=1) ** points.shape[1]
    return elements[np.abs(np.linalg.det(sides)) > 1e-9 * size]


# ---- outlines --------------------------------------------------------------------------------------------------------


def _filled(
    shape: Any, spacing: Any, holes: Sequence[Any], lines: Sequence[Any], triangulate: Callable[..., Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Points and triangles of a shape."""
    wanted = _spacing(spacing)
    loops = [_outline(one, wanted) for one in (shape, *holes)]
    chains = [*[np.concatenate([loop, loop[:1]]) for loop in loops], *[_corners(one, "line", 2) for one in lines]]
    corners, segments = _divided(chains, wanted)
    low, high = loops[0].min(axis=0), loops[0].max(axis=0)
    seeds = _seeds(low, high, wanted)
    inside = _inside(seeds, loops)
    seeds = seeds[inside][_clear(seeds[inside], corners, segments)]
    for _ in range(_ROUNDS):
        points = np.concatenate([corners, seeds])
        triangles = triangulate(points).simplices
        triangles = triangles[_inside(points[triangles].mean(axis=1), loops)]
        moved = seeds + _push(points, triangles, wanted)[len(corners) :]
        fits = _inside(moved, loops) & _clear(moved, corners, segments)
        seeds = np.where(fits[:, None], moved, seeds)
    for _ in range(_ROUNDS):
        points = np.concatenate([corners, seeds])
        close = _encroached(points, corners, segments)
        if not close.any():
            break
        corners, segments = _halved(corners, segments, close)
        seeds = seeds[_clear(seeds, corners, segments)]
    else:
        raise ModelError("The outline has angles too sharp for the built-in mesher; use a mesh program and read_mesh.")
    triangles = triangulate(points).simplices
    triangles = _solid(points, triangles[_inside(points[triangles].mean(axis=1), loops)])
    return points, triangles


def _spacing(given: Any) -> Callable[[np.ndarray], np.ndarray]:
    if callable(given):

        def wanted(points: np.ndarray) -> np.ndarray:
            found = np.broadcast_to(np.asarray(given(*points.T), dtype=float), (len(points),))
            if not np.all(found > 0):
                raise ModelError("The spacing of a mesh must be positive everywhere.")
            return found

        return wanted
    size = si(given, "m", "spacing of the mesh", allow_array=False)
    if not size > 0:
        raise ModelError(f"The spacing of a mesh must be positive; it is {size:g}.")
    return lambda points: np.full(len(points), size)


def _corners(given: Any, what: str, least: int) -> np.ndarray:
    corners = np.stack([si(list(one), "m", f"corner of the {what}") for one in given])
    if corners.ndim != 2 or corners.shape[1] != 2 or len(corners) < least:
        raise ModelError(f"The {what} of a mesh is given by at least {least} corners with two coordinates each.")
    return corners


def _outline(given: Any, wanted: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Corners of a closed outline, counterclockwise or clockwise, without the first one again."""
    if not isinstance(given, Mapping):
        corners = _corners(given, "outline", 3)
        return corners[:-1] if np.allclose(corners[0], corners[-1]) else corners
    if "radius" in given:
        center = si(given.get("center", (0.0, 0.0)), "m", "center of the disk")
        radius = si(given["radius"], "m", "radius of the disk")
        if not radius > 0:
            raise ModelError(f"The radius of a disk must be positive; it is {radius:g}.")

        def at(angle: np.ndarray) -> np.ndarray:
            return center + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)

        return at(_parts(lambda t: wanted(at(2 * np.pi * t)), 2 * np.pi * radius, 12)[:-1] * 2 * np.pi)
    spans = [si(list(span), "m", f"limits along {axis}") for axis, span in given.items()]
    if len(spans) != 2 or any(len(span) != 2 or not span[0] < span[1] for span in spans):
        raise ModelError("A box is given by two limits along each of two axes, the lower one first.")
    (a, b), (c, d) = spans
    return np.array([(a, c), (b, c), (b, d), (a, d)])


def _parts(wanted: Callable[[np.ndarray], np.ndarray], length: float, least: int = 1) -> np.ndarray:
    """Places on a line (0 to 1) that cut it into steps of the wanted size, as equal parts of the integral of ds / h."""
    fine = np.linspace(0.0, 1.0, 201)
    density = length / wanted(fine)
    passed = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]) * np.diff(fine))])
    count = max(least, int(np.ceil(passed[-1] - 1e-9)))
    if count > _MOST:
        raise ModelError(f"The spacing asks for {count:,} points on one line; ask for a larger one.")
    return np.interp(np.linspace(0.0, passed[-1], count + 1), passed, fine)


def _divided(chains: Sequence[np.ndarray], wanted: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Points on all outlines and lines, and the segments between them (pairs of points), each point once."""
    stops = np.concatenate(chains)
    size = np.ptp(stops, axis=0).max()
    starts, ends = [], []
    for chain in chains:
        for a, b in pairwise(chain):
            way, length = b - a, float(np.linalg.norm(b - a))
            if length <= 1e-12 * size:
                continue
            # Corners of other lines that lie on this side belong to it.
            along = (stops - a) @ way / length**2
            off = np.linalg.norm(stops - a - along[:, None] * way, axis=1)
            on = np.unique(np.round(along[(off < 1e-9 * size) & (along > 1e-9) & (along < 1 - 1e-9)], 9))
            knots = np.concatenate([[0.0], on, [1.0]])
            for s, t in pairwise(knots):
                p, q = a + s * way, a + t * way
                part = _parts(lambda u, p=p, q=q: wanted(p + u[:, None] * (q - p)), length * (t - s))
                row = p + part[:, None] * (q - p)
                starts.append(row[:-1])
                ends.append(row[1:])
    both = np.concatenate([*starts, *ends])
    _, first, member = np.unique(np.round(both / (1e-9 * size)), axis=0, return_index=True, return_inverse=True)
    pairs = np.sort(member.reshape(-1).reshape(2, -1).T, axis=1)
    return both[first], np.unique(pairs, axis=0)


# ---- inner points ----------------------------------------------------------------------------------------------------


def _seeds(low: np.ndarray, high: np.ndarray, wanted: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """First places of inner points: a quadtree of boxes no larger than the spacing, then rows moved by half a step."""
    spots = np.stack(np.meshgrid(*[np.linspace(a, b, 33) for a, b in zip(low, high, strict=True)]), axis=-1)
    least, extent = float(wanted(spots.reshape(-1, 2)).min()), float((high - low).max())
    size = least * 2.0 ** np.ceil(np.log2(extent / least))  # so that an even spacing is met exactly
    boxes, found = np.array([low + 0.5 * size]), []
    while len(boxes):
        fits = size <= 1.1 * wanted(boxes)
        if fits.any():
            here = boxes[fits].copy()
            here[:, 0] += 0.25 * size * np.where(np.round((here[:, 1] - low[1]) / size - 0.5) % 2 == 0, 1.0, -1.0)
            found.append(here)
        boxes, size = boxes[~fits], 0.5 * size
        if 4 * len(boxes) + sum(map(len, found)) > 4 * _MOST:
            raise ModelError("The spacing asks for more points than the built-in mesher sets; ask for a larger one.")
        turns = np.array([(-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5), (0.5, 0.5)]) * size
        boxes = (boxes[:, None, :] + turns).reshape(-1, 2)
    return np.concatenate(found)


def _inside(points: np.ndarray, loops: Sequence[np.ndarray]) -> np.ndarray:
    """Inside the first outline and outside all others, by counting crossings of a ray."""
    result = np.ones(len(points), dtype=bool)
    for number, loop in enumerate(loops):
        odd = np.zeros(len(points), dtype=bool)
        for a, b in zip(loop, np.roll(loop, -1, axis=0), strict=True):
            if a[1] == b[1]:
                continue
            crosses = (a[1] > points[:, 1]) != (b[1] > points[:, 1])
            odd ^= crosses & (points[:, 0] < a[0] + (points[:, 1] - a[1]) * (b[0] - a[0]) / (b[1] - a[1]))
        result &= odd if number == 0 else ~odd
    return result


def _clear(points: np.ndarray, corners: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """Whether points keep away from all segments, by 0.6 of their length: beyond the circle on each as diameter."""
    if not len(points):
        return np.ones(0, dtype=bool)
    clear = np.ones(len(points), dtype=bool)
    for a, b in corners[segments]:
        way, length = b - a, np.linalg.norm(b - a)
        along = np.clip((points - a) @ way / length**2, 0.0, 1.0)
        clear &= np.linalg.norm(points - a - along[:, None] * way, axis=1) > 0.6 * length
    return clear


def _push(points: np.ndarray, triangles: np.ndarray, wanted: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Displacements by springs along the edges that only push (Persson and Strang 2004, SIAM Rev. 46, 329)."""
    edges = np.unique(
        np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])), axis=0
    )
    way = points[edges[:, 1]] - points[edges[:, 0]]
    length = np.linalg.norm(way, axis=1)
    rest = wanted(0.5 * (points[edges[:, 0]] + points[edges[:, 1]]))
    rest = 1.2 * rest * np.sqrt((length**2).sum() / (rest**2).sum())
    push = (np.maximum(rest - length, 0.0) / length)[:, None] * way
    total = np.zeros_like(points)
    np.add.at(total, edges[:, 1], push)
    np.add.at(total, edges[:, 0], -push)
    return 0.2 * total


def _encroached(points: np.ndarray, corners: np.ndarray, segments: np.ndarray) -> np.ndarray:
    """Segments with another point in the circle on them as diameter: the triangle there would be obtuse."""
    from scipy.spatial import KDTree

    middle = corners[segments].mean(axis=1)
    radius = 0.5 * np.linalg.norm(corners[segments[:, 1]] - corners[segments[:, 0]], axis=1)
    near = np.asarray(KDTree(points).query(middle, k=min(3, len(points)))[1])
    found = np.zeros(len(segments), dtype=bool)
    for column in near.T:
        other = (column != segments[:, 0]) & (column != segments[:, 1])
        found |= other & (np.linalg.norm(points[column] - middle, axis=1) < radius * (1 - 1e-9))
    return found


def _halved(corners: np.ndarray, segments: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The chosen segments cut into halves."""
    middle = corners[segments[chosen]].mean(axis=1)
    number = np.arange(len(middle)) + len(corners)
    first, second = segments[chosen, 0], segments[chosen, 1]
    halves = np.concatenate([np.stack([first, number], axis=1), np.stack([number, second], axis=1)])
    return np.concatenate([corners, middle]), np.concatenate([segments[~chosen], halves])
