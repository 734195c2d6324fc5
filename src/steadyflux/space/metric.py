"""Orthogonal coordinates: lengths, volumes, faces and exact conductors of a tensor grid from its scale factors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from steadyflux.ground.arithmetic import array_module
from steadyflux.ground.errors import ModelError

Factor = Callable[[Any], Any] | None
"""One factor of a scale factor, a function of one coordinate; None is one."""


def _gauss(count: int) -> tuple[np.ndarray, np.ndarray]:
    point, weight = np.polynomial.legendre.leggauss(count)
    return 0.5 * (point + 1.0), 0.5 * weight


_FINE, _FINE_WEIGHT = _gauss(12)  # along one axis, where it costs nothing
_COARSE, _COARSE_WEIGHT = _gauss(5)  # in every box of a grid


class Halves(NamedTuple):
    """Nodes of each axis and, between them, the faces of their cells: each step falls into two halves."""

    nodes: tuple[Any, ...]
    faces: tuple[Any, ...]

    def bounds(self, axis: int) -> tuple[Any, Any]:
        """Lower and upper ends of the half steps of an axis, (2 steps,)."""
        x, f = self.nodes[axis], self.faces[axis]
        xp = array_module(x, f)
        low = xp.stack([x[:-1], f], axis=1).reshape(-1)
        return low, xp.stack([f, x[1:]], axis=1).reshape(-1)


class Metric:
    """Scale factors of orthogonal coordinates (q1, q2[, q3]); a coordinate left out has a fixed ``extent``."""

    def __init__(self, dimensions: int, extent: Any) -> None:
        self.dimensions = dimensions
        self.extent = extent

    def faces(self, nodes: Sequence[Any]) -> tuple[Any, ...]:
        """Where the faces between neighbouring nodes stand on each axis."""
        return tuple(0.5 * (x[1:] + x[:-1]) for x in nodes)

    def volumes(self, halves: Halves) -> Any:
        """Volume of each half box, (2 steps, 2 steps, ...)."""
        raise TypeError(f"{type(self).__name__} must define volumes.")

    def conductors(self, halves: Halves, axis: int) -> Any:
        """Conductor of a unit coefficient along each step of an axis through each half face across it."""
        raise TypeError(f"{type(self).__name__} must define conductors.")

    def areas(self, halves: Halves, axis: int) -> Any:
        """Area of each half face at each node of an axis, (node, 2 steps, ...) with the node's axis in its place."""
        raise TypeError(f"{type(self).__name__} must define areas.")

    def lengths(self, halves: Halves, axis: int) -> Any:
        """Length of each step of an axis at the nodes of the others."""
        raise TypeError(f"{type(self).__name__} must define lengths.")


