"""A run in time judged: the ledger of the whole run, and at several moments the second law and the entropy balance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from steadyflux.audit.curie import check_curie
from steadyflux.audit.derivative import check_law_derivatives
from steadyflux.audit.detailed_balance import check_detailed_balance
from steadyflux.audit.findings import Finding, at_most, left_out
from steadyflux.audit.ledger import BALANCE, LIMIT, check_boundary_form, size_of_entropy
from steadyflux.audit.local_equilibrium import check_local_equilibrium
from steadyflux.audit.probe import Examination, examine
from steadyflux.audit.reciprocity import check_model_reciprocity, check_reciprocity
from steadyflux.audit.second_law import TITLE, check_second_law
from steadyflux.model.history import History
from steadyflux.model.solution import Solution
from steadyflux.physics.quantity import KINDS

MOMENTS = 5
ROUNDING = 1e-13  # of all that is stored, whose differences the ledger is made of
STORED = "entropy balance (de Groot and Mazur 1962, ch. III): produced inside equals exported and stored"

# What judges the laws and not the state, asked once, at the last moment.
OF_LAWS: tuple[Callable[[Examination], Any], ...] = (
    check_reciprocity,
    check_detailed_balance,
    check_curie,
    check_local_equilibrium,
    check_law_derivatives,
    lambda found: check_model_reciprocity(found.model),
)


def check_run_ledger(history: History) -> list[Finding]:
    """What entered, less what left, and what was made must be what is stored: to rounding where the store is linear in
    the states, else to ten times the tolerance of the integration."""
    findings = []
    for k, (name, entry) in enumerate(history.ledger.items()):
        storage, quantity = history.model.storage[k], history.model.quantities[k]
        linear = storage.coefficient is None and quantity.motion is None and not storage.by_phase
        linear &= history.model.space.form is None and not any(q.kind == "size" for q in history.model.quantities)
        whole = float(np.max(np.abs(history.total(name)[[0, -1]])))
        size = max(entry.into, entry.out, abs(entry.produced), abs(entry.stored))
        # Where the store is not linear, what moves inside is counted to the tolerance only, whatever crosses.
        within = LIMIT * size if linear else max(LIMIT, 10.0 * history.tolerance) * max(size, whole)
        limit = within + ROUNDING * whole
        detail = (
            f"{entry.into:.10g} {entry.unit} of {name} went in, {entry.out:.10g} out, {entry.produced:.10g} were made "
            f"and {entry.stored:.10g} are stored; a law makes or destroys {name} without naming it in `makes`, or the "
            "store is not what its capacity says."
        )
        findings.append(at_most(name, "balance of the whole run closed", abs(entry.imbalance), limit, BALANCE, detail))
    return findings


def check_history(history: History, guarded: Callable[..., list[Finding]]) -> list[Finding]:
    """Judge a run in time: its ledger, its entropy at several moments, its laws.

    ``guarded`` runs one check and turns its failure into a finding.
    """
    findings = guarded(check_run_ledger, history)
    rows = np.unique(np.linspace(0, len(history.times) - 1, MOMENTS).round().astype(int))
    times = [float(history.times[row]) for row in rows]
    found = [examine(_above_zero(history.at(time))) for time in times]
    for check in (check_second_law, check_entropy_of_moment):
        findings += worst([guarded(check, one) for one in found], times)
    for check in OF_LAWS:
        findings += guarded(check, found[-1])
    return findings


def check_entropy_of_moment(moment: Solution | Examination) -> Finding:
    """At a moment what is produced inside leaves through the boundaries or makes the cells' own entropy grow."""
    found = examine(moment)
    title = "entropy produced equals entropy exported and stored"
    if found.model.space.form is not None:
        return left_out("entropy", title, STORED, "the space moves, and what its faces sweep over is not told apart.")
    entropy = found.solution.entropy
    together = replace(entropy, exported=entropy.exported + entropy.stored)
    stored = np.abs(np.asarray(found.books.growth) * np.asarray(found.books.conjugate)[: found.model.cells])
    size = size_of_entropy(found) + float(np.sum(np.where(np.isfinite(stored), stored, 0.0)))
    return replace(check_boundary_form(together, size), title=title, source=STORED)


def worst(by_moment: Sequence[Sequence[Finding]], times: Sequence[float]) -> list[Finding]:
    """Of each requirement the moment at which it is violated, or comes nearest to it."""
    chosen: dict[tuple[str, str], tuple[float, float, Finding]] = {}
    for findings, time in zip(by_moment, times, strict=True):
        for one in findings:
            key = (one.subject, one.title)
            strain = _strain(one)
            if key not in chosen or strain > chosen[key][0]:
                chosen[key] = (strain, time, one)
    return [
        one if one.passed else replace(one, detail=f"at t = {time:.6g} s: {one.detail}")
        for _, time, one in chosen.values()
    ]


def _strain(one: Finding) -> float:
    """How near a finding is to failing, and beyond; what was left out is told only where no moment was judged."""
    if not one.judged:
        return -np.inf
    if not one.passed:
        return np.inf if one.measured is None or one.expected is None else 1e300
    if one.measured is None or one.expected is None or (one.title == TITLE and one.measured >= 0.0):
        return 0.0
    return min(abs(one.measured - one.expected) / max(one.tolerance, 1e-300), 1e299)


def _above_zero(moment: Solution) -> Solution:
    """The moment with states that the integration left below zero, within its tolerance, at almost nothing."""
    floor = jnp.array([1e-300 if KINDS[q.kind].positive else -jnp.inf for q in moment.model.quantities])
    return eqx.tree_at(lambda s: s.state.u, moment, jnp.maximum(moment.state.u, floor))
