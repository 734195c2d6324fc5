"""Linear solvers that are used where they are installed: which are, and how to get the others."""

from __future__ import annotations

INSTALL: dict[str, str] = {}


def best_direct() -> str:
    """The direct solver that is fastest among those installed."""
    return "superlu"
