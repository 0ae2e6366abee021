"""The weight of a cubic term, by the ratio of decreases."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from hessx.core import Cubic, Restraint, check_real, saved, store_real
from hessx.globalization._restraint_rule import (
    RestraintRule,
    RestraintState,
    kept_in_range,
)

__all__ = ["CubicRule", "CubicState"]

_UNFELT, _FELT = 1e-12, 0.1  # of the decrease: a term that changes no step, and one that does


@saved
@dataclass(frozen=True, slots=True, kw_only=True)
class CubicRule(RestraintRule):
    r"""Change sigma of the cubic model m(p) = g'p + p'Hp / 2 + sigma norm(p)^3 / 3.

    With rho = (f - f_trial) / -m(p), a step is accepted where rho >= ``accept``.  m meets f at p if
    sigma is fit = 3 (f_trial - f - g'p - p'Hp / 2) / norm(p)^3.  Where rho > ``good``, sigma goes
    towards fit, by a factor within ``shrink``; where the step is rejected, by one within ``grow``;
    otherwise it stays.

    Parameters
    ----------
    initial : float, optional
        First sigma, > 0; by default one under which the step along -g is about Cauchy's, see
        `Cubic`.
    accept, good : float
        Ratios, 0 < accept < good < 1: eta_1 and eta_2 of the first reference.
    shrink : tuple of float
        Least and largest factor, 0 < least <= largest < 1.
    grow : tuple of float
        Least and largest factor, 1 < least <= largest.

    Raises
    ------
    SettingsError
        A setting out of range.

    References
    ----------
    Cartis, Gould & Toint (2011), Adaptive cubic regularisation methods for unconstrained
    optimization, part I, Math. Program. 127, algorithm 2.1; for the limits of the factors, and for
    interpolation between them, Gould, Porcelli & Toint (2012), Updating the regularization
    parameter in the adaptive cubic regularization algorithm, Comput. Optim. Appl. 53.

    Examples
    --------
    >>> import hessx
    >>> state = hessx.CubicRule(initial=4.0).begin()
    >>> step = {"norm": 0.5, "slope": -2.0, "decrease": 1.0, "held_back": True}
    >>> state.after(1.0, **step), state.sigma  # the quadratic model is exact: fit = 0
    (True, 0.4)
    >>> state.after(-3.0, **step), state.sigma  # fit = 96
    (False, 40.0)
    """

    restraint: ClassVar = Cubic
    initial: float | None = None
    accept: float = 0.1
    good: float = 0.9
    shrink: tuple[float, float] = (0.1, 0.5)
    grow: tuple[float, float] = (2.0, 100.0)

    def __post_init__(self) -> None:
        store_real(self, "initial", 0.0)
        store_real(self, "good", 0.0, 1.0)
        store_real(self, "accept", 0.0, self.good)
        for name, low, high in (("shrink", 0.0, 1.0), ("grow", 1.0, math.inf)):
            least, largest = getattr(self, name)
            least = check_real(f"{name}[0]", least, low, high)
            largest = check_real(f"{name}[1]", largest, least, high, "[)")
            object.__setattr__(self, name, (least, largest))

    def begin(self) -> CubicState:
        """Start with the first sigma."""
        return CubicState(self, self.initial)


@saved
@dataclass(slots=True)
class CubicState(RestraintState):
    """`CubicRule` at work: sigma, once it is known."""

    rule: CubicRule
    sigma: float | None

    def restraint(self, length: float) -> Cubic:
        """Give the cubic term of the next model."""
        return Cubic(self.sigma, length)

    def after(
        self,
        ratio: float,
        *,
        norm: float,
        slope: float,  # noqa: ARG002
        decrease: float,
        held_back: bool,  # noqa: ARG002
    ) -> bool:
        """Change sigma; see `RestraintState.after`."""
        rule, sigma = self.rule, self.sigma
        if sigma is None:
            return ratio >= rule.accept
        cube = norm * norm * norm / 3.0
        promised = decrease - sigma * cube
        rho = ratio * (decrease / promised) if promised > 0.0 else ratio
        accepted = rho >= rule.accept
        if rho > rule.good or not accepted:
            least, largest = rule.grow if not accepted else rule.shrink
            fit = (1.0 - ratio) * (decrease / cube) / sigma if cube > 0.0 else largest
            self.sigma = kept_in_range(sigma, max(least, min(largest, fit)))
            self.sigma = _kept_felt(sigma, self.sigma, decrease, cube)
        return accepted

    def adopt(self, restraint: Restraint) -> None:
        """Take sigma over."""
        self.sigma = restraint.sigma  # type: ignore[attr-defined]

    def restart(self) -> None:
        """Forget sigma."""
        self.sigma = None


def _kept_felt(before: float, sigma: float, decrease: float, size: float) -> float:
    """Keep sigma where a rejection or two make the cubic term be felt again.

    Parameters
    ----------
    before, sigma : float
        In the last step, and as the rule would have it.
    decrease, size : float
        Of the model, and of the term in the last step for sigma = 1.

    Returns
    -------
    float
        Sigma; it shrinks no further than to where the term is 10^-12 of the decrease, and grows
        from below that to a tenth of it.
    """
    even = decrease / size if size > 0.0 else 0.0
    if not 0.0 < even < math.inf:
        return sigma
    least = _UNFELT * even
    if sigma < before:
        return max(sigma, min(before, least))
    return max(sigma, _FELT * even) if before < sigma and before < least else sigma
