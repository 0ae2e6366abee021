"""Models whose outputs stand for classes: labels and accuracy."""

from __future__ import annotations

from typing import Any

from hessx._xp import Array
from hessx.models._data import take_data
from hessx.models._model import Model

__all__ = ["Classifier"]


class Classifier(Model):
    """A model with one output per class."""

    def predict(self, w: Any, X: Array) -> Array:
        """Give the labels with the largest outputs.

        Parameters
        ----------
        w : array or tree of arrays
            The point.
        X : array, shape (m, d)
            Observations, of the kind of the data.

        Returns
        -------
        array of integers, shape (m,)

        Raises
        ------
        ValueError
            Rows of another length than those of the data.

        Notes
        -----
        Cost: that of the outputs, no fetch.
        """
        return self._space.xp.argmax(self._scores(w, X), axis=1)

    def accuracy(self, w: Any, X: Array, y: Array) -> Array:
        """Give the share of the observations whose label is predicted.

        Parameters
        ----------
        w : array or tree of arrays
            The point.
        X : array, shape (m, d)
            Observations, of the kind of the data.
        y : array, shape (m,)
            Their labels, of any real dtype.

        Returns
        -------
        array, 0-d
            Of the dtype of the data.
        """
        _, y = take_data(X, y)
        xp, dtype = self._space.xp, self._space.dtype
        right = xp.astype(self.predict(w, X), dtype) == y
        return xp.mean(xp.astype(right, dtype))

    def _scores(self, w: Any, X: Array) -> Array:
        """Give the outputs for other observations, (m, k)."""
        if X.ndim != 2 or X.shape[1] != self.X.shape[1]:
            msg = f"X has shape {tuple(X.shape)}: expected (m, {self.X.shape[1]}), as the data"
            raise ValueError(msg)
        return self._network.outputs(self._weights(w), X)
