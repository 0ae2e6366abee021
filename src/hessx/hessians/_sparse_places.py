"""A symmetric pattern at work on a device: its entries mirrored, scaled, and put in order."""

from __future__ import annotations

from typing import Any

import numpy as np

from hessx._xp import Array, Space, place_indices, taken
from hessx.operators import Pattern, SparseOperator, SparsePlaces

__all__ = ["GivenPlaces", "SymmetricPlaces"]


class SymmetricPlaces:
    """Where the entries of a symmetric pattern are, uploaded when it is first needed.

    Parameters
    ----------
    space : Space
        Of the vectors.
    pattern : Pattern
        Symmetric, with the diagonal.
    """

    __slots__ = ("_mirror", "_sides", "pattern", "products", "space")

    def __init__(self, space: Space, pattern: Pattern) -> None:
        self.space, self.pattern = space, pattern
        self.products = SparsePlaces(space, pattern)
        self._mirror: Any = None
        self._sides: Any = None

    def operator(self, values: Array) -> SparseOperator:
        """Give the matrix with these entries."""
        return SparseOperator(self.space, self.products, values, symmetric=True)

    def symmetric(self, values: Array) -> Array:
        """Give the entries of (A + A') / 2."""
        return 0.5 * values + 0.5 * self.transposed(values)

    def transposed(self, values: Array) -> Array:
        """Give the entries of A'."""
        if self._mirror is None:
            self._mirror = place_indices(self.space, self.pattern.mirror())
        return taken(self.space, values, self._mirror)

    def scaled(self, values: Array, u: Array) -> Array:
        """Give u_i A_ij u_j."""
        if self._sides is None:
            sides = self.pattern.rows, self.pattern.indices
            self._sides = [place_indices(self.space, side) for side in sides]
        rows, columns = self._sides
        return values * taken(self.space, u, rows) * taken(self.space, u, columns)


class GivenPlaces(SymmetricPlaces):
    """A symmetric pattern around one that need not be so, of matrices that are given.

    Parameters
    ----------
    space : Space
        Of the vectors.
    given : Pattern
        Of the matrices, square.
    """

    __slots__ = ("given", "order")

    def __init__(self, space: Space, given: Pattern) -> None:
        super().__init__(space, given.symmetrised())
        self.given, order = given, np.full(self.pattern.nnz, given.nnz)
        order[np.searchsorted(_keys(self.pattern), _keys(given))] = np.arange(given.nnz)
        self.order = place_indices(space, order)

    def ordered(self, entries: Array) -> Array:
        """Give the entries in the order of the symmetric pattern, 0 where there was none."""
        space = self.space
        return taken(space, space.xp.concat([entries, space.zeros(1)]), self.order)


def _keys(pattern: Pattern) -> Any:
    return pattern.rows.astype(np.int64) * pattern.shape[1] + pattern.indices
