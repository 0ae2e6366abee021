"""What the comparisons measure with: one thread, time inside functions, peak memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["Stopwatch", "in_a_process", "resident", "restart_on_one_thread"]

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
TUNING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def restart_on_one_thread() -> None:
    """BLAS libraries read these variables when they are loaded, so they are set before."""
    wanted = {k: v for k, v in os.environ.items() if k not in TUNING} | dict.fromkeys(THREADS, "1")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    if wanted != dict(os.environ):
        os.execve(sys.executable, [sys.executable, *sys.argv], wanted)


class Stopwatch:
    """Sums up the time spent in functions, and counts their calls."""

    def __init__(self) -> None:
        self.seconds, self.calls = 0.0, 0

    def around(self, reply: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a function."""

        def timed(*args: Any) -> Any:
            began = time.perf_counter()
            answer = reply(*args)
            self.seconds += time.perf_counter() - began
            self.calls += 1
            return answer

        return timed


def resident(field: str) -> int:
    """Bytes of this process, now (VmRSS) or at most so far (VmHWM); Linux only."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def in_a_process(script: str, *arguments: str) -> str:
    """Run a script in a process of its own; what it prints, or its last words."""
    command = [sys.executable, script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]
