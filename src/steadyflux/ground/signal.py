"""Numbers that change with time: ramps, triangle waves, pulses, schedules, sines and functions of the time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from steadyflux.ground.arithmetic import array_module, is_traced
from steadyflux.ground.errors import InputError

__all__ = ["Signal", "at_time", "is_signal", "pulse", "ramp", "schedule", "signal", "sine", "triangle"]


class Signal(eqx.Module):
    """A number that changes with time; it may stand wherever a model takes a number.

    ``at(t)`` is its value at the time t (s). ``breaks`` are the times at which it jumps or bends: an integration stops
    and starts anew there, so that no step goes across.
    """

    def at(self, time: Any) -> Any:
        """The value at a time, s."""
        raise TypeError(f"{type(self).__name__} must define at(time).")

    @property
    def breaks(self) -> tuple[float, ...]:
        """Times of jumps and bends, s, within one period where it repeats."""
        return ()

    @property
    def period(self) -> float | None:
        """Time after which it repeats, s, if it does."""
        return None

    @property
    def rests_after(self) -> float:
        """Time after which it no longer changes, s."""
        return float("inf")

    @property
    def extremes(self) -> Any:
        """Values between which all others lie, as far as that can be told without following it."""
        return self.at(0.0)

    def converted(self, read: Callable[[Any], Any]) -> Signal:
        """The same signal with its values read (a text with its unit becomes a number)."""
        raise TypeError(f"{type(self).__name__} must define converted(read).")

    def __truediv__(self, number: Any) -> Signal:
        return self.converted(lambda value: value / number)

    def __mul__(self, number: Any) -> Signal:
        return self.converted(lambda value: value * number)

    __rmul__ = __mul__


class Schedule(Signal):
    """Values at given times, joined by lines or held until the next one; constant before and after, or repeating."""

    times: Any
    values: Any
    steps: bool = eqx.field(static=True, default=False)
    repeat: float | None = eqx.field(static=True, default=None)

    def at(self, time: Any) -> Any:
        """The value at a time, s; at a jump the value that holds from then on."""
        xp = array_module(time, self.times, self.values)
        times, values = xp.asarray(self.times, dtype=float), xp.asarray(self.values, dtype=float)
        if self.repeat is not None:
            time = times[0] + xp.mod(time - times[0], self.repeat)
        if not self.steps:
            return xp.interp(time, times, values)
        number = xp.searchsorted(times, time, side="right") - 1
        return values[xp.clip(number, 0, values.shape[0] - 1)]

    @property
    def breaks(self) -> tuple[float, ...]:
        """The times given."""
        return tuple(float(t) for t in np.asarray(self.times))

    @property
    def period(self) -> float | None:
        """Time after which the schedule repeats, s."""
        return self.repeat

    @property
    def rests_after(self) -> float:
        """The last time given, unless the schedule repeats, s."""
        return float("inf") if self.repeat is not None else float(np.asarray(self.times)[-1])

    @property
    def extremes(self) -> Any:
        """The values given."""
        return self.values

    def converted(self, read: Callable[[Any], Any]) -> Schedule:
        """The schedule with its values read."""
        values = [read(value) for value in self.values]
        xp = array_module(*values)
        return Schedule(self.times, xp.stack([xp.asarray(v, dtype=float) for v in values]), self.steps, self.repeat)


class Sine(Signal):
    """mean + amplitude * sin(2 pi frequency t + phase)."""

    mean: Any
    amplitude: Any
    frequency: Any
    phase: Any = 0.0

    def at(self, time: Any) -> Any:
        """The value at a time, s."""
        xp = array_module(time, self.mean, self.amplitude, self.frequency, self.phase)
        return self.mean + self.amplitude * xp.sin(2.0 * np.pi * self.frequency * time + self.phase)

    @property
    def extremes(self) -> Any:
        """Crest and trough."""
        xp = array_module(self.mean, self.amplitude)
        return xp.stack([xp.asarray(self.mean + self.amplitude), xp.asarray(self.mean - self.amplitude)])

    def converted(self, read: Callable[[Any], Any]) -> Sine:
        """The sine with its mean and amplitude read."""
        return Sine(read(self.mean), read(self.amplitude), self.frequency, self.phase)


class Function(Signal):
    """factor * function(t), for a function that JAX can trace, with the times of its kinks."""

    function: Callable[[Any], Any] = eqx.field(static=True)
    kinks: tuple[float, ...] = eqx.field(static=True, default=())
    factor: Any = 1.0

    def at(self, time: Any) -> Any:
        """The value at a time, s."""
        return self.factor * self.function(time)

    @property
    def breaks(self) -> tuple[float, ...]:
        """Times of the kinks."""
        return self.kinks

    def converted(self, read: Callable[[Any], Any]) -> Function:
        """The function's values are taken as SI; a factor of unit conversion stays with them."""
        return Function(self.function, self.kinks, read(self.factor))


