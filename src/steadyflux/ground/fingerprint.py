"""Fingerprints of records: two that hold the same numbers, names and functions have the same, in any process."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import CodeType, FunctionType, MethodType
from typing import Any

import numpy as np

__all__ = ["fingerprint"]

_OWN = ("steadyflux", "equinox", "jax", "numpy", "builtins")


def fingerprint(record: Any) -> str:
    """A digest of a record: its classes, names, numbers to the last bit, and the code of the functions in it.

    Of a function the instructions, constants, defaults, enclosed values and the plain numbers it reads from its module
    count; of a class from outside this package its methods. Comments and the place of a definition do not.
    """
    total = hashlib.blake2b(digest_size=20)
    _Walk(total.update).visit(record)
    return total.hexdigest()


class _Walk:
    """Feeds everything in a record, in a fixed order, to a digest."""

    def __init__(self, feed: Callable[[bytes], None]) -> None:
        self._feed = feed
        self._open: set[int] = set()  # functions and objects being visited: one may enclose itself

    def _say(self, *words: object) -> None:
        self._feed(("\x1f".join(map(str, words)) + "\x1e").encode("utf-8", "surrogatepass"))

    def visit(self, value: Any) -> None:
        """Feed one value and all that it holds."""
        if value is None or isinstance(value, str | bytes | bool | type):
            self._say(type(value).__name__, value.__qualname__ if isinstance(value, type) else value)
        elif isinstance(value, int | float | complex):
            self._say(type(value).__name__, value.hex() if isinstance(value, float) else value)
        elif isinstance(value, Mapping):
            self._say("table", len(value))
            for key in sorted(value, key=str):
                self._several((key, value[key]))
        elif isinstance(value, frozenset | set):
            self._say("set", *sorted(map(fingerprint, value)))
        elif isinstance(value, tuple | list):
            self._say(type(value).__qualname__, len(value))
            self._several(value)
        elif isinstance(value, np.ndarray | np.generic) or hasattr(value, "__array__"):
            array = np.asarray(value)
            self._say("array", array.dtype.str, array.shape)
            self._feed(np.ascontiguousarray(array).tobytes())
        elif id(value) in self._open:
            self._say("again")
        else:
            self._open.add(id(value))
            self._object(value)
            self._open.discard(id(value))

    def _several(self, values: Iterable[Any]) -> None:
        for one in values:
            self.visit(one)

    def _object(self, value: Any) -> None:
        if isinstance(value, CodeType):
            self._code(value)
        elif isinstance(value, FunctionType):
            self._function(value)
        elif isinstance(value, MethodType):
            self._several((value.__func__, value.__self__))
        elif isinstance(value, partial):
            self._several((value.func, value.args, value.keywords))
        elif callable(getattr(value, "__wrapped__", None)):  # a function that has been compiled or decorated
            self.visit(value.__wrapped__)
        else:
            self._class(type(value))
            if dataclasses.is_dataclass(value):
                held = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
            else:
                held = getattr(value, "__dict__", {})
            self.visit(held)

    def _class(self, kind: type) -> None:
        self._say("class", kind.__module__, kind.__qualname__)
        for one in kind.__mro__:
            if one.__module__.partition(".")[0] in _OWN:
                continue
            for name, member in sorted(vars(one).items()):
                # Methods stand in a class bare, in properties, or wrapped by equinox.
                inner = getattr(member, "fget", None) or getattr(member, "method", None) or member
                if isinstance(inner, FunctionType):
                    self._say(name)
                    self.visit(inner.__code__)

    def _function(self, function: FunctionType) -> None:
        self._say("function", function.__name__)
        self.visit(function.__code__)
        self._several((function.__defaults__, function.__kwdefaults__))
        for cell in function.__closure__ or ():
            try:
                self.visit(cell.cell_contents)
            except ValueError:  # not filled yet
                self._say("empty")
        for name in function.__code__.co_names:
            outside = function.__globals__.get(name)
            if isinstance(outside, int | float | str | np.ndarray):
                self._several((name, outside))

    def _code(self, code: CodeType) -> None:
        self._feed(code.co_code)
        self._several((code.co_names, code.co_varnames, code.co_freevars, code.co_consts))
