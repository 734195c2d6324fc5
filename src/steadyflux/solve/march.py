"""Batches in time: `march(model, until)` runs compiled from start to end, so that JAX can map and differentiate it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_batching import custom_vmap
from jaxtyping import Array, Float

from steadyflux.ground.arithmetic import is_traced
from steadyflux.ground.errors import InputError, ModelError, NameUnknown, NotConverged
from steadyflux.ground.signal import Schedule, Signal, Spread, signals_of
from steadyflux.ground.units import si
from steadyflux.model.layout import BLOCK_LIMIT, in_lane, is_chain
from steadyflux.model.mapping import State
from steadyflux.model.model import Model
from steadyflux.model.solution import Outcome, Solution
from steadyflux.physics.law import replace
from steadyflux.solve.assembly import Counter, counters_of
from steadyflux.solve.newton import first_state
from steadyflux.solve.pacing import ARRIVED, CHARGED, LONG, SAME, SHORT, UNFIT, Walk, walk

DENSE_AT_MOST = 600  # unknowns of a model that is no chain
STEPS = 20_000
REPEATS = 10_000  # breaks of all signals within a run
SIDE_BY_SIDE = 64  # members of a batch with full matrices that a CPU takes together

ENDINGS = {
    ARRIVED: ("arrived", "", ""),
    SHORT: (
        "steps too short",
        "the corrector or the error test failed even with the shortest steps",
        "smooth what jumps, give a larger rtol, or look with evolve where it stops",
    ),
    LONG: ("too many steps", "the run took as many steps as it may", "ask for a shorter run, or give more steps"),
    UNFIT: (
        "no consistent start",
        "what is not stored (potentials, held values) could not be made to fit what is stored",
        "check the start values: concentrations positive, baths and cells electroneutral where that is asked",
    ),
    CHARGED: (
        "start not electroneutral",
        "the charges of a cell do not add up to zero",
        "change one of the start concentrations",
    ),
}


class March(eqx.Module):
    """A compiled run: ``run["c"]`` is (time, cell), a shared unknown (time,); under `jax.vmap` members stand in front.

    ``times`` (time,) are the asked times, s; what was not reached is nan, and ``code`` says why (`outcome` in words).
    ``steps`` and ``refusals`` count the steps taken and tried in vain.
    """

    times: Float[Array, "*batch time"]
    states: State
    rates: State
    counts: Float[Array, "*batch time counter"]
    flows: Float[Array, "*batch time counter"]
    steps: Any
    refusals: Any
    code: Any
    names: tuple[str, ...] = eqx.field(static=True)
    shared: tuple[str, ...] = eqx.field(static=True)
    counters: tuple[Counter, ...] = eqx.field(static=True)

    def __getitem__(self, name: str) -> Any:
        """State of a quantity at the asked times, (..., time, cell), SI; or a shared unknown, (..., time)."""
        return self._column(self.states, name)

    def rate(self, name: str) -> Any:
        """Rate of change of a state, (..., time, cell), or of a shared unknown, (..., time), SI per second."""
        return self._column(self.rates, name)

    def _column(self, state: State, name: str) -> Any:
        if name in self.shared:
            return state.s[..., self.shared.index(name)]
        if name not in self.names:
            raise NameUnknown("quantity or shared unknown", name, [*self.names, *self.shared])
        return state.u[..., self.names.index(name)]

    def flow(self, name: str, through: str) -> Any:
        """Flow of a quantity into the system through a place, (..., time), SI."""
        return self.flows[..., self._counter(name, through)]

    def entered(self, name: str, through: str) -> Any:
        """Amount that has entered through a place since the start, (..., time), SI, with what a jump released."""
        return self.counts[..., self._counter(name, through)]

    def made(self, name: str) -> Any:
        """Amount that laws have made in the cells since the start, (..., time), SI."""
        return self.counts[..., self._counter(name, None)]

    def _counter(self, name: str, place: str | None) -> int:
        if (wanted := Counter(name, place)) in self.counters:
            return self.counters.index(wanted)
        if place is None:
            raise ModelError(f"No law makes {name}, so nothing was counted.")
        known = [f"{c.quantity} through {c.place}" for c in self.counters if c.place is not None]
        raise NameUnknown("counted flow", f"{name} through {place}", known)

    @property
    def arrived(self) -> Any:
        """Whether the run came to its end, (...)."""
        return self.code == ARRIVED

    @property
    def outcome(self) -> Any:
        """How the run ended in words; an array of them for a batch."""
        words = np.vectorize(lambda code: ENDINGS[int(code)][0], otypes=[object])(np.asarray(self.code))
        return words.item() if words.ndim == 0 else words

    def solution(self, model: Model, number: int = -1) -> Solution:
        """One asked moment of a single run as a `Solution`, with its fluxes and entropy; ``model`` is what was run."""
        if jnp.ndim(self.code):
            raise InputError(
                "This is a batch of runs; take one of its members first, or ask inside the mapped function."
            )
        at = model.at(self.times[number]) if model.varies else model
        state, rate = (jax.tree.map(lambda x: x[number], part) for part in (self.states, self.rates))
        done = Outcome(jnp.where(self.code == ARRIVED, 1, 2), self.steps, jnp.zeros(()), jnp.ones(()), 0)
        return Solution(at, state, done, rate=rate)

    def __repr__(self) -> str:
        what = f"March({', '.join((*self.names, *self.shared))} at {self.times.shape[-1]} times"
        if is_traced(self.code):
            return f"{what}, being traced)"
        many = int(np.size(self.code))
        if many == 1 and not np.ndim(self.code):
            return f"{what}: {self.outcome} after {int(self.steps)} steps)"
        return f"{what}: {int(np.sum(np.asarray(self.arrived)))} of {many} runs arrived)"


def march(
    model: Model,
    until: Any,
    *,
    times: Any = None,
    start: Solution | State | None = None,
    begin_at: Any = 0.0,
    rtol: float = 1e-6,
    atol: float | None = None,
    steps: int = STEPS,
    reverse: int | None = None,
    throw: bool = True,
) -> March:
    """Integrate a small model in one compiled program, for batches and for derivatives of the way there.

    A function of the model alone: `jax.vmap` runs thousands of models of one structure side by side; `jax.jit` and
    `jax.jvp` (or `jax.jacfwd`) go through, with ``reverse`` also `jax.grad`. One run by itself is best left to
    `evolve`, which also knows events, checkpoints and large models. The method is an implicit Runge-Kutta method of
    order 4 with error control (see `steadyflux.solve.stepper`); signals may change any number, spaces may move.

    Args:
        model: what is integrated: up to 600 unknowns, or a chain of cells of any length.
        until: end of the run, s or a text ("1 ms").
        times: asked times (s), increasing; by default the end alone. Each of them ends a step.
        start: where to begin instead of the model's own start; what is not stored is found anew.
        begin_at: time at the start, s.
        rtol: tolerance of a step relative to each unknown.
        atol: tolerance relative to the size of each quantity (default a hundredth of ``rtol``).
        steps: steps that one run may take.
        reverse: steps, tried in vain or not, between two breaks of the signals within which the run surely ends; given,
            derivatives also go backwards (`jax.grad`), at the cost of memory for as many steps.
        throw: raise `NotConverged` when the end is not reached; else, and always when traced, ``code`` says so and
            what was not reached is nan.

    Derivatives are those of the steps taken, with the lengths of the steps kept: they agree with those of the exact
    solution to about the tolerance. They go forwards (`jax.jvp`), and with ``reverse`` backwards. The times at which
    signals jump or bend count as given.

    Raises ModelError for a model that cannot be integrated this way, InputError for times in disorder.
    """
    begin, end = (_number(value, name) for value, name in ((begin_at, "begin_at"), (until, "until")))
    asked = jnp.atleast_1d(end if times is None else jnp.asarray(_listed(times), dtype=float))
    if not is_traced(asked, begin, end):
        _check_times(np.asarray(asked), float(begin), float(end))
    tolerances = (float(rtol), float(rtol * 1e-2 if atol is None else atol))
    if not (1e-13 <= tolerances[0] <= 0.1 and tolerances[1] > 0):
        raise InputError("rtol must lie between 1e-13 and 0.1, and atol be positive.")
    first = _first(model, start)
    model = _in_reach(model)
    bounds = _bounds(model, begin, end, asked)
    fixed = jax.lax.stop_gradient((asked, bounds))
    counters = counters_of(model)
    arguments = (model, first, *fixed, tolerances, int(steps))
    if reverse is not None:
        found = walk(*arguments, counters=counters, bounded=int(reverse))
    elif is_traced(arguments):
        leaves, structure = jax.tree.flatten(arguments)
        found = _mapped(structure, counters)(*leaves)
    else:
        found = walk(*arguments, counters=counters)
    run = _record(model, found, asked, fixed[0], counters)
    if throw and not is_traced(run.code) and int(run.code) != ARRIVED:
        _, tried, remedy = ENDINGS[int(run.code)]
        raise NotConverged(
            f"The run stopped at t = {float(found.time):g} s of {float(end):g} s after {int(run.steps)} steps: {tried}",
            remedy,
        )
    return run


def _number(value: Any, name: str) -> Any:
    return jnp.asarray(si(value, "s", name), dtype=float)


def _listed(times: Any) -> Any:
    return si(times if hasattr(times, "shape") else list(times), "s", "times")


def _check_times(asked: np.ndarray, begin: float, end: float) -> None:
    if not end > begin:
        raise InputError(f"The run must end after it begins: until is {end:g} s, begin_at {begin:g} s.")
    if asked.ndim != 1 or np.any(np.diff(asked) <= 0) or asked[0] < begin or asked[-1] > end:
        raise InputError(f"The asked times must increase and lie between {begin:g} and {end:g} s.")


def _record(model: Model, found: Walk, asked: Array, fixed: Array, counters: tuple[Counter, ...]) -> March:
    """What is handed back; a time that is itself a traced number moves the states at their rates."""
    moment, late = found.record, asked - fixed

    def moved(states: Any, rates: Any) -> Any:
        return jax.tree.map(lambda y, k: y + late.reshape(-1, *(1,) * (y.ndim - 1)) * k, states, rates)

    return March(
        times=asked,
        states=moved(moment.state, moment.slope),
        rates=moment.slope,
        counts=moved(moment.counts, moment.flows),
        flows=moment.flows,
        steps=found.steps,
        refusals=found.refusals,
        code=found.code,
        names=model.names,
        shared=tuple(unknown.name for unknown in model.shared),
        counters=counters,
    )


def _first(model: Model, start: Solution | State | None) -> State:
    """The unknowns at the start; held values are not put in yet, so that what a jump demands is counted."""
    if not model.varies and not any(q.stores for q in model.storage) and all(u.rate is None for u in model.shared):
        raise ModelError(
            "Nothing in this model is stored, so that nothing takes time; give what flows a capacity (a heat capacity, "
            "a compressibility)."
        )
    given = start.state if isinstance(start, Solution) else start
    if given is None:
        for q, storage in zip(model.quantities, model.storage, strict=True):
            held = any(b.quantity == q.name for b in model.holds)
            if q.name not in model.start and storage.stores and not held and not is_traced(storage.factor):
                raise ModelError(f"The run needs to know where {q.name} begins; give start={{'{q.name}': ...}}.")
        given = _declared(model)
    u = jnp.asarray(given.u, dtype=float)
    if u.shape != (model.cells, len(model.names)):
        raise ModelError(
            f"The start has {u.shape[0]} cells and {u.shape[1]} quantities; this model has {model.cells} and "
            f"{len(model.names)}."
        )
    u = jnp.where(jnp.asarray(model.layout.active), u, 0.0)
    return State(u, jnp.asarray(given.s, dtype=float)[: len(model.shared)])


@jax.jit
def _declared(model: Model) -> State:
    """The unknowns at the start that the model declares."""
    found = first_state(model.at(0.0) if model.varies else model, None)[0]
    columns = [
        jnp.asarray(model.start[name]) * jnp.ones(model.cells) if name in model.start else found.u[:, k]
        for k, name in enumerate(model.names)
    ]
    return State(jnp.stack(columns, axis=1), found.s)


@lru_cache(maxsize=32)
def _mapped(structure: Any, counters: tuple[Counter, ...]) -> Callable[..., Walk]:
    """The run as `vmap` takes it, a function of the leaves of its arguments: in portions side by side."""

    def run(*leaves: Any) -> Walk:
        return walk(*jax.tree.unflatten(structure, leaves), counters=counters)

    mapping = custom_vmap(run)

    @mapping.def_vmap
    def batch(size: int, batched: list[bool], *leaves: Any) -> tuple[Walk, Any]:
        mapped = [number for number, flag in enumerate(batched) if flag]

        def one(values: list[Any]) -> Walk:
            whole = list(leaves)
            for number, value in zip(mapped, values, strict=True):
                whole[number] = value
            return run(*whole)

        members = [leaves[number] for number in mapped]
        portion = min(_portion(jax.tree.unflatten(structure, leaves)[0]), size)
        if not members:  # tangents alone are mapped, and share one run
            found = run(*leaves)
        elif portion == 1:
            found = jax.lax.map(one, members)
        else:
            count = -(-size // portion)
            filled = jnp.minimum(jnp.arange(count * portion), size - 1).reshape(count, portion)
            found = jax.lax.map(jax.vmap(one), [member[filled] for member in members])
            found = jax.tree.map(lambda x: x.reshape(count * portion, *x.shape[2:])[:size], found)
        return found, jax.tree.map(lambda _: bool(members), found)

    return mapping


def _portion(model: Model) -> int:
    """How many members run side by side: all on a GPU, on a CPU one at a time or some.

    A chain or a few unknowns by themselves stay in the nearest cache, in loops that XLA compiles as a whole: three
    times faster for a chain of forty cells than side by side. A larger matrix costs a call of LAPACK for each
    operation, which members together share.
    """
    if jax.default_backend() != "cpu":
        return sys.maxsize
    small = model.cells * len(model.names) + len(model.shared) <= BLOCK_LIMIT
    return 1 if small or model.layout.lane == "chain" else SIDE_BY_SIDE


def _in_reach(model: Model) -> Model:
    """The model in a compiled lane: a chain where it is one, which is fastest at any size, or one full matrix."""
    lane = model.layout.lane
    if not is_traced(model.edges) and len(model.names) <= BLOCK_LIMIT and is_chain(model):
        return model if lane == "chain" else replace(model, layout=in_lane(model.layout, "chain"))
    if lane != "sparse":
        return model
    unknowns = model.cells * len(model.names) + len(model.shared)
    if unknowns <= DENSE_AT_MOST:
        return replace(model, layout=in_lane(model.layout, "dense"))
    raise ModelError(
        f"march is for small models and chains of cells; this model has {unknowns} unknowns in a net. Use evolve, "
        "which has sparse matrices."
    )


def _bounds(model: Model, begin: Any, end: Any, asked: Array) -> Float[Array, " bound"]:
    """Begin, the times in between at which signals jump or bend, end: increasing, (bound,).

    Breaks beyond the run count as its ends. One that differs from an asked time by rounding is that time.
    """
    found = [_breaks(one, begin, end) for one in signals_of(model)]
    if not sum(len(one) for one in found):
        return jnp.stack([begin, end])
    breaks = jnp.sort(jnp.clip(jnp.concatenate(found), begin, end))
    if not is_traced(breaks):
        breaks = jnp.unique(breaks)
    far = jnp.abs(breaks[:, None] - asked)
    close = jnp.min(far, axis=1) < SAME * jnp.maximum(jnp.abs(begin), jnp.abs(end))
    breaks = jnp.where(close, asked[jnp.argmin(far, axis=1)], breaks)
    return jnp.concatenate([begin[None], breaks, end[None]])


def _breaks(one: Signal, begin: Any, end: Any) -> Array:
    """Times at which a signal jumps or bends, and some beyond the run."""
    while isinstance(one, Spread):
        one = one.one
    own = jnp.asarray(one.times if isinstance(one, Schedule) else one.breaks, dtype=float).reshape(-1)
    if own.size == 0 or one.period is None:
        return own
    if is_traced(begin, end):
        raise InputError("A signal that repeats needs an end of the run that is a plain number; give until as one.")
    laps = int(np.ceil(float(end - begin) / one.period)) + 2
    if laps * own.size > REPEATS:
        raise InputError(f"A signal repeats more than {REPEATS} times within the run; use evolve, or a shorter run.")
    first = jnp.floor((begin - own[0]) / one.period) - 1
    return (own + (first + jnp.arange(laps + 1.0)[:, None]) * one.period).reshape(-1)
