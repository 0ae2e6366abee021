"""A diagonal B that pairs change: what its updates have in common."""

from __future__ import annotations

from typing import Any

from hessx._xp import Array, Packet
from hessx.core import Frame
from hessx.hessians._family import Curvature
from hessx.operators import DiagonalOperator

__all__ = ["ChangingDiagonal"]


class ChangingDiagonal(Curvature):
    """B = diag(b) in z; I until the first pair gives it its size.

    Attributes
    ----------
    b : array, shape (n,), optional
        The diagonal; a pair replaces it.
    shares : array, shape (n,), optional
        Those of the entries in s's, or s'Bs, of the trial at hand; they sum to 1.
    """

    __slots__ = ("b", "frame", "shares")

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.b: Array = None
        self.shares: Array = None

    @property
    def active(self) -> bool:  # type: ignore[override]
        """Whether a pair is known."""
        return self.b is not None

    @property
    def sized(self) -> bool:  # type: ignore[override]
        """Whether B has the size of a pair."""
        return self.b is not None

    def hold(self, packet: Packet) -> None:
        """Name the diagonal, and the shares of the trial."""
        packet.hold(self, "b", "shares")

    def reset(self) -> bool:
        """Forget the diagonal."""
        had = self.active
        self.b = self.shares = None
        return had

    def solve(self, v: Array) -> Array:
        """Divide by the diagonal."""
        return v + 0.0 if self.b is None else v / self.b

    def matvec(self, v: Array) -> Array:
        """Multiply by the diagonal."""
        return v + 0.0 if self.b is None else v * self.b

    def solve_shifted(self, v: Array, sigma: float) -> Array:
        """Give v / (b + sigma)."""
        return v / (1.0 + sigma if self.b is None else self.b + sigma)

    def dense(self) -> Array:
        """diag(b), shape (n, n)."""
        space = self.frame.space
        eye = space.xp.eye(space.n, dtype=space.dtype, device=space.device)
        return eye if self.b is None else eye * self.b

    def diagonal(self) -> Array:
        """The diagonal of B, a copy."""
        return self._current() + 0.0

    def operator(self, *, inverse: bool) -> DiagonalOperator | None:
        """A or B in x."""
        frame, b = self.frame, self._current()
        return DiagonalOperator(frame.diagonal(1.0 / b) if inverse else frame.inverse_diagonal(b))

    def kept_positive(self, b: Array) -> Array:
        """Raise entries below eps times the largest to that."""
        xp = self.frame.space.xp
        return xp.maximum(b, xp.max(b) * self.frame.space.eps)

    def _current(self) -> Any:
        space = self.frame.space
        return space.zeros(space.n) + 1.0 if self.b is None else self.b
