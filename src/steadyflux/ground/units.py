"""Units at the door: what a user gives becomes a float or an array in SI units, what goes out gets its unit back."""

import math
import operator
import sys
from collections.abc import Callable
from functools import lru_cache, partial
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from steadyflux.ground.errors import UnitError, nearest
from steadyflux.ground.unit_text import UnitTextError, expression, label, read_factors, split_number

if TYPE_CHECKING:
    from pint.facets.plain import PlainQuantity

__all__ = ["label", "quantity", "si"]

_EXAMPLES = {
    "m": "'3 um'",
    "s": "'10 ms'",
    "K": "'25 degC'",
    "V": "'50 mV'",
    "mol/m^3": "'100 mM'",
    "m^2/s": "'1.96e-9 m^2/s'",
    "Pa": "'1 atm'",
    "": "0.25 or '25 %'",
}


def si(value: object, unit: str, what: str, *, allow_array: bool = True) -> Any:
    """The value in the SI unit `unit`: a float, or an array of the shape given.

    `value` is a number (taken as SI), a text ("1.96e-9 m^2/s", "100 mM", "25 degC", "3um", "1e-9"), a pint Quantity,
    or, with `allow_array`, an array or a list of these. Traced arrays of JAX pass, so that derivatives go through;
    their values cannot be looked at, hence only they may hold what is not finite. `what` names the value in messages.

    Raises UnitError for anything else: not finite, of another dimension, not readable, a boolean.
    """
    if isinstance(value, str):
        return _from_text(value, unit, what)
    if isinstance(value, bool | np.bool_):
        raise _refused(what, value, unit, "is a boolean, not a number")
    if isinstance(value, Real):
        try:
            return _finite(float(value), value, unit, what)
        except OverflowError:
            raise UnitError(what, "the integer", unit, "is too large a number", _example(unit)) from None
    if _is_quantity(value):
        return _from_quantity(value, unit, what, allow_array)
    if isinstance(value, list | tuple):
        if not allow_array:
            raise _refused(what, value, unit, "is a list where one number is expected")
        return np.array(
            [si(one, unit, f"{what}[{index}]", allow_array=False) for index, one in enumerate(value)], float
        )
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return _from_array(value, unit, what, allow_array)
    converted = getattr(value, "converted", None)  # a signal: not imported here, because it needs JAX
    if converted is not None:
        return converted(lambda one: si(one, unit, what))
    raise _refused(what, value, unit, "is not a number")


def base(value: object) -> float:
    """A number, or a text with any unit, in SI base units."""
    if not isinstance(value, str):
        return float(si(value, "", "a number"))
    try:
        number, unit = split_number(value)
        if not unit:
            return number
        return float(_registry().Quantity(number, _registry().parse_units(expression(unit))).to_base_units().magnitude)
    except UnitTextError as error:
        raise UnitError("a number", value, "", str(error), "write a number with its unit, such as '50 mV'") from None


def quantity(value: Any, unit: str, *, compact: bool = False) -> "PlainQuantity[Any]":
    """The value (a number or array in `unit`) as a quantity of pint's application registry.

    With `compact` the unit gets the prefix that suits the largest value: 3e-6 m becomes 3 µm.
    """
    plain = _registry().Quantity(value, _registry().parse_units(expression(unit)))
    if not compact or not expression(unit):
        return plain
    size = float(np.max(np.abs(np.asarray(value, dtype=float)), initial=0.0))
    if size == 0.0 or not math.isfinite(size):
        return plain
    return plain.to(_registry().Quantity(size, plain.units).to_compact().units)


def _from_text(text: str, unit: str, what: str) -> float:
    try:
        number, given_unit = split_number(text)
        if not math.isfinite(number):
            raise UnitTextError("is too large a number")
        if not given_unit:
            return number
        given = expression(given_unit)
    except UnitTextError as error:
        raise _refused(what, text, unit, str(error)) from None
    return _finite(float(_convert(number, given, unit, what, text)), text, unit, what)


def _from_quantity(value: Any, unit: str, what: str, allow_array: bool) -> Any:
    # Its unit is read anew in our registry: a quantity of another registry is as good as one of ours.
    try:
        given = expression(f"{value.units:D}")
    except UnitTextError as error:
        raise _refused(what, value, unit, f"has a unit that {error}") from None
    magnitude = si(value.magnitude, "", what, allow_array=allow_array)
    return si(_convert(magnitude, given, unit, what, value), unit, what, allow_array=allow_array)


