"""Factors of a sparse symmetric matrix, by SuperLU, where a library can solve with them."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from hessx._xp._namespace import Array, Space

__all__ = ["SparseFactor", "has_sparse_factors"]


def has_sparse_factors(space: Space) -> bool:
    """Whether `SparseFactor` works here: on NumPy and CuPy arrays, with SciPy installed."""
    return space.kind in ("numpy", "cupy") and _can_factorise(space.kind)


@cache
def _can_factorise(kind: str) -> bool:
    if find_spec("scipy") is None:
        return False
    try:
        if kind == "cupy":
            import cupyx.cusparse  # what its solves are made with: may be missing
            import cupyx.scipy.sparse.linalg  # noqa: F401
    except ImportError:
        return False
    return True


class SparseFactor:
    r"""B = L U of a sparse symmetric matrix with pivots from the diagonal, made on the host.

    U = D L' then, and the signs of the pivots are those of the eigenvalues (Sylvester).

    Parameters
    ----------
    space : Space
        Of the vectors to solve for.
    indptr, indices : NumPy arrays of integers
        Of the rows of B, each sorted.
    entries : NumPy array, float64
        Those of B, finite, in this order.

    Attributes
    ----------
    pivots : NumPy array, shape (n,), or None
        D; None where a pivot of the diagonal is zero: B is not positive definite.

    Notes
    -----
    Cost: one factorisation in float64 on the host, with columns in the order of minimum degree; a
    solve goes through both factors, on the device on CuPy.  SuperLU's object cannot be copied or
    pickled: a copy shares it, and a pickled one is factorised again.

    References
    ----------
    Li (2005), An overview of SuperLU, ACM Trans. Math. Softw. 31; its symmetric mode is meant for
    matrices whose diagonal is large, and here for those that are to be found positive definite.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import SparseFactor, space_of
    >>> v = np.array([1.0, 3.0])
    >>> B = SparseFactor(space_of(v), np.array([0, 2, 4]), np.array([0, 1, 0, 1]),
    ...                  np.array([2.0, 1.0, 1.0, 2.0]))
    >>> B.pivots, B.solve(v).round(12) + 0.0
    (array([2. , 1.5]), array([-0.33333333,  1.66666667]))
    """

    __slots__ = ("_factors", "pivots", "space", "structure")

    def __init__(
        self, space: Space, indptr: np.ndarray, indices: np.ndarray, entries: np.ndarray
    ) -> None:
        from scipy.sparse import csc_matrix
        from scipy.sparse.linalg import splu

        self.space, self.structure = space, (indptr, indices, entries)
        self.pivots: np.ndarray | None = None
        self._factors: Any = None
        columns = csc_matrix((entries, indices, indptr), shape=(space.n, space.n))
        try:
            factors = splu(
                columns,
                permc_spec="MMD_AT_PLUS_A",
                diag_pivot_thresh=0.0,
                options={"SymmetricMode": True},
            )
        except RuntimeError:  # exactly singular
            return
        if (factors.perm_r == factors.perm_c).all():
            self.pivots, self._factors = factors.U.diagonal(), factors

    def solve(self, v: Array) -> Array:
        """B^-1 v, of one vector or of each of a stack; no fetch."""
        if self.space.kind == "cupy":
            return self._solve_on_cupy(v)
        solution = self._factors.solve(v.T.astype(np.float64, copy=False))
        return solution.T.astype(self.space.host_dtype, copy=False)

    def _solve_on_cupy(self, v: Array) -> Array:
        from cupyx.scipy.sparse.linalg import SuperLU

        if not isinstance(self._factors, SuperLU):
            self._factors = SuperLU(self._factors)  # moves L and U to the device
        solution = self._factors.solve(v.T.astype(np.float64))
        return solution.T.astype(self.space.dtype)

    def __deepcopy__(self, memo: dict[int, Any]) -> SparseFactor:
        """Share: nothing is written."""
        return self

    def __reduce__(self) -> Any:
        """Be factorised again."""
        return SparseFactor, (self.space, *self.structure)
