"""Numbers that change with time, as a user writes them: ramps, triangle waves, pulses, schedules, sines, with units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from steadyflux.ground.arithmetic import is_traced
from steadyflux.ground.errors import InputError
from steadyflux.ground.signal import Schedule, Sine
from steadyflux.ground.units import base, si

__all__ = ["pulse", "ramp", "schedule", "sine", "triangle"]


def schedule(times: Any, values: Sequence[Any] | Any, *, steps: bool = False, repeat: Any = None) -> Schedule:
    """Values (numbers, or texts with units) at increasing times (s, or texts), joined by straight lines.

    With ``steps`` each value holds until the next time. ``repeat`` (s) lets it start again; a table of measured values
    (weather, a duty cycle) is given this way.
    """
    at = np.array([_seconds(t, "a time of the schedule") for t in times])
    listed = list(values)
    if at.ndim != 1 or len(at) < 1 or len(at) != len(listed):
        raise InputError(f"A schedule needs as many values as times; there are {len(listed)} and {len(at)}.")
    if np.any(np.diff(at) <= 0):
        raise InputError("The times of a schedule must increase.")
    again = None if repeat is None else _seconds(repeat, "the time after which the schedule repeats")
    if again is not None and again < at[-1] - at[0]:
        raise InputError("A schedule cannot repeat before its last time is over; give a longer repeat.")
    return Schedule(at, listed, steps, again)


def ramp(start: Any, end: Any, duration: Any, *, begin: Any = 0.0) -> Schedule:
    """From ``start`` to ``end`` along a straight line within ``duration`` (s), beginning at the time ``begin``."""
    first, length = _seconds(begin, "begin of the ramp"), _seconds(duration, "duration of the ramp")
    if not length > 0:
        raise InputError("The duration of a ramp must be positive; for a jump use a pulse or a schedule with steps.")
    return schedule([first, first + length], [start, end])


def triangle(start: Any, turn: Any, rate: Any, *, cycles: float = 1) -> Schedule:
    """A triangle wave from ``start`` to ``turn`` and back at ``rate`` (its unit per second), as in cyclic voltammetry.

    ``cycles`` = 1 is once forth and back, 0.5 the way forth alone (linear sweep); the wave begins at time zero.
    """
    span, speed = abs(_base(turn) - _base(start)), abs(_base(rate))
    if not (span > 0 and speed > 0 and cycles > 0):
        raise InputError("A triangle wave needs two different ends, a rate and a positive number of cycles.")
    legs = round(2 * cycles)
    if abs(legs - 2 * cycles) > 1e-9:
        raise InputError("The number of cycles of a triangle wave is a multiple of one half.")
    return schedule(
        [leg * span / speed for leg in range(legs + 1)], [(start, turn)[leg % 2] for leg in range(legs + 1)]
    )


def pulse(rest: Any, during: Any, *, begin: Any, duration: Any, repeat: Any = None) -> Schedule:
    """``rest``, but ``during`` from the time ``begin`` for ``duration`` (s); with ``repeat`` (s) again and again."""
    first, length = _seconds(begin, "begin of the pulse"), _seconds(duration, "duration of the pulse")
    if not length > 0:
        raise InputError("The duration of a pulse must be positive.")
    if repeat is None:
        times = [first - 1.0 if first <= 0 else 0.0, first, first + length]
        return schedule(times, [rest, during, rest], steps=True)
    return schedule([first, first + length], [during, rest], steps=True, repeat=repeat)


def sine(mean: Any, amplitude: Any, frequency: Any, *, phase: float = 0.0) -> Sine:
    """mean + amplitude sin(2 pi frequency t + phase); ``frequency`` in Hz, ``phase`` in radians."""
    return Sine(mean, amplitude, si(frequency, "1/s", "frequency of the sine"), phase)


def _seconds(value: Any, what: str) -> float:
    return float(si(value, "s", what))


def _base(value: Any) -> float:
    """A number in SI base units, whatever it measures."""
    if is_traced(value):
        raise InputError(
            "The ends and the rate of a triangle wave must be plain numbers; derive by a schedule's values."
        )
    return float(base(value))
