"""Direct and multigrid solution of large sparse systems on the host: one order per pattern, checked factors."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import pyamg
import pymetis
import scipy.sparse as sp
from scipy.sparse.csgraph import breadth_first_order, connected_components
from scipy.sparse.linalg import cg, splu

from steadyflux.ground.errors import NameUnknown, SteadyfluxError

__all__ = [
    "SOLVERS",
    "Factor",
    "Permutation",
    "Plan",
    "SingularMatrix",
    "analyse",
    "forest_order",
    "node_order",
    "solver_names",
]

_PIVOT_THRESHOLD = 1e-3  # a diagonal pivot is kept when it is at least this times the largest of its column
_RESIDUAL = 1e-10  # largest residual, relative to |A| |x| + |b| row by row, that a factorisation is trusted with
_OFF = 0.1  # a known solution of numbers near 1 comes back wrong by this or more when the matrix is singular
_DENSE = 10.0  # nodes with more neighbours than this times the square root of their number go last


class SingularMatrix(SteadyfluxError):
    """The matrix of a linear system is singular or nearly so; `unknown` is the index of the suspect, -1 if none."""

    def __init__(self, problem: str, remedy: str = "", unknown: int = -1) -> None:
        super().__init__(problem, remedy)
        self.args = (problem, remedy, unknown)
        self.unknown = unknown


@runtime_checkable
class Factor(Protocol):
    """A matrix made ready for right-hand sides of shape (n,) or (n, r)."""

    @property
    def name(self) -> str:
        """What really solves: "superlu", "superlu, COLAMD", "amg"."""
        ...

    def solve(self, rhs: np.ndarray) -> np.ndarray:
        """x with A x = rhs."""
        ...

    def solve_transposed(self, rhs: np.ndarray) -> np.ndarray:
        """x with A^T x = rhs."""
        ...


def forest_order(graph: sp.csr_array) -> np.ndarray | None:
    """Order of the nodes of a forest, leaves first, so that elimination fills nothing; None when there is a cycle.

    `graph` has a symmetric pattern without diagonal. Reversed breadth-first order: every node comes before its parent.
    """
    n = graph.indptr.size - 1
    count, label = connected_components(graph, directed=False)
    if graph.nnz != 2 * (n - count):
        return None
    # One more node joins the components by one node each, so that a single search visits the whole forest.
    roots = np.unique(label, return_index=True)[1].astype(graph.indices.dtype)
    indptr = np.append(graph.indptr, graph.nnz + count)
    joined = sp.csr_array(
        (np.ones(graph.nnz + count, np.int8), np.concatenate([graph.indices, roots]), indptr), shape=(n + 1, n + 1)
    )
    order = breadth_first_order(joined, n, directed=True, return_predecessors=False)
    return order[:0:-1].copy()


def node_order(graph: sp.csr_array) -> np.ndarray:
    """Elimination order of the nodes of a symmetric pattern without diagonal: a forest's, else METIS nested dissection.

    Nodes joined to very many others (shared or bordered unknowns) come last: eliminated early they fill everything.
    """
    n = graph.indptr.size - 1
    degree = np.diff(graph.indptr)
    dense = degree > max(16.0, _DENSE * np.sqrt(n))
    kept = np.flatnonzero(~dense)
    if dense.any():
        forest = forest_order(graph)
        if forest is not None:  # a star has a dense centre too, and fills nothing from its leaves inwards
            return forest
        graph = sp.csr_array(graph[kept][:, kept])
    order = forest_order(graph)
    if order is None:
        adjacency = pymetis.CSRAdjacency(graph.indptr, graph.indices)  # pyright: ignore[reportArgumentType]
        order = np.asarray(pymetis.nested_dissection(adjacency)[0])
    return np.concatenate([kept[order], np.flatnonzero(dense)])


class Permutation(NamedTuple):
    """`order[i]` is the unknown eliminated i-th; `gather` takes values to the permuted pattern (indptr, indices)."""

    order: np.ndarray
    gather: np.ndarray
    indptr: np.ndarray
    indices: np.ndarray


@dataclass(frozen=True)
class Plan:
    """What is computed once for a pattern, and serves all values on it.

    `indptr`, `indices` are the caller's CSC pattern of an n x n matrix; `node_of_unknown` (n,) their nodes.
    """

    n: int
    indptr: np.ndarray
    indices: np.ndarray
    node_of_unknown: np.ndarray
    solver: str = "superlu"

    @cached_property
    def permutation(self) -> Permutation:
        """The elimination order, computed when the first direct factorisation (or `analyse`) asks for it."""
        nodes = self.node_of_unknown
        count = int(nodes.max()) + 1 if self.n else 0
        tail, head = nodes[self.indices], nodes[np.repeat(np.arange(self.n), np.diff(self.indptr))]
        other = tail != head
        half = sp.csr_array((np.ones(np.count_nonzero(other), bool), (tail[other], head[other])), shape=(count, count))
        graph = sp.csr_array(half + half.T)
        rank = np.empty(count, dtype=np.int64)
        rank[node_order(graph)] = np.arange(count)
        order = np.argsort(rank[nodes], kind="stable")
        place = np.empty(self.n, dtype=self.indices.dtype)
        place[order] = np.arange(self.n, dtype=place.dtype)
        numbered = sp.csc_array((np.arange(self.indices.size), self.indices, self.indptr), shape=(self.n, self.n))
        columns = numbered[:, order]
        permuted = sp.csc_array((columns.data, place[columns.indices], columns.indptr), shape=columns.shape)
        permuted.sort_indices()
        return Permutation(order, permuted.data, permuted.indptr.astype(np.int32), permuted.indices.astype(np.int32))

    def factor(self, values: np.ndarray, solver: str | None = None) -> Factor:
        """Factor the matrix of these values (nnz,), in the order of the caller's pattern, by the named solver."""
        name = self.solver if solver is None else solver
        if name not in SOLVERS:
            raise NameUnknown("linear solver", name, SOLVERS)
        values = np.asarray(values)
        if not np.isfinite(values).all():
            unknown = int(self.indices[int(np.flatnonzero(~np.isfinite(values))[0])])
            raise SingularMatrix(
                f"the matrix has an infinite or undefined entry in the row of unknown {unknown}",
                "look at the state and parameters there",
                unknown,
            )
        return SOLVERS[name](self, values)

    def matrix(self, values: np.ndarray) -> sp.csc_array:
        """The matrix in the caller's order."""
        return sp.csc_array((values, self.indices, self.indptr), shape=(self.n, self.n))


