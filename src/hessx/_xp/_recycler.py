"""Memory of long vectors that is used again once nobody holds the vector."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

from hessx._xp._namespace import Array

__all__ = ["Recycler"]


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

    __slots__ = ("dtype", "free", "n")

    def __init__(self, n: int, dtype: np.dtype[Any]) -> None:
        self.n, self.dtype = n, dtype
        self.free: list[memoryview] = []

    def take(self) -> Array:
        """Give a vector out."""
        block = self.free.pop() if self.free else np.empty(self.n, self.dtype).data
        # Views of an array refer to it, not further down, where its own base is no array.
        vector = np.frombuffer(block, self.dtype)
        weakref.finalize(vector, self.free.append, block).atexit = False
        return vector
