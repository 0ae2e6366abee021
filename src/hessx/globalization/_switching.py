"""When a run goes over from one method to the next; on Python floats only."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

__all__ = ["LiveSwitch", "StepTaken", "SwitchRule"]


@dataclass(slots=True)
class StepTaken:
    """An accepted step, as a rule sees it; iteration 0 is the start.

    Attributes
    ----------
    iteration : int
        Steps so far.
    value, grad_norm : float
        f and norm_inf(g) where it led; with samples the mean value, and nan.
    slopes : tuple of float
        g's at its beginning and end; nan of steps on samples.
    """

    iteration: int
    value: float
    grad_norm: float
    slopes: tuple[float, float] = (math.nan, math.nan)


class SwitchRule(ABC):
    """Settings of a rule: `AfterSteps`, `GradientBelow`, `ModelGood`, `Stalled`, or one's own.

    Attributes
    ----------
    slopes, gradient : bool
        Whether it looks at slopes, or gradients, of the whole: those of steps on samples are none.

    Examples
    --------
    Below a value that one knows to be close to the least:

    >>> import hessx
    >>> class Below(hessx.SwitchRule):
    ...     def begin(self):
    ...         return LiveBelow()
    >>> class LiveBelow(hessx.LiveSwitch):
    ...     def after(self, step):
    ...         return f"f = {step.value:.3g}" if step.value < 1.0 else ""
    >>> rule = hessx.HagerZhang()
    >>> method = hessx.SwitchMethod(hessx.LineSearchMethod(hessx.Identity(), rule),
    ...                             hessx.LineSearchMethod(hessx.BFGS(), rule), Below())
    >>> bowl = lambda x: (x @ x + (x @ x)**2, 2 * x + 4 * (x @ x) * x)
    >>> hessx.minimize(bowl, [3.0, 4.0], jac=True, method=method).success
    True
    """

    __slots__ = ()
    slopes: bool = False
    gradient: bool = False

    @abstractmethod
    def begin(self) -> LiveSwitch:
        """Start a run."""


class LiveSwitch(ABC):
    """A rule at work."""

    __slots__ = ()

    @abstractmethod
    def after(self, step: StepTaken) -> str:
        """See the start, and each accepted step; why to go over now, or ""."""
