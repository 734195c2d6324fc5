"""From the tables of a model file to the model: every public quantity, law, phase and space by its kind."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NotRequired, Required

import jax
import numpy as np
import pydantic
from typing_extensions import TypedDict

import steadyflux as sf
from steadyflux.files.forms import form_of, is_form, profile
from steadyflux.files.schema import (
    Bare,
    KeyPath,
    Maker,
    Mistake,
    Names,
    Number,
    Table,
    Text,
    Value,
    checked,
    makers_of,
    plain,
)
from steadyflux.ground.errors import InputError, NameUnknown
from steadyflux.ground.units import si
from steadyflux.model.conditions import Condition, SharedRef
from steadyflux.physics.law import Law
from steadyflux.physics.phase import Phase
from steadyflux.physics.quantity import KINDS, Quantity

MOST_UNKNOWNS = 2_000_000

QUANTITIES = makers_of(Quantity, sf)
QUANTITIES["ion"] = Maker("ion", sf.Ion, {**QUANTITIES["species"].keys, **QUANTITIES["ion"].keys})
LAWS = makers_of(Law, sf)
PHASES = makers_of(Phase, sf)
BALANCES = {name.removesuffix("balance"): maker for name, maker in makers_of(sf.Balance, sf).items()}
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
}
BOUNDARIES: dict[str, dict[str, tuple[Any, bool]]] = {
    "hold": {"values": (dict[str, Any], True)},
    "influx": {"values": (dict[str, Any], True)},
    "film": {"quantity": (Text, True), "coefficient": (Number, True), "outside": (dict[str, Any], True)},
    "exchange": {"law": (Table, True), "outside": (dict[str, Any], True)},
    "float": {"quantity": (Text, False), "current": (Number, False), "unknown": (Text, False)},
    "sealed": {"names": (Names, False)},
}

# A negative one would destroy entropy, or is the size of nothing.
_NOT_NEGATIVE = frozenset(
    "diffusivity conductivity mobility coefficient conductance permeability emissivity opening discharge density "
    "relative_permittivity capacity capacitance saturation half product_half forward reverse limit reverse_limit "
    "reference sites crest width".split()
)

# The units of the laws that stand behind functions, whose signatures do not carry them.
_UNITS = {"fick": "m^2/s", "fourier": "W/(m*K)", "ohm": "S/m", "darcy": "m^2/(Pa*s)"}
_DOCUMENT = {
    "model": NotRequired[Table],
    "space": Required[Table],
    "quantity": Required[list[Table]],
    "law": NotRequired[list[Table]],
    "boundary": NotRequired[list[Table]],
    "given": NotRequired[Table],
    "start": NotRequired[Table],
    "shared": NotRequired[list[Table]],
    "answer": NotRequired[list[Table]],
}
_MODEL = Maker(
    "model",
    dict,
    {"name": (Text, False), "about": (Text, False), "temperature": (Number, False), "phase": (Any, False)},
)


@dataclass(frozen=True)
class Declaration:
    """The parts of a model as the file states them; `model` puts them together."""

    space: Any
    parts: Mapping[str, Any]
    boundaries: tuple[Condition, ...]

    def model(self, boundaries: Sequence[Condition] | None = None) -> Any:
        """The model, with other boundaries if given. Raises `InputError`."""
        return sf.Model(self.space, boundaries=self.boundaries if boundaries is None else boundaries, **self.parts)


def check_document(document: Mapping[str, Any]) -> None:
    """Refuse a document whose tables are not those of a model file."""
    record = TypedDict("document", _DOCUMENT)  # type: ignore[misc] - the keys are data
    record.__pydantic_config__ = pydantic.ConfigDict(extra="forbid")  # type: ignore[attr-defined]
    checked(pydantic.TypeAdapter(record), dict(document), (), "the model file", _DOCUMENT)
    checked(_MODEL.adapter, dict(document.get("model", {})), ("model",), "[model]", _MODEL.keys)


def declare(document: Mapping[str, Any]) -> Declaration:
    """The declaration that a document states; a mistake is refused with its path (`Mistake`)."""
    check_document(document)
    quantities = [
        _made(QUANTITIES, "quantity", table, ("quantity", n), argument_of(document["space"]))
        for n, table in enumerate(document["quantity"])
    ]
    known = {q.name: q for q in quantities}
    _check_size(document["space"], len(quantities))
    with at(("space",), document["space"]):
        space = make_space(document["space"], ("space",))
    argument = argument_of(document["space"])
    laws = [_made(LAWS, "law", table, ("law", n), argument) for n, table in enumerate(document.get("law", []))]
    boundaries = [
        _boundary(table, ("boundary", n), known, space, argument)
        for n, table in enumerate(document.get("boundary", []))
    ]
    head = document.get("model", {})
    parts: dict[str, Any] = {"quantities": quantities, "laws": laws}
    with at(("model",), head):
        if "temperature" in head:
            parts["temperature"] = si(head["temperature"], "K", "temperature")
        parts["phase"] = _phase(head.get("phase", "ideal"))
    parts["given"] = _fields(document, "given", given_units(document), argument)
    parts["start"] = _fields(document, "start", {q.name: KINDS[q.kind].state for q in quantities}, argument)
    parts["shared"] = [
        _shared(table, ("shared", n), known, space) for n, table in enumerate(document.get("shared", []))
    ]
    return Declaration(space, parts, tuple(boundaries))


@contextmanager
def at(path: KeyPath, table: Any) -> Generator[None, None, None]:
    """Turn what goes wrong while a table is used into a `Mistake` at the key it comes from, as far as that can be told.

    What a table holds is a user's; where the engine trips over its type or size, that is a mistake of the file.
    """
    try:
        yield
    except Mistake:
        raise
    except InputError as error:
        raise Mistake(finest(path, table, error), error.problem, error.remedy) from error
    except (TypeError, ValueError, AttributeError, KeyError, IndexError, OverflowError, ZeroDivisionError) as error:
        reason = " ".join(str(error).split())[:160]
        raise Mistake(path, f"cannot be used ({reason})", "check its values against the documentation") from error


def finest(path: KeyPath, table: Any, error: InputError) -> KeyPath:
    """The path of the key or value in a table that an error speaks of; ``path`` itself when it names none."""
    name = getattr(error, "name", None)
    given = getattr(error, "given", None)
    for inner, value in leaves(table):
        if given is not None and repr(value) == given:
            return (*path, *inner)
        if name is not None and (value == name or inner[-1] == name):
            return (*path, *inner)
    said = set(re.findall(r"\w+", error.problem))
    return next(((*path, key) for key in table if key in said), path) if isinstance(table, Mapping) and path else path


def leaves(table: Any, path: KeyPath = ()) -> list[tuple[KeyPath, Any]]:
    """Every number and text of nested tables and lists, with its path."""
    if isinstance(table, Mapping):
        return [found for key, value in table.items() for found in leaves(value, (*path, key))]
    if isinstance(table, list):
        return [found for number, value in enumerate(table) for found in leaves(value, (*path, number))]
    return [(path or ("",), table)]


def kind_of(makers: Mapping[str, Any], what: str, table: Mapping[str, Any], path: KeyPath) -> str:
    """The plain kind that a table names, refused with the nearest known one."""
    kind = table.get("kind")
    if kind is None:
        raise Mistake(path, f"this {what} has no kind", f"add kind = ..., one of {', '.join(_spellings(makers))}")
    if not isinstance(kind, str):
        raise Mistake((*path, "kind"), f"the kind of a {what} is a text", "put it in quotes")
    if plain(kind) not in makers:
        unknown = NameUnknown(f"kind of {what}", kind, _spellings(makers))
        raise Mistake((*path, "kind"), unknown.problem, unknown.remedy)
    return plain(kind)


def _spellings(makers: Mapping[str, Any]) -> list[str]:
    return [getattr(maker, "name", name) for name, maker in makers.items()]


def _made(makers: Mapping[str, Maker], what: str, table: Mapping[str, Any], path: KeyPath, argument: str) -> Any:
    """What a table of a kind describes: its keys checked, forms made into functions, numbers read in their units."""
    kind = kind_of(makers, what, table, path)
    maker = makers[kind]
    fields = maker.check({k: v for k, v in table.items() if k != "kind"}, path, f"the {what} {maker.name}")
    for key, value in fields.items():
        with at((*path, key), value):
            fields[key] = _argument_value(kind, maker, key, value, argument)
    with at(path, table):
        made = _numeric(maker.make(**fields), maker, fields)
        for key in _NOT_NEGATIVE.intersection(getattr(made, "__dataclass_fields__", ())):
            values = [leaf for leaf in jax.tree.leaves(getattr(made, key)) if isinstance(leaf, float | np.ndarray)]
            if any(np.any(np.asarray(one) < 0.0) for one in values):
                shown = key if key in fields else next((k for k in fields if k in _NOT_NEGATIVE), key)
                raise InputError(
                    f"{shown} of {maker.name} is negative", "it would make order out of nothing; give a size"
                )
        return made


def unit_of(kind: str, maker: Maker, key: str) -> str | None:
    """The SI unit of a law's parameter; None where its signature does not carry one."""
    if kind in _UNITS and key in ("diffusivity", "conductivity", "mobility"):
        return _UNITS[kind]
    field = getattr(maker.make, "__dataclass_fields__", {}).get(key)
    metadata = {} if field is None else field.metadata
    if metadata.get("per_edge"):
        return metadata["unit"] or None
    return "m^2/s" if key == "diffusivity" else None


