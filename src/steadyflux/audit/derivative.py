"""Derivatives by automatic differentiation against finite differences: of each law, and of a whole steady state."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from steadyflux.audit.findings import Finding, at_most, failed, left_out
from steadyflux.audit.probe import QUICKLY, STEPS, Examination, examine
from steadyflux.model.model import Model
from steadyflux.model.solution import Solution
from steadyflux.model.system import State, balance, place_flow
from steadyflux.solve.steady import is_number, steady

SOURCE = "central differences extrapolated to a vanishing step (Richardson 1911; Ridders 1982)"
LOCAL = "derivative of the law by the states"
WHOLE = "derivative of the steady state by the model's numbers"
LIMIT = 1e-6
UNSURE = 1e-4  # finite differences that disagree among themselves by more than this judge nothing
LARGEST = 50_000  # unknowns


def richardson(changes: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Extrapolated central differences and an estimate of their error.

    Shapes: ``changes`` (step, 2, ...), values at + and - each of ``steps`` (step,), each half of the one before. The
    best entry of the tableau is the one that differs least from its neighbours (Ridders 1982).
    """
    wide = steps.reshape(-1, *[1] * (changes.ndim - 2))
    row = list((changes[:, 0] - changes[:, 1]) / (2.0 * wide))
    best, error = row[-1], np.full(np.shape(row[-1]), np.inf)
    factor = 4.0
    while len(row) > 1:
        finer = [(factor * b - a) / (factor - 1.0) for a, b in pairwise(row)]
        for new, a, b in zip(finer, row, row[1:], strict=False):
            off = np.maximum(np.abs(new - a), np.abs(new - b))
            best, error = np.where(off < error, new, best), np.minimum(off, error)
        row, factor = finer, 4.0 * factor
    return best, error


def check_law_derivatives(solution: Solution | Examination) -> list[Finding]:
    """Every law's derivative along a random change of the states it sees, on its sampled edges or in its cells."""
    found = examine(solution)
    findings = []
    for number, name in enumerate(found.labels):
        probe: Any = found.edge.get(number) or found.cell[number]
        law = found.model.laws[number]
        told = law.moves if number in found.edge else law.makes
        changes = np.moveaxis(np.asarray(probe.changes), 0, 2)  # (step, 2, sample, quantity)
        slope, doubt = richardson(changes, np.array(STEPS))
        noise = 1e-15 * np.max(np.abs(changes), axis=(0, 1)) / STEPS[-1]
        if number in found.edge:
            busy = np.asarray(found.books.laws[number].traffic)[found.samples[number]]
            noise = noise + 1e-15 * busy[:, [found.model.index(n) for n in told]] / STEPS[-1]
        off, sure = _defect(np.asarray(probe.tangent), slope, doubt, noise)
        if not sure.any():
            reason = "finite differences do not settle there (a kink, or states at the edge of the law's domain)."
            findings.append(left_out(name, LOCAL, SOURCE, reason))
            continue
        row, column = np.unravel_index(int(np.argmax(off)), off.shape)
        detail = (
            f"{found.place(number, int(found.samples[number][row]))} {told[column]} changes by "
            f"{slope[row, column]:.8g} but "
            f"its derivative says {probe.tangent[row, column]:.8g}; mend the law's own derivative rule "
            "(custom_jvp), or a branch that hides a slope."
        )
        findings.append(at_most(name, LOCAL, off[row, column], LIMIT, SOURCE, detail))
    return findings


