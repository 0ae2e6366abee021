"""Linear regression."""

from __future__ import annotations

from hessx._xp import Array
from hessx.core import check_real
from hessx.models._affine import Weights
from hessx.models._data import check_weights, take_data
from hessx.models._gauss_newton import GaussNewton
from hessx.models._losses import Squared
from hessx.models._model import Model
from hessx.models._network import Network

__all__ = ["LinearLeastSquares"]


class LinearLeastSquares(Model):
    r"""Half the sum of squared residuals of a linear model, with an L2 penalty.

        f(w) = |X w - y|^2 / 2 + l2 |w|^2 / 2,    grad f(w) = X'(X w - y) + l2 w

    Calling the model gives ``(f, grad f)``, for ``hessx.minimize(model, w0, jac=True)``.

    Parameters
    ----------
    X : array, shape (N, n)
        An observation per row, of any library, real floating; kept where it is, not copied.
    y : array, shape (N,)
        Targets, on X's library and device.
    l2 : float
        Weight of the penalty, >= 0.

    Attributes
    ----------
    N, n : int
        Rows, and entries of w.

    Raises
    ------
    TypeError, ValueError
        Data that do not fit together, or a w of another shape or dtype than the data ask for.
    SettingsError
        A negative l2.

    Notes
    -----
    Cost of a call: two products with X, 4 N n operations; 5 launches, 10 with a penalty; f is a
    0-d array of the library and the host reads nothing.

    ``rows(rows)`` is scaled by N / m, so that its mean over all batches of m rows is f.

    References
    ----------
    Hastie, Tibshirani & Friedman (2009), The Elements of Statistical Learning, eq. (3.43), halved.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> from hessx.models import LinearLeastSquares
    >>> x, y = np.arange(1.0, 6.0), np.array([2.0, 4.0, 6.0, 8.0, 10.0])
    >>> model = LinearLeastSquares(np.stack([np.ones(5), x], axis=1), y)
    >>> hessx.minimize(model, np.ones(2), jac=True, tol=1e-9).x.round(6) + 0.0
    array([0., 2.])
    """

    def __init__(self, X: Array, y: Array, l2: float = 0.0) -> None:
        l2 = check_real("l2", l2, 0.0, ends="[)")
        space, y = take_data(X, y)
        N, n = X.shape
        self._hold(space, X, l2, Network(space, (n, None), bias=False), Squared(space, y, N))

    @property
    def y(self) -> Array:
        """Targets, shape (N,)."""
        return self._loss.targets

    def hessian(self, w: Array | None = None) -> GaussNewton:
        """Give X'X + l2 I as an operator, the same at every w.

        Parameters
        ----------
        w : array, shape (n,), optional
            For the gradients behind it, ``factors()``; zero by default.

        Returns
        -------
        LinearOperator
            With a diagonal; ``hessian().dense(X)`` is the matrix.  See `gauss_newton`.
        """
        return self.gauss_newton(self._space.zeros(self.n) if w is None else w)

    def _weights(self, w: Array) -> list[Weights]:
        check_weights(self._space, w, (self.n,))
        return [(w, None)]

    def _shaped(self, weights: list[Weights]) -> Array:
        return weights[0][0]
