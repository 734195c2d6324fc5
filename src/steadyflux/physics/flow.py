"""Fluids and streams: hydraulic conductances that cavitate, orifices, advection, films and radiation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gamma, gammainc

from steadyflux.ground.arithmetic import is_traced
from steadyflux.ground.constants import G_STANDARD, SIGMA_SB
from steadyflux.ground.errors import ModelError, NameUnknown
from steadyflux.ground.signal import extremes
from steadyflux.ground.units import si
from steadyflux.physics.charge import fitted
from steadyflux.physics.diffusion import Coefficient, wander_freely
from steadyflux.physics.law import EdgeLaw, Law, parameter, replace, resolve_positions
from steadyflux.physics.local import Geometry, Local
from steadyflux.physics.means import path_mean
from steadyflux.physics.quantity import Quantity
from steadyflux.space.space import evaluate

# Flux unit of the kind per area and unit of state.
TRANSFER_UNITS: dict[str, str] = {
    "species": "m/s",
    "heat": "W/(m^2*K)",
    "charge": "S/m^2",
    "volume": "m/(s*Pa)",
    "size": "1/(m^2*s)",
    "energy": "m/s",
    "impulse": "m/s",
    "momentum": "Pa*s/m",
    "population": "1/(m^2*s)",
}


class Transfer(EdgeLaw):
    """A film, a contact or a link of given coefficient: flux = h A (state at the tail - state at the head).

    Newton's cooling (W/(m^2 K)), mass transfer (m/s), a thermal contact (1 / resistance). A coefficient in text is read
    when the model is built, in the unit that the quantity's kind asks for.
    """

    quantity: str = eqx.field(static=True)
    coefficient: Any = eqx.field(metadata={"per_edge": True, "unit": "", "what": "transfer coefficient"})

    def bound(self, quantities: Mapping[str, Quantity], positions: Any) -> Law:
        """The coefficient in SI by the quantity's kind; a negative one is refused."""
        if self.quantity not in quantities:
            raise NameUnknown("quantity", self.quantity, quantities)
        what = f"transfer coefficient of {self.quantity}"
        given = evaluate(self.coefficient, positions) if callable(self.coefficient) else self.coefficient
        coefficient = si(given, TRANSFER_UNITS[quantities[self.quantity].kind], what)
        sizes = extremes(coefficient)
        if not is_traced(sizes) and np.any(np.asarray(sizes) < 0.0):
            raise ModelError(f"The {what} is negative; it would carry it uphill, so give a size.")
        return resolve_positions(replace(self, coefficient=coefficient), positions)

    @property
    def moves(self) -> tuple[str, ...]:
        """The quantity transferred."""
        return (self.quantity,)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Flux from tail to head."""
        return {self.quantity: self.coefficient * edge.area * (tail[self.quantity] - head[self.quantity])}

    def one_way(self, tail: Local, head: Local, edge: Geometry) -> dict[str, tuple[Any, Any]] | None:
        """What each side sends to the other where particles feel no force; None for others, heat, charge and volume."""
        if not wander_freely(tail, self.quantity):
            return None
        strength = self.coefficient * edge.area
        return {self.quantity: (strength * tail[self.quantity], strength * head[self.quantity])}


class Radiation(EdgeLaw):
    """Grey radiation between two temperatures: emissivity sigma A (T_t^4 - T_h^4), W (Stefan 1879, Boltzmann 1884)."""

    emissivity: Any = parameter("", "emissivity")
    quantity: str = eqx.field(static=True, default="T")

    @property
    def moves(self) -> tuple[str, ...]:
        """Heat."""
        return (self.quantity,)

    def one_way(self, tail: Local, head: Local, edge: Geometry) -> dict[str, tuple[Any, Any]]:
        """What each side sends to the other, W."""
        strength = self.emissivity * SIGMA_SB * edge.area
        return {self.quantity: (strength * tail[self.quantity] ** 4, strength * head[self.quantity] ** 4)}


class Weibull(Coefficient):
    """Share of a xylem's conductance left at the water potential psi (Pa): exp(-(-psi / b)^c), one above zero.

    Neufeld et al. (1992). ``scale`` b in Pa (positive), ``shape`` c.
    """

    scale: Any
    shape: Any

    def __call__(self, x: Any) -> Any:
        """The share at the water potential ``x``."""
        tension = jnp.where(x < 0, -x, 0.0) / self.scale
        safe = jnp.where(tension > 0, tension, 1.0)
        return jnp.where(tension > 0, jnp.exp(-(safe**self.shape)), 1.0)

    def mean(self, a: Any, b: Any) -> Any:
        """Exact mean between two potentials, however far apart: the integral is an incomplete gamma function.

        For close neighbours the difference of two integrals would cancel; there, away from the branch point at zero,
        quadrature is exact to rounding.
        """
        tension = jnp.maximum(-jnp.minimum(a, b), 0.0)
        far = jnp.abs(a - b) > jnp.minimum(0.3 * self.scale, 0.01 * tension)
        gap = jnp.where(far, a - b, 1.0)
        return jnp.where(far, (self._integral(a) - self._integral(b)) / gap, path_mean(self, a, b))

    def _integral(self, x: Any) -> Any:
        """Integral of the share from 0 to x, Pa."""
        tension = jnp.where(x < 0, -x, 0.0) / self.scale
        safe = jnp.where(tension > 0, tension, 1.0)
        power = 1.0 / self.shape
        below = -self.scale * power * gamma(power) * gammainc(power, safe**self.shape)
        return jnp.where(x < 0, below, x)


class HydraulicConductance(EdgeLaw):
    """Flow through a link whose conductance falls as the potential falls: K mean(w) (psi_t - psi_h + external drop).

    ``conductance`` K is that of the whole link (m^3/(s Pa), or kg/(s Pa) if the model counts kilograms);
    ``vulnerability`` the share w(psi) left, averaged along the way between the two potentials.
    """

    quantity: str = eqx.field(static=True)
    conductance: Any = parameter("", "hydraulic conductance (a bare number in SI)")
    vulnerability: Any = None

    @property
    def moves(self) -> tuple[str, ...]:
        """The fluid's volume."""
        return (self.quantity,)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Flow from tail to head."""
        a, b = tail[self.quantity], head[self.quantity]
        external = tail.quantity(self.quantity).external
        drop = a - b + (tail[external] - head[external] if external else 0.0)
        share = 1.0 if self.vulnerability is None else self.vulnerability.mean(a, b)
        return {self.quantity: self.conductance * share * drop}


class Orifice(EdgeLaw):
    """Torricelli: Q = C_d a sqrt(2 dp / rho) from the higher to the lower pressure, m^3/s; ``opening`` a in m^2.

    Near the pressure drop ``creeping`` (Pa) the flow turns laminar, in proportion to the drop: without that the slope
    at rest would be infinite. Far above it the share lacking is (creeping / drop)^2 / 4.
    """

    opening: Any = parameter("m^2", "opening of the orifice")
    discharge: Any = parameter("", "discharge coefficient", default=0.62)
    density: Any = parameter("kg/m^3", "density", default=998.0)
    quantity: str = eqx.field(static=True, default="p")
    creeping: Any = parameter("Pa", "pressure drop of creeping flow", default=1e-9)

    @property
    def moves(self) -> tuple[str, ...]:
        """The fluid's volume."""
        return (self.quantity,)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Volume flow from tail to head, m^3/s."""
        drop = tail[self.quantity] - head[self.quantity]
        root = drop / (drop**2 + self.creeping**2) ** 0.25
        return {self.quantity: self.discharge * self.opening * jnp.sqrt(2.0 / self.density) * root}


class Weir(EdgeLaw):
    """Flow over a crest: Q = C_w w h^1.5 with h the head above the crest, m^3/s; nothing below it (Poleni 1717).

    Falls freely from the tail, whatever the head's pressure. ``coefficient`` C_w in m^0.5/s (1.84 for a sharp crest,
    Francis 1883), ``crest`` the height above the zero of the pressure, m; p = rho g h.
    """

    crest: Any = parameter("m", "height of the crest")
    width: Any = parameter("m", "width of the weir")
    coefficient: Any = parameter("m^0.5/s", "weir coefficient", default=1.84)
    density: Any = parameter("kg/m^3", "density", default=998.0)
    quantity: str = eqx.field(static=True, default="p")

    @property
    def moves(self) -> tuple[str, ...]:
        """The fluid's volume."""
        return (self.quantity,)

    def one_way(self, tail: Local, head: Local, edge: Geometry) -> dict[str, tuple[Any, Any]]:
        """Volume flow over the crest, and none back."""
        rise = tail[self.quantity] / (self.density * G_STANDARD) - self.crest
        over = jnp.where(rise > 0, rise, 0.0)
        return {self.quantity: (self.coefficient * self.width * over**1.5, jnp.zeros_like(over))}


