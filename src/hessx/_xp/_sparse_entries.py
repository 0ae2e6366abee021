"""Structure and entries of sparse matrices of other libraries."""

from __future__ import annotations

from typing import Any

import numpy as np

from hessx._xp._fetch import to_host
from hessx._xp._namespace import Array, Space

__all__ = ["sparse_entries"]


def sparse_entries(space: Space, given: Any) -> tuple[np.ndarray, np.ndarray, Array] | None:
    """Give the rows of a sparse matrix, entries of one place added up; None of what is none.

    Parameters
    ----------
    space : Space
        Of the vectors that it multiplies.
    given : object
        With ``tocsr``: of scipy.sparse where x is NumPy's, of cupyx.scipy.sparse where it is
        CuPy's.

    Returns
    -------
    indptr, indices : NumPy arrays of integers
        Of the rows, columns ascending.
    entries : array, shape (nnz,)
        Of the space.

    Notes
    -----
    Cost: none on NumPy, where the matrix is CSR without double entries; on CuPy the structure is
    moved to the host.

    Examples
    --------
    >>> import numpy as np, scipy.sparse
    >>> from hessx._xp import space_of, sparse_entries
    >>> sparse_entries(space_of(np.ones(2)), scipy.sparse.coo_array([[0.0, 2.0], [3.0, 0.0]]))
    (array([0, 1, 2], dtype=int32), array([1, 0], dtype=int32), array([2., 3.]))
    """
    if not hasattr(given, "tocsr"):
        return None
    rows = given.tocsr()
    if not rows.has_canonical_format:
        rows = rows.copy()
        rows.sum_duplicates()
    entries = rows.data.astype(space.dtype, copy=False)
    return to_host(rows.indptr), to_host(rows.indices), entries