class Spread(Signal):
    """A signal that has the same value in many cells."""

    one: Signal
    count: int = eqx.field(static=True)

    def at(self, time: Any) -> Any:
        """The value in every cell, (cell,)."""
        value = self.one.at(time)
        return array_module(value).full(self.count, value)

    @property
    def breaks(self) -> tuple[float, ...]:
        """Those of the signal that is spread."""
        return self.one.breaks

    @property
    def period(self) -> float | None:
        """That of the signal that is spread."""
        return self.one.period

    @property
    def rests_after(self) -> float:
        """That of the signal that is spread."""
        return self.one.rests_after

    @property
    def extremes(self) -> Any:
        """Those of the signal that is spread."""
        return self.one.extremes

    def converted(self, read: Callable[[Any], Any]) -> Spread:
        """The same with its values read."""
        return Spread(self.one.converted(read), self.count)


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
    from steadyflux.ground.units import si

    return Sine(mean, amplitude, si(frequency, "1/s", "frequency of the sine"), phase)


def signal(function: Callable[[Any], Any], *, breaks: Sequence[float] = ()) -> Function:
    """A function of the time (s) that gives SI values and that JAX can trace; ``breaks`` are the times of its kinks."""
    return Function(function, tuple(float(t) for t in breaks))


def is_signal(value: Any) -> bool:
    """Whether a value is a signal."""
    return isinstance(value, Signal)


def at_time(record: Any, time: Any) -> Any:
    """A record with every signal in it replaced by its value at a time, s."""
    return jax.tree.map(lambda x: jnp.asarray(x.at(time)) if is_signal(x) else x, record, is_leaf=is_signal)


def signals_of(record: Any) -> list[Signal]:
    """All signals in a record."""
    return [leaf for leaf in jax.tree.leaves(record, is_leaf=is_signal) if is_signal(leaf)]


def now(value: Any) -> Any:
    """A number as it is at time zero."""
    return value.at(0.0) if is_signal(value) else value


def extremes(value: Any) -> Any:
    """A number, or the values between which a signal stays: what a check of its sign looks at."""
    return value.extremes if is_signal(value) else value


def largest(value: Any) -> float:
    """Largest magnitude that a number, an array or a signal takes."""
    while isinstance(value, Spread):
        value = value.one
    if isinstance(value, Schedule):
        value = value.values
    elif isinstance(value, Sine):
        value = np.abs(np.asarray(value.mean)) + np.abs(np.asarray(value.amplitude))
    return float(np.max(np.abs(np.asarray(now(value), dtype=float)), initial=0.0))


def rests_after(record: Any) -> float:
    """Time after which no signal in a record changes any more, s."""
    return max((one.rests_after for one in signals_of(record)), default=float("-inf"))


def breaks_between(record: Any, start: float, end: float) -> list[float]:
    """Times between ``start`` and ``end`` at which a signal in the record jumps or bends, in order.

    Times that differ by rounding alone, from each other or from the ends, count once.
    """
    found: set[float] = set()
    for one in signals_of(record):
        own = np.asarray(one.breaks, dtype=float)
        if own.size == 0:
            continue
        if one.period is not None:
            first = np.floor((start - own[0]) / one.period) - 1
            laps = np.arange(first, np.ceil((end - own[0]) / one.period) + 2)
            if laps.size * own.size > 1_000_000:
                raise InputError("A signal repeats more than a million times within the run; give a shorter run.")
            own = (own[None, :] + laps[:, None] * one.period).ravel()
        found |= {float(t) for t in own if start < t < end}
    same = 1e-12 * max(abs(start), abs(end))
    kept = [start]
    for t in sorted(found):
        if t - kept[-1] > same and end - t > same:
            kept.append(t)
    return kept[1:]


def _seconds(value: Any, what: str) -> float:
    from steadyflux.ground.units import si

    return float(si(value, "s", what))


def _base(value: Any) -> float:
    """A number in SI base units, whatever it measures."""
    from steadyflux.ground.units import base

    if is_traced(value):
        raise InputError(
            "The ends and the rate of a triangle wave must be plain numbers; derive by a schedule's values."
        )
    return float(base(value))
