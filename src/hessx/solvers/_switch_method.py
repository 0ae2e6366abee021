"""One method, then another: cheap steps far out, good ones where f looks like its model.

FIRST --absorb--> a rule holds, or it fails --propose--> SECOND, from the best point so far
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hessx._xp import Array, Numbers, Packet, Space
from hessx.core import Outcome, Reply, SettingsError, Wants, check_flag, check_object, saved
from hessx.globalization import AfterSteps, ModelGood, StepTaken, SwitchRule, as_switch_rules
from hessx.solvers._course import Course
from hessx.solvers._hand_over import hand_over
from hessx.solvers._line_search_method import LineSearchMethod
from hessx.solvers._run_state import RunState
from hessx.solvers._stochastic_method import StochasticMethod
from hessx.solvers._stochastic_state import StochasticState
from hessx.solvers._trust_region_method import TrustRegionMethod

__all__ = ["SwitchMethod"]

_KINDS = (LineSearchMethod, TrustRegionMethod)
# A first method that has ended like this leaves something to do.
_LEFT = (
    Outcome.COMPLETED,
    Outcome.FAILED_LINE_SEARCH,
    Outcome.FAILED_NONFINITE,
    Outcome.FAILED_TRUST_REGION,
    Outcome.STALLED_PRECISION,
)


@saved
@dataclass(frozen=True, slots=True)
class SwitchMethod:
    r"""Begin with one method, and go on with another from the best point so far.

    Parameters
    ----------
    first, second : LineSearchMethod or TrustRegionMethod
        ``first`` may be a `StochasticMethod`: its own budget ends it, or ``when``.
    when : SwitchRule, int, or tuple of them, optional
        `AfterSteps` (a number), `GradientBelow`, `ModelGood`, `Stalled`, or one's own; of several
        the first that holds, and of none, ``()``, the first method's end.  By default
        ``ModelGood()``, and of a stochastic method its end.  Where the first method fails, or comes
        to the floor of precision, the second takes over whatever the rule.
    carry : bool
        What the first has learnt goes on, where it fits: an inverse as ``hess_inv0`` of the
        second, or of an L-BFGS that preconditions it.

    Raises
    ------
    SettingsError
        Parts that do not fit together: a second method that is stochastic, a rule that looks at
        slopes or gradients which steps on samples do not have.

    Notes
    -----
    Value and gradient at the point are handed on, and not evaluated again.  Iterations, counts,
    history and budgets are those of one run; the message says when and why the second took over.
    Cost: that of the two, and one fetch where they change.  A rule sees host numbers: no fetch.

    References
    ----------
    Nocedal & Wright (2006), section 3.3, on the fast steps of Newton's method near a minimiser;
    Conn, Gould & Toint (2000), Trust-Region Methods, section 6.1, for the ratio that tells.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> h = np.geomspace(1.0, 1e3, 20)
    >>> def fun(x):
    ...     return h @ x**2 / 2 + (x @ x) ** 2, h * x + 4 * (x @ x) * x
    >>> method = hessx.SwitchMethod(
    ...     hessx.LineSearchMethod(hessx.Identity(), hessx.HagerZhang()),
    ...     hessx.LineSearchMethod(hessx.Newton(), hessx.HagerZhang()), hessx.GradientBelow(0.1))
    >>> hess = lambda x: np.diag(h + 4 * x @ x) + 8 * np.outer(x, x)
    >>> result = hessx.minimize(fun, np.ones(20), jac=True, hess=hess, method=method)
    >>> result.nit, result.nfev, "the second method took over at step 3" in result.message
    (10, 12, True)
    """

    first: Any
    second: Any
    when: Any = None
    carry: bool = True

    def __post_init__(self) -> None:
        known = "a hessx.LineSearchMethod or hessx.TrustRegionMethod"
        _check("first", self.first, (*_KINDS, StochasticMethod), f"{known}, or StochasticMethod")
        _check("second", self.second, _KINDS, known)
        object.__setattr__(self, "carry", check_flag("carry", self.carry))
        usual = () if self.sampled else (ModelGood(),)
        rules = usual if self.when is None else as_switch_rules(self.when)
        object.__setattr__(self, "when", rules)
        if self.sampled:
            self._check_seen(rules)
            self._limit_samples(rules)

    def _check_seen(self, rules: tuple[SwitchRule, ...]) -> None:
        for rule in rules:
            blind = rule.slopes or (rule.gradient and not self.first.report.full)
            if blind:
                msg = (
                    f"when = {type(rule).__name__}(...) looks at the gradient of the whole, and "
                    "first works on samples: expected a number of steps, hessx.Stalled(), or None "
                    "for the end of first"
                )
                raise SettingsError(msg)

    def _limit_samples(self, rules: tuple[SwitchRule, ...]) -> None:
        """Let a number of steps be the first method's own: its reports are further apart."""
        for rule in rules:
            if isinstance(rule, AfterSteps):
                steps = min(rule.steps, self.first.steps or rule.steps)
                object.__setattr__(self, "first", replace(self.first, steps=steps))

    @property
    def sampled(self) -> bool:
        """Whether the first method works on samples."""
        return isinstance(self.first, StochasticMethod)

    @property
    def N(self) -> int | None:  # noqa: N802 - rows of a sum
        """Rows of the sum, where they are known."""
        return self.first.N if self.sampled else None

    @property
    def x_scale(self) -> Any:
        """That of the second method."""
        return self.second.x_scale

    @property
    def wants(self) -> Wants:
        """What either asks for."""
        wants: Wants = self.first.wants | self.second.wants
        return wants

    def over(self, N: int | None) -> SwitchMethod:
        """Give the method for a sum of so many rows; see `StochasticMethod`."""
        return replace(self, first=self.first.over(N)) if self.sampled else self

    def init(self, space: Space, x0: Array, *, turns: bool = False) -> RunState:
        """Begin with the first."""
        state: RunState = self.first.init(space, x0, turns=turns)
        state.course = Course([rule.begin() for rule in self.when])
        return state

    def measure(self, state: RunState, reply: Reply) -> Packet:
        """Let the one at work take the answer in."""
        packet: Packet = self._at_work(state).measure(state, reply)
        return packet

    def absorb(self, state: RunState, numbers: Numbers) -> RunState:
        """Let the one at work accept or reject; see whether the second is to take over."""
        state = self._at_work(state).absorb(state, numbers)
        course = _course(state)
        if not course.switched:
            if _left(state):
                self._end_first(state)
            elif state.accepted and state.trouble is None and state.iteration > course.seen:
                self._look(state)
        return state

    def propose(self, state: RunState, watch: Callable[[], bool]) -> RunState:
        """Let the one at work propose, the second where it is to take over."""
        course = _course(state)
        if not (course.switched or course.due):
            state = self.first.propose(state, watch)
            if _left(state):
                self._end_first(state)
        if course.due:
            state = self._take_over(state)
            if state.trouble is not None:
                return state
        if course.switched:
            state = self.second.propose(state, watch)
        return state

    def leave(self, state: RunState, watch: Callable[[], bool]) -> tuple[RunState, bool, str]:
        """Look for negative curvature at a stationary start, with the one that knows of it."""
        if not _course(state).switched and self.second.wants:
            state.course.due = "x0 is stationary"  # type: ignore[union-attr]
            state = self._take_over(state)
        left: tuple[RunState, bool, str] = self._at_work(state).leave(state, watch)
        return left

    def gradient(self, state: RunState) -> Array:
        """Give the gradient at the current point."""
        return self._at_work(state).gradient(state)

    def inverse_hessian(self, state: RunState) -> Any:
        """Give A, where the one at work has one."""
        return self._at_work(state).inverse_hessian(state)

    def _at_work(self, state: RunState) -> Any:
        return _course(state).at_work(self)

    def _look(self, state: RunState) -> None:
        """Show a step to the rules."""
        course, point = _course(state), state.point
        step = StepTaken(state.iteration, point.value, point.grad_norm, state.slopes)
        course.seen = state.iteration
        reasons = [live.after(step) for live in course.rules]  # each sees every step
        reason = next(filter(None, reasons), "")
        if reason and isinstance(state, StochasticState):  # the whole is to be evaluated first
            state.give_up(Outcome.COMPLETED, reason)
        elif reason:
            course.due, state.note = reason, "switch"

    def _end_first(self, state: RunState) -> None:
        """Have the second take over from a method that has ended."""
        outcome, text = state.trouble  # type: ignore[misc]
        done = outcome is Outcome.COMPLETED
        _course(state).due = text if done else f"{outcome.value}, {text}"
        state.trouble = None

    def _take_over(self, state: RunState) -> RunState:
        """Begin the second where the first has come to."""
        course = _course(state)
        learnt = self.first.inverse_hessian(state) if self.carry else None
        later = hand_over(self.first, state, self.second, learnt)
        course.go_on(state.iteration)
        later.course = course
        return later


def _check(name: str, given: Any, kinds: tuple[type, ...], expected: str) -> None:
    check_object(name, given)
    if not isinstance(given, kinds):
        msg = f"{name} is a {type(given).__name__}: expected {expected}"
        raise SettingsError(msg)


def _course(state: RunState) -> Course:
    return state.course  # type: ignore[return-value]


def _left(state: RunState) -> bool:
    """Whether the first has ended with something left to do, at a point to go on from."""
    if state.trouble is None or state.trouble[0] not in _LEFT:
        return False
    return (state.point if state.best is None else state.best).finite
