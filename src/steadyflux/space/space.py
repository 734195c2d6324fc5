"""The record of a space: cells, named sets of edges and named places, whatever the geometry behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Bool, Float, Int

from steadyflux.ground.arithmetic import array_module, is_traced
from steadyflux.ground.errors import ModelError, NameUnknown
from steadyflux.ground.typing import AnyArray

INTERIOR = "interior"


class Edges(eqx.Module):
    """A named set of edges, each carrying from the cell ``tail`` to the cell ``head``.

    ``area / length`` is the exact conductor of a unit coefficient, 1 / integral of dx / A(x), so a two-point flux
    of a constant coefficient is exact on curved coordinates too.

    Shapes: every array is (edge,); in several dimensions ``position`` is (edge, axis). Units: area m^2, length m,
    position m (or the units of an abstract axis).
    """

    tail: Int[AnyArray, " edge"]
    head: Int[AnyArray, " edge"]
    area: Float[AnyArray, " edge"]
    length: Float[AnyArray, " edge"]
    position: Float[AnyArray, " edge *axis"]
    first: int | None = eqx.field(static=True, default=None)
    """When the edges are the whole path first, first + 1, ... their first cell; else None."""
    enclosed: Float[AnyArray, " edge"] | None = None
    """Volume between a fixed surface and each edge's face, m^3: what a face that moves sweeps is its change."""
    corners: Float[AnyArray, "edge corner axis"] | None = None
    """In two dimensions the two ends of each edge's face, seen from the tail first the right then the left one; on
    grids in space its four corners in turn."""
    direction: Float[AnyArray, "edge axis"] | None = None
    """In several dimensions the unit vector from tail to head."""

    def __len__(self) -> int:
        return int(np.shape(self.tail)[0])


class Place(eqx.Module):
    """A named group of cells where conditions can be set: a boundary (with its area), a compartment or a region.

    Shapes: (cell of the place,). ``area`` is the boundary area of each cell, m^2; for compartments and regions it is 1.
    ``share`` is the part of each cell's volume that lies in a region (a cell on the interface of two belongs to both);
    None means all of it.
    """

    cells: Int[AnyArray, " place"]
    area: Float[AnyArray, " place"]
    kind: str = eqx.field(static=True, default="boundary")
    share: Float[AnyArray, " place"] | None = None


class Elements:
    """Cells at the corners of the elements of a mesh, (element, corner): three or four in a plane in turn around it,
    four (tetrahedra) or eight (boxes: around the lower end, then around the upper) in space. Compared by content."""

    def __init__(self, corners: np.ndarray, flat: bool) -> None:
        self.corners = np.ascontiguousarray(corners)
        self.flat = flat
        """Whether the elements lie in a plane."""
        self._hash = hash((self.corners.tobytes(), self.corners.shape, flat))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Elements) and self.flat == other.flat and np.array_equal(self.corners, other.corners)

    def __repr__(self) -> str:
        return f"Elements({len(self.corners)} of {self.corners.shape[1]} corners)"


