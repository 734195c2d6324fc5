"""A closed loop of pipe: its space, the stream that carries heat round it, and the momentum of that stream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from scipy.optimize import brentq

import steadyflux as sf
from steadyflux.ground.arithmetic import array_module, is_traced
from steadyflux.ground.constants import G_STANDARD
from steadyflux.ground.errors import InputError, NotConverged
from steadyflux.model.shared import Rate
from steadyflux.physics.local import Geometry, Local
from steadyflux.space.space import INTERIOR, Edges, Place
from steadyflux.systems.system import Values

VELOCITY = "velocity"  # name of the shared unknown
WALLS = ("heater", "cooler")
PAIRS = "pairs"  # edge set that spans two edges at a time
KEEN = 0.1  # strength of the smoothing; third-order upwinding has 1/3
COARSE = 49  # edges in a limb while the critical heating is looked for
NEAR = 1e-3  # step by which the slope of the growth rate is taken
ONSET, SETTLED = 2300.0, 2400.0  # Reynolds numbers between which laminar friction gives way to turbulent


class Stream(sf.EdgeLaw):
    """Heat carried by the stream of a loop: rho c_p A u times the mean of the two temperatures, W.

    The mean adds no spreading of its own (an upwind value would, and would feign stability); exact for a temperature
    that is linear along the edge.
    """

    capacity: Any = sf.parameter("J/(m^3*K)", "heat capacity per volume")
    quantity: str = sf.static(default="T")

    dissipative: ClassVar[bool] = False
    """Carrying alone makes no entropy: round the loop the sum of rho c_p u dT / T vanishes."""

    @property
    def moves(self) -> tuple[str, ...]:
        """Heat."""
        return (self.quantity,)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Heat from tail to head, W."""
        carried = self.capacity * edge.area * tail[VELOCITY]
        return {self.quantity: 0.5 * carried * (tail[self.quantity] + head[self.quantity])}


