"""Ctrl-C ends a run with its best point, not with a traceback."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from hessx.core import Watch

__all__ = ["interrupts"]


@contextlib.contextmanager
def interrupts(watch: Watch) -> Iterator[None]:
    """Turn the first SIGINT inside the block into ``watch.interrupted``.

    A second one acts as before the block, commonly by KeyboardInterrupt: for a function that does
    not return.  Only where Python handles signals, in the main thread; elsewhere, and where
    SIGINT is ignored or belongs to a host program, nothing is changed.
    """
    inside = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGINT) if inside else None
    if before is None or before is signal.SIG_IGN:
        yield
        return

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        watch.interrupted = True
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is note:
            signal.signal(signal.SIGINT, before)
