"""Rates that decay: by factors, by powers, as 1 / t."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

from hessx.core import SettingsError, check_integer, saved, store_integer, store_real
from hessx.globalization._schedule import ClosedForm, LastingForm

__all__ = [
    "ExponentialDecay",
    "InverseRootDecay",
    "InverseTimeDecay",
    "MultiStepDecay",
    "PolynomialDecay",
    "StepDecay",
]


@saved
@dataclass(frozen=True, slots=True)
class StepDecay(ClosedForm):
    r"""rate_t = rate factor^floor((t - 1) / every).

    Parameters
    ----------
    rate : float
        The first rate, > 0.
    every : int
        Steps between two changes, >= 1.
    factor : float
        In (0, 1].

    Raises
    ------
    SettingsError
        A setting out of range.

    Examples
    --------
    >>> import hessx
    >>> schedule = hessx.StepDecay(0.1, every=2, factor=0.5)
    >>> [schedule.at(t) for t in (1, 2, 3, 4, 5)]
    [0.1, 0.1, 0.05, 0.05, 0.025]
    """

    rate: float = 1.0
    every: int = 30
    factor: float = 0.1

    def __post_init__(self) -> None:
        store_real(self, "rate", 0.0)
        store_integer(self, "every", 1)
        store_real(self, "factor", 0.0, 1.0, "(]")

    def at(self, t: int) -> float:
        """Give the rate of step t."""
        return self.rate * self.factor ** ((t - 1) // self.every)


@saved
@dataclass(frozen=True, slots=True)
class MultiStepDecay(ClosedForm):
    r"""rate_t = rate factor^j, where j of the milestones are <= t - 1.

    Parameters
    ----------
    rate : float
        The first rate, > 0.
    milestones : sequence of int
        Steps after which the rate changes, >= 1, in any order; named twice counts twice.
    factor : float
        In (0, 1].

    Raises
    ------
    SettingsError
        A setting out of range.

    Examples
    --------
    >>> import hessx
    >>> schedule = hessx.MultiStepDecay(0.1, [2, 4], factor=0.5)
    >>> [schedule.at(t) for t in (1, 2, 3, 4, 5)]
    [0.1, 0.1, 0.05, 0.05, 0.025]
    """

    rate: float = 1.0
    milestones: tuple[int, ...] = ()
    factor: float = 0.1

    def __post_init__(self) -> None:
        store_real(self, "rate", 0.0)
        if not isinstance(self.milestones, tuple | list):
            msg = f"milestones = {self.milestones!r}: expected a list of integers >= 1"
            raise SettingsError(msg)
        milestones = sorted(check_integer("milestones", m, 1) for m in self.milestones)
        object.__setattr__(self, "milestones", tuple(milestones))
        store_real(self, "factor", 0.0, 1.0, "(]")

    def at(self, t: int) -> float:
        """Give the rate of step t."""
        return self.rate * self.factor ** bisect_right(self.milestones, t - 1)


@saved
@dataclass(frozen=True, slots=True)
class ExponentialDecay(ClosedForm):
    r"""rate_t = rate factor^(t - 1).

    Parameters
    ----------
    rate : float
        The first rate, > 0.
    factor : float
        Per step, > 0; above 1 the rate grows.

    Raises
    ------
    SettingsError
        A setting out of range.

    Examples
    --------
    >>> import hessx
    >>> schedule = hessx.ExponentialDecay(0.1, 0.5)
    >>> [schedule.at(t) for t in (1, 2, 3)]
    [0.1, 0.05, 0.025]
    """

    rate: float = 1.0
    factor: float = 0.999

    def __post_init__(self) -> None:
        store_real(self, "rate", 0.0)
        store_real(self, "factor", 0.0)

    def at(self, t: int) -> float:
        """Give the rate of step t."""
        try:
            return self.rate * self.factor ** (t - 1)
        except OverflowError:
            return math.inf


@saved
@dataclass(frozen=True, slots=True)
class PolynomialDecay(LastingForm):
    r"""rate_t = lowest + (rate - lowest) (1 - (t - 1) / steps)^power.

    Parameters
    ----------
    rate : float
        The first rate, > 0.
    steps : int, optional
        After so many steps the rate is ``lowest``, >= 1; by default those of the run.
    power : float
        1 is a straight line, > 0.
    lowest : float
        The last rate, in [0, rate].

    Raises
    ------
    SettingsError
        A setting out of range; where a run begins, one of more than ``steps`` steps.

    Examples
    --------
    >>> import hessx
    >>> schedule = hessx.PolynomialDecay(0.1).begin(steps=4)
    >>> [round(schedule.at(t), 3) for t in (1, 2, 3, 4)]
    [0.1, 0.075, 0.05, 0.025]
    """

    rate: float = 1.0
    steps: int | None = None
    power: float = 1.0
    lowest: float = 0.0

    def __post_init__(self) -> None:
        store_real(self, "rate", 0.0)
        store_integer(self, "steps", 1)
        store_real(self, "power", 0.0)
        store_real(self, "lowest", 0.0, self.rate, "[]")

    def at(self, t: int) -> float:
        """Give the rate of step t."""
        left = 1.0 - min(t - 1, self.duration) / self.duration
        return self.lowest + (self.rate - self.lowest) * math.pow(left, self.power)


@saved
@dataclass(frozen=True, slots=True)
class InverseTimeDecay(ClosedForm):
    r"""rate_t = rate / (1 + decay (t - 1)), which is rate / t with decay = 1.

    The rates satisfy Robbins and Monro's conditions, sum rate_t = inf and sum rate_t^2 < inf.

    Parameters
    ----------
    rate : float
        The first rate, > 0.
    decay : float
        Per step, > 0.

    Raises
    ------
    SettingsError
        A setting out of range.

    References
    ----------
    Robbins & Monro (1951), A stochastic approximation method, Ann. Math. Statist. 22.

    Examples
    --------
    >>> import hessx
    >>> schedule = hessx.InverseTimeDecay(0.1)
    >>> [schedule.at(t) for t in (1, 2, 5)]
    [0.1, 0.05, 0.02]
    """

    rate: float = 1.0
    decay: float = 1.0

    def __post_init__(self) -> None:
        store_real(self, "rate", 0.0)
        store_real(self, "decay", 0.0)

    def at(self, t: int) -> float:
        """Give the rate of step t."""
        return self.rate / (1.0 + self.decay * (t - 1))


@saved
@dataclass(frozen=True, slots=True)
class InverseRootDecay(ClosedForm):
    r"""rate_t = rate / sqrt(1 + decay (t - 1)), which is rate / sqrt(t) with decay = 1.

    Parameters
    ----------
    rate : float
        The first rate, > 0.
    decay : float
        Per step, > 0.

    Raises
    ------
    SettingsError
        A setting out of range.

    Notes
    -----
    With decay = 1 / steps after a `WarmUp` of as many steps it is the transformer's schedule.

    References
    ----------
    Zinkevich (2003), Online convex programming and generalized infinitesimal gradient ascent, ICML;
    Vaswani et al. (2017), Attention is all you need, NeurIPS, eq. (3).

    Examples
    --------
    >>> import hessx
    >>> schedule = hessx.InverseRootDecay(0.1)
    >>> [schedule.at(t) for t in (1, 4, 16)]
    [0.1, 0.05, 0.025]
    """

    rate: float = 1.0
    decay: float = 1.0

    def __post_init__(self) -> None:
        store_real(self, "rate", 0.0)
        store_real(self, "decay", 0.0)

    def at(self, t: int) -> float:
        """Give the rate of step t."""
        return self.rate / math.sqrt(1.0 + self.decay * (t - 1))
