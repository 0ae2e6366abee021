"""Rates that fall where the reports no longer do."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hessx.core import saved, store_choice, store_integer, store_real
from hessx.globalization._schedule import LiveSchedule, Schedule

__all__ = ["Plateau", "PlateauRates"]


@saved
@dataclass(frozen=True, slots=True)
class Plateau(Schedule):
    r"""Multiply the rate by ``factor`` after more than ``patience`` reports without progress.

    A report is progress where, with best the lowest value so far,

        value < best - threshold abs(best)      or      value < best - threshold

    Parameters
    ----------
    rate : float
        The first rate, > 0.
    factor : float
        In (0, 1).
    patience : int
        Reports without progress that are let pass, >= 0.
    threshold : float
        >= 0.
    measure : {"relative", "absolute"}
        Which of the two tests.
    cooldown : int
        Reports after a change that are not counted, >= 0.
    lowest : float
        The rate does not fall below, in [0, rate].

    Raises
    ------
    SettingsError
        A setting out of range.

    Notes
    -----
    The values are those of the run's reports, of what is minimised; nan is no progress.  Cost:
    none, the host has them.  The rule is that of torch's ReduceLROnPlateau, whose ``eps`` is not
    there, and whose relative test, value < (1 - threshold) best, lets a value below zero rise.

    Examples
    --------
    >>> import hessx
    >>> live, rates = hessx.Plateau(0.1, factor=0.5, patience=1).begin(), []
    >>> for t, value in enumerate([3.0, 2.0, 2.0, 2.0, 2.0, 1.0], 1):
    ...     rates.append(live.at(t))
    ...     live.report(value)
    >>> rates
    [0.1, 0.1, 0.1, 0.1, 0.05, 0.05]
    """

    rate: float = 1.0
    factor: float = 0.1
    patience: int = 10
    threshold: float = 1e-4
    measure: str = "relative"
    cooldown: int = 0
    lowest: float = 0.0

    def __post_init__(self) -> None:
        store_real(self, "rate", 0.0)
        store_real(self, "factor", 0.0, 1.0)
        store_integer(self, "patience")
        store_real(self, "threshold", 0.0, math.inf, "[)")
        store_choice(self, "measure", "relative", "absolute")
        store_integer(self, "cooldown")
        store_real(self, "lowest", 0.0, self.rate, "[]")

    def begin(self, steps: int | None = None, per_epoch: int | None = None) -> LiveSchedule:  # noqa: ARG002
        """Start a run with the first rate."""
        return PlateauRates(self, self.rate)


@saved
@dataclass(slots=True)
class PlateauRates(LiveSchedule):
    """`Plateau` at work.

    Attributes
    ----------
    rate : float
        The rate now.
    best : float
        The lowest value that was progress.
    idle, cooling : int
        Reports without progress in a row; reports that are not yet counted again.
    """

    rule: Plateau
    rate: float
    best: float = math.inf
    idle: int = 0
    cooling: int = 0

    def at(self, t: int) -> float:  # noqa: ARG002
        """Give the rate until the next report."""
        return self.rate

    def report(self, value: float) -> None:
        """Count, and change the rate where it is time."""
        rule = self.rule
        if self._is_progress(value):
            self.best, self.idle = value, 0
        else:
            self.idle += 1
        if self.cooling > 0:
            self.cooling, self.idle = self.cooling - 1, 0
        if self.idle > rule.patience:
            self.rate = max(self.rate * rule.factor, rule.lowest)
            self.cooling, self.idle = rule.cooldown, 0

    def _is_progress(self, value: float) -> bool:
        if math.isinf(self.best):
            return value < self.best
        unit = abs(self.best) if self.rule.measure == "relative" else 1.0
        return value < self.best - self.rule.threshold * unit
