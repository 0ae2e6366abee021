"""L-BFGS at work: its pairs as rows, and their small products on the host."""

from __future__ import annotations

import copy
import math

import numpy as np

from hessx._xp import Array, Packet
from hessx.core import Frame, Pair, saved
from hessx.hessians._family import Curvature
from hessx.hessians._gram import Gram
from hessx.hessians._lbfgs_forward import ForwardGram, LBFGSHessian, forward_gram
from hessx.hessians._lbfgs_operator import LBFGSInverse
from hessx.hessians._pair_rows import PAIRS, PairRows
from hessx.operators import LinearOperator

__all__ = ["LBFGSCurvature"]


@saved(fresh=("applied", "inverted"))
class LBFGSCurvature(Curvature):
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
    forward : ForwardGram, optional
        S'S and S'Y, where `update` learns.
    gamma : float
        Of what the pairs do not describe.
    sized : bool
        alpha = 1 is natural.
    inner : Frame
        Variables w of the pairs, z = scale w, where a diagonal or other pairs are to start with.
    """

    __slots__ = (
        "applied", "damping", "forward", "frame", "gamma", "gram", "initial", "inner", "inverted",
        "longest", "pairs", "sized",
    )  # fmt: skip

    def __init__(
        self, frame: Frame, limit: int, gamma: float | None, damping: float | None
    ) -> None:
        self.frame, self.damping = frame, damping
        self.inner = Frame(frame.space)
        self.pairs = PairRows(frame.space, limit)
        self.gram = Gram(self.pairs.slots)
        self.forward: ForwardGram | None = None
        self.longest = limit > frame.space.n  # then gamma is for directions not yet met
        self.initial = gamma
        self.gamma, self.sized = (1.0, False) if gamma is None else (gamma, True)
        self.applied: LBFGSHessian | None = None
        self.inverted: LBFGSInverse | None = None

    @property
    def active(self) -> bool:  # type: ignore[override]
        """Whether there is more than I."""
        return self.sized

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
        """Start from the pairs of an earlier run, copied."""
        pairs = self.pairs
        _, count, candidate = operator.layout
        pairs.hold(count, candidate)
        for first, last in operator.pieces:
            for i in range(max(first, PAIRS), last):
                pairs.rows.set(i, operator.rows[i])
        self.gram = operator.gram.copy(pairs.slots)
        self.gamma, self.sized = operator.gamma, True

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
        rows, end = self.pairs.rows, PAIRS + 2 * self.pairs.count
        s, y = self._inside(pair)
        vectors = {"s": s, "y": y}
        if self.damping is not None and pair.product is not None:
            vectors["p"] = p = self.inner.pull(pair.B_s)
            packet.ask(y_p=y @ p, p_p=p @ p)
        if self.inner.scale is not None:
            packet.ask(w_w=s @ s, v_v=y @ y)
        for name, v in vectors.items() if self.pairs.count else ():
            packet.ask(**{f"B_{name}": rows.products_with(PAIRS, end, v)})
        rows.hold(packet)

    def update(self, pair: Pair) -> str:
        """Make s and y the newest pair, unless their curvature is rounding."""
        numbers, note, space = pair.numbers, "", self.inner.space
        s, y = self._inside(pair)
        s_y, y_y, s_s = pair.s_y, numbers.get("v_v", pair.y_y), numbers.get("w_w", pair.s_s)
        with_y = numbers.get("B_y", np.zeros(0))
        s_B_s = math.sqrt(s_s) * math.sqrt(y_y) if math.isnan(pair.s_B_s) else pair.s_B_s
        if "p_p" in numbers and self.sized and s_y < self.damping * s_B_s:  # type: ignore[operator]
            share, note = (1.0 - self.damping) * s_B_s / (s_B_s - s_y), "damped"  # type: ignore[operator]
            y, s_y, y_y, with_y = self._mixed(pair, y, share, y_y, s_B_s)
        if not (s_y > max(space.eps * s_B_s, space.smallest) and y_y < math.inf > s_s):
            return "skipped"
        pairs, forward = self.pairs, self._forward()
        slot = pairs.candidate
        cross = np.zeros((2, max(len(with_y), 2 * slot + 2)))
        cross[0, : len(with_y)], cross[1, : len(with_y)] = numbers.get("B_s", with_y), with_y
        cross[:, 2 * slot], cross[:, 2 * slot + 1] = (s_s, s_y), (s_y, y_y)
        if pairs.count == pairs.limit:
            self.gram.remove(slot)
        pairs.rows.set(pairs.s, s + 0.0)
        pairs.rows.set(pairs.y, y + 0.0)
        forward.add(slot, *cross)
        self.learn(slot, np.concatenate([np.zeros(PAIRS), cross[1]]), s_y, y_y, s_s)
        self.applied = self.inverted = None
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
        had = self.pairs.count > 0
        self.forget()
        if self.initial is not None:
            self.gamma, self.sized = self.initial, True
        self.forward = self.applied = self.inverted = None
        return had

    def solve(self, v: Array) -> Array:
        """A v, by two products with the rows; one upload after each update."""
        if self.inverted is None:
            pairs, gram = self.pairs, self.gram.copy()
            layout = pairs.limit, pairs.count, pairs.candidate
            self.inverted = LBFGSInverse(
                self.inner, pairs.rows, self._pieces, gram, self.gamma, layout
            )
        return self.inverted.matvec(v)

    def matvec(self, v: Array) -> Array:
        """B v, by two products with the rows; one upload after each update."""
        if self.applied is None:
            self.applied = LBFGSHessian(
                self.inner, self.pairs.rows, self._pieces, self._forward(), self.gamma
            )
        return self.applied.matvec(v)

    def diagonal(self) -> Array:
        """The diagonal of B; 2 k products with the rows of the k pairs."""
        self.matvec(self.inner.space.zeros(self.inner.space.n))
        return self.applied.diagonal()  # type: ignore[union-attr]

    def operator(self, *, inverse: bool) -> LinearOperator:
        """A or B in x, on the rows of the run."""
        frame, rows, pieces, pairs = self._outer, self.pairs.rows, self._pieces, self.pairs
        if not inverse:
            return LBFGSHessian(frame, rows, pieces, copy.deepcopy(self._forward()), self.gamma)
        layout = pairs.limit, pairs.count, pairs.candidate
        return LBFGSInverse(frame, rows, pieces, self.gram.copy(), self.gamma, layout)

    @property
    def _outer(self) -> Frame:
        """The variables of the pairs, as a frame of x."""
        inner, outer = self.inner.scale, self.frame.scale
        if inner is None:
            return self.frame
        return self.inner if outer is None else Frame(self.frame.space, inner * outer)

    @property
    def _pieces(self) -> list[tuple[int, int]]:
        return [(PAIRS, PAIRS + 2 * self.pairs.count)]

    def _inside(self, pair: Pair) -> tuple[Array, Array]:
        """S and y in the variables of the pairs."""
        inner = self.inner
        return (
            (pair.s, pair.y)
            if inner.scale is None
            else (pair.s / inner.scale, pair.y * inner.scale)
        )

    def _forward(self) -> ForwardGram:
        """S'S and S'Y; of pairs that were taken over by one fetch."""
        if self.forward is None:
            pairs = self.pairs
            order = [(pairs.candidate - pairs.count + i) % pairs.limit for i in range(pairs.count)]
            self.forward = forward_gram(self.inner, pairs.rows, order)
        return self.forward
