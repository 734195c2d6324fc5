"""The benchmark problems declared for the engine."""

from __future__ import annotations

from typing import Any

import numpy as np

import steadyflux as sf
from problems import FlowNetwork, PnpPore
from steadyflux.ground.constants import EPSILON_0, FARADAY, R

THERMAL = R * 298.15 / FARADAY  # V; the problems are stated in thermal voltages


def pore_model(pore: PnpPore, voltage: Any, charge: Any = None) -> sf.Model:
    """The charged pore in the engine's words: lengths, concentrations and diffusivities of order one, in SI."""
    ions = [sf.Ion("A+", pore.diffusivity[0]), sf.Ion("B-", pore.diffusivity[1]), sf.Potential()]
    permittivity = pore.permittivity * FARADAY / (EPSILON_0 * THERMAL)
    left, right = pore.concentration_left, pore.concentration_right
    return sf.Model(
        space=sf.interval(1.0, cells=pore.nodes),
        quantities=ions,
        laws=[sf.NernstPlanck(), sf.Poisson(permittivity, fixed_charge="X")],
        boundaries=[
            sf.Hold("left", {"A+": left, "B-": left, "phi": voltage * THERMAL}),
            sf.Hold("right", {"A+": right, "B-": right, "phi": 0.0}),
        ],
        given={"X": pore.fixed_charge if charge is None else charge},
    )


def pore_fluxes(model: sf.Model) -> Any:
    """Fluxes of both ions from left to right, (2,), from a cold start."""
    import jax.numpy as jnp

    solution = sf.steady(model)
    return jnp.stack([solution.flow("A+", "left"), solution.flow("B-", "left")])


class Pipes(sf.EdgeLaw):
    """J = g exp(-(mean pressure / p0)^2) (p_tail - p_head)."""

    conductance: Any = sf.parameter("", "conductance")
    p0: float = 1.0

    @property
    def moves(self) -> tuple[str, ...]:
        """The fluid."""
        return ("p",)

    def flux(self, tail: Any, head: Any, edge: Any) -> dict[str, Any]:
        """Flow from tail to head."""
        import jax.numpy as jnp

        mean = 0.5 * (tail["p"] + head["p"]) / self.p0
        return {"p": self.conductance * jnp.exp(-(mean**2)) * (tail["p"] - head["p"])}


def network_model(net: FlowNetwork) -> sf.Model:
    """A network of pipes between held pressures."""
    inlets = np.asarray(net.inlets)
    others = np.setdiff1d(net.held, inlets)
    pressure = np.zeros(net.nodes)
    pressure[net.held] = net.held_pressure
    space = sf.graph(net.nodes, {"pipes": (net.tail, net.head)}, places={"inlets": inlets, "outlets": others})
    return sf.Model(
        space,
        [sf.Volume("p")],
        [Pipes(net.conductance, net.p0, on="pipes")],
        [sf.Hold("inlets", {"p": pressure[inlets]}), sf.Hold("outlets", {"p": pressure[others]})],
    )
