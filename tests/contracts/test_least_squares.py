"""Levenberg-Marquardt: certified parameters, what a run costs, and what it says at its end."""

from __future__ import annotations

import io

import numpy as np
import pytest

import hessx
from _helpers.registry import make_backend
from _helpers.runs import chained_rosenbrock
from _helpers.squares import START, Chained
from hessx import (
    FX,
    GNSBFGS,
    SSM,
    TSSM,
    GaussNewton,
    MoreSorensen,
    NielsenRule,
    Outcome,
    SumOfSquares,
    TrustRegionMethod,
    _xp,
)
from reference.nonlinear_regression import DATASETS, dataset

NUMPY = make_backend("numpy")
EXACT = GaussNewton(dense=True)
METHODS = {
    "lm": "lm",
    "lm-cg": "lm-cg",
    "damped": TrustRegionMethod(EXACT, MoreSorensen(), NielsenRule()),
    "cubic": TrustRegionMethod(EXACT, MoreSorensen(), hessx.CubicRule()),
    "steihaug": TrustRegionMethod(GaussNewton()),
    "jacobi": TrustRegionMethod(GaussNewton(), preconditioner="jacobi"),
    "gltr": TrustRegionMethod(GaussNewton(), hessx.GLTR()),
    "dogleg": TrustRegionMethod(GaussNewton(dense=True, damping=1e-3), hessx.Dogleg()),
    "line search": hessx.LineSearchMethod(
        GaussNewton(dense=True, damping=1e-3), hessx.HagerZhang()
    ),
    "newton-cg": hessx.LineSearchMethod(
        hessx.NewtonCG(approximation=GaussNewton()), hessx.HagerZhang()
    ),
}
FEW = ("lm", "lm-cg", "damped", "line search")
each = pytest.mark.parametrize("name", METHODS)


def minimize(backend, name, x0=START, *, form="matrix", **more):
    problem = Chained(backend)
    jac = problem.jacobian if form == "matrix" else problem.pair
    squares = SumOfSquares(problem.residual, jac)
    return hessx.minimize(squares, backend.asarray(x0), method=METHODS[name], **more)


@pytest.mark.parametrize("name", ["lm", pytest.param("damped", marks=pytest.mark.long)])
def test_certified_parameters(name):
    """Of 14 data sets from both starts; the last digits are those of the floor of precision."""
    digits, unfinished = {}, []
    for which in DATASETS:
        data = dataset(which)
        for k, start in enumerate(data.starts):
            squares = SumOfSquares(data.residual, data.jacobian)
            options = {"gtol": 0.0, "maxiter": 1000}
            result = hessx.minimize(squares, start, method=METHODS[name], options=options)
            digits[which, k] = data.digits(result.x)
            assert 2.0 * result.fun == pytest.approx(data.squares, rel=0.01), which
            if result.outcome is Outcome.LIMIT_ITERATIONS:
                unfinished.append((which, k))
    few = {of: found for of, found in digits.items() if found < 6.0}
    assert len(few) <= 1, few
    assert not unfinished


def test_certified_parameters_by_differences():
    """Residuals alone: six digits, on data whose parameters have sizes that x_scale can tell."""
    for which in ("Misra1a", "Chwirut2", "Rat42", "Eckerle4", "Thurber"):
        data = dataset(which)
        size = np.abs(data.starts[1])
        squares = SumOfSquares(data.residual, "3-point", x_scale=size)
        options = {"gtol": 0.0, "x_scale": size, "maxiter": 200}
        result = hessx.minimize(squares, data.starts[1], options=options)
        assert data.digits(result.x) >= 6.0, which


def test_residuals_that_vanish_end_honestly():
    """A sum of squares of 1e-25 is rounding of the data alone: no claim of more than there is."""
    data = dataset("Lanczos1")
    squares = SumOfSquares(data.residual, data.jacobian)
    result = hessx.minimize(squares, data.starts[1], method="lm", options={"gtol": 0.0})
    assert result.outcome in (Outcome.CONVERGED_PRECISION, Outcome.STALLED_PRECISION)
    assert data.digits(result.x) >= 8.0
    exact = SumOfSquares(lambda x: x**3, lambda x: np.diag(3.0 * x**2))  # singular there
    result = hessx.minimize(exact, [1.0, -2.0], method="lm", options={"gtol": 1e-12})
    assert result.outcome is Outcome.CONVERGED_GRADIENT
    assert np.abs(3.0 * result.x**5).max() <= 1e-12


@each
def test_every_composition_on_every_library(backend, name):
    if backend.lazy and name != "lm":
        pytest.skip("takes long on a lazy library")
    gtol = 1e-5 if backend.dtype_name == "float64" else 1e-2
    result = minimize(backend, name, options={"gtol": gtol})
    assert result.success, result.message
    backend.assert_same_kind(result.x, backend.asarray(START))
    x = backend.to_numpy(result.x)
    np.testing.assert_allclose(x, 1.0, atol=20.0 * gtol)
    assert result.nfev == result.njev <= 40
    assert abs(chained_rosenbrock(x)[1]).max() <= 2.0 * gtol


