"""Sketches A Omega', their range, and the range without each of the random vectors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hessx._xp import Array, Space
from hessx.operators._linear_operator import LinearOperator
from hessx.operators._orthonormal import orthonormal_rows

__all__ = ["Sketched", "left_out", "sketch"]


class Sketched(NamedTuple):
    """The range of a sketch, vectors as rows.

    Attributes
    ----------
    Q : array, shape (r, n)
        An orthonormal basis of what A makes of k random vectors, r <= k.
    Z : array, shape (r, n)
        A Q.
    R : array, shape (r, k)
        Coordinates: R_ji = q_j'y_i.
    """

    Q: Array
    Z: Array
    R: Array


def sketch(space: Space, A: LinearOperator, omega: Array) -> Sketched:
    """Multiply k random vectors, and a basis of what comes out: 2 k products."""
    Y = A.matvec(omega)
    Q = orthonormal_rows(space, Y)
    return Sketched(Q, A.matvec(Q), Q @ Y.T)


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
    r, k = R.shape
    sigma = np.linalg.svd(R, compute_uv=False)
    if r < k or sigma[-1] <= k * eps * sigma[0]:
        return np.zeros_like(R)
    S = np.linalg.inv(R).T
    units: np.ndarray = S / np.sqrt(np.sum(S * S, axis=0))
    return units
