"""What the systems with a table of ions share: names for them, and small checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from steadyflux.ground.errors import InputError

Record = Mapping[str, Any]
RESERVED = ("phi", "T", "W", "X")

# The columns of a table of ions that stand between two baths.
BATH_COLUMNS: Mapping[str, tuple[str, Any]] = {
    "charge": ("", ...),
    "diffusivity": ("m^2/s", ...),
    "left": ("mol/m^3", ...),
    "right": ("mol/m^3", ...),
    "name": ("text", ""),
}


def ion_names(ions: Sequence[Record]) -> tuple[str, ...]:
    """A name for every ion of a table: the one given, else "ion 1", "ion 2", ...; two alike are refused."""
    names = tuple(str(ion["name"]) or f"ion {number}" for number, ion in enumerate(ions, 1))
    for name in names:
        if names.count(name) > 1 or name in RESERVED:
            raise InputError(f"The name '{name}' of an ion is taken; give every ion a name of its own.")
    return names


def check_positive(ions: Sequence[Record], *columns: str) -> None:
    """Refuse a negative number in one of the columns, by the number of the ion."""
    for number, ion in enumerate(ions, 1):
        for column in columns:
            if ion[column] is not None and not ion[column] >= 0:
                raise InputError(f"The {column} of ion {number} is {ion[column]:g}; it cannot be negative.")


def check_neutral(ions: Sequence[Record], column: str, where: str) -> None:
    """Refuse a solution whose charges do not add up to zero."""
    total = sum(ion["charge"] * ion[column] for ion in ions)
    size = sum(abs(ion["charge"]) * ion[column] for ion in ions)
    if abs(total) > 1e-9 * size:
        raise InputError(
            f"{where} is not electroneutral: its charges add up to {total:.6g} mol/m^3; "
            "change one of its concentrations."
        )
