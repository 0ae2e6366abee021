"""L with L L' = A of an L-BFGS inverse, no matrix of n rows formed."""

from __future__ import annotations

import math

import numpy as np

from hessx._xp import Array, Rows
from hessx.core import Frame, saved
from hessx.hessians._compact_forms import bfgs_hessian
from hessx.hessians._pair_products import PairProducts
from hessx.hessians._rows_operator import RowsOperator

__all__ = ["InverseRoot", "root_middle"]


@saved(host=("M",), arguments=("frame", "rows", "pieces", "gamma", "M", "count"))
class InverseRoot(RowsOperator):
    r"""L = gamma^(1/2) I + [S, Y] M [S, Y]', not symmetric; in x scale L."""

    def __init__(
        self,
        frame: Frame,
        rows: Rows,
        pieces: list[tuple[int, int]],
        gamma: float,
        M: np.ndarray,
        count: int,
    ) -> None:
        super().__init__(frame, rows, pieces, math.sqrt(gamma), count, inverse=True)
        n = self.space.n
        self._declare((n, n), self.space, rmatvec=True)
        self.gamma, self.M = gamma, M

    def middle(self) -> np.ndarray:
        """M, as it was given."""
        return self.M

    def _apply_to_one(self, v: Array) -> Array:
        return self.frame.push(self.times(v))

    def _apply_transposed(self, u: Array) -> Array:
        return self._each(self._transposed_of_one, u, self.space.n)

    def _transposed_of_one(self, u: Array) -> Array:
        return self.times(self.frame.pull(u), transposed=True)


def root_middle(products: PairProducts, gamma: float) -> np.ndarray:
    r"""Give M of the L in L L' = A.

    Pair by pair, in combinations p and q of the pairs, with B the inverse of A before:

        A+ = (I - p q') A (I - q p'),    p = s / s'y,    q = y + (s'y / s'Bs)^(1/2) B s

    so that L+ = (I - p q') L.

    References
    ----------
    Brodlie, Gourlay & Greenstadt (1973), Rank-one and rank-two corrections to positive definite
    matrices expressed in product form, J. Inst. Math. Appl. 11.
    """
    s_s, s_y, y_y = products.ordered()
    k, root = len(s_s), math.sqrt(gamma)
    G = np.block([[s_s, s_y], [s_y.T, y_y]])
    M, before = np.zeros((2 * k, 2 * k)), PairProducts(k)
    rows = np.stack([np.arange(k), k + np.arange(k)], axis=1).ravel()  # s_0, y_0, s_1, ...
    for i in range(k):
        B_s = np.zeros(2 * k)
        B_s[i] = 1.0 / gamma
        if i:
            middle, first = bfgs_hessian(before, 1.0 / gamma)[1], [*range(i), *range(k, k + i)]
            B_s[first] += middle.dot(G[first, i])
        s_B_s = float(B_s.dot(G[i]))
        q = B_s * math.sqrt(s_y[i, i] / s_B_s)
        q[k + i] += 1.0
        M[i] -= (root * q + q.dot(G).dot(M)) / s_y[i, i]
        upto = rows[: 2 * i + 2]
        before.add(i, G[upto, i], G[upto, k + i])
    return products.placed(M)
