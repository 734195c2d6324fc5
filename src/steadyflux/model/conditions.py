"""What happens at a boundary: held, fed, exchanging through a law with a reservoir, floating, or sealed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import equinox as eqx

from steadyflux.ground.errors import ModelError, UnitError
from steadyflux.ground.signal import is_signal
from steadyflux.ground.units import si
from steadyflux.physics.flow import Transfer
from steadyflux.physics.law import EdgeLaw
from steadyflux.physics.quantity import KINDS, Quantity
from steadyflux.space.space import Place


@dataclass(frozen=True)
class SharedRef:
    """A shared unknown used as a value, times a factor."""

    name: str
    factor: float = 1.0

    def __mul__(self, factor: float) -> SharedRef:
        return SharedRef(self.name, self.factor * factor)

    __rmul__ = __mul__

    def __neg__(self) -> SharedRef:
        return SharedRef(self.name, -self.factor)


def shared(name: str) -> SharedRef:
    """The shared unknown ``name`` as a value in `Hold` or `Influx`; it may be multiplied by a number."""
    return SharedRef(name)


@dataclass(frozen=True)
class Condition:
    """A condition at one place. Use `Hold`, `Influx`, `Exchange`, `Float` or `Sealed`."""

    place: str

    def quantities(self) -> tuple[str, ...]:
        """Names of the quantities that the condition determines."""
        raise TypeError("Use Hold, Influx, Exchange, Float or Sealed.")


@dataclass(frozen=True)
class Hold(Condition):
    """The state is held at a place: ``Hold("left", {"K+": "100 mM", "phi": "50 mV"})``. Imposed exactly."""

    values: Mapping[str, Any] = field(default_factory=dict)

    def quantities(self) -> tuple[str, ...]:
        """Names of the held quantities."""
        return tuple(self.values)


@dataclass(frozen=True)
class Influx(Condition):
    """A given flow enters at a place: per area of a boundary (mol/m^2/s), per volume of a region (mol/m^3/s), in total
    for a compartment (mol/s). Text with the unit of a total is spread over the place."""

    values: Mapping[str, Any] = field(default_factory=dict)

    def quantities(self) -> tuple[str, ...]:
        """Names of the quantities that enter."""
        return tuple(self.values)


@dataclass(frozen=True)
class Exchange(Condition):
    """A law joins the place to a reservoir held at ``outside``: a film, radiation, a membrane, an electrode."""

    law: EdgeLaw = None  # type: ignore[assignment]
    outside: Mapping[str, Any] = field(default_factory=dict)

    def quantities(self) -> tuple[str, ...]:
        """Names of the quantities that the law moves."""
        return self.law.moves


def Film(place: str, quantity: str, coefficient: Any, outside: Any) -> Exchange:
    """A film between a place and a reservoir: flux = coefficient * area * (state - outside), as in Newton's cooling.

    ``coefficient`` is W/(m^2 K) for heat, m/s for a species; ``outside`` the reservoir's state.
    """
    return Exchange(place, Transfer(quantity, coefficient), {quantity: outside})


@dataclass(frozen=True)
class Float(Condition):
    """A place whose electric potential takes the value at which the place carries ``current`` (A, into the system).

    The potential is one unknown shared by all its cells; its name is ``unknown`` (default "phi at PLACE").
    """

    quantity: str = "phi"
    current: Any = 0.0
    unknown: str | None = None

    def quantities(self) -> tuple[str, ...]:
        """The potential."""
        return (self.quantity,)

    @property
    def name(self) -> str:
        """Name of the shared unknown."""
        return self.unknown or f"{self.quantity} at {self.place}"


@dataclass(frozen=True)
class Sealed(Condition):
    """Nothing crosses: what holds anyway where no condition is given, said aloud. Without names: for all quantities."""

    names: tuple[str, ...] = ()

    def quantities(self) -> tuple[str, ...]:
        """The quantities named."""
        return self.names


class Bound(eqx.Module):
    """A hold or an inflow of one quantity at one place, in SI: ``value + factor * shared``."""

    place: str = eqx.field(static=True)
    quantity: str = eqx.field(static=True)
    value: Any
    shared: str | None = eqx.field(static=True, default=None)
    factor: Any = 0.0

    @property
    def name(self) -> str:
        """How the value is called as a parameter: place.quantity."""
        return f"{self.place}.{self.quantity}"


def bind_hold(place: str, quantity: Quantity, value: Any) -> Bound:
    """A held value in the unit of the quantity's state."""
    if isinstance(value, SharedRef):
        return Bound(place, quantity.name, 0.0, value.name, value.factor)
    unit = KINDS[quantity.kind].state
    return Bound(place, quantity.name, si(value, unit, f"{quantity.name} held at '{place}'"))


_PER = {"boundary": "m^2", "region": "m^3", "compartment": None}


def bind_influx(name: str, place: Place, measure: Any, quantity: Quantity, value: Any) -> Bound:
    """An inflow per measure of the place (area, volume, or one); ``measure`` is the place's total."""
    if isinstance(value, SharedRef):
        return Bound(name, quantity.name, 0.0, value.name, value.factor)
    unit, what = KINDS[quantity.kind].flux, f"influx of {quantity.name} at '{name}'"
    per = _PER[place.kind]
    if per is None:
        return Bound(name, quantity.name, si(value, unit, what))
    try:
        return Bound(name, quantity.name, si(value, f"{unit}/{per}", what))
    except UnitError:
        if not isinstance(value, str) and not is_signal(value):
            raise
        return Bound(name, quantity.name, si(value, unit, what) / measure)


def check_single(conditions: tuple[Condition, ...]) -> None:
    """One condition for a quantity at a place; a second one is refused by name, unless they add up: several exchanges
    (a film and radiation, two electrode reactions), an exchange beside a given influx."""
    seen: dict[tuple[str, str], str] = {}
    for condition in conditions:
        kind = type(condition).__name__
        for quantity in condition.quantities():
            key = (condition.place, quantity)
            adds = "Exchange" in (kind, seen.get(key)) and {kind, seen.get(key)} <= {"Exchange", "Influx"}
            if key in seen and not adds:
                raise ModelError(
                    f"{quantity} has two conditions at '{condition.place}': {seen[key]} and {kind}; keep one of them."
                )
            seen[key] = kind
