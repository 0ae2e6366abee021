"""Products with a sparse matrix in rows, in the form that suits each library."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from hessx._xp._fetch import to_host, upload_integers
from hessx._xp._namespace import Array, Space

__all__ = [
    "PaddedRows",
    "SparseProduct",
    "in_chunks",
    "make_sparse_product",
    "place_indices",
    "scipy_matrix",
    "taken",
]

SparseProduct = Callable[[Array], Any]  # values (nnz,) -> a function of vectors, (..., n)


def place_indices(space: Space, host: np.ndarray) -> Any:
    """Move places to take entries from to the device; dask takes those of the host."""
    largest = host.max(initial=0)
    host = host.astype(np.int32 if largest <= np.iinfo(np.int32).max else np.int64)
    return host if space.lazy else upload_integers(space, host)


def in_chunks(space: Space, a: Array) -> Array:
    """Give an array that is a vector of R^n in the chunks of x, on dask; others as they are."""
    return a.rechunk(space.chunks) if space.chunks is not None and a.shape == (space.n,) else a


def taken(space: Space, a: Array, places: Any) -> Array:
    """Give the entries of the last axis at the given places."""
    return space.xp.take(a, places, axis=-1)


@cache
def _compiled(kind: str) -> Any:
    """Find a module of sparse matrices for the library's arrays, if there is one."""
    try:
        if kind == "numpy":
            import scipy.sparse

            return scipy.sparse
        if kind == "cupy":
            import cupyx.cusparse  # what the products are made with: may be missing
            import cupyx.scipy.sparse

            return cupyx.scipy.sparse
    except ImportError:
        pass
    return None


def make_sparse_product(
    space: Space, shape: tuple[int, int], indptr: np.ndarray, indices: np.ndarray
) -> SparseProduct:
    """Prepare products with (m, n) matrices of one structure.

    Parameters
    ----------
    space : Space
        Of the values.
    shape : tuple of int
        (m, n).
    indptr, indices : NumPy array
        Of CSR, on the host.

    Returns
    -------
    callable
        values, shape (nnz,) -> v, shape (..., n) -> A v, shape (..., m).

    Notes
    -----
    Moves the structure once.  By SciPy or CuPy where they are, else by `PaddedRows`.
    """
    sparse = _compiled(space.kind)
    if sparse is None:
        return PaddedRows(space, indptr, indices)
    places = [upload_integers(space, a) for a in (indices, indptr)]

    def matrix(values: Array) -> Any:
        A = sparse.csr_matrix((values, *places), shape=shape)
        A.has_canonical_format = True  # CuPy would ask the device, and wait
        return lambda v: A @ v if v.ndim == 1 else _by_columns(space, A, v)

    return matrix


def _by_columns(space: Space, A: Any, V: Array) -> Array:
    """Multiply the vectors of a stack, its rows."""
    rows = space.xp.reshape(V, (-1, V.shape[-1]))
    return space.xp.reshape((A @ rows.T).T, (*V.shape[:-1], A.shape[0]))


def scipy_matrix(
    shape: tuple[int, int], values: Array, indptr: np.ndarray, indices: np.ndarray, kind: str
) -> Any:
    """Make a sparse matrix of CuPy's for its arrays, else of SciPy's; that may wait, once."""
    sparse = _compiled("cupy" if kind == "cupy" else "numpy")
    if sparse is None:
        msg = "a sparse matrix of SciPy's needs SciPy: pip install 'hessx[scipy]'"
        raise ModuleNotFoundError(msg)
    if kind != "cupy":
        return sparse.csr_matrix((np.array(to_host(values)), indices, indptr), shape=shape)
    import cupy

    places = cupy.asarray(indices), cupy.asarray(indptr)
    return sparse.csr_matrix((values, *places), shape=shape)


