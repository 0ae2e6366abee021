"""The way out of a stationary point, along negative curvature."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hessx.core import saved
from hessx.globalization._search import Ray, Search, Verdict

__all__ = ["LeavingSearch"]

_TRIALS = 30


@saved
@dataclass(slots=True)
class LeavingSearch(Search):
    """Halve the step until f falls: on a ray of slope 0 no Wolfe condition tells more.

    Attributes
    ----------
    value : float
        f at the start.
    alpha : float
        The trial.
    trials : int
        Judged so far.
    """

    value: float
    alpha: float
    trials: int = 0

    @classmethod
    def along(cls, ray: Ray) -> LeavingSearch:
        """Begin on a ray."""
        return cls(ray.value, ray.alpha)

    def advance(self, value: float, slope: float) -> Verdict:  # noqa: ARG002
        """Judge a trial."""
        self.trials += 1
        if math.isfinite(value) and value < self.value:
            return Verdict.ACCEPTED
        if self.trials >= _TRIALS:
            return Verdict.FAILED
        self.alpha *= 0.5
        return Verdict.TRY
