"""Coupled and bordered systems under multigrid against direct solutions: fields, conditions, borders, transposes."""

import numpy as np
import pyamg
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve

from steadyflux.solve.fields import sweep_of
from steadyflux.solve.iterative import Iterative, Kept, NotReached
from steadyflux.solve.multigrid import Unsuited
from steadyflux.solve.parts import BORDER, cut

M = 10
CELLS = M**3


def laplace():
    return sp.csr_array(pyamg.gallery.poisson((M, M, M))).astype(float)


def ions(debye=0.05, seed=2):
    """Two ions and their potential, linearised about uneven concentrations: A_cp is nearly A_cc times z c."""
    rng = np.random.default_rng(seed)
    k = laplace()
    c = 1.0 + 0.5 * np.sin(3.0 * np.arange(CELLS) / CELLS)
    one = sp.eye_array(CELLS)
    drift = [sp.diags_array(z * c * (1 + 0.01 * rng.standard_normal(CELLS))) for z in (1.0, -1.0)]
    return sp.block_array([[k, None, k @ drift[0]], [None, 1.3 * k, 1.3 * k @ drift[1]], [-one, one, debye**2 * k]])


def listed(matrix, fields, nodes):
    """The parts of a matrix whose unknowns come in another order than by fields."""
    rng = np.random.default_rng(9)
    order = rng.permutation(matrix.shape[0])
    a = sp.csc_array(sp.csc_array(matrix)[order][:, order])
    a.sort_indices()
    a.indices, a.indptr = a.indices.astype(np.int32), a.indptr.astype(np.int32)
    return a, cut(a.indptr, a.indices, nodes[order], fields[order])


def solved(matrix, fields, nodes, kept=None, kind=float):
    a, parts = listed(matrix, fields, nodes)
    kept = Kept() if kept is None else kept
    factor = Iterative("amg", parts, a.data, kept)
    rng = np.random.default_rng(4)
    wanted = rng.standard_normal(a.shape[0]).astype(kind)
    if kind is complex:
        wanted += 1j * rng.standard_normal(a.shape[0])
    size = abs(wanted).max()
    np.testing.assert_allclose(factor.solve(a @ wanted), wanted, rtol=0, atol=1e-9 * size)
    np.testing.assert_allclose(factor.solve_transposed(a.T @ wanted), wanted, rtol=0, atol=1e-9 * size)
    return factor, a, kept


def test_one_field():
    _, _, kept = solved(laplace(), np.zeros(CELLS, int), np.arange(CELLS))
    assert kept.setups == 1 and not kept.stale


def test_ions_and_their_potential_need_few_iterations_at_any_debye_length():
    fields, nodes = np.repeat([0, 1, 2], CELLS), np.tile(np.arange(CELLS), 3)
    for debye in (10.0, 0.1, 1e-3):
        a, parts = listed(ions(debye), fields, nodes)
        kept = Kept()
        b = np.random.default_rng(1).standard_normal(a.shape[0])
        x = Iterative("amg", parts, a.data, kept).solve(b, 1e-6)
        assert kept.iterations <= 12
        np.testing.assert_allclose(x, spsolve(a, b), rtol=0, atol=1e-4 * abs(x).max())


def test_electroneutral_ions_whose_potential_stands_in_no_row_of_its_own():
    matrix = sp.csr_array(ions(0.0))
    matrix.eliminate_zeros()
    solved(matrix, np.repeat([0, 1, 2], CELLS), np.tile(np.arange(CELLS), 3))


def test_conditions_are_taken_out_and_fields_may_live_in_some_cells_only():
    rng = np.random.default_rng(7)
    held = rng.random(2 * CELLS) < 0.1
    k = laplace()
    both = sp.csr_array(sp.block_array([[k, 0.3 * sp.eye_array(CELLS)], [-0.2 * sp.eye_array(CELLS), 2.0 * k]]))
    matrix = sp.csr_array(sp.diags_array(1.0 * ~held) @ both + sp.diags_array(held * rng.uniform(1, 2, 2 * CELLS)))
    matrix.eliminate_zeros()
    living = np.ones(2 * CELLS, bool)
    living[CELLS : CELLS + 300] = False
    fields, nodes = np.repeat([0, 1], CELLS)[living], np.tile(np.arange(CELLS), 2)[living]
    solved(matrix[living][:, living], fields, nodes)


@pytest.mark.parametrize("corner", [0.0, 2.0])
def test_a_border_of_shared_unknowns(corner):
    rng = np.random.default_rng(3)
    columns = sp.csc_array(rng.random((CELLS, 2)) * (rng.random((CELLS, 2)) < 0.2))
    rows = sp.csr_array(columns.toarray().T + 0.1)
    matrix = sp.block_array([[laplace(), columns], [rows, corner * sp.eye_array(2)]])
    solved(matrix, np.r_[np.zeros(CELLS, int), BORDER, BORDER], np.arange(CELLS + 2))


