"""The next ray of a line-search method, and its first trial."""

from __future__ import annotations

import math

from hessx.globalization import Ray
from hessx.solvers._line_search_state import LineSearchState

__all__ = ["next_ray", "remember_direction"]


def next_ray(state: LineSearchState, largest: float) -> Ray:
    """Give the ray along the direction that the method has turned to.

    Parameters
    ----------
    state : LineSearchState
        At an accepted point.
    largest : float
        The first alpha of a run is no larger.

    Returns
    -------
    Ray
        With a first trial of 1 for Newton kinds, else from the last ray.
    """
    track, space = state.track, state.space
    if state.direction.sized:
        alpha = state.direction.first_alpha(state.alpha, state.step_norm)
    else:
        alpha = _first_trial(state, largest)
    alpha = min(max(alpha, 1.0 / space.largest), space.largest)
    value, slope = state.point.value, track.start_slope
    return Ray(value, slope, alpha, space.eps, state.iteration, state.floor.eps_f)


def _first_trial(state: LineSearchState, largest: float) -> float:
    """The change of f that the last ray promised, hoped for again; a step that is seen at all."""
    last, slope = state.last_ray, state.track.start_slope
    unit = math.sqrt(state.track.grad_square)
    if last is None:
        alpha, shortest = min(state.frame.length / unit, largest), 0.0
    else:
        shortest = math.sqrt(state.space.eps) * state.step_norm
        if state.restarted:
            alpha = state.step_norm / unit
        elif math.isnan(slope):  # not known before the first trial
            alpha = state.alpha
        else:
            alpha = state.alpha * last.slope / slope
    blur: float = state.point.precision.blur
    return max(alpha, max(shortest, blur) / unit)


def remember_direction(state: LineSearchState) -> None:
    """Keep the direction just followed, for its cosine with the next one."""
    state.cosine = math.nan
    if state.accepted and state.iteration > state.begun:
        state.last_step = state.space.copy(state.track.d)
        state.last_length = math.sqrt(state.track.d_square)
