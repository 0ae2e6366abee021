"""The peak of resident memory that one run causes in its process."""

from __future__ import annotations

import math
import re
from pathlib import Path

__all__ = ["forget_peak", "peak_memory"]

_SELF = Path("/proc/self")
_KIB = 1024.0


def forget_peak() -> float:
    """Let the peak begin anew at what is resident now, and give that.

    Returns
    -------
    float
        Bytes; nan where the system keeps no peak that can be forgotten, which only Linux does.
    """
    try:
        (_SELF / "clear_refs").write_text("5")
    except OSError:
        return math.nan
    return peak_memory()


def peak_memory() -> float:
    """Give the most bytes that were resident since the peak was forgotten; nan where unknown."""
    try:
        status = (_SELF / "status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return math.nan
    found = re.search(r"^VmHWM:\s*(\d+) kB", status, re.MULTILINE)
    return math.nan if found is None else float(found[1]) * _KIB
