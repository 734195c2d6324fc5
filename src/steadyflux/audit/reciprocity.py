"""Onsager's reciprocity: of each law by automatic differentiation, of a whole model by its computed fluxes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from steadyflux.audit.findings import Finding, at_most, failed, left_out
from steadyflux.audit.probe import Examination, examine
from steadyflux.model.conditions import Bound
from steadyflux.model.mapping import State, local, shared_values
from steadyflux.model.model import Model, Reservoir
from steadyflux.model.solution import Solution
from steadyflux.model.system import place_flow
from steadyflux.physics.law import EdgeLaw, replace
from steadyflux.physics.quantity import Quantity
from steadyflux.solve.steady import steady

SOURCE = "reciprocal relations (Onsager 1931; for velocities with Casimir's signs 1945)"
SYMMETRIC = "response to the conjugate forces symmetric at equilibrium"
POSITIVE = "response to the conjugate forces positive semidefinite at equilibrium"
STILL = "no flux between two equal states"
LIMIT = 1e-8
MODEL_LIMIT = 1e-6
MODEL_STEP = 1e-4
MOST_PORTS = 12
ODD = ("momentum", "impulse")  # kinds whose states change sign when all velocities are turned round


def check_reciprocity(solution: Solution | Examination) -> list[Finding]:
    """Every law that moves something: no flux at equilibrium, and a symmetric, positive response there.

    L = dJ/du_head (dy/du)^-1 over the quantities that the law moves, both ends in the state of cells of the solution.
    """
    found = examine(solution)
    findings, outside = [], []
    for number, law in enumerate(found.model.laws):
        if not isinstance(law, EdgeLaw) or number not in found.edge:
            continue
        reason = found.not_passive(number)
        if reason:
            outside.append(f"{found.labels[number]} ({reason})")
        else:
            findings += _of_law(found, number, law)
    if outside:
        findings.append(left_out("reciprocity", SYMMETRIC, SOURCE, f"{', '.join(outside)}."))
    return findings


def coefficients(found: Examination, number: int) -> np.ndarray:
    """Onsager coefficients L of an edge law on its sampled edges, (edge, m, m): J = L (y_head - y_tail)."""
    probe = found.edge[number]
    return np.einsum("pij,pjk->pik", probe.slope, np.linalg.inv(probe.potentials))


def _of_law(found: Examination, number: int, law: EdgeLaw) -> list[Finding]:
    name, probe, rows = found.labels[number], found.edge[number], found.samples[number]
    still = np.abs(probe.still) / np.where(probe.busy > 0, probe.busy, 1.0)
    row, column = _worst(still)
    detail = (
        f"{found.place(number, int(rows[row]))} it moves {probe.still[row, column]:.4g} of {law.moves[column]} "
        "although both "
        "ends are in the same state; declare what drives it (supply), or declare it as not dissipative."
    )
    findings = [at_most(name, STILL, still[row, column], 1e-10, SOURCE, detail)]
    usable = np.all(np.isfinite(probe.potentials), axis=(1, 2)) & (np.abs(_determinant(probe.potentials)) > 1e-12)
    if not usable.any():
        reason = (
            f"{', '.join(law.moves)}: a potential conjugate to the flux is missing (no reference) or has "
            "no bound there."
        )
        return [*findings, left_out(name, SYMMETRIC, SOURCE, reason)]
    matrix = np.einsum("pij,pjk->pik", probe.slope[usable], np.linalg.inv(probe.potentials[usable]))
    turned = matrix
    if probe.reversed_slope is not None:
        potentials = np.linalg.inv(probe.reversed_potentials[usable])
        turned = np.einsum("pij,pjk->pik", probe.reversed_slope[usable], potentials)
    sign = np.array([-1.0 if found.model.quantity(n).kind in ODD else 1.0 for n in law.moves])
    return [*findings, *judge(name, law.moves, matrix, np.outer(sign, sign) * turned)]


def _determinant(matrix: np.ndarray) -> np.ndarray:
    """Determinant with every row brought to unit size first, so that units do not matter; zero where it has no size."""
    size = np.max(np.abs(matrix), axis=2, keepdims=True)
    safe = np.where(np.isfinite(matrix) & (size > 0), matrix / np.where(size > 0, size, 1.0), 0.0)
    return np.linalg.det(safe)


def judge(name: str, moves: tuple[str, ...], matrix: np.ndarray, partner: np.ndarray) -> list[Finding]:
    """Symmetry and positivity of Onsager matrices, (p, m, m).

    ``partner`` is the matrix whose transpose each must equal: itself, or for velocities the matrix with all velocities
    turned round and Casimir's signs, e_i e_j L_ij(-v).
    """
    if not np.all(np.isfinite(matrix)):
        detail = "the response to the forces is not a number; the law's derivative fails where both ends are equal."
        return [failed(name, SYMMETRIC, SOURCE, detail)]
    diagonal = np.sqrt(np.abs(np.diagonal(matrix, axis1=1, axis2=2)))
    scale = diagonal[:, :, None] * diagonal[:, None, :]
    # A coefficient beside an empty diagonal is measured by the largest of all: it breaks both laws.
    floor = 1e-12 * np.max(np.abs(matrix), axis=(1, 2), keepdims=True)
    scale = np.maximum(scale, np.where(floor > 0, floor, 1.0))
    off = np.abs(matrix - np.swapaxes(partner, 1, 2)) / scale
    p, i, j = (int(n) for n in np.unravel_index(int(np.argmax(off)), off.shape))
    detail = (
        f"L[{moves[i]},{moves[j]}] = {matrix[p, i, j]:.6g} but L[{moves[j]},{moves[i]}] = {partner[p, j, i]:.6g}; "
        "derive both "
        "cross coefficients from one dissipation function, or check which potentials the fluxes are conjugate to."
    )
    findings = [at_most(name, SYMMETRIC, off[p, i, j], LIMIT, SOURCE, detail)]
    root = np.where(diagonal > 0, diagonal, np.sqrt(np.max(scale, axis=(1, 2)))[:, None])
    even = 0.5 * (matrix + np.swapaxes(matrix, 1, 2)) / (root[:, :, None] * root[:, None, :])
    least = float(np.min(np.linalg.eigvalsh(even)))
    detail = (
        f"its least eigenvalue is {least:.4g} of the diagonal; lower the cross coefficients (L_ij^2 <= L_ii L_jj) "
        "or turn the sign of the flux."
    )
    findings.append(at_most(name, POSITIVE, max(-least, 0.0), LIMIT, SOURCE, detail))
    return findings


def _worst(values: np.ndarray) -> tuple[int, int]:
    row, column = np.unravel_index(int(np.argmax(np.where(np.isnan(values), np.inf, values))), values.shape)
    return int(row), int(column)


# ---- the whole model ---------------------------------------------------------------------------------------------


def check_model_reciprocity(model: Model) -> Finding:
    """Reciprocity as an experiment finds it.

    Bring all baths to one state, change one state of one bath a little, solve, and compare each cross coefficient of
    the flows with its mirror image.
    """
    title = "cross coefficients of the computed flows equal about equilibrium"
    skip = lambda reason: left_out("model", title, SOURCE, reason)  # noqa: E731
    if model.shared or model.cells > 5000:
        return skip("the model has shared unknowns." if model.shared else "the model is large.")
    still, ports = _level(model)
    if len(ports) < 2:
        return skip("fewer than two states of baths drive dissipative fluxes.")
    rest = steady(still, throw=False)
    if int(rest.outcome.code) != 1 or rest.regime != "equilibrium":
        return skip("with all baths in one state the model is not at equilibrium: it is driven from within.")
    response = np.array([_response(still, ports, port) for port in ports]).T
    if not np.all(np.isfinite(response)):
        return skip("a steady state near equilibrium was not found.")
    # A port that can pass nothing (its flow is fixed elsewhere) answers by rounding alone.
    open_ports = np.array([abs(response[i, i]) > MODEL_LIMIT * _busy(rest, p) for i, p in enumerate(ports)])
    if open_ports.sum() < 2:
        return skip("fewer than two states of baths change the flow through their own place.")
    ports, response = (
        [p for p, is_open in zip(ports, open_ports, strict=True) if is_open],
        response[open_ports][:, open_ports],
    )
    matrix = -response @ np.linalg.inv(_potential_slopes(rest, ports))
    size = np.sqrt(np.abs(np.diag(matrix)))
    scale = np.maximum(np.outer(size, size), 1e-9 * np.max(np.abs(matrix)))
    off = np.abs(matrix - matrix.T) / scale
    i, j = np.unravel_index(int(np.argmax(off)), off.shape)
    detail = (
        f"{_name(ports[i])} answers {_name(ports[j])} by {matrix[i, j]:.6g} but the other way round by "
        f"{matrix[j, i]:.6g}; a law of the model breaks reciprocity."
    )
    return at_most("model", title, off[i, j], MODEL_LIMIT, SOURCE, detail)


class _Port(NamedTuple):
    """A state of a bath: the hold (``outside`` None) or reservoir it belongs to, its number there, and value."""

    quantity: str
    place: str
    outside: int | None
    number: int
    value: float


def _level(model: Model) -> tuple[Model, list[_Port]]:
    """The model with every bath in the state of the first one and nothing fed, and the states that drive its fluxes."""
    first: dict[str, float] = {}
    ports: list[_Port] = []
    moved = {n for law in model.laws if law.dissipative for n in law.moves}
    counted = {n for n in moved if _has_potential(model.quantity(n))}
    exchanges = model.laws[len(model.laws) - len(model.reservoirs) :]

    def same(bound: Bound, outside: int | None, number: int, moves: Iterable[str]) -> Bound:
        if bound.quantity in model.given:
            return bound
        value = first.setdefault(bound.quantity, float(np.mean(np.asarray(bound.value))))
        if bound.quantity in counted and bound.quantity in moves:
            ports.append(_Port(bound.quantity, bound.place, outside, number, value))
        return replace(bound, value=_like(bound.value, value))

    holds = tuple(same(b, None, i, model.names) for i, b in enumerate(model.holds))
    reservoirs = tuple(
        _with_states(r, tuple(same(b, n, i, law.moves) for i, b in enumerate(r.states)))
        for n, (r, law) in enumerate(zip(model.reservoirs, exchanges, strict=True))
    )
    fed = tuple(replace(b, value=_like(b.value, 0.0)) for b in model.influxes)
    return _with_baths(model, holds, reservoirs, fed), ports[:MOST_PORTS]


def _has_potential(q: Quantity) -> bool:
    return q.kind != "size" and not (q.kind == "population" and q.reference is None)


def _with_states(reservoir: Reservoir, states: tuple[Bound, ...]) -> Reservoir:
    return replace(reservoir, states=states) if states else reservoir


def _with_baths(
    model: Model, holds: tuple[Bound, ...], reservoirs: tuple[Reservoir, ...], influxes: tuple[Bound, ...]
) -> Model:
    changes = {"holds": holds, "reservoirs": reservoirs, "influxes": influxes}
    return replace(model, **{name: value for name, value in changes.items() if value})


def _like(old: Any, value: Any) -> Any:
    """A value with the type and shape of the old one, so that the compiled search serves again."""
    return float(value) if isinstance(old, float) else np.full(np.shape(old), value)


def _size(port: _Port, model: Model) -> float:
    return abs(port.value) if port.value else model.quantity(port.quantity).units.scale


def _response(model: Model, ports: list[_Port], port: _Port) -> np.ndarray:
    """Change of the flows into the system at every port per change of one port's state, by central differences."""
    step = MODEL_STEP * _size(port, model)
    flows = []
    for change in (step, -step):
        holds, reservoirs = list(model.holds), list(model.reservoirs)
        if port.outside is None:
            holds[port.number] = _moved(holds[port.number], change)
        else:
            states = list(reservoirs[port.outside].states)
            states[port.number] = _moved(states[port.number], change)
            reservoirs[port.outside] = _with_states(reservoirs[port.outside], tuple(states))
        solution = steady(_with_baths(model, tuple(holds), tuple(reservoirs), model.influxes), throw=False)
        good = int(solution.outcome.code) == 1
        flows.append([_flow(solution, p) if good else np.nan for p in ports])
    return (np.array(flows[0]) - np.array(flows[1])) / (2.0 * step)


