"""Schedules made of schedules: one after the other, counted in epochs, in other units."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from hessx.core import SettingsError, check_integer, check_part, check_real, saved, store_real
from hessx.globalization._schedule import LiveSchedule, Schedule, as_schedule, check_length

__all__ = ["EpochRates", "PerEpoch", "PhaseRates", "Phases", "Scaled", "ScaledRates"]


@saved
@dataclass(frozen=True, slots=True, init=False)
class Phases(Schedule):
    r"""One schedule after the other, each of which counts its own steps from 1.

    Parameters
    ----------
    *phases : (int or None, Schedule or float)
        The steps of a phase, >= 1, and the rates in it, in units of ``rate``.  One phase may have
        None: it takes the steps of the run that the others leave.
    rate : float
        What all rates are multiplied by, > 0.

    Raises
    ------
    SettingsError
        A phase is no such pair, or two have None; where a run begins: a phase is longer than its
        schedule, the run is longer than all phases, or leaves no step to that with None.

    Examples
    --------
    Warm up, stay, decay:

    >>> import hessx
    >>> schedule = hessx.Phases((2, hessx.WarmUp(first=0.5)), (None, 1),
    ...                         (2, hessx.PolynomialDecay()), rate=0.5).begin(steps=7)
    >>> [schedule.at(t) for t in range(1, 8)]
    [0.25, 0.375, 0.5, 0.5, 0.5, 0.5, 0.25]
    """

    phases: tuple[tuple[int | None, Schedule], ...]
    rate: float

    def __init__(self, *phases: tuple[int | None, Schedule | float], rate: float = 1.0) -> None:
        object.__setattr__(self, "phases", tuple(_phase(phase) for phase in phases))
        object.__setattr__(self, "rate", check_real("rate", rate, 0.0))
        if not phases or sum(steps is None for steps, _ in self.phases) > 1:
            msg = (
                f"Phases of {len(phases)} phases: expected one at least, such as "
                "(500, WarmUp()), and None for the steps of one at most"
            )
            raise SettingsError(msg)

    @property
    def length(self) -> int | None:
        """Steps of all phases; None where one takes what is left."""
        given = [steps for steps, _ in self.phases if steps is not None]
        return sum(given) if len(given) == len(self.phases) else None

    def begin(self, steps: int | None = None, per_epoch: int | None = None) -> LiveSchedule:
        """Start a run; see `Schedule.begin`."""
        check_length(self, steps)
        lasting = [*self._lasting(steps)]
        live = [
            schedule.begin(own, per_epoch)
            for own, (_, schedule) in zip(lasting, self.phases, strict=True)
        ]
        ends = [*accumulate(own for own in lasting[:-1] if own is not None)]
        begun = ends[-1] if ends else 0
        last = live[-1].length if self.phases[-1][0] is None else lasting[-1]
        return PhaseRates(self.rate, live, ends, None if last is None else begun + last)

    def _lasting(self, steps: int | None) -> Iterator[int | None]:
        """Give the steps of each phase; None for the last of a run without a given end."""
        given = sum(own for own, _ in self.phases if own is not None)
        for place, (own, _) in enumerate(self.phases, 1):
            if own is not None:
                yield own
            elif steps is not None and steps > given:
                yield steps - given
            elif steps is None and place == len(self.phases):
                yield None
            else:
                run = "a run without a given end" if steps is None else f"a run of {steps} steps"
                msg = (
                    f"Phases leave no steps to phase {place} of {len(self.phases)}, which has None:"
                    f" the others take {given} of {run}: expected a longer run, or its steps"
                )
                raise SettingsError(msg)


def _phase(phase: object) -> tuple[int | None, Schedule]:
    if not isinstance(phase, tuple | list) or len(phase) != 2:
        msg = f"a phase is {phase!r}: expected (steps, schedule), such as (500, WarmUp())"
        raise SettingsError(msg)
    steps, schedule = phase
    return None if steps is None else check_integer("steps", steps, 1), as_schedule(schedule)


@saved
@dataclass(slots=True)
class PhaseRates(LiveSchedule):
    """`Phases` at work.

    Attributes
    ----------
    rate : float
        What all rates are multiplied by.
    live : list of LiveSchedule
        Of the phases.
    ends : list of int
        The last step of each phase but the last.
    lasting : int, optional
        Steps of all phases; None where the last one goes on.
    now : int
        The phase of the last step.
    """

    rate: float
    live: list[LiveSchedule]
    ends: list[int]
    lasting: int | None
    now: int = 0

    @property
    def length(self) -> int | None:
        """Steps of all phases; None where the last one goes on."""
        return self.lasting

    def at(self, t: int) -> float:
        """Give the rate of step t."""
        self.now = bisect_left(self.ends, t)
        begun = self.ends[self.now - 1] if self.now else 0
        return self.rate * self.live[self.now].at(t - begun)

    def report(self, value: float) -> None:
        """Tell the schedule of the last step."""
        self.live[self.now].report(value)


@saved
@dataclass(frozen=True, slots=True)
class PerEpoch(Schedule):
    """A schedule whose t counts epochs: the rate is the same in all steps of an epoch.

    Parameters
    ----------
    schedule : Schedule
        Its durations are epochs too.

    Raises
    ------
    SettingsError
        No schedule; where a run begins, one without epochs, or of more than the schedule has.

    Examples
    --------
    >>> import hessx
    >>> schedule = hessx.PerEpoch(hessx.StepDecay(0.1, every=1, factor=0.5))
    >>> live = schedule.begin(steps=6, per_epoch=2)
    >>> [live.at(t) for t in range(1, 7)]
    [0.1, 0.1, 0.05, 0.05, 0.025, 0.025]
    """

    schedule: Schedule

    def __post_init__(self) -> None:
        check_part("schedule", self.schedule, Schedule, "a Schedule")

    def begin(self, steps: int | None = None, per_epoch: int | None = None) -> LiveSchedule:
        """Start a run; see `Schedule.begin`."""
        if per_epoch is None:
            msg = "PerEpoch in a run without epochs: expected the schedule alone, counted in steps"
            raise SettingsError(msg)
        epochs = None if steps is None else -(-steps // per_epoch)
        check_length(self.schedule, epochs, "epochs")
        return EpochRates(self.schedule.begin(epochs, 1), per_epoch)


@saved
@dataclass(slots=True)
class EpochRates(LiveSchedule):
    """`PerEpoch` at work."""

    live: LiveSchedule
    per_epoch: int

    @property
    def length(self) -> int | None:
        """Steps in the epochs of the schedule."""
        length = self.live.length
        return None if length is None else length * self.per_epoch

    def at(self, t: int) -> float:
        """Give the rate of step t."""
        return self.live.at((t - 1) // self.per_epoch + 1)

    def report(self, value: float) -> None:
        """Tell the schedule."""
        self.live.report(value)


@saved
@dataclass(frozen=True, slots=True)
class Scaled(Schedule):
    """A schedule in units of a base rate.

    Parameters
    ----------
    schedule : Schedule
        What is multiplied.
    rate : float
        By what, > 0.

    Raises
    ------
    SettingsError
        No schedule, or no positive number.

    Examples
    --------
    >>> import hessx
    >>> hessx.Scaled(hessx.Cosine(steps=2), 0.1).begin().at(1)
    0.1
    """

    schedule: Schedule
    rate: float

    def __post_init__(self) -> None:
        check_part("schedule", self.schedule, Schedule, "a Schedule")
        store_real(self, "rate", 0.0)

    @property
    def length(self) -> int | None:
        """Steps that the schedule is made for; None: any number."""
        return self.schedule.length

    def begin(self, steps: int | None = None, per_epoch: int | None = None) -> LiveSchedule:
        """Start a run; see `Schedule.begin`."""
        return ScaledRates(self.schedule.begin(steps, per_epoch), self.rate)


@saved
@dataclass(slots=True)
class ScaledRates(LiveSchedule):
    """`Scaled` at work."""

    live: LiveSchedule
    rate: float

    @property
    def length(self) -> int | None:
        """That of the schedule."""
        return self.live.length

    def at(self, t: int) -> float:
        """Give the rate of step t."""
        return self.rate * self.live.at(t)

    def report(self, value: float) -> None:
        """Tell the schedule."""
        self.live.report(value)
