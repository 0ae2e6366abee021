"""What every method has between two evaluations."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from hessx._xp import Array, Space
from hessx.core import Outcome, Point, Request

__all__ = ["RunState"]


@dataclass(slots=True, kw_only=True)
class RunState:
    """The part of a state that driver, stopping and observers read.

    Attributes
    ----------
    space, request, point, first, best, value_before, iteration, accepted, alpha, step_norm, \
    scaled_step_norm, trials, cosine, note, trouble
        As in `SolverState`.
    turns : bool
        Whether cosines are wanted.
    last_step, last_length : array and float, optional
        The last step, up to a positive factor, and its norm, for the next cosine.
    """

    space: Space
    request: Request
    point: Point = field(init=False)
    first: Point = field(init=False)
    best: Point | None = None
    value_before: float = math.nan
    iteration: int = 0
    accepted: bool = False
    alpha: float = math.nan
    step_norm: float = math.nan
    scaled_step_norm: float = math.nan
    trials: int = 0
    turns: bool = False
    last_step: Array = None
    last_length: float = math.nan
    cosine: float = math.nan
    note: str = ""
    trouble: tuple[Outcome, str] | None = None

    def turn(self, product: float, length: float) -> None:
        """Set the cosine of the step of this length with the last one, from their product."""
        lengths = self.last_length * length
        self.cosine = product / lengths if lengths > 0.0 else math.nan
