"""Brownian walkers in an interval: each has a place of its own, spreads with D(x) and drifts with v(x).

D and v come from the laws: a fitted edge with the rates f and r of one walker each way has the rise of energy ln(r / f)
and so its own D and v. Between the middles of edges both are interpolated. A step is

    x' = x + v dt + (1/2) [1 + D(y) / D(x)] sqrt(2 D(x) dt) xi,   y = x + sqrt(2 D(x) dt) xi

(Hutter and Ottinger, J. Chem. Soc. Faraday Trans. 94 (1998) 1403), which has Fick's law J = v c - D dc/dx as its limit,
with no spurious drift where D varies. A sealed end turns the path back: it is pushed up by as much as its lowest point
lay below, drawn from the Brownian bridge between the ends of the step (without drift folding is the same). A held end
absorbs whoever crosses it, between the ends of a step too (by the chance of a Brownian bridge, exp(-d d' / D dt)); what
a reservoir sends in during a step is Poisson with the profile that it builds up before an absorbing start in that time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np
from scipy.special import erfc, erfcx

from steadyflux.ground.errors import InputError, ModelError
from steadyflux.solve.events import Events, Hops, rates_of_runs

TOGETHER = 8192  # walkers whose numbers fit a cache
POINTS = 4001  # of the table from which entering walkers are placed


@dataclass(frozen=True)
class Track:
    """The interval as walkers see it: D and v at the middles of the edges, and what its two ends are."""

    nodes: np.ndarray
    middles: np.ndarray
    diffusivity: np.ndarray
    velocity: np.ndarray
    held: tuple[bool, bool]
    supply: tuple[float, float]
    """Walkers per length, in the reservoirs at the two ends."""

    @property
    def even(self) -> bool:
        """Whether D and v are the same everywhere."""
        d, v = self.diffusivity, self.velocity
        spread = np.ptp(v) * (self.nodes[-1] - self.nodes[0])
        return bool(np.ptp(d) <= 1e-12 * d.max() and spread <= 1e-9 * d.max())


def track_of(events: Events, hops: Hops | None) -> Track:
    """The walkers' way through a model's interval. Raises ModelError for what is no such way."""
    model = events.model
    kind = "Brownian walkers need one quantity that diffuses along an interval"
    if model.space.kind != "interval" or len(model.names) != 1 or hops is None:
        raise ModelError(f'{kind}; take method="lattice" or "exact" for this model.')
    groups = [g for g in events.groups if g.what != "influx"]
    if any(g.on != "interior" or g.law is None or model.acting[g.law] != "interior" for g in groups):
        raise ModelError(f'{kind}, without reactions or exchanges; take method="lattice" or "exact" for this model.')
    if len(groups) < len(events.groups) or np.ptp(np.asarray(model.space.edges["interior"].area)) > 0:
        raise ModelError(f"{kind} of one cross-section, without a given influx; hold its ends or leave them sealed.")
    ends = (0, model.cells - 1)
    held = np.asarray(model.layout.held)[:, 0]
    if held[1:-1].any():
        raise ModelError(f"{kind} and is held at its ends only.")
    forward, reverse = _rates(events)
    edges = model.space.edges["interior"]
    volume, length = np.asarray(model.space.volume), np.asarray(edges.length)
    capacity = np.broadcast_to(np.asarray(model.storage[0].factor), (model.cells,))
    if np.ptp(capacity) > 0:
        raise ModelError(f"{kind} and is stored alike everywhere; give it one capacity.")
    # rates of one walker times the volume it is in: D A / l B(climb) and D A / l B(-climb)
    area = np.asarray(edges.area)
    f, r = forward * volume[:-1], reverse * volume[1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        climb = np.log(r) - np.log(f)
    if not np.all(np.isfinite(climb)):
        raise ModelError("Walkers that never spread are no Brownian ones; give the law a diffusivity above zero.")
    # B(-w) - B(w) = w
    small = np.abs(climb) < 1e-8
    conductance = np.where(small, 0.5 * (f + r), (r - f) / np.where(small, 1.0, climb))
    diffusivity = conductance * length / area
    state = np.asarray(events.table.held)
    supply = [float(state[i]) * events.table.amount[i] / volume[i] / events.table.weight * area[0] for i in ends]
    position = np.asarray(model.space.position)
    return Track(
        nodes=position,
        middles=np.asarray(edges.position),
        diffusivity=diffusivity,
        velocity=-diffusivity * climb / length,
        held=(bool(held[0]), bool(held[-1])),
        supply=(supply[0] if held[0] else 0.0, supply[1] if held[-1] else 0.0),
    )


def _rates(events: Events) -> tuple[np.ndarray, np.ndarray]:
    """Rates of one walker forwards and back on each edge, 1/s, whether or not its ends are held."""
    model, table = events.model, events.table
    everywhere = table._replace(free=np.ones_like(table.free), need=np.zeros_like(table.need))
    ones = jnp.ones((1, events.nodes))
    found = np.asarray(rates_of_runs(model, everywhere, ones))[0]
    both = [np.zeros(model.cells - 1), np.zeros(model.cells - 1)]
    for g in events.groups:
        both[0 if g.sign == 1 else 1] += found[g.start : g.stop]
    return both[0], both[1]


class Entering:
    """What one end's reservoir sends in during a step: how many on average, and how deep they get."""

    def __init__(self, density: float, diffusivity: float, inward: float, step: float) -> None:
        reach = np.sqrt(4.0 * diffusivity * step)
        depth = np.linspace(0.0, 8.0 * reach + max(inward, 0.0) * step, POINTS)
        # The solution for a half-space that starts empty and is held at its end, with drift (Ogata and Banks 1961).
        ahead, behind = (depth - inward * step) / reach, (depth + inward * step) / reach
        profile = 0.5 * (erfc(ahead) + np.exp(-(ahead**2)) * erfcx(np.maximum(behind, -25.0)))
        inside = 0.5 * (profile[1:] + profile[:-1]) * np.diff(depth)
        self.mean = density * float(inside.sum())
        self.sums = np.append(0.0, np.cumsum(inside)) / inside.sum()
        self.depth = depth

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Depths of those who have entered in one step."""
        count = int(rng.poisson(self.mean))
        return np.interp(rng.random(count), self.sums, self.depth) if count else np.zeros(0)


def brownian_run(
    track: Track,
    numbers: np.ndarray,
    times: np.ndarray,
    step: float,
    rng: np.random.Generator,
    told: Callable[[float], None],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One run: walkers in each cell at the times, (time, cell), those who have crossed the middle of each edge since
    the start, less those back, (time, edge), and the places of all at the end.

    ``numbers`` (cell,) are those at time zero, spread evenly over their cells.
    """
    bounds = np.concatenate([track.nodes[:1], track.middles, track.nodes[-1:]])
    cell = np.repeat(np.arange(numbers.size), numbers)
    x = bounds[cell] + rng.random(cell.size) * np.diff(bounds)[cell]
    due = np.rint(times / step).astype(np.int64)
    if np.any(np.abs(due * step - times) > 1e-6 * step * np.maximum(1.0, due)) or np.any(np.diff(due) < 1):
        raise InputError("The asked times must be whole numbers of steps, each later than the one before.")
    ends = [_entering(track, end, step) for end in (0, 1)]
    kept, passed = np.zeros((times.size, numbers.size), np.int64), np.zeros((times.size, numbers.size - 1), np.int64)
    counts, done = np.zeros((2, 2), np.int64), 0
    for i, number in enumerate(due):
        if not any(track.held):
            x = _closed(track, x, int(number) - done, step, rng)
        else:
            for _ in range(int(number) - done):
                x = _open(track, x, step, rng, counts, ends)
        done = int(number)
        kept[i] = np.histogram(x, bounds)[0]
        # Nobody is lost: what has crossed is what came in on the left, less what there is more to the left of it.
        passed[i] = counts[0, 0] - counts[0, 1] - np.cumsum(kept[i] - numbers)[:-1]
        told(1.0 / times.size)
    return kept, passed, x