@pytest.mark.parametrize("name", FEW)
def test_the_first_iterates_are_the_same_everywhere(backend, name):
    if backend.lazy:
        pytest.skip("takes long on a lazy library")
    found = minimize(backend, name, options={"maxiter": 3})
    expected = minimize(NUMPY, name, options={"maxiter": 3})
    assert [found.nit, found.nfev] == [expected.nit, expected.nfev]
    x = backend.to_numpy(found.x)
    np.testing.assert_allclose(x, expected.x, atol=1e4 * backend.eps, rtol=1e4 * backend.eps)


@pytest.mark.backends("fakegpu", "numpy")
def test_fetches(backend):
    """One per trial and one per model: V is a device's, and s and U'r are fetched with each other.

    By products, one per product.
    """
    with _xp.record_fetches() as ledger:
        result = minimize(backend, "lm")
    assert ledger.fetches <= result.nfev + result.nit + 2
    with _xp.record_fetches() as ledger:
        result = minimize(backend, "lm-cg", form="pair")
    assert ledger.fetches <= result.nfev + result.nhev + 2


@pytest.mark.backends("fakegpu")
def test_no_wait_but_through_the_door(backend):
    problem, x0 = Chained(backend), backend.asarray(START)
    squares = SumOfSquares(problem.residual, problem.jacobian)
    with backend.meter.forbid_waits(_xp.fetch, _xp.upload):
        for method in ("lm", "lm-cg"):
            hessx.minimize(squares, x0, method=method)


@each
def test_put_down_and_taken_up(name):
    """Bitwise; the residual is evaluated once more, for it is not saved."""
    whole = minimize(NUMPY, name, options={"maxiter": 12})
    for maxiter in (1, 4, 7):
        short = minimize(NUMPY, name, options={"maxiter": maxiter})
        file = io.BytesIO()
        hessx.save(file, short)
        file.seek(0)
        resumed = minimize(NUMPY, name, resume=hessx.load(file), options={"maxiter": 12})
        np.testing.assert_array_equal(resumed.x, whole.x)
        assert resumed.nit == whole.nit
        assert resumed.nfev <= whole.nfev + 1


class StoppedError(Exception):
    """Raised in the middle of a run."""


@pytest.mark.parametrize("name", FEW)
def test_put_down_in_the_middle_of_a_step(name, tmp_path):
    expected = minimize(NUMPY, name)
    for last in range(1, expected.nfev):
        problem, path = Chained(NUMPY), tmp_path / "run.hessx"

        def residual(x, problem=problem, last=last):
            if problem.residuals == last:
                raise StoppedError
            return problem.residual(x)

        squares = SumOfSquares(residual, problem.jacobian)
        with pytest.raises(StoppedError):
            hessx.minimize(
                squares, START, method=METHODS[name], checkpoint=path, checkpoint_every=1e9
            )
        resumed = minimize(NUMPY, name, resume=path)
        np.testing.assert_array_equal(resumed.x, expected.x)


@pytest.mark.parametrize("k", [-10, 20])
@pytest.mark.parametrize("name", ["lm", "lm-cg", "damped"])
def test_residuals_times_a_power_of_two(name, k):
    """Bitwise the same steps: f is multiplied by 4^k."""
    problem, power = Chained(NUMPY), 2.0**k
    scaled = SumOfSquares(
        lambda x: problem.residual(x) * power, lambda x: problem.jacobian(x) * power
    )
    options = {"gtol": 1e-5 * 4.0**k}
    found = hessx.minimize(scaled, START, method=METHODS[name], options=options)
    expected = minimize(NUMPY, name)
    assert found.nfev == expected.nfev
    if name == "lm-cg":
        np.testing.assert_array_equal(found.x, expected.x)
    else:  # LAPACK's own thresholds
        np.testing.assert_allclose(found.x, expected.x, rtol=1e-12)


@pytest.mark.parametrize("k", [-10, 20])
def test_variables_times_a_power_of_two(k):
    problem, power = Chained(NUMPY), 2.0**k
    scaled = SumOfSquares(
        lambda x: problem.residual(x / power), lambda x: problem.jacobian(x / power) / power
    )
    options = {"gtol": 1e-5 / power, "x_scale": power}
    found = hessx.minimize(scaled, START * power, method="lm", options=options)
    expected = minimize(NUMPY, "lm")
    assert found.nfev == expected.nfev
    np.testing.assert_allclose(found.x / power, expected.x, rtol=1e-12)


def test_what_auto_chooses():
    problem = Chained(NUMPY)
    result = hessx.minimize(SumOfSquares(problem.residual), START)
    assert "auto chose lm, as fun is a sum of squares" in result.message
    by_hand = hessx.minimize(SumOfSquares(problem.residual), START, method="LM")
    np.testing.assert_array_equal(result.x, by_hand.x)