class Space(eqx.Module):
    """Cells with volumes, edges with geometry, and the places that have names.

    Shapes: ``volume``, ``position`` are (cell,); in several dimensions ``position`` is (cell, axis) and ``coordinate``
    names the axes, separated by spaces ("r z"). Units m^3, m. ``labels`` names the cells of a network.
    """

    volume: Float[AnyArray, " cell"]
    position: Float[AnyArray, " cell *axis"]
    edges: dict[str, Edges]
    places: dict[str, Place]
    kind: str = eqx.field(static=True)
    labels: tuple[str, ...] | None = eqx.field(static=True, default=None)
    coordinate: str = eqx.field(static=True, default="x")
    form: Any = eqx.field(static=True, default=None)
    """For a space that moves: a `Form`, from which it is built anew for each value of its shared unknowns."""
    shape: tuple[int, ...] | None = eqx.field(static=True, default=None)
    """Number of cells along each axis of a tensor-product grid, the last axis running fastest."""
    elements: Elements | None = eqx.field(static=True, default=None)
    """The cells at the corners of each element (triangle, box, ...), where these do not follow from ``shape``."""
    depth: Float[AnyArray, ""] | float | None = None
    """Extent of a plane space across its plane, m."""

    def __check_init__(self) -> None:
        if self.cells == 0:
            raise ModelError("The space has no cells; give it at least one.")
        if not is_traced(self.volume) and not np.all(np.asarray(self.volume) > 0):
            worst = int(np.argmin(self.volume))
            raise ModelError(
                f"Cell {self.name_of(worst)} has the volume {float(np.asarray(self.volume)[worst]):g}; "
                "every volume must be positive."
            )
        for name, edges in self.edges.items():
            self._check_edges(name, edges)
        for name, place in self.places.items():
            cells = np.asarray(place.cells)
            if cells.size == 0 or cells.min() < 0 or cells.max() >= self.cells:
                raise ModelError(f"The place '{name}' must name cells between 0 and {self.cells - 1}.")

    def _check_edges(self, name: str, edges: Edges) -> None:
        if len(edges) == 0:
            raise ModelError(f"The edge set '{name}' is empty; leave it out or give it an edge.")
        ends = np.concatenate([np.asarray(edges.tail), np.asarray(edges.head)])
        if ends.min() < 0 or ends.max() >= self.cells:
            raise ModelError(f"An edge of '{name}' names a cell outside 0 ... {self.cells - 1}.")
        if np.any(np.asarray(edges.tail) == np.asarray(edges.head)):
            worst = int(np.argmax(np.asarray(edges.tail) == np.asarray(edges.head)))
            raise ModelError(f"Edge {worst} of '{name}' joins the cell {self.name_of(int(ends[worst]))} to itself.")
        if not is_traced(edges.area, edges.length):
            for label, values in (("area", edges.area), ("length", edges.length)):
                if not np.all(np.asarray(values) > 0):
                    raise ModelError(f"Each {label} in the edge set '{name}' must be positive.")

    @property
    def cells(self) -> int:
        """Number of cells."""
        return int(np.shape(self.volume)[0])

    def name_of(self, cell: int) -> str:
        """The cell's label, or its number and coordinate."""
        if self.labels is not None:
            return f"'{self.labels[cell]}'"
        if is_traced(self.position):
            return str(cell)
        here = np.atleast_1d(np.asarray(self.position)[cell])
        return f"{cell} at " + ", ".join(f"{axis} = {x:.4g}" for axis, x in zip(self.axes, here, strict=False))

    @property
    def axes(self) -> tuple[str, ...]:
        """Names of the coordinates."""
        return tuple(self.coordinate.split())

    def coordinates(self) -> tuple[Any, ...]:
        """One array (cell,) for each axis: the arguments of a function of the position."""
        return columns(self.position)

    def place(self, name: str) -> Place:
        """The place called ``name``; an unknown name is refused with the nearest known one."""
        if name not in self.places:
            raise NameUnknown("place", name, self.places)
        return self.places[name]

    def measure(self, name: str) -> Any:
        """What a given influx at a place is counted by, for each of its cells: area, volume, or one."""
        place = self.place(name)
        if place.kind == "boundary":
            return place.area
        if place.kind == "compartment":
            return np.ones(np.shape(place.cells)[0])
        volume = self.volume[place.cells]
        return volume if place.share is None else volume * place.share

    def edge_set(self, name: str) -> Edges:
        """The edge set called ``name``; an unknown name is refused with the nearest known one."""
        if name not in self.edges:
            raise NameUnknown("edge set", name, self.edges)
        return self.edges[name]

    def with_region(self, name: str, cells: Bool[AnyArray, " cell"] | Sequence[int]) -> Space:
        """The same space with one more named region, from a mask or a list of cell numbers."""
        if name in self.places:
            raise ModelError(f"The place '{name}' exists already; choose another name for the region.")
        numbers = np.asarray(cells)
        numbers = np.flatnonzero(numbers) if numbers.dtype == bool else numbers.astype(int)
        region = Place(cells=numbers, area=np.ones(len(numbers)), kind="region")
        return changed(self, places={**self.places, name: region})


def changed(space: Space, **changes: Any) -> Space:
    """The same space with some fields changed."""
    fields = {name: getattr(space, name) for name in space.__dataclass_fields__}
    return Space(**{**fields, **changes})


def columns(position: Any) -> tuple[Any, ...]:
    """The coordinates of points, (point,) or (point, axis), one array for each axis."""
    return (position,) if np.ndim(position) == 1 else tuple(position[:, axis] for axis in range(np.shape(position)[1]))


def evaluate(function: Callable[..., Any], position: Any) -> Any:
    """A function of the position at points, (point,) or (point, axis): it gets one array for each axis."""
    return function(*columns(position))


def path_start(tail: Int[np.ndarray, " edge"], head: Int[np.ndarray, " edge"]) -> int | None:
    """The first cell when the edges run first -> first + 1 -> first + 2 ... without a gap, else None."""
    first = int(tail[0])
    steps = np.arange(first, first + len(tail))
    return first if np.array_equal(tail, steps) and np.array_equal(head, steps + 1) else None


