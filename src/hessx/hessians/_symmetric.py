"""SR1 and PSB: symmetric matrices that may be indefinite, dense."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hessx._xp import Packet
from hessx.core import Frame, Learns, Offer, Pair, saved
from hessx.hessians._dense import DenseCurvature, changed
from hessx.hessians._family import Approximation
from hessx.hessians._size import check_size
from hessx.hessians._start import checked_start
from hessx.operators import DenseOperator

__all__ = ["PSB", "SR1", "PSBCurvature", "SR1Curvature", "SymmetricCurvature", "sr1_size"]


class SymmetricCurvature(DenseCurvature):
    """B in z, (n, n); I until the first pair gives it its size."""

    __slots__ = ()

    def __init__(self, frame: Frame, settings: SR1 | PSB) -> None:
        super().__init__(frame, settings.hess0, inverted=False)
        self.keeps_A = False

    def focus(self, needs: Offer) -> None:
        """B is all that there is."""

    def measure(self, pair: Pair, packet: Packet) -> None:
        """Ask for s'r and r'r with r = y - B s; one product where B s is unknown."""
        if pair.product is None:
            pair.product = self.B @ pair.s
        r = pair.y - pair.B_s
        packet.ask_products(s_r=(pair.s, r), r_r=(r, r))

    def operator(self, *, inverse: bool) -> DenseOperator | None:  # type: ignore[override]
        """B in x, a copy; there is no A."""
        return None if inverse else super().operator(inverse=False)

    def sized_by(self, pair: Pair, size: float) -> None:
        """Let B be size I, and put the pair's numbers right."""
        self.begin(1.0 / size)
        numbers = pair.numbers
        numbers["s_r"] = pair.s_y - size * pair.s_s
        numbers["r_r"] = pair.y_y - 2.0 * size * pair.s_y + size * size * pair.s_s
        pair.product, pair.multiple = pair.s * size, 1.0


@saved(host=("start",))
class SR1Curvature(SymmetricCurvature):
    """B by changes of rank one."""

    __slots__ = ()

    def update(self, pair: Pair) -> str:
        """Make B s = y by a matrix of rank one, unless s'r is small beside norm(s) norm(r)."""
        if not self.sized and abs(pair.s_y) > 0.0 and pair.y_y < math.inf > pair.s_s:
            self.sized_by(pair, sr1_size(pair))
        s_r, r_r = pair.numbers["s_r"], pair.numbers["r_r"]
        least = math.sqrt(self.frame.space.eps) * math.sqrt(pair.s_s) * math.sqrt(max(r_r, 0.0))
        if not 0.0 < least <= abs(s_r) < math.inf:
            return "skipped"
        r = pair.y - pair.B_s
        self.learnt(B=changed(self.B, 1.0, r, r, 1.0 / s_r, 0.0, 0.0))
        return ""


@saved(host=("start",))
class PSBCurvature(SymmetricCurvature):
    """B by the least symmetric change."""

    __slots__ = ()

    def update(self, pair: Pair) -> str:
        """Make B s = y; a pair that is not finite, or without a length, is skipped."""
        s_s, y_y = pair.s_s, pair.y_y
        smallest = self.frame.space.smallest
        if not (smallest < s_s < math.inf and pair.numbers["r_r"] < math.inf):
            return "skipped"
        if not self.sized:
            if not smallest < y_y < math.inf:
                return "skipped"
            self.sized_by(pair, math.sqrt(y_y) / math.sqrt(s_s))
        s, r = pair.s, pair.y - pair.B_s
        ss = -pair.numbers["s_r"] / s_s / s_s
        self.learnt(B=changed(self.B, 1.0, s, r, ss, 1.0 / s_s, 0.0))
        return ""


@dataclass(frozen=True, slots=True)
class _Symmetric(Approximation):
    """What may be indefinite."""

    hess0: Any = None
    offers = Offer.MATVEC | Offer.DENSE | Offer.DIAGONAL
    positive = False
    learns = Learns.EVERY

    def __post_init__(self) -> None:
        start = checked_start("hess0", self.hess0, positive=False)
        object.__setattr__(self, "hess0", start)


