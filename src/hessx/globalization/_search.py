"""What every rule for the step length shares: the ray it starts from and its verdicts.

A rule (frozen settings) is asked to ``begin`` on a ray and returns a search, plain data that is
copied and saved with the solver's state.  The search is then told the value and slope at its
``alpha`` by ``advance``, one evaluation at a time, and answers with a `Verdict`.  Only Python
floats pass through here: a line search never sees an array.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Protocol

from hessx.core import saved
from hessx.globalization._noise import Noise

__all__ = ["Ray", "Search", "StepRule", "Verdict"]


class Verdict(enum.Enum):
    """What a search says after an evaluation.

    Attributes
    ----------
    TRY
        Evaluate at the search's new alpha.
    ACCEPTED
        The point just evaluated is taken.
    FAILED
        No acceptable step was found.
    """

    TRY = "try"
    ACCEPTED = "accepted"
    FAILED = "failed"


@saved
@dataclass(slots=True)
class Ray:
    """The restriction of f to x + alpha d, as known before its first trial.

    Attributes
    ----------
    value, slope : float
        f(x) and g'd, the derivative along d at alpha = 0; slope < 0.
    alpha : float
        The first trial step that the solver suggests, > 0.
    eps : float
        Machine epsilon of x's dtype.
    iteration : int
        Accepted steps so far.
    last_alpha, last_slope, s_y, y_y : float
        Step and starting slope of the last accepted ray, and the products s'y and y'y of its
        pair; nan before the first accepted step.
    recent : tuple of float
        The values at the starts of the last ten rays, this one's included.
    eps_f : float
        Relative noise of f, where it is known to be above 10 eps.
    noise : Noise
        What differences of f tell, from value, eps and eps_f.
    """

    value: float
    slope: float
    alpha: float
    eps: float
    iteration: int = 0
    last_alpha: float = float("nan")
    last_slope: float = float("nan")
    s_y: float = float("nan")
    y_y: float = float("nan")
    recent: tuple[float, ...] = ()
    eps_f: float = 0.0

    @property
    def noise(self) -> Noise:
        """What differences of f along the ray tell."""
        return Noise.at(self.value, self.eps, self.eps_f)


class Search(Protocol):
    """One search along one ray: data, advanced by one evaluation at a time.

    Attributes
    ----------
    alpha : float
        The step to evaluate, or just evaluated.
    shortest : float, optional
        Set by the solver: slopes tell nothing of a shorter step.
    """

    alpha: float

    def advance(self, value: float, slope: float) -> Verdict:
        """Take f and f' at ``alpha``; set the next ``alpha`` when the verdict is TRY."""
        ...


class StepRule(Protocol):
    """Settings of a rule for the step length: the contract for one's own.

    Attributes
    ----------
    needs_slope : bool, optional
        Whether ``begin`` reads ``ray.slope`` (True where absent).  Where the slope comes only with
        the first trial's packet, as for an approximation of one's own, ``begin`` waits for it:
        that trial is at ``ray.alpha``, with which the search has to begin.
    needs_pair : bool, optional
        Whether ``begin`` reads ``ray.s_y`` and ``ray.y_y`` (False where absent).
    needs_identity : bool, optional
        Whether the rule is meaningful for A = I only (False where absent).

    Examples
    --------
    A step that is always the first trial:

    >>> import hessx
    >>> from hessx.globalization import GivenSearch
    >>> class Suggested:
    ...     def begin(self, ray):
    ...         return GivenSearch(ray.alpha)
    >>> method = hessx.LineSearchMethod(hessx.LBFGS(), Suggested())
    >>> hessx.minimize(lambda x: (x @ x / 2, x), [0.5, 0.0], jac=True, method=method).success
    True
    """

    def begin(self, ray: Ray) -> Search:
        """Start on a ray; the returned search's ``alpha`` is the first step to evaluate."""
        ...
