"""The grammar of units as people write them ("mol/(m^2 s)", "µmol m⁻² s⁻¹", "W/m2/K"): read, respelt, labelled."""

import re
from fractions import Fraction
from typing import NamedTuple

__all__ = ["Factor", "UnitTextError", "expression", "label", "read_factors", "split_number"]

_MOST_CHARACTERS = 200
_MOST_NESTED = 4
_MOST_FACTORS = 24
_LARGEST_POWER = 12

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_SUPERSCRIPT_RUN = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+")
_RAISED = str.maketrans("0123456789-./", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻˙ᐟ")
_SAME_SIGNS = str.maketrans(
    {"−": "-", "·": "*", "⋅": "*", "×": "*", "μ": "µ", "Ω": "Ω", "\u00a0": " ", "\u202f": " ", "\u2009": " "}
)

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_NAME = r"%|Δ?°?[A-Za-zµΩÅ](?:[A-Za-zµΩÅ_]|[0-9](?=[A-Za-z]))*|°"
# A power after "^" may be a fraction ("^0.5", "^(1/2)"); one straight after the name ("m2", "s-1") is a whole number.
_TOKEN = re.compile(
    r"\s*(?:"
    rf"(?P<name>{_NAME})"
    r"|(?:\^|\*\*)\s*(?P<power>[+-]?[0-9]+(?:\.[0-9]+)?|\(\s*[+-]?[0-9]+(?:\s*/\s*[0-9]+)?\s*\))"
    r"|(?P<plain>[+-]?[0-9]+)"
    r"|(?P<sign>[*/()])"
    r")"
)
_TAKE_MICRO = frozenset(
    ("m", "s", "g", "mol", "A", "V", "M", "L", "F", "W", "J", "N", "Pa", "Hz", "C", "S", "T", "ohm")
)
_SHOWN = {"degC": "°C", "degF": "°F", "ohm": "Ω", "percent": "%", "degree": "°", "angstrom": "Å"}


class UnitTextError(ValueError):
    """A text is no number with a unit; its message completes the sentence "<text> ..."."""


class Factor(NamedTuple):
    """One unit of a product and its power."""

    name: str
    power: Fraction


def split_number(text: str) -> tuple[float, str]:
    """The number a text starts with, and the text of the unit after it ("" when there is none).

    Raises UnitTextError when the text is too long or starts with no number.
    """
    if len(text) > _MOST_CHARACTERS:
        raise UnitTextError(f"is longer than {_MOST_CHARACTERS} characters")
    plain = text.translate(_SAME_SIGNS).strip()
    words = plain.lower().lstrip("+-").split()
    if words and words[0] in ("nan", "inf", "infinity"):
        raise UnitTextError("is not a finite number")
    found = _NUMBER.match(plain)
    if found is None:
        raise UnitTextError("does not start with a number")
    return float(found.group()), plain[found.end() :].strip()


def read_factors(text: str) -> tuple[Factor, ...]:
    """The product that a unit's text stands for, in the order of writing; () for "" and "1".

    Names are not looked up. A product by a space after a division without brackets ("J/mol K") is refused, since half
    of its readers take it the other way. Raises UnitTextError.
    """
    if len(text) > _MOST_CHARACTERS:
        raise UnitTextError(f"is longer than {_MOST_CHARACTERS} characters")
    plain = _SUPERSCRIPT_RUN.sub(
        lambda run: "^" + run.group().translate(_SUPERSCRIPTS), text.translate(_SAME_SIGNS)
    ).strip()
    if plain in ("", "1"):
        return ()
    if plain.startswith("/"):
        plain = "1" + plain
    reader = _Reader(_tokens(plain))
    factors = reader.product(depth=0)
    if reader.at < len(reader.tokens):
        raise UnitTextError("has a bracket that nothing opens")
    if len(factors) > _MOST_FACTORS:
        raise UnitTextError(f"has more than {_MOST_FACTORS} factors")
    for factor in factors:
        if factor.power == 0:
            raise UnitTextError(f"has {factor.name!r} to the power of zero")
        if abs(factor.power) > _LARGEST_POWER:
            raise UnitTextError(f"has a power above {_LARGEST_POWER}")
    return tuple(factors)


def expression(text: str) -> str:
    """The unit in plain characters and one spelling, as the registry reads it: "m**2*s**-1"; "" for a pure number."""
    return "*".join(f"{name}**({power})" if power != 1 else name for name, power in read_factors(text))


def label(unit: str) -> str:
    """The unit as a figure shows it: "mol m⁻² s⁻¹" for "mol/m^2/s"; "" for a pure number. Raises UnitTextError."""
    return " ".join(_SHOWN.get(name, _micro(name)) + _raised(power) for name, power in read_factors(unit))


def _micro(name: str) -> str:
    return "µ" + name[1:] if name[0] == "u" and name[1:] in _TAKE_MICRO else name


def _raised(power: Fraction) -> str:
    if power == 1:
        return ""
    if power.denominator != 1:
        return f"^{float(power):g}" if float(power) == round(float(power), 3) else f"^({power})"
    return str(power).translate(_RAISED)


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.lastgroup is None:
            raise UnitTextError(f"cannot be read as a unit from {text[at:].strip()[:20]!r} on")
        tokens.append((found.lastgroup, found.group(found.lastgroup)))
        at = found.end()
    return tokens


class _Reader:
    """Reads tokens: product = term (("*" | "/" | "") term)*, term = name power? | "(" product ")" power? | 1.

    Powers and depth are bounded and nothing is evaluated, so that no text, however hostile, takes long or runs code.
    """

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens
        self.at = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def product(self, depth: int) -> list[Factor]:
        factors = self.term(depth)
        divided = False
        while self.peek() not in (("end", ""), ("sign", ")")):
            kind, text = self.peek()
            if kind == "sign" and text in "*/":
                self.at += 1
            elif divided:
                raise UnitTextError(
                    "is ambiguous after its '/': put what it divides by in brackets, or write '/' or '*' each time"
                )
            divides = text == "/" and kind == "sign"
            divided = divided or divides
            factors += [Factor(name, -power if divides else power) for name, power in self.term(depth)]
        return factors

    def term(self, depth: int) -> list[Factor]:
        kind, text = self.peek()
        self.at += 1
        if kind == "name":
            return [Factor(text, self.power())]
        if kind == "plain" and text == "1" and self.peek() == ("sign", "/"):
            return []
        if (kind, text) == ("sign", "("):
            if depth >= _MOST_NESTED:
                raise UnitTextError("has too many nested brackets")
            inner = self.product(depth + 1)
            if self.peek() != ("sign", ")"):
                raise UnitTextError("has a bracket that is not closed")
            self.at += 1
            outer = self.power()
            return [Factor(name, power * outer) for name, power in inner]
        raise UnitTextError(
            "ends where a unit should follow" if kind == "end" else f"has {text!r} where a unit should stand"
        )

    def power(self) -> Fraction:
        kind, text = self.peek()
        if kind not in ("power", "plain"):
            return Fraction(1)
        self.at += 1
        text = text.strip("() ").replace(" ", "")
        if len(text) > 8:  # an integer of a hundred digits is no power, and slow
            raise UnitTextError(f"has a power above {_LARGEST_POWER}")
        try:
            return Fraction(text)
        except ZeroDivisionError:
            raise UnitTextError("has a power divided by zero") from None
