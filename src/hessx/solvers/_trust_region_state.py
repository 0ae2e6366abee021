"""All that a trust-region method has between two evaluations."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from hessx._xp import Array, Space
from hessx.core import Outcome, Point, Request, saved
from hessx.globalization import ForcingState, Region
from hessx.krylov import ModelStep

__all__ = ["TrustRegionState"]


@saved(fresh=("hessian", "precondition"))
@dataclass(slots=True)
class TrustRegionState:
    """All that a run has between two evaluations.

    Attributes
    ----------
    space, request, point, first, best, value_before, iteration, accepted, alpha, step_norm, \
    scaled_step_norm, trials, cosine, note, trouble
        As in `SolverState`.
    scale : array, optional
        x_scale; gradients, Hessian and steps are in x / scale.
    region, forcing : Region, ForcingState
        The radius, and how exactly models are solved.
    preconditioner : BoundPreconditioner, optional
        What M is made of.
    precondition : callable, optional
        r -> M r at the current point.
    hessian : HessianAt, optional
        At the current point; None until it is needed.
    started : bool
        Whether the start has been answered.
    grad, grad_square : array and float
        Gradient at the point, and its square.
    dual_before : 0-d array, optional
        g'Mg with the M of the point before, in which the radius is meant.
    model_step : ModelStep, optional
        The step under trial; None where the next has not been found.
    leaving : bool
        ``model_step`` leads out of a stationary start.
    turns, old_p, old_p_norm : bool, array and float
        Whether cosines are wanted, and the last step for the next of them.
    """

    space: Space
    scale: Array | None
    request: Request
    region: Region
    forcing: ForcingState
    preconditioner: Any = None
    # point
    point: Point = field(init=False)
    first: Point = field(init=False)
    best: Point | None = None
    value_before: float = math.nan
    grad: Array = None
    grad_square: float = math.nan
    # model
    started: bool = False
    hessian: Any = None
    precondition: Any = None
    dual_before: Array = None
    model_step: ModelStep | None = None
    leaving: bool = False
    # bookkeeping
    iteration: int = 0
    accepted: bool = False
    alpha: float = math.nan
    step_norm: float = math.nan
    scaled_step_norm: float = math.nan
    trials: int = 0
    turns: bool = False
    old_p: Array = None
    old_p_norm: float = math.nan
    cosine: float = math.nan
    note: str = ""
    trouble: tuple[Outcome, str] | None = None

    @property
    def needs_hessian(self) -> bool:
        """Whether the next step asks for products with the Hessian at the current point."""
        return self.started and self.hessian is None