def _defect(
    exact: np.ndarray, found: np.ndarray, doubt: np.ndarray, noise: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Relative disagreement beyond what rounding allows, and where it can be judged; nan counts as infinite."""
    size = np.maximum(np.abs(exact), np.abs(found))
    doubt = np.where(np.isfinite(doubt), doubt, np.inf)
    sure = (doubt <= UNSURE * size + 100.0 * noise) & np.isfinite(found)
    beyond = np.maximum(np.abs(exact - found) - 10.0 * doubt - 100.0 * noise, 0.0)
    off = np.where(sure, beyond / np.where(size > 0, size, 1.0), 0.0)
    return np.where(sure & ~np.isfinite(exact), np.inf, off), sure


# ---- the whole model -------------------------------------------------------------------------------------------------


def check_solution_derivative(solution: Solution | Examination, seed: int = 7) -> Finding:
    """Derivative of the boundary flows, shared unknowns and states along one random change of all the model's numbers.

    The exact one is that of `steady` by the implicit function theorem, the other solves the model anew at each step.
    Numbers change by a share of their own size, so a zero stays one.
    """
    found = examine(solution).solution
    model = found.model
    if found.state.u.size > LARGEST:
        return left_out("model", WHOLE, SOURCE, f"it has more than {LARGEST} unknowns; judge a coarser mesh.")
    plain = steady(model, throw=False)
    if int(plain.outcome.code) != 1 or not _same(plain, found):
        reason = "the state was reached by a way of its own (a continuation), which plain solves do not repeat."
        return left_out("model", WHOLE, SOURCE, reason)
    numbers, rest = eqx.partition(model, is_number)
    direction = _direction(model, numbers, np.random.default_rng(seed))
    weights = np.random.default_rng(seed + 1).uniform(0.5, 1.5, found.state.u.shape[0])
    weights /= weights.sum()

    def answers(values: Any) -> Any:
        changed = eqx.combine(values, rest)
        return _answers(changed, steady(changed, throw=False).state, weights)

    # Numbers stay Python floats where they are, so that the compiled search serves again.
    tangent = np.asarray(jax.jvp(answers, (numbers,), (direction,))[1])
    changes, steps = [], []
    for h in STEPS:
        ways = [_solved(eqx.combine(_along(numbers, direction, s * h), rest), weights) for s in (1.0, -1.0)]
        if all(w is not None for w in ways):
            changes.append(ways)
            steps.append(h)
    if len(steps) < 3:
        detail = (
            "after a change of its numbers by 0.2 % the model is no longer solved; it stands at the end of its range."
        )
        return failed("model", WHOLE, SOURCE, detail)
    table = np.array(changes, dtype=float)
    slope, doubt = richardson(table, np.array(steps))
    busy = np.array([_busy(examine(solution), name) for name in _told(found)])
    noise = 1e-13 * (np.max(np.abs(table), axis=(0, 1)) + busy) / steps[-1]
    off, sure = _defect(tangent, slope, doubt, noise)
    if not sure.any():
        return left_out("model", WHOLE, SOURCE, "finite differences of the solved state do not settle (a kink nearby).")
    worst = int(np.argmax(off))
    detail = (
        f"{_told(found)[worst]} changes by {slope[worst]:.8g} but its derivative says {tangent[worst]:.8g}; look "
        "for a law whose derivative fails, or a number that the equations use without being differentiable in it."
    )
    return at_most("model", WHOLE, off[worst], LIMIT, SOURCE, detail)


def _same(one: Solution, other: Solution) -> bool:
    u, v = np.asarray(one.state.u), np.asarray(other.state.u)
    return bool(np.all(np.abs(u - v) <= 1e-6 * np.maximum(np.max(np.abs(v), axis=0), 1e-300)))


@partial(jax.jit, compiler_options=QUICKLY)
def _answers(model: Model, state: State, weights: Any) -> Any:
    """Flows through every place with a condition, then shared unknowns, then one weighted mean of each state."""
    raw = balance(model, state)
    found = [place_flow(model, state, raw, name, place) for name, place in _flows(model)]
    found += [state.s[i] for i in range(len(model.shared))]
    return jnp.stack([*found, *(weights @ state.u)])


def _flows(model: Model) -> list[tuple[str, str]]:
    pairs = [(b.quantity, b.place) for b in model.holds]
    exchanges = model.laws[len(model.laws) - len(model.reservoirs) :]
    pairs += [(n, r.place) for r, law in zip(model.reservoirs, exchanges, strict=True) for n in law.moves]
    return list(dict.fromkeys(pairs))


def _told(solution: Solution) -> list[str]:
    model = solution.model
    told = [f"the flow of {name} at '{place}'" for name, place in _flows(model)]
    return told + [s.name for s in model.shared] + [f"the mean of {name}" for name in model.names]


def _busy(found: Examination, told: str) -> float:
    """What moves both ways behind a flow: its rounding is the noise of the flow."""
    for k, name in enumerate(found.model.names):
        if told.startswith(f"the flow of {name} at"):
            sizes = [np.max(np.abs(np.asarray(b.traffic)[:, k]), initial=0.0) for b in found.books.laws]
            return float(max(sizes, default=0.0))
    return 0.0


def _solved(model: Model, weights: np.ndarray) -> Any:
    solution = steady(model, throw=False)
    return np.asarray(_answers(model, solution.state, weights)) if int(solution.outcome.code) == 1 else None


def _along(numbers: Any, direction: Any, h: float) -> Any:
    return jax.tree.map(
        lambda x, d: float(x + h * d) if isinstance(x, float) else np.asarray(x + h * d), numbers, direction
    )


def _direction(model: Model, numbers: Any, random: np.random.Generator) -> Any:
    """A change of every number by a share of itself: one share a record, so that fields stay smooth; charges of
    electroneutral baths share one, so that they stay neutral; what the layout derived stays as it is."""
    neutral = any(getattr(law, "enforces_neutrality", False) for law in model.laws)
    common = random.uniform(0.3, 1.0)

    def change(path: tuple[Any, ...], leaf: Any) -> Any:
        words = [str(getattr(p, "name", getattr(p, "key", getattr(p, "idx", "")))) for p in path]
        share = random.uniform(0.3, 1.0) * random.choice([-1.0, 1.0])
        if words[0] == "layout":
            share = 0.0
        elif neutral and (words[0] in ("holds", "reservoirs", "start", "given") or "fixed_charge" in words):
            share = common if not _is_given_condition(words) else share
        return share * np.asarray(leaf)

    return jax.tree_util.tree_map_with_path(change, numbers)


def _is_given_condition(words: list[str]) -> bool:
    return words[0] == "given" and words[1] in ("T", "phi")
