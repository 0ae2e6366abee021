"""Logistic regression of two classes."""

from __future__ import annotations

from hessx._xp import Array, Space, fetch
from hessx.core import check_real
from hessx.models._affine import Weights
from hessx.models._classes import Classifier
from hessx.models._data import check_weights, take_data
from hessx.models._gauss_newton import GaussNewton
from hessx.models._losses import Logistic
from hessx.models._network import Network

__all__ = ["LogisticRegression"]


class LogisticRegression(Classifier):
    r"""Mean logistic loss of a linear model of two classes, with an L2 penalty.

    With signs t_i = +-1 for the two classes, N observations, coefficients v and intercept b,
    w = (v, b):

        f(w) = (1/N) sum_i log(1 + exp(u_i)) + l2 |v|^2 / 2,    u = -t (X v + b)

    The intercept is the last entry of w and is not penalised.  Calling the model gives
    ``(f, grad f)``, for ``hessx.minimize(model, w0, jac=True)``.

    Parameters
    ----------
    X : array, shape (N, n_features)
        An observation per row, of any library, real floating; kept where it is, not copied.
    y : array, shape (N,)
        Labels 0 and 1, or -1 and 1, of any real dtype, on X's library and device.
    l2 : float
        Weight of the penalty, >= 0; scikit-learn's C is 1 / (N l2).
    intercept : bool
        Whether w ends with an intercept.

    Attributes
    ----------
    N, n : int
        Rows, and entries of w: n_features, and one more with an intercept.

    Raises
    ------
    TypeError, ValueError
        Data that do not fit together, labels of other values, or a w of another shape or dtype
        than the data ask for.
    SettingsError
        A negative l2.

    Notes
    -----
    log(1 + exp(u)) is formed as max(u, 0) + log(1 + exp(-|u|)) and its derivative as
    exp(u - log(1 + exp(u))): nothing overflows, and both keep their relative accuracy where they
    are small.

    Cost: one fetch at construction, for the labels.  A call: two products with X, 4 N n
    operations; 16 launches, f is a 0-d array of the library and the host reads nothing.

    References
    ----------
    Hastie, Tibshirani & Friedman (2009), The Elements of Statistical Learning, eqs. (4.20) and
    (18.11).

    Examples
    --------
    >>> import numpy as np, hessx
    >>> from hessx.models import LogisticRegression
    >>> X = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    >>> model = LogisticRegression(X, np.array([0, 0, 1, 1]), l2=0.1)
    >>> v, b = hessx.minimize(model, np.zeros(2), jac=True).x
    >>> bool(v > 0), bool(abs(b) < 1e-5)
    (True, True)
    """

    def __init__(self, X: Array, y: Array, l2: float = 0.0, *, intercept: bool = True) -> None:
        l2 = check_real("l2", l2, 0.0, ends="[)")
        space, y = take_data(X, y)
        self.intercept = intercept
        network = Network(space, (X.shape[1], None), bias=intercept)
        signs, self._low = _signs(space, y)
        self._hold(space, X, l2, network, Logistic(space, -signs, 1.0))

    def predict(self, w: Array, X: Array) -> Array:
        """Give the labels with X v + b > 0 as 1, the others as 0, or -1 where y has that.

        Parameters
        ----------
        w : array, shape (n,)
            The point.
        X : array, shape (m, n_features)
            Observations, of the kind of the data.

        Returns
        -------
        array of integers, shape (m,)
            No fetch.

        Raises
        ------
        ValueError
            Rows of another length than those of the data.
        """
        xp, z = self._space.xp, self._scores(w, X)
        chosen = xp.argmax(xp.stack([xp.zeros_like(z), z]), axis=0)
        return chosen if self._low == 0.0 else 2 * chosen - 1

    def hessian(self, w: Array) -> GaussNewton:
        r"""Give the Hessian at w, linearised once: (1/N) X' diag(s (1 - s)) X + l2 I.

        s = 1 / (1 + exp(-u)); the intercept has its column of ones and no penalty.

        Parameters
        ----------
        w : array, shape (n,)
            The point.

        Returns
        -------
        LinearOperator
            With a diagonal: for ``hessx.minimize(model, w0, jac=True, hess=model.hessian)``.
            See `gauss_newton`, which is the same.

        Notes
        -----
        Cost: one product with X; two per product with a vector.
        """
        return self.gauss_newton(w)

    def _weights(self, w: Array) -> list[Weights]:
        check_weights(self._space, w, (self.n,))
        return self._network.cut(w)

    def _shaped(self, weights: list[Weights]) -> Array:
        return self._network.join(weights)


def _signs(space: Space, y: Array) -> tuple[Array, float]:
    """Turn labels into -1 and 1, and say what the lower one was; the one fetch of a model."""
    xp = space.xp
    (from_binary, from_signs), _ = fetch(
        space, [xp.max(xp.abs(y * (y - 1.0))), xp.max(xp.abs(y * y - 1.0))]
    )
    if from_binary == 0.0:
        return y * 2.0 - 1.0, 0.0
    if from_signs == 0.0:
        return y, -1.0
    msg = "y has other values than 0 and 1, or -1 and 1: encode the two classes first"
    raise ValueError(msg)
