"""Dense matrices."""

from __future__ import annotations

from hessx._xp import Array, Space, times
from hessx.operators._kinds import held
from hessx.operators._linear_operator import LinearOperator

__all__ = ["DenseOperator"]


class DenseOperator(LinearOperator):
    """A matrix A that is there as an array.

    Parameters
    ----------
    A : array, shape (m, n)
        Real floating; held, not copied.
    symmetric : bool
        A' = A, not checked (`check_symmetry` does).

    Raises
    ------
    TypeError, ValueError
        A is no such array.

    Notes
    -----
    Cost of a product: m n multiplications per vector; a stack is one product of matrices.

    Examples
    --------
    >>> import hessx, numpy as np
    >>> A = hessx.DenseOperator(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    >>> A @ np.array([1.0, -1.0])
    array([-1., -1., -1.])
    >>> A.T @ np.array([1.0, 0.0, 0.0])
    array([1., 2.])
    """

    def __init__(self, A: Array, symmetric: bool = False) -> None:
        self.A, space = held(A, "A", (None, None))
        m, n = self.A.shape
        if symmetric and m != n:
            msg = f"A has shape ({m}, {n}): a symmetric matrix is square"
            raise ValueError(msg)
        self._declare((m, n), space, symmetric=symmetric, rmatvec=True, diagonal=m == n)

    def _apply(self, v: Array) -> Array:
        return times(self.A, v)

    def _apply_transposed(self, u: Array) -> Array:
        return u @ self.A

    def _diagonal(self, space: Space) -> Array:
        return space.xp.reshape(self.A, (-1,))[:: self.shape[0] + 1]
