"""Networks of affine layers, linearised at a point: the Jacobian by its products."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hessx._xp import Array, Space
from hessx.models._activations import Activation
from hessx.models._affine import Affine, Weights

__all__ = ["Linearised", "Network"]


class Network:
    r"""a_0 = X, a_l = sigma(a_(l-1) W_l + b_l); the last layer has no sigma.

    A linear model is a network of one layer.

    Parameters
    ----------
    space : Space
        Library, dtype and device.
    sizes : sequence of int
        Entries of a row of inputs, of each hidden layer, and of outputs; None for one output
        without an axis.
    bias : bool
        Whether layers have a b.
    activation : Activation, optional
        sigma.

    Attributes
    ----------
    layers : list of Affine
        Their spans lie one after the other.
    n : int
        Weights in all.
    """

    __slots__ = ("activation", "layers", "n", "space")

    def __init__(
        self,
        space: Space,
        sizes: Sequence[int | None],
        *,
        bias: bool,
        activation: Activation | None = None,
    ) -> None:
        self.space, self.activation, self.n = space, activation, 0
        self.layers: list[Affine] = []
        for d_in, d_out in pairwise(sizes):
            layer = Affine(space, self.n, d_in, d_out, bias=bias)  # type: ignore[arg-type]
            self.layers.append(layer)
            self.n = layer.span.stop

    def cut(self, v: Array) -> list[Weights]:
        """View a flat vector as the weights of each layer."""
        return [layer.cut(v) for layer in self.layers]

    def join(self, weights: list[Weights]) -> Array:
        """Join weights to a flat vector, one concatenation."""
        return self.space.join([leaf for pair in weights for leaf in pair if leaf is not None])

    def outputs(self, weights: list[Weights], X: Array) -> Array:
        """Give the outputs alone."""
        a = X
        for layer, pair in zip(self.layers[:-1], weights[:-1], strict=True):
            a = self.activation.value(layer.outputs(pair, a))  # type: ignore[union-attr]
        return self.layers[-1].outputs(weights[-1], a)


class Linearised:
    """A network at weights w: outputs z, and products with their Jacobian J by w.

    Attributes
    ----------
    outputs : array, shape (rows, d_out) or (rows,)
        z.
    inputs, derivatives : list of arrays
        Of each layer a, and of each hidden one sigma'.

    Notes
    -----
    Cost: 2 rows n operations; a product with J takes 4 (2 with one layer), with J' as much.
    """

    __slots__ = ("derivatives", "inputs", "network", "outputs", "weights")

    def __init__(self, network: Network, weights: list[Weights], X: Array) -> None:
        self.network, self.weights, self.inputs = network, weights, [X]
        self.derivatives: list[Array] = []
        for layer, pair in zip(network.layers[:-1], weights[:-1], strict=True):
            sigma: Activation = network.activation  # type: ignore[assignment]
            a = sigma.value(layer.outputs(pair, self.inputs[-1]))
            self.inputs.append(a)
            self.derivatives.append(sigma.derivative(a))
        self.outputs = network.layers[-1].outputs(weights[-1], self.inputs[-1])

    def tangents(self, v: list[Weights]) -> tuple[list[Array], list[Array]]:
        """Give the derivatives along v of each layer's outputs, and of the inputs behind them."""
        turns: list[Array] = []
        moved: list[Array] = []
        for i, (layer, pair) in enumerate(zip(self.network.layers, v, strict=True)):
            turn = layer.outputs(pair, self.inputs[i])
            if i > 0:
                moved.append(self.derivatives[i - 1] * turns[-1])
                turn = turn + moved[-1] @ self.weights[i][0]
            turns.append(turn)
        return turns, moved

    def jvp(self, v: list[Weights]) -> Array:
        """J v."""
        return self.tangents(v)[0][-1]

    def slopes(self, u: Array) -> list[Array]:
        """Give the gradient of sum(u * z) by each layer's outputs: back-propagation."""
        slopes = [u]
        for (W, _), derivative in zip(self.weights[:0:-1], self.derivatives[::-1], strict=True):
            slopes.append((slopes[-1] @ W.T) * derivative)
        return slopes[::-1]

    def vjp(self, u: Array) -> list[Weights]:
        """J'u."""
        parts = zip(self.network.layers, self.inputs, self.slopes(u), strict=True)
        return [layer.gradient(a, s) for layer, a, s in parts]
