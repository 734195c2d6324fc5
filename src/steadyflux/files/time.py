"""Time in model files: signals where a number stands, the table [time], and the [[event]]s to watch for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import jax.numpy as jnp
import numpy as np

import steadyflux as sf
from steadyflux.files.mistakes import at, kind_of
from steadyflux.files.schema import KeyPath, Maker, Mistake, Number, Text, Value
from steadyflux.ground.errors import InputError, NameUnknown
from steadyflux.ground.units import si
from steadyflux.physics.quantity import KINDS

SIGNALS = {make.__name__: Maker.of(make) for make in (sf.ramp, sf.triangle, sf.pulse, sf.schedule, sf.sine)}

# What the numbers of signals are measured in where it is not the unit of the value itself.
_UNITS: Mapping[str, str | None] = {
    **dict.fromkeys(("duration", "begin", "times", "repeat"), "s"),
    **dict.fromkeys(("phase", "cycles"), ""),
    "frequency": "1/s",
}
MOST_TIMES = 100_000  # asked times; each is a state that is kept


def is_signal_table(value: Any) -> bool:
    """Whether a value of a file is a table that names a signal."""
    return isinstance(value, Mapping) and "signal" in value


def signal_of(table: Mapping[str, Any], path: KeyPath) -> sf.Signal:
    """The signal that a table describes; its values are read where it is used, in the unit that is wanted there."""
    name = table["signal"]
    if not isinstance(name, str) or name not in SIGNALS:
        unknown = NameUnknown("signal", str(name), SIGNALS)
        raise Mistake((*path, "signal"), unknown.problem, unknown.remedy)
    maker = SIGNALS[name]
    fields = maker.check({k: v for k, v in table.items() if k != "signal"}, path, f"the signal {name}")
    with at(path, table):
        for key, value in fields.items():
            if isinstance(value, Mapping) or (isinstance(value, list) and key not in ("times", "values")):
                raise Mistake((*path, key), "is no number", "give a number or a text with its unit")
        for key in ("phase", "cycles"):
            if key in fields:
                fields[key] = si(fields[key], "", f"{key} of the {name}")
        return maker.make(**fields)


def unit_in_signal(key: str, unit: str | None) -> str | None:
    """The SI unit of a number of a signal whose values are in ``unit``; None where it is not known."""
    if key == "rate":
        return None if unit is None else f"{unit or '1'}/s"
    return _UNITS.get(key, unit)


@dataclass(frozen=True)
class Timing:
    """How a run in time is asked for: its end, when to tell the answers, tolerance, and the file it is kept in."""

    until: float
    every: float | None = None
    times: tuple[float, ...] | None = None
    rtol: float = 1e-6
    checkpoint: str | None = None

    def asked(self) -> np.ndarray | None:
        """The asked times, s, from the beginning to the end; None where the steps of the integration will do."""
        if self.times is not None:
            return np.array(self.times)
        if self.every is None:
            return None
        if not self.every > 0:
            raise InputError("the time between two answers must be positive")
        if self.until / self.every > MOST_TIMES:
            raise InputError(
                f"an answer every {self.every:g} s until {self.until:g} s makes more than {MOST_TIMES:,} of them",
                "ask more rarely",
            )
        # A last interval that rounding has made too short is none.
        times = self.every * np.arange(int(np.floor(self.until / self.every * (1.0 - 1e-12))) + 1)
        return np.append(times, self.until)


_TIMING = Maker(
    "time",
    dict,
    {
        "until": (Number, True),
        "every": (Number, False),
        "times": (Value, False),
        "rtol": (Number, False),
        "checkpoint": (Text, False),
    },
)


def timing_of(document: Mapping[str, Any]) -> Timing | None:
    """What the table [time] asks for; None where there is none. A mistake is refused with its path."""
    if "time" not in document:
        return None
    fields = _TIMING.check(document["time"], ("time",), "[time]")
    if "every" in fields and "times" in fields:
        raise Mistake(("time", "times"), "stands beside 'every'", "keep one of them")
    with at(("time",), document["time"]):
        numbers = {key: si(fields[key], "s", key) for key in ("until", "every") if key in fields}
        for key, value in numbers.items():
            if not value > 0:
                raise Mistake(("time", key), f"is {value:g} s", "give a positive time")
        rtol = si(fields.get("rtol", 1e-6), "", "rtol")
        if not 1e-14 <= rtol <= 0.1:
            raise Mistake(("time", "rtol"), f"is {rtol:g}", "give one between 1e-14 and 0.1")
        times = None
        if "times" in fields:
            times = tuple(map(float, np.atleast_1d(si(fields["times"], "s", "times"))))
            if not times or np.any(np.diff(times) <= 0):
                raise Mistake(("time", "times"), "do not increase", "give times in order")
            if times[0] < 0 or times[-1] > numbers["until"]:
                raise Mistake(("time", "times"), "do not lie between 0 and until", "give times of the run")
        checkpoint = fields.get("checkpoint")
        if checkpoint is not None and (PurePath(checkpoint).is_absolute() or ".." in PurePath(checkpoint).parts):
            raise Mistake(("time", "checkpoint"), "leaves the working folder", "give a file in it")
        timing = Timing(rtol=rtol, times=times, checkpoint=checkpoint, **numbers)
        with at(("time", "every"), fields.get("every")):
            timing.asked()
        return timing


# ---- events ----------------------------------------------------------------------------------------------------------

Watch = Callable[[Any], Any]
_QUANTITY = {"quantity": (Text, True)}
_EVENTS: dict[str, tuple[dict[str, tuple[Any, bool]], Callable[[Mapping[str, Any]], Watch]]] = {
    "value": ({**_QUANTITY, "at": (Text, True)}, lambda k: lambda view: view.value(k["quantity"], k["at"])),
    "largest": (_QUANTITY, lambda k: lambda view: jnp.max(view[k["quantity"]])),
    "smallest": (_QUANTITY, lambda k: lambda view: jnp.min(view[k["quantity"]])),
    "total": (_QUANTITY, lambda k: lambda view: view.total(k["quantity"])),
    "flow": ({**_QUANTITY, "through": (Text, True)}, lambda k: lambda view: view.flow(k["quantity"], k["through"])),
    "shared": ({"shared": (Text, True)}, lambda k: lambda view: view[k["shared"]]),
}
_DIRECTIONS = {"rising": 1, "falling": -1, "both": 0}


def events_of(document: Mapping[str, Any], model: sf.Model) -> tuple[sf.Event, ...]:
    """The events to watch for. A mistake is refused with its path."""
    found: list[sf.Event] = []
    for n, table in enumerate(document.get("event", [])):
        path: KeyPath = ("event", n)
        kind = kind_of(_EVENTS, "event", table, path)
        own, watch = _EVENTS[kind]
        common = {"name": (Text, True), "crosses": (Number, True), "direction": (Text, False), "then": (Text, False)}
        maker = Maker(kind, dict, {**common, **own})
        keys = maker.check({k: v for k, v in table.items() if k != "kind"}, path, f"the event {kind}")
        if keys["name"] in [event.name for event in found]:
            raise Mistake((*path, "name"), f"two events are named '{keys['name']}'", "give each its own name")
        for key, known in (("direction", _DIRECTIONS), ("then", ("stop", "note"))):
            if key in keys and keys[key] not in known:
                unknown = NameUnknown(f"{key} of an event", keys[key], known)
                raise Mistake((*path, key), unknown.problem, unknown.remedy)
        with at(path, table):
            for key in ("at", "through"):
                if key in keys:
                    model.space.place(keys[key])
            level = si(keys["crosses"], _unit(kind, keys, model), f"what {keys['name']} crosses")
        direction = _DIRECTIONS[keys.get("direction", "both")]
        found.append(sf.Event(keys["name"], _less(watch(keys), level), keys.get("then", "stop"), direction))
    return tuple(found)


def _less(watch: Watch, level: float) -> Watch:
    return lambda view: watch(view) - level


def _unit(kind: str, keys: Mapping[str, Any], model: sf.Model) -> str:
    """The SI unit of what an event watches."""
    if kind == "shared":
        units = {unknown.name: unknown.unit for unknown in model.shared}
        if keys["shared"] not in units:
            raise NameUnknown("shared unknown", keys["shared"], units)
        return units[keys["shared"]]
    name = keys["quantity"]
    units = KINDS[model.quantity(name).kind]
    return {"total": units.stored, "flow": model.flux_unit(name)}.get(kind, units.state)
