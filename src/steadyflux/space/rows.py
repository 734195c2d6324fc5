"""Rows of nodes along one axis of a grid: uniform, graded toward ends or inner points, and pieces put end to end."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from steadyflux.ground.arithmetic import array_module, is_traced
from steadyflux.ground.errors import ModelError
from steadyflux.ground.units import si
from steadyflux.space.interval import _fractions, _positive

_MOST = 1_000_000  # nodes of one row


class Row:
    """Nodes along one axis, (node,), increasing, with named stretches of it; ``first + second`` puts two end to end.

    The second row is moved so that it begins where the first ends; its own start is forgotten.
    """

    def __init__(
        self, nodes: Any, stretches: Mapping[str, tuple[int, int]] | None = None, *, from_zero: bool = False
    ) -> None:
        if np.ndim(nodes) != 1 or np.shape(nodes)[0] < 2:
            raise ModelError("A row of nodes needs at least two of them.")
        if not is_traced(nodes) and not (np.all(np.isfinite(nodes)) and np.all(np.diff(nodes) > 0)):
            raise ModelError("The nodes of a row must be finite and increase.")
        self.nodes = nodes
        self.stretches = dict(stretches or {})
        self.from_zero = from_zero if is_traced(nodes) else bool(nodes[0] == 0.0)
        """Whether the row starts at zero, which the nodes do not tell while they are being differentiated."""

    def outline(self) -> np.ndarray:
        """The nodes; while they are being differentiated, some that lie the same way about zero."""
        if is_traced(self.nodes):
            return np.linspace(0.0, 1.0, len(self)) + (0.0 if self.from_zero else 1.0)
        return np.asarray(self.nodes)

    def __len__(self) -> int:
        return int(np.shape(self.nodes)[0])

    def __add__(self, other: Row) -> Row:
        if not isinstance(other, Row):
            return NotImplemented
        xp = array_module(self.nodes, other.nodes)
        for name in other.stretches:
            if name in self.stretches:
                raise ModelError(f"Two stretches of a row are called '{name}'; give each its own name.")
        moved = {name: (a + len(self) - 1, b + len(self) - 1) for name, (a, b) in other.stretches.items()}
        shift = self.nodes[-1] - other.nodes[0]
        joined = xp.concatenate([self.nodes, other.nodes[1:] + shift])
        return Row(joined, {**self.stretches, **moved}, from_zero=self.from_zero)

    def __repr__(self) -> str:
        ends = "" if is_traced(self.nodes) else f" from {self.nodes[0]:g} to {self.nodes[-1]:g}"
        return f"Row({len(self)} nodes{ends})"


def nodes(
    length: Any,
    count: int | None = None,
    *,
    start: Any = 0.0,
    grading: str | None = None,
    ratio: float = 1.0,
    toward: Mapping[Any, Any] | None = None,
    growth: float = 1.3,
    largest: Any = None,
    unit: str = "m",
    name: str | None = None,
) -> Row:
    """A row of nodes along one axis of a grid, both ends included.

    Args:
        length: length of the row, m (or in ``unit``).
        count: number of nodes, at least 2; left out with ``toward``.
        start: coordinate of the first node.
        grading: ``left``, ``right`` or ``both``: where the steps are finest; they grow geometrically.
        ratio: largest step over smallest step when graded.
        toward: smallest step at given coordinates, ``{"5 um": "1 nm"}``: a node falls on each (ends included), and the
            steps grow from there by the factor ``growth`` from one to the next.
        largest: largest step allowed, with ``toward``.
        unit: unit of the coordinate: "m", or "" for an angle in radians.
        name: name of this stretch, to be used in ``regions`` and ``boundaries`` of a grid.

    Several rows are put end to end by ``+``, so that nodes fall exactly on the joints:
    ``nodes("5 um", 21, name="disk") + nodes("1 mm", 61, grading="left", ratio=300)``.
    """
    size = _positive(si(length, unit, "length of a row"), "length of a row")
    begin = si(start, unit, "start of a row")
    if toward is None:
        if count is None:
            raise ModelError("A row of nodes needs their number (count) or points to be refined toward (toward).")
        x = begin + size * _fractions(count, grading, ratio)
    else:
        if count is not None or grading is not None:
            raise ModelError("A row refined toward points finds its own number of nodes; leave out count and grading.")
        if is_traced(size, begin):
            raise ModelError("A row refined toward points has a number of nodes that depends on its length; give that.")
        points = {si(p, unit, "point of refinement"): si(h, unit, "smallest step") for p, h in toward.items()}
        most = np.inf if largest is None else _positive(si(largest, unit, "largest step"), "largest step")
        x = _refined(float(begin), float(begin + size), points, float(growth), float(most))
    stretches = {} if name is None else {name: (0, int(np.shape(x)[0]) - 1)}
    return Row(x, stretches, from_zero=not is_traced(begin) and float(begin) == 0.0)


def as_row(given: Any, unit: str, what: str) -> Row:
    """A row as it stands, an array of nodes, or a list of numbers or texts with units."""
    if isinstance(given, Row):
        return given
    return Row(si(given, unit, what))


def _refined(begin: float, end: float, points: Mapping[float, float], growth: float, largest: float) -> np.ndarray:
    """Nodes whose steps grow from the smallest at given points: equal parts of the integral of dx / step(x)."""
    if not 1.0 < growth <= 10.0:
        raise ModelError(f"The growth from step to step must lie above 1 and up to 10, not {growth:g}.")
    for p, h in points.items():
        if not begin <= p <= end:
            raise ModelError(f"The point of refinement {p:g} lies outside the row from {begin:g} to {end:g}.")
        if not h > 0:
            raise ModelError(f"The smallest step at {p:g} must be positive, not {h:g}.")
    rate = np.log(growth)
    knots = sorted({begin, end, *points})
    pieces = [np.array([begin])]
    for a, b in pairwise(knots):
        # Continuous step sizes that make the first discrete step h: h ln(growth) / (growth - 1).
        near, far = (points[p] * rate / (growth - 1.0) if p in points else np.inf for p in (a, b))
        pieces.append(_graded_piece(a, b, near, far, largest, rate))
    x = np.concatenate(pieces)
    return x


def _graded_piece(a: float, b: float, near: float, far: float, largest: float, rate: float) -> np.ndarray:
    """Nodes in (a, b] with step size min(near + rate (x - a), far + rate (b - x), largest)."""
    if not np.isfinite(min(near, far, largest)):
        return np.array([b])
    length = b - a
    # Corners of the step size: where the two slopes meet, or where each reaches the largest step.
    cap = min(largest, near + rate * length, far + rate * length)
    cap = min(cap, 0.5 * (near + far + rate * length)) if np.isfinite(near + far) else cap
    rise = max(0.0, (cap - near) / rate) if np.isfinite(near) else 0.0
    fall = max(0.0, (cap - far) / rate) if np.isfinite(far) else 0.0
    first, last = min(near, cap), min(far, cap)
    level = max(length - rise - fall, 0.0)
    up, flat, down = np.log(cap / first) / rate, level / cap, np.log(cap / last) / rate
    count = max(1, int(np.ceil((up + flat + down) * (1.0 - 1e-9))))
    if count > _MOST:
        raise ModelError(f"The refinement asks for {count:,} nodes in one row; ask for larger steps.")
    t = (up + flat + down) * np.arange(1, count + 1) / count
    x = np.where(
        t <= up,
        a + first * np.expm1(rate * np.minimum(t, up)) / rate,
        np.where(
            t <= up + flat,
            a + rise + (t - up) * cap,
            b - last * np.expm1(rate * np.clip(up + flat + down - t, 0.0, down)) / rate,
        ),
    )
    x[-1] = b
    return x
