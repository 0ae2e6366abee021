from __future__ import annotations

import numpy as np
import pytest

import hessx
from hessx.models import LogisticRegression

N, n = 40, 3


@pytest.fixture
def data(rng):
    X = rng.standard_normal((N, n))
    return X, (X[:, 0] + rng.standard_normal(N) > 0).astype(float), rng.standard_normal(n + 1)


def reference(X, y, w, l2):
    """Loss and gradient in the form with probabilities, labels 0 and 1, intercept last."""
    from scipy.special import expit, log_expit

    z = X @ w[:-1] + w[-1]
    value = -np.mean(y * log_expit(z) + (1 - y) * log_expit(-z)) + l2 / 2 * w[:-1] @ w[:-1]
    error = (expit(z) - y) / len(y)
    return value, np.append(X.T @ error + l2 * w[:-1], error.sum())


@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_value_and_gradient(backend, data, l2):
    pytest.importorskip("scipy")
    X, y, w = (a.astype(backend.dtype_name) for a in data)
    point = backend.asarray(w)
    f, g = LogisticRegression(backend.asarray(X), backend.asarray(y), l2)(point)
    backend.assert_same_kind(g, point)
    assert f.dtype == point.dtype
    assert f.ndim == 0
    value, grad = reference(*(a.astype("float64") for a in (X, y, w)), l2)
    np.testing.assert_allclose(backend.to_numpy(f), value, rtol=50 * backend.eps)
    np.testing.assert_allclose(backend.to_numpy(g), grad, rtol=0, atol=50 * backend.eps)


def test_labels_of_either_kind_and_any_dtype(backend, data):
    X, y, w = data
    results = []
    for labels, dtype in ((y, "int64"), (y, None), (2 * y - 1, "int64"), (2 * y - 1, None)):
        model = LogisticRegression(backend.asarray(X), backend.asarray(labels, dtype=dtype), 0.1)
        f, g = model(backend.asarray(w))
        results.append((backend.to_numpy(f), *backend.to_numpy(g)))
    np.testing.assert_array_equal(results, [results[0]] * 4)


def test_without_intercept(backend, data):
    X, y, w = data
    X, y = backend.asarray(X), backend.asarray(y)
    plain = LogisticRegression(X, y, 0.1, intercept=False)
    assert plain.n == n
    f, g = plain(backend.asarray(w[:-1]))
    f0, g0 = LogisticRegression(X, y, 0.1)(backend.asarray([*w[:-1], 0.0]))
    np.testing.assert_allclose(backend.to_numpy(f), backend.to_numpy(f0), rtol=4 * backend.eps)
    np.testing.assert_allclose(
        backend.to_numpy(g), backend.to_numpy(g0)[:-1], rtol=0, atol=8 * backend.eps
    )


def test_far_out_nothing_overflows_and_small_numbers_keep_their_digits(backend):
    X = backend.asarray([[1.0], [1.0]])
    model = LogisticRegression(X, backend.asarray([1.0, 1.0]), intercept=False)
    f, g = model(backend.asarray([60.0]))
    # log(1 + exp(-60)) = exp(-60) - exp(-120)/2 + ...
    np.testing.assert_allclose(backend.to_numpy(f), np.exp(-60.0), rtol=100 * backend.eps)
    np.testing.assert_allclose(backend.to_numpy(g), [-np.exp(-60.0)], rtol=100 * backend.eps)
    f, g = model(backend.asarray([-1e4]))
    np.testing.assert_allclose(backend.to_numpy(f), 1e4, rtol=4 * backend.eps)
    np.testing.assert_allclose(backend.to_numpy(g), [-1.0], rtol=4 * backend.eps)


def test_same_coefficients_as_scikit_learn(data):
    linear_model = pytest.importorskip("sklearn.linear_model")
    X, y, _ = data
    l2 = 0.05
    peer = linear_model.LogisticRegression(C=1 / (N * l2), solver="newton-cholesky", tol=1e-12)
    peer.fit(X, y)
    result = hessx.minimize(LogisticRegression(X, y, l2), np.zeros(n + 1), jac=True, tol=1e-10)
    np.testing.assert_allclose(result.x, [*peer.coef_[0], *peer.intercept_], atol=1e-8)


def test_derivative_agrees_with_differences(data):
    X, y, w = data
    assert hessx.check_gradient(LogisticRegression(X, y, 0.1), w).ok


@pytest.mark.backends("fakegpu")
def test_few_launches_and_no_waits(backend, data):
    X, y, w = data
    with backend.fetches() as waits:
        X, y, w = backend.asarray(X), backend.asarray(y), backend.asarray(w)
        model = LogisticRegression(X, y, 0.1)
    assert waits.count == 3 + 1, "three uploads of data and one fetch of the labels"
    with backend.meter.tally() as tally:
        model(w)
    assert tally.waits == 0
    assert tally.launches.total() <= 16, tally.launches


@pytest.mark.parametrize("labels", [[0, 1, 2], [1, 2, 2], [-1, 0, 1], [0, 1, np.nan]])
def test_other_labels_are_refused(backend, labels):
    X, y = backend.asarray(np.ones((3, 1))), backend.asarray(labels)
    with pytest.raises(ValueError, match="y has other values than 0 and 1, or -1 and 1"):
        LogisticRegression(X, y)


def test_bad_data_are_refused():
    with pytest.raises(ValueError, match=r"y has shape \(2,\): expected \(3,\)"):
        LogisticRegression(np.ones((3, 2)), np.ones(2))
    with pytest.raises(hessx.SettingsError, match="l2 = -1"):
        LogisticRegression(np.ones((3, 2)), np.ones(3), l2=-1)
    with pytest.raises(ValueError, match=r"w has shape \(2,\): expected \(3,\)"):
        LogisticRegression(np.ones((3, 2)), np.ones(3))(np.ones(2))


@pytest.mark.parametrize("low", [0, -1])
def test_labels_are_predicted_as_they_were_given(backend, low):
    X = np.array([[-2.0, 1.0], [-1.0, 0.0], [1.0, -1.0], [3.0, 2.0]])
    y = np.array([low, low, 1, low])
    model = LogisticRegression(backend.asarray(X), backend.asarray(y, "int64"))
    w = backend.asarray([1.0, -0.5, 0.25])
    labels = model.predict(w, backend.asarray(X))
    expected = np.where(X @ [1.0, -0.5] + 0.25 > 0.0, 1, low)
    np.testing.assert_array_equal(backend.to_numpy(labels), expected)
    accuracy = model.accuracy(w, backend.asarray(X), backend.asarray(y, "int64"))
    assert backend.to_numpy(accuracy) == np.mean(expected == y)
