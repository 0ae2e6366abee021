"""Why no method can go on: outcomes with their numbers."""

from __future__ import annotations

from hessx.core import Outcome, Point

__all__ = ["not_finite", "out_of_range"]


def not_finite(point: Point, where: str) -> tuple[Outcome, str]:
    """Name a value or gradient that is not finite."""
    text = f"f = {point.value:g}, gradient norm {point.grad_norm:g} at {where}"
    if point.value == -float("inf"):
        return Outcome.UNBOUNDED_BELOW, text
    return Outcome.FAILED_NONFINITE, text


def out_of_range(grad_square: float) -> tuple[Outcome, str] | None:
    """No slope can be formed where g'g leaves the range of the dtype."""
    if 0.0 < grad_square < float("inf"):
        return None
    outcome = Outcome.STALLED_PRECISION if grad_square == 0.0 else Outcome.FAILED_NONFINITE
    return outcome, f"g'g = {grad_square:g} has left the range of x's dtype"
