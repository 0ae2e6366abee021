"""No absolute constant takes part in a decision: other units give the same run.

A power of two changes no digit, so that f times 2^20 and x times 2^10, with the tolerances and
x_scale in the new units, give bitwise the same iterates.
"""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from _helpers.runs import chained_rosenbrock, matrix_of, product_of

n = 6
START = np.array([0.5, 1.5, 0.75, 0.5, 1.5, 0.0])
HESSIAN = 256.0 * np.eye(n) + 32.0
SCALE = np.array([1.0, 2.0, 0.5, 1.0, 4.0, 1.5])

# Each makes its method in the units of f (times a) and x (times b): a step alpha is b^2 / a.
SOLVERS = {
    "lbfgs-hz": lambda a, b: (hessx.LBFGS(), hessx.HagerZhang(), b),
    "lbfgs-mt": lambda a, b: (hessx.LBFGS(memory=3), hessx.MoreThuente(), b),
    "lbfgs-armijo-damped": lambda a, b: (hessx.LBFGS(damping=0.2), hessx.Armijo(), b),
    "lbfgs-number": lambda a, b: (
        hessx.LBFGS(hess_inv0=b * b / a / 128),
        hessx.HagerZhang(),
        b,
    ),
    "lbfgs-array": lambda a, b: (hessx.LBFGS(), hessx.HagerZhang(), b * SCALE),
    "cg-hz": lambda a, b: (hessx.NonlinearCG("hz"), hessx.HagerZhang(c2=0.1), b),
    "cg-hs+": lambda a, b: (hessx.NonlinearCG("hs+"), hessx.HagerZhang(c2=0.1), b),
    "cg-pr+": lambda a, b: (hessx.NonlinearCG("pr+"), hessx.MoreThuente(c2=0.1), b),
    "gd-armijo": lambda a, b: (hessx.Identity(), hessx.Armijo(), b),
    "gd-array": lambda a, b: (hessx.Identity(), hessx.HagerZhang(), b * SCALE),
    "fixed": lambda a, b: (hessx.Identity(), hessx.FixedStep(b * b / a / 1024), b),
    "decaying": lambda a, b: (hessx.Identity(), hessx.DecayingStep(b * b / a / 512), b),
    "bb-long": lambda a, b: (hessx.Identity(), hessx.BarzilaiBorwein("long"), b),
    "bb-short": lambda a, b: (hessx.Identity(), hessx.BarzilaiBorwein("short"), b),
    "inverse-fixed": lambda a, b: (
        hessx.ExactInverse(a / b**2 * HESSIAN),
        hessx.FixedStep(0.125),
        b,
    ),
    "inverse-hz": lambda a, b: (hessx.ExactInverse(a / b**2 * HESSIAN), hessx.HagerZhang(), b),
    "lbfgs-hz-max": lambda a, b: (hessx.LBFGS(), hessx.NonMonotone(hessx.HagerZhang()), b),
    "lbfgs-mt-average": lambda a, b: (
        hessx.LBFGS(),
        hessx.NonMonotoneAverage(hessx.MoreThuente(), eta=0.7),
        b,
    ),
    "spectral-max": lambda a, b: (hessx.Spectral(), hessx.NonMonotone(), b),
    "spectral-adaptive": lambda a, b: (
        hessx.Spectral("adaptive"),
        hessx.NonMonotoneAverage(),
        b * SCALE,
    ),
    "diagonal-bfgs": lambda a, b: (hessx.DiagonalBFGS(), hessx.Armijo(), b),
    "weak-secant": lambda a, b: (hessx.WeakSecant(), hessx.NonMonotone(), b * SCALE),
    "bfgs": lambda a, b: (hessx.BFGS(), hessx.HagerZhang(), b),
    "bfgs-number": lambda a, b: (hessx.BFGS(b * b / a / 128), hessx.MoreThuente(), b),
    "bfgs-array": lambda a, b: (hessx.BFGS(damping=0.2), hessx.HagerZhang(), b * SCALE),
    "ssbfgs": lambda a, b: (hessx.BFGS(scaling="al-baali"), hessx.HagerZhang(), b),
    "dfp": lambda a, b: (hessx.DFP(scaling="oren-luenberger"), hessx.HagerZhang(c2=0.1), b),
    "broyden": lambda a, b: (hessx.Broyden(phi=0.25, scaling="growing"), hessx.HagerZhang(), b),
    "ssbroyden": lambda a, b: (hessx.SSBroyden(), hessx.HagerZhang(), b),
    "ldfp": lambda a, b: (hessx.LDFP(memory=3), hessx.HagerZhang(), b),
    "newton-bfgs": lambda a, b: (
        hessx.NewtonCG(approximation=hessx.BFGS()),
        hessx.HagerZhang(),
        b,
    ),
    "newton-sr1": lambda a, b: (hessx.NewtonCG(approximation=hessx.SR1()), hessx.HagerZhang(), b),
    "newton-lbfgs": lambda a, b: (
        hessx.NewtonCG(approximation=hessx.LBFGS(memory=3)),
        hessx.MoreThuente(),
        b * SCALE,
    ),
}
DENSE = hessx.Exact(dense=True)
BAND = hessx.Pattern.banded(n, 1)

