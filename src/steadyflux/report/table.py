"""The tables of a run as the terminal shows them: answers, boundaries, ledger, entropy; and those of an audit."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from steadyflux.ground.constants import FARADAY
from steadyflux.ground.unit_text import UnitTextError, label
from steadyflux.model.accounts import Entry
from steadyflux.model.solution import Solution

MOST_ROWS = 60
Measured = Mapping[str, tuple[Any, str]]


def number(value: Any) -> str:
    """A value as a table shows it: six digits; of a long list the ends."""
    if value is None:
        return "-"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {number(one)}" for key, one in value.items())
    if isinstance(value, Sequence) or getattr(value, "ndim", 0):
        items = list(value)
        cut = items if len(items) <= 6 else [*items[:3], "...", *items[-2:]]
        return ", ".join(f"({number(one)})" if getattr(one, "ndim", 0) else number(one) for one in cut)
    return f"{float(value) + 0.0:.6g}" if not isinstance(value, int) else str(value)


def run_tables(name: str, line: str, parameters: Measured, answers: Measured, solution: Solution) -> Group:
    """All tables of one run."""
    outcome = solution.outcome
    head = Text.assemble((name, "bold"), f"  {line}" if line else "")
    state = Text(f"{outcome.name} after {int(outcome.iterations)} linear solves; {solution.regime}\n")
    parts: list[RenderableType] = [head, state, measured("Parameters", parameters), measured("Answers", answers)]
    parts += [boundaries(solution), _currents(solution), ledger_table(solution.ledger), _entropy(solution)]
    return without_empty(parts)


def without_empty(parts: Sequence[RenderableType]) -> Group:
    """The parts that have something to tell."""
    return Group(*(part for part in parts if not isinstance(part, Table) or part.row_count))


def findings_table(findings: Iterable[tuple[str, Any]]) -> Table:
    """The findings of an audit, those that failed marked; a target is named in its first row."""
    columns = ("target", "check", "measured", "expected", "tolerance", "result", "source")
    table = plain_table("Checks", columns, right=(2, 3, 4))
    for column in (0, 2, 3, 4, 5):
        table.columns[column].no_wrap = True
    table.columns[1].ratio, table.columns[6].ratio = 5, 3
    table.expand = True
    before = ""
    for target, finding in findings:
        if before and target != before:
            table.add_section()
        result = Text("passed", "green") if finding.passed else Text("FAILED", "bold red")
        result = result if finding.judged else Text("left out", "dim")
        title = finding.title if finding.subject == target else f"{finding.subject}: {finding.title}"
        cells = [Text(_short(x)) for x in (finding.measured, finding.expected, finding.tolerance)]
        reason = finding.source if finding.judged else finding.detail
        table.add_row(Text("" if target == before else target), Text(title), *cells, result, Text(reason))
        before = target
    return table


def _short(value: Any) -> str:
    """A measured number of a check; tolerances need no six digits."""
    return "-" if value is None else f"{float(value) + 0.0:.6g}"


def text_of(tables: RenderableType, width: int = 120) -> str:
    """The tables as plain text, for a file or a pipe."""
    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None, force_terminal=False, _environ={}).print(tables)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def plain_table(title: str, columns: Sequence[str], right: Sequence[int] = ()) -> Table:
    """A table without rows; the columns numbered in ``right`` are ranged right."""
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index in right else "left", overflow="fold")
    return table


def unit_label(unit: str) -> str:
    """A unit as readers write it; as it stands where it cannot be read."""
    try:
        return label(unit)
    except UnitTextError:
        return unit


def filled(table: Table, rows: Sequence[Sequence[str]]) -> Table:
    """The table with its rows; of very many the first."""
    # As Text: a name such as "[K+]" is no mark-up.
    for row in rows[:MOST_ROWS]:
        table.add_row(*map(Text, row))
    if len(rows) > MOST_ROWS:
        table.add_row(Text(f"and {len(rows) - MOST_ROWS} more"))
    return table


def measured(title: str, values: Measured) -> Table:
    """A table of named values with units."""
    rows = [(name, number(value), unit_label(unit)) for name, (value, unit) in values.items()]
    return filled(plain_table(title, ("name", "value", "unit"), right=(1,)), rows)


def _places(solution: Solution) -> list[str]:
    return list(dict.fromkeys(place for entry in solution.ledger.values() for place in entry.places))


def boundaries(solution: Solution) -> Table:
    """State, flow in and the potential -T y that drives each quantity, at each place where a condition stands."""
    model = solution.model
    columns = ("place", "quantity", "state", "unit", "flow in", "unit", "potential", "unit")
    conjugate = np.asarray(solution.books.conjugate)
    temperature = solution.temperature
    potential_unit = {"species": "J/mol", "charge": "V", "volume": "Pa"}
    ledger, rows = solution.ledger, []
    for place in _places(solution):
        cells = np.asarray(model.space.place(place).cells)
        for q in model.quantities:
            if place not in ledger[q.name].places:
                continue
            drive = unit = ""
            if q.kind in potential_unit:
                drive = number(float(np.mean(-temperature[cells] * conjugate[cells, model.index(q.name)])))
                unit = unit_label(potential_unit[q.kind])
            state = number(float(solution.value(q.name, place)))
            flow = number(ledger[q.name].places[place])
            rows.append(
                (place, q.name, state, unit_label(q.units.state), flow, unit_label(ledger[q.name].unit), drive, unit)
            )
    return filled(plain_table("Boundaries", columns, right=(2, 4, 6)), rows)


def _currents(solution: Solution) -> Table:
    model = solution.model
    charged = [q for q in model.quantities if q.kind == "species" and q.charge]
    rows: list[tuple[str, ...]] = []
    for place in _places(solution) if charged else []:
        flows = {q.name: q.charge * FARADAY * float(solution.flow(q.name, place)) for q in charged}
        rows += [(place, name, number(flow), "A") for name, flow in flows.items()]
        rows.append((place, "all", number(sum(flows.values())), "A"))
    return filled(plain_table("Currents into the system", ("place", "carried by", "current", "unit"), right=(2,)), rows)


def ledger_table(ledger: Mapping[str, Entry], title: str = "Ledger") -> Table:
    """What entered, left, was made and was stored of every quantity."""
    columns = ("quantity", "in", "out", "produced", "stored", "imbalance", "unit")
    rows = [
        (name, *map(number, (e.into, e.out, e.produced, e.stored, e.imbalance)), unit_label(e.unit))
        for name, e in ledger.items()
    ]
    return filled(plain_table(title, columns, right=(1, 2, 3, 4, 5)), rows)


def _entropy(solution: Solution) -> Table:
    entropy = solution.entropy
    rows = [(name, number(value), unit_label(entropy.unit)) for name, value in entropy.by_law.items()]
    rows.append(("all laws", number(entropy.production), unit_label(entropy.unit)))
    if entropy.supply:
        rows.append(("power supplied", number(entropy.supply), "W"))
    return filled(plain_table("Entropy production", ("law", "rate", "unit"), right=(1,)), rows)