def _argument_value(kind: str, maker: Maker, key: str, value: Any, argument: str) -> Any:
    if key == "matrix":
        rows = value if isinstance(value, list) and all(isinstance(row, list) for row in value) else []
        if not rows or any(len(row) != len(rows) for row in rows):
            raise InputError("the matrix is not square", "write [[a, b], [b, c]]")
        return np.array([[si(one, "", "matrix") for one in row] for row in rows], dtype=float)
    if not is_form(value):
        return value
    what, unit = f"{key} of {maker.name}", unit_of(kind, maker, key)
    field = getattr(maker.make, "__dataclass_fields__", {}).get(key)
    along = (field is not None and field.metadata.get("per_edge")) or (maker.make in (sf.Species, sf.Ion))
    if along:
        return profile(value, argument, unit, what)
    if value.get("of", "state") == "position":
        return profile(value, argument, unit, what)
    if value.get("of", "state") != "state":
        raise NameUnknown("argument of a form", str(value["of"]), ("state", "position"))
    if kind not in _UNITS and key != "vulnerability":
        raise InputError(f"{what} must be a number, not a form")
    return form_of(value, None, unit, what)


def _numeric(made: Any, maker: Maker, fields: dict[str, Any]) -> Any:
    """The record with texts in number fields that no law reads in a unit ("50 %") read as pure numbers."""
    if not any(isinstance(leaf, str) for leaf in jax.tree.leaves(made)):
        return made
    for key in fields:
        if isinstance(getattr(made, key, None), str) and _is_leaf(made, key):
            fields[key] = si(fields[key], "", f"{key} of {maker.name}")
    again = maker.make(**fields)
    for leaf in jax.tree.leaves(again):
        if isinstance(leaf, str):
            raise InputError(f"{leaf!r} in {maker.name} must be a bare number")
    return again


