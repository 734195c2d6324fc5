"""Local equilibrium: how much a state changes over one mean free path."""

from __future__ import annotations

from typing import Any

import numpy as np

from steadyflux.audit.findings import Finding, at_most
from steadyflux.audit.probe import Examination, examine
from steadyflux.model.solution import Solution

SOURCE = "hypothesis of local equilibrium (Kreuzer 1981; mean free path times gradient far below one)"
TITLE = "mean free path times relative gradient small"
LIMIT = 0.1


def number(solution: Solution, mean_free_path: float, quantity: str = "T", edge_set: str = "interior") -> float:
    """Largest mean free path (m) times |gradient| over value of a state on the edges of a set; no unit."""
    edges = solution.model.space.edge_set(edge_set)
    state = np.asarray(solution[quantity])
    tail, head = state[np.asarray(edges.tail)], state[np.asarray(edges.head)]
    mean = 0.5 * np.abs(tail + head)
    return float(np.max(mean_free_path * np.abs(head - tail) / np.asarray(edges.length) / mean))


def check_local_equilibrium(solution: Solution | Examination) -> list[Finding]:
    """Every law that carries a number ``mean_free_path`` (m), for each positive state that it moves on a mesh."""
    found = examine(solution)
    findings = []
    for n, law in enumerate(found.model.laws):
        path: Any = getattr(law, "mean_free_path", None)
        acting = found.model.acting[n]
        if path is None or acting not in found.model.space.edges:
            continue
        for name in law.moves:
            if found.model.quantity(name).units.positive:
                value = number(found.solution, float(np.max(np.asarray(path))), name, acting)
                detail = (
                    f"{name} changes by the share {value:.3g} over one mean free path; a law of local gradients "
                    "no longer holds, use a kinetic one."
                )
                findings.append(at_most(found.labels[n], f"{TITLE} ({name})", value, LIMIT, SOURCE, detail))
    return findings
