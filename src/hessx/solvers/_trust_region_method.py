"""Trust-region Newton methods."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

from hessx._xp import Array, Space, extremes, fetch
from hessx.core import Outcome, Point, Reply, Request, positive_vector
from hessx.globalization import ForcingRule, RadiusRule
from hessx.krylov import QuadraticModel, steihaug
from hessx.solvers._trust_region_state import TrustRegionState

__all__ = ["TrustRegionMethod"]

_REJECTIONS = 60


@dataclass(frozen=True)
class TrustRegionMethod:
    region: RadiusRule = field(default_factory=RadiusRule)
    forcing: ForcingRule = field(default_factory=ForcingRule)
    max_products: int | None = None
    x_scale: Any = 1.0
    subproblem: Any = steihaug

    def init(self, space: Space, x0: Array, *, turns: bool = False) -> TrustRegionState:
        scale = None
        if not isinstance(self.x_scale, Real):
            scale = positive_vector(space, self.x_scale, "x_scale")
        request = Request(space.flat(x0), 0)
        return TrustRegionState(
            space, scale, request, self.region.begin(), self.forcing.begin(), turns=turns
        )

    def absorb(self, state: TrustRegionState, reply: Reply) -> TrustRegionState:
        state.accepted = False
        if not state.started:
            return self._start(state, reply)
        trial, g, g_g, slope = self._measure(state, reply)
        p, eps = state.model_step, state.space.eps
        ratio = state.region.ratio(state.point.value, trial.value if trial.finite else math.nan, p.decrease, p.slope, slope, eps)
        if state.region.after(ratio, p.norm, p.on_boundary):
            state.forcing.after(ratio, interior=not p.on_boundary)
            self._accept(state, trial, g, g_g)
        else:
            state.forcing.after(ratio, interior=False)
            self._reject(state, trial, reply)
        return state

    def propose(self, state: TrustRegionState) -> TrustRegionState:
        norm = math.sqrt(state.grad_square)
        n = state.space.n
        limit = self.max_products or min(max(2 * n, 50), 200)
        model = QuadraticModel(
            state.space, self._product(state), state.grad, state.grad_square,
            state.forcing.term(norm) * norm, limit, state.region.radius, self._length,
            watch=getattr(state.hessian, "watch", lambda: False),
        )
        p = state.model_step = self.subproblem(model)
        state.region.radius = p.radius
        state.trials += 1
        step = p.step if state.scale is None else p.step * state.scale
        state.request = Request(state.point.x + step, state.request.ticket + 1)
        return state

    second_order = True

    def linearise(self, state, hessian):
        state.hessian = hessian
        return state

    @property
    def _length(self) -> float:
        return float(self.x_scale) if isinstance(self.x_scale, Real) else 1.0

    def _product(self, state):
        if state.scale is None:
            return state.hessian
        return lambda v: state.hessian(v * state.scale) * state.scale

    def gradient(self, state):
        return state.space.copy(state.grad) if state.scale is None else state.grad / state.scale

    def inverse_hessian(self, state):
        return None

    def _start(self, state, reply):
        space, x0 = state.space, state.request.x
        g = state.grad = self._own(state, reply.grad)
        high, low = extremes(space, reply.grad)
        x_high, x_low = extremes(space, x0)
        values, (x0, state.grad) = fetch(space, [reply.value, high, low, x_high, x_low, g @ g], [x0, g])
        if not math.isfinite(values[3] - values[4]):
            msg = "x0 has entries that are not finite: expected finite numbers"
            raise ValueError(msg)
        state.grad_square = values[5]
        state.point = state.first = Point(x0, values[0], max(values[1], -values[2]), math.sqrt(values[5]))
        state.accepted = state.started = state.point.finite
        if not state.point.finite:
            state.trouble = Outcome.FAILED_NONFINITE, "x0"
        return state

    def _own(self, state, grad):
        if state.scale is not None:
            return grad * state.scale
        return state.space.copy(grad) if state.space.writeable else grad

    def _measure(self, state, reply):
        space, x = state.space, state.request.x
        g = reply.grad if state.scale is None else reply.grad * state.scale
        high, low = extremes(space, reply.grad)
        p = state.model_step.step
        values, (x, g, p) = fetch(space, [reply.value, high, low, g @ g, g @ p], [x, g, p])
        state.model_step.step = p
        f, high, low, g_g, slope = values
        return Point(x, f, max(high, -low), math.sqrt(g_g) if g_g >= 0 else math.nan), g, g_g, slope

    def _accept(self, state, trial, g, g_g):
        old = state.point
        if state.best is None and not trial.is_better_than(old, state.space.eps):
            old.grad = state.grad
            state.best = old
        elif state.best is not None and trial.is_better_than(state.best, state.space.eps):
            state.best = None
        state.value_before = old.value
        state.step_norm = state.scaled_step_norm = state.model_step.norm
        state.grad = g if state.scale is not None else self._own(state, g)
        state.grad_square = g_g
        state.point = trial
        state.iteration += 1
        state.accepted = True
        state.rejections = 0
        state.hessian = state.model_step = None

    def _reject(self, state, trial, reply):
        state.rejections += 1
        eps, f0 = state.space.eps, state.point.value
        if trial.finite and trial.is_better_than(state.point, eps) and (
            state.best is None or trial.is_better_than(state.best, eps)
        ):
            trial.grad = state.space.copy(reply.grad)
            state.best = trial
        if trial.value == -math.inf:
            state.trouble = Outcome.UNBOUNDED_BELOW, "f is -inf"
        elif state.model_step.decrease <= eps * abs(f0):
            state.trouble = Outcome.STALLED_PRECISION, f"{state.model_step.decrease:.3g}"
        elif state.rejections >= _REJECTIONS:
            state.trouble = Outcome.FAILED_TRUST_REGION, "no"
        state.model_step = None
