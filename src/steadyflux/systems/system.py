"""What a system is: parameters with units and sources, a model, answers, claims against references, a figure.

A system file states these and never how the model is solved. The same file is script, page and test.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from steadyflux.ground.errors import InputError, NameUnknown
from steadyflux.ground.units import si
from steadyflux.model.history import History
from steadyflux.model.model import Model
from steadyflux.model.solution import Solution
from steadyflux.solve.steady import steady
from steadyflux.solve.transient import evolve


@dataclass(frozen=True)
class Parameter:
    """A number of a system: default, SI unit, where the default comes from, and the range where it makes sense.

    The default None marks a number that may be left out.
    """

    name: str
    default: float | None
    unit: str
    source: str
    low: float = float("-inf")
    high: float = float("inf")
    whole: bool = False

    def read(self, value: Any) -> Any:
        """The value in SI, refused outside the range."""
        if value is None and self.default is None:
            return None
        number = si(value, self.unit, self.name)
        if getattr(number, "ndim", 0):
            raise InputError(f"{self.name} is one number, not a list.")
        if not self.low <= number <= self.high:
            unit = f" {self.unit}" if self.unit else ""
            raise InputError(
                f"{self.name} is {number:g}{unit}; it must lie between {self.low:g} and {self.high:g}{unit}."
            )
        if self.whole:
            if number != int(number):
                raise InputError(f"{self.name} must be a whole number, not {number:g}.")
            return int(number)
        return number


@dataclass(frozen=True)
class Numbers:
    """A parameter that is a list of numbers in one unit (as text: "1, 2, 3" or with a unit each)."""

    name: str
    default: tuple[float, ...]
    unit: str
    source: str
    low: float = float("-inf")
    high: float = float("inf")

    def read(self, value: Any) -> tuple[float, ...]:
        """The list in SI."""
        items = value.split(",") if isinstance(value, str) else value
        try:
            found = list(items)
        except TypeError:
            found = [items]
        one = Parameter(self.name, 0.0, self.unit, self.source, self.low, self.high)
        return tuple(one.read(x.strip() if isinstance(x, str) else x) for x in found)


@dataclass(frozen=True)
class Choice:
    """A parameter that is one of a few words (or yes / no)."""

    name: str
    default: str
    options: tuple[str, ...]
    source: str = ""
    unit: str = ""

    def read(self, value: Any) -> str:
        """The word, refused with the nearest known one."""
        if value not in self.options:
            raise NameUnknown(f"option of {self.name}", str(value), self.options)
        return str(value)


@dataclass(frozen=True)
class Table:
    """A parameter that is a list of records, each with the same columns: name -> (unit, default or ... when required).

    The unit ``text`` marks a word, ``any`` a value handed on as it is. A record may also be given as a plain list in
    the order of the columns.
    """

    name: str
    default: tuple[Mapping[str, Any], ...]
    columns: Mapping[str, tuple[str, Any]]
    source: str
    unit: str = ""

    def read(self, value: Any) -> tuple[dict[str, Any], ...]:
        """The records with every column filled in, in SI."""
        if isinstance(value, str) or not isinstance(value, Sequence) or not value:
            raise InputError(
                f"{self.name} is a list of tables with the keys {', '.join(self.columns)}; give it in a file."
            )
        return tuple(self._record(row, number) for number, row in enumerate(value, 1))

    def _record(self, row: Any, number: int) -> dict[str, Any]:
        if isinstance(row, Sequence) and not isinstance(row, str):
            if len(row) > len(self.columns):
                raise InputError(
                    f"Entry {number} of {self.name} has {len(row)} values for {len(self.columns)} columns."
                )
            row = dict(zip(self.columns, row, strict=False))
        if not isinstance(row, Mapping):
            raise InputError(f"Entry {number} of {self.name} must be a table with the keys {', '.join(self.columns)}.")
        for key in row:
            if key not in self.columns:
                raise NameUnknown(f"key of {self.name}", str(key), self.columns)
        record: dict[str, Any] = {}
        for key, (unit, default) in self.columns.items():
            if key not in row and default is ...:
                raise InputError(f"Entry {number} of {self.name} lacks '{key}'.")
            given = row.get(key, default)
            if unit == "text":
                record[key] = str(given)
            elif unit == "any" or given is None:
                record[key] = given
            else:
                record[key] = si(given, unit, f"{key} in entry {number} of {self.name}")
        return record


AnyParameter = Parameter | Numbers | Choice | Table


@dataclass(frozen=True)
class Values:
    """The values of a system's parameters, in SI, read as attributes: ``p.radius``."""

    items: Mapping[str, Any]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["items"][name]
        except KeyError:
            raise AttributeError(name) from None


