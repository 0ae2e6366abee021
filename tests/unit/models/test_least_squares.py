from __future__ import annotations

import numpy as np
import pytest

import hessx
from hessx.models import LinearLeastSquares

N, n = 30, 4


@pytest.fixture
def data(rng):
    return rng.standard_normal((N, n)), rng.standard_normal(N), rng.standard_normal(n)


@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_value_and_gradient(backend, data, l2):
    X, y, w = (a.astype(backend.dtype_name) for a in data)
    point = backend.asarray(w)
    f, g = LinearLeastSquares(backend.asarray(X), backend.asarray(y), l2)(point)
    X, y, w = (a.astype("float64") for a in (X, y, w))
    backend.assert_same_kind(g, point)
    assert f.dtype == point.dtype
    assert f.ndim == 0
    tolerance = 100 * backend.eps
    expected = 0.5 * np.sum((X @ w - y) ** 2) + 0.5 * l2 * np.sum(w**2)
    np.testing.assert_allclose(backend.to_numpy(f), expected, rtol=tolerance)
    expected = X.T @ (X @ w - y) + l2 * w
    np.testing.assert_allclose(
        backend.to_numpy(g), expected, atol=tolerance * np.abs(expected).max()
    )


@pytest.mark.parametrize("l2", [0.0, 0.3])
def test_solution_is_that_of_the_normal_equations(backend, data, l2):
    X, y, w = data
    model = LinearLeastSquares(backend.asarray(X), backend.asarray(y), l2)
    result = hessx.minimize(
        model, backend.asarray(w), jac=True, tol=100 * N * backend.eps, options={"maxiter": 50}
    )
    expected = np.linalg.solve(X.T @ X + l2 * np.eye(n), X.T @ y)
    np.testing.assert_allclose(backend.to_numpy(result.x), expected, atol=1e4 * backend.eps)


def test_hessian(backend, data):
    X, y, _ = data
    H = LinearLeastSquares(backend.asarray(X), backend.asarray(y), 0.5).hessian().dense()
    expected = X.T @ X + 0.5 * np.eye(n)
    np.testing.assert_allclose(backend.to_numpy(H), expected, rtol=0, atol=1e3 * backend.eps)


def test_derivative_agrees_with_differences(data):
    X, y, w = data
    assert hessx.check_gradient(LinearLeastSquares(X, y, 0.3), w).ok


def test_targets_take_the_dtype_of_the_data():
    f, g = LinearLeastSquares(np.ones((2, 1), np.float32), np.array([1, 2]))(
        np.zeros(1, np.float32)
    )
    assert f == 2.5
    assert g.dtype == np.float32


@pytest.mark.parametrize(
    ("X", "y", "error", "message"),
    [
        ([[1.0]], np.ones(1), TypeError, "X is a list: expected an array"),
        (np.ones((2, 1)), [1.0, 2.0], TypeError, "y is a list: expected an array"),
        (np.ones(3), np.ones(3), ValueError, r"X has shape \(3,\): expected \(N, n\)"),
        (np.ones((0, 2)), np.ones(0), ValueError, r"X has shape \(0, 2\): expected \(N, n\)"),
        (np.ones((3, 2)), np.ones(2), ValueError, r"y has shape \(2,\): expected \(3,\)"),
        (np.ones((3, 2)), np.ones((3, 1)), ValueError, r"y has shape \(3, 1\): expected \(3,\)"),
        (np.ones((3, 2), int), np.ones(3), TypeError, "X has dtype int64: .* convert X first"),
        (np.ones((3, 2), complex), np.ones(3), TypeError, "X has dtype complex128"),
    ],
)
def test_bad_data_are_refused(X, y, error, message):
    with pytest.raises(error, match=message):
        LinearLeastSquares(X, y)


def test_targets_of_another_library_are_refused():
    torch = pytest.importorskip("torch")
    with pytest.raises(TypeError, match="y has an array of torch, expected one of numpy"):
        LinearLeastSquares(np.ones((3, 2)), torch.ones(3, dtype=torch.float64))


def test_negative_penalty_is_refused():
    with pytest.raises(hessx.SettingsError, match="l2 = -1"):
        LinearLeastSquares(np.ones((3, 2)), np.ones(3), l2=-1)


@pytest.mark.parametrize(
    ("w", "error", "message"),
    [
        (np.ones(3), ValueError, r"w has shape \(3,\): expected \(2,\)"),
        (np.ones(2, np.float32), TypeError, "w has dtype float32: expected float64"),
    ],
)
def test_bad_weights_are_refused(w, error, message):
    model = LinearLeastSquares(np.ones((3, 2)), np.ones(3))
    with pytest.raises(error, match=message):
        model(w)
