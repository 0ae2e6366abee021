"""The model under its restraint, and what the trial that it leads to tells of it."""

from __future__ import annotations

import math
from collections.abc import Callable

from hessx._xp import Numbers, Packet, quiet
from hessx.core import Point, Reply
from hessx.globalization import Noise
from hessx.krylov import KrylovOutcome, ModelStep, QuadraticModel, Subproblem
from hessx.solvers._first_point import ask_start, read_start, settle_start
from hessx.solvers._trial import ask_point, hopeless, read_point
from hessx.solvers._trust_region_state import TrustRegionState

__all__ = ["learn", "measure_start", "measure_trial", "minimised", "read_first", "read_trial"]

_TIGHT = 0.11  # forcing terms from here on ask for a settled model
_LONGER = 5.0  # than the last step, where no pair has given B a size: f has not curved upwards


def _model_at(state: TrustRegionState, watch: Callable[[], bool]) -> QuadraticModel:
    """Give the model at the current point; a B without a size makes a step of known length."""
    part = state.part
    begins = state.accepted and state.iteration == state.begun
    if begins and part.changes and part.precondition is not None:
        state.dual_before = state.grad_square  # the first restraint is meant with M = I
    return part.model(
        state.grad,
        state.grad_square,
        state.region.restraint(max(state.frame.length, state.reach)),
        watch,
        tight=_TIGHT,
        length=_LONGER * state.step_norm if state.iteration else state.frame.length,
        before=state.dual_before,
    )


def minimised(
    subproblem: Subproblem, state: TrustRegionState, watch: Callable[[], bool]
) -> ModelStep:
    """Minimise the model; anew without its past, where rounding has made a B that cannot be."""
    p = subproblem(_model_at(state, watch))
    bent = state.part.positive and p.outcome is KrylovOutcome.NEGATIVE
    if (bent or not p.decrease > 0.0) and state.part.curvature.reset():
        p = subproblem(_model_at(state, watch))
    return p


def measure_start(state: TrustRegionState, reply: Reply, packet: Packet) -> None:
    """Take the first gradient, and ask for its square."""
    frame = state.frame
    g = state.grad = frame.keep(frame.pull(reply.grad))
    packet.ask(g_g=g @ g)
    frame.ask_square(packet, reply.grad)
    packet.hold(state, "grad")
    ask_start(state, reply, packet)


def measure_trial(state: TrustRegionState, reply: Reply, packet: Packet) -> None:
    """Ask for all that the host has to know of the trial: "slope" (g'p), "g_g" and "p_p" too."""
    part, p = state.part, state.model_step
    if hopeless(reply):
        state.trial = Point(state.request.x, reply.value, math.nan, math.nan)
        return
    ask_point(state, reply, packet)
    g = state.grad_trial = state.frame.pull(reply.grad)
    step = p.step  # type: ignore[union-attr]
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


def read_trial(state: TrustRegionState, numbers: Numbers) -> tuple[Point, float, float, float]:
    """Give the trial its numbers.

    Returns
    -------
    trial, slope, g_g, p_p : Point and float
        The point, and g'p, g'g and p'p in z.
    """
    if not numbers:  # f alone said enough
        return state.trial, math.nan, math.nan, math.nan  # type: ignore[return-value]
    trial, p_p = read_point(state, numbers), numbers["p_p"]
    square = state.frame.square(numbers, numbers["g_g"])
    trial.grad_norm2 = math.sqrt(square) if square >= 0.0 else math.nan
    if state.last_step is not None:
        state.compare_steps(numbers["turn"], math.sqrt(p_p))
    s_y, y_y = numbers.get("s_y", math.nan), numbers.get("y_y", math.nan)
    s_B_s = state.model_step.slope_change  # type: ignore[union-attr]
    state.part.read(numbers, s_y, y_y, p_p, s_B_s)
    slope = numbers["slope"]
    state.slopes = state.model_step.slope, slope  # type: ignore[union-attr]
    return trial, slope, numbers["g_g"], p_p


def read_first(state: TrustRegionState, numbers: Numbers) -> None:
    """Accept the start, or the point whose gradient was renewed."""
    read_start(state, numbers)
    state.grad_square = numbers["g_g"]
    if state.renewing:
        state.part.leave()
        state.model_step = None
    square = state.frame.square(numbers, state.grad_square)
    settle_start(state, math.sqrt(square), state.grad_square)
    state.started = state.accepted
    state.noise = Noise.at(state.point.value, state.floor.eps, state.floor.eps_f)


def learn(state: TrustRegionState, p: ModelStep, *, is_length: bool) -> None:
    """Let B and M learn; where M is another then, remember the norm of the restraint.

    A radius is a length in it, sigma a pure number in the norms of M's near the inverse of B.
    """
    part, before = state.part, state.grad_square
    M = part.precondition
    if part.changes and M is not None:
        before = state.grad @ M(state.grad)
    state.note = part.accept(p) or state.note
    now = part.precondition is not None
    if part.changes and (now != (M is not None) or (now and is_length)):
        state.dual_before = before
