"""The diagonal of BFGS, kept as a diagonal."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hessx._xp import Packet
from hessx.core import Frame, Offer, Pair, saved
from hessx.hessians._diagonal import ChangingDiagonal
from hessx.hessians._family import Approximation

__all__ = ["DiagonalBFGS", "DiagonalBFGSCurvature"]


@saved(fresh=("shares",))
class DiagonalBFGSCurvature(ChangingDiagonal):
    """diag(b) by the diagonal of what BFGS makes of it."""

    __slots__ = ()

    def measure(self, pair: Pair, packet: Packet) -> None:
        """Ask for y'Ay and s'Bs."""
        s, y, b = pair.s, pair.y, self.b
        parts = s * s if b is None else s * s * b
        s_B_s = self.frame.space.xp.sum(parts)
        self.shares = parts / s_B_s
        packet.ask(s_B_s=s_B_s)
        if b is not None:
            packet.ask(y_A_y=y @ (y / b))

    def update(self, pair: Pair) -> str:
        """Change the diagonal, unless s'y is rounding."""
        space, s_y, numbers = self.frame.space, pair.s_y, pair.numbers
        r, self.shares = self.shares, None
        least = max(space.eps * math.sqrt(pair.s_s) * math.sqrt(pair.y_y), space.smallest)
        steep = pair.y_y / s_y if s_y > least else math.inf
        if not (steep < space.largest and space.smallest < numbers["s_B_s"] < math.inf):
            return "skipped"
        if self.b is None:
            b = (1.0 - r) * steep
        else:
            tau = numbers["y_A_y"] / s_y
            if not 0.0 < tau < math.inf:
                return "skipped"
            b = self.b * (1.0 - r) * tau
        self.b = self.kept_positive(b + pair.y * pair.y / s_y)
        return ""


@saved
@dataclass(frozen=True, slots=True)
class DiagonalBFGS(Approximation):
    r"""B = diag(b), by the diagonal of what BFGS makes of tau diag(b).

        b+_i = tau (b_i - (b_i s_i)^2 / s'Bs) + y_i^2 / s'y,   tau = y'Ay / s'y,  A = B^-1

    tau sizes B before; without it the entries only grow, as what BFGS puts beside the diagonal is
    left out.  B s is y for one variable alone.  The first pair changes (y'y / s'y) I.  A pair is
    skipped unless s'y > eps norm(s) norm(y), and entries below eps times the largest are raised to
    that.

    Notes
    -----
    For functions whose Hessian is nearly diagonal, and as a preconditioner, where variables are of
    different scales; for others it is slow.  Memory: 2 vectors.  Cost: an application is one
    product of vectors; 6 launches per trial and 9 per accepted step, two scalars more in the
    packet, no fetch.

    References
    ----------
    Gilbert & Lemarechal (1989), Some numerical experiments with variable-storage quasi-Newton
    algorithms, Math. Program. 45, section 4, whose diagonal M1QN3 keeps by this formula.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> h = np.array([1.0, 1e2, 1e4])
    >>> line = hessx.LineSearchMethod(hessx.DiagonalBFGS(), hessx.HagerZhang())
    >>> region = hessx.TrustRegionMethod(hessx.DiagonalBFGS())
    >>> for method in (line, region):
    ...     result = hessx.minimize(lambda x: ((h * x) @ x / 2, h * x), np.ones(3), jac=True,
    ...                             method=method)
    ...     print(result.success)
    True
    True
    """

    offers = Offer.SOLVE | Offer.MATVEC | Offer.SHIFTED | Offer.DENSE | Offer.DIAGONAL

    def begin(self, frame: Frame) -> DiagonalBFGSCurvature:
        """Begin with I, until a pair gives its size."""
        return DiagonalBFGSCurvature(frame)
