"""The same problems by other programs, each used as its own documents show, beside the engine in one run, warm.

python benchmarks/peers.py [cube|disk|voltammogram|all]
    needs: pip install fipy scikit-fem ngsolve py-pde pyamg   (those that are missing are left out)

Each line gives seconds, the ratio to the engine's, and the error of the answer. Pages followed: FiPy "diffusion" and
"cylindrical grids"; scikit-fem "nonlinear" and "three-dimensional Poisson" (multigrid); NGSolve "nonlinear problems"
and "preconditioners"; py-pde "boundary conditions" (expressions) and "solvers" (adaptive).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec

import one_thread  # noqa: F401  (must come before NumPy)

# isort: split
import numpy as np

import steadyflux as sf
from peers_voltammogram import VOLTAMMOGRAM

LONG = 10.0  # s, beyond which the first run counts
NODES = 41  # along an edge of the cube


def engine_cube(nodes: int = NODES) -> float:
    """Largest temperature of k = 1 + T/2, source 1, walls at zero."""
    row = np.linspace(0.0, 1.0, nodes)
    space = sf.grid(x=row, y=row, z=row)
    position = np.asarray(space.position)
    space = space.with_region("walls", ((position < 1e-12) | (position > 1 - 1e-12)).any(axis=1))
    laws = [sf.Fourier(sf.Polynomial((1.0, 0.5))), sf.Source("T", 1.0)]
    return float(np.max(np.asarray(sf.steady(sf.Model(space, [sf.Heat()], laws, [sf.Hold("walls", {"T": 0.0})]))["T"])))


def fipy_cube() -> float:
    """FiPy: sweeps of the nonlinear diffusion term until its residual is small."""
    os.environ.setdefault("FIPY_SOLVERS", "scipy")
    from fipy import CellVariable, DiffusionTerm, Grid3D, LinearPCGSolver

    n = NODES - 1
    mesh = Grid3D(nx=n, ny=n, nz=n, dx=1.0 / n, dy=1.0 / n, dz=1.0 / n)
    T = CellVariable(mesh=mesh, value=0.0)
    T.constrain(0.0, mesh.exteriorFaces)
    equation, solver = DiffusionTerm(coeff=1.0 + 0.5 * T) + 1.0 == 0.0, LinearPCGSolver(tolerance=1e-10)
    for _ in range(30):
        if equation.sweep(var=T, solver=solver) < 1e-10:
            break
    return float(T.value.max())


def skfem_cube() -> float:
    """scikit-fem: Newton with assembled forms, conjugate gradients under PyAMG's multigrid."""
    import pyamg
    from skfem import Basis, BilinearForm, ElementHex1, LinearForm, MeshHex, condense, solve
    from skfem.helpers import dot, grad
    from skfem.utils import solver_iter_krylov

    row = np.linspace(0.0, 1.0, NODES)
    mesh = MeshHex.init_tensor(row, row, row)
    basis = Basis(mesh, ElementHex1(), intorder=2)
    x, held = np.zeros(basis.N), basis.get_dofs().flatten()

    @BilinearForm
    def matrix(u, v, w):
        return (1.0 + 0.5 * w["T"]) * dot(grad(u), grad(v)) + 0.5 * u * dot(grad(w["T"]), grad(v))

    @LinearForm
    def off(v, w):
        return v - (1.0 + 0.5 * w["T"]) * dot(grad(w["T"]), grad(v))

    for _ in range(20):
        T = basis.interpolate(x)
        A, b, rest, inside = condense(matrix.assemble(basis, T=T), off.assemble(basis, T=T), D=held)
        M = pyamg.ruge_stuben_solver(A.tocsr()).aspreconditioner()
        step = solve(A, b, rest, inside, solver=solver_iter_krylov(M=M, rtol=1e-8))
        x = x + step
        if np.abs(step).max() < 1e-10:
            break
    return float(x.max())


def ngsolve_cube() -> float:
    """NGSolve: Newton with linearised forms, conjugate gradients under its algebraic multigrid."""
    from ngsolve import H1, BilinearForm, CGSolver, GridFunction, Preconditioner, dx, grad
    from ngsolve.meshes import MakeStructured3DMesh

    n = NODES - 1
    mesh = MakeStructured3DMesh(hexes=True, nx=n, ny=n, nz=n)
    space = H1(mesh, order=1, dirichlet=".*")
    u, v = space.TnT()
    form = BilinearForm(space)
    form += ((1.0 + 0.5 * u) * grad(u) * grad(v) - v) * dx
    pre = Preconditioner(form, "h1amg")
    T = GridFunction(space)
    rest, step = T.vec.CreateVector(), T.vec.CreateVector()
    for _ in range(20):
        form.Apply(T.vec, rest)
        form.AssembleLinearization(T.vec)
        step.data = CGSolver(form.mat, pre.mat, tol=1e-8, maxiter=200) * rest
        T.vec.data -= step
        if np.abs(step.FV().NumPy()).max() < 1e-10:
            break
    return float(T.vec.FV().NumPy().max())


