"""The second law, place by place: no law destroys entropy on any edge or in any cell; at equilibrium none is made."""

from __future__ import annotations

import numpy as np

from steadyflux.audit.findings import Finding, at_most, failed, left_out
from steadyflux.audit.probe import Examination, examine
from steadyflux.ground.constants import K_B, R
from steadyflux.model.solution import Solution
from steadyflux.physics.law import EdgeLaw
from steadyflux.physics.quantity import KINDS

SOURCE = "second law, locally (de Groot and Mazur 1962, ch. III and IV)"
TITLE = "entropy production nowhere negative"
ROUNDING = 1e-12  # some thousand roundings
QUIET = (
    1e-15  # flux and force are each at most 1e-9 of what moves both ways, or of a fold, where a regime counts as rest
)


def check_second_law(solution: Solution | Examination) -> list[Finding]:
    """Entropy production (supply included) of every law on each of its edges or cells, and none at equilibrium."""
    found = examine(solution)
    findings, outside = [], []
    for number, law in enumerate(found.model.laws):
        reason = found.not_passive(number)
        booked = found.driven[number] or found.carries(number)
        if reason and not (booked and law.dissipative):
            outside.append(f"{found.labels[number]} ({reason})")
        else:
            findings.append(_of_law(found, number))
    if outside:
        findings.append(left_out("second law", TITLE, SOURCE, f"{', '.join(outside)}."))
    if found.solution.regime == "equilibrium":
        findings.append(_of_equilibrium(found))
    return findings


def _of_law(found: Examination, number: int) -> Finding:
    book, name = found.books.laws[number], found.labels[number]
    entropy = np.asarray(book.entropy)
    bound = ROUNDING * _local_size(found, number)
    if np.any(np.isnan(entropy)):
        row = int(np.argmax(np.isnan(entropy)))
        detail = (
            f"{found.place(number, row)} it is not a number; a state there is outside the law's domain (a negative "
            "concentration, a temperature below zero) or the law divides by zero."
        )
        return failed(name, TITLE, SOURCE, detail)
    row = int(np.argmin(entropy + bound))
    least, allowed = float(entropy[row]), float(bound[row])
    passed = least >= -allowed
    law = found.model.laws[number]
    means = "its supply is too small for the work it does" if found.driven.get(number) else "it pumps without a supply"
    detail = (
        f"{found.place(number, row)} it produces {least:.4g} W/K (in all {float(entropy.sum()):.4g} W/K): "
        f"{means}, or its "
        "flux has the wrong sign; let it run down the potentials of "
        f"{', '.join(dict.fromkeys((*law.moves, *law.makes)))}, or declare what drives it (supply)."
    )
    return Finding(name, TITLE, least, 0.0, allowed, passed, SOURCE, "" if passed else detail)


def _local_size(found: Examination, number: int) -> np.ndarray:
    """What rounding of a law's entropy is measured by on each edge or in each cell, W/K, (edge,) or (cell,)."""
    book, model, law = found.books.laws[number], found.model, found.model.laws[number]
    traffic = np.maximum(np.abs(np.asarray(book.traffic)), np.abs(np.asarray(book.flux)))
    flux, y = np.abs(np.asarray(book.flux)), np.asarray(found.books.conjugate)
    acting = model.acting[number]
    with np.errstate(invalid="ignore"):
        if isinstance(law, EdgeLaw) and acting is not None:
            tail, head = (np.asarray(end) for end in (model.edges[acting].tail, model.edges[acting].head))
            size = traffic * np.abs(y[head] - y[tail]) + flux * (np.abs(y[head]) + np.abs(y[tail]))
        else:
            place = law.acts_in  # type: ignore[attr-defined]
            cells = slice(0, model.cells) if place is None else np.asarray(model.space.place(place).cells)
            size = traffic * np.abs(y[cells])
    moved = [model.index(n) for n in dict.fromkeys((*law.moves, *law.makes))]
    own = np.where(np.isfinite(size[:, moved]), size[:, moved], 0.0)
    # Where forces vanish, rounding of the potentials meets rounding of the flux.
    T = found.solution.temperature.min()
    return own.sum(axis=1) + np.abs(np.asarray(book.supply)) / T


def _of_equilibrium(found: Examination) -> Finding:
    """At equilibrium the production is of second order in what rounding leaves of the fluxes."""
    size = sum(
        float(np.sum(np.asarray(found.books.laws[n].traffic) * _per_fold(found)))
        for n, law in enumerate(found.model.laws)
        if law.dissipative
    )
    production = found.solution.entropy.production
    detail = (
        f"{production:.4g} W/K is produced although nothing flows; a law's potentials or its one-way fluxes "
        "contradict its net flux."
    )
    return at_most("equilibrium", "no entropy produced", abs(production), QUIET * size, SOURCE, detail)


def _per_fold(found: Examination) -> np.ndarray:
    """Change of each conjugate potential for a change of the state by its own size, (quantity,)."""
    model, state = found.model, np.asarray(found.solution.state.u)
    T = float(np.mean(found.solution.temperature))
    sizes = []
    for k, q in enumerate(model.quantities):
        if q.kind in ("species", "population"):
            sizes.append(R if q.kind == "species" else K_B)
        elif q.kind in ("heat", "energy"):
            sizes.append(1.0 / T)
        else:
            sizes.append(max(float(np.max(np.abs(state[:, k]))), KINDS[q.kind].scale) / T)
    return np.array(sizes)
