"""The same iterates on every backend, up to rounding; the same counts, nearly."""

from __future__ import annotations

import functools

import array_api_compat as compat
import numpy as np
import pytest

import hessx
from _helpers.registry import make_backend
from _helpers.runs import PRODUCTS, chained_rosenbrock
from _helpers.solvers import EVERY, LEARNING, NEWTON, products

START = np.array([-1.2, 1.0, 0.75, 0.5, 1.5, 0.0])
METHODS = (
    EVERY
    | LEARNING
    | {
        "fixed": hessx.LineSearchMethod(hessx.Identity(), hessx.FixedStep(1e-3)),
        "decaying": hessx.LineSearchMethod(hessx.Identity(), hessx.DecayingStep(1e-3)),
        "inverse": hessx.LineSearchMethod(
            hessx.ExactInverse(256.0 * np.eye(6)), hessx.HagerZhang()
        ),
        # where H is nearly singular, its inverse multiplies rounding
        "newton-dense": hessx.LineSearchMethod(hessx.Newton(floor=0.01), hessx.HagerZhang()),
    }
)
QUICK = ["lbfgs-hz", "lbfgs-mt", "cg-hz", "cg-pr+", *NEWTON, *LEARNING]


def convex(x):
    """Half of sum w e^2 + e^4, e = x - 1, w = 1, 4, 9 ..., and its gradient; minimum at ones."""
    xp = compat.array_namespace(x)
    e = x - 1.0
    root = xp.arange(1.0, 7.0, dtype=x.dtype, device=compat.device(x))
    square = e * e
    weighted = root * root * e
    return (weighted @ e + square @ square) / 2.0, weighted + 2.0 * square * e


def convex_product(x, v):
    xp = compat.array_namespace(x)
    e = x - 1.0
    root = xp.arange(1.0, 7.0, dtype=x.dtype, device=compat.device(x))
    return root * root * v + 6.0 * (e * e * v)


PRODUCTS[convex] = convex_product


def run(backend, fun, name, **options):
    seen = []
    result = hessx.minimize(
        fun,
        backend.asarray(START),
        jac=True,
        method=METHODS[name],
        callback=lambda x: seen.append(x),
        options=options,
        **products(name, fun),
    )
    return result, [backend.to_numpy(x).astype(np.float64) for x in seen]


@functools.cache
def on_numpy(fun, name, maxiter, gtol):
    return run(make_backend("numpy"), fun, name, maxiter=maxiter, gtol=gtol)


@pytest.mark.whole
@pytest.mark.parametrize("name", METHODS)
def test_the_first_five_iterates(backend, name):
    _, expected = on_numpy(chained_rosenbrock, name, 5, 0.0)
    _, iterates = run(backend, chained_rosenbrock, name, maxiter=5, gtol=0.0)
    assert len(iterates) == 5
    np.testing.assert_allclose(iterates, expected, rtol=0, atol=1e4 * backend.eps)


@pytest.mark.parametrize("name", QUICK)
def test_solutions_and_counts(backend, name):
    if backend.lazy and name != "lbfgs-hz":
        pytest.skip("takes long on a lazy library")
    quick = backend.dtype_name == "float64" and not backend.lazy
    gtol = 1e-5 if quick else 1e-2
    expected, _ = on_numpy(convex, name, 500, gtol)
    result, _ = run(backend, convex, name, maxiter=500, gtol=gtol)
    assert result.success, result.message
    for count in ("nit", "nfev"):
        slack = max(3, 0.1 * expected[count])
        assert abs(result[count] - expected[count]) <= slack, (
            count,
            expected[count],
            result[count],
        )
    # the Hessian is at least 1
    np.testing.assert_allclose(backend.to_numpy(result.x), 1.0, atol=gtol + 36 * backend.eps)
