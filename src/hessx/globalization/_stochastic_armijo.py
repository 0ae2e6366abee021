"""Backtracking on one sample at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hessx.core import saved, store_integer, store_real

__all__ = ["LiveArmijo", "StochasticArmijo"]


@saved
@dataclass(frozen=True, slots=True)
class StochasticArmijo:
    r"""The first rate that lowers the loss of the sample enough,

        f_S(x - rate d) <= f_S(x) - c rate g'd,

    among first, shrink first, shrink^2 first, ...

    Parameters
    ----------
    largest : float
        No rate is larger, > 0; the first step begins with it.
    c : float
        In (0, 1).
    shrink : float
        Of a rejected rate, in (0, 1).
    grow : float
        A search begins with grow^(rows of the sample / N) times the last rate, >= 1; inf begins
        each with ``largest``.
    max_trials : int
        After as many the last rate is taken, >= 1.

    Raises
    ------
    SettingsError
        A setting out of its range.

    Notes
    -----
    Where every row can be fitted at once (interpolation) it converges as gradient descent does on
    the whole, with no rate to choose.  Cost: one more value of the sample, and one fetch, per
    trial.  Source: Vaswani et al. (2019), algorithm 1, with their resets 0 (grow = 1), 1 and 2
    (grow = inf).

    Examples
    --------
    >>> import hessx
    >>> hessx.StochasticMethod([hessx.SGD()], rate=hessx.StochasticArmijo(largest=10.0)).rate.c
    0.1
    """

    largest: float = 1.0
    c: float = 0.1
    shrink: float = 0.9
    grow: float = 2.0
    max_trials: int = 100

    def __post_init__(self) -> None:
        store_real(self, "largest", 0.0)
        store_real(self, "c", 0.0, 1.0)
        store_real(self, "shrink", 0.0, 1.0)
        store_real(self, "grow", 1.0, ends="[]")
        store_integer(self, "max_trials", 1)

    def begin(self) -> LiveArmijo:
        """Begin a run."""
        return LiveArmijo(self, self.largest)


@saved
@dataclass(slots=True)
class LiveArmijo:
    """The search at work.

    Attributes
    ----------
    rule : StochasticArmijo
        The settings.
    rate : float
        To try, or tried last.
    trials : int
        Of the present search.
    """

    rule: StochasticArmijo
    rate: float
    trials: int = 0
    begun: bool = False

    def begin(self, share: float) -> None:
        """Begin the search of a step on this share of the rows."""
        rule, self.trials = self.rule, 0
        if self.begun:
            growth = math.inf if rule.grow == math.inf else rule.grow**share
            self.rate = min(rule.largest, self.rate * growth)
        self.begun = True

    def accepts(self, value: float, value0: float, slope: float) -> bool:
        """Judge the trial by the loss there and at the start, and g'd; else shrink the rate."""
        self.trials += 1
        rule = self.rule
        if value <= value0 - rule.c * self.rate * slope or self.trials >= rule.max_trials:
            return True
        self.rate *= rule.shrink
        return False
