"""Some of the variables, or some directions: vectors cut to them, and put back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hessx._xp import Array, Space, is_array, like, to_host, upload_integers
from hessx.core import Frame, SettingsError, saved
from hessx.operators._orthonormal import orthonormal_rows_and_rank

__all__ = ["Points", "Rows", "Slice", "Span", "Subset", "checked_where", "subset_of"]


class Subset:
    """k coordinates c of a vector: c = V v and v = V'c, with orthonormal rows in V.

    Attributes
    ----------
    space : Space
        Of c.
    axes : bool
        The rows of V are unit vectors.
    """

    __slots__ = ()
    space: Space
    axes = True

    def cut(self, v: Array) -> Array:
        """V v, shape (..., n) -> (..., k)."""
        raise NotImplementedError

    def place(self, c: Array) -> Array:
        """V'c, shape (..., k) -> (..., n), a new array."""
        raise NotImplementedError

    def frame(self, frame: Frame) -> Frame:
        """Give the frame of c: that of the variables, or one in which directions are of z."""
        scale = None if frame.scale is None or not self.axes else self.cut(frame.scale)
        return Frame(self.space, scale, frame.length)

    def matrix(self, M: Array) -> Array:
        """V M V' of a symmetric M, shape (n, n) -> (k, k)."""
        return self.cut(self.cut(M).T)


@saved
class Span(Subset):
    """Neighbours: the entries from ``start`` to before ``stop``.

    Parameters
    ----------
    whole : Space
        Of all entries.
    start, stop : int
        See above.
    shape : tuple of int, optional
        Of the leaf that they are.
    """

    __slots__ = ("space", "start", "stop", "whole")

    def __init__(
        self, whole: Space, start: int, stop: int, shape: tuple[int, ...] | None = None
    ) -> None:
        self.whole, self.start, self.stop = whole, start, stop
        self.space = whole.part(shape or (stop - start,), _chunks(whole, start, stop))

    def cut(self, v: Array) -> Array:
        """A view where the library has some."""
        return v[..., self.start : self.stop]

    def place(self, c: Array) -> Array:
        """Put zeros around it."""
        head, tail = self.start, self.whole.n - self.stop
        zeros = [self.whole.zeros((*c.shape[:-1], size)) for size in (head, tail)]
        parts = [a for a in (zeros[0], c, zeros[1]) if a.shape[-1]]
        return _in_chunks(self.whole, self.whole.xp.concat(parts, axis=-1))


@saved(host=("indices",), arguments=("whole", "indices"))
class Points(Subset):
    """Entries by their numbers, none twice.

    Parameters
    ----------
    whole : Space
        Of all entries.
    indices : NumPy array of int, shape (k,)
        Their numbers.
    """

    __slots__ = ("back", "indices", "places", "space", "whole")

    def __init__(self, whole: Space, indices: np.ndarray) -> None:
        k = len(indices)
        back = np.full(whole.n, k)
        back[indices] = np.arange(k)
        self.whole, self.space, self.indices = whole, whole.part((k,)), indices
        self.places, self.back = upload_integers(whole, indices), upload_integers(whole, back)

    def cut(self, v: Array) -> Array:
        """Take them."""
        return self.whole.xp.take(v, self.places, axis=-1)

    def place(self, c: Array) -> Array:
        """Take each entry from c, or a zero behind its end."""
        xp, zero = self.whole.xp, self.whole.zeros((*c.shape[:-1], 1))
        found = xp.take(xp.concat([c, zero], axis=-1), self.back, axis=-1)
        return _in_chunks(self.whole, found)


@saved
class Rows(Subset):
    """The span of a few directions.

    Parameters
    ----------
    whole : Space
        Of all entries.
    V : array, shape (k, n)
        Orthonormal rows, in z of the frame.
    """

    __slots__ = ("V", "space", "whole")
    axes = False

    def __init__(self, whole: Space, V: Array) -> None:
        self.whole, self.V, self.space = whole, V, whole.part((V.shape[0],))

    def cut(self, v: Array) -> Array:
        """Products with the rows."""
        return v @ self.V.T

    def place(self, c: Array) -> Array:
        """Combine the rows."""
        return c @ self.V


