"""A result as SciPy's older functions return it."""

from __future__ import annotations

from typing import Any

from hessx.core import Result

__all__ = ["returned", "warnflag"]


def returned(result: Result, full_output: bool, *entries: Any) -> Any:
    """Give xopt, with ``full_output`` the entries too, and the points where they were kept."""
    points = (result.allvecs,) if "allvecs" in result else ()
    given = (result.x, *(entries if full_output else ()), *points)
    return given if len(given) > 1 else result.x


def warnflag(result: Result, stopped: int = 0) -> int:
    """Give SciPy's flag: 0, 1, 2 or 3, ``stopped`` where the callback ended the run, 99 by Ctrl-C.

    On Ctrl-C, which ends a run with its best point, SciPy raises.
    """
    if "SIGINT" in result.message:
        return 99
    flag: int = {4: 2, 99: stopped}.get(result.status, result.status)
    return flag
