"""How much memory a device has left."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from hessx._xp._namespace import Space

__all__ = ["memory_at_hand"]


def memory_at_hand(space: Space) -> float:
    """Give the bytes that are free where x lives; inf where nobody tells.

    Parameters
    ----------
    space : Space
        Of x.

    Returns
    -------
    float
        Of a GPU what its library says, else what the operating system could give to a program.
        A limit on the process, such as a container's, is not seen.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import memory_at_hand, space_of
    >>> memory_at_hand(space_of(np.zeros(2))) > 0
    True
    """
    device: Any = space.device
    if space.kind == "cupy":
        return float(device.mem_info[0])
    if getattr(device, "type", "cpu") == "cuda":
        import torch

        if torch.cuda.is_available():
            return float(torch.cuda.mem_get_info(device)[0])
    return _of_the_host()


def _of_the_host() -> float:
    """Linux says what could be given; other systems what there is in all, or nothing."""
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024.0 * int(line.split()[1])
    try:
        return float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return math.inf
