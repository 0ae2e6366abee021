"""A matrix for B, its inverse A, or both: what dense quasi-Newton approximations stand on."""

from __future__ import annotations

import copy
from typing import Any

from hessx._xp import Array, Packet, inverse, times
from hessx.core import Frame, Offer
from hessx.hessians._family import Curvature
from hessx.hessians._start import placed_start
from hessx.operators import DenseOperator

__all__ = ["DenseCurvature", "MatrixCurvature", "changed", "diagonal_of"]

_OF_B = Offer.MATVEC | Offer.DENSE | Offer.DIAGONAL


class MatrixCurvature(Curvature):
    """B in z as an array, (n, n)."""

    __slots__ = ()
    frame: Frame
    B: Array

    def matvec(self, v: Array) -> Array:
        """B v, n^2 multiplications."""
        return times(self.B, v)

    def dense(self) -> Array:
        """B in z, a copy."""
        return self.B + 0.0

    def diagonal(self) -> Array:
        """The diagonal of B, without a product."""
        return diagonal_of(self.B)


class DenseCurvature(MatrixCurvature):
    """B and A = B^-1 in z, (n, n); multiples of I until the first pair gives them their size.

    Parameters
    ----------
    frame : Frame
        The variables.
    start : float or array, optional
        A at first, or B; without it the first pair tells.
    inverted : bool
        Whether ``start`` is A.

    Attributes
    ----------
    keeps_A, keeps_B : bool
        Which of the two are changed by each pair.  The other is formed where it is asked for, by
        inversion on the host.
    pairs : int
        Pairs learnt since the start.
    """

    __slots__ = ("_A", "_B", "frame", "inverted", "keeps_A", "keeps_B", "pairs", "sized", "start")

    def __init__(self, frame: Frame, start: Any, *, inverted: bool = True) -> None:
        self.frame, self.start, self.inverted = frame, start, inverted
        self.keeps_A = self.keeps_B = True
        self.begin()

    def begin(self, size: float | None = None) -> None:
        """Begin with A = size I, or with what was given, or without a size."""
        self.pairs = 0
        self.sized = size is not None or self.start is not None
        self._A: Array = None
        self._B: Array = None
        if size is not None:
            self._A = self._multiple(size) if self.keeps_A else None
            self._B = self._multiple(1.0 / size) if self.keeps_B else None
        elif self.start is not None:
            first = placed_start(self.frame, self.start, inverted=self.inverted)
            self._A, self._B = (first, None) if self.inverted else (None, first)

    @property
    def active(self) -> bool:  # type: ignore[override]
        """Whether there is more than I."""
        return self.sized

    @property
    def A(self) -> Array:  # noqa: N802
        """B^-1."""
        if self._A is None:
            self._A = self._multiple() if self._B is None else inverse(self.frame.space, self._B)
        return self._A

    @property
    def B(self) -> Array:  # noqa: N802
        """The approximation of the Hessian."""
        if self._B is None:
            self._B = self._multiple() if self._A is None else inverse(self.frame.space, self._A)
        return self._B

    def focus(self, needs: Offer) -> None:
        """Change only what is asked for at each step, A or B."""
        self.keeps_A, self.keeps_B = Offer.SOLVE in needs, needs & _OF_B != Offer(0)

    def learnt(self, *, A: Array = None, B: Array = None) -> None:
        """Take what a pair has made of them; what is not given is formed from the other."""
        self._A, self._B = A, B
        self.pairs += 1

    def hold(self, packet: Packet) -> None:
        """Name the matrices, which a pair replaces."""
        packet.hold(self, "_A", "_B")

    def reset(self) -> bool:
        """Go back to the start, whose size is that of the next pair where none was given."""
        had = self.pairs > 0
        self.begin()
        return had

    def solve(self, v: Array) -> Array:
        """A v, n^2 multiplications."""
        return times(self.A, v)

    def operator(self, *, inverse: bool) -> DenseOperator:
        """A or B in x, a copy."""
        frame = self.frame
        M = frame.matrix(self.A) if inverse else frame.inverse_matrix(self.B)
        return DenseOperator(M + 0.0, symmetric=True)

    def inverse_hessian(self) -> Array | None:
        """A in x, shape (n, n), a copy; None where B alone is kept."""
        return self.frame.matrix(self.A) + 0.0 if self.keeps_A else None

    def _multiple(self, size: float = 1.0) -> Array:
        space = self.frame.space
        eye = space.xp.eye(space.n, dtype=space.dtype, device=space.device)
        return eye if size == 1.0 else eye * size

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Share the matrices: a pair makes new ones."""
        twin = copy.copy(self)
        memo[id(self)] = twin
        return twin


def changed(M: Array, factor: float, p: Array, q: Array, pp: float, pq: float, qq: float) -> Array:
    """Give factor M + pp p p' + pq (p q' + q p') + qq q q', symmetric to the last bit."""
    half = _outer(p, p * (0.5 * pp) + q * pq if pq else p * (0.5 * pp))
    if qq:
        half = half + _outer(q, q * (0.5 * qq))
    return (M if factor == 1.0 else M * factor) + (half + half.T)


def diagonal_of(B: Array) -> Array:
    """Give the diagonal of a square matrix, without a product."""
    return DenseOperator(B, symmetric=True).diagonal()


def _outer(u: Array, v: Array) -> Array:
    return u[:, None] * v[None, :]
