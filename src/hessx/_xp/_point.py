"""What the user gives at the start of a run: x0, arrays like it, and numbers."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any, NoReturn

import array_api_compat as compat
import numpy as np

from hessx._xp._fetch import upload
from hessx._xp._namespace import Array, Library, Space, detach, library_of, space_of
from hessx._xp._tree import is_tree, rebuild, walk

__all__ = ["like", "plain", "to_point"]


def to_point(x0: Any, what: str = "x0") -> Any:
    """Take a user's starting point, or what else sets up a space, as unshared real floating arrays.

    Numbers, nested lists and tuples of numbers, and integer NumPy arrays become float64 NumPy
    arrays; a number, NumPy's included, becomes shape ``(1,)``, as in SciPy.  Subclasses of NumPy's
    array become plain arrays, and foreign byte orders native.  A dict, or a list or tuple with
    arrays, is a tree: its leaves are arrays of one library, dtype and device, and numbers, which
    become 0-d arrays of that kind.  ``what`` is its name, for messages.

    Returns
    -------
    array or tree of arrays
        Of its own library.  The tree with the containers of x0.

    Raises
    ------
    TypeError
        Complex x0, half precision, an integer array of another library, or something that is no
        array; leaves of different kinds.
    ValueError
        An empty x0, or one of unknown shape (dask).
    """
    if not is_tree(x0):
        return _to_array(x0, what)
    leaves = dict(walk(x0, what))
    if not leaves:
        msg = f"{what} = {x0!r}: expected at least one variable"
        raise ValueError(msg)
    numbers = {path: leaf for path, leaf in leaves.items() if isinstance(leaf, Real | np.bool_)}
    points = {path: _to_array(leaf, path) for path, leaf in leaves.items() if path not in numbers}
    first, example = next(iter(points.items()), ("", np.zeros(())))
    space = space_of(example)
    for path, point in points.items():
        problem = space.mismatch(point)
        if problem is not None:
            msg = f"{path} has {problem} (that of {first})"
            raise TypeError(msg)
    points |= {path: upload(space, np.array(float(leaf))) for path, leaf in numbers.items()}
    return rebuild(x0, (points[path] for path in leaves))


def _to_array(a: Any, what: str) -> Array:
    if isinstance(a, np.generic) or not compat.is_array_api_obj(a):
        try:
            array = np.asarray(a)
        except ValueError as error:
            msg = f"{what} = {a!r}: expected an array or (nested) lists of numbers of equal length"
            raise TypeError(msg) from error
        a = array.reshape(1) if array.ndim == 0 else array
    if compat.is_numpy_array(a):
        a = _native(np.asarray(a))
    library = library_of(a)
    if library.bits < 32:
        _refuse_dtype(library, a.dtype, what)
    size = compat.size(a)
    if size is None or (isinstance(size, float) and math.isnan(size)):
        msg = f"{what} has unknown shape {a.shape}: compute its chunk sizes first"
        raise ValueError(msg)
    if size == 0:
        msg = f"{what} has shape {a.shape}: expected at least one variable"
        raise ValueError(msg)
    return np.array(a) if library.kind == "numpy" else library.xp.asarray(detach(a), copy=True)


def _native(a: np.ndarray) -> np.ndarray:
    """Give numbers in the machine's byte order, integers as float64; no copy where they are so.

    The dtype is then the one object that NumPy gives to results, by which gradients are known:
    that of an array out of a pickle is another.
    """
    if a.dtype.kind not in "buifc":
        return a
    dtype = np.dtype(np.float64 if a.dtype.kind in "bui" else a.dtype.char)
    return a.view(dtype) if a.dtype == dtype else a.astype(dtype)


def _refuse_dtype(library: Library, dtype: Any, what: str) -> NoReturn:
    if library.kind == "numpy" and dtype.kind not in "fc":
        msg = f"{what} has dtype {dtype}: expected real numbers"
    elif library.xp.isdtype(dtype, "complex floating"):
        msg = (
            f"{what} has complex dtype {dtype}: expected a real floating array; "
            "minimise over real and imaginary parts as two real arrays"
        )
    else:
        expected = "float32 or float64" if library.bits else "a real floating dtype"
        msg = f"{what} has dtype {dtype}: expected {expected}; convert {what} first"
    raise TypeError(msg)


def plain(given: Any) -> Any:
    """Give a scalar or 0-d array of NumPy's as Python's number; all else as it is."""
    scalar = isinstance(given, np.generic) or (isinstance(given, np.ndarray) and given.ndim == 0)
    return given.item() if scalar else given


def like(space: Space, given: Any, what: str) -> Array:
    """Take a user's auxiliary array (a scale, a diagonal) into the space, or say why not.

    Parameters
    ----------
    space : Space
        Where to.
    given : array or (nested) list, or tree
        NumPy arrays and lists are moved and rounded to the dtype; others must be there already.
        Where x is a tree, the same tree; a number in it stands for all entries of its leaf.
    what : str
        Its name, for messages.

    Returns
    -------
    array
        A copy; of a tree the flat vector.

    Raises
    ------
    TypeError
        Another library, dtype or device than x, another tree than x; not real numbers.
    ValueError
        A leaf of another shape than in x.
    """
    if space.tree is None:
        return _like_array(space, given, what)
    leaves = []
    for path, leaf, shape in space.tree.match(given, what, "x0"):
        filled = np.full(shape, leaf) if isinstance(leaf, Real) else leaf
        array = _like_array(space, filled, path)
        if tuple(array.shape) != shape:
            msg = f"{path} has shape {tuple(array.shape)}: expected {shape}, as x0, or a number"
            raise ValueError(msg)
        leaves.append(array)
    return space.join(leaves)


def _like_array(space: Space, a: Any, what: str) -> Array:
    if compat.is_array_api_obj(a) and not compat.is_numpy_array(a):
        problem = space.mismatch(a)
        if problem is not None:
            msg = f"{what} has {problem} (that of x0)"
            raise TypeError(msg)
        return space.xp.asarray(detach(a), copy=True)
    host = np.asarray(a)
    if host.dtype.kind not in "buif":
        msg = f"{what} has dtype {host.dtype}: expected real numbers"
        raise TypeError(msg)
    return space.xp.asarray(host.astype(space.host_dtype), device=space.device)
