"""A multiple of the identity and a low rank of rows, as linear operators."""

from __future__ import annotations

from typing import Any

import numpy as np

from hessx._xp import Array, Rows, Space, converted, upload
from hessx.core import Frame, packed, saved
from hessx.hessians._compact import CompactForm
from hessx.hessians._pair_rows import PAIRS
from hessx.hessians._size import check_size
from hessx.operators import LinearOperator

__all__ = ["PairsOperator", "RowsOperator"]


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

    def times(self, z: Array, *, transposed: bool = False) -> Array:
        """Apply to a vector of z; no fetch."""
        out = z * self.multiple
        if self.count:
            products = [self.rows.products_with(*piece, z) for piece in self.pieces]
            B_z = products[0] if len(products) == 1 else self.space.xp.concat(products)
            M = self._coefficients()
            out = out + self._combined(B_z @ M if transposed else M @ B_z)
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

    def matvec(self, v: Array) -> Array:
        """Apply to a vector, a stack of vectors, or an array of the shape of x; no fetch.

        Parameters
        ----------
        v : array, shape (n,), (..., n) or that of x
            Of x's library, dtype and device; on NumPy lists, integers, other floats and a column
            (n, 1) are taken too, as by SciPy's operators.

        Returns
        -------
        array
            The product, with the shape of v.
        """
        space, v = self.space, converted(self.space, v)
        if space.kind == "numpy" and np.shape(v) == (space.n, 1) != space.shape and space.n > 1:
            return self.matvec(v[:, 0])[:, None]
        if len(space.shape) > 1 and space.mismatch(v) is None and tuple(v.shape) == space.shape:
            return space.shaped(self._apply(space.flat(v)))
        return super().matvec(v)

    def matmat(self, X: Array) -> Array:
        """Apply to the columns of X, which on NumPy may be what `matvec` takes."""
        return super().matmat(converted(self.space, X))

    def dense(self, like: Array | None = None) -> Array:
        """The matrix, by one product of its factors; refused beyond 2^32 bytes.

        Raises
        ------
        SettingsError
            It would be larger.
        """
        self._place(like)
        check_size(self.space, "dense()", "products, or compact(): a diagonal and few rows")
        space, form = self.space, self.compact()
        eye = space.xp.eye(space.n, dtype=space.dtype, device=space.device)
        M = eye * form.diagonal
        if not self.count:
            return M
        return M + form.factors.T @ (upload(space, form.middle) @ form.factors)

    def compact(self, products: np.ndarray | None = None) -> CompactForm:
        """Give it as a diagonal and few rows, copies; no fetch.

        Parameters
        ----------
        products : NumPy array, optional
            Of the s of all slots and then their y, shape (2k, 2k), where they are known.
        """
        space, scale = self.space, self.frame.scale
        d: float | Array = self.multiple
        pairs = [i for i in self._rows if i >= PAIRS]
        if not self.count:
            U, C = space.zeros((0, space.n)), np.zeros((0, 0))
        else:
            U = space.xp.stack([self.rows[i] for i in pairs])
            C = self._by_rows(self.middle(), pairs)
        if scale is not None:
            s, products = scale if self.inverse else 1.0 / scale, None
            d, U = s * s * d, U * s
        known = None if products is None else self._by_rows(products, pairs)
        return CompactForm(d, U, C, known)

    def __reduce__(self) -> Any:
        return packed(self, self.space)

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
            self._middle = upload(self.space, self._by_rows(self.middle(), self._rows))
        return self._middle

    def _by_rows(self, M: np.ndarray, rows: list[int]) -> np.ndarray:
        """Turn a matrix of the s of all slots and then their y into one of rows of the buffer."""
        k = len(M) // 2
        order = np.concatenate([PAIRS + 2 * np.arange(k), PAIRS + 1 + 2 * np.arange(k)])
        last = max(PAIRS + 2 * k, max(rows) + 1)
        by_row = np.zeros((last, last))
        by_row[np.ix_(order, order)] = M
        return by_row[np.ix_(rows, rows)]


@saved(host=("form",), arguments=("frame", "rows", "pieces", "form", "count", "inverse"))
class PairsOperator(RowsOperator):
    """A matrix on pairs whose M is known.

    Parameters
    ----------
    form : tuple of float and NumPy array
        The multiple of I, and M.
    """

    def __init__(
        self,
        frame: Frame,
        rows: Rows,
        pieces: list[tuple[int, int]],
        form: tuple[float, np.ndarray],
        count: int,
        inverse: bool,
    ) -> None:
        super().__init__(frame, rows, pieces, form[0], count, inverse=inverse)
        self.form = form

    def middle(self) -> np.ndarray:
        """M, as it was given."""
        return self.form[1]
