"""Electrokinetics: charge coupled to charged particles or to the fluid by one symmetric matrix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from steadyflux.ground.arithmetic import is_traced
from steadyflux.ground.constants import R
from steadyflux.ground.errors import ModelError
from steadyflux.ground.units import si
from steadyflux.physics.coupled import Coupled
from steadyflux.physics.law import Law, parameter, replace, resolve_positions, static
from steadyflux.physics.local import Geometry, Local
from steadyflux.physics.quantity import Quantity

_UNITS = {"species": "m^2/s", "volume": "m^2/(Pa*s)"}


class Electrokinetic(Coupled):
    """Flow of particles or of a fluid, coupled to the electric current (Saxen 1892; Onsager 1931).

    Of a fluid (a quantity of kind volume; ``mobility`` is permeability over viscosity, m^2/(Pa s))

        q = -mobility grad p - coupling grad phi          (Darcy, electro-osmosis)
        i = -coupling grad p - conductivity grad phi      (streaming current, Ohm)

    so that the streaming potential of a plug without current is -coupling/conductivity a pressure. Of suspended
    particles (a species; ``mobility`` is their diffusivity D, m^2/s; weight and buoyancy stand in the species' external
    energy, the charge in the coupling alone)

        J = -(D c / R T) grad mu - c coupling grad phi              (settling and diffusion, electrophoresis)
        i = -(c coupling) grad mu - conductivity grad phi           (the current that settling carries: Dorn 1880)

    In both L is T times these coefficients, with the forces grad(-mu/T) and grad(-phi/T). ``coupling`` is the
    electrophoretic or the electro-osmotic mobility, m^2/(V s); ``conductivity`` S/m. The second law asks for
    coupling^2 < mobility * conductivity, of particles c coupling^2 < D conductivity / R T; a fluid's coefficients are
    checked when the model is built.
    """

    carrier: str = static()
    mobility: Any = parameter("", "mobility")
    coupling: Any = parameter("m^2/(V*s)", "electrokinetic coupling")
    conductivity: Any = parameter("S/m", "electric conductivity")
    potential: str = static(default="phi")

    def __init__(
        self,
        carrier: str,
        mobility: Any,
        coupling: Any,
        conductivity: Any,
        *,
        potential: str = "phi",
        on: str = "interior",
        symmetry: str = "isotropic",
    ) -> None:
        self.carrier, self.potential = carrier, potential
        self.mobility = mobility
        self.coupling, self.conductivity = coupling, conductivity
        self.quantities = (carrier, potential)
        self.on, self.symmetry = on, symmetry

    def bound(self, quantities: Mapping[str, Quantity], positions: Any) -> Law:
        """The mobility in the unit of what it moves; coefficients that would break the second law are refused."""
        q = quantities.get(self.carrier)
        if q is None:
            return Coupled.bound(self, quantities, positions)
        if q.kind not in _UNITS or q.charge:
            raise ModelError(
                f"Electrokinetic moves a volume or a species without a charge number, since the charge of "
                f"{self.carrier} is part of the coupling."
            )
        mobility = self.mobility if callable(self.mobility) else si(self.mobility, _UNITS[q.kind], "mobility")
        law: Any = resolve_positions(replace(self, mobility=mobility), positions)
        numbers = law.mobility, law.coupling, law.conductivity
        if q.kind == "volume" and not is_traced(numbers):
            m, k, s = (np.asarray(x) for x in numbers)
            if np.any(m < 0) or np.any(s < 0) or np.any(k * k > m * s):
                raise ModelError(
                    "The electrokinetic coefficients would destroy entropy; the square of the coupling must stay below "
                    "mobility times conductivity."
                )
        return Coupled.bound(law, quantities, positions)

    def coefficients(self, mean: Local, edge: Geometry) -> Any:
        """L of the flow and the current between their conjugate potentials."""
        T = mean.T
        amount = 1.0 if mean.quantity(self.carrier).kind == "volume" else mean[self.carrier]
        plain = self.mobility * T if mean.quantity(self.carrier).kind == "volume" else self.mobility * amount / R
        across = amount * self.coupling * T
        return jnp.stack([jnp.stack([plain, across]), jnp.stack([across, self.conductivity * T])])
