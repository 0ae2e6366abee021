"""Rates that are given for each step: what a schedule is, and the one that never changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from hessx.core import SettingsError, check_object, check_real, saved, store_real

__all__ = [
    "ClosedForm",
    "Constant",
    "LastingForm",
    "LiveSchedule",
    "Schedule",
    "as_schedule",
    "check_length",
]


class LiveSchedule:
    """A schedule at work in a run."""

    __slots__ = ()

    @property
    def length(self) -> int | None:
        """Steps after which it has no more to say; None: it goes on."""
        return None

    def at(self, t: int) -> float:
        """Give the rate of step t = 1, 2, ..."""
        raise NotImplementedError

    def report(self, value: float) -> None:
        """Learn the value of a report, of what is minimised."""


class Schedule:
    """Settings of a schedule: the base of one's own.

    Examples
    --------
    Rates that rise and fall like a triangle:

    >>> import hessx
    >>> @hessx.saved
    ... class Triangle(hessx.Schedule, hessx.LiveSchedule):
    ...     def begin(self, steps=None, per_epoch=None):
    ...         return self
    ...     def at(self, t):
    ...         return 0.1 * (1 - abs((t - 1) % 100 - 50) / 50)
    >>> Triangle().begin(1000).at(51)
    0.1
    """

    __slots__ = ()

    @property
    def length(self) -> int | None:
        """Steps that it is made for; None: any number."""
        return None

    def begin(self, steps: int | None = None, per_epoch: int | None = None) -> LiveSchedule:
        """Start a run.

        Parameters
        ----------
        steps : int, optional
            Steps of the whole run; None where the run has no given end.
        per_epoch : int, optional
            Steps of an epoch; None where the run has no epochs.

        Raises
        ------
        SettingsError
            The schedule is shorter than the run, or needs a number that the run does not know.
        """
        raise NotImplementedError


class ClosedForm(Schedule, LiveSchedule):
    """A rate that is a function of t alone: settings and what is at work are one object."""

    __slots__ = ()

    def begin(self, steps: int | None = None, per_epoch: int | None = None) -> Self:  # noqa: ARG002
        """Start a run; see `Schedule.begin`."""
        check_length(self, steps)
        return self


class LastingForm(ClosedForm):
    """A closed form with a duration, ``steps``, which is the run's where it is left out."""

    __slots__ = ()
    steps: int | None

    @property
    def length(self) -> int | None:
        """Steps that it is made for; None: those of the run."""
        return self.steps

    @property
    def duration(self) -> int:
        """Steps from the first rate to the last."""
        if self.steps is None:
            name = type(self).__name__
            msg = f"{name} has no duration: expected {name}(steps=...), or a run of a given length"
            raise SettingsError(msg)
        return self.steps

    def begin(self, steps: int | None = None, per_epoch: int | None = None) -> Self:  # noqa: ARG002
        """Start a run; see `Schedule.begin`."""
        check_length(self, steps)
        if self.steps is not None:
            return self
        return replace(self, steps=self.duration if steps is None else steps)  # type: ignore[type-var]


def check_length(schedule: Schedule, steps: int | None, unit: str = "steps") -> None:
    """Refuse a schedule that is shorter than what it has to fill.

    Raises
    ------
    SettingsError
        So it is.
    """
    length = schedule.length
    if length is not None and steps is not None and steps > length:
        name = type(schedule).__name__
        msg = (
            f"{name} is made for {length} {unit}, and has to last for {steps}: give it {steps}, "
            f"leave its duration out, or go on with another schedule in Phases"
        )
        raise SettingsError(msg)


@saved
@dataclass(frozen=True, slots=True)
class Constant(ClosedForm):
    """The same rate at each step.

    Parameters
    ----------
    rate : float
        The rate, > 0.

    Raises
    ------
    SettingsError
        The rate is not a positive number.

    Examples
    --------
    >>> import hessx
    >>> hessx.Constant(0.1).at(1000)
    0.1
    """

    rate: float = 1.0

    def __post_init__(self) -> None:
        store_real(self, "rate", 0.0)

    def at(self, t: int) -> float:  # noqa: ARG002
        """Give the rate of step t."""
        return self.rate


def as_schedule(rate: Schedule | float) -> Schedule:
    """Take a number for a schedule that never changes.

    Parameters
    ----------
    rate : Schedule or float
        A schedule, or a number > 0.

    Raises
    ------
    SettingsError
        Neither.

    Examples
    --------
    >>> from hessx.globalization import as_schedule
    >>> as_schedule(0.1)
    Constant(rate=0.1)
    >>> as_schedule(0.0)
    Traceback (most recent call last):
    ...
    hessx...SettingsError: rate = 0.0: expected a number in (0, inf), or a Schedule
    """
    check_object("rate", rate)
    if isinstance(rate, Schedule):
        return rate
    try:
        return Constant(check_real("rate", rate, 0.0))
    except SettingsError as error:
        msg = f"{error}, or a Schedule"
        raise SettingsError(msg) from None