def analyse(
    indptr: np.ndarray, indices: np.ndarray, n: int, node_of_unknown: np.ndarray | None = None, solver: str = "superlu"
) -> Plan:
    """Plan for an n x n matrix with the CSC pattern (indptr, indices), computed once per model.

    `node_of_unknown` (n,) numbers the node (cell) that each unknown belongs to; unknowns of one node are kept together.
    Without it every unknown is a node of its own.
    """
    if solver not in SOLVERS:
        raise NameUnknown("linear solver", solver, SOLVERS)
    nodes = np.arange(n) if node_of_unknown is None else np.asarray(node_of_unknown)
    plan = Plan(n, np.asarray(indptr, dtype=np.int32), np.asarray(indices, dtype=np.int32), nodes, solver)
    if solver != "amg":  # multigrid needs an order only when it fails
        _ = plan.permutation
    return plan


def _row_largest(indices: np.ndarray, values: np.ndarray, n: int) -> np.ndarray:
    """Largest magnitude in each row (0 where a row is empty)."""
    largest = np.zeros(n)
    np.maximum.at(largest, indices, np.abs(values))
    return largest


@dataclass(frozen=True)
class _DirectFactor:
    """Factors of the scaled, permuted matrix behind the caller's order, with one step of refinement."""

    name: str
    plan: Plan
    matrix: sp.csc_array
    order: np.ndarray
    scale: np.ndarray
    forward: Callable[[np.ndarray], np.ndarray] = field(repr=False)
    backward: Callable[[np.ndarray], np.ndarray] = field(repr=False)

    def _once(self, rhs: np.ndarray) -> np.ndarray:
        x = np.empty_like(rhs)
        x[self.order] = self.forward((rhs.T * self.scale).T[self.order])
        return x

    def _once_transposed(self, rhs: np.ndarray) -> np.ndarray:
        x = np.empty_like(rhs)
        x[self.order] = self.backward(rhs[self.order])
        return (x.T * self.scale).T

    def solve(self, rhs: np.ndarray) -> np.ndarray:
        """x with A x = rhs: (n,) or (n, r)."""
        rhs = np.asarray(rhs, dtype=self.matrix.dtype)
        x = self._once(rhs)
        return x + self._once(rhs - self.matrix @ x)

    def solve_transposed(self, rhs: np.ndarray) -> np.ndarray:
        """x with A^T x = rhs: (n,) or (n, r)."""
        rhs = np.asarray(rhs, dtype=self.matrix.dtype)
        x = self._once_transposed(rhs)
        return x + self._once_transposed(rhs - self.matrix.T @ x)

    def check(self) -> tuple[bool, int]:
        """Whether a known solution is found again, and the unknown where it is farthest off.

        The residual must be at rounding level row by row. A matrix that is singular to working precision passes that,
        but adds a multiple of its null vector: the solution, in the units of the matrix's columns, must be near too.
        """
        scaled = abs(self.matrix).multiply(self.scale[:, None]).tocsc()
        column = scaled.max(axis=0).toarray().ravel()
        if not column.all():
            return False, int(np.flatnonzero(column == 0)[0])
        wanted = np.random.default_rng(1).uniform(0.5, 1.5, self.plan.n) / column
        rhs = self.matrix @ wanted
        x = self.solve(rhs)
        if not np.isfinite(x).all():
            return False, int(np.flatnonzero(~np.isfinite(x))[0])
        residual = np.abs(self.matrix @ x - rhs) * self.scale
        off = np.abs(x - wanted) * column
        good = (residual <= _RESIDUAL * (scaled @ np.abs(x) + np.abs(rhs) * self.scale)).all() and off.max() < _OFF
        return bool(good), int(np.argmax(off))


