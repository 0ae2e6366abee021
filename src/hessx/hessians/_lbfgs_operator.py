"""The L-BFGS inverse as a linear operator."""

from __future__ import annotations

from typing import Any

import numpy as np

from hessx._xp import Array, Rows, Space, converted, to_host, upload
from hessx.core import Frame, packed, saved
from hessx.hessians._gram import Gram
from hessx.hessians._pair_rows import PAIRS
from hessx.operators import LinearOperator

__all__ = ["LBFGSInverse"]


@saved(arguments=("frame", "rows", "pieces", "gram", "gamma", "layout"))
class LBFGSInverse(LinearOperator):
    r"""A v = gamma v + B'(M (B v)) for the pairs B = [S; Y] of an L-BFGS run.

    The (2k, 2k) matrix M is formed on the host in float64 and uploaded once, when first needed:
    an apply reads nothing back to the host.  The run makes it: ``result.hess_inv``.  It takes part
    in sums and products, as every `LinearOperator` does.

    Attributes
    ----------
    shape : tuple of int
        (n, n).
    dtype : object
        Of x.
    count : int
        Pairs held.

    Raises
    ------
    TypeError, ValueError
        On application to a vector of another library, dtype or device, or of another size than x.

    Notes
    -----
    Cost of an apply: two products with the rows of the k pairs, for each vector of a stack; of the
    diagonal, 2 k products with them.  The rows are those of the run, not copies: they live as long
    as the operator, which does not write to them.

    References
    ----------
    Byrd, Nocedal & Schnabel (1994), Representations of quasi-Newton matrices and their use in
    limited memory methods, Math. Program. 63, Theorem 2.2.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> result = hessx.minimize(lambda x: x @ x, np.ones(3), jac=lambda x: 2 * x, method="lbfgs")
    >>> (result.hess_inv @ np.ones(3)).round(6)
    array([0.5, 0.5, 0.5])
    """

    space: Space

    def __init__(
        self,
        frame: Frame,
        rows: Rows,
        pieces: list[tuple[int, int]],
        gram: Gram,
        gamma: float,
        layout: tuple[int, int, int],
    ) -> None:
        space = frame.space
        self.frame, self.space, self.rows, self.pieces = frame, space, rows, pieces
        self.gram, self.gamma, self.layout, self.count = gram, gamma, layout, gram.count
        self._declare((space.n, space.n), space, symmetric=True, diagonal=True)
        self.dtype = space.dtype
        self._middle: Array = None

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
            A v, with the shape of v.
        """
        space, v = self.space, converted(self.space, v)
        if space.kind == "numpy" and np.shape(v) == (space.n, 1) != space.shape and space.n > 1:
            return self.matvec(v[:, 0])[:, None]
        if len(space.shape) > 1 and space.mismatch(v) is None and tuple(v.shape) == space.shape:
            return space.shaped(self._apply(space.flat(v)))
        return super().matvec(v)

    def matmat(self, X: Array) -> Array:
        """A X for the columns of X, which on NumPy may be what `matvec` takes."""
        return super().matmat(converted(self.space, X))

    def _apply(self, v: Array) -> Array:
        return self._each(self._apply_to_one, v, self.space.n)

    def _apply_to_one(self, v: Array) -> Array:
        z = self.frame.pull(v)
        out = z * self.gamma
        if self.count:
            products = [self.rows.products_with(*piece, z) for piece in self.pieces]
            B_z = products[0] if len(products) == 1 else self.space.xp.concat(products)
            out = out + self._combined(self._coefficients() @ B_z)
        return self.frame.push(out)

    def _diagonal(self, space: Space) -> Array:
        """Gamma + diag(B'M B), by the rows of B."""
        d = space.zeros(space.n) + self.gamma
        if self.count:
            middle = self._coefficients()
            for at, i in enumerate(self._rows):
                if i >= PAIRS:
                    d = d + self._combined(middle[at, ...]) * self.rows[i]
        return self.frame.diagonal(d)

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
            k = len(self.gram.diagonal)
            order = np.concatenate([PAIRS + 2 * np.arange(k), PAIRS + 1 + 2 * np.arange(k)])
            by_row = np.zeros((PAIRS + 2 * k, PAIRS + 2 * k))
            by_row[np.ix_(order, order)] = self.gram.middle(self.gamma)
            self._middle = upload(self.space, by_row[np.ix_(self._rows, self._rows)])
        return self._middle

    def __reduce__(self) -> Any:
        return packed(self, self.space)

    def __repr__(self) -> str:
        return f"<L-BFGS inverse of shape {self.shape}, {self.count} pairs>"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        """Convert to a dense NumPy array, new each time."""
        if copy is False:
            msg = "the matrix is formed anew each time: copy=False cannot be had"
            raise ValueError(msg)
        return self.todense().astype(dtype or np.float64)
