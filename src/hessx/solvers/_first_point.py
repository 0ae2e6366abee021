"""The answer at x0: one packet, and a start that is a point at all."""

from __future__ import annotations

import math
from typing import Any

from hessx._xp import Packet
from hessx.core import Outcome, Reply
from hessx.globalization import ROUNDING
from hessx.solvers._floor import Floor
from hessx.solvers._trial import ask_point, read_point
from hessx.solvers._trouble import not_finite, out_of_range

__all__ = ["ask_start", "read_start", "settle_start"]


def ask_start(state: Any, reply: Reply, packet: Packet) -> None:
    """Ask for value and norm_inf(g) at x0, or where the gradient is renewed, and for x0."""
    ask_point(state, reply, packet)
    packet.ask_extremes(reply.grad)
    packet.ask_extremes(state.request.x, "x_")


def read_start(state: Any, numbers: dict[str, Any]) -> None:
    """Set ``point`` and ``floor``; ``trouble`` says why x0, f or g is nothing to start from."""
    point = state.point = read_point(state, numbers)
    if not math.isfinite(numbers["x_high"] - numbers["x_low"]):
        state.trouble = Outcome.FAILED_NONFINITE, "x0 has entries that are not finite"
    else:
        state.trouble = None if point.finite else not_finite(state, point, "x0")
    if not state.renewing:
        eps = max(state.space.eps, state.reply.precision.eps, state.request.eps)
        state.floor = Floor(ROUNDING * eps, point.value, point.grad_norm)


def settle_start(state: Any, grad_norm2: float, grad_square: float) -> None:
    """Accept the start, unless there is trouble.

    Parameters
    ----------
    state : RunState
        After `read_start`.
    grad_norm2, grad_square : float
        norm_2 of the gradient in x, and its square in the coordinates of the method.
    """
    state.point.grad_norm2 = grad_norm2
    if not state.renewing:
        state.first = state.point.bare()
    state.renewing, state.accepted = False, state.trouble is None
    state.trouble = state.trouble or out_of_range(state, grad_square)
