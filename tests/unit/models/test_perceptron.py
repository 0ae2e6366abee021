from __future__ import annotations

import numpy as np
import pytest

import hessx
from _helpers.backends import Backend
from _helpers.models import CASES, make_data
from hessx.models import MultinomialLogistic, Perceptron

NUMPY = Backend("numpy", np, "cpu")


@pytest.fixture
def data(rng):
    X = rng.standard_normal((60, 2))
    return X, (np.hypot(*X.T) > 1.0).astype(float)  # inside and outside a circle


@pytest.mark.parametrize("name", ["tanh, softmax", "sigmoid, squared", "softplus, softmax"])
def test_derivatives_agree_with_differences(name, rng):
    case = CASES[name]
    X, y, flat = make_data(case, rng)
    model, w = case.make(X, y, 0.1), case.w(NUMPY, flat)
    assert hessx.check_gradient(model, w).ok
    assert hessx.check_product(model, w, hess=model.hessian).ok


@pytest.mark.parametrize("method", ["lbfgs", "newton-cg", "trust-ncg"])
@pytest.mark.parametrize("second", ["hessian", "gauss_newton"])
@pytest.mark.backends("numpy")
def test_trees_are_minimised(backend, data, method, second):
    X, y = (backend.asarray(a) for a in data)
    model = Perceptron(X, y, (5,), l2=1e-3)
    hess = None if method == "lbfgs" else getattr(model, second)
    result = hessx.minimize(model, model.start(1), jac=True, hess=hess, method=method)
    assert result.success, result.message
    assert float(model.accuracy(result.x, X, y)) > 0.9


def test_trees_keep_their_kind(backend, data):
    X, y = (backend.asarray(a) for a in data)
    model = Perceptron(X, y, (5,), l2=1e-3)
    x0 = model.start(1)
    hess, options = model.gauss_newton, {"maxiter": 2}
    result = hessx.minimize(model, x0, jac=True, hess=hess, method="newton-cg", options=options)
    assert result.fun < float(backend.to_numpy(model.value(x0)))
    assert list(result.x) == list(x0)
    for name, layer in x0.items():
        for key, leaf in layer.items():
            backend.assert_same_kind(result.x[name][key], leaf)
    accuracy = model.accuracy(result.x, X, y)
    assert accuracy.dtype == backend.dtype
    scores = backend.to_numpy(model._network.outputs(model._weights(result.x), X))
    expected = np.mean(scores.argmax(axis=1) == data[1])
    np.testing.assert_allclose(backend.to_numpy(accuracy), expected, rtol=4 * backend.eps)


def test_without_hidden_layers_it_is_the_linear_model(rng):
    X, y = rng.standard_normal((20, 3)), rng.integers(0, 3, 20)
    w = rng.standard_normal((4, 3))
    model, linear = Perceptron(X, y, (), l2=0.1), MultinomialLogistic(X, y, l2=0.1)
    tree = {"layer0": {"W": w[:-1], "b": w[-1]}}
    np.testing.assert_array_equal(model.hessian(tree).dense(), linear.hessian(w).dense())
    assert model.hessian(tree).diagonal() is None
    f, g = model(tree)
    expected, there = linear(w)
    assert f == expected
    np.testing.assert_array_equal(g["layer0"]["W"], there[:-1])
    np.testing.assert_array_equal(g["layer0"]["b"], there[-1])


@pytest.mark.parametrize(("activation", "gain"), [("tanh", 1.0), ("relu", None)])
def test_starts_have_the_variance_of_their_source(backend, activation, gain):
    X, y = backend.asarray(np.ones((2, 300))), backend.asarray([0.0, 1.0])
    model = Perceptron(X, y, (100,), activation)
    w = model.start(4)
    W, b = (backend.to_numpy(w["layer0"][key]).astype(float) for key in ("W", "b"))
    assert W.shape == (300, 100)
    backend.assert_same_kind(w["layer1"]["b"], y)
    np.testing.assert_array_equal(b, 0.0)
    expected = 2 / 400 if gain else 2 / 300
    np.testing.assert_allclose(W.var(), expected, rtol=0.03)
    again, other = model.start(4), model.start(5)
    np.testing.assert_array_equal(backend.to_numpy(again["layer0"]["W"]), W)
    assert not np.array_equal(backend.to_numpy(other["layer0"]["W"]), W)


