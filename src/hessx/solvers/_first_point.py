"""The answer at x0: one packet, and a start that is a point at all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hessx._xp import Array, Space, extremes, fetch
from hessx.core import Point, Reply

__all__ = ["first_point"]


def first_point(
    space: Space, x0: Array, reply: Reply, wanted: Sequence[Array], kept: Sequence[Array]
) -> tuple[Point, list[Any], list[Array]]:
    """Read value, norm_inf(g) and what else is wanted at x0.

    Parameters
    ----------
    space, x0, reply : Space, array, Reply
        The start and its answer.
    wanted, kept : sequence of arrays
        For the same packet; see `fetch`.

    Returns
    -------
    point, values, held : Point, list, list of arrays
        Without norm_2(g); the values of ``wanted``, and ``kept`` computed.

    Raises
    ------
    ValueError
        x0 is not finite.
    """
    numbers = [reply.value, *extremes(space, reply.grad), *extremes(space, x0), *wanted]
    values, (x0, *held) = fetch(space, numbers, [x0, *kept])
    f, high, low, x_high, x_low, *rest = values
    if not math.isfinite(x_high - x_low):
        msg = "x0 has entries that are not finite: expected finite numbers"
        raise ValueError(msg)
    return Point(x0, f, max(high, -low), math.nan), rest, held
