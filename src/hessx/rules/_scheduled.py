"""Settings of a rule that change from step to step."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, Packet, Space
from hessx.core import SettingsError, check_part, saved
from hessx.globalization import LiveSchedule, Schedule
from hessx.rules._rule import Rule

__all__ = ["Scheduled", "ScheduledPart"]


@saved
class ScheduledPart:
    """The rule at work, with its slots and the schedules.

    Attributes
    ----------
    schedules : dict of LiveSchedule
        By the setting.
    slots : list of arrays
        Of the rule.
    numbers : tuple of float
        Of the last step.
    """

    __slots__ = ("numbers", "rule", "schedules", "slots", "space")

    def __init__(self, scheduled: Scheduled, space: Space, x: Array) -> None:
        self.rule, self.space = scheduled.rule, space
        self.schedules: dict[str, LiveSchedule] = {}
        self.slots = self.rule.start(space.xp, x)
        self.numbers: tuple[float, ...] = ()

    def span(
        self, scheduled: Scheduled, steps: int | None = None, per_epoch: int | None = None
    ) -> None:
        """Learn how long the run is."""
        given = scheduled.settings.items()
        self.schedules = {name: schedule.begin(steps, per_epoch) for name, schedule in given}

    def turn(self, t: int, g: Array, x: Array) -> Array:
        """Give d of the rule with the settings of step t."""
        now = {name: live.at(t) for name, live in self.schedules.items()}
        rule: Rule = dataclasses.replace(self.rule, **now)  # type: ignore[type-var]
        self.numbers = rule.numbers(t, self.numbers)
        d, *self.slots = rule.turn(self.space.xp, self.numbers, g, x, *self.slots)
        return d

    def hold(self, packet: Packet) -> None:
        """Name the slots."""
        packet.hold(self.slots, *range(len(self.slots)))


@saved
@dataclass(frozen=True, slots=True)
class Scheduled(Rule):
    """A rule whose settings follow schedules.

    Parameters
    ----------
    rule : Rule
        Acts on entries, and neither measures nor learns from the Hessian.
    settings : dict of Schedule
        By the name of the setting; they hear of no reports, so no `Plateau`.

    Raises
    ------
    SettingsError
        Another rule, a setting that it does not have, or no schedule; in a run, a value out of the
        setting's range.

    Notes
    -----
    What a rule makes of t and a setting, as Adam of 1 - beta1^t, it makes of the present one, as
    torch.optim under ``OneCycleLR``.  Cost: that of the rule, as plain expressions.

    Examples
    --------
    One cycle of rate and momentum:

    >>> import numpy as np, hessx
    >>> cycle = hessx.OneCycle(0.1, steps=200)
    >>> rule = hessx.Scheduled(hessx.SGD(momentum=0.9), {"momentum": cycle.momentum()})
    >>> method = hessx.StochasticMethod(rule, cycle, steps=200)
    >>> bowl = lambda x: (x @ x, 2 * x)
    >>> bool(abs(hessx.minimize(bowl, [3.0, 4.0], jac=True, method=method).x).max() < 1e-3)
    True
    """

    rule: Rule
    settings: Any
    acts_on = "whole"

    def __post_init__(self) -> None:
        check_part("rule", self.rule, Rule, "a rule such as hessx.Adam()")
        who = f"{type(self.rule).__name__}(...)"
        if self.rule.acts_on != "entries" or self.rule.measures or self.rule.every:
            msg = f"rule = {who}: expected one that acts on entries, neither measures nor learns"
            raise SettingsError(msg)
        if not isinstance(self.settings, Mapping) or not self.settings:
            msg = f"settings = {self.settings!r}: expected a dict of schedules by setting"
            raise SettingsError(msg)
        known = [field.name for field in dataclasses.fields(self.rule)]  # type: ignore[arg-type]
        for name, schedule in self.settings.items():
            if name not in known:
                msg = f"settings[{name!r}]: {who} has {', '.join(known) or 'no settings'}"
                raise SettingsError(msg)
            check_part(f"settings[{name!r}]", schedule, Schedule, "a hessx.Schedule")
        object.__setattr__(self, "settings", dict(self.settings))

    def begin(self, space: Space, x: Array) -> ScheduledPart:
        """Begin a run of unknown length."""
        return ScheduledPart(self, space, x)
