"""Barzilai-Borwein steps of the last pair, and Raydan's bound: the largest of ten values."""

from __future__ import annotations

import math

import numpy as np
import pytest

import hessx
from hessx.globalization import BarzilaiBorwein, Ray, Verdict
from reference.descent import barzilai_borwein

EPS = 2.0**-52


@pytest.mark.parametrize("variant", ["long", "short"])
def test_a_value_may_rise_but_not_above_the_last_ten(variant):
    steps = BarzilaiBorwein(variant).begin()
    for value in (9.0, 3.0, *range(-8, 0)):  # with the next one, 9 is the eleventh
        steps.after(Ray(value, -4.0, 0.5, EPS), 0.5, math.nan, math.nan)
    search = steps.search(Ray(1.0, -4.0, 0.5, EPS))
    assert search.advance(3.0, 0.0) is Verdict.TRY  # no decrease below 3
    assert search.alpha == 0.125
    assert search.advance(2.99, 0.0) is Verdict.ACCEPTED


@pytest.mark.parametrize("variant", ["long", "short"])
def test_the_step_of_the_last_pair(variant):
    """s's / s'y or s'y / y'y (eqs. 5, 6) after a step along -g; that step again where s'y <= 0."""
    h, x, alpha = np.array([1.0, 3.0, 10.0]), np.array([2.0, -1.0, 0.5]), 0.25
    g = h * x
    s, y = -alpha * g, -alpha * (h * g)
    steps, ray = BarzilaiBorwein(variant).begin(), Ray(1.0, float(-g @ g), 0.7, EPS)
    assert steps.search(ray).alpha == 0.7  # no pair yet: the solver's own
    steps.after(ray, alpha, float(s @ y), float(y @ y))
    expected = s @ s / (s @ y) if variant == "long" else s @ y / (y @ y)
    np.testing.assert_allclose(steps.search(ray).alpha, expected, rtol=1e-15)
    steps.after(ray, alpha, -1.0, float(y @ y))
    assert steps.search(ray).alpha == alpha


@pytest.mark.parametrize("spectral", [False, True])
@pytest.mark.parametrize("variant", ["long", "short"])
def test_iterates_on_a_quadratic(variant, spectral):
    """By the rule, and by gamma as an approximation."""
    h, x0 = np.array([1.0, 3.0, 10.0]), np.array([2.0, -1.0, 0.5])
    if spectral:
        method = hessx.LineSearchMethod(hessx.Spectral(variant), hessx.NonMonotone(), x_scale=0.3)
    else:
        method = hessx.LineSearchMethod(hessx.Identity(), BarzilaiBorwein(variant), x_scale=0.3)
    result = hessx.minimize(
        lambda x: (h @ x**2 / 2, h * x), x0, jac=True, method=method,
        options={"maxiter": 8, "return_all": True},
    )  # fmt: skip
    first = 0.3 / np.linalg.norm(h * x0)
    expected = barzilai_borwein(lambda x: h * x, x0, first, 8, variant)
    np.testing.assert_allclose(result.allvecs, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_values_stay_below_the_largest_of_ten_before(seed):
    """Raydan (1997), step 3, on a function that is not convex."""
    rng = np.random.default_rng(seed)
    x0 = np.tile([-1.2, 1.0], 10) + 0.01 * rng.standard_normal(20)
    accepted = []

    def fun(x):
        u, v = x[::2], x[1::2]
        valley, rest = v - u * u, 1 - u
        g = np.empty_like(x)
        g[::2], g[1::2] = -400 * valley * u - 2 * rest, 200 * valley
        return 100 * valley @ valley + rest @ rest, g

    method = hessx.LineSearchMethod(hessx.Identity(), BarzilaiBorwein())
    result = hessx.minimize(
        fun, x0, jac=True, method=method, callback=lambda x: accepted.append(fun(x)[0])
    )
    assert result.success
    values = [fun(x0)[0], *accepted]
    for k in range(1, len(values)):
        highest = max(values[max(0, k - 10) : k])
        assert values[k] <= highest + 1e-14 * abs(highest)