# In a region, of gradients alone.
LEARNING = {
    "trust-bfgs": lambda a, b: hessx.TrustRegionMethod(hessx.BFGS(), x_scale=b),
    "trust-sr1": lambda a, b: hessx.TrustRegionMethod(hessx.SR1(), x_scale=b),
    "trust-sr1-number": lambda a, b: hessx.TrustRegionMethod(hessx.SR1(128 * a), x_scale=b * SCALE),
    "trust-psb": lambda a, b: hessx.TrustRegionMethod(hessx.PSB(), x_scale=b),
    "trust-ssbroyden": lambda a, b: hessx.TrustRegionMethod(hessx.SSBroyden(), x_scale=b * SCALE),
    "trust-bfgs-exact": lambda a, b: hessx.TrustRegionMethod(
        hessx.BFGS(), hessx.MoreSorensen(), x_scale=b
    ),
    "trust-bfgs-dogleg": lambda a, b: hessx.TrustRegionMethod(
        hessx.BFGS(), hessx.Dogleg(double=True), x_scale=b
    ),
    "trust-lbfgs": lambda a, b: hessx.TrustRegionMethod(
        hessx.LBFGS(memory=3), hessx.Dogleg(), x_scale=b
    ),
    "trust-lbfgs-damped": lambda a, b: hessx.TrustRegionMethod(
        hessx.LBFGS(memory=3, damping=0.2), x_scale=b * SCALE
    ),
    "trust-lsr1": lambda a, b: hessx.TrustRegionMethod(hessx.LSR1(memory=3), x_scale=b),
    "trust-lsr1-number": lambda a, b: hessx.TrustRegionMethod(
        hessx.LSR1(memory=3, hess0=128 * a), x_scale=b * SCALE
    ),
    "trust-ldfp": lambda a, b: hessx.TrustRegionMethod(hessx.LDFP(memory=3), x_scale=b),
    "trust-spectral": lambda a, b: hessx.TrustRegionMethod(hessx.Spectral(), x_scale=b),
    "trust-diagonal-bfgs": lambda a, b: hessx.TrustRegionMethod(hessx.DiagonalBFGS(), x_scale=b),
    "trust-weak-secant": lambda a, b: hessx.TrustRegionMethod(hessx.WeakSecant(), x_scale=b),
    "trust-diagonal-psb": lambda a, b: hessx.TrustRegionMethod(hessx.DiagonalPSB(), x_scale=b),
    "r2": lambda a, b: hessx.TrustRegionMethod(
        hessx.Zero(), hessx.SteepestStep(), hessx.NielsenRule(), x_scale=b
    ),
    "zero, ball": lambda a, b: hessx.TrustRegionMethod(
        hessx.Zero(), hessx.SteepestStep(), x_scale=b * SCALE
    ),
    "zero, cubic": lambda a, b: hessx.TrustRegionMethod(
        hessx.Zero(), hessx.SteepestStep(), hessx.CubicRule(), x_scale=b
    ),
    "damped-lbfgs": lambda a, b: hessx.TrustRegionMethod(
        hessx.LBFGS(memory=3), region=hessx.NielsenRule(), x_scale=b
    ),
}
# Of second order: products are given, but for those whose names say differences.
NEWTON = {
    "newton-hz": lambda a, b: hessx.LineSearchMethod(hessx.NewtonCG(), hessx.HagerZhang(), b),
    "newton-array": lambda a, b: hessx.LineSearchMethod(
        hessx.NewtonCG(), hessx.MoreThuente(), b * SCALE
    ),
    "newton-jacobi": lambda a, b: hessx.LineSearchMethod(
        hessx.NewtonCG(preconditioner="jacobi"), hessx.HagerZhang(), b
    ),
    "newton-differences": lambda a, b: hessx.LineSearchMethod(
        hessx.NewtonCG(), hessx.HagerZhang(), b
    ),
    "sparse-newton": lambda a, b: hessx.LineSearchMethod(
        hessx.SparseNewton(BAND), hessx.HagerZhang(), b
    ),
    "sparse-differences": lambda a, b: hessx.TrustRegionMethod(
        hessx.Sparse(BAND), x_scale=b * SCALE
    ),
    "trust": lambda a, b: hessx.TrustRegionMethod(x_scale=b),
    "trust-array": lambda a, b: hessx.TrustRegionMethod(x_scale=b * SCALE),
    "trust-by-threes": lambda a, b: hessx.TrustRegionMethod(
        subproblem=hessx.TruncatedCG(check_every=3), x_scale=b
    ),
    "trust-radius": lambda a, b: hessx.TrustRegionMethod(
        region=hessx.RadiusRule(initial=b * 0.3, largest=b * 3.0),
        forcing=hessx.EisenstatWalker(power=2.0),
        x_scale=b,
    ),
    "trust-jacobi": lambda a, b: hessx.TrustRegionMethod(preconditioner="jacobi", x_scale=b),
    "trust-nystrom": lambda a, b: hessx.TrustRegionMethod(
        preconditioner=hessx.Nystrom(shift=a, every=2), x_scale=b * SCALE
    ),
    "trust-low-rank": lambda a, b: hessx.TrustRegionMethod(
        hessx.LowRank(2, absolute=False), x_scale=b
    ),
    "trust-pairs": lambda a, b: hessx.TrustRegionMethod(preconditioner="pairs", x_scale=b),
    "damped": lambda a, b: hessx.TrustRegionMethod(region=hessx.NielsenRule(), x_scale=b),
    "damped-jacobi": lambda a, b: hessx.TrustRegionMethod(
        subproblem=hessx.TruncatedCG(check_every=3),
        region=hessx.NielsenRule(),
        preconditioner="jacobi",
        x_scale=b,
    ),
    "damped-given": lambda a, b: hessx.TrustRegionMethod(
        region=hessx.NielsenRule(initial=0.5 * a / b**2), x_scale=b
    ),
    "arc": lambda a, b: hessx.TrustRegionMethod(
        subproblem=hessx.GLTR(), region=hessx.CubicRule(), x_scale=b
    ),
    "arc-jacobi": lambda a, b: hessx.TrustRegionMethod(
        subproblem=hessx.GLTR(), region=hessx.CubicRule(), preconditioner="jacobi", x_scale=b
    ),
    "arc-array": lambda a, b: hessx.TrustRegionMethod(
        subproblem=hessx.GLTR(), region=hessx.CubicRule(), x_scale=b * SCALE
    ),
    "arc-given": lambda a, b: hessx.TrustRegionMethod(
        subproblem=hessx.GLTR(), region=hessx.CubicRule(initial=0.5 * a / b**3), x_scale=b
    ),
    "hutchinson": lambda a, b: hessx.LineSearchMethod(
        hessx.Hutchinson(samples=2), hessx.HagerZhang(), b * SCALE
    ),
    "chebyshev": lambda a, b: hessx.LineSearchMethod(
        hessx.TruncatedInverse(degree=4, products=3), hessx.HagerZhang(), b
    ),
    "partial": lambda a, b: hessx.LineSearchMethod(
        hessx.Partial("exact", [0, 1]), hessx.HagerZhang(), b * SCALE
    ),
    "newton-dense": lambda a, b: hessx.LineSearchMethod(hessx.Newton(), hessx.HagerZhang(), b),
    "newton-dense-array": lambda a, b: hessx.LineSearchMethod(
        hessx.Newton(), hessx.MoreThuente(), b * SCALE
    ),
    "newton-cholesky": lambda a, b: hessx.LineSearchMethod(
        hessx.Newton("cholesky"), hessx.HagerZhang(), b
    ),
    "trust-exact": lambda a, b: hessx.TrustRegionMethod(DENSE, hessx.MoreSorensen(), x_scale=b),
    "trust-exact-array": lambda a, b: hessx.TrustRegionMethod(
        DENSE, hessx.MoreSorensen(), x_scale=b * SCALE
    ),
    "damped-exact": lambda a, b: hessx.TrustRegionMethod(
        DENSE, hessx.MoreSorensen(), hessx.NielsenRule(), x_scale=b
    ),
    "arc-exact": lambda a, b: hessx.TrustRegionMethod(
        DENSE, hessx.MoreSorensen(), hessx.CubicRule(), x_scale=b
    ),
    "dogleg": lambda a, b: hessx.TrustRegionMethod(
        hessx.Newton("cholesky"), hessx.Dogleg(), x_scale=b
    ),
    "trust-differences": lambda a, b: hessx.TrustRegionMethod(x_scale=b),
}
UNITS = [(2.0**20, 1.0), (2.0**-20, 1.0), (1.0, 2.0**10), (1.0, 2.0**-10)]


