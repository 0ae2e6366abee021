"""What a stochastic method tells the host, and how a run of it ends.

A run closes with value and gradient of the whole at its last point.  Where a report has seen a
lower mean value, or a better score, the whole is evaluated there too, and the better point kept.
"""

from __future__ import annotations

import math

from hessx._xp import Array, Numbers, Packet, norm_inf, take_value
from hessx.core import Outcome, Point, Reply, Wants
from hessx.globalization import LiveSchedule
from hessx.solvers._reports import EarlyStopping
from hessx.solvers._stochastic_state import Asked, StochasticState

__all__ = ["ask_report", "ask_whole", "ask_whole_numbers", "finish", "read_report"]


def ask_report(state: StochasticState, packet: Packet, early: EarlyStopping | None) -> None:
    """Name the numbers of a report: the values since the last one, and whether x is finite."""
    here = state.here = state.request.x if state.asked is Asked.WHOLE else state.result
    packet.ask(size=norm_inf(state.space, here), total=state.total, count=state.count)
    packet.ask(skipped=state.skipped)
    if state.at_start is not None:
        packet.ask(at_start=state.at_start)
        state.at_start = None
    if early is not None and not state.settling:
        packet.ask(score=take_value(state.space, early.score(state.space.for_user(here))))
    if state.iteration % state.period == 0:  # not where a limit makes it
        state.total = state.count = 0.0


def ask_whole_numbers(state: StochasticState, reply: Reply, packet: Packet) -> None:
    """Name value and gradient of the whole at the point of the report."""
    space, grad = state.space, reply.grad
    packet.ask(whole=reply.value, grad_norm=norm_inf(space, grad))
    packet.ask_products(g_g=(grad, grad))
    state.trial = Point(state.here, math.nan, math.nan, math.nan, space.copy(grad))


def read_report(state: StochasticState, numbers: Numbers, early: EarlyStopping | None) -> None:
    """Make the point of the report the current one, and see whether the run goes on."""
    state.due, point = False, _point(state, numbers)
    state.left_out = numbers["skipped"]
    if "at_start" in numbers:  # stands for f(x0) until that is evaluated
        state.first.value = numbers["at_start"]
    if state.settling:
        state.settled.append(point)
    elif not (math.isfinite(numbers["size"]) and math.isfinite(point.value)):
        text = f"mean value {state.sign * point.value:.6g}, norm_inf(x) = {numbers['size']:.3g}"
        state.closing = Outcome.FAILED_NONFINITE, f"{text} after {state.iteration} steps"
    else:
        if "at_start" in numbers:
            state.first.value = min(state.first.value, point.value)
        state.accepted, state.value_before, state.point = True, state.point.value, point
        if state.closing is not None and state.asked is Asked.WHOLE:
            state.final, state.mean = point, _mean(numbers)
        if early is not None or state.final is None:
            _rank(state, numbers.get("score", point.value), early)


def _point(state: StochasticState, numbers: Numbers) -> Point:
    if "whole" in numbers:
        point: Point = state.trial  # type: ignore[assignment]
        point.value, point.grad_norm = numbers["whole"], numbers["grad_norm"]
        point.grad_norm2 = math.sqrt(numbers["g_g"])
        return point
    return Point(state.here, _mean(numbers), math.nan, math.nan)


def _mean(numbers: Numbers) -> float:
    total: float = numbers["total"]
    return total / numbers["count"] if numbers["count"] else math.nan


def _rank(state: StochasticState, score: float, early: EarlyStopping | None) -> None:
    least = 0.0 if early is None else early.least
    if score < state.score - least:
        state.best = state.lowest = state.point
        state.score, state.stale = score, 0
    else:
        state.stale += 1
    if early is not None and state.stale >= early.patience:
        least_score = f"no score below {state.score:.6g}" if state.lowest else "no finite score"
        state.give_up(Outcome.COMPLETED, f"early, {least_score} in {state.stale} reports")
    if isinstance(state.rate, LiveSchedule):
        state.rate.report(score)


def ask_whole(state: StochasticState, x: Array) -> None:
    """Ask for value and gradient of the whole."""
    state.due = True
    state.pose(x, Wants.VALUE | Wants.GRADIENT, None, Asked.WHOLE)


def finish(state: StochasticState) -> None:
    """End the run, or have the whole evaluated first where a point may be better than the last.

    That is the one of the best report, and x0, of which the first values tell enough.
    """
    outcome, message = state.closing  # type: ignore[misc]
    failed = outcome is Outcome.FAILED_NONFINITE
    last = None if failed else state.point if state.final is None else state.final
    if not state.settling:
        state.settled, state.left = [], [p for p in (state.lowest, state.first) if p is not None]
    found = [*state.settled] if last is None else [last, *state.settled]
    while state.left:
        point = state.left.pop(0)
        least = min((p.value for p in found if p.finite), default=math.inf)
        judged = state.judged and point is state.lowest
        if judged or point.value < least or (failed and not found):
            if point.grad is None:
                state.settling = True
                ask_whole(state, point.x)
                return
            found.append(point)
            state.settled.append(point)
    best = min((p for p in found if p.finite), key=lambda p: p.value, default=None)
    if state.judged and state.settled:
        best = state.settled[0]
    state.best = None if best is last else best
    if state.left_out:
        message += f"; {state.left_out:.0f} gradients were not finite and left out"
    state.trouble = outcome, message
