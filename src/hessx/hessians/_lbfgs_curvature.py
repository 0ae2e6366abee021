"""L-BFGS at work: its pairs as rows, and their small products on the host."""

from __future__ import annotations

import math

import numpy as np

from hessx._xp import Array, Packet
from hessx.core import Frame, Pair, saved
from hessx.hessians._compact_forms import Form, bfgs_hessian, bfgs_shifted
from hessx.hessians._gram import Gram
from hessx.hessians._lbfgs_operator import LBFGSInverse
from hessx.hessians._limited import LimitedCurvature
from hessx.hessians._pair_products import PairProducts, products_of
from hessx.hessians._pair_rows import PAIRS

__all__ = ["LBFGSCurvature"]


@saved(fresh=("applied", "inverted", "lent", "shifted"))
class LBFGSCurvature(LimitedCurvature):
    """A = gamma I + [S, Y] M [S, Y]'; a line search has its gradients among the rows.

    Parameters
    ----------
    frame : Frame
        Of the pairs.
    limit : int
        Pairs at most.
    gamma : float, optional
        Where to start; without it -g is the first direction, of a length that says nothing.
    damping : float, optional
        Powell's.

    Attributes
    ----------
    pairs : PairRows
        The rows.
    gram : Gram
        R^-1, D and Y'Y.
    products : PairProducts, optional
        Where `update` learns.
    gamma : float
        Of what the pairs do not describe.
    sized : bool
        alpha = 1 is natural.
    inner : Frame
        Variables w of the pairs, z = scale w, where a diagonal or other pairs are to start with.
    """

    __slots__ = ("damping", "gamma", "gram", "initial", "inverted", "longest")

    def __init__(
        self, frame: Frame, limit: int, gamma: float | None, damping: float | None
    ) -> None:
        super().__init__(frame, limit)
        self.damping = damping
        self.gram = Gram(self.pairs.slots)
        self.longest = limit > frame.space.n  # then gamma is for directions not yet met
        self.initial = gamma
        self.gamma, self.sized = (1.0, False) if gamma is None else (gamma, True)

    @property
    def size(self) -> float:
        """1 / gamma."""
        return 1.0 / self.gamma

    def hessian_form(self) -> Form:
        """B of Theorem 2.3."""
        return bfgs_hessian(self.known(), self.size)

    def shifted_form(self, sigma: float) -> Form:
        """(B + sigma I)^-1."""
        return bfgs_shifted(self.known(), self.size, sigma)

    def changed(self) -> None:
        """Form anew what is formed of the pairs."""
        super().changed()
        self.inverted: LBFGSInverse | None = None

    def learn(self, slot: int, cross: np.ndarray, s_y: float, y_y: float, s_s: float) -> None:
        """Take the pair of a free slot in, with the products of all rows with its y."""
        self.gram.add(slot, cross[PAIRS::2], cross[PAIRS + 1 :: 2], s_y, y_y, s_s)
        self.gamma = self.gram.longest if self.longest else s_y / y_y
        self.sized = True
        self.pairs.keep()
        if self.pairs.slots > len(self.gram.diagonal):
            self.gram = self.gram.copy(self.pairs.slots)

    def combination(self, products: np.ndarray, now: int) -> tuple[np.ndarray, float]:
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

    def forget(self, *, but_candidate: bool = False) -> None:
        """Forget the pairs, of which some may not be finite."""
        self.pairs.forget(but_candidate=but_candidate)
        self.gram.clear()
        self.gamma, self.sized = 1.0, False

    def adopt(self, operator: LBFGSInverse) -> None:
        """Start from the pairs of an earlier run, copied: the newest, as many as there may be.

        Where they are all, A is that of the operator; else gamma is s'y / y'y of the newest.
        """
        pairs, held = self.pairs, operator.gram.order(operator.layout[2])
        newest = held[-pairs.limit :]
        count = len(newest)
        pairs.hold(count, count % pairs.limit)
        for slot, old in enumerate(newest):
            for i in (PAIRS, PAIRS + 1):
                pairs.rows.set(i + 2 * slot, operator.rows[i + 2 * old])
        self.gram = gram = operator.gram.taken(newest, pairs.slots)
        self.gamma, self.sized = operator.gamma, True
        if count < len(held):
            self.gamma = gram.size_of(count - 1)
        self.products = None  # type: ignore[assignment]  # they cost a fetch, and may not be needed

    def inverse(self, *, without_candidate: bool) -> LBFGSInverse:
        """Give A in x as an operator on these rows, which it leaves as they are."""
        pairs, gram = self.pairs, self.gram.copy()
        if without_candidate:  # a trial, perhaps not finite, stands in the candidate's rows
            gram.remove(pairs.candidate)
        pieces = pairs.pieces(without_candidate=without_candidate)
        layout = pairs.limit, pairs.count, pairs.candidate
        return LBFGSInverse(self.frame, pairs.rows, pieces, gram, self.gamma, layout)

    def measure(self, pair: Pair, packet: Packet) -> None:
        """Ask for the products of the rows with s and y; with B s too, if that may be mixed in."""
        if self.damping is not None and pair.product is not None:
            _, y = self.inside(pair)
            p = self.inner.pull(pair.B_s)
            packet.ask(y_p=y @ p, p_p=p @ p)
            self.ask_products(packet, B_p=p)
        super().measure(pair, packet)

    def update(self, pair: Pair) -> str:
        """Make s and y the newest pair, unless their curvature is rounding."""
        numbers, note, space = pair.numbers, "", self.inner.space
        s, y = self.inside(pair)
        s_y, y_y, s_s = pair.s_y, numbers.get("v_v", pair.y_y), numbers.get("w_w", pair.s_s)
        with_y = numbers.get("B_y", np.zeros(0))
        s_B_s = math.sqrt(s_s) * math.sqrt(y_y) if math.isnan(pair.s_B_s) else pair.s_B_s
        if "p_p" in numbers and self.sized and s_y < self.damping * s_B_s:  # type: ignore[operator]
            share, note = (1.0 - self.damping) * s_B_s / (s_B_s - s_y), "damped"  # type: ignore[operator]
            y, s_y, y_y, with_y = self._mixed(pair, y, share, y_y, s_B_s)
        bent = s_y > max(space.eps * s_B_s, space.smallest)
        if not (bent and 0.0 < y_y < math.inf and 0.0 < s_s < math.inf):
            return "skipped"
        pairs, products = self.pairs, self.known()
        slot = pairs.candidate
        with_s, with_y = self.crossed(numbers.get("B_s", with_y), with_y, s_y, y_y, s_s)
        if pairs.count == pairs.limit:
            self.gram.remove(slot)
        self.put(s, y)
        products.add(slot, with_s, with_y)
        self.learn(slot, np.concatenate([np.zeros(PAIRS), with_y]), s_y, y_y, s_s)
        self.changed()
        return note

    def _mixed(
        self, pair: Pair, y: Array, share: float, y_y: float, s_B_s: float
    ) -> tuple[Array, float, float, np.ndarray]:
        """Give y after Powell's damping, share y + (1 - share) B s, and its products."""
        numbers, rest = pair.numbers, 1.0 - share
        none = np.zeros(0)
        with_y = share * numbers.get("B_y", none) + rest * numbers.get("B_p", none)
        s_y, cross = share * pair.s_y + rest * s_B_s, 2.0 * share * rest * numbers["y_p"]
        y_y = share * share * y_y + cross + rest * rest * numbers["p_p"]
        return y * share + self.inner.pull(pair.B_s) * rest, s_y, y_y, with_y

    def reset(self) -> bool:
        """Forget the pairs; hess_inv0 as a number or a diagonal stays."""
        had = self.forget_pairs()
        self.gram.clear()
        self.gamma, self.sized = (1.0, False) if self.initial is None else (self.initial, True)
        return had

    def solve(self, v: Array) -> Array:
        """A v, by two products with the rows; one upload after each update."""
        if self.inverted is None:
            self.inverted = self.inverse_operator(self.inner)
        return self.inverted.matvec(v)

    def inverse_operator(self, frame: Frame) -> LBFGSInverse:
        """A, which the next run may begin with."""
        pairs = self.pairs
        layout = pairs.limit, pairs.count, pairs.candidate
        pieces = [(PAIRS, PAIRS + 2 * pairs.count)]
        return LBFGSInverse(frame, pairs.rows, pieces, self.gram.copy(), self.gamma, layout)

    def known(self) -> PairProducts:
        """The products; of pairs that were taken over by one fetch."""
        if self.products is None:
            pairs, gram = self.pairs, self.gram
            self.products = products_of(self.inner, pairs.rows, gram.order(pairs.candidate))
        return self.products
