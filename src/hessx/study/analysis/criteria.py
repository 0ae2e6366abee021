"""When a value is low enough, and how costs are put together: one measure for all studies."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["geometric_mean", "is_near_best", "is_stationary", "relative_gap"]

_NEAR = 1e-6
_STATIONARY = 1e-5


def relative_gap(value: float, start: float, best: float) -> float:
    """Give (f - f_best) / (f0 - f_best): 1 at the start, 0 at the best value known.

    A start that is the best value already leaves 0 or infinity; a value that is not a number has
    come nowhere.

    Examples
    --------
    >>> relative_gap(3.0, start=21.0, best=1.0)
    0.1
    """
    if not math.isfinite(value):
        return math.inf
    above, reach = max(value - best, 0.0), start - best
    if reach > 0.0:
        return above / reach
    return 0.0 if above == 0.0 else math.inf


def is_near_best(value: float, best: float) -> bool:
    """Tell whether ``f - f_best <= 1e-6 max(1, |f_best|)``."""
    return value <= best + _NEAR * max(1.0, abs(best))


def is_stationary(grad_norm: float, start_grad_norm: float) -> bool:
    """Tell whether ``norm_inf(g) <= 1e-5 max(1, norm_inf(g0))``."""
    return grad_norm <= _STATIONARY * max(1.0, start_grad_norm)


def geometric_mean(costs: Sequence[float]) -> float:
    """Give the geometric mean of positive numbers; nan of none.

    Examples
    --------
    >>> round(geometric_mean([1.0, 100.0]), 9)
    10.0
    """
    if not costs:
        return math.nan
    return math.exp(math.fsum(math.log(cost) for cost in costs) / len(costs))