def _is_leaf(made: Any, key: str) -> bool:
    field = made.__dataclass_fields__.get(key)
    return field is not None and not field.metadata.get("static", False)


def argument_of(space: Mapping[str, Any]) -> str:
    """The unit of the coordinate that forms along the space see: m, or none on an abstract axis and in a network."""
    return "m" if plain(str(space.get("kind", ""))) in ("interval", "join") else ""


def _check_size(table: Mapping[str, Any], quantities: int) -> None:
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


def _phase(given: Any) -> Phase:
    table = {"kind": given} if isinstance(given, str) else given
    if not isinstance(table, Mapping):
        raise Mistake(("model", "phase"), "a phase is a name or a table with its kind", "write phase = 'ideal'")
    return _made(PHASES, "phase", table, ("model", "phase"), "")


def given_units(document: Mapping[str, Any]) -> dict[str, str]:
    """The SI units of the given fields, as far as who uses them tells."""
    units = {"T": "K", "phi": "V"}
    for table in document.get("quantity", []):
        if isinstance(table.get("external"), str):
            volume = plain(str(table.get("kind"))) == "volume"
            units[table["external"]] = "Pa" if volume else "J/mol"
    for table in document.get("law", []):
        if isinstance(table.get("fixed_charge"), str):
            units[table["fixed_charge"]] = "mol/m^3"
    return units


