"""Multigrid of hypre under PETSc's Krylov iteration: one quantity by conjugate gradients or GMRES, several in turn.

Several quantities are taken in variables that uncouple them in each cell (`steadyflux.solve.fields`), with one cycle of
multigrid each (PETSc's multiplicative field split). Shared unknowns are eliminated: one more solution for each.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp

from steadyflux.solve.fields import shares
from steadyflux.solve.iterative import FIRST, NEAR_ROUNDING, ROUNDING, SAME, NotReached
from steadyflux.solve.multigrid import Unsuited
from steadyflux.solve.parts import Parts
from steadyflux.solve.petsc import PREFIX, Session, communicator, has, library, numbered, suffix
from steadyflux.solve.share import Share, check_agreement, share_of

ITERATIONS = 200
ROUNDS = 4  # times that an iteration is started anew from what it has left
LEAST = 1e-11  # that one round is asked for
BORDER = 32  # shared unknowns up to which each is eliminated by a solution of its own
BORDER_TOLERANCE = 1e-9
RESTART = 60


class Hypre:
    """A real matrix over all processes, ready for right sides; ``store`` keeps what serves the next one."""

    loose = True

    def __init__(self, matrix: sp.csc_array, parts: Parts, store: dict[str, Any], tell: Callable[[int], None]) -> None:
        """Hand the own rows over; raises `Unsuited`. ``tell`` is given the iterations of each solution."""
        check_agreement(communicator(), matrix.data)
        self._matrix, self._store, self._tell = matrix, store, tell
        self._fields = [k for k in parts.fields if parts.groups[k].size]
        self._held, self._border = parts.groups[parts.held], parts.groups[parts.border]
        if self._border.size > BORDER:
            raise Unsuited(f"{self._border.size} shared unknowns are too many")
        if "petsc-hypre" not in store:
            store["petsc-hypre"] = _split(matrix, parts, self._fields)
        self._share, self._number = store["petsc-hypre"]
        self._diagonal = matrix.diagonal()[self._held]
        if not self._diagonal.all():
            raise Unsuited("the coefficient of a condition is zero")
        self._weight = np.ones(matrix.indptr.size - 1)
        self._back: sp.csr_array | None = None
        self._symmetric = False
        if len(self._fields) == 1:
            self._set_up_one(parts)
        elif self._fields:
            self._set_up_several(parts)
        self._eliminated: dict[bool, tuple[np.ndarray, np.ndarray, Any]] = {}
        multigrid = "hypre" if has("hypre") else "gamg"
        self.name = f"petsc {'cg' if self._symmetric else 'gmres'} + {multigrid}{suffix()}"

    def _set_up_one(self, parts: Parts) -> None:
        """Rows of a single quantity keep their weights, so that a symmetric matrix stays so."""
        k = self._fields[0]
        if (k, k) not in parts.couplings:
            raise Unsuited("a quantity's balance does not depend on its own state")
        own = parts.couplings[k, k].matrix(self._matrix.data)
        diagonal = own.diagonal()
        if not ((diagonal > 0.0).all() or (diagonal < 0.0).all()):
            raise Unsuited("its diagonal entries are not of one sign")
        one, other = np.random.default_rng(5).uniform(-1.0, 1.0, (2, diagonal.size))
        image = own @ other
        off = abs(one @ image - other @ (own @ one))
        self._symmetric = bool(off <= SAME * float(np.linalg.norm(one) * np.linalg.norm(image)))
        self._weight[:] = 1.0 / diagonal[np.argmax(np.abs(diagonal))]

    def _set_up_several(self, parts: Parts) -> None:
        """Each row in the size of its largest entry, and the variables that uncouple the fields in each cell."""
        largest = np.zeros(self._weight.size)
        np.maximum.at(largest, self._matrix.indices, np.abs(self._matrix.data))
        self._weight /= np.where(largest > 0.0, largest, 1.0)
        blocks = {
            (self._fields.index(row), self._fields.index(column)): coupling.matrix(self._matrix.data)
            for (row, column), coupling in parts.couplings.items()
            if row in self._fields and column in self._fields
        }
        place = np.empty(self._weight.size, dtype=np.int32)
        place[self._share.order] = np.arange(self._share.order.size, dtype=np.int32)
        found = shares(blocks, [parts.nodes[k] for k in self._fields])
        size = (self._share.order.size,) * 2
        above = sp.csr_array(size)
        for (row, column), block in found.items():
            listed = sp.coo_array(block)
            rows = place[parts.groups[self._fields[row]][listed.row]]
            columns = place[parts.groups[self._fields[column]][listed.col]]
            above = above + sp.csr_array((listed.data, (rows, columns)), shape=size)
        unit = sp.csr_array(sp.eye_array(size[0]))
        inverse = unit
        for _ in range(len(self._fields) - 1):  # 1 / (1 + N) = 1 - N (1 - N (1 - ...)), which ends
            inverse = sp.csr_array(unit - above @ inverse)
        self._back = inverse

    # ---- the rows that PETSc gets ----------------------------------------------------------------------------------

    def _rows(self, transposed: bool) -> sp.csr_array:
        """Own rows of (weights A U^-1), or of its transpose."""
        share, weight = self._shared(transposed), self._weight[self._share.order]
        own, back, mine = share.matrix(self._matrix.data), self._back, slice(share.first, share.last)
        if transposed:
            rows = own * weight[None, :]
            return sp.csr_array(rows) if back is None else sp.csr_array(back[mine, mine].T @ rows)
        rows = sp.csr_array(own if back is None else own @ back)
        return sp.csr_array(rows * weight[mine, None])

    def _shared(self, transposed: bool) -> Share:
        """What this process owns, worked out for the transposed matrix when it is first asked for."""
        if not transposed:
            return self._share
        if "petsc-turned" not in self._store:
            self._store["petsc-turned"] = self._share.turned(numbered(self._matrix.indptr, self._matrix.indices))
        return self._store["petsc-turned"]

    def _session(self, transposed: bool) -> Session:
        """PETSc's solver for the matrix at hand, made ready where it holds another."""
        transposed = transposed and not self._symmetric
        key = f"petsc-{'cg' if self._symmetric else 'gmres'}{'-transposed' if transposed else ''}"
        if key not in self._store:
            share = self._shared(transposed)
            ends = _ends(share, self._number)
            order = ends[::-1] if transposed else ends
            symmetric = self._symmetric
            self._store[key] = Session(share, lambda solver: _to_iterate(solver, symmetric, order))
        session: Session = self._store[key]
        if not session.holds(self):
            rows = self._rows(transposed)
            if not all(communicator().allgather(bool(rows.diagonal(self._share.first).all()))):
                raise Unsuited("a quantity's balance does not depend on its own state")
            session.hold(self, rows, keep=True)
        return session

    def _inner(self, r: np.ndarray, tolerance: float, transposed: bool) -> np.ndarray:
        """Near solution for the unknowns of the fields, in the caller's order of all unknowns."""
        share, weight, back = self._share, self._weight, self._back
        b = r[share.order]
        x = np.zeros_like(r)
        if not b.any():
            return x
        try:
            session = self._session(transposed)
            if transposed and not self._symmetric:
                b = b if back is None else back.T @ b
                z = session.solve(b[share.first : share.last], tolerance, ITERATIONS)
                x[share.order] = weight[share.order] * z
            else:
                z = session.solve((b * weight[share.order])[share.first : share.last], tolerance, ITERATIONS)
                x[share.order] = z if back is None else back @ z
        except library().Error as error:
            raise Unsuited(f"PETSc ends with {' '.join(str(error).split())[:100]}") from None
        if np.isfinite(x).all():
            return x
        if session.fresh:
            raise NotReached("the iteration diverges")
        session.renew()
        return self._inner(r, tolerance, transposed)

    # ---- shared unknowns -------------------------------------------------------------------------------------------

    def _correction(self, r: np.ndarray, tolerance: float, transposed: bool) -> np.ndarray:
        """Near solution for the fields and the border."""
        x = self._inner(r, tolerance, transposed)
        if self._border.size:
            columns, corner, rows = self._elimination(transposed)
            shared = np.linalg.solve(corner, r[self._border] - rows @ x)
            x -= columns @ shared
            x[self._border] = shared
        return x

    def _elimination(self, transposed: bool) -> tuple[np.ndarray, np.ndarray, Any]:
        """The border's columns solved for, what is left for the border, and the border's rows."""
        if transposed not in self._eliminated:
            matrix = sp.csc_array(self._matrix.T) if transposed else self._matrix
            right, rows = matrix[:, self._border].toarray(), sp.csr_array(matrix[self._border])
            corner = right[self._border].copy()
            right[self._border] = 0.0
            columns = np.zeros_like(right)
            for number in range(self._border.size):
                columns[:, number] = self._inner(right[:, number], BORDER_TOLERANCE, transposed)
            corner -= rows @ columns
            if not np.isfinite(corner).all() or np.linalg.matrix_rank(corner) < self._border.size:
                raise Unsuited("the shared unknowns are not determined")
            self._eliminated[transposed] = columns, corner, rows
        return self._eliminated[transposed]

    # ---- solving ---------------------------------------------------------------------------------------------------

    def solve(self, rhs: np.ndarray, tolerance: float = 0.0, level: np.ndarray | None = None) -> np.ndarray:
        """x with A x = rhs, (n,) or (n, r), to a residual of ``tolerance`` times the right side, or to rounding."""
        return self._columns(rhs, tolerance, level, False)

    def solve_transposed(self, rhs: np.ndarray, tolerance: float = 0.0) -> np.ndarray:
        """x with A^T x = rhs."""
        return self._columns(rhs, tolerance, None, True)

    def _columns(self, rhs: Any, tolerance: float, level: np.ndarray | None, transposed: bool) -> np.ndarray:
        if np.iscomplexobj(rhs):
            parts = (self._columns(part, tolerance, level, transposed) for part in (np.real(rhs), np.imag(rhs)))
            return next(parts) + 1j * next(parts)
        rhs = np.asarray(rhs, dtype=float)
        if rhs.ndim == 2:
            return np.stack([self._columns(column, tolerance, level, transposed) for column in rhs.T], axis=1)
        return self._solve(rhs, tolerance, level, transposed)

    def _solve(self, rhs: np.ndarray, tolerance: float, level: np.ndarray | None, transposed: bool) -> np.ndarray:
        matrix = self._matrix.T if transposed else self._matrix
        weight = np.ones_like(rhs) if transposed else np.abs(self._weight)
        weight[self._held] = 0.0
        x = np.zeros_like(rhs)
        if not transposed:
            x[self._held] = rhs[self._held] / self._diagonal
        before = self._iterations()

        def left(x: np.ndarray) -> tuple[np.ndarray, float]:
            r = rhs - matrix @ x
            return r, _norm(weight * r)

        r, whole = left(x)
        known = 0.0 if level is None else _norm(weight * level)
        size, floor = whole, known
        target = max(tolerance * whole, known or FIRST * whole)
        for _ in range(2):
            rounds = 0
            while size > target and rounds < ROUNDS:
                more = x + self._correction(r, max(0.5 * target / size, LEAST), transposed)
                rest, now = left(more)
                rounds += 1
                if now < size:
                    x, r, size = more, rest, now
                elif not self._renewed(transposed):
                    break
            if size <= max(tolerance * whole, known):
                break
            floor = max(ROUNDING * _norm(weight * (abs(matrix) @ np.abs(x))), known)
            target = max(tolerance * whole, floor)
        if not size <= max(target, NEAR_ROUNDING * floor):
            raise NotReached(f"a residual of {size / whole:.1e} is left after {ITERATIONS} iterations at most")
        if transposed:
            x[self._held] = (rhs - matrix @ x)[self._held] / self._diagonal
        self._tell(self._iterations() - before)
        return x

    def _renewed(self, transposed: bool) -> bool:
        """Set the multigrid up for this matrix where that of another one has served so far; whether it had."""
        session = self._session(transposed)
        if session.fresh:
            return False
        session.renew()
        self._eliminated.clear()
        return True

    def _iterations(self) -> int:
        return sum(one.iterations for one in self._store.values() if isinstance(one, Session))


