"""The ladder of linear solvers on the host: direct or multigrid by size and structure, or by name, with what is kept.

A `Plan` holds what one pattern needs once (an elimination order, the parts that multigrid works on) and what outlives
one matrix (the preconditioner). `Plan.factor` makes a matrix ready; what really solves it stands in `Plan.log`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
import scipy.sparse as sp

from steadyflux.ground.errors import InputError, NameUnknown
from steadyflux.model.solution import note_of
from steadyflux.solve import extras
from steadyflux.solve.direct import DirectFactor, SingularMatrix, superlu
from steadyflux.solve.hypre import Hypre
from steadyflux.solve.iterative import Iterative, Kept, NotReached
from steadyflux.solve.klu import klu
from steadyflux.solve.multigrid import Unsuited
from steadyflux.solve.ordering import Permutation, dimension, node_graph, permutation_of
from steadyflux.solve.pardiso import pardiso
from steadyflux.solve.parts import BORDER, Parts, cut
from steadyflux.solve.petsc import mumps

__all__ = [
    "BORDER",
    "SOLVERS",
    "Factor",
    "Plan",
    "SingularMatrix",
    "analyse",
    "check_solver",
    "choose",
    "solver_names",
]

SCALAR_BODY = 4_000  # unknowns of one quantity in a body from which multigrid is the faster way
SCALAR_SHEET = 300_000  # in a sheet, where elimination fills far less
COUPLED_BODY = 6_000  # of several quantities in a body
BODY = 2.25  # dimension from which a pattern counts as a body, whose elimination fills without bound
DIRECT_BODY = 200_000  # unknowns of a body up to which a direct factorisation fits into some gigabytes
UNSUITED, NOT_REACHED = 1, 2  # numbers of notes in `steadyflux.model.solution.NOTES`
TRIES = 2  # failures of multigrid on one matrix after another, after which the direct solver stays


@runtime_checkable
class Factor(Protocol):
    """A matrix made ready for right-hand sides of shape (n,) or (n, r)."""

    @property
    def name(self) -> str:
        """What really solves: "superlu", "superlu, COLAMD", "amg"."""
        ...

    @property
    def loose(self) -> bool:
        """Whether it stops at the tolerance that is asked for: then a first answer may be made better."""
        ...

    def solve(self, rhs: np.ndarray, tolerance: float = 0.0, level: np.ndarray | None = None) -> np.ndarray:
        """x with A x = rhs.

        A residual of ``tolerance`` times the right side is enough; 0 asks for the level of rounding, which ``level``
        (n,) states for each row where the right side itself has been rounded.
        """
        ...

    def solve_transposed(self, rhs: np.ndarray, tolerance: float = 0.0) -> np.ndarray:
        """x with A^T x = rhs."""
        ...


@dataclass
class Log:
    """What happened since `Plan.begin`: what solved the last system, and why it was not what was chosen."""

    solver: str = ""
    note: int = 0  # number of a note in `steadyflux.model.solution.NOTES`
    failures: int = 0
    iterations: int = 0  # of PETSc's, in all


@dataclass(frozen=True)
class Plan:
    """What is computed once for a pattern, and serves all values on it; solvers keep their own in `kept` and `store`.

    `indptr`, `indices` are the caller's CSC pattern of an n x n matrix; `node_of_unknown` (n,) their nodes,
    `field_of_unknown` (n,) their quantities, `BORDER` for those that everything may depend on.
    """

    n: int
    indptr: np.ndarray
    indices: np.ndarray
    node_of_unknown: np.ndarray
    solver: str = "superlu"
    field_of_unknown: np.ndarray | None = None
    kept: Kept = field(default_factory=Kept, repr=False)
    store: dict[str, Any] = field(default_factory=dict, repr=False)
    log: Log = field(default_factory=Log, repr=False)

    @cached_property
    def permutation(self) -> Permutation:
        """The elimination order, computed when the first direct factorisation asks for it."""
        return permutation_of(self.indptr, self.indices, self.node_of_unknown)

    @cached_property
    def parts(self) -> Parts:
        """The fields, the conditions and the border, computed when multigrid first asks for them."""
        given = self.field_of_unknown
        fields = np.zeros(self.n, dtype=np.int64) if given is None else given
        return cut(self.indptr, self.indices, self.node_of_unknown, fields)

    @cached_property
    def spread(self) -> float:
        """Dimension of the pattern: 1 a chain, 2 a sheet, 3 a body."""
        nodes, given = self.node_of_unknown, self.field_of_unknown
        bordered = given is not None and (given == BORDER).any()
        if not bordered and nodes[-1] == self.n - 1 and (np.diff(nodes) == 1).all():
            # Each unknown is a node: the pattern itself will do, whose links of nodes to themselves do no harm.
            links = np.ones(self.indices.size, dtype=np.int8)
            return dimension(sp.csr_array((links, self.indices, self.indptr), shape=(self.n, self.n)))
        graph = node_graph(self.indptr, self.indices, nodes)
        if bordered:
            inside = np.unique(nodes[given != BORDER])
            graph = sp.csr_array(graph[inside][:, inside])
        return dimension(graph)

    def begin(self) -> None:
        """A new search: what failed in the last one may work in this."""
        self.log.solver, self.log.note, self.log.failures, self.log.iterations = "", 0, 0, 0

    def factor(self, values: np.ndarray, solver: str | None = None) -> Factor:
        """Factor the matrix of these values (nnz,), in the order of the caller's pattern, by the named solver."""
        name = self.solver if solver is None else solver
        check_solver(name, named=True)
        values = np.asarray(values)
        if not np.isfinite(values).all():
            unknown = int(self.indices[int(np.flatnonzero(~np.isfinite(values))[0])])
            raise SingularMatrix(
                f"the matrix has an infinite or undefined entry in the row of unknown {unknown}",
                "look at the state and parameters there",
                unknown,
            )
        found = SOLVERS[name](self, values)
        self.log.solver = found.name
        return found

    def matrix(self, values: np.ndarray) -> sp.csc_array:
        """The matrix in the caller's order."""
        return sp.csc_array((values, self.indices, self.indptr), shape=(self.n, self.n))


