"""Random vectors, drawn on the host from a seed and moved once: the same on every library."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from hessx._xp._fetch import upload, upload_integers
from hessx._xp._namespace import Array, Space

__all__ = ["normal", "permuted", "rademacher", "uniform"]

_Seed = int | tuple[int, ...]

_SHORT = 2**10  # numbers: setting up a generator takes longer than drawing them, so they are kept


def normal(space: Space, seed: _Seed, count: int = 1, n: int | None = None) -> Array:
    """Draw standard normal vectors.

    Parameters
    ----------
    space : Space
        Where to.
    seed : int or tuple of int
        The same seed draws the same vectors on every library, up to rounding.
    count : int
        How many.
    n : int, optional
        Entries of each; those of the space by default.

    Returns
    -------
    array, shape (count, n)
        On the device; one upload.
    """
    n = space.n if n is None else n
    draw = _drawn(seed, count, n).copy() if count * n <= _SHORT else _draw(seed, count, n)
    return upload(space, draw)


def uniform(space: Space, seed: _Seed, count: int) -> Array:
    """Draw numbers uniform in [0, 1), multiples of 2^-24: no rounding to float32 makes them 1.

    Parameters
    ----------
    space : Space
        Where to.
    seed : int or tuple of int
        The same seed draws the same numbers on every library and in every dtype.
    count : int
        How many.

    Returns
    -------
    array, shape (count,)
        On the device; one upload.
    """
    return upload(space, np.random.default_rng(seed).random(count, dtype=np.float32))


def permuted(space: Space, seed: _Seed, N: int, count: int) -> Array:
    """Draw ``count`` of the numbers 0 to N - 1, each once at most, in random order; one upload."""
    return upload_integers(space, np.random.default_rng(seed).permutation(N)[:count])


def rademacher(space: Space, seed: _Seed, count: int = 1) -> Array:
    """Draw vectors of random signs, +1 or -1.

    Parameters
    ----------
    space : Space
        Where to.
    seed : int or tuple of int
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


def _draw(seed: _Seed, count: int, n: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, n))


_drawn = lru_cache(maxsize=64)(_draw)
