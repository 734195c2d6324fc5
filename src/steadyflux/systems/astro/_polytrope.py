"""The structure of Eddington's standard star: the polytrope of index three, and its share of gas pressure."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import jax.numpy as jnp
import numpy as np

from steadyflux.ground.constants import C_LIGHT, G_NEWTON, K_B, M_U, SIGMA_SB
from steadyflux.model.conditions import Exchange, Hold
from steadyflux.model.model import Model
from steadyflux.model.shared import Balance, Shared, ValueBalance
from steadyflux.physics.kinetic import Between, Leaves, RunningIntegral
from steadyflux.physics.law import EdgeLaw
from steadyflux.physics.local import Geometry, Local
from steadyflux.physics.quantity import Population, Quantity
from steadyflux.solve.steady import steady
from steadyflux.space.interval import axis

INDEX = 3
RADIATION = 4.0 * SIGMA_SB / C_LIGHT  # radiation constant a, J/(m^3 K^4)
GAS = K_B / M_U  # gas constant per mass at molecular weight one, J/(kg K)

_POINT, _WEIGHT = np.polynomial.legendre.leggauss(3)
_POINT, _WEIGHT = 0.5 * (_POINT + 1.0), 0.5 * _WEIGHT


def _shell(here: Any, x: Any) -> Any:
    """x^2 theta^3: mass within x, with the scaled radius x from 0 to 1."""
    return x * x * here["theta"] ** INDEX


class Hydrostatic(EdgeLaw):
    """theta falls from tail to head by the integral of xi_1^2 mass / x^2, the weight of a shell; what is left over
    vanishes on every edge. With the mass a `RunningIntegral` it is of fourth order on equal steps."""

    mass: RunningIntegral

    dissipative: ClassVar[bool] = False
    symmetry: ClassVar[str | None] = None

    @property
    def moves(self) -> tuple[str, ...]:
        """The scaled temperature theta."""
        return ("theta",)

    @property
    def sees(self) -> tuple[str, ...]:
        """The mass within."""
        return (self.mass.name,)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """What of the fall of theta the weight does not explain."""
        pull = 0.0
        for share, weight in zip(_POINT, _WEIGHT, strict=True):
            x = edge.position + edge.length * (share - 0.5)
            pull = pull + weight * Between(tail, head, edge, x, (self.mass,))[self.mass.name] / (x * x)
        return {"theta": tail["theta"] - head["theta"] - tail["xi_1"] ** 2 * edge.length * pull}


class Quartic(Balance):
    """Eddington's quartic (1 - beta) / beta^4 = weight / (xi_1^3 mass)^2, beta the share of gas pressure."""

    weight: Any

    def residual(self, view: Any) -> Any:
        """Both sides times beta^4, over the larger of the weight and one."""
        share = self.weight / (view["xi_1"] ** 3 * view["mass"][-1]) ** 2
        return (1.0 - view["beta"] - share * view["beta"] ** 4) / (1.0 + share)


def structure_model(weight: Any, cells: int) -> Model:
    """Lane and Emden's equation on the scaled radius, its first zero xi_1 and Eddington's beta as shared unknowns.

    ``weight`` is (1 - beta) / beta^4 times the square of the mass constant.
    """
    mass = RunningIntegral(name="mass", integrand=_shell, of=("theta",))
    return Model(
        axis(0.0, 1.0, cells),
        quantities=[Quantity("theta", "number", capacity=0.0), Population("mass", capacity=0.0)],
        laws=[Hydrostatic(mass), mass],
        boundaries=[Hold("low", {"theta": 1.0}), Exchange("high", Leaves("mass"), {"mass": 0.0})],
        start={"theta": lambda x: (1.0 - x) * (1.0 + x) / (1.0 + 6.0 * x * x), "mass": lambda x: 0.006 * x**3},
        shared=[
            Shared("xi_1", ValueBalance("theta", "high", 0.0), start=6.5),
            Shared("beta", Quartic(weight), start=0.9),
        ],
    )


class Structure(NamedTuple):
    """The polytrope: scaled radius x of the nodes and theta there, mass within the faces between them over the whole,
    and xi_1, - xi_1^2 theta'(xi_1), beta."""

    x: Any
    theta: Any
    within: Any
    xi: Any
    constant: Any
    beta: Any


def weight_of(mass: Any, molecular_weight: Any) -> Any:
    """(1 - beta) / beta^4 times the square of the mass constant: pi a mu^4 G^3 M^2 / (48 (k / m_u)^4)."""
    scaled = molecular_weight / GAS
    return np.pi * RADIATION * scaled**4 * G_NEWTON**3 * mass**2 / 48.0


def structure(weight: Any, cells: int) -> Structure:
    """Solve for the structure."""
    solution = steady(structure_model(weight, cells))
    x, theta, mass = jnp.asarray(solution.position()), solution["theta"], solution["mass"]
    step = x[1] - x[0]
    shell = x * x * theta**INDEX
    # In a cell stands the sum up to its far face; the midpoint rule's next term there, as in RunningIntegral.
    within = mass[:-1] + step / 24.0 * (shell[1:] - shell[:-1])
    xi = solution["xi_1"]
    # At the surface the density and its first two slopes vanish: the sum is the whole.
    return Structure(x, theta, within / mass[-1], xi, xi**3 * mass[-1], solution["beta"])
