"""The water ways of a tree as a network: soil, root, xylem in one stem or in branches of branches, leaves.

Numbering: soil, collar, then the xylem segment by segment from the bottom up (within a height branch by branch, within
a branch edge by edge), last the leaves, one for each twig. A single stem is then one chain.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

import steadyflux as sf
from steadyflux.ground.constants import G_STANDARD
from steadyflux.ground.errors import InputError
from steadyflux.systems.system import Values

MOST = 2_000_000  # nodes


class Shape(NamedTuple):
    """A tree's branching: for each segment its order (0 the trunk) and how many stand side by side, (segment,)."""

    order: np.ndarray
    copies: np.ndarray

    @property
    def twigs(self) -> int:
        """Number of ends that bear leaves."""
        return int(self.copies[-1])


def shape_of(p: Values) -> Shape:
    """Trunk and orders of branches share the segments of the way up as evenly as they can."""
    if p.mode == "single":
        return Shape(np.zeros(p.segments, dtype=int), np.ones(p.segments, dtype=int))
    if p.orders >= p.segments:
        raise InputError(
            f"{p.orders} orders of branches and a trunk need more than {p.segments} segments; give more segments."
        )
    parts = np.array_split(np.arange(p.segments), p.orders + 1)
    order = np.concatenate([np.full(len(part), number) for number, part in enumerate(parts)])
    if p.segments * p.substeps * float(p.daughters) ** p.orders > MOST:
        raise InputError("The tree has too many branches; take fewer orders, daughters, segments or substeps.")
    return Shape(order, p.daughters**order)


def segment_values(p: Values) -> tuple[np.ndarray, np.ndarray]:
    """Conductance, kg/(s Pa), and vulnerability scale, Pa, of each segment of a stem, bottom to top, (segment,)."""
    at = (np.arange(p.segments) + 0.5) / p.segments
    return (
        p.bottom_conductance + at * (p.top_conductance - p.bottom_conductance),
        p.bottom_vulnerability + at * (p.top_vulnerability - p.bottom_vulnerability),
    )


def branch_values(p: Values) -> np.ndarray:
    """Conductance of one branch's segment at each height, kg/(s Pa), (segment,).

    At a fork of n daughters a conductance K goes over into n of K n^-e: e = 1 keeps the sum (the pipe model,
    Shinozaki et al. 1964), e = 4/3 is that of tubes whose cubed radii add up (Murray 1926, with Poiseuille's law).
    """
    return segment_values(p)[0] * shape_of(p).copies ** -(p.branch_exponent if p.mode == "branched" else 1.0)


def together(p: Values) -> np.ndarray:
    """Conductance of all branches of a height side by side, kg/(s Pa), (segment,)."""
    return branch_values(p) * shape_of(p).copies


def firsts(p: Values) -> np.ndarray:
    """Number of the first node of each height's segments, and of the first leaf, (segment + 1,)."""
    return 2 + np.concatenate([[0], np.cumsum(shape_of(p).copies * p.substeps)])


def way_up(p: Values) -> np.ndarray:
    """Nodes at the segments' ends from the collar to the first twig, which stands in the sun, (segment + 1,)."""
    return np.concatenate([[1], firsts(p)[:-1] + p.substeps - 1])


def forks(p: Values) -> np.ndarray:
    """Numbers of the first xylem edges of the trunk and of every branch, order by order, (branch,)."""
    shape, first = shape_of(p), firsts(p)
    found = []
    for order in range(int(shape.order[-1]) + 1):
        segment = int(np.argmax(shape.order == order))
        found.append(first[segment] - 2 + p.substeps * np.arange(shape.copies[segment]))
    return np.concatenate(found)


