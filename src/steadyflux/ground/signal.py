"""Numbers that change with time: ramps, triangle waves, pulses, schedules, sines and functions of the time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from steadyflux.ground.arithmetic import array_module
from steadyflux.ground.errors import InputError

__all__ = ["Signal", "at_time", "is_signal", "signal"]


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
