"""Checkpoints written while a run goes on."""

from __future__ import annotations

import math
import os
import time
from typing import Any

from hessx.core import check_real, save
from hessx.solvers._run import Run

__all__ = ["Keeper"]


class Keeper:
    """Write a run down from time to time, and at its end.

    Parameters
    ----------
    path : path, optional
        Where to; None for nowhere.
    every : float
        Seconds between two, >= 0.

    Raises
    ------
    TypeError
        ``path`` is something else.
    SettingsError
        ``every`` is negative or no number.
    """

    def __init__(self, path: Any, every: float) -> None:
        if path is not None and not isinstance(path, str | os.PathLike):
            msg = f"checkpoint is a {type(path).__name__}: expected a path"
            raise TypeError(msg)
        self.every = check_real("checkpoint_every", every, 0.0, ends="[)")
        self.path, self.last = path, -math.inf

    def keep(self, run: Run) -> None:
        """Write if it is time; the first time at once, so that what cannot be saved is told."""
        if self.path is not None and time.perf_counter() - self.last >= self.every:
            self.write(run)

    def write(self, run: Run) -> None:
        """Write now."""
        if self.path is not None:
            save(self.path, run.checkpoint())
            self.last = time.perf_counter()
