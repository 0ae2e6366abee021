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
from hessx.hessians._structured import StructuredCurvature
from hessx.krylov import never

__all__ = ["SecantCurvature", "SquaresCurvature"]


class SquaresCurvature(StructuredCurvature, MatrixCurvature):
    """B of J'J and S, (n, n), formed when the residual has come.

    Attributes
    ----------
    residual : ResidualAt, optional
        Of this point, until J is taken.
    J, J_before : array, shape (m, n), optional
        In z; of the point before while S has yet to learn.
    B : array, shape (n, n)
        Of this point.
    r_r, r_r_before : float
        Squares of norm(r).
    whole : bool
        S reads K s.
    """

    whole: bool = False
    __slots__ = ("B", "J", "J_before", "r_r", "r_r_before", "residual", "stopped")

    def __init__(self, frame: Frame, learnt: Any) -> None:
        super().__init__(frame, learnt)
        self.residual: Any = None
        self.J: Array = None
        self.J_before: Array = None
        self.B: Array = None
        self.r_r = self.r_r_before = math.nan
        self.stopped = False
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
        self.residual = self.J = self.B = None

    def prepare(self, watch: Callable[[], bool] = never) -> bool:
        """Take J, learn of the step that led here, and form B; one fetch."""
        if self.J is None:
            J, scale = self.residual.columns(watch), self.frame.scale
            self.stopped = J is None
            if J is None:
                return False
            self.J = J if scale is None else J * scale[None, :]
            self._arrive(self.residual.r)
            self.residual = None
        if self.B is None:
            with quiet():
                self.B = self.formed()
        return True

    def _arrive(self, r: Array) -> None:
        """Learn of the step that led here; norm(r) comes by the same fetch."""
        with quiet():
            square = r @ r
            if self.pending:
                J_s = times(self.J, self.s)
                product = J_s @ self.J if self.whole else None
                self.learn(self.structured(r), product, r_r=square, s_K_s=J_s @ J_s)
                self.J_before = None
            else:
                packet = Packet(self.frame.space)
                packet.ask(r_r=square)
                self.hold_point(packet)
                self.r_r = packet.fetch()["r_r"]

    def structured(self, r: Array) -> Array:
        """Give (J+ - J)'r+, which is S s."""
        return r @ (self.J - self.J_before)

    def consider(self, pair: Pair, numbers: Numbers) -> None:
        """Let S learn, now that norm(r) is known."""
        self.r_r = numbers["r_r"]
        super().consider(pair, numbers)

    def shrunk(self, pair: Pair) -> float:
        """Multiply y by norm(r+) / norm(r), which is given; nan where r was 0."""
        factor = math.nan
        if self.r_r >= 0.0 < self.r_r_before:
            factor = math.sqrt(self.r_r) / math.sqrt(self.r_r_before)
        pair.y = pair.y * factor
        pair.s_y, pair.y_y = pair.s_y * factor, pair.y_y * factor * factor
        return factor

    @abstractmethod
    def formed(self) -> Array:
        """B of J and S."""

    def hold(self, packet: Packet) -> None:
        """Name B and J, which the next point replaces, and what S has."""
        super().hold(packet)
        packet.hold(self, "B", "J")

    def hold_point(self, packet: Packet) -> None:
        """Name J."""
        packet.hold(self, "J")

    def reset(self) -> bool:
        """Forget S; B is formed anew."""
        self.B = self.J_before = None
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
    """B = J'J + S by secant updates of all of B.

    Attributes
    ----------
    learnt : SecantTerm
        S.
    adjusts : bool
        S is norm(r) times what is learnt.
    """

    whole = True
    __slots__ = ("adjusts",)
    learnt: SecantTerm

    def __init__(self, frame: Frame, learnt: SecantTerm, *, adjusts: bool) -> None:
        super().__init__(frame, learnt)
        self.adjusts = adjusts

    def consider(self, pair: Pair, numbers: Numbers) -> None:
        """Multiply y and S by norm(r+) / norm(r), where S adjusts itself."""
        self.r_r = numbers["r_r"]
        if self.adjusts:
            factor = self.learnt.factor = self.shrunk(pair)
            pair.numbers["y_S_s"] = factor * pair.numbers.get("y_S_s", 0.0)
        self.learnt.update(pair)

    def formed(self) -> Array:
        """J'J + S."""
        K = self.J.T @ self.J
        return K + self.learnt.B if self.learnt.sized else K

    def root(self) -> Array | None:
        """J while S is 0."""
        self.prepare()
        return None if self.learnt.sized else self.J
