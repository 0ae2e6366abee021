"""Runs of structured approximations: what they save, and that they go on as they were."""

from __future__ import annotations

import functools
import io

import numpy as np
import pytest

import hessx
from _helpers.registry import make_backend
from _helpers.squares import START, Chained
from hessx import (
    FX,
    GNSBFGS,
    SSM,
    TSSM,
    Exact,
    GaussNewton,
    KnownPlus,
    LineSearchMethod,
    MoreSorensen,
    NielsenRule,
    SumOfSquares,
    TrustRegionMethod,
    _xp,
)
from reference.nonlinear_regression import dataset

NUMPY = make_backend("numpy")
KINDS = {"SSM": SSM(), "TSSM": TSSM(), "GNSBFGS": GNSBFGS(), "FX": FX()}
METHODS = {
    **{name: TrustRegionMethod(B, MoreSorensen()) for name, B in KINDS.items()},
    "GNSBFGS, all": TrustRegionMethod(GNSBFGS(fall=1.0), MoreSorensen()),
    "GNSBFGS, damped": TrustRegionMethod(GNSBFGS(), MoreSorensen(), NielsenRule()),
    "GNSBFGS, line search": LineSearchMethod(GNSBFGS(), hessx.HagerZhang()),
    "GNSBFGS, dogleg": TrustRegionMethod(GNSBFGS(), hessx.Dogleg()),
    "SSM, steihaug": TrustRegionMethod(SSM("sr1", fall=1.0)),
    "KnownPlus": TrustRegionMethod(KnownPlus(known=GaussNewton())),
}
# far from zero at the minimum: Gauss-Newton converges linearly, where at all
LARGE = ("BoxBOD", "Chwirut2", "Gauss1", "Hahn1", "Kirby2", "Rat42", "Thurber")
each = pytest.mark.parametrize("name", METHODS)


def minimize(backend, name, *, form="matrix", power=1.0, **more):
    """The chained Rosenbrock function with a residual that stays, sum of x^2, at the minimum."""
    problem = Chained(backend)
    extra = backend.asarray(np.eye(problem.n))

    def residual(x):
        xp = backend.xp
        return xp.concat([problem.residual(x), 2.0 * (x * x) + 3.0]) * power

    def jacobian(x):
        return backend.xp.concat([problem.jacobian(x), extra * (4.0 * x)]) * power

    def products(x):
        J = jacobian(x)
        return lambda v: J @ v, lambda u: u @ J

    squares = SumOfSquares(residual, jacobian if form == "matrix" else products)
    return hessx.minimize(squares, backend.asarray(START), method=METHODS[name], **more)


@functools.cache
def minimum():
    """The same in float64, to more digits."""
    return minimize(NUMPY, "GNSBFGS", options={"gtol": 1e-9}).x


@each
def test_every_composition_on_every_library(backend, name):
    if backend.lazy and name != "GNSBFGS":
        pytest.skip("takes long on a lazy library")
    gtol = 1e-5 if backend.dtype_name == "float64" else 2e-2
    result = minimize(backend, name, options={"gtol": gtol})
    assert result.success, result.message
    backend.assert_same_kind(result.x, backend.asarray(START))
    np.testing.assert_allclose(backend.to_numpy(result.x), minimum(), atol=5.0 * gtol)


@each
def test_put_down_and_taken_up(name):
    """Bitwise, after each accepted step, from which S has not learnt yet."""
    whole = minimize(NUMPY, name, options={"maxiter": 9})
    for maxiter in (1, 2, 5):
        file = io.BytesIO()
        hessx.save(file, minimize(NUMPY, name, options={"maxiter": maxiter}))
        file.seek(0)
        resumed = minimize(NUMPY, name, resume=hessx.load(file), options={"maxiter": 9})
        np.testing.assert_array_equal(resumed.x, whole.x)
        assert resumed.nit == whole.nit


@pytest.mark.parametrize("name", KINDS)
def test_a_jacobian_of_products(name):
    """N products per point make the array, within the budget of products."""
    found, expected = minimize(NUMPY, name, form="products"), minimize(NUMPY, name)
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-9)
    assert found.nhev == len(START) * found.nit
    short = minimize(NUMPY, name, form="products", options={"max_products": 6})
    assert short.outcome is hessx.Outcome.LIMIT_EVALUATIONS
    assert short.nhev == 6