def composed(name, a, b):
    """A method in these units."""
    whole = NEWTON | LEARNING
    return whole[name](a, b) if name in whole else hessx.LineSearchMethod(*SOLVERS[name](a, b))


def second_order(name, a, b):
    """Products in these units, or the matrix where its diagonal is asked for."""
    if name not in NEWTON or "differences" in name:
        return {}
    if "jacobi" in name:
        return {"hess": lambda x: a / b**2 * matrix_of(chained_rosenbrock)(x / b)}
    return {"hessp": lambda x, v: a / b**2 * product_of(chained_rosenbrock)(x / b, v)}


def run(name, a=1.0, b=1.0, jac=True):
    """The accepted points in the old units, and the result."""
    seen = []

    def fun(x):
        value, grad = chained_rosenbrock(x / b)
        return a * value, a * grad / b

    result = hessx.minimize(
        fun if jac is True else lambda x: fun(x)[0],
        b * START,
        jac=jac,
        method=composed(name, a, b),
        callback=lambda x: seen.append(x / b),
        options={"gtol": 1e-6 * a / b, "maxiter": 80},
        **second_order(name, a, b),
    )
    return np.stack(seen), result


@pytest.mark.parametrize(("a", "b"), UNITS)
@pytest.mark.parametrize("name", [*SOLVERS, *NEWTON, *LEARNING])
def test_other_units_of_f_and_x(name, a, b):
    points, expected = run(name)
    rescaled, result = run(name, a, b)
    np.testing.assert_array_equal(rescaled, points)
    assert (result.nit, result.nfev) == (expected.nit, expected.nfev)
    assert result.outcome is expected.outcome
    assert result.fun == a * expected.fun
    np.testing.assert_array_equal(result.x, b * expected.x)
    np.testing.assert_array_equal(result.jac, a / b * expected.jac)


