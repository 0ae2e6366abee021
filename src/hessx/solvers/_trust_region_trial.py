"""The model under a trust region, and what the trial that it leads to tells of it."""

from __future__ import annotations

import math
from typing import Any

from hessx._xp import Array, extremes, fetch, quiet
from hessx.core import Point, Reply
from hessx.krylov import QuadraticModel
from hessx.solvers._inner import inner_limit
from hessx.solvers._trust_region_state import TrustRegionState

__all__ = ["measure", "model_at", "own_gradient", "product_at"]

_TIGHT = 0.11  # forcing terms from here on ask for a settled model


def model_at(state: TrustRegionState, max_inner: int | None, length: float) -> QuadraticModel:
    """Give the model at the current point.

    Parameters
    ----------
    state : TrustRegionState
        With the Hessian.
    max_inner : int, optional
        Products at most.
    length : float
        That of a step along which nothing is known.
    """
    norm = math.sqrt(state.grad_square)
    eta = state.forcing.term(norm)
    return QuadraticModel(
        state.space,
        product_at(state),
        state.grad,
        state.grad_square,
        tolerance=eta * norm,
        settled=eta <= _TIGHT,
        limit=inner_limit(max_inner, state.space.n),
        radius=state.region.radius,
        default_radius=length,
        precondition=state.precondition,
        grad_square_before=state.dual_before,
        collect=0 if state.preconditioner is None else state.preconditioner.collect,
        watch=state.hessian.watch,
    )


def product_at(state: TrustRegionState) -> Any:
    """Multiply by the Hessian in x / scale."""
    if state.scale is None:
        return state.hessian
    return lambda v: state.hessian(v * state.scale) * state.scale


def own_gradient(state: TrustRegionState, grad: Array) -> Array:
    """Take a gradient into x / scale, in an array that nobody else writes."""
    if state.scale is not None:
        return grad * state.scale
    return state.space.copy(grad) if state.space.writeable else grad


def measure(
    state: TrustRegionState, reply: Reply
) -> tuple[Point, Array, tuple[float, float, float]]:
    """Bring all that the host has to know of the trial, in one packet.

    Returns
    -------
    trial, g, products : Point, array, tuple of float
        The point, its gradient in x / scale, and g'p, g'g and p'p there.
    """
    space, x, p = state.space, state.request.x, state.model_step.step  # type: ignore[union-attr]
    precision = reply.precision
    if type(reply.value) is float and not math.isfinite(reply.value):
        nan = math.nan  # the gradient is of no use then
        return Point(x, reply.value, nan, nan), reply.grad, (nan, nan, nan)
    g = reply.grad if state.scale is None else reply.grad * state.scale
    with quiet():  # of a trial far out
        wanted = [reply.value, precision.moved, precision.blur, *extremes(space, reply.grad)]
        wanted += [p @ g, g @ g, p @ p]
        wanted += [] if state.scale is None else [reply.grad @ reply.grad]
        wanted += [] if state.last_step is None else [state.last_step @ p]
    values, (x, g, p) = fetch(space, wanted, [x, g, p])
    f, moved, blur, high, low, slope, g_g, p_p, *others = values
    state.model_step.step = p  # type: ignore[union-attr]
    square = g_g if state.scale is None else others[0]
    if state.last_step is not None:
        state.turn(others[-1], math.sqrt(p_p))
    norm = math.sqrt(square) if square >= 0.0 else math.nan
    point = Point(x, f, abs(max(high, -low)), norm, precision=precision.read(moved, blur))
    return point, g, (slope, g_g, p_p)
