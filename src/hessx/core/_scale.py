"""Positive vectors that the user gives: scales and diagonals."""

from __future__ import annotations

import math
from typing import Any

from hessx._xp import Array, Space, extremes, fetch, like
from hessx.core._settings import SettingsError

__all__ = ["positive_vector"]


def positive_vector(space: Space, given: Any, name: str) -> Array:
    """Take a positive vector with the shape of x into the space; one fetch.

    Parameters
    ----------
    space : Space
        Of x.
    given : array or (nested) list, or tree
        With n entries; NumPy arrays and lists are moved to the space.  See `like` for trees.
    name : str
        For messages.

    Returns
    -------
    array, shape (n,)
        Of the space; a copy.

    Raises
    ------
    SettingsError
        Another number of entries than x, or entries outside (0, inf).
    TypeError
        Another library, dtype or device than x.
    """
    vector = space.flat(like(space, given, name))
    if vector.shape[0] != space.n:
        msg = f"{name} has {vector.shape[0]} entries: expected {space.n}, as x0"
        raise SettingsError(msg)
    (high, low), _ = fetch(space, extremes(space, vector))
    if not 0.0 < low <= high < math.inf:
        msg = f"{name} has entries in [{low:g}, {high:g}]: expected positive finite numbers"
        raise SettingsError(msg)
    return vector