_SUPERLU: dict[str, dict[str, Any]] = {
    "superlu": {
        "permc_spec": "NATURAL",
        "diag_pivot_thresh": _PIVOT_THRESHOLD,
        "options": {"SymmetricMode": True, "Equil": False},
    },
    "superlu, COLAMD": {"permc_spec": "COLAMD", "diag_pivot_thresh": 1.0},
}


def _superlu(plan: Plan, values: np.ndarray) -> Factor:
    """SuperLU on rows scaled by their largest entry: in the plan's order, else COLAMD with partial pivoting."""
    largest = _row_largest(plan.indices, values, plan.n)
    if not largest.all():
        unknown = int(np.flatnonzero(largest == 0)[0])
        raise SingularMatrix(
            f"the row of unknown {unknown} is zero", "no equation determines it: hold it or couple it", unknown
        )
    scale = 1.0 / largest
    order, gather, indptr, indices = plan.permutation
    scaled = values * scale[plan.indices]
    permuted = sp.csc_array((scaled[gather], indices, indptr), shape=(plan.n, plan.n))
    suspect = -1
    for name, options in _SUPERLU.items():
        try:
            lu = splu(permuted, **options)
        except RuntimeError:  # SuperLU: "Factor is exactly singular"
            continue
        factor = _DirectFactor(name, plan, plan.matrix(values), order, scale, lu.solve, partial(lu.solve, trans="T"))
        good, suspect = factor.check()
        if good:
            return factor
    if suspect < 0:
        suspect = _suspect(permuted, order)
    raise SingularMatrix(
        f"the matrix is singular or nearly so, most likely by unknown {suspect}",
        "look for a quantity that nothing holds: a closed system needs its total, a potential its reference",
        suspect,
    )


def _suspect(permuted: sp.csc_array, order: np.ndarray) -> int:
    """The unknown that weighs most in the null vector, by two inverse iterations on a slightly shifted matrix."""
    n = order.size
    try:
        lu = splu(sp.csc_array(permuted + 1e-9 * sp.eye_array(n)), permc_spec="COLAMD")
    except RuntimeError:
        return -1
    x = lu.solve(np.random.default_rng(2).uniform(0.5, 1.5, n))
    x = lu.solve(x / np.abs(x).max())
    return int(order[np.argmax(np.abs(x))]) if np.isfinite(x).all() else -1


@dataclass(frozen=True)
class _MultigridFactor:
    """Conjugate gradients with one Ruge-Stuben cycle as preconditioner; SuperLU when it does not converge."""

    name: str
    plan: Plan
    values: np.ndarray
    matrix: sp.csr_array
    cycle: Any = field(repr=False)
    tolerance: float = 1e-12
    iterations: int = 200
    direct: list[Factor] = field(default_factory=list, repr=False)

    def solve(self, rhs: np.ndarray) -> np.ndarray:
        """x with A x = rhs: (n,) or (n, r)."""
        rhs = np.asarray(rhs, dtype=float)
        if rhs.ndim == 2:
            return np.stack([self.solve(column) for column in rhs.T], axis=1)
        if not self.direct:
            x, info = cg(self.matrix, rhs, rtol=self.tolerance, atol=0.0, maxiter=self.iterations, M=self.cycle)
            if info == 0 and np.isfinite(x).all():
                return x
            self.direct.append(_superlu(self.plan, self.values))
        return self.direct[0].solve(rhs)

    def solve_transposed(self, rhs: np.ndarray) -> np.ndarray:
        """The same as `solve`: the matrix is symmetric."""
        return self.solve(rhs)


def _amg(plan: Plan, values: np.ndarray) -> Factor:
    """Algebraic multigrid for symmetric M-matrices (scalar diffusion); any other matrix goes to SuperLU."""
    matrix = sp.csr_array(plan.matrix(values))
    diagonal = matrix.diagonal()
    asymmetry = abs(matrix - matrix.T)
    symmetric = asymmetry.nnz == 0 or asymmetry.max() <= 1e-12 * np.abs(values).max()
    off_diagonal = matrix - sp.diags_array(diagonal)
    if not (symmetric and (diagonal > 0).all() and (off_diagonal.nnz == 0 or off_diagonal.max() <= 0)):
        return _superlu(plan, values)
    hierarchy = pyamg.ruge_stuben_solver(sp.csr_matrix(matrix), max_coarse=500)
    return _MultigridFactor("amg", plan, values, matrix, hierarchy.aspreconditioner(cycle="V"))


SOLVERS: dict[str, Callable[[Plan, np.ndarray], Factor]] = {"superlu": _superlu, "amg": _amg}
"""Linear solvers by name: each takes a plan and values to a factor. Add one here and `Plan.factor` knows it."""


def solver_names() -> tuple[str, ...]:
    """Names of the linear solvers that can be used here."""
    return tuple(SOLVERS)
