"""What L-BFGS knows of curvature, on the host: the small products of its pairs."""

from __future__ import annotations

import numpy as np

from hessx.core import saved
from hessx.hessians._gram import Gram
from hessx.hessians._pair_rows import PAIRS

__all__ = ["LBFGSCurvature"]


@saved
class LBFGSCurvature:
    """A = gamma I + [S, Y] M [S, Y]', of which everything but the rows of S and Y is here.

    Parameters
    ----------
    limit, slots, n : int
        Pairs at most, those for which there is room at first, and variables.
    gamma : float, optional
        Where to start; without it -g is the first direction, of a length that says nothing.

    Attributes
    ----------
    gram : Gram
        R^-1, D and Y'Y.
    gamma : float
        Of what the pairs do not describe.
    sized : bool
        alpha = 1 is natural.
    """

    __slots__ = ("gamma", "gram", "longest", "sized")

    def __init__(self, limit: int, slots: int, n: int, gamma: float | None) -> None:
        self.gram = Gram(slots)
        self.longest = limit > n  # then gamma is for directions not yet met
        self.gamma, self.sized = (1.0, False) if gamma is None else (gamma, True)

    def learn(self, slot: int, cross: np.ndarray, s_y: float, y_y: float, s_s: float) -> None:
        """Take the pair of a free slot in, with the products of all rows with its y."""
        self.gram.add(slot, cross[PAIRS::2], cross[PAIRS + 1 :: 2], s_y, y_y, s_s)
        self.gamma = self.gram.longest if self.longest else s_y / y_y
        self.sized = True

    def direction(self, products: np.ndarray, now: int) -> tuple[np.ndarray, float]:
        """Give the weights of the rows in d = -A g, and the slope g'd.

        Parameters
        ----------
        products : array
            Those of all rows in use with g: B g.
        now : int
            The row of g.
        """
        c = np.zeros(len(products))
        c[now] = -self.gamma
        c[PAIRS::2], c[PAIRS + 1 :: 2] = self.gram.weights(
            products[PAIRS::2], products[PAIRS + 1 :: 2], self.gamma
        )
        return c, float(c.dot(products))

    def forget(self) -> None:
        """Forget the pairs."""
        self.gram.clear()
        self.gamma, self.sized = 1.0, False
