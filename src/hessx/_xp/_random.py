"""Random vectors, drawn on the host from a seed and moved once: the same on every library."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from hessx._xp._fetch import upload
from hessx._xp._namespace import Array, Space

__all__ = ["normal", "rademacher"]

_SHORT = 2**10  # numbers: setting up a generator takes longer than drawing them, so they are kept


def normal(space: Space, seed: int, count: int = 1) -> Array:
    """Draw standard normal vectors.

    Parameters
    ----------
    space : Space
        Where to.
    seed : int
        The same seed draws the same vectors on every library, up to rounding.
    count : int
        How many.

    Returns
    -------
    array, shape (count, n)
        On the device; one upload.
    """
    short = count * space.n <= _SHORT
    draw = _drawn(seed, count, space.n).copy() if short else _draw(seed, count, space.n)
    return upload(space, draw)


def rademacher(space: Space, seed: int, count: int = 1) -> Array:
    """Draw vectors of random signs, +1 or -1.

    Parameters
    ----------
    space : Space
        Where to.
    seed : int
        The same seed draws the same vectors on every library, up to rounding.
    count : int
        How many.

    Returns
    -------
    array, shape (count, n)
        On the device; one upload.
    """
    draw = np.random.default_rng(seed).integers(0, 2, (count, space.n)) * 2.0 - 1.0
    return upload(space, draw)


def _draw(seed: int, count: int, n: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, n))


_drawn = lru_cache(maxsize=64)(_draw)
