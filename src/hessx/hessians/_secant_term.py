"""The second-order term of a sum of squares, by structured secant updates."""

from __future__ import annotations

import copy
import math
from typing import Any

from hessx._xp import Array, Packet
from hessx.core import Frame, Pair, saved
from hessx.hessians._dense import MatrixCurvature, changed

__all__ = ["UPDATES", "SecantTerm"]

UPDATES = ("bfgs", "dfp", "psb", "sr1")
_Terms = tuple[Array, Array, float, float, float]  # p, q; of pp', pq' + qp' and qq'


@saved
class SecantTerm(MatrixCurvature):
    """S of K + S, (n, n), 0 at first; ``pair.product`` is K s.

    Parameters
    ----------
    frame : Frame
        The variables z.
    kind : str
        Of `UPDATES`.
    sizing : bool
        S is multiplied by min(1, abs(s'y) / abs(s'S s)) before it is changed.

    Attributes
    ----------
    B : array, shape (n, n), optional
        S / factor; None while S is 0.
    S_s : array, shape (n,), optional
        B s of a pair that is measured.
    factor : float
        See ``B``.
    """

    __slots__ = ("B", "S_s", "factor", "frame", "kind", "sizing")

    def __init__(self, frame: Frame, kind: str, *, sizing: bool) -> None:
        self.frame, self.kind, self.sizing, self.factor = frame, kind, sizing, 1.0
        self.B: Array = None
        self.S_s: Array = None

    @property
    def sized(self) -> bool:  # type: ignore[override]
        """Whether it is more than 0."""
        return self.B is not None

    def shrink(self, ratio: float) -> None:
        """Multiply S by a ratio, at its next change; a ratio that is no number makes it 0."""
        self.factor *= ratio
        if not 0.0 < self.factor < math.inf:
            self.reset()

    def measure(self, pair: Pair, packet: Packet) -> None:
        """Ask for the products of s and y with K s and S s, a product."""
        s, y = pair.s, pair.y
        packet.ask_products(s_K_s=(s, pair.product))
        if self.B is not None:
            S_s = self.S_s = self.B @ s
            packet.ask_products(s_S_s=(s, S_s), y_S_s=(y, S_s), S_S=(S_s, S_s))

    def hold(self, packet: Packet) -> None:
        """Name the matrix, which a pair replaces."""
        packet.hold(self, "B", "S_s")

    def update(self, pair: Pair) -> str:
        """Make S s = y by a change of its kind, unless what it divides by is rounding."""
        S, S_s, factor, space = self.B, self.S_s, self.factor, self.frame.space
        self.S_s, self.factor = None, 1.0
        s_S_s = 0.0
        if S is None:
            S, S_s = space.zeros((space.n, space.n)), space.zeros(space.n)
        else:
            s_S_s = pair.numbers["s_S_s"]
        if self.sizing and abs(factor * s_S_s) > abs(pair.s_y):
            factor = abs(pair.s_y) / abs(s_S_s)
        terms = self._rank_one if self.kind == "sr1" else self._rank_two
        found = terms(pair, S_s * factor, factor * s_S_s, factor)
        if found is None or not all(abs(c) < math.inf for c in found[2:]):
            self.B = None if self.B is None else S * factor
            return "skipped"
        self.B = changed(S, factor, *found)
        return ""

    def _rank_two(self, pair: Pair, S_s: Array, s_S_s: float, factor: float) -> _Terms | None:  # noqa: ARG002
        s, y, s_s, s_y, eps = pair.s, pair.y, pair.s_s, pair.s_y, self.frame.space.eps
        if self.kind == "psb":
            return s, y - S_s, -(s_y - s_S_s) / s_s / s_s, 1.0 / s_s, 0.0
        s_K_s = pair.numbers["s_K_s"]
        b, c = s_K_s + s_y, s_K_s + s_S_s  # s'(K s + y) and s'(K + S) s
        least = max(eps * (s_K_s + max(abs(s_y), abs(s_S_s))), self.frame.space.smallest)
        if not (b > least and c > least):
            return None
        p, q = pair.product + y, pair.product + S_s
        if self.kind == "bfgs":
            return p, q, 1.0 / b, 0.0, -1.0 / c
        return p, q, (1.0 + c / b) / b, -1.0 / b, 0.0

    def _rank_one(self, pair: Pair, S_s: Array, s_S_s: float, factor: float) -> _Terms | None:
        numbers, eps = pair.numbers, self.frame.space.eps
        cross, square = numbers.get("y_S_s", 0.0), factor * factor * numbers.get("S_S", 0.0)
        d_d = pair.y_y - 2.0 * factor * cross + square  # of d = y - S s
        d_d = max(d_d, eps * (pair.y_y + square))
        s_d = pair.s_y - s_S_s
        if not 0.0 < math.sqrt(eps) * math.sqrt(pair.s_s) * math.sqrt(d_d) <= abs(s_d):
            return None
        d = pair.y - S_s
        return d, d, 1.0 / s_d, 0.0, 0.0

    def reset(self) -> bool:
        """Make it 0."""
        had, self.B, self.S_s, self.factor = self.sized, None, None, 1.0
        return had

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Share the matrix: a pair makes a new one."""
        twin = copy.copy(self)
        memo[id(self)] = twin
        return twin
