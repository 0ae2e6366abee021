"""Every derivative of every model beside PyTorch's automatic differentiation, in float64."""

from __future__ import annotations

import numpy as np
import pytest

from _helpers.backends import Backend
from _helpers.models import CASES, ROWS, make_data

torch = pytest.importorskip("torch")
# what torch.func itself calls
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")

L2 = 0.3
NUMPY = Backend("numpy", np, "cpu")
EXACT = {"rtol": 1e-10, "atol": 1e-12}
ENTRIES = {"whole": None, "weighted": np.array([4, 0, 9, 9, 17, 22])}


class Posed:
    """A model on all rows, or on some that may have weights, at a point; and its formula."""

    def __init__(self, name, of, rng):
        self.case = case = CASES[name]
        self.X, self.y, self.flat = make_data(case, rng)
        self.model = case.make(self.X, self.y, L2)
        self.w = case.w(NUMPY, self.flat)
        rows, weights = ENTRIES[of], np.ones(ROWS)
        if rows is not None:
            self.X, self.y = self.X[rows], self.y[rows]
            weights = rng.uniform(0.5, 2.0, len(rows))
            self.model = self.model.rows(rows, weights)
        self.rows = len(self.X)
        self.share = (ROWS if case.total else 1.0) * weights / self.rows  # c_i
        self.tX, self.ty, self.tw = map(torch.asarray, (self.X, self.y, self.flat))

    def row_losses(self, w):
        return self.case.losses(self.case.outputs(w, self.tX), self.ty) * torch.asarray(self.share)

    def f(self, w):
        penalty = torch.asarray(self.case.penalised) * w**2
        return self.row_losses(w).sum() + L2 / 2 * penalty.sum()

    def jacobian(self):
        """Of the outputs, (rows, k, n)."""
        J = torch.func.jacrev(lambda w: self.case.outputs(w, self.tX))(self.tw).numpy()
        return J.reshape(self.rows, -1, self.case.n)

    def loss_hessians(self):
        """c_i H_i, (rows, k, k)."""
        z = self.case.outputs(self.tw, self.tX)
        one = lambda z, y: self.case.losses(z[None], y[None])[0]  # noqa: E731
        H = torch.vmap(torch.func.hessian(one))(z, self.ty).numpy()
        k = 1 if z.ndim == 1 else z.shape[1]
        return H.reshape(self.rows, k, k) * self.share[:, None, None]

    def gauss_newton(self):
        """J' H J, without the penalty."""
        J = self.jacobian()
        return np.einsum("ika,ikl,ilb->ab", J, self.loss_hessians(), J)

    def penalty(self):
        return L2 * np.diag(self.case.penalised)

    def row_gradients(self):
        """Of each row's own loss: their mean is the gradient."""
        return torch.func.jacrev(self.row_losses)(self.tw).numpy() * self.rows


@pytest.fixture(params=CASES)
def name(request):
    return request.param


@pytest.fixture(params=ENTRIES)
def posed(request, name, rng):
    return Posed(name, request.param, rng)


def test_value_and_gradient(posed):
    value, grad = posed.model(posed.w)
    np.testing.assert_allclose(value, posed.f(posed.tw).item(), **EXACT)
    np.testing.assert_allclose(posed.model.value(posed.w), value, rtol=1e-14)
    expected = torch.func.grad(posed.f)(posed.tw).numpy()
    np.testing.assert_allclose(posed.case.flat(NUMPY, grad), expected, **EXACT)


def test_hessian(posed):
    expected = torch.func.hessian(posed.f)(posed.tw).numpy()
    np.testing.assert_allclose(posed.model.hessian(posed.w).dense(), expected, **EXACT)


def test_gauss_newton_and_its_root(posed):
    expected = posed.gauss_newton()
    matrix = posed.model.gauss_newton(posed.w)
    np.testing.assert_allclose(matrix.dense() - posed.penalty(), expected, **EXACT)
    if matrix.has_diagonal:
        np.testing.assert_allclose(matrix.diagonal(), np.diag(expected + posed.penalty()), **EXACT)
    R = matrix.root()
    np.testing.assert_allclose(R.dense().T @ R.dense(), expected, **EXACT)
    np.testing.assert_allclose(R.T.dense(), R.dense().T, **EXACT)


