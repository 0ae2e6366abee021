"""The answer to a request as a point: what every method has to see of it."""

from __future__ import annotations

import math
from typing import Any

from hessx._xp import Packet
from hessx.core import EXACT, Point, Reply

__all__ = ["ask_point", "hopeless", "read_point"]


def hopeless(reply: Reply) -> bool:
    """Whether the value is on the host already, and not finite: the gradient is of no use then."""
    return type(reply.value) is float and not math.isfinite(reply.value)


def ask_point(state: Any, reply: Reply, packet: Packet) -> None:
    """Make the answer ``state.trial``, and ask for its value and precision.

    The largest and smallest entries of the gradient, "high" and "low", are asked for elsewhere.
    """
    point = state.trial = Point(state.request.x, math.nan, math.nan, math.nan)
    packet.ask(value=reply.value)
    if reply.precision is not EXACT:
        packet.ask(moved=reply.precision.moved, blur=reply.precision.blur)
    if state.sizes:
        z = point.x if state.frame.scale is None else point.x / state.frame.scale
        packet.ask(z_z=z @ z)
    packet.hold(point, "x")


def read_point(state: Any, numbers: dict[str, float]) -> Point:
    """Give the trial its numbers."""
    point, precision = state.trial, state.reply.precision
    point.value = numbers["value"]
    point.grad_norm = abs(max(numbers["high"], -numbers["low"]))
    if precision is not EXACT:
        point.precision = precision.read(numbers["moved"], numbers["blur"])
    if "z_z" in numbers:
        point.norm = math.sqrt(numbers["z_z"])
    return point  # type: ignore[no-any-return]
