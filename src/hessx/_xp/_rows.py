"""A fixed number of vectors that are multiplied and combined in one call."""

from __future__ import annotations

from typing import Any

import numpy as np

from hessx._xp._fetch import upload
from hessx._xp._namespace import Array, Space

__all__ = ["BlockedRows", "ListedRows", "NumpyRows", "Rows", "WrittenRows", "make_rows"]

_WIDTH = 2**16  # columns of a block: half a megabyte of a vector, for a second-level cache
_HEIGHT = 8  # rows read side by side: processors fetch ahead for few streams


class _Steps:
    """The two steps of L-BFGS, put together from what each form of rows has."""

    __slots__ = ()

    def combine_scaled(
        self: Any, start: int, c: np.ndarray, i: int, a: float, out: Array | None = None
    ) -> Array:
        """Sum c[j] row_(start + j) = v, and row_i <- a v; one upload."""
        v = self.combine(start, c, out)
        self.set_scaled(i, v, a)
        return v

    def take_in(
        self: Any, u: Array, scale: Array | None, i: int, j: int, k: int, start: int, stop: int
    ) -> list[Array]:
        """row_i <- u scale, row_j <- row_i - row_k; start..stop-1 by row_i, j-1 and j by row_j."""
        self.write(i, u, scale)
        self.set_difference(j, i, k)
        return [self.products(start, stop, i), self.products(j - 1, j + 1, j)]

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

    def products_with(self, stop: int, v: Array) -> Array:
        """Products of the first rows with a vector v."""
        return self.array[:stop, :] @ v

    def combine(self, start: int, c: np.ndarray, out: Array | None = None) -> Array:
        """Sum c[i] row_(start + i); one upload."""
        weights, block = upload(self.space, c), self.array[start : start + len(c), :]
        if out is not None and self.space.has_out:
            return self.space.xp.matmul(block.T, weights, out=out)
        return weights @ block

    def combine_on_device(self, c: Array) -> Array:
        """Sum c[i] row_i with coefficients that already are on the device."""
        return c @ self.array[: c.shape[0], :]

    def kept(self) -> list[Array]:
        """The rows that a fetch on a lazy library must hold: none, they are in memory."""
        return []

    def replace(self, held: list[Array]) -> None:
        """Take the held rows back."""

    def __deepcopy__(self, memo: dict[int, object]) -> WrittenRows:
        """Copy the rows, share the space."""
        twin = type(self)(self.space, self.array.shape[0])
        twin.array[...] = self.array
        return twin


class NumpyRows(WrittenRows):
    """The same on NumPy with views made once and ``dot``, half the cost of ``@`` on few numbers."""

    __slots__ = ("views",)

    def __init__(self, space: Space, k: int) -> None:
        super().__init__(space, k)
        self.views = list(self.array)

    def __getitem__(self, i: int) -> Array:
        """Row i, a view."""
        return self.views[i]

    def set(self, i: int, v: Array) -> None:
        """row_i <- v."""
        self.views[i][:] = v

    def set_scaled(self, i: int, v: Array, a: float) -> None:
        """row_i <- a v."""
        np.multiply(v, a, out=self.views[i])

    def take_in(
        self, u: Array, scale: Array | None, i: int, j: int, k: int, start: int, stop: int
    ) -> list[Array]:
        """row_i <- u scale, row_j <- row_i - row_k; start..stop-1 by row_i, j-1 and j by row_j."""
        array, v, y = self.array, self.views[i], self.views[j]
        if scale is None:
            v[:] = u
        else:
            np.multiply(u, scale, out=v)
        np.subtract(v, self.views[k], out=y)
        return [array[start:stop].dot(v), array[j - 1 : j + 1].dot(y)]

    def set_difference(self, i: int, j: int, k: int) -> None:
        """row_i <- row_j - row_k."""
        np.subtract(self.views[j], self.views[k], out=self.views[i])

    def products(self, start: int, stop: int, j: int) -> Array:
        """Products of rows start..stop-1 with row j."""
        return self.array[start:stop].dot(self.views[j])

    def combine(self, start: int, c: np.ndarray, out: Array | None = None) -> Array:
        """Sum c[i] row_(start + i)."""
        return np.dot(upload(self.space, c), self.array[start : start + len(c)], out=out)


