"""Second derivatives of a model: what all have, and the Gauss-Newton matrix and its root."""

from __future__ import annotations

from typing import Any

from hessx._xp import Array, Space
from hessx.core import LayerFactors
from hessx.models._affine import Weights
from hessx.models._losses import Loss
from hessx.models._network import Linearised
from hessx.operators import LinearOperator

__all__ = ["GaussNewton", "ModelOperator", "penalised"]


def penalised(gradients: list[Weights], weights: list[Weights], l2: float) -> list[Weights]:
    """Add the gradient l2 W of the penalty; b has none."""
    if l2 == 0.0:
        return gradients
    pairs = zip(gradients, weights, strict=True)
    return [(g + W * l2, b) for (g, b), (W, _) in pairs]


class ModelOperator(LinearOperator):
    """An operator on the weights of a model that knows the gradients behind it.

    Parameters
    ----------
    at : Linearised
        The network at w.
    loss : Loss
        Of its outputs.
    l2 : float
        Weight of the penalty.
    """

    stacks = False

    def __init__(self, at: Linearised, loss: Loss, l2: float) -> None:
        self.at, self.loss, self.l2 = at, loss, l2
        self.curvature = loss.curvature(at.outputs)
        n = at.network.n
        self._declare((n, n), at.network.space, symmetric=True)

    def sampled_gradient(self, seed: Any) -> Array:
        r"""Give the mean gradient g of the rows, with labels drawn from the model.

        rows E(g g') is the Gauss-Newton matrix without the penalty, and E(g) = 0.

        Parameters
        ----------
        seed : int or tuple of int
            Of the draw, on the host.

        Returns
        -------
        array, shape (n,)

        Notes
        -----
        Cost: that of a gradient, given the outputs; one upload, of a number per row (of an output
        for squared losses).  A row whose loss has the coefficient c takes part with sqrt(c).
        """
        slopes = self.loss.drawn(self.at.outputs, seed) * self.loss.rows**-0.5
        return self.at.network.join(self.at.vjp(slopes))

    def factors(self, seed: Any = None) -> list[LayerFactors]:
        r"""Give inputs and slopes of each layer, of which the rows' gradients are made.

        Parameters
        ----------
        seed : int or tuple of int, optional
            Of labels drawn from the model; the mean over rows of the gradients' outer products has
            then the Gauss-Newton matrix as expectation.  None: the true labels; the mean of the
            gradients is then that of the model, without the penalty.

        Returns
        -------
        list of LayerFactors
            In the order of the layers.

        Notes
        -----
        Cost: that of back-propagation, and a copy of each layer's inputs beside a column of ones;
        an upload with a seed.
        """
        z, rows = self.at.outputs, self.loss.rows
        if seed is None:
            slopes = self.loss.slopes(z) * (1.0 * rows)
        else:
            slopes = self.loss.drawn(z, seed) * rows**0.5
        parts = zip(self.at.network.layers, self.at.inputs, self.at.slopes(slopes), strict=True)
        return [LayerFactors(f.span, f.with_ones(a), f.columns(s)) for f, a, s in parts]

    def _apply(self, v: Array) -> Array:
        return self._each(self._product, v, self.shape[0])

    def _product(self, v: Array) -> Array:
        raise NotImplementedError

    def _apply_transposed(self, u: Array) -> Array:
        return self._apply(u)


class GaussNewton(ModelOperator):
    r"""J' diag(c_i H_i) J + l2 I, J the Jacobian of the outputs by w, H_i those of the losses.

    The Hessian itself, where the outputs are linear in w.  The penalty has no part in biases.

    Notes
    -----
    Cost of a product: 8 rows n operations, 4 where the outputs are linear in w; 5 launches, up to 9
    with penalty and intercept, for logistic and squared losses.  The diagonal is known where the
    outputs are linear in w: X * X.
    """

    def __init__(self, at: Linearised, loss: Loss, l2: float) -> None:
        super().__init__(at, loss, l2)
        self.has_diagonal = len(at.network.layers) == 1

    def root(self) -> LinearOperator:
        """Give R, (rows, n) or (rows k, n), with R'R this matrix without the penalty."""
        return _Root(self)

    def penalty(self) -> Array:
        """Give the diagonal of what the root leaves out: l2 at weights, 0 at biases."""
        network = self.at.network
        none = network.space.zeros(network.n)
        zeros, ones = network.cut(none), network.cut(none + 1.0)
        return network.join(penalised(zeros, ones, self.l2))

    def _product(self, v: Array) -> Array:
        network = self.at.network
        weights = network.cut(v)
        forces = self.curvature.apply(self.at.jvp(weights))
        return network.join(penalised(self.at.vjp(forces), weights, self.l2))

    def _diagonal(self, space: Space) -> Array:  # noqa: ARG002
        layer, X = self.at.network.layers[0], self.at.inputs[0]
        squares = layer.gradient(X * X, self.curvature.diagonal())
        return self.at.network.join([(squares[0] + self.l2, squares[1])])


class _Root(LinearOperator):
    """R v = S'(J v), a row's entries side by side."""

    def __init__(self, gauss_newton: GaussNewton) -> None:
        self.at, self.curvature = gauss_newton.at, gauss_newton.curvature
        z = self.at.outputs
        size = z.shape[0] if z.ndim == 1 else z.shape[0] * z.shape[1]
        self._declare((size, self.at.network.n), self.at.network.space, rmatvec=True)

    def _apply(self, v: Array) -> Array:
        return self._each(self._product, v, self.shape[0])

    def _product(self, v: Array) -> Array:
        network = self.at.network
        return network.space.flat(self.curvature.root(self.at.jvp(network.cut(v))))

    def _apply_transposed(self, u: Array) -> Array:
        return self._each(self._product_transposed, u, self.shape[1])

    def _product_transposed(self, u: Array) -> Array:
        network = self.at.network
        t = network.space.xp.reshape(u, self.at.outputs.shape)
        return network.join(self.at.vjp(self.curvature.root_transposed(t)))
