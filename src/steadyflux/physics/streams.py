"""Streams: what two gases send each other through an opening that is small against their mean free paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import equinox as eqx
import jax.numpy as jnp

from steadyflux.ground.constants import C_LIGHT, N_A
from steadyflux.ground.errors import ModelError
from steadyflux.physics.distributions import Distribution, Stream, as_distribution
from steadyflux.physics.law import EdgeLaw, Law, names, parameter
from steadyflux.physics.local import Geometry, Local
from steadyflux.physics.quantity import Quantity


class Effusion(EdgeLaw):
    """Two opposed streams through an opening (Knudsen 1909): each gas sends what its distribution sends one way.

    Moves the ``gas`` (a species, mol/s, or a population, 1/s) and, where ``heat`` is named, the energy that the
    particles carry, W. For an ideal gas J_N = A (p_t / sqrt(2 pi m k T_t) - p_h / sqrt(2 pi m k T_h)), with 2 k T of
    energy a particle. The area A is that of the edge, times the ``transmission`` of the opening (the share that gets
    through a short tube, Clausing 1932).

    Args:
        gas: name of the species or population; its state is the concentration (the density).
        distribution: how its particles move; a mass (kg, or "39.948 dalton") stands for an ideal gas, `Maxwell`.
        heat: name of the quantity that takes the energy up, None for walls that keep each side at its temperature.
        temperature: name of the quantity or given field that is the gas's temperature; default ``heat``, or the model's
            own temperature.
    """

    gas: str = eqx.field(static=True)
    distribution: Distribution = eqx.field(converter=as_distribution)
    heat: str | None = eqx.field(static=True, default=None)
    transmission: Any = parameter("", "transmission of the opening", default=1.0)
    temperature: str | None = eqx.field(static=True, default=None)
    reads: tuple[str, ...] = names((), kw_only=True)
    per_amount: float = eqx.field(static=True, default=N_A, kw_only=True)
    """Particles in a unit of the gas: of a species Avogadro's number, of a population one. Set when bound."""
    known: bool = eqx.field(static=True, default=True, kw_only=True)
    """Whether the gas has a conjugate potential: a population without a reference has none. Set when bound."""

    @property
    def dissipative(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """False for a gas without a potential: the entropy of its energy alone would be no entropy of the gas."""
        return self.known

    def bound(self, quantities: Mapping[str, Quantity], positions: Any) -> Law:
        """Note what counts the gas, and whose temperature is read."""
        law: Any = super().bound(quantities, positions)
        kind = quantities[self.gas].kind if self.gas in quantities else "species"
        if kind not in ("species", "population"):
            raise ModelError(f"Effusion moves a species or a population; {self.gas} is of the kind {kind}.")
        named = [self.temperature] if self.temperature else [q.name for q in quantities.values() if q.kind == "heat"]
        reads = tuple(name for name in named if name != self.heat)
        copy = object.__new__(type(law))
        changed = {
            "reads": reads,
            "per_amount": N_A if kind == "species" else 1.0,
            "known": kind == "species" or quantities[self.gas].reference is not None,
        }
        for field in fields(law):
            object.__setattr__(copy, field.name, changed.get(field.name, getattr(law, field.name)))
        return copy

    @property
    def moves(self) -> tuple[str, ...]:
        """The gas and its energy."""
        return (self.gas,) if self.heat is None else (self.gas, self.heat)

    @property
    def sees(self) -> tuple[str, ...]:
        """The temperature, where no energy is moved."""
        return self.reads

    def streams(self, tail: Local, head: Local, edge: Geometry) -> tuple[Stream, Stream]:
        """What the tail sends to the head and the head to the tail: particles 1/s, momentum N, energy W."""
        name = self.temperature or self.heat
        warmth = [side.T if name is None else side[name] for side in (tail, head)]
        density = jnp.stack([tail[self.gas], head[self.gas]]) * self.per_amount
        sent = self.distribution.stream(density, jnp.stack(warmth)).scaled(edge.area * self.transmission)
        return Stream(*(one[0] for one in sent)), Stream(*(one[1] for one in sent))

    def thrust(self, tail: Local, head: Local, edge: Geometry) -> Any:
        """Momentum that passes the opening towards the head, N: what both streams carry adds up."""
        forward, reverse = self.streams(tail, head, edge)
        return forward.momentum + reverse.momentum

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Net flow of the gas and of its energy."""
        return {name: forward - reverse for name, (forward, reverse) in self._pairs(tail, head, edge).items()}

    def one_way(self, tail: Local, head: Local, edge: Geometry) -> dict[str, tuple[Any, Any]] | None:
        """Both streams, where they do not depend on each other: those of a degenerate gas see which states are taken,
        and no potential sets their ratio."""
        return self._pairs(tail, head, edge) if self.distribution.classical else None

    def _pairs(self, tail: Local, head: Local, edge: Geometry) -> dict[str, tuple[Any, Any]]:
        forward, reverse = self.streams(tail, head, edge)
        pairs = {self.gas: (forward.particles / self.per_amount, reverse.particles / self.per_amount)}
        if self.heat is not None:
            pairs[self.heat] = (forward.energy, reverse.energy)
        return pairs


def boost_matrix(velocity: Any) -> Any:
    """Lorentz transformation into a frame that moves with ``velocity`` (m/s, (3,)), shape (4, 4).

    It takes (n, j / c) to the density and flux that the moving observer counts, and a tensor S of moments (energy
    density, momentum, pressure) to L S L^T. Derivatives hold at rest too.
    """
    beta = jnp.asarray(velocity, dtype=float) / C_LIGHT
    stretch = 1.0 / jnp.sqrt(1.0 - beta @ beta)
    space = jnp.eye(3) + stretch**2 / (1.0 + stretch) * jnp.outer(beta, beta)
    side = -stretch * beta
    return jnp.block([[stretch.reshape(1, 1), side[None, :]], [side[:, None], space]])


def boosted(density: Any, flux: Any, velocity: Any) -> tuple[Any, Any]:
    """Number density (1/m^3) and flux (1/(m^2 s), (3,)) as an observer of the ``velocity`` (m/s, (3,)) counts them."""
    here = jnp.concatenate([jnp.reshape(density, (1,)), jnp.asarray(flux, dtype=float) / C_LIGHT])
    there = boost_matrix(velocity) @ here
    return there[0], there[1:] * C_LIGHT


def proper_density(density: Any, flux: Any) -> Any:
    """Density in the frame in which nothing streams, sqrt(n^2 - j^2 / c^2), the same for every observer."""
    speed = jnp.sqrt(jnp.asarray(flux) @ jnp.asarray(flux)) / C_LIGHT
    return jnp.sqrt((density - speed) * (density + speed))
