"""Least squares on five points of a line: the exact inverse makes every step predictable.

x = 1..5, y = 2x, f = half the sum of squares of w0 + w1 x - y.  The Hessian is [[5, 15], [15, 55]]
and the minimiser (0, 2).  With A = H^-1 and a given alpha the error is multiplied by 1 - alpha each
step.
"""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from hessx.models import LinearLeastSquares

START, SOLUTION = np.array([1.0, 1.0]), np.array([0.0, 2.0])


def problem(backend):
    """Value and gradient, written out for any library."""
    x = backend.asarray([1.0, 2.0, 3.0, 4.0, 5.0])
    y = backend.asarray([2.0, 4.0, 6.0, 8.0, 10.0])
    X = backend.asarray([[1.0, 1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 3.0, 4.0, 5.0]])

    def fun(w):
        residual = w[0] + w[1] * x - y
        return (residual @ residual) / 2.0, X @ residual

    return fun, backend.asarray([[5.0, 15.0], [15.0, 55.0]])


def run(backend, alpha, **options):
    fun, hessian = problem(backend)
    method = hessx.LineSearchMethod(hessx.ExactInverse(hessian), hessx.FixedStep(alpha))
    seen = []
    result = hessx.minimize(
        fun,
        backend.asarray(START),
        jac=True,
        method=method,
        callback=lambda w: seen.append(w),
        options={"gtol": 0.0, **options},
    )
    backend.assert_same_kind(result.x, backend.asarray(START))
    return result, [backend.to_numpy(w).astype(np.float64) for w in seen]


@pytest.mark.parametrize("steps", [25, pytest.param(400, marks=pytest.mark.long)])
def test_the_error_shrinks_by_99_percent_a_step_lazily(backend, steps):
    """A lazy library builds its graph anew for each step: 400 take most of a minute."""
    if not backend.lazy:
        pytest.skip("takes 1000 steps in the next test")
    assert_shrinking(backend, steps)


def test_the_error_shrinks_by_99_percent_a_step(backend):
    if backend.lazy:
        pytest.skip("the test before")
    assert_shrinking(backend, 1000)


def assert_shrinking(backend, steps):
    """To rounding: each step adds at most eps, which later steps shrink by 0.99 each, and changes
    the factor by eps, relative; |w| is at most 2.
    """
    result, iterates = run(backend, 0.01, maxiter=steps)
    assert result.nit == steps
    k = np.arange(1, steps + 1)[:, None]
    factor = 0.99**k
    expected = SOLUTION + factor * (START - SOLUTION)
    carried = (1.0 - factor) / 0.01  # the sum of 0.99^j, j < k
    bound = backend.eps * (carried + k * factor)
    assert (abs(np.stack(iterates) - expected) <= bound).all()


def test_a_full_step_ends_at_the_minimiser(backend):
    """To rounding: the residuals there are a few eps |y|, and the condition number is 500."""
    result, iterates = run(backend, 1.0, maxiter=1)
    assert (result.nit, result.nfev) == (1, 2)
    np.testing.assert_allclose(iterates[0], SOLUTION, rtol=0, atol=50 * backend.eps)


@pytest.mark.parametrize("method", ["lbfgs", "cg", "gd"])
def test_other_methods_find_the_same_line(backend, method):
    if backend.lazy and method == "gd":
        pytest.skip("takes long")
    fun, _ = problem(backend)
    gtol = 1e-6 if backend.dtype_name == "float64" else 1e-2
    options = {"gtol": gtol}
    result = hessx.minimize(fun, backend.asarray(START), jac=True, method=method, options=options)
    assert result.success, result.message
    # |H^-1|_inf = 1.4
    error = abs(backend.to_numpy(result.x) - SOLUTION).max()
    assert error <= 1.4 * (gtol + 500 * backend.eps)


def test_the_model_is_that_function(backend):
    X = backend.asarray([[1.0, 1.0], [1.0, 2.0], [1.0, 3.0], [1.0, 4.0], [1.0, 5.0]])
    model = LinearLeastSquares(X, backend.asarray([2.0, 4.0, 6.0, 8.0, 10.0]))
    f, g = model(backend.asarray(START))
    # residuals 0, -1, -2, -3, -4
    assert float(backend.to_numpy(f)) == 15.0
    np.testing.assert_array_equal(backend.to_numpy(g), [-10.0, -40.0])
    np.testing.assert_array_equal(
        backend.to_numpy(model.hessian().dense()), [[5.0, 15.0], [15.0, 55.0]]
    )
