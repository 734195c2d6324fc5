"""Optional linear solvers: told when absent, chosen where they pay, and right where they are installed."""

import numpy as np
import pytest
import scipy.sparse as sp

import steadyflux as sf
from steadyflux.ground.errors import InputError, NameUnknown
from steadyflux.solve import extras
from steadyflux.solve.linear import SOLVERS, SingularMatrix, analyse, check_solver, solver_names


@pytest.fixture
def bare(monkeypatch):
    """A machine without any of the optional libraries."""
    monkeypatch.setattr(extras, "installed", lambda solver: solver not in extras.OF_SOLVER)


@pytest.fixture
def full(monkeypatch):
    """A machine that has them all."""
    monkeypatch.setattr(extras, "installed", lambda solver: True)


def sheet(m: int) -> sp.csc_array:
    line = sp.diags_array([-np.ones(m - 1), 2.1 * np.ones(m), -0.9 * np.ones(m - 1)], offsets=[-1, 0, 1])
    return sp.csc_array(sp.kron(line, sp.eye_array(m)) + sp.kron(sp.eye_array(m), line))


def saddle(m: int) -> tuple[sp.csc_array, np.ndarray]:
    """Two ions and the potential that keeps them neutral: zeros on the diagonal, rows over many decades."""
    rng = np.random.default_rng(5)
    k, one = sheet(m), sp.eye_array(m * m)
    drift = sp.diags_array(rng.uniform(0.5, 2, m * m))
    blocks = [[k + 0.1 * one, None, k @ drift], [None, 1.3 * k, -0.8 * k @ drift], [one, -1.0 * one, None]]
    rows = sp.diags_array(10.0 ** rng.uniform(-6, 6, 3 * m * m))
    return sp.csc_array(rows @ sp.block_array(blocks)), np.tile(np.arange(m * m), 3)


def line():
    return sf.Model(
        sf.interval(1.0, 12),
        [sf.Species("c")],
        [sf.Fick("c", 1.0)],
        [sf.Hold("left", {"c": 1.0}), sf.Hold("right", {"c": 0.0})],
    )


@pytest.mark.parametrize("name", extras.OF_SOLVER)
def test_an_absent_solver_is_refused_with_the_way_to_get_it(bare, name):
    with pytest.raises(InputError, match=f"'{name}' is not installed here; install it by: .*pip install") as caught:
        check_solver(name)
    assert extras.recipe(extras.OF_SOLVER[name]) in caught.value.sentence()
    matrix = sheet(3)
    with pytest.raises(InputError, match="not installed"):
        analyse(matrix.indptr, matrix.indices, 9, solver=name)
    with pytest.raises(InputError, match="not installed"):
        analyse(matrix.indptr, matrix.indices, 9).factor(matrix.data, name)
    assert name not in solver_names()


def test_a_model_is_refused_before_anything_is_solved(bare):
    with pytest.raises(InputError, match=r"pip install 'steadyflux\[pardiso\]'"):
        sf.steady(line(), solver="pardiso")


def test_a_misspelt_name_is_answered_with_the_nearest_and_how_to_get_it(bare):
    with pytest.raises(NameUnknown, match="did you mean 'superlu'"):
        check_solver("superlou")
    with pytest.raises(InputError, match=r"did you mean 'pardiso'\? 'pardiso' is not installed here; .*pip install"):
        check_solver("paradiso")
    with pytest.raises(InputError, match=r"did you mean 'petsc-mumps'.*petsc4py"):
        check_solver("mumps")


def test_what_is_installed_is_only_corrected(full):
    with pytest.raises(NameUnknown, match="did you mean 'pardiso'"):
        check_solver("paradiso")
    assert solver_names() == tuple(SOLVERS)
    for name in (*SOLVERS, "auto", "direct"):
        check_solver(name)


def test_the_recipe_names_the_petsc_that_is_there(tmp_path, monkeypatch):
    monkeypatch.delenv("PETSC_DIR", raising=False)
    monkeypatch.setattr(extras, "PETSC_FOLDERS", str(tmp_path))
    assert "petsc4py==3.18.5" in extras.recipe("petsc")
    folder = tmp_path / "petsc3.22" / "x86_64-linux-gnu-real"
    (folder / "include").mkdir(parents=True)
    numbers = {"MAJOR": 3, "MINOR": 22, "SUBMINOR": 4}
    text = "".join(f"#define PETSC_VERSION_{part}    {number}\n" for part, number in numbers.items())
    (folder / "include" / "petscversion.h").write_text(text)
    assert f"PETSC_DIR={folder} " in extras.recipe("petsc")
    assert extras.recipe("petsc").endswith("petsc4py==3.22.4")


