"""Findings: what a check found, whether it passed, and where and what to do when it did not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Finding:
    """The outcome of one check; a check that fails returns one of these and never raises.

    Args:
        subject: what was judged: a law, a quantity, a claim's system.
        title: what must hold.
        measured: the number found (the worst one of an array), None where nothing could be measured.
        expected: what it must be.
        tolerance: how far ``measured`` may lie from ``expected``, in the same unit.
        passed: whether it holds.
        source: where the requirement comes from (author, year), or of a claim the reference.
        detail: one sentence: where it is worst and what to do, or why nothing was judged.
        judged: False when the check does not apply here and says so in ``detail``; such a finding counts as passed.
    """

    subject: str
    title: str
    measured: float | None
    expected: float | None
    tolerance: float
    passed: bool
    source: str
    detail: str = ""
    judged: bool = True

    def sentence(self) -> str:
        """The finding in one line."""
        word = "passed" if self.passed else "FAILED"
        numbers = ""
        if not self.judged:
            word = "left out"
        elif self.measured is not None:
            numbers = f": {self.measured:.6g}, expected {self.expected:.6g} within {self.tolerance:.3g}"
        return f"{word}: {self.subject}: {self.title}{numbers}" + (f"; {self.detail}" if self.detail else "")


def at_most(subject: str, title: str, measured: Any, limit: float, source: str, detail: str = "") -> Finding:
    """A size that must not exceed ``limit``; nan fails. ``detail`` is told only of a failure."""
    value = float(measured)
    passed = bool(value <= limit)
    return Finding(subject, title, value, 0.0, limit, passed, source, "" if passed else detail)


def failed(subject: str, title: str, source: str, detail: str) -> Finding:
    """A failure without a number."""
    return Finding(subject, title, None, None, 0.0, False, source, detail)


def left_out(subject: str, title: str, source: str, reason: str) -> Finding:
    """A check that does not apply, with the reason."""
    return Finding(subject, title, None, None, 0.0, True, source, reason, judged=False)


def compared(
    subject: str, title: str, measured: Any, expected: Any, rtol: float, atol: float, source: str, detail: str = ""
) -> Finding:
    """|measured - expected| <= rtol |expected| + atol in every place of two arrays; nan and unequal shapes fail.

    The finding shows the place that is worst, by its distance over what it is allowed.
    """
    m, e = np.asarray(measured), np.asarray(expected)
    if m.dtype.kind in "OUS" or e.dtype.kind in "OUS":
        return _same(subject, title, measured, expected, source)
    if m.shape != e.shape:
        if m.ndim and e.ndim:
            reason = (
                f"the measured values have the shape {m.shape}, the expected ones {e.shape}; compare like with like."
            )
            return failed(subject, title, source, reason)
        m, e = np.broadcast_arrays(m, e)
    m, e = np.atleast_1d(m.astype(float)).ravel(), np.atleast_1d(e.astype(float)).ravel()
    if not m.size:
        return failed(subject, title, source, "there is nothing to compare; let the claim return at least one number.")
    allowed = rtol * np.abs(e) + atol
    with np.errstate(invalid="ignore"):
        off = np.where(m == e, 0.0, np.abs(m - e))
        good = (m == e) | (np.isfinite(e) & (off <= allowed))
        share = np.where(good, 0.0, 1.0) + np.where(allowed > 0, off / np.where(allowed > 0, allowed, 1.0), off)
    worst = int(np.argmax(np.where(np.isnan(share), np.inf, share)))
    passed = bool(np.all(good))
    if not passed and not detail:
        place = f"in place {worst} of {m.size} " if m.size > 1 else ""
        detail = f"{place}it is off by {float(off[worst]):.3g} where {float(allowed[worst]):.3g} is allowed"
        detail += "; see whether the answer or the reference is wrong."
    return Finding(
        subject,
        title,
        float(m[worst]),
        float(e[worst]),
        float(allowed[worst]),
        passed,
        source,
        "" if passed else detail,
    )


def _same(subject: str, title: str, measured: Any, expected: Any, source: str) -> Finding:
    passed = bool(np.array_equal(np.asarray(measured), np.asarray(expected)))
    detail = "" if passed else f"it is {measured!r} and must be {expected!r}."
    return Finding(subject, title, None, None, 0.0, passed, source, detail)


def failures(findings: Iterable[Finding]) -> list[Finding]:
    """Those that did not pass."""
    return [f for f in findings if not f.passed]
