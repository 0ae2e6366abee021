"""The trust-region radius: how far the model is believed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hessx.core import check_real

__all__ = ["RadiusRule", "Region"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RadiusRule:
    """Grow and shrink a trust region by the ratio of actual to predicted decrease."""

    accept: float = 1e-4
    poor: float = 0.25
    good: float = 0.75
    shrink: float = 0.25
    grow: float = 2.0
    initial: float | None = None
    largest: float = math.inf

    def begin(self) -> Region:
        return Region(self, self.initial)


@dataclass(slots=True)
class Region:
    rule: RadiusRule
    radius: float | None

    def ratio(self, f: float, f_trial: float, decrease: float, slope: float, slope_trial: float, eps: float) -> float:
        if not math.isfinite(f_trial):
            return -math.inf
        noise = 10.0 * eps * max(abs(f), abs(f_trial))
        actual = f - f_trial
        if max(abs(actual), decrease) > 1e3 * noise:
            return actual / decrease
        if actual < -noise:
            return actual / decrease
        return -0.5 * (slope + slope_trial) / decrease

    def after(self, ratio: float, norm: float, on_boundary: bool) -> bool:
        rule = self.rule
        if not ratio >= rule.poor:
            self.radius = rule.shrink * min(norm, self.radius)
        elif ratio > rule.good and on_boundary:
            self.radius = min(rule.grow * self.radius, rule.largest)
        return ratio > rule.accept
