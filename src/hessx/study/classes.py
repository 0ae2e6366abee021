"""A sum over rows that tells classes apart, and rows that are kept aside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hessx
from hessx._xp import space_of

__all__ = ["Classes"]


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