def _moved(bound: Bound, change: float) -> Bound:
    return replace(bound, value=bound.value + change)


def _busy(rest: Solution, port: _Port) -> float:
    """Flow of one edge at most for a change of the port's state by one, the whole model taken."""
    column = rest.model.index(port.quantity)
    traffic = max(float(np.max(np.asarray(b.traffic)[:, column], initial=0.0)) for b in rest.books.laws)
    return traffic / (rest.model.cells * _size(port, rest.model))


def _name(port: _Port) -> str:
    return f"{port.place}.{port.quantity}"


def _flow(solution: Solution, port: _Port) -> float:
    return float(place_flow(solution.model, solution.state, solution.raw, port.quantity, port.place))


def _potential_slopes(solution: Solution, ports: list[_Port]) -> np.ndarray:
    """dy/du of the ports, (port, port): states of one place act on each other's potentials, different places do not."""
    model = solution.model
    slopes = np.zeros((len(ports), len(ports)))
    for a, one in enumerate(ports):
        whole = np.asarray(_slopes(model, solution.state, np.asarray(model.space.place(one.place).cells)[0]))
        own = [b for b, other in enumerate(ports) if other.place == one.place]
        slopes[a, own] = whole[model.index(one.quantity), [model.index(ports[b].quantity) for b in own]]
    return slopes


@jax.jit
def _slopes(model: Model, state: State, cell: Any) -> Any:
    """dy/du in one cell, (quantity, quantity)."""
    given = {n: jnp.asarray(f)[cell] for n, f in model.given.items()}
    shared = shared_values(model, state)

    def potentials(x: Any) -> Any:
        here = local(model, x, given, shared)
        return jnp.stack([here.conjugate(n) for n in model.names])

    return jax.jacfwd(potentials)(state.u[cell])
