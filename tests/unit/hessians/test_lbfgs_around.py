"""L-BFGS around an A0 of the user's: an operator, a function, a diagonal that changes."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from _helpers.runs import chained_rosenbrock, product_of
from hessx import Offer, _xp
from hessx._xp import space_of
from hessx.core import Frame, SettingsError
from hessx.testing._posed import Posed
from reference.quasi_newton import bfgs_update

n, m = 5, 3
A0 = np.diag(np.linspace(0.25, 1.0, n)) + 0.125
SCALE = np.array([1.0, 0.5, 4.0, 2.0, 0.25])


def given(backend, kind):
    matrix = backend.asarray(A0)
    return {
        "operator": lambda: hessx.DenseOperator(matrix, symmetric=True),
        "function": lambda: lambda v: matrix @ v,
        "Jacobi": lambda: hessx.Jacobi(),
        "learnt": lambda: hessx.LearntDiagonal(patient=False),
        "BFGS": lambda: hessx.BFGS(),
    }[kind]()


@pytest.mark.parametrize("scale", [None, SCALE], ids=["x", "scaled"])
@pytest.mark.parametrize("kind", ["operator", "function", "Jacobi", "learnt", "BFGS"])
def test_it_is_dense_bfgs_on_a_multiple_of_a0_as_it_is_now(backend, rng, kind, scale):
    """By the last pairs, twice round the ring; A0 sees the pairs and the points too."""
    if backend.lazy and (kind == "operator" or scale is not None):
        pytest.skip("takes long on a lazy library")
    start = given(backend, kind)
    frame = Frame(
        space_of(backend.asarray(np.zeros(n))), None if scale is None else backend.asarray(scale)
    )
    asked = Posed(frame, hessx.LBFGS(memory=m, hess_inv0=start), rng)
    first = start if isinstance(start, hessx.Approximation) else hessx.Given(start)
    curvature, alone = asked.approximation.begin(frame), first.begin(frame)
    asked.arrive(curvature)
    asked.arrive(alone)
    pairs, gamma = [], 1.0
    for k in range(2 * m + 1):
        useless = k == 2
        s, y = asked.pair(-1.0 if useless else 1.0)
        before = asked.matrix(alone.solve)
        assert asked.teach(curvature, (s, y)) == ("skipped" if useless else "")
        asked.teach(alone, (s, y))
        s, y = asked.host(s), asked.host(y)
        if not useless:
            pairs, gamma = [*pairs, (s, y)][-m:], s @ y / (y @ before @ y)
        A = gamma * asked.matrix(alone.solve)
        for pair in pairs:
            A = bfgs_update(A, *pair)
        found = asked.matrix(curvature.solve)
        np.testing.assert_allclose(found, A, rtol=0, atol=2e4 * backend.eps * abs(A).max())
    assert curvature.reset()


@pytest.mark.backends("numpy", "fakegpu")
@pytest.mark.parametrize("kind", ["function", "Jacobi", "learnt"])
def test_a_search_costs_one_fetch_per_trial(backend, kind):
    start = hessx.LearntDiagonal(patient=False) if kind == "learnt" else hessx.Jacobi()
    start = (lambda v: v * 0.001) if kind == "function" else start
    method = hessx.LineSearchMethod(hessx.LBFGS(memory=m, hess_inv0=start), hessx.HagerZhang())
    x0 = backend.asarray([-1.2, 1.0, 0.8, 0.5])
    given = {"hess": lambda x: hessx.DiagonalOperator(x * x + 1.0)} if kind == "Jacobi" else {}
    with _xp.record_fetches() as ledger:
        result = hessx.minimize(
            chained_rosenbrock, x0, jac=True, method=method, options={"maxfun": 14}, **given
        )
    assert ledger.fetches == result.nfev
    assert result.nhev == 0 or kind == "Jacobi"


def test_the_exact_inverse_as_a0_solves_a_quadratic_in_one_step(backend):
    weights = backend.asarray([1.0, 10.0, 100.0])
    method = hessx.LineSearchMethod(
        hessx.LBFGS(hess_inv0=lambda v: v / weights), hessx.HagerZhang()
    )
    x0 = backend.asarray([3.0, -1.0, 2.0])
    result = hessx.minimize(
        lambda x: ((weights * x) @ x / 2, weights * x), x0, jac=True, method=method
    )
    assert (result.success, result.nit, result.nfev) == (True, 1, 2)


@pytest.mark.parametrize("first", [hessx.BFGS(), hessx.SSBroyden(), hessx.Blockwise(hessx.DFP())])
def test_an_a0_that_learns_products_of_its_own(first):
    method = hessx.LineSearchMethod(hessx.LBFGS(memory=m, hess_inv0=first), hessx.HagerZhang())
    result = hessx.minimize(chained_rosenbrock, np.full(6, -1.0), jac=True, method=method)
    assert result.success, result.message
    assert abs(chained_rosenbrock(result.x)[1]).max() <= 1e-5


@pytest.mark.parametrize("first", [hessx.Newton(), hessx.TruncatedInverse(by="cg")])
@pytest.mark.parametrize("start", [[-1.2, 1.0, 0.8, 0.5, 1.5, 0.0], [1.5] * 6])
def test_to_the_floor_of_precision_where_minus_g_leaves_an_a0_out(first, start):
    """A step along -g has no Hessian at its start, and teaches nothing."""
    method = hessx.LineSearchMethod(hessx.LBFGS(memory=m, hess_inv0=first), hessx.HagerZhang())
    result = hessx.minimize(
        chained_rosenbrock, start, jac=True, hessp=product_of(chained_rosenbrock), method=method,
        options={"gtol": 0.0, "maxiter": 300},
    )  # fmt: skip
    assert abs(chained_rosenbrock(result.x)[1]).max() <= 1e-6


def test_what_cannot_be_an_a0_is_refused():
    assert hessx.LBFGS(hess_inv0=hessx.Jacobi()).offers == Offer.SOLVE
    for wrong in (hessx.SR1(), hessx.Exact(), hessx.PairPreconditioner()):
        with pytest.raises(SettingsError, match="expected a positive definite approximation"):
            hessx.LBFGS(hess_inv0=wrong)
    with pytest.raises(SettingsError, match=r"damping = 0\.2 with hess_inv0 = Jacobi"):
        hessx.LBFGS(hess_inv0=hessx.Jacobi(), damping=0.2)
    method = hessx.LineSearchMethod(hessx.LBFGS(hess_inv0=hessx.Jacobi), hessx.HagerZhang())
    with pytest.raises(SettingsError, match="expected a positive number, a positive diagonal"):
        hessx.minimize(chained_rosenbrock, [1.0, 2.0], jac=True, method=method)
