"""The spaces of model files: intervals, axes, networks, grids, meshes, and several of them joined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import steadyflux as sf
from steadyflux.files.forms import is_form, profile
from steadyflux.files.meshes import DELAUNAY, GRID, MESH, make_delaunay, make_grid, make_mesh
from steadyflux.files.mistakes import kind_of
from steadyflux.files.schema import KeyPath, Maker, Mistake, Number, Table, Text, Value, plain
from steadyflux.ground.units import si

MOST_UNKNOWNS = 2_000_000  # an interval of so many cells takes 10 s and 1 GB

REGION = Maker.of(sf.Region)
SPACES = {
    "interval": Maker("interval", sf.interval, {**Maker.of(sf.interval).keys, "regions": (list[Table], False)}),
    "axis": Maker.of(sf.axis),
    "network": Maker(
        "network",
        sf.network,
        {
            "compartments": (dict[str, Number], True),
            "links": (dict[str, list[list[Text]]], True),
            "area": (Value, False),
        },
    ),
    "join": Maker(
        "join",
        sf.join,
        {"parts": (dict[str, Table], True), "links": (list[list[Text]], True), "length": (Number, False)},
    ),
    "grid": GRID,
    "mesh": MESH,
    "delaunay": DELAUNAY,
}


def argument_of(space: Mapping[str, Any]) -> str:
    """The unit of the coordinate that forms along the space see: m, or none on an abstract axis and in a network."""
    return "m" if plain(str(space.get("kind", ""))) in ("interval", "join") else ""


def check_size(table: Mapping[str, Any], quantities: int) -> None:
    """Refuse a space whose cells times quantities would not fit into memory."""

    def count(value: Any) -> int:
        return value if isinstance(value, int) and not isinstance(value, bool) else 0

    def cells(space: Any) -> int:
        if not isinstance(space, Mapping):
            return 0
        regions, parts = space.get("regions"), space.get("parts")
        stretches = regions if isinstance(regions, list) else []
        inner = parts.values() if isinstance(parts, Mapping) else []
        steps = sum(count(r.get("steps")) for r in stretches if isinstance(r, Mapping))
        return max(count(space.get("cells")), steps) + sum(cells(one) for one in inner)

    most = MOST_UNKNOWNS // max(quantities, 1)
    if cells(table) > most:
        path = ("space", "cells") if "cells" in table else ("space",)
        raise Mistake(path, f"asks for {cells(table):,} cells where at most {most:,} fit", "ask for fewer")


def make_space(table: Mapping[str, Any], path: KeyPath) -> Any:
    """The space that a table describes. Raises `InputError`."""
    maker = SPACES[kind_of(SPACES, "space", table, path)]
    fields = maker.check({k: v for k, v in table.items() if k != "kind"}, path, f"the space {maker.name}")
    if maker is GRID:
        return make_grid(fields, path, MOST_UNKNOWNS)
    if maker is DELAUNAY:
        return make_delaunay(fields, path)
    if maker is MESH:
        return make_mesh(fields)
    argument = argument_of(table)
    for key in ("area", "measure", "crossing"):
        if is_form(fields.get(key)):
            unit = "m^2" if argument else ""
            fields[key] = profile(fields[key], argument, unit, f"{key} of the {maker.name}")
    for key in ("low", "high", "ratio", "measure", "crossing"):
        if isinstance(fields.get(key), str):
            fields[key] = si(fields[key], "", f"{key} of the {maker.name}")
    if "length" in fields and maker.make is sf.join:
        fields["length"] = si(fields["length"], "m", "length of the links")
    if "nodes" in fields:
        fields["nodes"] = si(fields["nodes"], "m", "nodes of the interval")
    if "regions" in fields:
        fields["regions"] = [
            sf.Region(**REGION.check(region, (*path, "regions", n), "a region"))
            for n, region in enumerate(fields["regions"])
        ]
        for n, region in enumerate(fields["regions"]):
            grading = si(region.grading, "", f"grading of {region.name}")
            fields["regions"][n] = region._replace(grading=grading)
    if "names" in fields and len(fields["names"]) != 2:
        raise Mistake((*path, "names"), "names the two ends, first and last", "give two names")
    if "parts" in fields:
        fields["parts"] = {k: make_space(v, (*path, "parts", k)) for k, v in fields["parts"].items()}
    if "links" in fields:
        fields["links"] = _links(fields["links"], (*path, "links"))
    return maker.make(**fields)


def _links(links: Any, path: KeyPath) -> Any:
    if isinstance(links, Mapping):
        return {name: _links(pairs, (*path, name)) for name, pairs in links.items()}
    for n, pair in enumerate(links):
        if not 2 <= len(pair) <= 3 or (len(path) > 2 and len(pair) != 2):
            raise Mistake((*path, n), "a link names the two that it joins", "write [tail, head]")
    return [tuple(pair) for pair in links]
