"""Updates of blocks of rows in as few operations as a library allows."""

from __future__ import annotations

from hessx._xp._rows import ListedRows, Rows

__all__ = ["add_scaled", "scale_and_subtract"]


def add_scaled(rows: Rows, i: int, j: int, count: int, a: float) -> None:
    """row_(i + k) <- row_(i + k) + a row_(j + k) for k < count, two launches for all."""
    if isinstance(rows, ListedRows):
        for k in range(count):
            rows.set(i + k, rows[i + k] + rows[j + k] * a)
        return
    block = rows.array[i : i + count, :]
    step = rows.array[j : j + count, :] * a
    if rows.space.has_out:
        rows.space.xp.add(block, step, out=block)
    else:
        rows.array[i : i + count, :] = block + step


def scale_and_subtract(rows: Rows, i: int, a: float, j: int) -> None:
    """row_i <- a row_i - row_j."""
    if isinstance(rows, ListedRows) or not rows.space.has_out:
        rows.set(i, rows[i] * a - rows[j])
        return
    xp, row = rows.space.xp, rows[i]
    xp.multiply(row, a, out=row)
    xp.subtract(row, rows[j], out=row)
