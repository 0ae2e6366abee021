"""The inverse of a matrix, on the host."""

from __future__ import annotations

import numpy as np

from hessx._xp._fetch import fetch, upload
from hessx._xp._namespace import Array, Space

__all__ = ["inverse"]


def inverse(space: Space, M: Array) -> Array:
    """Give M^-1 by the host in float64, where libraries fail in as many ways as there are.

    Parameters
    ----------
    space : Space
        Of vectors.
    M : array, shape (n, n)
        Of the space.

    Returns
    -------
    array, shape (n, n)
        Of the space; nan where M is singular.

    Notes
    -----
    Cost: n^3 operations, one fetch and one upload of n^2 numbers.
    """
    (entries,), _ = fetch(space, [space.xp.reshape(M, (-1,))])
    host = entries.reshape(space.n, space.n)
    try:
        return upload(space, np.linalg.inv(host))
    except np.linalg.LinAlgError:
        return upload(space, np.full_like(host, np.nan))
