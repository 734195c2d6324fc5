"""Multigrid cycles: against pyamg's own hierarchies, over coefficients, signs and precisions, and what it refuses."""

import numpy as np
import pyamg
import pytest
import scipy.sparse as sp

from steadyflux.solve.krylov import conjugate_gradients, gmres
from steadyflux.solve.multigrid import Hierarchy, Unsuited


def body(m, conductivity=None, seed=3):
    """Conduction in a cube of m^3 cells between its first and last layer, as a symmetric matrix of the free cells."""
    rng = np.random.default_rng(seed)
    k = np.ones(m**3) if conductivity is None else conductivity(rng, m**3)
    number = np.arange(m**3).reshape(m, m, m)
    tail = np.concatenate([number[:-1].ravel(), number[:, :-1].ravel(), number[:, :, :-1].ravel()])
    head = np.concatenate([number[1:].ravel(), number[:, 1:].ravel(), number[:, :, 1:].ravel()])
    g = 2.0 / (1.0 / k[tail] + 1.0 / k[head])
    n = m**3
    matrix = sp.coo_array(
        (np.concatenate([g, g, -g, -g]), (np.r_[tail, head, tail, head], np.r_[tail, head, head, tail])), shape=(n, n)
    )
    free = number[1:-1].ravel()
    return sp.csr_array(matrix.tocsr()[free][:, free])


CASES = {
    "equal": (None, 12),
    "six decades": (lambda rng, n: 10.0 ** rng.uniform(-3, 3, n), 30),
    "layers": (lambda rng, n: np.repeat(10.0 ** rng.uniform(-2, 2, 16), n // 16), 25),
}


@pytest.mark.parametrize("case", CASES)
def test_a_cycle_takes_nearly_an_order_of_magnitude(case):
    conductivity, most = CASES[case]
    matrix = body(16, conductivity)
    cycle = Hierarchy(matrix)
    assert len(cycle.levels) >= 2 and cycle.complexity < 3.5
    b = np.random.default_rng(1).standard_normal(matrix.shape[0])
    found = conjugate_gradients(lambda x: matrix @ x, cycle, b, 1e-8 * np.linalg.norm(b), 60)
    assert found.end <= 1e-8 * found.start
    assert found.iterations < most


def test_the_levels_are_those_of_ruge_and_stueben():
    """The same splitting and interpolation as pyamg's own set-up makes of its kernels."""
    matrix = body(14)
    levels = pyamg.ruge_stuben_solver(matrix, max_coarse=300, interpolation="direct").levels
    cycle = Hierarchy(matrix)
    assert len(cycle.levels) == len(levels) - 1
    for ours, theirs in zip(cycle.levels, levels, strict=False):
        assert abs(sp.csr_array(ours.prolong.astype(float)) - sp.csr_array(theirs.P)).max() < 1e-6


@pytest.mark.parametrize("size", [1e-30, 1e30, -1.0])
def test_units_and_the_sign_of_a_matrix_do_not_matter(size):
    matrix = body(10)
    b = np.random.default_rng(2).standard_normal(matrix.shape[0])
    np.testing.assert_allclose(Hierarchy(size * matrix)(b) * size, Hierarchy(matrix)(b), rtol=1e-5, atol=1e-6)


def test_entries_over_many_decades_are_held_in_double_precision():
    matrix = body(10)
    wide = sp.csr_array(sp.block_diag([matrix, 1e-26 * matrix]))
    assert Hierarchy(matrix).precision is np.float32
    assert Hierarchy(wide).precision is np.float64
    b = np.random.default_rng(5).standard_normal(matrix.shape[0])
    both = Hierarchy(wide)(np.concatenate([b, 1e-26 * b]))
    for found in (both[: b.size], both[b.size :]):
        assert np.linalg.norm(matrix @ found - b) < 0.4 * np.linalg.norm(b)


def test_a_complex_right_side_goes_through_in_two_parts():
    matrix = body(9)
    cycle = Hierarchy(matrix)
    one, other = np.random.default_rng(4).standard_normal((2, matrix.shape[0]))
    np.testing.assert_allclose(cycle(one + 1j * other), cycle(one) + 1j * cycle(other))
    assert not cycle(np.zeros(matrix.shape[0])).any()


def test_a_matrix_that_is_not_symmetric_and_one_that_is_singular():
    m = 12
    drift = sp.kron(sp.diags_array([-np.ones(m - 1), np.ones(m)], offsets=[-1, 0]), sp.eye_array(m * m))
    matrix = sp.csr_array(sp.csr_array(pyamg.gallery.poisson((m, m, m))) + 4.0 * drift)
    b = np.ones(m**3)
    found = gmres(lambda x: matrix @ x, Hierarchy(matrix), b, 1e-9, 40)
    assert found.end <= 1e-9
    line = sp.diags_array([-np.ones(m - 1), np.r_[1.0, 2.0 * np.ones(m - 2), 1.0], -np.ones(m - 1)], offsets=[-1, 0, 1])
    one = sp.eye_array(m)
    closed = sp.csr_array(
        sp.kron(sp.kron(line, one), one) + sp.kron(sp.kron(one, line), one) + sp.kron(sp.kron(one, one), line)
    )
    balanced = np.random.default_rng(6).standard_normal(m**3)
    balanced -= balanced.mean()
    found = gmres(lambda x: closed @ x, Hierarchy(closed), balanced, 1e-8, 60)
    assert found.end <= 1e-8


def test_what_is_no_diffusion_is_refused():
    matrix = body(8)
    with pytest.raises(Unsuited, match="one sign"):
        Hierarchy(sp.csr_array(matrix - 8.0 * sp.diags_array(np.arange(matrix.shape[0]) % 2.0)))
    with pytest.raises(Unsuited, match="one sign"):
        Hierarchy(sp.csr_array(matrix * np.nan))
