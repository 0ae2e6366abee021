"""Orthogonal bases of symmetric matrices, which stay on the device."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hessx._xp._fetch import fetch, upload
from hessx._xp._namespace import Array, Space

__all__ = ["eigenbases", "orthonormal"]


def eigenbases(space: Space, matrices: Sequence[Array]) -> list[tuple[Array, Array]]:
    """Decompose each B = Q diag(w) Q', by the library's own eigh, or on the host.

    Parameters
    ----------
    space : Space
        Where the matrices live.
    matrices : sequence of arrays, each of shape (k, k)
        Symmetric; sizes may differ.

    Returns
    -------
    list of (w, Q)
        Eigenvalues, ascending, shape (k,), and eigenvectors in columns, shape (k, k); w is nan
        where B is not finite, which raises nothing.

    Notes
    -----
    Cost: about 9 k^3 operations each, and no fetch, though on a GPU the library's eigh may wait for
    the device by itself.  Without an eigh of the library (dask, the
    standard without extensions) one fetch for all and two uploads for each.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import eigenbases, space_of
    >>> [(w, Q)] = eigenbases(space_of(np.ones(2)), [np.diag([1.0, 5.0])])
    >>> w, abs(Q)
    (array([1., 5.]), array([[1., 0.],
           [0., 1.]]))
    """
    xp, own = space.xp, _own(space, "eigh")
    if own is None:
        return [(upload(space, w), upload(space, Q)) for w, Q in _on_the_host(space, matrices)]
    found = []
    for B in matrices:
        finite = xp.all(xp.isfinite(B))  # libraries raise, or worse, for what is not
        w, Q = own(xp.where(finite, B, space.zeros(())))
        found.append((xp.where(finite, w, math.nan), Q))
    return found


def orthonormal(space: Space, matrices: Sequence[Array]) -> list[Array]:
    """Give Q of each M = Q R, by the library's own qr, or on the host.

    Parameters
    ----------
    space : Space
        Where the matrices live.
    matrices : sequence of arrays, each of shape (k, k)
        Sizes may differ.

    Returns
    -------
    list of arrays, each of shape (k, k)
        Q, with the signs that the library chooses; nan where M is not finite.

    Notes
    -----
    Cost: about 4 k^3 / 3 operations each, twice that with Q, and no fetch; without a qr of the
    library as `eigenbases`, with one upload for each.

    Examples
    --------
    >>> import numpy as np
    >>> from hessx._xp import orthonormal, space_of
    >>> (Q,) = orthonormal(space_of(np.ones(2)), [np.array([[3.0, 1.0], [4.0, 2.0]])])
    >>> abs(Q).round(2)
    array([[0.6, 0.8],
           [0.8, 0.6]])
    """
    own = _own(space, "qr")
    if own is None:
        return [upload(space, np.linalg.qr(M)[0]) for M in _fetched(space, matrices)]
    return [own(M)[0] for M in matrices]


def _own(space: Space, name: str) -> Callable[..., Any] | None:
    """Find a function of the library's linalg; dask's qr takes tall matrices in blocks only."""
    if space.lazy:
        return None
    return getattr(getattr(space.xp, "linalg", None), name, None)


def _on_the_host(space: Space, matrices: Sequence[Array]) -> list[tuple[np.ndarray, np.ndarray]]:
    found = []
    for B in _fetched(space, matrices):
        w, Q = np.full(len(B), math.nan), np.eye(len(B))
        if np.isfinite(B).all():
            w, Q = np.linalg.eigh(B)
        found.append((w, Q))
    return found


def _fetched(space: Space, matrices: Sequence[Array]) -> list[np.ndarray]:
    """Bring matrices to the host, all at once."""
    entries, _ = fetch(space, [space.xp.reshape(B, (-1,)) for B in matrices])
    return [flat.reshape(B.shape) for flat, B in zip(entries, matrices, strict=True)]