@saved
@dataclass(frozen=True, slots=True)
class Slice:
    """A slice that can be saved."""

    start: int | None
    stop: int | None
    step: int | None


def checked_where(where: Any) -> Any:
    """Take which variables or directions are meant, as far as it can be judged without n.

    Returns
    -------
    Slice, or NumPy array
        Of bool, of int, or a matrix of float64.

    Raises
    ------
    SettingsError
        None of these, none at all, or one twice.
    """
    if isinstance(where, Slice):
        return where
    if isinstance(where, slice):
        return Slice(where.start, where.stop, where.step)
    expected = (
        "expected a slice, numbers of variables, a mask of n bools, or a matrix (k, n) whose rows "
        "are directions"
    )
    try:
        given = np.array(to_host(where) if is_array(where) else where)
    except (TypeError, ValueError) as error:
        msg = f"where is a {type(where).__name__}: {expected}"
        raise SettingsError(msg) from error
    if given.ndim == 1 and given.size and given.dtype.kind in "iu":
        return given.astype(np.int64)
    if given.ndim == 1 and given.dtype.kind == "b" and given.any():
        return given
    if given.ndim == 2 and given.size and given.dtype.kind in "iuf":
        return given.astype(np.float64)
    if given.ndim == 0:
        found = f"where = {where!r}"
    elif given.ndim == 1 and (not given.size or given.dtype.kind == "b"):
        found = f"where has shape {given.shape} and chooses nothing"
    else:
        found = f"where has shape {given.shape} and dtype {given.dtype}"
    msg = f"{found}: {expected}"
    raise SettingsError(msg)


def subset_of(frame: Frame, where: Any) -> Subset:
    """Find the variables or directions that are meant among n.

    Raises
    ------
    SettingsError
        There are none, or some of them are outside, or twice; directions of another size, or
        linearly dependent.
    """
    space, n = frame.space, frame.space.n
    if isinstance(where, np.ndarray) and where.ndim == 2:
        return _rows_of(frame, where)
    if isinstance(where, Slice):
        chosen = range(n)[slice(where.start, where.stop, where.step)]
        if len(chosen) == 0:
            msg = f"where = {where} chooses none of {n} variables: expected one or more"
            raise SettingsError(msg)
        if chosen.step == 1:
            return Span(space, chosen.start, chosen.stop)
        return Points(space, np.array(chosen))
    if where.dtype.kind == "b":
        if len(where) != n:
            msg = f"where is a mask of {len(where)} entries: expected {n}, as x0"
            raise SettingsError(msg)
        return Points(space, np.flatnonzero(where))
    outside = where[(where < -n) | (where >= n)]
    if outside.size:
        msg = f"where has the number {outside[0]}: expected numbers from 0 to {n - 1}, as x0"
        raise SettingsError(msg)
    numbers, counts = np.unique(where % n, return_counts=True)
    if len(numbers) < len(where):
        msg = f"where has variable {numbers[counts > 1][0]} twice: expected each once at most"
        raise SettingsError(msg)
    return Points(space, where % n)


def _rows_of(frame: Frame, V: np.ndarray) -> Rows:
    """Make directions orthonormal, in z."""
    space = frame.space
    k, n = V.shape
    if n != space.n or k > n:
        msg = f"where has shape {V.shape}: expected (k, {space.n}), k <= {space.n} directions"
        raise SettingsError(msg)
    rows = like(space, V, "where")
    Q, rank = orthonormal_rows_and_rank(space, rows if frame.scale is None else rows / frame.scale)
    if rank < k:
        msg = f"where has {k} directions of rank {rank}: expected linearly independent ones"
        raise SettingsError(msg)
    return Rows(space, Q)


def _chunks(whole: Space, start: int, stop: int) -> Any:
    """Chunks of the entries from start to stop, on dask."""
    if whole.chunks is None:
        return None
    ends = np.cumsum(whole.chunks[0])
    inside = ends[(ends > start) & (ends < stop)]
    return (tuple(np.diff([start, *inside, stop]).tolist()),)


def _in_chunks(whole: Space, v: Array) -> Array:
    """Give a vector or stack in the chunks of x, on dask."""
    return v if whole.chunks is None else v.rechunk({v.ndim - 1: whole.chunks[0]})