class Separable(Metric):
    """Coordinates whose scale factors are products of functions of one coordinate each.

    ``scale[i][k]`` is the factor of h_i that depends on q_k; a hidden third coordinate of constant ``extent`` has its
    row in ``scale`` too. Volumes and conductors are then products of integrals along single axes.

    The face between two nodes stands where steady conduction with a uniform source is exact along that axis: the volume
    up to it is the mean of the volume passed, weighted with the resistance of the way. On a straight axis that is the
    middle, on a radius r^2 is the logarithmic mean of the squares.
    """

    def __init__(self, scale: Sequence[Sequence[Factor]], dimensions: int, extent: Any = 1.0) -> None:
        super().__init__(dimensions, extent)
        self.scale = scale

    def _product(self, axes: Sequence[int], coordinate: int, x: Any) -> Any:
        value = 1.0 + 0.0 * x
        for i in axes:
            factor = self.scale[i][coordinate]
            value = value if factor is None else value * factor(x)
        return value

    def _integral(self, axes: Sequence[int], coordinate: int, low: Any, high: Any) -> Any:
        points = low[:, None] + (high - low)[:, None] * _FINE
        return (high - low) * (self._product(axes, coordinate, points) @ _FINE_WEIGHT)

    def _others(self, axis: int) -> list[int]:
        return [i for i in range(len(self.scale)) if i != axis]

    def _crossing(self, axis: int, coordinate: int, x: Any) -> Any:
        """The part of h_j h_k / h_i that depends on one coordinate, for a flux along axis i."""
        return self._product(self._others(axis), coordinate, x) / self._product([axis], coordinate, x)

    def faces(self, nodes: Sequence[Any]) -> tuple[Any, ...]:
        """Where the faces between neighbouring nodes stand on each axis."""
        return tuple(self._faces_of(axis, x) for axis, x in enumerate(nodes))

    def _faces_of(self, axis: int, x: Any) -> Any:
        middle = 0.5 * (x[1:] + x[:-1])
        everything = range(len(self.scale))
        if all(self.scale[i][axis] is None for i in everything):
            return middle
        xp = array_module(x)
        low, step = x[:-1], x[1:] - x[:-1]
        points = low[:, None] + step[:, None] * _FINE
        passed = self._integral(everything, axis, xp.repeat(low, len(_FINE)), points.reshape(-1)).reshape(points.shape)
        weight = _FINE_WEIGHT / self._crossing(axis, axis, points)
        target = (passed * weight).sum(axis=1) / weight.sum(axis=1)
        face = middle
        for _ in range(4):  # Newton's method on a smooth, nearly straight function
            density = self._product(everything, axis, face)
            face = face - (self._integral(everything, axis, low, face) - target) / density
        return xp.where(self._ends_vanish(axis, x), middle, face)

    def _ends_vanish(self, axis: int, x: Any) -> Any:
        """Whether the crossing vanishes at an end of each step: at a centre, an axis, a pole."""
        xp = array_module(x)
        with np.errstate(divide="ignore", invalid="ignore"):
            at_nodes = self._crossing(axis, axis, x)
        middle = self._crossing(axis, axis, 0.5 * (x[1:] + x[:-1]))
        least = xp.minimum(at_nodes[1:], at_nodes[:-1])
        return ~(least > 1e-9 * middle)

    def _along(self, axis: int, x: Any) -> Any:
        """1 / integral of dq / crossing over each step.

        Where the crossing vanishes at an end that integral diverges, yet the flux vanishes there too: the crossing
        half-way is then the consistent choice.
        """
        xp = array_module(x)
        step = x[1:] - x[:-1]
        points = x[:-1, None] + step[:, None] * _FINE
        exact = 1.0 / (step * ((1.0 / self._crossing(axis, axis, points)) @ _FINE_WEIGHT))
        centre = self._crossing(axis, axis, 0.5 * (x[1:] + x[:-1])) / step
        return xp.where(self._ends_vanish(axis, x), centre, exact)

    def volumes(self, halves: Halves) -> Any:
        """Volume of each half box, (2 steps, 2 steps, ...)."""
        everything = range(len(self.scale))
        parts = [self._integral(everything, k, *halves.bounds(k)) for k in range(self.dimensions)]
        return self.extent * _outer(parts)

    def conductors(self, halves: Halves, axis: int) -> Any:
        """Conductor of a unit coefficient along each step of an axis through each half face across it."""
        parts = []
        for k in range(self.dimensions):
            if k == axis:
                parts.append(self._along(axis, halves.nodes[axis]))
                continue
            low, high = halves.bounds(k)
            points = low[:, None] + (high - low)[:, None] * _FINE
            parts.append((high - low) * (self._crossing(axis, k, points) @ _FINE_WEIGHT))
        return self.extent * _outer(parts)

    def areas(self, halves: Halves, axis: int) -> Any:
        """Area of each half face at each node of an axis."""
        others = self._others(axis)
        parts = [
            self._product(others, k, halves.nodes[k]) if k == axis else self._integral(others, k, *halves.bounds(k))
            for k in range(self.dimensions)
        ]
        return self.extent * _outer(parts)

    def lengths(self, halves: Halves, axis: int) -> Any:
        """Length of each step of an axis at the nodes of the others."""
        parts = []
        for k in range(self.dimensions):
            x = halves.nodes[k]
            parts.append(self._integral([axis], k, x[:-1], x[1:]) if k == axis else self._product([axis], k, x))
        return _outer(parts)


