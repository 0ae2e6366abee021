"""A diagonal and a matrix of low rank, with its inverse by Woodbury's formula."""

from __future__ import annotations

import numpy as np

from hessx._xp import Array, Space, fetch, upload
from hessx.operators._diagonal import DiagonalOperator
from hessx.operators._kinds import held, joint_space
from hessx.operators._linear_operator import LinearOperator
from hessx.operators._low_rank import LowRankOperator

__all__ = ["LowRankPlusDiagonal"]


class LowRankPlusDiagonal(LinearOperator):
    r"""D + U' W U with D = diag(d), W = diag(w) and few rows in U.

    Parameters
    ----------
    d : array, shape (n,)
        Real floating; all arrays are held, not copied.
    U : array, shape (k, n)
        The vectors are its rows; they need not be orthonormal.
    w : array, shape (k,)
        Of any sign.

    Raises
    ------
    TypeError, ValueError
        No such arrays, or arrays of different libraries, dtypes or devices.

    Notes
    -----
    Cost of a product: 4 k n multiplications per vector, no fetch.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> B = hessx.LowRankPlusDiagonal(np.ones(3), np.array([[1.0, 2.0, 0.0]]), np.array([3.0]))
    >>> B @ np.ones(3)
    array([10., 19.,  1.])
    >>> B.inverse() @ (B @ np.ones(3))
    array([1., 1., 1.])
    """

    space: Space

    def __init__(self, d: Array, U: Array, w: Array) -> None:
        self.d, space = held(d, "d", (None,))
        n = self.d.shape[0]
        self.U, other = held(U, "U", (None, n))
        joint_space(space, other)
        self.w, other = held(w, "w", (self.U.shape[0],))
        joint_space(space, other)
        self._declare((n, n), space, symmetric=True, diagonal=True)

    def inverse(self, shift: float = 0.0) -> LinearOperator:
        r"""Give (D + shift I + U' W U)^-1 as such an operator.

        With E = (D + shift I)^-1, by the capacitance matrix of Sherman, Morrison and Woodbury:

            E - E U' (I + W U E U')^-1 W U E

        Parameters
        ----------
        shift : float
            Any number that leaves no entry of d + shift zero.

        Returns
        -------
        LinearOperator
            Whose products fetch nothing.  Where the matrix is singular to rounding, its entries
            are large, or not finite.

        Notes
        -----
        Cost: one fetch of k^2 + k numbers and one upload; k^3 operations on the host in float64.
        What it loses is eps times the condition of D + shift I and that of the capacitance.

        References
        ----------
        Hager (1989), Updating the inverse of a matrix, SIAM Rev. 31, eq. (2).
        """
        space, k = self.space, self.U.shape[0]
        e = 1.0 / (self.d + shift)
        E_U = self.U * e
        (G, w), (E_U,) = fetch(space, [space.xp.reshape(E_U @ self.U.T, (-1,)), self.w], [E_U])
        C = np.eye(k) + w[:, None] * G.reshape(k, k)
        try:
            middle = np.linalg.solve(C, np.diag(w))
        except np.linalg.LinAlgError:  # singular
            middle = np.full((k, k), np.inf)
        return DiagonalOperator(e) + LowRankOperator(
            E_U.T, upload(space, -0.5 * (middle + middle.T))
        )

    def _apply(self, v: Array) -> Array:
        return v * self.d + ((v @ self.U.T) * self.w) @ self.U

    def _diagonal(self, space: Space) -> Array:  # noqa: ARG002
        return self.d + self.w @ (self.U * self.U)
