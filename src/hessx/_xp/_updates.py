"""Updates of vectors and rows in as few operations as a library allows."""

from __future__ import annotations

import numpy as np

from hessx._xp._namespace import Array, Space
from hessx._xp._rows import Rows

__all__ = ["add_scaled", "aligned", "move", "plus_scaled", "scale_and_subtract"]

_SHORT = 2**10  # entries


def add_scaled(rows: Rows, i: int, j: int, a: float) -> None:
    """row_i <- row_i + a row_j."""
    if rows.space.has_out:
        move(rows.space, rows[i], rows[j], a)
    else:
        rows.set(i, rows[i] + rows[j] * a)


def plus_scaled(space: Space, v: Array, d: Array, a: Array | float) -> Array:
    """Give v + a d in memory of its own; a may be a scalar of the device."""
    step = d * a
    return space.xp.add(v, step, out=step) if space.has_out else v + step


def move(space: Space, x: Array, d: Array, a: float) -> Array:
    """Move x to x + a d, in place where arrays are written."""
    return space.xp.add(x, d * a, out=x) if space.has_out else x + d * a


def scale_and_subtract(space: Space, x: Array, a: float, v: Array) -> Array:
    """Turn x to a x - v, in place where arrays are written."""
    if not space.has_out:
        return x * a - v
    return space.xp.subtract(space.xp.multiply(x, a, out=x), v, out=x)


def aligned(n: int, dtype: np.dtype) -> np.ndarray:
    """Make an uninitialised NumPy vector that starts with a line of the cache, 64 bytes.

    malloc starts large arrays in the middle of one: every other read then touches two.  Short ones
    are read too seldom to repay it.
    """
    if n < _SHORT:
        return np.empty(n, dtype)
    raw = np.empty(n * dtype.itemsize + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + n * dtype.itemsize].view(dtype)
