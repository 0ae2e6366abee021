"""The one door between device and host, and the ledger of what went through it.

Every number that the host reads from an array comes through `fetch`, packed into one transfer;
every coefficient that the host computes for the device goes through `upload`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import array_api_compat as compat
import numpy as np

from hessx._xp._namespace import Array, Space

__all__ = ["Ledger", "fetch", "record_fetches", "to_host", "upload", "upload_integers"]


@dataclass(slots=True)
class Ledger:
    """How often host and device met.

    Attributes
    ----------
    fetches, uploads : int
        Calls of `fetch` and of `upload`.
    """

    fetches: int = 0
    uploads: int = 0


_open: list[Ledger] = []  # of the blocks that count now
_FLOAT64 = np.dtype(np.float64)


@contextlib.contextmanager
def record_fetches() -> Iterator[Ledger]:
    """Count the fetches and uploads of all runs inside the block.

    Yields
    ------
    Ledger
        Of the block: it grows with every transfer until the block ends.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import fetch, record_fetches, space_of
    >>> x = np.array([3.0, 4.0])
    >>> with record_fetches() as ledger:
    ...     (square, entries), _ = fetch(space_of(x), [x @ x, x])
    >>> square, ledger.fetches
    (25.0, 1)
    """
    ledger = Ledger()
    _open.append(ledger)
    try:
        yield ledger
    finally:
        _open[:] = [other for other in _open if other is not ledger]


def fetch(
    space: Space, scalars: Sequence[Any], keep: Sequence[Array] = ()
) -> tuple[list[Any], Sequence[Array]]:
    """Read small arrays in one transfer.

    Parameters
    ----------
    space : Space
        Where the arrays live.
    scalars : sequence
        0-d arrays and short vectors, of any real dtype; Python floats pass through.
    keep : sequence of arrays
        On lazy libraries these are computed together with the scalars, in one go, and held;
        elsewhere they come back as they are.

    Returns
    -------
    values : list
        For each scalar a Python float, for each vector a float64 NumPy array, in order.
    kept : sequence of arrays
        The arrays to use from now on in place of ``keep``.

    Notes
    -----
    Cost: one wait for the device, two launches (concatenation and copy) off the host.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import fetch, space_of
    >>> x = np.array([3.0, 4.0])
    >>> fetch(space_of(x), [x @ x, x])[0]
    [25.0, array([3., 4.])]
    """
    for ledger in _open:
        ledger.fetches += 1
    if space.kind == "dask":
        scalars, keep = _compute_dask(scalars, keep)
    if space.kind == "numpy" or space.kind == "dask":
        return [a if type(a) is float else _wide(a) if a.ndim else float(a) for a in scalars], keep
    parts = [space.xp.reshape(a, (-1,)) for a in scalars if type(a) is not float]
    packet = iter(())
    if parts:
        joined = parts[0] if len(parts) == 1 else space.xp.concat(parts)
        packet = _split(to_host(joined), [a for a in scalars if type(a) is not float])
    return [a if type(a) is float else next(packet) for a in scalars], keep


def _split(host: np.ndarray, shapes: Sequence[Array]) -> Iterator[Any]:
    start = 0
    for a in shapes:
        if a.ndim == 0:
            yield float(host[start])
            start += 1
        else:
            yield host[start : start + a.shape[0]].astype(np.float64)
            start += a.shape[0]


def _wide(a: np.ndarray) -> np.ndarray:
    return a if a.dtype is _FLOAT64 else a.astype(np.float64)


def to_host(a: Array) -> Any:
    """Copy an array to a NumPy array; one wait, not entered in the ledger."""
    if compat.is_numpy_array(a):
        return a
    if compat.is_torch_array(a):
        return a.detach().cpu().numpy()
    if compat.is_cupy_array(a):
        return a.get()
    if compat.is_jax_array(a) or compat.is_dask_array(a):
        return np.asarray(a)
    return np.from_dlpack(a)


def upload(space: Space, coefficients: np.ndarray) -> Array:
    """Move a host vector to the space's device, rounded to its dtype first; one upload.

    Parameters
    ----------
    space : Space
        Where to.
    coefficients : NumPy array
        Of any shape.

    Returns
    -------
    array
        Of the space, with the same shape; on NumPy the given one, where the dtype is right.
    """
    for ledger in _open:
        ledger.uploads += 1
    host = coefficients
    if host.dtype is not space.host_dtype:
        with np.errstate(over="ignore"):  # what float32 does not hold is inf there
            host = host.astype(space.host_dtype)
    if space.kind == "numpy":
        return host
    return space.xp.asarray(host, device=space.device)


def upload_integers(space: Space, host: np.ndarray) -> Array:
    """Move a host array of integers to the space's device, as it is; one upload.

    Parameters
    ----------
    space : Space
        Where to.
    host : NumPy array
        Of integers, such as numbers of rows or labels, and of any shape.

    Returns
    -------
    array
        Of the space's library; int32 on JAX without 64 bits.
    """
    for ledger in _open:
        ledger.uploads += 1
    return host if space.kind == "numpy" else space.xp.asarray(host, device=space.device)


def _compute_dask(
    scalars: Sequence[Any], keep: Sequence[Array]
) -> tuple[list[Any], Sequence[Array]]:
    """One run of the scheduler for scalars and kept arrays together."""
    import dask.base

    lazy = [a for a in scalars if type(a) is not float]
    held = dask.base.persist(*lazy, *keep)  # type: ignore[no-untyped-call]
    values = iter([_chunk(a) for a in held[: len(lazy)]])
    return [a if type(a) is float else next(values) for a in scalars], held[len(lazy) :]


def _chunk(a: Array) -> np.ndarray:
    """Read a persisted dask array out of its graph, without another run of the scheduler."""
    import dask.core

    graph = a.__dask_graph__()
    keys = dask.core.flatten(a.__dask_keys__())  # type: ignore[no-untyped-call]
    blocks = [graph[key] for key in keys]
    if any(type(block).__name__ == "Future" for block in blocks):  # held by a cluster
        return np.asarray(a.compute())
    blocks = [block() if callable(block) else block for block in blocks]
    return np.concatenate([np.asarray(b) for b in blocks]) if a.ndim else np.asarray(blocks[0])
