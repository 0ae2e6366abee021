"""The ten digits, told apart by a linear model and by a network; some rows are kept aside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import hessx
from hessx._xp import space_of
from hessx.models import MultinomialLogistic, Perceptron
from hessx.study.backends import Backend

__all__ = ["ABOUT", "MODELS", "TRAINING", "Classes"]

TRAINING = 1437  # rows; the others are for validation
_ROWS = 1797
_L2 = 1e-4
_HIDDEN = 32
_GREY = 16.0  # the largest grey value


@dataclass(frozen=True)
class Classes:
    """A classifier on its data, and data that it is not trained on.

    Attributes
    ----------
    model : Model
        Of `hessx.models`, with a ``classes`` and ``accuracy``.
    x0 : array or tree of arrays
        The start.
    X, y : array
        Rows that are kept aside for validation, and their labels.
    """

    model: Any
    x0: Any
    X: Any
    y: Any

    def loss(self) -> hessx.FiniteSum:
        """Make the objective of the training rows, with counts that begin at 0."""
        return hessx.FiniteSum(self.model)

    def flat(self) -> tuple[Callable[[Any], tuple[Any, Any]], Any, Callable[[Any], Any]]:
        """Give value and gradient, x0, and the Hessian, of flat vectors."""
        space = space_of(self.x0)

        def fun(x: Any) -> tuple[Any, Any]:
            value, grad = self.model(space.shaped(x))
            return value, space.flat(grad)

        return fun, space.flat(self.x0), lambda x: self.model.hessian(space.shaped(x))

    def accuracy(self, x: Any) -> Any:
        """Give the share of the rows kept aside that flat weights tell rightly, 0-d."""
        return self.model.accuracy(space_of(self.x0).shaped(x), self.X, self.y)


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


MODELS: dict[str, Callable[[Backend], Classes]] = {
    "digits-linear": _linear,
    "digits-network": _network,
}

_DATA = f"The ten digits, {TRAINING} x 64, grey values from 0 to 1; "
_LOSS = f"mean softmax loss + l2/2 |W|², l2 = {_L2:g}, b free"
# title, text, and variables of each
ABOUT = {
    "digits-linear": ("Ten digits, linear model", f"{_DATA}{_LOSS}, from 0.", 650),
    "digits-network": (
        "Ten digits, network",
        f"{_DATA}{_HIDDEN} units, tanh, {_LOSS}, from drawn weights.",
        2410,
    ),
}
