"""Gas in motion: the fluxes of mass, momentum and energy between two states by the exact Riemann problem (Godunov)."""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from steadyflux.ground.constants import R
from steadyflux.physics.law import EdgeLaw, parameter
from steadyflux.physics.local import Geometry, Local

STEPS = 60  # of Newton's method at most; from the starting pressure used it takes three to eight
NEAR = 1e-15  # relative change of the pressure at which the search ends
VACUUM = 1e-30  # share of the energy density below which a pressure counts as this: a gas can hardly be emptier


class Gas(NamedTuple):
    """Density (kg/m^3), velocity (m/s) and pressure (Pa) of a gas on one side of a plane."""

    density: Any
    velocity: Any
    pressure: Any

    def sound(self, ratio: Any) -> Any:
        """Speed of sound, m/s."""
        return jnp.sqrt(ratio * self.pressure / self.density)


class Star(NamedTuple):
    """What lies between the two outer waves: pressure and velocity, and the densities left and right of the contact."""

    pressure: Any
    velocity: Any
    left_density: Any
    right_density: Any


def _branch(p: Any, side: Gas, ratio: Any) -> tuple[Any, Any]:
    """Change of velocity across the wave to the pressure p (Toro 2009, eq. 4.6 and 4.7), and its slope."""
    a = side.sound(ratio)
    strength, floor = 2.0 / ((ratio + 1.0) * side.density), (ratio - 1.0) / (ratio + 1.0) * side.pressure
    root = jnp.sqrt(strength / (p + floor))
    shock = (p - side.pressure) * root
    shock_slope = root * (1.0 - 0.5 * (p - side.pressure) / (p + floor))
    power = 0.5 * (ratio - 1.0) / ratio
    fan = 2.0 * a / (ratio - 1.0) * jnp.expm1(power * jnp.log(p / side.pressure))
    fan_slope = (p / side.pressure) ** (-0.5 * (ratio + 1.0) / ratio) / (side.density * a)
    is_shock = p > side.pressure
    return jnp.where(is_shock, shock, fan), jnp.where(is_shock, shock_slope, fan_slope)


def _excess(p: Any, left: Gas, right: Gas, ratio: Any) -> tuple[Any, Any]:
    (one, slope), (other, other_slope) = _branch(p, left, ratio), _branch(p, right, ratio)
    return one + other + right.velocity - left.velocity, slope + other_slope


