"""Text files of data read safely, and the line at which each key of a TOML file stands."""

from __future__ import annotations

import json
import os
import re
import stat
import tomllib
from typing import Any

from steadyflux.ground.errors import InputError

MOST_BYTES = 2_000_000  # a model with its tables takes kilobytes; a parser given gigabytes would look like a hang
MOST_NESTED = 16
MOST_DOTS = 32

KeyPath = tuple[str | int, ...]

# Strings and comments are swallowed whole, so that only brackets that mean nesting are counted. Possessive repeats: no
# text, however hostile, makes this backtrack.
_TOKENS = re.compile(
    r'"""(?:[^"\\]++|\\.|""?(?!"))*+"{3,5}'
    r"|'''(?:[^']++|''?(?!'))*+'{3,5}"
    r'|"(?:[^"\\\n]++|\\.)*+"'
    r"|'[^'\n]*+'"
    r"|\#[^\n]*+"
    r"|[\[\]{}]",
    re.DOTALL,
)
_DOTTED = re.compile(rf"(?<![\w\-\"'.])(?:[\w\-\"']++[ \t]*+\.[ \t]*+){{{MOST_DOTS}}}")


def read_text(path: str | os.PathLike[str], most: int = MOST_BYTES) -> str:
    """The text of a regular UTF-8 file of at most ``most`` bytes; anything else is refused (`InputError`) unread."""
    try:
        # Opened without waiting (a pipe would block) and judged by the opened file itself, not by its name.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file", "check the name and the folder") from None
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise InputError(f"{path}: cannot be opened, {reason}", "give a readable file") from None
    try:
        facts = os.fstat(handle)
        if stat.S_ISDIR(facts.st_mode):
            raise InputError(f"{path}: is a folder", "give the name of a file in it")
        if not stat.S_ISREG(facts.st_mode):
            raise InputError(f"{path}: is no regular file", "give a file on disk")
        if facts.st_size > most:
            raise InputError(
                f"{path}: has {facts.st_size:,} bytes where at most {most:,} are read", "give long tables fewer rows"
            )
    except InputError:
        os.close(handle)
        raise
    with os.fdopen(handle, "rb") as file:
        try:
            data = file.read(most + 1)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise InputError(f"{path}: cannot be read, {reason}", "give a readable file") from None
    if len(data) > most:
        raise InputError(f"{path}: grew beyond {most:,} bytes while it was read", "wait until it is written")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}, line {line}: is not UTF-8 text", "save the file as UTF-8") from None


def parse_toml(text: str, path: str | os.PathLike[str]) -> dict[str, Any]:
    """The tables of a TOML text; a mistake is refused with its line."""
    _check_depth(text, path)
    dotted = _DOTTED.search(text)
    if dotted is not None:
        line = text.count("\n", 0, dotted.start()) + 1
        raise InputError(f"{path}, line {line}: has a key of more than {MOST_DOTS} parts", "use nested tables")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(_toml_sentence(str(error), path, text), "correct the TOML there") from None
    except (ValueError, RecursionError, OverflowError):  # Python reads no integer of thousands of digits
        raise InputError(f"{path}, line {_long_number(text)}: has a number that is too long", "shorten it") from None


def parse_json(text: str, path: str | os.PathLike[str]) -> Any:
    """The value of a JSON text; a mistake and a key given twice are refused."""
    _check_depth(text, path)

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise InputError(f"{path}, line {line_of_json(text, key, 2)}: the key {key!r} stands twice", "keep one")
            found[key] = value
        return found

    try:
        return json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        raise InputError(f"{path}, line {error.lineno}: {error.msg.lower()}", "correct the JSON there") from None
    except InputError:
        raise
    except (ValueError, RecursionError, OverflowError):
        raise InputError(f"{path}, line {_long_number(text)}: has a number that is too long", "shorten it") from None


def line_of_json(text: str, key: str, occurrence: int = 1) -> int:
    """The line of the n-th occurrence of a key in a JSON text (1 when it is not found)."""
    found = [m.start() for m in re.finditer(re.escape(json.dumps(key)) + r"\s*:", text)]
    return text.count("\n", 0, found[min(occurrence, len(found)) - 1]) + 1 if found else 1