def test_the_best_direct_solver_goes_by_size_and_dimension(monkeypatch):
    monkeypatch.setattr(extras, "installed", lambda solver: True)
    assert extras.best_direct(100_000, 2.0) == extras.best_direct(100_000, 3.0) == "pardiso"
    assert extras.best_direct(100_000, 1.0) == extras.best_direct(1_000, 2.0) == "superlu"
    monkeypatch.setattr(extras, "installed", lambda solver: False)
    assert extras.best_direct(100_000, 2.0) == "superlu"


def test_a_library_that_is_there_and_does_not_load_is_told(monkeypatch):
    monkeypatch.setitem(extras.EXTRAS, "pardiso", extras.Extra(("pardiso",), ("this",), "prints as it loads"))
    monkeypatch.setitem(extras.EXTRAS, "klu", extras.Extra(("klu",), ("no_such_module",), ""))
    monkeypatch.setitem(extras.EXTRAS, "petsc", extras.Extra(("petsc",), ("sys; 1 / 0 #",), ""))
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "no_such_module" else object())
    found = extras.states()
    assert (found["pardiso"], found["klu"]) == ("", "not installed")
    assert found["petsc"].startswith("does not load: ")


installed = [name for name in ("pardiso", "klu") if extras.installed(name)]
needs_one = pytest.mark.skipif(not installed, reason="neither pypardiso nor klujax installed")


@needs_one
@pytest.mark.parametrize("name", installed)
def test_there_and_back_on_sheets_and_saddle_points(name):
    for matrix, nodes in ((sheet(30), None), saddle(12)):
        n = matrix.shape[0]
        factor = analyse(matrix.indptr, matrix.indices, n, nodes, name).factor(matrix.data)
        assert factor.name == name
        wanted = np.random.default_rng(7).standard_normal((n, 2))
        rows = abs(matrix).max(axis=1).toarray()
        for x in (wanted, wanted[:, 0], wanted[:, 1] * (1 + 2j)):
            np.testing.assert_allclose(factor.solve(matrix @ x), x, rtol=0, atol=1e-10 * abs(wanted).max())
            there = matrix.T @ (x.T / rows).T  # its unknowns count in the units of the rows
            back = (factor.solve_transposed(there).T * rows).T
            np.testing.assert_allclose(back, x, rtol=0, atol=1e-10 * abs(wanted).max())


@needs_one
@pytest.mark.parametrize("name", installed)
def test_a_factor_outlives_the_next_one_on_its_pattern(name):
    matrix, nodes = saddle(8)
    plan = analyse(matrix.indptr, matrix.indices, matrix.shape[0], nodes, name)
    x = np.random.default_rng(3).standard_normal(matrix.shape[0])
    other = matrix.data * np.random.default_rng(4).uniform(0.5, 2.0, matrix.nnz)
    first, second = plan.factor(matrix.data), plan.factor(other)
    for factor, values in ((first, matrix.data), (second, other), (first, matrix.data)):
        np.testing.assert_allclose(factor.solve(plan.matrix(values) @ x), x, rtol=0, atol=1e-9)


@needs_one
@pytest.mark.parametrize("name", installed)
def test_superlu_takes_what_they_cannot(name):
    matrix = sheet(6)
    plan = analyse(matrix.indptr, matrix.indices, 36, None, name)
    turned = plan.factor(matrix.data * (1 + 0.5j))
    assert turned.name == "superlu"
    np.testing.assert_allclose(turned.solve(matrix @ np.ones(36) * (1 + 0.5j)), np.ones(36), atol=1e-12)
    loose = sp.csc_array(sp.block_diag([sheet(3), [[1.0, -1.0], [-1.0, 1.0]]]))
    with pytest.raises(SingularMatrix) as caught:
        analyse(loose.indptr, loose.indices, 11, None, name).factor(loose.data)
    assert caught.value.unknown >= 9


@needs_one
@pytest.mark.parametrize("name", installed)
def test_models_through_them(name):
    x = np.linspace(0.0, 1.0, 12)
    model = sf.Model(
        sf.grid(x=x, y=x),
        [sf.Heat()],
        [sf.Fourier(sf.Exponential(1.0, 0.02, at=300.0)), sf.Source("T", 100.0)],
        [sf.Hold("left", {"T": 350.0}), sf.Hold("right", {"T": 300.0})],
    )
    found, wanted = (sf.steady(model, solver=solver) for solver in (name, "superlu"))
    assert found.outcome.solver == name
    np.testing.assert_allclose(found["T"], wanted["T"], rtol=1e-12)
