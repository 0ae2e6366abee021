"""The damping of a Levenberg-Marquardt step, by the ratio of decreases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from hessx.core import Damped, Restraint, saved, store_real
from hessx.globalization._restraint_rule import (
    RestraintRule,
    RestraintState,
    kept_in_range,
)

__all__ = ["NielsenRule", "NielsenState"]


@saved
@dataclass(frozen=True, slots=True, kw_only=True)
class NielsenRule(RestraintRule):
    r"""Change sigma of (H + sigma I) p = -g smoothly with ratio = (f - f_trial) / decrease.

        ratio > accept:  sigma <- sigma max(shrink, 1 - (2 ratio - 1)^3),  nu <- grow
        otherwise:       sigma <- sigma nu,  nu <- grow nu

    An accepted step with ratio 1/2 leaves sigma as it is.

    Parameters
    ----------
    initial : float, optional
        First sigma, > 0; by default the curvature of the model along the gradient, see `Damped`.
    accept : float
        Ratio above which a step is accepted, in [0, 1).
    shrink : float
        Least factor, in (0, 1).
    grow : float
        Factor after the first rejection, > 1.

    Raises
    ------
    SettingsError
        A setting out of range.

    References
    ----------
    Nielsen (1999), Damping parameter in Marquardt's method, IMM-REP-1999-05, DTU; Madsen, Nielsen &
    Tingleff (2004), Methods for non-linear least squares problems, DTU, algorithm 3.16, where
    accept = 0.

    Examples
    --------
    >>> import hessx
    >>> state = hessx.NielsenRule(initial=4.0).begin()
    >>> step = {"norm": 1.0, "slope": -2.0, "decrease": 1.0, "held_back": True}
    >>> state.after(1.0, **step), round(state.sigma, 6)
    (True, 1.333333)
    >>> [(state.after(-1.0, **step), round(state.sigma, 6)) for _ in range(2)]
    [(False, 2.666667), (False, 10.666667)]
    """

    restraint: ClassVar = Damped
    initial: float | None = None
    accept: float = 1e-4
    shrink: float = 1 / 3
    grow: float = 2.0

    def __post_init__(self) -> None:
        store_real(self, "initial", 0.0)
        store_real(self, "accept", 0.0, 1.0, "[)")
        store_real(self, "shrink", 0.0, 1.0)
        store_real(self, "grow", 1.0)

    def begin(self) -> NielsenState:
        """Start with the first sigma."""
        return NielsenState(self, self.initial, self.grow)


@saved
@dataclass(slots=True)
class NielsenState(RestraintState):
    """`NielsenRule` at work: sigma, once it is known, and the next factor upwards."""

    rule: NielsenRule
    sigma: float | None
    nu: float

    def restraint(self, length: float) -> Damped:
        """Give the damping of the next model."""
        return Damped(self.sigma, length)

    def after(
        self,
        ratio: float,
        *,
        norm: float,  # noqa: ARG002
        slope: float,  # noqa: ARG002
        decrease: float,  # noqa: ARG002
        held_back: bool,  # noqa: ARG002
    ) -> bool:
        """Change sigma; see `RestraintState.after`."""
        rule, accepted = self.rule, ratio > self.rule.accept
        if accepted:
            t = 2.0 * ratio - 1.0
            factor, self.nu = max(rule.shrink, 1.0 - t * t * t), rule.grow
        else:
            factor, self.nu = self.nu, self.nu * rule.grow
        if self.sigma is not None:
            self.sigma = kept_in_range(self.sigma, factor)
        return accepted

    def adopt(self, restraint: Restraint) -> None:
        """Take sigma over."""
        self.sigma = restraint.sigma  # type: ignore[attr-defined]

    def restart(self) -> None:
        """Forget sigma."""
        self.sigma, self.nu = None, self.rule.grow
