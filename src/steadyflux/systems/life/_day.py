"""A tree's day: what the air demands from sunrise to sunset, and the course of flow and potential that repeats."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes

import steadyflux as sf
from steadyflux.ground.arithmetic import array_module
from steadyflux.ground.errors import NotConverged

DAY = 86400.0
NOON = 0.5 * DAY
MOMENTS = 481  # in a day: every three minutes
STILL = 1e-6  # a day repeats itself when it takes up what it transpires within this share
REST = 1e-10  # or when no potential has changed by more than this share of the largest
MOST_DAYS = 400


class Daylight(sf.Signal):
    """Half a sine from sunrise to sunset around noon, no more than a ceiling, nothing at night; each day alike.

    factor * min(peak * sin(pi (t - sunrise) / length), ceiling); midnight is at t = 0.
    """

    peak: Any
    ceiling: Any
    length: Any
    factor: Any = 1.0

    @property
    def sunrise(self) -> Any:
        """Time of sunrise, s."""
        return NOON - 0.5 * self.length

    def at(self, time: Any) -> Any:
        """The value at a time, s."""
        xp = array_module(time, self.peak, self.ceiling, self.factor)
        passed = (xp.mod(time, DAY) - self.sunrise) / self.length
        height = xp.where((passed > 0.0) & (passed < 1.0), xp.sin(np.pi * passed), 0.0)
        return self.factor * xp.minimum(self.peak * height, self.ceiling)

    @property
    def breaks(self) -> tuple[float, ...]:
        """Sunrise and sunset, and where the ceiling is met and left, s."""
        found = [self.sunrise, NOON + 0.5 * self.length]
        if self.peak > self.ceiling > 0.0:
            met = self.length / np.pi * float(np.arcsin(self.ceiling / self.peak))
            found += [self.sunrise + met, NOON + 0.5 * self.length - met]
        return tuple(sorted(found))

    @property
    def period(self) -> float:
        """A day, s."""
        return DAY

    @property
    def extremes(self) -> Any:
        """Night and noon."""
        xp = array_module(self.peak, self.ceiling, self.factor)
        return xp.stack([xp.zeros_like(xp.asarray(self.factor)), self.at(NOON)])

    def converted(self, read: Callable[[Any], Any]) -> Daylight:
        """The same with its values read."""
        return Daylight(self.peak, self.ceiling, self.length, read(self.factor))


class Course(NamedTuple):
    """A day that repeats itself: times since midnight, s; flows, kg/s; lowest leaf potential, Pa; amounts since
    midnight, kg; all (time,). ``days`` went before."""

    times: np.ndarray
    transpiration: np.ndarray
    basal: np.ndarray
    leaf: np.ndarray
    transpired: np.ndarray
    taken_up: np.ndarray
    days: int

    @property
    def lag(self) -> float:
        """How far the daily wave of the flow at the base stands behind that at the leaves, s, within half a day."""
        wave = np.exp(-2j * np.pi * self.times / DAY)
        at_top, below = (np.trapezoid(flow * wave, self.times) for flow in (self.transpiration, self.basal))
        return float(np.angle(at_top / below)) * DAY / (2.0 * np.pi)

    @property
    def from_storage(self) -> float:
        """Water that the day takes out of storage, kg; by night it is put back."""
        drawn = np.diff(self.transpired - self.taken_up)
        return float(np.sum(np.maximum(drawn, 0.0)))

    def answers(self) -> dict[str, float]:
        """Amounts of the day (kg), lag (s), peak flow at the base (kg/s), lowest and highest leaf potential (Pa)."""
        out = float(self.transpired[-1])
        return {
            "daily_transpiration": out,
            "daily_uptake": float(self.taken_up[-1]),
            "storage_use": self.from_storage,
            "storage_share": self.from_storage / out if out > 0 else 0.0,
            "lag": self.lag if out > 0 else 0.0,
            "peak_flow": float(np.max(self.basal)),
            "minimum_leaf_potential": float(np.min(self.leaf)),
            "predawn_leaf_potential": float(np.max(self.leaf)),
        }

    def draw(self, axes: Axes) -> None:
        """Transpiration, flow at the base, and the lowest leaf potential over the hours of the day."""
        hours = self.times / 3600.0
        axes.plot(hours, self.transpiration * 1e3, label="transpiration")
        axes.plot(hours, self.basal * 1e3, label="flow at the base")
        axes.set_xlabel("time of day (h)")
        axes.set_ylabel("flow (g/s)")
        axes.set_ylim(top=1.2e3 * max(float(self.transpiration.max()), 1e-300))
        axes.legend(fontsize="small", loc="upper center", ncols=2)
        potential = axes.twinx()
        potential.plot(hours, self.leaf / 1e6, "k--", lw=0.8)
        potential.margins(y=0.2)
        potential.set_ylabel("leaf potential (MPa, dashed)")


def course(model: sf.Model, leaves: tuple[str, ...], density: float) -> Course:
    """The day to which a tree settles from rest; ``leaves`` are the places where it transpires.

    Raises NotConverged where its storage is so large that the days do not come to repeat themselves.
    """
    start: sf.Solution | None = None
    for day in range(MOST_DAYS):
        times = np.linspace(day, day + 1.0, MOMENTS) * DAY
        history = sf.evolve(model, times[-1], times=times, start=start, begin_at=times[0], rtol=1e-7)
        start = history.end
        amounts = [density * history.entered("p", place) for place in ("soil", *leaves)]
        up, out = amounts[0], 0.0 - sum(amounts[1:], np.zeros(len(history.times)))
        moved = np.ptp(history["p"][[0, -1]], axis=0).max()
        if abs(up[-1] - out[-1]) <= STILL * abs(out[-1]) or moved <= REST * np.abs(history["p"]).max():
            flows = [density * history.flow("p", place) for place in ("soil", *leaves)]
            low = history["p"].min(axis=1)
            return Course(
                history.times - times[0], 0.0 - sum(flows[1:], np.zeros(len(up))), flows[0], low, out, up, day
            )
    raise NotConverged(
        f"The tree's days do not repeat themselves after {MOST_DAYS} of them", "take a smaller capacitance"
    )
