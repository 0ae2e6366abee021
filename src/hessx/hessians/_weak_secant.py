"""Diagonals of least change with s'B s = s'y: a positive one, and one that may be indefinite."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from hessx._xp import Array, Packet
from hessx.core import Frame, Learns, Offer, Pair, saved
from hessx.hessians._diagonal import ChangingDiagonal
from hessx.hessians._family import Approximation

__all__ = ["DiagonalPSB", "DiagonalPSBCurvature", "WeakSecant", "WeakSecantCurvature"]

_LEAST = 0.1  # of what it was: no pair makes a positive entry smaller


class _LeastChange(ChangingDiagonal):
    """diag(b) by the least change in Frobenius' norm; with q_i = s_i^2 / s's nothing overflows."""

    __slots__ = ()
    positive: ClassVar[bool]

    def measure(self, pair: Pair, packet: Packet) -> None:
        """Ask for q'q and q'b."""
        parts = pair.s * pair.s
        q = self.shares = parts / self.frame.space.xp.sum(parts)
        packet.ask(q_q=q @ q)
        if self.b is not None:
            packet.ask(q_b=q @ self.b)

    def update(self, pair: Pair) -> str:
        """Make s'B s = s'y, unless s'y is rounding where B is positive."""
        q, self.shares = self.shares, None
        space, s_s, y_y, numbers = self.frame.space, pair.s_s, pair.y_y, pair.numbers
        if not (space.smallest < s_s < math.inf and space.smallest < y_y < math.inf):
            return "skipped"
        steep = math.sqrt(y_y) / math.sqrt(s_s)
        mean = pair.s_y / s_s  # of the curvatures, with the weights q
        if self.positive and not mean > space.eps * steep:
            return "skipped"
        first = mean if self.positive else steep
        change = (mean - (first if self.b is None else numbers["q_b"])) / numbers["q_q"]
        if not max(abs(change), first) < space.largest:
            return "skipped"
        b = q * 0.0 + first if self.b is None else self.b
        self.b = self.kept(b, b + q * change)
        return ""

    def kept(self, before: Array, b: Array) -> Array:  # noqa: ARG002
        """Give the diagonal as it is to be."""
        return b


@saved(fresh=("shares",))
class WeakSecantCurvature(_LeastChange):
    """diag(b) > 0."""

    __slots__ = ()
    positive = True

    def kept(self, before: Array, b: Array) -> Array:
        """Keep entries from falling below a tenth of what they were."""
        return self.kept_positive(self.frame.space.xp.maximum(b, before * _LEAST))


@saved(fresh=("shares",))
class DiagonalPSBCurvature(_LeastChange):
    """diag(b) of any signs."""

    __slots__ = ()
    positive = False

    def operator(self, *, inverse: bool) -> object:  # type: ignore[override]
        """B in x; there is no A."""
        return None if inverse else super().operator(inverse=False)

    def inverse_hessian(self) -> None:
        """There is no A."""
        return


@saved
@dataclass(frozen=True, slots=True)
class WeakSecant(Approximation):
    r"""B = diag(b) > 0 by the least change in Frobenius' norm with s'B s = s'y.

        b+_i = b_i + (s'y - s'Bs) s_i^2 / sum_j s_j^4

    raised to b_i / 10 where it is below, and to eps times the largest entry: then s'B s is above
    s'y.  The first pair gives b_i = s'y / s's.  A pair is skipped unless s'y > eps norm(s) norm(y).

    Notes
    -----
    It tells of one number per pair, where `DiagonalBFGS` tells of n, and is slower mostly.  The
    powers of s are taken of s / norm(s), so that no units of x overflow.  Memory: 2 vectors.  Cost:
    an application is one product of vectors; 5 launches per trial and 7 per accepted step, two
    scalars more in the packet, no fetch.

    References
    ----------
    Dennis & Wolkowicz (1993), Sizing and least-change secant methods, SIAM J. Numer. Anal. 30, for
    the weak secant equation; Zhu, Nazareth & Wolkowicz (1999), The quasi-Cauchy relation and
    diagonal updating, SIAM J. Optim. 9, for the diagonal.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> h = np.array([1.0, 10.0, 100.0])
    >>> line = hessx.LineSearchMethod(hessx.WeakSecant(), hessx.NonMonotone())
    >>> region = hessx.TrustRegionMethod(hessx.WeakSecant())
    >>> for method in (line, region):
    ...     result = hessx.minimize(lambda x: ((h * x) @ x / 2, h * x), np.ones(3), jac=True,
    ...                             method=method)
    ...     print(result.success)
    True
    True
    """

    offers = Offer.SOLVE | Offer.MATVEC | Offer.SHIFTED | Offer.DENSE | Offer.DIAGONAL

    def begin(self, frame: Frame) -> WeakSecantCurvature:
        """Begin with I, until a pair gives its size."""
        return WeakSecantCurvature(frame)


@saved
@dataclass(frozen=True, slots=True)
class DiagonalPSB(Approximation):
    r"""B = diag(b), perhaps indefinite, by the least change in Frobenius' norm with s'B s = s'y.

        b+_i = b_i + (s'y - s'Bs) s_i^2 / sum_j s_j^4

    for every pair, of whichever sign s'y is: `WeakSecant` with nothing raised, for regions, which
    go along negative entries to their edge.  The first pair changes norm(y) / norm(s) I.  In a
    trust region it learns from rejected trials too, as `SR1` does.

    Notes
    -----
    Memory and cost: those of `WeakSecant`.

    References
    ----------
    Zhu, Nazareth & Wolkowicz (1999), The quasi-Cauchy relation and diagonal updating, SIAM J.
    Optim. 9.

    Examples
    --------
    >>> import hessx
    >>> saddle = lambda x: (x[0]**4 / 4 - x[0]**2 / 2 + x[1]**2, [x[0]**3 - x[0], 2 * x[1]])
    >>> method = hessx.TrustRegionMethod(hessx.DiagonalPSB())
    >>> hessx.minimize(saddle, [0.1, 1.0], jac=True, method=method).x.round(4)
    array([1., 0.])
    """

    offers = Offer.MATVEC | Offer.DENSE | Offer.DIAGONAL
    positive = False
    learns = Learns.EVERY

    def begin(self, frame: Frame) -> DiagonalPSBCurvature:
        """Begin with I, until a pair gives its size."""
        return DiagonalPSBCurvature(frame)
