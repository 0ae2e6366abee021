"""The noise of f: assumed to be its rounding, measured where values do not return to f0."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hessx.core import saved

__all__ = ["ROUNDING", "Noise"]

ROUNDING = 10.0
"""eps_f / eps: differences of f below ROUNDING * eps * abs(f0) are taken for rounding."""

_NEARER = 0.25  # of the distance of another trial: near enough to tell noise from slope
_HIDDEN = 10.0  # times its noise: a longer fall of f along its slope would be visible
_SLOWER = 2.0  # times what a rise in proportion to the distance leaves


@saved
@dataclass(slots=True)  # never written; freezing would cost microseconds a ray
class Noise:
    """Differences of f up to ``level`` tell nothing.

    Near enough to a point f rises at most in proportion to the distance, and a convex f does
    everywhere.  A value that is still too high at a quarter of the distance, by more than half of
    what it was, does not return to f0 for any step: what is left is noise.  Where f was to fall by
    much more than that, it is not: the step was too long.

    Attributes
    ----------
    level : float
        Of differences of f, >= 10 eps abs(f0).
    largest : float
        eps^(1/2) abs(f0): what is higher is a wall, not noise.
    reach, rise : float
        Distance and height of the first trial that was too high; inf before there is one.

    References
    ----------
    Hager & Zhang (2006), Algorithm 851: CG_DESCENT, ACM TOMS 32, whose eps grows where a
    contraction fails.

    Examples
    --------
    >>> noise = Noise.at(1.0, eps=2.0**-52)
    >>> noise = noise.after(1.0, fall=1e-12, rise=1e-11).after(0.1, fall=1e-13, rise=2e-11)
    >>> noise.level
    4e-11
    """

    level: float
    largest: float
    reach: float = math.inf
    rise: float = math.inf

    @classmethod
    def at(cls, value: float, eps: float, eps_f: float = 0.0) -> Noise:
        """Assume the rounding of f, or the relative noise eps_f that is known already."""
        size, least = abs(value), ROUNDING * eps
        return cls((least if least > eps_f else eps_f) * size, math.sqrt(eps) * size)

    def after(self, reach: float, fall: float, rise: float) -> Noise:
        """Hear of a trial at a distance from the point, by how much f was to fall, and rose."""
        if not (self.level < rise <= self.largest and fall <= _HIDDEN * rise):
            return self
        if self.reach == math.inf:
            return Noise(self.level, self.largest, reach, rise)
        share = reach / self.reach
        if share > _NEARER or rise <= _SLOWER * share * self.rise:
            return self
        return Noise(min(2.0 * rise, self.largest), self.largest, reach, rise)