@pytest.mark.parametrize("name", ["bfgs", "newton-sr1", *LEARNING])
@pytest.mark.parametrize("a", [2.0**-70, 2.0**70])
def test_units_of_f_beyond_its_digits(name, a):
    """The first pair, of a B that is I, is judged in units of f too."""
    points, expected = run(name)
    rescaled, result = run(name, a)
    np.testing.assert_array_equal(rescaled, points)
    assert (result.nit, result.nfev) == (expected.nit, expected.nfev)


@pytest.mark.parametrize(("a", "b"), UNITS)
@pytest.mark.parametrize("name", NEWTON)
def test_a_start_with_negative_curvature(name, a, b):
    """f = sum x^4 / 4 - x^2 / 2 near its maximum: no Cauchy step gives the first radius."""
    signs = np.array([1.0, -1.0, 1.0, 1.0, -1.0, 1.0])

    def minimize(a=1.0, b=1.0):
        def fun(x):
            y = x / b
            return a * float(np.sum(y**4) / 4.0 - y @ y / 2.0), a * (y**3 - y) / b

        def hessp(x, v):
            return a / b**2 * (3.0 * (x / b) ** 2 - 1.0) * v

        more = {} if "differences" in name else {"hessp": hessp}
        if "jacobi" in name:
            more = {"hess": lambda x: np.diag(hessp(x, np.ones(n)))}
        return hessx.minimize(
            fun,
            b * 0.25 * signs,
            jac=True,
            method=composed(name, a, b),
            options={"gtol": 1e-6 * a / b},
            **more,
        )

    expected, result = minimize(), minimize(a, b)
    np.testing.assert_array_equal(result.x, b * expected.x)
    assert (result.nit, result.nfev, result.nhev) == (expected.nit, expected.nfev, expected.nhev)
    assert result.success, result.message


@pytest.mark.parametrize(("a", "b"), UNITS)
@pytest.mark.parametrize("jac", ["2-point", "3-point"])
def test_other_units_with_difference_gradients(jac, a, b):
    """The differences take x_scale from the method."""
    points, expected = run("lbfgs-hz", jac=jac)
    rescaled, result = run("lbfgs-hz", a, b, jac=jac)
    np.testing.assert_array_equal(rescaled, points)
    assert result.nfev == expected.nfev