def _fields(document: Mapping[str, Any], key: str, units: Mapping[str, str], argument: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in document.get(key, {}).items():
        with at((key, name), value):
            if is_form(value):
                fields[name] = profile(value, argument, units.get(name, ""), f"{key} of {name}")
            else:
                checked(_VALUE, {"value": value}, (key,), f"[{key}]", ())
                fields[name] = si(value, units.get(name, ""), f"{key} of {name}")
    return fields


_VALUE = Maker("value", dict, {"value": (Value, True)}).adapter
_REFERENCE = Maker("shared", dict, {"shared": (Text, True), "factor": (Bare, False)})


def _condition_values(values: Mapping[str, Any], path: KeyPath) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            reference = _REFERENCE.check(value, (*path, name), "a shared value")
            found[name] = SharedRef(reference["shared"], reference.get("factor", 1.0))
        else:
            try:
                found[name] = checked(_VALUE, {"value": value}, (), "a value", ())["value"]
            except Mistake as error:
                raise Mistake((*path, name), error.problem, error.remedy) from None
    return found


def _boundary(
    table: Mapping[str, Any], path: KeyPath, known: Mapping[str, Quantity], space: Any, argument: str
) -> Condition:
    kind = kind_of(BOUNDARIES, "boundary", table, path)
    maker = Maker(kind, dict, {"place": (Text, True), **BOUNDARIES[kind]})
    fields = maker.check({k: v for k, v in table.items() if k != "kind"}, path, f"the boundary {kind}")
    place = fields["place"]
    for key in ("values", "outside"):
        if key in fields:
            fields[key] = _condition_values(fields[key], (*path, key))
    with at(path, table):
        cells = len(np.asarray(space.place(place).cells))
        for key in ("values", "outside"):
            for name, value in fields.get(key, {}).items():
                if isinstance(value, list) and (key == "outside" or len(value) != cells):
                    wanted = "one number" if key == "outside" else f"one number or {cells}, one a cell"
                    raise Mistake((*path, key, name), f"has {len(value)} values", f"give {wanted}")
        if kind in ("hold", "influx"):
            for name in fields["values"]:
                if name not in known:
                    raise NameUnknown("quantity", name, known)
            return (sf.Hold if kind == "hold" else sf.Influx)(place, fields["values"])
        if kind == "film":
            return sf.Exchange(place, sf.Transfer(fields["quantity"], fields["coefficient"]), fields["outside"])
        if kind == "exchange":
            law = _made(LAWS, "law", fields["law"], (*path, "law"), argument)
            if not isinstance(law, sf.EdgeLaw):
                raise InputError(
                    f"{type(law).__name__} moves nothing from cell to cell; an exchange needs a law that does"
                )
            return sf.Exchange(place, law, fields["outside"])
        if kind == "float":
            return sf.Float(**fields)
        return sf.Sealed(place, fields.get("names", ()))


def _shared(table: Mapping[str, Any], path: KeyPath, known: Mapping[str, Quantity], space: Any) -> Any:
    keys = {"name": (Text, True), "balance": (Table, True), "start": (Number, False), "unit": (Text, False)}
    fields = Maker("shared", dict, {**keys, "scale": (Bare, False)}).check(table, path, "[[shared]]")
    balance, where = fields["balance"], (*path, "balance")
    kind = kind_of(BALANCES, "balance", balance, where)
    parts = BALANCES[kind].check({k: v for k, v in balance.items() if k != "kind"}, where, f"the balance {kind}")
    with at(path, table):
        for name in parts["of"] if kind == "flow" else (parts["quantity"],):
            if name not in known:
                raise NameUnknown("quantity", name, known)
        if kind != "total":
            space.place(parts["through"] if kind == "flow" else parts["at"])
        unit = ""
        if kind != "flow":
            units = KINDS[known[parts["quantity"]].kind]
            unit = units.state if kind == "value" else units.stored
        parts["equals"] = si(parts.get("equals", 0.0), unit, f"what the balance of {fields['name']} equals")
        options = {key: fields[key] for key in ("start", "unit", "scale") if key in fields}
        return sf.Shared(fields["name"], BALANCES[kind].make(**parts), **options)
