"""Numerical trouble: the best point is kept, holes are stepped away from, the outcome says it."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from _helpers.runs import chained_rosenbrock
from _helpers.solvers import EVERY, NEWTON, products
from hessx import Outcome
from hessx._xp import _numpy_rows

SECOND = [name for name in NEWTON if "jacobi" not in name]
SEARCHING = ["lbfgs-hz", "lbfgs-mt", "cg-hz", "cg-pr+", "gd-armijo", *SECOND]
GROWING = ["lbfgs-hz", "lbfgs-mt", "cg-hz", "cg-pr+", "newton-hz"]  # beyond their first trials
EAGER = ("numpy", "strict", "torch", "fakegpu", "jax-float32", "cupy-signatures", "cupy")
START = np.array([-1.2, 1.0, 0.8, 0.5, 1.5, 0.0])


def lowest(evaluated):
    """The finite evaluation with the lowest value."""
    finite = [e for e in evaluated if np.isfinite(e[1]) and np.isfinite(e[2]).all()]
    return min(finite, key=lambda e: e[1])


@pytest.mark.parametrize("name", SEARCHING)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.backends(*EAGER)
def test_f_that_breaks_down_gives_the_best_point(backend, name, bad):
    evaluated = []

    def fun(x):
        value, grad = chained_rosenbrock(x)
        if len(evaluated) >= 6:
            value = value * bad
        evaluated.append((backend.to_numpy(x), float(value), backend.to_numpy(grad)))
        return value, grad

    x0 = backend.asarray(START)
    with np.errstate(invalid="ignore"):
        more = products(name, chained_rosenbrock)
        result = hessx.minimize(fun, x0, jac=True, method=EVERY[name], **more)
    x, value, grad = lowest(evaluated)
    backend.assert_same_kind(result.x, x0)
    np.testing.assert_array_equal(backend.to_numpy(result.x), x)
    np.testing.assert_array_equal(backend.to_numpy(result.jac), grad)
    assert result.fun == value
    assert result.outcome is Outcome.FAILED_NONFINITE
    assert (result.success, result.status) == (False, 3)
    assert result.nfev == len(evaluated)


@pytest.mark.parametrize("name", SEARCHING)
@pytest.mark.parametrize("width", [2**17, 2], ids=["whole rows", "blocks"])
@pytest.mark.backends("numpy")
def test_a_trial_whose_squares_overflow_is_left_quietly(backend, name, width, monkeypatch):
    """Warnings are errors here: numerical trouble is not the user's to hear of."""
    monkeypatch.setattr(_numpy_rows, "_WIDTH", width)
    calls = []

    def fun(x):
        value, grad = chained_rosenbrock(x)
        calls.append(value)
        if len(calls) == 2:
            huge = np.sqrt(np.finfo(x.dtype).max) * 100
            return float(huge), grad * 0 + huge
        return value, grad

    more = products(name, chained_rosenbrock)
    x0 = backend.asarray(START)
    more["options"] = {"maxfun": 300}  # Armijo's rule goes on for thousands
    result = hessx.minimize(fun, x0, jac=True, method=EVERY[name], **more)
    assert np.isfinite(result.x).all()
    assert result.fun <= calls[0]
    # MINPACK-2's interpolation with so large a value ends at alpha = 0
    assert name == "lbfgs-mt" or result.fun < calls[0] / 10


@pytest.mark.parametrize("name", SEARCHING)
def test_a_wrong_gradient_ends_as_a_failed_search(name):
    """Uphill directions: no trial is lower, the start is the best point."""
    evaluated = []

    def fun(x):
        evaluated.append((x, float(x @ x), -2.0 * x))
        return evaluated[-1][1:]

    more = {"hessp": lambda x, v: 2.0 * v} if name in NEWTON else {}
    result = hessx.minimize(fun, np.array([1.0, 2.0]), jac=True, method=EVERY[name], **more)
    assert not result.success
    assert result.outcome in (
        Outcome.FAILED_LINE_SEARCH,
        Outcome.FAILED_TRUST_REGION,
        Outcome.STALLED_PRECISION,
    )
    np.testing.assert_array_equal(result.x, lowest(evaluated)[0])
    assert result.fun == 5.0
    assert "gradient norm 4" in result.message