def test_gradients_of_the_rows(posed):
    expected, gradients = posed.row_gradients(), posed.model.per_sample(posed.w)
    np.testing.assert_allclose(gradients.matrix(), expected, **EXACT)
    np.testing.assert_allclose(gradients.dense(), expected, **EXACT)
    np.testing.assert_allclose(gradients.T.dense(), expected.T, **EXACT)
    mean = gradients.mean(gradients.coefficients)
    np.testing.assert_allclose(mean, expected.mean(axis=0), **EXACT)
    assert len(gradients.coefficients) == posed.rows


def test_coefficients_of_another_point_keep_its_gradient(posed):
    there = posed.case.w(NUMPY, posed.flat + 0.5)
    old = posed.model.per_sample(posed.w).coefficients
    mean = posed.model.per_sample(there).mean(old)
    np.testing.assert_allclose(mean, posed.row_gradients().mean(axis=0), **EXACT)


def outer(case, factors):
    """The gradient of each row that factors stand for, (rows, n)."""
    whole = np.full((len(factors[0].inputs), case.n), np.nan)
    for layer in factors:
        assert layer.inputs.ndim == layer.slopes.ndim == 2
        products = np.einsum("ia,ib->iab", layer.inputs, layer.slopes)
        whole[:, layer.span] = products.reshape(len(whole), -1)
    return whole


def test_factors_of_the_true_labels_are_the_rows_gradients(posed):
    for operator in (posed.model.gauss_newton(posed.w), posed.model.hessian(posed.w)):
        rows = outer(posed.case, operator.factors())
        np.testing.assert_allclose(rows, posed.row_gradients(), **EXACT)


def draws(posed, monkeypatch):
    """Hand out every label a row can have in turn, with its probability as the weight.

    Normal labels are stood for by noise along one output, of the same covariance.
    """
    z = posed.case.outputs(posed.tw, posed.tX)
    if posed.case.targets in ("binary", "labels"):
        p = torch.softmax(torch.stack([z * 0, z], 1) if z.ndim == 1 else z, 1).numpy()
        p = p[:, ::-1] if z.ndim == 1 else p  # u < p(1) is label 1
        ends = np.cumsum(p, axis=1)
        for label in range(p.shape[1]):
            middle = ends[:, label] - p[:, label] / 2
            monkeypatch.setattr("hessx.models._losses.uniform", lambda *_, u=middle: u)
            yield p[:, label]
        return
    k = 1 if z.ndim == 1 else z.shape[1]
    for output in range(k):
        for sign in (-1.0, 1.0):
            noise = np.zeros((posed.rows, k))
            noise[:, output] = sign * np.sqrt(k)
            monkeypatch.setattr("hessx.models._losses.normal", lambda *_, u=noise: u)
            yield np.full(posed.rows, 1 / (2 * k))


def test_labels_of_the_model_have_the_gauss_newton_matrix_as_covariance(posed, monkeypatch):
    """Exact expectation over all labels: each row's is independent of the others."""
    operator = posed.model.gauss_newton(posed.w)
    second = np.zeros((posed.case.n, posed.case.n))
    first = np.zeros((posed.rows, posed.case.n))
    for probabilities in draws(posed, monkeypatch):
        rows = outer(posed.case, operator.factors(0))
        first += probabilities[:, None] * rows
        second += np.einsum("i,ia,ib->ab", probabilities, rows, rows) / posed.rows
        np.testing.assert_allclose(operator.sampled_gradient(0), rows.mean(axis=0), **EXACT)
    np.testing.assert_allclose(first, 0.0, atol=1e-12)
    np.testing.assert_allclose(second, posed.gauss_newton(), **EXACT)


@pytest.mark.parametrize("name", ["logistic", "multinomial", "sigmoid, squared"])
def test_sampled_gradients_follow_their_seed(name, rng):
    posed = Posed(name, "whole", rng)
    operator = posed.model.gauss_newton(posed.w)
    np.testing.assert_array_equal(operator.sampled_gradient(3), operator.sampled_gradient(3))
    assert not np.array_equal(operator.sampled_gradient(3), operator.sampled_gradient((3, 1)))
    samples = np.array([operator.sampled_gradient((5, t)) for t in range(2000)])
    expected = np.diag(posed.gauss_newton())
    np.testing.assert_allclose(ROWS * samples.var(axis=0), expected, rtol=0.15)
    spread = np.sqrt(expected / ROWS / len(samples))
    assert np.all(abs(samples.mean(axis=0)) < 4 * spread)
