"""From the tables of a model file to the model: every public quantity, law, phase and space by its kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, Required

import jax
import numpy as np
import pydantic
from typing_extensions import TypedDict

import steadyflux as sf
from steadyflux.files.forms import form_of, is_form, profile
from steadyflux.files.mistakes import at, kind_of, leaves
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
from steadyflux.files.spaces import argument_of, check_size, make_space
from steadyflux.files.time import is_signal_table, signal_of
from steadyflux.ground.errors import InputError, NameUnknown
from steadyflux.ground.signal import extremes, is_signal
from steadyflux.ground.units import si
from steadyflux.model.conditions import Condition, SharedRef
from steadyflux.physics.law import Law
from steadyflux.physics.phase import Phase
from steadyflux.physics.quantity import CAPACITY_UNITS, KINDS, Quantity

QUANTITIES = makers_of(Quantity, sf)
QUANTITIES["ion"] = Maker("ion", sf.Ion, {**QUANTITIES["species"].keys, **QUANTITIES["ion"].keys})
LAWS = makers_of(Law, sf)
PHASES = makers_of(Phase, sf)
BALANCES = {name.removesuffix("balance"): maker for name, maker in makers_of(sf.Balance, sf).items()}

BOUNDARIES: dict[str, dict[str, tuple[Any, bool]]] = {
    "hold": {"values": (dict[str, Any], True)},
    "influx": {"values": (dict[str, Any], True)},
    "film": {"quantity": (Text, True), "coefficient": (Value, True), "outside": (dict[str, Any], True)},
    "exchange": {"law": (Table, True), "outside": (dict[str, Any], True)},
    "float": {"quantity": (Text, False), "current": (Value, False), "unknown": (Text, False)},
    "sealed": {"names": (Names, False)},
}

# A negative one would destroy entropy, or is the size of nothing.
# fmt: off
_NOT_NEGATIVE = frozenset((
    "diffusivity", "conductivity", "mobility", "coefficient", "conductance", "permeability", "emissivity", "opening",
    "discharge", "density", "relative_permittivity", "capacity", "capacitance", "saturation", "half", "product_half",
    "forward", "reverse", "limit", "reverse_limit", "reference", "sites", "crest", "width",
))
# fmt: on

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
    "time": NotRequired[Table],
    "event": NotRequired[list[Table]],
}
_MODEL = Maker(
    "model",
    dict,
    {"name": (Text, False), "about": (Text, False), "temperature": (Value, False), "phase": (Any, False)},
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
    for path, value in leaves(document):
        for text in (*path, value):
            if isinstance(text, str) and not text.replace("\n", "").replace("\t", "").isprintable():
                raise Mistake(path, "has a control character", "take it out")
    checked(_MODEL.adapter, dict(document.get("model", {})), ("model",), "[model]", _MODEL.keys)


def declare(document: Mapping[str, Any]) -> Declaration:
    """The declaration that a document states; a mistake is refused with its path (`Mistake`)."""
    check_document(document)
    quantities = [
        _made(QUANTITIES, "quantity", table, ("quantity", n), argument_of(document["space"]))
        for n, table in enumerate(document["quantity"])
    ]
    known = {q.name: q for q in quantities}
    check_size(document["space"], len(quantities))
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
            value = _number(head["temperature"], ("model", "temperature"))
            parts["temperature"] = si(value, "K", "temperature", allow_array=False)
        parts["phase"] = _phase(head.get("phase", "ideal"))
    parts["given"] = _fields(document, "given", given_units(document), argument)
    parts["start"] = _fields(document, "start", {q.name: KINDS[q.kind].state for q in quantities}, argument)
    parts["shared"] = [
        _shared(table, ("shared", n), known, space) for n, table in enumerate(document.get("shared", []))
    ]
    return Declaration(space, parts, tuple(boundaries))


def _made(makers: Mapping[str, Maker], what: str, table: Mapping[str, Any], path: KeyPath, argument: str) -> Any:
    """What a table of a kind describes: its keys checked, forms made into functions, numbers read in their units."""
    kind = kind_of(makers, what, table, path)
    maker = makers[kind]
    fields = maker.check({k: v for k, v in table.items() if k != "kind"}, path, f"the {what} {maker.name}")
    for key, value in fields.items():
        with at((*path, key), value):
            if is_signal_table(value):
                if what != "law":
                    raise InputError(f"{key} of {maker.name} cannot change with time", "give one number")
                fields[key] = signal_of(value, (*path, key))
            elif what == "quantity" and key == "capacity":
                fields[key] = _capacity(value, maker, fields["name"], argument)
            else:
                fields[key] = _argument_value(kind, maker, key, value, argument)
    with at(path, table):
        made = _numeric(maker.make(**fields), maker, fields)
        for key in _NOT_NEGATIVE.intersection(getattr(made, "__dataclass_fields__", ())):
            if any(np.any(np.asarray(one) < 0.0) for one in _sizes(getattr(made, key))):
                shown = key if key in fields else next((k for k in fields if k in _NOT_NEGATIVE), key)
                raise InputError(
                    f"{shown} of {maker.name} is negative", "it would make order out of nothing; give a size"
                )
        return made


def _sizes(value: Any) -> list[Any]:
    """The numbers that a value holds or, where it changes with time, stays between; texts not yet read left out."""
    found = jax.tree.leaves(value, is_leaf=is_signal)
    read = [one for one in found if not any(isinstance(leaf, str) for leaf in jax.tree.leaves(one))]
    return [one for one in map(extremes, read) if isinstance(one, float | np.ndarray)]


def _capacity(value: Any, maker: Maker, name: str, argument: str) -> Any:
    """A capacity: one number, one a cell, a table by region, or a form of the state or the position."""
    what, unit = f"capacity of {name}", _capacity_unit(maker)
    if not is_form(value):
        return value
    if value.get("of", "state") == "position":
        return profile(value, argument, unit, what)
    if value.get("of", "state") != "state":
        raise NameUnknown("argument of a form", str(value["of"]), ("state", "position"))
    return form_of(value, None, unit, what)


def _capacity_unit(maker: Maker) -> str:
    kind = {"ion": "species", "potential": "charge"}.get(maker.name, maker.name)
    return CAPACITY_UNITS[kind]


def _number(value: Any, path: KeyPath) -> Any:
    """A number as it stands, or the signal that a table in its place describes."""
    return signal_of(value, path) if is_signal_table(value) else value


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
    what, unit = f"{key} of {maker.name}", unit_of(kind, maker, key)
    field = getattr(maker.make, "__dataclass_fields__", {}).get(key)
    along = (field is not None and field.metadata.get("per_edge")) or (
        key == "diffusivity" and maker.make in (sf.Species, sf.Ion)
    )
    if not is_form(value):
        by_name = key in ("saturation", "stoichiometry", "orders") or (kind, key) == ("nernstplanck", "diffusivity")
        if isinstance(value, Mapping) and not by_name:
            raise InputError(f"{what} is a table without a form", "give a number, or a table with form = ...")
        several = along or kind in _UNITS or not isinstance(value, list) or not value
        if not several and not all(isinstance(one, str) for one in value):
            raise InputError(f"{what} is a list where one number belongs")
        return value
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
    if isinstance(made, sf.Transfer) or not any(isinstance(leaf, str) for leaf in jax.tree.leaves(made)):
        return made  # a transfer reads its coefficient itself, when the kind of its quantity is known
    for key in fields:
        value = getattr(made, key, None)
        if (isinstance(value, str) or is_signal(value)) and _is_leaf(made, key):
            fields[key] = si(fields[key], "", f"{key} of {maker.name}")
    again = maker.make(**fields)
    for leaf in jax.tree.leaves(again):
        if isinstance(leaf, str):
            raise InputError(f"{leaf!r} in {maker.name} must be a bare number")
    return again


def _is_leaf(made: Any, key: str) -> bool:
    field = made.__dataclass_fields__.get(key)
    return field is not None and not field.metadata.get("static", False)


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
            if is_signal_table(value):
                fields[name] = si(signal_of(value, (key, name)), units.get(name, ""), f"{key} of {name}")
            elif is_form(value):
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
        if is_signal_table(value):
            found[name] = signal_of(value, (*path, name))
        elif isinstance(value, Mapping):
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
            film = {"kind": "transfer", "quantity": fields["quantity"], "coefficient": fields["coefficient"]}
            return sf.Exchange(place, _made(LAWS, "law", film, path, argument), fields["outside"])
        if kind == "exchange":
            law = _made(LAWS, "law", fields["law"], (*path, "law"), argument)
            if not isinstance(law, sf.EdgeLaw):
                raise InputError(
                    f"{type(law).__name__} moves nothing from cell to cell; an exchange needs a law that does"
                )
            return sf.Exchange(place, law, fields["outside"])
        if kind == "float":
            if "current" in fields:
                fields["current"] = _number(fields["current"], (*path, "current"))
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
        equals = _number(parts.get("equals", 0.0), (*where, "equals"))
        parts["equals"] = si(equals, unit, f"what the balance of {fields['name']} equals")
        options = {key: fields[key] for key in ("start", "unit", "scale") if key in fields}
        return sf.Shared(fields["name"], BALANCES[kind].make(**parts), **options)
