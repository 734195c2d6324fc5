"""The balance of every quantity, and entropy produced inside against entropy exported through the boundaries."""

from __future__ import annotations

import numpy as np

from steadyflux.audit.findings import Finding, at_most, failed, left_out
from steadyflux.audit.probe import Examination, examine
from steadyflux.model.accounts import Entropy
from steadyflux.model.solution import Solution
from steadyflux.physics.law import EdgeLaw

LIMIT = 1e-10
BALANCE = "conservation of every quantity"
BOUNDARY = "entropy balance (de Groot and Mazur 1962, ch. III): produced inside equals exported at the steady state"


def check_ledger(solution: Solution | Examination) -> list[Finding]:
    """Balance of every quantity to 1e-10 of what crosses, and the two forms of the entropy production."""
    found = examine(solution)
    findings = []
    for name, entry in found.solution.ledger.items():
        detail = (
            f"{entry.imbalance:.3g} {entry.unit} of {name} is left over of {entry.into:.3g} in, {entry.out:.3g} "
            f"out and {entry.produced:.3g} produced; if every cell balances, a law makes or destroys {name} without "
            "naming it in `makes`, else the state does not solve the equations."
        )
        findings.append(at_most(name, "balance closed", entry.relative, LIMIT, BALANCE, detail))
        findings.append(_local(found, name))
    findings.append(check_boundary_form(found.solution.entropy, size_of_entropy(found)))
    return findings


def _local(found: Examination, name: str) -> Finding:
    """What is left over in the worst cell, by the traffic: errors inside cancel in the sum over all cells."""
    model, k = found.model, found.model.index(name)
    free = np.where(np.asarray(model.layout.held)[:, k], 0.0, np.asarray(found.books.raw)[: model.cells, k])
    traffic = _traffic(found, k)
    off = np.max(np.abs(free)) / traffic if traffic > 0 else np.max(np.abs(free))
    detail = f"it is worst {found.solution.worst()}; the search stopped too early, or the state was changed after it."
    return at_most(name, "balance closed in every cell", off, LIMIT, BALANCE, detail)


def _traffic(found: Examination, k: int) -> float:
    return max((float(np.max(np.abs(np.asarray(b.traffic)[:, k]), initial=0.0)) for b in found.books.laws), default=0.0)


def check_boundary_form(entropy: Entropy, size: float) -> Finding:
    """Entropy production as a sum over edges and cells against what crosses the boundaries.

    ``size`` is the sum of the absolute terms, W/K, whose rounding no difference can beat.
    """
    title = "entropy produced equals entropy exported"
    if np.isinf(entropy.production):
        reason = "a state is exactly zero, where a chemical potential has no bound; hold it above zero to compare."
        return left_out("entropy", title, BOUNDARY, reason)
    largest = max(abs(entropy.production), abs(entropy.exported))
    off = abs(entropy.production - entropy.exported)
    # Where both forms are what is left of far larger terms, rounding of those terms is all that can be told.
    limit = LIMIT * largest + 1e-13 * size
    detail = (
        f"{entropy.production:.10g} W/K is produced inside and {entropy.exported:.10g} W/K leaves; look for a "
        "flux that is booked without its potential, or a law whose entropy has the wrong sign."
    )
    if not np.isfinite(off):
        return failed("entropy", title, BOUNDARY, detail)
    return at_most("entropy", title, off, limit, BOUNDARY, detail)


def size_of_entropy(found: Examination) -> float:
    """Sum over all edges and cells of |flux| times |potential|, W/K: the terms of which the entropy is a difference."""
    total = 0.0
    y = np.asarray(found.books.conjugate)
    for number, law in enumerate(found.model.laws):
        flux = np.abs(np.asarray(found.books.laws[number].flux))
        total += float(np.sum(np.where(flux > 0, flux, 0.0) * _potential(found, number, law, np.abs(y))))
    return total


def _potential(found: Examination, number: int, law: object, y: np.ndarray) -> np.ndarray:
    acting = found.model.acting[number]
    if isinstance(law, EdgeLaw) and acting is not None:
        edges = found.model.edges[acting]
        size = y[np.asarray(edges.tail)] + y[np.asarray(edges.head)]
    else:
        place = law.acts_in  # type: ignore[attr-defined]
        size = y[: found.model.cells] if place is None else y[np.asarray(found.model.space.place(place).cells)]
    return np.where(np.isfinite(size), size, 0.0)
