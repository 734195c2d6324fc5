"""PETSc against SuperLU, in this process and over two: run as a program, this file solves its models and keeps them."""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import jax
import numpy as np
import pytest

import steadyflux as sf

SIDE = 7
missing = [name for name in ("petsc4py", "mpi4py") if find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(missing), reason=f"{' and '.join(missing)} not installed")


def conduction(strength=100.0, slope=0.02, side=SIDE):
    x = np.linspace(0.0, 1.0, side)
    return sf.Model(
        sf.grid(x=x, y=x, z=x),
        [sf.Heat()],
        [sf.Fourier(sf.Exponential(1.0, slope, at=300.0) if slope else 2.0), sf.Source("T", strength)],
        [sf.Hold("left", {"T": 350.0}), sf.Hold("back", {"T": 300.0})],
    )


def salt(law):
    x = np.linspace(0.0, 30e-9, SIDE)
    return sf.Model(
        sf.grid(x=x, y=x, z=x),
        [sf.Potential(), sf.Ion("K+", 1.96e-9), sf.Ion("Cl-", 2.03e-9)],
        [sf.NernstPlanck(), law],
        [
            sf.Hold("left", {"K+": 100.0, "Cl-": 100.0, "phi": 0.05}),
            sf.Hold("right", {"K+": 10.0, "Cl-": 10.0, "phi": 0.0}),
        ],
    )


def floating():
    x = np.linspace(0.0, 1e-2, SIDE)
    return sf.Model(
        sf.grid(x=x, y=x, z=x),
        [sf.Potential()],
        [sf.Ohm(2.0)],
        [sf.Hold("left", {"phi": 0.0}), sf.Float("right", current=0.3)],
    )


def closed():
    x = np.linspace(0.0, 1.0, SIDE)
    return sf.Model(
        sf.grid(x=x, y=x, z=x),
        [sf.Species("A"), sf.Species("B")],
        [sf.Fick("A", 1.0), sf.Fick("B", 0.5), sf.MassAction({"A": -1, "B": 1}, 2.0, 1.0)],
        start={"A": lambda x, y, z: 1.0 + x, "B": 0.5},
    )


MODELS = {
    "conduction": conduction,
    "linear": lambda: conduction(slope=0.0),
    "poisson": lambda: salt(sf.Poisson()),
    "electroneutral": lambda: salt(sf.Electroneutrality()),
    "floating": floating,
    "closed": closed,
}
SOLVERS = {"petsc-mumps": "petsc mumps", "petsc-hypre": "+ hypre"}


def flow(strength, solver):
    return sf.steady(conduction(strength), solver=solver).flow("T", "left")


