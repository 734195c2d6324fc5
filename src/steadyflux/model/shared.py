"""Shared unknowns: one number that several edges or conditions see, determined by a balance of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx

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
    """A shared unknown: its name, its balance, where the search starts, and its unit."""

    name: str = eqx.field(static=True)
    balance: Balance
    start: Any = 0.0
    unit: str = eqx.field(static=True, default="")
    scale: float = eqx.field(static=True, default=0.0)

    def __init__(
        self, name: str, balance: Balance | Callable[[Any], Any], start: Any = 0.0, unit: str = "", scale: float = 0.0
    ) -> None:
        """``scale`` is the size below which a change means nothing (default: taken from the start value)."""
        self.name = name
        self.balance = balance if isinstance(balance, Balance) else CustomBalance(balance)
        self.start = si(start, unit, f"start of the shared unknown '{name}'") + 0.0
        self.unit = unit
        self.scale = float(scale)
