"""Curie's principle in a model: whether its laws keep to what the symmetry of their medium lets couple."""

from __future__ import annotations

import numpy as np

from steadyflux.audit.findings import Finding, at_most, left_out
from steadyflux.audit.probe import Examination, examine
from steadyflux.model.solution import Solution
from steadyflux.physics.law import EdgeLaw

SOURCE = "Curie's principle (Curie 1894; de Groot and Mazur 1962, ch. VI)"


def check_curie(solution: Solution | Examination) -> list[Finding]:
    """Laws on a mesh, an isotropic medium with inversion, must not let a scalar drive a vector.

    Reported are a flux between two equal states (driven by a scalar such as an affinity or a supply, not by a gradient)
    and a flux that changes its size when the two ends are exchanged (the medium would have a direction). Fluxes of
    different rank in one law are refused when the model is built. Links of a network, joins and exchanges are
    membranes, which have two sides. A law that names another ``symmetry`` is left to the reciprocal relations.
    """
    found = examine(solution)
    findings, outside = [], []
    for number, law in enumerate(found.model.laws):
        if not isinstance(law, EdgeLaw) or number not in found.edge:
            continue
        reason = found.not_passive(number)
        if reason and not found.driven[number]:
            outside.append(f"{found.labels[number]} ({reason})")
        elif law.symmetry != "isotropic":
            outside.append(f"{found.labels[number]} (declared {law.symmetry or 'to couple nothing in its own frame'})")
        elif not found.model.on_mesh(number):
            outside.append(f"{found.labels[number]} (on a membrane or link)")
        else:
            findings += _of_law(found, number, law)
    if outside:
        findings.append(left_out("Curie", "no coupling across tensor ranks", SOURCE, f"{', '.join(outside)}."))
    return findings


def _of_law(found: Examination, number: int, law: EdgeLaw) -> list[Finding]:
    name, probe, rows, findings = found.labels[number], found.edge[number], found.samples[number], []
    size = np.maximum(np.maximum(np.abs(probe.there), np.abs(probe.back)), probe.busy)
    safe = np.where(size > 0, size, 1.0)
    for title, off, reason in (
        ("no vector flux without a gradient", np.abs(probe.still) / safe, "flows between two equal states"),
        ("no direction of its own", np.abs(probe.there + probe.back) / safe, "changes when the two ends are exchanged"),
    ):
        row, column = np.unravel_index(int(np.argmax(np.where(np.isnan(off), np.inf, off))), off.shape)
        detail = (
            f"{found.place(number, int(rows[row]))} the flux of {law.moves[column]} {reason}: a scalar (an affinity, a "
            "supply) drives a vector; put the law on a membrane (a link or an exchange), or name the symmetry of a "
            "polar medium."
        )
        findings.append(at_most(name, title, off[row, column], 1e-9, SOURCE, detail))
    return findings
