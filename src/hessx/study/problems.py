"""The problems of a study: real data from scikit-learn, and two sums of Rosenbrock's function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from hessx.models import LinearLeastSquares, LogisticRegression
from hessx.study.backends import Backend
from hessx.study.classes import ABOUT, MODELS, Classes

__all__ = ["PROBLEMS", "Posed", "Problem"]

_L2 = 1e-3
_EXTENDED_N, _CHAINED_N = 1000, 200


@dataclass(frozen=True)
class Posed:
    """A problem on one backend.

    Attributes
    ----------
    fun : callable
        ``fun(x)`` gives (value, gradient).
    x0 : array
        The start.
    hess : callable
        ``hess(x)`` gives the Hessian at x, linearised once: an operator, or a function v -> H v.
    constant_hessian : callable, optional
        Gives the dense Hessian where it is the same everywhere.
    bounds : sequence of (float, float), optional
        Lower and upper bound of each variable.
    classes : Classes, optional
        The sum over rows that fun is the whole of.
    """

    fun: Callable[[Any], tuple[Any, Any]]
    x0: Any
    hess: Callable[[Any], Any]
    constant_hessian: Callable[[], Any] | None = None
    bounds: Sequence[tuple[float, float]] | None = None
    classes: Classes | None = None


@dataclass(frozen=True)
class Problem:
    """A problem that can be posed on any backend.

    Attributes
    ----------
    title, about : str
        For the report.
    n : int
        Number of variables.
    pose : callable
        ``pose(backend)`` gives a `Posed`.
    has_constant_hessian : bool
        Whether its Hessian is the same everywhere.
    is_sum : bool
        Whether it has `Classes`, which methods that see samples need.
    """

    title: str
    about: str
    n: int
    pose: Callable[[Backend], Posed]
    has_constant_hessian: bool = False
    is_sum: bool = False


def _linear_regression(backend: Backend) -> Posed:
    x, y = np.arange(1.0, 6.0), np.arange(2.0, 11.0, 2.0)
    X = backend.asarray(np.stack([np.ones(5), x], axis=1))
    model = LinearLeastSquares(X, backend.asarray(y))
    x0 = backend.asarray([1.0, 1.0])
    return Posed(model, x0, model.hessian, lambda: model.hessian().dense())


def _breast_cancer(backend: Backend) -> Posed:
    from sklearn.datasets import load_breast_cancer

    return _logistic(backend, *load_breast_cancer(return_X_y=True))


def _digits(backend: Backend) -> Posed:
    from sklearn.datasets import load_digits

    X, digit = load_digits(return_X_y=True)
    return _logistic(backend, X, digit == 0)


def _logistic(backend: Backend, X: np.ndarray, y: np.ndarray) -> Posed:
    model = LogisticRegression(backend.asarray(_standardised(X)), backend.asarray(y), l2=_L2)
    return Posed(model, backend.zeros(model.n), model.hessian)


def _pose_sum(name: str, backend: Backend) -> Posed:
    classes = MODELS[name](backend)
    return Posed(*classes.flat(), classes=classes)


def _standardised(X: np.ndarray) -> np.ndarray:
    """Shift and scale columns to mean 0 and variance 1; constant columns become 0."""
    centred = X - X.mean(axis=0)
    spread = X.std(axis=0)
    constant = np.ptp(X, axis=0) == 0.0
    return np.where(constant, 0.0, centred / np.where(constant, 1.0, spread))


def _chained_rosenbrock(backend: Backend) -> Posed:
    xp, zero = backend.xp, backend.zeros(1)

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

    return Posed(fun, backend.asarray(_rosenbrock_start(_CHAINED_N)), hess)


def _extended_rosenbrock(backend: Backend) -> Posed:
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

    return Posed(fun, backend.asarray(_rosenbrock_start(_EXTENDED_N)), hess)


def _rosenbrock_start(n: int) -> np.ndarray:
    return np.tile([-1.2, 1.0], n // 2)


PROBLEMS = {
    "linear-regression": Problem(
        "Linear regression",
        "Half the sum of squared residuals, x = 1 ... 5, y = 2, 4 ... 10, from (1, 1).",
        2,
        _linear_regression,
        has_constant_hessian=True,
    ),
    "breast-cancer": Problem(
        "Logistic regression, breast cancer",
        "Benign against malignant, 569 x 30, columns standardised; mean loss + l2/2 |w|², "
        f"l2 = {_L2:g}, intercept free, from 0.",
        31,
        _breast_cancer,
    ),
    "digits": Problem(
        "Logistic regression, digits",
        "The digit 0 against the rest, 1797 x 64, columns standardised; mean loss + l2/2 |w|², "
        f"l2 = {_L2:g}, intercept free, from 0.",
        65,
        _digits,
    ),
    "extended-rosenbrock": Problem(
        "Extended Rosenbrock",
        "sum over pairs of 100 (v - u²)² + (1 - u)², from (-1.2, 1, -1.2, 1 ...).",
        _EXTENDED_N,
        _extended_rosenbrock,
    ),
    "chained-rosenbrock": Problem(
        "Chained Rosenbrock",
        "sum over neighbours of 100 (x[i+1] - x[i]²)² + (1 - x[i])², from (-1.2, 1, -1.2, 1 ...).",
        _CHAINED_N,
        _chained_rosenbrock,
    ),
    **{
        name: Problem(title, about, n, partial(_pose_sum, name), is_sum=True)
        for name, (title, about, n) in ABOUT.items()
    },
}
