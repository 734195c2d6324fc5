"""Nodes for two bodies joined at a face between cells: nearly even where things happen, finer towards the joint."""

from __future__ import annotations

import numpy as np

NEAR, FINE, FAR = 0.4, 0.25, 0.35  # weights of even steps near the joint, of ever finer ones, and of even ones overall


def joined_nodes(left: float, right: float, near: float, scale: float, cells: int) -> np.ndarray:
    """Nodes from -left to right, (cells,), m, with a face between cells at 0.

    Args:
        left, right: lengths of the two bodies, m.
        near: distance from the joint within which the steps are nearly even, m.
        scale: distance over which the steps begin to grow from the joint, m.
        cells: number of nodes, shared between the two bodies, at least 4 each.
    """
    first = min(2.0 * scale / cells, 0.1 * left / cells, 0.1 * right / cells)
    shares = [_share(length, near, scale)[1][-1] for length in (left, right)]
    count = min(max(round(cells * shares[0] / sum(shares)), 4), cells - 4)
    one, two = _stretch(left, near, scale, count, first), _stretch(right, near, scale, cells - count, first)
    return np.concatenate([-one[::-1], two])


def _share(length: float, near: float, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Distances and the number of steps up to each, in steps of unit density."""
    scale, near = min(scale, length), min(near, length)
    d = scale * np.sinh(np.linspace(0.0, np.arcsinh(length / scale), 20001))
    fine = np.arcsinh(d / scale) / np.arcsinh(near / scale + 1.0)
    return d, NEAR * np.minimum(d / near, 1.0) + FINE * fine + FAR * d / length


def _stretch(length: float, near: float, scale: float, count: int, first: float) -> np.ndarray:
    d, share = _share(length, near, scale)
    begin = np.interp(first, d, share)
    z = np.interp(begin + (share[-1] - begin) * np.linspace(0.0, 1.0, count), share, d)
    z[0], z[-1] = first, length
    return z
