"""Krylov iterations against dense solutions: symmetric, not symmetric, complex, limits, stalls."""

import numpy as np
import pytest

from steadyflux.solve.krylov import conjugate_gradients, gmres


def problem(n=60, seed=0, symmetric=False, imaginary=0.0):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((n, n))
    a = a @ a.T + n * np.eye(n) if symmetric else a + 12.0 * np.eye(n)
    if imaginary:
        a = a + 1j * imaginary * rng.standard_normal((n, n))
    x = rng.standard_normal(n) + (1j * rng.standard_normal(n) if imaginary else 0.0)
    return a, x, a @ x


def jacobi(a):
    diagonal = np.diag(a).copy()
    return lambda r: r / diagonal


def test_conjugate_gradients():
    a, wanted, b = problem(symmetric=True)
    found = conjugate_gradients(lambda v: a @ v, jacobi(a), b, 1e-12 * np.linalg.norm(b), 200)
    np.testing.assert_allclose(found.x, wanted, atol=1e-10)
    assert found.end <= 1e-12 * found.start
    assert found.start == pytest.approx(np.linalg.norm(b))


@pytest.mark.parametrize("imaginary", [0.0, 0.7])
@pytest.mark.parametrize("restart", [40, 8])
def test_gmres(imaginary, restart):
    a, wanted, b = problem(imaginary=imaginary)
    found = gmres(lambda v: a @ v, jacobi(a), b, 1e-11 * np.linalg.norm(b), 400, restart)
    np.testing.assert_allclose(found.x, wanted, atol=1e-9)
    assert np.linalg.norm(b - a @ found.x) == pytest.approx(found.end, abs=1e-12)


def test_gmres_ends_exactly_in_as_many_steps_as_there_are_eigenvalues():
    d = np.repeat([1.0, 2.0, 5.0], 20)
    b = np.ones(60)
    found = gmres(lambda v: d * v, lambda r: r, b, 1e-13, 60)
    assert found.iterations == 3
    np.testing.assert_allclose(found.x, 1.0 / d, rtol=1e-12)


def test_a_limit_and_a_stall_leave_the_best_there_was():
    a, _, b = problem()
    cut = gmres(lambda v: a @ v, jacobi(a), b, 0.0, 3)
    assert cut.iterations == 3
    assert 0.0 < cut.end < cut.start
    tight = gmres(lambda v: a @ v, jacobi(a), b, 0.0, 500)
    assert tight.iterations < 200  # rounding is met, and seen
    assert tight.end < 1e-13 * tight.start


def test_an_indefinite_matrix_ends_conjugate_gradients():
    d = np.linspace(-1.0, 1.0, 40)
    found = conjugate_gradients(lambda v: d * v, lambda r: r, np.ones(40), 1e-10, 100)
    assert found.end > 1e-10 and found.iterations < 100
    nothing = gmres(lambda v: 0.0 * v, lambda r: r, np.ones(5), 1e-10, 50)
    assert nothing.end == nothing.start and not nothing.x.any()
