"""What every rule for the step length shares: the ray it starts from and its verdicts.

A rule (frozen settings) begins a run with its live part: itself, or where steps depend on earlier
ones, an object that is told of them.  On each ray that gives a search, plain data, which is told
value and slope at its ``alpha`` by ``advance``, one evaluation at a time, and answers with a
`Verdict`.  Live part and search are copied and saved with the solver's state.  Only Python floats
pass through here: a line search never sees an array.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import Protocol

from hessx.core import saved
from hessx.globalization._noise import Noise

__all__ = ["LiveRule", "Ray", "Search", "StepRule", "Verdict"]


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
    eps_f : float
        Relative noise of f, where it is known to be above 10 eps.
    reference : float
        What sufficient decrease is measured from: f(x), or with `NonMonotone` more than that.
    noise : Noise
        What differences of f tell, from value, eps and eps_f.
    """

    value: float
    slope: float
    alpha: float
    eps: float
    iteration: int = 0
    eps_f: float = 0.0
    reference: float = math.nan

    def __post_init__(self) -> None:
        if math.isnan(self.reference):
            self.reference = self.value

    @property
    def noise(self) -> Noise:
        """What differences of f along the ray tell."""
        return Noise.at(self.value, self.eps, self.eps_f)


class Search:
    """One search along one ray: data, advanced by one evaluation at a time.

    Parameters
    ----------
    alpha : float
        The first step to evaluate.

    Attributes
    ----------
    alpha : float
        The step to evaluate, or just evaluated.
    shortest : float
        Set by the solver: slopes tell nothing of a shorter step.  A subclass that reads it and
        does not call this constructor starts it at 0.
    settled : bool
        The search ended without what it was looking for: the step taken is a decrease only.
    noise : Noise, optional
        What the search has found that differences of f tell.

    Examples
    --------
    Halve the step until f falls:

    >>> import hessx
    >>> class Halving(hessx.Search):
    ...     def __init__(self, ray):
    ...         super().__init__(ray.alpha)
    ...         self.highest = ray.value
    ...     def advance(self, value, slope):
    ...         if value < self.highest:
    ...             return hessx.Verdict.ACCEPTED
    ...         self.alpha /= 2
    ...         return hessx.Verdict.TRY if self.alpha > self.shortest else hessx.Verdict.FAILED
    >>> search = Halving(hessx.Ray(value=1.0, slope=-2.0, alpha=2.5, eps=2.0**-52))
    >>> search.advance(2.25, 3.0), search.alpha  # f = (alpha - 1)^2
    (<Verdict.TRY: 'try'>, 1.25)
    """

    __slots__ = ("alpha", "shortest")
    alpha: float
    shortest: float
    settled: bool = False
    noise: Noise | None = None

    def __init__(self, alpha: float) -> None:
        self.alpha, self.shortest = alpha, 0.0

    def advance(self, value: float, slope: float) -> Verdict:
        """Take f and f' at ``alpha``; set the next ``alpha`` when the verdict is TRY."""
        raise NotImplementedError


class LiveRule(Protocol):
    """A rule for the step length at work in a run, with what it keeps of earlier steps.

    Where it has a past it is a class of its own, registered with `saved` if runs are to be saved.
    """

    def search(self, ray: Ray) -> Search:
        """Start on a ray; the returned search's ``alpha`` is the first step to evaluate."""
        ...

    def after(self, ray: Ray, alpha: float, s_y: float, y_y: float) -> None:
        """Hear of an accepted step; see `StepRule.after`."""
        ...


class StepRule:
    """Settings of a rule for the step length: the base of one's own.

    Attributes
    ----------
    needs_slope : bool
        Whether ``search`` reads ``ray.slope``.  Where the slope comes only with the first trial's
        packet, as for an approximation of one's own, ``search`` waits for it: that trial is at
        ``ray.alpha``, with which the search has to begin.
    needs_pair : bool
        Whether ``after`` reads s'y and y'y.
    needs_identity : bool
        Whether the rule is meaningful for A = I only.

    Examples
    --------
    A step that is always the first trial:

    >>> import hessx
    >>> from hessx.globalization import GivenSearch
    >>> class Suggested(hessx.StepRule):
    ...     def search(self, ray):
    ...         return GivenSearch(ray.alpha)
    >>> method = hessx.LineSearchMethod(hessx.LBFGS(), Suggested())
    >>> hessx.minimize(lambda x: (x @ x / 2, x), [0.5, 0.0], jac=True, method=method).success
    True
    """

    __slots__ = ()
    needs_slope: bool = True
    needs_pair: bool = False

    @property
    def needs_identity(self) -> bool:
        """Whether the rule is meaningful for A = I only."""
        return False

    def begin(self) -> LiveRule:
        """Begin a run: a rule without a past is its own live part."""
        return self

    def search(self, ray: Ray) -> Search:
        """Start on a ray; the returned search's ``alpha`` is the first step to evaluate."""
        msg = f"{type(self).__name__} has no search(ray) of its own: call begin(), or write it"
        raise NotImplementedError(msg)

    def after(self, ray: Ray, alpha: float, s_y: float, y_y: float) -> None:
        """Hear of an accepted step.

        Parameters
        ----------
        ray : Ray
            On which it was taken, its slope known by now.
        alpha : float
            The step.
        s_y, y_y : float
            The products s'y and y'y of its pair; they may be nan without ``needs_pair``.
        """
