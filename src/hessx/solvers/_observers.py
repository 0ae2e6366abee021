"""Who watches a run: history, the user's callback, the progress bar.  They see host numbers."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

from hessx._xp import Array, Space
from hessx.core import History, Point, Record, Result

__all__ = ["Observers", "StopRun"]


class StopRun(Exception):  # noqa: N818 - a signal, not an error
    """The callback wants the run to end."""


class Observers:
    """All observers of a run.

    Parameters
    ----------
    space : Space
        Of x, for the shape that the callback sees.
    callback : callable, optional
        ``callback(intermediate_result)`` with a `Result` of x, fun and the iteration's numbers,
        if its parameter has this name, else ``callback(x)``; once per iteration, as in SciPy.
        ``StopIteration``, or the return value True, ends the run.
    history : bool
        Record every accepted point.
    points : bool
        Keep every accepted point in ``points``, the start first, each an array of its own.
    progress : bool
        Show a bar of iterations.
    limit : int, optional
        Iterations at most, for the bar.

    Raises
    ------
    TypeError
        ``callback`` is not callable.
    """

    def __init__(
        self,
        space: Space,
        callback: Callable[..., Any] | None = None,
        *,
        history: bool = False,
        points: bool = False,
        progress: bool = False,
        limit: int | None = None,
    ) -> None:
        if callback is not None and not callable(callback):
            msg = f"callback is a {type(callback).__name__}: expected a callable or None"
            raise TypeError(msg)
        self.space, self.callback = space, callback
        self.history = History() if history else None
        self.points: list[Array] | None = [] if points else None
        self.wants_turns = history
        self.named = callback is not None and _takes_result(callback)
        self.bar = _bar(limit) if progress else None
        self.active = history or points or progress or callback is not None

    def keep(self, x: Array) -> None:
        """Keep a copy of a point, where points are wanted."""
        if self.points is not None:
            self.points.append(self.space.shaped(self.space.copy(x)))

    def see(self, record: Record, point: Point, sign: float) -> None:
        """Show an accepted point to all; raises StopRun if the callback wants to end."""
        record.value *= sign
        if self.history is not None:
            self.history.append(record)
        if self.bar is not None:
            self.bar.n = record.iteration
            known = not math.isnan(record.grad_norm)
            beside = f"|g| = {record.grad_norm:.2e}" if known else f"rate = {record.alpha:.3g}"
            self.bar.set_postfix_str(f"f = {record.value:.6g}, {beside}")
        if record.iteration:
            self.keep(point.x)
            if self.callback is not None:
                self._call(record, point)

    def _call(self, record: Record, point: Point) -> None:
        x = self.space.for_user(point.x)
        try:
            if self.named:
                result = Result(x=x, fun=record.value, nit=record.iteration, record=record)
                stop = self.callback(intermediate_result=result)  # type: ignore[misc]
            else:
                stop = self.callback(x)  # type: ignore[misc]
        except StopIteration:
            raise StopRun from None
        if stop is True:
            raise StopRun

    def close(self) -> None:
        """Take the bar down."""
        if self.bar is not None:
            self.bar.close()


def _takes_result(callback: Callable[..., Any]) -> bool:
    try:
        parameters = set(inspect.signature(callback).parameters)
    except (TypeError, ValueError):
        return False
    return parameters == {"intermediate_result"}


def _bar(limit: int | None) -> Any:
    from tqdm.auto import tqdm

    return tqdm(total=limit, unit="it", desc="hessx", leave=True)
