"""Intervals of rows or columns, halved level by level, and patterns of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from hessx.operators._pattern import Pattern

__all__ = ["Intervals", "refined"]


class Intervals:
    """0, ..., n - 1 cut into intervals.

    Parameters
    ----------
    n : int
        The whole.
    starts : NumPy array, shape (k,)
        The first number of each, from 0 on.
    """

    __slots__ = ("n", "starts")

    def __init__(self, n: int, starts: Any) -> None:
        self.n, self.starts = n, starts

    @classmethod
    def of(cls, n: int, k: int) -> Intervals:
        """Cut into k intervals of about one length, at most n of them."""
        k = min(k, n)
        return cls(n, np.arange(k) * n // k)

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def single(self) -> bool:
        """Whether each is one number."""
        return len(self.starts) == self.n

    @property
    def lengths(self) -> Any:
        """How many numbers are in each."""
        return np.diff(self.starts, append=self.n)

    def parted(self, parts: int) -> Intervals:
        """Cut each into as many parts, where it is so long."""
        cuts = [self.starts + self.lengths * part // parts for part in range(parts)]
        return Intervals(self.n, np.unique(np.concatenate(cuts)))

    def any_of(self, flags: Any) -> Any:
        """Tell for each interval whether one of its flags is set, of flags (..., n)."""
        return flags if self.single else np.logical_or.reduceat(flags, self.starts, axis=-1)

    def inside(self, other: Intervals) -> tuple[Any, Any]:
        """Give the first and the number of the intervals of ``other``, a finer cut, in each."""
        first = np.searchsorted(other.starts, self.starts)
        return first, np.diff(first, append=len(other))


def refined(
    blocks: Pattern, coarse: tuple[Intervals, Intervals], fine: tuple[Intervals, Intervals]
) -> Pattern:
    """Give the pattern of finer blocks that are inside of those of a pattern.

    Parameters
    ----------
    blocks : Pattern
        Of pairs of an interval of rows and one of columns.
    coarse, fine : tuple of Intervals
        Of the rows and of the columns, before and after they are parted.

    Returns
    -------
    Pattern
        Every finer block inside of a block.
    """
    (row, height), (column, width) = (a.inside(b) for a, b in zip(coarse, fine, strict=True))
    i, j = blocks.rows, blocks.indices
    sizes = height[i] * width[j]
    block = np.repeat(np.arange(blocks.nnz), sizes)
    place = np.arange(len(block)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    down, across = np.divmod(place, width[j][block])
    entries = row[i][block] + down, column[j][block] + across
    return Pattern.of(entries, (len(fine[0]), len(fine[1])))
