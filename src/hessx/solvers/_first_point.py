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

__all__ = ["first_point", "settle_start"]


def first_point(state: Any, reply: Reply, packet: Packet) -> dict[str, Any]:
    """Read value, norm_inf(g) and what else is asked for at x0; set ``point`` and ``floor``.

    ``trouble`` says why x0, f or g is nothing to start from.

    Parameters
    ----------
    state, reply : RunState, Reply
        The state whose request is the start, or the point whose gradient is renewed; its answer.
    packet : Packet
        With what the method asks for.

    Returns
    -------
    dict
        The numbers by name.
    """
    space, x0 = state.space, state.request.x
    point = state.point = ask_point(packet, x0, reply)
    packet.ask_extremes(reply.grad)
    packet.ask_extremes(x0, "x_")
    numbers = packet.fetch()
    read_point(point, numbers, reply)
    if not math.isfinite(numbers["x_high"] - numbers["x_low"]):
        state.trouble = Outcome.FAILED_NONFINITE, "x0 has entries that are not finite"
    else:
        state.trouble = None if point.finite else not_finite(state, point, "x0")
    if not state.renewing:
        eps = max(space.eps, reply.precision.eps, state.request.eps)
        state.floor = Floor(ROUNDING * eps, point.value, point.grad_norm)
    return numbers


def settle_start(state: Any, grad_norm2: float, grad_square: float) -> None:
    """Accept the start, unless there is trouble.

    Parameters
    ----------
    state : RunState
        After `first_point`.
    grad_norm2, grad_square : float
        norm_2 of the gradient in x, and its square in the coordinates of the method.
    """
    state.point.grad_norm2 = grad_norm2
    if not state.renewing:
        state.first = state.point.bare()
    state.renewing, state.accepted = False, state.trouble is None
    state.trouble = state.trouble or out_of_range(state, grad_square)
