"""PETSc as linear solver, alone or over the processes of an MPI program: MUMPS, and hypre under a Krylov iteration.

Every process runs the same program and holds the same model. Each hands PETSc its own rows of the matrix and of the
right side; the solution is gathered to all. Factors and levels of multigrid are spread over the processes.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import cache
from importlib import import_module
from itertools import count
from typing import Any

import numpy as np
import scipy.sparse as sp

from steadyflux.ground.errors import InputError
from steadyflux.solve.direct import DirectFactor, row_scale
from steadyflux.solve.extras import missing
from steadyflux.solve.iterative import FEW, GROWTH
from steadyflux.solve.share import Share, check_agreement, share_of

PREFIX = "steadyflux_"  # of PETSc's options: -steadyflux_ksp_monitor
DIRECT = ("mumps", "superlu_dist")  # external packages that factor over several processes, best first
WORKSPACE = 50  # per cent more memory than MUMPS foresees, for pivots off the diagonal


@cache
def library() -> Any:
    """The module PETSc of petsc4py. mpi4py starts MPI, so that any thread may call it: JAX's callbacks do."""
    try:
        import_module("mpi4py.MPI")
        found = import_module("petsc4py.PETSc")
    except (ImportError, OSError, RuntimeError) as error:
        raise missing("petsc", str(error)) from None
    found.Sys.popSignalHandler()  # PETSc would abort the program where its reader has gone
    return found


def communicator() -> Any:
    """All processes of the program, as mpi4py has them."""
    return library().COMM_WORLD.tompi4py()


def has(package: str) -> bool:
    """Whether this PETSc was built with another library."""
    return bool(library().Sys.hasExternalPackage(package))


def suffix() -> str:
    """What the name of a solver says of its processes: nothing of a single one."""
    size = communicator().size
    return f" on {size} processes" if size > 1 else ""


class Session:
    """A matrix of PETSc's over all processes, with a solver: new values replace the old ones on the same pattern."""

    def __init__(self, share: Share, configure: Callable[[Any], None]) -> None:
        self._share, self._configure = share, configure
        self._matrix: Any = None
        self._held: object = None
        self.iterations = 0
        self.fresh, self.stale, self._pace = True, True, 0.0

    def hold(self, owner: object, rows: sp.csr_array, keep: bool = False) -> None:
        """Make the solver ready for a matrix, given by the own rows; ``owner`` names it.

        With ``keep`` the preconditioner of the matrix before serves on, as long as it is not `stale`.
        """
        petsc, share = library(), self._share
        sizes = (share.shape[0], share.shape[1])
        indptr, indices, data = rows.indptr.astype(np.int32), rows.indices.astype(np.int32), rows.data
        if self._matrix is not None and self._fits(indptr, indices):
            self._matrix.setValuesCSR(indptr, indices, data)
            self._matrix.assemble()
        else:
            self.release()
            self._indptr, self._indices = indptr, indices
            self._matrix = petsc.Mat().createAIJ(size=(sizes, sizes), csr=(indptr, indices, data))
            self._right, self._left = self._matrix.createVecs()
            self._gather, self._whole = petsc.Scatter.toAll(self._right)
            self._solver = petsc.KSP().create()
            self._solver.setOptionsPrefix(PREFIX)
            self._configure(self._solver)
            self._solver.setFromOptions()
            made = (self._gather, self._whole, self._solver, self._right, self._left, self._matrix)
            self._free = weakref.finalize(self, _DISCARDED.__setitem__, next(_NUMBERS), made)
            self._free.atexit = False  # MPI has ended by then
            self.stale = True
        self.fresh = self.stale or not keep
        self._solver.getPC().setReusePreconditioner(not self.fresh)
        self._solver.setOperators(self._matrix)
        self._held = owner

    def renew(self) -> None:
        """Set the preconditioner up anew, for the matrix at hand."""
        self.fresh = True
        self._solver.getPC().setReusePreconditioner(False)
        self._solver.setOperators(self._matrix)

    def _fits(self, indptr: np.ndarray, indices: np.ndarray) -> bool:
        """Whether the pattern is that of the matrix at hand, in all processes."""
        same = np.array_equal(indptr, self._indptr) and np.array_equal(indices, self._indices)
        return all(communicator().allgather(same))

    def holds(self, owner: object) -> bool:
        """Whether the matrix at hand is that of ``owner``."""
        return self._held is owner

    def release(self) -> None:
        """Give the memory back; all processes do this together."""
        if self._matrix is not None:
            self._free()
            self._matrix = self._held = None
        _destroy_discarded()

    def solve(self, b: np.ndarray, tolerance: float = 0.0, limit: int = 0, transposed: bool = False) -> np.ndarray:
        """x with (nearly) A x = b in the common order, (unknown,), from the own part of b; nan where it fails."""
        self._left.setArray(b)
        if limit:
            self._solver.setTolerances(rtol=tolerance, atol=0.0, divtol=1e10, max_it=limit)
        way = self._solver.solveTranspose if transposed else self._solver.solve
        way(self._left, self._right)
        taken = self._solver.getIterationNumber()
        self.iterations += taken
        if limit:
            self._judge(taken / -np.log10(tolerance), taken)
        self._gather.scatter(self._right, self._whole)
        return np.array(self._whole.getArray())

    def _judge(self, pace: float, taken: int) -> None:
        """Whether the preconditioner still serves as it did when it was new; ``pace`` is iterations for each digit."""
        if self.fresh:
            self.stale, self._pace = False, pace
        elif taken > FEW and pace > GROWTH * self._pace:
            self.stale = True