def exact_disk(r: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Concentration over a disk of radius one held at zero, one far away."""
    from steadyflux.systems.electrode.microdisk import spheroid

    return 1.0 - (2.0 / np.pi) * np.arctan2(1.0, spheroid(r, z)[0])


def disk_rows() -> tuple[np.ndarray, np.ndarray]:
    """Graded nodes of r and z about the disk's edge, out to 1.6 and 1."""
    from steadyflux.systems.electrode import microdisk

    inside = 1.0 - (1.0 - np.linspace(0.0, 1.0, microdisk.INSIDE + 1)) ** 3
    outside = 1.0 + microdisk._graded(microdisk.OUTSIDE, microdisk.REACH - 1.0)
    return np.concatenate([inside, outside[1:]]), microdisk._graded(microdisk.UP, microdisk.HEIGHT)


def engine_disk() -> float:
    """Current over 4 n F D c a on the (r, z) grid."""
    from steadyflux.systems.electrode import microdisk

    p = microdisk.SYSTEM.values({"grid": "cylindrical"})
    solution = sf.steady(microdisk.SYSTEM.model(p))
    return -float(solution.flow("O", "disk")) / (4.0 * p.diffusivity * p.bulk * p.radius)


def skfem_disk() -> float:
    """scikit-fem: quadratic quadrilaterals on the same rows, direct solution, current from the reaction."""
    from skfem import Basis, BilinearForm, ElementQuad2, MeshQuad, condense, solve
    from skfem.helpers import dot, grad

    r, z = disk_rows()
    mesh = MeshQuad.init_tensor(r[::2], z[::2])
    basis = Basis(mesh, ElementQuad2())

    @BilinearForm
    def matrix(u, v, w):
        return 2.0 * np.pi * w.x[0] * dot(grad(u), grad(v))

    A = matrix.assemble(basis)
    disk = basis.get_dofs(lambda x: (x[1] < 1e-14) & (x[0] < 1.0 + 1e-12)).flatten()
    far = basis.get_dofs(lambda x: (x[0] > mesh.p[0].max() - 1e-12) | (x[1] > mesh.p[1].max() - 1e-12)).flatten()
    c = np.zeros(basis.N)
    c[far] = exact_disk(*basis.doflocs[:, far])
    c = solve(*condense(A, x=c, D=np.union1d(disk, far)))
    return float(-(A @ c)[disk].sum() / 4.0)


def fipy_disk() -> float:
    """FiPy: the same rows as cells of a cylindrical grid, held faces, current from the gradient at the faces."""
    os.environ.setdefault("FIPY_SOLVERS", "scipy")
    from fipy import CellVariable, CylindricalGrid2D, DiffusionTerm, LinearLUSolver

    r, z = disk_rows()
    mesh = CylindricalGrid2D(dr=np.diff(r), dz=np.diff(z))
    c = CellVariable(mesh=mesh, value=1.0)
    x, y = mesh.faceCenters.value
    disk = mesh.facesBottom.value & (x < 1.0)
    far = mesh.facesRight.value | mesh.facesTop.value
    c.constrain(0.0, disk)
    c.constrain(exact_disk(x, y), far)
    DiffusionTerm().solve(var=c, solver=LinearLUSolver())
    slope = (c.faceGrad.value[1] * mesh._faceAreas)[disk]
    return float(2.0 * np.pi * slope.sum() / 4.0)


CUBE = {
    "engine": ("steadyflux", engine_cube),
    "FiPy": ("fipy", fipy_cube),
    "scikit-fem": ("skfem", skfem_cube),
    "NGSolve": ("ngsolve", ngsolve_cube),
}
DISK = {"engine": ("steadyflux", engine_disk), "FiPy": ("fipy", fipy_disk), "scikit-fem": ("skfem", skfem_disk)}


def measured(call: Callable[[], float]) -> tuple[float, float]:
    """Seconds of one call, and its answer."""
    begin = time.perf_counter()
    found = call()
    return time.perf_counter() - begin, found


def table(title: str, sides: dict[str, tuple[str, Callable[[], float]]], exact: float) -> None:
    """A line for each side: the best of two warm runs, or the first one where that takes long."""
    print(title)
    unit = 0.0
    for name, (module, call) in sides.items():
        if find_spec(module) is None:
            print(f"  {name}: not installed")
            continue
        best, found = measured(call)
        if best < LONG:
            best = min(measured(call)[0] for _ in range(2))
        unit, off = unit or best, abs(found / exact - 1.0)
        print(f"  {name}: {best:.3g} s, {best / unit:.3g} times the engine, error {off:.1e}", flush=True)


def main() -> int:
    """The tables that are asked for."""
    wanted = sys.argv[1:] or ["all"]
    if {"cube", "all"} & set(wanted):
        coarse, fine = engine_cube(), engine_cube(2 * NODES - 1)
        table(f"conduction in a cube, {NODES}^3 nodes, largest temperature", CUBE, fine + (fine - coarse) / 3.0)
    if {"disk", "all"} & set(wanted):
        table("microdisk on (r, z), current", DISK, 1.0)
    if {"voltammogram", "all"} & set(wanted):
        sides, exact = VOLTAMMOGRAM
        table("cyclic voltammogram, peak current", sides, exact())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
