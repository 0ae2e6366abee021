"""Dense quasi-Newton approximations: a matrix, changed by each pair."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hessx._xp import Array, Packet
from hessx.core import Frame, Learns, Offer, Pair, saved, store_real
from hessx.hessians._family import Approximation, Curvature
from hessx.hessians._matrix import MatrixOperator
from hessx.operators import DenseOperator

__all__ = ["BFGS", "SR1", "BFGSCurvature", "MatrixCurvature", "SR1Curvature", "diagonal_of"]


class MatrixCurvature(Curvature):
    """B in z as an array, (n, n)."""

    __slots__ = ()
    frame: Frame
    B: Array

    def matvec(self, v: Array) -> Array:
        """B v, n^2 multiplications."""
        return self.B @ v

    def dense(self) -> Array:
        """B in z, a copy."""
        return self.B + 0.0

    def diagonal(self) -> Array:
        """The diagonal of B, without a product."""
        return diagonal_of(self.B)


@saved
class BFGSCurvature(MatrixCurvature):
    """B and A = B^-1 in z, (n, n); multiples of I until the first pair gives them their size."""

    __slots__ = ("A", "B", "frame", "past", "settings", "sized")
    A: Array

    def __init__(self, frame: Frame, settings: BFGS) -> None:
        self.frame, self.settings = frame, settings
        self._begin()

    @property
    def active(self) -> bool:  # type: ignore[override]
        """Whether there is more than I."""
        return self.sized

    def update(self, pair: Pair) -> str:
        """Make A y = s and B s = y, unless s'y is rounding; a product, two if B s is unknown."""
        s, y, s_y, y_y = pair.s, pair.y, pair.s_y, pair.y_y
        known = self.sized and not math.isnan(pair.s_B_s)  # s's, of I, is of no unit of f
        s_B_s = pair.s_B_s if known else math.sqrt(pair.s_s) * math.sqrt(y_y)
        space = self.frame.space
        if not (s_y > max(space.eps * s_B_s, space.smallest) and y_y < math.inf > pair.s_s):
            return "skipped"
        B_s = pair.B_s
        if not self.sized:
            self._begin(s_y / y_y)
            B_s = None
        B_s = self.B @ s if B_s is None else B_s
        A_y = self.A @ y
        cross = _outer(s, A_y)
        weight = (y @ A_y / s_y + 1.0) / s_y
        self.A = self.A - (cross + cross.T) / s_y + _outer(s, s) * weight
        self.B = self.B - _outer(B_s, B_s) / (s @ B_s) + _outer(y, y) / s_y
        self.past = True
        return ""

    def hold(self, packet: Packet) -> None:
        """Name both matrices, which a pair replaces."""
        packet.hold(self, "A", "B")

    def reset(self) -> bool:
        """Go back to A = initial I, whose size is that of the next pair where none was given."""
        had = self.past
        self._begin()
        return had

    def solve(self, v: Array) -> Array:
        """A v, n^2 multiplications."""
        return self.A @ v

    def operator(self, *, inverse: bool) -> MatrixOperator:
        """A or B in x, a copy."""
        frame = self.frame
        M = frame.matrix(self.A) if inverse else frame.inverse_matrix(self.B)
        return MatrixOperator(M + 0.0)

    def _begin(self, size: float | None = None) -> None:
        """A = size I; without a size that given by the settings, if any."""
        size = self.settings.initial if size is None else size
        self.sized, self.past = size is not None, False
        eye, size = _eye(self.frame), size or 1.0
        self.A, self.B = eye * size, eye / size


@saved
@dataclass(frozen=True, slots=True)
class BFGS(Approximation):
    r"""Broyden, Fletcher, Goldfarb & Shanno's matrix, dense.

    With s = x+ - x and y = g+ - g, unless s'y <= eps s'B s, where a pair is skipped:

        A+ = (I - s y' / s'y) A (I - y s' / s'y) + s s' / s'y
        B+ = B - B s s'B / s'B s + y y' / s'y

    Parameters
    ----------
    initial : float, optional
        A = initial I at first, > 0; by default s'y / y'y of the first pair.

    Raises
    ------
    SettingsError
        initial is not positive.

    Notes
    -----
    Memory: 2 n^2 numbers, on NumPy 5 n^2 while a pair is learnt.  Cost: one product with a matrix
    per direction and two per pair, about 10 n^2 operations; nothing is fetched.

    References
    ----------
    Nocedal & Wright (2006), eqs. (6.17), (6.19) and (6.20).

    Examples
    --------
    >>> import numpy as np, hessx
    >>> H = np.array([[2.0, 1.0], [1.0, 3.0]])
    >>> bowl = lambda x: (x @ H @ x / 2, H @ x)
    >>> method = hessx.LineSearchMethod(hessx.BFGS(), hessx.HagerZhang())
    >>> hessx.minimize(bowl, [1.0, 1.0], jac=True, method=method).success
    True
    >>> method = hessx.TrustRegionMethod(hessx.BFGS())
    >>> hessx.minimize(bowl, [1.0, 1.0], jac=True, method=method).success
    True
    """

    initial: float | None = None
    offers = Offer.SOLVE | Offer.MATVEC | Offer.DENSE | Offer.DIAGONAL

    def __post_init__(self) -> None:
        store_real(self, "initial", 0.0)

    def begin(self, frame: Frame) -> BFGSCurvature:
        """Begin with A = initial I, or with I until a pair gives its size."""
        return BFGSCurvature(frame, self)


