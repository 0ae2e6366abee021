"""What a user may give where a pattern is wanted, as rows and columns of its entries."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np

from hessx._xp import host_array, is_array
from hessx.operators._kinds import checked_shape

__all__ = ["coordinates", "integers_for", "rows_of", "taken_shape"]

_Coordinates = tuple[tuple[int, int], Any, Any]


def coordinates(given: Any, shape: tuple[int, int] | None) -> _Coordinates:
    """Read shape, rows and columns of the entries, in any order, some of them more than once."""
    if hasattr(given, "tocoo"):
        given = given.tocoo()
        own = _agreed(tuple(given.shape), shape, "the sparse matrix")
        return own, _host(given.row), _host(given.col)
    if isinstance(given, tuple) and len(given) == 2:
        return _pair(given, shape)
    if is_array(given) or isinstance(given, list):
        full = _host(given)
        own = _agreed(full.shape, shape, "the array")
        rows, columns = np.nonzero(full)
        return own, rows, columns
    if callable(given):
        return _stencil(given, shape)
    msg = (
        f"the pattern is a {type(given).__name__}: expected a hessx.Pattern, a sparse matrix, a "
        "dense array, a pair (rows, columns) of integer arrays, or a function of row numbers"
    )
    raise TypeError(msg)


def taken_shape(shape: Any) -> tuple[int, int]:
    """Take (m, n), or n for (n, n), as Python's integers."""
    m, n = checked_shape((shape, shape) if isinstance(shape, Integral) else shape)
    return int(m), int(n)


def integers_for(largest: int) -> Any:
    """Give the type of integers that holds ``largest``."""
    return np.int32 if largest <= np.iinfo(np.int32).max else np.int64


def rows_of(indptr: Any) -> Any:
    """Give the row of each entry."""
    m = len(indptr) - 1
    return np.repeat(np.arange(m, dtype=integers_for(m)), np.diff(indptr))


def _agreed(own: tuple[int, ...], shape: tuple[int, int] | None, what: str) -> tuple[int, int]:
    """Take the shape that what was given has, where it is the one that is wanted."""
    if len(own) != 2 or shape not in (None, own):
        msg = f"{what} has shape {own}: expected {'(m, n)' if shape is None else shape}"
        raise ValueError(msg)
    return taken_shape(own)


def _needed(shape: tuple[int, int] | None, what: str) -> tuple[int, int]:
    if shape is None:
        msg = f"{what} has no shape of its own: give shape=(m, n)"
        raise ValueError(msg)
    return shape


def _pair(given: tuple[Any, Any], shape: tuple[int, int] | None) -> _Coordinates:
    shape = _needed(shape, "a pair (rows, columns)")
    rows, columns = _integers(given[0], "rows"), _integers(given[1], "columns")
    if rows.ndim != 1 or rows.shape != columns.shape:
        msg = f"rows and columns have shapes {rows.shape}, {columns.shape}: expected one length"
        raise ValueError(msg)
    for name, a, size in (("rows", rows, shape[0]), ("columns", columns, shape[1])):
        if len(a) and (a.min() < 0 or a.max() >= size):
            msg = f"{name} lie in [{a.min()}, {a.max()}]: expected [0, {size}), shape is {shape}"
            raise ValueError(msg)
    return shape, rows, columns


def _stencil(given: Any, shape: tuple[int, int] | None) -> _Coordinates:
    shape = m, n = _needed(shape, "a function of row numbers")
    reached = given(np.arange(m))
    if isinstance(reached, list | tuple):
        whole = [_integers(a, "a list of the function") for a in reached]
        reached = np.stack([np.broadcast_to(a, (m,)) for a in whole], axis=1) if whole else [[]]
    columns = _integers(reached, "what the function of row numbers returned,")
    if columns.ndim == 1:
        columns = columns[:, None]
    if columns.ndim != 2 or len(columns) != m:
        msg = (
            f"the function of row numbers returned shape {columns.shape}: expected ({m},), "
            f"({m}, w), or a list of arrays of shape ({m},)"
        )
        raise ValueError(msg)
    inside = (columns >= 0) & (columns < n)
    return shape, np.nonzero(inside)[0], columns[inside]


def _integers(given: Any, name: str) -> Any:
    a = _host(given)
    if a.dtype.kind not in "iu":
        msg = f"{name} has dtype {a.dtype}: expected integers"
        raise TypeError(msg)
    return a


def _host(given: Any) -> Any:
    return host_array(given) if is_array(given) else np.asarray(given)