def check(name, states, shared):
    direct = sf.steady(MODELS[name](), solver="superlu")
    size = np.abs(direct.state.u).max(axis=0)
    np.testing.assert_allclose(states / size, direct.state.u / size, rtol=0, atol=1e-9)
    np.testing.assert_allclose(shared, direct.state.s, rtol=1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", MODELS)
def test_petsc_finds_what_superlu_finds(name, solver):
    found = sf.steady(MODELS[name](), solver=solver)
    assert SOLVERS[solver] in found.outcome.solver and "direct solver" not in found.outcome.note
    assert "iterations" in found.outcome.note if "hypre" in solver else not found.outcome.note
    check(name, found.state.u, found.state.s)
    assert all(entry.relative < 1e-9 for entry in found.ledger.values())


def test_one_quantity_that_conducts_alike_takes_conjugate_gradients():
    assert sf.steady(conduction(slope=0.0), solver="petsc-hypre").outcome.solver == "petsc cg + hypre"
    assert sf.steady(conduction(), solver="petsc-hypre").outcome.solver == "petsc gmres + hypre"


def test_petsc_chooses_by_size():
    assert sf.steady(conduction(), solver="petsc").outcome.solver == "petsc mumps"


@pytest.mark.parametrize("solver", SOLVERS)
def test_an_answer_is_differentiated_through_petsc(solver):
    wanted = float(jax.grad(flow)(100.0, "superlu"))
    np.testing.assert_allclose(float(jax.grad(flow)(100.0, solver)), wanted, rtol=1e-8)
    forward = jax.jvp(lambda s: flow(s, solver), (100.0,), (1.0,))[1]
    np.testing.assert_allclose(float(forward), wanted, rtol=1e-8)


def test_multigrid_serves_on_while_the_matrix_changes_little(monkeypatch):
    from steadyflux.solve.pattern import pattern_of
    from steadyflux.solve.petsc import Session

    first = sf.steady(conduction(), solver="petsc-hypre")
    session = pattern_of(conduction(), "petsc-hypre").plan.store["petsc-gmres"]
    held, renewed = [], []
    hold, renew = Session.hold, Session.renew
    monkeypatch.setattr(Session, "hold", lambda self, *a, **k: (hold(self, *a, **k), held.append(self.fresh))[0])
    monkeypatch.setattr(Session, "renew", lambda self: (renew(self), renewed.append(self))[0])
    again = sf.steady(conduction(101.0), start=first, solver="petsc-hypre")
    assert held and not any(held) and not renewed
    np.testing.assert_allclose(again["T"], sf.steady(conduction(101.0), solver="superlu")["T"], rtol=1e-10)
    # Very different conductances: the old multigrid is found wanting, and the answer is right all the same.
    far = conduction(slope=0.15)
    np.testing.assert_allclose(
        sf.steady(far, solver="petsc-hypre")["T"], sf.steady(far, solver="superlu")["T"], rtol=1e-9
    )
    assert session.stale or any(held)


def test_a_petsc_without_mumps_and_hypre_takes_its_own(monkeypatch):
    from steadyflux.solve import hypre, petsc

    for module in (hypre, petsc):
        monkeypatch.setattr(module, "has", lambda package: False)
    other = conduction(slope=0.0, side=6)
    for solver, told in (("petsc-mumps", "petsc lu"), ("petsc-hypre", "petsc cg + gamg")):
        found = sf.steady(other, solver=solver)
        assert found.outcome.solver == told
        np.testing.assert_allclose(found["T"], sf.steady(other, solver="superlu")["T"], rtol=1e-9)


def test_what_multigrid_cannot_do_mumps_takes_over():
    class Growth(sf.CellLaw):
        """Births that make the equation indefinite."""

        rate: float = sf.parameter("1/s", "rate of birth")

        @property
        def makes(self):
            return ("N",)

        def production(self, here, cell):
            return {"N": self.rate * here["N"]}

    x = np.linspace(0.0, 1.0, 9)
    model = sf.Model(
        sf.grid(x=x, y=x, z=x),
        [sf.Volume("N")],
        [sf.Darcy(1.0, quantity="N"), Growth(345.0)],
        [sf.Hold("left", {"N": 1.0})],
    )
    found = sf.steady(model, solver="petsc-hypre")
    assert (found.outcome.solver, "took over" in found.outcome.note) == ("petsc mumps", True)
    np.testing.assert_allclose(found["N"], sf.steady(model, solver="superlu")["N"], rtol=1e-9)


def test_the_example_of_the_documents_runs(capsys):
    text = (Path(__file__).parents[2] / "docs" / "solvers.md").read_text("utf-8")
    code = text.split("```python\n")[1].split("```")[0]
    assert "0.0, 1.0, 80)" in code
    exec(compile(code.replace("80)", "8)"), "docs/solvers.md", "exec"), {})
    assert capsys.readouterr().out.startswith("petsc cg + hypre ")


def over_two(arguments, folder):
    """Run this file over two processes; the completed process."""
    mpiexec = shutil.which("mpiexec")
    if mpiexec is None:
        pytest.skip("mpiexec not installed")
    environment = os.environ | {
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
        "OMPI_MCA_mpi_yield_when_idle": "1",
        "OMP_NUM_THREADS": "1",
    }
    command = [mpiexec, "-n", "2", sys.executable, str(Path(__file__).resolve()), str(folder), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)


@pytest.mark.slow
def test_two_processes_find_what_one_finds(tmp_path):
    done = over_two(["solve"], tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    ranks = [np.load(tmp_path / f"{rank}.npz") for rank in range(2) if (tmp_path / f"{rank}.npz").exists()]
    if len(ranks) < 2:
        pytest.skip("mpiexec belongs to another MPI than mpi4py")
    for name in MODELS:
        for solver, told in SOLVERS.items():
            key = f"{name} {solver}"
            for rank in ranks:
                assert str(rank[f"{key} told"]).endswith(f"{told} on 2 processes")
                check(name, rank[f"{key} states"], rank[f"{key} shared"])
            np.testing.assert_array_equal(ranks[0][f"{key} states"], ranks[1][f"{key} states"])
            own = [int(rank[f"{key} own"]) for rank in ranks]
            assert min(own) > 0.4 * sum(own)  # each process has its share of the rows, no row has two
            assert sum(own) == int(ranks[0][f"{key} rows"])
    np.testing.assert_allclose(ranks[0]["gradient"], float(jax.grad(flow)(100.0, "superlu")), rtol=1e-8)


@pytest.mark.slow
def test_processes_that_solve_different_models_are_refused(tmp_path):
    done = over_two(["differ"], tmp_path)
    texts = [path.read_text() for path in sorted(tmp_path.glob("*.txt"))]
    if not texts and done.returncode == 0:
        pytest.skip("mpiexec belongs to another MPI than mpi4py")
    assert len(texts) == 2, done.stderr[-2000:]
    assert all("Process 1 of 2 solves another model" in text for text in texts)


def program(folder, task):
    """What each process does."""
    from mpi4py import MPI

    from steadyflux.ground.errors import InputError
    from steadyflux.solve.pattern import pattern_of

    rank = MPI.COMM_WORLD.rank
    if MPI.COMM_WORLD.size == 1:
        return
    if task == "differ":
        try:
            sf.steady(conduction(100.0 + rank, slope=0.02 + 0.01 * rank), solver="petsc-mumps")
        except InputError as error:
            (folder / f"{rank}.txt").write_text(error.sentence())
        return
    kept = {}
    for name, build in MODELS.items():
        for solver in SOLVERS:
            model = build()
            found = sf.steady(model, solver=solver)
            share = pattern_of(found.model, solver).plan.store[solver][0]
            kept |= {
                f"{name} {solver} told": found.outcome.solver,
                f"{name} {solver} states": found.state.u,
                f"{name} {solver} shared": found.state.s,
                f"{name} {solver} own": share.shape[0],
                f"{name} {solver} rows": share.shape[1],
            }
    kept["gradient"] = float(jax.grad(flow)(100.0, "petsc-hypre"))
    np.savez(folder / f"{rank}.npz", **kept)


if __name__ == "__main__":
    program(Path(sys.argv[1]), sys.argv[2])
