"""Finite sums of models: what a model on rows has is handed through, to the method's door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import hessx
from hessx import LayerFactors, LinearOperator, Sample, Wants
from hessx._xp import space_of
from hessx.core import Request
from hessx.objectives import GivenOracle

N, D = 12, 3
FIRST = Wants.VALUE | Wants.GRADIENT


@dataclass
class Squares:
    """(1/N) sum_i (x_i'w - y_i)^2 / 2, whose derivatives are sums of X alone."""

    X: Any
    y: Any
    weights: Any = None

    @property
    def N(self):  # noqa: N802
        return self.X.shape[0]

    def rows(self, rows, weights=None):
        take = space_of(self.X).xp.take
        return Squares(take(self.X, rows, axis=0), take(self.y, rows, axis=0), weights)

    def __call__(self, w):
        r = self.X @ w - self.y
        s = r if self.weights is None else r * self.weights
        return r @ s / (2 * self.N), self.X.T @ s / self.N

    def value(self, w):
        return self(w)[0]

    def hessian(self, w):
        return Products(self.X)

    gauss_newton = hessian

    def per_sample(self, w):
        return Slopes(self.X, self.X @ w - self.y)


class Products(LinearOperator):
    def __init__(self, X):
        self.X = X
        super().__init__((D, D), lambda v: X.T @ (X @ v) / X.shape[0], symmetric=True)

    def sampled_gradient(self, seed):
        return self.X[seed, ...]

    def factors(self, seed=None):
        return [LayerFactors(slice(0, D), self.X, self.X[:, :1] + (0.0 if seed is None else seed))]


class Slopes(LinearOperator):
    """diag(slopes) X."""

    def __init__(self, X, slopes):
        self.X, self.coefficients = X, slopes
        m, n = X.shape
        super().__init__((m, n), lambda v: slopes * (X @ v), lambda u: X.T @ (slopes * u))

    def mean(self, coefficients):
        return self.X.T @ coefficients / self.X.shape[0]

    def matrix(self):
        return self.X * self.coefficients[:, None]


def make(backend):
    rng = np.random.default_rng(2)
    X, y, w = rng.standard_normal((N, D)), rng.standard_normal(N), rng.standard_normal(D)
    model = Squares(backend.asarray(X), backend.asarray(y))
    return hessx.FiniteSum(model), backend.asarray(w), (X, y, w)


@pytest.mark.parametrize("order", [hessx.Shuffled(1), hessx.Sequential()], ids=repr)
def test_a_sample_is_the_model_on_its_rows(backend, order):
    loss, w, (X, y, w0) = make(backend)
    assert loss.N == N
    assert loss.offers == FIRST | Wants.HESSIAN | Wants.PER_SAMPLE | Wants.FACTORS
    atol, sample = 50 * backend.eps, Sample(order, 3, 2, 7)
    rows = order.indices(3, N)[2:7]
    residuals = X[rows] @ w0 - y[rows]
    value, grad = loss(w, sample)
    backend.assert_same_kind(grad, w)
    np.testing.assert_allclose(float(value), residuals @ residuals / 10, rtol=atol)
    np.testing.assert_allclose(backend.to_numpy(grad), X[rows].T @ residuals / 5, atol=atol)
    H = loss.answer(Request(w, 0, Wants.HESSIAN, sample=sample)).hessian
    expected = X[rows].T @ (X[rows] @ w0) / 5
    np.testing.assert_allclose(backend.to_numpy(H @ w), expected, atol=atol)
    assert loss.counts == hessx.Counts(1, 1, 0, 5)
    reply = loss.answer(Request(w, 0, FIRST | Wants.PER_SAMPLE, sample=sample))
    matrix = backend.to_numpy(reply.per_sample.matrix())
    np.testing.assert_allclose(matrix, X[rows] * residuals[:, None], atol=atol)


def test_importance_weighs_the_rows_of_a_model(backend):
    loss, w, (X, y, w0) = make(backend)
    order = hessx.Importance(np.arange(1.0, N + 1))
    rows = order.indices(0, N)[:8]
    slopes = (X[rows] @ w0 - y[rows]) * order.weights(N)[rows]
    grad = loss(w, Sample(order, 0, 0, 8))[1]
    expected = X[rows].T @ slopes / 8
    np.testing.assert_allclose(backend.to_numpy(grad), expected, atol=100 * backend.eps)


def test_a_batch_of_a_model_waits_for_nothing(pretend_gpu):
    from _helpers.registry import make_backend

    loss, w, _ = make(make_backend("fakegpu"))
    loss(w, Sample(hessx.Shuffled(), 0, 0, 4))
    with pretend_gpu.tally() as tally:
        for start in (4, 8):
            sample = Sample(hessx.Shuffled(), 0, start, start + 4)
            loss(w, sample)
            loss.answer(Request(w, 0, Wants.HESSIAN, sample=sample)).hessian.matvec(w)
    assert tally.waits == 0


@pytest.mark.parametrize("method", ["lbfgs", "newton-cg", None])
def test_every_method_takes_the_model(backend, method):
    loss, w, (X, y, _) = make(backend)
    result = hessx.minimize(loss, w, method=method)
    assert result.success
    expected = np.linalg.lstsq(X, y)[0]
    tolerance = 1e-2 if backend.dtype_name == "float32" else 1e-4
    np.testing.assert_allclose(backend.to_numpy(result.x), expected, atol=tolerance)
    assert result.counts.rows == N * (result.nfev + result.nhev)


def given(backend, sign, wants, sample):
    loss, w, _ = make(backend)
    oracle = GivenOracle(loss, space_of(w), sign)
    return oracle, oracle.answer(Request(w, 4, wants, sample=sample)), w


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_what_stands_between_hands_gradients_of_rows_through(backend, sign):
    sample = Sample(hessx.Shuffled(), 0, 2, 8)
    oracle, reply, w = given(backend, sign, FIRST | Wants.PER_SAMPLE, sample)
    per_sample = reply.per_sample
    assert per_sample.shape == (6, D)
    tolerance = {"atol": 50 * backend.eps}
    grad = backend.to_numpy(reply.grad)
    mean = backend.to_numpy(per_sample.mean(per_sample.coefficients))
    np.testing.assert_allclose(mean, grad, **tolerance)
    matrix = backend.to_numpy(per_sample.matrix())
    np.testing.assert_allclose(matrix.mean(axis=0), grad, **tolerance)
    u = backend.asarray(np.arange(6.0))
    transposed = backend.to_numpy(per_sample.T @ u)
    np.testing.assert_allclose(transposed, matrix.T @ np.arange(6.0), atol=500 * backend.eps)
    product = backend.to_numpy(per_sample @ w)
    np.testing.assert_allclose(product, matrix @ backend.to_numpy(w), atol=500 * backend.eps)
    assert oracle.counts.rows == 6


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_what_stands_between_hands_factors_through(backend, sign):
    oracle, reply, w = given(backend, sign, Wants.HESSIAN, Sample(hessx.Sequential(), 0, 2, 8))
    X = backend.to_numpy(oracle.oracle._data.model.X)
    g = reply.hessian.sampled_gradient(3)
    backend.assert_same_kind(g, w)
    np.testing.assert_allclose(backend.to_numpy(g), sign * X[5])
    for seed, moved in ((None, 0.0), (4, 4.0)):
        (layer,) = reply.hessian.factors(seed)
        assert layer.span == slice(0, D)
        np.testing.assert_allclose(backend.to_numpy(layer.inputs), X[2:8])
        np.testing.assert_allclose(
            backend.to_numpy(layer.slopes), sign * (X[2:8, :1] + moved), rtol=4 * backend.eps
        )
    reply.hessian(w)
    assert oracle.counts == hessx.Counts(0, 3, 1, 4 * 6)


def test_what_stands_between_takes_a_value_alone():
    from _helpers.registry import make_backend

    oracle, reply, w = given(make_backend("numpy"), -1.0, Wants.VALUE, None)
    assert (reply.value, reply.grad) == (-oracle.oracle._data.model(w)[0], None)
    assert oracle.counts == hessx.Counts(1, 0, 0, N)


def test_a_hessian_without_factors():
    X = np.ones((N, D))
    loss = hessx.FiniteSum(
        lambda w, X: ((X @ w) @ (X @ w) / 2, X.T @ (X @ w)),
        X,
        jac=True,
        hess=lambda w, X: X.T @ X,
    )
    oracle = GivenOracle(loss, space_of(np.ones(D)))
    H = oracle.answer(Request(np.ones(D), 0, Wants.HESSIAN)).hessian
    np.testing.assert_allclose(H.dense(), np.full((D, D), 12.0))
    for ask, name in ((H.factors, "factors"), (H.sampled_gradient, "sampled_gradient")):
        with pytest.raises(
            ValueError, match=rf"the Hessian has no {name}\(seed\): .* needs a model"
        ):
            ask(1)
    assert oracle.counts.gradients == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"jac": True}, "a model has its derivatives: leave jac out"),
        ({"hessp": lambda w, v: v}, "a model has its derivatives: leave hessp out"),
        ({"hess": "gauss"}, 'hess = .gauss.: expected "exact" or "gauss-newton"'),
    ],
)
def test_what_does_not_go_with_a_model(settings, message):
    model = Squares(np.ones((N, D)), np.ones(N))
    with pytest.raises(hessx.SettingsError, match=message):
        hessx.FiniteSum(model, **settings)


def test_which_hessian():
    class Two(Squares):
        def rows(self, rows, weights=None):
            return self

        def gauss_newton(self, w):
            return 7.0 * hessx.IdentityOperator(D)

    w = np.ones(D)
    for hess, expected in ((None, w * 2), ("exact", w * 2), ("gauss-newton", w * 7)):
        loss = hessx.FiniteSum(Two(np.eye(D) * np.sqrt(2 * D), w), hess=hess)
        H = loss.answer(Request(w, 0, Wants.HESSIAN)).hessian
        np.testing.assert_allclose(H @ w, expected)


def test_x_elsewhere_than_the_model(pretend_gpu):
    from _helpers.registry import make_backend

    loss, w, _ = make(make_backend("numpy"))
    with pytest.raises(TypeError, match=r"X of the model is an array of numpy, .*: move it"):
        loss(make_backend("fakegpu").asarray(w))
