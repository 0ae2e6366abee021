"""A schedule times a number."""

from __future__ import annotations

from dataclasses import dataclass

from hessx.core import SettingsError, saved, store_real
from hessx.globalization._schedule import LiveSchedule, Schedule

__all__ = ["Scaled", "ScaledRates"]


@saved
@dataclass(frozen=True, slots=True)
class Scaled(Schedule):
    """The rates of another schedule times a number.

    Parameters
    ----------
    schedule : Schedule
        The other.
    rate : float
        The number, > 0.

    Raises
    ------
    SettingsError
        No schedule, or the number is not positive.

    Examples
    --------
    >>> import hessx
    >>> hessx.Scaled(hessx.StepDecay(every=10), 0.5).begin(100).at(1)
    0.5
    """

    schedule: Schedule
    rate: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.schedule, Schedule):
            msg = f"schedule is a {type(self.schedule).__name__}: expected a hessx.Schedule"
            raise SettingsError(msg)
        store_real(self, "rate", 0.0)

    @property
    def length(self) -> int | None:
        """Steps that it is made for."""
        return self.schedule.length

    def begin(self, steps: int | None = None, per_epoch: int | None = None) -> LiveSchedule:
        """Start a run; see `Schedule.begin`."""
        return ScaledRates(self.schedule.begin(steps, per_epoch), self.rate)


@saved
@dataclass(slots=True)
class ScaledRates(LiveSchedule):
    """The schedule at work, and the number."""

    live: LiveSchedule
    rate: float

    @property
    def length(self) -> int | None:
        """Steps that it is made for."""
        return getattr(self.live, "length", None)

    def at(self, t: int) -> float:
        """Give the rate of step t."""
        return self.rate * self.live.at(t)

    def report(self, value: float) -> None:
        """Hand it on."""
        self.live.report(value)
