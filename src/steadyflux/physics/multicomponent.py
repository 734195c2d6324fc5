"""Diffusion of many species at once: friction between each pair (Maxwell, Stefan), mobility times thermodynamic factor.

Both laws are a symmetric positive matrix between the chemical potentials of all species, so that whatever goes up its
own gradient (reverse diffusion, uphill diffusion) is paid for by the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import combinations
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from steadyflux.ground.arithmetic import is_traced
from steadyflux.ground.constants import R
from steadyflux.ground.errors import ModelError, NameUnknown
from steadyflux.ground.units import si
from steadyflux.physics.coupled import VANISHING, Coupled, check_onsager
from steadyflux.physics.law import Law, parameter, static
from steadyflux.physics.local import Geometry, Local
from steadyflux.physics.means import log_mean
from steadyflux.physics.quantity import Quantity

Pairs = Mapping[tuple[str, str], Any]


class MaxwellStefan(Coupled):
    """Diffusion of a mixture by friction between its species (Maxwell 1867, Stefan 1871), isothermal.

    The diffusive fluxes J (mol/m^2/s) follow from the drops of the chemical potentials,

        -c_i grad mu_i / RT + (c_i / c RT) grad p = sum_j (c_j J_i - c_i J_j) / (c D_ij),     sum J_i = 0,

    with the logarithmic means c_i of an edge in the forces and in the friction, c their sum and
    grad p = sum c_i grad mu_i (Gibbs and Duhem). J = L grad y then has a symmetric positive L at any finite step.

    With a ``permeability`` B / eta, m^2/(Pa s) (a capillary: radius^2 / 8 eta), the mixture also flows as a whole,
    N_i = J_i - c_i (B / eta) grad p (Darcy, Poiseuille). Without it pressures never even out and the sum of all
    concentrations stays what it is in each cell: right for isobaric vessels in time, but a steady model needs it.

    A gas that stands ``still`` (air over a liquid that does not dissolve it) may be left out of the quantities: then it
    fills up to the given ``total`` concentration, its own flux is zero, and the sum of the others is free.

    Args:
        quantities: names of the species, two or more (one or more beside one that stands still).
        diffusivities: binary diffusivities, m^2/s: {("H2", "N2"): D, ...} with every pair, a symmetric matrix
            (species, species) whose diagonal is not read, or a function of the mean state (a mapping from names, "T"
            among them, to values) that returns such a matrix (a gas under changing pressure, Vignes's rule).
        permeability: see above; None for none.
        still: name of a species that stands still and is no quantity of the model.
        total: concentration of the whole mixture with it, mol/m^3.
    """

    pairs: Any = parameter("m^2/s", "binary diffusivity")
    permeability: Any = parameter("m^2/(Pa*s)", "permeability over viscosity")
    function: Callable[[Mapping[str, Any]], Any] | None = static()
    still: str | None = static()
    total: Any = parameter("mol/m^3", "concentration of the whole mixture")

    def __init__(
        self,
        quantities: tuple[str, ...],
        diffusivities: Pairs | Callable[[Mapping[str, Any]], Any] | Any,
        *,
        permeability: Any = None,
        still: str | None = None,
        total: Any = None,
        on: str = "interior",
    ) -> None:
        self.quantities = tuple(quantities)
        self.still = still
        self.total = None if total is None else si(total, "mol/m^3", "concentration of the whole mixture")
        if len(set(self.members)) < max(2, len(self.members)):
            raise ModelError("A Maxwell-Stefan law needs two or more species, each named once.")
        if (still is None) != (total is None) or (still is not None and permeability is not None):
            raise ModelError("A species that stands still needs the total concentration, and excludes a permeability.")
        self.function = diffusivities if callable(diffusivities) else None
        self.pairs = {} if callable(diffusivities) else _pairs(self.members, diffusivities)
        self.permeability = si(permeability, "m^2/(Pa*s)", "permeability over viscosity") if permeability else None
        self.on = on
        self.symmetry = "isotropic"

    @property
    def members(self) -> tuple[str, ...]:
        """All species, the one that stands still last."""
        return self.moves if self.still is None else (*self.moves, self.still)

    def bound(self, quantities: Mapping[str, Quantity], positions: Any) -> Law:
        """Refuse what is no species and diffusivities that are not positive."""
        for name in self.moves:
            if name in quantities and quantities[name].kind != "species":
                raise ModelError(f"A Maxwell-Stefan law moves species; {name} is none.")
        if any(q.kind == "heat" for q in quantities.values()):
            raise ModelError("A Maxwell-Stefan law is isothermal; leave heat out of the model, give a temperature.")
        for pair, value in self.pairs.items():
            if not is_traced(value) and not np.all(np.asarray(value) > 0):
                raise ModelError(f"The binary diffusivity of {pair} must be positive.")
        return super().bound(quantities, positions)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Flux of each species from tail to head, mol/s."""
        a, b = (jnp.stack([end[name] for name in self.moves]) for end in (tail, head))
        c = log_mean(jnp.maximum(a, VANISHING), jnp.maximum(b, VANISHING))
        force = a - b
        if not _is_plain(tail, self.moves):
            force = force + c * jnp.stack([tail.exponent(name) - head.exponent(name) for name in self.moves])
        if self.still is not None:
            left = [jnp.maximum(self.total - jnp.sum(x), VANISHING) for x in (a, b)]
            c = jnp.append(c, log_mean(*left))
        state = {name: c[i] for i, name in enumerate(self.members)}
        inverse = self._resistances(tail.with_values({**state, tail.temperature: 0.5 * (tail.T + head.T)}))
        if self.still is not None:
            fluxes = self.total * _solve(_beside(c, inverse), force)
            return {name: edge.conductor * fluxes[i] for i, name in enumerate(self.moves)}
        whole = jnp.sum(force)  # -(p_head - p_tail) / RT
        fluxes = _against_friction(c, force - c / jnp.sum(c) * whole, inverse)
        fluxes = fluxes - c / jnp.sum(c) * jnp.sum(fluxes)  # what rounding left
        if self.permeability is not None:
            fluxes = fluxes + c * (self.permeability * R * 0.5 * (tail.T + head.T) * whole)
        return {name: edge.conductor * fluxes[i] for i, name in enumerate(self.moves)}

    def coefficients(self, mean: Local, edge: Geometry) -> Any:
        """Onsager coefficients at a state, (n, n), mol^2 K/(J m s): J_i = sum_j L_ij grad y_j with y = -mu / T."""
        c = jnp.stack([mean[name] for name in self.moves])
        if self.still is not None:
            c = jnp.append(c, self.total - jnp.sum(c))
            inverse = self._resistances(mean.with_values({**{n: mean[n] for n in mean.known}, self.still: c[-1]}))
            return self.total * (_inverse(_beside(c, inverse)) * c[:-1]) / R
        forces = jnp.diag(c) - jnp.outer(c, c) / jnp.sum(c)
        found = jax.vmap(partial(_against_friction, c, inverse=self._resistances(mean)), 1, 1)(forces) / R
        return found if self.permeability is None else found + self.permeability * mean.T * jnp.outer(c, c)

    def _resistances(self, mean: Local) -> Any:
        """1 / D_ij, (n, n), its diagonal the least of them (any positive number does there: see `_matrix`)."""
        count = len(self.members)
        above = np.triu_indices(count, 1)
        if self.function is None:
            found = 1.0 / jnp.stack([self.pairs[_key(*pair)] for pair in combinations(self.members, 2)])
        else:
            matrix = jnp.asarray(self.function({name: mean[name] for name in self.members} | {"T": mean.T}))
            if matrix.shape != (count, count):
                raise ModelError(f"The function of the diffusivities must return a {count} x {count} matrix.")
            found = 2.0 / (matrix[above] + matrix.T[above])
        place = np.zeros((count, count), dtype=int)
        place[above] = np.arange(len(above[0]))
        place = place + place.T
        return jnp.where(jnp.eye(count, dtype=bool), jnp.min(found), found[place])


def _is_plain(here: Local, names: tuple[str, ...]) -> bool:
    """Whether nothing but concentrations makes the species' potentials differ: no activity, no charge, no field."""
    species = [here.quantity(name) for name in names]
    return here.phase.is_ideal and all(not q.charge and q.external is None for q in species)


def _key(one: str, other: str) -> str:
    return f"{one}, {other}"


def _pairs(names: tuple[str, ...], given: Any) -> dict[str, Any]:
    """The binary diffusivities of all pairs, in the order of the species, SI."""
    wanted = list(combinations(names, 2))
    if isinstance(given, Mapping):
        for pair in given:
            for name in pair:
                if name not in names:
                    raise NameUnknown("species of the mixture", str(name), names)
        table = {frozenset(pair): value for pair, value in given.items()}
        if len(table) < len(given):
            raise ModelError("A pair of species has two binary diffusivities; D_ij and D_ji are one number.")
        for pair in wanted:
            if frozenset(pair) not in table:
                raise ModelError(f"The binary diffusivity of {pair[0]} and {pair[1]} is missing.")
        return {_key(*pair): si(table[frozenset(pair)], "m^2/s", f"diffusivity of {pair}") for pair in wanted}
    matrix = si(given, "m^2/s", "binary diffusivities")
    if np.shape(matrix) != (len(names), len(names)):
        raise ModelError(f"The binary diffusivities of {', '.join(names)} must be {len(names)} x {len(names)}.")
    if not is_traced(matrix) and not np.allclose(matrix, np.transpose(matrix), rtol=1e-12, atol=0.0):
        raise ModelError("The binary diffusivities must be symmetric: friction acts on both species alike.")
    return {_key(a, b): matrix[names.index(a), names.index(b)] for a, b in wanted}


def _matrix(c: Any, inverse: Any) -> Any:
    """The friction c A of A J = force: A_ij = -c_i (1/D_ij - 1/D), A_ii = sum_j c_j / D_ij + c_i / D over j not i.

    1/D times the sum of all fluxes, which vanishes, makes it regular; D is the largest diffusivity, so that no element
    off the diagonal is positive: an M-matrix, whose columns' diagonals dominate, needs no pivots.
    """
    least = jnp.diagonal(inverse)[0]
    without = jnp.where(jnp.eye(c.shape[0], dtype=bool), 0.0, inverse)
    return jnp.diag(without @ c + least * c) - c[:, None] * jnp.where(without > 0, without - least, 0.0)


def _inverse(matrix: Any) -> Any:
    """Inverse of a matrix that needs no pivots, by Gauss and Jordan: each step pivots on the first row and column and
    rolls them to the end, so that all steps are one. Under vmap much faster than LAPACK's loop over small matrices."""

    def step(_: Any, m: Any) -> Any:
        pivot = 1.0 / m[0, 0]
        row, column = m[0, 1:] * pivot, m[1:, 0]
        rest = jnp.concatenate([m[1:, 1:] - column[:, None] * row, (-pivot * column)[:, None]], axis=1)
        return jnp.concatenate([rest, jnp.append(row, pivot)[None]])

    return jax.lax.fori_loop(0, matrix.shape[0], step, matrix)


def _beside(c: Any, inverse: Any) -> Any:
    """The friction c A of all but the last species, which stands still: A_ii = sum_j c_j / D_ij over j not i."""
    without = jnp.where(jnp.eye(c.shape[0], dtype=bool), 0.0, inverse)
    return (jnp.diag(without @ c) - c[:, None] * without)[:-1, :-1]


@jax.custom_jvp
def _solve(matrix: Any, right: Any) -> Any:
    """Solution of a system that needs no pivots."""
    return _inverse(matrix) @ right


@_solve.defjvp
def _solve_jvp(primals: tuple[Any, Any], tangents: tuple[Any, Any]) -> tuple[Any, Any]:
    inverse = _inverse(primals[0])
    found = inverse @ primals[1]
    return found, inverse @ (tangents[1] - tangents[0] @ found)


@jax.custom_jvp
def _against_friction(c: Any, force: Any, inverse: Any) -> Any:
    """Fluxes (n,) whose friction balances a force (n,) that sums to zero, at concentrations (n,)."""
    return jnp.sum(c) * (_inverse(_matrix(c, inverse)) @ force)


@_against_friction.defjvp
def _against_friction_jvp(primals: tuple[Any, Any, Any], tangents: tuple[Any, Any, Any]) -> tuple[Any, Any]:
    (c, force, inverse), (dc, d_force, d_inverse) = primals, tangents
    solve = _inverse(_matrix(c, inverse))
    fluxes = jnp.sum(c) * (solve @ force)
    # (A J)_i = sum_j (c_j J_i - c_i J_j) / D_ij + c_i / D sum_j J_j, and the last sum is zero.
    turned = (inverse @ dc) * fluxes - dc * (inverse @ fluxes) + (d_inverse @ c) * fluxes - c * (d_inverse @ fluxes)
    change = jnp.sum(c) * d_force + jnp.sum(dc) * force - turned
    return fluxes, solve @ change


class Interdiffusion(Coupled):
    """Diffusion in a phase where each species feels the gradients of all: J = -M grad mu (Onsager 1945, Darken 1948).

    Args:
        quantities: names of the species.
        mobility: M, mol^2/(J m s): a symmetric positive matrix, one number per species b (then M = diag(b c), Darken's
            lattice frame), or a function of the mean state (a mapping from names, "T" among them) that returns a
            matrix.
        diffusivity: in its place the matrix D, m^2/s, of J = -D grad c. Refused where no free energy can agree with it:
            its eigenvalues must be real and positive and its eigenvectors independent.
    """

    mobility: Any = None
    diffusivity: Any = None
    function: Callable[[Mapping[str, Any]], Any] | None = static(default=None)

    def __init__(
        self, quantities: tuple[str, ...], mobility: Any = None, *, diffusivity: Any = None, on: str = "interior"
    ) -> None:
        if (mobility is None) == (diffusivity is None):
            raise ModelError("Interdiffusion needs either a mobility or a diffusivity.")
        self.quantities = tuple(quantities)
        self.function = mobility if callable(mobility) else None
        self.mobility = None if mobility is None or callable(mobility) else jnp.asarray(mobility, dtype=float)
        self.diffusivity = None if diffusivity is None else _square(diffusivity)
        self.on = on
        self.symmetry = "isotropic"

    def bound(self, quantities: Mapping[str, Quantity], positions: Any) -> Law:
        """Refuse matrices of the wrong shape and those against the second law."""
        count = len(self.moves)
        if self.diffusivity is not None:
            if np.shape(self.diffusivity) != (count, count):
                raise ModelError(f"The diffusivity of {', '.join(self.moves)} must be {count} x {count}.")
            if not is_traced(self.diffusivity):
                check_diffusivity(np.asarray(self.diffusivity))
        elif self.mobility is not None:
            if np.shape(self.mobility) not in ((count,), (count, count)):
                raise ModelError(
                    f"The mobility of {', '.join(self.moves)} must be {count} numbers or a square of them."
                )
            if not is_traced(self.mobility):
                square = np.asarray(self.mobility)
                check_onsager(np.diag(square) if square.ndim == 1 else square, self.moves)
        return super().bound(quantities, positions)

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Flux of each species from tail to head, mol/s."""
        if self.diffusivity is None:
            return super().flux(tail, head, edge)
        drop = jnp.stack([tail[name] - head[name] for name in self.moves])
        fluxes = edge.conductor * (self.diffusivity @ drop)
        return {name: fluxes[i] for i, name in enumerate(self.moves)}

    def coefficients(self, mean: Local, edge: Geometry) -> Any:
        """Onsager coefficients L = T M, or D G^-1 / R with the thermodynamic factor G of the phase."""
        if self.diffusivity is not None:
            return self.diffusivity @ jnp.linalg.inv(thermodynamic_factor(mean, self.moves)) / R
        if self.function is not None:
            return mean.T * jnp.asarray(self.function({name: mean[name] for name in self.moves} | {"T": mean.T}))
        if self.mobility.ndim == 1:
            return mean.T * jnp.diag(self.mobility * jnp.stack([mean[name] for name in self.moves]))
        return mean.T * self.mobility


def _square(matrix: Any) -> Any:
    if isinstance(matrix, list | tuple):
        matrix = [[si(x, "m^2/s", "diffusivity") for x in row] for row in matrix]
    return jnp.asarray(matrix, dtype=float)


def thermodynamic_factor(here: Local, names: tuple[str, ...]) -> Any:
    """G = d(mu_i / R T) / dc_j at a state, (n, n), m^3/mol, symmetric: second derivatives of the free energy."""

    def potentials(c: Any) -> Any:
        there = here.with_values({n: here[n] for n in here.known} | {n: c[i] for i, n in enumerate(names)})
        mixing = jnp.zeros_like(c) if here.whole else jnp.log(c)
        return mixing + jnp.stack([there.exponent(name) for name in names])

    return jax.jacfwd(potentials)(jnp.stack([here[name] for name in names]))


def check_diffusivity(matrix: np.ndarray, factor: np.ndarray | None = None) -> None:
    """Refuse a matrix D of J = -D grad c that breaks the second law, or reciprocity with a thermodynamic factor G.

    D = L R G with symmetric positive L and G has real positive eigenvalues and independent eigenvectors (Kirkaldy,
    Weichert and Zia-ul-Haq 1963); any such D agrees with some G.
    """
    values, vectors = np.linalg.eig(matrix)
    size = np.abs(values).max()
    if np.abs(np.imag(values)).max() > 1e-12 * size:
        raise ModelError(
            "The diffusivity matrix has complex eigenvalues: compositions would swing to and fro while they even out, "
            "which no symmetric mobility and free energy allow; make the product of its cross terms larger."
        )
    if np.real(values).min() <= 0:
        raise ModelError(
            f"The diffusivity matrix has the eigenvalue {np.real(values).min():g}, which is not positive: differences "
            "of composition would grow by themselves, against the second law; lower its cross terms."
        )
    if np.linalg.cond(vectors) > 1e7:
        raise ModelError(
            "The diffusivity matrix has two equal eigenvalues with one eigenvector: no symmetric mobility and free "
            "energy allow it; change one of its terms."
        )
    if factor is not None:
        check_onsager(matrix @ np.linalg.inv(factor), tuple(str(i + 1) for i in range(len(matrix))))
