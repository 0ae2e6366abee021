"""Multi-layer perceptrons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hessx._xp import Array, normal
from hessx.core import SettingsError, check_integer, check_real
from hessx.models._activations import ACTIVATIONS
from hessx.models._affine import Weights
from hessx.models._classes import Classifier
from hessx.models._data import check_weights, take_data, take_labels, take_targets
from hessx.models._hessian import NetworkHessian
from hessx.models._losses import Loss, Softmax, Squared
from hessx.models._network import Network

__all__ = ["Perceptron"]


class Perceptron(Classifier):
    r"""Mean loss of a fully connected network, with an L2 penalty.

        a_0 = X,    a_l = sigma(a_(l-1) W_l + b_l),    z = a_(L-1) W_L + b_L
        f(w) = (1/N) sum_i loss(z_i, y_i) + l2 sum_l |W_l|^2 / 2

    with loss "softmax", log(sum_j exp(z_ij)) - z_(i, y_i), or "squared", |z_i - y_i|^2 / 2.  w is a
    tree, ``{"layer0": {"W": ..., "b": ...}, "layer1": ...}``, and so is the gradient.  Calling the
    model gives ``(f, grad f)``, for ``hessx.minimize(model, model.start(0), jac=True)``.

    Parameters
    ----------
    X : array, shape (N, d)
        An observation per row, of any library, real floating; kept where it is, not copied.
    y : array, shape (N,), or (N, k) with loss="squared"
        Labels 0, 1, ..., classes - 1, of any real dtype, or targets; on X's library and device.
    layers : sequence of int
        Sizes of the hidden layers, each >= 1.
    activation : {"tanh", "relu", "sigmoid", "softplus"}
        sigma.  The derivative of relu at 0 is 0.
    loss : {"softmax", "squared"}
        Of classes, or of numbers.
    l2 : float
        Weight of the penalty, >= 0; biases have none.
    classes : int, optional
        How many, >= 2, with loss="softmax"; one more than the largest label by default.

    Attributes
    ----------
    N, n : int
        Rows, and weights in all.

    Raises
    ------
    TypeError, ValueError
        Data that do not fit together, other labels, or a w that is not like ``start()``.
    SettingsError
        Sizes, names, penalty or classes out of range.

    Notes
    -----
    Cost: with labels one fetch at construction, and N classes numbers.  A call takes some 6 N n
    operations, a product with the Gauss-Newton matrix 8 N n, with the Hessian 12 N n; kept are two
    arrays (N, size) for each hidden layer.  A call with L layers, tanh and softmax takes
    9 L + 7 launches on PyTorch, and 5 L more with a penalty.  The host reads nothing.

    Flat vectors, of operators and results, have the layers one after the other, W row by row and
    then b.

    References
    ----------
    Goodfellow, Bengio & Courville (2016), Deep Learning, algorithms 6.3 and 6.4; Pearlmutter
    (1994), Fast exact multiplication by the Hessian, and Bishop (2006), Pattern Recognition and
    Machine Learning, section 5.4.6, for Hessian products; Schraudolph (2002), Fast curvature
    matrix-vector products for second-order gradient descent, for Gauss-Newton.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> from hessx.models import Perceptron
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> y = np.array([0, 1, 1, 0])  # exclusive or: no linear model has it
    >>> model = Perceptron(X, y, layers=(8,), l2=1e-4)
    >>> result = hessx.minimize(model, model.start(0), jac=True, method="lbfgs")
    >>> model.predict(result.x, X)
    array([0, 1, 1, 0])
    >>> {name: layer["W"].shape for name, layer in result.x.items()}
    {'layer0': (2, 8), 'layer1': (8, 2)}
    """

    def __init__(
        self,
        X: Array,
        y: Array,
        layers: Sequence[int] = (64, 32),
        activation: str = "tanh",
        loss: str = "softmax",
        l2: float = 0.0,
        *,
        classes: int | None = None,
    ) -> None:
        l2 = check_real("l2", l2, 0.0, ends="[)")
        if not isinstance(layers, list | tuple):
            msg = f"layers = {layers!r}: expected the sizes of the hidden layers, such as (64, 32)"
            raise SettingsError(msg)
        hidden = [check_integer(f"layers[{i}]", size, 1) for i, size in enumerate(layers)]
        for name, given, known in (
            ("activation", activation, tuple(ACTIVATIONS)),
            ("loss", loss, ("softmax", "squared")),
        ):
            if given not in known:
                msg = f"{name} = {given!r}: expected one of {', '.join(map(repr, known))}"
                raise SettingsError(msg)
        if loss == "softmax":
            space, y = take_data(X, y)
            of_outputs: Loss = Softmax(space, take_labels(space, y, classes), 1.0)
        else:
            space, y = take_targets(X, y)
            of_outputs = Squared(space, y, 1.0)
        sigma = ACTIVATIONS[activation](space)
        sizes = (X.shape[1], *hidden, of_outputs.targets.shape[1])
        network = Network(space, sizes, bias=True, activation=sigma)
        self._hold(space, X, l2, network, of_outputs)

    def start(self, seed: int = 0) -> Any:
        """Draw weights to begin with: biases 0, W normal of variance v.

        v = 2 / (d_in + d_out) with tanh and sigmoid, 2 / d_in with relu and softplus.

        Parameters
        ----------
        seed : int
            The same seed draws the same weights on every library, up to rounding.

        Returns
        -------
        tree of arrays
            On the device of the data; one upload.

        References
        ----------
        Glorot & Bengio (2010), eq. (12); He, Zhang, Ren & Sun (2015), eq. (10).
        """
        draws = self._network.cut(normal(self._space, seed, 1, self.n)[0, ...])
        rectifies = self._network.activation.rectifies  # type: ignore[union-attr]
        weights: list[Weights] = []
        for W, b in draws:
            d_in, d_out = W.shape
            variance = 2.0 / d_in if rectifies else 2.0 / (d_in + d_out)
            weights.append((W * math.sqrt(variance), b * 0.0))  # type: ignore[operator]
        return self._shaped(weights)

    def hessian(self, w: Any) -> NetworkHessian:  # type: ignore[override]
        """Give the Hessian at w, linearised once.

        Parameters
        ----------
        w : tree of arrays
            The point.

        Returns
        -------
        LinearOperator
            On flat vectors: for ``hessx.minimize(..., hess=model.hessian)``.  It may be indefinite
            and has no ``root()``; ``sampled_gradient`` and ``factors`` as in `gauss_newton`.

        Notes
        -----
        Cost: 4 N n operations; 12 N n per product with a vector.
        """
        return NetworkHessian(self._at(w), self._loss, self.l2)

    def predict(self, w: Any, X: Array) -> Array:
        """Give the labels with the largest outputs; with loss="squared" the outputs themselves.

        Parameters
        ----------
        w : tree of arrays
            The point.
        X : array, shape (m, d)
            Observations, of the kind of the data.

        Returns
        -------
        array of integers, shape (m,), or array of shape (m, k)
            No fetch.
        """
        if isinstance(self._loss, Softmax):
            return super().predict(w, X)
        return self._scores(w, X)

    def accuracy(self, w: Any, X: Array, y: Array) -> Array:
        """Give the share of the observations whose label is predicted; see `predict`.

        Parameters
        ----------
        w : tree of arrays
            The point.
        X, y : array, shapes (m, d) and (m,)
            Observations and their labels.

        Returns
        -------
        array, 0-d
            Of the dtype of the data.

        Raises
        ------
        TypeError
            The loss is "squared": there are no labels.
        """
        if not isinstance(self._loss, Softmax):
            msg = "accuracy is that of labels, and the loss is 'squared': compare predict(w, X)"
            raise TypeError(msg)
        return super().accuracy(w, X, y)

    def _weights(self, w: Any) -> list[Weights]:
        layers = self._network.layers
        _check_keys("w", w, [f"layer{i}" for i in range(len(layers))])
        weights: list[Weights] = []
        for i, (name, pair) in enumerate(w.items()):
            _check_keys(f"w[{name!r}]", pair, ["W", "b"])
            d_in, d_out = layers[i].d_in, layers[i].d_out
            check_weights(self._space, pair["W"], (d_in, d_out), f"w[{name!r}]['W']")  # type: ignore[arg-type]
            check_weights(self._space, pair["b"], (d_out,), f"w[{name!r}]['b']")  # type: ignore[arg-type]
            weights.append((pair["W"], pair["b"]))
        return weights

    def _shaped(self, weights: list[Weights]) -> Any:
        return {f"layer{i}": {"W": W, "b": b} for i, (W, b) in enumerate(weights)}


def _check_keys(name: str, given: Any, keys: list[str]) -> None:
    """Refuse another tree; another order would be another flat vector."""
    if not isinstance(given, dict):
        msg = f"{name} is a {type(given).__name__}: expected a dict of {keys}, as start() gives it"
        raise TypeError(msg)
    if list(given) != keys:
        msg = f"{name} has the keys {list(given)}: expected {keys}, in this order"
        raise ValueError(msg)
