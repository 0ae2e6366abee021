"""What all models do: value, gradient, second derivatives, and the same on some rows."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Any, Self

from hessx._xp import Array, Space, quiet
from hessx.models._affine import Weights
from hessx.models._gauss_newton import GaussNewton, penalised
from hessx.models._losses import Loss
from hessx.models._network import Linearised, Network
from hessx.models._per_sample import PerSample

__all__ = ["Model"]


class Model:
    r"""f(w) = sum_i c_i l(z_i(w); y_i) + l2 |W|^2 / 2, z the outputs of a network on rows of X.

    Attributes
    ----------
    X : array, shape (N, d)
        A row per observation.
    N : int
        Rows.
    n : int
        Weights.
    l2 : float
        Weight of the penalty.
    """

    X: Array
    N: int
    n: int
    l2: float

    def _hold(self, space: Space, X: Array, l2: float, network: Network, loss: Loss) -> None:
        self._space, self.X, self.l2, self._network, self._loss = space, X, l2, network, loss
        self.N, self.n = X.shape[0], network.n

    def __call__(self, w: Any) -> tuple[Array, Any]:
        """Give value and gradient at w; both stay where the data are."""
        weights = self._weights(w)
        with quiet():  # a w beyond all reason has a loss that says so
            at = Linearised(self._network, weights, self.X)
            value, slopes = self._loss.value_and_slopes(at.outputs)
            gradients = penalised(at.vjp(slopes), weights, self.l2)
            return self._plus_penalty(value, weights), self._shaped(gradients)

    def value(self, w: Any) -> Array:
        """Give the value at w, a 0-d array of the library."""
        weights = self._weights(w)
        with quiet():
            outputs = self._network.outputs(weights, self.X)
            return self._plus_penalty(self._loss.value(outputs), weights)

    def hessian(self, w: Any) -> GaussNewton:
        """Give the Hessian at w."""
        return self.gauss_newton(w)

    def gauss_newton(self, w: Any) -> GaussNewton:
        r"""Give the Gauss-Newton matrix at w, J' H_L J + l2 I.

        J is the Jacobian of the outputs by w and H_L the Hessian of the loss by the outputs; for
        logistic and softmax losses it is the Fisher matrix.

        Parameters
        ----------
        w : array or tree of arrays
            The point.

        Returns
        -------
        LinearOperator
            On flat vectors, with ``sampled_gradient(seed)``, ``factors(seed=None)`` (see
            `hessx.core.LayerFactors`) and ``root()``: R with R'R the matrix without the penalty.

        Notes
        -----
        Cost: that of the outputs; no fetch.
        """
        return GaussNewton(self._at(w), self._loss, self.l2)

    def per_sample(self, w: Any) -> PerSample:
        """Give the gradient of each row at w, without the penalty, as an operator (N, n).

        Parameters
        ----------
        w : array or tree of arrays
            The point.

        Returns
        -------
        LinearOperator
            With ``coefficients``, what to keep of each row; ``mean(coefficients)``, the flat
            gradient; and ``matrix()``, shape (N, n).

        Notes
        -----
        Cost: that of the gradient less its last product, no fetch.
        """
        at = self._at(w)
        return PerSample(at, self._loss.slopes(at.outputs) * (1.0 * self.N))

    def rows(self, rows: Array, weights: Array | None = None) -> Self:
        r"""Give the model on some rows, scaled to be an unbiased estimate of the whole.

        Parameters
        ----------
        rows : array of integers, shape (m,)
            Of the library and device of the data; not checked.
        weights : array, shape (m,), optional
            By which the rows' losses are multiplied, >= 0, of the dtype of the data; those of an
            importance sampling, for instance.

        Returns
        -------
        model
            Of the same class, with N = m.  A mean over all rows becomes one over these, a sum is
            scaled up; the penalty is counted once.

        Notes
        -----
        Cost: copies of the rows of X and y; no check, no fetch, no upload.
        """
        part = object.__new__(type(self))
        part.__dict__.update(self.__dict__)
        X = self._space.xp.take(self.X, rows, axis=0)
        part._hold(self._space, X, self.l2, self._network, self._loss.on(rows, weights))
        return part

    def _at(self, w: Any) -> Linearised:
        return Linearised(self._network, self._weights(w), self.X)

    def _plus_penalty(self, value: Array, weights: list[Weights]) -> Array:
        if self.l2 == 0.0:
            return value
        flat = [self._space.flat(W) for W, _ in weights]
        return value + reduce(add, [W @ W for W in flat]) * (0.5 * self.l2)

    def _weights(self, w: Any) -> list[Weights]:
        """Check w and take it apart, layer by layer; costs no launch."""
        raise NotImplementedError

    def _shaped(self, weights: list[Weights]) -> Any:
        """Put weights together in the shape of w."""
        raise NotImplementedError
