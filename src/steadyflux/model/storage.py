"""What a cell stores: the capacity of each quantity, by cell and region, constant or depending on the state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from steadyflux.ground.arithmetic import array_module, is_traced
from steadyflux.ground.errors import ModelError, NameUnknown
from steadyflux.ground.units import si
from steadyflux.physics.diffusion import Coefficient
from steadyflux.physics.quantity import CAPACITY_UNITS, Quantity
from steadyflux.space.space import Space, evaluate

REFERENCE = {"heat": 298.15}  # states from which a capacity that depends on the state is integrated


class Storage(eqx.Module):
    """Amount of one quantity stored per volume of a cell: factor * state, or factor * integral of a coefficient.

    Shapes: ``factor`` is one number or (cell,). In a cell on the interface of two regions it is the mean over the parts
    in which the quantity lives.
    """

    factor: Any
    coefficient: Coefficient | None = None
    reference: float = eqx.field(static=True, default=0.0)
    by_phase: bool = eqx.field(static=True, default=False)
    """What is stored is told by the phase from all states of the cell (`model.system.densities`), times ``factor``."""

    def density(self, state: Any) -> Any:
        """Amount per volume at the states (cell,), counted from the reference state."""
        if self.coefficient is None:
            return self.factor * state
        start = jnp.full_like(state, self.reference)
        return self.factor * self.coefficient.mean(start, state) * (state - start)

    @property
    def stores(self) -> bool:
        """Whether anything is stored anywhere."""
        told = self.coefficient is not None or self.by_phase or is_traced(self.factor)
        return told or bool(np.any(np.asarray(self.factor) > 0))


def storage_of(quantity: Quantity, space: Space) -> Storage:
    """The storage of a quantity in a space, its capacity read by region or position where it says so."""
    given, what = quantity.capacity, f"capacity of {quantity.name}"
    unit = CAPACITY_UNITS[quantity.kind]
    parts = _parts(quantity, space)
    if quantity.by_phase:
        return Storage(1.0 if parts is None else _spread(space, parts), by_phase=True)
    if isinstance(given, Coefficient):
        return Storage(1.0 if parts is None else _spread(space, parts), given, REFERENCE.get(quantity.kind, 0.0))
    if isinstance(given, Mapping):
        return Storage(_by_region(given, unit, what, space, parts))
    value = si(evaluate(given, space.position) if callable(given) else given, unit, what)
    if np.ndim(value) > 0 and np.shape(value) != (space.cells,):
        raise ModelError(f"The {what} has the shape {np.shape(value)}; give one number or {space.cells}, one a cell.")
    if not is_traced(value) and np.any(np.asarray(value) < 0):
        raise ModelError(f"The {what} is negative somewhere; give what is stored per volume and unit of state.")
    return Storage(value if parts is None else value * _spread(space, parts))


def _parts(quantity: Quantity, space: Space) -> dict[str, Any] | None:
    """Share of the places where the quantity lives, by place; None when whole cells count."""
    if quantity.where is None:
        return None
    places = {name: space.place(name) for name in quantity.where}
    if all(place.share is None for place in places.values()):
        return None
    return {name: np.ones(len(p.cells)) if p.share is None else p.share for name, p in places.items()}


def _spread(space: Space, parts: Mapping[str, Any]) -> Any:
    xp = array_module(*parts.values())
    total = xp.zeros(space.cells)
    for name, share in parts.items():
        total = _added(total, np.asarray(space.place(name).cells), share)
    return total


def _by_region(given: Mapping[str, Any], unit: str, what: str, space: Space, parts: Mapping[str, Any] | None) -> Any:
    values = {name: si(value, unit, f"{what} in '{name}'") for name, value in given.items()}
    for name in values:
        if parts is not None and name not in parts:
            raise NameUnknown("region where it lives", name, parts)
    xp = array_module(*values.values(), space.volume)
    total = xp.zeros(space.cells)
    for name, value in values.items():
        place = space.place(name)
        share = np.ones(len(np.asarray(place.cells))) if place.share is None else place.share
        total = _added(total, np.asarray(place.cells), value * share)
    return total


def _added(total: Any, cells: np.ndarray, value: Any) -> Any:
    if isinstance(total, np.ndarray) and not is_traced(value):
        total = total.copy()
        np.add.at(total, cells, value)
        return total
    return jnp.asarray(total).at[cells].add(value)