class BlockedRows(NumpyRows):
    """The same where a row has left the cache before it is met again: block by block."""

    __slots__ = ("blocks", "work")

    def __init__(self, space: Space, k: int) -> None:
        super().__init__(space, k)
        self.blocks = [slice(a, a + _WIDTH) for a in range(0, space.n, _WIDTH)]
        self.work = np.empty(_WIDTH, self.array.dtype)

    def combine_scaled(
        self, start: int, c: np.ndarray, i: int, a: float, out: Array | None = None
    ) -> Array:
        """Sum c[j] row_(start + j) = v, and row_i <- a v; first the block that was met last."""
        weights = upload(self.space, c)
        v = np.empty_like(self.views[i]) if out is None else out
        (_, first), *others = _groups(len(c))
        for block in reversed(self.blocks):
            rows, part = self.array[start : start + len(c), block], v[block]
            np.matmul(weights[:first], rows[:first], out=part)
            for top, end in others:
                part += np.matmul(weights[top:end], rows[top:end], out=self.work[: len(part)])
            np.multiply(part, a, out=self.views[i][block])
        return v

    def take_in(
        self, u: Array, scale: Array | None, i: int, j: int, k: int, start: int, stop: int
    ) -> list[Array]:
        """row_i <- u scale, row_j <- row_i - row_k; start..stop-1 by row_i, j-1 and j by row_j."""
        products, pair, groups = np.zeros(stop - start), np.zeros(2), _groups(stop - start)
        for block in self.blocks:
            rows, v, y = self.array[:, block], self.views[i][block], self.views[j][block]
            np.multiply(u[block], 1.0 if scale is None else scale[block], out=v)
            np.subtract(v, self.views[k][block], out=y)
            for top, end in groups:
                products[top:end] += rows[start + top : start + end] @ v
            pair += rows[j - 1 : j + 1] @ y
        return [products, pair]


def _groups(k: int) -> list[tuple[int, int]]:
    """Divide k rows into groups of at most _HEIGHT, the last ones full."""
    tops = [0, *reversed(range(k - _HEIGHT, 0, -_HEIGHT))]
    return list(zip(tops, [*tops[1:], k], strict=True))


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
        self.fresh: list[int] = []  # written since the last fetch

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

    def products_with(self, stop: int, v: Array) -> Array:
        """Products of the first rows with a vector v."""
        return self.space.xp.stack(self.rows[:stop]) @ v

    def combine(self, start: int, c: np.ndarray, out: Array | None = None) -> Array:  # noqa: ARG002
        """Sum c[i] row_(start + i); one upload."""
        return upload(self.space, c) @ self.space.xp.stack(self.rows[start : start + len(c)])

    def combine_on_device(self, c: Array) -> Array:
        """Sum c[i] row_i with coefficients that already are on the device."""
        return c @ self.space.xp.stack(self.rows[: c.shape[0]])

    def kept(self) -> list[Array]:
        """The rows written since the last fetch, to be computed and held with it."""
        return [self.rows[i] for i in self.fresh]

    def replace(self, held: list[Array]) -> None:
        """Take the held rows back."""
        for i, row in zip(self.fresh, held, strict=True):
            self.rows[i] = row
        self.fresh = []


Rows = WrittenRows | ListedRows


def make_rows(space: Space, k: int) -> Rows:
    """Make k rows of zeros in the form that suits the library."""
    if space.kind == "numpy":
        return BlockedRows(space, k) if space.n >= 2 * _WIDTH else NumpyRows(space, k)
    return WrittenRows(space, k) if space.writeable else ListedRows(space, k)
