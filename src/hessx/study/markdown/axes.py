"""Axes of a drawing: where numbers lie, and which are written beside."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Axis"]

_TICKS = 6


@dataclass(frozen=True)
class Axis:
    """An axis from ``low`` to ``high``, which lie at two places of the drawing.

    Attributes
    ----------
    low, high : float
        Of the numbers; positive on a logarithmic axis.
    start, end : float
        Where they lie.
    log : bool
        Whether it is logarithmic.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    @classmethod
    def around(
        cls, numbers: Iterable[float], start: float, end: float, *, log: bool = False
    ) -> Axis:
        """Take an axis that holds all numbers which it can show."""
        shown = [x for x in numbers if math.isfinite(x) and (x > 0.0 or not log)] or [1.0]
        low, high = min(shown), max(shown)
        if low == high:
            low, high = (low / 2.0, high * 2.0) if log else (low - 0.5, high + 0.5)
        return cls(low, high, start, end, log)

    def place(self, x: float) -> float:
        """Give the place of a number; what lies beyond an end is put there."""
        x = min(max(x, self.low), self.high)
        if self.log:
            part = math.log(x / self.low) / math.log(self.high / self.low)
        else:
            part = (x - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Give round numbers along the axis: 1, 2 and 5 times powers of ten."""
        if self.log:
            first, last = math.ceil(_digits(self.low)), math.floor(_digits(self.high))
            stride = max(1, math.ceil((last - first + 1) / _TICKS))
            if last - first < 1:
                decades = range(first - 1, last + 1)
                within = [k * 10.0**d for d in decades for k in (1.0, 2.0, 5.0)]
                return [x for x in within if self.low <= x <= self.high] or [self.low]
            return [10.0**k for k in range(first, last + 1, stride)]
        rough = (self.high - self.low) / _TICKS
        unit = 10.0 ** math.floor(math.log10(rough))
        step = next(k * unit for k in (1.0, 2.0, 5.0, 10.0) if k * unit >= rough * (1.0 - 1e-9))
        first = math.ceil(self.low / step - 1e-9)
        return [k * step for k in range(first, math.floor(self.high / step + 1e-9) + 1)]


def _digits(x: float) -> float:
    """Take the logarithm; of a power of ten without rounding."""
    exact = round(math.log10(x))
    return exact if 10.0**exact == x else math.log10(x)
