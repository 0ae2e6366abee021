"""The inverse Hessian of L-BFGS is one of the family."""

from __future__ import annotations

from itertools import islice, pairwise

import numpy as np

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
