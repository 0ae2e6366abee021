"""Success means that the stated test holds at x, and the numbers in the message are those of x."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest

import hessx
from _helpers.mancino import Mancino
from _helpers.runs import chained_rosenbrock
from _helpers.solvers import EVERY, NEWTON
from hessx import Outcome
from hessx.globalization import HagerZhang, MoreThuente, Ray, Verdict
from reference.quasi_newton import dense_inverse

NAMED = ["lbfgs", "cg", "gd", "newton-cg", "trust-ncg", "trust-krylov"]
SECOND = {"newton-cg", "trust-ncg", "trust-krylov", *NEWTON}


def bowl_of(h, centre=0.0):
    def fun(x):
        return h @ (x - centre) ** 2 / 2.0, h * (x - centre)

    return fun


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("norm", [2, np.inf])
def test_the_norm_of_the_test_is_that_of_x(backend, name, norm):
    """With x_scale = 1e-6 the gradient in x / x_scale is a million times smaller."""
    xp, h = backend.xp, backend.asarray([1.0, 1e4])

    def fun(x):
        grad = h * (x - 1.0)
        return xp.sum(grad * (x - 1.0)) / 2.0, grad

    more = {"hessp": lambda x, v: h * v} if name in SECOND else {}
    gtol = 1e-5 if backend.dtype_name == "float64" else 1e-2
    result = hessx.minimize(
        fun,
        backend.asarray([3.0, 3.0]),
        jac=True,
        method=name,
        options={"norm": norm, "gtol": gtol, "maxfun": 60},
        x_scale=backend.asarray([1e-6, 1e-6]),
        **more,
    )
    grad = backend.to_numpy(result.jac).astype(float)
    if result.outcome is Outcome.CONVERGED_GRADIENT:
        assert np.linalg.norm(grad, ord=norm) <= gtol * (1 + 1e-6)
    assert result.success or name in ("gd", "cg"), result.message


@pytest.mark.parametrize("variant", ["long", "short"])
def test_a_rise_of_f_is_no_convergence_of_its_value(variant):
    method = hessx.LineSearchMethod(hessx.Identity(), hessx.BarzilaiBorwein(variant))
    result = hessx.minimize(
        bowl_of(np.array([1.0, 30.0, 300.0])), np.ones(3), jac=True, method=method,
        options={"ftol": 1e-3, "gtol": 0.0}, history=True,
    )  # fmt: skip
    assert result.history.rises > 0  # of these steps
    values = result.history["value"]
    assert result.outcome is Outcome.CONVERGED_VALUE
    assert values[-1] <= values[-2] and values[-1] == min(values)
    assert result.fun < 1e-3


def test_a_diverging_fixed_step_is_no_convergence():
    method = hessx.LineSearchMethod(hessx.Identity(), hessx.FixedStep(1.05))
    options = {"ftol": 1e-2, "gtol": 0.0, "maxiter": 50}
    result = hessx.minimize(
        bowl_of(np.array([2.0])), [1.0], jac=True, method=method, options=options
    )
    assert not result.success
    assert result.fun == 1.0  # the start is the best point


@pytest.mark.parametrize("n", [5, 12])
@pytest.mark.parametrize("name", NAMED)
def test_a_tiny_step_of_an_exhausted_search_does_not_meet_xtol(name, n):
    """Newton's products by differences once ended at f = 7e12 here; the minimum is 0."""
    problem = Mancino(n)
    options = {"xtol": 1e-5, "maxfun": 3000}
    result = hessx.minimize(problem.fun, problem.x0, jac=problem.jac, method=name, options=options)
    assert result.success, result.message
    # curvatures near (14 n)^2: a step of 1e-5 is worth a gradient of (14 n)^2 1e-5
    assert abs(problem.jac(result.x)).max() <= 10 * (14 * n) ** 2 * 1e-5


