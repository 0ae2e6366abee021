from __future__ import annotations

import numpy as np
import pytest

import hessx
from hessx.models import LogisticRegression, MultinomialLogistic


@pytest.fixture
def data(rng):
    X = rng.standard_normal((40, 3))
    return X, np.append(rng.integers(0, 4, 39), 3), rng.standard_normal((4, 4))


def digits():
    """300 handwritten digits, scaled, and their labels."""
    datasets = pytest.importorskip("sklearn.datasets")
    X, y = datasets.load_digits(return_X_y=True)
    return X[:300] / 16.0, y[:300]


def test_same_coefficients_as_scikit_learn():
    linear_model = pytest.importorskip("sklearn.linear_model")
    X, y = digits()
    l2 = 0.01
    peer = linear_model.LogisticRegression(C=1 / (len(X) * l2), solver="newton-cg", tol=1e-10)
    peer.fit(X, y)
    model = MultinomialLogistic(X, y, l2=l2)
    x0 = np.zeros(model.shape)
    expected = peer.coef_.T
    for method in ("lbfgs", "newton-cg", "trust-ncg"):
        hess = None if method == "lbfgs" else model.hessian
        result = hessx.minimize(model, x0, jac=True, hess=hess, method=method, tol=1e-9)
        assert result.success, result.message
        np.testing.assert_allclose(result.x[:-1], expected, atol=1e-6)
        # a constant for all classes changes nothing
        b, there = result.x[-1], peer.intercept_
        np.testing.assert_allclose(b - b.mean(), there - there.mean(), atol=1e-6)
        np.testing.assert_array_equal(model.predict(result.x, X), peer.predict(X))
        assert model.accuracy(result.x, X, y) == peer.score(X, y)


def test_two_classes_are_logistic_regression(data):
    """W = (0, v) and b = (0, c) have the loss of v and c, and in class 1 its gradient."""
    X, y, w = data
    labels = y % 2
    point = np.zeros((4, 2))
    point[:, 1] = w[:, 0]
    f, g = MultinomialLogistic(X, labels)(point)
    expected, there = LogisticRegression(X, labels)(w[:, 0])
    np.testing.assert_allclose(f, expected, rtol=1e-14)
    np.testing.assert_allclose(g, np.stack([-there, there], axis=1), rtol=0, atol=1e-15)


@pytest.mark.parametrize("size", [1e4, -1e4])
def test_far_out_nothing_overflows(backend, size):
    """Outputs of 1e4 in the right class, and in a wrong one."""
    X, y = backend.asarray([[1.0], [1.0]]), backend.asarray([1, 1], "int64")
    model = MultinomialLogistic(X, y, 3, intercept=False)
    w = backend.asarray([[0.0, size, 0.0]])
    f, g = model(w)
    right = size > 0
    np.testing.assert_allclose(backend.to_numpy(f), 0.0 if right else 1e4, rtol=1e-3, atol=0.1)
    expected = [[0.0, 0.0, 0.0]] if right else [[0.5, -1.0, 0.5]]
    np.testing.assert_allclose(backend.to_numpy(g), expected, atol=4 * backend.eps)
    operator = model.hessian(w)
    for a in (operator @ backend.asarray([1.0, 2.0, 3.0]), operator.sampled_gradient(0)):
        assert np.all(np.isfinite(backend.to_numpy(a)))
    if right:
        np.testing.assert_array_equal(backend.to_numpy(operator.sampled_gradient(0)), 0.0)


def test_labels_of_any_dtype_and_fewer_than_there_are_classes(backend, data):
    X, y, w = data
    values = []
    for labels, dtype in ((y % 3, "int64"), (y % 3, None)):
        there = backend.asarray(labels, dtype=dtype)
        model = MultinomialLogistic(backend.asarray(X), there, classes=4)
        assert model.shape == (4, 4)
        values.append(float(backend.to_numpy(model(backend.asarray(w))[0])))
        accuracy = model.accuracy(backend.asarray(w), backend.asarray(X), there)
        scores = np.column_stack([X, np.ones(40)]) @ w
        expected = np.mean(scores.argmax(axis=1) == labels)
        assert accuracy.dtype == model.X.dtype
        np.testing.assert_allclose(backend.to_numpy(accuracy), expected, rtol=4 * backend.eps)
    assert values[0] == values[1]


@pytest.mark.backends("fakegpu")
def test_launches(backend, data):
    X, y, w = (backend.asarray(a) for a in data)
    model, plain = MultinomialLogistic(X, y, l2=0.1), MultinomialLogistic(X, y, intercept=False)
    for each, point, most in ((plain, w[:-1, :], 14), (model, w, 22)):
        with backend.meter.tally() as tally:
            each(point)
        assert tally.waits == 0
        assert tally.launches.total() <= most, tally.launches


@pytest.mark.parametrize(
    ("y", "classes", "message"),
    [
        ([0, 1, -1], None, "y has labels from -1.0 to 1.0: expected whole numbers"),
        ([0, 1, 0.5], None, "expected whole numbers"),
        ([0, 1, np.nan], None, "expected whole numbers"),
        ([0, 1, 2], 2, "y has a label 2: expected 0, ..., 1, as classes = 2"),
    ],
)
def test_other_labels_are_refused(backend, y, classes, message):
    with pytest.raises(ValueError, match=message):
        MultinomialLogistic(backend.asarray(np.ones((3, 1))), backend.asarray(y), classes)


def test_bad_settings_and_weights_are_refused():
    X, y = np.ones((3, 2)), np.array([0, 1, 2])
    with pytest.raises(hessx.SettingsError, match="classes = 1"):
        MultinomialLogistic(X, y, classes=1)
    with pytest.raises(hessx.SettingsError, match="l2 = -1"):
        MultinomialLogistic(X, y, l2=-1)
    with pytest.raises(ValueError, match=r"X has shape \(3, 3\): expected \(m, 2\), as the data"):
        MultinomialLogistic(X, y).predict(np.ones((3, 3)), np.ones((3, 3)))
    with pytest.raises(ValueError, match=r"w has shape \(9,\): expected \(3, 3\)"):
        MultinomialLogistic(X, y)(np.ones(9))
    with pytest.raises(TypeError, match="w has dtype float32: expected float64"):
        MultinomialLogistic(X, y)(np.ones((3, 3), np.float32))
