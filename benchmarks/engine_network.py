"""The engine's side of the group network: steady flow through trees and lattices of nonlinear pipes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

import steadyflux as sf
from engine_common import network_model
from problems import Array, network


def inflow(kind: str, nodes: int) -> Callable[[], Array]:
    """What enters at the inlets; the model is declared once."""
    model = network_model(network(kind, nodes))
    return lambda: np.atleast_1d(np.asarray(sf.steady(model).flow("p", "inlets")))


ENGINES = {
    f"{kind}_{nodes}": partial(inflow, kind, nodes)
    for kind in ("tree", "lattice")
    for nodes in (1_000, 10_000, 100_000, 1_000_000)
}
