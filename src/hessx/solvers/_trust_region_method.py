"""Any approximation in a trust region: matrix-free, and at home with negative curvature.

START --absorb--> (first point) --propose--> TRIAL --absorb--> accepted: new model
                                               ^----propose--< rejected: tighter restraint
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from hessx._xp import Array, Numbers, Packet, Space
from hessx.core import (
    Ball,
    Frame,
    Outcome,
    Point,
    Reply,
    Request,
    Wants,
    check_part,
    saved,
    store_real,
)
from hessx.directions import NewtonPart, evidence_of, settle_newton, way_out
from hessx.globalization import Forcing, ForcingRule, Noise, RadiusRule, RestraintRule
from hessx.hessians import Approximation, Exact, LearntDiagonal
from hessx.krylov import KrylovOutcome, Subproblem, TruncatedCG
from hessx.solvers._best_point import keep_rejected, keep_when_left
from hessx.solvers._trouble import REJECTIONS, beyond_range, floor_reached, lost, no_step
from hessx.solvers._trust_region_state import TrustRegionState
from hessx.solvers._trust_region_trial import (
    learn,
    measure_start,
    measure_trial,
    minimised,
    read_first,
    read_trial,
)

__all__ = ["TrustRegionMethod"]

_FORETOLD, _EXPANSION = 0.75, 5.0  # along negative curvature the next piece may be longer
_MANY = 8  # trials for one step: the region has become small for lack of anything better
_SHORTENED = frozenset({KrylovOutcome.BOUNDARY, KrylovOutcome.RESTRAINED})


@saved(host=("x_scale",))
@dataclass(frozen=True, slots=True)
class TrustRegionMethod:
    r"""Minimise by x+ = x + argmin over norm(p) <= radius of g'p + p'Bp / 2.

    Or under another restraint: g'p + p'Bp / 2 + sigma norm(p)^2 / 2 (Levenberg-Marquardt) with
    `NielsenRule`, g'p + p'Bp / 2 + sigma norm(p)^3 / 3 (ARC) with `CubicRule`.

    Parameters
    ----------
    approximation : Approximation
        What B is: `Exact`, or what learns from steps, `LBFGS`, `BFGS`, `SR1`, one's own.
    subproblem : Subproblem
        Solves the model: `TruncatedCG` (in a region, Steihaug-Toint, or damped), `GLTR` (in a
        region, or with a cubic term), `MoreSorensen` (exactly, for a dense B), `Dogleg` (in a
        region, for a positive definite B), or for `Zero` `SteepestStep`.
    region : RestraintRule
        How the restraint changes: `RadiusRule`, `NielsenRule` or `CubicRule`.
    forcing : Forcing or EisenstatWalker
        How exactly the model is solved.
    preconditioner : optional
        None, "jacobi", "pairs", an `Approximation`, or M itself: an operator, a matrix or r -> M r.
        The norm of the restraint is then norm(p) = sqrt(p' M^-1 p).  By default `LearntDiagonal`,
        which does nothing while solves are short; None for `MoreSorensen` and `Dogleg`.
    max_inner : int, optional
        Products at most per model; by default max(2 n, 50), but at most max(200, 4 sqrt(n)).
    x_scale : float or array
        Natural size of the variables, > 0; with an array, like x, the method works in x / x_scale.

    Raises
    ------
    SettingsError
        Parts that do not fit together, or a setting out of range.

    Notes
    -----
    Cost: one fetch per CG step and one per trial point; value and gradient are asked for together.
    Memory on NumPy: 10 vectors beside x0 with `TruncatedCG`, 13 while a diagonal is learnt.

    References
    ----------
    Steihaug (1983), SIAM J. Numer. Anal. 20; Conn, Gould & Toint (2000), Trust-Region Methods,
    algorithms 6.1.1 and 7.5.1; Nocedal & Wright (2006), algorithms 4.1 and 7.2; for the cubic term
    Cartis, Gould & Toint (2011), Math. Program. 127.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> saddle = lambda x: x[0] ** 4 / 4 - x[0] ** 2 / 2 + x[1] ** 2
    >>> result = hessx.minimize(saddle, [0.0, 1.0], method=hessx.TrustRegionMethod(),
    ...     jac=lambda x: np.array([x[0] ** 3 - x[0], 2 * x[1]]),
    ...     hessp=lambda x, p: np.array([(3 * x[0] ** 2 - 1) * p[0], 2 * p[1]]))
    >>> result.success
    True
    """

    approximation: Approximation = field(default_factory=Exact)
    subproblem: Subproblem = field(default_factory=TruncatedCG)
    region: RestraintRule = field(default_factory=RadiusRule)
    forcing: ForcingRule = field(default_factory=Forcing)
    preconditioner: object = field(default_factory=LearntDiagonal)
    max_inner: int | None = None
    x_scale: object = 1.0

    def __post_init__(self) -> None:
        rules = "hessx.RadiusRule(), hessx.NielsenRule() or hessx.CubicRule()"
        check_part("region", self.region, RestraintRule, rules)
        settle_newton(self, self.region.restraint)
        if isinstance(self.x_scale, Real):
            store_real(self, "x_scale", 0.0)

    @property
    def wants(self) -> Wants:
        """What is asked for at accepted points: the Hessian, the residual, or nothing."""
        return evidence_of(self)

    def init(self, space: Space, x0: Array, *, turns: bool = False) -> TrustRegionState:
        """Ask for the value and gradient at x0."""
        frame = Frame.of(space, self.x_scale)
        return TrustRegionState(
            frame=frame,
            request=Request(space.flat(x0), 0),
            region=self.region.begin(),
            part=NewtonPart(frame, self),
            evidence=self.wants,
            turns=turns,
        )

    def measure(self, state: TrustRegionState, reply: Reply) -> Packet:
        """Take an answer in, and name what the host has to see of it."""
        packet = state.hear(reply)
        if state.request.evidence:
            state.part.at(reply.evidence)
        elif state.started:
            measure_trial(state, reply, packet)
        else:
            measure_start(state, reply, packet)
        return packet

    def absorb(self, state: TrustRegionState, numbers: Numbers) -> TrustRegionState:
        """Accept, or tighten the restraint, by the numbers of the packet."""
        if not state.request.evidence:
            state.accepted = False
            if state.started:
                self._judge(state, *read_trial(state, numbers))
            else:
                read_first(state, numbers)
        state.reply = state.trial = None
        return state

    def propose(self, state: TrustRegionState, watch: Callable[[], bool]) -> TrustRegionState:
        """Minimise the model, and ask for its minimiser."""
        if state.renewing:
            state.started = False
            state.ask(state.point.x)
            return state
        if state.asks_hessian():
            return state
        # of a looser restraint, or the way out of a saddle
        if state.model_step is not None and not state.leaving:
            restraint, basis = state.region.restraint(state.frame.length), state.model_step.basis
            M = state.part.precondition
            if basis is not None and M is not None:  # which is not saved with it
                basis.precondition_by(M)
            state.model_step = state.model_step.again(restraint)
        if state.model_step is None:
            p = state.model_step = minimised(self.subproblem, state, watch)
            state.region.adopt(p.restraint)
            state.dual_before = None
            if state.accepted and p.newtonian and p.norm > 0.0:  # not out of range
                state.promised = state.left_by(p)
            elif state.accepted and p.outcome not in _SHORTENED:
                state.promised = math.inf
        p = state.model_step
        state.leaving = False
        if not p.decrease > 0.0:
            what = p.outcome.value
            text = f"no step from the model ({what}), gradient norm {state.point.grad_norm:.3g}"
            nonfinite = p.outcome is KrylovOutcome.NONFINITE
            outcome = Outcome.FAILED_NONFINITE if nonfinite else Outcome.FAILED_TRUST_REGION
            state.trouble = lost(state, outcome, text)
        elif p.held_back and state.accepted and state.iteration and not state.restarted:
            state.trouble = beyond_range(state, p.norm)
        state.trials = 1 if state.accepted else state.trials + 1
        state.ask(state.point.x + state.frame.push(p.step))
        return state

    def leave(
        self, state: TrustRegionState, watch: Callable[[], bool]
    ) -> tuple[TrustRegionState, bool, str]:
        """Look for negative curvature at a stationary start; True where the run can go on."""
        if state.asks_hessian():
            return state, False, ""
        state.region.restart()
        restraint = state.region.restraint(state.frame.length)
        found, text = way_out(state.frame, state.part.curvature, restraint, watch)
        if found is not None:
            state.region.adopt(found.restraint)
            state.model_step, state.leaving, state.trouble = found, True, None
        return state, found is not None, text

    def gradient(self, state: TrustRegionState) -> Array:
        """Give the gradient at the current point."""
        return state.frame.gradient(state.grad)

    def inverse_hessian(self, state: TrustRegionState) -> Any:
        """Give A, where the approximation has one."""
        return state.part.curvature.inverse_hessian()

    def _judge(
        self, state: TrustRegionState, trial: Point, slope: float, g_g: float, p_p: float
    ) -> None:
        p: Any = state.model_step
        f, value = state.point.value, trial.value if trial.finite else math.nan
        state.fell = state.fell or trial.value == -math.inf
        state.noise = state.noise.after(p.norm, -p.slope, value - f)
        state.floor.hear(state.noise, f)
        lowest = f if state.best is None else min(f, state.best.value)
        slopes = p.slope, slope
        ratio = state.region.ratio(f, value, lowest, p.decrease, slopes, state.floor.eps)
        if value == f and g_g == state.grad_square:
            ratio = -1.0  # x + p is x
        accepted = state.region.after(
            ratio, norm=p.norm, slope=p.slope, decrease=p.decrease, held_back=p.held_back
        )
        state.part.forcing.after(ratio, newtonian=accepted and p.newtonian)
        state.doubt(p.slope_change, slope - p.slope)
        if accepted:
            state.learn_bend(slope - p.slope, p_p)
            foretold = p.outcome is KrylovOutcome.NEGATIVE and ratio > _FORETOLD
            state.reach = _EXPANSION * math.sqrt(p_p) if foretold else 0.0
            self._accept(state, trial, g_g, p_p)
        else:
            keep_rejected(state, trial)
            state.grad_trial = None
            self._reject(state, trial)

    def _accept(self, state: TrustRegionState, trial: Point, g_g: float, p_p: float) -> None:
        p: Any = state.model_step
        left = state.left_by(p)
        keep_when_left(state, trial, lambda: self.gradient(state))
        state.value_before, state.alpha = state.point.value, 1.0
        state.step_norm = math.sqrt(p_p)
        state.scaled_step_norm = state.step_norm / state.frame.length
        state.cut = p.held_back or state.restarted
        state.note = "" if p.outcome is KrylovOutcome.SOLVED else p.outcome.value
        state.grad, state.grad_trial = state.frame.keep(state.grad_trial), None
        state.grad_square = g_g
        exhausted = state.trials >= _MANY
        over = state.floor.after(state.point.value, trial, exhausted=exhausted, monotone=True)
        if state.point.value - trial.value > state.floor.noise(trial.value):
            state.promised = math.inf  # else what an earlier model left is all that is left
        state.point = trial
        state.noise = Noise.at(trial.value, state.floor.eps, state.floor.eps_f)
        state.iteration += 1
        state.accepted = True
        state.arrive(g_g)
        if state.turns:
            state.last_step, state.last_length = p.step + 0.0, state.step_norm
        learn(state, p, is_length=self.region.restraint is Ball)
        state.model_step = None
        if over and state.trouble is None and not state.renew(state.promised):
            if state.restarted:
                state.trouble = floor_reached(state, left)
            else:
                self._restart(state)
        else:
            state.restarted = False

    def _reject(self, state: TrustRegionState, trial: Point) -> None:
        """See whether a tighter restraint can still help."""
        p: Any = state.model_step
        left = state.left_by(p)
        if state.part.reject(state.step_norm, near=self.region.restraint is Ball):  # B has changed
            state.model_step = None
        resolved = p.decrease > state.floor.noise(state.point.value)
        resolved = resolved and p.norm > state.point.precision.blur
        if (resolved and state.trials < REJECTIONS) or state.renew(state.promised):
            return
        if state.restarted:
            state.trouble = no_step(state, trial, p.norm, left, Outcome.FAILED_TRUST_REGION)
        else:
            self._restart(state)

    def _restart(self, state: TrustRegionState) -> None:
        """Take the Cauchy step next: the least of the model that can be believed."""
        state.floor.left, state.restarted = state.promised, True
        state.region.restart()
        state.model_step = None
        state.part.curvature.reset()
