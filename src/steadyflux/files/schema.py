"""What a model file may hold: each kind's keys are read off the signature of what it makes, and checked by pydantic."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from types import ModuleType
from typing import Annotated, Any, NotRequired, Required, get_type_hints

import pydantic
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from steadyflux.ground.errors import InputError, NameUnknown

KeyPath = tuple[str | int, ...]

# Filled in by a law itself when the model is built, or not a thing that data can say.
_HIDDEN = frozenset(("potential", "function", "options"))


def spelled(name: str) -> str:
    """A kind's name as files write it: "NernstPlanck" is nernst_planck."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def plain(name: str) -> str:
    """A kind's name without its way of writing: nernst_planck, nernst-planck and NernstPlanck are one."""
    return re.sub(r"[\s_-]", "", name).lower()


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise PydanticCustomError("number", "is {what} where a number or a text with a unit belongs", _what(value))
    if isinstance(value, str):
        return value
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise PydanticCustomError("number", "is not a finite number")
    return number


def _value(value: Any) -> Any:
    """A number, a text, a list of values, a table of values; no boolean, date or infinity anywhere."""
    if isinstance(value, list):
        return [_value(one) for one in value]
    if isinstance(value, dict):
        return {key: _value(one) if not isinstance(one, bool) else one for key, one in value.items()}
    return _number(value)


def _bare(value: Any) -> Any:
    if isinstance(value, str):
        raise PydanticCustomError("number", "is a text where a bare number belongs")
    return _number(value)


def _names(value: Any) -> Any:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise PydanticCustomError("names", "is {what} where a name or a list of names belongs", _what(value))
    return tuple(names)


def _what(value: Any) -> dict[str, Any]:
    kinds = {bool: "a boolean", list: "a list", dict: "a table", str: "a text", int: "a number", float: "a number"}
    return {"what": kinds.get(type(value), "a date or time")}


Number = Annotated[Any, pydantic.PlainValidator(_number)]
Value = Annotated[Any, pydantic.PlainValidator(_value)]
Names = Annotated[Any, pydantic.PlainValidator(_names)]
Bare = Annotated[Any, pydantic.PlainValidator(_bare)]
Stoichiometry = Annotated[dict[str, Bare], pydantic.Field(min_length=1)]
Text = pydantic.StrictStr
Flag = pydantic.StrictBool
Count = pydantic.StrictInt
Table = dict[str, Any]


class Maker:
    """Something that a file can ask for by kind: what makes it, and the keys (with their types) that it takes."""

    def __init__(self, name: str, make: Callable[..., Any], keys: Mapping[str, tuple[Any, bool]]) -> None:
        self.name = name
        self.make = make
        self.keys = keys

    @classmethod
    def of(cls, make: Callable[..., Any], hidden: Iterable[str] = ()) -> Maker:
        """Keys read off the signature; where a function hands ``**options`` on, those of `Species` too."""
        keys: dict[str, tuple[Any, bool]] = {}
        for p in inspect.signature(make).parameters.values():
            if p.name in _HIDDEN or p.name in hidden or p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
                continue
            keys[p.name] = (_type_of(p.name, p.annotation), p.default is p.empty)
        return cls(spelled(make.__name__), make, keys)

    @cached_property
    def adapter(self) -> pydantic.TypeAdapter:
        """Checks a table of this kind."""
        fields = {k: (Required if needed else NotRequired)[type_] for k, (type_, needed) in self.keys.items()}
        record = TypedDict(f"{self.name}", fields)  # type: ignore[misc] - the keys are data
        record.__pydantic_config__ = pydantic.ConfigDict(extra="forbid")  # type: ignore[attr-defined]
        return pydantic.TypeAdapter(record)

    def check(self, table: Mapping[str, Any], path: KeyPath, what: str) -> dict[str, Any]:
        """The table, its keys and types checked; `Mistake` carries the path of the key that is wrong."""
        return checked(self.adapter, dict(table), path, what, self.keys)

    def check_keys(self, given: Mapping[str, Any], what: str) -> None:
        """Refuse a key that is unknown or lacking."""
        for key in given:
            if key not in self.keys:
                raise NameUnknown(f"key of the {what}", key, self.keys)
        for key, (_, needed) in self.keys.items():
            if needed and key not in given:
                raise InputError(f"the {what} lacks the key '{key}'", "add it")


class Mistake(InputError):
    """A mistake at one key of a file."""

    def __init__(self, path: KeyPath, problem: str, remedy: str = "") -> None:
        super().__init__(problem, remedy)
        self.args = (path, problem, remedy)
        self.path = path


def checked(
    adapter: pydantic.TypeAdapter, table: Any, path: KeyPath, what: str, known: Iterable[str]
) -> dict[str, Any]:
    """What pydantic makes of a table; its first complaint becomes a `Mistake` in one sentence."""
    try:
        return adapter.validate_python(table)
    except pydantic.ValidationError as error:
        complaints = error.errors(include_url=False)
        # A misspelt key makes two complaints, and the one that names it is the one that helps.
        first = next((c for c in complaints if c["type"] == "extra_forbidden"), complaints[0])
        at = (*path, *(part for part in first["loc"] if isinstance(part, str | int)))
        if first["type"] == "extra_forbidden":
            unknown = NameUnknown(f"key of {what}", str(at[-1]), known)
            raise Mistake(at, unknown.problem, unknown.remedy) from None
        if first["type"] == "missing":
            raise Mistake(
                path if len(at) == len(path) + 1 else at[:-1], f"{what} lacks the key '{at[-1]}'", "add it"
            ) from None
        if first["type"] in ("number", "names"):
            raise Mistake(at, first["msg"], "correct the value") from None
        if first["type"] == "list_type" and len(at) == 1:
            raise Mistake(at, "is a table where a list of tables belongs", f"write [[{at[0]}]]") from None
        shown = "empty" if first["type"] == "too_short" else _what(first["input"])["what"]
        raise Mistake(
            at, f"is {shown} where {_WANTED.get(first['type'], 'something else')} belongs", "correct it"
        ) from None


_WANTED = {
    "too_short": "at least one entry",
    "dict_type": "a table",
    "list_type": "a list",
    "string_type": "a text",
    "int_type": "a whole number",
    "bool_type": "true or false",
}


def makers_of(kind: type, library: ModuleType, hidden: Iterable[str] = ()) -> dict[str, Maker]:
    """Every public name of ``library`` that is a concrete ``kind`` or a function that makes one, by its plain name."""
    found: dict[str, Maker] = {}
    for name in library.__all__:
        one = getattr(library, name)
        if inspect.isclass(one):
            if issubclass(one, kind) and one is not kind and not _is_abstract(one):
                found[plain(name)] = Maker.of(one, hidden)
        elif inspect.isfunction(one) and name[0].isupper():
            result = get_type_hints(one).get("return")
            if inspect.isclass(result) and issubclass(result, kind):
                found[plain(name)] = Maker.of(one, hidden)
    return found


def _is_abstract(one: type) -> bool:
    """A class meant to be subclassed: it stands directly for a family, which its page says ("Subclass", "Give it")."""
    return bool(re.search(r"\bSubclass\b|\bGive it\b", one.__doc__ or ""))


def _type_of(name: str, annotation: Any) -> Any:
    text = getattr(annotation, "__forward_arg__", getattr(annotation, "__name__", str(annotation)))
    if name == "stoichiometry":
        return Stoichiometry
    if name in ("where", "species_names", "quantities", "split", "names", "solutes"):
        return Names
    exact = {"str": Text, "str | None": Text, "int": Count, "bool": Flag}
    return exact.get(text, Value)
