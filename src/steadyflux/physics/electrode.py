"""Electrodes: Butler-Volmer, Tafel and plain surface rates, as laws between a solution (tail) and an electrode (head).

An electrode reaction turns what arrives at a surface over and passes electrons on:

    sum of reactants + n e-  ->  sum of products,        rate r per area,        current n F r from solution to metal

The tail is the solution at the surface, the head the electrode: a reservoir (`Exchange`) or a cell. The head's
potential is that of the metal; its concentrations say what the potential is counted from: at equal ends the reaction
is at rest. With the bulk's concentrations there, the potential is the overpotential; with 1 mol/m^3 of each species it
is counted from the couple's formal potential. Species that the stoichiometry leaves out count as constant.

The charge goes where the model keeps it: with charged species it is carried by them; else it moves a `Potential`, where
there is one; without either the potential is a given field called "phi", and what the electrodes spend is a supply.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp

from steadyflux.ground.arithmetic import is_traced
from steadyflux.ground.constants import FARADAY, R
from steadyflux.ground.errors import ModelError, NameUnknown
from steadyflux.ground.units import si
from steadyflux.physics.law import EdgeLaw, Law, parameter
from steadyflux.physics.local import Geometry, Local
from steadyflux.physics.quantity import Quantity

TINY = 1e-300  # where a fractional power, whose slope at zero has no bound, is taken instead of at zero


def _orders(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: si(value, "", f"order in {name}") for name, value in dict(given).items()}


def _power(x: Any, order: Any) -> Any:
    """x^order for x >= 0 and any order, with a slope that is a number at zero too."""
    safe = jnp.where(x < TINY, TINY + (x - jax.lax.stop_gradient(x)), x)  # with the slope of x below TINY too
    raised = safe**order
    return raised - jax.lax.stop_gradient(jnp.where((x <= 0.0) & (order > 0.0), raised, 0.0))


class _Surface(EdgeLaw):
    """Common part: a stoichiometry, the orders of the forward rate and what happens to the charge."""

    stoichiometry: tuple[tuple[str, float], ...] = eqx.field(static=True, converter=lambda s: tuple(dict(s).items()))

    @property
    def moves(self) -> tuple[str, ...]:
        """The species of the stoichiometry."""
        return tuple(name for name, _ in self.stoichiometry)

    def turnover(self, tail: Local, head: Local, edge: Geometry) -> tuple[Any, Any, dict[str, Any]]:
        """Forward and reverse rate, mol/s, and what one turnover moves from tail to head."""
        forward, reverse = self.rates(tail, head, edge)
        return forward, reverse, {name: -number for name, number in self.stoichiometry}

    def rates(self, tail: Local, head: Local, edge: Geometry) -> tuple[Any, Any]:
        """Forward and reverse rate of the whole edge, mol/s."""
        raise TypeError(f"{type(self).__name__} must define rates.")

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """What the net rate moves from the solution to the electrode, mol/s (and A)."""
        forward, reverse, numbers = self.turnover(tail, head, edge)
        return {name: number * (forward - reverse) for name, number in numbers.items()}

    def order(self, name: str, number: float) -> Any:
        """Order of the forward rate in a species: given, or its stoichiometric number if it is used up."""
        orders: Mapping[str, Any] = getattr(self, "orders", {})
        return orders.get(name, max(-number, 0.0))

    def bound(self, quantities: Mapping[str, Quantity], positions: Any) -> Law:
        """Check the orders' names."""
        for name in getattr(self, "orders", {}):
            if name not in self.moves:
                raise NameUnknown("species of the stoichiometry", name, self.moves)
        return super().bound(quantities, positions)


def _limited(speed: Any, limit: Any, *exponents: Any) -> list[Any]:
    """speed e^x for each exponent x, all over 1 + (their sum) / limit; no exponent is too large."""
    most = jnp.zeros(())
    for x in exponents:
        most = jnp.maximum(most, x)
    raised = [speed * jnp.exp(x - most) for x in exponents]
    below = jnp.maximum(jnp.exp(-most), TINY) + sum(raised) / limit
    return [one / below for one in raised]


