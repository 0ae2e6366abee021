"""The steps of a stochastic method: questions, lessons, trials, and the move."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hessx._xp import Array, Numbers, Packet, plus_scaled
from hessx.core import Outcome, Pair, Reply, Wants
from hessx.globalization import LiveArmijo, LiveSchedule
from hessx.solvers._closing import ask_whole
from hessx.solvers._stochastic_state import Asked, StochasticState

__all__ = [
    "ask_more",
    "ask_pair",
    "ask_trial",
    "begin_step",
    "go_on",
    "hold",
    "make_step",
    "read_pair",
    "teach",
    "train",
]


def begin_step(state: StochasticState, batches: int) -> None:
    """Take the samples of the next step, and pose the first question."""
    state.samples, state.question, state.taught = state.walk.take(batches), 0, 0
    state.at = state.x if state.average is None else state.average.asks_at(state.x)
    state.asked = Asked.TRAIN
    ask_more(state)


def ask_more(state: StochasticState) -> bool:
    """Pose the next question, or ask for a lesson; False where the step can be made."""
    if state.asked is Asked.TRAIN:
        question = state.estimate.ask(state.question, state.at, state.samples)
        if question is not None:
            wants = question.wants
            if state.question == 0:
                wants |= state.wants & Wants.PER_SAMPLE
            state.pose(question.x, wants, question.sample, Asked.TRAIN)
            return True
    return _ask_lesson(state)


def _ask_lesson(state: StochasticState) -> bool:
    """Ask for the Hessian of the next lesson, or again for one that a load has lost."""
    t, i, chain, last = state.iteration + 1, state.taught, state.chain, state.request
    state.again = again = state.asked is Asked.LESSON and chain.waits(t, i - 1)
    if again:
        state.taught -= 1
        state.pose(last.x, Wants.HESSIAN, last.sample, Asked.LESSON)
        return True
    due: str = chain.lesson_due(t, i)
    if due:
        sample = state.samples[0] if due == "same" else state.lessons.next()
        state.pose(chain.place(t, state.at, i), Wants.HESSIAN, sample, Asked.LESSON)
    return due != ""


def teach(state: StochasticState, hessian: Any) -> None:
    """Give the lesson that was asked for."""
    state.chain.learn(state.iteration + 1, hessian, state.taught, again=state.again)
    state.taught += 1


def ask_pair(state: StochasticState, packet: Packet, found: tuple[Array, Array] | None) -> None:
    """Ask for the products of a pair, where one has been found."""
    if found is not None:
        s, y = found
        state.pair = Pair(s, y)
        packet.ask_products(s_s=(s, s), s_y=(s, y), y_y=(y, y))
        state.chain.measure_pair(state.pair, packet)


def read_pair(state: StochasticState, numbers: Numbers) -> None:
    """Learn from the pair."""
    pair, state.pair = state.pair, None
    if pair is not None:
        pair.s_s, pair.s_y, pair.y_y = numbers["s_s"], numbers["s_y"], numbers["y_y"]
        state.note = state.chain.learn_pair(pair, numbers)


def train(state: StochasticState, reply: Reply, *, skip_nonfinite: bool) -> None:
    """Take the answer to a question, and add the value to those of the report."""
    sample = state.request.sample
    if skip_nonfinite:
        reply = _finite(state, reply)
    state.estimate.take(state.question, reply, state.samples)
    if state.request.x is state.at and state.estimate.pair is None:
        share = 1.0 if sample is None else sample.size / state.walk.size
        value = reply.value if share == 1.0 else reply.value * share
        state.total, state.count = state.total + value, state.count + share
        state.value = reply.value
        if state.iteration == 0 and state.question == 0 and not state.exact:
            state.at_start = reply.value
    state.question += 1
    if reply.per_sample is not None:
        state.chain.learn_rows(state.iteration + 1, reply.per_sample)


def _finite(state: StochasticState, reply: Reply) -> Reply:
    """Put zeros in the place of a value and gradient that are not finite, and count that."""
    space, xp = state.space, state.space.xp
    grad: Array = reply.grad
    good = xp.isfinite(grad @ grad)
    if type(reply.value) is not float:
        good = xp.logical_and(good, xp.isfinite(reply.value))
    none = xp.zeros_like(grad)
    state.skipped = state.skipped + xp.astype(xp.logical_not(good), space.dtype)
    value = xp.where(good, reply.value + none[0], none[0])
    return replace(reply, value=value, grad=xp.where(good, grad, none))


def make_step(state: StochasticState) -> bool:
    """Move x by the gradient at hand; False where a trial is to be asked for first."""
    t, g, rate, chain = state.iteration + 1, state.estimate.g, state.rate, state.chain
    if isinstance(rate, LiveSchedule):
        state.alpha = rate.at(t)
        state.x = chain.step(t, g, state.at, state.alpha, state.x)
    elif not isinstance(rate, LiveArmijo):
        d = chain.direction(t, g, state.at)
        state.x = plus_scaled(state.space, state.x, d, -rate.at(t, state.value, g, d))
    elif state.d is None:
        d = chain.direction(t, g, state.at)
        state.d = state.space.copy(d) if d is g else d  # g may be a buffer of the user's
        state.slope = g @ d
        sample = state.samples[0]
        rate.begin(1.0 if sample is None else sample.size / state.walk.N)
        ask_trial(state)
        return False
    else:
        state.alpha, state.x = rate.rate, state.request.x
        state.d = state.slope = None
    state.iteration = t
    if state.average is not None:
        state.average.after(state.x, state.alpha)
    return True


def ask_trial(state: StochasticState) -> None:
    """Ask for the value of the sample at the next trial of the search."""
    x = plus_scaled(state.space, state.x, state.d, -state.rate.rate)
    state.pose(x, Wants.VALUE, state.samples[0], Asked.TRIAL)


def go_on(state: StochasticState, batches: int, *, full: bool = False) -> None:
    """Begin a step, unless the run is at its end or a report of the whole is due."""
    if state.iteration >= state.steps:
        text, walk = f"{state.iteration} steps", state.walk
        if walk.size:
            text += f", {walk.epoch + walk.start / walk.N:.4g} epochs"
        state.give_up(Outcome.COMPLETED, text)
    state.due = state.exact if state.iteration == 0 else state.iteration % state.period == 0
    if state.closing is not None or (state.due and full and not state.exact):
        ask_whole(state, state.result)
    else:
        begin_step(state, batches)


def hold(state: StochasticState, packet: Packet) -> None:
    """On a lazy library compute at each step, so that no graph grows from step to step."""
    packet.ask(mean=state.total)
    packet.hold(state, "x", "at")
    parts: tuple[Any, ...] = (state.chain, state.estimate, state.average, state.rate)
    for part in parts:
        if hasattr(part, "hold"):
            part.hold(packet)
    if state.trial is not None:
        packet.hold(state.trial, "grad")
