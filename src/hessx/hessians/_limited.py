"""Limited memory: the last pairs as rows of one buffer, their products on the host."""

from __future__ import annotations

import copy
from abc import abstractmethod

import numpy as np

from hessx._xp import Array, Packet
from hessx.core import Frame, Pair
from hessx.hessians._compact import CompactForm
from hessx.hessians._compact_forms import Form
from hessx.hessians._family import Curvature
from hessx.hessians._pair_products import PairProducts
from hessx.hessians._pair_rows import PAIRS, PairRows
from hessx.hessians._rows_operator import PairsOperator, RowsOperator
from hessx.operators import LinearOperator

__all__ = ["LimitedCurvature"]


class LimitedCurvature(Curvature):
    """B = size I + [S, Y] M [S, Y]', with M formed on the host after each pair.

    A subclass says what M is, by `hessian_form` and `shifted_form`, and learns by `update`.

    Parameters
    ----------
    frame : Frame
        The variables z.
    limit : int
        Pairs at most.

    Attributes
    ----------
    pairs : PairRows
        The rows.
    products : PairProducts
        S'S, S'Y and Y'Y.
    inner : Frame
        Variables w of the pairs, z = scale w; z itself unless a subclass says otherwise.
    sized : bool
        B has a size, and is not I.
    """

    __slots__ = ("applied", "frame", "inner", "lent", "pairs", "products", "shifted", "sized")

    def __init__(self, frame: Frame, limit: int) -> None:
        self.frame, self.inner = frame, Frame(frame.space)
        self.pairs = PairRows(frame.space, limit)
        self.products: PairProducts = PairProducts(self.pairs.slots)
        self.sized = False
        self.changed()
        self.lent: bool | None = False  # an operator of the run's has these rows

    @abstractmethod
    def hessian_form(self) -> Form:
        """Give B, once there are pairs."""

    @abstractmethod
    def shifted_form(self, sigma: float) -> Form:
        """Give (B + sigma I)^-1, once there are pairs."""

    @property
    @abstractmethod
    def size(self) -> float:
        """Of what the pairs do not describe, in B."""

    def known(self) -> PairProducts:
        """Give the products."""
        return self.products

    @property
    def active(self) -> bool:  # type: ignore[override]
        """Whether there is more than I."""
        return self.sized

    def changed(self) -> None:
        """Form anew what is formed of the pairs."""
        self.applied: PairsOperator | None = None
        self.shifted: dict[float, PairsOperator] | None = None

    def measure(self, pair: Pair, packet: Packet) -> None:
        """Ask for the products of the rows with s and y."""
        s, y = self.inside(pair)
        if self.inner.scale is not None:
            packet.ask(w_w=s @ s, v_v=y @ y)
        self.ask_products(packet, B_s=s, B_y=y)
        self.pairs.rows.hold(packet)

    def ask_products(self, packet: Packet, **vectors: Array) -> None:
        """Ask for the products of the rows with vectors, by name, once there are pairs."""
        rows, end = self.pairs.rows, PAIRS + 2 * self.pairs.count
        for name, v in vectors.items() if self.pairs.count else ():
            packet.ask(**{name: rows.products_with(PAIRS, end, v)})

    def crossed(
        self, with_s: np.ndarray, with_y: np.ndarray, s_y: float, y_y: float, s_s: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Give the products of the rows with s and y, with those of the candidate in its place."""
        at = 2 * self.pairs.candidate
        cross = np.zeros((2, max(len(with_y), at + 2)))
        cross[0, : len(with_y)], cross[1, : len(with_y)] = with_s, with_y
        cross[:, at], cross[:, at + 1] = (s_s, s_y), (s_y, y_y)
        return cross[0], cross[1]

    def put(self, s: Array, y: Array) -> None:
        """Write the candidate's rows."""
        pairs = self.pairs
        if self.lent:
            pairs.rows, self.lent = copy.deepcopy(pairs.rows), False
        pairs.rows.set(pairs.s, s + 0.0)
        pairs.rows.set(pairs.y, y + 0.0)

    def forget_pairs(self) -> bool:
        """Forget the pairs; False where there were none."""
        had = self.pairs.count > 0
        if self.lent:
            self.pairs.rows, self.lent = copy.deepcopy(self.pairs.rows), False
        self.pairs.forget()
        self.products, self.sized = PairProducts(self.pairs.slots), False
        self.changed()
        return had

    def matvec(self, v: Array) -> Array:
        """B v, by two products with the rows; one upload after each update."""
        return self._hessian().matvec(v)

    def solve_shifted(self, v: Array, sigma: float) -> Array:
        """(B + sigma I)^-1 v, by two products with the rows; one upload for each sigma.

        Not where the pairs stand in variables of their own: sigma I is not a multiple of I there.
        """
        if self.inner.scale is not None:
            return super().solve_shifted(v, sigma)
        if self.shifted is None:
            self.shifted = {}
        if sigma not in self.shifted:
            form = self.shifted_form(sigma) if self.pairs.count else self._multiple(sigma)
            self.shifted[sigma] = self.made(self.inner, form, inverse=True)
        return self.shifted[sigma].matvec(v)

    def diagonal(self) -> Array:
        """The diagonal of B; 2 k products with the rows of the k pairs."""
        return self._hessian().diagonal()

    def dense(self) -> Array:
        """B, of 2^32 bytes at most."""
        return self._hessian().dense()

    def compact(self) -> CompactForm:
        """B as a diagonal and the rows of the pairs, s and y in turn."""
        known = self._by_slots() if self.pairs.count else None
        return self._hessian().compact(known)

    def operator(self, *, inverse: bool) -> LinearOperator | None:
        """B in x, or A, on the rows of the run, which the run does not write any more."""
        made = self.inverse_operator(self.outer) if inverse else self.made(self.outer, self._form())
        self.lent = self.lent or made is not None
        return made

    def inverse_operator(self, frame: Frame) -> RowsOperator | None:  # noqa: ARG002
        """Give A; None where B may be singular."""
        return None

    @property
    def outer(self) -> Frame:
        """The variables of the pairs, as a frame of x."""
        inner, outer = self.inner.scale, self.frame.scale
        if inner is None:
            return self.frame
        return self.inner if outer is None else Frame(self.frame.space, inner * outer)

    def inside(self, pair: Pair) -> tuple[Array, Array]:
        """S and y in the variables of the pairs."""
        scale = self.inner.scale
        return (pair.s, pair.y) if scale is None else (pair.s / scale, pair.y * scale)

    def _hessian(self) -> PairsOperator:
        if self.applied is None:
            self.applied = self.made(self.inner, self._form())
        return self.applied

    def _form(self) -> Form:
        return self.hessian_form() if self.pairs.count else (self.size, np.zeros((0, 0)))

    def _multiple(self, sigma: float) -> Form:
        return 1.0 / (self.size + sigma), np.zeros((0, 0))

    def made(self, frame: Frame, form: Form, *, inverse: bool = False) -> PairsOperator:
        """Give a matrix on the pairs."""
        count = self.pairs.count
        pieces = [(PAIRS, PAIRS + 2 * count)]
        return PairsOperator(frame, self.pairs.rows, pieces, form, count, inverse)

    def _by_slots(self) -> np.ndarray:
        """Give the products of [S, Y]."""
        known = self.known()
        s_s, s_y, y_y = known.ordered()
        return known.placed(np.block([[s_s, s_y], [s_y.T, y_y]]))
