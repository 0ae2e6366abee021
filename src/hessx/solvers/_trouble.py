"""Why no method can go on: outcomes with their numbers."""

from __future__ import annotations

from typing import Any

from hessx.core import Outcome, Point

__all__ = ["not_finite", "out_of_range", "rejected"]

_REJECTIONS = 60  # in a row: halved so often, a radius is far below the resolution of any dtype


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


def rejected(state: Any, trial: Point, decrease: float) -> tuple[Outcome, str] | None:
    """Say whether a smaller trust region can still help."""
    f0, trials = state.point.value, state.trials
    if trial.value == -float("inf"):
        return Outcome.UNBOUNDED_BELOW, "f is -inf"
    if decrease > state.space.eps * abs(f0) and trials < _REJECTIONS:
        return None
    if not trial.finite:
        return not_finite(trial, f"the last of {trials} trials")
    numbers = f"f = {f0:.6g}, gradient norm {state.point.grad_norm:.3g}"
    text = f"{trials} steps rejected, the last foretold {decrease:.3g}; {numbers}"
    if trials >= _REJECTIONS:
        return Outcome.FAILED_TRUST_REGION, text
    return Outcome.STALLED_PRECISION, text