def join(
    parts: Mapping[str, Space], links: Iterable[tuple[str, str] | tuple[str, str, str]], *, length: Any = 1.0
) -> Space:
    """Several spaces as one: a place of one becomes one side of edges to a place of another.

    ``parts`` names the spaces; their places and edge sets are then called ``part.name``. ``links`` lists pairs of
    places ``("gel.right", "bath.cell")`` with, if wanted, a name for the new edge set (else ``gel.right|bath.cell``).
    Two places must have as many cells as each other, or one of them exactly one cell (a compartment beside a whole
    surface). The area of each edge is that of the boundary place. ``length`` (m) is the distance that a two-point law
    on the link sees. The edge set ``interior`` gathers the interiors of all parts that have one.
    """
    if not parts:
        raise ModelError("join needs at least one space.")
    xp = array_module(*[(part.volume, part.position) for part in parts.values()])
    offset = 0
    edges: dict[str, Edges] = {}
    places: dict[str, Place] = {}
    interior: list[Edges] = []
    labels: list[str] = []
    for name, part in parts.items():
        for set_name, e in part.edges.items():
            moved = Edges(
                tail=np.asarray(e.tail) + offset,
                head=np.asarray(e.head) + offset,
                area=e.area,
                length=e.length,
                position=e.position,
                first=None if e.first is None else e.first + offset,
                enclosed=e.enclosed,
                corners=e.corners,
                direction=e.direction,
            )
            edges[f"{name}.{set_name}"] = moved
            if set_name == INTERIOR:
                interior.append(moved)
        for place_name, p in part.places.items():
            places[f"{name}.{place_name}"] = Place(np.asarray(p.cells) + offset, p.area, p.kind, p.share)
        places[name] = Place(cells=np.arange(offset, offset + part.cells), area=np.ones(part.cells), kind="region")
        labels += [f"{name}.{part.labels[i] if part.labels else i}" for i in range(part.cells)]
        offset += part.cells
    if interior:
        edges[INTERIOR] = _concatenate(interior)
    for link in links:
        one, other = link[0], link[1]
        set_name = link[2] if len(link) > 2 else f"{one}|{other}"
        if set_name in edges:
            raise ModelError(f"The edge set '{set_name}' exists already; give the link {one} - {other} another name.")
        for place in (one, other):
            if place not in places:
                raise NameUnknown("place", place, places)
        edges[set_name] = _link(places[one], places[other], f"{one} - {other}", length)
    positions, axes = _common_axes(list(parts.values()))
    return Space(
        volume=xp.concatenate([xp.asarray(part.volume) for part in parts.values()]),
        position=xp.concatenate([xp.asarray(position) for position in positions]),
        edges={name: _widened(e, len(axes.split())) for name, e in edges.items()},
        places=places,
        kind="joined",
        labels=tuple(labels),
        coordinate=axes,
    )


def _common_axes(parts: Sequence[Space]) -> tuple[list[Any], str]:
    """Positions of all parts with as many axes as the part that has most; missing coordinates are zero."""
    most = max(parts, key=lambda part: len(part.axes))
    return [_wide(part.position, len(most.axes)) for part in parts], most.coordinate


def _wide(position: Any, axes: int) -> Any:
    if axes == 1:
        return position
    xp = array_module(position)
    rows = xp.stack(columns(position), axis=1)
    return xp.concatenate([rows, xp.zeros((rows.shape[0], axes - rows.shape[1]))], axis=1)


def _widened(edges: Edges, axes: int) -> Edges:
    return (
        edges
        if np.ndim(edges.position) == 2 or axes == 1
        else eqx.tree_at(lambda e: e.position, edges, _wide(edges.position, axes))
    )


def _link(one: Place, other: Place, what: str, length: Any) -> Edges:
    count_one, count_other = len(np.asarray(one.cells)), len(np.asarray(other.cells))
    if count_one != count_other and 1 not in (count_one, count_other):
        raise ModelError(
            f"The link {what} joins {count_one} cells to {count_other}; the two places must match, or one be a single "
            "cell."
        )
    count = max(count_one, count_other)
    boundary = one if one.kind == "boundary" or other.kind != "boundary" else other
    tail = np.broadcast_to(np.asarray(one.cells), (count,)).copy()
    head = np.broadcast_to(np.asarray(other.cells), (count,)).copy()
    xp = array_module(boundary.area)
    return Edges(
        tail=tail,
        head=head,
        area=xp.broadcast_to(xp.asarray(boundary.area), (count,)),
        length=array_module(length).broadcast_to(length, (count,)) + 0.0,
        position=np.zeros(count),
        first=path_start(tail, head),
    )


def _concatenate(parts: Sequence[Edges]) -> Edges:
    xp = array_module(*[(e.area, e.length, e.position) for e in parts])
    axes = max(np.shape(e.position)[1] if np.ndim(e.position) == 2 else 1 for e in parts)
    parts = [_widened(e, axes) for e in parts]
    tail = np.concatenate([np.asarray(e.tail) for e in parts])
    head = np.concatenate([np.asarray(e.head) for e in parts])
    return Edges(
        tail=tail,
        head=head,
        area=xp.concatenate([xp.asarray(e.area) for e in parts]),
        length=xp.concatenate([xp.asarray(e.length) for e in parts]),
        position=xp.concatenate([xp.asarray(e.position) for e in parts]),
        first=path_start(tail, head),
    )
