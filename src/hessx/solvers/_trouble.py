"""Why no method can go on: outcomes with their numbers."""

from __future__ import annotations

import math
from typing import Any

from hessx.core import Outcome, Point

__all__ = [
    "REJECTIONS",
    "beyond_range",
    "floor_reached",
    "immovable",
    "lost",
    "no_step",
    "not_finite",
    "numbers",
    "out_of_range",
]

REJECTIONS = 60  # in a row: halved so often, a radius is far below the resolution of any dtype
_AS_LONG = 10.0  # a minimum is not farther away than so many of the longest steps
_STIFF = -1.25  # as a power of eps: a spread of curvatures that no model bridges
_FALLS = 3  # accepted steps in a row beside a trial with f = -inf

_Verdict = tuple[Outcome, str]


def numbers(state: Any) -> str:
    """Value and gradient norm of the point that will be returned."""
    point = state.point if state.best is None else state.best
    return f"f = {state.sign * point.value:.6g}, gradient norm {point.grad_norm:.3g}"


def not_finite(state: Any, point: Point, where: str) -> _Verdict:
    """Name a value or gradient that is not finite."""
    value = state.sign * point.value
    text = f"f = {value:g}, gradient norm {point.grad_norm:g} at {where}"
    if point.value == -math.inf:
        return Outcome.UNBOUNDED_BELOW, text
    return Outcome.FAILED_NONFINITE, text


def out_of_range(state: Any, grad_square: float) -> _Verdict | None:
    """No slope can be formed where g'g leaves the range of the dtype."""
    if state.space.smallest <= grad_square < math.inf:
        return None
    text = f"g'g = {grad_square:.3g} has left the range of x's dtype; {numbers(state)}"
    if grad_square < 1.0:
        return Outcome.STALLED_PRECISION, text
    return lost(state, Outcome.FAILED_NONFINITE, text)


def immovable(state: Any) -> _Verdict:
    """No difference moves f at x0: whether it is flat or rounded cannot be told."""
    text = "f(x0 + h) = f(x0) for every difference: give jac, or longer steps by eps"
    return Outcome.STALLED_PRECISION, f"{text} or finite_diff_rel_step; {numbers(state)}"


def lost(state: Any, outcome: Outcome, text: str) -> _Verdict:
    """Say that numbers have left the range of the dtype: f falls without end, if it is so low."""
    largest = state.space.largest
    if -state.point.value > max(largest**0.25, abs(state.first.value) * largest**0.125):
        return Outcome.UNBOUNDED_BELOW, f"f falls without end: {text}"
    return outcome, text


def beyond_range(state: Any, length: float) -> _Verdict | None:
    """Say whether f falls without end: the next step, or a region, would be as long as this."""
    if state.falls >= _FALLS:
        return Outcome.UNBOUNDED_BELOW, f"f = -inf beside each of {_FALLS} steps; {numbers(state)}"
    largest, f0 = state.space.largest, state.first.value
    deep = -state.point.value > math.sqrt(largest) and abs(f0) < largest**0.25
    if length * length < largest and not deep:
        return None
    text = (
        f"f still falls by a step of {length:.3g}; squares of numbers leave the range of x's dtype"
    )
    return Outcome.UNBOUNDED_BELOW, f"{text}; {numbers(state)}"


def no_step(state: Any, trial: Point, length: float, promised: float, failure: Outcome) -> _Verdict:
    """Say why a trial of this length was the last: precision, a hole, or a bad direction."""
    f, f0, trials, precision = trial.value, state.point.value, state.trials, state.point.precision
    converged = _converged(state, promised)
    if converged is not None:
        return converged
    if not trial.finite:
        return not_finite(state, trial, f"the last of {trials} trials")
    change, noise = abs(f - f0), state.floor.noise(max(abs(f), abs(f0)))
    if change <= noise:
        text = f"f changes by {change:.3g} along the ray, within its noise of {noise:.2g}"
        return Outcome.STALLED_PRECISION, f"{text}; {numbers(state)}"
    if precision.blur > 0.0:
        text = f"differences, which hide steps of {precision.blur:.2g}, do not tell where f falls"
        text += f" by a step of {length:.2g}: give jac, or finite_diff_rel_step"
        return Outcome.STALLED_PRECISION, f"{text}; {numbers(state)}"
    return failure, f"no acceptable step in {trials} trials; {numbers(state)}"


def _converged(state: Any, promised: float) -> _Verdict | None:
    """Success, where all that f is to fall still is within its noise.

    By the models; or by ten steps of x_scale, or as the longest, straight down what slope is left.
    """
    left, noise = state.floor.remaining(promised), state.floor.noise(state.point.value)
    reach = _AS_LONG * max(state.longest, state.frame.length)
    left = min(left, reach * state.point.grad_norm2)
    if not left <= noise or _too_stiff(state):
        return None
    text = f"f could fall by {left:.2g} still, within its noise of {noise:.2g}; {numbers(state)}"
    return Outcome.CONVERGED_PRECISION, text


def _too_stiff(state: Any) -> bool:
    """Whether the last digits of x move g more, in stiff directions, than flat ones make it."""
    stiff: bool = state.most_bend > state.least_bend * state.space.eps**_STIFF
    return stiff


def floor_reached(state: Any, promised: float) -> _Verdict:
    """Say what is left where steps are no progress any more."""
    converged = _converged(state, promised)
    if converged is not None:
        return converged
    left, noise = state.floor.remaining(promised), state.floor.noise(state.point.value)
    text = f"no progress, though f could fall by {left:.2g} still; its noise is {noise:.2g}"
    if left == math.inf:
        text = f"no progress, and no model tells how far f could fall; its noise is {noise:.2g}"
    elif left <= noise:
        text = f"no progress, and curvatures from {state.least_bend:.2g} to {state.most_bend:.2g}"
        text += " along the steps: x does not resolve the flat beside the stiff"
    return Outcome.STALLED_PRECISION, f"{text}; {numbers(state)}"
