"""As good as SciPy's L-BFGS-B on SciPy's ground, and in its place."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import hessx

optimize = pytest.importorskip("scipy.optimize")
datasets = pytest.importorskip("sklearn.datasets")

L2 = 1e-3


def standardised(X):
    spread = X.std(axis=0)
    return np.where(spread > 0.0, (X - X.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0), 0.0)


def breast_cancer():
    return datasets.load_breast_cancer(return_X_y=True)


def digits():
    X, digit = datasets.load_digits(return_X_y=True)
    return X, digit == 0


class Loss:
    """Mean log-loss plus l2/2 |w|^2, the intercept last and free; counts combined calls."""

    def __init__(self, X, y):
        self.X = np.column_stack([standardised(X), np.ones(len(X))])
        self.sign = np.where(y, 1.0, -1.0)
        self.free = np.append(np.ones(X.shape[1]), 0.0)
        self.calls = 0

    def __call__(self, w):
        from scipy.special import expit

        self.calls += 1
        margin = self.sign * (self.X @ w)
        weights = self.free * w
        value = np.logaddexp(0.0, -margin).mean() + L2 / 2.0 * weights @ weights
        slope = -self.sign * expit(-margin) / len(margin)
        return value, self.X.T @ slope + L2 * weights


PROBLEMS = [breast_cancer, digits]


@pytest.fixture(params=PROBLEMS, ids=lambda problem: problem.__name__)
def loss(request):
    return Loss(*request.param())


def scipys(loss, gtol):
    loss.calls = 0
    options = {"ftol": 0.0, "gtol": gtol, "maxcor": 10, "maxiter": 10_000, "maxfun": 10_000}
    w0 = np.zeros(loss.X.shape[1])
    result = optimize.minimize(loss, w0, jac=True, method="L-BFGS-B", options=options)
    return result, loss.calls


@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_no_more_calls_than_scipys(loss, library):
    _, allowed = scipys(loss, 1e-6)
    loss.calls, fun, w0 = 0, loss, np.zeros(loss.X.shape[1])
    if library == "torch":
        torch = pytest.importorskip("torch")
        w0 = torch.zeros(len(w0), dtype=torch.float64)

        def fun(w):
            value, grad = loss(w.numpy())
            return float(value), torch.from_numpy(grad)

    options = {"gtol": 1e-6, "ftol": 0.0, "maxcor": 10}
    result = hessx.minimize(fun, w0, jac=True, method="L-BFGS-B", options=options)
    assert result.success, result.message
    assert np.abs(loss(np.asarray(result.x))[1]).max() <= 1e-6
    assert result.nfev == loss.calls - 1
    assert result.nfev <= max(1.05 * allowed, allowed + 2)


def test_the_same_minimum(loss):
    expected, _ = scipys(loss, 1e-10)
    options = {"gtol": 1e-10, "ftol": 0.0}
    w0 = np.zeros(loss.X.shape[1])
    result = hessx.minimize(loss, w0, jac=True, method="L-BFGS-B", options=options)
    assert result.success, result.message
    assert abs(result.fun - expected.fun) <= 1e-10 * expected.fun


@pytest.mark.parametrize("problem", PROBLEMS)
def test_in_scipys_place_inside_scikit_learn(problem, monkeypatch):
    """The coefficients agree as well as two runs to gtol = 1e-8 can."""
    logistic = pytest.importorskip("sklearn.linear_model._logistic")
    X, y = problem()
    X = standardised(X)
    settings = {"solver": "lbfgs", "C": 1.0 / (L2 * len(X)), "tol": 1e-8, "max_iter": 10_000}
    expected = logistic.LogisticRegression(**settings).fit(X, y)
    calls = []

    class Replaced:
        @staticmethod
        def minimize(*args, **kwargs):
            calls.append(kwargs)
            return hessx.minimize(*args, **kwargs)

    monkeypatch.setattr(logistic, "optimize", Replaced)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = logistic.LogisticRegression(**settings).fit(X, y)
    assert calls
    # gradients to 1e-8 and a Hessian of at least l2 = 1e-3
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=0, atol=2e-5)
    np.testing.assert_allclose(model.intercept_, expected.intercept_, rtol=0, atol=2e-5)
    assert model.n_iter_[0] <= max(1.1 * expected.n_iter_[0], expected.n_iter_[0] + 3)


def test_scikit_learns_defaults_stop_at_the_same_iterate(monkeypatch):
    """At tol = 1e-4, far from the minimum, only the same path gives the same coefficients."""
    datasets = pytest.importorskip("sklearn.datasets")
    logistic = pytest.importorskip("sklearn.linear_model._logistic")
    X, y = datasets.load_breast_cancer(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    expected = logistic.LogisticRegression().fit(X, y)
    monkeypatch.setattr(logistic, "optimize", hessx)
    model = logistic.LogisticRegression().fit(X, y)
    assert model.n_iter_[0] == expected.n_iter_[0]
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=0, atol=1e-9)


def rosen(x):
    return optimize.rosen(x), optimize.rosen_der(x)


@pytest.mark.parametrize(
    ("method", "options"),
    [
        (
            "L-BFGS-B",
            {
                "maxcor": 7,
                "ftol": 1e-12,
                "gtol": 1e-7,
                "maxfun": 900,
                "maxiter": 400,
                "maxls": 25,
                "finite_diff_rel_step": 1e-7,
                "eps": 1e-8,
            },
        ),
        ("CG", {"gtol": 1e-7, "maxiter": 4000, "norm": np.inf, "c1": 1e-4, "c2": 0.4, "eps": 1e-8}),
    ],
)
def test_scipys_options_are_taken(method, options):
    x0 = np.full(4, 1.5)
    expected = optimize.minimize(rosen, x0, jac=True, method=method, options=options)
    result = hessx.minimize(rosen, x0, jac=True, method=method, options=options)
    assert expected.success
    assert result.success, result.message
    np.testing.assert_allclose(result.x, expected.x, atol=1e-5)


@pytest.mark.parametrize(("name", "setting"), [("disp", 1), ("iprint", -1)])
def test_options_that_only_show_change_no_number(name, setting, capsys):
    plain = hessx.minimize(rosen, [1.5, 1.5], jac=True, method="L-BFGS-B")
    options = {name: setting}
    shown = hessx.minimize(rosen, [1.5, 1.5], jac=True, method="L-BFGS-B", options=options)
    np.testing.assert_array_equal(shown.x, plain.x)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("method", ["L-BFGS-B", "CG"])
@pytest.mark.parametrize("tol", [1e-2, 1e-4, 1e-9])
def test_tol_means_what_it_means_to_scipy(method, tol):
    """tol is gtol, and for L-BFGS-B ftol too, where options do not give them."""
    by_tol = hessx.minimize(rosen, np.full(4, 1.5), jac=True, method=method, tol=tol)
    options = {"gtol": tol} if method == "CG" else {"gtol": tol, "ftol": tol}
    by_options = hessx.minimize(rosen, np.full(4, 1.5), jac=True, method=method, options=options)
    np.testing.assert_array_equal(by_tol.x, by_options.x)
    assert by_tol.nfev == by_options.nfev
    expected = optimize.minimize(rosen, np.full(4, 1.5), jac=True, method=method, tol=tol)
    assert by_tol.success
    assert expected.success
    given = hessx.minimize(
        rosen, np.full(4, 1.5), jac=True, method=method, tol=1e-2, options={"gtol": 1e-8, "ftol": 0}
    )
    assert abs(given.jac).max() <= 1e-8


def test_ftol_is_scipys_formula():
    """Stop at (f_k - f_k+1) / max(|f_k|, |f_k+1|, 1) <= ftol, the first time."""
    for ftol in (1e-2, 1e-5):
        result = hessx.minimize(
            rosen,
            np.full(4, 1.5),
            jac=True,
            history=True,
            options={"ftol": ftol, "gtol": 0.0},
        )
        assert result.outcome is hessx.Outcome.CONVERGED_VALUE
        values = np.array(result.history["value"])
        size = np.maximum(np.maximum(abs(values[:-1]), abs(values[1:])), 1.0)
        holds = (values[:-1] - values[1:]) / size <= ftol
        assert holds[-1]
        assert not holds[:-1].any()
