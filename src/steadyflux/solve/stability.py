"""Stability of a steady state: growth rates and shapes of the disturbances that decay slowest or grow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigs

from steadyflux.ground.errors import InputError, ModelError, NameUnknown
from steadyflux.model.solution import Solution
from steadyflux.model.system import State
from steadyflux.solve.linear import Factor, SingularMatrix
from steadyflux.solve.linearised import Linearised, linearise_about

DENSE = 400  # unknowns up to which all eigenvalues are computed
RANK = 1e-10  # a pivot below this share of the largest is none
SHIFT_RATIO = 30.0  # between the rates around which growing disturbances are looked for
GROWS = 1e-6  # excess of a Cayley multiplier over one that is no rounding


@dataclass(frozen=True)
class Spectrum:
    """The leading disturbances exp(rate t) of a steady state, those that grow fastest or decay slowest first.

    ``rates`` (mode,) are complex, 1/s: the real part is the growth rate, the imaginary part the angular frequency.
    ``modes`` are their shapes, u (mode, cell, quantity) and s (mode, shared), each scaled so that its largest entry, in
    the size of its unknown, is one.
    """

    solution: Solution
    rates: np.ndarray
    modes: State

    @property
    def stable(self) -> bool:
        """Whether every small disturbance dies away."""
        return complex(self.rates[0]).real < 0.0

    @property
    def time(self) -> float:
        """Time in which the leading disturbance shrinks (or, where the state is unstable, grows) by e, s."""
        growth = complex(self.rates[0]).real
        return 1.0 / abs(growth) if growth else float("inf")

    def mode(self, name: str, number: int = 0) -> Any:
        """Shape of a quantity in one mode, (cell,), complex; or the share of a shared unknown."""
        model = self.solution.model
        shared = [unknown.name for unknown in model.shared]
        if name in shared:
            return np.asarray(self.modes.s)[number, shared.index(name)]
        if name not in model.names:
            raise NameUnknown("quantity or shared unknown", name, [*model.names, *shared])
        return np.asarray(self.modes.u)[number, :, model.index(name)]

    def __repr__(self) -> str:
        first = complex(self.rates[0])
        turning = f" with angular frequency {abs(first.imag):.4g} 1/s" if first.imag else ""
        verdict = "stable: the slowest disturbance decays" if self.stable else "unstable: a disturbance grows"
        return f"Spectrum({verdict} at {first.real:.4g} 1/s{turning}; {len(self.rates)} rates)"


def spectrum(solution: Solution, count: int = 6) -> Spectrum:
    """The ``count`` leading growth rates of small disturbances about a steady state, and their shapes.

    A disturbance x exp(rate t) obeys J x = -rate M x with J the equation's Jacobian and M what the cells store per
    change of the state, both exact. M is singular: unknowns that store nothing (an electric potential, conditions)
    follow at once, and count for no rate. Totals that a closed model conserves are left as they are, so they give no
    rate zero. Up to 400 unknowns all rates are computed; beyond, those slowest in magnitude (inverse iteration in a
    Krylov space) and then, on Cayley transforms about rates from the slowest to the fastest, any that grow
    (Meerbergen, Spence and Roose 1994).

    Raises NotConverged for a state that is not steady, and ModelError when nothing is stored.
    """
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
        raise InputError(f"The number of rates must be a positive whole number, not {count!r}.")
    linear = linearise_about(solution, "spectrum")
    n = linear.scale.size
    rates, vectors = _all(linear) if n <= DENSE else _leading(linear, int(count))
    growth, turning = np.real(rates), np.imag(rates)
    order = np.lexsort((-turning, np.abs(turning), -growth))[:count]
    vectors = vectors[:, order]
    sizes = vectors * (linear.scale / linear.size)[:, None]
    largest = sizes[np.argmax(np.abs(sizes), axis=0), np.arange(vectors.shape[1])]
    return Spectrum(solution, rates[order], linear.state(vectors / largest))


def _all(linear: Linearised) -> tuple[np.ndarray, np.ndarray]:
    """Every finite eigenvalue and its vector, by elimination of what stores nothing."""
    j, m, basis = _dynamic(linear.balance.toarray(), linear.storage.toarray())
    shift = 0.0
    try:
        inverse = np.linalg.solve(j, m)
    except np.linalg.LinAlgError:  # a rate is zero: at a fold, or along a symmetry
        shift = 1e-3 * np.abs(j).max()
        inverse = np.linalg.solve(j + shift * m, m)
    found: Any = scipy.linalg.eig(inverse)
    size, vectors = found
    kept = np.abs(size) > 0.0
    return shift - 1.0 / size[kept], basis @ vectors[:, kept]


def _dynamic(j: np.ndarray, m: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same problem J y = -rate M y in as many unknowns as have a rate; the third matrix takes y back to x.

    Equations without storage are constraints: they give some unknowns by the others. What is left of M may be singular
    again (electroneutral ions store charge together, which the constraint forbids), and so on (Luenberger 1977).
    """
    basis = np.eye(len(j))
    while True:
        size = np.abs(m).max(axis=1, initial=0.0)
        row = np.where(size > 0, size, 1.0)[:, None]
        j, m = j / row, m / row
        independent, dependent, share = _split_columns(m.T)
        if not independent.size:
            raise ModelError("No disturbance of this model takes time: what it stores is fixed by its constraints.")
        if not dependent.size:
            return j, m, basis
        constraint = j[dependent] - share.T @ j[independent]
        size = np.abs(constraint).max(axis=1)
        constraint = constraint / np.where(size > 0, size, 1.0)[:, None]
        given, free, share = _split_columns(constraint)
        if given.size < dependent.size:
            raise ModelError(
                "The spectrum is not determined: some constraint of this model follows from the others; "
                "look for a quantity that nothing holds."
            )
        j, m, basis = (x[:, free] - x[:, given] @ share for x in (j[independent], m[independent], basis))


