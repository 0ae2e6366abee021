"""The Hessian at a point as an array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hessx._xp import Array, Packet, eigh
from hessx.core import Frame, saved
from hessx.hessians._dense import MatrixCurvature
from hessx.krylov import never

__all__ = ["PointCurvature"]


@saved(fresh=("hessian",))
class PointCurvature(MatrixCurvature):
    """H in z, (n, n), formed when it is first needed; the base of what is made of it.

    Attributes
    ----------
    formed : bool
        It is there, and the user's Hessian is no longer needed.
    checked : bool
        An array of the user's has been seen to be symmetric, once in a run.
    """

    __slots__ = ("B", "checked", "formed", "frame", "hessian", "stopped")

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.hessian: Any = None
        self.B: Array = None
        self.formed = self.checked = self.stopped = False

    @property
    def waits(self) -> bool:  # type: ignore[override]
        """Whether the Hessian at this point has yet to come."""
        return self.hessian is None and not self.formed

    @property
    def active(self) -> bool:  # type: ignore[override]
        """Not where the budget has ended before there was a matrix."""
        return not self.stopped

    def at(self, hessian: Any) -> None:
        """Take it; nothing is evaluated yet."""
        self.hessian, self.formed, self.stopped = hessian, False, False

    def prepare(self, watch: Callable[[], bool] = never) -> bool:
        """Form it, by n products where it is no array."""
        if not self.formed:
            H = self.hessian.dense(watch, check=not self.checked)
            self.stopped = H is None
            if H is None:
                return False
            self.hessian, self.formed, self.checked = None, True, True
            self._take(self.frame.matrix(H))
        return True

    def leave(self) -> None:
        """Let go of it, so that the next is asked for."""
        self.hessian = self.B = None
        self.formed = False

    def hold(self, packet: Packet) -> None:
        """Name the matrix, which the next point replaces."""
        packet.hold(self, "B")

    def matvec(self, v: Array) -> Array:
        """B v, n^2 multiplications."""
        self.prepare()
        return super().matvec(v)

    def dense(self) -> Array:
        """B in z, a copy."""
        self.prepare()
        return super().dense()

    def diagonal(self) -> Array:
        """The diagonal of B, without a product."""
        self.prepare()
        return super().diagonal()

    def spectrum(self) -> tuple[Any, Array] | None:
        """Decompose the matrix; one fetch."""
        w, V, _ = eigh(self.frame.space, self.B)
        return w, V

    def _take(self, B: Array) -> None:
        """Make of the Hessian in z what is to be applied."""
        self.B = B
