"""Where the precision of f ends a run: soon, with success only where nothing visible is left."""

from __future__ import annotations

import array_api_compat as compat
import numpy as np
import pytest

import hessx
from _helpers.mancino import Mancino
from hessx import Outcome

optimize = pytest.importorskip("scipy.optimize")
special = pytest.importorskip("scipy.special")

FIRST = ["lbfgs", "cg", "gd"]
SECOND = ["newton-cg", "trust-ncg", "trust-krylov"]
METHODS = [*FIRST, *SECOND]


class Logistic:
    """Mean log-loss of 100 rows in five variables, lightly regularised, times a weight."""

    def __init__(self, weight=1.0):
        rng = np.random.default_rng(2)
        self.X = np.linalg.qr(rng.standard_normal((100, 5)))[0] * 10.0
        noisy = self.X @ np.array([0.3, -0.2, 0.1, 0.0, 0.2]) + rng.standard_normal(100)
        self.y, self.weight, self.x0 = np.sign(noisy), weight, np.zeros(5)

    def fun(self, x):
        losses = np.logaddexp(0.0, -self.y * (self.X @ x))
        return self.weight * (losses.mean() + 5e-4 * x @ x)

    def jac(self, x):
        pull = -self.y * special.expit(-self.y * (self.X @ x)) / len(self.y)
        return self.weight * (self.X.T @ pull + 1e-3 * x)

    def hess(self, x):
        p = special.expit(self.X @ x)
        bend = (self.X.T * (p * (1 - p))) @ self.X / len(p)
        return self.weight * (bend + 1e-3 * np.eye(5))


class Poisson:
    """Log-likelihood of counts with rates exp(X b), the columns of X orthogonal; on any library."""

    def __init__(self, rows=20_000, weight=1.0, asarray=np.asarray):
        rng = np.random.default_rng(0)
        basis = np.linalg.qr(np.column_stack([np.ones(rows), rng.standard_normal((rows, 7))]))[0]
        X = basis * np.sqrt(rows)
        y = rng.poisson(np.exp(X @ (0.1 * rng.standard_normal(8)))).astype(float)
        self.constant, self.weight = float(special.gammaln(y + 1.0).sum()), weight
        self.X, self.y, self.x0 = asarray(X), asarray(y), asarray(np.zeros(8))
        self.xp = compat.array_namespace(self.X)

    def fun(self, b):
        z = self.X @ b
        return self.weight * (self.xp.sum(self.xp.exp(z)) - self.y @ z + self.constant)

    def jac(self, b):
        return self.weight * (self.X.T @ (self.xp.exp(self.X @ b) - self.y))

    def hess(self, b):
        return self.weight * (self.X.T * self.xp.exp(self.X @ b)) @ self.X


class GroupedLogit:
    """Nine groups of 10 000, as counts: f is near 5e4 at the minimum."""

    def __init__(self, weight=1.0):
        dose = np.linspace(-2.0, 2.0, 9)
        self.X, self.size = np.column_stack([np.ones(9), dose]), np.full(9, 10_000.0)
        shift = np.array([20, -30, 10, 40, -50, 20, -10, 5, -5])
        self.hits = np.round(self.size * special.expit(0.4 + 0.8 * dose)) + shift
        self.weight, self.x0 = weight, np.zeros(2)

    def fun(self, b):
        z = self.X @ b
        return self.weight * (self.size @ np.logaddexp(0.0, z) - self.hits @ z)

    def jac(self, b):
        return self.weight * (self.X.T @ (self.size * special.expit(self.X @ b) - self.hits))

    def hess(self, b):
        p = special.expit(self.X @ b)
        return self.weight * (self.X.T * (self.size * p * (1.0 - p))) @ self.X


def scipys(problem, jac, **options):
    return optimize.minimize(problem.fun, problem.x0, jac=jac, method="L-BFGS-B", options=options)


PROBLEMS = {
    "logistic": Logistic,
    "poisson": lambda weight: Poisson(2000, weight),
    "grouped": GroupedLogit,
}