@pytest.mark.parametrize("name", NAMED)
def test_xtol_is_met_by_full_steps(name):
    more = {"hess": lambda x: np.diag([1.0, 10.0])} if name in SECOND else {}
    result = hessx.minimize(
        bowl_of(np.array([1.0, 10.0])), [1.0, 1.0], jac=True, method=name,
        options={"xtol": 1e-3, "gtol": 0.0}, **more,
    )  # fmt: skip
    assert result.success
    np.testing.assert_allclose(result.x, 0.0, atol=1e-3)


@pytest.mark.parametrize("name", ["lbfgs", "cg", "gd"])
def test_a_start_within_the_tolerance_is_not_called_stationary(name):
    result = hessx.minimize(bowl_of(np.ones(2)), [1e-6, 0.0], jac=True, method=name)
    assert result.success and result.nfev == 1
    assert "stationary" not in result.message
    assert "x0 meets the tolerance" in result.message


@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["minimised", "maximised"])
@pytest.mark.parametrize("name", NAMED)
def test_the_numbers_are_those_of_the_returned_point(name, sign):
    """A gradient that lies after some calls: the run ends without success, at its best point."""
    calls = []

    def fun(x):
        value, grad = chained_rosenbrock(x)
        calls.append(value)
        return sign * value, sign * (-grad if len(calls) > 8 else grad)

    more = {"hess": lambda x: sign * 100.0 * np.eye(4)} if name in SECOND else {}
    x0 = np.array([-1.2, 1.0, 0.8, 0.5])
    result = hessx.minimize(
        fun, x0, jac=True, method=name, maximize=sign < 0.0, options={"maxfun": 500}, **more
    )
    assert not result.success
    assert result.fun == sign * chained_rosenbrock(result.x)[0]
    found = re.search(r"f = (\S+), gradient norm (\S+?)( |$)", result.message)
    assert found, result.message
    assert float(found[1]) == pytest.approx(result.fun, rel=1e-5)
    assert float(found[2]) == pytest.approx(abs(result.jac).max(), rel=1e-2)


def test_no_norm_is_negative():
    result = hessx.minimize(lambda x: (0.0, -0.0 * x), [1.0, 2.0], jac=True)
    assert "norm 0 " in result.message


@pytest.mark.parametrize("memory", [3, None])
def test_hess_inv_after_a_failed_search_is_that_of_before(backend, memory):
    """The gradient turns round after some calls: BFGS of the pairs of all steps until then, dense.

    Where the memory is full, the last trial stands in the room of the oldest pair.
    """
    h = backend.asarray([1.0, 4.0, 9.0])
    grads, steps = [], []

    def fun(x):
        grad = h * x
        grads.append(-grad if len(grads) > 6 else grad)
        return (grad @ x) / 2.0, grads[-1]

    def callback(x):
        steps.append([backend.to_numpy(x), backend.to_numpy(grads[-1])])

    method = hessx.LineSearchMethod(hessx.LBFGS(memory=memory), HagerZhang())
    x0 = backend.asarray([3.0, 2.0, 1.0])
    options = {"gtol": 1e-30}
    result = hessx.minimize(fun, x0, jac=True, method=method, callback=callback, options=options)
    assert not result.success
    assert result.nfev > len(steps) + 30  # a search failed, and after a restart another one
    steps = [[backend.to_numpy(x0), backend.to_numpy(grads[0])], *steps]
    pairs = np.diff(np.asarray(steps, float), axis=0)
    assert 3 < len(pairs) < 10
    if memory is None:  # for more pairs than there are variables
        gamma = max(np.linalg.norm(s) / np.linalg.norm(y) for s, y in pairs)
    else:
        pairs = pairs[1 - memory :]
        s, y = pairs[-1]
        gamma = s @ y / (y @ y)
    found = [backend.to_numpy(result.hess_inv @ backend.asarray(row)) for row in np.eye(3)]
    np.testing.assert_allclose(found, dense_inverse(pairs, gamma, 3), atol=1e3 * backend.eps)


