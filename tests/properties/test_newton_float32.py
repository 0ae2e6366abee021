"""In float32 Newton's method gets three digits off the gradient, and nothing turns to float64."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import hessx
from _helpers.runs import chained_rosenbrock, product_of
from hessx.study.backends import open_backend
from hessx.study.problems import PROBLEMS

EVERY_8 = hessx.TruncatedCG(check_every=8)
METHODS = {
    "newton-hz": hessx.LineSearchMethod(hessx.NewtonCG(), hessx.HagerZhang()),
    "newton-hz-by-8": hessx.LineSearchMethod(
        hessx.NewtonCG(subproblem=EVERY_8), hessx.HagerZhang()
    ),
    "newton-mt-pairs": hessx.LineSearchMethod(
        hessx.NewtonCG(preconditioner="pairs"), hessx.MoreThuente()
    ),
    "trust": hessx.TrustRegionMethod(),
    "trust-by-8": hessx.TrustRegionMethod(subproblem=EVERY_8),
    "trust-pairs": hessx.TrustRegionMethod(preconditioner="pairs"),
    "trust-eisenstat": hessx.TrustRegionMethod(forcing=hessx.EisenstatWalker()),
}
CHOSEN = [
    "linear-regression",
    "brown-dennis",
    "breast-cancer",
    "extended-rosenbrock",
    "chained-rosenbrock",
]
HOW = ["products", "differences"]


def case(library, method, how):
    """Differences do not depend on the parts of the method: on torch two methods are quick."""
    quick = library == "numpy" or how == "products" or method in ("newton-hz", "trust")
    return pytest.param(library, method, how, marks=[] if quick else pytest.mark.long)


CASES = [case(*each) for each in itertools.product(["numpy", "torch"], METHODS, HOW)]


def extended_product(backend):
    """Hessian of the sum over pairs of 100 (v - u^2)^2 + (1 - u)^2, times a vector."""
    xp = backend.xp

    def hessp(x, p):
        pairs, steps = xp.reshape(x, (-1, 2)), xp.reshape(p, (-1, 2))
        u, v, a, b = pairs[:, 0], pairs[:, 1], steps[:, 0], steps[:, 1]
        first = (1200.0 * u * u - 400.0 * v + 2.0) * a - 400.0 * u * b
        return xp.reshape(xp.stack([first, 200.0 * b - 400.0 * u * a], axis=1), (-1,))

    return hessp


def products(problem, posed, backend):
    if problem == "chained-rosenbrock":
        return {"hessp": product_of(chained_rosenbrock)}
    if problem == "extended-rosenbrock":
        return {"hessp": extended_product(backend)}
    return {"hess": posed.hess}


def solve(library, method, problem, how):
    if library != "numpy":
        pytest.importorskip(library)
    if problem in ("breast-cancer", "digits"):
        pytest.importorskip("sklearn")
    backend = open_backend(library, "float32")
    posed = PROBLEMS[problem].pose(backend)
    given = products(problem, posed, backend) if how == "products" else {}
    seen = set()

    def fun(x):
        f, g = posed.fun(x)
        seen.update((x.dtype, g.dtype))
        return f, g

    if "hessp" in given:
        plain = given["hessp"]

        def hessp(x, v):
            s = plain(x, v)
            seen.update((x.dtype, v.dtype, s.dtype))
            return s

        given = {"hessp": hessp}
    result = hessx.minimize(
        fun,
        posed.x0,
        jac=True,
        method=method,
        options={"gtol": 0.0, "gtol_rel": 1e-3, "maxiter": 2000},
        **given,
    )
    seen |= {result.x.dtype, result.jac.dtype}
    assert all(dtype == backend.xp.float32 for dtype in seen)
    first, last = (np.abs(np.asarray(posed.fun(x)[1])).max() for x in (posed.x0, result.x))
    assert last <= 1e-3 * first, result.message
    assert result.success


@pytest.mark.parametrize(("library", "method", "how"), CASES)
@pytest.mark.parametrize("problem", CHOSEN)
def test_three_digits_in_float32(library, method, problem, how):
    solve(library, METHODS[method], problem, how)


@pytest.mark.parametrize("method", ["newton-cg", "trust-ncg"])
@pytest.mark.parametrize("problem", ["linear-regression", "breast-cancer", "digits"])
def test_three_digits_with_jacobi(method, problem):
    if method == "newton-cg":
        part = hessx.NewtonCG(preconditioner="jacobi")
        solve("numpy", hessx.LineSearchMethod(part, hessx.HagerZhang()), problem, "products")
    else:
        solve("numpy", hessx.TrustRegionMethod(preconditioner="jacobi"), problem, "products")
