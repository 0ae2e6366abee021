"""The products of pairs with each other, on the host in float64."""

from __future__ import annotations

import copy

import numpy as np

from hessx._xp import Rows, fetch
from hessx.core import Frame, saved
from hessx.hessians._pair_rows import PAIRS

__all__ = ["PairProducts", "products_of"]


@saved(host=("s_s", "s_y", "y_y"))
class PairProducts:
    """S'S, S'Y and Y'Y of pairs in slots.

    Parameters
    ----------
    k : int
        Slots; more are made as pairs come.

    Attributes
    ----------
    s_s, s_y, y_y : NumPy array, shape (k, k)
        By slots; the rows of s_y belong to s.
    order : list of int
        Slots in use, the oldest first.
    """

    __slots__ = ("order", "s_s", "s_y", "y_y")

    def __init__(self, k: int) -> None:
        self.s_s, self.s_y, self.y_y = np.zeros((k, k)), np.zeros((k, k)), np.zeros((k, k))
        self.order: list[int] = []

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
            self._grow(2 * k)
        self.s_s[slot, :k] = self.s_s[:k, slot] = s_cross[0::2]
        self.s_y[slot, :k] = s_cross[1::2]
        self.s_y[:k, slot] = y_cross[0::2]
        self.y_y[slot, :k] = self.y_y[:k, slot] = y_cross[1::2]
        self.order = [*(i for i in self.order if i != slot), slot]

    def with_pair(self, slot: int, s_cross: np.ndarray, y_cross: np.ndarray) -> PairProducts:
        """Give what `add` would make of a copy."""
        twin = copy.deepcopy(self)
        twin.add(slot, s_cross, y_cross)
        return twin

    def ordered(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give S'S, S'Y and Y'Y of the pairs in use, the oldest first."""
        at = np.ix_(self.order, self.order)
        return self.s_s[at], self.s_y[at], self.y_y[at]

    def placed(self, M: np.ndarray) -> np.ndarray:
        """Give a matrix of [S, Y] in order as one of all slots up to the last in use."""
        m = max(self.order) + 1
        places = [*self.order, *(m + i for i in self.order)]
        by_slot = np.zeros((2 * m, 2 * m))
        by_slot[np.ix_(places, places)] = M
        return by_slot

    def _grow(self, k: int) -> None:
        for name in ("s_s", "s_y", "y_y"):
            old, new = getattr(self, name), np.zeros((k, k))
            new[: len(old), : len(old)] = old
            setattr(self, name, new)


def products_of(frame: Frame, rows: Rows, order: list[int]) -> PairProducts:
    """Form the products of pairs in slots; two products of the rows per pair, one fetch."""
    slots = max(order, default=0) + 1
    found, stop = PairProducts(slots), PAIRS + 2 * slots
    if not order:
        return found
    asked = [rows.products(PAIRS, stop, PAIRS + 2 * i + j) for i in order for j in (0, 1)]
    columns, _ = fetch(frame.space, asked)
    for at, slot in enumerate(order):
        found.add(slot, columns[2 * at], columns[2 * at + 1])
    return found
