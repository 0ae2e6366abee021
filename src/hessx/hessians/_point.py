"""The Hessian at a point, sampled when it is first needed; as an array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hessx._xp import Array, Packet, eigh
from hessx.core import Frame, saved
from hessx.hessians._dense import MatrixCurvature
from hessx.hessians._family import Curvature
from hessx.krylov import never

__all__ = ["PointCurvature", "SampledCurvature"]


@saved(fresh=("hessian",))
class SampledCurvature(Curvature):
    """What is made of the Hessian at each accepted point, when it is first needed.

    A subclass writes ``_sample``, and ``_take``.

    Attributes
    ----------
    formed : bool
        It is there, and the user's Hessian is no longer needed.
    """

    __slots__ = ("formed", "frame", "hessian", "stopped")

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.hessian: Any = None
        self.formed = self.stopped = False

    @property
    def waits(self) -> bool:  # type: ignore[override]
        """Whether the Hessian at this point has yet to come."""
        return self.hessian is None and not self.formed

    @property
    def active(self) -> bool:  # type: ignore[override]
        """Not where the budget has ended before there was a sample."""
        return not self.stopped

    def at(self, hessian: Any) -> None:
        """Take it; nothing is evaluated yet."""
        self.hessian, self.formed, self.stopped = hessian, False, False

    def prepare(self, watch: Callable[[], bool] = never) -> bool:
        """Sample it, by products where it is not there already."""
        if not self.formed:
            sample = self._sample(watch)
            self.stopped = sample is None
            if sample is None:
                return False
            self.hessian, self.formed = None, True
            self._take(sample)
        return True

    def leave(self) -> None:
        """Let go of the Hessian, so that the next is asked for."""
        self.hessian, self.formed = None, False

    def _sample(self, watch: Callable[[], bool]) -> Any:
        """Give what is to be known of the Hessian, in z; None where ``watch`` has ended it."""
        raise NotImplementedError

    def _take(self, sample: Any) -> None:
        """Make of it what is to be applied."""
        raise NotImplementedError


@saved
class PointCurvature(SampledCurvature, MatrixCurvature):
    """H in z, (n, n); the base of what is made of it.

    Attributes
    ----------
    checked : bool
        An array of the user's has been seen to be symmetric, once in a run.
    """

    __slots__ = ("B", "checked")

    def __init__(self, frame: Frame) -> None:
        super().__init__(frame)
        self.B: Array = None
        self.checked = False

    def leave(self) -> None:
        """Let go of it, so that the next is asked for."""
        super().leave()
        self.B = None

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

    def _sample(self, watch: Callable[[], bool]) -> Array | None:
        """Form H, by n products where it is no array."""
        H = self.hessian.dense(watch, check=not self.checked)
        if H is None:
            return None
        self.checked = True
        return self.frame.matrix(H)

    def _take(self, B: Array) -> None:
        """Make of the Hessian in z what is to be applied."""
        self.B = B
