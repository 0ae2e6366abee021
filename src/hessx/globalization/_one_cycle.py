"""A rate that rises and falls once, and the momentum that falls and rises with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from hessx.core import check_flag, check_part, saved, store_choice, store_integer, store_real
from hessx.globalization._cycles import along_cosine, along_line
from hessx.globalization._schedule import ClosedForm, LastingForm

__all__ = ["OneCycle", "OneCycleMomentum"]


@saved
@dataclass(frozen=True, slots=True)
class OneCycle(LastingForm):
    r"""Rise to ``rate`` and fall far below the start, while momentum falls and rises.

    From rate / start up to ``rate`` in the first rise * steps steps, then down to
    rate / (start end), both along a cosine.

    Parameters
    ----------
    rate : float
        The highest rate, > 0.
    steps : int, optional
        Of the whole cycle, >= 1; by default those of the run.
    rise : float
        The part of the steps in which the rate rises, in [0, 1]; [0, 1/2] with ``symmetric``.
    start, end : float
        The first rate is rate / start, the last rate / (start end), > 0.
    shape : {"cosine", "linear"}
        Of both ways.
    symmetric : bool
        Fall back to the first rate in as many steps as the rise took, and to the last in what is
        left.

    Raises
    ------
    SettingsError
        A setting out of range; where a run begins, one of more than ``steps`` steps.

    Notes
    -----
    `momentum` gives the schedule of momentum, or of beta1, that belongs to it.

    References
    ----------
    Smith & Topin (2018), Super-convergence, arXiv:1708.07120, section 3.

    Examples
    --------
    >>> import hessx
    >>> cycle = hessx.OneCycle(1.0, steps=10, rise=0.5)
    >>> [round(cycle.at(t), 3) for t in (1, 3, 5, 7, 9, 10)]
    [0.04, 0.52, 1.0, 0.655, 0.095, 0.0]
    >>> [round(cycle.momentum().at(t), 3) for t in (1, 5, 10)]
    [0.95, 0.85, 0.95]
    """

    rate: float = 1.0
    steps: int | None = None
    rise: float = 0.3
    start: float = 25.0
    end: float = 1e4
    shape: str = "cosine"
    symmetric: bool = False

    def __post_init__(self) -> None:
        store_real(self, "rate", 0.0)
        store_integer(self, "steps", 1)
        object.__setattr__(self, "symmetric", check_flag("symmetric", self.symmetric))
        store_real(self, "rise", 0.0, 0.5 if self.symmetric else 1.0, "[]")
        store_real(self, "start", 0.0)
        store_real(self, "end", 0.0)
        store_choice(self, "shape", "cosine", "linear")

    def at(self, t: int) -> float:
        """Give the rate of step t."""
        first = self.rate / self.start
        return self.follow(t, first, self.rate, first / self.end)

    def momentum(self, low: float = 0.85, high: float = 0.95) -> OneCycleMomentum:
        """Give the momentum that falls from high to low while the rate rises, and back."""
        return OneCycleMomentum(self, low, high)

    def follow(self, t: int, first: float, top: float, last: float) -> float:
        """Go from first to top, and to last, as the rate does."""
        k, peak, final = t - 1, self.rise * self.duration - 1.0, self.duration - 1.0
        ends = [(peak, first, top), (final, top, last)]
        if self.symmetric:
            ends[1:] = [(2.0 * peak, top, first), (final, first, last)]
        begun, along = 0.0, along_cosine if self.shape == "cosine" else along_line
        for end, here, there in ends:
            if k <= end:
                return along(here, there, (k - begun) / (end - begun) if end > begun else 1.0)
            begun = end
        return last


@saved
@dataclass(frozen=True, slots=True)
class OneCycleMomentum(ClosedForm):
    """The momentum of `OneCycle`: from high to low while the rate rises, and back.

    Parameters
    ----------
    cycle : OneCycle
        Of the rate.
    low, high : float
        0 <= low <= high < 1.

    Raises
    ------
    SettingsError
        A setting out of range.

    References
    ----------
    Smith (2018), A disciplined approach to neural network hyper-parameters: part 1,
    arXiv:1803.09820, section 4.3.

    Examples
    --------
    >>> import hessx
    >>> hessx.OneCycle(1.0, steps=10, rise=0.5).momentum(low=0.8, high=0.9).at(5)
    0.8
    """

    cycle: OneCycle
    low: float = 0.85
    high: float = 0.95

    def __post_init__(self) -> None:
        check_part("cycle", self.cycle, OneCycle, "a OneCycle")
        store_real(self, "high", 0.0, 1.0, "[)")
        store_real(self, "low", 0.0, self.high, "[]")

    @property
    def length(self) -> int | None:
        """Steps that the cycle is made for."""
        return self.cycle.length

    def begin(self, steps: int | None = None, per_epoch: int | None = None) -> Self:
        """Start a run; see `Schedule.begin`."""
        return replace(self, cycle=self.cycle.begin(steps, per_epoch))

    def at(self, t: int) -> float:
        """Give the momentum of step t."""
        return self.cycle.follow(t, self.high, self.low, self.high)