def _norm(x: np.ndarray) -> float:
    """The 2-norm, the same to the last bit in all processes, which decide by it."""
    return float(communicator().bcast(float(np.linalg.norm(x))))


def _split(matrix: sp.csc_array, parts: Parts, fields: list[int]) -> tuple[Share, np.ndarray]:
    """What this process owns, and the number of each unknown's field."""
    nodes = np.zeros(matrix.indptr.size - 1, dtype=np.int64)
    for group, own in zip(parts.groups, parts.nodes, strict=True):
        nodes[group] = own
    number = np.zeros(nodes.size, dtype=np.int32)
    for at, k in enumerate(fields):
        number[parts.groups[k]] = at
    inner = np.concatenate([parts.groups[k] for k in fields]) if fields else np.zeros(0, dtype=np.int32)
    return share_of(numbered(matrix.indptr, matrix.indices), inner, nodes, number, communicator()), number


def _ends(share: Share, number: np.ndarray) -> list[tuple[int, int]]:
    """Where the own unknowns of each field begin and end in the common order."""
    mine = number[share.order[share.first : share.last]]
    ends = share.first + np.searchsorted(mine, np.arange(int(number.max(initial=0)) + 2))
    return [(int(a), int(b)) for a, b in pairwise(ends)]


def _to_iterate(solver: Any, symmetric: bool, fields: list[tuple[int, int]]) -> None:
    """A Krylov iteration that measures the true residual, under multigrid for each field."""
    petsc = library()
    solver.setType("cg" if symmetric else "gmres")
    if not symmetric:
        solver.setPCSide(petsc.PC.Side.RIGHT)
        solver.setGMRESRestart(RESTART)
    solver.setNormType(petsc.KSP.NormType.UNPRECONDITIONED)
    preconditioner = solver.getPC()
    kind = "hypre" if has("hypre") else "gamg"
    if len(fields) < 2:
        preconditioner.setType(kind)
        return
    preconditioner.setType("fieldsplit")
    preconditioner.setFieldSplitType(petsc.PC.CompositeType.MULTIPLICATIVE)
    options = petsc.Options()
    for number, (begin, end) in enumerate(fields):
        rows = petsc.IS().createGeneral(np.arange(begin, end, dtype=np.int32), comm=petsc.COMM_WORLD)
        preconditioner.setFieldSplitIS((str(number), rows))
        for name, value in (("ksp_type", "preonly"), ("pc_type", kind)):
            key = f"{PREFIX}fieldsplit_{number}_{name}"
            if not options.hasName(key):
                options[key] = value
