"""Problems that are sums of squares: a line, four minima, two chains, and large residuals."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from hessx.models import LinearLeastSquares
from hessx.operators import Pattern
from hessx.study.backends import Backend
from hessx.study.posed import Known, Posed, Problem, Tag
from hessx.study.problems.places import Whole
from hessx.study.problems.separable import Elements, pose

__all__ = ["SQUARES"]

_EXTENDED_N, _CHAINED_N = 1000, 200
_ROOT_2 = math.sqrt(2.0)  # of residuals: f is the sum of their squares, and not half of it


def _linear_regression(backend: Backend) -> Posed:
    """Five points on a line."""
    x, y = np.arange(1.0, 6.0), np.arange(2.0, 11.0, 2.0)
    X, y = backend.asarray(np.stack([np.ones(5), x], axis=1)), backend.asarray(y)
    model = LinearLeastSquares(X, y)
    x0 = backend.asarray([1.0, 1.0])
    return Posed(
        model,
        x0,
        model.hessian,
        constant_hessian=lambda: model.hessian().dense(),
        residual=lambda w: (X @ w - y, X),
    )


def _chained_rosenbrock(n: int, backend: Backend) -> Posed:
    """Each variable with its neighbours."""
    xp, zero = backend.xp, backend.zeros(1)
    one, other = backend.asarray(np.eye(n - 1, n)), backend.asarray(np.eye(n - 1, n, 1))

    def fun(x: Any) -> tuple[Any, Any]:
        left = x[:-1]
        valley, rest = x[1:] - left * left, 1.0 - left
        value = 100.0 * (valley @ valley) + rest @ rest
        by_left = -400.0 * valley * left - 2.0 * rest
        by_right = 200.0 * valley
        return value, xp.concat([by_left, zero]) + xp.concat([zero, by_right])

    def hess(x: Any) -> Callable[[Any], Any]:
        left = x[:-1]
        by_left = 1200.0 * left * left - 400.0 * x[1:] + 2.0  # second derivatives
        mixed = -400.0 * left

        def product(v: Any) -> Any:
            above = by_left * v[:-1] + mixed * v[1:]
            below = mixed * v[:-1] + 200.0 * v[1:]
            return xp.concat([above, zero]) + xp.concat([zero, below])

        return product

    def residual(x: Any) -> tuple[Any, Any]:
        left = x[:-1]
        r = xp.concat([10.0 * (x[1:] - left * left), 1.0 - left])
        J = xp.concat([10.0 * other - (20.0 * left)[:, None] * one, -one])
        return _ROOT_2 * r, _ROOT_2 * J

    x0 = backend.asarray(_rosenbrock_start(n))
    return Posed(fun, x0, hess, pattern=Pattern.banded(n, 1), residual=residual)


def _extended_rosenbrock(n: int, backend: Backend) -> Posed:
    """Pairs of variables."""
    xp = backend.xp

    def fun(x: Any) -> tuple[Any, Any]:
        pairs = xp.reshape(x, (-1, 2))
        first = pairs[:, 0]
        valley, rest = pairs[:, 1] - first * first, 1.0 - first
        value = 100.0 * (valley @ valley) + rest @ rest
        by_first = -400.0 * valley * first - 2.0 * rest
        return value, xp.reshape(xp.stack([by_first, 200.0 * valley], axis=1), (-1,))

    def hess(x: Any) -> Callable[[Any], Any]:
        pairs = xp.reshape(x, (-1, 2))
        first = pairs[:, 0]
        by_first = 1200.0 * first * first - 400.0 * pairs[:, 1] + 2.0  # second derivatives
        mixed = -400.0 * first

        def product(v: Any) -> Any:
            v = xp.reshape(v, (-1, 2))
            above = by_first * v[:, 0] + mixed * v[:, 1]
            below = mixed * v[:, 0] + 200.0 * v[:, 1]
            return xp.reshape(xp.stack([above, below], axis=1), (-1,))

        return product

    def residual(x: Any) -> tuple[Any, Any]:
        pairs = xp.reshape(x, (-1, 2))
        first = pairs[:, 0]

        def jvp(v: Any) -> Any:
            v = xp.reshape(v, (-1, 2))
            return _ROOT_2 * xp.concat([10.0 * (v[:, 1] - 2.0 * first * v[:, 0]), -v[:, 0]])

        def vjp(u: Any) -> Any:
            half = u.shape[0] // 2
            valley, rest = 10.0 * u[:half], u[half:]
            by_first = -2.0 * first * valley - rest
            return _ROOT_2 * xp.reshape(xp.stack([by_first, valley], axis=1), (-1,))

        r = xp.concat([10.0 * (pairs[:, 1] - first * first), 1.0 - first])
        return _ROOT_2 * r, (jvp, vjp)

    x0, pattern = backend.asarray(_rosenbrock_start(n)), Pattern.block_diagonal([2] * (n // 2))
    return Posed(fun, x0, hess, pattern=pattern, residual=residual)


def _brown_dennis(backend: Backend) -> Posed:
    """More, Garbow & Hillstrom's problem 16, by the mean: a^2 + b^2 with a and b linear in x."""
    t = np.arange(1.0, 21.0) / 5.0
    zeros, ones = np.zeros_like(t), np.ones_like(t)
    A = backend.asarray(np.stack([ones, t, zeros, zeros], axis=1))
    B = backend.asarray(np.stack([zeros, zeros, ones, np.sin(t)], axis=1))
    exp, cos = backend.asarray(np.exp(t)), backend.asarray(np.cos(t))
    weight = 1.0 / math.sqrt(len(t))

    def residual(x: Any) -> tuple[Any, Any]:
        a, b = A @ x - exp, B @ x - cos
        return weight * (a * a + b * b), 2.0 * weight * (a[:, None] * A + b[:, None] * B)

    def fun(x: Any) -> tuple[Any, Any]:
        r, J = residual(x)
        return 0.5 * (r @ r), r @ J

    def hess(x: Any) -> Callable[[Any], Any]:
        r, J = residual(x)
        bent = 2.0 * weight * r

        def product(v: Any) -> Any:
            return (J @ v) @ J + (bent * (A @ v)) @ A + (bent * (B @ v)) @ B

        return product

    x0 = backend.asarray([25.0, 5.0, -5.0, -1.0])
    return Posed(fun, x0, hess, residual=residual)


