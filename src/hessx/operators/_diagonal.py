"""Identity and diagonal matrices."""

from __future__ import annotations

from hessx._xp import Array, Space
from hessx.core import check_integer
from hessx.operators._kinds import held
from hessx.operators._linear_operator import LinearOperator

__all__ = ["DiagonalOperator", "IdentityOperator"]


class IdentityOperator(LinearOperator):
    """I, on vectors of any library.

    Parameters
    ----------
    n : int
        Size, >= 1.

    Raises
    ------
    SettingsError
        n is no such integer.

    Notes
    -----
    Cost of a product: a copy of the vector.

    Examples
    --------
    >>> import hessx, numpy as np
    >>> (2.0 * hessx.IdentityOperator(2)) @ np.array([3.0, 4.0])
    array([6., 8.])
    """

    def __init__(self, n: int) -> None:
        n = check_integer("n", n, 1)
        self._declare((n, n), None, symmetric=True, diagonal=True)

    def _apply(self, v: Array) -> Array:
        return v * 1.0

    def _diagonal(self, space: Space) -> Array:
        return space.xp.ones(self.shape[0], dtype=space.dtype, device=space.device)


class DiagonalOperator(LinearOperator):
    """diag(d).

    Parameters
    ----------
    d : array, shape (n,)
        Real floating; held, not copied.

    Raises
    ------
    TypeError, ValueError
        d is no such array.

    Notes
    -----
    Cost of a product: one multiplication per entry.

    Examples
    --------
    >>> import hessx, numpy as np
    >>> hessx.DiagonalOperator(np.array([1.0, 10.0])) @ np.array([3.0, 4.0])
    array([ 3., 40.])
    """

    def __init__(self, d: Array) -> None:
        self.d, space = held(d, "d", (None,))
        self._declare((space.n, space.n), space, symmetric=True, diagonal=True)

    def _apply(self, v: Array) -> Array:
        return v * self.d

    def _diagonal(self, space: Space) -> Array:  # noqa: ARG002
        return self.d
