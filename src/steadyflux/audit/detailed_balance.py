"""Detailed balance: the ratio of a law's one-way fluxes is set by the potentials alone, whatever its kinetics."""

from __future__ import annotations

import numpy as np

from steadyflux.audit.findings import Finding, at_most, failed, left_out
from steadyflux.audit.probe import Examination, Pairs, examine
from steadyflux.ground.constants import R
from steadyflux.model.solution import Solution
from steadyflux.physics.law import EdgeLaw

SOURCE = "local detailed balance, R T ln(forward/reverse) = affinity (Ussing 1949; Hill 1977; De Donder 1936)"
TITLE = "R ln(forward/reverse) is the rise of the conjugate potential"
NET = "net flux is forward less reverse"
LIMIT = 1e-9
COUNTED = ("species", "population")  # quantities carried as members, for which the logarithm has its meaning


def check_detailed_balance(solution: Solution | Examination) -> list[Finding]:
    """The one-way pairs of every law that has them, on all its edges or in all its cells."""
    found = examine(solution)
    findings, outside = [], []
    for number, pairs in found.pairs.items():
        reason = found.not_passive(number)
        # A supply that is stated is part of the affinity, so a driven law is judged with it.
        if reason and not (found.driven[number] and found.model.laws[number].dissipative):
            outside.append(f"{found.labels[number]} ({reason})")
        else:
            findings += _of_law(found, number, pairs)
    if outside:
        findings.append(left_out("detailed balance", TITLE, SOURCE, f"{', '.join(outside)}."))
    return findings


def _of_law(found: Examination, number: int, pairs: Pairs) -> list[Finding]:
    name, law = found.labels[number], found.model.laws[number]
    traffic = np.maximum(np.abs(pairs.forward), np.abs(pairs.reverse))
    size = np.where(traffic > 0, traffic, 1.0)
    off = np.abs(pairs.net - (pairs.forward - pairs.reverse)) / size
    row, column = np.unravel_index(int(np.argmax(np.where(np.isnan(off), np.inf, off))), off.shape)
    detail = f"{found.place(number, int(row))} flux and one_way disagree; let flux be the difference of the pair."
    findings = [at_most(name, NET, off[row, column], 1e-12, SOURCE, detail)]
    negative = np.minimum(pairs.forward, pairs.reverse) < 0
    if np.any(negative):
        row = int(np.argmax(negative.any(axis=1)))
        reason = f"{found.place(number, row)} a one-way flux is negative; each of the pair must be at least zero."
        return [*findings, failed(name, TITLE, SOURCE, reason)]

    if isinstance(law, EdgeLaw) and not turns_over(law):
        counted = np.array([found.model.quantity(n).kind in COUNTED for n in law.moves if _paired(law, n, pairs)])
        if not counted.any():
            reason = (
                "the relation holds for members that are counted; heat, charge and volume are judged by their sign."
            )
            return [*findings, left_out(name, TITLE, SOURCE, reason)]
        rise = pairs.rise[:, counted]
        forward, reverse = pairs.forward[:, counted], pairs.reverse[:, counted]
    else:
        forward, reverse, rise = pairs.forward, pairs.reverse, pairs.rise
    even = np.abs(pairs.temperature[:, 1] - pairs.temperature[:, 0]) <= 1e-9 * pairs.temperature[:, 0]
    if not even.any():
        reason = "the temperature differs across every edge, where a ratio of rates has no one temperature."
        return [*findings, left_out(name, TITLE, SOURCE, reason)]
    affinity = rise / R
    if pairs.driven is not None:
        affinity = affinity + pairs.driven / (R * pairs.temperature[:, :1])
    return [*findings, _ratio(found, number, forward, reverse, affinity, even)]


def turns_over(law: EdgeLaw) -> bool:
    """Whether its one pair belongs to a process that moves several quantities together."""
    return type(law).turnover is not EdgeLaw.turnover


def _paired(law: EdgeLaw, name: str, pairs: Pairs) -> bool:
    # A law that gives pairs for some of its quantities only is judged by column order, which `probe` keeps.
    return len(law.moves) == pairs.forward.shape[1] or name in law.moves[: pairs.forward.shape[1]]


def _ratio(
    found: Examination, number: int, forward: np.ndarray, reverse: np.ndarray, affinity: np.ndarray, even: np.ndarray
) -> Finding:
    name = found.labels[number]
    none = (forward == 0.0) & (reverse == 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(none, 0.0, np.log(forward) - np.log(reverse))
        # Infinite on both sides in the same sense: an empty end, whose potential has no bound.
        same = none | (ratio == affinity)
        # Beyond exp(600) one of the pair leaves the range of a double.
        beyond = (np.abs(affinity) > 600.0) & (np.sign(affinity) == np.sign(ratio))
        off = np.where(same | beyond, 0.0, np.abs(ratio - affinity) / np.maximum(1.0, np.abs(affinity)))
    off = np.where(even[:, None], off, 0.0)
    row, column = np.unravel_index(int(np.argmax(np.where(np.isnan(off), np.inf, off))), off.shape)
    detail = (
        f"{found.place(number, int(row))} ln(forward/reverse) is {ratio[row, column]:.6g} but the potentials give "
        f"{affinity[row, column]:.6g}; tie the reverse rate to the forward one by the standard potentials, declare the "
        "supply that drives it, or declare the law as not dissipative."
    )
    return at_most(name, TITLE, off[row, column], LIMIT, SOURCE, detail)