def _himmelblau(backend: Backend) -> Posed:
    def formula(x: Any) -> list[Any]:
        return [x[0] ** 2 + x[1] - 11.0, x[0] + x[1] ** 2 - 7.0]

    return pose(backend, (0.0, 0.0), lambda backend: [Elements(Whole(backend, 2), formula)])


def _rosenbrock_start(n: int) -> np.ndarray:
    return np.tile([-1.2, 1.0], n // 2)


SQUARES = {
    "linear-regression": Problem(
        "Linear regression",
        "Half the sum of squared residuals, x = 1 ... 5, y = 2, 4 ... 10, from (1, 1).",
        2,
        _linear_regression,
        (Known.CONSTANT_HESSIAN, Known.RESIDUAL),
        (Tag.QUICK, Tag.PLANE, Tag.CONVEX, Tag.QUADRATIC, Tag.LEAST_SQUARES),
        "five points on the line y = 2 x",
        0.0,
    ),
    "himmelblau": Problem(
        "Himmelblau",
        "(u² + v - 11)² + (u + v² - 7)², four minima, from 0.",
        2,
        _himmelblau,
        (Known.RESIDUAL,),
        (Tag.QUICK, Tag.PLANE, Tag.NONCONVEX, Tag.LEAST_SQUARES),
        "Himmelblau 1972, Applied Nonlinear Programming",
        0.0,
    ),
    "brown-dennis": Problem(
        "Brown and Dennis",
        "Half the mean over t = 0.2, 0.4 ... 4 of "
        "((x[0] + t x[1] - exp(t))² + (x[2] + x[3] sin(t) - cos(t))²)², from (25, 5, -5, -1); "
        "the residuals stay large.",
        4,
        _brown_dennis,
        (Known.RESIDUAL,),
        (Tag.QUICK, Tag.NONCONVEX, Tag.LEAST_SQUARES),
        "Moré, Garbow & Hillstrom 1981, (16)",
        2145.555040659,
    ),
    "extended-rosenbrock": Problem(
        "Extended Rosenbrock",
        "sum over pairs of 100 (v - u²)² + (1 - u)², from (-1.2, 1, -1.2, 1 ...).",
        _EXTENDED_N,
        partial(_extended_rosenbrock, _EXTENDED_N),
        (Known.PATTERN, Known.RESIDUAL),
        (Tag.QUICK, Tag.NONCONVEX, Tag.LEAST_SQUARES, Tag.SPARSE),
        "Moré, Garbow & Hillstrom 1981, (21)",
        0.0,
    ),
    "chained-rosenbrock": Problem(
        "Chained Rosenbrock",
        "sum over neighbours of 100 (x[i+1] - x[i]²)² + (1 - x[i])², from (-1.2, 1, -1.2, 1 ...).",
        _CHAINED_N,
        partial(_chained_rosenbrock, _CHAINED_N),
        (Known.PATTERN, Known.RESIDUAL),
        (Tag.QUICK, Tag.NONCONVEX, Tag.LEAST_SQUARES, Tag.SPARSE),
        "as in scipy.optimize.rosen",
        0.0,
    ),
}
