"""Columns of a sparse matrix in groups, each of which one product tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hessx.core import saved
from hessx.operators._colouring_star import colour_vertices
from hessx.operators._pattern import Pattern

__all__ = ["Colouring", "colour", "colour_columns", "colour_star"]


@saved(host=("colours",))
@dataclass(frozen=True, slots=True, eq=False)
class Colouring:
    """A colour for each column: columns of one colour are told by one product.

    Parameters
    ----------
    colours : NumPy array or list, shape (n,)
        Integers >= 0.
    symmetric : bool
        Entry (i, j) may be read as entry (j, i): of a symmetric matrix.

    Attributes
    ----------
    count : int
        Number of colours, the largest and one.

    Raises
    ------
    TypeError, ValueError
        No such integers, or more colours than columns.

    Examples
    --------
    >>> from hessx.operators import Colouring
    >>> Colouring([0, 1, 0, 1]).count
    2
    >>> Colouring([0, 5])
    Traceback (most recent call last):
    ...
    ValueError: colours: 6 colours for 2 columns, expected 2 at most, numbered from 0
    """

    colours: Any
    symmetric: bool = False

    def __post_init__(self) -> None:
        colours = np.array(self.colours)
        if colours.dtype.kind not in "iu" or colours.ndim != 1 or not len(colours):
            msg = (
                f"colours has dtype {colours.dtype} and shape {colours.shape}: expected an integer "
                "for each column"
            )
            raise TypeError(msg)
        n = len(colours)
        if colours.min() < 0:
            msg = f"colours has {colours.min()}: expected integers >= 0"
            raise ValueError(msg)
        if colours.max() >= n:
            msg = (
                f"colours: {colours.max() + 1} colours for {n} columns, expected {n} at most, "
                "numbered from 0"
            )
            raise ValueError(msg)
        colours = colours.astype(np.int32)
        colours.flags.writeable = False
        object.__setattr__(self, "colours", colours)

    @property
    def count(self) -> int:
        """Number of colours."""
        return int(self.colours.max()) + 1

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Colouring):
            return NotImplemented
        return self.symmetric == other.symmetric and np.array_equal(self.colours, other.colours)

    def __hash__(self) -> int:
        return hash((len(self.colours), self.symmetric))

    def __repr__(self) -> str:
        return f"Colouring({self.count} colours of {len(self.colours)} columns)"


def colour(pattern: Pattern) -> Colouring:
    """Colour a symmetric pattern, such as that of a Hessian, by the fewer of both kinds of colours.

    Parameters
    ----------
    pattern : Pattern
        Symmetric.

    Returns
    -------
    Colouring
        Of `colour_star` or of `colour_columns`; ``symmetric`` is True either way.

    Raises
    ------
    ValueError
        The pattern is not symmetric; `Pattern.symmetrised` makes one that is.

    Notes
    -----
    Cost: that of both.  Columns are not coloured where the fullest row has as many entries as
    there are colours of stars: they would need as many.

    Examples
    --------
    A full first row and column need two colours, where columns alone need n:

    >>> import hessx
    >>> from hessx.operators import colour, colour_columns
    >>> arrow = hessx.Pattern.arrow(1000, 1)
    >>> colour(arrow).count, colour_columns(arrow).count
    (2, 1000)
    """
    star = colour_star(pattern)
    if star.count <= _fullest(pattern):
        return star
    columns = colour_columns(pattern)
    return star if star.count <= columns.count else Colouring(columns.colours, True)


def colour_star(pattern: Pattern) -> Colouring:
    """Colour a symmetric pattern so that no path of four vertices has two colours.

    In the graph with an edge for each entry (i, j), i != j, neighbours have different colours and
    each two colours form stars.  Then each entry (i, j) is alone of its colour in row i, or entry
    (j, i) in row j.

    Parameters
    ----------
    pattern : Pattern
        Symmetric.

    Returns
    -------
    Colouring
        ``symmetric`` is True.

    Raises
    ------
    ValueError
        The pattern is not symmetric.

    Notes
    -----
    Greedy, in the order of the columns and in that of their degrees, largest first; the fewer
    colours count.  Cost: O(nnz) operations on sets of colours.

    References
    ----------
    Coleman & More (1984), Mathematical Programming 28, 243-270.  Gebremedhin, Manne & Pothen
    (2005), SIAM Review 47, 629-705, algorithm 4.1.  Gebremedhin, Tarafdar, Manne & Pothen (2007),
    SIAM Journal on Scientific Computing 29, 1042-1072.

    Examples
    --------
    >>> import hessx
    >>> from hessx.operators import colour_star
    >>> colour_star(hessx.Pattern.banded(1000, 1)).count
    3
    """
    if not pattern.symmetric:
        msg = (
            f"the pattern of shape {pattern.shape} is not symmetric: expected entry (j, i) for "
            "each entry (i, j); Pattern.symmetrised adds them"
        )
        raise ValueError(msg)
    degrees = np.diff(pattern.indptr)
    return _fewest(pattern, degrees, colour_vertices, True)


def colour_columns(pattern: Pattern) -> Colouring:
    """Colour the columns so that no two of a colour have an entry in one row.

    Parameters
    ----------
    pattern : Pattern
        Of any shape.

    Returns
    -------
    Colouring
        ``symmetric`` is False: each entry is alone of its colour in its own row.

    Notes
    -----
    Column j has colour j mod k where that will do with the k entries of the fullest row, as for
    bands and blocks: fewer cannot be.  Otherwise greedy, in the order of the columns and in that of
    the number of columns that they may meet, largest first; the fewer colours count.  Cost: O(nnz)
    operations on sets of colours.

    References
    ----------
    Curtis, Powell & Reid (1974), IMA Journal of Applied Mathematics 13, 117-119.  Coleman & More
    (1983), SIAM Journal on Numerical Analysis 20, 187-209.

    Examples
    --------
    >>> import hessx
    >>> from hessx.operators import colour_columns
    >>> colour_columns(hessx.Pattern.banded(1000, 2)).count
    5
    """
    fullest = _fullest(pattern)
    if _spans(pattern) <= fullest:
        return Colouring(np.arange(pattern.shape[1]) % max(fullest, 1))
    lengths = np.diff(pattern.indptr)
    met = np.bincount(
        pattern.indices, weights=np.repeat(lengths - 1, lengths), minlength=pattern.shape[1]
    )
    return _fewest(pattern.transposed(), met, _colour_groups, False)


def _fewest(pattern: Pattern, degrees: Any, colour: Any, symmetric: bool) -> Colouring:
    """Take the fewer colours of two orders."""
    indptr, indices = pattern.indptr.tolist(), pattern.indices.tolist()
    natural = colour(indptr, indices, range(len(degrees)))
    if degrees.max() == degrees.min():
        return Colouring(natural, symmetric)
    largest = colour(indptr, indices, np.argsort(-degrees, kind="stable").tolist())
    return Colouring(min(natural, largest, key=max), symmetric)


def _colour_groups(indptr: list[int], indices: list[int], order: Any) -> list[int]:
    """Colour each column with the first colour that none of its rows has yet."""
    colours = [0] * (len(indptr) - 1)
    taken = [0] * (max(indices, default=0) + 1)  # of each row, its colours as bits
    for j in order:
        rows = indices[indptr[j] : indptr[j + 1]]
        forbidden = 0
        for i in rows:
            forbidden |= taken[i]
        bit = ~forbidden & (forbidden + 1)
        for i in rows:
            taken[i] |= bit
        colours[j] = bit.bit_length() - 1
    return colours


def _fullest(pattern: Pattern) -> int:
    return int(np.diff(pattern.indptr).max())


def _spans(pattern: Pattern) -> int:
    """The widest row, from its first entry to its last."""
    ends = pattern.indptr[1:][np.diff(pattern.indptr) > 0]
    starts = pattern.indptr[:-1][np.diff(pattern.indptr) > 0]
    spans = pattern.indices[ends - 1] - pattern.indices[starts]
    return int(spans.max(initial=-1)) + 1