class Advection(EdgeLaw):
    """A quantity carried by a stream of known speed, with diffusion, by exponential fitting (upwind without diffusion).

    ``velocity`` m/s from tail to head, or ``flow`` m^3/s through the face of each edge (from `throughflow`);
    ``diffusivity`` m^2/s; ``capacity`` turns the state into what is carried per volume (rho c_p for heat).
    """

    quantity: str = eqx.field(static=True)
    velocity: Any = parameter("m/s", "velocity of the stream", default=None)
    diffusivity: Any = parameter("m^2/s", "diffusivity", default=0.0)
    capacity: Any = parameter("", "capacity", default=1.0)
    flow: Any = parameter("m^3/s", "flow of the stream", default=None)

    def __check_init__(self) -> None:
        if (self.velocity is None) == (self.flow is None):
            raise ModelError(f"The stream that carries {self.quantity} needs its velocity or its flow, one of the two.")

    dissipative: ClassVar[bool] = False
    """What a stream carries up a quantity's own potential is paid for by the stream, whose work is in no book here."""

    @property
    def moves(self) -> tuple[str, ...]:
        """The quantity carried."""
        return (self.quantity,)

    def one_way(self, tail: Local, head: Local, edge: Geometry) -> dict[str, tuple[Any, Any]]:
        """What is carried forward and back; their difference is J = A (v c - D dc/dx) exactly for constant v and D."""
        a, b = tail[self.quantity], head[self.quantity]
        stream = self.velocity * edge.area if self.flow is None else self.flow
        spread = self.capacity * self.diffusivity * edge.conductor
        still = jnp.asarray(self.diffusivity) == 0.0
        climb = jnp.where(still, 0.0, -stream / (jnp.where(still, 1.0, self.diffusivity) * edge.conductor))
        fit = fitted(spread, a, b, climb)
        flow = self.capacity * stream
        upwind = (jnp.maximum(flow, 0.0) * a, jnp.maximum(-flow, 0.0) * b)
        return {self.quantity: (jnp.where(still, upwind[0], fit[0]), jnp.where(still, upwind[1], fit[1]))}
