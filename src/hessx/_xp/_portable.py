"""Arrays of any library as NumPy arrays and back: what files hold."""

from __future__ import annotations

from typing import IO, Any

import numpy as np

from hessx._xp._fetch import to_host
from hessx._xp._namespace import Array, Space, space_of
from hessx._xp._numpy_rows import make_rows
from hessx._xp._rows import ListedRows, Rows

__all__ = [
    "host_array",
    "host_rows",
    "host_space",
    "in_one_piece",
    "in_rows",
    "is_host_scalar",
    "padded",
    "placed_array",
    "placed_rows",
    "read_npy",
    "same_bits",
    "trimmed",
    "write_npy",
]


def host_array(a: Any) -> np.ndarray:
    """Read an array of any library, or a NumPy scalar; one wait, not in the ledger.

    NumPy arrays, and those of libraries on the CPU, are not copied.
    """
    return np.asarray(a) if isinstance(a, np.generic) else np.asarray(to_host(a))


def placed_array(space: Space, host: np.ndarray) -> Array:
    """Put an array of the host on the space's device, in memory that the library allocates.

    Memory of NumPy's would be aligned otherwise, which changes the bits of PyTorch's products.
    """
    a = space.copy(space.xp.asarray(host, device=space.device))
    whole = space.chunks is not None and host.shape == (space.n,)
    return a.rechunk(space.chunks) if whole else a


def in_one_piece(space: Space, a: Array) -> Array:
    """Give an array in the one chunk in which it would be loaded, on dask; itself elsewhere."""
    return a if space.chunks is None else a.rechunk(-1)


def in_rows(space: Space, block: Array) -> Array:
    """Give a block of vectors as rows in one chunk, cut as x is, on dask; itself elsewhere."""
    return block if space.chunks is None else block.rechunk({0: -1, 1: space.chunks[0]})


def trimmed(host: np.ndarray) -> np.ndarray:
    """Leave out what is zero to the last bit at the end of each axis; a view."""
    for axis in range(host.ndim):
        turned = np.moveaxis(host, axis, 0)
        size = len(turned)
        while size and _is_zero(turned[size - 1]):
            size -= 1
        host = np.moveaxis(turned[:size], 0, axis)
    return host


def _is_zero(a: np.ndarray) -> bool:
    """Tell whether all bits are zero: -0.0 is something else."""
    return not np.ascontiguousarray(a).view(np.uint8).any()


def padded(host: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Give what was trimmed its zeros back; a copy."""
    whole = np.zeros(shape, host.dtype)
    whole[tuple(map(slice, host.shape))] = host
    return whole


def host_rows(rows: Rows) -> np.ndarray:
    """Read rows as one array, in whatever form they stand, without those at the end that are zero.

    A memory has room for more pairs than a short run needs.
    """
    if isinstance(rows, ListedRows):
        host = np.stack([host_array(row) for row in rows.rows])
    else:
        host = host_array(rows.array)
    size = len(host)
    while size and _is_zero(host[size - 1]):
        size -= 1
    return host[:size]


def placed_rows(space: Space, host: np.ndarray, k: int) -> Rows:
    """Make k rows in the form that suits the space's library, the first as given."""
    if host.shape[-1] != space.n:
        space = space.part(host.shape[-1:])
    rows = make_rows(space, k)
    for i, row in enumerate(host):
        rows.set(i, placed_array(space, row))
    return rows


def host_space(shape: tuple[int, ...], dtype: str) -> Space:
    """Give the space of NumPy arrays of a shape and dtype."""
    return space_of(np.empty(shape, dtype))


def is_host_scalar(a: object) -> bool:
    """Tell a NumPy scalar from an array."""
    return isinstance(a, np.generic)


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Compare dtype, shape and bytes."""
    return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())


def write_npy(stream: IO[bytes], host: np.ndarray) -> None:
    """Write in NumPy's format, no objects."""
    np.lib.format.write_array(stream, host, allow_pickle=False)


def read_npy(stream: IO[bytes]) -> np.ndarray:
    """Read NumPy's format; ValueError where it holds objects or is damaged."""
    return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))