@pytest.mark.parametrize(("a", "b"), UNITS)
@pytest.mark.parametrize(
    "name", ["lbfgs-hz", "lbfgs-mt", "cg-hz", "gd-armijo", "newton-hz", "trust", "trust-by-threes"]
)
def test_other_units_down_to_the_last_digit(name, a, b):
    """With gtol = 0 a run ends where f no longer resolves a step: noise decides, and scales."""

    def limit(a=1.0, b=1.0):
        # weights and minimisers that are no powers of two: rounding everywhere
        w, c = np.linspace(0.3, 7.1, n), np.sqrt(np.arange(1.0, n + 1.0))

        def fun(x):
            error = x / b - c
            return a * (1.0 + (w * error) @ error), 2.0 * a * w * error / b

        options = {"gtol": 0.0, "maxiter": 200}
        return hessx.minimize(
            fun,
            b * START,
            jac=True,
            hessp=lambda x, v: 2.0 * a * w * v / b**2,
            method=composed(name, a, b),
            options=options,
        )

    expected, result = limit(), limit(a, b)
    assert (result.nit, result.nfev) == (expected.nit, expected.nfev)
    assert result.outcome is expected.outcome
    np.testing.assert_array_equal(result.x, b * expected.x)


METHODS = ["lbfgs", "cg", "gd", "newton-cg", "trust-ncg"]
WEIGHTS = np.array([1.0, 3.0, 10.0, 2.0, 7.0, 1.5])
# the Hessian is at least 1: an error in x is at most the gradient's norm
TOLERANCE = {"gtol": 1e-6, "norm": 2}


def bowl_at(centre):
    def fun(x):
        e = x - centre
        return float((WEIGHTS * e) @ e + e**3 @ e) / 2.0, WEIGHTS * e + 2.0 * e**3

    return fun


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("constant", [1.0, -1e3, 1e6])
def test_a_constant_added_to_f(method, constant):
    centre = np.linspace(-1.0, 2.0, n)
    plain = bowl_at(centre)

    def fun(x):
        value, grad = plain(x)
        return value + constant, grad

    result = hessx.minimize(fun, START, jac=True, method=method, options=TOLERANCE)
    assert result.success, result.message
    np.testing.assert_allclose(result.x, centre, rtol=0, atol=1.001e-6)


@pytest.mark.parametrize("method", METHODS)
def test_permuted_variables(method, rng):
    centre, order = np.linspace(-1.0, 2.0, n), rng.permutation(n)
    plain = bowl_at(centre)

    def fun(x):
        y = np.empty(n)
        y[order] = x
        value, grad = plain(y)
        return value, grad[order]

    result = hessx.minimize(fun, START[order], jac=True, method=method, options=TOLERANCE)
    expected = hessx.minimize(plain, START, jac=True, method=method, options=TOLERANCE)
    assert result.success, result.message
    np.testing.assert_allclose(result.x, centre[order], rtol=0, atol=1.001e-6)
    assert abs(result.nit - expected.nit) <= 1


@pytest.mark.parametrize("method", METHODS)
def test_rotated_variables(method, rng):
    """None of these methods looks at coordinates."""
    centre, (Q, _) = np.linspace(-1.0, 2.0, n), np.linalg.qr(rng.standard_normal((n, n)))
    plain = bowl_at(centre)

    def fun(x):
        value, grad = plain(Q @ x)
        return value, Q.T @ grad

    result = hessx.minimize(fun, Q.T @ START, jac=True, method=method, options=TOLERANCE)
    expected = hessx.minimize(plain, START, jac=True, method=method, options=TOLERANCE)
    assert result.success, result.message
    np.testing.assert_allclose(Q @ result.x, centre, rtol=0, atol=1.001e-6)
    assert abs(result.nit - expected.nit) <= max(3, 0.1 * expected.nit)


@pytest.mark.parametrize("method", ["bfgs", "lbfgs", "ssbroyden"])
def test_units_that_are_no_power_of_two(method):
    """The first pair sizes B: the same steps, up to rounding, whatever the unit of f."""
    steps = []
    for unit in (1e-6, 1.0, 1e6):
        result = hessx.minimize(
            lambda x, unit=unit: tuple(unit * part for part in chained_rosenbrock(x)),
            np.full(10, -1.0),
            jac=True,
            method=method,
            options={"gtol": unit * 1e-6},
        )
        assert result.success, result.message
        steps.append(result.nit)
    assert max(steps) <= 1.1 * min(steps), steps