@pytest.mark.parametrize("rule", [HagerZhang(), MoreThuente()])
def test_alpha_of_an_accepted_trial_is_that_of_the_trial(rule):
    """Beside holes searches settle: 2000 rays with a hole somewhere."""
    rng = np.random.default_rng(0)
    settled = 0
    for _ in range(2000):
        least, edge = 10.0 ** rng.uniform(-2, 2, 2)
        search = rule.search(Ray(value=least**2, slope=-2.0 * least, alpha=1.0, eps=2.0**-52))
        verdict, tried = Verdict.TRY, []
        while verdict is Verdict.TRY:
            alpha = search.alpha
            tried.append(alpha)
            inside = alpha < edge
            value = (alpha - least) ** 2 if inside else np.nan
            verdict = search.advance(value, 2.0 * (alpha - least) if inside else np.nan)
        if verdict is Verdict.ACCEPTED:
            assert search.alpha == tried[-1]
            settled += search.settled
    assert settled > 100


@pytest.mark.parametrize("wall", [1e10, 1e25, 1e100, 1e300])
@pytest.mark.parametrize("slope", [0.0, 1.0, -1.0, 1e25])
@pytest.mark.parametrize("name", ["cg", "gd", "lbfgs"])
def test_a_huge_finite_penalty(name, slope, wall):
    """x + 1 / x, and a penalty for x <= 0; the minimum is 2 at 1."""

    def fun(x):
        if x[0] <= 0.0:
            return wall, np.array([slope])
        return x[0] + 1.0 / x[0], 1.0 - 1.0 / x**2

    for start in (1e-6, 1e-3, 1e-2, 0.1, 0.5, 2.0, 50.0):
        result = hessx.minimize(fun, [start], jac=True, method=name)
        assert result.success, (start, result.message)
        np.testing.assert_allclose(result.x, 1.0, atol=1e-4)


def test_cg_begins_as_scipys_does():
    """alpha = min(1, 1 / norm(g)): where norm(g) = 0.01 the first step is 0.01 long."""
    optimize = pytest.importorskip("scipy.optimize")
    for size in (0.01, 30.0):
        ours, theirs = [], []
        for seen, minimize in ((ours, hessx.minimize), (theirs, optimize.minimize)):

            def fun(x, seen, size):
                seen.append(float(x[0]))
                return size * x[0] ** 2 / 2, size * x

            minimize(fun, [1.0], (seen, size), jac=True, method="CG")
        assert ours[1] == pytest.approx(theirs[1], abs=0.02 * min(1.0, size))
    with pytest.raises(hessx.SettingsError, match="first_alpha = 0"):
        hessx.LineSearchMethod(hessx.NonlinearCG(), HagerZhang(), first_alpha=0.0)


@pytest.mark.parametrize("start", [(3e-6, 33.0), (3e-3, 33.0), (3e-9, 330.0)])
@pytest.mark.parametrize("name", ["newton-cg", "newton-hz", "newton-mt-by-threes"])
def test_the_piece_along_negative_curvature_expands(name, start):
    """2500 x^2 + 0.01 log(1 + (z - 1)^2): a stiff valley with a long concave floor."""

    def fun(x):
        d = x[1] - 1.0
        grad = np.array([5000.0 * x[0], 0.02 * d / (1.0 + d * d)])
        return 2500.0 * x[0] ** 2 + 0.01 * np.log1p(d * d), grad

    def hess(x):
        square = (x[1] - 1.0) ** 2
        return np.diag([5000.0, 0.02 * (1.0 - square) / (1.0 + square) ** 2])

    method = EVERY.get(name, name)
    result = hessx.minimize(fun, start, jac=True, hess=hess, method=method, tol=1e-8)
    assert result.success, result.message
    np.testing.assert_allclose(result.x, [0.0, 1.0], atol=1e-5)
    assert result.nit <= 40


def test_the_gradient_of_a_step_lost_in_x_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = hessx.minimize(
            lambda x: np.inf if x[0] > 0.5 else (x[0] - 1.0) ** 2, [0.0], method="CG"
        )
    assert np.isfinite(result.fun)
