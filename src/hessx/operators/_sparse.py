"""Sparse matrices with entries on any array library."""

from __future__ import annotations

from typing import Any

import numpy as np

from hessx._xp import (
    Array,
    Space,
    in_chunks,
    make_sparse_product,
    place_indices,
    scipy_matrix,
    taken,
    upload_integers,
)
from hessx.operators._kinds import as_space, check_kind
from hessx.operators._linear_operator import LinearOperator
from hessx.operators._pattern import Pattern

__all__ = ["SparseOperator", "SparsePlaces"]


class SparsePlaces:
    """A pattern at work on a device: what products with its matrices need of it.

    Parameters
    ----------
    space : Space
        Library, device and dtype of the values.
    pattern : Pattern
        Of the matrices.

    Notes
    -----
    The structure is moved where it is first needed, that of the transpose apart, and held.
    """

    __slots__ = ("_diagonal", "_forward", "_transposed", "pattern", "space")

    def __init__(self, space: Space | Array, pattern: Pattern) -> None:
        space = as_space(space)
        self.space, self.pattern = space, pattern
        self._forward: Any = None
        self._transposed: Any = None
        self._diagonal: Any = None

    def product(self, values: Array) -> Any:
        """Give v -> A v for the matrix of these values."""
        if self._forward is None:
            self._forward = self._made(self.pattern)
        return self._forward(values)

    def transposed_product(self, values: Array) -> Any:
        """Give u -> A'u for the matrix of these values."""
        if self._transposed is None:
            places = place_indices(self.space, self.pattern.mirror())
            self._transposed = places, self._made(self.pattern.transposed())
        places, product = self._transposed
        return product(taken(self.space, values, places))

    def diagonal(self, values: Array) -> Array:
        """Take the diagonal of a square matrix out of its values."""
        space, xp = self.space, self.space.xp
        if self._diagonal is None:
            pattern, places = self.pattern, np.full(self.pattern.shape[0], -1, dtype=np.int64)
            entries = np.flatnonzero(pattern.rows == pattern.indices)
            places[pattern.indices[entries]] = entries
            there = places >= 0
            held = None if there.all() else upload_integers(space, there)
            self._diagonal = place_indices(space, np.maximum(places, 0)), held
        places, there = self._diagonal
        if not self.pattern.nnz:
            return space.zeros((self.pattern.shape[0],))
        d = taken(space, values, places)
        return d if there is None else xp.where(there, d, space.zeros(()))

    def _made(self, pattern: Pattern) -> Any:
        return make_sparse_product(self.space, pattern.shape, pattern.indptr, pattern.indices)


class SparseOperator(LinearOperator):
    """An (m, n) matrix with entries where a pattern says.

    Parameters
    ----------
    space : Space or array
        Library, device and dtype of the values; an array says which.
    pattern : Pattern or SparsePlaces
        Of shape (m, n).  What matrices of one pattern share is moved once with `SparsePlaces`.
    values : array, shape (nnz,)
        In the order of the pattern, row by row; held, not copied.
    symmetric : bool
        A' = A, not checked: products with A' are those with A.

    Attributes
    ----------
    pattern : Pattern
        Where the entries are.
    values : array, shape (nnz,)
        The entries.

    Raises
    ------
    TypeError, ValueError
        The values are not as many, or of another library, dtype or device; a symmetric matrix
        that is not square.

    Notes
    -----
    Cost of a product: nnz multiplications per vector, no fetch.  NumPy arrays are multiplied by
    scipy.sparse where it is installed, CuPy's by cupyx.scipy.sparse; elsewhere by functions of the
    array API standard, with rows cut into padded pieces: about 2 nnz numbers of memory.

    Examples
    --------
    >>> import hessx, numpy as np
    >>> from hessx.operators import SparseOperator
    >>> x = np.ones(3)
    >>> values = np.array([2.0, 1.0, 1.0, 2.0, 1.0, 1.0, 2.0])
    >>> A = SparseOperator(x, hessx.Pattern.banded(3, 1), values)
    >>> A @ x
    array([3., 4., 3.])
    >>> A.diagonal()
    array([2., 2., 2.])
    """

    def __init__(
        self,
        space: Space | Array,
        pattern: Pattern | SparsePlaces,
        values: Array,
        *,
        symmetric: bool = False,
    ) -> None:
        space = as_space(space)
        places = pattern if isinstance(pattern, SparsePlaces) else SparsePlaces(space, pattern)
        m, n = places.pattern.shape
        check_kind(space, values, "values has", "the space")
        if tuple(values.shape) != (places.pattern.nnz,):
            msg = f"values has shape {tuple(values.shape)}: expected ({places.pattern.nnz},)"
            raise ValueError(msg)
        if symmetric and m != n:
            msg = f"the pattern has shape ({m}, {n}): a symmetric matrix is square"
            raise ValueError(msg)
        self.pattern, self.values, self._places = places.pattern, values, places
        self._product: Any = None
        self._transposed_product: Any = None
        self._declare((m, n), space, symmetric=symmetric, rmatvec=True, diagonal=m == n)

    def _apply(self, v: Array) -> Array:
        if self._product is None:
            self._product = self._places.product(self.values)
        return in_chunks(self._places.space, self._product(v))

    def _apply_transposed(self, u: Array) -> Array:
        if self.symmetric:
            return self._apply(u)
        if self._transposed_product is None:
            self._transposed_product = self._places.transposed_product(self.values)
        return in_chunks(self._places.space, self._transposed_product(u))

    def _diagonal(self, space: Space) -> Array:  # noqa: ARG002
        return in_chunks(self._places.space, self._places.diagonal(self.values))

    def to_scipy_matrix(self) -> Any:
        """The matrix in CSR: of cupyx.scipy.sparse for CuPy's values, else of scipy.sparse.

        Returns
        -------
        scipy.sparse.csr_matrix or cupyx.scipy.sparse.csr_matrix

        Raises
        ------
        ModuleNotFoundError
            SciPy is not installed.

        Notes
        -----
        Cost: one wait for the values, where they are not NumPy's or CuPy's.
        """
        pattern, kind = self.pattern, self._places.space.kind
        return scipy_matrix(pattern.shape, self.values, pattern.indptr, pattern.indices, kind)