@saved
class SR1Curvature(MatrixCurvature):
    """B in z, (n, n); I until the first pair gives it its size."""

    __slots__ = ("B", "frame", "past", "settings", "sized")

    def __init__(self, frame: Frame, settings: SR1) -> None:
        self.frame, self.settings = frame, settings
        self.past = False
        self.reset()

    def measure(self, pair: Pair, packet: Packet) -> None:
        """Ask for s'r and r'r with r = y - B s; one product where B s is unknown."""
        if pair.product is None:
            pair.product = self.B @ pair.s
        r = pair.y - pair.B_s
        packet.ask(s_r=pair.s @ r, r_r=r @ r)

    def update(self, pair: Pair) -> str:
        """Make B s = y by a matrix of rank one, unless s'r is small beside norm(s) norm(r)."""
        s_s, s_r, r_r, B_s = pair.s_s, pair.numbers["s_r"], pair.numbers["r_r"], pair.B_s
        if not self.sized and abs(pair.s_y) > 0.0 and pair.y_y < math.inf > s_s:
            size = pair.y_y / abs(pair.s_y)  # alone it makes B+ singular
            size += math.sqrt(max(size * size - pair.y_y / s_s, 0.0))
            self.B, self.sized, B_s = _eye(self.frame) * size, True, pair.s * size
            s_r = pair.s_y - size * s_s
            r_r = pair.y_y - 2.0 * size * pair.s_y + size * size * s_s
        least = math.sqrt(self.frame.space.eps) * math.sqrt(s_s) * math.sqrt(max(r_r, 0.0))
        if not 0.0 < least <= abs(s_r) < math.inf:
            return "skipped"
        r = pair.y - B_s
        self.B = self.B + _outer(r, r) / s_r
        self.past = True
        return ""

    def hold(self, packet: Packet) -> None:
        """Name the matrix, which a pair replaces."""
        packet.hold(self, "B")

    def reset(self) -> bool:
        """Go back to B = initial I, whose size is that of the next pair where none was given."""
        had = self.past
        self.B, self.past = _eye(self.frame), False
        self.sized = self.settings.initial is not None
        if self.settings.initial is not None:
            self.B = self.B * self.settings.initial
        return had

    def operator(self, *, inverse: bool) -> MatrixOperator | None:
        """B in x, a copy; there is no A."""
        if inverse:
            return None
        return MatrixOperator(self.frame.inverse_matrix(self.B) + 0.0)


@saved
@dataclass(frozen=True, slots=True)
class SR1(Approximation):
    r"""The symmetric matrix of rank-one changes, dense; it may be indefinite.

    With r = y - B s, unless abs(s'r) < eps^(1/2) norm(s) norm(r), where a pair is skipped:

        B+ = B + r r' / s'r

    In a trust region it learns from rejected trials too.

    Parameters
    ----------
    initial : float, optional
        B = initial I at first, > 0; by default q + (q^2 - y'y / s's)^(1/2), q = y'y / abs(s'y), of
        the first pair, with which B+ is best conditioned where s'y > 0; q alone makes it singular.

    Raises
    ------
    SettingsError
        initial is not positive.

    Notes
    -----
    Memory: n^2 numbers, on NumPy 2 n^2 while a pair is learnt.  Cost: one product with a
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

    initial: float | None = None
    offers = Offer.MATVEC | Offer.DENSE | Offer.DIAGONAL
    positive = False
    learns = Learns.EVERY

    def __post_init__(self) -> None:
        store_real(self, "initial", 0.0)

    def begin(self, frame: Frame) -> SR1Curvature:
        """Begin with B = initial I, or with I until a pair gives its size."""
        return SR1Curvature(frame, self)


def diagonal_of(B: Array) -> Array:
    """Give the diagonal of a square matrix, without a product."""
    return DenseOperator(B, symmetric=True).diagonal()


def _eye(frame: Frame) -> Array:
    space = frame.space
    return space.xp.eye(space.n, dtype=space.dtype, device=space.device)


def _outer(u: Array, v: Array) -> Array:
    return u[:, None] * v[None, :]
