"""Entries of a sparse matrix out of a few products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hessx._xp import Array, Space, in_chunks, place_indices, taken, upload_integers
from hessx.operators._colouring import Colouring
from hessx.operators._kinds import as_space
from hessx.operators._pattern import Pattern

__all__ = ["Compressed", "places_of"]


class Compressed:
    r"""The products with a sparse matrix that tell its entries, and how they are read.

    With a colour c_j for each column, product c is A s_c with s_c = sum of e_j over c_j = c.
    Entry (i, j) is entry i of product c_j where it is alone of its colour in row i; in a symmetric
    colouring else entry j of product c_i.

    Parameters
    ----------
    space : Space or array, shape (n,)
        Of the vectors that are multiplied; an array says which.
    pattern : Pattern
        Of shape (m, n).
    colouring : Colouring
        Of n columns.

    Attributes
    ----------
    count : int
        Number of products.

    Raises
    ------
    ValueError
        The colouring has another number of columns, or does not tell some entry.

    Notes
    -----
    Cost: two sorts of the entries on the host, two uploads, of n and of nnz integers.  With a
    symmetric colouring entries (i, j) and (j, i) are one number, to the last bit.

    References
    ----------
    Coleman & More (1984), Mathematical Programming 28, 243-270, direct determination.

    Examples
    --------
    >>> import hessx, numpy as np
    >>> from hessx.operators import Compressed, colour
    >>> A = np.array([[2.0, 3.0, 4.0], [3.0, 5.0, 0.0], [4.0, 0.0, 6.0]])
    >>> pattern = hessx.Pattern.of(A)
    >>> compressed = Compressed(A[0], pattern, colour(pattern))
    >>> compressed.count
    2
    >>> compressed.values([A @ compressed.seed(c) for c in range(2)])
    array([2., 3., 4., 3., 5., 4., 6.])
    """

    __slots__ = ("colours", "count", "pattern", "places", "space")

    def __init__(self, space: Space | Array, pattern: Pattern, colouring: Colouring) -> None:
        space, n = as_space(space), pattern.shape[1]
        if len(colouring.colours) != n or space.n != n:
            msg = (
                f"a colouring of {len(colouring.colours)} columns, and vectors of {space.n} "
                f"entries, for a pattern of shape {pattern.shape}: expected {n} of both"
            )
            raise ValueError(msg)
        self.space, self.pattern, self.count = space, pattern, colouring.count
        self.places = place_indices(space, places_of(pattern, colouring))
        self.colours = in_chunks(space, upload_integers(space, colouring.colours.copy()))

    def seed(self, c: int) -> Array:
        """The vector of product c, shape (n,): 1 where the colour is c."""
        return self.space.xp.astype(self.colours == c, self.space.dtype)

    def seeds(self) -> Array:
        """All of them, shape (count, n)."""
        return self.space.xp.stack([self.seed(c) for c in range(self.count)])

    def values(self, products: Array | Sequence[Array]) -> Array:
        """Read the entries in the pattern's order.

        Parameters
        ----------
        products : array of shape (count, m), or list of arrays of shape (m,)
            A s_c in the order of c.

        Returns
        -------
        array, shape (nnz,)
        """
        xp = self.space.xp
        stacked = xp.concat(products) if isinstance(products, list | tuple) else products
        return taken(self.space, xp.reshape(stacked, (-1,)), self.places)


def places_of(pattern: Pattern, colouring: Colouring) -> Any:
    """Find where each entry is in the stacked products: entry i of product c is at c m + i.

    Raises
    ------
    ValueError
        The colouring does not tell some entry.
    """
    m, colours, rows = pattern.shape[0], colouring.colours, pattern.rows
    count = colouring.count
    key = rows.astype(np.int64) * count + colours[pattern.indices]
    alone = _alone(key, m * count)
    place = colours[pattern.indices].astype(np.int64) * m + rows
    if colouring.symmetric:
        if not pattern.symmetric:
            msg = f"a symmetric colouring, and a pattern of shape {pattern.shape} that is not"
            raise ValueError(msg)
        mirror = pattern.mirror()
        # both triangles read what one of them holds
        own = np.where(rows <= pattern.indices, alone, ~alone[mirror])
        alone = alone | alone[mirror]
        place = np.where(own, place, place[mirror])
    if not alone.all():
        e = np.flatnonzero(~alone)
        msg = (
            f"the colouring does not tell {len(e)} of {pattern.nnz} entries, the first at row "
            f"{rows[e[0]]}, column {pattern.indices[e[0]]}: another column of its colour has an "
            f"entry in its row"
        )
        raise ValueError(msg)
    return place


def _alone(key: Any, size: int) -> Any:
    """Whether each key occurs once."""
    if size <= 4 * len(key) + 1000:
        return np.bincount(key, minlength=size)[key] == 1
    _, inverse, times = np.unique(key, return_inverse=True, return_counts=True)
    return times[inverse] == 1
