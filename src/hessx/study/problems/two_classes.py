"""Two classes, told apart by logistic regression on real data."""

from __future__ import annotations

import numpy as np

from hessx.models import LogisticRegression
from hessx.study.backends import Backend
from hessx.study.posed import Posed, Problem, Tag

__all__ = ["TWO_CLASSES", "standardised"]

_L2 = 1e-3


def _breast_cancer(backend: Backend) -> Posed:
    from sklearn.datasets import load_breast_cancer

    return _logistic(backend, *load_breast_cancer(return_X_y=True))


def _digits(backend: Backend) -> Posed:
    from sklearn.datasets import load_digits

    X, digit = load_digits(return_X_y=True)
    return _logistic(backend, X, digit == 0)


def _logistic(backend: Backend, X: np.ndarray, y: np.ndarray) -> Posed:
    model = LogisticRegression(backend.asarray(standardised(X)), backend.asarray(y), l2=_L2)
    return Posed(model, backend.zeros(model.n), model.hessian)


def standardised(X: np.ndarray) -> np.ndarray:
    """Shift and scale columns to mean 0 and variance 1; constant columns become 0."""
    centred = X - X.mean(axis=0)
    spread = X.std(axis=0)
    constant = np.ptp(X, axis=0) == 0.0
    return np.where(constant, 0.0, centred / np.where(constant, 1.0, spread))


TWO_CLASSES = {
    "breast-cancer": Problem(
        "Logistic regression, breast cancer",
        "Benign against malignant, 569 x 30, columns standardised; mean loss + l2/2 |w|², "
        f"l2 = {_L2:g}, intercept free, from 0.",
        31,
        _breast_cancer,
        (),
        (Tag.QUICK, Tag.CONVEX, Tag.REAL_DATA),
        "UCI, breast cancer Wisconsin (diagnostic), by scikit-learn's load_breast_cancer",
    ),
    "digits": Problem(
        "Logistic regression, digits",
        "The digit 0 against the rest, 1797 x 64, columns standardised; mean loss + l2/2 |w|², "
        f"l2 = {_L2:g}, intercept free, from 0.",
        65,
        _digits,
        (),
        (Tag.QUICK, Tag.CONVEX, Tag.REAL_DATA),
        "UCI, optical recognition of handwritten digits, by scikit-learn's load_digits",
    ),
}
