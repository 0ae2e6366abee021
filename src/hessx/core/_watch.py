"""Budgets and interrupts, asked inside inner loops."""

from __future__ import annotations

import time

from hessx.core._messages import Counts
from hessx.core._outcome import Outcome
from hessx.core._stopping import Stopping

__all__ = ["Watch"]


class Watch:
    """Tell whether a run has to end before its tolerances hold.

    Parameters
    ----------
    stopping : Stopping
        The limits.
    counts : Counts
        Of the run, as they grow.
    seconds_before : float
        Spent before the run was taken up again.

    Attributes
    ----------
    interrupted : bool
        Set by a signal handler; the run ends at the next question.
    """

    __slots__ = ("began", "counts", "interrupted", "stopping")

    def __init__(self, stopping: Stopping, counts: Counts, seconds_before: float = 0.0) -> None:
        self.stopping, self.counts = stopping, counts
        self.began = time.perf_counter() - seconds_before
        self.interrupted = False

    @property
    def seconds(self) -> float:
        """Since the start of the run."""
        return time.perf_counter() - self.began

    def verdict(self) -> tuple[Outcome, str] | None:
        """Say which limit holds, if one does."""
        if self.interrupted:
            return Outcome.STOPPED_BY_USER, "interrupted (SIGINT)"
        return self.stopping.limits(self.counts, self.seconds)

    def __call__(self) -> bool:
        """Whether to end an inner loop now."""
        return self.verdict() is not None
