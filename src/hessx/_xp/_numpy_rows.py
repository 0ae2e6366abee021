"""Rows in NumPy's memory, and the choice of a form of rows for a space."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import numpy as np

from hessx._xp._algebra import extremes, quiet
from hessx._xp._fetch import upload
from hessx._xp._namespace import Array, Space
from hessx._xp._rows import ListedRows, Rows, WrittenRows

__all__ = ["BlockedRows", "NumpyRows", "make_rows"]

_WIDTH = 2**17  # columns of a block: a megabyte of each vector
# Rows side by side, where they are multiplied and where they are summed: processors fetch ahead
# for few streams, and a sum is written once for each group.
_READ, _SUM = 4, 12
_NOTHING = contextlib.nullcontext()  # entering NumPy's error state takes as long as two products


class NumpyRows(WrittenRows):
    """Rows of a NumPy array: views made once, and ``dot``, quicker than ``@`` on few numbers."""

    __slots__ = ("large", "views")

    def __init__(self, space: Space, k: int) -> None:
        super().__init__(space, k)
        self.large = math.sqrt(space.largest / space.n)  # beyond it g'g overflows
        self.views = list(self.array)

    def __getitem__(self, i: int) -> Array:
        """Row i, a view."""
        return self.views[i]

    def grow(self, k: int) -> None:
        """Add rows of zeros, up to k in all; the others are copied."""
        super().grow(k)
        self.views = list(self.array)

    def set(self, i: int, v: Array) -> None:
        """row_i <- v."""
        self.views[i][:] = v

    def set_scaled(self, i: int, v: Array, a: float) -> None:
        """row_i <- a v."""
        if a == 1.0:
            self.views[i][:] = v
        else:
            np.multiply(v, a, out=self.views[i])

    def take_in(
        self, u: Array, scale: Array | None, i: int, j: int, k: int, start: int, stop: int
    ) -> list[Array]:
        """row_i <- u scale, row_j <- row_i - row_k; see `_Steps`."""
        array, v, y = self.array, self.views[i], self.views[j]
        high, low = extremes(self.space, u)
        calm = -self.large < low and high < self.large
        with _NOTHING if calm else quiet():  # of a trial far out
            if scale is None:
                v[:] = u
            else:
                np.multiply(u, scale, out=v)
            np.subtract(v, self.views[k], out=y)
            return [high, low, array[start:stop].dot(v), array[j - 1 : j + 1].dot(y)]

    def follow(
        self,
        start: int,
        c: np.ndarray,
        i: int,
        a: float,
        x: Array,
        scale: Array | None,
        out: Array | None,
    ) -> tuple[Array, Array, float]:
        """Sum c[j] row_(start + j) = v, row_i <- a v; v, x + a v scale, v'v."""
        weights, row = upload(self.space, c), self.views[i]
        v = weights.dot(self.array[start : start + len(c)], out=out)
        if a == 1.0:
            row[:] = v
        else:
            np.multiply(v, a, out=row)
        return v, x + (row if scale is None else row * scale), float(v.dot(v))

    def set_difference(self, i: int, j: int, k: int) -> None:
        """row_i <- row_j - row_k."""
        np.subtract(self.views[j], self.views[k], out=self.views[i])

    def products(self, start: int, stop: int, j: int) -> Array:
        """Products of rows start..stop-1 with row j."""
        return self.array[start:stop].dot(self.views[j])

    def combine(self, start: int, c: np.ndarray, out: Array | None = None) -> Array:
        """Sum c[i] row_(start + i)."""
        return upload(self.space, c).dot(self.array[start : start + len(c)], out=out)


class BlockedRows(NumpyRows):
    """The same for long rows, which leave the cache before they are met again: block by block."""

    __slots__ = ("blocks", "points")

    def __init__(self, space: Space, k: int) -> None:
        super().__init__(space, k)
        self.blocks = [slice(a, a + _WIDTH) for a in range(0, space.n, _WIDTH)]
        self.points: Any = space.recycler

    def follow(
        self,
        start: int,
        c: np.ndarray,
        i: int,
        a: float,
        x: Array,
        scale: Array | None,
        out: Array | None,
    ) -> tuple[Array, Array, float]:
        """Sum c[j] row_(start + j) = v, row_i <- a v; v (row_i itself if a = 1), x + a v, v'v.

        The block that was met last comes first.
        """
        weights, square, row = upload(self.space, c), 0.0, self.views[i]
        moved, copy = self.points.take_twins()
        v = row if a == 1.0 else np.empty_like(row) if out is None else out
        (_, first), *others = _groups(len(c), _SUM)
        room = np.empty((2, _WIDTH), row.dtype)
        for block in reversed(self.blocks):
            rows, step = self.array[start : start + len(c), block], row[block]
            part, work = room[:, : len(step)]
            np.matmul(weights[:first], rows[:first], out=part)
            for top, end in others:
                part += np.matmul(weights[top:end], rows[top:end], out=work)
            square += float(part @ part)
            v[block] = part
            if a != 1.0:
                np.multiply(part, a, out=step)
            if scale is not None:
                step = np.multiply(step, scale[block], out=work)
            copy[block] = np.add(x[block], step, out=moved[block])
        return v, moved, square

    def moved(self, x: Array, i: int, scale: Array | None) -> Array:
        """Give x + row_i scale."""
        moved, copy = self.points.take_twins()
        row = self.views[i]
        for block in self.blocks:
            step = row[block] if scale is None else row[block] * scale[block]
            copy[block] = np.add(x[block], step, out=moved[block])
        return moved

    def take_in(
        self, u: Array, scale: Array | None, i: int, j: int, k: int, start: int, stop: int
    ) -> list[Array]:
        """row_i <- u scale, row_j <- row_i - row_k; see `_Steps`."""
        groups, blocks, space = _groups(stop - start, _READ), len(self.blocks), self.space
        bounds, pair = np.empty((2, blocks), u.dtype), np.empty((blocks, 2), u.dtype)
        products = np.empty((blocks, stop - start), u.dtype)
        now, trial, change = self.views[k], self.views[i], self.views[j]
        with quiet():  # of a trial far out
            for b, block in enumerate(self.blocks):
                rows, part, v, y = self.array[:, block], u[block], trial[block], change[block]
                bounds[:, b] = extremes(space, part)
                np.multiply(part, 1.0 if scale is None else scale[block], out=v)
                np.subtract(v, now[block], out=y)
                np.matmul(rows[j - 1 : j + 1], y, out=pair[b])
                for top, end in groups:
                    np.matmul(rows[start + top : start + end], v, out=products[b, top:end])
        (high, _), (_, low) = extremes(space, bounds[0]), extremes(space, bounds[1])
        return [high, low, products.sum(axis=0, dtype=float), pair.sum(axis=0, dtype=float)]


def _groups(k: int, height: int) -> list[tuple[int, int]]:
    """Divide k rows into groups of at most ``height``, the last ones full."""
    tops = [0, *reversed(range(k - height, 0, -height))]
    return list(zip(tops, [*tops[1:], k], strict=True))


def make_rows(space: Space, k: int) -> Rows:
    """Make k rows of zeros in the form that suits the library."""
    if space.kind == "numpy":
        return BlockedRows(space, k) if space.n >= 2 * _WIDTH else NumpyRows(space, k)
    return WrittenRows(space, k) if space.writeable else ListedRows(space, k)