@pytest.mark.parametrize("name", SEARCHING)
def test_a_gradient_that_lies_later_keeps_the_best_point(name):
    evaluated = []

    def fun(x):
        value, grad = chained_rosenbrock(x)
        if len(evaluated) > (4 if name in ("arc-exact", "dogleg") else 8):  # sooner than they end
            grad = -grad
        evaluated.append((x, float(value), grad))
        return evaluated[-1][1:]

    more = products(name, chained_rosenbrock) | {"options": {"maxfun": 300}}
    result = hessx.minimize(fun, START, jac=True, method=EVERY[name], **more)
    assert not result.success
    x, value, grad = lowest(evaluated)
    assert result.fun == value
    np.testing.assert_array_equal(result.x, x)
    np.testing.assert_array_equal(result.jac, grad)


@pytest.mark.parametrize("curvature", [hessx.Identity(), hessx.NonlinearCG(), hessx.LBFGS()])
@pytest.mark.backends(*EAGER)
def test_values_that_rise_give_the_best_point_met(backend, curvature):
    """alpha = 1.05 on f'' = 2 overshoots more each step; the first step still lowers the other."""
    evaluated = []
    weights = backend.asarray([2.0, 1.0])

    def fun(x):
        grad = weights * x
        value = (grad @ x) / 2.0
        evaluated.append((backend.to_numpy(x), float(value), backend.to_numpy(grad)))
        return value, grad

    method = hessx.LineSearchMethod(curvature, hessx.FixedStep(1.05))
    result = hessx.minimize(
        fun,
        backend.asarray([0.1, 1.0]),
        jac=True,
        method=method,
        options={"maxiter": 7, "gtol": 0.0},
    )
    x, value, grad = lowest(evaluated)
    assert result.fun == value
    np.testing.assert_array_equal(backend.to_numpy(result.x), x)
    np.testing.assert_array_equal(backend.to_numpy(result.jac), grad)
    if type(curvature) is hessx.Identity:
        assert evaluated[-1][1] > value
    assert not result.success


@pytest.mark.parametrize("name", GROWING)
def test_minus_infinity_is_unbounded(backend, name):
    """f = -exp(x) falls ever faster, to -inf."""
    xp = backend.xp

    def fun(x):
        grad = -xp.exp(x)
        return xp.sum(grad), grad

    with np.errstate(over="ignore", invalid="ignore"):
        result = hessx.minimize(
            fun,
            backend.asarray([1.0, 0.0]),
            jac=True,
            hessp=lambda x, v: -xp.exp(x) * v,
            method=EVERY[name],
            options={"maxiter": 99},
        )
    assert result.outcome is Outcome.UNBOUNDED_BELOW
    assert (result.success, result.status) == (False, 4)
    assert np.isfinite(result.fun)
    assert np.isfinite(backend.to_numpy(result.x)).all()


@pytest.mark.parametrize("name", [*GROWING, "trust", "trust-by-threes"])
def test_a_lower_limit_set_by_the_user_is_unbounded_too(name):
    result = hessx.minimize(
        lambda x: (-float(x @ x), -2.0 * x),
        np.ones(2),
        jac=True,
        method=EVERY[name],
        options={"lower_limit": -1e6},
    )
    assert result.outcome is Outcome.UNBOUNDED_BELOW
    assert result.fun < -1e6
    assert "-1e+06" in result.message


@pytest.mark.parametrize("name", [*SEARCHING, "bb-long", "bb-short"])
@pytest.mark.parametrize("start", [1e-3, 0.5, 20.0])
@pytest.mark.backends(*EAGER)
def test_holes_are_stepped_away_from(backend, name, start):
    """f = sum x - log x: nan where x <= 0; the minimiser is at ones."""
    xp, holes = backend.xp, []

    def fun(x):
        value = xp.sum(x - xp.log(x))
        holes.append(bool(xp.isnan(value)))
        return value, 1.0 - 1.0 / x

    x0 = backend.asarray([start, 1.0, 2.0])
    gtol = 1e-4 if backend.dtype_name == "float64" else 1e-3
    with np.errstate(invalid="ignore", divide="ignore"):
        result = hessx.minimize(fun, x0, jac=True, method=EVERY[name], options={"gtol": gtol})
    assert result.success, result.message
    # f'' = 1 / x^2 at ones is 1
    np.testing.assert_allclose(backend.to_numpy(result.x), 1.0, atol=2 * gtol)


