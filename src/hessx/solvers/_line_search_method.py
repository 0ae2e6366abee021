"""Descent along rays: any memory of curvature with any rule for the step length.

START --absorb--> (first point) --propose--> TRIAL --absorb--+--> ACCEPTED: new direction
                                               ^             |
                                               +-- propose --+--> TRY: same ray, new alpha
                                                             +--> FAILED: drop the memory, once
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from hessx._xp import Array, Space, fetch
from hessx.core import (
    Outcome,
    Point,
    Reply,
    Request,
    SettingsError,
    check_part,
    positive_vector,
    saved,
    store_real,
)
from hessx.globalization import LeavingSearch, Ray, Verdict
from hessx.hessians import Applied, Identity, Needs
from hessx.solvers._first_point import first_point
from hessx.solvers._keeping import keep_rejected, keep_when_left
from hessx.solvers._line_search_state import LineSearchState, Phase
from hessx.solvers._trouble import not_finite, out_of_range

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

    Raises
    ------
    SettingsError
        Parts that do not fit together, or a scale that is not positive.

    Notes
    -----
    Cost: one fetch per trial point.  A failed search drops the memory and restarts along -g, once.
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
    _length: float = field(init=False, repr=False)  # of a first step, in x or in x / x_scale

    def __post_init__(self) -> None:
        rules = "a line search or a given step, such as hessx.HagerZhang() or hessx.FixedStep(0.1)"
        check_part("rule", self.rule, "begin", rules)
        known = "hessx.LBFGS(), hessx.Identity() or an object with start(space, scale)"
        check_part("curvature", self.curvature, "remember start", known)
        if not hasattr(self.curvature, "remember"):
            object.__setattr__(self, "curvature", Applied(self.curvature))
        identity = isinstance(self.curvature, Identity)
        if getattr(self.rule, "needs_identity", False) and not identity:
            msg = "the short Barzilai-Borwein step belongs to Identity(): use variant='long'"
            raise SettingsError(msg)
        length: Any = 1.0
        if isinstance(self.x_scale, Real):
            store_real(self, "x_scale", 0.0)
            length = self.x_scale
        object.__setattr__(self, "_length", length)

    @property
    def _needs(self) -> Needs:
        rule = self.rule
        slope, pair = getattr(rule, "needs_slope", True), getattr(rule, "needs_pair", False)
        return Needs(slope, pair, self._length)

    def init(self, space: Space, x0: Array, *, turns: bool = False) -> LineSearchState:
        """Ask for the value and gradient at x0."""
        scale = None
        if not isinstance(self.x_scale, Real):
            scale = positive_vector(space, self.x_scale, "x_scale")
        memory = self.curvature.remember(space, scale, self._needs)
        request = Request(space.flat(x0), 0)
        return LineSearchState(space=space, memory=memory, request=request, turns=turns)

    def absorb(self, state: LineSearchState, reply: Reply) -> LineSearchState:
        """Take an answer in: one fetch, then accept, try again or fail."""
        if reply.ticket != state.request.ticket:
            msg = f"reply {reply.ticket} to request {state.request.ticket}: this state is spent"
            raise ValueError(msg)
        state.accepted = False
        if state.phase is Phase.START:
            return self._start(state, reply)
        trial = self._measure(state, reply)
        if trial.value == -math.inf:
            state.trouble = Outcome.UNBOUNDED_BELOW, "f is -inf"
            return state
        verdict = self._advance(state, trial)
        if verdict is Verdict.ACCEPTED:
            self._accept(state, trial)
            return state
        keep_rejected(state, trial, reply.grad)
        if verdict is not Verdict.TRY:
            self._fail(state, trial)
        return state

    def propose(self, state: LineSearchState) -> LineSearchState:
        """Ask for the next point: of a new ray, or of the same."""
        memory, ray = state.memory, state.ray if state.phase is Phase.TRIAL else None
        if state.search is None or state.accepted:
            if state.turns:
                _remember_direction(state)
            state.trouble = memory.direct()
            if state.trouble is not None:
                return state
            ray = state.ray = self._ray(state)
            state.phase, state.trials = Phase.TRIAL, 0
            known = not math.isnan(ray.slope) or not self._needs.slope
            if ray.slope == 0.0:  # out of a stationary start
                state.search = LeavingSearch.along(ray)
            else:
                state.search = self.rule.begin(ray) if known else None
        alpha = ray.alpha if state.search is None else state.search.alpha  # type: ignore[union-attr]
        state.trials += 1
        state.request = Request(memory.place(alpha, state.point.x), state.request.ticket + 1)
        return state

    @property
    def second_order(self) -> bool:
        """Whether products with the Hessian are used."""
        return getattr(self.curvature, "second_order", False)

    def linearise(self, state: LineSearchState, hessian: Any) -> LineSearchState:
        """Take the Hessian at the current point."""
        state.memory.linearise(hessian)
        return state

    def leave(self, state: LineSearchState) -> tuple[LineSearchState, bool, str]:
        """Look for negative curvature at a stationary start; True where the run can go on."""
        found, text = state.memory.leave()
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
        memory = state.memory
        wanted = memory.start(reply.grad)
        point, trouble, values, held = first_point(
            state.space, state.request.x, reply, wanted, memory.kept()
        )
        memory.replace(held)
        memory.read_start(values)
        point.grad_norm2 = math.sqrt(memory.grad_square)
        state.point, state.first = point, point.bare()
        state.accepted = trouble is None
        state.trouble = trouble or out_of_range(memory.grad_square)
        return state

    def _measure(self, state: LineSearchState, reply: Reply) -> Point:
        """Bring all that the host has to know of the trial, in one packet."""
        memory, space, x = state.memory, state.space, state.request.x
        on_host = type(reply.value) is float and state.search is not None
        if on_host and not math.isfinite(reply.value):  # the gradient is of no use then
            return Point(x, reply.value, math.nan, math.nan)
        wanted = memory.look(reply.grad)
        if state.last_step is not None:
            wanted.append(state.last_step @ memory.d)
        values, (x, *held) = fetch(
            space, [reply.value, *wanted], [x, *memory.kept()] if space.lazy else (x,)
        )
        if space.lazy:
            memory.replace(held)
        value, high, low, *products = values
        turn = math.nan if state.last_step is None else products.pop()
        memory.read(products)
        if state.last_step is not None:
            state.turn(turn, math.sqrt(memory.d_square))
            state.last_step = None
        return Point(x, value, max(high, -low), math.nan)

    def _advance(self, state: LineSearchState, trial: Point) -> Verdict:
        memory = state.memory
        if state.search is None:  # the slope of this ray came with its first trial
            state.ray.slope = memory.start_slope
            if not -math.inf < state.ray.slope < 0.0:
                return Verdict.FAILED
            state.search = self.rule.begin(state.ray)
        value = trial.value if math.isfinite(trial.grad_norm) else math.nan
        return state.search.advance(value, memory.slope)

    def _accept(self, state: LineSearchState, trial: Point) -> None:
        memory, old = state.memory, state.point
        keep_when_left(state, trial, memory.gradient)
        state.value_before = old.value
        state.alpha = state.search.alpha  # type: ignore[union-attr]
        state.step_norm = state.alpha * math.sqrt(memory.d_square)
        state.scaled_step_norm = state.step_norm / self._length
        state.ray.slope = memory.start_slope
        state.note = memory.take() or ("restart" if state.restarted else "")
        trial.grad_norm2 = math.sqrt(memory.grad_square)
        state.point, state.last_ray = trial, state.ray
        state.iteration += 1
        state.accepted, state.restarted = True, False
        state.trouble = out_of_range(memory.grad_square)

    def _fail(self, state: LineSearchState, trial: Point) -> None:
        """Drop the memory and restart along -g, once; then say why nothing more is possible."""
        memory = state.memory
        state.search = None
        if memory.drop() and not state.restarted:
            state.restarted = True
            return
        f, f0, eps = trial.value, state.point.value, state.space.eps
        change = abs(f - f0)
        numbers = f"f = {f0:.6g}, gradient norm {state.point.grad_norm:.3g}"
        if not trial.finite:
            state.trouble = not_finite(trial, f"the last of {state.trials} trials")
        elif change <= 10.0 * eps * max(abs(f), abs(f0)):
            text = f"f changes by {change:.3g} along the ray, within its rounding; {numbers}"
            state.trouble = Outcome.STALLED_PRECISION, text
        else:
            text = f"no acceptable step in {state.trials} trials; {numbers}"
            state.trouble = Outcome.FAILED_LINE_SEARCH, text

    def _ray(self, state: LineSearchState) -> Ray:
        """The ray's start and the first trial: 1 for Newton kinds, else from the last ray."""
        memory, last, eps = state.memory, state.last_ray, state.space.eps
        slope = memory.start_slope
        if memory.unit_step:
            alpha = 1.0
        elif last is None:
            alpha = self._length / math.sqrt(memory.grad_square)
        elif state.restarted:
            alpha = state.step_norm / math.sqrt(memory.grad_square)
        elif math.isnan(slope):  # not known before the first trial
            alpha = state.alpha
        else:
            alpha = state.alpha * last.slope / slope
        ray = Ray(state.point.value, slope, alpha, eps, state.iteration)
        ray.recent = (ray.value,) if last is None else (*last.recent[-9:], ray.value)
        if last is not None:
            ray.last_alpha, ray.last_slope = state.alpha, last.slope
            ray.s_y, ray.y_y = memory.s_y, memory.y_y
        return ray


def _remember_direction(state: LineSearchState) -> None:
    """Keep the direction just followed, for its cosine with the next one."""
    state.cosine = math.nan
    if state.accepted and state.iteration:
        state.last_step = state.space.copy(state.memory.d)
        state.last_length = math.sqrt(state.memory.d_square)