def _entering(track: Track, end: int, step: float) -> Entering | None:
    if track.supply[end] == 0.0:
        return None
    at = -end
    inward = track.velocity[at] if end == 0 else -track.velocity[at]
    return Entering(track.supply[end], float(track.diffusivity[at]), float(inward), step)


def _closed(track: Track, x: np.ndarray, steps: int, step: float, rng: np.random.Generator) -> np.ndarray:
    """Many steps between sealed ends, in pieces that stay in the cache."""
    moved = [x[:0]]
    for first in range(0, x.size, TOGETHER):
        y = x[first : first + TOGETHER].copy()
        noise, spare = np.empty_like(y), np.empty_like(y)
        for _ in range(steps):
            if track.even and not track.velocity[0]:
                _move(track, y, step, rng, noise, spare)
                _fold(track, y, spare)
                continue
            before = y.copy()
            _move(track, y, step, rng, noise, spare)
            for end in (0, 1):
                _turn_back(track, before, y, step, rng, end)
        moved.append(y)
    return np.concatenate(moved)


def _move(
    track: Track, x: np.ndarray, step: float, rng: np.random.Generator, noise: np.ndarray, spare: np.ndarray
) -> None:
    """One step without ends, written into ``x``."""
    rng.standard_normal(out=noise)
    if track.even:
        noise *= np.sqrt(2.0 * track.diffusivity[0] * step)
        x += noise
        if track.velocity[0]:
            x += track.velocity[0] * step
        return
    here = np.interp(x, track.middles, track.diffusivity)
    drift = np.interp(x, track.middles, track.velocity)
    noise *= np.sqrt(2.0 * step * here)
    there = np.interp(_folded(track, x + noise), track.middles, track.diffusivity)
    np.divide(there, here, out=spare)
    spare += 1.0
    spare *= 0.5
    noise *= spare
    x += noise
    x += drift * step