def test_some_of_those_starts_do_meet_a_hole():
    trials = []

    def fun(x):
        trials.append(x.min())
        return float((x - np.log(x)).sum()), 1.0 - 1.0 / x

    with np.errstate(invalid="ignore", divide="ignore"):
        hessx.minimize(fun, np.array([20.0, 1.0, 2.0]), jac=True, method="gd", x_scale=100.0)
    assert min(trials) < 0.0


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("size", [1e-170, 1e160])
def test_squares_that_leave_the_range_raise_nothing(name, size):
    """g'g is 0 or inf in float64 where g is not."""

    def fun(x):
        return size * float(x @ x), 2.0 * size * x

    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        result = hessx.minimize(
            fun, np.arange(1.0, 7.0), jac=True, method=EVERY[name], options={"gtol": 0.0}
        )
    assert np.isfinite(result.fun)
    assert result.fun <= size * 91.0


@pytest.mark.parametrize("name", SECOND)
def test_a_step_whose_square_leaves_the_range_raises_nothing(name):
    """f = g'x + x'Dx / 2: curvatures near 1e-156, so that CG's steps along p are near 1e156."""
    d, g = np.array([1e-156, 2e-156, 3e-156]), np.array([1e-75, 1e-75, 2e-75])
    result = hessx.minimize(
        lambda x: (g @ x + 0.5 * x @ (d * x), g + d * x), np.zeros(3), jac=True,
        hessp=lambda x, v: d * v, method=EVERY[name], options={"gtol": 1e-83},
    )  # fmt: skip
    assert result.success, result.message
    np.testing.assert_allclose(result.x, -g / d, rtol=1e-7)


@pytest.mark.parametrize("degree", [3, 5, 7])
@pytest.mark.parametrize("name", ["newton-hz", "newton-mt-by-threes"])
def test_values_whose_terms_cancel_in_float32(name, degree):
    """A polynomial fit: f is a sum of squares of small differences between large numbers.

    Its rounding is many times eps(f), and yet the slopes lead to the least-squares solution.
    """
    t = np.linspace(-1.8, 1.8, 25)
    X = np.vander(t, degree + 1, increasing=True).astype("float32")
    for seed in range(8):
        noise = 0.1 * np.random.default_rng(seed).standard_normal(25)
        y = (10.0 * np.exp(t) + noise).astype("float32")
        result = hessx.minimize(
            lambda x, y=y: (((X @ x - y) ** 2).sum() / 2, X.T @ (X @ x - y)),
            np.zeros(degree + 1, "float32"), jac=True, hessp=lambda x, v: X.T @ (X @ v),
            method=EVERY[name], options={"maxfun": 30},
        )  # fmt: skip
        assert result.success, result.message
        _, best, *_ = np.linalg.lstsq(X.astype(float), y.astype(float))
        residual = X.astype(float) @ result.x - y
        assert residual @ residual == pytest.approx(best[0], rel=1e-3)


@pytest.mark.parametrize("name", ["lbfgs", "cg", "gd"])
def test_a_caller_who_turned_warnings_into_errors_loses_no_run(name):
    """f falls towards a region without values: what is nan there stays an outcome."""

    def hole(x):
        if x @ x > 2.0:
            return np.nan, np.full_like(x, np.nan)
        return -x @ x, -2.0 * x

    with np.errstate(all="raise"):
        result = hessx.minimize(
            hole, [0.1, -0.2], jac=True, method=name, options={"maxiter": 30, "gtol": 0.0}
        )
    assert not result.success
    assert -2.0 <= result.fun < -0.05
