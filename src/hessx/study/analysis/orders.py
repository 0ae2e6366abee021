"""The local order of convergence, fitted on the tail of a run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Order", "fitted_order"]

_PAIRS = 3  # of consecutive errors, where there are as many


@dataclass(frozen=True)
class Order:
    """What a tail says.

    Attributes
    ----------
    order : float
        q of e+ = c e^q; nan where it cannot be told.
    rate : float
        The factor by which the error fell per step, geometric mean over the tail.
    steps : int
        Of the tail.
    reason : str
        Why there is no order; else empty.
    """

    order: float
    rate: float
    steps: int
    reason: str = ""


def fitted_order(errors: Sequence[float], floor: float = 0.0) -> Order:
    r"""Fit q of e_{k+1} = c e_k^q on the tail of a run.

    The tail begins where the logarithm of the error has come half of its way: local convergence,
    not the way there.  The line through (log e_k, log e_{k+1}) has the slope of Theil and Sen, the
    median of the slopes between its points, each with the weight of their distance, so that one
    step that falls out does not count.

    Parameters
    ----------
    errors : sequence of float
        Of the accepted points, in order: f - f*, or a norm of the gradient.
    floor : float
        Errors at or below are rounding, and are left out with all that follow.

    Returns
    -------
    Order
        Gradient descent has q = 1, Newton's method 2, and a method that converges superlinearly
        something between, or 1 with a rate that goes to 0.

    Notes
    -----
    An error as it is, f - f*, falls with the order of norm(x - x*), for it is its square.

    References
    ----------
    Ortega & Rheinboldt (1970), section 9.1, for the orders; Sen (1968), J. Am. Stat. Assoc. 63.

    Examples
    --------
    >>> from hessx.study.analysis.orders import fitted_order
    >>> fitted_order([0.5**k for k in range(20)]).order
    1.0
    >>> fitted_order([0.5 ** (2**k) for k in range(7)]).order
    2.0
    """
    usable = _usable(errors, floor)
    if len(usable) < 4:
        return Order(math.nan, math.nan, max(len(usable) - 1, 0), "fewer than three steps to fit")
    logs = [math.log(e) for e in usable]
    middle = (logs[0] + logs[-1]) / 2
    first = next(i for i, e in enumerate(logs) if e <= middle)
    first = max(0, min(first, len(logs) - 1 - _PAIRS))
    tail = logs[first:]
    rate = math.exp((tail[-1] - tail[0]) / (len(tail) - 1))
    return Order(_slope(tail[:-1], tail[1:]), rate, len(tail) - 1)


def _usable(errors: Sequence[float], floor: float) -> list[float]:
    """Positive errors before the floor; an error that is no new least one is left out."""
    found: list[float] = []
    for error in errors:
        if not math.isfinite(error) or error <= max(floor, 0.0):
            if error <= max(floor, 0.0):
                break
            continue
        if not found or error < found[-1]:
            found.append(error)
    return found


def _slope(x: Sequence[float], y: Sequence[float]) -> float:
    """The median of slopes between points, each with the weight of their distance."""
    i, j = np.triu_indices(len(x), 1)
    run, rise = (np.asarray(z)[j] - np.asarray(z)[i] for z in (x, y))
    slopes = rise / run
    order = np.argsort(slopes)
    passed = np.cumsum(np.abs(run)[order])
    return float(slopes[order][np.searchsorted(passed, passed[-1] / 2)])
