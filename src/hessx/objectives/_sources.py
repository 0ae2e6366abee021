"""Where the rows of a finite sum come from; rows in memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, Space, fetch, foreign, is_array, is_real_floating, space_of
from hessx.core import Sample, SettingsError
from hessx.objectives._epochs import Epochs

__all__ = ["Batch", "Data", "InMemory", "check_finite", "check_place", "common_length"]

_NAMED = 5  # rows in a message


@dataclass(slots=True)
class Batch:
    """Rows on the device.

    Attributes
    ----------
    rows : tuple
        What a function is given after x, or the model on these rows.
    size : int
        How many.
    weights : array, shape (size,), optional
        Factors of the rows' losses.
    numbers : array of integers, shape (size,), optional
        Of the rows among all; None where they are all, or come from elsewhere than memory.
    """

    rows: tuple[Any, ...]
    size: int
    weights: Array | None = None
    numbers: Array | None = None


class Data(ABC):
    """Where rows come from.

    Attributes
    ----------
    N : int
        Rows, or positions in an epoch.
    """

    N: int

    def place(self, space: Space) -> None:  # noqa: B027
        """Learn where x lives, and refuse data that cannot go there."""

    @abstractmethod
    def take(self, space: Space, sample: Sample) -> Batch:
        """Give the rows of a sample."""

    def all(self) -> Batch | None:
        """Give all rows; None where they are to be asked for in pieces."""
        return None

    def pieces(self, space: Space) -> Iterator[Batch]:
        """Give all rows, in batches."""
        raise NotImplementedError


class InMemory(Data):
    """Arrays of x's library on x's device; batches are gathered there.

    Parameters
    ----------
    arrays : tuple of arrays
        Held, not copied.

    Notes
    -----
    Cost: of a batch one gather per array and no fetch; of an epoch one upload.
    """

    def __init__(self, arrays: tuple[Array, ...]) -> None:
        self.arrays, self.N = arrays, common_length(arrays)
        self.epochs = Epochs(self.N)

    def place(self, space: Space) -> None:
        for i, a in enumerate(self.arrays):
            check_place(space, a, f"data[{i}]", ", or wrap it in hessx.Blocks, which moves batches")

    def take(self, space: Space, sample: Sample) -> Batch:
        rows, weights = self.epochs.rows(space, sample)
        taken = tuple([space.xp.take(a, rows, axis=0) for a in self.arrays])
        return Batch(taken, sample.size, weights, rows)

    def all(self) -> Batch:
        """Give all rows, the arrays themselves."""
        return Batch(self.arrays, self.N)


def check_place(space: Space, a: Array, name: str, else_do: str = "") -> None:
    """Refuse data that are not where x is.

    Parameters
    ----------
    space : Space
        Of x.
    a : array
        The data.
    name, else_do : str
        For the message.

    Raises
    ------
    TypeError
        Of another library.
    ValueError
        On another device.
    """
    problem = foreign(space, a)
    if problem is None:
        return
    msg = (
        f"{name} is {problem}, and x is one of {space.kind_name} on {space.device}: move it there "
        f"before the run{else_do}"
    )
    raise (ValueError if problem.startswith("on device") else TypeError)(msg)


def common_length(arrays: tuple[Any, ...]) -> int:
    """Give the number of rows, which is that of every array.

    Raises
    ------
    TypeError
        Something without a shape, or that cannot be sliced.
    SettingsError
        No rows, or different numbers of rows.
    """
    for i, a in enumerate(arrays):
        if not (hasattr(a, "shape") and hasattr(a, "__getitem__")):
            msg = (
                f"data[{i}] is a {type(a).__name__}: expected an array with a row per term of the "
                "sum, something with a shape that can be sliced, or hessx.Batches"
            )
            raise TypeError(msg)
    shapes = [tuple(a.shape) for a in arrays]
    if not shapes or any(not shape or 0 in shape for shape in shapes):
        msg = f"data of shapes {shapes}: expected at least one array, with at least one row each"
        raise SettingsError(msg)
    if len({shape[0] for shape in shapes}) > 1:
        msg = f"data of shapes {shapes}: expected equal first axes, a row per term of the sum"
        raise SettingsError(msg)
    return shapes[0][0]  # type: ignore[no-any-return]


def check_finite(arrays: tuple[Array, ...], name: str = "data[{}]") -> None:
    """Refuse rows with NaN or infinite entries; one fetch, one more to say which they are.

    Raises
    ------
    SettingsError
        Which rows of which array.
    """
    floating = [(i, a) for i, a in enumerate(arrays) if is_array(a) and is_real_floating(a)]
    if not floating:
        return
    spaces = [space_of(a, ()) for _, a in floating]
    sound = [
        space.xp.all(space.xp.isfinite(a)) for space, (_, a) in zip(spaces, floating, strict=True)
    ]
    values, _ = fetch(spaces[0], sound)
    for value, space, (i, a) in zip(values, spaces, floating, strict=True):
        if value:
            continue
        xp = space.xp
        flags = xp.all(xp.reshape(xp.isfinite(a), (a.shape[0], -1)), axis=1)
        (sound_rows,), _ = fetch(space, [flags])
        bad = [row for row, flag in enumerate(sound_rows) if not flag]
        named = ", ".join(map(str, bad[:_NAMED])) + (", ..." if len(bad) > _NAMED else "")
        msg = (
            f"{name.format(i)} has NaN or infinite entries in {len(bad)} of {a.shape[0]} rows: "
            f"{named}; drop or fill them, or give check_finite=False"
        )
        raise SettingsError(msg)
