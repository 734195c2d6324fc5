"""Rules that choose boxes and faces of a grid: functions of the position, limits, named stretches of rows, balls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from steadyflux.ground.arithmetic import is_traced
from steadyflux.ground.errors import ModelError, NameUnknown
from steadyflux.ground.units import si
from steadyflux.space.rows import Row


class Frame(NamedTuple):
    """The coordinates that rules are given in: names of the axes, their rows, and how points are placed in space."""

    axes: tuple[str, ...]
    rows: tuple[Row, ...]
    place: Callable[..., tuple[Any, ...]] | None
    """Positions of points from their coordinates; None: the coordinates themselves."""

    def placed(self, coordinates: Sequence[Any]) -> tuple[Any, ...]:
        """Positions of points, one array for each axis of the space."""
        return tuple(coordinates) if self.place is None else tuple(self.place(*coordinates))


def holds(frame: Frame, rule: Any, coordinates: Sequence[Any], steps: Sequence[np.ndarray], what: str) -> np.ndarray:
    """Whether a rule holds at points in the middle of boxes or faces; ``steps`` are their numbers along each axis."""
    shape = np.broadcast_shapes(*(np.shape(s) for s in steps))
    if isinstance(rule, Mapping):
        return (
            _in_ball(frame, rule, coordinates, what)
            if "radius" in rule
            else _within(frame, rule, coordinates, steps, what)
        )
    if not callable(rule):
        raise ModelError(
            f"The rule of the {what} is neither a function of the position nor a table such as "
            "{'x': ('1 mm', '2 mm')} or {'center': (0, 0), 'radius': '1 mm'}."
        )
    _check_concrete(coordinates, what)
    found = np.asarray(rule(*(np.asarray(c) for c in frame.placed(coordinates))))
    if found.dtype != bool:
        raise ModelError(f"The rule of the {what} gives {found.dtype}, not true or false.")
    return np.broadcast_to(found, shape)


def _check_concrete(coordinates: Sequence[Any], what: str) -> None:
    if is_traced(*coordinates):
        raise ModelError(
            f"The {what} is chosen by coordinates that are being differentiated; name a stretch of the row instead "
            "(sf.nodes(..., name='disk'), then {'r': 'disk'})."
        )


def _in_ball(frame: Frame, rule: Mapping[str, Any], coordinates: Sequence[Any], what: str) -> np.ndarray:
    _check_concrete(coordinates, what)
    placed = frame.placed(coordinates)
    for key in rule:
        if key not in ("center", "radius"):
            raise NameUnknown(f"key in the rule of the {what}", key, ("center", "radius"))
    middle = si(rule.get("center", [0.0] * len(placed)), "m", f"center of the {what}")
    if np.shape(middle) != (len(placed),):
        raise ModelError(f"The center of the {what} needs {len(placed)} coordinates.")
    square = sum((np.asarray(c) - m) ** 2 for c, m in zip(placed, middle, strict=True))
    return np.asarray(square <= si(rule["radius"], "m", f"radius of the {what}") ** 2)


def _within(
    frame: Frame, rule: Mapping[str, Any], coordinates: Sequence[Any], steps: Sequence[np.ndarray], what: str
) -> np.ndarray:
    """Limits or named stretches along single axes, all of which must hold."""
    inside = np.ones(np.broadcast_shapes(*(np.shape(s) for s in steps)), dtype=bool)
    for axis, wanted in rule.items():
        if axis not in frame.axes:
            raise NameUnknown(f"axis in the rule of the {what}", axis, frame.axes)
        k = frame.axes.index(axis)
        if isinstance(wanted, str):
            stretches = frame.rows[k].stretches
            if wanted not in stretches:
                raise NameUnknown(f"stretch of the row {axis}", wanted, stretches)
            low, high = stretches[wanted]
            inside &= (steps[k] >= low) & (steps[k] < high)
            continue
        if np.ndim(wanted) != 1 or len(wanted) != 2:
            raise ModelError(f"The {what} needs for {axis} two limits, such as {{'{axis}': ('1 mm', '2 mm')}}.")
        _check_concrete(coordinates, what)
        unit = "" if axis == "theta" else "m"
        low, high = (si(one, unit, f"limit of the {what} along {axis}") for one in wanted)
        inside &= (np.asarray(coordinates[k]) >= low) & (np.asarray(coordinates[k]) <= high)
    return inside
