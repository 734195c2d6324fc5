"""Figures: the profiles and fluxes of any run, and a figure written whole or not at all."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from steadyflux.ground.constants import FARADAY
from steadyflux.ground.files import atomic_path
from steadyflux.ground.unit_text import label
from steadyflux.model.solution import Solution
from steadyflux.physics.quantity import Quantity
from steadyflux.report.map import has_map, paint, plane_of

_PREFIXES = ((1.0, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"), (1e-12, "p"), (1e-15, "f"), (1e-18, "a"))
TITLES = {
    "species": "concentration",
    "heat": "temperature",
    "charge": "electric potential",
    "volume": "pressure",
    "size": "volume",
    "energy": "energy density",
    "impulse": "momentum density",
    "momentum": "velocity",
    "population": "density",
}


def write_figure(path: str | os.PathLike[str], figure: Figure) -> None:
    """Write a figure in the format of the path's suffix (png, svg, pdf). Raises `InputError` where that fails."""
    with atomic_path(path) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a box stands for a letter the font lacks
        figure.savefig(temporary, dpi=150)


def plain_name(name: str) -> str:
    """A name as it stands: a dollar sign in it starts no formula."""
    return name.replace("$", r"\$")


def figure_of(solution: Solution, title: str) -> Figure:
    """Profiles of all quantities beside their fluxes: along the coordinate of a line, by name in a network."""
    line, plane = solution.model.space.kind in ("interval", "axis"), has_map(solution.model.space)
    groups = [[q] for q in solution.model.quantities] if plane else groups_of(solution.model.quantities)
    figure = Figure(figsize=(10.0, 0.6 + 2.7 * len(groups)), layout="constrained")
    figure.suptitle(plain_name(title))
    axes = figure.subplots(len(groups), 2, squeeze=False)
    for row, group in enumerate(groups):
        if line:
            _profiles(axes[row, 0], solution, group)
            _fluxes(axes[row, 1], solution, group)
        elif plane:
            _map(axes[row, 0], solution, group[0])
            _flows_by_place(axes[row, 1], solution, group)
        else:
            _states_by_cell(axes[row, 0], solution, group)
            _flows_by_place(axes[row, 1], solution, group)
    return figure


def groups_of(quantities: Sequence[Quantity]) -> list[list[Quantity]]:
    """Quantities of one kind share a panel."""
    kinds = dict.fromkeys(q.kind for q in quantities)
    return [[q for q in quantities if q.kind == kind] for kind in kinds]


def prefixed(values: Any, unit: str) -> tuple[float, str]:
    """Factor and unit that bring values into numbers a reader takes in: 3e-9 m is 3 nm."""
    size = float(np.max(np.abs(values), initial=0.0))
    if unit not in ("m", "V", "A") or size == 0.0 or size >= 1e3:
        return 1.0, label(unit) if unit not in ("", "1") else ""
    factor, prefix = next(((f, p) for f, p in _PREFIXES if size >= f), _PREFIXES[-1])
    return 1.0 / factor, prefix + unit


def labelled(what: str, unit: str) -> str:
    """The label of an axis."""
    return f"{what} ({unit})" if unit else what


def profile_coordinate(solution: Solution, axes: Axes, values: Any) -> Any:
    """Positions in the unit of the axis, which is labelled."""
    space = solution.model.space
    factor, unit = prefixed(space.position, "m" if space.kind == "interval" else "")
    axes.set_xlabel(labelled(space.coordinate, unit))
    return np.asarray(values) * factor


def _profiles(axes: Axes, solution: Solution, group: Sequence[Quantity]) -> None:
    x = profile_coordinate(solution, axes, solution.model.space.position)
    values = np.stack([np.asarray(solution[q.name]) for q in group])
    factor, unit = prefixed(values, group[0].units.state)
    for q, profile in zip(group, values, strict=True):
        axes.plot(x, factor * profile, label=plain_name(q.name))
    if group[0].kind == "species" and values.min() > 0 and values.max() > 300 * values.min():
        axes.set_yscale("log")
    axes.set_ylabel(labelled(TITLES[group[0].kind], unit))
    axes.legend(fontsize="small")


