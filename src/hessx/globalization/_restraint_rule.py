"""How far a model is believed: what rules for its restraint have in common."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar

from hessx.core import Restraint

__all__ = ["RestraintRule", "RestraintState", "kept_in_range"]

_NOISE = 1e4  # eps abs(f): what the rounding of a long sum may come to


class RestraintRule(ABC):
    """Settings of a rule: `RadiusRule`, `NielsenRule`, `CubicRule`, or one's own.

    Attributes
    ----------
    restraint : type
        What it changes: `Ball`, `Damped` or `Cubic`; the subproblem has to take it.

    Examples
    --------
    A radius that is what it is:

    >>> import hessx
    >>> from hessx.globalization import RestraintState
    >>> class Constant(RestraintState):
    ...     def restraint(self, length):
    ...         return hessx.Ball(0.5, length)
    ...     def after(self, ratio, *, norm, slope, decrease, held_back):
    ...         return ratio > 0.0
    ...     def adopt(self, restraint):
    ...         pass
    ...     def restart(self):
    ...         pass
    >>> class Fixed(hessx.RestraintRule):
    ...     restraint = hessx.Ball
    ...     def begin(self):
    ...         return Constant()
    >>> import numpy as np
    >>> d = np.array([1.0, 3.0])
    >>> hessx.minimize(lambda x: (d * x) @ x / 2, [1.0, 1.0], jac=lambda x: d * x,
    ...                hessp=lambda x, p: d * p, method=hessx.TrustRegionMethod(region=Fixed())).nit
    5
    """

    __slots__ = ()
    restraint: ClassVar[type[Restraint]]

    @abstractmethod
    def begin(self) -> RestraintState:
        """Start a run."""


class RestraintState(ABC):
    """A rule at work."""

    __slots__ = ()

    @abstractmethod
    def restraint(self, length: float) -> Restraint:
        """Give the restraint of the next model; ``length`` is that of a natural step."""

    @abstractmethod
    def after(
        self, ratio: float, *, norm: float, slope: float, decrease: float, held_back: bool
    ) -> bool:
        """Change the restraint after a step p; True where p is accepted.

        Parameters
        ----------
        ratio : float
            See `ratio`.
        norm, slope, decrease : float
            norm(p), g'p and the predicted decrease -g'p - p'Hp / 2, without the restraint.
        held_back : bool
            Whether it is the restraint that ends p.
        """

    @abstractmethod
    def adopt(self, restraint: Restraint) -> None:
        """Take over the restraint that a solve has found in force."""

    @abstractmethod
    def restart(self) -> None:
        """Forget the number: the next step is the shortest that can be believed."""

    def ratio(
        self,
        f: float,
        f_trial: float,
        lowest: float,
        decrease: float,
        slopes: tuple[float, float],
        eps: float,
    ) -> float:
        """Compare the actual decrease with the predicted one; -inf for a trial without a value.

        Where neither is above 10^4 eps abs(f), and f_trial no further above the lowest value of the
        run, f no longer resolves the ratio, and the mean slope along the step takes the place of
        the actual decrease.

        Parameters
        ----------
        f, f_trial, lowest : float
            Values at both ends of the step, and the lowest of the run.
        decrease : float
            Of the model, > 0.
        slopes : tuple of float
            g'p at both ends.
        eps : float
            Of the dtype of f.

        Returns
        -------
        float
            The ratio.
        """
        if not (math.isfinite(f_trial) and decrease > 0.0):
            return -math.inf
        actual, noise = f - f_trial, _NOISE * eps * max(abs(f), abs(f_trial))
        if max(abs(actual), decrease) <= noise and f_trial - lowest <= noise:
            actual = -0.5 * (slopes[0] + slopes[1])
        return actual / decrease


def kept_in_range(sigma: float, factor: float) -> float:
    """Give sigma times a factor, or sigma where that has left the range of floats."""
    changed = sigma * factor
    return changed if 0.0 < changed < math.inf else sigma