@jax.custom_jvp
def star_pressure(left: Gas, right: Gas, ratio: Any) -> Any:
    """Pressure between the waves, Pa, by Newton's method from that of two rarefactions (Toro 2009, sec. 4.3).

    The sought function is concave and rises, so the steps come to its root from below whatever the start.
    """
    power = 0.5 * (ratio - 1.0) / ratio
    sounds = left.sound(ratio), right.sound(ratio)
    rise = sounds[0] + sounds[1] - 0.5 * (ratio - 1.0) * (right.velocity - left.velocity)
    scaled = sounds[0] / left.pressure**power + sounds[1] / right.pressure**power
    least = jnp.minimum(left.pressure, right.pressure)
    start = jnp.maximum(jnp.maximum(rise, 0.0) / scaled, 1e-30 * least**power) ** (1.0 / power)

    def going(at: tuple[Any, Any, Any]) -> Any:
        return (at[1] > NEAR * at[0]) & (at[2] < STEPS)

    def step(at: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        p, _, count = at
        value, slope = _excess(p, left, right, ratio)
        following = jnp.maximum(p - value / slope, 1e-3 * p)
        return following, jnp.abs(following - p), count + 1

    return jax.lax.while_loop(going, step, (start, start, jnp.zeros((), dtype=int)))[0]


@star_pressure.defjvp
def _star_pressure_jvp(primals: Any, tangents: Any) -> tuple[Any, Any]:
    left, right, ratio = primals
    p = star_pressure(left, right, ratio)
    slope = _excess(p, left, right, ratio)[1]
    along = jax.jvp(lambda *sides: _excess(p, *sides)[0], primals, tangents)[1]
    return p, -along / slope


def star(left: Gas, right: Gas, ratio: Any) -> Star:
    """State between the outer waves of the Riemann problem of an ideal gas."""
    p = star_pressure(left, right, ratio)
    velocity = 0.5 * (left.velocity + right.velocity + _branch(p, right, ratio)[0] - _branch(p, left, ratio)[0])
    return Star(p, velocity, _density(p, left, ratio), _density(p, right, ratio))


def _density(p: Any, side: Gas, ratio: Any) -> Any:
    """Density behind the wave: Hugoniot's behind a shock, isentropic behind a rarefaction."""
    x, share = p / side.pressure, (ratio - 1.0) / (ratio + 1.0)
    return side.density * jnp.where(x > 1.0, (x + share) / (share * x + 1.0), x ** (1.0 / ratio))


def wave_speeds(left: Gas, right: Gas, ratio: Any) -> tuple[Any, Any, Any, Any, Any]:
    """Speeds of the head and tail of the left wave, of the contact, of the tail and head of the right wave, m/s; head
    and tail of a shock are one."""
    middle = star(left, right, ratio)

    def outer(side: Gas, density: Any, sign: float) -> tuple[Any, Any]:
        x = middle.pressure / side.pressure
        mach = jnp.sqrt(0.5 * (ratio + 1.0) / ratio * x + 0.5 * (ratio - 1.0) / ratio)
        shock = side.velocity + sign * side.sound(ratio) * mach
        head = side.velocity + sign * side.sound(ratio)
        tail = middle.velocity + sign * jnp.sqrt(ratio * middle.pressure / density)
        return jnp.where(x > 1.0, shock, head), jnp.where(x > 1.0, shock, tail)

    head, tail = outer(left, middle.left_density, -1.0)
    far, near = outer(right, middle.right_density, 1.0)
    return head, tail, middle.velocity, near, far


def sample(left: Gas, right: Gas, ratio: Any, speed: Any) -> Gas:
    """State that is found at x / t = ``speed`` after the two have met at x = 0 (Toro 2009, sec. 4.5)."""
    middle = star(left, right, ratio)
    head, tail, contact, near, far = wave_speeds(left, right, ratio)
    within = [_fan(left, ratio, speed, 1.0), _fan(right, ratio, speed, -1.0)]
    inner = [Gas(d, middle.velocity, middle.pressure) for d in (middle.left_density, middle.right_density)]

    def pick(before: Any, fan: Any, inside: Any, beyond: Any, other: Any, after: Any) -> Any:
        one = jnp.where(speed < head, before, jnp.where(speed < tail, fan, inside))
        two = jnp.where(speed > far, after, jnp.where(speed > near, other, beyond))
        return jnp.where(speed < contact, one, two)

    return Gas(*(pick(*parts) for parts in zip(left, within[0], inner[0], inner[1], within[1], right, strict=True)))


def _fan(side: Gas, ratio: Any, speed: Any, sign: float) -> Gas:
    """Inside the rarefaction of the left (sign 1) or right (-1) wave."""
    a = side.sound(ratio)
    inner = 2.0 / (ratio + 1.0) + sign * (ratio - 1.0) / (ratio + 1.0) / a * (side.velocity - speed)
    inner = jnp.maximum(inner, VACUUM)
    velocity = 2.0 / (ratio + 1.0) * (sign * a + 0.5 * (ratio - 1.0) * side.velocity + speed)
    power = 2.0 / (ratio - 1.0)
    return Gas(side.density * inner**power, velocity, side.pressure * inner ** (power * ratio))


class Riemann(EdgeLaw):
    """Compressible Euler: what crosses the plane at which two states of a gas meet (Godunov 1959).

    Moves the ``gas`` (mol/s), its momentum along the edges (N) and its energy (W): a species, an `Impulse` and an
    `Energy` in a phase with a molar mass (`IdealGas`); ``ratio`` is the ratio of its heat capacities. First order in
    the length of the cells; what the flow carries without a loss costs no entropy, shocks do.
    """

    ratio: Any = parameter("", "ratio of the heat capacities")
    gas: str = eqx.field(static=True, default="gas")
    impulse: str = eqx.field(static=True, default="m")
    heat: str = eqx.field(static=True, default="E")
    symmetry = None

    @property
    def moves(self) -> tuple[str, ...]:
        """The gas, its momentum and its energy."""
        return (self.gas, self.impulse, self.heat)

    def side(self, here: Local) -> Gas:
        """The gas as the Riemann problem sees it."""
        least = VACUUM * here[self.heat]
        return Gas(here.mass, here.velocity(self.impulse), jnp.maximum(here[self.gas] * R * here.T, least))

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Flow from tail to head."""
        at = sample(self.side(tail), self.side(head), self.ratio, jnp.zeros(()))
        mass = edge.area * at.density * at.velocity
        enthalpy = self.ratio / (self.ratio - 1.0) * at.pressure / at.density + 0.5 * at.velocity**2
        return {
            self.gas: mass * tail[self.gas] / tail.mass,
            self.impulse: mass * at.velocity + edge.area * at.pressure,
            self.heat: mass * enthalpy,
        }

    def carried(self, here: Local, edge: Geometry) -> Any:
        """-p v A / T, W/K: the potential of the entropy that the stream carries."""
        side = self.side(here)
        return -edge.area * side.pressure * side.velocity / here.T
