"""A stationary start is left where it is no minimum, or the message says what was looked at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import hessx
from _helpers.registry import make_backend
from _helpers.solvers import DENSE, NEWTON, SAMPLED
from hessx import Outcome

SIGNS = {"saddle": [-1.0, 1.0, 1.0, 1.0], "maximum": [-1.0] * 4, "all but one": [1.0, -1.0, -1, -1]}
PRODUCTS = ("hessp", "hess", "operator", "differences", "3-point")
each = pytest.mark.parametrize("name", [name for name in NEWTON if "jacobi" not in name])
EAGER = ("numpy", "strict", "torch", "fakegpu", "jax", "cupy-signatures", "cupy")


class Quartic:
    """f = sum x^4 / 4 + a x^2 / 2: stationary at 0; minima at x_i^2 = max(0, -a_i)."""

    def __init__(self, backend, signs):
        self.a, self.xp = backend.asarray(signs), backend.xp

    def __call__(self, x):
        square = x * x
        return self.xp.sum(square * (square / 4.0 + self.a / 2.0)), x * (square + self.a)

    def hessp(self, x, v):
        return (3.0 * (x * x) + self.a) * v

    def given(self, kind, n=4):
        """The settings of minimize that give products in one way or another."""
        if kind == "hessp":
            return {"hessp": self.hessp}
        if kind == "hess":
            return {"hess": lambda x: self.xp.eye(n, dtype=x.dtype) * (3.0 * (x * x) + self.a)}
        if kind == "operator":
            return {"hess": lambda x: hessx.DiagonalOperator(3.0 * (x * x) + self.a)}
        return {} if kind == "differences" else {"hess": kind}


@each
@pytest.mark.parametrize("start", SIGNS)
@pytest.mark.backends(*EAGER)
def test_is_left_with_products(backend, name, start):
    fun, x0 = Quartic(backend, SIGNS[start]), backend.asarray(np.zeros(4))
    result = hessx.minimize(fun, x0, jac=True, hessp=fun.hessp, method=NEWTON[name])
    assert result.success, result.message
    assert result.fun == pytest.approx(-np.sum(np.less(SIGNS[start], 0)) / 4.0, abs=1e-3)
    assert result.nit >= 1
    backend.assert_same_kind(result.x, x0)
    x, a = backend.to_numpy(result.x).astype(float), np.asarray(SIGNS[start])
    np.testing.assert_allclose(x * x, np.maximum(0.0, -a), atol=2e-3)


@pytest.mark.parametrize("given", PRODUCTS)
@pytest.mark.parametrize("method", ["newton-cg", "trust-ncg"])
@pytest.mark.parametrize("start", SIGNS)
@pytest.mark.backends("numpy")
def test_is_left_however_products_are_given(backend, method, start, given):
    fun, x0 = Quartic(backend, SIGNS[start]), backend.asarray(np.zeros(4))
    result = hessx.minimize(fun, x0, jac=True, method=method, **fun.given(given))
    assert result.success, result.message
    assert result.fun == pytest.approx(-np.sum(np.less(SIGNS[start], 0)) / 4.0, abs=1e-3)


@each
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_one_direction_among_many(name, size):
    """f = |x|^2 - 3 / 2 x_n^2 + x_n^4 in a hundred variables, from 0."""
    n, a = 100, np.append(np.linspace(1.0, 2.0, 99), -1.0)

    def fun(x):
        return size * float(a @ x**2 + np.sum(x**4)) / 2.0, size * (a * x + 2.0 * x**3)

    def hessp(x, v):
        return size * (a + 6.0 * x**2) * v

    options = {"gtol": 1e-6 * size}
    result = hessx.minimize(
        fun, np.zeros(n), jac=True, hessp=hessp, method=NEWTON[name], options=options
    )
    assert result.success, result.message
    assert result.fun == pytest.approx(-size / 8.0, rel=1e-4)


@each
@pytest.mark.backends(*EAGER)
def test_a_minimum_is_a_success_that_says_what_was_looked_at(backend, name):
    fun, x0 = Quartic(backend, [1.0, 2.0, 3.0, 1.5]), backend.asarray(np.zeros(4))
    result = hessx.minimize(fun, x0, jac=True, hessp=fun.hessp, method=NEWTON[name])
    assert result.outcome is Outcome.CONVERGED_GRADIENT
    assert (result.nit, result.nfev) == (0, 1)
    assert 1 <= result.nhev <= 20
    looked = f"no negative curvature in {result.nhev} products"
    if name in DENSE:
        looked = "no negative curvature: the least of all eigenvalues is 1"
    assert looked in result.message


@pytest.mark.parametrize("name", SAMPLED)
@pytest.mark.parametrize("start", ["saddle", "maximum"])
def test_what_is_not_the_hessian_says_nothing_of_its_curvature(name, start):
    fun = Quartic(make_backend("numpy"), SIGNS[start])
    result = hessx.minimize(fun, np.zeros(4), jac=True, hessp=fun.hessp, method=SAMPLED[name])
    assert (result.success, result.nit) == (True, 0)
    assert "second order was not checked" in result.message
    assert "no negative curvature" not in result.message


@each
def test_a_flat_function_is_no_trouble(name):
    result = hessx.minimize(
        lambda x: (1.0, 0.0 * x), np.ones(3), jac=True, hessp=lambda x, v: 0.0 * v,
        method=NEWTON[name],
    )  # fmt: skip
    assert result.success
    assert (result.nit, result.nfev) == (0, 1)


@pytest.mark.parametrize("method", ["lbfgs", "cg", "gd", "lbfgs-with-hess"])
def test_first_order_methods_say_that_they_did_not_look(method):
    more = {"hessp": lambda x, v: v} if method == "lbfgs-with-hess" else {}
    result = hessx.minimize(
        lambda x: (x[0] * x[1], x[::-1].copy()), np.zeros(2), jac=True,
        method=method.removesuffix("-with-hess"), **more,
    )  # fmt: skip
    assert result.success
    assert "second order was not checked" in result.message


@each
def test_the_length_of_the_first_step_is_x_scale(name):
    """f = (r^2 - 1)^2 scaled to minima at distance 1e4: the way out has length x_scale."""
    seen = []

    def fun(x):
        y = x / 1e4
        seen.append(x.copy())
        return float(y @ y - 1.0) ** 2, 4.0 * (y @ y - 1.0) * y / 1e4

    def hessp(x, v):
        y, w = x / 1e4, v / 1e4
        return (4.0 * (y @ y - 1.0) * w + 8.0 * (y @ w) * y) / 1e4

    scaled = replace(NEWTON[name], x_scale=5e3)
    result = hessx.minimize(
        fun, np.zeros(3), jac=True, hessp=hessp, method=scaled, options={"gtol": 1e-9}
    )
    assert result.success, result.message
    assert np.linalg.norm(seen[1]) == pytest.approx(5e3)
    assert np.linalg.norm(result.x) == pytest.approx(1e4, rel=1e-3)
    assert result.fun == pytest.approx(0.0, abs=1e-6)


def test_maximising_from_a_minimum():
    result = hessx.minimize(
        lambda x: (float(x @ x / 2.0 - np.sum(x**4) / 4.0), x - x**3), np.zeros(3), jac=True,
        hessp=lambda x, v: v - 3.0 * x**2 * v, method="trust-ncg", maximize=True,
    )  # fmt: skip
    assert result.success, result.message
    assert result.fun == pytest.approx(0.75)
