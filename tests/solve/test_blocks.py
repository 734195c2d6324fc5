"""Block-tridiagonal solution against dense LAPACK: single, batched, nested, transposed, with zero diagonal entries."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from steadyflux.solve.blocks import factor, solve, solve_blocks, solve_transposed


def system(n: int, k: int, seed: int, batch: tuple[int, ...] = (), columns: tuple[int, ...] = ()):
    rng = np.random.default_rng(seed)
    lower, diag, upper = (rng.standard_normal((*batch, n, k, k)) for _ in range(3))
    diag = diag + 3 * k * np.eye(k)[rng.permutation(k)]  # large entries off the diagonal: pivoting has work to do
    if k > 1:
        diag[..., k - 1, k - 1] = 0.0
    return lower, diag, upper, rng.standard_normal((*batch, n, k, *columns))


def dense(lower, diag, upper):
    n, k, _ = diag.shape
    matrix = np.zeros((n, k, n, k))
    for i in range(n):
        matrix[i, :, i] = diag[i]
        if i > 0:
            matrix[i, :, i - 1] = lower[i]
        if i < n - 1:
            matrix[i, :, i + 1] = upper[i]
    return matrix.reshape(n * k, n * k)


def reference(lower, diag, upper, rhs, transposed=False):
    matrix = dense(lower, diag, upper)
    flat = rhs.reshape(matrix.shape[0], -1)
    return np.linalg.solve(matrix.T if transposed else matrix, flat).reshape(rhs.shape)


@pytest.mark.parametrize(("n", "k"), [(1, 1), (1, 3), (2, 2), (17, 1), (23, 3), (9, 6), (6, 8), (5, 11)])
@pytest.mark.parametrize("columns", [(), (4,)])
def test_all_solvers_agree_with_dense_lapack(n, k, columns):
    lower, diag, upper, rhs = system(n, k, 100 * n + k, columns=columns)
    lower[0], upper[-1] = np.pi, np.e  # must not matter
    wanted = reference(lower, diag, upper, rhs)
    factors = jax.jit(factor)(lower, diag, upper)
    for got in (
        jax.jit(solve)(factors, rhs),
        jax.jit(solve_blocks)(lower, diag, upper, rhs),
    ):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-12 * abs(wanted).max())
    wanted = reference(lower, diag, upper, rhs, transposed=True)
    np.testing.assert_allclose(jax.jit(solve_transposed)(factors, rhs), wanted, rtol=0, atol=1e-12 * abs(wanted).max())


def test_zero_diagonals_need_pivoting():
    # Two ions and electroneutrality: the potential's row has no entry for the potential.
    n = 40
    rng = np.random.default_rng(8)
    coupling = rng.uniform(0.5, 1.5, n)
    diag = np.zeros((n, 3, 3))
    diag[:, 0, 0], diag[:, 1, 1] = 2.3, 2.1
    diag[:, 0, 2], diag[:, 1, 2] = 2 * coupling, -2 * coupling
    diag[:, 2, :2] = 1.0, -1.0
    off = np.zeros((n, 3, 3))
    off[:, 0, 0], off[:, 1, 1] = -1.0, -0.9
    off[:, 0, 2], off[:, 1, 2] = -coupling, coupling
    rhs = rng.standard_normal((n, 3))
    wanted = reference(off, diag, off, rhs)
    np.testing.assert_allclose(solve_blocks(off, diag, off, rhs), wanted, rtol=1e-10, atol=1e-11 * abs(wanted).max())
    first = diag[:, [2, 0, 1]]  # and with the zero in the first pivot's place
    wanted = reference(off[:, [2, 0, 1]], first, off[:, [2, 0, 1]], rhs)
    got = solve_blocks(off[:, [2, 0, 1]], first, off[:, [2, 0, 1]], rhs)
    np.testing.assert_allclose(got, wanted, rtol=1e-10, atol=1e-11 * abs(wanted).max())


def test_vmap_nested_and_with_shared_matrix():
    lower, diag, upper, rhs = system(11, 3, 4, batch=(2, 5))
    got = jax.jit(jax.vmap(jax.vmap(solve_blocks)))(lower, diag, upper, rhs)
    again = jax.vmap(jax.vmap(lambda a, b, c, r: solve(factor(a, b, c), r)))(lower, diag, upper, rhs)
    for i in range(2):
        for j in range(5):
            wanted = reference(lower[i, j], diag[i, j], upper[i, j], rhs[i, j])
            np.testing.assert_allclose(got[i, j], wanted, rtol=0, atol=1e-12 * abs(wanted).max())
            np.testing.assert_allclose(again[i, j], wanted, rtol=0, atol=1e-12 * abs(wanted).max())
    shared = jax.vmap(lambda r: solve_transposed(factor(lower[0, 0], diag[0, 0], upper[0, 0]), r))(rhs[0])
    for j in range(5):
        wanted = reference(lower[0, 0], diag[0, 0], upper[0, 0], rhs[0, j], transposed=True)
        np.testing.assert_allclose(shared[j], wanted, rtol=0, atol=1e-12 * abs(wanted).max())


def apply(lower, diag, upper, x):
    zero = jnp.zeros_like(x[:1])
    before, after = jnp.concatenate([zero, x[:-1]]), jnp.concatenate([x[1:], zero])
    return sum(jnp.einsum("nij,nj->ni", a, y) for a, y in ((lower, before), (diag, x), (upper, after)))


def implicit(lower, diag, upper, rhs):
    factors = factor(*jax.lax.stop_gradient((lower, diag, upper)))
    return jax.lax.custom_linear_solve(
        lambda x: apply(lower, diag, upper, x),
        rhs,
        lambda _, b: solve(factors, b),
        transpose_solve=lambda _, b: solve_transposed(factors, b),
    )


def test_gradients_through_custom_linear_solve_alone_and_batched():
    lower, diag, upper, rhs = system(7, 3, 21, batch=(4,))
    weight = np.random.default_rng(2).standard_normal((7, 3))

    def answer(scale, lower, diag, upper, rhs):
        return jnp.sum(weight * implicit(lower, scale * diag, upper * scale**2, rhs) ** 2)

    values = jax.vmap(jax.grad(answer), in_axes=(None, 0, 0, 0, 0))(1.1, lower, diag, upper, rhs)
    h = 1e-6
    for i in range(4):
        parts = lower[i], diag[i], upper[i], rhs[i]
        central = (answer(1.1 + h, *parts) - answer(1.1 - h, *parts)) / (2 * h)
        assert values[i] == pytest.approx(float(central), rel=1e-7)
        assert jax.grad(answer)(1.1, *parts) == pytest.approx(float(values[i]), rel=1e-11)
        forward = jax.jvp(lambda s, p=parts: answer(s, *p), (1.1,), (1.0,))[1]
        assert forward == pytest.approx(float(values[i]), rel=1e-11)


def test_singular_matrix():
    lower, diag, upper, rhs = system(5, 2, 1)
    for blocks, row in ((diag, 3), (lower, 4), (upper, 2)):  # nothing depends on unknown 1 of block 3
        blocks[row, :, 1] = 0.0
    assert not np.isfinite(solve_blocks(lower, diag, upper, rhs)).all()