@pytest.mark.parametrize("by_differences", [False, True], ids=["given", "differences"])
@pytest.mark.parametrize("weight", [1.0, 1e6, 1e10])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", PROBLEMS)
def test_a_run_ends_soon_after_scipys(name, method, weight, by_differences):
    """SciPy stops at a relative decrease of 2e-9: three times its evaluations will do, and at
    the floor of precision two searches of 30 trials.
    """
    problem = PROBLEMS[name](weight)
    jac = None if by_differences else problem.jac
    more = {"hess": problem.hess} if method in SECOND else {}
    theirs = scipys(problem, jac)
    ours = hessx.minimize(problem.fun, problem.x0, jac=jac, method=method, **more)
    assert ours.success and ours.status == 0, ours.message
    assert ours.nfev <= 3 * theirs.nfev + 60
    given = {"jac": problem.jac, "hess": problem.hess}
    exact = optimize.minimize(problem.fun, problem.x0, method="trust-exact", **given)
    assert ours.fun <= exact.fun + 1e-9 * abs(exact.fun)


def assert_nothing_visible_is_left(problem, method, exact, to_numpy=np.asarray, eps=2.0**-52):
    """Where success is by precision; by the exact Hessian g'H^-1 g / 2 is what is left."""
    more = {"hess": problem.hess} if method in SECOND else {}
    result = hessx.minimize(problem.fun, problem.x0, jac=problem.jac, method=method, **more)
    assert result.outcome is Outcome.CONVERGED_PRECISION, result.message
    x = to_numpy(result.x).astype(float)
    g = exact.jac(x)
    assert g @ np.linalg.solve(exact.hess(x), g) / 2.0 <= 10 * eps * abs(result.fun)
    assert "could fall by" in result.message


@pytest.mark.parametrize("method", METHODS)
def test_success_by_precision_leaves_less_than_the_rounding_of_f(method):
    """gtol asks for more than float64 has."""
    problem = Poisson(2000, 1e10)
    assert_nothing_visible_is_left(problem, method, problem)


@pytest.mark.parametrize("method", ["lbfgs", "newton-cg"])
def test_success_by_precision_on_any_library(backend, method):
    weight = 1e10 if backend.dtype_name == "float64" else 1e4  # squares of g stay in range
    problem, exact = Poisson(200, weight, backend.asarray), Poisson(200, weight)
    assert_nothing_visible_is_left(problem, method, exact, backend.to_numpy, backend.eps)


def test_poisson_regression_without_a_gradient():
    problem = Poisson()
    theirs = scipys(problem, None)
    ours = hessx.minimize(problem.fun, problem.x0)
    assert ours.success, ours.message
    assert ours.nfev <= 3 * theirs.nfev + 30
    exact = optimize.minimize(
        problem.fun, problem.x0, jac=problem.jac, hess=problem.hess, method="trust-exact"
    )
    np.testing.assert_allclose(ours.x, exact.x, atol=1e-6)


@pytest.mark.parametrize("n", [5, 12, 30])
@pytest.mark.parametrize("method", ["lbfgs", "cg", "gd"])
def test_where_forward_differences_no_longer_resolve_a_step(n, method):
    """Their error, h f'' / 2, is above gtol from n = 12 on; central ones go on, to f = 0."""
    problem = Mancino(n)
    theirs = scipys(problem, None)
    ours = hessx.minimize(problem.fun, problem.x0, method=method, options={"maxfun": 10_000})
    assert ours.fun <= max(3 * theirs.fun, 1e-12)
    if method == "lbfgs":
        assert ours.success, ours.message
        assert ours.nfev <= 3 * theirs.nfev + 30
    else:
        assert ours.success or ours.outcome is Outcome.STALLED_PRECISION
        assert ours.nfev <= 6 * theirs.nfev + 30


@pytest.mark.parametrize("start", [3.0, 8.0, 11.0, -3.0])
@pytest.mark.parametrize("method", FIRST)
@pytest.mark.parametrize("jac", [None, "2-point", "3-point"])
def test_a_first_trial_that_is_far_too_long_is_no_precision(start, method, jac):
    """exp(x) - x: trials as far as 1e46 along the ray say nothing of what is left at x."""

    def fun(x):
        with np.errstate(over="ignore"):
            return np.exp(x[0]) - x[0]

    result = hessx.minimize(fun, [start], jac=jac, method=method)
    assert result.fun <= 1.0 + 1e-10  # gtol = 1e-5, and the curvature is 1
    assert result.success or jac == "2-point", result.message


