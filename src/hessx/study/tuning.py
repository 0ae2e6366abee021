"""Searches for the rates of methods: what each may spend, and a file of what they have found."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from hessx.study.records import Job

__all__ = ["Found", "RateFile", "Search"]


@dataclass(frozen=True)
class Search:
    """A search for the rate of one run, at random on a logarithmic scale.

    Attributes
    ----------
    job : Job
        The run, whose rate is the method's own.
    budget : int
        Evaluations of all trials together; of a method that sees samples, epochs.
    trials : int
        Rates that are tried, each with an equal part of the budget.
    width : float
        From the method's own rate over this to that times this.
    """

    job: Job
    budget: int
    trials: int = 8
    width: float = 10.0

    @property
    def seconds(self) -> float:
        """The limit of all trials together."""
        return self.trials * self.job.seconds

    @property
    def key(self) -> str:
        """What tells this search from all others, as text."""
        return f"{self.job.key}|{self.budget}|{self.trials}|{self.width!r}"


@dataclass
class Found:
    """What a search came to.

    Attributes
    ----------
    search : Search
    rate : float, optional
        The best of the trials; None where all have failed.
    evaluations : int
        That were spent.
    message : str
        What went wrong.
    tried : list of (float, float)
        Rates and last values, in the order of the draws.
    """

    search: Search
    rate: float | None = None
    evaluations: int = 0
    message: str = ""
    tried: list[tuple[float, float]] = field(default_factory=list)

    def to_text(self) -> str:
        """Write as one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Found:
        """Read what `to_text` wrote."""
        parts = json.loads(text)
        search = parts.pop("search")
        tried = [(rate, value) for rate, value in parts.pop("tried")]
        return cls(Search(Job(**search.pop("job")), **search), tried=tried, **parts)


class RateFile:
    """A file of JSON lines, one for each search that has ended.

    A last line without an end, which a kill has cut short, is left out.

    Raises
    ------
    ValueError
        A line is damaged; it is named by its number.
    """

    def __init__(self, path: Path) -> None:
        self.path: Path = path
        self.found: dict[str, Found] = {}
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            path.write_text(whole, encoding="utf-8")
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                found = Found.from_text(line)
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                msg = f"{path}, line {number}: not a rate ({error}): mend the line or take it out"
                raise ValueError(msg) from error
            self.found[found.search.key] = found

    def append(self, found: Iterable[Found]) -> None:
        """Write lines at the end, so that they are there after any end of this process."""
        with self.path.open("a", encoding="utf-8") as file:
            for each in found:
                self.found[each.search.key] = each
                file.write(f"{each.to_text()}\n")
            file.flush()
            os.fsync(file.fileno())
