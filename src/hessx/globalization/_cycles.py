"""Rates that rise, and rates that fall along a cosine: warm-up, annealing, warm restarts."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hessx.core import saved, store_choice, store_integer, store_real
from hessx.globalization._schedule import ClosedForm, LastingForm

__all__ = ["Cosine", "WarmRestarts", "WarmUp", "along_cosine", "along_line"]


@saved
@dataclass(frozen=True, slots=True)
class WarmUp(LastingForm):
    r"""rate_t = rate (first + (1 - first) (t - 1) / steps), and rate after so many steps.

    Parameters
    ----------
    rate : float
        The rate at the end, > 0.
    steps : int, optional
        Of the warm-up, >= 1; by default those of the run, or of the phase.
    first : float
        The first rate, in units of ``rate``, in [0, 1].
    shape : {"linear", "constant"}
        "constant" stays at rate first until the end of the warm-up.

    Raises
    ------
    SettingsError
        A setting out of range.

    References
    ----------
    Goyal et al. (2017), Accurate, large minibatch SGD, arXiv:1706.02677, section 2.2.

    Examples
    --------
    >>> import hessx
    >>> schedule = hessx.WarmUp(0.1, steps=4, first=0.0)
    >>> [round(schedule.at(t), 3) for t in (1, 2, 3, 4, 5, 6)]
    [0.0, 0.025, 0.05, 0.075, 0.1, 0.1]
    """

    rate: float = 1.0
    steps: int | None = None
    first: float = 1 / 3
    shape: str = "linear"

    def __post_init__(self) -> None:
        store_real(self, "rate", 0.0)
        store_integer(self, "steps", 1)
        store_real(self, "first", 0.0, 1.0, "[]")
        store_choice(self, "shape", "linear", "constant")

    @property
    def length(self) -> None:
        """It lasts for any number of steps."""
        return

    def at(self, t: int) -> float:
        """Give the rate of step t."""
        if t > self.duration:
            return self.rate
        risen = (t - 1) / self.duration if self.shape == "linear" else 0.0
        return self.rate * (self.first + (1.0 - self.first) * risen)


@saved
@dataclass(frozen=True, slots=True)
class Cosine(LastingForm):
    r"""rate_t = lowest + (rate - lowest) (1 + cos(pi (t - 1) / steps)) / 2.

    Parameters
    ----------
    rate : float
        The first rate, > 0.
    steps : int, optional
        After so many steps the rate is ``lowest``, >= 1; by default those of the run.
    lowest : float
        In [0, rate].

    Raises
    ------
    SettingsError
        A setting out of range; where a run begins, one of more than ``steps`` steps.

    References
    ----------
    Loshchilov & Hutter (2017), SGDR: stochastic gradient descent with warm restarts, ICLR, eq. (5).

    Examples
    --------
    >>> import hessx
    >>> schedule = hessx.Cosine(0.1).begin(steps=4)
    >>> [round(schedule.at(t), 4) for t in (1, 2, 3, 4)]
    [0.1, 0.0854, 0.05, 0.0146]
    """

    rate: float = 1.0
    steps: int | None = None
    lowest: float = 0.0

    def __post_init__(self) -> None:
        store_real(self, "rate", 0.0)
        store_integer(self, "steps", 1)
        store_real(self, "lowest", 0.0, self.rate, "[]")

    def at(self, t: int) -> float:
        """Give the rate of step t."""
        return along_cosine(self.rate, self.lowest, min(t - 1, self.duration) / self.duration)


@saved
@dataclass(frozen=True, slots=True)
class WarmRestarts(ClosedForm):
    r"""Fall along a cosine as `Cosine` does, again and again: SGDR.

    The first fall takes ``period`` steps, each further one ``growth`` times as many as the last.

    Parameters
    ----------
    rate : float
        The rate at each restart, > 0.
    period : int
        Steps of the first fall, >= 1.
    growth : int
        >= 1.
    lowest : float
        In [0, rate].

    Raises
    ------
    SettingsError
        A setting out of range.

    References
    ----------
    Loshchilov & Hutter (2017), SGDR: stochastic gradient descent with warm restarts, ICLR, eq. (5);
    T_0 is ``period``, T_mult ``growth``.

    Examples
    --------
    >>> import hessx
    >>> schedule = hessx.WarmRestarts(0.1, period=2, growth=2)
    >>> [round(schedule.at(t), 4) for t in (1, 2, 3, 4, 5, 6, 7)]
    [0.1, 0.05, 0.1, 0.0854, 0.05, 0.0146, 0.1]
    """

    rate: float = 1.0
    period: int = 10
    growth: int = 1
    lowest: float = 0.0

    def __post_init__(self) -> None:
        store_real(self, "rate", 0.0)
        store_integer(self, "period", 1)
        store_integer(self, "growth", 1)
        store_real(self, "lowest", 0.0, self.rate, "[]")

    def at(self, t: int) -> float:
        """Give the rate of step t."""
        k, period = t - 1, self.period
        if self.growth == 1:
            k %= period
        while k >= period:
            k, period = k - period, period * self.growth
        return along_cosine(self.rate, self.lowest, k / period)


def along_cosine(first: float, last: float, part: float) -> float:
    """Go half a cosine from first to last."""
    return last + (first - last) * (1.0 + math.cos(math.pi * part)) / 2.0


def along_line(first: float, last: float, part: float) -> float:
    """Go straight from first to last."""
    return first + (last - first) * part
