"""Model files: a declaration as TOML data, with values set from outside, each mistake told by file, line and key."""

from __future__ import annotations

import copy
import os
import re
import tomllib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from steadyflux.files.answers import Answer, answers_of, check_names
from steadyflux.files.build import (
    LAWS,
    QUANTITIES,
    Declaration,
    check_document,
    declare,
    given_units,
    unit_of,
)
from steadyflux.files.forms import is_form, unit_in_form
from steadyflux.files.locate import lines_of, parse_toml, read_text
from steadyflux.files.mistakes import at
from steadyflux.files.schema import KeyPath, Mistake, plain
from steadyflux.files.spaces import argument_of
from steadyflux.files.time import Timing, events_of, is_signal_table, timing_of, unit_in_signal
from steadyflux.ground.errors import InputError, NameUnknown, UnitError
from steadyflux.ground.units import si
from steadyflux.model.model import AMBIENT
from steadyflux.model.solution import Solution
from steadyflux.physics.flow import TRANSFER_UNITS
from steadyflux.physics.quantity import CAPACITY_UNITS, KINDS
from steadyflux.solve.transient import Event

_PLAIN_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True)
class ModelFile:
    """A model file that was read: where from, its tables, and which of its values were set from outside.

    ``document`` is the file's data with the settings in place; ``settings`` names what can be set, each with the path
    of its key; ``changed`` says for a path where its value came from ("--set left.K+").
    """

    path: str
    text: str = field(repr=False)
    document: Mapping[str, Any] = field(repr=False)
    changed: Mapping[KeyPath, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The model's name, or that of the file."""
        return str(self.document.get("model", {}).get("name") or Path(self.path).stem)

    @property
    def about(self) -> str:
        """What the file says of itself."""
        return str(self.document.get("model", {}).get("about", ""))

    @cached_property
    def settings(self) -> dict[str, KeyPath]:
        """What can be set: its name ("left.K+", "space.length", "fick.diffusivity") and the path of its key."""
        return settings_of(self.document)

    def with_values(self, given: Mapping[str, Any], source: str = "--set {}") -> ModelFile:
        """The file with values put in place; an unknown name is refused with the nearest one."""
        document = copy.deepcopy(dict(self.document))
        changed = dict(self.changed)
        for name, value in given.items():
            if name not in self.settings:
                raise NameUnknown(f"value to set in {self.path}", name, self.settings)
            path = self.settings[name]
            target: Any = document
            for part in path[:-1]:
                target = target.setdefault(part, {}) if isinstance(target, dict) else target[part]
            target[path[-1]] = _typed(value)
            changed[path] = source.format(name)
        return ModelFile(self.path, self.text, document, changed)

    @cached_property
    def declaration(self) -> Declaration:
        """The declaration that the file states. Raises `InputError` with file, line and key."""
        with self.located():
            return declare(self.document)

    @cached_property
    def model(self) -> Any:
        """The model, refused with file, line and key when it is ill-posed."""
        declared = self.declaration
        with self.located():
            try:
                with at((), self.document):
                    model = declared.model()
            except Mistake as error:
                if error.path:
                    raise
                raise Mistake(self._suspect(error.problem), error.problem, error.remedy) from error
            check_names(self.document, model)
            timing_of(self.document)
            events_of(self.document, model)
            return model

    @cached_property
    def timing(self) -> Timing | None:
        """What the table [time] asks for, if there is one."""
        with self.located():
            check_document(self.document)
            return timing_of(self.document)

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """The events that a run in time watches for."""
        model = self.model
        with self.located():
            return events_of(self.document, model)

    def answers(self, solution: Solution) -> dict[str, Answer]:
        """The answers that the file asks for, in SI, with their units."""
        with self.located():
            return answers_of(self.document, self.declaration, solution)

    def parameters(self) -> dict[str, tuple[Any, str]]:
        """Every value that can be set, in SI with its unit where that is known."""
        with self.located():
            check_document(self.document)
        found: dict[str, tuple[Any, str]] = {}
        for name, path in self.settings.items():
            value = _at(self.document, path)
            if value is None and path == ("model", "temperature"):
                value = AMBIENT
            if _is_name(value):
                continue  # the name of something else
            unit = _unit_at(self.document, path)
            try:
                found[name] = (value, "") if unit is None else (si(value, unit, name), unit)
            except UnitError:
                found[name] = (value, "")  # an influx given as a total, which the model spreads over the place
        return found

    @contextmanager
    def located(self) -> Generator[None, None, None]:
        """Say of a mistake in which file, at which line and key it stands."""
        try:
            yield
        except Mistake as error:
            raise InputError(f"{self.where(error.path)}: {error.problem}", error.remedy) from error

    def where(self, path: KeyPath) -> str:
        """File, line and key of a path, or the setting that its value came from."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.changed:
                return self.changed[path[:length]]
        shown = key_text(path)
        lines = lines_of(self.text)
        line = next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), 1)
        return f"{self.path}, line {line}, {shown}" if shown else f"{self.path}, line {line}"

    def _suspect(self, sentence: str) -> KeyPath:
        """The table that a refusal of the whole model most likely speaks of: the one most of whose words it repeats."""
        said = set(re.findall(r"[^\s,;:'()\[\]{}]+", sentence)) | set(re.findall(r"'([^']*)'", sentence))
        best: tuple[float, KeyPath] = (0.0, ("model",) if "model" in self.document else ())
        if "temperature" in sentence:
            return ("given", "T") if "T" in self.document.get("given", {}) else ("model", "temperature")
        for head in ("given", "start"):
            for name in self.document.get(head, {}):
                if name in said and head in said:
                    return (head, name)
        for key in ("boundary", "law", "quantity", "shared"):
            floor = best[0]
            for n, table in enumerate(self.document.get(key, [])):
                words = {str(table.get(k)) for k in ("place", "name", "quantity", "species", "on") if k in table}
                words |= set(table.get("values", {})) if isinstance(table.get("values"), dict) else set()
                hits = len(words & said) + (plain(str(table.get("kind"))) in {plain(word) for word in said})
                if hits > floor and hits >= best[0]:
                    best = (hits, (key, n))
        return best[1]


def read_model_file(path: str | os.PathLike[str]) -> ModelFile:
    """Read a model file. Raises `InputError` in one sentence for a file that is none."""
    shown = os.fspath(path)
    text = read_text(path)
    return ModelFile(shown, text, parse_toml(text, shown))


def key_text(path: KeyPath) -> str:
    """A path as text: ``law[2].diffusivity`` is the key of the second law."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def settings_of(document: Mapping[str, Any]) -> dict[str, KeyPath]:
    """The names of all values that can be set in a document, with their paths."""
    found: dict[str, KeyPath] = {"model.temperature": ("model", "temperature")}

    def add(name: str, path: KeyPath) -> None:
        if name in found and found[name] != path:
            number = 2
            while f"{name}#{number}" in found:
                number += 1
            name = f"{name}#{number}"
        found[name] = path

    for head in ("space", "given", "start", "time"):
        for path, value in _values(document.get(head), (head,)):
            if path[-1] not in ("kind", "form", "of", "signal") and not isinstance(value, bool):
                add(".".join(map(_step, path)), path)
    titles = {"quantity": "name", "law": "kind", "boundary": "place", "shared": "name", "event": "name"}
    for head, title in titles.items():
        tables = document.get(head)
        seen: dict[str, int] = {}
        for n, table in enumerate(tables if isinstance(tables, list) else []):
            if not isinstance(table, Mapping):
                continue
            label = str(table.get(title) or table.get("kind") or n + 1)
            seen[label] = seen.get(label, 0) + 1
            for path, _ in _values(table, ()):
                if path[-1] in ("kind", "name", "place", "form", "of", "on", "signal", "direction", "then"):
                    continue
                inner = path[1:] if head == "boundary" and path[0] == "values" else path
                repeated = seen[label] > 1 and head != "boundary"
                add(".".join([f"{label}#{seen[label]}" if repeated else label, *map(_step, inner)]), (head, n, *path))
    return found


def _step(part: str | int) -> str:
    return str(part + 1) if isinstance(part, int) else part


def _values(value: Any, path: KeyPath) -> list[tuple[KeyPath, Any]]:
    """Every number and text under a path, and lists of plain numbers or texts whole."""
    if isinstance(value, Mapping):
        return [found for key, one in value.items() for found in _values(one, (*path, key))]
    if isinstance(value, list) and any(isinstance(one, Mapping | list) for one in value):
        return [found for number, one in enumerate(value) for found in _values(one, (*path, number))]
    return [(path, value)] if value is not None else []


def _typed(value: Any) -> Any:
    """A setting's text as the file would hold it: a number, a list or table in TOML, or else the text itself."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if _PLAIN_NUMBER.fullmatch(text) and len(text) < 300:
        return int(text) if text.lstrip("+-").isdigit() else float(text)
    if text in ("true", "false"):
        return text == "true"
    return bracketed(text) if text[:1] in ("[", "{") else value


def bracketed(text: str) -> Any:
    """The list or table that a setting's text writes in TOML. Raises `InputError`."""
    try:
        return parse_toml(f"value = {text}", "--set")["value"]
    except (InputError, tomllib.TOMLDecodeError):
        raise InputError(f"{text[:60]!r} is no list or table in TOML", "write it as in a model file") from None


def _at(document: Any, path: KeyPath) -> Any:
    for part in path:
        document = document.get(part) if isinstance(document, Mapping) else document[part]
        if document is None:
            return None
    return document


_SPACE_UNITS = {"length": "m", "start": "m", "nodes": "m", "area": "m^2", "compartments": "m^3"}
_QUANTITY_UNITS = {"diffusivity": "m^2/s", "standard": "J/mol", "density": "kg/m^3", "charge": ""}


def _unit_at(document: Mapping[str, Any], at_path: KeyPath) -> str | None:
    """The SI unit of the value at a path; None where it is not known."""
    path = list(at_path)
    if path[0] == "model":
        return "K"
    if path[0] == "time":
        return "" if path[1] == "rtol" else "s"
    if is_signal_table(_at(document, at_path[:-1])):
        return unit_in_signal(str(path[-1]), _unit_at(document, at_path[:-1]))
    if path[0] == "space":
        return _space_unit(document["space"], path[1:])
    kinds = {q.get("name"): _kind_of_quantity(q) for q in document.get("quantity", [])}
    if path[0] in ("start", "given"):
        kind = kinds.get(str(path[1]))
        start = KINDS[kind].state if kind else None
        unit = start if path[0] == "start" else given_units(document).get(str(path[1]))
        argument = argument_of(document["space"])
        return unit if len(path) == 2 else unit_in_form(str(path[2]), argument, unit) if len(path) == 3 else None
    if path[0] == "quantity":
        if path[2] == "capacity" and not isinstance(_at(document, at_path), Mapping):
            form = _at(document, at_path[:3])
            kind = kinds.get(document["quantity"][path[1]].get("name"))
            own = CAPACITY_UNITS.get(kind or "")
            if not is_form(form):
                return own
            along = argument_of(document["space"]) if form.get("of") == "position" else None
            return unit_in_form(str(path[-1]), along, own)
        return _QUANTITY_UNITS.get(str(path[2])) if len(path) == 3 else None
    table: Mapping[str, Any] = _at(document, tuple(path[:2]))
    if path[0] == "law":
        return _law_unit(document, table, path)
    if path[0] == "boundary":
        kind = kinds.get(str(path[-1]))
        holds = plain(str(table.get("kind"))) == "hold"
        if kind and (path[2] == "outside" or (path[2] == "values" and holds)):
            return KINDS[kind].state
        if path[2] == "coefficient":
            return TRANSFER_UNITS.get(kinds.get(str(table.get("quantity"))) or "")
        return "A" if path[2] == "current" else None
    if path[0] == "event" and path[2] == "crosses":
        kind, watched = kinds.get(str(table.get("quantity"))), plain(str(table.get("kind")))
        units = None if kind is None else KINDS[kind]
        return units and {"total": units.stored, "flow": units.flux}.get(watched, units.state)
    return None


def _space_unit(space: Mapping[str, Any], path: list[str | int]) -> str | None:
    if plain(str(space.get("kind"))) not in ("interval", "network") or len(path) > 3:
        return None
    if path[0] == "regions":
        return "m" if path[-1] == "length" else None
    if path[0] == "area" and space.get("shape", "slab") != "slab":
        return None
    return _SPACE_UNITS.get(str(path[0])) if len(path) <= 2 else None


def _law_unit(document: Mapping[str, Any], table: Mapping[str, Any], path: list[str | int]) -> str | None:
    kind, key = plain(str(table.get("kind"))), str(path[2])
    if kind not in LAWS:
        return None
    unit = unit_of(kind, LAWS[kind], key)
    if kind == "transfer" and key == "coefficient":
        named = {q.get("name"): _kind_of_quantity(q) for q in document.get("quantity", [])}
        unit = TRANSFER_UNITS.get(named.get(table.get("quantity")) or "")
    if path[-1] == path[2]:
        return unit
    form = table[key] if isinstance(table[key], Mapping) else {}
    along = form.get("of") == "position"
    return unit_in_form(str(path[-1]), argument_of(document["space"]) if along else None, unit) if form else None


def _is_name(value: Any) -> bool:
    """Whether a value is the name of something else (or a list of names) instead of a quantity."""
    if isinstance(value, list):
        return any(_is_name(one) for one in value)
    return isinstance(value, str) and re.match(r"\s*[-+−]?\.?[0-9]", value) is None


def _kind_of_quantity(table: Mapping[str, Any]) -> str | None:
    kind = plain(str(table.get("kind")))
    names = {"ion": "species", "potential": "charge"}
    return names.get(kind, kind) if kind in QUANTITIES else None


__all__ = ["ModelFile", "bracketed", "key_text", "read_model_file", "settings_of"]
