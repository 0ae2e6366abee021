"""The inverse Hessian of L-BFGS is one of the family."""

from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pytest

import hessx
from _helpers.driving import bends, drive
from reference.quasi_newton import TwoLoop, dense_inverse

n = 5


def pair(backend, rng):
    """The operator after a few steps, and the textbook matrix."""
    solver = hessx.LineSearchMethod(hessx.LBFGS(memory=3), hessx.FixedStep(0.7))
    answer = bends(rng, n, [1.0] * 4)
    steps = list(islice(drive(solver, backend, rng.standard_normal(n), answer), 5))
    two_loop = TwoLoop(3)
    for a, b in pairwise(steps):
        two_loop.add(b.x - a.x, b.g - a.g)
    matrix = dense_inverse(two_loop.pairs, two_loop.gamma, n)
    return solver.inverse_hessian(steps[-1].state), matrix


def assert_close(backend, actual, expected):
    backend.assert_same_kind(actual, backend.asarray(expected))
    np.testing.assert_allclose(
        backend.to_numpy(actual), expected, rtol=0, atol=500 * backend.eps * abs(expected).max()
    )


def test_stacks_matrix_and_diagonal(backend, rng):
    operator, matrix = pair(backend, rng)
    assert isinstance(operator, hessx.LinearOperator)
    assert operator.T is operator
    V = backend.asarray(rng.standard_normal((2, 3, n)))
    assert_close(backend, operator @ V, backend.to_numpy(V).astype(float) @ matrix)
    assert_close(backend, operator.dense(), matrix)
    assert_close(backend, operator.diagonal(), np.diag(matrix))


def test_it_does_what_scipys_does(backend, rng):
    """In its own library: vectors, columns, operators, numbers, the matrix."""
    optimize = pytest.importorskip("scipy.optimize")
    operator, matrix = pair(backend, rng)
    s = rng.standard_normal((3, n))
    theirs = optimize.LbfgsInvHessProduct(s, s * np.arange(1.0, n + 1))  # for what it takes
    for name in ("dot", "matmat", "matvec", "rmatvec", "todense", "shape", "dtype"):
        assert hasattr(theirs, name) and hasattr(operator, name)
    for shape in ((n,), (n, 1), (n, 2), (n, n)):
        X = rng.standard_normal(shape)
        assert theirs.dot(X).shape == shape
        for form in ("dot", "matmat") if len(shape) == 2 else ("dot",):
            assert getattr(theirs, form)(X).shape == shape
            assert_close(
                backend, getattr(operator, form)(backend.asarray(X)),
                matrix @ backend.to_numpy(backend.asarray(X)).astype(float),
            )  # fmt: skip
    v = backend.asarray(rng.standard_normal(n))
    host = backend.to_numpy(v).astype(float)
    assert_close(backend, operator.dot(operator) @ v, matrix @ matrix @ host)
    assert_close(backend, operator.dot(2.0) @ v, 2.0 * matrix @ host)
    assert type(operator.todense()) is type(theirs.todense()) is np.ndarray
    for dense in (np.asarray(operator), np.array(operator, dtype=np.float32), operator.todense()):
        np.testing.assert_allclose(dense, matrix, atol=500 * backend.eps * abs(matrix).max())
    with pytest.raises(ValueError, match="copy=False cannot be had"):
        np.asarray(operator, copy=False)


def test_columns_of_any_operator(backend, rng):
    A, X = rng.standard_normal((3, 4)), rng.standard_normal((4, 2))
    operator = hessx.DenseOperator(backend.asarray(A))
    assert_close(backend, operator.matmat(backend.asarray(X)), A @ X)
    assert_close(backend, operator.dot(backend.asarray(X)), A @ X)
    with pytest.raises(ValueError, match=r"the matrix has shape \(4,\): expected two axes"):
        operator.matmat(backend.asarray(X[:, 0]))
    with pytest.raises(ValueError, match=r"the vector has shape \(4, 3\)"):
        operator.matmat(backend.asarray(A))


def test_it_takes_part_in_sums_and_products(backend, rng):
    operator, matrix = pair(backend, rng)
    d = np.arange(1.0, n + 1)
    both = (operator - 2.0 * hessx.DiagonalOperator(backend.asarray(d))).shift(1.0) @ operator
    expected = (matrix - np.diag(2 * d) + np.eye(n)) @ matrix
    v = backend.asarray(rng.standard_normal(n))
    assert_close(backend, both @ v, expected @ backend.to_numpy(v).astype(float))
    assert_close(backend, both.T @ v, expected.T @ backend.to_numpy(v).astype(float))


def test_a_scaled_run_in_the_shape_of_x(backend, xp, rng):
    weights, x0 = (backend.asarray(rng.uniform(1.0, 9.0, (2, 3))) for _ in range(2))
    result = hessx.minimize(
        lambda x: (xp.sum(weights * x * x) / 2, weights * x),
        x0,
        jac=True,
        x_scale=backend.asarray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
        options={"maxiter": 3},
    )
    operator, matrix = result.hess_inv, result.hess_inv.todense()
    assert_close(backend, operator.diagonal(), np.diag(matrix))
    V = backend.asarray(rng.standard_normal((4, 6)))
    assert_close(backend, operator @ V, backend.to_numpy(V) @ matrix)
    assert_close(backend, operator @ x0, (matrix @ backend.to_numpy(x0).ravel()).reshape(2, 3))