@pytest.mark.parametrize("k", [-10, 20])
@each
def test_residuals_times_a_power_of_two(name, k):
    options = {"gtol": 1e-5 * 4.0**k}
    found, expected = minimize(NUMPY, name, power=2.0**k, options=options), minimize(NUMPY, name)
    assert found.nfev == expected.nfev
    np.testing.assert_allclose(found.x, expected.x, rtol=1e-10)  # LAPACK's own thresholds


@pytest.mark.backends("fakegpu", "numpy")
def test_fetches(backend):
    """Per accepted point one of J, one of the model, and one of a root where S has one."""
    for name, most in {"SSM": 2, "TSSM": 2, "FX": 2, "GNSBFGS": 3}.items():
        with _xp.record_fetches() as ledger:
            result = minimize(backend, name)
        assert ledger.fetches <= result.nfev + most * (result.nit + 1), name


def evaluations(B, data, start):
    """Residuals until all parameters have six digits; None where that is not reached."""
    counted = []

    def residual(b):
        counted.append(1)
        return data.residual(b)

    def enough(intermediate_result):
        if data.digits(intermediate_result.x) >= 6.0:
            raise StopIteration

    squares = SumOfSquares(residual, data.jacobian)
    method = TrustRegionMethod(B, MoreSorensen(), x_scale=np.abs(start))
    options = {"gtol": 0.0, "maxiter": 300}
    result = hessx.minimize(squares, start, method=method, callback=enough, options=options)
    return len(counted) if data.digits(result.x) >= 6.0 else None


def test_certified_parameters_with_large_residuals():
    """No more evaluations than with J'J alone, of any data set from any start."""
    total = dict.fromkeys(("GN", "GNSBFGS"), 0)
    for which in LARGE:
        data = dataset(which)
        for start in data.starts:
            counts = [evaluations(B, data, start) for B in (GaussNewton(dense=True), GNSBFGS())]
            assert None not in counts, which
            assert counts[1] <= counts[0], which
            for name, count in zip(total, counts, strict=True):
                total[name] += count
    assert total["GNSBFGS"] <= 0.8 * total["GN"]


@pytest.mark.long
@pytest.mark.parametrize("name", ["SSM", "TSSM", "FX"])
def test_certified_parameters(name):
    """All of the far residuals from both starts."""
    for which in LARGE:
        data = dataset(which)
        for start in data.starts:
            assert evaluations(KINDS[name], data, start) is not None, which


@pytest.mark.parametrize("name", ["SSM", "TSSM", "GNSBFGS"])
def test_residuals_that_vanish(name):
    """Runs are those of Gauss-Newton, and end quadratically."""
    problem = Chained(NUMPY)
    squares = SumOfSquares(problem.residual, problem.jacobian)
    options = {"gtol": 1e-10}
    plain = TrustRegionMethod(GaussNewton(dense=True), MoreSorensen())
    expected = hessx.minimize(squares, START, method=plain, options=options)
    found = hessx.minimize(squares, START, method=METHODS[name], options=options)
    assert found.success
    assert found.nfev <= expected.nfev
    for start in dataset("Lanczos1").starts:
        counts = [
            evaluations(B, dataset("Lanczos1"), start)
            for B in (GaussNewton(dense=True), KINDS[name])
        ]
        assert counts[1] <= counts[0]


@pytest.mark.parametrize("n", [6, 10, 20])
def test_a_part_that_is_known(n, rng):
    """Fewer iterations than from steps alone, and than with that part alone."""
    A = rng.standard_normal((n + 3, n)) * np.geomspace(1.0, 30.0, n)
    H1, W = A.T @ A, rng.standard_normal((n, n)) / np.sqrt(n)
    size = np.linalg.eigvalsh(H1)[0]

    def fun(x):
        t = W @ x
        rest = size * (4.0 * np.log(np.cosh(t)) + t * t / 2.0).sum()
        slopes = size * (4.0 * np.tanh(t) + t)
        return x @ H1 @ x / 2.0 - 10.0 * x.sum() + rest, H1 @ x - 10.0 + W.T @ slopes

    def iterations(B):
        method = TrustRegionMethod(B, preconditioner=None)
        given = {} if isinstance(B, hessx.SR1) else {"hess": lambda x: H1}
        options = {"gtol": 1e-8, "maxiter": 500}
        result = hessx.minimize(
            fun, np.full(n, 2.0), jac=True, method=method, options=options, **given
        )
        assert result.success
        return result.nit

    both = iterations(KnownPlus())
    assert both <= 0.75 * iterations(hessx.SR1())
    assert both <= 0.75 * iterations(Exact())
