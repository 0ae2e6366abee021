"""The trust-region radius: how far the model is believed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from hessx.core import Ball, Restraint, SettingsError, check_real, saved, store_real
from hessx.globalization._restraint_rule import RestraintRule, RestraintState

__all__ = ["RadiusRule", "Region"]

_CLOSE = 0.1  # of 1: a ratio that foretells well
_EXACT = 1e-4  # relative error to which a model that looks exact is believed


@saved
@dataclass(frozen=True, slots=True, kw_only=True)
class RadiusRule(RestraintRule):
    r"""Grow and shrink a trust region by the ratio of actual to predicted decrease.

    With ratio = (f - f_trial) / decrease, a step is accepted where ratio > ``accept``.  Below
    ``poor`` the radius becomes t min(norm(p), radius), with t where the parabola through f, g'p and
    f_trial has its minimum, kept within ``shrink``.  Above ``good``, where the boundary held the
    step back, it becomes ``grow`` radius, twice that where the ratio is within 0.1 of 1, and
    10^-4 / abs(ratio - 1) radius, at most ``leap`` radius, where f looks quadratic: there the
    model's relative error, third order over second, grows as the radius and stays below 10^-4.

    Parameters
    ----------
    initial : float, optional
        First radius, > 0, in x / x_scale; by default the length of the Cauchy step.
    largest : float
        Upper limit of the radius.
    accept, poor, good : float
        Ratios, 0 <= accept < poor < good < 1.
    shrink : tuple of float
        Least and largest factor, 0 < least <= largest < 1.
    grow, leap : float
        Factors: > 1, and >= 1.

    Raises
    ------
    SettingsError
        A setting out of range.

    References
    ----------
    Conn, Gould & Toint (2000), Trust-Region Methods, algorithm 6.1.1 and section 17.4.2; Nocedal &
    Wright (2006), algorithm 4.1.

    Examples
    --------
    >>> import hessx
    >>> region = hessx.RadiusRule(initial=1.0).begin()
    >>> region.after(ratio=0.8, norm=1.0, slope=-2.0, decrease=1.0, held_back=True)
    True
    >>> region.radius
    2.0
    >>> region.after(ratio=-3.0, norm=2.0, slope=-2.0, decrease=1.0, held_back=True)
    False
    >>> region.radius  # the parabola through 0, slope -2 and 3 has its minimum at t = 0.2
    0.4
    """

    restraint: ClassVar = Ball
    initial: float | None = None
    largest: float = math.inf
    accept: float = 1e-4
    poor: float = 0.25
    good: float = 0.75
    shrink: tuple[float, float] = (1 / 16, 1 / 2)
    grow: float = 2.0
    leap: float = 100.0

    def __post_init__(self) -> None:
        store_real(self, "initial", 0.0)
        store_real(self, "largest", 0.0, ends="(]")
        store_real(self, "poor", 0.0, 1.0)
        store_real(self, "accept", 0.0, self.poor, "[)")
        store_real(self, "good", self.poor, 1.0)
        least, largest = self.shrink
        least = check_real("shrink[0]", least, 0.0, 1.0)
        largest = check_real("shrink[1]", largest, least, 1.0 - 1e-9, "[]")
        object.__setattr__(self, "shrink", (least, largest))
        store_real(self, "grow", 1.0)
        store_real(self, "leap", 1.0, ends="[)")
        if self.initial is not None and self.initial > self.largest:
            given = f"initial = {self.initial} and largest = {self.largest}"
            msg = f"{given}: expected initial <= largest"
            raise SettingsError(msg)

    def begin(self) -> Region:
        """Start with the first radius."""
        return Region(self, self.initial)


@saved
@dataclass(slots=True)
class Region(RestraintState):
    """A radius at work.

    Attributes
    ----------
    rule : RadiusRule
        How it changes.
    radius : float, optional
        None until the first solve has found the Cauchy step.
    """

    rule: RadiusRule
    radius: float | None

    def restraint(self, length: float) -> Ball:
        """Give the ball of the next model."""
        return Ball(self.radius, length)

    def after(
        self, ratio: float, *, norm: float, slope: float, decrease: float, held_back: bool
    ) -> bool:
        """Change the radius; see `RestraintState.after`."""
        rule, radius = self.rule, norm if self.radius is None else self.radius
        if not ratio >= rule.poor:
            radius = self._share(ratio, slope, decrease) * min(radius, norm)
        elif ratio > rule.good and held_back:
            radius = min(self._growth(abs(ratio - 1.0)) * radius, rule.largest)
        self.radius = radius
        return ratio > rule.accept

    def adopt(self, restraint: Restraint) -> None:
        """Take the radius over."""
        self.radius = restraint.radius  # type: ignore[attr-defined]

    def restart(self) -> None:
        """Forget the radius."""
        self.radius = None

    def _growth(self, error: float) -> float:
        """By how much the radius grows, with the relative error of the model there."""
        if error > _CLOSE:
            return self.rule.grow
        leap = min(self.rule.leap, _EXACT / error) if error else self.rule.leap
        return max(2.0 * self.rule.grow, leap)

    def _share(self, ratio: float, slope: float, decrease: float) -> float:
        """Where the parabola has its minimum, as a share of p."""
        least, largest = self.rule.shrink
        bend = -ratio * decrease - slope  # f_trial - f - g'p
        if not bend > 0.0:
            return largest
        return min(largest, max(least, -0.5 * slope / bend))
