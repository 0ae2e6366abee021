"""The minimisers against polynomials whose minimisers are known."""

import math

import numpy as np
import pytest
from numpy.polynomial import Polynomial

from hessx.globalization._interpolate import (
    clamp,
    cubic_minimizer,
    quadratic_minimizer,
    secant_minimizer,
    value_minimizer,
)

SEEDS = range(50)


def parabola(rng):
    """A convex parabola with its minimiser, and two points."""
    least, curvature = rng.normal(), np.exp(rng.normal())
    f = Polynomial([least**2, -2 * least, 1]) * curvature + rng.normal()
    return f, least, *rng.normal(size=2)


def minimised(f):
    """The local minimiser of a cubic from its derivative's roots, nan where there is none."""
    roots = f.deriv().roots()
    real = [r.real for r in roots if abs(r.imag) < 1e-12 and f.deriv(2)(r.real) > 0]
    return real[0] if real else math.nan


@pytest.mark.parametrize("seed", SEEDS)
def test_a_parabola_is_minimised_by_all_three(seed):
    f, least, u, v = parabola(np.random.default_rng(seed))
    g = f.deriv()
    close = pytest.approx(least, abs=1e-9)
    assert secant_minimizer(u, g(u), v, g(v)) == close
    assert quadratic_minimizer(u, f(u), g(u), v, f(v)) == close
    assert cubic_minimizer(u, f(u), g(u), v, f(v), g(v)) == pytest.approx(least, abs=1e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_concave_parabola_has_no_minimiser(seed):
    f, _, u, v = parabola(np.random.default_rng(seed))
    f = -f
    g = f.deriv()
    assert math.isnan(secant_minimizer(u, g(u), v, g(v)))
    assert math.isnan(quadratic_minimizer(u, f(u), g(u), v, f(v)))


@pytest.mark.parametrize("seed", SEEDS)
def test_cubics_agree_with_the_roots_of_the_derivative(seed):
    rng = np.random.default_rng(seed)
    f = Polynomial(rng.normal(size=4))
    g, (u, v) = f.deriv(), rng.normal(size=2)
    expected = pytest.approx(minimised(f), rel=1e-7, nan_ok=True)
    assert cubic_minimizer(u, f(u), g(u), v, f(v), g(v)) == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_the_cubic_through_three_values_agrees_with_the_roots_of_the_derivative(seed):
    rng = np.random.default_rng(seed)
    f = Polynomial([rng.normal(), -abs(rng.normal()), *rng.normal(size=2)])
    u, v = rng.uniform(0.1, 2, size=2)
    answer = value_minimizer(f.deriv()(0), u, f(u) - f(0), v, f(v) - f(0))
    least = minimised(f)
    if least > 0:
        assert answer == pytest.approx(least, rel=1e-6)
    else:
        assert math.isnan(answer)


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 1e308])
def test_no_number_raises(value):
    for answer in (
        cubic_minimizer(0.0, -value, -1.0, 1e-3, value, 1.0),
        cubic_minimizer(0.0, 1.0, -1.0, 1.0, 1.0, value),
        quadratic_minimizer(0.0, 0.0, -1.0, 1.0, value),
        secant_minimizer(0.0, -1.0, 1.0, value),
        value_minimizer(-1.0, 1.0, value, 2.0, 1.0),
    ):
        assert isinstance(answer, float)


def test_points_without_curvature_have_no_minimiser():
    assert math.isnan(secant_minimizer(0.0, -1.0, 1.0, -1.0))
    assert math.isnan(quadratic_minimizer(0.0, 0.0, -1.0, 1.0, -1.0))
    assert math.isnan(cubic_minimizer(0.0, 0.0, -1.0, 1.0, -1.0, -1.0))
    assert math.isnan(cubic_minimizer(0.0, 0.0, 0.0, 1.0, 0.0, 0.0))


def test_clamp():
    assert [clamp(a, 1.0, 2.0) for a in (0.0, 1.5, 3.0)] == [1.0, 1.5, 2.0]
    assert clamp(math.nan, 1.0, 2.0) == 2.0
