"""Results of a run in time: the JSON object with the answers in time, and the whole run as NetCDF."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import steadyflux as sf
from steadyflux.files.results import Measured, plain, result_object
from steadyflux.files.variables import Variables, write_dataset
from steadyflux.model.history import History
from steadyflux.physics.quantity import KINDS

Series = Mapping[str, tuple[Sequence[Any], str]]


def history_object(
    name: str, parameters: Measured, answers: Measured, history: History, times: Sequence[float], series: Series
) -> dict[str, Any]:
    """The result of a run in time as one JSON object: that of its end, but with the ledger of the whole run, where it
    has arrived and why, and in ``history`` the answers at the asked times."""
    entropy = history.end.entropy
    stopped = bool(history.events) and history.events[-1].time == float(history.times[-1])  # by an event
    return plain(
        result_object(name, parameters, answers, history.end)
        | {
            "outcome": {"code": "stopped" if stopped else "integrated", "iterations": history.steps, "residual": 0.0},
            "ledger": {
                key: {
                    "in": entry.into,
                    "out": entry.out,
                    "produced": entry.produced,
                    "stored": entry.stored,
                    "imbalance": entry.imbalance,
                    "unit": entry.unit,
                }
                for key, entry in history.ledger.items()
            },
            "entropy": {
                "production": entropy.production,
                "unit": entropy.unit,
                "least_local": entropy.least_local,
                "by_law": dict(entropy.by_law),
                "produced": {"value": float(history.entropy_produced[-1]), "unit": "J/K"},
            },
            "regime": history.regime,
            "steady": history.steady,
            "reason": history.reason,
            "events": [{"name": one.name, "time": {"value": one.time, "unit": "s"}} for one in history.events],
            "history": {
                "time": {"values": list(times), "unit": "s"},
                "answers": {key: {"values": values, "unit": unit} for key, (values, unit) in series.items()},
            },
        }
    )


def write_history(path: str | os.PathLike[str], result: Mapping[str, Any], history: History) -> None:
    """Write the whole run as NetCDF-4: states, flows, amounts and entropy at every recorded time, and the answers.

    Raises `InputError` where the file cannot be written.
    """
    write_dataset(path, history_dataset(result, history))


def history_dataset(result: Mapping[str, Any], history: History) -> Any:
    """The run as an xarray Dataset, dimensions ``time`` and ``cell``, and ``answer_time`` for the answers."""
    import xarray  # 0.5 s, and a run that writes no files does without it: not at the top

    model, space = history.model, history.model.space
    variables = Variables(space)
    add = variables.add

    for quantity in model.quantities:
        add(quantity.name, ("time", "cell"), history[quantity.name], quantity.units.state, f"state of {quantity.name}")
    for unknown in model.shared:
        add(unknown.name, ("time",), history[unknown.name], unknown.unit, f"shared unknown {unknown.name}")
    add("time", ("time",), history.times, "s", "time since the start")
    if space.form is None:
        variables.add_cells()
    else:
        meaning = "coordinate of the cell, which moves"
        variables.add_positions("cell", ("time", "cell"), history.position(), meaning)
        variables.add_labels()
    for name, place in history.counted:
        flux, amount = model.flux_unit(name), history.ledger[name].unit
        if place is None:
            add(f"{name}_made", ("time",), history.made(name), amount, f"{name} that laws have made since the start")
            continue
        add(f"{name}_flow_{place}", ("time",), history.flow(name, place), flux, f"flow of {name} in through {place}")
        entered = history.entered(name, place)
        add(f"{name}_entered_{place}", ("time",), entered, amount, f"{name} that has entered through {place}")
    for quantity in model.quantities:
        stored = KINDS[quantity.kind].stored
        add(
            f"{quantity.name}_total",
            ("time",),
            history.total(quantity.name),
            stored,
            f"stored total of {quantity.name}",
        )
    add("entropy_production", ("time",), history.entropy_production, "W/K", "entropy production")
    add("entropy_produced", ("time",), history.entropy_produced, "J/K", "entropy produced since the start")
    told = result["history"]
    add("answer_time", ("answer_time",), np.array(told["time"]["values"], dtype=float), "s", "time of the answers")
    for name, one in told["answers"].items():
        values = _rectangular(one["values"])
        if values is not None:
            dimensions = ("answer_time", *(f"{name}_{axis}" for axis in range(1, values.ndim)))
            add(f"answer_{name}", dimensions, values, one["unit"], name)
    return xarray.Dataset(
        data_vars=variables.found,
        attrs={
            "title": str(result["system"]),
            "source": f"steadyflux {sf.__version__}",
            "version": sf.__version__,
            "parameters": json.dumps(result["parameters"]),
            "answers": json.dumps(result["answers"]),
            "ledger": json.dumps(result["ledger"]),
            "events": json.dumps(result["events"]),
            "tolerance": history.tolerance,
            "regime": result["regime"],
            "reason": result["reason"],
        },
    )


def _rectangular(values: Sequence[Any]) -> np.ndarray | None:
    """Values as an array of numbers, None among them as nan; None where they are words or of uneven length."""
    try:
        return np.array(values, dtype=float)
    except (TypeError, ValueError):
        return None
