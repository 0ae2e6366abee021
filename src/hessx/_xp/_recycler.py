"""Vectors for the user to keep, in memory that is used again once nobody holds them."""

from __future__ import annotations

import weakref
from typing import Any, cast

import numpy as np

__all__ = ["Recycler"]

_LONG = 2**14  # entries, 128 kB: from there on malloc may take fresh pages for each array


class Recycler:
    """Give out uninitialised vectors, in memory that was given out before where that is free.

    A block comes back when the vector and all that look into it (views, buffers, other libraries'
    arrays made from it) are gone.  Fresh memory of megabytes is paid for page by page: at n = 1e6
    that takes longer than filling it.

    Parameters
    ----------
    n, dtype : int, numpy.dtype
        Of the vectors.
    """

    __slots__ = ("dtype", "free", "n", "twins")

    def __init__(self, n: int, dtype: np.dtype[Any]) -> None:
        self.n, self.dtype = n, dtype
        self.free: list[memoryview] = []
        self.twins: tuple[Any, Any] = (None, None)

    def take(self) -> np.ndarray:
        """Give a vector out."""
        block = self.free.pop() if self.free else np.empty(self.n, self.dtype).data
        # Views of an array refer to it, not further down, where its own base is no array.
        vector = np.frombuffer(block, self.dtype)
        weakref.finalize(vector, self.free.append, block).atexit = False
        return vector

    def take_twins(self) -> tuple[np.ndarray, np.ndarray]:
        """Give out a vector and the copy that will be asked of it, for one pass to write both."""
        self.twins = (None, None)
        self.twins = self.take(), self.take()
        return self.twins

    def copy_of(self, v: np.ndarray) -> np.ndarray:
        """Copy a vector, or give out the copy that was written with it."""
        first, second = self.twins
        if first is v:
            self.twins = (None, None)
            return cast(np.ndarray, second)
        if self.n < _LONG:
            return v.copy()
        copy = self.take()
        copy[:] = v
        return copy
