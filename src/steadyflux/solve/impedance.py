"""Small-signal response: how a flow or a state answers a small oscillation of what is held or fed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from steadyflux.ground.errors import InputError, NameUnknown
from steadyflux.ground.units import si
from steadyflux.model.model import Model
from steadyflux.model.solution import Solution
from steadyflux.model.system import Stage, State, View, balance, residual, stored
from steadyflux.solve.host import flat
from steadyflux.solve.linearised import Linearised, at_rest, linearise_about

DENSE = 160  # unknowns up to which all frequencies are solved at once
PORTION = 2**24  # bytes of matrices held at once there


@dataclass(frozen=True)
class Response:
    """The answer to an oscillation of unit size, at each frequency.

    ``frequencies`` (frequency,) in Hz; ``transfer`` (frequency,) complex, answer over drive, for exp(i 2 pi f t).
    """

    frequencies: np.ndarray
    transfer: np.ndarray
    drive: str
    driven_by_flow: bool

    @property
    def angular(self) -> np.ndarray:
        """Angular frequencies 2 pi f, 1/s."""
        return 2.0 * np.pi * self.frequencies

    @property
    def impedance(self) -> np.ndarray:
        """Drive over answer where a state is driven and a flow answers, answer over drive where a flow is driven."""
        return self.transfer if self.driven_by_flow else 1.0 / self.transfer


def impedance(solution: Solution, of: str, response: Any, frequencies: Any) -> Response:
    """Response of a steady state to a small oscillation, by exact linearisation at each frequency.

    Args:
        solution: the steady state about which everything oscillates.
        of: what is driven: a held value or an influx by its name ``place.quantity`` ("left.phi"), or a shared unknown
            whose balance has a given value (a floating potential: its current). The drive is the change of that value;
            for an influx, of the whole flow into its place.
        response: ``("flow", quantity, place)``, ``("value", quantity, place)``, or a function of a view of the model,
            ``lambda view: view.flow("c", "right")``. Flows contain what charges the cells of their place.
        frequencies: Hz, (frequency,), none negative.

    Each frequency costs one solve with J + i omega M (Gabrielli 1980, the transfer function of the linearised
    equations).
    """
    wanted = np.atleast_1d(np.asarray(si(frequencies, "Hz", "frequencies"), dtype=float))
    if wanted.ndim != 1 or not wanted.size or (wanted < 0).any():
        raise InputError("The frequencies must be a list of numbers that are not negative, in Hz.")
    linear = linearise_about(solution, "impedance")
    model = at_rest(solution.model)
    drive = _drive(model, of)
    answer = _answer(model, response)
    parts = _parts(drive, answer, model, solution.state, solution.pins, solution.kept)
    push = linear.rows(State(-parts.push.u, -parts.push.s))
    by_state, by_rate = flat(parts.by_state) * linear.scale, flat(parts.by_rate) * linear.scale
    omega = 2.0 * np.pi * wanted
    solve = _dense if linear.scale.size <= DENSE else _sparse
    x = solve(linear, push, omega)
    transfer = x @ by_state + 1j * omega * (x @ by_rate) + float(parts.direct)
    return Response(wanted, transfer, of, drive.by_flow)


class _Drive(eqx.Module):
    """Where in a model the driven number stands, and how far it moves for a unit of drive."""

    kind: str = eqx.field(static=True)
    number: int = eqx.field(static=True)
    unit: Any
    by_flow: bool = eqx.field(static=True)

    def moved(self, model: Model, by: Any) -> Model:
        """The model with the driven number moved."""

        def place(m: Model) -> Any:
            if self.kind == "shared":
                return m.shared[self.number].balance.equals  # type: ignore[attr-defined]
            return getattr(m, self.kind)[self.number].value

        return eqx.tree_at(place, model, jnp.asarray(place(model), dtype=float) + by * self.unit)


class _Parts(NamedTuple):
    """Derivatives: of the equations by the drive, and of the answer by the states, by their rates and by the drive."""

    push: State
    by_state: State
    by_rate: State
    direct: Any


def _drive(model: Model, name: str) -> _Drive:
    known = []
    for kind in ("holds", "influxes"):
        for number, bound in enumerate(getattr(model, kind)):
            if bound.shared is not None:
                continue
            known.append(bound.name)
            if bound.name == name:
                flow = kind == "influxes"
                return _Drive(kind, number, 1.0 / _measure(model, bound.place) if flow else 1.0, flow)
    for number, unknown in enumerate(model.shared):
        if hasattr(unknown.balance, "equals"):
            known.append(unknown.name)
            if unknown.name == name:
                return _Drive("shared", number, 1.0, True)
    raise NameUnknown("held value, influx or shared unknown with a given value", name, known)


def _measure(model: Model, place: str) -> Any:
    measure = jnp.asarray(model.space.measure(place), dtype=float)
    return jnp.sum(measure * jnp.ones(len(model.space.place(place).cells)))


def _answer(model: Model, response: Any) -> Callable[[View], Any]:
    if callable(response):
        return response
    if isinstance(response, str) or not isinstance(response, Sequence) or len(response) != 3:
        raise InputError(f"The response must be ('flow' or 'value', quantity, place) or a function, not {response!r}.")
    kind, name, place = response
    if kind not in ("flow", "value"):
        raise NameUnknown("kind of response", kind, ("flow", "value"))
    model.index(name)  # a misspelt name is refused here
    model.space.place(place)
    return lambda view: getattr(view, kind)(name, place)


@eqx.filter_jit
def _parts(drive: _Drive, answer: Any, model: Model, state: State, pins: Any, kept: Any) -> _Parts:
    state = jax.tree.map(jnp.asarray, state)
    pins = jnp.zeros(0, dtype=jnp.int64) if pins is None else jnp.asarray(pins)
    kept = jnp.zeros(model.layout.totals) if kept is None else jnp.asarray(kept)
    zero = jnp.zeros(())

    def equations(by: Any) -> State:
        return residual(drive.moved(model, by), state, Stage(jnp.ones(()), zero, state, pins), kept)

    def answered(state: State, rate: State, by: Any) -> Any:
        moved = drive.moved(model, by)
        growth = jax.jvp(lambda y: stored(moved, y), (state,), (rate,))[1]
        raw = balance(moved, state, 1.0, rate.s).at[: model.cells].add(growth)
        return jnp.asarray(answer(View(moved, state, raw)), dtype=float)

    push = jax.jvp(equations, (zero,), (jnp.ones(()),))[1]
    still = jax.tree.map(jnp.zeros_like, state)
    return _Parts(push, *jax.grad(answered, argnums=(0, 1, 2))(state, still, zero))


def _dense(linear: Linearised, push: np.ndarray, omega: np.ndarray) -> np.ndarray:
    """The oscillating states, (frequency, unknown), many frequencies at once."""
    j, m = linear.balance.toarray(), linear.storage.toarray()
    found = np.empty((omega.size, push.size), dtype=complex)
    portion = max(1, PORTION // (16 * j.size))
    for first in range(0, omega.size, portion):
        some = omega[first : first + portion, None, None]
        found[first : first + portion] = np.linalg.solve(j + 1j * some * m, push[None, :, None])[:, :, 0]
    return found


def _sparse(linear: Linearised, push: np.ndarray, omega: np.ndarray) -> np.ndarray:
    """The oscillating states, (frequency, unknown), one factorisation each in the order that is kept."""
    j, m = linear.balance.data, linear.storage.data
    return np.stack([linear.plan.factor(j + 1j * one * m).solve(push) for one in omega])