@saved(host=("hess0",))
@dataclass(frozen=True, slots=True, eq=False)
class SR1(_Symmetric):
    r"""The symmetric matrix of rank-one changes, dense; it may be indefinite.

    With r = y - B s, unless abs(s'r) < eps^(1/2) norm(s) norm(r), where a pair is skipped:

        B+ = B + r r' / s'r

    In a trust region it learns from rejected trials too, once an accepted one has given it a size;
    under damping or a cubic term not from those more than thirty times as long as the step before.

    Parameters
    ----------
    hess0 : float, array shape (n,) or (n, n), or LinearOperator, optional
        B at first: a multiple >= 0 of I in the variables of the method; a positive diagonal or a
        symmetric matrix, in x.  By default q + (q^2 - y'y / s's)^(1/2), q = y'y / abs(s'y), of
        the first pair, with which B+ is best conditioned where s'y > 0; q alone makes it singular.

    Raises
    ------
    SettingsError
        hess0 is out of range, or no symmetric matrix; when the run starts, of another size than x0.

    Notes
    -----
    Memory: n^2 numbers, on NumPy 3 n^2 while a pair is learnt.  Cost: one product with a
    matrix per step of CG, about 3 n^2 operations per pair; two scalars more in the packet.

    References
    ----------
    Nocedal & Wright (2006), eqs. (6.24) and (6.26), algorithm 6.2; Conn, Gould & Toint (1991),
    Convergence of quasi-Newton matrices generated by the symmetric rank one update, Math. Program.
    50, on learning from every trial; Osborne & Sun (1999), A new approach to symmetric rank-one
    updating, IMA J. Numer. Anal. 19, for the size.

    Examples
    --------
    >>> import hessx
    >>> saddle = lambda x: (x[0]**4 / 4 - x[0]**2 / 2 + x[1]**2, [x[0]**3 - x[0], 2 * x[1]])
    >>> method = hessx.TrustRegionMethod(hessx.SR1())
    >>> hessx.minimize(saddle, [0.1, 1.0], jac=True, method=method).x.round(4)
    array([1., 0.])
    """

    def begin(self, frame: Frame) -> SR1Curvature:
        """Begin with B = hess0, or with I until a pair gives its size."""
        check_size(frame.space, f"{type(self).__name__}()", "hessx.LSR1() or hessx.LBFGS()")
        return SR1Curvature(frame, self)


@saved(host=("hess0",))
@dataclass(frozen=True, slots=True, eq=False)
class PSB(_Symmetric):
    r"""Powell's symmetric Broyden matrix, dense; it may be indefinite.

    With r = y - B s the symmetric matrix with B+ s = y that is nearest to B in Frobenius' norm:

        B+ = B + (r s' + s r') / s's - s'r s s' / (s's)^2

    It knows no denominator that may vanish; but the norm is that of the variables as they are
    scaled, and B comes to the Hessian slowly.  In a trust region it learns from rejected trials
    too, as `SR1` does.

    Parameters
    ----------
    hess0 : float, array shape (n,) or (n, n), or LinearOperator, optional
        B at first, see `SR1`.  By default norm(y) / norm(s) of the first pair.

    Raises
    ------
    SettingsError
        hess0 is out of range, or no symmetric matrix; when the run starts, of another size than x0.

    Notes
    -----
    Memory and cost: those of `SR1`.

    References
    ----------
    Powell (1970), A new algorithm for unconstrained optimization; Dennis & Schnabel (1983), Theorem
    9.1.1 and eq. (9.1.3).

    Examples
    --------
    >>> import hessx
    >>> method = hessx.TrustRegionMethod(hessx.PSB())
    >>> hessx.minimize(lambda x: (x @ x, 2 * x), [1.0, 1.0], jac=True, method=method).success
    True
    """

    def begin(self, frame: Frame) -> PSBCurvature:
        """Begin with B = hess0, or with I until a pair gives its size."""
        check_size(frame.space, f"{type(self).__name__}()", "hessx.LSR1() or hessx.LBFGS()")
        return PSBCurvature(frame, self)


def sr1_size(pair: Pair) -> float:
    """Give the size of B at first with which B+ is best conditioned; see `SR1`."""
    q = pair.y_y / abs(pair.s_y)  # alone it makes B+ singular
    return q + math.sqrt(max(q * q - pair.y_y / pair.s_s, 0.0))
