"""Grids on orthogonal curvilinear coordinates: by scale factors, by an analytic map, about a disk, about a centre."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from steadyflux.ground.arithmetic import array_module, is_traced
from steadyflux.ground.errors import ModelError, NameUnknown
from steadyflux.ground.units import si
from steadyflux.space.grid import listed, periodic_axes, positive_depth
from steadyflux.space.interval import _positive
from steadyflux.space.lattice import Plan
from steadyflux.space.metric import Metric, Sampled
from steadyflux.space.metric import spherical as spherical_metric
from steadyflux.space.rows import Row, as_row
from steadyflux.space.rules import Frame
from steadyflux.space.space import Space
from steadyflux.space.tensor import build

_COORDINATES = ("x y", "r z", "x y z")


def curvilinear(
    rows: Mapping[str, Any],
    scale: Callable[..., Sequence[Any]],
    map: Callable[..., Sequence[Any]],
    *,
    coordinate: str = "x y",
    depth: Any = 1.0,
    names: Mapping[str, tuple[str, str]] | None = None,
    far: str | None = None,
    regions: Mapping[str, Any] | None = None,
    void: bool = False,
    rest: str = "rest",
    boundaries: Mapping[str, Sequence[Any]] | None = None,
    split: Sequence[str] = (),
    film: Sequence[str] = (),
    periodic: Sequence[str] = (),
) -> Space:
    """A grid on orthogonal coordinates of your own.

    Args:
        rows: a row of nodes (bare numbers) for each coordinate, by the coordinate's name.
        scale: scale factors h_i = |d(position)/dq_i| as a function of the coordinates, m per unit of each: two in a
            plane and about an axis, three in space.
        map: position of a point from its coordinates: (x, y), (r, z) or (x, y, z), m.
        coordinate: names of the axes of positions, "x y", "r z" (axisymmetric, volumes of the full turn) or "x y z".
        depth: extent of a plane grid across its plane, m.
        names: names of the low and the high end of each coordinate; by default ``q_low`` and ``q_high`` for the
            coordinate ``q``.
        far: name of an end at infinity. Conductors up to it are finite; the volumes of its cells are replaced by
            finite ones, so totals of what is stored mean nothing.
        regions, void, rest, boundaries, split, film, periodic: as in `grid`; functions get positions, tables the
            coordinates.

    Raises ModelError where the map does not have these scale factors or its coordinate lines do not cross at right
    angles.
    """
    if coordinate not in _COORDINATES:
        raise ModelError(f"The positions of a curvilinear grid are 'x y', 'r z' or 'x y z', not '{coordinate}'.")
    if len(rows) != len(coordinate.split()):
        raise ModelError(f"A curvilinear grid with positions '{coordinate}' needs {len(coordinate.split())} rows.")
    axes, made = tuple(rows), tuple(as_row(row, "", f"nodes of {name}") for name, row in rows.items())
    extent: Any = 1.0
    full = scale
    if coordinate == "r z":
        extent = 2.0 * np.pi

        def full(*q: Any) -> Sequence[Any]:
            return (*scale(*q)[:2], map(*q)[0])

    elif coordinate == "x y":
        extent = positive_depth(depth)

        def full(*q: Any) -> Sequence[Any]:
            return (*scale(*q)[:2], 1.0)

    _check_map(axes, made, scale, map)
    return _built(
        axes,
        made,
        Sampled(full, len(axes), extent),
        map,
        coordinate,
        {axis: (f"{axis}_low", f"{axis}_high") for axis in axes},
        names or {},
        far=far,
        regions=regions or {},
        rest=None if void else rest,
        boundaries=boundaries or {},
        split=listed(split),
        film=listed(film),
        periodic=periodic_axes(axes, made, periodic),
    )


def _built(
    axes: tuple[str, ...],
    rows: tuple[Row, ...],
    metric: Metric,
    place: Callable[..., Sequence[Any]],
    coordinate: str,
    sides: Mapping[str, tuple[str, str]],
    names: Mapping[str, tuple[str, str]],
    **options: Any,
) -> Space:
    for axis in names:
        if axis not in axes:
            raise NameUnknown("axis", axis, axes)
    pairs = [names.get(axis, sides[axis]) for axis in axes]
    chosen = tuple((low, high) for low, high in pairs)
    flat = [name for pair in chosen for name in pair]
    if len(set(flat)) != len(flat):
        raise ModelError("The ends of the coordinates need different names.")
    if options.get("far") is not None and options["far"] not in flat:
        raise NameUnknown("end of a coordinate", options["far"], flat)

    def placed(*q: Any) -> tuple[Any, ...]:
        points = place(*q)
        shape = np.broadcast_shapes(*(np.shape(one) for one in q))
        return tuple(array_module(one).broadcast_to(one, shape) for one in points)

    return build(Plan(Frame(axes, rows, placed), metric, chosen, coordinate, **options))


def _check_map(axes: Sequence[str], rows: Sequence[Row], scale: Callable[..., Any], place: Callable[..., Any]) -> None:
    """Refuse scale factors that are not those of the map, and coordinate lines that are not at right angles."""
    if is_traced(*(row.nodes for row in rows)):
        return
    share = (0.31, 0.57, 0.73)  # of each row: points that no symmetry prefers
    spots = [np.array([np.interp(s * (len(row) - 1), np.arange(len(row)), row.nodes) for s in share]) for row in rows]
    points = [p.reshape(-1) for p in np.meshgrid(*spots, indexing="ij")]
    factors = scale(*points)
    if is_traced(factors, place(*points)):
        return
    slopes = []
    for k, row in enumerate(rows):
        step = 1e-5 * float(np.min(np.diff(row.nodes)))
        ahead, behind = list(points), list(points)
        ahead[k], behind[k] = points[k] + step, points[k] - step
        slopes.append((np.stack(place(*ahead)) - np.stack(place(*behind))) / (2.0 * step))
        length = np.sqrt((slopes[k] ** 2).sum(axis=0))
        wrong = np.abs(length / np.asarray(factors[k]) - 1.0)
        if not np.all(wrong < 1e-4):
            raise ModelError(
                f"The scale factor of {axes[k]} is not that of the map: it differs by a factor of "
                f"{float(np.max(length / np.asarray(factors[k]))):.6g}; h is the length of the derivative of the map."
            )
    for a in range(len(rows)):
        for b in range(a):
            cosine = (slopes[a] * slopes[b]).sum(axis=0) / np.sqrt(
                (slopes[a] ** 2).sum(axis=0) * (slopes[b] ** 2).sum(axis=0)
            )
            if not np.all(np.abs(cosine) < 1e-4):
                raise ModelError(
                    f"The lines of {axes[b]} and {axes[a]} do not cross at right angles; fluxes between two nodes need "
                    "orthogonal coordinates."
                )


def spherical(
    r: Any,
    theta: Any = 31,
    *,
    names: Mapping[str, tuple[str, str]] | None = None,
    regions: Mapping[str, Any] | None = None,
    void: bool = False,
    rest: str = "rest",
    boundaries: Mapping[str, Sequence[Any]] | None = None,
    split: Sequence[str] = (),
    film: Sequence[str] = (),
) -> Space:
    """A grid about a centre, symmetric about an axis: radius and polar angle (0 on the upper axis, pi on the lower).

    Args:
        r: row of radii, m.
        theta: row of angles, radians, or a number of nodes from 0 to pi.

    Positions are (r, z): distance from the axis and height. The boundaries are center (or inner), outer, upper and
    lower: the two halves of the axis, or the cones where theta starts and ends. Other arguments as in `grid`.
    """
    radii = as_row(r, "m", "radii")
    angles = Row(np.linspace(0.0, np.pi, theta)) if isinstance(theta, int) else as_row(theta, "", "angles")
    if not is_traced(radii.nodes) and radii.nodes[0] < 0:
        raise ModelError("A radius cannot be negative; let the row r start at 0 or above.")
    if not is_traced(angles.nodes) and not (angles.nodes[0] >= 0 and angles.nodes[-1] <= np.pi * (1.0 + 1e-12)):
        raise ModelError("The polar angle runs from 0 to pi at most.")

    def place(r: Any, theta: Any) -> tuple[Any, Any]:
        xp = array_module(r, theta)
        return r * xp.sin(theta), r * xp.cos(theta)

    return _built(
        ("r", "theta"),
        (radii, angles),
        spherical_metric(),
        place,
        "r z",
        {"r": ("center" if radii.from_zero else "inner", "outer"), "theta": ("upper", "lower")},
        names or {},
        regions=regions or {},
        rest=None if void else rest,
        boundaries=boundaries or {},
        split=listed(split),
        film=listed(film),
    )


def oblate(
    radius: Any,
    zeta: Any = 31,
    eta: Any = 21,
    *,
    infinite: bool = True,
    boundaries: Mapping[str, Sequence[Any]] | None = None,
) -> Space:
    """The half-space above an inlaid disk in oblate spheroidal coordinates, in which its steady field is straight.

    r = a sqrt(1 + zeta^2) sqrt(1 - eta^2), z = a zeta eta (Moon and Spencer 1961, Field Theory Handbook). The disk is
    zeta = 0, the plane around it eta = 0, the axis eta = 1. Nodes along zeta are kept as s = arctan(zeta), in which the
    way to infinity is finite and the flow to a disk held at one value, 4 D c a, is exact on any grid.

    Args:
        radius: radius of the disk, m.
        zeta: number of nodes, equally spaced in s, or a row of them in zeta from 0 upward.
        eta: number of nodes, equally spaced from 0 to 1, or a row of them.
        infinite: a last node at infinity (beyond the row's last one).
        boundaries: named pieces of the boundaries disk, far, plane, axis; a table names ``s`` and ``eta``.

    Positions are (r, z). The volumes of the cells at infinity are replaced by finite ones.
    """
    a = _positive(si(radius, "m", "radius of the disk"), "radius of the disk")
    if isinstance(zeta, int):
        if not infinite:
            raise ModelError("Without a node at infinity the disk's grid needs a row zeta that tells where it ends.")
        s = Row(np.linspace(0.0, 0.5 * np.pi, zeta), from_zero=True)
    else:
        given = as_row(zeta, "", "nodes of zeta")
        xp = array_module(given.nodes)
        s = xp.arctan(given.nodes)
        s = Row(xp.concatenate([s, xp.array([0.5 * np.pi])]) if infinite else s, given.stretches)
    across = Row(np.linspace(0.0, 1.0, eta)) if isinstance(eta, int) else as_row(eta, "", "nodes of eta")
    if not is_traced(across.nodes) and not (across.nodes[0] == 0.0 and across.nodes[-1] == 1.0):
        raise ModelError("The row eta runs from 0 (the plane) to 1 (the axis).")
    if not is_traced(s.nodes) and s.nodes[0] != 0.0:
        raise ModelError("The row zeta starts at 0, the disk.")

    def place(s: Any, eta: Any) -> tuple[Any, Any]:
        xp = array_module(s, eta, a)
        zeta = xp.tan(s)
        return a * xp.sqrt((1.0 + zeta**2) * (1.0 - eta**2)), a * zeta * eta

    def scale(s: Any, eta: Any) -> tuple[Any, Any, Any]:
        xp = array_module(s, eta, a)
        zeta = xp.tan(s)
        both = a * xp.sqrt(zeta**2 + eta**2)
        return both * xp.sqrt(1.0 + zeta**2), both / xp.sqrt(1.0 - eta**2), place(s, eta)[0]

    return _built(
        ("s", "eta"),
        (s, across),
        Sampled(scale, 2, 2.0 * np.pi),
        place,
        "r z",
        {"s": ("disk", "far"), "eta": ("plane", "axis")},
        {},
        far="far" if infinite else None,
        boundaries=boundaries or {},
    )


def conformal(
    u: Any,
    v: Any,
    function: Callable[[Any], Any],
    *,
    coordinate: str = "x y",
    depth: Any = 1.0,
    names: Mapping[str, tuple[str, str]] | None = None,
    far: str | None = None,
    boundaries: Mapping[str, Sequence[Any]] | None = None,
    regions: Mapping[str, Any] | None = None,
    void: bool = False,
    rest: str = "rest",
    split: Sequence[str] = (),
    film: Sequence[str] = (),
    periodic: Sequence[str] = (),
) -> Space:
    """A grid by an analytic function x + i y = f(u + i v) (with "r z": r + i z): in a plane conduction is undistorted.

    Args:
        u, v: rows of nodes, bare numbers.
        function: f, of complex arrays, in m; its derivative is found by differences.
        others: as in `curvilinear`. Boundaries are u_low, u_high, v_low and v_high unless ``names`` says otherwise.
    """
    rows = {"u": as_row(u, "", "nodes of u"), "v": as_row(v, "", "nodes of v")}
    step = 1e-3 * min(float(np.min(np.diff(row.outline()))) for row in rows.values())

    def slope(u: Any, v: Any) -> Any:
        w = u + 1j * v
        # Sixth order, along the direction in which the map is not folded: analytic functions have one derivative.
        terms = ((0.75, 1), (-0.15, 2), (1.0 / 60.0, 3))
        return sum(c * (function(w + k * step) - function(w - k * step)) for c, k in terms) / step

    def scale(u: Any, v: Any) -> tuple[Any, Any]:
        xp = array_module(u, v)
        h = xp.abs(slope(u, v))
        return h, h

    def place(u: Any, v: Any) -> tuple[Any, Any]:
        xp = array_module(u, v)
        point = function(u + 1j * v)
        return xp.real(point), xp.imag(point)

    return curvilinear(
        rows,
        scale,
        place,
        coordinate=coordinate,
        depth=depth,
        names=names,
        far=far,
        regions=regions,
        void=void,
        rest=rest,
        boundaries=boundaries,
        split=split,
        film=film,
        periodic=periodic,
    )
