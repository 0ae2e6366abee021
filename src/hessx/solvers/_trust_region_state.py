"""All that a trust-region method has between two evaluations."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from hessx._xp import Array
from hessx.core import saved
from hessx.directions import NewtonPart
from hessx.globalization import Noise, RestraintState
from hessx.krylov import ModelStep
from hessx.solvers._run_state import RunState

__all__ = ["TrustRegionState"]


@saved
@dataclass(slots=True, kw_only=True)
class TrustRegionState(RunState):
    """All that a run has between two evaluations.

    Attributes
    ----------
    region : RestraintState
        How far models are believed.
    part : NewtonPart
        The model of f, how exactly it is solved, and what preconditions it.
    started : bool
        Whether the start has been answered.
    grad, grad_square : array and float
        Gradient at the point, and its square.
    grad_trial : array
        That of the trial.
    dual_before : 0-d array, optional
        g'Mg with the M of the point before, in whose norm the restraint is meant.
    model_step : ModelStep, optional
        The step under trial; None where the next has not been found.
    promised : float
        By how much f is to fall by the first model at this point; inf if the region held it back.
    noise : Noise
        What differences of f tell at this point.
    reach : float
        The least length of a next piece along negative curvature, where the last was foretold.
    leaving : bool
        ``model_step`` leads out of a stationary start.
    """

    region: RestraintState
    part: NewtonPart
    grad: Array = None
    grad_square: float = math.nan
    grad_trial: Array = None
    started: bool = False
    dual_before: Array = None
    model_step: ModelStep | None = None
    promised: float = math.inf
    noise: Noise = field(init=False)
    reach: float = 0.0
    leaving: bool = False

    @property
    def needs_hessian(self) -> bool:
        """Whether the next step asks for products with the Hessian at the current point."""
        return self.started and self.part.waits

    def left_by(self, p: ModelStep) -> float:
        """By how much f is to fall still, by a model that p minimises.

        One without curvature of its own, or where no pair has given a size, knows less than the
        flattest step that was ever taken, g'g / (2 h).
        """
        if p.slope_change and self.part.curvature.sized:
            return p.decrease
        return max(p.decrease, self.grad_square / (2.0 * self.least_bend))

    def recall(self) -> None:
        """The Hessian: where the trial is rejected, its model is solved again."""
        trial = self.request
        if not trial.evidence and self.asks_hessian():
            self.aside = trial
