"""Sweeps of an electrode's potential: where they go, and the peaks of their current."""

from __future__ import annotations

import numpy as np

from steadyflux.ground.constants import FARADAY, R
from steadyflux.ground.errors import InputError
from steadyflux.systems.system import Values

MARGIN = 12.0  # R T / n F from the half-wave potential to the ends of a sweep that are not given
PEAK = 8  # points on either side of a peak that its polynomial is fitted to


def thermal(p: Values) -> float:
    """R T / n F, V."""
    return R * p.temperature / (p.electrons * FARADAY)


def ends(p: Values) -> tuple[float, float]:
    """Potentials between which a sweep goes, V; those left out are chosen by the bulk and the kinetics."""
    unit = thermal(p)
    way = 1.0 if p.bulk_o > 0 else -1.0  # a reduction goes down
    slow = 0.0 if p.k0 is None else max(np.log(np.sqrt(p.diffusivity_o * p.scan_rate / unit) / p.k0), 0.0)
    rest = p.E0 + unit * np.log(p.bulk_o / p.bulk_r) if p.bulk_o > 0 and p.bulk_r > 0 else way * np.inf
    back, forth = (1.0 - p.alpha, p.alpha) if way > 0 else (p.alpha, 1.0 - p.alpha)
    first = way * min(way * (p.E0 + way * unit * (MARGIN + slow / back)), way * rest)
    last = p.E0 - way * unit * (MARGIN + slow / forth)
    start = first if p.start_potential is None else p.start_potential
    switch = last if p.switch_potential is None else p.switch_potential
    if start == switch:
        raise InputError("start_potential and switch_potential must differ; the sweep goes from one to the other.")
    return start, switch


def potentials(p: Values, times: np.ndarray) -> np.ndarray:
    """Electrode potential of a sweep at times, V, (time,)."""
    start, switch = ends(p)
    leg = abs(switch - start) / p.scan_rate
    return start + (switch - start) * (1.0 - np.abs(1.0 - times / leg))


def peak(E: np.ndarray, i: np.ndarray) -> tuple[float, float] | None:
    """Potential and height of the highest peak of one leg of a sweep, by a polynomial through the points around it."""
    inner = np.arange(2, len(i) - 2)
    tops = inner[(i[inner] >= i[inner - 1]) & (i[inner] >= i[inner + 1]) & (i[inner - 1] > i[inner - 2])]
    if len(tops) == 0:
        return None
    top = tops[np.argmax(i[tops])]
    near = slice(max(top - PEAK, 0), top + PEAK + 1)
    fit = np.polynomial.Polynomial.fit(E[near], i[near], min(6, len(i[near]) - 2))
    turns = fit.deriv().roots()
    at = turns[np.argmin(np.abs(turns - E[top]))].real
    return float(at), float(fit(at))
