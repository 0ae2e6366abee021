"""Regressions on real data: ridge, Poisson, robust, and of three classes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from hessx.models import MultinomialLogistic
from hessx.study.backends import Backend
from hessx.study.classes import Classes
from hessx.study.posed import Known, Posed, Problem, Tag
from hessx.study.problems.jets import exp, sqrt
from hessx.study.problems.places import Predictor, Windows
from hessx.study.problems.separable import Elements, pose
from hessx.study.problems.two_classes import standardised

__all__ = ["REGRESSIONS"]

_L2 = 1e-3
_BEND = 0.5  # standard deviations, where the robust loss turns from a parabola to a line
_N, _COLUMNS = 442, 10


def _linear_model(
    backend: Backend, loss: Callable[[Any, Any], Any], y: np.ndarray, squared: bool
) -> Posed:
    """Pose the mean loss of the linear predictor + l2/2 |w|^2, intercept last and free."""
    from sklearn.datasets import load_diabetes

    X = standardised(load_diabetes().data)
    rows = np.append(X, np.ones((_N, 1)), axis=1)
    penalty = np.append(np.full(_COLUMNS, math.sqrt(0.5 * _L2)), 0.0)

    def elements(backend: Backend) -> list[Elements]:
        targets, roots = backend.asarray(y), backend.asarray(penalty)
        return [
            Elements(Predictor(backend, rows), lambda u: [loss(u[0], targets)], squared=squared),
            Elements(Windows(backend, _COLUMNS + 1, 1), lambda u: [u[0] * roots]),
        ]

    return pose(backend, np.zeros(_COLUMNS + 1), elements, constant=squared)


def _target() -> np.ndarray:
    from sklearn.datasets import load_diabetes

    return np.asarray(load_diabetes().target)


def _ridge(backend: Backend) -> Posed:
    root = math.sqrt(0.5 / _N)
    y = _target()
    return _linear_model(backend, lambda z, y: (z - y) * root, (y - y.mean()) / y.std(), True)


def _poisson(backend: Backend) -> Posed:
    return _linear_model(backend, lambda z, y: (exp(z) - z * y) / _N, _target(), False)


def _robust(backend: Backend) -> Posed:
    y = _target()

    def loss(z: Any, y: Any) -> Any:
        return (sqrt(((z - y) / _BEND) ** 2 + 1.0) - 1.0) * (_BEND**2 / _N)

    return _linear_model(backend, loss, (y - y.mean()) / y.std(), False)


def _wine(backend: Backend) -> Posed:
    from sklearn.datasets import load_wine

    X, y = load_wine(return_X_y=True)
    X, y = backend.asarray(standardised(X)), backend.asarray(y)
    model = MultinomialLogistic(X, y, l2=_L2)
    return Posed(*Classes(model, backend.asarray(np.zeros(model.shape)), X, y).flat())


_DATA = f"{_N} x {_COLUMNS}, columns standardised"
_RIDGE = f"+ l2/2 |w|², l2 = {_L2:g}, intercept free, from 0."
_DIABETES = "Efron, Hastie, Johnstone & Tibshirani 2004, by scikit-learn's load_diabetes"

REGRESSIONS = {
    "ridge": Problem(
        "Ridge regression, diabetes",
        f"Progress of the disease, {_DATA}, target too; half the mean square {_RIDGE}",
        _COLUMNS + 1,
        _ridge,
        (Known.CONSTANT_HESSIAN, Known.RESIDUAL),
        (Tag.CONVEX, Tag.QUADRATIC, Tag.LEAST_SQUARES, Tag.REAL_DATA),
        _DIABETES,
    ),
    "poisson": Problem(
        "Poisson regression, diabetes",
        f"Progress of the disease, from 25 to 346, {_DATA}; mean of exp(z) - y z {_RIDGE}",
        _COLUMNS + 1,
        _poisson,
        (),
        (Tag.QUICK, Tag.CONVEX, Tag.REAL_DATA),
        _DIABETES,
    ),
    "robust": Problem(
        "Robust regression, diabetes",
        f"Progress of the disease, {_DATA}, target too; mean of the pseudo-Huber loss, "
        f"bend {_BEND:g}, {_RIDGE}",
        _COLUMNS + 1,
        _robust,
        (),
        (Tag.CONVEX, Tag.REAL_DATA),
        _DIABETES,
    ),
    "wine": Problem(
        "Three wines",
        f"178 x 13, columns standardised; mean softmax loss {_RIDGE}",
        42,
        _wine,
        (),
        (Tag.CONVEX, Tag.REAL_DATA),
        "UCI, wine, by scikit-learn's load_wine",
    ),
}
