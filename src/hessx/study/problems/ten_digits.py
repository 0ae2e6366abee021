"""The ten digits, told apart by a linear model and by a network; some rows are kept aside."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from hessx.models import MultinomialLogistic, Perceptron
from hessx.study.backends import Backend
from hessx.study.classes import Classes
from hessx.study.posed import Known, Posed, Problem, Tag

__all__ = ["MODELS", "TEN_DIGITS", "TRAINING"]

TRAINING = 1437  # rows; the others are for validation
_ROWS = 1797
_L2 = 1e-4
_HIDDEN = 32
_GREY = 16.0  # the largest grey value


def _split() -> tuple[np.ndarray, ...]:
    """Give training rows and labels, and the same for validation, in a drawn order."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(_ROWS)
    train, rest = order[:TRAINING], order[TRAINING:]
    return X[train] / _GREY, y[train], X[rest] / _GREY, y[rest]


def _linear(backend: Backend) -> Classes:
    X, y, *aside = (backend.asarray(part) for part in _split())
    model = MultinomialLogistic(X, y, l2=_L2)
    return Classes(model, backend.asarray(np.zeros(model.shape)), *aside)


def _network(backend: Backend) -> Classes:
    X, y, *aside = (backend.asarray(part) for part in _split())
    model = Perceptron(X, y, layers=(_HIDDEN,), l2=_L2)
    return Classes(model, model.start(0), *aside)


def _posed(of: Callable[[Backend], Classes], backend: Backend) -> Posed:
    classes = of(backend)
    return Posed(*classes.flat(), classes=classes)


MODELS: dict[str, Callable[[Backend], Classes]] = {
    "digits-linear": _linear,
    "digits-network": _network,
}

_DATA = f"The ten digits, {TRAINING} x 64, grey values from 0 to 1; "
_LOSS = f"mean softmax loss + l2/2 |W|², l2 = {_L2:g}, b free"
_SOURCE = "UCI, optical recognition of handwritten digits, by scikit-learn's load_digits"

TEN_DIGITS = {
    "digits-linear": Problem(
        "Ten digits, linear model",
        f"{_DATA}{_LOSS}, from 0.",
        650,
        partial(_posed, _linear),
        (Known.ROWS,),
        (Tag.QUICK, Tag.CONVEX, Tag.FINITE_SUM, Tag.REAL_DATA),
        _SOURCE,
    ),
    "digits-network": Problem(
        "Ten digits, network",
        f"{_DATA}{_HIDDEN} units, tanh, {_LOSS}, from drawn weights.",
        2410,
        partial(_posed, _network),
        (Known.ROWS,),
        (Tag.QUICK, Tag.NONCONVEX, Tag.FINITE_SUM, Tag.REAL_DATA),
        _SOURCE,
    ),
}
