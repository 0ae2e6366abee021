"""Ctrl-C ends a run with its best point, not with a traceback."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

from hessx.core import Watch

__all__ = ["interrupts"]


@contextlib.contextmanager
def interrupts(watch: Watch) -> Iterator[None]:
    """Turn the first SIGINT inside the block into ``watch.interrupted``.

    A second one acts as before the block, by KeyboardInterrupt: for a function that does not
    return.  Only in the main thread, where Python handles signals, and only where SIGINT raises
    KeyboardInterrupt: a handler of the host program's own stays.
    """
    inside = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGINT) if inside else None
    if before is not signal.default_int_handler and not isinstance(before, _Note):
        yield
        return
    note = _Note(watch, before)
    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is note:
            signal.signal(signal.SIGINT, before)


class _Note:
    """A handler that notes one signal, in the runs around this one too, and steps back."""

    def __init__(self, watch: Watch, before: Any) -> None:
        self.watch, self.before = watch, before

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.watch.interrupted = True
        signal.signal(signal.SIGINT, self.before)
        if isinstance(self.before, _Note):  # f minimises: its run ends, and this one
            self.before(number, frame)
