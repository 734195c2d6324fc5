"""One-dimensional spaces: slabs, cylinders, spheres, pores of varying bore, and abstract axes, uniform or graded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from steadyflux.ground.arithmetic import array_module, is_traced
from steadyflux.ground.errors import ModelError
from steadyflux.ground.units import si
from steadyflux.space.space import INTERIOR, Edges, Place, Space, path_start

# Five-point Gauss-Legendre on [0, 1]: exact for the polynomials up to degree nine that bores and measures are made of.
_POINT, _WEIGHT = np.polynomial.legendre.leggauss(5)
_POINT, _WEIGHT = 0.5 * (_POINT + 1.0), 0.5 * _WEIGHT

Measure = Callable[[Any], Any]


class Region(NamedTuple):
    """A stretch of an interval: its name, its length (m or text with a unit) and the number of steps it is cut into.

    ``grading`` is the largest step over the smallest, the small ones standing at both ends.
    """

    name: str
    length: Any
    steps: int = 50
    grading: float = 1.0


def interval(
    length: Any = None,
    cells: int = 201,
    *,
    area: Any = 1.0,
    shape: str = "slab",
    start: Any = 0.0,
    grading: str | None = None,
    ratio: float = 1.0,
    regions: Sequence[Region | tuple[Any, ...]] = (),
    split: Sequence[str] = (),
    nodes: Any = None,
    names: tuple[str, str] = ("left", "right"),
) -> Space:
    """A one-dimensional space with the boundaries ``left`` and ``right`` (or ``names``).

    Each cell has its node inside it; the first and the last cell have theirs on the boundary, so that a held value is
    imposed exactly there. ``cells = 201`` thus makes 200 equal steps.

    Args:
        length: total length, m. Left out when ``regions`` or ``nodes`` give it.
        cells: number of cells, at least 2.
        area: cross-section, m^2, constant or a function of the coordinate (m); for ``cylinder`` the height, m; for
            ``sphere`` the share of the full sphere (1 is the whole).
        shape: ``slab``, ``cylinder`` (area 2 pi r height) or ``sphere`` (area 4 pi r^2).
        start: coordinate of the left end, m (the inner radius of a shell).
        grading: ``left``, ``right`` or ``both``: where the cells are finest.
        ratio: largest cell over smallest cell when graded.
        regions: consecutive stretches ``(name, length, steps)``; each becomes an edge set and a place of that name.
        split: names ``"a|b"`` of region interfaces where the state may jump: two nodes at one position joined by an
            edge set of that name (a contact, a partition). Its length is 1 m, so that a two-point law's coefficient
            there is a conductance per area.
        nodes: explicit node coordinates, m, increasing.
    """
    if shape not in ("slab", "cylinder", "sphere"):
        raise ModelError(f"An interval can be a slab, a cylinder or a sphere, not '{shape}'.")
    begin = si(start, "m", "start of the interval")
    if not is_traced(begin) and shape != "slab" and begin < 0:
        raise ModelError("The inner radius of a cylinder or sphere cannot be negative.")
    measure = _cross_section(area, shape)
    enclosed = _enclosed(area, shape)
    if regions:
        if length is not None or nodes is not None:
            raise ModelError("Give an interval its length by 'regions', by 'nodes' or by 'length', only one of them.")
        return _layered(
            begin, [r if isinstance(r, Region) else Region(*r) for r in regions], measure, tuple(split), names, enclosed
        )
    if split:
        raise ModelError("'split' names interfaces between regions; give 'regions' too.")
    if nodes is not None:
        if length is not None:
            raise ModelError("Give an interval its length by 'regions', by 'nodes' or by 'length', only one of them.")
        x = nodes if is_traced(nodes) else np.asarray(nodes, dtype=float)
    else:
        if length is None:
            raise ModelError("An interval needs a length, regions or nodes.")
        x = begin + _positive(si(length, "m", "length of the interval"), "length of the interval") * _fractions(
            cells, grading, ratio
        )
    _check_nodes(x)
    return _build(x, measure, measure, names, "interval", "r" if shape != "slab" else "x", enclosed)


def axis(
    low: Any,
    high: Any,
    cells: int = 201,
    *,
    spacing: str = "linear",
    measure: Any = 1.0,
    crossing: Any = 1.0,
    names: tuple[str, str] = ("low", "high"),
    coordinate: str = "x",
) -> Space:
    """An abstract coordinate (energy, size, age) with its own measure; the engine treats it as any other space.

    Args:
        low, high: ends of the axis in the coordinate's own unit.
        spacing: ``linear`` or ``log`` (equal ratios; both ends positive).
        measure: density of states, volume per unit of coordinate: a number or a function of the coordinate.
        crossing: the weight of a surface of constant coordinate (an area), a number or a function.
    """
    if spacing not in ("linear", "log"):
        raise ModelError(f"The spacing of an axis is 'linear' or 'log', not '{spacing}'.")
    if not is_traced(low, high):
        if not (np.isfinite(low) and np.isfinite(high) and high > low):
            raise ModelError("The high end of an axis must lie above its low end.")
        if spacing == "log" and low <= 0:
            raise ModelError("A logarithmic axis needs a positive low end.")
    steps = _fractions(cells, None, 1.0)
    x = low + (high - low) * steps if spacing == "linear" else low * (high / low) ** steps
    return _build(x, _as_function(measure), _as_function(crossing), names, "axis", coordinate)


def _cross_section(area: Any, shape: str) -> Measure:
    if callable(area):
        if shape != "slab":
            raise ModelError("A cross-section given as a function goes with the shape 'slab'.")
        return area
    unit = {"slab": "m^2", "cylinder": "m", "sphere": ""}[shape]
    factor = _positive(si(area, unit, f"area of the {shape}"), f"area of the {shape}")
    if shape == "slab":
        return lambda x: factor + 0.0 * x
    if shape == "cylinder":
        return lambda x: 2.0 * np.pi * factor * x
    return lambda x: 4.0 * np.pi * factor * x * x


def _enclosed(area: Any, shape: str) -> Measure | None:
    """Volume between the origin and a surface, as a function of its coordinate; None for a varying cross-section."""
    if callable(area):
        return None
    factor = si(area, {"slab": "m^2", "cylinder": "m", "sphere": ""}[shape], f"area of the {shape}")
    power = {"slab": 1, "cylinder": 2, "sphere": 3}[shape]
    return lambda x: factor * {"slab": 1.0, "cylinder": np.pi, "sphere": 4.0 * np.pi / 3.0}[shape] * x**power


def _as_function(value: Any) -> Measure:
    return value if callable(value) else (lambda x: value + 0.0 * x)


def _positive(value: Any, what: str) -> Any:
    if not is_traced(value) and not (np.ndim(value) == 0 and float(value) > 0):
        raise ModelError(f"The {what} must be positive; it is {value}.")
    return value


def _check_cells(cells: Any) -> int:
    if isinstance(cells, bool) or not isinstance(cells, int | np.integer) or not 2 <= cells <= 10_000_000:
        raise ModelError(f"The number of cells must be a whole number from 2 to 10 million, not {cells!r}.")
    return int(cells)


def _fractions(cells: int, grading: str | None, ratio: float) -> np.ndarray:
    cells = _check_cells(cells)
    if grading is None or ratio == 1.0:
        return np.linspace(0.0, 1.0, cells)
    if not np.isfinite(ratio) or ratio <= 0:
        raise ModelError(f"The grading ratio (largest cell over smallest) must be positive, not {ratio}.")
    if grading not in ("left", "right", "both"):
        raise ModelError(f"A grading is 'left', 'right' or 'both', not '{grading}'.")
    place = np.linspace(0.0, 1.0, cells - 1) if cells > 2 else np.zeros(1)
    if grading == "right":
        place = place[::-1]
    elif grading == "both":
        place = 1.0 - np.abs(2.0 * place - 1.0)
        place = place / max(float(place.max()), 1e-300)
    widths = ratio**place
    x = np.concatenate([[0.0], np.cumsum(widths)])
    return x / x[-1]


def _check_nodes(x: Any) -> None:
    if np.ndim(x) != 1 or np.shape(x)[0] < 2:
        raise ModelError("An interval needs at least two nodes.")
    if not is_traced(x) and not (np.all(np.isfinite(x)) and np.all(np.diff(x) > 0)):
        raise ModelError("The nodes of an interval must be finite and increase from left to right.")


def _integral(function: Measure, a: Any, b: Any, xp: Any) -> Any:
    points = a[:, None] + (b - a)[:, None] * _POINT
    return (b - a) * xp.sum(function(points) * _WEIGHT, axis=1)


def _conductor(crossing: Measure, a: Any, b: Any, xp: Any) -> Any:
    """1 / integral of dx / A, exact for a flux that is constant along the edge.

    At a centre, where A vanishes, that integral diverges, yet the flux vanishes there too instead of being constant:
    the area half-way is then the consistent choice.
    """
    points = a[:, None] + (b - a)[:, None] * _POINT
    exact = 1.0 / ((b - a) * xp.sum(_WEIGHT / crossing(points), axis=1))
    return xp.where(crossing(a) > 0, exact, crossing(0.5 * (a + b)) / (b - a))


def _mesh_edges(x: Any, crossing: Measure, xp: Any, first: int = 0, enclosed: Measure | None = None) -> Edges:
    count = np.shape(x)[0] - 1
    tail = np.arange(first, first + count)
    step = x[1:] - x[:-1]
    return Edges(
        tail=tail,
        head=tail + 1,
        area=_conductor(crossing, x[:-1], x[1:], xp) * step,
        length=step,
        position=0.5 * (x[1:] + x[:-1]),
        first=path_start(tail, tail + 1),
        enclosed=None if enclosed is None else enclosed(0.5 * (x[1:] + x[:-1])),
    )


def _volumes(x: Any, measure: Measure, xp: Any) -> Any:
    middle = 0.5 * (x[1:] + x[:-1])
    left, right = xp.concatenate([x[:1], middle]), xp.concatenate([middle, x[-1:]])
    return _integral(measure, left, right, xp)


def _end(x: Any, crossing: Measure, cell: int, position: int, xp: Any) -> Place:
    # The centre of a cylinder or sphere has no area and needs no condition; a tiny positive one keeps it a valid place.
    area = xp.maximum(crossing(x[position : position + 1] if position >= 0 else x[-1:]), 1e-300)
    return Place(cells=np.array([cell]), area=area, kind="boundary")


def _build(
    x: Any,
    measure: Measure,
    crossing: Measure,
    names: tuple[str, str],
    kind: str,
    coordinate: str,
    enclosed: Measure | None = None,
) -> Space:
    xp = array_module(x, measure(x), crossing(x))
    x = xp.asarray(x)
    cells = int(np.shape(x)[0])
    return Space(
        volume=_volumes(x, measure, xp),
        position=x,
        edges={INTERIOR: _mesh_edges(x, crossing, xp, 0, enclosed)},
        places={names[0]: _end(x, crossing, 0, 0, xp), names[1]: _end(x, crossing, cells - 1, -1, xp)},
        kind=kind,
        coordinate=coordinate,
    )


def _layered(
    begin: Any,
    regions: Sequence[Region],
    area: Measure,
    split: tuple[str, ...],
    names: tuple[str, str],
    enclosed: Measure | None,
) -> Space:
    interfaces = [f"{a.name}|{b.name}" for a, b in pairwise(regions)]
    for name in split:
        if name not in interfaces:
            raise ModelError(f"'{name}' is no interface here; the interfaces are {', '.join(interfaces) or 'none'}.")
    if len({r.name for r in regions} | set(names)) != len(regions) + 2:
        raise ModelError("The regions of an interval need different names, none of them the name of an end.")
    pieces: list[Any] = []
    at = begin
    for region in regions:
        size = _positive(si(region.length, "m", f"length of region '{region.name}'"), f"length of '{region.name}'")
        pieces.append(at + size * _fractions(region.steps + 1, "both" if region.grading != 1 else None, region.grading))
        at = at + size
    xp = array_module(area(begin), *pieces)
    edges: dict[str, Edges] = {}
    places: dict[str, Place] = {}
    volume: list[Any] = []
    position: list[Any] = []
    mesh: list[Edges] = []
    first = 0  # number of the current piece's first node
    for index, (region, x) in enumerate(zip(regions, pieces, strict=True)):
        x = xp.asarray(x)
        own = _volumes(x, area, xp)
        count = int(np.shape(x)[0])
        shared = index > 0 and interfaces[index - 1] not in split
        if shared:
            volume[-1] = xp.concatenate([volume[-1][:-1], volume[-1][-1:] + own[:1]])
            volume.append(own[1:])
            position.append(x[1:])
        else:
            volume.append(own)
            position.append(x)
            if index > 0:
                width = xp.ones(1)
                ends = np.array([first - 1]), np.array([first])
                edges[interfaces[index - 1]] = Edges(ends[0], ends[1], area(x[:1]), width, x[:1], first - 1)
        start = first - 1 if shared else first
        edges[region.name] = _mesh_edges(x, area, xp, start, enclosed)
        mesh.append(edges[region.name])
        places[region.name] = Place(np.arange(start, start + count), np.ones(count), "region", own)
        first = start + count
    tail = np.concatenate([np.asarray(e.tail) for e in mesh])
    interior = Edges(
        tail=tail,
        head=tail + 1,
        area=xp.concatenate([xp.asarray(e.area) for e in mesh]),
        length=xp.concatenate([xp.asarray(e.length) for e in mesh]),
        position=xp.concatenate([xp.asarray(e.position) for e in mesh]),
        first=path_start(tail, tail + 1),
        enclosed=None if enclosed is None else xp.concatenate([xp.asarray(e.enclosed) for e in mesh]),
    )
    x, whole = xp.concatenate(position), xp.concatenate(volume)
    for name, place in places.items():
        places[name] = Place(place.cells, place.area, place.kind, place.share / whole[place.cells])
    places[names[0]] = _end(x, area, 0, 0, xp)
    places[names[1]] = _end(x, area, first - 1, -1, xp)
    return Space(
        volume=whole,
        position=x,
        edges={INTERIOR: interior, **edges},
        places=places,
        kind="interval",
    )
