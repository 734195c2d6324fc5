"""Everything at once: `check_model` judges a solved model, `check_system` a system with its claims."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from steadyflux.audit.claims import SystemLike, check_claims, programming_error
from steadyflux.audit.curie import check_curie
from steadyflux.audit.derivative import check_law_derivatives, check_solution_derivative
from steadyflux.audit.detailed_balance import check_detailed_balance
from steadyflux.audit.findings import Finding, failed
from steadyflux.audit.history import check_history
from steadyflux.audit.ledger import check_ledger
from steadyflux.audit.local_equilibrium import check_local_equilibrium
from steadyflux.audit.probe import Examination, examine
from steadyflux.audit.reciprocity import check_model_reciprocity, check_reciprocity
from steadyflux.audit.second_law import check_second_law
from steadyflux.ground.errors import SteadyfluxError
from steadyflux.model.history import History
from steadyflux.model.model import Model
from steadyflux.model.solution import Solution
from steadyflux.solve.steady import steady

SOLVED = "a steady state is found"
FOLLOWED = "the run in time reaches its end"

CHECKS: tuple[Callable[[Examination], Any], ...] = (
    check_ledger,
    check_second_law,
    check_reciprocity,
    check_detailed_balance,
    check_curie,
    check_local_equilibrium,
    check_law_derivatives,
    check_solution_derivative,
    lambda found: check_model_reciprocity(found.model),
)


def check_model(model: Model, solution: Solution | None = None) -> list[Finding]:
    """Judge a model at its steady state (solved here unless given). A failure is a finding, never an exception.

    Balances, second law, reciprocity, detailed balance, Curie's principle, local equilibrium, derivatives.
    """
    try:
        found = examine(steady(model) if solution is None else solution)
    except SteadyfluxError as error:
        return [failed("model", SOLVED, "solver", error.sentence())]
    except Exception as error:  # a user's own law may fail in any way, and its text is the finding
        return [failed("model", SOLVED, "solver", programming_error(error))]
    findings = [Finding("model", SOLVED, None, None, 0.0, True, "solver")]
    for check in CHECKS:
        findings += _guarded(check, found)
    return findings


def check_run(history: History) -> list[Finding]:
    """Judge a run in time: the ledger of the whole run, second law and entropy balance at several moments, the laws."""
    finding = Finding("model", FOLLOWED, None, None, 0.0, True, "solver")
    return [finding, *check_history(history, _guarded)]


def _guarded(check: Callable[[Any], Any], found: Any) -> list[Finding]:
    try:
        outcome = check(found)
    except Exception as error:  # one check that breaks must not hide what the others find
        name = getattr(check, "__name__", "check")
        return [failed("model", name.replace("_", " "), "audit", programming_error(error))]
    return outcome if isinstance(outcome, list) else [outcome]


def check_system(system: SystemLike) -> list[Finding]:
    """Run a system at its defaults, judge its model and every claim.

    A run that ends in an error is a failed finding with the error's sentence; a mistake in the system's code too, with
    its kind and line.
    """
    try:
        result = system.run()
    except SteadyfluxError as error:
        return [failed(system.name, SOLVED, "solver", error.sentence())]
    except Exception as error:  # the system's own code may fail in any way, and its text is the finding
        return [failed(system.name, SOLVED, "solver", programming_error(error))]
    course = getattr(result, "course", None)
    findings = check_model(result.solution.model, result.solution) if course is None else check_run(course)
    return [*findings, *check_claims(system)]