class Smoothing(sf.EdgeLaw):
    """What takes ripples shorter than the edges resolve out of a stream: rho c_p A |u| share (T_t - T_h), W.

    With shares of both signs on the edges and on pairs of edges (`_smoothing`) it acts on the second differences of
    the temperature alone, squared: a fourth difference, of higher order than the stream's own error.
    """

    capacity: Any = sf.parameter("J/(m^3*K)", "heat capacity per volume")
    share: Any = sf.parameter("", "share of the stream")
    quantity: str = sf.static(default="T")

    dissipative: ClassVar[bool] = False

    @property
    def moves(self) -> tuple[str, ...]:
        """Heat."""
        return (self.quantity,)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Heat from tail to head, W."""
        stream = self.capacity * edge.area * jnp.abs(tail[VELOCITY])
        return {self.quantity: stream * self.share * (tail[self.quantity] - head[self.quantity])}


class Friction(eqx.Module):
    """Pressure that the loop's friction takes, Pa: (f L / d + K) rho u |u| / 2.

    ``regime`` is laminar (f = 64 / Re, Hagen 1839, Poiseuille 1840), turbulent (f = 0.316 Re^(-1/4), Blasius 1913) or
    auto: laminar up to Re = 2300, turbulent from 2400 on.
    """

    length: Any
    diameter: Any
    density: Any
    viscosity: Any
    losses: Any
    regime: str = eqx.field(static=True)

    def __call__(self, u: Any) -> Any:
        """Pressure against the velocity ``u``, Pa."""
        speed = jnp.abs(u)
        safe = jnp.where(speed > 0.0, speed, 1.0)
        reynolds = self.density * safe * self.diameter / self.viscosity
        laminar = 32.0 * self.viscosity * self.length / self.diameter**2 * u
        turbulent = 0.158 * reynolds**-0.25 * self.length / self.diameter * self.density * safe * u
        turbulent = jnp.where(speed > 0.0, turbulent, 0.0)
        step = jnp.clip((reynolds - ONSET) / (SETTLED - ONSET), 0.0, 1.0)
        share = {"laminar": 0.0, "turbulent": 1.0, "auto": step**2 * (3.0 - 2.0 * step)}[self.regime]
        pipe = laminar + share * (turbulent - laminar)
        return pipe + 0.5 * self.losses * self.density * speed * u


class Momentum(Rate):
    """rho L du/dt = rho g beta (integral of T dz round the loop) - friction (Boussinesq 1903); the rate in m/s^2."""

    height: Any  # (cell,), of the nodes above the lowest, m
    density: Any
    expansion: Any
    friction: Friction

    def __call__(self, view: Any) -> Any:
        """Acceleration of the stream, m/s^2."""
        push = self.density * G_STANDARD * self.expansion * buoyancy(view["T"][: self.height.shape[0]], self.height)
        return (push - self.friction(view[VELOCITY])) / (self.density * self.friction.length)


def buoyancy(T: Any, z: Any) -> Any:
    """Integral of T dz round a closed line of nodes, K m."""
    return jnp.sum(0.5 * (T + jnp.roll(T, -1)) * (jnp.roll(z, -1) - z))


class Piece(NamedTuple):
    """A straight stretch of the loop: length and rise, m, number of edges, and the name of its wall if it has one.

    ``stretch`` grades the edges: the last is e^stretch times the first (for a negative one the first e^-stretch times
    the last).
    """

    length: Any
    rise: Any
    steps: int
    name: str | None = None
    stretch: Any = 0.0


def ring(pieces: Sequence[Piece], radius: Any) -> tuple[sf.Space, Any]:
    """A closed pipe made of ``pieces``, and the height of its nodes above the first, (cell,), m.

    Pieces meet at nodes: where the source along the pipe jumps the mean of two neighbours stays exact, and nothing is
    smoothed. The wall of a named piece is a place of that name.
    """
    xp = array_module(*[(piece.length, piece.rise, piece.stretch) for piece in pieces], radius)
    count = sum(piece.steps for piece in pieces)
    begin, low, first = xp.zeros(()), xp.zeros(()), 0
    smooth: list[int] = []
    position, height, step = [], [], []
    places: dict[str, Place] = {}
    for piece in pieces:
        share = _graded(piece.steps, piece.stretch, xp)
        steps = piece.length * (share[1:] - share[:-1])
        position.append(begin + piece.length * share[:-1])
        height.append(low + piece.rise * share[:-1])
        step.append(steps)
        if piece.name is not None:
            none = xp.zeros(1)
            own = 0.5 * (xp.concatenate([none, steps]) + xp.concatenate([steps, none]))
            cells = np.arange(first, first + piece.steps + 1) % count
            places[piece.name] = Place(cells, 2.0 * np.pi * radius * own, "boundary")
        smooth += range(first + 1, first + piece.steps)
        begin, low, first = begin + piece.length, low + piece.rise, first + piece.steps
    s, steps = xp.concatenate(position), xp.concatenate(step)
    area = np.pi * radius**2
    volume = 0.5 * area * (steps + xp.roll(steps, 1))
    edges = _pipe(s, steps, area, np.array(smooth), xp)
    return sf.Space(volume, s, edges, places, "loop", coordinate="s"), xp.concatenate(height)


def _pipe(s: Any, steps: Any, area: Any, smooth: np.ndarray, xp: Any) -> dict[str, Edges]:
    """The edges of a closed pipe, and under the name `PAIRS` those that span the two edges at a node in ``smooth``."""
    count = int(np.shape(s)[0])
    tail, one = np.arange(count), xp.ones(count)
    before = (smooth - 1) % count
    two = steps[before] + steps[smooth]
    return {
        INTERIOR: Edges(tail, (tail + 1) % count, area * one, steps, s + 0.5 * steps),
        PAIRS: Edges(before, (smooth + 1) % count, area * one[: len(smooth)], two, s[smooth]),
    }


def stream(space: sf.Space, capacity: Any) -> list[sf.EdgeLaw]:
    """The laws of a stream in a closed pipe: what it carries, and the smoothing of what its edges do not resolve.

    The square of a second difference a (T+ - T) - b (T - T-), with a and b one over the lengths of the two edges, is
    made of differences between three nodes: a (a + b) and b (a + b) on the edges, -a b on the pair.
    """
    pairs, steps = space.edge_set(PAIRS), space.edge_set(INTERIOR).length
    xp = array_module(steps)
    inside = np.zeros(int(np.shape(steps)[0]))
    inside[(np.asarray(pairs.tail) + 1) % len(inside)] = 1.0
    ratio = xp.roll(steps, 1) / steps  # of the edge before each node to the one after it
    near = inside * (1.0 + ratio) + xp.roll(inside * (1.0 + 1.0 / ratio), -1)
    across = -0.25 * KEEN * np.ones(len(pairs))
    return [Stream(capacity), Smoothing(capacity, 0.25 * KEEN * near), Smoothing(capacity, across, on=PAIRS)]


def _graded(steps: int, stretch: Any, xp: Any) -> Any:
    """Nodes of a piece from 0 to 1, (steps + 1,)."""
    even = np.linspace(0.0, 1.0, steps + 1)
    size = xp.maximum(xp.abs(stretch), 1e-9)
    near = xp.expm1(size * even) / xp.expm1(size)
    return xp.where(stretch < 0.0, 1.0 - near[::-1], near)


def _leg(p: Values, what: str, rise: int, ntu: Any) -> list[Piece]:
    """A leg with a heater or a cooler on it, in the order in which it is passed when upward on the heater's side."""
    height, steps = p.height, p.steps
    middle, length = p.items[f"{what}_height"], p.items[f"{what}_length"]
    if length is None:
        if middle is not None:
            raise InputError(f"Give the {what} a {what}_length too, or leave out its {what}_height.")
        return [Piece(height, rise * height, steps, what, ntu)]
    middle = 0.5 * height if middle is None else middle
    below, above = middle - 0.5 * length, height - middle - 0.5 * length
    if not is_traced(below, above) and min(below, above) < -1e-9 * height:
        raise InputError(
            f"The {what} would reach from {below:g} m to {height - above:g} m on a leg of {height:g} m; lower its "
            f"{what}_length or move its {what}_height."
        )
    around = [Piece(x, rise * x, max(steps // 2, 2)) for x in ((below, above) if rise > 0 else (above, below))]
    pieces = [around[0], Piece(length, rise * length, steps, what, ntu), around[1]]
    return [x for x in pieces if is_traced(x.length) or x.length > 1e-9 * height]


def rectangle(p: Values, guess: Any) -> tuple[sf.Space, Any]:
    """The rectangular loop of a thermosyphon with the values ``p``, and the height of its nodes, (cell,), m.

    It begins at the lower corner where the heater's side does. Edges are finest where the stream (about ``guess``, m/s)
    enters a wall of given temperature, which may soon bring it to that.
    """
    xp = array_module(p.items)
    stream = p.density * p.heat_capacity * np.pi * p.pipe_radius**2 * guess
    ntu = {what: xp.sign(guess) * xp.log1p(p.items[f"{what}_conductance"] / xp.abs(stream)) for what in WALLS}
    if p.heating == "power":
        ntu["heater"] = 0.0
    if p.arrangement == "horizontal":
        bottom = [Piece(p.width, 0.0, p.steps, "heater", ntu["heater"])]
        top = [Piece(p.width, 0.0, p.steps, "cooler", ntu["cooler"])]
        rising, falling = Piece(p.height, p.height, p.steps), Piece(p.height, -p.height, p.steps)
        return ring([*bottom, rising, *top, falling], p.pipe_radius)
    limb = Piece(p.width, 0.0, p.steps)
    return ring(
        [*_leg(p, "heater", 1, ntu["heater"]), limb, *_leg(p, "cooler", -1, ntu["cooler"]), limb], p.pipe_radius
    )


def torus(count: int, radius: Any, pipe_radius: Any) -> tuple[sf.Space, Any]:
    """A torus of pipe with ``count`` cells and as many wall cells around it, and the height of its fluid nodes, m.

    Nodes stand at equal angles from the lowest point on, the first quarter on the way up. Edge sets: interior, and
    ``film`` from each fluid cell to its wall; places: ``fluid`` and ``wall``.
    """
    xp = array_module(radius, pipe_radius)
    cells = np.arange(count)
    angle = 2.0 * np.pi * cells / count
    s, arc = radius * angle, 2.0 * np.pi * radius / count
    area, around, one = np.pi * pipe_radius**2, 2.0 * np.pi * pipe_radius, xp.ones(count)
    film = Edges(cells, cells + count, around * arc * one, np.ones(count), s)
    places = {"fluid": Place(cells, np.ones(count), "region"), "wall": Place(cells + count, np.ones(count), "region")}
    volume = area * arc * xp.ones(2 * count)
    edges = {**_pipe(s, arc * one, area, cells, xp), "film": film}
    return sf.Space(volume, xp.concatenate([s, s]), edges, places, "loop", coordinate="s"), -radius * np.cos(angle)


def expected_speed(p: Values) -> Any:
    """Velocity of laminar flow with heater and cooler a height apart, m/s: where the search starts."""
    xp = array_module(p.items)
    if p.arrangement == "torus":
        friction, exchange = torus_rates(p)
        r = G_STANDARD * p.expansion * p.wall_amplitude / (p.height * friction * exchange)
        sense = xp.where(xp.sin(p.tilt) < 0.0, -1.0, 1.0)
        return sense * 0.5 * p.height * exchange * xp.sqrt(xp.maximum(r - 1.0, 0.01))
    power, sense, most = p.heater, 1.0, np.inf
    resistance = 16.0 * p.viscosity * (p.width + p.height) / (p.density * p.pipe_radius**2)
    lift = G_STANDARD * p.expansion * p.height
    if p.heating == "wall":
        rise = p.heater_temperature - p.cooler_temperature
        power = xp.abs(rise) / (1.0 / p.heater_conductance + 1.0 / p.cooler_conductance)
        sense, most = xp.where(rise < 0.0, -1.0, 1.0), xp.maximum(lift * xp.abs(rise) / resistance, 1e-12)
    area = np.pi * p.pipe_radius**2
    return sense * xp.minimum(most, xp.sqrt(lift * power / (p.density * p.heat_capacity * area * resistance)))


def torus_rates(p: Values) -> tuple[Any, Any]:
    """Rates of laminar friction and of the exchange with the wall of a torus, 1/s."""
    volume = np.pi * p.height * np.pi * p.pipe_radius**2
    friction = 8.0 * p.viscosity / (p.density * p.pipe_radius**2)
    return friction, p.cooler_conductance / (p.density * p.heat_capacity * volume)


def stronger(p: Values, times: float, steps: int | None = None) -> Values:
    """The same loop with ``times`` the heating or the temperature difference of its walls, not looked into."""
    changes: dict[str, Any] = {"stability": "no", "steps": steps or p.steps}
    if p.arrangement == "torus":
        changes["wall_amplitude"] = times * p.wall_amplitude
    elif p.heating == "power":
        changes["heater"] = times * p.heater
    else:
        changes["heater_temperature"] = p.cooler_temperature + times * (p.heater_temperature - p.cooler_temperature)
    return Values({**p.items, **changes})


def first_unstable(growth: Callable[[float, int], float], steps: int, most: float) -> float | None:
    """How many times the heating first makes ``growth`` (1/s, of times and steps) positive, between 1/1000 and 1000.

    Found on a coarse loop and then, by the slope of the growth rate, on the loop itself. None where the circulation
    stays stable, or is unstable from the least heating on.
    """
    rough, before = min(steps, COARSE), None
    for times in 10.0 ** np.arange(-3.0, 3.01, 0.25):
        try:
            unstable = times < most and growth(times, rough) > 0.0
        except NotConverged:
            return None
        if unstable:
            break
        before = times
    else:
        return None
    if before is None:
        return None
    found = float(brentq(lambda x: growth(x, rough), before, times, xtol=1e-12, rtol=1e-6))  # type: ignore[arg-type]
    for _ in range(2 if rough < steps else 0):
        here, there = growth(found, steps), growth(found * (1.0 + NEAR), steps)
        found *= 1.0 - NEAR * here / (there - here)
    return found
