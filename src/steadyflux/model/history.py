"""The way there: states at recorded times, flows and amounts counted since the start, events, the run's ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from steadyflux.ground.constants import FARADAY
from steadyflux.ground.errors import InputError, ModelError, NameUnknown
from steadyflux.ground.signal import at_time, rests_after
from steadyflux.ground.units import quantity, si
from steadyflux.model.accounts import Entry, account, production_rate, regime_of
from steadyflux.model.mapping import State, placed
from steadyflux.model.model import Model
from steadyflux.model.solution import Outcome, Solution
from steadyflux.model.system import stored

TOGETHER = 64  # moments that are judged in one call of a compiled program
QUIET = 1e-4  # a state is steady when an e-fold of time changes nothing by more than this share of its size
SHARE = 1e-6  # of what is stored, below which what crosses the boundaries is measured by that


class Happening(NamedTuple):
    """An event that was met: its name and time, s."""

    name: str
    time: float


@dataclass
class Record:
    """What a run writes down: flat unknowns and their rates at times, the models that held from which time on."""

    model: Model
    counters: tuple[Any, ...]
    begin: float
    first: np.ndarray
    times: list[float] = field(default_factory=list)
    unknowns: list[np.ndarray] = field(default_factory=list)
    rates: list[np.ndarray] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)
    models: list[tuple[float, Model]] = field(default_factory=list)
    steps: int = 0
    solver: str = ""

    def __post_init__(self) -> None:
        if not self.models:
            self.models.append((self.begin, self.model))

    def add(self, time: float, unknowns: np.ndarray, rates: np.ndarray) -> None:
        """One more moment; a time that does not go forward replaces nothing and is left out."""
        if self.times and time <= self.times[-1]:
            return
        self.times.append(time)
        self.unknowns.append(unknowns)
        self.rates.append(rates)


class History:
    """A run in time. ``history["c"]`` is (time, cell); `flow`, `entered`, `at`, `ledger` and `steady` are answers."""

    def __init__(self, record: Record, tolerance: float) -> None:
        self._record = record
        self.tolerance = tolerance
        self.model = record.models[-1][1]
        self.times = np.array(record.times)
        self._y, self._rates = np.array(record.unknowns), np.array(record.rates)
        self.events: tuple[Happening, ...] = tuple(record.happenings)
        self.steps, self.solver = record.steps, record.solver

    def __repr__(self) -> str:
        what = f"{', '.join(self.model.names)} in {self.model.cells} cells"
        return f"History({what}: {len(self.times)} times from {self.times[0]:.4g} s to {self.times[-1]:.4g} s)"

    def _layout(self) -> tuple[int, int, int]:
        return self.model.cells, len(self.model.names), len(self.model.shared)

    def _column(self, name: str) -> Any:
        n, k, _ = self._layout()
        names = [unknown.name for unknown in self.model.shared]
        if name in names:
            return n * k + names.index(name)
        if name not in self.model.names:
            raise NameUnknown("quantity or shared unknown", name, [*self.model.names, *names])
        return slice(self.model.index(name), n * k, k)

    def __getitem__(self, name: str) -> np.ndarray:
        """State of a quantity at every recorded time, (time, cell), SI; a shared unknown, (time,)."""
        return self._y[:, self._column(name)]

    def rate(self, name: str) -> np.ndarray:
        """Rate of change of a state, (time, cell), or of a shared unknown, (time,), SI per second."""
        return self._rates[:, self._column(name)]

    # ---- moments --------------------------------------------------------------------------------------------------

    def at(self, time: Any) -> Solution:
        """The solution at a time, s or a text, between recorded times by cubic Hermite interpolation."""
        t = float(si(time, "s", "time"))
        y, rate = self._interpolated(np.array([t]))
        return self._solution(t, y[0], rate[0])

    def _interpolated(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        low, high = self._record.begin, float(self.times[-1])
        if np.any(times < low) or np.any(times > high):
            raise InputError(f"This run goes from {low:g} s to {high:g} s; ask for a time in between.")
        right = np.clip(np.searchsorted(self.times, times), 1, max(len(self.times) - 1, 1))
        if len(self.times) == 1:
            return self._y[[0] * len(times)], self._rates[[0] * len(times)]
        left = right - 1
        step = self.times[right] - self.times[left]
        x = np.clip((times - self.times[left]) / step, 0.0, 1.0)[:, None]
        step = step[:, None]
        a, b, da, db = self._y[left], self._y[right], self._rates[left] * step, self._rates[right] * step
        y = (1 + 2 * x) * (1 - x) ** 2 * a + x * (1 - x) ** 2 * da + x**2 * (3 - 2 * x) * b + x**2 * (x - 1) * db
        rate = (6 * x * (x - 1) * (a - b) + (1 - x) * (1 - 3 * x) * da + x * (3 * x - 2) * db) / step
        return y, rate

    def values(self, name: str, times: Any) -> np.ndarray:
        """State of a quantity at any times, (time, cell), or of a shared unknown, (time,)."""
        asked = np.atleast_1d(np.asarray(si(list(np.atleast_1d(times)), "s", "times"), dtype=float))
        return self._interpolated(asked)[0][:, self._column(name)]

    def _model_at(self, time: float) -> Model:
        model = [one for begin, one in self._record.models if begin <= time][-1]
        return model.at(time) if model.varies else model

    def _states(self, y: np.ndarray) -> State:
        n, k, s = self._layout()
        return State(jnp.asarray(y[: n * k].reshape(n, k)), jnp.asarray(y[n * k : n * k + s]))

    def _solution(self, time: float, y: np.ndarray, rate: np.ndarray) -> Solution:
        done = Outcome(np.array(1), np.array(len(self.times)), np.array(0.0), np.array(1.0), np.array(0))
        return Solution(self._model_at(time), self._states(y), done, rate=self._states(rate))

    @property
    def start(self) -> Solution:
        """The solution at the first recorded time."""
        return self._solution(float(self.times[0]), self._y[0], self._rates[0])

    @property
    def end(self) -> Solution:
        """The solution at the last recorded time."""
        return self._solution(float(self.times[-1]), self._y[-1], self._rates[-1])

    # ---- what crosses ---------------------------------------------------------------------------------------------

    @property
    def counted(self) -> tuple[tuple[str, str | None], ...]:
        """What was counted: each quantity with the place it crossed, or with None for what laws made of it."""
        return tuple((counter.quantity, counter.place) for counter in self._record.counters)

    def _counter(self, name: str, place: str | None) -> int:
        n, k, s = self._layout()
        for number, counter in enumerate(self._record.counters):
            if (counter.quantity, counter.place) == (name, place):
                return n * k + s + number
        known = [f"{c.quantity} through {c.place}" for c in self._record.counters if c.place is not None]
        if place is None:
            raise ModelError(f"No law makes {name}, so nothing was counted.")
        raise NameUnknown("counted flow", f"{name} through {place}", known)

    def flow(self, name: str, through: str) -> np.ndarray:
        """Flow of a quantity into the system through a place at every recorded time, (time,), SI."""
        return self._rates[:, self._counter(name, through)]

    def flux(self, name: str, through: str) -> Any:
        """The same with its unit."""
        return quantity(self.flow(name, through), self.model.flux_unit(name))

    def entered(self, name: str, through: str) -> np.ndarray:
        """Amount that has entered through a place since the start, (time,), SI; a held value that jumped included."""
        return self._y[:, self._counter(name, through)]

    def made(self, name: str) -> np.ndarray:
        """Amount that laws have made in the cells since the start, (time,), SI."""
        return self._y[:, self._counter(name, None)]

    def entered_at(self, name: str, through: str, times: Any) -> np.ndarray:
        """Amount that has entered through a place by the given times, (time,), SI."""
        asked = np.atleast_1d(np.asarray(si(list(np.atleast_1d(times)), "s", "times"), dtype=float))
        return self._interpolated(asked)[0][:, self._counter(name, through)]

    def flow_at(self, name: str, through: str, times: Any) -> np.ndarray:
        """Flow through a place at given times, (time,), SI, from the equations at the interpolated state."""
        asked = np.atleast_1d(np.asarray(si(list(np.atleast_1d(times)), "s", "times"), dtype=float))
        return self._interpolated(asked)[1][:, self._counter(name, through)]

    def current(self, through: str) -> np.ndarray:
        """Electric current into the system through a place, A, (time,)."""
        ions = [q for q in self.model.quantities if q.kind == "species" and q.charge]
        crossing = {(c.quantity, c.place) for c in self._record.counters}
        if ions:
            return sum(
                (q.charge * FARADAY * self.flow(q.name, through) for q in ions if (q.name, through) in crossing),
                np.zeros(len(self.times)),
            )
        charge = [q.name for q in self.model.quantities if q.kind == "charge"]
        if not charge:
            raise ModelError("No quantity of this model carries charge; ask for a flow instead of a current.")
        return self.flow(charge[0], through)

    def position(self) -> np.ndarray:
        """Coordinates of the cells at every recorded time, (time, cell) or (time, cell, axis): they may move."""
        if self.model.space.form is None:
            still = np.asarray(self.model.space.position)
            return np.broadcast_to(still, (len(self.times), *still.shape))
        return np.array([np.asarray(placed(self.model, self._states(y)).space.position) for y in self._y])

    def value(self, name: str, at: str) -> np.ndarray:
        """Mean state of a quantity over a place's cells, (time,), SI."""
        return self[name][:, np.asarray(self.model.space.place(at).cells)].mean(axis=1)

    def total(self, name: str) -> np.ndarray:
        """Stored total of a quantity at every recorded time, (time,), SI."""
        return self._totals[:, self.model.index(name)]

    @cached_property
    def _totals(self) -> np.ndarray:
        return self._at_all_times(_stored_totals)

    def _at_all_times(self, function: Callable[[Model, State], Any]) -> np.ndarray:
        """A function of model and state at every recorded time, (time, ...)."""
        return self._mapped_over(function, self.times, self._y)

    def _mapped_over(self, function: Callable[[Model, State], Any], times: np.ndarray, states: np.ndarray) -> Any:
        """A function of model and state at increasing times, (time, ...), compiled for some times at once."""
        n, k, s = self._layout()
        found = []
        begins = [begin for begin, _ in self._record.models]
        bounds = [0, *np.searchsorted(times, begins[1:], side="left"), len(times)]
        for number, (_, model) in enumerate(self._record.models):
            for low in range(bounds[number], bounds[number + 1], TOGETHER):
                rows = np.minimum(np.arange(low, low + TOGETHER), bounds[number + 1] - 1)
                values = np.asarray(_mapped(function, model, times[rows], states[rows, : n * k + s]))
                found.append(values[: bounds[number + 1] - low])
        return np.concatenate(found)

    def _stored(self, time: float, y: np.ndarray) -> np.ndarray:
        return np.asarray(_stored_totals(self._model_at(time), self._states(y)))

    # ---- the books ------------------------------------------------------------------------------------------------

    @cached_property
    def ledger(self) -> dict[str, Entry]:
        """Amounts over the whole run: entered, left, made, stored, and what is left over, of every quantity."""
        n, k, s = self._layout()
        end, begin = self._y[-1], self._record.first
        grown = self._stored(float(self.times[-1]), end) - self._stored(self._record.begin, begin)
        entries: dict[str, Entry] = {}
        for column, name in enumerate(self.model.names):
            counted = {
                c.place: float(end[n * k + s + i]) for i, c in enumerate(self._record.counters) if c.quantity == name
            }
            produced = counted.pop(None, 0.0)
            into = sum(v for v in counted.values() if v > 0)
            out = -sum(v for v in counted.values() if v < 0)
            over = into - out + produced - float(grown[column])
            size = max(into, out, abs(produced), abs(float(grown[column])), self._traffic(name))
            # Where next to nothing crosses, the rounding of what is stored is no share of it.
            closed = not counted and produced == 0.0
            whole = float(abs(self._stored(float(self.times[-1]), end)[column]))
            size = max(size, whole if closed else SHARE * whole)
            entries[name] = Entry(
                into=into,
                out=out,
                produced=produced,
                stored=float(grown[column]),
                imbalance=over,
                relative=abs(over) / size if size > 0 else 0.0,
                unit=_amount(self.model.flux_unit(name)),
                places={place: v for place, v in counted.items() if place is not None},
            )
        return entries

    def _traffic(self, name: str) -> float:
        """What has gone to and fro through the boundaries and in the laws, as far as the recorded times show it."""
        n, k, s = self._layout()
        own = [n * k + s + i for i, c in enumerate(self._record.counters) if c.quantity == name]
        return float(np.max(np.abs(np.diff(self._y[:, own], axis=0)).sum(axis=0), initial=0.0))

    @cached_property
    def entropy_production(self) -> np.ndarray:
        """Entropy production at every recorded time, (time,), W/K."""
        return self._at_all_times(production_rate)

    @cached_property
    def entropy_produced(self) -> np.ndarray:
        """Entropy produced since the start, (time,), J/K: the integral of the production at the states between the
        recorded times (three Gauss points each), which is as fine as those times are."""
        first = self.entropy_production[:1] * (self.times[0] - self._record.begin)
        if len(self.times) < 2:
            return first
        points, weights = np.polynomial.legendre.leggauss(3)
        steps = np.diff(self.times)
        between = (self.times[:-1, None] + 0.5 * (1.0 + points) * steps[:, None]).ravel()
        rate = self._mapped_over(production_rate, between, self._interpolated(between)[0]).reshape(-1, 3)
        # Beside a state of exactly zero every flow costs without end.
        endless = np.maximum.accumulate(~np.isfinite(self.entropy_production))
        produced = np.cumsum(0.5 * steps * (np.where(np.isfinite(rate), rate, 0.0) @ weights))
        return np.where(endless, np.inf, np.concatenate([first, first + produced]))

    def books(self, time: Any) -> Any:
        """All fluxes, entropies and potentials as arrays at a time."""
        moment = self.at(time)
        return account(moment.model, moment.state, moment.rate)

    # ---- where it goes --------------------------------------------------------------------------------------------

    @cached_property
    def restlessness(self) -> tuple[float, str]:
        """Largest change in an e-fold of time at the end, relative to the size of its quantity, and of what."""
        span = float(self.times[-1]) - self._record.begin
        worst, what = 0.0, ""
        for name in self.model.names:
            if not self.model.storage[self.model.index(name)].stores:
                continue
            size = float(np.max(np.abs(self[name]), initial=0.0))
            if size > 0:
                change = span * float(np.max(np.abs(self.rate(name)[-1]))) / size
                worst, what = max((worst, what), (change, name))
        return worst, what

    @property
    def steady(self) -> bool:
        """Whether the run has arrived at a steady state."""
        return self.restlessness[0] < QUIET and not self._driven

    @property
    def _driven(self) -> bool:
        return self.model.varies and rests_after(self.model) > float(self.times[-1])

    @property
    def reason(self) -> str:
        """Why the end counts as steady, or why not."""
        if self._driven:
            return "something outside changes with time"
        change, what = self.restlessness
        if self.steady:
            return f"nothing changes by more than {max(change, 1e-16):.1e} of its size in an e-fold of time"
        return f"{what} still changes by {change:.2g} of its size in an e-fold of time"

    @property
    def regime(self) -> str:
        """transient, or where the run has arrived: equilibrium or steady nonequilibrium."""
        if not self.steady:
            return "transient"
        found = self.end.regime
        # What still grows is too little to count: the flows alone say which kind of rest it is.
        return found if found != "transient" else regime_of(self.end.model, account(self.end.model, self.end.state))


def _amount(flux: str) -> str:
    """The unit of an amount counted from a flux: mol/s counts mol."""
    special = {"W": "J", "A": "C", "N": "N*s"}
    if flux in special:
        return special[flux]
    return flux[:-2] if flux.endswith("/s") else f"{flux}*s"


@partial(jax.jit, static_argnums=0)
def _mapped(function: Callable[[Model, State], Any], model: Model, times: Any, unknowns: Any) -> Any:
    n, k = model.cells, len(model.names)

    def one(moment: tuple[Any, Any]) -> Any:
        time, y = moment
        return function(at_time(model, time), State(y[: n * k].reshape(n, k), y[n * k :]))

    return jax.lax.map(one, (times, unknowns))


@jax.jit
def _stored_totals(model: Model, state: State) -> Any:
    finite = jnp.where(jnp.isfinite(jnp.asarray(model.space.volume)), 1.0, 0.0)[:, None]
    amounts = stored(model, state)
    return jnp.sum(jnp.where(finite > 0, amounts, 0.0), axis=0)
