"""Warm wall-clock medians, alone or in pairs taken in turns so that a busy machine disturbs both sides alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def seconds(call: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def repeats_for(one: float, budget: float, least: int = 5, most: int = 2001) -> int:
    """How many repeats of a call of ``one`` seconds fit in ``budget`` seconds, kept within [least, most]."""
    return int(min(most, max(least, budget / max(one, 1e-9))))


def median_seconds(call: Callable[[], object], budget: float = 3.0) -> float:
    """Median seconds of a warm call: two calls to warm up, then as many as fit in ``budget`` seconds."""
    call()
    one = seconds(call)
    return statistics.median(seconds(call) for _ in range(repeats_for(one, budget)))


def paired_medians(
    first: Callable[[], object], second: Callable[[], object], budget: float = 6.0
) -> tuple[float, float, float]:
    """Median seconds of both calls and the median of the ratios second/first of their pairs, run in turns, warm.

    The order within a pair alternates, so that neither side always finds the other's data in the cache.
    """
    first()
    second()
    one = seconds(first) + seconds(second)
    firsts, seconds_of_second = [], []
    for pair in range(repeats_for(one, budget)):
        if pair % 2:
            b, a = seconds(second), seconds(first)
        else:
            a, b = seconds(first), seconds(second)
        firsts.append(a)
        seconds_of_second.append(b)
    ratios = [b / a for a, b in zip(firsts, seconds_of_second, strict=True)]
    return statistics.median(firsts), statistics.median(seconds_of_second), statistics.median(ratios)