def test_not_a_number_is_not_hidden(backend):
    """relu(nan) is nan: a comparison would make it 0."""
    X, y = backend.asarray([[np.nan], [1.0]]), backend.asarray([0.0, 1.0])
    for activation in ("tanh", "relu", "sigmoid", "softplus"):
        model = Perceptron(X, y, (3,), activation)
        with np.errstate(invalid="ignore"):
            assert np.isnan(backend.to_numpy(model.value(model.start(0))))


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "softplus"])
def test_far_out_nothing_overflows(backend, activation):
    X, y = backend.asarray([[1.0], [-1.0]]), backend.asarray([0.0, 1.0])
    model = Perceptron(X, y, (2,), activation)
    w = {
        "layer0": {"W": backend.asarray([[1e4, -1e4]]), "b": backend.asarray([0.0, 0.0])},
        "layer1": {"W": backend.asarray(1e4 * np.eye(2)), "b": backend.asarray([0.0, 0.0])},
    }
    f, g = model(w)
    arrays = [f, *(a for layer in g.values() for a in layer.values())]
    v = backend.asarray(np.ones(model.n))
    operators = model.hessian(w), model.gauss_newton(w)
    arrays += [operator @ v for operator in operators]
    for a in arrays:
        assert np.all(np.isfinite(backend.to_numpy(a)))


def test_squared_loss_fits_numbers(rng):
    X = np.linspace(-1.0, 1.0, 30)[:, None]
    model = Perceptron(X, np.sin(3 * X[:, 0]), (8,), loss="squared")
    result = hessx.minimize(model, model.start(0), jac=True, options={"maxiter": 2000})
    fit = model.predict(result.x, X)
    assert fit.shape == (30, 1)
    np.testing.assert_allclose(fit[:, 0], np.sin(3 * X[:, 0]), atol=0.02)
    with pytest.raises(TypeError, match="accuracy is that of labels"):
        model.accuracy(result.x, X, X[:, 0])


@pytest.mark.backends("fakegpu")
def test_launches(backend, data):
    X, y = (backend.asarray(a) for a in data)
    for hidden in ((4,), (4, 4), (4, 4, 4)):
        model = Perceptron(X, y, hidden)
        w = model.start(0)
        with backend.meter.tally() as tally:
            model(w)
        assert tally.waits == 0
        assert tally.launches.total() <= 9 * (len(hidden) + 1) + 7, tally.launches


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"layers": (3, 0)}, r"layers\[1\] = 0"),
        ({"activation": "gelu"}, "activation = 'gelu': expected one of 'tanh', 'relu'"),
        ({"loss": "hinge"}, "loss = 'hinge': expected one of 'softmax', 'squared'"),
        ({"l2": -1.0}, "l2 = -1"),
        ({"classes": 1}, "classes = 1"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(hessx.SettingsError, match=message):
        Perceptron(np.ones((3, 2)), np.array([0, 1, 1]), **settings)


def test_other_trees_are_refused(data):
    model = Perceptron(*data, layers=(3,))
    w = model.start(0)
    with pytest.raises(TypeError, match="w is a ndarray: expected a dict"):
        model(np.ones(model.n))
    with pytest.raises(ValueError, match=r"w has the keys \['layer0'\]: expected"):
        model({"layer0": w["layer0"]})
    turned = {"layer0": dict(reversed(w["layer0"].items())), "layer1": w["layer1"]}
    with pytest.raises(ValueError, match=r"w\['layer0'\] has the keys \['b', 'W'\]: .* this order"):
        model(turned)
    wrong = {"layer0": w["layer0"], "layer1": {"W": np.ones((2, 2)), "b": np.ones(2)}}
    with pytest.raises(ValueError, match=r"w\['layer1'\]\['W'\] has shape \(2, 2\): expected"):
        model(wrong)


def test_targets_are_checked():
    X = np.ones((3, 2))
    with pytest.raises(ValueError, match=r"y has shape \(3, 2\): expected \(3,\), an entry"):
        Perceptron(X, np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"y has shape \(2, 3\): expected \(3,\) or \(3, k\)"):
        Perceptron(X, np.ones((2, 3)), loss="squared")
