"""What the user's functions return, checked once and brought into the run's space.

Where x is NumPy's, all that NumPy makes real numbers of is taken, as in SciPy.  Elsewhere library,
device and dtype have to be those of x: a conversion would be a hidden copy, or a hidden wait.
"""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import array_api_compat as compat
import numpy as np

from hessx._xp._algebra import quiet
from hessx._xp._namespace import Array, Space, detach, is_array, library_of

__all__ = [
    "as_float",
    "converted",
    "eps_of",
    "take_array",
    "take_gradient",
    "take_product",
    "take_stack",
    "take_value",
    "take_vector",
]


def take_value(space: Space, f: Any) -> Any:
    """Take an objective value: a Python float, or a 0-d array that stays on its device.

    Raises
    ------
    TypeError
        Not a real number, or an array of another library or device than x.
    ValueError
        More than one number.

    Notes
    -----
    Where x is NumPy's, a list, column or Series of one number is taken too, as in SciPy.
    """
    if type(f) is float:
        return f
    if isinstance(f, float):
        return float(f)
    if isinstance(f, Real | np.bool_):
        return as_float(f)
    if isinstance(f, tuple) and len(f) == 2:
        msg = (
            "fun returned a tuple of two: expected a number, or jac=True where it is (f, gradient)"
        )
        raise TypeError(msg)
    f = converted(space, f, ((),), np.dtype(np.float64))
    if not compat.is_array_api_obj(f):
        msg = f"fun returned a {type(f).__name__}: expected a number or a 0-d array"
        raise TypeError(msg)
    if f.ndim != 0:
        if compat.size(f) != 1:
            msg = f"fun returned an array of shape {tuple(f.shape)}: expected one number (0-d)"
            raise ValueError(msg)
        f = f[(0,) * f.ndim]
    f = detach(f)
    if compat.is_numpy_array(f) or isinstance(f, np.generic):
        if f.dtype.kind not in "biuf":
            msg = f"fun returned dtype {f.dtype}: expected a real number"
            raise TypeError(msg)
        return float(f)
    if type(f) is not space.array_type and compat.array_namespace(f) is not space.xp:
        msg = f"fun returned a {type(f).__module__} array: expected one of {space.kind_name}"
        raise TypeError(msg)
    if not space.xp.isdtype(f.dtype, "real floating"):
        msg = f"fun returned dtype {f.dtype}: expected a real floating number"
        raise TypeError(msg)
    if space.kind != "dask" and compat.device(f) != space.device:
        msg = f"fun returned a value on device {compat.device(f)}: expected {space.device}"
        raise ValueError(msg)
    return f


def as_float(number: Any) -> float:
    """Read a number of the host; an integer or a fraction out of range is infinite."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def eps_of(f: Any) -> float:
    """Machine epsilon of the dtype of a value that fun returned; 0 for Python's numbers."""
    if isinstance(f, float) or not hasattr(f, "dtype"):
        return 0.0
    if isinstance(f, np.generic | np.ndarray):
        return float(np.finfo(f.dtype).eps) if f.dtype.kind == "f" else 0.0
    return library_of(f).eps if is_array(f) else 0.0


def take_gradient(space: Space, g: Any) -> Array:
    """Take a gradient as a flat vector of the space; not copied, in x's chunks on dask.

    Where x is a tree the gradient is one, joined by one concatenation, or flat.

    Raises
    ------
    TypeError
        Another library, dtype or tree than x.
    ValueError
        Another shape, device, keys or length than x.
    """
    return take_vector(space, g, "the gradient")


def take_product(space: Space, v: Any) -> Array:
    """Take a product with the Hessian; as `take_gradient`."""
    return take_vector(space, v, "the product with the Hessian")


def take_stack(space: Space, given: Any, k: int, what: str) -> Array:
    """Take ``what`` of k vectors as an array of shape (k, n); as `take_gradient`."""
    shapes = ((k, *space.shape), (k, space.n))
    return space.xp.reshape(_checked(space, given, shapes, what, "k rows like x"), (k, space.n))


def take_vector(space: Space, v: Any, what: str, whose: str = "x") -> Array:
    """Take ``what`` of a vector, with library, dtype, device and shape those of ``whose``.

    As `take_gradient`, which says what is taken and what raises.
    """
    plain = space.kind == "numpy" and type(v) is np.ndarray and v.dtype is space.dtype
    if plain and v.shape == space.shape == (space.n,):
        return v  # most often
    if space.tree is None:
        flat = space.flat(_checked(space, v, (space.shape, (space.n,)), what, whose))
    elif is_array(v) and tuple(v.shape) == (space.n,):
        flat = _checked(space, v, (space.shape,), what, whose)
    else:
        flat = space.join(
            [
                _checked(space, leaf, (shape,), path, whose)
                for path, leaf, shape in space.tree.match(v, what, whose)
            ]
        )
    return flat if space.chunks is None else flat.rechunk(space.chunks)


def _checked(
    space: Space, v: Any, shapes: tuple[tuple[int, ...], ...], what: str, whose: str
) -> Array:
    """Check an array of the user's for kind and shape, the first of ``shapes`` or another."""
    v = take_array(space, v, what, whose, shapes)
    shape = tuple(v.shape)
    if shape not in shapes:
        msg = f"{what} has shape {shape}: expected {shapes[0]} (that of {whose})"
        raise ValueError(msg)
    return v


def take_array(
    space: Space, v: Any, what: str, whose: str, shapes: tuple[tuple[int, ...], ...] = ()
) -> Array:
    """Take an array of any shape, with library, dtype and device those of ``whose``."""
    v = converted(space, detach(v), shapes)
    problem = space.mismatch(v)
    if problem is not None:
        msg = f"{what} has {problem} (that of {whose})"
        raise (ValueError if problem.startswith("device") else TypeError)(msg)
    return v


def converted(
    space: Space, a: Any, shapes: tuple[tuple[int, ...], ...] = (), dtype: Any = None
) -> Any:
    """Turn what NumPy makes real numbers of into an array of x's dtype, where x is NumPy's.

    Parameters
    ----------
    space : Space
        Of x.  Of another library: nothing is done.
    a : object
        What the user gave: numbers, (nested) lists, integers, Series, arrays of other libraries
        that convert without being asked to.
    shapes : tuple of shapes
        The result has the first that differs from its own by axes of length one alone.
    dtype : numpy.dtype, optional
        In place of x's.

    Returns
    -------
    array or object
        Not copied where it is right already.  What is complex, no number, or elsewhere is given
        back as it is, for the caller to refuse.
    """
    if space.kind != "numpy":
        return a
    try:
        host = np.asarray(detach(a))
    except Exception:  # of whatever kind: arrays on a device refuse, each library in its own way
        return a
    if host.dtype.kind == "O":
        host = _from_objects(host)
    if host.dtype.kind not in "biuf":
        return a
    wanted = dtype or space.dtype
    if host.dtype is not wanted:
        with quiet():  # of numbers out of x's range
            host = host.astype(wanted, copy=False)
    if shapes and host.shape == shapes[0]:
        return host
    for shape in shapes:
        if _bare(host.shape) == _bare(shape):
            return host.reshape(shape)
    return host


def _from_objects(a: np.ndarray) -> np.ndarray:
    """Read numbers that Python holds: fractions, decimals, those of symbolic libraries."""
    if not all(hasattr(entry, "__float__") for entry in a.flat):
        return a
    return np.array([as_float(entry) for entry in a.flat]).reshape(a.shape)


def _bare(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(size for size in shape if size != 1)
