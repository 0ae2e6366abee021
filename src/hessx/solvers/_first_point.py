"""The answer at x0: one packet, and a start that is a point at all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hessx._xp import Array, Space, extremes, fetch
from hessx.core import Outcome, Point, Reply
from hessx.solvers._trouble import not_finite

__all__ = ["first_point"]


def first_point(
    space: Space, x0: Array, reply: Reply, wanted: Sequence[Array], kept: Sequence[Array]
) -> tuple[Point, tuple[Outcome, str] | None, list[Any], list[Array]]:
    """Read value, norm_inf(g) and what else is wanted at x0.

    Parameters
    ----------
    space, x0, reply : Space, array, Reply
        The start and its answer.
    wanted, kept : sequence of arrays
        For the same packet; see `fetch`.

    Returns
    -------
    point, trouble, values, held : Point, tuple or None, list, list of arrays
        Without norm_2(g); why x0, f or g is nothing to start from; the values of ``wanted``, and
        ``kept`` computed.
    """
    numbers = [reply.value, *extremes(space, reply.grad), *extremes(space, x0), *wanted]
    values, (x0, *held) = fetch(space, numbers, [x0, *kept])
    f, high, low, x_high, x_low, *rest = values
    point, trouble = Point(x0, f, max(high, -low), math.nan), None
    if not math.isfinite(x_high - x_low):
        trouble = Outcome.FAILED_NONFINITE, "x0 has entries that are not finite"
    elif not point.finite:
        trouble = not_finite(point, "x0")
    return point, trouble, rest, held
