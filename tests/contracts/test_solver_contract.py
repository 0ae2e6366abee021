"""What every solver promises on every backend: kind, solution, counts, an honest success."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import hessx
from _helpers.runs import bowl
from _helpers.solvers import EVERY, LEARNING, MINIMISER, WEIGHTS, Quadratic, products, quadratic_at
from hessx import _xp

METHODS = EVERY | LEARNING
every_solver = pytest.mark.parametrize("name", METHODS)


@pytest.mark.whole
@every_solver
def test_kind_solution_counts_and_success(backend, name):
    fun = Quadratic(backend)
    x0 = backend.asarray(np.zeros((2, 3)))
    result = hessx.minimize(fun, x0, jac=True, method=METHODS[name], **products(name, fun))
    backend.assert_same_kind(result.x, x0)
    backend.assert_same_kind(result.jac, x0)
    assert type(result.fun) is float
    assert result.success, result.message
    assert result.outcome is hessx.Outcome.CONVERGED_GRADIENT
    assert result.status == 0
    if "jacobi" not in name:  # there they are made from a matrix
        assert result.nhev == result.counts.products == fun.products
    assert result.nfev == result.njev == fun.calls
    assert result.counts.values == fun.calls
    assert 1 <= result.nit < result.nfev

    x = backend.to_numpy(result.x).astype(np.float64)
    value, grad = quadratic_at(x.ravel())
    gtol = 1e-5 if backend.dtype_name == "float64" else 1e-3
    rounding = 4 * backend.eps * (WEIGHTS * (abs(x) + abs(MINIMISER))).max()
    assert abs(grad).max() <= gtol + rounding
    np.testing.assert_allclose(backend.to_numpy(result.jac).ravel(), grad, atol=rounding)
    assert abs(result.fun - value) <= 10 * backend.eps * value + rounding * abs(grad).sum()
    assert abs(x - MINIMISER).max() <= gtol + rounding  # the weights are at least 1


@every_solver
def test_observers_add_no_fetch(backend, name, capsys):
    if backend.lazy:
        pytest.skip("the ledger is the same on every backend; this one takes long")

    def run(**observers):
        x0 = backend.asarray(np.zeros((2, 3)))
        fun = Quadratic(backend)
        settings = {"jac": True, "method": METHODS[name], "options": {"maxiter": 4}}
        settings |= products(name, fun)
        with _xp.record_fetches() as ledger:
            result = hessx.minimize(fun, x0, **settings, **observers)
        return ledger, backend.to_numpy(result.x)

    seen = []
    alone, x = run()
    ledger, observed = run(history=True, progress=True, callback=lambda x: seen.append(x))
    assert ledger == alone
    assert len(seen) >= 1
    np.testing.assert_array_equal(observed, x)


@every_solver
def test_the_history_is_what_happened(name):
    evaluated = []

    def fun(x):
        evaluated.append((x, *bowl(x)))
        return evaluated[-1][1:]

    method = METHODS["gd-armijo"] if name == "inverse" else METHODS[name]
    steps = []
    result = hessx.minimize(
        fun,
        np.array([1.5, 0.5]),
        jac=True,
        method=method,
        history=True,
        callback=steps.append,
        options={"maxiter": 6},
        **products(name, bowl),
    )
    history, points = result.history, [evaluated[0][0], *steps]
    assert len(history) == result.nit + 1 == len(points)
    assert history["iteration"] == list(range(result.nit + 1))
    assert history["value"] == [float(bowl(x)[0]) for x in points]
    assert history["grad_norm"] == [abs(bowl(x)[1]).max() for x in points]
    moves = [b - a for a, b in pairwise(points)]
    lengths = [np.linalg.norm(move) for move in moves]
    np.testing.assert_allclose(history["step_norm"][1:], lengths, rtol=1e-7)
    assert history["evaluations"][-1] == result.nfev
    assert sum(history["trials"]) == result.nfev - 1
    cosines = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in pairwise(moves)]
    np.testing.assert_allclose(history["cosine"][2:], cosines, atol=1e-6)


@every_solver
def test_one_variable(name):
    if name == "inverse":
        method = hessx.LineSearchMethod(hessx.ExactInverse([[2.0]]), hessx.HagerZhang())
    else:
        method = METHODS[name]
    result = hessx.minimize(
        lambda x: ((x @ x) - 2 * x[0], 2 * x - 2),
        [4.0],
        jac=True,
        hess=lambda x: np.array([[2.0]]),
        method=method,
    )
    assert result.success, result.message
    assert result.x.shape == (1,)
    assert abs(result.x[0] - 1.0) <= 5e-6


@every_solver
def test_a_start_without_gradient_is_returned(backend, name):
    fun = Quadratic(backend)
    result = hessx.minimize(
        fun, fun.c, jac=True, method=METHODS[name], options={"gtol": 0.0}, **products(name, fun)
    )
    assert result.success
    assert (result.nit, result.nfev, result.fun) == (0, 1, 0.0)
    backend.assert_same_kind(result.x, fun.c)
    np.testing.assert_array_equal(backend.to_numpy(result.x), MINIMISER.astype(backend.dtype_name))


@every_solver
@pytest.mark.parametrize("limit", [1, 2, 5])
def test_limits_hold(name, limit):
    calls = []

    def fun(x):
        calls.append(1)
        return bowl(x)  # no quadratic: nobody meets its minimiser in five evaluations

    def run(**options):
        calls.clear()
        options = {"gtol": 0.0, **options}
        x0, more = np.linspace(1.3, 2.2, 6), products(name, bowl)
        result = hessx.minimize(fun, x0, jac=True, method=METHODS[name], options=options, **more)
        assert result.nfev == len(calls)
        return result

    by_iterations = run(maxiter=limit)
    assert by_iterations.outcome is hessx.Outcome.LIMIT_ITERATIONS
    assert (by_iterations.nit, by_iterations.status) == (limit, 1)
    assert not by_iterations.success
    assert f"{limit} iterations" in by_iterations.message
    by_calls = run(maxfun=limit)
    assert by_calls.outcome is hessx.Outcome.LIMIT_EVALUATIONS
    assert by_calls.nfev == limit
    assert f"limit {limit}" in by_calls.message
    assert run(maxiter=0).nfev == 1
