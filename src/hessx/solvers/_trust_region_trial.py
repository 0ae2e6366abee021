"""The model under a trust region, and what the trial that it leads to tells of it."""

from __future__ import annotations

import math
from collections.abc import Callable

from hessx._xp import Packet, quiet
from hessx.core import Point, Reply
from hessx.krylov import QuadraticModel
from hessx.solvers._inner import inner_limit
from hessx.solvers._trial import ask_point, hopeless, read_point
from hessx.solvers._trust_region_state import TrustRegionState

__all__ = ["measure", "model_at"]

_TIGHT = 0.11  # forcing terms from here on ask for a settled model


def model_at(
    state: TrustRegionState, max_inner: int | None, watch: Callable[[], bool]
) -> QuadraticModel:
    """Give the model at the current point.

    Parameters
    ----------
    state : TrustRegionState
        With the Hessian.
    max_inner : int, optional
        Products at most.
    watch : callable
        Ends the solve early.
    """
    norm = math.sqrt(state.grad_square)
    eta = state.forcing.term(norm)
    return QuadraticModel(
        state.space,
        state.frame.product(state.hessian),
        state.grad,
        state.grad_square,
        tolerance=eta * norm,
        settled=eta <= _TIGHT,
        limit=inner_limit(max_inner, state.space.n),
        radius=state.region.radius,
        default_radius=state.frame.length,
        precondition=state.precondition,
        grad_square_before=state.dual_before,
        collect=0 if state.preconditioner is None else state.preconditioner.collect,
        watch=watch,
    )


def measure(state: TrustRegionState, reply: Reply) -> tuple[Point, dict[str, float]]:
    """Bring all that the host has to know of the trial, in one packet.

    Returns
    -------
    trial, numbers : Point, dict
        The point, and "slope" (g'p), "g_g" and "p_p" there.
    """
    x, p = state.request.x, state.model_step
    if hopeless(reply):
        nan = math.nan
        return Point(x, reply.value, nan, nan), {"slope": nan, "g_g": nan, "p_p": nan}
    packet = Packet(state.space)
    trial = ask_point(packet, x, reply)
    state.grad_trial = state.frame.pull(reply.grad)
    g, step = state.grad_trial, p.step  # type: ignore[union-attr]
    packet.hold(state, "grad_trial")
    packet.hold(p, "step")
    with quiet():  # of a trial far out
        packet.ask_extremes(reply.grad)
        packet.ask(slope=step @ g, g_g=g @ g, p_p=step @ step)
        state.frame.ask_square(packet, reply.grad)
        if state.last_step is not None:
            packet.ask(turn=state.last_step @ step)
    numbers = packet.fetch()
    read_point(trial, numbers, reply)
    square = state.frame.square(numbers, numbers["g_g"])
    trial.grad_norm2 = math.sqrt(square) if square >= 0.0 else math.nan
    if state.last_step is not None:
        state.compare_steps(numbers["turn"], math.sqrt(numbers["p_p"]))
    return trial, numbers
