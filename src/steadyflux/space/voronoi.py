"""Unstructured meshes: triangles and tetrahedra made into Voronoi cells with exact faces, by region and boundary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from steadyflux.ground.arithmetic import is_traced
from steadyflux.ground.errors import ModelError
from steadyflux.ground.units import si
from steadyflux.space.grid import listed, positive_depth
from steadyflux.space.lattice import VOID, Cells, number_cells, pair_of
from steadyflux.space.quality import Fault, fault, judge
from steadyflux.space.simplices import Parts, facet_areas, oriented, tetrahedron_parts, triangle_parts
from steadyflux.space.space import INTERIOR, Edges, Elements, Place, Space, path_start

BOUNDARY = "boundary"


class Net(NamedTuple):
    """A mesh with its regions and its cells numbered."""

    points: np.ndarray
    elements: np.ndarray
    region: np.ndarray
    names: tuple[str, ...]
    cells: Cells
    parts: Parts
    depth: float | None

    def cell(self, point: np.ndarray, element: np.ndarray) -> np.ndarray:
        """Cells at points, seen from elements."""
        return self.cells.seen(point, self.region[element])


def mesh(
    points: Any,
    elements: Any,
    *,
    regions: Mapping[str, Any] | None = None,
    void: bool = False,
    rest: str = "rest",
    boundaries: Mapping[str, Any] | None = None,
    split: Sequence[str] = (),
    film: Sequence[str] = (),
    coordinate: str | None = None,
    depth: Any = 1.0,
    unit: str = "m",
    surplus: float = 1e-3,
) -> Space:
    """A space of Voronoi cells on triangles (in a plane, or about an axis) or tetrahedra.

    A cell stands at each point; its faces lie half-way to its neighbours, so that fluxes between two points are
    consistent whatever the shapes, provided that the mesh is Delaunay and not obtuse at boundaries and interfaces.

    Args:
        points: (point, axis), m (or ``unit``).
        elements: (element, 3) triangles or (element, 4) tetrahedra: numbers of points.
        regions: element numbers, a mask over the elements, or a function of the position (at the elements' middles)
            for each region. The first that holds counts; each is an edge set and a place with its exact share.
        void: leave out the elements of no region; else they are the region ``rest``.
        boundaries: facets of each piece, (facet, corner) numbers of points, or a function of the position at the
            middles of the boundary's facets. What no piece claims is ``boundary``.
        split, film: as in `grid`.
        coordinate: "x y" (default in two dimensions), "r z" (rings about the axis r = 0) or "x y z".
        depth: extent of a plane mesh across its plane, m.
        unit: unit of the points.
        surplus: largest part by which edges with negative faces, which are left out, may raise the conductance of a
            region. Below it they are warned of, above it the mesh is refused.
    """
    points, elements = _checked(points, elements, unit)
    flat = points.shape[1] == 2
    axes = coordinate or ("x y" if flat else "x y z")
    if axes not in (("x y", "r z") if flat else ("x y z",)):
        raise ModelError(f"A mesh of points with {points.shape[1]} coordinates cannot have the axes '{axes}'.")
    if axes == "r z" and np.any(points[:, 0] < 0):
        raise ModelError("A mesh of rings about an axis has no points at negative radii.")
    around = axes == "r z"
    extent = None if around or not flat else float(positive_depth(depth))
    elements = oriented(points, elements)
    names, region = _regions(points, elements, regions or {}, None if void else rest)
    kept = region != VOID
    elements, region = elements[kept], region[kept]
    cells = number_cells(np.arange(len(points)), list(elements.T), region, names, (*listed(split), *listed(film)))
    parts = triangle_parts(points, elements, extent) if flat else tetrahedron_parts(points, elements)
    net = Net(points, elements, region, names, cells, parts, extent)
    volume, shares = _volumes(net, bool(regions))
    sets, faults = _edge_sets(net, volume, bool(regions))
    judge(faults, surplus)
    facets, owner, inner = _facets(elements)
    places = _boundary_places(net, facets, owner, boundaries or {})
    position = points[np.repeat(np.arange(len(points)), np.diff(np.append(cells.offset, cells.count)))]
    for name in (*listed(split), *listed(film)):
        tail, head, area, normal = _across(net, facets, inner, name)
        wide = np.ones(len(tail))
        if name in listed(split):
            sets[name] = Edges(tail, head, area, wide, position[tail], direction=normal)
            continue
        own = np.arange(len(tail)) + len(volume)
        for side, one, other in ((name.split("|")[0], tail, own), (name.split("|")[1], own, head)):
            sets[f"{name}.{side}"] = Edges(one, other, area, wide, position[tail], direction=normal)
        places[name] = Place(own, wide, "region")
        volume, position = np.concatenate([volume, area]), np.concatenate([position, position[tail]])
    return Space(
        volume=volume,
        position=position,
        edges=sets,
        places={**places, **shares},
        kind="mesh",
        coordinate=axes,
        elements=Elements(net.cell(elements, np.arange(len(elements))[:, None]), flat),
        depth=extent,
    )


def _checked(points: Any, elements: Any, unit: str) -> tuple[np.ndarray, np.ndarray]:
    if is_traced(points, elements):
        raise ModelError("The points of a mesh cannot be differentiated; a grid's rows can.")
    points = np.asarray(points, dtype=float) * si(f"1 {unit}", "m", "unit of the points")
    elements = np.asarray(elements)
    if points.ndim != 2 or points.shape[1] not in (2, 3):
        raise ModelError("The points of a mesh are an array of two or three columns, one for each axis.")
    if elements.ndim != 2 or elements.dtype.kind not in "iu" or elements.shape[1] != points.shape[1] + 1:
        raise ModelError(
            f"The elements of a mesh in {points.shape[1]} dimensions are rows of {points.shape[1] + 1} point numbers."
        )
    if not np.all(np.isfinite(points)):
        raise ModelError("A point of the mesh is not finite.")
    if not len(elements) or elements.min() < 0 or elements.max() >= len(points):
        raise ModelError(f"The elements of the mesh must name points between 0 and {len(points) - 1}.")
    sides = points[elements[:, 1:]] - points[elements[:, :1]]
    size = np.linalg.norm(sides, axis=2).max(axis=1) ** points.shape[1]
    flat = np.abs(np.linalg.det(sides)) <= 1e-10 * size
    if flat.any():
        where = ", ".join(f"{x:.4g}" for x in points[elements[int(np.argmax(flat))]].mean(axis=0))
        raise ModelError(f"{int(flat.sum())} elements of the mesh are flat, the first near ({where}); remove them.")
    return points, elements.astype(np.int64)


def _regions(
    points: np.ndarray, elements: np.ndarray, rules: Mapping[str, Any], rest: str | None
) -> tuple[tuple[str, ...], np.ndarray]:
    if not rules:
        return (INTERIOR,), np.zeros(len(elements), dtype=int)
    middle = points[elements].mean(axis=1)
    region = np.full(len(elements), VOID)
    names = list(rules)
    for number, (name, rule) in enumerate(rules.items()):
        if callable(rule):
            inside = np.asarray(rule(*middle.T))
            if inside.dtype != bool:
                raise ModelError(f"The rule of the region '{name}' gives {inside.dtype}, not true or false.")
            inside = np.broadcast_to(inside, region.shape)
        else:
            given = np.asarray(rule)
            inside = given if given.dtype == bool else np.isin(np.arange(len(elements)), given)
            if inside.shape != region.shape:
                raise ModelError(
                    f"The mask of the region '{name}' needs one entry for each of {len(elements)} elements."
                )
        region[(region == VOID) & inside] = number
        if not np.any(region == number):
            raise ModelError(f"The region '{name}' holds no element of the mesh.")
    if rest is not None and np.any(region == VOID):
        names.append(rest)
        region[region == VOID] = len(names) - 1
    if len(set(names)) != len(names) or INTERIOR in names or len(names) > 62:
        raise ModelError(f"The regions of a mesh need up to 62 different names, none of them '{INTERIOR}'.")
    return tuple(names), region


def _volumes(net: Net, named: bool) -> tuple[np.ndarray, dict[str, Place]]:
    """Volume of each cell, and each region with its cells and their share in it."""
    element = np.broadcast_to(np.arange(len(net.elements))[:, None, None], net.parts.volume.shape)
    cell = net.cell(net.parts.ends, element)
    volume = np.bincount(cell.ravel(), net.parts.volume.ravel(), net.cells.count)
    if not np.all(volume > 0):
        worst = int(np.argmin(volume))
        where = ", ".join(f"{x:.4g}" for x in net.points[int(np.searchsorted(net.cells.offset, worst, "right")) - 1])
        raise ModelError(
            f"{int((volume <= 0).sum())} cells of the mesh have no volume, the worst near ({where}): its elements are "
            "too obtuse there; refine or smooth the mesh."
        )
    places: dict[str, Place] = {}
    for number, name in enumerate(net.names if named else ()):
        here = net.region == number
        part = np.bincount(cell[here].ravel(), net.parts.volume[here].ravel(), net.cells.count)
        members = np.unique(cell[here])
        share = np.clip(part[members] / volume[members], 1e-9, 1.0)
        places[name] = Place(members, np.ones(len(members)), "region", share)
    return volume, places


def _edge_sets(net: Net, volume: np.ndarray, named: bool) -> tuple[dict[str, Edges], list[Fault]]:
    everything = np.arange(len(net.elements))
    sets, faults = {}, []
    groups = {INTERIOR: everything}
    groups |= {name: everything[net.region == number] for number, name in enumerate(net.names if named else ())}
    for name, chosen in groups.items():
        sets[name], found = _edges(net, chosen, volume, name)
        if found is not None and not (named and name == INTERIOR):
            faults.append(found)
    return sets, faults


def _edges(net: Net, chosen: np.ndarray, volume: np.ndarray, name: str) -> tuple[Edges, Fault | None]:
    """The edges of some elements: their parts added up between each pair of cells."""
    ends = net.parts.ends[chosen]
    element = np.broadcast_to(chosen[:, None], ends.shape[:2])
    cell = net.cell(ends, element[..., None])
    turned = cell[..., 0] > cell[..., 1]
    tail, head = cell.min(axis=2).ravel(), cell.max(axis=2).ravel()
    key, first, member = np.unique(tail * net.cells.count + head, return_index=True, return_inverse=True)
    conductor = np.bincount(member, net.parts.conductor[chosen].ravel(), len(key))
    tail, head = tail[first], head[first]
    point = np.where(turned[..., None], ends[..., ::-1], ends).reshape(-1, 2)[first]
    start, stop = net.points[point[:, 0]], net.points[point[:, 1]]
    length = np.linalg.norm(stop - start, axis=1)
    middle = 0.5 * (start + stop)
    # Faces of no width, as across the diagonals of rectangles, carry nothing.
    small = 1e-9 * (volume[tail] + volume[head]) / length**2
    found = fault(
        name,
        np.where(np.abs(conductor) <= small, 0.0, conductor),
        length,
        middle,
        net.points.shape[1] * float(net.parts.volume[chosen].sum()),
    )
    kept = conductor > small
    corners = None
    if net.points.shape[1] == 2:
        right, left = middle.copy(), middle.copy()
        centre = np.repeat(net.parts.centre[chosen], ends.shape[1], axis=0)
        # Seen along the edge of an element whose corners turn to the left, the element lies to the left.
        on_left = ~turned.ravel()
        left[member[on_left]], right[member[~on_left]] = centre[on_left], centre[~on_left]
        corners = np.stack([right, left], axis=1)[kept]
    return (
        Edges(
            tail=tail[kept],
            head=head[kept],
            area=(conductor * length)[kept],
            length=length[kept],
            position=middle[kept],
            first=path_start(tail[kept], head[kept]),
            corners=corners,
            direction=((stop - start) / length[:, None])[kept],
        ),
        found,
    )


def _facets(elements: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All facets (sorted corners), for each its element, and pairs of numbers of facets that are one inside."""
    count = elements.shape[1]
    facets = np.concatenate([np.sort(elements[:, list(k)], axis=1) for k in combinations(range(count), count - 1)])
    owner = np.tile(np.arange(len(elements)), count)
    order = np.lexsort(facets.T[::-1])
    same = np.all(facets[order][1:] == facets[order][:-1], axis=1)
    if np.any(same[1:] & same[:-1]):
        raise ModelError("A facet of the mesh belongs to more than two elements; elements overlap or are given twice.")
    at = np.flatnonzero(same)
    return facets, owner, np.stack([order[at], order[at + 1]], axis=1)


def _boundary_places(net: Net, facets: np.ndarray, owner: np.ndarray, pieces: Mapping[str, Any]) -> dict[str, Place]:
    """Each named piece of the boundary and what is left, with its cells and areas."""
    order = np.lexsort(facets.T[::-1])
    same = np.all(facets[order][1:] == facets[order][:-1], axis=1)
    single = np.ones(len(facets), dtype=bool)
    single[order[1:][same]] = single[order[:-1][same]] = False
    outer, owner = facets[single], owner[single]
    left = np.ones(len(outer), dtype=bool)
    middle = net.points[outer].mean(axis=1)
    places: dict[str, Place] = {}
    for name, rule in pieces.items():
        if name == BOUNDARY or name in net.names:
            raise ModelError(f"A piece of the boundary needs a name of its own; '{name}' is taken.")
        claimed = left & (_on_rule(rule, middle, name) if callable(rule) else _among(net, outer, rule, name))
        if not claimed.any():
            raise ModelError(f"The piece '{name}' of the boundary holds no free facet of the mesh.")
        places[name] = _place(net, outer[claimed], owner[claimed])
        left &= ~claimed
    if left.any():
        places[BOUNDARY] = _place(net, outer[left], owner[left])
    return places


def _on_rule(rule: Any, middle: np.ndarray, name: str) -> np.ndarray:
    found = np.asarray(rule(*middle.T))
    if found.dtype != bool:
        raise ModelError(f"The rule of the boundary '{name}' gives {found.dtype}, not true or false.")
    return np.broadcast_to(found, (len(middle),))


def _among(net: Net, outer: np.ndarray, rule: Any, name: str) -> np.ndarray:
    """Which boundary facets are listed."""
    given = np.asarray(rule)
    if given.ndim != 2 or given.shape[1] != outer.shape[1] or given.dtype.kind not in "iu":
        raise ModelError(f"The facets of the boundary '{name}' are rows of {outer.shape[1]} numbers of points.")
    wanted = {row.tobytes() for row in np.ascontiguousarray(np.sort(given.astype(np.int64), axis=1))}
    found = np.array([row.tobytes() in wanted for row in np.ascontiguousarray(outer)])
    if found.sum() < len(wanted):
        raise ModelError(
            f"{len(wanted) - int(found.sum())} facets of the boundary '{name}' are no facets of the mesh's surface."
        )
    return found


def _place(net: Net, facets: np.ndarray, owner: np.ndarray) -> Place:
    cell = net.cell(facets, owner[:, None])
    members, inverse = np.unique(cell, return_inverse=True)
    area = np.bincount(inverse.ravel(), facet_areas(net.points, facets, net.depth).ravel(), len(members))
    whole = area.sum()
    area = np.maximum(
        area, 1e-12 * whole / len(members)
    )  # obtuse facets, and those on an axis, leave some corners none
    return Place(members, area * (whole / area.sum()) if whole > 0 else np.full(len(members), 1e-300))


def _across(
    net: Net, facets: np.ndarray, inner: np.ndarray, name: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of cells on both sides of an interface, the area between them and its normal."""
    one, other = pair_of(net.names, name)
    count = net.elements.shape[1]
    element = inner % len(net.elements)  # facets are numbered by element within each choice of corners
    assert len(facets) == count * len(net.elements)
    pair = net.region[element]
    straight, turned = (pair == (one, other)).all(axis=1), (pair == (other, one)).all(axis=1)
    chosen = np.concatenate([inner[straight], inner[turned][:, ::-1]])
    if not len(chosen):
        raise ModelError(f"The regions of '{name}' do not touch, so there is no interface to split.")
    sides = chosen % len(net.elements)
    corner = facets[chosen[:, 0]]
    area = facet_areas(net.points, corner, net.depth)
    tail, head = net.cell(corner, sides[:, :1]), net.cell(corner, sides[:, 1:])
    way = net.points[net.elements[sides[:, 1]]].mean(axis=1) - net.points[net.elements[sides[:, 0]]].mean(axis=1)
    normal = np.broadcast_to(_normals(net.points[corner], way)[:, None, :], (*corner.shape, net.points.shape[1]))
    apart = tail != head
    pairs, member = np.unique(np.stack([tail[apart], head[apart]]), axis=1, return_inverse=True)
    member = member.reshape(-1)
    total = np.bincount(member, area[apart], pairs.shape[1])
    mean = np.stack(
        [np.bincount(member, area[apart] * n, pairs.shape[1]) for n in np.moveaxis(normal, -1, 0)[:, apart]], axis=1
    )
    return pairs[0], pairs[1], total, mean / np.linalg.norm(mean, axis=1, keepdims=True)


def _normals(corner: np.ndarray, way: np.ndarray) -> np.ndarray:
    """Unit normals of facets, turned along ``way``."""
    along = corner[:, 1] - corner[:, 0]
    normal = (
        np.stack([along[:, 1], -along[:, 0]], axis=1)
        if corner.shape[1] == 2
        else np.cross(along, corner[:, 2] - corner[:, 0])
    )
    normal = normal * np.sign((normal * way).sum(axis=1))[:, None]
    return normal / np.linalg.norm(normal, axis=1, keepdims=True)
