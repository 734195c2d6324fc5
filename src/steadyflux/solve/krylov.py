"""Krylov iterations under a preconditioner: conjugate gradients where a matrix is symmetric, else GMRES."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

__all__ = ["Iterated", "conjugate_gradients", "gmres"]

Map = Callable[[np.ndarray], np.ndarray]

STALLED = 12  # iterations in which the residual must shrink
SHRINKS = 0.7  # by this
AGAIN = 1e-3  # share of a vector that must be left when others are taken out of it, or they are taken out again


class Iterated(NamedTuple):
    """The solution, the iterations it took, and the 2-norms of the residual before and after."""

    x: np.ndarray
    iterations: int
    start: float
    end: float


def conjugate_gradients(times: Map, precondition: Map, rhs: np.ndarray, target: float, limit: int) -> Iterated:
    """Solve with a symmetric positive definite map until the residual is below ``target`` or stalls.

    The flexible form (Notay 2000) forgives a preconditioner that is symmetric up to single precision only.
    """
    x = np.zeros_like(rhs)
    r = rhs.copy()
    start = size = best = float(np.linalg.norm(r))
    direction = np.zeros_like(rhs)
    slope, before, since, count = 1.0, r, 0, 0
    while count < limit and size > target and since < STALLED:
        z = precondition(r)
        new = float(r @ z)
        share = (new - float(before @ z)) / slope if count else 0.0
        direction = z + share * direction
        image = times(direction)
        curvature = float(direction @ image)
        if not np.isfinite(curvature) or curvature <= 0.0 or new <= 0.0:
            break  # neither matrix nor preconditioner may say that
        step = new / curvature
        before = r
        x += step * direction
        r = r - step * image
        slope, count = new, count + 1
        size = float(np.linalg.norm(r))
        since, best = (0, size) if size < SHRINKS * best else (since + 1, best)
    return Iterated(x, count, start, size)


def gmres(times: Map, precondition: Map, rhs: np.ndarray, target: float, limit: int, restart: int = 40) -> Iterated:
    """Solve until the residual is below ``target`` or stalls; flexible, preconditioned from the right (Saad 1993).

    What is minimised is the true residual. Real or complex.
    """
    x = np.zeros_like(rhs)
    r = rhs
    start = size = float(np.linalg.norm(rhs))
    count = 0
    while count < limit and size > target:
        change, used = _cycle(times, precondition, r, size, target, min(restart, limit - count))
        count += used
        r = rhs - times(x + change)
        now = float(np.linalg.norm(r))
        if not now < size:
            break
        x = x + change
        stalled, size = now > SHRINKS * size, now
        if stalled:
            break
    return Iterated(x, count, start, size)


def _cycle(
    times: Map, precondition: Map, residual: np.ndarray, size: float, target: float, most: int
) -> tuple[np.ndarray, int]:
    """One cycle of Arnoldi's process: the change of the solution, and the iterations."""
    n, kind = residual.size, residual.dtype
    # Pages of these are taken up as they are written to.
    basis, images = np.empty((most + 1, n), dtype=kind), np.empty((most, n), dtype=kind)
    basis[0] = residual / size
    h = np.zeros((most + 1, most), dtype=kind)
    rotations: list[tuple[np.number, np.number]] = []
    g = np.zeros(most + 1, dtype=kind)
    g[0] = size
    used = 0
    for j in range(most):
        images[j] = precondition(basis[j])
        w = times(images[j])
        whole = float(np.linalg.norm(w))
        length = whole
        for _ in range(2):
            share = basis[: j + 1].conj() @ w if np.iscomplexobj(w) else basis[: j + 1] @ w
            w = w - share @ basis[: j + 1]
            h[: j + 1, j] += share
            before, length = length, float(np.linalg.norm(w))
            if length > AGAIN * before:
                break  # else what is left is small enough to be rounding of what was taken away
        if not np.isfinite(length) or whole == 0.0:
            break
        h[j + 1, j] = length
        for i, (c, s) in enumerate(rotations):
            h[i, j], h[i + 1, j] = np.conj(c) * h[i, j] + np.conj(s) * h[i + 1, j], c * h[i + 1, j] - s * h[i, j]
        span = np.hypot(abs(h[j, j]), abs(h[j + 1, j]))
        c, s = h[j, j] / span, h[j + 1, j] / span
        rotations.append((c, s))
        h[j, j], h[j + 1, j] = span, 0.0
        g[j], g[j + 1] = np.conj(c) * g[j], -s * g[j]
        used = j + 1
        if abs(g[j + 1]) <= target or length <= 1e-14 * whole:
            break
        basis[j + 1] = w / length
    y = np.zeros(used, dtype=kind)
    for i in range(used - 1, -1, -1):
        y[i] = (g[i] - h[i, i + 1 : used] @ y[i + 1 :]) / h[i, i]
    return y @ images[:used] if used else np.zeros_like(residual), max(used, 1)