def _long_number(text: str) -> int:
    found = re.search(r"[0-9_]{4000}", text)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def _check_depth(text: str, path: str | os.PathLike[str]) -> None:
    depth = 0
    for token in _TOKENS.finditer(text):
        sign = token.group()
        if sign in ("[", "{"):
            depth += 1
            if depth > MOST_NESTED:
                line = text.count("\n", 0, token.start()) + 1
                raise InputError(
                    f"{path}, line {line}: has more than {MOST_NESTED} brackets inside one another", "close them"
                )
        elif sign in ("]", "}"):
            depth = max(depth - 1, 0)


def _toml_sentence(message: str, path: str | os.PathLike[str], text: str) -> str:
    found = re.search(r"^(.*) \(at (?:line (\d+), column \d+|end of document)\)$", message, re.DOTALL)
    if found is None:
        return f"{path}: {message}"
    what = found[1].rstrip(".")
    line = int(found[2]) if found[2] else max(len(text.rstrip("\n").split("\n")), 1)
    return f"{path}, line {line}: {what[:1].lower()}{what[1:160]}"


def lines_of(text: str) -> dict[KeyPath, int]:
    """The line (from 1) of every table, key and array entry of a valid TOML text, by its path.

    ``("law", 1, "diffusivity")`` is the key of the second ``[[law]]``.
    """
    return _Lines(text).found


class _Lines:
    """Walks over a text that tomllib has accepted, so that it need not judge, only keep count."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.newlines = [m.start() for m in re.finditer("\n", text)]
        self.found: dict[KeyPath, int] = {}
        self.entries: dict[KeyPath, int] = {}  # arrays of tables: how many so far
        table: KeyPath = ()
        while self._skip(r"(?:[ \t\r\n]|#[^\n]*)*"):
            if self.text.startswith("[[", self.at):
                self.at += 2
                path = self._resolved(self._key())
                self.entries[path] = self.entries.get(path, -1) + 1
                table = (*path, self.entries[path])
                self.found.setdefault(path, self._line())
                self.found[table] = self._line()
                self.at = self.text.index("]]", self.at) + 2
            elif self.text[self.at] == "[":
                self.at += 1
                table = self._resolved(self._key())
                self.found.setdefault(table, self._line())
                self.at = self.text.index("]", self.at) + 1
            else:
                self._pair(table)

    def _skip(self, pattern: str) -> bool:
        found = re.compile(pattern).match(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.at < len(self.text)

    def _line(self) -> int:
        low, high = 0, len(self.newlines)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self.newlines[middle] < self.at else (low, middle)
        return low + 1

    def _resolved(self, key: list[str]) -> KeyPath:
        """A header's key with the number of the current entry after each array of tables before its last part."""
        path: KeyPath = ()
        for number, part in enumerate(key):
            path = (*path, part)
            if path in self.entries and number < len(key) - 1:
                path = (*path, self.entries[path])
        return path

    def _key(self) -> list[str]:
        parts: list[str] = []
        while True:
            self._skip(r"[ \t]*")
            if self.text[self.at] in "\"'":
                parts.append(self._string())
            else:
                start = self.at
                self._skip(r"[A-Za-z0-9_-]+")
                parts.append(self.text[start : self.at])
            self._skip(r"[ \t]*")
            if self.at >= len(self.text) or self.text[self.at] != ".":
                return parts
            self.at += 1

    def _pair(self, table: KeyPath) -> None:
        line = self._line()
        key = self._key()
        for end in range(1, len(key) + 1):
            self.found.setdefault((*table, *key[:end]), line)
        self.at = self.text.index("=", self.at) + 1
        self._value((*table, *key))

    def _string(self) -> str:
        found = _TOKENS.match(self.text, self.at)
        if found is None:
            raise ValueError("no string stands here")
        self.at = found.end()
        return tomllib.loads(f"x = {found.group()}")["x"]

    def _value(self, path: KeyPath) -> None:
        blank = r"(?:[ \t\r\n]|#[^\n]*)*"
        self._skip(r"[ \t]*")
        sign = self.text[self.at]
        if sign == "[":
            self.at += 1
            number = 0
            self._skip(blank)
            while self.text[self.at] != "]":
                self.found[(*path, number)] = self._line()
                self._value((*path, number))
                number += 1
                self._skip(blank)
                if self.text[self.at] == ",":
                    self.at += 1
                    self._skip(blank)
            self.at += 1
        elif sign == "{":
            self.at += 1
            self._skip(blank)
            while self.text[self.at] != "}":
                self._pair(path)
                self._skip(blank)
                if self.text[self.at] == ",":
                    self.at += 1
                    self._skip(blank)
            self.at += 1
        elif sign in "\"'":
            self._string()
        else:
            self._skip(r"[^,\]}\n#]*")
