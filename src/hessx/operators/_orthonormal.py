"""Orthonormal rows of a block of vectors, by Gram matrices that are decomposed on the host."""

from __future__ import annotations

import math

import numpy as np

from hessx._xp import Array, Space, fetch, quiet, upload
from hessx.operators._kinds import as_space

__all__ = [
    "decomposed",
    "independent_rows",
    "orthonormal_rows",
    "orthonormal_rows_and_rank",
]

_LEAST = 1 / 64  # of an eigenvalue of the second Gram matrix: an error of some 64 eps is left


def orthonormal_rows(space: Space | Array, Y: Array) -> Array:
    r"""Give an orthonormal basis of the space that the rows of Y span.

    Twice over, from the Gram matrix of what there is:

        Y Y' = V diag(w) V',      Y <- diag(max(w, k eps max(w)))^(-1/2) V' Y

    Parameters
    ----------
    space : Space or array, shape (n,)
        Of the rows; an array says which.
    Y : array, shape (k, n)
        k <= n; rows may be of any size, each is divided by its largest entry first.

    Returns
    -------
    array, shape (k, n)
        Orthonormal to some 100 k eps, those along which Y is longest first.  Where Y has a lower
        rank, the last rows are zero: directions along which Y, its rows scaled, is shorter than
        (k eps)^(1/2) / 8 of its length are rounding.  All are zero where Y is not finite.

    Notes
    -----
    Cost: 6 k^2 n operations, two fetches of k^2 numbers and two uploads of as many.  Memory: two
    blocks beside Y.

    References
    ----------
    Stathopoulos & Wu (2002), A block orthogonalization procedure with constant synchronization
    requirements, SIAM J. Sci. Comput. 23, algorithm SVQB, repeated.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx.operators import orthonormal_rows
    >>> Y = np.array([[3.0, 4.0, 0.0], [6.0, 8.0, 0.0]])
    >>> abs(orthonormal_rows(Y[0], Y)).round(12)
    array([[0.6, 0.8, 0. ],
           [0. , 0. , 0. ]])
    """
    return orthonormal_rows_and_rank(as_space(space), Y)[0]


def orthonormal_rows_and_rank(space: Space, Y: Array) -> tuple[Array, int]:
    """Give the rows of `orthonormal_rows`, and how many of them are not zero."""
    with quiet():  # Y need not be finite
        Q = independent_rows(space, Y)
        if Q is None:
            return space.zeros(tuple(Y.shape)), 0
        w, V = _gram_of(space, Q)
        kept = w > _LEAST
        C = (kept * _inverse_root(w, _LEAST))[:, None] * V.T
        return upload(space, C) @ Q, len(np.flatnonzero(kept))


def independent_rows(space: Space, Y: Array) -> Array | None:
    """Give k rows of the same space that are far from dependent, where Y is: one pass, one fetch.

    None where Y is zero, or not finite.
    """
    xp, k = space.xp, Y.shape[0]
    with quiet():
        largest = xp.max(xp.abs(Y), axis=-1)
        Q = Y / xp.maximum(largest, space.zeros(()) + space.smallest)[:, None]
        w, V = _gram_of(space, Q)
        if not w[0] > 0.0:
            return None
        return upload(space, _inverse_root(w, k * space.eps * w[0])[:, None] * V.T) @ Q


def decomposed(M: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give w, descending, and V with (M + M') / 2 = V diag(w) V'; nan where M is not finite."""
    if not np.isfinite(M).all():
        return np.full(len(M), math.nan), np.eye(len(M))
    w, V = np.linalg.eigh(0.5 * (M + M.T))
    return w[::-1], V[:, ::-1]


def _gram_of(space: Space, Q: Array) -> tuple[np.ndarray, np.ndarray]:
    """Decompose Q Q'; one fetch."""
    k = Q.shape[0]
    (entries,), _ = fetch(space, [space.xp.reshape(Q @ Q.T, (-1,))])
    return decomposed(entries.reshape(k, k))


def _inverse_root(w: np.ndarray, least: float) -> np.ndarray:
    root: np.ndarray = 1.0 / np.sqrt(np.maximum(w, least))
    return root
