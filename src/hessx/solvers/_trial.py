"""The answer to a request as a point: what every method has to see of it."""

from __future__ import annotations

import math

from hessx._xp import Array, Packet
from hessx.core import EXACT, Point, Reply

__all__ = ["ask_point", "hopeless", "read_point"]


def hopeless(reply: Reply) -> bool:
    """Whether the value is on the host already, and not finite: the gradient is of no use then."""
    return type(reply.value) is float and not math.isfinite(reply.value)


def ask_point(packet: Packet, x: Array, reply: Reply) -> Point:
    """Ask for the value and its precision; gives the point, whose numbers are yet to come.

    The largest and smallest entries of the gradient, "high" and "low", are asked for elsewhere.
    """
    point = Point(x, math.nan, math.nan, math.nan)
    packet.ask(value=reply.value)
    if reply.precision is not EXACT:
        packet.ask(moved=reply.precision.moved, blur=reply.precision.blur)
    packet.hold(point, "x")
    return point


def read_point(point: Point, numbers: dict[str, float], reply: Reply) -> None:
    """Give the point its numbers."""
    point.value = numbers["value"]
    point.grad_norm = abs(max(numbers["high"], -numbers["low"]))
    if reply.precision is not EXACT:
        point.precision = reply.precision.read(numbers["moved"], numbers["blur"])
