"""What the searches for a Wolfe point share: settings, data, and an honest end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NoReturn

from hessx.core import SettingsError, store_integer, store_real
from hessx.globalization._noise import ROUNDING, Noise
from hessx.globalization._search import Ray, Search, StepRule, Verdict

__all__ = [
    "DEEP",
    "NEAR_HOLE",
    "SHRINK",
    "Point",
    "WolfeRule",
    "WolfeSearch",
    "approximate_wolfe",
    "check_ray",
    "is_wall",
]

SHRINK = 0.25
"""A non-finite trial is followed by one at this fraction of its distance from the best point."""

DEEP = 0.125
"""Another one, and a wall, by one at this fraction."""

NEAR_HOLE = 0.1
"""So near to a non-finite trial, relative to alpha, a search that has a decrease stops."""

_STEEP = 1e3  # a rise by this much more than the slopes at its ends can make is a wall

Point = tuple[float, float, float]
"""alpha, f(alpha), f'(alpha)."""


def is_wall(lower: Point, upper: Point, noise: Noise) -> bool:
    """Tell a rise that the slopes at its two ends cannot make: interpolation knows nothing of it.

    Parameters
    ----------
    lower, upper : Point
        The ends.
    noise : Noise
        A rise by no more than its ``largest`` is no wall.

    Returns
    -------
    bool
        False where a number is nan.
    """
    slopes, width = abs(lower[2]) + abs(upper[2]), abs(upper[0] - lower[0])
    return upper[1] - lower[1] > max(_STEEP * slopes * width, noise.largest)


def check_ray(ray: Ray) -> None:
    """Refuse a ray that does not descend, or a first trial that is not a positive number.

    Raises
    ------
    ValueError
        Not -inf < slope < 0, or not 0 < alpha < inf.
    """
    if not -math.inf < ray.slope < 0.0 < ray.alpha < math.inf:
        _refuse(ray)


def _refuse(ray: Ray) -> NoReturn:
    msg = (
        f"a line search started with slope = {ray.slope!r} and alpha = {ray.alpha!r}: expected a "
        "finite slope < 0 and a finite alpha > 0; give it a descent direction"
    )
    raise ValueError(msg)


def approximate_wolfe(
    value: float, slope: float, value0: float, slope0: float, noise: float, c1: float, c2: float
) -> bool:
    """Approximate Wolfe conditions: the trial is as good as the last digits of f can tell.

    value <= value0 + noise and (2 c1 - 1) slope0 >= slope >= c2 slope0: where rounding
    hides the decrease of f, that of the quadratic through the two slopes stands for it (Hager &
    Zhang 2005, section 4).

    Parameters
    ----------
    value, slope : float
        f and f' at the trial.
    value0, slope0 : float
        The same at alpha = 0.
    noise : float
        eps_f abs(value0), eps_f = 10 eps unless more is known.
    c1, c2 : float
        The constants of the Wolfe conditions.

    Returns
    -------
    bool
        False where a number is nan.
    """
    return value <= value0 + noise and c2 * slope0 <= slope <= (2.0 * c1 - 1.0) * slope0


@dataclass(frozen=True, slots=True, kw_only=True)
class WolfeRule(StepRule):
    """The constants of the Wolfe conditions and the limit on trials.

    Parameters
    ----------
    c1 : float
        Sufficient decrease, in (0, 0.5).
    c2 : float
        Curvature, in [c1, 1).
    max_trials : int
        Evaluations allowed, >= 1.

    Raises
    ------
    SettingsError
        A setting is outside its range.
    """

    c1: float = 1e-4
    c2: float = 0.9
    max_trials: int = 30

    def __post_init__(self) -> None:
        store_real(self, "c1", 0.0, 0.5)
        store_real(self, "c2", 0.0, 1.0)
        if self.c2 < self.c1:
            msg = f"c1 = {self.c1!r} and c2 = {self.c2!r}: expected c1 <= c2"
            raise SettingsError(msg)
        store_integer(self, "max_trials", 1)


@dataclass(slots=True)
class WolfeSearch(Search):
    """The data that every search for a Wolfe point carries.

    Attributes
    ----------
    rule : WolfeRule
        The settings.
    value0, slope0, eps : float
        f(x), the slope at alpha = 0, and machine epsilon.
    reference : float
        What sufficient decrease is measured from.
    alpha : float
        The step to evaluate, or just evaluated.
    noise : Noise
        What differences of values tell; it rises where values do not return to f(x).
    shortest : float
        Slopes tell nothing of a shorter step: after a trial of this one a search is over.
    trials : int
        Evaluations so far.
    best, best_value : float
        The lowest trial with sufficient decrease; nan before there is one.
    settled : bool
        The search ended without a Wolfe point: what it takes has sufficient decrease only.
    """

    rule: WolfeRule
    value0: float
    slope0: float
    reference: float
    alpha: float
    eps: float
    noise: Noise
    shortest: float = 0.0
    trials: int = 0
    best: float = math.nan
    best_value: float = math.inf
    settled: bool = False

    def advance(self, value: float, slope: float) -> Verdict:
        """Take f and f' at ``alpha``; set the next ``alpha`` when the verdict is TRY."""
        trial, rise = self.alpha, value - self.value0
        if rise > self.noise.level:
            self.noise = self.noise.after(trial, -self.slope0 * trial, rise)
        verdict = self._judge(value, slope)
        if verdict is Verdict.TRY and self.alpha < self.shortest and not self.settled:
            self.alpha = self.shortest
            if trial <= self.shortest:
                verdict = self._settle(self.best == trial)
        if verdict is Verdict.ACCEPTED:
            self.alpha = trial
        return verdict

    def _judge(self, value: float, slope: float) -> Verdict:
        raise NotImplementedError

    def _approximate(self, value: float, slope: float) -> bool:
        """The approximate Wolfe conditions hold.

        Terms in f that cancel may leave ten times its own rounding: where f promised to fall by
        less than that and the slope has halved, such a rise is no news.
        """
        c1, c2, noise = self.rule.c1, self.rule.c2, self.noise.level
        rough = ROUNDING * (ROUNDING * self.eps * abs(self.value0))
        if -self.slope0 * self.alpha <= rough and 2.0 * abs(slope) <= -self.slope0:
            noise = max(noise, rough)
        return approximate_wolfe(value, slope, self.value0, self.slope0, noise, c1, c2)

    def _settle(self, decreased: bool) -> Verdict:
        """End without a Wolfe point: take the trial at hand, go back to the best one, or fail.

        Going back costs one evaluation more, which may be the one after ``max_trials``.
        """
        if decreased:
            self.settled = True
            return Verdict.ACCEPTED
        if self.settled or math.isnan(self.best):
            return Verdict.FAILED
        self.settled = True
        self.alpha = self.best
        return Verdict.TRY
