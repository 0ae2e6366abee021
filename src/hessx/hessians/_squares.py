"""Structured approximations of sums of squares at work: J'J, and what is learnt beside it."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from hessx._xp import Array, Numbers, Packet, quiet, times
from hessx.core import Frame, Offer, Pair, saved
from hessx.hessians._dense import MatrixCurvature
from hessx.hessians._secant_term import SecantTerm
from hessx.hessians._structured import StructuredCurvature, stretched
from hessx.krylov import never

__all__ = ["SecantCurvature", "SquaresCurvature"]


@saved(fresh=("residual",))
class SquaresCurvature(StructuredCurvature, MatrixCurvature):
    """B of J'J and S, (n, n), formed when the residual has come; J'J alone while f falls fast.

    Parameters
    ----------
    frame : Frame
        The variables z.
    learnt : Curvature
        S.
    fall : float
        f falls fast where f - f+ >= fall f.

    Attributes
    ----------
    residual : ResidualAt, optional
        Of this point, until J is taken.
    r : array, shape (m,), optional
        Of this point.
    J, J_before : array, shape (m, n), optional
        In z; of the point before while S has yet to learn.
    B : array, shape (n, n), optional
        Of this point.
    r_r, r_r_before : float
        Squares of norm(r).
    plain : bool
        S takes no part in B.
    reads_product : bool
        S learns from J'J s too.
    """

    reads_product: bool = False
    __slots__ = (
        "B", "J", "J_before", "fall", "plain", "r", "r_r", "r_r_before", "residual", "stopped",
    )  # fmt: skip

    def __init__(self, frame: Frame, learnt: Any, fall: float) -> None:
        super().__init__(frame, learnt)
        self.fall, self.plain, self.stopped = fall, True, False
        self.r_r = self.r_r_before = math.nan
        self.residual: Any = None
        self.r: Array = None
        self.J: Array = None
        self.J_before: Array = None
        self.B: Array = None
        learnt.focus(Offer.DENSE)

    @property
    def waits(self) -> bool:  # type: ignore[override]
        """Whether the residual at this point has yet to come."""
        return self.residual is None and self.J is None

    @property
    def active(self) -> bool:  # type: ignore[override]
        """Not where the budget has ended before there was a matrix."""
        return not self.stopped

    def at(self, evidence: Any) -> None:
        """Take it; nothing is evaluated yet."""
        self.residual, self.stopped = evidence, False

    def update(self, pair: Pair) -> str:
        """Keep the pair with J, unless it is not finite, or J was not asked for."""
        if self.J is None or super().update(pair):
            return "skipped"
        self.J_before, self.r_r_before = self.J, self.r_r
        return ""

    def leave(self) -> None:
        """Let go of the point, so that the next is asked for."""
        self.residual = self.r = self.J = self.B = None

    def prepare(self, watch: Callable[[], bool] = never) -> bool:
        """Take J, learn of the step that led here, and form B; one fetch."""
        if self.J is None:
            J, scale = self.residual.columns(watch), self.frame.scale
            self.stopped = J is None
            if J is None:
                return False
            self.J, self.r = J if scale is None else J * scale[None, :], self.residual.r
            self._arrive()
            self.residual = None
        if self.B is None:
            with quiet():
                self.B = self.formed(self.J.T @ self.J)
        return True

    def _arrive(self) -> None:
        """Learn of the step that led here; norm(r) comes by the same fetch."""
        with quiet():
            square = self.r @ self.r
            if self.pending:
                J_s = times(self.J, self.s)
                product = J_s @ self.J if self.reads_product else None
                self.learn(self.structured(), product, r_r=square, s_K_s=J_s @ J_s)
                self.J_before = None
            else:
                packet = Packet(self.frame.space)
                packet.ask(r_r=square)
                self.hold_point(packet)
                self.r_r = packet.fetch()["r_r"]

    def structured(self) -> Array:
        """Give (J+ - J)'r+, which is S s."""
        return self.r @ (self.J - self.J_before)

    def consider(self, pair: Pair, numbers: Numbers) -> None:
        """See whether f has fallen fast; else let S learn."""
        before, now = self.r_r_before, numbers["r_r"]
        self.r_r = now
        fast = before - now >= self.fall * before
        self.plain = fast or not self.taught(pair, numbers)

    @abstractmethod
    def taught(self, pair: Pair, numbers: Numbers) -> bool:
        """Let S learn; whether it is to take part in B."""

    @property
    def ratio(self) -> float:
        """Give norm(r+) / norm(r); nan where that is no number."""
        now, before = self.r_r, self.r_r_before
        return math.sqrt(now) / math.sqrt(before) if now >= 0.0 < before else math.nan

    def formed(self, K: Array) -> Array:
        """B of K = J'J and S."""
        return K if self.plain else K + self.learnt.dense()

    def root(self) -> tuple[Array, Array] | None:
        """J and r where B is J'J."""
        self.prepare()
        return (self.J, self.r) if self.plain else None

    def hold(self, packet: Packet) -> None:
        """Name what the next point replaces, and what S has."""
        super().hold(packet)
        packet.hold(self, "B", "J", "r")

    def hold_point(self, packet: Packet) -> None:
        """Name J and r."""
        packet.hold(self, "J", "r")

    def reset(self) -> bool:
        """Forget S; B is formed anew."""
        self.B = self.J_before = None
        self.plain = True
        return super().reset()

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


@saved(fresh=("residual",))
class SecantCurvature(SquaresCurvature):
    """B = J'J + S, S by secant updates of B.

    Attributes
    ----------
    learnt : SecantTerm
        S.
    adjusts : bool
        S is norm(r) times what is learnt.
    """

    reads_product = True
    __slots__ = ("adjusts",)
    learnt: SecantTerm

    def __init__(self, frame: Frame, learnt: SecantTerm, fall: float, *, adjusts: bool) -> None:
        super().__init__(frame, learnt, fall)
        self.adjusts = adjusts

    def consider(self, pair: Pair, numbers: Numbers) -> None:
        """Let S follow norm(r), where it does, whether it learns or not."""
        self.r_r = numbers["r_r"]
        if self.adjusts:
            self.learnt.shrink(self.ratio)
        super().consider(pair, numbers)

    def taught(self, pair: Pair, numbers: Numbers) -> bool:  # noqa: ARG002
        """Let S learn; it takes part once there is one."""
        self.learnt.update(stretched(pair, self.ratio) if self.adjusts else pair)
        return self.learnt.sized
