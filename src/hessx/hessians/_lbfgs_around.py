"""L-BFGS around any positive definite A0, by the two-loop recursion on the device."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

from hessx._xp import Array, Packet, under
from hessx.core import Frame, Offer, Pair, saved
from hessx.hessians._family import Approximation, Curvature
from hessx.hessians._pair_rows import PAIRS, PairRows
from hessx.krylov import never

__all__ = ["AroundCurvature"]

_OF_A0 = "of A0: "  # before the names of what it asks for


@saved(fresh=("own",))
class AroundCurvature(Curvature):
    r"""A from gamma A0 and the last pairs, gamma = s'y / y'A0 y of the newest.

    A0 may change from point to point, with which all products y'A0 y change: none is kept but that
    of the newest pair.

    Parameters
    ----------
    frame : Frame
        The variables.
    limit : int
        Pairs at most.
    first : Approximation
        A0.

    Attributes
    ----------
    own : Pair, optional
        Of the trial, as A0 sees it.
    """

    __slots__ = ("first", "frame", "gamma", "own", "pairs", "s_y")

    def __init__(self, frame: Frame, limit: int, first: Approximation) -> None:
        self.frame, self.first = frame, first.begin(frame)
        self.pairs = PairRows(frame.space, limit)
        self.s_y, self.gamma = [0.0] * limit, 1.0  # by slots
        self.own: Pair | None = None

    @property
    def sized(self) -> bool:  # type: ignore[override]
        """Whether A has the length of a step."""
        return self.first.sized or self.pairs.count > 0

    @property
    def active(self) -> bool:  # type: ignore[override]
        """Whether there is more than I."""
        return self.first.active or self.pairs.count > 0

    @property
    def waits(self) -> bool:  # type: ignore[override]
        """Whether A0 waits for the Hessian."""
        return self.first.waits

    @property
    def broken(self) -> bool:  # type: ignore[override]
        """Whether what came to A0 is not finite."""
        return self.first.broken

    def at(self, hessian: object) -> None:
        """Hand it to A0."""
        self.first.at(hessian)

    def leave(self) -> None:
        """Let A0 go of the point."""
        self.first.leave()

    def focus(self, needs: Offer) -> None:  # noqa: ARG002
        """Have A0 kept alone."""
        self.first.focus(Offer.SOLVE)

    def prepare(self, watch: Callable[[], bool] = never) -> bool:
        """Let A0 make what a solve will need."""
        return self.first.prepare(watch)

    def hold(self, packet: Packet) -> None:
        """Name the arrays of A0; the rows name theirs."""
        self.first.hold(packet)

    def measure(self, pair: Pair, packet: Packet) -> None:
        """Ask for y'A0 y, one product with A0, and for what A0 learns from."""
        packet.ask(y_A_y=pair.y @ self.first.solve(pair.y))
        own = self.own = dataclasses.replace(pair, product=None, multiple=1.0)
        self.first.measure(own, packet.under(packet.prefix + _OF_A0))
        packet.hold(own, "product")
        self.pairs.rows.hold(packet)

    def update(self, pair: Pair) -> str:
        """Make s and y the newest pair, unless their curvature is rounding; A0 sees all."""
        numbers, space, pairs = pair.numbers, self.frame.space, self.pairs
        s_y, y_y, s_s, y_A_y = pair.s_y, pair.y_y, pair.s_s, numbers["y_A_y"]
        own, self.own = self.own, None
        self.first.update(
            dataclasses.replace(
                pair, product=own.product, multiple=1.0, s_B_s=math.nan,  # type: ignore[union-attr]
                numbers=under(numbers, _OF_A0),
            )
        )  # fmt: skip
        s_B_s = math.sqrt(s_s) * math.sqrt(y_y) if math.isnan(pair.s_B_s) else pair.s_B_s
        finite = y_y < math.inf > s_s and 0.0 < y_A_y < math.inf
        if not (finite and s_y > max(space.eps * s_B_s, space.smallest)):
            return "skipped"
        self.s_y[pairs.candidate], self.gamma = s_y, s_y / y_A_y
        pairs.rows.set(pairs.s, pair.s + 0.0)
        pairs.rows.set(pairs.y, pair.y + 0.0)
        pairs.keep()
        return ""

    def reset(self) -> bool:
        """Forget the pairs, and what A0 has learnt."""
        had = self.pairs.count > 0
        self.pairs.forget()
        self.gamma = 1.0
        return self.first.reset() or had

    def solve(self, v: Array) -> Array:
        """A v: 4 k vector operations for k pairs, one product with A0, no fetch."""
        rows, pairs, weights = self.pairs.rows, self._slots, []
        q = v
        for i in reversed(pairs):
            weights.append((q @ rows[PAIRS + 2 * i])[..., None] * (1.0 / self.s_y[i]))
            q = q - rows[PAIRS + 2 * i + 1] * weights[-1]
        z = self.first.solve(q) * self.gamma
        for i in pairs:
            s, y = rows[PAIRS + 2 * i], rows[PAIRS + 2 * i + 1]
            z = z + s * (weights.pop() - (z @ y)[..., None] * (1.0 / self.s_y[i]))
        return z

    @property
    def _slots(self) -> list[int]:
        """The slots of the pairs, the oldest first."""
        pairs = self.pairs
        oldest = pairs.candidate - pairs.count
        return [(oldest + i) % pairs.limit for i in range(pairs.count)]
