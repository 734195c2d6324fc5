"""The answer: state, fluxes, and how the search ended. The audit reads it; users ask it."""

from __future__ import annotations

from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from steadyflux.ground.arithmetic import is_traced
from steadyflux.ground.constants import FARADAY
from steadyflux.ground.errors import ModelError, NameUnknown, NotConverged
from steadyflux.ground.units import quantity
from steadyflux.model.accounts import (
    Accounts,
    Entropy,
    Entry,
    account,
    entropy_of,
    ledger_of,
    regime_of,
    supplied,
)
from steadyflux.model.mapping import State, edge_fluxes, placed
from steadyflux.model.model import Model
from steadyflux.model.system import View, place_flow, stored
from steadyflux.physics.quantity import KINDS
from steadyflux.space.interpolate import interpolation

CODES = {
    0: ("unfinished", "the search was cut short", "start it again from this state"),
    1: ("converged", "", ""),
    2: (
        "not converged",
        "Newton's method, then embedding of the forces, then pseudo-time steps were tried",
        "start from a solution nearby (start=...), refine the mesh where the residual is largest, or check the "
        "parameters",
    ),
    3: ("singular", "the Jacobian is singular", "look for a quantity that nothing determines"),
}


LINEAR_SOLVERS = ["", "dense", "block-tridiagonal", "superlu", "superlu, COLAMD", "amg"]
"""What may have solved the linear systems, by the number that an outcome holds; further ones are added when met."""

NOTES = [
    "",
    "multigrid is not made for this model's matrix, so a direct solver took over",
    "multigrid did not reach its tolerance, so a direct solver took over",
]
"""What is to be noted of a linear solver, by the number that an outcome holds; further notes are added when met."""


def code_of(solver: str) -> int:
    """Number of a linear solver in `LINEAR_SOLVERS`."""
    if solver not in LINEAR_SOLVERS:
        LINEAR_SOLVERS.append(solver)
    return LINEAR_SOLVERS.index(solver)


def note_of(text: str) -> int:
    """Number of a note in `NOTES`."""
    if text not in NOTES:
        NOTES.append(text)
    return NOTES.index(text)


class Outcome(NamedTuple):
    """How a search ended: code (see `CODES`), linear solves, largest scaled residual, share of the forces, phase, and
    the numbers of the linear solver and of what is to be noted about it."""

    code: Any
    iterations: Any
    residual: Any
    force: Any
    phase: Any
    solver_number: Any = 0
    note_number: Any = 0

    @property
    def name(self) -> str:
        """The code in words."""
        return CODES[int(self.code)][0]

    @property
    def solver(self) -> str:
        """What solved the linear systems: "dense", "block-tridiagonal", "superlu", "amg", ...; "" when none was."""
        return LINEAR_SOLVERS[int(self.solver_number)]

    @property
    def note(self) -> str:
        """Why the linear solver was not the one chosen, or what a solver tells of itself (its iterations); else ""."""
        return NOTES[int(self.note_number)]


