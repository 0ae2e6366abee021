"""All that a line-search method has between two evaluations."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from hessx.core import saved
from hessx.globalization import Ray, Search
from hessx.hessians import Memory
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
    """

    memory: Memory
    phase: Phase = Phase.START
    ray: Ray = field(init=False)
    search: Search | None = None
    last_ray: Ray | None = None
    restarted: bool = False

    @property
    def needs_hessian(self) -> bool:
        """Whether the next direction asks for products with the Hessian at the current point."""
        fresh = self.search is None or self.accepted
        return fresh and getattr(self.memory, "needs_hessian", False)
