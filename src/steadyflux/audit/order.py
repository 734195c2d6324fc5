"""The observed order of a discretisation over refined meshes, demanded from both sides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from steadyflux.audit.findings import Finding, compared, failed

Series = Sequence[float] | np.ndarray

SOURCE = "grid refinement (Richardson 1911; Roache 1998)"
TITLE = "observed order of accuracy"


def order_of_errors(errors: Series, steps: Series) -> np.ndarray:
    """Order between each two neighbouring meshes: ln(e_1 / e_2) / ln(h_1 / h_2), (mesh - 1,). Signs are dropped."""
    e, h = np.abs(np.asarray(errors, dtype=float)), np.asarray(steps, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(e[:-1] / e[1:]) / np.log(h[:-1] / h[1:])


def order_of_values(values: Series, ratio: float) -> np.ndarray:
    """Order from values on three or more meshes, each finer by ``ratio``: ln((f_1 - f_2) / (f_2 - f_3)) / ln ratio.

    nan where the differences change their sign: such a sequence is not in its asymptotic range.
    """
    change = np.diff(np.asarray(values, dtype=float))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(change[:-1] / change[1:]) / np.log(ratio)


def extrapolated(coarse: Any, fine: Any, *, order: float = 2.0, ratio: float = 2.0) -> Any:
    """Value at a vanishing step from two meshes, the finer by ``ratio``, where the error goes as the step to the power
    ``order`` (Richardson 1911)."""
    return fine + (fine - coarse) / (ratio**order - 1.0)


def check_order(
    subject: str,
    expected: float,
    *,
    errors: Series | None = None,
    values: Series | None = None,
    steps: Series,
    tolerance: float = 0.15,
    size: float = 1.0,
    rounding: float = 1e-11,
) -> Finding:
    """Judge a declared order on the finest meshes, too low and too high alike.

    Args:
        errors: against an exact reference, one per mesh (two or more); or
        values: computed values, one per mesh (three or more, steps in a constant ratio).
        steps: mesh steps, coarse to fine.
        size: of the answer; ``rounding`` times it is where errors count as rounding. A method declared of a finite
            order whose errors are all rounding is exact there, and passes only if told so by ``expected = inf``.
    """
    if (errors is None) == (values is None):
        return failed(subject, TITLE, SOURCE, "errors or values, one of the two, must be given.")
    series = np.asarray(errors if errors is not None else values, dtype=float)
    least = 2 if errors is not None else 3
    h = np.asarray(steps, dtype=float)
    if len(series) != len(h) or len(h) < least or not np.all(np.diff(h) < 0):
        reason = f"at least {least} meshes are needed, with as many steps, from coarse to fine."
        return failed(subject, TITLE, SOURCE, reason)
    if not np.all(np.isfinite(series)):
        return failed(subject, TITLE, SOURCE, "a value is not a number; see whether each mesh was solved.")
    sizes = np.abs(series) if errors is not None else np.abs(np.diff(series))
    if np.isinf(expected):
        return compared(subject, TITLE + " (exact)", float(sizes.max()), 0.0, 0.0, rounding * size, SOURCE)
    if sizes.min() <= rounding * size:
        reason = (
            f"the errors ({sizes.min():.3g}) are rounding, so no order can be seen; use coarser meshes or a "
            "harder case, or declare the method exact."
        )
        return failed(subject, TITLE, SOURCE, reason)
    if errors is not None:
        found = order_of_errors(series, h)[-1]
    else:
        ratios = h[:-1] / h[1:]
        if np.ptp(ratios) > 1e-6 * ratios[0]:
            return failed(subject, TITLE, SOURCE, "the steps must shrink by one ratio; or give errors.")
        found = order_of_values(series, float(ratios[0]))[-1]
    detail = (
        f"order {found:.3f} is seen where {expected:g} is declared; a term of lower order, a boundary, or a wrong "
        "reference is behind it (too high an order is as suspicious as too low a one)."
    )
    return compared(subject, TITLE, float(found), expected, 0.0, tolerance, SOURCE, detail)
