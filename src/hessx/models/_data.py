"""What the models ask of the data and of w."""

from __future__ import annotations

from typing import Any

from hessx._xp import Array, Space, fetch, is_array, space_of, to_point
from hessx.core import check_integer
from hessx.models._losses import one_hot

__all__ = ["check_weights", "take_data", "take_labels", "take_targets"]


def take_data(X: Any, y: Any, columns: bool = False) -> tuple[Space, Array]:
    """Check data and targets; gives the space of X's rows, and y in X's dtype.

    ``columns`` says whether y may have some, (N, k).

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
    shape, N = tuple(y.shape), X.shape[0]
    if shape != (N,) and not (columns and len(shape) == 2 and shape[0] == N and shape[1] > 0):
        also = f" or ({N}, k)" if columns else ""
        msg = f"y has shape {shape}: expected ({N},){also}, an entry per row of X"
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


def take_targets(X: Any, y: Any) -> tuple[Space, Array]:
    """Check data and targets as `take_data`; y is (N, k), a column where it was (N,)."""
    space, y = take_data(X, y, columns=True)
    return space, y[:, None] if y.ndim == 1 else y


def take_labels(space: Space, y: Array, classes: int | None) -> Array:
    """Check labels; gives rows of the unit matrix, (N, classes).  The one fetch of a classifier.

    Raises
    ------
    ValueError
        Labels other than 0, 1, ..., classes - 1.
    SettingsError
        Fewer than two classes.
    """
    xp = space.xp
    numbers = [xp.min(y), xp.max(y), xp.max(xp.abs(y - xp.round(y)))]
    (least, largest, off), _ = fetch(space, numbers)
    if not (off == 0.0 and least >= 0.0):
        msg = f"y has labels from {least} to {largest}: expected whole numbers 0, 1, 2, ..."
        raise ValueError(msg)
    if classes is None:
        classes = max(round(largest) + 1, 2)
    classes = check_integer("classes", classes, 2)
    if largest >= classes:
        msg = f"y has a label {largest:g}: expected 0, ..., {classes - 1}, as classes = {classes}"
        raise ValueError(msg)
    return one_hot(space, y, classes)


def check_weights(space: Space, w: Any, shape: tuple[int, ...], name: str = "w") -> None:
    """Refuse a w of another shape or dtype than the model's; costs no launch.

    Raises
    ------
    TypeError
        Another dtype than X.
    ValueError
        Another shape.
    """
    if tuple(w.shape) != shape:
        msg = f"{name} has shape {tuple(w.shape)}: expected {shape}"
        raise ValueError(msg)
    if w.dtype != space.dtype:
        msg = f"{name} has dtype {w.dtype}: expected {space.dtype}, that of X"
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
