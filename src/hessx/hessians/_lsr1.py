"""Limited-memory SR1: a matrix that may be indefinite, of the last pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hessx.core import Frame, Learns, Offer, Pair, saved, store_integer, store_real
from hessx.hessians._compact_forms import Form, sr1_hessian, sr1_shifted
from hessx.hessians._family import Approximation
from hessx.hessians._limited import LimitedCurvature
from hessx.hessians._pair_products import PairProducts

__all__ = ["LSR1", "LSR1Curvature", "largest_size"]

_MOST = 4.0  # norm(y) / norm(s): of a size, where s'y says nothing


@saved(fresh=("applied", "lent", "shifted"))
class LSR1Curvature(LimitedCurvature):
    """B = size I + [S, Y] M [S, Y]'."""

    __slots__ = ("initial", "own")

    def __init__(self, frame: Frame, settings: LSR1) -> None:
        super().__init__(frame, settings.memory)
        self.initial = settings.hess0
        self._begin()

    @property
    def size(self) -> float:
        """Of what the pairs do not describe."""
        return self.own

    def hessian_form(self) -> Form:
        """B, pair by pair."""
        return self._form_of(self.products, self.own)[0]

    def shifted_form(self, sigma: float) -> Form:
        """(B + sigma I)^-1, where that is not singular."""
        return sr1_shifted(self.products, self.hessian_form(), sigma)

    def update(self, pair: Pair) -> str:
        """Make s and y the newest pair, unless s'r is small beside norm(s) norm(r)."""
        numbers, pairs, none = pair.numbers, self.pairs, np.zeros(0)
        s_y, y_y, s_s = pair.s_y, pair.y_y, pair.s_s
        if not (0.0 < s_s < math.inf > y_y and abs(s_y) < math.inf):
            return "skipped"
        cross = self.crossed(numbers.get("B_s", none), numbers.get("B_y", none), s_y, y_y, s_s)
        products = self.products.with_pair(pairs.candidate, *cross)
        size = largest_size(products) if self.initial is None else self.initial
        if not 0.0 <= size < math.inf:
            return "skipped"
        form, fits = self._form_of(products, size)
        if not (fits and np.isfinite(form[1]).all()):
            if not pairs.count:  # y = size s: there is nothing else to be learnt
                self.own, self.sized = size, True
                self.changed()
            return "skipped"
        self.put(pair.s, pair.y)
        self.products, self.own, self.sized = products, size, True
        pairs.keep()
        self.changed()
        return ""

    def reset(self) -> bool:
        """Forget the pairs; hess0 stays."""
        had = self.sized and not (self.pairs.count == 0 and self.initial is not None)
        self.forget_pairs()
        self._begin()
        return had

    def _begin(self) -> None:
        self.own, self.sized = (1.0, False) if self.initial is None else (self.initial, True)

    def _form_of(self, products: PairProducts, size: float) -> tuple[Form, bool]:
        return sr1_hessian(products, size, self.frame.space.eps)


def largest_size(products: PairProducts) -> float:
    """Give the size of B at first for pairs that are to correct it downwards; see `LSR1`."""
    s_s, s_y, y_y = (M.diagonal() for M in products.ordered())
    with np.errstate(all="ignore"):
        ratio, q = np.sqrt(y_y) / np.sqrt(s_s), y_y / abs(s_y)
        best = q + np.sqrt(np.maximum(q * q - ratio * ratio, 0.0))
    return float(np.fmin(best, _MOST * ratio).max())


@saved
@dataclass(frozen=True, slots=True)
class LSR1(Approximation):
    r"""Limited-memory SR1: B of the last ``memory`` pairs, which may be indefinite.

    B is built on size I from the last pairs s and y, oldest first, by

        B+ = B + r r' / s'r,    r = y - B s

    all at once, in the compact form of Byrd, Nocedal & Schnabel (1994).  A pair takes part where
    abs(s'r) >= eps^(1/2) norm(s) norm(r), and where s'r is no rounding of its terms to that same
    half of the digits; the newest is skipped otherwise.  With each pair B is built anew, so that
    older pairs may come to take part, or to take none.  In a trust region it learns from rejected
    trials too, once an accepted one has given it a size; under damping or a cubic term not from
    those more than thirty times as long as the step before.

    Parameters
    ----------
    memory : int
        Pairs kept, m >= 1.
    hess0 : float, optional
        Size >= 0, fixed: B at first is this multiple of I.  By default the largest of
        q + (q^2 - y'y / s's)^(1/2), q = y'y / abs(s'y), of the pairs, see `SR1`, each at most
        4 norm(y) / norm(s).

    Raises
    ------
    SettingsError
        A setting out of range.

    Notes
    -----
    Memory: 2 m + 2 vectors.  Cost: per trial two products of the rows with a vector, in the packet
    of the trial; per pair about 8 m^3 operations on the host and one upload of (2m)^2 numbers; a
    product with B takes two with the rows, no fetch.  (B + sigma I)^-1 is exact where that matrix
    is not singular; it may be indefinite.

    References
    ----------
    Byrd, Nocedal & Schnabel (1994), Math. Program. 63, Theorem 5.1; Nocedal & Wright (2006), eqs.
    (6.24), (6.26) and (7.30); Brust, Erway & Marcia (2017), On solving L-SR1 trust-region
    subproblems, Comput. Optim. Appl. 66.

    Examples
    --------
    >>> import hessx
    >>> saddle = lambda x: (x[0]**4 / 4 - x[0]**2 / 2 + x[1]**2, [x[0]**3 - x[0], 2 * x[1]])
    >>> method = hessx.TrustRegionMethod(hessx.LSR1(memory=5))
    >>> hessx.minimize(saddle, [0.1, 1.0], jac=True, method=method).x.round(4)
    array([1., 0.])
    """

    memory: int = 10
    hess0: float | None = None
    offers = Offer.MATVEC | Offer.SHIFTED | Offer.DENSE | Offer.DIAGONAL | Offer.COMPACT
    positive = False
    learns = Learns.EVERY

    def __post_init__(self) -> None:
        store_integer(self, "memory", 1)
        store_real(self, "hess0", 0.0, ends="[)")

    def begin(self, frame: Frame) -> LSR1Curvature:
        """Begin with hess0 I, or with I until a pair gives its size."""
        return LSR1Curvature(frame, self)
