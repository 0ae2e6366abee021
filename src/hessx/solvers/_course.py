"""What a method of two keeps of its course."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hessx.core import saved
from hessx.globalization import LiveSwitch

__all__ = ["Course"]


@saved
@dataclass(slots=True)
class Course:
    """Which of two methods is at work.

    Attributes
    ----------
    rules : list of LiveSwitch
        Those that say when the second takes over.
    seen : int
        The last iteration that they have seen.
    due : str
        Why it takes over next; "" where it does not.
    switched : bool
        Whether it has.
    told : str
        When and why; for messages.
    """

    rules: list[LiveSwitch]
    seen: int = -1
    due: str = ""
    switched: bool = False
    told: str = ""

    def at_work(self, method: Any) -> Any:
        """Give the part of the method that is at work."""
        return method.second if self.switched else method.first

    def go_on(self, iteration: int) -> None:
        """Note that the second is at work from here on."""
        self.told = f"the second method took over at step {iteration}: {self.due}"
        self.due, self.switched = "", True
