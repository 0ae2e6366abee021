"""Descent along rays: any direction with any rule for the step length.

START --absorb--> (first point) --propose--> TRIAL --absorb--+--> ACCEPTED: new direction
                                               ^             |
                                               +-- propose --+--> TRY: same ray, new alpha
                                                             +--> FAILED: -g, once
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

from hessx._xp import Array, Numbers, Packet, Space
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
from hessx.directions import DirectionRule, Needs, QuasiNewton, as_direction
from hessx.globalization import LeavingSearch, StepRule, Verdict
from hessx.hessians import Approximation, Identity
from hessx.solvers._best_point import keep_rejected, keep_when_left
from hessx.solvers._first_point import ask_start, read_start, settle_start
from hessx.solvers._line_search_state import LineSearchState, Phase
from hessx.solvers._rays import next_ray, remember_direction
from hessx.solvers._trial import ask_point, hopeless, read_point
from hessx.solvers._trouble import floor_reached, lost, no_step

__all__ = ["LineSearchMethod"]


@saved(host=("x_scale",))
@dataclass(frozen=True, slots=True)
class LineSearchMethod:
    r"""Minimise along rays, x+ = x - alpha A grad f(x).

    Parameters
    ----------
    direction : DirectionRule or Approximation
        `NonlinearCG`, `NewtonCG`, or d = -A g for an approximation that is positive definite:
        `LBFGS`, `BFGS`, `Identity`, `ExactInverse`, one's own; given bare it is a `QuasiNewton`.
    rule : StepRule
        How alpha is found: `HagerZhang`, `MoreThuente`, `Armijo`, or given, as in `FixedStep`,
        `DecayingStep` and `BarzilaiBorwein`; or one's own.
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

    direction: DirectionRule | Approximation
    rule: StepRule
    x_scale: object = 1.0
    first_alpha: float = math.inf

    def __post_init__(self) -> None:
        rules = (
            "a line search or a given step, such as hessx.HagerZhang() or hessx.FixedStep(0.1); "
            "one's own is a subclass of hessx.StepRule"
        )
        check_part("rule", self.rule, StepRule, rules)
        direction = as_direction(self.direction)
        object.__setattr__(self, "direction", direction)
        plain = isinstance(direction, QuasiNewton) and isinstance(direction.approximation, Identity)
        if self.rule.needs_identity and not plain:
            msg = "the short Barzilai-Borwein step belongs to Identity(): use variant='long'"
            raise SettingsError(msg)
        store_real(self, "first_alpha", 0.0, ends="(]")
        if isinstance(self.x_scale, Real):
            store_real(self, "x_scale", 0.0)

    @property
    def _direction(self) -> DirectionRule:
        return self.direction  # type: ignore[return-value]

    @property
    def _needs(self) -> Needs:
        return Needs(self.rule.needs_slope, self.rule.needs_pair)

    def init(self, space: Space, x0: Array, *, turns: bool = False) -> LineSearchState:
        """Ask for the value and gradient at x0."""
        frame, request = Frame.of(space, self.x_scale), Request(space.flat(x0), 0)
        return LineSearchState(
            frame=frame,
            direction=self._direction.begin(frame, self._needs),
            steps=self.rule.begin(),
            request=request,
            evidence=self.wants,
            turns=turns,
        )

    def measure(self, state: LineSearchState, reply: Reply) -> Packet:
        """Take an answer in, and name what the host has to see of it."""
        packet, direction = state.hear(reply), state.direction
        if state.request.evidence:
            direction.at(reply.evidence)
        elif state.phase is Phase.START:
            direction.start(reply.grad, packet)
            ask_start(state, reply, packet)
        elif hopeless(reply) and state.search is not None:
            state.trial = Point(state.request.x, reply.value, math.nan, math.nan)
        else:
            ask_point(state, reply, packet)
            direction.measure(reply.grad, packet)
            if state.last_step is not None:
                packet.ask(turn=state.last_step @ state.track.d)
        return packet

    def absorb(self, state: LineSearchState, numbers: Numbers) -> LineSearchState:
        """Accept, try again or fail, by the numbers of the packet."""
        if not state.request.evidence:
            state.accepted = False
            if state.phase is Phase.START:
                self._start(state, numbers)
            else:
                self._judge(state, self._read(state, numbers))
        state.reply = state.trial = None
        return state

    def propose(self, state: LineSearchState, watch: Callable[[], bool]) -> LineSearchState:
        """Ask for the next point: of a new ray, or of the same."""
        if state.renewing:
            state.phase = Phase.START
            state.ask(state.point.x)
            return state
        if state.asks_hessian():
            return state
        ray = state.ray if state.phase is Phase.TRIAL else None
        if state.search is None or state.accepted:
            if state.turns:
                remember_direction(state)
            trouble = state.direction.turn(watch)
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
                state.search = state.steps.search(ray) if known else None
        alpha = ray.alpha if state.search is None else state.search.alpha  # type: ignore[union-attr]
        state.trials += 1
        state.ask(state.track.place(alpha, state.point.x))
        return state

    @property
    def wants(self) -> Wants:
        """What is asked for at accepted points: the Hessian, the residual, or nothing."""
        return self._direction.wants

    def leave(
        self, state: LineSearchState, watch: Callable[[], bool]
    ) -> tuple[LineSearchState, bool, str]:
        """Look for negative curvature at a stationary start; True where the run can go on."""
        if state.asks_hessian():
            return state, False, ""
        found, text = state.direction.leave(watch)
        if found:
            state.trouble = None
        return state, found, text

    def gradient(self, state: LineSearchState) -> Array:
        """Give the gradient at the current point."""
        return state.track.gradient()

    def inverse_hessian(self, state: LineSearchState) -> Any:
        """Give A, where the direction has one."""
        return state.direction.inverse_hessian()

    def _start(self, state: LineSearchState, numbers: Numbers) -> None:
        track = state.track
        track.read_start(numbers)
        read_start(state, numbers)
        settle_start(state, track.grad_norm2, track.grad_square)

    def _read(self, state: LineSearchState, numbers: Numbers) -> Point:
        """Give the trial, and the direction, what the host has come to know of them."""
        if not numbers:  # f alone said enough
            return state.trial  # type: ignore[return-value]
        trial = read_point(state, numbers)
        state.direction.read(numbers)
        if state.last_step is not None:
            state.compare_steps(numbers["turn"], math.sqrt(state.track.d_square))
            state.last_step = None
        return trial

    def _judge(self, state: LineSearchState, trial: Point) -> None:
        verdict = self._advance(state, trial)
        if verdict is Verdict.ACCEPTED:
            self._accept(state, trial)
            return
        keep_rejected(state, trial)
        state.direction.reject()
        if verdict is not Verdict.TRY:
            self._fail(state, trial)

    def _advance(self, state: LineSearchState, trial: Point) -> Verdict:
        track = state.track
        if state.search is None:  # the slope of this ray came with its first trial
            state.ray.slope = track.start_slope
            if not -math.inf < state.ray.slope < 0.0:
                return Verdict.FAILED
            state.search = state.steps.search(state.ray)
        state.fell = state.fell or trial.value == -math.inf
        if not trial.finite:
            return state.search.advance(math.nan, track.slope)
        blur = state.point.precision.blur
        if blur:
            state.search.shortest = blur / math.sqrt(track.d_square)
        if state.restarted or not state.direction.sized:
            change, noise = abs(trial.value - state.ray.value), state.floor.noise(state.ray.value)
            if change <= 10.0 * noise and state.search.alpha > state.farthest[0]:
                state.farthest = state.search.alpha, track.slope
        return state.search.advance(trial.value, track.slope)

    def _accept(self, state: LineSearchState, trial: Point) -> None:
        direction, track, old, ray = state.direction, state.track, state.point, state.ray
        search: Any = state.search
        state.floor.hear(search.noise, ray.value)
        keep_when_left(state, trial, track.gradient)
        state.value_before = old.value
        state.alpha = search.alpha
        state.step_norm = state.alpha * math.sqrt(track.d_square)
        state.scaled_step_norm = state.step_norm / state.frame.length
        settled, change = search.settled, track.slope - track.start_slope
        state.slopes = state.alpha * track.start_slope, state.alpha * track.slope
        state.cut = settled or state.restarted
        over = state.floor.after(old.value, trial, exhausted=settled)
        if direction.foretold is not None:
            state.doubt(direction.foretold * state.alpha, change)
        if not state.floor.idle:
            state.learn_bend(change, state.alpha * track.d_square)
        promised, again = state.promised if over else math.nan, state.restarted
        ray.slope = track.start_slope
        state.note = direction.accept(learn=not (over and again)) or ("restart" if again else "")
        state.steps.after(ray, state.alpha, track.s_y, track.y_y)
        trial.grad_norm2 = track.grad_norm2
        state.point, state.last_ray = trial, ray
        state.iteration += 1
        state.accepted, state.restarted = True, False
        state.arrive(track.grad_square)
        if over and state.trouble is None and not state.renew(promised):
            if again:
                state.trouble = floor_reached(state, promised)
            else:
                direction.reset()
                state.restarted, state.floor.left = True, promised

    def _fail(self, state: LineSearchState, trial: Point) -> None:
        """Renew the gradient, or drop the memory and restart along -g, once; then say why not."""
        if state.search is not None:
            state.floor.hear(state.search.noise, state.ray.value)
        promised = state.promised
        length = state.track.alpha * math.sqrt(state.track.d_square)
        state.search = None
        if state.renew(promised):
            return
        if not state.restarted and state.direction.reset():
            state.restarted, state.floor.left = True, promised
            return
        state.trouble = no_step(state, trial, length, promised, Outcome.FAILED_LINE_SEARCH)
