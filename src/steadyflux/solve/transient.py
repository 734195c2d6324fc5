"""The way there: `evolve(model, until)` integrates the equation in time with error control (SUNDIALS IDA)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from steadyflux.ground.constants import FARADAY
from steadyflux.ground.errors import InputError, ModelError, NotConverged
from steadyflux.ground.signal import breaks_between
from steadyflux.ground.units import si
from steadyflux.model.history import Happening, History, Record
from steadyflux.model.mapping import State, volumes
from steadyflux.model.model import Model
from steadyflux.model.solution import Solution
from steadyflux.model.system import View, balance, constraints
from steadyflux.solve.assembly import counters_of
from steadyflux.solve.checkpoint import Checkpoint
from steadyflux.solve.integrator import OWN, STEPS, Integrator
from steadyflux.solve.linear import check_solver
from steadyflux.solve.newton import first_state
from steadyflux.solve.onset import begin
from steadyflux.solve.program import Program

NEUTRAL = 1e-8  # share of its ions by which a cell's charges may miss each other at the start
FULL = 20_000_000  # numbers kept of a run whose every step is kept


Observer = Callable[[float, float, float], None]
_observer: ContextVar[Observer | None] = ContextVar("observer", default=None)


@contextmanager
def observed(progress: Observer | None) -> Generator[None, None, None]:
    """Within the block every run in time without a ``progress`` of its own tells this one how far it is."""
    token = _observer.set(progress)
    try:
        yield
    finally:
        _observer.reset(token)


@dataclass(frozen=True)
class Event:
    """Something to watch for: a function of the `View` that passes through zero.

    ``then`` says what happens: "stop" ends the run, "note" only records it, and a function that takes the model and
    returns the changed model (of the same space and quantities) switches to it. ``direction`` 1 counts only a rise
    through zero, -1 only a fall.
    """

    name: str
    when: Callable[[View], Any]
    then: str | Callable[[Model], Model] = "stop"
    direction: int = 0


def evolve(
    model: Model,
    until: Any,
    *,
    times: Any = None,
    start: Solution | State | None = None,
    begin_at: Any = 0.0,
    rtol: float = 1e-6,
    atol: float | None = None,
    events: Sequence[Event] = (),
    max_step: Any = None,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    progress: Observer | None = None,
    solver: str = "auto",
) -> History:
    """Integrate a model from its start (``Model(start=...)``, a solution or a state) to the time ``until``.

    Args:
        until: end of the run, s or a text ("1 ms").
        times: asked times (s); the history then holds these (and events) only. Else it holds every step and the points
            half-way.
        start: where to begin instead of the model's own start; what is not stored is found anew.
        begin_at: time at the start, s.
        rtol: tolerance relative to each unknown.
        atol: tolerance relative to the size of each quantity (default a hundredth of ``rtol``).
        events: what to watch for.
        max_step: longest step, s.
        checkpoint: file in which the run is kept from time to time; with ``resume`` it goes on from there to the very
            same result (from the beginning where there is no such file yet).
        progress: called with (time, end, step) after each step.
        solver: the linear solver, by default chosen by the model's size and structure: "dense" or "band" within the
            integrator, else Krylov iterations under "direct", "superlu", "amg", ... as in `steady`. What really solved
            stands in ``history.solver``.

    Raises NotConverged where the integration cannot go on, ModelError for a model that cannot be integrated.
    """
    if solver not in OWN:
        check_solver(solver)
    t0, end = float(si(begin_at, "s", "begin_at")), float(si(until, "s", "until"))
    if not end > t0:
        raise InputError(f"The run must end after it begins: until is {end:g} s, begin_at {t0:g} s.")
    asked = None if times is None else _asked(times, t0, end)
    longest = 0.0 if max_step is None else float(si(max_step, "s", "max_step"))
    tolerances = (float(rtol), float(rtol * 1e-2 if atol is None else atol))
    if not all(1e-14 <= t <= 0.1 for t in tolerances[:1]) or not tolerances[1] > 0:
        raise InputError("rtol must lie between 1e-14 and 0.1, and atol be positive.")
    if len({event.name for event in events}) < len(events):
        raise InputError("Two events have the same name; give each its own.")
    if not model.varies and not any(q.stores for q in model.storage) and all(u.rate is None for u in model.shared):
        raise ModelError(
            "Nothing in this model is stored, so that nothing takes time; give what flows a capacity (a heat capacity, "
            "a compressibility)."
        )
    run = _Run(model, t0, end, asked, tolerances, longest, tuple(events), progress or _observer.get(), solver)
    first = _initial(model, start)
    if resume and checkpoint is None:
        raise InputError("There is nothing to resume from; name the checkpoint's file.")
    if checkpoint is not None:
        settings = {"until": end, "begin_at": t0, "rtol": tolerances[0], "atol": tolerances[1], "max_step": longest}
        settings |= {"choice of times": asked, "start": first, "choice of events": tuple(events)}
        run.keep = Checkpoint(Path(checkpoint), model, settings)
        kept = run.keep.read() if resume else None
        if kept is not None:
            run.restore(*kept)
    if run.record is None:
        run.start(first)
    return run.go()


@jax.jit
def _first(model: Model) -> State:
    return first_state(model, None)[0]


def _asked(times: Any, t0: float, end: float) -> np.ndarray:
    found = np.atleast_1d(np.asarray(si(list(times), "s", "times"), dtype=float))
    if found.ndim != 1 or np.any(np.diff(found) <= 0) or found.size == 0 or found[0] < t0 or found[-1] > end:
        raise InputError(f"The asked times must increase and lie between {t0:g} and {end:g} s.")
    return found


def _initial(model: Model, start: Solution | State | None) -> np.ndarray:
    """Flat unknowns at the start: states, shared unknowns, counters at zero. Held values are not put in yet."""
    given = start.state if isinstance(start, Solution) else start
    resting = model.at(0.0) if model.varies else model
    if given is None:
        for q, storage in zip(model.quantities, model.storage, strict=True):
            held = any(b.quantity == q.name for b in model.holds)
            if q.name not in model.start and storage.stores and not held:
                raise ModelError(f"The run needs to know where {q.name} begins; give start={{'{q.name}': ...}}.")
        found = _first(resting)
        columns = [
            np.asarray(model.start[name]) * np.ones(model.cells) if name in model.start else np.asarray(found.u[:, k])
            for k, name in enumerate(model.names)
        ]
        given = State(jnp.asarray(np.stack(columns, axis=1)), found.s)
    u = np.asarray(given.u, dtype=float)
    if u.shape != (model.cells, len(model.names)):
        raise ModelError(
            f"The start has {u.shape[0]} cells and {u.shape[1]} quantities; this model has {model.cells} and "
            f"{len(model.names)}."
        )
    inactive = ~np.asarray(model.layout.active)
    u = np.where(inactive, 0.0, u)
    _check_neutral(resting, u)
    return np.concatenate([u.ravel(), np.asarray(given.s, dtype=float)[: len(model.shared)]])


def _check_neutral(model: Model, u: np.ndarray) -> None:
    """A constraint between states that is integrated by its rate must hold at the start: ions must be neutral."""
    columns = constraints(model)
    if not columns:
        return
    state = State(jnp.asarray(u), jnp.zeros(len(model.shared)))
    off = np.abs(np.asarray(balance(model, state))[: model.cells])
    ions = [k for k, q in enumerate(model.quantities) if q.kind == "species" and q.charge]
    volume = np.asarray(volumes(model, state))
    for k in columns:
        wrong = np.where(np.asarray(model.layout.held)[:, k], 0.0, off[:, k])
        held = np.all(np.asarray(model.layout.held)[:, ions], axis=1)
        size = FARADAY * volume * np.maximum(np.abs(u[:, ions]).max(axis=1), 1e-300)
        worst = int(np.argmax(np.where(held, 0.0, wrong / size)))
        if not held[worst] and wrong[worst] > NEUTRAL * size[worst]:
            raise ModelError(
                f"The start is not electroneutral in the cell {model.space.name_of(worst)}: its charges add up to "
                f"{wrong[worst] / (FARADAY * volume[worst]):.6g} mol/m^3; change one of the start concentrations."
            )


class _Run:
    """One integration as it goes: stretches between the breaks of signals, events and checkpoints."""

    def __init__(
        self,
        model: Model,
        t0: float,
        end: float,
        asked: np.ndarray | None,
        tolerances: tuple[float, float],
        longest: float,
        events: tuple[Event, ...],
        progress: Observer | None,
        solver: str,
    ) -> None:
        self.solver = solver
        self.model, self.t0, self.end, self.asked = model, t0, end, asked
        self.tolerances, self.longest, self.events, self.progress = tolerances, longest, events, progress
        self.program = self._programmed(model)
        self.keep: Checkpoint | None = None
        self.record: Record | None = None
        self.time, self.y = t0, np.zeros(0)
        self.next = 0  # number of the next asked time
        self.steps = 0
        self.done = False

    def start(self, y: np.ndarray) -> None:
        """Take up the run at its beginning."""
        self.y = np.concatenate([y, np.zeros(len(self.program.counters))])
        self.record = Record(self.model, self.program.counters, self.t0, self.y)

    def restore(self, time: float, y: np.ndarray, record: Record, following: int, steps: int, done: bool) -> None:
        """Take up the run at a checkpoint; models that events have switched to are made once more."""
        self.time, self.y, self.record, self.next, self.steps, self.done = time, y, record, following, steps, done
        by_name = {event.name: event for event in self.events}
        for happening in record.happenings:
            then = by_name[happening.name].then
            if callable(then):
                self._switch(then(self.model), happening.name, happening.time)

    def _programmed(self, model: Model) -> Program:
        return Program(model, {event.name: event.when for event in self.events}, self.solver)

    def go(self) -> History:
        """Integrate to the end."""
        assert self.record is not None
        while not self._over:
            breaks = breaks_between(self.model, self.time, self.end) if self.model.varies else []
            self._stretch(breaks[0] if breaks else self.end)
            if self.keep is not None and (self._over or self.keep.due(self.steps, resting=True)):
                self._save(self.keep)
        self.record.steps = self.steps
        return History(self.record, self.tolerances[0])

    @property
    def _over(self) -> bool:
        return self.done or self.time >= self.end

    def _save(self, keep: Checkpoint) -> None:
        assert self.record is not None
        keep.write(self.time, self.y, self.record, self.next, self.steps, self._over)

    def _stretch(self, end: float) -> None:
        """Integrate to ``end``, or to an event that stops or switches, or to a checkpoint."""
        assert self.record is not None
        program = self.program
        program.within(self.time, end)
        onset = begin(program, self.time, self.y, end - self.time)
        integrator = Integrator(program, onset, self.tolerances, self.longest, self.events)
        self._note(self.time, onset.time, onset.y, onset.rate, integrator, first=True)
        self.time, self.y = onset.time, onset.y
        # Where nobody looks at single steps the integrator goes straight from one asked time to the next.
        straight = self.asked is not None and not self.events and self.progress is None and self.keep is None
        taken = self.steps
        while self.time < end:
            before = self.time
            try:
                if straight:
                    time, y, rate, hit = integrator.straight(self._following(end), end)
                    self.steps = taken + integrator.steps
                else:
                    time, y, rate, hit = integrator.step(end)
                    self.steps += 1
            except NotConverged as error:
                raise NotConverged(f"{error.problem} {self._where(onset.scale)}", error.remedy) from None
            if self.steps > STEPS:
                raise NotConverged(
                    f"The run took {STEPS} steps and has reached t = {time:g} s of {self.end:g} s",
                    "look at its fastest process, or ask for a shorter run",
                )
            self._note(before, time, y, rate, integrator)
            self.time, self.y, self.record.solver = time, y, integrator.solver
            if self.progress is not None:
                self.progress(time, self.end, time - before)
            if hit:
                self.record.add(time, y, rate)
            if hit and self._happened(hit, time):
                return
            if self.keep is not None and self.keep.due(self.steps) and time < end:
                # A checkpoint starts the integrator anew, whether or not the run is interrupted: so a run that is
                # resumed takes the very same steps.
                self._save(self.keep)
                return
        self.time = end

    def _following(self, end: float) -> float:
        """The next asked time, or the end of the stretch where that comes first."""
        assert self.asked is not None
        return min(float(self.asked[self.next]), end) if self.next < len(self.asked) else end

    def _happened(self, hit: list[int], time: float) -> bool:
        """Record what happened and do what follows; whether the stretch ends."""
        assert self.record is not None
        over = False
        for number in hit:
            event = self.events[number]
            self.record.happenings.append(Happening(event.name, time))
            if event.then == "stop":
                self.done = over = True
            elif callable(event.then):
                self._switch(event.then(self.model), event.name, time)
                over = True
        return over

    def _switch(self, changed: Model, event: str, time: float) -> None:
        assert self.record is not None
        if changed.cells != self.model.cells or changed.names != self.model.names:
            raise ModelError(f"The event '{event}' must keep the cells and quantities of the model.")
        if counters_of(changed) != self.record.counters or len(changed.shared) != len(self.model.shared):
            raise ModelError(
                f"The event '{event}' must keep the places where conditions stand, what laws make, and the shared "
                "unknowns; an influx of zero keeps a place."
            )
        self.model, self.program = changed, self._programmed(changed)
        self.record.models.append((time, changed))

    def _note(
        self, before: float, time: float, y: np.ndarray, rate: np.ndarray, integrator: Integrator, first: bool = False
    ) -> None:
        """Put what the last step passed into the record: asked times, or the step and the point half-way."""
        assert self.record is not None
        if self.asked is None:
            every = 1 + self.steps * y.size // FULL  # a long run of a large model keeps every second, third, ... step
            if first or time >= self.end:
                self.record.add(time, y, rate)
            elif self.steps % every == 0:
                middle = 0.5 * (before + time)
                self.record.add(middle, *integrator.at(middle, before, time))
                self.record.add(time, y, rate)
            return
        while self.next < len(self.asked) and self.asked[self.next] <= time:
            at = float(self.asked[self.next])
            self.record.add(at, *((y, rate) if first or at == time else integrator.at(at, before, time)))
            self.next += 1

    def _where(self, scale: np.ndarray) -> str:
        return f"at t = {self.time:g} s of {self.end:g} s after {self.steps} steps"
