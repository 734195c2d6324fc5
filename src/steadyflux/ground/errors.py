"""The errors: one root; each holds its parts and says in one sentence what is wrong and what to do next."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar

__all__ = [
    "AuditFailed",
    "InputError",
    "ModelError",
    "NameUnknown",
    "NotConverged",
    "SteadyfluxError",
    "UnitError",
    "nearest",
]

_MOST_LISTED = 12
_MOST_SHOWN = 80


class SteadyfluxError(Exception):
    """Root of all errors raised on purpose.

    `problem` says what is wrong; `remedy`, where given, what to do next. The sentence is "problem; remedy".
    A subclass sets `args` to the very arguments of its `__init__`, so that it can be pickled (worker processes do).
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy

    def sentence(self) -> str:
        """The whole message."""
        return f"{self.problem}; {self.remedy}" if self.remedy else self.problem

    def __str__(self) -> str:
        return self.sentence()


class InputError(SteadyfluxError, ValueError):
    """What the user gave cannot be used: a value, a name, a file."""

    exit_code: ClassVar[int] = 2


class ModelError(InputError):
    """A model's declaration is incomplete, contradictory or physically impossible."""


class UnitError(InputError):
    """A value cannot be read in the unit that is expected.

    `what` names the value ("left.phi"), `given` is its text as given, `expected` the SI unit ("" when the value has no
    unit), `reason` completes "<what>: <given> ...", and `example` is a text that would be accepted.
    """

    def __init__(self, what: str, given: str, expected: str, reason: str, example: str) -> None:
        shown = given if len(given) <= _MOST_SHOWN else given[: _MOST_SHOWN - 3] + "..."
        wanted = f"in {expected} or a compatible unit" if expected else "without a unit"
        super().__init__(f"{what}: {shown} {reason}", f"give a value {wanted}, for example {example}")
        self.args = (what, given, expected, reason, example)
        self.what = what
        self.given = given
        self.expected = expected
        self.reason = reason
        self.example = example


class NameUnknown(InputError):
    """No `kind` ("ion", "system", "parameter") has this name; the sentence suggests the nearest of those `known`."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        choices = tuple(known)
        close = nearest(name, choices)
        if close:
            remedy = "did you mean " + " or ".join(repr(one) for one in close) + "?"
        elif not choices:
            remedy = "there are none here"
        else:
            listed = ", ".join(choices[:_MOST_LISTED])
            more = len(choices) - _MOST_LISTED
            remedy = f"there are {listed}" + (f" and {more} more" if more > 0 else "")
        shown = name if len(name) <= _MOST_SHOWN else name[: _MOST_SHOWN - 3] + "..."
        super().__init__(f"no {kind} is named {shown!r}", remedy)
        self.args = (kind, name, choices)
        self.kind = kind
        self.name = name
        self.known = choices
        self.nearest = close


class NotConverged(SteadyfluxError):
    """No solution was found; `outcome` holds the solver's own record of what was tried and where it is worst."""

    exit_code: ClassVar[int] = 3

    def __init__(self, problem: str, remedy: str = "", outcome: object = None) -> None:
        super().__init__(problem, remedy)
        self.args = (problem, remedy, outcome)
        self.outcome = outcome


class AuditFailed(SteadyfluxError):
    """A claim or an audit failed; `findings` holds the records that say which and by how much."""

    exit_code: ClassVar[int] = 1

    def __init__(self, problem: str, remedy: str = "", findings: object = None) -> None:
        super().__init__(problem, remedy)
        self.args = (problem, remedy, findings)
        self.findings = findings


def nearest(name: str, known: Iterable[str], most: int = 2) -> tuple[str, ...]:
    """At most `most` of the `known` names that look like `name`, likest first; capitals count less than letters."""
    choices = tuple(known)
    by_lower: dict[str, list[str]] = {}
    for choice in choices:
        by_lower.setdefault(choice.lower(), []).append(choice)
    # Longer names cannot be a slip of the pen; comparing them would only cost time.
    close = get_close_matches(name[:_MOST_SHOWN].lower(), by_lower, n=most, cutoff=0.6)
    return tuple(choice for lower in close for choice in by_lower[lower])[:most]
