"""When a stochastic method looks at the device, and what it looks at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hessx.core import SettingsError, check_flag, check_integer, saved, store_integer, store_real

__all__ = ["EarlyStopping", "Report"]


@saved
@dataclass(frozen=True, slots=True)
class Report:
    """When the host hears of a run without line search: one fetch each.

    Parameters
    ----------
    every : int or "epoch"
        Steps between two reports, >= 1; an epoch.  Of an f that is no finite sum an epoch is
        a hundredth of the run.
    full : bool
        Evaluate value and gradient of the whole for each: then gtol can end the run.  Else the
        value is the mean of those of the samples since the last report, each at its step's point.

    Raises
    ------
    SettingsError
        No such number.

    Examples
    --------
    >>> import hessx
    >>> hessx.Report(every=100).full
    False
    """

    every: int | str = "epoch"
    full: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.every, str):
            if self.every != "epoch":
                msg = f"every = {self.every!r}: expected 'epoch' or a number of steps"
                raise SettingsError(msg)
        else:
            object.__setattr__(self, "every", check_integer("every", self.every, 1))
        object.__setattr__(self, "full", check_flag("full", self.full))

    def period(self, per_epoch: int, steps: int, *, is_sum: bool) -> int:
        """Give the steps between two reports of a run of so many."""
        if isinstance(self.every, int):
            return self.every
        return per_epoch if is_sum else max(1, steps // 100)


@saved
@dataclass(frozen=True, slots=True)
class EarlyStopping:
    """End a run that no longer gets better on data it does not train on.

    Parameters
    ----------
    score : callable
        ``score(x)``, x in the user's shape: a float or a 0-d array, smaller is better, such as the
        loss on validation data.  At each report; an array joins its fetch.
    patience : int
        Reports in a row without a better score after which the run ends, >= 1.
    least : float
        By how much a score has to be lower to be better, >= 0; in the units of the score.

    Raises
    ------
    SettingsError
        A setting out of its range, or a score that is not callable.

    Notes
    -----
    The run returns the x of the best score, however it ends.

    Examples
    --------
    >>> import hessx
    >>> hessx.EarlyStopping(lambda x: x @ x, patience=3).least
    0.0
    """

    score: Callable[[Any], Any]
    patience: int = 5
    least: float = 0.0

    def __post_init__(self) -> None:
        if not callable(self.score):
            msg = f"score is a {type(self.score).__name__}: expected a callable score(x)"
            raise SettingsError(msg)
        store_integer(self, "patience", 1)
        store_real(self, "least", 0.0, ends="[)")