def _xylem(p: Values) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Tail and height of the head of every xylem edge, the number of its segment, and the nodes that bear leaves."""
    copies, first, n = shape_of(p).copies, firsts(p), p.substeps
    segment = np.repeat(np.arange(p.segments), copies * n)
    head = 2 + np.arange(segment.size)
    branch, step = np.divmod(head - first[segment], n)
    daughters = copies // np.concatenate([[1], copies[:-1]])
    stem = branch // daughters[segment]
    below = np.where(segment > 0, first[segment - 1] + stem * n + n - 1, 1)
    tail = np.where(step > 0, head - 1, below)
    ends = first[-2] + n * np.arange(1, copies[-1] + 1) - 1
    return tail, p.height * (segment + (step + 1.0) / n) / p.segments, segment, ends


def storages(p: Values) -> np.ndarray:
    """Water released per drop of potential at every node, kg/Pa, (node,): sapwood evenly with height, and leaves."""
    tail, _, segment, ends = _xylem(p)
    shape = shape_of(p)
    each = p.sapwood_volume * p.sapwood_capacitance / (p.segments * p.substeps * shape.copies[segment])
    found = np.zeros(2 + segment.size + len(ends))
    np.add.at(found, tail, 0.5 * each)
    np.add.at(found, 2 + np.arange(segment.size), 0.5 * each)
    found[-len(ends) :] += p.leaf_area * p.leaf_capacitance / len(ends)
    return found


def sunlit(p: Values) -> int:
    """How many twigs stand in the sun: those of the first main branch, or the only one."""
    twigs = shape_of(p).twigs
    return twigs if p.mode == "single" else twigs // p.daughters


def tree(p: Values, flow: Any) -> sf.Model:
    """The tree through which ``flow`` (kg/s, a number or a signal) is drawn at its leaves.

    The twigs of the first main branch draw alike, and those of the others ``shade`` times as much. In time it starts
    at rest with the soil.
    """
    tail, top, segment, ends = _xylem(p)
    nodes = 2 + segment.size + len(ends)
    height = np.concatenate([[0.0, 0.0], top, np.full(len(ends), p.height)])
    head, leaves = 2 + np.arange(segment.size), nodes - len(ends) + np.arange(len(ends))
    bright = sunlit(p)
    share = flow * (1.0 / (p.density * (bright + (p.shade if p.mode == "branched" else 0.0) * (len(ends) - bright))))
    drawn = {"leaf": (leaves, share)}
    if p.mode == "branched":
        drawn = {"sun": (leaves[:bright], share), "shade": (leaves[bright:], share * p.shade)}
    scale = segment_values(p)[1][segment]
    soil = (np.array([0]), np.array([1]))
    space = sf.graph(
        nodes,
        {"root": soil, "xylem": (tail, head), "leaf": (ends, leaves)},
        places={"soil": [0], **{name: cells for name, (cells, _) in drawn.items()}},
        position=height,
    )
    weight = p.density * G_STANDARD * height
    return sf.Model(
        space,
        [sf.Volume("p", external="weight", capacity=storages(p) / p.density)],
        [
            sf.HydraulicConductance("p", p.root_conductance / p.density, on="root"),
            sf.HydraulicConductance(
                "p",
                branch_values(p)[segment] * p.substeps / p.density,
                sf.Weibull(scale, p.vulnerability_shape),
                on="xylem",
            ),
            sf.HydraulicConductance("p", p.leaf_conductance / (p.density * len(ends)), on="leaf"),
        ],
        [
            sf.Hold("soil", {"p": p.soil_potential}),
            *(sf.Influx(name, {"p": drawn_here * -1.0}) for name, (_, drawn_here) in drawn.items()),
        ],
        given={"weight": weight},
        start={"p": p.soil_potential - weight},
    )


def ohmic(p: Values) -> float:
    """Conductance of the whole way from soil to leaves without cavitation, kg/(s Pa)."""
    return _in_series(p, math.fsum(1.0 / together(p)))


def conductance(p: Values, psi: np.ndarray) -> float:
    """Conductance of the whole way at the potentials ``psi`` (node,), kg/(s Pa): steps of the way up in series, the
    branches of each side by side."""
    tail, _, segment, _ = _xylem(p)
    head = 2 + np.arange(segment.size)
    share = sf.Weibull(segment_values(p)[1][segment], p.vulnerability_shape).mean(psi[tail], psi[head])
    step = segment * p.substeps + (head - firsts(p)[segment]) % p.substeps
    return _in_series(p, float(np.sum(1.0 / np.bincount(step, branch_values(p)[segment] * p.substeps * share))))


def _in_series(p: Values, xylem: float) -> float:
    return 1.0 / (1.0 / p.root_conductance + xylem + 1.0 / p.leaf_conductance)
