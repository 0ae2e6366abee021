"""What kind of point it is, where that is known in closed form."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from hessx._xp import record_fetches
from hessx.models import LogisticRegression

KINDS = {
    (2.0, 3.0, 5.0): ("minimum", "positive definite"),
    (-2.0, -3.0, -5.0): ("maximum", "negative definite"),
    (2.0, -3.0, 5.0): ("saddle", "indefinite"),
    (2.0, 0.0, 5.0): ("flat", "positive semidefinite"),
    (-2.0, 0.0, -5.0): ("flat", "negative semidefinite"),
    (0.0, 0.0, 0.0): ("singular", "zero"),
}


def quadratic(d):
    return lambda x: (x @ (d * x) / 2.0, d * x)


@pytest.mark.parametrize("products", [3, 2])
@pytest.mark.parametrize("d", KINDS)
def test_quadratics(d, products):
    d = np.array(d)
    for scale in (1.0, 2.0**-800, 2.0**800):
        fun = quadratic(d * scale)
        report = hessx.curvature(
            fun, np.zeros(3), jac=True, hessp=lambda x, v, a=scale: d * a * v, products=products
        )
        if products == 3:
            assert (report.kind, report.definiteness) == KINDS[tuple(d)]
            ends = report.least / scale, report.largest / scale
            assert ends == pytest.approx((d.min(), d.max()), rel=1e-14)
            assert report.exact
            found = report.inertia
            assert (found.positive, found.negative, found.zero) == (
                sum(d > 0),
                sum(d < 0),
                sum(d == 0),
            )
        else:
            assert report.kind in (KINDS[tuple(d)][0], "undecided")
            assert not report.exact
        if report.least < -report.threshold:
            u = report.direction
            assert u @ (d * u) < 0.0
            assert u @ u == pytest.approx(1.0)
        else:
            assert report.direction is None


def test_where_the_gradient_is_not_zero():
    fun = quadratic(np.array([1.0, -1.0]))
    report = hessx.curvature(fun, np.array([2e-5, 0.0]), jac=True)
    assert (report.kind, report.definiteness) == ("not stationary", "indefinite")
    assert report.grad_norm == 2e-5
    assert report.message.startswith("not stationary: norm_inf(g) = 2e-05 is above 1e-05")
    assert hessx.curvature(fun, np.array([2e-5, 0.0]), jac=True, gtol=1e-4).kind == "saddle"


def monkey(x):
    """x^3 - 3 x y^2: at 0 the Hessian is zero, and yet it is no minimum."""
    return x[0] ** 3 - 3 * x[0] * x[1] ** 2, np.array(
        [3 * x[0] ** 2 - 3 * x[1] ** 2, -6 * x[0] * x[1]]
    )


def ring(x):
    """(x'x - 1)^2: a valley along the circle, where H = 8 x x'."""
    return (x @ x - 1.0) ** 2, 4.0 * (x @ x - 1.0) * x


def quartic(x):
    """(x + y)^4: along x = -y all derivatives below the fourth are zero."""
    return (x[0] + x[1]) ** 4, 4.0 * (x[0] + x[1]) ** 3 * np.ones(2)


@pytest.mark.parametrize("hess", [None, "3-point"])
def test_the_noise_of_differences_is_told(hess):
    assert hessx.curvature(monkey, np.zeros(2), jac=True, hess=hess).kind == "singular"
    for angle in np.linspace(0.0, 6.0, 13):
        x = np.array([np.cos(angle), np.sin(angle)])
        report = hessx.curvature(ring, x, jac=True, hess=hess)
        assert report.kind == "flat", report.message
        assert 0.0 < report.noise <= report.threshold
        assert report.largest == pytest.approx(8.0, rel=1e-4)
    assert hessx.curvature(quartic, np.array([1.0, -1.0]), jac=True, hess=hess).kind == "singular"
    # and what is beyond the noise is found
    for d in ((1.0, 0.1), (1.0, -0.1)):
        kind = "minimum" if min(d) > 0 else "saddle"
        report = hessx.curvature(quadratic(np.array(d)), np.zeros(2), jac=True, hess=hess)
        assert (report.kind, report.products) == (kind, 2 + 6)


def test_a_valley_with_products_of_its_own():
    def hessp(x, v):
        return 8.0 * x * (x @ v) + 4.0 * (x @ x - 1.0) * v

    for angle in np.linspace(0.0, 6.0, 13):
        x = np.array([np.cos(angle), np.sin(angle)])
        report = hessx.curvature(ring, x, jac=True, hessp=hessp)
        assert (report.kind, report.noise) == ("flat", 0.0)
        assert report.threshold < 1e-13


@pytest.mark.parametrize("least", [-0.5, -1e-3, 1e-3])
def test_one_curvature_among_many(least):
    n = 10**5
    d = np.linspace(0.5, 1.0, n)
    d[n // 3] = least
    with record_fetches() as ledger:
        report = hessx.curvature(
            quadratic(d), np.zeros(n), jac=True, hessp=lambda x, v: d * v, rtol=0.01
        )
    assert report.kind == ("saddle" if least < 0.0 else "minimum")
    assert abs(report.least - least) <= report.least_error
    assert abs(report.least) == pytest.approx(abs(least), rel=1e-6)
    assert not report.exact
    assert ledger.fetches <= report.products / 8 + 2
    if least < 0.0:
        assert abs(report.direction[n // 3]) == pytest.approx(1.0)


def test_what_was_not_found_is_said_to_be():
    d = np.linspace(0.0, 1.0, 10**4) ** 2
    d[0] = -1e-7  # hidden below a crowd of small ones
    report = hessx.curvature(
        quadratic(d), np.zeros(len(d)), jac=True, hessp=lambda x, v: d * v, products=40
    )
    assert (report.kind, report.definiteness) == ("undecided", "undecided")
    assert "no negative curvature was found, and there may be some" in report.message
    assert report.least >= -1e-7
    assert report.direction is None


def test_the_hessian_has_to_be_finite_and_symmetric():
    H = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    fun = quadratic(np.ones(3))
    for products in (2, 3):
        for given in ({"hessp": lambda x, v: H @ v}, {"hess": lambda x: lambda v: H @ v}):
            with pytest.raises(ValueError, match="the Hessian is not symmetric"):
                hessx.curvature(fun, np.zeros(3), jac=True, products=products, **given)
        with pytest.raises(ValueError, match="the Hessian at x is not finite"):
            hessx.curvature(
                fun, np.zeros(3), jac=True, hessp=lambda x, v: v * np.nan, products=products
            )
    with pytest.raises(ValueError, match=r"hess\(x\) is not symmetric"):
        hessx.curvature(fun, np.zeros(3), jac=True, hess=lambda x: H)
    with pytest.raises(ValueError, match="the Hessian at x is not finite"):
        hessx.curvature(fun, np.zeros(3), jac=True, hess=lambda x: H * np.nan)
    with pytest.raises(ValueError, match="the gradient at x is not finite"):
        hessx.curvature(lambda x: (0.0, x * np.nan), np.ones(3), jac=True)


def test_bad_input():
    fun = quadratic(np.ones(3))
    for settings in ({"products": 0}, {"rtol": 1.0}, {"gtol": -1.0}, {"seed": -1}):
        with pytest.raises(hessx.SettingsError):
            hessx.curvature(fun, np.zeros(3), jac=True, **settings)
    with pytest.raises(ValueError, match="second-order methods need products"):
        hessx.curvature(lambda x: x @ x, np.zeros(3))
    with pytest.raises(TypeError, match="leave jac out"):
        hessx.curvature(logistic(), np.zeros(3), jac=True)


def logistic():
    """A sum over rows that has its Hessian."""
    rng = np.random.default_rng(3)
    labels = (rng.random(50) > 0.5) * 2.0 - 1.0
    return hessx.FiniteSum(
        LogisticRegression(rng.standard_normal((50, 3)), labels, l2=0.1, intercept=False)
    )


def test_a_finite_sum():
    problem = logistic()
    found = hessx.minimize(problem, np.zeros(3), method="trust-exact", tol=1e-9)
    report = hessx.curvature(problem, found.x)
    assert (report.kind, report.noise) == ("minimum", 0.0)
    assert report.least > 0.1 * (1.0 - 1e-12)


def test_a_sum_of_squares():
    """Its Hessian is by differences of J'r; the valley of r = x'x - 1 is the ring's."""
    squares = hessx.SumOfSquares(lambda x: np.array([x @ x - 1.0]), lambda x: 2.0 * x[None, :])
    report = hessx.curvature(squares, np.array([0.6, 0.8]))
    assert (report.kind, report.definiteness) == ("flat", "positive semidefinite")
    assert report.noise > 0.0
    assert report.largest == pytest.approx(4.0, rel=1e-3)  # of half the square


def test_trees_and_arguments():
    def fun(t, a):
        return a * t["u"] @ t["u"] - t["v"] ** 2, {"u": 2 * a * t["u"], "v": -2 * t["v"]}

    report = hessx.curvature(fun, {"u": np.zeros(2), "v": 0.0}, args=3.0, jac=True)
    assert report.kind == "saddle"
    assert (report.least, report.largest) == pytest.approx((-2.0, 6.0))
    assert abs(report.direction["v"]) == pytest.approx(1.0)
    np.testing.assert_allclose(report.direction["u"], 0.0, atol=1e-12)


def test_on_every_library(backend):
    for d, products in (((4.0, -1.0, 2.0, 2.0, 3.0), 5), ((4.0, 1.0, 2.0, 2.0, 3.0), 4)):
        a = backend.asarray(d)
        report = hessx.curvature(
            lambda x, a=a: (x @ (a * x) / 2.0, a * x),
            backend.asarray(np.zeros(len(d))),
            jac=True,
            hessp=lambda x, v, a=a: a * v,
            products=products,
        )
        if products == 5:
            assert report.kind == "saddle"
            backend.assert_same_kind(report.direction, a)
            np.testing.assert_allclose(
                np.abs(backend.to_numpy(report.direction)), [0, 1, 0, 0, 0], atol=100 * backend.eps
            )
        else:
            assert (report.kind, report.inertia) == ("minimum", None)
            np.testing.assert_allclose(
                [report.least, report.largest], [1.0, 4.0], atol=100 * backend.eps
            )


def test_a_kink_is_not_decided():
    """abs has no second derivative at 0; abs(x)^3 has one, which is zero."""
    kink = hessx.curvature(lambda x: (abs(x).sum(), np.sign(x)), np.zeros(3), jac=True)
    assert (kink.kind, kink.definiteness) == ("undecided", "undecided")
    cubic = hessx.curvature(lambda x: ((abs(x) ** 3).sum(), 3 * x * abs(x)), np.zeros(3), jac=True)
    assert cubic.kind == "singular"
