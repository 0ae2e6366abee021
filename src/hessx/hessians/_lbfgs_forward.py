"""The L-BFGS approximation of the Hessian itself, B = A^-1, from the same pairs."""

from __future__ import annotations

import numpy as np

from hessx._xp import Rows, fetch
from hessx.core import Frame, saved
from hessx.hessians._pair_rows import PAIRS
from hessx.hessians._rows_operator import RowsOperator

__all__ = ["ForwardGram", "LBFGSHessian", "forward_gram"]


@saved(host=("s_s", "s_y"))
class ForwardGram:
    r"""S'S and S'Y, on the host in float64.

    With sigma = 1 / gamma, L the part of S'Y strictly below its diagonal, s newer than y, and D its
    diagonal:

        B = sigma I - [sigma S, Y] [[sigma S'S, L], [L', -D]]^-1 [sigma S, Y]'

    Parameters
    ----------
    k : int
        Slots.

    References
    ----------
    Byrd, Nocedal & Schnabel (1994), Math. Program. 63, Theorem 2.3.
    """

    __slots__ = ("order", "s_s", "s_y")

    def __init__(self, k: int) -> None:
        self.s_s, self.s_y = np.zeros((k, k)), np.zeros((k, k))
        self.order: list[int] = []  # slots in use, the oldest first

    def add(self, slot: int, s_cross: np.ndarray, y_cross: np.ndarray) -> None:
        """Put a pair in, in the place of the one that stood there.

        Parameters
        ----------
        slot : int
            Of the pair.
        s_cross, y_cross : array
            Products of the rows s_0, y_0, s_1, ... of the first slots with its s and its y.
        """
        k = len(s_cross) // 2
        if k > len(self.s_s):
            grown = ForwardGram(2 * k)
            old = len(self.s_s)
            grown.s_s[:old, :old], grown.s_y[:old, :old] = self.s_s, self.s_y
            self.s_s, self.s_y = grown.s_s, grown.s_y
        self.s_s[slot, :k] = self.s_s[:k, slot] = s_cross[0::2]
        self.s_y[slot, :k] = s_cross[1::2]
        self.s_y[:k, slot] = y_cross[0::2]
        self.order = [*(i for i in self.order if i != slot), slot]

    def clear(self) -> None:
        """Forget all pairs."""
        self.order = []

    def middle(self, gamma: float) -> np.ndarray:
        """Give M with B v = v / gamma + [S, Y] M [S, Y]'v, of all slots up to the last in use."""
        order, sigma = self.order, 1.0 / gamma
        k, m = len(order), max(order) + 1
        at = np.ix_(order, order)
        K = np.zeros((2 * k, 2 * k))
        K[:k, :k] = sigma * self.s_s[at]
        K[:k, k:] = np.tril(self.s_y[at], -1)
        K[k:, :k] = K[:k, k:].T
        K[k:, k:] = -np.diag(self.s_y[at].diagonal())
        weight = np.repeat([sigma, 1.0], k)
        small = -weight[:, None] * _inverse(K) * weight
        M = np.zeros((2 * m, 2 * m))
        places = [*order, *(m + i for i in order)]
        M[np.ix_(places, places)] = 0.5 * (small + small.T)
        return M


def _inverse(K: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.inv(K)
    except np.linalg.LinAlgError:  # to rounding two pairs are one
        return np.linalg.pinv(K)


@saved(arguments=("frame", "rows", "pieces", "gram", "gamma"))
class LBFGSHessian(RowsOperator):
    r"""B v = v / gamma + [S, Y] (M ([S, Y]'v)) for the pairs of an L-BFGS approximation.

    See `ForwardGram` for M.  It is symmetric positive definite where all s'y > 0.

    Notes
    -----
    Cost of an apply: two products with the rows of the k pairs; no fetch.

    References
    ----------
    Byrd, Nocedal & Schnabel (1994), Math. Program. 63, Theorem 2.3.
    """

    def __init__(
        self,
        frame: Frame,
        rows: Rows,
        pieces: list[tuple[int, int]],
        gram: ForwardGram,
        gamma: float,
    ) -> None:
        super().__init__(frame, rows, pieces, 1.0 / gamma, len(gram.order), inverse=False)
        self.gram, self.gamma = gram, gamma

    def middle(self) -> np.ndarray:
        """M of the compact form."""
        return self.gram.middle(self.gamma)


def forward_gram(frame: Frame, rows: Rows, order: list[int]) -> ForwardGram:
    """Form S'S and S'Y of pairs in slots; two products of the rows per pair, one fetch."""
    slots = max(order, default=0) + 1
    gram, stop = ForwardGram(slots), PAIRS + 2 * slots
    if not order:
        return gram
    asked = [rows.products(PAIRS, stop, PAIRS + 2 * i + j) for i in order for j in (0, 1)]
    columns, _ = fetch(frame.space, asked)
    for at, slot in enumerate(order):
        gram.add(slot, columns[2 * at], columns[2 * at + 1])
    return gram