class SurfaceRate(_Surface):
    """An irreversible reaction at a surface, whatever its potential: rate = k prod c^order, mol/(m^2 s).

    ``rate`` k is a bare number in SI (m/s for first order); ``orders`` by species, where they are not the
    stoichiometric numbers. What is made enters the solution. No way back, hence no affinity; the head's state is not
    read (any positive concentration will do for a reservoir).
    """

    rate: Any = parameter("", "rate constant (a bare number in SI)")
    orders: Mapping[str, Any] = eqx.field(default_factory=dict, converter=_orders)

    dissipative: ClassVar[bool] = False

    def rates(self, tail: Local, head: Local, edge: Geometry) -> tuple[Any, Any]:
        """The rate and zero, mol/s."""
        forward = self.rate * edge.area
        for name, number in self.stoichiometry:
            forward = forward * _power(tail[name], self.order(name, number))
        return forward, jnp.zeros_like(forward)


class _Electrode(_Surface):
    """Common part of the laws that pass electrons on."""

    electrons: Any = parameter("", "number of electrons")
    potential: tuple[str, ...] = eqx.field(static=True, default=(), kw_only=True)
    keeps: str = eqx.field(static=True, default="supply", init=False)
    """Who carries the charge in this model: its "species", its "potential", or an unmodelled "supply"."""

    def bound(self, quantities: Mapping[str, Quantity], positions: Any) -> Law:
        """Note who carries the charge, and refuse a stoichiometry whose ions do not balance the electrons."""
        law = super().bound(quantities, positions)
        potential = tuple(q.name for q in quantities.values() if q.kind == "charge")
        charged = any(q.charge for q in quantities.values() if q.kind == "species")
        if charged and not is_traced(self.electrons):
            balance = sum(number * quantities[n].charge for n, number in self.stoichiometry if n in quantities)
            if abs(balance + float(self.electrons)) > 1e-9:
                raise ModelError(
                    f"The ions of the reaction bring the charge {-balance:g} for {float(self.electrons):g} electrons; "
                    "in a model with ions the stoichiometry names all ions that react."
                )
        keeps = "species" if charged else "potential" if potential else "supply"
        copy = object.__new__(type(law))
        for field in law.__dataclass_fields__:
            value = potential if field == "potential" else keeps if field == "keeps" else getattr(law, field)
            object.__setattr__(copy, field, value)
        return copy

    @property
    def moves(self) -> tuple[str, ...]:
        """The species of the stoichiometry, and charge where no species carries it."""
        return (*super().moves, *(self.potential if self.keeps == "potential" else ()))

    @property
    def sees(self) -> tuple[str, ...]:
        """The electric potential, where the model solves for one."""
        return self.potential

    def turnover(self, tail: Local, head: Local, edge: Geometry) -> tuple[Any, Any, dict[str, Any]]:
        """Forward and reverse rate, mol/s, and what one turnover moves from tail to head (mol, C)."""
        forward, reverse, numbers = super().turnover(tail, head, edge)
        charge = dict.fromkeys(self.potential, self.electrons * FARADAY) if self.keeps == "potential" else {}
        return forward, reverse, {**numbers, **charge}

    def supply(self, tail: Local, head: Local, edge: Geometry) -> Any:
        """Electric power that enters from outside the model where no quantity of it carries the charge, W."""
        if self.keeps != "supply":
            return None
        forward, reverse = self.rates(tail, head, edge)
        return self.electrons * FARADAY * (forward - reverse) * (tail.phi - head.phi)


