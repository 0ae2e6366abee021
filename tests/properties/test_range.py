"""Numbers that leave the range of the dtype are an outcome: no exception, and no warning."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import hessx
from _helpers.solvers import EVERY, NEWTON
from hessx import Outcome

NAMED = ["lbfgs", "cg", "gd", "newton-cg", "trust-ncg", "trust-krylov"]
METHODS = {name: name for name in NAMED} | {k: v for k, v in EVERY.items() if k != "inverse"}
SECOND = {*NEWTON, "newton-cg", "trust-ncg", "trust-krylov"}
QUICK = [*NAMED, "lbfgs-mt", "cg-pr+", "gd-armijo", "bb-short", "fixed", "newton-mt-by-threes"]
QUICK += ["trust-jacobi", "trust-pairs"]
every_method = pytest.mark.parametrize(
    "name", [pytest.param(m, marks=[] if m in QUICK else pytest.mark.long) for m in METHODS]
)
# Steps that are given, or never longer than their first trial, come to no limit of the range;
# Barzilai and Borwein's may take their time.
BOUNDED = {"fixed", "decaying", "gd-armijo", "newton-armijo-jacobi", "spectral-max"}
BOUNDED |= {"diagonal-bfgs-average"}  # Armijo's again


@pytest.fixture(autouse=True)
def warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def run(name, fun, hess, x0, **settings):
    def quiet_fun(x):
        with np.errstate(all="ignore"):
            return fun(x)

    def quiet_hess(x):
        with np.errstate(all="ignore"):
            return hess(x)

    more = {"hess": quiet_hess} if name in SECOND else {}
    options = {"gtol": 0.0, "maxfun": 400} | settings
    return hessx.minimize(quiet_fun, x0, jac=True, method=METHODS[name], options=options, **more)


def quadratic(rng):
    """x'Hx / 2 with n <= 5, condition <= 1e4, and H times 1e-12 to 1e12."""
    n = int(rng.integers(1, 6))
    Q = np.linalg.qr(rng.standard_normal((n, n)))[0]
    H = (Q * 10.0 ** rng.uniform(0.0, 4.0, n)) @ Q.T * 10.0 ** rng.uniform(-12.0, 12.0)
    H = (H + H.T) / 2.0
    x0 = rng.standard_normal(n) * 10.0 ** rng.uniform(-3.0, 3.0)
    return (lambda x: (float(x @ (H @ x)) / 2.0, H @ x)), (lambda x: H), x0


def check_quadratics(name, count, maxfun):
    rng = np.random.default_rng(1)
    for _ in range(count):
        fun, hess, x0 = quadratic(rng)
        result = run(name, fun, hess, x0, maxfun=maxfun)
        assert isinstance(result.outcome, Outcome)
        assert np.isfinite(result.fun) and np.isfinite(result.x).all()
        assert result.fun <= fun(x0)[0] * (1.0 + 1e-6)
        assert result.outcome is not Outcome.UNBOUNDED_BELOW, result.message
        if result.success:  # the minimum is 0
            assert result.fun <= 1e-12 * fun(x0)[0] or not result.jac.any(), result.message


@pytest.mark.parametrize("name", QUICK)
def test_quadratics_without_a_tolerance(name):
    check_quadratics(name, 10, maxfun=400)


@pytest.mark.long
@pytest.mark.parametrize("name", METHODS)
def test_two_thousand_quadratics_without_a_tolerance(name):
    check_quadratics(name, 2000 if name in NAMED else 300, maxfun=60)


def unbounded(kind, rng):
    """A function without a minimum, its Hessian, and a start."""
    w, n = 10.0 ** rng.uniform(-6.0, 6.0), int(rng.integers(1, 4))
    x0 = rng.standard_normal(n)
    if kind == "linear":
        return (lambda x: (w * x.sum(), np.full(n, w))), (lambda x: np.zeros((n, n))), x0
    if kind == "cubic":
        fun = lambda x: (w * (x**3).sum(), 3 * w * x**2)  # noqa: E731
        return fun, (lambda x: np.diag(6 * w * x)), -abs(x0)
    if kind == "quartic":
        fun = lambda x: (-w * (x**4).sum(), -4 * w * x**3)  # noqa: E731
        return fun, (lambda x: np.diag(-12 * w * x**2)), x0
    if kind == "exponential":
        rate = 10.0 ** rng.uniform(0.0, 2.6)
        fun = lambda x: (-np.exp(rate * x).sum(), -rate * np.exp(rate * x))  # noqa: E731
        return fun, (lambda x: np.diag(-(rate**2) * np.exp(rate * x))), -abs(x0) / rate
    d = np.append(np.full(n, w), -w)  # a saddle
    x0 = np.append(x0, 0.1)
    return (lambda x: (x @ (d * x) / 2.0, d * x)), (lambda x: np.diag(d)), x0


