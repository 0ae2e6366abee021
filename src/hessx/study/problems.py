"""The problems of a study: real data from scikit-learn, and sums of squares."""

from __future__ import annotations

from functools import partial

import numpy as np

from hessx.models import LogisticRegression
from hessx.study.backends import Backend
from hessx.study.classes import ABOUT, MODELS
from hessx.study.posed import Known, Posed, Problem
from hessx.study.squares import (
    brown_dennis,
    chained_rosenbrock,
    extended_rosenbrock,
    linear_regression,
)

__all__ = ["PROBLEMS"]

_L2 = 1e-3
_EXTENDED_N, _CHAINED_N = 1000, 200


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


PROBLEMS = {
    "linear-regression": Problem(
        "Linear regression",
        "Half the sum of squared residuals, x = 1 ... 5, y = 2, 4 ... 10, from (1, 1).",
        2,
        linear_regression,
        (Known.CONSTANT_HESSIAN, Known.RESIDUAL),
    ),
    "brown-dennis": Problem(
        "Brown and Dennis",
        "Half the mean over t = 0.2, 0.4 ... 4 of "
        "((x[0] + t x[1] - exp(t))² + (x[2] + x[3] sin(t) - cos(t))²)², from (25, 5, -5, -1); "
        "the residuals stay large.",
        4,
        brown_dennis,
        (Known.RESIDUAL,),
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
        partial(extended_rosenbrock, _EXTENDED_N),
        (Known.PATTERN, Known.RESIDUAL),
    ),
    "chained-rosenbrock": Problem(
        "Chained Rosenbrock",
        "sum over neighbours of 100 (x[i+1] - x[i]²)² + (1 - x[i])², from (-1.2, 1, -1.2, 1 ...).",
        _CHAINED_N,
        partial(chained_rosenbrock, _CHAINED_N),
        (Known.PATTERN, Known.RESIDUAL),
    ),
    **{
        name: Problem(title, about, n, partial(_pose_sum, name), (Known.ROWS,))
        for name, (title, about, n) in ABOUT.items()
    },
}