@pytest.mark.parametrize("method", ["lbfgs", "cg", "trust-ncg", "trust-krylov"])
def test_a_rough_gradient_at_a_minimum_of_zero_ends_the_run(method):
    """Searches that gain a millionth of f, thirty trials each, are no progress."""
    x0 = np.random.default_rng(1).standard_normal(10) * 1.5
    result = hessx.minimize(
        optimize.rosen, x0, jac=lambda x: optimize.rosen_der(x.astype("f4")).astype("f8"),
        method=method, options={"maxfun": 20_000},
    )  # fmt: skip
    assert result.nfev <= 2000, result.message
    assert result.fun <= 1e-8


def test_differences_that_the_user_asks_for_stay_what_they_are():
    """jac="2-point" is not replaced: the run ends soon, and says what hinders it."""
    problem = Mancino(30)
    result = hessx.minimize(problem.fun, problem.x0, jac="2-point", method="cg")
    assert result.nfev < 40 * 31
    if not result.success:
        assert result.outcome is Outcome.STALLED_PRECISION
        assert "differences, which hide steps" in result.message


@pytest.mark.parametrize("method", METHODS)
def test_equal_values_are_not_accepted_for_ever(method):
    """tol = 0: gtol cannot be met; SciPy's Newton-CG test case of 22 497 evaluations."""
    more = {"hess": optimize.rosen_hess} if method in SECOND else {}
    x0 = [-1.2, 1.0, -1.2, 1.0]
    options = {"maxfun": 20_000, "gtol": 0.0}
    result = hessx.minimize(
        optimize.rosen, x0, jac=optimize.rosen_der, method=method, options=options, **more
    )
    if method != "gd":  # which needs thousands of steps to get there
        assert result.nfev <= 250, result.message
    g = optimize.rosen_der(result.x)
    if result.outcome is Outcome.CONVERGED_PRECISION:
        H = optimize.rosen_hess(result.x)
        assert abs(g @ np.linalg.solve(H, g)) / 2 <= 1e-14 * abs(result.fun)


def noisy(seed, relative):
    """A convex function of four variables with values that are off at random, always the same."""
    rng = np.random.default_rng(seed)
    X = np.linalg.qr(rng.standard_normal((40, 4)))[0] * 6.0
    b = X @ np.array([0.5, -0.3, 0.2, 0.1])

    def exact(x):
        return np.cosh(X @ x - b).sum()

    def fun(x):
        draw = np.random.default_rng(np.frombuffer(x.tobytes(), np.uint32)).uniform(-1.0, 1.0)
        return exact(x) * (1.0 + relative * draw)

    return exact, fun, lambda x: X.T @ np.sinh(X @ x - b), np.zeros(4)


@pytest.mark.parametrize("relative", [1e-12, 1e-10])
@pytest.mark.parametrize("method", FIRST)
def test_noise_above_rounding_is_measured(method, relative):
    exact, fun, jac, x0 = noisy(0, relative)
    clean = hessx.minimize(exact, x0, jac=jac, method=method, options={"gtol": 1e-7})
    result = hessx.minimize(fun, x0, jac=jac, method=method, options={"gtol": 1e-7})
    assert result.success, result.message
    assert result.nfev <= 3 * clean.nfev + 30
    assert exact(result.x) <= exact(clean.x) * (1.0 + 10 * relative)


def with_a_constant_error(backend, method):
    """Minimise 1 + (x^2 + 3 z^2) / 2; the gradient that is given vanishes beside the minimum."""
    h, off = backend.asarray([1.0, 3.0]), backend.asarray([1e-2, -2e-2])

    def fun(x):
        return 1.0 + h @ x**2 / 2.0

    hessp = (lambda x, v: h * v) if method in SECOND else None
    x0 = backend.asarray([1.0, 1.0])
    return hessx.minimize(fun, x0, jac=lambda x: h * x + off, method=method, hessp=hessp)


@pytest.mark.parametrize("method", FIRST)
def test_a_gradient_with_a_constant_error_is_no_success(backend, method):
    """f rises along -g where the run has to stop: what is left, f - 1, is visible."""
    result = with_a_constant_error(backend, method)
    assert (result.success, result.status) == (False, 2), result.message
    assert result.nfev < 300
    # below the point where the given gradient vanishes, and above the minimum
    least, vanishing = 10 * backend.eps, (1e-2**2 + 2e-2**2 / 3.0) / 2.0
    assert least < result.fun - 1.0 < vanishing