@pytest.mark.parametrize("kind", ["linear", "cubic", "quartic", "exponential", "saddle"])
@every_method
def test_functions_without_a_minimum(name, kind):
    rng = np.random.default_rng(3)
    for _ in range(3):
        fun, hess, x0 = unbounded(kind, rng)
        result = run(name, fun, hess, x0, maxfun=100 if name in BOUNDED else 1000)
        assert not result.success
        assert np.isfinite(result.x).all() and result.fun <= fun(x0)[0]
        stays = name in BOUNDED or name.startswith("bb")
        if stays and result.outcome is Outcome.LIMIT_EVALUATIONS:
            continue  # each step lowers f by as much as the one before
        if name in ("fixed", "decaying"):  # such a step may be far too long for what f is
            continue
        assert result.outcome is Outcome.UNBOUNDED_BELOW, (name, kind, result.message)
        assert result.status == 4


SMALLEST = {
    "a linear function": (lambda x: (float(x[0]), np.ones(1)), [0.0], {}),
    "two curvatures near 1e3": (
        lambda x: (np.array([1e3, 2e3]) @ x**2 / 2, np.array([1e3, 2e3]) * x), [1.0, 1.0], {}
    ),
    "curvatures of 1 and 100": (
        lambda x: (np.array([1.0, 1e2]) @ x**2 / 2, np.array([1.0, 1e2]) * x), [1.0, 1.0], {}
    ),
    "the exponential of 400 x": (
        lambda x: (-np.exp(400 * x[0]), -400 * np.exp(400 * x)), [-0.13], {}
    ),
    "f of the size 1e300": (lambda x: (1e300 * float(x @ x), 2e300 * x), [1.0, 2.0], {}),
    "f of the size 1e-300": (lambda x: (1e-300 * float(x @ x), 2e-300 * x), [1.0, 2.0], {}),
    "x of the size 1e200": (lambda x: (float(np.abs(x).sum()), np.sign(x)), [1e200, -1e200], {}),
}  # fmt: skip


# sizes of 1e200 and more are out of the range of float32 at the start
CASES = [(case, "float64") for case in SMALLEST]
CASES += [(case, "float32") for case in SMALLEST if "size" not in case]


@pytest.mark.parametrize(("case", "dtype"), CASES)
@every_method
def test_the_smallest_inputs(name, case, dtype):
    fun, x0, options = SMALLEST[case]

    def rounded(x):
        value, grad = fun(x)
        return value, np.asarray(grad, dtype)

    def hess(x):
        h = 1e-4 * np.maximum(abs(x), 1.0)
        columns = [(fun(x + h * e)[1] - fun(x - h * e)[1]) / (2 * h[i])
                   for i, e in enumerate(np.eye(len(x)))]  # fmt: skip
        return np.nan_to_num(np.stack(columns)).astype(dtype)

    result = run(name, rounded, hess, np.array(x0, dtype), **options)
    assert isinstance(result.outcome, Outcome)
    assert np.isfinite(result.x).all()
    assert result.x.dtype == dtype


@pytest.mark.parametrize("name", NAMED)
def test_minus_infinity_is_shortened_like_nan(name):
    """f = -inf at 0 alone, where the first step of x_scale ends; the minimum is at 0.963."""

    def fun(x):
        return -np.inf if x[0] == 0.0 else 0.125 * (x[0] - 0.963) ** 2, 0.25 * (x - 0.963)

    result = hessx.minimize(fun, [1.0], jac=True, method=name)
    assert result.success, result.message
    np.testing.assert_allclose(result.x, 0.963, atol=1e-4)


@pytest.mark.parametrize("name", ["lbfgs", "cg", "gd", "newton-cg", "trust-ncg"])
def test_minus_infinity_that_persists_is_unbounded(name):
    """f = log(x^2) falls without end towards 0, and is -inf there."""

    def fun(x):
        with np.errstate(divide="ignore"):
            return (-np.inf if x[0] <= 0.0 else 2.0 * np.log(x[0])), 2.0 / x

    result = hessx.minimize(fun, [1.0], jac=True, method=name)
    assert not result.success
    assert np.isfinite(result.fun) and result.x[0] > 0.0
    assert result.nfev < 500
