"""The line search of CG_DESCENT (Hager & Zhang 2005, 2006)."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from hessx.core import saved, store_real
from hessx.globalization._interpolate import clamp, cubic_minimizer, secant_minimizer
from hessx.globalization._search import Ray, Verdict
from hessx.globalization._wolfe import (
    DEEP,
    NEAR_HOLE,
    SHRINK,
    Point,
    WolfeRule,
    WolfeSearch,
    check_ray,
    is_wall,
)

__all__ = ["HagerZhang", "HagerZhangSearch", "Stage"]

_GAMMA = 0.66  # a round that leaves more of its interval than this is followed by a bisection
_AT_ODDS = 0.49  # values that are off by more than half of what the slopes can make of them
_CREEP = 1.5  # two steps in a row that grow by less
_AGREE = 0.1  # relative: closer than this, two forecasts of the minimiser confirm each other


@saved
class Stage(enum.Enum):
    """Which trial of a round (secant^2) is under way."""

    FRESH = "fresh"  # no round: bracketing, narrowing, or a bisection
    FIRST = "first"  # step S1
    SECOND = "second"  # step S2 or S3


@saved
@dataclass(frozen=True, slots=True, kw_only=True)
class HagerZhang(WolfeRule):
    """Hager and Zhang's line search: Wolfe, or approximate Wolfe where f no longer resolves.

    A trial alpha > 0 is accepted when, with f0, slope0 at alpha = 0,

    - f <= r + c1 alpha slope0 and slope >= c2 slope0 (Wolfe), with r = f0, or more with
      `NonMonotone`, or
    - f <= f0 + eps_f abs(f0) and (2 c1 - 1) slope0 >= slope >= c2 slope0 (approximate Wolfe),
      eps_f = 10 eps(dtype of x); ten times that, for terms in f that cancel, where
      -alpha slope0 <= 10 eps_f abs(f0) and abs(slope) <= abs(slope0) / 2; and more where values do
      not return to f0 for the smallest steps (see `Noise`).

    Until a trial overshoots, steps grow by the cubic through the last two trials, at most
    ``expansion`` times, but without this bound where, on the first ray of a run, two cubics in a
    row agree to a tenth on the minimiser: the first trial of all may be orders of magnitude short.
    Two short forecasts in a row are not followed, and a step that is lost in x grows by 1 / eps.
    Then secant^2 steps and bisections shrink the bracket by 0.66 a round.  The cubic through values
    and slopes takes the place of the secant where the values differ by more than rounding, and not
    from the integral of the slopes by as much as that itself, and of bisection in step U3.  A
    non-finite trial is shrunk away from and never passed; a value too high for the slopes at both
    ends, such as a penalty, is shrunk away from by 1/8.  When
    ``max_trials`` are used, or the interval is as narrow as rounding, a trial with
    f <= r + c1 alpha slope0 and f < r is accepted: the last one, else the lowest, which is
    evaluated once more.  Without one the search fails.

    Parameters
    ----------
    c1 : float
        Sufficient decrease, in (0, 0.5).
    c2 : float
        Curvature, in [c1, 1).
    max_trials : int
        Evaluations allowed, >= 1; going back to the lowest trial may add one.
    expansion : float
        Largest growth of alpha in a bracketing step, > 1.
    alpha_max : float
        Largest alpha, in multiples of the first trial, > 1.

    Raises
    ------
    SettingsError
        A setting is outside its range.

    Notes
    -----
    Cost: one evaluation of value and gradient per trial; Python floats only, no fetch of its own.
    Scaling f or x by a power of two gives the same trials, rescaled.

    References
    ----------
    Hager & Zhang (2005), A new conjugate gradient method with guaranteed descent and an efficient
    line search, SIAM J. Optim. 16, section 4 (L0-L3, U0-U3, S1-S4); Hager & Zhang (2006),
    Algorithm 851: CG_DESCENT, ACM TOMS 32 (bracket B0-B3).

    Examples
    --------
    >>> from hessx.globalization import HagerZhang, Ray
    >>> search = HagerZhang(c2=0.1).search(Ray(value=4.0, slope=-4.0, alpha=1.0, eps=2.0**-52))
    >>> search.advance(1.0, -2.0), search.alpha  # f = (alpha - 2)^2
    (<Verdict.TRY: 'try'>, 2.0)
    >>> search.advance(0.0, 0.0)
    <Verdict.ACCEPTED: 'accepted'>
    """

    expansion: float = 5.0
    alpha_max: float = 1e10

    def __post_init__(self) -> None:
        WolfeRule.__post_init__(self)
        store_real(self, "expansion", 1.0)
        store_real(self, "alpha_max", 1.0)

    def search(self, ray: Ray) -> HagerZhangSearch:
        """Start on a ray; ValueError unless its slope < 0 and alpha > 0."""
        check_ray(ray)
        value, slope, alpha = ray.value, ray.slope, ray.alpha
        return HagerZhangSearch(
            self,
            value,
            slope,
            ray.reference,
            alpha,
            ray.eps,
            ray.noise,
            limit=self.alpha_max * alpha,
            lower_value=value,
            lower_slope=slope,
            forecast=math.nan if ray.iteration == 0 else None,
        )


@saved
@dataclass(slots=True)
class HagerZhangSearch(WolfeSearch):
    """One search: the interval [lower, upper] and the stage of the round.

    Attributes
    ----------
    limit : float
        The largest alpha.
    lower, lower_value, lower_slope : float
        A point with f <= f0 + eps_f abs(f0) and slope < 0.
    upper, upper_value, upper_slope : float
        inf before a trial overshoots; then a point with slope >= 0 (bracketed), or with slope < 0
        and a value too high, or with the value inf (the trial was not finite).
    width : float
        upper - lower at the start of the round.
    stage : Stage
        Which trial of the round is under way.
    forecast : float or None
        The minimiser according to the last cubic beyond the trials; nan before there is one, None
        on later rays, whose first trial is no guess.
    """

    rule: HagerZhang
    limit: float = math.inf
    lower: float = 0.0
    lower_value: float = math.nan
    lower_slope: float = math.nan
    upper: float = math.inf
    upper_value: float = math.inf
    upper_slope: float = math.inf
    width: float = math.inf
    stage: Stage = Stage.FRESH
    forecast: float | None = None

    def _judge(self, value: float, slope: float) -> Verdict:
        rule = self.rule
        self.trials += 1
        decreased = value <= self.reference + rule.c1 * self.alpha * self.slope0
        if decreased and rule.c2 * self.slope0 <= slope < math.inf:
            return Verdict.ACCEPTED
        if self._approximate(value, slope):
            return Verdict.ACCEPTED
        finite = math.isfinite(value) and math.isfinite(slope)
        decreased = decreased and finite and value < self.reference
        if decreased and value < self.best_value:
            self.best, self.best_value = self.alpha, value
        if self.settled or self.trials >= rule.max_trials:
            return self._settle(decreased)
        if finite:
            self.alpha = self._narrow(value, slope)
        else:
            again = self.upper < math.inf and self.upper_value == math.inf
            self.upper, self.upper_value, self.upper_slope = self.alpha, math.inf, math.inf
            self.stage = Stage.FRESH
            self.alpha = self.lower + (DEEP if again else SHRINK) * (self.alpha - self.lower)
        if self._exhausted():
            return self._settle(decreased)
        return Verdict.TRY

    def _exhausted(self) -> bool:
        """Nothing is left to try between the ends, or little is, next to a non-finite trial."""
        lower, upper = self.lower, self.upper
        share = self.eps if self.upper_value < math.inf else NEAR_HOLE
        least = max(share * lower, self.shortest)
        return not lower < self.alpha < upper or upper - lower <= least

    def _narrow(self, value: float, slope: float) -> float:
        """Steps U0-U3: the trial becomes an end of the interval; the next alpha."""
        trial = self.alpha, value, slope
        if slope < 0.0 and value <= self.value0 + self.noise.level:
            old = self.lower, self.lower_value, self.lower_slope
            self.lower, self.lower_value, self.lower_slope = trial
        else:
            old = self.upper, self.upper_value, self.upper_slope
            self.upper, self.upper_value, self.upper_slope = trial
        if self.upper_value == math.inf:
            return self._expand(old, trial)
        if self._walled():
            self.stage = Stage.FRESH
            return self.lower + DEEP * (self.upper - self.lower)
        if self.upper_slope < 0.0:
            return self._fold()
        return self._round(old, trial)

    def _walled(self) -> bool:
        lower = self.lower, self.lower_value, self.lower_slope
        upper = self.upper, self.upper_value, self.upper_slope
        return is_wall(lower, upper, self.noise)

    def _expand(self, old: Point, trial: Point) -> float:
        """Step B3 by extrapolation, halfway to a non-finite trial at most; see the class."""
        lower, guess = self.lower, self._minimizer(old, trial)
        unmoved = trial[1:] == old[1:]  # x + s is x: steps below eps x grow to the size of x
        growth = 1.0 / self.eps if unmoved else self.rule.expansion
        if unmoved:
            self.limit = max(self.limit, growth * lower)
        reach = min(self.limit, lower + 0.5 * (self.upper - lower))
        # two steps in a row that grow by little: forecasts are not to be trusted
        crept = lower < _CREEP * old[0] and guess < _CREEP * lower
        if crept or not self._confirmed(guess):
            reach = min(growth * lower, reach)
        return guess if lower < guess < reach and not crept else reach

    def _confirmed(self, guess: float) -> bool:
        """Whether, on the first ray, this forecast agrees with the last one."""
        if self.forecast is None:
            return False
        last, self.forecast = self.forecast, guess
        return abs(guess - last) <= _AGREE * guess

    def _fold(self) -> float:
        """Step U3a: f rises and falls again in the interval; its minimiser is near ``lower``."""
        self.stage = Stage.FRESH
        lower, width = self.lower, self.upper - self.lower
        guess = cubic_minimizer(
            lower, self.lower_value, self.lower_slope,
            self.upper, self.upper_value, self.upper_slope,
        )  # fmt: skip
        return clamp(guess, lower + 0.1 * width, lower + 0.5 * width)

    def _round(self, old: Point, trial: Point) -> float:
        """Steps S1-S4 and L2: two interpolations, then a bisection if they gained too little."""
        lower, upper = self.lower, self.upper
        width = upper - lower
        middle = lower + 0.5 * width
        if self.stage is Stage.FIRST:
            guess = self._minimizer(old, trial)
            if lower < guess < upper:
                self.stage = Stage.SECOND
                return guess
        if self.stage is not Stage.FRESH and width > _GAMMA * self.width:
            self.stage = Stage.FRESH
            return middle
        self.stage, self.width = Stage.FIRST, width
        guess = self._minimizer(
            (lower, self.lower_value, self.lower_slope),
            (upper, self.upper_value, self.upper_slope),
        )
        return guess if lower < guess < upper else middle

    def _minimizer(self, u: Point, v: Point) -> float:
        """The cubic's minimiser; the secant's where the values tell nothing, or something else.

        They differ by rounding only, or from the integral of the slopes by as much as that itself.
        """
        change, width = v[1] - u[1], v[0] - u[0]
        off = abs(change - 0.5 * (u[2] + v[2]) * width)
        at_odds = off >= _AT_ODDS * (abs(u[2]) + abs(v[2])) * abs(width)
        if abs(change) > self.noise.level and not at_odds:
            return cubic_minimizer(*u, *v)
        return secant_minimizer(u[0], u[2], v[0], v[2])
