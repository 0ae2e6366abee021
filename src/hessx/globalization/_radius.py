"""The trust-region radius: how far the model is believed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hessx.core import SettingsError, check_real

__all__ = ["RadiusRule", "Region"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RadiusRule:
    r"""Grow and shrink a trust region by the ratio of actual to predicted decrease.

    With ratio = (f - f_trial) / decrease, a step is accepted where ratio > ``accept``; the radius
    becomes ``shrink`` min(norm(p), radius) below ``poor``, and ``grow`` radius above ``good``
    where the boundary held the step back.

    Parameters
    ----------
    initial : float, optional
        First radius, > 0, in x / x_scale; by default the length of the Cauchy step.
    largest : float
        Upper limit of the radius.
    accept, poor, good : float
        Ratios, 0 <= accept < poor < good < 1.
    shrink, grow : float
        Factors, 0 < shrink < 1 < grow.

    Raises
    ------
    SettingsError
        A setting out of range.

    Notes
    -----
    Where neither decrease is above 10^4 eps abs(f), f no longer resolves the ratio, and the
    mean slope along the step takes the place of the actual decrease: -(g'p + g_trial'p) / 2.

    References
    ----------
    Conn, Gould & Toint (2000), Trust-Region Methods, algorithm 6.1.1 and section 17.4.2; Nocedal &
    Wright (2006), algorithm 4.1.

    Examples
    --------
    >>> import hessx
    >>> region = hessx.RadiusRule(initial=1.0).begin()
    >>> region.after(ratio=0.9, norm=1.0, held_back=True), region.radius
    (True, 2.0)
    >>> region.after(ratio=-1.0, norm=2.0, held_back=True), region.radius
    (False, 0.5)
    """

    initial: float | None = None
    largest: float = math.inf
    accept: float = 1e-4
    poor: float = 0.25
    good: float = 0.75
    shrink: float = 0.25
    grow: float = 2.0

    def __post_init__(self) -> None:
        if self.initial is not None:
            check_real("initial", self.initial, 0.0)
        if self.largest != math.inf:
            check_real("largest", self.largest, 0.0)
        check_real("accept", self.accept, 0.0, self.poor, closed=True)
        check_real("poor", self.poor, 0.0, 1.0)
        check_real("good", self.good, self.poor, 1.0)
        check_real("shrink", self.shrink, 0.0, 1.0)
        check_real("grow", self.grow, 1.0)
        if self.accept == self.poor:
            msg = f"accept = poor = {self.poor}: expected accept < poor"
            raise SettingsError(msg)

    def begin(self) -> Region:
        """Start with the first radius."""
        return Region(self, self.initial)


@dataclass(slots=True)
class Region:
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

    def ratio(
        self, f: float, f_trial: float, decrease: float, slopes: tuple[float, float], eps: float
    ) -> float:
        """Compare the actual decrease with the predicted one; -inf for a trial without a value.

        Parameters
        ----------
        f, f_trial : float
            Values.
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
        if not math.isfinite(f_trial):
            return -math.inf
        actual = f - f_trial
        if max(abs(actual), decrease) <= 1e4 * eps * max(abs(f), abs(f_trial)):
            actual = -0.5 * (slopes[0] + slopes[1])
        return actual / decrease

    def after(self, ratio: float, norm: float, *, held_back: bool) -> bool:
        """Change the radius; True where the step of this length is accepted."""
        rule, radius = self.rule, self.radius
        if radius is None:
            radius = norm
        if not ratio >= rule.poor:
            radius = rule.shrink * min(norm, radius)
        elif ratio > rule.good and held_back:
            radius = min(rule.grow * radius, rule.largest)
        self.radius = radius
        return ratio > rule.accept
