"""Sketches S R of a matrix R with many rows: E(S'S) = I, so that R'S'S R is R'R on the average."""

from __future__ import annotations

import math
from collections.abc import Callable

from hessx._xp import Array, Space, normal, permuted, uniform
from hessx.operators import LinearOperator

__all__ = ["SKETCHES", "sketched"]

_Seed = tuple[int, ...]


def sketched(
    space: Space, R: LinearOperator, size: int, kind: str, seed: _Seed
) -> tuple[Array, int]:
    """Give S R, shape (size, n), and how many products with R or R' it took.

    Parameters
    ----------
    space : Space
        Of vectors that R takes.
    R : LinearOperator, shape (rows, n)
        With a transpose.
    size : int
        Rows of S; R itself is given where it has no more.
    kind : str
        Of `SKETCHES`.
    seed : tuple of int
        Of the draw, on the host; one or two uploads.
    """
    rows, n = R.shape
    if size < min(n, rows) and kind == "gaussian":
        return R.T.matvec(_gaussian(space, size, rows, seed)), size
    units = space.xp.eye(min(n, rows), dtype=space.dtype, device=space.device)
    whole = R.matvec(units).T if n <= rows else R.T.matvec(units)
    return (whole if size >= rows else SKETCHES[kind](space, whole, size, seed)), min(n, rows)


def _gaussian(space: Space, size: int, rows: int, seed: _Seed) -> Array:
    """S of independent normal entries, with variance 1 / size."""
    return normal(space, seed, size, rows) * size**-0.5


def _times_gaussian(space: Space, R: Array, size: int, seed: _Seed) -> Array:
    return _gaussian(space, size, R.shape[0], seed) @ R


def _some_rows(space: Space, R: Array, size: int, seed: _Seed) -> Array:
    """Take rows of R, each once at most, times (rows / size)^(1/2)."""
    rows = R.shape[0]
    taken = space.xp.take(R, permuted(space, seed, rows, size), axis=0)
    return taken * math.sqrt(rows / size)


def _srht(space: Space, R: Array, size: int, seed: _Seed) -> Array:
    """Take rows of H D R, D of random signs, H Hadamard's matrix of the next power of two."""
    xp, (rows, n) = space.xp, R.shape
    one = space.zeros(()) + 1.0
    signs = xp.where(uniform(space, (*seed, 0), rows) < 0.5, -one, one)
    length = 1 << (rows - 1).bit_length()
    mixed = xp.concat([R * signs[:, None], space.zeros((length - rows, n))])
    half = 1
    while half < length:
        pairs = xp.reshape(mixed, (length // (2 * half), 2, half, n))
        first, second = pairs[:, 0, ...], pairs[:, 1, ...]
        mixed = xp.reshape(xp.stack([first + second, first - second], axis=1), (length, n))
        half *= 2
    taken = xp.take(mixed, permuted(space, (*seed, 1), length, size), axis=0)
    return taken * size**-0.5


SKETCHES: dict[str, Callable[[Space, Array, int, _Seed], Array]] = {
    "gaussian": _times_gaussian,
    "srht": _srht,
    "rows": _some_rows,
}
