"""The exact Hessian of a network's loss, by Pearlmutter's R-operator."""

from __future__ import annotations

from typing import Any

from hessx._xp import Array
from hessx.models._affine import Weights
from hessx.models._gauss_newton import ModelOperator, penalised
from hessx.models._losses import Loss
from hessx.models._network import Linearised

__all__ = ["NetworkHessian"]


class NetworkHessian(ModelOperator):
    r"""H v, by the derivative R{.} along v of a forward and a backward pass.

    With inputs a_l and outputs z_l of layer l, slopes s_l by z_l, and R{W_l} = V_l:

        R{z_l} = a_l V_l + R{a_l} W_l,    R{a_(l+1)} = sigma' R{z_l}
        R{s_L} = H_L R{z_L},              R{s_(l-1)} = sigma' (R{s_l} W_l' + s_l V_l')
                                                       + sigma'' R{z_(l-1)} (s_l W_l')
        H v = R{a_l}' s_l + a_l' R{s_l},  layer by layer, + l2 v

    Notes
    -----
    Cost of a product: 12 rows n operations; beside inputs and slopes one array of the size of each
    hidden layer is kept.

    References
    ----------
    Pearlmutter (1994), Fast exact multiplication by the Hessian; Bishop (2006), Pattern
    Recognition and Machine Learning, section 5.4.6.
    """

    def __init__(self, at: Linearised, loss: Loss, l2: float) -> None:
        super().__init__(at, loss, l2)
        self.slopes = [loss.slopes(at.outputs)]
        self._bends: list[Array | None] = []  # sigma'' (s_l W_l'), from the first hidden layer on
        sigma: Any = at.network.activation
        for i in range(len(at.derivatives) - 1, -1, -1):
            back = self.slopes[0] @ at.weights[i + 1][0].T
            second = sigma.second(at.inputs[i + 1], at.derivatives[i])
            self._bends.insert(0, None if second is None else back * second)
            self.slopes.insert(0, back * at.derivatives[i])

    def _product(self, v: Array) -> Array:
        at, weights = self.at, self.at.network.cut(v)
        R_z, R_a = at.tangents(weights)
        R_s = [self.curvature.apply(R_z[-1])]
        for i in range(len(R_a) - 1, -1, -1):
            W, V = at.weights[i + 1][0], weights[i + 1][0]
            turned = (R_s[0] @ W.T + self.slopes[i + 1] @ V.T) * at.derivatives[i]
            bend = self._bends[i]
            R_s.insert(0, turned if bend is None else turned + bend * R_z[i])
        return at.network.join(penalised(self._gradients(R_a, R_s), weights, self.l2))

    def _gradients(self, R_a: list[Array], R_s: list[Array]) -> list[Weights]:
        """R{gradient} by the weights of each layer."""
        parts = zip(self.at.network.layers, self.at.inputs, R_s, strict=True)
        gradients = [layer.gradient(a, s) for layer, a, s in parts]
        for i, moved in enumerate(R_a, start=1):
            W, b = gradients[i]
            gradients[i] = W + moved.T @ self.slopes[i], b
        return gradients
