"""Budgets and Ctrl-C hold between any two products: the inner loop ends with what it has."""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import pytest

import hessx
from _helpers.runs import PRODUCTS, chained_rosenbrock
from _helpers.solvers import NEWTON
from hessx import Outcome

START = np.array([-1.2, 1.0, 0.8, 0.5, 1.5, 0.0])
each = pytest.mark.parametrize("name", [name for name in NEWTON if "jacobi" not in name])


class Problem:
    """Rosenbrock's function with a hook that each product calls."""

    def __init__(self, hook=lambda count: None):
        self.hook, self.products, self.evaluated = hook, 0, []

    def __call__(self, x):
        value, grad = chained_rosenbrock(x)
        self.evaluated.append((float(value), x))
        return value, grad

    def hessp(self, x, v):
        self.products += 1
        self.hook(self.products)
        return PRODUCTS[chained_rosenbrock](x, v)

    def minimize(self, name, **options):
        result = hessx.minimize(
            self, START, jac=True, hessp=self.hessp, method=NEWTON[name],
            options={"gtol": 1e-10, **options},
        )  # fmt: skip
        value, x = min(self.evaluated, key=lambda e: e[0])
        assert result.fun == value
        np.testing.assert_array_equal(result.x, x)
        np.testing.assert_array_equal(result.jac, chained_rosenbrock(x)[1])
        assert result.nhev == self.products
        assert result.nfev == len(self.evaluated)
        return result


@each
@pytest.mark.parametrize("limit", [1, 2, 3, 8, 20])
def test_products(name, limit):
    """Not one product beyond, inside a solve or between two."""
    result = Problem().minimize(name, max_products=limit)
    assert result.outcome is Outcome.LIMIT_EVALUATIONS
    assert result.nhev == limit
    assert (result.success, result.status) == (False, 1)
    assert f"limit {limit}" in result.message


@each
@pytest.mark.parametrize("limit", [1, 2, 5])
def test_evaluations(name, limit):
    result = Problem().minimize(name, maxfun=limit)
    assert result.outcome is Outcome.LIMIT_EVALUATIONS
    assert result.nfev == limit


@each
@pytest.mark.parametrize("limit", [1, 3])
def test_evaluations_spent_by_differences_inside_a_solve(name, limit):
    """With jac=True each product by differences evaluates f: the limit holds there too."""
    calls = []

    def fun(x):
        calls.append(x)
        return chained_rosenbrock(x)

    options = {"maxfun": limit}
    result = hessx.minimize(fun, START, jac=True, method=NEWTON[name], options=options)
    assert result.outcome is Outcome.LIMIT_EVALUATIONS
    assert result.nfev == len(calls)
    assert len(calls) <= limit + 1  # the solve ends, and its step is tried


@each
def test_seconds(name):
    """Each product takes 0.2 s, so that the limit strikes inside the first solve."""
    started = time.perf_counter()
    problem = Problem(lambda count: time.sleep(0.2))
    result = problem.minimize(name, max_seconds=0.3)
    assert result.outcome is Outcome.LIMIT_TIME
    assert result.nhev == 2
    assert time.perf_counter() - started < 30.0


@each
@pytest.mark.parametrize("strikes", [1, 2, 3, 9])
def test_an_interrupt(name, strikes):
    def strike(count):
        if count == strikes:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    result = Problem(strike).minimize(name)
    assert result.outcome is Outcome.STOPPED_BY_USER
    assert (result.success, result.status) == (False, 99)
    assert "SIGINT" in result.message
    assert result.nhev == strikes
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_interrupt_is_not_held_back():
    def strike(count):
        if count == 2:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        Problem(strike).minimize("trust")
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("when", ["fun", "callback"])
@pytest.mark.parametrize("method", ["lbfgs", "trust-ncg", "newton-cg"])
def test_an_interrupt_outside_products(method, when):
    calls = []

    def strike(*_):
        calls.append(1)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGINT)

    def fun(x):
        if when == "fun":
            strike()
        return chained_rosenbrock(x)

    result = hessx.minimize(
        fun, START, jac=True, hessp=PRODUCTS[chained_rosenbrock], method=method,
        callback=strike if when == "callback" else None,
    )  # fmt: skip
    assert result.outcome is Outcome.STOPPED_BY_USER
    assert result.fun <= chained_rosenbrock(START)[0]


@each
def test_an_interrupt_in_the_probe_of_a_stationary_start(name):
    """f = |x|^2 / 2 from its minimum: the probe of fifty directions is cut short."""
    weights = np.linspace(1.0, 2.0, 50)

    def hessp(x, v):
        hessp.calls += 1
        if hessp.calls == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return weights * v

    hessp.calls = 0
    result = hessx.minimize(
        lambda x: (weights * x @ x / 2.0, weights * x), np.zeros(50), jac=True, hessp=hessp,
        method=NEWTON[name],
    )  # fmt: skip
    assert hessp.calls == 3
    assert result.nit == 0
    said = ("3 products", "SIGINT", "second order was not checked: stopped before")
    assert any(words in result.message for words in said)
