"""Where in a file a mistake stands: whatever goes wrong while a table is used becomes a mistake at its key."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from steadyflux.files.schema import KeyPath, Mistake, plain
from steadyflux.ground.errors import InputError, NameUnknown


@contextmanager
def at(path: KeyPath, table: Any) -> Generator[None, None, None]:
    """Turn what goes wrong while a table is used into a `Mistake` at the key it comes from, as far as that can be told.

    What a table holds is a user's; where the engine trips over its type or size, that is a mistake of the file.
    """
    try:
        with np.errstate(over="raise", invalid="raise", divide="raise"):  # a length of 1e308 m is a mistake too
            yield
    except Mistake:
        raise
    except InputError as error:
        raise Mistake(finest(path, table, error), error.problem, error.remedy) from error
    except (TypeError, ValueError, AttributeError, KeyError, IndexError, ArithmeticError) as error:
        reason = " ".join(str(error).split())[:160]
        raise Mistake(path, f"cannot be used ({reason})", "check its values against the documentation") from error


def finest(path: KeyPath, table: Any, error: InputError) -> KeyPath:
    """The path of the key or value in a table that an error speaks of; ``path`` itself when it names none."""
    name = getattr(error, "name", None)
    given = getattr(error, "given", None)
    for inner, value in leaves(table):
        if given is not None and repr(value) == given:
            return (*path, *inner)
        if name is not None and (value == name or (inner and inner[-1] == name)):
            return (*path, *inner)
    said = set(re.findall(r"\w+", error.problem))
    return next(((*path, key) for key in table if key in said), path) if isinstance(table, Mapping) and path else path


def leaves(table: Any, path: KeyPath = ()) -> list[tuple[KeyPath, Any]]:
    """Every number and text of nested tables and lists, with its path."""
    if isinstance(table, Mapping):
        return [found for key, value in table.items() for found in leaves(value, (*path, key))]
    if isinstance(table, list):
        return [found for number, value in enumerate(table) for found in leaves(value, (*path, number))]
    return [(path, table)]


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
