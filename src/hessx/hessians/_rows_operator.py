"""A multiple of the identity and a low rank of rows, as a linear operator."""

from __future__ import annotations

from typing import Any

import numpy as np

from hessx._xp import Array, Rows, Space, to_host, upload
from hessx.core import Frame
from hessx.hessians._pair_rows import PAIRS
from hessx.operators import LinearOperator

__all__ = ["RowsOperator"]


class RowsOperator(LinearOperator):
    r"""v -> multiple v + B'(M (B v)) in z, for the pairs B = [S; Y] of an L-BFGS buffer.

    The (2k, 2k) matrix M is formed on the host in float64 and uploaded once, when first needed:
    an apply reads nothing back to the host.

    Parameters
    ----------
    frame : Frame
        Of z; the operator is one of x.
    rows, pieces : Rows, list of tuple
        Where the pairs stand: ranges of rows, gradients perhaps among them.
    multiple : float
        Of the identity.
    count : int
        Pairs held.
    inverse : bool
        Whether it is near the inverse Hessian: then x = scale z makes it scale M scale.
    """

    space: Space

    def __init__(
        self,
        frame: Frame,
        rows: Rows,
        pieces: list[tuple[int, int]],
        multiple: float,
        count: int,
        *,
        inverse: bool,
    ) -> None:
        space = frame.space
        self.frame, self.space, self.rows, self.pieces = frame, space, rows, pieces
        self.multiple, self.count, self.inverse = multiple, count, inverse
        self._declare((space.n, space.n), space, symmetric=True, diagonal=True)
        self.dtype = space.dtype
        self._middle: Array = None

    def middle(self) -> np.ndarray:
        """M, of the s of all slots and then their y, shape (2k, 2k)."""
        raise NotImplementedError

    def times(self, z: Array) -> Array:
        """Apply to a vector of z; no fetch."""
        out = z * self.multiple
        if self.count:
            products = [self.rows.products_with(*piece, z) for piece in self.pieces]
            B_z = products[0] if len(products) == 1 else self.space.xp.concat(products)
            out = out + self._combined(self._coefficients() @ B_z)
        return out

    def _apply(self, v: Array) -> Array:
        return self._each(self._apply_to_one, v, self.space.n)

    def _apply_to_one(self, v: Array) -> Array:
        if self.inverse:
            return self.frame.push(self.times(self.frame.pull(v)))
        return self.frame.gradient(self.times(self.frame.gradient(v)))

    def _diagonal(self, space: Space) -> Array:
        """Multiple + diag(B'M B), by the rows of B."""
        d = space.zeros(space.n) + self.multiple
        if self.count:
            middle = self._coefficients()
            for at, i in enumerate(self._rows):
                if i >= PAIRS:
                    d = d + self._combined(middle[at, ...]) * self.rows[i]
        if self.inverse:
            return self.frame.diagonal(d)
        return self.frame.gradient(self.frame.gradient(d))

    def todense(self) -> Any:
        """Give the matrix as a NumPy array; n applies, for tests and small n."""
        return to_host(self.dense())

    @property
    def _rows(self) -> list[int]:
        return [i for piece in self.pieces for i in range(*piece)]

    def _combined(self, c: Array) -> Array:
        """Sum the rows of all pieces with their coefficients."""
        end, parts = 0, []
        for first, last in self.pieces:
            begin, end = end, end + last - first
            piece = c if len(self.pieces) == 1 else c[begin:end]
            parts.append(self.rows.combine_on_device(first, piece))
        return parts[0] if len(parts) == 1 else parts[0] + parts[1]

    def _coefficients(self) -> Array:
        """Arrange M by the rows of the pieces, with zeros for gradients; one upload."""
        if self._middle is None:
            M = self.middle()
            k = len(M) // 2
            order = np.concatenate([PAIRS + 2 * np.arange(k), PAIRS + 1 + 2 * np.arange(k)])
            by_row = np.zeros((PAIRS + 2 * k, PAIRS + 2 * k))
            by_row[np.ix_(order, order)] = M
            self._middle = upload(self.space, by_row[np.ix_(self._rows, self._rows)])
        return self._middle