def test_a_stationary_start_is_no_claim_of_a_minimum():
    """At the ridge x = 0 of (x^2 - 1)^2 / 2, J'J = 0: what it hides was not looked at."""
    squares = SumOfSquares(lambda x: x**2 - 1.0, lambda x: np.diag(2.0 * x))
    for method in ("lm", "lm-cg"):
        result = hessx.minimize(squares, [0.0], method=method)
        assert result.success
        assert "second order was not checked" in result.message
        assert "no negative curvature" not in result.message
    left = hessx.minimize(squares, [0.0], method="trust-ncg")  # with the whole Hessian
    np.testing.assert_allclose(abs(left.x), 1.0, atol=1e-5)


def test_products_of_the_budget():
    result = minimize(NUMPY, "lm-cg", form="pair", options={"max_products": 7})
    assert result.outcome is Outcome.LIMIT_EVALUATIONS
    assert result.nhev == 7
    result = minimize(NUMPY, "lm", form="pair", options={"max_products": 7})
    assert result.outcome is Outcome.LIMIT_EVALUATIONS
    assert result.nhev == 7


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"fun": lambda x: x @ x, "method": "lm"}, "fun has no residual.*hessx.SumOfS"),
        ({"maximize": True}, "a method of sums of squares minimises"),
        ({"jac": True}, r"leave jac out; .*SumOfSquares\(residual, jac"),
        ({"method": "lm", "options": {"preconditioner": "jacobi"}}, "unknown option"),
    ],
)
def test_bad_input(given, words):
    squares = SumOfSquares(Chained(NUMPY).residual)
    with pytest.raises((TypeError, ValueError), match=words):
        hessx.minimize(**({"fun": squares, "x0": START} | given))


@pytest.mark.parametrize("name", ["lm", "damped", "lm-cg", "steihaug"])
def test_fewer_residuals_than_variables(backend, name):
    """On a curve of solutions the run ends at one of them, with J'J singular everywhere."""
    if backend.lazy:
        pytest.skip("takes long on a lazy library")
    A = backend.asarray([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]])
    squares = SumOfSquares(lambda x: A @ (x * x) - 2.0, lambda x: 2.0 * A * x)
    x0 = backend.asarray([1.0, 0.5, 2.0])
    gtol = 1e-8 if backend.dtype_name == "float64" else 1e-4
    result = hessx.minimize(squares, x0, method=METHODS[name], options={"gtol": gtol})
    assert result.success, result.message
    assert result.nfev <= 30
    x = backend.to_numpy(result.x)
    np.testing.assert_allclose(backend.to_numpy(A) @ (x * x), 2.0, atol=10.0 * gtol)


@pytest.mark.parametrize("name", ["lm", "damped"])
def test_columns_that_say_the_same(name):
    """J of rank 1: the step has no part along what r does not depend on."""
    t = np.array([0.0, 1.0, 2.0])
    squares = SumOfSquares(
        lambda x: (x[0] + x[1]) * t - 3.0 * t + 1.0, lambda x: np.stack([t, t], axis=1)
    )
    result = hessx.minimize(squares, [5.0, -1.0], method=METHODS[name], options={"gtol": 1e-10})
    assert result.success, result.message
    assert result.x[0] - result.x[1] == pytest.approx(6.0, abs=1e-12)
    assert result.x.sum() == pytest.approx(3.0 - 3.0 / 5.0)


STRUCTURED = [TrustRegionMethod(A(), MoreSorensen()) for A in (GNSBFGS, SSM, TSSM, FX)]


@pytest.mark.parametrize("method", [None, *STRUCTURED])
def test_the_least_norm_of_a_design_without_full_rank(method):
    """An intercept beside indicators of all groups: rounding along the null space is no step."""
    A = np.column_stack([np.ones(12), np.eye(3)[np.repeat(np.arange(3), 4)]])
    y = np.arange(12.0)
    squares = SumOfSquares(lambda x: A @ x - y, lambda x: A)
    result = hessx.minimize(squares, np.zeros(4), method=method)
    assert result.success, result.message
    np.testing.assert_allclose(result.x, np.linalg.lstsq(A, y)[0], rtol=1e-12)


@pytest.mark.parametrize("method", [None, METHODS["damped"], *STRUCTURED])
def test_a_first_radius_beyond_the_range(method):
    """g'J'J g overflows, g'g does not."""
    unit = 1e-140
    problem = Chained(NUMPY)
    squares = SumOfSquares(
        lambda x: problem.residual(x / unit), lambda x: problem.jacobian(x / unit) / unit
    )
    result = hessx.minimize(squares, np.array(START) * unit, method=method)
    assert result.success, result.message
    np.testing.assert_allclose(result.x / unit, 1.0, rtol=1e-6)


def test_a_hole_beside_the_way_down():
    """No finite number is made up for what is left where trials are nan."""
    squares = SumOfSquares(
        lambda x: np.where(x[0] > 0.5, [np.sqrt(abs(x[0])) + 1.0, x[1] - 3.0], np.nan),
        lambda x: np.diag([0.5 / np.sqrt(abs(x[0])), 1.0]),
    )
    result = hessx.minimize(squares, [1.0, 1.0])
    assert not result.success
    assert result.x[0] == pytest.approx(0.5)
    assert "inf" not in result.message
