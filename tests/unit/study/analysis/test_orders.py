"""Fitted orders are those of sequences with a known one, and of methods with a proven one."""

from __future__ import annotations

import math
from statistics import median

import numpy as np
import pytest

import hessx
from hessx.study.analysis.orders import fitted_order


@pytest.mark.parametrize(("q", "steps"), [(1.0, 30), (1.4, 12), (1.618, 9), (2.0, 7), (3.0, 5)])
def test_sequences_have_their_order(q, steps):
    errors = [0.3]
    for _ in range(steps):
        errors.append(0.5 * errors[-1] ** q)
    assert fitted_order(errors).order == pytest.approx(q, rel=1e-9)


def test_a_linear_sequence_has_its_rate_and_steps_that_fall_out_do_not_count(rng):
    errors = list(0.8 ** np.arange(60.0))
    assert fitted_order(errors).rate == pytest.approx(0.8)
    errors[45] *= 0.3
    assert fitted_order(errors).order == pytest.approx(1.0, abs=0.05)
    uneven = np.cumprod(rng.uniform(0.5, 0.9, 80))
    assert fitted_order(list(uneven)).order == pytest.approx(1.0, abs=0.05)


def test_the_way_there_and_the_floor_are_left_out():
    slow, fast = list(0.9 ** np.arange(1, 30)), [0.04, 0.0016, 2.56e-6, 6.55e-12]
    floor = [3e-17, 2e-17, 0.0, 1e-17]
    assert fitted_order(slow + fast + floor, floor=1e-16).order == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("errors", [[], [1.0], [1.0, 0.5, 0.2], [1.0, 1.0, 1.0, 1.0], [0.0] * 9])
def test_too_few_steps_have_no_order_and_say_so(errors):
    found = fitted_order(errors)
    assert math.isnan(found.order) and "fewer than three steps" in found.reason


def strongly_convex(seed, n=2):
    """sum exp(a'x) + x'x / 2, and a start."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((4 * n, n))

    def fun(x):
        e = np.exp(A @ x)
        return e.sum() + x @ x / 2, A.T @ e + x

    return fun, lambda x: (A.T * np.exp(A @ x)) @ A + np.eye(n), rng.standard_normal(n)


@pytest.mark.parametrize(
    ("method", "low", "high"),
    # of BFGS on two variables the root of t^3 = t^2 + 1, 1.466, is expected of a secant method
    [("gd", 0.95, 1.05), ("bfgs", 1.3, 2.0), ("newton", 1.8, 2.2), ("trust-exact", 1.8, 2.2)],
)
def test_methods_have_their_order(method, low, high):
    orders = []
    for seed in range(9):
        fun, hess, x0 = strongly_convex(seed)
        given = {"jac": True, "options": {"gtol": 0.0}}
        best = hessx.minimize(fun, x0, hess=hess, method="newton", **given).fun
        if method in ("newton", "trust-exact"):
            given["hess"] = hess
        history = hessx.minimize(fun, x0, method=method, history=True, **given).history
        gaps = [value - best for value in history["value"]]
        orders.append(fitted_order(gaps, floor=1e-14 * abs(best)).order)
    assert low <= median(orders) <= high
