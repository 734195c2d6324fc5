"""Named forms of functions in model files: coefficients that depend on the state, profiles along the space."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

import steadyflux as sf
from steadyflux.files.schema import Maker, makers_of
from steadyflux.ground.errors import InputError, NameUnknown
from steadyflux.ground.units import si
from steadyflux.physics.diffusion import Coefficient


class Gaussian(Coefficient):
    """base + height * exp(-((x - centre) / width)^2 / 2)."""

    height: Any
    centre: Any
    width: Any
    base: Any = 0.0

    def __call__(self, x: Any) -> Any:
        """The value at ``x``."""
        return self.base + self.height * jnp.exp(-0.5 * ((x - self.centre) / self.width) ** 2)


class Step(Coefficient):
    """``before`` up to ``at``, ``after`` beyond, joined by tanh over the length ``width`` (0: a jump)."""

    at: Any
    before: Any
    after: Any
    width: Any = 0.0

    def __call__(self, x: Any) -> Any:
        """The value at ``x``."""
        if self.width == 0.0:
            return jnp.where(x > self.at, self.after, self.before)
        return self.before + 0.5 * (self.after - self.before) * (1.0 + jnp.tanh((x - self.at) / self.width))


class Linear(Coefficient):
    """value + slope * (x - at)."""

    value: Any
    slope: Any
    at: Any = 0.0

    def __call__(self, x: Any) -> Any:
        """The value at ``x``."""
        return self.value + self.slope * (x - self.at)


class Plateau(Coefficient):
    """``inside`` between ``begin`` and ``end``, ``outside`` elsewhere, joined by tanh over the length ``width``."""

    begin: Any
    end: Any
    inside: Any
    outside: Any = 0.0
    width: Any = 0.0

    def __call__(self, x: Any) -> Any:
        """The value at ``x``."""
        rise = Step(self.begin, 0.0, 1.0, self.width)(x) - Step(self.end, 0.0, 1.0, self.width)(x)
        return self.outside + (self.inside - self.outside) * rise


FORMS: dict[str, Maker] = makers_of(Coefficient, sf) | {
    one.__name__.lower(): Maker.of(one) for one in (Gaussian, Step, Linear, Plateau)
}

# What each number of a form is measured in: the argument (x), the value (y), 1/x or y/x. The others are plain numbers.
_AXIS: Mapping[str, str] = {
    **dict.fromkeys(("at", "centre", "width", "begin", "end", "states", "limit", "unit", "scale"), "x"),
    **dict.fromkeys(("value", "values", "height", "base", "before", "after", "inside", "outside"), "y"),
    "rate": "1/x",
    "slope": "y/x",
}
_SAME = {"x": "states", "y": "values", "center": "centre"}


def is_form(value: Any) -> bool:
    """Whether a value of a file is a table that names a form."""
    return isinstance(value, Mapping) and "form" in value


def form_of(table: Mapping[str, Any], argument: str | None, unit: str | None, what: str) -> Coefficient:
    """The form that a table describes, its numbers in SI.

    ``argument`` and ``unit`` are the SI units of the argument and of the value; None where they are not known, so that
    only bare numbers can be taken. Raises `InputError`.
    """
    if not isinstance(table["form"], str) or table["form"].lower() not in FORMS:
        raise NameUnknown("form", str(table["form"]), sorted(FORMS))
    maker = FORMS[table["form"].lower()]
    given = {_SAME.get(key, key): value for key, value in table.items() if key not in ("form", "of")}
    maker.check_keys(given, f"form {table['form']}")
    numbers = {key: _number(key, value, argument, unit, what) for key, value in given.items()}
    if "states" in numbers:
        _check_table(numbers, what)
    for key in ("width", "limit", "unit", "scale"):
        if key in numbers and not np.all(np.asarray(numbers[key]) >= 0.0 if key == "width" else numbers[key] > 0.0):
            raise InputError(f"{key} of the {what} is {numbers[key]:g}; it must be positive")
    if maker.make is Gaussian and numbers["width"] == 0.0:
        raise InputError(f"width of the {what} is zero; a gaussian needs a positive one")
    return maker.make(**numbers)


def profile(table: Mapping[str, Any], argument: str | None, unit: str | None, what: str) -> Callable[..., Any]:
    """The form as a function of the position, evaluated when the model is built."""
    if table.get("of", "position") != "position":
        raise InputError(f"{what} depends on the position, not on the state; leave 'of' out")
    form = form_of(table, argument, unit, what)

    def evaluate(x: Any, *others: Any) -> Any:
        if others:
            raise InputError(
                f"{what} depends on one coordinate, and the space has several; name regions with one value"
            )
        values = np.asarray(form(jnp.asarray(x, dtype=float)), dtype=float)
        if not np.all(np.isfinite(values)):
            raise InputError(f"{what} is not finite everywhere; check the numbers of its form {table['form']}")
        return values

    return evaluate


def unit_in_form(key: str, argument: str | None, unit: str | None) -> str | None:
    """The SI unit of a number of a form; None where it is not known."""
    one_over = None if argument is None else (f"1/({argument})" if argument else "")
    slope = f"{unit or '1'}/({argument})" if argument else unit
    by_axis = {"x": argument, "y": unit, "1/x": one_over, "y/x": None if argument is None or unit is None else slope}
    return by_axis.get(_AXIS.get(_SAME.get(key, key), ""), "")


def _number(key: str, value: Any, argument: str | None, unit: str | None, what: str) -> Any:
    own = unit_in_form(key, argument, unit)
    name = f"{key} of the {what}"
    if own is None:
        if isinstance(value, str):
            raise InputError(f"{name}: {value!r} has a unit that is not known here; give a bare number in SI")
        own = ""
    number = si(value, own, name)
    return tuple(float(x) for x in number) if key == "coefficients" else number


def _check_table(numbers: Mapping[str, Any], what: str) -> None:
    states, values = np.asarray(numbers["states"]), np.asarray(numbers["values"])
    if states.ndim != 1 or states.shape != values.shape or states.size < 2:
        raise InputError(f"the table of the {what} needs two or more x and as many y")
    if not np.all(np.diff(states) > 0):
        raise InputError(f"the x of the table of the {what} must increase")
