"""Result files: the JSON object of a run, strict and with units, and its profiles as NetCDF; whole or not at all."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

import steadyflux as sf
from steadyflux.files.variables import Variables, write_dataset
from steadyflux.ground.files import write_atomic
from steadyflux.model.solution import Solution

Measured = Mapping[str, tuple[Any, str]]


def result_object(name: str, parameters: Measured, answers: Measured, solution: Solution) -> dict[str, Any]:
    """The result as one JSON object: parameters and answers with units, outcome, ledger, entropy, regime."""
    entropy = solution.entropy
    return plain(
        {
            "system": name,
            "parameters": {key: {"value": value, "unit": unit} for key, (value, unit) in parameters.items()},
            "answers": {key: {"value": value, "unit": unit} for key, (value, unit) in answers.items()},
            "outcome": {
                "code": solution.outcome.name,
                "iterations": int(solution.outcome.iterations),
                "residual": float(solution.outcome.residual),
            },
            "ledger": {
                key: {
                    "in": entry.into,
                    "out": entry.out,
                    "produced": entry.produced,
                    "stored": entry.stored,
                    "imbalance": entry.imbalance,
                    "unit": entry.unit,
                }
                for key, entry in solution.ledger.items()
            },
            "entropy": {
                "production": entropy.production,
                "unit": entropy.unit,
                "least_local": entropy.least_local,
                "by_law": dict(entropy.by_law),
            },
            "regime": solution.regime,
        }
    )


def plain(value: Any) -> Any:
    """The value in the types of JSON: arrays as lists, what is not finite as null; else TypeError."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    if isinstance(value, int):
        return value
    array = np.asarray(value)
    if array.dtype.kind not in "biufU":
        raise TypeError(f"{type(value).__name__} has no place in a JSON result.")
    if array.ndim:
        return [plain(one) for one in array]
    if array.dtype.kind == "f":
        number = float(array) + 0.0  # no negative zero
        return number if math.isfinite(number) else None
    return array.item()


def json_text(result: Mapping[str, Any]) -> str:
    """The JSON text of a result, with a line end."""
    return json.dumps(result, indent=2, allow_nan=False, ensure_ascii=True) + "\n"


def write_json(path: str | os.PathLike[str], result: Mapping[str, Any]) -> None:
    """Write a result as JSON. Raises `InputError` where the file cannot be written."""
    write_atomic(path, json_text(result))


def write_profiles(path: str | os.PathLike[str], result: Mapping[str, Any], solution: Solution) -> None:
    """Write states, fluxes and entropy production by cell and edge as NetCDF-4, with units, parameters and version.

    Raises `InputError` where the file cannot be written.
    """
    write_dataset(path, dataset(result, solution))


def dataset(result: Mapping[str, Any], solution: Solution) -> Any:
    """The profiles as an xarray Dataset, dimensions ``cell`` and ``edge_SET`` for each edge set."""
    import xarray  # 0.5 s, and a run that writes no files does without it: not at the top

    model, space = solution.model, solution.model.space
    variables = Variables(space)
    add = variables.add

    # The quantities first: they keep their own names.
    for quantity in model.quantities:
        add(quantity.name, ("cell",), solution[quantity.name], quantity.units.state, f"state of {quantity.name}")
    variables.add_cells()
    if space.elements is not None:
        around = "cells at the corners of each element, in turn"
        add("element", ("element", "corner"), space.elements.corners, "", around)
    for name, values in model.given.items():
        unit = {"T": "K", "phi": "V"}.get(name, "")
        add(name, ("cell",), values, unit, f"given field {name}")
    conjugate, temperature = np.asarray(solution.books.conjugate)[: model.cells], solution.temperature
    for quantity in model.quantities:
        if quantity.kind == "species":
            potential = -temperature * conjugate[:, model.index(quantity.name)]
            meaning = f"electrochemical potential of {quantity.name}"
            add(f"{quantity.name}_potential", ("cell",), potential, "J/mol", meaning)
    add("entropy_production", ("cell",), solution.entropy.by_cell, "W/K", "entropy produced around the cell")
    for edge_set, edges in model.edges.items():
        dimension = (f"edge_{edge_set}".replace("/", "_"),)
        variables.add_positions("edge", dimension, edges.position, f"middle of the edges {edge_set}", f"_{edge_set}")
        moved = {name for number in model.laws_on(edge_set) for name in model.laws[number].moves}
        for name in model.names:
            if name in moved:
                unit, meaning = model.flux_unit(name), f"flow of {name} from tail to head"
                add(f"{name}_flux_{edge_set}", dimension, solution.along(name, edge_set), unit, meaning)
    return xarray.Dataset(
        data_vars=variables.found,
        attrs={
            "title": str(result["system"]),
            "source": f"steadyflux {sf.__version__}",
            "version": sf.__version__,
            "parameters": json.dumps(result["parameters"]),
            "answers": json.dumps(result["answers"]),
            "outcome": result["outcome"]["code"],
            "regime": result["regime"],
            "axes": " ".join(space.axes),
        }
        | ({} if space.shape is None else {"shape": list(space.shape)}),
    )
