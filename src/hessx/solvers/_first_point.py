"""The answer at x0: one packet, and a start that is a point at all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hessx._xp import Array, extremes, fetch
from hessx.core import Point, Reply
from hessx.globalization import ROUNDING
from hessx.solvers._floor import Floor

__all__ = ["first_point"]


def first_point(
    state: Any, reply: Reply, wanted: Sequence[Array], kept: Sequence[Array]
) -> tuple[list[Any], list[Array]]:
    """Read value, norm_inf(g) and what else is wanted at x0; set ``point`` and ``floor``.

    Parameters
    ----------
    state, reply : RunState, Reply
        The state whose request is the start, and its answer.
    wanted, kept : sequence of arrays
        For the same packet; see `fetch`.

    Returns
    -------
    values, held : list, list of arrays
        The values of ``wanted``, and ``kept`` computed.

    Raises
    ------
    ValueError
        x0 is not finite.
    """
    space, x0, precision = state.space, state.request.x, reply.precision
    numbers = [reply.value, precision.moved, precision.blur, *extremes(space, reply.grad)]
    values, (x0, *held) = fetch(space, [*numbers, *extremes(space, x0), *wanted], [x0, *kept])
    f, moved, blur, high, low, x_high, x_low, *rest = values
    if not math.isfinite(x_high - x_low):
        msg = "x0 has entries that are not finite: expected finite numbers"
        raise ValueError(msg)
    norm = max(high, -low)
    precision = precision.read(moved, blur)
    state.point = Point(x0, f, norm, math.nan, precision=precision)
    if not state.renewing:
        eps = max(space.eps, precision.eps, state.request.eps)
        state.floor = Floor(ROUNDING * eps, f, norm)
    return rest, held
