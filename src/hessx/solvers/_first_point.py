"""The answer at x0: one packet, and a start that is a point at all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hessx._xp import Array, extremes, fetch
from hessx.core import Outcome, Point, Reply
from hessx.globalization import ROUNDING
from hessx.solvers._floor import Floor
from hessx.solvers._trouble import not_finite, out_of_range

__all__ = ["first_point", "settle_start"]


def first_point(
    state: Any, reply: Reply, wanted: Sequence[Array], kept: Sequence[Array]
) -> tuple[list[Any], list[Array]]:
    """Read value, norm_inf(g) and what else is wanted at x0; set ``point`` and ``floor``.

    ``trouble`` says why x0, f or g is nothing to start from.

    Parameters
    ----------
    state, reply : RunState, Reply
        The state whose request is the start, or the point whose gradient is renewed; its answer.
    wanted, kept : sequence of arrays
        For the same packet; see `fetch`.

    Returns
    -------
    values, held : list, list of arrays
        The values of ``wanted``, and ``kept`` computed.
    """
    space, x0, precision = state.space, state.request.x, reply.precision
    numbers = [reply.value, precision.moved, precision.blur, *extremes(space, reply.grad)]
    values, (x0, *held) = fetch(space, [*numbers, *extremes(space, x0), *wanted], [x0, *kept])
    f, moved, blur, high, low, x_high, x_low, *rest = values
    norm, precision = abs(max(high, -low)), precision.read(moved, blur)
    point = state.point = Point(x0, f, norm, math.nan, precision=precision)
    if not math.isfinite(x_high - x_low):
        state.trouble = Outcome.FAILED_NONFINITE, "x0 has entries that are not finite"
    else:
        state.trouble = None if point.finite else not_finite(state, point, "x0")
    if not state.renewing:
        eps = max(space.eps, precision.eps, state.request.eps)
        state.floor = Floor(ROUNDING * eps, f, norm)
    return rest, held


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
