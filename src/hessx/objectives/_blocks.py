"""Rows that are not in memory: read in blocks, or made by a function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from hessx._xp import Space, place_rows, read_rows
from hessx.core import Sample, SettingsError, check_integer
from hessx.objectives._epochs import Epochs, check_range
from hessx.objectives._sources import Batch, Data, common_length

__all__ = ["Batches", "Blocks"]

_BLOCK = 8192  # rows
_HELD = 2  # blocks: a batch may lie across a border


class Blocks(Data):
    """Data that do not fit into memory, read in blocks of rows.

    Anything with a shape that can be sliced: ``np.memmap``, dask arrays, datasets of h5py or zarr,
    or NumPy arrays for an x on a GPU.  A block is read as a whole, its rows are picked on the host,
    and each batch moves to x's device, floating numbers in x's dtype.  `FiniteSum` makes it of
    memory maps and of what is no array by itself.

    Parameters
    ----------
    *arrays : array-like
        With equal numbers of rows.
    block : int
        Rows that are read at once where the whole sum is asked for.

    Raises
    ------
    TypeError, SettingsError
        Something without a shape, rows of different lengths, no rows, a block below 1.

    Notes
    -----
    The order has to go from block to block too: ``Shuffled(seed, block=8192)``, or `Sequential`.
    Other orders read each row on its own, some eight times as long for a memory map on a disk.

    Memory: two blocks of the order and a batch.  The whole sum, its gradient and each product with
    its Hessian read all of the data once.  What is read is not looked at for NaN.

    Examples
    --------
    >>> import hessx, numpy as np
    >>> X = np.lib.format.open_memmap("X.npy", "w+", shape=(100, 2))
    >>> X[:] = np.arange(200.0).reshape(100, 2)
    >>> mean = lambda x, X: (((x - X) ** 2).sum() / len(X), 2.0 * (x - X).mean(axis=0))
    >>> loss = hessx.FiniteSum(mean, hessx.Blocks(X, block=32), jac=True)
    >>> hessx.minimize(loss, np.zeros(2)).x.round(3)
    array([ 99., 100.])
    """

    def __init__(self, *arrays: Any, block: int = _BLOCK) -> None:
        self.block = check_integer("block", block, 1)
        self.arrays, self.N = arrays, common_length(arrays)
        self.epochs = Epochs(self.N)
        self._held: dict[tuple[int, int], tuple[Any, ...]] = {}

    def take(self, space: Space, sample: Sample) -> Batch:
        """Give the rows of a sample."""
        wanted = self.epochs.on_host(sample)
        block = getattr(sample.order, "block", None)
        if block is not None:
            rows = self._from_blocks(wanted, block)
        elif np.all(np.diff(wanted) == 1):
            rows = self._read(wanted[0], wanted[-1] + 1)
        else:
            rows = self._singly(wanted)
        return self._moved(space, rows, sample.size, self.epochs.weights(space, sample))

    def pieces(self, space: Space) -> Iterator[Batch]:
        """Give all rows, block by block."""
        for start in range(0, self.N, self.block):
            stop = min(start + self.block, self.N)
            yield self._moved(space, self._read(start, stop), stop - start)

    def _moved(self, space: Space, rows: Any, size: int, weights: Any = None) -> Batch:
        return Batch(tuple(place_rows(space, a) for a in rows), size, weights)

    def _from_blocks(self, wanted: Any, block: int) -> tuple[Any, ...]:
        """Pick rows out of their blocks, each of which is looked at once."""
        numbers, parts, places = wanted // block, [], []
        for number in dict.fromkeys(numbers.tolist()):
            (at,) = np.nonzero(numbers == number)
            parts.append([a[wanted[at] - number * block] for a in self._block(number, block)])
            places.append(at)
        if len(parts) == 1:
            return tuple(parts[0])
        back = np.argsort(np.concatenate(places))
        return tuple(np.concatenate(pieces)[back] for pieces in zip(*parts, strict=True))

    def _block(self, number: int, block: int) -> tuple[Any, ...]:
        key = (number, block)
        if key not in self._held:
            while len(self._held) >= _HELD:
                del self._held[next(iter(self._held))]
            start = number * block
            self._held[key] = self._read(start, min(start + block, self.N))
        return self._held[key]

    def _singly(self, wanted: Any) -> tuple[Any, ...]:
        """Read each row once, in ascending order, as a disk likes it."""
        rows, back = np.unique(wanted, return_inverse=True)
        read = [self._read(row, row + 1) for row in rows.tolist()]
        return tuple(np.concatenate(parts)[back] for parts in zip(*read, strict=True))

    def _read(self, start: int, stop: int) -> tuple[Any, ...]:
        return tuple(read_rows(a[start:stop]) for a in self.arrays)


class Batches(Data):
    """Rows that a function makes: a reader of files, or a generator with augmentation.

    Parameters
    ----------
    read : callable
        ``read(epoch, start, stop)`` gives the rows at these positions of the epoch's order: an
        array, or a tuple of them, of x's library and device or of NumPy.  The same positions give
        the same rows, however often they are asked for and whatever was asked for between.
    N : int
        Positions in an epoch.
    block : int
        Rows that are asked for at once, of epoch 0, where the whole sum is.

    Raises
    ------
    TypeError, SettingsError
        ``read`` is not callable, or N or block is no integer >= 1; in a run, another number of rows
        than asked for, and weights, for the order is the function's own.

    Examples
    --------
    >>> import hessx, numpy as np
    >>> X = np.arange(12.0).reshape(6, 2)
    >>> order = hessx.Shuffled(seed=0)
    >>> read = lambda epoch, start, stop: X[order.indices(epoch, 6)[start:stop]]
    >>> mean = lambda x, X: (((x - X) ** 2).sum() / len(X), 2.0 * (x - X).mean(axis=0))
    >>> loss = hessx.FiniteSum(mean, hessx.Batches(read, N=6), jac=True)
    >>> hessx.minimize(loss, np.zeros(2)).x.round(3)
    array([5., 6.])
    """

    def __init__(self, read: Callable[..., Any], N: int, block: int = _BLOCK) -> None:
        if not callable(read):
            msg = f"read is a {type(read).__name__}: expected read(epoch, start, stop)"
            raise TypeError(msg)
        self.read = read
        self.N, self.block = check_integer("N", N, 1), check_integer("block", block, 1)

    def take(self, space: Space, sample: Sample) -> Batch:
        """Ask for the rows of a sample; its order is not used."""
        check_range(sample, self.N)
        if sample.order.weights(self.N) is not None:
            msg = (
                f"{type(sample.order).__name__} weighs rows, and the order of hessx.Batches is its "
                "function's own: take another order, or give arrays"
            )
            raise SettingsError(msg)
        return self._batch(space, sample.epoch, sample.start, sample.stop)

    def pieces(self, space: Space) -> Iterator[Batch]:
        """Ask for all rows of epoch 0, block by block."""
        for start in range(0, self.N, self.block):
            yield self._batch(space, 0, start, min(start + self.block, self.N))

    def _batch(self, space: Space, epoch: int, start: int, stop: int) -> Batch:
        given = self.read(epoch, start, stop)
        rows = given if isinstance(given, tuple | list) else (given,)
        placed = tuple(place_rows(space, a) for a in rows)
        lengths = [a.shape[0] if a.ndim else 1 for a in placed]
        if any(length != stop - start for length in lengths):
            msg = f"read({epoch}, {start}, {stop}) gave {lengths} rows: expected {stop - start}"
            raise ValueError(msg)
        return Batch(placed, stop - start)