def _outer(parts: Sequence[Any]) -> Any:
    """The outer product of arrays of one axis each."""
    total = parts[0]
    for part in parts[1:]:
        total = total[..., None] * part
    return total


def _radius(r: Any) -> Any:
    return r


def _sine(angle: Any) -> Any:
    return array_module(angle).sin(angle)


def separable(axes: tuple[str, ...], depth: Any) -> Separable:
    """The ready coordinate systems of `grid`: x y, x y z, r z, r theta, r theta z."""
    one = (None, None, None)
    if axes == ("x", "y"):
        return Separable((one, one, one), 2, depth)
    if axes == ("x", "y", "z"):
        return Separable((one, one, one), 3)
    if axes == ("r", "z"):
        return Separable((one, one, (_radius, None, None)), 2, 2.0 * np.pi)
    if axes == ("r", "theta"):
        return Separable((one, (_radius, None, None), one), 2, depth)
    if axes == ("r", "theta", "z"):
        return Separable((one, (_radius, None, None), one), 3)
    raise ModelError(
        f"There is no grid with the axes {', '.join(axes)}; use x y, x y z, r z, r theta or r theta z, "
        "or sf.curvilinear for coordinates of your own."
    )


def spherical() -> Separable:
    """Radius and polar angle, the azimuth integrated over the full turn."""
    return Separable(((None,) * 3, (_radius, None, None), (_radius, _sine, None)), 2, 2.0 * np.pi)


