"""The models' Hessians beside X' diag(c) X + l2 I, written out, on every backend."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from hessx.models import LinearLeastSquares, LogisticRegression

N, n = 30, 4


@pytest.fixture
def data(backend, rng):
    """X, y and w that the backend can hold, on the host and there."""
    X = rng.standard_normal((N, n)).astype("float32")
    y = (X[:, 0] + rng.standard_normal(N) > 0).astype("float32")
    w = rng.standard_normal(n + 1).astype("float32")
    return [a.astype(float) for a in (X, y, w)], [backend.asarray(a) for a in (X, y, w)]


def logistic_hessian(X, w, l2, intercept):
    design = np.column_stack([X, np.ones(N)]) if intercept else X
    s = 1.0 / (1.0 + np.exp(-(design @ w)))
    penalty = np.full(design.shape[1], l2)
    if intercept:
        penalty[-1] = 0.0
    return design.T @ (design * (s * (1.0 - s) / N)[:, None]) + np.diag(penalty)


def check(backend, operator, expected):
    """Dense form, products with vectors and stacks, and the diagonal."""
    atol = 200.0 * backend.eps * np.linalg.norm(expected)
    V = np.random.default_rng(1).standard_normal((3, len(expected))).astype("float32")
    stack = backend.asarray(V)
    for v, there in ((V[0], stack[0, :]), (V, stack)):
        product = operator.matvec(there)
        backend.assert_same_kind(product, there)
        want = v.astype(float) @ expected
        np.testing.assert_allclose(backend.to_numpy(product), want, rtol=0.0, atol=10 * atol)
    diagonal = backend.to_numpy(operator.diagonal())
    np.testing.assert_allclose(diagonal, np.diag(expected), rtol=0.0, atol=atol)
    dense = backend.to_numpy(operator.dense(stack[0, :]))
    np.testing.assert_allclose(dense, expected, rtol=0.0, atol=atol)
    assert operator.shape == expected.shape


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_logistic_regression(backend, data, l2, intercept):
    (X, _, w), (bX, by, bw) = data
    size = n + intercept
    model = LogisticRegression(bX, by, l2, intercept=intercept)
    operator = model.hessian(bw[:size])
    check(backend, operator, logistic_hessian(X, w[:size], l2, intercept))


@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_least_squares(backend, data, l2):
    (X, _, _), (bX, by, bw) = data
    expected = X.T @ X + l2 * np.eye(n)
    model = LinearLeastSquares(bX, by, l2)
    check(backend, model.hessian(), expected)
    check(backend, model.hessian(bw[:n]), expected)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_far_out_nothing_overflows(backend, label):
    model = LogisticRegression(
        backend.asarray([[1.0], [1.0]]), backend.asarray([label, label]), intercept=False
    )
    for point, expected in ((60.0, np.exp(-60.0)), (1e4, 0.0), (-1e4, 0.0), (0.0, 0.25)):
        w = backend.asarray([point])
        product = backend.to_numpy(model.hessian(w).matvec(backend.asarray([1.0])))
        np.testing.assert_allclose(product, [expected], rtol=200 * backend.eps)


@pytest.mark.backends("numpy")
def test_products_agree_with_differences(data):
    _, (X, y, w) = data
    if X.dtype != np.float64:
        pytest.skip("differences ask for float64")
    model = LogisticRegression(X, y, 0.1)
    assert hessx.check_product(model, w, hess=model.hessian).ok


@pytest.mark.backends("fakegpu")
@pytest.mark.parametrize("intercept", [False, True])
def test_no_waits_and_few_launches(backend, data, intercept):
    _, (X, y, w) = data
    w = w if intercept else w[:n]
    model = LogisticRegression(X, y, 0.1, intercept=intercept)
    v = w + 0.0
    with backend.meter.tally() as tally:
        operator = model.hessian(w)
    assert tally.waits == 0
    with backend.meter.tally() as tally:
        operator.matvec(v)
    assert tally.waits == 0
    assert tally.launches.total() <= 9, tally.launches


@pytest.mark.parametrize("method", ["newton-cg", "trust-ncg"])
@pytest.mark.parametrize("preconditioner", [None, "jacobi", "pairs"])
def test_both_models_are_solved(backend, data, method, preconditioner):
    if backend.lazy and preconditioner:
        pytest.skip("takes long on a lazy library")
    (X, y, _), (bX, by, bw) = data
    options = {"preconditioner": preconditioner}
    model = LinearLeastSquares(bX, by, 0.1)
    result = hessx.minimize(
        model, bw[:n], jac=True, hess=model.hessian, method=method, options=options
    )
    assert result.success, result.message
    expected = np.linalg.solve(X.T @ X + 0.1 * np.eye(n), X.T @ y)
    gtol = 1e-5 if backend.dtype_name == "float64" else 1e-3
    least = np.linalg.eigvalsh(X.T @ X)[0]
    np.testing.assert_allclose(backend.to_numpy(result.x), expected, atol=3 * gtol / least)

    model = LogisticRegression(bX, by, 0.1)
    result = hessx.minimize(model, bw, jac=True, hess=model.hessian, method=method, options=options)
    assert result.success, result.message
    x = backend.to_numpy(result.x).astype(float)
    z = X @ x[:-1] + x[-1]
    error = (1.0 / (1.0 + np.exp(-z)) - y) / N
    grad = np.append(X.T @ error + 0.1 * x[:-1], error.sum())
    assert abs(grad).max() <= 1.1 * gtol