def analyse(
    indptr: np.ndarray,
    indices: np.ndarray,
    n: int,
    node_of_unknown: np.ndarray | None = None,
    solver: str = "superlu",
    field_of_unknown: np.ndarray | None = None,
) -> Plan:
    """Plan for an n x n matrix with the CSC pattern (indptr, indices), computed once per model.

    `node_of_unknown` (n,) numbers the node (cell) that each unknown belongs to; unknowns of one node are kept together.
    Without it every unknown is a node of its own. `field_of_unknown` (n,) numbers its quantity; without it there is one
    quantity. The solver "auto" is chosen here by size and structure, "direct" is the best direct one that is installed.
    """
    nodes = np.arange(n) if node_of_unknown is None else np.asarray(node_of_unknown)
    indptr, indices = np.asarray(indptr, dtype=np.int32), np.asarray(indices, dtype=np.int32)
    plan = Plan(n, indptr, indices, nodes, "superlu", field_of_unknown)
    name = choose(plan) if solver == "auto" else solver
    name = _best_direct(plan) if name == "direct" else name
    check_solver(name)
    return plan if name == plan.solver else Plan(n, indptr, indices, nodes, name, field_of_unknown)


def choose(plan: Plan) -> str:
    """The solver for a pattern: multigrid for large bodies (and very large sheets of one quantity), else direct."""
    fields = 1 if plan.field_of_unknown is None else int(plan.field_of_unknown.max(initial=0)) + 1
    if plan.n <= (SCALAR_BODY if fields == 1 else COUPLED_BODY):
        return "direct"
    if plan.spread >= BODY:
        return "amg"
    return "amg" if fields == 1 and plan.n > SCALAR_SHEET and plan.spread > 1.5 else "direct"


def check_solver(name: str, named: bool = False) -> None:
    """Refuse the name of a solver that does not exist or is not installed; with ``named`` words for a choice too."""
    if name in SOLVERS:
        if not extras.installed(name):
            raise extras.missing(name)
        return
    words = ("auto", "direct", "dense", "block-tridiagonal")
    if name in words[:2] and not named:
        return
    unknown = NameUnknown("linear solver", name, [*SOLVERS, *(() if named else words)])
    absent = [near for near in unknown.nearest if near in SOLVERS and not extras.installed(near)]
    if absent:
        raise InputError(f"{unknown.sentence()} {absent[0]!r} is not installed here", extras.missing(absent[0]).remedy)
    raise unknown


def _best_direct(plan: Plan) -> str:
    """The best direct solver for a pattern among those installed; its dimension is measured only where it matters."""
    if extras.best_direct(plan.n, extras.SHEET + 1.0) == "superlu":
        return "superlu"
    return extras.best_direct(plan.n, plan.spread)


def _superlu(plan: Plan, values: np.ndarray) -> Factor:
    return superlu(plan.matrix(values), plan.permutation)


def _or_superlu(
    solver: Callable[[sp.csc_array, dict[str, Any]], DirectFactor | None],
) -> Callable[[Plan, np.ndarray], Factor]:
    """A direct solver of real matrices that may fail, with SuperLU behind it, which also names a suspect."""

    def factor(plan: Plan, values: np.ndarray) -> Factor:
        found = None if np.iscomplexobj(values) else solver(plan.matrix(values), plan.store)
        return _superlu(plan, values) if found is None else found

    return factor


