"""Steps that are given, not searched: fixed, decaying, Barzilai-Borwein."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hessx.core import SettingsError, check_real
from hessx.globalization._search import Ray, Verdict

__all__ = ["BarzilaiBorwein", "DecayingStep", "FixedStep", "GivenSearch"]

_SHRINK = 0.25  # of a step that led to a non-finite value
_MAX_TRIALS = 30


@dataclass(slots=True)
class GivenSearch:
    """Take the step as it is; only a non-finite point is shrunk away from."""

    alpha: float
    trials: int = 0

    def advance(self, value: float, slope: float) -> Verdict:  # noqa: ARG002
        """Accept any finite value."""
        self.trials += 1
        if math.isfinite(value):
            return Verdict.ACCEPTED
        if self.trials == _MAX_TRIALS:
            return Verdict.FAILED
        self.alpha *= _SHRINK
        return Verdict.TRY


@dataclass(frozen=True, slots=True)
class FixedStep:
    """Take the same step each time, alpha_k = alpha.

    Parameters
    ----------
    alpha : float
        The step, > 0.
    """

    alpha: float
    needs_slope = False
    needs_pair = False

    def __post_init__(self) -> None:
        check_real("alpha", self.alpha, 0.0)

    def begin(self, ray: Ray) -> GivenSearch:  # noqa: ARG002
        """Give the fixed step."""
        return GivenSearch(self.alpha)


@dataclass(frozen=True, slots=True)
class DecayingStep:
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
    """

    alpha: float
    rate: float = 1.0
    power: float = 1.0
    needs_slope = False
    needs_pair = False

    def __post_init__(self) -> None:
        check_real("alpha", self.alpha, 0.0)
        check_real("rate", self.rate, 0.0)
        check_real("power", self.power, 0.0)
        if self.power > 1.0:
            msg = f"power = {self.power!r}: expected a number in (0, 1]"
            raise SettingsError(msg)

    def begin(self, ray: Ray) -> GivenSearch:
        """Give the step of this iteration."""
        return GivenSearch(self.alpha / (1.0 + self.rate * ray.iteration) ** self.power)


@dataclass(frozen=True, slots=True)
class BarzilaiBorwein:
    """Take the step that makes alpha A fit the last pair, s = alpha A y.

    With d = -A g and A fixed, s'A^-1 s = -last_alpha^2 last_slope, so that the long step

        alpha = s'A^-1 s / s'y = -last_alpha^2 last_slope / s'y

    needs no product with A.  The short step s'y / y'y belongs to A = I alone.  Where s'y <= 0 the
    last step is repeated.  The values of f rise and fall.

    Parameters
    ----------
    variant : {"long", "short"}
        Which of the two.

    References
    ----------
    Barzilai & Borwein (1988), Two-point step size gradient methods, eqs. (5) and (6).
    """

    variant: str = "long"
    needs_slope = True  # of the last ray: the long step is made of it
    needs_pair = True

    def __post_init__(self) -> None:
        if self.variant not in ("long", "short"):
            msg = f"variant = {self.variant!r}: expected 'long' or 'short'"
            raise SettingsError(msg)

    @property
    def needs_identity(self) -> bool:
        """The short step is meaningful for A = I only."""
        return self.variant == "short"

    def begin(self, ray: Ray) -> GivenSearch:
        """Give the step that fits the last pair; the ray's own first trial where there is none."""
        if math.isnan(ray.s_y):
            return GivenSearch(ray.alpha)
        if not ray.s_y > 0.0:
            return GivenSearch(ray.last_alpha)
        if self.variant == "short":
            return GivenSearch(ray.s_y / ray.y_y)
        return GivenSearch(-ray.last_alpha * ray.last_alpha * ray.last_slope / ray.s_y)
