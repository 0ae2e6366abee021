"""What the models ask of the data and of w."""

from __future__ import annotations

from typing import Any

from hessx._xp import Array, Space, is_array, space_of, to_point

__all__ = ["check_weights", "take_data"]


def take_data(X: Any, y: Any) -> tuple[Space, Array]:
    """Check data and targets; gives the space of X's rows, and y in X's dtype.

    Raises
    ------
    TypeError
        Not arrays of one library, or X without a real floating dtype.
    ValueError
        X is not (N, n), y not (N,), one is empty, or they live on two devices.
    """
    for name, a in (("X", X), ("y", y)):
        if not is_array(a):
            msg = f"{name} is a {type(a).__name__}: expected an array, convert {name} first"
            raise TypeError(msg)
    if X.ndim != 2 or 0 in X.shape:
        msg = f"X has shape {tuple(X.shape)}: expected (N, n), a row per observation"
        raise ValueError(msg)
    if tuple(y.shape) != (X.shape[0],):
        msg = f"y has shape {tuple(y.shape)}: expected ({X.shape[0]},), an entry per row of X"
        raise ValueError(msg)
    space = _space_of_rows(X)
    problem = space.mismatch(y)
    if problem is not None and problem.startswith("dtype"):
        y = space.xp.astype(y, space.dtype)
        problem = space.mismatch(y)
    if problem is not None:
        msg = f"y has {problem} (that of X)"
        raise (ValueError if problem.startswith("device") else TypeError)(msg)
    return space, y


def check_weights(space: Space, w: Array, n: int) -> None:
    """Refuse a w of another shape or dtype than the model's; costs no launch.

    Raises
    ------
    TypeError
        Another dtype than X.
    ValueError
        Another shape than ``(n,)``.
    """
    if tuple(w.shape) != (n,):
        msg = f"w has shape {tuple(w.shape)}: expected ({n},)"
        raise ValueError(msg)
    if w.dtype != space.dtype:
        msg = f"w has dtype {w.dtype}: expected {space.dtype}, that of X"
        raise TypeError(msg)


def _space_of_rows(X: Array) -> Space:
    """Find the space of one row; X itself is not copied."""
    msg = f"X has dtype {X.dtype}: expected a real floating dtype, convert X first"
    try:
        space = space_of(to_point(X[0, :]))
    except TypeError as error:
        raise TypeError(msg) from error
    if space.dtype != X.dtype:
        raise TypeError(msg)
    return space
