"""The list of systems, read from the files without importing them, so that listing is fast; `load` imports one."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from steadyflux.ground.errors import NameUnknown

if TYPE_CHECKING:
    from steadyflux.systems.system import System

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Listing:
    """A system as the list shows it: name, field (its folder), one line, seeds, and its whole page."""

    name: str
    field: str
    line: str
    seeds: str
    page: str


@cache
def listings() -> tuple[Listing, ...]:
    """All systems, by field and name. A system file's docstring begins with its line, then has a line "Seeds: A, B"."""
    found = []
    for path in sorted(HERE.glob("*/*.py")):
        if path.name.startswith("_"):
            continue
        page = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        line = page.split("\n", 1)[0]
        seeds = next((x.split(":", 1)[1].strip() for x in page.splitlines() if x.startswith("Seeds:")), "")
        found.append(Listing(path.stem, path.parent.name, line, seeds, page))
    return tuple(found)


def load(name: str) -> System:
    """The system called ``name``; an unknown name is refused with the nearest known one."""
    for listing in listings():
        if listing.name == name:
            return import_module(f"steadyflux.systems.{listing.field}.{name}").SYSTEM
    raise NameUnknown("system", name, [x.name for x in listings()])
