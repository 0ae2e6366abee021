"""Rows of an array that others take the place of."""

from __future__ import annotations

from hessx._xp._namespace import Array, Space

__all__ = ["put_rows"]


def put_rows(space: Space, table: Array, rows: Array, new: Array) -> Array:
    """Put new rows in the places of old ones; in place where arrays are written.

    Parameters
    ----------
    space : Space
        Of the entries.
    table : array, shape (N, ...)
        The caller's own.
    rows : array of integers, shape (k,)
        Which; none twice.
    new : array, shape (k, ...)
        In their places.

    Returns
    -------
    array, shape (N, ...)
        The table with the new rows; the old one where it could be written.

    Notes
    -----
    Cost: the new rows; where arrays are not written and have no ``at`` of JAX's, the table.
    """
    if space.kind in ("numpy", "cupy", "torch"):
        table[rows] = new
        return table
    if space.kind == "jax":
        return table.at[rows].set(new)
    xp = space.xp
    N, k = table.shape[0], rows.shape[0]
    places = xp.arange(N, dtype=rows.dtype, device=space.device)
    found = places[:, None] == rows[None, :]  # (N, k)
    which = xp.sum(
        xp.astype(found, rows.dtype) * (N + xp.arange(k, dtype=rows.dtype, device=space.device)),
        axis=1,
    )
    return xp.take(xp.concat([table, new]), xp.where(which > 0, which, places), axis=0)
