"""Shared unknowns: one number that several edges or conditions see, determined by a balance of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx

from steadyflux.ground.errors import ModelError
from steadyflux.ground.units import si


class Balance(eqx.Module):
    """What determines a shared unknown: `residual` must vanish. ``view`` is a `steadyflux.model.system.View`."""

    def residual(self, view: Any) -> Any:
        """The amount by which the balance is violated."""
        raise TypeError(f"The balance {type(self).__name__} must define residual(view).")


class FlowBalance(Balance):
    """The flow into the system through a place, summed over quantities with weights, equals a given number."""

    through: str = eqx.field(static=True)
    of: Mapping[str, float]
    equals: Any = 0.0

    def residual(self, view: Any) -> Any:
        """Sum of weight times flow, less the given number."""
        return sum(weight * view.flow(name, self.through) for name, weight in self.of.items()) - self.equals


class ValueBalance(Balance):
    """The state of a quantity at a place (its mean over the place's cells) equals a given number."""

    quantity: str = eqx.field(static=True)
    at: str = eqx.field(static=True)
    equals: Any = 0.0

    def residual(self, view: Any) -> Any:
        """State less the given number."""
        return view.value(self.quantity, self.at) - self.equals


class TotalBalance(Balance):
    """The stored total of a quantity equals a given number (in the quantity's stored unit)."""

    quantity: str = eqx.field(static=True)
    equals: Any

    def residual(self, view: Any) -> Any:
        """Total less the given number."""
        return view.total(self.quantity) - self.equals


class CustomBalance(Balance):
    """A balance given as a function of the view, for a model of your own (a loop's momentum, say)."""

    function: Callable[[Any], Any] = eqx.field(static=True)

    def residual(self, view: Any) -> Any:
        """What the function returns."""
        return self.function(view)


class Shared(eqx.Module):
    """A shared unknown: its name, what determines it, where the search starts, and its unit.

    What determines it is a balance that must vanish, or with ``rate`` a rate of its own: d value / dt = rate(view), for
    the thickness of a film, a level, an angular speed (the steady state is where the rate vanishes).
    """

    name: str = eqx.field(static=True)
    balance: Balance
    start: Any = 0.0
    unit: str = eqx.field(static=True, default="")
    scale: float = eqx.field(static=True, default=0.0)
    rate: Any = None

    def __init__(
        self,
        name: str,
        balance: Balance | Callable[[Any], Any] | None = None,
        start: Any = 0.0,
        unit: str = "",
        scale: float = 0.0,
        *,
        rate: Rate | Callable[[Any], Any] | None = None,
    ) -> None:
        """``scale`` is the size below which a change means nothing (default: taken from the start value)."""
        if (balance is None) == (rate is None):
            raise ModelError(f"The shared unknown '{name}' needs either a balance that must vanish or a rate.")
        self.name = name
        self.balance = balance if isinstance(balance, Balance) else CustomBalance(balance or _none)
        self.start = si(start, unit, f"start of the shared unknown '{name}'") + 0.0
        self.unit = unit
        self.scale = float(scale)
        self.rate = rate if rate is None or isinstance(rate, Rate) else CustomRate(rate)


class Rate(eqx.Module):
    """How fast a shared unknown changes: called with a `steadyflux.model.system.View`; subclass it to hold numbers."""

    def __call__(self, view: Any) -> Any:
        """The rate, the unknown's unit per second."""
        raise TypeError(f"The rate {type(self).__name__} must define __call__(view).")


class CustomRate(Rate):
    """A rate given as a function of the view."""

    function: Callable[[Any], Any] = eqx.field(static=True)

    def __call__(self, view: Any) -> Any:
        """What the function returns."""
        return self.function(view)


def _none(view: Any) -> Any:
    raise TypeError("This shared unknown has a rate and no balance.")
