"""Descent along rays: any memory of curvature with any rule for the step length.

START --absorb--> (first point) --propose--> TRIAL --absorb--+--> ACCEPTED: new direction
                                               ^             |
                                               +-- propose --+--> TRY: same ray, new alpha
                                                             +--> FAILED: drop the memory, once
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

from hessx._xp import Array, Packet, Space
from hessx.core import (
    Frame,
    Outcome,
    Point,
    Reply,
    Request,
    SettingsError,
    Wants,
    check_part,
    saved,
    store_real,
)
from hessx.globalization import LeavingSearch, Verdict
from hessx.hessians import Applied, Identity, Needs
from hessx.solvers._best_point import keep_rejected, keep_when_left
from hessx.solvers._first_point import first_point, settle_start
from hessx.solvers._line_search_state import LineSearchState, Phase
from hessx.solvers._rays import next_ray, remember_direction
from hessx.solvers._trial import ask_point, hopeless, read_point
from hessx.solvers._trouble import (
    floor_reached,
    lost,
    no_step,
)

__all__ = ["LineSearchMethod"]


@saved(host=("x_scale",))
@dataclass(frozen=True, slots=True)
class LineSearchMethod:
    r"""Minimise along rays, x+ = x - alpha A grad f(x).

    Parameters
    ----------
    curvature : Curvature or Approximation
        What A is: `LBFGS`, `NonlinearCG`, `Identity`, `ExactInverse`, one's own `Approximation`.
    rule : StepRule
        How alpha is found: `HagerZhang`, `MoreThuente`, `Armijo`, or given, as in `FixedStep`,
        `DecayingStep` and `BarzilaiBorwein`.
    x_scale : float or array
        The natural size of the variables, > 0.  A number is the length of the first step; with an
        array (shape of x) the method works in x / x_scale.
    first_alpha : float
        The first alpha of a run is no larger, > 0: 1 takes no longer a step than the gradient, as
        SciPy's CG.

    Raises
    ------
    SettingsError
        Parts that do not fit together, or a scale that is not positive.

    Notes
    -----
    Cost: one fetch per trial point.  A failed search drops the memory and restarts along -g, once;
    so do three steps without progress, at the floor of precision.
    Source: Nocedal & Wright (2006), chapter 3.

    Examples
    --------
    >>> import hessx
    >>> method = hessx.LineSearchMethod(hessx.NonlinearCG("pr+"), hessx.MoreThuente(c2=0.1))
    >>> hessx.minimize(lambda x: ((x - 3) @ (x - 3), 2 * (x - 3)), [0.0, 9.0], jac=True,
    ...                method=method).x.round(4)
    array([3., 3.])
    """

    curvature: Any
    rule: Any
    x_scale: Any = 1.0
    first_alpha: float = math.inf

    def __post_init__(self) -> None:
        rules = "a line search or a given step, such as hessx.HagerZhang() or hessx.FixedStep(0.1)"
        check_part("rule", self.rule, "begin", rules)
        known = "hessx.LBFGS(), hessx.Identity() or an object with begin(frame) and needs_pairs"
        check_part("curvature", self.curvature, "remember needs_pairs", known)
        if not hasattr(self.curvature, "remember"):
            object.__setattr__(self, "curvature", Applied(self.curvature))
        identity = isinstance(self.curvature, Identity)
        if getattr(self.rule, "needs_identity", False) and not identity:
            msg = "the short Barzilai-Borwein step belongs to Identity(): use variant='long'"
            raise SettingsError(msg)
        store_real(self, "first_alpha", 0.0, ends="(]")
        if isinstance(self.x_scale, Real):
            store_real(self, "x_scale", 0.0)

    @property
    def _needs(self) -> Needs:
        rule = self.rule
        slope, pair = getattr(rule, "needs_slope", True), getattr(rule, "needs_pair", False)
        return Needs(slope, pair)

    def init(self, space: Space, x0: Array, *, turns: bool = False) -> LineSearchState:
        """Ask for the value and gradient at x0."""
        frame, request = Frame.of(space, self.x_scale), Request(space.flat(x0), 0)
        memory = self.curvature.remember(frame, self._needs)
        return LineSearchState(frame=frame, memory=memory, request=request, turns=turns)

    def absorb(self, state: LineSearchState, reply: Reply) -> LineSearchState:
        """Take an answer in: one fetch, then accept, try again or fail."""
        if reply.ticket != state.request.ticket:
            msg = f"reply {reply.ticket} to request {state.request.ticket}: this state is spent"
            raise ValueError(msg)
        if state.request.wants is Wants.HESSIAN:
            state.memory.linearise(reply.hessian)
            return state
        state.accepted = False
        if state.phase is Phase.START:
            return self._start(state, reply)
        trial = self._measure(state, reply)
        verdict = self._advance(state, trial)
        if verdict is Verdict.ACCEPTED:
            self._accept(state, trial)
            return state
        keep_rejected(state, trial, reply.grad)
        if verdict is not Verdict.TRY:
            self._fail(state, trial)
        return state

    def propose(self, state: LineSearchState, watch: Callable[[], bool]) -> LineSearchState:
        """Ask for the next point: of a new ray, or of the same."""
        if state.renewing:
            state.phase = Phase.START
            state.ask(state.point.x)
            return state
        if state.needs_hessian:
            state.ask_hessian()
            return state
        memory, ray = state.memory, state.ray if state.phase is Phase.TRIAL else None
        if state.search is None or state.accepted:
            if state.turns:
                remember_direction(state)
            trouble = memory.direct(watch)
            if trouble is not None:
                state.trouble = lost(state, *trouble)
                return state
            ray = state.ray = next_ray(state, self.first_alpha)
            state.phase, state.trials, state.farthest = Phase.TRIAL, 0, (0.0, math.nan)
            if ray.slope == -math.inf:
                text = f"the slope along the direction is {ray.slope}"
                state.trouble = lost(state, Outcome.FAILED_NONFINITE, text)
                return state
            known = not math.isnan(ray.slope) or not self._needs.slope
            if ray.slope == 0.0:  # out of a stationary start
                state.search = LeavingSearch.along(ray)
            else:
                state.search = self.rule.begin(ray) if known else None
        alpha = ray.alpha if state.search is None else state.search.alpha  # type: ignore[union-attr]
        state.trials += 1
        state.ask(memory.place(alpha, state.point.x))
        return state

    @property
    def second_order(self) -> bool:
        """Whether products with the Hessian are used."""
        return getattr(self.curvature, "second_order", False)

    def leave(
        self, state: LineSearchState, watch: Callable[[], bool]
    ) -> tuple[LineSearchState, bool, str]:
        """Look for negative curvature at a stationary start; True where the run can go on."""
        if state.needs_hessian:
            state.ask_hessian()
            return state, False, ""
        found, text = state.memory.leave(watch)
        if found:
            state.trouble = None
        return state, found, text

    def gradient(self, state: LineSearchState) -> Array:
        """Give the gradient at the current point."""
        return state.memory.gradient()

    def inverse_hessian(self, state: LineSearchState) -> Any:
        """Give A as an operator, where the memory has one."""
        return state.memory.operator()

    def _start(self, state: LineSearchState, reply: Reply) -> LineSearchState:
        memory, packet = state.memory, Packet(state.space)
        memory.start(reply.grad, packet)
        memory.read_start(first_point(state, reply, packet))
        settle_start(state, memory.grad_norm2, memory.grad_square)
        return state

    def _measure(self, state: LineSearchState, reply: Reply) -> Point:
        """Bring all that the host has to know of the trial, in one packet."""
        memory, x = state.memory, state.request.x
        if hopeless(reply) and state.search is not None:
            return Point(x, reply.value, math.nan, math.nan)
        packet = Packet(state.space)
        trial = ask_point(packet, x, reply)
        memory.measure(reply.grad, packet)
        if state.last_step is not None:
            packet.ask(turn=state.last_step @ memory.d)
        numbers = packet.fetch()
        read_point(trial, numbers, reply)
        memory.read(numbers)
        if state.last_step is not None:
            state.compare_steps(numbers["turn"], math.sqrt(memory.d_square))
            state.last_step = None
        return trial

    def _advance(self, state: LineSearchState, trial: Point) -> Verdict:
        memory = state.memory
        if state.search is None:  # the slope of this ray came with its first trial
            state.ray.slope = memory.start_slope
            if not -math.inf < state.ray.slope < 0.0:
                return Verdict.FAILED
            state.search = self.rule.begin(state.ray)
        state.fell = state.fell or trial.value == -math.inf
        if not trial.finite:
            return state.search.advance(math.nan, memory.slope)
        blur = state.point.precision.blur
        if blur and hasattr(state.search, "shortest"):
            state.search.shortest = blur / math.sqrt(memory.d_square)
        if state.restarted or not memory.unit_step:
            change, noise = abs(trial.value - state.ray.value), state.floor.noise(state.ray.value)
            if change <= 10.0 * noise and state.search.alpha > state.farthest[0]:
                state.farthest = state.search.alpha, memory.slope
        return state.search.advance(trial.value, memory.slope)

    def _accept(self, state: LineSearchState, trial: Point) -> None:
        memory, old, search = state.memory, state.point, state.search
        state.floor.hear(state.search, state.ray.value)
        keep_when_left(state, trial, memory.gradient)
        state.value_before = old.value
        state.alpha = search.alpha  # type: ignore[union-attr]
        state.step_norm = state.alpha * math.sqrt(memory.d_square)
        state.scaled_step_norm = state.step_norm / state.frame.length
        settled, change = getattr(search, "settled", False), memory.slope - memory.start_slope
        state.cut = settled or state.restarted
        over = state.floor.after(old.value, trial, exhausted=settled)
        if memory.foretold is not None:
            state.doubt(memory.foretold * state.alpha, change)
        if not state.floor.idle:
            state.learn_bend(change, state.alpha * memory.d_square)
        promised, again = state.promised if over else math.nan, state.restarted
        state.ray.slope = memory.start_slope
        state.note = memory.accept(learn=not (over and again)) or ("restart" if again else "")
        trial.grad_norm2 = memory.grad_norm2
        state.point, state.last_ray = trial, state.ray
        state.iteration += 1
        state.accepted, state.restarted = True, False
        state.arrive(memory.grad_square)
        if over and state.trouble is None and not state.renew(promised):
            if again:
                state.trouble = floor_reached(state, promised)
            else:
                memory.reset()
                state.restarted, state.floor.left = True, promised

    def _fail(self, state: LineSearchState, trial: Point) -> None:
        """Renew the gradient, or drop the memory and restart along -g, once; then say why not."""
        state.floor.hear(state.search, state.ray.value)
        promised = state.promised
        length = state.memory.alpha * math.sqrt(state.memory.d_square)
        state.search = None
        if state.renew(promised):
            return
        if not state.restarted and state.memory.reset():
            state.restarted, state.floor.left = True, promised
            return
        state.trouble = no_step(state, trial, length, promised, Outcome.FAILED_LINE_SEARCH)
