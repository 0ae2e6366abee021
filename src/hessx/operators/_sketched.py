"""Sketches A Omega', their range, and the range without each of the random vectors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hessx._xp import Array, Space, quiet
from hessx.operators._linear_operator import LinearOperator
from hessx.operators._orthonormal import orthonormal_rows, orthonormal_rows_and_rank

__all__ = ["Sketched", "basis", "left_out", "sketch"]


class Sketched(NamedTuple):
    """The range of a sketch, vectors as rows.

    Attributes
    ----------
    Q : array, shape (k, n)
        Orthonormal, or zero: a basis of the y_i, what A makes of k random vectors.
    Z : array, shape (k, n)
        A Q.
    R : array, shape (k, k)
        Coordinates: R_ji = q_j'y_i.
    """

    Q: Array
    Z: Array
    R: Array


def sketch(space: Space, A: LinearOperator, omega: Array) -> Sketched:
    """Multiply k random vectors, and a basis of what comes out: 2 k products."""
    Y = A.matvec(omega)
    Q = basis(space, Y)
    return Sketched(Q, A.matvec(Q), Q @ Y.T)


def basis(space: Space, Y: Array) -> Array:
    """Give k orthonormal rows that span those of Y down to its rounding.

    Gram matrices hide what is shorter than eps^(1/2) of the largest; in what is left of Y, without
    the rows that were found, it is large.  Fetches: 2, or 4 where something is left.
    """
    Q, rank = orthonormal_rows_and_rank(space, Y)
    if rank == Y.shape[0]:
        return Q

    def without(rows: Array) -> Array:
        return rows - (rows @ Q.T) @ Q

    with quiet():  # Y need not be finite
        rest = without(orthonormal_rows(space, without(without(Y))))
    return space.xp.concat([Q[:rank, :], rest[: Y.shape[0] - rank, :]])


def left_out(R: np.ndarray, eps: float) -> np.ndarray:
    """Give in column i the unit s_i with Q s_i orthogonal to all y_j but y_i.

    Q (I - s_i s_i') spans the sketch without its i-th vector.  The columns of R^-T are multiples of
    the s_i; where R is singular up to rounding the others span the same, and s_i = 0.

    References
    ----------
    Epperly, Tropp & Webber (2024), SIAM J. Matrix Anal. Appl. 45, section 3.2 (downdating).

    Examples
    --------
    >>> import numpy as np
    >>> from hessx.operators._sketched import left_out
    >>> left_out(np.array([[2.0, 2.0], [0.0, 1.0]]), 2.0**-52).round(4) + 0.0
    array([[ 0.4472,  0.    ],
           [-0.8944,  1.    ]])
    """
    sigma = np.linalg.svd(R, compute_uv=False)
    if sigma[-1] <= len(R) * eps * sigma[0]:
        return np.zeros_like(R)
    S = np.linalg.inv(R / sigma[0]).T
    units: np.ndarray = S / np.sqrt(np.sum(S * S, axis=0))
    return units
