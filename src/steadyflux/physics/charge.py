"""Ions and electricity: Nernst-Planck by exponential fitting, Poisson, electroneutrality, constant field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from steadyflux.ground.constants import EPSILON_0, FARADAY
from steadyflux.ground.errors import ModelError, NameUnknown
from steadyflux.ground.units import si
from steadyflux.physics.bernoulli import bernoulli
from steadyflux.physics.law import CellLaw, EdgeLaw, Law, names, parameter, resolve_positions, where
from steadyflux.physics.local import Cell, Geometry, Local
from steadyflux.physics.quantity import Quantity
from steadyflux.space.space import INTERIOR, Place


def fitted(conductance: Any, at_tail: Any, at_head: Any, climb: Any) -> tuple[Any, Any]:
    """Forward and reverse flux of drift and diffusion between two densities, exact for a constant force on the edge.

    Scharfetter and Gummel (1969), Chang and Cooper (1970): J = g [c_t B(climb) - c_h B(-climb)] with the Bernoulli
    function B(x) = x / (e^x - 1). ``climb`` is the rise of potential energy from tail to head over k T.
    """
    # One evaluation serves both ways, B(-x) = B(x) + x, and for x > 0 the sum loses no digits. A sign of its own
    # instead of abs, whose derivative at zero would be wrong.
    sign = jnp.where(climb >= 0, 1.0, -1.0)
    up = bernoulli(sign * climb)
    down = up + sign * climb
    return conductance * at_tail * jnp.where(climb >= 0, up, down), conductance * at_head * jnp.where(
        climb >= 0, down, up
    )


class NernstPlanck(EdgeLaw):
    """Diffusion and drift of species down their electrochemical potential: J = -(D c / R T) grad mu.

    mu comes from the model's phase, electric potential and external field, so that D c/(R T) times its gradient and
    this flux are one and the same. Without names it moves every species that has a diffusivity. Works for neutral
    species too (drift in a gravity field, activity gradients). ``diffusivity`` (m^2/s: one for all, or by name) comes
    before those of the species.
    """

    species: tuple[str, ...] | None = names()
    diffusivity: Any = parameter("m^2/s", "diffusivity", default=None)

    def bound(self, quantities: Mapping[str, Quantity], positions: Any) -> Law:
        """Fill in the species and their diffusivities (evaluated on the edges where they are functions)."""
        species = [q.name for q in quantities.values() if q.kind == "species"]
        one = self.diffusivity is not None and not isinstance(self.diffusivity, Mapping)
        given = dict.fromkeys(species, self.diffusivity) if one else self.diffusivity or {}
        known = [n for n in species if quantities[n].diffusivity is not None or n in given]
        chosen = tuple(known) if self.species is None else self.species
        for name in given:
            if name not in species:
                raise NameUnknown("species", name, species)
        for name in chosen:
            if name in quantities and quantities[name].diffusivity is None and name not in given:
                raise ModelError(f"{name} has no diffusivity; give one: Species('{name}', '1e-9 m^2/s').")
        values = {n: given.get(n, quantities[n].diffusivity) for n in chosen if n in quantities}
        # `sees` tells the layout that the potential acts here, so that each part of the model needs a reference for it.
        charges = any(quantities[n].charge for n in values)
        potential = tuple(q.name for q in quantities.values() if q.kind == "charge") if charges else ()
        law = NernstPlanck(species=chosen, diffusivity=values, on=self.on, potential=potential)
        return resolve_positions(law, positions)

    potential: tuple[str, ...] | None = names(())

    @property
    def moves(self) -> tuple[str, ...]:
        """The species."""
        return self.species or ()

    @property
    def sees(self) -> tuple[str, ...]:
        """The electric potential, if a charged species is among those moved."""
        return self.potential or ()

    def one_way(self, tail: Local, head: Local, edge: Geometry) -> dict[str, tuple[Any, Any]]:
        """Forward and reverse flux of each species, mol/s."""
        return {
            name: fitted(
                self.diffusivity[name] * edge.conductor,
                tail[name],
                head[name],
                head.exponent(name) - tail.exponent(name),
            )
            for name in self.moves
        }


class Poisson(EdgeLaw, CellLaw):
    """Gauss's law: the flux of the electric displacement out of a cell equals the charge in it, C.

    Args:
        relative_permittivity: one number, one per edge, or a function of the position.
        fixed_charge: charge of the background, mol/m^3 of elementary charges: a number, or the name of a given field.
    """

    relative_permittivity: Any = parameter("", "relative permittivity", default=78.5)
    fixed_charge: Any = 0.0
    field: str | None = eqx.field(static=True, default=None)
    quantity: str = eqx.field(static=True, default="phi")
    on: str = where()

    dissipative: ClassVar[bool] = False
    flux_unit: ClassVar[Mapping[str, str]] = {"phi": "C"}

    def __init__(
        self, relative_permittivity: Any = 78.5, fixed_charge: Any = 0.0, quantity: str = "phi", on: str = INTERIOR
    ) -> None:
        self.relative_permittivity = relative_permittivity
        self.fixed_charge, self.field = _fixed(fixed_charge)
        self.quantity = quantity
        self.on = on

    def bound(self, quantities: Mapping[str, Quantity], positions: Any) -> Law:
        """Evaluate a permittivity that varies with the position."""
        return resolve_positions(self, positions)

    @property
    def moves(self) -> tuple[str, ...]:
        """The potential (its flux here is electric displacement)."""
        return (self.quantity,)

    @property
    def makes(self) -> tuple[str, ...]:
        """The potential (its production here is charge)."""
        return (self.quantity,)

    @property
    def acts_in(self) -> str | None:
        """The cells that its edges join: all, one region, or one part of a joined space."""
        return None if self.on == INTERIOR else self.on.removesuffix("." + INTERIOR)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Electric displacement through the edge, C."""
        drop = tail[self.quantity] - head[self.quantity]
        return {self.quantity: EPSILON_0 * self.relative_permittivity * edge.conductor * drop}

    def production(self, here: Local, cell: Cell) -> dict[str, Any]:
        """Charge density, C/m^3."""
        return {self.quantity: FARADAY * (here.charge_density() + _background(self, here))}