class Solution(eqx.Module):
    """A state that solves a model: steady, or one moment of a run in time (then with the ``rate`` of its unknowns).

    ``solution["K+"]`` is a profile; `flux`, `ledger`, `entropy` and `regime` are answers.
    """

    model: Model
    state: State
    outcome: Outcome
    pins: Any = None
    kept: Any = None
    rate: State | None = None

    @property
    def temperature(self) -> np.ndarray:
        """Temperature of every cell, (cell,), K: a state, a given field, or what the phase says of the energy."""
        name = self.model.frame.temperature
        if name in self.model.names and self.model.quantity(name).kind == "energy":
            return 1.0 / np.asarray(self.books.conjugate)[: self.model.cells, self.model.index(name)]
        return np.asarray(self[name])

    def __getitem__(self, name: str) -> Any:
        """State of a quantity in every cell, (cell,), in SI; or a shared unknown."""
        names = [unknown.name for unknown in self.model.shared]
        if name in names:
            return self.state.s[names.index(name)]
        if name not in self.model.names and name not in self.model.given:
            raise NameUnknown(
                "quantity, given field or shared unknown", name, [*self.model.names, *self.model.given, *names]
            )
        if name in self.model.given:
            return self.model.given[name]
        return self.state.u[:, self.model.index(name)]

    def __repr__(self) -> str:
        what = f"{', '.join(self.model.names)} in {self.model.cells} cells"
        if self.traced:
            return f"Solution({what}, being traced)"
        return f"Solution({what}: {self.outcome.name} after {int(self.outcome.iterations)} linear solves)"

    def check_converged(self) -> None:
        """Raise `NotConverged` unless the search converged, saying what was tried and where the residual is largest."""
        code = int(self.outcome.code)
        if code != 1:
            name, tried, remedy = CODES[code]
            raise NotConverged(
                f"No steady state was found ({name} after {int(self.outcome.iterations)} linear solves): {tried}; "
                f"the residual is largest {self.worst()}",
                remedy,
            )

    def worst(self) -> str:
        """Where the scaled residual is largest: quantity and cell."""
        raw = np.abs(np.asarray(self.raw))[: self.model.cells]
        raw = np.where(np.asarray(self.model.layout.held), 0.0, raw)
        raw = np.where(np.isfinite(raw), raw, 1e300)  # a residual that is no number is the worst of all
        size = raw / np.maximum(raw.max(axis=0, keepdims=True), 1e-300)
        cell, k = np.unravel_index(int(np.argmax(size)), raw.shape)
        return f"for {self.model.names[k]} in the cell {self.model.space.name_of(int(cell))}"

    @property
    def raw(self) -> Any:
        """What every cell lacks and every reservoir gives, (cell + reservoir, quantity): zero but where a boundary
        supplies. In time what a cell stores is part of it."""
        return supplied(self.model, self.state, self.rate)

    @property
    def books(self) -> Accounts:
        """All fluxes, entropies and potentials as arrays."""
        return account(self.model, self.state, self.rate)

    @property
    def ledger(self) -> dict[str, Entry]:
        """In, out, produced and imbalance of every quantity."""
        return ledger_of(self.model, self.state, self.books)

    @property
    def entropy(self) -> Entropy:
        """Entropy production: total, by law, by cell, and as exported through the boundaries."""
        return entropy_of(self.model, self.state, self.books)

    @property
    def regime(self) -> str:
        """equilibrium or steady nonequilibrium."""
        return regime_of(self.model, self.books)

    def position(self) -> Any:
        """Coordinates of the cells, (cell,) or (cell, axis), m (or the axis's own unit)."""
        return placed(self.model, self.state).space.position

    def flow(self, name: str, through: str) -> Any:
        """Flow of a quantity into the system through a place, a bare number in SI (differentiable)."""
        return place_flow(self.model, self.state, self.raw, name, through)

    def flux(self, name: str, through: str) -> Any:
        """Flow of a quantity into the system through a place, with its unit."""
        return quantity(self.flow(name, through), self.model.flux_unit(name))

    def current(self, through: str) -> Any:
        """Electric current into the system through a place, A: sum of z F times the ions' flows, or the charge's."""
        ions = [q for q in self.model.quantities if q.kind == "species" and q.charge]
        if ions:
            return sum(q.charge * FARADAY * self.flow(q.name, through) for q in ions)
        charge = [q.name for q in self.model.quantities if q.kind == "charge"]
        if not charge:
            raise ModelError("No quantity of this model carries charge; ask for a flow instead of a current.")
        return self.flow(charge[0], through)

    def value(self, name: str, at: str) -> Any:
        """State of a quantity at a place (mean over its cells), a bare number in SI."""
        return View(self.model, self.state, self.raw).value(name, at)

    def total(self, name: str) -> Any:
        """Stored total of a quantity, in its stored unit (SI)."""
        return jnp.sum(stored(self.model, self.state)[:, self.model.index(name)])

    def interpolate(self, name: str, position: Any) -> Any:
        """State at positions, linear between cells.

        Along a line ``position`` is a number or (point,); in several dimensions (axis,) or (point, axis).
        """
        space = self.model.space
        if np.ndim(space.position) == 1:
            return jnp.interp(jnp.asarray(position), jnp.asarray(self.position()), self[name])
        cells, weights = interpolation(space, position)
        values = jnp.sum(jnp.asarray(weights) * self[name][cells], axis=1)
        return values[0] if np.ndim(position) == 1 else values

    def along(self, name: str, edge_set: str = "interior") -> Any:
        """Flux of a quantity through each edge of a set, tail to head, summed over laws, (edge,), SI."""
        if edge_set not in self.model.edges:
            raise NameUnknown("edge set", edge_set, self.model.edges)
        return _edge_flux(self.model, self.state, edge_set)[:, self.model.index(name)]

    def unit(self, name: str) -> str:
        """Unit of a quantity's state."""
        return KINDS[self.model.quantity(name).kind].state

    @property
    def traced(self) -> bool:
        """Whether the solution is being traced by JAX."""
        return is_traced(self.state)


@eqx.filter_jit
def _edge_flux(model: Model, state: State, edge_set: str) -> Any:
    return edge_fluxes(model, state, edge_set)
