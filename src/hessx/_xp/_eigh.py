"""Eigenvalues and eigenvectors of a symmetric matrix, on every library."""

from __future__ import annotations

import math

import numpy as np

from hessx._xp._fetch import fetch, upload
from hessx._xp._namespace import Array, Space

__all__ = ["eigh"]


def eigh(space: Space, B: Array, *vectors: Array) -> tuple[np.ndarray, Array, list[np.ndarray]]:
    """Decompose B = V diag(w) V', by the library's own eigh, or on the host where it has none.

    Parameters
    ----------
    space : Space
        Where B lives.
    B : array, shape (n, n)
        Symmetric; of what is not, one triangle counts.
    *vectors : array, shape (n,)
        Whose coordinates are wanted.

    Returns
    -------
    w : NumPy array, shape (n,)
        Eigenvalues, ascending, float64; nan where B is not finite, which raises nothing.
    V : array, shape (n, n)
        Eigenvectors, in the columns, on the device.
    coordinates : list of NumPy array, shape (n,)
        V'v of each vector, float64.

    Notes
    -----
    Cost: about 9 n^3 operations; one fetch of n numbers for w and for each vector.  Without an eigh
    of the library (dask, the standard without extensions) one fetch of n^2 numbers and an upload of
    as many.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import eigh, space_of
    >>> v = np.array([3.0, 4.0])
    >>> w, V, (c,) = eigh(space_of(v), np.diag([5.0, -1.0]), v)
    >>> w, abs(c)
    (array([-1.,  5.]), array([4., 3.]))
    """
    xp = space.xp
    own = getattr(getattr(xp, "linalg", None), "eigh", None)
    if own is None:
        return _on_the_host(space, B, vectors)
    finite = xp.all(xp.isfinite(B))  # libraries raise, or worse, for what is not
    w, V = own(xp.where(finite, B, space.zeros(())))
    (w, *coordinates), _ = fetch(space, [xp.where(finite, w, math.nan), *(v @ V for v in vectors)])
    return w, V, coordinates


def _on_the_host(
    space: Space, B: Array, vectors: tuple[Array, ...]
) -> tuple[np.ndarray, Array, list[np.ndarray]]:
    n = space.n
    (entries, *known), _ = fetch(space, [space.xp.reshape(B, (-1,)), *vectors])
    w, U = np.full(n, math.nan), np.eye(n)
    if np.isfinite(entries).all():
        w, U = np.linalg.eigh(entries.reshape(n, n))
    V = upload(space, U)
    if space.chunks is not None:
        V = V.rechunk(space.chunks * 2)
    return w, V, [v @ U for v in known]
