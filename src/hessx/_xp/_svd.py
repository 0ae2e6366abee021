"""Eigenvalues and eigenvectors of J'J by the singular values of J, on every library."""

from __future__ import annotations

import math

import numpy as np

from hessx._xp._fetch import fetch, upload
from hessx._xp._namespace import Array, Space

__all__ = ["eigh_of_root"]


def eigh_of_root(
    space: Space, J: Array, *vectors: Array
) -> tuple[np.ndarray, Array, list[np.ndarray]]:
    """Decompose J'J = V diag(s^2) V' by J = U diag(s) V', without forming J'J.

    Rounding of s is eps of the largest, so that s^2 is known down to eps^2 of the largest, where
    eigenvalues of the matrix J'J are rounding below eps.

    Parameters
    ----------
    space : Space
        Where J lives.
    J : array, shape (m, n)
        Any.
    *vectors : array, shape (n,)
        Whose coordinates are wanted.

    Returns
    -------
    w : NumPy array, shape (k,)
        s^2, ascending, float64, k = min(m, n); nan where J is not finite, which raises nothing.
    V : array, shape (n, k)
        Right singular vectors, in the columns, on the device.
    coordinates : list of NumPy array, shape (k,)
        V'v of each vector, float64.

    Notes
    -----
    Cost: about 4 m n^2 + 8 n^3 operations; one fetch of k numbers for w and for each vector.
    Without an svd of the library (the standard without extensions), and on dask, one fetch of m n
    numbers and an upload of k n.

    References
    ----------
    Golub & Van Loan (2013), Matrix Computations, section 5.3.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import eigh_of_root, space_of
    >>> v = np.array([3.0, 4.0])
    >>> w, V, (c,) = eigh_of_root(space_of(v), np.array([[2.0, 0.0], [0.0, 1e-9], [0.0, 0.0]]), v)
    >>> w, abs(c)
    (array([1.e-18, 4.e+00]), array([4., 3.]))
    """
    xp = space.xp
    own = getattr(getattr(xp, "linalg", None), "svd", None)
    if own is None or space.lazy:
        return _on_the_host(space, J, vectors)
    finite = xp.all(xp.isfinite(J))  # libraries raise, or worse, for what is not
    _, s, rows = own(xp.where(finite, J, space.zeros(())), full_matrices=False)
    s = xp.where(finite, s, math.nan)
    (s, *coordinates), _ = fetch(space, [s, *(rows @ v for v in vectors)])
    V = xp.flip(rows, axis=0).T
    return _squared(s), V, [c[::-1] for c in coordinates]


def _on_the_host(
    space: Space, J: Array, vectors: tuple[Array, ...]
) -> tuple[np.ndarray, Array, list[np.ndarray]]:
    m, n = J.shape
    (entries, *known), _ = fetch(space, [space.xp.reshape(J, (-1,)), *vectors])
    k = min(m, n)
    s, rows = np.full(k, math.nan), np.eye(k, n)
    if np.isfinite(entries).all():
        _, s, rows = np.linalg.svd(entries.reshape(m, n), full_matrices=False)
    U = rows[::-1].T
    V = upload(space, U)
    if space.chunks is not None:
        V = V.rechunk((space.chunks[0], (k,)))
    return _squared(s), V, [v @ U for v in known]


def _squared(s: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore", under="ignore"):
        return s[::-1] ** 2
