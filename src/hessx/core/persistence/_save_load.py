"""Putting a run down in a file, and reading it back."""

from __future__ import annotations

import os
from typing import Any

from hessx._xp import space_of, to_point
from hessx.core.persistence._archive import read_archive, write_archive
from hessx.core.persistence._checkpoint import Checkpoint

__all__ = ["as_checkpoint", "load", "save"]


def save(file: Any, run: Any) -> None:
    """Put a run down: its full state between two evaluations of f.

    Parameters
    ----------
    file : path or binary file
        Where to.  A path is written beside and renamed: at any moment, a kill of the process or of
        the machine included, it holds a complete checkpoint, the old or the new one.
    run : Result, AskTell or Checkpoint
        What to save.

    Raises
    ------
    TypeError
        None of these, or something in the state that cannot be saved; see `saved`.
    OSError
        The file cannot be written.

    Notes
    -----
    The file is an npz, which ``np.load`` opens, with a JSON header ``hessx.json``; no pickle.
    Cost: every array of the state is brought to the host once and written.

    Examples
    --------
    >>> import io, hessx
    >>> bowl = lambda x: (x @ x + (x @ x)**2, 2 * x + 4 * (x @ x) * x)
    >>> short = hessx.minimize(bowl, [3.0, 4.0], jac=True, options={"maxiter": 2})
    >>> file = io.BytesIO()
    >>> hessx.save(file, short)
    >>> result = hessx.minimize(bowl, [3.0, 4.0], jac=True, resume=hessx.load(file))
    >>> whole = hessx.minimize(bowl, [3.0, 4.0], jac=True)
    >>> bool((result.x == whole.x).all()), result.nfev == whole.nfev
    (True, True)
    """
    write_archive(file, *as_checkpoint(run, "run").content)


def load(file: Any, like: Any = None) -> Checkpoint:
    """Read a run that `save` or ``minimize(..., checkpoint=file)`` has put down.

    Parameters
    ----------
    file : path or binary file
        Where it stands.
    like : array, optional
        To the library and device of which ``checkpoint.state`` moves the arrays, with the shape and
        dtype of x; NumPy by default.  A run that takes the checkpoint up does not depend on it: it
        is where its x0 is.

    Returns
    -------
    Checkpoint
        For ``resume=``.

    Raises
    ------
    CheckpointError
        Not a checkpoint, a damaged or incomplete one, or one of another format.
    SettingsError
        ``like`` has another shape or dtype than x.
    OSError
        The file cannot be read.

    Notes
    -----
    Nothing in the file is executed: objects are made of classes of hessx and of those registered
    with `saved` alone.  For an example see `save`.
    """
    space = None if like is None else space_of(to_point(like))
    checkpoint = Checkpoint(read_archive(file), space)
    if space is not None:
        checkpoint.check(space, maximize=checkpoint.maximize)
    return checkpoint


def as_checkpoint(given: Any, name: str) -> Checkpoint:
    """Take what holds a checkpoint, or a file of one."""
    if isinstance(given, str | os.PathLike) or hasattr(given, "read"):
        return load(given)
    found = given if isinstance(given, Checkpoint) else getattr(given, "checkpoint", None)
    if not isinstance(found, Checkpoint):
        msg = (
            f"{name} is a {type(given).__name__}: expected a result of minimize, an AskTell or a "
            "hessx.Checkpoint"
        )
        raise TypeError(msg)
    return found
