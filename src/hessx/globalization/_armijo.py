"""Backtracking with interpolation to a point of sufficient decrease."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hessx.core import saved, store_integer, store_real
from hessx.globalization._interpolate import clamp, quadratic_minimizer, value_minimizer
from hessx.globalization._noise import Noise
from hessx.globalization._search import Ray, Search, StepRule, Verdict
from hessx.globalization._wolfe import DEEP, SHRINK, approximate_wolfe, check_ray

__all__ = ["Armijo", "ArmijoSearch"]

_C2 = 0.9  # at the precision floor a shorter step than this allows changes nothing


@saved
@dataclass(frozen=True, slots=True, kw_only=True)
class Armijo(StepRule):
    """Armijo's rule: shorten the step until f decreases in proportion to it.

    A trial alpha > 0 is accepted when, with f0, slope0 at alpha = 0,

    - f <= r + c1 alpha slope0 and f < r, with r = f0, or more with `NonMonotone`, or
    - f <= f0 + eps_f abs(f0), eps_f = 10 eps(dtype of x) or measured, and
      (2 c1 - 1) slope0 >= slope >= 0.9 slope0: at the precision floor of f, the quadratic through
      the two slopes has decreased sufficiently (approximate Wolfe).

    The next trial minimises the quadratic through f0, slope0 and the last value, then the cubic
    through the last two, and is kept within [0.1, 0.5] of the last step; so is the quarter that
    follows a non-finite trial.  Steps are never lengthened beyond the ray's first trial, which
    only follows the ratio of slopes: far from a solution that may be short.  After ``max_trials``
    the search fails.

    Parameters
    ----------
    c1 : float
        Sufficient decrease, in (0, 0.5).
    max_trials : int
        Evaluations allowed, >= 1.

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
    Armijo (1966), Pacific J. Math. 16; Dennis & Schnabel (1983), algorithm A6.3.1; Hager & Zhang
    (2005), section 4, for the condition on slopes.

    Examples
    --------
    >>> from hessx.globalization import Armijo, Ray
    >>> search = Armijo().search(Ray(value=1.0, slope=-2.0, alpha=4.0, eps=2.0**-52))
    >>> search.advance(9.0, 6.0), search.alpha  # f = (alpha - 1)^2
    (<Verdict.TRY: 'try'>, 1.0)
    >>> search.advance(0.0, 0.0)
    <Verdict.ACCEPTED: 'accepted'>
    """

    c1: float = 1e-4
    max_trials: int = 30

    def __post_init__(self) -> None:
        store_real(self, "c1", 0.0, 0.5)
        store_integer(self, "max_trials", 1)

    def search(self, ray: Ray) -> ArmijoSearch:
        """Start on a ray; ValueError unless its slope < 0 and alpha > 0."""
        check_ray(ray)
        return ArmijoSearch(self, ray.value, ray.slope, ray.reference, ray.alpha, ray.noise)


@saved
@dataclass(slots=True)
class ArmijoSearch(Search):
    """One search.

    Attributes
    ----------
    rule : Armijo
        The settings.
    value0, slope0 : float
        f(x), and the slope at alpha = 0.
    reference : float
        What sufficient decrease is measured from.
    alpha : float
        The step to evaluate, or just evaluated.
    noise : Noise
        What differences of values tell; it rises where values do not return to f(x).
    shortest : float
        Slopes tell nothing of a shorter step: after a trial of this one a search fails.
    trials : int
        Evaluations so far.
    last_alpha, last_value : float
        The last finite trial; nan before there is one.
    """

    rule: Armijo
    value0: float
    slope0: float
    reference: float
    alpha: float
    noise: Noise
    shortest: float = 0.0
    trials: int = 0
    last_alpha: float = math.nan
    last_value: float = math.nan

    def advance(self, value: float, slope: float) -> Verdict:
        """Take f and f' at ``alpha``; set the next ``alpha`` when the verdict is TRY."""
        c1, alpha = self.rule.c1, self.alpha
        value0, slope0, reference = self.value0, self.slope0, self.reference
        self.trials += 1
        self.noise = self.noise.after(alpha, -slope0 * alpha, value - value0)
        if reference > value <= reference + c1 * alpha * slope0 and abs(slope) < math.inf:
            return Verdict.ACCEPTED
        if approximate_wolfe(value, slope, value0, slope0, self.noise.level, c1, _C2):
            return Verdict.ACCEPTED
        if self.trials >= self.rule.max_trials:
            return Verdict.FAILED
        self.alpha = max(self._shorter(value, slope), self.shortest)
        return Verdict.TRY if self.alpha < alpha else Verdict.FAILED

    def _shorter(self, value: float, slope: float) -> float:
        """The next trial."""
        alpha, value0, slope0 = self.alpha, self.value0, self.slope0
        if not (math.isfinite(value) and math.isfinite(slope)):
            return (SHRINK if self.trials == 1 else DEEP) * alpha
        if math.isnan(self.last_alpha):
            step = quadratic_minimizer(0.0, value0, slope0, alpha, value)
        else:
            rise, last_rise = value - value0, self.last_value - value0
            step = value_minimizer(slope0, alpha, rise, self.last_alpha, last_rise)
        self.last_alpha, self.last_value = alpha, value
        return clamp(step, 0.1 * alpha, 0.5 * alpha)
