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


@saved
class SecantTerm(MatrixCurvature):
    """S of B = K + S, (n, n), 0 at first; ``pair.product`` is K s.

    Attributes
    ----------
    B : array, shape (n, n), optional
        S; None while it is 0.
    kind : str
        Of `UPDATES`.
    sizing : bool
        S is multiplied by min(1, abs(s'y) / abs(s'S s)) before it is changed.
    factor : float
        S is multiplied by it as well.
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
        s_S_s, factor, S_s = pair.numbers.get("s_S_s", 0.0), self.factor, self.S_s
        self.S_s, space = None, self.frame.space
        if self.sizing and abs(s_S_s) > abs(pair.s_y):
            factor *= abs(pair.s_y) / abs(s_S_s)
        if not 0.0 <= factor < math.inf:
            return "skipped"
        terms = self._rank_one if self.kind == "sr1" else self._rank_two
        found = terms(pair, space.zeros(space.n) if S_s is None else S_s, factor)
        S = space.zeros((space.n, space.n)) if self.B is None else self.B
        if found is None or not all(abs(c) < math.inf for c in found[2:]):
            self.B = None if self.B is None else S * factor
            return "skipped"
        self.B = changed(S, factor, *found)
        return ""

    def _rank_two(self, pair: Pair, S_s: Array, factor: float) -> tuple[Any, ...] | None:
        """Give p, q and the coefficients of pp', pq' + qp' and qq' of a change of rank two."""
        s_S_s = factor * pair.numbers.get("s_S_s", 0.0)
        if self.kind == "psb":
            s_s, s_d = pair.s_s, pair.s_y - s_S_s
            d = pair.y - S_s * factor
            return (pair.s, d, -s_d / s_s / s_s, 1.0 / s_s, 0.0) if s_s > 0.0 else None
        s_K_s, eps = pair.numbers["s_K_s"], self.frame.space.eps
        b, c = s_K_s + pair.s_y, s_K_s + s_S_s
        least = eps * (s_K_s + max(abs(pair.s_y), abs(s_S_s)))
        if not min(b, c) > max(least, self.frame.space.smallest):
            return None
        p, q = pair.product + pair.y, pair.product + S_s * factor
        if self.kind == "bfgs":
            return p, q, 1.0 / b, 0.0, -1.0 / c
        return p, q, (1.0 + c / b) / b, -1.0 / b, 0.0

    def _rank_one(self, pair: Pair, S_s: Array, factor: float) -> tuple[Any, ...] | None:
        """Give d and 1 / s'd with d = y - S s."""
        numbers, eps = pair.numbers, self.frame.space.eps
        s_d = pair.s_y - factor * numbers.get("s_S_s", 0.0)
        cross, square = factor * numbers.get("y_S_s", 0.0), factor**2 * numbers.get("S_S", 0.0)
        rounding = eps * (pair.y_y + square)
        d_d = max(pair.y_y - 2.0 * cross + square, rounding)
        least = math.sqrt(eps) * math.sqrt(pair.s_s) * math.sqrt(d_d)
        if not 0.0 < least <= abs(s_d):
            return None
        d = pair.y - S_s * factor
        return d, d, 1.0 / s_d, 0.0, 0.0

    def reset(self) -> bool:
        """Make it 0."""
        had, self.B, self.S_s = self.sized, None, None
        return had

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Share the matrix: a pair makes a new one."""
        twin = copy.copy(self)
        memo[id(self)] = twin
        return twin
