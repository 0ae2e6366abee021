"""Limited-memory DFP: the dual of L-BFGS."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hessx._xp import Array
from hessx.core import Frame, Offer, Pair, saved, store_integer, store_real
from hessx.hessians._compact_forms import Form, dfp_hessian, dfp_inverse, dfp_shifted
from hessx.hessians._family import Approximation
from hessx.hessians._limited import LimitedCurvature
from hessx.hessians._pair_products import PairProducts
from hessx.hessians._rows_operator import PairsOperator

__all__ = ["LDFP", "LDFPCurvature", "largest_inverse"]


@saved(fresh=("applied", "inverted", "lent", "shifted"))
class LDFPCurvature(LimitedCurvature):
    """A = gamma I + [S, Y] M [S, Y]', B its inverse."""

    __slots__ = ("gamma", "initial", "inverted")

    def __init__(self, frame: Frame, settings: LDFP) -> None:
        super().__init__(frame, settings.memory)
        self.initial = settings.hess_inv0
        self._begin()

    @property
    def size(self) -> float:
        """1 / gamma."""
        return 1.0 / self.gamma

    def hessian_form(self) -> Form:
        """The inverse of A."""
        return dfp_hessian(self.products, self.gamma)

    def shifted_form(self, sigma: float) -> Form:
        """(B + sigma I)^-1."""
        return dfp_shifted(self.products, self.gamma, sigma)

    def changed(self) -> None:
        """Form anew what is formed of the pairs."""
        super().changed()
        self.inverted: PairsOperator | None = None

    def update(self, pair: Pair) -> str:
        """Make s and y the newest pair, unless their curvature is rounding."""
        numbers, pairs, space, none = pair.numbers, self.pairs, self.frame.space, np.zeros(0)
        s_y, y_y, s_s = pair.s_y, pair.y_y, pair.s_s
        s_B_s = math.sqrt(s_s) * math.sqrt(y_y) if math.isnan(pair.s_B_s) else pair.s_B_s
        if not (s_y > max(space.eps * s_B_s, space.smallest) and y_y < math.inf > s_s > 0.0):
            return "skipped"
        cross = self.crossed(numbers.get("B_s", none), numbers.get("B_y", none), s_y, y_y, s_s)
        self.products.add(pairs.candidate, *cross)
        self.put(pair.s, pair.y)
        pairs.keep()
        self.gamma, self.sized = largest_inverse(self.products), True
        self.changed()
        return ""

    def reset(self) -> bool:
        """Forget the pairs; hess_inv0 stays."""
        had = self.forget_pairs()
        self._begin()
        return had

    def solve(self, v: Array) -> Array:
        """A v, by two products with the rows; one upload after each update."""
        if self.inverted is None:
            self.inverted = self.inverse_operator(self.inner)
        return self.inverted.matvec(v)

    def inverse_operator(self, frame: Frame) -> PairsOperator:
        """A."""
        count = self.pairs.count
        form = dfp_inverse(self.products, self.gamma) if count else (self.gamma, np.zeros((0, 0)))
        return self.made(frame, form, inverse=True)

    def _begin(self) -> None:
        self.gamma, self.sized = (1.0, False) if self.initial is None else (self.initial, True)


def largest_inverse(products: PairProducts) -> float:
    """Give the largest s's / s'y: the inverse of the least curvature met."""
    s_s, s_y, _ = products.ordered()
    return float((s_s.diagonal() / s_y.diagonal()).max())


@saved
@dataclass(frozen=True, slots=True)
class LDFP(Approximation):
    r"""Limited-memory DFP: the dual of L-BFGS, with s and y, A and B exchanged.

    A is built on gamma I from the last ``memory`` pairs s and y, oldest first, by

        A+ = A - A y y'A / y'A y + s s' / s'y

    taken all at once in the compact form of Byrd, Nocedal & Schnabel (1994); B is its inverse, in
    compact form too.  gamma is the largest s's / s'y of the pairs, as pairs correct an A that is
    too large, and hardly one that is too small: with s'y / y'y most problems are not solved.  A
    pair is skipped unless s'y > eps s'B s.  It is to compare with: `LBFGS` takes half the
    evaluations, and a tenth on narrow valleys.

    Parameters
    ----------
    memory : int
        Pairs kept, m >= 1.
    hess_inv0 : float, optional
        gamma until the first pair has come; the first trial is then alpha = 1.

    Raises
    ------
    SettingsError
        A setting out of range.

    Notes
    -----
    Memory: 2 m + 2 vectors.  Cost: per trial two products of the rows with a vector, in the packet
    of the trial; per pair about 16 m^3 operations on the host and one upload of (2m)^2 numbers; a
    product with A or B takes two with the rows, no fetch.

    References
    ----------
    Byrd, Nocedal & Schnabel (1994), Math. Program. 63, Theorem 2.3 with s and y exchanged; Nocedal
    & Wright (2006), eqs. (6.13) and (6.15).

    Examples
    --------
    >>> import hessx
    >>> method = hessx.LineSearchMethod(hessx.LDFP(memory=5), hessx.HagerZhang())
    >>> hessx.minimize(lambda x: (x @ x, 2 * x), [1.0, 1.0], jac=True, method=method).success
    True
    >>> method = hessx.TrustRegionMethod(hessx.LDFP())
    >>> hessx.minimize(lambda x: (x @ x, 2 * x), [1.0, 1.0], jac=True, method=method).success
    True
    """

    memory: int = 10
    hess_inv0: float | None = None
    offers = (
        Offer.SOLVE | Offer.MATVEC | Offer.SHIFTED | Offer.DENSE | Offer.DIAGONAL | Offer.COMPACT
    )

    def __post_init__(self) -> None:
        store_integer(self, "memory", 1)
        store_real(self, "hess_inv0", 0.0)

    def begin(self, frame: Frame) -> LDFPCurvature:
        """Begin with A = hess_inv0 I, or with I until a pair gives its size."""
        return LDFPCurvature(frame, self)
