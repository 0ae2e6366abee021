"""Star colouring, vertex by vertex."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["colour_vertices"]


def colour_vertices(indptr: list[int], indices: list[int], order: Iterable[int]) -> list[int]:
    """Give each vertex the first colour that makes no path of four vertices in two colours.

    Of algorithm 4.1 of Gebremedhin, Manne & Pothen (2005), with the stars of Gebremedhin et al.
    (2007) kept as sets of colours, the bits of integers, so that no vertex looks further than to
    its neighbours.  A colour is forbidden to v

    - where a neighbour w has it;
    - where two neighbours of v have one colour and a neighbour of theirs has it: v would be inside
      of a path w' - v - w - x;
    - where w is a leaf of a star whose centre has it: v would be the end of v - w - x - y.

    Parameters
    ----------
    indptr, indices : list of int
        The neighbours of v are ``indices[indptr[v]:indptr[v + 1]]``; v itself may be one.
    order : iterable of int
        All vertices.

    Returns
    -------
    list of int
        The colour of each vertex.
    """
    n = len(indptr) - 1
    bits = [0] * n  # the colour of each vertex; 0 where it has none yet
    near = [0] * n  # colours of the neighbours of each vertex
    twice = [0] * n  # those that two of them have: it is the centre of such a star
    centres = [0] * n  # colours of the centres of the stars in which it is a leaf
    for v in order:
        around = [w for w in indices[indptr[v] : indptr[v + 1]] if bits[w] and w != v]
        seen = repeated = forbidden = 0
        for w in around:
            repeated |= seen & bits[w]
            seen |= bits[w]
            forbidden |= centres[w]
        forbidden |= seen
        if repeated:
            for w in around:
                if bits[w] & repeated:
                    forbidden |= near[w]
        bit = ~forbidden & (forbidden + 1)
        for w in around:
            if bits[w] & repeated:
                centres[w] |= bit
            if near[w] & bit:  # v joins a star around w
                centres[v] |= bits[w]
                if not twice[w] & bit:
                    twice[w] |= bit
                    _mark_leaf(w, bit, bits, centres, indices[indptr[w] : indptr[w + 1]])
            near[w] |= bit
        bits[v], near[v], twice[v] = bit, seen, repeated
    return [bit.bit_length() - 1 for bit in bits]


def _mark_leaf(w: int, bit: int, bits: list[int], centres: list[int], around: list[int]) -> None:
    """Make a leaf of the one neighbour of w that had the colour of its second."""
    for y in around:
        if bits[y] == bit and y != w:
            centres[y] |= bits[w]
            return