class Sampled(Metric):
    """Coordinates whose scale factors are any functions of the coordinates, integrated by Gauss-Legendre.

    ``scale(q1, q2[, q3])`` gives h1, h2, h3 (h3 of the hidden coordinate in two dimensions). The conductor along a step
    is that of a flux which stays constant along it: exact where h_j h_k / h_i is a function along the step times one
    across it.
    """

    def __init__(self, scale: Callable[..., Sequence[Any]], dimensions: int, extent: Any = 1.0) -> None:
        super().__init__(dimensions, extent)
        self.scale = scale

    def _sample(self, parts: Sequence[Any]) -> tuple[Any, ...]:
        """Scale factors at the products of points on each axis; a part is (place, point) or, at nodes, (place,)."""
        count = sum(np.ndim(p) for p in parts)
        points, at = [], 0
        for part in parts:
            shape = [1] * count
            shape[at : at + np.ndim(part)] = np.shape(part)
            points.append(part.reshape(shape))
            at += np.ndim(part)
        with np.errstate(divide="ignore", invalid="ignore"):
            factors = self.scale(*points)
        xp = array_module(points, factors)
        return tuple(xp.broadcast_to(h, np.broadcast_shapes(*(np.shape(p) for p in points))) for h in factors)

    @staticmethod
    def _spread(low: Any, high: Any, points: np.ndarray = _COARSE) -> Any:
        return low[:, None] + (high - low)[:, None] * points

    @staticmethod
    def _sum(values: Any, parts: Sequence[Any], widths: Sequence[Any]) -> Any:
        """Integrate over the points of every axis that has some."""
        for at, (part, width) in enumerate(zip(parts, widths, strict=True)):
            if np.ndim(part) == 2:
                weight = _FINE_WEIGHT if np.shape(part)[1] == len(_FINE) else _COARSE_WEIGHT
                values = array_module(values).moveaxis(values, at + 1, -1) @ weight
                shape = [1] * np.ndim(values)
                shape[at] = -1
                values = values * width.reshape(shape)
        return values

    def _crossing(self, axis: int, parts: Sequence[Any]) -> Any:
        """h_j h_k / h_i at points; where a scale factor is infinite the flux through there vanishes."""
        h = self._sample(parts)
        xp = array_module(*h)
        one, other = (h[i] for i in range(3) if i != axis)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = one * other / h[axis]
        return xp.where(xp.isfinite(ratio), ratio, 0.0)

    def volumes(self, halves: Halves) -> Any:
        """Volume of each half box, (2 steps, 2 steps, ...)."""
        bounds = [halves.bounds(k) for k in range(self.dimensions)]
        rows = []
        for first in np.array_split(np.arange(len(bounds[0][0])), self._portions(halves)):
            ends = [(bounds[0][0][first], bounds[0][1][first]), *bounds[1:]]
            parts = [self._spread(*pair) for pair in ends]
            h = self._sample(parts)
            rows.append(self._sum(h[0] * h[1] * h[2], parts, [high - low for low, high in ends]))
        return self.extent * array_module(rows).concatenate(rows)

    def _portions(self, halves: Halves) -> int:
        """Into how many parts the work is cut so that each fits into memory."""
        points = np.prod([2.0 * len(_FINE) * (np.shape(x)[0] - 1) for x in halves.nodes])
        return int(min(max(np.ceil(points / 2e7), 1), np.shape(halves.nodes[0])[0] - 1))

    def conductors(self, halves: Halves, axis: int) -> Any:
        """Conductor of a unit coefficient along each step of an axis through each half face across it."""
        others = [k for k in range(self.dimensions) if k != axis]
        x = halves.nodes[axis]
        bounds = {k: halves.bounds(k) for k in others}
        rows = []
        for first in np.array_split(np.arange(np.shape(x)[0] - 1), self._portions(halves)):
            low, high = x[first], x[first + 1]

            def parts_with(along: Any) -> list[Any]:
                return [along if k == axis else self._spread(*bounds[k]) for k in range(self.dimensions)]

            def ways(along: Any) -> Any:
                values = self._crossing(axis, parts_with(along))
                return array_module(values).moveaxis(values, 2 * axis, 0)

            step = high - low
            inner = self._crossing(axis, parts_with(self._spread(low, high, _FINE)))
            xp = array_module(inner)
            inner = xp.moveaxis(inner, (2 * axis, 2 * axis + 1), (0, 1))
            with np.errstate(divide="ignore"):
                weights = _FINE_WEIGHT.reshape((1, -1) + (1,) * (np.ndim(inner) - 2))
                resistance = (weights / inner).sum(axis=1)
            middle = ways(0.5 * (low + high))
            vanishes = ~(xp.minimum(ways(low), ways(high)) > 1e-9 * middle)
            column = (-1,) + (1,) * (np.ndim(middle) - 1)
            way = xp.where(vanishes, middle, 1.0 / resistance) / step.reshape(column)
            way = xp.moveaxis(way, 0, 2 * axis)
            widths = [step if k == axis else bounds[k][1] - bounds[k][0] for k in range(self.dimensions)]
            rows.append(self._sum(way, parts_with(low), widths))
        return self.extent * array_module(rows).concatenate(rows, axis=axis)

    def areas(self, halves: Halves, axis: int) -> Any:
        """Area of each half face at each node of an axis."""
        bounds = [halves.bounds(k) for k in range(self.dimensions)]
        parts = [halves.nodes[k] if k == axis else self._spread(*bounds[k]) for k in range(self.dimensions)]
        h = self._sample(parts)
        one, other = (h[i] for i in range(3) if i != axis)
        widths = [high - low for low, high in bounds]
        return self.extent * self._sum(one * other, parts, widths)

    def lengths(self, halves: Halves, axis: int) -> Any:
        """Length of each step of an axis at the nodes of the others."""
        x = halves.nodes
        low, high = x[axis][:-1], x[axis][1:]
        parts = [self._spread(low, high, _FINE) if k == axis else x[k] for k in range(self.dimensions)]
        return self._sum(self._sample(parts)[axis], parts, [high - low] * self.dimensions)
