"""The claims of a system, each comparison turned into a finding."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from steadyflux.audit.findings import Finding, compared, failed
from steadyflux.ground.errors import SteadyfluxError
from steadyflux.model.solution import Solution


@runtime_checkable
class ComparisonLike(Protocol):
    """A measured number or array against what it must be."""

    @property
    def measured(self) -> Any:
        """What was computed."""
        ...

    @property
    def expected(self) -> Any:
        """What it must be."""
        ...

    @property
    def rtol(self) -> float:
        """Tolerance relative to the expected."""
        ...

    @property
    def atol(self) -> float:
        """Absolute tolerance."""
        ...


@runtime_checkable
class ClaimLike(Protocol):
    """Something that must hold, with its source and the function that compares."""

    @property
    def title(self) -> str:
        """What must hold."""
        ...

    @property
    def source(self) -> str:
        """Where the reference comes from."""
        ...

    @property
    def compare(self) -> Callable[[Any], Any]:
        """Function of a run that returns one or several comparisons."""
        ...


@runtime_checkable
class ResultLike(Protocol):
    """One run: its solution and answers."""

    @property
    def solution(self) -> Solution:
        """The solved principal model."""
        ...

    @property
    def answers(self) -> Mapping[str, Any]:
        """Numbers by name."""
        ...


@runtime_checkable
class SystemLike(Protocol):
    """A system as the audit needs it: a name, a way to run it, and claims."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def claims(self) -> Sequence[ClaimLike]:
        """What must hold of it."""
        ...

    @property
    def run(self) -> Callable[..., Any]:
        """Solve it with parameters by name."""
        ...


def check_claims(system: SystemLike, run: Callable[..., Any] | None = None) -> list[Finding]:
    """Every comparison of every claim. A claim that raises is a failed finding that tells the error.

    ``run`` stands in for ``system.run``, for instance one that keeps results.
    """
    findings: list[Finding] = []
    for claim in system.claims:
        findings += check_claim(system.name, claim, system.run if run is None else run)
    return findings


def check_claim(subject: str, claim: ClaimLike, run: Callable[..., Any]) -> list[Finding]:
    """The comparisons of one claim."""
    try:
        found = claim.compare(run)
    except SteadyfluxError as error:
        return [failed(subject, claim.title, claim.source, f"it could not be computed: {error.sentence()}")]
    except Exception as error:  # a mistake in the system's own code must be seen, and not end the check of the others
        return [failed(subject, claim.title, claim.source, programming_error(error))]
    comparisons = list(found) if isinstance(found, Sequence) else [found]
    if not comparisons:
        return [failed(subject, claim.title, claim.source, "the claim compares nothing; let it return a comparison.")]
    return [
        compared(
            subject,
            claim.title if len(comparisons) == 1 else f"{claim.title} ({number} of {len(comparisons)})",
            one.measured,
            one.expected,
            one.rtol,
            one.atol,
            claim.source,
        )
        for number, one in enumerate(comparisons, 1)
    ]


def programming_error(error: Exception) -> str:
    """A mistake in code, told with its kind, text and line."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" in {trace.tb_frame.f_code.co_name}, line {trace.tb_lineno}" if trace is not None else ""
    return f"its code failed with {type(error).__name__}{where}: {error}"
