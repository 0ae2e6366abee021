"""Matrices of low rank."""

from __future__ import annotations

from hessx._xp import Array, Space, times
from hessx.operators._kinds import held, joint_space
from hessx.operators._linear_operator import LinearOperator

__all__ = ["LowRankOperator"]


class LowRankOperator(LinearOperator):
    """U C V', of rank k at most.

    Parameters
    ----------
    U : array, shape (m, k)
        Real floating; all arrays are held, not copied.
    C : array, shape (k, k) or (k,), optional
        The middle matrix, or its diagonal; I by default.  Symmetric where V is not given.
    V : array, shape (n, k), optional
        U by default; the operator is then symmetric.

    Raises
    ------
    TypeError, ValueError
        No such arrays, or arrays of different libraries, dtypes or devices.

    Notes
    -----
    Cost of a product: (m + n + k) k multiplications per vector, never the (m, n) matrix.

    Examples
    --------
    >>> import hessx, numpy as np
    >>> U = np.array([[1.0], [2.0], [0.0]])
    >>> (hessx.LowRankOperator(U, np.array([3.0])).shift(1.0)) @ np.ones(3)
    array([10., 19.,  1.])
    """

    def __init__(self, U: Array, C: Array | None = None, V: Array | None = None) -> None:
        self.U, space = held(U, "U", (None, None))
        m, k = self.U.shape
        self.V, other = (self.U, space) if V is None else held(V, "V", (None, k))
        joint_space(space, other)
        self.C = None
        if C is not None:
            as_diagonal = getattr(C, "ndim", 0) == 1
            self.C, other = held(C, "C", (k,) if as_diagonal else (k, k))
            joint_space(space, other)
        n = self.V.shape[0]
        self._declare((m, n), space, symmetric=V is None, rmatvec=True, diagonal=m == n)

    def _apply(self, v: Array) -> Array:
        w = v @ self.V
        if self.C is not None:
            w = w * self.C if self.C.ndim == 1 else times(self.C, w)
        return times(self.U, w)

    def _apply_transposed(self, u: Array) -> Array:
        w = u @ self.U
        if self.C is not None:
            w = w * self.C if self.C.ndim == 1 else w @ self.C
        return times(self.V, w)

    def _diagonal(self, space: Space) -> Array:
        left = self.U
        if self.C is not None:
            left = left * self.C if self.C.ndim == 1 else left @ self.C
        return space.xp.sum(left * self.V, axis=-1)
