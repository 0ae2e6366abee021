"""The pattern of a matrix that is known by its products alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from hessx._xp import Array, Space
from hessx.core import check_integer
from hessx.operators._colouring import Colouring, colour, colour_columns
from hessx.operators._compressed import places_of
from hessx.operators._intervals import Intervals, refined
from hessx.operators._kinds import as_space
from hessx.operators._pattern import Pattern
from hessx.operators._probes import Probes

__all__ = ["PatternProbe", "probe_pattern"]

_FIRST = 16  # intervals of columns to begin with: two fetches


@dataclass(frozen=True, slots=True)
class PatternProbe:
    """What probing has found.

    Attributes
    ----------
    pattern : Pattern or None
        Where outcome is "found".
    outcome : {"found", "dense", "limit", "noise"}
        "dense": each row has entries in each of 16 or more intervals of columns, and the search has
        ended there; "limit": it would have taken more than ``max_products``; "noise": products are
        not finite, or A (u + v) has nothing to do with A u + A v, at each point.
    products : int
        That were taken, at all points together.
    noise : float
        Relative error of the products: entries below about 8 times that, relative to what their
        row has, are not seen.  nan with the outcome "noise".
    message : str
        All that in a sentence.

    Examples
    --------
    >>> from hessx.operators import PatternProbe
    >>> PatternProbe(None, "dense", 19, 1e-16, "dense: ...").found
    False
    """

    pattern: Pattern | None
    outcome: Literal["found", "dense", "limit", "noise"]
    products: int
    noise: float
    message: str

    @property
    def found(self) -> bool:
        """Whether there is a pattern."""
        return self.pattern is not None


def probe_pattern(
    space: Space | Array,
    products: Callable[[Array], Array] | Sequence[Callable[[Array], Array]],
    *,
    rows: int | None = None,
    symmetric: bool = True,
    max_products: int | None = None,
    seed: int = 0,
) -> PatternProbe:
    r"""Find where a matrix has entries by products with random vectors.

    The columns are cut into 16 intervals, and those into halves, level by level, until each is one
    column.  At each level intervals that can reach no row in common, for those around them did not,
    share one product, with a vector of random signs and sizes on them and zero elsewhere: where
    A v is not zero, its row has an entry in the interval.

    Parameters
    ----------
    space : Space or array, shape (n,)
        Of v; an array says which.
    products : callable or list of callables
        v, shape (n,) -> A v, shape (m,).  Of several, such as those with the Hessian at several
        points, the union of their patterns is found.
    rows : int, optional
        m; n by default, and where A is symmetric.
    symmetric : bool
        A' = A: an entry may be found as its mirror image, so that full rows are no obstacle: the
        intervals of the rows are those of the columns.  Where no row is nearly full, False may
        take fewer products.
    max_products : int, optional
        For each of the callables; n + 3 by default, so that it costs no more than all columns.
    seed : int
        Of the random vectors.

    Returns
    -------
    PatternProbe
        Pattern, outcome and the products taken.

    Raises
    ------
    SettingsError
        max_products < 1.
    ValueError
        A symmetric matrix that is not square.

    Notes
    -----
    Three products tell how far the others can be trusted: with A u, A v and A (u + v) come what
    rounding, or differences, leave of A (u + v) - A u - A v, row by row.  Entries that are not
    above 8 times that, relative to what their row has, are taken for noise.  An entry is overlooked
    where a sum with random coefficients happens to be as small.

    Cost: bands and grids take log2(n / 16) times a few products (2-D Laplacian, n = 1e4: 139), r n
    random entries at most about 0.2 n (r = 5, n = 1e4); k products take k/8 fetches and one for
    each level.

    References
    ----------
    Curtis, Powell & Reid (1974), IMA Journal of Applied Mathematics 13, 117-119, and Coleman & More
    (1984), Mathematical Programming 28, 243-270, for the groups.

    Examples
    --------
    >>> import hessx, numpy as np
    >>> from hessx.operators import probe_pattern
    >>> A = np.diag(np.full(100, 2.0)) - np.diag(np.ones(99), 1) - np.diag(np.ones(99), -1)
    >>> probe = probe_pattern(A[0], lambda v: A @ v)
    >>> probe.message
    'found: 298 entries, by ... products'
    >>> probe.pattern == hessx.Pattern.banded(100, 1)
    True
    """
    space = as_space(space)
    n = space.n
    m = n if rows is None else check_integer("rows", rows, 1)
    if symmetric and m != n:
        msg = f"rows = {m} for vectors of {n} entries: a symmetric matrix is square"
        raise ValueError(msg)
    limit = n + 3 if max_products is None else check_integer("max_products", max_products, 1)
    every = [products] if callable(products) else list(products)
    probes = Probes(space, every, m, seed)
    if not probes.noise < 1.0:
        message = f"noise: not finite, or A (u + v) far from A u + A v, in {probes.spent} products"
        return PatternProbe(None, "noise", probes.spent, math.nan, message)
    return _Search(probes, symmetric, limit * len(every)).run()


class _Search:
    """The levels, one after the other."""

    def __init__(self, probes: Probes, symmetric: bool, limit: int) -> None:
        self.probes, self.symmetric, self.limit = probes, symmetric, limit
        n = probes.space.n
        columns = Intervals.of(n, n if n <= 2 * _FIRST else _FIRST)
        # rows are seen one by one, unless they are to be mirror images of the columns
        self.cut = (columns if symmetric else Intervals.of(probes.m, probes.m), columns)

    def run(self) -> PatternProbe:
        full = np.ones((len(self.cut[0]), len(self.cut[1])), dtype=bool)
        candidates = Pattern.of(full)
        while True:
            colouring = colour(candidates) if self.symmetric else colour_columns(candidates)
            if self.probes.spent + self.probes.cost(colouring.count) > self.limit:
                return self._ended("limit", f"{colouring.count} more, over the limit")
            blocks = self._told(candidates, colouring)
            columns = self.cut[1]
            if columns.single:
                return self._ended("found", f"{blocks.nnz} entries", blocks)
            if self.probes.filled and colouring.count == len(columns):
                return self._ended("dense", f"all rows reach all of {len(columns)} intervals")
            # nothing is known of what is all full: fewer levels then
            parts = 4 if blocks.nnz == blocks.shape[0] * blocks.shape[1] else 2
            finer = columns.parted(parts)
            fine = (finer if self.symmetric else self.cut[0], finer)
            candidates, self.cut = refined(blocks, self.cut, fine), fine

    def _told(self, candidates: Pattern, colouring: Colouring) -> Pattern:
        """Take the products of a level, and keep the blocks that are not zero."""
        rows, columns = self.cut
        colours = np.repeat(colouring.colours, columns.lengths)
        reached = self.probes.reached(colours, colouring.count, rows)
        there = reached.reshape(-1)[places_of(candidates, colouring)]
        entries = candidates.rows[there], candidates.indices[there]
        return Pattern.of(entries, candidates.shape)

    def _ended(self, outcome: Any, what: str, pattern: Pattern | None = None) -> PatternProbe:
        spent = self.probes.spent
        if outcome == "limit":
            message = f"limit: {spent} products, the next level takes {what} of {self.limit}"
        else:
            message = f"{outcome}: {what}, by {spent} products"
        return PatternProbe(pattern, outcome, spent, self.probes.noise, message)
