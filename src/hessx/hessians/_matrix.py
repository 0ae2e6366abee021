"""A dense approximation as the operator that a result hands out."""

from __future__ import annotations

from typing import Any

import numpy as np

from hessx._xp import Array, converted, to_host
from hessx.operators import DenseOperator

__all__ = ["MatrixOperator"]


class MatrixOperator(DenseOperator):
    """A symmetric matrix that takes vectors, and becomes an array, as L-BFGS's `hess_inv` does.

    Parameters
    ----------
    A : array, shape (n, n)
        Held, not copied.
    """

    def __init__(self, A: Array) -> None:
        super().__init__(A, symmetric=True)

    def matvec(self, v: Array) -> Array:
        """A v; on NumPy lists, integers and other floats are taken too."""
        return super().matvec(converted(self.space, v))  # type: ignore[arg-type]

    def matmat(self, X: Array) -> Array:
        """A X for the columns of X, which on NumPy may be what `matvec` takes."""
        return super().matmat(converted(self.space, X))  # type: ignore[arg-type]

    def todense(self) -> Any:
        """Give the matrix as a NumPy array, a copy."""
        return to_host(self.A)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        """Convert to a NumPy array, new each time."""
        if copy is False:
            msg = "the matrix is copied each time: copy=False cannot be had"
            raise ValueError(msg)
        return self.todense().astype(dtype or np.float64)
