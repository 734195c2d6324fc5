"""Host linear solvers against dense LAPACK: orders, scaling, zero diagonals, borders, singular matrices, multigrid."""

import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from steadyflux.ground.errors import NameUnknown
from steadyflux.solve.extras import best_direct
from steadyflux.solve.linear import SOLVERS, SingularMatrix, analyse, solver_names
from steadyflux.solve.ordering import forest_order, node_order


def lattice(m: int) -> sp.csc_array:
    line = sp.diags_array([-np.ones(m - 1), 2 * np.ones(m), -np.ones(m - 1)], offsets=[-1, 0, 1])
    return sp.csc_array(sp.kron(line, sp.eye_array(m)) + sp.kron(sp.eye_array(m), line))


def tree(n: int, seed: int, held: bool = True) -> sp.csc_array:
    rng = np.random.default_rng(seed)
    child, weight = np.arange(1, n), rng.uniform(0.5, 2, n - 1)
    parent = (rng.random(n - 1) * child).astype(int)
    shuffled = rng.permutation(n)
    child, parent = shuffled[child], shuffled[parent]
    rows, columns = np.concatenate([child, parent, child, parent]), np.concatenate([parent, child, child, parent])
    matrix = sp.coo_array((np.concatenate([-weight, -weight, weight, weight]), (rows, columns)), shape=(n, n))
    return sp.csc_array(matrix + sp.diags_array(np.where(np.arange(n) == n // 3, 1.0, 0.0) * held))


def electroneutral(m: int, seed: int, spread: float) -> tuple[sp.csc_array, np.ndarray]:
    """Two ions on an m x m lattice with charge balance: a zero diagonal, rows scaled over many decades."""
    rng = np.random.default_rng(seed)
    n = m * m
    k = lattice(m)
    drift = sp.diags_array(rng.uniform(0.5, 2, n))
    one = sp.eye_array(n)
    blocks = [[k + 0.1 * one, None, k @ drift], [None, 1.3 * k + 0.1 * one, -0.8 * k @ drift], [one, -1.0 * one, None]]
    matrix = sp.diags_array(10.0 ** rng.uniform(-spread, spread, 3 * n)) @ sp.block_array(blocks)
    return sp.csc_array(matrix), np.tile(np.arange(n), 3)


def check(matrix: sp.csc_array, nodes: np.ndarray | None = None, name: str = "superlu", rtol: float = 1e-10):
    n = matrix.shape[0]
    factor = analyse(matrix.indptr, matrix.indices, n, nodes, name).factor(matrix.data)
    wanted = np.random.default_rng(7).standard_normal((n, 2))
    for x, transposed in ((wanted[:, 0], False), (wanted, False), (wanted[:, 1], True), (wanted, True)):
        if transposed:  # its unknowns count in the units of the rows
            largest = abs(matrix).max(axis=1).toarray()
            got = (factor.solve_transposed(matrix.T @ (x.T / largest).T).T * largest).T
        else:
            got = factor.solve(matrix @ x)
        np.testing.assert_allclose(got, x, rtol=0, atol=rtol * abs(x).max())
    return factor


def graph_of(matrix: sp.csc_array) -> sp.csr_array:
    pattern = sp.csr_array(matrix - sp.diags_array(matrix.diagonal()))
    pattern.eliminate_zeros()
    return pattern


def test_forest_is_eliminated_leaves_first_without_fill():
    matrix = tree(500, 3)
    order = forest_order(graph_of(matrix))
    assert order is not None
    assert sorted(order) == list(range(500))
    lu = splu(sp.csc_array(matrix[order][:, order]), permc_spec="NATURAL", diag_pivot_thresh=0.0)
    assert lu.L.nnz + lu.U.nnz == matrix.nnz + 500
    check(matrix)


def test_forest_of_several_trees_and_lone_nodes():
    forest = sp.csc_array(sp.block_diag([tree(20, 1), np.array([[2.5]]), tree(31, 2), tree(2, 4)]))
    order = forest_order(graph_of(forest))
    assert order is not None and sorted(order) == list(range(54))
    check(forest)


def test_a_cycle_is_no_forest():
    assert forest_order(graph_of(lattice(4))) is None


def test_lattice_order_fills_less_than_the_natural_one():
    matrix = lattice(40)
    order = node_order(graph_of(matrix))
    assert sorted(order) == list(range(1600))
    fills = [
        splu(a, permc_spec="NATURAL", options={"SymmetricMode": True}).L.nnz
        for a in (matrix, sp.csc_array(matrix[order][:, order]))
    ]
    assert fills[1] < 0.6 * fills[0]
    check(matrix)


@pytest.mark.parametrize("spread", [0.0, 9.0])
def test_zero_diagonals_and_badly_scaled_rows(spread):
    matrix, nodes = electroneutral(12, 5, spread)
    assert (matrix.diagonal()[288:] == 0).all()
    assert check(matrix, nodes, rtol=1e-10).name == "superlu"


def test_values_follow_the_pattern_of_the_plan():
    matrix, nodes = electroneutral(6, 9, 1.0)
    plan = analyse(matrix.indptr, matrix.indices, matrix.shape[0], nodes)
    rng = np.random.default_rng(4)
    values = matrix.data * rng.uniform(0.9, 1.1, matrix.nnz)
    rhs = rng.standard_normal(matrix.shape[0])
    wanted = np.linalg.solve(plan.matrix(values).toarray(), rhs)
    np.testing.assert_allclose(plan.factor(values).solve(rhs), wanted, rtol=0, atol=1e-10 * abs(wanted).max())


def test_dense_border_comes_last():
    inner = lattice(30)
    rng = np.random.default_rng(1)
    border = rng.uniform(0.1, 1, (900, 1))
    matrix = sp.csc_array(sp.block_array([[None, border.T], [border, inner]]))
    assert node_order(graph_of(matrix))[-1] == 0
    check(matrix)


def test_unsymmetric_pattern_and_no_safe_diagonal_falls_back():
    n = 60
    data = np.random.default_rng(6).uniform(1, 2, n)
    cyclic = sp.csc_array((data, (np.arange(n), (np.arange(n) + 1) % n)), shape=(n, n))
    check(sp.csc_array(cyclic + 0.3 * sp.eye_array(n, k=3)))


@pytest.mark.parametrize("n", [40, 700])
def test_singular_matrices_name_an_unknown(n):
    matrix = tree(n, 8)
    lone = int(np.flatnonzero(np.diff(graph_of(matrix).indptr) == 1)[5])
    data = np.where(matrix.indices == lone, 0.0, matrix.data)
    with pytest.raises(SingularMatrix, match=f"row of unknown {lone}") as caught:
        analyse(matrix.indptr, matrix.indices, n).factor(data)
    assert pickle.loads(pickle.dumps(caught.value)).unknown == caught.value.unknown == lone
    closed = sp.csc_array(sp.block_diag([tree(n, 2, held=True), tree(n, 3, held=False)]))
    with pytest.raises(SingularMatrix) as caught:
        analyse(closed.indptr, closed.indices, 2 * n).factor(closed.data)
    assert caught.value.unknown >= n


def test_empty_column_is_named():
    matrix = sp.csc_array(np.array([[2.0, 0.0, 1.0], [1.0, 0.0, 3.0], [1.0, 0.0, 1.0]]))
    with pytest.raises(SingularMatrix):
        analyse(matrix.indptr, matrix.indices, 3).factor(matrix.data)


def test_undefined_entries_are_refused():
    matrix = lattice(5)
    data = matrix.data.copy()
    data[17] = np.nan
    with pytest.raises(SingularMatrix, match=f"unknown {matrix.indices[17]}"):
        analyse(matrix.indptr, matrix.indices, 25).factor(data)


def test_multigrid_for_m_matrices_and_superlu_for_others():
    assert check(lattice(40), name="amg", rtol=1e-9).name == "amg"
    matrix, nodes = electroneutral(6, 3, 0.0)
    assert check(matrix, nodes, name="amg", rtol=1e-9).name == "superlu"


def test_names():
    assert {"superlu", "amg"} <= set(solver_names()) <= set(SOLVERS)
    matrix = lattice(3)
    with pytest.raises(NameUnknown, match="superlu"):
        analyse(matrix.indptr, matrix.indices, 9).factor(matrix.data, "superlou")


def test_the_ladder_goes_by_size_and_structure():
    def plan(shape, fields=1):
        number = np.arange(int(np.prod(shape))).reshape(shape)
        tail = np.concatenate([np.take(number, range(m - 1), axis).ravel() for axis, m in enumerate(shape)])
        head = np.concatenate([np.take(number, range(1, m), axis).ravel() for axis, m in enumerate(shape)])
        n = number.size
        links = sp.coo_array((np.ones(2 * tail.size), (np.r_[tail, head], np.r_[head, tail])), shape=(n, n))
        matrix = sp.csc_array(sp.kron(links + sp.eye_array(n), np.ones((fields, fields))))
        nodes, field = np.repeat(np.arange(n), fields), np.tile(np.arange(fields), n)
        return analyse(matrix.indptr, matrix.indices, n * fields, nodes, "auto", field)

    assert plan((20, 20, 20)).solver == "amg"
    assert plan((14, 14, 14), fields=3).solver == "amg"
    assert plan((10, 10, 10)).solver == "superlu"
    assert plan((150, 60)).solver == best_direct(9_000, 2.0)
    assert plan((9000,)).solver == "superlu"
    wanted = {1: plan((9000,)), 2: plan((150, 60)), 3: plan((20, 20, 20))}
    for d, one in wanted.items():
        assert one.spread == pytest.approx(d, abs=0.5)


def test_a_direct_solver_takes_over_where_multigrid_fails():
    matrix, nodes = electroneutral(12, 4, 0.0)
    plan = analyse(matrix.indptr, matrix.indices, matrix.shape[0], nodes, "amg")
    x = np.random.default_rng(3).standard_normal(matrix.shape[0])
    factor = plan.factor(matrix.data)  # all unknowns taken for one field: there are zeros on the diagonal
    np.testing.assert_allclose(factor.solve(matrix @ x), x, atol=1e-10)
    assert (plan.log.solver, plan.log.note) == ("superlu", 1) and not factor.loose
    wave = sp.csc_array(lattice(40) - 2.5 * sp.eye_array(1600))
    plan = analyse(wave.indptr, wave.indices, 1600, solver="amg")
    x = np.random.default_rng(3).standard_normal(1600)
    for _ in range(3):
        np.testing.assert_allclose(plan.factor(wave.data).solve(wave @ x), x, atol=1e-9)
    assert plan.log.note > 0 and plan.log.solver == "superlu" and plan.log.failures == 3
    plan.begin()
    assert plan.log.note == 0


def test_complex_matrices_go_through_both_solvers():
    matrix = lattice(20)
    shifted = matrix.data + 0.5j * (matrix.data > 0)
    x = np.random.default_rng(3).standard_normal((400, 2)) @ [1.0, 1.0j]
    for name in ("superlu", "amg"):
        plan = analyse(matrix.indptr, matrix.indices, 400, solver=name)
        whole = plan.matrix(shifted)
        np.testing.assert_allclose(plan.factor(shifted).solve(whole @ x), x, atol=1e-10)
        np.testing.assert_allclose(plan.factor(shifted).solve_transposed(whole.T @ x), x, atol=1e-10)


def test_a_solver_that_is_not_there_is_refused():
    with pytest.raises(NameUnknown, match="did you mean 'amg'"):
        analyse(lattice(3).indptr, lattice(3).indices, 9, solver="agm")
