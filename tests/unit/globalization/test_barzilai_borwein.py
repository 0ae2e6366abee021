"""Raydan's bound on the Barzilai-Borwein steps: the largest of ten values, and not the last."""

from __future__ import annotations

import numpy as np
import pytest

import hessx
from hessx.globalization import BarzilaiBorwein, Ray, Verdict


@pytest.mark.parametrize("variant", ["long", "short"])
def test_a_value_may_rise_but_not_above_the_last_ten(variant):
    ray = Ray(1.0, -4.0, 0.5, 2.0**-52, recent=(3.0, 1.0))
    search = BarzilaiBorwein(variant).begin(ray)
    assert search.advance(3.0, 0.0) is Verdict.TRY  # no decrease below 3
    assert search.alpha == 0.125
    assert search.advance(2.99, 0.0) is Verdict.ACCEPTED


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