class PaddedRows:
    r"""Products by functions of the standard alone.

    Rows are cut into pieces of ``width`` entries, the last padded; the sums of the pieces of a row
    are a shorter row, which is summed in the same way until one number is left.

    Parameters
    ----------
    space, indptr, indices
        As for `make_sparse_product`.
    """

    __slots__ = ("columns", "filled", "last", "levels", "places", "shape", "space")

    def __init__(self, space: Space, indptr: np.ndarray, indices: np.ndarray) -> None:
        self.space, place = space, partial(place_indices, space)
        lengths = np.diff(indptr).astype(np.int64)
        width = _best_width(lengths)
        entries, filled = _pieces(lengths, width)
        padded = np.zeros(1, indices.dtype) if len(indices) == 0 else indices
        self.columns = place(padded[entries].reshape(-1))
        self.places = place(entries.reshape(-1))
        self.shape = entries.shape
        self.filled = None if filled.all() else upload_integers(space, filled)
        pieces, self.levels = -(-lengths // width), []
        sums = pieces.sum()  # in the order of the rows
        where = np.where(pieces > 0, np.cumsum(pieces) - pieces, -1)
        start = 0
        while (long := pieces > 1).any():
            lengths = pieces[long]
            width = _best_width(lengths)
            entries, filled = _pieces(lengths, width)
            first = np.repeat(where[long] - (np.cumsum(lengths) - lengths), lengths)
            at = (np.arange(len(first)) + first)[entries]
            at = np.where(filled, at, 0).reshape(-1)
            self.levels.append((place(at), upload_integers(space, filled)))
            start, shorter = start + sums, -(-lengths // width)
            sums = shorter.sum()
            where[long] = start + np.cumsum(shorter) - shorter
            pieces[long] = shorter
        whole = np.array_equal(where, np.arange(start + sums))
        where[where < 0] = start + sums  # a zero follows the sums, for rows without entries
        self.last = None if whole else place(where)

    def __call__(self, values: Array) -> Callable[[Array], Array]:
        """Give the product with the matrix of these values."""
        space, xp = self.space, self.space.xp
        if not values.shape[0]:
            values = space.zeros((1,))
        factors = xp.reshape(taken(space, values, self.places), self.shape)
        if self.filled is not None:
            factors = xp.where(self.filled, factors, space.zeros(()))
        return lambda v: self._product(factors, v)

    def _product(self, factors: Array, v: Array) -> Array:
        space, xp, lead = self.space, self.space.xp, v.shape[:-1]
        sums = xp.sum(self._gathered(v, self.columns, self.shape) * factors, axis=-2)
        for places, filled in self.levels:
            parts = xp.where(filled, self._gathered(sums, places, filled.shape), space.zeros(()))
            sums = xp.concat([sums, xp.sum(parts, axis=-2)], axis=-1)
        if self.last is None:
            return sums
        return taken(space, xp.concat([sums, space.zeros((*lead, 1))], axis=-1), self.last)

    def _gathered(self, v: Array, places: Any, shape: tuple[int, int]) -> Array:
        """Take entries of vectors for pieces, shape (..., width, pieces)."""
        return self.space.xp.reshape(taken(self.space, v, places), (*v.shape[:-1], *shape))


def _best_width(lengths: np.ndarray) -> Any:
    """Choose the width that pads least, a sum counted as one more entry; > 1 for long rows."""
    longest = max(lengths.max(initial=1), 1)
    candidates = {min(2**k, longest) for k in range(1, 8)} | {longest}
    candidates |= {max(2, lengths.sum() // max(len(lengths), 1))}
    return min(candidates, key=lambda w: ((-(-lengths // w)).sum() * (w + 1), w))


def _pieces(lengths: np.ndarray, width: Any) -> tuple[np.ndarray, np.ndarray]:
    """Give the number of each entry in pieces, shape (width, pieces), and where there is one."""
    counts = -(-lengths // width)
    row = np.repeat(np.arange(len(lengths)), counts)
    begin = np.cumsum(lengths) - lengths
    piece = np.arange(len(row)) - (np.cumsum(counts) - counts)[row]
    inside = piece * width + np.arange(width)[:, None]
    filled = inside < lengths[row]
    return np.where(filled, begin[row] + inside, begin[row]), filled