@pytest.mark.parametrize("method", SECOND)
def test_a_full_step_meets_the_tolerance_of_the_given_gradient(backend, method):
    """Newton's leads to where it vanishes, f falls on the way, and gtol says no more than that."""
    result = with_a_constant_error(backend, method)
    assert result.outcome is Outcome.CONVERGED_GRADIENT, result.message
    x = backend.to_numpy(result.x)
    np.testing.assert_allclose(x, [-1e-2, 2e-2 / 3.0], atol=4 * backend.eps)


@pytest.mark.parametrize("method", FIRST)
@pytest.mark.parametrize(
    "fun",
    [
        lambda x: np.float32(x[0]) ** 2,
        lambda x: float(np.float32(x[0]) ** 2),
        lambda x: np.float32(x[0] ** 2 + 3.0),
    ],
    ids=["float32", "float", "offset"],
)
def test_values_computed_in_float32(fun, method):
    """At steps of 1.5e-8 no difference moves them: the steps grow."""
    result = hessx.minimize(fun, [1.0], method=method)
    assert result.success, result.message
    # the noise of x^2 + 3 in float32 is 3e-7 or ten times that: x^2 is below it
    assert abs(result.x[0]) <= 3e-3
    assert result.nfev <= 60


@pytest.mark.parametrize("jac", [None, "2-point", "3-point"])
def test_differences_that_move_nothing_are_no_convergence(backend, jac):
    x0 = backend.asarray([1.0, 2.0])
    for fun in (lambda x: 5.0, lambda x: 5.0 + 0.0 * (x @ x)):
        result = hessx.minimize(fun, x0, jac=jac)
        assert result.outcome is Outcome.STALLED_PRECISION and not result.success
        assert "eps" in result.message
    given = hessx.minimize(lambda x: 5.0 + x @ x, x0, jac=jac, options={"eps": 1e-17})
    assert not given.success and given.nfev <= 5


def test_a_minimum_where_differences_vanish_is_found_by_longer_ones(backend):
    result = hessx.minimize(lambda x: 1.0 + x @ x, backend.asarray([0.0, 0.0]))
    assert result.success
    np.testing.assert_array_equal(backend.to_numpy(result.x), 0.0)


@pytest.mark.parametrize("method", FIRST)
@pytest.mark.backends("torch", "torch-float32", "fakegpu", "strict", "jax-float32")
def test_least_squares_without_a_gradient_on_any_library(backend, method):
    rng = np.random.default_rng(0)
    host_X, noise = rng.standard_normal((60, 4)), rng.standard_normal(60)
    X = backend.asarray(host_X)
    y = backend.asarray(host_X @ np.ones(4) + noise)

    def fun(w):
        r = X @ w - y
        return r @ r

    result = hessx.minimize(fun, backend.asarray(np.zeros(4)), method=method)
    assert result.success, result.message
    assert result.nfev <= 200
    best = np.linalg.lstsq(host_X, host_X @ np.ones(4) + noise)[0]
    # the curvature is above 30; f near 60 is known to 60 eps
    atol = 3 * (60 * 60 * backend.eps / 30) ** 0.5
    np.testing.assert_allclose(backend.to_numpy(result.x), best, atol=atol)
    backend.assert_same_kind(result.x, X[0, ...])


@pytest.mark.parametrize("method", SECOND)
@pytest.mark.parametrize("returned", ["float32", "float64"])
def test_products_by_differences_of_a_gradient_computed_in_float32(method, returned):
    """x and f are float64; the steps of the differences fit the gradient, not x."""
    problem = Logistic()

    def jac(x):
        return problem.jac(x).astype(np.float32).astype(returned)

    result = hessx.minimize(problem.fun, problem.x0, jac=jac, method=method)
    exact = hessx.minimize(problem.fun, problem.x0, jac=problem.jac, method=method)
    assert result.success, result.message
    assert result.nfev <= exact.nfev + 5
    np.testing.assert_allclose(result.x, exact.x, atol=1e-4)
