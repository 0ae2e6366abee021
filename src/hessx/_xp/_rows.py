"""A fixed number of vectors that are multiplied and combined in one call."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hessx._xp._algebra import extremes
from hessx._xp._fetch import upload
from hessx._xp._namespace import Array, Space
from hessx._xp._packet import Packet

__all__ = ["ListedRows", "Rows", "WrittenRows"]


class _Steps:
    """The two steps of L-BFGS, put together from what each form of rows has."""

    __slots__ = ()

    def follow(
        self: Any,
        start: int,
        c: np.ndarray,
        i: int,
        a: float,
        x: Array,
        scale: Array | None,
        out: Array | None,
    ) -> tuple[Array, Array, float]:
        """Sum c[j] row_(start + j) = v, row_i <- a v; v, x + a v scale, and v'v if it is at hand.

        One upload.  ``out`` may be given for v.
        """
        v = self.combine(start, c, out)
        self.set_scaled(i, v, a)
        return v, self.moved(x, i, scale), math.nan

    def moved(self: Any, x: Array, i: int, scale: Array | None) -> Array:
        """Give x + row_i scale."""
        return x + (self[i] if scale is None else self[i] * scale)

    def take_in(
        self: Any, u: Array, scale: Array | None, i: int, j: int, k: int, start: int, stop: int
    ) -> list[Array]:
        """row_i <- u scale, row_j <- row_i - row_k.

        Gives the largest and smallest entries of u, the products of rows start..stop-1 with row_i,
        and those of rows j-1 and j with row_j.
        """
        bounds = extremes(self.space, u)  # first, while u is in the cache
        self.write(i, u, scale)
        self.set_difference(j, i, k)
        return [*bounds, self.products(start, stop, i), self.products(j - 1, j + 1, j)]

    def write(self: Any, i: int, u: Array, scale: Array | None) -> None:
        """row_i <- u scale, entry by entry."""
        if scale is None:
            self.set(i, u)
        else:
            self.set_product(i, u, scale)


class WrittenRows(_Steps):
    """Rows of one array ``(k, n)``, written in place.

    Where functions take ``out=``, a row is computed straight into the array.
    """

    __slots__ = ("array", "space")
    whole = False

    def __init__(self, space: Space, k: int) -> None:
        self.space = space
        self.array = space.zeros((k, space.n))

    def __getitem__(self, i: int) -> Array:
        """Row i, a view: valid until the row is written again."""
        return self.array[i, ...]

    def set(self, i: int, v: Array) -> None:
        """row_i <- v."""
        self.array[i, ...] = v

    def set_scaled(self, i: int, v: Array, a: float) -> None:
        """row_i <- a v."""
        if self.space.has_out:
            self.space.xp.multiply(v, a, out=self.array[i, ...])
        else:
            self.array[i, ...] = v * a

    def set_product(self, i: int, u: Array, v: Array) -> None:
        """row_i <- u * v, entry by entry."""
        if self.space.has_out:
            self.space.xp.multiply(u, v, out=self.array[i, ...])
        else:
            self.array[i, ...] = u * v

    def set_difference(self, i: int, j: int, k: int) -> None:
        """row_i <- row_j - row_k."""
        if self.space.has_out:
            a = self.array
            self.space.xp.subtract(a[j, ...], a[k, ...], out=a[i, ...])
        else:
            self.array[i, ...] = self.array[j, ...] - self.array[k, ...]

    def products(self, start: int, stop: int, j: int) -> Array:
        """Products of rows start..stop-1 with row j, one matrix-vector product."""
        return self.array[start:stop, :] @ self.array[j, ...]

    def products_with(self, start: int, stop: int, v: Array) -> Array:
        """Products of rows start..stop-1 with a vector v."""
        return self.array[start:stop, :] @ v

    def combine(self, start: int, c: np.ndarray, out: Array | None = None) -> Array:
        """Sum c[i] row_(start + i); one upload."""
        weights, block = upload(self.space, c), self.array[start : start + len(c), :]
        if out is not None and self.space.has_out:
            return self.space.xp.matmul(block.T, weights, out=out)
        return weights @ block

    def combine_on_device(self, start: int, c: Array) -> Array:
        """Sum c[i] row_(start + i) with coefficients that already are on the device."""
        return c @ self.array[start : start + c.shape[0], :]

    @property
    def count(self) -> int:
        """How many rows there are."""
        return int(self.array.shape[0])

    def grow(self, k: int) -> None:
        """Add rows of zeros, up to k in all; the others are copied."""
        array = self.space.zeros((k, self.space.n))
        array[: self.count, :] = self.array
        self.array = array

    def hold(self, packet: Packet) -> None:
        """Nothing has to be held with a packet: rows are in memory."""

    def __deepcopy__(self, memo: dict[int, object]) -> WrittenRows:
        """Copy the rows, share the space."""
        twin = type(self)(self.space, self.array.shape[0])
        twin.array[...] = self.array
        return twin


class ListedRows(_Steps):
    """Rows as separate arrays, for libraries whose arrays are not written (JAX, dask).

    ``whole`` asks that products and combinations always take all rows: JAX compiles anew for
    each number of rows.
    """

    __slots__ = ("fresh", "rows", "space", "whole")

    def __init__(self, space: Space, k: int) -> None:
        self.space = space
        self.whole = space.kind == "jax"
        self.rows = [space.zeros(space.n)] * k
        self.fresh: list[int] = []  # written since the last packet

    def __getitem__(self, i: int) -> Array:
        """Row i."""
        return self.rows[i]

    def set(self, i: int, v: Array) -> None:
        """row_i <- v."""
        self.rows[i] = v
        if i not in self.fresh:
            self.fresh.append(i)

    def set_scaled(self, i: int, v: Array, a: float) -> None:
        """row_i <- a v."""
        self.set(i, v * a)

    def set_product(self, i: int, u: Array, v: Array) -> None:
        """row_i <- u * v, entry by entry."""
        self.set(i, u * v)

    def set_difference(self, i: int, j: int, k: int) -> None:
        """row_i <- row_j - row_k."""
        self.set(i, self.rows[j] - self.rows[k])

    def products(self, start: int, stop: int, j: int) -> Array:
        """Products of rows start..stop-1 with row j."""
        return self.space.xp.stack(self.rows[start:stop]) @ self.rows[j]

    def products_with(self, start: int, stop: int, v: Array) -> Array:
        """Products of rows start..stop-1 with a vector v."""
        return self.space.xp.stack(self.rows[start:stop]) @ v

    def combine(self, start: int, c: np.ndarray, out: Array | None = None) -> Array:  # noqa: ARG002
        """Sum c[i] row_(start + i); one upload."""
        return upload(self.space, c) @ self.space.xp.stack(self.rows[start : start + len(c)])

    def combine_on_device(self, start: int, c: Array) -> Array:
        """Sum c[i] row_(start + i) with coefficients that already are on the device."""
        return c @ self.space.xp.stack(self.rows[start : start + c.shape[0]])

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    def grow(self, k: int) -> None:
        """Add rows of zeros, up to k in all."""
        self.rows += [self.space.zeros(self.space.n)] * (k - self.count)

    def hold(self, packet: Packet) -> None:
        """Have the rows written since the last packet computed and held with this one."""
        packet.hold(self.rows, *self.fresh)
        self.fresh = []


Rows = WrittenRows | ListedRows
