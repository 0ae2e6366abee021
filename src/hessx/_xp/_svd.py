"""Least squares by the singular values of a matrix, on every library."""

from __future__ import annotations

import math

import numpy as np

from hessx._xp._fetch import fetch, upload
from hessx._xp._namespace import Array, Space

__all__ = ["eigh_of_root"]


def eigh_of_root(space: Space, J: Array, r: Array) -> tuple[np.ndarray, Array, np.ndarray]:
    """Decompose J'J = V diag(s^2) V', and J'r in it, by J = U diag(s) V' and without forming them.

    Rounding of s, and of U'r, is eps of the largest: s^2 is known down to eps^2 of the largest,
    where eigenvalues of the matrix J'J are rounding below eps.

    Parameters
    ----------
    space : Space
        Of the n variables.
    J, r : array, shapes (m, n) and (m,)
        Any.

    Returns
    -------
    w : NumPy array, shape (k,)
        s^2, ascending, float64, k = min(m, n); nan where J is not finite, which raises nothing.
    V : array, shape (n, k)
        Right singular vectors, in the columns, on the device.
    c : NumPy array, shape (k,)
        V'J'r = s U'r, float64.

    Notes
    -----
    Cost: about 6 m n^2 + 20 n^3 operations; one fetch of 2 k numbers.  Without an svd of the
    library (the standard without extensions), and on dask, one fetch of m n numbers and an upload
    of k n.

    References
    ----------
    Golub & Van Loan (2013), Matrix Computations, sections 5.3 and 8.6.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import eigh_of_root, space_of
    >>> J, r = np.array([[2.0, 0.0], [0.0, 1e-9], [0.0, 0.0]]), np.array([3.0, 4.0, 5.0])
    >>> w, V, c = eigh_of_root(space_of(np.zeros(2)), J, r)
    >>> w, abs(c)
    (array([1.e-18, 4.e+00]), array([4.e-09, 6.e+00]))
    """
    xp = space.xp
    own = getattr(getattr(xp, "linalg", None), "svd", None)
    if own is None or space.lazy:
        return _on_the_host(space, J, r)
    finite = xp.all(xp.isfinite(J))  # libraries raise, or worse, for what is not
    U, s, rows = own(xp.where(finite, J, space.zeros(())), full_matrices=False)
    (s, c), _ = fetch(space, [xp.where(finite, s, math.nan), r @ U])
    w, c = _ascending(s, c)
    return w, xp.flip(rows, axis=0).T, c


def _on_the_host(space: Space, J: Array, r: Array) -> tuple[np.ndarray, Array, np.ndarray]:
    m, n = J.shape
    (entries, r), _ = fetch(space, [space.xp.reshape(J, (-1,)), r])
    k = min(m, n)
    U, s, rows = np.eye(m, k), np.full(k, math.nan), np.eye(k, n)
    if np.isfinite(entries).all():
        U, s, rows = np.linalg.svd(entries.reshape(m, n), full_matrices=False)
    V = upload(space, rows[::-1].T)
    if space.chunks is not None:
        V = V.rechunk((space.chunks[0], (k,)))
    w, c = _ascending(s, r @ U)
    return w, V, c


def _ascending(s: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give s^2 and s c, from the smallest on."""
    with np.errstate(all="ignore"):
        return (s * s)[::-1], (s * c)[::-1]