_NUMBERS = count()  # of what was made, the same in all processes
_DISCARDED: dict[int, tuple[Any, ...]] = {}


def _destroy_discarded() -> None:
    """Free what no process needs any more: PETSc wants all processes to do so together, Python's collector does not."""
    for number in sorted(set.intersection(*communicator().allgather(set(_DISCARDED)))):
        for one in _DISCARDED.pop(number):
            one.destroy()


def numbered(indptr: np.ndarray, indices: np.ndarray) -> sp.csc_array:
    """A pattern with the number of each entry as its value."""
    n = indptr.size - 1
    return sp.csc_array((np.arange(indices.size, dtype=np.int32), indices, indptr), shape=(n, n))


def _direct_package() -> str:
    """The package that factors; refuses a PETSc without any where there are several processes."""
    for package in DIRECT:
        if has(package):
            return package
    if communicator().size > 1:
        raise InputError(
            "This PETSc was built without MUMPS and SuperLU_DIST and cannot factor over several processes",
            "take solver='petsc-hypre', or a PETSc with MUMPS (steadyflux doctor tells how)",
        )
    return "petsc"


class _Ways:
    """The factors of one matrix, there and back; made again where another matrix has taken their place."""

    def __init__(self, session: Session, share: Share, values: np.ndarray) -> None:
        self._session, self._share, self._values = session, share, values

    def forward(self, rhs: np.ndarray) -> np.ndarray:
        return self._either(rhs, False)

    def backward(self, rhs: np.ndarray) -> np.ndarray:
        return self._either(rhs, True)

    def _either(self, rhs: np.ndarray, transposed: bool) -> np.ndarray:
        if np.iscomplexobj(rhs):
            return self._either(np.real(rhs), transposed) + 1j * self._either(np.imag(rhs), transposed)
        if not self._session.holds(self):
            self._session.hold(self, self._share.matrix(self._values))
        x = np.empty(rhs.shape)
        if rhs.ndim == 1:
            x[self._share.order] = self._session.solve(self._share.mine(rhs), transposed=transposed)
        else:
            for column in range(rhs.shape[1]):
                x[:, column] = self._either(rhs[:, column], transposed)
        return x


def mumps(matrix: sp.csc_array, nodes: np.ndarray, store: dict[str, Any]) -> DirectFactor | None:
    """Factors of a real matrix over all processes; None where it is not solved. ``store`` keeps what serves the next.

    Another package takes the place of MUMPS in a PETSc without it; the factor's name says so.
    """
    package = _direct_package()
    check_agreement(communicator(), matrix.data)
    scale = row_scale(matrix)
    if "petsc-mumps" not in store:
        unknowns = np.arange(nodes.size)
        fields = np.zeros(nodes.size, dtype=np.int32)
        share = share_of(numbered(matrix.indptr, matrix.indices), unknowns, nodes, fields, communicator())
        store["petsc-mumps"] = share, Session(share, lambda solver: _to_factor(solver, package))
    share, session = store["petsc-mumps"]
    ways = _Ways(session, share, matrix.data * scale[matrix.indices])
    name = f"petsc {package.replace('petsc', 'lu')}{suffix()}"
    factor = DirectFactor(name, matrix, np.arange(scale.size), scale, ways.forward, ways.backward)
    try:
        return factor if factor.check()[0] else None
    except library().Error:
        return None


def _to_factor(solver: Any, package: str) -> None:
    """One factorisation, no iteration."""
    solver.setType("preonly")
    preconditioner = solver.getPC()
    preconditioner.setType("lu")
    preconditioner.setFactorSolverType(package)
    if package == "mumps":
        library().Options()[f"{PREFIX}mat_mumps_icntl_14"] = WORKSPACE