def _split_columns(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Independent columns, the others, and how the others are made of them: other = independent @ share."""
    factors: Any = scipy.linalg.qr(matrix, mode="r", pivoting=True)
    upper, order = factors
    diagonal = np.abs(np.diagonal(upper))
    rank = int(np.sum(diagonal > RANK * max(diagonal.max(initial=0.0), 1e-300)))
    share = scipy.linalg.solve_triangular(upper[:rank, :rank], upper[:rank, rank:])
    return order[:rank], order[rank:], share


def _leading(linear: Linearised, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The slowest rates, and growing ones at any speed."""
    plan, j, m, n = linear.plan, linear.balance, linear.storage, linear.scale.size
    stores = m.diagonal() != 0
    fastest = float(np.max(np.abs(np.divide(j.diagonal()[stores], m.diagonal()[stores])), initial=0.0)) or 1.0
    shift = 0.0
    try:
        factor = plan.factor(j.data)
    except SingularMatrix:
        shift = 1e-6 * fastest
        factor = plan.factor(j.data + shift * m.data)
    steps = min(count + 4, n - 2)
    size, vectors = _krylov(lambda x: factor.solve(m @ x), factor, m, steps)
    good = np.abs(size) > 1e-14 * np.abs(size).max()
    rates, vectors = shift - 1.0 / size[good], vectors[:, good]
    around = max(float(np.abs(rates).min()), 1e-12 * fastest)
    while around < 10.0 * fastest:
        more, shapes = _growing(linear, around)
        new = [k for k, rate in enumerate(more) if np.abs(rates - rate).min() > 1e-6 * abs(rate)]
        rates, vectors = np.append(rates, more[new]), np.hstack([vectors, shapes[:, new]])
        around *= SHIFT_RATIO
    return rates, vectors


def _growing(linear: Linearised, around: float) -> tuple[np.ndarray, np.ndarray]:
    """Rates with a positive real part: (rate + a) / (rate - a) is longer than one for these and no others."""
    m = linear.storage
    factor = linear.plan.factor(linear.balance.data + around * m.data)
    multiplier, vectors = _krylov(
        lambda x: x - 2.0 * around * factor.solve(m @ x), factor, m, 4, tolerance=1e-8, restarts=6
    )
    grows = np.abs(multiplier) > 1.0 + GROWS
    multiplier, vectors = multiplier[grows], vectors[:, grows]
    rates = around * (multiplier + 1.0) / (multiplier - 1.0)
    near = np.abs(rates) < 1e3 * around  # faster ones are found about faster rates
    return rates[near], vectors[:, near]


def _krylov(
    times: Any, factor: Factor, storage: Any, count: int, tolerance: float = 0.0, restarts: int = 300
) -> tuple[np.ndarray, np.ndarray]:
    """The largest eigenvalues of a map, as many as the restarts bring."""
    n = storage.shape[0]
    start = np.random.default_rng(3).uniform(0.5, 1.5, n)
    for _ in range(2):  # out of the space of what takes no time, which rounding would fill with rates that are none
        start = factor.solve(storage @ start)
    make: Any = LinearOperator  # SciPy's annotations know less than its documents
    arpack: Any = eigs
    width = min(n - 1, max(4 * count, 24))
    try:
        operator = make((n, n), matvec=times, dtype=float)
        return arpack(operator, count, v0=start, tol=tolerance, maxiter=restarts, ncv=width)
    except ArpackNoConvergence as unfinished:
        return unfinished.eigenvalues, unfinished.eigenvectors
