"""The floor of precision: where the values of f no longer tell one step from another."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hessx.core import Point, saved
from hessx.globalization import ROUNDING, Noise

__all__ = ["Floor", "parabola_decrease"]

_PATIENCE = 3  # steps in a row without progress count as a failed search


@saved
@dataclass(slots=True)
class Floor:
    """What a run knows of the last digits of f.

    A step whose change of f is within its noise, and that lowers neither f nor norm_inf(g) below
    the least so far, is no progress; nor is the step of an exhausted search that gained no more
    than eps^(1/3) abs(f).  Three in a row count as a failed search, and so does one step of an
    exhausted search whose gain is within the noise.

    Attributes
    ----------
    eps_f : float
        Relative noise of f: 10 eps(dtype of x), or more where more was measured.
    lowest, flattest : float
        The least f and norm_inf(g) of the accepted points.
    idle : int
        Steps in a row without progress.
    left : float
        The decrease that the method's own model promised when it was given up; nan before.
    """

    eps_f: float
    lowest: float
    flattest: float
    idle: int = 0
    left: float = math.nan

    def noise(self, value: float) -> float:
        """Differences of f up to this tell nothing."""
        return self.eps_f * abs(value)

    @property
    def eps(self) -> float:
        """The relative rounding of f that its noise stands for."""
        return self.eps_f / ROUNDING

    def difference_noise(self, value: float, before: float) -> float:
        """A gradient by differences is noise where none of them moves f by more than this.

        That is the rounding of two values, or all the noise of f where the last step, from the
        value ``before``, did not pass it either.
        """
        noise = self.noise(value)
        return noise if abs(value - before) <= noise else 2.0 * self.eps * abs(value)

    def hides(self, point: Point, before: float) -> bool:
        """Whether the differences that a gradient is made of tell nothing."""
        moved: float = point.precision.moved
        return moved < math.inf and moved <= self.difference_noise(point.value, before)

    def hear(self, noise: Noise | None, value: float) -> None:
        """Take over the noise that a search, or a region, has measured at a value of f."""
        if noise is not None and value and noise.level > self.eps_f * abs(value):
            self.eps_f = noise.level / abs(value)

    def after(
        self, before: float, point: Point, *, exhausted: bool = False, monotone: bool = False
    ) -> bool:
        """Count a step from the value ``before`` to a point; True where it is one too many.

        Where the method is ``monotone``, a value that is no lower than the lowest is its noise.
        """
        f, norm = point.value, point.grad_norm
        change, lower = abs(f - before), f < self.lowest
        within = change <= self.noise(max(abs(f), abs(before))) or (monotone and not lower)
        flatter = within and norm < self.flattest * (1.0 - math.sqrt(self.eps))
        if lower:
            self.lowest = f
        if norm < self.flattest:
            self.flattest = norm
        if within and exhausted:
            self.idle = _PATIENCE
        elif (within and not (lower or flatter)) or (
            exhausted and change <= self.eps ** (1 / 3) * abs(before)
        ):
            self.idle += 1
        else:
            self.idle, self.left = 0, math.nan
        return self.idle >= _PATIENCE

    def remaining(self, promised: float) -> float:
        """The decrease that is left, by the model given up and along the last direction tried."""
        return promised if math.isnan(self.left) else max(promised, self.left)


def parabola_decrease(slope0: float, alpha: float, slope: float) -> float:
    """By how much the parabola with these slopes at 0 and alpha falls; inf where it never ends."""
    change = slope - slope0
    return 0.5 * slope0 * (slope0 * alpha / change) if change > 0.0 else math.inf
