"""After so many steps, near a minimiser, where f looks quadratic, where little is gained."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from numbers import Integral

from hessx.core import SettingsError, saved, store_integer, store_real
from hessx.globalization._switching import LiveSwitch, StepTaken, SwitchRule

__all__ = [
    "AfterSteps",
    "GradientBelow",
    "LiveAfterSteps",
    "LiveGradientBelow",
    "LiveModelGood",
    "LiveStalled",
    "ModelGood",
    "Stalled",
    "as_switch_rules",
]


@saved
@dataclass(frozen=True, slots=True)
class AfterSteps(SwitchRule):
    """After so many steps.

    Parameters
    ----------
    steps : int
        >= 1.

    Examples
    --------
    >>> import hessx
    >>> live = hessx.AfterSteps(2).begin()
    >>> [live.after(hessx.StepTaken(k, 1.0, 1.0)) for k in range(3)]
    ['', '', 'as set']
    """

    steps: int

    def __post_init__(self) -> None:
        store_integer(self, "steps", 1)

    def begin(self) -> LiveSwitch:
        """Start counting."""
        return LiveAfterSteps(self.steps)


@saved
@dataclass(slots=True)
class LiveAfterSteps(LiveSwitch):
    """`AfterSteps` at work."""

    steps: int

    def after(self, step: StepTaken) -> str:
        """Compare the number of steps."""
        return "as set" if step.iteration >= self.steps else ""


@saved
@dataclass(frozen=True, slots=True)
class GradientBelow(SwitchRule):
    """Where norm_inf(g) <= factor norm_inf(g0).

    Parameters
    ----------
    factor : float
        In (0, 1).

    Examples
    --------
    >>> import hessx
    >>> live = hessx.GradientBelow(0.1).begin()
    >>> live.after(hessx.StepTaken(0, 9.0, 5.0)), live.after(hessx.StepTaken(1, 3.0, 0.25))
    ('', 'gradient norm 0.25, 0.05 of the first')
    """

    factor: float = 0.1
    gradient = True

    def __post_init__(self) -> None:
        store_real(self, "factor", 0.0, 1.0)

    def begin(self) -> LiveSwitch:
        """Start without a gradient to compare with."""
        return LiveGradientBelow(self.factor)


@saved
@dataclass(slots=True)
class LiveGradientBelow(LiveSwitch):
    """`GradientBelow` at work."""

    factor: float
    first: float = math.nan

    def after(self, step: StepTaken) -> str:
        """Compare with the gradient at the start."""
        norm = step.grad_norm
        if math.isnan(self.first):
            self.first = norm
        if not norm <= self.factor * self.first:
            return ""
        return f"gradient norm {norm:.3g}, {norm / self.first:.2g} of the first"


@saved
@dataclass(frozen=True, slots=True)
class ModelGood(SwitchRule):
    r"""Where a quadratic model foretells f: abs(ratio - 1) <= tolerance, some steps in a row.

    The model is the parabola with the slopes g's and g+'s at both ends of the step s, so that

        ratio = (f+ - f) / (g's / 2 + g+'s / 2)

    and abs(ratio - 1) is f's third order over its second along s.  A Newton step can then be
    believed, whatever the curvature that the first method works with.

    Parameters
    ----------
    tolerance : float
        > 0.
    steps : int
        >= 1.

    References
    ----------
    Conn, Gould & Toint (2000), Trust-Region Methods, section 6.1, for the ratio; Nocedal & Wright
    (2006), eq. (3.57), for the parabola of two slopes.

    Examples
    --------
    >>> import hessx
    >>> live = hessx.ModelGood(steps=1).begin()
    >>> live.after(hessx.StepTaken(0, 8.0, 4.0))
    ''
    >>> live.after(hessx.StepTaken(1, 2.0, 2.0, slopes=(-8.0, -4.0)))  # x^2 / 2 from 4 to 2
    'f as foretold by a parabola to 0, in 1 step'
    """

    tolerance: float = 0.1
    steps: int = 2
    slopes = True

    def __post_init__(self) -> None:
        store_real(self, "tolerance", 0.0)
        store_integer(self, "steps", 1)

    def begin(self) -> LiveSwitch:
        """Start without a step."""
        return LiveModelGood(self)


@saved
@dataclass(slots=True)
class LiveModelGood(LiveSwitch):
    """`ModelGood` at work."""

    rule: ModelGood
    before: float = math.nan
    good: int = 0

    def after(self, step: StepTaken) -> str:
        """Compare the change of f with that of the parabola."""
        foretold, change = 0.5 * (step.slopes[0] + step.slopes[1]), step.value - self.before
        self.before = step.value
        error = abs(change / foretold - 1.0) if foretold < 0.0 else math.inf
        self.good = self.good + 1 if error <= self.rule.tolerance else 0
        if self.good < self.rule.steps:
            return ""
        steps = f"{self.good} step{'s' if self.good > 1 else ''}"
        return f"f as foretold by a parabola to {error:.2g}, in {steps}"


@saved
@dataclass(frozen=True, slots=True)
class Stalled(SwitchRule):
    """Where the last steps together bring less than a share of what f has fallen since the start.

    Parameters
    ----------
    share : float
        In (0, 1).
    steps : int
        How many of them, >= 1; with samples reports.

    Examples
    --------
    >>> import hessx
    >>> live = hessx.Stalled(0.1, steps=1).begin()
    >>> [live.after(hessx.StepTaken(k, f, 1.0)) for k, f in enumerate([9.0, 2.0, 1.5])]
    ['', '', 'f fell by 0.5 in 1 step, by 7.5 in all']
    """

    share: float = 1e-2
    steps: int = 5

    def __post_init__(self) -> None:
        store_real(self, "share", 0.0, 1.0)
        store_integer(self, "steps", 1)

    def begin(self) -> LiveSwitch:
        """Start without values."""
        return LiveStalled(self)


@saved
@dataclass(slots=True)
class LiveStalled(LiveSwitch):
    """`Stalled` at work."""

    rule: Stalled
    first: float = math.nan
    values: list[float] = field(default_factory=list)

    def after(self, step: StepTaken) -> str:
        """Compare the last values with each other and the first."""
        if math.isnan(self.first):
            self.first = step.value
        self.values = [*self.values[-self.rule.steps :], step.value]
        if len(self.values) <= self.rule.steps:
            return ""
        lately, fallen = self.values[0] - step.value, self.first - step.value
        if not lately <= self.rule.share * fallen:
            return ""
        steps = f"{self.rule.steps} step{'s' if self.rule.steps > 1 else ''}"
        return f"f fell by {lately:.3g} in {steps}, by {fallen:.3g} in all"


def as_switch_rules(given: object) -> tuple[SwitchRule, ...]:
    """Take a rule, a number of steps, or any number of rules.

    Raises
    ------
    SettingsError
        Something else.
    """
    several = given if isinstance(given, tuple | list) else (given,)
    rules = tuple(
        AfterSteps(int(rule)) if isinstance(rule, Integral) and not isinstance(rule, bool) else rule
        for rule in several
    )
    if not all(isinstance(rule, SwitchRule) for rule in rules):
        msg = (
            f"when = {given!r}: expected a number of steps, or rules such as hessx.ModelGood(), "
            "hessx.GradientBelow(0.1) or hessx.Stalled()"
        )
        raise SettingsError(msg)
    return rules
