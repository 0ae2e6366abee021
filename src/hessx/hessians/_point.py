"""The Hessian at a point as an array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hessx._xp import Array, Packet, Space, eigh
from hessx.core import Frame, SettingsError, saved
from hessx.hessians._dense import diagonal_of
from hessx.hessians._family import Curvature
from hessx.krylov import never

__all__ = ["DEFAULT_BYTES", "PointCurvature", "check_size"]

DEFAULT_BYTES = 2**32


@saved(fresh=("hessian",))
class PointCurvature(Curvature):
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
        return self.B @ v

    def dense(self) -> Array:
        """B in z, a copy."""
        self.prepare()
        return self.B + 0.0

    def diagonal(self) -> Array:
        """The diagonal of B, without a product."""
        self.prepare()
        return diagonal_of(self.B)

    def spectrum(self) -> tuple[Any, Array] | None:
        """Decompose the matrix; one fetch."""
        w, V, _ = eigh(self.frame.space, self.B)
        return w, V

    def _take(self, B: Array) -> None:
        """Make of the Hessian in z what is to be applied."""
        self.B = B


def check_size(space: Space, who: str, most: int, instead: str) -> None:
    """Refuse a matrix that would take more bytes than are allowed, when a run begins.

    Raises
    ------
    SettingsError
        So it is.
    """
    size = space.n**2 * space.host_dtype.itemsize
    if size > most:
        msg = (
            f"approximation = {who} makes a matrix of {space.n} x {space.n} numbers, which takes "
            f"{size / 2**30:.3g} GiB: expected at most max_bytes = {most}; raise that, or use "
            f"hessx.{instead}"
        )
        raise SettingsError(msg)
