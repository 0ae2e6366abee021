"""The small products of L-BFGS, on the host in float64.

Pairs stand in physical slots 0..k-1 in any order, so that nothing here depends on where the ring's
head is; a free slot is a zero row and column of R^-1, by which all that stands there is multiplied.
"""

from __future__ import annotations

import math

import numpy as np

from hessx.core import saved

__all__ = ["Gram"]


@saved(host=("inverse", "y_y", "diagonal"))
class Gram:
    r"""R^-1, D and Y'Y of the compact inverse form, kept up to date by bordering.

    With S, Y the pairs in the order they came, R = triu(S'Y) and D = diag(S'Y) (Byrd, Nocedal &
    Schnabel 1994, Theorem 2.2):

        A = gamma I + [S, gamma Y] [[R^-T (D + gamma Y'Y) R^-1, -R^-T], [-R^-1, 0]] [S, gamma Y]'

    A new pair borders R by a column r = S's y and the corner s'y; its inverse by -R^-1 r / s'y and
    1 / s'y.  Dropping the oldest pair drops the first row and column of both.

    Parameters
    ----------
    k : int
        Slots.
    like : Gram, optional
        To be copied; it has no more slots.

    Notes
    -----
    Cost: four products with (k, k) matrices per update and direction.

    References
    ----------
    Byrd, Nocedal & Schnabel (1994), Math. Program. 63, Theorem 2.2.
    """

    __slots__ = ("diagonal", "inverse", "longest", "steps", "y_y")

    def __init__(self, k: int, like: Gram | None = None) -> None:
        self.inverse = np.zeros((k, k))  # R^-1
        self.y_y = np.zeros((k, k))
        self.diagonal = np.zeros(k)
        self.steps = [0.0] * k  # norm(s) / norm(y)
        self.longest = 0.0  # of them
        if like is not None:
            old = len(like.diagonal)
            self.inverse[:old, :old], self.y_y[:old, :old] = like.inverse, like.y_y
            self.diagonal[:old], self.steps[:old] = like.diagonal, like.steps
            self.longest = like.longest

    def copy(self, k: int = 0) -> Gram:
        """Give a copy, with room for k slots at least."""
        return Gram(max(k, len(self.diagonal)), self)

    def taken(self, order: list[int], k: int) -> Gram:
        """Give a copy with the pairs of these slots alone, the newest ones, in the first of k."""
        twin, count, at = Gram(k), len(order), np.ix_(order, order)
        twin.inverse[:count, :count], twin.y_y[:count, :count] = self.inverse[at], self.y_y[at]
        twin.diagonal[:count] = self.diagonal[order]
        twin.steps[:count] = [self.steps[i] for i in order]
        twin.longest = max(twin.steps)
        return twin

    def size_of(self, slot: int) -> float:
        """Give s'y / y'y of the pair of a slot."""
        return float(self.diagonal[slot] / self.y_y[slot, slot])

    @property
    def count(self) -> int:
        """Pairs held."""
        return len(self.diagonal.nonzero()[0])

    def order(self, next_slot: int) -> list[int]:
        """Give the slots that hold a pair, the oldest first, of a ring that goes on there."""
        held = [i for i, s_y in enumerate(self.diagonal) if s_y]
        return [i for i in held if i >= next_slot] + [i for i in held if i < next_slot]

    def add(
        self,
        slot: int,
        s_cross: np.ndarray,
        y_cross: np.ndarray,
        s_y: float,
        y_y: float,
        s_s: float,
    ) -> None:
        """Put a pair into a free slot, given S'y and Y'y with the first slots (finite, if free)."""
        inverse, products, k = self.inverse, self.y_y, len(s_cross)
        if k < len(self.diagonal):
            inverse, products = inverse[:k, :k], products[:k, :k]
        inverse[:, slot] = inverse.dot(s_cross) / -s_y
        inverse[slot, slot] = 1.0 / s_y
        products[slot] = products[:, slot] = y_cross
        products[slot, slot] = y_y
        self.diagonal[slot] = s_y
        self.steps[slot] = step = math.sqrt(s_s) / math.sqrt(y_y)
        self.longest = max(self.longest, step)

    def remove(self, slot: int) -> None:
        """Free the slot of the oldest pair."""
        self.inverse[slot] = self.inverse[:, slot] = 0.0
        self.diagonal[slot] = 0.0
        gone, self.steps[slot] = self.steps[slot], 0.0
        if gone == self.longest:
            self.longest = max(self.steps)

    def clear(self) -> None:
        """Free all slots."""
        self.inverse[:] = 0.0
        self.y_y[:] = 0.0
        self.diagonal[:] = 0.0
        self.steps = [0.0] * len(self.steps)
        self.longest = 0.0

    def weights(
        self, s_g: np.ndarray, y_g: np.ndarray, gamma: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Give (c_s, c_y) with -A g = S c_s + Y c_y - gamma g, from S'g and Y'g.

        They are of the first slots, which must be all that hold a pair.
        """
        inverse, y_y, diagonal = self.inverse, self.y_y, self.diagonal
        k = len(s_g)
        if k < len(diagonal):
            inverse, y_y, diagonal = inverse[:k, :k], y_y[:k, :k], diagonal[:k]
        u = inverse.dot(s_g)
        v = y_y.dot(u)
        np.subtract(y_g, v, out=v)
        v *= gamma
        v -= diagonal * u
        u *= gamma
        return v.dot(inverse), u

    def middle(self, gamma: float) -> np.ndarray:
        """Give M with A v = gamma v + [S, Y] M [S, Y]'v, shape (2k, 2k)."""
        k = len(self.diagonal)
        M = np.zeros((2 * k, 2 * k))
        core = np.diag(self.diagonal) + gamma * self.y_y
        M[:k, :k] = self.inverse.T @ core @ self.inverse
        M[:k, k:] = -gamma * self.inverse.T
        M[k:, :k] = -gamma * self.inverse
        return M
