"""The benchmark problems: plain data shared by the hand-written floors and by the engine, so that both solve the same
thing."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]

#: Newton stops when the largest undamped update is below this. Convergence is quadratic, so what is left is round-off.
UPDATE_TOLERANCE = 1e-8

#: Fluxes of both ions of the pore at 2 thermal voltages in the limit of a fine mesh (see check_pnp.py).
EXACT_PORE_FLUXES = (1.152577223, 0.198446761)
#: The same fluxes on the benchmark's own mesh: 800 nodes, boundary nodes included.
PORE_FLUXES_800_NODES = (1.152579051, 0.198446957)


@dataclass(frozen=True)
class PnpPore:
    """A charged pore between two reservoirs: steady Poisson-Nernst-Planck, two ions of charge +1 and -1, all
    dimensionless.

    ``J_i = -D_i (c_i' + z_i c_i phi')`` is constant along the pore and ``-eps phi'' = c_1 - c_2 + X(x)`` on [0, 1].
    The mesh is vertex-centred: ``nodes`` equally spaced nodes, of which the first and the last hold the boundary
    values; X is its value at the node. Edges carry the Scharfetter-Gummel flux (Scharfetter and Gummel 1969).
    """

    voltage: float = 2.0
    nodes: int = 800
    diffusivity: tuple[float, float] = (1.0, 1.5)
    permittivity: float = 1e-3
    concentration_left: float = 1.0
    concentration_right: float = 0.1

    @cached_property
    def x(self) -> Array:
        """Positions of all nodes, shape (nodes,)."""
        return np.linspace(0.0, 1.0, self.nodes)

    @cached_property
    def fixed_charge(self) -> Array:
        """X at all nodes, shape (nodes,)."""
        return pore_fixed_charge(self.x)


def pore_fixed_charge(x: Array) -> Array:
    """The pore's fixed charge ``exp(-((x - 0.5) / 0.2)^8)``: smooth, near 1 inside the pore and 0 in the reservoirs."""
    return np.exp(-(((x - 0.5) / 0.2) ** 8))


def batch_voltages(count: int = 256) -> Array:
    """The voltages of the batch benchmark, equally spaced over [-5, 5] thermal voltages."""
    return np.linspace(-5.0, 5.0, count)


@dataclass(frozen=True)
class FlowNetwork:
    """Steady flow through pipes that lose conductance as the pressure falls, between nodes of held pressure;
    dimensionless.

    Edge e carries ``J_e = g_e exp(-(pm / p0)^2) (p_tail - p_head)`` with ``pm`` the mean of its two end pressures.
    What flows into a free node flows out of it. The answer is the inflow: what node 0 (tree) or the first column
    (lattice), all held at pressure 0, sends into the network.
    """

    kind: str
    nodes: int
    tail: Index = field(repr=False)
    head: Index = field(repr=False)
    conductance: Array = field(repr=False)
    held: Index = field(repr=False)
    held_pressure: Array = field(repr=False)
    inlets: Index = field(repr=False)
    p0: float = 1.0


def tree_network(nodes: int, seed: int = 20240607) -> FlowNetwork:
    """A random recursive tree: each node hangs on an earlier one drawn at random; root at 0, leaves held in [-1.5,
    -0.5]."""
    rng = np.random.default_rng(seed)
    head = np.arange(1, nodes, dtype=np.int64)
    tail = np.floor(rng.random(nodes - 1) * head).astype(np.int64)
    is_leaf = np.ones(nodes, dtype=bool)
    is_leaf[tail] = False
    leaves = np.flatnonzero(is_leaf).astype(np.int64)
    root = np.zeros(1, dtype=np.int64)
    return FlowNetwork(
        kind="tree",
        nodes=nodes,
        tail=tail,
        head=head,
        conductance=rng.uniform(0.5, 2.0, nodes - 1),
        held=np.concatenate([root, leaves]),
        held_pressure=np.concatenate([np.zeros(1), rng.uniform(-1.5, -0.5, leaves.size)]),
        inlets=root,
    )


def lattice_network(nodes: int, seed: int = 20240608) -> FlowNetwork:
    """A square lattice of about ``nodes`` nodes: first column held at 0, last column held at values drawn from [-1.5,
    -0.5]."""
    rng = np.random.default_rng(seed)
    side = max(3, round(nodes**0.5))
    number = np.arange(side * side, dtype=np.int64).reshape(side, side)
    tail = np.concatenate([number[:, :-1].ravel(), number[:-1, :].ravel()])
    head = np.concatenate([number[:, 1:].ravel(), number[1:, :].ravel()])
    first, last = number[:, 0].copy(), number[:, -1].copy()
    return FlowNetwork(
        kind="lattice",
        nodes=side * side,
        tail=tail,
        head=head,
        conductance=rng.uniform(0.5, 2.0, tail.size),
        held=np.concatenate([first, last]),
        held_pressure=np.concatenate([np.zeros(side), rng.uniform(-1.5, -0.5, side)]),
        inlets=first,
    )


def network(kind: str, nodes: int) -> FlowNetwork:
    """The benchmark network of this kind ("tree" or "lattice") and size, always with the same random conductances."""
    if kind == "tree":
        return tree_network(nodes)
    if kind == "lattice":
        return lattice_network(nodes)
    raise ValueError(f"there is no network of kind {kind!r}; use 'tree' or 'lattice'")