class Electroneutrality(CellLaw):
    """The charges of each cell add up to zero, and the electric potential takes the values that keep them so.

    The limit of Poisson's equation for a vanishing permittivity. ``fixed_charge`` as in `Poisson`.
    """

    fixed_charge: Any = 0.0
    field: str | None = eqx.field(static=True, default=None)
    quantity: str = eqx.field(static=True, default="phi")

    def __init__(self, fixed_charge: Any = 0.0, quantity: str = "phi", on: str | None = None) -> None:
        self.fixed_charge, self.field = _fixed(fixed_charge)
        self.quantity = quantity
        self.on = on

    dissipative: ClassVar[bool] = False
    flux_unit: ClassVar[Mapping[str, str]] = {"phi": "C"}
    enforces_neutrality: ClassVar[bool] = True

    @property
    def makes(self) -> tuple[str, ...]:
        """The potential (its row is the charge of the cell)."""
        return (self.quantity,)

    def production(self, here: Local, cell: Cell) -> dict[str, Any]:
        """Charge density, C/m^3, which must vanish."""
        return {self.quantity: FARADAY * (here.charge_density() + _background(self, here))}

    def one_way(self, here: Local, cell: Cell) -> tuple[Any, Any]:
        """Positive and negative charge, C/m^3: what a sum that should vanish is measured by."""
        ions = [q for q in (here.quantity(n) for n in here.species) if q.charge]
        charges = [q.charge * here[q.name] for q in ions] + [_background(self, here) + jnp.zeros_like(here.T)]
        positive, total = sum(jnp.maximum(c, 0.0) for c in charges), sum(charges)
        return FARADAY * positive, FARADAY * (positive - total)

    def fixed_at(self, place: Place, given: Mapping[str, Any]) -> Any:
        """Fixed charge in the cells of a place, mol/m^3."""
        return np.asarray(given[self.field])[place.cells] if self.field else self.fixed_charge


def _fixed(fixed_charge: Any) -> tuple[Any, str | None]:
    if isinstance(fixed_charge, str) and fixed_charge.lstrip()[:1] not in "+-.0123456789":
        return 0.0, fixed_charge
    return si(fixed_charge, "mol/m^3", "fixed charge", allow_array=False), None


def _background(law: Poisson | Electroneutrality, here: Local) -> Any:
    """Fixed charge in a cell, mol/m^3."""
    return here[law.field] if law.field else law.fixed_charge


class ConstantField(EdgeLaw):
    """The potential falls in proportion to the distance between the places where it is held (Goldman's assumption)."""

    quantity: str = eqx.field(static=True, default="phi")

    dissipative: ClassVar[bool] = False
    flux_unit: ClassVar[Mapping[str, str]] = {"phi": "V/m"}

    @property
    def moves(self) -> tuple[str, ...]:
        """The potential."""
        return (self.quantity,)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """The field along the edge, V/m, the same on every edge whatever its area."""
        return {self.quantity: (tail[self.quantity] - head[self.quantity]) / edge.length}
