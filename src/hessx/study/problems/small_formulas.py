"""Residuals of More, Garbow and Hillstrom's problems of few variables, by their numbers there."""

from __future__ import annotations

import math
from typing import Any

from hessx.study.problems.jets import Jet, arctan, cos, exp, log, sin, sqrt

__all__ = [
    "bard",
    "beale",
    "biggs_exp6",
    "box",
    "brown_almost_linear",
    "brown_badly_scaled",
    "chebyquad",
    "freudenstein_roth",
    "gaussian",
    "gulf",
    "helical_valley",
    "integral_equation",
    "jennrich_sampson",
    "kowalik_osborne",
    "linear",
    "meyer",
    "osborne_1",
    "osborne_2",
    "penalty_1",
    "penalty_2",
    "powell_badly_scaled",
    "powell_singular",
    "rosenbrock",
    "trigonometric",
    "variably_dimensioned",
    "watson",
    "wood",
]

_Residuals = list[Jet]


def rosenbrock(x: Jet) -> _Residuals:
    """Number 1."""
    return [10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]]


def freudenstein_roth(x: Jet) -> _Residuals:
    """Number 2."""
    u, v = x[0], x[1]
    return [u - 13.0 + ((5.0 - v) * v - 2.0) * v, u - 29.0 + ((v + 1.0) * v - 14.0) * v]


def powell_badly_scaled(x: Jet) -> _Residuals:
    """Number 3."""
    return [1e4 * x[0] * x[1] - 1.0, exp(-x[0]) + exp(-x[1]) - 1.0001]


def brown_badly_scaled(x: Jet) -> _Residuals:
    """Number 4."""
    return [x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2.0]


def beale(x: Jet) -> _Residuals:
    """Number 5."""
    return [y - x[0] * (1.0 - x[1] ** i) for i, y in ((1, 1.5), (2, 2.25), (3, 2.625))]


def jennrich_sampson(x: Jet, i: Any) -> _Residuals:
    """Number 6."""
    return [exp(x[0] * i) + exp(x[1] * i) - (2.0 + 2.0 * i)]


def helical_valley(x: Jet) -> _Residuals:
    """Number 7."""
    half = 0.5 * x.xp.astype(x.value[:1] < 0.0, x.value.dtype)  # a turn, on the left
    theta = arctan(x[1] / x[0]) / (2.0 * math.pi) + half
    return [10.0 * (x[2] - 10.0 * theta), 10.0 * (sqrt(x[0] ** 2 + x[1] ** 2) - 1.0), x[2]]


def bard(x: Jet, u: Any, v: Any, w: Any, y: Any) -> _Residuals:
    """Number 8."""
    return [x[0] + (x[1] * v + x[2] * w).reciprocal() * u - y]


def gaussian(x: Jet, t: Any, y: Any) -> _Residuals:
    """Number 9."""
    return [x[0] * exp(-0.5 * x[1] * (x[2] - t) ** 2) - y]


def meyer(x: Jet, t: Any, y: Any) -> _Residuals:
    """Number 10."""
    return [x[0] * exp(x[1] / (x[2] + t)) - y]


def gulf(x: Jet, t: Any, y: Any) -> _Residuals:
    """Number 11, abs(d)^c by its logarithm."""
    power = exp(0.5 * x[2] * log((x[1] - y) ** 2))
    return [exp(-power / x[0]) - t]


def box(x: Jet, t: Any, y: Any) -> _Residuals:
    """Number 12."""
    return [exp(-x[0] * t) - exp(-x[1] * t) - x[2] * y]


def powell_singular(x: Any) -> _Residuals:
    """Number 13; of neighbours, 22."""
    a, b, c, d = (x[j] for j in range(4))
    return [
        a + 10.0 * b,
        math.sqrt(5.0) * (c - d),
        (b - 2.0 * c) ** 2,
        math.sqrt(10.0) * (a - d) ** 2,
    ]


def wood(x: Any) -> _Residuals:
    """Number 14."""
    a, b, c, d = (x[j] for j in range(4))
    return [
        10.0 * (b - a**2),
        1.0 - a,
        math.sqrt(90.0) * (d - c**2),
        1.0 - c,
        math.sqrt(10.0) * (b + d - 2.0),
        (b - d) / math.sqrt(10.0),
    ]


def kowalik_osborne(x: Jet, u: Any, y: Any) -> _Residuals:
    """Number 15."""
    return [x[0] * ((x[1] + u) * u) / ((x[2] + u) * u + x[3]) - y]


def osborne_1(x: Jet, t: Any, y: Any) -> _Residuals:
    """Number 17."""
    return [x[0] + x[1] * exp(-x[3] * t) + x[2] * exp(-x[4] * t) - y]


def biggs_exp6(x: Jet, t: Any, y: Any) -> _Residuals:
    """Number 18."""
    return [x[2] * exp(-x[0] * t) - x[3] * exp(-x[1] * t) + x[5] * exp(-x[4] * t) - y]


def osborne_2(x: Jet, t: Any, y: Any) -> _Residuals:
    """Number 19."""
    bumps = (x[j] * exp(-x[j + 4] * (x[j + 7] - t) ** 2) for j in (1, 2, 3))
    return [sum(bumps, x[0] * exp(-x[4] * t)) - y]


def watson(x: Jet, slope: Any, curve: Any) -> _Residuals:
    """Number 20, of a polynomial and its derivative at 29 points."""
    return [x.through(slope) - x.through(curve) ** 2 - 1.0, x[0], x[1] - x[0] ** 2 - 1.0]


def penalty_1(x: Jet) -> _Residuals:
    """Number 23."""
    return [math.sqrt(1e-5) * (x - 1.0), (x**2).sum() - 0.25]


def penalty_2(x: Jet, y: Any, weights: Any) -> _Residuals:
    """Number 24."""
    a, e = math.sqrt(1e-5), exp(x / 10.0)
    return [
        x[0] - 0.2,
        a * (e[1:] + e[:-1] - y),
        a * (e[1:] - math.exp(-0.1)),
        (x**2 * weights).sum() - 1.0,
    ]


def variably_dimensioned(x: Jet, j: Any) -> _Residuals:
    """Number 25."""
    total = ((x - 1.0) * j).sum()
    return [x - 1.0, total, total**2]


def trigonometric(x: Jet, i: Any) -> _Residuals:
    """Number 26."""
    c = cos(x)
    return [x.value.shape[0] - c.sum() + (1.0 - c) * i - sin(x)]


def brown_almost_linear(x: Jet) -> _Residuals:
    """Number 27."""
    n, product = x.value.shape[0], x[0]
    for j in range(1, n):
        product = product * x[j]
    return [x[:-1] + x.sum() - (n + 1.0), product - 1.0]


def integral_equation(x: Jet, t: Any, K: Any) -> _Residuals:
    """Number 29."""
    return [x + ((x + t + 1.0) ** 3).through(K)]


def linear(x: Jet, A: Any) -> _Residuals:
    """Numbers 32 to 34."""
    return [x.through(A) - 1.0]


def chebyquad(x: Jet, integrals: Any) -> _Residuals:
    """Number 35, of the Chebyshev polynomials of 2 x - 1."""
    n, z = x.value.shape[0], 2.0 * x - 1.0
    before, here = z * 0.0 + 1.0, z
    found = []
    for i in range(n):
        found.append(here.sum() / float(n) - integrals[i : i + 1])
        before, here = here, 2.0 * z * here - before
    return found