def _petsc(plan: Plan, values: np.ndarray) -> Factor:
    """PETSc's multigrid where it is the faster way, else its direct solver."""
    return (_petsc_hypre if choose(plan) == "amg" else _petsc_mumps)(plan, values)


def _petsc_mumps(plan: Plan, values: np.ndarray) -> Factor:
    found = None if np.iscomplexobj(values) else mumps(plan.matrix(values), plan.node_of_unknown, plan.store)
    if found is not None:
        return found
    if plan.n > DIRECT_BODY:
        raise SingularMatrix(
            "PETSc does not solve this matrix, which is singular or nearly so",
            "look for a quantity that nothing holds: a closed system needs its total, a potential its reference",
        )
    return _superlu(plan, values)


def _petsc_hypre(plan: Plan, values: np.ndarray) -> Factor:
    def tell(iterations: int) -> None:
        plan.log.iterations += iterations
        plan.log.note = note_of(f"{plan.log.iterations} iterations in all")

    def instead(number: int, reason: str) -> Factor:
        plan.log.failures += 1
        plan.log.note = number
        return _petsc_mumps(plan, values)

    if plan.log.failures >= TRIES or np.iscomplexobj(values):
        return _petsc_mumps(plan, values)
    try:
        return _Guarded(plan, Hypre(plan.matrix(values), plan.parts, plan.store, tell), instead)
    except Unsuited as reason:
        return instead(UNSUITED, str(reason))


def _multigrid(plan: Plan, values: np.ndarray) -> Factor:
    def instead(number: int, reason: str) -> Factor:
        return _instead(plan, values, number, reason)

    if plan.log.failures >= TRIES:
        return instead(plan.log.note, "it failed before")
    try:
        return _Guarded(plan, Iterative("amg", plan.parts, values, plan.kept), instead)
    except Unsuited as reason:
        return instead(UNSUITED, str(reason))


class _Guarded:
    """An iterative solver, and a direct one when it does not arrive."""

    def __init__(self, plan: Plan, iterative: Factor, instead: Callable[[int, str], Factor]) -> None:
        """``instead`` makes the direct one, given the number of a note and the reason in words."""
        self._plan, self._iterative, self._instead = plan, iterative, instead
        self._direct: Factor | None = None

    @property
    def name(self) -> str:
        """What solved last."""
        return self._iterative.name if self._direct is None else self._direct.name

    @property
    def loose(self) -> bool:
        """Whether the iteration still serves."""
        return self._direct is None

    def solve(self, rhs: np.ndarray, tolerance: float = 0.0, level: np.ndarray | None = None) -> np.ndarray:
        """x with A x = rhs."""
        return self._either(lambda factor: factor.solve(rhs, tolerance, level))

    def solve_transposed(self, rhs: np.ndarray, tolerance: float = 0.0) -> np.ndarray:
        """x with A^T x = rhs."""
        return self._either(lambda factor: factor.solve_transposed(rhs, tolerance))

    def _either(self, solve: Callable[[Factor], np.ndarray]) -> np.ndarray:
        if self._direct is None:
            try:
                return solve(self._iterative)
            except (Unsuited, NotReached) as reason:
                number = UNSUITED if isinstance(reason, Unsuited) else NOT_REACHED
                self._direct = self._instead(number, str(reason))
                self._plan.log.solver = self._direct.name
        return solve(self._direct)


def _instead(plan: Plan, values: np.ndarray, note: int, reason: str) -> Factor:
    """The direct solver where multigrid is of no use; refuses a body too large for it."""
    plan.log.failures += 1
    plan.log.note = note
    if plan.n > DIRECT_BODY and plan.spread >= BODY:
        raise SingularMatrix(
            f"multigrid does not solve this matrix ({reason})",
            f"its {plan.n} unknowns in a body are too many for a direct solver here; take fewer cells, or "
            "solver='petsc-mumps' over several processes",
        )
    return SOLVERS[_best_direct(plan)](plan, values)


SOLVERS: dict[str, Callable[[Plan, np.ndarray], Factor]] = {
    "superlu": _superlu,
    "amg": _multigrid,
    "pardiso": _or_superlu(pardiso),
    "klu": _or_superlu(klu),
    "petsc": _petsc,
    "petsc-mumps": _petsc_mumps,
    "petsc-hypre": _petsc_hypre,
}
"""Linear solvers by name: each takes a plan and values to a factor. Add one here and `Plan.factor` knows it."""


def solver_names() -> tuple[str, ...]:
    """Names of the linear solvers that can be used here."""
    return tuple(name for name in SOLVERS if extras.installed(name))
