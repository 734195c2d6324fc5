"""Times as readers write them: milliseconds, hours, years."""

from __future__ import annotations

# Each unit, s, with the time from which on it is used: nobody says 0.02 h, or 7000 s.
_UNITS = (
    (365.25 * 86400.0, 5 * 365.25 * 86400.0, "a"),
    (86400.0, 5 * 86400.0, "d"),
    (3600.0, 5 * 3600.0, "h"),
    (60.0, 300.0, "min"),
    (1.0, 1.0, "s"),
    (1e-3, 1e-3, "ms"),
    (1e-6, 1e-6, "µs"),
    (1e-9, 1e-9, "ns"),
    (1e-12, 1e-12, "ps"),
)


def time_unit(seconds: float) -> tuple[float, str]:
    """The length, s, and the name of the unit in which a time is a number that a reader takes in."""
    return next(((length, name) for length, least, name in _UNITS if abs(seconds) >= least), (1.0, "s"))


def duration(seconds: float) -> str:
    """A time in its unit, three digits."""
    length, name = time_unit(seconds)
    return f"{seconds / length:.3g} {name}"
