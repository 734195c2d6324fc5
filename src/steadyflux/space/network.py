"""Networks: compartments of given volume joined by named sets of links, in any topology and up to millions of nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from steadyflux.ground.arithmetic import array_module, is_traced
from steadyflux.ground.errors import ModelError, NameUnknown
from steadyflux.ground.units import si
from steadyflux.space.space import Edges, Place, Space, path_start

Links = Mapping[str, Sequence[tuple[str, str]]]


def network(compartments: Mapping[str, Any], links: Links, *, area: Any = 1.0) -> Space:
    """A network of named compartments.

    Args:
        compartments: volume of each, m^3 (or text with a unit).
        links: for each edge set its list of (tail, head) compartments.
        area: area of the links, m^2: one number, or for each edge set a number or one per link. The length is 1 m, so a
            two-point law's coefficient is then a conductance per area.

    Every compartment is a place of its own name.
    """
    if not compartments:
        raise ModelError("A network needs at least one compartment.")
    labels = tuple(compartments)
    number = {name: i for i, name in enumerate(labels)}
    sizes = [si(v, "m^3", f"volume of compartment '{name}'") for name, v in compartments.items()]
    xp = array_module(*sizes)
    edges: dict[str, Edges] = {}
    for name, pairs in links.items():
        for end in (end for pair in pairs for end in pair):
            if end not in number:
                raise NameUnknown("compartment", end, labels)
        if isinstance(area, Mapping) and name not in area:
            raise ModelError(f"The links '{name}' have no area; give one for each edge set.")
        value = area[name] if isinstance(area, Mapping) else area
        tail = np.array([number[a] for a, _ in pairs], dtype=int)
        head = np.array([number[b] for _, b in pairs], dtype=int)
        edges[name] = link_set(tail, head, area=si(value, "m^2", f"area of the links '{name}'"), name=name)
    if isinstance(area, Mapping):
        for name in area:
            if name not in links:
                raise NameUnknown("edge set", name, links)
    places = {name: Place(cells=np.array([i]), area=np.ones(1), kind="compartment") for i, name in enumerate(labels)}
    return Space(
        volume=xp.stack([xp.asarray(v, dtype=float) for v in sizes]),
        position=np.arange(len(labels), dtype=float),
        edges=edges,
        places=places,
        kind="network",
        labels=labels,
        coordinate="node",
    )


def graph(
    nodes: int,
    links: Mapping[str, tuple[Any, Any]] | tuple[Any, Any],
    *,
    volume: Any = 1.0,
    places: Mapping[str, Any] | None = None,
    position: Any = None,
) -> Space:
    """A large network from arrays: ``links`` is (tail, head) of each edge set, ``places`` names groups of nodes.

    Shapes: volume scalar or (node,), m^3; tail, head integer arrays. One unnamed pair becomes the edge set
    ``interior``.
    """
    if isinstance(nodes, bool) or not isinstance(nodes, int | np.integer) or nodes < 1:
        raise ModelError(f"The number of nodes must be a positive whole number, not {nodes!r}.")
    named = links if isinstance(links, Mapping) else {"interior": links}
    xp = array_module(volume)
    return Space(
        volume=xp.broadcast_to(xp.asarray(volume, dtype=float), (nodes,)) + 0.0,
        position=np.arange(nodes, dtype=float) if position is None else position,
        edges={name: link_set(np.asarray(t), np.asarray(h), area=1.0, name=name) for name, (t, h) in named.items()},
        places={
            name: Place(cells=np.atleast_1d(np.asarray(c, dtype=int)), area=np.ones(np.size(c)), kind="compartment")
            for name, c in (places or {}).items()
        },
        kind="network",
        coordinate="node",
    )


def link_set(tail: np.ndarray, head: np.ndarray, *, area: Any, name: str) -> Edges:
    """A set of links of unit length between numbered cells; ``area`` is one number or one per link, m^2."""
    if tail.ndim != 1 or tail.shape != head.shape or tail.size == 0:
        raise ModelError(f"The links '{name}' need as many tails as heads, at least one.")
    if tail.dtype.kind not in "iu" or head.dtype.kind not in "iu":
        raise ModelError(f"The ends of the links '{name}' must be whole numbers.")
    xp = array_module(area)
    if not is_traced(area) and np.ndim(area) > 0 and np.shape(area) != tail.shape:
        raise ModelError(f"The links '{name}' have {tail.size} members but {np.size(area)} areas.")
    return Edges(
        tail=tail,
        head=head,
        area=xp.broadcast_to(xp.asarray(area, dtype=float), tail.shape) + 0.0,
        length=np.ones(tail.shape),
        position=np.arange(tail.size, dtype=float),
        first=path_start(tail, head),
    )
