"""All that a line-search method has between two evaluations."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field

from hessx._xp import Array, Space
from hessx.core import Outcome, Point, Request, saved
from hessx.globalization import Ray, Search
from hessx.hessians import Memory

__all__ = ["LineSearchState", "Phase"]


@saved
class Phase(enum.Enum):
    """START before the first reply, TRIAL after it."""

    START = "start"
    TRIAL = "trial"


@saved
@dataclass(slots=True)
class LineSearchState:
    """All that a run has between two evaluations.

    Attributes
    ----------
    space, request, point, first, best, value_before, iteration, accepted, alpha, step_norm, \
    scaled_step_norm, trials, cosine, note, trouble
        As in `SolverState`.
    memory : Memory
        Gradient, direction and pairs.
    phase : Phase
        Whether the start has been answered.
    ray, last_ray : Ray
        That of the search under way, and that of the last accepted step.
    search : Search, optional
        The search under way; None where the next ray has not begun.
    restarted : bool
        The ray is along -g after a failed search.
    turns : bool
        Whether cosines are wanted.
    old_d, old_d_norm : array and float, optional
        The last direction, for the next cosine.
    """

    space: Space
    memory: Memory
    request: Request
    # point
    point: Point = field(init=False)
    first: Point = field(init=False)
    best: Point | None = None
    value_before: float = math.nan
    # search
    phase: Phase = Phase.START
    ray: Ray = field(init=False)
    search: Search | None = None
    last_ray: Ray | None = None
    restarted: bool = False
    # bookkeeping
    iteration: int = 0
    accepted: bool = False
    alpha: float = math.nan
    step_norm: float = math.nan
    scaled_step_norm: float = math.nan
    trials: int = 0
    turns: bool = False
    old_d: Array = None
    old_d_norm: float = math.nan
    cosine: float = math.nan
    note: str = ""
    trouble: tuple[Outcome, str] | None = None

    @property
    def needs_hessian(self) -> bool:
        """Whether the next direction asks for products with the Hessian at the current point."""
        fresh = self.search is None or self.accepted
        return fresh and getattr(self.memory, "needs_hessian", False)