def _fold(track: Track, x: np.ndarray, spare: np.ndarray) -> None:
    """Paths that have left are folded back at the ends, written into ``x``; a step is shorter than the interval."""
    low, high = track.nodes[0], track.nodes[-1]
    if low:
        x -= low
    np.abs(x, out=x)
    np.subtract(high - low, x, out=spare)
    np.abs(spare, out=spare)
    np.subtract(high - low, spare, out=x)
    if low:
        x += low


def _folded(track: Track, x: np.ndarray) -> np.ndarray:
    found = x.copy()
    _fold(track, found, np.empty_like(found))
    return found


def _near(track: Track, before: np.ndarray, x: np.ndarray, step: float, end: int) -> tuple[Any, ...]:
    """Which walkers may have touched an end in a step, their distances from it before and after, and D dt there."""
    wall, away = (track.nodes[0], 1.0) if end == 0 else (track.nodes[-1], -1.0)
    d, after = away * (before - wall), away * (x - wall)
    near = np.flatnonzero(d * after < 40.0 * track.diffusivity.max() * step)  # beyond, the chance is below e^-40
    d, after = np.maximum(d[near], 0.0), after[near]
    if track.even:
        return near, d, after, np.full(near.size, track.diffusivity[0] * step)
    local = np.interp(before[near], track.middles, track.diffusivity)
    local = 0.5 * (local + np.interp(x[near], track.middles, track.diffusivity))
    return near, d, after, local * step


def _turn_back(
    track: Track, before: np.ndarray, x: np.ndarray, step: float, rng: np.random.Generator, end: int
) -> None:
    """Reflect at a sealed end, exactly for even D and v (Skorokhod's map of a Brownian bridge), written into ``x``."""
    near, d, after, spread = _near(track, before, x, step, end)
    lowest = 0.5 * (d + after - np.sqrt((after - d) ** 2 + 4.0 * spread * rng.standard_exponential(near.size)))
    x[near] += (1.0 if end == 0 else -1.0) * np.maximum(-lowest, 0.0)


def _open(
    track: Track,
    x: np.ndarray,
    step: float,
    rng: np.random.Generator,
    counts: np.ndarray,
    ends: list[Entering | None],
) -> np.ndarray:
    """One step with at least one held end; ``counts`` (end, way) is added to."""
    before = x.copy()
    _move(track, x, step, rng, np.empty_like(x), np.empty_like(x))
    low, high = track.nodes[0], track.nodes[-1]
    staying = np.ones(x.size, dtype=bool)
    for end in (0, 1):
        if not track.held[end]:
            _turn_back(track, before, x, step, rng, end)
            continue
        near, d, after, spread = _near(track, before, x, step, end)
        chance = np.where(after <= 0.0, 1.0, np.exp(-np.maximum(d * after, 0.0) / spread))
        gone = near[rng.random(near.size) < chance]
        gone = gone[staying[gone]]
        counts[end, 1] += gone.size
        staying[gone] = False
    x = x[staying]
    came = []
    for end, entering in enumerate(ends):
        if entering is not None:
            depth = entering.draw(rng)
            counts[end, 0] += depth.size
            came.append(low + depth if end == 0 else high - depth)
    x = np.concatenate([x, *came])
    if not all(track.held):
        _fold(track, x, np.empty_like(x))
    else:
        # Who entered and crossed the whole interval in one step has left again at the other end.
        through = (x < low) | (x > high)
        counts[1, 1] += int((x > high).sum())
        counts[0, 1] += int((x < low).sum())
        x = x[~through]
    return x


def shortest_step(track: Track) -> float:
    """A step in which a walker moves a twentieth of the interval, or a tenth of the length that D varies in, s."""
    length = float(track.nodes[-1] - track.nodes[0])
    slope = np.abs(np.diff(track.diffusivity)) / np.diff(track.middles)
    varied = float(np.min(track.diffusivity)) / max(float(np.max(slope, initial=0.0)), 1e-300)
    reach = min(0.05 * length, 0.1 * varied)
    steps = [reach**2 / (2.0 * float(track.diffusivity.max()))]
    if np.any(track.velocity):
        steps.append(0.05 * length / float(np.abs(track.velocity).max()))
    return float(min(steps))


def check_step(track: Track, step: float) -> None:
    """Refuse steps so long that a walker could cross the interval in one."""
    length = float(track.nodes[-1] - track.nodes[0])
    reach = 8.0 * np.sqrt(2.0 * track.diffusivity.max() * step) + np.abs(track.velocity).max() * step
    if reach > length:
        longest = shortest_step(track)
        raise InputError(f"In a step of {step:g} s walkers cross the interval; give a step of about {longest:.3g} s.")
