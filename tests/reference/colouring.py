"""Colourings by their definitions, on dense patterns and by brute force."""

from __future__ import annotations

import itertools

import numpy as np

__all__ = ["is_column_colouring", "is_star_colouring", "tells"]


def is_column_colouring(full: np.ndarray, colours: np.ndarray) -> bool:
    """No row has entries in two columns of one colour."""
    return all(len(set(colours[row])) == row.sum() for row in full)


def is_star_colouring(full: np.ndarray, colours: np.ndarray) -> bool:
    """Neighbours differ, and each path of four vertices has three colours or more."""
    n = len(full)
    edges = full & ~np.eye(n, dtype=bool)
    around = [np.flatnonzero(row) for row in edges]
    if any(colours[v] == colours[w] for v in range(n) for w in around[v]):
        return False
    for w, x in itertools.product(range(n), repeat=2):
        if edges[w, x]:
            ends = itertools.product(around[w], around[x])
            if any(
                len({v, w, x, y}) == 4 and len({colours[v], colours[w], colours[x], colours[y]}) < 3
                for v, y in ends
            ):
                return False
    return True


def tells(full: np.ndarray, colours: np.ndarray, symmetric: bool) -> bool:
    """Each entry, or its mirror image, is alone of its colour in its row."""

    def alone(i: int, j: int) -> bool:
        return sum(full[i, k] and colours[k] == colours[j] for k in range(full.shape[1])) == 1

    entries = zip(*np.nonzero(full), strict=True)
    return all(alone(i, j) or (symmetric and alone(j, i)) for i, j in entries)