class ButlerVolmer(_Electrode):
    """An electrode reaction that goes both ways (Butler 1924, Erdey-Gruz and Volmer 1930), in affinity form.

        i = i0 [prod (a/a_head)^order exp(-alpha u) - prod (a/a_head)^(order + nu) exp((1 - alpha) u)]

    with u = n F (phi_head - phi_tail) / R T and activities a. Forward over reverse is exp(affinity / R T) for
    any alpha and orders; equal ends are at rest. A reduction goes forward with positive ``electrons`` and the
    stoichiometry {"O": -1, "R": 1}, an oxidation with negative ones and {"R": -1, "O": 1}.

    Args:
        stoichiometry: species that are used up (negative) and made (positive); others count as constant.
        electrons: electrons that a forward turnover takes up.
        exchange: exchange current density i0 at the head's concentrations, A/m^2 (n F k0 at 1 mol/m^3 of each).
        alpha: share of n F E that helps the forward reaction.
        orders: orders of the forward rate by species, where they are not the stoichiometric numbers.
        limit: what collisions allow in either direction at the head's concentrations, A/m^2. Both rates are divided by
            1 + (i0 exp(-alpha u) + i0 exp((1 - alpha) u)) / limit, which changes a current i by the share i / limit and
            keeps far potentials within the range of numbers.
    """

    exchange: Any = parameter("A/m^2", "exchange current density")
    alpha: Any = parameter("", "symmetry factor", default=0.5)
    orders: Mapping[str, Any] = eqx.field(default_factory=dict, converter=_orders)
    limit: Any = parameter("A/m^2", "limit of the exchange in both directions", default=1e12)

    def rates(self, tail: Local, head: Local, edge: Geometry) -> tuple[Any, Any]:
        """Forward and reverse rate, mol/s."""
        thermal = R * tail.T
        drive = self.electrons * FARADAY * (head.phi - tail.phi) / thermal
        ahead, behind = -self.alpha * drive, (1.0 - self.alpha) * drive
        forward, reverse = _limited(self.exchange, self.limit, ahead, behind)
        unit = edge.area / (jnp.abs(self.electrons) * FARADAY)
        forward, reverse = unit * forward, unit * reverse
        for name, number in self.stoichiometry:
            external = tail.quantity(name).external
            energy = 0.0 if external is None else (tail[external] - head[external]) / thermal
            share = tail[name] / head[name] * jnp.exp(tail.ln_gamma(name) - head.ln_gamma(name) + energy)
            order = self.order(name, number)
            forward, reverse = forward * _power(share, order), reverse * _power(share, order + number)
        return forward, reverse


class Tafel(_Electrode):
    """An electrode reaction far from equilibrium, one way (Tafel 1905): rate = k prod c^order exp(-alpha F E / R T).

    E = phi_head - phi_tail; rate in mol/(m^2 s). ``alpha`` is the transfer coefficient as it is measured, from the
    slope of the logarithm of the current by F E / R T (IUPAC: Guidelli et al. 2014); for a step of n electrons it is n
    times the symmetry factor. An oxidation (negative ``electrons``) is helped by a positive E. ``rate`` is a bare
    number in SI (m/s for first order); ``limit`` the rate constant that no potential can exceed, as a resistance in
    series: for a first-order reaction the mass-transfer coefficient to the surface. Its affinity is unknown: it is
    booked in the ledger, not as entropy.
    """

    rate: Any = parameter("", "rate constant at zero potential (a bare number in SI)")
    alpha: Any = parameter("", "transfer coefficient", default=0.5)
    orders: Mapping[str, Any] = eqx.field(default_factory=dict, converter=_orders)
    limit: Any = parameter("", "largest rate constant (a bare number in SI)", default=1e15)

    dissipative: ClassVar[bool] = False

    def constant(self, tail: Local, head: Local) -> Any:
        """The rate constant at the potential between the two ends."""
        drive = jnp.sign(self.electrons) * FARADAY * (head.phi - tail.phi) / (R * tail.T)
        return _limited(self.rate, self.limit, -self.alpha * drive)[0]

    def rates(self, tail: Local, head: Local, edge: Geometry) -> tuple[Any, Any]:
        """The rate and zero, mol/s."""
        forward = self.constant(tail, head) * edge.area
        for name, number in self.stoichiometry:
            forward = forward * _power(tail[name], self.order(name, number))
        return forward, jnp.zeros_like(forward)
