"""Tolerances and limits: from a state's host numbers to an outcome."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hessx.core._messages import Counts
from hessx.core._outcome import Outcome
from hessx.core._settings import check_limit, store_choice, store_real

__all__ = ["Stopping"]

_Verdict = tuple[Outcome, str]
_ROUNDING = 10.0  # times eps: a rise of f by less is none
_RUNNING: _Verdict = (Outcome.RUNNING, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """When a run ends; a tolerance of 0 switches its test off.

    Parameters
    ----------
    gtol : float, optional
        Stop at norm(g) <= max(gtol, gtol_rel * norm(g0)).  Default 1e-5, in dtypes of 32 bits
        and less 1e-3.  A gradient that is exactly zero always ends the run.
    gtol_rel : float
        See gtol.
    norm : {inf, 2}
        The norm of the gradient test.
    ftol : float
        Stop at f_k - f_{k+1} <= ftol * max(|f_k|, |f_{k+1}|, 1), SciPy's formula.
    xtol : float
        Stop at a step with norm_2(s / x_scale) <= xtol.
    xrtol : float
        Stop at a step with norm_2(s) <= xrtol (xrtol + norm_2(x)), SciPy's formula; with an array
        x_scale both norms are those of x / x_scale.  It adds a scalar to the packet.
    max_iterations, max_evaluations, max_products : float, optional
        Limits on accepted steps, on evaluations of f and on products with the Hessian, reached at
        the first count that is not below; None and inf are no limit.
    max_seconds : float, optional
        Limit on the time of the run.
    lower_limit : float
        A value below it counts as unbounded.

    Raises
    ------
    SettingsError
        A negative tolerance or limit, or a norm that is neither inf nor 2.

    Notes
    -----
    Tolerances are looked at at accepted points, in the order gradient, lower_limit, value, step;
    ftol, xtol and xrtol not after a step that a failing search or the trust region cut short, nor
    ftol where f rose, or was lower before.  A gradient by differences that is within their noise is
    converged.
    The limits on evaluations and time after every reply.  The tolerances and the 1 in ftol's
    formula have units, those of f and x, and do not scale along.  Cost: host floats only.

    Examples
    --------
    >>> import hessx
    >>> hessx.Stopping(gtol=1e-8, max_evaluations=100).max_evaluations
    100
    >>> hessx.Stopping(norm=1)
    Traceback (most recent call last):
    ...
    hessx...SettingsError: norm = 1: expected inf or 2
    """

    gtol: float | None = None
    gtol_rel: float = 0.0
    norm: float = math.inf
    ftol: float = 0.0
    xtol: float = 0.0
    xrtol: float = 0.0
    max_iterations: int | None = 15000
    max_evaluations: int | None = None
    max_products: int | None = None
    max_seconds: float | None = None
    lower_limit: float = -math.inf

    def __post_init__(self) -> None:
        for name in ("gtol", "gtol_rel", "ftol", "xtol", "xrtol"):
            store_real(self, name, 0.0, ends="[)")
        store_real(self, "max_seconds", 0.0, ends="[]")
        if self.max_seconds == math.inf:
            object.__setattr__(self, "max_seconds", None)
        store_real(self, "lower_limit", ends="[)")
        for name in ("max_iterations", "max_evaluations", "max_products"):
            object.__setattr__(self, name, check_limit(name, getattr(self, name)))
        store_choice(self, "norm", math.inf, 2)

    def apply(self, state: Any, counts: Counts, seconds: float) -> _Verdict:
        """Judge a state after a reply.

        Parameters
        ----------
        state : SolverState
            As ``absorb`` left it.
        counts : Counts
            Evaluations so far.
        seconds : float
            Since the start of the run.

        Returns
        -------
        outcome, message : Outcome, str
            RUNNING and "" where nothing holds; else the numbers that decided.
        """
        verdict = self._tolerances(state) if state.accepted else None
        if verdict is None:
            verdict = state.trouble
        if verdict is not None:
            return verdict
        iterations = state.iteration
        if state.accepted and self.max_iterations is not None and iterations >= self.max_iterations:
            return Outcome.LIMIT_ITERATIONS, f"{iterations} iterations, the limit"
        return self.limits(counts, seconds) or _RUNNING

    def limits(self, counts: Counts, seconds: float) -> _Verdict | None:
        """Judge what was spent alone, between any two evaluations or products."""
        if self.max_evaluations is not None and counts.values >= self.max_evaluations:
            return (
                Outcome.LIMIT_EVALUATIONS,
                f"{counts.values} evaluations of f, limit {self.max_evaluations}",
            )
        if self.max_products is not None and counts.products >= self.max_products:
            return (
                Outcome.LIMIT_EVALUATIONS,
                f"{counts.products} Hessian products, limit {self.max_products}",
            )
        if self.max_seconds is not None and seconds >= self.max_seconds:
            return Outcome.LIMIT_TIME, f"{seconds:.3g} s, limit {self.max_seconds:g} s"
        return None

    def gradient_tolerance(self, state: Any) -> float:
        """Give the tolerance in force for this run."""
        gtol = self.gtol
        if gtol is None:
            gtol = 1e-5 if state.space.eps < 1e-10 else 1e-3
        return max(gtol, self.gtol_rel * self._norm(state.first)) if self.gtol_rel else gtol

    def _norm(self, point: Any) -> float:
        norm: float = point.grad_norm if self.norm == math.inf else point.grad_norm2
        return norm

    def _tolerances(self, state: Any) -> _Verdict | None:
        point = state.point
        if state.iteration == 0 and point.precision.moved == 0.0:
            return None  # differences that do not move f tell nothing
        norm, tolerance = self._norm(point), self.gradient_tolerance(state)
        if norm <= tolerance:
            return Outcome.CONVERGED_GRADIENT, f"gradient norm {norm:.3g} <= {tolerance:.3g}"
        if state.floor.hides(point, state.value_before):
            noise = state.floor.difference_noise(point.value, state.value_before)
            changes = f"they change f by {point.precision.moved:.2g}, its noise is {noise:.2g}"
            text = f"gradient norm {norm:.3g}, within the noise of its differences: {changes}"
            return Outcome.CONVERGED_PRECISION, text
        if point.value < self.lower_limit:
            return (
                Outcome.UNBOUNDED_BELOW,
                f"value {state.sign * point.value:.6g} has passed the limit {self.lower_limit:g}",
            )
        if state.iteration == 0 or state.cut:
            return None
        if self.ftol > 0.0 and state.best is None:
            f, f_before = point.value, state.value_before
            decrease = (f_before - f) / max(abs(f_before), abs(f), 1.0)
            if -_ROUNDING * state.space.eps <= decrease <= self.ftol:
                return (
                    Outcome.CONVERGED_VALUE,
                    f"relative decrease {decrease:.3g} <= {self.ftol:.3g}",
                )
        if self.xtol > 0.0 and state.scaled_step_norm <= self.xtol:
            return (
                Outcome.CONVERGED_STEP,
                f"step norm {state.scaled_step_norm:.3g} <= {self.xtol:.3g}",
            )
        if self.xrtol > 0.0:
            least = self.xrtol * (self.xrtol + point.norm)
            if state.step_norm <= least:
                return (
                    Outcome.CONVERGED_STEP,
                    f"step norm {state.step_norm:.3g} <= {least:.3g}, by xrtol",
                )
        return None