@dataclass(frozen=True)
class Comparison:
    """A measured number (or array) against what it must be: |measured - expected| <= rtol |expected| + atol."""

    measured: Any
    expected: Any
    rtol: float
    atol: float = 0.0


@dataclass(frozen=True)
class Claim:
    """Something that must hold: a title, where the reference comes from, and a function that compares.

    ``compare(run)`` gets a function ``run(**parameters) -> Result`` and returns one or several `Comparison`. The
    expected side must come another way than the measured one (a closed form, a published number, another route).
    """

    title: str
    source: str
    compare: Callable[[Callable[..., Result]], Comparison | Sequence[Comparison]]


@dataclass(frozen=True)
class Result:
    """One run of a system: the parameter values, the solution of its principal model, and its answers (SI).

    Of a run in time ``solution`` is the end, and ``history`` the whole.
    """

    system: System
    parameters: Values
    solution: Solution
    answers: Mapping[str, Any]
    course: History | None = None

    @property
    def history(self) -> History:
        """The whole run in time. Raises `InputError` where a steady state was solved for."""
        if self.course is None:
            raise InputError(f"This run of {self.system.name} is a steady state; give until=... for a run in time.")
        return self.course


@dataclass(frozen=True)
class System:
    """A concrete system. Its name and field are those of its file; its page is the file's docstring.

    ``answers`` takes the values and what was solved: a steady state (or, with ``until``, the state at each asked time).
    Where the question itself is one of time, ``solve`` gives a `History` and the second parameter of ``answers`` is
    annotated as one: it gets the whole run.
    """

    name: str
    parameters: tuple[AnyParameter, ...]
    model: Callable[[Values], Model]
    answers: Callable[[Values, Any], Mapping[str, Any]]
    units: Mapping[str, str]
    claims: tuple[Claim, ...]
    figure: Callable[[Result], Any]
    solve: Callable[[Values, Model], Solution | History] | None = None
    """Only where the state asked for is not simply `steady(model)`: the end of a continuation, a run in time."""
    in_time: Callable[[Values], Model] | None = None
    """Only where a run in time (``until``) takes the same problem in other unknowns than its steady state."""
    page: str = field(default="", repr=False)

    @property
    def transient(self) -> bool:
        """Whether its answers are those of a whole run in time."""
        second = list(inspect.signature(self.answers).parameters.values())[1]
        return "History" in str(second.annotation)

    def parameter(self, name: str) -> AnyParameter:
        """The parameter called ``name``, refused with the nearest known one."""
        for p in self.parameters:
            if p.name == name:
                return p
        raise NameUnknown(f"parameter of {self.name}", name, [p.name for p in self.parameters])

    def values(self, given: Mapping[str, Any] | None = None) -> Values:
        """Defaults with ``given`` put over them, read and checked."""
        for name in given or {}:
            self.parameter(name)
        return Values({p.name: p.read((given or {}).get(p.name, p.default)) for p in self.parameters})

    def run(self, given: Mapping[str, Any] | None = None, *, until: Any = None, **more: Any) -> Result:
        """Solve the system and compute its answers; with ``until`` (s or a text) the way from its start to there."""
        values = self.values({**(given or {}), **more})
        if until is not None:
            return self.result(values, evolve(self.model_in_time(values), until))
        model = self.model(values)
        return self.result(values, steady(model) if self.solve is None else self.solve(values, model))

    def model_in_time(self, values: Values) -> Model:
        """The model that a run in time follows."""
        return (self.in_time or self.model)(values)

    def result(self, values: Values, found: Solution | History) -> Result:
        """The result of what was solved; of a run in time its end, or where the answers ask for it, the whole."""
        if isinstance(found, Solution):
            return Result(self, values, found, self.answers_at(values, found))
        return Result(self, values, found.end, self.answers_at(values, found if self.transient else found.end), found)

    def answers_at(self, values: Values, found: Solution | History) -> dict[str, Any]:
        """The answers of a solved state or run, each one's name checked."""
        answers = dict(self.answers(values, found))
        for name in answers:
            if name not in self.units:
                raise NameUnknown(f"answer of {self.name}", name, self.units)
        return answers