def _fluxes(axes: Axes, solution: Solution, group: Sequence[Quantity]) -> None:
    """Flow along the coordinate; for ions the current that each carries, and their sum."""
    model = solution.model
    ions = group[0].kind == "species" and any(q.charge for q in group)
    shown = [q for q in group if q.charge] if ions else list(group)
    curves: list[tuple[str, Any, Any]] = []
    for edge_set, edges in model.edges.items():
        outside = int(np.max(np.asarray(edges.head))) >= model.cells
        if outside or len(edges) < 2 or (edge_set != "interior" and "interior" in model.edges):
            continue
        moved = {name for number in model.laws_on(edge_set) for name in model.laws[number].moves}
        for q in shown:
            if q.name in moved:
                strength = q.charge * FARADAY if ions else 1.0
                curves.append((q.name, edges.position, strength * np.asarray(solution.along(q.name, edge_set))))
    if not curves:
        axes.set_axis_off()
        return
    factor, unit = prefixed([c for _, _, flow in curves for c in flow], "A" if ions else model.flux_unit(group[0].name))
    for name, position, flow in curves:
        axes.plot(profile_coordinate(solution, axes, position), factor * flow, label=plain_name(name))
    if ions and len(curves) > 1 and len({len(flow) for _, _, flow in curves}) == 1:
        total = sum(flow for _, _, flow in curves)
        axes.plot(profile_coordinate(solution, axes, curves[0][1]), factor * total, "k--", label="all")
    what = "current" if ions else {"C": "displacement", "V/m": "field"}.get(model.flux_unit(group[0].name), "flow")
    axes.set_ylabel(labelled(what, unit))
    low, high = axes.get_ylim()
    middle = 0.5 * (low + high)
    if high - low < 1e-3 * abs(middle):  # a constant flow should look constant
        axes.set_ylim(min(0.0, 1.5 * middle), max(0.0, 1.5 * middle))
    axes.legend(fontsize="small")


def _map(axes: Axes, solution: Solution, quantity: Quantity) -> None:
    """A quantity over a plane."""
    space, values = solution.model.space, np.asarray(solution[quantity.name])
    reach = np.abs(plane_of(space))
    scale, length = prefixed(min(np.max(reach), 8.0 * np.quantile(reach, 0.75)), "m")
    factor, unit = prefixed(values, quantity.units.state)
    shown = paint(axes, space, factor * values, scale, length)
    what = f"{TITLES[quantity.kind]} of {plain_name(quantity.name)}" if quantity.kind == "species" else None
    axes.figure.colorbar(shown, ax=axes, label=labelled(what or TITLES[quantity.kind], unit))


def _states_by_cell(axes: Axes, solution: Solution, group: Sequence[Quantity]) -> None:
    space = solution.model.space
    named = space.labels if space.labels is not None and space.cells <= 40 else None
    x, width = np.arange(space.cells), 0.8 / len(group)
    values = np.stack([np.asarray(solution[q.name]) for q in group])
    factor, unit = prefixed(values, group[0].units.state)
    for number, (q, row) in enumerate(zip(group, values, strict=True)):
        if named is None:
            axes.plot(x, factor * row, ".", markersize=3, label=plain_name(q.name))
        else:
            axes.bar(x + width * (number - 0.5 * (len(group) - 1)), factor * row, width, label=plain_name(q.name))
    if named is None:
        axes.set_xlabel("cell")
    else:
        axes.set_xticks(x, list(map(plain_name, named)), rotation=30, ha="right")
    axes.set_ylabel(labelled(TITLES[group[0].kind], unit))
    axes.legend(fontsize="small")


def _flows_by_place(axes: Axes, solution: Solution, group: Sequence[Quantity]) -> None:
    """Flows into the system by place, one colour a quantity."""
    ledger = solution.ledger
    places = list(dict.fromkeys(place for q in group for place in ledger[q.name].places))[:40]
    if not places:
        axes.set_axis_off()
        return
    x, width = np.arange(len(places)), 0.8 / len(group)
    flows = np.array([[ledger[q.name].places.get(place, 0.0) for place in places] for q in group])
    factor, unit = prefixed(flows, ledger[group[0].name].unit)
    for number, (q, row) in enumerate(zip(group, flows, strict=True)):
        axes.bar(x + width * (number - 0.5 * (len(group) - 1)), factor * row, width, label=plain_name(q.name))
    axes.set_xticks(x, list(map(plain_name, places)), rotation=30, ha="right")
    axes.axhline(0.0, color="black", linewidth=0.8)
    axes.set_ylabel(labelled("flow in", unit))
    axes.legend(fontsize="small")
