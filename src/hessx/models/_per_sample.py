"""The gradient of each row's loss, as an operator that is not formed."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Any

from hessx._xp import Array
from hessx.models._network import Linearised
from hessx.operators import LinearOperator

__all__ = ["PerSample"]


class PerSample(LinearOperator):
    r"""The matrix of the rows' gradients, (rows, n), without the penalty; their mean is the rest.

    A row's gradient by the weights of a layer is outer(inputs_i, slopes_i), so that inputs and
    slopes are all that has to be kept of a row.  The inputs of the first layer are data.

    Parameters
    ----------
    at : Linearised
        The network.
    slopes : array
        Of each row's own loss by its outputs.

    Attributes
    ----------
    coefficients : array, shape (rows,) or (rows, k)
        What to keep of each row: of a linear model the slopes, (rows,) or (rows, classes); of a
        perceptron slopes and inputs of all layers side by side, but for the inputs of the first.

    Notes
    -----
    Cost of a product with v or of its transpose: 2 rows n operations; no fetch.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx.models import LogisticRegression
    >>> model = LogisticRegression(np.array([[1.0], [2.0], [4.0]]), np.array([0, 1, 1]))
    >>> gradients = model.per_sample(np.zeros(2))
    >>> gradients.coefficients
    array([ 0.5, -0.5, -0.5])
    >>> gradients.matrix()
    array([[ 0.5,  0.5],
           [-1. , -0.5],
           [-2. , -0.5]])
    >>> gradients.mean(gradients.coefficients)
    array([-0.83333333, -0.16666667])
    """

    def __init__(self, at: Linearised, slopes: Array) -> None:
        self._network, self._inputs = at.network, at.inputs
        self._slopes = at.slopes(slopes)
        self._declare((slopes.shape[0], at.network.n), at.network.space, rmatvec=True)

    @property
    def coefficients(self) -> Array:
        """What has to be kept of each row."""
        if len(self._slopes) == 1:
            return self._slopes[0]
        kept = [self._slopes[0]]
        for a, slopes in zip(self._inputs[1:], self._slopes[1:], strict=True):
            kept += [a, slopes]
        return self._network.space.xp.concat(kept, axis=1)

    def mean(self, coefficients: Array) -> Array:
        """Give the mean of the gradients that coefficients stand for.

        Parameters
        ----------
        coefficients : array
            Of these rows, in this order, at whatever weights.

        Returns
        -------
        array, shape (n,)
        """
        rows = self.shape[0]
        return self._combined(*self._parts(coefficients)) / rows

    def matrix(self) -> Array:
        """Give all gradients, shape (rows, n)."""
        parts = zip(self._network.layers, self._inputs, self._slopes, strict=True)
        pieces = [piece for layer, a, s in parts for piece in layer.row_gradients(a, s)]
        return pieces[0] if len(pieces) == 1 else self._network.space.xp.concat(pieces, axis=1)

    def _apply(self, v: Array) -> Array:
        return self._each(self._product, v, self.shape[0])

    def _product(self, v: Array) -> Array:
        xp, weights = self._network.space.xp, self._network.cut(v)
        parts = zip(self._network.layers, weights, self._inputs, self._slopes, strict=True)
        terms = [layer.outputs(pair, a) * slopes for layer, pair, a, slopes in parts]
        products = [t if t.ndim == 1 else xp.sum(t, axis=1) for t in terms]
        return reduce(add, products)

    def _apply_transposed(self, u: Array) -> Array:
        return self._each(self._product_transposed, u, self.shape[1])

    def _product_transposed(self, u: Array) -> Array:
        slopes = [s * (u if s.ndim == 1 else u[:, None]) for s in self._slopes]
        return self._combined(self._inputs, slopes)

    def _combined(self, inputs: list[Array], slopes: list[Array]) -> Array:
        """Give the sum of the rows' gradients."""
        parts = zip(self._network.layers, inputs, slopes, strict=True)
        return self._network.join([layer.gradient(a, s) for layer, a, s in parts])

    def _parts(self, coefficients: Array) -> tuple[list[Array], list[Array]]:
        """Cut coefficients into inputs and slopes of each layer."""
        if len(self._slopes) == 1:
            return self._inputs, [coefficients]
        inputs, slopes, start = [self._inputs[0]], [], 0
        for i, layer in enumerate(self._network.layers):
            sizes: tuple[Any, ...] = (layer.d_out,) if i == 0 else (layer.d_in, layer.d_out)
            cuts = []
            for size in sizes:
                cuts.append(coefficients[:, start : start + size])
                start += size
            slopes.append(cuts[-1])
            inputs += cuts[:-1]
        return inputs, slopes
