"""Steps that are given, not searched: fixed, decaying, Barzilai-Borwein."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hessx.core import saved, store_choice, store_real
from hessx.globalization._noise import Noise
from hessx.globalization._search import Ray, Search, StepRule, Verdict

__all__ = ["BarzilaiBorwein", "BarzilaiBorweinSteps", "DecayingStep", "FixedStep", "GivenSearch"]

_SHRINK = 0.25  # of a step that led to a non-finite value, or one too high
_MAX_TRIALS = 30
_DECREASE = 1e-4  # Raydan's gamma


@saved
@dataclass(slots=True)
class GivenSearch(Search):
    """Take the step as it is; a non-finite point, or one too high, is shrunk away from.

    Attributes
    ----------
    alpha : float
        The step to evaluate, or just evaluated.
    ceiling, ceiling_slope : float
        A value above ceiling + alpha ceiling_slope is too high.
    trials : int
        Evaluations so far, 30 at most.
    """

    alpha: float
    ceiling: float = math.inf
    ceiling_slope: float = 0.0
    trials: int = 0

    def advance(self, value: float, slope: float) -> Verdict:  # noqa: ARG002
        """Accept a finite value that is not too high."""
        self.trials += 1
        if math.isfinite(value) and value <= self.ceiling + self.alpha * self.ceiling_slope:
            return Verdict.ACCEPTED
        if self.trials == _MAX_TRIALS:
            return Verdict.FAILED
        self.alpha *= _SHRINK
        return Verdict.TRY


@saved
@dataclass(frozen=True, slots=True)
class FixedStep(StepRule):
    """Take the same step each time, alpha_k = alpha.

    Parameters
    ----------
    alpha : float
        The step, > 0.

    Raises
    ------
    SettingsError
        alpha is not a positive number.

    Notes
    -----
    On a quadratic with Hessian H the error is multiplied by I - alpha A H: the steps converge for
    alpha < 2 / (largest eigenvalue of A H).  Any finite value is accepted; after a non-finite one
    the step is quartered, at most 29 times.  Cost: one evaluation per step.

    References
    ----------
    Nesterov (2004), Introductory Lectures on Convex Optimization, section 1.2.3.

    Examples
    --------
    >>> import hessx
    >>> method = hessx.LineSearchMethod(hessx.Identity(), hessx.FixedStep(0.5))
    >>> hessx.minimize(lambda x: (x @ x / 2, x), [4.0], jac=True, method=method,
    ...                options={"maxiter": 2}).x  # each step halves x
    array([1.])
    """

    alpha: float
    needs_slope = False

    def __post_init__(self) -> None:
        store_real(self, "alpha", 0.0)

    def search(self, ray: Ray) -> GivenSearch:  # noqa: ARG002
        """Give the fixed step."""
        return GivenSearch(self.alpha)


@saved
@dataclass(frozen=True, slots=True)
class DecayingStep(StepRule):
    r"""Take steps that decay, alpha_k = alpha / (1 + rate k)^power.

    Parameters
    ----------
    alpha : float
        The first step, > 0.
    rate : float
        How soon the decay sets in, per iteration, > 0.
    power : float
        In (0, 1]; with power in (1/2, 1] the steps satisfy the conditions of Robbins & Monro
        (1951), sum alpha_k = inf and sum alpha_k^2 < inf.

    Raises
    ------
    SettingsError
        alpha or rate is not positive, or power not in (0, 1].

    Notes
    -----
    k counts accepted steps from 0.  Non-finite values as with `FixedStep`.  Cost: one evaluation
    per step.

    References
    ----------
    Robbins & Monro (1951), A stochastic approximation method, Ann. Math. Statist. 22.

    Examples
    --------
    >>> from hessx.globalization import DecayingStep, Ray
    >>> rule = DecayingStep(0.5, rate=1.0, power=1.0)
    >>> [rule.search(Ray(1.0, -1.0, 1.0, 2.0**-52, iteration=k)).alpha for k in (0, 1, 4)]
    [0.5, 0.25, 0.1]
    """

    alpha: float
    rate: float = 1.0
    power: float = 1.0
    needs_slope = False

    def __post_init__(self) -> None:
        store_real(self, "alpha", 0.0)
        store_real(self, "rate", 0.0)
        store_real(self, "power", 0.0, 1.0, "(]")

    def search(self, ray: Ray) -> GivenSearch:
        """Give the step of this iteration."""
        return GivenSearch(self.alpha / (1.0 + self.rate * ray.iteration) ** self.power)


@saved
@dataclass(frozen=True, slots=True)
class BarzilaiBorwein(StepRule):
    """Take the step that makes alpha A fit the last pair, s = alpha A y.

    With d = -A g and A fixed, s'A^-1 s = -last^2 slope with the last step and the slope
    at its start, so that the long step

        alpha = s'A^-1 s / s'y = -last^2 slope / s'y

    needs no product with A.  The short step s'y / y'y belongs to A = I alone.  The first step is
    the solver's first trial (of length x_scale with A = I); where s'y <= 0 the last step is
    repeated.  The values of f rise and fall, within Raydan's bound: with f_max the largest of the
    last ten accepted values, a step is quartered until

        f <= f_max + 10 eps abs(f_max) + 1e-4 alpha slope

    (without the last term where A is not I).  Off convex functions the bare steps wander.  The same
    steps as an approximation, A = gamma I with alpha = 1, are `Spectral`: it goes into searches
    that interpolate, into regions, and stands for the length of A where another rule finds alpha.

    Parameters
    ----------
    variant : {"long", "short"}
        Which of the two.

    Raises
    ------
    SettingsError
        Another variant; or "short" with another approximation than `Identity`, when the two are
        joined.

    Notes
    -----
    Cost: one evaluation per step, seldom more; s'y and y'y come in the same fetch.

    References
    ----------
    Barzilai & Borwein (1988), Two-point step size gradient methods, eqs. (5) and (6); Raydan
    (1997), The Barzilai and Borwein gradient method for the large scale unconstrained minimization
    problem, SIAM J. Optim. 7, step 3 of the GBB algorithm.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> h = np.array([1.0, 10.0])
    >>> method = hessx.LineSearchMethod(hessx.Identity(), hessx.BarzilaiBorwein("short"))
    >>> hessx.minimize(lambda x: (h @ x**2 / 2, h * x), [1.0, 1.0], jac=True, method=method).success
    True
    """

    variant: str = "long"
    needs_slope = False  # the long step is made of the last ray's
    needs_pair = True

    def __post_init__(self) -> None:
        store_choice(self, "variant", "long", "short")

    @property
    def needs_identity(self) -> bool:
        """The short step is meaningful for A = I only."""
        return self.variant == "short"

    def begin(self) -> BarzilaiBorweinSteps:
        """Begin a run, without a pair."""
        return BarzilaiBorweinSteps(self.variant)


@saved
@dataclass(slots=True)
class BarzilaiBorweinSteps:
    """`BarzilaiBorwein` at work: the last pair, and the values that bound the next.

    Attributes
    ----------
    variant : {"long", "short"}
        Which step.
    alpha, slope, s_y, y_y : float
        The last step, the slope at its start, and s'y and y'y of its pair; nan before there is one.
    recent : tuple of float
        The values at the starts of the last nine steps.
    """

    variant: str
    alpha: float = math.nan
    slope: float = math.nan
    s_y: float = math.nan
    y_y: float = math.nan
    recent: tuple[float, ...] = ()

    def search(self, ray: Ray) -> GivenSearch:
        """Start with the step that fits the last pair."""
        highest = max((*self.recent, ray.value))
        slope = 0.0 if math.isnan(ray.slope) else _DECREASE * ray.slope
        noise = Noise.at(highest, ray.eps, ray.eps_f).level
        return GivenSearch(self._step(ray), highest + noise, slope)

    def after(self, ray: Ray, alpha: float, s_y: float, y_y: float) -> None:
        """Keep the pair of an accepted step, and the value at its start."""
        self.alpha, self.slope, self.s_y, self.y_y = alpha, ray.slope, s_y, y_y
        self.recent = (*self.recent[-8:], ray.value)

    def _step(self, ray: Ray) -> float:
        """The ray's own first trial where there is no pair yet."""
        if math.isnan(self.s_y):
            return ray.alpha
        if not self.s_y > 0.0:
            return self.alpha
        if self.variant == "short":
            alpha = self.s_y / self.y_y if self.y_y > 0.0 else math.inf
        else:
            alpha = -self.alpha * (self.alpha * self.slope / self.s_y)
        return alpha if 0.0 < alpha < math.inf else self.alpha
