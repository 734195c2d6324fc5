"""What a reader sees of a run in time: tables, answers and states against time, profiles at some moments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from steadyflux.ground.unit_text import UnitTextError, label
from steadyflux.model.history import History
from steadyflux.physics.quantity import Quantity
from steadyflux.report.duration import duration, time_unit
from steadyflux.report.figure import TITLES, groups_of, labelled, plain_name, prefixed, profile_coordinate
from steadyflux.report.table import (
    Measured,
    boundaries,
    filled,
    ledger_table,
    measured,
    number,
    plain_table,
    unit_label,
    without_empty,
)

Series = Mapping[str, tuple[Sequence[Any], str]]

ROWS = 13  # of the table of answers in time
WIDTH = 105  # letters that its columns may take, time left out
MOMENTS = 6  # profiles in a panel
CURVES = 10  # curves in a panel
PANELS = 6  # panels of answers


def history_tables(
    name: str,
    line: str,
    parameters: Measured,
    answers: Measured,
    history: History,
    times: Sequence[float],
    series: Series,
) -> Group:
    """All tables of one run in time."""
    head = Text.assemble((name, "bold"), f"  {line}" if line else "")
    end = float(history.times[-1])
    way = f"integrated to {duration(end)} in {history.steps} steps ({history.solver})"
    state = Text(f"{way}; {history.regime}: {history.reason}\n")
    title = f"Answers at {duration(end)}" if series else "Answers"
    parts: list[RenderableType] = [head, state, measured("Parameters", parameters), measured(title, answers)]
    parts += _answers_in_time(times, series)
    parts.append(filled(plain_table("Events", ("name", "time"), right=(1,)), _events(history)))
    parts.append(boundaries(history.end))
    parts.append(ledger_table(history.ledger, "Ledger of the whole run"))
    produced = [("produced since the start", number(float(history.entropy_produced[-1])), unit_label("J/K"))]
    produced.append(("production at the end", number(float(history.entropy_production[-1])), unit_label("W/K")))
    parts.append(filled(plain_table("Entropy", ("", "value", "unit"), right=(1,)), produced))
    return without_empty(parts)


def _events(history: History) -> list[tuple[str, str]]:
    return [(one.name, duration(one.time)) for one in history.events]


def chosen(count: int, most: int) -> np.ndarray:
    """Numbers of at most ``most`` of ``count`` entries, evenly spread, the first and the last among them."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def _answers_in_time(times: Sequence[float], series: Series) -> list[Table]:
    """The answers at some of the asked times, as many side by side as fit; lists are left to the files."""
    shown = {key: one for key, one in series.items() if not any(np.ndim(v) for v in one[0] if v is not None)}
    if not shown or len(times) < 2:
        return []
    length, unit = time_unit(float(times[-1]))
    rows = chosen(len(times), ROWS)
    names, tables = list(shown), []
    while names:
        fit = max(int(np.searchsorted(np.cumsum([max(len(name), 11) + 3 for name in names]), WIDTH, side="right")), 1)
        part, names = names[:fit], names[fit:]
        columns = [f"time\n{unit}", *(f"{key}\n{unit_label(shown[key][1])}" for key in part)]
        table = plain_table("" if tables else "Answers in time", columns, right=range(len(columns)))
        cells = [[number(times[row] / length), *(number(shown[key][0][row]) for key in part)] for row in rows]
        tables.append(filled(table, cells))
    return tables


# ---- the figure ------------------------------------------------------------------------------------------------------


def history_figure(history: History, times: Sequence[float], series: Series, title: str) -> Figure:
    """Answers against time (those of one unit share a panel), beside the states: profiles of a line, else by cell."""
    groups = groups_of(history.model.quantities)
    panels = _panels(series)
    rows = max(len(groups), len(panels), 1)
    figure = Figure(figsize=(10.0, 0.6 + 2.7 * rows), layout="constrained")
    figure.suptitle(plain_name(title))
    axes = figure.subplots(rows, 2, squeeze=False)
    for row in range(rows):
        if row < len(panels):
            _answers(axes[row, 0], np.asarray(times), *panels[row])
        else:
            axes[row, 0].set_axis_off()
        if row < len(groups):
            line = history.model.space.kind in ("interval", "axis")
            (_profiles if line else _states)(axes[row, 1], history, groups[row])
        else:
            axes[row, 1].set_axis_off()
    return figure


