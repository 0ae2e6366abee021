"""Linear regression."""

from __future__ import annotations

from hessx._xp import Array
from hessx.core import check_real
from hessx.models._curvature import ModelHessian
from hessx.models._data import check_weights, take_data

__all__ = ["LinearLeastSquares"]


class LinearLeastSquares:
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
    n : int
        Entries of w.

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
        self._space, self.y = take_data(X, y)
        self.X, self.l2, self.n = X, l2, X.shape[1]
        self._transposed = X.T

    def __call__(self, w: Array) -> tuple[Array, Array]:
        """Give value and gradient at w, shape (n,)."""
        check_weights(self._space, w, self.n)
        residual = self.X @ w - self.y
        value = residual @ residual * 0.5
        grad = self._transposed @ residual
        if self.l2 > 0.0:
            value = value + w @ w * (0.5 * self.l2)
            grad = grad + w * self.l2
        return value, grad

    def hessian(self, w: Array | None = None) -> ModelHessian:  # noqa: ARG002 - the same at every w
        """Give X'X + l2 I as an operator, the same at every w.

        Returns
        -------
        LinearOperator
            With a diagonal; ``hessian().dense(X)`` is the matrix.
        """
        space = self._space
        ones = space.xp.ones(self.X.shape[0], dtype=space.dtype, device=space.device)
        return ModelHessian(self.X, space, ones, self.l2, intercept=False)
