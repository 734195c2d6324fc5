"""Reactions and sources in cells: mass action with detailed balance, Michaelis-Menten, decay, given production."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from steadyflux.ground.constants import R
from steadyflux.ground.errors import ModelError
from steadyflux.physics.law import CellLaw, Law, Reaction, parameter
from steadyflux.physics.local import Cell, Local
from steadyflux.physics.quantity import Quantity


class MassAction(Reaction):
    """Reversible mass action: forward k_f prod c^n over what is used up, reverse k_r prod c^n over what is made.

    Without ``reverse`` the reverse constant follows from the species' standard potentials (detailed balance):
    k_r = k_f exp(sum nu mu0 / R T) in concentrations over their references. Rates mol/(m^3 s), concentrations mol/m^3.
    ``catalysed_by`` names a species (an enzyme) that multiplies both rates.

    ``drive`` (J/mol) is free energy that something unmodelled (ATP held in surplus, light) spends on each turnover: it
    multiplies forward over reverse by exp(drive / R T) and is booked as a supply, so that the reaction's affinity is
    always R T ln(forward / reverse) (Hill 1977, sec. 2). It needs ``reverse`` left out: a given one contains it
    already.
    """

    forward: Any = parameter("", "forward rate constant (a bare number in SI)")
    reverse: Any = parameter("", "reverse rate constant (a bare number in SI)", default=None)
    catalysed_by: str | None = eqx.field(static=True, default=None)
    drive: Any = parameter("J/mol", "drive of the reaction", default=None)

    def bound(self, quantities: Mapping[str, Quantity], positions: Any) -> Law:
        """Check the stoichiometry, and that the reverse constant is stated once."""
        if self.drive is not None and self.reverse is not None:
            raise ModelError("A driven reaction's reverse constant follows from its drive; leave out one of the two.")
        if not self.stoichiometry or all(n == 0 for _, n in self.stoichiometry):
            raise ModelError("A reaction needs a stoichiometry such as {'A': -1, 'B': 1}.")
        return super().bound(quantities, positions)

    @property
    def sees(self) -> tuple[str, ...]:
        """The catalyst, if there is one."""
        return () if self.catalysed_by is None else (self.catalysed_by,)

    def one_way(self, here: Local, cell: Cell) -> tuple[Any, Any]:
        """Forward and reverse rate, mol/(m^3 s)."""
        forward, reverse = jnp.asarray(self.forward), self._reverse(here)
        for name, n in self.stoichiometry:
            if n < 0:
                forward = forward * here[name] ** (-n)
            elif n > 0:
                reverse = reverse * here[name] ** n
        speed = 1.0 if self.catalysed_by is None else here[self.catalysed_by]
        return forward * speed, reverse * speed

    def _reverse(self, here: Local) -> Any:
        if self.reverse is not None:
            return jnp.asarray(self.reverse)
        exponent, units = jnp.zeros(()), jnp.ones(())
        if self.drive is not None:
            exponent = -self.drive / (R * here.T)
        for name, n in self.stoichiometry:
            q = here.quantity(name)
            exponent = exponent + n * here.standard(name) / (R * here.T)
            units = units * q.reference ** (-n)
        return self.forward * jnp.exp(exponent) * units

    def supply(self, here: Local, cell: Cell) -> Any:
        """Power that the drive spends, W/m^3."""
        if self.drive is None:
            return None
        forward, reverse = self.one_way(here, cell)
        return (forward - reverse) * self.drive


class OneWay(MassAction):
    """Mass action without a way back: forward k prod c^n over what is used up. It has no affinity: it is booked as
    production, not as entropy."""

    dissipative: ClassVar[bool] = False

    def one_way(self, here: Local, cell: Cell) -> tuple[Any, Any]:
        """Forward rate and zero, mol/(m^3 s)."""
        forward = super().one_way(here, cell)[0]
        return forward, jnp.zeros_like(forward)


def standard_potentials(
    reactions: Sequence[Mapping[str, float]], forward: Any, reverse: Any, temperature: float
) -> tuple[dict[str, float], np.ndarray]:
    """Standard potentials (J/mol, at 1 mol/m^3) and drives (J/mol, (reaction,)) that give reactions their constants.

    k_f / k_r = exp((drive - sum nu mu0) / R T). Constants that obey detailed balance round every cycle have no drive;
    else the drives are the smallest ones (their squares summed) that explain the constants: an even share for each step
    of a cycle. Constants must be positive.
    """
    names = list(dict.fromkeys(name for reaction in reactions for name in reaction))
    matrix = np.array([[reaction.get(name, 0.0) for name in names] for reaction in reactions]).reshape(-1, len(names))
    ratio = np.log(np.asarray(forward, dtype=float) / np.asarray(reverse, dtype=float))
    potentials = np.linalg.lstsq(matrix, -ratio, rcond=None)[0]
    drive = ratio + matrix @ potentials
    drive = np.where(np.abs(drive) < 1e-9 * np.maximum(1.0, np.abs(ratio)), 0.0, drive)
    thermal = R * temperature
    return dict(zip(names, (thermal * potentials).tolist(), strict=True)), thermal * drive


class MichaelisMenten(Reaction):
    """Reversible Michaelis-Menten: v = (V_f S/K_s - V_r P/K_p) / (1 + S/K_s + P/K_p); without V_r, one-way uptake.

    Haldane's relation K_eq = V_f K_p / (V_r K_s) ties the constants. ``limit`` V_f and ``reverse_limit`` V_r in
    mol/(m^3 s), ``half`` K_s and ``product_half`` K_p in mol/m^3. Stoichiometry {substrate: -1, product: 1}.
    """

    limit: Any = parameter("", "limiting rate (a bare number in SI)")
    half: Any = parameter("", "half-saturation (a bare number in SI)")
    reverse_limit: Any = parameter("", "reverse limiting rate (a bare number in SI)", default=None)
    product_half: Any = parameter("", "half-saturation of the product (a bare number in SI)", default=None)

    @property
    def dissipative(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """False without a way back: its affinity would be infinite."""
        return self.reverse_limit is not None

    def one_way(self, here: Local, cell: Cell) -> tuple[Any, Any]:
        """Forward and reverse rate, mol/(m^3 s)."""
        substrate = next(name for name, n in self.stoichiometry if n < 0)
        s = here[substrate] / self.half
        p = jnp.zeros_like(s)
        products = [name for name, n in self.stoichiometry if n > 0]
        if self.product_half is not None and products:
            p = here[products[0]] / self.product_half
        below = 1.0 + s + p
        return self.limit * s / below, (0.0 if self.reverse_limit is None else self.reverse_limit) * p / below


class Decay(Reaction):
    """First-order decay, rate constant 1/s, of one species into another or into nothing. It has no way back, hence no
    affinity: it is booked as production, not as entropy."""

    rate: Any = parameter("1/s", "decay constant")
    dissipative: ClassVar[bool] = False

    def one_way(self, here: Local, cell: Cell) -> tuple[Any, Any]:
        """Decay rate and zero, mol/(m^3 s)."""
        parent = next(name for name, n in self.stoichiometry if n < 0)
        return self.rate * here[parent], jnp.zeros_like(here[parent])


class Source(CellLaw):
    """A given production per volume and time (mol/(m^3 s), W/m^3, ...), from outside the model."""

    quantity: str = eqx.field(static=True)
    strength: Any = parameter("", "strength of the source (a bare number in SI)")
    dissipative: ClassVar[bool] = False

    @property
    def makes(self) -> tuple[str, ...]:
        """The quantity produced."""
        return (self.quantity,)

    def production(self, here: Local, cell: Cell) -> dict[str, Any]:
        """The strength."""
        return {self.quantity: jnp.asarray(self.strength)}
