"""All that a line-search method has between two evaluations."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field

from hessx.core import saved
from hessx.directions import Direction, Track
from hessx.globalization import LiveRule, Ray, Search
from hessx.solvers._floor import parabola_decrease
from hessx.solvers._run_state import RunState

__all__ = ["LineSearchState", "Phase"]


@saved
class Phase(enum.Enum):
    """START before the first reply, TRIAL after it."""

    START = "start"
    TRIAL = "trial"


@saved
@dataclass(slots=True, kw_only=True)
class LineSearchState(RunState):
    """All that a run has between two evaluations.

    Attributes
    ----------
    direction : Direction
        Where the rays go; it owns the track of gradient, d and trial.
    steps : LiveRule
        The rule for alpha, with what it keeps of earlier steps.
    phase : Phase
        Whether the start has been answered.
    ray, last_ray : Ray
        That of the search under way, and that of the last accepted step.
    search : Search, optional
        The search under way; None where the next ray has not begun.
    farthest : tuple of float
        alpha and slope of the longest trial on this ray that changed f by ten times its noise at
        most: longer ones say little of how f bends here.
    """

    direction: Direction
    steps: LiveRule
    phase: Phase = Phase.START
    ray: Ray = field(init=False)
    search: Search | None = None
    last_ray: Ray | None = None
    farthest: tuple[float, float] = (0.0, math.nan)

    @property
    def promised(self) -> float:
        """By how much f is to fall still: by A where alpha = 1 is natural.

        Else by the parabola of the slopes at both ends of the ray's longest trial; without a
        model, by as much as the flattest direction that was ever followed leaves, g'g / (2 h).
        """
        track, direction = self.track, self.direction
        if direction.sized and not self.restarted:
            return direction.promised
        decrease = parabola_decrease(track.start_slope, *self.farthest)
        if self.restarted:  # what was left by the method's own model is known already
            return decrease
        return max(decrease, track.grad_square / (2.0 * self.least_bend))

    @property
    def track(self) -> Track:
        """Gradient, d and trial."""
        return self.direction.track

    @property
    def needs_hessian(self) -> bool:
        """Whether the next direction asks for products with the Hessian at the current point."""
        return (self.search is None or self.accepted) and self.direction.waits
