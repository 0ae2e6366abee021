"""Logistic regression of several classes."""

from __future__ import annotations

from typing import Any

from hessx._xp import Array
from hessx.core import check_real
from hessx.models._affine import Weights
from hessx.models._classes import Classifier
from hessx.models._data import check_weights, take_data, take_labels
from hessx.models._gauss_newton import GaussNewton
from hessx.models._losses import Softmax
from hessx.models._network import Network

__all__ = ["MultinomialLogistic"]


class MultinomialLogistic(Classifier):
    r"""Mean softmax loss of a linear model of several classes, with an L2 penalty.

    With labels y_i, coefficients W and intercepts b, w = [W; b]:

        f(w) = (1/N) sum_i (log(sum_j exp(z_ij)) - z_(i, y_i)) + l2 |W|^2 / 2,    z = X W + b

    The intercepts are the last row of w and are not penalised.  Calling the model gives
    ``(f, grad f)``, for ``hessx.minimize(model, w0, jac=True)``.

    Parameters
    ----------
    X : array, shape (N, n_features)
        An observation per row, of any library, real floating; kept where it is, not copied.
    y : array, shape (N,)
        Labels 0, 1, ..., classes - 1, of any real dtype, on X's library and device.
    classes : int, optional
        How many, >= 2; one more than the largest label by default.
    l2 : float
        Weight of the penalty, >= 0; scikit-learn's C is 1 / (N l2).
    intercept : bool
        Whether w ends with a row of intercepts.

    Attributes
    ----------
    N, n : int
        Rows, and entries of w.
    shape : tuple of int
        That of w: (n_features + intercept, classes).

    Raises
    ------
    TypeError, ValueError
        Data that do not fit together, other labels, or a w of another shape or dtype than the
        data ask for.
    SettingsError
        A negative l2, or fewer than two classes.

    Notes
    -----
    Outputs are lessened by the largest of their row, so that no exp overflows.

    Cost: one fetch at construction, for the labels, and N classes numbers for y as rows of the unit
    matrix.  A call: two products with X, 4 N n operations; 14 launches, 22 with penalty and
    intercepts.  A product with the Hessian: as many operations.  The host reads nothing.

    References
    ----------
    Bishop (2006), Pattern Recognition and Machine Learning, eqs. (4.104), (4.108) to (4.110).

    Examples
    --------
    >>> import numpy as np, hessx
    >>> from hessx.models import MultinomialLogistic
    >>> X = np.array([[-3.0], [-2.0], [0.0], [0.5], [2.0], [4.0]])
    >>> y = np.array([0, 0, 1, 1, 2, 2])
    >>> model = MultinomialLogistic(X, y, l2=0.01)
    >>> result = hessx.minimize(model, np.zeros(model.shape), jac=True, hess=model.hessian)
    >>> model.predict(result.x, X)
    array([0, 0, 1, 1, 2, 2])
    >>> float(model.accuracy(result.x, X, y))
    1.0
    """

    def __init__(
        self,
        X: Array,
        y: Array,
        classes: int | None = None,
        l2: float = 0.0,
        *,
        intercept: bool = True,
    ) -> None:
        l2 = check_real("l2", l2, 0.0, ends="[)")
        space, y = take_data(X, y)
        targets = take_labels(space, y, classes)
        sizes = X.shape[1], targets.shape[1]
        self.intercept, self.shape = intercept, (sizes[0] + intercept, sizes[1])
        network = Network(space, sizes, bias=intercept)
        self._hold(space, X, l2, network, Softmax(space, targets, 1.0))

    def hessian(self, w: Array) -> GaussNewton:
        r"""Give the Hessian at w, linearised once: J' diag(p_i) - p_i p_i' J / N + l2 I.

        p_i are the probabilities of row i, J the Jacobian of z, which is linear in w.

        Parameters
        ----------
        w : array, shape ``shape``
            The point.

        Returns
        -------
        LinearOperator
            On flat vectors, with a diagonal: for ``hess=model.hessian``.  See `gauss_newton`,
            which is the same.

        Notes
        -----
        Cost: one product with X; two per product with a vector.
        """
        return self.gauss_newton(w)

    def _weights(self, w: Any) -> list[Weights]:
        check_weights(self._space, w, self.shape)
        return [(w[:-1, :], w[-1, :]) if self.intercept else (w, None)]

    def _shaped(self, weights: list[Weights]) -> Array:
        return self._space.xp.reshape(self._network.join(weights), self.shape)