def _panels(series: Series) -> list[tuple[dict[str, np.ndarray], str]]:
    """Scalar answers by unit."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for name, (values, unit) in series.items():
        try:
            array = np.array(values, dtype=float)
        except (TypeError, ValueError):
            continue  # words, or lists of uneven length
        if array.ndim == 1:
            panel = found.setdefault(unit, {})
            if len(panel) < CURVES:
                panel[name] = array
    return [(curves, unit) for unit, curves in found.items()][:PANELS]


def _early(times: np.ndarray) -> bool:
    """Whether most of the times lie so early that only a logarithmic axis shows them."""
    inner = times[times > 0]
    return len(inner) > 8 and float(np.median(inner)) < 0.05 * float(inner[-1])


def _along_time(axes: Axes, times: np.ndarray) -> np.ndarray:
    length, unit = time_unit(float(times[-1]))
    axes.set_xlabel(f"time ({unit})")
    if _early(times):
        axes.set_xscale("log")
    return times / length


def _answers(axes: Axes, times: np.ndarray, curves: Mapping[str, np.ndarray], unit: str) -> None:
    x = _along_time(axes, times)
    for name, values in curves.items():
        axes.plot(x, values, label=plain_name(name), marker="." if len(x) < 30 else None)
    try:
        shown = label(unit) if unit not in ("", "1") else ""
    except UnitTextError:
        shown = unit
    if len(curves) == 1:
        axes.set_ylabel(labelled(plain_name(next(iter(curves))), shown))
    else:
        axes.set_ylabel(shown)
        axes.legend(fontsize="small")


def _profiles(axes: Axes, history: History, group: Sequence[Quantity]) -> None:
    """Profiles at some moments, from the first (pale) to the last (dark)."""
    rows = chosen(len(history.times), MOMENTS)
    values = np.stack([history[q.name][rows] for q in group])
    factor, unit = prefixed(values, group[0].units.state)
    styles = ("-", "--", ":", "-.")
    length, clock = time_unit(float(history.times[-1]))
    for number_of, row in enumerate(rows):
        moment = history.at(history.times[row])
        x = profile_coordinate(moment, axes, moment.position())
        for k, q in enumerate(group):
            time = f"{history.times[row] / length:.3g} {clock}"
            told = time if len(group) == 1 else f"{plain_name(q.name)}, {time}" if number_of == len(rows) - 1 else None
            colour = f"C{k}" if len(group) > 1 else "C0"
            alpha = 0.25 + 0.75 * (number_of + 1) / len(rows)
            axes.plot(x, factor * values[k, number_of], styles[k % 4], color=colour, alpha=alpha, label=told)
    axes.set_ylabel(labelled(TITLES[group[0].kind], unit))
    axes.legend(fontsize="small")


def _states(axes: Axes, history: History, group: Sequence[Quantity]) -> None:
    """States against time: cell by cell where there are few, else mean and extremes."""
    x = _along_time(axes, history.times)
    space = history.model.space
    values = np.stack([history[q.name] for q in group])
    factor, unit = prefixed(values, group[0].units.state)
    active = np.asarray(history.model.layout.active)
    for k, q in enumerate(group):
        cells = np.flatnonzero(active[:, history.model.index(q.name)])
        own = factor * values[k][:, cells]
        if space.labels is not None and len(cells) * len(group) <= CURVES:
            for column, cell in enumerate(cells):
                told = space.labels[cell] if len(group) == 1 else f"{q.name}, {space.labels[cell]}"
                axes.plot(x, own[:, column], label=plain_name(told))
        else:
            axes.plot(x, own.mean(axis=1), color=f"C{k}", label=plain_name(f"{q.name}, mean"))
            axes.fill_between(x, own.min(axis=1), own.max(axis=1), color=f"C{k}", alpha=0.2, linewidth=0)
    axes.set_ylabel(labelled(TITLES[group[0].kind], unit))
    axes.legend(fontsize="small")
