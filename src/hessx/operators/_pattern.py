"""Where a sparse matrix may have entries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hessx.core import check_integer, saved
from hessx.operators._pattern_forms import coordinates, integers_for, rows_of, taken_shape

__all__ = ["Pattern"]


@saved(host=("indptr", "indices"))
@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    r"""Where an (m, n) matrix may have entries, row by row: the structure of CSR, without values.

    Row i has entries in the columns ``indices[indptr[i]:indptr[i + 1]]``.

    Parameters
    ----------
    shape : tuple of int
        (m, n), each >= 1.
    indptr : NumPy array, shape (m + 1,)
        Of integers, from 0 to nnz, ascending.
    indices : NumPy array, shape (nnz,)
        Columns, in [0, n), ascending in each row.

    Attributes
    ----------
    nnz : int
        Number of entries.
    symmetric : bool
        Entry (j, i) is there for each entry (i, j).

    Raises
    ------
    TypeError, ValueError
        Something else.

    Notes
    -----
    All of it lives on the host, 32 bits a number where they suffice: 4 (nnz + m) bytes.  Patterns
    are equal where they have the same entries.

    Examples
    --------
    >>> import hessx
    >>> pattern = hessx.Pattern.banded(1000, 1)
    >>> pattern
    Pattern((1000, 1000), nnz=2998)
    >>> pattern.symmetric, pattern == hessx.Pattern.of(lambda i: [i - 1, i, i + 1], 1000)
    (True, True)
    """

    shape: tuple[int, int]
    indptr: Any
    indices: Any

    def __post_init__(self) -> None:
        shape = m, n = taken_shape(self.shape)
        indptr, indices = np.asarray(self.indptr), np.asarray(self.indices)
        for name, a in (("indptr", indptr), ("indices", indices)):
            if a.dtype.kind not in "iu" or a.ndim != 1:
                msg = f"{name} has dtype {a.dtype} and shape {a.shape}: expected integers, one axis"
                raise TypeError(msg)
        nnz = len(indices)
        steps = np.diff(indptr)
        if len(indptr) != m + 1 or indptr[0] != 0 or indptr[-1] != nnz or (steps < 0).any():
            msg = f"indptr: expected {m + 1} integers that ascend from 0 to {nnz}, the rows' ends"
            raise ValueError(msg)
        if nnz and (indices.min() < 0 or indices.max() >= n):
            msg = f"indices lie in [{indices.min()}, {indices.max()}]: expected [0, {n})"
            raise ValueError(msg)
        rising = np.diff(indices) > 0
        first = indptr[1:-1]  # of each row
        rising[first[(first > 0) & (first < nnz)] - 1] = True
        if not rising.all():
            msg = "indices: expected columns that ascend in each row; Pattern.of sorts them"
            raise ValueError(msg)
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "indptr", _frozen(indptr, nnz))
        object.__setattr__(self, "indices", _frozen(indices, max(m, n)))

    @classmethod
    def of(cls, given: Any, shape: int | tuple[int, int] | None = None) -> Pattern:
        """Take a pattern in any of its forms.

        Parameters
        ----------
        given : Pattern, sparse matrix, array, (rows, columns) or callable
            A pattern; what has one as ``pattern``, such as `PatternProbe`; what has ``tocoo``
            (scipy.sparse, cupyx.scipy.sparse), stored zeros count; a dense array of numbers or
            bools, of any library: where it is not zero; a tuple of two integer arrays of one
            length, entries may repeat; or a function that gives for i = arange(m), the rows, the
            columns that they reach: an integer array of shape (m,) or (m, w), or a list of arrays
            of shape (m,).  Columns of it outside of [0, n) are left
            out, so that a stencil needs no care at its ends.
        shape : int or tuple of int, optional
            (m, n), or n for (n, n); may be left out where ``given`` has one.

        Returns
        -------
        Pattern

        Raises
        ------
        TypeError, ValueError
            None of these; another shape than ``shape``; a row or column of a pair that is not in
            the matrix.

        Notes
        -----
        Cost: a sort of the entries.

        Examples
        --------
        The 5-point stencil on a grid of N by N:

        >>> import hessx, numpy as np
        >>> N = 3
        >>> def neighbours(i):
        ...     row, column = np.divmod(i, N)
        ...     left, right = np.where(column > 0, i - 1, -1), np.where(column < N - 1, i + 1, -1)
        ...     return [i - N, left, i, right, i + N]
        >>> hessx.Pattern.of(neighbours, N * N).dense()[4].astype(int)
        array([0, 1, 0, 1, 1, 1, 0, 1, 0])
        """
        wanted = None if shape is None else taken_shape(shape)
        if hasattr(given, "pattern"):
            if given.pattern is None:
                msg = f"no pattern was found: {getattr(given, 'message', type(given).__name__)}"
                raise ValueError(msg)
            given = given.pattern
        if isinstance(given, Pattern):
            if wanted not in (None, given.shape):
                msg = f"the pattern has shape {given.shape}: expected {wanted}"
                raise ValueError(msg)
            return given
        return cls._sorted(*coordinates(given, wanted))

    @classmethod
    def banded(cls, n: int, width: int) -> Pattern:
        """Entries with abs(i - j) <= width, of an (n, n) matrix; width >= 0."""
        n, width = check_integer("n", n, 1), check_integer("width", width, 0)
        width = min(width, n - 1)
        return cls.of(lambda i: i[:, None] + np.arange(-width, width + 1), n)

    @classmethod
    def block_diagonal(cls, sizes: Iterable[int]) -> Pattern:
        """Full square blocks along the diagonal, of the given sizes, each >= 1."""
        blocks = np.array([check_integer("a size", size, 1) for size in sizes], dtype=np.int64)
        if not len(blocks):
            msg = "sizes is empty: expected a size for each block"
            raise ValueError(msg)
        lengths = np.repeat(blocks, blocks)
        indptr = np.concatenate([[0], np.cumsum(lengths)])
        first = np.repeat(np.cumsum(blocks) - blocks, blocks)  # column of each row's block
        indices = np.arange(indptr[-1]) - np.repeat(indptr[:-1] - first, lengths)
        return cls((len(lengths), len(lengths)), indptr, indices)

    @classmethod
    def arrow(cls, n: int, width: int) -> Pattern:
        """Diagonal, and the first ``width`` rows and columns, of an (n, n) matrix; width >= 0."""
        n, width = check_integer("n", n, 1), check_integer("width", width, 0)
        width = min(width, n)
        tip, tail, i = np.arange(width), np.arange(width), np.arange(width, n)
        tip, tail = np.repeat(tip, n), np.tile(np.arange(n), width)
        down, across = np.repeat(i, width), np.tile(np.arange(width), n - width)
        rows, columns = np.concatenate([tip, down, i]), np.concatenate([tail, across, i])
        return cls._sorted((n, n), rows, columns)

    @classmethod
    def _sorted(cls, shape: tuple[int, int], rows: Any, columns: Any) -> Pattern:
        """Sort entries that are in the matrix, each taken once."""
        m, n = shape
        keys = np.sort(rows.astype(np.int64) * n + columns)
        keys = keys[np.append(True, np.diff(keys) > 0)[: len(keys)]]
        rows, columns = keys // n, keys % n
        indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=m))])
        return cls(shape, indptr, columns)

    @property
    def nnz(self) -> int:
        """Number of entries."""
        return len(self.indices)

    @property
    def rows(self) -> Any:
        """The row of each entry, a NumPy array of shape (nnz,), made anew."""
        return rows_of(self.indptr)

    @property
    def symmetric(self) -> bool:
        """Whether the pattern is that of its transpose; a sort of the entries."""
        return self.shape[0] == self.shape[1] and self == self.transposed()

    def mirror(self) -> Any:
        """Where the entries of the transpose are: entry e of A' is entry ``mirror()[e]`` of A."""
        return np.argsort(self.indices, kind="stable")

    def transposed(self) -> Pattern:
        """The pattern of A'."""
        m, n = self.shape
        indptr = np.concatenate([[0], np.cumsum(np.bincount(self.indices, minlength=n))])
        return Pattern((n, m), indptr, self.rows[self.mirror()])

    def symmetrised(self) -> Pattern:
        """The union with the transpose and the diagonal, of a square pattern.

        Raises
        ------
        ValueError
            The pattern is not square.
        """
        m, n = self.shape
        if m != n:
            msg = f"the pattern has shape {self.shape}: expected a square one"
            raise ValueError(msg)
        rows, i = self.rows, np.arange(n, dtype=self.indices.dtype)
        return Pattern._sorted(
            (n, n),
            np.concatenate([rows, self.indices, i]),
            np.concatenate([self.indices, rows, i]),
        )

    def dense(self) -> Any:
        """The pattern as a NumPy array of bools, shape (m, n)."""
        full = np.zeros(self.shape, dtype=bool)
        full[self.rows, self.indices] = True
        return full

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pattern):
            return NotImplemented
        same = self.shape == other.shape and self.nnz == other.nnz
        return same and all(
            np.array_equal(a, b)
            for a, b in ((self.indptr, other.indptr), (self.indices, other.indices))
        )

    def __hash__(self) -> int:
        return hash((self.shape, self.nnz))

    def __repr__(self) -> str:
        return f"Pattern({self.shape}, nnz={self.nnz})"


def _frozen(a: Any, largest: int) -> Any:
    """Give integers in as few bytes as hold ``largest``, not to be written to."""
    a = a.astype(integers_for(largest))
    a.flags.writeable = False
    return a
