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


def spherical(dimensions: int) -> Separable:
    """Radius and polar angle, the azimuth integrated over the full turn unless it is an axis of its own."""
    scale = ((None,) * 3, (_radius, None, None), (_radius, _sine, None))
    return Separable(scale, dimensions, 2.0 * np.pi if dimensions == 2 else 1.0)
