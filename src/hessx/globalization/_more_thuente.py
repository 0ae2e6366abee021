"""The line search of Moré & Thuente (1994), with guaranteed sufficient decrease."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hessx.core import saved, store_real
from hessx.globalization._interpolate import (
    clamp,
    cubic_minimizer,
    quadratic_minimizer,
    secant_minimizer,
)
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

__all__ = ["MoreThuente", "MoreThuenteSearch"]

# MINPACK-2's constants
_BISECT = 0.66  # two steps that leave more of the interval than this are followed by a bisection
_GROW_LOW, _GROW_HIGH = 1.1, 4.0  # an unbracketed trial moves on by between these times its step


@saved
@dataclass(frozen=True, slots=True, kw_only=True)
class MoreThuente(WolfeRule):
    """Moré and Thuente's line search for the strong Wolfe conditions, as in MINPACK-2's dcsrch.

    A trial alpha > 0 is accepted when, with f0, slope0 at alpha = 0,

    - f <= r + c1 alpha slope0 and abs(slope) <= c2 abs(slope0) (strong Wolfe), with r = f0, or
      more with `NonMonotone`, or
    - ``approximate`` is set, f <= f0 + eps_f abs(f0), eps_f = 10 eps(dtype of x), and
      abs(slope) <= min(c2, 1 - 2 c1) abs(slope0): where rounding hides the decrease of f, the
      slopes vouch for it (Hager & Zhang's approximate Wolfe conditions, both sides of zero);
      eps_f is ten times that, for terms in f that cancel, where -alpha slope0 <= 10 eps_f abs(f0)
      and abs(slope) <= abs(slope0) / 2, and more where values do not return to f0 (see `Noise`).

    The interval holds a minimiser of f(alpha) - f0 - c1 alpha slope0, then of f; steps are
    safeguarded cubics, quadratics and secants.  A non-finite trial, or a value too high for the
    slopes at both ends, is shrunk away from and never passed.  When ``max_trials`` are used, or the
    interval is narrower than ``xtol`` times its upper end, a trial with f <= r + c1 alpha slope0
    and f < r is accepted: the last one, else the lowest, which is evaluated once more.  Without
    one the search fails.

    Parameters
    ----------
    c1 : float
        Sufficient decrease, in (0, 0.5).
    c2 : float
        Curvature, in [c1, 1).
    max_trials : int
        Evaluations allowed, >= 1; going back to the lowest trial may add one.
    xtol : float
        Relative width at which the interval is exhausted, in [0, 1].
    alpha_min, alpha_max : float
        Bounds on alpha in multiples of the first trial, 0 <= alpha_min <= 1 <= alpha_max.
    approximate : bool
        Accept by slopes at the precision floor of f.

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
    Moré & Thuente (1994), Line search algorithms with guaranteed sufficient decrease, ACM TOMS 20,
    sections 2-4; the bounds on growth and the bisection are those of MINPACK-2.

    Examples
    --------
    >>> from hessx.globalization import MoreThuente, Ray
    >>> search = MoreThuente(c2=0.1).search(Ray(value=4.0, slope=-4.0, alpha=1.0, eps=2.0**-52))
    >>> search.advance(1.0, -2.0), search.alpha  # f = (alpha - 2)^2
    (<Verdict.TRY: 'try'>, 2.0)
    >>> search.advance(0.0, 0.0)
    <Verdict.ACCEPTED: 'accepted'>
    """

    xtol: float = 0.01
    alpha_min: float = 0.0
    alpha_max: float = 1e10
    approximate: bool = True

    def __post_init__(self) -> None:
        WolfeRule.__post_init__(self)
        store_real(self, "xtol", 0.0, 1.0, "[]")
        store_real(self, "alpha_min", 0.0, 1.0, "[]")
        store_real(self, "alpha_max", 1.0, ends="[)")

    def search(self, ray: Ray) -> MoreThuenteSearch:
        """Start on a ray; ValueError unless its slope < 0 and alpha > 0."""
        check_ray(ray)
        value, slope, alpha = ray.value, ray.slope, ray.alpha
        smallest, largest = self.alpha_min * alpha, self.alpha_max * alpha
        return MoreThuenteSearch(
            self,
            value,
            slope,
            ray.reference,
            alpha,
            ray.eps,
            ray.noise,
            smallest=smallest,
            largest=largest,
            value_l=value,
            slope_l=slope,
            value_u=value,
            slope_u=slope,
            high=alpha + _GROW_HIGH * alpha,
            width=largest - smallest,
            last_width=2.0 * (largest - smallest),
        )


@saved
@dataclass(slots=True)
class MoreThuenteSearch(WolfeSearch):
    """One search: the interval between alpha_l, its end with the lower value, and alpha_u.

    Attributes
    ----------
    smallest, largest : float
        Bounds on alpha.
    alpha_l, value_l, slope_l, alpha_u, value_u, slope_u : float
        The ends of the interval.
    low, high : float
        Where the next trial lies until the interval is bracketed.
    width, last_width : float
        Of the interval, one and two steps ago.
    hole : float
        The last trial that was not finite; nan before there is one.
    bracketed : bool
        The interval holds a minimiser.
    decreasing : bool
        The second stage, in which f itself is minimised.
    """

    rule: MoreThuente
    smallest: float = 0.0
    largest: float = math.inf
    alpha_l: float = 0.0
    value_l: float = math.nan
    slope_l: float = math.nan
    alpha_u: float = 0.0
    value_u: float = math.nan
    slope_u: float = math.nan
    low: float = 0.0
    high: float = math.inf
    width: float = math.inf
    last_width: float = math.inf
    hole: float = math.nan
    bracketed: bool = False
    decreasing: bool = False

    def _judge(self, value: float, slope: float) -> Verdict:
        rule = self.rule
        self.trials += 1
        tangent = rule.c1 * self.slope0
        decreased = value <= self.value0 + self.alpha * tangent
        enough = value <= self.reference + self.alpha * tangent
        flat = abs(slope) <= rule.c2 * -self.slope0
        if flat and (enough or (rule.approximate and self._approximate(value, slope))):
            return Verdict.ACCEPTED
        finite = math.isfinite(value) and math.isfinite(slope)
        decreased = decreased and finite and value < self.value0
        enough = enough and finite and value < self.reference
        if enough and value < self.best_value:
            self.best, self.best_value = self.alpha, value
        if self.settled or self.trials >= rule.max_trials or self._at_bound(decreased, slope):
            return self._settle(enough)
        lower = self.alpha_l, self.value_l, self.slope_l
        if finite and not is_wall(lower, (self.alpha, value, slope), self.noise):
            self.decreasing = self.decreasing or (decreased and slope >= 0.0)
            going_on = self._move(value, slope, 0.0 if self.decreasing or decreased else tangent)
        else:
            share = SHRINK if math.isnan(self.hole) else DEEP
            self.hole = self.alpha
            self.alpha = self.alpha_l + share * (self.alpha - self.alpha_l)
            going_on = self._bound() and self.hole - self.alpha_l > NEAR_HOLE * self.alpha_l
        return Verdict.TRY if going_on else self._settle(enough)

    def _at_bound(self, decreased: bool, slope: float) -> bool:
        """The step is at a bound of alpha and wants to pass it."""
        if self.alpha == self.largest:
            return decreased and slope <= self.rule.c1 * self.slope0
        return self.alpha == self.smallest

    def _move(self, value: float, slope: float, tangent: float) -> bool:
        """Replace an end of the interval by the trial and choose the next; False if exhausted.

        A lower value without sufficient decrease is judged by f(alpha) - tangent * alpha, and one
        that differs by rounding only, by the quadratic through the slopes.
        """
        if self.rule.approximate and abs(value - self.value_l) <= self.noise.level:
            value = self.value_l + 0.5 * (self.slope_l + slope) * (self.alpha - self.alpha_l)
        if value > self.value_l:
            tangent = 0.0
        trial = self.alpha, value - self.alpha * tangent, slope - tangent
        lower = self.alpha_l, self.value_l - self.alpha_l * tangent, self.slope_l - tangent
        upper = self.alpha_u, self.value_u - self.alpha_u * tangent, self.slope_u - tangent
        step = _step(lower, upper, trial, self.bracketed, self.low, self.high)
        higher, turned = trial[1] > lower[1], _turned(lower, trial)
        self.bracketed = self.bracketed or higher or turned
        if higher:
            self.alpha_u, self.value_u, self.slope_u = self.alpha, value, slope
        else:
            if turned:
                self.alpha_u, self.value_u, self.slope_u = self.alpha_l, self.value_l, self.slope_l
            self.alpha_l, self.value_l, self.slope_l = self.alpha, value, slope
        if self.bracketed:
            width = abs(self.alpha_u - self.alpha_l)
            if width >= _BISECT * self.last_width:
                step = self.alpha_l + 0.5 * (self.alpha_u - self.alpha_l)
            self.last_width, self.width = self.width, width
        self.alpha = step
        return self._bound()

    def _bound(self) -> bool:
        """Keep the next trial inside its bounds; False where nothing is left between them."""
        x, step = self.alpha_l, self.alpha
        if self.bracketed:
            self.low, self.high = min(x, self.alpha_u), max(x, self.alpha_u)
        else:
            self.low, self.high = step + _GROW_LOW * (step - x), step + _GROW_HIGH * (step - x)
        self.alpha = clamp(step, self.smallest, self.largest)
        if (self.hole - x) * (self.alpha - self.hole) >= 0.0:  # the hole, or beyond it
            self.alpha = x + 0.5 * (self.hole - x)
            return abs(self.hole - x) > NEAR_HOLE * x
        return not self.bracketed or (
            self.low < self.alpha < self.high
            and self.high - self.low > max(self.rule.xtol * self.high, self.shortest)
        )


def _step(
    lower: Point, upper: Point, trial: Point, bracketed: bool, low: float, high: float
) -> float:
    """The next trial by the four cases of section 4; within [low, high] unless bracketed."""
    x, t = lower[0], trial[0]
    if trial[1] > lower[1]:  # case 1: the cubic's minimiser, moved towards the quadratic's
        cubic = cubic_minimizer(*lower, *trial)
        quadratic = quadratic_minimizer(*lower, *trial[:2])
        near = abs(cubic - x) <= abs(quadratic - x)
        return cubic if near else cubic + (quadratic - cubic) / 2.0
    secant = secant_minimizer(x, lower[2], t, trial[2])
    if _turned(lower, trial):  # case 2: the one that is farther from the trial
        cubic = cubic_minimizer(*trial, *lower)
        return cubic if abs(cubic - t) > abs(secant - t) else secant
    end = high if t > x else low
    if abs(trial[2]) >= abs(lower[2]):  # case 4: the slope steepens
        return cubic_minimizer(*trial, *upper) if bracketed else end
    # case 3: the slope flattens; a cubic without minimiser beyond the trial points to the end
    cubic = cubic_minimizer(*trial, *lower)
    if not (cubic - t) * (t - x) > 0.0:
        cubic = end
    if not bracketed:
        return clamp(cubic if abs(cubic - t) > abs(secant - t) else secant, low, high)
    step = cubic if abs(cubic - t) < abs(secant - t) else secant
    limit = t + _BISECT * (upper[0] - t)
    return min(limit, step) if t > x else max(limit, step)


def _turned(lower: Point, trial: Point) -> bool:
    """The slopes have opposite signs."""
    return lower[2] < 0.0 < trial[2] or trial[2] < 0.0 < lower[2]
