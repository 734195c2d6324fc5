"""Heat through surfaces: a film whose coefficient goes as a power of the temperature difference, and radiation."""

from __future__ import annotations

from typing import Any

import equinox as eqx

from steadyflux.ground.constants import SIGMA_SB
from steadyflux.physics.law import EdgeLaw, parameter
from steadyflux.physics.local import Geometry, Local

# Below this share of the reference difference the coefficient stays as it is there: a negative power would grow without
# bound, and a positive one would leave a surface at rest without any slope to search along.
_FLOOR = 1e-6


def power_of_difference(difference: Any, at: Any, exponent: Any) -> Any:
    """(|difference| / at)^exponent, by which a film coefficient changes; smooth and finite at rest."""
    return ((difference / at) ** 2 + _FLOOR**2) ** (0.5 * exponent)


class Convection(EdgeLaw):
    """A film and grey radiation side by side, W: A (h dT + emissivity sigma (T_t^4 - T_h^4)), h = h0 (|dT| / dT0)^n.

    n = 0 is Newton's cooling (1701), 1/4 laminar (Lorenz 1881) and 1/3 turbulent free convection, 2 about nucleate
    boiling, -1/4 film condensation (Nusselt 1916). ``coefficient`` h0 in W/(m^2 K) at the temperature difference ``at``
    (dT0, K); ``exponent`` n above -1; ``emissivity`` of the surface toward surroundings as warm as the fluid (Stefan
    1879, Boltzmann 1884).
    """

    coefficient: Any = parameter("W/(m^2*K)", "film coefficient")
    exponent: Any = parameter("", "exponent of the film coefficient", default=0.0)
    at: Any = parameter("K", "temperature difference of the film coefficient", default=1.0)
    emissivity: Any = parameter("", "emissivity", default=0.0)
    quantity: str = eqx.field(static=True, default="T")

    @property
    def moves(self) -> tuple[str, ...]:
        """Heat."""
        return (self.quantity,)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Heat from tail to head, W."""
        a, b = tail[self.quantity], head[self.quantity]
        film = self.coefficient * power_of_difference(a - b, self.at, self.exponent) * (a - b)
        return {self.quantity: edge.area * (film + self.emissivity * SIGMA_SB * (a - b) * (a + b) * (a**2 + b**2))}
