"""Rows of data from outside of x's library: read on the host, moved to x's device."""

from __future__ import annotations

from typing import Any

import array_api_compat as compat
import numpy as np

from hessx._xp._fetch import to_host, upload, upload_integers
from hessx._xp._namespace import Array, Space, is_array
from hessx._xp._tree import walk

__all__ = ["first_leaf", "foreign", "is_mapped", "place_rows", "read_rows"]


def first_leaf(x: Any) -> Any:
    """Give x, or the first array of a tree."""
    return x if is_array(x) else next(walk(x, "x"))[1]


def is_mapped(a: Any) -> bool:
    """Tell NumPy's memory maps from arrays in memory."""
    return isinstance(a, np.memmap)


def foreign(space: Space, a: Array) -> str | None:
    """Say in which of library and device ``a`` differs from the space; its dtype is its own."""
    if compat.array_namespace(a) is not space.xp:
        return f"an array of {compat.array_namespace(a).__name__.removeprefix('array_api_compat.')}"
    if space.kind not in ("numpy", "dask") and compat.device(a) != space.device:
        return f"on device {compat.device(a)}"
    return None


def read_rows(piece: Any) -> np.ndarray:
    """Read what a slice of data gives; new memory where it is a view of a file."""
    if is_array(piece) and not compat.is_numpy_array(piece):
        return np.asarray(to_host(piece))
    return np.array(piece)


def place_rows(space: Space, rows: Any) -> Array:
    """Move rows to x's device: floating numbers in x's dtype, others as they are; one upload.

    Raises
    ------
    TypeError
        Rows of another library than x's or NumPy's.
    """
    if is_array(rows) and not compat.is_numpy_array(rows):
        problem = foreign(space, rows)
        if problem is None:
            return rows
        msg = f"the rows are {problem}: expected NumPy arrays, or arrays of {space.kind_name}"
        raise TypeError(f"{msg} on {space.device}")
    host = np.asarray(rows)
    return upload(space, host) if host.dtype.kind == "f" else upload_integers(space, host)
