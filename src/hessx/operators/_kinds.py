"""Library, dtype, device and shape of what operators hold and are given."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from hessx._xp import Array, Space, detach, is_array, is_real_floating, space_of

__all__ = ["as_space", "check_kind", "checked_shape", "held", "joint_space", "kind_of"]


def check_kind(space: Space | None, a: Any, what: str, whose: str) -> None:
    """Raise unless ``a`` is an array of the space; without a space, of any library.

    ``what`` and ``whose`` are words of the message: "v has" an array, dtype or device other than
    "that of the operator".
    """
    problem = None
    if space is not None:
        problem = space.mismatch(a)
    elif not is_array(a):
        problem = f"type {type(a).__name__}, expected an array"
    if problem is not None:
        msg = f"{what} {problem} (that of {whose})"
        raise (ValueError if problem.startswith("device") else TypeError)(msg)


def as_space(space: Any) -> Space:
    """Take a space, or an array in whose place it stands."""
    if isinstance(space, Space):
        return space
    check_kind(None, space, "space has", "no library")
    return kind_of(space, "space")


def kind_of(a: Array, what: str, shape: tuple[int, ...] | None = None) -> Space:
    """Find the library, dtype and device of an array of real floating numbers; see `space_of`."""
    if not is_real_floating(a):  # a space has an eps, which other dtypes have not
        msg = f"{what} has dtype {a.dtype}: expected a real floating dtype"
        raise TypeError(msg)
    return space_of(a, shape)


def held(a: Any, name: str, shape: tuple[int | None, ...]) -> tuple[Array, Space]:
    """Take an array that an operator holds, not copied, and its kind; None: a size left open."""
    check_kind(None, a, f"{name} has", "no library")
    a = detach(a)
    given = tuple(a.shape)
    space = kind_of(a, name, given[-1:])
    fits = len(given) == len(shape) and all(
        size > 0 and wanted in (None, size) for size, wanted in zip(given, shape, strict=True)
    )
    if not fits:
        expected = ", ".join("n" if wanted is None else str(wanted) for wanted in shape)
        msg = f"{name} has shape {given}: expected ({expected})"
        raise ValueError(msg)
    return a, space


def joint_space(a: Space | None, b: Space | None) -> Space | None:
    """Find the kind of the arrays of two operators; None if neither holds an array."""
    if a is None or b is None:
        return a or b
    if (a.xp, a.dtype, a.device) != (b.xp, b.dtype, b.device):
        first, second = (f"{s.kind_name}, dtype {s.dtype}, device {s.device}" for s in (a, b))
        msg = f"the operators hold arrays of {first} and of {second}: expected one kind"
        raise TypeError(msg)
    return a


def checked_shape(shape: Any) -> tuple[int, int]:
    """Take the shape (m, n) of an operator."""
    pair = isinstance(shape, tuple | list) and len(shape) == 2
    if not pair or not all(isinstance(size, Integral) for size in shape) or min(shape) < 1:
        msg = f"shape = {shape!r}: expected (m, n), two positive integers"
        raise ValueError(msg)
    m, n = shape
    return m, n
