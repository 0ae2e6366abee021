"""The model under its restraint, and what the trial that it leads to tells of it."""

from __future__ import annotations

import math
from collections.abc import Callable

from hessx._xp import Packet, quiet
from hessx.core import Point, Reply
from hessx.krylov import ModelStep, QuadraticModel
from hessx.solvers._trial import ask_point, hopeless, read_point
from hessx.solvers._trust_region_state import TrustRegionState

__all__ = ["measure", "model_at"]

_TIGHT = 0.11  # forcing terms from here on ask for a settled model


def model_at(state: TrustRegionState, watch: Callable[[], bool]) -> QuadraticModel:
    """Give the model at the current point; a B without a size makes a step of known length."""
    part = state.part
    fresh = state.accepted and state.dual_before is None
    if fresh and part.changes and part.precondition is not None:
        state.dual_before = state.grad_square  # the restraint is meant with M = I
    return part.model(
        state.grad,
        state.grad_square,
        state.region.restraint(state.frame.length),
        watch,
        tight=_TIGHT,
        length=state.step_norm if state.iteration else state.frame.length,
        before=state.dual_before,
    )


def measure(state: TrustRegionState, reply: Reply) -> tuple[Point, dict[str, float]]:
    """Bring all that the host has to know of the trial, in one packet.

    Returns
    -------
    trial, numbers : Point, dict
        The point, and "slope" (g'p), "g_g" and "p_p" there.
    """
    x, part = state.request.x, state.part
    p: ModelStep = state.model_step  # type: ignore[assignment]
    if hopeless(reply):
        nan = math.nan
        return Point(x, reply.value, nan, nan), {"slope": nan, "g_g": nan, "p_p": nan}
    packet = Packet(state.space)
    trial = ask_point(packet, x, reply)
    g = state.grad_trial = state.frame.pull(reply.grad)
    step = p.step
    packet.hold(state, "grad_trial")
    packet.hold(p, "step")
    with quiet():  # of a trial far out
        packet.ask_extremes(reply.grad)
        packet.ask(slope=step @ g, g_g=g @ g, p_p=step @ step)
        state.frame.ask_square(packet, reply.grad)
        if state.last_step is not None:
            packet.ask(turn=state.last_step @ step)
        pair = None
        if part.from_steps:
            y = g - state.grad
            packet.ask(s_y=step @ y, y_y=y @ y)
            pair = step, y
        part.measure(p, pair, 1.0, packet)
    numbers = packet.fetch()
    read_point(trial, numbers, reply)
    square = state.frame.square(numbers, numbers["g_g"])
    trial.grad_norm2 = math.sqrt(square) if square >= 0.0 else math.nan
    if state.last_step is not None:
        state.compare_steps(numbers["turn"], math.sqrt(numbers["p_p"]))
    s_y, y_y = numbers.get("s_y", math.nan), numbers.get("y_y", math.nan)
    part.read(numbers, s_y, y_y, numbers["p_p"], p.slope_change)
    return trial, numbers
