"""What a structured approximation is made of: a known part K, and S that is learnt beside it."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from typing import Any

from hessx._xp import Array, Numbers, Packet, quiet, under
from hessx.core import Frame, Pair, saved
from hessx.hessians._family import Curvature

__all__ = ["StructuredCurvature", "stretched"]

_OF_S = "of S: "  # before the names of what S asks for


@saved
class StructuredCurvature(Curvature):
    """B of K(x) and S: the pair of an accepted step waits until K has come at its end.

    A subclass calls `learn` in ``prepare``, once K is there, with the y that S is to satisfy.

    Parameters
    ----------
    frame : Frame
        The variables z.
    learnt : Curvature
        S, which learns from pairs.

    Attributes
    ----------
    s, y : array, optional
        The step to this point, and the change of the gradient, until S has learnt from them.
    """

    __slots__ = ("frame", "learnt", "s", "y")

    def __init__(self, frame: Frame, learnt: Curvature) -> None:
        self.frame, self.learnt = frame, learnt
        self.s: Array = None
        self.y: Array = None

    @property
    def pending(self) -> bool:
        """Whether there is a step from which S has yet to learn."""
        return self.s is not None

    def update(self, pair: Pair) -> str:
        """Keep the pair, unless it is not finite."""
        if not (0.0 < pair.s_s < math.inf and pair.y_y < math.inf):
            return "skipped"
        self.s, self.y = pair.s + 0.0, pair.y + 0.0  # s may be written again
        return ""

    def learn(self, y: Array, product: Array = None, **asked: Any) -> None:
        """Teach S that y = S s, by one fetch, which brings what else is asked for.

        Parameters
        ----------
        y : array, shape (n,)
            Of S alone.
        product : array, shape (n,), optional
            K s, for an S that reads it.
        **asked
            0-d arrays, by name, for ``consider``.
        """
        pair, packet = Pair(self.s, y, product=product), Packet(self.frame.space)
        self.s = self.y = None
        with quiet():
            packet.ask(**asked)
            packet.ask_products(s_y=(pair.s, y), y_y=(y, y), s_s=(pair.s, pair.s))
            self.learnt.measure(pair, packet.under(_OF_S))
        packet.hold(pair, "s", "y", "product")
        self.learnt.hold(packet)
        self.hold_point(packet)
        numbers = packet.fetch()
        pair.s_y, pair.y_y, pair.s_s = numbers["s_y"], numbers["y_y"], numbers["s_s"]
        pair.numbers = under(numbers, _OF_S)
        self.consider(pair, numbers)

    def hold_point(self, packet: Packet) -> None:
        """Name the arrays of this point, which S is taught from."""

    def consider(self, pair: Pair, numbers: Numbers) -> None:  # noqa: ARG002
        """Let S learn from a pair of its own."""
        self.learnt.update(pair)

    def hold(self, packet: Packet) -> None:
        """Name what S has."""
        self.learnt.hold(packet)

    def reset(self) -> bool:
        """Forget S, and the pair that it was to learn from."""
        had, self.s, self.y = self.pending, None, None
        return self.learnt.reset() or had

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Copy S, and share the arrays, which are replaced and not written to."""
        twin = copy.copy(self)
        memo[id(self)] = twin
        twin.learnt = copy.deepcopy(self.learnt, memo)
        return twin


def stretched(pair: Pair, factor: float) -> Pair:
    """Give a pair with factor y in the place of y, and its products."""
    numbers = {**pair.numbers, "y_S_s": factor * pair.numbers.get("y_S_s", 0.0)}
    s_y, y_y = factor * pair.s_y, factor * factor * pair.y_y
    return replace(pair, y=pair.y * factor, s_y=s_y, y_y=y_y, numbers=numbers)
