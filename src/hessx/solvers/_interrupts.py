"""Ctrl-C ends a run with its best point, not with a traceback."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

from hessx.core import Watch

__all__ = ["interrupts"]


class interrupts:  # noqa: N801 - a context manager is called like a function
    """Turn the first SIGINT inside the block into ``watch.interrupted``.

    A second one acts as before the block, by KeyboardInterrupt: for a function that does not
    return.  Only in the main thread, where Python handles signals, and only where SIGINT raises
    KeyboardInterrupt: a handler of the host program's own stays.
    """

    __slots__ = ("note",)

    def __init__(self, watch: Watch) -> None:
        self.note = _Note(watch)

    def __enter__(self) -> None:
        note = self.note
        if threading.current_thread() is not threading.main_thread():
            return
        note.before = signal.getsignal(signal.SIGINT)
        if note.before is signal.default_int_handler or isinstance(note.before, _Note):
            signal.signal(signal.SIGINT, note)
            note.inside = True

    def __exit__(self, *error: object) -> None:
        note = self.note
        if note.inside:
            found = signal.signal(signal.SIGINT, note.before)
            if found is not note and found is not note.before:  # set inside the block: it stays
                signal.signal(signal.SIGINT, found)


class _Note:
    """A handler that notes one signal, in the runs around this one too, and steps back."""

    __slots__ = ("before", "inside", "watch")

    def __init__(self, watch: Watch) -> None:
        self.watch, self.inside = watch, False
        self.before: Any = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.watch.interrupted = True
        signal.signal(signal.SIGINT, self.before)
        if isinstance(self.before, _Note):  # f minimises: its run ends, and this one
            self.before(number, frame)