def test_a_complex_matrix_of_small_oscillations():
    solved(laplace() + 3j * sp.eye_array(CELLS), np.zeros(CELLS, int), np.arange(CELLS), kind=complex)


def test_cycles_are_kept_while_they_serve_and_made_anew_when_they_do_not():
    fields, nodes = np.zeros(CELLS, int), np.arange(CELLS)
    rng = np.random.default_rng(8)
    _, a, kept = solved(laplace(), fields, nodes)
    _, parts = listed(laplace(), fields, nodes)
    b = rng.standard_normal(CELLS)
    near = a.data * (1.0 + 0.02 * rng.standard_normal(a.nnz))
    before = kept.iterations
    Iterative("amg", parts, near, kept).solve(b, 1e-6)
    assert kept.setups == 1 and 0 < kept.iterations - before < 12
    strong = np.repeat(10.0 ** rng.uniform(-0.5, 0.5, CELLS), np.diff(a.indptr))  # each column in units of its own
    Iterative("amg", parts, a.data * strong, kept).solve(b, 1e-6)
    assert kept.stale
    Iterative("amg", parts, a.data * strong, kept)
    assert kept.setups == 2
    kept.forget()
    assert kept.stale and not kept.hierarchies


def test_a_tolerance_is_kept_and_a_level_of_rounding_respected():
    a, parts = listed(laplace(), np.zeros(CELLS, int), np.arange(CELLS))
    kept = Kept()
    factor = Iterative("amg", parts, a.data, kept)
    b = np.random.default_rng(6).standard_normal(CELLS)
    for tolerance in (1e-2, 1e-6):
        off = np.linalg.norm(a @ factor.solve(b, tolerance) - b) / np.linalg.norm(b)
        assert 1e-3 * tolerance < off <= tolerance
    before = kept.iterations
    level = 1e-3 * np.abs(b)
    off = np.abs(a @ factor.solve(b, 0.0, level) - b)
    assert np.linalg.norm(off) <= np.linalg.norm(level) and kept.iterations - before < 6
    assert not factor.solve(np.zeros(CELLS)).any()


def test_a_matrix_that_no_cycle_solves_is_refused():
    fields, nodes = np.zeros(CELLS, int), np.arange(CELLS)
    wave = sp.csr_array(laplace() - 1.5 * sp.eye_array(CELLS))  # indefinite: some modes grow
    a, parts = listed(wave, fields, nodes)
    with pytest.raises((NotReached, Unsuited)):
        Iterative("amg", parts, a.data, Kept()).solve(np.ones(CELLS))
    lone = sp.csr_array(laplace() * 1.0)
    lone.data[lone.indptr[5] : lone.indptr[6]] = 0.0
    a, parts = listed(lone, fields, nodes)
    with pytest.raises(Unsuited):
        Iterative("amg", parts, a.data, Kept())


def test_the_sweep_solves_triangular_fields_but_for_their_cycles():
    """Fields that follow each other one way: one pass is a direct solution when each cycle is one."""
    rng = np.random.default_rng(5)
    n = 40  # below the coarsest level, a cycle is exact
    own = [sp.csr_array(sp.diags_array(rng.uniform(3, 4, n))) for _ in range(3)]
    full = [[own[i] if i == j else None for j in range(3)] for i in range(3)]
    for i, j in ((1, 0), (2, 0), (2, 1)):
        full[i][j] = sp.csr_array(sp.diags_array(rng.uniform(-1, 1, n - 1), offsets=1, shape=(n, n)))
    ratio = sp.csr_array(sp.diags_array(rng.uniform(-1, 1, n)))
    full[0][2] = sp.csr_array(full[0][0] @ ratio)  # and one coupling upwards that a change of variables removes
    full[1][2] = sp.csr_array(full[1][0] @ ratio)
    full[2][2] = sp.csr_array(full[2][2] + full[2][0] @ ratio)
    blocks = {(i, j): m for i, row in enumerate(full) for j, m in enumerate(row) if m is not None}
    sweep = sweep_of(blocks, [np.arange(n)] * 3, [slice(i * n, (i + 1) * n) for i in range(3)])
    whole = sp.csr_array(sp.block_array(full))
    x = rng.standard_normal(3 * n)
    np.testing.assert_allclose(sweep(whole @ x, sweep.hierarchies()), x, atol=1e-5)
    turned = sweep.transposed()
    np.testing.assert_allclose(turned(whole.T @ x, turned.hierarchies()), x, atol=1e-5)