def _from_array(value: Any, unit: str, what: str, allow_array: bool) -> Any:
    if value.ndim and not allow_array:
        raise _refused(what, value, unit, "is an array where one number is expected")
    if value.dtype.kind not in "fiu":
        raise _refused(what, value, unit, f"holds {value.dtype}, not numbers")
    if _is_traced(value):
        return value if value.dtype == np.float64 else value.astype(float)
    if not np.all(np.isfinite(np.asarray(value))):
        raise _refused(what, value, unit, "holds a value that is not finite")
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return float(value)
    return value if value.dtype == np.float64 else value.astype(float)


def _is_traced(value: object) -> bool:
    """Whether JAX is tracing this, asked without importing JAX: what it traces can only exist once it is imported."""
    core = sys.modules.get("jax.core")
    return core is not None and isinstance(value, core.Tracer)


def _is_quantity(value: object) -> bool:
    return hasattr(value, "magnitude") and hasattr(value, "units") and hasattr(value, "dimensionality")


def _finite(number: float, given: object, unit: str, what: str) -> float:
    if not math.isfinite(number):
        raise _refused(what, given, unit, "is not a finite number")
    return number


def _convert(magnitude: Any, given: str, unit: str, what: str, shown: object) -> Any:
    """The magnitude in `unit`; `given` is a unit's expression as unit_text writes it."""
    conversion = _conversion(given, expression(unit))
    if isinstance(conversion, str):
        raise _refused(what, shown, unit, conversion)
    return conversion(magnitude)


@lru_cache(maxsize=512)
def _conversion(given: str, wanted: str) -> Callable[[Any], Any] | str:
    """What turns a number in the unit `given` into one in `wanted`, or the text that completes "<value> ..."."""
    source, target = _pint_unit(given), _pint_unit(wanted)
    if isinstance(target, str):
        raise ValueError(f"the unit {wanted!r}, in which a program asks for a value, {target}")
    if isinstance(source, str):
        return source
    if source.dimensionality != target.dimensionality:
        return f"is {_dimension(source)} where {_dimension(target)} is expected"

    def by_registry(magnitude: Any) -> Any:
        return _registry().Quantity(magnitude, source).m_as(target)

    if by_registry(0.0) != 0.0:  # degC and its like
        return by_registry
    # pint's factor comes from a chain of products: 1 mM is 0.9999999999999999 mol/m^3 to it. Where a short decimal
    # number lies within that rounding it is the factor meant; below one we divide by its inverse, which floats hold.
    factor = by_registry(1.0)
    if factor >= 1.0:
        return partial(operator.mul, _short_decimal(factor))
    inverse = _short_decimal(1.0 / factor)
    return lambda magnitude: magnitude / inverse


def _short_decimal(number: float) -> float:
    short = float(f"{number:.12g}")
    return short if abs(short - number) <= 8.0 * math.ulp(number) else number


@lru_cache(maxsize=512)
def _pint_unit(text: str) -> Any:
    """pint's unit of an expression, or the text that completes "<value> ..." when it has none."""
    registry = _registry()
    for name, _ in read_factors(text):
        try:
            registry.parse_units(name)
        except TypeError:  # pint.OffsetUnitCalculusError
            return f"has a prefix on the unit {name!r}, which takes none"
        except AttributeError:  # pint.UndefinedUnitError
            close = nearest(name, sorted(set(dir(registry)) - set(dir(type(registry.get())))))
            return f"has the unknown unit {name!r}" + (f" (did you mean {' or '.join(close)}?)" if close else "")
    unit = registry.parse_units(text)
    try:
        unit.dimensionality  # noqa: B018 - pint looks up a product's differences ("delta_decibel") only now
    except AttributeError:
        return "has a logarithmic unit in a product"
    return unit


def _dimension(unit: Any) -> str:
    text = str(unit.dimensionality).replace("[", "").replace("]", "").replace(" ** ", "^").replace(" ", "")
    return "a pure number" if text == "dimensionless" else f"a quantity of dimension {text}"


def _registry() -> Any:
    """pint's application registry, so that our quantities and the user's own can meet in one sum."""
    import pint  # 0.3 s, and most runs give bare numbers or SI only: not at the top

    return pint.get_application_registry()


def _refused(what: str, given: object, unit: str, reason: str) -> UnitError:
    # repr of a large array or a deep list would be slow to build only to be cut.
    short = given is None or isinstance(given, str | bytes | Real | complex)
    shown = repr(given) if short else f"the {type(given).__name__}"
    return UnitError(what, shown, unit, reason, _example(unit))


def _example(unit: str) -> str:
    return _EXAMPLES.get(unit, f"'1.5 {unit}'")
