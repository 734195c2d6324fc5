"""Kinetic space: Fokker-Planck fluxes along an abstract axis, with coefficients that may be integrals over the axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from steadyflux.physics.charge import fitted
from steadyflux.physics.law import CellLaw, EdgeLaw, names, parameter, static, where
from steadyflux.physics.local import Cell, Geometry, Local
from steadyflux.space.space import INTERIOR

# Three-point Gauss-Legendre on an edge of length one, and the integrals of its Lagrange polynomials from each point to
# the end: what a coefficient sampled at the points adds up to between there and the head.
_POINT, _WEIGHT = np.polynomial.legendre.leggauss(3)
_POINT, _WEIGHT = 0.5 * (_POINT + 1.0), 0.5 * _WEIGHT


_PAIR = 0.5 + np.array([-0.5, 0.5]) / np.sqrt(3.0)


def _beyond() -> np.ndarray:
    table = np.zeros((3, 3))
    for j in range(3):
        lagrange = np.poly1d(np.poly(np.delete(_POINT, j)) / np.prod(_POINT[j] - np.delete(_POINT, j)))
        integral = lagrange.integ()
        table[:, j] = integral(1.0) - integral(_POINT)
    return table


_BEYOND = _beyond()


class Function(eqx.Module):
    """A plain function where a law holds something that is called; models that differ in it are compiled apart."""

    function: Callable[..., Any] = static()

    def __call__(self, *arguments: Any) -> Any:
        """What the function returns."""
        return self.function(*arguments)


def _callable(value: Any) -> Any:
    return value if value is None or isinstance(value, eqx.Module) else Function(value)


def _called(**options: Any) -> Any:
    return eqx.field(converter=_callable, **options)


def _one(x: Any) -> float:
    return 1.0


class Between:
    """The state at a point of an edge: ``here["g"]`` is interpolated between the ends, a running integral is continued
    from the middle of the edge."""

    def __init__(
        self, tail: Local, head: Local, edge: Geometry, position: Any, integrals: tuple[RunningIntegral, ...] = ()
    ) -> None:
        self._tail, self._head, self._edge = tail, head, edge
        self.position = position
        self._integrals = {one.name: one for one in integrals}

    def __getitem__(self, name: str) -> Any:
        if name in self._integrals:
            return self._integrals[name].at(self._tail, self._head, self._edge, self.position)
        share = (self.position - self._edge.position) / self._edge.length + 0.5
        return self._tail[name] + share * (self._head[name] - self._tail[name])


class RunningIntegral(EdgeLaw, CellLaw):
    """An integral over the axis that has a value at each place, a quantity of its own: I(x) from one end up to x.

    A coefficient that is an integral over the whole axis would fill the Jacobian. Here the integral is carried along
    the axis at unit speed from the end where it is zero, with the integrand as its source in the cells: each cell hands
    on what came in and what it added. The Jacobian stays block-tridiagonal and Newton's method exact.

    The quantity (a `Population` where the integrand is positive) stores nothing: ``capacity=0``. At the far end it
    leaves: ``Exchange(end, Leaves(name), {name: 0})``. An `Influx` at the near end is what the axis does not reach. The
    integral is one over the space's measure, so the axis wants the measure one; densities go into the integrand.

    In a cell stands the integral up to the far face of the cell, by the midpoint rule. `at` adds the rule's next term
    (Euler and Maclaurin), which depends on nothing but the ends of the edge: on equal steps values there are of fourth
    order, if the integrand's slope vanishes at the near end, else of second order by a constant. On unequal steps they
    are of second order.

    Args:
        name: of the quantity that stands for the integral.
        integrand: ``integrand(here, x)`` with ``here["g"]`` a state and x the coordinate; a function or, where it holds
            numbers, an `equinox.Module`.
        of: names of the quantities that it reads.
        since: the end where the integral is zero, "low" or "high".
        size: ``size(x)``, about how large the integral is at x; the quantity is then the integral over that, of order
            one on all decades of the axis.
    """

    name: str = static()
    integrand: Any = _called()
    of: tuple[str, ...] = names(())
    since: str = static(default="low")
    size: Any = _called(default=None)
    on: str = where()

    dissipative: ClassVar[bool] = False
    symmetry: ClassVar[str | None] = None

    @property
    def moves(self) -> tuple[str, ...]:
        """The integral."""
        return (self.name,)

    @property
    def makes(self) -> tuple[str, ...]:
        """The integral."""
        return (self.name,)

    @property
    def sees(self) -> tuple[str, ...]:
        """What the integrand reads."""
        return self.of or ()

    @property
    def acts_in(self) -> str | None:
        """The cells that its edges join."""
        return None if self.on == INTERIOR else self.on.removesuffix("." + INTERIOR)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """What is handed on: the value of the cell that the stream comes from."""
        low, high = self.ends(tail, head, edge)
        return {self.name: low if self.since == "low" else -high}

    def ends(self, tail: Local, head: Local, edge: Geometry) -> tuple[Any, Any]:
        """The integral that the cells at the two ends hold."""
        half, size = 0.5 * edge.length, self.size or _one
        return size(edge.position - half) * tail[self.name], size(edge.position + half) * head[self.name]

    def production(self, here: Local, cell: Cell) -> dict[str, Any]:
        """The integrand."""
        return {self.name: self.integrand(here, cell.position)}

    def at(self, tail: Local, head: Local, edge: Geometry, position: Any) -> Any:
        """The integral up to a place on an edge."""
        half = 0.5 * edge.length
        rise = self.integrand(head, edge.position + half) - self.integrand(tail, edge.position - half)
        step = position - edge.position
        # Two Gauss points from the face. What linear interpolation lacks is odd in the step: a symmetric quadrature
        # cancels it.
        places = edge.position + step * jnp.asarray(_PAIR)
        between = jax.vmap(lambda x: self.integrand(Between(tail, head, edge, x), x))(places)
        added = edge.length * rise / 24.0 + 0.5 * step * jnp.sum(between)
        low, high = self.ends(tail, head, edge)
        return low + added if self.since == "low" else high - added


class Leaves(EdgeLaw):
    """What comes to the end of the axis at unit speed goes on: the outlet of a `RunningIntegral` of a size there."""

    name: str = static()
    size: Any = parameter("", "size of the integral at the end", default=1.0)

    dissipative: ClassVar[bool] = False
    symmetry: ClassVar[str | None] = None

    @property
    def moves(self) -> tuple[str, ...]:
        """The integral."""
        return (self.name,)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """The value at the end."""
        return {self.name: self.size * tail[self.name]}


class FokkerPlanck(EdgeLaw):
    """Drift and diffusion along an axis: J = A f - D df/dx, by exponential fitting (Chang and Cooper 1970).

    Give it `coefficients`, the drift A and the diffusion D at a point of the axis, which may depend on the state there
    and on running integrals. Between two cells the stationary equation is solved by quadrature, J = (e^a f_t - f_h) / b
    with a the integral of A/D along the edge and b that of e^(...)/D: exact for constant coefficients, positive, and of
    fourth order on equal steps otherwise.

    The net flux is often what is left of two far larger ones (of stars at the edge of a cusp, over a high barrier),
    and rounding of those would hide it. With ``current`` it becomes an unknown of its own, kept in the cell at the head
    of each edge: the population moves by it, and what determines it is J's equation over the traffic on the edge. The
    quantity named (of the kind "number", which may be negative) stores nothing; hold it, at anything, at the low end,
    whose cell is the head of no edge, and give it a start of about its size, by which its accuracy is measured.

    Args:
        population: the quantity f that is moved, per unit of the coordinate where its capacity is one.
        integrals: the `RunningIntegral` laws that the coefficients read.
        current: name of the quantity that is the net flux; None to compute it from the states.
    """

    population: str = static()
    integrals: tuple[RunningIntegral, ...] = eqx.field(default=(), kw_only=True)
    current: str | None = eqx.field(static=True, default=None, kw_only=True)

    dissipative: ClassVar[bool] = False
    symmetry: ClassVar[str | None] = None

    def coefficients(self, here: Between, x: Any) -> tuple[Any, Any]:
        """Drift A and diffusion D > 0 at the coordinate x."""
        raise TypeError(f"The law {type(self).__name__} must define coefficients.")

    @property
    def moves(self) -> tuple[str, ...]:
        """The population, and the net flux where it is an unknown."""
        return (self.population,) if self.current is None else (self.population, self.current)

    @property
    def sees(self) -> tuple[str, ...]:
        """The running integrals."""
        return tuple(one.name for one in self.integrals)

    def along(self, tail: Local, head: Local, edge: Geometry) -> tuple[Any, Any, Any]:
        """Rise of the generalised potential from tail to head, - integral of A/D; the same from each of three points of
        the edge to the head, (3,); and 1/D there, (3,)."""

        def sampled(x: Any) -> tuple[Any, Any]:
            drift, diffusion = self.coefficients(Between(tail, head, edge, x, self.integrals), x)
            return edge.length * drift / diffusion, 1.0 / diffusion

        slope, inverse = jax.vmap(sampled)(edge.position + edge.length * (jnp.asarray(_POINT) - 0.5))
        return -jnp.asarray(_WEIGHT) @ slope, -jnp.asarray(_BEYOND) @ slope, inverse

    def opposed(self, tail: Local, head: Local, edge: Geometry) -> tuple[Any, Any, Any]:
        """The opposed parts of the flux times a resistance, and that resistance."""
        climb, beyond, inverse = self.along(tail, head, edge)
        # Over the weights that a constant force would give, so that constant coefficients come out exactly.
        plain = jnp.asarray(_WEIGHT) * jnp.exp(-climb * (0.5 - jnp.asarray(_POINT)))
        weight = jnp.asarray(_WEIGHT) * jnp.exp(0.5 * climb - beyond)
        resistance = edge.length / edge.area * jnp.sum(weight * inverse) / jnp.sum(plain)
        return *fitted(1.0, tail[self.population], head[self.population], climb), resistance

    def one_way(self, tail: Local, head: Local, edge: Geometry) -> dict[str, tuple[Any, Any]] | None:
        """Forward and reverse flux; None where the net flux is an unknown."""
        if self.current is not None:
            return None
        forward, reverse, resistance = self.opposed(tail, head, edge)
        return {self.population: (forward / resistance, reverse / resistance)}

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Net flux of the population, and what must vanish for the net flux to be the right one."""
        if self.current is None:
            return super().flux(tail, head, edge)
        forward, reverse, resistance = self.opposed(tail, head, edge)
        net = head[self.current]
        traffic = jax.lax.stop_gradient(forward + reverse)
        off = (forward - reverse - resistance * net) / jnp.where(traffic > 0, traffic, 1.0)
        return {self.population: net, self.current: off}


class Brownian(FokkerPlanck):
    """Brownian motion in a potential: J = -D (df/dx + f dU/dx), U in units of k T.

    Equilibrium is Boltzmann's to rounding, f proportional to e^-U at every cell, whatever the mesh. ``potential`` is
    U(x), a function or an `equinox.Module`; ``diffusivity`` D > 0 per unit of the axis squared.
    """

    potential: Any = _called()
    diffusivity: Any = parameter("", "diffusivity (a bare number in units of the axis)", default=1.0)

    def along(self, tail: Local, head: Local, edge: Geometry) -> tuple[Any, Any, Any]:
        """The rise of the potential, by its values alone."""
        points = edge.position + edge.length * (jnp.asarray(_POINT) - 0.5)
        half = 0.5 * edge.length
        top = self.potential(edge.position + half)
        rise = top - self.potential(edge.position - half)
        return rise, top - self.potential(points), jnp.ones(3) / self.diffusivity
